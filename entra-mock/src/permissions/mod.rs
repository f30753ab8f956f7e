//! Who may read what.

use crate::{
    odata::Refusal,
    store::{Kind, Object},
};

mod caller;
mod table;

pub(crate) use caller::{Caller, TokenProblem};
use table::{ROWS, Row};

/// Lets a caller read a path, or refuses as Graph words it.
///
/// `own` says that the path is below the signed-in user's own object.
pub(crate) fn authorize(caller: &Caller, path: &str, own: bool) -> Result<(), Refusal> {
    let Some(row) = ROWS.iter().find(|row| row.path == path) else {
        // A path that is served without a row would be open to everybody.
        return Err(denied());
    };
    let granted = if caller.is_delegated() {
        caller.has_any(row.delegated) || own && caller.has_any(row.own)
    } else {
        caller.has_any(row.application)
    };
    if granted
        && (!SIGN_INS_NEED_DIRECTORY_READ
            || path != SIGN_INS
            || caller.has_any(&["Directory.Read.All"]))
    {
        return Ok(());
    }
    if path.starts_with("/auditLogs/") {
        Err(missing_for_logs(row, caller))
    } else {
        Err(denied())
    }
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
    let names: &[&str] = match kind {
        Kind::User => table::USERS_IN_FULL,
        Kind::Group => table::READ_GROUPS,
        Kind::Application | Kind::ServicePrincipal => table::READ_APPLICATIONS,
        Kind::Device => table::READ_DEVICES,
        _ => return Reach::Everything,
    };
    if caller.has_any(names) {
        return Reach::Everything;
    }
    if kind != Kind::User {
        return Reach::Existence;
    }
    let own = caller
        .user_id
        .as_deref()
        .is_some_and(|id| object.get("id").is_some_and(|other| other == id));
    if own && caller.has_any(table::OWN_PROFILE) {
        return Reach::Everything;
    }
    if caller.has_any(&["User.ReadBasic.All"]) {
        Reach::Basic
    } else {
        Reach::Existence
    }
}

/// Whether filters and orders may use this property of users with basic reach only.
pub(crate) fn is_basic(property: &str) -> bool {
    BASIC_PROFILE.contains(&property)
}

/// Whether the caller reads users with `User.ReadBasic.All` alone.
pub(crate) fn only_basic_profiles(caller: &Caller) -> bool {
    caller.has_any(&["User.ReadBasic.All"]) && !caller.has_any(table::USERS_IN_FULL)
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

fn missing_for_logs(row: &Row, caller: &Caller) -> Refusal {
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
