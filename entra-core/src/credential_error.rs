use std::{
    error,
    fmt::{self, Display as _},
    sync::Arc,
    time::Duration,
};

use crate::{ClientId, TenantId, report::Report};

/// Why a credential returned no token, in a form that is the same for all credentials.
///
/// A Graph error contains it unchanged. The credential's own, more detailed error is its
/// [`origin`](Self::origin). `Display` is one line with Entra's error number; `{:#}` and `Debug` show cause, fix
/// and ids as well.
///
/// ```
/// use entra_core::{CredentialError, CredentialErrorKind};
/// let error = CredentialError::new(CredentialErrorKind::Rejected, "client secret is invalid")
///     .with_code(7_000_215)
///     .with_fix("copy the Value of the secret");
/// assert_eq!(error.to_string(), "client secret is invalid (AADSTS7000215)");
/// assert!(format!("{error:#}").ends_with("fix:   copy the Value of the secret"));
/// ```
#[derive(Clone)]
pub struct CredentialError(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: CredentialErrorKind,
    message: String,
    code: Option<u32>,
    identity: Option<(ClientId, TenantId)>,
    fix: Option<String>,
    claims: Option<String>,
    correlation_id: Option<String>,
    trace_id: Option<String>,
    retry_after: Option<Duration>,
    origin: Option<Arc<dyn error::Error + Send + Sync>>,
    source: Option<Arc<dyn error::Error + Send + Sync>>,
}

/// What kind of failure a [`CredentialError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialErrorKind {
    /// The credential is not configured on this machine; a chain tries its next link.
    Unavailable,
    /// A value of the caller is invalid.
    Configuration,
    /// The identity service returned an error, and will return it again for the same request.
    Rejected,
    /// A user must sign in, consent or complete multifactor authentication.
    InteractionRequired,
    /// The identity service asked to wait.
    Throttled,
    /// The identity service failed or could not be reached.
    Transient,
    /// The response does not follow the protocol.
    Protocol,
}

impl CredentialError {
    /// An error of a kind, with one line on what happened.
    #[must_use]
    pub fn new(kind: CredentialErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            code: None,
            identity: None,
            fix: None,
            claims: None,
            correlation_id: None,
            trace_id: None,
            retry_after: None,
            origin: None,
            source: None,
        }))
    }

    /// With Entra's error number (`AADSTS…`).
    #[must_use]
    pub fn with_code(mut self, code: u32) -> Self {
        self.0.code = Some(code);
        self
    }

    /// With the application and the tenant that the token was for.
    #[must_use]
    pub fn with_identity(mut self, client: ClientId, tenant: TenantId) -> Self {
        self.0.identity = Some((client, tenant));
        self
    }

    /// With one sentence on how to fix it.
    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.0.fix = Some(fix.into());
        self
    }

    /// With the claims challenge for an interactive sign-in.
    #[must_use]
    #[inline]
    pub fn with_claims(mut self, claims: impl Into<String>) -> Self {
        self.0.claims = Some(claims.into());
        self
    }

    /// With the IDs under which the identity service logged the request.
    #[must_use]
    pub fn with_ids(mut self, correlation_id: Option<String>, trace_id: Option<String>) -> Self {
        self.0.correlation_id = correlation_id;
        self.0.trace_id = trace_id;
        self
    }

    /// With the wait that the identity service requested.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// With the credential's own error, whose text this one shows. The source of that error is then the source of
    /// this one, unless it has another, so that a chain of sources does not repeat the text.
    #[must_use]
    pub fn with_origin(mut self, origin: impl error::Error + Send + Sync + 'static) -> Self {
        self.0.origin = Some(Arc::new(origin));
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

    /// The application and the tenant that the token was for, if the credential is of one application.
    #[must_use]
    pub fn identity(&self) -> Option<(ClientId, &TenantId)> {
        let (client, tenant) = self.0.identity.as_ref()?;
        Some((*client, tenant))
    }

    /// The credential's own error, with all that this one leaves out.
    #[must_use]
    pub fn origin(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.origin.as_deref().map(|origin| origin as _)
    }

    /// One sentence on how to fix it.
    #[must_use]
    pub fn fix(&self) -> Option<&str> {
        self.0.fix.as_deref()
    }

    /// The claims challenge for an interactive sign-in (JSON).
    #[must_use]
    pub fn claims(&self) -> Option<&str> {
        self.0.claims.as_deref()
    }

    /// The ID under which the identity service logged the request.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.0.correlation_id.as_deref()
    }

    /// The trace ID of the identity service.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.0.trace_id.as_deref()
    }

    /// The wait that the identity service requested.
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
        f.write_str(&self.0.message)?;
        match self.0.code.map(|code| code.to_string()) {
            Some(code) if !self.0.message.contains(&code) => write!(f, " (AADSTS{code})"),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (client, tenant) = self.0.identity.as_ref().map_or((None, None), |identity| {
            (Some(identity.0.to_string()), Some(identity.1.to_string()))
        });
        Report {
            error: self,
            fix: self.fix(),
            ids: [
                ("application", client.as_deref()),
                ("tenant", tenant.as_deref()),
                ("correlation", self.correlation_id()),
                ("trace", self.trace_id()),
            ],
        }
        .fmt(f)
    }
}

impl error::Error for CredentialError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.0.source {
            Some(source) => Some(&**source),
            None => self.origin().and_then(error::Error::source),
        }
    }
}
