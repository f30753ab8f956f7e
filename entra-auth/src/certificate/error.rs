use std::path::Path;

use crate::{CertificateErrorKind, Error, shown_path::ShownPath};

#[inline]
pub(super) fn error(
    kind: CertificateErrorKind,
    message: impl Into<String>,
    fix: impl Into<String>,
) -> Error {
    Error::configuration(message.into(), fix.into()).with(|inner| inner.certificate = Some(kind))
}

#[inline]
pub(super) fn malformed(message: impl Into<String>) -> Error {
    error(
        CertificateErrorKind::Malformed,
        message,
        "export certificate and private key again, as PEM (.pem) or PKCS#12 (.pfx, .p12)",
    )
}

/// For a file that is valid, but has another format than the expected one.
#[inline]
pub(super) fn other_format(message: impl Into<String>, fix: impl Into<String>) -> Error {
    error(CertificateErrorKind::Malformed, message, fix)
}

#[inline]
pub(super) fn crypto(message: impl Into<String>) -> Error {
    error(
        CertificateErrorKind::Crypto,
        message,
        "this is a failure of the crypto library; export the key again if it persists",
    )
}

#[cfg(any(feature = "encrypted-pem", feature = "pfx"))]
#[inline]
pub(super) fn wrong_passphrase() -> Error {
    error(
        CertificateErrorKind::WrongPassphrase,
        "the passphrase does not decrypt the private key",
        "pass the passphrase that the key was exported with; mind a line break at its end if it comes from a file",
    )
}

#[cfg(not(all(feature = "encrypted-pem", feature = "pfx")))]
#[inline]
pub(super) fn feature_disabled(what: &str, feature: &str) -> Error {
    error(
        CertificateErrorKind::FeatureDisabled,
        format!("{what} cannot be read by this build"),
        format!("enable the feature `{feature}` of entra-auth"),
    )
}

#[inline]
pub(super) fn file(what: &str, path: &Path, source: std::io::Error) -> Error {
    error(
        CertificateErrorKind::File,
        format!("cannot {what} {}", ShownPath(path)),
        "check the path and the permissions of the account that the program runs as",
    )
    .with_source(source)
}
