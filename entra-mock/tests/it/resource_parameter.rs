//! The parameter `resource` of clients of MCP servers, and the metadata that they probe for.

use entra_mock::{App, FakeTenant, ResourceRule};

use crate::{
    support::{fetch, get, http, token_with},
    users::{
        ADELE, Browser, CALLBACK, assert_error, authorize_url, claims, parameter, redeem,
        redeem_code, returned,
    },
};

const URL: &str = "https://tools.contoso.com/mcp";

struct Case {
    tenant: FakeTenant,
    tools: App,
    client: App,
}

/// An MCP server whose URL is one of its Application ID URIs, and a client.
async fn case(rule: ResourceRule) -> Case {
    let tenant = FakeTenant::builder().resource_rule(rule).start().await;
    let tools = tenant
        .register_app("Tools")
        .with_v2_tokens()
        .identifier_uri(URL)
        .expose_scope("Tools.Read");
    let client = tenant
        .register_app("Client")
        .redirect_uri(CALLBACK)
        .delegated_permission("User.Read")
        .delegated_permission_of(&tools, "Tools.Read")
        .with_secret();
    Case {
        tenant,
        tools,
        client,
    }
}

impl Case {
    fn scope(&self) -> String {
        format!("{URL}/Tools.Read offline_access")
    }

    fn url(&self, scope: &str, resource: &str) -> String {
        let changes = [("scope", scope), ("resource", resource)];
        authorize_url(&self.tenant, &self.client, &changes)
    }

    fn code(&self, resource: &str) -> String {
        let url = self.url(&self.scope(), resource);
        self.tenant
            .sign_in_at(&url, ADELE)
            .parameter("code")
            .unwrap()
    }
}

#[tokio::test]
async fn an_application_id_uri_of_the_scopes_owner_is_accepted_in_every_request() {
    let case = case(ResourceRule::default()).await;
    let api_uri = format!("api://{}", case.tools.client_id());
    for resource in [URL, api_uri.as_str(), ""] {
        let code = case.code(resource);
        let sent = ("resource", resource);
        let tokens = redeem_code(&case.tenant, &case.client, &code, &[sent]).await;
        assert_eq!(tokens.status, 200, "{}", tokens.text);
        let access = claims(&tokens.body["access_token"]);
        assert_eq!(access["aud"], case.tools.client_id().to_string());
        assert_eq!(access["scp"], "Tools.Read");
        let fields = [
            ("grant_type", "refresh_token"),
            (
                "refresh_token",
                tokens.body["refresh_token"].as_str().unwrap(),
            ),
            sent,
        ];
        let refreshed = redeem(&case.tenant, &case.client, true, &fields).await;
        assert_eq!(refreshed.status, 200, "{}", refreshed.text);
    }
    // Client credentials of an agent, and Graph by its own URI.
    let default = format!("{URL}/.default");
    let own = [("scope", default.as_str()), ("resource", URL)];
    assert_eq!(
        token_with(&case.tenant, &case.client, &own).await.status,
        200
    );
    let graph = [("resource", "https://graph.microsoft.com")];
    assert_eq!(
        token_with(&case.tenant, &case.client, &graph).await.status,
        200
    );
}

#[tokio::test]
async fn another_resource_than_the_scopes_owner_returns_aadsts_9010010() {
    let case = case(ResourceRule::default()).await;
    let full = case.scope();
    let client_id = case.tools.client_id().to_string();
    for (scope, resource) in [
        (full.as_str(), "https://tools.contoso.com/mcp/"),
        (full.as_str(), "https://tools.contoso.com"),
        (full.as_str(), "https://Tools.contoso.com/mcp"),
        (full.as_str(), "https://graph.microsoft.com"),
        // No Application ID URI.
        (full.as_str(), client_id.as_str()),
        // A bare name is a scope of Graph.
        ("User.Read", URL),
        // No API at all.
        ("openid profile offline_access", URL),
    ] {
        let mut browser = Browser::default();
        let parameters = returned(&browser.get(&case.url(scope, resource)).await);
        assert_eq!(
            parameter(&parameters, "error"),
            "invalid_target",
            "{resource}"
        );
        let text = parameter(&parameters, "error_description");
        assert!(text.starts_with("AADSTS9010010: "), "{text}");
        assert_eq!(parameter(&parameters, "state"), "a b&c");
    }
    // At the token endpoint, where the code is still valid after it.
    let code = case.code(URL);
    let wrong = [("resource", "https://tools.contoso.com/mcp/")];
    let response = redeem_code(&case.tenant, &case.client, &code, &wrong).await;
    assert_error(&response, 400, "invalid_target", 9_010_010);
    let tokens = redeem_code(&case.tenant, &case.client, &code, &[]).await;
    let refresh = tokens.body["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let response = redeem(
        &case.tenant,
        &case.client,
        true,
        &[&fields[..], &wrong].concat(),
    )
    .await;
    assert_error(&response, 400, "invalid_target", 9_010_010);
    let response = token_with(&case.tenant, &case.client, &wrong).await;
    assert_error(&response, 400, "invalid_target", 9_010_010);
}

#[tokio::test]
async fn a_wrong_resource_comes_before_missing_consent_and_after_the_redirect_uri() {
    let case = case(ResourceRule::default()).await;
    let other = case.tenant.register_app("Other").expose_scope("Other.Read");
    let scope = format!("api://{}/Other.Read", other.client_id());
    let mut browser = Browser::default();
    let parameters = returned(&browser.get(&case.url(&scope, URL)).await);
    assert_eq!(parameter(&parameters, "error"), "invalid_target");
    let url = case
        .url(&scope, URL)
        .replace("shop.example", "evil.example");
    let page = browser.get(&url).await;
    assert!(
        page.status == 400 && page.text.contains("AADSTS50011"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn the_rule_of_the_resource_can_be_set() {
    let old = case(ResourceRule::Rejected).await;
    let mut browser = Browser::default();
    let parameters = returned(&browser.get(&old.url(&old.scope(), URL)).await);
    let text = parameter(&parameters, "error_description");
    assert!(text.starts_with("AADSTS901002: "), "{text}");
    let sent = [("resource", "https://graph.microsoft.com")];
    let response = token_with(&old.tenant, &old.client, &sent).await;
    assert_error(&response, 400, "invalid_request", 901_002);
    let code = old.code("");
    let response = redeem_code(&old.tenant, &old.client, &code, &[("resource", URL)]).await;
    assert_error(&response, 400, "invalid_request", 901_002);

    let ignored = case(ResourceRule::Ignored).await;
    let code = ignored.code("https://anything.example");
    let tokens = redeem_code(
        &ignored.tenant,
        &ignored.client,
        &code,
        &[("resource", "x")],
    )
    .await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
}

#[tokio::test]
async fn metadata_that_entra_does_not_have_is_not_found() {
    let case = case(ResourceRule::default()).await;
    let (base, id) = (case.tenant.uri(), case.tenant.id());
    for path in [
        format!("/.well-known/oauth-authorization-server/{id}/v2.0"),
        format!("/.well-known/openid-configuration/{id}/v2.0"),
        format!("/{id}/v2.0/.well-known/oauth-authorization-server"),
        format!("/{id}/.well-known/oauth-authorization-server"),
        "/.well-known/oauth-authorization-server".to_owned(),
        "/.well-known/openid-configuration".to_owned(),
        "/.well-known/oauth-protected-resource".to_owned(),
        "/.well-known/oauth-protected-resource/v1.0/me".to_owned(),
        "/.Well-Known/oauth-authorization-server".to_owned(),
    ] {
        for method in ["GET", "HEAD", "OPTIONS"] {
            let request = http().request(method.parse().unwrap(), format!("{base}{path}"));
            assert_eq!(fetch(request).await.status, 404, "{method} {path}");
        }
    }
    let found = get(&format!(
        "{base}/{id}/v2.0/.well-known/openid-configuration"
    ))
    .await;
    assert_eq!(found.status, 200);
    // S256 works, but the metadata does not say so.
    assert_eq!(found.body.get("code_challenge_methods_supported"), None);
    assert_eq!(found.body.get("registration_endpoint"), None);
}

#[cfg(feature = "server")]
#[tokio::test]
async fn the_rule_of_the_resource_is_an_option_of_the_server() {
    for (rule, code) in [
        (ResourceRule::Rejected, Some(901_002)),
        (ResourceRule::Ignored, None),
        (ResourceRule::ApplicationIdUri, Some(9_010_010)),
    ] {
        let server = entra_mock::Server::builder().resource_rule(rule);
        let server = server.start().await.unwrap();
        let url = format!("{}/{}/oauth2/v2.0/token", server.uri(), server.tenant_id());
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", server.client_id()),
            ("client_secret", server.client_secret().expose_secret()),
            ("scope", crate::support::GRAPH_SCOPE),
            ("resource", URL),
        ];
        let response = fetch(http().post(url).form(&form)).await;
        match code {
            Some(code) => assert_eq!(response.body["error_codes"][0], code, "{}", response.text),
            None => assert_eq!(response.status, 200, "{}", response.text),
        }
        server.stop().await;
    }
}
