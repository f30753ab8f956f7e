//! Refresh tokens of users, stored beside their access tokens, so that a replica or a restarted
//! process needs the account only.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time,
};

use aws_lc_rs::digest::{SHA256, digest};

use entra_core::{AccessToken, ClientId, Secret, TenantId, Timestamp, time::Duration};

use super::{
    CachePartition, TokenCache,
    rotation::{RotationGuard, RotationLock},
};
use crate::{
    expiring_map::ExpiringMap,
    moment::{Moment, is_from_the_future},
    store::{Budget, EntryId, LoadResult, Record},
};

/// The refresh token of one user of one application in one tenant.
pub(crate) struct RefreshToken {
    cache: TokenCache,
    entry_id: EntryId,
    slot: Arc<Slot>,
}

/// The state of one refresh token in this process. All credentials of the user on one cache share
/// it: by account if the cache has a store, else by the token that they were given.
#[derive(Default)]
pub(super) struct Slot {
    held: Mutex<SlotState>,
    lock: RotationLock,
}

/// Maps current and replaced tokens to their slot, for applications that store refresh tokens
/// themselves, as long as a credential uses the slot.
pub(super) struct SlotsByToken(Mutex<ExpiringMap<(EntryId, TokenDigest), Weak<Slot>>>);

/// A refresh token as it may be remembered.
type TokenDigest = [u8; 32];

#[derive(Default)]
struct SlotState {
    token: Option<StoredToken>,
    /// The token has been in the store. If it is absent later, the user signed out at a replica.
    stored: bool,
    /// This very token was read from the store or written there. What the store has in its place
    /// was made from it, by whatever clock.
    synced: bool,
    /// The token was revoked or the user signed out.
    invalidated: bool,
    /// Counts invalidations. A request from before an invalidation must not store its result.
    invalidations: u64,
    /// The tokens that were replaced last. Their reuse would look like theft.
    replaced: VecDeque<TokenDigest>,
}

/// The store failed, or has an entry that only other replicas can read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unreadable;

#[derive(Clone)]
struct StoredToken {
    token: Secret,
    /// By the wall clock of the replica that requested it, and when this process saw it: `None` if it
    /// was imported.
    obtained: Timestamp,
    seen: Option<Moment>,
}

impl RefreshToken {
    #[inline]
    pub(crate) fn new(
        cache: &TokenCache,
        authority: &str,
        tenant: &TenantId,
        client: ClientId,
        home_account_id: &str,
        given: Option<&Secret>,
    ) -> Self {
        let entry_id = entry_id(authority, &tenant.to_string(), &client, home_account_id);
        Self {
            slot: cache.slot(&entry_id, given),
            cache: cache.clone(),
            entry_id,
        }
    }

    /// Waits until no other use of the refresh token is in progress, in this process or at a replica.
    #[inline]
    pub(crate) async fn lock(&self, timeout_after: time::Duration) -> RotationGuard {
        let guard = self.slot.lock.acquire(timeout_after).await;
        match &self.cache.0.persistent {
            Some(persistent) => {
                let lock = persistent
                    .lock_entry(&self.entry_id, &mut persistent.budget())
                    .await;
                guard.with_shared(lock)
            }
            None => guard,
        }
    }

    /// Returns the newest refresh token that this process knows.
    #[inline]
    pub(crate) fn current(&self) -> Option<Secret> {
        self.slot
            .lock()
            .token
            .as_ref()
            .map(|kept| kept.token.clone())
    }

    /// Whether the user signed out or the refresh token was rejected for good.
    #[inline]
    pub(crate) fn is_invalidated(&self) -> bool {
        self.slot.lock().invalidated
    }

    /// Takes a refresh token that the application stored itself. It is stored here when it is
    /// replaced. A token that was replaced here before is not used again.
    #[inline]
    pub(crate) fn give(&self, token: Secret, now: Moment) {
        let mut held = self.slot.lock();
        let is_known = held.token.is_some() && held.has_replaced(&token);
        if !is_known && !held.holds(&token) {
            held.replace(StoredToken::new(token, now));
        }
    }

    /// Takes the refresh token of a sign-in and stores it in place of any other.
    #[inline]
    pub(crate) async fn signed_in(&self, token: Secret, now: Moment) {
        self.slot
            .lock()
            .replace(StoredToken::new(token.clone(), now));
        self.cache.remember_slot(&self.entry_id, &self.slot, &token);
        let invalidations = self.slot.lock().invalidations;
        if let Some(persistent) = &self.cache.0.persistent {
            let kept = StoredToken::new(token, now);
            self.save(&kept, invalidations, &mut persistent.budget())
                .await;
        }
    }

    /// Returns the newest refresh token of all replicas that share the store. `None` if there is none any
    /// more, which no failure of the store makes true.
    #[inline]
    pub(crate) async fn newest(&self, now: Moment) -> Result<Option<Secret>, Unreadable> {
        let mut is_unreadable = false;
        if let Some(persistent) = &self.cache.0.persistent {
            let invalidations = self.slot.lock().invalidations;
            let found = persistent
                .load(&self.entry_id, &mut persistent.budget())
                .await;
            let mut held = self.slot.lock();
            match found {
                // It was forgotten since the look.
                _ if held.invalidations != invalidations => {}
                LoadResult::Found(record) => held.adopt(&record, now),
                LoadResult::Absent if held.stored => held.invalidate(),
                // A damaged entry does not mean a sign-out: the next token is written as if it were the first.
                LoadResult::Damaged => held.stored = false,
                LoadResult::Absent => {}
                // It is under a key of other replicas, or the store fails: then the memory must do.
                LoadResult::Foreign => is_unreadable = true,
                LoadResult::Unknown => is_unreadable = !held.invalidated,
            }
        }
        match self.current() {
            None if is_unreadable => Err(Unreadable),
            current => Ok(current),
        }
    }

    /// Takes the refresh token that replaces a used one, unless the user signed out meanwhile or
    /// another replica stored a newer token.
    #[inline]
    pub(crate) async fn rotate(
        &self,
        _: &RotationGuard,
        used: &Secret,
        token: Secret,
        now: Moment,
    ) {
        let kept = StoredToken::new(token, now);
        let (was_stored, invalidations) = {
            let mut held = self.slot.lock();
            if held.token.is_none() {
                return;
            }
            held.remember_replaced();
            held.token = Some(kept.clone());
            held.synced = false;
            (held.stored, held.invalidations)
        };
        self.cache
            .remember_slot(&self.entry_id, &self.slot, &kept.token);
        let Some(persistent) = &self.cache.0.persistent else {
            return;
        };
        let mut budget = persistent.budget();
        let replaces = match persistent.load(&self.entry_id, &mut budget).await {
            // The store has the token that was used, or an older one. A time in the future is not newer.
            LoadResult::Found(stored) => {
                stored.token.expose_secret() == used.expose_secret()
                    || stored.obtained <= kept.obtained
                    || is_from_the_future(stored.obtained, now.wall())
            }
            LoadResult::Absent => !was_stored,
            LoadResult::Foreign | LoadResult::Damaged | LoadResult::Unknown => true,
        };
        if replaces {
            self.save(&kept, invalidations, &mut budget).await;
        }
    }

    /// Returns another refresh token to try after this one was rejected for good. Without another
    /// one, the user is removed from memory and store. Without a store nothing changes.
    #[inline]
    pub(crate) async fn replace_rejected(
        &self,
        _: &RotationGuard,
        rejected: &Secret,
        now: Moment,
    ) -> Option<Secret> {
        let persistent = self.cache.0.persistent.as_ref()?;
        let mut budget = persistent.budget();
        let invalidations = self.slot.lock().invalidations;
        let found = persistent.load(&self.entry_id, &mut budget).await;
        let other = match &found {
            LoadResult::Found(record)
                if record.token.expose_secret() != rejected.expose_secret() =>
            {
                let mut held = self.slot.lock();
                if held.invalidations != invalidations {
                    return None;
                }
                if held.holds(rejected) {
                    held.token = None;
                }
                held.adopt(record, now);
                held.token.as_ref().map(|kept| kept.token.clone())
            }
            LoadResult::Found(_) => {
                persistent.remove(&self.entry_id, &mut budget).await;
                None
            }
            LoadResult::Absent
            | LoadResult::Foreign
            | LoadResult::Damaged
            | LoadResult::Unknown => None,
        };
        if other.is_some() {
            return other;
        }
        let mut held = self.slot.lock();
        if held.holds(rejected) {
            held.invalidate();
        }
        held.token.as_ref().map(|kept| kept.token.clone())
    }

    /// Writes the token to the store, if there is one, unless the user signs out before.
    #[inline]
    async fn save(&self, kept: &StoredToken, invalidations: u64, budget: &mut Budget) {
        let Some(persistent) = &self.cache.0.persistent else {
            return;
        };
        let wanted = || self.slot.lock().invalidations == invalidations;
        let saved = persistent
            .save_if(&self.entry_id, &kept.record(), budget, &wanted)
            .await;
        let mut held = self.slot.lock();
        if held.invalidations == invalidations {
            held.stored |= saved;
            held.synced = saved && held.holds(&kept.token);
        }
    }
}

impl TokenCache {
    /// Whether there is a store, so that an account is enough to get tokens.
    #[inline]
    pub(crate) fn has_store(&self) -> bool {
        self.0.persistent.is_some()
    }

    /// Returns the slot of a refresh token. Without a store, credentials that were given a token of
    /// the same slot share it, and others have their own.
    #[inline]
    fn slot(&self, entry_id: &EntryId, given: Option<&Secret>) -> Arc<Slot> {
        if !self.has_store() {
            let known = given.and_then(|token| self.0.slots_by_token.find(entry_id, token));
            return known.unwrap_or_else(|| {
                let slot = Arc::default();
                if let Some(token) = given {
                    self.remember_slot(entry_id, &slot, token);
                }
                slot
            });
        }
        let mut slots = self.slots();
        if let Some(slot) = slots.peek(entry_id).cloned() {
            slots.touch(entry_id);
            return slot;
        }
        // Only unused ones; the store still has them.
        slots.make_room(|slot, _| Arc::strong_count(slot) > 1);
        let slot = Arc::<Slot>::default();
        slots.put(entry_id.clone(), Arc::clone(&slot));
        slot
    }

    /// Without a store: remembers which slot a token belongs to.
    #[inline]
    fn remember_slot(&self, entry_id: &EntryId, slot: &Arc<Slot>, token: &Secret) {
        if !self.has_store() {
            self.0.slots_by_token.remember_slot(entry_id, slot, token);
        }
    }

    /// Returns the refresh tokens of a partition for an export.
    #[inline]
    pub(super) fn refresh_tokens(&self, partition: &CachePartition) -> Vec<(EntryId, Record)> {
        let slots = self.slots();
        let of = slots
            .iter()
            .filter(|(entry_id, _)| entry_id.partition == partition.as_str());
        of.filter_map(|(entry_id, slot)| {
            Some((entry_id.clone(), slot.lock().token.as_ref()?.record()))
        })
        .collect()
    }

    /// Imports a refresh token unless there is a newer one. A cache without a store imports none.
    #[inline]
    pub(super) fn put_refresh_token(&self, entry_id: &EntryId, record: &Record) {
        self.slot(entry_id, None)
            .lock()
            .adopt_unstored(record, None);
    }

    #[inline]
    pub(super) fn forget_refresh_tokens(&self, partition: &CachePartition) {
        self.slots().retain(|entry_id, slot| {
            let stays = entry_id.partition != partition.as_str();
            if !stays {
                slot.lock().invalidate();
            }
            // A slot in use stays, so that a new sign-in finds it.
            stays || Arc::strong_count(slot) > 1
        });
    }

    #[inline]
    fn slots(&self) -> MutexGuard<'_, ExpiringMap<EntryId, Arc<Slot>>> {
        self.0
            .refresh_tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a text names a refresh token of the partition that it says it is in.
#[inline]
pub(super) fn is_refresh_token(found: &EntryId) -> bool {
    let Ok(parts) = serde_json::from_slice::<Vec<String>>(found.entry.as_bytes()) else {
        return false;
    };
    let [kind, authority, tenant, client, account] = &parts[..] else {
        return false;
    };
    let Ok(client) = client.parse::<ClientId>() else {
        return false;
    };
    // Nothing but the one spelling counts.
    kind == KIND && entry_id(authority, tenant, &client, account) == *found
}

#[inline]
fn entry_id(authority: &str, tenant: &str, client: &ClientId, home_account_id: &str) -> EntryId {
    let client = client.to_string();
    let entry = serde_json::json!([KIND, authority, tenant, client, home_account_id]);
    EntryId {
        partition: CachePartition::account_at(authority, home_account_id)
            .as_str()
            .to_owned(),
        entry: entry.to_string(),
    }
}

impl Slot {
    #[inline]
    fn lock(&self) -> MutexGuard<'_, SlotState> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SlotsByToken {
    #[inline]
    pub(super) fn new(capacity: usize) -> Self {
        Self(Mutex::new(ExpiringMap::new(capacity)))
    }

    #[inline]
    fn find(&self, entry_id: &EntryId, token: &Secret) -> Option<Arc<Slot>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .peek(&(entry_id.clone(), token_digest(token.expose_secret())))?
            .upgrade()
    }

    #[inline]
    fn remember_slot(&self, entry_id: &EntryId, slot: &Arc<Slot>, token: &Secret) {
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
    fn replace(&mut self, kept: StoredToken) {
        self.remember_replaced();
        *self = Self {
            replaced: std::mem::take(&mut self.replaced),
            token: Some(kept),
            stored: false,
            synced: false,
            invalidated: false,
            invalidations: self.invalidations,
        };
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
    fn has_replaced(&self, token: &Secret) -> bool {
        self.replaced.contains(&token_digest(token.expose_secret()))
    }

    #[inline]
    fn holds(&self, token: &Secret) -> bool {
        self.token.as_ref().is_some_and(|kept| kept.token == *token)
    }

    /// Takes the token of the store if it follows the current one or is newer.
    #[inline]
    fn adopt(&mut self, record: &Record, now: Moment) {
        let token = record.token.expose_secret();
        let is_same = |kept: &StoredToken| kept.token.expose_secret() == token;
        if self.token.as_ref().is_some_and(is_same) {
            self.synced = true;
        } else if self.token.is_some() && self.replaced.contains(&token_digest(token)) {
            // The store is behind, as after a write that failed or a restored copy.
            self.synced = false;
        } else if self.synced {
            self.replace(StoredToken::of(record, Some(now)));
            self.synced = true;
        } else {
            self.synced = self.adopt_unstored(record, Some(now));
        }
        self.stored = true;
    }

    /// Takes a token that may have nothing to do with this one if it is newer; whether it is.
    ///
    /// One from the future is as good as any, but not newer than what is here: its clock was ahead.
    #[inline]
    fn adopt_unstored(&mut self, record: &Record, now: Option<Moment>) -> bool {
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
    fn invalidate(&mut self) {
        let invalidated = self.token.is_some() || self.invalidated;
        *self = Self {
            invalidated,
            invalidations: self.invalidations + 1,
            ..Self::default()
        };
    }
}

impl StoredToken {
    const fn new(token: Secret, now: Moment) -> Self {
        Self {
            token,
            obtained: now.wall(),
            seen: Some(now),
        }
    }

    #[inline]
    fn of(record: &Record, now: Option<Moment>) -> Self {
        Self {
            token: Secret::from(record.token.expose_secret()),
            obtained: now.map_or(record.obtained, |now| record.obtained.min(now.wall())),
            seen: now,
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
    fn record(&self) -> Record {
        let expires_on = self.obtained.saturating_add(LONGEST_IDLE);
        Record {
            token: AccessToken::new(self.token.clone(), expires_on),
            obtained: self.obtained,
            seen: self.seen,
        }
    }
}

impl fmt::Debug for RefreshToken {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(…)")
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
const KIND: &str = "refresh-token";
/// The lifetime of an unused refresh token at Entra.
const LONGEST_IDLE: Duration = Duration::days(90);

#[cfg(test)]
mod tests {
    use entra_core::{AccessToken, time};

    use super::*;

    #[test]
    fn an_unrelated_token_of_a_clock_that_was_ahead_does_not_replace_a_newer_one() {
        let now = Moment::now(&entra_core::SystemClock);
        let after = |seconds| now.wall().saturating_add(time::Duration::seconds(seconds));
        let record = |token: &str, obtained: Timestamp| Record {
            token: AccessToken::new(token.to_owned(), after(86_400)),
            obtained,
            seen: None,
        };
        let mut held = SlotState::default();
        held.replace(StoredToken::new(Secret::from("here"), now));
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
