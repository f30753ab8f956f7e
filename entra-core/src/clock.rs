use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

/// A point in time, in UTC unless its offset says otherwise (the `time` crate's type).
pub use time::OffsetDateTime as Timestamp;

/// A boxed future, for traits that are used as `dyn`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A source of time that a test can control.
///
/// Credential, Graph client and fake tenant share one clock, so token expiry, retry waits and log timestamps
/// advance together.
///
/// It has two clocks. The *wall clock* ([`now`](Self::now)) has the date, which other machines share, but an
/// administrator or NTP can set it back or ahead at any time. The
/// *monotonic clock* ([`monotonic`](Self::monotonic)) only moves forward and means nothing outside
/// this process. So ages, waits and time budgets are measured on the monotonic clock; the wall clock
/// is for values that come from or go to another machine or a store, such as a token's expiry.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The current time in UTC, on the wall clock.
    fn now(&self) -> Timestamp;

    /// A reading of the monotonic clock, which no change of the machine's time moves.
    ///
    /// Compare it only with other readings of the same clock. While a machine is suspended this
    /// clock stands still on Linux and macOS (see [`Instant`]), so the age of a thing that expires by
    /// the calendar, such as a token, must be judged on both clocks: it has expired when either says so.
    fn monotonic(&self) -> Instant;

    /// How long ago a reading of [`monotonic`](Self::monotonic) was taken; zero for a later one.
    fn elapsed(&self, since: Instant) -> Duration {
        self.monotonic().saturating_duration_since(since)
    }

    /// The same reading as [`now`](Self::now), as std's type: it compares in a fraction of the time,
    /// since it holds no calendar date.
    fn system_time(&self) -> SystemTime {
        self.now().into()
    }

    /// Completes when `duration` has passed on the monotonic clock.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

impl<T: Clock + ?Sized> Clock for Arc<T> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn monotonic(&self) -> Instant {
        (**self).monotonic()
    }

    fn elapsed(&self, since: Instant) -> Duration {
        (**self).elapsed(since)
    }

    fn system_time(&self) -> SystemTime {
        (**self).system_time()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        (**self).sleep(duration)
    }
}

/// The machine's clock; sleeping uses tokio's timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now_utc()
    }

    fn monotonic(&self) -> Instant {
        Instant::now()
    }

    fn system_time(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
