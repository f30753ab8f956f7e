//! Packs objects, and shares values that many objects have.

use std::{
    hash::BuildHasher,
    sync::{Arc, OnceLock},
};

use hashbrown::DefaultHashBuilder;
use serde_json::Value;

use super::{
    field::FieldValue,
    object::Object,
    packed::{MAX_TEXTS, Packed},
    shapes::{Shape, Slot},
};

/// Remembers recent values. A value is shared from its second use on, so unique values cost nothing
/// extra. Values that were not used for long are forgotten, so the memory stays small.
#[derive(Clone, Debug, Default)]
pub(super) struct Sharing {
    /// The hash of a value that was seen, and the value once it was seen again.
    seats: Vec<(u64, Option<Arc<Value>>)>,
    hasher: DefaultHashBuilder,
}

impl Sharing {
    /// Packs an object; repeated values are shared.
    pub(super) fn pack(&mut self, object: &mut Object) {
        if self.seats.is_empty() {
            self.seats.resize(SEATS, (0, None));
        }
        object.pack(|fields| {
            let mut slots = Vec::with_capacity(fields.len());
            let (mut texts, mut shared) = (Vec::new(), Vec::new());
            let mut length = 0;
            for field in &fields {
                let value = match &field.value {
                    FieldValue::Shared(value) => Ok(Arc::clone(value)),
                    FieldValue::Own(value) => match (self.shared(value), value) {
                        (Some(value), _) => Ok(value),
                        (None, Value::String(text)) if length + text.len() <= MAX_TEXTS => {
                            length += text.len();
                            Err(text.as_str())
                        }
                        (None, value) => Ok(Arc::new(value.clone())),
                    },
                };
                let place = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
                slots.push(match value {
                    Ok(value) => {
                        shared.push(value);
                        (field.name, Slot::Shared(place(shared.len() - 1)))
                    }
                    Err(text) => {
                        texts.push(text);
                        (field.name, Slot::Text(place(texts.len() - 1)))
                    }
                });
            }
            Packed::new(Shape::of(&slots), &texts, shared)
        });
    }

    fn shared(&mut self, value: &Value) -> Option<Arc<Value>> {
        if let Some(value) = constant(value) {
            return Some(value);
        }
        let hash = self.hasher.hash_one(value);
        let seat = &mut self.seats[usize::try_from(hash % SEATS as u64).unwrap_or(0)];
        if seat.0 != hash {
            *seat = (hash, None);
            return None;
        }
        let shared = seat.1.get_or_insert_with(|| Arc::new(value.clone()));
        (**shared == *value).then(|| Arc::clone(shared))
    }
}

/// Values that are there once in the process.
fn constant(value: &Value) -> Option<Arc<Value>> {
    static CONSTANTS: OnceLock<[Arc<Value>; 5]> = OnceLock::new();
    let at = match value {
        Value::Null => 0,
        Value::Bool(false) => 1,
        Value::Bool(true) => 2,
        Value::Array(items) if items.is_empty() => 3,
        Value::String(text) if text.is_empty() => 4,
        _ => return None,
    };
    let constants = CONSTANTS.get_or_init(|| {
        [
            Value::Null,
            false.into(),
            true.into(),
            Value::Array(Vec::new()),
            "".into(),
        ]
        .map(Arc::new)
    });
    constants.get(at).map(Arc::clone)
}

const SEATS: usize = 4_096;

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn packed(sharing: &mut Sharing, value: &Value) -> Object {
        let mut object = Object::from(value.as_object().cloned().unwrap());
        sharing.pack(&mut object);
        object
    }

    #[test]
    fn repeated_values_are_shared_and_stay_equal() {
        let mut sharing = Sharing::default();
        let objects: Vec<Object> = (0..3)
            .map(|number| {
                let value =
                    json!({"id": number.to_string(), "location": {"city": "Vienna"}, "tags": []});
                packed(&mut sharing, &value)
            })
            .collect();
        assert!(std::ptr::eq(
            objects[1].get("location").unwrap(),
            objects[2].get("location").unwrap()
        ));
        assert_eq!(objects[0]["location"], objects[2]["location"]);
        assert_eq!(objects[2]["id"], "2");
    }

    #[test]
    fn an_object_of_a_store_has_the_values_that_it_was_made_of() {
        let mut sharing = Sharing::default();
        let value = json!({
            "id": "1", "name": "Ünï", "empty": "", "null": null, "yes": true, "number": 7, "float": 0.5,
            "long": "x".repeat(MAX_TEXTS), "next": "after", "list": [1, "a"], "map": {"a": {"b": null}}
        });
        for _ in 0..3 {
            let object = packed(&mut sharing, &value);
            let map: Map<String, Value> = object
                .iter()
                .map(|(name, value)| (name.to_owned(), value.clone()))
                .collect();
            assert_eq!(Value::Object(map), value);
            for (name, value) in value.as_object().unwrap() {
                assert_eq!(object.get(name), Some(value));
                object
                    .stored(name)
                    .unwrap()
                    .with(|stored| assert_eq!(stored, value));
                assert_eq!(object.text(name), value.as_str());
            }
            assert_eq!(
                object.stored_ignoring_case("NAME").unwrap().as_str(),
                Some("Ünï")
            );
            assert!(object.get("Name").is_none() && object.text("absent").is_none());
            assert_eq!(object.clone(), object);
        }
    }

    #[test]
    fn a_packed_object_can_be_changed_and_packed_again() {
        let mut sharing = Sharing::default();
        let value = json!({"id": "1", "city": "Vienna", "tags": ["a"]});
        let first = packed(&mut sharing, &value);
        let mut second = packed(&mut sharing, &value);
        second.insert("city".into(), json!("Graz"));
        second.insert("new".into(), json!(1));
        second["tags"].as_array_mut().unwrap().push(json!("b"));
        assert_eq!(second.remove("id"), Some(json!("1")));
        sharing.pack(&mut second);
        assert_eq!(
            serde_json::to_value(&second).unwrap(),
            json!({"city": "Graz", "tags": ["a", "b"], "new": 1})
        );
        assert_eq!(serde_json::to_value(&first).unwrap(), value);
    }
}
