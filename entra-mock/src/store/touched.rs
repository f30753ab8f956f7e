//! What has changed since it was last stored in a file, so that only this is stored.

use std::collections::BTreeSet;

use super::{Kind, Relation};

/// The keys of everything that has changed. It stays empty unless the tenant is kept in a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Touched {
    enabled: bool,
    pub(super) objects: BTreeSet<(Kind, Box<str>)>,
    /// In the order of the changes, with repetitions.
    pub(super) links: Vec<(Relation, Box<str>, Box<str>)>,
    /// Deleted objects by their serial numbers.
    pub(super) deleted: BTreeSet<u64>,
    pub(super) photos: BTreeSet<Box<str>>,
}

impl Touched {
    pub(super) const fn is_enabled(&self) -> bool {
        self.enabled
    }

    pub(super) fn object(&mut self, kind: Kind, id: &str) {
        if self.enabled {
            self.objects.insert((kind, id.into()));
        }
    }

    pub(super) fn link(&mut self, relation: Relation, from: &str, to: &str) {
        if self.enabled {
            self.links.push((relation, from.into(), to.into()));
        }
    }

    pub(super) fn deleted(&mut self, serial: u64) {
        if self.enabled {
            self.deleted.insert(serial);
        }
    }

    pub(super) fn photo(&mut self, id: &str) {
        if self.enabled {
            self.photos.insert(id.into());
        }
    }

    /// Returns what has changed, and forgets it. From now on it is tracked.
    #[cfg(feature = "server")]
    pub(super) fn take(&mut self) -> Self {
        std::mem::replace(
            self,
            Self {
                enabled: true,
                ..Self::default()
            },
        )
    }
}
