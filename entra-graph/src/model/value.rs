use std::{borrow::Cow, fmt, marker::PhantomData};

use entra_core::{Secret, Timestamp, time::format_description::well_known::Rfc3339};
use serde::{
    Deserialize, Deserializer, Serializer,
    de::{self, DeserializeSeed, SeqAccess, Visitor},
    ser::SerializeSeq,
};

/// A type that a property can have, with its form in JSON.
///
/// Not serde's own traits: a timestamp is RFC 3339 here, and a secret is read but never written.
pub(crate) trait Value: Sized {
    /// Whether the value must not be written.
    const SECRET: bool = false;

    fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Whether this is more than an empty collection.
    fn says_something(&self) -> bool {
        true
    }
}

/// Reads one value of whatever type.
pub(crate) struct Seed<T>(PhantomData<T>);

impl<T> Seed<T> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, T: Value> DeserializeSeed<'de> for Seed<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::decode(deserializer)
    }
}

/// Writes one value of whatever type.
pub(crate) struct Encoded<'a, T>(pub(crate) &'a T);

impl<T: Value> serde::Serialize for Encoded<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.encode(serializer)
    }
}

macro_rules! plain {
    ($($type:ty),*) => {$(
        impl Value for $type {
            fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize(deserializer)
            }

            fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serde::Serialize::serialize(self, serializer)
            }
        }
    )*};
}

plain!(String, bool, i32, i64, f64);

impl Value for Secret {
    const SECRET: bool = true;

    fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_none()
    }
}

impl<T: Value> Value for Box<T> {
    fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::decode(deserializer).map(Self::new)
    }

    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).encode(serializer)
    }

    fn says_something(&self) -> bool {
        (**self).says_something()
    }
}

impl<T: Value> Value for Vec<T> {
    fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Items(PhantomData))
    }

    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.len()))?;
        for item in self {
            seq.serialize_element(&Encoded(item))?;
        }
        seq.end()
    }

    fn says_something(&self) -> bool {
        !self.is_empty()
    }
}

struct Items<T>(PhantomData<T>);

impl<'de, T: Value> Visitor<'de> for Items<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Seed::new())? {
            items.push(item);
        }
        Ok(items)
    }
}

impl Value for Timestamp {
    fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time such as 2026-01-31T12:00:00Z")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                parse_time(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_str(Text)
    }

    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.format(&Rfc3339).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&text)
    }
}

/// RFC 3339, or the shorter forms that Graph also sends: without seconds, or without a zone (UTC).
fn parse_time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = Timestamp::parse(text, &Rfc3339) {
        return Some(time);
    }
    let mut text = Cow::Borrowed(text);
    if !text.ends_with(['Z', 'z']) && text.get(19..).is_none_or(|rest| !rest.contains(['+', '-'])) {
        text.to_mut().push('Z');
    }
    if text.get(16..).is_some_and(|rest| !rest.starts_with(':')) {
        text.to_mut().insert_str(16, ":00");
    }
    Timestamp::parse(&text, &Rfc3339).ok()
}
