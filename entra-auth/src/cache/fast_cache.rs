use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use entra_core::{AccessToken, Clock, TenantId, Timestamp, TokenRequest};

use super::{Entry, TokenCache, entry::Stored};

/// A credential's last used tokens, found by comparing the request as the caller wrote it.
///
/// The cache's own look-up builds and hashes a key. This one reads a copy, valid as long as the
/// entry's version is the same, under a lock that is nearly never written and that few threads share.
#[derive(Debug, Default)]
pub(crate) struct FastCache([Shard; SHARDS]);

/// Threads that read one token should not write one cache line: each shard has a lock of its own, and
/// a token of its own, whose count of clones is written with every call.
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
    /// The token for a request, if there is a copy that needs no second thought.
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

    /// Keeps a copy of what the cache has for a request.
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

/// The same token in an allocation of its own.
fn deep_clone(token: &AccessToken) -> AccessToken {
    let copy = AccessToken::new(token.expose_secret(), token.expires_on());
    match token.refresh_on() {
        Some(refresh_on) => copy.with_refresh_on(refresh_on),
        None => copy,
    }
}

thread_local! {
    /// Threads are numbered as they come, so that neighbours use different shards.
    static THREAD: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    };
}

const SHARDS: usize = 8;
/// Requests that one thread keeps at hand; a service rarely alternates between more.
const COPIES: usize = 4;
