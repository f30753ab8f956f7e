use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{EncryptedStore, StoreError, StoreErrorKind};
use crate::blocking;

/// A store whose delays are bounded: each operation has a time limit, and a store that exceeds it
/// is skipped for a while (a circuit breaker).
///
/// A timeout opens the breaker, and so does an operation that fails so late that it is the store's own
/// timeout: two limits of the same length may end in any order. A store that fails at once is used
/// again at once, and so is one that responds, however late, with what cannot be used.
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

    /// Runs one operation within what is left of the budget, also without a runtime of tokio. Its time tells how
    /// the store does, so several operations are not run as one.
    #[inline]
    pub(crate) async fn run<T>(
        &self,
        budget: &mut Budget,
        operation: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let started = Instant::now();
        let probe = self.enter(started)?;
        let done = blocking::within(budget.0, operation).await;
        budget.0 = budget.0.saturating_sub(started.elapsed());
        if let Some(done) = done {
            let is_late = started.elapsed() >= self.latest_error();
            match &done {
                Err(error) if is_late && error.kind() == StoreErrorKind::Unavailable => {
                    self.open(started, probe.is_some());
                }
                _ if probe.is_some() => *self.breaker() = Breaker::default(),
                _ => {}
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

    /// After this time an error of one operation is no immediate one: it costs every look-up a wait.
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

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use tokio::time::sleep;

    use super::{
        super::{StoreKey, StorePartition},
        *,
    };

    type Operation = std::pin::Pin<Box<dyn Future<Output = Result<(), StoreError>>>>;

    /// The operations of a test are its own.
    #[derive(Debug)]
    struct Unused;

    #[async_trait]
    impl EncryptedStore for Unused {
        async fn load(&self, _: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
            Ok(None)
        }

        async fn save(&self, _: &StoreKey, _: &[u8], _: Duration) -> Result<(), StoreError> {
            Ok(())
        }

        async fn remove(&self, _: &StoreKey) -> Result<(), StoreError> {
            Ok(())
        }

        async fn remove_partition(&self, _: &StorePartition) -> Result<(), StoreError> {
            Ok(())
        }
    }

    /// Runs an operation that takes this long.
    async fn run(
        guard: &GuardedStore,
        budget: &mut Budget,
        millis: u64,
        result: Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let operation = async {
            sleep(Duration::from_millis(millis)).await;
            result
        };
        guard.run(budget, operation).await
    }

    async fn is_open(guard: &GuardedStore) -> bool {
        let mut budget = guard.budget();
        run(guard, &mut budget, 0, Ok(())).await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_late_error_of_a_store_that_is_away_opens_the_breaker() {
        for (kind, opens) in [
            (StoreErrorKind::Unavailable, true),
            (StoreErrorKind::Unreadable, false),
            (StoreErrorKind::Damaged, false),
            (StoreErrorKind::Configuration, false),
        ] {
            let guard = GuardedStore::new(Arc::new(Unused), DEFAULT_LIMIT);
            let mut budget = guard.budget();
            let result = Err(StoreError::new(kind, "slow"));
            run(&guard, &mut budget, 1_500, result).await.unwrap_err();
            assert_eq!(is_open(&guard).await, opens, "{kind:?}");
        }
    }

    #[test]
    fn a_store_that_hangs_has_its_limit_without_a_runtime_too() {
        let limit = Duration::from_millis(50);
        let guard = GuardedStore::new(Arc::new(Unused), limit);
        let run =
            |operation: Operation| blocking::block_on(guard.run(&mut guard.budget(), operation));
        let hangs = || Box::pin(std::future::pending::<Result<(), StoreError>>()) as Operation;
        let responds = || Box::pin(async { Ok::<(), StoreError>(()) }) as Operation;
        run(responds()).unwrap();
        let error = run(hangs()).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(error.to_string().contains("took longer"), "{error}");
        let error = run(responds()).unwrap_err();
        assert!(error.to_string().contains("is skipped"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_earlier_operations_makes_no_error_late() {
        let guard = GuardedStore::new(Arc::new(Unused), DEFAULT_LIMIT);
        let mut budget = guard.budget();
        for _ in 0..4 {
            run(&guard, &mut budget, 400, Ok(())).await.unwrap();
        }
        let result = Err(StoreError::unavailable("at once"));
        run(&guard, &mut budget, 0, result).await.unwrap_err();
        assert!(!is_open(&guard).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_responds_with_a_damaged_entry_is_back() {
        let guard = GuardedStore::new(Arc::new(Unused), DEFAULT_LIMIT);
        let mut budget = guard.budget();
        run(&guard, &mut budget, 3_000, Ok(())).await.unwrap_err();
        assert!(is_open(&guard).await);
        tokio::time::advance(FIRST_PAUSE).await;
        let mut budget = guard.budget();
        let result = Err(StoreError::new(StoreErrorKind::Damaged, "damaged"));
        run(&guard, &mut budget, 1_500, result).await.unwrap_err();
        assert!(!is_open(&guard).await);
    }
}
