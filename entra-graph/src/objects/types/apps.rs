use entra_core::{Guid, Timestamp};

use super::KeyValue;
use crate::model::complex;

complex! {
    /// An action of an app that another service can call.
    AddIn {
        /// The id of the add-in.
        id: String as Guid = ID("id");
        /// Its parameters.
        properties: Vec<KeyValue> = PROPERTIES("properties");
        /// Which interface it implements.
        kind: String = KIND("type");
    }
}

complex! {
    /// A role that an app defines.
    AppRole {
        /// What it can be assigned to: `User` (users and groups), `Application`, or both.
        allowed_member_types: Vec<String> = ALLOWED_MEMBER_TYPES("allowedMemberTypes");
        /// The description that users see at assignment or consent.
        description: String = DESCRIPTION("description");
        /// The name that users see at assignment or consent.
        display_name: String = DISPLAY_NAME("displayName");
        /// The id that assignments refer to.
        id: String as Guid = ID("id");
        /// Whether it can be assigned; it must be off before removal.
        is_enabled: bool = IS_ENABLED("isEnabled");
        /// Whether it comes from `Application` or `ServicePrincipal`.
        origin: String = ORIGIN("origin");
        /// The name that tokens hold in `roles`.
        value: String = VALUE("value");
    }
}

complex! {
    /// Informational URLs of an application.
    InformationalUrl {
        /// The CDN URL of the logo.
        logo_url: String = LOGO_URL("logoUrl");
        /// The marketing page.
        marketing_url: String = MARKETING_URL("marketingUrl");
        /// The privacy statement.
        privacy_statement_url: String = PRIVACY_STATEMENT_URL("privacyStatementUrl");
        /// The support page.
        support_url: String = SUPPORT_URL("supportUrl");
        /// The terms of service.
        terms_of_service_url: String = TERMS_OF_SERVICE_URL("termsOfServiceUrl");
    }
}

complex! {
    /// A delegated permission that an API offers.
    PermissionScope {
        /// The description that administrators see when they consent for all users.
        admin_consent_description: String = ADMIN_CONSENT_DESCRIPTION("adminConsentDescription");
        /// The name that administrators see at consent.
        admin_consent_display_name: String = ADMIN_CONSENT_DISPLAY_NAME("adminConsentDisplayName");
        /// The id that requests and grants refer to.
        id: String as Guid = ID("id");
        /// Whether it can be granted; it must be off before removal.
        is_enabled: bool = IS_ENABLED("isEnabled");
        /// For internal use by Entra.
        origin: String = ORIGIN("origin");
        /// Who may consent: `User` for users, `Admin` for administrators only.
        kind: String = KIND("type");
        /// The description that users see when they consent.
        user_consent_description: String = USER_CONSENT_DESCRIPTION("userConsentDescription");
        /// The name that users see when they consent.
        user_consent_display_name: String = USER_CONSENT_DISPLAY_NAME("userConsentDisplayName");
        /// The name that tokens hold in `scp`.
        value: String = VALUE("value");
    }
}

complex! {
    /// A publisher of apps that Microsoft has verified.
    VerifiedPublisher {
        /// When it was first added or last updated.
        added_date_time: Timestamp = ADDED_DATE_TIME("addedDateTime");
        /// Its name in the partner programme.
        display_name: String = DISPLAY_NAME("displayName");
        /// Its id in the partner programme.
        verified_publisher_id: String = VERIFIED_PUBLISHER_ID("verifiedPublisherId");
    }
}
