//! Tells a sign-out at another replica from a store that lost a refresh token: both leave no entry.

use crate::{
    moment::ALLOWED_SKEW,
    store::{SignOutMark, system_micros},
};

/// The last sign-out of a user before the sign-in that a refresh token comes from.
#[derive(Clone, Debug)]
pub(super) enum LastSignOut {
    /// The id of its mark in the store; `None` if there was no mark.
    Known(Option<String>),
    /// The store could not be read at the sign-in, which was at this time by the system clock in
    /// microseconds. The clocks of two machines may differ by [`ALLOWED_SKEW`], so a mark from less than that
    /// before counts as later: the user signs in once more, and a sign-out is never overlooked. The mark that
    /// this process had seen or written before is of an earlier sign-out, whatever the clocks say.
    Unknown { since: u64, seen: Option<String> },
    /// The application brought the token at this time, so it does not take the user for signed out by a mark
    /// that was made before. The first look at the store makes it known.
    Given { since: u64 },
}

impl LastSignOut {
    /// As of a sign-in at this moment, with the last mark that was seen before.
    #[inline]
    pub(super) fn unknown(seen: Option<String>) -> Self {
        Self::Unknown {
            since: system_micros(),
            seen,
        }
    }

    /// As of a token that the application brings at this moment.
    #[inline]
    pub(super) fn given() -> Self {
        Self::Given {
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
            None => Self::unknown(None),
        }
    }

    #[inline]
    pub(super) fn to_stored(&self) -> Option<String> {
        match self {
            Self::Known(id) => Some(id.clone().unwrap_or_default()),
            Self::Unknown { .. } | Self::Given { .. } => None,
        }
    }

    /// Takes what an entry with the same token has, if it is not known here.
    #[inline]
    pub(super) fn learn(&mut self, text: Option<&str>) {
        if !matches!(self, Self::Known(_)) && text.is_some() {
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
            Self::Unknown {
                seen: Some(seen), ..
            } if *seen == mark.id => Some(false),
            Self::Unknown { since, .. } => mark.made.map(|made| made.saturating_add(SKEW) > *since),
            Self::Given { since } => mark.made.map(|made| made > *since),
        }
    }
}

/// Whether a sign-out or a rejection that was noted at one time ends a session of a sign-in at another, both
/// by a system clock in microseconds. It does if a time is not known, or if the clocks may differ so much.
#[cfg(feature = "sign-in")]
#[inline]
pub(super) fn ends(made: Option<u64>, signed_in: Option<u64>) -> bool {
    match (made, signed_in) {
        (Some(made), Some(signed_in)) => made.saturating_add(SKEW) > signed_in,
        _ => true,
    }
}

/// In microseconds.
const SKEW: u64 = ALLOWED_SKEW.as_secs() * 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "sign-in")]
    #[test]
    fn a_sign_out_from_long_before_the_sign_in_ends_no_session() {
        let signed_in = 10 * SKEW;
        for (made, expected) in [
            (0, false),
            (signed_in - SKEW, false),
            (signed_in - SKEW / 2, true),
            (signed_in + 1, true),
            (u64::MAX, true),
        ] {
            assert_eq!(ends(Some(made), Some(signed_in)), expected, "{made}");
        }
        assert!(ends(None, Some(signed_in)) && ends(Some(0), None));
    }

    #[test]
    fn a_mark_is_of_a_later_sign_out_unless_it_was_there_at_the_sign_in() {
        let mark = |id: &str, made| SignOutMark {
            id: id.to_owned(),
            made,
        };
        let since = 10 * SKEW;
        let (first, second) = (mark("first", Some(1)), mark("second", Some(2 * since)));
        let unreadable = mark("first", None);
        // Whose clock was ahead or behind cannot be told.
        let [shortly_before, shortly_after] =
            [since - SKEW / 2, since + SKEW / 2].map(|made| mark("close", Some(made)));
        let unknown = LastSignOut::Unknown { since, seen: None };
        let seen = LastSignOut::Unknown {
            since,
            seen: Some("close".to_owned()),
        };
        let given = LastSignOut::Given { since };
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
            (unknown.clone(), Some(&unreadable), None),
            (unknown.clone(), Some(&shortly_before), Some(true)),
            (unknown, Some(&shortly_after), Some(true)),
            (seen.clone(), Some(&shortly_before), Some(false)),
            (seen.clone(), Some(&shortly_after), Some(false)),
            (seen, Some(&second), Some(true)),
            (given.clone(), None, Some(false)),
            (given.clone(), Some(&first), Some(false)),
            (given.clone(), Some(&shortly_before), Some(false)),
            (given.clone(), Some(&shortly_after), Some(true)),
            (given.clone(), Some(&second), Some(true)),
            (given, Some(&unreadable), None),
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
