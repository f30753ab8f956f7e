use std::{borrow::Cow, fmt, marker::PhantomData};

use crate::{
    Error, Filter, Items, Page, Pages,
    entity::{
        Countable, Entity, Expandable, Filterable, Orderable, Searchable, Selectable, Toppable,
    },
    handle::At,
    odata::{Order, Query, Relation, Search, Selection},
    page,
};

/// A request for the items of a collection, with the options that Graph documents for it.
///
/// An option that the collection does not take is not there to call: sign-ins have no `select`.
///
/// ```
/// # fn example(graph: &entra_graph::GraphClient) {
/// use entra_graph::User;
/// let people = graph.users().list().select(User::DISPLAY_NAME).top(50);
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
    at: At,
    query: Query,
    marker: PhantomData<fn() -> E>,
}

impl<E: Entity> List<E> {
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

    /// Only items that meet the condition. A further call narrows it.
    pub fn filter(mut self, filter: Filter<E>) -> Self
    where
        E: Filterable,
    {
        self.query.and_filter(filter.node);
        self
    }

    /// Sorted. A further call sorts what is equal so far.
    pub fn order_by(mut self, order: Order<E>) -> Self
    where
        E: Orderable,
    {
        self.query.order_by(&order, &E::INFO);
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

    /// With the objects that this one relationship leads to. Not together with advanced options.
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
        let prepared = self
            .at
            .url()
            .and_then(|url| self.query.list(url, &E::INFO))?;
        page::fetch(self.at.client, self.at.operation, prepared).await
    }

    /// The pages, one after the other as they are asked for.
    pub fn pages(self) -> Pages<E> {
        let first = self.at.url().and_then(|url| self.query.list(url, &E::INFO));
        Pages::new(self.at.client, self.at.operation, first)
    }

    /// The items of all pages.
    pub fn items(self) -> Items<E> {
        Items::new(self.pages())
    }
}

/// Graph leaves the id out unless asked for, and an object without one is of little use.
pub(super) fn start_select(names: &mut Vec<Cow<'static, str>>) {
    if names.is_empty() {
        names.push(Cow::Borrowed("id"));
    }
}

impl<E> Clone for List<E> {
    fn clone(&self) -> Self {
        Self {
            at: self.at.clone(),
            query: self.query.clone(),
            marker: PhantomData,
        }
    }
}

impl<E> fmt::Debug for List<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List")
            .field("operation", &self.at.operation.name)
            .finish_non_exhaustive()
    }
}
