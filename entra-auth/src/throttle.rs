use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{Error, ErrorKind, expiring_map::ExpiringMap};

/// The waits that the service requested, by request: an earlier request would be rejected and
/// would count against the caller.
pub(crate) struct Throttle(Mutex<ExpiringMap<[u8; 32], ThrottledRequest>>);

struct ThrottledRequest {
    since: Instant,
    wait: Duration,
    error: Error,
}

impl ThrottledRequest {
    fn remaining(&self, now: Instant) -> Duration {
        self.wait
            .saturating_sub(now.saturating_duration_since(self.since))
    }
}

impl Default for Throttle {
    #[inline]
    fn default() -> Self {
        Self(Mutex::new(ExpiringMap::new(CAPACITY)))
    }
}

impl Throttle {
    /// Returns an error for a request that must not be sent yet.
    pub(crate) fn check(&self, request: &[u8; 32], now: Instant) -> Result<(), Error> {
        let waits = self.lock();
        let Some(found) = waits.get(request, now) else {
            return Ok(());
        };
        let remaining = found.remaining(now);
        let seconds = remaining.as_secs() + u64::from(remaining.subsec_nanos() > 0);
        Err(found.error.clone().with(|inner| {
            inner.kind = ErrorKind::Throttled;
            inner.summary = format!(
                "the request was not sent: the sign-in service asked to wait, and {seconds} s remain"
            )
            .into();
            inner.retry_after = Some(remaining);
        }))
    }

    /// Stores the wait that a response requested.
    pub(crate) fn remember(&self, request: [u8; 32], error: &Error, now: Instant) {
        let Some(wait) = error.retry_after().filter(|wait| !wait.is_zero()) else {
            return;
        };
        if !matches!(error.kind(), ErrorKind::Throttled | ErrorKind::Service) {
            return;
        }
        let wait = wait.min(MAX_WAIT);
        let throttled = ThrottledRequest {
            since: now,
            wait,
            error: error.clone(),
        };
        // Beyond the capacity the oldest wait is dropped, which costs one rejected request.
        self.lock().insert(request, throttled, wait, now);
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, ExpiringMap<[u8; 32], ThrottledRequest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Throttle {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle")
            .field("keys", &self.lock().len())
            .finish()
    }
}

/// A longer wait is probably a mistake of the service.
const MAX_WAIT: Duration = Duration::from_secs(3600);
const CAPACITY: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: ErrorKind, wait: u64) -> Error {
        Error::new(kind, "x").with(|inner| {
            inner.retry_after = Some(Duration::from_secs(wait));
            inner.codes = vec![90_055];
        })
    }

    fn at(seconds: u64) -> Instant {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        *START.get_or_init(Instant::now) + Duration::from_secs(seconds)
    }

    #[test]
    fn wait_applies_to_its_request_until_it_expires() {
        let throttle = Throttle::default();
        throttle.remember([1; 32], &error(ErrorKind::Service, 60), at(0));
        throttle.check(&[2; 32], at(0)).unwrap();
        let throttled = throttle.check(&[1; 32], at(59)).unwrap_err();
        assert_eq!(throttled.kind(), ErrorKind::Throttled);
        assert_eq!(throttled.retry_after(), Some(Duration::from_secs(1)));
        assert_eq!(throttled.aadsts_code(), Some(90_055));
        throttle.check(&[1; 32], at(60)).unwrap();
    }

    #[test]
    fn no_wait_is_longer_than_an_hour() {
        let throttle = Throttle::default();
        throttle.remember([1; 32], &error(ErrorKind::Throttled, u64::MAX), at(0));
        throttle.check(&[1; 32], at(3599)).unwrap_err();
        throttle.check(&[1; 32], at(3600)).unwrap();
    }

    #[test]
    fn other_errors_are_not_remembered() {
        let throttle = Throttle::default();
        throttle.remember([1; 32], &error(ErrorKind::InvalidClient, 60), at(0));
        throttle.remember([1; 32], &error(ErrorKind::Throttled, 0), at(0));
        throttle.check(&[1; 32], at(0)).unwrap();
    }

    #[test]
    fn memory_is_bounded_and_expired_waits_are_dropped() {
        let throttle = Throttle::default();
        let mut keys = (0..3000_u32).map(|number| {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&number.to_le_bytes());
            key
        });
        for key in keys.by_ref().take(2000) {
            throttle.remember(key, &error(ErrorKind::Throttled, 60), at(0));
        }
        assert_eq!(throttle.lock().len(), CAPACITY);
        for key in keys {
            throttle.remember(key, &error(ErrorKind::Throttled, 60), at(60));
        }
        assert_eq!(throttle.lock().len(), 1000);
    }
}
