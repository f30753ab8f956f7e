//! The error of a call, from any layer.

mod granted;
mod permissions;
mod report;
mod service_error;

use std::{error, sync::Arc, time::Duration};

use entra_core::{
    CredentialError, InvalidId, StopReason,
    http::{Method, StatusCode},
};

use crate::operation::Operation;
pub(crate) use granted::{Granted, claims};
pub use service_error::ErrorDetail;
pub(crate) use service_error::ServiceError;

type Source = Box<dyn error::Error + Send + Sync>;

/// The error of a Graph call, with the ids for a support ticket and the facts for a retry.
///
/// `Display` is one line that names the root cause with its code, whatever the layer. `{:#}` and `Debug`
/// are the whole report in several lines: cause, fix and ids, so `?` out of `main` says what to do. No
/// error holds a token or a body.
///
/// ```
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
/// # support::block_on(async {
/// # let (tenant, _) = support::start().await;
/// # let app = tenant.register_app("Night job").application_permission("User.Read.All").with_secret();
/// # let credential = support::AppCredential::new(&tenant, &app);
/// # let graph = entra_graph::GraphClient::builder(credential).cloud(tenant.cloud()).build()?;
/// let error = graph.audit_logs().sign_ins().list().send().await.unwrap_err();
/// assert!(error.to_string().starts_with("403 Authentication_MSGraphPermissionMissing on GET /auditLogs/signIns"));
/// let report = format!("{error:#}");
/// assert!(report.contains("\n  the token has roles: User.Read.All"), "{report}");
/// assert!(report.contains("\n  needs one of (application): AuditLog.Read.All"), "{report}");
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    status: Option<StatusCode>,
    service: ServiceError,
    call: Option<Call>,
    client_request_id: Option<String>,
    retry_after: Option<Duration>,
    stop_reason: Option<StopReason>,
    attempts: Option<(u32, Duration)>,
    /// Whether an attempt before the last may have been processed.
    unsure: bool,
    list: Option<ListProgress>,
    granted: Option<Granted>,
    /// The id of an object that was created before a read failed.
    created: Option<String>,
    source: Option<Arc<dyn error::Error + Send + Sync>>,
}

/// How many pages and items of a list were read before it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListProgress {
    /// The page that failed, from 1 on.
    pub page: usize,
    /// How many items the pages before it held.
    pub items: usize,
}

/// Which call failed.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) operation: &'static Operation,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) advanced: bool,
}

/// What kind of failure an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting of the client cannot be used.
    Configuration,
    /// Graph would reject this request, so it was not sent.
    Query,
    /// The URL is not one that requests and tokens may go to.
    Policy,
    /// There was no response.
    Transport,
    /// The credential returned no token; [`Error::credential`] has the details.
    Credential,
    /// Graph returned an error.
    Service,
    /// The response was not what was expected; the message names its path.
    Decode,
    /// The pages of a list lead back to one that was already read.
    PageLoop,
    /// The request was not processed, because one that it depends on in a batch failed.
    Dependency,
    /// Reads after a write that was made do not agree on it yet and the time for it is up, or they fail.
    NotSettled,
    /// The response is larger than the client's limit; the rest was not read.
    ResponseTooLarge,
    /// Graph throttled other requests of the same limit for longer than the time budget, so it was not sent;
    /// [`Error::retry_after`] is the wait.
    Throttled,
    /// The blueprint of an app registration cannot be applied as it is; the message says why.
    Registration,
}

impl Error {
    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The HTTP status of Graph's response; that of the last read for [`NotSettled`](ErrorKind::NotSettled), of which
    /// [`is_forbidden`](Self::is_forbidden) and the like say nothing, as the write was made.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status.or_else(|| self.read_error()?.status())
    }

    /// The id of the object that a create made before reads of it failed ([`Create::settled`](crate::query::Create::settled)).
    #[must_use]
    pub fn created_id(&self) -> Option<&str> {
        self.0.created.as_deref()
    }

    /// The error of the last read after a write.
    fn read_error(&self) -> Option<&Self> {
        let source = self.0.source.as_deref()?;
        let source = source.downcast_ref::<Self>();
        source.filter(|_| self.0.kind == ErrorKind::NotSettled)
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

    /// The code and the inner ones.
    fn codes(&self) -> impl Iterator<Item = &str> {
        let inner = self.inner_codes().iter().map(String::as_str);
        self.code().into_iter().chain(inner)
    }

    /// The parts of an error about several properties, such as the names that a new group cannot have.
    #[must_use]
    pub fn details(&self) -> &[ErrorDetail] {
        &self.0.service.details
    }

    /// Graph's message, or that of this crate.
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

    /// The wait that Graph requested (`Retry-After`), of this request or of another one of its limit.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0
            .retry_after
            .or_else(|| self.read_error()?.retry_after())
    }

    /// Why the request was not retried, if a retry was possible.
    #[must_use]
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.0.stop_reason
    }

    /// The credential's own error, when that is what failed.
    #[must_use]
    #[inline]
    pub fn credential(&self) -> Option<&CredentialError> {
        self.0
            .source
            .as_deref()?
            .downcast_ref::<entra_core::Error>()?
            .credential()
    }

    /// Whether Graph says that there is no such object; just after a create it may only be late.
    ///
    /// A 404 counts only with a code that means absence. `MailboxNotEnabledForRESTAPI`, for example, is a
    /// 404 about a user who exists.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.0.status == Some(StatusCode::NOT_FOUND)
            && self
                .code()
                .is_some_and(|code| ABSENT.iter().any(|known| known.eq_ignore_ascii_case(code)))
    }

    /// Whether Graph rejected the request because its result exists: the object is a member already, the app
    /// role is assigned, or there is such a delegated permission grant or service principal.
    ///
    /// Graph has no code of its own for references and app roles, so its message decides there too. An update or a restore
    /// that needs a name which another object has is not such a request: its result does not exist.
    #[must_use]
    #[inline]
    pub fn is_already_present(&self) -> bool {
        match (self.0.status, self.code()) {
            (Some(StatusCode::BAD_REQUEST), Some("Request_BadRequest")) => {
                let message = self.message();
                message.contains("references already exist")
                    || message.contains("Permission being assigned already exists")
                    || message.contains("Permission entry already exists")
            }
            (Some(StatusCode::CONFLICT), Some("Request_MultipleObjectsWithSameKeyValue")) => {
                self.is_of_create() && !self.message().contains("with the same value for property")
            }
            _ => false,
        }
    }

    /// Whether the request creates an object, also by PATCH where there is none. One without a known call counts as
    /// such.
    #[inline]
    fn is_of_create(&self) -> bool {
        self.call().is_none_or(|(operation, method, path)| {
            let last = path.rsplit('/').next().unwrap_or_default();
            let creates = *method == Method::POST && !last.eq_ignore_ascii_case("restore");
            creates || operation.name.contains("-upsert")
        })
    }

    /// Whether another object has the key that the object of this request needs.
    #[cfg(feature = "registration")]
    pub(crate) fn is_key_taken(&self) -> bool {
        self.0.status == Some(StatusCode::CONFLICT)
            && self.code() == Some("Request_MultipleObjectsWithSameKeyValue")
    }

    /// Whether Graph rejected the removal of a reference because there is none. Its message decides.
    pub(crate) fn is_already_absent(&self) -> bool {
        self.0.status == Some(StatusCode::BAD_REQUEST)
            && self.code() == Some("Request_BadRequest")
            && self
                .message()
                .contains("removed object references do not exist")
    }

    /// Whether Graph rejected the removal of a secret or key because there is none. Its message decides.
    #[cfg(feature = "registration")]
    pub(crate) fn is_credential_absent(&self) -> bool {
        let message = self.message().to_ascii_lowercase();
        self.0
            .status
            .is_some_and(|status| matches!(status.as_u16(), 400 | 404))
            && message.contains("no credentials found to be removed")
    }

    /// Whether an attempt before the one that this error is about may have been processed.
    pub(crate) fn is_unsure(&self) -> bool {
        self.0.unsure
    }

    /// Whether the list must be read from its start, because Graph no longer knows the link to the page.
    ///
    /// Some services send no code with it, only a message about the skip token.
    #[must_use]
    pub fn is_expired_page(&self) -> bool {
        let message = || self.message().to_ascii_lowercase().replace(' ', "");
        self.codes()
            .any(|code| code.eq_ignore_ascii_case(EXPIRED_PAGE))
            || self.0.status == Some(StatusCode::BAD_REQUEST) && message().contains("skiptoken")
    }

    /// Whether a delta query must begin again with a full round.
    #[must_use]
    #[inline]
    pub fn is_resync_required(&self) -> bool {
        self.0.kind == ErrorKind::Service
            && (self.0.status == Some(StatusCode::GONE)
                || self
                    .codes()
                    .any(|code| RESYNC.iter().any(|known| known.eq_ignore_ascii_case(code))))
    }

    /// Whether Graph throttled the request (429), or it was not sent because Graph throttled others of the same limit.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.0.status == Some(StatusCode::TOO_MANY_REQUESTS) || self.0.kind == ErrorKind::Throttled
    }

    /// Whether Graph rejected the token itself (401), even a fresh one.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.0.status == Some(StatusCode::UNAUTHORIZED)
    }

    /// Whether Graph rejected the call (403), for lack of a permission, a role or a licence.
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
    #[inline]
    pub fn is_transient(&self) -> bool {
        match self.0.kind {
            ErrorKind::Transport | ErrorKind::Throttled => true,
            ErrorKind::NotSettled => self
                .read_error()
                .is_none_or(|cause| cause.is_transient() || cause.is_not_found()),
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

    #[cfg(feature = "registration")]
    pub(crate) fn registration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Registration, message)
    }

    #[cfg(feature = "registration")]
    pub(crate) fn caused_by(mut self, source: Source) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn page_loop() -> Self {
        Self::new(
            ErrorKind::PageLoop,
            "the next page was read before: the list is not complete, start it again",
        )
    }

    /// A request that was not processed, because one that it depends on failed.
    pub(crate) fn dependency(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Dependency, message)
    }

    /// A request that was not sent, since its limit is closed for longer than the time that is left.
    pub(crate) fn limit_closed(retry_after: Duration, left: Duration) -> Self {
        let mut error = Self::new(ErrorKind::Throttled, LIMIT_CLOSED);
        error.0.retry_after = Some(retry_after);
        error.with_stop_reason(StopReason::RetryAfterBeyondBudget { retry_after, left })
    }

    /// A write that reads do not show yet; `last` is how it showed last.
    #[inline]
    pub(crate) fn not_settled(
        agreed: u32,
        needed: u32,
        elapsed: Duration,
        last: Option<Self>,
    ) -> Self {
        let mut error = Self::new(
            ErrorKind::NotSettled,
            format!(
                "not settled after {:.1} s: of {needed} reads in a row that must show the write, the last {agreed} do",
                elapsed.as_secs_f64()
            ),
        );
        error.0.source = last.map(|last| Arc::new(last) as _);
        error
    }

    /// The error of a read after a write that was made, which must not look like an error of the write.
    #[inline]
    pub(crate) fn unread(cause: Self) -> Self {
        if cause.kind() == ErrorKind::NotSettled {
            return cause;
        }
        let mut error = Self::new(
            ErrorKind::NotSettled,
            format!("the write was made, and reading it back failed: {cause}"),
        );
        error.0.source = Some(Arc::new(cause));
        error
    }

    pub(crate) fn with_created(mut self, id: &str) -> Self {
        self.0.created = Some(id.to_owned());
        self
    }

    /// Operation, method and path of the call that failed.
    pub(crate) fn call(&self) -> Option<(&'static Operation, &Method, &str)> {
        let call = self.0.call.as_ref()?;
        Some((call.operation, &call.method, &call.path))
    }

    #[inline]
    pub(crate) fn decode(message: impl Into<String>, source: impl Into<Source>) -> Self {
        let mut error = Self::new(ErrorKind::Decode, message);
        error.0.source = Some(source.into().into());
        error
    }

    #[inline]
    pub(crate) fn decode_property(name: &str, source: serde_json::Error) -> Self {
        Self::decode(format!("{name} has another type than requested"), source)
    }

    #[inline]
    pub(crate) fn service(status: StatusCode, service: ServiceError) -> Self {
        let mut error = Self::new(ErrorKind::Service, "no error body that could be read");
        error.0.status = Some(status);
        error.0.service = service;
        error
    }

    /// An error that came with a status of success.
    pub(crate) fn service_in_success(service: ServiceError) -> Self {
        Self::service(StatusCode::OK, service)
    }

    /// How many pages and items were read before the error, counted from the start of this stream; `None` for other calls.
    #[must_use]
    pub fn list_progress(&self) -> Option<ListProgress> {
        self.0.list
    }

    /// The number of attempts; `None` if there was no response.
    #[must_use]
    pub fn tries(&self) -> Option<u32> {
        self.0.attempts.map(|(tries, _)| tries)
    }

    /// How long all attempts took, with waits; `None` if there was no response.
    #[must_use]
    pub fn elapsed(&self) -> Option<Duration> {
        self.0.attempts.map(|(_, elapsed)| elapsed)
    }

    pub(crate) fn with_list_progress(mut self, page: usize, items: usize) -> Self {
        self.0.list = Some(ListProgress { page, items });
        self
    }

    pub(crate) fn with_call(
        mut self,
        operation: &'static Operation,
        method: &Method,
        path: &str,
        advanced: bool,
    ) -> Self {
        self.0.call = Some(Call {
            operation,
            method: method.clone(),
            path: path.to_owned(),
            advanced,
        });
        self
    }

    /// With the ids and waits of a response.
    pub(crate) fn with_response(mut self, response: &ResponseFacts<'_>) -> Self {
        self.0.status = Some(response.status);
        self.0.client_request_id = response.client_request_id.map(str::to_owned);
        self.0.retry_after = response.retry_after;
        self.0.stop_reason = response.stop_reason;
        self.0.attempts = response.attempts;
        self.0.unsure = response.unsure;
        if let Some(id) = response.request_id {
            self.0.service.request_id = Some(id.to_owned());
        }
        self
    }

    /// Also unsure if an attempt that this error does not know of may have been processed.
    pub(crate) fn or_unsure(mut self, unsure: bool) -> Self {
        self.0.unsure |= unsure;
        self
    }

    pub(crate) fn with_stop_reason(mut self, reason: StopReason) -> Self {
        self.0.stop_reason = Some(reason);
        self
    }

    #[inline]
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
            attempts: None,
            unsure: false,
            list: None,
            granted: None,
            created: None,
            source: None,
        }))
    }
}

/// The facts of a response that an error stores.
pub(crate) struct ResponseFacts<'a> {
    pub(crate) status: StatusCode,
    pub(crate) request_id: Option<&'a str>,
    pub(crate) client_request_id: Option<&'a str>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) stop_reason: Option<StopReason>,
    pub(crate) attempts: Option<(u32, Duration)>,
    pub(crate) unsure: bool,
}

impl From<entra_core::Error> for Error {
    #[inline]
    fn from(source: entra_core::Error) -> Self {
        if let Some(StopReason::RetryAfterBeyondBudget { retry_after, left }) = source.stop_reason()
        {
            let mut error = Self::limit_closed(retry_after, left);
            error.0.client_request_id = source.client_request_id().map(str::to_owned);
            return error;
        }
        let (kind, message) = match source.kind() {
            entra_core::ErrorKind::Credential => {
                (ErrorKind::Credential, "the credential returned no token".to_owned())
            }
            entra_core::ErrorKind::Transport => (ErrorKind::Transport, "no response".to_owned()),
            entra_core::ErrorKind::Policy => (ErrorKind::Policy, "not sent".to_owned()),
            entra_core::ErrorKind::ResponseTooLarge => (
                ErrorKind::ResponseTooLarge,
                "the response is larger than the client's limit: request fewer items or properties at once".to_owned(),
            ),
            // It says which setting is invalid.
            _ => (ErrorKind::Configuration, source.to_string()),
        };
        let mut error = Self::new(kind, message);
        error.0.client_request_id = source.client_request_id().map(str::to_owned);
        error.0.retry_after = source.credential().and_then(CredentialError::retry_after);
        error.0.source = Some(Arc::new(source));
        error
    }
}

/// An invalid id, of a request that is not sent.
impl From<InvalidId> for Error {
    #[inline]
    fn from(invalid: InvalidId) -> Self {
        Self::query(invalid.to_string())
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        // The error between them says nothing that this one does not.
        if let Some(credential) = self.credential() {
            return Some(credential);
        }
        self.0.source.as_deref().map(|source| source as _)
    }
}

const NO_PREMIUM_LICENSE: &str = "Authentication_RequestFromNonPremiumTenantOrB2CTenant";
const LIMIT_CLOSED: &str = "not sent, as Graph throttled other requests of the same limit";
pub(crate) const CONCURRENCY_VIOLATION: &str = "Directory_ConcurrencyViolation";

const EXPIRED_PAGE: &str = "Directory_ExpiredPageToken";

/// The codes of a 404 that mean absence.
const ABSENT: &[&str] = &[
    "Request_ResourceNotFound",
    "ResourceNotFound",
    "Directory_ObjectNotFound",
    "ErrorItemNotFound",
    "itemNotFound",
    "ImageNotFound",
    "NotFound",
];

/// The codes that require a full round of a delta query.
const RESYNC: &[&str] = &[
    "syncStateNotFound",
    "syncStateInvalid",
    "resyncRequired",
    "resyncChangesApplyDifferences",
    "resyncChangesUploadDifferences",
];
