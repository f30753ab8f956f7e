//! Deleted items: objects that can be restored, with the links they had.

use std::collections::{BTreeMap, HashMap};

use entra_core::Timestamp;
use serde_json::Value;

use super::{
    Conflict, Dependent, Event, Kind, Link, Object, Relation, Store, derived::access_properties,
};

/// The deleted objects in the order of their deletion.
#[derive(Clone, Debug, Default)]
pub(super) struct DeletedItems {
    pub(super) items: BTreeMap<u64, Deleted>,
    pub(super) ids: HashMap<Box<str>, u64>,
}

/// One deleted object.
#[derive(Clone, Debug)]
pub(super) struct Deleted {
    pub(super) kind: Kind,
    pub(super) object: Object,
    pub(super) at: Timestamp,
    pub(super) links: Vec<Link>,
    /// Its app role assignments and permission grants.
    pub(super) dependents: Vec<Dependent>,
}

impl Store {
    /// Moves an object to the deleted items with all its links. `change` adapts it to the form of a
    /// deleted object.
    pub(crate) fn delete(
        &mut self,
        kind: Kind,
        id: &str,
        change: impl FnOnce(&mut Object),
    ) -> bool {
        let at = self.changes.now();
        let Some((mut object, links, dependents, serial)) = self.take_out(kind, id) else {
            return false;
        };
        change(&mut object);
        let id = object.text("id").unwrap_or_default().to_owned();
        self.changes.record(kind, &id, Event::Deleted);
        self.record_removed(&dependents);
        self.deleted.ids.insert(id.into_boxed_str(), serial);
        let item = Deleted {
            kind,
            object,
            at,
            links,
            dependents,
        };
        self.touched.deleted(serial);
        self.deleted.items.insert(serial, item);
        true
    }

    /// Restores a deleted object with its links to existing objects. `change` adapts it to the form
    /// of a live object.
    pub(crate) fn restore(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut Object),
    ) -> Result<(), Conflict> {
        self.restore_as(id, change, false)
    }

    /// Restores a deleted object; its links are not changes that a delta query reports.
    pub(crate) fn restore_without_word(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut Object),
    ) -> Result<(), Conflict> {
        self.restore_as(id, change, true)
    }

    fn restore_as(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut Object),
        is_silent: bool,
    ) -> Result<(), Conflict> {
        let Some(serial) = self.deleted.serial(id) else {
            return Err(Conflict::NoId);
        };
        let Some(item) = self.deleted.items.get(&serial) else {
            return Err(Conflict::NoId);
        };
        let (kind, mut object) = (item.kind, item.object.clone());
        change(&mut object);
        self.insert_quietly(kind, object)?;
        self.touched.deleted(serial);
        let Some(item) = self.deleted.take(serial) else {
            return Ok(());
        };
        let id = item.object.text("id").unwrap_or_default().to_owned();
        self.changes.record(kind, &id, Event::Restored);
        let was_paused = self.changes.is_paused();
        self.changes.pause(was_paused || is_silent);
        for link in item.links {
            // The other object can be deleted too; then the link waits there.
            let waiting = self.deleted.serial(&link.other);
            if let Some(serial) = waiting
                && let Some(other) = self.deleted.items.get_mut(&serial)
            {
                self.touched.deleted(serial);
                other.links.push(Link {
                    relation: link.relation,
                    outgoing: !link.outgoing,
                    other: id.clone().into_boxed_str(),
                });
            } else if link.outgoing {
                self.link(link.relation, &id, &link.other);
            } else {
                self.link(link.relation, &link.other, &id);
            }
        }
        self.changes.pause(was_paused);
        for dependent in item.dependents {
            self.restore_dependent(dependent);
        }
        Ok(())
    }

    /// Restores an assignment or grant if all its objects exist. If one is deleted too, it waits there.
    fn restore_dependent(&mut self, (kind, object): Dependent) {
        let absent = access_properties(kind)
            .iter()
            .filter_map(|(_, property)| object.text(property))
            .find(|id| self.any(id).is_none());
        let Some(absent) = absent else {
            // Its id is unique, so storing it cannot fail.
            let _ = self.insert(kind, object);
            return;
        };
        if let Some(serial) = self.deleted.serial(absent)
            && let Some(item) = self.deleted.items.get_mut(&serial)
        {
            self.touched.deleted(serial);
            item.dependents.push((kind, object));
        }
    }

    /// Deletes a deleted object permanently.
    pub(crate) fn purge(&mut self, id: &str) -> bool {
        let Some(serial) = self.deleted.serial(id) else {
            return false;
        };
        let Some(item) = self.deleted.take(serial) else {
            return false;
        };
        let id = item.object.text("id").unwrap_or_default();
        self.touched.deleted(serial);
        self.touched.photo(id);
        self.photos.remove(id);
        for link in item.links.iter().filter(|link| !link.outgoing) {
            if let Some(from) = self.kind_of(&link.other) {
                let what = Event::Unlinked(link.relation, item.kind, id.into());
                self.changes.record(from, &link.other, what);
            }
        }
        self.changes.record(item.kind, id, Event::Purged);
        true
    }

    /// Returns the ids of objects that were deleted before a time, oldest first.
    pub(crate) fn deleted_before(&self, time: Timestamp) -> Vec<String> {
        let old = |item: &&Deleted| item.at <= time;
        self.deleted
            .items
            .values()
            .take_while(old)
            .filter_map(|item| item.object.text("id").map(str::to_owned))
            .collect()
    }

    /// Returns the deleted object with that id.
    pub(crate) fn deleted(&self, id: &str) -> Option<(Kind, &Object)> {
        let item = self.deleted.items.get(&self.deleted.serial(id)?)?;
        Some((item.kind, &item.object))
    }

    /// Whether a deleted object linked to another one.
    pub(crate) fn was_linked(&self, relation: Relation, from: &str, to: &str) -> bool {
        let item = self
            .deleted
            .serial(from)
            .and_then(|serial| self.deleted.items.get(&serial));
        item.is_some_and(|item| {
            item.links
                .iter()
                .any(|link| link.outgoing && link.relation == relation && *link.other == *to)
        })
    }

    /// Returns the deleted objects of a kind after a position, each with its own position.
    pub(crate) fn deleted_after(
        &self,
        kind: Kind,
        position: Option<u64>,
    ) -> impl Iterator<Item = (u64, &Object)> {
        let start = position.map_or(0, |position| position.saturating_add(1));
        self.deleted
            .items
            .range(start..)
            .filter(move |(_, item)| item.kind == kind)
            .map(|(serial, item)| (*serial, &item.object))
    }
}

impl DeletedItems {
    fn serial(&self, id: &str) -> Option<u64> {
        self.ids
            .get(id)
            .or_else(|| self.ids.get(id.to_ascii_lowercase().as_str()))
            .copied()
    }

    /// Whether an id belongs to a deleted object.
    pub(super) fn has(&self, id: &str) -> bool {
        self.ids.contains_key(id)
    }

    fn take(&mut self, serial: u64) -> Option<Deleted> {
        let item = self.items.remove(&serial)?;
        if let Some(id) = item.object.get("id").and_then(Value::as_str) {
            self.ids.remove(id);
        }
        Some(item)
    }
}
