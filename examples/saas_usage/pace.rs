//! Staying below a documented limit instead of running into it: a refused call counts as well.

use std::{collections::VecDeque, time::Duration};

use entra_core::{Clock, Timestamp};

/// So many calls within any span of so much time.
#[derive(Debug)]
pub(crate) struct Pace {
    calls: usize,
    span: Duration,
    made: VecDeque<Timestamp>,
}

impl Pace {
    /// Audit logs and reports: 5 calls in 10 seconds for one app in one tenant.
    pub(crate) fn of_reports() -> Self {
        Self {
            calls: 5,
            span: Duration::from_secs(10),
            made: VecDeque::new(),
        }
    }

    /// Waits until one more call is allowed, and takes note of it.
    pub(crate) async fn wait(&mut self, clock: &dyn Clock) {
        let wait = self.due(clock.now());
        if !wait.is_zero() {
            clock.sleep(wait).await;
        }
        self.made.push_back(clock.now());
        while self.made.len() > self.calls {
            self.made.pop_front();
        }
    }

    fn due(&self, now: Timestamp) -> Duration {
        match self.made.front() {
            Some(first) if self.made.len() == self.calls => {
                Duration::try_from(*first + self.span - now).unwrap_or_default()
            }
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use entra_core::ManualClock;

    use super::*;

    #[tokio::test]
    async fn no_ten_seconds_see_more_than_five_calls() {
        let clock = ManualClock::new();
        let mut pace = Pace::of_reports();
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
        let mut pace = Pace::of_reports();
        for _ in 0..5 {
            pace.wait(&clock).await;
        }
        assert_eq!(clock.now(), before);
    }
}
