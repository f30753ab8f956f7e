//! Types that the store returns.

use std::fmt;

use super::Object;

/// Why an object was not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// The `id` is missing or not a non-empty string.
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
pub(crate) struct LatestSignIns {
    pub(crate) interactive: Option<SignInTime>,
    pub(crate) silent: Option<SignInTime>,
    pub(crate) successful: Option<SignInTime>,
}

/// One sign-in in a user's `signInActivity`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignInTime {
    pub(crate) time: Box<str>,
    pub(crate) request_id: Box<str>,
}

impl SignInTime {
    pub(super) fn of(record: &Object) -> Self {
        let part = |name| record.text(name).unwrap_or_default().into();
        Self {
            time: part("createdDateTime"),
            request_id: part("id"),
        }
    }
}
