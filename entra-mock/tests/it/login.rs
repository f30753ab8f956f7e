//! Refusals of the token endpoint, one by one.

use std::time::Duration;

use entra_mock::{App, FakeTenant};

use crate::support::{Answer, GRAPH_SCOPE, answer, get, http, post_token, token_with};

async fn tenant_with_app() -> (FakeTenant, App) {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Night job").with_secret();
    (tenant, app)
}

#[track_caller]
fn assert_refused(answer: &Answer, status: u16, error: &str, code: u32) {
    let found = (
        answer.status,
        answer.body["error"].as_str(),
        &answer.body["error_codes"],
    );
    assert_eq!(
        found,
        (status, Some(error), &serde_json::json!([code])),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn a_wrong_secret() {
    let (tenant, app) = tenant_with_app().await;
    assert_refused(
        &token_with(&tenant, &app, &[("client_secret", "wrong")]).await,
        401,
        "invalid_client",
        7_000_215,
    );
    app.remove_secret();
    assert_refused(
        &token_with(&tenant, &app, &[]).await,
        401,
        "invalid_client",
        7_000_215,
    );
}

#[tokio::test]
async fn an_expired_secret() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Night job")
        .with_secret_valid_for(Duration::from_secs(3600));
    tenant.clock().advance(Duration::from_secs(3599));
    assert_eq!(token_with(&tenant, &app, &[]).await.status, 200);
    tenant.clock().advance(Duration::from_secs(1));
    assert_refused(
        &token_with(&tenant, &app, &[]).await,
        401,
        "invalid_client",
        7_000_222,
    );
    // A wrong one stays a wrong one.
    assert_refused(
        &token_with(&tenant, &app, &[("client_secret", "wrong")]).await,
        401,
        "invalid_client",
        7_000_215,
    );
    app.with_secret();
    assert_eq!(token_with(&tenant, &app, &[]).await.status, 200);
}

#[tokio::test]
async fn an_unknown_application() {
    let (tenant, app) = tenant_with_app().await;
    for client_id in [
        "11111111-2222-3333-4444-555555555555",
        "no guid",
        &app.object_id().to_string(),
    ] {
        assert_refused(
            &token_with(&tenant, &app, &[("client_id", client_id)]).await,
            400,
            "unauthorized_client",
            700_016,
        );
    }
}

#[tokio::test]
async fn a_disabled_application() {
    let (tenant, app) = tenant_with_app().await;
    app.disable();
    assert_refused(
        &token_with(&tenant, &app, &[]).await,
        400,
        "unauthorized_client",
        7_000_112,
    );
}

#[tokio::test]
async fn a_wrong_tenant() {
    let (tenant, app) = tenant_with_app().await;
    let (client_id, secret) = (app.client_id().to_string(), app.secret());
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &client_id),
        ("client_secret", secret.expose_secret()),
        ("scope", GRAPH_SCOPE),
    ];
    let ask =
        async |name: &str| post_token(&tenant, &format!("/{name}/oauth2/v2.0/token"), &form).await;
    assert_refused(
        &ask("11111111-2222-3333-4444-555555555555").await,
        400,
        "invalid_tenant",
        90_002,
    );
    assert_refused(&ask("fabrikam.com").await, 400, "invalid_tenant", 90_002);
    assert_refused(&ask("fabrikam").await, 400, "invalid_request", 900_023);
    for alias in ["common", "organizations", "consumers"] {
        assert_refused(&ask(alias).await, 400, "invalid_request", 50_059);
    }
    assert_eq!(ask("contoso.com").await.status, 200);
}

#[tokio::test]
async fn a_scope_that_is_not_default() {
    let (tenant, app) = tenant_with_app().await;
    for scope in [
        "https://graph.microsoft.com/User.Read",
        "User.Read",
        "https://graph.microsoft.com/.default offline_access",
        "https%3A%2F%2Fgraph.microsoft.com%2F.default",
    ] {
        assert_refused(
            &token_with(&tenant, &app, &[("scope", scope)]).await,
            400,
            "invalid_scope",
            1_002_012,
        );
    }
    assert_refused(
        &token_with(&tenant, &app, &[("scope", "graph/.default")]).await,
        400,
        "invalid_scope",
        70_011,
    );
}

#[tokio::test]
async fn an_unknown_or_disabled_resource() {
    let (tenant, app) = tenant_with_app().await;
    for scope in [
        "https://api.example/.default",
        "api://nobody/.default",
        "11111111-2222-3333-4444-555555555555/.default",
    ] {
        assert_refused(
            &token_with(&tenant, &app, &[("scope", scope)]).await,
            400,
            "invalid_resource",
            500_011,
        );
    }
    let api = tenant.register_app("API");
    api.disable();
    let scope = format!("{}/.default", api.client_id());
    assert_refused(
        &token_with(&tenant, &app, &[("scope", &scope)]).await,
        400,
        "invalid_resource",
        50_001,
    );
}

#[tokio::test]
async fn a_resource_that_wants_an_assignment() {
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
    assert_refused(
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
async fn missing_parameters() {
    let (tenant, app) = tenant_with_app().await;
    for name in ["grant_type", "client_id", "scope"] {
        let answer = token_with(&tenant, &app, &[(name, "")]).await;
        assert_refused(&answer, 400, "invalid_request", 900_144);
        assert!(
            answer.body["error_description"]
                .as_str()
                .unwrap()
                .contains(&format!("'{name}'"))
        );
    }
    assert_refused(
        &token_with(&tenant, &app, &[("client_secret", "")]).await,
        401,
        "invalid_client",
        7_000_216,
    );
    // JSON in place of a form has no parameters at all.
    let url = format!("{}/contoso.com/oauth2/v2.0/token", tenant.uri());
    let json = http()
        .post(url)
        .json(&serde_json::json!({ "grant_type": "client_credentials" }));
    assert_refused(&answer(json).await, 400, "invalid_request", 900_144);
}

#[tokio::test]
async fn an_unsupported_grant_verb_or_parameter() {
    let (tenant, app) = tenant_with_app().await;
    assert_refused(
        &token_with(&tenant, &app, &[("grant_type", "magic")]).await,
        400,
        "unsupported_grant_type",
        70_003,
    );
    assert_refused(
        &token_with(
            &tenant,
            &app,
            &[("resource", "https://graph.microsoft.com")],
        )
        .await,
        400,
        "invalid_request",
        901_002,
    );
    let wrong_verb = get(&format!("{}/contoso.com/oauth2/v2.0/token", tenant.uri())).await;
    assert_refused(&wrong_verb, 400, "invalid_request", 900_561);
    // Real, but not built: loud, and no success.
    let form = [("grant_type", "refresh_token")];
    let v1 = post_token(&tenant, "/contoso.com/oauth2/token", &form).await;
    assert_eq!(v1.status, 501);
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
    let refused = answer(request).await;

    assert_refused(&refused, 400, "unauthorized_client", 700_016);
    let description = refused.body["error_description"].as_str().unwrap();
    assert!(description.starts_with("AADSTS700016: "));
    assert!(
        refused.text.contains(&format!("\"{description}\"")),
        "escaped: {}",
        refused.text
    );
    assert_eq!(refused.body["correlation_id"], correlation);
    assert_eq!(refused.header("client-request-id"), Some(correlation));
    assert_eq!(
        refused.header("x-ms-request-id"),
        refused.body["trace_id"].as_str()
    );
    assert_eq!(
        refused.body["error_uri"],
        format!("{}/error?code=700016", tenant.uri())
    );
    let timestamp = refused.body["timestamp"].as_str().unwrap();
    assert!(
        timestamp.len() == 20 && &timestamp[10..11] == " " && timestamp.ends_with('Z'),
        "{timestamp}"
    );
    assert!(
        refused
            .header("cache-control")
            .unwrap()
            .contains("no-store")
    );
}

#[tokio::test]
async fn a_request_id_that_is_no_guid_is_not_echoed() {
    let (tenant, app) = tenant_with_app().await;
    let url = format!(
        "{}/contoso.com/oauth2/v2.0/token?client-request-id=x",
        tenant.uri()
    );
    let refused = answer(
        http()
            .post(url)
            .form(&[("client_id", app.client_id().to_string())]),
    )
    .await;
    assert_eq!(refused.body["correlation_id"].as_str().unwrap().len(), 36);
}
