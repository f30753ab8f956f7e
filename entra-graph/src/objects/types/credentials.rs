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

complex! {
    /// A certificate that Graph made to sign tokens: its public part.
    SelfSignedCertificate {
        /// The SHA-1 thumbprint in base64, which its private key and password have too.
        custom_key_identifier: String = CUSTOM_KEY_IDENTIFIER("customKeyIdentifier");
        /// Its subject.
        display_name: String = DISPLAY_NAME("displayName");
        /// When it expires.
        end_date_time: Timestamp = END_DATE_TIME("endDateTime");
        /// The certificate in base64.
        key: String = KEY("key");
        /// Its id.
        key_id: String as Guid = KEY_ID("keyId");
        /// When it becomes valid.
        start_date_time: Timestamp = START_DATE_TIME("startDateTime");
        /// The SHA-1 thumbprint in hexadecimal.
        thumbprint: String = THUMBPRINT("thumbprint");
        /// `AsymmetricX509Cert`.
        kind: String = KIND("type");
        /// `Verify`.
        usage: String = USAGE("usage");
    }
}

complex! {
    /// An expression that the claims of a token match, for a flexible federated identity credential (beta).
    FederatedIdentityExpression {
        /// The version of the language, 1.
        language_version: i32 = LANGUAGE_VERSION("languageVersion");
        /// The text, such as `claims['sub'] matches 'repo:contoso/*'`.
        value: String = VALUE("value");
    }
}

impl FederatedIdentityExpression {
    /// The claim equals the text. Entra knows `sub`, and `job_workflow_ref` of GitHub Actions.
    #[must_use]
    #[inline]
    pub fn equals(claim: &str, text: &str) -> Self {
        Self::term(claim, "eq", text)
    }

    /// The claim has the form of the pattern, in which `?` is any character and `*` any number of them.
    #[must_use]
    #[inline]
    pub fn matches(claim: &str, pattern: &str) -> Self {
        Self::term(claim, "matches", pattern)
    }

    /// This expression and another one.
    ///
    /// ```
    /// use entra_graph::types::FederatedIdentityExpression;
    /// let both = FederatedIdentityExpression::matches("sub", "repo:contoso/*")
    ///     .and(FederatedIdentityExpression::equals("job_workflow_ref", "contoso/deploy"));
    /// assert_eq!(
    ///     both.value.as_deref(),
    ///     Some("claims['sub'] matches 'repo:contoso/*' and claims['job_workflow_ref'] eq 'contoso/deploy'"),
    /// );
    /// ```
    #[must_use]
    #[inline]
    pub fn and(mut self, other: Self) -> Self {
        let text = |value: Option<String>| value.unwrap_or_default();
        self.value = Some(format!("{} and {}", text(self.value), text(other.value)));
        self
    }

    #[inline]
    fn term(claim: &str, operator: &str, text: &str) -> Self {
        Self::default()
            .language_version(1)
            .value(format!("claims['{claim}'] {operator} '{text}'"))
    }
}
