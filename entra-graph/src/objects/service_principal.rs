use entra_core::{Guid, Timestamp};

use super::{
    app_role_assignment::AppRoleAssignment,
    directory_object::DirectoryObject,
    types::{
        AddIn, AppRole, InformationalUrl, KeyCredential, PasswordCredential, PermissionScope,
        ResourceSpecificPermission, SamlSingleSignOnSettings, VerifiedPublisher,
    },
};
use crate::{
    model::{Expanded, Json, capable, entity},
    odata::{Described, EntityInfo, nested},
};

entity! {
    /// A service principal, such as an enterprise application: the instance of an application in one tenant.
    ///
    /// Graph returns all properties without a select, except for `key` of the certificates and the custom security
    /// attributes.
    ServicePrincipal: "#microsoft.graph.servicePrincipal", always [app_id, display_name] {
        /// When it was deleted; empty while it is not in the recycle bin.
        deleted_date_time: Timestamp = DELETED_DATE_TIME("deletedDateTime", "orderby+");
        /// Whether users and the application itself may sign in.
        account_enabled: bool = ACCOUNT_ENABLED("accountEnabled", "eq") set;
        /// Actions of the app that other services can call, such as file handlers.
        add_ins: Vec<AddIn> = ADD_INS("addIns") set;
        /// Alternative names, such as the resource ids of managed identities.
        alternative_names: Vec<String> = ALTERNATIVE_NAMES("alternativeNames", "eq ge+ le+ startsWith") set;
        /// The description by its publisher.
        app_description: String = APP_DESCRIPTION("appDescription");
        /// The name that its publisher gave it.
        app_display_name: String = APP_DISPLAY_NAME("appDisplayName");
        /// The client id of its app registration.
        app_id: String = APP_ID("appId", "eq startsWith+") create;
        /// The gallery template that it was created from.
        application_template_id: String = APPLICATION_TEMPLATE_ID("applicationTemplateId", "eq startsWith+");
        /// The tenant that its app is registered in.
        app_owner_organization_id: String as Guid =
            APP_OWNER_ORGANIZATION_ID("appOwnerOrganizationId", "eq+ ge+ le+");
        /// Whether only assigned users and applications get tokens.
        app_role_assignment_required: bool =
            APP_ROLE_ASSIGNMENT_REQUIRED("appRoleAssignmentRequired", "eq+") set never null;
        /// Roles that users, groups or applications can be assigned in it.
        app_roles: Vec<AppRole> = APP_ROLES("appRoles") set;
        /// The client id of the app that created it.
        created_by_app_id: String = CREATED_BY_APP_ID("createdByAppId");
        /// Custom security attributes by set; only when selected.
        custom_security_attributes: Json = CUSTOM_SECURITY_ATTRIBUTES("customSecurityAttributes") set;
        /// The description by the administrators of the tenant.
        description: String = DESCRIPTION("description", "eq+ ge+ le+ startsWith+ search") set;
        /// Why Microsoft disabled its app, if it did.
        disabled_by_microsoft_status: String =
            DISABLED_BY_MICROSOFT_STATUS("disabledByMicrosoftStatus", "eq+");
        /// The display name.
        display_name: String = DISPLAY_NAME("displayName", "eq ge+ le+ startsWith null+ orderby+ search") set;
        /// The home page of the app.
        homepage: String = HOMEPAGE("homepage", "eq+ startsWith+ null+") set;
        /// Addresses of its logo, terms, privacy statement and support.
        info: Box<InformationalUrl> as InformationalUrl = INFO("info");
        /// Whether the owner has switched the app off in every tenant.
        is_disabled: bool = IS_DISABLED("isDisabled");
        /// Its certificates; the key itself only when this is selected.
        key_credentials: Vec<KeyCredential> = KEY_CREDENTIALS("keyCredentials") set;
        /// The URL where users start a sign-in at the application.
        login_url: String = LOGIN_URL("loginUrl") set;
        /// The front-channel sign-out URL.
        logout_url: String = LOGOUT_URL("logoutUrl") set;
        /// Notes of the administrators.
        notes: String = NOTES("notes") set;
        /// Mail addresses that are notified before its signing certificate expires.
        notification_email_addresses: Vec<String> =
            NOTIFICATION_EMAIL_ADDRESSES("notificationEmailAddresses") set;
        /// Delegated permissions that its API offers.
        oauth2_permission_scopes: Vec<PermissionScope> =
            OAUTH2_PERMISSION_SCOPES("oauth2PermissionScopes") set;
        /// Its client secrets, without their values.
        password_credentials: Vec<PasswordCredential> = PASSWORD_CREDENTIALS("passwordCredentials");
        /// How it signs users in: `password`, `saml`, `notSupported` or `oidc`.
        preferred_single_sign_on_mode: String =
            PREFERRED_SINGLE_SIGN_ON_MODE("preferredSingleSignOnMode") set;
        /// The thumbprint of the certificate that signs its SAML tokens.
        preferred_token_signing_key_thumbprint: String =
            PREFERRED_TOKEN_SIGNING_KEY_THUMBPRINT("preferredTokenSigningKeyThumbprint") set;
        /// Its redirect URIs.
        reply_urls: Vec<String> = REPLY_URLS("replyUrls") set;
        /// Permissions on single resources, such as one team, that it offers.
        resource_specific_application_permissions: Vec<ResourceSpecificPermission> =
            RESOURCE_SPECIFIC_APPLICATION_PERMISSIONS("resourceSpecificApplicationPermissions");
        /// Settings of its sign-in by SAML.
        saml_single_sign_on_settings: Box<SamlSingleSignOnSettings> as SamlSingleSignOnSettings =
            SAML_SINGLE_SIGN_ON_SETTINGS("samlSingleSignOnSettings") set;
        /// Its application ID URIs and client id, which identify it in scopes.
        service_principal_names: Vec<String> =
            SERVICE_PRINCIPAL_NAMES("servicePrincipalNames", "eq ge+ le+ startsWith") set;
        /// The kind of service principal: `Application`, `ManagedIdentity`, `Legacy` or `SocialIdp`.
        service_principal_type: String = SERVICE_PRINCIPAL_TYPE("servicePrincipalType");
        /// Which accounts can sign in to its application.
        sign_in_audience: String = SIGN_IN_AUDIENCE("signInAudience");
        /// Tags; `WindowsAzureActiveDirectoryIntegratedApp` marks it as an enterprise app.
        tags: Vec<String> = TAGS("tags", "eq ge+ le+ startsWith") set;
        /// The id of the key credential that encrypts its tokens.
        token_encryption_key_id: String as Guid = TOKEN_ENCRYPTION_KEY_ID("tokenEncryptionKeyId") set;
        /// The publisher, if Microsoft has verified it.
        verified_publisher: Box<VerifiedPublisher> as VerifiedPublisher =
            VERIFIED_PUBLISHER("verifiedPublisher");
    }
    relations {
        /// Who is assigned to it, when expanded.
        app_role_assigned_to: Expanded<AppRoleAssignment> = APP_ROLE_ASSIGNED_TO("appRoleAssignedTo");
        /// The app roles that it is assigned to, when expanded.
        app_role_assignments: Expanded<AppRoleAssignment> = APP_ROLE_ASSIGNMENTS("appRoleAssignments");
        /// Objects that it created, when expanded.
        created_objects: Expanded<DirectoryObject> = CREATED_OBJECTS("createdObjects");
        /// Groups, roles and units that it is a direct member of, when expanded.
        /// Groups with hidden membership are left out silently without `Member.Read.Hidden`.
        member_of: Expanded<DirectoryObject> = MEMBER_OF("memberOf");
        /// Objects that it owns, when expanded.
        owned_objects: Expanded<DirectoryObject> = OWNED_OBJECTS("ownedObjects");
        /// Users and service principals that may change it, when expanded.
        owners: Expanded<DirectoryObject> = OWNERS("owners");
        /// Groups, roles and units that it is a member of directly or through other groups, when expanded.
        /// Groups with hidden membership are left out silently without `Member.Read.Hidden`.
        transitive_member_of: Expanded<DirectoryObject> =
            TRANSITIVE_MEMBER_OF("transitiveMemberOf");
    }
}

impl Described for ServicePrincipal {
    const INFO: EntityInfo = EntityInfo::directory("service principal", "service principals")
        .with_nested(&[
            nested("createdObjects/id", "eq+"),
            nested("info/logoUrl", "null+"),
            nested("info/termsOfServiceUrl", "eq+"),
        ]);
}

capable!(
    ServicePrincipal: Selectable, Filterable, Orderable, Searchable, Expandable, Toppable, Countable
);
