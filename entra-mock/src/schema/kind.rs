//! The kinds of objects that the tenant holds.

use super::{
    EntityType, application::APPLICATION, assignment::ASSIGNMENT, audit::AUDIT, device::DEVICE,
    grant::GRANT, group::GROUP, organization::ORGANIZATION, service_principal::SERVICE_PRINCIPAL,
    sign_in::SIGN_IN, sku::SKU, user::USER,
};

/// What sort of object a record is: a name for its [`EntityType`].
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

    /// Everything about objects of this kind.
    pub(crate) const fn entity(self) -> &'static EntityType {
        match self {
            Self::User => &USER,
            Self::Group => &GROUP,
            Self::Application => &APPLICATION,
            Self::ServicePrincipal => &SERVICE_PRINCIPAL,
            Self::Device => &DEVICE,
            Self::AppRoleAssignment => &ASSIGNMENT,
            Self::OAuth2PermissionGrant => &GRANT,
            Self::Organization => &ORGANIZATION,
            Self::SubscribedSku => &SKU,
            Self::SignIn => &SIGN_IN,
            Self::DirectoryAudit => &AUDIT,
        }
    }

    /// The kind listed at `users`, `auditLogs/signIns` and so on.
    pub(crate) fn of_set(set: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.entity().set.eq_ignore_ascii_case(set))
    }

    /// Whether it has a list of its own, rather than only those of other objects.
    pub(crate) fn is_listed(self) -> bool {
        let entity = self.entity();
        entity
            .operations
            .iter()
            .any(|operation| operation.method == "GET" && operation.path[1..] == *entity.set)
    }

    /// The directory object type of that name, for casts.
    pub(crate) fn of_type(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.entity().object && kind.entity().name.eq_ignore_ascii_case(name))
    }

    /// The property, besides `id`, that identifies one object of this kind.
    pub(crate) fn alternate_key(self) -> Option<&'static str> {
        self.entity().key
    }

    /// The property the two logs are kept in order of.
    pub(crate) fn log_time(self) -> Option<&'static str> {
        self.entity().log_time
    }
}
