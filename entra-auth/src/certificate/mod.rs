//! Signing in with a certificate: reading it, making one, and proving possession of its key.
//!
//! The cryptography is aws-lc-rs, called directly or through jsonwebtoken's provider for it. No
//! process-wide provider is installed, and one that an application installs is not used.

mod assertion;
#[cfg(feature = "pfx")]
mod ber;
mod credential;
#[cfg(feature = "encrypted-pem")]
mod encrypted;
mod error;
mod escapes;
mod file;
mod form;
mod hex_text;
#[cfg(feature = "certificate-kit")]
mod kit;
mod parsed;
#[cfg(feature = "encrypted-pem")]
mod pbe;
mod pem;
#[cfg(feature = "pfx")]
mod pfx;
mod proof_signer;
mod read;
mod source;
#[cfg(feature = "certificate-kit")]
mod subject;
#[cfg(feature = "encrypted-pem")]
mod traditional;
mod value;
mod x509;

pub use credential::{ClientCertificateCredential, ClientCertificateCredentialBuilder};
#[cfg(feature = "certificate-kit")]
pub use kit::SelfSignedCertificate;
pub use value::Certificate;

use entra_core::{ClientId, Secret, SecureRandom, Timestamp};

/// An assertion with the default settings, for grants of users.
#[inline]
pub(crate) fn assertion(
    certificate: &Certificate,
    client: ClientId,
    audience: &str,
    now: Timestamp,
    random: &dyn SecureRandom,
) -> Result<Secret, crate::Error> {
    certificate.check_validity(now)?;
    let style = assertion::AssertionOptions::default();
    assertion::sign(certificate, style, client, audience, now, random)
}
