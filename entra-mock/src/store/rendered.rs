//! The JSON of objects that lists have shown.
//!
//! It is found by the version of an object, which names its content, so no write has to invalidate it. JSON stays in
//! the buffer of the page that it was rendered for: objects that are neighbours in a list are neighbours there, and a
//! later page takes them as one piece.

use std::{
    collections::VecDeque,
    fmt,
    num::NonZeroU64,
    ops::Range,
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

use bytes::Bytes;
use hashbrown::HashMap;

/// The rendered objects of a tenant.
#[derive(Default)]
pub(crate) struct RenderedObjects(RwLock<Blocks>);

/// The rendered objects while they are read.
pub(crate) struct RenderedGuard<'a>(RwLockReadGuard<'a, Blocks>);

/// Finds the objects of one projection.
pub(crate) struct RenderedReader<'a> {
    blocks: &'a Blocks,
    projection: u64,
    /// The block of the object that was found last, and the position after it.
    block: Option<u64>,
    entries: &'a [Entry],
    next: usize,
}

/// Where the JSON of an object is.
#[derive(Clone, Debug)]
pub(crate) struct RenderedJson {
    pub(crate) buffer: u64,
    pub(crate) range: Range<usize>,
}

/// Newly rendered objects in one buffer.
#[derive(Debug)]
pub(crate) struct NewlyRendered {
    pub(crate) buffer: Bytes,
    /// Projection and version of each object, and its place.
    pub(crate) objects: Vec<(u64, NonZeroU64, Range<usize>)>,
}

#[derive(Default)]
struct Blocks {
    /// By number and projection. Neighbours are in one block, sorted by version.
    blocks: HashMap<(u64, u64), Vec<Entry>>,
    /// The keys of the blocks in the order of their creation.
    order: VecDeque<(u64, u64)>,
    buffers: HashMap<u64, Buffer>,
    next_buffer: u64,
    bytes: usize,
}

struct Entry {
    version: NonZeroU64,
    json: RenderedJson,
}

struct Buffer {
    json: Bytes,
    /// The number of entries with JSON in this buffer.
    used: usize,
}

impl RenderedObjects {
    pub(crate) fn read(&self) -> RenderedGuard<'_> {
        // A panic while the lock was held leaves at worst JSON that nothing finds.
        RenderedGuard(self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds newly rendered objects, and removes the oldest ones while there are too many.
    pub(crate) fn add(&self, rendered: Vec<NewlyRendered>) {
        if rendered.is_empty() {
            return;
        }
        let mut blocks = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for part in rendered {
            blocks.add(part);
        }
        blocks.shrink(MAX_BYTES);
    }
}

impl RenderedGuard<'_> {
    pub(crate) fn reader(&self, projection: u64) -> RenderedReader<'_> {
        RenderedReader {
            blocks: &self.0,
            projection,
            block: None,
            entries: &[],
            next: 0,
        }
    }

    /// Returns a buffer.
    pub(crate) fn buffer(&self, number: u64) -> Option<&Bytes> {
        self.0.buffers.get(&number).map(|buffer| &buffer.json)
    }
}

impl RenderedReader<'_> {
    /// Returns the JSON of the object with this version, if it is there.
    pub(crate) fn find(&mut self, version: NonZeroU64) -> Option<RenderedJson> {
        let block = version.get() / BLOCK;
        if self.block != Some(block) {
            self.block = Some(block);
            let entries = self.blocks.blocks.get(&(block, self.projection));
            self.entries = entries.map_or(&[], Vec::as_slice);
            self.next = 0;
        }
        let is_next = |entry: &Entry| entry.version == version;
        if !self.entries.get(self.next).is_some_and(is_next) {
            let found = self
                .entries
                .binary_search_by_key(&version, |entry| entry.version);
            self.next = found.ok()?;
        }
        self.next += 1;
        Some(self.entries[self.next - 1].json.clone())
    }
}

impl Blocks {
    fn add(&mut self, rendered: NewlyRendered) {
        let number = self.next_buffer;
        self.next_buffer += 1;
        let mut used = 0;
        for (projection, version, range) in rendered.objects {
            let key = (version.get() / BLOCK, projection);
            let block = self.blocks.entry(key).or_default();
            if block.is_empty() {
                self.order.push_back(key);
                self.bytes += BLOCK_OVERHEAD;
            }
            // Another request can have rendered it at the same time.
            if let Err(at) = block.binary_search_by_key(&version, |entry| entry.version) {
                let json = RenderedJson {
                    buffer: number,
                    range,
                };
                block.insert(at, Entry { version, json });
                used += 1;
            }
        }
        if used > 0 {
            let json = rendered.buffer;
            self.bytes += json.len() + used * size_of::<Entry>();
            self.buffers.insert(number, Buffer { json, used });
        }
    }

    /// Removes the oldest blocks until they use at most this many bytes.
    fn shrink(&mut self, most: usize) {
        while self.bytes > most
            && let Some(key) = self.order.pop_front()
        {
            for entry in self.blocks.remove(&key).into_iter().flatten() {
                self.bytes -= size_of::<Entry>();
                let number = entry.json.buffer;
                let Some(buffer) = self.buffers.get_mut(&number) else {
                    continue;
                };
                buffer.used -= 1;
                if buffer.used == 0 {
                    self.bytes -= buffer.json.len();
                    self.buffers.remove(&number);
                }
            }
            self.bytes -= BLOCK_OVERHEAD;
        }
    }
}

impl fmt::Debug for RenderedObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It follows from the objects.
        f.debug_struct("RenderedObjects").finish_non_exhaustive()
    }
}

/// The number of versions in one block.
const BLOCK: u64 = 64;
/// The bytes of a block beside its entries, and of a buffer beside its JSON.
const BLOCK_OVERHEAD: usize = 256;
/// The JSON of about 20,000 users.
const MAX_BYTES: usize = 10 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(number: u64) -> NonZeroU64 {
        NonZeroU64::new(number).unwrap()
    }

    /// A page that shows these versions; the JSON of each is its number.
    fn page(projection: u64, versions: &[u64]) -> NewlyRendered {
        let mut buffer = Vec::new();
        let mut objects = Vec::new();
        for number in versions {
            let start = buffer.len();
            buffer.extend_from_slice(format!("{projection}:{number}").as_bytes());
            objects.push((projection, version(*number), start..buffer.len()));
            buffer.push(b',');
        }
        NewlyRendered {
            buffer: buffer.into(),
            objects,
        }
    }

    fn find(
        guard: &RenderedGuard<'_>,
        reader: &mut RenderedReader<'_>,
        number: u64,
    ) -> Option<String> {
        let found = reader.find(version(number))?;
        let json = guard.buffer(found.buffer).unwrap()[found.range].to_vec();
        Some(String::from_utf8(json).unwrap())
    }

    #[test]
    fn the_json_of_each_projection_is_found_by_version() {
        let rendered = RenderedObjects::default();
        rendered.add(vec![page(1, &[63, 64, 65, 700])]);
        rendered.add(vec![page(2, &[64]), page(1, &[66, 65, 62])]);
        let guard = rendered.read();
        let mut first = guard.reader(1);
        for number in [700, 62, 63, 64, 65, 66, 63] {
            let expected = Some(format!("1:{number}"));
            assert_eq!(find(&guard, &mut first, number), expected);
        }
        assert_eq!(find(&guard, &mut first, 67), None);
        assert_eq!(find(&guard, &mut first, 6_400), None);
        let mut second = guard.reader(2);
        assert_eq!(find(&guard, &mut second, 63), None);
        assert_eq!(find(&guard, &mut second, 64).as_deref(), Some("2:64"));
    }

    #[test]
    fn neighbours_of_one_page_are_neighbours_in_memory() {
        let rendered = RenderedObjects::default();
        rendered.add(vec![page(1, &[1, 2, 3])]);
        let guard = rendered.read();
        let mut reader = guard.reader(1);
        let found: Vec<_> = [1, 2, 3]
            .iter()
            .map(|number| reader.find(version(*number)).unwrap())
            .collect();
        for pair in found.windows(2) {
            assert_eq!(pair[0].buffer, pair[1].buffer);
            assert_eq!(pair[0].range.end + 1, pair[1].range.start);
        }
    }

    proptest! {
        #[test]
        fn the_memory_is_bounded_and_counted(
            pages in prop::collection::vec((1_u64..4, prop::collection::vec(1_u64..2_000, 1..40)), 1..40),
            most in 0_usize..20_000,
        ) {
            let mut blocks = Blocks::default();
            for (projection, versions) in &pages {
                blocks.add(page(*projection, versions));
                blocks.shrink(most);
                prop_assert!(blocks.bytes <= most);
                let entries: usize = blocks.blocks.values().map(Vec::len).sum();
                let used: usize = blocks.buffers.values().map(|buffer| buffer.used).sum();
                let json: usize = blocks.buffers.values().map(|buffer| buffer.json.len()).sum();
                prop_assert_eq!(entries, used);
                prop_assert_eq!(blocks.blocks.len(), blocks.order.len());
                let expected = json + entries * size_of::<Entry>() + blocks.blocks.len() * BLOCK_OVERHEAD;
                prop_assert_eq!(blocks.bytes, expected);
            }
        }
    }
}
