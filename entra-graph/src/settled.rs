//! Reads after a write of our own, until the replicas agree.

use std::{fmt, time::Duration};

use entra_core::{Guid, Idempotency, parse_rfc3339, url::Url};
use serde_json::Value;

use crate::{
    client::{Call, GraphClient, Reply},
    error::{Error, ErrorKind},
    lag::{Lag, Rejection, judge},
    model::{Entity, without_bom},
    request::{IntoRequest, Request, read},
    stream::Page,
    verbs::{Create, FoundBy, Get, List, Update},
};

/// A read that is repeated until it shows a write of this program: several times in a row, as replicas
/// of the directory see a write at different times and one good read can be followed by an old one.
///
/// Without [`until`](Self::until) the reads must succeed and be equal. A 404 within the time in which Graph is
/// known to lag counts as not yet.
///
/// ```
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
/// # support::block_on(async {
/// # let graph = support::writer().await;
/// use entra_graph::{NewGroup, User};
/// let adele = graph.user("adele@contoso.com");
/// adele.update().set(User::JOB_TITLE, "Lead").send().await?;
/// let lead = |user: &User| user.job_title.as_deref() == Some("Lead");
/// adele.get().select(User::JOB_TITLE).settled().until(lead).send().await?;
///
/// let group = graph.groups().create(NewGroup::security("Buyers", "buyers")).settled().await?;
/// graph.group(&group.id).delete().send().await?;
/// graph.group(&group.id).get().settled().gone().await?;
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing is read until `send` or `gone`"]
pub struct Settled<T> {
    request: Request<T>,
    shows: Option<Shows<T>>,
    limits: Limits,
}

/// Whether a response shows the write.
type Shows<T> = Box<dyn Fn(&T) -> bool + Send>;

/// How many reads must agree, how far apart they are, and for how long to try.
#[derive(Clone, Copy, Debug)]
struct Limits {
    reads: u32,
    interval: Duration,
    budget: Duration,
}

/// What a read shows.
enum Seen {
    /// The write, as in the read before.
    Agrees(Reply),
    /// The write, and something else than the read before.
    Differs(Reply),
    /// Not the write; the error, if that is how it shows.
    NotYet(Option<Error>),
}

impl<T: Send + 'static> Settled<T> {
    const fn new(request: Request<T>) -> Self {
        Self {
            request,
            shows: None,
            limits: DEFAULT,
        }
    }

    /// What the response shows once the write has arrived.
    #[inline]
    pub fn until(mut self, shows: impl Fn(&T) -> bool + Send + 'static) -> Self {
        self.shows = Some(Box::new(shows));
        self
    }

    /// The number of reads in a row that must agree, 5 unless set.
    pub const fn reads(mut self, reads: u32) -> Self {
        self.limits.reads = reads;
        self
    }

    /// The time between two good reads, 1 second unless set.
    pub const fn interval(mut self, interval: Duration) -> Self {
        self.limits.interval = interval;
        self
    }

    /// The longest time for all reads, 2 minutes unless set.
    pub const fn budget(mut self, budget: Duration) -> Self {
        self.limits.budget = budget;
        self
    }

    /// Reads until the write shows, and returns the last response.
    ///
    /// # Errors
    /// [`ErrorKind::NotSettled`](crate::ErrorKind::NotSettled) when the time is up, with the last error as its source;
    /// [`ErrorKind::Query`](crate::ErrorKind::Query) for a request that does not only read; every other error that lag
    /// does not explain.
    #[inline]
    pub async fn send(self) -> Result<T, Error> {
        let Self {
            request,
            shows,
            limits,
        } = self;
        let (client, call, how) = request.into_parts();
        let call = only_reads(call?)?;
        let mut before: Option<Value> = None;
        let (reader, sent) = (&client, &call);
        let check = move |reply: Reply| match &shows {
            Some(shows) => {
                let value = read(reader, sent, &reply, how)?;
                Ok(if shows(&value) {
                    Seen::Agrees(reply)
                } else {
                    Seen::NotYet(None)
                })
            }
            None => {
                let now = comparable(&reply);
                let same = before.as_ref() == Some(&now);
                before = Some(now);
                Ok(if same {
                    Seen::Agrees(reply)
                } else {
                    Seen::Differs(reply)
                })
            }
        };
        let reply = agreement(&client, &call, limits, present(check)).await?;
        read(&client, &call, &reply, how)
    }

    /// Reads until the object is gone: until several reads in a row say that there is no such object.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    #[inline]
    pub async fn gone(self) -> Result<(), Error> {
        let (client, call, _) = self.request.into_parts();
        let call = only_reads(call?)?;
        let check = |outcome: Result<Reply, Error>| match outcome {
            Ok(_) => Ok(Seen::NotYet(None)),
            Err(error) if error.is_not_found() => Ok(Seen::Agrees(Reply::nothing())),
            Err(error) => Err(error),
        };
        agreement(&client, &call, self.limits, check).await?;
        Ok(())
    }
}

impl<T: Send + 'static> Request<T> {
    /// Reads again and again until a write of this program shows; see [`Settled`].
    pub const fn settled(self) -> Settled<T> {
        Settled::new(self)
    }

    /// Sends the request right after a write of this program that it depends on: again while the error is only
    /// that a replica has not seen the write ([`Error::is_lag`]), for as long as `budget`.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::writer().await;
    /// use std::time::Duration;
    /// use entra_graph::NewGroup;
    /// let group = graph.groups().create(NewGroup::security("Buyers", "buyers")).send().await?;
    /// let add = graph.group(&group.id).members().add(&graph.user("adele@contoso.com").get().send().await?.id);
    /// add.send_after_write(Duration::from_secs(60)).await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// A delete whose response was lost finds nothing afterwards, which lag looks like too: it succeeds only if the budget is longer
    /// than the time in which that can be lag, two minutes.
    ///
    /// # Errors
    /// Every kind of [`Error`]; the last one when the time is up.
    #[inline]
    pub async fn send_after_write(self, budget: Duration) -> Result<T, Error> {
        let (client, call, how) = self.into_parts();
        let mut call = call?;
        call.judges_lag = true;
        let clock = client.pipeline().clock();
        let started = clock.monotonic();
        let (mut misses, mut unsure) = (0, false);
        let mut earlier: Option<Error> = None;
        loop {
            let left = budget.saturating_sub(clock.elapsed(started));
            call.budget = Some(left);
            let error = match client.execute(&call).await {
                Ok(reply) => return read(&client, &call, &reply, how),
                // Not sent for lack of time: the last response says why there was no success until then.
                Err(error) if error.kind() == ErrorKind::Throttled => {
                    return Err(earlier.unwrap_or(error));
                }
                Err(error) => error,
            };
            unsure |= error.is_unsure();
            let age = clock.elapsed(started);
            let left = budget.saturating_sub(age);
            let is_lag = error.is_lag(age);
            if unsure && !is_lag && call.was_done(&error) {
                return read(&client, &call, &Reply::nothing(), how);
            }
            if left.is_zero() || !is_lag {
                return Err(error);
            }
            earlier = Some(error);
            client.sleep(pause(misses).min(left)).await;
            misses += 1;
        }
    }
}

impl<E: Entity> Get<E> {
    /// Reads again and again until a write of this program shows; see [`Settled`].
    #[inline]
    pub fn settled(self) -> Settled<E> {
        Settled::new(self.into_request())
    }
}

impl<E: Entity> List<E> {
    /// Reads the first page again and again until a write of this program shows; see [`Settled`].
    #[inline]
    pub fn settled(self) -> Settled<Page<E>> {
        Settled::new(self.into_request())
    }
}

impl<E: Entity> Create<E> {
    /// Creates the object and waits until reads find it several times in a row, up to 2 minutes: by its id, or in the list of
    /// its collection where Graph has no read by id, as for app role assignments.
    ///
    /// # Errors
    /// As [`send`](Self::send). [`ErrorKind::NotSettled`](crate::ErrorKind::NotSettled) when the object was created,
    /// and reads do not agree on it yet or fail, for example for lack of a permission to read: do not create it again,
    /// [`created_id`](Error::created_id) is its id, and [`status`](Error::status) and [`retry_after`](Error::retry_after) are those of
    /// the read.
    /// [`ErrorKind::Query`](crate::ErrorKind::Query), before anything is sent, for an invitation, which Graph does not return
    /// again.
    #[inline]
    pub async fn settled(self) -> Result<E, Error> {
        let found_by = self.found_by();
        if let FoundBy::Nothing(instead) = found_by {
            return Err(Error::query(format!(
                "Graph does not return such an object again, so nothing can be waited for: {instead}"
            )));
        }
        let (list, operation) = (self.list(), self.read_operation());
        let (client, call, how) = self.into_request().into_parts();
        let call = call?;
        let reply = client.execute(&call).await?;
        let created = read(&client, &call, &reply, how)?;
        // Without an id nothing can be looked for.
        let Some(id) = id_of(&reply) else {
            return Ok(created);
        };
        let unread = |error: Error| Error::unread(error).with_created(&id);
        match found_by {
            FoundBy::List(narrow) => {
                let (_, found, _) = narrow(list, &created).into_request().into_parts();
                let found = found.map_err(unread)?;
                let check = |reply: Reply| {
                    Ok(if lists(&reply, &id) {
                        Seen::Agrees(reply)
                    } else {
                        Seen::NotYet(None)
                    })
                };
                let seen = agreement(&client, &found, DEFAULT, present(check)).await;
                seen.map_err(unread)?;
            }
            _ => {
                if let Some(url) = lookup(&call, &id, E::INFO.selects_of_one()) {
                    let found = Call::new(operation, url);
                    let check = present(|reply| Ok(Seen::Agrees(reply)));
                    let seen = agreement(&client, &found, DEFAULT, check).await;
                    seen.map_err(unread)?;
                }
            }
        }
        Ok(created)
    }
}

impl<E: Entity> Update<E> {
    /// Changes the object and waits until reads show the new values several times in a row, up to 2 minutes.
    ///
    /// Values that Graph does not return, such as a password, are not waited for. An update that changes the key
    /// which the request names the object by, such as the user principal name, needs the object id as its key.
    ///
    /// # Errors
    /// As [`send`](Self::send). [`ErrorKind::NotSettled`](crate::ErrorKind::NotSettled) when the change was made,
    /// and reads do not agree on it yet or fail, for example for lack of a permission to read.
    #[inline]
    pub async fn settled(self) -> Result<(), Error> {
        let (written, operation) = (self.readable(), self.read_operation());
        let (client, call, how) = self.into_request().into_parts();
        let call = call?;
        let reply = client.execute(&call).await?;
        read(&client, &call, &reply, how)?;
        let mut found = Call::new(operation, call.url);
        if E::INFO.selects_of_one() {
            let mut names = vec!["id"];
            names.extend(written.iter().map(|(name, _)| name.as_str()));
            let select = format!("$select={}", names.join(","));
            found.url.set_query(Some(&select));
        }
        let check = |reply: Reply| {
            let now = comparable(&reply);
            let shows = written
                .iter()
                .all(|(name, value)| reflects(value, member(&now, name)));
            Ok(if shows {
                Seen::Agrees(reply)
            } else {
                Seen::NotYet(None)
            })
        };
        let seen = agreement(&client, &found, DEFAULT, present(check)).await;
        seen.map_err(Error::unread)?;
        Ok(())
    }
}

impl<T> fmt::Debug for Settled<T> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settled")
            .field("request", &self.request)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Reads until enough reads in a row agree.
#[inline]
async fn agreement(
    client: &GraphClient,
    call: &Call,
    limits: Limits,
    mut check: impl FnMut(Result<Reply, Error>) -> Result<Seen, Error> + Send,
) -> Result<Reply, Error> {
    let clock = client.pipeline().clock();
    let started = clock.monotonic();
    let mut call = call.clone();
    let (mut agreed, mut misses) = (0, 0);
    let mut earlier: Option<Error> = None;
    loop {
        call.budget = Some(limits.budget.saturating_sub(clock.elapsed(started)));
        let outcome = client.execute(&call).await;
        let elapsed = clock.elapsed(started);
        // Not sent, since a limit is closed for longer than the time that is left: the read before was the last.
        if let Err(error) = &outcome
            && error.kind() == ErrorKind::Throttled
            && earlier.is_some()
        {
            let error = Error::not_settled(agreed, limits.reads, elapsed, earlier);
            return Err(client.with_call(error, &call));
        }
        let lag = match &outcome {
            Err(error) => {
                let rejection = Rejection::of(error, Some(elapsed));
                rejection.is_some_and(|rejection| judge(&rejection) == Lag::Wait)
            }
            Ok(_) => false,
        };
        let seen = match check(outcome) {
            Err(error) if lag => Seen::NotYet(Some(error)),
            seen => seen?,
        };
        let (reply, error) = match seen {
            Seen::Agrees(reply) => {
                agreed += 1;
                (Some(reply), None)
            }
            Seen::Differs(reply) => {
                agreed = 1;
                (Some(reply), None)
            }
            Seen::NotYet(error) => {
                agreed = 0;
                (None, error)
            }
        };
        let wait = match reply {
            Some(reply) if agreed >= limits.reads => return Ok(reply),
            Some(_) => {
                misses = 0;
                limits.interval
            }
            None => {
                misses += 1;
                pause(misses - 1)
            }
        };
        let left = limits.budget.saturating_sub(elapsed);
        if left.is_zero() {
            let error = Error::not_settled(agreed, limits.reads, elapsed, error);
            return Err(client.with_call(error, &call));
        }
        earlier = error;
        client.sleep(wait.min(left)).await;
    }
}

/// Checks successful reads; errors stay errors.
#[inline]
fn present(
    mut check: impl FnMut(Reply) -> Result<Seen, Error> + Send,
) -> impl FnMut(Result<Reply, Error>) -> Result<Seen, Error> + Send {
    move |outcome| check(outcome?)
}

#[inline]
fn only_reads(call: Call) -> Result<Call, Error> {
    if call.idempotency == Idempotency::Safe {
        return Ok(call);
    }
    Err(Error::query(
        "only a request that reads can be repeated until reads agree: send the write, then read with `settled`",
    ))
}

/// The id of what a create returned.
#[inline]
fn id_of(reply: &Reply) -> Option<String> {
    let created = comparable(reply);
    let id = created.get("id")?.as_str()?;
    (!id.is_empty()).then(|| id.to_owned())
}

/// Whether a page of a list has the object with this id.
#[inline]
fn lists(reply: &Reply, id: &str) -> bool {
    let page = comparable(reply);
    let rows = page.get("value").and_then(Value::as_array);
    let mut ids = rows.into_iter().flatten().filter_map(|row| row.get("id"));
    ids.any(|known| known == id)
}

/// The address of what a create returned, by its id.
#[inline]
fn lookup(create: &Call, id: &str, select: bool) -> Option<Url> {
    let mut url = create.url.clone();
    url.path_segments_mut().ok()?.push(id);
    url.set_query(select.then_some("$select=id"));
    Some(url)
}

/// The JSON of a response without what differs from one read to the next.
#[inline]
fn comparable(reply: &Reply) -> Value {
    let mut value = serde_json::from_slice(without_bom(&reply.body)).unwrap_or_else(|_| {
        // A text, such as a number of items.
        Value::String(String::from_utf8_lossy(&reply.body).into_owned())
    });
    if let Value::Object(members) = &mut value {
        members.remove("@odata.nextLink");
        members.remove("@odata.context");
    }
    value
}

/// Whether a value that was read is the one that was written. Graph orders lists as it likes, adds members and
/// writes times and GUIDs in its own form.
#[inline]
fn reflects(written: &Value, read: Option<&Value>) -> bool {
    let empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    let read = read.unwrap_or(&Value::Null);
    match (written, read) {
        _ if empty(written) => empty(read),
        (Value::Array(written), Value::Array(read)) => {
            written.len() == read.len()
                && written
                    .iter()
                    .all(|one| read.iter().any(|other| reflects(one, Some(other))))
        }
        // An object whose members were all cleared can be null, or absent.
        (Value::Object(written), Value::Object(_) | Value::Null) => written
            .iter()
            // A response has annotations of its own: another name of the type, or none.
            .filter(|(name, _)| !is_unreadable(name) && !name.contains('@'))
            .all(|(name, value)| reflects(value, member(read, name))),
        (Value::String(written), Value::String(read)) => {
            written == read
                || parse_rfc3339(written).is_some_and(|at| parse_rfc3339(read) == Some(at))
                || written
                    .parse::<Guid>()
                    .is_ok_and(|id| read.parse() == Ok(id))
        }
        _ => written == read,
    }
}

/// The member of an object with this name, in any case: Graph returns its own spelling.
#[inline]
fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let name = name.to_lowercase();
    let mut members = object.as_object()?.iter();
    let found = members.find(|(known, _)| known.to_lowercase() == name);
    found.map(|(_, value)| value)
}

/// Whether Graph takes this member and returns it as null.
#[inline]
fn is_unreadable(name: &str) -> bool {
    UNREADABLE
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

/// The wait after a number of misses in a row: 1, 2, then 4 seconds.
#[inline]
pub(crate) fn pause(misses: u32) -> Duration {
    Duration::from_secs(1 << misses.min(2))
}

impl<E: Entity> Update<E> {
    /// What the update sets and Graph returns.
    #[inline]
    fn readable(&self) -> Vec<(String, Value)> {
        self.values()
            .filter(|(name, _)| !name.contains('@') && !is_unreadable(name))
            .filter_map(|(name, json)| Some((name.to_owned(), serde_json::from_slice(json).ok()?)))
            .collect()
    }
}

/// Members that Graph takes and returns as null.
const UNREADABLE: [&str; 4] = ["passwordProfile", "password", "secretText", "key"];

const DEFAULT: Limits = Limits {
    reads: 5,
    interval: Duration::from_secs(1),
    budget: Duration::from_secs(120),
};

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_read_value_reflects_a_written_one_in_graphs_own_form() {
        let cases = [
            (json!("Lead"), json!("Lead"), true),
            (json!("Lead"), json!("lead"), false),
            (json!("Lead"), json!(null), false),
            (json!(null), json!(null), true),
            (json!(null), json!("Lead"), false),
            (json!([]), json!(null), true),
            (json!([]), json!(["a"]), false),
            (json!(["a", "b"]), json!(["b", "a"]), true),
            (json!(["a"]), json!(["a", "b"]), false),
            (json!({"a": 1}), json!({"a": 1, "b": 2}), true),
            (json!({"a": 1}), json!({"a": 2}), false),
            (json!({"a": {"b": null}}), json!({"c": 1}), true),
            (json!({"a": {"b": null}}), json!(null), true),
            (json!({"a": {"b": 1}}), json!(null), false),
            (json!({"a": 1, "password": "p"}), json!({"a": 1}), true),
            (json!({"A": 1, "Password": "p"}), json!({"a": 1}), true),
            (
                json!("2026-01-01T00:00:00Z"),
                json!("2026-01-01T00:00:00.0000000Z"),
                true,
            ),
            (
                json!("2026-01-01T00:00:00Z"),
                json!("2026-01-02T00:00:00Z"),
                false,
            ),
            (
                json!({"id": "A1B2C3D4-0000-4000-8000-00000000ABCD"}),
                json!({"id": "a1b2c3d4-0000-4000-8000-00000000abcd"}),
                true,
            ),
            (
                json!("A1B2C3D4-0000-4000-8000-00000000ABCD"),
                json!("a1b2c3d4-0000-4000-8000-00000000abce"),
                false,
            ),
            (
                json!({"@odata.type": "#a.B", "x@odata.type": "#Int32", "x": 1}),
                json!({"@odata.type": "#c.d", "x": 1}),
                true,
            ),
            (json!(true), json!(true), true),
            (json!(true), json!("true"), false),
        ];
        for (written, read, expected) in cases {
            assert_eq!(
                reflects(&written, Some(&read)),
                expected,
                "{written} {read}"
            );
        }
        assert!(reflects(&json!(null), None));
        assert!(!reflects(&json!(1), None));
    }

    #[test]
    fn pauses_grow_to_four_seconds() {
        let seconds: Vec<u64> = (0..5).map(|misses| pause(misses).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 4, 4]);
    }
}
