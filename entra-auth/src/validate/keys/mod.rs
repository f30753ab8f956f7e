//! Signing keys: fetched when needed, kept, renewed.

mod document;
mod source;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

pub(super) use document::{Expected, Place};
pub(super) use source::Source;

/// The signing keys that validators have fetched, to share between several of them.
///
/// A validator has keys of its own unless it is given some. Cheap to clone; clones are the same
/// keys.
///
/// ```
/// use entra_auth::{TokenValidator, validate::SigningKeys};
/// let keys = SigningKeys::new();
/// let (tenant, app) = ("11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222");
/// let people = TokenValidator::id_tokens(tenant, app).keys(&keys).build()?;
/// let callers = TokenValidator::access_tokens(tenant, [app]).keys(&keys).build()?;
/// # Ok::<(), entra_auth::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct SigningKeys(Arc<Mutex<HashMap<String, Arc<Source>>>>);

impl SigningKeys {
    /// No keys yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The keys published at a place.
    pub(super) fn at(&self, place: Place) -> Arc<Source> {
        let kind = match place.issuer {
            Expected::Provider(_) => "provider",
            _ => "entra",
        };
        let key = format!("{kind} {}", place.metadata);
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let source = sources
            .entry(key)
            .or_insert_with(|| Arc::new(Source::new(place)));
        Arc::clone(source)
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("SigningKeys")
            .field("sources", &sources.len())
            .finish_non_exhaustive()
    }
}
