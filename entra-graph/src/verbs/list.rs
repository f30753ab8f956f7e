use std::{borrow::Cow, fmt, marker::PhantomData};

use crate::{
    client::Call,
    error::Error,
    model::{
        Countable, Entity, Expandable, Filterable, Orderable, Searchable, Selectable, Toppable,
    },
    odata::{Filter, NavigationProperty, Order, Query, Search, Selection},
    operation::Operation,
    request::{IntoRequest, Request, Target},
    stream::{Items, NextList, Page, Pages, read_page},
};

/// A request for the items of a collection, with the options that Graph documents for it.
///
/// A method for an option that Graph does not document for the collection does not compile: sign-ins have no `select`.
///
/// ```
/// # fn example(graph: &entra_graph::GraphClient) {
/// use entra_graph::User;
/// let users = graph.users().list().select(User::DISPLAY_NAME).top(50);
/// let assigned = graph.user("adele@contoso.com").app_role_assignments().list().top(50);
/// # }
/// ```
///
/// ```compile_fail
/// # fn example(graph: &entra_graph::GraphClient) {
/// use entra_graph::query::Search;
/// let assigned = graph.user("adele@contoso.com").app_role_assignments().list().search(Search::raw(""));
/// # }
/// ```
#[must_use = "a request does nothing until it is sent"]
pub struct List<E> {
    target: Target,
    operation: &'static Operation,
    query: Query,
    marker: PhantomData<fn() -> E>,
}

impl<E: Entity> List<E> {
    pub(crate) fn new(target: Target, operation: &'static Operation) -> Self {
        let mut query = Query::default();
        if target.advanced {
            query.force_advanced();
        }
        if target.without_top {
            query.without_top();
        }
        Self {
            target,
            operation,
            query,
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

    /// Only items that match the filter. A further call joins another filter with `and`.
    pub fn filter(mut self, filter: Filter<E>) -> Self
    where
        E: Filterable,
    {
        self.query.and_filter(filter.node);
        self
    }

    /// Sorts the items. A further call adds a secondary sort criterion.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "reads as `order_by(User::DISPLAY_NAME.asc())`"
    )]
    pub fn order_by(mut self, order: Order<E>) -> Self
    where
        E: Orderable,
    {
        self.query.order_by(&order, &E::INFO);
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

    /// Includes the related objects of one navigation property. Not together with advanced options.
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

    /// Pages of this size, instead of the largest that is documented.
    pub fn top(mut self, size: u32) -> Self
    where
        E: Toppable,
    {
        self.query.top(size, &E::INFO);
        self
    }

    /// With the number of all matching items in [`Page::count`] of the first page.
    pub fn count(mut self) -> Self
    where
        E: Countable,
    {
        self.query.count();
        self
    }

    /// The first page.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    pub async fn send(self) -> Result<Page<E>, Error> {
        self.into_request().send().await
    }

    /// The pages, each fetched on demand.
    ///
    /// A list of values ([`Property::is_in`](crate::Property::is_in)) that is too long for one request is shared by
    /// several, one after the other: the items of the first values come first.
    pub fn pages(self) -> Pages<E> {
        let client = self.target.client.clone();
        let read = |call| Request::new(client.clone(), call, read_page);
        match self.calls() {
            Ok((first, rest)) => read(Ok(first)).pages().followed_by(rest),
            Err(error) => read(Err(error)).pages(),
        }
    }

    /// The items of all pages, as [`pages`](Self::pages) has them.
    pub fn items(self) -> Items<E> {
        Items::new(self.pages())
    }

    /// The first request, and those for the other parts of a filter that is too long for one.
    fn calls(self) -> Result<(Call, Vec<NextList>), Error> {
        let url = self.target.url()?;
        let mut lists = self.query.lists(&url, &E::INFO)?.into_iter();
        let first = lists
            .next()
            .ok_or_else(|| Error::query("the list has no request"))?;
        let mut call = Call::new(self.operation, first.url);
        call.advanced = first.advanced;
        let rest = lists.map(|list| NextList {
            link: list.url.into(),
            advanced: list.advanced,
        });
        Ok((call, rest.collect()))
    }
}

/// The first page.
impl<E: Entity> IntoRequest for List<E> {
    type Output = Page<E>;

    fn into_request(self) -> Request<Page<E>> {
        let call = self.target.url().and_then(|url| {
            let prepared = self.query.list(url, &E::INFO)?;
            let mut call = Call::new(self.operation, prepared.url);
            call.advanced = prepared.advanced;
            Ok(call)
        });
        Request::new(self.target.client, call, read_page)
    }
}

/// Graph leaves the id out unless it is selected, and an object without its id is of little use.
pub(super) fn start_select(names: &mut Vec<Cow<'static, str>>) {
    if names.is_empty() {
        names.push(Cow::Borrowed("id"));
    }
}

impl<E> Clone for List<E> {
    fn clone(&self) -> Self {
        Self {
            target: self.target.clone(),
            query: self.query.clone(),
            ..*self
        }
    }
}

impl<E> fmt::Debug for List<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List")
            .field("operation", &self.operation.name)
            .finish_non_exhaustive()
    }
}
