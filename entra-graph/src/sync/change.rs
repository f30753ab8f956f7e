//! What a sync hands out: objects, removals and memberships.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    delta::RemovedReason,
    error::{Error, ErrorKind},
    model::Model as _,
    objects::{AppRoleAssignment, Device, Group, ServicePrincipal, User},
};

/// The kinds of objects that a sync copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ObjectKind {
    /// Users.
    User,
    /// Groups.
    Group,
    /// Devices.
    Device,
    /// Service principals.
    ServicePrincipal,
    /// App role assignments.
    AppRoleAssignment,
}

/// An object of the copy.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", content = "object", rename_all = "camelCase")]
#[non_exhaustive]
pub enum SyncedObject {
    /// A user.
    User(Box<User>),
    /// A group.
    Group(Box<Group>),
    /// A device.
    Device(Box<Device>),
    /// A service principal.
    ServicePrincipal(Box<ServicePrincipal>),
    /// An app role assignment.
    AppRoleAssignment(Box<AppRoleAssignment>),
}

/// One change of the copy.
///
/// The changes of all steps, applied in their order, are the copy: an object is present between its last
/// [`Upsert`](Self::Upsert) and its [`Removed`](Self::Removed), and a membership between `MemberAdded` and
/// `MemberRemoved`. A removed object takes its memberships along, as group and as member; when it returns, they
/// are added again. A membership is handed out only while its group is present, and its member too if the sync
/// copies that kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "change", rename_all = "camelCase")]
#[non_exhaustive]
pub enum SyncChange {
    /// The object is new, was changed or was restored. It has all selected properties.
    Upsert(SyncedObject),
    /// The object is no longer in the copy.
    Removed {
        /// The kind of object.
        kind: ObjectKind,
        /// Its id.
        id: String,
        /// Why it was removed.
        reason: RemovalReason,
    },
    /// The group has a new direct member.
    MemberAdded {
        /// The id of the group.
        group: String,
        /// The id of the member.
        member: String,
        /// The type of the member, such as `#microsoft.graph.user`, as far as Graph named it.
        #[serde(rename = "memberType")]
        member_type: Option<String>,
    },
    /// The group no longer has this direct member.
    MemberRemoved {
        /// The id of the group.
        group: String,
        /// The id of the member.
        member: String,
    },
    /// The group has a new member, directly or through other groups, whether these are in the copy or not. Handed out
    /// only with [`transitive_members`](super::DirectorySync::transitive_members); a removed object takes these along, too.
    TransitiveMemberAdded {
        /// The id of the group.
        group: String,
        /// The id of the member.
        member: String,
        /// The type of the member, such as `#microsoft.graph.user`, as far as Graph named it.
        #[serde(rename = "memberType")]
        member_type: Option<String>,
    },
    /// The group no longer has this member, neither directly nor through other groups.
    TransitiveMemberRemoved {
        /// The id of the group.
        group: String,
        /// The id of the member.
        member: String,
    },
}

/// Why an object left the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum RemovalReason {
    /// It was deleted, and can be restored for 30 days.
    Restorable,
    /// It was deleted permanently.
    Deleted,
    /// A complete full round did not contain it.
    Missing,
    /// It exists, but no longer passes the filter of its kind, or is in none of the groups whose users are copied.
    OutOfScope,
}

/// What a step met beside changes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SyncNote {
    /// A full round began. Objects that it does not contain are removed after it is complete.
    FullRound {
        /// The kind of objects.
        kind: ObjectKind,
        /// Why all objects are read.
        cause: FullRoundCause,
    },
    /// Graph does not allow the application to read this kind of objects (403). Its part of the copy stays as it is.
    Forbidden {
        /// The kind of objects.
        kind: ObjectKind,
        /// What Graph said.
        message: String,
    },
    /// Graph sent the id of an object without its properties, because the application may not read them. The copy of
    /// the object stays as it is.
    Limited {
        /// The kind of object.
        kind: ObjectKind,
        /// Its id.
        id: String,
    },
    /// No object of a full round has these properties, which more than five had in the one before. Unless they
    /// were cleared, the application may no longer read them. It comes at the end of the round, so the copy has objects
    /// without them by then. A round of changes does not count properties.
    PropertiesMissing {
        /// The kind of objects.
        kind: ObjectKind,
        /// The names of the properties.
        properties: Vec<String>,
    },
    /// What belongs to an object could not be read, such as the assignments of a service principal that was deleted a
    /// moment ago. That part of the copy stays as it is.
    Unreadable {
        /// The kind of objects that could not be read.
        kind: ObjectKind,
        /// The id of the object they belong to.
        id: String,
        /// What kind of error it was.
        error: ErrorKind,
        /// What Graph said.
        message: String,
    },
    /// The members of a group cannot be read, so those in the copy stay: it hides them, and the application lacks
    /// `Member.Read.Hidden`, or Graph forbids to list them (403). It can come several times in a run.
    MembersUnreadable {
        /// The id of the group.
        group: String,
    },
    /// A group whose users are copied does not exist, or is deleted. It has no users.
    ScopeGroupMissing {
        /// The id of the group.
        id: String,
    },
}

/// Why a full round began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FullRoundCause {
    /// There was no state of this kind.
    First,
    /// Other properties, another filter or another address of Graph; of groups, also members of a kind that is no longer
    /// copied, or once more.
    ScopeChanged,
    /// Graph no longer knows the state: it expired, was reset or is of another tenant.
    StateRejected,
    /// The last full round was too long ago, by [`full_round_every`](super::DirectorySync::full_round_every).
    Due,
    /// The pages of the last round did not end.
    EndlessRound,
    /// The application has a permission that it lacked: now members of groups can be read that could not be, such as
    /// hidden ones.
    PermissionGranted,
    /// A group was restored, or another object that was deleted while an earlier full round of groups was read. Graph
    /// does not reliably send the memberships of a restored object.
    Restored,
}

/// How far the round of one kind is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The kind of objects that the step is about; `None` for a step of removals or memberships.
    pub kind: Option<ObjectKind>,
    /// Whether the round reads all objects.
    pub is_full: bool,
    /// The rows of this round so far.
    pub rows: u64,
    /// About how many rows the round has, as far as known.
    pub estimate: Option<u64>,
}

impl ObjectKind {
    pub(super) const ALL: [Self; 5] = [
        Self::User,
        Self::Group,
        Self::Device,
        Self::ServicePrincipal,
        Self::AppRoleAssignment,
    ];

    pub(super) const fn code(self) -> char {
        match self {
            Self::User => 'u',
            Self::Group => 'g',
            Self::Device => 'd',
            Self::ServicePrincipal => 's',
            Self::AppRoleAssignment => 'a',
        }
    }

    /// The set of the objects, where each has an address of its own.
    pub(super) const fn set(self) -> Option<&'static str> {
        match self {
            Self::User => Some("users"),
            Self::Group => Some("groups"),
            Self::Device => Some("devices"),
            Self::ServicePrincipal => Some("servicePrincipals"),
            Self::AppRoleAssignment => None,
        }
    }

    /// Whether objects of the kind are members of groups, and have none.
    pub(super) const fn is_member(self) -> bool {
        match self {
            Self::User | Self::Device | Self::ServicePrincipal => true,
            Self::Group | Self::AppRoleAssignment => false,
        }
    }

    /// Properties that every object of the kind has.
    pub(super) const fn always(self) -> &'static [&'static str] {
        match self {
            Self::User => &["accountEnabled", "displayName", "userPrincipalName"],
            Self::Group => &["displayName", "mailEnabled", "securityEnabled"],
            Self::Device => &["deviceId", "displayName"],
            Self::ServicePrincipal => &["appId", "displayName"],
            Self::AppRoleAssignment => &[],
        }
    }

    /// The type as Graph names it.
    pub(super) const fn type_name(self) -> &'static str {
        match self {
            Self::User => "#microsoft.graph.user",
            Self::Group => "#microsoft.graph.group",
            Self::Device => "#microsoft.graph.device",
            Self::ServicePrincipal => "#microsoft.graph.servicePrincipal",
            Self::AppRoleAssignment => "#microsoft.graph.appRoleAssignment",
        }
    }

    pub(super) fn of_code(code: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| code.chars().eq([kind.code()]))
    }

    /// The kind of a member with this type, derived types included.
    pub(super) fn of_type(odata_type: &str) -> Option<Self> {
        match odata_type.strip_prefix("#microsoft.graph.")? {
            "user" | "agentUser" => Some(Self::User),
            "group" => Some(Self::Group),
            "device" => Some(Self::Device),
            "servicePrincipal" | "agentIdentity" | "agentIdentityBlueprintPrincipal" => {
                Some(Self::ServicePrincipal)
            }
            _ => None,
        }
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "users",
            Self::Group => "groups",
            Self::Device => "devices",
            Self::ServicePrincipal => "service principals",
            Self::AppRoleAssignment => "app role assignments",
        })
    }
}

impl SyncedObject {
    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::User(object) => &object.id,
            Self::Group(object) => &object.id,
            Self::Device(object) => &object.id,
            Self::ServicePrincipal(object) => &object.id,
            Self::AppRoleAssignment(object) => &object.id,
        }
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> ObjectKind {
        match self {
            Self::User(_) => ObjectKind::User,
            Self::Group(_) => ObjectKind::Group,
            Self::Device(_) => ObjectKind::Device,
            Self::ServicePrincipal(_) => ObjectKind::ServicePrincipal,
            Self::AppRoleAssignment(_) => ObjectKind::AppRoleAssignment,
        }
    }

    /// Whether it is a group that says it hides its members.
    pub(super) fn hides_members(&self) -> bool {
        match self {
            Self::Group(group) => group.visibility.as_deref() == Some(HIDDEN_MEMBERSHIP),
            _ => false,
        }
    }

    /// Whether nothing beside the id has a value.
    pub(super) fn is_bare(&self) -> bool {
        match self {
            Self::User(object) => object.is_bare(),
            Self::Group(object) => object.is_bare(),
            Self::Device(object) => object.is_bare(),
            Self::ServicePrincipal(object) => object.is_bare(),
            Self::AppRoleAssignment(object) => object.is_bare(),
        }
    }

    pub(super) fn is_limited(&self) -> bool {
        match self {
            Self::User(object) => object.is_limited(),
            Self::Group(object) => object.is_limited(),
            Self::Device(object) => object.is_limited(),
            Self::ServicePrincipal(object) => object.is_limited(),
            Self::AppRoleAssignment(_) => false,
        }
    }

    /// The object as JSON, without its kind.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] for a value that JSON cannot hold.
    pub fn to_json(&self) -> Result<serde_json::Value, Error> {
        match self {
            Self::User(object) => serde_json::to_value(object),
            Self::Group(object) => serde_json::to_value(object),
            Self::Device(object) => serde_json::to_value(object),
            Self::ServicePrincipal(object) => serde_json::to_value(object),
            Self::AppRoleAssignment(object) => serde_json::to_value(object),
        }
        .map_err(|source| Error::decode("the object cannot be written", source))
    }
}

impl RemovalReason {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Restorable => "restorable",
            Self::Deleted => "deleted",
            Self::Missing => "missing",
            Self::OutOfScope => "scope",
        }
    }

    pub(super) fn of_code(code: &str) -> Option<Self> {
        [
            Self::Restorable,
            Self::Deleted,
            Self::Missing,
            Self::OutOfScope,
        ]
        .into_iter()
        .find(|reason| reason.code() == code)
    }
}

impl From<&RemovedReason> for RemovalReason {
    fn from(reason: &RemovedReason) -> Self {
        match reason {
            RemovedReason::Deleted => Self::Deleted,
            // Another reason than the two documented ones does not say that the object is gone for good.
            RemovedReason::Restorable | RemovedReason::Other(_) => Self::Restorable,
        }
    }
}

/// The visibility of groups whose members only `Member.Read.Hidden` shows.
pub(super) const HIDDEN_MEMBERSHIP: &str = "HiddenMembership";
