use std::{fmt, marker::PhantomData};

use super::list::start_select;
use crate::{
    client::Call,
    error::Error,
    model::{Entity, Expandable, Selectable},
    odata::{NavigationProperty, Query, Selection},
    operation::Operation,
    request::{IntoRequest, Request, Target, read_entity},
};

/// A request for one object.
#[must_use = "a request does nothing until it is sent"]
pub struct Get<E> {
    target: Target,
    operation: &'static Operation,
    query: Query,
    marker: PhantomData<fn() -> E>,
}

impl<E: Entity> Get<E> {
    pub(crate) fn new(target: Target, operation: &'static Operation) -> Self {
        Self {
            target,
            operation,
            query: Query::default(),
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

    /// Includes the related objects of one navigation property.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "reads as `expand(User::MANAGER)`"
    )]
    pub fn expand(mut self, relation: NavigationProperty<E>) -> Self
    where
        E: Expandable,
    {
        self.query.expand(relation.to_string());
        self
    }

    /// The object.
    ///
    /// # Errors
    /// Every kind of [`Error`]; [`Error::is_not_found`] if there is no such object.
    pub async fn send(self) -> Result<E, Error> {
        self.into_request().send().await
    }

    /// The object, or `None` if Graph has no such object ([`Error::is_not_found`]).
    ///
    /// # Errors
    /// Every other kind of [`Error`], such as a 404 of another service that says nothing about the object.
    pub async fn send_opt(self) -> Result<Option<E>, Error> {
        self.into_request().send_opt().await
    }
}

impl<E: Entity> IntoRequest for Get<E> {
    type Output = E;

    fn into_request(self) -> Request<E> {
        let call = self.target.url().and_then(|url| {
            let prepared = self.query.one(url, self.target.by_id)?;
            Ok(Call::new(self.operation, prepared.url))
        });
        Request::new(self.target.client, call, read_entity)
    }
}

impl<E> Clone for Get<E> {
    fn clone(&self) -> Self {
        Self {
            target: self.target.clone(),
            query: self.query.clone(),
            ..*self
        }
    }
}

impl<E> fmt::Debug for Get<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Get")
            .field("operation", &self.operation.name)
            .finish_non_exhaustive()
    }
}
