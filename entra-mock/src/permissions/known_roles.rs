//! Remembers the application permissions of clients.
//!
//! Graph declares hundreds of roles, and a client requests the same token many times, so its roles are remembered with
//! the versions of what they follow from.

use std::{
    fmt,
    num::NonZeroU64,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hashbrown::HashMap;
use serde_json::Value;

/// The roles of a client in the token for a resource.
#[derive(Debug, Default)]
pub(crate) struct ApplicationRoles {
    /// Whether the client is assigned to the resource at all.
    pub(crate) is_assigned: bool,
    /// The start of the claims of a token, with the roles, in base64url: `{"roles":[…],` but for the `rest`. Empty if
    /// there are no roles.
    pub(crate) encoded: String,
    /// The end of that start, which fills no group of three bytes.
    pub(crate) rest: String,
}

impl ApplicationRoles {
    /// The roles with these values, in order.
    pub(crate) fn new(values: &[String], is_assigned: bool) -> Self {
        let start = match values {
            [] => String::new(),
            values => format!("{{\"roles\":{},", Value::from(values)),
        };
        // A group does not depend on what follows it, so tokens share the base64 of all whole groups.
        let whole = start.len() - start.len() % 3;
        let (groups, rest) = start.as_bytes().split_at(whole);
        Self {
            encoded: URL_SAFE_NO_PAD.encode(groups),
            // A role with other letters than ASCII is in the groups: the start ends with a bracket and a comma.
            rest: String::from_utf8_lossy(rest).into_owned(),
            is_assigned,
        }
    }

    /// The values as a JSON array, or nothing if there are none.
    #[cfg(test)]
    pub(crate) fn json(&self) -> String {
        let mut start = URL_SAFE_NO_PAD.decode(&self.encoded).unwrap_or_default();
        start.extend_from_slice(self.rest.as_bytes());
        let start = String::from_utf8_lossy(&start);
        let json = start.strip_prefix("{\"roles\":");
        json.and_then(|json| json.strip_suffix(','))
            .unwrap_or_default()
            .to_owned()
    }
}

/// The content that roles follow from: all app role assignments, and the roles that the resource declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RolesBasis {
    pub(crate) assignments: u64,
    pub(crate) resource: NonZeroU64,
}

/// The roles of the clients that requested tokens lately.
#[derive(Default)]
pub(crate) struct KnownRoles(Mutex<HashMap<Key, (RolesBasis, Arc<ApplicationRoles>)>>);

/// The service principals of the client and of the resource.
type Key = (Box<str>, Box<str>);

impl KnownRoles {
    /// Returns the roles of a client on a resource, which a function reads if they are not known or have changed.
    pub(crate) fn get_or_read(
        &self,
        (client, resource): (&str, &str),
        basis: RolesBasis,
        read: impl FnOnce() -> ApplicationRoles,
    ) -> Arc<ApplicationRoles> {
        let key = (client.into(), resource.into());
        // An entry is complete or absent, also after a panic while the lock was held.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, roles)) = known.get(&key).filter(|(other, _)| *other == basis) {
            return Arc::clone(roles);
        }
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        let roles = Arc::new(read());
        known.insert(key, (basis, Arc::clone(&roles)));
        roles
    }
}

impl fmt::Debug for KnownRoles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // They follow from the store.
        f.debug_struct("KnownRoles").finish_non_exhaustive()
    }
}

/// For how many clients and resources roles are remembered.
const MAX_KNOWN: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_again_if_their_basis_has_changed() {
        let known = KnownRoles::default();
        let get = |client: &str, assignments: u64, number: u32| {
            let basis = RolesBasis {
                assignments,
                resource: NonZeroU64::MIN,
            };
            let read = || ApplicationRoles::new(&[number.to_string()], true);
            known.get_or_read((client, "api"), basis, read).json()
        };
        assert_eq!(
            [get("a", 1, 1), get("a", 1, 2), get("b", 1, 3)],
            [r#"["1"]"#, r#"["1"]"#, r#"["3"]"#]
        );
        assert_eq!([get("a", 2, 4), get("a", 1, 5)], [r#"["4"]"#, r#"["5"]"#]);
        for number in 0..MAX_KNOWN {
            get(&number.to_string(), 1, 6);
        }
        assert!(known.0.lock().unwrap().len() <= MAX_KNOWN);
    }

    #[test]
    fn the_start_of_the_claims_is_the_same_whatever_its_length() {
        for length in 1..8 {
            let values = ["é".to_owned(), "x".repeat(length)];
            let roles = ApplicationRoles::new(&values, true);
            assert_eq!(roles.json(), Value::from(&values[..]).to_string());
            assert!(roles.encoded.len().is_multiple_of(4) && roles.rest.len() < 3);
        }
        assert_eq!(ApplicationRoles::new(&[], true).encoded, "");
    }
}
