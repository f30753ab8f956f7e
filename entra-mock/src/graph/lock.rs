//! The tenant's lock.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::state::State;

// A panic while the lock was held leaves the data as usable as before.

pub(super) fn read_lock(tenant: &RwLock<State>) -> RwLockReadGuard<'_, State> {
    tenant.read().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn write_lock(tenant: &RwLock<State>) -> RwLockWriteGuard<'_, State> {
    tenant.write().unwrap_or_else(PoisonError::into_inner)
}
