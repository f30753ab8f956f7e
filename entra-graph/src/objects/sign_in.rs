use entra_core::Timestamp;

use super::types::{
    AppliedConditionalAccessPolicy, AuthenticationAppDeviceDetails, ConditionalAccessStatus,
    DeviceDetail, RiskDetail, RiskEventType, RiskLevel, RiskState, SignInLocation, SignInStatus,
};
use crate::{
    model::{capable, entity},
    odata::{Described, EntityInfo, nested},
};

entity! {
    /// One sign-in, as the sign-in log has it.
    SignIn: "#microsoft.graph.signIn", always [created_date_time] {
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
        /// Object id of the signed-in service principal, if one signed in.
        service_principal_id: String = SERVICE_PRINCIPAL_ID("servicePrincipalId");
        /// Name of the signed-in service principal, if one signed in.
        service_principal_name: String = SERVICE_PRINCIPAL_NAME("servicePrincipalName");
        /// Outcome, with error code and reason.
        status: Box<SignInStatus> as SignInStatus = STATUS("status");
        /// User agent text of the client.
        user_agent: String = USER_AGENT("userAgent");
        /// Name of the user at that time.
        user_display_name: String = USER_DISPLAY_NAME("userDisplayName", "eq startsWith");
        /// Object id of the user.
        user_id: String = USER_ID("userId", "eq");
        /// User principal name at that time.
        user_principal_name: String = USER_PRINCIPAL_NAME("userPrincipalName", "eq startsWith");
    }
}

impl SignIn {
    /// Whether the sign-in succeeded: the error code is present and 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        let code = self.status.as_ref().and_then(|status| status.error_code);
        code == Some(0)
    }
}

impl Described for SignIn {
    // The properties behind a slash are documented with the property before it.
    const INFO: EntityInfo = EntityInfo::other("sign-in", "sign-ins", Some(1000)).with_nested(&[
        nested("deviceDetail/browser", "eq startsWith"),
        nested("deviceDetail/operatingSystem", "eq startsWith"),
        nested("location/city", "eq startsWith"),
        nested("location/countryOrRegion", "eq startsWith"),
        nested("location/state", "eq startsWith"),
        nested("status/errorCode", "eq"),
    ]);
}

capable!(SignIn: Filterable, Orderable, Toppable);
