//! What the store holds, and in which relations.

use std::fmt;

use super::{Object, text};

/// What sort of object a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    User,
    Group,
    Application,
    ServicePrincipal,
    Device,
    AppRoleAssignment,
    OAuth2PermissionGrant,
    Organization,
    SubscribedSku,
    SignIn,
    DirectoryAudit,
}

impl Kind {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 11] = [
        Self::User,
        Self::Group,
        Self::Application,
        Self::ServicePrincipal,
        Self::Device,
        Self::AppRoleAssignment,
        Self::OAuth2PermissionGrant,
        Self::Organization,
        Self::SubscribedSku,
        Self::SignIn,
        Self::DirectoryAudit,
    ];

    /// The property, besides `id`, that identifies one object of this kind.
    pub(crate) fn alternate_key(self) -> Option<&'static str> {
        match self {
            Self::User => Some("userPrincipalName"),
            Self::Application | Self::ServicePrincipal => Some("appId"),
            Self::Device => Some("deviceId"),
            _ => None,
        }
    }

    /// The property the two logs are kept in order of.
    pub(super) fn log_time(self) -> Option<&'static str> {
        match self {
            Self::SignIn => Some("createdDateTime"),
            Self::DirectoryAudit => Some("activityDateTime"),
            _ => None,
        }
    }
}

/// A link from one object to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Relation {
    /// Group to member.
    Members,
    /// Group, application or service principal to owner.
    Owners,
    /// User to manager; at most one.
    Manager,
    /// Device to owner.
    RegisteredOwners,
    /// Device to user.
    RegisteredUsers,
}

/// Why an object was not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// No `id` that is a non-empty string.
    NoId,
    /// Another object has the same value for this property.
    Taken {
        property: &'static str,
        value: String,
    },
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoId => f.write_str("the object has no id"),
            Self::Taken { property, value } => write!(f, "another object has {property} {value}"),
        }
    }
}

/// A user's latest sign-ins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Latest {
    pub(crate) interactive: Option<Moment>,
    pub(crate) silent: Option<Moment>,
    pub(crate) successful: Option<Moment>,
}

/// One sign-in in a user's `signInActivity`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) time: Box<str>,
    pub(crate) request_id: Box<str>,
}

impl Moment {
    pub(super) fn of(record: &Object) -> Self {
        let part = |name| text(record, name).unwrap_or_default().into();
        Self {
            time: part("createdDateTime"),
            request_id: part("id"),
        }
    }
}
