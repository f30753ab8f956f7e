//! The supported relationships.

use super::Kind;

/// One navigation property of one type.
#[derive(Debug, PartialEq)]
pub(crate) struct Relationship {
    pub(crate) of: Kind,
    pub(crate) name: &'static str,
    pub(crate) many: bool,
    /// Whether items have several types and so carry `@odata.type`.
    pub(crate) polymorphic: bool,
    /// The types that an item can have.
    pub(crate) kinds: &'static [Kind],
    pub(crate) source: Source,
    /// The property, in addition to `id`, that identifies one item in a path.
    pub(crate) item_key: Option<&'static str>,
    /// Whether `$ref` adds and removes items.
    pub(crate) referenceable: bool,
    /// The property and value of objects whose items follow a rule, so that no request can change them.
    pub(crate) decided_by: Option<(&'static str, &'static str)>,
    pub(crate) context: Context,
}

/// The name of a relationship in `@odata.context`. The examples of the pages differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Context {
    /// Below its object: `users('{id}')/appRoleAssignments`.
    Below,
    /// A collection of its own in lists, and below its object for a new item.
    CollectionOfLists,
    /// A collection of its own.
    Collection,
}

/// The source of a relationship's items.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Source {
    /// The targets of the object's links.
    Out(Relation),
    /// The objects that link to this one.
    In(Relation),
    /// Transitive members, each once.
    Down,
    /// Transitive groups, each once, and other direct containers of the object.
    Up,
    AssignmentsOf,
    AssignmentsTo,
    /// Objects of the relationship's type with the object in this property.
    Children(&'static str),
    /// Delegated grants with the object in this property.
    Grants(&'static str),
    /// The objects whose ids the object has in this property.
    Named(&'static str),
    /// The objects with a name or address in the domain.
    InDomain,
    /// The root domain that a subdomain is in.
    RootDomain,
}

/// The type of a link between two objects in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Relation {
    /// Group, administrative unit or directory role to member.
    Members,
    /// Group, application or service principal to owner.
    Owners,
    /// User to manager; at most one.
    Manager,
    /// Device to owner.
    RegisteredOwners,
    /// Device to user.
    RegisteredUsers,
    /// Application or service principal to its app management policy; at most one.
    AppManagementPolicies,
    /// Group or application to the user or service principal that created it; at most one.
    CreatedOnBehalfOf,
    /// User to sponsor, a user or a group.
    Sponsors,
}

impl Relation {
    pub(crate) const ALL: [Self; 8] = [
        Self::Members,
        Self::Owners,
        Self::Manager,
        Self::RegisteredOwners,
        Self::RegisteredUsers,
        Self::AppManagementPolicies,
        Self::CreatedOnBehalfOf,
        Self::Sponsors,
    ];

    /// The relationship of that name in Graph, ignoring case.
    #[cfg(feature = "server")]
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|relation| relation.name().eq_ignore_ascii_case(name))
    }

    /// The name of the relationship in Graph.
    #[cfg(feature = "server")]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Owners => "owners",
            Self::Manager => "manager",
            Self::RegisteredOwners => "registeredOwners",
            Self::RegisteredUsers => "registeredUsers",
            Self::AppManagementPolicies => "appManagementPolicies",
            Self::CreatedOnBehalfOf => "createdOnBehalfOf",
            Self::Sponsors => "sponsors",
        }
    }
}

impl Relationship {
    /// Whether `$filter`, `$orderby` and `$search` on it need an advanced query.
    pub(crate) fn needs_advanced(&self) -> bool {
        RELATIONS_ARE_ADVANCED
            && !matches!(
                self.source,
                Source::AssignmentsOf
                    | Source::AssignmentsTo
                    | Source::Children(_)
                    | Source::Grants(_)
                    | Source::Named(_)
                    | Source::InDomain
                    | Source::RootDomain
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

    /// Sets that the items follow a rule if `property` equals or contains this value.
    pub(super) const fn decided_by(mut self, property: &'static str, value: &'static str) -> Self {
        self.decided_by = Some((property, value));
        self
    }

    pub(super) const fn in_context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }

    pub(super) const fn keyed_by(mut self, property: &'static str) -> Self {
        self.item_key = Some(property);
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
        item_key: None,
        referenceable: false,
        decided_by: None,
        context: Context::Below,
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

pub(super) const USERS: &[Kind] = &[Kind::User];
pub(super) const CONTAINERS: &[Kind] =
    &[Kind::Group, Kind::AdministrativeUnit, Kind::DirectoryRole];
/// Objects that can have a directory role.
pub(super) const PRINCIPALS: &[Kind] = &[Kind::User, Kind::Group, Kind::ServicePrincipal];
pub(super) const MEMBERS: &[Kind] = &[
    Kind::User,
    Kind::Group,
    Kind::Device,
    Kind::ServicePrincipal,
    Kind::OrgContact,
];
pub(super) const OWNERS: &[Kind] = &[Kind::User, Kind::ServicePrincipal];
pub(super) const SPONSORS: &[Kind] = &[Kind::User, Kind::Group];
pub(super) const OWNED: &[Kind] = &[Kind::Group, Kind::Application, Kind::ServicePrincipal];
pub(super) const CREATED: &[Kind] = &[Kind::Group, Kind::Application];
pub(super) const DEVICES: &[Kind] = &[Kind::Device];
pub(super) const ASSIGNMENTS: &[Kind] = &[Kind::AppRoleAssignment];
pub(super) const APP_MANAGEMENT_POLICIES: &[Kind] = &[Kind::AppManagementPolicy];
pub(super) const GRANTS: &[Kind] = &[Kind::OAuth2PermissionGrant];

/// Relationships between directory objects support filters and casts only in advanced queries.
const RELATIONS_ARE_ADVANCED: bool = true;
