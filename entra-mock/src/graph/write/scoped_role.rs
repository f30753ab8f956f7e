//! Writes of `scopedRoleMembers`: a role assignment over an administrative unit.

use serde_json::Value;

use super::{
    super::{
        call::{Call, unsupported},
        route::{Root, guid},
        scoped_role_members, unsourced,
    },
    access,
    body::{self, json},
    plan::{Plan, PlannedResponse, Step},
    role,
    target::target,
};
use crate::{
    directory::roles::role_assignment,
    odata::GraphError,
    store::{Kind, Object},
};

pub(super) fn plan(
    call: Call<'_>,
    root: &Root,
    kind: Kind,
    id: Option<&str>,
) -> Result<Plan, GraphError> {
    let key = if id.is_some() { "/{id}" } else { "" };
    let (unit, unit_id, _) = target(call, root, kind, &format!("/scopedRoleMembers{key}"))?;
    access::check_links(call, kind, unit)?;
    match (call.request.method.as_str(), id) {
        ("POST", None) => add(call, unit_id),
        ("DELETE", Some(id)) => remove(call, unit_id, id),
        _ => Err(unsupported(call.request)),
    }
}

fn add(call: Call<'_>, unit: &str) -> Result<Plan, GraphError> {
    let body = json(call)?;
    for name in body.keys() {
        match name.as_str() {
            "roleId" | "roleMemberInfo" => {}
            "administrativeUnitId" | "id" => return Err(body::read_only(name)),
            name if name.starts_with('@') => {}
            name => return Err(body::unknown(name)),
        }
    }
    let role = id_in(body.get("roleId"), "roleId")?;
    let member = id_in(
        body.get("roleMemberInfo").and_then(|info| info.get("id")),
        "roleMemberInfo",
    )?;
    let store = &call.state.store;
    let role_object = store
        .get(Kind::DirectoryRole, &role)
        .ok_or_else(|| GraphError::not_found(&role))?;
    let (kind, principal) = store
        .any(&member)
        .ok_or_else(|| GraphError::not_found(&member))?;
    role::check_principal(kind, principal, "roleMemberInfo")?;
    let template = role_object["roleTemplateId"].as_str().unwrap_or_default();
    role::check_over_unit(template)?;
    let assignment = role_assignment(template, &member, &scoped_role_members::scope(unit));
    if assignment["id"]
        .as_str()
        .is_some_and(|id| store.any(id).is_some())
    {
        return Err(unsourced::existing_role());
    }
    let mut created = scoped_role_members::membership(call.state, unit, &assignment);
    created["@odata.context"] = call.context("scopedRoleMemberships/$entity").into();
    Ok(Plan::new(PlannedResponse::Json(201, created))
        .with(Step::Insert(Kind::RoleAssignment, assignment))
        .audited_as("RoleManagement", "Add scoped member to role"))
}

fn remove(call: Call<'_>, unit: &str, id: &str) -> Result<Plan, GraphError> {
    let assignment: &Object = scoped_role_members::find(call, unit, id)?;
    let id = assignment["id"].as_str().unwrap_or_default().to_owned();
    Ok(Plan::new(PlannedResponse::NoContent)
        .with(Step::Delete(Kind::RoleAssignment, id))
        .audited_as("RoleManagement", "Remove scoped member from role"))
}

fn id_in(value: Option<&Value>, property: &str) -> Result<String, GraphError> {
    match value {
        None | Some(Value::Null) => Err(GraphError::bad_request(format!(
            "A value is required for property '{property}' of resource 'ScopedRoleMembership'."
        ))),
        Some(Value::String(id)) => guid(id),
        Some(_) => Err(GraphError::bad_request(format!(
            "Invalid value specified for property '{property}' of resource 'ScopedRoleMembership'."
        ))),
    }
}
