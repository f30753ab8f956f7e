use std::fmt;

use entra_core::{Guid, Timestamp};

use crate::model::complex;

complex! {
    /// A licence given to a user or a group.
    AssignedLicense {
        /// The service plans of the licence that are switched off.
        disabled_plans: Vec<String> as Vec<Guid> = DISABLED_PLANS("disabledPlans");
        /// Which licence it is.
        sku_id: String as Guid = SKU_ID("skuId");
    }
}

impl AssignedLicense {
    /// The licence of this SKU, with all of its service plans: a [`Guid`] or its text, such as
    /// [`SubscribedSku::sku_id`](crate::SubscribedSku::sku_id).
    #[must_use]
    pub fn new(sku_id: impl fmt::Display) -> Self {
        Self::default().sku_id(sku_id.to_string())
    }

    /// Without these service plans, such as [`ServicePlanInfo::service_plan_id`](super::ServicePlanInfo::service_plan_id).
    #[must_use]
    pub fn without_plans(self, plans: impl IntoIterator<Item: fmt::Display>) -> Self {
        let plans: Vec<String> = plans.into_iter().map(|plan| plan.to_string()).collect();
        self.disabled_plans(plans)
    }
}

macro_rules! license_from {
    ($($sku:ty),*) => {$(
        /// The licence of this SKU, with all of its service plans.
        impl From<$sku> for AssignedLicense {
            #[inline]
            fn from(sku_id: $sku) -> Self {
                Self::new(sku_id)
            }
        }
    )*};
}

license_from!(Guid, &Guid, &str, String, &String);

impl From<&Self> for AssignedLicense {
    #[inline]
    fn from(license: &Self) -> Self {
        license.clone()
    }
}

complex! {
    /// A service plan that a licence brought.
    AssignedPlan {
        /// When the plan was assigned.
        assigned_date_time: Timestamp = ASSIGNED_DATE_TIME("assignedDateTime");
        /// Whether the plan works, such as `Enabled` or `Suspended`.
        capability_status: String = CAPABILITY_STATUS("capabilityStatus");
        /// The service, such as `exchange`.
        service: String = SERVICE("service");
        /// Which service plan it is.
        service_plan_id: String as Guid = SERVICE_PLAN_ID("servicePlanId");
    }
}

complex! {
    /// A service plan that was set up for an account.
    ProvisionedPlan {
        /// Whether the plan works, such as `Enabled`.
        capability_status: String = CAPABILITY_STATUS("capabilityStatus");
        /// How far the set-up is, such as `Success`.
        provisioning_status: String = PROVISIONING_STATUS("provisioningStatus");
        /// The service, such as `exchange`.
        service: String = SERVICE("service");
    }
}

complex! {
    /// How one licence came to a user, and how well that went.
    LicenseAssignmentState {
        /// The group that the licence comes from; absent when it was assigned directly.
        assigned_by_group: String = ASSIGNED_BY_GROUP("assignedByGroup");
        /// The service plans of the licence that are switched off.
        disabled_plans: Vec<String> as Vec<Guid> = DISABLED_PLANS("disabledPlans");
        /// Why the assignment failed, such as `CountViolation`.
        error: String = ERROR("error");
        /// When the state last changed.
        last_updated_date_time: Timestamp = LAST_UPDATED_DATE_TIME("lastUpdatedDateTime");
        /// Which licence it is.
        sku_id: String as Guid = SKU_ID("skuId");
        /// How far the assignment is, such as `Active` or `Error`.
        state: String = STATE("state");
    }
}
