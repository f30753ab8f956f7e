//! The rules of directory roles: activation, custom definitions, assignments.

use serde_json::Value;

use super::{
    super::{call::Call, route, unsourced},
    body::{Draft, invalid},
    plan::Step,
};
use crate::{
    directory::roles::{UNITS, WHOLE_DIRECTORY, can_be_over_a_unit, role_assignment},
    odata::GraphError,
    schema::{Relation, Relationship},
    store::{Kind, Object},
};

/// Checks that the template of a role to activate exists, and adds its name and description.
pub(super) fn activate(call: Call<'_>, draft: &mut Draft) -> Result<(), GraphError> {
    let template = route::guid(draft.text("roleTemplateId").unwrap_or_default())?;
    let (_, role) = call
        .state
        .activated_role(&template)
        .ok_or_else(|| GraphError::not_found(&template))?;
    let Some(role) = role else {
        return Err(unsourced::existing_role());
    };
    draft.set("roleTemplateId", template);
    for name in ["description", "displayName"] {
        draft.set(name, role.get(name).cloned().unwrap_or_default());
    }
    Ok(())
}

/// Checks a custom role definition and adds the properties that every definition has.
pub(super) fn define(id: &str, draft: &mut Draft) -> Result<(), GraphError> {
    check_permissions(draft)?;
    complete_permissions(draft);
    draft.set("isBuiltIn", false);
    draft.set("resourceScopes", vec![WHOLE_DIRECTORY]);
    draft.set_if_absent("templateId", id);
    Ok(())
}

/// Checks a change of a role definition. Built-in roles cannot be changed.
pub(super) fn redefine(definition: &Object, draft: &mut Draft) -> Result<(), GraphError> {
    check_custom(definition)?;
    if draft.names("rolePermissions") {
        check_permissions(draft)?;
        complete_permissions(draft);
    }
    Ok(())
}

/// A permission without a condition is returned with null.
fn complete_permissions(draft: &mut Draft) {
    let mut permissions = draft.get("rolePermissions").cloned().unwrap_or_default();
    for permission in permissions.as_array_mut().into_iter().flatten() {
        if let Some(permission) = permission.as_object_mut() {
            permission.entry("condition").or_insert(Value::Null);
        }
    }
    draft.set("rolePermissions", permissions);
}

fn check_permissions(draft: &Draft) -> Result<(), GraphError> {
    let permissions = draft.get("rolePermissions").and_then(Value::as_array);
    let has_actions = |permission: &Value| {
        permission["allowedResourceActions"]
            .as_array()
            .is_some_and(|actions| !actions.is_empty())
    };
    let fits = permissions.is_some_and(|all| !all.is_empty() && all.iter().all(has_actions));
    if fits {
        Ok(())
    } else {
        Err(invalid(Kind::RoleDefinition.entity(), "rolePermissions"))
    }
}

fn check_custom(definition: &Object) -> Result<(), GraphError> {
    if definition.get("isBuiltIn") == Some(&Value::Bool(true)) {
        return Err(unsourced::built_in_role());
    }
    Ok(())
}

/// Checks a new assignment. Returns its id and, for the whole directory, the changes of the role's members.
pub(super) fn assign(call: Call<'_>, draft: &mut Draft) -> Result<(String, Vec<Step>), GraphError> {
    let id_of = |name: &str| route::guid(draft.text(name).unwrap_or_default());
    let (principal, definition) = (id_of("principalId")?, id_of("roleDefinitionId")?);
    let store = &call.state.store;
    let (kind, object) = store
        .any(&principal)
        .ok_or_else(|| GraphError::not_found(&principal))?;
    check_principal(kind, object, "principalId")?;
    if store.get(Kind::RoleDefinition, &definition).is_none() {
        return Err(GraphError::not_found(&definition));
    }
    let scope = scope(call, draft.text("directoryScopeId").unwrap_or_default())?;
    if scope.starts_with(UNITS) {
        check_over_unit(&definition)?;
    }
    let assignment = role_assignment(&definition, &principal, &scope);
    let id = assignment["id"].as_str().unwrap_or_default().to_owned();
    if store.any(&id).is_some() {
        return Err(unsourced::existing_role());
    }
    let mut steps = Vec::new();
    // A custom role has no `directoryRole`. Over a unit it is `roleId` of the older form of the assignment.
    let whole = scope == WHOLE_DIRECTORY;
    if (whole || scope.starts_with(UNITS))
        && let Some((role, inactive)) = call.state.activated_role(&definition)
    {
        steps.extend(inactive.map(|object| Step::Insert(Kind::DirectoryRole, object)));
        if whole {
            steps.push(Step::Link(Relation::Members, role, principal.clone()));
        }
    }
    draft.set("directoryScopeId", scope);
    draft.set("principalId", principal);
    draft.set("roleDefinitionId", definition);
    Ok((id, steps))
}

/// Returns 400 for a built-in role that cannot be assigned over an administrative unit (page "Assign Microsoft Entra roles").
pub(super) fn check_over_unit(definition: &str) -> Result<(), GraphError> {
    if can_be_over_a_unit(definition) {
        return Ok(());
    }
    Err(GraphError::bad_request(
        "The given built-in role is not supported to be assigned to a single resource scope.",
    ))
}

/// Returns a scope in the directory's spelling: `/`, an administrative unit, or an application or service
/// principal.
fn scope(call: Call<'_>, scope: &str) -> Result<String, GraphError> {
    if scope == WHOLE_DIRECTORY {
        return Ok(scope.to_owned());
    }
    let entity = Kind::RoleAssignment.entity();
    let path = scope
        .strip_prefix('/')
        .ok_or_else(|| invalid(entity, "directoryScopeId"))?;
    let (kinds, id): (&[Kind], &str) = match path.split_once('/') {
        Some((set, id)) if set.eq_ignore_ascii_case("administrativeUnits") => {
            (&[Kind::AdministrativeUnit], id)
        }
        Some(_) => return Err(invalid(entity, "directoryScopeId")),
        None => (&[Kind::Application, Kind::ServicePrincipal], path),
    };
    let id = route::guid(id)?;
    match call.state.store.kind_of(&id) {
        Some(kind) if kinds.contains(&kind) => Ok(scope
            .to_ascii_lowercase()
            .replace("administrativeunits", "administrativeUnits")),
        Some(_) => Err(invalid(entity, "directoryScopeId")),
        None => Err(GraphError::not_found(&id)),
    }
}

/// Checks that a role definition can be deleted: it is a custom one, and no principal has it.
pub(super) fn check_unassigned(call: Call<'_>, definition: &Object) -> Result<(), GraphError> {
    check_custom(definition)?;
    let id = definition["id"].as_str();
    let assigned = |assignment: &&Object| assignment["roleDefinitionId"].as_str() == id;
    match call.state.store.all(Kind::RoleAssignment).find(assigned) {
        Some(_) => Err(unsourced::assigned_role()),
        None => Ok(()),
    }
}

/// The membership in the activated role that ends with an assignment for the whole directory.
pub(super) fn removed_membership(call: Call<'_>, assignment: &Object) -> Option<Step> {
    let text = |name: &str| assignment[name].as_str().unwrap_or_default();
    if text("directoryScopeId") != WHOLE_DIRECTORY {
        return None;
    }
    let (role, _) = call.state.activated_role(text("roleDefinitionId"))?;
    let principal = text("principalId");
    let store = &call.state.store;
    store
        .is_linked(Relation::Members, &role, principal)
        .then(|| Step::Unlink(Relation::Members, role, principal.to_owned()))
}

/// Returns the change of the assignments that goes with a new or removed member of a role.
pub(super) fn assignment_step(
    relationship: &Relationship,
    role: &Object,
    principal: &str,
    add: bool,
) -> Option<Step> {
    if relationship.of != Kind::DirectoryRole {
        return None;
    }
    let definition = role.get("roleTemplateId").and_then(Value::as_str)?;
    let assignment = role_assignment(definition, principal, WHOLE_DIRECTORY);
    Some(if add {
        Step::Insert(Kind::RoleAssignment, assignment)
    } else {
        let id = assignment["id"].as_str().unwrap_or_default().to_owned();
        Step::Delete(Kind::RoleAssignment, id)
    })
}

/// Checks that an object can have a role: users, service principals and role-assignable groups can,
/// as their types declare.
pub(super) fn check_principal(
    kind: Kind,
    principal: &Object,
    property: &str,
) -> Result<(), GraphError> {
    let assignable = kind.entity().principal.is_some_and(|form| {
        let flag = form.role_flag;
        flag.is_none_or(|flag| principal.get(flag) == Some(&Value::Bool(true)))
    });
    if assignable {
        Ok(())
    } else {
        Err(unsourced::unsupported_target(kind, property))
    }
}
