//! Assignments and grants that are written through Graph take effect at the token endpoint at once.

use entra_mock::{App, FakeTenant};
use serde_json::{Value, json};

use crate::{
    support::{Response, fetch, graph_get, http, token},
    users::{ADELE, assert_error, claims, redeem},
};

struct Consent {
    tenant: FakeTenant,
    token: String,
    graph: Value,
}

/// A tenant with an application that can give consent, and the service principal of Graph.
async fn consent() -> Consent {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Consent tool")
        .application_permission("Application.Read.All")
        .application_permission("AppRoleAssignment.ReadWrite.All")
        .application_permission("DelegatedPermissionGrant.ReadWrite.All")
        .with_secret();
    let token = token(&tenant, &app).await;
    let path = "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')";
    let graph = graph_get(&tenant, &token, path).await.body;
    Consent {
        tenant,
        token,
        graph,
    }
}

impl Consent {
    async fn send(&self, method: &str, path: &str, body: Value) -> Response {
        let method = method.parse().unwrap();
        let url = format!("{}/v1.0{path}", self.tenant.uri());
        let request = http().request(method, url).bearer_auth(&self.token);
        fetch(request.json(&body)).await
    }

    fn role(&self, value: &str) -> &Value {
        let roles = self.graph["appRoles"].as_array().unwrap();
        &roles.iter().find(|role| role["value"] == value).unwrap()["id"]
    }

    async fn assign(&self, path: &str, principal: &str, resource: &str, role: &Value) -> Response {
        let body = json!({"principalId": principal, "resourceId": resource, "appRoleId": role});
        self.send("POST", path, body).await
    }

    /// A sign-in with a password, which never asks for consent.
    async fn sign_in(&self, app: &App, scope: &str) -> Response {
        let password = self.tenant.user(ADELE).password();
        let fields = [
            ("grant_type", "password"),
            ("username", ADELE),
            ("password", password.expose_secret()),
            ("scope", scope),
        ];
        redeem(&self.tenant, app, false, &fields).await
    }
}

fn roles(token: &str) -> Value {
    claims(&token.into())["roles"].clone()
}

#[tokio::test]
async fn an_application_permission_is_in_the_next_token_and_gone_after_its_deletion() {
    let consent = consent().await;
    let app = consent.tenant.register_app("Night job").with_secret();
    let before = token(&consent.tenant, &app).await;
    assert_eq!(roles(&before), Value::Null);
    let graph = consent.graph["id"].as_str().unwrap();
    let (principal, role) = (app.service_principal_id(), consent.role("User.Read.All"));
    let path = format!("/servicePrincipals/{graph}/appRoleAssignedTo");
    let created = consent
        .assign(&path, &principal.to_string(), graph, role)
        .await;
    assert_eq!(created.status, 201, "{}", created.text);
    let granted = token(&consent.tenant, &app).await;
    assert_eq!(roles(&granted), json!(["User.Read.All"]));
    let users = graph_get(&consent.tenant, &granted, "/users").await;
    assert_eq!(users.status, 200);

    let one = format!("{path}/{}", created.body["id"].as_str().unwrap());
    assert_eq!(consent.send("DELETE", &one, json!({})).await.status, 204);
    let after = token(&consent.tenant, &app).await;
    assert_eq!(roles(&after), Value::Null);
}

#[tokio::test]
async fn a_delegated_permission_follows_the_grant() {
    let consent = consent().await;
    let tenant = &consent.tenant;
    let app = tenant.register_app("Tool").public_client();
    let rejected = consent.sign_in(&app, "User.Read").await;
    assert_error(&rejected, 400, "invalid_grant", 65_001);
    let body = json!({
        "clientId": app.service_principal_id().to_string(), "consentType": "AllPrincipals",
        "resourceId": consent.graph["id"], "scope": "User.Read"
    });
    let created = consent.send("POST", "/oauth2PermissionGrants", body).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let tokens = consent.sign_in(&app, "User.Read").await;
    assert_eq!(claims(&tokens.body["access_token"])["scp"], "User.Read");

    let one = format!(
        "/oauth2PermissionGrants/{}",
        created.body["id"].as_str().unwrap()
    );
    let rejected = consent.sign_in(&app, "Mail.Read").await;
    assert_error(&rejected, 400, "invalid_grant", 65_001);
    for (scope, granted) in [
        ("User.Read Mail.Read", "Mail.Read User.Read"),
        ("Mail.Read", "Mail.Read"),
    ] {
        let changed = consent.send("PATCH", &one, json!({ "scope": scope })).await;
        assert_eq!(changed.status, 204, "{}", changed.text);
        let tokens = consent.sign_in(&app, "Mail.Read").await;
        assert_eq!(claims(&tokens.body["access_token"])["scp"], granted);
    }
    assert_eq!(consent.send("DELETE", &one, json!({})).await.status, 204);
    let rejected = consent.sign_in(&app, "Mail.Read").await;
    assert_error(&rejected, 400, "invalid_grant", 65_001);
}

#[tokio::test]
async fn a_grant_for_another_user_gives_no_consent() {
    let consent = consent().await;
    let tenant = &consent.tenant;
    let app = tenant.register_app("Tool").public_client();
    let other = tenant.add_user("Robin");
    for (user, allowed) in [(other.id(), false), (tenant.user(ADELE).id(), true)] {
        let body = json!({
            "clientId": app.service_principal_id().to_string(), "consentType": "Principal",
            "principalId": user.to_string(), "resourceId": consent.graph["id"], "scope": "User.Read"
        });
        let created = consent.send("POST", "/oauth2PermissionGrants", body).await;
        assert_eq!(created.status, 201, "{}", created.text);
        let tokens = consent.sign_in(&app, "User.Read").await;
        assert_eq!(tokens.status == 200, allowed, "{}", tokens.text);
    }
}

#[tokio::test]
async fn an_assigned_user_can_sign_in_where_assignment_is_required() {
    let consent = consent().await;
    let tenant = &consent.tenant;
    let app = tenant
        .register_app("Tool")
        .public_client()
        .delegated_permission("User.Read")
        .require_assignment();
    let rejected = consent.sign_in(&app, "User.Read").await;
    assert_error(&rejected, 400, "invalid_grant", 50_105);
    let (user, desk) = (tenant.user(ADELE).id(), app.service_principal_id());
    let default_access = json!("00000000-0000-0000-0000-000000000000");
    let path = format!("/users/{user}/appRoleAssignments");
    let created = consent
        .assign(&path, &user.to_string(), &desk.to_string(), &default_access)
        .await;
    assert_eq!(created.status, 201, "{}", created.text);
    let tokens = consent.sign_in(&app, "User.Read").await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    let one = format!("{path}/{}", created.body["id"].as_str().unwrap());
    assert_eq!(consent.send("DELETE", &one, json!({})).await.status, 204);
    let rejected = consent.sign_in(&app, "User.Read").await;
    assert_error(&rejected, 400, "invalid_grant", 50_105);
}
