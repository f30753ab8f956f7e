//! The removals that wait in the store, counted for the deletion guard.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::{
    change::ObjectKind,
    error::SyncError,
    guard::{
        ApprovalToken, DeletionGuard, HeldMembers, HeldMemberships, HeldObjects, HeldRemovals,
        SAMPLE,
    },
    reading::{SWEEP, scan},
    rows::{self, Entry, LinkEntry, Presence, Removal},
    state::SyncState,
    store::SyncStore,
};

/// Reads all removals that wait. Returns `None` if no removal waits.
///
/// With `readable`, also the memberships that are no longer visible when these kinds are copied.
pub(super) async fn waiting<S: SyncStore>(
    store: &mut S,
    state: &SyncState,
    readable: Option<&[ObjectKind]>,
    guard: DeletionGuard,
) -> Result<Option<HeldRemovals>, SyncError> {
    let mut digest = Sha256::new();
    // An approval is used up with the step that saves the first of its removals.
    digest.update(state.approvals.to_be_bytes());
    let objects = objects(store, state, guard, &mut digest).await?;
    let mut groups = Vec::new();
    let mut is_empty = objects.is_none();
    let mut after: Option<String> = None;
    loop {
        let found = scan(store, rows::UNLINKS, after.as_deref(), SWEEP).await?;
        is_empty &= found.is_empty();
        for (key, _) in &found {
            digest.update(key);
            digest.update([b'\n']);
        }
        let known = Known::read(store, &state.synced, &found).await?;
        for link in known.links(&found) {
            if link.is_visible(&state.synced) && !link.ends_with_an_object(&state.synced) {
                count(&mut groups, link.group);
            }
        }
        if found.len() < SWEEP {
            break;
        }
        after = found.last().map(|(key, _)| key.clone());
    }
    if let Some(readable) = readable {
        let hidden = hidden(store, &state.synced, readable, &mut digest).await?;
        is_empty &= hidden.is_empty();
        for (group, removed) in hidden {
            match groups
                .iter_mut()
                .find(|held: &&mut HeldMembers| held.group == group)
            {
                Some(held) => held.removed += removed,
                None => groups.push(held_members(group, removed)),
            }
        }
    }
    if is_empty {
        return Ok(None);
    }
    for held in groups.iter_mut().filter(|held| held.removed > guard.floor) {
        held.members = visible(store, state, Some(&held.group), None).await?;
        held.exceeds = guard.exceeds(held.removed, held.members);
    }
    let mut held = HeldRemovals {
        objects: objects.unwrap_or_default(),
        memberships: together(store, state, &groups, guard).await?,
        groups,
        token: ApprovalToken::of(&digest.finalize()),
    };
    if held.exceeds() {
        for held in held.groups.iter_mut().filter(|held| held.members == 0) {
            held.members = visible(store, state, Some(&held.group), None).await?;
        }
    }
    Ok(Some(held))
}

/// The objects whose removal waits; `None` if not even bookkeeping waits.
async fn objects<S: SyncStore>(
    store: &mut S,
    state: &SyncState,
    guard: DeletionGuard,
    digest: &mut Sha256,
) -> Result<Option<Vec<HeldObjects>>, SyncError> {
    let mut is_empty = true;
    let mut objects: BTreeMap<ObjectKind, HeldObjects> = BTreeMap::new();
    let mut after: Option<String> = None;
    loop {
        let found = scan(store, rows::REMOVALS, after.as_deref(), SWEEP).await?;
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
        if found.len() < SWEEP {
            break;
        }
        after = found.last().map(|(key, _)| key.clone());
    }
    let mut objects: Vec<HeldObjects> = objects.into_values().collect();
    for held in &mut objects {
        held.exceeds = guard.exceeds(held.removed, held.present);
    }
    Ok((!is_empty).then_some(objects))
}

/// The memberships that end, of all groups together, if these are too many: a mistake can empty many groups of which
/// each is small.
async fn together<S: SyncStore>(
    store: &mut S,
    state: &SyncState,
    groups: &[HeldMembers],
    guard: DeletionGuard,
) -> Result<Option<HeldMemberships>, SyncError> {
    let removed = groups.iter().map(|held| held.removed).sum();
    if removed <= guard.floor {
        return Ok(None);
    }
    let present = visible(store, state, None, Some((guard, removed))).await?;
    Ok(guard
        .exceeds(removed, present)
        .then_some(HeldMemberships { removed, present }))
}

/// Counts the memberships that are in the copy, of one group or of all. With `enough`, only until there are so many that
/// these removals pass.
async fn visible<S: SyncStore>(
    store: &mut S,
    state: &SyncState,
    group: Option<&str>,
    enough: Option<(DeletionGuard, u64)>,
) -> Result<u64, SyncError> {
    let prefix = group.map_or_else(|| rows::LINKS.to_owned(), rows::links_of);
    let (mut count, mut after): (u64, Option<String>) = (0, None);
    loop {
        let found = scan(store, &prefix, after.as_deref(), SWEEP).await?;
        let known = Known::read(store, &state.synced, &found).await?;
        let links = known.links(&found);
        count += links.filter(|link| link.is_visible(&state.synced)).count() as u64;
        let is_enough = enough.is_some_and(|(guard, removed)| !guard.exceeds(removed, count));
        if found.len() < SWEEP || is_enough {
            return Ok(count);
        }
        after = found.last().map(|(key, _)| key.clone());
    }
}

/// How many memberships of each group are in the copy, and no longer when these kinds are copied.
async fn hidden<S: SyncStore>(
    store: &mut S,
    synced: &[ObjectKind],
    readable: &[ObjectKind],
    digest: &mut Sha256,
) -> Result<BTreeMap<String, u64>, SyncError> {
    let kinds: BTreeSet<ObjectKind> = synced.iter().chain(readable).copied().collect();
    let kinds: Vec<ObjectKind> = kinds.into_iter().collect();
    let mut groups = BTreeMap::new();
    let mut after: Option<String> = None;
    loop {
        let found = scan(store, rows::LINKS, after.as_deref(), SWEEP).await?;
        let known = Known::read(store, &kinds, &found).await?;
        for link in known.links(&found) {
            let is_hidden = link.is_visible(synced) && !link.is_visible(readable);
            if is_hidden && !link.ends && !link.ends_with_an_object(synced) {
                digest.update(format!("h/{}/{}\n", link.group, link.member));
                *groups.entry(link.group.to_owned()).or_default() += 1;
            }
        }
        if found.len() < SWEEP {
            return Ok(groups);
        }
        after = found.last().map(|(key, _)| key.clone());
    }
}

/// Counts a removed member. The rows come in the order of the groups.
fn count(groups: &mut Vec<HeldMembers>, group: &str) {
    match groups.last_mut() {
        Some(held) if held.group == group => held.removed += 1,
        _ => groups.push(held_members(group.to_owned(), 1)),
    }
}

const fn held_members(group: String, removed: u64) -> HeldMembers {
    HeldMembers {
        group,
        removed,
        members: 0,
        exceeds: false,
    }
}

/// The rows that say what some memberships are.
struct Known(BTreeMap<String, String>);

/// A membership, and what is known of its ends.
struct Link<'k> {
    known: &'k Known,
    group: &'k str,
    member: &'k str,
    kind: Option<ObjectKind>,
    /// Whether its own removal waits.
    ends: bool,
}

impl Known {
    /// Reads what is needed for rows whose keys name a group and a member.
    async fn read<S: SyncStore>(
        store: &mut S,
        kinds: &[ObjectKind],
        found: &[(String, String)],
    ) -> Result<Self, SyncError> {
        let mut keys = BTreeSet::new();
        for (group, member) in found.iter().filter_map(|(key, _)| rows::parts(key)) {
            keys.insert(rows::link(group, member));
            keys.insert(rows::unlink(group, member));
            keys.insert(rows::object(ObjectKind::Group, group));
            keys.insert(rows::removal(ObjectKind::Group, group));
            for kind in kinds {
                keys.insert(rows::object(*kind, member));
                keys.insert(rows::removal(*kind, member));
            }
        }
        if keys.is_empty() {
            return Ok(Self(BTreeMap::new()));
        }
        let keys: Vec<String> = keys.into_iter().collect();
        let values = store.get(&keys).await.map_err(SyncError::store)?;
        let known = keys.into_iter().zip(values);
        Ok(Self(
            known
                .filter_map(|(key, value)| Some((key, value?)))
                .collect(),
        ))
    }

    fn links<'k>(&'k self, found: &'k [(String, String)]) -> impl Iterator<Item = Link<'k>> {
        found.iter().filter_map(|(key, _)| {
            let (group, member) = rows::parts(key)?;
            let link = self.0.get(&rows::link(group, member));
            let member_type = LinkEntry::read(link?)?.member_type;
            Some(Link {
                known: self,
                group,
                member,
                kind: member_type.as_deref().and_then(ObjectKind::of_type),
                ends: self.0.contains_key(&rows::unlink(group, member)),
            })
        })
    }

    fn is_present(&self, kind: ObjectKind, id: &str) -> bool {
        let entry = self.0.get(&rows::object(kind, id));
        entry
            .and_then(|value| Entry::read(value))
            .is_some_and(|entry| entry.presence == Presence::Present)
    }

    fn leaves(&self, kind: ObjectKind, id: &str) -> bool {
        self.0.contains_key(&rows::removal(kind, id))
    }
}

impl Link<'_> {
    /// Whether it is in the copy, when these kinds are copied.
    fn is_visible(&self, kinds: &[ObjectKind]) -> bool {
        self.known.is_present(ObjectKind::Group, self.group)
            && self
                .kind
                .filter(|kind| kinds.contains(kind))
                .is_none_or(|kind| self.known.is_present(kind, self.member))
    }

    /// Whether the removal of its group or of its member waits, which counts by itself.
    fn ends_with_an_object(&self, kinds: &[ObjectKind]) -> bool {
        self.known.leaves(ObjectKind::Group, self.group)
            || self
                .kind
                .is_some_and(|kind| kinds.contains(&kind) && self.known.leaves(kind, self.member))
    }
}
