use entra_core::{Guid, Secret, Timestamp};

use crate::model::complex;

complex! {
    /// A certificate of an app or service principal.
    ///
    /// Lists and most reads leave the key itself out. Selecting it is throttled to 150 requests a
    /// minute for the whole tenant.
    KeyCredential {
        /// A name for it in base64, usually the thumbprint.
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
        /// `Verify` for certificates that prove the app, `Sign` for signing tokens.
        usage: String = USAGE("usage");
    }
}

complex! {
    /// A client secret of an app or service principal.
    ///
    /// The secret is never written out again, not even by serialising this value.
    PasswordCredential {
        /// A name for it in base64, from older tools.
        custom_key_identifier: String = CUSTOM_KEY_IDENTIFIER("customKeyIdentifier");
        /// Its name.
        display_name: String = DISPLAY_NAME("displayName");
        /// When it expires.
        end_date_time: Timestamp = END_DATE_TIME("endDateTime");
        /// Its first three characters.
        hint: String = HINT("hint");
        /// Its id, by which it is removed.
        key_id: String as Guid = KEY_ID("keyId");
        /// The secret itself; sent only once, by the call that creates it.
        secret_text: Secret = SECRET_TEXT("secretText");
        /// When it becomes valid.
        start_date_time: Timestamp = START_DATE_TIME("startDateTime");
    }
}
