use std::{future::Future, sync::Arc, time::Duration};

use entra_core::Clock;

use super::{CacheKey, CachePartition, Entry, Freshness, Outcome, TokenCache};
use crate::{
    Error,
    moment::Moment,
    store::{
        Connect, DEFAULT_LIMIT, EncryptedStore, EncryptionKey, FindResult, LoadResult, Record,
        Seal, StoreError, connect,
    },
};

/// Configures a [`TokenCache`].
///
/// ```
/// # #[cfg(feature = "file-cache")] {
/// use entra_auth::{TokenCache, store::{EncryptionKey, FileStore}};
/// # let directory = std::env::temp_dir().join(format!("entra-doc-{}", std::process::id()));
/// let cache = TokenCache::builder()
///     .capacity(1_000)
///     .store(FileStore::open(&directory)?)
///     .encryption_key(EncryptionKey::new([7; 32]))
///     .build();
/// assert!(cache.is_empty());
/// # std::fs::remove_dir_all(&directory)?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct TokenCacheBuilder {
    capacity: usize,
    store: Option<(Arc<dyn EncryptedStore>, Connect)>,
    keys: Vec<EncryptionKey>,
    store_timeout: Duration,
}

impl TokenCacheBuilder {
    /// How many tokens to keep in memory, at least one. The default is 10,000.
    #[inline]
    pub fn capacity(mut self, capacity: usize) -> Self {
        self.capacity = capacity;
        self
    }

    /// A store behind the memory. The cache reads it on a miss and writes it after every request. Of
    /// all caches that share a store, one requests a token and the others read it.
    ///
    /// The store also gets the refresh tokens of users, which live for months. Set an
    /// [`encryption_key`](Self::encryption_key) if others can read the store.
    ///
    /// A store that is emptied signs out no user whose refresh token is in memory: it is written again
    /// when it is next used, unless the store has a newer mark of a [sign-out](TokenCache::forget). A store
    /// that loses these marks too, or evicts them, cannot tell other replicas of an earlier sign-out.
    ///
    /// If the store could not be read at a sign-in and has lost its token, a sign-out of less than 5 minutes
    /// before the sign-in counts as a later one, as the clocks of two machines may differ by that: the user
    /// then signs in again. A token that the application brings is taken for newer than such a sign-out.
    ///
    /// While the store cannot be read, a refresh token in memory is used at Entra, where older ones stay
    /// valid. Another provider may take an older one for stolen and sign the user out, so there the
    /// request fails as transient until the store can be read and grants its lock. A replica that is killed
    /// while it uses such a token holds up its user at the others for as long as a refresh may take: 15
    /// seconds more than the budget of the retry policy, 75 seconds by default.
    /// If such a provider's tokens are lost in the store, the first replica that has one in memory writes it
    /// again, though another replica may have had a newer one.
    #[inline]
    pub fn store(mut self, store: impl EncryptedStore) -> Self {
        self.store = Some((Arc::new(store), connect));
        self
    }

    /// How long one look-up waits for the store, over all its operations. The default is two seconds.
    ///
    /// After that the look-up goes on without the store, and so do all others for 5 seconds and,
    /// while the store still does not respond in time, for up to a minute.
    #[inline]
    pub fn store_timeout(mut self, timeout: Duration) -> Self {
        self.store_timeout = timeout;
        self
    }

    /// Encrypts what is stored or exported with this key. Keys given after the first only decrypt,
    /// so that a key can be replaced: see [`EncryptionKey`] for the steps. An entry under a key that
    /// is not among them is left as it is.
    #[inline]
    pub fn encryption_key(mut self, key: EncryptionKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Builds the cache.
    #[must_use]
    #[inline]
    pub fn build(self) -> TokenCache {
        let seal = Arc::new(Seal::new(self.keys));
        let persistent = self
            .store
            .map(|(store, connect)| connect(store, self.store_timeout, Arc::clone(&seal)));
        TokenCache::with_parts(self.capacity, persistent, seal)
    }
}

impl Default for TokenCacheBuilder {
    #[inline]
    fn default() -> Self {
        Self {
            capacity: 10_000,
            store: None,
            keys: Vec::new(),
            store_timeout: DEFAULT_LIMIT,
        }
    }
}

/// A token and its origin.
pub(crate) struct Obtained {
    pub(crate) outcome: Result<Record, Error>,
    pub(crate) from_store: bool,
}

impl TokenCache {
    /// Returns how often the store failed. No token is lost: tokens stay in memory, and a token that
    /// cannot be read is requested.
    #[must_use]
    #[inline]
    pub fn store_failures(&self) -> u64 {
        self.0
            .persistent
            .as_ref()
            .map_or(0, |persistent| persistent.failures())
    }

    /// Returns the last error of the store.
    #[must_use]
    #[inline]
    pub fn last_store_failure(&self) -> Option<StoreError> {
        self.0.persistent.as_ref()?.last_failure()
    }

    /// Removes the tokens of a partition from memory and store, such as when a user signs out.
    ///
    /// With a store, the user's refresh token is removed too, and a mark of the sign-out stays in the
    /// store for 90 days: by it, replicas that have the token in memory tell the sign-out from a loss of
    /// the store when they next need it. A request in progress still returns its token to the callers that wait for it, but the
    /// token is not cached.
    ///
    /// # Errors
    /// When the store cannot be written. The tokens are removed from memory nevertheless.
    #[inline]
    pub async fn forget(&self, partition: &CachePartition) -> Result<(), StoreError> {
        self.forget_in_memory(partition);
        let Some(persistent) = &self.0.persistent else {
            return Ok(());
        };
        // Writes in progress finish first, and later ones see that the partition was removed.
        let gate = persistent.gate(partition.as_str()).write().await;
        let (mark, removed) = persistent
            .remove_partition(partition.as_str(), partition.is_account())
            .await;
        // Another caller may have read it from the store in between.
        self.forget_in_memory(partition);
        // A sign-in here is later, whatever the clocks say and also if it cannot read the mark.
        if let Some(mark) = mark {
            self.remember_own_sign_out(partition, mark);
        }
        drop(gate);
        removed
    }

    /// Returns a token from the store, or makes the request of this number and writes its token to the store.
    #[inline]
    pub(crate) async fn obtain(
        &self,
        key: &CacheKey,
        entry: &Entry,
        number: u64,
        freshness: &Freshness,
        clock: &dyn Clock,
        fetch: impl Future<Output = Outcome>,
    ) -> Obtained {
        let fetched = |outcome: Outcome| Obtained {
            outcome: outcome.map(|token| Record::new(token, Moment::now(clock))),
            from_store: false,
        };
        let Some(persistent) = &self.0.persistent else {
            return fetched(fetch.await);
        };
        let mut budget = persistent.budget();
        // A token for a claims challenge is requested every time, so it is not stored.
        if let Some(challenged) = key.challenged() {
            let outcome = fetch.await;
            if outcome.is_ok() {
                let entry_id = challenged.entry_id();
                // An entry under a key of other replicas stays: they have not met the challenge.
                match persistent.load(&entry_id, &mut budget).await {
                    LoadResult::Foreign | LoadResult::UnknownKey | LoadResult::Absent => {}
                    LoadResult::Found(_) | LoadResult::Damaged | LoadResult::Unknown => {
                        persistent.remove(&entry_id, &mut budget).await;
                    }
                }
            }
            return fetched(outcome);
        }
        let entry_id = key.entry_id();
        let lock = match freshness.must_be_new {
            true => None,
            false => match persistent
                .find(&entry_id, &mut budget, &|record: &Record| {
                    freshness.settled_by(record, Moment::now(clock))
                })
                .await
            {
                FindResult::Token(mut record) => {
                    record.seen = Some(Moment::now(clock));
                    return Obtained {
                        outcome: Ok(record),
                        from_store: true,
                    };
                }
                FindResult::Lock(lock) => lock,
            },
        };
        let obtained = fetched(fetch.await);
        // An entry that other replicas can read stays, and the token is in this memory only.
        if let Ok(record) = &obtained.outcome
            && !persistent
                .is_under_unknown_key(&entry_id, &mut budget)
                .await
        {
            // Memory does not take it either after the token of a later sign-in.
            let wanted = || !entry.is_forgotten() && !entry.has_newer(number);
            persistent
                .save_if(&entry_id, record, &mut budget, &wanted)
                .await;
        }
        // Released when the others can read the new token.
        drop(lock);
        obtained
    }

    /// Caches a token that was issued otherwise, such as with a sign-in.
    #[inline]
    pub(crate) async fn keep(&self, key: &CacheKey, record: &Record, now: Moment) {
        let Some(persistent) = &self.0.persistent else {
            self.put(key, record, Some(now));
            return;
        };
        // Memory and store are written both before or both after a removal of the partition, and after a refresh that is
        // being written: what it has is older.
        let entry_id = key.entry_id();
        let gate = persistent.gate(&entry_id.partition).write().await;
        self.put(key, record, Some(now));
        let mut budget = persistent.budget();
        if !persistent
            .is_under_unknown_key(&entry_id, &mut budget)
            .await
        {
            persistent.save(&entry_id, record, &mut budget).await;
        }
        drop(gate);
    }

    #[inline]
    fn forget_in_memory(&self, partition: &CachePartition) {
        self.forget_refresh_tokens(partition);
        self.write().retain(|key, entry| {
            let stays = key.partition() != *partition;
            if !stays {
                entry.forget();
            }
            stays
        });
    }
}
