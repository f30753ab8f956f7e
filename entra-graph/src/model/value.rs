use std::borrow::Cow;

use entra_core::{Secret, Timestamp, format_rfc3339, parse_rfc3339};
use serde::{Serialize, Serializer, ser::SerializeSeq};

use super::{
    Json,
    target::{DecodeAborted, DecodeTarget, Elements, FieldSlot, List, Text},
};
use crate::odata::time_text;

/// A type that a property can have, with its form in JSON.
///
/// Not serde's own traits: a timestamp is RFC 3339 here, and a secret is read but never written.
pub(crate) trait Value: Sized {
    /// Whether the value must not be written.
    const SECRET: bool = false;

    /// The slot that a value is decoded into.
    fn field_slot(slot: &mut Option<Self>) -> FieldSlot<'_>;

    fn encode<S: Serializer>(&self, serializer: S, secrets: Secrets) -> Result<S::Ok, S::Error>;

    /// Notes that Graph sent a link to further related objects.
    fn mark_cut(&mut self) {}

    /// Notes that these are all related objects.
    fn mark_complete(&mut self) {}

    /// Whether this is more than an empty collection.
    fn is_meaningful(&self) -> bool {
        true
    }
}

/// Whether secrets are written with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrets {
    /// Secrets are left out, as in everything that is printed or stored.
    LeaveOut,
    /// Secrets are written into a request body, whose memory is overwritten afterwards.
    Write,
}

/// Writes one value of whatever type.
pub(crate) struct Encoded<'a, T>(pub(crate) &'a T, pub(crate) Secrets);

impl<T: Value> Serialize for Encoded<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.encode(serializer, self.1)
    }
}

macro_rules! plain {
    ($($type:ty = $field_slot:ident),*) => {$(
        impl Value for $type {
            fn field_slot(slot: &mut Option<Self>) -> FieldSlot<'_> {
                FieldSlot::$field_slot(slot)
            }

            fn encode<S: Serializer>(&self, serializer: S, _: Secrets) -> Result<S::Ok, S::Error> {
                serde::Serialize::serialize(self, serializer)
            }
        }
    )*};
}

plain!(
    bool = Bool,
    i32 = I32,
    i64 = I64,
    f64 = F64,
    String = String
);

impl Value for Secret {
    const SECRET: bool = true;

    fn field_slot(slot: &mut Option<Self>) -> FieldSlot<'_> {
        FieldSlot::Text(slot)
    }

    fn encode<S: Serializer>(&self, serializer: S, secrets: Secrets) -> Result<S::Ok, S::Error> {
        match secrets {
            Secrets::Write => serializer.serialize_str(self.expose_secret()),
            Secrets::LeaveOut => serializer.serialize_none(),
        }
    }
}

impl Text for Option<Secret> {
    fn take(&mut self, text: &str) -> bool {
        *self = Some(Secret::from(text));
        true
    }

    fn expected(&self) -> &'static str {
        "a text"
    }
}

impl Value for Json {
    fn field_slot(slot: &mut Option<Self>) -> FieldSlot<'_> {
        FieldSlot::Json(slot)
    }

    fn encode<S: Serializer>(&self, serializer: S, _: Secrets) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }
}

/// A boxed object, because it is large or rarely present.
impl<T: DecodeTarget + Value + Default> Value for Box<T> {
    fn field_slot(slot: &mut Option<Self>) -> FieldSlot<'_> {
        slot.insert(Self::default()).as_mut().field_slot()
    }

    fn encode<S: Serializer>(&self, serializer: S, secrets: Secrets) -> Result<S::Ok, S::Error> {
        (**self).encode(serializer, secrets)
    }

    fn is_meaningful(&self) -> bool {
        (**self).is_meaningful()
    }
}

impl<T: Value> Value for Vec<T> {
    fn field_slot(slot: &mut Option<Self>) -> FieldSlot<'_> {
        FieldSlot::List(slot.insert(Self::default()))
    }

    fn encode<S: Serializer>(&self, serializer: S, secrets: Secrets) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.len()))?;
        for item in self {
            seq.serialize_element(&Encoded(item, secrets))?;
        }
        seq.end()
    }

    fn is_meaningful(&self) -> bool {
        !self.is_empty()
    }
}

impl<T: Value> List for Vec<T> {
    fn fill(&mut self, elements: &mut dyn Elements) -> Result<(), DecodeAborted> {
        let mut slot: Option<T> = None;
        while elements.next(T::field_slot(&mut slot))? {
            if let Some(element) = slot.take() {
                self.push(element);
            }
        }
        Ok(())
    }
}

impl Value for Timestamp {
    fn field_slot(slot: &mut Option<Self>) -> FieldSlot<'_> {
        FieldSlot::Text(slot)
    }

    fn encode<S: Serializer>(&self, serializer: S, _: Secrets) -> Result<S::Ok, S::Error> {
        // RFC 3339 has no seconds in an offset and no year before 0; UTC and OData have a form for these.
        let text = format_rfc3339(*self).unwrap_or_else(|| time_text(*self));
        serializer.serialize_str(&text)
    }
}

impl Text for Option<Timestamp> {
    fn take(&mut self, text: &str) -> bool {
        *self = parse_time(text);
        self.is_some()
    }

    fn expected(&self) -> &'static str {
        "a time such as 2026-01-31T12:00:00Z"
    }
}

/// RFC 3339, or the shorter forms that Graph also sends: without seconds, or without a zone (UTC).
fn parse_time(text: &str) -> Option<Timestamp> {
    if let Some(time) = parse_rfc3339(text) {
        return Some(time);
    }
    let mut text = Cow::Borrowed(text);
    if !text.ends_with(['Z', 'z']) && text.get(19..).is_none_or(|rest| !rest.contains(['+', '-'])) {
        text.to_mut().push('Z');
    }
    if text.get(16..).is_some_and(|rest| !rest.starts_with(':')) {
        text.to_mut().insert_str(16, ":00");
    }
    parse_rfc3339(&text)
}
