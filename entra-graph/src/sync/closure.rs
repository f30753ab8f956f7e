//! The driver of transitive memberships: reads the groups above a member.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{
    change::ObjectKind,
    error::SyncError,
    machine::{Machine, MemberSight},
    reading::{SWEEP, finish, load, load_all, scan},
    rows::{self, Presence},
    store::{Step, SyncStore},
};

/// A step that computes the groups of some members; `None` if no member is marked.
pub(super) async fn step<S: SyncStore>(
    store: &mut S,
    mut machine: Machine<'_>,
) -> Result<Option<Step>, SyncError> {
    if let Some((key, after)) = scan(store, rows::MARKED_GROUPS, None, 1)
        .await?
        .into_iter()
        .next()
    {
        let group = rows::last(&key).to_owned();
        let prefix = rows::links_of(&group);
        let after = (!after.is_empty()).then_some(after);
        let found = scan(store, &prefix, after.as_deref(), SWEEP).await?;
        machine.view.load(key, Some(String::new()));
        machine.mark_members(&group, &found, found.len() < SWEEP);
        return Ok(Some(finish(machine, None)));
    }
    let marks = scan(store, rows::MARKED, None, MEMBERS).await?;
    if marks.is_empty() {
        return Ok(None);
    }
    let keys = marks
        .iter()
        .filter_map(|mark| machine.marked_key(mark))
        .collect();
    load(store, &mut machine, keys).await?;
    let mut parents: HashMap<String, Vec<Parent>> = HashMap::new();
    for mark in &marks {
        let member = rows::last(&mark.0);
        machine.view.load(mark.0.clone(), Some(mark.1.clone()));
        load_all(store, &mut machine, &rows::transitive_of(member)).await?;
        let before = machine.view.scan(&rows::transitive_of(member));
        let groups = before
            .iter()
            .map(|(key, _)| rows::object(ObjectKind::Group, rows::last(key)));
        load(store, &mut machine, groups.collect()).await?;
        let sight = machine.sight_of(mark);
        let groups = if sight == MemberSight::Left {
            Vec::new()
        } else {
            above(store, &mut machine, &mut parents, member).await?
        };
        machine.close(mark, sight, groups);
    }
    Ok(Some(finish(machine, None)))
}

/// A step that takes back transitive memberships, since they are no longer computed; `None` if none are left.
pub(super) async fn forget<S: SyncStore>(
    store: &mut S,
    mut machine: Machine<'_>,
) -> Result<Option<Step>, SyncError> {
    let found = scan(store, rows::TRANSITIVE, None, SWEEP).await?;
    if found.is_empty() {
        return Ok(None);
    }
    let ends = found.iter().filter_map(|(key, _)| rows::parts(key));
    let keys = ends
        .flat_map(|(member, group)| [rows::marked(member), rows::object(ObjectKind::Group, group)]);
    load(store, &mut machine, keys.collect()).await?;
    let keys = machine.forget_keys(&found);
    load(store, &mut machine, keys).await?;
    for (key, value) in &found {
        machine.view.load(key.clone(), Some(value.clone()));
    }
    machine.forget_transitive(&found);
    Ok(Some(finish(machine, None)))
}

/// A group with a direct member.
#[derive(Clone, Debug)]
struct Parent {
    id: String,
    /// Whether it is in the copy, and not kept from it by a filter.
    is_present: bool,
}

/// All groups of the copy above a member, without the member itself. Groups that are not in the copy connect those that
/// are.
async fn above<S: SyncStore>(
    store: &mut S,
    machine: &mut Machine<'_>,
    parents: &mut HashMap<String, Vec<Parent>>,
    member: &str,
) -> Result<Vec<String>, SyncError> {
    let mut seen = HashSet::new();
    let mut found = BTreeSet::new();
    let mut next = vec![member.to_owned()];
    while let Some(id) = next.pop() {
        let direct = match parents.get(&id) {
            Some(direct) => direct.clone(),
            None => {
                let direct = parents_of(store, machine, &id).await?;
                // The members themselves are many, and their groups are needed once.
                if id != member {
                    parents.insert(id, direct.clone());
                }
                direct
            }
        };
        for group in direct {
            if group.id != member && seen.insert(group.id.clone()) {
                if group.is_present {
                    found.insert(group.id.clone());
                }
                next.push(group.id);
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// The groups that have this direct member and exist, whether they are in the copy or not.
async fn parents_of<S: SyncStore>(
    store: &mut S,
    machine: &mut Machine<'_>,
    member: &str,
) -> Result<Vec<Parent>, SyncError> {
    let prefix = rows::groups_of(member);
    let mut after: Option<String> = None;
    let mut groups = Vec::new();
    loop {
        let found = scan(store, &prefix, after.as_deref(), SWEEP).await?;
        let keys = found
            .iter()
            .map(|(key, _)| rows::object(ObjectKind::Group, rows::last(key)));
        load(store, machine, keys.collect()).await?;
        for (key, _) in &found {
            let id = rows::last(key);
            let presence = machine.presence(&rows::object(ObjectKind::Group, id));
            if matches!(presence, Some(Presence::Present | Presence::Hidden)) {
                groups.push(Parent {
                    id: id.to_owned(),
                    is_present: presence == Some(Presence::Present),
                });
            }
        }
        if found.len() < SWEEP {
            return Ok(groups);
        }
        after = found.last().map(|(key, _)| key.clone());
    }
}

/// The members of a step.
const MEMBERS: usize = 200;
