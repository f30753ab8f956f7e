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
        .find(|list| !list.is_empty() && !list.iter().any(|one| granted.has(one)))
        .map(Needs::OneOf)
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
