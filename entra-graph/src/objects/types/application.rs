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
        /// Apps that get these permissions without anybody's consent.
        pre_authorized_applications: Vec<PreAuthorizedApplication> =
            PRE_AUTHORIZED_APPLICATIONS("preAuthorizedApplications");
        /// The version of its access tokens: 1 or 2; empty means 1.
        requested_access_token_version: i32 =
            REQUESTED_ACCESS_TOKEN_VERSION("requestedAccessTokenVersion");
    }
}

complex! {
    /// An app that gets permissions of an API without anybody's consent.
    PreAuthorizedApplication {
        /// Its client id.
        app_id: String = APP_ID("appId");
        /// Ids of the permissions.
        delegated_permission_ids: Vec<String> = DELEGATED_PERMISSION_IDS("delegatedPermissionIds");
    }
}

complex! {
    /// Switches of an app for breaking changes in sign-in.
    AuthenticationBehaviors {
        /// Whether the app is shut out of the retired Azure AD Graph.
        block_azure_ad_graph_access: bool = BLOCK_AZURE_AD_GRAPH_ACCESS("blockAzureADGraphAccess");
        /// Whether tokens leave out mail addresses of unverified domains.
        remove_unverified_email_claim: bool =
            REMOVE_UNVERIFIED_EMAIL_CLAIM("removeUnverifiedEmailClaim");
        /// Whether a client without service principal in the tenant is refused.
        require_client_service_principal: bool =
            REQUIRE_CLIENT_SERVICE_PRINCIPAL("requireClientServicePrincipal");
    }
}

complex! {
    /// The outcome of Microsoft's certification of an app.
    Certification {
        /// A page with the details.
        certification_details_url: String = CERTIFICATION_DETAILS_URL("certificationDetailsUrl");
        /// When it ends.
        certification_expiration_date_time: Timestamp =
            CERTIFICATION_EXPIRATION_DATE_TIME("certificationExpirationDateTime");
        /// Whether Microsoft has certified the app.
        is_certified_by_microsoft: bool = IS_CERTIFIED_BY_MICROSOFT("isCertifiedByMicrosoft");
        /// Whether the publisher has answered the questions about the app itself.
        is_publisher_attested: bool = IS_PUBLISHER_ATTESTED("isPublisherAttested");
        /// When the app was certified, or last certified again.
        last_certification_date_time: Timestamp =
            LAST_CERTIFICATION_DATE_TIME("lastCertificationDateTime");
    }
}

complex! {
    /// Claims that tokens of an app hold beyond the usual ones.
    OptionalClaims {
        /// In access tokens for it.
        access_token: Vec<OptionalClaim> = ACCESS_TOKEN("accessToken");
        /// In ID tokens.
        id_token: Vec<OptionalClaim> = ID_TOKEN("idToken");
        /// In SAML tokens.
        saml2_token: Vec<OptionalClaim> = SAML2_TOKEN("saml2Token");
    }
}

complex! {
    /// One claim beyond the usual ones.
    OptionalClaim {
        /// Variants of it, such as `sam_account_name` or `emit_as_roles`.
        additional_properties: Vec<String> = ADDITIONAL_PROPERTIES("additionalProperties");
        /// Whether sign-in should do its best to fill it.
        essential: bool = ESSENTIAL("essential");
        /// Its name.
        name: String = NAME("name");
        /// `user` when it is a directory extension; empty for a predefined claim.
        source: String = SOURCE("source");
    }
}

complex! {
    /// Which minors may use an app.
    ParentalControlSettings {
        /// Country codes where minors are shut out.
        countries_blocked_for_minors: Vec<String> =
            COUNTRIES_BLOCKED_FOR_MINORS("countriesBlockedForMinors");
        /// The rule for age groups, such as `Allow` or `BlockMinors`.
        legal_age_group_rule: String = LEGAL_AGE_GROUP_RULE("legalAgeGroupRule");
    }
}

complex! {
    /// Whether SAML requests of an app must be signed.
    RequestSignatureVerification {
        /// Weak algorithms that are accepted all the same.
        allowed_weak_algorithms: WeakAlgorithms = ALLOWED_WEAK_ALGORITHMS("allowedWeakAlgorithms");
        /// Whether unsigned requests are refused.
        is_signed_request_required: bool = IS_SIGNED_REQUEST_REQUIRED("isSignedRequestRequired");
    }
}

complex! {
    /// Permissions of one API that an app asks for.
    RequiredResourceAccess {
        /// The permissions.
        resource_access: Vec<ResourceAccess> = RESOURCE_ACCESS("resourceAccess");
        /// The client id of the API.
        resource_app_id: String = RESOURCE_APP_ID("resourceAppId");
    }
}

complex! {
    /// One permission that an app asks for.
    ResourceAccess {
        /// The id of an app role or delegated permission of the API.
        id: String as Guid = ID("id");
        /// `Role` for an application permission, `Scope` for a delegated one.
        kind: String = KIND("type");
    }
}

complex! {
    /// Which properties nobody can change in other tenants' service principals of an app.
    ServicePrincipalLockConfiguration {
        /// Everything that can be locked.
        all_properties: bool = ALL_PROPERTIES("allProperties");
        /// Credentials that sign tokens.
        credentials_with_usage_sign: bool = CREDENTIALS_WITH_USAGE_SIGN("credentialsWithUsageSign");
        /// Credentials that prove the app.
        credentials_with_usage_verify: bool =
            CREDENTIALS_WITH_USAGE_VERIFY("credentialsWithUsageVerify");
        /// Whether the lock is on.
        is_enabled: bool = IS_ENABLED("isEnabled");
        /// The choice of the key that encrypts tokens.
        token_encryption_key_id: bool = TOKEN_ENCRYPTION_KEY_ID("tokenEncryptionKeyId");
    }
}

complex! {
    /// What an app needs as an installed app on a device.
    PublicClientApplication {
        /// Where answers to sign-in requests may go.
        redirect_uris: Vec<String> = REDIRECT_URIS("redirectUris");
    }
}

complex! {
    /// What an app needs as a single-page app.
    SpaApplication {
        /// Where answers to sign-in requests may go.
        redirect_uris: Vec<String> = REDIRECT_URIS("redirectUris");
    }
}

complex! {
    /// What an app needs as a web app.
    WebApplication {
        /// Its home page.
        home_page_url: String = HOME_PAGE_URL("homePageUrl");
        /// Which tokens come without a code exchange.
        implicit_grant_settings: ImplicitGrantSettings =
            IMPLICIT_GRANT_SETTINGS("implicitGrantSettings");
        /// Where the service tells the app about a sign-out.
        logout_url: String = LOGOUT_URL("logoutUrl");
        /// Where answers to sign-in requests may go.
        redirect_uris: Vec<String> = REDIRECT_URIS("redirectUris");
        /// The same addresses with the order in which the portal shows them.
        redirect_uri_settings: Vec<RedirectUriSettings> =
            REDIRECT_URI_SETTINGS("redirectUriSettings");
    }
}

complex! {
    /// Which tokens an app gets without a code exchange.
    ImplicitGrantSettings {
        /// Access tokens.
        enable_access_token_issuance: bool =
            ENABLE_ACCESS_TOKEN_ISSUANCE("enableAccessTokenIssuance");
        /// ID tokens.
        enable_id_token_issuance: bool = ENABLE_ID_TOKEN_ISSUANCE("enableIdTokenIssuance");
    }
}

complex! {
    /// An address for answers to sign-in requests, with its place in the list.
    RedirectUriSettings {
        /// Its place.
        index: i32 = INDEX("index");
        /// The address.
        uri: String = URI("uri");
    }
}

open_enum! {
    /// Whether an app may show its own sign-in pages.
    NativeAuthenticationApisEnabled {
        /// It may not.
        None = "none";
        /// It may, through all interfaces for that.
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
