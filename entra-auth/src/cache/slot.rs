//! The state of one refresh token in this process.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use aws_lc_rs::digest::{SHA256, digest};

use entra_core::{AccessToken, Secret, Timestamp, time::Duration};

use super::{last_sign_out::LastSignOut, rotation::RotationLock};
use crate::{
    expiring_map::ExpiringMap,
    moment::{Moment, is_from_the_future},
    store::{EntryId, Record},
};

/// The state of one refresh token in this process. All credentials of the user on one cache share
/// it: by account if the cache has a store, else by the token that they were given.
#[derive(Default)]
pub(super) struct Slot {
    held: Mutex<SlotState>,
    pub(super) lock: RotationLock,
    /// Whether a task tries to store the token.
    is_being_stored: AtomicBool,
}

/// Lets one task at a time try to store the token of a slot.
pub(crate) struct StoringTask(Arc<Slot>);

/// Maps current and replaced tokens to their slot, for applications that store refresh tokens
/// themselves, as long as a credential uses the slot.
pub(super) struct SlotsByToken(Mutex<ExpiringMap<(EntryId, TokenDigest), Weak<Slot>>>);

/// A refresh token as it may be remembered.
type TokenDigest = [u8; 32];

#[derive(Default)]
pub(super) struct SlotState {
    pub(super) token: Option<StoredToken>,
    /// This very token was read from the store or written there. What the store has in its place
    /// was made from it, by whatever clock.
    pub(super) synced: bool,
    /// The token was revoked or the user signed out.
    pub(super) invalidated: bool,
    /// Counts invalidations. A request from before an invalidation must not store its result.
    pub(super) invalidations: u64,
    /// The id of the last mark of a sign-out that was seen in the store.
    pub(super) last_mark: Option<String>,
    /// The tokens that were replaced last. Their reuse would look like theft.
    replaced: VecDeque<TokenDigest>,
}

#[derive(Clone)]
pub(super) struct StoredToken {
    pub(super) token: Secret,
    /// By the wall clock of the replica that requested it, and when this process saw it: `None` if it
    /// was imported.
    pub(super) obtained: Timestamp,
    pub(super) seen: Option<Moment>,
    /// Which sign-out the user's sign-in came after.
    pub(super) last_sign_out: LastSignOut,
    /// The application stores it itself, until it is replaced.
    pub(super) is_given: bool,
    /// It comes from a sign-in that the store has not taken yet, and that replaces whatever entry is there.
    pub(super) is_unstored_sign_in: bool,
}

impl Slot {
    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, SlotState> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` while another task tries to store the token.
    #[inline]
    pub(super) fn begin_storing(self: &Arc<Self>) -> Option<StoringTask> {
        let is_taken = self.is_being_stored.swap(true, Ordering::AcqRel);
        (!is_taken).then(|| StoringTask(Arc::clone(self)))
    }
}

impl Drop for StoringTask {
    #[inline]
    fn drop(&mut self) {
        self.0.is_being_stored.store(false, Ordering::Release);
    }
}

impl SlotsByToken {
    #[inline]
    pub(super) fn new(capacity: usize) -> Self {
        Self(Mutex::new(ExpiringMap::new(capacity)))
    }

    #[inline]
    pub(super) fn find(&self, entry_id: &EntryId, token: &Secret) -> Option<Arc<Slot>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .peek(&(entry_id.clone(), token_digest(token.expose_secret())))?
            .upgrade()
    }

    #[inline]
    pub(super) fn remember_slot(&self, entry_id: &EntryId, slot: &Arc<Slot>, token: &Secret) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Removes slots without credentials first, then the oldest.
        known.make_room(|slot, looked| {
            *looked == 0 && {
                *looked = 1;
                slot.strong_count() > 0
            }
        });
        known.put(
            (entry_id.clone(), token_digest(token.expose_secret())),
            Arc::downgrade(slot),
        );
    }
}

impl SlotState {
    #[inline]
    pub(super) fn replace(&mut self, kept: StoredToken) {
        self.remember_replaced();
        *self = Self {
            replaced: std::mem::take(&mut self.replaced),
            token: Some(kept),
            synced: false,
            invalidated: false,
            invalidations: self.invalidations,
            last_mark: self.last_mark.take(),
        };
    }

    /// Takes the token that the service issued for the used one. `None` if that is no longer the current one: the user
    /// has signed out or in again, or another replica has replaced it.
    #[inline]
    pub(super) fn rotate(
        &mut self,
        used: &Secret,
        token: Secret,
        now: Moment,
    ) -> Option<StoredToken> {
        let used = self.token.as_ref().filter(|kept| kept.token == *used)?;
        let kept = StoredToken {
            is_unstored_sign_in: used.is_unstored_sign_in,
            ..StoredToken::new(token, now, used.last_sign_out.clone())
        };
        self.remember_replaced();
        self.token = Some(kept.clone());
        self.synced = false;
        Some(kept)
    }

    /// Remembers the token that another one takes the place of.
    #[inline]
    fn remember_replaced(&mut self) {
        if let Some(kept) = &self.token {
            self.replaced
                .push_back(token_digest(kept.token.expose_secret()));
            if self.replaced.len() > MOST_REPLACED {
                self.replaced.pop_front();
            }
        }
    }

    #[inline]
    pub(super) fn has_replaced(&self, token: &Secret) -> bool {
        self.replaced.contains(&token_digest(token.expose_secret()))
    }

    #[inline]
    pub(super) fn holds(&self, token: &Secret) -> bool {
        self.token.as_ref().is_some_and(|kept| kept.token == *token)
    }

    /// Takes the token of the store if it follows the current one or is newer. Returns whether the store
    /// is behind: it has a token that was replaced here, or an earlier one.
    #[inline]
    pub(super) fn adopt(&mut self, record: &Record, now: Moment) -> bool {
        let token = record.token.expose_secret();
        let is_same = |kept: &StoredToken| kept.token.expose_secret() == token;
        let mut is_behind = false;
        if self.token.as_ref().is_some_and(is_same) {
            self.synced = true;
            if let Some(kept) = &mut self.token {
                kept.last_sign_out.learn(record.last_sign_out.as_deref());
                kept.is_unstored_sign_in = false;
            }
        } else if self.token.is_some() && self.replaced.contains(&token_digest(token)) {
            // As after a write that failed or a restored copy.
            self.synced = false;
            is_behind = true;
        } else if self.synced {
            self.replace(StoredToken::of(record, Some(now)));
            self.synced = true;
        } else {
            self.synced = self.adopt_unstored(record, Some(now));
            // As after a sign-in that the store did not take.
            let is_older = |kept: &StoredToken| record.obtained <= kept.obtained;
            is_behind = !self.synced && self.token.as_ref().is_some_and(is_older);
        }
        is_behind
    }

    /// Takes a token that may have nothing to do with this one if it is newer; whether it is.
    ///
    /// One from the future is as good as any, but not newer than what is here: its clock was ahead.
    #[inline]
    pub(super) fn adopt_unstored(&mut self, record: &Record, now: Option<Moment>) -> bool {
        let newer = |kept: &StoredToken| match now {
            Some(now) => {
                !is_from_the_future(record.obtained, now.wall()) && kept.time(now) < record.obtained
            }
            None => kept.obtained < record.obtained,
        };
        let is_newer = self.token.as_ref().is_none_or(newer);
        if is_newer {
            self.replace(StoredToken::of(record, now));
        }
        is_newer
    }

    #[inline]
    pub(super) fn invalidate(&mut self) {
        let invalidated = self.token.is_some() || self.invalidated;
        *self = Self {
            invalidated,
            invalidations: self.invalidations + 1,
            last_mark: self.last_mark.take(),
            ..Self::default()
        };
    }
}

impl StoredToken {
    #[inline]
    pub(super) fn new(token: Secret, now: Moment, last_sign_out: LastSignOut) -> Self {
        Self {
            token,
            obtained: now.wall(),
            seen: Some(now),
            last_sign_out,
            is_given: false,
            is_unstored_sign_in: false,
        }
    }

    /// The token of a store or, without a time, of an export. An export may be of another store, whose
    /// marks say nothing here.
    #[inline]
    fn of(record: &Record, now: Option<Moment>) -> Self {
        Self {
            token: Secret::from(record.token.expose_secret()),
            obtained: now.map_or(record.obtained, |now| record.obtained.min(now.wall())),
            seen: now,
            last_sign_out: match now {
                Some(_) => LastSignOut::stored(record.last_sign_out.as_deref()),
                None => LastSignOut::given(),
            },
            is_given: false,
            is_unstored_sign_in: false,
        }
    }

    /// When it was obtained, as the wall clock tells it now.
    #[inline]
    fn time(&self, now: Moment) -> Timestamp {
        match self.seen {
            Some(seen) => seen.on_the_clock_of(now, self.obtained),
            None => self.obtained.min(now.wall()),
        }
    }

    /// As a store has it, like any token: with an end, after which it has lain idle too long.
    #[inline]
    pub(super) fn record(&self) -> Record {
        let expires_on = self.obtained.saturating_add(LONGEST_IDLE);
        Record {
            token: AccessToken::new(self.token.clone(), expires_on),
            obtained: self.obtained,
            seen: self.seen,
            last_sign_out: self.last_sign_out.to_stored(),
        }
    }
}

#[inline]
fn token_digest(token: &str) -> TokenDigest {
    let mut token_digest = TokenDigest::default();
    let digest = digest(&SHA256, token.as_bytes());
    for (to, from) in token_digest.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    token_digest
}

/// An application that keeps the token itself may lag behind by a few uses.
const MOST_REPLACED: usize = 16;
/// The lifetime of an unused refresh token at Entra.
const LONGEST_IDLE: Duration = Duration::days(90);

#[cfg(test)]
mod tests {
    use entra_core::{AccessToken, time};

    use super::*;

    #[test]
    fn the_token_of_an_earlier_session_does_not_replace_that_of_a_later_sign_in() {
        let now = Moment::now(&entra_core::SystemClock);
        let kept = |token: &str| StoredToken::new(Secret::from(token), now, LastSignOut::given());
        let (used, next) = (Secret::from("used"), Secret::from("next"));
        let mut held = SlotState::default();
        held.replace(kept("used"));
        // While the token is in use, the user signs out and in again.
        held.invalidate();
        assert!(held.rotate(&used, next.clone(), now).is_none());
        held.replace(kept("later"));
        assert!(held.rotate(&used, next.clone(), now).is_none());
        assert!(held.holds(&Secret::from("later")));
        assert!(held.rotate(&Secret::from("later"), next, now).is_some());
        assert!(held.holds(&Secret::from("next")));
    }

    #[test]
    fn an_unrelated_token_of_a_clock_that_was_ahead_does_not_replace_a_newer_one() {
        let now = Moment::now(&entra_core::SystemClock);
        let after = |seconds| now.wall().saturating_add(time::Duration::seconds(seconds));
        let record = |token: &str, obtained: Timestamp| Record {
            token: AccessToken::new(token.to_owned(), after(86_400)),
            obtained,
            seen: None,
            last_sign_out: None,
        };
        let mut held = SlotState::default();
        let here = StoredToken::new(Secret::from("here"), now, LastSignOut::given());
        held.replace(here);
        for seconds in [-60, 0, 3_600, 86_400] {
            let other = record("another replica's", after(seconds));
            assert!(!held.adopt_unstored(&other, Some(now)), "{seconds}");
            assert!(held.holds(&Secret::from("here")), "{seconds}");
        }
        // Clocks of replicas differ a little.
        assert!(held.adopt_unstored(&record("newer", after(60)), Some(now)));
        assert!(held.holds(&Secret::from("newer")));
    }
}
