//! Which permissions a program needs, from the operations that it uses.

use std::{collections::BTreeSet, fmt};

use super::rights::missing_for;
use crate::{error::Granted, operation::Operation};

/// The least permissions for some operations.
///
/// ```
/// use entra_graph::registration::PermissionAdvice;
/// let operations = ["user-list", "group-list-members", "device-list"];
/// let advice = PermissionAdvice::for_names(operations).unwrap();
/// assert!(advice.application().any(|name| name == "Device.Read.All"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionAdvice {
    delegated: BTreeSet<&'static str>,
    application: BTreeSet<&'static str>,
    users_only: Vec<&'static str>,
}

impl PermissionAdvice {
    /// The least set for these operations, such as those of [`Request::operation`](crate::Request::operation).
    pub fn for_operations<'o>(operations: impl IntoIterator<Item = &'o Operation>) -> Self {
        let operations: Vec<&Operation> = operations.into_iter().collect();
        let lists =
            |pick: fn(&Operation) -> &'static [&'static str]| -> Vec<&'static [&'static str]> {
                let own = operations.iter().map(|operation| pick(operation));
                let with = operations
                    .iter()
                    .filter(|operation| !pick(operation).is_empty())
                    .map(|operation| operation.additional);
                own.chain(with).filter(|list| !list.is_empty()).collect()
            };
        let users_only: BTreeSet<&'static str> = operations
            .iter()
            .filter(|operation| operation.application.is_empty())
            .map(|operation| operation.name)
            .collect();
        Self {
            delegated: least(&lists(|operation| operation.delegated)),
            application: least(&lists(|operation| operation.application)),
            users_only: users_only.into_iter().collect(),
        }
    }

    /// The same for operations by their documented names, such as `user-list`.
    ///
    /// # Errors
    /// The first name that this crate does not have.
    pub fn for_names<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Self, String> {
        let operations: Result<Vec<&Operation>, String> = names
            .into_iter()
            .map(|name| {
                crate::areas::operations()
                    .find(|operation| operation.name == name)
                    .ok_or_else(|| name.to_owned())
            })
            .collect();
        Ok(Self::for_operations(operations?))
    }

    /// The delegated permissions, in alphabetical order.
    pub fn delegated(&self) -> impl Iterator<Item = &'static str> {
        self.delegated.iter().copied()
    }

    /// The application permissions, in alphabetical order.
    pub fn application(&self) -> impl Iterator<Item = &'static str> {
        self.application.iter().copied()
    }

    /// The operations that Graph takes from signed-in users only.
    #[must_use]
    pub fn users_only(&self) -> &[&'static str] {
        &self.users_only
    }
}

impl fmt::Display for PermissionAdvice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |set: &BTreeSet<&str>| set.iter().copied().collect::<Vec<_>>().join(", ");
        writeln!(f, "delegated: {}", list(&self.delegated))?;
        writeln!(f, "application: {}", list(&self.application))?;
        if !self.users_only.is_empty() {
            writeln!(f, "signed-in users only: {}", self.users_only.join(", "))?;
        }
        Ok(())
    }
}

/// Whether a token with these permissions may call an operation. A permission that writes is enough for what the one that
/// reads the same is enough for.
#[must_use]
pub fn allows(operation: &'static Operation, permissions: &[&str], delegated: bool) -> bool {
    let granted = Granted {
        delegated,
        permissions: permissions.iter().map(|one| (*one).to_owned()).collect(),
        roles: Vec::new(),
        tenant: None,
        object_id: None,
    };
    missing_for(operation, &granted).is_none()
}

/// One permission of each list, as few as possible: the least of each, without those that others make needless.
fn least(lists: &[&'static [&'static str]]) -> BTreeSet<&'static str> {
    let mut chosen: BTreeSet<&'static str> = lists
        .iter()
        .filter_map(|list| list.first().copied())
        .collect();
    for name in chosen.clone() {
        let others_cover = lists
            .iter()
            .filter(|list| list.contains(&name))
            .all(|list| list.iter().any(|one| *one != name && chosen.contains(one)));
        if others_cover {
            chosen.remove(name);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_permission_covers_several_operations() {
        let lists: [&'static [&'static str]; 3] = [
            &["User.ReadBasic.All", "User.Read.All", "Directory.Read.All"],
            &["User.Read.All", "Directory.Read.All"],
            &["Device.Read.All"],
        ];
        let chosen: Vec<&str> = least(&lists).into_iter().collect();
        assert_eq!(chosen, ["Device.Read.All", "User.Read.All"]);
    }

    #[test]
    fn the_advice_is_enough_for_each_operation_of_the_crate() {
        for operation in crate::areas::operations() {
            let advice = PermissionAdvice::for_operations([operation]);
            let delegated: Vec<&str> = advice.delegated().collect();
            let application: Vec<&str> = advice.application().collect();
            let name = operation.name;
            assert!(
                operation.delegated.is_empty() || allows(operation, &delegated, true),
                "{name}"
            );
            assert!(
                operation.application.is_empty() || allows(operation, &application, false),
                "{name}"
            );
            assert_eq!(
                operation.application.is_empty(),
                advice.users_only() == [name]
            );
        }
        assert_eq!(
            PermissionAdvice::for_names(["no-such"]),
            Err("no-such".to_owned())
        );
    }
}
