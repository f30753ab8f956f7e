use std::{fmt, time::Duration};

use bytes::Bytes;

use crate::BoxFuture;

/// When each attempt of a request may be sent, by limits that many requests share.
///
/// A [`Pipeline`](crate::Pipeline) asks before each attempt of a [`Request`](crate::Request) that has one.
pub trait Pacer: fmt::Debug + Send + Sync + 'static {
    /// Completes when an attempt may be sent. This wait does not count against the time budget of the call, of which
    /// `left` is left.
    ///
    /// # Errors
    /// How long a limit is closed because the service throttled a request of it, at once if that is longer than `left`.
    /// The attempt is not sent then.
    fn admit(&self, left: Duration) -> BoxFuture<'_, Result<(), Duration>>;

    /// Learns from the response to an attempt. `wait` is how long the pipeline would wait before it sends the request
    /// again, `None` if it does not.
    ///
    /// Returns whether [`admit`](Self::admit) waits instead, for all requests of the limit at once. The pipeline
    /// then does not wait itself, and takes `wait` off the time budget.
    fn observe(&self, response: &http::Response<Bytes>, wait: Option<Duration>) -> bool;
}
