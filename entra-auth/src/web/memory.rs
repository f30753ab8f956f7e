use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use entra_core::{Clock, Timestamp};

use crate::store::{EncryptedStore, StoreError, StoreKey, StorePartition};

/// Sessions of one process, gone when it ends; the oldest make room for new ones.
pub(super) struct Memory {
    clock: Arc<dyn Clock>,
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    entries: HashMap<StoreKey, Entry>,
    by_age: BTreeMap<u64, StoreKey>,
    next: u64,
}

struct Entry {
    bytes: Vec<u8>,
    until: Timestamp,
    age: u64,
}

impl Memory {
    pub(super) fn new(clock: Arc<dyn Clock>, most: usize) -> Self {
        Self {
            clock,
            most,
            kept: Mutex::default(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn take(&mut self, key: &StoreKey) {
        if let Some(entry) = self.entries.remove(key) {
            self.by_age.remove(&entry.age);
        }
    }
}

#[async_trait]
impl EncryptedStore for Memory {
    async fn load(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
        let now = self.clock.now();
        let mut kept = self.kept();
        let found = kept.entries.get(key).filter(|entry| entry.until > now);
        let found = found.map(|entry| entry.bytes.clone());
        if found.is_none() {
            kept.take(key);
        }
        Ok(found)
    }

    async fn save(
        &self,
        key: &StoreKey,
        entry: &[u8],
        keep_for: Duration,
    ) -> Result<(), StoreError> {
        let keep_for = keep_for
            .try_into()
            .unwrap_or(entra_core::time::Duration::MAX);
        let until = self.clock.now().saturating_add(keep_for);
        let mut kept = self.kept();
        kept.take(key);
        let age = kept.next;
        kept.next += 1;
        kept.by_age.insert(age, key.clone());
        let entry = Entry {
            bytes: entry.to_vec(),
            until,
            age,
        };
        kept.entries.insert(key.clone(), entry);
        while kept.entries.len() > self.most {
            match kept.by_age.pop_first() {
                Some((_, oldest)) => kept.entries.remove(&oldest),
                None => break,
            };
        }
        Ok(())
    }

    async fn remove(&self, key: &StoreKey) -> Result<(), StoreError> {
        self.kept().take(key);
        Ok(())
    }

    async fn remove_partition(&self, partition: &StorePartition) -> Result<(), StoreError> {
        let mut kept = self.kept();
        let gone: Vec<StoreKey> = kept
            .entries
            .keys()
            .filter(|key| key.partition() == partition)
            .cloned()
            .collect();
        for key in gone {
            kept.take(&key);
        }
        Ok(())
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use entra_core::ManualClock;

    use super::*;

    #[tokio::test]
    async fn the_oldest_make_room_and_the_expired_are_gone() {
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
        assert!(memory.kept().entries.is_empty() && memory.kept().by_age.is_empty());
    }
}
