//! How objects are decoded, and which query options their collections take, as traits.

use serde::{Serialize, de::DeserializeOwned};

use super::{AdditionalData, page::PageBody};
use crate::{error::Error, odata::Described};

/// An object that Graph has in a collection, such as a [`User`](crate::User).
///
/// This crate implements it for its models; the query options of its collections are the traits
/// [`Selectable`] and its siblings.
pub trait Entity: Row + Described {}

impl<E: Row + Described> Entity for E {}

/// How a response with such objects is decoded; it cannot be implemented outside of this crate.
pub trait Row: Default + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Reads a page of a list.
    #[doc(hidden)]
    fn read_page(body: &[u8]) -> Result<PageBody<Self>, Error>;

    /// Reads a single object.
    #[doc(hidden)]
    fn read_one(body: &[u8]) -> Result<Self, Error>;

    /// The additional properties.
    #[doc(hidden)]
    fn additional_mut(&mut self) -> &mut AdditionalData;

    /// The id.
    #[doc(hidden)]
    fn object_id(&self) -> &str;
}

/// Makes a type a [`Row`]. The functions are compiled where they are used, so that a program is built with the
/// decoders of the types that it reads, and this crate with none.
macro_rules! row {
    ($row:ty) => {
        impl $crate::model::Row for $row {
            #[inline]
            fn read_page(
                body: &[u8],
            ) -> Result<$crate::model::PageBody<Self>, $crate::error::Error> {
                let mut page = $crate::model::PageBody::default();
                $crate::model::read_document(body, &mut page)?;
                Ok(page)
            }

            #[inline]
            fn read_one(body: &[u8]) -> Result<Self, $crate::error::Error> {
                let mut object = Self::default();
                $crate::model::read_document(body, &mut object)?;
                $crate::model::without_error(body, object.has_error())?;
                Ok(object)
            }

            #[inline]
            fn additional_mut(&mut self) -> &mut $crate::model::AdditionalData {
                Self::additional_mut(self)
            }

            #[inline]
            fn object_id(&self) -> &str {
                Self::object_id(self)
            }
        }
    };
}
pub(crate) use row;

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[diagnostic::on_unimplemented(
                message = "Graph does not document this query option for lists of `{Self}`",
                note = "leave the option out, and select, filter or sort the items after they arrive"
            )]
            pub trait $name: Entity {}
        )*
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
        $(impl $crate::model::$capability for $entity {})*
    };
}
pub(crate) use capable;
