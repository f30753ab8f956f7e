use entra_core::Guid;

use crate::model::complex;

complex! {
    /// Numbers of licences, by state.
    LicenseUnitsDetail {
        /// Units that can be used.
        enabled: i32 = ENABLED("enabled");
        /// Units locked because the customer cancelled.
        locked_out: i32 = LOCKED_OUT("lockedOut");
        /// Units suspended; their data is still kept.
        suspended: i32 = SUSPENDED("suspended");
        /// Units in the grace period after expiry.
        warning: i32 = WARNING("warning");
    }
}

complex! {
    /// A service plan that a SKU contains.
    ServicePlanInfo {
        /// `User` or `Company`: what the plan is assigned to.
        applies_to: String = APPLIES_TO("appliesTo");
        /// State of provisioning, such as `Success` or `PendingInput`.
        provisioning_status: String = PROVISIONING_STATUS("provisioningStatus");
        /// Id of the service plan.
        service_plan_id: String as Guid = SERVICE_PLAN_ID("servicePlanId");
        /// Short name of the service plan.
        service_plan_name: String = SERVICE_PLAN_NAME("servicePlanName");
    }
}
