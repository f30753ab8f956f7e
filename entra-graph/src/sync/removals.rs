//! The driver of removals: those that waited for the end of the run.

use super::{
    change::ObjectKind,
    error::SyncError,
    machine::Machine,
    reading::{SWEEP, finish, load, scan},
    rows::{self, Removal},
    store::{Step, SyncStore},
};

/// A step of removals that passed the guard; `None` if none are left.
pub(super) async fn step<S: SyncStore>(
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
        machine.remove_links(&unlinks);
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
        for prefix in Machine::removal_scans(kind, id, removal) {
            let found = scan(store, &prefix, None, room + 1).await?;
            are_all &= found.len() <= room;
            room = room.saturating_sub(found.len());
            links.extend(found);
        }
        let mut keys = Machine::forgotten_keys(&links);
        keys.extend([rows::object(kind, id), rows::scoped(id)]);
        load(store, &mut machine, keys).await?;
        machine.remove_object(kind, id, removal, &links, are_all);
        if room == 0 {
            break;
        }
    }
    Ok(Some(finish(machine, None)))
}

/// The removals of a step.
const REMOVALS: usize = 500;
