//! The groups whose users are copied, if these are not all users.

use std::collections::BTreeSet;

use super::machine::Nested;

/// The groups whose users are copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GroupScope {
    groups: BTreeSet<String>,
    nested: Nested,
}

impl GroupScope {
    pub(super) const fn new(groups: BTreeSet<String>, nested: Nested) -> Self {
        Self { groups, nested }
    }

    /// Whether members of groups in these groups count.
    pub(super) const fn nested(&self) -> Nested {
        self.nested
    }

    pub(super) fn has_group(&self, id: &str) -> bool {
        self.groups.contains(id)
    }

    /// The ids of the groups.
    pub(super) fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(String::as_str)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Another scope has another name.
    pub(super) fn name(&self) -> String {
        let kind = if self.nested { "nested" } else { "direct" };
        self.groups.iter().fold(kind.to_owned(), |mut name, group| {
            name.push(' ');
            name.push_str(group);
            name
        })
    }
}
