//! What the store says about its objects.

use std::fmt;

use super::{Object, text};

/// Why an object was not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// No `id` that is a non-empty string.
    NoId,
    /// Another object has the same value for this property.
    Taken {
        property: &'static str,
        value: String,
    },
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoId => f.write_str("the object has no id"),
            Self::Taken { property, value } => write!(f, "another object has {property} {value}"),
        }
    }
}

/// A user's latest sign-ins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Latest {
    pub(crate) interactive: Option<Moment>,
    pub(crate) silent: Option<Moment>,
    pub(crate) successful: Option<Moment>,
}

/// One sign-in in a user's `signInActivity`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) time: Box<str>,
    pub(crate) request_id: Box<str>,
}

impl Moment {
    pub(super) fn of(record: &Object) -> Self {
        let part = |name| text(record, name).unwrap_or_default().into();
        Self {
            time: part("createdDateTime"),
            request_id: part("id"),
        }
    }
}
