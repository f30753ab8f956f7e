//! Azure Resource Manager, as much of it as the Azure CLI needs.

use std::time::Duration;

use entra_mock::{App, FakeTenant};
use serde_json::json;

use crate::support::{GRAPH_SCOPE, Response, fetch, get, graph_get, http, token_with};

const SCOPE: &str = "https://management.core.windows.net//.default";

async fn tenant() -> (FakeTenant, App) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Operator")
        .application_permission("User.Read.All")
        .with_secret();
    (tenant, app)
}

async fn token(tenant: &FakeTenant, app: &App, scope: &str) -> String {
    let response = token_with(tenant, app, &[("scope", scope)]).await;
    assert_eq!(response.status, 200, "{}", response.text);
    response.body["access_token"].as_str().unwrap().to_owned()
}

async fn at(tenant: &FakeTenant, token: &str, path: &str) -> Response {
    let url = format!("{}{path}?api-version=2022-12-01", tenant.uri());
    fetch(http().get(url).bearer_auth(token)).await
}

#[tokio::test]
async fn the_metadata_of_a_cloud_leads_the_azure_cli_to_the_tenant() {
    let tenant = FakeTenant::start().await;
    let uri = tenant.uri();
    let url = |version: &str| format!("{uri}/metadata/endpoints?api-version={version}");
    let cloud = get(&url("2022-09-01")).await.body;
    assert_eq!(cloud["authentication"]["loginEndpoint"], uri);
    assert_eq!(
        cloud["authentication"]["audiences"][0],
        "https://management.core.windows.net/"
    );
    for name in ["resourceManager", "microsoftGraphResourceId"] {
        assert_eq!(cloud[name], format!("{uri}/"), "{name}");
    }
    assert!(cloud["name"].is_string() && cloud["suffixes"].is_object());
    // Older versions list all clouds; a trailing slash of the endpoint is doubled.
    assert_eq!(get(&url("2019-05-01")).await.body, json!([cloud]));
    let doubled = format!("{uri}//metadata/endpoints?api-version=2022-09-01");
    assert_eq!(get(&doubled).await.body, cloud);
    let without = get(&format!("{uri}/metadata/endpoints")).await;
    assert_eq!(
        (without.status, &without.body["error"]["code"]),
        (400, &json!("MissingApiVersionParameter"))
    );
}

#[tokio::test]
async fn an_application_without_a_permission_sees_the_subscription_and_its_tenant() {
    let (tenant, app) = tenant().await;
    for scope in [
        SCOPE,
        "https://management.core.windows.net/.default",
        "https://management.azure.com/.default",
        "797f4846-ba00-4fd7-ba43-dac1f8f63013/.default",
    ] {
        let token = token(&tenant, &app, scope).await;
        let listed = at(&tenant, &token, "/subscriptions").await;
        assert_eq!(listed.status, 200, "{scope}: {}", listed.text);
        let subscription = &listed.body["value"][0];
        assert_eq!(subscription["tenantId"], tenant.id().to_string());
        assert_eq!(subscription["state"], "Enabled");
        let one = at(&tenant, &token, subscription["id"].as_str().unwrap()).await;
        assert_eq!(&one.body, subscription);
        let tenants = at(&tenant, &token, "/tenants").await.body;
        assert_eq!(tenants["value"][0]["tenantId"], tenant.id().to_string());
        assert_eq!(tenants["value"][0]["defaultDomain"], "contoso.com");
    }
}

#[tokio::test]
async fn a_token_is_for_graph_or_for_resource_manager_and_expires() {
    let (tenant, app) = tenant().await;
    let (own, graph) = (
        token(&tenant, &app, SCOPE).await,
        token(&tenant, &app, GRAPH_SCOPE).await,
    );
    assert_eq!(graph_get(&tenant, &graph, "/users").await.status, 200);
    assert_eq!(graph_get(&tenant, &own, "/users").await.status, 401);
    tenant.clock().advance(Duration::from_secs(60));
    for (token, code) in [
        (graph.as_str(), "InvalidAuthenticationTokenAudience"),
        ("canary.of.nothing", "InvalidAuthenticationToken"),
        ("", "AuthenticationFailed"),
    ] {
        let rejected = at(&tenant, token, "/subscriptions").await;
        assert_eq!(
            (rejected.status, &rejected.body["error"]["code"]),
            (401, &json!(code))
        );
        let challenge = rejected.header("www-authenticate").unwrap();
        assert!(
            challenge.contains(&format!(
                "authorization_uri=\"{}/{}\"",
                tenant.uri(),
                tenant.id()
            )),
            "{challenge}"
        );
    }
    tenant.clock().advance(Duration::from_secs(25 * 3600));
    let expired = at(&tenant, &own, "/subscriptions").await;
    assert_eq!(
        (expired.status, &expired.body["error"]["code"]),
        (401, &json!("ExpiredAuthenticationToken"))
    );
}

#[tokio::test]
async fn the_parameter_resource_can_name_resource_manager_for_its_own_scope() {
    let (tenant, app) = tenant().await;
    for (scope, resource, status) in [
        (SCOPE, "https://management.core.windows.net/", 200),
        (SCOPE, "https://graph.microsoft.com", 400),
        (GRAPH_SCOPE, "https://management.core.windows.net/", 400),
    ] {
        let response = token_with(&tenant, &app, &[("scope", scope), ("resource", resource)]).await;
        assert_eq!(
            response.status, status,
            "{scope} {resource}: {}",
            response.text
        );
    }
}

#[tokio::test]
async fn other_requests_to_resource_manager_are_not_found_or_not_supported() {
    let (tenant, app) = tenant().await;
    let token = token(&tenant, &app, SCOPE).await;
    let other = "/subscriptions/11111111-1111-1111-1111-111111111111";
    let unknown = at(&tenant, &token, other).await;
    assert_eq!(
        (unknown.status, &unknown.body["error"]["code"]),
        (404, &json!("SubscriptionNotFound"))
    );
    let below = at(&tenant, &token, &format!("{other}/resourceGroups")).await;
    assert_eq!(below.body["error"]["code"], "SubscriptionNotFound");
    let own = "/subscriptions/00000000-0000-0000-0000-000000000000";
    let groups = at(&tenant, &token, &format!("{own}/resourceGroups")).await;
    assert_eq!(
        (groups.status, &groups.body["error"]["code"]),
        (501, &json!("NotImplemented"))
    );
    let url = format!("{}/subscriptions?api-version=2022-12-01", tenant.uri());
    let post = fetch(http().post(url).bearer_auth(&token)).await;
    assert_eq!(post.status, 501, "{}", post.text);
    // Without a version of Resource Manager, at an address that is not its own, it is a path of Graph without its version.
    let url = format!("{}/subscriptions", tenant.uri());
    let graph = fetch(http().get(url).bearer_auth(&token)).await;
    assert_eq!(
        (graph.status, &graph.body["error"]["message"]),
        (400, &json!("Invalid version: subscriptions"))
    );
}

#[tokio::test]
async fn a_tenant_without_resources_has_no_resource_providers() {
    let (tenant, app) = tenant().await;
    let token = token(&tenant, &app, SCOPE).await;
    let own = "/subscriptions/00000000-0000-0000-0000-000000000000";
    for path in ["/providers".to_owned(), format!("{own}/providers")] {
        let listed = at(&tenant, &token, &path).await;
        assert_eq!(
            (listed.status, &listed.body),
            (200, &json!({"value": []})),
            "{path}"
        );
        let one = at(&tenant, &token, &format!("{path}/Microsoft.Compute")).await;
        assert_eq!(
            (one.status, &one.body["error"]["code"]),
            (404, &json!("InvalidResourceNamespace")),
            "{path}"
        );
    }
    assert_eq!(at(&tenant, "", "/providers").await.status, 401);
}

#[tokio::test]
async fn every_path_at_the_real_address_is_one_of_resource_manager() {
    let (tenant, app) = tenant().await;
    let token = token(&tenant, &app, SCOPE).await;
    let at_real_address = |path: &str| {
        let request = http().get(format!("{}{path}", tenant.uri()));
        fetch(
            request
                .header("host", "management.azure.com")
                .bearer_auth(&token),
        )
    };
    for (path, status, code) in [
        ("/providers", 400, "MissingApiVersionParameter"),
        ("/users", 400, "MissingApiVersionParameter"),
        ("/batch?api-version=2020-06-01", 501, "NotImplemented"),
    ] {
        let response = at_real_address(path).await;
        assert_eq!(
            (response.status, &response.body["error"]["code"]),
            (status, &json!(code)),
            "{path}: {}",
            response.text
        );
    }
    let listed = at_real_address("/providers?api-version=2022-12-01").await;
    assert_eq!(listed.status, 200, "{}", listed.text);
}
