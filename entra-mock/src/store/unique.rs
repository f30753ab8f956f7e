//! Indexes of values that no two objects may share.

use std::collections::HashMap;

use serde_json::Value;

use super::{Conflict, Kind, Object, StoredObject, field::Stored, handles::HandleTable};

/// Alternate keys and other unique properties, by value in lower case.
///
/// A property that is unique over all kinds has no kind in its key.
#[derive(Clone, Debug, Default)]
pub(super) struct UniqueValues(HashMap<Scope, HandleTable>);

/// The kind, or `None` for the whole directory, and the property.
type Scope = (Option<Kind>, &'static str);

impl UniqueValues {
    /// Returns the object with that value.
    pub(super) fn find(
        &self,
        objects: &[Option<StoredObject>],
        kind: Kind,
        property: &str,
        value: &str,
    ) -> Option<u32> {
        let (scope, property) = kind
            .entity()
            .unique()
            .find(|(_, name)| *name == property)
            .map(|(everywhere, name)| ((!everywhere).then_some(kind), name))?;
        self.holder(objects, (scope, property), &value.to_ascii_lowercase())
    }

    /// Returns the first property whose value another object has.
    pub(super) fn conflict(
        &self,
        objects: &[Option<StoredObject>],
        kind: Kind,
        object: &Object,
        own: Option<u32>,
    ) -> Option<Conflict> {
        values(kind, object).find_map(|(scope, property, value)| {
            let holder = self.holder(objects, (scope, property), &value)?;
            (Some(holder) != own).then_some(Conflict::Taken { property, value })
        })
    }

    pub(super) fn add(&mut self, kind: Kind, object: &Object, handle: u32) {
        for (scope, property, value) in values(kind, object) {
            self.0
                .entry((scope, property))
                .or_default()
                .insert(&value, handle);
        }
    }

    pub(super) fn remove(&mut self, kind: Kind, object: &Object, handle: u32) {
        for (scope, property, value) in values(kind, object) {
            if let Some(values) = self.0.get_mut(&(scope, property)) {
                values.remove(&value, handle);
            }
        }
    }

    /// Returns the object that has a value in lower case.
    fn holder(&self, objects: &[Option<StoredObject>], scope: Scope, value: &str) -> Option<u32> {
        self.0.get(&scope)?.find(value, |handle| {
            let stored = objects.get(handle as usize).and_then(Option::as_ref);
            stored.is_some_and(|stored| {
                let is_value = |item: &str| item.eq_ignore_ascii_case(value);
                match stored.object.stored(scope.1) {
                    Some(Stored::Text(text)) => is_value(text),
                    Some(Stored::Value(Value::Array(items))) => {
                        items.iter().filter_map(Value::as_str).any(is_value)
                    }
                    Some(Stored::Value(item)) => item.as_str().is_some_and(is_value),
                    None => false,
                }
            })
        })
    }
}

/// Returns scope, property and value in lower case of everything unique in an object.
fn values(
    kind: Kind,
    object: &Object,
) -> impl Iterator<Item = (Option<Kind>, &'static str, String)> {
    kind.entity()
        .unique()
        .flat_map(move |(everywhere, property)| {
            let (text, items): (Option<&str>, &[Value]) = match object.stored(property) {
                Some(Stored::Value(Value::Array(items))) => (None, items),
                Some(stored) => (stored.as_str(), &[]),
                None => (None, &[]),
            };
            let texts = text
                .into_iter()
                .chain(items.iter().filter_map(Value::as_str));
            texts.map(move |text| {
                let scope = (!everywhere).then_some(kind);
                (scope, property, text.to_ascii_lowercase())
            })
        })
}
