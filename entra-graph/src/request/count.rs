use std::{fmt, marker::PhantomData};

use crate::{
    Error, Filter,
    entity::{Countable, Filterable, Searchable},
    handle::At,
    odata::{Query, Search},
};

/// A request for the number of items in a collection. It is always an advanced query.
#[must_use = "a request does nothing until it is sent"]
pub struct Count<E> {
    at: At,
    query: Query,
    marker: PhantomData<fn() -> E>,
}

impl<E: Countable> Count<E> {
    pub(crate) fn new(at: At) -> Self {
        Self {
            query: at.query(),
            at,
            marker: PhantomData,
        }
    }

    /// Only items that meet the condition. A further call narrows it.
    pub fn filter(mut self, filter: Filter<E>) -> Self
    where
        E: Filterable,
    {
        self.query.and_filter(filter.node);
        self
    }

    /// Only items with these words.
    pub fn search(mut self, search: Search<E>) -> Self
    where
        E: Searchable,
    {
        self.query.search(search, &E::INFO);
        self
    }

    /// The number.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    pub async fn send(self) -> Result<u64, Error> {
        let target = self.at.target.clone().join(&["$count"]);
        let at = At { target, ..self.at };
        let prepared = at.url().and_then(|url| self.query.number(url, &E::INFO))?;
        at.client.fetch_number(at.operation, prepared).await
    }
}

impl<E> Clone for Count<E> {
    fn clone(&self) -> Self {
        Self {
            at: self.at.clone(),
            query: self.query.clone(),
            marker: PhantomData,
        }
    }
}

impl<E> fmt::Debug for Count<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Count")
            .field("operation", &self.at.operation.name)
            .finish_non_exhaustive()
    }
}
