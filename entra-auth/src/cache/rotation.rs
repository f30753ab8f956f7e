//! One use of a refresh token at a time.
//!
//! A provider that rotates refresh tokens and detects their reuse (RFC 9700, section 4.14.2) takes a
//! token that is used twice for stolen and revokes all that came of it: asked for two scopes at
//! once, it would sign the user out. So a use waits until the one before has brought the next token.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{runtime, sync::OwnedMutexGuard, time::timeout};
use tracing::warn;

use crate::store::StoreLock;

/// What the uses of one refresh token in this process wait for.
#[derive(Debug, Default)]
pub(crate) struct RotationLock(Mutex<Arc<tokio::sync::Mutex<()>>>);

/// The right to use a refresh token and to replace it, until it is dropped.
#[derive(Debug)]
#[must_use = "dropping it lets the next use begin"]
pub(crate) struct RotationGuard {
    #[expect(dead_code, reason = "held for its drop")]
    local: OwnedMutexGuard<()>,
    /// Among all that share the store; none without one, or if the store did not grant it in time.
    shared: Option<Mutex<StoreLock>>,
}

impl RotationLock {
    /// Waits for the use before, as long as one can think that it gets on.
    pub(crate) async fn acquire(&self, timeout_after: Duration) -> RotationGuard {
        loop {
            let lock = self.current();
            let waiting = Arc::clone(&lock).lock_owned();
            // Without a runtime there is no timer, and no other runtime that might stand still.
            if runtime::Handle::try_current().is_err() {
                return RotationGuard::new(waiting.await);
            }
            if let Ok(local) = timeout(timeout_after, waiting).await {
                return RotationGuard::new(local);
            }
            warn!("the use of a refresh token does not get on; starting anew");
            self.replace(&lock);
        }
    }

    fn current(&self) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Leaves a lock to those who hold it and wait for it.
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
        }
    }

    pub(super) fn with_shared(mut self, shared: Option<StoreLock>) -> Self {
        // A store's lock need not be `Sync`, and the guard is shared by the steps of one use.
        self.shared = shared.map(Mutex::new);
        self
    }
}
