//! The callers of the fake company's API and their tokens.

use std::{error::Error, time::Duration};

use entra_auth::{
    ClientSecretCredential,
    entra_core::{Secret, TokenCredential, TokenRequest},
};
use entra_mock::{App, FakeTenant};
use serde_json::json;

use super::api::{ADMIN, READ, READ_ALL, WRITE};

/// Registers the API, as its administrator does in App registrations.
pub(crate) fn register(tenant: &FakeTenant) -> Result<App, Box<dyn Error>> {
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
    tenant.set_property("servicePrincipals", &principal, "appRoles", roles)?;
    let assignment = json!({
        "principalId": tenant.user(ADMINISTRATOR).id().to_string(),
        "resourceId": principal,
        "appRoleId": ADMIN_ID,
    });
    tenant.insert("appRoleAssignments", assignment)?;
    Ok(api)
}

/// One request: its caller, token, method and path.
pub(crate) struct Call {
    pub(crate) caller: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) token: Option<Secret>,
}

/// All calls, in order: later ones read what earlier ones wrote.
pub(crate) async fn calls(tenant: &FakeTenant, api: &App) -> Result<Vec<Call>, Box<dyn Error>> {
    let board = tenant
        .register_app("Task board")
        .delegated_permission("User.Read")
        .delegated_permission_of(api, READ)
        .delegated_permission_of(api, WRITE);
    let scope = |name: &str| format!("api://{}/{name}", api.client_id());
    let user = |name: &str, scopes: &[&str]| {
        let scopes: Vec<String> = scopes.iter().map(|name| scope(name)).collect();
        let tokens = tenant.tokens_for(&board, name, scopes);
        tokens.access_token().clone()
    };
    // Issued first: it is an hour and a half old when it is used.
    let expired = user("adele@contoso.com", &[READ]);
    tenant.clock().advance(Duration::from_secs(90 * 60));

    let reader = tenant.register_app("Board viewer");
    let reader = reader.delegated_permission_of(api, READ);
    let adele = tenant.tokens_for(&reader, "adele@contoso.com", [scope(READ)]);
    let adele = adele.access_token().clone();
    let clara = user("clara@contoso.com", &[READ, WRITE]);
    let admin = user(ADMINISTRATOR, &[READ]);

    let job = tenant
        .register_app("Nightly export")
        .application_permission_of(api, READ_ALL)
        .with_secret();
    let other = tenant.register_app("Other service").with_secret();
    let nightly = application(tenant, &job, api).await?;
    let other_service = application(tenant, &other, api).await?;

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

    let call = |caller, method, path, token: Option<&Secret>| Call {
        caller,
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
        call("Adele", "GET", "/users", Some(&adele)),
        call("Admin, who has the role", "GET", "/users", Some(&admin)),
        call(
            "the nightly export, an application",
            "GET",
            "/export",
            Some(&nightly),
        ),
        call("the nightly export", "POST", "/tasks", Some(&nightly)),
        call("Adele, who is a user", "GET", "/export", Some(&adele)),
        call(
            "an application without permission",
            "GET",
            "/export",
            Some(&other_service),
        ),
        call("a caller without a token", "GET", "/tasks", None),
        call(
            "Adele, with an expired token",
            "GET",
            "/tasks",
            Some(&expired),
        ),
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
            "Adele, with a forged scope",
            "POST",
            "/tasks",
            Some(&forged(&adele)),
        ),
    ])
}

/// An application's own token for the API.
async fn application(tenant: &FakeTenant, app: &App, api: &App) -> Result<Secret, Box<dyn Error>> {
    let credential = ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()?;
    let scope = format!("api://{}/.default", api.client_id());
    let token = credential.token(&TokenRequest::new([scope])).await?;
    Ok(Secret::from(token.expose_secret()))
}

fn register_elsewhere(tenant: &FakeTenant) -> App {
    let api = tenant.register_app("Task board API").with_v2_tokens();
    api.expose_scope(READ)
}

/// The token with another scope under the same signature.
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

const ADMINISTRATOR: &str = "admin@contoso.com";
const READ_ALL_ID: &str = "7a000000-0000-4000-8000-000000000001";
const ADMIN_ID: &str = "7a000000-0000-4000-8000-000000000002";
