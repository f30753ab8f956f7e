//! The driver of rounds: one step reads a page, or looks for what a full round did not contain.

use std::{collections::BTreeSet, time::Duration};

use entra_core::url::Url;

use super::{
    change::{FullRoundCause, ObjectKind, SyncNote},
    current_run::Run,
    error::SyncError,
    existing::existing,
    feed::{Feed, Source, assignment},
    machine::{FeedPage, Link, Machine},
    reading::{SWEEP, finish, load, load_all, scan},
    rows::{self, Entry, Presence},
    scope,
    state::{Phase, Revision, SyncState},
    store::{Step, SyncStore},
    unreadable,
};
use crate::{
    client::{Call, GraphClient},
    error::Error,
    request::read,
};

/// Prepares the next step of a kind; `false` if its round is over for this run.
pub(super) fn begin(
    machine: &mut Machine<'_>,
    feed: &Feed,
    full_every: Option<Duration>,
    now: i64,
) -> bool {
    let (kind, scope) = (feed.kind, feed.scope());
    let cause = match machine.state.feed(kind) {
        None => FullRoundCause::First,
        Some(known) if known.round == 0 => FullRoundCause::First,
        Some(known) if known.scope != scope => FullRoundCause::ScopeChanged,
        Some(known) if known.done => return false,
        Some(known) if known.phase != Phase::Idle => return true,
        Some(_) if feed.is_list() => {
            machine.begin_full(kind, scope);
            return true;
        }
        Some(known) => {
            let age = now.saturating_sub(known.full_since);
            // Graph sends no rows of groups because their members can be read again.
            let is_granted = known.is_unsure && !machine.is_any_forbidden();
            let is_due = full_every.is_some_and(|every| {
                let every = i64::try_from(every.as_secs()).unwrap_or(i64::MAX);
                // A round in the future was begun by a clock that was wrong, and says nothing of the time since.
                age >= every || age < -CLOCK_SKEW
            });
            match (is_granted, known.has_returned, is_due) {
                (true, _, _) => FullRoundCause::PermissionGranted,
                (false, true, _) => FullRoundCause::Restored,
                (false, false, true) => FullRoundCause::Due,
                (false, false, false) => {
                    machine.begin_changes(kind);
                    return true;
                }
            }
        }
    };
    machine.begin_full(kind, scope);
    machine.notes.push(SyncNote::FullRound { kind, cause });
    true
}

/// Estimates the rows of a first round.
pub(super) async fn count(client: &GraphClient, machine: &mut Machine<'_>, kind: ObjectKind) {
    let Some(state) = machine.state.feed_mut(kind) else {
        return;
    };
    let is_first_page = state.full && state.link.is_none() && state.phase == Phase::Paging;
    if !is_first_page || state.estimate.is_some() {
        return;
    }
    // A round needs no estimate, so an error is that of the round itself, if it fails too.
    state.estimate = match kind {
        ObjectKind::User => client.users().count().send().await.ok(),
        ObjectKind::Group => client.groups().count().send().await.ok(),
        ObjectKind::Device => client.devices().count().send().await.ok(),
        ObjectKind::ServicePrincipal => client.service_principals().count().send().await.ok(),
        ObjectKind::AppRoleAssignment => None,
    };
}

/// A step that hands out memberships by other kinds; `None` when all are. A membership is handed out only with its member,
/// if that is of one of these kinds.
pub(super) async fn revise<S: SyncStore>(
    store: &mut S,
    state: &mut SyncState,
    synced: &[ObjectKind],
    closure: bool,
    now: i64,
) -> Result<Option<Step>, SyncError> {
    if state.links == 0 {
        state.revising = None;
        state.hand_out_by(synced, now);
        return Ok(None);
    }
    let revision = state.revising.take().unwrap_or_else(|| Revision {
        synced: synced.to_vec(),
        after: None,
    });
    let before = state.synced.clone();
    let found = scan(store, rows::LINKS, revision.after.as_deref(), SWEEP).await?;
    let mut machine = Machine::new(state.clone(), &revision.synced, closure, now);
    let keys = Machine::revise_keys(&found);
    load(store, &mut machine, keys).await?;
    let mut are_all = found.len() < SWEEP;
    let (mut after, mut room) = (revision.after.clone(), SWEEP);
    let mut taken_back: BTreeSet<String> = BTreeSet::new();
    for link in &found {
        // A member can be in many groups through others.
        if room == 0 {
            are_all = false;
            break;
        }
        let hidden = machine.revise(std::slice::from_ref(link), &before);
        after = Some(link.0.clone());
        for member in hidden {
            if !closure || !taken_back.insert(member.clone()) {
                continue;
            }
            // All are handed out or none, so the first tells whether an earlier step has met the member.
            let first = scan(store, &rows::transitive_of(&member), None, 1).await?;
            if first.iter().any(|(_, value)| value != rows::UNSEEN) {
                let rows = load_transitive(store, &mut machine, &member).await?;
                machine.hide_transitive(&member);
                room = room.saturating_sub(rows);
            }
        }
    }
    if are_all {
        machine.state.hand_out_by(&revision.synced, now);
    } else {
        machine.state.revising = Some(Revision {
            synced: revision.synced.clone(),
            after,
        });
    }
    Ok(Some(finish(machine, None)))
}

/// Reads the transitive memberships of a member, and returns how many there are.
async fn load_transitive<S: SyncStore>(
    store: &mut S,
    machine: &mut Machine<'_>,
    member: &str,
) -> Result<usize, SyncError> {
    let prefix = rows::transitive_of(member);
    load_all(store, machine, &prefix).await?;
    let groups = machine.view.scan(&prefix);
    let keys = groups
        .iter()
        .map(|(key, _)| rows::object(ObjectKind::Group, rows::last(key)));
    load(store, machine, keys.collect()).await?;
    Ok(groups.len())
}

/// The assignments to the next service principals that stay in the copy.
async fn assignments<S: SyncStore>(
    client: &GraphClient,
    store: &mut S,
    machine: &mut Machine<'_>,
) -> Result<FeedPage, SyncError> {
    let kind = ObjectKind::AppRoleAssignment;
    let state = machine.state.feed(kind);
    let after = state.and_then(|state| state.link.clone());
    let prefix = rows::objects(ObjectKind::ServicePrincipal);
    let found = scan(store, &prefix, after.as_deref(), MOST_LISTS).await?;
    let removal = |key: &str| rows::removal(ObjectKind::ServicePrincipal, rows::last(key));
    let removals = found.iter().map(|(key, _)| removal(key)).collect();
    load(store, machine, removals).await?;
    // One whose removal waits takes its assignments along: both are judged together.
    let present = found.iter().filter(|(key, value)| {
        Entry::read(value).is_some_and(|entry| entry.presence == Presence::Present)
            && machine.view.get(&removal(key)).is_none()
    });
    let ids: Vec<&str> = present.map(|(key, _)| rows::last(key)).collect();
    let lists = ids.iter().map(|id| {
        let service_principal = client.service_principal(*id);
        service_principal.app_role_assigned_to().list().top(999)
    });
    let mut page = FeedPage {
        rows: Vec::new(),
        link: Link::End(None),
    };
    for (id, list) in ids.iter().zip(client.read_lists(lists).await) {
        match list {
            Ok(items) => {
                for item in items {
                    page.rows.push(assignment(id, item)?);
                }
            }
            Err(error) if error.is_forbidden() || error.is_not_found() => {
                load_all(store, machine, &rows::objects_of(kind, id)).await?;
                machine.keep(kind, id);
                machine.notes.push(SyncNote::Unreadable {
                    kind,
                    id: (*id).to_owned(),
                    error: error.kind(),
                    message: error.to_string(),
                });
            }
            Err(error) => return Err(error.into()),
        }
    }
    if let Some((key, _)) = found.last()
        && found.len() == MOST_LISTS
    {
        page.link = Link::Next(key.clone());
    }
    Ok(page)
}

/// One step of a round.
pub(super) async fn step<S: SyncStore>(
    client: &GraphClient,
    run: &mut Run,
    store: &mut S,
    mut machine: Machine<'_>,
    feed: &Feed,
) -> Result<Step, SyncError> {
    let kind = feed.kind;
    match machine.state.feed(kind).map(|state| state.phase.clone()) {
        Some(Phase::SweepingObjects { after, .. }) => {
            let found = scan(store, &rows::objects(kind), after.as_deref(), SWEEP).await?;
            load(store, &mut machine, Machine::sweep_keys(kind, &found)).await?;
            let missing = machine.missing(kind, &found);
            let existing = existing(client, kind, &missing).await?;
            machine.sweep_objects(kind, &found, &existing, found.len() < SWEEP);
        }
        Some(Phase::SweepingLinks { after, .. }) => {
            let found = scan(store, rows::LINKS, after.as_deref(), SWEEP).await?;
            load(store, &mut machine, Machine::link_sweep_keys(&found)).await?;
            let unreadable = unreadable::groups(client, store, &machine, &found).await?;
            machine.sweep_links(&found, &unreadable, found.len() < SWEEP);
        }
        _ => {
            let page = match &feed.source {
                Source::Delta { .. } => fetch(client, run, &mut machine, feed).await?,
                Source::Assignments => Some(assignments(client, store, &mut machine).await?),
            };
            if let Some(mut page) = page {
                feed.judge(&mut page);
                let keys = machine.page_keys(kind, &page);
                load(store, &mut machine, keys).await?;
                if let Some(within) = feed.within.as_ref().filter(|_| kind == ObjectKind::User) {
                    if machine
                        .state
                        .feed(kind)
                        .is_some_and(|state| state.rows == 0)
                    {
                        scope::note_missing(store, within, &mut machine).await?;
                    }
                    scope::narrow(store, within, &machine, &mut page).await?;
                }
                let scans = machine.page_scans(kind, &page);
                for prefix in &scans {
                    load_all(store, &mut machine, prefix).await?;
                }
                let keys = machine.end_keys(kind, &scans);
                load(store, &mut machine, keys).await?;
                machine.page(kind, page);
            }
        }
    }
    Ok(finish(machine, Some(kind)))
}

/// The next page of a round; `None` if a full round begins instead.
async fn fetch(
    client: &GraphClient,
    run: &mut Run,
    machine: &mut Machine<'_>,
    feed: &Feed,
) -> Result<Option<FeedPage>, SyncError> {
    let kind = feed.kind;
    let Some((link, round)) = machine
        .state
        .feed(kind)
        .map(|state| (state.link.clone(), state.round))
    else {
        return Ok(None);
    };
    let Source::Delta {
        operation,
        start,
        read: read_page,
    } = &feed.source
    else {
        return Ok(None);
    };
    let url = match &link {
        None => start.clone()?,
        Some(link) => match stored(client, link) {
            Ok(url) => url,
            Err(error) => {
                run.restart(machine, feed, FullRoundCause::StateRejected, error)?;
                return Ok(None);
            }
        },
    };
    let call = Call::new(operation, url);
    let reply = match client.execute(&call).await {
        Ok(reply) => reply,
        Err(error) if link.is_some() && is_rejected_link(&error) => {
            run.restart(machine, feed, FullRoundCause::StateRejected, error)?;
            return Ok(None);
        }
        Err(error) if error.is_forbidden() => {
            machine.forbid(kind);
            machine.notes.push(SyncNote::Forbidden {
                kind,
                message: error.to_string(),
            });
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let page = read(client, &call, &reply, *read_page)?;
    if run.pages.is_endless(round, link.as_deref(), &page) {
        let error = client.with_call(Error::page_loop(), &call);
        run.restart(machine, feed, FullRoundCause::EndlessRound, error)?;
        return Ok(None);
    }
    machine.allow(kind);
    if kind == ObjectKind::Group
        && let Some(granted) = client.granted()
        && machine.look(&page, granted.has(READ_HIDDEN_MEMBERS))
    {
        machine.begin_full(kind, feed.scope());
        let cause = FullRoundCause::PermissionGranted;
        machine.notes.push(SyncNote::FullRound { kind, cause });
        return Ok(None);
    }
    Ok(Some(page))
}

/// The address of a stored link.
fn stored(client: &GraphClient, link: &str) -> Result<Url, Error> {
    let url = Url::parse(link)
        .map_err(|source| Error::decode("the state of the sync has an invalid link", source))?;
    client.check(&url)?;
    Ok(url)
}

/// Whether Graph does not know a stored link any more. For directory objects it is not documented how it says so.
fn is_rejected_link(error: &Error) -> bool {
    error.is_resync_required()
        || error.is_expired_page()
        || matches!(
            error.status().map(|status| status.as_u16()),
            Some(400 | 404 | 410)
        )
}

/// Without it, groups with hidden membership have no members.
const READ_HIDDEN_MEMBERS: &str = "Member.Read.Hidden";
/// By how many seconds the clock may go back without meaning.
const CLOCK_SKEW: i64 = 300;
/// The lists that fit in one request.
const MOST_LISTS: usize = 20;
