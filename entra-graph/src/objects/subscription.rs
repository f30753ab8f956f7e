use entra_core::{Secret, Timestamp};

use crate::{
    model::entity,
    odata::{Described, EntityInfo},
};

entity! {
    /// A subscription to change notifications.
    Subscription: "#microsoft.graph.subscription", always [resource] {
        /// The application that created it.
        application_id: String = APPLICATION_ID("applicationId");
        /// The changes that are reported, joined by commas, such as `updated,deleted`.
        change_type: String = CHANGE_TYPE("changeType");
        /// The secret that each notification carries. Graph was seen to leave it out of reads.
        client_state: Secret = CLIENT_STATE("clientState");
        /// The user or service principal that created it.
        creator_id: String = CREATOR_ID("creatorId");
        /// The public part of the certificate for resource data, in base64. Graph returns none.
        encryption_certificate: String = ENCRYPTION_CERTIFICATE("encryptionCertificate") set;
        /// The name of that certificate, at most 128 characters.
        encryption_certificate_id: String = ENCRYPTION_CERTIFICATE_ID("encryptionCertificateId") set;
        /// When it expires (UTC).
        expiration_date_time: Timestamp = EXPIRATION_DATE_TIME("expirationDateTime") set never null;
        /// Whether notifications contain the changed resource, encrypted.
        include_resource_data: bool = INCLUDE_RESOURCE_DATA("includeResourceData");
        /// The newest version of TLS that the endpoint supports, such as `v1_2`.
        latest_supported_tls_version: String = LATEST_SUPPORTED_TLS_VERSION("latestSupportedTlsVersion") set;
        /// Where lifecycle notifications are sent to.
        lifecycle_notification_url: String = LIFECYCLE_NOTIFICATION_URL("lifecycleNotificationUrl");
        /// OData options of the resource, for printers only.
        notification_query_options: String = NOTIFICATION_QUERY_OPTIONS("notificationQueryOptions");
        /// Where change notifications are sent to.
        notification_url: String = NOTIFICATION_URL("notificationUrl") set never null;
        /// The audience of validation tokens, if it is not the application itself.
        notification_url_app_id: String = NOTIFICATION_URL_APP_ID("notificationUrlAppId") set;
        /// The path of what is subscribed to, such as `users`.
        resource: String = RESOURCE("resource");
    }
}

impl Described for Subscription {
    const INFO: EntityInfo = EntityInfo::other("subscription", "subscriptions", None)
        .with_no_object_options(&["$select"]);
}
