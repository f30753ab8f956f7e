//! Inserts and changes objects beside Graph: for the test itself, with values that Graph would not let a client set.

use std::fmt;

use serde_json::{Map, Value};

use super::{DEFAULT_AUDIENCE, licenses::units_of};
use crate::{
    account::PASSWORD,
    schema::mismatches,
    state::State,
    store::{Conflict, Kind, Object},
};

/// Why an object could not be inserted or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedError {
    cause: SeedErrorCause,
    text: String,
}

/// What a [`SeedError`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SeedErrorCause {
    /// A property or value that the type does not have.
    Invalid,
    /// An unknown collection or id.
    NotFound,
    /// An id or name that another object has.
    Conflict,
}

impl SeedError {
    fn new(cause: SeedErrorCause, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { cause, text }
    }

    #[cfg(feature = "server")]
    pub(crate) const fn cause(&self) -> SeedErrorCause {
        self.cause
    }
}

impl fmt::Display for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for SeedError {}

impl From<Conflict> for SeedError {
    fn from(conflict: Conflict) -> Self {
        Self::new(SeedErrorCause::Conflict, conflict.to_string())
    }
}

impl State {
    /// Inserts an object and returns its id, which is created if it has none. Read-only properties can be set,
    /// and required ones can be missing.
    pub(crate) fn insert_unrestricted(
        &mut self,
        kind: Kind,
        object: Value,
    ) -> Result<String, SeedError> {
        let Value::Object(mut object) = object else {
            let text = "the value is not a JSON object";
            return Err(SeedError::new(SeedErrorCause::Invalid, text));
        };
        valid(kind, &problems(kind, &object))?;
        let id = match object.get("id").and_then(Value::as_str) {
            Some(id) => id.to_owned(),
            None => self.new_id(),
        };
        object.insert("id".to_owned(), id.clone().into());
        object.retain(|_, value| !value.is_null());
        if kind == Kind::ServicePrincipal {
            self.inherit(&mut object);
        }
        if kind == Kind::User {
            keep_password(&mut object);
        }
        self.store.insert(kind, object)?;
        if kind == Kind::Application {
            self.pass_on_new(&id);
        }
        self.follow(kind, &id);
        // As the store spells it: GUIDs are in lower case.
        let stored = self
            .store
            .any(&id)
            .and_then(|(_, object)| object.get("id")?.as_str());
        Ok(stored.map_or(id.clone(), str::to_owned))
    }

    /// Sets properties of an object, all or none of them. Null removes one.
    pub(crate) fn set_unrestricted(
        &mut self,
        kind: Kind,
        id: &str,
        mut properties: Map<String, Value>,
    ) -> Result<(), SeedError> {
        let mut problems = problems(kind, &properties);
        if properties.contains_key("id") {
            problems.insert(0, "the id of an object cannot be changed".to_owned());
        }
        valid(kind, &problems)?;
        let names: Vec<String> = properties.keys().cloned().collect();
        if kind == Kind::User {
            keep_password(&mut properties);
        }
        let sets_password = kind == Kind::User && properties.contains_key(PASSWORD);
        let licenses_group = kind == Kind::Group && properties.contains_key("assignedLicenses");
        let licenses_user = kind == Kind::User && properties.contains_key("assignedLicenses");
        let user = self.store.get(kind, id).filter(|_| licenses_user);
        let freed = user.map(|user| units_of(user, -1)).unwrap_or_default();
        let exists = self.store.get(kind, id).is_some();
        let names_audience = kind == Kind::Application && properties.contains_key("signInAudience");
        let change = |object: &mut Object| {
            if names_audience {
                object.remove(DEFAULT_AUDIENCE);
            }
            for (property, value) in properties {
                set(object, &property, value);
            }
        };
        let changed = if kind == Kind::Application {
            self.update_application(id, change)
        } else {
            self.store.update(kind, id, change)
        };
        self.follow(kind, id);
        if changed && licenses_group {
            self.inherit_licenses_of_group(self.store.changes.now(), id);
        }
        if changed && licenses_user {
            self.follow_licenses_of_user(self.store.changes.now(), id, &freed);
        }
        if changed && sets_password {
            self.revoke_sessions(self.store.changes.now(), id);
        }
        if changed {
            return Ok(());
        }
        let (set, names) = (kind.entity().set, names.join(" or "));
        Err(match exists {
            false => SeedError::new(
                SeedErrorCause::NotFound,
                format!("there is no object {id} in {set}"),
            ),
            true => SeedError::new(
                SeedErrorCause::Conflict,
                format!("another object in {set} has that {names}"),
            ),
        })
    }

    /// Removes an object with everything that refers to it. Returns whether it existed.
    pub(crate) fn remove_unrestricted(&mut self, kind: Kind, id: &str) -> bool {
        let source = self.license_source(kind, id);
        let removed = self.store.remove(kind, id);
        self.end_licenses(self.store.changes.now(), &source);
        self.follow(kind, id);
        removed
    }

    /// Brings what follows from the objects up to date after a change of one.
    fn follow(&mut self, kind: Kind, id: &str) {
        self.update_domains();
        if kind == Kind::ConditionalAccessPolicy {
            self.enforce_policy(id);
        }
    }
}

/// Returns the kind of a collection, with or without the path before its name.
pub(crate) fn collection_kind(collection: &str) -> Result<Kind, SeedError> {
    Kind::of_collection(collection).ok_or_else(|| {
        let text = format!("there is no collection {collection}");
        SeedError::new(SeedErrorCause::NotFound, text)
    })
}

/// Sets a property; null removes it.
pub(crate) fn set(object: &mut Object, property: &str, value: Value) {
    if value.is_null() {
        object.remove(property);
    } else {
        object.insert(property.to_owned(), value);
    }
}

/// Makes the password in the profile of a user the one to sign in with, which no response shows.
pub(crate) fn keep_password(user: &mut Map<String, Value>) {
    let profile = user.get_mut("passwordProfile");
    let password = profile.and_then(|profile| profile.get_mut("password"));
    if let Some(password) = password.map(Value::take).filter(Value::is_string) {
        user.insert(PASSWORD.to_owned(), password);
    }
}

/// Names every unknown property and every property of another type.
fn problems(kind: Kind, properties: &Map<String, Value>) -> Vec<String> {
    let properties = properties
        .iter()
        .map(|(name, value)| (name.as_str(), value));
    mismatches(kind.entity(), properties)
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// Returns an error with all problems, so that to mend one does not lead to the next.
fn valid(kind: Kind, problems: &[String]) -> Result<(), SeedError> {
    if problems.is_empty() {
        return Ok(());
    }
    let set = kind.entity().set;
    let text = format!("{set}: {}", problems.join("; "));
    Err(SeedError::new(SeedErrorCause::Invalid, text))
}
