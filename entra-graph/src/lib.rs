// `.ci/outside.py` compiles and runs the programs of the README as printed.
#![cfg_attr(not(doctest), doc = include_str!("../README.md"))]
//!
//! # Where to start
//!
//! | for | start at |
//! |---|---|
//! | users | [`GraphClient::users`], [`GraphClient::user`], [`GraphClient::me`], [`NewUser`], [`User`] |
//! | groups | [`GraphClient::groups`], [`GraphClient::group`], [`NewGroup`], [`Group`] |
//! | memberships | [`check_member_groups`](query::Object::check_member_groups), [`get_member_groups`](query::Object::get_member_groups) |
//! | deleted objects | [`GraphClient::deleted_users`], [`GraphClient::deleted_user`], [`GraphClient::deleted_groups`], [`GraphClient::deleted_group`] |
//! | applications | [`GraphClient::applications`], [`GraphClient::application`], [`GraphClient::deleted_application`], [`NewApplication`], [`Application`] |
//! | credentials of an application | [`NewPassword`], [`NewCertificate`], [`NewFederatedIdentityCredential`] |
//! | devices | [`GraphClient::devices`], [`GraphClient::device`], [`NewDevice`], [`Device`] |
//! | service principals | [`GraphClient::service_principals`], [`GraphClient::service_principal`], [`GraphClient::deleted_service_principals`], [`NewServicePrincipal`], [`ServicePrincipal`] |
//! | app role assignments, consent | [`NewAppRoleAssignment`], [`GraphClient::oauth2_permission_grants`], [`NewOAuth2PermissionGrant`] |
//! | objects of any type | [`GraphClient::directory_object`], [`GraphClient::directory_objects_by_ids`], [`DirectoryObject`] |
//! | the tenant | [`GraphClient::organization`], [`GraphClient::subscribed_skus`] |
//! | logs | [`GraphClient::audit_logs`], [`SignIn`], [`beta::SignIn`], [`DirectoryAudit`], [`ProvisioningObjectSummary`] |
#![cfg_attr(
    feature = "administrative-units",
    doc = "| administrative units | [`GraphClient::administrative_units`], [`GraphClient::administrative_unit`], [`NewAdministrativeUnit`] |"
)]
#![cfg_attr(
    feature = "app-management-policies",
    doc = "| app management policies | [`GraphClient::default_app_management_policy`], [`GraphClient::app_management_policies`], [`NewAppManagementPolicy`] |"
)]
#![cfg_attr(
    feature = "application-templates",
    doc = "| the application gallery | [`GraphClient::application_templates`], [`GraphClient::application_template`] |"
)]
#![cfg_attr(
    feature = "authentication-methods",
    doc = "| authentication methods | [`authentication_methods`](query::Object::authentication_methods), [`GraphClient::registration_details`] |"
)]
#![cfg_attr(
    feature = "conditional-access",
    doc = "| conditional access | [`GraphClient::conditional_access_policies`], [`GraphClient::named_locations`], [`ConditionalAccessPolicy`], [`NamedLocation`] |"
)]
#![cfg_attr(
    feature = "contacts",
    doc = "| organizational contacts | [`GraphClient::contacts`], [`GraphClient::contact`], [`OrgContact`] |"
)]
#![cfg_attr(
    feature = "connection",
    doc = "| what is wrong with a connection | [`connection::ConnectionTest`] |"
)]
#![cfg_attr(
    feature = "custom-security-attributes",
    doc = "| custom security attributes | [`GraphClient::attribute_sets`], [`GraphClient::custom_security_attribute_definitions`], [`types::CustomSecurityAttributes`], [`User::custom_security_attribute`] |"
)]
#![cfg_attr(
    feature = "domains",
    doc = "| domains | [`GraphClient::domains`], [`GraphClient::domain`], [`NewDomain`], [`NewInternalDomainFederation`] |"
)]
#![cfg_attr(
    feature = "identity-protection",
    doc = "| risk | [`GraphClient::identity_protection`], [`RiskyUser`], [`RiskDetection`] |"
)]
#![cfg_attr(
    feature = "invitations",
    doc = "| guests | [`GraphClient::invite`], [`NewInvitation`], [`Invitation`] |"
)]
#![cfg_attr(
    feature = "registration",
    doc = "| app registrations as code | [`registration`], [`AppRegistration`](registration::AppRegistration) |"
)]
#![cfg_attr(
    feature = "role-management",
    doc = "| directory roles | [`GraphClient::role_assignments`], [`GraphClient::role_definitions`], [`GraphClient::directory_roles`], [`NewUnifiedRoleAssignment`] |"
)]
#![cfg_attr(
    feature = "sync",
    doc = "| a local copy of the directory | [`sync`], [`sync::DirectorySync`] |"
)]
#![cfg_attr(
    feature = "synchronization",
    doc = "| provisioning | [`synchronization_jobs`](query::Object::synchronization_jobs), [`NewSynchronizationJob`] |"
)]
#![cfg_attr(
    feature = "tenant-relationships",
    doc = "| other tenants | [`GraphClient::tenant_information`], [`GraphClient::tenant_information_by_domain`] |"
)]
//! | what can be done at a place | [`query::Collection`], [`query::Object`], [`places`] |
//! | filters, sorting, search | [`Property`], [`Filter`], [`query`] |
//! | changes since last time | [`Delta`], [`DeltaState`] |
//! | reads after a write | [`Settled`], [`Request::send_after_write`], [`Error::is_lag`] |
//! | quotas | [`Governor`], [`GraphClientBuilder::governor`], [`Operation::resource_units`] |
//! | many lists at once | [`GraphClient::read_lists`], [`List::expand_all`](query::List::expand_all) |
//! | many requests at once | [`GraphClient::batch`], [`Batch`] |
//! | any other path | [`GraphClient::raw`], [`Raw`] |
//! | every operation with its permissions | [`operations`], [`Operation`] |
//! | errors | [`Error`], [`ErrorKind`] |
#![cfg_attr(docsrs, feature(doc_cfg))]

// The floors, from the ground up; imports lead down only, which a rule in CI checks:
//   governor                    what requests cost, and when they may be sent
//   key, operation, error       keys, operations as data, errors
//   lag                         errors that are only replication lag
//   odata, model, objects       query options, how JSON is read and written, the read models
//   client                      the send path
//   request, batch              requests as values, many in few
//   stream, verbs               lists as streams, builders of requests
//   settled                     reads until replicas agree on a write
//   place                       places, their verbs, and the handles
//   delta, many, raw            change feeds, many lists in few requests, requests without types
//   areas                       the tables of users, groups and the other areas
//   registration                app registrations as code
//   connection                  the connection test
//   sync                        a local copy of the directory

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
#[cfg(feature = "custom-security-attributes")]
pub use objects::{AllowedValue, AttributeSet, CustomSecurityAttributeDefinition};
#[cfg(feature = "app-management-policies")]
pub use objects::{AppManagementPolicy, TenantAppManagementPolicy};
pub use objects::{
    AppRoleAssignment, Application, Device, DirectoryAudit, DirectoryObject, ExtensionProperty,
    FederatedIdentityCredential, Group, LicenseDetails, OAuth2PermissionGrant, Organization,
    ProvisioningObjectSummary, ServicePrincipal, SignIn, SubscribedSku, User, beta, types,
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
            Access, CreateOnly, Described, Literal, OnCreate, OnUpdate, Order, ReadOnly, Search,
            Selection, SettableIn, UpdateOnly, Writable,
        },
        place::{Added, Collection, Object},
        verbs::{Count, Create, Created, Get, List, LogEntry, New, Update, Upsert},
    };
    #[doc(hidden)]
    pub use crate::{
        model::{PageBody, SecretBuffer},
        odata::EntityInfo,
        verbs::{NewBody, Ticks},
    };
}

/// The places of Graph's tree, and what can be done at each: a [`Collection`](query::Collection) or an
/// [`Object`](query::Object) is typed by one.
pub mod places {
    #[cfg(feature = "administrative-units")]
    pub use crate::areas::administrative_units::{
        AdministrativeUnitMembers, AdministrativeUnits, DeletedAdministrativeUnit,
        DeletedAdministrativeUnits, OneAdministrativeUnit, OneScopedRoleMember, ScopedRoleMembers,
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
        AuthenticationMethods, OneAuthenticationMethod, OneRegistrationDetails, RegistrationDetails,
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
    #[cfg(feature = "synchronization")]
    pub use crate::areas::synchronization::{
        OneSynchronizationJob, OneSynchronizationTemplate, SynchronizationJobSchema,
        SynchronizationJobs, SynchronizationTemplateSchema, SynchronizationTemplates,
    };
    pub use crate::{
        areas::{
            app_role_assignments::AssignmentPlace,
            applications::{
                ApplicationExtensions, ApplicationFederatedCredentials, ApplicationOwners,
                Applications, BetaFederatedCredentials, DeletedApplication, DeletedApplications,
                KeyPlace, OneApplication, OneBetaFederatedCredential, OneExtension,
                OneFederatedCredential,
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
            membership::MemberPlace,
            oauth2_permission_grants::{OAuth2PermissionGrants, OneOAuth2PermissionGrant},
            organization::{OneOrganization, Organizations},
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
                UserAppRoleAssignments, UserCreatedObjects, UserLicenseDetails, UserMemberOf,
                UserOAuth2PermissionGrants, UserPlace, UserTransitiveMemberOf, Users,
            },
        },
        place::{
            CreateAt, DeleteAt, DeltaAt, Place, PurgeAt, ReferenceAt, ReferencesAt, RestoreAt,
            Single, UpdateAt, UpsertAt,
        },
    };
}
