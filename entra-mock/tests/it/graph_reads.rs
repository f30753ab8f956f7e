//! Graph as a directory client uses it.

use std::{collections::BTreeSet, time::Duration};

use entra_core::Clock;
use entra_mock::FakeTenant;
use serde_json::{Value, json};

use crate::support::{Response, fetch, graph_get, http, token};

async fn reader(tenant: &FakeTenant, permissions: &[&str]) -> String {
    let mut app = tenant.register_app("Directory reader").with_secret();
    for permission in permissions {
        app = app.application_permission(permission);
    }
    token(tenant, &app).await
}

fn names(response: &Response) -> Vec<&str> {
    let items = response.body["value"].as_array().expect(&response.text);
    items
        .iter()
        .map(|item| item["displayName"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn sign_ins_show_which_users_use_which_application() {
    let tenant = FakeTenant::start().await;
    let token = reader(&tenant, &["Directory.Read.All", "AuditLog.Read.All"]).await;
    let apps = graph_get(
        &tenant,
        &token,
        "/servicePrincipals?$filter=tags/any(t:t eq 'WindowsAzureActiveDirectoryIntegratedApp')&$select=id,appId,displayName",
    )
    .await;
    assert!(names(&apps).contains(&"Expense Desk"));
    let desk = apps.body["value"]
        .as_array()
        .unwrap()
        .iter()
        .find(|app| app["displayName"] == "Expense Desk")
        .unwrap();

    let path = format!(
        "/servicePrincipals/{}/appRoleAssignedTo?$top=999",
        desk["id"].as_str().unwrap()
    );
    let assigned = graph_get(&tenant, &token, &path).await;
    let mut users = BTreeSet::new();
    for assignment in assigned.body["value"].as_array().unwrap() {
        let principal = assignment["principalId"].as_str().unwrap().to_owned();
        if assignment["principalType"] == "User" {
            users.insert(principal);
            continue;
        }
        let members = graph_get(
            &tenant,
            &token,
            &format!("/groups/{principal}/members?$select=id"),
        )
        .await;
        for member in members.body["value"].as_array().unwrap() {
            if member["@odata.type"] == "#microsoft.graph.user" {
                users.insert(member["id"].as_str().unwrap().to_owned());
            }
        }
    }
    assert_eq!(
        users.len(),
        6,
        "one user directly, two and three through groups"
    );

    let since = graph_get(
        &tenant,
        &token,
        &format!(
            "/auditLogs/signIns?$filter=appId eq '{}' and status/errorCode eq 0",
            desk["appId"].as_str().unwrap()
        ),
    )
    .await;
    let times: Vec<&str> = since.body["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["createdDateTime"].as_str().unwrap())
        .collect();
    assert!(!times.is_empty() && times.is_sorted_by(|newer, older| newer >= older));
}

#[tokio::test]
async fn token_requests_are_not_interactive_sign_ins() {
    let tenant = FakeTenant::builder()
        .seed(entra_mock::Seed::Empty)
        .start()
        .await;
    let token = reader(&tenant, &["AuditLog.Read.All"]).await;
    let listed = graph_get(&tenant, &token, "/auditLogs/signIns").await;
    assert_eq!(listed.body["value"], json!([]));
}

#[tokio::test]
async fn a_sign_in_is_listed_until_its_retention_ends() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Ticket shop");
    let adele = tenant.user("adele@contoso.com");
    let entry = tenant
        .add_sign_in(adele.id(), app.client_id())
        .failed(50126);
    let filter = format!("/auditLogs/signIns?$filter=appId eq '{}'", app.client_id());

    let reader_token = reader(&tenant, &["AuditLog.Read.All"]).await;
    let listed = graph_get(&tenant, &reader_token, &filter).await;
    assert_eq!(listed.body["value"][0]["id"], entry.id());
    assert_eq!(listed.body["value"][0]["status"]["errorCode"], 50126);
    assert!(
        listed.body["value"][0].get("signInEventTypes").is_none(),
        "v1.0 has no such property"
    );

    tenant.clock().advance(Duration::from_secs(31 * 24 * 3600));
    let later = reader(&tenant, &["AuditLog.Read.All"]).await;
    assert_eq!(
        graph_get(&tenant, &later, &filter).await.body["value"],
        json!([])
    );
}

#[tokio::test]
async fn sign_in_activity_follows_the_log() {
    let tenant = FakeTenant::builder()
        .seed(entra_mock::Seed::Empty)
        .start()
        .await;
    let app = tenant.register_app("Ticket shop");
    let eve = tenant.add_user("Eve");
    let token = reader(&tenant, &["User.Read.All", "AuditLog.Read.All"]).await;
    let path = format!("/users/{}?$select=signInActivity", eve.id());
    assert_eq!(
        graph_get(&tenant, &token, &path).await.body["signInActivity"],
        Value::Null
    );
    let yesterday = tenant.clock().now() - Duration::from_secs(24 * 3600);
    let entry = tenant.add_sign_in(eve.id(), app.client_id()).at(yesterday);
    let activity = graph_get(&tenant, &token, &path).await.body["signInActivity"].clone();
    assert_eq!(activity["lastSignInRequestId"], entry.id());
    assert_eq!(activity["lastSuccessfulSignInRequestId"], entry.id());
    assert_eq!(activity["lastNonInteractiveSignInDateTime"], Value::Null);
}

#[tokio::test]
async fn nested_members_are_found_transitively() {
    let tenant = FakeTenant::start().await;
    let token = reader(&tenant, &["GroupMember.Read.All", "User.Read.All"]).await;
    let engineers = tenant.group("Engineers").id();
    let direct = graph_get(&tenant, &token, &format!("/groups/{engineers}/members")).await;
    assert!(names(&direct).contains(&"Testers") && !names(&direct).contains(&"Clara"));
    let all = graph_get(
        &tenant,
        &token,
        &format!("/groups/{engineers}/transitiveMembers"),
    )
    .await;
    assert!(names(&all).contains(&"Clara"));
    let of = graph_get(
        &tenant,
        &token,
        "/users/clara@contoso.com/transitiveMemberOf",
    )
    .await;
    assert_eq!(
        names(&of).into_iter().collect::<BTreeSet<_>>(),
        ["All staff", "Engineers", "Testers"].into()
    );
}

#[tokio::test]
async fn a_batch_is_one_request() {
    let tenant = FakeTenant::start().await;
    let token = reader(&tenant, &["User.Read.All"]).await;
    let body = json!({"requests": [
        {"id": "a", "method": "GET", "url": "/users/adele@contoso.com?$select=displayName"},
        {"id": "b", "method": "GET", "url": "/groups"},
    ]});
    let batch = fetch(
        http()
            .post(format!("{}/v1.0/$batch", tenant.uri()))
            .bearer_auth(&token)
            .json(&body),
    )
    .await;
    let responses = batch.body["responses"].as_array().expect(&batch.text);
    assert_eq!(responses[0]["body"]["displayName"], "Adele");
    assert_eq!(
        (
            &responses[1]["status"],
            &responses[1]["body"]["error"]["code"]
        ),
        (&json!(403), &json!("Authorization_RequestDenied"))
    );
}

#[tokio::test]
async fn every_link_has_the_host_of_the_request() {
    let tenant = FakeTenant::start().await;
    let token = reader(&tenant, &["User.Read.All"]).await;
    let page = graph_get(&tenant, &token, "//users?$top=2").await;
    let next = page.body["@odata.nextLink"].as_str().unwrap();
    assert!(
        next.starts_with(&format!("{}/v1.0/users?$top=2&$skiptoken=", tenant.uri())),
        "{next}"
    );
    assert_eq!(
        page.body["@odata.context"],
        format!("{}/v1.0/$metadata#users", tenant.uri())
    );
}
