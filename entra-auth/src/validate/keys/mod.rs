//! Signing keys: fetched when needed, cached, renewed.

mod document;
mod source;

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

pub(super) use document::{ExpectedIssuer, MetadataLocation};
use source::LAST_KNOWN_GOOD;
pub(super) use source::Source;

use crate::expiring_map::ExpiringMap;

/// The signing keys that validators have fetched, to share between several of them.
///
/// Validators do not share keys unless they are given the same ones. Cheap to clone; clones are the
/// same keys.
///
/// Keys are refreshed every 12 hours. If the sign-in service cannot be reached then, which is
/// logged as an error at every attempt, the last known good keys are used until they are 24 hours
/// old or as old as [`last_known_good_lifetime`](Self::last_known_good_lifetime) says. Then tokens
/// are rejected with [`KeysUnavailable`](super::TokenValidationErrorKind::KeysUnavailable), so that
/// a key that the service has revoked meanwhile does not stay valid.
///
/// ```
/// use entra_auth::{TokenValidator, validate::SigningKeys};
/// let keys = SigningKeys::new();
/// let (tenant, app) = ("11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222");
/// let users = TokenValidator::id_tokens(tenant, app).keys(&keys).build()?;
/// let callers = TokenValidator::access_tokens(tenant, [app]).keys(&keys).build()?;
/// # Ok::<(), entra_auth::Error>(())
/// ```
#[derive(Clone)]
pub struct SigningKeys(Arc<Shared>);

struct Shared {
    sources: Mutex<ExpiringMap<String, Arc<Source>>>,
    limit: Arc<AtomicU64>,
}

impl SigningKeys {
    /// No keys yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Shared {
            sources: Mutex::new(ExpiringMap::new(MAX_SOURCES)),
            limit: Arc::new(AtomicU64::new(LAST_KNOWN_GOOD.as_secs())),
        }))
    }

    /// How old keys may become while newer ones cannot be fetched; 24 hours unless set, and at
    /// least 12 hours. The setting applies to all clones.
    #[must_use]
    pub fn last_known_good_lifetime(self, lifetime: Duration) -> Self {
        let seconds = lifetime.as_secs();
        self.0.limit.store(seconds, Ordering::Relaxed);
        self
    }

    /// The keys published at a URL.
    pub(super) fn at(&self, location: MetadataLocation) -> Arc<Source> {
        let kind = match location.issuer {
            ExpectedIssuer::Provider(_) => "provider",
            _ => "entra",
        };
        let key = format!("{kind} {}", location.metadata);
        let mut sources = self
            .0
            .sources
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = sources.peek(&key).cloned() {
            sources.touch(&key);
            return source;
        }
        // Keys that no validator uses any more are removed first.
        sources.make_room(|source, _| Arc::strong_count(source) > 1);
        let source = Arc::new(Source::new(location, Arc::clone(&self.0.limit)));
        sources.put(key, Arc::clone(&source));
        source
    }
}

impl Default for SigningKeys {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources = self
            .0
            .sources
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("SigningKeys")
            .field("sources", &sources.len())
            .finish_non_exhaustive()
    }
}

/// How many services' keys are cached for validators that are built later.
const MAX_SOURCES: usize = 1_000;
