use entra_core::{Guid, Timestamp};

use super::PermissionScope;
use crate::model::{complex, open_enum};

complex! {
    /// What an app offers as a web API.
    ApiApplication {
        /// Whether claims may be mapped without a signing key of its own.
        accept_mapped_claims: bool = ACCEPT_MAPPED_CLAIMS("acceptMappedClaims");
        /// Client ids of apps whose consent covers this API too.
        known_client_applications: Vec<String> as Vec<Guid> =
            KNOWN_CLIENT_APPLICATIONS("knownClientApplications");
        /// Delegated permissions that it offers.
        oauth2_permission_scopes: Vec<PermissionScope> =
            OAUTH2_PERMISSION_SCOPES("oauth2PermissionScopes");
        /// Applications that get these permissions without consent.
        pre_authorized_applications: Vec<PreAuthorizedApplication> =
            PRE_AUTHORIZED_APPLICATIONS("preAuthorizedApplications");
        /// The version of its access tokens: 1 or 2; empty means 1.
        requested_access_token_version: i32 =
            REQUESTED_ACCESS_TOKEN_VERSION("requestedAccessTokenVersion");
    }
}

complex! {
    /// An application that gets permissions of an API without consent.
    PreAuthorizedApplication {
        /// Its client id.
        app_id: String = APP_ID("appId");
        /// Ids of the permissions.
        delegated_permission_ids: Vec<String> = DELEGATED_PERMISSION_IDS("delegatedPermissionIds");
    }
}

complex! {
    /// Opt-ins of an application to breaking changes in sign-in.
    AuthenticationBehaviors {
        /// Whether the application is blocked from the retired Azure AD Graph.
        block_azure_ad_graph_access: bool = BLOCK_AZURE_AD_GRAPH_ACCESS("blockAzureADGraphAccess");
        /// Whether tokens leave out mail addresses of unverified domains.
        remove_unverified_email_claim: bool =
            REMOVE_UNVERIFIED_EMAIL_CLAIM("removeUnverifiedEmailClaim");
        /// Whether a client without a service principal in the tenant is rejected.
        require_client_service_principal: bool =
            REQUIRE_CLIENT_SERVICE_PRINCIPAL("requireClientServicePrincipal");
    }
}

complex! {
    /// The result of Microsoft's certification of an application.
    Certification {
        /// A page with the details.
        certification_details_url: String = CERTIFICATION_DETAILS_URL("certificationDetailsUrl");
        /// When the certification expires.
        certification_expiration_date_time: Timestamp =
            CERTIFICATION_EXPIRATION_DATE_TIME("certificationExpirationDateTime");
        /// Whether Microsoft has certified the app.
        is_certified_by_microsoft: bool = IS_CERTIFIED_BY_MICROSOFT("isCertifiedByMicrosoft");
        /// Whether the publisher attested the application's security itself.
        is_publisher_attested: bool = IS_PUBLISHER_ATTESTED("isPublisherAttested");
        /// When the app was certified, or last certified again.
        last_certification_date_time: Timestamp =
            LAST_CERTIFICATION_DATE_TIME("lastCertificationDateTime");
    }
}

complex! {
    /// Optional claims of an application's tokens.
    OptionalClaims {
        /// Optional claims of access tokens.
        access_token: Vec<OptionalClaim> = ACCESS_TOKEN("accessToken");
        /// Optional claims of ID tokens.
        id_token: Vec<OptionalClaim> = ID_TOKEN("idToken");
        /// Optional claims of SAML tokens.
        saml2_token: Vec<OptionalClaim> = SAML2_TOKEN("saml2Token");
    }
}

complex! {
    /// An optional claim.
    OptionalClaim {
        /// Variants of the claim, such as `sam_account_name` or `emit_as_roles`.
        additional_properties: Vec<String> = ADDITIONAL_PROPERTIES("additionalProperties");
        /// Whether the claim is essential to the application.
        essential: bool = ESSENTIAL("essential");
        /// Its name.
        name: String = NAME("name");
        /// `user` when it is a directory extension; empty for a predefined claim.
        source: String = SOURCE("source");
    }
}

complex! {
    /// Parental control settings of an application.
    ParentalControlSettings {
        /// Country codes where minors are blocked.
        countries_blocked_for_minors: Vec<String> =
            COUNTRIES_BLOCKED_FOR_MINORS("countriesBlockedForMinors");
        /// The rule for age groups, such as `Allow` or `BlockMinors`.
        legal_age_group_rule: String = LEGAL_AGE_GROUP_RULE("legalAgeGroupRule");
    }
}

complex! {
    /// Whether SAML requests of an app must be signed.
    RequestSignatureVerification {
        /// Weak algorithms that are accepted anyway.
        allowed_weak_algorithms: WeakAlgorithms = ALLOWED_WEAK_ALGORITHMS("allowedWeakAlgorithms");
        /// Whether unsigned requests are rejected.
        is_signed_request_required: bool = IS_SIGNED_REQUEST_REQUIRED("isSignedRequestRequired");
    }
}

complex! {
    /// Permissions of one API that an application requires.
    RequiredResourceAccess {
        /// The permissions.
        resource_access: Vec<ResourceAccess> = RESOURCE_ACCESS("resourceAccess");
        /// The client id of the API.
        resource_app_id: String = RESOURCE_APP_ID("resourceAppId");
    }
}

complex! {
    /// One permission that an application requires.
    ResourceAccess {
        /// The id of an app role or delegated permission of the API.
        id: String as Guid = ID("id");
        /// `Role` for an application permission, `Scope` for a delegated one.
        kind: String = KIND("type");
    }
}

complex! {
    /// Which properties are locked in an application's service principals in other tenants.
    ServicePrincipalLockConfiguration {
        /// Whether all lockable properties are locked.
        all_properties: bool = ALL_PROPERTIES("allProperties");
        /// Whether credentials that sign tokens are locked.
        credentials_with_usage_sign: bool = CREDENTIALS_WITH_USAGE_SIGN("credentialsWithUsageSign");
        /// Whether credentials that authenticate the application are locked.
        credentials_with_usage_verify: bool =
            CREDENTIALS_WITH_USAGE_VERIFY("credentialsWithUsageVerify");
        /// Whether the lock is enabled.
        is_enabled: bool = IS_ENABLED("isEnabled");
        /// Whether the token encryption key id is locked.
        token_encryption_key_id: bool = TOKEN_ENCRYPTION_KEY_ID("tokenEncryptionKeyId");
    }
}

complex! {
    /// Settings of an application as a public client on a device.
    PublicClientApplication {
        /// The redirect URIs of authorization responses.
        redirect_uris: Vec<String> = REDIRECT_URIS("redirectUris");
    }
}

complex! {
    /// Settings of an application as a single-page application.
    SpaApplication {
        /// The redirect URIs of authorization responses.
        redirect_uris: Vec<String> = REDIRECT_URIS("redirectUris");
    }
}

complex! {
    /// Settings of an application as a web application.
    WebApplication {
        /// Its home page.
        home_page_url: String = HOME_PAGE_URL("homePageUrl");
        /// Which tokens the implicit grant issues.
        implicit_grant_settings: ImplicitGrantSettings =
            IMPLICIT_GRANT_SETTINGS("implicitGrantSettings");
        /// The front-channel sign-out URL.
        logout_url: String = LOGOUT_URL("logoutUrl");
        /// The redirect URIs of authorization responses.
        redirect_uris: Vec<String> = REDIRECT_URIS("redirectUris");
        /// The redirect URIs with their order in the portal.
        redirect_uri_settings: Vec<RedirectUriSettings> =
            REDIRECT_URI_SETTINGS("redirectUriSettings");
    }
}

complex! {
    /// Which tokens the implicit grant issues to an application.
    ImplicitGrantSettings {
        /// Access tokens.
        enable_access_token_issuance: bool =
            ENABLE_ACCESS_TOKEN_ISSUANCE("enableAccessTokenIssuance");
        /// ID tokens.
        enable_id_token_issuance: bool = ENABLE_ID_TOKEN_ISSUANCE("enableIdTokenIssuance");
    }
}

complex! {
    /// A redirect URI with its position in the list.
    RedirectUriSettings {
        /// The position.
        index: i32 = INDEX("index");
        /// The redirect URI.
        uri: String = URI("uri");
    }
}

open_enum! {
    /// Whether an application may use native authentication.
    NativeAuthenticationApisEnabled {
        /// Native authentication is not allowed.
        None = "none";
        /// All native authentication APIs are allowed.
        All = "all";
    }
}

open_enum! {
    /// A weak algorithm that an app accepts in signed requests.
    WeakAlgorithms {
        /// RSA with SHA-1.
        RsaSha1 = "rsaSha1";
    }
}
