//! Who may do what.

use crate::{
    odata::Refusal,
    schema::{ANY_OBJECT, Kind, Operation},
    store::Object,
};

mod caller;

pub(crate) use caller::{Caller, TokenProblem};

/// Lets a caller send a method to a path, or rejects the request as Graph words it.
///
/// `own` says that the path is below the signed-in user's own object.
pub(crate) fn authorize(
    caller: &Caller,
    method: &str,
    path: &str,
    own: bool,
) -> Result<(), Refusal> {
    // An operation that is served without a row would be open to everybody.
    let row = operation(method, path).ok_or_else(denied)?;
    authorize_row(caller, row, own)
}

/// The same for an operation that objects of several types have under one path.
pub(crate) fn authorize_kind(
    caller: &Caller,
    kind: Kind,
    method: &str,
    path: &str,
    own: bool,
) -> Result<(), Refusal> {
    let row = kind
        .entity()
        .operations
        .iter()
        .find(|row| row.method == method && row.path == path)
        .ok_or_else(denied)?;
    authorize_row(caller, row, own)
}

fn authorize_row(caller: &Caller, row: &Operation, own: bool) -> Result<(), Refusal> {
    let granted = if caller.is_delegated() {
        caller.has_any(row.delegated) || own && caller.has_any(row.own)
    } else {
        caller.has_any(row.application)
    };
    if granted
        && (!SIGN_INS_NEED_DIRECTORY_READ
            || row.path != SIGN_INS
            || caller.has_any(&["Directory.Read.All"]))
    {
        return Ok(());
    }
    if row.path.starts_with("/auditLogs/") {
        Err(missing_for_logs(row, caller))
    } else {
        Err(denied())
    }
}

/// The operation of that method and path.
pub(crate) fn operation(method: &str, path: &str) -> Option<&'static Operation> {
    operations().find(|row| row.method == method && row.path == path)
}

/// Every operation that is served.
pub(crate) fn operations() -> impl Iterator<Item = &'static Operation> {
    Kind::ALL
        .iter()
        .copied()
        .flat_map(|kind| kind.entity().operations)
        .chain(ANY_OBJECT)
}

/// How much of an object a caller sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Everything,
    /// What a person may know about colleagues.
    Basic,
    /// That it exists: its id and type.
    Existence,
}

/// What a caller sees of an object that turned up in a relationship or list.
pub(crate) fn reach(caller: &Caller, kind: Kind, object: &Object) -> Reach {
    let visibility = &kind.entity().visibility;
    if caller.has_any(visibility.full) {
        return Reach::Everything;
    }
    let own = caller
        .user_id
        .as_deref()
        .is_some_and(|id| object.get("id").is_some_and(|other| other == id));
    if own && caller.has_any(visibility.own) {
        return Reach::Everything;
    }
    if caller.has_any(visibility.basic) {
        Reach::Basic
    } else {
        Reach::Existence
    }
}

/// Whether a caller may know who the members of a group are.
pub(crate) fn sees_members(caller: &Caller, group: &Object) -> bool {
    sees_hidden_members(caller) || !hides_members(group)
}

/// Whether a group's membership is hidden.
pub(crate) fn hides_members(group: &Object) -> bool {
    group.get("visibility").and_then(|value| value.as_str()) == Some("HiddenMembership")
}

/// Whether a caller may know the members of groups with hidden membership.
pub(crate) fn sees_hidden_members(caller: &Caller) -> bool {
    caller.has_any(&["Member.Read.Hidden"])
}

/// Whether filters and orders may use this property of users with basic reach only.
pub(crate) fn is_basic(property: &str) -> bool {
    BASIC_PROFILE.contains(&property)
}

/// Whether the caller reads users with `User.ReadBasic.All` alone.
pub(crate) fn only_basic_profiles(caller: &Caller) -> bool {
    let visibility = &Kind::User.entity().visibility;
    caller.has_any(visibility.basic) && !caller.has_any(visibility.full)
}

/// 403 for a token without any of the permissions that would do.
pub(crate) fn denied() -> Refusal {
    Refusal::new(
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
    )
}

/// 403 for what the tenant's licence does not cover.
pub(crate) fn not_premium() -> Refusal {
    Refusal::new(
        403,
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        "Neither tenant is B2C or tenant doesn't have premium license",
    )
}

fn missing_for_logs(row: &Operation, caller: &Caller) -> Refusal {
    let names = if caller.is_delegated() {
        row.delegated
    } else {
        row.application
    };
    Refusal::new(
        403,
        LOGS_DENIED,
        format!(
            "The principal does not have required Microsoft Graph permission(s): {} to call this API.",
            names.join(", ")
        ),
    )
}

const SIGN_INS: &str = "/auditLogs/signIns";

/// An older page asks for `Directory.Read.All` beside `AuditLog.Read.All`; either is taken here.
const SIGN_INS_NEED_DIRECTORY_READ: bool = false;

/// The code for a missing permission on the logs; not verified in the documentation.
const LOGS_DENIED: &str = "Authentication_MSGraphPermissionMissing";

/// What `User.ReadBasic.All` shows of a person.
const BASIC_PROFILE: [&str; 6] = [
    "id",
    "displayName",
    "givenName",
    "surname",
    "mail",
    "userPrincipalName",
];

#[cfg(test)]
mod tests;
