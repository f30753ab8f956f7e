use std::{fmt, path::Path, sync::Arc};

use aws_lc_rs::{
    digest,
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::KeyPair,
};
use der::{Reader as _, SliceReader, asn1::OctetStringRef};
use entra_core::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey};
use zeroize::Zeroizing;

use super::{error, file, pem, x509::Fields};
use crate::{CertificateErrorKind, Error, jws};

/// An RSA certificate with its private key, to sign in with.
///
/// It is read from PEM or PKCS#12 and checked as a whole: the key is RSA of 2048 bits or more and
/// belongs to the certificate. Cheap to clone; `Debug` shows thumbprint and validity only.
///
/// ```
/// # use entra_auth::{Certificate, CertificateErrorKind};
/// let public_part_only = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
/// let error = Certificate::from_pem(public_part_only).unwrap_err();
/// assert_eq!(error.certificate_error(), Some(CertificateErrorKind::NoKey));
/// ```
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    leaf: ChainCertificate,
    chain: Vec<ChainCertificate>,
    /// PKCS#1, the format that jsonwebtoken signs with.
    key: EncodingKey,
}

/// One certificate of a chain.
pub(super) struct ChainCertificate {
    pub(super) der: Vec<u8>,
    pub(super) fields: Fields,
}

impl ChainCertificate {
    #[inline]
    pub(super) fn read(der: Vec<u8>) -> Result<Self, Error> {
        let fields = Fields::read(&der)?;
        Ok(Self { der, fields })
    }
}

impl Certificate {
    /// The SHA-1 thumbprint in upper-case hexadecimal, as the portal lists certificates.
    #[must_use]
    #[inline]
    pub fn thumbprint_sha1(&self) -> String {
        hex(&self.digest(&digest::SHA1_FOR_LEGACY_USE_ONLY))
    }

    /// The SHA-256 thumbprint in upper-case hexadecimal.
    #[must_use]
    #[inline]
    pub fn thumbprint_sha256(&self) -> String {
        hex(&self.digest(&digest::SHA256))
    }

    /// From when the certificate is valid.
    #[must_use]
    #[inline]
    pub fn not_before(&self) -> Timestamp {
        self.0.leaf.fields.not_before
    }

    /// Until when the certificate is valid.
    #[must_use]
    #[inline]
    pub fn not_after(&self) -> Timestamp {
        self.0.leaf.fields.not_after
    }

    /// Whole days until the certificate expires; negative afterwards.
    #[must_use]
    #[inline]
    pub fn days_left(&self, now: Timestamp) -> i64 {
        (self.not_after() - now)
            .whole_seconds()
            .div_euclid(24 * 3600)
    }

    /// Checks that the certificate is valid at this time.
    ///
    /// # Errors
    /// [`CertificateErrorKind::Expired`] or [`CertificateErrorKind::NotYetValid`].
    #[inline]
    pub fn check_validity(&self, now: Timestamp) -> Result<(), Error> {
        let thumbprint = self.thumbprint_sha1();
        if now > self.not_after() {
            return Err(error::error(
                CertificateErrorKind::Expired,
                format!(
                    "the certificate {thumbprint} expired on {}",
                    self.not_after().date()
                ),
                "make a new certificate, upload its public part to the app registration and put it in place of the old one; check the clock if it should be valid",
            ));
        }
        if now < self.not_before() {
            return Err(error::error(
                CertificateErrorKind::NotYetValid,
                format!(
                    "the certificate {thumbprint} is not valid before {}",
                    self.not_before().date()
                ),
                "check the clock of this machine, or wait until the certificate is valid",
            ));
        }
        Ok(())
    }

    /// The certificate without its key, as DER: the content of a `.cer` file.
    #[must_use]
    #[inline]
    pub fn public_der(&self) -> &[u8] {
        &self.0.leaf.der
    }

    /// The certificate without its key, as PEM.
    #[must_use]
    #[inline]
    pub fn public_pem(&self) -> String {
        pem::encode("CERTIFICATE", self.public_der())
            .expose_secret()
            .to_owned()
    }

    /// The issuers that came with the certificate, each the issuer of the one before, as DER.
    #[inline]
    pub fn chain(&self) -> impl Iterator<Item = &[u8]> {
        self.0.chain.iter().map(|link| link.der.as_slice())
    }

    /// Writes the public part as DER, the `.cer` file to upload to the app registration.
    ///
    /// # Errors
    /// [`CertificateErrorKind::File`] when the file cannot be written.
    #[inline]
    pub fn export_public_cer(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        file::write_public(path.as_ref(), self.public_der())
    }

    /// Writes the public part as PEM.
    ///
    /// # Errors
    /// [`CertificateErrorKind::File`] when the file cannot be written.
    #[inline]
    pub fn export_public_pem(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        file::write_public(path.as_ref(), self.public_pem().as_bytes())
    }

    /// # Errors
    /// [`CertificateErrorKind::Crypto`] if the crypto library does not encode the key.
    #[inline]
    pub(super) fn new(
        leaf: ChainCertificate,
        chain: Vec<ChainCertificate>,
        key: &KeyPair,
    ) -> Result<Self, Error> {
        let key = EncodingKey::from_rsa_der(&pkcs1(&pkcs8(key)?)?);
        Ok(Self(Arc::new(Inner { leaf, chain, key })))
    }

    #[inline]
    pub(super) fn digest(&self, algorithm: &'static digest::Algorithm) -> Vec<u8> {
        digest::digest(algorithm, self.public_der())
            .as_ref()
            .to_vec()
    }

    #[inline]
    pub(super) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        jws::sign(algorithm, &self.0.key, message)
            .map_err(|_| error::crypto("the private key made no signature"))
    }

    /// The private key as PKCS#8.
    #[cfg(feature = "certificate-kit")]
    #[inline]
    pub(super) fn pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let pair = KeyPair::from_der(self.0.key.as_bytes()).map_err(|_| not_encoded())?;
        pkcs8(&pair)
    }
}

#[inline]
fn pkcs8(key: &KeyPair) -> Result<Zeroizing<Vec<u8>>, Error> {
    let der: Pkcs8V1Der<'_> = key.as_der().map_err(|_| not_encoded())?;
    Ok(Zeroizing::new(der.as_ref().to_vec()))
}

/// The `RSAPrivateKey` inside PKCS#8: version, algorithm, key (RFC 5208, section 5).
#[inline]
fn pkcs1(pkcs8: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let inner = |der| {
        let mut reader = SliceReader::new(der)?;
        reader.sequence(|info| {
            info.tlv_bytes()?;
            info.tlv_bytes()?;
            let key = info.decode::<&OctetStringRef>()?.as_bytes().to_vec();
            info.drain(info.remaining_len())?;
            Ok::<_, der::Error>(Zeroizing::new(key))
        })
    };
    inner(pkcs8).map_err(|_| not_encoded())
}

#[inline]
fn not_encoded() -> Error {
    error::crypto("the private key could not be encoded")
}

impl PartialEq for Certificate {
    /// Compares the certificates only, since each has one private key.
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.public_der() == other.public_der()
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("thumbprint_sha1", &self.thumbprint_sha1())
            .field("not_before", &self.not_before())
            .field("not_after", &self.not_after())
            .field("chain_len", &self.0.chain.len())
            .finish_non_exhaustive()
    }
}

#[inline]
fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 0x0f)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(*byte)])
        .collect()
}
