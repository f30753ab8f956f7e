//! Replication delay: requests are served from versions of the directory that are up to this old.
//!
//! A read sees an old version. A write is first tried on an old version, and what that rejects is rejected, as by
//! a replica that does not know the object yet; otherwise it changes the current version. So reads are not
//! monotonic, and a list that a client reads and writes as a whole can lose an entry, as in Entra.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use entra_core::Timestamp;

use crate::{random::Random, state::State, store::Store};

/// The recent versions of the directory.
#[derive(Debug, Default)]
pub(crate) struct Replication {
    delay: Duration,
    random: Option<Random>,
    /// Versions with the time from which each is the current one, oldest first.
    versions: VecDeque<(Timestamp, Arc<Store>)>,
}

impl Replication {
    /// Sets the longest delay; zero switches it off.
    pub(crate) fn set_delay(&mut self, delay: Duration, random: Random) {
        *self = Self {
            delay,
            random: Some(random),
            ..Self::default()
        };
    }

    pub(crate) const fn is_enabled(&self) -> bool {
        !self.delay.is_zero()
    }

    /// The tenant as the replica of one request has it; `None` if that is the current version.
    pub(crate) fn view(&mut self, now: Timestamp, state: &State) -> Option<State> {
        if self.versions.is_empty() {
            self.versions
                .push_back((now, Arc::new(state.store.clone())));
        }
        let longest = u64::try_from(self.delay.as_millis()).unwrap_or(u64::MAX);
        let age = self.random.as_ref()?.below(longest.saturating_add(1));
        let seen_until = now - Duration::from_millis(age);
        let at = self
            .versions
            .iter()
            .rposition(|(since, _)| *since <= seen_until)
            .unwrap_or(0);
        if at + 1 == self.versions.len() {
            return None;
        }
        let mut stale = state.clone();
        stale.store = Store::clone(&self.versions[at].1);
        Some(stale)
    }

    /// Forgets the old versions: a change by the test itself is everywhere at once.
    pub(crate) fn forget(&mut self) {
        self.versions.clear();
    }

    /// Adds the current version after a request has changed it.
    pub(crate) fn commit(&mut self, now: Timestamp, state: &State) {
        self.versions
            .push_back((now, Arc::new(state.store.clone())));
        // The newest version that every replica has must stay.
        while self
            .versions
            .get(1)
            .is_some_and(|(since, _)| *since + self.delay < now)
        {
            self.versions.pop_front();
        }
    }
}
