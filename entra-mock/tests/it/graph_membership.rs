//! Which groups somebody is in, asked with a person's own token and with an application's.

use entra_mock::FakeTenant;
use serde_json::{Value, json};

use crate::support::{Answer, answer, http, token};

async fn ask(tenant: &FakeTenant, token: &str, path: &str, body: &Value) -> Answer {
    let url = format!("{}/v1.0{path}", tenant.uri());
    answer(http().post(url).bearer_auth(token).json(body)).await
}

#[tokio::test]
async fn a_person_s_token_tells_which_of_some_groups_they_are_in() {
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
    let asked = json!({"groupIds": [strangers.id(), engineers.id(), testers.id()]});
    let found = ask(
        &tenant,
        access.expose_secret(),
        "/me/checkMemberGroups",
        &asked,
    )
    .await;
    assert_eq!(
        found.body["value"],
        json!([engineers.id(), testers.id()]),
        "{}",
        found.text
    );
    strangers.add_member(tenant.user("clara@contoso.com").id());
    let all = ask(
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
    let refused = ask(&tenant, &without, path, &json!({})).await;
    assert_eq!(
        (refused.status, &refused.body["error"]["code"]),
        (403, &json!("Authorization_RequestDenied"))
    );
    let app = app.application_permission("GroupMember.Read.All");
    let with = token(&tenant, &app).await;
    let groups = ask(&tenant, &with, path, &json!({"securityEnabledOnly": false})).await;
    assert_eq!(
        groups.body["value"].as_array().unwrap().len(),
        3,
        "{}",
        groups.text
    );
    let nobody = ask(
        &tenant,
        &with,
        "/users/nobody@contoso.com/getMemberGroups",
        &json!({}),
    )
    .await;
    assert_eq!(nobody.status, 404);
}
