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
    reading::{SWEEP, has_any, scan},
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
    let mut is_empty = objects.is_empty;
    let mut after: Option<String> = None;
    loop {
        let found = scan(store, rows::UNLINKS, after.as_deref(), SWEEP).await?;
        is_empty &= found.is_empty();
        for (key, _) in &found {
            digest.update(key);
            digest.update([b'\n']);
        }
        let known = Known::read(store, &state.synced, state.closure, &found).await?;
        for link in known.links(&found) {
            if link.counts(&state.synced) && !link.ends_with_an_object(&state.synced) {
                count(&mut groups, link.group);
            }
        }
        if found.len() < SWEEP {
            break;
        }
        after = found.last().map(|(key, _)| key.clone());
    }
    if let Some(readable) = readable {
        let hidden = hidden(store, state, readable, &mut digest).await?;
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
    // Those of a group that is removed go with it, so they count only together with all others.
    for group in objects.hidden_groups.iter().filter(|_| state.closure) {
        let ending = ending(store, state, group).await?;
        if ending > 0 {
            groups.push(HeldMembers {
                members: ending,
                ..held_members(group.clone(), ending)
            });
        }
    }
    let mut held = HeldRemovals {
        objects: objects.held,
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

/// The objects whose removal waits.
struct Objects {
    /// Whether not even bookkeeping waits.
    is_empty: bool,
    held: Vec<HeldObjects>,
    /// The groups among them that exist, and are not in the copy.
    hidden_groups: Vec<String>,
}

async fn objects<S: SyncStore>(
    store: &mut S,
    state: &SyncState,
    guard: DeletionGuard,
    digest: &mut Sha256,
) -> Result<Objects, SyncError> {
    let mut is_empty = true;
    let mut hidden_groups = Vec::new();
    // With how many of each kind count for the guard.
    let mut objects: BTreeMap<ObjectKind, (HeldObjects, u64)> = BTreeMap::new();
    let mut after: Option<String> = None;
    loop {
        let found = scan(store, rows::REMOVALS, after.as_deref(), SWEEP).await?;
        let context = context(store, &found).await?;
        for (key, value) in &found {
            is_empty = false;
            digest.update(key);
            digest.update([b'=']);
            digest.update(value);
            digest.update([b'\n']);
            let Some((code, id)) = rows::parts(key) else {
                continue;
            };
            let Some(kind) = ObjectKind::of_code(code) else {
                continue;
            };
            if kind == ObjectKind::Group && context.is_hidden(id) {
                hidden_groups.push(id.to_owned());
                continue;
            }
            if Removal::read(value) == Removal::Bookkeeping {
                continue;
            }
            let (held, alone) = objects.entry(kind).or_insert_with(|| {
                let held = HeldObjects {
                    kind,
                    removed: 0,
                    present: state.present(kind),
                    exceeds: false,
                    first: Vec::new(),
                };
                (held, 0)
            });
            held.removed += 1;
            // One that goes with its service principal counts with it.
            let follows = kind == ObjectKind::AppRoleAssignment
                && context.leaves(ObjectKind::ServicePrincipal, rows::service_principal(id));
            *alone += u64::from(!follows);
            if held.first.len() < SAMPLE {
                held.first.push(rows::public(id).to_owned());
            }
        }
        if found.len() < SWEEP {
            break;
        }
        after = found.last().map(|(key, _)| key.clone());
    }
    let held = objects.into_values().map(|(held, alone)| HeldObjects {
        exceeds: guard.exceeds(alone, held.present),
        ..held
    });
    Ok(Objects {
        is_empty,
        held: held.collect(),
        hidden_groups,
    })
}

/// What else must be known of objects whose removal waits.
async fn context<S: SyncStore>(
    store: &mut S,
    found: &[(String, String)],
) -> Result<Known, SyncError> {
    let keys = found.iter().filter_map(|(key, _)| {
        let (code, id) = rows::parts(key)?;
        match ObjectKind::of_code(code)? {
            ObjectKind::Group => Some(rows::object(ObjectKind::Group, id)),
            ObjectKind::AppRoleAssignment => {
                let service_principal = rows::service_principal(id);
                Some(rows::removal(
                    ObjectKind::ServicePrincipal,
                    service_principal,
                ))
            }
            _ => None,
        }
    });
    Known::of(store, keys.collect()).await
}

/// How many memberships of a group that is not in the copy end with it, without those of members that are removed too.
async fn ending<S: SyncStore>(
    store: &mut S,
    state: &SyncState,
    group: &str,
) -> Result<u64, SyncError> {
    let prefix = rows::links_of(group);
    let (mut count, mut after): (u64, Option<String>) = (0, None);
    loop {
        let found = scan(store, &prefix, after.as_deref(), SWEEP).await?;
        let known = Known::read(store, &state.synced, true, &found).await?;
        let links = known.links(&found);
        let ending = links
            .filter(|link| link.counts(&state.synced) && !link.ends_with_its_member(&state.synced));
        count += ending.count() as u64;
        if found.len() < SWEEP {
            return Ok(count);
        }
        after = found.last().map(|(key, _)| key.clone());
    }
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

/// Counts the memberships that are in the copy or connect its groups, of one group or of all. With `enough`, only until there are so many that
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
        let known = Known::read(store, &state.synced, state.closure, &found).await?;
        let links = known.links(&found);
        count += links.filter(|link| link.counts(&state.synced)).count() as u64;
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
    state: &SyncState,
    readable: &[ObjectKind],
    digest: &mut Sha256,
) -> Result<BTreeMap<String, u64>, SyncError> {
    let synced = &*state.synced;
    let kinds: BTreeSet<ObjectKind> = synced.iter().chain(readable).copied().collect();
    let kinds: Vec<ObjectKind> = kinds.into_iter().collect();
    let mut groups = BTreeMap::new();
    let mut after: Option<String> = None;
    loop {
        let found = scan(store, rows::LINKS, after.as_deref(), SWEEP).await?;
        let known = Known::read(store, &kinds, state.closure, &found).await?;
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
#[derive(Default)]
struct Known {
    rows: BTreeMap<String, String>,
    /// Whether transitive memberships are computed.
    closure: bool,
    /// The groups that are not in the copy, and are in groups that are: transitive memberships follow from theirs.
    connecting: BTreeSet<String>,
}

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
        closure: bool,
        found: &[(String, String)],
    ) -> Result<Self, SyncError> {
        let mut keys = BTreeSet::new();
        let mut groups = BTreeSet::new();
        for (group, member) in found.iter().filter_map(|(key, _)| rows::parts(key)) {
            groups.insert(group);
            keys.insert(rows::link(group, member));
            keys.insert(rows::unlink(group, member));
            keys.insert(rows::object(ObjectKind::Group, group));
            keys.insert(rows::removal(ObjectKind::Group, group));
            for kind in kinds {
                keys.insert(rows::object(*kind, member));
                keys.insert(rows::removal(*kind, member));
            }
        }
        let mut known = Self::of(store, keys).await?;
        known.closure = closure;
        for group in groups.into_iter().filter(|_| closure) {
            if known.is_hidden(group) && has_any(store, &rows::transitive_of(group)).await? {
                known.connecting.insert(group.to_owned());
            }
        }
        Ok(known)
    }

    /// Reads these rows.
    async fn of<S: SyncStore>(store: &mut S, keys: BTreeSet<String>) -> Result<Self, SyncError> {
        if keys.is_empty() {
            return Ok(Self::default());
        }
        let keys: Vec<String> = keys.into_iter().collect();
        let values = store.get(&keys).await.map_err(SyncError::store)?;
        let rows = keys.into_iter().zip(values);
        Ok(Self {
            rows: rows
                .filter_map(|(key, value)| Some((key, value?)))
                .collect(),
            ..Self::default()
        })
    }

    fn links<'k>(&'k self, found: &'k [(String, String)]) -> impl Iterator<Item = Link<'k>> {
        found.iter().filter_map(|(key, _)| {
            let (group, member) = rows::parts(key)?;
            let link = self.rows.get(&rows::link(group, member));
            let member_type = LinkEntry::read(link?)?.member_type;
            Some(Link {
                known: self,
                group,
                member,
                kind: member_type.as_deref().and_then(ObjectKind::of_type),
                ends: self.rows.contains_key(&rows::unlink(group, member)),
            })
        })
    }

    fn presence(&self, kind: ObjectKind, id: &str) -> Option<Presence> {
        let entry = self.rows.get(&rows::object(kind, id));
        let entry = entry.and_then(|value| Entry::read(value));
        entry.map(|entry| entry.presence)
    }

    fn is_present(&self, kind: ObjectKind, id: &str) -> bool {
        self.presence(kind, id) == Some(Presence::Present)
    }

    /// Whether a group exists, and is not in the copy.
    fn is_hidden(&self, group: &str) -> bool {
        self.presence(ObjectKind::Group, group) == Some(Presence::Hidden)
    }

    fn leaves(&self, kind: ObjectKind, id: &str) -> bool {
        self.rows.contains_key(&rows::removal(kind, id))
    }
}

impl Link<'_> {
    /// Whether its end may end what is in the copy: it is there itself, or it connects groups that are.
    fn counts(&self, kinds: &[ObjectKind]) -> bool {
        let connects = self.known.closure
            && self.kind == Some(ObjectKind::Group)
            && self.known.is_hidden(self.member);
        self.is_visible(kinds) || connects && self.has_group()
    }

    fn has_group(&self) -> bool {
        self.known.is_present(ObjectKind::Group, self.group)
            || self.known.connecting.contains(self.group)
    }

    /// Whether it is in the copy, when these kinds are copied, or transitive memberships follow from it.
    fn is_visible(&self, kinds: &[ObjectKind]) -> bool {
        self.has_group()
            && self
                .kind
                .filter(|kind| kinds.contains(kind))
                .is_none_or(|kind| self.known.is_present(kind, self.member))
    }

    /// Whether the removal of its group or of its member waits, which counts by itself.
    fn ends_with_an_object(&self, kinds: &[ObjectKind]) -> bool {
        self.known.leaves(ObjectKind::Group, self.group) || self.ends_with_its_member(kinds)
    }

    fn ends_with_its_member(&self, kinds: &[ObjectKind]) -> bool {
        self.kind
            .is_some_and(|kind| kinds.contains(&kind) && self.known.leaves(kind, self.member))
    }
}
