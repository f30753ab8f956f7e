//! Objects that exist below another object only: created by POST to a relationship, changed and deleted
//! by their key.

use super::{
    super::{
        call::{Call, unsupported},
        lookup::item_of,
        route::Root,
    },
    access,
    body::{Draft, Purpose},
    domain, federated,
    plan::{Plan, PlannedResponse, Step},
    security_attribute,
    target::target,
};
use crate::{
    odata::GraphError,
    schema::{Behavior, Relationship, Source},
    store::{Kind, Object},
};

/// Handles a write to a relationship, or to one of its items.
pub(super) fn plan(
    call: Call<'_>,
    root: &Root,
    parent: Kind,
    relationship: &Relationship,
    item: Option<&str>,
) -> Result<Plan, GraphError> {
    let (Source::Children(property), [kind]) = (relationship.source, relationship.kinds) else {
        return Err(unsupported(call.request));
    };
    if *kind == Kind::FederatedCredential {
        return federated::plan(call, root, parent, relationship, item);
    }
    let key = if item.is_some() { "/{id}" } else { "" };
    let (object, id, _) = target(call, root, parent, &format!("/{}{key}", relationship.name))?;
    access::check_links(call, parent, object)?;
    let below = Below {
        call,
        parent: object,
        id,
        kind: *kind,
        set: format!("{}('{id}')/{}", parent.entity().set, relationship.name),
    };
    match (call.request.method.as_str(), item) {
        ("POST", None) => below.create(property),
        ("PATCH", Some(key)) => below.update(item_of(call, relationship, id, key)?.1),
        ("DELETE", Some(key)) => Ok(below.delete(item_of(call, relationship, id, key)?.1)),
        _ => Err(unsupported(call.request)),
    }
}

/// The items of one kind below one object.
struct Below<'a> {
    call: Call<'a>,
    parent: &'a Object,
    id: &'a str,
    kind: Kind,
    /// The collection, as in `@odata.context`.
    set: String,
}

impl Below<'_> {
    fn create(self, parent_property: &str) -> Result<Plan, GraphError> {
        let entity = self.kind.entity();
        let draft = Draft::read(self.call, self.kind, Purpose::Create)?;
        for property in entity.properties.iter().filter(|item| item.required) {
            draft.require(entity, property.name)?;
        }
        let mut object = if entity.behavior == Behavior::AllowedValue {
            let id = draft.text("id").unwrap_or_default();
            security_attribute::allowed_value(self.id, id, false)
        } else {
            crate::directory::object([("id", self.call.state.new_id().into())])
        };
        object.insert(parent_property.to_owned(), self.id.into());
        for (name, value) in draft.values {
            if let Some(value) = value.filter(|_| name != "id") {
                object.insert(name, value);
            }
        }
        self.check(&object)?;
        if entity.behavior == Behavior::AllowedValue {
            security_attribute::check_value(self.call, self.parent, &object)?;
        }
        let id = own_id(&object);
        let change = self.parent_change(true);
        let response = PlannedResponse::Contained {
            status: 201,
            id,
            set: self.set,
        };
        let mut plan = Plan::new(response).with(Step::Insert(self.kind, object));
        plan.steps.extend(change);
        Ok(plan.audited_as(entity.activities.category, entity.activities.add))
    }

    fn update(self, item: &Object) -> Result<Plan, GraphError> {
        let entity = self.kind.entity();
        let mut draft = Draft::read(self.call, self.kind, Purpose::Update)?;
        draft.merge(entity, item);
        let mut after = item.clone();
        for (name, value) in &draft.values {
            match value {
                Some(value) => after.insert(name.clone(), value.clone()),
                None => after.remove(name),
            };
        }
        self.check(&after)?;
        let id = own_id(item);
        // The pages of federation settings have the new object in the response.
        let response = if entity.behavior == Behavior::DomainFederation {
            PlannedResponse::Contained {
                status: 200,
                id: id.clone(),
                set: self.set,
            }
        } else {
            PlannedResponse::NoContent
        };
        Ok(Plan::new(response)
            .with(Step::Update(self.kind, id, draft.values))
            .audited_as(entity.activities.category, entity.activities.update))
    }

    fn delete(self, item: &Object) -> Plan {
        let names = self.kind.entity().activities;
        let mut plan =
            Plan::new(PlannedResponse::NoContent).with(Step::Delete(self.kind, own_id(item)));
        plan.steps.extend(self.parent_change(false));
        plan.audited_as(names.category, names.purge)
    }

    /// Checks the rules of one kind.
    fn check(&self, item: &Object) -> Result<(), GraphError> {
        match self.kind.entity().behavior {
            Behavior::DomainFederation => domain::check_federation(self.call, self.parent, item),
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
            | Behavior::RoleAssignment
            | Behavior::AttributeSet
            | Behavior::SecurityAttribute
            | Behavior::AllowedValue
            | Behavior::Domain => Ok(()),
        }
    }

    /// Returns the change of the object above that goes with a new or deleted item.
    fn parent_change(&self, added: bool) -> Option<Step> {
        match self.kind.entity().behavior {
            Behavior::DomainFederation => Some(domain::authentication_change(self.parent, added)),
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
            | Behavior::RoleAssignment
            | Behavior::AttributeSet
            | Behavior::SecurityAttribute
            | Behavior::AllowedValue
            | Behavior::Domain => None,
        }
    }
}

fn own_id(item: &Object) -> String {
    item["id"].as_str().unwrap_or_default().to_owned()
}
