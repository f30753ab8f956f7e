//! The areas of the directory, each with its operations as a table, its places and its handles.

#[cfg(feature = "administrative-units")]
pub(crate) mod administrative_units;
#[cfg(feature = "app-management-policies")]
pub(crate) mod app_management_policies;
pub(crate) mod app_role_assignments;
#[cfg(feature = "application-templates")]
pub(crate) mod application_templates;
pub(crate) mod applications;
pub(crate) mod audit_logs;
#[cfg(feature = "authentication-methods")]
pub(crate) mod authentication_methods;
#[cfg(feature = "conditional-access")]
pub(crate) mod conditional_access;
#[cfg(feature = "contacts")]
pub(crate) mod contacts;
#[cfg(feature = "custom-security-attributes")]
pub(crate) mod custom_security_attributes;
pub(crate) mod deleted_items;
pub(crate) mod devices;
pub(crate) mod directory_objects;
#[cfg(feature = "domains")]
pub(crate) mod domains;
pub(crate) mod groups;
#[cfg(feature = "identity-protection")]
pub(crate) mod identity_protection;
#[cfg(feature = "invitations")]
pub(crate) mod invitations;
pub(crate) mod licenses;
mod lookup;
pub(crate) mod membership;
pub(crate) mod oauth2_permission_grants;
pub(crate) mod organization;
pub(crate) mod permission_classifications;
pub(crate) mod photos;
#[cfg(feature = "role-management")]
pub(crate) mod role_management;
pub(crate) mod service_principals;
pub(crate) mod subscribed_skus;
#[cfg(feature = "notifications")]
pub(crate) mod subscriptions;
#[cfg(feature = "synchronization")]
pub(crate) mod synchronization;
#[cfg(feature = "tenant-relationships")]
pub(crate) mod tenant_relationships;
#[cfg(test)]
mod tests;
pub(crate) mod users;
pub(crate) mod x509;

pub(crate) use lookup::operation_of;

use crate::{
    client::GraphClient,
    error::Error,
    model::Entity,
    operation::Operation,
    request::Request,
    stream::{Items, ResumeToken, read_page},
};

/// Every operation of every area.
const ALL: &[&[&Operation]] = &[
    #[cfg(feature = "administrative-units")]
    administrative_units::OPERATIONS,
    #[cfg(feature = "app-management-policies")]
    app_management_policies::OPERATIONS,
    #[cfg(feature = "application-templates")]
    application_templates::OPERATIONS,
    applications::OPERATIONS,
    audit_logs::OPERATIONS,
    #[cfg(feature = "authentication-methods")]
    authentication_methods::OPERATIONS,
    #[cfg(feature = "authentication-methods")]
    authentication_methods::by_type::OPERATIONS,
    #[cfg(feature = "conditional-access")]
    conditional_access::OPERATIONS,
    #[cfg(feature = "contacts")]
    contacts::OPERATIONS,
    #[cfg(feature = "custom-security-attributes")]
    custom_security_attributes::OPERATIONS,
    deleted_items::OPERATIONS,
    devices::OPERATIONS,
    directory_objects::OPERATIONS,
    #[cfg(feature = "domains")]
    domains::OPERATIONS,
    groups::OPERATIONS,
    #[cfg(feature = "identity-protection")]
    identity_protection::OPERATIONS,
    #[cfg(feature = "invitations")]
    invitations::OPERATIONS,
    oauth2_permission_grants::OPERATIONS,
    organization::OPERATIONS,
    permission_classifications::OPERATIONS,
    #[cfg(feature = "role-management")]
    role_management::OPERATIONS,
    service_principals::OPERATIONS,
    subscribed_skus::OPERATIONS,
    #[cfg(feature = "notifications")]
    subscriptions::OPERATIONS,
    #[cfg(feature = "synchronization")]
    synchronization::OPERATIONS,
    #[cfg(feature = "tenant-relationships")]
    tenant_relationships::OPERATIONS,
    users::OPERATIONS,
];

/// Every operation that this crate knows, with method, path and permissions.
///
/// ```
/// let operation = entra_graph::operations().find(|one| one.name() == "user-delete").unwrap();
/// assert_eq!(operation.path(), "/users/{id}");
/// assert_eq!(operation.application_permissions()[0], "User.DeleteRestore.All");
/// ```
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    ALL.iter().copied().flatten().copied()
}

impl GraphClient {
    /// Resumes a list at a [`ResumeToken`], in this or another process.
    ///
    /// # Errors
    /// [`ErrorKind::Query`](crate::ErrorKind::Query) if the token is for another type of item or
    /// of another version of this crate, [`ErrorKind::Policy`](crate::ErrorKind::Policy) when it
    /// points to another host than this client's.
    pub fn resume<E: Entity>(&self, token: &ResumeToken) -> Result<Items<E>, Error> {
        let operation = operations()
            .find(|operation| operation.name == token.operation())
            .ok_or_else(|| {
                Error::query("the resume token names an operation that this crate does not know; start the list again")
            })?;
        let call = token.call(self, operation, E::INFO.name)?;
        let first = Request::new(self.clone(), Ok(call), read_page);
        Ok(Items::resumed(first, E::INFO.name, token))
    }
}
