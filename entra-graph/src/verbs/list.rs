use std::{borrow::Cow, fmt, marker::PhantomData};

use crate::{
    client::{Call, GraphClient},
    error::Error,
    model::{
        Countable, Entity, Expandable, Filterable, Orderable, Searchable, Selectable, Toppable,
    },
    odata::{Filter, NavigationProperty, Order, Query, Search, Selection},
    operation::Operation,
    request::{IntoRequest, Request, Target},
    stream::{Completed, Filling, Items, NextList, Page, Pages, by_batches, read_page},
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
    complete: Option<Completed>,
    marker: PhantomData<fn() -> E>,
}

impl<E: Entity> List<E> {
    pub(crate) fn new(target: Target, operation: &'static Operation) -> Self {
        let mut query = Query::default();
        if target.advanced {
            query.force_advanced();
        }
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
    /// Graph sends at most 20 with each object, and none of some. What may be missing is fetched by further requests, 20 objects in one
    /// batch, before the page is handed out. It is for [`items`](Self::items), [`pages`](Self::pages) and
    /// [`send`](Self::send), not for batches, and not for deleted objects, whose relationships Graph does not have.
    /// Hidden memberships are left out silently without `Member.Read.Hidden`.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use entra_graph::{DirectoryObject, Group};
    /// let members = Group::MEMBERS.select(DirectoryObject::ID);
    /// let mut groups = graph.groups().list().select(Group::DISPLAY_NAME).expand_all(members).items();
    /// while let Some(group) = groups.try_next().await? {
    ///     assert!(group.members.is_none_or(|members| members.is_complete()));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn expand_all(mut self, relation: NavigationProperty<E>) -> Self
    where
        E: Expandable,
    {
        self.complete = Some((relation.name(), relation.list_options(), by_batches));
        self.expand(relation)
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
        if self.complete.is_none() {
            return self.into_request().send().await;
        }
        let first = self.pages().try_next().await?;
        first.ok_or_else(|| Error::query("the list has no request"))
    }

    /// The pages, each fetched on demand.
    ///
    /// A list of values ([`Property::is_in`](crate::Property::is_in)) that is too long for one request is shared by
    /// several, one after the other: the items of the first values come first.
    pub fn pages(self) -> Pages<E> {
        let client = self.target.client.clone();
        let read = |call| Request::new(client.clone(), call, read_page);
        match self.fill().and_then(|fill| Ok((fill, self.requests()?))) {
            Ok((fill, (first, rest))) => read(Ok(first)).pages().followed_by(rest).filled(fill),
            Err(error) => read(Err(error)).pages(),
        }
    }

    /// The items of all pages, as [`pages`](Self::pages) has them.
    pub fn items(self) -> Items<E> {
        Items::new(self.pages())
    }

    /// Whether this is the last segment of its address.
    pub(crate) fn is_at(&self, segment: &str) -> bool {
        let url = self.target.url().ok();
        let last = url
            .as_ref()
            .and_then(|url| url.path_segments()?.next_back());
        last == Some(segment)
    }

    pub(super) const fn client(&self) -> &GraphClient {
        &self.target.client
    }

    /// The request for the number of items.
    ///
    /// # Errors
    /// `Query`.
    pub(super) fn number_call(self) -> Result<Call, Error> {
        let url = self.target.join(&["$count"]).url()?;
        let prepared = self.query.number(url, &E::INFO)?;
        let mut call = Call::new(self.operation, prepared.url);
        call.advanced = prepared.advanced;
        Ok(call)
    }

    /// The relationship that is included.
    pub(super) fn expanded(&self) -> Option<&str> {
        self.query.expanded()
    }

    /// The requests of a list that is read together with others by this client.
    ///
    /// # Errors
    /// `Query`.
    pub(crate) fn calls(self, client: &GraphClient) -> Result<(Call, Vec<NextList>), Error> {
        if !client.is_same(&self.target.client) {
            return Err(Error::query(
                "the list was made from another client, so it may be meant for another user or tenant",
            ));
        }
        self.check_expand()?;
        self.requests()
    }

    fn check_expand(&self) -> Result<(), Error> {
        match self.complete {
            Some((relation, ..)) => Err(Error::query(format!(
                "`expand_all` of {relation} sends further requests, so the list cannot be part of a batch: use `items` or `expand`"
            ))),
            None => Ok(()),
        }
    }

    fn fill(&self) -> Result<Option<Filling>, Error> {
        let Some(completed) = self.complete.clone() else {
            return Ok(None);
        };
        Filling::new(completed, &self.target.url()?, false).map(Some)
    }

    /// The first request, and those for the other parts of a filter that is too long for one.
    fn requests(self) -> Result<(Call, Vec<NextList>), Error> {
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
            self.check_expand()?;
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
            complete: self.complete.clone(),
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
