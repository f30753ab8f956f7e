use std::{fmt, sync::Arc};

use entra_core::{Guid, ObjectId, Secret};
use serde_json::Value;

use super::{FakeTenant, app::guid, hints::it_has, set, set_or_panic};
use crate::{
    account::{METHODS, PASSWORD, SECOND_FACTOR},
    directory::NewUser,
    engine::Engine,
    store::{Kind, Relation},
};

impl FakeTenant {
    /// Returns the user with this user principal name or object id.
    ///
    /// # Panics
    /// If there is no such user.
    #[must_use]
    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "a misspelt name must fail the test at its line"
    )]
    pub fn user(&self, name: &str) -> UserHandle {
        let state = self.engine.read();
        let found = state
            .store
            .find(Kind::User, "userPrincipalName", name)
            .or_else(|| state.store.get(Kind::User, name));
        let Some(id) = found.and_then(|user| user.get("id")?.as_str()) else {
            let known = it_has(&state, Kind::User, "userPrincipalName");
            drop(state);
            panic!("the tenant has no user {name:?}{known}");
        };
        UserHandle {
            engine: Arc::clone(&self.engine),
            id: id.to_owned(),
        }
    }

    /// Adds a user; the user principal name is derived from the name.
    pub fn add_user(&self, display_name: &str) -> UserHandle {
        let now = self.engine.now();
        let mut state = self.engine.write();
        let alias = state.free_alias(display_name);
        let mut names = display_name.split_whitespace();
        let (given_name, surname) = (names.next(), names.next_back());
        let id = state.add_user(
            now,
            &NewUser {
                display_name,
                given_name,
                surname,
                alias: &alias,
                ..NewUser::default()
            },
        );
        UserHandle {
            engine: Arc::clone(&self.engine),
            id: id.unwrap_or_else(|_| Guid::NIL.to_string()),
        }
    }
}

/// A user of the tenant. The methods take effect at once.
#[derive(Clone)]
pub struct UserHandle {
    engine: Arc<Engine>,
    id: String,
}

impl UserHandle {
    /// The object id.
    #[must_use]
    pub fn id(&self) -> ObjectId {
        guid(&self.id).into()
    }

    /// The user principal name.
    #[must_use]
    pub fn user_principal_name(&self) -> String {
        let state = self.engine.read();
        let name = state
            .store
            .get(Kind::User, &self.id)
            .and_then(|user| user.get("userPrincipalName")?.as_str());
        name.unwrap_or_default().to_owned()
    }

    /// Disables the account, so that the user cannot sign in.
    pub fn disable(&self) {
        self.set("accountEnabled", false.into());
    }

    /// Enables the account again.
    pub fn enable(&self) {
        self.set("accountEnabled", true.into());
    }

    /// Adds a registered authentication method, as Graph returns it, such as
    /// `{"@odata.type": "#microsoft.graph.phoneAuthenticationMethod", "phoneNumber": "+1 5550100"}`.
    /// Creates an id if it has none. Sign-ins do not ask for it.
    pub fn add_authentication_method(&self, mut method: Value) {
        let mut state = self.engine.write();
        if method.get("id").is_none() {
            method["id"] = state.new_id().into();
        }
        state.store.update(Kind::User, &self.id, |user| {
            let mut methods = match user.get(METHODS) {
                Some(Value::Array(methods)) => methods.clone(),
                _ => Vec::new(),
            };
            methods.push(method);
            user.insert(METHODS.to_owned(), methods.into());
        });
    }

    /// Sets the password, for sign-in flows that need one.
    ///
    /// A new password revokes all sessions and refresh tokens, as a reset by an administrator does.
    pub fn set_password(&self, password: &Secret) {
        let now = self.engine.now();
        let mut state = self.engine.write();
        let before = state
            .store
            .get(Kind::User, &self.id)
            .and_then(|user| user.get(PASSWORD)?.as_str().map(str::to_owned));
        if before.is_some_and(|before| before != password.expose_secret()) {
            state.revoke_sessions(now, &self.id);
        }
        state.store.update(Kind::User, &self.id, |user| {
            set(user, PASSWORD, password.expose_secret().into());
        });
    }

    /// The user's password. Creates one if there is none.
    #[must_use]
    pub fn password(&self) -> Secret {
        let mut state = self.engine.write();
        let known = state
            .store
            .get(Kind::User, &self.id)
            .and_then(|user| user.get(PASSWORD)?.as_str().map(Secret::from));
        known.unwrap_or_else(|| {
            let password = format!("Mock-{}-1", state.random.token(16));
            state.store.update(Kind::User, &self.id, |user| {
                set(user, PASSWORD, password.clone().into());
            });
            Secret::from(password)
        })
    }

    /// Requires multifactor authentication from now on, which only a page can ask for.
    pub fn require_second_factor(&self) {
        self.set_internal(SECOND_FACTOR);
    }

    /// Makes the user a Global Administrator, who can consent for the organization.
    pub fn make_admin(&self) {
        self.engine.write().make_administrator(&self.id);
    }

    /// Revokes all sessions and refresh tokens of the user. Access tokens remain valid until they expire, except
    /// those of Graph whose client can handle claims challenges (capability `cp1`): Graph rejects them from now on
    /// with a claims challenge.
    pub fn revoke_sessions(&self) {
        let now = self.engine.now();
        self.engine.write().revoke_sessions(now, &self.id);
    }

    /// Sets any property. Null removes it.
    ///
    /// # Panics
    /// If the type has no such property, the value has another type or must be unique and is not,
    /// or the object was deleted.
    #[track_caller]
    pub fn set(&self, property: &str, value: Value) {
        set_or_panic(&self.engine, Kind::User, &self.id, property, value);
    }

    /// Sets an internal property that Graph does not show.
    fn set_internal(&self, name: &str) {
        self.engine
            .write()
            .store
            .update(Kind::User, &self.id, |user| set(user, name, true.into()));
    }

    /// Sets the user's manager.
    pub fn set_manager(&self, manager: &Self) {
        self.engine
            .write()
            .store
            .link(Relation::Manager, &self.id, &manager.id);
    }

    /// Deletes the user. An administrator can restore it for 30 days.
    pub fn delete(self) {
        self.engine.write().delete(Kind::User, &self.id);
    }
}

impl fmt::Debug for UserHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserHandle")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
