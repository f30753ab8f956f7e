//! An API whose clients find out from its responses how to get tokens (RFC 9728).

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode},
    routing::get,
};
use entra_auth::{
    ErrorKind,
    validate::ProtectedResource,
    web::{BearerAuthLayer, BearerAuthRejection, Caller, metadata_routes},
};
use entra_mock::{App, FakeTenant};
use serde_json::{Value, json};

use crate::{
    support::{CLIENT, TENANT},
    web_browser::{SiteResponse, call},
};

const URL: &str = "https://tools.contoso.com/mcp";
const PLACE: &str =
    r#"resource_metadata="https://tools.contoso.com/.well-known/oauth-protected-resource/mcp""#;

struct Api {
    tenant: FakeTenant,
    api: App,
    client: App,
    routes: Router,
}

/// An API with a route for readers, and a handler that requires more of some requests.
async fn api() -> Api {
    let tenant = FakeTenant::start().await;
    let api = tenant
        .register_app("Tools")
        .expose_scope("Tools.Read")
        .expose_scope("Tools.Write");
    let client = tenant
        .register_app("Client")
        .delegated_permission_of(&api, "Tools.Read");
    let resource = ProtectedResource::builder(URL, tenant.id(), api.client_id())
        .cloud(tenant.cloud())
        .scopes(["Tools.Read", "Tools.Write"])
        .build()
        .unwrap();
    let validator = resource.token_validator().clock(tenant.clock());
    let tokens = BearerAuthLayer::new(validator.build().unwrap());
    let tokens = tokens.protected_resource(&resource);
    let write = async |caller: Caller| -> Result<String, BearerAuthRejection> {
        caller.token().require_scope(&["Tools.Write"])?;
        Ok("written".to_owned())
    };
    let step_up = async |_: Caller| -> Result<String, BearerAuthRejection> {
        Err(BearerAuthRejection::claims_challenge("{}"))
    };
    let guarded = Router::new()
        .route("/mcp", get(async |_: Caller| "read"))
        .route("/mcp/write", get(write))
        .route("/mcp/step-up", get(step_up))
        .route_layer(tokens.clone().scopes(["Tools.Read", "api://other/Read"]));
    let open = Router::new()
        .route("/mcp/any", get(async |_: Caller| "any"))
        .route("/mcp/teapot", get(async |_: Caller| StatusCode::FORBIDDEN))
        .route_layer(tokens.clone());
    let jobs = Router::new()
        .route("/mcp/jobs", get(async |_: Caller| "job"))
        .route_layer(tokens.app_permissions(["Tools.Run"]));
    let routes = Router::new()
        .merge(guarded)
        .merge(open)
        .merge(jobs)
        .merge(metadata_routes([resource]).unwrap());
    Api {
        tenant,
        api,
        client,
        routes,
    }
}

impl Api {
    async fn send(&self, method: Method, path: &str, token: Option<&str>) -> SiteResponse {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        call(&self.routes, request.body(Body::empty()).unwrap()).await
    }

    fn token(&self, scope: &str) -> String {
        let scope = format!("api://{}/{scope}", self.api.client_id());
        let user = "adele@contoso.com";
        let tokens = self.tenant.tokens_for(&self.client, user, [scope]);
        tokens.access_token().expose_secret().to_owned()
    }
}

#[tokio::test]
async fn each_rejection_says_where_the_metadata_is_and_which_scopes_a_request_needs() {
    let api = api().await;
    let token = api.token("Tools.Read");
    let scope = r#"scope="https://tools.contoso.com/mcp/Tools.Read api://other/Read""#;
    let error = |code: &str, description: &str| {
        format!(r#"Bearer error="{code}", error_description="{description}", {PLACE}"#)
    };
    let lacks = error("insufficient_scope", "The token lacks a scope");
    for (path, token, status, expected) in [
        ("/mcp", None, 401, format!("Bearer {PLACE}, {scope}")),
        ("/mcp/any", None, 401, format!("Bearer {PLACE}")),
        (
            "/mcp",
            Some("not.a.token"),
            401,
            format!(
                "{}, {scope}",
                error("invalid_token", "The token is malformed")
            ),
        ),
        // By the layer and by a handler.
        (
            "/mcp/jobs",
            Some(token.as_str()),
            403,
            error("insufficient_scope", "An app-only token is required"),
        ),
        (
            "/mcp/write",
            Some(token.as_str()),
            403,
            format!(r#"{lacks}, scope="https://tools.contoso.com/mcp/Tools.Write""#),
        ),
        (
            "/mcp/step-up",
            Some(token.as_str()),
            401,
            format!(r#"Bearer error="insufficient_claims", claims="e30=", {PLACE}, {scope}"#),
        ),
        // A status of the application's own.
        ("/mcp/teapot", Some(token.as_str()), 403, String::new()),
        ("/mcp", Some(token.as_str()), 200, String::new()),
    ] {
        let response = api.send(Method::GET, path, token).await;
        assert_eq!(response.status.as_u16(), status, "{path}");
        assert_eq!(response.header("www-authenticate"), expected, "{path}");
    }
    // Clients probe with other methods, too.
    for method in [Method::HEAD, Method::GET] {
        let response = api.send(method, "/mcp", None).await;
        assert!(response.header("www-authenticate").contains(PLACE));
    }
}

#[tokio::test]
async fn a_token_with_the_client_id_or_with_the_uri_as_its_audience_is_accepted() {
    let api = api().await;
    for version in ["1.0", "2.0"] {
        if version == "2.0" {
            api.api.with_v2_tokens();
        }
        let token = api.token("Tools.Read");
        let response = api.send(Method::GET, "/mcp", Some(&token)).await;
        assert_eq!(
            (response.status, response.body.as_str()),
            (StatusCode::OK, "read")
        );
    }
    // A token of another API of the same tenant.
    let other = api.tenant.register_app("Other").expose_scope("Tools.Read");
    let scope = format!("api://{}/Tools.Read", other.client_id());
    let tokens = api
        .tenant
        .tokens_for(&api.client, "adele@contoso.com", [scope]);
    let token = tokens.access_token().expose_secret();
    let response = api.send(Method::GET, "/mcp", Some(token)).await;
    assert_eq!(response.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_metadata_is_served_at_the_path_form_and_for_a_single_api_at_the_root_form() {
    let api = api().await;
    for path in [
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-protected-resource",
    ] {
        let response = api.send(Method::GET, path, None).await;
        assert_eq!(response.status, StatusCode::OK);
        assert_eq!(response.header("content-type"), "application/json");
        assert_eq!(response.header("access-control-allow-origin"), "*");
        let metadata: Value = serde_json::from_str(&response.body).unwrap();
        let server = format!("{}/{}/v2.0", api.tenant.uri(), api.tenant.id());
        assert_eq!(metadata["resource"], URL);
        assert_eq!(metadata["authorization_servers"], json!([server]));
        assert_eq!(
            metadata["scopes_supported"],
            json!([format!("{URL}/Tools.Read"), format!("{URL}/Tools.Write")])
        );
        let posted = api.send(Method::POST, path, None).await;
        assert_eq!(posted.status, StatusCode::METHOD_NOT_ALLOWED);
        let preflight = api.send(Method::OPTIONS, path, None).await;
        assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    }
}

#[tokio::test]
async fn several_apis_at_one_origin_have_documents_of_their_own_and_none_at_the_root() {
    let at = |url: &str| {
        let resource = ProtectedResource::builder(url, TENANT, CLIENT);
        resource.build().unwrap()
    };
    let (a, b) = (
        at("https://tools.contoso.com/a"),
        at("https://tools.contoso.com/b"),
    );
    let routes: Router = metadata_routes([a.clone(), b]).unwrap();
    let status = async |routes: &Router, path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = call(routes, request).await;
        (response.status.as_u16(), response.body)
    };
    for (path, resource) in [
        ("/a", "https://tools.contoso.com/a"),
        ("/b", "https://tools.contoso.com/b"),
    ] {
        let path = format!("/.well-known/oauth-protected-resource{path}");
        let (status, body) = status(&routes, &path).await;
        let metadata: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &metadata["resource"]), (200, &json!(resource)));
    }
    let root = "/.well-known/oauth-protected-resource";
    assert_eq!(status(&routes, root).await.0, 404);
    // Unless one of them has no path.
    let routes: Router = metadata_routes([a.clone(), at("https://tools.contoso.com")]).unwrap();
    assert_eq!(status(&routes, root).await.0, 200);
    let error = metadata_routes::<()>([a.clone(), a]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

#[test]
fn a_path_that_no_route_can_have_is_an_error_and_no_panic() {
    for path in ["/:tenant/mcp", "/mcp/*", "/*mcp", "/a/:b"] {
        let url = format!("https://tools.contoso.com{path}");
        let resource = ProtectedResource::builder(url, TENANT, CLIENT);
        let error = metadata_routes::<()>([resource.build().unwrap()]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{path}");
        assert!(error.fix().unwrap().contains("metadata_response"), "{path}");
    }
    // Within a segment they mean nothing to a router.
    let resource = ProtectedResource::builder("https://tools.contoso.com/a:b/c*", TENANT, CLIENT);
    drop(metadata_routes::<()>([resource.build().unwrap()]).unwrap());
}
