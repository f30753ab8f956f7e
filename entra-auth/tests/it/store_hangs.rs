//! A store that does not respond costs one time limit, and then nothing until it is back.

use std::{sync::Arc, time::Duration};

use entra_auth::{
    ClientSecretCredential, TokenCache,
    store::StoreErrorKind,
    user::{AuthorizationCodeFlow, ClientAuthentication, StartOptions},
};
use entra_core::{ScriptedTransport, TokenCredential, TokenRequest};
use tokio::time::Instant;

use crate::{
    stores::Shelf,
    support::{CLIENT, Service, TENANT, builder, graph, number},
};

const LIMIT: Duration = Duration::from_secs(2);

fn credential(service: &Arc<Service>, shelf: &Arc<Shelf>) -> (ClientSecretCredential, TokenCache) {
    let cache = TokenCache::builder().store(Arc::clone(shelf)).build();
    (builder(service).cache(&cache).build().unwrap(), cache)
}

fn other(name: u32) -> TokenRequest {
    TokenRequest::new([format!("api-{name}/.default")])
}

/// How long the call takes on the paused clock.
async fn took(credential: &ClientSecretCredential, request: &TokenRequest) -> Duration {
    let started = Instant::now();
    credential.token(request).await.unwrap();
    started.elapsed()
}

fn is_about(found: Duration, expected: Duration) -> bool {
    // The timer counts in milliseconds and rounds up.
    found >= expected && found < expected + Duration::from_millis(20)
}

#[tokio::test(start_paused = true)]
async fn hanging_store_costs_one_timeout_and_is_then_skipped() {
    let (service, shelf) = (Service::new(), Shelf::new());
    shelf.hang(true);
    let (credential, cache) = credential(&service, &shelf);
    assert!(is_about(took(&credential, &graph()).await, LIMIT));
    assert_eq!(shelf.take_asked(), 1, "reading; neither lock nor write");
    let failure = cache.last_store_failure().unwrap();
    assert_eq!(failure.kind(), StoreErrorKind::Unavailable);
    for name in 0..20 {
        assert_eq!(took(&credential, &other(name)).await, Duration::ZERO);
    }
    assert_eq!(shelf.take_asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_call_probes_the_store_after_growing_pauses() {
    let (service, shelf) = (Service::new(), Shelf::new());
    shelf.hang(true);
    let (credential, _cache) = credential(&service, &shelf);
    took(&credential, &graph()).await;
    let mut name = 0;
    for pause in [5, 10, 20, 40, 60, 60].map(Duration::from_secs) {
        tokio::time::advance(pause - Duration::from_millis(100)).await;
        name += 1;
        assert_eq!(took(&credential, &other(name)).await, Duration::ZERO);
        tokio::time::advance(Duration::from_millis(101)).await;
        shelf.take_asked();
        // One of many concurrent calls waits.
        let calls = (0..10).map(|_| {
            name += 1;
            let (credential, request) = (credential.clone(), other(name));
            tokio::spawn(async move { took(&credential, &request).await })
        });
        let calls: Vec<_> = calls.collect();
        let mut paid = 0;
        for call in calls {
            paid += u32::from(call.await.unwrap() > Duration::ZERO);
        }
        assert_eq!((paid, shelf.take_asked()), (1, 1));
    }
    shelf.hang(false);
    tokio::time::advance(Duration::from_secs(61)).await;
    took(&credential, &other(1_000)).await;
    let (restarted, cache) = self::credential(&service, &shelf);
    let before = service.count();
    restarted.token(&other(1_000)).await.unwrap();
    assert_eq!(service.count(), before, "it was written");
    assert_eq!(cache.store_failures(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_store_with_a_time_limit_of_its_own_is_skipped_as_well() {
    // The limits are equal, or either of them is the shorter one.
    for (limit, own) in [
        (2_000, 2_000),
        (2_000, 1_000),
        (10_000, 2_000),
        (200, 2_000),
    ] {
        let [limit, own] = [limit, own].map(Duration::from_millis);
        let (service, shelf) = (Service::new(), Shelf::new());
        shelf.delay(own);
        shelf.fail(true);
        let builder = TokenCache::builder().store(Arc::clone(&shelf));
        let cache = builder.store_timeout(limit).build();
        let credential = self::builder(&service).cache(&cache).build().unwrap();
        let paid = limit.min(own);
        assert!(is_about(took(&credential, &graph()).await, paid));
        for name in 0..20 {
            assert_eq!(took(&credential, &other(name)).await, Duration::ZERO);
        }
        assert_eq!(shelf.take_asked(), 1);
        // An attempt that fails in the same way makes the pause longer.
        tokio::time::advance(Duration::from_secs(6)).await;
        assert!(is_about(took(&credential, &other(20)).await, paid));
        tokio::time::advance(Duration::from_secs(6)).await;
        assert_eq!(took(&credential, &other(21)).await, Duration::ZERO);
        assert_eq!(shelf.take_asked(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_at_once_is_used_again_at_once() {
    let (service, shelf) = (Service::new(), Shelf::new());
    let (credential, _cache) = credential(&service, &shelf);
    shelf.fail(true);
    credential.token(&graph()).await.unwrap();
    shelf.fail(false);
    credential.token(&other(1)).await.unwrap();
    let (restarted, _cache) = self::credential(&service, &shelf);
    let before = service.count();
    restarted.token(&other(1)).await.unwrap();
    assert_eq!(service.count(), before, "it was written");
}

#[tokio::test(start_paused = true)]
async fn dropped_probe_lets_the_next_call_probe() {
    let (service, shelf) = (Service::new(), Shelf::new());
    shelf.hang(true);
    let (credential, cache) = credential(&service, &shelf);
    took(&credential, &graph()).await;
    tokio::time::advance(Duration::from_secs(6)).await;
    let partition = entra_auth::CachePartition::on_behalf_of(&entra_core::Cloud::public(), "any");
    let dropped = tokio::time::timeout(Duration::from_millis(5), cache.forget(&partition));
    dropped.await.unwrap_err();
    shelf.hang(false);
    cache.forget(&partition).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn slow_store_costs_one_timeout_per_token_request() {
    let (service, shelf) = (Service::new(), Shelf::new());
    shelf.delay(Duration::from_millis(900));
    let (credential, _cache) = credential(&service, &shelf);
    let took = took(&credential, &graph()).await;
    assert!(is_about(took, LIMIT), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn waiting_for_another_replica_does_not_count_as_store_delay() {
    let (service, shelf) = (Service::closed(), Shelf::new());
    shelf.delay(Duration::from_millis(50));
    let (first, _) = credential(&service, &shelf);
    let (second, cache) = credential(&service, &shelf);
    let call = tokio::spawn(async move { number(&first, &graph()).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let waiting = tokio::spawn(async move { number(&second, &graph()).await });
    tokio::time::sleep(Duration::from_secs(7)).await;
    service.open();
    assert_eq!((call.await.unwrap(), waiting.await.unwrap()), (1, 1));
    assert_eq!(cache.store_failures(), 0);
}

#[tokio::test(start_paused = true)]
async fn sign_in_waits_for_a_hanging_store_once() {
    // The service is in this process, so that the time can be paused.
    let granted = |number: u32| {
        let info = "eyJ1aWQiOiJ1IiwidXRpZCI6InQifQ";
        format!(
            r#"{{"token_type":"Bearer","access_token":"token-{number}","expires_in":3600,"client_info":"{info}","refresh_token":"refresh-{number}"}}"#
        )
    };
    let service = [1, 2]
        .into_iter()
        .fold(ScriptedTransport::new(), |service, number| {
            service.then(200, &[], granted(number))
        });
    let shelf = Shelf::new();
    let cache = TokenCache::builder().store(Arc::clone(&shelf)).build();
    let flow =
        AuthorizationCodeFlow::builder(TENANT, CLIENT, ClientAuthentication::secret("s3cr3t"))
            .redirect_uri("https://shop.example/callback")
            .scopes(["User.Read"])
            .transport(Arc::new(service))
            .cache(&cache)
            .build()
            .unwrap();
    shelf.hang(true);
    let started = Instant::now();
    let (_, state) = flow.start(&StartOptions::default()).unwrap();
    let callback = format!("code=any&state={}", state.id());
    let adele = flow.finish(state, &callback).await.unwrap();
    assert!(
        is_about(started.elapsed(), LIMIT),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(shelf.take_asked(), 1);
    let mail = TokenRequest::new(["Mail.Read"]);
    let token = adele.token(&mail).await.unwrap();
    assert_eq!(token.expose_secret(), "token-2");
    assert_eq!(shelf.take_asked(), 0);
}
