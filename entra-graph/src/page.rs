use std::vec;

use entra_core::url::Url;
use serde::Deserialize;

use crate::{
    Error, GraphClient, entity::Row, model::Rows, odata::Prepared, permissions::Operation,
};

/// One page of a list.
///
/// A page without items is not the end of the list; a page without a next link is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Page<E> {
    /// The items, in Graph's order.
    pub items: Vec<E>,
    /// The number of all matching items, if it was asked for and this is the first page.
    pub count: Option<u64>,
    pub(crate) next: Option<Url>,
}

impl<E> Page<E> {
    /// Whether the list ends with this page.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.next.is_none()
    }
}

impl<E> IntoIterator for Page<E> {
    type Item = E;
    type IntoIter = vec::IntoIter<E>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, E> IntoIterator for &'a Page<E> {
    type Item = &'a E;
    type IntoIter = std::slice::Iter<'a, E>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

/// The page behind a link.
///
/// # Errors
/// Every kind of [`Error`].
pub(crate) async fn fetch<E: Row>(
    client: GraphClient,
    operation: &'static Operation,
    prepared: Prepared,
) -> Result<Page<E>, Error> {
    /// `value` is required: an answer without it is no empty list.
    #[derive(Deserialize)]
    #[serde(bound = "E: Row")]
    struct Body<E> {
        value: Rows<E>,
        #[serde(rename = "@odata.count")]
        count: Option<u64>,
        #[serde(rename = "@odata.nextLink")]
        next: Option<String>,
    }

    let body: Body<E> = client.fetch(operation, prepared).await?;
    let next = body
        .next
        .map(|link| Url::parse(&link))
        .transpose()
        .map_err(|source| Error::decode("the link to the next page is no address", source))?;
    Ok(Page {
        items: body.value.0,
        count: body.count,
        next,
    })
}
