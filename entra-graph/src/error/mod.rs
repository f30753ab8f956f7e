use std::{error, fmt, time::Duration};

use entra_core::{CredentialError, StopReason, http::StatusCode};

use crate::{permissions::Operation, report::Report, service_error::ServiceError, token::Granted};

type Source = Box<dyn error::Error + Send + Sync>;

/// Why a Graph call failed, with what a support ticket and a retry loop need.
///
/// `Display` is one line that says what to do where that is known; causes are in
/// [`source`](error::Error::source). No error holds a token.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    status: Option<StatusCode>,
    service: ServiceError,
    call: Option<Call>,
    client_request_id: Option<String>,
    retry_after: Option<Duration>,
    stop_reason: Option<StopReason>,
    granted: Option<Granted>,
    source: Option<Source>,
}

/// Which call failed.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) operation: &'static Operation,
    pub(crate) path: String,
}

/// What kind of failure an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting of the client cannot be used.
    Configuration,
    /// Graph would refuse this request, so it was not sent.
    Query,
    /// The address is not one that requests and tokens may go to.
    Policy,
    /// There was no answer.
    Transport,
    /// The credential gave no token; [`Error::credential`] has the details.
    Credential,
    /// Graph answered with an error.
    Service,
    /// The answer was not what was expected; the message names the place in it.
    Decode,
    /// The pages of a list lead back to one that was already read.
    PageLoop,
}

impl Error {
    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The HTTP status of Graph's answer.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// Graph's error code, such as `Request_ResourceNotFound`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.service.code.as_deref()
    }

    /// The more specific codes inside of Graph's error, from the outermost in.
    #[must_use]
    pub fn inner_codes(&self) -> &[String] {
        &self.0.service.inner_codes
    }

    /// Graph's own message, or what this crate has to say.
    #[must_use]
    pub fn message(&self) -> &str {
        self.0.service.message.as_deref().unwrap_or(&self.0.message)
    }

    /// The id under which Graph logged the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.service.request_id.as_deref()
    }

    /// The id that this client gave the request.
    #[must_use]
    pub fn client_request_id(&self) -> Option<&str> {
        self.0.client_request_id.as_deref()
    }

    /// The wait that Graph asked for.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Why the request was not sent once more, when that might have helped.
    #[must_use]
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.0.stop_reason
    }

    /// The credential's own error, when that is what failed.
    #[must_use]
    pub fn credential(&self) -> Option<&CredentialError> {
        self.0
            .source
            .as_deref()?
            .downcast_ref::<entra_core::Error>()?
            .credential()
    }

    /// The permissions any one of which would do, best first, when Graph refused for lack of one.
    ///
    /// They are application or delegated ones, whichever the token was for.
    #[must_use]
    pub fn needed_permissions(&self) -> &'static [&'static str] {
        match &self.0.call {
            Some(call) if self.lacks_permission() => {
                if self.is_delegated() {
                    call.operation.delegated
                } else {
                    call.operation.application
                }
            }
            _ => &[],
        }
    }

    /// The permissions that the refused token has, when it could be read.
    #[must_use]
    pub fn token_permissions(&self) -> Option<&[String]> {
        Some(&self.0.granted.as_ref()?.permissions)
    }

    /// Whether Graph has no such object (404); just after a create it may only be late.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.0.status == Some(StatusCode::NOT_FOUND)
    }

    /// The error in several lines for a person: what, why, what to do, and the ids.
    #[must_use]
    pub const fn report(&self) -> Report<'_> {
        Report::new(self)
    }

    /// Whether Graph asked to slow down (429).
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.0.status == Some(StatusCode::TOO_MANY_REQUESTS)
    }

    /// Whether Graph refused the token itself (401), even a fresh one.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.0.status == Some(StatusCode::UNAUTHORIZED)
    }

    /// Whether Graph refused the call (403), for lack of a permission, a role or a licence.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.0.status == Some(StatusCode::FORBIDDEN)
    }

    /// Whether the tenant lacks the Entra ID P1 or P2 licence that the call needs.
    #[must_use]
    pub fn is_license_missing(&self) -> bool {
        self.code() == Some(NO_PREMIUM_LICENSE)
    }

    /// Whether the same call may succeed later without any change.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self.0.kind {
            ErrorKind::Transport => true,
            ErrorKind::Credential => self.credential().is_some_and(CredentialError::is_transient),
            ErrorKind::Service => {
                self.code() == Some(CONCURRENCY_VIOLATION)
                    || self.0.status.is_some_and(|status| {
                        matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
                    })
            }
            _ => false,
        }
    }

    pub(crate) fn query(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Query, message)
    }

    pub(crate) fn page_loop() -> Self {
        Self::new(
            ErrorKind::PageLoop,
            "the next page was read before: the list is not complete, ask for it anew",
        )
    }

    pub(crate) fn decode(message: impl Into<String>, source: impl Into<Source>) -> Self {
        let mut error = Self::new(ErrorKind::Decode, message);
        error.0.source = Some(source.into());
        error
    }

    pub(crate) fn decode_property(name: &str, source: serde_json::Error) -> Self {
        Self::decode(format!("{name} has another type than asked for"), source)
    }

    pub(crate) fn service(status: StatusCode, service: ServiceError) -> Self {
        let mut error = Self::new(ErrorKind::Service, "no error body that could be read");
        error.0.status = Some(status);
        error.0.service = service;
        error
    }

    pub(crate) fn with_call(mut self, operation: &'static Operation, path: &str) -> Self {
        self.0.call = Some(Call {
            operation,
            path: path.to_owned(),
        });
        self
    }

    pub(crate) fn with_answer(mut self, response: &entra_core::Response) -> Self {
        self.0.status = Some(response.status);
        self.0.client_request_id = Some(response.client_request_id.clone());
        self.0.retry_after = response.retry_after;
        self.0.stop_reason = response.stop_reason;
        if let Some(id) = response.header("request-id") {
            self.0.service.request_id = Some(id.to_owned());
        }
        self
    }

    pub(crate) fn with_granted(mut self, granted: Option<Granted>) -> Self {
        self.0.granted = granted;
        self
    }

    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            status: None,
            service: ServiceError::default(),
            call: None,
            client_request_id: None,
            retry_after: None,
            stop_reason: None,
            granted: None,
            source: None,
        }))
    }

    fn lacks_permission(&self) -> bool {
        self.is_forbidden()
            && !self.is_license_missing()
            && self
                .code()
                .is_none_or(|code| !code.ends_with("QuotaExceeded"))
    }

    fn is_delegated(&self) -> bool {
        self.0
            .granted
            .as_ref()
            .is_some_and(|granted| granted.delegated)
    }

    /// The headline: what failed, on what, in whose words.
    pub(crate) fn headline(&self) -> String {
        let call = self.0.call.as_ref().map(|call| call.path.as_str());
        match (self.0.kind, self.0.status) {
            (ErrorKind::Service, Some(status)) => {
                let code = self
                    .code()
                    .map(|code| format!(" {code}"))
                    .unwrap_or_default();
                let path = call
                    .map(|path| format!(" on GET {path}"))
                    .unwrap_or_default();
                let message = self.message().trim_end_matches('.');
                format!("{}{code}{path}: {message}", status.as_u16())
            }
            _ => {
                let path = call
                    .map(|path| format!(" (GET {path})"))
                    .unwrap_or_default();
                format!("{}{path}", self.0.message)
            }
        }
    }

    /// What to know and do about it, one thing each.
    pub(crate) fn advice(&self) -> Vec<String> {
        let mut advice = Vec::new();
        if self.is_license_missing() {
            advice.push("the tenant needs an Entra ID P1 or P2 licence for this".to_owned());
        }
        if let (Some(granted), true) = (&self.0.granted, self.lacks_permission()) {
            let what = if granted.delegated { "scopes" } else { "roles" };
            advice.push(match granted.permissions.as_slice() {
                [] => format!("the token has no {what}"),
                permissions => format!("the token has {what}: {}", permissions.join(", ")),
            });
        }
        let needed = self.needed_permissions();
        if !needed.is_empty() {
            let kind = if self.is_delegated() {
                "delegated"
            } else {
                "application"
            };
            advice.push(format!("needs one of ({kind}): {}", needed.join(", ")));
        }
        match self.0.stop_reason {
            Some(StopReason::RetryAfterBeyondBudget { retry_after, left }) => advice.push(format!(
                "gave up: the Retry-After of {} s is longer than the {} s left",
                retry_after.as_secs(),
                left.as_secs()
            )),
            Some(StopReason::Budget) => {
                advice.push("gave up: the time budget is used up".to_owned())
            }
            Some(StopReason::Attempts) => advice.push("gave up after the last try".to_owned()),
            Some(StopReason::NotRepeatable) => advice.push(
                "not sent again, as it may have been processed: look before sending it again"
                    .to_owned(),
            ),
            Some(_) | None => {}
        }
        advice
    }
}

impl From<entra_core::Error> for Error {
    fn from(source: entra_core::Error) -> Self {
        let (kind, message) = match source.kind() {
            entra_core::ErrorKind::Credential => (ErrorKind::Credential, "the call has no token"),
            entra_core::ErrorKind::Transport => (ErrorKind::Transport, "the call got no answer"),
            entra_core::ErrorKind::Policy => (ErrorKind::Policy, "the call was not allowed out"),
            _ => (ErrorKind::Configuration, "the client cannot send"),
        };
        let mut error = Self::new(kind, message);
        error.0.client_request_id = source.client_request_id().map(str::to_owned);
        error.0.retry_after = source.credential().and_then(CredentialError::retry_after);
        error.0.source = Some(Box::new(source));
        error
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        for line in self.advice() {
            write!(f, "; {line}")?;
        }
        match self.request_id() {
            Some(id) => write!(f, "; request-id {id}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("status", &self.0.status)
            .field("code", &self.code())
            .field("message", &self.message())
            .field("path", &self.0.call.as_ref().map(|call| &call.path))
            .field("request_id", &self.request_id())
            .field("client_request_id", &self.client_request_id())
            .field("retry_after", &self.0.retry_after)
            .field("stop_reason", &self.0.stop_reason)
            .field("needed_permissions", &self.needed_permissions())
            .field("token_permissions", &self.token_permissions())
            .field("source", &self.0.source)
            .finish()
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

const NO_PREMIUM_LICENSE: &str = "Authentication_RequestFromNonPremiumTenantOrB2CTenant";
const CONCURRENCY_VIOLATION: &str = "Directory_ConcurrencyViolation";
