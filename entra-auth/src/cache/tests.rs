use entra_core::{AccessToken, Timestamp, TokenRequest};

use super::*;
use crate::store::Record;

fn key(scope: &str) -> CacheKey {
    let owner = Arc::new(CredentialIdentity {
        authority: "https://login.example.com/".to_owned(),
        client: "11111111-1111-1111-1111-111111111111".parse().unwrap(),
        account: Account::App,
        capabilities: Default::default(),
    });
    let token_key =
        TokenKey::new(&"contoso.com".parse().unwrap(), &TokenRequest::new([scope])).unwrap();
    CacheKey::new(&owner, token_key)
}

fn store(cache: &TokenCache, scope: &str) {
    let token = AccessToken::new(scope, Timestamp::UNIX_EPOCH);
    let record = Record {
        token,
        obtained: Timestamp::UNIX_EPOCH,
        seen: None,
        last_sign_out: None,
    };
    cache.entry(&key(scope), None).complete(1, record);
}

fn holds(cache: &TokenCache, scope: &str) -> bool {
    cache.read().peek(&key(scope)).is_some()
}

#[test]
fn a_full_cache_drops_what_was_not_used_for_longest() {
    let cache = TokenCache::with_capacity(3);
    for scope in ["a", "b", "c"] {
        store(&cache, scope);
    }
    cache.entry(&key("a"), None);
    store(&cache, "d");
    assert_eq!(cache.len(), 3);
    assert!(holds(&cache, "a") && !holds(&cache, "b") && holds(&cache, "c") && holds(&cache, "d"));
}

#[test]
fn capacity_is_kept_for_any_number_of_keys() {
    let cache = TokenCache::with_capacity(64);
    for number in 0..1_000 {
        store(&cache, &format!("scope-{number}"));
        assert!(cache.len() <= 64);
    }
    assert!(cache.len() >= 60);
    assert!(holds(&cache, "scope-999"));
}

#[test]
fn failed_key_leaves_no_entry() {
    let cache = TokenCache::new();
    let entry = cache.entry(&key("a"), None);
    cache.remove_if_idle(&key("a"), &entry);
    assert!(cache.is_empty());
    store(&cache, "a");
    let entry = cache.entry(&key("a"), None);
    cache.remove_if_idle(&key("a"), &entry);
    assert_eq!(cache.len(), 1, "a token stays");
}

#[test]
fn forgotten_entry_invalidates_its_copies() {
    let cache = TokenCache::new();
    store(&cache, "a");
    let entry = cache.entry(&key("a"), None);
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

mod idents {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn any_key() -> impl Strategy<Value = CacheKey> {
        // Few values of each part, some of which would run into their neighbours unquoted.
        let text = || prop_oneof![Just("a"), Just("b"), Just("a\",\"b"), Just("[\"app\"]")];
        let account = prop_oneof![
            Just(Account::App),
            text().prop_map(|id| Account::User(id.into())),
        ];
        let capabilities = vec(text(), 0..2);
        let claims = proptest::option::of(prop_oneof![Just("{}"), Just(r#"{"a":1}"#)]);
        let tenant = prop_oneof![Just("contoso.com"), Just("fabrikam.com")];
        (
            text(),
            tenant,
            account,
            capabilities,
            vec(text(), 1..3),
            claims,
        )
            .prop_map(
                |(authority, tenant, account, capabilities, scopes, claims)| {
                    let owner = Arc::new(CredentialIdentity {
                        authority: authority.to_owned(),
                        client: "11111111-1111-1111-1111-111111111111".parse().unwrap(),
                        account,
                        capabilities: capabilities.into_iter().collect(),
                    });
                    let mut request = TokenRequest::new(scopes);
                    request.claims = claims.map(str::to_owned);
                    let token_key = TokenKey::new(&tenant.parse().unwrap(), &request).unwrap();
                    CacheKey::new(&owner, token_key)
                },
            )
    }

    proptest! {
        #[test]
        fn texts_are_equal_exactly_where_keys_are_and_lead_back(one in any_key(), two in any_key()) {
            prop_assert_eq!(one == two, one.entry_id() == two.entry_id());
            prop_assert_eq!(
                one == two,
                one.entry_id().store_key() == two.entry_id().store_key()
            );
            let back = CacheKey::from_entry_id(&one.entry_id());
            prop_assert_eq!(back.as_ref(), Some(&one));
        }
    }
}
