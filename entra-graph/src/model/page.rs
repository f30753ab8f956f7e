use std::vec;

use entra_core::url::Url;

use crate::{
    Error, GraphClient,
    entity::Row,
    model::{Additional, Elements, List, NameTable, Object, Place, Shape, Stopped},
    odata::Prepared,
    permissions::Operation,
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
    client.fetch(operation, prepared, Page::read).await
}

impl<E: Row> Page<E> {
    fn read(body: &[u8]) -> Result<Self, Error> {
        let body = E::read_page(body)?;
        // An answer without it is no empty list.
        let Some(items) = body.value else {
            return Err(Error::decode(
                "the answer is not the JSON that was expected",
                "it has no `value`",
            ));
        };
        let next = body
            .next
            .map(|link| Url::parse(&link))
            .transpose()
            .map_err(|source| Error::decode("the link to the next page is no address", source))?;
        Ok(Self {
            items: items.0,
            count: body.count.and_then(|count| count.try_into().ok()),
            next,
        })
    }
}

/// A page as it is read.
#[doc(hidden)]
#[derive(Debug)]
pub struct PageBody<E> {
    value: Option<Rows<E>>,
    count: Option<i64>,
    next: Option<String>,
}

impl<E> Default for PageBody<E> {
    fn default() -> Self {
        Self {
            value: None,
            count: None,
            next: None,
        }
    }
}

impl<E: Place + Default> Place for PageBody<E> {
    fn shape(&mut self) -> Shape<'_> {
        Shape::Object(self)
    }
}

impl<E: Place + Default> Object for PageBody<E> {
    fn names(&self) -> &'static NameTable {
        const NAMES: &[&str] = &["value", "@odata.count", "@odata.nextLink"];
        const { &NameTable::new(NAMES, NAMES) }
    }

    fn property(&mut self, index: usize) -> Shape<'_> {
        match index {
            0 => Shape::List(self.value.insert(Rows(Vec::new()))),
            1 => Shape::I64(&mut self.count),
            _ => Shape::String(&mut self.next),
        }
    }

    fn extra(&mut self) -> Option<&mut Additional> {
        None
    }

    fn odata_type(&self) -> &'static str {
        ""
    }
}

/// The rows of a page, each read where it will stay, so that none is ever moved.
#[derive(Debug)]
struct Rows<E>(Vec<E>);

impl<E: Place + Default> List for Rows<E> {
    fn fill(&mut self, elements: &mut dyn Elements) -> Result<(), Stopped> {
        loop {
            self.0.push(E::default());
            let Some(row) = self.0.last_mut() else {
                return Ok(());
            };
            if !elements.next(row.shape())? {
                self.0.pop();
                return Ok(());
            }
        }
    }
}
