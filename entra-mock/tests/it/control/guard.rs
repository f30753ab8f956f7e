//! Who may use the control API, and what it says of invalid requests.

use entra_mock::{Seed, Server};
use serde_json::json;

use crate::{
    controlled::{Controlled, NOTHING, code},
    support::{fetch, get, http},
};

#[tokio::test]
async fn the_document_needs_no_token_and_everything_else_does() {
    let server = Controlled::start().await;
    let url = |path: &str| format!("{}{path}", server.text("control"));
    let document = get(&url("/openapi.json")).await;
    assert_eq!(
        (document.status, &document.body["openapi"]),
        (200, &json!("3.0.3"))
    );
    for (path, operations) in document.body["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            let method = method.to_ascii_uppercase().parse().unwrap();
            let response = fetch(http().request(method, url(&path.replace(['{', '}'], "")))).await;
            assert_eq!(
                (response.status, code(&response)),
                (401, "missingToken"),
                "{path}"
            );
            assert_eq!(
                response.header("www-authenticate"),
                Some("Bearer realm=\"entra-mock\"")
            );
        }
    }
    let wrong = fetch(http().get(url("/clock")).bearer_auth("x".repeat(64))).await;
    assert_eq!((wrong.status, code(&wrong)), (401, "invalidToken"));
}

#[tokio::test]
async fn a_page_of_another_site_cannot_use_the_control_api_even_with_the_token() {
    let server = Controlled::start().await;
    let rebound = fetch(
        server
            .request("GET", "/clock")
            .header("host", "evil.example"),
    )
    .await;
    assert_eq!((rebound.status, code(&rebound)), (403, "unknownHost"));
    let foreign = fetch(
        server
            .request("GET", "/clock")
            .header("origin", "https://evil.example"),
    )
    .await;
    assert_eq!((foreign.status, code(&foreign)), (403, "foreignOrigin"));
    let document = format!("{}/openapi.json", server.text("control"));
    let document = fetch(http().get(document).header("host", "evil.example")).await;
    assert_eq!(document.status, 403);
    let own = fetch(
        server
            .request("GET", "/clock")
            .header("origin", server.text("uri")),
    )
    .await;
    assert_eq!(own.status, 200);
}

#[tokio::test]
async fn the_journal_has_neither_the_token_nor_requests_to_the_control_api() {
    let server = Controlled::start().await;
    let token = server.server.control_token().expose_secret().to_owned();
    // A client can send it to the wrong place.
    let url = format!("{}/users?access_token={token}", server.text("graph"));
    assert_eq!(fetch(http().get(url).bearer_auth(&token)).await.status, 401);
    server.done("POST", "/clock/freeze", NOTHING).await;
    let journal = server.get("/journal").await;
    assert_eq!(journal.body["received"], 1, "{}", journal.text);
    assert!(!journal.text.contains(&token) && !journal.text.contains("_entra-mock"));
}

#[tokio::test]
async fn invalid_requests_are_typed_errors_that_name_the_fix() {
    let server = Controlled::start().await;
    for (method, path, body, status, expected) in [
        ("GET", "/nowhere", NOTHING, 404, "unknownPath"),
        ("DELETE", "/clock", NOTHING, 405, "methodNotAllowed"),
        ("POST", "/clock/advance", json!({}), 400, "missingField"),
        (
            "POST",
            "/clock/advance",
            json!({ "by": "soon" }),
            400,
            "invalidValue",
        ),
        (
            "POST",
            "/clock/advance",
            json!({ "by": "1h", "twice": true }),
            400,
            "unknownField",
        ),
        ("POST", "/clock/advance", json!([1]), 400, "invalidValue"),
        (
            "PUT",
            "/clock",
            json!({ "now": "1999-12-31T23:59:59Z" }),
            400,
            "timeOutOfRange",
        ),
        ("GET", "/journal?colour=red", NOTHING, 400, "unknownField"),
        ("GET", "/journal?status=many", NOTHING, 400, "invalidValue"),
        (
            "POST",
            "/reset",
            json!({ "all": true }),
            400,
            "unexpectedBody",
        ),
        (
            "POST",
            "/users",
            json!({ "displayName": "Ada", "colour": "red" }),
            400,
            "invalidObject",
        ),
        (
            "POST",
            "/users",
            json!({ "displayName": "Ada", "userPrincipalName": "adele@contoso.com" }),
            409,
            "conflict",
        ),
        (
            "PATCH",
            "/users/bruno@contoso.com",
            json!({ "userPrincipalName": "adele@contoso.com" }),
            409,
            "conflict",
        ),
        (
            "GET",
            "/users/unknown@contoso.com",
            NOTHING,
            404,
            "notFound",
        ),
        ("GET", "/objects/unicorns", NOTHING, 404, "notFound"),
        (
            "PUT",
            "/groups/Engineers/members/unknown",
            NOTHING,
            404,
            "notFound",
        ),
        (
            "POST",
            "/applications",
            json!({ "displayName": "A", "applicationPermissions": ["User.Fly"] }),
            404,
            "unknownPermission",
        ),
        (
            "POST",
            "/faults",
            json!({ "effect": "status" }),
            400,
            "missingField",
        ),
        (
            "POST",
            "/faults",
            json!({ "effect": "staleKeys", "status": 500 }),
            400,
            "invalidValue",
        ),
        (
            "POST",
            "/faults",
            json!({ "effect": "status", "status": 200 }),
            400,
            "invalidValue",
        ),
        (
            "POST",
            "/faults",
            json!({ "effect": "status", "status": 500, "nth": 0 }),
            400,
            "invalidValue",
        ),
        ("DELETE", "/faults/7", NOTHING, 404, "notFound"),
        ("POST", "/snapshots/x/restore", NOTHING, 404, "notFound"),
        ("DELETE", "/tenants/x", NOTHING, 404, "notFound"),
        ("POST", "/journal/expect", json!({}), 400, "missingField"),
        (
            "PATCH",
            "/settings",
            json!({ "tokenLifetime": "0s" }),
            400,
            "invalidValue",
        ),
    ] {
        let response = server.send(method, path, &body).await;
        assert_eq!(
            (response.status, code(&response)),
            (status, expected),
            "{method} {path} {body}"
        );
    }
    let not_json = fetch(server.request("POST", "/users").body("{")).await;
    assert_eq!((not_json.status, code(&not_json)), (400, "invalidJson"));
    // A rejected request leaves nothing behind.
    let users = server.get("/users").await.text;
    assert!(!users.contains("Ada"), "{users}");
    assert!(
        !server
            .get("/applications")
            .await
            .text
            .contains("\"displayName\":\"A\"")
    );
}

#[tokio::test]
async fn two_servers_have_different_tokens() {
    let [first, second] = [
        Server::builder().seed(Seed::Empty),
        Server::builder().seed(Seed::Empty),
    ];
    let (first, second) = (first.start().await.unwrap(), second.start().await.unwrap());
    assert_ne!(
        first.control_token().expose_secret(),
        second.control_token().expose_secret()
    );
}
