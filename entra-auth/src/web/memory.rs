use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use entra_core::Clock;

use crate::{
    expiring_map::ExpiringMap,
    store::{EncryptedStore, StoreError, StoreKey, StorePartition},
};

/// The sessions of one process, which are lost when it ends. When it is full, the oldest entries
/// are removed for new ones.
pub(super) struct Memory {
    clock: Arc<dyn Clock>,
    entries: Mutex<Entries>,
}

/// The entries, and which of them each partition has: a sign-out at Entra removes one partition of
/// up to 200,000 entries, and any client can request it.
struct Entries {
    map: ExpiringMap<StoreKey, Vec<u8>>,
    partitions: HashMap<StorePartition, HashSet<StoreKey>>,
    /// How many keys the partitions have, including those of entries that the map has removed.
    indexed: usize,
}

impl Memory {
    pub(super) fn new(clock: Arc<dyn Clock>, capacity: usize) -> Self {
        Self {
            clock,
            entries: Mutex::new(Entries {
                map: ExpiringMap::new(capacity),
                partitions: HashMap::new(),
                indexed: 0,
            }),
        }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn insert(&mut self, key: &StoreKey, entry: &[u8], lifetime: Duration, now: Instant) {
        self.map.insert(key.clone(), entry.to_vec(), lifetime, now);
        let keys = self.partitions.entry(key.partition().clone());
        let is_new = keys.or_default().insert(key.clone());
        self.indexed += usize::from(is_new);
        // The map removes expired and old entries by itself. Their keys are removed when they are
        // as many as the entries, so that the cost per insertion is bounded.
        if self.indexed > 2 * self.map.len() + SPARE_KEYS {
            self.remove_unused_keys();
        }
    }

    fn remove(&mut self, key: &StoreKey) {
        self.map.remove(key);
        if let Some(keys) = self.partitions.get_mut(key.partition()) {
            self.indexed -= usize::from(keys.remove(key));
            if keys.is_empty() {
                self.partitions.remove(key.partition());
            }
        }
    }

    fn remove_partition(&mut self, partition: &StorePartition) {
        let keys = self.partitions.remove(partition).unwrap_or_default();
        self.indexed -= keys.len();
        for key in keys {
            self.map.remove(&key);
        }
    }

    fn remove_unused_keys(&mut self) {
        let Self {
            map, partitions, ..
        } = self;
        partitions.retain(|_, keys| {
            keys.retain(|key| map.peek(key).is_some());
            !keys.is_empty()
        });
        self.indexed = partitions.values().map(HashSet::len).sum();
    }
}

#[async_trait]
impl EncryptedStore for Memory {
    async fn load(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
        let now = self.clock.monotonic();
        let found = self.entries().map.get(key, now).cloned();
        Ok(found)
    }

    async fn save(
        &self,
        key: &StoreKey,
        entry: &[u8],
        lifetime: Duration,
    ) -> Result<(), StoreError> {
        let now = self.clock.monotonic();
        self.entries().insert(key, entry, lifetime, now);
        Ok(())
    }

    async fn remove(&self, key: &StoreKey) -> Result<(), StoreError> {
        self.entries().remove(key);
        Ok(())
    }

    async fn remove_partition(&self, partition: &StorePartition) -> Result<(), StoreError> {
        self.entries().remove_partition(partition);
        Ok(())
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

/// Keys without an entry that a small store may have.
const SPARE_KEYS: usize = 64;

#[cfg(test)]
mod tests {
    use entra_core::ManualClock;
    use proptest::prelude::*;

    use super::*;

    #[tokio::test]
    async fn the_oldest_entries_are_removed_first_and_expired_entries_are_not_found() {
        let clock = ManualClock::new();
        let memory = Memory::new(Arc::new(clock.clone()), 2);
        let keys = ["a", "b", "c"].map(|name| StoreKey::new(name, "x"));
        for key in &keys {
            let hour = Duration::from_secs(3600);
            memory.save(key, b"1", hour).await.unwrap();
        }
        assert!(memory.load(&keys[0]).await.unwrap().is_none());
        assert!(memory.load(&keys[1]).await.unwrap().is_some());
        memory.remove_partition(keys[1].partition()).await.unwrap();
        assert!(memory.load(&keys[1]).await.unwrap().is_none());
        clock.advance(Duration::from_secs(3600));
        assert!(memory.load(&keys[2]).await.unwrap().is_none());
        memory.save(&keys[0], b"1", Duration::ZERO).await.unwrap();
        assert_eq!(memory.entries().map.len(), 1);
    }

    #[tokio::test]
    async fn the_partition_index_stays_bounded_while_entries_expire_and_are_evicted() {
        let clock = ManualClock::new();
        let memory = Memory::new(Arc::new(clock.clone()), 100);
        for number in 0..10_000 {
            let key = StoreKey::new(&format!("user {number}"), "session");
            let minute = Duration::from_secs(60);
            memory.save(&key, b"1", minute).await.unwrap();
            clock.advance(Duration::from_secs(number % 3));
            let entries = memory.entries();
            let keys: usize = entries.partitions.values().map(HashSet::len).sum();
            assert_eq!(entries.indexed, keys);
            assert!(keys <= 2 * entries.map.len() + SPARE_KEYS, "{keys}");
            assert!(entries.partitions.values().all(|keys| !keys.is_empty()));
        }
    }

    proptest! {
        #[test]
        fn removing_a_partition_removes_exactly_its_entries(
            steps in proptest::collection::vec((0_u8..6, 0_u8..4, 0_u8..4), 0..200),
        ) {
            let now = Instant::now();
            let mut entries = Entries {
                map: ExpiringMap::new(6),
                partitions: HashMap::new(),
                indexed: 0,
            };
            let mut searched = ExpiringMap::new(6);
            for (step, partition, entry) in steps {
                let key = StoreKey::new(&partition.to_string(), &entry.to_string());
                match step {
                    0 => {
                        entries.remove(&key);
                        searched.remove(&key);
                    }
                    1 => {
                        entries.remove_partition(key.partition());
                        searched.retain(|known: &StoreKey, _| known.partition() != key.partition());
                    }
                    _ => {
                        let hour = Duration::from_secs(3600);
                        entries.insert(&key, b"1", hour, now);
                        searched.insert(key, b"1".to_vec(), hour, now);
                    }
                }
                prop_assert_eq!(entries.map.len(), searched.len());
                for (key, _) in searched.iter() {
                    prop_assert!(entries.map.peek(key).is_some());
                    prop_assert!(entries.partitions[key.partition()].contains(key));
                }
            }
        }
    }
}
