use entra_core::Timestamp;

use crate::model::{complex, open_enum};

complex! {
    /// The result of a sign-in.
    SignInStatus {
        /// More about the outcome, such as the factor that satisfied MFA.
        additional_details: String = ADDITIONAL_DETAILS("additionalDetails");
        /// AADSTS code without its prefix; 0 means success.
        error_code: i32 = ERROR_CODE("errorCode");
        /// Why it failed; `Other.` on success.
        failure_reason: String = FAILURE_REASON("failureReason");
    }
}

complex! {
    /// The device of a sign-in.
    DeviceDetail {
        /// Browser with its version.
        browser: String = BROWSER("browser");
        /// Device id, if the device is known.
        device_id: String = DEVICE_ID("deviceId");
        /// Device name, if the device is known.
        display_name: String = DISPLAY_NAME("displayName");
        /// Whether the device met the compliance policies.
        is_compliant: bool = IS_COMPLIANT("isCompliant");
        /// Whether the device was managed.
        is_managed: bool = IS_MANAGED("isManaged");
        /// Operating system with its version.
        operating_system: String = OPERATING_SYSTEM("operatingSystem");
        /// How the device is joined, such as `Azure AD joined`.
        trust_type: String = TRUST_TYPE("trustType");
    }
}

complex! {
    /// The location of a sign-in.
    SignInLocation {
        /// City.
        city: String = CITY("city");
        /// Two-letter country or region code.
        country_or_region: String = COUNTRY_OR_REGION("countryOrRegion");
        /// Coordinates of the location.
        geo_coordinates: GeoCoordinates = GEO_COORDINATES("geoCoordinates");
        /// State or province.
        state: String = STATE("state");
    }
}

complex! {
    /// A point on the earth.
    GeoCoordinates {
        /// Altitude in metres.
        altitude: f64 = ALTITUDE("altitude");
        /// Latitude in degrees.
        latitude: f64 = LATITUDE("latitude");
        /// Longitude in degrees.
        longitude: f64 = LONGITUDE("longitude");
    }
}

complex! {
    /// The device that ran the authenticator app in a sign-in.
    AuthenticationAppDeviceDetails {
        /// Version of the authenticator app.
        app_version: String = APP_VERSION("appVersion");
        /// Name of the authenticator app.
        client_app: String = CLIENT_APP("clientApp");
        /// Id of the device that ran it.
        device_id: String = DEVICE_ID("deviceId");
        /// Operating system of that device.
        operating_system: String = OPERATING_SYSTEM("operatingSystem");
    }
}

complex! {
    /// The result of one Conditional Access policy in a sign-in.
    AppliedConditionalAccessPolicy {
        /// Name of the policy.
        display_name: String = DISPLAY_NAME("displayName");
        /// Grant controls it enforced, such as `mfa`.
        enforced_grant_controls: Vec<String> = ENFORCED_GRANT_CONTROLS("enforcedGrantControls");
        /// Session controls it enforced.
        enforced_session_controls: Vec<String> = ENFORCED_SESSION_CONTROLS("enforcedSessionControls");
        /// Id of the policy.
        id: String = ID("id");
        /// What the policy decided.
        result: AppliedConditionalAccessPolicyResult = RESULT("result");
    }
}

open_enum! {
    /// The result of one Conditional Access policy.
    AppliedConditionalAccessPolicyResult {
        /// It applied and was met.
        Success = "success";
        /// It applied and was not met.
        Failure = "failure";
        /// Its conditions did not match.
        NotApplied = "notApplied";
        /// It is switched off.
        NotEnabled = "notEnabled";
        /// Not known.
        Unknown = "unknown";
        /// Report-only: it would have been met.
        ReportOnlySuccess = "reportOnlySuccess";
        /// Report-only: it would have failed.
        ReportOnlyFailure = "reportOnlyFailure";
        /// Report-only: its conditions did not match.
        ReportOnlyNotApplied = "reportOnlyNotApplied";
        /// Report-only: it would have required an action of the user.
        ReportOnlyInterrupted = "reportOnlyInterrupted";
    }
}

open_enum! {
    /// The result of all Conditional Access policies for a sign-in.
    ConditionalAccessStatus {
        /// All policies that applied were met.
        Success = "success";
        /// A policy was not met.
        Failure = "failure";
        /// No policy applied.
        NotApplied = "notApplied";
    }
}

complex! {
    /// One step of the authentication of a sign-in; in beta.
    AuthenticationDetail {
        /// Method, such as `Password` or `Authenticator App`.
        authentication_method: String = AUTHENTICATION_METHOD("authenticationMethod");
        /// More about the method, such as the phone or device.
        authentication_method_detail: String = AUTHENTICATION_METHOD_DETAIL("authenticationMethodDetail");
        /// When the step took place (UTC).
        authentication_step_date_time: Timestamp = AUTHENTICATION_STEP_DATE_TIME("authenticationStepDateTime");
        /// What the step satisfied, such as primary or multifactor authentication.
        authentication_step_requirement: String = AUTHENTICATION_STEP_REQUIREMENT("authenticationStepRequirement");
        /// Why it succeeded or failed.
        authentication_step_result_detail: String = AUTHENTICATION_STEP_RESULT_DETAIL("authenticationStepResultDetail");
        /// Whether it succeeded.
        succeeded: bool = SUCCEEDED("succeeded");
    }
}

complex! {
    /// The managed identity of a sign-in; in beta.
    ManagedIdentity {
        /// Azure resource id of the resource that has the identity.
        associated_resource_id: String = ASSOCIATED_RESOURCE_ID("associatedResourceId");
        /// Id of the federated token.
        federated_token_id: String = FEDERATED_TOKEN_ID("federatedTokenId");
        /// Issuer of the federated token.
        federated_token_issuer: String = FEDERATED_TOKEN_ISSUER("federatedTokenIssuer");
        /// Type of the identity.
        msi_type: ManagedIdentityType = MSI_TYPE("msiType");
    }
}

open_enum! {
    /// The type of a managed identity.
    ManagedIdentityType {
        /// Not a managed identity.
        None = "none";
        /// One that exists by itself.
        UserAssigned = "userAssigned";
        /// One that belongs to one resource.
        SystemAssigned = "systemAssigned";
    }
}

open_enum! {
    /// The kind of a sign-in; in beta.
    SignInEventType {
        /// A user, with interaction.
        InteractiveUser = "interactiveUser";
        /// A client on behalf of a user, such as by a refresh token.
        NonInteractiveUser = "nonInteractiveUser";
        /// A service principal by its own credential.
        ServicePrincipal = "servicePrincipal";
        /// A managed identity of an Azure resource.
        ManagedIdentity = "managedIdentity";
    }
}

open_enum! {
    /// The type of the credential that a client authenticated with; in beta.
    ClientCredentialType {
        /// No credential.
        None = "none";
        /// A client secret.
        ClientSecret = "clientSecret";
        /// A signed assertion.
        ClientAssertion = "clientAssertion";
        /// A token of another issuer.
        FederatedIdentityCredential = "federatedIdentityCredential";
        /// A managed identity.
        ManagedIdentity = "managedIdentity";
        /// A certificate.
        Certificate = "certificate";
    }
}

open_enum! {
    /// The type of the token that was presented in a sign-in; in beta.
    IncomingTokenType {
        /// No token.
        None = "none";
        /// A primary refresh token of a device.
        PrimaryRefreshToken = "primaryRefreshToken";
        /// A SAML 1.1 token.
        Saml11 = "saml11";
        /// A SAML 2.0 token.
        Saml20 = "saml20";
        /// A Remote Desktop token.
        RemoteDesktopToken = "remoteDesktopToken";
        /// A refresh token.
        RefreshToken = "refreshToken";
    }
}

open_enum! {
    /// The protocol or grant of a sign-in; in beta.
    AuthenticationProtocol {
        /// Any other.
        None = "none";
        /// OAuth 2.0.
        OAuth2 = "oAuth2";
        /// The resource owner password credentials grant.
        Ropc = "ropc";
        /// WS-Federation.
        WsFederation = "wsFederation";
        /// SAML 2.0.
        Saml20 = "saml20";
        /// The device authorization grant.
        DeviceCode = "deviceCode";
        /// A transfer from another device.
        AuthenticationTransfer = "authenticationTransfer";
        /// Native authentication of an external tenant.
        NativeAuth = "nativeAuth";
    }
}

open_enum! {
    /// How a sign-in crossed tenants; in beta.
    SignInAccessType {
        /// It did not.
        None = "none";
        /// As a guest.
        B2bCollaboration = "b2bCollaboration";
        /// By direct connect, without a guest.
        B2bDirectConnect = "b2bDirectConnect";
        /// Microsoft's support.
        MicrosoftSupport = "microsoftSupport";
        /// A partner on behalf of its customer.
        ServiceProvider = "serviceProvider";
        /// Passed through.
        Passthrough = "passthrough";
    }
}

open_enum! {
    /// Whether a user is a member or a guest of the tenant.
    SignInUserType {
        /// A member.
        Member = "member";
        /// A guest.
        Guest = "guest";
    }
}

open_enum! {
    /// The type of an identity provider.
    TokenIssuerType {
        /// Microsoft Entra ID.
        AzureAd = "AzureAD";
        /// Active Directory Federation Services.
        AdFederationServices = "ADFederationServices";
        /// The backup authentication service of Entra.
        AzureAdBackupAuth = "AzureADBackupAuth";
        /// The multifactor adapter of Active Directory Federation Services.
        AdFederationServicesMfaAdapter = "ADFederationServicesMFAAdapter";
        /// The extension of Network Policy Server.
        NpsExtension = "NPSExtension";
    }
}
