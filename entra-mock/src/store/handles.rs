//! Small collections of handles: the numbers of objects in the store.

use std::hash::{BuildHasher, Hash};

use hashbrown::{DefaultHashBuilder, Equivalent, HashMap, HashTable, hash_map::Entry};

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

/// Handles by a key, in the order in which they were added. Most keys have one, which needs no list.
#[derive(Clone, Debug)]
pub(super) struct HandleMap<K> {
    single: HashMap<K, u32>,
    /// A key that is here is not among the single ones.
    lists: HashMap<K, Vec<u32>>,
}

impl<K> Default for HandleMap<K> {
    fn default() -> Self {
        Self {
            single: HashMap::new(),
            lists: HashMap::new(),
        }
    }
}

impl<K: Eq + Hash> HandleMap<K> {
    pub(super) fn get<Q: Equivalent<K> + Hash + ?Sized>(&self, key: &Q) -> &[u32] {
        match self.single.get(key) {
            Some(handle) => std::slice::from_ref(handle),
            None => self.lists.get(key).map_or(&[], Vec::as_slice),
        }
    }

    pub(super) fn add(&mut self, key: K, handle: u32) {
        if let Some(list) = self.lists.get_mut(&key) {
            return list.push(handle);
        }
        match self.single.entry(key) {
            Entry::Vacant(free) => {
                free.insert(handle);
            }
            Entry::Occupied(taken) => {
                let (key, first) = taken.remove_entry();
                self.lists.insert(key, vec![first, handle]);
            }
        }
    }

    /// Removes a handle. Returns whether it was there.
    pub(super) fn remove<Q: Equivalent<K> + Hash + ?Sized>(
        &mut self,
        key: &Q,
        handle: u32,
    ) -> bool {
        if self.single.get(key) == Some(&handle) {
            self.single.remove(key);
            return true;
        }
        let Some(list) = self.lists.get_mut(key) else {
            return false;
        };
        let before = list.len();
        list.retain(|other| *other != handle);
        let removed = list.len() != before;
        if list.is_empty() {
            self.lists.remove(key);
        }
        removed
    }

    /// Removes all handles of a key, and returns them.
    pub(super) fn take<Q: Equivalent<K> + Hash + ?Sized>(&mut self, key: &Q) -> Vec<u32> {
        match self.single.remove(key) {
            Some(handle) => vec![handle],
            None => self.lists.remove(key).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_keep_their_order() {
        let mut map: HandleMap<Box<str>> = HandleMap::default();
        for handle in [7, 3, 5] {
            map.add("a".into(), handle);
        }
        map.add("b".into(), 1);
        assert_eq!(
            (map.get("a"), map.get("b"), map.get("c")),
            (&[7, 3, 5][..], &[1][..], &[][..])
        );
        assert!(map.remove("a", 3) && !map.remove("a", 3) && !map.remove("b", 2));
        assert_eq!(map.get("a"), [7, 5]);
        assert!(map.remove("a", 7) && map.remove("a", 5) && map.remove("b", 1));
        assert!(map.get("a").is_empty() && map.get("b").is_empty());
        map.add("a".into(), 9);
        assert_eq!(map.get("a"), [9]);
        map.add("b".into(), 4);
        map.add("b".into(), 2);
        assert_eq!(
            (map.take("a"), map.take("b"), map.take("c")),
            (vec![9], vec![4, 2], vec![])
        );
        assert!(map.single.is_empty() && map.lists.is_empty());
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
