//! Counts the properties of the object in a response, without reading more of it than that, unless what wrote it has.

use std::{borrow::Cow, cell::Cell, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::wire::Body;

/// The number of properties of an object, or of the first object of a list. Annotations are none.
pub(super) fn count(body: &Body) -> Option<usize> {
    body.properties().or_else(|| read(body))
}

fn read(body: &Body) -> Option<usize> {
    let start = body.start(START);
    count_in(&start).or_else(|| {
        let is_part = start.len() < body.length();
        is_part.then(|| count_in(body)).flatten()
    })
}

fn count_in(json: &[u8]) -> Option<usize> {
    let first = Cell::new(None);
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let whole = deserializer.deserialize_map(TopLevel(&first));
    // Behind the first item of a list, reading has ended with an error.
    first.get().or_else(|| whole.ok().flatten())
}

/// How much of a body is read at first. It holds the first item of a list of users.
const START: usize = 4_096;

/// Returns the number of properties of an object, unless it is a list. The first item of a list is counted in the cell.
struct TopLevel<'c>(&'c Cell<Option<usize>>);

impl<'de> Visitor<'de> for TopLevel<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<usize>, A::Error> {
        let (mut count, mut is_list) = (0, false);
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            count += usize::from(!name.contains('@'));
            if name == "value" {
                is_list |= map.next_value_seed(Items(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok((!is_list).then_some(count))
    }
}

/// Whether a value is an array. Ends with an error behind the first item.
struct Items<'c>(&'c Cell<Option<usize>>);

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<bool, A::Error> {
        match items.next_element::<PropertyCount>()? {
            Some(PropertyCount(count)) => {
                self.0.set(Some(count));
                Err(A::Error::custom("the rest is not read"))
            }
            None => Ok(true),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }
}

/// The number of properties of an object.
struct PropertyCount(usize);

impl<'de> Deserialize<'de> for PropertyCount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Counter;

        impl<'de> Visitor<'de> for Counter {
            type Value = PropertyCount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PropertyCount, A::Error> {
                let mut count = 0;
                while let Some(name) = map.next_key::<Cow<'de, str>>()? {
                    count += usize::from(!name.contains('@'));
                    map.next_value::<IgnoredAny>()?;
                }
                Ok(PropertyCount(count))
            }
        }

        deserializer.deserialize_map(Counter)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn the_properties_of_the_first_object_are_counted_without_annotations() {
        for (body, expected) in [
            (r#"{"@odata.context":"x","id":"1","mail":{"a":1}}"#, Some(2)),
            (
                r#"{"@odata.context":"x","value":[{"id":"1","a":[],"b@odata.bind":1},{"id":"2"}]}"#,
                Some(2),
            ),
            (r#"{"value":[{"a":{"value":[{}]}}],"b":1}"#, Some(1)),
            (r#"{"id":"1","inner":{"value":[{"a":1}]}}"#, Some(2)),
            (r#"{"value":[]}"#, None),
            (r#"{"value":["a"]}"#, None),
            (r#"{"value":"x"}"#, Some(1)),
            (r#"{"value":null,"a":1.5,"b":-1,"c":true}"#, Some(4)),
            (r#"{"value":{"a":1}}"#, Some(1)),
            ("[]", None),
            ("not JSON", None),
            (r#"{"id":"#, None),
            ("", None),
        ] {
            assert_eq!(count(&body.into()), expected, "{body}");
        }
    }

    #[test]
    fn pieces_are_counted_like_the_whole_body() {
        let long = "x".repeat(START);
        for body in [
            format!(r#"{{"@odata.context":"x","value":[{{"id":"1","a":"b"}},{{"id":"{long}"}}]}}"#),
            format!(r#"{{"@odata.context":"x","value":[{{"id":"{long}","a":"b"}},{{"id":"2"}}]}}"#),
            format!(r#"{{"id":"{long}","a":"b"}}"#),
        ] {
            for size in [1, 7, 1_000, START, 3 * START] {
                let pieces = body.as_bytes().chunks(size).map(Bytes::copy_from_slice);
                assert_eq!(count(&Body::of_pieces(pieces)), Some(2), "{size}");
            }
        }
    }
}
