//! The read models: what Graph sends, one file per entity. They know requests no more than a struct does.

#[cfg(feature = "administrative-units")]
mod administrative_unit;
#[cfg(feature = "app-management-policies")]
mod app_management_policy;
mod app_role_assignment;
mod application;
#[cfg(feature = "application-templates")]
mod application_template;
#[cfg(feature = "authentication-methods")]
mod authentication_methods;
#[cfg(feature = "conditional-access")]
mod conditional_access;
#[cfg(feature = "contacts")]
mod contact;
#[cfg(feature = "custom-security-attributes")]
mod custom_security_attributes;
mod delegated_permission_classification;
mod device;
mod directory_audit;
mod directory_object;
#[cfg(feature = "role-management")]
mod directory_role;
#[cfg(feature = "domains")]
mod domain;
mod extension_property;
mod federated_identity_credential;
mod group;
#[cfg(feature = "identity-protection")]
mod identity_protection;
#[cfg(feature = "invitations")]
mod invitation;
mod license_details;
mod oauth2_permission_grant;
mod organization;
mod profile_photo;
mod provisioning;
#[cfg(feature = "role-management")]
mod role_assignment;
#[cfg(feature = "role-management")]
mod role_definition;
#[cfg(any(feature = "administrative-units", feature = "role-management"))]
mod scoped_role_membership;
mod service_principal;
mod sign_in;
mod subscribed_sku;
#[cfg(feature = "notifications")]
mod subscription;
#[cfg(feature = "synchronization")]
mod synchronization;
#[cfg(test)]
mod tests;
pub mod types;
mod user;

/// Models of beta, which Microsoft changes without notice.
pub mod beta {
    pub use super::{federated_identity_credential::beta::*, sign_in::beta::*};
}

#[cfg(feature = "administrative-units")]
pub use administrative_unit::AdministrativeUnit;
#[cfg(feature = "app-management-policies")]
pub use app_management_policy::{AppManagementPolicy, TenantAppManagementPolicy};
pub use app_role_assignment::AppRoleAssignment;
pub use application::Application;
#[cfg(feature = "application-templates")]
pub use application_template::{ApplicationServicePrincipal, ApplicationTemplate};
#[cfg(feature = "authentication-methods")]
pub use authentication_methods::{AuthenticationMethod, UserRegistrationDetails};
#[cfg(feature = "conditional-access")]
pub use conditional_access::{ConditionalAccessPolicy, NamedLocation};
#[cfg(feature = "contacts")]
pub use contact::OrgContact;
#[cfg(feature = "custom-security-attributes")]
pub use custom_security_attributes::{
    AllowedValue, AttributeSet, CustomSecurityAttributeDefinition,
};
pub use delegated_permission_classification::DelegatedPermissionClassification;
pub use device::Device;
pub use directory_audit::DirectoryAudit;
pub use directory_object::{DirectoryEntity, DirectoryObject, OtherObject};
#[cfg(feature = "role-management")]
pub use directory_role::{DirectoryRole, DirectoryRoleTemplate};
#[cfg(feature = "domains")]
pub use domain::{Domain, DomainDnsRecord, InternalDomainFederation};
pub use extension_property::ExtensionProperty;
pub use federated_identity_credential::FederatedIdentityCredential;
pub use group::Group;
#[cfg(feature = "identity-protection")]
pub use identity_protection::{RiskDetection, RiskyUser, RiskyUserHistoryItem};
#[cfg(feature = "invitations")]
pub use invitation::Invitation;
pub use license_details::LicenseDetails;
pub use oauth2_permission_grant::OAuth2PermissionGrant;
pub use organization::Organization;
pub use profile_photo::ProfilePhoto;
pub use provisioning::ProvisioningObjectSummary;
#[cfg(feature = "role-management")]
pub use role_assignment::UnifiedRoleAssignment;
#[cfg(feature = "role-management")]
pub use role_definition::UnifiedRoleDefinition;
#[cfg(any(feature = "administrative-units", feature = "role-management"))]
pub use scoped_role_membership::ScopedRoleMembership;
pub use service_principal::ServicePrincipal;
pub use sign_in::SignIn;
pub use subscribed_sku::SubscribedSku;
#[cfg(feature = "notifications")]
pub use subscription::Subscription;
#[cfg(feature = "synchronization")]
pub use synchronization::{SynchronizationJob, SynchronizationSchema, SynchronizationTemplate};
pub use user::User;
