use std::{fmt, sync::Arc};

use async_trait::async_trait;

use crate::{ClientId, Cloud, CredentialError, Secret, TenantId, Timestamp};

/// What an application signs in with. `Debug` shows the form only.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialMaterial {
    /// The Value of a client secret.
    Secret(Secret),
    /// A certificate with its private key.
    Certificate {
        /// PEM, or the base64 text of a PKCS#12 file.
        key_and_certificate: Secret,
        /// The passphrase of an encrypted key.
        passphrase: Option<Secret>,
    },
    /// A JWT of an identity provider that the application trusts (federated identity credential).
    Assertion(Secret),
}

/// What a credential knows of itself, without a request. Nothing in it is secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CredentialDescription {
    /// The cloud it signs in to.
    pub cloud: Option<Cloud>,
    /// The tenant it signs in to.
    pub tenant: Option<TenantId>,
    /// The application it signs in.
    pub client_id: Option<ClientId>,
    /// The form of what it signs in with.
    pub method: Option<SignInMethod>,
}

/// The form of what an application signs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignInMethod {
    /// A client secret, of which nothing is known but its outline.
    Secret(SecretOutline),
    /// A certificate.
    Certificate(CertificateOutline),
    /// A JWT of another identity provider, or one that the caller signs.
    Assertion,
}

/// What can be told of a client secret without telling the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretOutline {
    /// The number of its characters.
    pub length: usize,
    /// Whether it has the form of a GUID, as secret IDs have and secret values never.
    pub is_guid: bool,
    /// Whether it starts or ends with white space.
    pub has_white_space_around: bool,
    /// Whether it has a percent sign followed by two hexadecimal digits, as a URL-encoded value has.
    pub is_percent_encoded: bool,
    /// Whether it stands in quotation marks.
    pub is_quoted: bool,
}

/// The public facts of a certificate that an application signs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateOutline {
    /// The SHA-1 thumbprint in upper-case hexadecimal, as the portal lists certificates.
    pub thumbprint_sha1: String,
    /// From when it is valid.
    pub not_before: Timestamp,
    /// Until when it is valid.
    pub not_after: Timestamp,
}

impl CredentialDescription {
    /// The description of a credential that signs an application in.
    #[must_use]
    pub const fn of_application(
        cloud: Cloud,
        tenant: TenantId,
        client_id: ClientId,
        method: SignInMethod,
    ) -> Self {
        Self {
            cloud: Some(cloud),
            tenant: Some(tenant),
            client_id: Some(client_id),
            method: Some(method),
        }
    }
}

impl SecretOutline {
    /// The outline of a secret.
    #[must_use]
    pub fn of(secret: &Secret) -> Self {
        let text = secret.expose_secret();
        let is_percent_encoded = text.match_indices('%').any(|(at, _)| {
            let digits = text.as_bytes().get(at + 1..at + 3);
            digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        });
        let quoted = |mark: char| text.len() > 1 && text.starts_with(mark) && text.ends_with(mark);
        Self {
            length: text.chars().count(),
            is_guid: text.trim().parse::<crate::Guid>().is_ok(),
            has_white_space_around: text.trim().len() != text.len(),
            is_percent_encoded,
            is_quoted: quoted('"') || quoted('\''),
        }
    }
}

impl CertificateOutline {
    /// The outline of a certificate.
    #[must_use]
    pub fn new(
        thumbprint_sha1: impl Into<String>,
        not_before: Timestamp,
        not_after: Timestamp,
    ) -> Self {
        Self {
            thumbprint_sha1: thumbprint_sha1.into(),
            not_before,
            not_after,
        }
    }
}

/// Signs with the private key of a certificate that an application has: the proof of possession that Graph
/// wants with `addKey` and `removeKey`.
///
/// A `Certificate` of `entra-auth` implements it; for a key that never leaves a key vault, implement it over
/// the vault's sign operation.
#[async_trait]
pub trait ProofSigner: fmt::Debug + Send + Sync {
    /// The SHA-1 thumbprint of the certificate, by which Graph finds it.
    fn sha1_thumbprint(&self) -> [u8; 20];

    /// Returns the signature of a message by RSASSA-PKCS1-v1_5 with SHA-256 (RS256).
    ///
    /// # Errors
    /// [`CredentialError`] if the key cannot be used, or the vault cannot be reached.
    async fn sign_rs256(&self, message: &[u8]) -> Result<Vec<u8>, CredentialError>;
}

#[async_trait]
impl<T: ProofSigner + ?Sized> ProofSigner for Arc<T> {
    fn sha1_thumbprint(&self) -> [u8; 20] {
        (**self).sha1_thumbprint()
    }

    async fn sign_rs256(&self, message: &[u8]) -> Result<Vec<u8>, CredentialError> {
        (**self).sign_rs256(message).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outline_of_a_secret_tells_its_form_and_nothing_of_its_text() {
        let of = |text: &str| SecretOutline::of(&Secret::from(text));
        let plain = of("canary8Q~x.y-z");
        assert_eq!(plain.length, 14);
        assert!(!plain.is_guid && !plain.has_white_space_around);
        assert!(!plain.is_percent_encoded && !plain.is_quoted);
        assert!(of("0f0b0b33-1d71-4883-8f98-567911bfdca6").is_guid);
        assert!(of("canary\n").has_white_space_around && of(" canary").has_white_space_around);
        assert!(of("can%7Eary").is_percent_encoded && !of("can%zary%").is_percent_encoded);
        assert!(of("\"canary\"").is_quoted && of("'canary'").is_quoted && !of("\"").is_quoted);
        assert!(!format!("{:?}", of("canary")).contains("canary"));
        let material = CredentialMaterial::Secret(Secret::from("canary"));
        assert!(!format!("{material:?}").contains("canary"));
    }
}
