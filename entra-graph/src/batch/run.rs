//! Sends a batch in rounds, until every request has its response.

use std::{
    collections::HashMap,
    future::poll_fn,
    task::Poll,
    time::{Duration, Instant},
};

use entra_core::{
    Attempt, AttemptOutcome, BoxFuture, Decision, Idempotency, StopReason,
    bytes::Bytes,
    http::{HeaderMap, Method, StatusCode},
    url::Url,
};

use super::{Item, ItemResult, envelope, plan};
use crate::{
    client::{Call, GraphClient, Reply, classify},
    error::{Error, ErrorKind},
    governor::Cost,
    operation::{Operation, Returns, Version},
};

static BATCH: Operation = Operation {
    name: "batch",
    method: Method::POST,
    path: "/$batch",
    version: Version::V1,
    idempotency: Idempotency::NonIdempotent,
    returns: Returns::Value,
    delegated: &[],
    application: &[],
    additional: &[],
    properties: &[],
};

/// A request without a response yet.
struct Pending {
    call: Call,
    after: Vec<usize>,
    tries: u32,
    counted: u32,
    /// Whether an earlier attempt may have been processed.
    unsure: bool,
    /// When it may be sent, on the time since the batch began.
    ready_at: Duration,
    /// The waits before its attempts so far, of which the time budget is made. The time of the whole batch does
    /// not count.
    waited: Duration,
    /// When it was first sent, on the same time.
    first_sent: Option<Duration>,
    /// Whether its token was rejected before.
    challenged: bool,
    /// How often it was held back with others for a limit that it turned out not to wait for.
    held_back: u32,
    /// The last response, after which it was to be sent again.
    last: Option<Reply>,
}

struct Run {
    client: GraphClient,
    /// The address below the version, which all requests share.
    root: Url,
    started: Instant,
    pending: HashMap<usize, Pending>,
    results: Vec<Option<ItemResult>>,
    /// Why a request of `$batch` failed as a whole, while none has succeeded.
    failure: Option<Error>,
    responded: bool,
    /// The headers of a response that rejected the token, until there is a new one.
    rejected_token: Option<HeaderMap>,
}

#[inline]
pub(super) async fn run(client: GraphClient, items: Vec<Item>) -> Result<Vec<ItemResult>, Error> {
    let mut run = Run::new(client, items);
    while !run.pending.is_empty() {
        let all_pending: Vec<usize> = run.pending.keys().copied().collect();
        run.fail_closed(&all_pending);
        run.fail_dependents();
        let ready = run.ready();
        if ready.is_empty() {
            run.wait().await;
            continue;
        }
        if let Some(headers) = run.rejected_token.take() {
            run.client.replace_token(&headers).await;
        }
        for some in run.chunks(&ready).chunks(AT_ONCE) {
            let some = run.still_open(some);
            let sent: Vec<_> = some.iter().map(|chunk| run.post(chunk)).collect();
            for (chunk, outcome) in some.iter().zip(all(sent).await) {
                run.accept_chunk(chunk, outcome);
            }
        }
        run.fail_dependents();
    }
    match run.failure {
        Some(failure) if !run.responded => Err(failure),
        _ => Ok(run.results.into_iter().flatten().collect()),
    }
}

impl Run {
    #[inline]
    fn new(client: GraphClient, items: Vec<Item>) -> Self {
        let root = items
            .iter()
            .find_map(|item| item.call.as_ref().ok())
            .and_then(|call| client.version_root(&call.url))
            .unwrap_or_else(|| client.base().clone());
        let started = client.pipeline().clock().monotonic();
        let mut run = Self {
            root,
            started,
            pending: HashMap::new(),
            results: items.iter().map(|_| None).collect(),
            client,
            failure: None,
            responded: false,
            rejected_token: None,
        };
        for (index, item) in items.into_iter().enumerate() {
            match item.call {
                Ok(call) if !call.url.as_str().starts_with(run.root.as_str()) => {
                    let error =
                        Error::query("all requests of a batch must use the same Graph version");
                    run.finish(index, None, Err(error));
                }
                Ok(call) => {
                    let pending = Pending {
                        call,
                        after: item.after,
                        tries: 0,
                        counted: 0,
                        unsure: false,
                        ready_at: Duration::ZERO,
                        waited: Duration::ZERO,
                        first_sent: None,
                        challenged: false,
                        held_back: 0,
                        last: None,
                    };
                    run.pending.insert(index, pending);
                    if let Some(Err(error)) = run
                        .pending
                        .get(&index)
                        .map(|pending| envelope::check(&pending.call))
                    {
                        run.fail(index, &error);
                    }
                }
                Err(error) => run.finish(index, None, Err(error)),
            }
        }
        run
    }

    /// Fails those of these requests whose limit is closed beyond their time budget, and returns whether there are any: the
    /// rest of the batch does not wait for them.
    #[inline]
    fn fail_closed(&mut self, indexes: &[usize]) -> bool {
        let budget = self.client.pipeline().policy().budget;
        let closed = |index: &usize| {
            let pending = self.pending.get(index)?;
            let pacer = self.client.paced(&pending.call)?;
            Some((*index, pacer.closed_beyond(budget)?))
        };
        let closed: Vec<(usize, Duration)> = indexes.iter().filter_map(closed).collect();
        for (index, wait) in &closed {
            self.fail(*index, &Error::limit_closed(*wait, budget));
        }
        !closed.is_empty()
    }

    /// What of these chunks can still be sent: a limit may have closed while the chunks before them were on their way.
    #[inline]
    fn still_open(&mut self, chunks: &[Vec<usize>]) -> Vec<Vec<usize>> {
        if self.fail_closed(&chunks.concat()) {
            self.fail_dependents();
        }
        let mut open = Vec::new();
        for chunk in chunks {
            let mut chunk = chunk.clone();
            chunk.retain(|index| self.pending.contains_key(index));
            if !chunk.is_empty() {
                open.push(chunk);
            }
        }
        open
    }

    /// Fails those of a chunk that was not sent whose limit is closed, and returns whether the others can go again.
    ///
    /// Each time it fails a request or counts for all of them, so a batch ends.
    #[inline]
    fn can_go_again(&mut self, chunk: &[usize]) -> bool {
        for index in chunk {
            if let Some(pending) = self.pending.get_mut(index)
                && pending.tries == 0
            {
                pending.first_sent = None;
            }
        }
        if self.fail_closed(chunk) {
            return true;
        }
        // The limit was closed for just a moment longer than the budget, and that moment is over.
        let mut again = true;
        for index in chunk {
            if let Some(pending) = self.pending.get_mut(index) {
                pending.held_back += 1;
                again &= pending.held_back <= MOST_HELD_BACK;
            }
        }
        again
    }

    /// Fails the requests that depend, directly or indirectly, on one that failed.
    #[inline]
    fn fail_dependents(&mut self) {
        let mut indexes: Vec<usize> = self.pending.keys().copied().collect();
        indexes.sort_unstable();
        for index in indexes {
            let Some(pending) = self.pending.get(&index) else {
                continue;
            };
            let failed = pending.after.iter().find(|one| {
                self.results[**one]
                    .as_ref()
                    .is_some_and(|result| result.reply.is_err())
            });
            if let Some(failed) = failed {
                let error = Error::dependency(format!(
                    "not processed, because request {failed} of the batch, on which it depends, failed"
                ));
                let error = self.client.with_call(error, &pending.call);
                self.finish(index, None, Err(error));
            }
        }
    }

    /// What can be sent now: its wait is over, and what it depends on has succeeded or goes with it.
    #[inline]
    fn ready(&self) -> Vec<usize> {
        let now = self.elapsed();
        let mut indexes: Vec<usize> = self.pending.keys().copied().collect();
        indexes.sort_unstable();
        let mut ready: Vec<usize> = Vec::new();
        let mut taken = Cost::default();
        for index in indexes {
            let pending = &self.pending[&index];
            let free = pending
                .after
                .iter()
                .all(|one| self.results[*one].is_some() || ready.binary_search(one).is_ok());
            if pending.ready_at <= now && free {
                let cost = self.client.cost(&pending.call);
                // More than a limit allows at once would be throttled, whenever it is sent.
                if self.client.is_paced() && !taken.has_room_for(&cost) {
                    continue;
                }
                taken = Cost::sum([taken, cost]);
                ready.push(index);
            }
        }
        ready
    }

    #[inline]
    fn chunks(&self, ready: &[usize]) -> Vec<Vec<usize>> {
        plan::chunks(ready, |index| self.needed(index))
    }

    /// The dependencies that have no response yet.
    #[inline]
    fn needed(&self, index: usize) -> Vec<usize> {
        let after = self.pending.get(&index).map(|one| one.after.as_slice());
        after
            .unwrap_or_default()
            .iter()
            .copied()
            .filter(|one| self.pending.contains_key(one))
            .collect()
    }

    /// Waits until the next request may be sent.
    #[inline]
    async fn wait(&self) {
        let next = self
            .pending
            .values()
            .map(|one| one.ready_at)
            .filter(|at| *at > self.elapsed())
            .min();
        let wait = next.unwrap_or_default().saturating_sub(self.elapsed());
        self.client.pipeline().clock().sleep(wait).await;
    }

    #[inline]
    fn elapsed(&self) -> Duration {
        self.client.pipeline().clock().elapsed(self.started)
    }

    /// Sends one request of `$batch`.
    #[inline]
    fn post(&mut self, chunk: &[usize]) -> BoxFuture<'static, Result<Replies, Error>> {
        let now = self.elapsed();
        for index in chunk {
            if let Some(pending) = self.pending.get_mut(index) {
                pending.first_sent.get_or_insert(now);
            }
        }
        let calls = chunk.iter().filter_map(|index| {
            let pending = self.pending.get(index)?;
            let mut needed = self.needed(*index);
            needed.retain(|one| chunk.contains(one));
            Some((*index, &pending.call, needed))
        });
        let body = envelope::write(self.root.as_str(), calls);
        let mut url = self.root.clone();
        url.set_path(&format!("{}$batch", self.root.path()));
        let mut call = Call::new(&BATCH, url).with_json(body);
        call.idempotency = self.idempotency(chunk);
        call.cost = Some(self.cost(chunk));
        let client = self.client.clone();
        Box::pin(async move {
            let reply = client.execute(&call).await?;
            envelope::read(&reply, client.pipeline())
                .map_err(|error| client.with_call(error.with_response(&reply.facts()), &call))
        })
    }

    /// Graph counts the parts, and not the request as a whole.
    #[inline]
    fn cost(&self, chunk: &[usize]) -> Cost {
        let pending = chunk.iter().filter_map(|index| self.pending.get(index));
        Cost::sum(pending.map(|one| self.client.cost(&one.call)))
    }

    /// The request as a whole may be repeated as far as each of its parts may.
    #[inline]
    fn idempotency(&self, chunk: &[usize]) -> Idempotency {
        let classes = || {
            chunk
                .iter()
                .filter_map(|index| self.pending.get(index))
                .map(|one| one.call.idempotency)
        };
        if classes().all(|class| class == Idempotency::Safe) {
            Idempotency::Safe
        } else if classes().all(|class| class != Idempotency::NonIdempotent) {
            Idempotency::Idempotent
        } else {
            Idempotency::NonIdempotent
        }
    }

    /// Accepts the responses of a chunk.
    #[inline]
    fn accept_chunk(&mut self, chunk: &[usize], outcome: Result<Replies, Error>) {
        let mut replies = match outcome {
            Ok(replies) => {
                self.responded = true;
                replies
            }
            // Not sent, as a limit closed meanwhile, which most of them may not need.
            Err(error) if error.kind() == ErrorKind::Throttled && self.can_go_again(chunk) => {
                return;
            }
            Err(error) => {
                for index in chunk {
                    self.fail(*index, &error);
                }
                self.failure.get_or_insert(error);
                return;
            }
        };
        for index in chunk {
            match replies.remove(index) {
                Some(Some(reply)) => self.accept(*index, reply),
                // Either could be true, and to send it again could create something twice.
                Some(None) => {
                    let error = Error::decode(
                        "the batch has several responses for the request; it may have been processed",
                        "two responses have the same id",
                    );
                    self.fail(*index, &error);
                }
                None => {
                    let error = Error::decode(
                        "the batch has no response for the request; it may have been processed",
                        "a response is missing",
                    );
                    self.fail(*index, &error);
                }
            }
        }
    }

    /// Accepts the response to one request: it is final, or the request is sent again.
    #[inline]
    fn accept(&mut self, index: usize, mut reply: Reply) {
        let (now, pipeline) = (self.elapsed(), self.client.pipeline().clone());
        let Some(pending) = self.pending.get_mut(&index) else {
            return;
        };
        pending.unsure |= reply.unsure;
        reply.unsure = pending.unsure;
        // It was not processed; its dependencies decide whether it is sent again.
        if reply.status == StatusCode::FAILED_DEPENDENCY && !pending.after.is_empty() {
            let waits = pending.after.iter().any(|one| self.results[*one].is_none());
            let failed = |one: &usize| {
                self.results[*one]
                    .as_ref()
                    .is_some_and(|result| result.reply.is_err())
            };
            if waits || pending.after.iter().any(failed) {
                return;
            }
        }
        pending.tries += 1;
        let elapsed = now.saturating_sub(pending.first_sent.unwrap_or(now));
        // The service rejected the token. The request is sent once more with a new one.
        if reply.status == StatusCode::UNAUTHORIZED && !pending.challenged {
            pending.challenged = true;
            self.rejected_token = Some(reply.headers);
            return;
        }
        pending.counted += 1;
        if reply.status.is_success() {
            if let Some(pacer) = self.client.paced(&pending.call) {
                pacer.learn(reply.status, &reply.headers, None);
            }
            self.finish(index, None, Ok(reply));
            return;
        }
        reply.attempts = Some((pending.tries, elapsed));
        let class = classify(reply.status, &reply.headers, &reply.body);
        let mut attempt =
            Attempt::first(AttemptOutcome::Responded(class), pending.call.idempotency);
        attempt.counted = pending.counted;
        attempt.tries = pending.tries;
        attempt.elapsed = pending.waited;
        attempt.retry_after = reply.retry_after;
        attempt.throttled = reply.status == StatusCode::TOO_MANY_REQUESTS;
        attempt.jitter = pipeline.random().fraction();
        let decision = pipeline.policy().decide(&attempt);
        let wait = match decision {
            Decision::Retry { wait, .. } => Some(wait),
            _ => None,
        };
        // Then the limit is closed for all, and opens for those of this batch at once.
        let delayed = self
            .client
            .paced(&pending.call)
            .is_some_and(|pacer| pacer.learn(reply.status, &reply.headers, wait));
        match decision {
            Decision::Retry { wait, counts } => {
                pending.counted -= u32::from(!counts);
                pending.unsure |= attempt.outcome.may_have_been_processed();
                pending.waited = pending.waited.saturating_add(wait);
                pending.ready_at = if delayed {
                    now
                } else {
                    now.saturating_add(wait)
                };
                pending.last = Some(reply);
                return;
            }
            Decision::Stop(reason) => reply.stop_reason = Some(reason),
            _ => {}
        }
        let error = self.client.rejection(&pending.call, &reply);
        if reply.unsure && !pending.call.judges_lag && pending.call.was_done(&error) {
            reply.status = StatusCode::NO_CONTENT;
            reply.body = Bytes::new();
            self.finish(index, None, Ok(reply));
            return;
        }
        self.finish(index, None, Err(error));
    }

    /// Fails a request whose last attempt has no response of its own.
    #[inline]
    fn fail(&mut self, index: usize, error: &Error) {
        let now = self.elapsed();
        let error = match self.pending.get_mut(&index) {
            // Only not sent again: what came before says more, and it may have been processed.
            Some(pending) if error.kind() == ErrorKind::Throttled && pending.last.is_some() => {
                let mut reply = pending.last.take().unwrap_or_else(Reply::nothing);
                let elapsed = now.saturating_sub(pending.first_sent.unwrap_or(now));
                reply.attempts = Some((pending.tries, elapsed));
                reply.unsure = pending.unsure;
                reply.stop_reason = error.stop_reason();
                reply.retry_after = error.retry_after();
                self.client.rejection(&pending.call, &reply)
            }
            Some(pending) => {
                let error = self.client.with_call(error.clone(), &pending.call);
                let error = error.or_unsure(pending.unsure);
                let unsure = error.kind() == ErrorKind::Transport
                    && pending.call.idempotency == Idempotency::NonIdempotent;
                if unsure && error.stop_reason().is_none() {
                    error.with_stop_reason(StopReason::NotRepeatable)
                } else {
                    error
                }
            }
            None => error.clone(),
        };
        self.finish(index, None, Err(error));
    }

    #[inline]
    fn finish(&mut self, index: usize, call: Option<Call>, reply: Result<Reply, Error>) {
        let call = call.or_else(|| self.pending.remove(&index).map(|pending| pending.call));
        self.results[index] = Some(ItemResult { call, reply });
    }
}

/// All results, in order.
#[inline]
pub(crate) async fn all<T>(mut futures: Vec<BoxFuture<'static, T>>) -> Vec<T> {
    let mut results: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut done = true;
        for (future, result) in futures.iter_mut().zip(&mut results) {
            if result.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *result = Some(value),
                    Poll::Pending => done = false,
                }
            }
        }
        if done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    results.into_iter().flatten().collect()
}

/// The responses by request, `None` where there are several for one.
type Replies = HashMap<usize, Option<Reply>>;

/// How many requests of one call are in flight at a time.
pub(crate) const AT_ONCE: usize = 4;

/// How often a request goes again after its chunk was held back for no limit of its own.
const MOST_HELD_BACK: u32 = 3;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use entra_core::{ManualClock, RetryPolicy, ScriptedTransport, StaticCredential};

    use crate::client::GraphClient;

    #[tokio::test]
    async fn a_part_that_may_have_been_processed_stays_unsure_when_its_limit_closes() {
        let parts = r#"{"responses":[
            {"id":"0","status":503,"body":{"error":{"code":"serviceNotAvailable"}}},
            {"id":"1","status":429,"headers":{"Retry-After":"120"},"body":{"error":{"code":"TooManyRequests"}}}
        ]}"#;
        let policy = RetryPolicy::for_graph().with_budget(Duration::from_secs(60));
        let graph = GraphClient::builder(StaticCredential::new("token"))
            .transport(ScriptedTransport::new().then(200, &[], parts))
            .clock(ManualClock::new())
            .retry_policy(policy)
            .build()
            .unwrap();
        let mut batch = graph.batch();
        let deleted = batch.add(graph.user("a").delete());
        let read = batch.add(graph.user("b").get());
        let responses = batch.send().await.unwrap();
        assert!(!responses.get(read).unwrap_err().is_unsure());
        let error = responses.get(deleted).unwrap_err();
        assert!(error.is_unsure() && error.status().is_some(), "{error}");
    }
}
