use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use entra_core::{AccessToken, ClientId, Clock, TenantId, TokenRequest};
use tokio::{runtime, sync::watch, time::timeout};
use tracing::{Instrument, Span, debug, debug_span, warn};

#[cfg(feature = "sign-in")]
use crate::cache::Place;
use crate::{
    Error, ErrorKind, TokenCache,
    cache::{
        Account, CacheKey, CredentialIdentity, Entry, FastCache, Freshness, InFlight, Obtained,
        Outcome, Plan, TokenKey,
    },
    moment::Moment,
    retry_mode::RetryMode,
    settings::Settings,
    store::Record,
};

/// Requests tokens that are not cached, such as by a grant or from a file.
#[async_trait]
pub(crate) trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// Requests a token for this key.
    async fn fetch(&self, token_key: &TokenKey, retry_mode: RetryMode) -> Outcome;
}

/// The tokens of one credential, from the cache or from a request. Callers that wait for the same
/// token share one request.
#[derive(Debug)]
pub(crate) struct Tokens {
    source: Arc<dyn TokenSource>,
    identity: Arc<CredentialIdentity>,
    home: TenantId,
    clock: Arc<dyn Clock>,
    cache: TokenCache,
    fast_cache: FastCache,
    /// How long a caller on another runtime than the request's waits for it.
    wait_limit: Duration,
}

impl Tokens {
    pub(crate) fn new(
        source: Arc<dyn TokenSource>,
        settings: &Settings,
        client: ClientId,
        home: TenantId,
        account: Account,
    ) -> Self {
        Self {
            source,
            identity: Arc::new(CredentialIdentity {
                authority: settings.cloud.cache_authority(),
                client,
                account,
                capabilities: settings.capabilities.clone(),
            }),
            home,
            clock: Arc::clone(&settings.clock),
            cache: settings.cache.clone(),
            fast_cache: FastCache::default(),
            wait_limit: settings
                .retry_policy
                .budget
                .saturating_add(Duration::from_secs(15)),
        }
    }

    pub(crate) fn client(&self) -> ClientId {
        self.identity.client
    }

    pub(crate) const fn home(&self) -> &TenantId {
        &self.home
    }

    pub(crate) fn authority(&self) -> &str {
        &self.identity.authority
    }

    /// Returns the token for a request. A dropped future does not stop the request for other callers.
    pub(crate) async fn token(&self, request: &TokenRequest) -> Outcome {
        if let Some(token) = self.fast_cache.get(request, &*self.clock, &self.cache) {
            return Ok(token);
        }
        // Boxed, so that the common case does not pay for the size of this one.
        Box::pin(self.look_up(request)).await.map_err(|error| {
            let tenant = request.tenant.as_ref().unwrap_or(&self.home);
            error.for_identity(self.identity.client, tenant)
        })
    }

    /// Caches a token that was issued otherwise, such as with a sign-in.
    pub(crate) async fn seed(
        &self,
        request: &TokenRequest,
        token: AccessToken,
    ) -> Result<(), Error> {
        let key = CacheKey::new(&self.identity, TokenKey::new(&self.home, request)?);
        let now = Moment::now(&*self.clock);
        self.cache.keep(&key, &Record::new(token, now), now).await;
        Ok(())
    }

    /// Takes the place of a token before it is requested otherwise, such as with a check of the user.
    #[cfg(feature = "sign-in")]
    pub(crate) fn place(&self, request: &TokenRequest) -> Result<Place<'_>, Error> {
        let key = CacheKey::new(&self.identity, TokenKey::new(&self.home, request)?);
        Ok(self.cache.place(key, self.clock.monotonic()))
    }

    async fn look_up(&self, request: &TokenRequest) -> Outcome {
        let token_key = TokenKey::new(&self.home, request)?;
        check_tenant(&token_key.tenant)?;
        let freshness = Freshness {
            min_validity: request.min_validity,
            must_be_new: request.force_refresh || token_key.claims.is_some(),
        };
        let key = CacheKey::new(&self.identity, token_key);
        let mut interrupted_count = 0;
        loop {
            let wait = match self.step(request, &key, &freshness) {
                Step::Done(token) => return Ok(token),
                Step::Wait(wait) => *wait,
            };
            if let Some(drive) = wait.drive {
                drive.await;
            }
            match (
                self.wait_for(&wait.entry, &wait.in_flight).await,
                wait.fallback,
            ) {
                // The request of another caller found a token in the store that this caller cannot use.
                (Some(Ok(token)), _)
                    if wait.in_flight.was_loaded()
                        && !freshness.is_met_by(&token, self.clock.now()) => {}
                (Some(Ok(token)), _) => return self.long_enough(token, &freshness),
                (Some(Err(error)), Some(record)) if self.is_valid(&record) => {
                    warn!(%error, "no new token, so the old one is used until it expires");
                    return Ok(record.token);
                }
                // One try may fail where several would not.
                (Some(Err(_)), _) if wait.in_flight.retry_mode == RetryMode::Once => {}
                (Some(Err(error)), _) => return Err(error),
                // A runtime that shuts down cancels its requests; a transport that panics does so
                // every time.
                (None, _)
                    if wait.in_flight.home.is_some() && interrupted_count == MAX_INTERRUPTED =>
                {
                    return Err(interrupted());
                }
                (None, _) => interrupted_count += 1,
            }
        }
    }

    /// Decides what to do for a caller, without waiting.
    fn step(&self, request: &TokenRequest, key: &CacheKey, freshness: &Freshness) -> Step {
        loop {
            let entry = self.cache.entry(key, Some(self.clock.monotonic()));
            let mut state = entry.lock();
            if state.detached {
                continue;
            }
            let now = Moment::now(&*self.clock);
            let plan = state.plan(freshness, now);
            return match plan {
                Plan::Serve(token) => {
                    if let Some(stored) = state.stored().filter(|stored| stored.is_settled(now)) {
                        self.fast_cache
                            .put(request, &entry, stored, entry.version());
                    }
                    Step::Done(token)
                }
                Plan::ServeAndRefresh(token) => {
                    if !state.is_in_flight()
                        && let Ok(handle) = runtime::Handle::try_current()
                    {
                        let number = state.next_number();
                        let span = debug_span!(parent: None, "entra.early_refresh");
                        let (in_flight, work) = self.start(
                            key,
                            &entry,
                            number,
                            (Freshness::ANY, RetryMode::Once),
                            Some(handle.id()),
                        );
                        state.in_flight = Some(in_flight);
                        drop(handle.spawn(work.instrument(span)));
                    }
                    Step::Done(token)
                }
                Plan::Fetch { fallback } => {
                    if let Some(in_flight) = state.active() {
                        return Step::wait(&entry, in_flight.clone(), fallback, None);
                    }
                    let retry_mode = match fallback {
                        Some(_) => RetryMode::Once,
                        None => RetryMode::Full,
                    };
                    let number = state.next_number();
                    let handle = runtime::Handle::try_current().ok();
                    let home = handle.as_ref().map(runtime::Handle::id);
                    let (in_flight, work) =
                        self.start(key, &entry, number, (*freshness, retry_mode), home);
                    state.in_flight = Some(in_flight.clone());
                    let drive = match handle {
                        Some(handle) => {
                            drop(handle.spawn(work.instrument(Span::current())));
                            None
                        }
                        // Without a runtime this caller drives the request. If the caller is
                        // dropped, the next waiting caller starts another.
                        None => Some(work),
                    };
                    Step::wait(&entry, in_flight, fallback, drive)
                }
            };
        }
    }

    /// Returns a request in progress and the future that drives it.
    fn start(
        &self,
        key: &CacheKey,
        entry: &Arc<Entry>,
        number: u64,
        (freshness, retry_mode): (Freshness, RetryMode),
        home: Option<runtime::Id>,
    ) -> (InFlight, FetchFuture) {
        let (sender, outcome_receiver) = watch::channel(None);
        let loaded = Arc::new(AtomicBool::new(false));
        let in_flight = InFlight {
            number,
            retry_mode,
            home,
            loaded: Arc::clone(&loaded),
            outcome: outcome_receiver,
        };
        let (source, clock, cache) = (
            Arc::clone(&self.source),
            Arc::clone(&self.clock),
            self.cache.clone(),
        );
        let (key, entry) = (key.clone(), Arc::clone(entry));
        let work = Box::pin(async move {
            let Obtained {
                outcome,
                from_store,
            } = cache
                .obtain(
                    &key,
                    &entry,
                    number,
                    &freshness,
                    &*clock,
                    source.fetch(key.token_key(), retry_mode),
                )
                .await;
            loaded.store(from_store, Ordering::Relaxed);
            match &outcome {
                Ok(_) if from_store => {}
                Ok(Record { token, .. }) => {
                    debug!(tenant = %key.token_key().tenant, expires_on = %token.expires_on(), "new token");
                    // The challenged token is useless, and a request without claims must not get
                    // the token for a challenge, so the next one requests a new token.
                    if let Some(challenged) = key.challenged() {
                        cache.remove(&challenged);
                    }
                }
                Err(error) => debug!(tenant = %key.token_key().tenant, %error, "no token"),
            }
            let outcome = match outcome {
                Ok(record) => {
                    if entry.complete(number, record.clone())
                        && let Some(seen) = record.seen
                    {
                        cache.expire(&key, &entry, seen.monotonic_at(record.token.expires_on()));
                    }
                    Ok(record.token)
                }
                Err(error) => {
                    if !entry.fail(number, &error, clock.monotonic()) {
                        cache.remove_if_idle(&key, &entry);
                    }
                    Err(error)
                }
            };
            sender.send_replace(Some(outcome));
        });
        (in_flight, work)
    }

    /// Waits for the result of a request. `None` if its driver is gone or stuck.
    async fn wait_for(&self, entry: &Entry, in_flight: &InFlight) -> Option<Outcome> {
        let mut completed = in_flight.outcome.clone();
        let outcome = async {
            let completed = completed.wait_for(Option::is_some).await.ok()?;
            completed.clone()
        };
        let here = runtime::Handle::try_current()
            .ok()
            .map(|handle| handle.id());
        match (here, in_flight.home) {
            // A runtime that exists but is not driven any more never completes the request.
            (Some(here), Some(home)) if here != home => {
                match timeout(self.wait_limit, outcome).await {
                    Ok(outcome) => outcome,
                    Err(_) => {
                        warn!(
                            "a token request on another runtime does not complete; starting another"
                        );
                        entry.abandon(in_flight.number);
                        None
                    }
                }
            }
            _ => outcome.await,
        }
    }

    fn is_valid(&self, record: &Record) -> bool {
        let now = Moment::now(&*self.clock);
        let time = record.seen.map(|seen| seen.time_at(now));
        time.is_some_and(|time| time < record.token.expires_on())
    }

    fn long_enough(&self, token: AccessToken, freshness: &Freshness) -> Outcome {
        let left = token.expires_on() - self.clock.now();
        if freshness.min_validity.is_zero() || left >= freshness.min_validity {
            return Ok(token);
        }
        Err(Error::configuration(
            format!(
                "a new token is valid for {} s only, less than the {} s that were requested",
                left.whole_seconds(),
                freshness.min_validity.as_secs()
            ),
            "request a shorter `min_validity`, or set a longer lifetime in a token lifetime policy",
        ))
    }
}

/// Drives a request to its result.
type FetchFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

enum Step {
    Done(AccessToken),
    Wait(Box<PendingFetch>),
}

struct PendingFetch {
    entry: Arc<Entry>,
    in_flight: InFlight,
    fallback: Option<Record>,
    drive: Option<FetchFuture>,
}

impl Step {
    fn wait(
        entry: &Arc<Entry>,
        in_flight: InFlight,
        fallback: Option<Record>,
        drive: Option<FetchFuture>,
    ) -> Self {
        Self::Wait(Box::new(PendingFetch {
            entry: Arc::clone(entry),
            in_flight,
            fallback,
            drive,
        }))
    }
}

/// Rejects a tenant alias: the token of an application is issued by one tenant.
pub(crate) fn check_tenant(tenant: &TenantId) -> Result<(), Error> {
    if tenant.is_alias() {
        return Err(Error::configuration(
            format!("`{tenant}` names no tenant, and an application's token comes from one"),
            "use the tenant's GUID or one of its verified domains",
        ));
    }
    Ok(())
}

pub(crate) fn interrupted() -> Error {
    Error::new(
        ErrorKind::Transport,
        "the token request was cut off again and again",
    )
    .with(|inner| {
        inner.cause = Some("the runtime is shutting down, or the HTTP transport panics".into());
        inner.fix = Some("look for a panic in the log".into());
    })
}

const MAX_INTERRUPTED: u32 = 3;
