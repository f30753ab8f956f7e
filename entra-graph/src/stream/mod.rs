//! Lists as streams of pages or items, and how to go on with one later.

mod fill;
mod page;
mod together;

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    future::poll_fn,
    hash::{BuildHasher, RandomState},
    pin::Pin,
    task::{Context, Poll, ready},
    vec,
};

use entra_core::{BoxFuture, url::Url};
use futures_core::Stream;
use serde::{Deserialize, Serialize};

use crate::{
    client::{Call, GraphClient},
    error::Error,
    model::Entity,
    operation::Operation,
    request::{Read, Request, read},
};
use fill::Fill;
pub(crate) use fill::{Completed, Filling, by_batches};
pub use page::Page;
pub(crate) use page::{link, page_of, read_page};
pub(crate) use together::{Reading, read_to_the_end};

/// The pages of a list, each fetched on demand.
///
/// After an error the stream ends; [`resume_token`](Self::resume_token) then names the page that
/// failed. Dropping the future of [`next`](Self::next) loses nothing.
#[must_use = "a stream does nothing until it is polled"]
pub struct Pages<E> {
    client: GraphClient,
    /// What is sent for each page, beside its address.
    call: Option<Call>,
    read: Read<Page<E>>,
    /// One item, as an error names it.
    item: &'static str,
    state: State<E>,
    /// The page to fetch, also while and after that failed.
    next: Option<Url>,
    /// The lists that follow this one, each with its first page.
    following: VecDeque<NextList>,
    /// The relationship whose objects are completed.
    fill: Option<Filling>,
    /// The links that were fetched, to detect a list that loops.
    seen: HashSet<u64>,
    /// How many items the pages held so far.
    delivered: usize,
    hasher: RandomState,
}

/// The first page of a list that follows another one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NextList {
    pub(crate) link: String,
    pub(crate) advanced: bool,
}

enum State<E> {
    Ready,
    Fetching(BoxFuture<'static, Result<Page<E>, Error>>),
    Failed(Error),
    Ended,
}

/// The items of a list, page after page.
///
/// After an error the stream ends; [`resume_token`](Self::resume_token) then names the first item
/// that was not handed out.
///
/// ```
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
/// # support::block_on(async {
/// # let graph = support::graph().await;
/// let mut users = graph.users().list().top(5).items();
/// let mut seen = Vec::new();
/// while let Some(user) = users.try_next().await? {
///     seen.push(user.id);
///     if seen.len() == 7 {
///         break;
///     }
/// }
/// let token = users.resume_token().expect("there are more users");
/// for user in graph.resume::<entra_graph::User>(&token)?.try_collect::<Vec<_>>().await? {
///     assert!(!seen.contains(&user.id));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct Items<E> {
    pages: Pages<E>,
    page: vec::IntoIter<E>,
    /// Where `page` came from.
    link: Option<Url>,
    /// How many items of the page were handed out.
    taken: usize,
    /// How many items of the next page were handed out before this stream began.
    skip: usize,
}

/// Where to go on with a list: a link, and how many items of its page were handed out.
///
/// It is sensitive, because it contains the query; `Debug` does not show the link. Store it as
/// whatever serde writes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumeToken {
    version: u8,
    item: String,
    operation: String,
    link: String,
    skip: usize,
    advanced: bool,
    #[serde(default)]
    following: Vec<NextList>,
    #[serde(default)]
    fill: Option<Fill>,
}

impl<E: Entity> Request<Page<E>> {
    /// The pages, each fetched on demand.
    pub fn pages(self) -> Pages<E> {
        Pages::new(self, E::INFO.name)
    }

    /// The items of all pages.
    pub fn items(self) -> Items<E> {
        Items::new(self.pages())
    }
}

impl<E: Send + 'static> Pages<E> {
    pub(crate) fn new(first: Request<Page<E>>, item: &'static str) -> Self {
        let (client, call, read) = first.into_parts();
        let (call, next, state) = match call {
            Ok(call) => {
                let next = call.url.clone();
                (Some(call), Some(next), State::Ready)
            }
            Err(error) => (None, None, State::Failed(error)),
        };
        Self {
            client,
            call,
            read,
            item,
            state,
            next,
            following: VecDeque::new(),
            fill: None,
            seen: HashSet::new(),
            delivered: 0,
            hasher: RandomState::new(),
        }
    }

    /// These pages, and then those of other lists.
    pub(crate) fn followed_by(mut self, lists: Vec<NextList>) -> Self {
        self.following.extend(lists);
        self
    }

    /// These pages, with the related objects complete.
    pub(crate) fn filled(mut self, fill: Option<Filling>) -> Self {
        self.fill = fill;
        self
    }

    /// The next page, `None` after the last.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    pub async fn next(&mut self) -> Option<Result<Page<E>, Error>> {
        poll_fn(|context| self.poll_page(context)).await
    }

    /// The next page, `None` after the last.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    pub async fn try_next(&mut self) -> Result<Option<Page<E>>, Error> {
        self.next().await.transpose()
    }

    /// Where to go on later: the page that comes next, or that failed. `None` after the last.
    #[must_use]
    pub fn resume_token(&self) -> Option<ResumeToken> {
        self.token_of_next(0)
    }

    fn token_of_next(&self, skip: usize) -> Option<ResumeToken> {
        if let Some(link) = &self.next {
            return self.token_at(link, skip);
        }
        let first = self.following.front()?;
        let token = self.token_at(&Url::parse(&first.link).ok()?, skip)?;
        Some(ResumeToken {
            advanced: first.advanced,
            following: self.following.iter().skip(1).cloned().collect(),
            ..token
        })
    }

    fn token_at(&self, link: &Url, skip: usize) -> Option<ResumeToken> {
        let call = self.call.as_ref()?;
        Some(ResumeToken {
            version: VERSION,
            item: self.item.to_owned(),
            operation: call.operation.name.to_owned(),
            link: link.to_string(),
            skip,
            advanced: call.advanced,
            following: self.following.iter().cloned().collect(),
            fill: self.fill.as_ref().map(|filling| filling.fill.clone()),
        })
    }

    fn poll_page(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Page<E>, Error>>> {
        if matches!(self.state, State::Ready) {
            self.state = self.step();
        }
        let result = match std::mem::replace(&mut self.state, State::Ended) {
            State::Ready | State::Ended => return Poll::Ready(None),
            State::Failed(error) => return Poll::Ready(Some(Err(error))),
            State::Fetching(mut future) => match future.as_mut().poll(context) {
                Poll::Pending => {
                    self.state = State::Fetching(future);
                    return Poll::Pending;
                }
                Poll::Ready(result) => result,
            },
        };
        match &result {
            Ok(page) => {
                self.delivered += page.items.len();
                self.next.clone_from(&page.next);
                self.state = State::Ready;
            }
            // The link has expired for good; only the start of the list is valid.
            Err(error) if error.is_expired_page() => self.end_for_good(),
            Err(_) => {}
        }
        let result = result.map_err(|error| self.located(error));
        Poll::Ready(Some(result))
    }

    /// The link of the page that comes next.
    fn upcoming(&self) -> Option<Url> {
        let following = || Url::parse(&self.following.front()?.link).ok();
        self.next.clone().or_else(following)
    }

    /// Leaves nothing to resume.
    fn end_for_good(&mut self) {
        self.next = None;
        self.following.clear();
    }

    /// The error with how far the list had come.
    fn located(&self, error: Error) -> Error {
        error.with_list_progress(self.seen.len(), self.delivered)
    }

    /// Moves on to the next page, unless there is none or it was read before.
    fn step(&mut self) -> State<E> {
        if self.next.is_none()
            && let Some(list) = self.following.pop_front()
        {
            self.next = Url::parse(&list.link).ok();
            if let Some(call) = &mut self.call {
                call.advanced = list.advanced;
            }
        }
        let (Some(url), Some(call)) = (self.next.clone(), self.call.clone()) else {
            return State::Ended;
        };
        if !self.seen.insert(self.hasher.hash_one(url.as_str())) {
            // A resumed list would return items twice.
            self.end_for_good();
            let error = self.client.with_call(Error::page_loop(), &call);
            return State::Failed(error.with_list_progress(self.seen.len() + 1, self.delivered));
        }
        let call = Call { url, ..call };
        let client = self.client.clone();
        let how = self.read;
        let fill = self.fill.clone();
        State::Fetching(Box::pin(async move {
            let mut reply = client.execute(&call).await?;
            if let Some(Filling { fill, complete }) = fill {
                reply = complete(fill, client.clone(), call.operation, reply).await?;
            }
            read(&client, &call, &reply, how)
        }))
    }
}

impl<E: Send + 'static> Items<E> {
    pub(crate) fn new(pages: Pages<E>) -> Self {
        Self {
            pages,
            page: Vec::new().into_iter(),
            link: None,
            taken: 0,
            skip: 0,
        }
    }

    /// The items from where a token was taken.
    pub(crate) fn resumed(
        first: Request<Page<E>>,
        item: &'static str,
        token: &ResumeToken,
    ) -> Self {
        let pages = Pages::new(first, item)
            .followed_by(token.following.clone())
            .filled(token.fill.clone().map(|fill| fill.completed_by(by_batches)));
        Self {
            skip: token.skip,
            ..Self::new(pages)
        }
    }

    /// The next item, `None` after the last.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    pub async fn next(&mut self) -> Option<Result<E, Error>> {
        poll_fn(|context| self.poll_item(context)).await
    }

    /// The next item, `None` after the last.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    pub async fn try_next(&mut self) -> Result<Option<E>, Error> {
        // An item at hand goes out without a poll, whose results would each be one more copy of it.
        if let Some(item) = self.take_item() {
            return Ok(Some(item));
        }
        self.next().await.transpose()
    }

    /// All items that are left, in memory at once, in whatever collection.
    ///
    /// It shadows the method of the same name of futures' `TryStreamExt`, so no trait must be imported.
    ///
    /// # Errors
    /// Every kind of [`Error`]; what was collected so far is then lost.
    pub async fn try_collect<C: Default + Extend<E>>(mut self) -> Result<C, Error> {
        let mut items = C::default();
        while let Some(item) = self.try_next().await? {
            items.extend(Some(item));
        }
        Ok(items)
    }

    /// Where to go on later: the first item that was not handed out. `None` after the last.
    #[must_use]
    pub fn resume_token(&self) -> Option<ResumeToken> {
        match &self.link {
            Some(link) if !self.page.as_slice().is_empty() => self.pages.token_at(link, self.taken),
            _ => self.pages.token_of_next(self.skip),
        }
    }

    /// The next item of the page at hand.
    #[inline]
    fn take_item(&mut self) -> Option<E> {
        let item = self.page.next()?;
        self.taken += 1;
        Some(item)
    }

    fn poll_item(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<E, Error>>> {
        loop {
            if let Some(item) = self.take_item() {
                return Poll::Ready(Some(Ok(item)));
            }
            // The old page goes before the next one comes.
            self.page = Vec::new().into_iter();
            let link = self.pages.upcoming();
            match ready!(self.pages.poll_page(context)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(page)) => {
                    self.link = link;
                    self.page = page.items.into_iter();
                    self.taken = std::mem::take(&mut self.skip);
                    if self.taken > 0 {
                        self.page.by_ref().take(self.taken).for_each(drop);
                    }
                }
            }
        }
    }
}

impl ResumeToken {
    /// The name of the operation whose list this is.
    pub(crate) fn operation(&self) -> &str {
        &self.operation
    }

    /// What to send next, if the token is of this kind and leads to this client's host.
    ///
    /// # Errors
    /// `Query` or `Policy`.
    #[inline]
    pub(crate) fn call(
        &self,
        client: &GraphClient,
        operation: &'static Operation,
        item: &str,
    ) -> Result<Call, Error> {
        if self.version != VERSION {
            return Err(Error::query(format!(
                "the resume token has version {}, and this crate reads {VERSION}; start the list again",
                self.version
            )));
        }
        if self.item != item {
            return Err(Error::query(format!(
                "the resume token is for a list of another kind of item ({}), not {item}",
                self.item
            )));
        }
        let link = Url::parse(&self.link)
            .map_err(|_| Error::query("the resume token has no address; start the list again"))?;
        client.check(&link)?;
        for list in &self.following {
            let link = Url::parse(&list.link).map_err(|_| {
                Error::query("the resume token has an invalid address; start the list again")
            })?;
            client.check(&link)?;
        }
        if let Some(fill) = &self.fill {
            fill.check(client)?;
        }
        let mut call = Call::new(operation, link);
        call.advanced = self.advanced;
        Ok(call)
    }
}

impl<E: Send + 'static> Stream for Pages<E> {
    type Item = Result<Page<E>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_page(context)
    }
}

impl<E: Send + 'static> Stream for Items<E> {
    type Item = Result<E, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_item(context)
    }
}

/// Items are handed out by value and never pinned.
impl<E> Unpin for Items<E> {}

impl<E> Unpin for Pages<E> {}

impl<E> fmt::Debug for Pages<E> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field(
                "operation",
                &self.call.as_ref().map(|call| call.operation.name),
            )
            .field("fetched", &self.seen.len())
            .finish_non_exhaustive()
    }
}

impl<E> fmt::Debug for Items<E> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items")
            .field("pages", &self.pages)
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ResumeToken {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResumeToken")
            .field("version", &self.version)
            .field("operation", &self.operation)
            .field("skip", &self.skip)
            .finish_non_exhaustive()
    }
}

const VERSION: u8 = 3;
