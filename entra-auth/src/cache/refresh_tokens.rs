//! Refresh tokens of users, stored beside their access tokens, so that a replica or a restarted
//! process needs the account only.

use std::{fmt, sync::Arc, time};

use entra_core::{ClientId, Secret, TenantId};
use tracing::warn;

use super::{
    CachePartition, TokenCache,
    last_sign_out::LastSignOut,
    rotation::RotationGuard,
    slot::{Slot, StoredToken, StoringTask},
};
use crate::{
    moment::{Moment, is_from_the_future},
    store::{Budget, EntryId, LEASE, LoadResult, SaveResult, SecondLevel},
};

/// The refresh token of one user of one application in one tenant.
#[derive(Clone)]
pub(crate) struct RefreshToken {
    pub(super) cache: TokenCache,
    pub(super) entry_id: EntryId,
    slot: Arc<Slot>,
}

/// The store failed, or has an entry that only other replicas can read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unreadable;

/// What to do after a refresh token was rejected for good.
pub(crate) enum AfterRejection {
    /// There is another one.
    TryOther(Secret),
    /// There is no other one; the user was removed from memory and store.
    SignedOut,
    /// The store may have another one, but cannot be read.
    Unreadable,
}

/// Why the store does not have a token that is in memory.
enum Absence {
    /// The user signed out at another replica.
    SignedOut,
    /// The store has lost it, or did not take it.
    Lost(StoredToken),
    Unknown,
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
    ///
    /// If a second use of a token does no harm, a replica that was killed holds up the others for the usual
    /// lease only. Otherwise its lease lasts as long as one use may take, from the first request on.
    #[inline]
    pub(crate) async fn lock(
        &self,
        timeout_after: time::Duration,
        is_single_use: bool,
    ) -> RotationGuard {
        let guard = self.slot.lock.acquire(timeout_after).await;
        let Some(persistent) = &self.cache.0.persistent else {
            return guard;
        };
        let lease = match is_single_use {
            true => timeout_after,
            false => LEASE,
        };
        let mut budget = persistent.budget();
        let lock = persistent
            .lock_entry(&self.entry_id, lease, &mut budget)
            .await;
        guard.with_shared(lock)
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
            held.replace(StoredToken {
                is_given: true,
                ..StoredToken::new(token, now, LastSignOut::given())
            });
        }
    }

    /// Takes the refresh token of a sign-in and stores it in place of any other. Returns false if the store
    /// failed to take it.
    #[inline]
    pub(crate) async fn signed_in(&self, token: Secret, now: Moment) -> bool {
        let (mut kept, invalidations) = {
            let mut held = self.slot.lock();
            let seen = held.last_mark.clone();
            let seen = seen.or_else(|| self.cache.own_sign_out(&self.entry_id.partition));
            let last_sign_out = LastSignOut::unknown(seen);
            let kept = StoredToken {
                is_unstored_sign_in: true,
                ..StoredToken::new(token, now, last_sign_out)
            };
            held.replace(kept.clone());
            (kept, held.invalidations)
        };
        self.cache
            .remember_slot(&self.entry_id, &self.slot, &kept.token);
        let Some(persistent) = &self.cache.0.persistent else {
            return true;
        };
        let mut budget = persistent.budget();
        // Whatever the clocks say: a mark that is there now is of a sign-out before this sign-in.
        let partition = &self.entry_id.partition;
        if let Ok(mark) = persistent.last_sign_out(partition, &mut budget).await {
            kept.last_sign_out = LastSignOut::known(mark.as_ref());
            let mut held = self.slot.lock();
            held.last_mark = mark.map(|mark| mark.id);
            if held.holds(&kept.token)
                && let Some(current) = &mut held.token
            {
                current.last_sign_out = kept.last_sign_out.clone();
            }
        }
        self.save(&kept, invalidations, &mut budget).await != SaveResult::Failed
    }

    /// Returns the newest refresh token of all replicas that share the store. `None` if there is none any
    /// more, which no failure of the store makes true.
    #[inline]
    pub(crate) async fn newest(
        &self,
        now: Moment,
        is_single_use: bool,
    ) -> Result<Option<Secret>, Unreadable> {
        // Without its lock, an older token might replace one that another replica has just stored.
        let is_unreadable = self.look(now, !is_single_use).await;
        match self.current() {
            None if is_unreadable => Err(Unreadable),
            current => Ok(current),
        }
    }

    /// The newest refresh token, to be sent. The caller has its lock.
    ///
    /// One that can be used once is not sent while the store cannot be read: another replica may have used
    /// it.
    #[inline]
    pub(crate) async fn newest_to_send(
        &self,
        guard: &RotationGuard,
        now: Moment,
        is_single_use: bool,
    ) -> Result<Option<Secret>, Unreadable> {
        let may_write = guard.is_exclusive() || !is_single_use;
        let is_unreadable = self.look(now, may_write).await;
        match self.current() {
            Some(_) if is_unreadable && is_single_use => Err(Unreadable),
            None if is_unreadable => Err(Unreadable),
            current => Ok(current),
        }
    }

    /// Takes the refresh token that replaces a used one, unless the user signed out or in again meanwhile or
    /// another replica stored a newer token. Returns false if the store failed to take it.
    #[inline]
    pub(crate) async fn rotate(
        &self,
        _: &RotationGuard,
        used: &Secret,
        token: Secret,
        now: Moment,
    ) -> bool {
        let (mut kept, invalidations) = {
            let mut held = self.slot.lock();
            let Some(kept) = held.rotate(used, token, now) else {
                return true;
            };
            (kept, held.invalidations)
        };
        self.cache
            .remember_slot(&self.entry_id, &self.slot, &kept.token);
        let Some(persistent) = &self.cache.0.persistent else {
            return true;
        };
        let mut budget = persistent.budget();
        match persistent.load(&self.entry_id, &mut budget).await {
            // The store has the token that was used.
            LoadResult::Found(stored) if stored.token.expose_secret() == used.expose_secret() => {
                kept.last_sign_out.learn(stored.last_sign_out.as_deref());
                let saved = self
                    .save_checked(&**persistent, &kept, invalidations, &mut budget)
                    .await;
                return saved != SaveResult::Failed;
            }
            // A time in the future is not newer.
            LoadResult::Found(stored)
                if stored.obtained > kept.obtained
                    && !is_from_the_future(stored.obtained, now.wall()) =>
            {
                return true;
            }
            // The other replicas can read the entry, and would lose the user.
            LoadResult::Foreign | LoadResult::UnknownKey if !kept.is_unstored_sign_in => {
                warn!("a refresh token is kept in memory only: the store has one of another key");
                return true;
            }
            LoadResult::Unknown => {
                let saved = self
                    .save_checked(&**persistent, &kept, invalidations, &mut budget)
                    .await;
                return saved != SaveResult::Failed;
            }
            LoadResult::Found(_)
            | LoadResult::Absent
            | LoadResult::Damaged
            | LoadResult::Foreign
            | LoadResult::UnknownKey => {}
        }
        match self
            .absence(&**persistent, kept, invalidations, &mut budget)
            .await
        {
            Absence::Lost(kept) => {
                let saved = self
                    .save_checked(&**persistent, &kept, invalidations, &mut budget)
                    .await;
                saved != SaveResult::Failed
            }
            Absence::SignedOut => true,
            Absence::Unknown => false,
        }
    }

    /// Tries once more to store a token that the store did not take. Returns whether nothing is left to
    /// store.
    #[inline]
    pub(crate) async fn store_again(
        &self,
        guard: &RotationGuard,
        now: Moment,
        is_single_use: bool,
    ) -> bool {
        let may_write = guard.is_exclusive() || !is_single_use;
        let _is_unreadable = self.look(now, may_write).await;
        let held = self.slot.lock();
        held.token.is_none() || held.synced
    }

    /// Lets the caller try to store the token. `None` while another task does.
    #[inline]
    pub(crate) fn begin_storing(&self) -> Option<StoringTask> {
        self.slot.begin_storing()
    }

    /// Looks for another refresh token to try after this one was rejected for good. Without another
    /// one, the user is removed from memory and store. Without a store nothing changes.
    #[inline]
    pub(crate) async fn replace_rejected(
        &self,
        _: &RotationGuard,
        rejected: &Secret,
        now: Moment,
    ) -> AfterRejection {
        let Some(persistent) = &self.cache.0.persistent else {
            return AfterRejection::SignedOut;
        };
        let mut budget = persistent.budget();
        let invalidations = self.slot.lock().invalidations;
        let found = persistent.load(&self.entry_id, &mut budget).await;
        let mut is_unreadable = false;
        match &found {
            LoadResult::Found(record)
                if record.token.expose_secret() == rejected.expose_secret() =>
            {
                persistent.remove(&self.entry_id, &mut budget).await;
            }
            LoadResult::Found(record) => {
                let mut held = self.slot.lock();
                if held.invalidations != invalidations {
                    return AfterRejection::SignedOut;
                }
                if held.holds(rejected) {
                    held.token = None;
                }
                let _is_behind = held.adopt(record, now);
            }
            LoadResult::Absent | LoadResult::Damaged => {}
            LoadResult::Foreign | LoadResult::UnknownKey | LoadResult::Unknown => {
                is_unreadable = true;
            }
        }
        let after = {
            let mut held = self.slot.lock();
            if held.holds(rejected) {
                match is_unreadable {
                    true => {
                        held.token = None;
                        held.synced = false;
                    }
                    false => held.invalidate(),
                }
            }
            match &held.token {
                Some(kept) => AfterRejection::TryOther(kept.token.clone()),
                None if is_unreadable && !held.invalidated => AfterRejection::Unreadable,
                None => AfterRejection::SignedOut,
            }
        };
        if !is_unreadable && matches!(after, AfterRejection::SignedOut) {
            self.note_rejection(&**persistent, rejected, &mut budget)
                .await;
        }
        after
    }

    /// Brings the memory up to date with the store, and the store with the memory if `may_write`. Returns
    /// whether the store may have a token that cannot be read here.
    #[inline]
    async fn look(&self, now: Moment, may_write: bool) -> bool {
        let Some(persistent) = &self.cache.0.persistent else {
            return false;
        };
        let mut budget = persistent.budget();
        let invalidations = self.slot.lock().invalidations;
        let found = persistent.load(&self.entry_id, &mut budget).await;
        let (kept, behind) = {
            let mut held = self.slot.lock();
            // It was forgotten since the look.
            if held.invalidations != invalidations {
                return false;
            }
            let behind = match found {
                LoadResult::Found(record) => {
                    if !held.adopt(&record, now) {
                        return false;
                    }
                    Some(record)
                }
                LoadResult::Absent | LoadResult::Damaged => None,
                // It is under a key of other replicas. Only a sign-in replaces it.
                LoadResult::Foreign | LoadResult::UnknownKey => {
                    let kept = held.token.as_ref();
                    if !kept.is_some_and(|kept| kept.is_unstored_sign_in) {
                        return true;
                    }
                    None
                }
                LoadResult::Unknown => return !held.invalidated,
            };
            match &held.token {
                Some(kept) => (kept.clone(), behind),
                None => return false,
            }
        };
        let absence = self.absence(&**persistent, kept, invalidations, &mut budget);
        let kept = match absence.await {
            Absence::Lost(kept) => kept,
            Absence::SignedOut => {
                let mut held = self.slot.lock();
                if let Some(record) = &behind
                    && held.token.is_none()
                    && record.last_sign_out.is_some()
                    && record.last_sign_out == held.last_mark
                {
                    // The user has signed in again since, and the store's token is the later one.
                    let _is_behind = held.adopt(record, now);
                }
                return false;
            }
            // What the store has can be read.
            Absence::Unknown => return behind.is_none(),
        };
        if may_write && !kept.is_given {
            self.save_checked(&**persistent, &kept, invalidations, &mut budget)
                .await;
        }
        false
    }

    /// Why the store has no entry or an older one, while the memory has this token. Absence alone is no
    /// sign-out: the store may have been emptied. A sign-out leaves a mark.
    #[inline]
    async fn absence(
        &self,
        persistent: &dyn SecondLevel,
        mut kept: StoredToken,
        invalidations: u64,
        budget: &mut Budget,
    ) -> Absence {
        let partition = &self.entry_id.partition;
        let Ok(mark) = persistent.last_sign_out(partition, budget).await else {
            return Absence::Unknown;
        };
        let mut held = self.slot.lock();
        held.last_mark = mark.as_ref().map(|mark| mark.id.clone());
        if held.invalidations != invalidations {
            return Absence::SignedOut;
        }
        match kept.last_sign_out.is_before(mark.as_ref()) {
            Some(false) => {}
            None => return Absence::Unknown,
            Some(true) if held.holds(&kept.token) => {
                held.invalidate();
                return Absence::SignedOut;
            }
            // A newer token has taken its place.
            Some(true) => return Absence::Unknown,
        }
        kept.last_sign_out = LastSignOut::known(mark.as_ref());
        if held.holds(&kept.token) {
            held.token = Some(kept.clone());
            held.synced = false;
        }
        Absence::Lost(kept)
    }

    /// Writes a token that the store has lost or that replaces its own. The user may have signed out at
    /// another replica right before the write, so the mark is read after it, and a newer one removes the
    /// entry.
    #[inline]
    async fn save_checked(
        &self,
        persistent: &dyn SecondLevel,
        kept: &StoredToken,
        invalidations: u64,
        budget: &mut Budget,
    ) -> SaveResult {
        let saved = self.save(kept, invalidations, budget).await;
        if saved != SaveResult::Saved {
            return saved;
        }
        let partition = &self.entry_id.partition;
        let Ok(mark) = persistent.last_sign_out(partition, budget).await else {
            return saved;
        };
        if kept.last_sign_out.is_before(mark.as_ref()) != Some(true) {
            return saved;
        }
        // Unless the user has signed in again.
        if let LoadResult::Found(stored) = persistent.load(&self.entry_id, budget).await
            && stored.token.expose_secret() == kept.token.expose_secret()
        {
            persistent.remove(&self.entry_id, budget).await;
        }
        let mut held = self.slot.lock();
        held.last_mark = mark.map(|mark| mark.id);
        if held.invalidations == invalidations && held.holds(&kept.token) {
            held.invalidate();
        }
        SaveResult::Unwanted
    }

    /// Writes the token to the store, if there is one, unless the user signs out or the token is replaced
    /// before.
    #[inline]
    async fn save(
        &self,
        kept: &StoredToken,
        invalidations: u64,
        budget: &mut Budget,
    ) -> SaveResult {
        let Some(persistent) = &self.cache.0.persistent else {
            return SaveResult::Unwanted;
        };
        let wanted = || {
            let held = self.slot.lock();
            held.invalidations == invalidations && held.holds(&kept.token)
        };
        let saved = persistent
            .save_if(&self.entry_id, &kept.record(), budget, &wanted)
            .await;
        let is_saved = saved == SaveResult::Saved;
        let mut held = self.slot.lock();
        let is_current = held.holds(&kept.token);
        if held.invalidations == invalidations && (is_saved || is_current) {
            held.synced = is_saved && is_current;
        }
        if is_saved
            && is_current
            && let Some(current) = &mut held.token
        {
            current.is_unstored_sign_in = false;
        }
        saved
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

impl fmt::Debug for RefreshToken {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}

const KIND: &str = "refresh-token";
