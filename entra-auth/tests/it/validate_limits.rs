//! The exact limits of a validator, and its errors beyond them.

use std::time::Duration;

use entra_auth::{
    TokenValidator,
    validate::{
        TokenValidationErrorKind::{Audience, KeysUnavailable, Malformed, Signature},
        ValidatedToken,
    },
};
use serde_json::json;

use crate::{
    support::{CLIENT, TENANT},
    validate_support::{
        FOREIGN_KEY, NOW, SERVICE_KEY, SignIn, api_token_validator, clock, id_token,
        id_token_validator, issuer_v2, with_changes, with_service,
    },
};

/// A token of this many bytes that is signed with another key.
fn of_length(bytes: usize) -> String {
    let token = |head: usize, fill: usize| {
        let more = json!({ "kid": SERVICE_KEY.kid, "head": "x".repeat(head) });
        let claims = with_changes(id_token(), json!({ "fill": "x".repeat(fill) }));
        FOREIGN_KEY.token_with(&with_changes(FOREIGN_KEY.header(), more), &claims)
    };
    let estimate = (bytes - token(0, 0).len()) * 3 / 4;
    // Base64 does not have every length, so the header is padded as well.
    (0..4)
        .flat_map(|head| (estimate - 8..estimate + 8).map(move |fill| (head, fill)))
        .map(|(head, fill)| token(head, fill))
        .find(|token| token.len() == bytes)
        .unwrap()
}

#[tokio::test]
async fn a_token_of_64_kib_is_accepted_and_one_byte_more_is_rejected() {
    let most = 64 * 1024;
    for (bytes, expected) in [(most, Signature), (most + 1, Malformed)] {
        let rejected = id_token_validator(&SignIn::new())
            .validate(&of_length(bytes))
            .await
            .unwrap_err();
        assert_eq!(rejected.kind(), expected, "{bytes}");
    }
}

#[test]
fn a_leeway_of_more_than_an_hour_is_rejected() {
    let hour = Duration::from_secs(3600);
    assert!(api_token_validator().leeway(hour).build().is_ok());
    assert!(
        api_token_validator()
            .leeway(hour + Duration::from_nanos(1))
            .build()
            .is_err()
    );
}

#[tokio::test]
async fn an_empty_key_id_is_rejected() {
    let service = SignIn::with_keys([SERVICE_KEY.jwk_named("")]);
    let header = with_changes(SERVICE_KEY.header(), json!({ "kid": "" }));
    let token = SERVICE_KEY.token_with(&header, &id_token());
    let rejected = id_token_validator(&service)
        .validate(&token)
        .await
        .unwrap_err();
    assert_eq!(rejected.kind(), Malformed);
    assert_eq!(service.fetches(), 0);
}

#[tokio::test]
async fn an_encrypted_token_has_another_error_than_a_malformed_one() {
    let rejected = id_token_validator(&SignIn::new())
        .validate("eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d")
        .await
        .unwrap_err();
    assert_eq!(rejected.kind(), Malformed);
    assert!(rejected.to_string().contains("encrypted"), "{rejected}");
    let rejected = id_token_validator(&SignIn::new())
        .validate("eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c")
        .await
        .unwrap_err();
    assert!(!rejected.to_string().contains("encrypted"), "{rejected}");
}

#[tokio::test]
async fn another_audience_is_quoted_shortened_and_escaped_in_the_error() {
    let audience = format!("api://other\n{}", "x".repeat(200));
    let token = SERVICE_KEY.token(&with_changes(id_token(), json!({ "aud": audience })));
    let rejected = id_token_validator(&SignIn::new())
        .validate(&token)
        .await
        .unwrap_err();
    assert_eq!(rejected.kind(), Audience);
    assert!(!rejected.is_transient());
    let text = rejected.to_string();
    assert!(text.contains(r#""api://other\nxxx"#), "{text}");
    assert!(
        text.len() < 200,
        "a hundred characters of it at most: {text}"
    );
    let debug = format!("{rejected:?}");
    assert!(debug.contains("Audience") && debug.contains(rejected.fix()));
}

#[tokio::test]
async fn the_metadata_of_every_tenant_must_not_name_the_issuer_of_one() {
    let service = SignIn::new();
    let place = "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration";
    let keys = "https://login.microsoftonline.com/common/discovery/v2.0/keys";
    let builder = || TokenValidator::id_tokens("common", CLIENT).any_tenant();
    let validate = async || -> Result<ValidatedToken, _> {
        let validator = with_service(builder(), &service, &clock()).build().unwrap();
        validator.validate(&SERVICE_KEY.token(&id_token())).await
    };
    assert!(validate().await.is_ok());
    service.respond_at(
        place,
        &json!({ "issuer": issuer_v2(TENANT), "jwks_uri": keys }),
    );
    assert_eq!(validate().await.unwrap_err().kind(), KeysUnavailable);
}

#[tokio::test]
async fn a_validated_token_has_its_tenant_and_its_times() {
    let token = id_token_validator(&SignIn::new())
        .validate(&SERVICE_KEY.token(&id_token()))
        .await
        .unwrap();
    assert_eq!(token.tid().unwrap().to_string(), TENANT);
    assert_eq!(token.sub(), "pairwise");
    assert_eq!(token.claims()["exp"], NOW + 3600);
}
