//! Groups whose members Graph does not show: in a full round they look as if they were emptied.
//!
//! Without `Member.Read.Hidden` a group with hidden membership has no members, and no error says so. So a group that
//! loses all of them by a full round is read before its memberships end.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    change::{HIDDEN_MEMBERSHIP, ObjectKind},
    error::SyncError,
    machine::Machine,
    reading::{SWEEP, scan},
    rows::{self, LinkEntry},
    state::Sight,
    store::SyncStore,
};
use crate::client::GraphClient;

/// The groups whose members cannot be read, of those that lose some of these memberships by a full round.
pub(super) async fn groups<S: SyncStore>(
    client: &GraphClient,
    store: &mut S,
    machine: &Machine<'_>,
    found: &[(String, String)],
) -> Result<BTreeSet<String>, SyncError> {
    let sight = machine.state.feed(ObjectKind::Group).map(|feed| feed.sight);
    let sight = sight.unwrap_or_default();
    let mut suspects = Vec::new();
    for (group, is_seen) in machine.losing_groups(found) {
        // A round that lost the permission on its way has some members of a group, and not the others.
        if sight.is_mixed() || !is_seen && !has_seen(store, machine, &group).await? {
            suspects.push(group);
        }
    }
    ask(client, sight, suspects).await
}

/// Whether the round contained any membership of a group.
async fn has_seen<S: SyncStore>(
    store: &mut S,
    machine: &Machine<'_>,
    group: &str,
) -> Result<bool, SyncError> {
    let prefix = rows::links_of(group);
    let mut after: Option<String> = None;
    loop {
        let found = scan(store, &prefix, after.as_deref(), SWEEP).await?;
        let mut links = found.iter().filter_map(|(_, value)| LinkEntry::read(value));
        if links.any(|link| machine.is_seen(&link)) {
            return Ok(true);
        }
        if found.len() < SWEEP {
            return Ok(false);
        }
        after = found.last().map(|(key, _)| key.clone());
    }
}

/// The groups that hide their members from a token, or whose members Graph forbids to list.
async fn ask(
    client: &GraphClient,
    sight: Sight,
    suspects: Vec<String>,
) -> Result<BTreeSet<String>, SyncError> {
    let mut unreadable = BTreeSet::new();
    if suspects.is_empty() {
        return Ok(unreadable);
    }
    let mut batch = client.batch();
    let mut entries = Vec::new();
    for id in suspects {
        let group = batch.add(client.raw("GET", format!("/groups/{id}?$select=id,visibility")));
        let members = format!("/groups/{id}/members?$select=id&$top=1");
        entries.push((id, group, batch.add(client.raw("GET", members))));
    }
    let responses = batch.send().await?;
    for (id, group, members) in entries {
        let hides = match responses.get(group) {
            Ok(group) => group.json::<Value>()?["visibility"] == HIDDEN_MEMBERSHIP,
            Err(error) if error.is_forbidden() => true,
            // Its own removal says so.
            Err(error) if error.is_not_found() => false,
            Err(error) => return Err(error.into()),
        };
        let is_forbidden = match responses.get(members) {
            Ok(_) => false,
            Err(error) if error.is_forbidden() => true,
            Err(error) if error.is_not_found() => false,
            Err(error) => return Err(error.into()),
        };
        if is_forbidden || hides && !sight.is_clear() {
            unreadable.insert(id);
        }
    }
    Ok(unreadable)
}
