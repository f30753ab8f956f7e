//! The tokens that Graph sends with change notifications.

use std::sync::Arc;

use entra_auth::{TokenValidator, validate::TokenValidationErrorKind};
use entra_core::{JwtErrorKind, JwtVerifier};
use serde_json::{Value, json};

use crate::{
    support::{CLIENT, TENANT},
    validate_support::{
        CALLER, FOREIGN_KEY, NOW, OTHER_TENANT, SERVICE_KEY, SignIn, clock, issuer_v1, issuer_v2,
        with_changes, with_service,
    },
};

const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";

fn validator(service: &Arc<SignIn>) -> TokenValidator {
    let builder = TokenValidator::notification_tokens(TENANT, CLIENT);
    with_service(builder, service, &clock()).build().unwrap()
}

/// The documented claims, which have neither a subject nor roles.
fn first_version() -> Value {
    json!({
        "aud": CLIENT, "iss": issuer_v1(TENANT), "iat": NOW - 300, "nbf": NOW - 300, "exp": NOW + 28_800,
        "aio": "42FgYKhZ", "appid": PUBLISHER, "appidacr": "2", "idp": issuer_v1(TENANT), "tid": TENANT,
        "uti": "q5nHRfxQo0O", "ver": "1.0",
    })
}

fn second_version() -> Value {
    with_changes(
        first_version(),
        json!({
            "iss": issuer_v2(TENANT), "ver": "2.0", "azp": PUBLISHER, "azpacr": "2",
            "appid": null, "appidacr": null, "idp": null,
        }),
    )
}

#[tokio::test]
async fn tokens_of_both_versions_are_accepted_and_their_keys_fetched_once() {
    let service = SignIn::new();
    let validator = validator(&service);
    for claims in [first_version(), second_version()] {
        let before = service.requested_urls().len();
        let token = SERVICE_KEY.token(&claims);
        let verified = validator.verify(&token).await.unwrap();
        assert_eq!(verified["tid"], TENANT);
        let first = service.requested_urls().len();
        assert_eq!(first, before + 2, "metadata and keys of this version");
        validator.verify(&token).await.unwrap();
        assert_eq!(
            service.requested_urls().len(),
            first,
            "the second sends no request"
        );
    }
}

#[tokio::test]
async fn tokens_of_other_applications_audiences_tenants_and_keys_are_rejected() {
    use TokenValidationErrorKind::{Audience, Client, Expired, Tenant};
    let service = SignIn::new();
    let validator = validator(&service);
    let other = |changes: Value| with_changes(first_version(), changes);
    for (claims, expected) in [
        (other(json!({ "appid": CALLER })), Client),
        (
            with_changes(second_version(), json!({ "azp": CALLER })),
            Client,
        ),
        (other(json!({ "aud": CALLER })), Audience),
        (
            other(json!({ "iss": issuer_v1(OTHER_TENANT), "tid": OTHER_TENANT })),
            Tenant,
        ),
        (other(json!({ "exp": NOW - 301 })), Expired),
    ] {
        let token = SERVICE_KEY.token(&claims);
        let error = validator.validate(&token).await.unwrap_err();
        assert_eq!(error.kind(), expected, "{error}");
    }
    let forged = FOREIGN_KEY.token(&first_version());
    let error = validator.verify(&forged).await.unwrap_err();
    assert_eq!(error.kind(), JwtErrorKind::Invalid);
    service.fail(true);
    let error = self::validator(&service)
        .verify(&SERVICE_KEY.token(&first_version()))
        .await;
    assert_eq!(error.unwrap_err().kind(), JwtErrorKind::Unavailable);
}

#[tokio::test]
async fn an_api_still_rejects_a_token_without_a_subject() {
    let service = SignIn::new();
    let builder = TokenValidator::access_tokens(TENANT, [CLIENT]).clients([PUBLISHER]);
    let api = with_service(builder, &service, &clock()).build().unwrap();
    let error = api
        .validate(&SERVICE_KEY.token(&first_version()))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), TokenValidationErrorKind::Malformed);
}
