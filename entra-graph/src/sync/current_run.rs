//! What a sync knows of its current run, and how often a round begins again in it.

use std::collections::HashMap;

use super::{
    change::{FullRoundCause, ObjectKind, SyncNote},
    feed::Feed,
    machine::Machine,
    pages::Pages,
};
use crate::error::Error;

/// What is known of the current run, beside the state in the store.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    /// The number of steps before the run.
    pub(super) began_at: Option<u64>,
    /// The number of steps before the rounds that this run began itself, and did not take over unfinished.
    pub(super) rounds_began_at: Option<u64>,
    /// Whether the last run of this process ended with an error.
    has_failed: bool,
    /// Whether the kinds that a failed run has finished are looked at again, since the caller began another one. Not so
    /// in another process: one that is killed after each step would look at the first kind only.
    pub(super) is_fresh: bool,
    /// Whether, since its last round, no removal waits that was to be taken back.
    pub(super) is_recalled: bool,
    /// How many rounds began again because of an error.
    restarts: HashMap<ObjectKind, u32>,
    pub(super) pages: Pages,
    /// The number of steps before the one that was handed out last, and how often it was.
    pub(super) handed_out: Option<(u64, u32)>,
}

impl Run {
    /// Ends the run with an error. The next call takes over what is left of its rounds, as if it were another process,
    /// and then begins rounds of its own.
    pub(super) const fn interrupt(&mut self) {
        self.began_at = None;
        self.rounds_began_at = None;
        self.is_recalled = false;
        self.is_fresh = false;
        self.has_failed = true;
    }

    /// Begins a run, whatever became of the last one.
    pub(super) fn begin(&mut self) {
        // One whose future was dropped, or whose step was not saved, has not ended either.
        let is_fresh = self.has_failed || self.began_at.is_some();
        self.interrupt();
        self.has_failed = false;
        self.is_fresh = is_fresh;
        self.restarts.clear();
        // A store that could not save the steps of earlier runs has said so each time.
        self.handed_out = None;
    }

    /// Counts the step after this one, which comes before the rounds of a run, as none of it.
    pub(super) const fn begin_after(&mut self, is_new: bool, step: u64) {
        if is_new {
            self.began_at = Some(step + 1);
        }
    }

    /// Begins a full round instead of what failed, unless that happened before in this run.
    pub(super) fn restart(
        &mut self,
        machine: &mut Machine<'_>,
        feed: &Feed,
        cause: FullRoundCause,
        error: Error,
    ) -> Result<(), Error> {
        let restarts = self.restarts.entry(feed.kind).or_default();
        *restarts += 1;
        if *restarts > MOST_RESTARTS {
            // The caller may go on with the same sync, and later ones can be rejected for another reason.
            self.restarts.remove(&feed.kind);
            return Err(error);
        }
        machine.begin_full(feed.kind, feed.scope());
        machine.notes.push(SyncNote::FullRound {
            kind: feed.kind,
            cause,
        });
        Ok(())
    }
}

/// How often the round of one kind begins again in a run.
const MOST_RESTARTS: u32 = 2;
