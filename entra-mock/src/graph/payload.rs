//! JSON bodies of requests.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

/// Parses a body, or returns `None` if it is not valid JSON.
///
/// OData does not allow a name twice in one object, at any depth. Which of two values would count is
/// not defined, so a client that sends both has a fault.
pub(super) fn parse<T: From<Payload>>(body: &[u8]) -> Option<T> {
    serde_json::from_slice::<Payload>(body).ok().map(T::from)
}

/// Parses a body that must be an object.
pub(super) fn parse_object(body: &[u8]) -> Option<Map<String, Value>> {
    match parse(body)? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// A JSON value without repeated names.
pub(super) struct Payload(Value);

impl From<Payload> for Value {
    fn from(payload: Payload) -> Self {
        payload.0
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PayloadVisitor).map(Self)
    }
}

struct PayloadVisitor;

impl<'de> Visitor<'de> for PayloadVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Payload(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Payload(value))) = map.next_entry::<String, Payload>()? {
            if object.insert(name, value).is_some() {
                return Err(de::Error::custom("a name occurs twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_is_read_as_it_stands() {
        let body = br#" {"a":[null,true,-1,1,1.5,"x\u0000",{"a":{}}],"b":{"a":1}} "#;
        let expected = json!({"a": [null, true, -1, 1, 1.5, "x\u{0}", {"a": {}}], "b": {"a": 1}});
        assert_eq!(parse::<Value>(body), Some(expected));
        assert_eq!(parse::<Value>(b"7"), Some(json!(7)));
        assert_eq!(parse_object(b"[]"), None);
    }

    #[test]
    fn a_name_that_occurs_twice_is_invalid_at_any_depth() {
        for body in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"[{"a":[{"b":null,"b":null}]}]"#,
        ] {
            assert_eq!(parse::<Value>(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn what_is_not_json_is_invalid() {
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        for body in ["", "{}{}", "\u{feff}{}", "1e999", r#""\ud800""#, &deep] {
            assert_eq!(parse::<Value>(body.as_bytes()), None);
        }
    }
}
