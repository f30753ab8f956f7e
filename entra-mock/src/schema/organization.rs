//! `organization`: properties, `$filter` rules, `$orderby`, `$search`.

use super::{operation::*, *};

pub(super) const ORGANIZATION: EntityType = EntityType {
    name: "organization",
    set: "organization",
    control_path: None,
    directory: false,
    open: true,
    object: false,
    id: IdForm::Text,
    key: None,
    unique: &[],
    log_time: None,
    premium: Premium::No,
    list_options: SELECT_ONLY,
    object_options: SELECT_ONLY,
    pages: None,
    visibility: Visibility::with(READ_ORGANIZATION),
    deletion: Deletion::Hard,
    behavior: Behavior::AsDeclared,
    creators: Creators::Administrators,
    principal: None,
    application: None,
    activities: Activities {
        update: "Set Company Information",
        ..Activities::of("DirectoryManagement")
    },
    properties: &[
        text("id").shown(),
        date("deletedDateTime").shown(),
        complex("assignedPlans").many().shown(),
        text("businessPhones").many().shown(),
        text("city").shown(),
        text("country").shown(),
        text("countryLetterCode").shown(),
        date("createdDateTime").shown(),
        text("defaultUsageLocation").shown(),
        text("displayName").shown(),
        text("marketingNotificationEmails")
            .many()
            .shown()
            .at_update(),
        text("mobileDeviceManagementAuthority").shown(),
        date("onPremisesLastSyncDateTime").shown(),
        boolean("onPremisesSyncEnabled").shown(),
        text("partnerTenantType").shown(),
        text("postalCode").shown(),
        text("preferredLanguage").shown(),
        complex("privacyProfile").shown().at_update(),
        complex("provisionedPlans").many().shown(),
        text("securityComplianceNotificationMails")
            .many()
            .shown()
            .at_update(),
        text("securityComplianceNotificationPhones")
            .many()
            .shown()
            .at_update(),
        text("state").shown(),
        text("street").shown(),
        text("technicalNotificationMails")
            .many()
            .shown()
            .at_update(),
        text("tenantType").shown(),
        complex("verifiedDomains").many().shown(),
    ],
    rules: &[],
    order: &[],
    search: &[],
    navigation: &[
        "branding",
        "certificateBasedAuthConfiguration",
        "extensions",
    ],
    relationships: &[],
    operations: &[
        organization("GET", "/organization"),
        organization("GET", "/organization/{id}"),
        both(
            "PATCH",
            "/organization/{id}",
            &["Organization.ReadWrite.All"],
        ),
    ],
};
