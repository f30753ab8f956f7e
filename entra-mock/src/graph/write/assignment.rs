//! App role assignments: created and deleted at their principal or at their resource.

use entra_core::Guid;

use super::{
    super::{call::Call, route::Root},
    access,
    body::{Draft, Purpose},
    plan::{Plan, PlannedResponse, Step},
    target::target,
};
use crate::{
    odata::GraphError,
    schema::{Context, Principal, Relationship, Source},
    state::iso,
    store::{Kind, Object},
};

/// Whether the items of a relationship are app role assignments.
pub(super) fn holds(relationship: &Relationship) -> bool {
    matches!(
        relationship.source,
        Source::AssignmentsOf | Source::AssignmentsTo
    )
}

/// Assigns an app role. One id of the body is that of the object in the path.
pub(super) fn create(
    call: Call<'_>,
    root: &Root,
    kind: Kind,
    relationship: &Relationship,
) -> Result<Plan, GraphError> {
    let (_, own, _) = target(call, root, kind, &format!("/{}", relationship.name))?;
    let mut draft = Draft::read(call, Kind::AppRoleAssignment, Purpose::Create)?;
    let entity = Kind::AppRoleAssignment.entity();
    for property in entity.properties.iter().filter(|item| item.required) {
        draft.require(entity, property.name)?;
    }
    let id = |name: &str| draft.text(name).unwrap_or_default().to_ascii_lowercase();
    let (principal_id, resource_id, role) = (id("principalId"), id("resourceId"), id("appRoleId"));
    let addressed = match relationship.source {
        Source::AssignmentsTo => &resource_id,
        _ => &principal_id,
    };
    let store = &call.state.store;
    let principal = store
        .any(&principal_id)
        .and_then(|(kind, object)| Some((kind.entity().principal?, object)));
    let resource = store.get(Kind::ServicePrincipal, &resource_id);
    let (Some((principal_type, principal)), Some(resource)) = (principal, resource) else {
        return Err(invalid_reference());
    };
    if addressed != own {
        return Err(invalid_reference());
    }
    access::check_assignment(call, resource, is_application(&principal_type))?;
    if !offers(resource, &role, principal_type.member_type) {
        return Err(GraphError::bad_request(
            "Permission being assigned was not found on application",
        ));
    }
    let same =
        |other: &Object| other["resourceId"] == resource["id"] && other["appRoleId"] == *role;
    if store.assignments_of(&principal_id).any(same) {
        return Err(GraphError::bad_request(
            "Permission being assigned already exists on the object",
        ));
    }

    let new = call.state.random.token(43);
    let name = |object: &Object| object["displayName"].clone();
    draft.set("id", new.clone());
    draft.set("appRoleId", role);
    draft.set("principalId", principal_id);
    draft.set("resourceId", resource_id);
    draft.set("createdDateTime", iso(call.now));
    draft.set("principalDisplayName", name(principal));
    draft.set("principalType", principal_type.name);
    draft.set("resourceDisplayName", name(resource));
    let object = draft
        .values
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    let response = PlannedResponse::Contained {
        status: 201,
        id: new,
        set: context(kind, own, relationship),
    };
    Ok(Plan::new(response)
        .with(Step::Insert(Kind::AppRoleAssignment, object))
        .audited_as(principal_type.category, principal_type.add))
}

pub(super) fn delete(
    call: Call<'_>,
    root: &Root,
    kind: Kind,
    relationship: &Relationship,
    id: &str,
) -> Result<Plan, GraphError> {
    let (_, own, _) = target(call, root, kind, &format!("/{}/{{id}}", relationship.name))?;
    let store = &call.state.store;
    let found = relationship
        .objects(store, own)
        .find(|(_, object)| object["id"] == id);
    let Some((kind, assignment)) = found else {
        return Err(GraphError::not_found(id));
    };
    let part = |name: &str| assignment[name].as_str().unwrap_or_default();
    let principal = store.kind_of(part("principalId"));
    let principal_type = principal.and_then(|kind| kind.entity().principal);
    if let Some(resource) = store.get(Kind::ServicePrincipal, part("resourceId")) {
        let to_application = principal_type.as_ref().is_none_or(is_application);
        access::check_assignment(call, resource, to_application)?;
    }
    let plan = Plan::new(PlannedResponse::NoContent).with(Step::Delete(kind, id.to_owned()));
    Ok(match principal_type {
        Some(principal_type) => plan.audited_as(principal_type.category, principal_type.remove),
        None => plan,
    })
}

/// Whether app roles of these principals are application permissions.
fn is_application(principal_type: &Principal) -> bool {
    principal_type.member_type == "Application"
}

/// Whether a resource has an enabled role of that id for a type of principals. The all-zero id is
/// default access, for resources that have no enabled role for the type.
fn offers(resource: &Object, role: &str, member_type: &str) -> bool {
    let mut roles = resource["appRoles"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|role| role["isEnabled"] != false)
        .filter(|role| {
            let types = role["allowedMemberTypes"].as_array();
            types.is_some_and(|types| types.iter().any(|name| name == member_type))
        });
    if role == Guid::NIL.to_string() {
        return roles.next().is_none();
    }
    roles.any(|other| {
        let id = other["id"].as_str();
        id.is_some_and(|id| id.eq_ignore_ascii_case(role))
    })
}

/// The start of the context of a new assignment. At a service principal's own assignments Graph
/// names the type's collection instead (page "Grant an appRoleAssignment to a service principal").
fn context(kind: Kind, id: &str, relationship: &Relationship) -> String {
    let set = kind.entity().set;
    match relationship.context {
        Context::Collection => relationship.name.to_owned(),
        Context::Below | Context::CollectionOfLists => {
            format!("{set}('{id}')/{}", relationship.name)
        }
    }
}

/// 400 for a principal or resource that does not exist, has another type, or is not the object in
/// the path (microsoft-graph-docs-contrib issue 1407).
fn invalid_reference() -> GraphError {
    GraphError::bad_request("Not a valid reference update")
}
