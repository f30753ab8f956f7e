//! Signing keys: when and how often they are fetched, and failed fetches.

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
    validate_support::{
        FOREIGN_KEY, SERVICE_KEY, SignIn, clock, id_token, id_token_validator, user_token,
        with_changes, with_service,
    },
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// A validator for ID tokens with a long lifetime, its service and its clock.
fn set_up() -> (TokenValidator, Arc<SignIn>, ManualClock) {
    let (service, clock) = (SignIn::new(), clock());
    let builder = TokenValidator::id_tokens(TENANT, CLIENT);
    let validator = with_service(builder, &service, &clock).build().unwrap();
    (validator, service, clock)
}

fn long_lived_id_token() -> Value {
    with_changes(id_token(), json!({ "exp": 3_000_000_000_i64 }))
}

async fn validate_published(
    validator: &TokenValidator,
) -> Result<ValidatedToken, TokenValidationError> {
    validator
        .validate(&SERVICE_KEY.token(&long_lived_id_token()))
        .await
}

async fn validate_foreign(
    validator: &TokenValidator,
) -> Result<ValidatedToken, TokenValidationError> {
    validator
        .validate(&FOREIGN_KEY.token(&long_lived_id_token()))
        .await
}

#[tokio::test]
async fn keys_are_fetched_once_at_the_first_token() {
    let (validator, service, _) = set_up();
    service.open(false);
    assert_eq!(service.fetches(), 0);
    let token = SERVICE_KEY.token(&long_lived_id_token());
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
        service.requested_urls(),
        [
            format!(
                "https://login.microsoftonline.com/{TENANT}/v2.0/.well-known/openid-configuration"
            ),
            format!("https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys"),
        ]
    );
}

#[tokio::test]
async fn a_dropped_caller_does_not_cancel_the_fetch() {
    let (validator, service, _) = set_up();
    service.open(false);
    let token = SERVICE_KEY.token(&long_lived_id_token());
    for _ in 0..20 {
        let mut caller = Box::pin(validator.validate(&token));
        assert!(poll_once(&mut caller).await.is_none());
        settle().await;
    }
    service.open(true);
    validate_published(&validator).await.unwrap();
    assert_eq!(service.fetches(), 1);
}

#[tokio::test]
async fn a_failed_first_fetch_is_shared_and_not_cached() {
    let (validator, service, _) = set_up();
    service.fail(true);
    service.open(false);
    let token = SERVICE_KEY.token(&long_lived_id_token());
    let waiting: Vec<_> = (0..100)
        .map(|_| {
            let (validator, token) = (validator.clone(), token.clone());
            tokio::spawn(async move { validator.validate(&token).await })
        })
        .collect();
    settle().await;
    service.open(true);
    for caller in waiting {
        let rejected = caller.await.unwrap().unwrap_err();
        assert_eq!(rejected.kind(), TokenValidationErrorKind::KeysUnavailable);
        assert_eq!(rejected.http_status(), 503);
        assert_eq!(
            (rejected.bearer_error(), rejected.www_authenticate()),
            (None, None)
        );
        assert!(rejected.is_transient());
        let source = std::error::Error::source(&rejected).unwrap();
        assert!(!rejected.to_string().contains(&source.to_string()));
    }
    assert_eq!(service.fetches(), 1);
    service.fail(false);
    validate_published(&validator).await.unwrap();
    assert_eq!(service.fetches(), 2);
}

#[tokio::test]
async fn unknown_keys_cause_one_fetch_in_five_minutes() {
    let (validator, service, clock) = set_up();
    validate_published(&validator).await.unwrap();
    for round in 0..3 {
        for number in 0..200 {
            let header = json!({ "alg": "RS256", "kid": format!("made-up-{round}-{number}") });
            let token = FOREIGN_KEY.token_with(&header, &long_lived_id_token());
            let rejected = validator.validate(&token).await.unwrap_err();
            assert_eq!(rejected.kind(), TokenValidationErrorKind::UnknownKey);
        }
        assert_eq!(service.fetches(), 2 + round);
        clock.advance(5 * MINUTE - Duration::from_secs(1));
        validate_foreign(&validator).await.unwrap_err();
        assert_eq!(
            service.fetches(),
            2 + round,
            "not before five minutes have passed"
        );
        clock.advance(Duration::from_secs(1));
    }
    validate_published(&validator).await.unwrap();
}

#[tokio::test]
async fn concurrent_tokens_with_unknown_keys_share_one_fetch() {
    let (validator, service, _) = set_up();
    validate_published(&validator).await.unwrap();
    service.open(false);
    let token = FOREIGN_KEY.token(&long_lived_id_token());
    let flood: Vec<_> = (0..500)
        .map(|_| {
            let (validator, token) = (validator.clone(), token.clone());
            tokio::spawn(async move { validator.validate(&token).await })
        })
        .collect();
    settle().await;
    // A valid token does not wait for the fetch of unknown keys.
    validate_published(&validator).await.unwrap();
    service.open(true);
    for caller in flood {
        let rejected = caller.await.unwrap().unwrap_err();
        assert_eq!(rejected.kind(), TokenValidationErrorKind::UnknownKey);
    }
    assert_eq!(service.fetches(), 2);
}

#[tokio::test]
async fn a_new_key_is_found_at_its_first_token() {
    let (validator, service, clock) = set_up();
    validate_published(&validator).await.unwrap();
    service.publish([SERVICE_KEY.jwk(), FOREIGN_KEY.jwk()]);
    validate_foreign(&validator).await.unwrap();
    validate_published(&validator).await.unwrap();
    assert_eq!(service.fetches(), 2);
    // A removed key is not accepted any more after a refresh.
    service.publish([FOREIGN_KEY.jwk()]);
    validate_published(&validator).await.unwrap();
    clock.advance(12 * HOUR);
    validate_foreign(&validator).await.unwrap();
    let rejected = validate_published(&validator).await.unwrap_err();
    assert_eq!(rejected.kind(), TokenValidationErrorKind::UnknownKey);
}

#[tokio::test]
async fn keys_are_cached_for_twelve_hours_and_refreshed_in_the_background() {
    let (validator, service, clock) = set_up();
    validate_published(&validator).await.unwrap();
    clock.advance(11 * HOUR - MINUTE);
    validate_published(&validator).await.unwrap();
    settle().await;
    assert_eq!(service.fetches(), 1);
    clock.advance(MINUTE);
    service.open(false);
    for _ in 0..10 {
        validate_published(&validator).await.unwrap();
        settle().await;
    }
    assert_eq!(service.fetches(), 2);
    service.open(true);
    settle().await;
    clock.advance(11 * HOUR - MINUTE);
    validate_published(&validator).await.unwrap();
    settle().await;
    assert_eq!(service.fetches(), 2, "the renewed ones are as good as new");
}

#[tokio::test]
async fn after_twelve_hours_without_a_token_the_next_one_waits_for_keys() {
    let (validator, service, clock) = set_up();
    validate_published(&validator).await.unwrap();
    clock.advance(12 * HOUR);
    service.publish([FOREIGN_KEY.jwk()]);
    let rejected = validate_published(&validator).await.unwrap_err();
    assert_eq!(
        rejected.kind(),
        TokenValidationErrorKind::UnknownKey,
        "revoked in the meantime"
    );
    validate_foreign(&validator).await.unwrap();
}

#[tokio::test]
async fn the_last_known_keys_are_used_while_new_ones_cannot_be_fetched() {
    let (validator, service, clock) = set_up();
    validate_published(&validator).await.unwrap();
    service.fail(true);
    clock.advance(13 * HOUR);
    for _ in 0..10 {
        validate_published(&validator).await.unwrap();
        settle().await;
    }
    assert_eq!(service.fetches(), 2);
    // No caller waits for the following attempts, and there are few.
    service.open(false);
    for _ in 0..4 {
        clock.advance(5 * MINUTE);
        validate_published(&validator).await.unwrap();
        validate_published(&validator).await.unwrap();
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
    validate_published(&validator).await.unwrap();
    settle().await;
    assert_eq!(service.fetches(), 4);
    validate_published(&validator).await.unwrap();
    settle().await;
    assert_eq!(service.fetches(), 4);
}

#[tokio::test]
async fn the_last_known_keys_are_used_for_a_day_and_every_failure_is_logged_as_an_error() {
    let (log, _guard) = listen();
    let (validator, service, clock) = set_up();
    let errors = || log.text().matches("ERROR").count();
    validate_published(&validator).await.unwrap();
    service.fail(true);
    clock.advance(11 * HOUR);
    validate_published(&validator).await.unwrap();
    settle().await;
    assert_eq!(errors(), 1, "{}", log.text());
    let message = "could not be refreshed; the last known keys are used for another 46800 s";
    assert!(log.text().contains(message), "{}", log.text());
    clock.advance(13 * HOUR - MINUTE);
    validate_published(&validator).await.unwrap();
    settle().await;
    assert_eq!(errors(), 2);
    clock.advance(MINUTE);
    for _ in 0..3 {
        let rejected = validate_published(&validator).await.unwrap_err();
        assert_eq!(rejected.kind(), TokenValidationErrorKind::KeysUnavailable);
    }
    assert!(log.text().contains("tokens cannot be validated"));
    service.fail(false);
    validate_published(&validator).await.unwrap();
}

#[tokio::test]
async fn the_lifetime_of_the_last_known_keys_can_be_set() {
    for (hours, lifetime) in [(48, 48), (12, 0), (13, 13)] {
        let (service, clock) = (SignIn::new(), clock());
        let keys = SigningKeys::new().last_known_good_lifetime(lifetime * HOUR);
        let builder = TokenValidator::id_tokens(TENANT, CLIENT);
        let builder = with_service(builder, &service, &clock).keys(&keys);
        let validator = builder.build().unwrap();
        validate_published(&validator).await.unwrap();
        service.fail(true);
        clock.advance(hours * HOUR - MINUTE);
        validate_published(&validator).await.unwrap();
        settle().await;
        clock.advance(MINUTE);
        let rejected = validate_published(&validator).await.unwrap_err();
        assert_eq!(
            rejected.kind(),
            TokenValidationErrorKind::KeysUnavailable,
            "{hours}"
        );
    }
}

#[tokio::test]
async fn keys_age_by_both_clocks() {
    let (validator, service, clock) = set_up();
    let (now, day) = (clock.now(), 24 * HOUR);
    clock.set_wall_clock(now + day);
    validate_published(&validator).await.unwrap();
    clock.set_wall_clock(now);
    service.publish([FOREIGN_KEY.jwk()]);
    clock.advance(12 * HOUR);
    let rejected = validate_published(&validator).await.unwrap_err();
    assert_eq!(rejected.kind(), TokenValidationErrorKind::UnknownKey);
    assert_eq!(
        service.fetches(),
        3,
        "renewed, and once for the unknown key"
    );
    // The machine slept for a day.
    service.publish([SERVICE_KEY.jwk()]);
    clock.set_wall_clock(now + day + day);
    validate_published(&validator).await.unwrap();
    assert_eq!(service.fetches(), 4);
    // The pause after an unknown key is measured by the monotonic clock.
    for wall in [now - day, now + 10 * MINUTE] {
        clock.set_wall_clock(wall);
        validate_foreign(&validator).await.unwrap_err();
        assert_eq!(service.fetches(), 4);
    }
    clock.advance(5 * MINUTE);
    validate_foreign(&validator).await.unwrap_err();
    assert_eq!(service.fetches(), 5);
}

#[tokio::test]
async fn an_unknown_key_is_a_temporary_error_while_keys_cannot_be_fetched() {
    let (validator, service, clock) = set_up();
    validate_published(&validator).await.unwrap();
    service.fail(true);
    for _ in 0..100 {
        let rejected = validate_foreign(&validator).await.unwrap_err();
        assert_eq!(rejected.kind(), TokenValidationErrorKind::KeysUnavailable);
    }
    assert_eq!(service.fetches(), 2);
    validate_published(&validator).await.unwrap();
    service.fail(false);
    service.publish([SERVICE_KEY.jwk(), FOREIGN_KEY.jwk()]);
    clock.advance(5 * MINUTE);
    validate_foreign(&validator).await.unwrap();
}

#[tokio::test]
async fn keys_for_other_uses_are_ignored() {
    let with = |changes: Value| with_changes(SERVICE_KEY.jwk(), changes);
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
        let service = SignIn::with_keys([jwk.clone(), FOREIGN_KEY.jwk()]);
        let validator = id_token_validator(&service);
        let rejected = validate_published(&validator).await.unwrap_err();
        assert_eq!(
            rejected.kind(),
            TokenValidationErrorKind::UnknownKey,
            "{jwk}"
        );
        validate_foreign(&validator).await.unwrap();
        // A key set without a key is an error and is not cached.
        service.publish([jwk]);
        let validator = id_token_validator(&service);
        let rejected = validate_published(&validator).await.unwrap_err();
        assert_eq!(rejected.kind(), TokenValidationErrorKind::KeysUnavailable);
        service.publish([SERVICE_KEY.jwk()]);
        validate_published(&validator).await.unwrap();
    }
    for jwk in [
        with(json!({ "use": null })),
        with(json!({ "alg": "RS256", "key_ops": ["verify"] })),
        with(json!({ "n": format!("AAAA{}", SERVICE_KEY.jwk()["n"].as_str().unwrap()) })),
    ] {
        let validator = id_token_validator(&SignIn::with_keys([jwk.clone()]));
        validate_published(&validator)
            .await
            .map_err(|rejected| format!("{rejected:?} {jwk}"))
            .unwrap();
    }
}

#[tokio::test]
async fn metadata_of_another_issuer_or_over_http_is_rejected() {
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
        service.respond_at(&place, &body);
        let rejected = validate_published(&id_token_validator(&service))
            .await
            .unwrap_err();
        assert_eq!(
            rejected.kind(),
            TokenValidationErrorKind::KeysUnavailable,
            "{body}"
        );
        assert!(!rejected.fix().is_empty());
        assert!(
            service
                .requested_urls()
                .iter()
                .all(|requested| requested.starts_with("https://"))
        );
    }
    // Invalid metadata later does not replace the valid keys.
    let (validator, service, clock) = set_up();
    validate_published(&validator).await.unwrap();
    service.respond_at(&place, &"<html>");
    clock.advance(12 * HOUR);
    validate_published(&validator).await.unwrap();
}

#[tokio::test]
async fn validators_can_share_their_keys() {
    let (service, clock, keys) = (SignIn::new(), clock(), SigningKeys::new());
    let id_token_validator =
        with_service(TokenValidator::id_tokens(TENANT, CLIENT), &service, &clock);
    let callers = with_service(
        TokenValidator::access_tokens(TENANT, [CLIENT]),
        &service,
        &clock,
    );
    let id_token_validator = id_token_validator.keys(&keys).build().unwrap();
    let callers = callers.keys(&keys).build().unwrap();
    validate_published(&id_token_validator).await.unwrap();
    callers
        .validate(&SERVICE_KEY.token(&user_token()))
        .await
        .unwrap();
    assert_eq!(service.fetches(), 1);
    let separate = with_service(TokenValidator::id_tokens(TENANT, CLIENT), &service, &clock);
    validate_published(&separate.build().unwrap())
        .await
        .unwrap();
    assert_eq!(service.fetches(), 2);
    assert!(format!("{keys:?}").contains("sources: 2"), "{keys:?}");
}

#[tokio::test]
async fn keys_of_dropped_validators_are_removed_before_keys_in_use() {
    let (service, clock, keys) = (SignIn::new(), clock(), SigningKeys::new());
    let validator = |tenant: &str| {
        let builder = TokenValidator::id_tokens(tenant, CLIENT);
        with_service(builder, &service, &clock)
            .keys(&keys)
            .build()
            .unwrap()
    };
    let in_use = validator(TENANT);
    validate_published(&in_use).await.unwrap();
    for number in 0..2_000 {
        drop(validator(&format!("00000000-0000-4000-8000-{number:012}")));
    }
    assert!(format!("{keys:?}").contains("sources: 1000"), "{keys:?}");
    validate_published(&validator(TENANT)).await.unwrap();
    assert_eq!(service.fetches(), 1, "the keys of the first validator");
}

#[test]
fn keys_can_be_fetched_without_a_runtime() {
    let (validator, service, clock) = set_up();
    without_runtime(async {
        service.open(false);
        let token = SERVICE_KEY.token(&long_lived_id_token());
        // Without a runtime, a dropped caller drops its fetch, and the next caller starts another one.
        let mut caller = Box::pin(validator.validate(&token));
        assert!(poll_once(&mut caller).await.is_none());
        drop(caller);
        service.open(true);
        validate_published(&validator).await.unwrap();
        clock.advance(11 * HOUR);
        validate_published(&validator).await.unwrap();
        assert_eq!(service.fetches(), 3);
        validate_published(&validator).await.unwrap();
        assert_eq!(service.fetches(), 3);
    });
}

#[test]
fn an_idle_runtime_does_not_block_another() {
    let (validator, service, _) = set_up();
    service.open(false);
    let token = SERVICE_KEY.token(&long_lived_id_token());
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
    // The paused clock advances when no task can run.
    let other = build().enable_all().start_paused(true).build().unwrap();
    other.block_on(async { validate_published(&validator).await.unwrap() });
    assert_eq!(service.fetches(), 2);
    drop(still);
    other.block_on(async { validate_published(&validator).await.unwrap() });
    assert_eq!(service.fetches(), 2);
}

#[tokio::test]
async fn a_panicking_transport_fails_the_call_and_blocks_no_caller() {
    let (validator, service, _) = set_up();
    service.panic(true);
    for _ in 0..2 {
        let rejected = validate_published(&validator).await.unwrap_err();
        assert_eq!(rejected.kind(), TokenValidationErrorKind::KeysUnavailable);
        assert!(rejected.fix().contains("panic"));
    }
    service.panic(false);
    validate_published(&validator).await.unwrap();
}

#[tokio::test]
async fn a_key_rollover_of_the_fake_tenant_is_followed_without_a_gap() {
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
    let rejected = validator.validate(&old).await.unwrap_err();
    assert_eq!(rejected.kind(), TokenValidationErrorKind::UnknownKey);
}

/// Polls a future to completion without a runtime.
fn without_runtime<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
