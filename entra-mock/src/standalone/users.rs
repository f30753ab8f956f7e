//! Users as the control API and the portal add and change them.

use entra_core::{Secret, Timestamp};
use serde_json::{Map, Value};

use crate::{
    account::PASSWORD,
    directory::{NewUser, SeedError, set},
    state::State,
    store::Kind,
};

/// Adds a user with a password, and returns the id. If a property is invalid, no user is added.
pub(super) fn add(
    state: &mut State,
    now: Timestamp,
    name: &str,
    properties: Map<String, Value>,
    password: &Secret,
) -> Result<String, SeedError> {
    let alias = state.free_alias(name);
    let mut names = name.split_whitespace();
    let (given_name, surname) = (names.next(), names.next_back());
    let user = NewUser {
        display_name: name,
        given_name,
        surname,
        alias: &alias,
        ..NewUser::default()
    };
    let id = state.add_user(now, &user)?;
    if let Err(error) = state.set_unrestricted(Kind::User, &id, properties) {
        state.store.remove(Kind::User, &id);
        return Err(error);
    }
    store_password(state, &id, password);
    Ok(id)
}

/// Sets the password of a user and revokes the sessions.
pub(super) fn set_password(state: &mut State, now: Timestamp, id: &str, password: &Secret) {
    state.revoke_sessions(now, id);
    store_password(state, id, password);
}

fn store_password(state: &mut State, id: &str, password: &Secret) {
    state.store.update(Kind::User, id, |user| {
        set(user, PASSWORD, password.expose_secret().into());
    });
}
