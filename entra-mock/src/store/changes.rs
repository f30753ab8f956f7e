//! The change log: all changes of directory objects, in order.
//!
//! Every change of the store is recorded here, whatever its origin, so delta queries and directory
//! audits miss none. The log is bounded in time and length; a reader that returns too late gets an
//! error and starts again with a full list. All but the newest changes are compressed, without the
//! earlier values of properties, which only the audit of the same request shows.

use std::{collections::VecDeque, sync::Arc};

use entra_core::{Timestamp, time::Duration};
use serde_json::Value;

use super::{
    Kind,
    chunk::{Chunk, ChunkItem},
};
use crate::schema::Relation;

mod row;

/// The recorded changes.
#[derive(Clone, Debug)]
pub(crate) struct ChangeLog {
    /// The older changes.
    archived: VecDeque<ArchivedChanges>,
    /// The newest changes.
    recent: VecDeque<Change>,
    next: u64,
    now: Timestamp,
    by: Option<Arc<Actor>>,
    /// The actor of the latest change that had one: mostly the next one is the same.
    latest_actor: Option<Arc<Actor>>,
    paused: bool,
}

/// Changes whose numbers follow one another.
#[derive(Clone, Debug)]
struct ArchivedChanges {
    first: u64,
    /// The time of the last one.
    until: Timestamp,
    changes: Chunk<Change>,
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

impl ChunkItem for Change {}

/// What happened to an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    Created,
    /// Properties that changed, each with its earlier value if the change is one of the newest.
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
            archived: VecDeque::new(),
            recent: VecDeque::new(),
            next: 0,
            now: Timestamp::UNIX_EPOCH,
            by: None,
            latest_actor: None,
            paused: false,
        }
    }
}

impl ChangeLog {
    /// Sets time and actor of the following changes.
    pub(crate) fn stamp(&mut self, now: Timestamp, by: Option<Arc<Actor>>) {
        self.now = now;
        self.by = by.map(|by| match &self.latest_actor {
            Some(latest) if *latest == by => Arc::clone(latest),
            _ => Arc::clone(self.latest_actor.insert(by)),
        });
        for archived in &mut self.archived {
            archived.changes.close();
        }
        self.forget();
        for _ in 0..ARCHIVED_AT_ONCE {
            self.archive();
        }
    }

    /// Removes changes that are too many or too old.
    fn forget(&mut self) {
        let archived = self.archived.iter().map(|part| part.changes.len());
        let mut length = self.recent.len() + archived.sum::<usize>();
        while let Some(oldest) = self.archived.front() {
            let rest = length - oldest.changes.len();
            if rest < MAX_CHANGES && self.now - oldest.until <= KEPT_FOR {
                return;
            }
            length = rest;
            self.archived.pop_front();
        }
        while self.recent.len() > MAX_CHANGES
            || self
                .recent
                .front()
                .is_some_and(|change| self.now - change.at > KEPT_FOR)
        {
            self.recent.pop_front();
        }
    }

    /// Compresses the oldest of the recent changes, if there are many.
    fn archive(&mut self) {
        if self.recent.len() < RECENT + CHUNK {
            return;
        }
        let oldest: Vec<Change> = self.recent.drain(..CHUNK).collect();
        let (Some(first), Some(last)) = (oldest.first(), oldest.last()) else {
            return;
        };
        if let Some(changes) = Chunk::new(&oldest) {
            self.archived.push_back(ArchivedChanges {
                first: first.sequence,
                until: last.at,
                changes,
            });
        } else {
            for change in oldest.into_iter().rev() {
                self.recent.push_front(change);
            }
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

    /// Whether changes are not recorded.
    pub(crate) const fn is_paused(&self) -> bool {
        self.paused
    }

    /// The number of the next change.
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    /// The first number that is still recorded.
    pub(crate) fn oldest(&self) -> u64 {
        let archived = self.archived.front().map(|part| part.first);
        let recent = || self.recent.front().map(|change| change.sequence);
        archived.or_else(recent).unwrap_or(self.next)
    }

    /// Returns the changes from one number up to another, exclusive.
    pub(crate) fn range(&self, from: u64, to: u64) -> impl Iterator<Item = &Change> {
        let is_before = |part: &ArchivedChanges| part.first + part.changes.len() as u64 <= from;
        let start = self.archived.partition_point(is_before);
        let archived = self.archived.range(start..);
        let archived = archived.flat_map(|part| part.changes.items());
        let archived = archived.skip_while(move |change| change.sequence < from);
        let start = self.recent.partition_point(|change| change.sequence < from);
        archived
            .chain(self.recent.range(start..))
            .take_while(move |change| change.sequence < to)
    }

    pub(super) fn record(&mut self, kind: Kind, id: &str, what: Event) {
        // The logs are not directory objects; nothing tracks their changes.
        if self.paused || !kind.entity().directory {
            return;
        }
        self.recent.push_back(Change {
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
/// At least so many changes are recorded, unless they are older.
const MAX_CHANGES: usize = 200_000;
/// How many changes are not compressed at least.
const RECENT: usize = 1_024;
const CHUNK: usize = 512;
const ARCHIVED_AT_ONCE: usize = 4;

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

    /// A change of each kind of event in turn.
    fn event(number: u64) -> Event {
        let id = || format!("id-{number}").into_boxed_str();
        match number % 7 {
            0 => Event::Created,
            1 => Event::Updated(vec![("displayName", Some("é".into())), ("~x", None)]),
            2 => Event::Deleted,
            3 => Event::Restored,
            4 => Event::Purged,
            5 => Event::Linked(Relation::Owners, Kind::ServicePrincipal, id()),
            _ => Event::Unlinked(Relation::Manager, Kind::OrgContact, id()),
        }
    }

    /// The form of a change in the archive.
    fn without_values(mut change: Change) -> Change {
        if let Event::Updated(properties) = &mut change.what {
            for (_, value) in properties {
                *value = None;
            }
        }
        change
    }

    #[test]
    fn archived_changes_are_the_changes_without_earlier_values() {
        let (mut log, mut plain) = (ChangeLog::default(), Vec::new());
        for number in 0..8_000_u64 {
            let at = Timestamp::UNIX_EPOCH + Duration::microseconds(number.cast_signed() * 7_001);
            let actor = |part: u64| Actor {
                app_id: (number / 500).to_string(),
                service_principal_id: (part == 1).then(|| "s".to_owned()),
                user_id: (part == 2).then(|| "u".to_owned()),
            };
            let by = (number % 3 > 0).then(|| Arc::new(actor(number % 3)));
            log.stamp(at, by.clone());
            let kind = Kind::ALL[usize::try_from(number).unwrap() % Kind::ALL.len()];
            if !kind.entity().directory {
                continue;
            }
            let id = format!("object {number}");
            plain.push(Change {
                sequence: log.next(),
                at,
                by,
                kind,
                id: id.as_str().into(),
                what: event(number),
            });
            log.record(kind, &id, event(number));
        }
        assert!(log.archived.len() >= 2 && log.recent.len() >= RECENT);
        let length = log.next();
        for (from, to) in [
            (0, length),
            (0, 1),
            (510, 514),
            (511, 512),
            (512, 1_100),
            (length - 3, length),
            (length, length),
        ] {
            let expected = plain.iter().skip(usize::try_from(from).unwrap());
            let expected = expected.take(usize::try_from(to - from).unwrap()).cloned();
            let found: Vec<Change> = log.range(from, to).cloned().map(without_values).collect();
            assert_eq!(
                found,
                expected.map(without_values).collect::<Vec<_>>(),
                "{from}..{to}"
            );
        }
        let newest: Vec<Change> = log.range(length - 100, length).cloned().collect();
        assert_eq!(newest, plain[plain.len() - 100..]);
        assert!(log.archived.iter().any(|part| part.changes.is_open()));
        log.stamp(log.now(), None);
        assert!(!log.archived.iter().any(|part| part.changes.is_open()));
    }

    #[test]
    fn archived_changes_are_forgotten_by_age_and_number() {
        let mut log = log(RECENT + 3 * CHUNK);
        log.stamp(Timestamp::UNIX_EPOCH, None);
        assert_eq!((log.archived.len(), log.oldest()), (3, 0));
        log.stamp(Timestamp::UNIX_EPOCH + KEPT_FOR + Duration::SECOND, None);
        assert_eq!((log.archived.len(), log.oldest()), (0, log.next()));
        for _ in 0..3 {
            for _ in 0..CHUNK {
                log.record(Kind::User, "a", Event::Created);
            }
            log.stamp(log.now(), None);
        }
        let (first, before) = (log.oldest(), log.archived.len());
        assert!(before > 0);
        for _ in 0..MAX_CHANGES {
            log.record(Kind::User, "a", Event::Created);
        }
        log.stamp(log.now(), None);
        assert!(log.oldest() > first && log.oldest() <= log.next() - MAX_CHANGES as u64);
    }

    #[test]
    fn changes_of_one_actor_share_it() {
        let mut log = ChangeLog::default();
        let actor = |id: &str| {
            Some(Arc::new(Actor {
                app_id: id.to_owned(),
                ..Actor::default()
            }))
        };
        for by in [actor("a"), None, actor("a"), actor("b"), actor("b")] {
            log.stamp(Timestamp::UNIX_EPOCH, by);
            log.record(Kind::User, "u", Event::Created);
        }
        let actors: Vec<_> = log
            .range(0, 5)
            .filter_map(|change| change.by.as_ref())
            .collect();
        assert!(Arc::ptr_eq(actors[0], actors[1]) && Arc::ptr_eq(actors[2], actors[3]));
        assert_ne!(actors[1], actors[2]);
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
