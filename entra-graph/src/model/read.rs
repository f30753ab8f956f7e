//! Decodes JSON into targets. Generic over the source of the JSON, not over the target type.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor},
};

use super::{
    Json, Value,
    target::{DecodeAborted, Elements, FieldSlot, List, Object, Text, Typed},
};

/// A value that is not null.
pub(crate) fn read<'de, T: Value, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let mut slot: Option<T> = None;
    into(deserializer, T::field_slot(&mut slot))?;
    slot.ok_or_else(|| de::Error::custom("a value is missing"))
}

/// Decodes a value that is not null into its slot.
pub(crate) fn into<'de, D: Deserializer<'de>>(
    deserializer: D,
    field_slot: FieldSlot<'_>,
) -> Result<(), D::Error> {
    match field_slot {
        FieldSlot::Bool(slot) => *slot = Some(bool::deserialize(deserializer)?),
        FieldSlot::I32(slot) => *slot = Some(i32::deserialize(deserializer)?),
        FieldSlot::I64(slot) => *slot = Some(i64::deserialize(deserializer)?),
        FieldSlot::F64(slot) => *slot = Some(f64::deserialize(deserializer)?),
        FieldSlot::String(slot) => *slot = Some(String::deserialize(deserializer)?),
        FieldSlot::Id(slot) => *slot = String::deserialize(deserializer)?,
        FieldSlot::Text(text) => deserializer.deserialize_str(TextVisitor(text))?,
        FieldSlot::Json(slot) => *slot = Some(Json::deserialize(deserializer)?),
        FieldSlot::List(list) => deserializer.deserialize_seq(ListVisitor(list))?,
        FieldSlot::Object(object) => deserializer.deserialize_map(ObjectVisitor(object))?,
        FieldSlot::Typed(typed) => deserializer.deserialize_map(TypedVisitor(typed))?,
    }
    Ok(())
}

/// Decodes a value that is not null into a slot.
struct SlotSeed<'a>(FieldSlot<'a>);

impl<'de> DeserializeSeed<'de> for SlotSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        into(deserializer, self.0)
    }
}

/// Decodes the value of a property, or null; returns whether there was a value.
struct NullableSeed<'a> {
    object: &'a mut dyn Object,
    index: usize,
}

impl<'de> DeserializeSeed<'de> for NullableSeed<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for NullableSeed<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_none<E: de::Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E: de::Error>(self) -> Result<bool, E> {
        self.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        into(deserializer, self.object.property(self.index)).map(|()| true)
    }
}

struct TextVisitor<'a>(&'a mut dyn Text);

impl Visitor<'_> for TextVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.expected())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        if self.0.take(text) {
            Ok(())
        } else {
            Err(E::invalid_value(Unexpected::Str(text), &self))
        }
    }
}

struct ListVisitor<'a>(&'a mut dyn List);

impl<'de> Visitor<'de> for ListVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        let mut reading = ListReader { seq, failure: None };
        match (self.0.fill(&mut reading), reading.failure) {
            (Ok(()), _) => Ok(()),
            (Err(DecodeAborted), Some(failure)) => Err(failure),
            (Err(DecodeAborted), None) => Err(de::Error::custom("an element could not be read")),
        }
    }
}

/// Reads the elements of a list, and stores the first error.
struct ListReader<A, E> {
    seq: A,
    failure: Option<E>,
}

impl<'de, A: SeqAccess<'de>> Elements for ListReader<A, A::Error> {
    fn next(&mut self, field_slot: FieldSlot<'_>) -> Result<bool, DecodeAborted> {
        match self.seq.next_element_seed(SlotSeed(field_slot)) {
            Ok(element) => Ok(element.is_some()),
            Err(failure) => {
                self.failure = Some(failure);
                Err(DecodeAborted)
            }
        }
    }
}

struct ObjectVisitor<'a>(&'a mut dyn Object);

impl<'de> Visitor<'de> for ObjectVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        properties(self.0, &mut map)
    }
}

/// Reads all remaining properties of an object.
fn properties<'de, A: MapAccess<'de>>(
    object: &mut dyn Object,
    map: &mut A,
) -> Result<(), A::Error> {
    while let Some(key) = map.next_key_seed(NameSeed(object))? {
        match key {
            NameMatch::Known(index) => {
                let value = NullableSeed { object, index };
                let found = map.next_value_seed(value)?;
                if !found && let Some(extra) = object.extra() {
                    extra.set_null(index);
                }
            }
            NameMatch::Unknown(name) => {
                let json: Json = map.next_value()?;
                store_additional(object, name, json);
            }
            NameMatch::Unwanted => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    mark_expanded(object);
    Ok(())
}

/// What is known of an expanded relationship may come before or after its objects.
fn mark_expanded(object: &mut dyn Object) {
    let marks: Vec<Box<str>> = match object.extra() {
        Some(extra) if !extra.rest.is_empty() => extra
            .rest
            .iter()
            .filter(|(name, _)| name.contains('@'))
            .map(|(name, _)| name.clone())
            .collect(),
        _ => return,
    };
    for mark in marks {
        if let Some(name) = mark.strip_suffix("@odata.nextLink") {
            object.mark_cut(name);
        } else if let Some(name) = mark.strip_suffix(COMPLETE) {
            object.mark_complete(name);
        }
    }
}

/// The annotation of a relationship that this crate completed.
pub(crate) const COMPLETE: &str = "@sdk.complete";

/// Stores a property that the model does not declare.
fn store_additional(object: &mut dyn Object, name: Box<str>, json: Json) {
    let own = object.odata_type();
    let is_own = !own.is_empty() && &*name == ODATA_TYPE && is_quoted(json.as_str(), own);
    let Some(extra) = object.extra() else {
        return;
    };
    if is_own {
        extra.typed = true;
    } else {
        extra.push(name, json);
    }
}

struct NameSeed<'a>(&'a mut dyn Object);

enum NameMatch {
    Known(usize),
    Unknown(Box<str>),
    Unwanted,
}

impl<'de> DeserializeSeed<'de> for NameSeed<'_> {
    type Value = NameMatch;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<NameMatch, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for NameSeed<'_> {
    type Value = NameMatch;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a property name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<NameMatch, E> {
        Ok(match self.0.names().find(name) {
            Some(index) => NameMatch::Known(index),
            None if self.0.extra().is_some() => NameMatch::Unknown(name.into()),
            None => NameMatch::Unwanted,
        })
    }
}

/// Chooses the type by `@odata.type`, which Graph sends before the first property.
struct TypedVisitor<'a>(&'a mut dyn Typed);

impl<'de> Visitor<'de> for TypedVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut entries: Vec<(Box<str>, Json)> = Vec::new();
        while let Some((name, json)) = map.next_entry::<Box<str>, Json>()? {
            let names_type = &*name == ODATA_TYPE;
            let property = !name.starts_with('@');
            entries.push((name, json));
            if property {
                // Rare: properties came before the type, or there is none.
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                return unordered(self.0, &entries).map_err(de::Error::custom);
            }
            if names_type {
                break;
            }
        }
        let object = self.0.of_type(&odata_type(&entries));
        for (name, json) in entries {
            store_additional(object, name, json);
        }
        properties(object, &mut map)
    }
}

/// Decodes an object from properties that were already read.
#[cold]
fn unordered(typed: &mut dyn Typed, entries: &[(Box<str>, Json)]) -> Result<(), serde_json::Error> {
    let mut members = Vec::with_capacity(entries.len());
    for (name, json) in entries {
        members.push(format!(
            "{}:{}",
            serde_json::to_string(name)?,
            json.as_str()
        ));
    }
    let text = format!("{{{}}}", members.join(","));
    let object = typed.of_type(&odata_type(entries));
    serde_json::Deserializer::from_str(&text).deserialize_map(ObjectVisitor(object))
}

#[inline]
fn odata_type(entries: &[(Box<str>, Json)]) -> Cow<'_, str> {
    entries
        .iter()
        .find(|(name, _)| **name == *ODATA_TYPE)
        .map(|(_, json)| type_name(json.as_str()))
        .unwrap_or_default()
}

/// The text of an `@odata.type` value, for the types that are chosen by it.
#[inline]
pub(crate) fn type_name(json: &str) -> Cow<'_, str> {
    serde_json::from_str::<Cow<'_, str>>(json).unwrap_or_default()
}

fn is_quoted(json: &str, text: &str) -> bool {
    json.strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        == Some(text)
}

pub(crate) const ODATA_TYPE: &str = "@odata.type";
