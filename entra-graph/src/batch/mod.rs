//! `$batch`: many requests, split at 20 and retried item by item.

mod envelope;
mod plan;
mod run;

use std::{
    fmt,
    marker::PhantomData,
    sync::atomic::{AtomicU64, Ordering},
};

pub(crate) use run::{AT_ONCE, all};

use crate::{
    client::{Call, GraphClient, Reply},
    error::Error,
    request::{IntoRequest, Read, read},
};

/// Any requests, sent together:
/// [`POST /$batch`](https://learn.microsoft.com/graph/json-batching).
///
/// Any number may be added; Graph takes 20 in one request, so they are sent in as many as they need, several
/// at a time. A request that Graph throttles or that fails for the moment is sent again alone, after its own
/// `Retry-After`. One that depends on another is sent after that has succeeded, also across the limit of 20.
///
/// ```
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
/// # support::block_on(async {
/// # let graph = support::graph().await;
/// use entra_graph::User;
/// let mut batch = graph.batch();
/// let adele = batch.add(graph.user("adele@contoso.com").get().select(User::MAIL));
/// let count = batch.add(graph.users().count());
/// let unknown = batch.add(graph.user("unknown@contoso.com").get());
/// let responses = batch.send().await?;
/// assert!(responses.get(adele)?.mail.is_some());
/// assert!(responses.get(count)? > 0);
/// assert!(responses.get(unknown).unwrap_err().is_not_found());
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a batch does nothing until it is sent"]
#[derive(Debug)]
pub struct Batch {
    client: GraphClient,
    id: u64,
    items: Vec<Item>,
}

/// A handle to a request of a batch and its response.
pub struct BatchEntry<T> {
    id: EntryId,
    read: Read<T>,
    marker: PhantomData<fn() -> T>,
}

/// The id of a request of a batch, without its response type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryId {
    batch: u64,
    index: usize,
}

/// The responses of a batch.
#[derive(Debug)]
pub struct Responses {
    client: GraphClient,
    id: u64,
    results: Vec<ItemResult>,
}

struct Item {
    call: Result<Call, Error>,
    /// The requests that must have succeeded, all of them added before.
    after: Vec<usize>,
}

/// The response to a request, or its error.
struct ItemResult {
    call: Option<Call>,
    reply: Result<Reply, Error>,
}

impl GraphClient {
    /// An empty batch.
    #[inline]
    pub fn batch(&self) -> Batch {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Batch {
            client: self.clone(),
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            items: Vec::new(),
        }
    }
}

impl Batch {
    /// Adds a request. All requests of a batch have one version of Graph: one of another version has an error of kind
    /// [`Query`](crate::ErrorKind::Query).
    #[inline]
    pub fn add<R: IntoRequest>(&mut self, request: R) -> BatchEntry<R::Output> {
        self.add_after([], request)
    }

    /// Adds a request that is sent only after others have succeeded; if one of them fails, its response is an
    /// error of kind [`Dependency`](crate::ErrorKind::Dependency).
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient, id: &str) -> Result<(), entra_graph::Error> {
    /// let mut batch = graph.batch();
    /// let group = batch.add(graph.group(id).members().add("8f9c"));
    /// let deleted = batch.add_after([group.id()], graph.group("3a1c").delete());
    /// batch.send().await?.get(deleted)?;
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn add_after<R: IntoRequest>(
        &mut self,
        others: impl IntoIterator<Item = EntryId>,
        request: R,
    ) -> BatchEntry<R::Output> {
        let (client, call, read) = request.into_request().into_parts();
        let mut call = call;
        if !client.is_same(&self.client) {
            call = Err(Error::query(
                "the request was made from another client than the batch, so it may be meant for another user or tenant",
            ));
        }
        let mut after = Vec::new();
        for other in others {
            if other.batch == self.id {
                after.push(other.index);
            } else {
                call = Err(Error::query(
                    "the request depends on one that belongs to another batch",
                ));
            }
        }
        let index = self.items.len();
        self.items.push(Item { call, after });
        BatchEntry {
            id: EntryId {
                batch: self.id,
                index,
            },
            read,
            marker: PhantomData,
        }
    }

    /// How many requests there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are no requests.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Sends them and waits for all responses. What fails for one request is found with its response.
    ///
    /// # Errors
    /// Every kind of [`Error`], if no request could be sent.
    #[inline]
    pub async fn send(self) -> Result<Responses, Error> {
        let (id, client) = (self.id, self.client.clone());
        let results = run::run(self.client, self.items).await?;
        Ok(Responses {
            client,
            id,
            results,
        })
    }
}

impl<T> BatchEntry<T> {
    /// The name of the request in its batch.
    #[must_use]
    pub const fn id(&self) -> EntryId {
        self.id
    }
}

impl Responses {
    /// The response to a request of the batch.
    ///
    /// # Errors
    /// Every kind of [`Error`], as if the request had been sent alone, with its method, path and permissions.
    #[inline]
    pub fn get<T>(&self, entry: BatchEntry<T>) -> Result<T, Error> {
        let result = self
            .results
            .get(entry.id.index)
            .filter(|_| entry.id.batch == self.id)
            .ok_or_else(|| Error::query("the entry belongs to another batch"))?;
        match (&result.reply, &result.call) {
            (Ok(reply), Some(call)) => read(&self.client, call, reply, entry.read),
            (Err(error), _) => Err(error.clone()),
            (Ok(_), None) => Err(Error::query("the request has no response")),
        }
    }
}

impl<T> Clone for BatchEntry<T> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for BatchEntry<T> {}

impl<T> fmt::Debug for BatchEntry<T> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BatchEntry({})", self.id.index)
    }
}

impl fmt::Debug for Item {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.call {
            Ok(call) => write!(f, "{} {}", call.method, call.url.path()),
            Err(error) => write!(f, "{error}"),
        }
    }
}

impl fmt::Debug for ItemResult {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reply {
            Ok(reply) => write!(f, "{}", reply.status),
            Err(error) => write!(f, "{error}"),
        }
    }
}
