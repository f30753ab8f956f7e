//! Everybody who calls the API of a fake company, and with what.

use std::time::Duration;

use entra_auth::ClientSecretCredential;
use entra_core::{Secret, TokenCredential, TokenRequest};
use entra_mock::{App, FakeTenant, SeedError};
use serde_json::json;

use super::{
    api::{ADMIN, READ, READ_ALL, WRITE},
    problem::Problem,
};

/// The API as its company's administrator has registered it.
pub(crate) fn register(tenant: &FakeTenant) -> Result<App, Problem> {
    let api = tenant
        .register_app("Task board API")
        .with_v2_tokens()
        .expose_scope(READ)
        .expose_scope(WRITE);
    let role = |id, value, member| json!({ "id": id, "value": value, "displayName": value, "allowedMemberTypes": [member], "isEnabled": true });
    let roles = json!([
        role(READ_ALL_ID, READ_ALL, "Application"),
        role(ADMIN_ID, ADMIN, "User"),
    ]);
    let principal = api.service_principal_id().to_string();
    tenant
        .set_property("servicePrincipals", &principal, "appRoles", roles)
        .map_err(|error| seed(&error))?;
    assign(tenant, &tenant.user(BOSS).id().to_string(), &api, ADMIN_ID)?;
    Ok(api)
}

/// One caller: who, with which token, and what is asked.
pub(crate) struct Call {
    pub(crate) who: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) token: Option<Secret>,
}

/// All the calls, in an order in which each means what it says.
pub(crate) async fn calls(tenant: &FakeTenant, api: &App) -> Result<Vec<Call>, Problem> {
    let board = tenant
        .register_app("Task board")
        .delegated_permission("User.Read")
        .delegated_permission_of(api, READ)
        .delegated_permission_of(api, WRITE);
    let scope = |name: &str| format!("api://{}/{name}", api.client_id());
    let person = |name: &str, scopes: &[&str]| {
        let scopes: Vec<String> = scopes.iter().map(|name| scope(name)).collect();
        let tokens = tenant.tokens_for(&board, name, scopes);
        tokens.access_token().clone()
    };
    // Made first, and an hour and a half old when it is used.
    let expired = person("adele@contoso.com", &[READ]);
    tenant.clock().advance(Duration::from_secs(90 * 60));

    let reader = tenant.register_app("Board viewer");
    let reader = reader.delegated_permission_of(api, READ);
    let adele = tenant.tokens_for(&reader, "adele@contoso.com", [scope(READ)]);
    let adele = adele.access_token().clone();
    let clara = person("clara@contoso.com", &[READ, WRITE]);
    let boss = person(BOSS, &[READ]);

    let job = tenant.register_app("Nightly export").with_secret();
    let nobody = tenant.register_app("Some other service").with_secret();
    assign(
        tenant,
        &job.service_principal_id().to_string(),
        api,
        READ_ALL_ID,
    )?;
    let nightly = service(tenant, &job, api).await?;
    let other_service = service(tenant, &nobody, api).await?;

    let graph = tenant.tokens_for(&board, "adele@contoso.com", ["User.Read"]);
    let graph = graph.access_token().clone();
    let elsewhere = FakeTenant::builder()
        .company("Fabrikam", "fabrikam.com")
        .random_seed(2)
        .start()
        .await;
    let foreign_api = register_elsewhere(&elsewhere);
    let foreign_board = elsewhere.register_app("Task board");
    let foreign_board = foreign_board.delegated_permission_of(&foreign_api, READ);
    let foreign_scope = format!("api://{}/{READ}", foreign_api.client_id());
    let foreign = elsewhere.tokens_for(&foreign_board, "adele@fabrikam.com", [foreign_scope]);

    let call = |who, method, path, token: Option<&Secret>| Call {
        who,
        method,
        path,
        token: token.cloned(),
    };
    Ok(vec![
        call(
            "Clara, who may read and write",
            "POST",
            "/tasks",
            Some(&clara),
        ),
        call("Clara", "GET", "/tasks", Some(&clara)),
        call("Adele, who may read", "GET", "/tasks", Some(&adele)),
        call("Adele", "POST", "/tasks", Some(&adele)),
        call("Adele", "GET", "/people", Some(&adele)),
        call("Admin, who has the role", "GET", "/people", Some(&boss)),
        call(
            "the nightly export, a service",
            "GET",
            "/export",
            Some(&nightly),
        ),
        call("the nightly export", "POST", "/tasks", Some(&nightly)),
        call("Adele, who is no service", "GET", "/export", Some(&adele)),
        call(
            "a service without permission",
            "GET",
            "/export",
            Some(&other_service),
        ),
        call("nobody", "GET", "/tasks", None),
        call("Adele, an hour too late", "GET", "/tasks", Some(&expired)),
        call(
            "Adele, with a token for Graph",
            "GET",
            "/tasks",
            Some(&graph),
        ),
        call(
            "Adele of another company",
            "GET",
            "/tasks",
            Some(foreign.access_token()),
        ),
        call(
            "Adele, who made herself a writer",
            "POST",
            "/tasks",
            Some(&forged(&adele)),
        ),
    ])
}

/// A service's own token for the API.
async fn service(tenant: &FakeTenant, app: &App, api: &App) -> Result<Secret, Problem> {
    let credential = ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()?;
    let scope = format!("api://{}/.default", api.client_id());
    let token = credential.token(&TokenRequest::new([scope])).await;
    let token = token.map_err(|error| Problem::from(&error))?;
    Ok(Secret::from(token.expose_secret()))
}

fn register_elsewhere(tenant: &FakeTenant) -> App {
    let api = tenant.register_app("Task board API").with_v2_tokens();
    api.expose_scope(READ)
}

fn assign(tenant: &FakeTenant, principal: &str, api: &App, role: &str) -> Result<(), Problem> {
    let assignment = json!({
        "principalId": principal,
        "resourceId": api.service_principal_id().to_string(),
        "appRoleId": role,
    });
    tenant
        .insert("appRoleAssignments", assignment)
        .map(|_| ())
        .map_err(|error| seed(&error))
}

/// Another right written into a token, under the same signature.
fn forged(token: &Secret) -> Secret {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let parts: Vec<&str> = token.expose_secret().split('.').collect();
    let [header, claims, signature] = parts[..] else {
        return token.clone();
    };
    let claims = URL_SAFE_NO_PAD.decode(claims).unwrap_or_default();
    let claims = String::from_utf8_lossy(&claims).replace(READ, WRITE);
    let claims = URL_SAFE_NO_PAD.encode(claims);
    Secret::from(format!("{header}.{claims}.{signature}"))
}

fn seed(error: &SeedError) -> Problem {
    Problem::new("the fake tenant could not be set up").because(error)
}

const BOSS: &str = "admin@contoso.com";
const READ_ALL_ID: &str = "7a000000-0000-4000-8000-000000000001";
const ADMIN_ID: &str = "7a000000-0000-4000-8000-000000000002";
