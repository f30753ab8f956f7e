use entra_core::Guid;

use super::types::{LicenseUnitsDetail, ServicePlanInfo};
use crate::{
    model::{capable, entity},
    odata::{Described, EntityInfo},
};

entity! {
    /// Licences of one kind that the tenant has bought.
    SubscribedSku: "#microsoft.graph.subscribedSku", always [sku_id] {
        /// Billing account that bought the SKU.
        account_id: String = ACCOUNT_ID("accountId");
        /// Name of the billing account.
        account_name: String = ACCOUNT_NAME("accountName");
        /// `User` or `Company`: what the SKU is assigned to.
        applies_to: String = APPLIES_TO("appliesTo");
        /// `Enabled`, `Warning`, `Suspended`, `Deleted` or `LockedOut`.
        capability_status: String = CAPABILITY_STATUS("capabilityStatus");
        /// Licences in use.
        consumed_units: i32 = CONSUMED_UNITS("consumedUnits");
        /// Licences bought, by state.
        prepaid_units: Box<LicenseUnitsDetail> as LicenseUnitsDetail = PREPAID_UNITS("prepaidUnits");
        /// Service plans the SKU contains.
        service_plans: Vec<ServicePlanInfo> = SERVICE_PLANS("servicePlans");
        /// Id of the SKU, as used in licence assignments.
        sku_id: String as Guid = SKU_ID("skuId");
        /// Short name of the SKU, such as `AAD_PREMIUM`.
        sku_part_number: String = SKU_PART_NUMBER("skuPartNumber");
        /// Commercial subscriptions that provide the licences.
        subscription_ids: Vec<String> = SUBSCRIPTION_IDS("subscriptionIds");
    }
}

impl Described for SubscribedSku {
    const INFO: EntityInfo = EntityInfo::other("subscribed SKU", "subscribed SKUs", None);
}

capable!(SubscribedSku: Selectable);
