//! What clients do after an error.

use std::time::Duration;

use entra_mock::{Fault, Severity};
use serde_json::json;

use super::{Client, READ_USERS};
use crate::{
    support::{fetch, http, token, token_with},
    users::ADELE,
};

fn group() -> serde_json::Value {
    json!({ "displayName": "Buyers", "mailNickname": "buyers", "mailEnabled": false, "securityEnabled": true })
}

#[tokio::test]
async fn a_throttled_request_that_is_repeated_too_early_is_found() {
    let client = Client::with(READ_USERS).await;
    for status in [429, 503] {
        client.forget();
        client.tenant.inject(
            Fault::on("/users")
                .times(1)
                .status_with_retry_after(status, "30"),
        );
        let same = || client.request_with_id("GET", "/users?$select=id", "1");
        fetch(same()).await;
        fetch(same()).await;
        let findings = client.tenant.findings();
        assert_eq!(client.rules(), ["retry-after-ignored"], "{status}");
        assert_eq!(findings.iter().next().unwrap().severity, Severity::Error);
    }
    client.forget();
    client.tenant.inject(
        Fault::on("/users")
            .times(1)
            .status_with_retry_after(429, "30"),
    );
    client.get("/users?$select=id").await;
    client.tenant.clock().advance(Duration::from_secs(30));
    client.get("/users?$select=id").await;
    client.tenant.findings().assert_none();
}

#[tokio::test]
async fn a_throttled_request_of_a_batch_that_is_repeated_too_early_is_found() {
    let client = Client::with(READ_USERS).await;
    let batch = json!({ "requests": [
        { "id": "1", "method": "GET", "url": "/users?$select=id" },
        { "id": "2", "method": "GET", "url": "/users?$select=id" },
    ] });
    let send = || client.request_with_id("POST", "/$batch", "1").json(&batch);
    for waits in [false, true] {
        client.forget();
        client.tenant.inject(
            Fault::on("/users")
                .times(2)
                .status_with_retry_after(429, "30"),
        );
        let throttled = fetch(send()).await;
        assert_eq!(throttled.body["responses"][1]["status"], 429);
        assert!(!client.rules().contains(&"retry-after-ignored"));
        if waits {
            client.tenant.clock().advance(Duration::from_secs(30));
        }
        fetch(send()).await;
        let found = client.rules().contains(&"retry-after-ignored");
        assert_eq!(found, !waits, "{:?}", client.tenant.findings());
    }
}

#[tokio::test]
async fn a_throttled_token_request_that_is_repeated_too_early_is_found() {
    let client = Client::with(READ_USERS).await;
    client.forget();
    client.tenant.inject(
        Fault::on("/token")
            .times(1)
            .status_with_retry_after(429, "10"),
    );
    token_with(&client.tenant, &client.app, &[]).await;
    token_with(&client.tenant, &client.app, &[]).await;
    assert_eq!(client.rules(), ["retry-after-ignored"]);
}

#[tokio::test]
async fn requests_of_other_clients_during_a_wait_are_not_repetitions() {
    let client = Client::with(READ_USERS).await;
    client.tenant.inject(
        Fault::on("/users")
            .times(1)
            .status_with_retry_after(429, "30"),
    );
    client.get("/users?$select=id").await;
    let other = client
        .tenant
        .register_app("Other")
        .application_permission("User.Read.All")
        .with_secret();
    let url = format!("{}/v1.0/users?$select=id", client.tenant.uri());
    let token = token(&client.tenant, &other).await;
    fetch(
        http()
            .get(url)
            .bearer_auth(token)
            .header("client-request-id", "2"),
    )
    .await;
    client.tenant.findings().assert_none();
}

#[tokio::test]
async fn a_create_that_is_repeated_blindly_is_found() {
    let client = Client::with(&["Group.ReadWrite.All"]).await;
    for (fault, how) in [
        (
            Fault::on("/groups").method("POST").times(1).status(500),
            "status 500",
        ),
        (
            Fault::on("/groups").method("POST").times(1).status(504),
            "status 504",
        ),
        (
            Fault::on("/groups")
                .method("POST")
                .times(1)
                .truncated_body(),
            "a lost response",
        ),
    ] {
        client.forget();
        client.tenant.inject(fault);
        // The body of a lost response cannot be read.
        let _ = client
            .request("POST", "/groups")
            .json(&group())
            .send()
            .await;
        client.post("/groups", &group()).await;
        let findings = client.tenant.findings();
        assert!(
            client.rules().contains(&"create-retried"),
            "{how}: {findings}"
        );
        assert!(findings.to_string().contains(how), "{findings}");
    }
}

#[tokio::test]
async fn a_create_after_a_look_up_or_after_throttling_is_no_blind_repetition() {
    let client = Client::with(&["Group.ReadWrite.All"]).await;
    client
        .tenant
        .inject(Fault::on("/groups").method("POST").times(1).status(500));
    client.post("/groups", &group()).await;
    client
        .get("/groups?$filter=mailNickname eq 'buyers'&$select=id")
        .await;
    client.post("/groups", &group()).await;
    client
        .tenant
        .inject(Fault::on("/groups").method("POST").times(1).status(429));
    let other = json!({ "displayName": "B", "mailNickname": "b", "mailEnabled": false, "securityEnabled": true });
    client.post("/groups", &other).await;
    client.post("/groups", &other).await;
    assert!(
        !client.rules().contains(&"create-retried"),
        "{}",
        client.tenant.findings()
    );
}

#[tokio::test]
async fn look_ups_by_post_and_additions_of_members_can_be_repeated() {
    let client = Client::with(&["Directory.Read.All"]).await;
    client
        .tenant
        .inject(Fault::on("/getByIds").times(1).status(503));
    let ids = json!({ "ids": [client.tenant.user(ADELE).id().to_string()] });
    client.post("/directoryObjects/getByIds", &ids).await;
    client.post("/directoryObjects/getByIds", &ids).await;
    client.tenant.findings().assert_none();
}

#[tokio::test]
async fn a_rejected_request_that_is_repeated_unchanged_is_found() {
    let client = Client::with(READ_USERS).await;
    for _ in 0..3 {
        client.get("/users?$filter=nonsense&$select=id").await;
    }
    assert_eq!(client.rules(), ["permanent-error-retried"]);
    client.forget();
    for filter in ["a", "b", "c"] {
        client
            .get(&format!("/users?$filter={filter}&$select=id"))
            .await;
    }
    client.tenant.findings().assert_none();
    client.forget();
    for _ in 0..3 {
        token_with(&client.tenant, &client.app, &[("client_secret", "wrong")]).await;
    }
    assert_eq!(client.rules(), ["permanent-error-retried"]);
}

#[tokio::test]
async fn a_token_that_is_sent_after_its_rejection_is_found() {
    let client = Client::with(READ_USERS).await;
    client.get("/users?$select=id").await;
    client.tenant.clock().advance(Duration::from_secs(2 * 3600));
    client.get("/users?$select=id").await;
    client.tenant.findings().assert_none();
    client.get("/users?$select=id").await;
    client.get("/users?$select=id").await;
    assert_eq!(client.rules(), ["rejected-token-resent"]);
}
