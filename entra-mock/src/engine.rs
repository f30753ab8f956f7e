//! The tenant as a function from request to response, without sockets and without real time.

mod notifications;

#[cfg(feature = "server")]
use std::sync::OnceLock;
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
};

use entra_core::{Clock, Timestamp};
#[cfg(feature = "server")]
use serde_json::json;

use crate::{
    cors,
    fault::Faults,
    findings::Findings,
    graph,
    journal::{Journal, Observer, RequestRecord},
    login,
    permissions::{Caller, TokenProblem},
    replication::Replication,
    state::State,
    wire::{Reply, WireRequest, is_graph},
};

/// One tenant, shared by both frontends. Safe to call from many threads.
pub(crate) struct Engine {
    clock: Arc<dyn Clock>,
    state: RwLock<State>,
    journal: Mutex<Journal>,
    observer: Observer,
    faults: Mutex<Faults>,
    replication: Mutex<Replication>,
    #[cfg(feature = "server")]
    storage: OnceLock<Arc<dyn Storage>>,
    /// Held while notifications are sent, so that each is sent once.
    delivering: tokio::sync::Mutex<()>,
}

/// Where a tenant is kept beyond the process.
#[cfg(feature = "server")]
pub(crate) trait Storage: Send + Sync {
    /// Stores what has changed. When this returns, everything that was changed before the call is stored.
    ///
    /// # Errors
    /// The error of the operating system. Then nothing more is stored.
    fn commit(&self, state: &RwLock<State>) -> std::io::Result<()>;

    /// Replaces the whole tenant, and what is stored of it.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    fn replace(&self, state: &RwLock<State>, with: State) -> std::io::Result<()>;

    /// Waits for a change that is being stored, stores nothing more, and lets another process use the storage.
    fn close(&self);
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The state holds every secret, password and token of the tenant.
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    pub(crate) fn new(clock: Arc<dyn Clock>, state: State, journal_capacity: usize) -> Self {
        Self {
            clock,
            state: RwLock::new(state),
            journal: Mutex::new(Journal::new(journal_capacity)),
            observer: Observer::new(journal_capacity > 0),
            faults: Mutex::new(Faults::default()),
            replication: Mutex::default(),
            #[cfg(feature = "server")]
            storage: OnceLock::new(),
            delivering: tokio::sync::Mutex::default(),
        }
    }

    /// Keeps the bodies of requests and responses in the journal.
    pub(crate) fn keep_bodies(mut self) -> Self {
        self.observer.keep_bodies();
        self
    }

    /// Keeps the tenant in this storage from now on.
    #[cfg(feature = "server")]
    pub(crate) fn store_in(&self, storage: Arc<dyn Storage>) {
        // It is set once, before the first request.
        let _ = self.storage.set(storage);
    }

    /// Stores what has changed, if the tenant is kept in a storage.
    #[cfg(feature = "server")]
    pub(crate) fn commit(&self) -> std::io::Result<()> {
        match self.storage.get() {
            Some(storage) => storage.commit(&self.state),
            None => Ok(()),
        }
    }

    /// Ends the use of the storage. A request that is still running gets an error, as no change of it is stored.
    #[cfg(feature = "server")]
    pub(crate) fn close_storage(&self) {
        if let Some(storage) = self.storage.get() {
            storage.close();
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Responds to one request and records it in the journal.
    pub(crate) fn handle(&self, mut request: WireRequest) -> Reply {
        let now = self.now();
        if request.path.contains("//") {
            request.path = collapse_slashes(&request.path);
        }
        let mut caller = None;
        let reply = match cors::preflight(&request) {
            Some(reply) => reply,
            None => {
                let reply = Faults::apply(&self.faults, &mut request, |request| {
                    self.respond(now, request, &mut caller)
                });
                cors::expose(&request, reply)
            }
        };
        #[cfg(feature = "server")]
        let is_read = is_graph(&request.path) && request.method == "GET";
        self.record(now, request, &reply, caller);
        #[cfg(feature = "server")]
        let reply = if is_read { reply } else { self.stored(reply) };
        reply
    }

    /// Stores what a request has changed before the client learns of it.
    #[cfg(feature = "server")]
    fn stored(&self, reply: Reply) -> Reply {
        match self.commit() {
            Ok(()) => reply,
            Err(error) => {
                let message = format!("The state file cannot be written: {error}");
                let body = json!({ "error": { "code": "ServiceUnavailable", "message": message } });
                Reply::json(503, &body)
            }
        }
    }

    /// Records a request in the journal, also one to which something else responded.
    pub(crate) fn record(
        &self,
        now: Timestamp,
        request: WireRequest,
        reply: &Reply,
        caller: Option<Arc<Caller>>,
    ) {
        let facts = self.observer.observe(now, &request, reply, caller);
        self.journal().record(now, request, reply.status, facts);
    }

    // A panic while one of these locks was held leaves the data as usable as before.

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the tenant for writing. Changes are recorded as changes of the test, at the current
    /// time.
    pub(crate) fn write(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        let now = self.now();
        self.replication().forget();
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.store.changes.stamp(now, None);
        state
    }

    /// Replaces the whole tenant, as by a restore.
    #[cfg(feature = "server")]
    pub(crate) fn replace(&self, state: State) -> std::io::Result<()> {
        match self.storage.get() {
            Some(storage) => storage.replace(self.state(), state)?,
            None => *self.write() = state,
        }
        Ok(())
    }

    /// The tenant behind its lock, for operations of several steps.
    pub(crate) fn state(&self) -> &RwLock<State> {
        self.replication().forget();
        &self.state
    }

    pub(crate) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what a reviewer would say of the clients, by the requests in the journal.
    pub(crate) fn findings(&self) -> Findings {
        let records: Vec<RequestRecord> = self.journal().records().cloned().collect();
        let (ignored, policies) = {
            let state = self.read();
            (state.fixture_apps.clone(), state.recorded_policies())
        };
        Findings::of(&records, &ignored, &policies)
    }

    pub(crate) fn replication(&self) -> MutexGuard<'_, Replication> {
        self.replication
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        Faults::lock(&self.faults)
    }

    /// Responds to one request, and returns its caller if its token is valid.
    fn respond(
        &self,
        now: Timestamp,
        request: &WireRequest,
        valid: &mut Option<Arc<Caller>>,
    ) -> Reply {
        if !is_graph(&request.path) {
            if graph::lacks_version(&request.path) && !login::is_resource_manager(request) {
                return graph::invalid_version(&self.state, now, request);
            }
            // The date is that of the tenant's clock, as in every response of Graph.
            return self.respond_from_replicas(now, request, |state| {
                login::respond(state, now, request).with_header("date", graph::http_date(now))
            });
        }
        let caller = login::caller(&self.read(), now, request);
        let reply =
            self.respond_from_graph(now, request, caller.as_deref().map_err(|problem| *problem));
        *valid = caller.ok();
        reply
    }

    fn respond_from_graph(
        &self,
        now: Timestamp,
        request: &WireRequest,
        caller: Result<&Caller, TokenProblem>,
    ) -> Reply {
        // Quotas count the request once, even if several replicas try it.
        let charge = graph::charge(&self.state, now, request, caller);
        self.respond_from_replicas(now, request, |state| {
            graph::respond(state, &self.faults, now, request, caller, &charge)
        })
    }

    /// Responds with a function from a version of the tenant, which is an old one during a replication delay.
    fn respond_from_replicas(
        &self,
        now: Timestamp,
        request: &WireRequest,
        respond: impl Fn(&RwLock<State>) -> Reply,
    ) -> Reply {
        let mut replication = self.replication();
        if !replication.is_enabled() {
            drop(replication);
            return respond(&self.state);
        }
        let stale = replication.view(now, &self.read());
        let reply = match stale {
            // The requests of a batch are served from the current version.
            Some(stale) if !graph::is_batch(request) => {
                self.respond_from_replica(stale, request, respond)
            }
            _ => respond(&self.state),
        };
        if is_graph(&request.path) && request.method != "GET" && reply.status < 400 {
            replication.commit(now, &self.read());
        }
        reply
    }

    fn respond_from_replica(
        &self,
        stale: State,
        request: &WireRequest,
        respond: impl Fn(&RwLock<State>) -> Reply,
    ) -> Reply {
        let reply = respond(&RwLock::new(stale));
        if reply.status >= 400 || is_graph(&request.path) && request.method == "GET" {
            return reply;
        }
        let current = respond(&self.state);
        // A token of an application has the permissions that the replica knows of.
        if current.status < 400 && is_client_credentials(request) {
            return reply;
        }
        current
    }
}

fn is_client_credentials(request: &WireRequest) -> bool {
    let field = b"grant_type=client_credentials";
    request.body.windows(field.len()).any(|part| part == field)
}

/// Collapses repeated slashes: some clients send `/v1.0//users`, and Graph accepts it.
fn collapse_slashes(path: &str) -> String {
    let mut collapsed = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !collapsed.ends_with('/') {
            collapsed.push(character);
        }
    }
    collapsed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_slashes_count_as_one() {
        assert_eq!(collapse_slashes("//v1.0///users//"), "/v1.0/users/");
        assert_eq!(collapse_slashes("/v1.0/users"), "/v1.0/users");
    }
}
