//! `application`: properties, `$filter` rules, `$orderby`, `$search`.

use super::{
    Mode::*,
    Type::*,
    app_management_policy::{READ_POLICIES, WRITE_POLICIES},
    operation::*,
    relationship::*,
    shared_rules::*,
    *,
};

pub(super) const APPLICATION: EntityType = EntityType {
    name: "application",
    set: "applications",
    control_path: Some("/applications"),
    directory: true,
    open: true,
    object: true,
    id: IdForm::Guid,
    key: Some("appId"),
    unique: &[
        Unique::AlternateKey("uniqueName"),
        Unique::InType("identifierUris"),
    ],
    log_time: None,
    premium: Premium::No,
    list_options: ALL_OPTIONS,
    object_options: OBJECT_OPTIONS,
    pages: DIRECTORY_PAGES,
    visibility: Visibility::with(READ_APPLICATIONS),
    deletion: Deletion::Soft { restored_with: &[] },
    behavior: Behavior::Application,
    creators: Creators::Members,
    principal: None,
    application: Some(ApplicationForm {
        // With the blank at the end.
        add_credentials: "Update application – Certificates and secrets management ",
        remove_credentials: "Update application – Certificates and secrets management ",
        restrictions: "applicationRestrictions",
    }),
    activities: Activities {
        add: "Add application",
        update: "Update application",
        delete: "Delete application",
        purge: "Hard Delete application",
        restore: "Restore application",
        add_owner: "Add owner to application",
        remove_owner: "Remove owner from application",
        ..Activities::of("ApplicationManagement")
    },
    properties: &[
        text("id").shown(),
        date("deletedDateTime").shown(),
        complex("addIns").many().shown().writable(),
        complex("api").shown().writable(),
        text("appId").shown(),
        text("applicationTemplateId").shown(),
        complex("appRoles").many().shown().writable(),
        complex("authenticationBehaviors").writable(),
        complex("certification").shown(),
        text("createdByAppId"),
        date("createdDateTime").shown(),
        text("defaultRedirectUri").shown().writable(),
        text("description").shown().writable().up_to(1024),
        text("disabledByMicrosoftStatus").shown(),
        text("displayName").shown().required().up_to(256),
        text("groupMembershipClaims").shown().writable(),
        text("identifierUris").many().shown().writable(),
        complex("info").shown().writable(),
        boolean("isDeviceOnlyAuthSupported").shown().writable(),
        boolean("isDisabled").at_update(),
        boolean("isFallbackPublicClient").shown().writable(),
        complex("keyCredentials").many().shown().writable(),
        complex("logo"),
        guid("managerApplications").many().writable(),
        text("nativeAuthenticationApisEnabled").writable(),
        text("notes").shown().writable().up_to(1024),
        boolean("oauth2RequirePostResponse").shown().writable(),
        complex("optionalClaims").shown().writable(),
        complex("parentalControlSettings").shown().writable(),
        complex("passwordCredentials").many().shown().at_creation(),
        complex("publicClient").shown().writable(),
        text("publisherDomain").shown(),
        complex("requestSignatureVerification").shown().writable(),
        complex("requiredResourceAccess").many().shown().writable(),
        text("samlMetadataUrl").shown().writable(),
        text("serviceManagementReference").shown().writable(),
        complex("servicePrincipalLockConfiguration")
            .shown()
            .writable(),
        text("signInAudience").shown().writable().one_of(&[
            "AzureADMyOrg",
            "AzureADMultipleOrgs",
            "AzureADandPersonalMicrosoftAccount",
            "PersonalMicrosoftAccount",
        ]),
        complex("spa").shown().writable(),
        text("tags").many().shown().writable(),
        guid("tokenEncryptionKeyId").shown().writable(),
        text("uniqueName").shown().at_creation(),
        complex("verifiedPublisher").shown(),
        complex("web").shown().writable(),
    ],
    rules: &[
        rule("appId", Text, Basic, No, No, No),
        rule("applicationTemplateId", Text, Advanced, No, No, No),
        rule("createdDateTime", Date, Basic, No, Basic, Advanced),
        rule(
            "createdOnBehalfOf/deletedDateTime",
            Date,
            Basic,
            No,
            Basic,
            No,
        ),
        rule("createdOnBehalfOf/id", Text, Basic, No, No, No),
        rule("description", Text, Advanced, Advanced, Advanced, No),
        rule("disabledByMicrosoftStatus", Text, Basic, No, No, No),
        DISPLAY_NAME,
        rule("id", Text, Basic, No, No, No),
        rule("identifierUris/any", Text, Basic, Basic, Advanced, No),
        rule("info/logoUrl", Text, No, No, No, Advanced),
        rule("info/termsOfServiceUrl", Text, Advanced, No, No, No),
        rule(
            "publicClient/redirectUris/any",
            Text,
            Advanced,
            Advanced,
            No,
            No,
        ),
        rule("publisherDomain", Text, Basic, Basic, Advanced, No),
        rule(
            "requiredResourceAccess/any/resourceAppId",
            Text,
            Advanced,
            No,
            No,
            No,
        ),
        rule(
            "serviceManagementReference",
            Text,
            Advanced,
            Advanced,
            No,
            Advanced,
        ),
        rule("signInAudience", Text, Basic, No, No, No),
        rule("spa/redirectUris/any", Text, Advanced, Advanced, No, No),
        rule("tags/any", Text, Basic, Basic, Advanced, No),
        rule("uniqueName", Text, Basic, Basic, No, No),
        rule(
            "verifiedPublisher/displayName",
            Text,
            Advanced,
            No,
            No,
            Advanced,
        ),
        rule("web/homePageUrl", Text, Advanced, No, No, Advanced),
        rule("web/redirectUris/any", Text, Advanced, Advanced, No, No),
    ],
    order: &[
        ("createdDateTime", Advanced),
        ("deletedDateTime", Advanced),
        ("displayName", Advanced),
    ],
    search: &["displayName", "description"],
    navigation: &[
        "appManagementPolicies",
        "createdOnBehalfOf",
        "extensionProperties",
        "federatedIdentityCredentials",
        "homeRealmDiscoveryPolicies",
        "owners",
        "synchronization",
        "tokenIssuancePolicies",
        "tokenLifetimePolicies",
    ],
    relationships: &[
        own(
            Kind::Application,
            "appManagementPolicies",
            APP_MANAGEMENT_POLICIES,
            Source::Out(Relation::AppManagementPolicies),
        )
        .by_reference(),
        many(
            Kind::Application,
            "owners",
            OWNERS,
            Source::Out(Relation::Owners),
        )
        .by_reference(),
        own(
            Kind::Application,
            "federatedIdentityCredentials",
            &[Kind::FederatedCredential],
            Source::Children(APPLICATION_OF),
        )
        .keyed_by("name"),
    ],
    operations: &[
        both(
            "GET",
            "/applications/{id}/appManagementPolicies",
            READ_POLICIES,
        )
        .together_with(&[&["Application.Read.All"]]),
        both(
            "POST",
            "/applications/{id}/appManagementPolicies/$ref",
            WRITE_POLICIES,
        )
        .together_with(&[&["Application.Read.All"]]),
        both(
            "DELETE",
            "/applications/{id}/appManagementPolicies/{id}/$ref",
            WRITE_POLICIES,
        )
        .together_with(&[&["Application.Read.All"]]),
        applications("GET", "/applications/{id}/extensionProperties"),
        row(
            "GET",
            "/applications/{id}/extensionProperties/{id}",
            &[
                "Application.Read.All",
                "Application.ReadWrite.All",
                "Directory.Read.All",
            ],
            &[
                "Application.Read.All",
                "Application.ReadWrite.All",
                "Application.ReadWrite.OwnedBy",
            ],
        ),
        row(
            "POST",
            "/applications/{id}/extensionProperties",
            &["Application.ReadWrite.All", "Directory.ReadWrite.All"],
            &[
                "Application.ReadWrite.All",
                "Application.ReadWrite.OwnedBy",
                "Directory.ReadWrite.All",
            ],
        ),
        row(
            "DELETE",
            "/applications/{id}/extensionProperties/{id}",
            &["Application.ReadWrite.All", "Directory.ReadWrite.All"],
            &[
                "Application.ReadWrite.All",
                "Application.ReadWrite.OwnedBy",
                "Directory.ReadWrite.All",
            ],
        ),
        application_list("GET", "/applications"),
        applications("GET", "/applications/{id}"),
        applications("GET", "/applications/delta"),
        applications("GET", "/applications/{id}/owners"),
        row(
            "POST",
            "/applications",
            &["AppRegistration.Create", "Application.ReadWrite.All"],
            &[
                "AppRegistration.Create",
                "Application.ReadWrite.OwnedBy",
                "Application.ReadWrite.All",
            ],
        ),
        write("PATCH", "/applications/{id}"),
        write("DELETE", "/applications/{id}"),
        provisioning("GET", "/applications/{id}/synchronization/templates"),
        provisioning("GET", "/applications/{id}/synchronization/templates/{id}"),
        provisioning(
            "GET",
            "/applications/{id}/synchronization/templates/{id}/schema",
        ),
        provisioning(
            "PUT",
            "/applications/{id}/synchronization/templates/{id}/schema",
        ),
        write_directory("POST", "/applications/{id}/addKey"),
        write_directory("POST", "/applications/{id}/removeKey"),
        write_directory("POST", "/applications/{id}/addPassword"),
        write_directory("POST", "/applications/{id}/removePassword"),
        // Only a signed-in user can vouch for the publisher.
        row(
            "POST",
            "/applications/{id}/setVerifiedPublisher",
            WRITE,
            &[],
        ),
        row(
            "POST",
            "/applications/{id}/unsetVerifiedPublisher",
            WRITE,
            &[],
        ),
        row(
            "GET",
            "/applications/{id}/federatedIdentityCredentials",
            &["Application.Read.All", "Application.ReadWrite.All"],
            &[
                "Application.Read.All",
                "Application.ReadWrite.OwnedBy",
                "Application.ReadWrite.All",
            ],
        )
        .richer_in_beta(),
        write("POST", "/applications/{id}/federatedIdentityCredentials").richer_in_beta(),
        write(
            "GET",
            "/applications/{id}/federatedIdentityCredentials/{id}",
        )
        .richer_in_beta(),
        write(
            "PATCH",
            "/applications/{id}/federatedIdentityCredentials/{id}",
        )
        .richer_in_beta(),
        write(
            "DELETE",
            "/applications/{id}/federatedIdentityCredentials/{id}",
        )
        .richer_in_beta(),
        write("PUT", "/applications/{id}/logo"),
        write("POST", "/applications/{id}/owners/$ref"),
        row(
            "DELETE",
            "/applications/{id}/owners/{id}/$ref",
            &["Application.ReadWrite.All", "Directory.ReadWrite.All"],
            WRITE_FOR_APPLICATIONS,
        ),
        row(
            "GET",
            "/directory/deletedItems/microsoft.graph.application",
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
    ],
};

pub(super) const fn write(method: &'static str, path: &'static str) -> Operation {
    row(method, path, WRITE, WRITE_FOR_APPLICATIONS)
}

pub(super) const fn write_directory(method: &'static str, path: &'static str) -> Operation {
    row(
        method,
        path,
        &["Application.ReadWrite.All", "Directory.ReadWrite.All"],
        &[
            "Application.ReadWrite.OwnedBy",
            "Application.ReadWrite.All",
            "Directory.ReadWrite.All",
        ],
    )
}

/// An operation of provisioning: its own permissions, or those of the owner of the application.
pub(super) const fn provisioning(method: &'static str, path: &'static str) -> Operation {
    let reads = matches!(method.as_bytes(), b"GET");
    if reads {
        row(
            method,
            path,
            &["Synchronization.Read.All", "Synchronization.ReadWrite.All"],
            &[
                "Application.ReadWrite.OwnedBy",
                "Synchronization.Read.All",
                "Synchronization.ReadWrite.All",
            ],
        )
    } else {
        row(
            method,
            path,
            &["Synchronization.ReadWrite.All"],
            &[
                "Application.ReadWrite.OwnedBy",
                "Synchronization.ReadWrite.All",
            ],
        )
    }
}

const WRITE: &[&str] = &["Application.ReadWrite.All"];
/// `OwnedBy` covers only applications whose owner is the calling service principal.
pub(super) const WRITE_FOR_APPLICATIONS: &[&str] =
    &["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"];
pub(super) const DELETED: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
pub(super) const DELETED_FOR_APPLICATIONS: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.OwnedBy",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
