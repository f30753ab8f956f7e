//! The certificate that Graph encrypts resource data with.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::{areas::x509::is_certificate, error::Error, model::Body, objects::Subscription};

/// The public part of a certificate that Graph encrypts resource data with, and its name.
///
/// It needs an RSA key of 2,048 to 4,096 bits and can be self-signed. The receiver has the private key under the same
/// name ([`DecryptionKey`](crate::notifications::DecryptionKey)). Give each key pair a name of its own: notifications name
/// it, so only then the receiver can have the old key and the new one while Graph changes over.
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptionCertificate {
    id: String,
    der: Vec<u8>,
}

impl EncryptionCertificate {
    /// From the DER of an X.509 certificate. The id is a name of your choice, at most 128 characters.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if it is not a certificate, or for an id that is
    /// empty or too long.
    pub fn from_der(id: impl Into<String>, der: impl Into<Vec<u8>>) -> Result<Self, Error> {
        let (id, der) = (valid_id(id.into())?, der.into());
        if !is_certificate(&der) {
            return Err(invalid(
                "the certificate for resource data is not the DER of an X.509 certificate; for a PEM file call `from_pem`",
            ));
        }
        Ok(Self { id, der })
    }

    /// From the first certificate of a PEM file.
    ///
    /// # Errors
    /// As [`from_der`](Self::from_der), and if there is no certificate in it.
    pub fn from_pem(id: impl Into<String>, pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        let der = CertificateDer::from_pem_slice(pem.as_ref()).map_err(|_| {
            invalid("the PEM for resource data has no certificate (BEGIN CERTIFICATE)")
        })?;
        Self::from_der(id, der.as_ref())
    }

    /// Its name, by which notifications say which key decrypts them.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    pub(super) fn write_into(&self, body: &mut Body) {
        let text = STANDARD.encode(&self.der);
        body.set::<String>(Subscription::ENCRYPTION_CERTIFICATE.into_name(), &text);
        body.set::<String>(
            Subscription::ENCRYPTION_CERTIFICATE_ID.into_name(),
            &self.id,
        );
    }
}

/// Shows the name only.
impl fmt::Debug for EncryptionCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptionCertificate")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The name of a certificate, if Graph takes it.
pub(crate) fn valid_id(id: String) -> Result<String, Error> {
    if id.is_empty() || id.chars().count() > 128 {
        return Err(invalid(
            "the id of the certificate for resource data must have 1 to 128 characters",
        ));
    }
    Ok(id)
}

fn invalid(message: &str) -> Error {
    entra_core::Error::configuration(message).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    /// The outermost elements of a certificate.
    const DER: [u8; 12] = [0x30, 10, 0x30, 8, 0xa0, 3, 2, 1, 2, 2, 1, 1];

    #[test]
    fn only_a_certificate_is_accepted() {
        assert!(EncryptionCertificate::from_der("2026", DER).is_ok());
        let key = [0x30, 6, 2, 1, 0, 4, 1, 7];
        for der in [&[][..], &DER[..11], &key, b"-----BEGIN CERTIFICATE-----"] {
            let error = EncryptionCertificate::from_der("2026", der).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{der:?}");
        }
    }

    #[test]
    fn an_id_has_1_to_128_characters() {
        let with = |id: String| EncryptionCertificate::from_der(id, DER);
        assert!(with(String::new()).is_err());
        assert!(with("a".repeat(129)).is_err());
        assert_eq!(with("ä".repeat(128)).unwrap().id(), "ä".repeat(128));
    }

    #[test]
    fn a_pem_without_a_certificate_is_an_error() {
        let pem = "-----BEGIN CERTIFICATE-----\nMAowCKADAgECAgEB\n-----END CERTIFICATE-----\n";
        assert_eq!(EncryptionCertificate::from_pem("a", pem).unwrap().der, DER);
        let key = pem.replace("CERTIFICATE", "PRIVATE KEY");
        assert!(EncryptionCertificate::from_pem("a", key).is_err());
    }
}
