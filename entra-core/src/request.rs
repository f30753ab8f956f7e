use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;

use crate::{Idempotency, Pacer, ResponseClass, StopReason, TokenCredential, TokenRequest};

/// The bearer token of a request.
#[derive(Clone, Debug)]
pub struct Bearer {
    pub(crate) credential: Arc<dyn TokenCredential>,
    pub(crate) request: TokenRequest,
}

impl Bearer {
    /// A token of this credential for this token request.
    #[must_use]
    pub fn new(credential: Arc<dyn TokenCredential>, request: TokenRequest) -> Self {
        Self {
            credential,
            request,
        }
    }
}

/// One call, which a [`Pipeline`](crate::Pipeline) sends once or several times.
///
/// `Debug` shows neither headers nor body nor query, which may hold secrets.
#[derive(Clone)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) bearer: Option<Bearer>,
    pub(crate) idempotency: Idempotency,
    pub(crate) classify: fn(StatusCode, &HeaderMap, &[u8]) -> ResponseClass,
    pub(crate) budget: Option<Duration>,
    pub(crate) response_limit: Option<u64>,
    pub(crate) pacer: Option<Arc<dyn Pacer>>,
}

impl Request {
    /// A request without token or body. `operation` names it in traces, such as `list users`.
    pub fn new(operation: &'static str, method: Method, url: Url) -> Self {
        let idempotency = Idempotency::of(&method);
        Self {
            operation,
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            bearer: None,
            idempotency,
            classify: by_status,
            budget: None,
            response_limit: None,
            pacer: None,
        }
    }

    /// With a header; a second one of the same name replaces the first.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// With a body of this media type.
    pub fn with_body(mut self, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.headers.insert(
            http::header::CONTENT_TYPE,
            HeaderValue::from_static(media_type),
        );
        self.body = body.into();
        self
    }

    /// With a bearer token.
    pub fn with_bearer(mut self, bearer: Bearer) -> Self {
        self.bearer = Some(bearer);
        self
    }

    /// With another class than the method's own, such as a POST that only reads.
    pub const fn with_idempotency(mut self, idempotency: Idempotency) -> Self {
        self.idempotency = idempotency;
        self
    }

    /// With a classification of responses other than by status.
    pub fn with_classifier(
        mut self,
        classify: fn(StatusCode, &HeaderMap, &[u8]) -> ResponseClass,
    ) -> Self {
        self.classify = classify;
        self
    }

    /// With another time budget than the pipeline's.
    pub const fn with_budget(mut self, budget: Duration) -> Self {
        self.budget = Some(budget);
        self
    }

    /// With another limit of the response body, in bytes after decompression, than the pipeline's.
    pub const fn with_response_limit(mut self, bytes: u64) -> Self {
        self.response_limit = Some(bytes);
        self
    }

    /// With a pacer, which decides when each attempt is sent.
    pub fn with_pacer(mut self, pacer: Arc<dyn Pacer>) -> Self {
        self.pacer = Some(pacer);
        self
    }

    /// The URL.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }
}

impl fmt::Debug for Request {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("host", &self.url.host_str())
            .field("path", &self.url.path())
            .field("idempotency", &self.idempotency)
            .finish_non_exhaustive()
    }
}

/// The last response to a call, whatever its status.
///
/// `Debug` shows neither headers nor body, which may hold tokens.
#[non_exhaustive]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The complete body.
    pub body: Bytes,
    /// The number of attempts.
    pub tries: u32,
    /// Whether an attempt before the last may have been processed: it had no response, or a temporary failure. A
    /// throttled attempt and one whose token was rejected were not.
    pub earlier_may_have_been_processed: bool,
    /// The time of all attempts, waits included.
    pub elapsed: Duration,
    /// Why it was not sent again, if a retry might have succeeded.
    pub stop_reason: Option<StopReason>,
    /// The `client-request-id` the call was sent with.
    pub client_request_id: String,
    /// The wait that this response requests, or for which the limit of the request is closed.
    pub retry_after: Option<Duration>,
}

impl Response {
    /// The value of a header. `None` if it is missing or not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How often and how long the call was tried, for an error message: `after 3 tries in 12.5 s`.
    #[must_use]
    #[inline]
    pub fn after_tries(&self) -> String {
        after_tries(self.tries, self.elapsed)
    }
}

impl fmt::Debug for Response {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("tries", &self.tries)
            .field("stop_reason", &self.stop_reason)
            .field("client_request_id", &self.client_request_id)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The text of [`Response::after_tries`].
#[inline]
pub(crate) fn after_tries(tries: u32, elapsed: Duration) -> String {
    let word = if tries == 1 { "try" } else { "tries" };
    format!("after {tries} {word} in {:.1} s", elapsed.as_secs_f64())
}

/// A 429 was not processed; after 408 and temporary 5xx the request may have been processed.
pub(crate) fn by_status(status: StatusCode, _: &HeaderMap, _: &[u8]) -> ResponseClass {
    match status.as_u16() {
        429 => ResponseClass::NotProcessed,
        408 | 500 | 502 | 503 | 504 => ResponseClass::Transient,
        _ => ResponseClass::Final,
    }
}
