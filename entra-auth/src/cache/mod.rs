mod entry;
mod export;
mod fast_cache;
mod key;
mod last_sign_out;
mod losses;
mod partition;
#[cfg(feature = "sign-in")]
mod place;
mod refresh_tokens;
mod rotation;
mod shared;
mod slot;
mod slots;

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

pub(crate) use entry::{Entry, Freshness, InFlight, Outcome, Plan};
pub(crate) use fast_cache::FastCache;
pub(crate) use key::{Account, CacheKey, CredentialIdentity, TokenKey};
pub use partition::CachePartition;
#[cfg(feature = "sign-in")]
pub(crate) use place::Place;
pub(crate) use refresh_tokens::{AfterRejection, RefreshToken, Unreadable};
pub(crate) use rotation::RotationLock;
pub(crate) use shared::Obtained;
pub use shared::TokenCacheBuilder;

use self::slot::{Slot, SlotsByToken};
use crate::{
    expiring_map::ExpiringMap,
    store::{EntryId, Seal, SecondLevel},
    throttle::Throttle,
};

/// Caches tokens in memory. Expired tokens are removed first, then the least recently used. Clones
/// share their tokens.
///
/// The key of a token is the cloud, tenant, application or account, scopes and claims that it was
/// issued for, so credentials of any kind may share one cache. All callers that wait for one token
/// share one request.
///
/// ```
/// use entra_auth::{ClientSecretCredential, TokenCache};
/// let cache = TokenCache::with_capacity(1_000);
/// for tenant in ["contoso.com", "fabrikam.com"] {
///     ClientSecretCredential::builder(tenant, "00000000-0000-0000-0000-000000000001", "s3cr3t")
///         .cache(&cache)
///         .build()?;
/// }
/// assert!(cache.is_empty(), "nothing is requested before it is needed");
/// # Ok::<(), entra_auth::Error>(())
/// ```
#[derive(Clone)]
pub struct TokenCache(Arc<Inner>);

struct Inner {
    entries: RwLock<ExpiringMap<CacheKey, Arc<Entry>>>,
    /// Counts look-ups outside of the fast cache, to find the least recently used entry.
    tick: AtomicU64,
    persistent: Option<Box<dyn SecondLevel>>,
    seal: Arc<Seal>,
    throttle: Throttle,
    /// The refresh tokens of users, if there is a store.
    refresh_tokens: Mutex<ExpiringMap<EntryId, Arc<Slot>>>,
    /// The marks of the last sign-outs that this process wrote, by partition.
    own_sign_outs: Mutex<ExpiringMap<String, String>>,
    /// The refresh tokens of users without a store, by the tokens themselves.
    slots_by_token: SlotsByToken,
}

impl TokenCache {
    /// A cache of up to 10,000 tokens.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(10_000)
    }

    /// A cache of up to this many tokens, at least one.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self::builder().capacity(capacity).build()
    }

    /// Returns a builder, for example to set a store behind the memory.
    pub fn builder() -> TokenCacheBuilder {
        TokenCacheBuilder::default()
    }

    /// Returns the number of tokens, including those being requested.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Whether the cache is empty.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both are clones of one cache.
    #[cfg(feature = "axum")]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Removes every token from memory. The next use reads it from the store, if there is one, or
    /// requests a new one.
    #[inline]
    pub fn clear(&self) {
        self.write().retain(|_, entry| {
            entry.detach();
            false
        });
    }

    /// Returns the entry of a key, which is added if it is new. With a clock, expired entries are
    /// removed.
    pub(crate) fn entry(&self, key: &CacheKey, now: Option<Instant>) -> Arc<Entry> {
        let tick = self.0.tick.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(entry) = self.read().peek(key) {
            entry.touch(tick);
            return Arc::clone(entry);
        }
        let mut entries = self.write();
        if let Some(entry) = entries.peek(key) {
            return Arc::clone(entry);
        }
        // An entry with a request in progress stays, or its token would be requested twice.
        if let Some(now) = now {
            entries.remove_expired(now, |entry| entry.detach_if_completed());
        }
        entries.make_room(|entry, seen| {
            let used = entry.used();
            std::mem::replace(seen, used) != used || !entry.detach_if_completed()
        });
        let entry = Arc::new(Entry::new(tick));
        entries.put_used(key.clone(), Arc::clone(&entry), tick);
        entry
    }

    /// Sets when an entry expires.
    pub(crate) fn expire(&self, key: &CacheKey, entry: &Arc<Entry>, at: Instant) {
        let mut entries = self.write();
        if entries
            .peek(key)
            .is_some_and(|held| Arc::ptr_eq(held, entry))
        {
            entries.expire(key, Some(at));
        }
    }

    /// Removes one key.
    pub(crate) fn remove(&self, key: &CacheKey) {
        let removed = self.write().remove(key);
        if let Some(entry) = removed {
            entry.detach();
        }
    }

    /// Removes a key without a token, so that failures do not push tokens out.
    pub(crate) fn remove_if_idle(&self, key: &CacheKey, entry: &Arc<Entry>) {
        let mut entries = self.write();
        let same = entries
            .peek(key)
            .is_some_and(|held| Arc::ptr_eq(held, entry));
        if same && entry.detach_if_empty() {
            entries.remove(key);
        }
    }

    /// The requests that the service has throttled.
    pub(crate) fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    /// The current tick, for entries that are used without a look-up.
    pub(crate) fn tick(&self) -> u64 {
        self.0.tick.load(Ordering::Relaxed)
    }

    fn with_parts(
        capacity: usize,
        persistent: Option<Box<dyn SecondLevel>>,
        seal: Arc<Seal>,
    ) -> Self {
        Self(Arc::new(Inner {
            entries: RwLock::new(ExpiringMap::new(capacity)),
            tick: AtomicU64::new(0),
            persistent,
            seal,
            throttle: Throttle::default(),
            refresh_tokens: Mutex::new(ExpiringMap::new(capacity)),
            own_sign_outs: Mutex::new(ExpiringMap::new(capacity)),
            slots_by_token: SlotsByToken::new(capacity),
        }))
    }

    #[inline]
    fn read(&self) -> RwLockReadGuard<'_, ExpiringMap<CacheKey, Arc<Entry>>> {
        self.0
            .entries
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    fn write(&self) -> RwLockWriteGuard<'_, ExpiringMap<CacheKey, Arc<Entry>>> {
        self.0
            .entries
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for TokenCache {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("len", &self.len())
            .field("capacity", &self.read().capacity())
            .field("store", &self.0.persistent)
            .finish()
    }
}

#[cfg(test)]
mod tests;
