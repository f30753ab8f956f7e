use entra_core::Guid;

use crate::model::{complex, open_enum};

complex! {
    /// A permission on single resources, such as one team, that an app offers.
    ResourceSpecificPermission {
        /// What it allows.
        description: String = DESCRIPTION("description");
        /// Its name at consent.
        display_name: String = DISPLAY_NAME("displayName");
        /// Its id.
        id: String as Guid = ID("id");
        /// Whether it can be granted.
        is_enabled: bool = IS_ENABLED("isEnabled");
        /// The name that tokens and manifests use.
        value: String = VALUE("value");
    }
}

complex! {
    /// Settings of a sign-in by SAML.
    SamlSingleSignOnSettings {
        /// The URL to which users are redirected after a sign-in.
        relay_state: String = RELAY_STATE("relayState");
    }
}

open_enum! {
    /// The class of a delegated permission, for settings of user consent.
    PermissionClassificationType {
        /// It permits little.
        Low = "low";
        /// In between; in preview.
        Medium = "medium";
        /// It permits much; in preview.
        High = "high";
    }
}
