use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use aws_lc_rs::digest::{SHA256, digest};

use crate::{expiring_map::ExpiringMap, moment::ALLOWED_SKEW};

/// The sign-ins that were finished here, for as long as their callbacks could be accepted again.
///
/// A pending sign-in expires by the wall clock, which can be set back. So each one is remembered for the
/// longest time for which it can be accepted, on the monotonic clock.
#[derive(Debug)]
pub(super) struct FinishedSignIns(Mutex<ExpiringMap<StateDigest, ()>>);

type StateDigest = [u8; 16];

impl Default for FinishedSignIns {
    fn default() -> Self {
        Self(Mutex::new(ExpiringMap::new(MAX_ENTRIES)))
    }
}

impl FinishedSignIns {
    /// Whether this sign-in is finished for the first time.
    pub(super) fn claim(&self, state: &str, now: Instant) -> bool {
        let state_digest = state_digest(state);
        let mut finished = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = finished.get(&state_digest, now).is_none();
        if first {
            finished.insert(state_digest, (), RETENTION, now);
        }
        first
    }
}

/// A digest, because a state is a secret of the browser.
fn state_digest(state: &str) -> StateDigest {
    let mut state_digest = StateDigest::default();
    let digest = digest(&SHA256, state.as_bytes());
    for (to, from) in state_digest.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    state_digest
}

/// A thousand sign-ins a minute for an hour, in some megabytes.
const MAX_ENTRIES: usize = 60_000;
/// The lifetime of a pending sign-in, and the allowed clock skew of the replica that started it.
const RETENTION: Duration = Duration::from_secs(3600).saturating_add(ALLOWED_SKEW);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_is_finished_once_while_it_can_be_accepted() {
        let (finished, start) = (FinishedSignIns::default(), Instant::now());
        assert!(finished.claim("a", start));
        assert!(!finished.claim("a", start + RETENTION - Duration::from_secs(1)));
        assert!(finished.claim("b", start));
        assert!(finished.claim("a", start + RETENTION), "expired anyway");
    }

    #[test]
    fn memory_is_bounded() {
        let (finished, now) = (FinishedSignIns::default(), Instant::now());
        for number in 0..MAX_ENTRIES + 10 {
            assert!(finished.claim(&number.to_string(), now));
        }
        assert_eq!(finished.0.lock().unwrap().len(), MAX_ENTRIES);
    }
}
