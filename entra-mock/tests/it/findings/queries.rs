//! What requests say, and how lists are paged.

use serde_json::json;

use super::{Client, READ_USERS};
use crate::support::{fetch, http};

#[tokio::test]
async fn a_read_of_all_properties_is_found() {
    let client = Client::with(&["Application.Read.All"]).await;
    client.get("/applications").await;
    client
        .get(&format!(
            "/applications(appId='{}')",
            client.app.client_id()
        ))
        .await;
    assert_eq!(client.rules(), ["select-missing", "select-missing"]);
    client.forget();
    client.get("/applications?$select=id,displayName").await;
    client.get("/applications?%24select=id").await;
    client.tenant.findings().assert_none();
}

#[tokio::test]
async fn a_small_object_needs_no_select() {
    let client = Client::with(READ_USERS).await;
    client.get("/users").await;
    client.tenant.findings().assert_none();
}

#[tokio::test]
async fn an_advanced_query_without_its_header_is_found() {
    let client = Client::with(READ_USERS).await;
    client.get("/users?$count=true&$select=id").await;
    client.get("/users/$count").await;
    client
        .get("/users?$search=\"displayName:a\"&$select=id")
        .await;
    let findings = client.tenant.findings();
    let found = findings
        .iter()
        .filter(|finding| finding.rule == "consistency-level-missing");
    assert_eq!(
        found.map(|finding| finding.occurrences).sum::<usize>(),
        3,
        "{findings}"
    );
    client.forget();
    for path in ["/users?$count=true&$select=id", "/users/$count"] {
        let request = client
            .request("GET", path)
            .header("ConsistencyLevel", "eventual");
        assert_eq!(fetch(request).await.status, 200);
    }
    client.tenant.findings().assert_none();
}

#[tokio::test]
async fn an_advanced_query_in_a_batch_has_a_header_of_its_own() {
    let client = Client::with(READ_USERS).await;
    let batch = |headers: serde_json::Value| json!({ "requests": [{ "id": "1", "method": "GET", "url": "/users?$count=true&$select=id", "headers": headers }] });
    client.post("/$batch", &batch(json!({}))).await;
    assert_eq!(client.rules(), ["consistency-level-missing"]);
    client.forget();
    client
        .post("/$batch", &batch(json!({ "ConsistencyLevel": "eventual" })))
        .await;
    client.tenant.findings().assert_none();
}

#[tokio::test]
async fn beta_is_found_where_v1_has_the_operation() {
    let client = Client::with(&["User.Read.All", "AuditLog.Read.All"]).await;
    let beta = |path: &str| {
        let url = format!("{}/beta{path}", client.tenant.uri());
        fetch(
            http()
                .get(url)
                .bearer_auth(&client.token)
                .header("client-request-id", "1"),
        )
    };
    beta("/users?$select=id").await;
    assert!(client.rules().contains(&"beta-endpoint"));
    client.forget();
    beta("/auditLogs/signIns?$top=1").await;
    beta("/roleManagement/directory/transitiveRoleAssignments").await;
    client.get("/users?$select=id").await;
    client.tenant.findings().assert_none();
}

#[tokio::test]
async fn requests_without_a_client_request_id_are_found() {
    let client = Client::with(READ_USERS).await;
    let url = format!("{}/v1.0/users?$select=id", client.tenant.uri());
    fetch(http().get(url).bearer_auth(&client.token)).await;
    assert_eq!(client.rules(), ["client-request-id-missing"]);
    client.forget();
    // The items of a batch have no id of their own.
    let item = json!({ "id": "1", "method": "GET", "url": "/users?$select=id" });
    let url = format!("{}/v1.0/$batch", client.tenant.uri());
    let batch = http().post(url).json(&json!({ "requests": [item] }));
    fetch(batch.bearer_auth(&client.token)).await;
    let report = client.tenant.findings().to_string();
    assert!(report.contains("1 request to Graph"), "{report}");
    client.forget();
    client.get("/users?$select=id").await;
    client.tenant.findings().assert_none();
}

#[tokio::test]
async fn paging_by_a_computed_position_is_found() {
    let client = Client::with(READ_USERS).await;
    for query in ["$skip=10", "$top=10&page=2", "offset=20"] {
        client.forget();
        client.get(&format!("/users?$select=id&{query}")).await;
        assert_eq!(client.rules(), ["paging-by-skip"], "{query}");
    }
    client.forget();
    let first = client.get("/users?$select=id&$top=20").await;
    let next = first.body["@odata.nextLink"].as_str().unwrap();
    let path = next.split_once("/v1.0").unwrap().1;
    assert_eq!(client.get(path).await.status, 200);
    client.tenant.findings().assert_none();
}

#[tokio::test]
async fn an_invented_or_changed_page_link_is_found() {
    let client = Client::with(READ_USERS).await;
    client.get("/users?$select=id&$skiptoken=X").await;
    assert_eq!(client.rules(), ["page-link-changed"]);
    client.forget();
    let first = client.get("/users?$select=id&$top=20").await;
    let next = first.body["@odata.nextLink"].as_str().unwrap();
    let path = next.split_once("/v1.0").unwrap().1;
    client.get(&path.replace("$top=20", "$top=10")).await;
    assert_eq!(client.rules(), ["page-link-changed"]);
    client.forget();
    // The client cannot prevent that a delta link expires.
    let round = client.get("/users/delta?$select=id").await;
    let link = round.body["@odata.deltaLink"].as_str().unwrap();
    client.tenant.forget_delta_links();
    let expired = client.get(link.split_once("/v1.0").unwrap().1).await;
    assert_eq!(expired.status, 410, "{}", expired.text);
    client.tenant.findings().assert_none();
}

#[tokio::test]
async fn a_long_list_in_small_pages_is_found() {
    let client = Client::with(READ_USERS).await;
    let pages = async |top: usize| {
        let mut path = format!("/users?$select=id&$top={top}");
        loop {
            let page = client.get(&path).await;
            let Some(next) = page.body["@odata.nextLink"].as_str() else {
                break;
            };
            path = next.split_once("/v1.0").unwrap().1.to_owned();
        }
    };
    pages(2).await;
    assert_eq!(client.rules(), ["small-pages"]);
    client.forget();
    pages(10).await;
    client.tenant.findings().assert_none();
}
