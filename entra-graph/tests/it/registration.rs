//! App registrations as code, against the fake tenant.

mod adopted;
mod after;
mod applied;
mod assigned;
mod audited;
mod directory;
mod exported;
mod factory;
mod file_keys;
mod first_certificate;
mod gallery;
mod interrupted;
mod killed_under_delay;
mod many;
mod policies;
mod reads;
mod replicated;
mod restored;
mod rights;
mod rotated;
mod rotation_stopped;

use std::sync::Arc;

use entra_core::{StaticCredential, TokenCredential, TokenRequest};
use entra_graph::{
    GraphClient,
    registration::{
        AppRegistration, AppRoleBlueprint, Applied, Certificate, FederatedCredential, Lifetime,
        MemorySink, ScopeBlueprint, SecretSink,
    },
};
use entra_mock::FakeTenant;
use serde_json::Value;

use crate::support::AppCredential;

const ENOUGH: &[&str] = &[
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.Read.All",
];

/// A tenant and a client of an administrator's tool with these permissions.
async fn admin(permissions: &[&str]) -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::start().await;
    let graph = graph_of(&tenant, permissions).await;
    (tenant, graph)
}

async fn graph_of(tenant: &FakeTenant, permissions: &[&str]) -> GraphClient {
    let builder = GraphClient::builder(token(tenant, permissions).await);
    builder
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap()
}

/// A token of a new application with these permissions.
async fn token(tenant: &FakeTenant, permissions: &[&str]) -> StaticCredential {
    let app = tenant.register_app("Setup tool").with_secret();
    for permission in permissions {
        app.application_permission(permission);
    }
    let request = TokenRequest::new([tenant.cloud().graph_scope()]);
    let token = AppCredential::new(tenant, &app)
        .token(&request)
        .await
        .unwrap();
    StaticCredential::new(token.expose_secret())
}

/// Plans and applies.
async fn apply(
    blueprint: &AppRegistration,
    graph: &GraphClient,
    sink: &mut dyn SecretSink,
) -> Applied {
    let plan = blueprint.plan(graph).await.unwrap();
    plan.apply(sink).await.unwrap()
}

fn sink(tenant: &FakeTenant) -> MemorySink {
    MemorySink::new().clock(tenant.clock())
}

/// A blueprint with every part.
fn everything() -> AppRegistration {
    let pem = include_str!("../../../entra-mock/src/keys/client.test-cert.pem");
    AppRegistration::new("Order Desk")
        .web_redirect_uri("https://orders.contoso.com/auth/callback")
        .spa_redirect_uri("https://orders.contoso.com/app")
        .public_client_redirect_uri("http://localhost")
        .logout_url("https://orders.contoso.com/logout")
        .home_page_url("https://orders.contoso.com/")
        .issue_id_tokens(true)
        .allow_public_client_flows(true)
        .description("Orders of all branches")
        .notes("See the guide")
        .delegated(["openid", "profile", "GroupMember.Read.All"])
        .application(["User.Read.All", "Device.Read.All"])
        .grant_admin_consent()
        .app_id_uri("api://{client-id}")
        .access_token_version(2)
        .scope(
            ScopeBlueprint::new("Orders.Read", "Read orders", "Reads orders").users_can_consent(),
        )
        .app_role(AppRoleBlueprint::for_users(
            "Approver",
            "Approver",
            "Approves orders",
        ))
        .id_token_claim("email")
        .group_claims("SecurityGroup")
        .certificate(Certificate::from_pem("on-premises", pem).unwrap())
        .federated_credential(FederatedCredential::new(
            "deploy",
            "https://token.actions.githubusercontent.com",
            "repo:contoso/orders:ref:refs/heads/main",
        ))
        .owner("adele@contoso.com")
        .assignment_required(true)
        .visible_to_users(false)
        .assign_user_to("adele@contoso.com", "Approver")
        .secret("production", Lifetime::months(12))
        .secret("staging", Lifetime::days(90))
}

/// What a tenant has of a registration, without what differs from run to run.
#[derive(Debug, PartialEq)]
struct Outcome {
    application: Value,
    secrets: Vec<String>,
    principals: usize,
    federated: Vec<Value>,
    owners: usize,
    roles: Vec<Value>,
    grants: Vec<Value>,
    assigned: Vec<Value>,
    deleted: usize,
}

async fn outcome(graph: &GraphClient, name: &str) -> Outcome {
    let list = async |path: String| -> Vec<Value> {
        let items = graph
            .raw(entra_core::http::Method::GET, path)
            .items::<Value>();
        items.try_collect::<Vec<Value>>().await.unwrap()
    };
    let named: Vec<Value> = list("/applications".to_owned())
        .await
        .into_iter()
        .filter(|one| one["displayName"] == name)
        .collect();
    assert_eq!(named.len(), 1, "one registration");
    let mut application = named[0].clone();
    let id = application["id"].as_str().unwrap().to_owned();
    let app_id = application["appId"].as_str().unwrap().to_owned();
    let secrets = application["passwordCredentials"].as_array().unwrap();
    let mut secrets: Vec<String> = secrets
        .iter()
        .map(|one| {
            one["displayName"]
                .as_str()
                .unwrap()
                .split(" [")
                .next()
                .unwrap()
                .to_owned()
        })
        .collect();
    secrets.sort();
    let keys = application["keyCredentials"].as_array().unwrap().len();
    for name in ["id", "appId", "createdDateTime", "passwordCredentials"] {
        application[name] = Value::Null;
    }
    application["keyCredentials"] = keys.into();
    if !application["applicationTemplateId"].is_null() {
        // The scopes of a template have new ids each time.
        let scopes = application["api"]["oauth2PermissionScopes"].as_array_mut();
        scopes
            .into_iter()
            .flatten()
            .for_each(|one| one["id"] = Value::Null);
        let roles = application["appRoles"].as_array_mut();
        roles
            .into_iter()
            .flatten()
            .for_each(|one| one["id"] = Value::Null);
    }
    let text = application.to_string().replace(&app_id, "{client-id}");
    let strip = |mut items: Vec<Value>| {
        for item in &mut items {
            for name in [
                "id",
                "createdDateTime",
                "clientId",
                "resourceId",
                "principalId",
            ] {
                item[name] = Value::Null;
            }
        }
        items.sort_by_key(ToString::to_string);
        items
    };
    let principals: Vec<Value> = list("/servicePrincipals".to_owned())
        .await
        .into_iter()
        .filter(|one| one["appId"] == app_id)
        .collect();
    let principal = principals[0]["id"].as_str().unwrap().to_owned();
    Outcome {
        application: serde_json::from_str(&text).unwrap(),
        secrets,
        principals: principals.len(),
        federated: strip(list(format!("/applications/{id}/federatedIdentityCredentials")).await),
        owners: list(format!("/applications/{id}/owners")).await.len(),
        roles: strip(list(format!("/servicePrincipals/{principal}/appRoleAssignments")).await),
        grants: strip(
            list(format!(
                "/oauth2PermissionGrants?$filter=clientId eq '{principal}'"
            ))
            .await,
        ),
        assigned: strip(list(format!("/servicePrincipals/{principal}/appRoleAssignedTo")).await),
        deleted: list("/directory/deletedItems/microsoft.graph.application".to_owned())
            .await
            .len(),
    }
}

/// Method and path of each request that is not a read.
fn writes(tenant: &FakeTenant) -> Vec<String> {
    let graph = tenant.requests().within("/v1.0/");
    graph
        .iter()
        .filter(|request| request.method != "GET")
        .map(|request| format!("{} {}", request.method, request.path))
        .collect()
}

type Shared<T> = Arc<std::sync::Mutex<T>>;
