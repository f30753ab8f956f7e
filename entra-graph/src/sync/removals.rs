//! The driver of removals: those that waited for the end of the run.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{
    change::ObjectKind,
    error::SyncError,
    existing::existing,
    machine::Machine,
    reading::{SWEEP, finish, load, load_all, scan},
    rows::{self, LinkEntry, Removal},
    store::{Step, SyncStore},
};
use crate::client::GraphClient;

/// A step of removals that passed the guard; `None` if none are left.
pub(super) async fn step<S: SyncStore>(
    client: &GraphClient,
    store: &mut S,
    mut machine: Machine<'_>,
) -> Result<Option<Step>, SyncError> {
    let unlinks = scan(store, rows::UNLINKS, None, REMOVALS).await?;
    if !unlinks.is_empty() {
        load(store, &mut machine, Machine::unlink_keys(&unlinks)).await?;
        let keys = machine.unlink_member_keys(&unlinks);
        load(store, &mut machine, keys).await?;
        for (key, value) in &unlinks {
            machine.view.load(key.clone(), Some(value.clone()));
        }
        let absent = absent(client, machine.swept_members(&unlinks)).await?;
        machine.remove_links(&unlinks, &absent);
        return Ok(Some(finish(machine, None)));
    }
    let waiting = scan(store, rows::REMOVALS, None, REMOVALS).await?;
    if waiting.is_empty() {
        return Ok(None);
    }
    let mut room = SWEEP;
    for (key, value) in &waiting {
        machine.view.load(key.clone(), Some(value.clone()));
        let parts = rows::parts(key).and_then(|(code, id)| Some((ObjectKind::of_code(code)?, id)));
        let Some((kind, id)) = parts else {
            machine.view.delete(key.clone());
            continue;
        };
        let removal = Removal::read(value);
        let mut links = Vec::new();
        let mut are_all = true;
        for prefix in machine.removal_scans(kind, id, removal) {
            let found = scan(store, &prefix, None, room + 1).await?;
            are_all &= found.len() <= room;
            room = room.saturating_sub(found.len());
            links.extend(found);
        }
        let mut keys = Machine::forgotten_keys(&links);
        keys.extend([rows::object(kind, id), rows::scoped(id)]);
        if machine.ignores(kind) {
            for prefix in [rows::groups_of(id), rows::transitive_of(id)] {
                load_all(store, &mut machine, &prefix).await?;
                let kept = machine.view.scan(&prefix);
                room = room.saturating_sub(kept.len());
                let groups = kept.iter().map(|(key, _)| rows::last(key));
                keys.extend(groups.map(|group| rows::object(ObjectKind::Group, group)));
            }
        }
        load(store, &mut machine, keys).await?;
        machine.remove_object(kind, id, removal, &links, are_all);
        if room == 0 {
            break;
        }
    }
    Ok(Some(finish(machine, None)))
}

/// Which of these members Graph does not find. Those that it forbids to read count as found: all that is known is that a
/// full round lacked them.
async fn absent(
    client: &GraphClient,
    members: BTreeMap<ObjectKind, BTreeSet<String>>,
) -> Result<HashSet<String>, SyncError> {
    let mut absent = HashSet::new();
    for (kind, ids) in members {
        let ids: Vec<String> = ids.into_iter().collect();
        let existing = existing(client, kind, &ids).await?;
        absent.extend(ids.into_iter().filter(|id| !existing.contains(id)));
    }
    Ok(absent)
}

/// A step that takes back removals of memberships whose members Graph forbids to read; `None` if none of them waits. With
/// a scope, all groups can have been read before that was known.
pub(super) async fn recall<S: SyncStore>(
    store: &mut S,
    mut machine: Machine<'_>,
) -> Result<Option<Step>, SyncError> {
    if !machine.is_any_forbidden() {
        return Ok(None);
    }
    let mut after: Option<String> = None;
    loop {
        let found = scan(store, rows::UNLINKS, after.as_deref(), SWEEP).await?;
        let is_last = found.len() < SWEEP;
        after = found.last().map(|(key, _)| key.clone());
        let mut waiting = Vec::new();
        let mut keys = Vec::new();
        for (key, value) in found {
            if value == rows::SWEPT
                && let Some((group, member)) = rows::parts(&key)
            {
                keys.push(rows::link(group, member));
                waiting.push((key, value));
            }
        }
        if !keys.is_empty() {
            let links = store.get(&keys).await.map_err(SyncError::store)?;
            let links = links.into_iter().map(|link| LinkEntry::read(&link?));
            let waiting = waiting.into_iter().zip(links);
            let recalled: Vec<(String, String)> = waiting
                .filter(|(_, link)| machine.is_of_forbidden_kind(link.as_ref()))
                .map(|(row, _)| row)
                .collect();
            if !recalled.is_empty() {
                machine.recall(recalled);
                return Ok(Some(finish(machine, None)));
            }
        }
        if is_last {
            return Ok(None);
        }
    }
}

/// The removals of a step.
const REMOVALS: usize = 500;
