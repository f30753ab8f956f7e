use std::{error, fmt, path::Path, sync::Arc};

use crate::{Error, shown_path::ShownPath};

type Source = Arc<dyn error::Error + Send + Sync>;

/// Why a certificate cannot be read, made or stored, and what to do about it.
///
/// Nothing in it holds key material or a passphrase.
#[derive(Clone)]
pub struct CertificateError(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: CertificateErrorKind,
    message: String,
    fix: String,
    source: Option<Source>,
}

/// What kind of failure a [`CertificateError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CertificateErrorKind {
    /// The file could not be read or written.
    File,
    /// It is neither PEM nor PKCS#12, or it is damaged.
    Malformed,
    /// There is a key, but no certificate.
    NoCertificate,
    /// There is a certificate, but no private key.
    NoKey,
    /// The key is encrypted, and no passphrase was given.
    PassphraseMissing,
    /// The passphrase is not the right one, or is empty where a new file needs one.
    WrongPassphrase,
    /// The key is no RSA key of at least 2048 bits.
    UnsupportedKey,
    /// The encryption of the key is one that this crate does not read.
    UnsupportedEncryption,
    /// This form needs a feature of the crate that is not enabled.
    FeatureDisabled,
    /// The private key belongs to another certificate.
    KeyMismatch,
    /// The certificate has expired.
    Expired,
    /// The certificate is not valid yet.
    NotYetValid,
    /// The subject or lifetime for a new certificate cannot be used.
    Subject,
    /// The crypto library failed.
    Crypto,
}

impl CertificateError {
    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> CertificateErrorKind {
        self.0.kind
    }

    /// What to do about it, in one sentence.
    #[must_use]
    pub fn fix(&self) -> &str {
        &self.0.fix
    }

    pub(crate) fn new(
        kind: CertificateErrorKind,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            fix: fix.into(),
            source: None,
        }))
    }

    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(
            CertificateErrorKind::Malformed,
            message,
            "export certificate and private key again, as PEM (.pem) or PKCS#12 (.pfx, .p12)",
        )
    }

    /// For what is whole, but of another form than was expected.
    pub(super) fn other_form(message: impl Into<String>, fix: &'static str) -> Self {
        Self::new(CertificateErrorKind::Malformed, message, fix)
    }

    pub(super) fn crypto(message: impl Into<String>) -> Self {
        Self::new(
            CertificateErrorKind::Crypto,
            message,
            "this is a failure of the crypto library; export the key again if it persists",
        )
    }

    #[cfg(any(feature = "encrypted-pem", feature = "pfx"))]
    pub(super) fn wrong_passphrase() -> Self {
        Self::new(
            CertificateErrorKind::WrongPassphrase,
            "the passphrase does not open the private key",
            "give the passphrase that the key was exported with; mind a line break at its end if it comes from a file",
        )
    }

    #[cfg(not(all(feature = "encrypted-pem", feature = "pfx")))]
    pub(super) fn feature_disabled(what: &str, feature: &str) -> Self {
        Self::new(
            CertificateErrorKind::FeatureDisabled,
            format!("{what} cannot be read by this build"),
            format!("enable the feature `{feature}` of entra-auth"),
        )
    }

    pub(super) fn file(what: &str, path: &Path, source: std::io::Error) -> Self {
        Self::new(
            CertificateErrorKind::File,
            format!("cannot {what} {}", ShownPath(path)),
            "check the path and the permissions of the account that the program runs as",
        )
        .with_source(source)
    }

    pub(super) fn with_source(mut self, source: impl error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }
}

impl From<CertificateError> for Error {
    fn from(error: CertificateError) -> Self {
        Self::configuration("the certificate cannot be used", error.fix().to_owned())
            .with_source(error)
    }
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateError")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("fix", &self.0.fix)
            .field("source", &self.0.source)
            .finish()
    }
}

impl error::Error for CertificateError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
