//! Stays below a documented limit: Graph counts throttled requests too.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use entra_auth::entra_core::{Clock, Timestamp};

/// A limit of calls within a period, shared by all callers.
#[derive(Debug)]
pub(crate) struct Pace {
    calls: usize,
    span: Duration,
    made: Mutex<VecDeque<Timestamp>>,
}

impl Pace {
    /// The limit of audit logs and reports: 5 requests in 10 seconds per app and tenant.
    pub(crate) fn of_reports() -> Self {
        Self::new(5)
    }

    /// The limit of the directory: 3,500 units in 10 seconds in the smallest tenants. A page of members costs
    /// two units, all other requests of this example one.
    pub(crate) fn of_directory() -> Self {
        Self::new(1_700)
    }

    fn new(calls: usize) -> Self {
        Self {
            calls,
            span: Duration::from_secs(10),
            made: Mutex::default(),
        }
    }

    /// Waits until one more call is allowed, and counts it.
    pub(crate) async fn wait(&self, clock: &dyn Clock) {
        while let Err(wait) = self.take(clock.now()) {
            clock.sleep(wait).await;
        }
    }

    /// Counts a call that is made now, or returns how long to wait.
    fn take(&self, now: Timestamp) -> Result<(), Duration> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.len() == self.calls
            && let Some(first) = made.front()
        {
            let wait = Duration::try_from(*first + self.span - now).unwrap_or_default();
            if !wait.is_zero() {
                return Err(wait);
            }
            made.pop_front();
        }
        made.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use entra_auth::entra_core::ManualClock;

    use super::*;

    #[tokio::test]
    async fn ten_seconds_have_at_most_five_calls() {
        let clock = ManualClock::new();
        let pace = Pace::of_reports();
        let mut calls = Vec::new();
        for _ in 0..23 {
            pace.wait(&clock).await;
            calls.push(clock.now());
            clock.advance(Duration::from_secs(1));
        }
        for window in calls.windows(6) {
            assert!(
                window[5] - window[0] >= Duration::from_secs(10),
                "{window:?}"
            );
        }
        assert!(calls[22] - calls[0] < Duration::from_secs(50));
    }

    #[tokio::test]
    async fn the_first_calls_do_not_wait() {
        let clock = ManualClock::new();
        let before = clock.now();
        let pace = Pace::of_reports();
        for _ in 0..5 {
            pace.wait(&clock).await;
        }
        assert_eq!(clock.now(), before);
    }
}
