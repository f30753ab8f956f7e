use entra_core::Timestamp;

use super::types::{
    ActivityType, RiskDetail, RiskDetectionTimingType, RiskLevel, RiskState, RiskUserActivity,
    SignInLocation, TokenIssuerType,
};
use crate::{
    model::{capable, entity},
    odata::{Described, EntityInfo},
};

entity! {
    /// A user at risk, as Identity Protection sees it. The id is the object id of the user.
    RiskyUser: "#microsoft.graph.riskyUser", always [risk_state] {
        /// Whether the user is deleted.
        is_deleted: bool = IS_DELETED("isDeleted", "eq");
        /// Whether the risk is being processed.
        is_processing: bool = IS_PROCESSING("isProcessing", "eq");
        /// Why the risk has its present state.
        risk_detail: RiskDetail = RISK_DETAIL("riskDetail", "eq");
        /// When the risk was last updated (UTC).
        risk_last_updated_date_time: Timestamp = RISK_LAST_UPDATED_DATE_TIME("riskLastUpdatedDateTime", "eq ge le gt lt");
        /// Level of the risk.
        risk_level: RiskLevel = RISK_LEVEL("riskLevel", "eq");
        /// State of the risk.
        risk_state: RiskState = RISK_STATE("riskState", "eq");
        /// Name of the user.
        user_display_name: String = USER_DISPLAY_NAME("userDisplayName", "eq startsWith");
        /// User principal name.
        user_principal_name: String = USER_PRINCIPAL_NAME("userPrincipalName", "eq startsWith");
    }
}

entity! {
    /// One risk that Identity Protection detected.
    RiskDetection: "#microsoft.graph.riskDetection", always [detected_date_time] {
        /// Activity that the risk is linked to.
        activity: ActivityType = ACTIVITY("activity", "eq");
        /// When the activity took place (UTC).
        activity_date_time: Timestamp = ACTIVITY_DATE_TIME("activityDateTime", "eq ge le gt lt");
        /// Further facts, as a JSON text.
        additional_info: String = ADDITIONAL_INFO("additionalInfo");
        /// Correlation id of the sign-in, if it is one.
        correlation_id: String = CORRELATION_ID("correlationId", "eq");
        /// When the risk was detected (UTC).
        detected_date_time: Timestamp = DETECTED_DATE_TIME("detectedDateTime", "eq ge le gt lt");
        /// Whether it was detected during the sign-in or later.
        detection_timing_type: RiskDetectionTimingType = DETECTION_TIMING_TYPE("detectionTimingType", "eq");
        /// IP address of the client.
        ip_address: String = IP_ADDRESS("ipAddress", "eq");
        /// When the detection was last updated (UTC).
        last_updated_date_time: Timestamp = LAST_UPDATED_DATE_TIME("lastUpdatedDateTime", "eq ge le gt lt");
        /// Location of the sign-in.
        location: Box<SignInLocation> as SignInLocation = LOCATION("location");
        /// Id of the sign-in, if it is one.
        request_id: String = REQUEST_ID("requestId", "eq");
        /// Why the risk has its present state.
        risk_detail: RiskDetail = RISK_DETAIL("riskDetail", "eq");
        /// Type of the risk, such as `anonymizedIPAddress`; `generic` without P2.
        risk_event_type: String = RISK_EVENT_TYPE("riskEventType", "eq");
        /// Level of the risk.
        risk_level: RiskLevel = RISK_LEVEL("riskLevel", "eq");
        /// State of the risk.
        risk_state: RiskState = RISK_STATE("riskState", "eq");
        /// Source of the detection, such as `activeDirectory`.
        source: String = SOURCE("source", "eq");
        /// Type of the identity provider.
        token_issuer_type: TokenIssuerType = TOKEN_ISSUER_TYPE("tokenIssuerType");
        /// Name of the user.
        user_display_name: String = USER_DISPLAY_NAME("userDisplayName", "eq startsWith");
        /// Object id of the user.
        user_id: String = USER_ID("userId", "eq");
        /// User principal name.
        user_principal_name: String = USER_PRINCIPAL_NAME("userPrincipalName", "eq startsWith");
    }
}

entity! {
    /// What a user at risk was at one time: the state after a change.
    RiskyUserHistoryItem: "#microsoft.graph.riskyUserHistoryItem", always [risk_state] {
        /// What changed the state.
        activity: RiskUserActivity = ACTIVITY("activity");
        /// The id of the user or application that changed it; empty if Entra did.
        initiated_by: String = INITIATED_BY("initiatedBy");
        /// Whether the user is deleted.
        is_deleted: bool = IS_DELETED("isDeleted");
        /// Whether the risk is being processed.
        is_processing: bool = IS_PROCESSING("isProcessing");
        /// Why the risk had this state.
        risk_detail: RiskDetail = RISK_DETAIL("riskDetail");
        /// When the risk was updated (UTC).
        risk_last_updated_date_time: Timestamp = RISK_LAST_UPDATED_DATE_TIME("riskLastUpdatedDateTime");
        /// Level of the risk.
        risk_level: RiskLevel = RISK_LEVEL("riskLevel");
        /// State of the risk.
        risk_state: RiskState = RISK_STATE("riskState");
        /// Name of the user.
        user_display_name: String = USER_DISPLAY_NAME("userDisplayName");
        /// Object id of the user.
        user_id: String = USER_ID("userId");
        /// User principal name.
        user_principal_name: String = USER_PRINCIPAL_NAME("userPrincipalName");
    }
}

// The documentation has `$filter` for both without operators per property; these are the plain ones.
impl Described for RiskyUser {
    const INFO: EntityInfo = EntityInfo::other("risky user", "risky users", Some(500));
}

impl Described for RiskyUserHistoryItem {
    const INFO: EntityInfo = EntityInfo::other("entry of a history", "entries of a history", None);
}

impl Described for RiskDetection {
    const INFO: EntityInfo = EntityInfo::other("risk detection", "risk detections", Some(500));
}

capable!(RiskyUser: Selectable, Filterable, Toppable);
capable!(RiskDetection: Selectable, Filterable, Toppable);
