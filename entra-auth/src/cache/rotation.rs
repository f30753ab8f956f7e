//! Serializes the uses of a refresh token.
//!
//! A provider that rotates refresh tokens and detects their reuse (RFC 9700, section 4.14.2) takes a
//! token that is used twice for stolen and revokes all tokens that were issued for it: two requests
//! for different scopes would sign the user out. So each use waits for the token of the previous one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::OwnedMutexGuard;
use tracing::warn;

use crate::{blocking, store::StoreLock};

/// The lock for the uses of one refresh token in this process.
#[derive(Debug, Default)]
pub(crate) struct RotationLock(Mutex<Arc<tokio::sync::Mutex<()>>>);

/// Holds the lock of a refresh token until it is dropped.
#[derive(Debug)]
#[must_use = "dropping it lets the next use begin"]
pub(crate) struct RotationGuard {
    #[expect(dead_code, reason = "held for its drop")]
    local: OwnedMutexGuard<()>,
    /// The lock among all replicas. `None` without a store, or if the store did not grant it in time.
    shared: Option<Mutex<StoreLock>>,
    is_exclusive: bool,
}

impl RotationLock {
    /// Waits for the previous use, up to a timeout, also without a runtime of tokio.
    #[inline]
    pub(crate) async fn acquire(&self, timeout_after: Duration) -> RotationGuard {
        loop {
            let lock = self.current();
            let waiting = Arc::clone(&lock).lock_owned();
            if let Some(local) = blocking::within(timeout_after, waiting).await {
                return RotationGuard::new(local);
            }
            warn!("a refresh of a token does not complete; starting another");
            self.replace(&lock);
        }
    }

    #[inline]
    fn current(&self) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces a lock that is stuck. Its holder and its waiters keep the old one.
    #[inline]
    fn replace(&self, stuck: &Arc<tokio::sync::Mutex<()>>) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&current, stuck) {
            *current = Arc::default();
        }
    }
}

impl RotationGuard {
    const fn new(local: OwnedMutexGuard<()>) -> Self {
        Self {
            local,
            shared: None,
            is_exclusive: true,
        }
    }

    #[inline]
    pub(super) fn with_shared(mut self, shared: Option<StoreLock>) -> Self {
        self.is_exclusive = shared.is_some();
        // A store's lock need not be `Sync`, and the guard is shared by the steps of one use.
        self.shared = shared.map(Mutex::new);
        self
    }

    /// Whether it has the lock among all replicas, which ends with its lease.
    pub(crate) const fn has_lease(&self) -> bool {
        self.shared.is_some()
    }

    /// Whether no other replica uses the token. False if there is a store that did not grant its lock.
    #[inline]
    pub(crate) const fn is_exclusive(&self) -> bool {
        self.is_exclusive
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_that_does_not_complete_is_not_waited_for_without_a_runtime_either() {
        blocking::block_on(async {
            let lock = RotationLock::default();
            let stuck = lock.acquire(Duration::from_millis(20)).await;
            let next = lock.acquire(Duration::from_millis(20)).await;
            assert!(stuck.is_exclusive && next.is_exclusive);
        });
    }
}
