//! Indexes of the objects of one kind in the order of one property.
//!
//! An index is built when a query first needs it. From then on every write updates it. It holds four
//! bytes for each object: the values are compared where they are.

use std::{
    collections::HashMap,
    fmt,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Kind, Object, Store, StoredObject};
use crate::{collation::SortKey, schema::Type};

/// The indexes of a store. Clones share them until one of them changes.
#[derive(Default)]
pub(super) struct OrderedIndexes(Mutex<Indexes>);

#[derive(Clone, Default)]
struct Indexes {
    by_property: HashMap<(Kind, &'static str), Index>,
    /// Counts the uses of all indexes.
    uses: u64,
}

#[derive(Clone)]
struct Index {
    value: Type,
    /// Sorted by key, then by serial number.
    handles: Arc<Vec<u32>>,
    /// The number of its latest use.
    used: u64,
}

/// The objects of a kind in the order of one property, then in insertion order.
#[derive(Clone, Debug)]
pub(crate) struct Ordered<'a> {
    objects: &'a [Option<StoredObject>],
    property: &'static str,
    value: Type,
    handles: Arc<Vec<u32>>,
}

impl Store {
    /// Returns the objects of a kind in the order of a property. Builds the index if it does not exist.
    pub(crate) fn ordered(&self, kind: Kind, property: &'static str, value: Type) -> Ordered<'_> {
        let mut indexes = self.ordered.lock();
        indexes.uses += 1;
        let used = indexes.uses;
        let index = indexes
            .by_property
            .entry((kind, property))
            .or_insert_with(|| Index {
                value,
                handles: Arc::new(self.sorted_handles(kind, property, value)),
                used,
            });
        index.used = used;
        let handles = Arc::clone(&index.handles);
        indexes.forget_oldest();
        drop(indexes);
        Ordered {
            objects: &self.objects,
            property,
            value,
            handles,
        }
    }

    fn sorted_handles(&self, kind: Kind, property: &str, value: Type) -> Vec<u32> {
        let mut keyed: Vec<(SortKey<'_>, u64, u32)> = self
            .order
            .get(&kind)
            .into_iter()
            .flatten()
            .filter_map(|(serial, handle)| {
                let object = &self.stored(*handle)?.object;
                Some((key(object, property, value), *serial, *handle))
            })
            .collect();
        keyed.sort_unstable_by(|left, right| left.0.compare(&right.0).then(left.1.cmp(&right.1)));
        keyed.into_iter().map(|(_, _, handle)| handle).collect()
    }
}

impl<'a> Ordered<'a> {
    pub(crate) fn len(&self) -> usize {
        self.handles.len()
    }

    /// Returns the key at a position, which must be below the length.
    pub(crate) fn key(&self, at: usize) -> SortKey<'a> {
        self.object(at).map_or(SortKey::Null, |stored| {
            key(&stored.object, self.property, self.value)
        })
    }

    /// Returns the serial number and the object at a position.
    pub(crate) fn row(&self, at: usize) -> Option<(u64, &'a Object)> {
        let stored = self.object(at)?;
        Some((stored.serial, &stored.object))
    }

    /// Returns the number of objects at the start for whose keys `is_before` holds. It must hold for
    /// a first part of them and for no other.
    pub(crate) fn partition(&self, is_before: impl Fn(&SortKey<'_>) -> bool) -> usize {
        self.partition_in(0..self.len(), is_before)
    }

    /// The same between two positions.
    pub(crate) fn partition_in(
        &self,
        range: Range<usize>,
        is_before: impl Fn(&SortKey<'_>) -> bool,
    ) -> usize {
        self.partition_rows(range, |key, _| is_before(key))
    }

    /// Returns the position of the first object after a key and serial number.
    pub(crate) fn after(&self, key: &SortKey<'_>, serial: u64) -> usize {
        self.partition_rows(0..self.len(), |other, other_serial| {
            other
                .compare(key)
                .then_with(|| other_serial.cmp(&serial))
                .is_le()
        })
    }

    fn partition_rows(
        &self,
        range: Range<usize>,
        is_before: impl Fn(&SortKey<'_>, u64) -> bool,
    ) -> usize {
        let handles = self.handles.get(range.clone()).unwrap_or_default();
        range.start
            + handles.partition_point(|handle| {
                stored(self.objects, *handle).is_some_and(|stored| {
                    let key = key(&stored.object, self.property, self.value);
                    is_before(&key, stored.serial)
                })
            })
    }

    fn object(&self, at: usize) -> Option<&'a StoredObject> {
        stored(self.objects, *self.handles.get(at)?)
    }
}

impl OrderedIndexes {
    /// Adds an object that is not stored yet.
    pub(super) fn add(
        &mut self,
        objects: &[Option<StoredObject>],
        handle: u32,
        added: &StoredObject,
    ) {
        for ((_, property), index) in self.of_kind(added.kind) {
            let at = index.position(objects, property, handle, &added.object, added.serial);
            Arc::make_mut(&mut index.handles).insert(at, handle);
        }
    }

    /// Removes an object that is not stored any more.
    pub(super) fn remove(
        &mut self,
        objects: &[Option<StoredObject>],
        handle: u32,
        removed: &StoredObject,
    ) {
        for ((_, property), index) in self.of_kind(removed.kind) {
            index.remove(objects, property, handle, &removed.object, removed.serial);
        }
    }

    /// Moves an object that has changed and is not stored again yet.
    pub(super) fn change(
        &mut self,
        objects: &[Option<StoredObject>],
        handle: u32,
        before: &Object,
        changed: &StoredObject,
    ) {
        for ((_, property), index) in self.of_kind(changed.kind) {
            let (old, new) = (
                key(before, property, index.value),
                key(&changed.object, property, index.value),
            );
            if old == new {
                continue;
            }
            index.remove(objects, property, handle, before, changed.serial);
            let at = index.position(objects, property, handle, &changed.object, changed.serial);
            Arc::make_mut(&mut index.handles).insert(at, handle);
        }
    }

    fn of_kind(&mut self, kind: Kind) -> impl Iterator<Item = (&(Kind, &'static str), &mut Index)> {
        let indexes = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        indexes
            .by_property
            .iter_mut()
            .filter(move |((other, _), _)| *other == kind)
    }

    // An index is complete or absent, also after a panic while the lock was held.
    fn lock(&self) -> MutexGuard<'_, Indexes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for OrderedIndexes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // They follow from the objects.
        f.debug_struct("OrderedIndexes").finish_non_exhaustive()
    }
}

impl Clone for OrderedIndexes {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.lock().clone()))
    }
}

impl Indexes {
    /// Keeps the number of indexes, and with it their memory, bounded.
    fn forget_oldest(&mut self) {
        if self.by_property.len() <= MAX_INDEXES {
            return;
        }
        let oldest = self.by_property.iter().min_by_key(|(_, index)| index.used);
        if let Some(key) = oldest.map(|(key, _)| *key) {
            self.by_property.remove(&key);
        }
    }
}

impl Index {
    /// The position where an object belongs. The object itself can be in the index, but is not stored.
    fn position(
        &self,
        objects: &[Option<StoredObject>],
        property: &str,
        handle: u32,
        object: &Object,
        serial: u64,
    ) -> usize {
        let wanted = key(object, property, self.value);
        self.handles.partition_point(|other| {
            *other != handle
                && stored(objects, *other).is_some_and(|other| {
                    key(&other.object, property, self.value)
                        .compare(&wanted)
                        .then(other.serial.cmp(&serial))
                        .is_lt()
                })
        })
    }

    fn remove(
        &mut self,
        objects: &[Option<StoredObject>],
        property: &str,
        handle: u32,
        object: &Object,
        serial: u64,
    ) {
        let at = self.position(objects, property, handle, object, serial);
        debug_assert_eq!(self.handles.get(at), Some(&handle), "{property}");
        if self.handles.get(at) == Some(&handle) {
            Arc::make_mut(&mut self.handles).remove(at);
        }
    }
}

fn key<'a>(object: &'a Object, property: &str, value: Type) -> SortKey<'a> {
    object.sort_key(property, value)
}

fn stored(objects: &[Option<StoredObject>], handle: u32) -> Option<&StoredObject> {
    objects.get(handle as usize)?.as_ref()
}

/// The number of indexes that a store has at the same time.
const MAX_INDEXES: usize = 16;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn user(number: usize, name: Option<&str>) -> Object {
        let mut user = Object::new();
        user.insert("id".into(), json!(format!("u{number}")));
        if let Some(name) = name {
            user.insert("displayName".into(), json!(name));
        }
        user
    }

    fn ids(store: &Store, property: &'static str) -> Vec<String> {
        let ordered = store.ordered(Kind::User, property, Type::Text);
        (0..ordered.len())
            .filter_map(|at| Some(ordered.row(at)?.1["id"].as_str()?.to_owned()))
            .collect()
    }

    #[test]
    fn objects_are_in_order_of_the_property_then_of_insertion() {
        let mut store = Store::new();
        for (number, name) in [Some("bo"), None, Some("Anna"), Some("BO"), None]
            .into_iter()
            .enumerate()
        {
            store.insert(Kind::User, user(number, name)).unwrap();
        }
        assert_eq!(ids(&store, "displayName"), ["u1", "u4", "u2", "u0", "u3"]);
    }

    #[test]
    fn an_index_follows_every_kind_of_write() {
        let mut store = Store::new();
        for number in 0..4 {
            store.insert(Kind::User, user(number, Some("m"))).unwrap();
        }
        assert_eq!(ids(&store, "displayName"), ["u0", "u1", "u2", "u3"]);
        let rename = |store: &mut Store, id: &str, name: &str| {
            let renamed = store.update(Kind::User, id, |user| {
                user.insert("displayName".into(), json!(name));
            });
            assert!(renamed);
        };
        rename(&mut store, "u1", "z");
        rename(&mut store, "u3", "a");
        assert_eq!(ids(&store, "displayName"), ["u3", "u0", "u2", "u1"]);
        assert!(store.remove(Kind::User, "u0"));
        assert!(store.delete(Kind::User, "u1", |_| {}));
        assert_eq!(ids(&store, "displayName"), ["u3", "u2"]);
        store.insert(Kind::User, user(7, Some("b"))).unwrap();
        store.restore("u1", |_| {}).unwrap();
        assert_eq!(ids(&store, "displayName"), ["u3", "u7", "u2", "u1"]);
    }

    #[test]
    fn a_copy_of_the_store_has_indexes_of_its_own() {
        let mut store = Store::new();
        for (number, name) in ["b", "c"].into_iter().enumerate() {
            store.insert(Kind::User, user(number, Some(name))).unwrap();
        }
        assert_eq!(ids(&store, "displayName"), ["u0", "u1"]);
        let copy = store.clone();
        store.insert(Kind::User, user(2, Some("a"))).unwrap();
        assert_eq!(ids(&store, "displayName"), ["u2", "u0", "u1"]);
        assert_eq!(ids(&copy, "displayName"), ["u0", "u1"]);
    }

    #[test]
    fn a_rejected_change_leaves_the_index_as_it_was() {
        let mut store = Store::new();
        for (number, name) in ["b", "c"].into_iter().enumerate() {
            let mut user = user(number, Some(name));
            user.insert(
                "userPrincipalName".into(),
                json!(format!("{name}@x.example")),
            );
            store.insert(Kind::User, user).unwrap();
        }
        assert_eq!(ids(&store, "userPrincipalName"), ["u0", "u1"]);
        let changed = store.update(Kind::User, "u1", |user| {
            user.insert("displayName".into(), json!("a"));
            user.insert("userPrincipalName".into(), json!("B@x.example"));
        });
        assert!(!changed);
        assert_eq!(ids(&store, "userPrincipalName"), ["u0", "u1"]);
        assert_eq!(ids(&store, "displayName"), ["u0", "u1"]);
    }

    #[test]
    fn the_number_of_indexes_is_bounded() {
        let mut store = Store::new();
        store.insert(Kind::User, user(0, Some("a"))).unwrap();
        let properties = Kind::User.entity().properties;
        assert!(properties.len() > MAX_INDEXES);
        for property in properties {
            store.ordered(Kind::User, property.name, property.value);
            store.ordered(Kind::User, "displayName", Type::Text);
        }
        let indexes = store.ordered.lock();
        assert_eq!(indexes.by_property.len(), MAX_INDEXES);
        assert!(
            indexes
                .by_property
                .contains_key(&(Kind::User, "displayName"))
        );
    }
}
