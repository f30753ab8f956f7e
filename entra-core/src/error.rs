use std::{
    error,
    fmt::{self, Display as _},
    time::Duration,
};

use crate::{CredentialError, StopReason, report::Report};

type Source = Box<dyn error::Error + Send + Sync>;

/// Why a request was not sent or got no response.
///
/// A response with an error status is not an [`Error`]: it is returned as a
/// [`Response`](crate::Response), since the caller knows what its body means.
///
/// `Display` is one line; `{:#}` and `Debug` show cause, fix and ids as well, so `?` out of `main` prints them.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    client_request_id: Option<String>,
    stop_reason: Option<StopReason>,
    source: Option<Source>,
}

/// What kind of failure an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A value of the caller is invalid.
    Configuration,
    /// The send path did not send to an insecure URL or a host that is not configured.
    Policy,
    /// The network or TLS failed, after all retries that were safe.
    Transport,
    /// The credential returned no token; [`Error::credential`] has the details.
    Credential,
    /// The response is larger than the limit of its request; the rest was not read.
    ResponseTooLarge,
    /// The service throttled other requests of the same limit for longer than the time budget; not sent.
    Throttled,
}

impl Error {
    /// An invalid value; the message says how to fix it.
    #[must_use]
    #[inline]
    pub fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    /// A request that must not be sent; the message says why.
    #[must_use]
    #[inline]
    pub fn policy(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Policy, message)
    }

    /// The same error with its cause.
    #[must_use]
    #[inline]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The credential's error, if the credential failed.
    #[must_use]
    pub fn credential(&self) -> Option<&CredentialError> {
        self.0.source.as_deref()?.downcast_ref()
    }

    /// Returns the credential's error, if the credential failed.
    ///
    /// # Errors
    /// This error, unchanged, if it is of another kind.
    pub fn into_credential(mut self) -> Result<CredentialError, Self> {
        match self
            .0
            .source
            .take()
            .map(|source| source.downcast::<CredentialError>())
        {
            Some(Ok(credential)) => Ok(*credential),
            Some(Err(source)) => {
                self.0.source = Some(source);
                Err(self)
            }
            None => Err(self),
        }
    }

    /// Takes the cause out.
    #[must_use]
    pub fn into_source(self) -> Option<Box<dyn error::Error + Send + Sync>> {
        self.0.source
    }

    /// The ID that the request was sent with, for a support request. `None` if nothing was sent.
    #[must_use]
    pub fn client_request_id(&self) -> Option<&str> {
        self.0.client_request_id.as_deref()
    }

    /// Why a request of kind [`Throttled`](ErrorKind::Throttled) was not sent, with the wait.
    #[must_use]
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.0.stop_reason
    }

    /// Whether the same call may succeed later without any change.
    #[must_use]
    #[inline]
    pub fn is_transient(&self) -> bool {
        match self.0.kind {
            ErrorKind::Transport | ErrorKind::Throttled => true,
            ErrorKind::Credential => self.credential().is_some_and(CredentialError::is_transient),
            ErrorKind::Configuration | ErrorKind::Policy | ErrorKind::ResponseTooLarge => false,
        }
    }

    #[inline]
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            client_request_id: None,
            stop_reason: None,
            source: None,
        }))
    }

    /// A request that was not sent, since its limit is closed for longer than its time budget.
    #[inline]
    pub(crate) fn throttled(retry_after: Duration, left: Duration) -> Self {
        let message = format!(
            "not sent: the service throttled other requests of the same limit, which is closed for {} s more",
            retry_after.as_secs()
        );
        let mut error = Self::new(ErrorKind::Throttled, message);
        error.0.stop_reason = Some(StopReason::RetryAfterBeyondBudget { retry_after, left });
        error
    }

    pub(crate) fn with_client_request_id(mut self, id: &str) -> Self {
        self.0.client_request_id = Some(id.to_owned());
        self
    }
}

impl From<CredentialError> for Error {
    fn from(error: CredentialError) -> Self {
        Self::new(ErrorKind::Credential, "no token for this request").with_source(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return fmt::Debug::fmt(self, f);
        }
        f.write_str(&self.0.message)?;
        match self.credential() {
            Some(credential) => write!(f, ": {credential}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let credential = self.credential();
        Report {
            error: self,
            fix: credential.and_then(CredentialError::fix),
            ids: [
                ("client-request-id", self.client_request_id()),
                (
                    "correlation",
                    credential.and_then(CredentialError::correlation_id),
                ),
                ("trace", credential.and_then(CredentialError::trace_id)),
            ],
        }
        .fmt(f)
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        // The line has the text of the credential's error already.
        if let Some(credential) = self.credential() {
            return credential.source();
        }
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::CredentialErrorKind;

    #[test]
    fn debug_and_alternate_display_are_the_report_with_cause_fix_and_ids() {
        let credential = CredentialError::new(CredentialErrorKind::Rejected, "no token")
            .with_fix("add a new secret")
            .with_ids(Some("c-1".to_owned()), Some("t-1".to_owned()))
            .with_source(io::Error::other("the secret has expired"));
        let report = "no token\n  cause: the secret has expired\n  fix:   add a new secret\n  \
                      correlation c-1  trace t-1";
        assert_eq!(format!("{credential:?}"), report);
        assert_eq!(format!("{credential:#}"), report);
        assert_eq!(credential.to_string(), "no token");
        let line = credential.clone().with_code(50_196).to_string();
        assert_eq!(line, "no token (AADSTS50196)");

        let error = Error::from(credential).with_client_request_id("r-1");
        assert_eq!(
            format!("{error:?}"),
            "no token for this request: no token\n  cause: the secret has expired\n  fix:   add a new secret\n  \
             client-request-id r-1  correlation c-1  trace t-1"
        );
        assert_eq!(format!("{error:#}"), format!("{error:?}"));
        assert_eq!(error.to_string(), "no token for this request: no token");
    }

    #[test]
    fn source_of_the_origin_is_the_source_and_the_report_has_the_identity() {
        let origin = Error::policy("secret rejected").with_source(io::Error::other("expired"));
        let client = "11111111-1111-1111-1111-111111111111".parse().unwrap();
        let error = CredentialError::new(CredentialErrorKind::Rejected, "secret rejected")
            .with_identity(client, "contoso.com".parse().unwrap())
            .with_origin(origin);
        assert!(error.origin().unwrap().is::<Error>());
        assert_eq!(error::Error::source(&error).unwrap().to_string(), "expired");
        let (application, tenant) = error.identity().unwrap();
        assert_eq!(
            (application, tenant.to_string().as_str()),
            (client, "contoso.com")
        );
        assert_eq!(
            format!("{error:#}"),
            "secret rejected\n  cause: expired\n  application 11111111-1111-1111-1111-111111111111  tenant contoso.com"
        );
        let error = error.with_source(io::Error::other("no route"));
        assert_eq!(
            error::Error::source(&error).unwrap().to_string(),
            "no route"
        );
    }

    #[test]
    fn a_cause_that_is_named_already_is_not_repeated() {
        let error = Error::policy("the host is not configured: evil.example")
            .with_source(io::Error::other("evil.example"));
        assert_eq!(
            format!("{error:?}"),
            "the host is not configured: evil.example"
        );
    }
}
