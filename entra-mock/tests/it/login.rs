//! Errors of the token endpoint, one by one.

use std::time::Duration;

use entra_mock::{App, FakeTenant};

use crate::support::{GRAPH_SCOPE, Response, fetch, get, http, post_token, token_with};

async fn tenant_with_app() -> (FakeTenant, App) {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Night job").with_secret();
    (tenant, app)
}

#[track_caller]
fn assert_error(response: &Response, status: u16, error: &str, code: u32) {
    let found = (
        response.status,
        response.body["error"].as_str(),
        &response.body["error_codes"],
    );
    assert_eq!(
        found,
        (status, Some(error), &serde_json::json!([code])),
        "{}",
        response.text
    );
}

#[tokio::test]
async fn wrong_secret_returns_aadsts_7000215() {
    let (tenant, app) = tenant_with_app().await;
    assert_error(
        &token_with(&tenant, &app, &[("client_secret", "wrong")]).await,
        401,
        "invalid_client",
        7_000_215,
    );
    app.remove_secret();
    assert_error(
        &token_with(&tenant, &app, &[]).await,
        401,
        "invalid_client",
        7_000_215,
    );
}

#[tokio::test]
async fn expired_secret_returns_aadsts_7000222() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Night job")
        .with_secret_valid_for(Duration::from_secs(3600));
    tenant.clock().advance(Duration::from_secs(3599));
    assert_eq!(token_with(&tenant, &app, &[]).await.status, 200);
    tenant.clock().advance(Duration::from_secs(1));
    assert_error(
        &token_with(&tenant, &app, &[]).await,
        401,
        "invalid_client",
        7_000_222,
    );
    // A wrong secret stays wrong.
    assert_error(
        &token_with(&tenant, &app, &[("client_secret", "wrong")]).await,
        401,
        "invalid_client",
        7_000_215,
    );
    app.with_secret();
    assert_eq!(token_with(&tenant, &app, &[]).await.status, 200);
}

#[tokio::test]
async fn unknown_application_returns_aadsts_700016() {
    let (tenant, app) = tenant_with_app().await;
    for client_id in [
        "11111111-2222-3333-4444-555555555555",
        "no guid",
        &app.object_id().to_string(),
    ] {
        assert_error(
            &token_with(&tenant, &app, &[("client_id", client_id)]).await,
            400,
            "unauthorized_client",
            700_016,
        );
    }
}

#[tokio::test]
async fn disabled_application_returns_aadsts_7000112() {
    let (tenant, app) = tenant_with_app().await;
    app.disable();
    assert_error(
        &token_with(&tenant, &app, &[]).await,
        400,
        "unauthorized_client",
        7_000_112,
    );
}

#[tokio::test]
async fn a_wrong_tenant_returns_an_error_for_its_cause() {
    let (tenant, app) = tenant_with_app().await;
    let (client_id, secret) = (app.client_id().to_string(), app.secret());
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &client_id),
        ("client_secret", secret.expose_secret()),
        ("scope", GRAPH_SCOPE),
    ];
    let request =
        async |name: &str| post_token(&tenant, &format!("/{name}/oauth2/v2.0/token"), &form).await;
    assert_error(
        &request("11111111-2222-3333-4444-555555555555").await,
        400,
        "invalid_tenant",
        90_002,
    );
    assert_error(
        &request("fabrikam.com").await,
        400,
        "invalid_tenant",
        90_002,
    );
    assert_error(&request("fabrikam").await, 400, "invalid_request", 900_023);
    for alias in ["common", "organizations", "consumers"] {
        assert_error(&request(alias).await, 400, "invalid_request", 50_059);
    }
    assert_eq!(request("contoso.com").await.status, 200);
}

#[tokio::test]
async fn a_scope_other_than_default_returns_an_error() {
    let (tenant, app) = tenant_with_app().await;
    for scope in [
        "https://graph.microsoft.com/User.Read",
        "User.Read",
        "https://graph.microsoft.com/.default offline_access",
        "https%3A%2F%2Fgraph.microsoft.com%2F.default",
    ] {
        assert_error(
            &token_with(&tenant, &app, &[("scope", scope)]).await,
            400,
            "invalid_scope",
            1_002_012,
        );
    }
    assert_error(
        &token_with(&tenant, &app, &[("scope", "graph/.default")]).await,
        400,
        "invalid_scope",
        70_011,
    );
}

#[tokio::test]
async fn an_unknown_or_disabled_resource_returns_an_error() {
    let (tenant, app) = tenant_with_app().await;
    for scope in [
        "https://api.example/.default",
        "api://unknown/.default",
        "11111111-2222-3333-4444-555555555555/.default",
    ] {
        assert_error(
            &token_with(&tenant, &app, &[("scope", scope)]).await,
            400,
            "invalid_resource",
            500_011,
        );
    }
    let api = tenant.register_app("API");
    api.disable();
    let scope = format!("{}/.default", api.client_id());
    assert_error(
        &token_with(&tenant, &app, &[("scope", &scope)]).await,
        400,
        "invalid_resource",
        500_014,
    );
}

#[tokio::test]
async fn a_resource_that_requires_assignment_returns_an_error_without_one() {
    let (tenant, app) = tenant_with_app().await;
    let api = tenant.register_app("API");
    tenant
        .set_property(
            "servicePrincipals",
            &api.service_principal_id().to_string(),
            "appRoleAssignmentRequired",
            true.into(),
        )
        .unwrap();
    let scope = format!("{}/.default", api.client_id());
    assert_error(
        &token_with(&tenant, &app, &[("scope", &scope)]).await,
        400,
        "invalid_grant",
        501_051,
    );
    tenant.assign(app.service_principal_id(), api.service_principal_id());
    assert_eq!(
        token_with(&tenant, &app, &[("scope", &scope)]).await.status,
        200
    );
}

#[tokio::test]
async fn missing_parameters_return_aadsts_900144() {
    let (tenant, app) = tenant_with_app().await;
    for name in ["grant_type", "client_id", "scope"] {
        let response = token_with(&tenant, &app, &[(name, "")]).await;
        assert_error(&response, 400, "invalid_request", 900_144);
        assert!(
            response.body["error_description"]
                .as_str()
                .unwrap()
                .contains(&format!("'{name}'"))
        );
    }
    assert_error(
        &token_with(&tenant, &app, &[("client_secret", "")]).await,
        401,
        "invalid_client",
        7_000_216,
    );
    // JSON instead of a form has no parameters.
    let url = format!("{}/contoso.com/oauth2/v2.0/token", tenant.uri());
    let json = http()
        .post(url)
        .json(&serde_json::json!({ "grant_type": "client_credentials" }));
    assert_error(&fetch(json).await, 400, "invalid_request", 900_144);
}

#[tokio::test]
async fn an_unsupported_grant_method_or_parameter_returns_an_error() {
    let (tenant, app) = tenant_with_app().await;
    assert_error(
        &token_with(&tenant, &app, &[("grant_type", "magic")]).await,
        400,
        "unsupported_grant_type",
        70_003,
    );
    let wrong_verb = get(&format!("{}/contoso.com/oauth2/v2.0/token", tenant.uri())).await;
    assert_error(&wrong_verb, 400, "invalid_request", 900_561);
    let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    let response = token_with(&tenant, &app, &[("grant_type", exchange)]).await;
    assert_error(&response, 400, "unsupported_grant_type", 82_001);
}

#[tokio::test]
async fn an_error_body_has_every_field_and_needs_no_json_escape() {
    let (tenant, app) = tenant_with_app().await;
    let correlation = "0a1b2c3d-1111-2222-3333-444455556666";
    let url = format!("{}/contoso.com/oauth2/v2.0/token", tenant.uri());
    let nasty = "no\"such\\app\r\n\u{7}";
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", nasty),
        ("client_secret", app.secret().expose_secret()),
        ("scope", GRAPH_SCOPE),
    ]
    .map(|(name, value)| (name, value.to_owned()));
    let request = http()
        .post(url)
        .header("client-request-id", correlation)
        .header("return-client-request-id", "true")
        .form(&form);
    let rejected = fetch(request).await;

    assert_error(&rejected, 400, "unauthorized_client", 700_016);
    let description = rejected.body["error_description"].as_str().unwrap();
    assert!(description.starts_with("AADSTS700016: "));
    assert!(
        rejected.text.contains(&format!("\"{description}\"")),
        "escaped: {}",
        rejected.text
    );
    assert_eq!(rejected.body["correlation_id"], correlation);
    assert_eq!(rejected.header("client-request-id"), Some(correlation));
    assert_eq!(
        rejected.header("x-ms-request-id"),
        rejected.body["trace_id"].as_str()
    );
    assert_eq!(
        rejected.body["error_uri"],
        format!("{}/error?code=700016", tenant.uri())
    );
    let timestamp = rejected.body["timestamp"].as_str().unwrap();
    assert!(
        timestamp.len() == 20 && &timestamp[10..11] == " " && timestamp.ends_with('Z'),
        "{timestamp}"
    );
    assert!(
        rejected
            .header("cache-control")
            .unwrap()
            .contains("no-store")
    );
}

#[tokio::test]
async fn a_request_id_that_is_not_a_guid_is_not_echoed() {
    let (tenant, app) = tenant_with_app().await;
    let url = format!(
        "{}/contoso.com/oauth2/v2.0/token?client-request-id=x",
        tenant.uri()
    );
    let rejected = fetch(
        http()
            .post(url)
            .form(&[("client_id", app.client_id().to_string())]),
    )
    .await;
    assert_eq!(rejected.body["correlation_id"].as_str().unwrap().len(), 36);
}
