//! What can be subscribed to, and what Graph documents about it.

use std::time::Duration;

use entra_core::{IntoId, ObjectId};

use super::{CREATE, CREATE_FOR_GROUPS, CREATE_FOR_USERS};
use crate::{error::Error, objects::types::LifecycleEventType, operation::Operation};

/// What a subscription is about: a path of Graph, with its longest lifetime and what its notifications can have.
///
/// | resource | longest lifetime | resource data | lifecycle events |
/// |---|---|---|---|
/// | users, groups, members and owners of a group | 41,760 minutes | no | `reauthorizationRequired` |
/// | messages, events and contacts of Outlook | as given | yes | all |
/// | messages of chats and channels | as given | yes | `reauthorizationRequired`, `subscriptionRemoved` |
/// | files, lists, security alerts, printers, tasks, conversations of groups | as given | no | `reauthorizationRequired` |
/// | any other | as given | left to Graph | `reauthorizationRequired` |
///
/// ```
/// use entra_graph::notifications::SubscriptionResource;
/// let users = SubscriptionResource::users();
/// assert_eq!((users.path(), users.maximum_lifetime().as_secs()), ("users", 41_760 * 60));
/// assert!(!users.has_resource_data());
/// ```
///
/// Source: [supported resources](https://learn.microsoft.com/graph/change-notifications-overview) and
/// [subscription lifetime](https://learn.microsoft.com/graph/api/resources/subscription#subscription-lifetime).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionResource {
    path: Result<String, String>,
    family: Family,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Users,
    Groups,
    Other {
        service: Service,
        maximum_lifetime: Duration,
    },
}

/// What Graph documents about the resources of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Outlook,
    ChatMessages,
    /// None of their notifications has resource data.
    WithoutData,
    /// Such as Teams, of which some have it.
    Any,
}

impl SubscriptionResource {
    /// All users. Needs `User.Read.All`.
    #[must_use]
    pub fn users() -> Self {
        Self::of(Family::Users, "users".to_owned())
    }

    /// One user, by object id. Needs `User.Read.All`.
    #[must_use]
    pub fn user(id: impl IntoId<ObjectId>) -> Self {
        Self::below(Family::Users, id, |id| format!("users/{id}"))
    }

    /// All groups. Needs `Group.Read.All`.
    #[must_use]
    pub fn groups() -> Self {
        Self::of(Family::Groups, "groups".to_owned())
    }

    /// One group, by object id. Needs `Group.Read.All`.
    #[must_use]
    pub fn group(id: impl IntoId<ObjectId>) -> Self {
        Self::below(Family::Groups, id, |id| format!("groups/{id}"))
    }

    /// The members of one group, by its object id. Needs `Group.Read.All`.
    #[must_use]
    pub fn group_members(id: impl IntoId<ObjectId>) -> Self {
        Self::below(Family::Groups, id, |id| format!("groups/{id}/members"))
    }

    /// The owners of one group, by its object id. Needs `Group.Read.All`.
    #[must_use]
    pub fn group_owners(id: impl IntoId<ObjectId>) -> Self {
        Self::below(Family::Groups, id, |id| format!("groups/{id}/owners"))
    }

    /// Any other resource, by its path below the version of Graph, with its longest documented lifetime.
    ///
    /// In minutes: security alerts and Teams approvals 43,200; items of a drive and lists 42,300; other directory
    /// resources 41,760; Teams resources 4,320; call records, conversations, Outlook, online meetings, printers and tasks
    /// 4,230; Teams shifts 360; presence 60. A path of users or groups has the limits of these.
    #[must_use]
    pub fn other(path: impl Into<String>, maximum_lifetime: Duration) -> Self {
        let path = path.into();
        if !is_relative(&path) {
            return Self {
                path: Err(format!(
                    "{path:?} cannot be subscribed to: a resource is a path below the version of Graph, such as `users`"
                )),
                family: Family::Other {
                    service: Service::Any,
                    maximum_lifetime,
                },
            };
        }
        Self::of(family(&path, maximum_lifetime), path)
    }

    /// The path; empty if it is invalid, which [`send`](crate::Request::send) then says.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path.as_deref().unwrap_or_default()
    }

    /// The longest documented lifetime of a subscription.
    #[must_use]
    pub const fn maximum_lifetime(&self) -> Duration {
        match self.family {
            Family::Users | Family::Groups => Duration::from_secs(41_760 * 60),
            Family::Other {
                maximum_lifetime, ..
            } => maximum_lifetime,
        }
    }

    /// The lifetime of a subscription that sets none: the longest without a twentieth, at most an hour, so that clocks
    /// may differ.
    #[must_use]
    pub fn default_lifetime(&self) -> Duration {
        let longest = self.maximum_lifetime();
        longest.saturating_sub((longest / 20).min(Duration::from_secs(3600)))
    }

    /// Whether its notifications can contain the changed resource; `true` for a resource of which this crate does not know it.
    #[must_use]
    pub const fn has_resource_data(&self) -> bool {
        match self.family {
            Family::Users | Family::Groups => false,
            Family::Other { service, .. } => !matches!(service, Service::WithoutData),
        }
    }

    /// The lifecycle events that its subscriptions can have, as documented.
    #[must_use]
    pub const fn lifecycle_events(&self) -> &'static [LifecycleEventType] {
        match self.family {
            Family::Users | Family::Groups => EVERY_RESOURCE,
            Family::Other { service, .. } => match service {
                Service::Outlook => OUTLOOK,
                Service::ChatMessages => CHAT_MESSAGES,
                Service::WithoutData | Service::Any => EVERY_RESOURCE,
            },
        }
    }

    /// The permission that lets an application or a signed-in user subscribe, if this crate knows it.
    #[must_use]
    pub fn permission(&self) -> Option<&'static str> {
        self.operation().application.first().copied()
    }

    pub(super) const fn operation(&self) -> &'static Operation {
        match self.family {
            Family::Users => &CREATE_FOR_USERS,
            Family::Groups => &CREATE_FOR_GROUPS,
            Family::Other { .. } => &CREATE,
        }
    }

    /// # Errors
    /// `Query` for an invalid path or id.
    pub(super) fn valid_path(&self) -> Result<&str, Error> {
        self.path
            .as_deref()
            .map_err(|problem| Error::query(problem.clone()))
    }

    const fn of(family: Family, path: String) -> Self {
        Self {
            path: Ok(path),
            family,
        }
    }

    fn below(family: Family, id: impl IntoId<ObjectId>, path: fn(ObjectId) -> String) -> Self {
        Self {
            path: id.into_id().map(path).map_err(|error| error.to_string()),
            family,
        }
    }
}

const EVERY_RESOURCE: &[LifecycleEventType] = &[LifecycleEventType::ReauthorizationRequired];
const CHAT_MESSAGES: &[LifecycleEventType] = &[
    LifecycleEventType::ReauthorizationRequired,
    LifecycleEventType::SubscriptionRemoved,
];
const OUTLOOK: &[LifecycleEventType] = &[
    LifecycleEventType::ReauthorizationRequired,
    LifecycleEventType::SubscriptionRemoved,
    LifecycleEventType::Missed,
];

/// Whether two paths are of the same resource. Graph returns them in other letters, and with or without a slash.
pub(crate) fn is_same_resource(one: &str, other: &str) -> bool {
    one.trim_matches('/')
        .eq_ignore_ascii_case(other.trim_matches('/'))
}

/// What a path is of. What is below a user, such as messages, is of another service than the user.
fn family(path: &str, maximum_lifetime: Duration) -> Family {
    let lower = path.trim_matches('/').to_ascii_lowercase();
    let lower = lower.split('?').next().unwrap_or_default();
    // A key is a segment of its own, however it is written.
    let separate = lower.replace("('", "/").replace("')", "");
    let segments: Vec<&str> = separate.split('/').collect();
    let service = match segments.as_slice() {
        ["users"] | ["users", _] | ["me"] => return Family::Users,
        ["groups"] | ["groups", _] | ["groups", _, "members" | "owners"] => return Family::Groups,
        ["me", below @ ..] | ["users" | "groups", _, below @ ..] => service(below),
        other => service(other),
    };
    Family::Other {
        service,
        maximum_lifetime,
    }
}

/// The service of a path below a user or group, or of a path without either.
fn service(segments: &[&str]) -> Service {
    match segments {
        [
            "messages" | "mailfolders" | "events" | "calendar" | "calendars" | "calendarview"
            | "contacts" | "contactfolders",
            ..,
        ] => Service::Outlook,
        ["chats" | "teams", .., "messages" | "getallmessages"]
        | ["chats" | "teams", .., "messages", _] => Service::ChatMessages,
        [
            "drive" | "drives" | "sites" | "security" | "print" | "todo" | "conversations",
            ..,
        ] => Service::WithoutData,
        _ => Service::Any,
    }
}

fn is_relative(path: &str) -> bool {
    !path.trim_matches('/').trim().is_empty()
        && !path.contains("://")
        && !path.starts_with("//")
        && !path.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "33333333-3333-3333-3333-333333333333";

    #[test]
    fn users_and_groups_have_their_limits_however_they_are_written() {
        let hour = Duration::from_secs(3600);
        for path in [
            "users",
            "/users",
            "Users/",
            "/Users/33",
            "groups/33/members",
            "GROUPS/33/Owners",
            "users?$select=id",
            "me",
            "/Me?$select=id",
        ] {
            let resource = SubscriptionResource::other(path, hour);
            assert!(!resource.has_resource_data(), "{path}");
            assert_eq!(
                resource.maximum_lifetime(),
                Duration::from_secs(41_760 * 60),
                "{path}"
            );
            assert_eq!(
                resource.lifecycle_events(),
                [LifecycleEventType::ReauthorizationRequired],
                "{path}"
            );
        }
    }

    #[test]
    fn other_resources_have_what_is_documented_of_their_service() {
        use LifecycleEventType::{Missed, ReauthorizationRequired, SubscriptionRemoved};
        let all = [ReauthorizationRequired, SubscriptionRemoved, Missed];
        let hour = Duration::from_secs(3600);
        let check = |path: &str, has_data: bool, events: &[LifecycleEventType]| {
            let resource = SubscriptionResource::other(path, hour);
            assert_eq!(resource.has_resource_data(), has_data, "{path}");
            assert_eq!(resource.lifecycle_events(), events, "{path}");
            assert_eq!(resource.maximum_lifetime(), hour, "{path}");
            assert_eq!(resource.permission(), None, "{path}");
        };
        for path in [
            "users/33/messages",
            "users('33')/messages",
            "/me/mailFolders('Inbox')/messages?$select=subject",
            "Users/33/Events",
            "me/contacts",
        ] {
            check(path, true, &all);
        }
        for path in [
            "chats/getAllMessages",
            "users/33/chats/getAllMessages",
            "teams('fbe2')/channels('19:4a95')/messages",
            "chats/19/messages/1565",
        ] {
            check(path, true, &all[..2]);
        }
        for path in [
            "groups/33/conversations",
            "me/drive/root",
            "drives/1/root",
            "sites/1/lists/2",
            "security/alerts",
            "me/todo/lists/1/tasks",
            "print/printers/1/jobs",
        ] {
            check(path, false, &all[..1]);
        }
        for path in ["communications/presences/33", "teams/1/members"] {
            check(path, true, &all[..1]);
        }
    }

    #[test]
    fn each_resource_names_its_path_and_permission() {
        for (resource, path, permission) in [
            (
                SubscriptionResource::users(),
                "users".to_owned(),
                "User.Read.All",
            ),
            (
                SubscriptionResource::user(ID),
                format!("users/{ID}"),
                "User.Read.All",
            ),
            (
                SubscriptionResource::groups(),
                "groups".to_owned(),
                "Group.Read.All",
            ),
            (
                SubscriptionResource::group(ID),
                format!("groups/{ID}"),
                "Group.Read.All",
            ),
            (
                SubscriptionResource::group_members(ID),
                format!("groups/{ID}/members"),
                "Group.Read.All",
            ),
            (
                SubscriptionResource::group_owners(ID),
                format!("groups/{ID}/owners"),
                "Group.Read.All",
            ),
        ] {
            assert_eq!(resource.path(), path);
            assert_eq!(resource.permission(), Some(permission));
        }
    }

    #[test]
    fn a_path_that_is_no_path_is_an_error() {
        let hour = Duration::from_secs(3600);
        for path in [
            "",
            "/",
            " ",
            "https://graph.microsoft.com/v1.0/users",
            "//users",
            "me\n/messages",
        ] {
            let resource = SubscriptionResource::other(path, hour);
            assert!(resource.valid_path().is_err(), "{path:?}");
            assert_eq!(resource.path(), "");
        }
        assert!(SubscriptionResource::user("adele").valid_path().is_err());
    }

    #[test]
    fn the_default_lifetime_leaves_room_for_another_clock() {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        assert_eq!(
            SubscriptionResource::users().default_lifetime(),
            minutes(41_700)
        );
        assert_eq!(
            SubscriptionResource::other("presence", minutes(60)).default_lifetime(),
            minutes(57)
        );
    }

    #[test]
    fn resources_are_compared_without_slashes_and_case() {
        assert!(is_same_resource("Users", "/users/"));
        assert!(!is_same_resource("users", "users/33"));
    }
}
