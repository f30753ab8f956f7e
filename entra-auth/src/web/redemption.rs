//! One redemption per callback: a browser that submits its callback twice gets one response twice.

use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{self, HeaderValue},
    response::Response,
};
use entra_core::Clock;
use tokio::{runtime::Handle, sync::watch};
use tracing::Instrument as _;

use crate::{
    expiring_map::ExpiringMap,
    sign_in::{ReturnPath, SignInError},
    store::hashed,
};

/// A callback without a pending sign-in.
#[derive(Clone, Debug)]
pub(super) struct CallbackError {
    pub(super) error: SignInError,
    pub(super) return_path: Option<ReturnPath>,
    /// The header that removes the cookie of the sign-in.
    pub(super) removal: Option<HeaderValue>,
    /// The connection to restart the sign-in with, if another replica has redeemed the code.
    pub(super) restart: Option<String>,
}

/// What a callback has led to.
pub(super) type CallbackOutcome = Result<http::Response<Bytes>, CallbackError>;

/// The callbacks that are being processed, and those whose response no request has received yet.
///
/// A browser that submits its callback a second time, such as after a double click, closes the
/// connection of the first request and shows the response to the second one. So the work goes on
/// without its request, and the second one receives what the first one would have. A response is
/// given to the requests that wait for it, or else to the next one; after that the callback is used.
pub(super) struct Redemptions {
    clock: Arc<dyn Clock>,
    pending: Mutex<ExpiringMap<String, watch::Receiver<Option<CallbackOutcome>>>>,
}

impl Redemptions {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            pending: Mutex::new(ExpiringMap::new(CAPACITY)),
        }
    }

    /// The name of a callback: two requests are the same callback only if they are equal to the last
    /// byte and have the cookie of the same sign-in.
    pub(super) fn key(state: &str, redirect_uri: &str, response: &str) -> String {
        hashed(&serde_json::json!([state, redirect_uri, response]).to_string())
    }

    /// What a callback leads to, by this work unless an equal request has started it. `None` if the
    /// work panicked.
    pub(super) async fn run(
        &self,
        key: String,
        work: impl Future<Output = CallbackOutcome> + Send + 'static,
    ) -> Option<CallbackOutcome> {
        let (mut receiver, sender) = self.join(&key);
        if let Some(sender) = sender {
            let work = async move { drop(sender.send(Some(work.await))) };
            match Handle::try_current() {
                Ok(runtime) => drop(runtime.spawn(work.in_current_span())),
                Err(_) => work.await,
            }
        }
        let outcome = match receiver.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone(),
            Err(_) => None,
        };
        self.pending().remove(&key);
        outcome
    }

    /// Waits for a callback that is being processed, or begins with it.
    fn join(
        &self,
        key: &String,
    ) -> (
        watch::Receiver<Option<CallbackOutcome>>,
        Option<watch::Sender<Option<CallbackOutcome>>>,
    ) {
        let now = self.clock.monotonic();
        let mut pending = self.pending();
        if let Some(receiver) = pending.get(key, now) {
            return (receiver.clone(), None);
        }
        let (sender, receiver) = watch::channel(None);
        pending.insert(key.clone(), receiver.clone(), LIFETIME, now);
        (receiver, Some(sender))
    }

    fn pending(
        &self,
    ) -> MutexGuard<'_, ExpiringMap<String, watch::Receiver<Option<CallbackOutcome>>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Redemptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redemptions").finish_non_exhaustive()
    }
}

/// The response with its body in memory, so that two requests can receive it.
pub(super) async fn in_memory(response: Response) -> http::Response<Bytes> {
    let (parts, body) = response.into_parts();
    // Pages are written in memory, so reading them cannot fail.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    http::Response::from_parts(parts, body)
}

pub(super) fn from_memory(response: http::Response<Bytes>) -> Response {
    response.map(Body::from)
}

/// The maximum number of callbacks in progress; the oldest are removed.
const CAPACITY: usize = 10_000;
/// How long a response is stored for a repeated request, from the first request.
const LIFETIME: Duration = Duration::from_secs(60);
