//! A sink in memory.

use entra_core::{Clock, SystemClock, Timestamp};

use super::{ConnectionIds, Reference, SecretSink, SecretSlot, SinkEntry, SinkError};
use crate::areas::applications::{NewSecret, SecretId};

/// A sink that holds new secrets in memory, for the caller to take them from.
#[derive(Debug)]
pub struct MemorySink {
    entries: Vec<(SecretSlot, Entry)>,
    secrets: Vec<(SecretSlot, NewSecret)>,
    ids: Option<ConnectionIds>,
    clock: Box<dyn Clock>,
}

/// What it holds for one secret.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    stored: Option<(SecretId, Timestamp)>,
    reserved: Option<(Reference, Timestamp)>,
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

    fn entry(&self, slot: &SecretSlot) -> Entry {
        let found = self.entries.iter().find(|(one, _)| one == slot);
        found.map_or_else(Entry::default, |(_, entry)| *entry)
    }

    fn put(&mut self, slot: &SecretSlot, entry: Entry) {
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
        let Entry { stored, reserved } = self.entry(slot);
        Ok(match (reserved, stored) {
            (Some((reference, at)), _) => SinkEntry::Reserved {
                reference,
                at,
                previous: stored.map(|(id, _)| id),
            },
            (None, Some((id, at))) => SinkEntry::Stored { id, at },
            (None, None) => SinkEntry::Missing,
        })
    }

    async fn reserve(&mut self, slot: &SecretSlot, reference: Reference) -> Result<(), SinkError> {
        let reserved = Some((reference, self.clock.now()));
        let stored = self.entry(slot).stored;
        self.put(slot, Entry { stored, reserved });
        Ok(())
    }

    async fn release(&mut self, slot: &SecretSlot) -> Result<(), SinkError> {
        let stored = self.entry(slot).stored;
        let reserved = None;
        self.put(slot, Entry { stored, reserved });
        Ok(())
    }

    async fn store(&mut self, slot: &SecretSlot, secret: &NewSecret) -> Result<(), SinkError> {
        let stored = Some((secret.id(), self.clock.now()));
        let reserved = None;
        self.put(slot, Entry { stored, reserved });
        self.secrets.push((slot.clone(), secret.clone()));
        Ok(())
    }

    async fn store_ids(&mut self, ids: &ConnectionIds) -> Result<(), SinkError> {
        self.ids = Some(ids.clone());
        Ok(())
    }
}
