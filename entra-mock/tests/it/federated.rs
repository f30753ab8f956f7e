//! Federated credentials and the managed identity endpoint, as a client sees them.

use entra_mock::FakeTenant;
use serde_json::json;

use crate::support::{GRAPH_SCOPE, fetch, http, post_token};

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const SUBJECT: &str = "repo:contoso/shop:environment:production";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[tokio::test]
async fn a_federated_token_is_valid_only_for_the_application_that_trusts_it() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Deploy")
        .with_federated_credential(ISSUER, "another subject")
        .with_federated_credential_for(ISSUER, SUBJECT, "my-audience");
    let other = tenant
        .register_app("Other")
        .with_federated_credential("https://other.example.com", SUBJECT);
    let path = format!("/{}/oauth2/v2.0/token", tenant.id());
    let request = async |client: String, token: String| {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &client),
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", &token),
            ("scope", GRAPH_SCOPE),
        ];
        post_token(&tenant, &path, &form).await
    };
    let token = |audience: serde_json::Value| {
        tenant.federated_token_with(ISSUER, SUBJECT, json!({ "aud": audience }))
    };
    let (client, stranger) = (app.client_id().to_string(), other.client_id().to_string());
    for audience in [json!("my-audience"), json!(["x", "my-audience"])] {
        assert_eq!(request(client.clone(), token(audience)).await.status, 200);
    }
    let rejected = request(client.clone(), token(json!("api://AzureADTokenExchange"))).await;
    assert_eq!(rejected.status, 401);
    assert_eq!(rejected.body["error"], "invalid_client");
    assert_eq!(rejected.body["error_codes"], json!([700_212]));
    let rejected = request(stranger, token(json!("my-audience"))).await;
    assert_eq!(rejected.body["error_codes"], json!([700_211]));

    tenant
        .clock()
        .advance(std::time::Duration::from_secs(600 + 300));
    assert_eq!(
        request(
            client.clone(),
            tenant.federated_token_with(ISSUER, SUBJECT, json!({"aud": "my-audience"}))
        )
        .await
        .status,
        200
    );
    let stale = token(json!("my-audience"));
    tenant
        .clock()
        .advance(std::time::Duration::from_secs(600 + 301));
    let rejected = request(client, stale).await;
    assert_eq!(rejected.body["error_codes"], json!([700_024]));
}

#[tokio::test]
async fn a_federated_token_needs_the_type_of_a_client_assertion() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Deploy")
        .with_federated_credential(ISSUER, SUBJECT);
    let (client, token) = (
        app.client_id().to_string(),
        tenant.federated_token_with(ISSUER, SUBJECT, json!({})),
    );
    let path = format!("/{}/oauth2/v2.0/token", tenant.id());
    for (kind, status, code) in [
        (None, 400, 900_144),
        (Some("jwt-bearer"), 400, 50_027),
        (Some(JWT_BEARER), 200, 0),
    ] {
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", client.as_str()),
            ("client_assertion", token.as_str()),
            ("scope", GRAPH_SCOPE),
        ];
        form.extend(kind.map(|kind| ("client_assertion_type", kind)));
        let response = post_token(&tenant, &path, &form).await;
        assert_eq!(response.status, status, "{kind:?}: {}", response.text);
        if code > 0 {
            assert_eq!(response.body["error_codes"], json!([code]), "{kind:?}");
        }
    }
}

#[tokio::test]
async fn the_managed_identity_endpoint_has_the_form_of_app_service() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Web shop");
    let [(_, endpoint), (_, header)] = tenant.managed_identities(&[&app]);
    let get = async |query: &str, header: &str| {
        let url = format!("{endpoint}?{query}");
        fetch(http().get(url).header("x-identity-header", header)).await
    };
    let good = "api-version=2019-08-01&resource=https://graph.microsoft.com";
    let granted = get(good, &header).await;
    assert_eq!(granted.status, 200);
    assert!(
        granted.body["expires_on"]
            .as_str()
            .unwrap()
            .parse::<i64>()
            .is_ok()
    );
    assert!(granted.body.get("expires_in").is_none());
    assert_eq!(granted.body["client_id"], app.client_id().to_string());

    for (query, secret, status) in [
        (good, "wrong", 401),
        ("resource=https://graph.microsoft.com", &*header, 400),
        ("api-version=2019-08-01", &*header, 400),
        (&*format!("{good}&client_id=unknown"), &*header, 400),
    ] {
        let rejected = get(query, secret).await;
        assert_eq!(rejected.status, status, "{query}");
        assert_eq!(rejected.body["statusCode"], status);
        assert!(rejected.body["message"].is_string() && rejected.body["correlationId"].is_string());
    }
    let bare = FakeTenant::start().await;
    let url = format!("{}/msi/token?{good}", bare.uri());
    let unknown = fetch(http().get(url).header("x-identity-header", "")).await;
    assert_eq!(unknown.status, 401, "no identity, no token");
}

#[tokio::test]
async fn a_virtual_machine_gets_tokens_from_its_metadata_service() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Worker");
    let other = tenant.register_app("Helper");
    tenant.managed_identities(&[&app, &other]);
    let get = async |tenant: &FakeTenant, query: &str, metadata: Option<&str>| {
        let url = format!("{}/metadata/identity/oauth2/token?{query}", tenant.uri());
        let request = http().get(url);
        fetch(match metadata {
            Some(value) => request.header("metadata", value),
            None => request,
        })
        .await
    };
    let good = "api-version=2018-02-01&resource=https://vault.azure.net";
    let granted = get(&tenant, good, Some("true")).await;
    assert_eq!(granted.status, 200, "{}", granted.text);
    assert_eq!(granted.body["client_id"], app.client_id().to_string());
    assert_eq!(granted.body["resource"], "https://vault.azure.net");
    for name in ["expires_in", "expires_on", "not_before", "refresh_token"] {
        assert!(granted.body[name].is_string(), "{name}");
    }
    let id = other.client_id().to_string();
    let named = get(&tenant, &format!("{good}&client_id={id}"), Some("true")).await;
    assert_eq!(named.body["client_id"], id);

    let bare = FakeTenant::start().await;
    for (tenant, query, metadata, error) in [
        (&tenant, good, None, "bad_request_102"),
        (
            &tenant,
            "api-version=2018-02-01",
            Some("true"),
            "invalid_request",
        ),
        (&bare, good, Some("true"), "invalid_request"),
        (
            &tenant,
            "api-version=2018-02-01&resource=https://unknown.example",
            Some("true"),
            "invalid_resource",
        ),
    ] {
        let rejected = get(tenant, query, metadata).await;
        assert_eq!(
            (rejected.status, &rejected.body["error"]),
            (400, &error.into()),
            "{query}"
        );
        assert!(rejected.body["error_description"].is_string());
    }
}
