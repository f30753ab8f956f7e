//! One property of an object: its name and its value, owned, shared or packed.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::name::Name;
use crate::{collation::SortKey, schema::Type};

#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: Name,
    pub(super) value: FieldValue,
}

/// The value of a property, owned or shared.
#[derive(Clone, Debug)]
pub(super) enum FieldValue {
    Own(Value),
    Shared(Arc<Value>),
}

/// The value of a property as it is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stored<'a> {
    Text(&'a str),
    Value(&'a Value),
}

impl FieldValue {
    pub(super) fn get(&self) -> &Value {
        match self {
            Self::Own(value) => value,
            Self::Shared(value) => value,
        }
    }

    pub(super) fn get_mut(&mut self) -> &mut Value {
        match self {
            Self::Own(value) => value,
            Self::Shared(value) => Arc::make_mut(value),
        }
    }

    pub(super) fn into_value(self) -> Value {
        match self {
            Self::Own(value) => value,
            Self::Shared(value) => Arc::unwrap_or_clone(value),
        }
    }
}

impl<'a> Stored<'a> {
    /// The key of a value of a property with this type.
    pub(crate) fn sort_key(self, kind: Type) -> SortKey<'a> {
        match self {
            Self::Text(text) => SortKey::of_text(text, kind),
            Self::Value(value) => SortKey::of(Some(value), kind),
        }
    }

    pub(crate) fn as_str(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Value(value) => value.as_str(),
        }
    }

    /// Calls a function with the JSON value.
    pub(crate) fn with<T>(self, then: impl FnOnce(&Value) -> T) -> T {
        match self {
            Self::Text(text) => then(&Value::String(text.to_owned())),
            Self::Value(value) => then(value),
        }
    }
}

impl Serialize for Stored<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Value(value) => value.serialize(serializer),
        }
    }
}
