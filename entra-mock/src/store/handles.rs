//! Small collections of handles: the numbers of objects in the store.

use std::{
    hash::{BuildHasher, Hash},
    ops::Deref,
};

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

/// Finds handles by a text of their objects. The text itself is only in the object.
#[derive(Clone, Debug, Default)]
pub(super) struct HandleTable {
    /// Half of the hash of each text, which is enough for millions of objects, and the handle.
    entries: HashTable<(u32, u32)>,
    hasher: DefaultHashBuilder,
}

impl HandleTable {
    /// Returns the handle with that text for which a condition holds: the object has the text.
    pub(super) fn find(&self, text: &str, has_text: impl Fn(u32) -> bool) -> Option<u32> {
        let hash = self.hash(text);
        let found = self
            .entries
            .find(spread(hash), |entry| entry.0 == hash && has_text(entry.1));
        found.map(|entry| entry.1)
    }

    /// Adds a handle, unless it is there with that text.
    pub(super) fn insert(&mut self, text: &str, handle: u32) {
        let entry = (self.hash(text), handle);
        if self
            .entries
            .find(spread(entry.0), |other| *other == entry)
            .is_none()
        {
            self.entries
                .insert_unique(spread(entry.0), entry, |other| spread(other.0));
        }
    }

    pub(super) fn remove(&mut self, text: &str, handle: u32) {
        let entry = (self.hash(text), handle);
        if let Ok(found) = self
            .entries
            .find_entry(spread(entry.0), |other| *other == entry)
        {
            found.remove();
        }
    }

    fn hash(&self, text: &str) -> u32 {
        u32::try_from(self.hasher.hash_one(text) >> 32).unwrap_or_default()
    }
}

/// The table uses the highest and the lowest bits.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

/// Handles in the order in which they were added; mostly there is one.
#[derive(Clone, Debug)]
pub(super) enum Handles {
    One(u32),
    #[expect(clippy::box_collection, reason = "a link has the size of two words")]
    Many(Box<Vec<u32>>),
}

impl Handles {
    pub(super) fn push(&mut self, handle: u32) {
        match self {
            Self::One(first) => *self = Self::Many(Box::new(vec![*first, handle])),
            Self::Many(handles) => handles.push(handle),
        }
    }

    /// Removes a handle. Returns whether it was there.
    pub(super) fn remove(&mut self, handle: u32) -> bool {
        let before = self.len();
        match self {
            Self::One(only) if *only == handle => *self = Self::Many(Box::default()),
            Self::One(_) => {}
            Self::Many(handles) => handles.retain(|other| *other != handle),
        }
        self.len() != before
    }
}

impl Deref for Handles {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        match self {
            Self::One(handle) => std::slice::from_ref(handle),
            Self::Many(handles) => handles,
        }
    }
}

/// Adds a handle to those under a key.
pub(super) fn add<K: Eq + Hash>(map: &mut HashMap<K, Handles>, key: K, handle: u32) {
    map.entry(key)
        .and_modify(|handles| handles.push(handle))
        .or_insert(Handles::One(handle));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_keep_their_order() {
        let mut handles = Handles::One(7);
        assert_eq!(*handles, [7]);
        handles.push(3);
        handles.push(5);
        assert!(handles.remove(3) && !handles.remove(3));
        assert_eq!(*handles, [7, 5]);
        assert!(handles.remove(7) && handles.remove(5));
        assert_eq!(*handles, [] as [u32; 0]);
        handles.push(9);
        assert_eq!(*handles, [9]);
        let mut single = Handles::One(1);
        assert!(!single.remove(2) && single.remove(1));
        assert!(single.is_empty());
        assert_eq!(size_of::<Handles>(), 2 * size_of::<usize>());
    }

    #[test]
    fn a_table_finds_handles_by_the_texts_of_their_objects() {
        let texts: Vec<String> = (0..1_000_u32).map(|number| format!("t{number}")).collect();
        let mut table = HandleTable::default();
        for (handle, text) in (0..).zip(&texts) {
            table.insert(text, handle);
            table.insert(text, handle);
        }
        let find = |table: &HandleTable, text: &str| {
            table.find(text, |handle| texts[handle as usize] == text)
        };
        assert_eq!(find(&table, "t77"), Some(77));
        assert_eq!(find(&table, "x"), None);
        table.remove("t77", 77);
        table.remove("t78", 77);
        assert_eq!((find(&table, "t77"), find(&table, "t78")), (None, Some(78)));
    }
}
