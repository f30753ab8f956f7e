//! Microsoft's own applications: tokens for the APIs of Azure, and the public clients of Microsoft's tools.

use entra_mock::FakeTenant;
use serde_json::json;

use crate::{
    support::{GRAPH_SCOPE, Response, fetch, graph_get, http, post_token, token, token_with},
    users::{ADELE, assert_error, claims},
};

const AZURE_CLI: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
const GRAPH_TOOLS: &str = "14d82eec-204b-4c2f-b7e8-296a70dab67e";
const VAULT: &str = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093";
/// Every way to name the APIs.
const RESOURCES: [&str; 15] = [
    "https://management.core.windows.net/",
    "https://management.azure.com",
    "797f4846-ba00-4fd7-ba43-dac1f8f63013",
    "https://vault.azure.net",
    VAULT,
    "https://storage.azure.com/",
    "e406a681-f3d4-42a8-90b6-c2b029497af1",
    "https://database.windows.net/",
    "022907d3-0f1b-48f7-badc-1ba6abab6d66",
    "https://servicebus.azure.net",
    "80a10ef9-8168-493d-abf9-3297c4ef6e3c",
    "https://eventhubs.azure.net",
    "80369ed6-5f11-4dd9-bef3-692475845e77",
    "https://app.vssps.visualstudio.com",
    "499b84ac-1321-427f-aa17-267ca6975798",
];

/// Signs Adele in on another device.
async fn device(tenant: &FakeTenant, client: &str, scope: &str) -> Response {
    let path = format!("/{}/oauth2/v2.0", tenant.id());
    let form = [("client_id", client), ("scope", scope)];
    let begun = post_token(tenant, &format!("{path}/devicecode"), &form).await;
    assert_eq!(begun.status, 200, "{}", begun.text);
    tenant.approve_device_code(begun.body["user_code"].as_str().unwrap(), ADELE);
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", client),
        ("device_code", begun.body["device_code"].as_str().unwrap()),
    ];
    post_token(tenant, &format!("{path}/token"), &form).await
}

#[tokio::test]
async fn an_application_gets_tokens_for_every_api_at_both_endpoints() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Operator").with_secret();
    for resource in RESOURCES {
        let scope = format!("{resource}/.default");
        let issued = token_with(&tenant, &app, &[("scope", &scope)]).await;
        assert_eq!(issued.status, 200, "{resource}: {}", issued.text);
        assert_eq!(claims(&issued.body["access_token"])["aud"], resource);
        let (id, secret) = (app.client_id().to_string(), app.secret());
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", id.as_str()),
            ("client_secret", secret.expose_secret()),
            ("resource", resource),
        ];
        let path = format!("/{}/oauth2/token", tenant.id());
        let issued = post_token(&tenant, &path, &form).await;
        assert_eq!(issued.status, 200, "{resource}: {}", issued.text);
        assert_eq!(claims(&issued.body["access_token"])["aud"], resource);
    }
}

#[tokio::test]
async fn the_azure_cli_gets_tokens_of_a_user_for_every_api_without_consent() {
    let tenant = FakeTenant::start().await;
    let password = tenant.user(ADELE).password();
    for resource in RESOURCES {
        let scope = format!("{resource}/.default openid offline_access");
        for (endpoint, name, value) in [
            ("oauth2/v2.0/token", "scope", scope.as_str()),
            ("oauth2/token", "resource", resource),
        ] {
            let form = [
                ("grant_type", "password"),
                ("client_id", AZURE_CLI),
                ("username", ADELE),
                ("password", password.expose_secret()),
                (name, value),
            ];
            let path = format!("/{}/{endpoint}", tenant.id());
            let issued = post_token(&tenant, &path, &form).await;
            assert_eq!(issued.status, 200, "{resource} {endpoint}: {}", issued.text);
            let access = claims(&issued.body["access_token"]);
            assert_eq!(access["aud"], resource);
            assert_eq!(access["appid"], AZURE_CLI);
            let scp = access["scp"].as_str().unwrap();
            assert!(scp.contains("user_impersonation"), "{scp}");
        }
    }
}

#[tokio::test]
async fn the_default_client_of_azure_identity_signs_a_user_in_for_graph_and_resource_manager() {
    let tenant = FakeTenant::start().await;
    let graph = device(&tenant, AZURE_CLI, GRAPH_SCOPE).await;
    assert_eq!(graph.status, 200, "{}", graph.text);
    let access = graph.body["access_token"].as_str().unwrap();
    let scopes = claims(&graph.body["access_token"])["scp"].clone();
    assert!(scopes.as_str().unwrap().contains("User.ReadWrite.All"));
    assert_eq!(graph_get(&tenant, access, "/me").await.status, 200);

    let scope = "https://management.core.windows.net//.default offline_access";
    let manager = device(&tenant, AZURE_CLI, scope).await;
    assert_eq!(manager.status, 200, "{}", manager.text);
    let url = format!("{}/subscriptions?api-version=2022-12-01", tenant.uri());
    let access = manager.body["access_token"].as_str().unwrap();
    let listed = fetch(http().get(url).bearer_auth(access)).await;
    assert_eq!(listed.status, 200, "{}", listed.text);
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", AZURE_CLI),
        (
            "refresh_token",
            manager.body["refresh_token"].as_str().unwrap(),
        ),
        ("scope", "https://vault.azure.net/.default"),
    ];
    let path = format!("/{}/oauth2/v2.0/token", tenant.id());
    let vault = post_token(&tenant, &path, &form).await;
    assert_eq!(vault.status, 200, "{}", vault.text);
}

#[tokio::test]
async fn a_browser_comes_back_to_the_azure_cli_on_any_loopback_port() {
    let tenant = FakeTenant::start().await;
    let url = reqwest::Url::parse_with_params(
        &format!("{}/organizations/oauth2/v2.0/authorize", tenant.uri()),
        [
            ("client_id", AZURE_CLI),
            ("response_type", "code"),
            ("redirect_uri", "http://localhost:8400"),
            (
                "scope",
                "https://management.core.windows.net//.default openid",
            ),
        ],
    );
    let back = tenant.sign_in_at(url.unwrap().as_str(), ADELE);
    assert!(back.parameter("code").is_some());
}

#[tokio::test]
async fn a_client_of_microsoft_has_only_what_is_preauthorized_or_what_users_consent_to() {
    let tenant = FakeTenant::start().await;
    let password = tenant.user(ADELE).password();
    let by_password = async |client: &str, scope: &str| {
        let form = [
            ("grant_type", "password"),
            ("client_id", client),
            ("username", ADELE),
            ("password", password.expose_secret()),
            ("scope", scope),
        ];
        let path = format!("/{}/oauth2/v2.0/token", tenant.id());
        post_token(&tenant, &path, &form).await
    };
    let rejected = by_password(AZURE_CLI, "https://graph.microsoft.com/User.Read").await;
    assert_error(&rejected, 400, "invalid_request", 65_002);
    let without = by_password(GRAPH_TOOLS, "User.Read").await;
    assert_error(&without, 400, "invalid_grant", 65_001);

    // Adele consents on the page, and from then on the directory lists the client.
    let reader = tenant
        .register_app("Reader")
        .application_permission("Application.Read.All")
        .with_secret();
    let reader = token(&tenant, &reader).await;
    let path = format!("/servicePrincipals(appId='{GRAPH_TOOLS}')");
    assert_eq!(graph_get(&tenant, &reader, &path).await.status, 404);
    assert_eq!(device(&tenant, GRAPH_TOOLS, "User.Read").await.status, 200);
    assert_eq!(by_password(GRAPH_TOOLS, "User.Read").await.status, 200);
    let listed = graph_get(&tenant, &reader, &path).await;
    assert_eq!(
        listed.body["displayName"],
        "Microsoft Graph Command Line Tools"
    );
}

#[tokio::test]
async fn an_application_of_the_tenant_uses_an_api_after_consent() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Vault browser")
        .application_permission("Application.Read.All")
        .with_secret();
    let scope = "https://vault.azure.net/user_impersonation";
    let tokens = tenant.tokens_for(&app, ADELE, [scope]);
    let access = claims(&json!(tokens.access_token().expose_secret()));
    assert_eq!(access["aud"], "https://vault.azure.net");
    assert_eq!(access["scp"], "user_impersonation");
    let reader = token(&tenant, &app).await;
    let path = format!("/servicePrincipals(appId='{VAULT}')");
    let listed = graph_get(&tenant, &reader, &path).await;
    assert_eq!(listed.status, 200, "{}", listed.text);
    let scopes = &listed.body["oauth2PermissionScopes"];
    assert_eq!(scopes[0]["id"], "f53da476-18e3-4152-8e01-aec403e6edc0");
}
