//! One line of a plan.

use std::fmt;

/// One line of a [`Plan`](super::Plan).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    mark: Mark,
    text: String,
}

/// What a [`Line`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mark {
    /// Something is added.
    Add,
    /// Something is changed.
    Change,
    /// Something is removed.
    Remove,
    /// Something stays although the blueprint does not list it.
    Keep,
}

impl Line {
    pub(super) const fn new(mark: Mark, text: String) -> Self {
        Self { mark, text }
    }

    pub(super) fn add(text: impl Into<String>) -> Self {
        Self::new(Mark::Add, text.into())
    }

    pub(super) fn change(text: impl Into<String>) -> Self {
        Self::new(Mark::Change, text.into())
    }

    pub(super) fn remove(text: impl Into<String>) -> Self {
        Self::new(Mark::Remove, text.into())
    }

    /// What it does.
    #[must_use]
    pub const fn mark(&self) -> Mark {
        self.mark
    }

    /// What it is about, such as `web redirect URI https://app.example.com/callback`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.mark {
            Mark::Add => '+',
            Mark::Change => '~',
            Mark::Remove => '-',
            Mark::Keep => '=',
        };
        write!(f, "{mark} {}", self.text)
    }
}
