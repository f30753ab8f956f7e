use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use entra_core::Clock;

use crate::{
    expiring_map::ExpiringMap,
    store::{EncryptedStore, StoreError, StoreKey, StorePartition},
};

/// Sessions of one process, gone when it ends; the oldest make room for new ones.
pub(super) struct Memory {
    clock: Arc<dyn Clock>,
    kept: Mutex<ExpiringMap<StoreKey, Vec<u8>>>,
}

impl Memory {
    pub(super) fn new(clock: Arc<dyn Clock>, most: usize) -> Self {
        Self {
            clock,
            kept: Mutex::new(ExpiringMap::new(most)),
        }
    }

    fn kept(&self) -> MutexGuard<'_, ExpiringMap<StoreKey, Vec<u8>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl EncryptedStore for Memory {
    async fn load(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
        let now = self.clock.monotonic();
        let found = self.kept().get(key, now).cloned();
        Ok(found)
    }

    async fn save(
        &self,
        key: &StoreKey,
        entry: &[u8],
        keep_for: Duration,
    ) -> Result<(), StoreError> {
        let now = self.clock.monotonic();
        self.kept()
            .insert(key.clone(), entry.to_vec(), keep_for, now);
        Ok(())
    }

    async fn remove(&self, key: &StoreKey) -> Result<(), StoreError> {
        drop(self.kept().remove(key));
        Ok(())
    }

    async fn remove_partition(&self, partition: &StorePartition) -> Result<(), StoreError> {
        self.kept().retain(|key, _| key.partition() != partition);
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
        memory.save(&keys[0], b"1", Duration::ZERO).await.unwrap();
        assert_eq!(memory.kept().len(), 1);
    }
}
