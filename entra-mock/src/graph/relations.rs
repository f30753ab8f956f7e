//! The relationships that are served, and where their items come from.

use std::collections::{HashSet, VecDeque};

use crate::store::{Kind, Object, Relation, Store};

/// One navigation property of one type.
#[derive(Debug, PartialEq)]
pub(super) struct Relationship {
    pub(super) of: Kind,
    pub(super) name: &'static str,
    pub(super) many: bool,
    /// Whether items are of several types and so carry `@odata.type`.
    pub(super) polymorphic: bool,
    /// The types an item may have.
    pub(super) kinds: &'static [Kind],
    source: Source,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Source {
    /// What the object links to.
    Out(Relation),
    /// What links to the object.
    In(Relation),
    /// Members of members, each once.
    Down,
    /// Groups of groups, each once.
    Up,
    AssignmentsOf,
    AssignmentsTo,
    /// Delegated grants in which the object stands under this property.
    Grants(&'static str),
}

pub(super) fn find(kind: Kind, name: &str) -> Option<&'static Relationship> {
    RELATIONSHIPS
        .iter()
        .find(|item| item.of == kind && item.name.eq_ignore_ascii_case(name))
}

impl Relationship {
    /// The objects behind the relationship, in a stable order.
    pub(super) fn objects<'a>(
        &self,
        store: &'a Store,
        id: &'a str,
    ) -> Box<dyn Iterator<Item = (Kind, &'a Object)> + 'a> {
        match self.source {
            Source::Out(relation) => Box::new(store.linked_objects(relation, id)),
            Source::In(relation) => Box::new(
                store
                    .linking_objects(relation, id)
                    .filter(|(kind, _)| self.kinds.contains(kind)),
            ),
            Source::Down => Box::new(reachable(id, |id| {
                store.linked_objects(Relation::Members, id)
            })),
            Source::Up => Box::new(reachable(id, |id| {
                store.linking_objects(Relation::Members, id)
            })),
            Source::AssignmentsOf => Box::new(
                store
                    .assignments_of(id)
                    .map(|item| (Kind::AppRoleAssignment, item)),
            ),
            Source::AssignmentsTo => Box::new(
                store
                    .assignments_to(id)
                    .map(|item| (Kind::AppRoleAssignment, item)),
            ),
            Source::Grants(property) => Box::new(
                store
                    .all(Kind::OAuth2PermissionGrant)
                    .filter(move |grant| {
                        grant.get(property).and_then(|value| value.as_str()) == Some(id)
                    })
                    .map(|grant| (Kind::OAuth2PermissionGrant, grant)),
            ),
        }
    }

    /// Whether `$filter`, `$orderby` and `$search` on it are advanced queries.
    pub(super) fn needs_advanced(&self) -> bool {
        RELATIONS_ARE_ADVANCED
            && !matches!(
                self.source,
                Source::AssignmentsOf | Source::AssignmentsTo | Source::Grants(_)
            )
    }

    /// The row of the permission table.
    pub(super) fn permission_path(&self) -> String {
        format!("{}/{}", object_path(self.of), self.name)
    }
}

/// The groups above an object, each once; for security only through groups that are for security
/// themselves, as a chain with another kind of group in it grants nothing.
pub(super) fn groups_above<'a>(
    store: &'a Store,
    id: &'a str,
    security_only: bool,
) -> impl Iterator<Item = &'a Object> {
    reachable(id, move |id| {
        store
            .linking_objects(Relation::Members, id)
            .filter(move |(kind, group)| {
                *kind == Kind::Group
                    && (!security_only
                        || group.get("securityEnabled").and_then(|is| is.as_bool()) == Some(true))
            })
    })
    .map(|(_, group)| group)
}

/// The permission table's path of one object.
pub(super) fn object_path(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "/users/{id}",
        Kind::Group => "/groups/{id}",
        Kind::Application => "/applications/{id}",
        Kind::ServicePrincipal => "/servicePrincipals/{id}",
        Kind::Device => "/devices/{id}",
        Kind::Organization => "/organization/{id}",
        Kind::SubscribedSku => "/subscribedSkus/{id}",
        Kind::SignIn => "/auditLogs/signIns/{id}",
        Kind::DirectoryAudit => "/auditLogs/directoryAudits/{id}",
        Kind::OAuth2PermissionGrant => "/oauth2PermissionGrants/{id}",
        // Only reached through the object it belongs to.
        Kind::AppRoleAssignment => "/appRoleAssignments/{id}",
    }
}

/// Everything that can be reached, breadth first; a cycle ends where it began, and the start is
/// not part of its own result.
fn reachable<'a, I>(
    start: &'a str,
    next: impl Fn(&'a str) -> I,
) -> impl Iterator<Item = (Kind, &'a Object)>
where
    I: Iterator<Item = (Kind, &'a Object)>,
{
    let mut seen = HashSet::from([start]);
    let mut waiting = VecDeque::from([start]);
    let mut found = Vec::new();
    while let Some(id) = waiting.pop_front() {
        for (kind, object) in next(id) {
            let Some(id) = object.get("id").and_then(|id| id.as_str()) else {
                continue;
            };
            if seen.insert(id) {
                found.push((kind, object));
                if kind == Kind::Group {
                    waiting.push_back(id);
                }
            }
        }
    }
    found.into_iter()
}

const fn many(
    of: Kind,
    name: &'static str,
    kinds: &'static [Kind],
    source: Source,
) -> Relationship {
    Relationship {
        of,
        name,
        many: true,
        polymorphic: true,
        kinds,
        source,
    }
}

const fn own(of: Kind, name: &'static str, kinds: &'static [Kind], source: Source) -> Relationship {
    Relationship {
        of,
        name,
        many: true,
        polymorphic: false,
        kinds,
        source,
    }
}

static RELATIONSHIPS: [Relationship; 26] = [
    Relationship {
        of: Kind::User,
        name: "manager",
        many: false,
        polymorphic: true,
        kinds: PEOPLE,
        source: Source::Out(Relation::Manager),
    },
    many(
        Kind::User,
        "directReports",
        PEOPLE,
        Source::In(Relation::Manager),
    ),
    many(
        Kind::User,
        "memberOf",
        CONTAINERS,
        Source::In(Relation::Members),
    ),
    many(Kind::User, "transitiveMemberOf", CONTAINERS, Source::Up),
    many(
        Kind::User,
        "ownedObjects",
        OWNED,
        Source::In(Relation::Owners),
    ),
    many(
        Kind::User,
        "ownedDevices",
        DEVICES,
        Source::In(Relation::RegisteredOwners),
    ),
    many(
        Kind::User,
        "registeredDevices",
        DEVICES,
        Source::In(Relation::RegisteredUsers),
    ),
    own(
        Kind::User,
        "appRoleAssignments",
        ASSIGNMENTS,
        Source::AssignmentsOf,
    ),
    own(
        Kind::User,
        "oauth2PermissionGrants",
        GRANTS,
        Source::Grants("principalId"),
    ),
    many(
        Kind::Group,
        "members",
        MEMBERS,
        Source::Out(Relation::Members),
    ),
    many(Kind::Group, "transitiveMembers", MEMBERS, Source::Down),
    many(Kind::Group, "owners", OWNERS, Source::Out(Relation::Owners)),
    many(
        Kind::Group,
        "memberOf",
        CONTAINERS,
        Source::In(Relation::Members),
    ),
    many(Kind::Group, "transitiveMemberOf", CONTAINERS, Source::Up),
    own(
        Kind::Group,
        "appRoleAssignments",
        ASSIGNMENTS,
        Source::AssignmentsOf,
    ),
    many(
        Kind::Application,
        "owners",
        OWNERS,
        Source::Out(Relation::Owners),
    ),
    many(
        Kind::ServicePrincipal,
        "owners",
        OWNERS,
        Source::Out(Relation::Owners),
    ),
    many(
        Kind::ServicePrincipal,
        "memberOf",
        CONTAINERS,
        Source::In(Relation::Members),
    ),
    many(
        Kind::ServicePrincipal,
        "transitiveMemberOf",
        CONTAINERS,
        Source::Up,
    ),
    own(
        Kind::ServicePrincipal,
        "appRoleAssignedTo",
        ASSIGNMENTS,
        Source::AssignmentsTo,
    ),
    own(
        Kind::ServicePrincipal,
        "appRoleAssignments",
        ASSIGNMENTS,
        Source::AssignmentsOf,
    ),
    own(
        Kind::ServicePrincipal,
        "oauth2PermissionGrants",
        GRANTS,
        Source::Grants("clientId"),
    ),
    many(
        Kind::Device,
        "registeredOwners",
        PEOPLE,
        Source::Out(Relation::RegisteredOwners),
    ),
    many(
        Kind::Device,
        "registeredUsers",
        PEOPLE,
        Source::Out(Relation::RegisteredUsers),
    ),
    many(
        Kind::Device,
        "memberOf",
        CONTAINERS,
        Source::In(Relation::Members),
    ),
    many(Kind::Device, "transitiveMemberOf", CONTAINERS, Source::Up),
];

const PEOPLE: &[Kind] = &[Kind::User];
const CONTAINERS: &[Kind] = &[Kind::Group];
const MEMBERS: &[Kind] = &[
    Kind::User,
    Kind::Group,
    Kind::Device,
    Kind::ServicePrincipal,
];
const OWNERS: &[Kind] = &[Kind::User, Kind::ServicePrincipal];
const OWNED: &[Kind] = &[Kind::Group, Kind::Application, Kind::ServicePrincipal];
const DEVICES: &[Kind] = &[Kind::Device];
const ASSIGNMENTS: &[Kind] = &[Kind::AppRoleAssignment];
const GRANTS: &[Kind] = &[Kind::OAuth2PermissionGrant];

/// Relationships between directory objects take filters and casts with the advanced pair only.
const RELATIONS_ARE_ADVANCED: bool = true;
