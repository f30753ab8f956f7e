//! The keys of the pool that a tenant publishes, and the one that signs.

use super::{TestKey, pool};

/// A tenant's signing keys. A rollover takes the next key of the pool, so keys repeat after some
/// rollovers.
#[derive(Clone, Debug)]
pub(crate) struct KeyRing {
    published: Vec<usize>,
    signing: usize,
}

impl KeyRing {
    /// All published keys, the oldest first.
    pub(crate) fn published(&self) -> impl Iterator<Item = &'static TestKey> {
        self.published.iter().filter_map(|&at| pool().get(at))
    }

    /// The positions in the pool of the published keys and of the one that signs.
    #[cfg(feature = "server")]
    pub(crate) fn positions(&self) -> (&[usize], usize) {
        (&self.published, self.signing)
    }

    /// The ring with these positions in the pool.
    #[cfg(feature = "server")]
    pub(crate) const fn at(published: Vec<usize>, signing: usize) -> Self {
        Self { published, signing }
    }

    /// The key that signs.
    pub(crate) fn signing(&self) -> Option<&'static TestKey> {
        pool().get(self.signing)
    }

    /// Publishes one more key, which does not sign yet. Returns `false` if the pool is used up.
    pub(crate) fn publish_next(&mut self) -> bool {
        let newest = self.published.last().copied().unwrap_or_default();
        let size = pool().len();
        let next = (1..size)
            .map(|step| (newest + step) % size)
            .find(|at| !self.published.contains(at));
        self.published.extend(next);
        next.is_some()
    }

    /// Signs with the newest published key from now on.
    pub(crate) fn switch(&mut self) {
        self.signing = self.published.last().copied().unwrap_or_default();
    }

    /// Publishes only the key that signs.
    pub(crate) fn retire_others(&mut self) {
        self.published = vec![self.signing];
    }
}

impl Default for KeyRing {
    fn default() -> Self {
        Self {
            published: vec![0, 1, 2],
            signing: 0,
        }
    }
}
