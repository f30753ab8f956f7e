//! The deletion guard: many removals at once need an approval.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::change::ObjectKind;

/// When removals need an approval: more than a share of the objects of a kind, of the members of a group, or of the
/// memberships of all groups together, and more than an absolute number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeletionGuard {
    share: f64,
    pub(super) floor: u64,
}

/// The removals that a [`DeletionGuard`] holds back: all of the run, since they belong together.
///
/// They wait in the store. The next run goes on with them: what returned in the meantime is no longer among them, and
/// fewer may pass.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HeldRemovals {
    /// The removals of objects, by kind.
    pub objects: Vec<HeldObjects>,
    /// The groups that lose members, without those whose own removal or whose members' removals are counted above. With
    /// transitive memberships, also groups outside of the copy that connect members with groups in it.
    pub groups: Vec<HeldMembers>,
    /// What all groups lose together, if that is too much.
    pub memberships: Option<HeldMemberships>,
    /// Lets exactly these removals through, once, by [`approve`](super::DirectorySync::approve).
    pub token: ApprovalToken,
}

/// The removals of one kind of objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HeldObjects {
    /// The kind.
    pub kind: ObjectKind,
    /// How many are removed.
    pub removed: u64,
    /// How many there are in the copy.
    pub present: u64,
    /// Whether these are too many, without assignments of service principals that are removed too.
    pub exceeds: bool,
    /// The ids of the first of them, at most 20.
    pub first: Vec<String>,
}

/// The members that a group loses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HeldMembers {
    /// The id of the group.
    pub group: String,
    /// How many members are removed.
    pub removed: u64,
    /// How many members the group has in the copy.
    pub members: u64,
    /// Whether these are too many.
    pub exceeds: bool,
}

/// The memberships that end, of all groups together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HeldMemberships {
    /// How many end, without those of objects that are removed.
    pub removed: u64,
    /// How many there are in the copy.
    pub present: u64,
}

/// Names a set of removals. Another set has another token, and so has the same set after it was approved and removed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApprovalToken(String);

impl DeletionGuard {
    /// More than a tenth, and more than five.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            share: 0.1,
            floor: 5,
        }
    }

    /// Lets every removal through.
    #[must_use]
    pub const fn off() -> Self {
        Self {
            share: 1.0,
            floor: u64::MAX,
        }
    }

    /// More than this share of the objects of a kind, of the members of a group, or of all memberships: 0.1 is a tenth. With
    /// one that is not a number, all above the floor need an approval.
    #[must_use]
    pub const fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    /// More than this number; fewer never need an approval.
    #[must_use]
    pub const fn floor(mut self, floor: u64) -> Self {
        self.floor = floor;
        self
    }

    pub(super) fn exceeds(self, removed: u64, present: u64) -> bool {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a share of more than 2^52 objects needs no last digit"
        )]
        let most = self.share * present as f64;
        #[expect(clippy::cast_precision_loss, reason = "as above")]
        let removed_share = removed as f64;
        removed > self.floor && (self.share.is_nan() || removed_share > most)
    }
}

impl Default for DeletionGuard {
    fn default() -> Self {
        Self::new()
    }
}

impl HeldRemovals {
    pub(super) fn exceeds(&self) -> bool {
        self.memberships.is_some()
            || self.objects.iter().any(|held| held.exceeds)
            || self.groups.iter().any(|held| held.exceeds)
    }
}

impl fmt::Display for HeldRemovals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deletion guard holds back the removals of this run")?;
        for held in &self.objects {
            let mark = if held.exceeds { ", too many" } else { "" };
            write!(
                f,
                "\n  {} of {} {}{mark}",
                held.removed, held.present, held.kind
            )?;
        }
        let most = self.groups.iter().filter(|held| held.exceeds);
        for held in most.clone().take(SAMPLE) {
            write!(
                f,
                "\n  {} of {} members of group {}, too many",
                held.removed, held.members, held.group
            )?;
        }
        let more = most.count().saturating_sub(SAMPLE);
        if more > 0 {
            write!(f, "\n  and {more} more groups")?;
        }
        if let Some(held) = &self.memberships {
            write!(
                f,
                "\n  {} of {} memberships of all groups, too many",
                held.removed, held.present
            )?;
        }
        write!(
            f,
            "\n  cause: a filter, the permissions of the application or the directory changed, or many were deleted\n  \
             fix:   if the removals are right, approve them with the token {}",
            self.token
        )
    }
}

impl fmt::Display for ApprovalToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ApprovalToken {
    /// The token of the removals with this digest.
    pub(super) fn of(digest: &[u8]) -> Self {
        let text = digest
            .iter()
            .take(16)
            .fold(String::new(), |mut text, byte| {
                text.push_str(&format!("{byte:02x}"));
                text
            });
        Self(text)
    }
}

impl FromStr for ApprovalToken {
    type Err = std::convert::Infallible;

    /// Reads the text that `Display` writes; another text approves nothing.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.trim().to_owned()))
    }
}

pub(super) const SAMPLE: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removal_needs_approval_above_the_share_and_above_the_floor() {
        let guard = DeletionGuard::new();
        assert!(!guard.exceeds(5, 5), "five never need one");
        assert!(guard.exceeds(6, 59));
        assert!(!guard.exceeds(6, 60), "a tenth is not more than a tenth");
        assert!(guard.exceeds(101, 1000));
        assert!(!guard.exceeds(100, 1000));
        assert!(!DeletionGuard::off().exceeds(1000, 1000));
        assert!(guard.share(0.0).floor(0).exceeds(1, 1000));
        assert!(guard.share(f64::NAN).exceeds(6, 1000), "not off");
        assert!(!guard.share(f64::NAN).exceeds(5, 1000));
    }

    #[test]
    fn a_token_is_read_from_its_text() {
        let token = ApprovalToken("ab12".to_owned());
        assert_eq!(format!(" {token}\n").parse(), Ok(token));
    }
}
