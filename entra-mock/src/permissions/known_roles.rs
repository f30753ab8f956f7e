//! Remembers the application permissions of clients.
//!
//! Graph declares hundreds of roles, and a client requests the same token many times, so its roles are remembered with
//! the versions of what they follow from.

use std::{
    fmt,
    num::NonZeroU64,
    sync::{Arc, Mutex, PoisonError},
};

use hashbrown::HashMap;

/// The roles of a client in the token for a resource.
#[derive(Debug, Default)]
pub(crate) struct ApplicationRoles {
    /// The values of the roles in order, as a JSON array. Empty if there are none.
    pub(crate) json: String,
    /// Whether the client is assigned to the resource at all.
    pub(crate) is_assigned: bool,
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
            let read = || ApplicationRoles {
                json: number.to_string(),
                is_assigned: true,
            };
            known.get_or_read((client, "api"), basis, read).json.clone()
        };
        assert_eq!(
            [get("a", 1, 1), get("a", 1, 2), get("b", 1, 3)],
            ["1", "1", "3"]
        );
        assert_eq!([get("a", 2, 4), get("a", 1, 5)], ["4", "5"]);
        for number in 0..MAX_KNOWN {
            get(&number.to_string(), 1, 6);
        }
        assert!(known.0.lock().unwrap().len() <= MAX_KNOWN);
    }
}
