//! What steps read of the store, and how one ends.

use super::{
    change::{ObjectKind, Progress},
    error::SyncError,
    machine::Machine,
    store::{Step, SyncStore},
};

pub(super) fn finish(machine: Machine<'_>, kind: Option<ObjectKind>) -> Step {
    let feed = kind.and_then(|kind| machine.state.feed(kind));
    let progress = Progress {
        kind,
        is_full: feed.is_some_and(|feed| feed.full),
        rows: feed.map_or(0, |feed| feed.rows),
        estimate: feed.and_then(|feed| feed.estimate),
    };
    Step {
        progress,
        changes: machine.changes,
        notes: machine.notes,
        rows: machine.view.into_rows(),
        state: machine.state,
    }
}

/// Reads rows of the store into the view of a step.
pub(super) async fn load<S: SyncStore>(
    store: &mut S,
    machine: &mut Machine<'_>,
    mut keys: Vec<String>,
) -> Result<(), SyncError> {
    keys.sort_unstable();
    keys.dedup();
    keys.retain(|key| !machine.view.has(key));
    if keys.is_empty() {
        return Ok(());
    }
    let values = store.get(&keys).await.map_err(SyncError::store)?;
    for (key, value) in keys.into_iter().zip(values) {
        machine.view.load(key, value);
    }
    Ok(())
}

/// Reads all rows with a prefix into the view of a step.
pub(super) async fn load_all<S: SyncStore>(
    store: &mut S,
    machine: &mut Machine<'_>,
    prefix: &str,
) -> Result<(), SyncError> {
    let mut after: Option<String> = None;
    loop {
        let found = scan(store, prefix, after.as_deref(), SWEEP).await?;
        let is_last = found.len() < SWEEP;
        after = found.last().map(|(key, _)| key.clone());
        for (key, value) in found {
            machine.view.load(key, Some(value));
        }
        if is_last {
            return Ok(());
        }
    }
}

pub(super) async fn scan<S: SyncStore>(
    store: &mut S,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<(String, String)>, SyncError> {
    let found = store.scan(prefix, after, limit).await;
    found.map_err(SyncError::store)
}

/// Whether there is a row with a prefix.
pub(super) async fn has_any<S: SyncStore>(store: &mut S, prefix: &str) -> Result<bool, SyncError> {
    Ok(!scan(store, prefix, None, 1).await?.is_empty())
}

/// The rows of a step that sweeps.
pub(super) const SWEEP: usize = 1_000;
