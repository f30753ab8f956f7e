use entra_core::Timestamp;

use super::types::{
    AppliedConditionalAccessPolicy, AuthenticationAppDeviceDetails, ConditionalAccessStatus,
    DeviceDetail, RiskDetail, RiskEventType, RiskLevel, RiskState, SignInLocation, SignInStatus,
};
use crate::{
    model::{capable, entity},
    odata::{Described, EntityInfo, nested},
};

/// Declares a model of a sign-in: the properties that v1.0 and beta share, and more.
macro_rules! sign_in {
    ($(#[$meta:meta])* $name:ident { $($more:tt)* }) => {
        entity! {
            $(#[$meta])*
            $name: "#microsoft.graph.signIn", always [created_date_time] {
                /// Name of the application signed in to, as it was then.
                app_display_name: String = APP_DISPLAY_NAME("appDisplayName", "eq startsWith");
                /// Application (client) id signed in to.
                app_id: String = APP_ID("appId", "eq");
                /// Conditional Access policies evaluated; needs a policy read permission.
                applied_conditional_access_policies: Vec<AppliedConditionalAccessPolicy> = APPLIED_CONDITIONAL_ACCESS_POLICIES("appliedConditionalAccessPolicies");
                /// Device that ran the authenticator app.
                authentication_app_device_details: Box<AuthenticationAppDeviceDetails> as AuthenticationAppDeviceDetails = AUTHENTICATION_APP_DEVICE_DETAILS("authenticationAppDeviceDetails");
                /// Kind of client, such as `Browser` or a legacy protocol.
                client_app_used: String = CLIENT_APP_USED("clientAppUsed", "eq");
                /// Combined outcome of the Conditional Access policies.
                conditional_access_status: ConditionalAccessStatus = CONDITIONAL_ACCESS_STATUS("conditionalAccessStatus", "eq");
                /// Id the client sent; joins entries of one attempt.
                correlation_id: String = CORRELATION_ID("correlationId", "eq");
                /// When the sign-in began (UTC).
                created_date_time: Timestamp = CREATED_DATE_TIME("createdDateTime", "eq ge le orderby");
                /// Device and browser used.
                device_detail: Box<DeviceDetail> as DeviceDetail = DEVICE_DETAIL("deviceDetail");
                /// Tenant the user comes from.
                home_tenant_id: String = HOME_TENANT_ID("homeTenantId");
                /// IP address of the sign-in.
                ip_address: String = IP_ADDRESS("ipAddress", "eq startsWith");
                /// Whether the sign-in was interactive.
                is_interactive: bool = IS_INTERACTIVE("isInteractive");
                /// Location, derived from the IP address.
                location: Box<SignInLocation> as SignInLocation = LOCATION("location");
                /// Name of the resource signed in to.
                resource_display_name: String = RESOURCE_DISPLAY_NAME("resourceDisplayName", "eq");
                /// Application id of the resource signed in to.
                resource_id: String = RESOURCE_ID("resourceId", "eq");
                /// Tenant that holds the resource.
                resource_tenant_id: String = RESOURCE_TENANT_ID("resourceTenantId");
                /// Why the risk has its present state; `hidden` without P2.
                risk_detail: RiskDetail = RISK_DETAIL("riskDetail", "eq");
                /// Risk detections, as closed enum names; superseded by the v2 list.
                risk_event_types: Vec<RiskEventType> = RISK_EVENT_TYPES("riskEventTypes", "eq");
                /// Risk detections of the sign-in, as text.
                risk_event_types_v2: Vec<String> = RISK_EVENT_TYPES_V2("riskEventTypes_v2", "eq startsWith");
                /// Risk level over all detections; `hidden` without P2.
                risk_level_aggregated: RiskLevel = RISK_LEVEL_AGGREGATED("riskLevelAggregated", "eq");
                /// Risk level at that moment; `hidden` without P2.
                risk_level_during_sign_in: RiskLevel = RISK_LEVEL_DURING_SIGN_IN("riskLevelDuringSignIn", "eq");
                /// State of the risk of this user or sign-in.
                risk_state: RiskState = RISK_STATE("riskState", "eq");
                /// Outcome, with error code and reason.
                status: Box<SignInStatus> as SignInStatus = STATUS("status");
                /// Name of the user at that time.
                user_display_name: String = USER_DISPLAY_NAME("userDisplayName", "eq startsWith");
                /// Object id of the user.
                user_id: String = USER_ID("userId", "eq");
                /// User principal name at that time.
                user_principal_name: String = USER_PRINCIPAL_NAME("userPrincipalName", "eq startsWith");
                $($more)*
            }
        }

        impl $name {
            /// Whether the sign-in succeeded: the error code is present and 0.
            #[must_use]
            pub fn is_success(&self) -> bool {
                let code = self.status.as_ref().and_then(|status| status.error_code);
                code == Some(0)
            }
        }

        impl Described for $name {
            const INFO: EntityInfo = INFO;
        }

        capable!($name: Filterable, Orderable, Toppable);
    };
}

sign_in! {
    /// One interactive sign-in of a user, as the sign-in log of v1.0 has it; [`beta::SignIn`] has every kind.
    SignIn {
        /// Object id of the signed-in service principal, if one signed in.
        service_principal_id: String = SERVICE_PRINCIPAL_ID("servicePrincipalId");
        /// Name of the signed-in service principal, if one signed in.
        service_principal_name: String = SERVICE_PRINCIPAL_NAME("servicePrincipalName");
        /// User agent text of the client.
        user_agent: String = USER_AGENT("userAgent");
    }
}

/// Types of operations that exist in beta only, which Microsoft changes without notice.
pub(super) mod beta {
    use super::{
        super::types::{
            AuthenticationDetail, AuthenticationProtocol, ClientCredentialType, IncomingTokenType,
            ManagedIdentity, SignInAccessType, SignInEventType, SignInUserType, TokenIssuerType,
        },
        *,
    };
    use crate::objects::types::KeyValue;

    sign_in! {
        /// One sign-in of a user, a service principal or a managed identity, as the sign-in log of beta has it.
        SignIn {
            /// Steps of the authentication, with their results.
            authentication_details: Vec<AuthenticationDetail> = AUTHENTICATION_DETAILS("authenticationDetails");
            /// Authentication methods used, such as `Password`.
            authentication_methods_used: Vec<String> = AUTHENTICATION_METHODS_USED("authenticationMethodsUsed");
            /// Further facts as keys and values, such as the agent of pass-through authentication.
            authentication_processing_details: Vec<KeyValue> = AUTHENTICATION_PROCESSING_DETAILS("authenticationProcessingDetails");
            /// Protocol or grant of the sign-in.
            authentication_protocol: AuthenticationProtocol = AUTHENTICATION_PROTOCOL("authenticationProtocol");
            /// Highest level of authentication required, such as `multiFactorAuthentication`.
            authentication_requirement: String = AUTHENTICATION_REQUIREMENT("authenticationRequirement", "eq startsWith");
            /// Number of the autonomous system of the client's network.
            autonomous_system_number: i32 = AUTONOMOUS_SYSTEM_NUMBER("autonomousSystemNumber");
            /// Azure resource id of the resource that was accessed.
            azure_resource_id: String = AZURE_RESOURCE_ID("azureResourceId");
            /// Type of the credential that the client authenticated with.
            client_credential_type: ClientCredentialType = CLIENT_CREDENTIAL_TYPE("clientCredentialType");
            /// How the sign-in crossed tenants.
            cross_tenant_access_type: SignInAccessType = CROSS_TENANT_ACCESS_TYPE("crossTenantAccessType");
            /// Id of the federated identity credential, if one was used.
            federated_credential_id: String = FEDERATED_CREDENTIAL_ID("federatedCredentialId");
            /// Whether the user flagged the failed sign-in for the administrators.
            flagged_for_review: bool = FLAGGED_FOR_REVIEW("flaggedForReview");
            /// Name of the user's home tenant, if that tenant consents to show it.
            home_tenant_name: String = HOME_TENANT_NAME("homeTenantName");
            /// Type of the token that was presented.
            incoming_token_type: IncomingTokenType = INCOMING_TOKEN_TYPE("incomingTokenType");
            /// Whether a tenant restriction applied.
            is_tenant_restricted: bool = IS_TENANT_RESTRICTED("isTenantRestricted");
            /// Managed identity that signed in.
            managed_service_identity: Box<ManagedIdentity> as ManagedIdentity = MANAGED_SERVICE_IDENTITY("managedServiceIdentity");
            /// Request id of the first request of the sign-in.
            original_request_id: String = ORIGINAL_REQUEST_ID("originalRequestId", "eq");
            /// Time that Entra took to process the request, in milliseconds.
            processing_time_in_milliseconds: i32 = PROCESSING_TIME_IN_MILLISECONDS("processingTimeInMilliseconds");
            /// Object id of the service principal of the resource.
            resource_service_principal_id: String = RESOURCE_SERVICE_PRINCIPAL_ID("resourceServicePrincipalId");
            /// Key id of the secret or certificate that the client authenticated with.
            service_principal_credential_key_id: String = SERVICE_PRINCIPAL_CREDENTIAL_KEY_ID("servicePrincipalCredentialKeyId");
            /// Thumbprint of the certificate that the client authenticated with.
            service_principal_credential_thumbprint: String = SERVICE_PRINCIPAL_CREDENTIAL_THUMBPRINT("servicePrincipalCredentialThumbprint");
            /// Object id of the signed-in service principal, if one signed in.
            service_principal_id: String = SERVICE_PRINCIPAL_ID("servicePrincipalId", "eq startsWith");
            /// Name of the signed-in service principal, if one signed in.
            service_principal_name: String = SERVICE_PRINCIPAL_NAME("servicePrincipalName", "eq startsWith");
            /// Id of the session that the sign-in belongs to.
            session_id: String = SESSION_ID("sessionId");
            /// Kind of the sign-in.
            sign_in_event_types: Vec<SignInEventType> = SIGN_IN_EVENT_TYPES("signInEventTypes", "eq ne");
            /// User name that the user entered.
            sign_in_identifier: String = SIGN_IN_IDENTIFIER("signInIdentifier");
            /// Name of the identity provider.
            token_issuer_name: String = TOKEN_ISSUER_NAME("tokenIssuerName", "eq");
            /// Type of the identity provider.
            token_issuer_type: TokenIssuerType = TOKEN_ISSUER_TYPE("tokenIssuerType");
            /// Id of the token issued, its claim `uti`.
            unique_token_identifier: String = UNIQUE_TOKEN_IDENTIFIER("uniqueTokenIdentifier");
            /// User agent text of the client.
            user_agent: String = USER_AGENT("userAgent", "eq startsWith");
            /// Whether the user is a member or a guest.
            user_type: SignInUserType = USER_TYPE("userType");
        }
    }

    impl SignIn {
        /// Whether the entry is of this kind.
        #[must_use]
        #[inline]
        pub fn is_event_type(&self, event_type: &SignInEventType) -> bool {
            let types = self.sign_in_event_types.as_ref();
            types.is_some_and(|types| types.contains(event_type))
        }
    }
}

// The properties behind a slash are documented with the property before it.
const INFO: EntityInfo = EntityInfo::other("sign-in", "sign-ins", Some(1000)).with_nested(&[
    nested("deviceDetail/browser", "eq startsWith"),
    nested("deviceDetail/operatingSystem", "eq startsWith"),
    nested("location/city", "eq startsWith"),
    nested("location/countryOrRegion", "eq startsWith"),
    nested("location/state", "eq startsWith"),
    nested("status/errorCode", "eq"),
]);
