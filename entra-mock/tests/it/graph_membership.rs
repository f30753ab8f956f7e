//! Group memberships, read with a user's token and with an application's.

use entra_mock::FakeTenant;
use serde_json::{Value, json};

use crate::support::{Response, fetch, http, token};

async fn request(tenant: &FakeTenant, token: &str, path: &str, body: &Value) -> Response {
    let url = format!("{}/v1.0{path}", tenant.uri());
    fetch(http().post(url).bearer_auth(token).json(body)).await
}

#[tokio::test]
async fn a_user_token_checks_the_users_own_groups() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Portal")
        .delegated_permission("GroupMember.Read.All")
        .with_secret();
    let tokens = tenant.tokens_for(
        &app,
        "clara@contoso.com",
        ["https://graph.microsoft.com/GroupMember.Read.All"],
    );
    let access = tokens.access_token();
    let (engineers, testers) = (tenant.group("Engineers"), tenant.group("Testers"));
    let strangers = tenant.add_group("Strangers");
    let requested = json!({"groupIds": [strangers.id(), engineers.id(), testers.id()]});
    let found = request(
        &tenant,
        access.expose_secret(),
        "/me/checkMemberGroups",
        &requested,
    )
    .await;
    assert_eq!(
        found.body["value"],
        json!([engineers.id(), testers.id()]),
        "{}",
        found.text
    );
    strangers.add_member(tenant.user("clara@contoso.com").id());
    let all = request(
        &tenant,
        access.expose_secret(),
        "/me/getMemberGroups",
        &json!({"securityEnabledOnly": true}),
    )
    .await;
    assert!(
        all.body["value"]
            .as_array()
            .unwrap()
            .contains(&json!(strangers.id())),
        "{}",
        all.text
    );
}

#[tokio::test]
async fn an_application_needs_a_permission_of_its_own() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Reader")
        .application_permission("AuditLog.Read.All")
        .with_secret();
    let path = "/users/clara@contoso.com/getMemberGroups";
    let without = token(&tenant, &app).await;
    let rejected = request(&tenant, &without, path, &json!({})).await;
    assert_eq!(
        (rejected.status, &rejected.body["error"]["code"]),
        (403, &json!("Authorization_RequestDenied"))
    );
    let app = app.application_permission("GroupMember.Read.All");
    let with = token(&tenant, &app).await;
    let groups = request(&tenant, &with, path, &json!({"securityEnabledOnly": false})).await;
    assert_eq!(
        groups.body["value"].as_array().unwrap().len(),
        3,
        "{}",
        groups.text
    );
    let unknown = request(
        &tenant,
        &with,
        "/users/unknown@contoso.com/getMemberGroups",
        &json!({}),
    )
    .await;
    assert_eq!(unknown.status, 404);
}
