//! The journal, and expectations of it.

use serde_json::json;

use crate::{
    controlled::{Controlled, NOTHING, code},
    support::{fetch, http},
};

#[tokio::test]
async fn the_journal_is_filtered_and_expectations_are_checked_with_an_explanation() {
    let server = Controlled::start().await;
    server.graph("/users").await;
    server.graph("/groups").await;
    let request = http()
        .get(format!("{}/users?$top=1", server.text("graph")))
        .header("client-request-id", "mine");
    fetch(request).await;
    let listed = server.get("/journal?path=/users&method=GET").await.body;
    assert_eq!(
        (
            listed["value"].as_array().unwrap().len(),
            &listed["received"]
        ),
        (2, &json!(5))
    );
    assert_eq!(
        listed["value"][0]["headers"]["authorization"],
        "Bearer [redacted]"
    );
    let newest = server.get("/journal?limit=1").await.body;
    assert_eq!(
        (
            &newest["value"][0]["status"],
            &newest["value"][0]["clientRequestId"]
        ),
        (&json!(401), &json!("mine"))
    );
    for (expectation, count) in [
        (json!({ "path": "/users", "count": 2 }), 2),
        (
            json!({ "within": "/oauth2/", "method": "POST", "atLeast": 1, "atMost": 3 }),
            2,
        ),
        (json!({ "path": "/users", "status": 401, "count": 1 }), 1),
        (json!({ "clientRequestId": "mine", "count": 1 }), 1),
        (json!({ "path": "/devices", "count": 0 }), 0),
    ] {
        let met = server.done("POST", "/journal/expect", expectation).await;
        assert_eq!(met["count"], count);
    }
    for (expectation, part) in [
        (
            json!({ "path": "/users", "count": 3 }),
            "expected 3 matching requests, there were 2: GET /v1.0/users -> 200",
        ),
        (
            json!({ "path": "/users", "atLeast": 3 }),
            "expected at least 3",
        ),
        (
            json!({ "path": "/users", "atMost": 1 }),
            "expected at most 1",
        ),
        (
            json!({ "path": "/users", "status": 503, "count": 1 }),
            "there were 0",
        ),
    ] {
        let failed = server.send("POST", "/journal/expect", &expectation).await;
        assert_eq!((failed.status, code(&failed)), (409, "expectationFailed"));
        assert!(failed.text.contains(part), "{}", failed.text);
    }
    server.done("DELETE", "/journal", NOTHING).await;
    assert_eq!(
        server.get("/journal").await.body,
        json!({ "value": [], "received": 0 })
    );
}

#[tokio::test]
async fn a_server_that_keeps_bodies_lists_them_without_secrets() {
    let builder = entra_mock::Server::builder().journal_bodies(true);
    let server = Controlled::of(builder.start().await.unwrap()).await;
    server.graph("/groups").await;
    let listed = server.get("/journal").await;
    assert!(
        !listed.text.contains(server.text("clientSecret")),
        "{}",
        listed.text
    );
    let requests = listed.body["value"].as_array().unwrap();
    let form = requests[0]["requestBody"].as_str().unwrap();
    assert!(form.contains("grant_type=client_credentials"), "{form}");
    assert!(
        requests[0]["responseBody"]
            .as_str()
            .unwrap()
            .contains("[redacted]")
    );
    let groups = requests[1]["responseBody"].as_str().unwrap();
    assert!(groups.contains("Engineers"), "{groups}");
    assert!(requests[1].get("requestBody").is_none());
}
