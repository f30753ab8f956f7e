use entra_core::{Guid, Secret, Timestamp};

use crate::model::complex;

complex! {
    /// A certificate of an app or service principal.
    ///
    /// Lists and most reads leave the key itself out. Selecting it is throttled to 150 requests a
    /// minute for the whole tenant.
    KeyCredential {
        /// A custom identifier in base64, usually the thumbprint.
        custom_key_identifier: String = CUSTOM_KEY_IDENTIFIER("customKeyIdentifier");
        /// Its name.
        display_name: String = DISPLAY_NAME("displayName");
        /// When it expires.
        end_date_time: Timestamp = END_DATE_TIME("endDateTime");
        /// The certificate in base64; only for one object, with the property selected.
        key: String = KEY("key");
        /// Its id.
        key_id: String as Guid = KEY_ID("keyId");
        /// When it becomes valid.
        start_date_time: Timestamp = START_DATE_TIME("startDateTime");
        /// `AsymmetricX509Cert` or `X509CertAndPassword`.
        kind: String = KIND("type");
        /// `Verify` for certificates that authenticate the application, `Sign` for certificates that sign tokens.
        usage: String = USAGE("usage");
    }
}

complex! {
    /// A client secret of an app or service principal.
    ///
    /// The secret is never serialized, not even with this value.
    PasswordCredential {
        /// A custom identifier in base64, set by older tools.
        custom_key_identifier: String = CUSTOM_KEY_IDENTIFIER("customKeyIdentifier");
        /// Its name.
        display_name: String = DISPLAY_NAME("displayName");
        /// When it expires.
        end_date_time: Timestamp = END_DATE_TIME("endDateTime");
        /// The first three characters of the secret.
        hint: String = HINT("hint");
        /// The secret ID, by which it is removed.
        key_id: String as Guid = KEY_ID("keyId");
        /// The secret value; Graph returns it once, when the secret is created.
        secret_text: Secret = SECRET_TEXT("secretText");
        /// When it becomes valid.
        start_date_time: Timestamp = START_DATE_TIME("startDateTime");
    }
}
