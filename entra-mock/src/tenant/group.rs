use std::{fmt, sync::Arc};

use entra_core::{Guid, ObjectId};
use serde_json::Value;

use super::{FakeTenant, app::guid, hints::it_has, set_or_panic};
use crate::{
    engine::Engine,
    store::{Kind, Relation},
};

impl FakeTenant {
    /// Adds a security group without members.
    pub fn add_group(&self, display_name: &str) -> GroupHandle {
        let now = self.engine.now();
        let id = self
            .engine
            .write()
            .add_group(now, display_name, None)
            .unwrap_or_else(|_| Guid::NIL.to_string());
        GroupHandle {
            engine: Arc::clone(&self.engine),
            id,
        }
    }

    /// Returns the first group with that display name, or the group with that object id.
    ///
    /// # Panics
    /// If there is no such group.
    #[must_use]
    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "a misspelt name must fail the test at its line"
    )]
    pub fn group(&self, name: &str) -> GroupHandle {
        let state = self.engine.read();
        let named = |group: &&crate::store::Object| {
            group.get("displayName").and_then(Value::as_str) == Some(name)
        };
        let found = state
            .store
            .get(Kind::Group, name)
            .or_else(|| state.store.all(Kind::Group).find(named));
        let Some(id) = found.and_then(|group| group.get("id")?.as_str()) else {
            let known = it_has(&state, Kind::Group, "displayName");
            drop(state);
            panic!("the tenant has no group {name:?}{known}");
        };
        GroupHandle {
            engine: Arc::clone(&self.engine),
            id: id.to_owned(),
        }
    }

    /// Assigns a user, group or service principal to an application, with the application's first app role
    /// for users or else default access. [`assign_app_role`](Self::assign_app_role) names the role.
    ///
    /// # Panics
    /// If the tenant has no such principal or no such service principal.
    #[track_caller]
    pub fn assign(&self, principal: ObjectId, service_principal: ObjectId) {
        let role = self.engine.read().user_role(&service_principal.to_string());
        self.assign_role(principal, service_principal, &role);
    }

    /// Assigns a user, group or service principal to an app role of an application, by the role's value. An
    /// assignment that exists stays unchanged; a principal may have several roles.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// let shop = tenant.register_app("Shop").expose_app_role("Order.Approve");
    /// let adele = tenant.user("adele@contoso.com").id();
    /// tenant.assign_app_role(adele, shop.service_principal_id(), "Order.Approve");
    /// // Adele's ID tokens for the shop have `"roles": ["Order.Approve"]`.
    /// # }
    /// ```
    ///
    /// # Panics
    /// If the tenant has no such principal or service principal, or the application no role of that value.
    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "a misspelt role must fail the test at its line"
    )]
    pub fn assign_app_role(&self, principal: ObjectId, service_principal: ObjectId, role: &str) {
        let id = self
            .engine
            .read()
            .app_role(&service_principal.to_string(), role);
        match id {
            Some(id) => self.assign_role(principal, service_principal, &id),
            None => panic!("the service principal {service_principal} has no app role {role:?}"),
        }
    }

    #[track_caller]
    #[expect(clippy::panic, reason = "a wrong id must fail the test at its line")]
    fn assign_role(&self, principal: ObjectId, service_principal: ObjectId, role: &str) {
        let now = self.engine.now();
        let mut state = self.engine.write();
        let (principal, resource) = (principal.to_string(), service_principal.to_string());
        let can_be_assigned = state.store.any(&principal).is_some_and(|(kind, _)| {
            [Kind::User, Kind::Group, Kind::ServicePrincipal].contains(&kind)
        });
        if !can_be_assigned {
            drop(state);
            panic!("the tenant has no user, group or service principal {principal}");
        }
        if state.store.get(Kind::ServicePrincipal, &resource).is_none() {
            drop(state);
            panic!("the tenant has no service principal {resource}");
        }
        // The id of the assignment is new, so nothing conflicts.
        let _ = state.assign(now, &principal, &resource, role);
    }
}

/// A group of the tenant. The methods take effect at once.
///
/// ```
/// # #[tokio::main] async fn main() {
/// let tenant = entra_mock::FakeTenant::start().await;
/// let group = tenant.add_group("Night shift");
/// assert!(group.add_member(tenant.user("adele@contoso.com").id()));
/// assert!(group.add_member(tenant.group("Testers").id()));
/// # }
/// ```
#[derive(Clone)]
pub struct GroupHandle {
    engine: Arc<Engine>,
    id: String,
}

impl GroupHandle {
    /// The object id.
    #[must_use]
    pub fn id(&self) -> ObjectId {
        guid(&self.id).into()
    }

    /// Adds a member of any type. A user gets the licences of the group. Returns `false` if it is a member already or does not exist.
    pub fn add_member(&self, member: ObjectId) -> bool {
        let mut state = self.engine.write();
        let member = member.to_string();
        let added = state.store.link(Relation::Members, &self.id, &member);
        let now = state.store.changes.now();
        state.inherit_licenses(now, &member);
        added
    }

    /// Removes a member. Returns `false` if it is not a member.
    pub fn remove_member(&self, member: ObjectId) -> bool {
        let mut state = self.engine.write();
        let member = member.to_string();
        let removed = state.store.unlink(Relation::Members, &self.id, &member);
        let now = state.store.changes.now();
        state.inherit_licenses(now, &member);
        removed
    }

    /// Adds an owner. Returns `false` if it is an owner already or does not exist.
    pub fn add_owner(&self, owner: ObjectId) -> bool {
        self.engine
            .write()
            .store
            .link(Relation::Owners, &self.id, &owner.to_string())
    }

    /// Sets any property. Null removes it.
    ///
    /// # Panics
    /// If the type has no such property, the value has another type or must be unique and is not,
    /// or the object was deleted.
    #[track_caller]
    pub fn set(&self, property: &str, value: Value) {
        set_or_panic(&self.engine, Kind::Group, &self.id, property, value);
    }
}

impl fmt::Debug for GroupHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupHandle")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
