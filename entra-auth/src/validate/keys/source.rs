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

use super::document::{KeySet, MetadataLocation};
use crate::{
    Error, ErrorKind,
    moment::Moment,
    settings::Settings,
    validate::error::{TokenValidationError, TokenValidationErrorKind},
};

/// The keys of one sign-in service.
#[derive(Debug)]
pub(in super::super) struct Source {
    location: MetadataLocation,
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
    last_for_unknown_key: Option<Instant>,
    /// Held by the task that fetches.
    fetch_lock: Arc<Mutex<()>>,
    /// The runtime that the latest fetch is on.
    fetch_runtime: Option<runtime::Id>,
}

#[derive(Debug)]
struct Known {
    keys: Arc<KeySet>,
    since: Moment,
}

/// A set of keys and the index of the requested key.
pub(in super::super) type Found = (Arc<KeySet>, usize);

enum LookupResult {
    Ready(Found),
    /// Found, and the keys should be refreshed for later callers.
    RefreshDue(Found),
    Fetch(FetchReason),
    Unknown,
    Unavailable(Error),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FetchReason {
    Needed,
    UnknownKey,
}

impl Source {
    pub(super) fn new(location: MetadataLocation, limit: Arc<AtomicU64>) -> Self {
        Self {
            location,
            state: RwLock::default(),
            limit,
        }
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(self.limit.load(Ordering::Relaxed)).max(KEY_LIFETIME)
    }

    /// The key with this id, if it is cached and no fetch is due.
    pub(in super::super) fn ready(&self, kid: &str, now: Moment) -> Option<Found> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        match state.lookup(Some(kid), now, state.fetches, self.limit()) {
            LookupResult::Ready(found) => Some(found),
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
        let seen = self.read(|state| state.fetches);
        let lookup = || {
            let (now, limit) = (Moment::now(&*settings.clock), self.limit());
            self.read(|state| state.lookup(kid, now, seen, limit))
        };
        loop {
            let reason = match lookup() {
                LookupResult::Ready(found) => return Ok(found),
                LookupResult::RefreshDue(found) => {
                    if let Ok(fetch_lock) = self.fetch_lock().try_lock_owned() {
                        self.refresh(fetch_lock, settings).await;
                    }
                    return Ok(found);
                }
                LookupResult::Unknown => return Err(unknown_key()),
                LookupResult::Unavailable(error) => {
                    return Err(TokenValidationError::keys_unavailable(error));
                }
                LookupResult::Fetch(reason) => reason,
            };
            match self.fetch_lock().try_lock_owned() {
                // Another fetch may have ended between the lookup and the lock.
                Ok(fetch_lock) => {
                    if matches!(lookup(), LookupResult::Fetch(_)) {
                        self.fetch(fetch_lock, reason, settings).await?;
                    }
                }
                Err(_) => self.wait(settings).await,
            }
        }
    }

    /// Waits for the fetch in progress, as long as it may still complete.
    async fn wait(&self, settings: &Settings) {
        let fetch_lock = self.fetch_lock();
        let own_runtime = Handle::try_current().ok().map(|runtime| runtime.id());
        let fetch_runtime = self.read(|state| state.fetch_runtime);
        if own_runtime.is_none() || fetch_runtime.is_none() || own_runtime == fetch_runtime {
            drop(fetch_lock.lock().await);
            return;
        }
        // A runtime that exists but is no longer polled never completes its tasks.
        let wait_limit = settings
            .retry_policy
            .budget
            .saturating_add(Duration::from_secs(15));
        if timeout(wait_limit, fetch_lock.lock()).await.is_err() {
            warn!("a request for keys on another runtime makes no progress; starting another one");
            self.change(|state| {
                if Arc::ptr_eq(&state.fetch_lock, &fetch_lock) {
                    state.fetch_lock = Arc::default();
                }
            });
        }
    }

    /// Fetches and waits; on a runtime the fetch goes on if the caller is dropped.
    async fn fetch(
        self: &Arc<Self>,
        fetch_lock: OwnedMutexGuard<()>,
        reason: FetchReason,
        settings: &Arc<Settings>,
    ) -> Result<(), TokenValidationError> {
        let work = Arc::clone(self).run_fetch(fetch_lock, reason, Arc::clone(settings));
        match self.enter_runtime() {
            Some(runtime) => {
                let task = runtime.spawn(work.instrument(Span::current()));
                task.await
                    .map_err(|_| TokenValidationError::keys_unavailable(fetch_interrupted()))
            }
            None => {
                work.await;
                Ok(())
            }
        }
    }

    /// Fetches in a background task, or in the caller's where there is no runtime.
    async fn refresh(self: &Arc<Self>, fetch_lock: OwnedMutexGuard<()>, settings: &Arc<Settings>) {
        let work =
            Arc::clone(self).run_fetch(fetch_lock, FetchReason::Needed, Arc::clone(settings));
        match self.enter_runtime() {
            Some(runtime) => {
                let span = debug_span!(parent: None, "entra.signing_keys");
                drop(runtime.spawn(work.instrument(span)));
            }
            None => work.await,
        }
    }

    async fn run_fetch(
        self: Arc<Self>,
        fetch_lock: OwnedMutexGuard<()>,
        reason: FetchReason,
        settings: Arc<Settings>,
    ) {
        let outcome = KeySet::fetch(&self.location, &settings).await;
        let now = Moment::now(&*settings.clock);
        let host = self.location.metadata.host_str();
        match &outcome {
            Ok(_) => debug!(host, "new signing keys"),
            Err(error) => self.report(error, now),
        }
        self.change(|state| {
            state.fetches += 1;
            state.last = Some(now.monotonic());
            if reason == FetchReason::UnknownKey {
                state.last_for_unknown_key = state.last;
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
        drop(fetch_lock);
    }

    /// Logs at each failure for how long tokens can still be validated, so that an administrator learns
    /// of it before users do.
    fn report(&self, error: &Error, now: Moment) {
        let host = self.location.metadata.host_str();
        let age = self.read(|state| state.known.as_ref().map(|known| known.since.age(now)));
        match age.map(|age| self.limit().saturating_sub(age)) {
            Some(left) if !left.is_zero() => {
                let seconds = left.as_secs();
                error!(host, %error, "the signing keys could not be refreshed; the last known keys are used for another {seconds} s");
            }
            _ => error!(host, %error, "there are no signing keys; tokens cannot be validated"),
        }
    }

    /// The runtime to fetch on, if there is one.
    fn enter_runtime(&self) -> Option<Handle> {
        let runtime = Handle::try_current().ok();
        self.change(|state| state.fetch_runtime = runtime.as_ref().map(Handle::id));
        runtime
    }

    fn fetch_lock(&self) -> Arc<Mutex<()>> {
        self.read(|state| Arc::clone(&state.fetch_lock))
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    /// What to do for the key with this id, for a caller that came after `seen` fetches.
    fn lookup(&self, kid: Option<&str>, now: Moment, seen: u64, limit: Duration) -> LookupResult {
        let has_waited = self.fetches > seen;
        let is_paused = |last: Option<Instant>| {
            last.is_some_and(|last| now.monotonic().saturating_duration_since(last) < FETCH_PAUSE)
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
                Some(error) if has_waited => LookupResult::Unavailable(error.clone()),
                _ => LookupResult::Fetch(FetchReason::Needed),
            };
        };
        let position = match kid {
            Some(kid) => known.keys.position(kid),
            None => Some(0),
        };
        let Some(position) = position else {
            return match &self.failure {
                _ if !is_paused(self.last_for_unknown_key) => {
                    LookupResult::Fetch(FetchReason::UnknownKey)
                }
                // It may be a new key that could not be fetched.
                Some(error) => LookupResult::Unavailable(error.clone()),
                None => LookupResult::Unknown,
            };
        };
        let found = (Arc::clone(&known.keys), position);
        if age < REFRESH_AFTER {
            return LookupResult::Ready(found);
        }
        // After a failure the last known keys are used, so that callers do not wait again and again.
        if age >= KEY_LIFETIME && self.failure.is_none() && !has_waited {
            return LookupResult::Fetch(FetchReason::Needed);
        }
        match is_paused(self.last) {
            true => LookupResult::Ready(found),
            false => LookupResult::RefreshDue(found),
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

fn fetch_interrupted() -> Error {
    Error::new(
        ErrorKind::Transport,
        "the request for signing keys was interrupted",
    )
    .with(|inner| {
        inner.cause = Some("the runtime is shutting down, or the HTTP transport panics".into());
        inner.fix = Some("look for a panic in the log".into());
    })
}

/// How long keys are used while newer ones cannot be fetched, unless another limit is set.
pub(super) const LAST_KNOWN_GOOD: Duration = Duration::from_secs(24 * 3600);
/// How long keys are cached.
const KEY_LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// The age from which keys are refreshed in the background, so that callers do not wait.
const REFRESH_AFTER: Duration = Duration::from_secs(11 * 3600);
/// The minimum time between fetches for an unknown key, and between fetches after a failure.
const FETCH_PAUSE: Duration = Duration::from_secs(5 * 60);
