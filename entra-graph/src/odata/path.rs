//! The path from an entity to a property, as a filter writes it.

use std::{borrow::Cow, fmt};

/// Up to three names from the entity to a nested property; inside of `any`, the first ones are the
/// collection that the range variable stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    segments: [Cow<'static, str>; 3],
    /// How many names the range variable stands for, none outside of `any`.
    variable: usize,
}

impl Path {
    pub(super) const fn of(name: Cow<'static, str>) -> Self {
        Self {
            segments: [name, Cow::Borrowed(""), Cow::Borrowed("")],
            variable: 0,
        }
    }

    /// The property of the entity.
    pub(crate) fn root(&self) -> &str {
        &self.segments[0]
    }

    pub(super) fn into_root(self) -> Cow<'static, str> {
        let [root, ..] = self.segments;
        root
    }

    /// Whether the path begins with this property of the entity, in any case, as Graph compares names.
    pub(crate) fn begins_with(&self, name: &str) -> bool {
        is_at_start(self.root(), name)
    }

    /// The path to a property inside of this one's value.
    #[inline]
    pub(super) fn then(mut self, name: Cow<'static, str>) -> Self {
        match self.segments.iter_mut().find(|segment| segment.is_empty()) {
            Some(segment) => *segment = name,
            // No documented path is deeper, so there is no support row for this one either.
            None => self.segments = [const { Cow::Borrowed("") }; 3],
        }
        self
    }

    /// The collection of a path as the range variable of its `any`.
    pub(super) fn into_variable(mut self) -> Self {
        self.variable = self.parts().count();
        self
    }

    /// Whether the path may stand inside of the collection's `any`, or of none.
    #[inline]
    pub(crate) fn fits(&self, scope: Option<&Self>) -> bool {
        let outer: Vec<&str> = scope.map_or_else(Vec::new, |path| path.parts().collect());
        self.variable == outer.len() && self.parts().take(outer.len()).eq(outer)
    }

    /// The path from the entity, without range variables.
    #[inline]
    pub(crate) fn full(&self) -> String {
        self.parts().collect::<Vec<_>>().join("/")
    }

    fn parts(&self) -> impl Iterator<Item = &str> {
        self.segments
            .iter()
            .map(|segment| &**segment)
            .filter(|segment| !segment.is_empty())
    }
}

/// Whether a name is that of this property, or a whole path that begins with it, which a caller may have named at run time.
pub(super) fn is_at_start(path: &str, name: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    first.eq_ignore_ascii_case(name)
}

/// The path as a filter writes it.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.variable > 0 {
            f.write_str("x")?;
        }
        for (at, part) in self.parts().enumerate().skip(self.variable) {
            f.write_str(if at > 0 { "/" } else { "" })?;
            f.write_str(part)?;
        }
        Ok(())
    }
}
