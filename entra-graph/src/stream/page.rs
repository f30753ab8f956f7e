use std::{fmt, vec};

use entra_core::url::Url;

use crate::{
    client::{GraphClient, Reply},
    error::Error,
    model::{Entity, PageBody},
};

/// One page of a list.
///
/// A page without items is not the end of the list; a page without a next link is. `Debug` does not
/// show the link, which is sensitive.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items, in Graph's order.
    pub items: Vec<T>,
    /// The number of all matching items, if it was requested and this is the first page.
    pub count: Option<u64>,
    pub(crate) next: Option<Url>,
}

impl<T> Page<T> {
    /// Whether the list ends with this page.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.next.is_none()
    }
}

impl<T: fmt::Debug> fmt::Debug for Page<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("items", &self.items)
            .field("count", &self.count)
            .field("is_last", &self.is_last())
            .finish()
    }
}

impl<T> IntoIterator for Page<T> {
    type Item = T;
    type IntoIter = vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Page<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

/// Reads a page of entities.
///
/// # Errors
/// `Decode`, `Service` for an error inside of a success, `Policy` for a link to another host.
pub(crate) fn read_page<E: Entity>(client: &GraphClient, reply: &Reply) -> Result<Page<E>, Error> {
    page_of(client, E::read_page(&reply.body)?)
}

pub(crate) fn page_of<T>(client: &GraphClient, mut body: PageBody<T>) -> Result<Page<T>, Error> {
    let items = body.take_rows()?;
    let next = link(client, body.next.as_deref())?;
    Ok(Page {
        items,
        count: body.count(),
        next,
    })
}

/// A link of a response, if it leads to this client's host.
pub(crate) fn link(client: &GraphClient, link: Option<&str>) -> Result<Option<Url>, Error> {
    let Some(link) = link else {
        return Ok(None);
    };
    let link = Url::parse(link)
        .map_err(|source| Error::decode("the link to the next page is invalid", source))?;
    client.check(&link)?;
    Ok(Some(link))
}
