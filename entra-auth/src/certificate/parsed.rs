//! What a file of certificates and keys holds, before a key is matched to its certificate.

use zeroize::Zeroizing;

use super::error;
use crate::{CertificateErrorKind, Error};

/// The certificates and keys of a file.
#[derive(Default)]
pub(super) struct ParsedFile {
    pub(super) certificates: Vec<Vec<u8>>,
    /// PKCS#8 or PKCS#1.
    pub(super) keys: Vec<Zeroizing<Vec<u8>>>,
    /// Why the first of the other certificates and keys cannot be read. A file may still hold old or
    /// damaged ones, so it only matters if no others fit.
    pub(super) unreadable: Option<Error>,
    /// The first block that is neither a certificate nor a key.
    pub(super) no_certificate: Option<NoCertificate>,
}

/// A block that is read as a certificate.
#[derive(Clone, Copy)]
pub(super) enum NoCertificate {
    Request,
    Pkcs7,
}

impl NoCertificate {
    /// The error of a file that has nothing else.
    #[inline]
    pub(super) fn error(self) -> Error {
        let (message, fix) = match self {
            Self::Request => (
                "there is a certificate request (CERTIFICATE REQUEST), but no certificate",
                "put the certificate that was issued for the request (BEGIN CERTIFICATE) in its place",
            ),
            Self::Pkcs7 => (
                "the certificate is within PKCS#7, which is not supported",
                "take it out: openssl pkcs7 -print_certs -in old.p7b -out new.pem",
            ),
        };
        error::error(CertificateErrorKind::NoCertificate, message, fix)
    }
}
