//! The users who have signed in with one flow.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::account::Account;

/// Users by their account, the latest last.
pub(super) struct KnownUsers<U>(Mutex<VecDeque<(Account, U)>>);

impl<U: Clone> KnownUsers<U> {
    #[inline]
    pub(super) fn new() -> Self {
        Self(Mutex::default())
    }

    /// Adds a signed-in user in place of an earlier sign-in of the same account.
    #[inline]
    pub(super) fn remember(&self, account: &Account, user: U) {
        let mut users = self.lock();
        users.retain(|(known, _)| !is_same(known, account));
        users.push_back((account.clone(), user));
        while users.len() > MAX_USERS {
            users.pop_front();
        }
    }

    #[inline]
    pub(super) fn accounts(&self) -> Vec<Account> {
        self.lock().iter().map(|(known, _)| known.clone()).collect()
    }

    #[inline]
    pub(super) fn find(&self, account: &Account) -> Option<U> {
        let users = self.lock();
        let mut found = users.iter().filter(|(known, _)| is_same(known, account));
        found.next().map(|(_, user)| user.clone())
    }

    /// Whether the user was known.
    #[inline]
    pub(super) fn forget(&self, account: &Account) -> bool {
        let mut users = self.lock();
        let before = users.len();
        users.retain(|(known, _)| !is_same(known, account));
        users.len() < before
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, VecDeque<(Account, U)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[inline]
fn is_same(one: &Account, other: &Account) -> bool {
    one.home_account_id == other.home_account_id && one.tenant == other.tenant
}

/// Users beyond this number sign in again, unless the application stores their refresh tokens.
const MAX_USERS: usize = 10_000;
