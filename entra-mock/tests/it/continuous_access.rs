//! Continuous access evaluation: Graph rejects the tokens of a user or an application that lost the access.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use entra_core::Clock as _;
use entra_mock::{AccessPolicy, App, FakeTenant, UserHandle};
use serde_json::{Value, json};

use crate::{
    support::{Response, graph_get, token_with},
    users::{ADELE, claims, redeem, tool},
};

const CAPABLE: &str = r#"{"access_token":{"xms_cc":{"values":["CP1"]}}}"#;
const OTHER: &str = r#"{"access_token":{"xms_cc":{"values":["other"]}}}"#;

/// A Graph token of Adele, by her password.
async fn token(tenant: &FakeTenant, app: &App, claims: &str) -> String {
    let password = tenant.user(ADELE).password();
    let fields = [
        ("grant_type", "password"),
        ("username", ADELE),
        ("password", password.expose_secret()),
        ("scope", "User.Read"),
        ("claims", claims),
    ];
    let response = redeem(tenant, app, false, &fields).await;
    assert_eq!(response.status, 200, "{}", response.text);
    response.body["access_token"].as_str().unwrap().to_owned()
}

/// The claims of a challenge of Graph.
#[track_caller]
fn challenge(response: &Response) -> Value {
    assert_eq!(response.status, 401, "{}", response.text);
    assert_eq!(response.body["error"]["code"], "InvalidAuthenticationToken");
    let header = response.header("www-authenticate").unwrap();
    assert!(header.contains("error=\"insufficient_claims\""), "{header}");
    let (_, rest) = header.split_once("claims=\"").unwrap();
    let claims = STANDARD.decode(rest.split_once('"').unwrap().0).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

#[tokio::test]
async fn an_event_of_the_user_is_a_claims_challenge_for_a_capable_client_only() {
    type Event = (&'static str, fn(&UserHandle));
    let events: [Event; 3] = [
        ("sessions revoked", |user| user.revoke_sessions()),
        ("password changed", |user| {
            user.set_password(&"another-1".into())
        }),
        ("disabled", |user| user.disable()),
    ];
    for (event, happen) in events {
        let (tenant, app) = tool().await;
        let capable = token(&tenant, &app, CAPABLE).await;
        assert_eq!(claims(&json!(capable))["xms_cc"], json!(["cp1"]));
        let plain = token(&tenant, &app, "").await;
        let other = token(&tenant, &app, OTHER).await;
        assert_eq!(claims(&json!(other))["xms_cc"], json!(["other"]));
        assert_eq!(graph_get(&tenant, &capable, "/me").await.status, 200);
        happen(&tenant.user(ADELE));
        let now = tenant.clock().now().unix_timestamp().to_string();
        let expected = json!({ "access_token": { "nbf": { "essential": true, "value": now } } });
        let rejected = graph_get(&tenant, &capable, "/me").await;
        assert_eq!(challenge(&rejected), expected, "{event}");
        // A client that cannot handle the challenge keeps its token until it expires.
        for incapable in [&plain, &other] {
            let me = graph_get(&tenant, incapable, "/me").await;
            assert_eq!(me.status, 200, "{event}");
        }
        if event != "disabled" {
            let fresh = token(&tenant, &app, CAPABLE).await;
            assert_eq!(
                graph_get(&tenant, &fresh, "/me").await.status,
                200,
                "{event}"
            );
        }
    }
    let (tenant, app) = tool().await;
    let capable = token(&tenant, &app, CAPABLE).await;
    tenant.user(ADELE).delete();
    challenge(&graph_get(&tenant, &capable, "/me").await);
}

#[tokio::test]
async fn a_policy_that_is_enabled_later_applies_to_tokens_in_use() {
    let (tenant, app) = tool().await;
    let capable = token(&tenant, &app, CAPABLE).await;
    let policy = tenant.add_access_policy(AccessPolicy::block().user(&tenant.user(ADELE)));
    challenge(&graph_get(&tenant, &capable, "/me").await);
    policy.remove();
    assert_eq!(graph_get(&tenant, &capable, "/me").await.status, 200);
}

#[tokio::test]
async fn an_application_token_is_challenged_after_the_application_is_disabled() {
    for (claims, status) in [(CAPABLE, 401), ("", 200)] {
        let tenant = FakeTenant::start().await;
        let app = tenant
            .register_app("Night job")
            .application_permission("User.Read.All")
            .with_secret();
        let response = token_with(&tenant, &app, &[("claims", claims)]).await;
        let jwt = response.body["access_token"].as_str().unwrap();
        assert_eq!(graph_get(&tenant, jwt, "/users").await.status, 200);
        app.disable();
        assert_eq!(graph_get(&tenant, jwt, "/users").await.status, status);
    }
}
