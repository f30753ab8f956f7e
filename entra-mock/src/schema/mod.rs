//! What Graph v1.0 says about each entity type: properties, queries, relationships, operations and
//! who may do what.
//!
//! The tables are facts from Microsoft's public metadata and documentation in a form of our own
//! (`tables/`); nothing in them is shared with the SDK under test.

mod administrative_unit;
mod application;
mod assignment;
mod audit;
mod device;
mod facts;
mod grant;
mod group;
mod kind;
mod operation;
mod organization;
mod property;
mod relationship;
mod service_principal;
mod sign_in;
mod sku;
mod user;

pub(crate) use facts::{Mismatch, is_required, mismatches};
pub(crate) use operation::{ANY_OBJECT, Operation};
pub(crate) use property::{Mode, Property, Returned, Rule, Type, Writable};
pub(crate) use relationship::{Relation, Relationship, Source};

use kind::kinds;
use property::{boolean, complex, date, guid, int, rule, text};

kinds! {
    User = user::USER;
    Group = group::GROUP;
    Application = application::APPLICATION;
    ServicePrincipal = service_principal::SERVICE_PRINCIPAL;
    Device = device::DEVICE;
    AdministrativeUnit = administrative_unit::ADMINISTRATIVE_UNIT;
    AppRoleAssignment = assignment::ASSIGNMENT;
    OAuth2PermissionGrant = grant::GRANT;
    Organization = organization::ORGANIZATION;
    SubscribedSku = sku::SKU;
    SignIn = sign_in::SIGN_IN;
    DirectoryAudit = audit::AUDIT;
}

/// Everything the fake tenant knows about one entity type.
///
/// A further type is one file with one of these and its line above; nothing else in the crate decides by
/// kind, so that a forgotten decision is a missing field here, which does not compile.
#[derive(Debug)]
pub(crate) struct EntityType {
    /// The type's name without its namespace: `user`.
    pub(crate) name: &'static str,
    /// Where it is listed, as it stands in `@odata.context`: `users`.
    pub(crate) set: &'static str,
    /// Whether the advanced-query rules hold for it.
    pub(crate) directory: bool,
    /// Whether it may carry properties that the type does not declare (directory extensions).
    pub(crate) open: bool,
    /// Whether it derives from `directoryObject`: found by its id alone, and a cast of others.
    pub(crate) object: bool,
    pub(crate) id: IdForm,
    /// The property, besides `id`, that identifies one object.
    pub(crate) key: Option<&'static str>,
    /// Other properties whose values no two objects share.
    pub(crate) unique: &'static [Unique],
    /// The property a log is kept in order of.
    pub(crate) log_time: Option<&'static str>,
    pub(crate) premium: Premium,
    /// The query options a list takes.
    pub(crate) list_options: &'static [&'static str],
    /// The query options one object takes.
    pub(crate) object_options: &'static [&'static str],
    /// Nothing where lists come whole.
    pub(crate) pages: Option<PageSizes>,
    pub(crate) visibility: Visibility,
    pub(crate) deletion: Deletion,
    pub(crate) behavior: Behavior,
    pub(crate) activities: Activities,
    pub(crate) properties: &'static [Property],
    pub(crate) rules: &'static [Rule],
    /// What `$orderby` takes, and in which mode.
    pub(crate) order: &'static [(&'static str, Mode)],
    /// What `$search` splits into words; other properties are searched by their beginning.
    pub(crate) search: &'static [&'static str],
    /// Every relationship the type has, served or not.
    pub(crate) navigation: &'static [&'static str],
    /// Those that are served.
    pub(crate) relationships: &'static [Relationship],
    /// What can be done, and with which permissions.
    pub(crate) operations: &'static [Operation],
}

/// What an id looks like in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdForm {
    Guid,
    /// The alternate key will do as well: a user's sign-in name.
    GuidOrKey,
    /// Any text, in lower case.
    Text,
    /// Any text as it stands.
    CaseSensitive,
}

/// Whether reading needs a premium licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Premium {
    No,
    Always,
    /// Documented in passing only: a filter on the audit log is rejected without P1.
    WhenFiltered,
}

/// Who sees an object that turned up in a list or relationship. Without one of these names a caller
/// sees that it exists, and nothing else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visibility {
    /// Permissions that show all of it.
    pub(crate) full: &'static [&'static str],
    /// Delegated permissions that show all of the signed-in user's own object.
    pub(crate) own: &'static [&'static str],
    /// Permissions that show a basic profile.
    pub(crate) basic: &'static [&'static str],
}

/// Among which objects a value is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unique {
    /// Those of the same type.
    InType(&'static str),
    /// All of the directory.
    InDirectory(&'static str),
}

/// What a DELETE leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// Nothing.
    Hard,
    /// An item that can be restored for 30 days.
    Soft,
    /// The same for Microsoft 365 groups; security groups are gone.
    SoftIfUnified,
}

/// The rules of creates and updates beyond those that the table declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behavior {
    /// None: the declared properties and relationships say everything.
    AsDeclared,
    /// Names, passwords and mail of users.
    User,
    /// Kinds and addresses of groups.
    Group,
}

/// What the directory's audit log calls the changes of one type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Activities {
    pub(crate) category: &'static str,
    pub(crate) add: &'static str,
    pub(crate) update: &'static str,
    pub(crate) delete: &'static str,
    pub(crate) purge: &'static str,
    pub(crate) restore: &'static str,
    pub(crate) add_member: &'static str,
    pub(crate) remove_member: &'static str,
    pub(crate) add_owner: &'static str,
    pub(crate) remove_owner: &'static str,
}

/// How many items a page holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageSizes {
    pub(crate) default: usize,
    pub(crate) most: usize,
}

impl Activities {
    const fn of(category: &'static str) -> Self {
        Self {
            category,
            add: "Add object",
            update: "Update object",
            delete: "Delete object",
            purge: "Hard Delete object",
            restore: "Restore object",
            add_member: "Add member",
            remove_member: "Remove member",
            add_owner: "Add owner",
            remove_owner: "Remove owner",
        }
    }
}

impl Visibility {
    const fn with(full: &'static [&'static str]) -> Self {
        Self {
            full,
            own: &[],
            basic: &[],
        }
    }
}

const ALL_OPTIONS: &[&str] = &[
    "$count", "$expand", "$filter", "$orderby", "$search", "$select", "$top",
];
const CHILD_OPTIONS: &[&str] = &["$count", "$filter", "$select", "$top"];
const OBJECT_OPTIONS: &[&str] = &["$select", "$expand", "$count"];
const SELECT_ONLY: &[&str] = &["$select"];
const DIRECTORY_PAGES: Option<PageSizes> = Some(PageSizes {
    default: 100,
    most: 999,
});
const LOG_PAGES: Option<PageSizes> = Some(PageSizes {
    default: 1_000,
    most: 1_000,
});

impl EntityType {
    /// The path of one object, as operations have it.
    pub(crate) fn object_path(&self) -> String {
        format!("/{}/{{id}}", self.set)
    }

    /// Every unique property, and whether it is unique among objects of all types.
    pub(crate) fn unique(&self) -> impl Iterator<Item = (bool, &'static str)> + use<> {
        let others = self.unique.iter().map(|unique| match *unique {
            Unique::InType(name) => (false, name),
            Unique::InDirectory(name) => (true, name),
        });
        self.key.map(|key| (false, key)).into_iter().chain(others)
    }

    pub(crate) fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties
            .iter()
            .find(|property| property.name.eq_ignore_ascii_case(name))
    }

    /// A relationship that is served.
    pub(crate) fn relationship(&self, name: &str) -> Option<&'static Relationship> {
        self.relationships
            .iter()
            .find(|relationship| relationship.name.eq_ignore_ascii_case(name))
    }

    /// The name of a relationship, served or not, as the schema spells it.
    pub(crate) fn navigation(&self, name: &str) -> Option<&'static str> {
        self.navigation
            .iter()
            .copied()
            .find(|other| other.eq_ignore_ascii_case(name))
    }

    pub(crate) fn rule(&self, path: &str) -> Option<&'static Rule> {
        // The fifteen extension attributes share one row, written with an N.
        let stem = path.trim_end_matches(|last: char| last.is_ascii_digit());
        if stem.to_ascii_lowercase().ends_with("/extensionattribute") {
            let number = path[stem.len()..].parse::<u8>().unwrap_or_default();
            return (1..=15).contains(&number).then(|| {
                self.rules.iter().find(|rule| {
                    rule.path
                        .strip_suffix('N')
                        .is_some_and(|path| path.eq_ignore_ascii_case(stem))
                })
            })?;
        }
        self.rules
            .iter()
            .find(|rule| rule.path.eq_ignore_ascii_case(path))
    }

    /// The type's name as Graph's messages have it.
    pub(crate) fn title(&self) -> String {
        let mut name = self.name.to_owned();
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        name
    }
}

/// The only paths that take `endsWith`, and only in an advanced query.
pub(crate) const ENDS_WITH: [&str; 4] = [
    "mail",
    "otherMails/any",
    "userPrincipalName",
    "proxyAddresses/any",
];

/// Whether a name is that of a directory or schema extension, which any open type may carry:
/// `extension_{appId}_name` or `ext{8 characters}_name`.
pub(crate) fn is_extension(name: &str) -> bool {
    let schema = |rest: &str| {
        rest.split_once('_').is_some_and(|(owner, name)| {
            owner.len() == 8
                && owner.chars().all(|char| char.is_ascii_alphanumeric())
                && !name.is_empty()
        })
    };
    name.starts_with("extension_") || name.strip_prefix("ext").is_some_and(schema)
}

#[cfg(test)]
mod tests;
