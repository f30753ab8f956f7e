use std::{
    error,
    fmt::{self, Display as _},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;

use crate::{Secret, TenantId, Timestamp, error::Report};

/// Something that can get access tokens.
///
/// `entra-auth` has the implementations; a Graph client takes any of them, or yours. The future may
/// be dropped at any await: an implementation must not lose other callers by that.
#[async_trait]
pub trait TokenCredential: fmt::Debug + Send + Sync + 'static {
    /// A token for the request, from a cache where there is one.
    ///
    /// # Errors
    /// [`CredentialError`] with what the identity service said, and whether another try may help.
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError>;
}

#[async_trait]
impl<T: TokenCredential + ?Sized> TokenCredential for Arc<T> {
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        (**self).token(request).await
    }
}

/// What a token is wanted for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TokenRequest {
    /// The scopes, such as `https://graph.microsoft.com/.default`.
    pub scopes: Vec<String>,
    /// Another tenant than the credential's own.
    pub tenant: Option<TenantId>,
    /// The claims challenge of a resource (JSON), which no cached token can answer.
    pub claims: Option<String>,
    /// How long the token must still be valid; zero means the credential's own margin.
    pub min_validity: Duration,
    /// Whether to go past the cache, as after a 401 for a token that looked valid.
    pub force_refresh: bool,
}

impl TokenRequest {
    /// A request for these scopes.
    #[must_use]
    pub fn new<I>(scopes: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self {
            scopes: scopes.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// For another tenant than the credential's own.
    #[must_use]
    pub fn with_tenant(mut self, tenant: TenantId) -> Self {
        self.tenant = Some(tenant);
        self
    }

    /// With the claims challenge of a resource.
    #[must_use]
    pub fn with_claims(mut self, claims: impl Into<String>) -> Self {
        self.claims = Some(claims.into());
        self
    }

    /// With at least this much lifetime left.
    #[must_use]
    pub const fn with_min_validity(mut self, min_validity: Duration) -> Self {
        self.min_validity = min_validity;
        self
    }

    /// Past the cache.
    #[must_use]
    pub const fn with_force_refresh(mut self) -> Self {
        self.force_refresh = true;
        self
    }
}

/// A bearer token and how long it is good. Cheap to clone; `Debug` shows the times only.
#[derive(Clone)]
pub struct AccessToken(Arc<Token>);

struct Token {
    secret: Secret,
    expires_on: Timestamp,
    refresh_on: Option<Timestamp>,
}

impl AccessToken {
    /// A token that is valid until `expires_on`.
    #[must_use]
    pub fn new(secret: impl Into<Secret>, expires_on: Timestamp) -> Self {
        Self(Arc::new(Token {
            secret: secret.into(),
            expires_on,
            refresh_on: None,
        }))
    }

    /// The same token with a moment from which it should be replaced ahead of its expiry.
    #[must_use]
    pub fn with_refresh_on(self, refresh_on: Timestamp) -> Self {
        let Token {
            secret, expires_on, ..
        } = &*self.0;
        Self(Arc::new(Token {
            secret: secret.clone(),
            expires_on: *expires_on,
            refresh_on: Some(refresh_on),
        }))
    }

    /// The token's text, for the `Authorization` header.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.secret.expose_secret()
    }

    /// When the token ends.
    #[must_use]
    pub fn expires_on(&self) -> Timestamp {
        self.0.expires_on
    }

    /// From when it should be replaced in the background, if the service said so.
    #[must_use]
    pub fn refresh_on(&self) -> Option<Timestamp> {
        self.0.refresh_on
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("expires_on", &self.0.expires_on)
            .field("refresh_on", &self.0.refresh_on)
            .finish_non_exhaustive()
    }
}

/// Why a credential gave no token, with everything that a caller of any credential can use.
///
/// It crosses the `dyn` boundary into a Graph error unchanged; the credential's own, more detailed
/// error is its [`source`](error::Error::source). `Display` is one line; `{:#}` and `Debug` show cause, fix and
/// ids as well.
#[derive(Clone)]
pub struct CredentialError(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: CredentialErrorKind,
    message: String,
    code: Option<u32>,
    fix: Option<String>,
    claims: Option<String>,
    correlation_id: Option<String>,
    trace_id: Option<String>,
    retry_after: Option<Duration>,
    source: Option<Arc<dyn error::Error + Send + Sync>>,
}

/// What kind of failure a [`CredentialError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialErrorKind {
    /// The credential is not set up here; a chain goes on to its next link.
    Unavailable,
    /// A value given by the caller cannot be used.
    Configuration,
    /// The identity service refused; the same request will be refused again.
    Refused,
    /// A person must sign in, consent or pass a second factor.
    InteractionRequired,
    /// The identity service asked to wait.
    Throttled,
    /// The identity service failed or could not be reached.
    Transient,
    /// The answer was not what the protocol promises.
    Protocol,
}

impl CredentialError {
    /// An error of a kind, with one line that says what happened.
    #[must_use]
    pub fn new(kind: CredentialErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            code: None,
            fix: None,
            claims: None,
            correlation_id: None,
            trace_id: None,
            retry_after: None,
            source: None,
        }))
    }

    /// With Entra's error number (`AADSTS…`).
    #[must_use]
    pub fn with_code(mut self, code: u32) -> Self {
        self.0.code = Some(code);
        self
    }

    /// With one sentence that says what to do about it.
    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.0.fix = Some(fix.into());
        self
    }

    /// With the claims challenge that an interactive sign-in must answer.
    #[must_use]
    pub fn with_claims(mut self, claims: impl Into<String>) -> Self {
        self.0.claims = Some(claims.into());
        self
    }

    /// With the ids under which the identity service logged the request.
    #[must_use]
    pub fn with_ids(mut self, correlation_id: Option<String>, trace_id: Option<String>) -> Self {
        self.0.correlation_id = correlation_id;
        self.0.trace_id = trace_id;
        self
    }

    /// With the wait that the identity service asked for.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// With its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> CredentialErrorKind {
        self.0.kind
    }

    /// Whether the same request may succeed later without any change.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self.0.kind,
            CredentialErrorKind::Throttled | CredentialErrorKind::Transient
        )
    }

    /// Entra's error number, the digits of `AADSTS…`.
    #[must_use]
    pub fn code(&self) -> Option<u32> {
        self.0.code
    }

    /// One sentence that says what to do about it.
    #[must_use]
    pub fn fix(&self) -> Option<&str> {
        self.0.fix.as_deref()
    }

    /// The claims challenge that an interactive sign-in must answer (JSON).
    #[must_use]
    pub fn claims(&self) -> Option<&str> {
        self.0.claims.as_deref()
    }

    /// The id under which the identity service logged the request.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.0.correlation_id.as_deref()
    }

    /// The id of the identity service's own trace.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.0.trace_id.as_deref()
    }

    /// The wait that the identity service asked for.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return fmt::Debug::fmt(self, f);
        }
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Report {
            error: self,
            fix: self.fix(),
            ids: [
                ("correlation", self.correlation_id()),
                ("trace", self.trace_id()),
            ],
        }
        .fmt(f)
    }
}

impl error::Error for CredentialError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
