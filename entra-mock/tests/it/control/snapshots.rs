//! Snapshots and resets.

use entra_mock::{Seed, Server};
use serde_json::json;

use crate::controlled::{Controlled, NOTHING};

#[tokio::test]
async fn a_snapshot_brings_back_directory_sign_ins_settings_clock_and_faults() {
    let server = Controlled::start().await;
    server
        .done("POST", "/users", json!({ "displayName": "Before" }))
        .await;
    server
        .done(
            "POST",
            "/clock/freeze",
            json!({ "at": "2027-01-01T00:00:00Z" }),
        )
        .await;
    server
        .done(
            "POST",
            "/faults",
            json!({ "effect": "delay", "delay": "0s", "path": "/nothing" }),
        )
        .await;
    server.done("PUT", "/snapshots/one", NOTHING).await;
    server
        .done("POST", "/users", json!({ "displayName": "After" }))
        .await;
    server
        .done("DELETE", "/users/before@contoso.com", NOTHING)
        .await;
    server
        .done("POST", "/clock/advance", json!({ "by": "9h" }))
        .await;
    server
        .done(
            "PATCH",
            "/settings",
            json!({ "license": "p1", "quotas": true }),
        )
        .await;
    server.done("DELETE", "/faults", NOTHING).await;
    assert_eq!(server.get("/snapshots").await.body["value"], json!(["one"]));

    server.done("POST", "/snapshots/one/restore", NOTHING).await;
    let users = server.get("/users").await.text;
    assert!(users.contains("\"Before\"") && !users.contains("\"After\""));
    assert_eq!(
        server.get("/clock").await.body["now"],
        "2027-01-01T00:00:00Z"
    );
    let settings = server.get("/settings").await.body;
    assert_eq!(
        (&settings["license"], &settings["quotas"]),
        (&json!("p2"), &json!(false))
    );
    assert_eq!(
        server.get("/faults").await.body["value"][0]["fault"]["path"],
        "/nothing"
    );
    // A snapshot can be restored again after more changes.
    server
        .done("DELETE", "/users/before@contoso.com", NOTHING)
        .await;
    server.done("POST", "/snapshots/one/restore", NOTHING).await;
    assert_eq!(server.get("/users/before@contoso.com").await.status, 200);
}

#[tokio::test]
async fn a_reset_brings_back_the_start_with_the_same_ids_and_secrets() {
    let server = Controlled::start().await;
    let before = server.get("/users").await.body;
    let made = server
        .done("POST", "/users", json!({ "displayName": "Ada" }))
        .await;
    server
        .done("DELETE", "/users/adele@contoso.com", NOTHING)
        .await;
    server
        .done("POST", "/clock/advance", json!({ "by": "5d" }))
        .await;
    server
        .done(
            "POST",
            "/faults",
            json!({ "effect": "status", "status": 503 }),
        )
        .await;
    server.done("POST", "/reset", NOTHING).await;
    assert_eq!(server.get("/users").await.body, before);
    assert_eq!(server.get("/faults").await.body["value"], json!([]));
    assert_eq!(server.get("/journal").await.body["received"], 0);
    assert_eq!(
        server.token().await.status,
        200,
        "the secret of the environment file is valid"
    );
    // Each test after a reset gets the same ids.
    server.done("POST", "/reset", NOTHING).await;
    let again = server
        .done("POST", "/users", json!({ "displayName": "Ada" }))
        .await;
    assert_eq!(again["user"]["id"], made["user"]["id"]);
}

#[tokio::test]
async fn a_delta_link_is_valid_after_a_restore_if_it_knows_no_later_change() {
    let server = Controlled::start().await;
    let add = async |name: &str| add_user(&server, name).await;
    let link = async |path: &str| delta_link(&server, path).await;
    let initial = link("/users/delta?$select=displayName").await;
    add("Ada").await;
    let early = link(&initial).await;
    server.done("PUT", "/snapshots/one", NOTHING).await;
    add("Bo").await;
    let late = link(&early).await;
    for (way, early_status) in [("/snapshots/one/restore", 200), ("/reset", 410)] {
        server.done("POST", way, NOTHING).await;
        for name in ["Cleo", "Dan", "Eve"] {
            add(name).await;
        }
        assert_eq!(server.graph(&initial).await.status, 200, "{way}");
        let changes = server.graph(&early).await;
        assert_eq!(changes.status, early_status, "{way}: {}", changes.text);
        if early_status == 200 {
            assert!(changes.text.contains("Cleo") && !changes.text.contains("\"Bo\""));
        }
        // It would miss the first of the new changes.
        assert_eq!(server.graph(&late).await.status, 410, "{way}");
    }
}

#[tokio::test]
async fn a_delta_link_of_a_restored_tenant_is_valid_after_the_next_restores() {
    let server = Controlled::start().await;
    server.done("PUT", "/snapshots/one", NOTHING).await;
    for way in ["/snapshots/one/restore", "/reset"] {
        let restore = async || {
            server.done("POST", way, NOTHING).await;
        };
        restore().await;
        let first = delta_link(&server, USERS).await;
        restore().await;
        assert_eq!(server.graph(&first).await.status, 200, "{way}");
        let second = delta_link(&server, &first).await;
        add_user(&server, "Ada").await;
        let late = delta_link(&server, &second).await;
        restore().await;
        add_user(&server, "Bo").await;
        for known in [&first, &second] {
            let changes = server.graph(known).await;
            assert_eq!(changes.status, 200, "{way}: {}", changes.text);
            assert!(changes.text.contains("\"Bo\"") && !changes.text.contains("\"Ada\""));
        }
        assert_eq!(server.graph(&late).await.status, 410, "{way}");
    }
}

#[tokio::test]
async fn a_delta_link_is_valid_again_when_its_snapshot_is_back() {
    let server = Controlled::start().await;
    let take = async |name: &str| {
        let path = format!("/snapshots/{name}");
        server.done("PUT", &path, NOTHING).await;
    };
    let restore = async |name: &str| {
        let path = format!("/snapshots/{name}/restore");
        server.done("POST", &path, NOTHING).await;
    };
    take("one").await;
    restore("one").await;
    add_user(&server, "Ada").await;
    take("two").await;
    restore("two").await;
    let link = delta_link(&server, USERS).await;
    // The first snapshot does not have the user that the link knows.
    restore("one").await;
    assert_eq!(server.graph(&link).await.status, 410);
    restore("two").await;
    assert_eq!(server.graph(&link).await.status, 200);
    server.done("POST", "/delta-links/forget", NOTHING).await;
    assert_eq!(server.graph(&link).await.status, 410);
}

#[tokio::test]
async fn a_delta_link_knows_what_the_last_page_of_its_round_showed() {
    // One page has 200 users.
    let builder = Server::builder().seed(Seed::Contoso).users(200);
    let server = Controlled::of(builder.start().await.unwrap()).await;
    add_user(&server, "Zoe").await;
    let first = server.graph(USERS).await;
    let next = rest_of(first.body["@odata.nextLink"].as_str().unwrap());
    server.done("PUT", "/snapshots/one", NOTHING).await;
    let renamed = json!({ "displayName": "Zoe Renamed" });
    let path = "/users/zoe@contoso.com";
    server.done("PATCH", path, renamed).await;
    let second = server.graph(&next).await;
    assert!(second.text.contains("Zoe Renamed"), "{}", second.text);
    let last = rest_of(second.body["@odata.deltaLink"].as_str().unwrap());
    assert_eq!(server.graph(&last).await.status, 200);
    server.done("POST", "/snapshots/one/restore", NOTHING).await;
    // The client would keep a name that the user does not have.
    assert_eq!(server.graph(&last).await.status, 410);
    assert_eq!(server.graph(&next).await.status, 200);
}

async fn add_user(server: &Controlled, name: &str) {
    let body = json!({ "displayName": name });
    server.done("POST", "/users", body).await;
}

/// The link at the end of a round, with the rest of its path, as `graph` takes it.
async fn delta_link(server: &Controlled, path: &str) -> String {
    let mut page = server.graph(path).await.body;
    while let Some(next) = page["@odata.nextLink"].as_str() {
        let next = rest_of(next);
        page = server.graph(&next).await.body;
    }
    rest_of(page["@odata.deltaLink"].as_str().unwrap())
}

/// The path of a link behind the version.
fn rest_of(link: &str) -> String {
    link.split_once("/v1.0").unwrap().1.to_owned()
}

const USERS: &str = "/users/delta?$select=displayName";
