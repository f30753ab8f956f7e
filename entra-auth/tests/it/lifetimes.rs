//! When a token is used, replaced and given up.

use std::time::Duration;

use entra_core::{
    Clock, CredentialErrorKind, ManualClock, RetryPolicy, SeededRandom, TokenCredential,
    TokenRequest,
};

use crate::support::{
    SCOPE, Service, TENANT, builder, decode, detail, graph, number, poll_once, settle,
};

const LONG: &str = r#","expires_in":86400,"refresh_in":43200"#;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test]
async fn token_is_served_until_five_minutes_before_it_expires() {
    let (service, clock) = (Service::new(), ManualClock::new());
    let credential = builder(&service).clock(clock.clone()).build().unwrap();
    let start = clock.now();
    let token = credential.token(&graph()).await.unwrap();
    assert_eq!(token.expires_on(), start + seconds(3600));
    assert_eq!(token.refresh_on(), None);
    clock.advance(seconds(3299));
    assert_eq!(number(&credential, &graph()).await, 1);
    clock.advance(seconds(1));
    assert_eq!(number(&credential, &graph()).await, 2);
}

#[tokio::test]
async fn replicas_started_together_refresh_at_different_times() {
    let (service, clock) = (Service::responding(LONG), ManualClock::new());
    let refresh_on = async |seed: u64| {
        let random = SeededRandom::new(seed);
        let builder = builder(&service).clock(clock.clone()).random(random);
        let token = builder.build().unwrap().token(&graph()).await.unwrap();
        token.refresh_on().unwrap() - clock.now()
    };
    let mut moments = std::collections::HashSet::new();
    for seed in 0..20 {
        let moment = refresh_on(seed).await;
        assert!((seconds(43_200)..seconds(43_500)).contains(&moment.unsigned_abs()));
        assert_eq!(refresh_on(seed).await, moment, "by the random source alone");
        moments.insert(moment.whole_seconds());
    }
    assert!(moments.len() > 15, "{moments:?}");
}

#[tokio::test]
async fn after_refresh_in_one_background_request_refreshes_the_token() {
    let (service, clock) = (Service::responding(LONG), ManualClock::new());
    let credential = builder(&service).clock(clock.clone()).build().unwrap();
    assert_eq!(number(&credential, &graph()).await, 1);
    clock.advance(seconds(43_199));
    assert_eq!(number(&credential, &graph()).await, 1);
    settle().await;
    assert_eq!(service.count(), 1);

    // Up to five minutes later, by chance.
    clock.advance(seconds(301));
    service.close();
    for _ in 0..20 {
        let request = graph();
        let mut call = credential.token(&request);
        let token = poll_once(&mut call).await.expect("served at once").unwrap();
        assert_eq!(decode(&token).0, 1);
    }
    settle().await;
    assert_eq!(service.count(), 2, "one at a time");
    service.open();
    settle().await;
    assert_eq!(number(&credential, &graph()).await, 2);
    settle().await;
    assert_eq!(service.count(), 2);
}

#[tokio::test]
async fn failed_early_refresh_is_one_attempt_followed_by_a_pause() {
    let (service, clock) = (Service::responding(LONG), ManualClock::new());
    let credential = builder(&service).clock(clock.clone()).build().unwrap();
    number(&credential, &graph()).await;
    service.fail(true);
    clock.advance(seconds(43_500));
    let before = clock.now();
    for _ in 0..5 {
        assert_eq!(number(&credential, &graph()).await, 1);
        settle().await;
    }
    assert_eq!(service.count(), 2);
    assert_eq!(
        clock.now(),
        before,
        "a try in the background does not wait on the clock"
    );
    clock.advance(seconds(30));
    number(&credential, &graph()).await;
    settle().await;
    assert_eq!(service.count(), 3);
    service.fail(false);
    clock.advance(seconds(30));
    number(&credential, &graph()).await;
    settle().await;
    assert_eq!(number(&credential, &graph()).await, 4);
}

#[tokio::test]
async fn a_valid_token_is_served_when_its_replacement_fails() {
    let (service, clock) = (Service::new(), ManualClock::new());
    let credential = builder(&service).clock(clock.clone()).build().unwrap();
    number(&credential, &graph()).await;
    service.fail(true);
    clock.advance(seconds(3400));
    assert_eq!(number(&credential, &graph()).await, 1);
    assert_eq!(
        service.count(),
        2,
        "one try, since there is something to fall back to"
    );
    assert_eq!(number(&credential, &graph()).await, 1);
    assert_eq!(service.count(), 2, "and a rest");
    clock.advance(seconds(200));
    let error = credential.token(&graph()).await.unwrap_err();
    assert!(
        error.is_transient(),
        "at its end the token is given up: {error:?}"
    );
    assert_eq!(detail(&error).status(), Some(503));
    assert_eq!(service.count(), 6, "now with all tries");
}

#[tokio::test]
async fn fallback_token_is_not_served_to_a_caller_with_a_longer_min_validity() {
    let (service, clock) = (Service::new(), ManualClock::new());
    let credential = builder(&service)
        .clock(clock.clone())
        .retry_policy(RetryPolicy::for_tokens().with_max_attempts(2))
        .build()
        .unwrap();
    number(&credential, &graph()).await;
    service.fail(true);
    service.close();
    clock.advance(seconds(3400));
    let (easy, strict) = (graph(), graph().with_min_validity(seconds(1800)));
    let mut easy = credential.token(&easy);
    let mut strict = credential.token(&strict);
    assert!(poll_once(&mut easy).await.is_none());
    assert!(poll_once(&mut strict).await.is_none());
    service.open();
    assert_eq!(decode(&easy.await.unwrap()).0, 1);
    strict.await.unwrap_err();
    assert_eq!(service.count(), 1 + 1 + 2, "a single try, then a real one");
}

#[tokio::test]
async fn min_validity_replaces_the_five_minute_margin() {
    let (service, clock) = (Service::new(), ManualClock::new());
    let credential = builder(&service).clock(clock.clone()).build().unwrap();
    number(&credential, &graph()).await;
    clock.advance(seconds(1000));
    let wanting = |time| graph().with_min_validity(seconds(time));
    assert_eq!(number(&credential, &wanting(2600)).await, 1);
    assert_eq!(number(&credential, &wanting(2601)).await, 2);
    assert_eq!(number(&credential, &graph()).await, 2);
    clock.advance(seconds(3595));
    assert_eq!(
        number(&credential, &wanting(5)).await,
        2,
        "less than the margin will do"
    );
    assert_eq!(number(&credential, &wanting(6)).await, 3);
}

#[tokio::test]
async fn min_validity_beyond_the_token_lifetime_is_an_error() {
    let (service, clock) = (Service::new(), ManualClock::new());
    let credential = builder(&service).clock(clock).build().unwrap();
    let error = credential
        .token(&graph().with_min_validity(seconds(7200)))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), CredentialErrorKind::Configuration);
    let text = detail(&error).to_string();
    assert!(text.contains("3600 s") && text.contains("7200 s"), "{text}");
    assert_eq!(service.count(), 1);
}

#[tokio::test]
async fn force_refresh_replaces_the_cached_token_for_all_callers() {
    let service = Service::new();
    let credential = builder(&service).build().unwrap();
    assert_eq!(number(&credential, &graph()).await, 1);
    assert_eq!(number(&credential, &graph().with_force_refresh()).await, 2);
    assert_eq!(number(&credential, &graph()).await, 2);
}

#[tokio::test]
async fn a_failed_forced_refresh_is_an_error_and_leaves_the_old_token() {
    let service = Service::new();
    let credential = builder(&service).clock(ManualClock::new()).build().unwrap();
    number(&credential, &graph()).await;
    service.fail(true);
    credential
        .token(&graph().with_force_refresh())
        .await
        .unwrap_err();
    assert_eq!(number(&credential, &graph()).await, 1);
}

#[tokio::test]
async fn claims_bypass_the_cache_and_remove_the_challenged_token() {
    let service = Service::new();
    let credential = builder(&service).build().unwrap();
    let claims = r#"{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}"#;
    let challenged = graph().with_claims(claims);
    assert_eq!(number(&credential, &graph()).await, 1);
    let token = credential.token(&challenged).await.unwrap();
    assert_eq!(decode(&token).0, 2);
    assert!(decode(&token).1.contains(&format!("claims={claims}")));
    assert_eq!(
        number(&credential, &challenged).await,
        3,
        "no cached token satisfies a challenge"
    );
    let plain = credential.token(&graph()).await.unwrap();
    assert_eq!(decode(&plain).0, 4, "a challenged token is requested again");
    assert!(!decode(&plain).1.contains("claims="));
    assert_eq!(number(&credential, &graph()).await, 4);
}

#[tokio::test]
async fn short_lived_token_is_used_for_half_of_its_lifetime() {
    let (service, clock) = (
        Service::responding(r#","expires_in":"120""#),
        ManualClock::new(),
    );
    let credential = builder(&service).clock(clock.clone()).build().unwrap();
    assert_eq!(number(&credential, &graph()).await, 1);
    clock.advance(seconds(59));
    assert_eq!(number(&credential, &graph()).await, 1);
    clock.advance(seconds(1));
    assert_eq!(number(&credential, &graph()).await, 2);
}

#[tokio::test]
async fn scopes_in_any_order_and_grouping_find_the_same_token() {
    let service = Service::new();
    let credential = builder(&service).build().unwrap();
    let one = TokenRequest::new(["b", "a"]);
    assert_eq!(number(&credential, &one).await, 1);
    assert_eq!(number(&credential, &TokenRequest::new(["a b"])).await, 1);
    assert_eq!(number(&credential, &TokenRequest::new(["a"])).await, 2);
}

#[tokio::test]
async fn token_request_has_the_documented_form() {
    let service = Service::new();
    let credential = builder(&service).build().unwrap();
    credential.token(&graph()).await.unwrap();
    assert_eq!(
        service.requested(),
        [format!(
            "login.microsoftonline.com/{TENANT}/oauth2/v2.0/token?client_id={};scope={SCOPE};",
            crate::support::CLIENT
        )]
    );
}
