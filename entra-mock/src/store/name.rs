//! Names of properties, each stored once in the process.

use std::sync::{OnceLock, PoisonError, RwLock};

use hashbrown::HashMap;

/// A property name as one pointer; equal names are the same pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name(&'static &'static str);

impl Name {
    /// Returns the only copy of a name. Property names are few, so none is ever freed.
    pub(super) fn of(text: &str) -> Self {
        static NAMES: OnceLock<RwLock<HashMap<&'static str, Name>>> = OnceLock::new();
        let names = NAMES.get_or_init(RwLock::default);
        if let Some(name) = names
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(text)
        {
            return *name;
        }
        let mut names = names.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = names.get(text) {
            return *name;
        }
        let text: &'static str = Box::leak(text.into());
        let name = Self(Box::leak(Box::new(text)));
        names.insert(text, name);
        name
    }

    pub(super) fn text(self) -> &'static str {
        self.0
    }
}
