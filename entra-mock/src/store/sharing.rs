//! Shares values that many objects have.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use serde_json::Value;

use super::object::{FieldValue, Object};

/// Remembers recent values. A value is shared from its second use on, so unique values cost nothing
/// extra. Values that were not used for long are forgotten, so the memory stays small.
#[derive(Clone, Debug, Default)]
pub(super) struct Sharing(Vec<(u64, Option<Arc<Value>>)>);

impl Sharing {
    /// Replaces repeated values of an object by shared ones.
    pub(super) fn pack(&mut self, object: &mut Object) {
        if self.0.is_empty() {
            self.0.resize(SEATS, (0, None));
        }
        for field in object.values_mut() {
            if let FieldValue::Own(value) = field
                && let Some(shared) = self.shared(value)
            {
                *field = FieldValue::Shared(shared);
            }
        }
    }

    fn shared(&mut self, value: &Value) -> Option<Arc<Value>> {
        let empty = match value {
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(map) => map.is_empty(),
            _ => true,
        };
        if empty {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        let hash = hasher.finish();
        let seat = &mut self.0[usize::try_from(hash % SEATS as u64).unwrap_or(0)];
        if seat.0 != hash {
            *seat = (hash, None);
            return None;
        }
        let shared = seat.1.get_or_insert_with(|| Arc::new(value.clone()));
        (**shared == *value).then(|| Arc::clone(shared))
    }
}

const SEATS: usize = 4_096;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn repeated_values_are_shared_and_stay_equal() {
        let mut sharing = Sharing::default();
        let objects: Vec<Object> = (0..3)
            .map(|number| {
                let map =
                    json!({"id": number.to_string(), "location": {"city": "Vienna"}, "tags": []});
                let mut object = Object::from(map.as_object().cloned().unwrap());
                sharing.pack(&mut object);
                object
            })
            .collect();
        assert!(std::ptr::eq(
            objects[1].get("location").unwrap(),
            objects[2].get("location").unwrap()
        ));
        assert_eq!(objects[0]["location"], objects[2]["location"]);
        assert_eq!(objects[2]["id"], "2");
    }
}
