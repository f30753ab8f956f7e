//! A place in the cache for a token that is requested otherwise, such as with a check of the user.

use std::{sync::Arc, time::Instant};

use entra_core::AccessToken;

use super::{CacheKey, Entry, TokenCache};
use crate::{moment::Moment, store::Record};

/// The place of a token, which is taken before the request: a token that arrives after its partition was
/// forgotten, such as by a sign-out, is not cached, nor one that arrives after the token of a later request, such
/// as of a new sign-in.
pub(crate) struct Place<'a> {
    cache: &'a TokenCache,
    key: CacheKey,
    entry: Arc<Entry>,
    number: u64,
}

impl TokenCache {
    /// Takes the place of a key. An empty one is given back when it is dropped.
    #[inline]
    pub(crate) fn place(&self, key: CacheKey, now: Instant) -> Place<'_> {
        loop {
            let entry = self.entry(&key, Some(now));
            let number = {
                let mut state = entry.lock();
                if state.detached {
                    continue;
                }
                state.next_number()
            };
            return Place {
                cache: self,
                key,
                entry,
                number,
            };
        }
    }
}

impl Place<'_> {
    /// Caches the token in place of an earlier one, unless the place has left the cache.
    #[inline]
    pub(crate) async fn fill(self, token: AccessToken, now: Moment) {
        let record = Record::new(token, now);
        let Some(persistent) = &self.cache.0.persistent else {
            self.fill_memory(&record, now);
            return;
        };
        // Memory and store are written both before or both after a removal of the partition.
        let entry_id = self.key.entry_id();
        let gate = persistent.gate(&entry_id.partition).read().await;
        if self.fill_memory(&record, now) {
            let mut budget = persistent.budget();
            if !persistent
                .is_under_unknown_key(&entry_id, &mut budget)
                .await
                && !self.entry.has_newer(self.number)
            {
                persistent.save(&entry_id, &record, &mut budget).await;
            }
        }
        drop(gate);
    }

    /// Whether the place still was in the cache and took the token.
    #[inline]
    fn fill_memory(&self, record: &Record, now: Moment) -> bool {
        if self.entry.lock().detached {
            return false;
        }
        // An entry that is detached since is not found any more.
        let is_taken = self.entry.complete(self.number, record.clone());
        if is_taken {
            let expires = now.monotonic_at(record.token.expires_on());
            self.cache.expire(&self.key, &self.entry, expires);
        }
        is_taken
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.cache.remove_if_idle(&self.key, &self.entry);
    }
}
