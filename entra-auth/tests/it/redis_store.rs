//! Tokens in Redis, against the server that `ENTRA_REDIS_URL` names.

use std::{
    env,
    sync::{Arc, Mutex},
    time::Duration,
};

use entra_auth::{
    CachePartition, ClientSecretCredential, TokenCache,
    store::{
        EncryptedStore, EncryptionKey, RedisStore, StoreError, StoreErrorKind, StoreKey, StoreLock,
        StorePartition,
    },
};
use entra_core::{Guid, RetryPolicy, SystemRandom, TokenCredential};
use entra_mock::{FakeTenant, Fault};

use crate::support::{CLIENT, Service, TENANT, builder, graph, number};

const HOUR: Duration = Duration::from_secs(3600);

/// A store with keys of its own in the server, if there is one.
fn store() -> Option<RedisStore> {
    let Ok(address) = env::var("ENTRA_REDIS_URL") else {
        println!("skipped: ENTRA_REDIS_URL names no Redis server");
        return None;
    };
    let run = Guid::random(&SystemRandom).unwrap();
    Some(
        RedisStore::new(&address)
            .unwrap()
            .with_prefix(format!("entra-test:{run}:")),
    )
}

fn cache(store: &RedisStore) -> TokenCache {
    TokenCache::builder().store(store.clone()).build()
}

#[tokio::test]
async fn a_token_written_by_one_replica_is_read_by_another() {
    let Some(store) = store() else { return };
    let service = Service::new();
    let replica = || {
        let cache = cache(&store);
        (builder(&service).cache(&cache).build().unwrap(), cache)
    };
    let (first, first_cache) = replica();
    assert_eq!(number(&first, &graph()).await, 1);
    let (second, second_cache) = replica();
    assert_eq!(number(&second, &graph()).await, 1);
    assert_eq!(
        first_cache.store_failures() + second_cache.store_failures(),
        0
    );
    let partition = CachePartition::app(
        &entra_core::Cloud::public(),
        CLIENT.parse().unwrap(),
        &TENANT.parse().unwrap(),
    );
    first_cache.forget(&partition).await.unwrap();
    assert_eq!(number(&replica().0, &graph()).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_replicas_that_miss_at_once_make_one_request() {
    let Some(store) = store() else { return };
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Web app").with_secret();
    // The one that asks waits for a second, and the others for it.
    tenant.inject(
        Fault::on("/oauth2/v2.0/token")
            .nth(1)
            .status_with_retry_after(503, "1"),
    );
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let cache = TokenCache::builder()
                .store(store.clone())
                .encryption_key(EncryptionKey::new([3; 32]))
                .build();
            let credential =
                ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
                    .cloud(tenant.cloud())
                    .cache(&cache)
                    .build()
                    .unwrap();
            tokio::spawn(async move {
                let token = credential.token(&graph()).await.unwrap();
                assert_eq!(cache.store_failures(), 0);
                token.expose_secret().to_owned()
            })
        })
        .collect();
    let mut tokens = std::collections::HashSet::new();
    for caller in callers {
        tokens.insert(caller.await.unwrap());
    }
    assert_eq!(tokens.len(), 1);
    tenant.requests().to("/oauth2/v2.0/token").assert_count(2);
}

/// A store that takes its locks for an hour and remembers which.
#[derive(Debug)]
struct LongLocks {
    store: RedisStore,
    taken: Mutex<Vec<StoreKey>>,
}

#[async_trait::async_trait]
impl EncryptedStore for LongLocks {
    async fn load(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.load(key).await
    }

    async fn save(&self, key: &StoreKey, entry: &[u8], time: Duration) -> Result<(), StoreError> {
        self.store.save(key, entry, time).await
    }

    async fn remove(&self, key: &StoreKey) -> Result<(), StoreError> {
        self.store.remove(key).await
    }

    async fn remove_partition(&self, partition: &StorePartition) -> Result<(), StoreError> {
        self.store.remove_partition(partition).await
    }

    async fn try_lock(&self, key: &StoreKey, _: Duration) -> Result<Option<StoreLock>, StoreError> {
        self.taken.lock().unwrap().push(key.clone());
        self.store.try_lock(key, HOUR).await
    }
}

#[tokio::test]
async fn a_lock_is_given_back_also_after_a_failure() {
    let Some(store) = store() else { return };
    let locks = Arc::new(LongLocks {
        store: store.clone(),
        taken: Mutex::default(),
    });
    let service = Service::new();
    service.fail(true);
    let failing = builder(&service)
        .retry_policy(RetryPolicy::once())
        .cache(&TokenCache::builder().store(Arc::clone(&locks)).build())
        .build()
        .unwrap();
    failing.token(&graph()).await.unwrap_err();
    // It was taken for an hour, so nothing but its holder has expired it.
    let key = locks.taken.lock().unwrap().pop().unwrap();
    let again = loop {
        if let Some(lock) = store.try_lock(&key, HOUR).await.unwrap() {
            break lock;
        }
        tokio::task::yield_now().await;
    };
    drop(again);
    service.fail(false);
    let next = builder(&service).cache(&cache(&store)).build().unwrap();
    assert_eq!(number(&next, &graph()).await, 2);
}

#[tokio::test]
async fn tokens_are_served_without_a_redis_server() {
    // Nothing listens on the port of discard.
    let store = RedisStore::new("redis://user:canary-password@127.0.0.1:9").unwrap();
    assert!(!format!("{store:?}").contains("canary"));
    let service = Service::new();
    let cache = cache(&store);
    let credential = builder(&service).cache(&cache).build().unwrap();
    assert_eq!(number(&credential, &graph()).await, 1);
    assert_eq!(number(&credential, &graph()).await, 1);
    let failure = cache.last_store_failure().unwrap();
    assert_eq!(failure.kind(), StoreErrorKind::Unavailable);
    assert!(!format!("{failure} {failure:?}").contains("canary"));
}

#[test]
fn invalid_redis_url_is_rejected_and_not_shown() {
    for address in [
        "",
        "http://canary@localhost",
        "rediss://canary@localhost",
        "canary",
    ] {
        let error = RedisStore::new(address).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Configuration, "{address}");
        assert!(!format!("{error:?}").contains("canary"));
    }
}
