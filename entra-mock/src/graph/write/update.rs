//! PATCH of an object, with upsert.

use super::{
    super::{
        call::Call,
        lookup,
        route::{ObjectKey, Root},
        security_attributes,
    },
    access, app_policy, application,
    body::{self, Draft, Purpose},
    conditional_access, create, derived, domain, group,
    plan::{Plan, PlannedResponse, Step},
    reference, role, security_attribute, service_principal,
    target::{target, target_of},
    user,
};
use crate::{
    odata::GraphError,
    permissions::authorize,
    schema::{Behavior, EntityType},
    state::iso,
    store::Kind,
};

pub(super) fn plan(
    call: Call<'_>,
    root: &Root,
    kind: Kind,
    key: &ObjectKey,
) -> Result<Plan, GraphError> {
    if let Some(plan) = upsert(call, root, kind, key)? {
        return Ok(plan);
    }
    let entity = kind.entity();
    let (object, id, own) = match added_links(call, entity) {
        Some(name) => target_of(call, root, kind, "POST", &format!("/{name}/$ref"))?,
        None => target(call, root, kind, "")?,
    };
    let mut draft = Draft::read(call, kind, Purpose::Update)?;
    access::check_update(call, kind, object, &draft, own)?;
    body::check_reference_count(&draft)?;
    derived::adjust(call, entity, object, &draft)?;
    security_attribute::merge_values(call, object, &mut draft)?;
    draft.merge(entity, object);
    if entity.property("modifiedDateTime").is_some() {
        draft.set("modifiedDateTime", iso(call.now));
    }
    body::check_dependent(entity, object, &draft)?;
    conditional_access::check(kind, &draft)?;
    match entity.behavior {
        Behavior::User => user::adjust(call, object, &mut draft)?,
        Behavior::Group => group::adjust(call, object, &mut draft)?,
        Behavior::AppManagementPolicy => app_policy::complete(entity, &mut draft)?,
        Behavior::Application => application::adjust(call, object, &mut draft)?,
        Behavior::AttributeSet => security_attribute::check_maximum(&draft)?,
        Behavior::SecurityAttribute => security_attribute::adjust(object, &draft)?,
        Behavior::Domain => domain::adjust(object, &draft)?,
        Behavior::RoleDefinition => role::redefine(object, &mut draft)?,
        Behavior::ServicePrincipal => service_principal::adjust(call, object, &mut draft)?,
        Behavior::PermissionGrant
        | Behavior::DirectoryRole
        | Behavior::DomainFederation
        | Behavior::AllowedValue
        | Behavior::Invitation
        | Behavior::RoleAssignment
        | Behavior::AsDeclared => {}
    }
    let mut after = object.clone();
    for (name, value) in &draft.values {
        match value {
            Some(value) => after.insert(name.clone(), value.clone()),
            None => after.remove(name),
        };
    }
    if let Some(conflict) = call.state.store.conflict(kind, &after) {
        return Err(conflict.into());
    }
    let mut links = Vec::new();
    for (relationship, ids) in &draft.links {
        reference::check_not_decided(object, relationship)?;
        for other in ids {
            let Some(relation) = relationship.written() else {
                continue;
            };
            if call.state.store.is_linked(relation, id, other) {
                return Err(body::reference_exists(relationship.name));
            }
            reference::check_target(call, object, relationship, other)?;
            links.push(Step::Link(relation, id.to_owned(), other.clone()));
        }
    }

    let names = kind.entity().activities;
    let name = match (draft.values.is_empty(), links.is_empty()) {
        (true, false) => names.add_member,
        _ if draft.names(crate::account::PASSWORD) => "Reset user password",
        _ => names.update,
    };
    let attributes = security_attributes::PROPERTY;
    let only_attributes = draft.names(attributes)
        && links.is_empty()
        && draft.values.iter().all(|(name, _)| name == attributes);
    let (category, name) = match names.attribute_values {
        Some(attribute_values) if only_attributes => ("AttributeManagement", attribute_values),
        Some(_) | None => (names.category, name),
    };
    let mut plan = Plan::new(PlannedResponse::NoContent).audited_as(category, name);
    if draft.names(crate::account::PASSWORD) {
        plan = plan.with(Step::RevokeSessions(id.to_owned()));
    }
    let dependent = match entity.behavior {
        Behavior::Application => application::dependent_changes(call, object, &after),
        Behavior::Domain => domain::dependent_changes(call, object, &draft),
        Behavior::AsDeclared
        | Behavior::User
        | Behavior::Group
        | Behavior::AppManagementPolicy
        | Behavior::ServicePrincipal
        | Behavior::PermissionGrant
        | Behavior::Invitation
        | Behavior::DirectoryRole
        | Behavior::RoleDefinition
        | Behavior::RoleAssignment
        | Behavior::AttributeSet
        | Behavior::SecurityAttribute
        | Behavior::AllowedValue
        | Behavior::DomainFederation => None,
    };
    if !draft.values.is_empty() {
        plan = plan.with(Step::Update(kind, id.to_owned(), draft.values));
    }
    plan.steps.extend(dependent);
    plan.steps.extend(links);
    Ok(plan)
}

/// Returns the relationship that a body adds to and nothing else, which takes the permission for the
/// relationship (page "Add members").
fn added_links(call: Call<'_>, entity: &EntityType) -> Option<&'static str> {
    let body = body::json(call).ok()?;
    let [name] = body.keys().collect::<Vec<_>>()[..] else {
        return None;
    };
    let relationship = entity.relationship(name.strip_suffix("@odata.bind")?)?;
    relationship.written().map(|_| relationship.name)
}

/// Whether a PATCH creates what does not exist.
pub(super) fn creates_if_missing(call: Call<'_>) -> bool {
    call.request.prefers("create-if-missing")
}

/// With `Prefer: create-if-missing`, creates the object if no object has the alternate key.
fn upsert(
    call: Call<'_>,
    root: &Root,
    kind: Kind,
    key: &ObjectKey,
) -> Result<Option<Plan>, GraphError> {
    let names_a_new_object = |property: &&str| match kind.entity().behavior {
        Behavior::ServicePrincipal => *property == "appId",
        Behavior::Group | Behavior::Application => *property == "uniqueName",
        Behavior::AsDeclared
        | Behavior::User
        | Behavior::AppManagementPolicy
        | Behavior::PermissionGrant
        | Behavior::Invitation
        | Behavior::DirectoryRole
        | Behavior::RoleDefinition
        | Behavior::RoleAssignment
        | Behavior::AttributeSet
        | Behavior::SecurityAttribute
        | Behavior::AllowedValue
        | Behavior::Domain
        | Behavior::DomainFederation => false,
    };
    let Some(property) = key
        .property
        .filter(|property| creates_if_missing(call) && names_a_new_object(property))
    else {
        return Ok(None);
    };
    if lookup::find(call, root).is_ok() {
        return Ok(None);
    }
    authorize(
        call.caller,
        "POST",
        &format!("/{}", kind.entity().set),
        false,
    )?;
    let mut draft = Draft::read(call, kind, Purpose::Create)?;
    draft.set_key(call, kind, property, &key.value)?;
    create::create(call, kind, draft).map(Some)
}
