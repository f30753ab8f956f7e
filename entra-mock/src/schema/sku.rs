//! Graph's table for one entity: properties, `$filter` rules, `$orderby`, `$search`.

use super::{operation::*, *};

pub(super) const SKU: EntityType = EntityType {
    name: "subscribedSku",
    set: "subscribedSkus",
    directory: false,
    open: false,
    object: false,
    id: IdForm::Text,
    key: None,
    unique: &[],
    log_time: None,
    premium: Premium::No,
    list_options: SELECT_ONLY,
    object_options: SELECT_ONLY,
    pages: None,
    visibility: Visibility::with(READ_LICENCES),
    deletion: Deletion::Hard,
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
    relationships: &[],
    operations: &[
        both("GET", "/subscribedSkus", READ_LICENCES),
        row(
            "GET",
            "/subscribedSkus/{id}",
            &[
                "LicenseAssignment.Read.All",
                "Organization.Read.All",
                "Directory.Read.All",
                "Directory.ReadWrite.All",
            ],
            READ_LICENCES,
        ),
    ],
};
