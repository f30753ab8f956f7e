use std::{fmt, marker::PhantomData};

use super::list::start_select;
use crate::{
    Error,
    entity::{Entity, Expandable, Selectable},
    handle::At,
    odata::{Query, Relation, Selection},
};

/// A request for one object.
#[must_use = "a request does nothing until it is sent"]
pub struct Get<E> {
    at: At,
    query: Query,
    marker: PhantomData<fn() -> E>,
}

impl<E: Entity> Get<E> {
    pub(crate) fn new(at: At) -> Self {
        Self {
            query: at.query(),
            at,
            marker: PhantomData,
        }
    }

    /// Only these properties; the id always comes along. A further call adds more.
    pub fn select(mut self, properties: impl Selection<E>) -> Self
    where
        E: Selectable,
    {
        start_select(&mut self.query.select);
        properties.add_to(&mut self.query.select);
        self
    }

    /// With the objects that this one relationship leads to.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "reads as `expand(User::MANAGER)`"
    )]
    pub fn expand(mut self, relation: Relation<E>) -> Self
    where
        E: Expandable,
    {
        self.query.expand(relation.to_string());
        self
    }

    /// The object.
    ///
    /// # Errors
    /// Every kind of [`Error`]; [`Error::is_not_found`] if Graph has none there.
    pub async fn send(self) -> Result<E, Error> {
        let prepared = self.at.url().and_then(|url| self.query.one(url))?;
        let read = E::read_one;
        self.at
            .client
            .fetch(self.at.operation, prepared, read)
            .await
    }

    /// The object, or `None` if Graph has none there.
    ///
    /// # Errors
    /// Every kind of [`Error`], except for a 404.
    pub async fn send_opt(self) -> Result<Option<E>, Error> {
        match self.send().await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl<E> Clone for Get<E> {
    fn clone(&self) -> Self {
        Self {
            at: self.at.clone(),
            query: self.query.clone(),
            marker: PhantomData,
        }
    }
}

impl<E> fmt::Debug for Get<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Get")
            .field("operation", &self.at.operation.name)
            .finish_non_exhaustive()
    }
}
