//! Where a sync keeps what it knows, as a trait, and two stores in memory.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    error::Error as StdError,
    future::{Future, ready},
    ops::Bound,
};

use super::{
    change::{Progress, SyncChange, SyncNote},
    state::SyncState,
};

/// What one unit of work changed: to be saved in one transaction, or not at all.
#[derive(Clone, Debug)]
#[must_use = "a step that is not committed is done again"]
pub struct Step {
    pub(super) changes: Vec<SyncChange>,
    pub(super) rows: Vec<(String, Option<String>)>,
    pub(super) notes: Vec<SyncNote>,
    pub(super) state: SyncState,
    pub(super) progress: Progress,
}

impl Step {
    /// The changes of the copy, in their order. It can be empty.
    #[must_use]
    pub fn changes(&self) -> &[SyncChange] {
        &self.changes
    }

    /// The bookkeeping rows to write, as key and value, and those to delete, without a value.
    #[must_use]
    pub fn rows(&self) -> &[(String, Option<String>)] {
        &self.rows
    }

    /// What was met beside changes.
    #[must_use]
    pub fn notes(&self) -> &[SyncNote] {
        &self.notes
    }

    /// The state after this step.
    #[must_use]
    pub const fn state(&self) -> &SyncState {
        &self.state
    }

    /// The number of the step that this one was computed after, 0 for the first one: [`SyncState::step`] of what the store
    /// had then. If the store has another one now, another process has written to it meanwhile.
    #[must_use]
    pub const fn follows(&self) -> u64 {
        self.state.step.saturating_sub(1)
    }

    /// How far the round is.
    #[must_use]
    pub const fn progress(&self) -> Progress {
        self.progress
    }
}

/// Where a sync keeps its state and its bookkeeping: an ordered map of text to text.
///
/// Any database can be one: a table with a text key and a text value, and one row for the state. Keys are compared
/// byte by byte; in SQL use a binary collation. A sync reads through it and never writes: the caller calls
/// [`commit`](Self::commit) with each step, which writes the rows, the state, and whatever the caller makes of the
/// changes, in one transaction.
///
/// One process at a time: two that write by turns would hand out changes twice. Where a second one can start, such as by a
/// timer, `commit` compares [`Step::follows`] with [`SyncState::step`] of the saved state, in its transaction, and fails
/// if they differ.
///
/// ```
/// use std::{collections::BTreeMap, convert::Infallible};
/// use entra_graph::sync::{Step, SyncState, SyncStore};
///
/// #[derive(Default)]
/// struct MyStore { rows: BTreeMap<String, String>, state: Option<SyncState> }
///
/// impl SyncStore for MyStore {
///     type Error = Infallible;
///     async fn state(&mut self) -> Result<Option<SyncState>, Infallible> {
///         Ok(self.state.clone())
///     }
///     async fn get(&mut self, keys: &[String]) -> Result<Vec<Option<String>>, Infallible> {
///         Ok(keys.iter().map(|key| self.rows.get(key).cloned()).collect())
///     }
///     async fn scan(&mut self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<(String, String)>, Infallible> {
///         let rows = self.rows.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix));
///         let rows = rows.filter(|(key, _)| after.is_none_or(|after| key.as_str() > after));
///         Ok(rows.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
///     }
///     async fn commit(&mut self, step: &Step) -> Result<(), Infallible> {
///         for (key, value) in step.rows() {
///             match value {
///                 Some(value) => self.rows.insert(key.clone(), value.clone()),
///                 None => self.rows.remove(key),
///             };
///         }
///         for change in step.changes() {
///             println!("{change:?}"); // the caller's own tables
///         }
///         self.state = Some(step.state().clone());
///         Ok(())
///     }
/// }
/// ```
pub trait SyncStore: Send {
    /// Why the store failed.
    type Error: StdError + Send + Sync + 'static;

    /// The state of the last step, or `None` before the first one. A state that cannot be read is an error of the
    /// store; to start again, return `None` and keep the rows: all objects are read again and compared with them. Which
    /// kinds the sync copied last is not in the rows: if it left one out that it had copied before, begin with an empty
    /// store instead.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn state(&mut self) -> impl Future<Output = Result<Option<SyncState>, Self::Error>> + Send;

    /// The values of these keys, in the same order.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn get(
        &mut self,
        keys: &[String],
    ) -> impl Future<Output = Result<Vec<Option<String>>, Self::Error>> + Send;

    /// The rows whose keys start with the prefix and are greater than `after`, in the order of the keys, at most
    /// `limit`.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn scan(
        &mut self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(String, String)>, Self::Error>> + Send;

    /// Saves a step: its rows, its state, and whatever the caller makes of its changes, all or nothing.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn commit(&mut self, step: &Step) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// A store in memory, for tests and for copies that each process reads again.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    rows: BTreeMap<String, String>,
    state: Option<SyncState>,
}

/// A store whose commits stay in memory, over another one that is only read.
///
/// [`DirectorySync::dry_run`](super::DirectorySync::dry_run) runs on one.
#[derive(Debug)]
pub(super) struct Overlay<'s, S> {
    below: &'s mut S,
    rows: BTreeMap<String, Option<String>>,
    state: Option<SyncState>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of bookkeeping rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no bookkeeping rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl SyncStore for MemoryStore {
    type Error = Infallible;

    fn state(&mut self) -> impl Future<Output = Result<Option<SyncState>, Infallible>> + Send {
        ready(Ok(self.state.clone()))
    }

    fn get(
        &mut self,
        keys: &[String],
    ) -> impl Future<Output = Result<Vec<Option<String>>, Infallible>> + Send {
        let values = keys.iter().map(|key| self.rows.get(key).cloned());
        ready(Ok(values.collect()))
    }

    fn scan(
        &mut self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(String, String)>, Infallible>> + Send {
        let rows = range(&self.rows, prefix, after).take(limit);
        ready(Ok(rows
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()))
    }

    fn commit(&mut self, step: &Step) -> impl Future<Output = Result<(), Infallible>> + Send {
        for (key, value) in &step.rows {
            match value {
                Some(value) => self.rows.insert(key.clone(), value.clone()),
                None => self.rows.remove(key),
            };
        }
        self.state = Some(step.state.clone());
        ready(Ok(()))
    }
}

impl<'s, S: SyncStore> Overlay<'s, S> {
    pub(super) const fn new(below: &'s mut S) -> Self {
        Self {
            below,
            rows: BTreeMap::new(),
            state: None,
        }
    }
}

impl<S: SyncStore> SyncStore for Overlay<'_, S> {
    type Error = S::Error;

    async fn state(&mut self) -> Result<Option<SyncState>, S::Error> {
        match &self.state {
            Some(state) => Ok(Some(state.clone())),
            None => self.below.state().await,
        }
    }

    async fn get(&mut self, keys: &[String]) -> Result<Vec<Option<String>>, S::Error> {
        let mut values = self.below.get(keys).await?;
        for (key, value) in keys.iter().zip(&mut values) {
            if let Some(own) = self.rows.get(key) {
                value.clone_from(own);
            }
        }
        Ok(values)
    }

    async fn scan(
        &mut self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, S::Error> {
        let mut after = after.map(str::to_owned);
        let mut found = Vec::new();
        loop {
            let below = self.below.scan(prefix, after.as_deref(), limit).await?;
            let is_last = below.len() < limit;
            let end = below.last().map(|(key, _)| key.clone());
            let mut merged: BTreeMap<String, Option<String>> = below
                .into_iter()
                .map(|(key, value)| (key, Some(value)))
                .collect();
            let own = range(&self.rows, prefix, after.as_deref())
                .take_while(|(key, _)| is_last || end.as_ref().is_some_and(|end| *key <= end));
            merged.extend(own.map(|(key, value)| (key.clone(), value.clone())));
            found.extend(
                merged
                    .into_iter()
                    .filter_map(|(key, value)| Some((key, value?))),
            );
            if is_last || found.len() >= limit {
                found.truncate(limit);
                return Ok(found);
            }
            after = end;
        }
    }

    async fn commit(&mut self, step: &Step) -> Result<(), S::Error> {
        self.rows.extend(step.rows.iter().cloned());
        self.state = Some(step.state.clone());
        Ok(())
    }
}

/// The rows whose keys start with a prefix and are greater than `after`.
pub(super) fn range<'r, V>(
    rows: &'r BTreeMap<String, V>,
    prefix: &str,
    after: Option<&str>,
) -> impl Iterator<Item = (&'r String, &'r V)> + use<'r, V> {
    let start = match after {
        Some(after) if after >= prefix => Bound::Excluded(after.to_owned()),
        _ => Bound::Included(prefix.to_owned()),
    };
    let prefix = prefix.to_owned();
    rows.range((start, Bound::Unbounded))
        .take_while(move |(key, _)| key.starts_with(&prefix))
}
