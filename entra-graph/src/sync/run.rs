//! The driver: sends what the state machine needs next, and reads ahead what it looks at.
//!
//! It keeps nothing that matters between two steps. Each step starts from the state in the store, so a process that
//! is killed between any two goes on where the last committed step ended.

use std::{
    collections::{HashMap, HashSet, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    time::Duration,
};

use entra_core::url::Url;

use super::{
    change::{FullRoundCause, ObjectKind, Progress, SyncChange, SyncNote},
    error::SyncError,
    feed::Feed,
    guard::{self, HeldRemovals},
    machine::{Content, FeedPage, Link, Machine},
    rows::{self, Removal},
    settings::DirectorySync,
    state::{Phase, SyncState},
    store::{Overlay, Step, SyncStore},
};
use crate::{
    client::{Call, GraphClient},
    error::Error,
    request::read,
};

/// What is known of the current run, beside the state in the store.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    /// The number of steps before the run.
    began_at: Option<u64>,
    /// How many rounds began again because of an error.
    restarts: HashMap<ObjectKind, u32>,
    pages: Pages,
    /// The number of steps before the one that was handed out last, and how often it was.
    handed_out: Option<(u64, u32)>,
}

/// The pages of a round, to notice one that does not end.
#[derive(Clone, Debug, Default)]
struct Pages {
    round: u64,
    last: Option<String>,
    links: HashSet<u64>,
    contents: HashMap<u64, u32>,
}

/// What a run changed.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SyncSummary {
    /// New, changed and restored objects.
    pub upserts: u64,
    /// Removed objects.
    pub removed: u64,
    /// New memberships.
    pub members_added: u64,
    /// Memberships that ended, without those of removed objects.
    pub members_removed: u64,
    /// What was met beside changes.
    pub notes: Vec<SyncNote>,
}

/// What a run would change.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct DryRun {
    /// All changes, also the removals that the guard would hold back.
    pub changes: Vec<SyncChange>,
    /// The removals that the guard would hold back.
    pub held: Option<HeldRemovals>,
    /// What was met beside changes.
    pub notes: Vec<SyncNote>,
}

impl DirectorySync {
    /// The next step, to be committed before the next call; `None` when the copy has caught up. A later call starts
    /// the next run.
    ///
    /// A step that was not committed is done again. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`SyncError`]. Calling it again goes on at the same place; after
    /// [`RemovalsHeld`](SyncError::RemovalsHeld), which is the end of a run, it starts the next run.
    pub async fn next<S: SyncStore>(&mut self, store: &mut S) -> Result<Option<Step>, SyncError> {
        if self.feeds.is_empty() {
            return Err(SyncError::NoKinds);
        }
        let state = store.state().await.map_err(SyncError::store)?;
        let state = self.adopt(state);
        let before = state.step;
        let times = match self.run.handed_out {
            Some((step, times)) if step == before => times,
            _ => 0,
        };
        if times >= MOST_REPEATS {
            self.run.handed_out = None;
            return Err(SyncError::NotCommitted);
        }
        let step = Box::pin(self.step(store, state)).await?;
        Ok(step.map(|mut step| {
            step.state.step = before + 1;
            self.run.handed_out = Some((before, times + 1));
            step
        }))
    }

    /// Takes and commits all steps of a run.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn run<S: SyncStore>(&mut self, store: &mut S) -> Result<SyncSummary, SyncError> {
        let mut summary = SyncSummary::default();
        while let Some(step) = self.next(store).await? {
            store.commit(&step).await.map_err(SyncError::store)?;
            for change in &step.changes {
                *match change {
                    SyncChange::Upsert(_) => &mut summary.upserts,
                    SyncChange::Removed { .. } => &mut summary.removed,
                    SyncChange::MemberAdded { .. } => &mut summary.members_added,
                    SyncChange::MemberRemoved { .. } => &mut summary.members_removed,
                } += 1;
            }
            summary.notes.extend(step.notes);
        }
        Ok(summary)
    }

    /// Lists what a run would change. It reads from Graph and from the store, and writes nothing; all changes are in
    /// memory at once.
    ///
    /// # Errors
    /// As [`next`](Self::next), without `RemovalsHeld`.
    pub async fn dry_run<S: SyncStore>(&self, store: &mut S) -> Result<DryRun, SyncError> {
        let mut sync = self.clone();
        sync.run = Run::default();
        let mut overlay = Overlay::new(store);
        let mut dry_run = DryRun::default();
        loop {
            match sync.next(&mut overlay).await {
                Ok(Some(step)) => {
                    overlay.commit(&step).await.map_err(SyncError::store)?;
                    dry_run.changes.extend(step.changes);
                    dry_run.notes.extend(step.notes);
                }
                Ok(None) => return Ok(dry_run),
                Err(SyncError::RemovalsHeld(held)) => {
                    sync.approved = Some(held.token.clone());
                    dry_run.held = Some(*held);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The state to go on from.
    fn adopt(&self, state: Option<SyncState>) -> SyncState {
        let graph = self.client.base().as_str();
        match state {
            Some(state) if state.fits(graph) => state,
            // The rows of the store stay, so that the copy changes only where the other directory differs.
            Some(foreign) => SyncState {
                feeds: foreign
                    .feeds
                    .into_iter()
                    .map(|mut feed| {
                        feed.scope.clear();
                        feed
                    })
                    .collect(),
                removing: false,
                ..SyncState {
                    step: foreign.step,
                    round: foreign.round,
                    links: foreign.links,
                    ..SyncState::new(graph)
                }
            },
            None => SyncState::new(graph),
        }
    }

    fn passes(&self, held: &HeldRemovals) -> bool {
        !held.exceeds() || self.approved.as_ref() == Some(&held.token)
    }

    async fn step<S: SyncStore>(
        &mut self,
        store: &mut S,
        mut state: SyncState,
    ) -> Result<Option<Step>, SyncError> {
        let synced: Vec<ObjectKind> = self.feeds.iter().map(|feed| feed.kind).collect();
        let now = self.client.now().unix_timestamp();
        let is_new = *self.run.began_at.get_or_insert(state.step) == state.step;
        if state.removing {
            let machine = Machine::new(state.clone(), &synced, now);
            if let Some(step) = removals(store, machine).await? {
                return Ok(Some(step));
            }
            state.removing = false;
        }
        if is_new
            && synced
                .iter()
                .all(|kind| state.feed(*kind).is_some_and(|feed| feed.done))
        {
            // The last run is over, or was ended before its removals. Those that need an approval wait for the rounds
            // of this run, since the objects may have returned.
            let held = guard::waiting(store, &state, &synced, self.guard).await?;
            if held.is_some_and(|held| !held.exceeds()) {
                state.removing = true;
                return removals(store, Machine::new(state, &synced, now)).await;
            }
            for feed in &mut state.feeds {
                feed.done = false;
            }
        }
        for feed in &self.feeds {
            let mut machine = Machine::new(state.clone(), &synced, now);
            if begin(&mut machine, feed, self.full_every, now) {
                return round_step(&self.client, &mut self.run, store, machine, feed)
                    .await
                    .map(Some);
            }
        }
        let held = guard::waiting(store, &state, &synced, self.guard).await?;
        match held {
            None => {
                self.run = Run::default();
                Ok(None)
            }
            Some(held) if !self.passes(&held) => {
                self.run = Run::default();
                Err(SyncError::RemovalsHeld(Box::new(held)))
            }
            Some(_) => {
                state.removing = true;
                removals(store, Machine::new(state, &synced, now)).await
            }
        }
    }
}

impl Run {
    /// Begins a full round instead of what failed, unless that happened before in this run.
    fn restart(
        &mut self,
        machine: &mut Machine<'_>,
        feed: &Feed,
        cause: FullRoundCause,
        error: Error,
    ) -> Result<(), Error> {
        let restarts = self.restarts.entry(feed.kind).or_default();
        *restarts += 1;
        if *restarts > MOST_RESTARTS {
            return Err(error);
        }
        machine.begin_full(feed.kind, feed.scope());
        machine.notes.push(SyncNote::FullRound {
            kind: feed.kind,
            cause,
        });
        Ok(())
    }
}

/// Prepares the next step of a kind; `false` if its round is over for this run.
fn begin(machine: &mut Machine<'_>, feed: &Feed, full_every: Option<Duration>, now: i64) -> bool {
    let (kind, scope) = (feed.kind, feed.scope());
    let cause = match machine.state.feed(kind) {
        None => FullRoundCause::First,
        Some(known) if known.scope != scope => FullRoundCause::ScopeChanged,
        Some(known) if known.done => return false,
        Some(known) if known.phase != Phase::Idle => return true,
        Some(known) => {
            let age = u64::try_from(now - known.full_since).unwrap_or_default();
            if full_every.is_none_or(|every| age < every.as_secs()) {
                machine.begin_changes(kind);
                return true;
            }
            FullRoundCause::Due
        }
    };
    machine.begin_full(kind, scope);
    machine.notes.push(SyncNote::FullRound { kind, cause });
    true
}

/// One step of a round.
async fn round_step<S: SyncStore>(
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
            machine.sweep_objects(kind, &found, found.len() < SWEEP);
        }
        Some(Phase::SweepingLinks { after, .. }) => {
            let found = scan(store, rows::LINKS, after.as_deref(), SWEEP).await?;
            load(store, &mut machine, Machine::link_sweep_keys(&found)).await?;
            machine.sweep_links(&found, found.len() < SWEEP);
        }
        _ => {
            if let Some(page) = fetch(client, run, &mut machine, feed).await? {
                let keys = machine.page_keys(kind, &page);
                load(store, &mut machine, keys).await?;
                let scans = machine.page_scans(kind, &page);
                for prefix in &scans {
                    load_all(store, &mut machine, prefix).await?;
                }
                let keys = machine.end_keys(&scans);
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
    let url = match &link {
        None => feed.start.clone()?,
        Some(link) => match stored(client, link) {
            Ok(url) => url,
            Err(error) => {
                run.restart(machine, feed, FullRoundCause::StateRejected, error)?;
                return Ok(None);
            }
        },
    };
    let call = Call::new(feed.operation, url);
    let reply = match client.execute(&call).await {
        Ok(reply) => reply,
        Err(error) if link.is_some() && is_rejected_link(&error) => {
            run.restart(machine, feed, FullRoundCause::StateRejected, error)?;
            return Ok(None);
        }
        Err(error) if error.is_forbidden() => {
            if let Some(state) = machine.state.feed_mut(kind) {
                state.done = true;
            }
            machine.notes.push(SyncNote::Forbidden {
                kind,
                message: error.to_string(),
            });
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let mut page = read(client, &call, &reply, feed.read)?;
    if run.pages.is_endless(round, link.as_deref(), &page) {
        let error = client.with_call(Error::page_loop(), &call);
        run.restart(machine, feed, FullRoundCause::EndlessRound, error)?;
        return Ok(None);
    }
    feed.filter(&mut page);
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

impl Pages {
    /// Whether a page shows that the round does not end: it leads to itself or to an earlier page, or the same rows
    /// come again and again.
    fn is_endless(&mut self, round: u64, link: Option<&str>, page: &FeedPage) -> bool {
        if self.round != round {
            *self = Self {
                round,
                ..Self::default()
            };
        }
        let Link::Next(next) = &page.link else {
            return false;
        };
        // A step that was not committed reads its page again.
        if self.last.as_deref() == link && link.is_some() {
            return Some(next.as_str()) == link;
        }
        self.last = link.map(str::to_owned);
        if let Some(link) = link
            && !self.links.insert(hash(&link))
        {
            return true;
        }
        if page.rows.is_empty() {
            return Some(next.as_str()) == link;
        }
        let mut content = DefaultHasher::new();
        for row in &page.rows {
            row.id.hash(&mut content);
            if let Content::Present(present) = &row.content {
                present.digest.hash(&mut content);
                for link in &present.links {
                    (&link.id, link.removed).hash(&mut content);
                }
            }
        }
        let times = self.contents.entry(content.finish()).or_default();
        *times += 1;
        *times > MOST_EQUAL_PAGES || Some(next.as_str()) == link
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A step of removals that passed the guard; `None` if none are left.
async fn removals<S: SyncStore>(
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
        keys.push(rows::object(kind, id));
        load(store, &mut machine, keys).await?;
        machine.remove_object(kind, id, removal, &links, are_all);
        if room == 0 {
            break;
        }
    }
    Ok(Some(finish(machine, None)))
}

fn finish(machine: Machine<'_>, kind: Option<ObjectKind>) -> Step {
    let feed = kind.and_then(|kind| machine.state.feed(kind));
    let progress = Progress {
        kind,
        is_full: feed.is_some_and(|feed| feed.full),
        rows: feed.map_or(0, |feed| feed.rows),
        estimate: feed.and_then(|feed| feed.estimate),
    };
    Step {
        progress,
        changes: machine.changes,
        notes: machine.notes,
        rows: machine.view.into_rows(),
        state: machine.state,
    }
}

/// Reads rows of the store into the view of a step.
async fn load<S: SyncStore>(
    store: &mut S,
    machine: &mut Machine<'_>,
    mut keys: Vec<String>,
) -> Result<(), SyncError> {
    keys.sort_unstable();
    keys.dedup();
    keys.retain(|key| !machine.view.has(key));
    if keys.is_empty() {
        return Ok(());
    }
    let values = store.get(&keys).await.map_err(SyncError::store)?;
    for (key, value) in keys.into_iter().zip(values) {
        machine.view.load(key, value);
    }
    Ok(())
}

/// Reads all rows with a prefix into the view of a step.
async fn load_all<S: SyncStore>(
    store: &mut S,
    machine: &mut Machine<'_>,
    prefix: &str,
) -> Result<(), SyncError> {
    let mut after: Option<String> = None;
    loop {
        let found = scan(store, prefix, after.as_deref(), SWEEP).await?;
        let is_last = found.len() < SWEEP;
        after = found.last().map(|(key, _)| key.clone());
        for (key, value) in found {
            machine.view.load(key, Some(value));
        }
        if is_last {
            return Ok(());
        }
    }
}

async fn scan<S: SyncStore>(
    store: &mut S,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<(String, String)>, SyncError> {
    let found = store.scan(prefix, after, limit).await;
    found.map_err(SyncError::store)
}

/// How often a step is done again before its caller is told.
const MOST_REPEATS: u32 = 3;
/// How often the round of one kind begins again in a run.
const MOST_RESTARTS: u32 = 2;
/// How often the same rows may come as a page of a round: Graph repeats items, but not for ever.
const MOST_EQUAL_PAGES: u32 = 3;
/// The rows of a step that sweeps.
const SWEEP: usize = 1_000;
/// The removals of a step.
const REMOVALS: usize = 500;
