use std::{error, fmt, sync::Arc};

use async_trait::async_trait;
use serde_json::{Map, Value};

/// Verifies JWTs of Entra: signature, issuer, audience and lifetime, as it is configured.
///
/// The receiver of Graph's change notifications uses it for their validation tokens. The `TokenValidator` of
/// `entra-auth` implements it.
#[async_trait]
pub trait JwtVerifier: fmt::Debug + Send + Sync + 'static {
    /// Returns the claims of the token if it is valid.
    ///
    /// # Errors
    /// [`JwtError`], whose kind tells an invalid token from one that could not be verified.
    async fn verify(&self, jwt: &str) -> Result<Map<String, Value>, JwtError>;
}

#[async_trait]
impl<T: JwtVerifier + ?Sized> JwtVerifier for Arc<T> {
    async fn verify(&self, jwt: &str) -> Result<Map<String, Value>, JwtError> {
        (**self).verify(jwt).await
    }
}

/// Why a JWT was not accepted. Nothing of the token is in it.
///
/// The verifier's own, more detailed error is its [`source`](error::Error::source).
#[derive(Clone, Debug)]
pub struct JwtError {
    kind: JwtErrorKind,
    message: String,
    fix: Option<String>,
    source: Option<Arc<dyn error::Error + Send + Sync>>,
}

/// What kind of failure a [`JwtError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JwtErrorKind {
    /// The token is invalid: forged, expired, or for another audience.
    Invalid,
    /// The signing keys could not be fetched, so it is unknown whether the token is valid.
    Unavailable,
}

impl JwtError {
    /// An error of a kind, with one line that says what happened.
    #[must_use]
    pub fn new(kind: JwtErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            fix: None,
            source: None,
        }
    }

    /// With one sentence on how to fix it.
    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// With its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub const fn kind(&self) -> JwtErrorKind {
        self.kind
    }

    /// One sentence on how to fix it.
    #[must_use]
    pub fn fix(&self) -> Option<&str> {
        self.fix.as_deref()
    }

    /// Whether the same token may be accepted later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.kind == JwtErrorKind::Unavailable
    }
}

impl fmt::Display for JwtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for JwtError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
