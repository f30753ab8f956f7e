use entra_core::{AccessToken, Timestamp, TokenRequest};

use super::*;

fn key(scope: &str) -> CacheKey {
    let owner = Arc::new(Owner {
        authority: "https://login.example.com/".to_owned(),
        client: "11111111-1111-1111-1111-111111111111".parse().unwrap(),
        account: Account::App,
        capabilities: Default::default(),
    });
    let asked = Asked::new(&"contoso.com".parse().unwrap(), &TokenRequest::new([scope])).unwrap();
    CacheKey::new(&owner, asked)
}

fn store(cache: &TokenCache, scope: &str) {
    let token = AccessToken::new(scope, Timestamp::UNIX_EPOCH);
    let outcome = Ok(token);
    cache
        .entry(&key(scope))
        .land(1, &outcome, Timestamp::UNIX_EPOCH);
}

fn holds(cache: &TokenCache, scope: &str) -> bool {
    cache.read().contains_key(&key(scope))
}

#[test]
fn a_full_cache_drops_what_was_not_used_for_longest() {
    let cache = TokenCache::with_capacity(3);
    for scope in ["a", "b", "c"] {
        store(&cache, scope);
    }
    cache.entry(&key("a"));
    store(&cache, "d");
    assert_eq!(cache.len(), 3);
    assert!(holds(&cache, "a") && !holds(&cache, "b") && holds(&cache, "c") && holds(&cache, "d"));
}

#[test]
fn the_bound_holds_for_any_number_of_keys() {
    let cache = TokenCache::with_capacity(64);
    for number in 0..1_000 {
        store(&cache, &format!("scope-{number}"));
        assert!(cache.len() <= 64);
    }
    assert!(cache.len() >= 60);
    assert!(holds(&cache, "scope-999"));
}

#[test]
fn a_key_that_failed_leaves_no_entry() {
    let cache = TokenCache::new();
    let entry = cache.entry(&key("a"));
    cache.remove_if_idle(&key("a"), &entry);
    assert!(cache.is_empty());
    store(&cache, "a");
    let entry = cache.entry(&key("a"));
    cache.remove_if_idle(&key("a"), &entry);
    assert_eq!(cache.len(), 1, "a token stays");
}

#[test]
fn a_forgotten_entry_voids_its_copies() {
    let cache = TokenCache::new();
    store(&cache, "a");
    let entry = cache.entry(&key("a"));
    let version = entry.version();
    cache.clear();
    assert!(cache.is_empty());
    assert_ne!(entry.version(), version);
    assert!(entry.lock().detached);
}

#[test]
fn debug_shows_sizes_only() {
    let cache = TokenCache::with_capacity(5);
    store(&cache, "canary-scope");
    assert_eq!(
        format!("{cache:?}"),
        "TokenCache { len: 1, capacity: 5, store: None }"
    );
}
