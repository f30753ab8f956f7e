//! One request per key, however callers arrive and leave.

use std::{sync::Arc, time::Duration};

use entra_auth::TokenCache;
use entra_core::{ManualClock, RetryPolicy, TokenCredential, TokenRequest};
use entra_mock::FakeTenant;

use crate::support::{
    Random, SCOPE, Service, builder, decode, detail, graph, number, poll_once, settle, yield_once,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_callers_on_an_empty_cache_make_one_request() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Night job").with_secret();
    let credential =
        entra_auth::ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
            .cloud(tenant.cloud())
            .clock(tenant.clock())
            .build()
            .unwrap();
    let callers: Vec<_> = (0..10_000)
        .map(|_| {
            let credential = credential.clone();
            tokio::spawn(async move {
                credential
                    .token(&graph())
                    .await
                    .unwrap()
                    .expose_secret()
                    .to_owned()
            })
        })
        .collect();
    let mut tokens = std::collections::HashSet::new();
    for caller in callers {
        tokens.insert(caller.await.unwrap());
    }
    assert_eq!(tokens.len(), 1);
    tenant.requests().to("/oauth2/v2.0/token").assert_count(1);
}

#[tokio::test]
async fn dropping_the_first_caller_does_not_lose_the_rest() {
    let service = Service::closed();
    let credential = builder(&service).build().unwrap();
    let request = graph();
    let mut first = credential.token(&request);
    assert!(poll_once(&mut first).await.is_none());
    let rest: Vec<_> = (0..100)
        .map(|_| {
            let credential = credential.clone();
            tokio::spawn(async move { number(&credential, &graph()).await })
        })
        .collect();
    settle().await;
    drop(first);
    settle().await;
    service.open();
    for caller in rest {
        assert_eq!(caller.await.unwrap(), 1);
    }
    assert_eq!(service.count(), 1);
}

#[tokio::test]
async fn request_dropped_by_all_callers_still_fills_the_cache() {
    let service = Service::closed();
    let credential = builder(&service).build().unwrap();
    let request = graph();
    let mut only = credential.token(&request);
    assert!(poll_once(&mut only).await.is_none());
    drop(only);
    service.open();
    settle().await;
    assert_eq!(number(&credential, &graph()).await, 1);
    assert_eq!(service.count(), 1);
}

#[tokio::test]
async fn waiting_for_one_key_does_not_block_another() {
    let slow = Service::closed();
    let quick = Service::new();
    let cache = TokenCache::new();
    let held_up = builder(&slow).cache(&cache).build().unwrap();
    let other = builder(&quick).cache(&cache).build().unwrap();
    let request = graph();
    let mut waiting = held_up.token(&request);
    assert!(poll_once(&mut waiting).await.is_none());
    // Ready within a poll of each task: nothing of the first key is waited for.
    for name in 0..1_000 {
        let request = TokenRequest::new([format!("https://api-{name}.example.com/.default")]);
        other.token(&request).await.unwrap();
        let mut cached = other.token(&request);
        assert!(poll_once(&mut cached).await.is_some());
    }
    assert!(poll_once(&mut waiting).await.is_none());
    assert_eq!((slow.count(), quick.count()), (1, 1_000));
}

#[tokio::test]
async fn a_thousand_keys_are_fetched_at_the_same_time() {
    let service = Service::closed();
    let credential = builder(&service).build().unwrap();
    let callers: Vec<_> = (0..1_000)
        .map(|name| {
            let credential = credential.clone();
            tokio::spawn(async move {
                let request =
                    TokenRequest::new([format!("https://api-{name}.example.com/.default")]);
                credential.token(&request).await.unwrap()
            })
        })
        .collect();
    settle().await;
    assert_eq!(
        service.count(),
        1_000,
        "no request waits for another's response"
    );
    service.open();
    for (name, caller) in callers.into_iter().enumerate() {
        let token = caller.await.unwrap();
        assert!(
            decode(&token)
                .1
                .contains(&format!("api-{name}.example.com/"))
        );
    }
}

#[tokio::test]
async fn waiters_share_a_failure_and_the_next_caller_tries_again() {
    let service = Service::closed();
    service.fail(true);
    let credential = builder(&service)
        .clock(ManualClock::new())
        .retry_policy(RetryPolicy::for_tokens().with_max_attempts(2))
        .build()
        .unwrap();
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let credential = credential.clone();
            tokio::spawn(async move { credential.token(&graph()).await.unwrap_err() })
        })
        .collect();
    settle().await;
    service.open();
    let mut ids = std::collections::HashSet::new();
    for caller in callers {
        let error = caller.await.unwrap();
        assert!(error.is_transient());
        ids.insert(detail(&error).correlation_id().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 1, "one failure for all");
    assert_eq!(service.count(), 2, "two tries of one request");
    service.fail(false);
    assert_eq!(number(&credential, &graph()).await, 3);
}

#[tokio::test]
async fn forced_refreshes_at_the_same_time_make_one_request() {
    let service = Service::new();
    let credential = builder(&service).build().unwrap();
    assert_eq!(number(&credential, &graph()).await, 1);
    service.close();
    let callers: Vec<_> = (0..500)
        .map(|_| {
            let credential = credential.clone();
            tokio::spawn(async move { number(&credential, &graph().with_force_refresh()).await })
        })
        .collect();
    settle().await;
    assert_eq!(
        number(&credential, &graph()).await,
        1,
        "who did not ask for a fresh token does not wait"
    );
    service.open();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), 2);
    }
    assert_eq!(number(&credential, &graph()).await, 2);
    assert_eq!(number(&credential, &graph().with_force_refresh()).await, 3);
}

#[tokio::test]
async fn credentials_with_one_cache_share_tokens_of_the_same_identity() {
    let service = Service::new();
    let cache = TokenCache::new();
    let one = builder(&service).cache(&cache).build().unwrap();
    let two = builder(&service).cache(&cache).build().unwrap();
    let apart = builder(&service).build().unwrap();
    assert_eq!(number(&one, &graph()).await, 1);
    assert_eq!(number(&two, &graph()).await, 1);
    assert_eq!(number(&apart, &graph()).await, 2);
    cache.clear();
    assert_eq!(number(&one, &graph()).await, 3, "also past its own copy");
    assert_eq!(number(&two, &graph()).await, 3);
}

#[tokio::test]
async fn a_caller_may_be_dropped_at_any_await() {
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let service = Service::new();
        service.yield_first(random.below(12));
        let credential = builder(&service).build().unwrap();
        let callers: Vec<_> = (0..8)
            .map(|_| {
                let (credential, starts_after, polls) =
                    (credential.clone(), random.below(15), random.below(15));
                let forced = random.below(4) == 0;
                tokio::spawn(async move {
                    for _ in 0..starts_after {
                        yield_once().await;
                    }
                    let request = graph();
                    let request = match forced {
                        true => request.with_force_refresh(),
                        false => request,
                    };
                    let mut call = credential.token(&request);
                    for _ in 0..polls {
                        if poll_once(&mut call).await.is_some() {
                            return;
                        }
                        yield_once().await;
                    }
                })
            })
            .collect();
        let last = tokio::time::timeout(Duration::from_secs(20), credential.token(&graph())).await;
        last.unwrap_or_else(|_| panic!("seed {seed}: the last caller never got its token"))
            .unwrap();
        for caller in callers {
            caller.await.unwrap();
        }
        assert!(service.count() <= 9, "seed {seed}: {}", service.count());
        // Nothing is left over: the cached token is there at the first poll.
        settle().await;
        let request = graph();
        let mut call = credential.token(&request);
        assert!(poll_once(&mut call).await.is_some(), "seed {seed}");
    }
}

#[tokio::test]
async fn the_least_recently_used_token_goes_first() {
    let service = Service::new();
    let cache = TokenCache::with_capacity(2);
    let credential = builder(&service).cache(&cache).build().unwrap();
    let named = |name: &str| TokenRequest::new([format!("https://{name}.example.com/.default")]);
    assert_eq!(number(&credential, &named("a")).await, 1);
    assert_eq!(number(&credential, &named("b")).await, 2);
    // Twice: the second read comes from the credential's copy and counts as use as well.
    number(&credential, &named("a")).await;
    number(&credential, &named("a")).await;
    assert_eq!(number(&credential, &named("c")).await, 3);
    assert_eq!(cache.len(), 2);
    assert_eq!(number(&credential, &named("a")).await, 1);
    assert_eq!(number(&credential, &named("b")).await, 4);
}

#[test]
fn credential_and_cache_may_cross_threads() {
    fn check<T: Send + Sync + 'static>(_: &T) {}
    let credential = Arc::new(builder(&Service::new()).build().unwrap());
    check(&credential);
    let request = TokenRequest::new([SCOPE]);
    let call = credential.token(&request);
    fn check_future<T: Send>(_: &T) {}
    check_future(&call);
}
