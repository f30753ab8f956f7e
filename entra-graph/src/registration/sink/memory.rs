//! A sink in memory.

use entra_core::{Clock, SystemClock};

use super::{ConnectionIds, Reference, SecretSink, SecretSlot, SinkEntry, SinkError};
use crate::areas::applications::NewSecret;

/// A sink that holds new secrets in memory, for the caller to take them from.
#[derive(Debug)]
pub struct MemorySink {
    entries: Vec<(SecretSlot, SinkEntry)>,
    secrets: Vec<(SecretSlot, NewSecret)>,
    ids: Option<ConnectionIds>,
    clock: Box<dyn Clock>,
}

impl MemorySink {
    /// An empty sink.
    #[must_use]
    pub fn new() -> Self {
        Self {
            entries: Vec::new(),
            secrets: Vec::new(),
            ids: None,
            clock: Box::new(SystemClock),
        }
    }

    /// With another clock than the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// The new secrets in the order in which they were added.
    pub fn secrets(&self) -> impl Iterator<Item = (&SecretSlot, &NewSecret)> {
        self.secrets.iter().map(|(slot, secret)| (slot, secret))
    }

    /// The ids of the registration that was applied last.
    #[must_use]
    pub const fn ids(&self) -> Option<&ConnectionIds> {
        self.ids.as_ref()
    }

    fn put(&mut self, slot: &SecretSlot, entry: SinkEntry) {
        self.entries.retain(|(one, _)| one != slot);
        self.entries.push((slot.clone(), entry));
    }
}

impl Default for MemorySink {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait::async_trait]
impl SecretSink for MemorySink {
    async fn lookup(&mut self, slot: &SecretSlot) -> Result<SinkEntry, SinkError> {
        let found = self.entries.iter().find(|(one, _)| one == slot);
        Ok(found.map_or(SinkEntry::Missing, |(_, entry)| *entry))
    }

    async fn reserve(&mut self, slot: &SecretSlot, reference: Reference) -> Result<(), SinkError> {
        let at = self.clock.now();
        self.put(slot, SinkEntry::Reserved { reference, at });
        Ok(())
    }

    async fn release(&mut self, slot: &SecretSlot) -> Result<(), SinkError> {
        self.entries.retain(|(one, _)| one != slot);
        Ok(())
    }

    async fn store(&mut self, slot: &SecretSlot, secret: &NewSecret) -> Result<(), SinkError> {
        let at = self.clock.now();
        let id = secret.id();
        self.put(slot, SinkEntry::Stored { id, at });
        self.secrets.push((slot.clone(), secret.clone()));
        Ok(())
    }

    async fn store_ids(&mut self, ids: &ConnectionIds) -> Result<(), SinkError> {
        self.ids = Some(ids.clone());
        Ok(())
    }
}
