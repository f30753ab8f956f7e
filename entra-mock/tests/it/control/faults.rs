//! Faults that the control API injects, as they arrive at a client.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    controlled::{Controlled, NOTHING},
    support::{fetch, http},
};

/// The status of a request to a collection of Graph.
async fn status(server: &Controlled, token: &str, path: &str) -> u16 {
    let url = format!("{}{path}", server.text("graph"));
    fetch(http().get(url).bearer_auth(token)).await.status
}

/// A request for the list of users.
fn users(server: &Controlled, token: &str) -> reqwest::RequestBuilder {
    let url = format!("{}/users", server.text("graph"));
    http().get(url).bearer_auth(token)
}

async fn token(server: &Controlled) -> String {
    server.token().await.body["access_token"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_fault_is_selected_by_operation_number_and_percentage_and_is_removed() {
    let server = Controlled::start().await;
    let token = token(&server).await;
    let statuses = async |path: &str, count: usize| {
        let mut seen = Vec::new();
        for _ in 0..count {
            seen.push(status(&server, &token, path).await);
        }
        seen
    };
    let fault = json!({ "effect": "status", "status": 503, "operation": "GET /users", "nth": 2 });
    let id = server.done("POST", "/faults", fault).await["id"].clone();
    assert_eq!(statuses("/groups", 2).await, [200, 200]);
    assert_eq!(statuses("/users", 3).await, [200, 503, 200]);
    let listed = server.get("/faults").await.body["value"][0].clone();
    assert_eq!(
        (&listed["id"], &listed["matched"], &listed["happened"]),
        (&id, &json!(3), &json!(1))
    );
    assert_eq!(listed["fault"]["operation"], "GET /users");
    server
        .done("DELETE", &format!("/faults/{id}"), NOTHING)
        .await;

    let half = json!({ "effect": "status", "status": 500, "path": "/groups", "percent": 50 });
    server.done("POST", "/faults", half).await;
    assert_eq!(statuses("/groups", 4).await, [200, 500, 200, 500]);
    server.done("DELETE", "/faults", NOTHING).await;
    assert_eq!(statuses("/groups", 2).await, [200, 200]);
}

#[tokio::test]
async fn retry_after_and_sign_in_errors_are_sent_as_they_were_asked_for() {
    let server = Controlled::start().await;
    let throttled = json!({ "effect": "status", "status": 429, "retryAfter": "2.5", "path": "/token", "times": 1 });
    server.done("POST", "/faults", throttled).await;
    let response = server.token().await;
    assert_eq!(
        (response.status, response.header("retry-after")),
        (429, Some("2.5"))
    );
    let rejected = json!({ "effect": "signInError", "code": 7000222, "path": "/token" });
    server.done("POST", "/faults", rejected).await;
    assert_eq!(server.token().await.body["error_codes"], json!([7_000_222]));
}

#[tokio::test]
async fn broken_bodies_and_connections_reach_the_client() {
    let server = Controlled::start().await;
    let token = token(&server).await;
    let get = || users(&server, &token);
    let whole = fetch(get()).await;
    let inject = async |fault: Value| {
        server.done("DELETE", "/faults", NOTHING).await;
        server.done("POST", "/faults", fault).await;
    };

    inject(json!({ "effect": "contentType", "contentType": "text/html" })).await;
    let typed = fetch(get()).await;
    assert_eq!(
        (typed.header("content-type"), typed.status),
        (Some("text/html"), 200)
    );
    assert_eq!(typed.body["value"], whole.body["value"]);

    inject(json!({ "effect": "garbageBody" })).await;
    assert_eq!(fetch(get()).await.body, Value::Null);

    inject(json!({ "effect": "truncatedBody" })).await;
    let response = get().send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.bytes().await.unwrap_err();

    inject(json!({ "effect": "closedConnection" })).await;
    let closed = get().send().await.unwrap_err();
    assert!(!reset(&closed), "{closed:?}");
    inject(json!({ "effect": "resetConnection" })).await;
    let aborted = get().send().await.unwrap_err();
    assert!(reset(&aborted), "{aborted:?}");
}

/// Whether the system reported that the other side reset the connection.
fn reset(error: &reqwest::Error) -> bool {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = source {
        let kind = error
            .downcast_ref::<std::io::Error>()
            .map(std::io::Error::kind);
        if kind == Some(std::io::ErrorKind::ConnectionReset) {
            return true;
        }
        source = error.source();
    }
    false
}

#[tokio::test]
async fn a_trickle_arrives_whole_in_pieces() {
    let server = Controlled::start().await;
    let token = token(&server).await;
    let get = || users(&server, &token);
    let whole = fetch(get()).await;
    server
        .done(
            "POST",
            "/faults",
            json!({ "effect": "trickle", "delay": "10ms" }),
        )
        .await;
    let begin = Instant::now();
    let mut response = get().send().await.unwrap();
    let mut pieces = Vec::new();
    while let Some(piece) = response.chunk().await.unwrap() {
        pieces.push(piece);
    }
    // Sixteen pauses of ten milliseconds cannot be shorter, however fast the machine is.
    assert!(begin.elapsed() >= Duration::from_millis(160));
    assert_eq!(String::from_utf8(pieces.concat()).unwrap(), whole.text);
}

#[tokio::test]
async fn stale_keys_lack_the_key_of_a_rollover() {
    let server = Controlled::start().await;
    server
        .done("POST", "/signing-keys/publish-next", NOTHING)
        .await;
    let keys = server.done("POST", "/signing-keys/switch", NOTHING).await;
    server
        .done(
            "POST",
            "/faults",
            json!({ "effect": "staleKeys", "path": "/keys", "times": 1 }),
        )
        .await;
    let url = format!(
        "{}/{}/discovery/v2.0/keys",
        server.text("uri"),
        server.text("id")
    );
    let ids = |body: &Value| -> Vec<Value> {
        body["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["kid"].clone())
            .collect()
    };
    let stale = ids(&fetch(http().get(&url)).await.body);
    let fresh = ids(&fetch(http().get(&url)).await.body);
    assert!(!stale.contains(&keys["signing"]) && fresh.contains(&keys["signing"]));
    assert_eq!(stale.len() + 1, fresh.len());
}

#[tokio::test]
async fn pages_are_empty_repeated_or_lead_elsewhere() {
    let server = Controlled::start().await;
    let token = token(&server).await;
    let get = async |path: &str| {
        let url = format!("{}{path}", server.text("graph"));
        fetch(http().get(url).bearer_auth(&token)).await.body
    };
    for (fault, check) in [
        (json!({ "effect": "emptyPage" }), "/v1.0/users"),
        (json!({ "effect": "repeatNextLink" }), "/v1.0/users?$top=2"),
        (
            json!({ "effect": "foreignNextLink", "origin": "https://evil.example" }),
            "https://evil.example/",
        ),
    ] {
        server.done("DELETE", "/faults", NOTHING).await;
        server.done("POST", "/faults", fault).await;
        let page = get("/users?$top=2").await;
        assert!(
            page["@odata.nextLink"].as_str().unwrap().contains(check),
            "{page}"
        );
    }
}
