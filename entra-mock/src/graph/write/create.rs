//! POST to a collection.

use super::{
    super::call::{Call, unsupported},
    access, app_policy, application,
    body::{self, Draft, Purpose},
    conditional_access, derived, domain, grant, group, invitation,
    plan::{Plan, PlannedResponse, Step},
    reference, role, security_attribute, service_principal, user,
};
use crate::{
    odata::GraphError,
    permissions::{self, authorize},
    schema::{Behavior, IdForm, Relation},
    state::iso,
    store::{Kind, Object},
};

pub(super) fn plan(call: Call<'_>, kind: Kind) -> Result<Plan, GraphError> {
    let path = format!("/{}", kind.entity().set);
    if permissions::operation("POST", &path).is_none() {
        return Err(unsupported(call.request));
    }
    authorize(call.caller, "POST", &path, false)?;
    let draft = Draft::read(call, kind, Purpose::Create)?;
    if kind.entity().behavior == Behavior::Invitation {
        return invitation::plan(call, &draft);
    }
    create(call, kind, draft)
}

/// Creates an object from a checked body.
pub(super) fn create(call: Call<'_>, kind: Kind, mut draft: Draft) -> Result<Plan, GraphError> {
    let entity = kind.entity();
    access::check_create(call, kind, &draft)?;
    derived::complete(call, entity, &mut draft)?;
    let exempt = user::optional_at_creation(kind, &draft);
    for property in entity.properties.iter().filter(|item| item.required) {
        if !exempt.contains(&property.name) {
            draft.require(entity, property.name)?;
        }
    }
    body::check_reference_count(&draft)?;

    let (id, steps) = match entity.behavior {
        Behavior::AttributeSet => (
            security_attribute::complete_set(call, &mut draft)?,
            Vec::new(),
        ),
        Behavior::SecurityAttribute => security_attribute::complete(call, &mut draft)?,
        Behavior::Domain => (domain::complete(call, &mut draft)?, Vec::new()),
        Behavior::RoleAssignment => role::assign(call, &mut draft)?,
        Behavior::AsDeclared
        | Behavior::User
        | Behavior::Group
        | Behavior::AppManagementPolicy
        | Behavior::Application
        | Behavior::ServicePrincipal
        | Behavior::PermissionGrant
        | Behavior::Invitation
        | Behavior::DirectoryRole
        | Behavior::RoleDefinition
        | Behavior::AllowedValue
        | Behavior::DomainFederation => {
            let id = match entity.id {
                IdForm::CaseSensitive => call.state.random.token(43),
                IdForm::Guid
                | IdForm::GuidOrKey
                | IdForm::OfUser
                | IdForm::Text
                | IdForm::Single => call.state.new_id(),
            };
            (id, Vec::new())
        }
    };
    let now = iso(call.now);
    if entity.property("createdDateTime").is_some() {
        draft.set("createdDateTime", now);
    }
    if entity.property("securityIdentifier").is_some() {
        draft.set(
            "securityIdentifier",
            crate::directory::security_identifier(&id),
        );
    }
    let mut links: Vec<(Relation, String)> = Vec::new();
    body::check_dependent(entity, &Object::new(), &draft)?;
    conditional_access::check(kind, &draft)?;
    let mut secrets = Vec::new();
    match entity.behavior {
        Behavior::User => {
            security_attribute::merge_values(call, &Object::new(), &mut draft)?;
            user::complete(call, &id, &mut draft)?;
        }
        Behavior::Group => group::complete(call, &mut draft)?,
        Behavior::AppManagementPolicy => {
            app_policy::complete(entity, &mut draft)?;
            draft.set_if_absent("isEnabled", false);
        }
        Behavior::Application => secrets = application::complete(call, &mut draft)?,
        Behavior::ServicePrincipal => {
            security_attribute::merge_values(call, &Object::new(), &mut draft)?;
            service_principal::complete(call, &mut draft)?;
        }
        Behavior::PermissionGrant => grant::complete(call, &mut draft)?,
        Behavior::DirectoryRole => role::activate(call, &mut draft)?,
        Behavior::RoleDefinition => role::define(&id, &mut draft)?,
        Behavior::AllowedValue
        | Behavior::AttributeSet
        | Behavior::Domain
        | Behavior::DomainFederation
        | Behavior::SecurityAttribute
        | Behavior::Invitation
        | Behavior::RoleAssignment
        | Behavior::AsDeclared => {}
    }
    let mut object = Object::new();
    object.insert("id".to_owned(), id.clone().into());
    for (name, value) in std::mem::take(&mut draft.values) {
        if let Some(value) = value {
            object.insert(name, value);
        }
    }
    if let Some(conflict) = call.state.store.conflict(kind, &object) {
        return Err(conflict.into());
    }
    for (relationship, ids) in &draft.links {
        for other in ids {
            reference::check_target(call, &object, relationship, other)?;
            links.extend(relationship.written().map(|link| (link, other.clone())));
        }
    }
    if !links.iter().any(|(link, _)| *link == Relation::Owners) {
        let owner = match entity.behavior {
            Behavior::Group => call.caller.user_id.clone(),
            Behavior::Application => application::first_owner(call),
            Behavior::ServicePrincipal => service_principal::first_owner(call),
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
            | Behavior::DomainFederation => None,
        };
        links.extend(owner.map(|owner| (Relation::Owners, owner)));
    }
    if entity.navigation("createdOnBehalfOf").is_some() {
        links.extend(creator(call).map(|creator| (Relation::CreatedOnBehalfOf, creator)));
    }

    let response = PlannedResponse::Object {
        status: 201,
        id: id.clone(),
        typed: false,
        secrets,
    };
    let mut plan = Plan::new(response);
    // Predefined values come after their attribute, which the audit names.
    let (before, after) = if entity.behavior == Behavior::SecurityAttribute {
        (Vec::new(), steps)
    } else {
        (steps, Vec::new())
    };
    plan.steps.extend(before);
    plan = plan.with(Step::Insert(kind, object));
    plan.steps.extend(after);
    for (relation, other) in links {
        plan = plan.with(Step::Link(relation, id.clone(), other));
    }
    let names = kind.entity().activities;
    Ok(plan.audited_as(names.category, names.add))
}

/// The user or application that an object is created on behalf of. It is not set if the user is an
/// administrator (page "group resource type").
fn creator(call: Call<'_>) -> Option<String> {
    let user = call.caller.user_id.as_ref();
    match user {
        Some(user) if call.state.held_roles(user).next().is_some() => None,
        Some(user) => Some(user.clone()),
        None => call.caller.service_principal_id.clone(),
    }
}

impl From<crate::store::Conflict> for GraphError {
    fn from(conflict: crate::store::Conflict) -> Self {
        match conflict {
            crate::store::Conflict::NoId => Self::bad_request("The object has no id."),
            crate::store::Conflict::Taken {
                property: "appId",
                value,
            } => service_principal::name_in_use(&value),
            crate::store::Conflict::Taken { property, .. } => Self::conflict(property),
        }
    }
}
