//! `scopedRoleMembers` of administrative units, and the same by role and by user: role assignments over a unit in their older
//! form.

use serde_json::{Value, json};

use super::{
    call::{Call, JSON},
    lookup,
    route::{Root, Route},
};
use crate::{
    directory::roles::UNITS,
    odata::{GraphError, Options, Query},
    permissions::authorize,
    state::State,
    store::{Kind, Object},
    wire::Reply,
};

/// Responds with all members of a unit, or with one.
pub(super) fn respond(
    call: Call<'_>,
    route: &Route,
    id: Option<&str>,
) -> Result<Reply, GraphError> {
    if let Root::Object(Kind::DirectoryRole, _) = &route.root {
        return of_role(call, route);
    }
    if let Root::Object(Kind::User, _) = &route.root {
        return of_user(call, route);
    }
    let key = if id.is_some() { "/{id}" } else { "" };
    let unit_path = Kind::AdministrativeUnit.entity().object_path();
    let path = format!("{unit_path}/scopedRoleMembers{key}");
    authorize(call.caller, "GET", &path, false)?;
    let (_, unit) = lookup::find(call, &route.root)?;
    Query::parse(call.request.query.as_deref(), Options(&[]))?;
    let unit = unit["id"].as_str().unwrap_or_default();
    let body = match id {
        None => {
            let items: Vec<Value> = assignments(call.state, unit)
                .map(|assignment| membership(call.state, unit, assignment))
                .collect();
            json!({ "@odata.context": call.context("scopedRoleMemberships"), "value": items })
        }
        Some(id) => {
            let found = find(call, unit, id)?;
            let mut body = membership(call.state, unit, found);
            body["@odata.context"] = call.context("scopedRoleMemberships/$entity").into();
            body
        }
    };
    Ok(Reply::new(200)
        .with_header("content-type", JSON)
        .with_body(body.to_string()))
}

/// Responds with the members of a role over any unit.
fn of_role(call: Call<'_>, route: &Route) -> Result<Reply, GraphError> {
    let path = format!(
        "{}/scopedMembers",
        Kind::DirectoryRole.entity().object_path()
    );
    authorize(call.caller, "GET", &path, false)?;
    let (_, role) = lookup::find(call, &route.root)?;
    over_any_unit(call, "roleDefinitionId", &role["roleTemplateId"])
}

/// Responds with the roles of a user over any unit.
fn of_user(call: Call<'_>, route: &Route) -> Result<Reply, GraphError> {
    let path = format!("{}/scopedRoleMemberOf", Kind::User.entity().object_path());
    authorize(call.caller, "GET", &path, false)?;
    let (_, user) = lookup::find(call, &route.root)?;
    over_any_unit(call, "principalId", &user["id"])
}

/// Responds with the role assignments over any unit that have this value.
fn over_any_unit(call: Call<'_>, property: &str, value: &Value) -> Result<Reply, GraphError> {
    Query::parse(call.request.query.as_deref(), Options(&[]))?;
    let items: Vec<Value> = call
        .state
        .store
        .all(Kind::RoleAssignment)
        .filter(|assignment| assignment[property] == *value)
        .filter_map(|assignment| {
            let unit = assignment["directoryScopeId"]
                .as_str()?
                .strip_prefix(UNITS)?;
            Some(membership(call.state, unit, assignment))
        })
        .collect();
    let body = json!({ "@odata.context": call.context("scopedRoleMemberships"), "value": items });
    Ok(Reply::new(200)
        .with_header("content-type", JSON)
        .with_body(body.to_string()))
}

/// Returns the role assignment of that id over a unit, or 404.
pub(super) fn find<'a>(call: Call<'a>, unit: &str, id: &str) -> Result<&'a Object, GraphError> {
    assignments(call.state, unit)
        .find(|assignment| assignment["id"] == id)
        .ok_or_else(|| GraphError::not_found(id))
}

/// The older form of a role assignment over a unit.
pub(super) fn membership(state: &State, unit: &str, assignment: &Object) -> Value {
    let text = |name: &str| assignment[name].as_str().unwrap_or_default();
    let role = state.activated_role(text("roleDefinitionId"));
    let member = state.store.any(text("principalId"));
    let part = |name: &str| member.and_then(|(_, object)| object.get(name).cloned());
    let mut info = json!({ "id": text("principalId"), "displayName": part("displayName") });
    if let Some(name) = part("userPrincipalName") {
        info["userPrincipalName"] = name;
    }
    json!({
        "id": text("id"), "administrativeUnitId": unit, "roleId": role.map(|(id, _)| id), "roleMemberInfo": info
    })
}

/// The scope of role assignments over a unit.
pub(super) fn scope(unit: &str) -> String {
    format!("{UNITS}{unit}")
}

fn assignments<'a>(state: &'a State, unit: &str) -> impl Iterator<Item = &'a Object> + use<'a> {
    let scope = scope(unit);
    state
        .store
        .all(Kind::RoleAssignment)
        .filter(move |assignment| assignment["directoryScopeId"] == scope.as_str())
}
