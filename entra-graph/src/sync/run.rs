//! The driver: sends what the state machine needs next, and reads ahead what it looks at.
//!
//! It keeps nothing that matters between two steps. Each step starts from the state in the store, so a process that
//! is killed between any two goes on where the last committed step ended.

use super::{
    change::{ObjectKind, SyncChange, SyncNote},
    closure,
    current_run::Run,
    error::SyncError,
    guard::HeldRemovals,
    machine::Machine,
    reading::has_any,
    removals, round, rows, scope,
    settings::DirectorySync,
    state::{Phase, SyncState, UNCOUNTED},
    store::{Overlay, Step, SyncStore},
    waiting::waiting,
};
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
    /// New transitive memberships.
    pub transitive_members_added: u64,
    /// Transitive memberships that ended, without those of removed objects.
    pub transitive_members_removed: u64,
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
    /// The next step, to be committed before the next call; `None` when the copy has caught up with the time of the
    /// first call. A later call starts the next run.
    ///
    /// A run that takes over the rounds of an interrupted one finishes them, and then begins rounds of its own. So does
    /// the first call after an error: the copy then has caught up with the time of that call.
    ///
    /// A step that was not committed is done again. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`SyncError`]. What was committed stays: the next call goes on with the rounds that were interrupted, and then
    /// begins its own, also after an error of the store. After [`RemovalsHeld`](SyncError::RemovalsHeld), which is the
    /// end of a run, it starts the next run.
    pub async fn next<S: SyncStore>(&mut self, store: &mut S) -> Result<Option<Step>, SyncError> {
        let result = self.next_step(store).await;
        if result.is_err() {
            // The next call can come much later.
            self.run.interrupt();
        }
        result
    }

    async fn next_step<S: SyncStore>(&mut self, store: &mut S) -> Result<Option<Step>, SyncError> {
        if self.feeds.is_empty() {
            return Err(SyncError::NoKinds);
        }
        let state = store.state().await.map_err(SyncError::store)?;
        let state = self.adopt(store, state).await?;
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

    /// Takes and commits all steps of a run. If the last run of this sync ended with an error, this one looks at every kind
    /// again, also at those that the other had finished, before it goes on with the rest.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn run<S: SyncStore>(&mut self, store: &mut S) -> Result<SyncSummary, SyncError> {
        let mut summary = SyncSummary::default();
        self.run.begin();
        while let Some(step) = self.next(store).await? {
            store.commit(&step).await.map_err(SyncError::store)?;
            for change in &step.changes {
                *match change {
                    SyncChange::Upsert(_) => &mut summary.upserts,
                    SyncChange::Removed { .. } => &mut summary.removed,
                    SyncChange::MemberAdded { .. } => &mut summary.members_added,
                    SyncChange::MemberRemoved { .. } => &mut summary.members_removed,
                    SyncChange::TransitiveMemberAdded { .. } => {
                        &mut summary.transitive_members_added
                    }
                    SyncChange::TransitiveMemberRemoved { .. } => {
                        &mut summary.transitive_members_removed
                    }
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
    async fn adopt<S: SyncStore>(
        &self,
        store: &mut S,
        state: Option<SyncState>,
    ) -> Result<SyncState, SyncError> {
        let graph = self.client.base().as_str();
        Ok(match state {
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
                ..SyncState {
                    step: foreign.step,
                    round: foreign.round,
                    synced: foreign.synced,
                    links: foreign.links,
                    approvals: foreign.approvals,
                    // What was handed out by other kinds so far, and what is to be taken back.
                    revising: foreign.revising,
                    closure: foreign.closure,
                    is_forgetting: foreign.is_forgetting,
                    // What follows from removals that were handed out comes before anything returns.
                    closing: foreign.closing || foreign.removing && foreign.closure,
                    ..SyncState::new(graph)
                }
            },
            None => self.recover(store).await?,
        })
    }

    /// The first state of a store. If its rows are there all the same, an earlier state was lost: what they say of the
    /// copy still holds, and all objects are read again.
    async fn recover<S: SyncStore>(&self, store: &mut S) -> Result<SyncState, SyncError> {
        let mut state = SyncState::new(self.client.base().as_str());
        if !has_any(store, rows::OBJECTS).await? {
            return Ok(state);
        }
        // Also those that are copied no longer: memberships of their objects were handed out with them.
        for kind in ObjectKind::ALL {
            if has_any(store, &rows::objects(kind)).await? {
                state.synced.push(kind);
            }
        }
        state.synced.sort_unstable();
        if has_any(store, rows::LINKS).await? {
            state.links = UNCOUNTED;
        }
        state.closure = has_any(store, rows::TRANSITIVE).await?;
        state.closing = state.closure;
        // How many approvals were used is not known, and none of them may work again.
        let now = self.client.now().unix_timestamp();
        state.approvals = u64::try_from(now).unwrap_or_default();
        Ok(state)
    }

    async fn step<S: SyncStore>(
        &mut self,
        store: &mut S,
        mut state: SyncState,
    ) -> Result<Option<Step>, SyncError> {
        let scope = self.scope()?;
        if scope.is_none() {
            state.scope = None;
            // When there is a scope once more, users may have come into it or left it that have not changed since, and which
            // groups are in it is not known any more.
            for feed in state.feeds.iter_mut().filter(|feed| feed.is_scoped) {
                feed.scope.clear();
            }
        }
        let mut synced: Vec<ObjectKind> = self.feeds.iter().map(|feed| feed.kind).collect();
        synced.sort_unstable();
        let now = self.client.now().unix_timestamp();
        let is_new = *self.run.began_at.get_or_insert(state.step) == state.step;
        // A run that an earlier sync of other kinds began completes with its own kinds.
        let before = state.synced.clone();
        if state.closure && !self.closure {
            let mut machine = Machine::new(state.clone(), &before, false, now);
            machine.state.is_forgetting = true;
            if let Some(step) = closure::forget(store, machine).await? {
                return Ok(Some(step));
            }
            state.closing = false;
            state.is_forgetting = false;
        }
        if self.closure && (!state.closure || state.is_forgetting) {
            // The members are marked by a full round of groups.
            if let Some(feed) = state.feed_mut(ObjectKind::Group) {
                feed.scope.clear();
            }
            state.is_forgetting = false;
        }
        state.closure = self.closure;
        // Removals that passed, and what follows from them, are judged by the kinds that memberships are handed out by.
        if state.revising.is_some()
            && let Some(step) = round::revise(store, &mut state, &synced, self.closure, now).await?
        {
            self.run.begin_after(is_new, state.step);
            return Ok(Some(step));
        }
        if state.removing {
            let machine = Machine::new(state.clone(), &before, self.closure, now);
            if let Some(step) = removals::step(&self.client, store, machine).await? {
                return Ok(Some(step));
            }
            state.removing = false;
            state.closing = self.closure;
        }
        if state.closing {
            let machine = Machine::new(state.clone(), &before, self.closure, now);
            if let Some(step) = closure::step(store, machine).await? {
                return Ok(Some(step));
            }
            state.closing = false;
        }
        if state.links == 0
            && state.synced != synced
            && let Some(step) = round::revise(store, &mut state, &synced, self.closure, now).await?
        {
            return Ok(Some(step));
        }
        // A kind that is no longer copied leaves before the rounds, so that the groups, which are all read again, are judged
        // without it. Without groups, memberships stay as they were handed out.
        if synced.contains(&ObjectKind::Group) {
            let mut kept = state.synced.clone();
            kept.retain(|kind| synced.contains(kind));
            if kept != state.synced
                && let Some(step) =
                    round::revise(store, &mut state, &kept, self.closure, now).await?
            {
                self.run.begin_after(is_new, state.step);
                return Ok(Some(step));
            }
        }
        // Until a kind was read once, memberships of its objects stay as they were handed out before it was chosen.
        let visible = state.synced.clone();
        let has_new = synced.iter().any(|kind| state.feed(*kind).is_none());
        let are_done = synced
            .iter()
            .all(|kind| state.feed(*kind).is_some_and(|feed| feed.done));
        if is_new && are_done && !(scope.is_some() && scope::is_marked(store).await?) {
            // The last run is over, or was ended before its removals. Those that need an approval wait for the rounds
            // of this run, since the objects may have returned. So do those of users at the edge of the scope, which
            // count together.
            if scope.is_some() {
                let machine = Machine::new(state.clone(), &visible, self.closure, now);
                if let Some(step) = removals::recall(store, machine).await? {
                    return Ok(Some(step));
                }
            }
            let readable = readable(&state, &synced);
            let held = waiting(store, &state, readable.as_deref(), self.guard).await?;
            if held.is_some_and(|held| !held.exceeds()) {
                let mut passed = state.clone();
                passed.begin_removals(false);
                // As at the end of a run: removals are handed out by the kinds that were read.
                if let Some(readable) = &readable
                    && let Some(step) =
                        round::revise(store, &mut passed, readable, self.closure, now).await?
                {
                    return Ok(Some(step));
                }
                let visible = passed.synced.clone();
                let machine = Machine::new(passed, &visible, self.closure, now);
                // Memberships that are no longer visible can be all there is: they end after the rounds.
                if let Some(step) = removals::step(&self.client, store, machine).await? {
                    return Ok(Some(step));
                }
            }
        }
        if has_new || is_new && (are_done || self.run.is_fresh) {
            let are_at_rest = synced
                .iter()
                .all(|kind| state.feed(*kind).is_none_or(|feed| feed.done));
            if are_at_rest {
                self.run.rounds_began_at = Some(state.step);
            }
            state.begin_run(&synced);
        }
        if let Some(step) = self.round_step(store, &state, &visible, now).await? {
            return Ok(Some(step));
        }
        if self.run.rounds_began_at.is_none() {
            // An earlier run was interrupted, and this one has finished its rounds only. Removals that need no approval
            // do not wait for more rounds: if these failed each time, they would wait for ever.
            match self.end(store, state.clone(), &synced, now, false).await {
                Ok(None) | Err(SyncError::RemovalsHeld(_)) => {}
                other => return other,
            }
        }
        if self.run.rounds_began_at.is_none_or(|at| at == state.step) {
            // The directory has changed since they began.
            self.run.rounds_began_at = Some(state.step);
            state.begin_run(&synced);
            if let Some(step) = self.round_step(store, &state, &visible, now).await? {
                return Ok(Some(step));
            }
        }
        let end = self.end(store, state, &synced, now, true).await;
        if matches!(end, Ok(None) | Err(SyncError::RemovalsHeld(_))) {
            self.run = Run::default();
        }
        end
    }

    /// The next step once all rounds are over; `None` if nothing is left. Removals that exceed the guard pass with an
    /// approval, if it is valid here.
    async fn end<S: SyncStore>(
        &mut self,
        store: &mut S,
        mut state: SyncState,
        synced: &[ObjectKind],
        now: i64,
        takes_approval: bool,
    ) -> Result<Option<Step>, SyncError> {
        let scope = self.scope()?;
        let visible = state.synced.clone();
        let approved = self.approved.clone().filter(|_| takes_approval);
        let passes =
            |held: &HeldRemovals| !held.exceeds() || approved.as_ref() == Some(&held.token);
        if scope.is_some() && !self.run.is_recalled {
            // The rounds are over, so no more of them come.
            let machine = Machine::new(state.clone(), &visible, self.closure, now);
            if let Some(step) = removals::recall(store, machine).await? {
                return Ok(Some(step));
            }
            self.run.is_recalled = true;
        }
        let users = self.feeds.iter().find(|feed| feed.kind == ObjectKind::User);
        if let (Some(scope), Some(users)) = (&scope, users) {
            let machine = Machine::new(state.clone(), &visible, self.closure, now)
                .scoped(Some(scope.nested()));
            let step = scope::step(&self.client, store, machine, scope, users).await?;
            if let Some(step) = step {
                return Ok(Some(step));
            }
        }
        if let Some(readable) = readable(&state, synced) {
            // The memberships of objects that are not in the copy end, so they are held back with the other removals.
            if let Some(held) = waiting(store, &state, Some(&readable), self.guard).await? {
                if !passes(&held) {
                    return Err(SyncError::RemovalsHeld(Box::new(held)));
                }
                state.begin_removals(held.exceeds());
            }
            if let Some(step) =
                round::revise(store, &mut state, &readable, self.closure, now).await?
            {
                return Ok(Some(step));
            }
        }
        let visible = state.synced.clone();
        if self.closure {
            let machine = Machine::new(state.clone(), &visible, true, now);
            if let Some(step) = closure::step(store, machine).await? {
                return Ok(Some(step));
            }
        }
        match waiting(store, &state, None, self.guard).await? {
            None => Ok(None),
            // What passed above needs no other approval.
            Some(held) if !state.removing && !passes(&held) => {
                Err(SyncError::RemovalsHeld(Box::new(held)))
            }
            Some(held) => {
                if !state.removing {
                    state.begin_removals(held.exceeds());
                }
                let machine = Machine::new(state, &visible, self.closure, now);
                removals::step(&self.client, store, machine).await
            }
        }
    }

    /// The next step of the first kind whose round is not over; `None` if all are.
    async fn round_step<S: SyncStore>(
        &mut self,
        store: &mut S,
        state: &SyncState,
        synced: &[ObjectKind],
        now: i64,
    ) -> Result<Option<Step>, SyncError> {
        for feed in &self.feeds {
            let scope = self.scope()?.map(|scope| scope.nested());
            let mut machine = Machine::new(state.clone(), synced, self.closure, now).scoped(scope);
            if round::begin(&mut machine, feed, self.full_every, now) {
                self.run.is_recalled = false;
                if self.counts {
                    round::count(&self.client, &mut machine, feed.kind).await;
                }
                return round::step(&self.client, &mut self.run, store, machine, feed)
                    .await
                    .map(Some);
            }
        }
        Ok(None)
    }
}

/// The kinds by which memberships are to be handed out, if these are other ones than so far: also those that are copied
/// now, and were read.
fn readable(state: &SyncState, synced: &[ObjectKind]) -> Option<Vec<ObjectKind>> {
    let was_read = |kind: &ObjectKind| {
        let feed = state.feed(*kind);
        feed.is_some_and(|feed| feed.round > 0 && feed.phase == Phase::Idle)
    };
    let mut readable = state.synced.clone();
    let others = synced.iter().copied();
    readable.extend(others.filter(|kind| !state.synced.contains(kind) && was_read(kind)));
    readable.sort_unstable();
    (readable != state.synced).then_some(readable)
}

/// How often a step is done again before its caller is told.
const MOST_REPEATS: u32 = 3;
