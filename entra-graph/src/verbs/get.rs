use std::{fmt, marker::PhantomData};

use super::list::start_select;
use crate::{
    client::Call,
    error::Error,
    model::{Entity, Expandable, Selectable},
    odata::{NavigationProperty, Query, Selection},
    operation::Operation,
    request::{IntoRequest, Request, Target, read, read_entity},
    stream::{Completed, Filling, by_batches},
};

/// A request for one object.
#[must_use = "a request does nothing until it is sent"]
pub struct Get<E> {
    target: Target,
    operation: &'static Operation,
    query: Query,
    complete: Option<Completed>,
    marker: PhantomData<fn() -> E>,
}

impl<E: Entity> Get<E> {
    pub(crate) fn new(target: Target, operation: &'static Operation) -> Self {
        let mut query = Query::default();
        query.without(target.without);
        Self {
            target,
            operation,
            query,
            complete: None,
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
    /// Hidden memberships are left out silently without `Member.Read.Hidden`.
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

    /// Includes all related objects of one navigation property, as [`expand`](Self::expand) does for the first 20.
    ///
    /// What may be missing is fetched by further requests. It is for [`send`](Self::send) and [`send_opt`](Self::send_opt),
    /// not for batches, and not for deleted objects, whose relationships Graph does not have.
    /// Hidden memberships are left out silently without `Member.Read.Hidden`.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient, id: &str) -> Result<(), entra_graph::Error> {
    /// use entra_graph::{DirectoryObject, Group};
    /// let members = Group::MEMBERS.select(DirectoryObject::ID);
    /// let group = graph.group(id).get().select(Group::DISPLAY_NAME).expand_all(members).send().await?;
    /// assert!(group.members.is_none_or(|members| members.is_complete()));
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn expand_all(mut self, relation: NavigationProperty<E>) -> Self
    where
        E: Expandable,
    {
        self.complete = Some((relation.name(), relation.list_options(), by_batches));
        self.expand(relation)
    }

    /// The object.
    ///
    /// # Errors
    /// Every kind of [`Error`]; [`Error::is_not_found`] if there is no such object.
    pub async fn send(self) -> Result<E, Error> {
        let Some(completed) = self.complete.clone() else {
            return self.into_request().send().await;
        };
        let filling = Filling::new(completed, &self.target.url()?, true)?;
        let call = self.call()?;
        let client = self.target.client;
        let reply = filling.fetch(&client, &call).await?;
        read(&client, &call, &reply, read_entity)
    }

    /// The object, or `None` if Graph has no such object ([`Error::is_not_found`]).
    ///
    /// # Errors
    /// Every other kind of [`Error`], such as a 404 of another service that says nothing about the object.
    pub async fn send_opt(self) -> Result<Option<E>, Error> {
        match self.send().await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn call(&self) -> Result<Call, Error> {
        let prepared = self
            .query
            .one(self.target.url()?, self.target.by_id, &E::INFO)?;
        Ok(Call::new(self.operation, prepared.url))
    }
}

impl<E: Entity> IntoRequest for Get<E> {
    type Output = E;

    fn into_request(self) -> Request<E> {
        let call = match self.complete {
            Some((relation, ..)) => Err(Error::query(format!(
                "`expand_all` of {relation} sends further requests, so this cannot be one request: use `send` or `expand`"
            ))),
            None => self.call(),
        };
        Request::new(self.target.client, call, read_entity)
    }
}

impl<E> Clone for Get<E> {
    fn clone(&self) -> Self {
        Self {
            target: self.target.clone(),
            query: self.query.clone(),
            complete: self.complete.clone(),
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
