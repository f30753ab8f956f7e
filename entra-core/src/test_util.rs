//! Test doubles: a clock that a test advances, a scripted transport, a fixed credential.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Poll, Waker},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    AccessToken, BoxFuture, Clock, CredentialError, Error, HttpTransport, SecureRandom, Timestamp,
    TokenCredential, TokenRequest, TransportError,
};

/// A clock that stands still until it is advanced.
///
/// A sleep on it advances it by that much, so a test with a `Retry-After` of an hour ends at once, and the hour
/// has passed for all users of the clock. [`ManualClock::stepped`] makes sleepers wait for [`advance`](Self::advance) instead.
///
/// Both move wall clock and monotonic clock alike. [`ManualClock::set_wall_clock`] moves the wall
/// clock alone, as an administrator, NTP or a suspended machine does.
///
/// ```
/// use std::time::Duration;
/// use entra_core::{Clock, ManualClock};
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let clock = ManualClock::new();
/// let before = clock.now();
/// clock.sleep(Duration::from_secs(3600)).await;
/// assert_eq!(clock.now() - before, Duration::from_secs(3600));
/// # }); Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct ManualClock(Arc<ClockState>);

struct ClockState {
    stepped: bool,
    inner: Mutex<ClockInner>,
}

struct ClockInner {
    now: Timestamp,
    monotonic: Instant,
    sleepers: Vec<(Instant, Waker)>,
}

impl ManualClock {
    /// A clock that shows the machine's time of now, to the second, and stands still.
    #[must_use]
    pub fn new() -> Self {
        Self::at(Timestamp::now_utc())
    }

    /// A clock that shows the given time, to the second.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self::build(now, false)
    }

    /// A clock on which sleepers wait until it is advanced past their time.
    #[must_use]
    pub fn stepped(now: Timestamp) -> Self {
        Self::build(now, true)
    }

    /// Advances both clocks and wakes the sleepers that are due.
    pub fn advance(&self, duration: Duration) {
        let mut inner = self.lock();
        inner.now = inner
            .now
            .saturating_add(time::Duration::try_from(duration).unwrap_or(time::Duration::MAX));
        inner.monotonic = later(inner.monotonic, duration);
        let monotonic = inner.monotonic;
        let (due, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut inner.sleepers)
            .into_iter()
            .partition(|(until, _)| *until <= monotonic);
        inner.sleepers = waiting;
        drop(inner);
        for (_, waker) in due {
            waker.wake();
        }
    }

    /// Sets the wall clock, back or ahead, to the second; the monotonic clock and sleepers do not notice.
    pub fn set_wall_clock(&self, now: Timestamp) {
        self.lock().now = to_the_second(now);
    }

    fn build(now: Timestamp, stepped: bool) -> Self {
        Self(Arc::new(ClockState {
            stepped,
            inner: Mutex::new(ClockInner {
                now: to_the_second(now),
                monotonic: Instant::now(),
                sleepers: Vec::new(),
            }),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, ClockInner> {
        lock(&self.0.inner)
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.lock().now
    }

    fn monotonic(&self) -> Instant {
        self.lock().monotonic
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        if !self.0.stepped {
            let clock = self.clone();
            return Box::pin(async move { clock.advance(duration) });
        }
        let until = later(self.monotonic(), duration);
        let clock = self.clone();
        Box::pin(std::future::poll_fn(move |context| {
            let mut inner = clock.lock();
            if inner.monotonic >= until {
                return Poll::Ready(());
            }
            inner.sleepers.push((until, context.waker().clone()));
            Poll::Pending
        }))
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualClock")
            .field("now", &self.now())
            .field("stepped", &self.0.stepped)
            .finish()
    }
}

/// Random bytes that are the same for the same seed (SplitMix64; for tests only).
#[derive(Debug)]
pub struct SeededRandom(AtomicU64);

impl SeededRandom {
    /// A source that repeats itself for the same seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    #[inline]
    fn next(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut word = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }
}

impl SecureRandom for SeededRandom {
    #[inline]
    fn fill(&self, buffer: &mut [u8]) -> Result<(), Error> {
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// A credential that always gives the same token.
#[derive(Debug)]
pub struct StaticCredential(AccessToken);

impl StaticCredential {
    /// The token, valid until the year 9999.
    #[must_use]
    pub fn new(token: &str) -> Self {
        Self(AccessToken::new(token, FAR_FUTURE))
    }
}

#[async_trait]
impl TokenCredential for StaticCredential {
    async fn token(&self, _: &TokenRequest) -> Result<AccessToken, CredentialError> {
        Ok(self.0.clone())
    }
}

type ScriptedResponse =
    Box<dyn FnOnce(http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> + Send>;

/// A transport that returns scripted responses in order, and records the requests.
///
/// A request beyond the script fails like a broken connection, so a test notices it.
#[derive(Clone, Default)]
pub struct ScriptedTransport(Arc<Script>);

#[derive(Default)]
struct Script {
    responses: Mutex<VecDeque<ScriptedResponse>>,
    requests: Mutex<Vec<http::Request<Bytes>>>,
}

impl ScriptedTransport {
    /// An empty script.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a response with this status, these headers and this body.
    #[must_use]
    pub fn then(self, status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Self {
        let mut response = http::Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let body = body.into();
        self.then_with(move |_| response.body(body).map_err(TransportError::invalid_request))
    }

    /// Adds a failure of the connection.
    #[must_use]
    pub fn then_fail(self, error: TransportError) -> Self {
        self.then_with(move |_| Err(error))
    }

    /// Adds a response computed from the request.
    #[must_use]
    pub fn then_with(
        self,
        response: impl FnOnce(http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError>
        + Send
        + 'static,
    ) -> Self {
        lock(&self.0.responses).push_back(Box::new(response));
        self
    }

    /// The requests so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<http::Request<Bytes>> {
        lock(&self.0.requests).iter().map(copy).collect()
    }

    /// The number of responses that are left.
    #[must_use]
    pub fn remaining(&self) -> usize {
        lock(&self.0.responses).len()
    }
}

#[async_trait]
impl HttpTransport for ScriptedTransport {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        lock(&self.0.requests).push(copy(&request));
        let response = lock(&self.0.responses).pop_front();
        match response {
            Some(response) => response(request),
            None => Err(TransportError::interrupted(format!(
                "the script has no response for {} {}",
                request.method(),
                request.uri().path()
            ))),
        }
    }
}

impl fmt::Debug for ScriptedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedTransport")
            .field("remaining", &self.remaining())
            .finish_non_exhaustive()
    }
}

fn copy(request: &http::Request<Bytes>) -> http::Request<Bytes> {
    let mut copy = http::Request::new(request.body().clone());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn to_the_second(time: Timestamp) -> Timestamp {
    time.replace_nanosecond(0)
        .unwrap_or(time)
        .to_offset(time::UtcOffset::UTC)
}

/// A sum that the platform cannot hold becomes a century, which no test reaches.
fn later(from: Instant, by: Duration) -> Instant {
    from.checked_add(by)
        .or_else(|| from.checked_add(Duration::from_secs(100 * 365 * 86_400)))
        .unwrap_or(from)
}

/// The last day that RFC 3339 can write.
const FAR_FUTURE: Timestamp = match time::Date::from_ordinal_date(9999, 365) {
    Ok(date) => date.midnight().assume_utc(),
    Err(_) => Timestamp::UNIX_EPOCH,
};
