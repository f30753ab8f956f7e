//! The clock of a tenant on a server: real time, moved and stopped by the control API.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use entra_core::{BoxFuture, Clock, SystemClock, Timestamp, time};

/// Real time plus a difference, or a time at which it was stopped.
#[derive(Debug, Default)]
pub(crate) struct AdjustableClock(Mutex<Setting>);

/// What a clock shows beside real time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The difference from real time.
    pub(crate) difference: time::Duration,
    /// The time that the clock shows while it is stopped.
    pub(crate) frozen: Option<Timestamp>,
}

impl AdjustableClock {
    pub(crate) fn setting(&self) -> Setting {
        *self.lock()
    }

    pub(crate) fn restore(&self, setting: Setting) {
        *self.lock() = setting;
    }

    /// Sets the time. A stopped clock stays stopped. Returns `false` for a time outside of [`EARLIEST`] to [`LATEST`].
    pub(crate) fn set(&self, time: Timestamp) -> bool {
        let mut setting = self.lock();
        if !(EARLIEST..=LATEST).contains(&time.unix_timestamp()) {
            return false;
        }
        if setting.frozen.is_some() {
            setting.frozen = Some(time);
        } else {
            setting.difference = time - SystemClock.now();
        }
        true
    }

    /// Moves the clock forward.
    pub(crate) fn advance(&self, by: Duration) -> bool {
        let by = time::Duration::try_from(by).unwrap_or(time::Duration::MAX);
        match self.now().checked_add(by) {
            Some(time) => self.set(time),
            None => false,
        }
    }

    /// Stops the clock.
    pub(crate) fn freeze(&self) {
        let mut setting = self.lock();
        setting.frozen = Some(shown(*setting));
    }

    /// Stops the clock at another time. Returns `false`, and changes nothing, for a time outside of [`EARLIEST`] to
    /// [`LATEST`].
    pub(crate) fn freeze_at(&self, time: Timestamp) -> bool {
        let valid = (EARLIEST..=LATEST).contains(&time.unix_timestamp());
        if valid {
            self.lock().frozen = Some(time);
        }
        valid
    }

    /// Lets a stopped clock go on from the time that it shows.
    pub(crate) fn unfreeze(&self) {
        let mut setting = self.lock();
        if let Some(time) = setting.frozen.take() {
            setting.difference = time - SystemClock.now();
        }
    }

    // A panic while the lock was held leaves the data as usable as before.
    fn lock(&self) -> MutexGuard<'_, Setting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for AdjustableClock {
    fn now(&self) -> Timestamp {
        shown(*self.lock())
    }

    fn monotonic(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        SystemClock.sleep(duration)
    }
}

fn shown(setting: Setting) -> Timestamp {
    setting
        .frozen
        .unwrap_or_else(|| SystemClock.now().saturating_add(setting.difference))
}

/// 2000-01-01, in seconds since 1970.
const EARLIEST: i64 = 946_684_800;
/// 2200-01-01: token lifetimes and retention are added to it.
const LATEST: i64 = 7_258_118_400;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_timestamp(seconds).unwrap()
    }

    #[test]
    fn a_stopped_clock_shows_one_time_until_it_is_moved() {
        let clock = AdjustableClock::default();
        clock.freeze();
        let stopped = clock.now();
        assert!(clock.advance(Duration::from_secs(3_600)));
        assert_eq!(clock.now(), stopped + Duration::from_secs(3_600));
        assert!(clock.set(at(1_800_000_000)));
        assert_eq!(clock.now(), at(1_800_000_000));
        clock.unfreeze();
        assert!(clock.setting().frozen.is_none() && clock.now() >= at(1_800_000_000));
    }

    #[test]
    fn a_running_clock_goes_on_from_the_time_it_was_set_to() {
        let clock = AdjustableClock::default();
        assert!(clock.set(at(1_800_000_000)));
        let (first, second) = (clock.now(), clock.now());
        assert!(first >= at(1_800_000_000) && second >= first);
        clock.restore(Setting::default());
        assert!(clock.now() < at(1_800_000_000) + Duration::from_secs(400 * 366 * 86_400));
        assert_eq!(clock.setting(), Setting::default());
    }

    #[test]
    fn times_that_no_token_can_have_are_rejected() {
        let clock = AdjustableClock::default();
        clock.freeze();
        let before = clock.now();
        assert!(!clock.set(at(EARLIEST - 1)) && !clock.set(at(LATEST + 1)));
        assert!(!clock.advance(Duration::from_secs(100 * 366 * 86_400 * 4)));
        assert_eq!(clock.now(), before);
    }
}
