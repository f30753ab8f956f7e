//! What requests for a collection depend on, as data.

use super::{Path, Support};

/// A type whose collections can be queried.
///
/// This crate implements it for its models.
pub trait Described: 'static {
    /// What a request must know about the collection.
    #[doc(hidden)]
    const INFO: EntityInfo;
}

impl<T: Described> Described for Box<T> {
    const INFO: EntityInfo = T::INFO;
}

/// What requests for a collection depend on.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct EntityInfo {
    /// One object, as an error names it.
    pub(crate) name: &'static str,
    /// Several objects, as an error names them.
    pub(crate) plural: &'static str,
    /// Whether it is a directory object, for which advanced queries exist.
    pub(crate) directory: bool,
    /// The largest documented page, if the collection takes `$top`.
    pub(crate) page_size: Option<u16>,
    /// Properties that Graph filters by in the default mode only.
    pub(crate) default_mode_only: &'static [&'static str],
    /// Properties that Graph returns of one object, not in lists.
    pub(crate) not_in_lists: &'static [&'static str],
    /// Query options that the type or a read of one object has, but its lists do not take.
    pub(crate) no_list_options: &'static [&'static str],
    /// Query options that a read of one object does not take.
    pub(crate) no_object_options: &'static [&'static str],
    nested: &'static [(&'static str, Support)],
}

impl EntityInfo {
    pub(crate) const fn directory(name: &'static str, plural: &'static str) -> Self {
        Self {
            directory: true,
            ..Self::other(name, plural, Some(999))
        }
    }

    /// An object outside of the directory service: no advanced queries, and `$top` up to this.
    pub(crate) const fn other(
        name: &'static str,
        plural: &'static str,
        page_size: Option<u16>,
    ) -> Self {
        Self {
            name,
            plural,
            directory: false,
            page_size,
            default_mode_only: &[],
            not_in_lists: &[],
            no_list_options: &[],
            no_object_options: &[],
            nested: &[],
        }
    }

    /// With a list that has one page only and does not take `$top`.
    #[cfg(feature = "role-management")]
    pub(crate) const fn without_pages(self) -> Self {
        Self {
            page_size: None,
            ..self
        }
    }

    /// With support rows of properties inside of properties, by path. A path that ends in `*`
    /// stands for a numbered family.
    pub(crate) const fn with_nested(self, nested: &'static [(&'static str, Support)]) -> Self {
        Self { nested, ..self }
    }

    /// With properties that an advanced query cannot filter by.
    pub(crate) const fn with_default_mode_only(self, names: &'static [&'static str]) -> Self {
        Self {
            default_mode_only: names,
            ..self
        }
    }

    /// With properties that a list cannot select.
    pub(crate) const fn with_not_in_lists(self, names: &'static [&'static str]) -> Self {
        Self {
            not_in_lists: names,
            ..self
        }
    }

    /// With lists that do not take these options.
    #[cfg(any(
        feature = "app-management-policies",
        feature = "custom-security-attributes"
    ))]
    pub(crate) const fn with_no_list_options(self, options: &'static [&'static str]) -> Self {
        Self {
            no_list_options: options,
            ..self
        }
    }

    /// With a read of one object that does not take these options.
    pub(crate) const fn with_no_object_options(self, options: &'static [&'static str]) -> Self {
        Self {
            no_object_options: options,
            ..self
        }
    }

    /// Whether a read of one object takes `$select`.
    pub(crate) fn selects_of_one(&self) -> bool {
        !self.no_object_options.contains(&"$select")
    }

    #[inline]
    pub(crate) fn nested(&self, path: &Path) -> Support {
        let full = path.full();
        self.nested
            .iter()
            .find(|(known, _)| match known.strip_suffix('*') {
                Some(family) => full
                    .split_at_checked(family.len())
                    .filter(|(start, _)| start.eq_ignore_ascii_case(family))
                    .is_some_and(|(_, number)| number.parse::<u8>().is_ok()),
                None => known.eq_ignore_ascii_case(&full),
            })
            .map_or(Support::NONE, |(_, support)| *support)
    }
}

/// A row of [`EntityInfo::with_nested`].
pub(crate) const fn nested(path: &'static str, row: &str) -> (&'static str, Support) {
    (path, Support::parse(row))
}
