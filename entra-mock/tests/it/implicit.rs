//! The implicit and hybrid flows, which an application must enable.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use entra_mock::{App, FakeTenant, Redirected};
use serde_json::{Value, json};

use crate::{
    support::{get, graph_get},
    users::{ADELE, CALLBACK, authorize_url, claims, parameter, redeem_code, returned},
};

async fn enabled(access: bool, id: bool) -> (FakeTenant, App) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Old shop")
        .redirect_uri(CALLBACK)
        .delegated_permission("User.Read")
        .with_secret();
    let settings = json!({
        "redirectUris": [CALLBACK],
        "implicitGrantSettings": { "enableAccessTokenIssuance": access, "enableIdTokenIssuance": id }
    });
    let object = app.object_id().to_string();
    tenant
        .set_property("applications", &object, "web", settings)
        .unwrap();
    (tenant, app)
}

fn sign_in(tenant: &FakeTenant, app: &App, changes: &[(&str, &str)]) -> Redirected {
    tenant.sign_in_at(&authorize_url(tenant, app, changes), ADELE)
}

fn half_hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(&digest(&SHA256, text.as_bytes()).as_ref()[..16])
}

fn decoded(back: &Redirected, name: &str) -> Value {
    claims(&json!(back.parameter(name).unwrap()))
}

#[tokio::test]
async fn an_id_token_is_returned_in_the_fragment_or_as_a_form() {
    let (tenant, app) = enabled(false, true).await;
    let request = [
        ("response_type", "id_token"),
        ("nonce", "n-1"),
        ("scope", "openid profile"),
        ("code_challenge", ""),
        ("code_challenge_method", ""),
    ];
    let back = sign_in(&tenant, &app, &request);
    assert!(
        back.address().starts_with(&format!("{CALLBACK}#")),
        "{}",
        back.address()
    );
    let identity = decoded(&back, "id_token");
    assert_eq!(
        (&identity["nonce"], &identity["aud"]),
        (&json!("n-1"), &json!(app.client_id().to_string()))
    );
    assert_eq!(identity["preferred_username"], ADELE);
    assert!(identity.get("c_hash").is_none() && identity.get("at_hash").is_none());
    assert!(back.parameter("code").is_none() && back.parameter("access_token").is_none());
    let form = [&request[..], &[("response_mode", "form_post")]].concat();
    let posted = sign_in(&tenant, &app, &form);
    assert!(posted.is_posted() && posted.parameter("id_token").is_some());
    assert_eq!(posted.parameter("state").as_deref(), Some("a b&c"));
}

#[tokio::test]
async fn a_hybrid_response_binds_the_id_token_to_its_code() {
    let (tenant, app) = enabled(false, true).await;
    let request = [("response_type", "code id_token"), ("nonce", "n-1")];
    let back = sign_in(&tenant, &app, &request);
    let code = back.parameter("code").unwrap();
    assert_eq!(decoded(&back, "id_token")["c_hash"], half_hash(&code));
    let tokens = redeem_code(&tenant, &app, &code, &[]).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    let identity = claims(&tokens.body["id_token"]);
    assert_eq!(identity["nonce"], "n-1");
    assert!(
        identity.get("c_hash").is_none(),
        "only from the authorize endpoint"
    );
}

#[tokio::test]
async fn an_implicit_access_token_works_at_graph_and_has_no_refresh_token() {
    let (tenant, app) = enabled(true, true).await;
    let request = [
        ("response_type", "id_token token"),
        ("nonce", "n-1"),
        ("scope", "openid offline_access User.Read"),
    ];
    let back = sign_in(&tenant, &app, &request);
    let token = back.parameter("access_token").unwrap();
    assert_eq!(back.parameter("token_type").as_deref(), Some("Bearer"));
    assert_eq!(back.parameter("expires_in").as_deref(), Some("3599"));
    assert!(back.parameter("scope").unwrap().contains("User.Read"));
    assert!(back.parameter("refresh_token").is_none() && back.parameter("code").is_none());
    assert_eq!(decoded(&back, "id_token")["at_hash"], half_hash(&token));
    assert_eq!(decoded(&back, "access_token")["appidacr"], "0");
    assert_eq!(graph_get(&tenant, &token, "/me").await.status, 200);
    let alone = sign_in(&tenant, &app, &[("response_type", "token")]);
    assert!(alone.parameter("access_token").is_some() && alone.parameter("id_token").is_none());
}

#[tokio::test]
async fn a_token_that_is_not_enabled_or_not_bound_is_rejected() {
    for (settings, changes, error, number) in [
        (
            (false, false),
            vec![("response_type", "id_token"), ("nonce", "n")],
            "unsupported_response_type",
            "AADSTS700054",
        ),
        (
            (false, true),
            vec![("response_type", "token")],
            "unsupported_response_type",
            "AADSTS700051",
        ),
        (
            (true, false),
            vec![("response_type", "code id_token"), ("nonce", "n")],
            "unsupported_response_type",
            "AADSTS700054",
        ),
        (
            (true, true),
            vec![("response_type", "id_token")],
            "invalid_request",
            "AADSTS90014",
        ),
        (
            (true, true),
            vec![("response_type", "token"), ("response_mode", "query")],
            "invalid_request",
            "AADSTS70007",
        ),
    ] {
        let (tenant, app) = enabled(settings.0, settings.1).await;
        let parameters = returned(&get(&authorize_url(&tenant, &app, &changes)).await);
        assert_eq!(parameter(&parameters, "error"), error, "{changes:?}");
        let description = parameter(&parameters, "error_description");
        assert!(description.starts_with(number), "{description}");
    }
}

#[tokio::test]
async fn an_implicit_token_has_at_most_five_groups() {
    let (tenant, app) = enabled(false, true).await;
    app.group_claims(entra_mock::GroupClaims::SecurityGroup);
    let grace = tenant.add_user("Grace");
    let name = grace.user_principal_name();
    let request = [
        ("response_type", "id_token"),
        ("nonce", "n"),
        ("scope", "openid profile"),
    ];
    for number in 0..6 {
        tenant
            .add_group(&format!("G{number}"))
            .add_member(grace.id());
        let url = authorize_url(&tenant, &app, &request);
        let identity = decoded(&tenant.sign_in_at(&url, &name), "id_token");
        match number {
            5 => assert!(identity["hasgroups"] == true && identity.get("groups").is_none()),
            _ => assert_eq!(
                identity["groups"].as_array().map(Vec::len),
                Some(number + 1)
            ),
        }
    }
}
