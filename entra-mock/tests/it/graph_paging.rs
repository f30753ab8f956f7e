//! Pages of large collections.

use std::collections::HashSet;

use entra_mock::{FakeTenant, Seed};

use crate::support::{Response, fetch, graph_get, http, token};

async fn large_tenant(users: usize) -> (FakeTenant, String) {
    let tenant = FakeTenant::builder()
        .users(users)
        .random_seed(7)
        .start()
        .await;
    let app = tenant
        .register_app("Reader")
        .application_permission("User.Read.All")
        .application_permission("GroupMember.Read.All")
        .with_secret();
    let token = token(&tenant, &app).await;
    (tenant, token)
}

async fn follow(token: &str, link: &str, eventual: bool) -> Response {
    let request = http().get(link).bearer_auth(token);
    fetch(if eventual {
        request.header("ConsistencyLevel", "eventual")
    } else {
        request
    })
    .await
}

/// Follows every link. Returns the ids of each page.
async fn walk(tenant: &FakeTenant, token: &str, path: &str, eventual: bool) -> Vec<Vec<String>> {
    let mut link = Some(format!("{}/v1.0{path}", tenant.uri()));
    let mut pages = Vec::new();
    while let Some(next) = link {
        let page = follow(token, &next, eventual).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let items = page.body["value"].as_array().unwrap();
        pages.push(
            items
                .iter()
                .map(|item| item["id"].as_str().unwrap().to_owned())
                .collect(),
        );
        link = page.body["@odata.nextLink"].as_str().map(str::to_owned);
    }
    pages
}

#[tokio::test]
async fn every_user_is_listed_exactly_once() {
    let (tenant, token) = large_tenant(2_500).await;
    for (path, eventual) in [
        ("/users?$top=999", false),
        ("/users?$top=999&$orderby=displayName", false),
        (
            "/users?$top=700&$count=true&$filter=userType ne 'unknown'&$orderby=createdDateTime desc",
            true,
        ),
    ] {
        let pages = walk(&tenant, &token, path, eventual).await;
        let sizes: Vec<usize> = pages.iter().map(Vec::len).collect();
        let distinct: HashSet<String> = pages.into_iter().flatten().collect();
        assert_eq!(
            (sizes.iter().sum::<usize>(), distinct.len()),
            (2_500, 2_500),
            "{path}"
        );
        let (last, full) = sizes.split_last().unwrap();
        assert!(
            full.iter().all(|size| *size == full[0]) && *last <= full[0],
            "{path}: {sizes:?}"
        );
    }
}

#[tokio::test]
async fn the_default_page_is_a_hundred() {
    let (tenant, token) = large_tenant(150).await;
    let pages = walk(&tenant, &token, "/users", false).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [100, 50]);
}

#[tokio::test]
async fn a_full_last_page_has_no_next_link() {
    let (tenant, token) = large_tenant(20).await;
    let page = graph_get(&tenant, &token, "/users?$top=20").await;
    assert_eq!(page.body["value"].as_array().unwrap().len(), 20);
    assert!(page.body.get("@odata.nextLink").is_none());
}

#[tokio::test]
async fn objects_removed_between_pages_do_not_hide_others() {
    let tenant = FakeTenant::builder()
        .seed(Seed::Empty)
        .users(30)
        .start()
        .await;
    let app = tenant
        .register_app("Reader")
        .application_permission("User.Read.All")
        .with_secret();
    let token = token(&tenant, &app).await;
    let first = graph_get(&tenant, &token, "/users?$top=10&$select=id").await;
    let gone = first.body["value"][3]["id"].as_str().unwrap();
    assert!(tenant.remove("users", gone).unwrap());
    let next = first.body["@odata.nextLink"].as_str().unwrap();
    let mut seen = 10;
    let mut link = Some(next.to_owned());
    while let Some(next) = link {
        let page = follow(&token, &next, false).await;
        seen += page.body["value"].as_array().unwrap().len();
        link = page.body["@odata.nextLink"].as_str().map(str::to_owned);
    }
    assert_eq!(seen, 30);
}

#[tokio::test]
async fn an_advanced_list_needs_its_header_on_every_page() {
    let (tenant, token) = large_tenant(150).await;
    let first = follow(
        &token,
        &format!("{}/v1.0/users?$count=true", tenant.uri()),
        true,
    )
    .await;
    assert_eq!(first.body["@odata.count"], 150);
    let next = first.body["@odata.nextLink"].as_str().unwrap();
    let without = follow(&token, next, false).await;
    assert_eq!(
        (without.status, &without.body["error"]["code"]),
        (400, &"Request_UnsupportedQuery".into())
    );
    let with = follow(&token, next, true).await;
    assert_eq!(with.status, 200);
    assert!(with.body.get("@odata.count").is_none());
}
