//! Sign-in data of users that is not a Graph property: password and sessions.

use entra_core::Timestamp;
use serde_json::Value;

use crate::{
    state::{State, iso},
    store::{Kind, Object},
};

impl State {
    /// Revokes all sessions and refresh tokens of a user. Access tokens remain valid until they
    /// expire.
    pub(crate) fn revoke_sessions(&mut self, now: Timestamp, user_id: &str) -> bool {
        self.store.update(Kind::User, user_id, |user| {
            let next = generation(user) + 1;
            user.insert(GENERATION.to_owned(), next.into());
            user.insert(
                "signInSessionsValidFromDateTime".to_owned(),
                iso(now).into(),
            );
        })
    }
}

/// How many times the sessions of a user were revoked.
pub(crate) fn generation(user: &Object) -> u64 {
    user.get(GENERATION).and_then(Value::as_u64).unwrap_or(0)
}

pub(crate) const GENERATION: &str = "~generation";
pub(crate) const PASSWORD: &str = "~password";
pub(crate) const SECOND_FACTOR: &str = "~secondFactor";
/// The registered authentication methods, as Graph returns them.
pub(crate) const METHODS: &str = "~methods";
