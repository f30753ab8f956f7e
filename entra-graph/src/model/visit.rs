use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serializer,
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor},
    ser::SerializeMap,
};

use super::{
    Additional, Json, NameTable, Value,
    value::{Encoded, Seed},
};
use crate::entity::Row;

/// What the [`model!`](super::model) macro writes for each type; all else here is written once.
pub(crate) trait Model: Default {
    /// The OData type, empty for a complex type.
    const TYPE: &'static str;
    const NAMES: &'static NameTable;

    /// Reads the value of the property at `index`; false if it was null.
    fn take_field<'de, A: MapAccess<'de>>(
        &mut self,
        index: usize,
        map: &mut A,
    ) -> Result<bool, A::Error>;

    fn put_fields<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error>;

    fn debug_fields(&self, out: &mut fmt::DebugStruct<'_, '_>);

    /// Whether anything beside the id has a value.
    fn has_values(&self) -> bool;

    fn extra(&self) -> &Additional;

    fn extra_mut(&mut self) -> &mut Additional;

    fn is_bare(&self) -> bool {
        !self.has_values() && self.extra().only_annotations()
    }

    fn was_null(&self, field: &str) -> bool {
        Self::NAMES
            .position_of_field(field)
            .is_some_and(|index| self.extra().was_null(index))
    }

    /// Reads properties until the object ends.
    fn take_rest<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(Keys(Self::NAMES))? {
            match key {
                Key::Known(index) => {
                    if !self.take_field(index, map)? {
                        self.extra_mut().set_null(index);
                    }
                }
                Key::Unknown(name) => {
                    let json: Json = map.next_value()?;
                    self.take_unknown(name, json);
                }
            }
        }
        Ok(())
    }

    fn take_unknown(&mut self, name: Box<str>, json: Json) {
        let own_type = &*name == ODATA_TYPE && is_quoted(json.as_str(), Self::TYPE);
        if own_type && !Self::TYPE.is_empty() {
            self.extra_mut().typed = true;
        } else {
            self.extra_mut().push(name, json);
        }
    }
}

/// Reads an object into an existing model, so that a page's rows are never moved.
pub(crate) fn fill<'de, T: Model, D: Deserializer<'de>>(
    deserializer: D,
    model: &mut T,
) -> Result<(), D::Error> {
    struct Object<'a, T>(&'a mut T);

    impl<'de, T: Model> Visitor<'de> for Object<'_, T> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            self.0.take_rest(&mut map)
        }
    }

    deserializer.deserialize_map(Object(model))
}

pub(crate) fn encode<T: Model, S: Serializer>(model: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    let extra = model.extra();
    if extra.typed {
        map.serialize_entry(ODATA_TYPE, T::TYPE)?;
    }
    model.put_fields(&mut map)?;
    for (name, json) in &extra.rest {
        map.serialize_entry(name, json)?;
    }
    map.end()
}

pub(crate) fn take<'de, T: Value, A: MapAccess<'de>>(
    map: &mut A,
    slot: &mut Option<T>,
) -> Result<bool, A::Error> {
    *slot = map.next_value_seed(Nullable(PhantomData))?;
    Ok(slot.is_some())
}

pub(crate) fn take_id<'de, A: MapAccess<'de>>(
    map: &mut A,
    slot: &mut String,
) -> Result<bool, A::Error> {
    let id: Option<String> = map.next_value_seed(Nullable(PhantomData))?;
    let found = id.is_some();
    *slot = id.unwrap_or_default();
    Ok(found)
}

pub(crate) fn put<T: Value, M: SerializeMap>(
    map: &mut M,
    name: &'static str,
    value: &Option<T>,
    nulls: &Additional,
    index: usize,
) -> Result<(), M::Error> {
    match value {
        Some(_) if T::SECRET => Ok(()),
        Some(value) => map.serialize_entry(name, &Encoded(value)),
        None if nulls.was_null(index) => map.serialize_entry(name, &()),
        None => Ok(()),
    }
}

pub(crate) fn put_id<M: SerializeMap>(
    map: &mut M,
    id: &str,
    nulls: &Additional,
    index: usize,
) -> Result<(), M::Error> {
    if !id.is_empty() {
        return map.serialize_entry("id", id);
    }
    if nulls.was_null(index) {
        return map.serialize_entry("id", &());
    }
    Ok(())
}

/// The rows of a page, each decoded where it will stay.
pub(crate) struct Rows<T>(pub(crate) Vec<T>);

impl<'de, T: Row> Deserialize<'de> for Rows<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<T>(PhantomData<T>);

        impl<'de, T: Row> Visitor<'de> for List<T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of objects")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
                let mut rows: Vec<T> = Vec::new();
                loop {
                    rows.push(T::default());
                    let Some(slot) = rows.last_mut() else {
                        return Ok(rows);
                    };
                    if seq.next_element_seed(Slot(slot))?.is_none() {
                        rows.pop();
                        return Ok(rows);
                    }
                }
            }
        }

        struct Slot<'a, T>(&'a mut T);

        impl<'de, T: Row> DeserializeSeed<'de> for Slot<'_, T> {
            type Value = ();

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                T::decode_into(deserializer, self.0)
            }
        }

        deserializer.deserialize_seq(List(PhantomData)).map(Self)
    }
}

struct Nullable<T>(PhantomData<T>);

impl<'de, T: Value> DeserializeSeed<'de> for Nullable<T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, T: Value> Visitor<'de> for Nullable<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_none<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        Seed::new().deserialize(deserializer).map(Some)
    }
}

enum Key {
    Known(usize),
    Unknown(Box<str>),
}

#[derive(Clone, Copy)]
struct Keys(&'static NameTable);

impl<'de> DeserializeSeed<'de> for Keys {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Keys {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a property name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Key, E> {
        Ok(match self.0.find(name) {
            Some(index) => Key::Known(index),
            None => Key::Unknown(name.into()),
        })
    }
}

/// The text of an `@odata.type` value, for the types that are chosen by it.
pub(crate) fn type_name(json: &str) -> Cow<'_, str> {
    serde_json::from_str::<Cow<'_, str>>(json).unwrap_or_default()
}

fn is_quoted(json: &str, text: &str) -> bool {
    json.strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        == Some(text)
}

pub(crate) const ODATA_TYPE: &str = "@odata.type";
