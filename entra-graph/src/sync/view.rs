//! The rows that one step reads, and what it writes over them.

use std::collections::BTreeMap;

use super::{
    rows::{Entry, LinkEntry},
    store::range,
};

/// Rows of the store, read ahead, below the rows of the step.
#[derive(Debug, Default)]
pub(super) struct View {
    read: BTreeMap<String, Option<String>>,
    written: BTreeMap<String, Option<String>>,
}

impl View {
    /// Adds a row of the store, or that it does not exist.
    pub(super) fn load(&mut self, key: String, value: Option<String>) {
        self.read.insert(key, value);
    }

    /// Whether a row was read.
    pub(super) fn has(&self, key: &str) -> bool {
        self.read.contains_key(key)
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.written
            .get(key)
            .or_else(|| self.read.get(key))?
            .as_deref()
    }

    pub(super) fn entry(&self, key: &str) -> Option<Entry> {
        Entry::read(self.get(key)?)
    }

    pub(super) fn link(&self, key: &str) -> Option<LinkEntry> {
        LinkEntry::read(self.get(key)?)
    }

    pub(super) fn put(&mut self, key: String, value: impl Into<String>) {
        self.written.insert(key, Some(value.into()));
    }

    /// Deletes a row, if it is there.
    pub(super) fn delete(&mut self, key: String) {
        if self.get(&key).is_some() {
            self.written.insert(key, None);
        }
    }

    /// The rows with a prefix, of those that were read or written.
    pub(super) fn scan(&self, prefix: &str) -> Vec<(String, String)> {
        let mut rows: BTreeMap<&String, &Option<String>> =
            range(&self.read, prefix, None).collect();
        rows.extend(range(&self.written, prefix, None));
        rows.into_iter()
            .filter_map(|(key, value)| Some((key.clone(), value.clone()?)))
            .collect()
    }

    /// What the step writes, in the order of the keys.
    pub(super) fn into_rows(self) -> Vec<(String, Option<String>)> {
        let read = self.read;
        self.written
            .into_iter()
            .filter(|(key, value)| read.get(key) != Some(value))
            .collect()
    }
}
