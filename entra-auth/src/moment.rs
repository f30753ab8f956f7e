use std::time::{Duration, Instant};

use entra_core::{Clock, Timestamp};

/// The wall clock and the monotonic clock, read together.
///
/// A token expires by the calendar, so its age is judged on both clocks. The wall clock alone would
/// serve a token for a day too long after it was set back by a day; the monotonic clock alone would
/// serve an expired one after the machine was suspended, during which it stands still.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    wall: Timestamp,
    monotonic: Instant,
}

impl Moment {
    pub(crate) fn now(clock: &dyn Clock) -> Self {
        Self {
            wall: clock.now(),
            monotonic: clock.monotonic(),
        }
    }

    pub(crate) const fn wall(&self) -> Timestamp {
        self.wall
    }

    pub(crate) const fn monotonic(&self) -> Instant {
        self.monotonic
    }

    /// The time at `now` for a value whose lifetime began or was first seen at this moment: the
    /// wall clock's, unless it was set back since.
    #[inline]
    pub(crate) fn time_at(&self, now: Self) -> Timestamp {
        let passed = now.monotonic.saturating_duration_since(self.monotonic);
        self.wall.saturating_add(signed(passed)).max(now.wall)
    }

    /// How long ago it was, by the clock that says more.
    #[inline]
    pub(crate) fn age(&self, now: Self) -> Duration {
        let age = self.time_at(now) - self.wall;
        Duration::try_from(age).unwrap_or_default()
    }

    /// A wall clock time from before or at this moment, as the wall clock tells it at `now`: earlier
    /// if the clock was set back in between.
    #[inline]
    pub(crate) fn on_the_clock_of(&self, now: Self, time: Timestamp) -> Timestamp {
        time.saturating_sub(self.time_at(now) - now.wall)
    }

    /// When a wall clock time after this moment comes, on the monotonic clock.
    #[inline]
    pub(crate) fn monotonic_at(&self, time: Timestamp) -> Instant {
        let wait = Duration::try_from(time - self.wall).unwrap_or_default();
        self.monotonic
            .checked_add(wait)
            .or_else(|| self.monotonic.checked_add(FAR))
            .unwrap_or(self.monotonic)
    }
}

#[cfg(test)]
impl Moment {
    pub(crate) const fn new(wall: Timestamp, monotonic: Instant) -> Self {
        Self { wall, monotonic }
    }
}

/// Whether a stored value says that it was made later than any clock can differ.
///
/// Its lifetime began on a clock that was ahead, so it has expired when the value does not say so.
pub(crate) fn is_from_the_future(made: Timestamp, now: Timestamp) -> bool {
    made > now.saturating_add(signed(ALLOWED_SKEW))
}

/// Whether a value that was made here and given away, such as a cookie's, still is in its time: it
/// has not expired, and no clock that was ahead has made it last longer.
#[inline]
pub(crate) fn is_in_time(
    expires_on: Timestamp,
    lifetime: entra_core::time::Duration,
    now: Timestamp,
) -> bool {
    now < expires_on && !is_from_the_future(expires_on.saturating_sub(lifetime), now)
}

pub(crate) fn signed(duration: Duration) -> entra_core::time::Duration {
    duration
        .try_into()
        .unwrap_or(entra_core::time::Duration::MAX)
}

/// By how much the clocks of two machines may differ, as in the validation of tokens.
pub(crate) const ALLOWED_SKEW: Duration = Duration::from_secs(300);
/// A century, where the platform cannot hold more.
const FAR: Duration = Duration::from_secs(100 * 365 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn the_clock_that_is_ahead_decides() {
        let start = Moment::new(Timestamp::UNIX_EPOCH + 100 * HOUR, Instant::now());
        let later = |wall: Timestamp| Moment::new(wall, start.monotonic + HOUR);
        let wall = start.wall;
        // Right, set back by a day, and after a day of sleep.
        for (now, expected) in [
            (wall + HOUR, HOUR),
            (wall - 23 * HOUR, HOUR),
            (wall + 24 * HOUR, 24 * HOUR),
        ] {
            assert_eq!(start.age(later(now)), expected);
            assert_eq!(start.time_at(later(now)), wall + expected);
        }
        let set_back = later(wall - 23 * HOUR);
        assert_eq!(start.on_the_clock_of(set_back, wall), wall - 24 * HOUR);
        assert_eq!(start.on_the_clock_of(later(wall + HOUR), wall), wall);
        assert_eq!(start.monotonic_at(wall + HOUR), start.monotonic + HOUR);
        assert_eq!(start.monotonic_at(wall - HOUR), start.monotonic);
    }

    #[test]
    fn skew_is_allowed_and_more_is_the_future() {
        let now = Timestamp::UNIX_EPOCH;
        assert!(!is_from_the_future(now + ALLOWED_SKEW, now));
        assert!(is_from_the_future(
            now + ALLOWED_SKEW + Duration::from_secs(1),
            now
        ));
    }
}
