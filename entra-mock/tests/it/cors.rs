//! Scripts of other origins: what a browser lets a single-page application read.

use entra_mock::{App, FakeTenant};

use crate::{
    support::{Response, fetch, get, http, token},
    users::{ADELE, CALLBACK, VERIFIER, assert_error, authorize_url},
};

const ORIGIN: &str = "https://shop.example";

async fn spa() -> (FakeTenant, App) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Shop")
        .spa_redirect_uri(CALLBACK)
        .delegated_permission("User.Read");
    (tenant, app)
}

/// Redeems a code as a script does, without a secret.
async fn redeem(tenant: &FakeTenant, app: &App, code: &str, origin: Option<&str>) -> Response {
    let client_id = app.client_id().to_string();
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", client_id.as_str()),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let url = format!("{}/{}/oauth2/v2.0/token", tenant.uri(), tenant.id());
    let request = http().post(url).form(&form);
    fetch(match origin {
        Some(origin) => request.header("origin", origin),
        None => request,
    })
    .await
}

fn code(tenant: &FakeTenant, app: &App) -> String {
    let back = tenant.sign_in_at(&authorize_url(tenant, app, &[]), ADELE);
    back.parameter("code").unwrap()
}

#[tokio::test]
async fn the_token_endpoint_is_readable_for_single_page_applications_only() {
    let (tenant, app) = spa().await;
    let tokens = redeem(&tenant, &app, &code(&tenant, &app), Some(ORIGIN)).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    assert_eq!(tokens.header("access-control-allow-origin"), Some(ORIGIN));
    assert_eq!(tokens.header("vary"), Some("Origin"));
    let unknown = redeem(
        &tenant,
        &app,
        &format!("1.A{}", "x".repeat(80)),
        Some(ORIGIN),
    )
    .await;
    assert_error(&unknown, 400, "invalid_grant", 70_000);
    assert_eq!(unknown.header("access-control-allow-origin"), Some(ORIGIN));

    let without = redeem(&tenant, &app, &code(&tenant, &app), None).await;
    assert_error(&without, 400, "invalid_request", 9_002_327);
    assert_eq!(without.header("access-control-allow-origin"), None);

    let web = tenant
        .register_app("Web")
        .redirect_uri(CALLBACK)
        .delegated_permission("User.Read");
    let rejected = redeem(&tenant, &web, &code(&tenant, &web), Some(ORIGIN)).await;
    assert_error(&rejected, 400, "invalid_request", 9_002_326);
    assert_eq!(rejected.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn a_script_gets_no_token_by_a_client_secret() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Job")
        .application_permission("User.Read.All")
        .with_secret();
    let (client_id, secret) = (app.client_id().to_string(), app.secret());
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client_id.as_str()),
        ("client_secret", secret.expose_secret()),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let url = format!("{}/{}/oauth2/v2.0/token", tenant.uri(), tenant.id());
    let request = || http().post(&url).form(&form);
    let rejected = fetch(request().header("origin", ORIGIN)).await;
    assert_error(&rejected, 400, "invalid_request", 9_002_326);
    assert_eq!(fetch(request()).await.status, 200);
}

async fn preflight(tenant: &FakeTenant, path: &str, method: &str, headers: &str) -> Response {
    let request = http()
        .request(reqwest::Method::OPTIONS, format!("{}{path}", tenant.uri()))
        .header("origin", ORIGIN)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", headers);
    fetch(request).await
}

#[tokio::test]
async fn graph_responds_to_a_preflight_without_a_token() {
    let (tenant, _) = spa().await;
    let wanted = "authorization,consistencylevel,content-type";
    let reply = preflight(&tenant, "/v1.0/users", "PATCH", wanted).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    assert_eq!(reply.header("access-control-allow-headers"), Some(wanted));
    let methods = reply.header("access-control-allow-methods").unwrap();
    assert!(
        methods.split(',').any(|method| method == "PATCH"),
        "{methods}"
    );
    assert_eq!(reply.text, "");
    let path = format!("/{}/oauth2/v2.0/token", tenant.id());
    let reply = preflight(&tenant, &path, "POST", "content-type").await;
    assert_eq!(reply.header("access-control-allow-origin"), Some(ORIGIN));
    // A page is never for scripts.
    let path = format!("/{}/oauth2/v2.0/authorize", tenant.id());
    let reply = preflight(&tenant, &path, "GET", "x").await;
    assert_eq!(reply.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn every_response_of_graph_is_readable_and_hides_retry_after() {
    let (tenant, _) = spa().await;
    let app = tenant
        .register_app("Reader")
        .application_permission("User.Read.All")
        .with_secret();
    let jwt = token(&tenant, &app).await;
    let url = format!("{}/v1.0/users", tenant.uri());
    let send = async |request: reqwest::RequestBuilder| fetch(request).await;
    let listed = send(http().get(&url).bearer_auth(&jwt).header("origin", ORIGIN)).await;
    let denied = send(http().get(&url).header("origin", ORIGIN)).await;
    tenant.inject(entra_mock::Fault::on("/users").times(1).status(429));
    let throttled = send(http().get(&url).bearer_auth(&jwt).header("origin", ORIGIN)).await;
    for (response, status) in [(listed, 200), (denied, 401), (throttled, 429)] {
        assert_eq!(response.status, status);
        let allowed = response.header("access-control-allow-origin");
        assert_eq!(allowed, Some("*"), "{status}");
        let exposed = response.header("access-control-expose-headers").unwrap();
        assert!(exposed.contains("request-id") && !exposed.contains("Retry-After"));
    }
    // A request without an origin does not come from a script of another one.
    let plain = send(http().get(&url).bearer_auth(&jwt)).await;
    assert_eq!(plain.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn user_info_is_readable_from_every_origin() {
    let (tenant, app) = spa().await;
    let tokens = tenant.tokens_for(&app, ADELE, ["openid", "User.Read"]);
    for path in [
        "/oidc/userinfo".to_owned(),
        format!("/{}/openid/userinfo", tenant.id()),
    ] {
        let asked = preflight(&tenant, &path, "GET", "authorization").await;
        assert_eq!(asked.status, 200, "{path}");
        assert_eq!(
            asked.header("access-control-allow-headers"),
            Some("authorization")
        );
        let url = format!("{}{path}", tenant.uri());
        let get = || http().get(&url).header("origin", ORIGIN);
        let token = tokens.access_token().expose_secret();
        for (request, status) in [(get().bearer_auth(token), 200), (get(), 401)] {
            let reply = fetch(request).await;
            assert_eq!(reply.status, status, "{path}: {}", reply.text);
            assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
        }
    }
}

#[tokio::test]
async fn discovery_and_keys_are_readable_from_every_origin() {
    let (tenant, _) = spa().await;
    let authority = format!("{}/{}", tenant.uri(), tenant.id());
    let endpoint = format!("{authority}/oauth2/v2.0/authorize");
    for url in [
        format!("{authority}/v2.0/.well-known/openid-configuration"),
        format!("{authority}/discovery/v2.0/keys"),
        format!(
            "{}/nowhere.example/v2.0/.well-known/openid-configuration",
            tenant.uri()
        ),
        format!(
            "{}/common/discovery/instance?api-version=1.1&authorization_endpoint={endpoint}",
            tenant.uri()
        ),
    ] {
        let response = get(&url).await;
        assert_eq!(
            response.header("access-control-allow-origin"),
            Some("*"),
            "{url}"
        );
    }
}
