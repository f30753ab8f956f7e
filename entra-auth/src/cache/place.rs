//! A place in the cache for a token that is requested otherwise, such as with a check of the user.

use std::{sync::Arc, time::Instant};

use entra_core::AccessToken;

use super::{CacheKey, Entry, TokenCache};
use crate::{moment::Moment, store::Record};

/// The place of a token, which is taken before the request: a token that arrives after its partition was
/// forgotten, such as by a sign-out, is not cached.
pub(crate) struct Place<'a> {
    cache: &'a TokenCache,
    key: CacheKey,
    entry: Arc<Entry>,
}

impl TokenCache {
    /// Takes the place of a key. An empty one is given back when it is dropped.
    #[inline]
    pub(crate) fn place(&self, key: CacheKey, now: Instant) -> Place<'_> {
        Place {
            entry: self.entry(&key, Some(now)),
            cache: self,
            key,
        }
    }
}

impl Place<'_> {
    /// Caches the token in place of any other, unless the place has left the cache.
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
            {
                persistent.save(&entry_id, &record, &mut budget).await;
            }
        }
        drop(gate);
    }

    /// Whether the place still was in the cache.
    #[inline]
    fn fill_memory(&self, record: &Record, now: Moment) -> bool {
        let number = {
            let mut state = self.entry.lock();
            if state.detached {
                return false;
            }
            state.next_number()
        };
        // An entry that is detached since is not found any more.
        self.entry.complete(number, record.clone());
        let expires = now.monotonic_at(record.token.expires_on());
        self.cache.expire(&self.key, &self.entry, expires);
        true
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.cache.remove_if_idle(&self.key, &self.entry);
    }
}
