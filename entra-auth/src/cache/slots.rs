//! The slots of the refresh tokens of a cache.

use std::sync::{Arc, MutexGuard, PoisonError};

use entra_core::Secret;

use super::{CachePartition, TokenCache, slot::Slot};
use crate::{
    expiring_map::ExpiringMap,
    store::{EntryId, Record},
};

impl TokenCache {
    /// Whether there is a store, so that an account is enough to get tokens.
    #[inline]
    pub(crate) fn has_store(&self) -> bool {
        self.0.persistent.is_some()
    }

    /// Returns the slot of a refresh token. Without a store, credentials that were given a token of
    /// the same slot share it, and others have their own.
    #[inline]
    pub(super) fn slot(&self, entry_id: &EntryId, given: Option<&Secret>) -> Arc<Slot> {
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
    pub(super) fn remember_slot(&self, entry_id: &EntryId, slot: &Arc<Slot>, token: &Secret) {
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

    /// Remembers the mark of a sign-out that this process wrote.
    #[inline]
    pub(super) fn remember_own_sign_out(&self, partition: &CachePartition, mark: String) {
        let slots = self.slots();
        let of = slots
            .iter()
            .filter(|(entry_id, _)| entry_id.partition == partition.as_str());
        for (_, slot) in of {
            slot.lock().last_mark = Some(mark.clone());
        }
        drop(slots);
        let mut own = self.own_sign_outs();
        own.make_room(|_, _| false);
        own.put(partition.as_str().to_owned(), mark);
    }

    /// The mark of the last sign-out that this process wrote for a partition.
    #[inline]
    pub(super) fn own_sign_out(&self, partition: &str) -> Option<String> {
        self.own_sign_outs().peek(&partition.to_owned()).cloned()
    }

    #[inline]
    fn own_sign_outs(&self) -> MutexGuard<'_, ExpiringMap<String, String>> {
        self.0
            .own_sign_outs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    fn slots(&self) -> MutexGuard<'_, ExpiringMap<EntryId, Arc<Slot>>> {
        self.0
            .refresh_tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
