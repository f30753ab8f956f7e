use std::{fmt, marker::PhantomData};

use crate::{
    client::Call,
    error::Error,
    model::{Countable, Filterable, Searchable},
    odata::{Filter, Query, Search},
    operation::Operation,
    request::{IntoRequest, Request, Target, as_text, read_number},
};

/// A request for the number of items in a collection. It is always an advanced query.
#[must_use = "a request does nothing until it is sent"]
pub struct Count<E> {
    target: Target,
    operation: &'static Operation,
    query: Query,
    marker: PhantomData<fn() -> E>,
}

impl<E: Countable> Count<E> {
    pub(crate) fn new(target: Target, operation: &'static Operation) -> Self {
        Self {
            target,
            operation,
            query: Query::default(),
            marker: PhantomData,
        }
    }

    /// Only items that match the filter. A further call joins another filter with `and`.
    pub fn filter(mut self, filter: Filter<E>) -> Self
    where
        E: Filterable,
    {
        self.query.and_filter(filter.node);
        self
    }

    /// Only items that match the search.
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
        self.into_request().send().await
    }
}

impl<E: Countable> IntoRequest for Count<E> {
    type Output = u64;

    fn into_request(self) -> Request<u64> {
        let target = self.target.join(&["$count"]);
        let call = target.url().and_then(|url| {
            let prepared = self.query.number(url, &E::INFO)?;
            let mut call = as_text(Call::new(self.operation, prepared.url));
            call.advanced = prepared.advanced;
            Ok(call)
        });
        Request::new(target.client, call, read_number)
    }
}

impl<E> Clone for Count<E> {
    fn clone(&self) -> Self {
        Self {
            target: self.target.clone(),
            query: self.query.clone(),
            ..*self
        }
    }
}

impl<E> fmt::Debug for Count<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Count")
            .field("operation", &self.operation.name)
            .finish_non_exhaustive()
    }
}
