//! Indexes of values that no two objects may share.

use std::collections::HashMap;

use serde_json::Value;

use super::{Conflict, Kind, Object};

/// Alternate keys and other unique properties, by value in lower case.
///
/// A property that is unique over all kinds has no kind in its key.
#[derive(Clone, Debug, Default)]
pub(super) struct UniqueValues(HashMap<Scope, HashMap<Box<str>, u32>>);

/// The kind, or `None` for the whole directory, and the property.
type Scope = (Option<Kind>, &'static str);

impl UniqueValues {
    /// Returns the object with that value.
    pub(super) fn find(&self, kind: Kind, property: &str, value: &str) -> Option<u32> {
        let (scope, property) = kind
            .entity()
            .unique()
            .find(|(_, name)| *name == property)
            .map(|(everywhere, name)| ((!everywhere).then_some(kind), name))?;
        let values = self.0.get(&(scope, property))?;
        values
            .get(value)
            .or_else(|| values.get(value.to_ascii_lowercase().as_str()))
            .copied()
    }

    /// Returns the first property whose value another object has.
    pub(super) fn conflict(
        &self,
        kind: Kind,
        object: &Object,
        own: Option<u32>,
    ) -> Option<Conflict> {
        values(kind, object).find_map(|(scope, property, value)| {
            let holder = self.0.get(&(scope, property))?.get(value.as_str())?;
            (Some(*holder) != own).then_some(Conflict::Taken { property, value })
        })
    }

    pub(super) fn add(&mut self, kind: Kind, object: &Object, handle: u32) {
        for (scope, property, value) in values(kind, object) {
            self.0
                .entry((scope, property))
                .or_default()
                .insert(value.into_boxed_str(), handle);
        }
    }

    pub(super) fn remove(&mut self, kind: Kind, object: &Object) {
        for (scope, property, value) in values(kind, object) {
            if let Some(values) = self.0.get_mut(&(scope, property)) {
                values.remove(value.as_str());
            }
        }
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
            let items: &[Value] = match object.get(property) {
                Some(Value::Array(items)) => items,
                Some(value) => std::slice::from_ref(value),
                None => &[],
            };
            items.iter().filter_map(move |item| {
                let value = item.as_str()?.to_ascii_lowercase();
                Some(((!everywhere).then_some(kind), property, value))
            })
        })
}
