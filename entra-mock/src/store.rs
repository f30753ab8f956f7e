//! The tenant's state: JSON objects by kind, their keys, and the links between them.
//!
//! Nothing here knows HTTP, OData or permissions. Every look-up the Graph side needs on its hot
//! path is an index: by id, by alternate key, by time for the two logs, by principal and resource
//! for app role assignments, and both directions of every relation.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
};

use serde_json::Value;

use crate::time::ticks;

mod changes;
mod deleted;
mod kinds;
mod links;
mod object;
mod photos;
mod sharing;
mod unique;

use crate::schema::IdForm;
pub(crate) use crate::schema::{Kind, Relation};
pub(crate) use changes::{Actor, Change, ChangeLog, Event};
use deleted::DeletedItems;
pub(crate) use kinds::{Conflict, Latest, Moment};
use links::Link;
pub(crate) use object::Object;
pub(crate) use photos::Photo;
use sharing::Sharing;
use unique::UniqueValues;

/// All objects of one tenant.
#[derive(Debug, Default)]
pub(crate) struct Store {
    slots: Vec<Option<Slot>>,
    sharing: Sharing,
    free: Vec<u32>,
    next_serial: u64,
    ids: HashMap<Box<str>, u32>,
    unique: UniqueValues,
    /// What happened to directory objects.
    pub(crate) changes: ChangeLog,
    deleted: DeletedItems,
    photos: HashMap<Box<str>, Photo>,
    /// Every kind in insertion order.
    order: HashMap<Kind, Vec<(u64, u32)>>,
    /// The logs in time order. Sign-ins of applications and silent ones are kept apart: there are
    /// many of them, and the list of interactive ones must not wade through them.
    by_time: HashMap<(Kind, Shelf), BTreeMap<LogPosition, u32>>,
    /// Each user's sign-ins in time order.
    by_user: HashMap<Box<str>, Vec<(LogPosition, u32)>>,
    by_principal: HashMap<Box<str>, Vec<u32>>,
    by_resource: HashMap<Box<str>, Vec<u32>>,
    forward: HashMap<(Relation, u32), Vec<u32>>,
    backward: HashMap<(Relation, u32), Vec<u32>>,
}

/// Where a log record stands: its time in 100 ns ticks, then its serial number.
pub(crate) type LogPosition = (i64, u64);

/// Which part of a log a record belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Shelf {
    /// What v1.0 lists.
    Listed,
    Unlisted,
}

#[derive(Debug)]
struct Slot {
    kind: Kind,
    serial: u64,
    object: Object,
}

impl Store {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Stores an object under its `id`, which no other object of any kind may have.
    pub(crate) fn insert(&mut self, kind: Kind, object: impl Into<Object>) -> Result<(), Conflict> {
        let object = object.into();
        if let Some(id) = text(&object, "id")
            && self.deleted.has(&id.to_ascii_lowercase())
        {
            return Err(Conflict::Taken {
                property: "id",
                value: id.to_owned(),
            });
        }
        let id = self.insert_quietly(kind, object)?;
        self.changes.record(kind, &id, Event::Created);
        Ok(())
    }

    /// Why an object cannot be stored, if it cannot.
    pub(crate) fn conflict(&self, kind: Kind, object: &Object) -> Option<Conflict> {
        let own = text(object, "id").and_then(|id| self.handle(id));
        self.unique.conflict(kind, object, own)
    }

    /// Stores an object without a change; returns its id.
    fn insert_quietly(&mut self, kind: Kind, mut object: Object) -> Result<String, Conflict> {
        let Some(id) = text(&object, "id")
            .filter(|id| !id.is_empty())
            .map(str::to_owned)
        else {
            return Err(Conflict::NoId);
        };
        // Assignment ids are case-sensitive text, all other ids GUIDs in lower case.
        let id = if kind.entity().id == IdForm::CaseSensitive {
            id
        } else {
            id.to_ascii_lowercase()
        };
        if self.ids.contains_key(id.as_str()) {
            return Err(Conflict::Taken {
                property: "id",
                value: id,
            });
        }
        if let Some(conflict) = self.unique.conflict(kind, &object, None) {
            return Err(conflict);
        }
        object.insert("id".to_owned(), Value::String(id.clone()));
        self.sharing.pack(&mut object);

        let serial = self.next_serial;
        self.next_serial += 1;
        let handle = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        self.ids.insert(id.clone().into_boxed_str(), handle);
        self.unique.add(kind, &object, handle);
        self.index_contents(kind, handle, serial, &object);
        self.order.entry(kind).or_default().push((serial, handle));
        self.slots[handle as usize] = Some(Slot {
            kind,
            serial,
            object,
        });
        Ok(id)
    }

    pub(crate) fn get(&self, kind: Kind, id: &str) -> Option<&Object> {
        let slot = self.slot(self.handle(id)?)?;
        (slot.kind == kind).then_some(&slot.object)
    }

    /// The object of whatever kind with that id.
    pub(crate) fn any(&self, id: &str) -> Option<(Kind, &Object)> {
        let slot = self.slot(self.handle(id)?)?;
        Some((slot.kind, &slot.object))
    }

    pub(crate) fn kind_of(&self, id: &str) -> Option<Kind> {
        Some(self.slot(self.handle(id)?)?.kind)
    }

    /// The one object whose `id` or alternate key has that value; letter case does not matter.
    pub(crate) fn find(&self, kind: Kind, property: &str, value: &str) -> Option<&Object> {
        if property == "id" {
            return self.get(kind, value);
        }
        let handle = self.unique.find(kind, property, value)?;
        let slot = self.slot(handle)?;
        (slot.kind == kind).then_some(&slot.object)
    }

    /// Changes an object in place and keeps every index right; `false`, and nothing changes, if there
    /// is no such object or it would get a value that another one has.
    pub(crate) fn update(
        &mut self,
        kind: Kind,
        id: &str,
        change: impl FnOnce(&mut Object),
    ) -> bool {
        let Some(handle) = self.handle(id) else {
            return false;
        };
        let Some(mut slot) = self
            .slots
            .get_mut(handle as usize)
            .and_then(|slot| slot.take_if(|slot| slot.kind == kind))
        else {
            return false;
        };
        let before = slot.object.clone();
        change(&mut slot.object);
        if let Some(id) = before.get("id") {
            slot.object.insert("id".to_owned(), id.clone());
        }
        let fits = self
            .unique
            .conflict(kind, &slot.object, Some(handle))
            .is_none();
        if fits {
            self.unindex_contents(kind, slot.serial, &before, handle);
            self.unique.remove(kind, &before);
            self.sharing.pack(&mut slot.object);
            self.unique.add(kind, &slot.object, handle);
            self.index_contents(kind, handle, slot.serial, &slot.object);
            let changed = differences(&before, &slot.object);
            if !changed.is_empty() {
                let id = text(&slot.object, "id").unwrap_or_default();
                self.changes.record(kind, id, Event::Updated(changed));
            }
        } else {
            slot.object = before;
        }
        self.slots[handle as usize] = Some(slot);
        fits
    }

    /// Removes an object for good, with every link and app role assignment it takes part in.
    pub(crate) fn remove(&mut self, kind: Kind, id: &str) -> bool {
        let Some((object, links, _, _)) = self.detach(kind, id) else {
            return false;
        };
        let id = text(&object, "id").unwrap_or_default();
        self.photos.remove(id);
        for link in links.iter().filter(|link| !link.outgoing) {
            if let Some(from) = self.kind_of(&link.other) {
                let what = Event::Unlinked(link.relation, kind, id.into());
                self.changes.record(from, &link.other, what);
            }
        }
        self.changes.record(kind, id, Event::Purged);
        true
    }

    /// Takes an object out with its links and assignments, without a change.
    fn detach(&mut self, kind: Kind, id: &str) -> Option<(Object, Vec<Link>, Vec<Object>, u64)> {
        let handle = self.handle(id)?;
        let slot = self
            .slots
            .get_mut(handle as usize)?
            .take_if(|slot| slot.kind == kind)?;
        let own_id = text(&slot.object, "id").unwrap_or_default().to_owned();
        self.unindex_contents(kind, slot.serial, &slot.object, handle);
        self.ids.remove(own_id.as_str());
        self.unique.remove(kind, &slot.object);
        if let Some(order) = self.order.get_mut(&kind)
            && let Ok(at) = order.binary_search_by_key(&slot.serial, |(serial, _)| *serial)
        {
            order.remove(at);
        }
        let links = self.cut_links(handle);
        let orphans: Vec<String> = [&self.by_principal, &self.by_resource]
            .into_iter()
            .flat_map(|index| index.get(own_id.as_str()).into_iter().flatten())
            .filter_map(|handle| text(&self.slot(*handle)?.object, "id").map(str::to_owned))
            .collect();
        let assignments = orphans
            .iter()
            .filter_map(|orphan| self.detach(Kind::AppRoleAssignment, orphan))
            .map(|(assignment, ..)| assignment)
            .collect();
        self.free.push(handle);
        let serial = self.next_serial;
        self.next_serial += 1;
        Some((slot.object, links, assignments, serial))
    }

    /// All objects of a kind, in the order they were inserted.
    pub(crate) fn all(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.after(kind, None).map(|(_, object)| object)
    }

    /// The objects inserted after serial number `position`, each with its own serial number.
    pub(crate) fn after(
        &self,
        kind: Kind,
        position: Option<u64>,
    ) -> impl Iterator<Item = (u64, &Object)> {
        let order = self.order.get(&kind).map(Vec::as_slice).unwrap_or_default();
        let start = position.map_or(0, |position| {
            order.partition_point(|(serial, _)| *serial <= position)
        });
        order[start..]
            .iter()
            .filter_map(|(serial, handle)| Some((*serial, &self.slot(*handle)?.object)))
    }

    /// A log's listed records between two times (in ticks, both inclusive), newest first, those before
    /// `position` only.
    pub(crate) fn log(
        &self,
        kind: Kind,
        from: i64,
        to: i64,
        position: Option<LogPosition>,
    ) -> impl Iterator<Item = (LogPosition, &Object)> {
        let end = match position {
            Some(position) if position <= (to, u64::MAX) => Bound::Excluded(position),
            _ => Bound::Included((to, u64::MAX)),
        };
        let start = Bound::Included((from, 0));
        let empty = match end {
            Bound::Excluded(end) => end <= (from, 0),
            _ => to < from,
        };
        self.by_time
            .get(&(kind, Shelf::Listed))
            .filter(|_| !empty)
            .into_iter()
            .flat_map(move |log| log.range((start, end)).rev())
            .filter_map(|(position, handle)| Some((*position, &self.slot(*handle)?.object)))
    }

    pub(crate) fn len(&self, kind: Kind) -> usize {
        self.order.get(&kind).map_or(0, Vec::len)
    }

    /// The app role assignments a user, group or service principal has.
    pub(crate) fn assignments_of(&self, principal: &str) -> impl Iterator<Item = &Object> {
        self.assignments(&self.by_principal, principal)
    }

    /// The app role assignments given for a resource service principal.
    pub(crate) fn assignments_to(&self, resource: &str) -> impl Iterator<Item = &Object> {
        self.assignments(&self.by_resource, resource)
    }

    /// The objects `from` links to.
    pub(crate) fn linked_objects(
        &self,
        relation: Relation,
        from: &str,
    ) -> impl Iterator<Item = (Kind, &Object)> {
        self.neighbours(&self.forward, relation, from)
    }

    /// The objects that link to `to`.
    pub(crate) fn linking_objects(
        &self,
        relation: Relation,
        to: &str,
    ) -> impl Iterator<Item = (Kind, &Object)> {
        self.neighbours(&self.backward, relation, to)
    }

    /// Whether v1.0 lists a log record.
    pub(crate) fn is_listed(&self, kind: Kind, object: &Object) -> bool {
        shelf(kind, object) == Shelf::Listed
    }

    /// A user's latest sign-ins, if there were any.
    pub(crate) fn latest_sign_ins(&self, user: &str) -> Option<Latest> {
        let log = self.by_user.get(user).filter(|log| !log.is_empty())?;
        let mut latest = Latest::default();
        for (_, handle) in log.iter().rev() {
            let Some(slot) = self.slot(*handle) else {
                continue;
            };
            let interactive = shelf(slot.kind, &slot.object) == Shelf::Listed;
            let status = slot
                .object
                .get("status")
                .and_then(|status| status.get("errorCode"));
            let attempt = if interactive {
                &mut latest.interactive
            } else {
                &mut latest.silent
            };
            attempt.get_or_insert_with(|| Moment::of(&slot.object));
            if status.is_none_or(|code| *code == 0) {
                latest
                    .successful
                    .get_or_insert_with(|| Moment::of(&slot.object));
            }
            if latest.interactive.is_some()
                && latest.silent.is_some()
                && latest.successful.is_some()
            {
                break;
            }
        }
        Some(latest)
    }

    fn handle(&self, id: &str) -> Option<u32> {
        self.ids
            .get(id)
            .or_else(|| self.ids.get(id.to_ascii_lowercase().as_str()))
            .copied()
    }

    fn slot(&self, handle: u32) -> Option<&Slot> {
        self.slots.get(handle as usize)?.as_ref()
    }

    fn neighbours<'a>(
        &'a self,
        links: &'a Links,
        relation: Relation,
        id: &str,
    ) -> impl Iterator<Item = (Kind, &'a Object)> + use<'a> {
        let handles = self
            .handle(id)
            .and_then(|handle| links.get(&(relation, handle)));
        let handles = handles.map(Vec::as_slice).unwrap_or_default();
        handles
            .iter()
            .filter_map(|handle| self.slot(*handle).map(|slot| (slot.kind, &slot.object)))
    }

    fn assignments<'a>(
        &'a self,
        index: &'a HashMap<Box<str>, Vec<u32>>,
        id: &str,
    ) -> impl Iterator<Item = &'a Object> + use<'a> {
        index
            .get(id.to_ascii_lowercase().as_str())
            .into_iter()
            .flatten()
            .filter_map(|handle| Some(&self.slot(*handle)?.object))
    }

    /// Indexes by time, principal and resource.
    fn index_contents(&mut self, kind: Kind, handle: u32, serial: u64, object: &Object) {
        if let Some(property) = kind.log_time() {
            let time = text(object, property).and_then(ticks).unwrap_or(i64::MIN);
            let shelf = shelf(kind, object);
            self.by_time
                .entry((kind, shelf))
                .or_default()
                .insert((time, serial), handle);
            if let Some(user) = text(object, "userId").filter(|_| kind == Kind::SignIn) {
                let log = self
                    .by_user
                    .entry(user.to_ascii_lowercase().into_boxed_str())
                    .or_default();
                let at = log.partition_point(|(position, _)| *position < (time, serial));
                log.insert(at, ((time, serial), handle));
            }
        }
        if kind == Kind::AppRoleAssignment {
            for (index, property) in [
                (&mut self.by_principal, "principalId"),
                (&mut self.by_resource, "resourceId"),
            ] {
                if let Some(id) = text(object, property) {
                    index
                        .entry(id.to_ascii_lowercase().into_boxed_str())
                        .or_default()
                        .push(handle);
                }
            }
        }
    }

    fn unindex_contents(&mut self, kind: Kind, serial: u64, object: &Object, handle: u32) {
        if let Some(property) = kind.log_time()
            && let Some(log) = self.by_time.get_mut(&(kind, shelf(kind, object)))
        {
            let time = text(object, property).and_then(ticks).unwrap_or(i64::MIN);
            log.remove(&(time, serial));
            if let Some(log) = text(object, "userId")
                .and_then(|user| self.by_user.get_mut(user.to_ascii_lowercase().as_str()))
            {
                log.retain(|(position, _)| *position != (time, serial));
            }
        }
        if kind == Kind::AppRoleAssignment {
            for (index, property) in [
                (&mut self.by_principal, "principalId"),
                (&mut self.by_resource, "resourceId"),
            ] {
                if let Some(id) = text(object, property)
                    && let Some(handles) = index.get_mut(id.to_ascii_lowercase().as_str())
                {
                    handles.retain(|other| *other != handle);
                }
            }
        }
    }
}

/// The properties in which an object differs from what it was, with their values before; what the
/// engine keeps for itself does not count.
fn differences(before: &Object, after: &Object) -> Vec<(&'static str, Option<Value>)> {
    let changed = before
        .iter()
        .filter(|(name, value)| after.get(name) != Some(value))
        .map(|(name, value)| (name, Some(value.clone())));
    let added = after
        .iter()
        .filter(|(name, _)| before.get(name).is_none())
        .map(|(name, _)| (name, None));
    changed
        .chain(added)
        .filter(|(name, _)| !name.starts_with('~'))
        .collect()
}

type Links = HashMap<(Relation, u32), Vec<u32>>;

/// v1.0 lists interactive sign-ins of users only; a record without types counts as one.
fn shelf(kind: Kind, object: &Object) -> Shelf {
    let types = object.get("signInEventTypes").and_then(Value::as_array);
    let interactive = types.is_none_or(|types| types.iter().any(|name| name == "interactiveUser"));
    if kind != Kind::SignIn || interactive {
        Shelf::Listed
    } else {
        Shelf::Unlisted
    }
}

fn text<'a>(object: &'a Object, property: &str) -> Option<&'a str> {
    object.get(property)?.as_str()
}

#[cfg(test)]
mod tests;
