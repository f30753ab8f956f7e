//! Tokens and sign-in.

use std::time::Duration;

use entra_mock::FakeTenant;
use serde_json::json;

use super::{Client, READ_USERS, rules};
use crate::{
    support::{GRAPH_SCOPE, fetch, http, post_token, token},
    users::{ADELE, authorize_url, shop, tool},
};

#[tokio::test]
async fn a_token_for_each_call_is_found() {
    let client = Client::with(READ_USERS).await;
    client.forget();
    for _ in 0..4 {
        token(&client.tenant, &client.app).await;
        client
            .get("/users?$select=id&$filter=startswith(displayName,'a')")
            .await;
    }
    assert_eq!(client.rules(), ["token-per-call"]);
    client.forget();
    // A token at the end of each lifetime.
    for _ in 0..4 {
        token(&client.tenant, &client.app).await;
        client.tenant.clock().advance(Duration::from_secs(3590));
    }
    client.tenant.findings().assert_none();
}

#[tokio::test]
async fn a_token_of_the_v1_endpoint_for_each_call_is_found_too() {
    let client = Client::with(READ_USERS).await;
    client.forget();
    let (id, secret) = (client.app.client_id().to_string(), client.app.secret());
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", id.as_str()),
        ("client_secret", secret.expose_secret()),
        ("resource", "https://graph.microsoft.com"),
    ];
    let path = format!("/{}/oauth2/token", client.tenant.id());
    for _ in 0..5 {
        let issued = post_token(&client.tenant, &path, &form).await;
        assert_eq!(issued.body["expires_in"], "3599", "{}", issued.text);
    }
    let rules = client.rules();
    assert!(rules.contains(&"token-per-call"), "{rules:?}");
}

/// A client that waits until a change reaches the token endpoint requests tokens and does not use them.
#[tokio::test]
async fn tokens_after_a_credential_was_written_or_rejected_are_probes_until_they_are_used() {
    let client = Client::with(&["User.Read.All", "Application.ReadWrite.All"]).await;
    let probe = async || {
        for _ in 0..5 {
            token(&client.tenant, &client.app).await;
        }
    };
    let write = async || {
        let path = format!("/applications/{}/addPassword", client.app.object_id());
        let made = client
            .post(
                &path,
                &json!({ "passwordCredential": { "displayName": "new" } }),
            )
            .await;
        assert_eq!(made.status, 200, "{}", made.text);
    };
    let rules = || rules_of_tokens(&client);

    client.forget();
    probe().await;
    assert_eq!(rules(), ["token-per-call"], "nothing was changed");

    client.forget();
    write().await;
    probe().await;
    assert!(rules().is_empty(), "{:?}", rules());

    client.forget();
    write().await;
    client.tenant.clock().advance(Duration::from_secs(16 * 60));
    probe().await;
    assert_eq!(
        rules(),
        ["token-per-call"],
        "the change is everywhere by now"
    );

    client.forget();
    let id = client.app.client_id().to_string();
    let wrong = [
        ("grant_type", "client_credentials"),
        ("client_id", id.as_str()),
        ("client_secret", "not-the-secret"),
        ("scope", GRAPH_SCOPE),
    ];
    let path = format!("/{}/oauth2/v2.0/token", client.tenant.id());
    post_token(&client.tenant, &path, &wrong).await;
    probe().await;
    assert!(rules().is_empty(), "{:?}", rules());

    // Each token is used, so there is no cache.
    let mut client = client;
    client.forget();
    for number in 0..5 {
        client.token = token(&client.tenant, &client.app).await;
        match number {
            0 => {
                let path = format!("/applications/{}/addPassword", client.app.object_id());
                let body = json!({ "passwordCredential": { "displayName": "newer" } });
                client.post(&path, &body).await;
            }
            _ => {
                let path = "/users?$select=id&$filter=startswith(displayName,'a')";
                client.get(path).await;
            }
        }
    }
    assert_eq!(rules_of_tokens(&client), ["token-per-call"]);
}

fn rules_of_tokens(client: &Client) -> Vec<&'static str> {
    let all = client.rules().into_iter();
    all.filter(|rule| rule.starts_with("token")).collect()
}

#[tokio::test]
async fn a_daemon_without_a_tenant_is_found() {
    let client = Client::with(READ_USERS).await;
    client.tenant.findings().assert_none();
    let (id, secret) = (client.app.client_id().to_string(), client.app.secret());
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", id.as_str()),
        ("client_secret", secret.expose_secret()),
        ("scope", GRAPH_SCOPE),
    ];
    for alias in ["common", "organizations"] {
        client.forget();
        post_token(
            &client.tenant,
            &format!("/{alias}/oauth2/v2.0/token"),
            &form,
        )
        .await;
        assert_eq!(client.rules(), ["no-tenant-in-daemon"], "{alias}");
    }
}

#[tokio::test]
async fn the_endpoints_of_version_1_are_found() {
    let client = Client::with(READ_USERS).await;
    let (id, secret) = (client.app.client_id().to_string(), client.app.secret());
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", id.as_str()),
        ("client_secret", secret.expose_secret()),
        ("resource", "https://graph.microsoft.com"),
    ];
    client.forget();
    post_token(
        &client.tenant,
        &format!("/{}/oauth2/token", client.tenant.id()),
        &form,
    )
    .await;
    assert_eq!(client.rules(), ["v1-endpoint"]);
}

#[tokio::test]
async fn a_password_at_the_token_endpoint_is_found() {
    let (tenant, app) = tool().await;
    let id = app.client_id().to_string();
    let password = tenant.user(ADELE).password();
    let form = [
        ("grant_type", "password"),
        ("client_id", id.as_str()),
        ("username", ADELE),
        ("password", password.expose_secret()),
        ("scope", "openid"),
    ];
    post_token(
        &tenant,
        &format!("/{}/oauth2/v2.0/token", tenant.id()),
        &form,
    )
    .await;
    assert_eq!(rules(&tenant), ["password-grant"]);
}

#[tokio::test]
async fn a_device_code_that_is_polled_without_waiting_is_found() {
    let (tenant, app) = tool().await;
    let id = app.client_id().to_string();
    let path = |name: &str| format!("/{}/oauth2/v2.0/{name}", tenant.id());
    let form = [("client_id", id.as_str()), ("scope", "openid")];
    let device = post_token(&tenant, &path("devicecode"), &form).await;
    let code = device.body["device_code"].as_str().unwrap();
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", id.as_str()),
        ("device_code", code),
    ];
    for _ in 0..4 {
        post_token(&tenant, &path("token"), &form).await;
        tenant.clock().advance(Duration::from_secs(5));
    }
    tenant.findings().assert_none();
    for _ in 0..3 {
        post_token(&tenant, &path("token"), &form).await;
    }
    assert_eq!(rules(&tenant), ["device-code-polled-too-fast"]);
}

#[tokio::test]
async fn a_credential_in_a_url_is_found_and_not_repeated() {
    let client = Client::with(READ_USERS).await;
    let path = format!(
        "{}/{}/oauth2/v2.0/token",
        client.tenant.uri(),
        client.tenant.id()
    );
    client.forget();
    fetch(http().post(format!(
        "{path}?client_secret=canary&grant_type=client_credentials"
    )))
    .await;
    client.get("/users?$select=id&access_token=canary").await;
    let findings = client.tenant.findings();
    assert_eq!(client.rules(), ["secret-in-url"]);
    assert_eq!(findings.iter().next().unwrap().occurrences, 2);
    let whole = format!(
        "{findings}{findings:?}{}{}",
        findings.to_json(),
        findings.to_sarif()
    );
    assert!(!whole.contains("canary"), "{whole}");
}

#[tokio::test]
async fn sign_in_requests_without_protection_are_found() {
    for (changes, rule) in [
        (
            &[("code_challenge", ""), ("code_challenge_method", "")][..],
            Some("sign-in-without-pkce"),
        ),
        (
            &[("code_challenge_method", "plain")],
            Some("sign-in-without-pkce"),
        ),
        (&[("state", "")], Some("sign-in-without-state")),
        (&[("state", ""), ("nonce", "n-1")], None),
        (&[("response_type", "token")], Some("implicit-flow")),
        (&[], None),
    ] {
        let (tenant, app) = shop().await;
        for _ in 0..2 {
            fetch(http().get(authorize_url(&tenant, &app, changes))).await;
        }
        assert_eq!(rules(&tenant), Vec::from_iter(rule), "{changes:?}");
    }
}

#[tokio::test]
async fn consent_at_each_sign_in_is_found() {
    let (tenant, app) = shop().await;
    for state in ["1", "2", "3"] {
        tenant.findings().assert_none();
        fetch(http().get(authorize_url(
            &tenant,
            &app,
            &[("prompt", "consent"), ("state", state)],
        )))
        .await;
    }
    assert_eq!(rules(&tenant), ["consent-forced"]);
}

#[tokio::test]
async fn keys_that_are_fetched_for_each_token_are_found() {
    let tenant = FakeTenant::start().await;
    let url = format!("{}/{}/discovery/v2.0/keys", tenant.uri(), tenant.id());
    for _ in 0..20 {
        tenant.findings().assert_none();
        fetch(http().get(&url)).await;
        tenant.clock().advance(Duration::from_secs(24 * 3600));
    }
    tenant.forget_requests();
    for _ in 0..10 {
        fetch(http().get(&url)).await;
    }
    assert_eq!(rules(&tenant), ["keys-fetched-each-time"]);
}
