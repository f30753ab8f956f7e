//! What an application signs in with: secrets, certificates and federated credentials.

use std::cmp::Reverse;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use entra_core::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha1::{Digest as _, Sha1};

use super::{
    super::wire::{text, time},
    Lifetime,
};
use crate::{areas::x509, error::Error};

/// A client secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct SecretBlueprint {
    pub(in super::super) description: String,
    pub(in super::super) lifetime: Lifetime,
}

/// A certificate, its public part only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "CertificateText", into = "CertificateText")]
pub struct Certificate {
    pub(in super::super) name: String,
    /// The DER in base64, as Graph has it.
    pub(in super::super) key: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CertificateText {
    name: String,
    pem: String,
}

impl Certificate {
    /// A certificate in DER, with the display name of its credential.
    ///
    /// # Errors
    /// [`ErrorKind::Query`](crate::ErrorKind::Query) if it is not one, such as a private key or a PKCS#12 file by
    /// mistake.
    pub fn from_der(name: impl Into<String>, der: impl AsRef<[u8]>) -> Result<Self, Error> {
        let certificate = crate::areas::applications::NewCertificate::from_der(der)?;
        Ok(Self {
            name: name.into(),
            key: certificate.into_key(),
        })
    }

    /// The first certificate of a PEM text, with the display name of its credential. Other blocks, such as a
    /// private key, are ignored.
    ///
    /// # Errors
    /// [`ErrorKind::Query`](crate::ErrorKind::Query) if the text has no certificate.
    pub fn from_pem(name: impl Into<String>, pem: &str) -> Result<Self, Error> {
        let certificate = crate::areas::applications::NewCertificate::from_pem(pem)?;
        Ok(Self {
            name: name.into(),
            key: certificate.into_key(),
        })
    }

    /// The certificate in DER.
    pub(in super::super) fn der(&self) -> Vec<u8> {
        STANDARD.decode(&self.key).unwrap_or_default()
    }

    /// Whether a list of certificates has this one. An entry can end before its certificate does; one that has ended
    /// counts only if the certificate is over as well, so that a new entry would be of no use.
    pub(in super::super) fn is_among(&self, keys: &[Value], now: Timestamp) -> bool {
        let mut entries = keys.iter().filter(|key| text(key, "key") == self.key);
        entries.any(|entry| !has_ended(entry, now) || self.is_over(now))
    }

    /// Its SHA-1 thumbprint.
    pub(in super::super) fn thumbprint(&self) -> [u8; 20] {
        Sha1::digest(self.der()).into()
    }

    /// Whether the certificate itself is no longer valid, or that cannot be read.
    pub(in super::super) fn is_over(&self, now: Timestamp) -> bool {
        x509::validity(&self.der()).is_none_or(|(_, end)| end <= now)
    }
}

impl TryFrom<CertificateText> for Certificate {
    type Error = String;

    fn try_from(text: CertificateText) -> Result<Self, String> {
        Self::from_pem(text.name, &text.pem).map_err(|error| error.to_string())
    }
}

impl From<Certificate> for CertificateText {
    fn from(certificate: Certificate) -> Self {
        let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
        let mut rest = certificate.key.as_str();
        while !rest.is_empty() {
            let (line, tail) = rest.split_at(rest.len().min(64));
            pem.push_str(line);
            pem.push('\n');
            rest = tail;
        }
        pem.push_str("-----END CERTIFICATE-----\n");
        Self {
            name: certificate.name,
            pem,
        }
    }
}

/// Whether an entry of a list of certificates has this SHA-1 thumbprint: base64 of its bytes, or hexadecimal.
pub(in super::super) fn has_thumbprint(entry: &Value, thumbprint: [u8; 20]) -> bool {
    let identifier = text(entry, "customKeyIdentifier");
    let hexadecimal: String = thumbprint
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    identifier == STANDARD.encode(thumbprint)
        || identifier.eq_ignore_ascii_case(&hexadecimal)
        || STANDARD
            .decode(identifier)
            .is_ok_and(|bytes| bytes.eq_ignore_ascii_case(hexadecimal.as_bytes()))
}

/// Whether an entry of a list of certificates has ended.
pub(in super::super) fn has_ended(entry: &Value, now: Timestamp) -> bool {
    time(entry, "endDateTime").is_some_and(|end| end <= now)
}

/// Sorts entries of a list of certificates: first the one that ends last, and one without an end before all.
pub(in super::super) fn ends_last(entry: &Value) -> (bool, Reverse<Option<Timestamp>>) {
    let end = time(entry, "endDateTime");
    (end.is_some(), Reverse(end))
}

/// A federated identity credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FederatedCredential {
    pub(in super::super) name: String,
    pub(in super::super) issuer: String,
    pub(in super::super) subject: String,
    #[serde(default = "exchange", skip_serializing_if = "is_exchange")]
    pub(in super::super) audience: String,
}

impl FederatedCredential {
    /// A credential for tokens of this issuer and subject: its name, the issuer and the subject.
    pub fn new(
        name: impl Into<String>,
        issuer: impl Into<String>,
        subject: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            issuer: issuer.into(),
            subject: subject.into(),
            audience: exchange(),
        }
    }

    /// The same credential for tokens with another audience.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = audience.into();
        self
    }
}

fn exchange() -> String {
    "api://AzureADTokenExchange".to_owned()
}

fn is_exchange(audience: &str) -> bool {
    audience == "api://AzureADTokenExchange"
}
