use std::{error, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

#[cfg(feature = "reqwest")]
mod connect_to;
#[cfg(feature = "reqwest")]
mod pinned;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "reqwest")]
pub use self::{
    pinned::ServiceFabricTransport,
    reqwest::{ReqwestTransport, ReqwestTransportBuilder},
};

/// Sends one complete request and returns one complete response.
///
/// A transport does not retry, follow redirects or add credentials: the [`Pipeline`](crate::Pipeline) does what
/// is needed. The request may carry a
/// [`Timeout`] and a [`ResponseLimit`] among its extensions. A transport that reads a body in parts stops
/// at the limit. If it ignores the limit, the pipeline rejects the response after the body is in memory.
#[async_trait]
pub trait HttpTransport: fmt::Debug + Send + Sync + 'static {
    /// Sends the request.
    ///
    /// # Errors
    /// [`TransportError`] without a complete response; it says whether the server may have processed the
    /// request.
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError>;
}

#[async_trait]
impl<T: HttpTransport + ?Sized> HttpTransport for Arc<T> {
    #[inline]
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        (**self).send(request).await
    }
}

/// The time left for one request, as a request extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeout(pub Duration);

/// The most bytes of a response body to accept, after decompression, as a request extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseLimit(pub u64);

/// Marks a request to a metadata endpoint, which goes out without TLS and without a proxy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlainHttp;

/// Why a request got no complete response.
pub struct TransportError {
    kind: TransportErrorKind,
    source: Box<dyn error::Error + Send + Sync>,
}

/// What kind of failure a [`TransportError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection, so nothing was sent.
    Connect,
    /// No complete response in time.
    Timeout,
    /// The connection broke after something was sent.
    Interrupted,
    /// The request or the transport's settings are invalid; nothing was sent.
    InvalidRequest,
    /// The response is larger than its [`ResponseLimit`]; the rest was not read.
    ResponseTooLarge,
}

impl TransportError {
    /// No connection, so nothing was sent.
    #[must_use]
    pub fn connect(source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self {
            kind: TransportErrorKind::Connect,
            source: source.into(),
        }
    }

    /// No complete response in time.
    #[must_use]
    pub fn timeout(source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self {
            kind: TransportErrorKind::Timeout,
            source: source.into(),
        }
    }

    /// The connection broke after something was sent.
    #[must_use]
    pub fn interrupted(source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self {
            kind: TransportErrorKind::Interrupted,
            source: source.into(),
        }
    }

    /// The request or the transport's settings are invalid.
    #[must_use]
    #[inline]
    pub fn invalid_request(source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self {
            kind: TransportErrorKind::InvalidRequest,
            source: source.into(),
        }
    }

    /// The response is larger than this limit.
    #[must_use]
    pub fn response_too_large(limit: ResponseLimit) -> Self {
        Self {
            kind: TransportErrorKind::ResponseTooLarge,
            source: format!("the limit is {} bytes", limit.0).into(),
        }
    }

    /// What kind of failure this is.
    #[must_use]
    pub const fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Whether the server may have received the request and acted on it.
    #[must_use]
    pub const fn may_have_been_processed(&self) -> bool {
        matches!(
            self.kind,
            TransportErrorKind::Timeout
                | TransportErrorKind::Interrupted
                | TransportErrorKind::ResponseTooLarge
        )
    }
}

impl fmt::Display for TransportError {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TransportErrorKind::Connect => "no connection to the server",
            TransportErrorKind::Timeout => "no complete response in time",
            TransportErrorKind::Interrupted => {
                "the connection broke before the response was complete"
            }
            TransportErrorKind::InvalidRequest => {
                "the request cannot be sent with these transport settings"
            }
            TransportErrorKind::ResponseTooLarge => "the response is too large",
        })
    }
}

impl fmt::Debug for TransportError {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportError")
            .field("kind", &self.kind)
            .field("source", &self.source)
            .finish()
    }
}

impl error::Error for TransportError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&*self.source)
    }
}
