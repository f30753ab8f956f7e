//! `subscription`: who is notified of which changes. It supports no query options.

use super::*;

pub(super) const SUBSCRIPTION: EntityType = EntityType {
    name: "subscription",
    set: "subscriptions",
    control_path: None,
    directory: false,
    open: false,
    object: false,
    id: IdForm::Guid,
    key: None,
    unique: &[],
    log_time: None,
    premium: Premium::No,
    list_options: &[],
    object_options: &[],
    // It is paged (msgraph-sdk-javascript issue 906); the size is not documented.
    pages: DIRECTORY_PAGES,
    // Each application sees its own subscriptions only, and all of them.
    visibility: Visibility::with(&[]),
    deletion: Deletion::Hard,
    behavior: Behavior::AsDeclared,
    creators: Creators::Administrators,
    principal: None,
    application: None,
    activities: Activities::of("Subscription"),
    properties: &[
        text("id").shown(),
        text("applicationId").shown(),
        text("changeType").shown().required().at_creation(),
        text("clientState").shown().at_creation().up_to(128),
        text("creatorId").shown(),
        text("encryptionCertificate").shown().writable(),
        text("encryptionCertificateId")
            .shown()
            .writable()
            .up_to(128),
        date("expirationDateTime").shown().required(),
        boolean("includeResourceData").shown().at_creation(),
        text("latestSupportedTlsVersion")
            .shown()
            .at_creation()
            .one_of(&["v1_0", "v1_1", "v1_2", "v1_3"]),
        text("lifecycleNotificationUrl").shown().at_creation(),
        text("notificationContentType").shown(),
        text("notificationQueryOptions").shown().at_creation(),
        text("notificationUrl").shown().required(),
        text("notificationUrlAppId").shown().at_creation(),
        text("resource").shown().required().at_creation(),
    ],
    rules: &[],
    order: &[],
    search: &[],
    navigation: &[],
    relationships: &[],
    operations: &[
        operation::both("GET", "/subscriptions", READ_SUBSCRIBED),
        operation::both("POST", "/subscriptions", READ_SUBSCRIBED),
        operation::both("GET", "/subscriptions/{id}", READ_SUBSCRIBED),
        operation::both("PATCH", "/subscriptions/{id}", READ_SUBSCRIBED),
        operation::both("DELETE", "/subscriptions/{id}", READ_SUBSCRIBED),
        operation::both("POST", "/subscriptions/{id}/reauthorize", READ_SUBSCRIBED),
    ],
};

/// The permissions of all resources. Which one a subscription needs depends on its resource.
const READ_SUBSCRIBED: &[&str] = &["User.Read.All", "Group.Read.All"];
