//! Items that are read rarely, compressed.

use std::{
    fmt,
    io::{Read as _, Write as _},
    sync::{Arc, OnceLock},
};

use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use serde::{Serialize, de::DeserializeOwned};

use super::guids;

/// An item of a chunk.
pub(super) trait ChunkItem: Serialize + DeserializeOwned {
    /// Prepares items that were read for staying in memory.
    fn prepare(_items: &mut [Self]) {}
}

/// Compressed items in order. Copies share them.
pub(super) struct Chunk<T> {
    /// The GUIDs of the items, and behind them the rest of their JSON, compressed.
    packed: Arc<[u8]>,
    /// How many bytes the GUIDs have.
    guids: usize,
    length: usize,
    /// The items, once something has read them.
    items: OnceLock<Vec<T>>,
}

impl<T: ChunkItem> Chunk<T> {
    /// Compresses items. Returns `None` if one of them has no JSON.
    pub(super) fn new(items: &[T]) -> Option<Self> {
        // What packing needed is freed before the chunk gets its place, so that there are no gaps between chunks.
        let (packed, guids) = pack(items)?;
        Some(Self {
            packed: packed.into(),
            guids,
            length: items.len(),
            items: OnceLock::new(),
        })
    }

    /// The number of items.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Reads the items. They stay in memory until [`close`](Self::close).
    pub(super) fn items(&self) -> &[T] {
        self.items.get_or_init(|| {
            let items = self.read();
            debug_assert!(items.is_some(), "a chunk can be read again");
            items.unwrap_or_default()
        })
    }

    /// Frees the memory of items that were read.
    pub(super) fn close(&mut self) {
        self.items.take();
    }

    pub(super) fn into_items(mut self) -> Vec<T> {
        self.items();
        self.items.take().unwrap_or_default()
    }

    #[cfg(test)]
    pub(super) fn is_open(&self) -> bool {
        self.items.get().is_some()
    }

    fn read(&self) -> Option<Vec<T>> {
        let (guids, compressed) = self.packed.split_at_checked(self.guids)?;
        let mut text = Vec::new();
        DeflateDecoder::new(compressed)
            .read_to_end(&mut text)
            .ok()?;
        let json = guids::join(&text, guids)?;
        let mut items: Vec<T> = serde_json::from_slice(&json).ok()?;
        T::prepare(&mut items);
        Some(items)
    }
}

/// Returns the GUIDs of the items and the compressed rest, and how many bytes the GUIDs have.
fn pack(items: &[impl Serialize]) -> Option<(Vec<u8>, usize)> {
    let split = guids::split(&serde_json::to_vec(items).ok()?);
    let guids = split.guids.len();
    let mut encoder = DeflateEncoder::new(split.guids, Compression::fast());
    encoder.write_all(&split.text).ok()?;
    Some((encoder.finish().ok()?, guids))
}

impl<T> Clone for Chunk<T> {
    fn clone(&self) -> Self {
        Self {
            packed: Arc::clone(&self.packed),
            guids: self.guids,
            length: self.length,
            items: OnceLock::new(),
        }
    }
}

impl<T> fmt::Debug for Chunk<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunk")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl ChunkItem for String {}

    #[test]
    fn items_are_read_as_they_were_and_can_be_closed() {
        let items: Vec<String> = (0..300)
            .map(|number| format!("item {number} \"ä\""))
            .collect();
        let mut chunk = Chunk::new(&items).unwrap();
        assert!(!chunk.is_open() && chunk.packed.len() < 1_500, "{chunk:?}");
        assert_eq!((chunk.items(), chunk.len()), (items.as_slice(), 300));
        assert!(chunk.is_open() && !chunk.clone().is_open());
        chunk.close();
        assert!(!chunk.is_open());
        assert_eq!(chunk.clone().into_items(), items);
        assert_eq!(chunk.into_items(), items);
    }
}
