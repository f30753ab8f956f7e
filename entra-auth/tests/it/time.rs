//! A wall clock that is set back, set ahead, or was wrong: no token is served beyond its life, and
//! no user is signed out.

use std::{sync::Arc, time::Duration};

use entra_auth::{
    CachePartition, Discovery, ErrorKind, TokenCache,
    store::EncryptionKey,
    user::{AuthorizationCodeFlow, ClientAuthentication, OnBehalfOf, StartOptions},
};
use entra_core::{
    Clock, Cloud, ManualClock, RetryPolicy, ScriptedTransport, TokenCredential, TokenRequest,
};
use entra_mock::{App, FakeTenant};

use crate::{
    store_refresh::{ADELE, sign_in},
    stores::Shelf,
    support::{CLIENT, Service, TENANT, builder, decode, graph, number, settle},
    user_code::shop,
};

const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3600);
/// When an hour's token is replaced.
const STALE: Duration = Duration::from_secs(3300);
const SECOND: Duration = Duration::from_secs(1);

fn set_back(clock: &ManualClock, by: Duration) {
    clock.set_wall_clock(clock.now() - by);
}

fn set_ahead(clock: &ManualClock, by: Duration) {
    clock.set_wall_clock(clock.now() + by);
}

#[tokio::test]
async fn token_is_used_for_its_lifetime_after_the_clock_was_set_back() {
    for was_ahead in [true, false] {
        let (service, clock) = (Service::new(), ManualClock::new());
        let credential = builder(&service).clock(clock.clone()).build().unwrap();
        if was_ahead {
            set_ahead(&clock, DAY);
        }
        assert_eq!(number(&credential, &graph()).await, 1);
        set_back(&clock, DAY);
        for _ in 0..3 {
            assert_eq!(number(&credential, &graph()).await, 1, "{was_ahead}");
        }
        clock.advance(STALE - SECOND);
        assert_eq!(number(&credential, &graph()).await, 1, "{was_ahead}");
        clock.advance(SECOND);
        assert_eq!(number(&credential, &graph()).await, 2, "{was_ahead}");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_by_exactly_what_has_passed_hides_no_age() {
    let (service, clock) = (Service::new(), ManualClock::new());
    let credential = builder(&service).clock(clock.clone()).build().unwrap();
    let start = clock.now();
    for round in 1..4 {
        assert_eq!(number(&credential, &graph()).await, round);
        assert_eq!(number(&credential, &graph()).await, round);
        clock.advance(HOUR);
        clock.set_wall_clock(start);
    }
}

#[tokio::test]
async fn expired_token_is_not_served_after_a_suspend_or_a_clock_change() {
    let (service, clock) = (Service::new(), ManualClock::new());
    let credential = builder(&service).clock(clock.clone()).build().unwrap();
    assert_eq!(number(&credential, &graph()).await, 1);
    assert_eq!(number(&credential, &graph()).await, 1);
    set_ahead(&clock, DAY);
    let token = credential.token(&graph()).await.unwrap();
    assert_eq!(decode(&token).0, 2);
    assert!(token.expires_on() > clock.now());
    assert_eq!(number(&credential, &graph()).await, 2);
}

#[tokio::test]
async fn remaining_lifetime_is_measured_by_both_clocks() {
    let (service, clock) = (Service::new(), ManualClock::new());
    let credential = builder(&service).clock(clock.clone()).build().unwrap();
    let lasting = graph().with_min_validity(Duration::from_secs(3000));
    assert_eq!(number(&credential, &graph()).await, 1);
    assert_eq!(number(&credential, &lasting).await, 1);
    clock.advance(Duration::from_secs(601));
    set_back(&clock, DAY);
    assert_eq!(number(&credential, &lasting).await, 2);
}

#[tokio::test]
async fn fallback_token_is_served_until_it_expires() {
    let (service, clock) = (Service::new(), ManualClock::new());
    let once = builder(&service).retry_policy(RetryPolicy::once());
    let credential = once.clock(clock.clone()).build().unwrap();
    assert_eq!(number(&credential, &graph()).await, 1);
    service.fail(true);
    set_back(&clock, DAY);
    clock.advance(HOUR - SECOND);
    assert_eq!(number(&credential, &graph()).await, 1);
    clock.advance(SECOND);
    credential.token(&graph()).await.unwrap_err();
}

#[tokio::test]
async fn failed_refresh_is_repeated_after_its_pause_by_the_monotonic_clock() {
    let (service, clock) = (Service::new(), ManualClock::new());
    let once = builder(&service).retry_policy(RetryPolicy::once());
    let credential = once.clock(clock.clone()).build().unwrap();
    number(&credential, &graph()).await;
    service.fail(true);
    clock.advance(STALE);
    assert_eq!(number(&credential, &graph()).await, 1);
    let tried = service.count();
    set_back(&clock, DAY);
    clock.advance(Duration::from_secs(29));
    assert_eq!(number(&credential, &graph()).await, 1);
    settle().await;
    assert_eq!(service.count(), tried);
    clock.advance(SECOND);
    assert_eq!(number(&credential, &graph()).await, 1);
    settle().await;
    assert_eq!(service.count(), tried + 1);
}

#[tokio::test]
async fn a_stored_token_from_the_future_is_not_used_and_is_replaced() {
    let shelf = Shelf::new();
    let service = Service::new();
    let replica = |clock: &ManualClock| {
        let cache = TokenCache::builder().store(Arc::clone(&shelf)).build();
        let builder = builder(&service).cache(&cache);
        builder.clock(clock.clone()).build().unwrap()
    };
    let right = ManualClock::new();
    let ahead = |by: Duration| ManualClock::at(right.now() + by);
    // Within the skew that is allowed it is as good as any.
    let skewed = ahead(Duration::from_secs(300));
    assert_eq!(number(&replica(&skewed), &graph()).await, 1);
    assert_eq!(number(&replica(&right), &graph()).await, 1);

    shelf.entries.lock().unwrap().clear();
    assert_eq!(number(&replica(&ahead(DAY)), &graph()).await, 2);
    assert_eq!(number(&replica(&right), &graph()).await, 3);
    assert_eq!(
        number(&replica(&right), &graph()).await,
        3,
        "it was replaced"
    );
}

#[tokio::test]
async fn stored_token_is_used_for_the_lifetime_its_reader_measures() {
    let (shelf, service) = (Shelf::new(), Service::new());
    let clock = ManualClock::new();
    let replica = || {
        let cache = TokenCache::builder().store(Arc::clone(&shelf)).build();
        let builder = builder(&service).cache(&cache);
        builder.clock(clock.clone()).build().unwrap()
    };
    number(&replica(), &graph()).await;
    clock.advance(HOUR / 2);
    let reader = replica();
    assert_eq!(number(&reader, &graph()).await, 1);
    set_back(&clock, DAY);
    clock.advance(STALE - HOUR / 2);
    assert_eq!(number(&reader, &graph()).await, 2);
}

#[tokio::test]
async fn an_imported_token_from_the_future_is_not_used() {
    let service = Service::new();
    let clock = ManualClock::new();
    let cache = || {
        TokenCache::builder()
            .encryption_key(EncryptionKey::new([7; 32]))
            .build()
    };
    let with = |cache: &TokenCache| {
        let builder = builder(&service).cache(cache);
        builder.clock(clock.clone()).build().unwrap()
    };
    let (first, second) = (cache(), cache());
    set_ahead(&clock, DAY);
    number(&with(&first), &graph()).await;
    let partition = CachePartition::app(
        &Cloud::public(),
        CLIENT.parse().unwrap(),
        &TENANT.parse().unwrap(),
    );
    let bytes = first.export(&partition).unwrap().unwrap();
    second.import(&partition, &bytes).unwrap();
    set_back(&clock, DAY);
    assert_eq!(number(&with(&second), &graph()).await, 2);
    assert_eq!(number(&with(&second), &graph()).await, 2);
}

fn site(
    (tenant, app): (&FakeTenant, &App),
    clock: &ManualClock,
    cache: &TokenCache,
) -> AuthorizationCodeFlow {
    let proof = ClientAuthentication::secret(app.secret());
    AuthorizationCodeFlow::builder(tenant.id(), app.client_id(), proof)
        .redirect_uri("https://shop.example/callback")
        .scopes(["User.Read"])
        .cloud(tenant.cloud())
        .clock(clock.clone())
        .cache(cache)
        .build()
        .unwrap()
}

#[tokio::test]
async fn replicas_with_clocks_a_day_apart_lose_no_user() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let right = tenant.clock();
    let clocks = [
        ManualClock::at(right.now() + DAY),
        ManualClock::at(right.now() - DAY),
        right,
    ];
    let replica = |clock: &ManualClock| {
        let cache = TokenCache::builder().store(Arc::clone(&shelf)).build();
        site((&tenant, &app), clock, &cache)
    };
    let fresh = TokenRequest::new(["User.Read"]).with_force_refresh();
    for first in &clocks {
        let account = sign_in(&tenant, &replica(first), ADELE)
            .await
            .account()
            .clone();
        // Each of them, restarted, uses and replaces the token of the one before.
        for clock in clocks.iter().chain(clocks.iter().rev()) {
            let user = replica(clock).resume(&account).await.unwrap().unwrap();
            user.token(&fresh).await.unwrap();
            clock.advance(SECOND);
        }
        shelf.entries.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn a_user_whose_refresh_token_was_stored_by_a_clock_ahead_goes_on_with_the_newest() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let clock = ManualClock::at(tenant.clock().now() + DAY);
    let cache = TokenCache::builder().store(Arc::clone(&shelf)).build();
    let flow = site((&tenant, &app), &clock, &cache);
    let old = sign_in(&tenant, &flow, ADELE).await;
    let before = tenant.requests().to("/oauth2/v2.0/token").count();
    clock.set_wall_clock(tenant.clock().now());
    // The user signs in again at a right clock: no replica returns to the earlier token.
    let new = sign_in(&tenant, &flow, ADELE).await;
    let fresh = TokenRequest::new(["User.Read"]).with_force_refresh();
    for user in [&old, &new] {
        user.token(&fresh).await.unwrap();
        clock.advance(SECOND);
    }
    let cache = TokenCache::builder().store(Arc::clone(&shelf)).build();
    let other = site((&tenant, &app), &clock, &cache);
    let resumed = other.resume(new.account()).await.unwrap().unwrap();
    resumed.token(&fresh).await.unwrap();
    assert_eq!(
        tenant.requests().to("/oauth2/v2.0/token").count(),
        before + 4
    );
}

#[tokio::test]
async fn a_sign_in_that_was_started_by_a_clock_ahead_is_not_finished_later() {
    let (tenant, app) = shop().await;
    let clock = ManualClock::at(tenant.clock().now() + DAY);
    let flow = site((&tenant, &app), &clock, &TokenCache::new());
    let start = || flow.start(&StartOptions::default()).unwrap();
    let (url, state) = start();
    let back = tenant.sign_in_at(url.as_str(), ADELE);
    set_back(&clock, DAY);
    let error = flow.finish(state, back.address()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InteractionRequired, "{error}");

    let (url, state) = start();
    let back = tenant.sign_in_at(url.as_str(), ADELE);
    set_back(&clock, Duration::from_secs(300));
    flow.finish(state, back.address()).await.unwrap();
}

#[tokio::test]
async fn discovery_document_is_requested_again_after_a_day_by_either_clock() {
    const ISSUER: &str = "https://id.example/base";
    let document = format!(r#"{{"issuer":"{ISSUER}","token_endpoint":"https://id.example/t"}}"#);
    let script = (0..3).fold(ScriptedTransport::new(), |script, _| {
        script.then(200, &[], document.clone())
    });
    let clock = ManualClock::new();
    let discovery = Discovery::builder()
        .transport(script.clone())
        .clock(clock.clone())
        .build()
        .unwrap();
    let requested = async || {
        discovery.openid_provider(ISSUER).await.unwrap();
        script.requests().len()
    };
    set_ahead(&clock, DAY);
    assert_eq!(requested().await, 1);
    set_back(&clock, DAY);
    clock.advance(DAY - SECOND);
    assert_eq!(requested().await, 1);
    clock.advance(SECOND);
    assert_eq!(requested().await, 2);
    set_ahead(&clock, DAY);
    assert_eq!(requested().await, 3);
}

#[tokio::test]
async fn tokens_that_have_expired_leave_the_memory_when_others_come() {
    let (service, clock) = (Service::new(), ManualClock::new());
    let cache = TokenCache::with_capacity(100);
    let builder = builder(&service).cache(&cache);
    let credential = builder.clock(clock.clone()).build().unwrap();
    let scope = |number: u32| TokenRequest::new([format!("api-{number}/.default")]);
    for number in 0..50 {
        credential.token(&scope(number)).await.unwrap();
    }
    set_back(&clock, DAY);
    clock.advance(HOUR - SECOND);
    credential.token(&scope(50)).await.unwrap();
    assert_eq!(cache.len(), 51);
    clock.advance(SECOND);
    credential.token(&scope(51)).await.unwrap();
    assert_eq!(cache.len(), 2);
}

#[tokio::test]
async fn long_running_session_expires_after_90_idle_days() {
    let clock = ManualClock::new();
    let proof = ClientAuthentication::secret("s3cr3t");
    let builder = OnBehalfOf::builder(TENANT, CLIENT, proof);
    let api = builder.clock(clock.clone()).build().unwrap();
    for key in ["idle", "busy"] {
        drop(api.start_long_running(key, "caller"));
    }
    for _ in 0..90 {
        assert!(api.long_running("busy").is_some());
        clock.advance(DAY);
    }
    assert!(api.long_running("busy").is_some());
    assert!(api.long_running("idle").is_none());
    assert!(!api.end_long_running("never"));
}
