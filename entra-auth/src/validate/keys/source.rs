use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    runtime::{self, Handle},
    sync::{Mutex, OwnedMutexGuard},
    time::timeout,
};
use tracing::{Instrument, Span, debug, debug_span, error, warn};

use super::document::{KeySet, Place};
use crate::{
    Error, ErrorKind,
    moment::Moment,
    settings::Settings,
    validate::error::{TokenValidationError, TokenValidationErrorKind},
};

/// The keys of one sign-in service.
#[derive(Debug)]
pub(in super::super) struct Source {
    place: Place,
    state: RwLock<State>,
    /// For how many seconds keys are used while newer ones cannot be fetched.
    limit: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct State {
    known: Option<Known>,
    /// How many fetches have ended.
    fetches: u64,
    /// When the last fetch ended, and its error.
    last: Option<Instant>,
    failure: Option<Error>,
    /// When the last fetch for an unknown key ended.
    forced: Option<Instant>,
    /// Held by the task that fetches.
    gate: Arc<Mutex<()>>,
    /// The runtime that the latest fetch is on.
    home: Option<runtime::Id>,
}

#[derive(Debug)]
struct Known {
    keys: Arc<KeySet>,
    since: Moment,
}

/// A set of keys and the index of the requested key.
pub(in super::super) type Found = (Arc<KeySet>, usize);

enum Look {
    Ready(Found),
    /// Found, and the keys should be refreshed for later callers.
    Ageing(Found),
    Fetch(Why),
    Unknown,
    Unavailable(Error),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    Needed,
    UnknownKey,
}

impl Source {
    pub(super) fn new(place: Place, limit: Arc<AtomicU64>) -> Self {
        Self {
            place,
            state: RwLock::default(),
            limit,
        }
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(self.limit.load(Ordering::Relaxed)).max(KEPT)
    }

    /// The key with this id, if it is cached and no fetch is due.
    pub(in super::super) fn ready(&self, kid: &str, now: Moment) -> Option<Found> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        match state.look(Some(kid), now, state.fetches, self.limit()) {
            Look::Ready(found) => Some(found),
            _ => None,
        }
    }

    /// The key with this id, or any key if only the metadata is requested. The future may be dropped at
    /// any await: a fetch that it started goes on for other callers.
    pub(in super::super) async fn find(
        self: &Arc<Self>,
        kid: Option<&str>,
        settings: &Arc<Settings>,
    ) -> Result<Found, TokenValidationError> {
        let seen = self.look(|state| state.fetches);
        let look = || {
            let (now, limit) = (Moment::now(&*settings.clock), self.limit());
            self.look(|state| state.look(kid, now, seen, limit))
        };
        loop {
            let why = match look() {
                Look::Ready(found) => return Ok(found),
                Look::Ageing(found) => {
                    if let Ok(gate) = self.gate().try_lock_owned() {
                        self.renew(gate, settings).await;
                    }
                    return Ok(found);
                }
                Look::Unknown => return Err(unknown_key()),
                Look::Unavailable(error) => {
                    return Err(TokenValidationError::keys_unavailable(error));
                }
                Look::Fetch(why) => why,
            };
            match self.gate().try_lock_owned() {
                // Another fetch may have ended between the lookup and the lock.
                Ok(gate) => {
                    if matches!(look(), Look::Fetch(_)) {
                        self.fetch(gate, why, settings).await?;
                    }
                }
                Err(_) => self.wait(settings).await,
            }
        }
    }

    /// Waits for the fetch in progress, as long as it may still complete.
    async fn wait(&self, settings: &Settings) {
        let gate = self.gate();
        let here = Handle::try_current().ok().map(|runtime| runtime.id());
        let home = self.look(|state| state.home);
        if here.is_none() || home.is_none() || here == home {
            drop(gate.lock().await);
            return;
        }
        // A runtime that exists but is no longer polled never completes its tasks.
        let patience = settings
            .retry_policy
            .budget
            .saturating_add(Duration::from_secs(15));
        if timeout(patience, gate.lock()).await.is_err() {
            warn!("a request for keys on another runtime does not get on; starting anew");
            self.change(|state| {
                if Arc::ptr_eq(&state.gate, &gate) {
                    state.gate = Arc::default();
                }
            });
        }
    }

    /// Fetches and waits; on a runtime the fetch goes on if the caller is dropped.
    async fn fetch(
        self: &Arc<Self>,
        gate: OwnedMutexGuard<()>,
        why: Why,
        settings: &Arc<Settings>,
    ) -> Result<(), TokenValidationError> {
        let work = Arc::clone(self).work(gate, why, Arc::clone(settings));
        match self.at_home() {
            Some(runtime) => {
                let flight = runtime.spawn(work.instrument(Span::current()));
                flight
                    .await
                    .map_err(|_| TokenValidationError::keys_unavailable(interrupted()))
            }
            None => {
                work.await;
                Ok(())
            }
        }
    }

    /// Fetches in a background task, or in the caller's where there is no runtime.
    async fn renew(self: &Arc<Self>, gate: OwnedMutexGuard<()>, settings: &Arc<Settings>) {
        let work = Arc::clone(self).work(gate, Why::Needed, Arc::clone(settings));
        match self.at_home() {
            Some(runtime) => {
                let span = debug_span!(parent: None, "entra.signing_keys");
                drop(runtime.spawn(work.instrument(span)));
            }
            None => work.await,
        }
    }

    async fn work(self: Arc<Self>, gate: OwnedMutexGuard<()>, why: Why, settings: Arc<Settings>) {
        let outcome = KeySet::fetch(&self.place, &settings).await;
        let now = Moment::now(&*settings.clock);
        let host = self.place.metadata.host_str();
        match &outcome {
            Ok(_) => debug!(host, "new signing keys"),
            Err(error) => self.report(error, now),
        }
        self.change(|state| {
            state.fetches += 1;
            state.last = Some(now.monotonic());
            if why == Why::UnknownKey {
                state.forced = state.last;
            }
            match outcome {
                Ok(keys) => {
                    state.failure = None;
                    state.known = Some(Known {
                        keys: Arc::new(keys),
                        since: now,
                    });
                }
                Err(error) => state.failure = Some(error),
            }
        });
        drop(gate);
    }

    /// Logs at each failure for how long tokens can still be validated, so that an administrator learns
    /// of it before users do.
    fn report(&self, error: &Error, now: Moment) {
        let host = self.place.metadata.host_str();
        let age = self.look(|state| state.known.as_ref().map(|known| known.since.age(now)));
        match age.map(|age| self.limit().saturating_sub(age)) {
            Some(left) if !left.is_zero() => {
                let seconds = left.as_secs();
                error!(host, %error, "the signing keys could not be renewed; the last known ones are used for another {seconds} s");
            }
            _ => error!(host, %error, "there are no signing keys; tokens cannot be validated"),
        }
    }

    /// The runtime to fetch on, if there is one.
    fn at_home(&self) -> Option<Handle> {
        let runtime = Handle::try_current().ok();
        self.change(|state| state.home = runtime.as_ref().map(Handle::id));
        runtime
    }

    fn gate(&self) -> Arc<Mutex<()>> {
        self.look(|state| Arc::clone(&state.gate))
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn look<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    /// What to do for the key with this id, for a caller that came after `seen` fetches.
    fn look(&self, kid: Option<&str>, now: Moment, seen: u64, limit: Duration) -> Look {
        let waited = self.fetches > seen;
        let paused = |last: Option<Instant>| {
            last.is_some_and(|last| now.monotonic().saturating_duration_since(last) < PAUSE)
        };
        // Keys beyond the age limit are not used.
        let known = self
            .known
            .as_ref()
            .map(|known| (known, known.since.age(now)))
            .filter(|(_, age)| *age < limit);
        let Some((known, age)) = known else {
            return match &self.failure {
                // Callers that waited share the failure; later callers try again.
                Some(error) if waited => Look::Unavailable(error.clone()),
                _ => Look::Fetch(Why::Needed),
            };
        };
        let position = match kid {
            Some(kid) => known.keys.position(kid),
            None => Some(0),
        };
        let Some(position) = position else {
            return match &self.failure {
                _ if !paused(self.forced) => Look::Fetch(Why::UnknownKey),
                // It may be a new key that could not be fetched.
                Some(error) => Look::Unavailable(error.clone()),
                None => Look::Unknown,
            };
        };
        let found = (Arc::clone(&known.keys), position);
        if age < AGEING {
            return Look::Ready(found);
        }
        // After a failure the last known keys are used, so that callers do not wait again and again.
        if age >= KEPT && self.failure.is_none() && !waited {
            return Look::Fetch(Why::Needed);
        }
        match paused(self.last) {
            true => Look::Ready(found),
            false => Look::Ageing(found),
        }
    }
}

fn unknown_key() -> TokenValidationError {
    TokenValidationError::new(
        TokenValidationErrorKind::UnknownKey,
        "the token is signed with a key that the sign-in service does not have",
        "check that the token comes from the configured tenant and cloud; an application with signing keys of its own needs `own_signing_keys`",
    )
}

fn interrupted() -> Error {
    Error::new(
        ErrorKind::Transport,
        "the request for signing keys was cut off",
    )
    .with(|inner| {
        inner.cause = Some("the runtime is shutting down, or the HTTP transport panics".into());
        inner.fix = Some("look for a panic in the log".into());
    })
}

/// How long keys are used while newer ones cannot be fetched, unless another limit is set.
pub(super) const LAST_KNOWN_GOOD: Duration = Duration::from_secs(24 * 3600);
/// How long keys are cached.
const KEPT: Duration = Duration::from_secs(12 * 3600);
/// The age from which keys are refreshed in the background, so that callers do not wait.
const AGEING: Duration = Duration::from_secs(11 * 3600);
/// The minimum time between fetches for an unknown key, and between fetches after a failure.
const PAUSE: Duration = Duration::from_secs(5 * 60);
