//! DELETE of an object; restore and purge of deleted items.

use serde_json::Value;

use super::{
    super::{
        call::{Call, unsupported},
        lookup,
        route::{self, Root},
    },
    access, application, body, directory_objects, domain, federated,
    plan::{Plan, PlannedResponse, Step},
    role, service_principal, user,
};
use crate::{
    odata::GraphError,
    permissions::{authorize, authorize_kind},
    schema::{Behavior, Deletion, Relation},
    store::{Kind, Object},
};

pub(super) fn plan(call: Call<'_>, root: &Root) -> Result<Plan, GraphError> {
    let served = |kind: Kind| {
        let path = kind.entity().object_path();
        let operations = kind.entity().operations;
        operations
            .iter()
            .any(|row| row.method == "DELETE" && row.path == path)
            .then_some(path)
            .ok_or_else(|| unsupported(call.request))
    };
    if let Root::Object(kind, _) = root {
        authorize_kind(call.caller, *kind, "DELETE", &served(*kind)?, false)?;
    }
    if let Root::Any(_) = root {
        authorize(call.caller, "DELETE", ANY, false)?;
    }
    let (kind, object) = lookup::find(call, root)?;
    authorize_kind(call.caller, kind, "DELETE", &served(kind)?, false)?;
    access::check_delete(call, kind, object)?;
    let entity = kind.entity();
    let names = entity.activities;
    let mut name = match entity.deletion {
        Deletion::Soft { .. } | Deletion::SoftIfUnified => names.delete,
        Deletion::Hard => names.purge,
    };
    let (before, after) = match entity.behavior {
        Behavior::RoleDefinition => {
            role::check_unassigned(call, object)?;
            (None, Vec::new())
        }
        Behavior::RoleAssignment => (role::removed_membership(call, object), Vec::new()),
        Behavior::Domain => {
            name = domain::deletion_activity(object);
            (None, domain::removed_with(call, object)?)
        }
        Behavior::Application => {
            let principal = application::service_principal(call, object);
            let deleted = principal
                .map(|principal| Step::Delete(Kind::ServicePrincipal, self::id(principal)));
            (None, deleted.into_iter().collect())
        }
        Behavior::AsDeclared
        | Behavior::User
        | Behavior::Group
        | Behavior::AppManagementPolicy
        | Behavior::ServicePrincipal
        | Behavior::PermissionGrant
        | Behavior::Invitation
        | Behavior::DirectoryRole
        | Behavior::AttributeSet
        | Behavior::SecurityAttribute
        | Behavior::AllowedValue
        | Behavior::DomainFederation => (None, Vec::new()),
    };
    let mut plan = Plan::new(PlannedResponse::NoContent);
    plan.steps.extend(before);
    plan = plan
        .with(Step::Delete(kind, id(object)))
        .audited_as(names.category, name);
    plan.steps.extend(after);
    Ok(plan)
}

pub(super) fn purge(call: Call<'_>, deleted: &str) -> Result<Plan, GraphError> {
    let (kind, object) = find(call, deleted)?;
    authorize_kind(call.caller, kind, "DELETE", ITEM, false)?;
    access::check_delete(call, kind, object)?;
    let names = kind.entity().activities;
    let mut plan = Plan::new(PlannedResponse::NoContent)
        .with(Step::Purge(id(object)))
        .audited_as(names.category, names.purge);
    plan.steps.extend(federated::deletions(call, object));
    Ok(plan)
}

pub(super) fn restore(call: Call<'_>, deleted: &str) -> Result<Plan, GraphError> {
    let (kind, object) = find(call, deleted)?;
    authorize_kind(call.caller, kind, "POST", RESTORE, false)?;
    access::check_delete(call, kind, object)?;
    if kind.entity().behavior == Behavior::ServicePrincipal {
        service_principal::check_restore(call, object)?;
    }
    let changes = restore_changes(call, kind, object)?;
    if let Some(conflict) = call.state.restore_conflict(deleted, &changes) {
        return Err(conflict.into());
    }
    let names = kind.entity().activities;
    let response = PlannedResponse::Object {
        status: 200,
        id: id(object),
        typed: true,
        secrets: Vec::new(),
    };
    Ok(Plan::new(response)
        .with(Step::Restore(id(object), changes))
        .audited_as(names.category, names.restore))
}

/// Reads the parameters, which beta has for users.
fn restore_changes(
    call: Call<'_>,
    kind: Kind,
    object: &Object,
) -> Result<Vec<(String, Option<Value>)>, GraphError> {
    if call.request.body.is_empty() {
        return Ok(Vec::new());
    }
    let body = body::json(call)?;
    let known: &[&str] = match kind.entity().deletion {
        Deletion::Soft { restored_with } if call.beta => restored_with,
        Deletion::Soft { .. } | Deletion::SoftIfUnified | Deletion::Hard => &[],
    };
    directory_objects::check_parameters(&body, "restore", known)?;
    let mut changes = Vec::new();
    match body.get("newUserPrincipalName") {
        None | Some(Value::Null) => {}
        Some(Value::String(name)) => changes = user::renamed(call, object, name)?,
        Some(_) => return Err(body::malformed(WRONG_TYPE)),
    }
    match body.get("autoReconcileProxyConflict") {
        None | Some(Value::Null | Value::Bool(false)) => {}
        Some(Value::Bool(true)) => changes.extend(free_addresses(call, object)),
        Some(_) => return Err(body::malformed(WRONG_TYPE)),
    }
    Ok(changes)
}

/// The addresses that no other object has meanwhile; `None` if that are all.
fn free_addresses(call: Call<'_>, object: &Object) -> Option<(String, Option<Value>)> {
    const ADDRESSES: &str = "proxyAddresses";
    let addresses = object.get(ADDRESSES)?.as_array()?;
    let free: Vec<Value> = addresses
        .iter()
        .filter(|address| {
            let mut alone = Object::new();
            alone.insert(ADDRESSES.to_owned(), Value::Array(vec![(*address).clone()]));
            call.state.store.conflict(Kind::User, &alone).is_none()
        })
        .cloned()
        .collect();
    (free.len() < addresses.len()).then(|| (ADDRESSES.to_owned(), Some(Value::Array(free))))
}

/// `getUserOwnedObjects`: the deleted groups or applications of an owner, by id.
pub(super) fn deleted_of_owner(call: Call<'_>) -> Result<Plan, GraphError> {
    authorize(call.caller, "POST", OWNED, false)?;
    let body = body::json(call)?;
    directory_objects::check_parameters(&body, "getUserOwnedObjects", &["type", "userId"])?;
    let text = |name: &str| {
        body.get(name).and_then(Value::as_str).ok_or_else(|| {
            body::malformed(format!(
                "The parameter '{name}' of the operation 'getUserOwnedObjects' is missing."
            ))
        })
    };
    let kind = match text("type")? {
        "Group" => Kind::Group,
        "Application" => Kind::Application,
        _ => return Err(body::malformed("The value of 'type' is not valid.")),
    };
    let user = route::guid(text("userId")?)?;
    let store = &call.state.store;
    if store.get(Kind::User, &user).is_none() {
        return Err(GraphError::not_found(&user));
    }
    let mut owned: Vec<&Object> = store
        .deleted_after(kind, None)
        .map(|(_, object)| object)
        .filter(|object| store.was_linked(Relation::Owners, &id(object), &user))
        .collect();
    owned.sort_by_key(|object| id(object));
    let items: Result<Vec<Value>, GraphError> = owned
        .into_iter()
        .take(MOST_OWNED)
        .map(|object| directory_objects::shown(call, kind, object))
        .collect();
    let response = serde_json::json!({
        "@odata.context": call.context("directoryObjects"), "value": items?
    });
    Ok(Plan::new(PlannedResponse::Json(200, response)))
}

fn find<'a>(call: Call<'a>, id: &str) -> Result<(Kind, &'a Object), GraphError> {
    let found = call.state.store.deleted(id);
    found.ok_or_else(|| GraphError::not_found(id))
}

fn id(object: &Object) -> String {
    object["id"].as_str().unwrap_or_default().to_owned()
}

/// The paths of deleted items as in the table of operations.
pub(in crate::graph) const ITEM: &str = "/directory/deletedItems/{id}";
const WRONG_TYPE: &str = "A value of the request payload has another type than the parameter.";
const ANY: &str = "/directoryObjects/{id}";
const OWNED: &str = "/directory/deletedItems/getUserOwnedObjects";
/// The documented maximum of one response.
const MOST_OWNED: usize = 1_000;
const RESTORE: &str = "/directory/deletedItems/{id}/restore";
