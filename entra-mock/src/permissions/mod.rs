//! Permission checks.

use std::sync::OnceLock;

use hashbrown::HashMap;

use crate::{
    odata::GraphError,
    schema::{ANY_OBJECT, Kind, METHODS_BY_TYPE, Operation},
    store::Object,
};

mod caller;
mod known_roles;
mod log;
mod needed;
mod template;
mod verified_tokens;

pub use needed::NeededPermissions;
pub(crate) use {
    caller::{Caller, TokenProblem},
    known_roles::{ApplicationRoles, KnownRoles, RolesBasis},
    template::{operation_of_request, split_version},
    verified_tokens::{VerifiedToken, VerifiedTokens},
};

/// Checks that a caller may send a method to a path. Rejects the request with Graph's error.
///
/// `own` says that the path is below the signed-in user's own object.
pub(crate) fn authorize(
    caller: &Caller,
    method: &str,
    path: &str,
    own: bool,
) -> Result<(), GraphError> {
    // An operation without a row would need no permission.
    let row = operation(method, path).ok_or_else(denied)?;
    authorize_operation(caller, row, own)
}

/// The same for an operation that objects of several types have under one path.
pub(crate) fn authorize_kind(
    caller: &Caller,
    kind: Kind,
    method: &str,
    path: &str,
    own: bool,
) -> Result<(), GraphError> {
    let row = kind
        .entity()
        .operations
        .iter()
        .find(|row| row.method == method && row.path == path)
        .ok_or_else(denied)?;
    authorize_operation(caller, row, own)
}

/// The same for an operation that is known already.
pub(crate) fn authorize_operation(
    caller: &Caller,
    row: &Operation,
    own: bool,
) -> Result<(), GraphError> {
    let granted = if row.is_open() {
        true
    } else if caller.is_delegated() {
        caller.has_any(row.delegated) || own && caller.has_any(row.own)
    } else {
        caller.has_any(row.application)
    };
    let complete = row.additional.iter().all(|names| caller.has_any(names));
    if granted
        && complete
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

/// Returns the operation of that method and path.
pub(crate) fn operation(method: &str, path: &str) -> Option<&'static Operation> {
    type ByPath = HashMap<&'static str, Vec<&'static Operation>>;
    static BY_PATH: OnceLock<ByPath> = OnceLock::new();
    let by_path = BY_PATH.get_or_init(|| {
        let mut by_path = ByPath::new();
        for row in operations() {
            by_path.entry(row.path).or_default().push(row);
        }
        by_path
    });
    let mut rows = by_path.get(path)?.iter().copied();
    rows.find(|row| row.method == method)
}

/// Every supported operation.
pub(crate) fn operations() -> impl Iterator<Item = &'static Operation> {
    Kind::ALL
        .iter()
        .copied()
        .flat_map(|kind| kind.entity().operations)
        .chain(ANY_OBJECT)
        .chain(METHODS_BY_TYPE)
}

/// How much of an object a caller may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccessLevel {
    Everything,
    /// The basic profile of a user.
    Basic,
    /// The id and type only.
    Existence,
}

/// Whether a caller may see all properties of all objects of a kind.
pub(crate) fn sees_everything(caller: &Caller, kind: Kind) -> bool {
    let visibility = &kind.entity().visibility;
    visibility.full.is_empty() || caller.has_any(visibility.full)
}

/// Returns how much of a listed or related object a caller may see.
pub(crate) fn access_level(caller: &Caller, kind: Kind, object: &Object) -> AccessLevel {
    if sees_everything(caller, kind) {
        return AccessLevel::Everything;
    }
    let visibility = &kind.entity().visibility;
    let own = caller
        .user_id
        .as_deref()
        .is_some_and(|id| object.text("id") == Some(id));
    if own && caller.has_any(visibility.own) {
        return AccessLevel::Everything;
    }
    if caller.has_any(visibility.basic) {
        AccessLevel::Basic
    } else {
        AccessLevel::Existence
    }
}

/// Whether a caller may see the members of a group.
pub(crate) fn sees_members(caller: &Caller, group: &Object) -> bool {
    sees_hidden_members(caller) || !hides_members(group)
}

/// Whether a group's membership is hidden.
pub(crate) fn hides_members(group: &Object) -> bool {
    group.get("visibility").and_then(|value| value.as_str()) == Some("HiddenMembership")
}

/// Whether a caller may see the members of groups with hidden membership.
pub(crate) fn sees_hidden_members(caller: &Caller) -> bool {
    caller.has_any(&["Member.Read.Hidden"])
}

/// Whether filters and sorting may use this property of users with basic access only.
pub(crate) fn is_basic(property: &str) -> bool {
    BASIC_PROFILE.contains(&property)
}

/// Whether the caller reads users with `User.ReadBasic.All` only.
pub(crate) fn only_basic_profiles(caller: &Caller) -> bool {
    let visibility = &Kind::User.entity().visibility;
    caller.has_any(visibility.basic) && !caller.has_any(visibility.full)
}

/// 403 for a token without any of the required permissions.
pub(crate) fn denied() -> GraphError {
    GraphError::new(
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
    )
}

/// 403 for a feature that the tenant's licence does not include.
pub(crate) fn not_premium() -> GraphError {
    GraphError::new(
        403,
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        "Neither tenant is B2C or tenant doesn't have premium license",
    )
}

fn missing_for_logs(row: &Operation, caller: &Caller) -> GraphError {
    let names = if caller.is_delegated() {
        row.delegated
    } else {
        row.application
    };
    GraphError::new(
        403,
        LOGS_DENIED,
        format!(
            "The principal does not have required Microsoft Graph permission(s): {} to call this API.",
            names.join(", ")
        ),
    )
}

const SIGN_INS: &str = "/auditLogs/signIns";

/// An older page requires `Directory.Read.All` in addition to `AuditLog.Read.All`; either is
/// accepted here.
const SIGN_INS_NEED_DIRECTORY_READ: bool = false;

/// The code for a missing permission on the logs. It is not verified in the documentation.
const LOGS_DENIED: &str = "Authentication_MSGraphPermissionMissing";

/// The properties of a user that `User.ReadBasic.All` shows.
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
