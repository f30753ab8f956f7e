//! Tells a sign-out at another replica from a store that lost a refresh token: both leave no entry.

use crate::store::{SignOutMark, system_micros};

/// The last sign-out of a user before the sign-in that a refresh token comes from.
#[derive(Clone, Debug)]
pub(super) enum LastSignOut {
    /// The id of its mark in the store; `None` if there was no mark.
    Known(Option<String>),
    /// The store could not be read at the sign-in. Marks from after this time, by the system clock in
    /// microseconds, are of later sign-outs.
    Unknown { since: u64 },
}

impl LastSignOut {
    /// As of a sign-in at this moment.
    #[inline]
    pub(super) fn unknown() -> Self {
        Self::Unknown {
            since: system_micros(),
        }
    }

    /// Of a sign-in at this moment, at which the store had this mark.
    #[inline]
    pub(super) fn known(mark: Option<&SignOutMark>) -> Self {
        Self::Known(mark.map(|mark| mark.id.clone()))
    }

    /// As an entry of the store has it.
    #[inline]
    pub(super) fn stored(text: Option<&str>) -> Self {
        match text {
            Some("") => Self::Known(None),
            Some(id) => Self::Known(Some(id.to_owned())),
            None => Self::unknown(),
        }
    }

    #[inline]
    pub(super) fn to_stored(&self) -> Option<String> {
        match self {
            Self::Known(id) => Some(id.clone().unwrap_or_default()),
            Self::Unknown { .. } => None,
        }
    }

    /// Takes what an entry with the same token has, if it is not known here.
    #[inline]
    pub(super) fn learn(&mut self, text: Option<&str>) {
        if matches!(self, Self::Unknown { .. }) && text.is_some() {
            *self = Self::stored(text);
        }
    }

    /// Whether the store's mark is of a later sign-out. `None` if that cannot be told: the mark is under
    /// a key of other replicas, and was not seen at the sign-in.
    #[inline]
    pub(super) fn is_before(&self, mark: Option<&SignOutMark>) -> Option<bool> {
        let Some(mark) = mark else {
            return Some(false);
        };
        match self {
            Self::Known(known) => Some(known.as_deref() != Some(mark.id.as_str())),
            Self::Unknown { since } => mark.made.map(|made| made > *since),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_of_a_later_sign_out_unless_it_was_there_at_the_sign_in() {
        let mark = |id: &str, made| SignOutMark {
            id: id.to_owned(),
            made,
        };
        let (first, second) = (mark("first", Some(10)), mark("second", Some(30)));
        let unreadable = mark("first", None);
        let unknown = LastSignOut::Unknown { since: 20 };
        let table = [
            (LastSignOut::known(None), None, Some(false)),
            (LastSignOut::known(None), Some(&first), Some(true)),
            (LastSignOut::known(Some(&first)), Some(&first), Some(false)),
            (
                LastSignOut::known(Some(&first)),
                Some(&unreadable),
                Some(false),
            ),
            (LastSignOut::known(Some(&first)), Some(&second), Some(true)),
            // The store lost its marks.
            (LastSignOut::known(Some(&first)), None, Some(false)),
            (unknown.clone(), None, Some(false)),
            (unknown.clone(), Some(&first), Some(false)),
            (unknown.clone(), Some(&second), Some(true)),
            (unknown, Some(&unreadable), None),
        ];
        for (last, mark, expected) in table {
            assert_eq!(last.is_before(mark), expected, "{last:?} {mark:?}");
            if let LastSignOut::Known(id) = &last {
                let again = LastSignOut::stored(last.to_stored().as_deref());
                assert!(matches!(again, LastSignOut::Known(same) if same == *id));
            }
        }
    }
}
