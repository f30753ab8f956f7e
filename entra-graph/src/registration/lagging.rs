//! Sends what can be rejected only because an own write is not replicated yet.

use std::time::Duration;

use crate::{client::GraphClient, error::Error};

/// Remembers that this client wrote a registration just now, by its key.
pub(super) fn wrote(graph: &GraphClient, key: &str) {
    graph.own_writes().note(key, graph.monotonic());
}

/// How long ago this client wrote a registration, if that was so recently that reads may not show it.
pub(super) fn own_write(graph: &GraphClient, key: &str) -> Option<Duration> {
    let at = graph.own_writes().last(key)?;
    let age = graph.elapsed(at);
    (age < WINDOW).then_some(age)
}

/// Makes a call, and makes it again while its error can be lag, by the time since the write that it depends on.
pub(super) async fn while_lagging<T, F>(
    graph: &GraphClient,
    age: impl Fn() -> Option<Duration>,
    mut call: impl FnMut() -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut attempts = 0;
    loop {
        let error = match call().await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        if !age().is_some_and(|age| error.is_lag(age)) {
            return Err(error);
        }
        graph.sleep(backoff(attempts)).await;
        attempts += 1;
    }
}

/// The same for a removal: what does not exist once lag is over has been removed.
pub(super) async fn removed<F>(
    graph: &GraphClient,
    age: impl Fn() -> Option<Duration>,
    call: impl FnMut() -> F,
) -> Result<(), Error>
where
    F: Future<Output = Result<(), Error>>,
{
    match while_lagging(graph, age, call).await {
        Err(error) if error.is_not_found() || error.is_credential_absent() => Ok(()),
        outcome => outcome,
    }
}

/// The wait before the next attempt, by the number of attempts so far.
pub(super) fn backoff(attempts: u32) -> Duration {
    Duration::from_secs(1 << attempts.min(4))
}

/// How long after an own write reads may not show it.
pub(super) const WINDOW: Duration = Duration::from_secs(5 * 60);
