//! Device code, on-behalf-of and password grants.

use std::time::Duration;

use entra_mock::{App, FakeTenant};
use serde_json::json;

use crate::{
    support::{GRAPH_SCOPE, Response, fetch, graph_get, http},
    users::{ADELE, CALLBACK, assert_error, redeem, shop, tool},
};

async fn device_code(tenant: &FakeTenant, app: &App) -> Response {
    let url = format!("{}/{}/oauth2/v2.0/devicecode", tenant.uri(), tenant.id());
    let form = [
        ("client_id", app.client_id().to_string()),
        ("scope", "openid offline_access User.Read".to_owned()),
    ];
    fetch(http().post(url).form(&form)).await
}

async fn poll(tenant: &FakeTenant, app: &App, device: &Response, grant: &str) -> Response {
    let code = device.body["device_code"].as_str().unwrap();
    redeem(
        tenant,
        app,
        false,
        &[("grant_type", grant), ("device_code", code)],
    )
    .await
}

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

#[tokio::test]
async fn a_device_code_is_pending_until_the_user_enters_it() {
    let (tenant, app) = tool().await;
    let device = device_code(&tenant, &app).await;
    assert_eq!(
        (&device.body["interval"], &device.body["expires_in"]),
        (&json!(5), &json!(900))
    );
    let pending = poll(&tenant, &app, &device, DEVICE).await;
    assert_error(&pending, 400, "authorization_pending", 70_016);
    let hasty = poll(&tenant, &app, &device, DEVICE).await;
    assert_eq!(
        (hasty.status, hasty.body["error"].as_str()),
        (400, Some("slow_down"))
    );
    tenant.clock().advance(Duration::from_secs(5));
    assert_error(
        &poll(&tenant, &app, &device, "device_code").await,
        400,
        "authorization_pending",
        70_016,
    );

    let code = device.body["user_code"].as_str().unwrap();
    let password = tenant.user(ADELE).password();
    let page = format!(
        "{}?otc={code}",
        device.body["verification_uri"].as_str().unwrap()
    );
    let shown = fetch(http().get(&page)).await.text;
    assert!(shown.contains(code) && shown.contains("<strong>Tool</strong>"));
    let wrong = [
        ("otc", code),
        ("login", ADELE),
        ("passwd", "wrong"),
        ("step", "password"),
    ];
    assert!(
        fetch(http().post(&page).form(&wrong))
            .await
            .text
            .contains("Invalid user name or password")
    );
    let right = [
        ("otc", &*code.to_lowercase()),
        ("login", ADELE),
        ("passwd", password.expose_secret()),
        ("step", "password"),
    ];
    assert!(
        fetch(http().post(&page).form(&right))
            .await
            .text
            .contains("signed in")
    );

    let tokens = poll(&tenant, &app, &device, "device_code").await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    let me = graph_get(
        &tenant,
        tokens.body["access_token"].as_str().unwrap(),
        "/me",
    )
    .await;
    assert_eq!(me.body["userPrincipalName"], ADELE);
    assert_error(
        &poll(&tenant, &app, &device, DEVICE).await,
        400,
        "invalid_grant",
        54_005,
    );
    // A public client refreshes without a secret.
    let fields = [
        ("grant_type", "refresh_token"),
        (
            "refresh_token",
            tokens.body["refresh_token"].as_str().unwrap(),
        ),
    ];
    assert_eq!(redeem(&tenant, &app, false, &fields).await.status, 200);
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_key_is_not_supported() {
    let (tenant, app) = shop().await;
    for (kind, status) in [
        ("pop", 501),
        ("mtls_pop", 501),
        ("ssh-cert", 501),
        ("Bearer", 200),
    ] {
        let fields = [
            ("grant_type", "client_credentials"),
            ("scope", GRAPH_SCOPE),
            ("token_type", kind),
        ];
        let response = redeem(&tenant, &app, true, &fields).await;
        assert_eq!(response.status, status, "{kind}: {}", response.text);
        if status == 501 {
            let named = format!("token_type={kind}");
            assert!(response.text.contains(&named), "{}", response.text);
        }
    }
}

#[tokio::test]
async fn a_device_code_can_be_declined_expired_or_unknown() {
    let (tenant, app) = tool().await;
    let declined = device_code(&tenant, &app).await;
    tenant.decline_device_code(declined.body["user_code"].as_str().unwrap());
    assert_error(
        &poll(&tenant, &app, &declined, DEVICE).await,
        400,
        "authorization_declined",
        65_004,
    );
    let late = device_code(&tenant, &app).await;
    tenant.clock().advance(Duration::from_secs(900));
    assert_error(
        &poll(&tenant, &app, &late, DEVICE).await,
        400,
        "expired_token",
        70_020,
    );
    let fields = [("grant_type", DEVICE), ("device_code", "unknown")];
    assert_error(
        &redeem(&tenant, &app, false, &fields).await,
        400,
        "bad_verification_code",
        70_018,
    );
    let web = tenant
        .register_app("Web")
        .redirect_uri(CALLBACK)
        .with_secret();
    let device = device_code(&tenant, &web).await;
    assert_error(
        &poll(&tenant, &web, &device, DEVICE).await,
        401,
        "invalid_client",
        7_000_218,
    );
}

async fn on_behalf(tenant: &FakeTenant, api: &App, assertion: &str, scope: &str) -> Response {
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("requested_token_use", "on_behalf_of"),
        ("assertion", assertion),
        ("scope", scope),
    ];
    redeem(tenant, api, true, &fields).await
}

#[tokio::test]
async fn an_api_gets_a_token_on_behalf_of_its_caller() {
    let (tenant, app) = shop().await;
    for v2 in [false, true] {
        let api = tenant
            .register_app("API")
            .expose_scope("Tasks.Read")
            .delegated_permission("User.Read")
            .with_secret();
        if v2 {
            api.with_v2_tokens();
        }
        let scope = format!("api://{}/Tasks.Read", api.client_id());
        let tokens = tenant.tokens_for(&app, ADELE, [&scope]);
        let assertion = tokens.access_token().expose_secret();
        let response = on_behalf(
            &tenant,
            &api,
            assertion,
            "https://graph.microsoft.com/.default offline_access",
        )
        .await;
        assert_eq!(response.status, 200, "{}", response.text);
        assert!(response.body["refresh_token"].is_string());
        let me = graph_get(
            &tenant,
            response.body["access_token"].as_str().unwrap(),
            "/me",
        )
        .await;
        assert_eq!(me.body["userPrincipalName"], ADELE);

        assert_error(
            &on_behalf(&tenant, &api, assertion, "Mail.Read").await,
            400,
            "invalid_grant",
            65_001,
        );
        tenant.clock().advance(Duration::from_secs(2 * 3600));
        assert_error(
            &on_behalf(&tenant, &api, assertion, "User.Read").await,
            400,
            "invalid_grant",
            500_133,
        );
    }
}

#[tokio::test]
async fn an_assertion_for_another_audience_or_without_a_user_returns_an_error() {
    let (tenant, app) = shop().await;
    let api = tenant
        .register_app("API")
        .expose_scope("Tasks.Read")
        .with_secret();
    let for_graph = tenant.tokens_for(&app, ADELE, ["openid", "User.Read"]);
    let rejected = on_behalf(
        &tenant,
        &api,
        for_graph.access_token().expose_secret(),
        "User.Read",
    )
    .await;
    assert_error(&rejected, 400, "invalid_grant", 50_013);
    let identity = for_graph.id_token().unwrap().expose_secret();
    assert_error(
        &on_behalf(&tenant, &app, identity, "User.Read").await,
        400,
        "invalid_grant",
        240_002,
    );
    assert_error(
        &on_behalf(&tenant, &api, "garbage", "User.Read").await,
        400,
        "invalid_grant",
        50_013,
    );
    let own = format!("{}/.default", api.client_id());
    let daemon = crate::support::token_with(&tenant, &app, &[("scope", &own)]).await;
    let app_only = daemon.body["access_token"].as_str().unwrap();
    assert_error(
        &on_behalf(&tenant, &api, app_only, "User.Read").await,
        400,
        "unauthorized_client",
        7_000_114,
    );
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("requested_token_use", "on_behalf_of"),
        ("assertion", "x"),
        ("scope", "User.Read"),
    ];
    assert_error(
        &redeem(&tenant, &api, false, &fields).await,
        401,
        "invalid_client",
        7_000_218,
    );
}

#[tokio::test]
async fn the_password_grant_checks_the_password_and_the_account() {
    let (tenant, app) = tool().await;
    let password = tenant.user(ADELE).password();
    let request = async |name: &str, password: &str| {
        let fields = [
            ("grant_type", "password"),
            ("username", name),
            ("password", password),
            ("scope", "openid User.Read"),
        ];
        redeem(&tenant, &app, false, &fields).await
    };
    let tokens = request(ADELE, password.expose_secret()).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    assert_eq!(tokens.body["scope"], "User.Read openid");
    assert_error(&request(ADELE, "wrong").await, 400, "invalid_grant", 50_126);
    assert_error(
        &request("unknown@contoso.com", "x").await,
        400,
        "invalid_grant",
        50_034,
    );
    let bare = tenant.add_user("No Password").user_principal_name();
    assert_error(&request(&bare, "x").await, 400, "invalid_grant", 50_056);
    tenant.user(ADELE).require_second_factor();
    let second = request(ADELE, password.expose_secret()).await;
    assert_error(&second, 400, "invalid_grant", 50_076);
    assert_eq!(second.body["suberror"], "basic_action");
    tenant.user(ADELE).disable();
    assert_error(
        &request(ADELE, password.expose_secret()).await,
        400,
        "invalid_grant",
        50_057,
    );
    let web = tenant.register_app("Web").redirect_uri(CALLBACK);
    let fields = [
        ("grant_type", "password"),
        ("username", ADELE),
        ("password", "x"),
    ];
    assert_error(
        &redeem(&tenant, &web, false, &fields).await,
        401,
        "invalid_client",
        7_000_218,
    );
}

#[tokio::test]
async fn an_assertion_names_its_api_as_its_request_spelled_it() {
    let (tenant, app) = shop().await;
    let api = tenant
        .register_app("API")
        .expose_scope("Tasks.Read")
        .delegated_permission("User.Read")
        .with_secret();
    let id = api.client_id().to_string();
    for resource in [format!("api://{id}/"), id.to_uppercase(), id.clone()] {
        let scope = format!("{resource}/Tasks.Read");
        let tokens = tenant.tokens_for(&app, ADELE, [&scope]);
        let assertion = tokens.access_token().expose_secret();
        let response = on_behalf(&tenant, &api, assertion, "User.Read").await;
        assert_eq!(response.status, 200, "{resource}: {}", response.text);
    }
}
