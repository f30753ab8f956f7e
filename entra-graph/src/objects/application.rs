use entra_core::{Guid, Timestamp};

use super::{
    directory_object::DirectoryObject,
    types::{
        AddIn, ApiApplication, AppRole, AuthenticationBehaviors, Certification, InformationalUrl,
        KeyCredential, NativeAuthenticationApisEnabled, OptionalClaims, ParentalControlSettings,
        PasswordCredential, PublicClientApplication, RequestSignatureVerification,
        RequiredResourceAccess, ServicePrincipalLockConfiguration, SpaApplication,
        VerifiedPublisher, WebApplication,
    },
};
use crate::{
    model::{Expanded, Json, capable, entity},
    odata::{Described, EntityInfo, nested},
};

entity! {
    /// An app registration, in the tenant that owns the application.
    ///
    /// Graph returns all properties without a select, except for `key` of the certificates.
    Application: "#microsoft.graph.application", always [app_id, display_name] {
        /// When it was deleted; empty while it is not in the recycle bin.
        deleted_date_time: Timestamp = DELETED_DATE_TIME("deletedDateTime", "orderby+");
        /// Actions of the app that other services can call, such as file handlers.
        add_ins: Vec<AddIn> = ADD_INS("addIns") set;
        /// What the app offers as a web API.
        api: Box<ApiApplication> as ApiApplication = API("api") set;
        /// The client id: the same in every tenant that uses the app.
        app_id: String = APP_ID("appId", "eq");
        /// The gallery template that it was created from.
        application_template_id: String = APPLICATION_TEMPLATE_ID("applicationTemplateId", "eq+");
        /// Roles that users, groups or applications can be assigned in this application.
        app_roles: Vec<AppRole> = APP_ROLES("appRoles") set;
        /// Opt-ins to breaking changes in sign-in; only when selected.
        authentication_behaviors: Box<AuthenticationBehaviors> as AuthenticationBehaviors =
            AUTHENTICATION_BEHAVIORS("authenticationBehaviors") set;
        /// The result of Microsoft's certification of the application.
        certification: Box<Certification> as Certification = CERTIFICATION("certification");
        /// The client id of the app that created it.
        created_by_app_id: String = CREATED_BY_APP_ID("createdByAppId");
        /// When it was registered.
        created_date_time: Timestamp =
            CREATED_DATE_TIME("createdDateTime", "eq ge le null+ orderby+");
        /// The redirect URI when a request names none.
        default_redirect_uri: String = DEFAULT_REDIRECT_URI("defaultRedirectUri") set;
        /// The description of the application for its users.
        description: String = DESCRIPTION("description", "eq+ ge+ le+ startsWith+ search") set;
        /// Why Microsoft disabled it, such as `DisabledDueToViolationOfServicesAgreement`.
        disabled_by_microsoft_status: String =
            DISABLED_BY_MICROSOFT_STATUS("disabledByMicrosoftStatus", "eq");
        /// The display name.
        display_name: String = DISPLAY_NAME("displayName", "eq ge+ le+ startsWith null+ orderby+ search") set;
        /// Which groups go into tokens: `None`, `SecurityGroup`, `All` and others.
        group_membership_claims: String = GROUP_MEMBERSHIP_CLAIMS("groupMembershipClaims") set;
        /// The application ID URIs, which identify its API in scopes.
        identifier_uris: Vec<String> = IDENTIFIER_URIS("identifierUris", "eq ge+ le+ startsWith") set;
        /// Addresses of its logo, terms, privacy statement and support.
        info: Box<InformationalUrl> as InformationalUrl = INFO("info") set;
        /// Whether devices can sign in to it without a user.
        is_device_only_auth_supported: bool =
            IS_DEVICE_ONLY_AUTH_SUPPORTED("isDeviceOnlyAuthSupported") set;
        /// Whether the owner has switched the app off in every tenant.
        is_disabled: bool = IS_DISABLED("isDisabled") update;
        /// Whether requests without a redirect URI are treated as those of a public client.
        is_fallback_public_client: bool = IS_FALLBACK_PUBLIC_CLIENT("isFallbackPublicClient") set;
        /// Certificates of the app; the key itself only when this is selected.
        key_credentials: Vec<KeyCredential> = KEY_CREDENTIALS("keyCredentials") set;
        /// The logo. It is a stream, so Graph sends annotations instead.
        logo: Json = LOGO("logo");
        /// Client ids of the apps that manage this one.
        manager_applications: Vec<String> as Vec<Guid> =
            MANAGER_APPLICATIONS("managerApplications") set;
        /// Whether the application may use native authentication.
        native_authentication_apis_enabled: NativeAuthenticationApisEnabled =
            NATIVE_AUTHENTICATION_APIS_ENABLED("nativeAuthenticationApisEnabled") set;
        /// Notes of the administrators.
        notes: String = NOTES("notes") set;
        /// Whether tokens are returned by form post only, never in a URL.
        oauth2_require_post_response: bool =
            OAUTH2_REQUIRE_POST_RESPONSE("oauth2RequirePostResponse") set never null;
        /// The optional claims of its tokens.
        optional_claims: Box<OptionalClaims> as OptionalClaims = OPTIONAL_CLAIMS("optionalClaims") set;
        /// Which minors may use the app.
        parental_control_settings: Box<ParentalControlSettings> as ParentalControlSettings =
            PARENTAL_CONTROL_SETTINGS("parentalControlSettings") set;
        /// Client secrets of the application, without their values; only the response to a create has those.
        password_credentials: Vec<PasswordCredential> = PASSWORD_CREDENTIALS("passwordCredentials") create;
        /// Settings as a public client on a device.
        public_client: Box<PublicClientApplication> as PublicClientApplication =
            PUBLIC_CLIENT("publicClient") set;
        /// The verified domain of the publisher.
        publisher_domain: String = PUBLISHER_DOMAIN("publisherDomain", "eq ge+ le+ startsWith");
        /// Whether SAML requests must be signed.
        request_signature_verification: Box<RequestSignatureVerification> as RequestSignatureVerification =
            REQUEST_SIGNATURE_VERIFICATION("requestSignatureVerification") set;
        /// Permissions of other APIs that it requires.
        required_resource_access: Vec<RequiredResourceAccess> =
            REQUIRED_RESOURCE_ACCESS("requiredResourceAccess") set;
        /// Where the service publishes its SAML metadata.
        saml_metadata_url: String = SAML_METADATA_URL("samlMetadataUrl") set;
        /// The id of the app in the owner's service catalogue.
        service_management_reference: String =
            SERVICE_MANAGEMENT_REFERENCE("serviceManagementReference", "eq+ startsWith+ null+") set;
        /// Which properties cannot be changed in other tenants.
        service_principal_lock_configuration: Box<ServicePrincipalLockConfiguration> as ServicePrincipalLockConfiguration =
            SERVICE_PRINCIPAL_LOCK_CONFIGURATION("servicePrincipalLockConfiguration") set;
        /// Which accounts can sign in: `AzureADMyOrg`, `AzureADMultipleOrgs` and others.
        sign_in_audience: String = SIGN_IN_AUDIENCE("signInAudience", "eq") set;
        /// Settings as a single-page application.
        spa: Box<SpaApplication> as SpaApplication = SPA("spa") set;
        /// Tags that categorize the application and decide where it is shown.
        tags: Vec<String> = TAGS("tags", "eq ge+ le+ startsWith") set;
        /// The id of the key credential that encrypts its tokens.
        token_encryption_key_id: String as Guid = TOKEN_ENCRYPTION_KEY_ID("tokenEncryptionKeyId") set;
        /// A unique name that the owner sets once, usable as a key.
        unique_name: String = UNIQUE_NAME("uniqueName", "eq startsWith") create;
        /// The publisher, if Microsoft has verified it.
        verified_publisher: Box<VerifiedPublisher> as VerifiedPublisher =
            VERIFIED_PUBLISHER("verifiedPublisher");
        /// Settings as a web application.
        web: Box<WebApplication> as WebApplication = WEB("web") set;
    }
    relations {
        /// The user or app that it was created for, when expanded.
        created_on_behalf_of: DirectoryObject = CREATED_ON_BEHALF_OF("createdOnBehalfOf");
        /// Users and service principals that may change it, when expanded.
        owners: Expanded<DirectoryObject> = OWNERS("owners");
    }
}

impl Described for Application {
    const INFO: EntityInfo = EntityInfo::directory("application", "applications").with_nested(&[
        nested("createdOnBehalfOf/deletedDateTime", "eq ge le"),
        nested("createdOnBehalfOf/id", "eq"),
        nested("info/logoUrl", "null+"),
        nested("info/termsOfServiceUrl", "eq+"),
        nested("publicClient/redirectUris", "eq+ startsWith+"),
        nested("requiredResourceAccess/resourceAppId", "eq+"),
        nested("spa/redirectUris", "eq+ startsWith+"),
        nested("verifiedPublisher/displayName", "eq+ null+"),
        nested("web/homePageUrl", "eq+ null+"),
        nested("web/redirectUris", "eq+ startsWith+"),
    ]);
}

capable!(
    Application: Selectable, Filterable, Orderable, Searchable, Expandable, Toppable, Countable
);
