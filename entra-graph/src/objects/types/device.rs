use crate::model::complex;

complex! {
    /// An identity of a device, for internal use by Entra.
    AlternativeSecurityId {
        /// Identity provider that issued the key; for internal use.
        identity_provider: String = IDENTITY_PROVIDER("identityProvider");
        /// Key bytes as base64; for internal use.
        key: String = KEY("key");
        /// Kind of key; for internal use.
        kind: i32 = KIND("type");
    }
}
