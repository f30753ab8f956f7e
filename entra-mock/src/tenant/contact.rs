use std::{fmt, sync::Arc};

use entra_core::ObjectId;
use serde_json::{Value, json};

use super::{FakeTenant, UserHandle, app::guid, set_or_panic};
use crate::{
    directory::object,
    engine::Engine,
    store::{Kind, Relation},
};

impl FakeTenant {
    /// Adds an organizational contact. [`GroupHandle::add_member`](crate::GroupHandle::add_member) makes it a member of a
    /// group.
    pub fn add_contact(&self, display_name: &str, mail: &str) -> ContactHandle {
        let mut state = self.engine.write();
        let id = state.new_id();
        let contact = object([
            ("id", id.clone().into()),
            ("displayName", display_name.into()),
            ("mail", mail.into()),
            (
                "mailNickname",
                mail.split('@').next().unwrap_or_default().into(),
            ),
            ("proxyAddresses", json!([format!("SMTP:{mail}")])),
        ]);
        // The id is new and nothing else is unique, so storing it cannot fail.
        let _ = state.store.insert(Kind::OrgContact, contact);
        drop(state);
        ContactHandle {
            engine: Arc::clone(&self.engine),
            id,
        }
    }
}

/// An organizational contact of the tenant. The methods take effect at once.
#[derive(Clone)]
pub struct ContactHandle {
    engine: Arc<Engine>,
    id: String,
}

impl ContactHandle {
    /// The object id.
    #[must_use]
    pub fn id(&self) -> ObjectId {
        guid(&self.id).into()
    }

    /// Sets the manager of the contact.
    pub fn set_manager(&self, manager: &UserHandle) {
        let manager = manager.id().to_string();
        let mut state = self.engine.write();
        state.store.link(Relation::Manager, &self.id, &manager);
    }

    /// Sets any property. Null removes it.
    ///
    /// # Panics
    /// If the type has no such property, the value has another type, or the object was deleted.
    #[track_caller]
    pub fn set(&self, property: &str, value: Value) {
        set_or_panic(&self.engine, Kind::OrgContact, &self.id, property, value);
    }
}

impl fmt::Debug for ContactHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContactHandle")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
