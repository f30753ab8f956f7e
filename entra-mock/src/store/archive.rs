//! The archive of the logs: records that requests wrote some time ago, compressed.
//!
//! A server that runs for months writes one record for each token and each change, and almost none of them is ever
//! read. A record in the archive has a handle like any other object. Reading it decompresses its chunk, and the next
//! write closes the chunk again. A write to such a record takes its whole chunk out of the archive first.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use hashbrown::HashMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    Kind, LogPartition, LogPosition, Object, Store, StoredObject,
    chunk::{Chunk, ChunkItem},
    derived::{index_key, log_partition, log_ticks},
    sharing::Sharing,
};

/// One part of a log.
#[derive(Clone, Debug, Default)]
pub(super) struct LogPart {
    /// The records that are objects in the store, in time order.
    pub(super) recent: BTreeMap<LogPosition, u32>,
    /// Those of them that requests wrote, in the order of writing. Removed ones can be among them.
    written: VecDeque<LogPosition>,
    /// Numbers of archived chunks. Within one run they are in time order and do not overlap. There is one run unless
    /// the clock was set back.
    pub(super) runs: Vec<VecDeque<u32>>,
}

/// The compressed records of all logs.
#[derive(Debug, Default)]
pub(super) struct Archive {
    chunks: HashMap<u32, ArchivedChunk>,
    next: u32,
    /// How many records of each log there are.
    lengths: HashMap<Kind, usize>,
    /// Chunks that were read.
    opened: Mutex<Vec<u32>>,
}

#[derive(Clone, Debug)]
pub(super) struct ArchivedChunk {
    part: (Kind, LogPartition),
    pub(super) first: LogPosition,
    pub(super) last: LogPosition,
    records: Chunk<ArchivedRecord>,
}

/// A record in the archive.
#[derive(Debug)]
pub(super) struct ArchivedRecord {
    time: i64,
    pub(super) stored: StoredObject,
}

/// The oldest part of a log that can be removed.
enum Oldest {
    Record(LogPartition),
    Chunk(u32),
}

impl ArchivedRecord {
    pub(super) const fn position(&self) -> LogPosition {
        (self.time, self.stored.serial)
    }
}

impl Serialize for ArchivedRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let StoredObject {
            kind,
            serial,
            object,
        } = &self.stored;
        (self.time, serial, *kind as usize, object).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ArchivedRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (time, serial, kind, object) = <(i64, u64, usize, Object)>::deserialize(deserializer)?;
        let kind = Kind::ALL.get(kind);
        let kind = kind.ok_or_else(|| serde::de::Error::custom("the kind does not exist"))?;
        Ok(Self {
            time,
            stored: StoredObject {
                kind: *kind,
                serial,
                object,
            },
        })
    }
}

impl ChunkItem for ArchivedRecord {
    fn prepare(records: &mut [Self]) {
        let mut sharing = Sharing::default();
        for record in records {
            sharing.pack(&mut record.stored.object);
            // It is packed again each time it is read.
            record.stored.object.forget_version();
        }
    }
}

impl Clone for Archive {
    fn clone(&self) -> Self {
        Self {
            chunks: self.chunks.clone(),
            next: self.next,
            lengths: self.lengths.clone(),
            opened: Mutex::default(),
        }
    }
}

impl Archive {
    /// Whether a handle is that of a record in the archive.
    pub(super) const fn has(handle: u32) -> bool {
        handle & ARCHIVED != 0
    }

    /// Returns the record with that handle.
    pub(super) fn stored(&self, handle: u32) -> Option<&StoredObject> {
        let record = self.records(chunk_of(handle)).get(place_of(handle))?;
        Some(&record.stored)
    }

    pub(super) fn chunk(&self, number: u32) -> Option<&ArchivedChunk> {
        self.chunks.get(&number)
    }

    /// Reads the records of a chunk.
    pub(super) fn records(&self, number: u32) -> &[ArchivedRecord] {
        let Some(chunk) = self.chunks.get(&number) else {
            return &[];
        };
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if !opened.contains(&number) {
            opened.push(number);
        }
        drop(opened);
        chunk.records.items()
    }

    /// The number of records of a log.
    pub(super) fn len(&self, kind: Kind) -> usize {
        self.lengths.get(&kind).copied().unwrap_or(0)
    }

    /// Returns all records of a log.
    pub(super) fn all(&self, kind: Kind) -> impl Iterator<Item = &StoredObject> {
        let chunks = self.chunks.iter();
        let chunks = chunks.filter(move |(_, chunk)| chunk.part.0 == kind);
        let numbers = chunks.map(|(number, _)| *number);
        numbers.flat_map(|number| self.records(number).iter().map(|record| &record.stored))
    }

    /// Frees the memory of the records that were read.
    pub(super) fn close(&mut self) {
        let opened = self
            .opened
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        for number in opened.drain(..) {
            if let Some(chunk) = self.chunks.get_mut(&number) {
                chunk.records.close();
            }
        }
    }
}

impl Store {
    /// Stores a log record that a request wrote. The oldest of such records are removed while there are more than
    /// [`log_capacity`](Self::log_capacity), and when they are older than `oldest`, in ticks.
    pub(crate) fn write_log(&mut self, kind: Kind, record: Object, oldest: i64) {
        let serial = self.next_serial;
        if self.insert(kind, record).is_err() {
            return;
        }
        let Some((part, position)) = self.position_of(kind, serial) else {
            return;
        };
        self.log_part(kind, part).written.push_back(position);
        while self.remove_oldest_record(kind, oldest) {}
        self.archive_oldest_records(kind, part);
    }

    /// Takes every record of the logs for one that a request wrote, after their restore from a file.
    #[cfg(feature = "server")]
    pub(crate) fn relearn_written_logs(&mut self, kind: Kind) {
        for part in [LogPartition::Listed, LogPartition::Unlisted] {
            let log = self.log_part(kind, part);
            log.written = log.recent.keys().copied().collect();
            while self.archive_oldest_records(kind, part) {}
        }
    }

    /// Sets how many records of each log are stored at least, of those that requests write.
    #[cfg(any(test, feature = "server", feature = "wiremock"))]
    pub(crate) const fn set_log_capacity(&mut self, records: usize) {
        self.log_capacity = records;
    }

    /// How many records of each log are stored at least.
    #[cfg(feature = "server")]
    pub(crate) const fn log_capacity(&self) -> usize {
        self.log_capacity
    }

    /// How many records a log has.
    #[cfg(feature = "server")]
    pub(crate) fn log_records(&self, kind: Kind) -> usize {
        self.order.get(&kind).map_or(0, Vec::len) + self.archive.len(kind)
    }

    /// How many records of a log were removed before their time, because there were more than the capacity.
    #[cfg(feature = "server")]
    pub(crate) fn dropped_log_records(&self, kind: Kind) -> u64 {
        self.dropped_log_records.get(&kind).copied().unwrap_or(0)
    }

    fn log_part(&mut self, kind: Kind, part: LogPartition) -> &mut LogPart {
        self.by_time.entry((kind, part)).or_default()
    }

    /// Where the record with that serial number is, which was stored just now.
    fn position_of(&self, kind: Kind, serial: u64) -> Option<(LogPartition, LogPosition)> {
        let (_, handle) = self.order.get(&kind)?.last()?;
        let stored = self
            .stored(*handle)
            .filter(|stored| stored.serial == serial)?;
        let part = log_partition(kind, &stored.object);
        Some((part, (log_ticks(kind, &stored.object), serial)))
    }

    /// Compresses the oldest of the written records of a part, if there are many that are not. Returns whether it did.
    fn archive_oldest_records(&mut self, kind: Kind, part: LogPartition) -> bool {
        let is_plain = kind.entity().unique().next().is_none() && self.archive.next < MAX_CHUNKS;
        let log = self.log_part(kind, part);
        if log.written.len() < RECENT + CHUNK || !is_plain {
            return false;
        }
        let mut positions: Vec<LogPosition> = log.written.drain(..CHUNK).collect();
        positions.retain(|position| log.recent.contains_key(position));
        positions.sort_unstable();
        let handles: Vec<u32> = positions
            .iter()
            .filter_map(|position| log.recent.remove(position))
            .collect();
        let (Some(first), Some(last)) = (positions.first(), positions.last()) else {
            return true;
        };
        let (first, last) = (*first, *last);
        let mut records = Vec::with_capacity(handles.len());
        for ((time, _), handle) in positions.iter().zip(&handles) {
            let stored = self.objects.get_mut(*handle as usize);
            records.extend(stored.and_then(Option::take).map(|stored| ArchivedRecord {
                time: *time,
                stored,
            }));
        }
        let Some(chunk) = Chunk::new(&records) else {
            self.put_back(kind, part, handles, records);
            return false;
        };
        let number = self.archive.next;
        self.archive.next += 1;
        for (place, (record, handle)) in (0..).zip(records.iter().zip(&handles)) {
            self.move_record(
                &record.stored,
                record.position(),
                *handle,
                archived(number, place),
            );
            self.free.push(*handle);
        }
        if let Some(order) = self.order.get_mut(&kind) {
            let mut serials: Vec<u64> = positions.iter().map(|(_, serial)| *serial).collect();
            serials.sort_unstable();
            order.retain(|(serial, _)| serials.binary_search(serial).is_err());
        }
        let chunks = &self.archive.chunks;
        let log = self.by_time.entry((kind, part)).or_default();
        let is_before = |run: &&mut VecDeque<u32>| {
            let chunk = run.back().and_then(|number| chunks.get(number));
            chunk.is_none_or(|chunk| chunk.last < first)
        };
        match log.runs.iter_mut().find(is_before) {
            Some(run) => run.push_back(number),
            None => log.runs.push(VecDeque::from([number])),
        }
        let archived = ArchivedChunk {
            part: (kind, part),
            first,
            last,
            records: chunk,
        };
        *self.archive.lengths.entry(kind).or_default() += archived.records.len();
        self.archive.chunks.insert(number, archived);
        true
    }

    /// Stores records again that were taken out to be archived.
    fn put_back(
        &mut self,
        kind: Kind,
        part: LogPartition,
        handles: Vec<u32>,
        records: Vec<ArchivedRecord>,
    ) {
        for (record, handle) in records.into_iter().zip(handles) {
            let log = self.log_part(kind, part);
            log.recent.insert(record.position(), handle);
            log.written.push_back(record.position());
            if let Some(place) = self.objects.get_mut(handle as usize) {
                *place = Some(record.stored);
            }
        }
    }

    /// Changes the handle of a record in the indexes by id and by user.
    fn move_record(&mut self, stored: &StoredObject, position: LogPosition, from: u32, to: u32) {
        let id = stored.object.text("id").unwrap_or_default();
        let key = index_key(stored.kind, id);
        self.ids.remove(&key, from);
        self.ids.insert(&key, to);
        if let Some(log) = self.sign_ins_of(&stored.object)
            && let Ok(at) = log.binary_search_by_key(&position, |sign_in| sign_in.position)
        {
            log[at].handle = to;
        }
    }

    /// Returns a handle that is not in the archive. If the record is there, its chunk is taken out.
    pub(super) fn outside_of_archive(&mut self, handle: u32) -> Option<u32> {
        if !Archive::has(handle) {
            return Some(handle);
        }
        let place = place_of(handle);
        let (chunk, part) = self.take_chunk(chunk_of(handle))?;
        let mut found = None;
        let mut positions = Vec::new();
        for (at, record) in chunk.into_iter().enumerate() {
            let position = record.position();
            let own = self.free.pop().unwrap_or_else(|| {
                self.objects.push(None);
                u32::try_from(self.objects.len() - 1).unwrap_or(u32::MAX)
            });
            let from = (handle & !PLACE) | u32::try_from(at).unwrap_or(u32::MAX);
            self.move_record(&record.stored, position, from, own);
            let kind = record.stored.kind;
            let order = self.order.entry(kind).or_default();
            let index = order.partition_point(|(serial, _)| *serial < record.stored.serial);
            order.insert(index, (record.stored.serial, own));
            self.log_part(kind, part).recent.insert(position, own);
            if let Some(free) = self.objects.get_mut(own as usize) {
                *free = Some(record.stored);
            }
            positions.push((kind, position));
            if at == place {
                found = Some(own);
            }
        }
        for (kind, position) in positions.into_iter().rev() {
            self.log_part(kind, part).written.push_front(position);
        }
        found
    }

    /// Removes the oldest record or chunk of a log if it is too old, or if there are more than enough records without
    /// it.
    fn remove_oldest_record(&mut self, kind: Kind, oldest: i64) -> bool {
        let parts = [LogPartition::Listed, LogPartition::Unlisted];
        let mut written = self.archive.len(kind);
        let mut first: Option<(LogPosition, LogPosition, usize, Oldest)> = None;
        for part in parts {
            let Some(log) = self.by_time.get_mut(&(kind, part)) else {
                continue;
            };
            while let Some(position) = log.written.front()
                && !log.recent.contains_key(position)
            {
                log.written.pop_front();
            }
            written += log.written.len();
            let record = log.written.front();
            let record = record.map(|position| (*position, *position, 1, Oldest::Record(part)));
            let chunks = log.runs.iter().filter_map(|run| {
                let number = *run.front()?;
                let chunk = self.archive.chunks.get(&number)?;
                let length = chunk.records.len();
                Some((chunk.first, chunk.last, length, Oldest::Chunk(number)))
            });
            first = first
                .into_iter()
                .chain(record)
                .chain(chunks)
                .min_by_key(|other| other.0);
        }
        let Some((_, last, length, what)) = first else {
            return false;
        };
        if last.0 >= oldest && written - length < self.log_capacity {
            return false;
        }
        if last.0 >= oldest {
            *self.dropped_log_records.entry(kind).or_default() += length as u64;
        }
        match what {
            Oldest::Chunk(number) => self.remove_chunk(number),
            Oldest::Record(part) => {
                let log = self.log_part(kind, part);
                let position = log.written.pop_front();
                let handle = position.and_then(|position| log.recent.get(&position).copied());
                let stored = handle.and_then(|handle| self.stored(handle));
                let id = stored.and_then(|stored| stored.object.text("id").map(str::to_owned));
                if let Some(id) = id {
                    self.remove(kind, &id);
                }
            }
        }
        true
    }

    /// Removes all records of a chunk.
    fn remove_chunk(&mut self, number: u32) {
        let Some((records, _)) = self.take_chunk(number) else {
            return;
        };
        for (place, record) in (0..).zip(records) {
            let StoredObject { kind, object, .. } = &record.stored;
            let id = object.text("id").unwrap_or_default();
            self.touched.object(*kind, id);
            self.ids
                .remove(&index_key(*kind, id), archived(number, place));
            let position = record.position();
            if let Some(log) = self.sign_ins_of(object) {
                log.retain(|sign_in| sign_in.position != position);
            }
        }
    }

    /// Takes a chunk out of the archive; the indexes by id and by user still have its records.
    fn take_chunk(&mut self, number: u32) -> Option<(Vec<ArchivedRecord>, LogPartition)> {
        let chunk = self.archive.chunks.remove(&number)?;
        let (kind, part) = chunk.part;
        if let Some(length) = self.archive.lengths.get_mut(&kind) {
            *length -= chunk.records.len();
        }
        let log = self.log_part(kind, part);
        for run in &mut log.runs {
            run.retain(|other| *other != number);
        }
        log.runs.retain(|run| !run.is_empty());
        Some((chunk.records.into_items(), part))
    }
}

const fn archived(chunk: u32, place: u32) -> u32 {
    ARCHIVED | chunk << PLACE_BITS | place
}

const fn chunk_of(handle: u32) -> u32 {
    (handle & !ARCHIVED) >> PLACE_BITS
}

const fn place_of(handle: u32) -> usize {
    (handle & PLACE) as usize
}

/// The bit of handles that no object outside of the archive has: a store has fewer objects.
const ARCHIVED: u32 = 1 << 31;
/// The bits of a handle for the place in a chunk.
const PLACE_BITS: u32 = 8;
const PLACE: u32 = (1 << PLACE_BITS) - 1;
const CHUNK: usize = 1 << PLACE_BITS;
const MAX_CHUNKS: u32 = 1 << (31 - PLACE_BITS);
/// How many written records of each part of a log are not compressed at least.
const RECENT: usize = 1_024;

#[cfg(test)]
mod tests;
