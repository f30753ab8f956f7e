//! The objects of a tenant as JSON, their keys, and the links between them.
//!
//! This module uses no HTTP, OData or permissions. Every lookup on the hot path of Graph is an
//! index: by id, by alternate key, by time for the two logs, by principal and resource for app role
//! assignments, and both directions of every link.

use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::HashMap;
use serde_json::Value;

mod archive;
mod changes;
mod chunk;
mod deleted;
mod derived;
mod field;
mod guids;
mod handles;
mod kinds;
mod links;
mod log;
mod name;
mod object;
mod ordered;
mod packed;
mod photos;
mod rendered;
mod shapes;
mod sharing;
#[cfg(feature = "server")]
mod stored;
mod touched;
mod unique;

use crate::schema::IdForm;
pub(crate) use crate::schema::{Kind, Relation};
use archive::{Archive, LogPart};
pub(crate) use changes::{Actor, Change, ChangeLog, Event};
use deleted::DeletedItems;
use derived::{AccessSide, access_properties, index_key, log_partition, log_ticks};
pub(crate) use field::Stored;
use handles::{HandleMap, HandleTable};
pub(crate) use kinds::{Conflict, LatestSignIns, SignInTime};
use links::Link;
pub(crate) use object::Object;
pub(crate) use ordered::Ordered;
use ordered::OrderedIndexes;
pub(crate) use photos::Photo;
pub(crate) use rendered::{
    NewlyRendered, RenderedGuard, RenderedJson, RenderedObject, RenderedObjects, RenderedReader,
};
use sharing::Sharing;
#[cfg(feature = "server")]
pub(crate) use stored::StoredParts;
use touched::Touched;
use unique::UniqueValues;

/// All objects of one tenant.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    objects: Vec<Option<StoredObject>>,
    sharing: Sharing,
    free: Vec<u32>,
    next_serial: u64,
    /// The version of all objects of each kind together.
    versions: [u64; Kind::ALL.len()],
    ids: HandleTable,
    unique: UniqueValues,
    /// The changes of directory objects.
    pub(crate) changes: ChangeLog,
    touched: Touched,
    deleted: DeletedItems,
    photos: HashMap<Box<str>, Photo>,
    /// The objects of each kind in insertion order.
    order: HashMap<Kind, Vec<(u64, u32)>>,
    /// The objects in the order of properties that queries have used.
    ordered: OrderedIndexes,
    /// The logs in time order. Sign-ins of applications and non-interactive ones are separate:
    /// there are many of them, and the list of interactive ones must not skip over them.
    by_time: HashMap<(Kind, LogPartition), LogPart>,
    /// Older records of the logs.
    archive: Archive,
    /// How many records of each log are stored at least, of those that requests write.
    log_capacity: usize,
    /// The records of each log that were removed before their time.
    dropped_log_records: HashMap<Kind, u64>,
    /// The sign-ins of each user in time order.
    by_user: HashMap<Box<str>, Vec<UserSignIn>>,
    /// App role assignments and permission grants by the objects that have the access.
    by_principal: HandleMap<Box<str>>,
    /// App role assignments and permission grants by the object that is accessed.
    by_resource: HandleMap<Box<str>>,
    forward: Links,
    backward: Links,
}

impl Default for Store {
    fn default() -> Self {
        Self::new()
    }
}

/// The position of a log record: its time in ticks of 100 ns, then its serial number.
pub(crate) type LogPosition = (i64, u64);

/// The part of a log that a record belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum LogPartition {
    /// Records that v1.0 lists.
    Listed,
    Unlisted,
}

/// A sign-in of a user.
#[derive(Clone, Copy, Debug)]
struct UserSignIn {
    position: LogPosition,
    handle: u32,
    interactive: bool,
    successful: bool,
}

#[derive(Clone, Debug)]
struct StoredObject {
    kind: Kind,
    serial: u64,
    object: Object,
}

impl Store {
    pub(crate) fn new() -> Self {
        Self {
            objects: Vec::new(),
            sharing: Sharing::default(),
            free: Vec::new(),
            next_serial: 0,
            versions: [0; Kind::ALL.len()],
            ids: HandleTable::default(),
            unique: UniqueValues::default(),
            changes: ChangeLog::default(),
            touched: Touched::default(),
            deleted: DeletedItems::default(),
            photos: HashMap::new(),
            order: HashMap::new(),
            ordered: OrderedIndexes::default(),
            by_time: HashMap::new(),
            archive: Archive::default(),
            log_capacity: LOG_CAPACITY,
            dropped_log_records: HashMap::new(),
            by_user: HashMap::new(),
            by_principal: HandleMap::default(),
            by_resource: HandleMap::default(),
            forward: Links::default(),
            backward: Links::default(),
        }
    }

    /// Stores an object under its `id`, which no other object of any kind may have.
    pub(crate) fn insert(&mut self, kind: Kind, object: impl Into<Object>) -> Result<(), Conflict> {
        let object = object.into();
        if let Some(id) = object.text("id")
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

    /// Returns the conflict that prevents storing an object, if there is one.
    pub(crate) fn conflict(&self, kind: Kind, object: &Object) -> Option<Conflict> {
        let own = object.text("id").and_then(|id| self.handle(id));
        self.unique.conflict(&self.objects, kind, object, own)
    }

    /// Stores an object without a change record; returns its id.
    fn insert_quietly(&mut self, kind: Kind, mut object: Object) -> Result<String, Conflict> {
        self.archive.close();
        let Some(id) = object
            .text("id")
            .filter(|id| !id.is_empty())
            .map(str::to_owned)
        else {
            return Err(Conflict::NoId);
        };
        // Ids of assignments are case-sensitive; all other ids are GUIDs in lower case.
        let id = if kind.entity().id == IdForm::CaseSensitive {
            id
        } else {
            id.to_ascii_lowercase()
        };
        let key = index_key(kind, &id);
        if self.handle_of(&key).is_some() {
            return Err(Conflict::Taken {
                property: "id",
                value: id,
            });
        }
        if let Some(conflict) = self.unique.conflict(&self.objects, kind, &object, None) {
            return Err(conflict);
        }
        if object.text("id") != Some(&*id) {
            object.insert("id".to_owned(), Value::String(id.clone()));
        }
        self.sharing.pack(&mut object);

        let serial = self.next_serial;
        self.next_serial += 1;
        let handle = self.free.pop().unwrap_or_else(|| {
            self.objects.push(None);
            u32::try_from(self.objects.len() - 1).unwrap_or(u32::MAX)
        });
        self.changed(kind);
        self.touched.object(kind, &id);
        self.ids.insert(&key, handle);
        self.unique.add(kind, &object, handle);
        self.index_contents(kind, handle, serial, &object);
        self.order.entry(kind).or_default().push((serial, handle));
        let stored = StoredObject {
            kind,
            serial,
            object,
        };
        self.ordered.add(&self.objects, handle, &stored);
        self.objects[handle as usize] = Some(stored);
        Ok(id)
    }

    pub(crate) fn get(&self, kind: Kind, id: &str) -> Option<&Object> {
        let stored = self.stored(self.handle(&index_key(kind, id))?)?;
        (stored.kind == kind).then_some(&stored.object)
    }

    /// Returns the object with that id and its kind.
    pub(crate) fn any(&self, id: &str) -> Option<(Kind, &Object)> {
        let stored = self.stored(self.handle(id)?)?;
        Some((stored.kind, &stored.object))
    }

    pub(crate) fn kind_of(&self, id: &str) -> Option<Kind> {
        Some(self.stored(self.handle(id)?)?.kind)
    }

    /// Returns the object whose `id` or alternate key has that value, ignoring case.
    pub(crate) fn find(&self, kind: Kind, property: &str, value: &str) -> Option<&Object> {
        if property == "id" {
            return self.get(kind, value);
        }
        let handle = self.unique.find(&self.objects, kind, property, value)?;
        let stored = self.stored(handle)?;
        (stored.kind == kind).then_some(&stored.object)
    }

    /// Changes an object in place and updates every index. Returns `false` and changes nothing if
    /// the object does not exist or would get a value that another object has.
    pub(crate) fn update(
        &mut self,
        kind: Kind,
        id: &str,
        change: impl FnOnce(&mut Object),
    ) -> bool {
        self.archive.close();
        let handle = self.handle(&index_key(kind, id));
        let Some(handle) = handle.and_then(|handle| self.outside_of_archive(handle)) else {
            return false;
        };
        let Some(mut stored) = self
            .objects
            .get_mut(handle as usize)
            .and_then(|stored| stored.take_if(|stored| stored.kind == kind))
        else {
            return false;
        };
        let before = stored.object.clone();
        change(&mut stored.object);
        if let Some(id) = before.get("id") {
            stored.object.insert("id".to_owned(), id.clone());
        }
        let fits = self
            .unique
            .conflict(&self.objects, kind, &stored.object, Some(handle))
            .is_none();
        if fits {
            self.changed(kind);
            let changed = differences(&before, &stored.object);
            self.unindex_contents(kind, stored.serial, &before, handle);
            self.unique.remove(kind, &before, handle);
            self.sharing.pack(&mut stored.object);
            self.unique.add(kind, &stored.object, handle);
            self.index_contents(kind, handle, stored.serial, &stored.object);
            self.ordered.change(&self.objects, handle, &before, &stored);
            self.touched
                .object(kind, before.text("id").unwrap_or_default());
            if !changed.is_empty() {
                let id = stored.object.text("id").unwrap_or_default();
                self.changes.record(kind, id, Event::Updated(changed));
            }
        } else {
            stored.object = before;
        }
        self.objects[handle as usize] = Some(stored);
        fits
    }

    /// Deletes an object permanently, with its links, app role assignments and permission grants.
    pub(crate) fn remove(&mut self, kind: Kind, id: &str) -> bool {
        let Some((object, links, dependents, _)) = self.take_out(kind, id) else {
            return false;
        };
        let id = object.text("id").unwrap_or_default();
        self.touched.photo(id);
        self.photos.remove(id);
        for link in links.iter().filter(|link| !link.outgoing) {
            if let Some(from) = self.kind_of(&link.other) {
                let what = Event::Unlinked(link.relation, kind, id.into());
                self.changes.record(from, &link.other, what);
            }
        }
        self.changes.record(kind, id, Event::Purged);
        self.record_removed(&dependents);
        true
    }

    /// Records that assignments and grants went with an object of theirs.
    fn record_removed(&mut self, dependents: &[Dependent]) {
        for (kind, object) in dependents {
            let id = object.text("id").unwrap_or_default();
            self.changes.record(*kind, id, Event::Purged);
        }
    }

    /// Removes an object with its links, assignments and grants, without a change record.
    fn take_out(
        &mut self,
        kind: Kind,
        id: &str,
    ) -> Option<(Object, Vec<Link>, Vec<Dependent>, u64)> {
        self.archive.close();
        let handle = self.handle(&index_key(kind, id))?;
        let handle = self.outside_of_archive(handle)?;
        let stored = self
            .objects
            .get_mut(handle as usize)?
            .take_if(|stored| stored.kind == kind)?;
        let own_id = stored.object.text("id").unwrap_or_default().to_owned();
        self.changed(kind);
        self.touched.object(kind, &own_id);
        self.unindex_contents(kind, stored.serial, &stored.object, handle);
        self.ordered.remove(&self.objects, handle, &stored);
        self.ids.remove(&index_key(kind, &own_id), handle);
        self.unique.remove(kind, &stored.object, handle);
        if let Some(order) = self.order.get_mut(&kind)
            && let Ok(at) = order.binary_search_by_key(&stored.serial, |(serial, _)| *serial)
        {
            order.remove(at);
        }
        let links = self.remove_links(handle, &own_id);
        let orphans: Vec<(Kind, String)> = [&self.by_principal, &self.by_resource]
            .into_iter()
            .flat_map(|index| index.get(own_id.as_str()))
            .filter_map(|handle| {
                let stored = self.stored(*handle)?;
                Some((stored.kind, stored.object.text("id")?.to_owned()))
            })
            .collect();
        let dependents = orphans
            .into_iter()
            .filter_map(|(kind, orphan)| {
                let (object, ..) = self.take_out(kind, &orphan)?;
                Some((kind, object))
            })
            .collect();
        self.free.push(handle);
        let serial = self.next_serial;
        self.next_serial += 1;
        Some((stored.object, links, dependents, serial))
    }

    /// Returns all objects of a kind in insertion order.
    pub(crate) fn all(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.after(kind, None).map(|(_, object)| object)
    }

    /// Returns the objects inserted after serial number `position`, each with its own serial
    /// number.
    pub(crate) fn after(
        &self,
        kind: Kind,
        position: Option<u64>,
    ) -> impl Iterator<Item = (u64, &Object)> {
        let order = self.order.get(&kind).map(Vec::as_slice).unwrap_or_default();
        let start = position.map_or(0, |position| {
            order.partition_point(|(serial, _)| *serial <= position)
        });
        let archived = self.archive.all(kind);
        let archived = archived.map(|stored| (stored.serial, &stored.object));
        let archived = archived.filter(move |(serial, _)| position.is_none_or(|at| *serial > at));
        order[start..]
            .iter()
            .filter_map(|(serial, handle)| Some((*serial, &self.stored(*handle)?.object)))
            .chain(archived)
    }

    pub(crate) fn len(&self, kind: Kind) -> usize {
        self.order.get(&kind).map_or(0, Vec::len) + self.archive.len(kind)
    }

    /// Identifies the content of all objects of a kind: no store with other objects of that kind has ever had the
    /// number, but for 0, which is that of no objects.
    pub(crate) fn version(&self, kind: Kind) -> u64 {
        self.versions[kind as usize]
    }

    fn changed(&mut self, kind: Kind) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        self.versions[kind as usize] = NEXT.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the app role assignments of a user, group or service principal.
    pub(crate) fn assignments_of(&self, principal: &str) -> impl Iterator<Item = &Object> {
        self.assignments(&self.by_principal, principal)
    }

    /// Returns the app role assignments on a resource service principal.
    pub(crate) fn assignments_to(&self, resource: &str) -> impl Iterator<Item = &Object> {
        self.assignments(&self.by_resource, resource)
    }

    /// Returns the objects that `from` links to.
    pub(crate) fn linked_objects(
        &self,
        relation: Relation,
        from: &str,
    ) -> impl Iterator<Item = (Kind, &Object)> {
        self.neighbours(&self.forward, relation, from)
    }

    /// Returns the objects that link to `to`.
    pub(crate) fn linking_objects(
        &self,
        relation: Relation,
        to: &str,
    ) -> impl Iterator<Item = (Kind, &Object)> {
        self.neighbours(&self.backward, relation, to)
    }

    fn handle(&self, id: &str) -> Option<u32> {
        self.handle_of(id)
            .or_else(|| self.handle_of(&id.to_ascii_lowercase()))
    }

    /// Returns the object with that key in the index by id.
    fn handle_of(&self, key: &str) -> Option<u32> {
        self.ids.find(key, |handle| {
            self.stored(handle).is_some_and(|stored| {
                let id = stored.object.text("id").unwrap_or_default();
                index_key(stored.kind, id) == key
            })
        })
    }

    #[cfg(feature = "server")]
    fn serial_of(&self, kind: Kind, id: &str) -> Option<u64> {
        let handle = self.handle(&index_key(kind, id))?;
        Some(self.stored(handle)?.serial)
    }

    fn stored(&self, handle: u32) -> Option<&StoredObject> {
        if Archive::has(handle) {
            return self.archive.stored(handle);
        }
        self.objects.get(handle as usize)?.as_ref()
    }

    fn neighbours<'a>(
        &'a self,
        links: &'a Links,
        relation: Relation,
        id: &str,
    ) -> impl Iterator<Item = (Kind, &'a Object)> + use<'a> {
        let handles = self
            .handle(id)
            .map_or(&[][..], |handle| links.get(&(relation, handle)));
        handles.iter().filter_map(|handle| {
            self.stored(*handle)
                .map(|stored| (stored.kind, &stored.object))
        })
    }

    fn assignments<'a>(
        &'a self,
        index: &'a HandleMap<Box<str>>,
        id: &str,
    ) -> impl Iterator<Item = &'a Object> + use<'a> {
        index
            .get(id.to_ascii_lowercase().as_str())
            .iter()
            .filter_map(|handle| self.stored(*handle))
            .filter(|stored| stored.kind == Kind::AppRoleAssignment)
            .map(|stored| &stored.object)
    }

    /// Updates the indexes by time, principal and resource.
    fn index_contents(&mut self, kind: Kind, handle: u32, serial: u64, object: &Object) {
        if kind.log_time().is_some() {
            let position = (log_ticks(kind, object), serial);
            let log_partition = log_partition(kind, object);
            let log = self.by_time.entry((kind, log_partition)).or_default();
            log.recent.insert(position, handle);
            if let Some(user) = object.text("userId").filter(|_| kind == Kind::SignIn) {
                let log = self
                    .by_user
                    .entry(user.to_ascii_lowercase().into_boxed_str())
                    .or_insert_with(|| Vec::with_capacity(1));
                let at = log.partition_point(|sign_in| sign_in.position < position);
                let status = object
                    .get("status")
                    .and_then(|status| status.get("errorCode"));
                let sign_in = UserSignIn {
                    position,
                    handle,
                    interactive: log_partition == LogPartition::Listed,
                    successful: status.is_none_or(|code| *code == 0),
                };
                log.insert(at, sign_in);
            }
        }
        for (side, property) in access_properties(kind) {
            if let Some(id) = object.text(property) {
                let id = id.to_ascii_lowercase().into_boxed_str();
                self.access_index(*side).add(id, handle);
            }
        }
    }

    fn unindex_contents(&mut self, kind: Kind, serial: u64, object: &Object, handle: u32) {
        if kind.log_time().is_some()
            && let Some(log) = self.by_time.get_mut(&(kind, log_partition(kind, object)))
        {
            let own = (log_ticks(kind, object), serial);
            log.recent.remove(&own);
            if let Some(log) = self.sign_ins_of(object) {
                log.retain(|sign_in| sign_in.position != own);
            }
        }
        for (side, property) in access_properties(kind) {
            if let Some(id) = object.text(property) {
                let id = id.to_ascii_lowercase();
                self.access_index(*side).remove(id.as_str(), handle);
            }
        }
    }

    /// The sign-ins of the user of a sign-in.
    fn sign_ins_of(&mut self, record: &Object) -> Option<&mut Vec<UserSignIn>> {
        let user = record.text("userId")?;
        self.by_user.get_mut(user.to_ascii_lowercase().as_str())
    }

    fn access_index(&mut self, side: AccessSide) -> &mut HandleMap<Box<str>> {
        match side {
            AccessSide::Principal => &mut self.by_principal,
            AccessSide::Resource => &mut self.by_resource,
        }
    }
}

/// Returns the properties that differ from an earlier version of an object, with their earlier
/// values. Internal properties do not count.
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

/// An assignment or grant that was deleted with one of its objects.
type Dependent = (Kind, Object);
type Links = HandleMap<(Relation, u32)>;

/// The records of each log that requests wrote; the README says so.
pub(crate) const LOG_CAPACITY: usize = 100_000;

#[cfg(test)]
mod tests;
