//! Delta queries: the changes since a stored state.

use std::{collections::VecDeque, fmt, marker::PhantomData};

use entra_core::{
    http::HeaderValue,
    url::{Url, form_urlencoded},
};
use serde::{Deserialize, Serialize};

use crate::{
    client::{Call, GraphClient, PREFER, Reply},
    error::Error,
    model::{Entity, Json},
    odata::Selection,
    operation::Operation,
    place::{Collection, DeltaAt, Place},
    request::{Target, read},
    stream::{link, page_of},
};

/// A delta query: first all objects, later only the changes.
///
/// ```
/// # async fn example(graph: &entra_graph::GraphClient, stored: Option<entra_graph::DeltaState>) -> Result<(), entra_graph::Error> {
/// use entra_graph::{Change, User};
/// let mut changes = graph.users().delta()
///     .select((User::DISPLAY_NAME, User::ACCOUNT_ENABLED))
///     .since(stored)
///     .changes();
/// while let Some(change) = changes.try_next().await? {
///     match change {
///         Change::Upsert(user) => println!("{} is {:?}", user.object.id, user.object.display_name),
///         Change::Removed { id, .. } => println!("{id} is gone"),
///         Change::Restart => println!("forget what is stored: everything comes again"),
///         _ => {}
///     }
/// }
/// let state = changes.state(); // store it with the changes, and pass it next time
/// # Ok(())
/// # }
/// ```
#[must_use = "a request does nothing until it is sent"]
pub struct Delta<E> {
    target: Target,
    operation: &'static Operation,
    select: Vec<std::borrow::Cow<'static, str>>,
    ids: Option<Vec<String>>,
    latest: bool,
    minimal: bool,
    since: Option<DeltaState>,
    marker: PhantomData<fn() -> E>,
}

/// The state of a delta query, from which the next round begins. Graph accepts it for seven days.
///
/// It is sensitive, because it contains the query; `Debug` does not show the links. Store it as whatever
/// serde writes, in the same transaction as the changes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeltaState {
    version: u8,
    operation: String,
    /// Where the next round begins.
    link: String,
    /// The link of a full round, for when Graph no longer knows the other one.
    start: String,
}

/// One change of a round. The same object may come several times; the last one counts.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Change<E> {
    /// The object is new or was changed.
    Upsert(Changed<E>),
    /// The object was removed. Graph also reports objects that were never reported before.
    Removed {
        /// Its id.
        id: String,
        /// Whether it can be restored.
        reason: RemovedReason,
    },
    /// Graph no longer knows the state or the link to the next page: discard the stored copy; all objects follow again.
    Restart,
}

/// An object that is new or was changed.
///
/// In a later round a property that is `None` did not change, unless it came as null; properties outside of
/// the selection never come.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Changed<E> {
    /// The object.
    pub object: E,
    /// Links to other objects that were added or removed, such as members of a group. A large group comes
    /// several times, each time with other links.
    pub links: Vec<LinkChange>,
}

/// A link to another object that was added or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkChange {
    /// The relationship, such as `members`.
    pub relation: String,
    /// The id of the other object.
    pub id: String,
    /// The other object's type, such as `#microsoft.graph.user`.
    pub odata_type: Option<String>,
    /// Whether the link was removed.
    pub removed: bool,
}

/// Why an object was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemovedReason {
    /// It was deleted and can be restored for 30 days.
    Restorable,
    /// It is deleted for good.
    Deleted,
    /// Another reason, as Graph wrote it.
    Other(String),
}

/// The changes of one round, page after page.
#[must_use = "a stream does nothing until it is polled"]
pub struct Changes<E> {
    client: GraphClient,
    call: Result<Call, Error>,
    start: Option<Url>,
    /// Whether the round began at a stored state.
    resumed: bool,
    /// Whether it began again, as Graph did not know the link.
    restarted: bool,
    buffer: VecDeque<Change<E>>,
    seen: std::collections::HashSet<Url>,
    /// How many changes the pages held so far.
    delivered: usize,
    end: Option<Url>,
    done: bool,
}

/// A page of a round.
pub(crate) struct Round<E> {
    pub(crate) changes: Vec<Change<E>>,
    pub(crate) next: Option<Url>,
    pub(crate) end: Option<Url>,
}

impl<P: Place, E: Entity> Collection<P, E> {
    /// A request for everything here, and later for what changed. Needs the permissions that reading takes.
    pub fn delta(&self) -> Delta<P::Item>
    where
        P: DeltaAt,
    {
        Delta {
            target: self.target().clone().join(&["delta"]),
            operation: P::DELTA,
            select: Vec::new(),
            ids: None,
            latest: false,
            minimal: false,
            since: None,
            marker: PhantomData,
        }
    }
}

impl<E: Entity> Delta<E> {
    /// Only these properties, and only changes of these. A relationship such as `Group::MEMBERS` is selected
    /// by [`select_relation`](Self::select_relation).
    pub fn select(mut self, properties: impl Selection<E>) -> Self {
        properties.add_to(&mut self.select);
        self
    }

    /// Also changes of a relationship, such as `members` of groups or `manager` of users. Hidden memberships are left out
    /// silently without `Member.Read.Hidden`.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "reads as `select_relation(Group::MEMBERS)`"
    )]
    pub fn select_relation(mut self, relation: crate::odata::NavigationProperty<E>) -> Self {
        self.select.push(relation.name().into());
        self
    }

    /// Only these objects, at most 50; none is an error, since it would mean all.
    pub fn ids<I>(mut self, ids: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let known = self.ids.get_or_insert_default();
        known.extend(ids.into_iter().map(Into::into));
        self
    }

    /// Skips the present objects and returns only changes from now on. After a [`Change::Restart`] all objects come.
    pub const fn from_now(mut self) -> Self {
        self.latest = true;
        self
    }

    /// Returns only the changed properties in later rounds, not all selected ones.
    pub const fn minimal(mut self) -> Self {
        self.minimal = true;
        self
    }

    /// Returns the changes since this state; without one, all objects. The selection of the first round applies.
    pub fn since(mut self, state: impl Into<Option<DeltaState>>) -> Self {
        self.since = state.into();
        self
    }

    /// The changes of one round.
    pub fn changes(self) -> Changes<E> {
        let client = self.target.client.clone();
        let call = self
            .start(self.latest)
            .and_then(|start| self.call(&client, start));
        // A restart brings all objects, also where the first round skipped them.
        let start = match &self.since {
            Some(state) => Url::parse(&state.start).ok(),
            None => self.start(false).ok(),
        };
        Changes {
            client,
            call,
            start,
            resumed: self.since.is_some(),
            restarted: false,
            buffer: VecDeque::new(),
            seen: std::collections::HashSet::new(),
            delivered: 0,
            end: None,
            done: false,
        }
    }

    /// The address of the first page of a full round, and its operation.
    #[cfg(feature = "sync")]
    pub(crate) fn start_of_full_round(&self) -> (Result<Url, Error>, &'static Operation) {
        (self.start(false), self.operation)
    }

    fn start(&self, latest: bool) -> Result<Url, Error> {
        match self.ids.as_deref() {
            Some([]) => {
                return Err(Error::query(
                    "the list of ids is empty; do not send the query",
                ));
            }
            Some(ids) if ids.len() > MOST_IDS => {
                return Err(Error::query(format!(
                    "a delta query of {} objects, and Graph takes {MOST_IDS}; use several queries",
                    ids.len()
                )));
            }
            _ => {}
        }
        let mut url = self.target.url()?;
        let mut query = form_urlencoded::Serializer::new(String::new());
        let mut any = false;
        if !self.select.is_empty() {
            query.append_pair("$select", &self.select.join(","));
            any = true;
        }
        if let Some(ids) = &self.ids {
            let ids: Vec<String> = ids
                .iter()
                .map(|id| format!("id eq '{}'", id.replace('\'', "''")))
                .collect();
            query.append_pair("$filter", &ids.join(" or "));
            any = true;
        }
        if latest {
            query.append_pair("$deltatoken", "latest");
            any = true;
        }
        // Graph reads a plus sign in a query as itself.
        let query = query.finish().replace('+', "%20");
        url.set_query(any.then_some(&*query));
        Ok(url)
    }

    fn call(&self, client: &GraphClient, start: Url) -> Result<Call, Error> {
        let url = match &self.since {
            None => start,
            Some(state) => state.link(client, self.operation)?,
        };
        let mut call = Call::new(self.operation, url);
        if self.minimal {
            call.headers.push((PREFER, MINIMAL));
        }
        Ok(call)
    }
}

impl DeltaState {
    /// Where to begin, if the state is of this query and leads to this client's host.
    #[inline]
    fn link(&self, client: &GraphClient, operation: &Operation) -> Result<Url, Error> {
        if self.version != VERSION {
            return Err(Error::query(format!(
                "the delta state has version {}, and this crate reads {VERSION}; begin again without it",
                self.version
            )));
        }
        if self.operation != operation.name {
            return Err(Error::query(format!(
                "the delta state is of {}, not of {}",
                self.operation, operation.name
            )));
        }
        let url = |text: &str| {
            let url = Url::parse(text).map_err(|_| {
                Error::query("the delta state has no address; begin again without it")
            })?;
            client.check(&url)?;
            Ok::<_, Error>(url)
        };
        url(&self.start)?;
        url(&self.link)
    }
}

impl<E: Entity> Changes<E> {
    /// The next change, `None` at the end of the round.
    ///
    /// Dropping the future loses nothing but the page that was being fetched, which is fetched again.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    pub async fn next(&mut self) -> Option<Result<Change<E>, Error>> {
        self.try_next().await.transpose()
    }

    /// The next change, `None` at the end of the round. After an error the same page is tried again, unless Graph no
    /// longer knows its link, also after a restart: then each further call returns that error.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    pub async fn try_next(&mut self) -> Result<Option<Change<E>>, Error> {
        loop {
            if let Some(change) = self.buffer.pop_front() {
                return Ok(Some(change));
            }
            if self.done {
                return Ok(None);
            }
            self.fetch()
                .await
                .map_err(|error| error.with_list_progress(self.seen.len() + 1, self.delivered))?;
        }
    }

    /// All changes of the round that are left, and the state for the next one.
    ///
    /// # Errors
    /// Every kind of [`Error`]; what was collected so far is then lost.
    pub async fn try_collect(mut self) -> Result<(Vec<Change<E>>, DeltaState), Error> {
        let mut changes = Vec::new();
        while let Some(change) = self.try_next().await? {
            changes.push(change);
        }
        match self.state() {
            Some(state) => Ok((changes, state)),
            None => Err(Error::decode("the round has no end", "no delta link came")),
        }
    }

    /// Where the next round begins; `None` before the end of this one.
    #[must_use]
    pub fn state(&self) -> Option<DeltaState> {
        if !self.buffer.is_empty() {
            return None;
        }
        let operation = self.call.as_ref().ok()?.operation;
        Some(DeltaState {
            version: VERSION,
            operation: operation.name.to_owned(),
            link: self.end.as_ref()?.to_string(),
            start: self.start.as_ref()?.to_string(),
        })
    }

    async fn fetch(&mut self) -> Result<(), Error> {
        let call = self.call.as_ref().map_err(Clone::clone)?;
        if self.seen.contains(&call.url) {
            return Err(self.client.with_call(Error::page_loop(), call));
        }
        let round = match self.client.execute(call).await {
            Ok(reply) => read(&self.client, call, &reply, Round::<E>::read)?,
            Err(error) if error.is_resync_required() || error.is_expired_page() => {
                return self.begin_again(error);
            }
            Err(error) => return Err(error),
        };
        self.seen.insert(call.url.clone());
        self.delivered += round.changes.len();
        self.buffer.extend(round.changes);
        match (round.next, round.end, &mut self.call) {
            (Some(next), _, Ok(call)) => call.url = next,
            (None, end, _) => {
                self.end = end;
                self.done = true;
            }
            (Some(_), _, Err(_)) => {}
        }
        Ok(())
    }

    /// Restarts with a full round, once: Graph no longer knows the link. The next such error ends the changes, as the
    /// same link fails for ever.
    fn begin_again(&mut self, error: Error) -> Result<(), Error> {
        let may_restart = !self.restarted && (self.resumed || !self.seen.is_empty());
        match (&mut self.call, &self.start) {
            (Ok(call), Some(start)) if may_restart => call.url = start.clone(),
            (call, _) => {
                *call = Err(error.clone());
                return Err(error);
            }
        }
        self.restarted = true;
        self.seen.clear();
        self.delivered = 0;
        self.buffer.push_back(Change::Restart);
        Ok(())
    }
}

impl<E: Entity> Round<E> {
    pub(crate) fn read(client: &GraphClient, reply: &Reply) -> Result<Self, Error> {
        let mut body = E::read_page(&reply.body)?;
        let end = link(client, body.delta.take().as_deref())?;
        let page = page_of(client, body)?;
        if page.next.is_none() && end.is_none() {
            return Err(Error::decode(
                "a page of a delta query has no next link and no delta link",
                "neither @odata.nextLink nor @odata.deltaLink",
            ));
        }
        let changes: Result<Vec<Change<E>>, Error> = page.items.into_iter().map(change).collect();
        Ok(Self {
            changes: changes?,
            next: page.next,
            end,
        })
    }
}

fn change<E: Entity>(mut object: E) -> Result<Change<E>, Error> {
    if object.object_id().is_empty() {
        return Err(Error::decode(
            "a row of a delta query has no id",
            "`id` is missing or null",
        ));
    }
    let removed = object.additional_mut().take("@removed");
    let removed: Option<Option<Removed>> = removed.map(|json| json.decode()).transpose()?;
    if let Some(removed) = removed.flatten() {
        return Ok(Change::Removed {
            id: object.object_id().to_owned(),
            reason: match removed.reason.as_deref() {
                Some("changed") => RemovedReason::Restorable,
                Some("deleted") | None => RemovedReason::Deleted,
                Some(other) => RemovedReason::Other(other.to_owned()),
            },
        });
    }
    let mut links = Vec::new();
    for (relation, json) in object.additional_mut().take_suffixed("@delta") {
        links.extend(link_changes(&relation, &json)?);
    }
    Ok(Change::Upsert(Changed { object, links }))
}

#[inline]
fn link_changes(relation: &str, json: &Json) -> Result<Vec<LinkChange>, Error> {
    // Without links the property is absent; null says the same.
    let rows: Option<Vec<LinkRow>> = json.decode()?;
    Ok(rows
        .into_iter()
        .flatten()
        .map(|row| LinkChange {
            relation: relation.to_owned(),
            id: row.id,
            odata_type: row.odata_type,
            removed: row.removed.is_some(),
        })
        .collect())
}

#[derive(Deserialize)]
struct Removed {
    reason: Option<String>,
}

#[derive(Deserialize)]
struct LinkRow {
    id: String,
    #[serde(rename = "@odata.type")]
    odata_type: Option<String>,
    #[serde(rename = "@removed")]
    removed: Option<Removed>,
}

impl<E> Clone for Delta<E> {
    fn clone(&self) -> Self {
        Self {
            target: self.target.clone(),
            select: self.select.clone(),
            ids: self.ids.clone(),
            since: self.since.clone(),
            ..*self
        }
    }
}

impl<E> fmt::Debug for Delta<E> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delta")
            .field("operation", &self.operation.name)
            .finish_non_exhaustive()
    }
}

impl<E> fmt::Debug for Changes<E> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes")
            .field("pages", &self.seen.len())
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DeltaState {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeltaState")
            .field("version", &self.version)
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}

const VERSION: u8 = 1;
const MOST_IDS: usize = 50;
const MINIMAL: HeaderValue = HeaderValue::from_static("return=minimal");
