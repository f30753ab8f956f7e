//! Users of some groups only: who is in the scope, and what happens at its edge.
//!
//! Groups are read before users, so a row of a user is judged at once. A membership that changes later marks its member;
//! when the rounds of a run are over, a user that left gets a removal that waits for the guard like any other, and one
//! that entered is read, since its row may have come long ago.

use std::collections::{HashMap, HashSet};

use entra_core::url::Url;

use super::{
    change::{ObjectKind, RemovalReason, SyncNote},
    error::SyncError,
    feed::{Feed, Source},
    group_scope::GroupScope,
    machine::{Content, FeedPage, Link, Machine},
    reading::{SWEEP, finish, load, load_all, scan},
    rows::{self, Entry, LinkEntry, Presence, Removal},
    store::{Step, SyncStore},
};
use crate::{
    client::{Call, GraphClient},
    error::Error,
    request::read,
};

/// Who is in a scope, by the memberships in a store. Those whose removal waits no longer count.
struct Members<'s> {
    scope: &'s GroupScope,
    /// The groups of groups that were looked at.
    parents: HashMap<String, Vec<String>>,
}

impl<'s> Members<'s> {
    fn of(scope: &'s GroupScope) -> Self {
        Self {
            scope,
            parents: HashMap::new(),
        }
    }

    async fn contain<S: SyncStore>(&mut self, store: &mut S, id: &str) -> Result<bool, SyncError> {
        let mut seen = HashSet::new();
        let mut next: Vec<String> = vec![id.to_owned()];
        while let Some(member) = next.pop() {
            let groups = match self.parents.get(&member) {
                Some(groups) => groups.clone(),
                None => {
                    let groups = groups_of(store, &member).await?;
                    // The members themselves are many, and their groups are needed once.
                    if member != id {
                        self.parents.insert(member, groups.clone());
                    }
                    groups
                }
            };
            for group in groups {
                if self.scope.has_group(&group) {
                    return Ok(true);
                }
                if self.scope.nested() && seen.insert(group.clone()) {
                    next.push(group);
                }
            }
        }
        Ok(false)
    }
}

/// The groups that have this direct member, whether they are in the copy or not.
async fn groups_of<S: SyncStore>(store: &mut S, member: &str) -> Result<Vec<String>, SyncError> {
    let prefix = rows::groups_of(member);
    let mut after: Option<String> = None;
    let mut groups = Vec::new();
    loop {
        let found = scan(store, &prefix, after.as_deref(), SWEEP).await?;
        let ids: Vec<&str> = found.iter().map(|(key, _)| rows::last(key)).collect();
        let unlinks: Vec<String> = ids.iter().map(|id| rows::unlink(id, member)).collect();
        let unlinks = get(store, &unlinks).await?;
        let existing = existing(store, &ids).await?;
        for ((id, exists), unlink) in ids.iter().zip(existing).zip(unlinks) {
            if exists && unlink.is_none() {
                groups.push((*id).to_owned());
            }
        }
        if found.len() < SWEEP {
            return Ok(groups);
        }
        after = found.last().map(|(key, _)| key.clone());
    }
}

/// Which groups exist: a filter may keep them from the copy.
async fn existing<S: SyncStore>(store: &mut S, groups: &[&str]) -> Result<Vec<bool>, SyncError> {
    let keys: Vec<String> = groups
        .iter()
        .flat_map(|id| {
            [
                rows::object(ObjectKind::Group, id),
                rows::removal(ObjectKind::Group, id),
            ]
        })
        .collect();
    let values = get(store, &keys).await?;
    let exists = |pair: &[Option<String>]| {
        let entry = pair
            .first()
            .and_then(|value| Entry::read(value.as_deref()?));
        let removal = pair.get(1).and_then(|value| value.as_deref());
        entry.is_some_and(|entry| entry.presence != Presence::Gone)
            && removal.is_none_or(|removal| {
                Removal::read(removal) == Removal::Reason(RemovalReason::OutOfScope)
            })
    };
    Ok(values.chunks(2).map(exists).collect())
}

async fn get<S: SyncStore>(
    store: &mut S,
    keys: &[String],
) -> Result<Vec<Option<String>>, SyncError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    store.get(keys).await.map_err(SyncError::store)
}

/// Which users of a page are in the scope.
pub(super) async fn narrow<S: SyncStore>(
    store: &mut S,
    scope: &GroupScope,
    machine: &Machine<'_>,
    page: &mut FeedPage,
) -> Result<(), SyncError> {
    let mut members = Members::of(scope);
    for row in &mut page.rows {
        if let Content::Present(present) = &mut row.content {
            // One that was gone enters once all groups were read again.
            present.in_scope = present.in_scope
                && !(machine.is_gone(ObjectKind::User, &row.id)
                    && is_in_doubt(store, &row.id).await?)
                && members.contain(store, &row.id).await?;
        }
    }
    Ok(())
}

/// Whether a full round of groups did not contain a membership of an object that is gone. Those of groups that are gone
/// too stay in doubt when the object returns.
async fn is_in_doubt<S: SyncStore>(store: &mut S, id: &str) -> Result<bool, SyncError> {
    let prefix = rows::groups_of(id);
    let mut after: Option<String> = None;
    loop {
        let found = scan(store, &prefix, after.as_deref(), SWEEP).await?;
        let groups = found.iter().map(|(key, _)| rows::last(key));
        let keys: Vec<String> = groups
            .flat_map(|group| {
                [
                    rows::link(group, id),
                    rows::unlink(group, id),
                    rows::object(ObjectKind::Group, group),
                    rows::removal(ObjectKind::Group, group),
                ]
            })
            .collect();
        let values = get(store, &keys).await?;
        let is_any = values.chunks(4).any(|known| {
            let value = |at: usize| known.get(at).and_then(|value| value.as_deref());
            let link = value(0).and_then(LinkEntry::read);
            let is_in_doubt = link.is_some_and(|link| link.is_in_doubt());
            let is_lacked = is_in_doubt || value(1) == Some(rows::SWEPT);
            is_lacked && !is_away(value(2), value(3))
        });
        if is_any || found.len() < SWEEP {
            return Ok(is_any);
        }
        after = found.last().map(|(key, _)| key.clone());
    }
}

/// Whether an object with these two rows, its entry and its removal, is gone or about to be, and may return.
fn is_away(entry: Option<&str>, removal: Option<&str>) -> bool {
    let entry = entry.and_then(Entry::read);
    entry.is_some_and(|entry| entry.presence == Presence::Gone)
        || matches!(
            removal.map(Removal::read),
            Some(Removal::Reason(
                RemovalReason::Restorable | RemovalReason::Missing
            ))
        )
}

/// Notes groups of the scope that do not exist.
pub(super) async fn note_missing<S: SyncStore>(
    store: &mut S,
    scope: &GroupScope,
    machine: &mut Machine<'_>,
) -> Result<(), SyncError> {
    let groups: Vec<&str> = scope.groups().collect();
    let existing = existing(store, &groups).await?;
    for (id, exists) in groups.into_iter().zip(existing) {
        if !exists {
            let id = id.to_owned();
            machine.notes.push(SyncNote::ScopeGroupMissing { id });
        }
    }
    Ok(())
}

/// Whether members at the edge wait to be looked at.
pub(super) async fn is_marked<S: SyncStore>(store: &mut S) -> Result<bool, SyncError> {
    let groups = scan(store, rows::EDGE_GROUPS, None, 1).await?;
    Ok(!groups.is_empty() || !scan(store, rows::EDGE, None, 1).await?.is_empty())
}

/// A step at the edge of the scope; `None` if no member of this run is left.
pub(super) async fn step<S: SyncStore>(
    client: &GraphClient,
    store: &mut S,
    mut machine: Machine<'_>,
    scope: &GroupScope,
    users: &Feed,
) -> Result<Option<Step>, SyncError> {
    let name = scope.name();
    if machine.state.scope.as_ref() != Some(&name) {
        let found = scan(store, rows::SCOPED, None, SWEEP).await?;
        if !found.is_empty() {
            machine.forget_scope(found);
            return Ok(Some(finish(machine, None)));
        }
        machine.state.scope = Some(name);
    }
    let group = scan(store, rows::EDGE_GROUPS, None, 1).await?;
    if let Some((key, after)) = group.into_iter().next() {
        let group = rows::last(&key).to_owned();
        let after = (!after.is_empty()).then_some(after);
        let prefix = rows::links_of(&group);
        let found = scan(store, &prefix, after.as_deref(), SWEEP).await?;
        machine.view.load(key, Some(after.unwrap_or_default()));
        machine.mark_edges(&group, &found, found.len() < SWEEP);
        return Ok(Some(finish(machine, None)));
    }
    let after = machine.state.edge.clone();
    let marks = scan(store, rows::EDGE, after.as_deref(), MARKS).await?;
    let Some((last, _)) = marks.last() else {
        return Ok(None);
    };
    machine.state.edge = Some(last.clone());
    load(store, &mut machine, Machine::edge_keys(&marks)).await?;
    let mut members = Members::of(scope);
    let mut unread = Vec::new();
    for mark in &marks {
        machine.view.load(mark.0.clone(), Some(mark.1.clone()));
        let is_in_scope = members.contain(store, rows::last(&mark.0)).await?;
        if machine.settle(mark, is_in_scope) {
            unread.push(rows::last(&mark.0).to_owned());
        }
    }
    if !unread.is_empty()
        && let Some(page) = fetch(client, &mut machine, users, &unread).await?
    {
        enter(store, &mut machine, page).await?;
    }
    Ok(Some(finish(machine, None)))
}

/// Applies the rows of users that entered.
async fn enter<S: SyncStore>(
    store: &mut S,
    machine: &mut Machine<'_>,
    page: FeedPage,
) -> Result<(), SyncError> {
    let keys = machine.page_keys(ObjectKind::User, &page);
    load(store, machine, keys).await?;
    let scans = machine.page_scans(ObjectKind::User, &page);
    for prefix in &scans {
        load_all(store, machine, prefix).await?;
    }
    let keys = machine.end_keys(ObjectKind::User, &scans);
    load(store, machine, keys).await?;
    machine.entered(page);
    Ok(())
}

/// The rows of these users, as the delta query of users has them. A user without a row keeps its mark for the next run:
/// Graph withholds some that were changed a moment ago. Returns `None` if Graph forbids to read users.
async fn fetch(
    client: &GraphClient,
    machine: &mut Machine<'_>,
    users: &Feed,
    ids: &[String],
) -> Result<Option<FeedPage>, SyncError> {
    let Source::Delta {
        operation,
        start,
        read: read_page,
    } = &users.source
    else {
        return Ok(None);
    };
    let mut url = of_ids(start.clone()?, ids);
    let mut all = FeedPage {
        rows: Vec::new(),
        link: Link::End(None),
    };
    for _ in 0..MOST_PAGES {
        let call = Call::new(operation, url);
        let reply = match client.execute(&call).await {
            Ok(reply) => reply,
            Err(error) if error.is_forbidden() => {
                machine.notes.push(SyncNote::Forbidden {
                    kind: ObjectKind::User,
                    message: error.to_string(),
                });
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let page = read(client, &call, &reply, *read_page)?;
        let asked = page.rows.into_iter().filter(|row| ids.contains(&row.id));
        all.rows.extend(asked);
        match page.link {
            Link::Next(next) => {
                url = Url::parse(&next)
                    .map_err(|source| Error::decode("the next page has an invalid link", source))?;
                client.check(&url)?;
            }
            Link::End(_) => {
                users.judge(&mut all);
                return Ok(Some(all));
            }
        }
    }
    let call = Call::new(operation, start.clone()?);
    Err(client.with_call(Error::page_loop(), &call).into())
}

/// The address of a full round of these objects only.
fn of_ids(mut start: Url, ids: &[String]) -> Url {
    let ids: Vec<String> = ids.iter().map(|id| format!("id eq '{id}'")).collect();
    let filter = format!("$filter={}", ids.join(" or "));
    let query = match start.query() {
        Some(query) => format!("{query}&{filter}"),
        None => filter,
    };
    start.set_query(Some(&query));
    start
}

/// The members of a step. A delta query takes as many ids.
const MARKS: usize = 50;
/// The most pages of as many users.
const MOST_PAGES: usize = 60;
