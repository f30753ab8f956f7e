//! Graph's table for one entity: properties, `$filter` rules, `$orderby`, `$search`.

use super::{Entity, complex, guid, int, text};

pub(super) const SKU: Entity = Entity {
    name: "subscribedSku",
    set: "subscribedSkus",
    directory: false,
    open: false,
    properties: &[
        text("id").shown(),
        text("accountId").shown(),
        text("accountName").shown(),
        text("appliesTo").shown(),
        text("capabilityStatus").shown(),
        int("consumedUnits").shown(),
        complex("prepaidUnits").shown(),
        complex("servicePlans").many().shown(),
        guid("skuId").shown(),
        text("skuPartNumber").shown(),
        text("subscriptionIds").many().shown(),
    ],
    rules: &[],
    order: &[],
    search: &[],
    navigation: &[],
};
