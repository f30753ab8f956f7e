//! Signing keys: when they are fetched, how often, and what happens when they cannot be.

use std::{
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use entra_auth::{
    TokenValidator,
    validate::{SigningKeys, TokenValidationError, TokenValidationErrorKind, ValidatedToken},
};
use entra_core::{Clock, ManualClock};
use entra_mock::FakeTenant;
use serde_json::{Value, json};

use crate::{
    canary::listen,
    support::{CLIENT, TENANT, poll_once, settle},
    validate_support::{FOREIGN, OURS, SignIn, but, clock, id_token, on, people, person_token},
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// A validator for ID tokens that never expire before the test ends, its service and its clock.
fn set_up() -> (TokenValidator, Arc<SignIn>, ManualClock) {
    let (service, clock) = (SignIn::new(), clock());
    let builder = TokenValidator::id_tokens(TENANT, CLIENT);
    let validator = on(builder, &service, &clock).build().unwrap();
    (validator, service, clock)
}

fn lasting() -> Value {
    but(id_token(), json!({ "exp": 3_000_000_000_i64 }))
}

async fn ours(validator: &TokenValidator) -> Result<ValidatedToken, TokenValidationError> {
    validator.validate(&OURS.token(&lasting())).await
}

async fn foreign(validator: &TokenValidator) -> Result<ValidatedToken, TokenValidationError> {
    validator.validate(&FOREIGN.token(&lasting())).await
}

#[tokio::test]
async fn nothing_is_sent_before_the_first_token_and_once_for_all_after_it() {
    let (validator, service, _) = set_up();
    service.open(false);
    assert_eq!(service.fetches(), 0);
    let token = OURS.token(&lasting());
    let waiting: Vec<_> = (0..1000)
        .map(|_| {
            let (validator, token) = (validator.clone(), token.clone());
            tokio::spawn(async move { validator.validate(&token).await })
        })
        .collect();
    settle().await;
    service.open(true);
    for caller in waiting {
        caller.await.unwrap().unwrap();
    }
    assert_eq!(
        service.asked(),
        [
            format!(
                "https://login.microsoftonline.com/{TENANT}/v2.0/.well-known/openid-configuration"
            ),
            format!("https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys"),
        ]
    );
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_take_the_fetch_along() {
    let (validator, service, _) = set_up();
    service.open(false);
    let token = OURS.token(&lasting());
    for _ in 0..20 {
        let mut caller = Box::pin(validator.validate(&token));
        assert!(poll_once(&mut caller).await.is_none());
        settle().await;
    }
    service.open(true);
    ours(&validator).await.unwrap();
    assert_eq!(service.fetches(), 1);
}

#[tokio::test]
async fn a_first_fetch_that_fails_is_shared_and_then_forgotten() {
    let (validator, service, _) = set_up();
    service.fail(true);
    service.open(false);
    let token = OURS.token(&lasting());
    let waiting: Vec<_> = (0..100)
        .map(|_| {
            let (validator, token) = (validator.clone(), token.clone());
            tokio::spawn(async move { validator.validate(&token).await })
        })
        .collect();
    settle().await;
    service.open(true);
    for caller in waiting {
        let refused = caller.await.unwrap().unwrap_err();
        assert_eq!(refused.kind(), TokenValidationErrorKind::KeysUnavailable);
        assert_eq!(refused.http_status(), 503);
        assert_eq!(
            (refused.bearer_error(), refused.www_authenticate()),
            (None, None)
        );
        assert!(refused.is_transient());
        let source = std::error::Error::source(&refused).unwrap();
        assert!(!refused.to_string().contains(&source.to_string()));
    }
    assert_eq!(service.fetches(), 1);
    service.fail(false);
    ours(&validator).await.unwrap();
    assert_eq!(service.fetches(), 2);
}

#[tokio::test]
async fn unknown_keys_cause_one_fetch_in_five_minutes_however_many_come() {
    let (validator, service, clock) = set_up();
    ours(&validator).await.unwrap();
    for round in 0..3 {
        for number in 0..200 {
            let header = json!({ "alg": "RS256", "kid": format!("made-up-{round}-{number}") });
            let token = FOREIGN.token_with(&header, &lasting());
            let refused = validator.validate(&token).await.unwrap_err();
            assert_eq!(refused.kind(), TokenValidationErrorKind::UnknownKey);
        }
        assert_eq!(service.fetches(), 2 + round);
        clock.advance(5 * MINUTE - Duration::from_secs(1));
        foreign(&validator).await.unwrap_err();
        assert_eq!(
            service.fetches(),
            2 + round,
            "not before five minutes have passed"
        );
        clock.advance(Duration::from_secs(1));
    }
    ours(&validator).await.unwrap();
}

#[tokio::test]
async fn many_at_once_with_unknown_keys_share_one_fetch_and_hold_nobody_up() {
    let (validator, service, _) = set_up();
    ours(&validator).await.unwrap();
    service.open(false);
    let token = FOREIGN.token(&lasting());
    let flood: Vec<_> = (0..500)
        .map(|_| {
            let (validator, token) = (validator.clone(), token.clone());
            tokio::spawn(async move { validator.validate(&token).await })
        })
        .collect();
    settle().await;
    // Who has a good token does not wait for those who have none.
    ours(&validator).await.unwrap();
    service.open(true);
    for caller in flood {
        let refused = caller.await.unwrap().unwrap_err();
        assert_eq!(refused.kind(), TokenValidationErrorKind::UnknownKey);
    }
    assert_eq!(service.fetches(), 2);
}

#[tokio::test]
async fn a_new_key_is_found_at_its_first_token() {
    let (validator, service, clock) = set_up();
    ours(&validator).await.unwrap();
    service.publish([OURS.jwk(), FOREIGN.jwk()]);
    foreign(&validator).await.unwrap();
    ours(&validator).await.unwrap();
    assert_eq!(service.fetches(), 2);
    // What left the set is not taken any more once the set is renewed.
    service.publish([FOREIGN.jwk()]);
    ours(&validator).await.unwrap();
    clock.advance(12 * HOUR);
    foreign(&validator).await.unwrap();
    let refused = ours(&validator).await.unwrap_err();
    assert_eq!(refused.kind(), TokenValidationErrorKind::UnknownKey);
}

#[tokio::test]
async fn keys_are_kept_twelve_hours_and_renewed_ahead_without_anyone_waiting() {
    let (validator, service, clock) = set_up();
    ours(&validator).await.unwrap();
    clock.advance(11 * HOUR - MINUTE);
    ours(&validator).await.unwrap();
    settle().await;
    assert_eq!(service.fetches(), 1);
    clock.advance(MINUTE);
    service.open(false);
    for _ in 0..10 {
        ours(&validator).await.unwrap();
        settle().await;
    }
    assert_eq!(service.fetches(), 2);
    service.open(true);
    settle().await;
    clock.advance(11 * HOUR - MINUTE);
    ours(&validator).await.unwrap();
    settle().await;
    assert_eq!(service.fetches(), 2, "the renewed ones are as good as new");
}

#[tokio::test]
async fn after_twelve_hours_without_a_token_the_next_one_waits_for_new_keys() {
    let (validator, service, clock) = set_up();
    ours(&validator).await.unwrap();
    clock.advance(12 * HOUR);
    service.publish([FOREIGN.jwk()]);
    let refused = ours(&validator).await.unwrap_err();
    assert_eq!(
        refused.kind(),
        TokenValidationErrorKind::UnknownKey,
        "revoked in the meantime"
    );
    foreign(&validator).await.unwrap();
}

#[tokio::test]
async fn the_last_known_keys_do_while_new_ones_cannot_be_had() {
    let (validator, service, clock) = set_up();
    ours(&validator).await.unwrap();
    service.fail(true);
    clock.advance(13 * HOUR);
    for _ in 0..10 {
        ours(&validator).await.unwrap();
        settle().await;
    }
    assert_eq!(service.fetches(), 2);
    // Nobody waits for the tries that follow, and there are few.
    service.open(false);
    for _ in 0..4 {
        clock.advance(5 * MINUTE);
        ours(&validator).await.unwrap();
        ours(&validator).await.unwrap();
        settle().await;
    }
    assert_eq!(
        service.fetches(),
        3,
        "the one that hangs is still under way"
    );
    service.open(true);
    settle().await;
    service.fail(false);
    clock.advance(5 * MINUTE);
    ours(&validator).await.unwrap();
    settle().await;
    assert_eq!(service.fetches(), 4);
    ours(&validator).await.unwrap();
    settle().await;
    assert_eq!(service.fetches(), 4);
}

#[tokio::test]
async fn the_last_known_keys_are_used_for_a_day_and_every_failure_is_logged_as_an_error() {
    let (log, _guard) = listen();
    let (validator, service, clock) = set_up();
    let errors = || log.text().matches("ERROR").count();
    ours(&validator).await.unwrap();
    service.fail(true);
    clock.advance(11 * HOUR);
    ours(&validator).await.unwrap();
    settle().await;
    assert_eq!(errors(), 1, "{}", log.text());
    let said = "could not be renewed; the last known ones are used for another 46800 s";
    assert!(log.text().contains(said), "{}", log.text());
    clock.advance(13 * HOUR - MINUTE);
    ours(&validator).await.unwrap();
    settle().await;
    assert_eq!(errors(), 2);
    clock.advance(MINUTE);
    for _ in 0..3 {
        let refused = ours(&validator).await.unwrap_err();
        assert_eq!(refused.kind(), TokenValidationErrorKind::KeysUnavailable);
    }
    assert!(log.text().contains("tokens cannot be validated"));
    service.fail(false);
    ours(&validator).await.unwrap();
}

#[tokio::test]
async fn how_long_the_last_known_keys_are_used_can_be_set() {
    for (hours, lifetime) in [(48, 48), (12, 0), (13, 13)] {
        let (service, clock) = (SignIn::new(), clock());
        let keys = SigningKeys::new().last_known_good_lifetime(lifetime * HOUR);
        let builder = TokenValidator::id_tokens(TENANT, CLIENT);
        let builder = on(builder, &service, &clock).keys(&keys);
        let validator = builder.build().unwrap();
        ours(&validator).await.unwrap();
        service.fail(true);
        clock.advance(hours * HOUR - MINUTE);
        ours(&validator).await.unwrap();
        settle().await;
        clock.advance(MINUTE);
        let refused = ours(&validator).await.unwrap_err();
        assert_eq!(
            refused.kind(),
            TokenValidationErrorKind::KeysUnavailable,
            "{hours}"
        );
    }
}

#[tokio::test]
async fn keys_age_by_either_clock_and_a_clock_that_was_ahead_keeps_no_withdrawn_key() {
    let (validator, service, clock) = set_up();
    let (now, day) = (clock.now(), 24 * HOUR);
    clock.set_wall_clock(now + day);
    ours(&validator).await.unwrap();
    clock.set_wall_clock(now);
    service.publish([FOREIGN.jwk()]);
    clock.advance(12 * HOUR);
    let refused = ours(&validator).await.unwrap_err();
    assert_eq!(refused.kind(), TokenValidationErrorKind::UnknownKey);
    assert_eq!(
        service.fetches(),
        3,
        "renewed, and once for the unknown key"
    );
    // As after a day of sleep.
    service.publish([OURS.jwk()]);
    clock.set_wall_clock(now + day + day);
    ours(&validator).await.unwrap();
    assert_eq!(service.fetches(), 4);
    // The pause after an unknown key is a wait, which no set clock makes longer or shorter.
    for wall in [now - day, now + 10 * MINUTE] {
        clock.set_wall_clock(wall);
        foreign(&validator).await.unwrap_err();
        assert_eq!(service.fetches(), 4);
    }
    clock.advance(5 * MINUTE);
    foreign(&validator).await.unwrap_err();
    assert_eq!(service.fetches(), 5);
}

#[tokio::test]
async fn an_unknown_key_may_be_new_while_nobody_can_tell() {
    let (validator, service, clock) = set_up();
    ours(&validator).await.unwrap();
    service.fail(true);
    for _ in 0..100 {
        let refused = foreign(&validator).await.unwrap_err();
        assert_eq!(refused.kind(), TokenValidationErrorKind::KeysUnavailable);
    }
    assert_eq!(service.fetches(), 2);
    ours(&validator).await.unwrap();
    service.fail(false);
    service.publish([OURS.jwk(), FOREIGN.jwk()]);
    clock.advance(5 * MINUTE);
    foreign(&validator).await.unwrap();
}

#[tokio::test]
async fn keys_that_sign_no_tokens_are_passed_over() {
    let with = |changes: Value| but(OURS.jwk(), changes);
    for jwk in [
        with(json!({ "use": "enc" })),
        with(json!({ "kty": "EC" })),
        with(json!({ "kty": null })),
        with(json!({ "alg": "RS512" })),
        with(json!({ "alg": "HS256" })),
        with(json!({ "key_ops": ["encrypt"] })),
        with(json!({ "n": "AQAB" })),
        with(json!({ "n": "not base64!" })),
        with(json!({ "e": "" })),
        with(json!({ "issuer": "no issuer" })),
        json!("key"),
    ] {
        let service = SignIn::with_keys([jwk.clone(), FOREIGN.jwk()]);
        let validator = people(&service);
        let refused = ours(&validator).await.unwrap_err();
        assert_eq!(
            refused.kind(),
            TokenValidationErrorKind::UnknownKey,
            "{jwk}"
        );
        foreign(&validator).await.unwrap();
        // A set without any key is no set, and is not remembered.
        service.publish([jwk]);
        let validator = people(&service);
        let refused = ours(&validator).await.unwrap_err();
        assert_eq!(refused.kind(), TokenValidationErrorKind::KeysUnavailable);
        service.publish([OURS.jwk()]);
        ours(&validator).await.unwrap();
    }
    for jwk in [
        with(json!({ "use": null })),
        with(json!({ "alg": "RS256", "key_ops": ["verify"] })),
        with(json!({ "n": format!("AAAA{}", OURS.jwk()["n"].as_str().unwrap()) })),
    ] {
        let validator = people(&SignIn::with_keys([jwk.clone()]));
        ours(&validator)
            .await
            .map_err(|refused| format!("{refused:?} {jwk}"))
            .unwrap();
    }
}

#[tokio::test]
async fn metadata_of_another_issuer_or_over_an_open_line_is_not_used() {
    let place =
        format!("https://login.microsoftonline.com/{TENANT}/v2.0/.well-known/openid-configuration");
    let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let keys = format!("https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys");
    for body in [
        json!({ "issuer": issuer.replace('1', "9"), "jwks_uri": keys }),
        json!({ "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0", "jwks_uri": keys }),
        json!({ "issuer": "https://evil.example/", "jwks_uri": keys }),
        json!({ "issuer": issuer, "jwks_uri": keys.replace("https", "http") }),
        json!({ "issuer": issuer, "jwks_uri": "keys" }),
        json!({ "issuer": issuer }),
        json!([]),
    ] {
        let service = SignIn::new();
        service.answer(&place, &body);
        let refused = ours(&people(&service)).await.unwrap_err();
        assert_eq!(
            refused.kind(),
            TokenValidationErrorKind::KeysUnavailable,
            "{body}"
        );
        assert!(!refused.fix().is_empty());
        assert!(
            service
                .asked()
                .iter()
                .all(|asked| asked.starts_with("https://"))
        );
    }
    // Metadata gone bad later does not take the good keys away.
    let (validator, service, clock) = set_up();
    ours(&validator).await.unwrap();
    service.answer(&place, &"<html>");
    clock.advance(12 * HOUR);
    ours(&validator).await.unwrap();
}

#[tokio::test]
async fn validators_can_share_their_keys() {
    let (service, clock, keys) = (SignIn::new(), clock(), SigningKeys::new());
    let people = on(TokenValidator::id_tokens(TENANT, CLIENT), &service, &clock);
    let callers = on(
        TokenValidator::access_tokens(TENANT, [CLIENT]),
        &service,
        &clock,
    );
    let people = people.keys(&keys).build().unwrap();
    let callers = callers.keys(&keys).build().unwrap();
    ours(&people).await.unwrap();
    callers
        .validate(&OURS.token(&person_token()))
        .await
        .unwrap();
    assert_eq!(service.fetches(), 1);
    let apart = on(TokenValidator::id_tokens(TENANT, CLIENT), &service, &clock);
    ours(&apart.build().unwrap()).await.unwrap();
    assert_eq!(service.fetches(), 2);
    assert!(format!("{keys:?}").contains("sources: 2"), "{keys:?}");
}

#[tokio::test]
async fn keys_in_use_stay_while_those_of_dropped_validators_make_room() {
    let (service, clock, keys) = (SignIn::new(), clock(), SigningKeys::new());
    let validator = |tenant: &str| {
        let builder = TokenValidator::id_tokens(tenant, CLIENT);
        on(builder, &service, &clock).keys(&keys).build().unwrap()
    };
    let kept = validator(TENANT);
    ours(&kept).await.unwrap();
    for number in 0..2_000 {
        drop(validator(&format!("00000000-0000-4000-8000-{number:012}")));
    }
    assert!(format!("{keys:?}").contains("sources: 1000"), "{keys:?}");
    ours(&validator(TENANT)).await.unwrap();
    assert_eq!(service.fetches(), 1, "the keys of the first one");
}

#[test]
fn keys_can_be_fetched_without_a_runtime() {
    let (validator, service, clock) = set_up();
    without_runtime(async {
        service.open(false);
        let token = OURS.token(&lasting());
        // A caller that is dropped takes its fetch along here; the next one makes its own.
        let mut caller = Box::pin(validator.validate(&token));
        assert!(poll_once(&mut caller).await.is_none());
        drop(caller);
        service.open(true);
        ours(&validator).await.unwrap();
        clock.advance(11 * HOUR);
        ours(&validator).await.unwrap();
        assert_eq!(service.fetches(), 3);
        ours(&validator).await.unwrap();
        assert_eq!(service.fetches(), 3);
    });
}

#[test]
fn a_runtime_that_nobody_drives_holds_up_no_other() {
    let (validator, service, _) = set_up();
    service.open(false);
    let token = OURS.token(&lasting());
    let build = || tokio::runtime::Builder::new_current_thread();
    let still = build().enable_all().build().unwrap();
    still.block_on(async {
        assert!(
            poll_once(&mut Box::pin(validator.validate(&token)))
                .await
                .is_none()
        );
        settle().await;
    });
    service.open(true);
    // Its clock jumps ahead when nothing else can happen.
    let other = build().enable_all().start_paused(true).build().unwrap();
    other.block_on(async { ours(&validator).await.unwrap() });
    assert_eq!(service.fetches(), 2);
    drop(still);
    other.block_on(async { ours(&validator).await.unwrap() });
    assert_eq!(service.fetches(), 2);
}

#[tokio::test]
async fn a_transport_that_panics_fails_the_call_and_hangs_nobody() {
    let (validator, service, _) = set_up();
    service.panic(true);
    for _ in 0..2 {
        let refused = ours(&validator).await.unwrap_err();
        assert_eq!(refused.kind(), TokenValidationErrorKind::KeysUnavailable);
        assert!(refused.fix().contains("panic"));
    }
    service.panic(false);
    ours(&validator).await.unwrap();
}

#[tokio::test]
async fn the_fake_tenants_rollover_is_followed_without_a_gap() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Shop").with_secret();
    let fresh = || {
        TokenValidator::id_tokens(tenant.id(), app.client_id())
            .cloud(tenant.cloud())
            .clock(tenant.clock())
            .build()
            .unwrap()
    };
    let sign_in = || {
        let tokens = tenant.tokens_for(&app, "adele@contoso.com", ["openid"]);
        tokens.id_token().unwrap().expose_secret().to_owned()
    };
    let validator = fresh();
    let old = sign_in();
    validator.validate(&old).await.unwrap();
    tenant.publish_next_signing_key();
    validator.validate(&sign_in()).await.unwrap();
    tenant.switch_signing_key();
    let new = sign_in();
    for token in [&new, &old, &new] {
        validator.validate(token).await.unwrap();
    }
    tenant.requests().to("/keys").assert_count(2);
    tenant.retire_old_signing_keys();
    let validator = fresh();
    validator.validate(&new).await.unwrap();
    let refused = validator.validate(&old).await.unwrap_err();
    assert_eq!(refused.kind(), TokenValidationErrorKind::UnknownKey);
}

/// Polls until it is done; nothing here waits for anything outside.
fn without_runtime<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
