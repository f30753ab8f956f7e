//! The crate over HTTP: against scripted responses, random servers and the fake tenant.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod accounts;
mod addresses;
#[cfg(feature = "administrative-units")]
mod administrative_units;
mod app_access;
#[cfg(feature = "app-management-policies")]
mod app_management_policies;
#[cfg(feature = "application-templates")]
mod application_templates;
mod applications;
mod apps;
mod audit_logs;
#[cfg(feature = "authentication-methods")]
mod authentication_methods;
mod batch_outcomes;
mod batches;
mod both_sides;
#[cfg(feature = "conditional-access")]
mod conditional_access;
#[cfg(feature = "contacts")]
mod contacts;
mod created_objects;
mod creation_times;
#[cfg(feature = "custom-security-attributes")]
mod custom_security_attributes;
mod deltas;
mod devices;
mod directory_objects;
mod documented;
#[cfg(feature = "domains")]
mod domains;
mod errors;
mod errors_in_successes;
#[cfg(all(
    feature = "administrative-units",
    feature = "app-management-policies",
    feature = "application-templates",
    feature = "conditional-access",
    feature = "contacts",
    feature = "custom-security-attributes",
    feature = "domains",
    feature = "identity-protection",
    feature = "notifications",
    feature = "role-management",
    feature = "synchronization"
))]
mod every_area;
mod examples;
mod field_reports;
mod filters;
mod flexible_credentials;
mod groups;
#[cfg(feature = "identity-protection")]
mod identity_protection;
#[cfg(feature = "invitations")]
mod invitations;
mod lifecycle;
mod lost_responses;
mod many;
mod memberships;
#[cfg(feature = "notifications")]
mod notifications;
mod paging;
mod queries;
mod quota_bound;
mod quotas;
mod raw;
#[cfg(feature = "registration")]
mod registration;
#[cfg(feature = "role-management")]
mod role_management;
mod scripts;
mod service_principals;
mod settled;
mod support;
#[cfg(feature = "sync")]
mod sync;
#[cfg(feature = "synchronization")]
mod synchronization;
mod tenant;
mod users;
mod writes;
