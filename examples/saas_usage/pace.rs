//! Staying below a documented limit instead of running into it: a refused call counts as well.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use entra_core::{Clock, Timestamp};

/// So many calls within any span of so much time, whoever makes them.
#[derive(Debug)]
pub(crate) struct Pace {
    calls: usize,
    span: Duration,
    made: Mutex<VecDeque<Timestamp>>,
}

impl Pace {
    /// Audit logs and reports: 5 calls in 10 seconds for one app in one tenant.
    pub(crate) fn of_reports() -> Self {
        Self::new(5)
    }

    /// The directory: 3,500 units in 10 seconds in the smallest tenants, where a page of members
    /// costs two and everything else here one.
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

    /// Waits until one more call is allowed, and takes note of it.
    pub(crate) async fn wait(&self, clock: &dyn Clock) {
        while let Err(wait) = self.take(clock.now()) {
            clock.sleep(wait).await;
        }
    }

    /// Takes note of a call that is made now, or tells how long to wait for it.
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
    use entra_core::ManualClock;

    use super::*;

    #[tokio::test]
    async fn no_ten_seconds_see_more_than_five_calls() {
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
