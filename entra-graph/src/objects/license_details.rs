use entra_core::Guid;

use super::types::ServicePlanInfo;
use crate::{
    model::{capable, entity},
    odata::{Described, EntityInfo},
};

entity! {
    /// A licence that a user has, with its service plans.
    LicenseDetails: "#microsoft.graph.licenseDetails", always [sku_id] {
        /// The service plans, each with the state of its provisioning for the user.
        service_plans: Vec<ServicePlanInfo> = SERVICE_PLANS("servicePlans");
        /// Id of the SKU, as in [`SubscribedSku::sku_id`](crate::SubscribedSku::sku_id).
        sku_id: String as Guid = SKU_ID("skuId");
        /// Short name of the SKU, such as `AAD_PREMIUM`.
        sku_part_number: String = SKU_PART_NUMBER("skuPartNumber");
    }
}

impl Described for LicenseDetails {
    const INFO: EntityInfo = EntityInfo::other("licence of a user", "licences of a user", None);
}

capable!(LicenseDetails: Selectable);
