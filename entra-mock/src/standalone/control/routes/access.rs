//! Permissions, consent and app role assignments.

use entra_core::Timestamp;
use serde_json::{Value, json};

use super::{
    super::{
        call::Call,
        error::{ControlError, Outcome},
        route::Route,
        schema::{Schema, optional, required},
    },
    shapes::{self, OBJECT, OBJECTS, app},
};
use crate::{
    directory::{GRAPH_APP_ID, SeedError},
    state::State,
    store::Kind,
};

pub(super) const ROUTES: &[&Route] = &[
    &Route::post(
        "/applications/{application}/application-permissions",
        "application-permissions grant",
        "Grants an application permission of Microsoft Graph, or of another application, with admin consent.",
        |call| {
            let now = call.tenant.now();
            let mut state = call.engine().write();
            let ids = app(&state, call.parameter("application"))?;
            let (resource, name) = (resource(call), call.text("permission").unwrap_or_default());
            grant_role(&mut state, now, &ids.service_principal_id, resource, name)
        },
    )
    .taking(&PERMISSION)
    .with_positional(&["permission"]),
    &Route::post(
        "/applications/{application}/delegated-permissions",
        "delegated-permissions grant",
        "Grants a delegated permission of Microsoft Graph, or of another application: with admin consent for all users, or for one.",
        |call| {
            let mut state = call.engine().write();
            let ids = app(&state, call.parameter("application"))?;
            let user = match call.text("user") {
                Some(user) => Some(shapes::id_of(&state, Kind::User, user)?),
                None => None,
            };
            let (resource, name) = (resource(call), call.text("permission").unwrap_or_default());
            grant_scope(&mut state, &ids.service_principal_id, resource, name, user.as_deref())
        },
    )
    .taking(&DELEGATED)
    .with_positional(&["permission"]),
    &Route::delete(
        "/applications/{application}/delegated-permissions",
        "delegated-permissions revoke",
        "Revokes all consent to delegated permissions of the application.",
        |call| {
            let mut state = call.engine().write();
            let ids = app(&state, call.parameter("application"))?;
            state.revoke_consent(&ids.service_principal_id);
            Ok(Value::Null)
        },
    ),
    &Route::get(
        "/app-role-assignments",
        "app-role-assignments list",
        "Lists the app role assignments.",
        &OBJECTS,
        |call| Ok(shapes::list(&call.engine().read(), Kind::AppRoleAssignment)),
    ),
    &Route::post(
        "/app-role-assignments",
        "app-role-assignments add",
        "Assigns a user, group or service principal to an application. An assignment that exists stays.",
        assign,
    )
    .taking(&ASSIGNMENT)
    .with_positional(&["principal", "resource", "role"])
    .creating(&OBJECT),
    &Route::delete(
        "/app-role-assignments/{id}",
        "app-role-assignments remove",
        "Removes an app role assignment.",
        |call| {
            let id = call.parameter("id");
            match call.engine().write().store.remove(Kind::AppRoleAssignment, id) {
                true => Ok(Value::Null),
                false => Err(ControlError::not_found("app role assignment", id, "/app-role-assignments")),
            }
        },
    ),
];

const PERMISSION: Schema = Schema::Object(&[
    required(
        "permission",
        &Schema::Text,
        "The name, such as User.Read.All.",
    ),
    optional(
        "resource",
        &Schema::Text,
        "The client id of the application that has it; Microsoft Graph unless set.",
    ),
]);
const DELEGATED: Schema = Schema::Object(&[
    required("permission", &Schema::Text, "The name, such as User.Read."),
    optional(
        "resource",
        &Schema::Text,
        "The client id of the application that has it; Microsoft Graph unless set.",
    ),
    optional(
        "user",
        &Schema::Text,
        "The user who consents, by id or user principal name; all users unless set.",
    ),
]);
const ASSIGNMENT: Schema = Schema::Object(&[
    required(
        "principal",
        &Schema::Text,
        "The id of a user, group or service principal, or a user principal name.",
    ),
    required(
        "resource",
        &Schema::Text,
        "The application, by object id, client id or display name.",
    ),
    optional(
        "role",
        &Schema::Text,
        "The value of the app role; the first role for users, or default access, unless set.",
    ),
]);

fn resource<'a>(call: &'a Call<'_>) -> &'a str {
    call.text("resource").unwrap_or(GRAPH_APP_ID)
}

/// Returns the id of a service principal, by its id or the client id of its application.
fn service_principal(state: &State, name: &str) -> Result<String, ControlError> {
    shapes::id_of(state, Kind::ServicePrincipal, name)
}

fn no_permission(kind: &str, name: &str, list: &str) -> ControlError {
    ControlError::new(
        404,
        "unknownPermission",
        format!("the resource has no {kind} {name:?}"),
        format!("GET /_entra-mock/objects/servicePrincipals lists them in {list}"),
    )
}

/// Grants an app role of a resource to a service principal.
pub(super) fn grant_role(
    state: &mut State,
    now: Timestamp,
    principal: &str,
    resource: &str,
    name: &str,
) -> Outcome {
    let resource = service_principal(state, resource)?;
    match state.grant_app_role(now, principal, &resource, name) {
        true => Ok(Value::Null),
        false => Err(no_permission("application permission", name, "appRoles")),
    }
}

/// Grants a scope of a resource to a service principal.
pub(super) fn grant_scope(
    state: &mut State,
    principal: &str,
    resource: &str,
    name: &str,
    user: Option<&str>,
) -> Outcome {
    let resource = service_principal(state, resource)?;
    let scope = state
        .scope_of(&resource, name)
        .ok_or_else(|| no_permission("delegated permission", name, "oauth2PermissionScopes"))?;
    state
        .consent(principal, &resource, &[scope], user)
        .map_err(SeedError::from)?;
    Ok(Value::Null)
}

fn assign(call: &Call<'_>) -> Outcome {
    let now = call.tenant.now();
    let text = |name: &str| call.text(name).unwrap_or_default();
    let mut state = call.engine().write();
    let principal = match state.store.any(text("principal")) {
        Some((kind, object)) if kind.entity().principal.is_some() => {
            object["id"].as_str().unwrap_or_default().to_owned()
        }
        Some(_) | None => shapes::id_of(&state, Kind::User, text("principal"))?,
    };
    let resource = match service_principal(&state, text("resource")) {
        Ok(id) => id,
        Err(_) => app(&state, text("resource"))?.service_principal_id,
    };
    let role = match call.text("role") {
        None => state.user_role(&resource),
        Some(role) => state
            .app_role(&resource, role)
            .ok_or_else(|| no_permission("app role", role, "appRoles"))?,
    };
    state
        .assign(now, &principal, &resource, &role)
        .map_err(SeedError::from)?;
    let assigned = state
        .store
        .assignments_of(&principal)
        .find(|assignment| assignment["resourceId"] == resource && assignment["appRoleId"] == role);
    Ok(assigned.map_or(json!({}), shapes::shown))
}
