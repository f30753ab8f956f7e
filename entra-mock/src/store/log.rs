//! Reads the logs in the order of time.

use std::{
    collections::{VecDeque, btree_map},
    iter::Peekable,
    ops::Bound,
};

use super::{
    Kind, LatestSignIns, LogPartition, LogPosition, Object, SignInTime, Store, UserSignIn,
    archive::{Archive, ArchivedRecord},
    log_partition,
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
        let range = ((from, 0), Bound::Included((to, u64::MAX)));
        LogReader::new(self, kind, range, whole, false)
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
        LogReader::new(self, kind, ((from, 0), end), whole, true)
    }

    /// Whether v1.0 lists a log record.
    pub(crate) fn is_listed(&self, kind: Kind, object: &Object) -> bool {
        log_partition(kind, object) == LogPartition::Listed
    }

    /// Returns a user's latest sign-ins, if there are any.
    pub(crate) fn latest_sign_ins(&self, user: &str) -> Option<LatestSignIns> {
        let log = self.by_user.get(user).filter(|log| !log.is_empty())?;
        let newest = |fits: fn(&UserSignIn) -> bool| {
            let found = log.iter().rev().filter(|sign_in| fits(sign_in));
            let mut found = found.filter_map(|sign_in| self.stored(sign_in.handle));
            found.next().map(|stored| SignInTime::of(&stored.object))
        };
        Some(LatestSignIns {
            interactive: newest(|sign_in| sign_in.interactive),
            silent: newest(|sign_in| !sign_in.interactive),
            successful: newest(|sign_in| sign_in.successful),
        })
    }
}

/// Reads the parts of a log in one order of time.
struct LogReader<'a> {
    store: &'a Store,
    newest_first: bool,
    /// The records outside of the archive.
    recent: Vec<Peekable<Recent<'a>>>,
    /// The runs of archived chunks.
    archived: Vec<RunReader<'a>>,
}

enum Recent<'a> {
    OldestFirst(btree_map::Range<'a, LogPosition, u32>),
    NewestFirst(std::iter::Rev<btree_map::Range<'a, LogPosition, u32>>),
}

/// Reads one run of chunks, and each chunk only when its turn has come.
struct RunReader<'a> {
    archive: &'a Archive,
    range: (LogPosition, Bound<LogPosition>),
    newest_first: bool,
    chunks: VecDeque<u32>,
    /// The records of the open chunk that are not read yet.
    open: &'a [ArchivedRecord],
}

impl<'a> LogReader<'a> {
    fn new(
        store: &'a Store,
        kind: Kind,
        range: (LogPosition, Bound<LogPosition>),
        whole: bool,
        newest_first: bool,
    ) -> Self {
        let mut reader = Self {
            store,
            newest_first,
            recent: Vec::new(),
            archived: Vec::new(),
        };
        let is_empty = match range.1 {
            Bound::Excluded(end) => end <= range.0,
            Bound::Included(end) => end < range.0,
            Bound::Unbounded => false,
        };
        let listed = store.by_time.get(&(kind, LogPartition::Listed));
        let unlisted = store.by_time.get(&(kind, LogPartition::Unlisted));
        let parts = listed.into_iter().chain(unlisted.filter(|_| whole));
        for part in parts.filter(|_| !is_empty) {
            let recent = part.recent.range((Bound::Included(range.0), range.1));
            let recent = match newest_first {
                true => Recent::NewestFirst(recent.rev()),
                false => Recent::OldestFirst(recent),
            };
            reader.recent.push(recent.peekable());
            let runs = part.runs.iter().map(|run| RunReader {
                archive: &store.archive,
                range,
                newest_first,
                chunks: run.clone(),
                open: &[],
            });
            reader.archived.extend(runs);
        }
        reader
    }

    /// Returns the next position, whether it is in the archive, and in which part it is.
    fn first(&mut self) -> Option<(LogPosition, bool, usize)> {
        let newest_first = self.newest_first;
        let recent = self.recent.iter_mut().enumerate();
        let recent = recent.filter_map(|(at, part)| Some((*part.peek()?.0, false, at)));
        let archived = self.archived.iter_mut().enumerate();
        let archived = archived.filter_map(|(at, run)| Some((run.bound()?, true, at)));
        recent.chain(archived).reduce(|first, other| {
            let is_before = match newest_first {
                true => other.0 > first.0,
                false => other.0 < first.0,
            };
            if is_before { other } else { first }
        })
    }
}

impl<'a> Iterator for LogReader<'a> {
    type Item = (LogPosition, &'a Object);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (position, is_archived, at) = self.first()?;
            if !is_archived {
                let (position, handle) = self.recent.get_mut(at)?.next()?;
                if let Some(stored) = self.store.stored(*handle) {
                    return Some((*position, &stored.object));
                }
            } else if let Some(record) = self.archived.get_mut(at)?.next_at(position) {
                return Some((position, &record.stored.object));
            }
        }
    }
}

impl<'a> Iterator for Recent<'a> {
    type Item = (&'a LogPosition, &'a u32);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::OldestFirst(range) => range.next(),
            Self::NewestFirst(range) => range.next(),
        }
    }
}

impl<'a> RunReader<'a> {
    /// A position that the next record does not come before. It is that of the record if a chunk is open.
    fn bound(&mut self) -> Option<LogPosition> {
        if let Some(next) = self.next_open() {
            return Some(next.position());
        }
        loop {
            let number = match self.newest_first {
                true => self.chunks.back(),
                false => self.chunks.front(),
            };
            let chunk = self.archive.chunk(*number?);
            let bounds = chunk.map(|chunk| (chunk.first, chunk.last));
            if let Some((first, last)) = bounds.filter(|(first, last)| self.overlaps(*first, *last))
            {
                return Some(if self.newest_first { last } else { first });
            }
            self.skip();
        }
    }

    /// Returns the next record if it is at this position; opens the next chunk if none is open.
    fn next_at(&mut self, position: LogPosition) -> Option<&'a ArchivedRecord> {
        if self.open.is_empty() {
            let number = self.skip()?;
            let range = self.range;
            let records = self.archive.records(number);
            let start = records.partition_point(|record| record.position() < range.0);
            let end = records.partition_point(|record| is_up_to(record.position(), range.1));
            self.open = records.get(start..end).unwrap_or_default();
        }
        if self.next_open()?.position() != position {
            return None;
        }
        let (record, rest) = match self.newest_first {
            true => self.open.split_last()?,
            false => self.open.split_first()?,
        };
        self.open = rest;
        Some(record)
    }

    fn next_open(&self) -> Option<&'a ArchivedRecord> {
        match self.newest_first {
            true => self.open.last(),
            false => self.open.first(),
        }
    }

    fn overlaps(&self, first: LogPosition, last: LogPosition) -> bool {
        last >= self.range.0 && is_up_to(first, self.range.1)
    }

    /// Removes the next chunk.
    fn skip(&mut self) -> Option<u32> {
        match self.newest_first {
            true => self.chunks.pop_back(),
            false => self.chunks.pop_front(),
        }
    }
}

fn is_up_to(position: LogPosition, end: Bound<LogPosition>) -> bool {
    match end {
        Bound::Included(end) => position <= end,
        Bound::Excluded(end) => position < end,
        Bound::Unbounded => true,
    }
}
