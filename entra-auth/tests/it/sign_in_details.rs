//! Details of sign-in results: errors without codes, debug output, limits.

use std::error::Error as _;

use entra_auth::{
    SignInClient,
    sign_in::{
        AdminConsentOptions, Connections, FrontChannelSignOut, ReturnPath, SignInErrorKind as Kind,
        SignOutOptions,
    },
    user::StartOptions,
};
use entra_core::url::form_urlencoded;
use serde_json::json;

use crate::{
    sign_in_support::{Service, builder_for, callback, connection, sign_in, success},
    support::{CLIENT, TENANT},
    validate_support::{FOREIGN_KEY, clock, id_token, issuer_v2},
};

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The error kind of a sign-in whose callback has these parameters.
async fn kind_of_callback(client: &SignInClient, response: &str) -> Kind {
    let (_, flow) = client.start(&StartOptions::default()).unwrap();
    let redirected = format!("{response}&state={}", flow.id());
    client.finish(flow, &redirected).await.unwrap_err().kind()
}

#[tokio::test]
async fn errors_without_an_aadsts_code_have_their_kinds() {
    let (_, client) = connection();
    for (response, expected) in [
        ("error=invalid_request&error_subcode=cancel", Kind::Declined),
        ("error=invalid_tenant", Kind::TenantUnknown),
        ("error=invalid_instance", Kind::TenantUnknown),
        (
            "error=temporarily_unavailable&error_description=AADSTS1%3A+x",
            Kind::Unavailable,
        ),
        ("error=server_error", Kind::Unavailable),
    ] {
        assert_eq!(
            kind_of_callback(&client, response).await,
            expected,
            "{response}"
        );
    }
}

#[tokio::test]
async fn the_audience_of_an_id_token_may_be_a_list_of_one() {
    let (service, client) = connection();
    let audience = |named: &[&str]| json!({ "aud": named });
    let signed_in = sign_in(&service, &client, audience(&[CLIENT])).await;
    signed_in.unwrap();
    let error = sign_in(&service, &client, audience(&[CLIENT, "api"])).await;
    assert_eq!(error.unwrap_err().kind(), Kind::AudienceMismatch);
    let changes = json!({ "aud": [CLIENT, "api"], "azp": CLIENT });
    sign_in(&service, &client, changes).await.unwrap();
}

#[test]
fn a_declined_admin_consent_has_another_kind_than_an_error_with_a_code() {
    let (_, client) = connection();
    for (response, expected) in [
        ("error=permission_denied", Kind::Declined),
        (
            "error=permission_denied&error_description=AADSTS650052%3A+x",
            Kind::Rejected,
        ),
        ("error=server_error", Kind::Unavailable),
    ] {
        let (_, state) = client
            .admin_consent(&AdminConsentOptions::default())
            .unwrap();
        let text = format!("{state:?}");
        assert!(text.contains("AdminConsentState"), "{text}");
        assert!(!text.contains(state.id()), "{text}");
        let callback = format!("{response}&state={}", state.id());
        let error = client.finish_admin_consent(state, &callback).unwrap_err();
        assert_eq!(error.kind(), expected, "{response}");
    }
}

#[tokio::test]
async fn an_error_has_its_cause_as_source() {
    let (service, client) = connection();
    let (_, flow) = client.start(&StartOptions::default()).unwrap();
    let mut body = success(&flow, json!({}));
    body["id_token"] = json!(FOREIGN_KEY.token(&id_token()));
    service.respond(200, &body);
    let redirected = callback(&flow);
    let error = client.finish(flow, &redirected).await.unwrap_err();
    let cause = error.source().unwrap().to_string();
    assert_eq!(cause, error.invalid_token().unwrap().to_string());
    let text = format!("{error:?}");
    assert!(
        text.contains("SignInError") && text.contains("source"),
        "{text}"
    );
}

#[tokio::test]
async fn a_verified_address_differs_from_an_unverified_one() {
    let (service, client) = connection();
    for (edov, is_proven) in [
        (json!(true), true),
        (json!(false), false),
        (json!(null), false),
    ] {
        let claims = json!({ "email": "adele@contoso.com", "xms_edov": edov });
        let result = sign_in(&service, &client, claims).await.unwrap();
        let email = result.identity().email.as_ref().unwrap();
        assert_eq!(email.address(), "adele@contoso.com");
        assert_eq!(email.verified().is_some(), is_proven, "{edov}");
        let expected = if is_proven {
            "Email::Verified"
        } else {
            "Email::Unverified"
        };
        assert_eq!(format!("{email:?}"), expected);
        for text in [format!("{result:?}"), format!("{:?}", result.identity())] {
            assert!(text.contains(TENANT), "{text}");
            assert!(!text.contains("adele"), "{text}");
        }
    }
}

#[test]
fn a_session_id_of_more_than_512_characters_is_rejected() {
    let issuer = encoded(&issuer_v2(TENANT));
    let parse = |length| {
        let request = format!("iss={issuer}&sid={}", "s".repeat(length));
        FrontChannelSignOut::parse(&request)
    };
    let named = parse(512).unwrap();
    assert_eq!(named.sid().map(str::len), Some(512));
    assert!(parse(513).is_err());
    let text = format!("{named:?}");
    assert!(text.contains(TENANT) && !text.contains("sss"), "{text}");
}

#[test]
fn display_of_a_return_path_has_its_query_and_debug_does_not() {
    let path: ReturnPath = "/orders?invitation=canary".parse().unwrap();
    assert_eq!(path.to_string(), "/orders?invitation=canary");
    assert_eq!(format!("{path:?}"), r#"ReturnPath("/orders")"#);
    assert_eq!(ReturnPath::or_root(Some("/orders")).as_str(), "/orders");
    assert_eq!(ReturnPath::or_root(Some("//evil.example")).as_str(), "/");
    assert_eq!(ReturnPath::or_root(None).as_str(), "/");
    let error = "orders".parse::<ReturnPath>().unwrap_err();
    assert!(error.to_string().contains("slash"), "{error}");
}

#[test]
fn connections_are_empty_until_one_is_added() {
    let connections = Connections::new();
    assert!(connections.is_empty());
    let (_, client) = connection();
    connections.add(client.clone()).unwrap();
    assert!(!connections.is_empty());
    assert_eq!(connections.all().len(), 1);
    let text = format!("{client:?}");
    assert!(text.contains("SignInClient"), "{text}");
    let builder = builder_for(TENANT, &Service::new(), &clock());
    assert!(format!("{builder:?}").contains(TENANT));
    let mut options = SignOutOptions::default();
    options.post_logout_redirect_uri = Some("https://shop.example/bye".to_owned());
    assert!(format!("{options:?}").contains("shop.example"));
}
