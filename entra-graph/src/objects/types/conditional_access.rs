use entra_core::Timestamp;

use super::RiskLevel;
use crate::model::{complex, open_enum};

complex! {
    /// When a conditional access policy applies; all conditions together.
    ConditionalAccessConditionSet {
        /// Applications and user actions.
        applications: ConditionalAccessApplications = APPLICATIONS("applications");
        /// Authentication flows.
        authentication_flows: ConditionalAccessAuthenticationFlows = AUTHENTICATION_FLOWS("authenticationFlows");
        /// Service principals, for policies about workload identities.
        client_applications: ConditionalAccessClientApplications = CLIENT_APPLICATIONS("clientApplications");
        /// Types of client applications.
        client_app_types: Vec<ConditionalAccessClientApp> = CLIENT_APP_TYPES("clientAppTypes");
        /// Devices.
        devices: ConditionalAccessDevices = DEVICES("devices");
        /// Levels of insider risk, joined by commas.
        insider_risk_levels: String = INSIDER_RISK_LEVELS("insiderRiskLevels");
        /// Locations.
        locations: ConditionalAccessLocations = LOCATIONS("locations");
        /// Platforms of devices.
        platforms: ConditionalAccessPlatforms = PLATFORMS("platforms");
        /// Risk levels of service principals.
        service_principal_risk_levels: Vec<RiskLevel> = SERVICE_PRINCIPAL_RISK_LEVELS("servicePrincipalRiskLevels");
        /// Risk levels of sign-ins.
        sign_in_risk_levels: Vec<RiskLevel> = SIGN_IN_RISK_LEVELS("signInRiskLevels");
        /// Risk levels of users.
        user_risk_levels: Vec<RiskLevel> = USER_RISK_LEVELS("userRiskLevels");
        /// Users, groups and roles.
        users: ConditionalAccessUsers = USERS("users");
    }
}

complex! {
    /// Applications and user actions of a policy. Application (client) ids, `All`, `None`, `Office365` or
    /// `MicrosoftAdminPortals`.
    ConditionalAccessApplications {
        /// Applications by their attributes.
        application_filter: ConditionalAccessFilter = APPLICATION_FILTER("applicationFilter");
        /// Applications that are left out.
        exclude_applications: Vec<String> = EXCLUDE_APPLICATIONS("excludeApplications");
        /// Applications that the policy is about.
        include_applications: Vec<String> = INCLUDE_APPLICATIONS("includeApplications");
        /// Authentication contexts.
        include_authentication_context_class_references: Vec<String> = INCLUDE_AUTHENTICATION_CONTEXT_CLASS_REFERENCES("includeAuthenticationContextClassReferences");
        /// User actions, such as `urn:user:registersecurityinfo`.
        include_user_actions: Vec<String> = INCLUDE_USER_ACTIONS("includeUserActions");
    }
}

complex! {
    /// A rule over attributes, such as `device.model -eq "Surface"`.
    ConditionalAccessFilter {
        /// Whether matches are included or excluded.
        mode: FilterMode = MODE("mode");
        /// The rule.
        rule: String = RULE("rule");
    }
}

complex! {
    /// Authentication flows of a policy.
    ConditionalAccessAuthenticationFlows {
        /// `deviceCodeFlow` and `authenticationTransfer`, joined by commas.
        transfer_methods: String = TRANSFER_METHODS("transferMethods");
    }
}

complex! {
    /// Service principals of a policy.
    ConditionalAccessClientApplications {
        /// Service principals that are left out, by object id.
        exclude_service_principals: Vec<String> = EXCLUDE_SERVICE_PRINCIPALS("excludeServicePrincipals");
        /// Service principals that the policy is about, by object id, or `ServicePrincipalsInMyTenant`.
        include_service_principals: Vec<String> = INCLUDE_SERVICE_PRINCIPALS("includeServicePrincipals");
        /// Service principals by their attributes.
        service_principal_filter: ConditionalAccessFilter = SERVICE_PRINCIPAL_FILTER("servicePrincipalFilter");
    }
}

complex! {
    /// Devices of a policy.
    ConditionalAccessDevices {
        /// Devices by their attributes.
        device_filter: ConditionalAccessFilter = DEVICE_FILTER("deviceFilter");
    }
}

complex! {
    /// Locations of a policy: ids of named locations, `All` or `AllTrusted`.
    ConditionalAccessLocations {
        /// Locations that are left out.
        exclude_locations: Vec<String> = EXCLUDE_LOCATIONS("excludeLocations");
        /// Locations that the policy is about.
        include_locations: Vec<String> = INCLUDE_LOCATIONS("includeLocations");
    }
}

complex! {
    /// Platforms of a policy.
    ConditionalAccessPlatforms {
        /// Platforms that are left out.
        exclude_platforms: Vec<ConditionalAccessDevicePlatform> = EXCLUDE_PLATFORMS("excludePlatforms");
        /// Platforms that the policy is about.
        include_platforms: Vec<ConditionalAccessDevicePlatform> = INCLUDE_PLATFORMS("includePlatforms");
    }
}

complex! {
    /// Users, groups and roles of a policy, by id; users can also be `All`, `None` or `GuestsOrExternalUsers`.
    ConditionalAccessUsers {
        /// Groups whose members are left out.
        exclude_groups: Vec<String> = EXCLUDE_GROUPS("excludeGroups");
        /// Guests and external users that are left out.
        exclude_guests_or_external_users: ConditionalAccessGuestsOrExternalUsers = EXCLUDE_GUESTS_OR_EXTERNAL_USERS("excludeGuestsOrExternalUsers");
        /// Roles whose members are left out.
        exclude_roles: Vec<String> = EXCLUDE_ROLES("excludeRoles");
        /// Users that are left out.
        exclude_users: Vec<String> = EXCLUDE_USERS("excludeUsers");
        /// Groups whose members the policy is about.
        include_groups: Vec<String> = INCLUDE_GROUPS("includeGroups");
        /// Guests and external users that the policy is about.
        include_guests_or_external_users: ConditionalAccessGuestsOrExternalUsers = INCLUDE_GUESTS_OR_EXTERNAL_USERS("includeGuestsOrExternalUsers");
        /// Roles whose members the policy is about.
        include_roles: Vec<String> = INCLUDE_ROLES("includeRoles");
        /// Users that the policy is about.
        include_users: Vec<String> = INCLUDE_USERS("includeUsers");
    }
}

complex! {
    /// Guests and external users of a policy.
    ConditionalAccessGuestsOrExternalUsers {
        /// The tenants that they come from.
        external_tenants: ConditionalAccessExternalTenants = EXTERNAL_TENANTS("externalTenants");
        /// The types of guests and external users, such as `b2bCollaborationGuest`, joined by commas.
        guest_or_external_user_types: String = GUEST_OR_EXTERNAL_USER_TYPES("guestOrExternalUserTypes");
    }
}

complex! {
    /// The tenants that guests and external users come from.
    ConditionalAccessExternalTenants {
        /// The tenant ids, if they are enumerated.
        members: Vec<String> = MEMBERS("members");
        /// `all` or `enumerated`.
        membership_kind: String = MEMBERSHIP_KIND("membershipKind");
    }
}

complex! {
    /// What a sign-in must meet to be granted.
    ConditionalAccessGrantControls {
        /// How strong the authentication must be.
        authentication_strength: AuthenticationStrengthPolicy = AUTHENTICATION_STRENGTH("authenticationStrength");
        /// The controls.
        built_in_controls: Vec<ConditionalAccessGrantControl> = BUILT_IN_CONTROLS("builtInControls");
        /// Ids of custom controls.
        custom_authentication_factors: Vec<String> = CUSTOM_AUTHENTICATION_FACTORS("customAuthenticationFactors");
        /// `AND` or `OR`: whether all controls must be met, or one of them.
        operator: String = OPERATOR("operator");
        /// Ids of terms of use.
        terms_of_use: Vec<String> = TERMS_OF_USE("termsOfUse");
    }
}

complex! {
    /// A set of authentication methods that is strong enough.
    AuthenticationStrengthPolicy {
        /// Combinations of methods that are allowed, each joined by commas.
        allowed_combinations: Vec<String> = ALLOWED_COMBINATIONS("allowedCombinations");
        /// Further conditions for combinations.
        combination_configurations: Vec<AuthenticationCombinationConfiguration> = COMBINATION_CONFIGURATIONS("combinationConfigurations");
        /// When it was created (UTC).
        created_date_time: Timestamp = CREATED_DATE_TIME("createdDateTime");
        /// What it is for.
        description: String = DESCRIPTION("description");
        /// The display name.
        display_name: String = DISPLAY_NAME("displayName");
        /// The id.
        id: String = ID("id");
        /// When it was last changed (UTC).
        modified_date_time: Timestamp = MODIFIED_DATE_TIME("modifiedDateTime");
        /// `builtIn` or `custom`.
        policy_type: String = POLICY_TYPE("policyType");
        /// `mfa` if the combinations meet multifactor authentication, `none` if not.
        requirements_satisfied: String = REQUIREMENTS_SATISFIED("requirementsSatisfied");
    }
}

complex! {
    /// Further conditions for combinations of authentication methods: models of passkeys, or issuers and policies of
    /// certificates.
    AuthenticationCombinationConfiguration {
        /// Attestation ids of the models of passkeys that are allowed.
        allowed_aa_guids: Vec<String> = ALLOWED_AA_GUIDS("allowedAAGUIDs");
        /// Subject key identifiers of the issuers of certificates that are allowed.
        allowed_issuer_skis: Vec<String> = ALLOWED_ISSUER_SKIS("allowedIssuerSkis");
        /// Policies of certificates that are allowed.
        allowed_policy_oids: Vec<String> = ALLOWED_POLICY_OIDS("allowedPolicyOIDs");
        /// The combinations that the conditions are for.
        applies_to_combinations: Vec<String> = APPLIES_TO_COMBINATIONS("appliesToCombinations");
        /// The id.
        id: String = ID("id");
    }
}

complex! {
    /// What holds in the session after a sign-in.
    ConditionalAccessSessionControls {
        /// Restrictions that the application itself enforces.
        application_enforced_restrictions: ConditionalAccessSessionControl = APPLICATION_ENFORCED_RESTRICTIONS("applicationEnforcedRestrictions");
        /// Microsoft Defender for Cloud Apps.
        cloud_app_security: ConditionalAccessSessionControl = CLOUD_APP_SECURITY("cloudAppSecurity");
        /// Whether sessions are not extended during an outage.
        disable_resilience_defaults: bool = DISABLE_RESILIENCE_DEFAULTS("disableResilienceDefaults");
        /// Whether browsers stay signed in.
        persistent_browser: ConditionalAccessSessionControl = PERSISTENT_BROWSER("persistentBrowser");
        /// Whether tokens are bound to the device.
        secure_sign_in_session: ConditionalAccessSessionControl = SECURE_SIGN_IN_SESSION("secureSignInSession");
        /// How often users sign in.
        sign_in_frequency: ConditionalAccessSessionControl = SIGN_IN_FREQUENCY("signInFrequency");
    }
}

complex! {
    /// One control of a session. It has the properties of all types of controls.
    ConditionalAccessSessionControl {
        /// What has to be repeated: `primaryAndSecondaryAuthentication` or `secondaryAuthentication`; of a sign-in frequency.
        authentication_type: String = AUTHENTICATION_TYPE("authenticationType");
        /// `mcasConfigured`, `monitorOnly` or `blockDownloads`; of Defender for Cloud Apps.
        cloud_app_security_type: String = CLOUD_APP_SECURITY_TYPE("cloudAppSecurityType");
        /// `timeBased` or `everyTime`; of a sign-in frequency.
        frequency_interval: String = FREQUENCY_INTERVAL("frequencyInterval");
        /// Whether the control is on.
        is_enabled: bool = IS_ENABLED("isEnabled");
        /// `always` or `never`; of persistent browsers.
        mode: String = MODE("mode");
        /// `days` or `hours`; of a sign-in frequency.
        unit: String = UNIT("type");
        /// The number of days or hours; of a sign-in frequency.
        value: i32 = VALUE("value");
    }
}

complex! {
    /// A range of IP addresses: a block in CIDR notation, or its first and last address.
    IpRange {
        /// The block, such as `203.0.113.0/24`.
        cidr_address: String = CIDR_ADDRESS("cidrAddress");
        /// The first address.
        lower_address: String = LOWER_ADDRESS("lowerAddress");
        /// The last address.
        upper_address: String = UPPER_ADDRESS("upperAddress");
    }
}

open_enum! {
    /// Whether a policy is enforced.
    ConditionalAccessPolicyState {
        /// Neither enforced nor reported.
        Disabled = "disabled";
        /// Enforced.
        Enabled = "enabled";
        /// Reported in sign-ins, not enforced.
        EnabledForReportingButNotEnforced = "enabledForReportingButNotEnforced";
    }
}

open_enum! {
    /// A type of client application.
    ConditionalAccessClientApp {
        /// Every type.
        All = "all";
        /// Browsers.
        Browser = "browser";
        /// Clients of Exchange `ActiveSync` that support policies.
        EasSupported = "easSupported";
        /// Clients of Exchange `ActiveSync`.
        ExchangeActiveSync = "exchangeActiveSync";
        /// Applications with modern authentication.
        MobileAppsAndDesktopClients = "mobileAppsAndDesktopClients";
        /// Clients with legacy authentication.
        OtherClients = "other";
    }
}

open_enum! {
    /// The platform of a device.
    ConditionalAccessDevicePlatform {
        /// Every platform.
        All = "all";
        /// Android.
        Android = "android";
        /// iOS.
        Ios = "iOS";
        /// Linux.
        Linux = "linux";
        /// macOS.
        MacOs = "macOS";
        /// Windows.
        Windows = "windows";
        /// Windows Phone.
        WindowsPhone = "windowsPhone";
    }
}

open_enum! {
    /// A control that grants access.
    ConditionalAccessGrantControl {
        /// An approved client application.
        ApprovedApplication = "approvedApplication";
        /// No access.
        Block = "block";
        /// An application with a protection policy.
        CompliantApplication = "compliantApplication";
        /// A device that meets the compliance policies.
        CompliantDevice = "compliantDevice";
        /// A device that is joined to the on-premises directory too.
        DomainJoinedDevice = "domainJoinedDevice";
        /// Multifactor authentication.
        Mfa = "mfa";
        /// A new password.
        PasswordChange = "passwordChange";
        /// The remediation of the risk.
        RiskRemediation = "riskRemediation";
    }
}

open_enum! {
    /// Whether the matches of a rule are included or excluded.
    FilterMode {
        /// Excluded.
        Exclude = "exclude";
        /// Included.
        Include = "include";
    }
}

open_enum! {
    /// How the country of a sign-in is found.
    CountryLookupMethodType {
        /// By the coordinates of the Authenticator app.
        AuthenticatorAppGps = "authenticatorAppGps";
        /// By the IP address of the client.
        ClientIpAddress = "clientIpAddress";
    }
}
