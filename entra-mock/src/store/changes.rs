//! The change log: all changes of directory objects, in order.
//!
//! Every change of the store is recorded here, whatever its origin, so delta queries and directory
//! audits miss none. The log is bounded in time and length; a reader that returns too late gets an
//! error and starts again with a full list.

use std::{collections::VecDeque, sync::Arc};

use entra_core::{Timestamp, time::Duration};
use serde_json::Value;

use super::Kind;
use crate::schema::Relation;

/// The recorded changes.
#[derive(Clone, Debug)]
pub(crate) struct ChangeLog {
    entries: VecDeque<Change>,
    next: u64,
    now: Timestamp,
    by: Option<Arc<Actor>>,
    paused: bool,
}

/// One change of one object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) sequence: u64,
    pub(crate) at: Timestamp,
    /// The actor, or `None` for the test or the tenant itself.
    pub(crate) by: Option<Arc<Actor>>,
    pub(crate) kind: Kind,
    pub(crate) id: Box<str>,
    pub(crate) what: Event,
}

/// What happened to an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    Created,
    /// Properties that changed, each with its earlier value.
    Updated(Vec<(&'static str, Option<Value>)>),
    /// Moved to the deleted items.
    Deleted,
    /// Restored from the deleted items.
    Restored,
    /// Deleted permanently.
    Purged,
    /// Linked to another object.
    Linked(Relation, Kind, Box<str>),
    Unlinked(Relation, Kind, Box<str>),
}

/// The application, and the user it acts for, that made a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Actor {
    pub(crate) app_id: String,
    pub(crate) service_principal_id: Option<String>,
    pub(crate) user_id: Option<String>,
}

impl Default for ChangeLog {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            next: 0,
            now: Timestamp::UNIX_EPOCH,
            by: None,
            paused: false,
        }
    }
}

impl ChangeLog {
    /// Sets time and actor of the following changes.
    pub(crate) fn stamp(&mut self, now: Timestamp, by: Option<Arc<Actor>>) {
        self.now = now;
        self.by = by;
        while self.entries.len() > MAX_CHANGES
            || self
                .entries
                .front()
                .is_some_and(|change| now - change.at > KEPT_FOR)
        {
            self.entries.pop_front();
        }
    }

    /// The time of the last `stamp`.
    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    /// Stops or resumes recording: the initial content of a tenant is not a change.
    pub(crate) const fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// The number of the next change.
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    /// The first number that is still recorded.
    pub(crate) fn oldest(&self) -> u64 {
        self.entries
            .front()
            .map_or(self.next, |change| change.sequence)
    }

    /// Returns the changes from one number up to another, exclusive.
    pub(crate) fn range(&self, from: u64, to: u64) -> impl Iterator<Item = &Change> {
        let start = self
            .entries
            .partition_point(|change| change.sequence < from);
        self.entries
            .range(start..)
            .take_while(move |change| change.sequence < to)
    }

    pub(super) fn record(&mut self, kind: Kind, id: &str, what: Event) {
        // The logs are not directory objects; nothing tracks their changes.
        if self.paused || !kind.entity().directory {
            return;
        }
        self.entries.push_back(Change {
            sequence: self.next,
            at: self.now,
            by: self.by.clone(),
            kind,
            id: id.into(),
            what,
        });
        self.next += 1;
    }
}

/// The lifetime of a delta link.
const KEPT_FOR: Duration = Duration::days(7);
const MAX_CHANGES: usize = 200_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn log(changes: usize) -> ChangeLog {
        let mut log = ChangeLog::default();
        for _ in 0..changes {
            log.record(Kind::User, "a", Event::Created);
        }
        log
    }

    #[test]
    fn a_range_holds_exactly_the_changes_between_two_numbers() {
        let log = log(5);
        let sequences =
            |from, to| -> Vec<u64> { log.range(from, to).map(|change| change.sequence).collect() };
        assert_eq!(sequences(1, 4), [1, 2, 3]);
        assert_eq!(sequences(4, 100), [4]);
        assert_eq!(sequences(5, 5), [] as [u64; 0]);
        assert_eq!((log.oldest(), log.next()), (0, 5));
    }

    #[test]
    fn changes_are_forgotten_after_seven_days() {
        let mut log = log(2);
        log.stamp(Timestamp::UNIX_EPOCH + KEPT_FOR, None);
        assert_eq!(log.oldest(), 0);
        log.stamp(Timestamp::UNIX_EPOCH + KEPT_FOR + Duration::SECOND, None);
        assert_eq!((log.oldest(), log.next()), (2, 2));
    }

    #[test]
    fn the_length_of_the_log_is_bounded() {
        let mut log = log(MAX_CHANGES + 3);
        log.stamp(Timestamp::UNIX_EPOCH, None);
        assert_eq!(log.oldest(), 3);
    }

    #[test]
    fn log_records_and_changes_made_while_paused_are_not_recorded() {
        let mut log = ChangeLog::default();
        log.record(Kind::SignIn, "s", Event::Created);
        log.pause(true);
        log.record(Kind::User, "u", Event::Created);
        log.pause(false);
        log.record(Kind::User, "u", Event::Deleted);
        assert_eq!(log.next(), 1);
    }
}
