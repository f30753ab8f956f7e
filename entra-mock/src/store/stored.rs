//! The content of a store as JSON, whole or only what has changed, and back.

use std::{collections::HashSet, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use entra_core::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Dependent, Kind, Object, Photo, Relation, Store, deleted::Deleted, links::Link,
    touched::Touched,
};

/// The serial number of an object and its properties.
pub(crate) type StoredObject = (u64, Value);

/// Parts of a store. A part that is `None` no longer exists.
#[derive(Debug, Default)]
pub(crate) struct StoredParts {
    /// By kind and id, with the serial number.
    pub(crate) objects: Vec<(Kind, String, Option<StoredObject>)>,
    /// The links in the order in which they were made, and whether each exists.
    pub(crate) links: Vec<(Relation, String, String, bool)>,
    /// Deleted objects by their serial numbers.
    pub(crate) deleted: Vec<(u64, Option<Value>)>,
    pub(crate) photos: Vec<(String, Option<Value>)>,
}

impl StoredParts {
    pub(crate) fn is_empty(&self) -> bool {
        self.objects.is_empty()
            && self.links.is_empty()
            && self.deleted.is_empty()
            && self.photos.is_empty()
    }
}

impl Store {
    /// Returns everything, and tracks changes from now on.
    pub(crate) fn store_all(&mut self) -> StoredParts {
        let _ = self.touched.take();
        let mut parts = StoredParts::default();
        for kind in Kind::ALL {
            for (serial, object) in self.after(*kind, None) {
                let id = object.text("id").unwrap_or_default().to_owned();
                parts
                    .objects
                    .push((*kind, id, Some((serial, json!(object)))));
            }
        }
        for relation in Relation::ALL {
            for kind in Kind::ALL {
                for from in self.all(*kind).filter_map(|object| object.text("id")) {
                    for (_, to) in self.linked_objects(relation, from) {
                        let to = to.text("id").unwrap_or_default().to_owned();
                        parts.links.push((relation, from.to_owned(), to, true));
                    }
                }
            }
        }
        let deleted = self.deleted.items.iter();
        parts.deleted = deleted
            .map(|(serial, item)| (*serial, Some(of_deleted(item))))
            .collect();
        let photos = self.photos.iter();
        parts.photos = photos
            .map(|(id, photo)| (id.to_string(), Some(of_photo(photo))))
            .collect();
        parts
    }

    /// Returns what has changed since the last call of this function or of [`store_all`](Self::store_all).
    pub(crate) fn store_changes(&mut self) -> StoredParts {
        let Touched {
            objects,
            links,
            deleted,
            photos,
            ..
        } = self.touched.take();
        let mut parts = StoredParts::default();
        for (kind, id) in objects {
            let value = self.get(kind, &id).map(|object| json!(object));
            let serial = self.serial_of(kind, &id);
            parts.objects.push((kind, id.into(), serial.zip(value)));
        }
        // Only the last change of a link matters.
        let mut seen = HashSet::new();
        for link in links.into_iter().rev() {
            if seen.insert(link.clone()) {
                let (relation, from, to) = link;
                let exists = self.is_linked(relation, &from, &to);
                parts.links.push((relation, from.into(), to.into(), exists));
            }
        }
        parts.links.reverse();
        for serial in deleted {
            parts
                .deleted
                .push((serial, self.deleted.items.get(&serial).map(of_deleted)));
        }
        for id in photos {
            let photo = self.photos.get(&id).map(of_photo);
            parts.photos.push((id.into(), photo));
        }
        parts
    }

    /// Creates a store from all its parts. Returns `None` if they contradict each other.
    pub(crate) fn of_parts(parts: StoredParts) -> Option<Self> {
        let mut store = Self::new();
        store.changes.pause(true);
        let mut objects = parts.objects;
        objects.sort_by_key(|(_, _, stored)| stored.as_ref().map(|(serial, _)| *serial));
        for (kind, _, stored) in objects {
            let (serial, Value::Object(properties)) = stored? else {
                return None;
            };
            store.next_serial = serial;
            store.insert_quietly(kind, properties.into()).ok()?;
        }
        for (relation, from, to, exists) in parts.links {
            if exists {
                store.link(relation, &from, &to);
            }
        }
        for (serial, item) in parts.deleted {
            let item = to_deleted(&item?)?;
            let id = item.object.text("id")?.to_owned();
            store.next_serial = store.next_serial.max(serial + 1);
            store.deleted.ids.insert(id.into_boxed_str(), serial);
            store.deleted.items.insert(serial, item);
        }
        for (id, photo) in parts.photos {
            store.photos.insert(id.into_boxed_str(), to_photo(&photo?)?);
        }
        store.changes.pause(false);
        let _ = store.touched.take();
        Some(store)
    }
}

fn of_deleted(item: &Deleted) -> Value {
    let links: Vec<Value> = item
        .links
        .iter()
        .map(|link| json!([link.relation.name(), link.outgoing, link.other]))
        .collect();
    let dependents: Vec<Value> = item
        .dependents
        .iter()
        .map(|(kind, object)| json!([kind.key(), object]))
        .collect();
    json!({
        "kind": item.kind.key(), "object": item.object, "at": item.at.unix_timestamp_nanos().to_string(),
        "links": links, "dependents": dependents,
    })
}

fn to_deleted(value: &Value) -> Option<Deleted> {
    let kind = |value: &Value| Kind::of_key(value.as_str()?);
    let at: i128 = value["at"].as_str()?.parse().ok()?;
    let links = value["links"].as_array()?.iter().map(|link| {
        Some(Link {
            relation: Relation::of_name(link[0].as_str()?)?,
            outgoing: link[1].as_bool()?,
            other: link[2].as_str()?.into(),
        })
    });
    let dependents = value["dependents"]
        .as_array()?
        .iter()
        .map(|dependent| -> Option<Dependent> {
            Some((kind(&dependent[0])?, to_object(&dependent[1])?))
        });
    Some(Deleted {
        kind: kind(&value["kind"])?,
        object: to_object(&value["object"])?,
        at: Timestamp::from_unix_timestamp_nanos(at).ok()?,
        links: links.collect::<Option<_>>()?,
        dependents: dependents.collect::<Option<_>>()?,
    })
}

fn to_object(value: &Value) -> Option<Object> {
    let properties: Map<String, Value> = value.as_object()?.clone();
    Some(properties.into())
}

fn of_photo(photo: &Photo) -> Value {
    json!({
        "bytes": STANDARD.encode(&photo.bytes), "contentType": photo.content_type,
        "width": photo.width, "height": photo.height, "tag": photo.tag,
    })
}

fn to_photo(value: &Value) -> Option<Photo> {
    let number = |name: &str| u32::try_from(value[name].as_u64()?).ok();
    let bytes: Arc<[u8]> = STANDARD.decode(value["bytes"].as_str()?).ok()?.into();
    Some(Photo {
        content_type: Photo::known_type(value["contentType"].as_str()?)?,
        width: number("width")?,
        height: number("height")?,
        tag: value["tag"].as_str()?.to_owned(),
        bytes,
    })
}
