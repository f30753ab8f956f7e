//! What a request must know about an entity, as data, and what it may be asked, as traits.

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Error,
    odata::{Path, Support},
    page::PageBody,
};

/// An object that Graph keeps in a collection, such as a [`User`](crate::User).
///
/// This crate implements it for its models; which query options a collection takes is told by
/// [`Selectable`] and its siblings.
pub trait Entity: Row {
    /// What a request must know about the collection.
    #[doc(hidden)]
    const INFO: EntityInfo;
}

/// How an answer with such objects is decoded; it cannot be implemented outside of this crate.
pub trait Row: Default + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Reads a page of a list.
    #[doc(hidden)]
    fn read_page(body: &[u8]) -> Result<PageBody<Self>, Error>;

    /// Reads a single object.
    #[doc(hidden)]
    fn read_one(body: &[u8]) -> Result<Self, Error>;
}

/// Makes a type a [`Row`]. The functions name the type, so they are compiled in this crate and not
/// again in each program.
macro_rules! row {
    ($row:ty) => {
        impl $crate::entity::Row for $row {
            fn read_page(body: &[u8]) -> Result<$crate::page::PageBody<Self>, $crate::Error> {
                let mut page = $crate::page::PageBody::default();
                $crate::decode::decode_into(body, &mut page)?;
                Ok(page)
            }

            fn read_one(body: &[u8]) -> Result<Self, $crate::Error> {
                let mut object = Self::default();
                $crate::decode::decode_into(body, &mut object)?;
                Ok(object)
            }
        }
    };
}
pub(crate) use row;

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $($(#[$doc])* pub trait $name: Entity {})*
    };
}

capabilities! {
    /// Lists of these take `$select`.
    Selectable;
    /// Lists of these take `$filter`.
    Filterable;
    /// Lists of these take `$orderby`.
    Orderable;
    /// Lists of these take `$search`.
    Searchable;
    /// Lists of these take `$expand`.
    Expandable;
    /// Lists of these take `$top`.
    Toppable;
    /// Lists of these take `$count`.
    Countable;
}

/// Gives entities their capabilities: `capable!(User: Selectable, Filterable);`.
macro_rules! capable {
    ($entity:ty: $($capability:ident),* $(,)?) => {
        $(impl $crate::entity::$capability for $entity {})*
    };
}
pub(crate) use capable;

/// What requests for a collection depend on.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct EntityInfo {
    /// One object, as an error names it.
    pub(crate) name: &'static str,
    /// Several objects, as an error names them.
    pub(crate) plural: &'static str,
    /// Whether it lives in the directory, where advanced queries exist.
    pub(crate) directory: bool,
    /// The largest documented page, if the collection takes `$top`.
    pub(crate) page_size: Option<u16>,
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
            nested: &[],
        }
    }

    /// With support rows of properties inside of properties, by path.
    pub(crate) const fn with_nested(self, nested: &'static [(&'static str, Support)]) -> Self {
        Self { nested, ..self }
    }

    pub(crate) fn nested(&self, path: Path) -> Support {
        let full = path.full();
        self.nested
            .iter()
            .find(|(known, _)| *known == full)
            .map_or(Support::NONE, |(_, support)| *support)
    }
}

/// A row of [`EntityInfo::with_nested`].
pub(crate) const fn nested(path: &'static str, row: &str) -> (&'static str, Support) {
    (path, Support::parse(row))
}
