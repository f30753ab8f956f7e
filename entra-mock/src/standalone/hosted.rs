//! The tenants of a server: how each is made, and what the control API needs of it.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use entra_core::{Clock, Guid, Timestamp};

use super::{
    adjustable_clock::{AdjustableClock, Setting},
    demo_app::DemoApp,
};
use crate::{
    engine::Engine,
    fault::Faults,
    frontend::Running,
    notifications::NotificationOptions,
    seed::{Company, Scenario, Seed},
    state::{License, ResourceRule, State},
};

/// How the content of a tenant is made. The same recipe gives the same tenant, ids and secrets included.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) seed: Seed,
    /// A scenario in place of the seed.
    pub(crate) scenario: Option<Scenario>,
    pub(crate) company: Company,
    pub(crate) users: usize,
    pub(crate) random_seed: u64,
    pub(crate) license: License,
    pub(crate) enforce_quotas: bool,
    pub(crate) notification_options: NotificationOptions,
    pub(crate) resource_rule: ResourceRule,
    /// Whether a cast of a relationship needs no advanced query.
    pub(crate) plain_casts: bool,
    /// How many entries of each log are kept at least.
    pub(crate) log_capacity: usize,
    /// Whether the journal keeps bodies.
    pub(crate) journal_bodies: bool,
    /// The time of the content.
    pub(crate) made_at: Timestamp,
}

impl Recipe {
    /// Makes the tenant with the application and the user of the environment file. Returns `None` only if the
    /// crate's own test certificate cannot be read, or if the scenario does not fit the company, which
    /// [`Scenario::check_for`] explains.
    pub(crate) fn make(&self) -> Option<(State, DemoApp)> {
        // The two users of the environment file are some of the users.
        let extra = match self.seed {
            Seed::Empty => self.users.min(2),
            _ => 0,
        };
        let (now, license, company) = (self.made_at, self.license, &self.company);
        let (random_seed, users) = (self.random_seed, self.users - extra);
        let mut state = match &self.scenario {
            Some(scenario) => {
                let built = scenario.build(now, license, random_seed, users, company);
                built.ok()?
            }
            None => self.seed.build(now, license, random_seed, users, company),
        };
        let app = DemoApp::register(&mut state, self.made_at)?;
        state.enforce_quotas(self.enforce_quotas);
        state.notifications.options = self.notification_options;
        state.resource_rule = self.resource_rule;
        state.plain_casts = self.plain_casts;
        state.store.set_log_capacity(self.log_capacity);
        Some((state, app))
    }
}

impl Recipe {
    /// Runs a tenant.
    pub(crate) fn engine(&self, clock: &Arc<AdjustableClock>, state: State) -> Engine {
        let engine = Engine::new(Arc::clone(clock) as _, state, JOURNAL_CAPACITY);
        match self.journal_bodies {
            true => engine.keep_bodies(),
            false => engine,
        }
    }
}

/// How many requests the journal keeps.
const JOURNAL_CAPACITY: usize = 1_000;

/// One tenant of a server, at an address of its own.
pub(crate) struct Hosted {
    /// The tenant id.
    pub(crate) id: Guid,
    pub(crate) uri: String,
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: Arc<AdjustableClock>,
    pub(crate) app: DemoApp,
    recipe: Recipe,
    snapshots: Mutex<BTreeMap<String, Snapshot>>,
    running: Mutex<Option<Running>>,
}

/// Everything of a tenant that a test changes, but the journal.
#[derive(Clone)]
struct Snapshot {
    state: State,
    clock: Setting,
    faults: Faults,
}

impl Hosted {
    pub(crate) fn new(
        uri: String,
        engine: Arc<Engine>,
        clock: Arc<AdjustableClock>,
        app: DemoApp,
        recipe: Recipe,
    ) -> Self {
        let (id, delay) = {
            let state = engine.read();
            (state.tenant_id, state.replication_delay)
        };
        let tenant = Self {
            id,
            uri,
            engine,
            clock,
            app,
            recipe,
            snapshots: Mutex::default(),
            running: Mutex::default(),
        };
        // The delay of a state file.
        tenant.set_replication_delay(delay);
        tenant
    }

    /// The domain of new users.
    pub(crate) fn domain(&self) -> String {
        self.engine.read().default_domain().to_owned()
    }

    /// Remembers the listener, which is started after the tenant.
    pub(crate) fn runs_on(&self, running: Running) {
        *lock(&self.running) = Some(running);
    }

    /// Stops the listener, if it is still running.
    pub(crate) async fn stop(&self) {
        let running = lock(&self.running).take();
        if let Some(running) = running {
            running.stop().await;
        }
    }

    pub(crate) fn take_snapshot(&self, name: &str) {
        let snapshot = Snapshot {
            state: self.engine.read().detached(),
            clock: self.clock.setting(),
            faults: self.engine.faults().clone(),
        };
        lock(&self.snapshots).insert(name.to_owned(), snapshot);
    }

    pub(crate) fn snapshot_names(&self) -> Vec<String> {
        lock(&self.snapshots).keys().cloned().collect()
    }

    /// Removes a snapshot. Returns `false` if there is none of that name.
    pub(crate) fn remove_snapshot(&self, name: &str) -> bool {
        lock(&self.snapshots).remove(name).is_some()
    }

    /// Brings the tenant back to a snapshot. Returns `false` if there is none of that name.
    pub(crate) fn restore(&self, name: &str) -> io::Result<bool> {
        let Some(snapshot) = lock(&self.snapshots).get(name).cloned() else {
            return Ok(false);
        };
        self.clock.restore(snapshot.clock);
        self.apply(snapshot.state.detached(), snapshot.faults)?;
        Ok(true)
    }

    /// Brings the tenant back to its initial content, with real time, no faults and an empty journal. Ids and
    /// secrets are those of the start.
    pub(crate) fn reset(&self) -> io::Result<()> {
        let made = self.recipe.make();
        let (state, _) = made.ok_or_else(|| io::Error::other("the tenant cannot be made"))?;
        self.clock.restore(Setting::default());
        self.apply(state, Faults::default())?;
        self.engine.journal().clear();
        Ok(())
    }

    fn apply(&self, mut state: State, faults: Faults) -> io::Result<()> {
        state.replace_delta_epoch(&self.engine.read());
        let delay = state.replication_delay;
        self.engine.replace(state)?;
        *self.engine.faults() = faults;
        self.set_replication_delay(delay);
        Ok(())
    }

    pub(crate) fn set_replication_delay(&self, delay: Duration) {
        let random = {
            let mut state = self.engine.write();
            state.replication_delay = delay;
            state.random.clone()
        };
        self.engine.replication().set_delay(delay, random);
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

// A panic while one of these locks was held leaves the data as usable as before.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
