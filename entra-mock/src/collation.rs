//! The order of property values: for `$orderby`, for ranges of `$filter`, and for the store's indexes.

use std::{borrow::Cow, cmp::Ordering};

use serde_json::Value;

use crate::{schema::Type, time::ticks};

/// A property value as `$orderby` compares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SortKey<'a> {
    /// Sorts before everything else.
    Null,
    Number(i64),
    Text(Cow<'a, str>),
}

impl<'a> SortKey<'a> {
    /// The key of a value of a property with this type. Values without an order are null.
    pub(crate) fn of(value: Option<&'a Value>, kind: Type) -> Self {
        match value {
            Some(Value::String(text)) => Self::of_text(text, kind),
            Some(Value::Number(number)) => number.as_i64().map_or(Self::Null, Self::Number),
            Some(Value::Bool(value)) => Self::Number(i64::from(*value)),
            _ => Self::Null,
        }
    }

    pub(crate) fn of_text(text: &'a str, kind: Type) -> Self {
        if kind == Type::Date {
            ticks(text).map_or(Self::Null, Self::Number)
        } else {
            Self::Text(Cow::Borrowed(text))
        }
    }

    pub(crate) fn into_owned(self) -> SortKey<'static> {
        match self {
            Self::Null => SortKey::Null,
            Self::Number(number) => SortKey::Number(number),
            Self::Text(text) => SortKey::Text(Cow::Owned(text.into_owned())),
        }
    }
}

impl SortKey<'_> {
    pub(crate) fn compare(&self, other: &SortKey<'_>) -> Ordering {
        match (self, other) {
            (Self::Null, SortKey::Null) => Ordering::Equal,
            (Self::Null, _) => Ordering::Less,
            (_, SortKey::Null) => Ordering::Greater,
            (Self::Number(left), SortKey::Number(right)) => left.cmp(right),
            (Self::Text(left), SortKey::Text(right)) => compare_text(left, right),
            (Self::Number(_), SortKey::Text(_)) => Ordering::Less,
            (Self::Text(_), SortKey::Number(_)) => Ordering::Greater,
        }
    }
}

/// Compares strings without regard to case.
pub(crate) fn compare_text(left: &str, right: &str) -> Ordering {
    for (left_byte, right_byte) in left.bytes().zip(right.bytes()) {
        if !left_byte.is_ascii() || !right_byte.is_ascii() {
            return compare_beyond_ascii(left, right);
        }
        let ordering = left_byte
            .to_ascii_lowercase()
            .cmp(&right_byte.to_ascii_lowercase());
        if ordering.is_ne() {
            return ordering;
        }
    }
    left.len().cmp(&right.len())
}

fn compare_beyond_ascii(left: &str, right: &str) -> Ordering {
    left.chars()
        .flat_map(char::to_lowercase)
        .cmp(right.chars().flat_map(char::to_lowercase))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_sort_by_type_then_by_value() {
        let values = [
            json!(null),
            json!(false),
            json!(true),
            json!(7),
            json!("Anna"),
            json!("anna b"),
            json!("Bo"),
        ];
        let keys: Vec<SortKey<'_>> = values
            .iter()
            .map(|value| SortKey::of(Some(value), Type::Text))
            .collect();
        for (at, left) in keys.iter().enumerate() {
            for (other, right) in keys.iter().enumerate() {
                assert_eq!(left.compare(right), at.cmp(&other), "{left:?} {right:?}");
            }
        }
    }

    #[test]
    fn dates_are_compared_as_times() {
        let key = |text: &str| SortKey::of(Some(&json!(text)), Type::Date).into_owned();
        assert_eq!(
            key("2026-01-01T01:00:00+01:00").compare(&key("2026-01-01T00:00:00Z")),
            Ordering::Equal
        );
        assert_eq!(key("yesterday"), SortKey::Null);
    }

    proptest! {
        #[test]
        fn the_ascii_comparison_agrees_with_the_unicode_one(left in "[a-cA-CäÄßK]{0,4}", right in "[a-cA-CäÄßK]{0,4}") {
            prop_assert_eq!(compare_text(&left, &right), compare_beyond_ascii(&left, &right));
        }
    }
}
