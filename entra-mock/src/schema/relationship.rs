//! The relationships that are served.

use super::Kind;

/// One navigation property of one type.
#[derive(Debug, PartialEq)]
pub(crate) struct Relationship {
    pub(crate) of: Kind,
    pub(crate) name: &'static str,
    pub(crate) many: bool,
    /// Whether items are of several types and so carry `@odata.type`.
    pub(crate) polymorphic: bool,
    /// The types an item may have.
    pub(crate) kinds: &'static [Kind],
    pub(crate) source: Source,
    /// Whether `$ref` adds and removes items.
    pub(crate) referenceable: bool,
    /// The property and value of objects whose items a rule decides, so that no request writes them.
    pub(crate) decided_by: Option<(&'static str, &'static str)>,
}

/// Where a relationship's items come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Source {
    /// What the object links to.
    Out(Relation),
    /// What links to the object.
    In(Relation),
    /// Members of members, each once.
    Down,
    /// Groups of groups, each once, and what else has the object itself as a member.
    Up,
    AssignmentsOf,
    AssignmentsTo,
    /// Delegated grants in which the object stands under this property.
    Grants(&'static str),
}

/// A link from one object to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Relation {
    /// Group or administrative unit to member.
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

impl Relation {
    pub(crate) const ALL: [Self; 5] = [
        Self::Members,
        Self::Owners,
        Self::Manager,
        Self::RegisteredOwners,
        Self::RegisteredUsers,
    ];
}

impl Relationship {
    /// Whether `$filter`, `$orderby` and `$search` on it are advanced queries.
    pub(crate) fn needs_advanced(&self) -> bool {
        RELATIONS_ARE_ADVANCED
            && !matches!(
                self.source,
                Source::AssignmentsOf | Source::AssignmentsTo | Source::Grants(_)
            )
    }

    /// The path of its operations.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.of.entity().object_path(), self.name)
    }

    /// The link that `$ref` writes.
    pub(crate) fn written(&self) -> Option<Relation> {
        match self.source {
            Source::Out(relation) if self.referenceable => Some(relation),
            _ => None,
        }
    }

    /// With items that a rule decides on objects where `property` has (or contains) this value.
    pub(super) const fn decided_by(mut self, property: &'static str, value: &'static str) -> Self {
        self.decided_by = Some((property, value));
        self
    }

    pub(super) const fn by_reference(mut self) -> Self {
        self.referenceable = true;
        self
    }
}

pub(super) const fn one(
    of: Kind,
    name: &'static str,
    kinds: &'static [Kind],
    source: Source,
) -> Relationship {
    Relationship {
        many: false,
        ..many(of, name, kinds, source)
    }
}

pub(super) const fn many(
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
        referenceable: false,
        decided_by: None,
    }
}

pub(super) const fn own(
    of: Kind,
    name: &'static str,
    kinds: &'static [Kind],
    source: Source,
) -> Relationship {
    Relationship {
        polymorphic: false,
        ..many(of, name, kinds, source)
    }
}

pub(super) const PEOPLE: &[Kind] = &[Kind::User];
pub(super) const CONTAINERS: &[Kind] = &[Kind::Group, Kind::AdministrativeUnit];
pub(super) const MEMBERS: &[Kind] = &[
    Kind::User,
    Kind::Group,
    Kind::Device,
    Kind::ServicePrincipal,
];
pub(super) const OWNERS: &[Kind] = &[Kind::User, Kind::ServicePrincipal];
pub(super) const OWNED: &[Kind] = &[Kind::Group, Kind::Application, Kind::ServicePrincipal];
pub(super) const DEVICES: &[Kind] = &[Kind::Device];
pub(super) const ASSIGNMENTS: &[Kind] = &[Kind::AppRoleAssignment];
pub(super) const GRANTS: &[Kind] = &[Kind::OAuth2PermissionGrant];

/// Relationships between directory objects take filters and casts with the advanced pair only.
const RELATIONS_ARE_ADVANCED: bool = true;
