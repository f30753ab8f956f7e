//! `appManagementPolicy` and the tenant's default one: properties and operations.

use super::{operation::*, relationship::*, *};

pub(super) const APP_MANAGEMENT_POLICY: EntityType = EntityType {
    name: "appManagementPolicy",
    set: "policies/appManagementPolicies",
    control_path: None,
    directory: false,
    open: false,
    object: false,
    id: IdForm::Guid,
    key: None,
    unique: &[],
    log_time: None,
    premium: Premium::No,
    list_options: &["$select", "$top"],
    object_options: &["$expand", "$select"],
    pages: DIRECTORY_PAGES,
    visibility: Visibility::with(READ_POLICIES),
    deletion: Deletion::Hard,
    behavior: Behavior::AppManagementPolicy,
    creators: Creators::Administrators,
    principal: None,
    application: None,
    activities: ACTIVITIES,
    properties: &[
        text("id").shown(),
        date("deletedDateTime"),
        text("description").shown().required(),
        text("displayName").shown().required(),
        boolean("isEnabled").shown().writable(),
        complex("restrictions").shown().writable(),
    ],
    rules: &[],
    order: &[],
    search: &[],
    navigation: &["appliesTo"],
    relationships: &[many(
        Kind::AppManagementPolicy,
        "appliesTo",
        &[Kind::Application, Kind::ServicePrincipal],
        Source::In(Relation::AppManagementPolicies),
    )],
    operations: &[
        both("GET", "/policies/appManagementPolicies", READ_POLICIES),
        both("GET", "/policies/appManagementPolicies/{id}", READ_POLICIES),
        both("POST", "/policies/appManagementPolicies", WRITE_POLICIES),
        both(
            "PATCH",
            "/policies/appManagementPolicies/{id}",
            WRITE_POLICIES,
        ),
        both(
            "DELETE",
            "/policies/appManagementPolicies/{id}",
            WRITE_POLICIES,
        ),
        both(
            "GET",
            "/policies/appManagementPolicies/{id}/appliesTo",
            READ_POLICIES,
        )
        .together_with(&[&["Application.Read.All"]]),
    ],
};

pub(super) const TENANT_APP_MANAGEMENT_POLICY: EntityType = EntityType {
    name: "tenantAppManagementPolicy",
    set: "policies/defaultAppManagementPolicy",
    control_path: None,
    directory: false,
    open: false,
    object: false,
    id: IdForm::Single,
    key: None,
    unique: &[],
    log_time: None,
    premium: Premium::No,
    list_options: &[],
    object_options: SELECT_ONLY,
    pages: None,
    visibility: Visibility::with(READ_POLICIES),
    deletion: Deletion::Hard,
    behavior: Behavior::AppManagementPolicy,
    creators: Creators::Administrators,
    principal: None,
    application: None,
    activities: ACTIVITIES,
    properties: &[
        text("id").shown(),
        date("deletedDateTime"),
        complex("applicationRestrictions").shown().writable(),
        text("description").shown().writable(),
        text("displayName").shown().writable(),
        boolean("isEnabled").shown().writable(),
        complex("servicePrincipalRestrictions").shown().writable(),
    ],
    rules: &[],
    order: &[],
    search: &[],
    navigation: &[],
    relationships: &[],
    operations: &[
        both("GET", "/policies/defaultAppManagementPolicy", READ_POLICIES),
        both(
            "PATCH",
            "/policies/defaultAppManagementPolicy",
            WRITE_POLICIES,
        ),
    ],
};

pub(super) const READ_POLICIES: &[&str] = &[
    "Policy.Read.All",
    "Policy.ReadWrite.ApplicationConfiguration",
];
/// Permission that writes the policies. To assign one, `Application.Read.All` is needed in addition.
pub(super) const WRITE_POLICIES: &[&str] = &["Policy.ReadWrite.ApplicationConfiguration"];

const ACTIVITIES: Activities = Activities {
    add: "Add policy",
    update: "Update policy",
    delete: "Delete policy",
    purge: "Delete policy",
    ..Activities::of("Policy")
};
