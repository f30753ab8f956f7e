//! Rights that a plan needs and the caller's token lacks, found before the first write.

use std::fmt;

use super::{
    action::{Action, ConsentRole},
    found::{Found, OWNED_BY},
    steps::Work,
};
use crate::{error::Granted, operation::Operation};

/// A right that a step of a [`Plan`](super::Plan) or an operation needs and a token does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingRight {
    operation: &'static str,
    step: String,
    needs: Needs,
    delegated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Needs {
    OneOf(&'static [&'static str]),
    UserOnly,
    Role(ConsentRole),
    Ownership,
}

impl MissingRight {
    /// The permissions any one of which is enough, least privileged first; empty if a directory role or ownership is
    /// missing.
    #[must_use]
    pub const fn permissions(&self) -> &'static [&'static str] {
        match self.needs {
            Needs::OneOf(permissions) => permissions,
            Needs::UserOnly | Needs::Role(_) | Needs::Ownership => &[],
        }
    }

    /// The documented name of the operation that needs it, such as `application-addpassword`.
    #[must_use]
    pub const fn operation(&self) -> &'static str {
        self.operation
    }
}

impl fmt::Display for MissingRight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.delegated {
            "delegated"
        } else {
            "application"
        };
        match self.needs {
            Needs::OneOf(permissions) => write!(
                f,
                "{}: needs one of ({kind}): {}",
                self.step,
                permissions.join(", ")
            ),
            Needs::UserOnly => write!(
                f,
                "{}: this operation supports delegated permissions only",
                self.step
            ),
            Needs::Role(ConsentRole::Privileged) => write!(
                f,
                "{}: consent to application permissions of Microsoft Graph needs the directory role Privileged Role Administrator or Global Administrator",
                self.step
            ),
            Needs::Role(ConsentRole::Applications) => write!(
                f,
                "{}: consent for all users needs the directory role Cloud Application Administrator, Application Administrator, Privileged Role Administrator or Global Administrator",
                self.step
            ),
            Needs::Ownership => write!(
                f,
                "{}: {OWNED_BY} covers only what the caller owns; make it an owner of the registration and of the enterprise application, or grant it Application.ReadWrite.All",
                self.step
            ),
        }
    }
}

/// The rights that the steps need and the token lacks; empty if the token cannot be read.
pub(super) fn missing(work: &Work, found: &Found, granted: Option<&Granted>) -> Vec<MissingRight> {
    let Some(granted) = granted else {
        return Vec::new();
    };
    let mut missing: Vec<MissingRight> = Vec::new();
    for step in work.steps.iter().chain(&work.possible) {
        let Some(operation) = step.action.operation() else {
            continue;
        };
        let needs = lacking(operation, granted)
            .or_else(|| lacking_role(&step.action, granted))
            .or_else(|| {
                let is_foreign = found.owned_by_caller == Some(false);
                (is_foreign && step.action.writes_owned()).then_some(Needs::Ownership)
            });
        let Some(needs) = needs else {
            continue;
        };
        let is_named = missing.iter().any(|one| {
            one.needs == needs && (one.operation == operation.name || needs == Needs::Ownership)
        });
        if is_named {
            continue;
        }
        missing.push(MissingRight {
            operation: operation.name,
            step: step
                .lines
                .first()
                .map_or_else(|| operation.name.to_owned(), |line| line.text().to_owned()),
            needs,
            delegated: granted.delegated,
        });
    }
    missing
}

/// The same for one operation by itself.
pub(super) fn missing_for(
    operation: &'static Operation,
    granted: &Granted,
) -> Option<MissingRight> {
    Some(MissingRight {
        operation: operation.name,
        step: format!("{} {}", operation.method, operation.path),
        needs: lacking(operation, granted)?,
        delegated: granted.delegated,
    })
}

/// A user needs a directory role to consent. Without the claim of roles it is unknown whether the user has one.
fn lacking_role(action: &Action, granted: &Granted) -> Option<Needs> {
    let needed = action.role()?;
    if !granted.delegated || granted.roles.is_empty() {
        return None;
    }
    let enough: &[&str] = match needed {
        ConsentRole::Privileged => &PRIVILEGED,
        ConsentRole::Applications => &CONSENTING,
    };
    let has = granted
        .roles
        .iter()
        .any(|role| enough.contains(&role.as_str()));
    (!has).then_some(Needs::Role(needed))
}

fn lacking(operation: &'static Operation, granted: &Granted) -> Option<Needs> {
    let enough = if granted.delegated {
        operation.delegated
    } else {
        operation.application
    };
    if enough.is_empty() {
        return Some(Needs::UserOnly);
    }
    [enough, operation.additional]
        .into_iter()
        .find(|list| {
            let mut held = granted.held(list);
            !list.is_empty() && !held.any(|one| is_enough(one, list, operation))
        })
        .map(Needs::OneOf)
}

/// Whether a permission that is one of a list, or writes what one of them reads, is enough for an operation.
/// `GroupMember.ReadWrite.All` lists groups by its description, and not by the page of that list.
fn is_enough(held: &str, list: &[&str], operation: &Operation) -> bool {
    let reads_groups = ["/groups", "/groups/$count", "/groups/delta", "/groups/{id}"];
    list.contains(&held)
        || held != "GroupMember.ReadWrite.All"
        || !reads_groups.contains(&operation.path)
}

/// The template ids of the directory roles that may consent to application permissions of Microsoft Graph:
/// Global Administrator and Privileged Role Administrator.
const PRIVILEGED: [&str; 2] = [
    "62e90394-69f5-4237-9190-012177145e10",
    "e8611ab8-c189-46e8-94e1-60213ab1f814",
];
/// Those that may consent to all other permissions: these, Cloud Application Administrator and Application
/// Administrator.
const CONSENTING: [&str; 4] = [
    "62e90394-69f5-4237-9190-012177145e10",
    "e8611ab8-c189-46e8-94e1-60213ab1f814",
    "158c047a-c907-4556-b7ef-446551a6b5f7",
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_that_writes_is_enough_to_read() {
        for (held, operation, is_enough) in [
            ("Application.ReadWrite.All", "application-list", true),
            ("Application.Read.All", "application-list", true),
            ("Application.Read.All", "application-update", false),
            ("Group.ReadWrite.All", "group-list", true),
            ("GroupMember.ReadWrite.All", "group-list", false),
            ("GroupMember.ReadWrite.All", "group-list-members", true),
            ("User.ReadWrite.All", "user-list", true),
            ("User.ReadWrite.All", "group-list", false),
            // The permission to assign alone does not find the service principals.
            (
                "AppRoleAssignment.ReadWrite.All",
                "serviceprincipal-post-approleassignedto",
                false,
            ),
        ] {
            let granted = Granted {
                delegated: false,
                permissions: vec![held.to_owned()],
                roles: Vec::new(),
                tenant: None,
                object_id: None,
            };
            let operation = crate::areas::operations()
                .find(|one| one.name == operation)
                .unwrap();
            let missing = missing_for(operation, &granted);
            assert_eq!(missing.is_none(), is_enough, "{held}: {missing:?}");
        }
    }
}
