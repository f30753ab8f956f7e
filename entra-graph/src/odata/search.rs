use std::{fmt, marker::PhantomData};

use super::{EntityInfo, Level, Operator, Support};
use crate::error::Error;

/// A `$search` condition, made by [`Property::search`](crate::Property::search).
///
/// ```
/// use entra_graph::User;
/// let search = User::DISPLAY_NAME.search("ade").or(User::DISPLAY_NAME.search("van"));
/// assert_eq!(search.to_string(), r#""displayName:ade" OR "displayName:van""#);
/// ```
#[must_use = "a search does nothing until it is given to a request"]
pub struct Search<E> {
    text: String,
    unsupported: Option<String>,
    compound: bool,
    marker: PhantomData<fn() -> E>,
}

impl<E> Search<E> {
    pub(crate) fn new(name: &str, support: Support, text: &str) -> Self {
        let mut clause = format!("\"{name}:");
        for character in text.chars() {
            if matches!(character, '"' | '\\') {
                clause.push('\\');
            }
            clause.push(character);
        }
        clause.push('"');
        Self {
            text: clause,
            unsupported: (support.level(Operator::Search) == Level::No).then(|| name.to_owned()),
            compound: false,
            marker: PhantomData,
        }
    }

    /// A search expression as it stands, quotes included.
    pub fn raw(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            unsupported: None,
            compound: true,
            marker: PhantomData,
        }
    }

    /// Both conditions hold.
    pub fn and(self, other: Self) -> Self {
        self.join("AND", other)
    }

    /// At least one of the conditions holds.
    pub fn or(self, other: Self) -> Self {
        self.join("OR", other)
    }

    /// The text, if Graph supports the search.
    pub(crate) fn checked(self, entity: &EntityInfo) -> Result<String, Error> {
        match self.unsupported {
            None => Ok(self.text),
            Some(name) => Err(Error::query(format!(
                "{name} of {} cannot be searched; use a filter with starts_with",
                entity.name
            ))),
        }
    }

    fn join(self, operator: &str, other: Self) -> Self {
        let text = format!("{} {operator} {}", self.operand(), other.operand());
        Self {
            text,
            unsupported: self.unsupported.or(other.unsupported),
            compound: true,
            marker: PhantomData,
        }
    }

    fn operand(&self) -> String {
        if self.compound {
            format!("({})", self.text)
        } else {
            self.text.clone()
        }
    }
}

impl<E> Clone for Search<E> {
    fn clone(&self) -> Self {
        Self {
            text: self.text.clone(),
            unsupported: self.unsupported.clone(),
            compound: self.compound,
            marker: PhantomData,
        }
    }
}

impl<E> fmt::Display for Search<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<E> fmt::Debug for Search<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Search({self})")
    }
}
