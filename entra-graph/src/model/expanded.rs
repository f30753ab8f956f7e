use std::{ops::Deref, vec};

use serde::Serializer;

use super::{FieldSlot, Secrets, Value};
use crate::odata::{Described, EntityInfo};

/// Related objects of an `$expand`, possibly not all of them.
///
/// Graph sends at most 20, so 20 may be all or the first of thousands, and Graph sometimes sends
/// none though there are some: [`is_complete`](Self::is_complete) says which lists can be trusted. For
/// the others use the relationship's own collection, such as `graph.user(id).member_of()`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expanded<T> {
    items: Vec<T>,
    /// Whether Graph sent a link to further objects.
    cut: bool,
    /// Whether all others were fetched.
    complete: bool,
}

impl<T> Expanded<T> {
    /// Whether these are certainly all related objects that the caller may see: at least one, fewer than Graph's limit, and
    /// no link to more beside them. Always so after [`List::expand_all`](crate::query::List::expand_all)
    /// and [`Get::expand_all`](crate::query::Get::expand_all).
    ///
    /// Graph leaves out hidden memberships without a word where the caller lacks `Member.Read.Hidden`.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.complete || !self.cut && !self.items.is_empty() && self.items.len() < MOST_EXPANDED
    }

    /// The objects that came.
    #[must_use]
    pub fn into_items(self) -> Vec<T> {
        self.items
    }
}

/// What a list of the related objects depends on.
impl<T: Described> Described for Expanded<T> {
    const INFO: EntityInfo = T::INFO;
}

impl<T> Deref for Expanded<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> IntoIterator for Expanded<T> {
    type Item = T;
    type IntoIter = vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Expanded<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl<T: Value> Value for Expanded<T> {
    fn field_slot(slot: &mut Option<Self>) -> FieldSlot<'_> {
        let empty = Self {
            items: Vec::new(),
            cut: false,
            complete: false,
        };
        FieldSlot::List(&mut slot.insert(empty).items)
    }

    fn encode<S: Serializer>(&self, serializer: S, secrets: Secrets) -> Result<S::Ok, S::Error> {
        self.items.encode(serializer, secrets)
    }

    fn mark_cut(&mut self) {
        self.cut = true;
    }

    fn mark_complete(&mut self) {
        self.complete = true;
    }

    fn is_meaningful(&self) -> bool {
        !self.items.is_empty()
    }
}

/// Graph's limit for most relationships.
const MOST_EXPANDED: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(count: usize) -> Expanded<i32> {
        Expanded {
            items: vec![0; count],
            cut: false,
            complete: false,
        }
    }

    #[test]
    fn a_list_that_may_have_been_cut_is_not_complete() {
        assert!(!expanded(0).is_complete());
        assert!(expanded(1).is_complete());
        let mut cut = expanded(1);
        cut.mark_cut();
        assert!(!cut.is_complete());
        assert!(expanded(19).is_complete());
        assert!(!expanded(20).is_complete());
        assert!(!expanded(21).is_complete());
        let mut filled = expanded(20);
        filled.mark_complete();
        assert!(filled.is_complete());
    }
}
