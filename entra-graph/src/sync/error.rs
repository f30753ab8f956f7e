//! Why a sync stopped.

use std::{error::Error as StdError, fmt};

use super::guard::HeldRemovals;
use crate::error::Error;

/// Why a sync stopped. Every step that was committed before stays, and the next call goes on after it.
#[derive(Debug)]
#[non_exhaustive]
pub enum SyncError {
    /// Graph or the credential failed.
    Graph(Error),
    /// The store failed.
    Store(Box<dyn StdError + Send + Sync>),
    /// The deletion guard holds back the removals of this run. Everything else was handed out.
    RemovalsHeld(Box<HeldRemovals>),
    /// The same step was done several times, and its state was not saved.
    NotCommitted,
    /// Nothing is to be copied: the sync has no kind of objects.
    NoKinds,
}

impl SyncError {
    pub(super) fn store(error: impl StdError + Send + Sync + 'static) -> Self {
        Self::Store(Box::new(error))
    }

    /// The removals that the deletion guard holds back, if that is what happened.
    #[must_use]
    pub fn held(&self) -> Option<&HeldRemovals> {
        match self {
            Self::RemovalsHeld(held) => Some(held),
            _ => None,
        }
    }
}

impl fmt::Display for SyncError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Graph(error) => error.fmt(f),
            Self::Store(error) => write!(f, "the store of the sync failed: {error}"),
            Self::RemovalsHeld(held) => held.fmt(f),
            Self::NotCommitted => f.write_str(
                "a step of the sync was not committed\n  fix: call `commit` of the store with each step",
            ),
            Self::NoKinds => f.write_str(
                "the sync copies nothing\n  fix: call `users`, `groups` or another kind",
            ),
        }
    }
}

impl StdError for SyncError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Graph(error) => error.source(),
            Self::Store(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<Error> for SyncError {
    fn from(error: Error) -> Self {
        Self::Graph(error)
    }
}
