//! `servicePrincipal`: properties, `$filter` rules, `$orderby`, `$search`.

use super::{
    Mode::*,
    Type::*,
    app_management_policy::{READ_POLICIES, WRITE_POLICIES},
    application::{
        DELETED, DELETED_FOR_APPLICATIONS, WRITE_FOR_APPLICATIONS, provisioning, write,
        write_directory,
    },
    operation::*,
    relationship::*,
    shared_rules::*,
    *,
};

pub(super) const SERVICE_PRINCIPAL: EntityType = EntityType {
    name: "servicePrincipal",
    set: "servicePrincipals",
    control_path: None,
    directory: true,
    open: true,
    object: true,
    id: IdForm::Guid,
    key: Some("appId"),
    unique: &[],
    log_time: None,
    premium: Premium::No,
    list_options: ALL_OPTIONS,
    object_options: OBJECT_OPTIONS,
    pages: DIRECTORY_PAGES,
    visibility: Visibility::with(READ_APPLICATIONS),
    deletion: Deletion::Soft { restored_with: &[] },
    behavior: Behavior::ServicePrincipal,
    creators: Creators::Members,
    principal: Some(Principal {
        name: "ServicePrincipal",
        member_type: "Application",
        category: "ApplicationManagement",
        add: "Add app role assignment to service principal",
        remove: "Remove app role assignment from service principal",
        role_flag: None,
        checks_security_groups: true,
    }),
    application: Some(ApplicationForm {
        add_credentials: "Add service principal credentials",
        remove_credentials: "Remove service principal credentials",
        restrictions: "servicePrincipalRestrictions",
    }),
    activities: Activities {
        add: "Add service principal",
        update: "Update service principal",
        delete: "Remove service principal",
        purge: "Hard delete service principal",
        restore: "Restore service principal",
        add_owner: "Add owner to service principal",
        remove_owner: "Remove owner from service principal",
        attribute_values: Some("Update attribute values assigned to a servicePrincipal"),
        ..Activities::of("ApplicationManagement")
    },
    properties: &[
        text("id").shown(),
        date("deletedDateTime").shown(),
        boolean("accountEnabled").shown().writable(),
        complex("addIns").many().shown().writable(),
        text("alternativeNames").many().shown().writable(),
        text("appDescription").shown(),
        text("appDisplayName").shown(),
        text("appId").shown().required().at_creation(),
        text("applicationTemplateId").shown(),
        guid("appOwnerOrganizationId").shown(),
        boolean("appRoleAssignmentRequired").shown().writable(),
        complex("appRoles").many().shown().writable(),
        text("createdByAppId"),
        complex("customSecurityAttributes").writable(),
        text("description").shown().writable().up_to(1024),
        text("disabledByMicrosoftStatus").shown(),
        text("displayName").shown().writable().up_to(256),
        text("homepage").shown().writable(),
        complex("info").shown(),
        boolean("isDisabled"),
        complex("keyCredentials").many().shown().writable(),
        text("loginUrl").shown().writable(),
        text("logoutUrl").shown().writable(),
        text("notes").shown().writable().up_to(1024),
        text("notificationEmailAddresses").many().shown().writable(),
        complex("oauth2PermissionScopes").many().shown().writable(),
        complex("passwordCredentials").many().shown(),
        text("preferredSingleSignOnMode")
            .shown()
            .writable()
            .one_of(&["password", "saml", "notSupported", "oidc", "external"]),
        text("preferredTokenSigningKeyThumbprint")
            .shown()
            .writable(),
        text("replyUrls").many().shown().writable(),
        complex("resourceSpecificApplicationPermissions")
            .many()
            .shown(),
        complex("samlSingleSignOnSettings").shown().writable(),
        text("servicePrincipalNames").many().shown().writable(),
        text("servicePrincipalType").shown(),
        text("signInAudience").shown(),
        text("tags").many().shown().writable(),
        guid("tokenEncryptionKeyId").shown().writable(),
        complex("verifiedPublisher").shown(),
    ],
    rules: &[
        rule("accountEnabled", Boolean, Basic, No, No, No),
        rule("alternativeNames/any", Text, Basic, Basic, Advanced, No),
        rule("appId", Text, Basic, Advanced, No, No),
        rule("appOwnerOrganizationId", Guid, Advanced, No, Advanced, No),
        rule("appRoleAssignmentRequired", Boolean, Advanced, No, No, No),
        rule("applicationTemplateId", Text, Basic, Advanced, No, No),
        rule("createdObjects/any/id", Text, Advanced, No, No, No),
        rule("description", Text, Advanced, Advanced, Advanced, No),
        rule("disabledByMicrosoftStatus", Text, Advanced, No, No, No),
        DISPLAY_NAME,
        rule("homepage", Text, Advanced, Advanced, No, Advanced),
        rule("id", Text, Basic, No, No, No),
        rule("info/logoUrl", Text, No, No, No, Advanced),
        rule("info/termsOfServiceUrl", Text, Advanced, No, No, No),
        rule(
            "servicePrincipalNames/any",
            Text,
            Basic,
            Basic,
            Advanced,
            No,
        ),
        rule("tags/any", Text, Basic, Basic, Advanced, No),
    ],
    order: &[("deletedDateTime", Advanced), ("displayName", Advanced)],
    search: &["displayName", "description"],
    navigation: &[
        "appManagementPolicies",
        "appRoleAssignedTo",
        "appRoleAssignments",
        "claimsMappingPolicies",
        "createdObjects",
        "delegatedPermissionClassifications",
        "endpoints",
        "federatedIdentityCredentials",
        "homeRealmDiscoveryPolicies",
        "memberOf",
        "oauth2PermissionGrants",
        "ownedObjects",
        "owners",
        "remoteDesktopSecurityConfiguration",
        "synchronization",
        "tokenIssuancePolicies",
        "tokenLifetimePolicies",
        "transitiveMemberOf",
    ],
    relationships: &[
        own(
            Kind::ServicePrincipal,
            "appManagementPolicies",
            APP_MANAGEMENT_POLICIES,
            Source::Out(Relation::AppManagementPolicies),
        )
        .by_reference(),
        many(
            Kind::ServicePrincipal,
            "owners",
            OWNERS,
            Source::Out(Relation::Owners),
        )
        .by_reference(),
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
        many(
            Kind::ServicePrincipal,
            "createdObjects",
            CREATED,
            Source::In(Relation::CreatedOnBehalfOf),
        ),
        many(
            Kind::ServicePrincipal,
            "ownedObjects",
            OWNED,
            Source::In(Relation::Owners),
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
        )
        .in_context(Context::Collection),
        own(
            Kind::ServicePrincipal,
            "oauth2PermissionGrants",
            GRANTS,
            Source::Grants("clientId"),
        )
        .in_context(Context::CollectionOfLists),
    ],
    operations: &[
        provisioning("GET", "/servicePrincipals/{id}/synchronization/jobs"),
        provisioning("POST", "/servicePrincipals/{id}/synchronization/jobs"),
        provisioning("GET", "/servicePrincipals/{id}/synchronization/jobs/{id}"),
        // The published row of this write is without the permission for owned applications.
        row(
            "PATCH",
            "/servicePrincipals/{id}/synchronization/jobs/{id}",
            &["Synchronization.ReadWrite.All"],
            &["Synchronization.ReadWrite.All"],
        ),
        provisioning(
            "PUT",
            "/servicePrincipals/{id}/synchronization/jobs/{id}/schema",
        ),
        provisioning(
            "DELETE",
            "/servicePrincipals/{id}/synchronization/jobs/{id}",
        ),
        provisioning(
            "POST",
            "/servicePrincipals/{id}/synchronization/jobs/{id}/start",
        ),
        provisioning(
            "POST",
            "/servicePrincipals/{id}/synchronization/jobs/{id}/pause",
        ),
        provisioning(
            "POST",
            "/servicePrincipals/{id}/synchronization/jobs/{id}/restart",
        ),
        provisioning(
            "POST",
            "/servicePrincipals/{id}/synchronization/jobs/{id}/provisionOnDemand",
        ),
        provisioning(
            "POST",
            "/servicePrincipals/{id}/synchronization/jobs/{id}/validateCredentials",
        ),
        provisioning(
            "GET",
            "/servicePrincipals/{id}/synchronization/jobs/{id}/schema",
        ),
        provisioning("PUT", "/servicePrincipals/{id}/synchronization/secrets"),
        provisioning(
            "POST",
            "/servicePrincipals/{id}/synchronization/acquireAccessToken",
        ),
        provisioning("GET", "/servicePrincipals/{id}/synchronization/templates"),
        provisioning(
            "GET",
            "/servicePrincipals/{id}/synchronization/templates/{id}",
        ),
        provisioning(
            "GET",
            "/servicePrincipals/{id}/synchronization/templates/{id}/schema",
        ),
        row(
            "GET",
            "/servicePrincipals/{id}/delegatedPermissionClassifications",
            &["Application.Read.All", "Directory.Read.All"],
            &[
                "Application.Read.All",
                "Application.ReadWrite.OwnedBy",
                "Directory.Read.All",
            ],
        ),
        both(
            "POST",
            "/servicePrincipals/{id}/delegatedPermissionClassifications",
            CLASSIFY,
        ),
        both(
            "DELETE",
            "/servicePrincipals/{id}/delegatedPermissionClassifications/{id}",
            CLASSIFY,
        ),
        write_directory("POST", "/servicePrincipals/{id}/addKey"),
        write_directory("POST", "/servicePrincipals/{id}/removeKey"),
        write_directory("POST", "/servicePrincipals/{id}/addTokenSigningCertificate"),
        applications("GET", "/servicePrincipals/delta"),
        both(
            "GET",
            "/servicePrincipals/{id}/appManagementPolicies",
            READ_POLICIES,
        )
        .together_with(&[&["Application.Read.All"]]),
        both(
            "POST",
            "/servicePrincipals/{id}/appManagementPolicies/$ref",
            WRITE_POLICIES,
        )
        .together_with(&[&["Application.Read.All"]]),
        both(
            "DELETE",
            "/servicePrincipals/{id}/appManagementPolicies/{id}/$ref",
            WRITE_POLICIES,
        )
        .together_with(&[&["Application.Read.All"]]),
        application_list("GET", "/servicePrincipals"),
        write_directory("POST", "/servicePrincipals"),
        applications("GET", "/servicePrincipals/{id}"),
        // Page "Manage custom security attribute assignments" (concepts/custom-security-attributes-examples.md,
        // read 2026-11-29) has the last one.
        row(
            "PATCH",
            "/servicePrincipals/{id}",
            &[
                "Application.ReadWrite.All",
                "Directory.ReadWrite.All",
                "CustomSecAttributeAssignment.ReadWrite.All",
            ],
            &[
                "Application.ReadWrite.OwnedBy",
                "Application.ReadWrite.All",
                "Directory.ReadWrite.All",
                "CustomSecAttributeAssignment.ReadWrite.All",
            ],
        ),
        write_directory("DELETE", "/servicePrincipals/{id}"),
        write_directory("POST", "/servicePrincipals/{id}/addPassword"),
        write_directory("POST", "/servicePrincipals/{id}/removePassword"),
        write("POST", "/servicePrincipals/{id}/owners/$ref"),
        row(
            "DELETE",
            "/servicePrincipals/{id}/owners/{id}/$ref",
            &["Application.ReadWrite.All", "Directory.ReadWrite.All"],
            WRITE_FOR_APPLICATIONS,
        ),
        row(
            "GET",
            "/directory/deletedItems/microsoft.graph.servicePrincipal",
            DELETED,
            DELETED_FOR_APPLICATIONS,
        ),
        row(
            "GET",
            "/directory/deletedItems/{id}",
            DELETED,
            DELETED_FOR_APPLICATIONS,
        ),
        write("POST", "/directory/deletedItems/{id}/restore"),
        write("DELETE", "/directory/deletedItems/{id}"),
        applications("GET", "/servicePrincipals/{id}/appRoleAssignedTo"),
        both(
            "POST",
            "/servicePrincipals/{id}/appRoleAssignedTo",
            WRITE_ASSIGNMENTS,
        )
        .together_with(&[FIND_APPLICATIONS]),
        both(
            "DELETE",
            "/servicePrincipals/{id}/appRoleAssignedTo/{id}",
            WRITE_ASSIGNMENTS,
        ),
        applications("GET", "/servicePrincipals/{id}/appRoleAssignments"),
        both(
            "POST",
            "/servicePrincipals/{id}/appRoleAssignments",
            WRITE_ASSIGNMENTS,
        )
        .together_with(&[FIND_APPLICATIONS]),
        both(
            "DELETE",
            "/servicePrincipals/{id}/appRoleAssignments/{id}",
            WRITE_ASSIGNMENTS,
        ),
        both(
            "GET",
            "/servicePrincipals/{id}/createdObjects",
            READ_CREATED,
        ),
        applications("GET", "/servicePrincipals/{id}/ownedObjects"),
        applications("GET", "/servicePrincipals/{id}/owners"),
        applications("GET", "/servicePrincipals/{id}/memberOf"),
        both(
            "GET",
            "/servicePrincipals/{id}/transitiveMemberOf",
            READ_APPLICATION_GROUPS,
        ),
        both(
            "POST",
            "/servicePrincipals/{id}/getMemberGroups",
            READ_APPLICATION_GROUPS,
        ),
        both(
            "POST",
            "/servicePrincipals/{id}/getMemberObjects",
            READ_APPLICATION_GROUPS,
        ),
        both(
            "POST",
            "/servicePrincipals/{id}/checkMemberGroups",
            READ_APPLICATION_GROUPS,
        ),
        both(
            "POST",
            "/servicePrincipals/{id}/checkMemberObjects",
            READ_APPLICATION_GROUPS,
        ),
        both(
            "GET",
            "/servicePrincipals/{id}/oauth2PermissionGrants",
            READ_GRANTS,
        ),
    ],
};

/// Without the permission for the own applications.
const READ_CREATED: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

const CLASSIFY: &[&str] = &["Policy.ReadWrite.PermissionGrant"];
