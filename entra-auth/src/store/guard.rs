use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    runtime,
    time::{Instant, timeout},
};

use super::{EncryptedStore, StoreError};

/// A store whose delays are bounded: each operation has a time limit, and a store that exceeds it
/// is skipped for a while (a circuit breaker).
///
/// A timeout opens the breaker, and so does an error that came so late that it is the store's own
/// timeout: two limits of the same length may end in any order. A store that fails at once is used
/// again at once.
pub(crate) struct GuardedStore {
    store: Arc<dyn EncryptedStore>,
    limit: Duration,
    breaker: Mutex<Breaker>,
}

/// The remaining time of one look-up for all its operations on the store.
#[derive(Debug)]
pub(crate) struct Budget(Duration);

#[derive(Default)]
struct Breaker {
    /// While open: when the next operation is allowed.
    open_until: Option<Instant>,
    /// How long the store is skipped after the next timeout.
    pause: Duration,
    /// Whether an operation probes the store; the others do not wait for it.
    probing: bool,
}

/// The operation that probes the store. If it is dropped, the next one probes.
struct Probe<'a>(&'a GuardedStore);

impl GuardedStore {
    #[inline]
    pub(crate) fn new(store: Arc<dyn EncryptedStore>, limit: Duration) -> Self {
        Self {
            store,
            limit,
            breaker: Mutex::default(),
        }
    }

    /// With the default time limit.
    #[cfg(feature = "axum")]
    #[inline]
    pub(crate) fn with_default_limit(store: Arc<dyn EncryptedStore>) -> Self {
        Self::new(store, DEFAULT_LIMIT)
    }

    /// The time of one look-up.
    pub(crate) const fn budget(&self) -> Budget {
        Budget(self.limit)
    }

    pub(crate) const fn store(&self) -> &Arc<dyn EncryptedStore> {
        &self.store
    }

    /// Runs an operation within what is left of the budget.
    #[inline]
    pub(crate) async fn run<T>(
        &self,
        budget: &mut Budget,
        operation: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        // Without a runtime there is no timer: only the store's own limits apply.
        if runtime::Handle::try_current().is_err() {
            return operation.await;
        }
        let started = Instant::now();
        let probe = self.enter(started)?;
        let done = timeout(budget.0, operation).await;
        budget.0 = budget.0.saturating_sub(started.elapsed());
        if let Ok(done) = done {
            if done.is_err() && started.elapsed() >= self.latest_error() {
                self.open(started, probe.is_some());
            } else if probe.is_some() {
                *self.breaker() = Breaker::default();
            }
            return done;
        }
        let pause = self.open(started, probe.is_some());
        Err(StoreError::unavailable(format!(
            "the store took longer than the {} ms of a look-up; it is skipped for {} s",
            self.limit.as_millis(),
            pause.as_secs()
        )))
    }

    /// After this time an error is no immediate one: it costs every look-up a wait.
    fn latest_error(&self) -> Duration {
        (self.limit / 2).min(LATEST_ERROR)
    }

    /// Allows an operation, as the probe if the store was skipped until now.
    #[inline]
    fn enter(&self, now: Instant) -> Result<Option<Probe<'_>>, StoreError> {
        let mut breaker = self.breaker();
        let Some(until) = breaker.open_until else {
            return Ok(None);
        };
        if now < until || breaker.probing {
            return Err(StoreError::unavailable(
                "the store is skipped, because it did not respond in time a short while ago",
            ));
        }
        breaker.probing = true;
        Ok(Some(Probe(self)))
    }

    /// Opens the breaker, and returns for how long.
    #[inline]
    fn open(&self, started: Instant, probed: bool) -> Duration {
        let now = Instant::now();
        let mut breaker = self.breaker();
        // Several operations may time out together; the first one opens it.
        let said = breaker.open_until.is_some_and(|until| started < until);
        if probed || !said {
            breaker.pause = (breaker.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
            breaker.open_until = Some(now + breaker.pause);
        }
        breaker.pause
    }

    #[inline]
    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Budget {
    /// Restores the time that was spent since, where the wait has a limit of its own.
    #[inline]
    pub(crate) fn restore(&mut self, guard: &GuardedStore) {
        self.0 = guard.limit;
    }
}

impl Drop for Probe<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.breaker().probing = false;
    }
}

impl fmt::Debug for GuardedStore {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}

/// Long enough for a store across regions, short enough for a user who waits for a page.
pub(crate) const DEFAULT_LIMIT: Duration = Duration::from_secs(2);
/// Below the limits that stores have of their own, however long a look-up may take.
const LATEST_ERROR: Duration = Duration::from_millis(500);
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
