//! The kinds of objects in the tenant.

use super::{Kind, Unique};

/// Declares [`Kind`] with one variant per entity type.
macro_rules! kinds {
    ($($kind:ident = $entity:path;)*) => {
        /// The kind of an object: the name of its [`EntityType`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum Kind {
            $($kind,)*
        }

        impl Kind {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The name of the kind in a state file.
            #[cfg(feature = "server")]
            pub(crate) const fn key(self) -> &'static str {
                match self {
                    $(Self::$kind => stringify!($kind),)*
                }
            }

            /// The kind of that name.
            #[cfg(feature = "server")]
            pub(crate) fn of_key(key: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.key() == key)
            }

            /// Returns the entity type of this kind.
            pub(crate) const fn entity(self) -> &'static $crate::schema::EntityType {
                match self {
                    $(Self::$kind => &$entity,)*
                }
            }
        }
    };
}
pub(super) use kinds;

impl Kind {
    /// The kind that is listed at `users`, `auditLogs/signIns` and so on.
    pub(crate) fn of_set(set: &str) -> Option<Self> {
        Self::every().find(|kind| kind.entity().set.eq_ignore_ascii_case(set))
    }

    /// Returns the kind of a collection, with or without the path before its name.
    pub(crate) fn of_collection(name: &str) -> Option<Self> {
        let last = |kind: &Self| {
            let set = kind.entity().set;
            set.rsplit('/')
                .next()
                .is_some_and(|last| last.eq_ignore_ascii_case(name))
        };
        Self::of_set(name).or_else(|| Self::every().find(last))
    }

    /// Whether it has a list of its own, and not only lists of other objects.
    pub(crate) fn is_listed(self) -> bool {
        let entity = self.entity();
        entity
            .operations
            .iter()
            .any(|operation| operation.method == "GET" && operation.path[1..] == *entity.set)
    }

    /// Whether requests address its collection, if only to create objects.
    pub(crate) fn is_addressed(self) -> bool {
        let entity = self.entity();
        entity
            .operations
            .iter()
            .any(|operation| operation.path[1..] == *entity.set)
    }

    /// Returns the directory object type of that name, for casts.
    pub(crate) fn of_type(name: &str) -> Option<Self> {
        Self::every()
            .find(|kind| kind.entity().object && kind.entity().name.eq_ignore_ascii_case(name))
    }

    /// The properties, in addition to `id`, that identify one object of this kind.
    pub(crate) fn alternate_keys(self) -> impl Iterator<Item = &'static str> {
        let entity = self.entity();
        let others = entity.unique.iter().filter_map(|unique| match *unique {
            Unique::AlternateKey(name) => Some(name),
            Unique::InType(_) | Unique::InDirectory(_) => None,
        });
        entity.key.into_iter().chain(others)
    }

    /// The time property by which a log is ordered.
    pub(crate) fn log_time(self) -> Option<&'static str> {
        self.entity().log_time
    }

    fn every() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied()
    }
}
