//! The exact ends of what a validator takes, and what it says of the rest.

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
        FOREIGN, NOW, OURS, SignIn, but, callers, clock, id_token, issuer_v2, on, people,
    },
};

/// A token of this many bytes, which another key signed.
fn of_length(bytes: usize) -> String {
    let token = |head: usize, fill: usize| {
        let more = json!({ "kid": OURS.kid, "head": "x".repeat(head) });
        let claims = but(id_token(), json!({ "fill": "x".repeat(fill) }));
        FOREIGN.token_with(&but(FOREIGN.header(), more), &claims)
    };
    let about = (bytes - token(0, 0).len()) * 3 / 4;
    // Base64 cannot have every length, so the header gives way as well.
    (0..4)
        .flat_map(|head| (about - 8..about + 8).map(move |fill| (head, fill)))
        .map(|(head, fill)| token(head, fill))
        .find(|token| token.len() == bytes)
        .unwrap()
}

#[tokio::test]
async fn a_token_of_sixty_four_kibibytes_is_read_and_one_byte_more_is_not() {
    let most = 64 * 1024;
    for (bytes, expected) in [(most, Signature), (most + 1, Malformed)] {
        let refused = people(&SignIn::new())
            .validate(&of_length(bytes))
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), expected, "{bytes}");
    }
}

#[test]
fn a_leeway_of_an_hour_is_the_longest() {
    let hour = Duration::from_secs(3600);
    assert!(callers().leeway(hour).build().is_ok());
    assert!(
        callers()
            .leeway(hour + Duration::from_nanos(1))
            .build()
            .is_err()
    );
}

#[tokio::test]
async fn an_empty_key_id_names_no_key() {
    let service = SignIn::with_keys([OURS.jwk_named("")]);
    let header = but(OURS.header(), json!({ "kid": "" }));
    let token = OURS.token_with(&header, &id_token());
    let refused = people(&service).validate(&token).await.unwrap_err();
    assert_eq!(refused.kind(), Malformed);
    assert_eq!(service.fetches(), 0);
}

#[tokio::test]
async fn an_encrypted_token_is_told_from_a_broken_one() {
    let refused = people(&SignIn::new())
        .validate("eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d")
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), Malformed);
    assert!(refused.to_string().contains("encrypted"), "{refused}");
    let refused = people(&SignIn::new())
        .validate("eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c")
        .await
        .unwrap_err();
    assert!(!refused.to_string().contains("encrypted"), "{refused}");
}

#[tokio::test]
async fn a_wrong_audience_is_quoted_shortened_and_escaped() {
    let audience = format!("api://other\n{}", "x".repeat(200));
    let token = OURS.token(&but(id_token(), json!({ "aud": audience })));
    let refused = people(&SignIn::new()).validate(&token).await.unwrap_err();
    assert_eq!(refused.kind(), Audience);
    assert!(!refused.is_transient());
    let text = refused.to_string();
    assert!(text.contains(r#""api://other\nxxx"#), "{text}");
    assert!(
        text.len() < 200,
        "a hundred characters of it at most: {text}"
    );
    let debug = format!("{refused:?}");
    assert!(debug.contains("Audience") && debug.contains(refused.fix()));
}

#[tokio::test]
async fn the_metadata_of_every_tenant_must_not_name_the_issuer_of_one() {
    let service = SignIn::new();
    let place = "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration";
    let keys = "https://login.microsoftonline.com/common/discovery/v2.0/keys";
    let builder = || TokenValidator::id_tokens("common", CLIENT).any_tenant();
    let validate = async || -> Result<ValidatedToken, _> {
        let validator = on(builder(), &service, &clock()).build().unwrap();
        validator.validate(&OURS.token(&id_token())).await
    };
    assert!(validate().await.is_ok());
    service.answer(
        place,
        &json!({ "issuer": issuer_v2(TENANT), "jwks_uri": keys }),
    );
    assert_eq!(validate().await.unwrap_err().kind(), KeysUnavailable);
}

#[tokio::test]
async fn a_token_that_was_checked_tells_its_tenant_and_its_times() {
    let token = people(&SignIn::new())
        .validate(&OURS.token(&id_token()))
        .await
        .unwrap();
    assert_eq!(token.tid().unwrap().to_string(), TENANT);
    assert_eq!(token.sub(), "pairwise");
    assert_eq!(token.claims()["exp"], NOW + 3600);
}
