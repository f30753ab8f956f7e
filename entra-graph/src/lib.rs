// `.ci/outside.py` compiles and runs the programs of the README as printed.
// What a program that only reads one list never calls is `#[inline]`, so that only programs that use it
// generate its code; for models see `model`.
#![cfg_attr(not(doctest), doc = include_str!("../README.md"))]
//!
//! # Areas and calls
//!
//! | area | calls | types |
//! |---|---|---|
//! | users | [`graph.users()`](GraphClient::users): list, count, create, delta; [`graph.user(id)`](GraphClient::user): get, update, delete, `reset_password`, `assign_licenses`, `remove_licenses`, `change_licenses`, `reprocess_license_assignment`, `revoke_sign_in_sessions`, `photo`, `photo_of_size`, `photo_metadata`, `photos`, `set_photo`, `delete_photo` | [`User`], [`NewUser`], [`ProfilePhoto`] |
//! | around a user | `.manager()`: get, set, remove; `.sponsors()`: list, add, remove; `.direct_reports()`, `.transitive_reports_count()`, `.sponsor_of()`, `.member_of()`, `.transitive_member_of()`, `.owned_objects()`, `.created_objects()`, `.owned_devices()`, `.registered_devices()`, `.app_role_assignments()` |  |
//! | the signed-in user | [`graph.me()`](GraphClient::me): as a user, and `change_password` |  |
//! | licences of a user | `.license_details()`: list | [`LicenseDetails`] |
//! | memberships | `.check_member_groups(ids)`, `.get_member_groups(..)`, `.check_member_objects(ids)`, `.get_member_objects(..)` of a user, of `me()`, of a group and of any object |  |
//! | groups | [`graph.groups()`](GraphClient::groups): list, count, create, delta; [`graph.group(id)`](GraphClient::group): get, update, upsert, delete, `assign_licenses`, `remove_licenses`, `change_licenses`, `renew`, `validate_names`, `photo`, `photo_of_size`, `photo_metadata`, `photos`, `set_photo`, `delete_photo` | [`Group`], [`NewGroup`] |
//! | around a group | `.members()`, `.owners()`: list, add, remove, `add_all`; `.transitive_members()`, `.member_of()`, `.transitive_member_of()`, `.app_role_assignments()` |  |
//! | deleted objects | [`graph.deleted_users()`](GraphClient::deleted_users), [`graph.deleted_groups()`](GraphClient::deleted_groups): list; [`graph.deleted_user(id)`](GraphClient::deleted_user), [`graph.deleted_group(id)`](GraphClient::deleted_group): get, restore, purge; `restore_with` of a user; [`graph.deleted_groups_of_owner(user)`](GraphClient::deleted_groups_of_owner), [`graph.deleted_applications_of_owner(user)`](GraphClient::deleted_applications_of_owner) |  |
//! | objects of any type | [`graph.directory_object(id)`](GraphClient::directory_object): get, delete; [`graph.directory_objects_by_ids(ids)`](GraphClient::directory_objects_by_ids): any number of ids; [`graph.validate_group_names(..)`](GraphClient::validate_group_names); [`graph.available_extension_properties(..)`](GraphClient::available_extension_properties) | [`DirectoryObject`] |
#![cfg_attr(
    feature = "invitations",
    doc = "| guests | [`graph.invite(NewInvitation::new(..))`](GraphClient::invite) (feature `invitations`) | [`Invitation`], [`NewInvitation`] |"
)]
#![cfg_attr(
    feature = "administrative-units",
    doc = "| administrative units | [`graph.administrative_units()`](GraphClient::administrative_units): list, count, create, delta; [`graph.administrative_unit(id)`](GraphClient::administrative_unit): get, update, delete, `.members()`, `.member(id)`, `.scoped_role_members()`, `.scoped_role_member(id)`; `.scoped_role_member_of()` of a user; [`graph.deleted_administrative_units()`](GraphClient::deleted_administrative_units), [`graph.deleted_administrative_unit(id)`](GraphClient::deleted_administrative_unit): get, restore (feature `administrative-units`) | [`AdministrativeUnit`], [`NewAdministrativeUnit`] |"
)]
#![cfg_attr(
    feature = "role-management",
    doc = "| directory roles | [`graph.role_assignments()`](GraphClient::role_assignments), [`graph.role_definitions()`](GraphClient::role_definitions): list, create; [`graph.transitive_role_assignments()`](GraphClient::transitive_role_assignments) (beta): list; [`graph.role_assignment(id)`](GraphClient::role_assignment): get, delete; [`graph.role_definition(id)`](GraphClient::role_definition): get, update, delete; [`graph.directory_roles()`](GraphClient::directory_roles): list, create, delta; [`graph.directory_role(id)`](GraphClient::directory_role): get, `.members()`, `.scoped_members()`; [`graph.directory_role_templates()`](GraphClient::directory_role_templates): list; [`graph.directory_role_template(id)`](GraphClient::directory_role_template): get (feature `role-management`) | [`UnifiedRoleAssignment`], [`NewUnifiedRoleAssignment`] |"
)]
//! | applications | [`graph.applications()`](GraphClient::applications): list, count, create, delta; [`graph.application(id)`](GraphClient::application): get, update, upsert, delete, `add_password`, `add_key`, `upload_first_certificate`, `add_signing_key`, `add_app_roles`, `remove_app_role`, `add_permission_scopes`, `remove_permission_scope`, `set_logo`, `set_verified_publisher`, `unset_verified_publisher` | [`Application`], [`NewApplication`], [`NewPassword`], [`NewCertificate`] |
//! | around an application | `.owners()`: list, add, remove; `.federated_identity_credentials()`: list, create; `.federated_identity_credential(id)`: get, update, upsert by name, delete; `.beta_federated_identity_credentials()`, `.beta_federated_identity_credential(id)`: those with expressions; `.extension_properties()`: list, create; `.extension_property(id)`: get, delete; [`graph.deleted_applications()`](GraphClient::deleted_applications), [`graph.deleted_application(id)`](GraphClient::deleted_application): list, get, restore, purge | [`NewFederatedIdentityCredential`], [`NewExtensionProperty`] |
//! | service principals | [`graph.service_principals()`](GraphClient::service_principals): list, count, create, delta; [`graph.service_principal(id)`](GraphClient::service_principal): get, update, `create_or_update` by client id, delete, `add_password`, `remove_password`, `add_key`, `remove_key`, `add_signing_key`, `add_token_signing_certificate`, `.owners()`, `.owned_objects()`, `.created_objects()`, memberships, `.delegated_permission_classifications()`: list, create; `delete_delegated_permission_classification`; [`graph.deleted_service_principals()`](GraphClient::deleted_service_principals), [`graph.deleted_service_principal(id)`](GraphClient::deleted_service_principal): get, restore, purge | [`ServicePrincipal`], [`NewServicePrincipal`], [`NewDelegatedPermissionClassification`] |
#![cfg_attr(
    feature = "app-management-policies",
    doc = "| app management policies | [`graph.default_app_management_policy()`](GraphClient::default_app_management_policy): get, update; [`graph.app_management_policies()`](GraphClient::app_management_policies): list, create; [`graph.app_management_policy(id)`](GraphClient::app_management_policy): get, update, delete, `.applies_to()`; `assign_app_management_policy` and `unassign_app_management_policy` of an application or service principal (feature `app-management-policies`) | [`NewAppManagementPolicy`] |"
)]
#![cfg_attr(
    feature = "application-templates",
    doc = "| the application gallery | [`graph.application_templates()`](GraphClient::application_templates): list; [`graph.application_template(id)`](GraphClient::application_template): get, `instantiate` (feature `application-templates`) | [`ApplicationTemplate`] |"
)]
#![cfg_attr(
    feature = "synchronization",
    doc = "| provisioning | `.synchronization_jobs()` of a service principal: list, create; `.synchronization_job(id)`: get, update, delete, `start`, `pause`, `restart`, `provision_on_demand`, `validate_credentials`, `.schema()`, `set_schema`; `.synchronization_templates()`, also of an application: list; `.synchronization_template(id)`: get, `.schema()`, `set_schema`; `set_synchronization_secrets`, `acquire_synchronization_access_token` (feature `synchronization`) | [`NewSynchronizationJob`] |"
)]
//! | app role assignments | `.app_role_assignments()` of a user, group or service principal, `.app_role_assigned_to()` of a service principal: list, create, delete | [`NewAppRoleAssignment`] |
//! | delegated permission grants | [`graph.oauth2_permission_grants()`](GraphClient::oauth2_permission_grants): list, create, delta; [`graph.oauth2_permission_grant(id)`](GraphClient::oauth2_permission_grant): get, update, `set_scopes`, delete; `.oauth2_permission_grants()` of a user or service principal: list | [`NewOAuth2PermissionGrant`] |
//! | devices | [`graph.devices()`](GraphClient::devices): list, count, create, delta; [`graph.device(id)`](GraphClient::device): get, update, delete, memberships, `.registered_owners()`, `.registered_users()`: list, add, remove | [`Device`], [`NewDevice`] |
#![cfg_attr(
    feature = "conditional-access",
    doc = "| conditional access | [`graph.conditional_access_policies()`](GraphClient::conditional_access_policies), [`graph.named_locations()`](GraphClient::named_locations): list; [`graph.conditional_access_policy(id)`](GraphClient::conditional_access_policy), [`graph.named_location(id)`](GraphClient::named_location): get (feature `conditional-access`) | [`ConditionalAccessPolicy`], [`NamedLocation`] |"
)]
#![cfg_attr(
    feature = "contacts",
    doc = "| organizational contacts | [`graph.contacts()`](GraphClient::contacts): list, count, delta; [`graph.contact(id)`](GraphClient::contact): get, `.manager()`, `.direct_reports()`, `.member_of()`, `.transitive_member_of()`, memberships (feature `contacts`) | [`OrgContact`] |"
)]
#![cfg_attr(
    feature = "custom-security-attributes",
    doc = "| custom security attributes | [`graph.attribute_sets()`](GraphClient::attribute_sets), [`graph.custom_security_attribute_definitions()`](GraphClient::custom_security_attribute_definitions): list, create; [`graph.attribute_set(name)`](GraphClient::attribute_set), [`graph.custom_security_attribute_definition(id)`](GraphClient::custom_security_attribute_definition): get, update, `.allowed_values()`, `.allowed_value(id)`; `custom_security_attribute` of `User` and `ServicePrincipal` (feature `custom-security-attributes`) | [`types::CustomSecurityAttributes`] |"
)]
#![cfg_attr(
    feature = "domains",
    doc = "| domains | [`graph.domains()`](GraphClient::domains): list, create; [`graph.domain(name)`](GraphClient::domain): get, update, delete, `force_delete`, `promote`, `verify`, `.root_domain()`, `.verification_dns_records()`, `.service_configuration_records()`, `.domain_name_references()`: list; `.federation_configurations()`: list, create; `.federation_configuration(id)`: get, update, delete (feature `domains`) | [`Domain`], [`NewDomain`], [`NewInternalDomainFederation`] |"
)]
//! | the tenant | [`graph.organization()`](GraphClient::organization): list; [`graph.organization_by_id(id)`](GraphClient::organization_by_id): get, update; [`graph.subscribed_skus()`](GraphClient::subscribed_skus): list; [`graph.subscribed_sku(id)`](GraphClient::subscribed_sku): get | [`Organization`], [`SubscribedSku`] |
#![cfg_attr(
    feature = "tenant-relationships",
    doc = "| other tenants | [`graph.tenant_information(id)`](GraphClient::tenant_information), [`graph.tenant_information_by_domain(name)`](GraphClient::tenant_information_by_domain) (feature `tenant-relationships`) |  |"
)]
//! | logs | [`graph.audit_logs()`](GraphClient::audit_logs): `.sign_ins()`, `.beta_sign_ins()` with service principals and managed identities, `.directory_audits()`, `.provisioning()`: list; `.sign_in(id)`, `.beta_sign_in(id)`, `.directory_audit(id)`: get; `.partitioned(..)` splits a list by time | [`SignIn`], [`beta::SignIn`], [`DirectoryAudit`], [`ProvisioningObjectSummary`] |
#![cfg_attr(
    feature = "identity-protection",
    doc = "| risk | [`graph.identity_protection()`](GraphClient::identity_protection): `.risky_users()`, `.risk_detections()`: list; `.risky_user(id)`, `.risk_detection(id)`: get; `dismiss`, `confirm_compromised`, `confirm_safe`, `dismiss_sign_ins`, `confirm_sign_ins_compromised`, `confirm_sign_ins_safe`; `.history()` of a risky user: list; `.history_item(id)`: get (feature `identity-protection`) | [`RiskyUser`], [`RiskDetection`] |"
)]
#![cfg_attr(
    feature = "authentication-methods",
    doc = "| authentication methods | `.authentication_methods()`, `.authentication_method(id)` of a user and of `me()`, of one type `.phone_methods()`, `.phone_method(id)` and so on; [`graph.registration_details()`](GraphClient::registration_details), [`graph.registration_details_of(user)`](GraphClient::registration_details_of): list, get; [`graph.users_registered_by_method(..)`](GraphClient::users_registered_by_method), [`graph.users_registered_by_feature(..)`](GraphClient::users_registered_by_feature) (feature `authentication-methods`) | [`AuthenticationMethod`] |"
)]
#![cfg_attr(
    feature = "registration",
    doc = "| app registrations as code | [`registration::AppRegistration`]: blueprint in Rust, YAML or JSON, `plan`, `apply`, `verify`, `rotate`, `export`, `destroy`, `guide`; [`registration::expiring`], [`registration::audit`], [`registration::PermissionAdvice`], [`registration::TokenPermissions`] (feature `registration`) |  |"
)]
#![cfg_attr(
    feature = "sync",
    doc = "| a local copy of the directory | [`sync::DirectorySync`]: users, groups with direct and transitive members, devices, service principals and app role assignments, kept up to date in a store of your own, with a guard against mass removals (feature `sync`) | [`sync`] |"
)]
#![cfg_attr(
    feature = "notifications",
    doc = "| change notifications | [`graph.subscribe(NewSubscription::new(..))`](GraphClient::subscribe), [`graph.subscriptions()`](GraphClient::subscriptions): list; [`graph.subscription(id)`](GraphClient::subscription): get, `renew`, `renew_with_certificate`, `reauthorize`, update, delete; [`notifications::Receiver`] validates and decrypts, [`notifications::Supervisor`] keeps subscriptions alive, [`notifications::Wakes`] says when to look for changes (feature `notifications`; `axum` for a route) | [`Subscription`], [`NewSubscription`] |"
)]
//! | after a write | `.settled()` of a create, update, get or list: waits until several reads in a row agree; [`Request::send_after_write`], [`Error::is_lag`] | [`Settled`] |
//! | many lists | [`graph.read_lists(..)`](GraphClient::read_lists): the members of many groups, 20 in one request; `.expand_all(..)` completes what `$expand` cuts at 20; `.partitioned_by_creation(n)` splits users, groups and devices into parts to be read at once |  |
#![cfg_attr(
    feature = "connection",
    doc = "| a connection | [`connection::ConnectionTest`]: what is wrong with it and how to fix it (feature `connection`) |  |"
)]
//! | many at once | [`graph.batch()`](GraphClient::batch): any requests, split at 20, each retried by its own `Retry-After` | [`Batch`] |
//! | anything else | [`graph.raw(method, path)`](GraphClient::raw): any path, version and body, as bytes, JSON, types or pages | [`Raw`] |
//! | filters, sorting, search | the builders of lists | [`Property`], [`Filter`], [`query`] |
//! | changes since last time | `.delta()` of a collection | [`Delta`], [`DeltaState`] |
//! | what can be done at a place | a wrong call does not compile | [`query::Collection`], [`query::Object`], [`places`] |
//! | quotas | [`GraphClientBuilder::governor`], [`Operation::resource_units`] | [`Governor`] |
//! | permissions of every operation | [`operations`] | [`Operation`] |
//! | errors | kind, code, ids and the missing permission | [`Error`], [`ErrorKind`] |
#![cfg_attr(docsrs, feature(doc_cfg))]

// The floors, from the ground up; imports lead down only, which a rule in CI checks:
//   governor                    what requests cost, and when they may be sent
//   typed_id                    ids as a user has typed them
//   key, operation, error       keys, operations as data, errors
//   lag                         errors that are only replication lag
//   odata, model, objects       query options, how JSON is read and written, the read models
//   client                      the send path
//   request, batch              requests as values, many in few
//   stream, verbs               lists as streams, builders of requests
//   settled                     reads until replicas agree on a write
//   place                       places, their verbs, and the handles
//   delta, many                 change feeds, many lists in few requests
//   areas                       the tables of users, groups and the other areas
//   raw                         requests without types
//   registration                app registrations as code
//   connection                  the connection test
//   sync                        a local copy of the directory
//   notifications               subscriptions, their receiver, and when to look for changes

mod areas;
mod batch;
mod client;
#[cfg(feature = "connection")]
pub mod connection;
mod delta;
mod error;
mod governor;
mod key;
mod lag;
mod many;
mod model;
#[cfg(feature = "notifications")]
pub mod notifications;
mod objects;
mod odata;
mod operation;
mod place;
mod raw;
#[cfg(feature = "registration")]
pub mod registration;
mod request;
mod settled;
mod stream;
#[cfg(feature = "sync")]
pub mod sync;
#[cfg(any(feature = "connection", feature = "registration"))]
mod typed_id;
mod verbs;

pub use entra_core;

#[cfg(feature = "administrative-units")]
pub use areas::administrative_units::{NewAdministrativeUnit, NewScopedRoleMembership};
#[cfg(feature = "app-management-policies")]
pub use areas::app_management_policies::NewAppManagementPolicy;
#[cfg(feature = "custom-security-attributes")]
pub use areas::custom_security_attributes::{
    NewAllowedValue, NewAttributeSet, NewCustomSecurityAttributeDefinition,
};
#[cfg(feature = "domains")]
pub use areas::domains::{NewDomain, NewInternalDomainFederation};
#[cfg(feature = "invitations")]
pub use areas::invitations::NewInvitation;
#[cfg(feature = "role-management")]
pub use areas::role_management::{
    NewDirectoryRole, NewUnifiedRoleAssignment, NewUnifiedRoleDefinition,
};
#[cfg(feature = "notifications")]
pub use areas::subscriptions::NewSubscription;
#[cfg(feature = "synchronization")]
pub use areas::synchronization::NewSynchronizationJob;
pub use areas::{
    app_role_assignments::NewAppRoleAssignment,
    applications::{
        CertificateId, NewApplication, NewCertificate, NewExtensionProperty,
        NewFederatedIdentityCredential, NewFlexibleFederatedIdentityCredential, NewPassword,
        NewSecret, NewSigningKey, SecretId,
    },
    deleted_items::RestoreOptions,
    devices::NewDevice,
    directory_objects::GroupNames,
    groups::NewGroup,
    oauth2_permission_grants::NewOAuth2PermissionGrant,
    operations,
    permission_classifications::NewDelegatedPermissionClassification,
    service_principals::NewServicePrincipal,
    users::NewUser,
};
pub use batch::{Batch, BatchEntry, EntryId, Responses};
pub use client::{GraphClient, GraphClientBuilder};
pub use delta::{Change, Changed, Changes, Delta, DeltaState, LinkChange, RemovedReason};
pub use error::{Error, ErrorDetail, ErrorKind, ListProgress};
pub use governor::{Governor, TenantSize};
pub use key::Key;
pub use model::{AdditionalData, Expanded, Json};
#[cfg(feature = "administrative-units")]
pub use objects::AdministrativeUnit;
#[cfg(feature = "invitations")]
pub use objects::Invitation;
#[cfg(feature = "contacts")]
pub use objects::OrgContact;
#[cfg(any(feature = "administrative-units", feature = "role-management"))]
pub use objects::ScopedRoleMembership;
#[cfg(feature = "notifications")]
pub use objects::Subscription;
#[cfg(feature = "custom-security-attributes")]
pub use objects::{AllowedValue, AttributeSet, CustomSecurityAttributeDefinition};
#[cfg(feature = "app-management-policies")]
pub use objects::{AppManagementPolicy, TenantAppManagementPolicy};
pub use objects::{
    AppRoleAssignment, Application, DelegatedPermissionClassification, Device, DirectoryAudit,
    DirectoryObject, ExtensionProperty, FederatedIdentityCredential, Group, LicenseDetails,
    OAuth2PermissionGrant, Organization, ProfilePhoto, ProvisioningObjectSummary, ServicePrincipal,
    SignIn, SubscribedSku, User, beta, types,
};
#[cfg(feature = "application-templates")]
pub use objects::{ApplicationServicePrincipal, ApplicationTemplate};
#[cfg(feature = "authentication-methods")]
pub use objects::{AuthenticationMethod, UserRegistrationDetails};
#[cfg(feature = "conditional-access")]
pub use objects::{ConditionalAccessPolicy, NamedLocation};
#[cfg(feature = "role-management")]
pub use objects::{
    DirectoryRole, DirectoryRoleTemplate, UnifiedRoleAssignment, UnifiedRoleDefinition,
};
#[cfg(feature = "domains")]
pub use objects::{Domain, DomainDnsRecord, InternalDomainFederation};
#[cfg(feature = "identity-protection")]
pub use objects::{RiskDetection, RiskyUser, RiskyUserHistoryItem};
#[cfg(feature = "synchronization")]
pub use objects::{SynchronizationJob, SynchronizationSchema, SynchronizationTemplate};
pub use odata::{Filter, NavigationProperty, Property};
pub use operation::{Operation, Returns, Version};
pub use place::Reference;
pub use raw::{Raw, RawResponse};
pub use request::{IntoRequest, Request};
pub use settled::Settled;
pub use stream::{Items, Page, Pages, ResumeToken};

/// What requests are made of: handles, request builders and their options.
pub mod query {
    #[cfg(feature = "identity-protection")]
    pub use crate::areas::identity_protection::IdentityProtection;
    pub use crate::{
        areas::{
            applications::ProvenRequest, audit_logs::AuditLogs, directory_objects::GetByIds,
            membership::MemberCheck,
        },
        model::{
            BodyValue, Countable, Entity, Expandable, Filterable, Orderable, Row, Searchable,
            Selectable, Settable, Toppable,
        },
        objects::{DirectoryEntity, OtherObject},
        odata::{
            Access, Clearable, CreateOnly, Described, Literal, OnCreate, OnUpdate, Order, ReadOnly,
            Required, Search, Selection, SettableIn, UpdateOnly, UpdateRequired, Writable,
        },
        place::{Added, Collection, Object},
        verbs::{Count, Create, Created, Get, List, LogEntry, New, Update, Upsert},
    };
    #[doc(hidden)]
    pub use crate::{
        model::{PageBody, SecretBuffer},
        odata::EntityInfo,
        verbs::{FoundBy, NewBody, Ticks},
    };
}

/// The places of Graph's tree, and what can be done at each: a [`Collection`](query::Collection) or an
/// [`Object`](query::Object) is typed by one.
pub mod places {
    #[cfg(feature = "administrative-units")]
    pub use crate::areas::administrative_units::{
        AdministrativeUnitMembers, AdministrativeUnits, DeletedAdministrativeUnit,
        DeletedAdministrativeUnits, OneAdministrativeUnit, OneAdministrativeUnitMember,
        OneScopedRoleMember, ScopedRoleMemberOf, ScopedRoleMembers,
    };
    #[cfg(feature = "app-management-policies")]
    pub use crate::areas::app_management_policies::{
        AppManagementPolicies, AppManagementPolicyAppliesTo, DefaultAppManagementPolicy,
        OneAppManagementPolicy,
    };
    #[cfg(feature = "application-templates")]
    pub use crate::areas::application_templates::{ApplicationTemplates, OneApplicationTemplate};
    #[cfg(feature = "authentication-methods")]
    pub use crate::areas::authentication_methods::{
        AuthenticationMethods, OneAuthenticationMethod, OneRegistrationDetails,
        RegistrationDetails,
        by_type::{
            EmailMethods, ExternalMethods, Fido2Methods, MicrosoftAuthenticatorMethods,
            OneEmailMethod, OneExternalMethod, OneFido2Method, OneMicrosoftAuthenticatorMethod,
            OnePasswordMethod, OnePhoneMethod, OnePlatformCredentialMethod, OneSoftwareOathMethod,
            OneTemporaryAccessPassMethod, OneWindowsHelloForBusinessMethod, PasswordMethods,
            PhoneMethods, PlatformCredentialMethods, SoftwareOathMethods,
            TemporaryAccessPassMethods, WindowsHelloForBusinessMethods,
        },
    };
    #[cfg(feature = "conditional-access")]
    pub use crate::areas::conditional_access::{
        ConditionalAccessPolicies, NamedLocations, OneConditionalAccessPolicy, OneNamedLocation,
    };
    #[cfg(feature = "contacts")]
    pub use crate::areas::contacts::{
        OneOrgContact, OrgContactDirectReports, OrgContactManager, OrgContactMemberOf,
        OrgContactTransitiveMemberOf, OrgContacts,
    };
    #[cfg(feature = "custom-security-attributes")]
    pub use crate::areas::custom_security_attributes::{
        AllowedValues, AttributeSets, CustomSecurityAttributeDefinitions, OneAllowedValue,
        OneAttributeSet, OneCustomSecurityAttributeDefinition,
    };
    #[cfg(feature = "domains")]
    pub use crate::areas::domains::{
        DomainNameReferences, DomainServiceRecords, DomainVerificationRecords, Domains,
        FederationConfigurations, OneDomain, OneFederationConfiguration, RootDomain,
    };
    #[cfg(feature = "identity-protection")]
    pub use crate::areas::identity_protection::{
        OneRiskDetection, OneRiskyUser, OneRiskyUserHistoryItem, RiskDetections, RiskyUserHistory,
        RiskyUsers,
    };
    #[cfg(feature = "role-management")]
    pub use crate::areas::role_management::{
        DirectoryRoleMembers, DirectoryRoleScopedMembers, DirectoryRoleTemplates, DirectoryRoles,
        OneDirectoryRole, OneDirectoryRoleTemplate, OneRoleAssignment, OneRoleDefinition,
        RoleAssignments, RoleDefinitions, TransitiveRoleAssignments,
    };
    #[cfg(feature = "notifications")]
    pub use crate::areas::subscriptions::{OneSubscription, Subscriptions};
    #[cfg(feature = "synchronization")]
    pub use crate::areas::synchronization::{
        ApplicationSynchronizationTemplateSchema, ApplicationSynchronizationTemplates,
        OneApplicationSynchronizationTemplate, OneSynchronizationJob, OneSynchronizationTemplate,
        SynchronizationJobSchema, SynchronizationJobs, SynchronizationTemplateSchema,
        SynchronizationTemplates,
    };
    pub use crate::{
        areas::{
            app_role_assignments::AssignmentPlace,
            applications::{
                ApplicationExtensions, ApplicationFederatedCredentials, ApplicationOwners,
                Applications, BetaFederatedCredentials, DeletedApplication, DeletedApplications,
                KeyPlace, OneApplication, OneBetaFederatedCredential, OneExtension,
                OneFederatedCredential, PasswordPlace,
            },
            audit_logs::{
                BetaSignIns, DirectoryAudits, OneBetaSignIn, OneDirectoryAudit, OneSignIn,
                ProvisioningEvents, SignIns,
            },
            deleted_items::{DeletedGroup, DeletedGroups, DeletedUser, DeletedUsers},
            devices::{
                DeviceMemberOf, DeviceOwners, DeviceTransitiveMemberOf, DeviceUsers, Devices,
                OneDevice,
            },
            directory_objects::OneDirectoryObject,
            groups::{
                GroupAppRoleAssignments, GroupMemberOf, GroupMembers, GroupOwners,
                GroupTransitiveMemberOf, GroupTransitiveMembers, Groups, OneGroup,
            },
            licenses::LicensePlace,
            membership::MemberPlace,
            oauth2_permission_grants::{OAuth2PermissionGrants, OneOAuth2PermissionGrant},
            organization::{OneOrganization, Organizations},
            permission_classifications::DelegatedPermissionClassifications,
            photos::PhotoPlace,
            service_principals::{
                AppRoleAssignedTo, DeletedServicePrincipal, DeletedServicePrincipals,
                OneServicePrincipal, ServicePrincipalAppRoleAssignments,
                ServicePrincipalCreatedObjects, ServicePrincipalMemberOf,
                ServicePrincipalOAuth2PermissionGrants, ServicePrincipalOwnedObjects,
                ServicePrincipalOwners, ServicePrincipalTransitiveMemberOf, ServicePrincipals,
            },
            subscribed_skus::{OneSubscribedSku, SubscribedSkus},
            users::{
                DirectReports, Manager, Me, OneUser, OwnedDevices, OwnedObjects, RegisteredDevices,
                SponsorOf, Sponsors, UserAppRoleAssignments, UserCreatedObjects,
                UserLicenseDetails, UserMemberOf, UserOAuth2PermissionGrants, UserPlace,
                UserTransitiveMemberOf, Users,
            },
        },
        place::{
            CreateAt, DeleteAt, DeltaAt, Place, PurgeAt, ReferenceAt, ReferencesAt, RestoreAt,
            Single, UpdateAt, UpsertAt,
        },
    };
}
