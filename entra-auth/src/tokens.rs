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

use crate::{
    Error, ErrorKind, TokenCache,
    cache::{Account, Asked, CacheKey, Entry, Flight, Hot, Obtained, Outcome, Owner, Plan, Want},
    moment::Moment,
    settings::Settings,
    store::Record,
    token_endpoint::Effort,
};

/// Where a credential's tokens come from when the cache has none: one grant, one file.
#[async_trait]
pub(crate) trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// Fetches a token for exactly this.
    async fn fetch(&self, asked: &Asked, effort: Effort) -> Outcome;
}

/// The tokens of one credential: from the cache where they are good enough, else from one request
/// that all who wait for the same token share.
#[derive(Debug)]
pub(crate) struct Tokens {
    source: Arc<dyn TokenSource>,
    owner: Arc<Owner>,
    home: TenantId,
    clock: Arc<dyn Clock>,
    cache: TokenCache,
    hot: Hot,
    /// How long a caller on another runtime than the flight's believes that it gets on.
    patience: Duration,
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
            owner: Arc::new(Owner {
                authority: settings.cloud.cache_authority(),
                client,
                account,
                capabilities: settings.capabilities.clone(),
            }),
            home,
            clock: Arc::clone(&settings.clock),
            cache: settings.cache.clone(),
            hot: Hot::default(),
            patience: settings.retry_policy.budget + Duration::from_secs(15),
        }
    }

    pub(crate) fn client(&self) -> ClientId {
        self.owner.client
    }

    pub(crate) const fn home(&self) -> &TenantId {
        &self.home
    }

    pub(crate) fn authority(&self) -> &str {
        &self.owner.authority
    }

    /// The token for a request. It may be dropped at any await: what it started goes on for others.
    pub(crate) async fn token(&self, request: &TokenRequest) -> Outcome {
        if let Some(token) = self.hot.get(request, &*self.clock, &self.cache) {
            return Ok(token);
        }
        // Boxed, so that the common case does not pay for the size of this one.
        Box::pin(self.look_up(request)).await.map_err(|error| {
            let tenant = request.tenant.as_ref().unwrap_or(&self.home);
            error.for_identity(self.owner.client, tenant)
        })
    }

    /// Puts a token there that came with something else, such as a sign-in.
    pub(crate) async fn seed(
        &self,
        request: &TokenRequest,
        token: AccessToken,
    ) -> Result<(), Error> {
        let key = CacheKey::new(&self.owner, Asked::new(&self.home, request)?);
        let now = Moment::now(&*self.clock);
        self.cache.keep(&key, &Record::new(token, now), now).await;
        Ok(())
    }

    async fn look_up(&self, request: &TokenRequest) -> Outcome {
        let asked = Asked::new(&self.home, request)?;
        check_tenant(&asked.tenant)?;
        let want = Want {
            min_validity: request.min_validity,
            fresh: request.force_refresh || asked.claims.is_some(),
        };
        let key = CacheKey::new(&self.owner, asked);
        let mut lost = 0;
        loop {
            let wait = match self.step(request, &key, &want) {
                Step::Done(token) => return Ok(token),
                Step::Wait(wait) => *wait,
            };
            if let Some(drive) = wait.drive {
                drive.await;
            }
            match (self.landing(&wait.entry, &wait.flight).await, wait.fallback) {
                // Another caller's flight found a token in the store that this one cannot use.
                (Some(Ok(token)), _)
                    if wait.flight.was_loaded() && !want.is_met_by(&token, self.clock.now()) => {}
                (Some(Ok(token)), _) => return self.long_enough(token, &want),
                (Some(Err(error)), Some(record)) if self.is_valid(&record) => {
                    warn!(%error, "no new token, so the old one is used until it expires");
                    return Ok(record.token);
                }
                // One try may fail where several would not.
                (Some(Err(_)), _) if wait.flight.effort == Effort::Once => {}
                (Some(Err(error)), _) => return Err(error),
                // A runtime that shuts down takes its flights along; a transport that panics
                // does so every time.
                (None, _) if wait.flight.home.is_some() && lost == MOST_LOST => {
                    return Err(interrupted());
                }
                (None, _) => lost += 1,
            }
        }
    }

    /// Looks at the entry once and decides, without waiting for anything.
    fn step(&self, request: &TokenRequest, key: &CacheKey, want: &Want) -> Step {
        loop {
            let entry = self.cache.entry(key, Some(self.clock.monotonic()));
            let mut state = entry.lock();
            if state.detached {
                continue;
            }
            let now = Moment::now(&*self.clock);
            let plan = state.plan(want, now);
            return match plan {
                Plan::Serve(token) => {
                    if let Some(stored) = state.stored().filter(|stored| stored.is_settled(now)) {
                        self.hot.put(request, &entry, stored, entry.version());
                    }
                    Step::Done(token)
                }
                Plan::ServeAndRefresh(token) => {
                    if !state.in_flight()
                        && let Ok(handle) = runtime::Handle::try_current()
                    {
                        let number = state.next_number();
                        let span = debug_span!(parent: None, "entra.early_refresh");
                        let (flight, work) = self.flight(
                            key,
                            &entry,
                            number,
                            (Want::ANY, Effort::Once),
                            Some(handle.id()),
                        );
                        state.flight = Some(flight);
                        drop(handle.spawn(work.instrument(span)));
                    }
                    Step::Done(token)
                }
                Plan::Fetch { fallback } => {
                    if let Some(flight) = state.active() {
                        return Step::wait(&entry, flight.clone(), fallback, None);
                    }
                    let effort = match fallback {
                        Some(_) => Effort::Once,
                        None => Effort::Full,
                    };
                    let number = state.next_number();
                    let handle = runtime::Handle::try_current().ok();
                    let home = handle.as_ref().map(runtime::Handle::id);
                    let (flight, work) = self.flight(key, &entry, number, (*want, effort), home);
                    state.flight = Some(flight.clone());
                    let drive = match handle {
                        Some(handle) => {
                            drop(handle.spawn(work.instrument(Span::current())));
                            None
                        }
                        // Without a runtime this caller drives it; if it is dropped, so is the
                        // flight, and the next of those who wait starts another.
                        None => Some(work),
                    };
                    Step::wait(&entry, flight, fallback, drive)
                }
            };
        }
    }

    /// A flight and the work that makes it land, whoever drives it.
    fn flight(
        &self,
        key: &CacheKey,
        entry: &Arc<Entry>,
        number: u64,
        (want, effort): (Want, Effort),
        home: Option<runtime::Id>,
    ) -> (Flight, Work) {
        let (land, landed) = watch::channel(None);
        let loaded = Arc::new(AtomicBool::new(false));
        let flight = Flight {
            number,
            effort,
            home,
            loaded: Arc::clone(&loaded),
            landed,
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
                    &want,
                    &*clock,
                    source.fetch(key.asked(), effort),
                )
                .await;
            loaded.store(from_store, Ordering::Relaxed);
            match &outcome {
                Ok(_) if from_store => {}
                Ok(Record { token, .. }) => {
                    debug!(tenant = %key.asked().tenant, expires_on = %token.expires_on(), "new token");
                    // What a resource has challenged is of no more use, and a plain request must
                    // not get the answer to a challenge: so the plain token is fetched anew.
                    if let Some(challenged) = key.challenged() {
                        cache.remove(&challenged);
                    }
                }
                Err(error) => debug!(tenant = %key.asked().tenant, %error, "no token"),
            }
            let outcome = match outcome {
                Ok(record) => {
                    entry.land(number, record.clone());
                    if let Some(seen) = record.seen {
                        cache.expire(&key, &entry, seen.monotonic_at(record.token.expires_on()));
                    }
                    Ok(record.token)
                }
                Err(error) => {
                    if !entry.land_failed(number, &error, clock.monotonic()) {
                        cache.remove_if_idle(&key, &entry);
                    }
                    Err(error)
                }
            };
            land.send_replace(Some(outcome));
        });
        (flight, work)
    }

    /// Waits for a flight; none when its driver is gone or does not get on.
    async fn landing(&self, entry: &Entry, flight: &Flight) -> Option<Outcome> {
        let mut landed = flight.landed.clone();
        let outcome = async {
            let landed = landed.wait_for(Option::is_some).await.ok()?;
            landed.clone()
        };
        let here = runtime::Handle::try_current()
            .ok()
            .map(|handle| handle.id());
        match (here, flight.home) {
            // A runtime that nobody drives any more, though it still exists, never says so.
            (Some(here), Some(home)) if here != home => {
                match timeout(self.patience, outcome).await {
                    Ok(outcome) => outcome,
                    Err(_) => {
                        warn!("a token request on another runtime does not get on; starting anew");
                        entry.give_up(flight.number);
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

    fn long_enough(&self, token: AccessToken, want: &Want) -> Outcome {
        let left = token.expires_on() - self.clock.now();
        if want.min_validity.is_zero() || left >= want.min_validity {
            return Ok(token);
        }
        Err(Error::configuration(
            format!(
                "a new token is valid for {} s only, less than the {} s asked for",
                left.whole_seconds(),
                want.min_validity.as_secs()
            ),
            "ask for less `min_validity`, or have a token lifetime policy give longer tokens",
        ))
    }
}

/// The work of a flight.
type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

enum Step {
    Done(AccessToken),
    Wait(Box<Wait>),
}

struct Wait {
    entry: Arc<Entry>,
    flight: Flight,
    fallback: Option<Record>,
    drive: Option<Work>,
}

impl Step {
    fn wait(
        entry: &Arc<Entry>,
        flight: Flight,
        fallback: Option<Record>,
        drive: Option<Work>,
    ) -> Self {
        Self::Wait(Box::new(Wait {
            entry: Arc::clone(entry),
            flight,
            fallback,
            drive,
        }))
    }
}

/// An application's token is issued by one tenant, which an alias does not name.
pub(crate) fn check_tenant(tenant: &TenantId) -> Result<(), Error> {
    if tenant.is_alias() {
        return Err(Error::configuration(
            format!("`{tenant}` names no tenant, and an application's token comes from one"),
            "use the tenant's GUID or one of its verified domains",
        ));
    }
    Ok(())
}

fn interrupted() -> Error {
    Error::new(
        ErrorKind::Transport,
        "the token request was cut off again and again",
    )
    .with(|inner| {
        inner.cause = Some("the runtime is shutting down, or the HTTP transport panics".into());
        inner.fix = Some("look for a panic in the log".into());
    })
}

const MOST_LOST: u32 = 3;
