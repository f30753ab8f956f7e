//! What a token can read, and what the tenant's licence includes.

use entra_mock::{FakeTenant, License};
use serde_json::Value;

use crate::support::{fetch, graph_get, http, token};

#[tokio::test]
async fn no_token_is_a_401_with_a_challenge() {
    let tenant = FakeTenant::start().await;
    let missing = fetch(http().get(format!("{}/v1.0/users", tenant.uri()))).await;
    assert_eq!(missing.status, 401);
    assert_eq!(missing.body["error"]["code"], "InvalidAuthenticationToken");
    assert!(
        missing
            .header("www-authenticate")
            .unwrap()
            .starts_with("Bearer ")
    );
    let garbage = graph_get(&tenant, "garbage", "/users").await;
    assert_eq!(
        (garbage.status, &garbage.body["error"]["code"]),
        (401, &"InvalidAuthenticationToken".into())
    );
}

#[tokio::test]
async fn a_permission_takes_effect_with_the_next_token() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Reader")
        .application_permission("Group.Read.All")
        .with_secret();
    let before = token(&tenant, &app).await;
    assert_eq!(graph_get(&tenant, &before, "/groups").await.status, 200);
    assert_eq!(graph_get(&tenant, &before, "/users").await.status, 403);
    let app = app.application_permission("User.ReadBasic.All");
    assert_eq!(graph_get(&tenant, &before, "/users").await.status, 403);
    let after = token(&tenant, &app).await;
    assert_eq!(graph_get(&tenant, &after, "/users").await.status, 200);
}

#[tokio::test]
async fn members_of_an_unreadable_type_are_limited() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Reader")
        .application_permission("GroupMember.Read.All")
        .with_secret();
    let token = token(&tenant, &app).await;
    let group = tenant.group("Engineers").id();
    let members = graph_get(&tenant, &token, &format!("/groups/{group}/members")).await;
    let members = members.body["value"].as_array().unwrap().clone();
    let limited: Vec<&Value> = members
        .iter()
        .filter(|member| member["displayName"].is_null())
        .collect();
    assert_eq!((members.len(), limited.len()), (4, 3));
    for member in limited {
        assert_eq!(member["@odata.type"], "#microsoft.graph.user");
        assert!(member["id"].is_string() && member["userPrincipalName"].is_null());
    }
}

#[tokio::test]
async fn sign_ins_need_a_premium_licence() {
    let tenant = FakeTenant::builder().license(License::Free).start().await;
    let app = tenant
        .register_app("Reader")
        .application_permission("AuditLog.Read.All")
        .with_secret();
    let token = token(&tenant, &app).await;
    let rejected = graph_get(&tenant, &token, "/auditLogs/signIns").await;
    assert_eq!(rejected.status, 403);
    assert_eq!(
        rejected.body["error"]["code"],
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
    );
    tenant.set_license(License::P1);
    assert_eq!(
        graph_get(&tenant, &token, "/auditLogs/signIns")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn me_rejects_application_tokens() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Reader")
        .application_permission("User.Read.All")
        .with_secret();
    let response = graph_get(&tenant, &token(&tenant, &app).await, "/me").await;
    assert_eq!(
        (response.status, &response.body["error"]["code"]),
        (400, &"BadRequest".into())
    );
}

#[tokio::test]
async fn an_unsupported_request_returns_501() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Reader").with_secret();
    let token = token(&tenant, &app).await;
    for path in ["/me/messages", "/sites/root", "/organization/delta"] {
        let response = graph_get(&tenant, &token, path).await;
        assert_eq!(
            (response.status, &response.body["error"]["code"]),
            (501, &"NotImplemented".into()),
            "{path}"
        );
        assert!(
            response.body["error"]["message"]
                .as_str()
                .unwrap()
                .contains(path)
        );
    }
}
