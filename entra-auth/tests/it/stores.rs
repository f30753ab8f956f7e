//! The store behind the memory: what replicas share, and what a failing store may not do.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use entra_auth::{
    CachePartition, ClientSecretCredential, TokenCache,
    store::{
        EncryptedStore, EncryptionKey, StoreError, StoreErrorKind, StoreKey, StoreLock,
        StorePartition,
    },
};
use entra_core::{ManualClock, TokenCredential};
use tokio::time::Instant;

use crate::support::{
    CLIENT, Random, Service, TENANT, builder, decode, graph, number, poll_once, settle, yield_once,
};

/// A store that can be slow, fail and forget, and that takes part in no runtime.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pub(crate) entries: Mutex<HashMap<StoreKey, Vec<u8>>>,
    locks: Locks,
    yields: AtomicU64,
    failing: AtomicBool,
    read_only: AtomicBool,
    denies_locks: AtomicBool,
    hanging: AtomicBool,
    delay: Mutex<Duration>,
    requested: AtomicU64,
}

/// When the lease of each lock ends.
type Locks = Arc<Mutex<HashMap<StoreKey, Instant>>>;

struct Unlock(Locks, StoreKey, Instant);

impl Drop for Unlock {
    fn drop(&mut self) {
        let mut locks = self.0.lock().unwrap();
        // Unless its lease has ended and another has it.
        if locks.get(&self.1) == Some(&self.2) {
            locks.remove(&self.1);
        }
    }
}

impl Shelf {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn yield_first(&self, times: u64) {
        self.yields.store(times, Ordering::SeqCst);
    }

    pub(crate) fn fail(&self, failing: bool) {
        self.failing.store(failing, Ordering::SeqCst);
    }

    /// Whether it can be read but not written.
    pub(crate) fn only_read(&self, read_only: bool) {
        self.read_only.store(read_only, Ordering::SeqCst);
    }

    /// As if another replica held every lock.
    pub(crate) fn deny_locks(&self, denies: bool) {
        self.denies_locks.store(denies, Ordering::SeqCst);
    }

    pub(crate) fn hang(&self, hanging: bool) {
        self.hanging.store(hanging, Ordering::SeqCst);
    }

    /// How long each operation takes from now on.
    pub(crate) fn delay(&self, delay: Duration) {
        *self.delay.lock().unwrap() = delay;
    }

    /// How many operations it was requested since the last call.
    pub(crate) fn take_asked(&self) -> u64 {
        self.requested.swap(0, Ordering::SeqCst)
    }

    /// Whether an entry that is not encrypted has this text.
    pub(crate) fn holds(&self, text: &str) -> bool {
        let entries = self.entries.lock().unwrap();
        let mut all = entries.values();
        all.any(|entry| String::from_utf8_lossy(entry).contains(text))
    }

    fn len(&self) -> usize {
        self.entries.lock().unwrap().len()
    }

    fn damage(&self, change: impl Fn(&mut Vec<u8>)) {
        self.entries.lock().unwrap().values_mut().for_each(change);
    }

    /// What an attacker with write access to the store does: gives each of two entries the other's place.
    fn exchange(&self) {
        let mut entries = self.entries.lock().unwrap();
        let keys: Vec<StoreKey> = entries.keys().cloned().collect();
        let (one, two) = (entries[&keys[0]].clone(), entries[&keys[1]].clone());
        entries.insert(keys[0].clone(), two);
        entries.insert(keys[1].clone(), one);
    }

    async fn enter(&self) -> Result<(), StoreError> {
        self.requested.fetch_add(1, Ordering::SeqCst);
        let delay = *self.delay.lock().unwrap();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        for _ in 0..self.yields.load(Ordering::SeqCst) {
            yield_once().await;
        }
        if self.hanging.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        match self.failing.load(Ordering::SeqCst) {
            true => Err(StoreError::unavailable("the shelf is away")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl EncryptedStore for Shelf {
    async fn load(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.enter().await?;
        Ok(self.entries.lock().unwrap().get(key).cloned())
    }

    async fn save(&self, key: &StoreKey, entry: &[u8], _: Duration) -> Result<(), StoreError> {
        self.enter().await?;
        if self.read_only.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("the shelf is full"));
        }
        let mut entries = self.entries.lock().unwrap();
        entries.insert(key.clone(), entry.to_vec());
        Ok(())
    }

    async fn remove(&self, key: &StoreKey) -> Result<(), StoreError> {
        self.enter().await?;
        self.entries.lock().unwrap().remove(key);
        Ok(())
    }

    async fn remove_partition(&self, partition: &StorePartition) -> Result<(), StoreError> {
        self.enter().await?;
        let mut entries = self.entries.lock().unwrap();
        entries.retain(|key, _| key.partition() != partition);
        Ok(())
    }

    async fn try_lock(
        &self,
        key: &StoreKey,
        lease: Duration,
    ) -> Result<Option<StoreLock>, StoreError> {
        self.enter().await?;
        let now = Instant::now();
        let mut locks = self.locks.lock().unwrap();
        let is_held = locks.get(key).is_some_and(|ends| now < *ends);
        if is_held || self.denies_locks.load(Ordering::SeqCst) {
            return Ok(None);
        }
        let ends = now + lease.min(Duration::from_secs(86_400));
        locks.insert(key.clone(), ends);
        let unlock = Unlock(Arc::clone(&self.locks), key.clone(), ends);
        Ok(Some(StoreLock::new(unlock)))
    }
}

fn cache(shelf: &Arc<Shelf>) -> TokenCache {
    TokenCache::builder().store(Arc::clone(shelf)).build()
}

/// One process of several: a memory of its own in front of the shared store.
fn replica(service: &Arc<Service>, shelf: &Arc<Shelf>) -> ClientSecretCredential {
    builder(service).cache(&cache(shelf)).build().unwrap()
}

#[tokio::test]
async fn new_process_reads_entries_of_an_older_one() {
    let (service, shelf) = (Service::new(), Shelf::new());
    assert_eq!(number(&replica(&service, &shelf), &graph()).await, 1);
    assert_eq!(number(&replica(&service, &shelf), &graph()).await, 1);
    assert_eq!(service.count(), 1);
}

#[tokio::test]
async fn fifty_replicas_that_miss_at_once_make_one_request() {
    let (service, shelf) = (Service::closed(), Shelf::new());
    shelf.yield_first(3);
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let credential = replica(&service, &shelf);
            tokio::spawn(async move { number(&credential, &graph()).await })
        })
        .collect();
    settle().await;
    service.open();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), 1);
    }
    assert_eq!(service.count(), 1);
    assert!(
        shelf.locks.lock().unwrap().is_empty(),
        "every lock is given back"
    );
}

#[tokio::test]
async fn next_replica_requests_the_token_after_a_failure() {
    let (service, shelf) = (Service::new(), Shelf::new());
    service.fail(true);
    let once = entra_core::RetryPolicy::once();
    let first = builder(&service)
        .retry_policy(once)
        .cache(&cache(&shelf))
        .build()
        .unwrap();
    first.token(&graph()).await.unwrap_err();
    assert!(shelf.locks.lock().unwrap().is_empty());
    service.fail(false);
    assert_eq!(number(&replica(&service, &shelf), &graph()).await, 2);
}

#[tokio::test]
async fn replicas_share_one_early_refresh_and_one_renewal() {
    let service = Service::responding(r#","expires_in":3600,"refresh_in":1800"#);
    let (shelf, clock) = (Shelf::new(), ManualClock::new());
    let replicas: Vec<_> = (0..5)
        .map(|_| {
            builder(&service)
                .clock(clock.clone())
                .cache(&cache(&shelf))
                .build()
                .unwrap()
        })
        .collect();
    let all = async |expected: u64| {
        for replica in &replicas {
            assert_eq!(number(replica, &graph()).await, expected);
            settle().await;
        }
    };
    all(1).await;
    clock.advance(Duration::from_secs(1800 + 300));
    all(1).await;
    all(2).await;
    assert_eq!(service.count(), 2);
    clock.advance(Duration::from_secs(3590));
    all(3).await;
    assert_eq!(service.count(), 3);
}

#[tokio::test]
async fn the_age_of_a_loaded_token_counts_from_its_issue() {
    let (service, shelf, clock) = (Service::new(), Shelf::new(), ManualClock::new());
    let replica = || {
        let builder = builder(&service).clock(clock.clone());
        builder.cache(&cache(&shelf)).build().unwrap()
    };
    assert_eq!(number(&replica(), &graph()).await, 1);
    clock.advance(Duration::from_secs(3299));
    let second = replica();
    assert_eq!(number(&second, &graph()).await, 1);
    clock.advance(Duration::from_secs(1));
    assert_eq!(
        number(&second, &graph()).await,
        2,
        "five minutes before its end"
    );
}

#[tokio::test]
async fn stored_token_below_min_validity_is_replaced() {
    let (service, shelf, clock) = (Service::new(), Shelf::new(), ManualClock::new());
    let replica = || {
        let builder = builder(&service).clock(clock.clone());
        builder.cache(&cache(&shelf)).build().unwrap()
    };
    assert_eq!(number(&replica(), &graph()).await, 1);
    clock.advance(Duration::from_secs(60));
    let long = graph().with_min_validity(Duration::from_secs(3600));
    assert_eq!(number(&replica(), &long).await, 2);
    assert_eq!(number(&replica(), &graph()).await, 2, "written through");
    assert_eq!(number(&replica(), &graph().with_force_refresh()).await, 3);
    assert_eq!(number(&replica(), &graph()).await, 3);
}

#[tokio::test]
async fn caller_with_min_validity_that_joins_another_store_access_gets_a_new_token() {
    for request in [
        graph().with_force_refresh(),
        graph().with_min_validity(Duration::from_secs(3600)),
    ] {
        let (service, shelf, clock) = (Service::new(), Shelf::new(), ManualClock::new());
        let with = |cache: &TokenCache| {
            let builder = builder(&service).clock(clock.clone()).cache(cache);
            builder.build().unwrap()
        };
        assert_eq!(number(&with(&cache(&shelf)), &graph()).await, 1);
        clock.advance(Duration::from_secs(60));
        shelf.yield_first(20);
        let credential = with(&cache(&shelf));
        let plain = graph();
        let mut first = credential.token(&plain);
        assert!(poll_once(&mut first).await.is_none());
        let (first, second) = tokio::join!(first, number(&credential, &request));
        assert_eq!(decode(&first.unwrap()).0, 1);
        assert_eq!(second, 2);
    }
}

#[tokio::test]
async fn token_for_a_claims_challenge_is_not_stored_and_the_challenged_one_is_removed() {
    let (service, shelf) = (Service::new(), Shelf::new());
    let first = replica(&service, &shelf);
    assert_eq!(number(&first, &graph()).await, 1);
    assert_eq!(shelf.len(), 1);
    let challenge = graph().with_claims(r#"{"access_token":{"nbf":{"value":"1"}}}"#);
    assert_eq!(number(&first, &challenge).await, 2);
    assert_eq!(shelf.len(), 0);
    assert_eq!(number(&replica(&service, &shelf), &graph()).await, 3);
}

#[tokio::test]
async fn failing_store_costs_requests_but_no_token() {
    let (service, shelf) = (Service::new(), Shelf::new());
    shelf.fail(true);
    let cache = cache(&shelf);
    let credential = builder(&service).cache(&cache).build().unwrap();
    assert_eq!(number(&credential, &graph()).await, 1);
    assert_eq!(number(&credential, &graph()).await, 1, "the memory has it");
    assert!(cache.store_failures() >= 2, "reading and writing");
    let failure = cache.last_store_failure().unwrap();
    assert_eq!(failure.kind(), StoreErrorKind::Unavailable);
    assert_eq!(number(&replica(&service, &shelf), &graph()).await, 2);
    shelf.fail(false);
    assert_eq!(number(&replica(&service, &shelf), &graph()).await, 3);
    assert_eq!(number(&replica(&service, &shelf), &graph()).await, 3);
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_reported_and_replaced() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(Damage, StoreErrorKind); 4] = [
        (|bytes| bytes.truncate(30), StoreErrorKind::Damaged),
        (|bytes| bytes[20] = 0, StoreErrorKind::Damaged),
        (|bytes| bytes.fill(b'x'), StoreErrorKind::Unreadable),
        (Vec::clear, StoreErrorKind::Unreadable),
    ];
    for (damage, kind) in damages {
        let (service, shelf) = (Service::new(), Shelf::new());
        assert_eq!(number(&replica(&service, &shelf), &graph()).await, 1);
        shelf.damage(damage);
        let cache = cache(&shelf);
        let credential = builder(&service).cache(&cache).build().unwrap();
        assert_eq!(number(&credential, &graph()).await, 2);
        assert_eq!(cache.last_store_failure().unwrap().kind(), kind);
        assert!(cache.store_failures() >= 1);
        assert_eq!(number(&replica(&service, &shelf), &graph()).await, 2);
    }
}

#[tokio::test]
async fn with_a_key_only_encrypted_entries_are_written_and_read() {
    let (service, shelf) = (Service::new(), Shelf::new());
    let with = |keys: &[u8]| {
        let builder = TokenCache::builder().store(Arc::clone(&shelf));
        let sealed = keys.iter().fold(builder, |builder, key| {
            builder.encryption_key(EncryptionKey::new([*key; 32]))
        });
        self::builder(&service)
            .cache(&sealed.build())
            .build()
            .unwrap()
    };
    assert_eq!(number(&with(&[]), &graph()).await, 1);
    assert_eq!(
        number(&with(&[1]), &graph()).await,
        2,
        "the open one is rejected"
    );
    for bytes in shelf.entries.lock().unwrap().values() {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains("graph.microsoft.com") && !text.contains("token"));
    }
    assert_eq!(number(&with(&[1]), &graph()).await, 2);
    assert_eq!(
        number(&with(&[2, 1]), &graph()).await,
        2,
        "an older key still opens"
    );
    assert_eq!(number(&with(&[2]), &graph()).await, 3);
    assert_eq!(
        number(&with(&[]), &graph()).await,
        4,
        "without the key the token cannot be read"
    );
}

#[tokio::test]
async fn an_entry_copied_to_another_place_is_not_a_token_there() {
    for keys in [None, Some(EncryptionKey::new([1; 32]))] {
        let (service, shelf) = (Service::new(), Shelf::new());
        let with = || {
            let mut builder = TokenCache::builder().store(Arc::clone(&shelf));
            if let Some(key) = keys.clone() {
                builder = builder.encryption_key(key);
            }
            self::builder(&service)
                .cache(&builder.build())
                .build()
                .unwrap()
        };
        assert_eq!(number(&with(), &graph()).await, 1);
        let other = entra_core::TokenRequest::new(["https://vault.example/.default"]);
        assert_eq!(number(&with(), &other).await, 2);
        shelf.exchange();
        assert_eq!(number(&with(), &graph()).await, 3);
        assert_eq!(number(&with(), &other).await, 4);
    }
}

#[tokio::test]
async fn a_forgotten_partition_is_gone_from_memory_and_store() {
    let (service, shelf) = (Service::new(), Shelf::new());
    let cache = cache(&shelf);
    let credential = builder(&service).cache(&cache).build().unwrap();
    assert_eq!(number(&credential, &graph()).await, 1);
    let client = CLIENT.parse().unwrap();
    let elsewhere = CachePartition::app(
        &entra_core::Cloud::public(),
        client,
        &"fabrikam.com".parse().unwrap(),
    );
    cache.forget(&elsewhere).await.unwrap();
    assert_eq!(number(&credential, &graph()).await, 1);
    let partition = CachePartition::app(
        &entra_core::Cloud::public(),
        client,
        &TENANT.parse().unwrap(),
    );
    cache.forget(&partition).await.unwrap();
    assert_eq!((cache.len(), shelf.len()), (0, 0));
    assert_eq!(number(&credential, &graph()).await, 2);
    shelf.fail(true);
    cache.forget(&partition).await.unwrap_err();
    assert!(cache.is_empty(), "the memory forgets all the same");
}

#[tokio::test]
async fn caller_dropped_at_any_await_leaves_no_lock() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let (service, shelf) = (Service::new(), Shelf::new());
        service.yield_first(random.below(4));
        shelf.yield_first(random.below(4));
        let replicas: Vec<_> = (0..3).map(|_| replica(&service, &shelf)).collect();
        for _ in 0..6 {
            let request = graph();
            let replica = &replicas[usize::try_from(random.below(3)).unwrap()];
            let mut call = replica.token(&request);
            for _ in 0..random.below(30) {
                if poll_once(&mut call).await.is_some() {
                    break;
                }
                yield_once().await;
            }
        }
        for replica in &replicas {
            assert_eq!(number(replica, &graph()).await, 1, "seed {seed}");
        }
        assert!(shelf.locks.lock().unwrap().is_empty(), "seed {seed}");
    }
}

#[test]
fn dropped_at_any_await_without_a_runtime_the_next_caller_gets_a_token() {
    let waker = std::task::Waker::noop();
    let mut context = std::task::Context::from_waker(waker);
    for polls in 0..60 {
        let (service, shelf) = (Service::new(), Shelf::new());
        service.yield_first(2);
        shelf.yield_first(3);
        let credential = replica(&service, &shelf);
        let request = graph();
        let mut dropped = credential.token(&request);
        for _ in 0..polls {
            if dropped.as_mut().poll(&mut context).is_ready() {
                break;
            }
        }
        drop(dropped);
        let other = replica(&service, &shelf);
        for credential in [&credential, &other] {
            let mut next = credential.token(&request);
            let token = (0..1_000).find_map(|_| match next.as_mut().poll(&mut context) {
                std::task::Poll::Ready(token) => Some(token),
                std::task::Poll::Pending => None,
            });
            token.expect("it must get on").unwrap();
        }
        assert!(service.count() <= 2, "dropped after {polls} polls");
        assert!(shelf.locks.lock().unwrap().is_empty());
    }
}

fn sealed(key: u8) -> TokenCache {
    let builder = TokenCache::builder().encryption_key(EncryptionKey::new([key; 32]));
    builder.build()
}

#[tokio::test]
async fn exported_partition_is_imported_by_another_process() {
    let clock = ManualClock::new();
    for cache in [TokenCache::new as fn() -> TokenCache, || sealed(1)] {
        let service = Service::new();
        let with = |cache: &TokenCache, tenant: &str| {
            ClientSecretCredential::builder(tenant, CLIENT, "s3cr3t")
                .transport(Arc::clone(&service))
                .clock(clock.clone())
                .cache(cache)
                .build()
                .unwrap()
        };
        let partition = |tenant: &str| {
            CachePartition::app(
                &entra_core::Cloud::public(),
                CLIENT.parse().unwrap(),
                &tenant.parse().unwrap(),
            )
        };
        let (first, second) = (cache(), cache());
        assert_eq!(first.export(&partition(TENANT)).unwrap(), None);
        assert_eq!(number(&with(&first, TENANT), &graph()).await, 1);
        assert_eq!(number(&with(&first, "fabrikam.com"), &graph()).await, 2);
        clock.advance(Duration::from_secs(3299));
        let bytes = first.export(&partition(TENANT)).unwrap().unwrap();
        assert_eq!(second.import(&partition(TENANT), &bytes).unwrap(), 1);
        assert_eq!(number(&with(&second, TENANT), &graph()).await, 1);
        assert_eq!(number(&with(&second, "fabrikam.com"), &graph()).await, 3);
        clock.advance(Duration::from_secs(1));
        assert_eq!(
            number(&with(&second, TENANT), &graph()).await,
            4,
            "its age is kept"
        );
        second.import(&partition(TENANT), &bytes).unwrap();
        assert_eq!(
            number(&with(&second, TENANT), &graph()).await,
            4,
            "the fresher stays"
        );
        let error = second
            .import(&partition("fabrikam.com"), &bytes)
            .unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Damaged);
    }
}

#[tokio::test]
async fn damaged_or_differently_encrypted_export_is_rejected() {
    let service = Service::new();
    let partition = CachePartition::app(
        &entra_core::Cloud::public(),
        CLIENT.parse().unwrap(),
        &TENANT.parse().unwrap(),
    );
    let cache = sealed(1);
    number(&builder(&service).cache(&cache).build().unwrap(), &graph()).await;
    let bytes = cache.export(&partition).unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("graph"));
    let open = TokenCache::new();
    number(&builder(&service).cache(&open).build().unwrap(), &graph()).await;
    let plain = open.export(&partition).unwrap().unwrap();
    for (cache, bytes) in [
        (sealed(2), bytes.clone()),
        (TokenCache::new(), bytes.clone()),
        (sealed(1), bytes[..bytes.len() - 1].to_vec()),
        (sealed(1), plain.clone()),
        (TokenCache::new(), plain[..plain.len() / 2].to_vec()),
        (
            TokenCache::new(),
            String::from_utf8(plain)
                .unwrap()
                .replace("user", "x")
                .replace("app", "dev")
                .into_bytes(),
        ),
    ] {
        cache.import(&partition, &bytes).unwrap_err();
        assert!(cache.is_empty());
    }
}
