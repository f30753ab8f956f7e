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

/// Remembers values that repeat, so that objects share them. Unique values, such as ids, neither cost anything extra nor
/// make it forget the others. Values that were not used for long are forgotten, so the memory stays small.
#[derive(Clone, Debug, Default)]
pub(super) struct Sharing {
    seats: Vec<Seat>,
    hasher: DefaultHashBuilder,
}

/// The place of one value.
#[derive(Clone, Debug, Default)]
struct Seat {
    /// The hash of the value.
    hash: u64,
    /// How often it was seen again, less how often other values wanted the seat since.
    repeats: u8,
    /// The value, once it is shared.
    value: Option<Arc<Value>>,
}

impl Sharing {
    /// Packs an object; repeated values are shared.
    pub(super) fn pack(&mut self, object: &mut Object) {
        if self.seats.is_empty() {
            self.seats.resize(SEATS, Seat::default());
        }
        object.pack(|fields| {
            let mut slots = Vec::with_capacity(fields.len());
            let mut texts: Vec<&str> = Vec::with_capacity(fields.len());
            let mut shared = Vec::with_capacity(fields.len());
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
                        // Such as a user's mail and user principal name.
                        let at = texts.iter().position(|other| *other == text);
                        let at = at.unwrap_or_else(|| {
                            texts.push(text);
                            texts.len() - 1
                        });
                        (field.name, Slot::Text(place(at)))
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
        let at = hash % self.seats.len() as u64;
        let seat = &mut self.seats[usize::try_from(at).unwrap_or(0)];
        if seat.hash != hash {
            match seat.repeats.checked_sub(1) {
                Some(repeats) => seat.repeats = repeats,
                None => {
                    *seat = Seat {
                        hash,
                        ..Seat::default()
                    }
                }
            }
            return None;
        }
        seat.repeats = seat.repeats.saturating_add(1);
        if value.is_string() && seat.repeats < TEXT_REPEATS {
            return None;
        }
        let shared = seat.value.get_or_insert_with(|| Arc::new(value.clone()));
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
/// From this repetition on a text is shared. In an object it needs less memory than a shared one that few objects have.
const TEXT_REPEATS: u8 = 4;

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
    fn a_text_is_shared_by_many_objects_until_others_wanted_its_seat_as_often() {
        let mut sharing = Sharing {
            seats: vec![Seat::default()],
            ..Sharing::default()
        };
        let mut is_shared = |text: &str| {
            let object = packed(&mut sharing, &json!({ "a": text }));
            std::ptr::eq(object.get("a").unwrap(), object.clone().get("a").unwrap())
        };
        let first = [(); 6].map(|()| is_shared("Vienna"));
        assert_eq!(first, [false, false, false, false, true, true]);
        assert!(!is_shared("unique 1") && !is_shared("unique 2"));
        assert!(is_shared("Vienna"));
        for number in 3..8 {
            assert!(!is_shared(&format!("unique {number}")));
        }
        assert!(!is_shared("Vienna"));
    }

    #[test]
    fn an_object_of_a_store_has_the_values_that_it_was_made_of() {
        let mut sharing = Sharing::default();
        let value = json!({
            "id": "1", "name": "Ünï", "empty": "", "null": null, "yes": true, "number": 7, "float": 0.5,
            "long": "x".repeat(MAX_TEXTS), "next": "after", "again": "Ünï", "list": [1, "a"], "map": {"a": {"b": null}}
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
