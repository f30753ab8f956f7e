//! The deletion guard: many removals at once need an approval.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    change::ObjectKind,
    error::SyncError,
    rows::{self, Entry, LinkEntry, Presence, Removal},
    state::SyncState,
    store::SyncStore,
};

/// When removals need an approval: more than a share of the objects of a kind or of the members of a group, and more
/// than an absolute number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeletionGuard {
    share: f64,
    floor: u64,
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
    /// The groups that lose members, without those whose own removal or whose members' removals are counted above.
    pub groups: Vec<HeldMembers>,
    /// Lets exactly these removals through, by [`approve`](super::DirectorySync::approve).
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
    /// Whether these are too many.
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

/// Names a set of removals. Another set has another token.
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

    /// More than this share of the objects of a kind, or of the members of a group: 0.1 is a tenth.
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

    fn exceeds(self, removed: u64, present: u64) -> bool {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a share of more than 2^52 objects needs no last digit"
        )]
        let most = self.share * present as f64;
        #[expect(clippy::cast_precision_loss, reason = "as above")]
        let removed_share = removed as f64;
        removed > self.floor && removed_share > most
    }
}

impl Default for DeletionGuard {
    fn default() -> Self {
        Self::new()
    }
}

impl HeldRemovals {
    pub(super) fn exceeds(&self) -> bool {
        self.objects.iter().any(|held| held.exceeds) || self.groups.iter().any(|held| held.exceeds)
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

impl FromStr for ApprovalToken {
    type Err = std::convert::Infallible;

    /// Reads the text that `Display` writes; another text approves nothing.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.trim().to_owned()))
    }
}

/// Reads all removals that wait. Returns `None` if no removal waits.
pub(super) async fn waiting<S: SyncStore>(
    store: &mut S,
    state: &SyncState,
    synced: &[ObjectKind],
    guard: DeletionGuard,
) -> Result<Option<HeldRemovals>, SyncError> {
    let mut digest = Sha256::new();
    let mut is_empty = true;
    let mut objects: BTreeMap<ObjectKind, HeldObjects> = BTreeMap::new();
    let mut after: Option<String> = None;
    loop {
        let found = scan(store, rows::REMOVALS, after.as_deref()).await?;
        for (key, value) in &found {
            is_empty = false;
            digest.update(key);
            digest.update([b'=']);
            digest.update(value);
            digest.update([b'\n']);
            let Some((code, id)) = rows::parts(key) else {
                continue;
            };
            let (Some(kind), Removal::Reason(_)) =
                (ObjectKind::of_code(code), Removal::read(value))
            else {
                continue;
            };
            let held = objects.entry(kind).or_insert_with(|| HeldObjects {
                kind,
                removed: 0,
                present: state.present(kind),
                exceeds: false,
                first: Vec::new(),
            });
            held.removed += 1;
            if held.first.len() < SAMPLE {
                held.first.push(rows::public(id).to_owned());
            }
        }
        if found.len() < CHUNK {
            break;
        }
        after = found.last().map(|(key, _)| key.clone());
    }
    let mut groups: Vec<HeldMembers> = Vec::new();
    after = None;
    loop {
        let found = scan(store, rows::UNLINKS, after.as_deref()).await?;
        is_empty &= found.is_empty();
        for (key, _) in &found {
            digest.update(key);
            digest.update([b'\n']);
        }
        count_members(store, synced, &found, &mut groups).await?;
        if found.len() < CHUNK {
            break;
        }
        after = found.last().map(|(key, _)| key.clone());
    }
    if is_empty {
        return Ok(None);
    }
    let mut objects: Vec<HeldObjects> = objects.into_values().collect();
    for held in &mut objects {
        held.exceeds = guard.exceeds(held.removed, held.present);
    }
    for held in &mut groups {
        if held.removed > guard.floor {
            held.members = count_links(store, &held.group).await?;
            held.exceeds = guard.exceeds(held.removed, held.members);
        }
    }
    let hash = digest.finalize();
    let token = hash.iter().take(16).fold(String::new(), |mut text, byte| {
        text.push_str(&format!("{byte:02x}"));
        text
    });
    Ok(Some(HeldRemovals {
        objects,
        groups,
        token: ApprovalToken(token),
    }))
}

/// Counts memberships by group, without those that end because the group or the member does.
async fn count_members<S: SyncStore>(
    store: &mut S,
    synced: &[ObjectKind],
    found: &[(String, String)],
    groups: &mut Vec<HeldMembers>,
) -> Result<(), SyncError> {
    let ends: Vec<(&str, &str)> = found
        .iter()
        .filter_map(|(key, _)| rows::parts(key))
        .collect();
    let mut keys = BTreeSet::new();
    for (group, member) in &ends {
        keys.insert(rows::link(group, member));
        keys.insert(rows::object(ObjectKind::Group, group));
        keys.insert(rows::removal(ObjectKind::Group, group));
        for kind in synced {
            keys.insert(rows::object(*kind, member));
            keys.insert(rows::removal(*kind, member));
        }
    }
    let keys: Vec<String> = keys.into_iter().collect();
    let values = store.get(&keys).await.map_err(SyncError::store)?;
    let known: BTreeMap<&str, &str> = keys
        .iter()
        .zip(&values)
        .filter_map(|(key, value)| Some((key.as_str(), value.as_deref()?)))
        .collect();
    let stays = |kind: ObjectKind, id: &str| {
        let entry = known.get(&*rows::object(kind, id)).copied();
        entry
            .and_then(Entry::read)
            .is_some_and(|entry| entry.presence == Presence::Present)
            && !known.contains_key(&*rows::removal(kind, id))
    };
    for (group, member) in ends {
        let link = known.get(&*rows::link(group, member)).copied();
        let member_type = link
            .and_then(LinkEntry::read)
            .and_then(|link| link.member_type);
        let kind = member_type
            .as_deref()
            .and_then(ObjectKind::of_type)
            .filter(|kind| synced.contains(kind));
        if !stays(ObjectKind::Group, group) || kind.is_some_and(|kind| !stays(kind, member)) {
            continue;
        }
        // The rows come in the order of the groups.
        match groups.last_mut() {
            Some(held) if held.group == group => held.removed += 1,
            _ => groups.push(HeldMembers {
                group: group.to_owned(),
                removed: 1,
                members: 0,
                exceeds: false,
            }),
        }
    }
    Ok(())
}

async fn count_links<S: SyncStore>(store: &mut S, group: &str) -> Result<u64, SyncError> {
    let prefix = rows::links_of(group);
    let (mut count, mut after): (u64, Option<String>) = (0, None);
    loop {
        let found = scan(store, &prefix, after.as_deref()).await?;
        count += found.len() as u64;
        if found.len() < CHUNK {
            return Ok(count);
        }
        after = found.last().map(|(key, _)| key.clone());
    }
}

async fn scan<S: SyncStore>(
    store: &mut S,
    prefix: &str,
    after: Option<&str>,
) -> Result<Vec<(String, String)>, SyncError> {
    store
        .scan(prefix, after, CHUNK)
        .await
        .map_err(SyncError::store)
}

const CHUNK: usize = 1_000;
const SAMPLE: usize = 20;

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
    }

    #[test]
    fn a_token_is_read_from_its_text() {
        let token = ApprovalToken("ab12".to_owned());
        assert_eq!(format!(" {token}\n").parse(), Ok(token));
    }
}
