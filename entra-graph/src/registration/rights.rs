//! Rights that a plan needs and the caller's token lacks, found before the first write.

use std::fmt;

use super::action::Step;
use crate::{error::Granted, operation::Operation};

/// A right that a [`Plan`](super::Plan) needs and the caller's token does not have.
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
    PrivilegedRole,
}

impl MissingRight {
    /// The permissions any one of which is enough, least privileged first; none if a directory role is missing.
    #[must_use]
    pub const fn permissions(&self) -> &'static [&'static str] {
        match self.needs {
            Needs::OneOf(permissions) => permissions,
            Needs::UserOnly | Needs::PrivilegedRole => &[],
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
                "{}: Graph takes this from signed-in users only",
                self.step
            ),
            Needs::PrivilegedRole => write!(
                f,
                "{}: consent to application permissions of Microsoft Graph needs the directory role Privileged Role Administrator or Global Administrator",
                self.step
            ),
        }
    }
}

/// The rights that these steps need and the token lacks; none if the token cannot be read.
pub(super) fn missing(steps: &[Step], granted: Option<&Granted>) -> Vec<MissingRight> {
    let Some(granted) = granted else {
        return Vec::new();
    };
    let mut missing: Vec<MissingRight> = Vec::new();
    for step in steps {
        let Some(operation) = step.action.operation() else {
            continue;
        };
        let needs = lacking(operation, granted).or_else(|| {
            let lacks_role = granted.delegated
                && step.action.needs_privileged_role()
                && !granted.roles.is_empty()
                && !granted
                    .roles
                    .iter()
                    .any(|role| PRIVILEGED.contains(&role.as_str()));
            lacks_role.then_some(Needs::PrivilegedRole)
        });
        let Some(needs) = needs else {
            continue;
        };
        if missing
            .iter()
            .any(|one| one.operation == operation.name && one.needs == needs)
        {
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
        .find(|list| !list.is_empty() && !list.iter().any(|one| granted.has(one)))
        .map(Needs::OneOf)
}

/// The template ids of the directory roles that may consent to application permissions of Microsoft Graph:
/// Global Administrator and Privileged Role Administrator.
const PRIVILEGED: &[&str] = &[
    "62e90394-69f5-4237-9190-012177145e10",
    "e8611ab8-c189-46e8-94e1-60213ab1f814",
];
