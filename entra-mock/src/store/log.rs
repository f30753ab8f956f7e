//! Reads the logs in the order of time.

use std::ops::Bound;

use super::{
    Kind, LatestSignIns, LogPartition, LogPosition, Object, SignInTime, Store, log_partition,
};

impl Store {
    /// Returns the records of a log between two times (in ticks, inclusive), oldest first: those that
    /// v1.0 lists, or the whole log.
    pub(crate) fn log_from_oldest(
        &self,
        kind: Kind,
        (from, to): (i64, i64),
        whole: bool,
    ) -> impl Iterator<Item = (LogPosition, &Object)> {
        let part = |part: LogPartition, wanted: bool| {
            self.by_time
                .get(&(kind, part))
                .filter(|_| wanted && from <= to)
                .into_iter()
                .flat_map(move |log| log.range((from, 0)..=(to, u64::MAX)))
                .peekable()
        };
        let mut listed = part(LogPartition::Listed, true);
        let mut unlisted = part(LogPartition::Unlisted, whole);
        std::iter::from_fn(move || match (listed.peek(), unlisted.peek()) {
            (Some((left, _)), Some((right, _))) if left > right => unlisted.next(),
            (None, _) => unlisted.next(),
            _ => listed.next(),
        })
        .filter_map(|(position, handle)| Some((*position, &self.stored(*handle)?.object)))
    }

    /// Returns the records of a log between two times (in ticks, inclusive) and before `position`,
    /// newest first: those that v1.0 lists, or the whole log.
    pub(crate) fn log(
        &self,
        kind: Kind,
        (from, to): (i64, i64),
        position: Option<LogPosition>,
        whole: bool,
    ) -> impl Iterator<Item = (LogPosition, &Object)> {
        let end = match position {
            Some(position) if position <= (to, u64::MAX) => Bound::Excluded(position),
            _ => Bound::Included((to, u64::MAX)),
        };
        let start = Bound::Included((from, 0));
        let empty = match end {
            Bound::Excluded(end) => end <= (from, 0),
            _ => to < from,
        };
        let part = |part: LogPartition, wanted: bool| {
            self.by_time
                .get(&(kind, part))
                .filter(|_| wanted && !empty)
                .into_iter()
                .flat_map(move |log| log.range((start, end)).rev())
                .peekable()
        };
        let mut listed = part(LogPartition::Listed, true);
        let mut unlisted = part(LogPartition::Unlisted, whole);
        std::iter::from_fn(move || {
            let time = |entry: Option<&(&LogPosition, &u32)>| entry.map(|(position, _)| **position);
            if time(listed.peek()) >= time(unlisted.peek()) {
                listed.next()
            } else {
                unlisted.next()
            }
        })
        .filter_map(|(position, handle)| Some((*position, &self.stored(*handle)?.object)))
    }

    /// Whether v1.0 lists a log record.
    pub(crate) fn is_listed(&self, kind: Kind, object: &Object) -> bool {
        log_partition(kind, object) == LogPartition::Listed
    }

    /// Returns a user's latest sign-ins, if there are any.
    pub(crate) fn latest_sign_ins(&self, user: &str) -> Option<LatestSignIns> {
        let log = self.by_user.get(user).filter(|log| !log.is_empty())?;
        let mut latest = LatestSignIns::default();
        for (_, handle) in log.iter().rev() {
            let Some(stored) = self.stored(*handle) else {
                continue;
            };
            let interactive = log_partition(stored.kind, &stored.object) == LogPartition::Listed;
            let status = stored
                .object
                .get("status")
                .and_then(|status| status.get("errorCode"));
            let attempt = if interactive {
                &mut latest.interactive
            } else {
                &mut latest.silent
            };
            attempt.get_or_insert_with(|| SignInTime::of(&stored.object));
            if status.is_none_or(|code| *code == 0) {
                latest
                    .successful
                    .get_or_insert_with(|| SignInTime::of(&stored.object));
            }
            if latest.interactive.is_some()
                && latest.silent.is_some()
                && latest.successful.is_some()
            {
                break;
            }
        }
        Some(latest)
    }
}
