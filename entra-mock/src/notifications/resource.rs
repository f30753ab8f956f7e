//! The resources that can be subscribed to.

use crate::{
    schema::Relation,
    store::{Change, Event, Kind},
};

/// A resource that can be subscribed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SubscribedResource {
    pub(crate) collection: Collection,
    /// The id or user principal name of one object.
    pub(crate) key: Option<String>,
    /// The links of one group.
    pub(crate) links: Option<Relation>,
}

/// The collection of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Collection {
    Users,
    Groups,
    /// The resource `synthetic/users`, which Graph does not have.
    Synthetic,
}

/// Why a path is not a resource that can be subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotSubscribable {
    /// Graph does not support it.
    Invalid,
    /// Graph supports it, but the fake tenant does not.
    Unsupported,
    /// It is below `me`, which an application-only token does not have.
    NoUser,
}

impl SubscribedResource {
    /// Parses the property `resource`. `user` is the signed-in user.
    pub(crate) fn parse(
        text: &str,
        user: Option<&str>,
        synthetic: bool,
    ) -> Result<Self, NotSubscribable> {
        let path = text.strip_prefix('/').unwrap_or(text);
        let segments: Vec<&str> = path.split('/').collect();
        if path.contains(['?', '#']) || segments.contains(&"") {
            return Err(NotSubscribable::Invalid);
        }
        let lower = path.to_ascii_lowercase();
        let words: Vec<&str> = lower.split('/').collect();
        let whole = |collection| Self {
            collection,
            key: None,
            links: None,
        };
        let one = |collection, key: &str, links| Self {
            collection,
            key: Some(key.to_owned()),
            links,
        };
        match words[..] {
            ["users"] => Ok(whole(Collection::Users)),
            ["groups"] => Ok(whole(Collection::Groups)),
            ["users", _] => Ok(one(Collection::Users, segments[1], None)),
            ["groups", _] => Ok(one(Collection::Groups, segments[1], None)),
            ["groups", _, "members"] => Ok(one(
                Collection::Groups,
                segments[1],
                Some(Relation::Members),
            )),
            ["groups", _, "owners"] => {
                Ok(one(Collection::Groups, segments[1], Some(Relation::Owners)))
            }
            ["me"] => user.map_or(Err(NotSubscribable::NoUser), |user| {
                Ok(one(Collection::Users, user, None))
            }),
            ["synthetic", "users"] if synthetic => Ok(whole(Collection::Synthetic)),
            ["me", ..] if user.is_none() => Err(NotSubscribable::NoUser),
            ["users" | "groups" | "me", ..] => Err(NotSubscribable::Unsupported),
            [first, ..] if OF_OTHER_SERVICES.contains(&first) => Err(NotSubscribable::Unsupported),
            _ => Err(NotSubscribable::Invalid),
        }
    }

    /// The path of the resource.
    pub(crate) fn path(&self) -> String {
        let set = match self.collection {
            Collection::Users => "users",
            Collection::Groups => "groups",
            Collection::Synthetic => "synthetic/users",
        };
        let key = self.key.iter().map(|key| format!("/{key}"));
        let links = self.links.map(|relation| match relation {
            Relation::Owners => "/owners".to_owned(),
            _ => "/members".to_owned(),
        });
        key.chain(links)
            .fold(set.to_owned(), |path, next| path + &next)
    }

    /// The kind of the objects whose changes it notifies of.
    pub(crate) const fn kind(&self) -> Kind {
        match self.collection {
            Collection::Users | Collection::Synthetic => Kind::User,
            Collection::Groups => Kind::Group,
        }
    }

    /// The permission that reads the resource. Permissions to write do not replace it (page "Create
    /// subscription").
    pub(crate) const fn permission(&self) -> &'static str {
        match self.collection {
            Collection::Users | Collection::Synthetic => "User.Read.All",
            Collection::Groups => "Group.Read.All",
        }
    }

    /// The longest lifetime in minutes.
    pub(crate) const fn most_minutes(&self) -> i64 {
        match self.collection {
            Collection::Users | Collection::Groups => 41_760,
            // The lifetime of Teams resources.
            Collection::Synthetic => 4_320,
        }
    }

    /// Whether notifications can hold the content of the changed object, and whether there are lifecycle events
    /// other than `reauthorizationRequired`.
    pub(crate) const fn is_rich(&self) -> bool {
        matches!(self.collection, Collection::Synthetic)
    }

    /// The change type of a change of this resource, or `None` if it is not one or `wanted` lacks its type.
    ///
    /// Users and groups have no `created`: creation, soft deletion and restore are updates, and only a permanent
    /// deletion is `deleted`. A subscription to `created` is notified of creations.
    pub(crate) fn change_type(&self, change: &Change, wanted: &[String]) -> Option<&'static str> {
        let kind = self.kind();
        let other = |key: &String| !key.eq_ignore_ascii_case(&change.id);
        if change.kind != kind || self.key.as_ref().is_some_and(other) {
            return None;
        }
        let wants = |name: &str| wanted.iter().any(|wanted| wanted == name);
        let updated = |also_created: bool| {
            (wants("updated") || also_created && wants("created")).then_some("updated")
        };
        if let Some(relation) = self.links {
            let linked = matches!(
                &change.what,
                Event::Linked(other, ..) | Event::Unlinked(other, ..) if *other == relation
            );
            return updated(false).filter(|_| linked);
        }
        match &change.what {
            Event::Created if self.is_rich() => wants("created").then_some("created"),
            Event::Created => updated(true),
            // Internal properties are not part of the resource.
            Event::Updated(values) if values.iter().all(|(name, _)| name.starts_with('~')) => None,
            Event::Updated(_) | Event::Deleted | Event::Restored => updated(false),
            Event::Purged => wants("deleted").then_some("deleted"),
            Event::Linked(relation, ..) | Event::Unlinked(relation, ..) => {
                updated(false).filter(|_| {
                    kind == Kind::Group && matches!(relation, Relation::Members | Relation::Owners)
                })
            }
        }
    }
}

/// The first segments of resources that Graph notifies of and the fake tenant does not have (page "Set up
/// notifications for changes in resource data").
const OF_OTHER_SERVICES: [&str; 11] = [
    "appcatalogs",
    "chats",
    "communications",
    "copilot",
    "drive",
    "drives",
    "print",
    "security",
    "sites",
    "teams",
    "teamwork",
];

#[cfg(test)]
mod tests {
    use entra_core::Timestamp;

    use super::*;

    fn parse(text: &str) -> Result<SubscribedResource, NotSubscribable> {
        SubscribedResource::parse(text, None, false)
    }

    #[test]
    fn directory_resources_are_parsed_with_and_without_a_leading_slash_in_any_letters() {
        for text in ["users", "/users", "Users", "/USERS"] {
            let resource = parse(text).unwrap();
            assert_eq!(
                (resource.collection, resource.key),
                (Collection::Users, None)
            );
        }
        let members = parse("groups/A-1/Members").unwrap();
        assert_eq!(members.key.as_deref(), Some("A-1"));
        assert_eq!(members.links, Some(Relation::Members));
        let owners = parse("/groups/a/owners").unwrap();
        assert_eq!(owners.links, Some(Relation::Owners));
        let me = SubscribedResource::parse("me", Some("u"), false).unwrap();
        assert_eq!(me.key.as_deref(), Some("u"));
    }

    #[test]
    fn other_resources_are_invalid_or_unsupported() {
        for text in [
            "",
            "/",
            "nothing",
            "users/",
            "groups//members",
            "users?$select=id",
            "synthetic/users",
        ] {
            assert_eq!(parse(text), Err(NotSubscribable::Invalid), "{text}");
        }
        for text in [
            "users/a/messages",
            "/groups/a/conversations",
            "/chats/getAllMessages",
            "teams",
        ] {
            assert_eq!(parse(text), Err(NotSubscribable::Unsupported), "{text}");
        }
        for text in ["me", "me/messages"] {
            assert_eq!(parse(text), Err(NotSubscribable::NoUser), "{text}");
        }
        let synthetic = SubscribedResource::parse("/synthetic/users", None, true);
        assert!(synthetic.unwrap().is_rich());
    }

    fn change(kind: Kind, what: Event) -> Change {
        Change {
            sequence: 0,
            at: Timestamp::UNIX_EPOCH,
            by: None,
            kind,
            id: "a".into(),
            what,
        }
    }

    fn types(resource: &str, wanted: &str, change: &Change) -> Option<&'static str> {
        let wanted: Vec<String> = wanted.split(',').map(str::to_owned).collect();
        let resource = SubscribedResource::parse(resource, None, true).unwrap();
        resource.change_type(change, &wanted)
    }

    #[test]
    fn users_have_updates_and_permanent_deletions_only() {
        let all = "created,updated,deleted";
        for (what, expected) in [
            (Event::Created, "updated"),
            (Event::Updated(vec![("mail", None)]), "updated"),
            (Event::Deleted, "updated"),
            (Event::Restored, "updated"),
            (Event::Purged, "deleted"),
        ] {
            let change = change(Kind::User, what);
            assert_eq!(types("users", all, &change), Some(expected), "{change:?}");
            assert_eq!(types("users/A", all, &change), Some(expected));
            assert_eq!(types("users/b", all, &change), None);
            assert_eq!(types("groups", all, &change), None);
        }
        let internal = change(Kind::User, Event::Updated(vec![("~password", None)]));
        assert_eq!(types("users", all, &internal), None);
    }

    #[test]
    fn only_the_subscribed_change_types_are_sent() {
        let (created, deleted) = (Event::Created, Event::Deleted);
        let (created, deleted) = (change(Kind::User, created), change(Kind::User, deleted));
        let purged = change(Kind::User, Event::Purged);
        assert_eq!(types("users", "created", &created), Some("updated"));
        assert_eq!(types("users", "created", &deleted), None);
        assert_eq!(types("users", "deleted", &deleted), None);
        assert_eq!(types("users", "updated", &purged), None);
        assert_eq!(
            types("synthetic/users", "created", &created),
            Some("created")
        );
        assert_eq!(types("synthetic/users", "updated", &created), None);
    }

    #[test]
    fn changes_of_members_and_owners_are_updates_of_their_group() {
        let linked =
            |relation| change(Kind::Group, Event::Linked(relation, Kind::User, "u".into()));
        let members = linked(Relation::Members);
        for resource in ["groups", "groups/a", "groups/a/members"] {
            assert_eq!(
                types(resource, "updated", &members),
                Some("updated"),
                "{resource}"
            );
        }
        assert_eq!(types("groups/a/owners", "updated", &members), None);
        let owners = linked(Relation::Owners);
        assert_eq!(
            types("groups/a/owners", "updated", &owners),
            Some("updated")
        );
        assert_eq!(types("groups/a/members", "updated", &owners), None);
        let renamed = change(Kind::Group, Event::Updated(vec![("displayName", None)]));
        assert_eq!(types("groups/a/members", "updated", &renamed), None);
        let manager = change(
            Kind::User,
            Event::Linked(Relation::Manager, Kind::User, "u".into()),
        );
        assert_eq!(types("users", "updated", &manager), None);
    }
}
