use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use entra_core::{AccessToken, Clock, TenantId, Timestamp, TokenRequest};

use super::{Entry, TokenCache, entry::Stored};

/// Copies of the last used tokens of a credential, found by comparing the caller's request.
///
/// A look-up in the cache builds and hashes a key. The fast cache compares the request instead. A
/// copy is valid as long as the version of its entry is the same. Few threads share a lock, and it is
/// rarely written.
#[derive(Debug, Default)]
pub(crate) struct FastCache([Shard; SHARDS]);

/// One shard of the copies. Each shard has its own lock and its own token, whose reference count
/// changes with every call, so that threads do not write the same cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard(RwLock<Vec<CachedCopy>>);

#[derive(Debug)]
struct CachedCopy {
    scopes: Vec<String>,
    tenant: Option<TenantId>,
    min_validity: Duration,
    token: AccessToken,
    /// Until when the copy serves requests with this `min_validity`: as std's type, because a
    /// comparison of calendar dates would cost as much as all the rest.
    serves_until: SystemTime,
    /// The same on the monotonic clock, for a wall clock that was set back.
    serves_until_monotonic: Instant,
    entry: Arc<Entry>,
    version: u64,
}

impl FastCache {
    /// Returns the token for a request if there is a valid copy that needs no refresh.
    pub(crate) fn get(
        &self,
        request: &TokenRequest,
        clock: &dyn Clock,
        cache: &TokenCache,
    ) -> Option<AccessToken> {
        if request.force_refresh || request.claims.is_some() {
            return None;
        }
        let copies = self.shard().read().unwrap_or_else(PoisonError::into_inner);
        let copied = copies.iter().find(|copied| copied.is_for(request))?;
        if copied.version != copied.entry.version()
            || clock.system_time() >= copied.serves_until
            || clock.monotonic() >= copied.serves_until_monotonic
        {
            return None;
        }
        copied.entry.touch(cache.tick());
        Some(copied.token.clone())
    }

    /// Copies the cached token for a request.
    pub(crate) fn put(
        &self,
        request: &TokenRequest,
        entry: &Arc<Entry>,
        stored: &Stored,
        version: u64,
    ) {
        let Some(seen) = stored.seen().filter(|_| request.claims.is_none()) else {
            return;
        };
        // A caller may want more than any token lasts.
        let needed_until = request
            .min_validity
            .try_into()
            .ok()
            .and_then(|validity| stored.token().expires_on().checked_sub(validity));
        let Some(serves_until) = needed_until
            .map(|until| until.min(stored.settled_until()))
            .filter(|until| *until > Timestamp::UNIX_EPOCH)
        else {
            return;
        };
        let mut copies = self.shard().write().unwrap_or_else(PoisonError::into_inner);
        copies.retain(|copied| !copied.is_for(request) && copied.version == copied.entry.version());
        copies.truncate(COPIES - 1);
        copies.insert(
            0,
            CachedCopy {
                scopes: request.scopes.clone(),
                tenant: request.tenant.clone(),
                min_validity: request.min_validity,
                token: deep_clone(stored.token()),
                serves_until: serves_until.into(),
                serves_until_monotonic: seen.monotonic_at(serves_until),
                entry: Arc::clone(entry),
                version,
            },
        );
    }

    fn shard(&self) -> &RwLock<Vec<CachedCopy>> {
        &self.0[THREAD.with(|thread| thread % SHARDS)].0
    }
}

impl CachedCopy {
    fn is_for(&self, request: &TokenRequest) -> bool {
        self.scopes == request.scopes
            && self.tenant == request.tenant
            && self.min_validity == request.min_validity
    }
}

/// Copies a token into its own allocation.
fn deep_clone(token: &AccessToken) -> AccessToken {
    let copy = AccessToken::new(token.expose_secret(), token.expires_on());
    match token.refresh_on() {
        Some(refresh_on) => copy.with_refresh_on(refresh_on),
        None => copy,
    }
}

thread_local! {
    /// Threads are numbered in order, so that consecutive threads use different shards.
    static THREAD: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    };
}

const SHARDS: usize = 8;
/// Copies per shard; a service rarely alternates between more requests.
const COPIES: usize = 4;
