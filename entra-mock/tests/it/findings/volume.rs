//! Permissions, and how many requests a job takes.

use std::time::Duration;

use serde_json::json;

use super::{Client, READ_USERS};
use crate::{support::fetch, users::ADELE};

#[tokio::test]
async fn permissions_that_were_not_used_are_found() {
    let client = Client::with(&["User.Read.All", "Device.Read.All", "Group.Read.All"]).await;
    client.get("/users?$select=id").await;
    let findings = client.tenant.findings();
    assert_eq!(client.rules(), ["unused-permissions"]);
    assert!(
        findings
            .to_string()
            .contains("did not use Device.Read.All, Group.Read.All"),
        "{findings}"
    );
    client.get("/devices?$select=id").await;
    client.get("/groups?$select=id").await;
    client.tenant.findings().assert_none();
}

#[tokio::test]
async fn a_permission_for_more_than_was_done_is_found() {
    for (permission, path, instead) in [
        ("User.ReadWrite.All", "/users?$select=id", "User.Read.All"),
        (
            "Directory.Read.All",
            "/devices?$select=id",
            "Device.Read.All",
        ),
    ] {
        let client = Client::with(&[permission]).await;
        client.get(path).await;
        let findings = client.tenant.findings();
        assert_eq!(client.rules(), ["broad-permission"], "{permission}");
        assert!(
            findings
                .to_string()
                .contains(&format!("used {permission}; {instead} is enough")),
            "{findings}"
        );
    }
    let client = Client::with(&["User.ReadWrite.All"]).await;
    let change = json!({ "jobTitle": "Lead" });
    let request = client.request("PATCH", &format!("/users/{ADELE}"));
    assert_eq!(fetch(request.json(&change)).await.status, 204);
    client.tenant.findings().assert_none();
    let client = Client::with(&["Directory.Read.All"]).await;
    let ids = json!({ "ids": [client.tenant.user(ADELE).id().to_string()] });
    client.post("/directoryObjects/getByIds", &ids).await;
    client.tenant.findings().assert_none();
}

#[tokio::test]
async fn polling_a_collection_that_has_a_delta_is_found() {
    let client = Client::with(READ_USERS).await;
    for _ in 0..4 {
        client.get("/users?$select=id").await;
    }
    assert_eq!(client.rules(), ["polling-without-delta"]);
    client.forget();
    let mut path = "/users/delta?$select=id".to_owned();
    for _ in 0..6 {
        let page = client.get(&path).await.body;
        let next = page["@odata.nextLink"]
            .as_str()
            .or(page["@odata.deltaLink"].as_str())
            .unwrap();
        path = next.split_once("/v1.0").unwrap().1.to_owned();
    }
    for _ in 0..4 {
        client
            .get("/users?$select=id&$filter=startswith(displayName,'a')")
            .await;
    }
    client.tenant.findings().assert_none();
}

#[tokio::test]
async fn a_loop_of_look_ups_is_found_and_a_batch_is_not() {
    let client = Client::with(READ_USERS).await;
    let users = client.get("/users?$select=id&$top=12").await;
    let ids: Vec<&str> = users.body["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["id"].as_str().unwrap())
        .collect();
    client.forget();
    for id in &ids {
        client.get(&format!("/users/{id}?$select=id")).await;
    }
    assert_eq!(client.rules(), ["lookups-one-by-one"]);
    client.forget();
    let requests: Vec<_> = ids
        .iter()
        .enumerate()
        .map(|(number, id)| json!({ "id": number.to_string(), "method": "GET", "url": format!("/users/{id}?$select=id") }))
        .collect();
    client
        .post("/$batch", &json!({ "requests": requests }))
        .await;
    client.get(&format!("/users/{}?$select=id", ids[0])).await;
    client.tenant.findings().assert_none();
    // Visitors who come one after the other are no loop.
    client.forget();
    for id in &ids {
        client.get(&format!("/users/{id}?$select=id")).await;
        client.tenant.clock().advance(Duration::from_secs(20));
    }
    client.tenant.findings().assert_none();
}

#[tokio::test]
async fn members_that_are_added_one_by_one_are_found() {
    let client = Client::with(&["GroupMember.ReadWrite.All", "User.Read.All"]).await;
    let users = client.get("/users?$select=id&$top=12").await;
    let ids: Vec<&str> = users.body["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["id"].as_str().unwrap())
        .collect();
    let urls: Vec<String> = ids
        .iter()
        .map(|id| format!("https://graph.microsoft.com/v1.0/directoryObjects/{id}"))
        .collect();
    let group = client.tenant.add_group("Buyers");
    for url in &urls {
        client
            .post(
                &format!("/groups/{}/members/$ref", group.id()),
                &json!({ "@odata.id": url }),
            )
            .await;
    }
    assert_eq!(client.rules(), ["writes-one-by-one"]);
    client.forget();
    let other = client.tenant.add_group("Sellers");
    let body = json!({ "members@odata.bind": urls });
    let request = client
        .request("PATCH", &format!("/groups/{}", other.id()))
        .json(&body);
    assert_eq!(fetch(request).await.status, 204);
    assert!(!client.rules().contains(&"writes-one-by-one"));
}

#[tokio::test]
async fn needed_permissions_follow_from_the_journal_and_its_batches() {
    let client = Client::with(&["Directory.Read.All"]).await;
    client.get("/devices?$select=id").await;
    let requests =
        json!({ "requests": [{ "id": "1", "method": "GET", "url": "/groups?$select=id" }] });
    client.post("/$batch", &requests).await;
    let needed = client.tenant.requests().needed_permissions();
    let application: Vec<&str> = needed.application().collect();
    assert_eq!(
        application,
        ["Device.Read.All", "Group.ReadBasic.All"],
        "{needed}"
    );
    assert!(needed.are_met_by_application(&["Directory.Read.All"]));
    assert!(!needed.are_met_by_application(&["Device.Read.All"]));
}
