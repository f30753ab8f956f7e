//! Finds the line of a value in a YAML or JSON text.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// One step from a value to a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// Returns the line and column at which the value with this path starts, both from 1.
///
/// The parser knows where an error occurs, but not where a value is. So this reads the text once more, with an error
/// at that value.
pub(super) fn locate(text: &str, path: &[Step]) -> Option<(usize, usize)> {
    let parser = yaml_serde::Deserializer::from_str(text);
    let error = Path(path).deserialize(parser).err()?;
    let location = error.location()?;
    Some((location.line(), location.column()))
}

/// Reads a value up to a part of it, where it fails.
#[derive(Clone, Copy)]
struct Path<'p>(&'p [Step]);

impl<'de> DeserializeSeed<'de> for Path<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// The error at the value that is looked for.
fn here<E: de::Error>() -> Result<(), E> {
    Err(E::custom("here"))
}

impl<'de> Visitor<'de> for Path<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        here()
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        here()
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        here()
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        here()
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        here()
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        here()
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        here()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((Step::Index(wanted), rest)) = self.0.split_first() else {
            return here();
        };
        for _ in 0..*wanted {
            if items.next_element::<IgnoredAny>()?.is_none() {
                return here();
            }
        }
        match items.next_element_seed(Path(rest))? {
            Some(()) => Ok(()),
            None => here(),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((Step::Key(wanted), rest)) = self.0.split_first() else {
            return here();
        };
        while let Some(key) = entries.next_key::<String>()? {
            if key == *wanted {
                return entries.next_value_seed(Path(rest));
            }
            entries.next_value::<IgnoredAny>()?;
        }
        here()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, path: &[Step]) -> Option<(usize, usize)> {
        locate(text, path)
    }

    #[test]
    fn a_value_is_found_in_yaml_and_json() {
        let yaml = "a: 1\nb:\n  - x\n  - y: z\n    list: [one,\n      two]\n";
        let b = || Step::from("b");
        assert_eq!(found(yaml, &["a".into()]), Some((1, 4)));
        assert_eq!(found(yaml, &[b(), 0.into()]), Some((3, 5)));
        assert_eq!(found(yaml, &[b(), 1.into(), "y".into()]), Some((4, 8)));
        assert_eq!(
            found(yaml, &[b(), 1.into(), "list".into(), 1.into()]),
            Some((6, 7))
        );
        let json = "{\n  \"a\": {\"b\": true,\n    \"c\": null}\n}";
        assert_eq!(found(json, &["a".into(), "b".into()]), Some((2, 14)));
        assert_eq!(found(json, &["a".into(), "c".into()]), Some((3, 10)));
    }

    #[test]
    fn a_part_that_does_not_exist_is_at_the_value_around_it() {
        let yaml = "a:\n  b: 1\nc: [1]\n";
        assert_eq!(found(yaml, &["a".into(), "x".into()]), Some((2, 3)));
        assert_eq!(found(yaml, &["c".into(), 5.into()]), Some((3, 4)));
    }
}
