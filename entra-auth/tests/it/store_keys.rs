//! Across memory and store, too, a token is served only to the user and application it was issued for.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use entra_auth::{
    CachePartition, ClientSecretCredential, TokenCache,
    store::{EncryptedStore, EncryptionKey, StoreKey},
};
use entra_core::{Cloud, TenantId, TokenCredential, TokenRequest};
use proptest::{collection::vec, prelude::*, sample::subsequence};

use crate::{
    stores::Shelf,
    support::{CLIENT, Service, TENANT, decode, graph},
};

const CLOUDS: [&str; 3] = [
    "https://login.one.example",
    "https://login.two.example",
    "https://login.two.example:8443",
];
const TENANTS: [&str; 3] = [
    "contoso.com",
    "fabrikam.com",
    "11111111-1111-1111-1111-111111111111",
];
const CLIENTS: [&str; 2] = [
    "22222222-2222-2222-2222-222222222222",
    "33333333-3333-3333-3333-333333333333",
];
const SCOPES: [&str; 4] = ["a/.default", "b/.default", "a/.defaultb", "a"];
const CLAIMS: [Option<&str>; 3] = [None, Some("{}"), Some(r#"{"access_token":{}}"#)];
const REPLICAS: usize = 3;

#[derive(Clone, Debug)]
struct Call {
    replica: usize,
    cloud: usize,
    tenant: usize,
    client: usize,
    capable: bool,
    scopes: Vec<&'static str>,
    claims: usize,
    elsewhere: Option<usize>,
    forced: bool,
}

fn call() -> impl Strategy<Value = Call> {
    (
        (
            0..REPLICAS,
            0..CLOUDS.len(),
            0..TENANTS.len(),
            0..CLIENTS.len(),
            prop::bool::weighted(0.3),
        ),
        subsequence(SCOPES.to_vec(), 1..=2).prop_shuffle(),
        prop_oneof![4 => Just(0), 1 => 0..CLAIMS.len()],
        proptest::option::of(0..TENANTS.len()),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(at, scopes, claims, elsewhere, forced)| {
            let (replica, cloud, tenant, client, capable) = at;
            Call {
                replica,
                cloud,
                tenant,
                client,
                capable,
                scopes,
                claims,
                elsewhere,
                forced,
            }
        })
}

/// What the token of a call must say that it was requested.
fn expected(call: &Call) -> String {
    let mut scopes = call.scopes.clone();
    scopes.sort_unstable();
    let cp1 = r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#;
    // The challenges used here are empty, so that all merge to the same.
    let claims = match (call.capable, CLAIMS[call.claims]) {
        (true, _) => format!("claims={cp1};"),
        (false, Some(claims)) => format!("claims={claims};"),
        (false, None) => String::new(),
    };
    format!(
        "{}/{}/oauth2/v2.0/token?client_id={};scope={};{claims}",
        CLOUDS[call.cloud].trim_start_matches("https://"),
        TENANTS[call.elsewhere.unwrap_or(call.tenant)],
        CLIENTS[call.client],
        scopes.join(" "),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_replica_gets_tokens_issued_for_what_it_asked(
        calls in vec(call(), 1..80),
        capacity in 1usize..20,
        sealed in any::<bool>(),
    ) {
        let (service, shelf) = (Service::new(), Shelf::new());
        let caches: Vec<TokenCache> = (0..REPLICAS)
            .map(|_| {
                let builder = TokenCache::builder().capacity(capacity).store(Arc::clone(&shelf));
                match sealed {
                    true => builder.encryption_key(EncryptionKey::new([5; 32])).build(),
                    false => builder.build(),
                }
            })
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for call in &calls {
                let credential = ClientSecretCredential::builder(TENANTS[call.tenant], CLIENTS[call.client], "s3cr3t")
                    .cloud(Cloud::custom(CLOUDS[call.cloud], "https://graph.example").unwrap())
                    .client_capabilities(call.capable.then_some("cp1"))
                    .transport(Arc::clone(&service))
                    .cache(&caches[call.replica])
                    .build()
                    .unwrap();
                let mut request = TokenRequest::new(call.scopes.clone());
                request.claims = CLAIMS[call.claims].map(str::to_owned);
                request.tenant = call.elsewhere.map(|tenant| TENANTS[tenant].parse::<TenantId>().unwrap());
                request.force_refresh = call.forced;
                let before = service.count();
                let token = credential.token(&request).await.unwrap();
                prop_assert_eq!(decode(&token).1, expected(call));
                if call.forced || request.claims.is_some() {
                    prop_assert_eq!(service.count(), before + 1, "a fresh one was asked for");
                }
            }
            for cache in &caches {
                prop_assert_eq!(cache.store_failures(), 0);
            }
            Ok(())
        })?;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_misses_on_one_key_make_one_request_and_one_store_access() {
    let (service, shelf) = (Service::closed(), Shelf::new());
    shelf.yield_first(5);
    let cache = TokenCache::builder().store(Arc::clone(&shelf)).build();
    let callers: Vec<_> = (0..1_000)
        .map(|_| {
            let credential = credential(&service, &cache);
            tokio::spawn(async move { decode(&credential.token(&graph()).await.unwrap()).0 })
        })
        .collect();
    service.open();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), 1);
    }
    assert_eq!(service.count(), 1);
}

/// The time of the runtime stands still while anything can go on without it.
#[tokio::test(start_paused = true)]
async fn a_thousand_keys_do_not_wait_for_each_others_locks() {
    let (service, shelf) = (Service::new(), Shelf::new());
    let cache = TokenCache::builder().store(Arc::clone(&shelf)).build();
    let credential = credential(&service, &cache);
    credential.token(&graph()).await.unwrap();
    let key = shelf
        .entries
        .lock()
        .unwrap()
        .keys()
        .next()
        .cloned()
        .unwrap();
    shelf.remove(&key).await.unwrap();
    cache.clear();
    // Another user has the lock of one key, and keeps it.
    let lock = shelf.try_lock(&key, Duration::MAX).await.unwrap().unwrap();
    let (stuck, request) = (credential.clone(), graph());
    let stuck = tokio::spawn(async move { stuck.token(&request).await });
    let started = tokio::time::Instant::now();
    for name in 0..1_000 {
        let request = TokenRequest::new([format!("api-{name}/.default")]);
        credential.token(&request).await.unwrap();
    }
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert!(!stuck.is_finished());
    assert_eq!(service.count(), 1_001);
    drop(lock);
    stuck.await.unwrap().unwrap();
}

fn credential(service: &Arc<Service>, cache: &TokenCache) -> ClientSecretCredential {
    ClientSecretCredential::builder(TENANT, CLIENT, "s3cr3t")
        .transport(Arc::clone(service))
        .cache(cache)
        .build()
        .unwrap()
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn configs_keys_errors_and_logs_of_stores_show_no_secret_and_no_token() {
    const CANARY: &str = "canary-secret-77aa";
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(move || writer.clone())
        .finish();
    crate::canary::keep_events_on();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (service, shelf) = (Service::new(), Shelf::new());
    let builder = TokenCache::builder()
        .store(Arc::clone(&shelf))
        .encryption_key(EncryptionKey::new(*b"canary-secret-77aa-canary-secret"));
    let mut shown = format!("{builder:?}");
    let cache = builder.build();
    let credential = ClientSecretCredential::builder(TENANT, CLIENT, CANARY)
        .transport(Arc::clone(&service))
        .cache(&cache)
        .build()
        .unwrap();
    let token = credential.token(&graph()).await.unwrap();
    let partition = CachePartition::on_behalf_of(&entra_core::Cloud::public(), CANARY);
    let keys: Vec<StoreKey> = shelf.entries.lock().unwrap().keys().cloned().collect();
    // The wrong key: the entry is read, reported and quarantined.
    let other = TokenCache::builder()
        .store(Arc::clone(&shelf))
        .encryption_key(EncryptionKey::new([1; 32]))
        .build();
    let second = ClientSecretCredential::builder(TENANT, CLIENT, CANARY)
        .transport(Arc::clone(&service))
        .cache(&other)
        .build()
        .unwrap();
    second.token(&graph()).await.unwrap();
    let failure = other.last_store_failure().unwrap();
    let damaged = cache.import(&partition, CANARY.as_bytes()).unwrap_err();
    let wrong = EncryptionKey::from_base64(CANARY).unwrap_err();
    shown += &format!(
        "{cache:?} {other:?} {credential:?} {partition:?} {keys:?} {failure} {failure:?} {damaged} {damaged:?} {wrong:?}"
    );
    shown += &String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(shown.contains("could not be read"), "the failure is logged");
    for secret in [CANARY, "77aa", token.expose_secret()] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
