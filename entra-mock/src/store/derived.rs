//! What the kind of an object says of it: its place in a log, its key, and the objects that it connects.

use std::borrow::Cow;

use serde_json::Value;

use super::{Kind, LogPartition, Object};
use crate::{schema::IdForm, time::ticks};

/// v1.0 lists interactive sign-ins of users only. A record without types counts as one.
pub(super) fn log_partition(kind: Kind, object: &Object) -> LogPartition {
    let types = object.get("signInEventTypes").and_then(Value::as_array);
    let interactive = types.is_none_or(|types| types.iter().any(|name| name == "interactiveUser"));
    if kind != Kind::SignIn || interactive {
        LogPartition::Listed
    } else {
        LogPartition::Unlisted
    }
}

/// The time of a log record in ticks. A record without a time comes before all others.
pub(super) fn log_ticks(kind: Kind, object: &Object) -> i64 {
    let time = kind.log_time().and_then(|property| object.text(property));
    time.and_then(ticks).unwrap_or(i64::MIN)
}

/// The key of an object in the index by id. An object that shares the id of a user has a key of its
/// own, since the id alone names the user.
pub(super) fn index_key(kind: Kind, id: &str) -> Cow<'_, str> {
    if kind.entity().id == IdForm::OfUser {
        Cow::Owned(format!(
            "{}/{}",
            kind.entity().name,
            id.to_ascii_lowercase()
        ))
    } else {
        Cow::Borrowed(id)
    }
}

/// The properties of an assignment or grant that hold ids of other objects. It is deleted with them.
pub(super) fn access_properties(kind: Kind) -> &'static [(AccessSide, &'static str)] {
    if kind == Kind::AppRoleAssignment {
        &[
            (AccessSide::Principal, "principalId"),
            (AccessSide::Resource, "resourceId"),
        ]
    } else if kind == Kind::OAuth2PermissionGrant {
        &[
            (AccessSide::Principal, "clientId"),
            (AccessSide::Principal, "principalId"),
            (AccessSide::Resource, "resourceId"),
        ]
    } else {
        &[]
    }
}

/// Which of two indexes has an object: the one of those that have access, or of what is accessed.
#[derive(Clone, Copy, Debug)]
pub(super) enum AccessSide {
    Principal,
    Resource,
}
