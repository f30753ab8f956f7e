//! The quota governor: paces requests by Graph's documented limits, before Graph throttles them.

mod cost;
mod limit;
mod signals;
mod turns;

use std::{
    collections::HashMap,
    fmt,
    future::poll_fn,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::{Duration, Instant},
};

use entra_core::{
    BoxFuture, Clock, Pacer,
    bytes::Bytes,
    http::{HeaderMap, Response, StatusCode},
};
use tracing::debug;

pub(crate) use cost::Cost;
pub use limit::TenantSize;
use limit::{COUNT, LIMITS, Meter, Scope, UNITS, Wait};
use signals::{Exceeded, Signals};
use turns::{Caller, Turns};

/// Paces requests by Graph's documented limits, so that a large job is not throttled, and one 429 slows every request
/// of the limit once instead of each in turn.
///
/// Every client has one, which its clones and [`with_credential`](crate::GraphClient::with_credential) share. It counts per application and tenant
/// of the token:
///
/// - the resource units of the directory, by a table of what each operation costs
///   ([`Operation::resource_units`](crate::Operation::resource_units)), corrected by `x-ms-resource-unit`, and the limits of writes;
/// - 5 requests in 10 seconds to the logs, 5 in 10 seconds to `provisionOnDemand`, one a second to Identity Protection and
///   Conditional Access, and the limits of subscriptions and of `keyCredentials`.
///
/// A 429 that names the whole application or the whole tenant (`x-ms-throttle-scope`) slows every client of this governor
/// with that application or tenant. The limit of 60 writes a minute to an application for personal accounts is not counted, as
/// a request does not show which accounts its application accepts.
///
/// Tasks take turns: a task that has a thousand requests at once does not hold up one request of another task, and the
/// requests of one task pass a limit in the order in which they arrived. A request that waits for one limit does not hold up requests
/// that do not need it.
/// The waits do not count against the time budget of a call. After a 429 its limit is closed for as long as Graph asked to wait, at
/// most 10 minutes if that request was not sent again. A call whose time budget is shorter is then not sent: it fails at
/// once with an error that [is throttled](crate::Error::is_throttled) and has the wait as [`retry_after`](crate::Error::retry_after).
/// Every other request waits.
///
/// ```
/// # fn example(credential: impl entra_core::TokenCredential + Clone) -> Result<(), entra_graph::Error> {
/// use entra_graph::{Governor, GraphClient, TenantSize};
/// // The size of the tenant is found out on the way, unless it is known.
/// let governor = Governor::new().tenant_size(TenantSize::Large);
/// let graph = GraphClient::builder(credential.clone()).governor(governor).build()?;
/// let unpaced = GraphClient::builder(credential).without_governor().build()?;
/// # Ok(())
/// # }
/// ```
///
/// Source: [service-specific throttling limits](https://learn.microsoft.com/graph/throttling-limits).
#[derive(Clone, Default)]
pub struct Governor(Arc<Inner>);

#[derive(Default)]
struct Inner {
    size: Option<TenantSize>,
    /// When the first request came, which times are measured from.
    started: OnceLock<Instant>,
    lanes: Mutex<Lanes>,
}

/// Whose requests are counted together: the application and the tenant of the token, empty if that is opaque.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct QuotaKey {
    pub(crate) application: String,
    pub(crate) tenant: String,
}

#[derive(Default)]
struct Lanes {
    by_key: HashMap<QuotaKey, Arc<[Arc<Lane>; COUNT]>>,
    /// Lanes that several tenants or several applications share.
    shared: HashMap<(usize, String), Arc<Lane>>,
}

/// The requests of one limit.
struct Lane {
    /// Whose request is the next to be sent.
    turns: Turns,
    /// Wakes the holder of the turn when a request on its way has its response.
    finished: tokio::sync::Notify,
    /// Wakes all requests that wait when Graph throttles one of them.
    closing: tokio::sync::Notify,
    meter: Mutex<Meter>,
    size: Mutex<Size>,
}

/// The size of a tenant, as far as known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size {
    size: TenantSize,
    /// Until then it is known, afterwards assumed: a 429 may be due to the requests of another program.
    known_until: Duration,
}

/// One request as its limits see it.
pub(crate) struct Paced {
    governor: Governor,
    lanes: Arc<[Arc<Lane>; COUNT]>,
    clock: Arc<dyn Clock>,
    cost: Cost,
    caller: Caller,
    /// Which limits count the attempt that is on its way.
    counted: [AtomicBool; COUNT],
}

impl Governor {
    /// A governor with the documented limits, which finds out the size of the tenant.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With the size of the tenants, if it is known. Otherwise a tenant counts as small until Graph allows more.
    #[must_use]
    #[inline]
    pub fn tenant_size(self, size: TenantSize) -> Self {
        Self(Arc::new(Inner {
            size: Some(size),
            ..Inner::default()
        }))
    }

    /// What paces a request.
    pub(crate) fn paced(&self, key: &QuotaKey, cost: Cost, clock: &Arc<dyn Clock>) -> Paced {
        let now = self.now(&**clock);
        Paced {
            governor: self.clone(),
            lanes: self.lanes(key, now),
            clock: Arc::clone(clock),
            cost,
            caller: Caller::current(),
            counted: Default::default(),
        }
    }

    #[inline]
    fn now(&self, clock: &dyn Clock) -> Duration {
        clock.elapsed(*self.0.started.get_or_init(|| clock.monotonic()))
    }

    fn lanes(&self, key: &QuotaKey, now: Duration) -> Arc<[Arc<Lane>; COUNT]> {
        let mut all = lock(&self.0.lanes);
        if let Some(lanes) = all.by_key.get(key) {
            return Arc::clone(lanes);
        }
        if all.by_key.len() >= MOST_KEYS {
            all.forget_idle(now);
        }
        let lanes = Arc::new(std::array::from_fn(|limit| {
            let new = || Arc::new(Lane::new(limit, self.0.size, now));
            let shared = match LIMITS[limit].scope {
                Scope::ApplicationAndTenant => return new(),
                Scope::Application => key.application.clone(),
                Scope::Tenant => key.tenant.clone(),
            };
            Arc::clone(all.shared.entry((limit, shared)).or_insert_with(new))
        }));
        all.by_key.insert(key.clone(), Arc::clone(&lanes));
        lanes
    }
}

impl Lanes {
    /// Forgets tenants without requests on their way and without used quota.
    fn forget_idle(&mut self, now: Duration) {
        self.by_key.retain(|_, lanes| {
            Arc::strong_count(lanes) > 1 || !lanes.iter().all(|lane| lock(&lane.meter).is_idle(now))
        });
        self.shared
            .retain(|_, lane| Arc::strong_count(lane) > 1 || !lock(&lane.meter).is_idle(now));
    }
}

impl Lane {
    fn new(limit: usize, size: Option<TenantSize>, now: Duration) -> Self {
        let known_until = size.map_or(Duration::ZERO, |_| Duration::MAX);
        let size = size.unwrap_or(TenantSize::Small);
        let mut meter = Meter::new(LIMITS[limit], now);
        if limit == UNITS {
            meter.resize(now, size);
        }
        Self {
            turns: Turns::default(),
            finished: tokio::sync::Notify::new(),
            closing: tokio::sync::Notify::new(),
            meter: Mutex::new(meter),
            size: Mutex::new(Size { size, known_until }),
        }
    }

    /// Waits for the turn of a request and then until the limit allows it.
    ///
    /// # Errors
    /// For how long Graph closed the limit, as soon as that is longer than `left`.
    async fn pass(&self, paced: &Paced, cost: u32, left: Duration) -> Result<(), Duration> {
        let mut closed = pin!(self.closed_beyond(paced, left));
        let mut admitted = pin!(self.admitted(paced, cost));
        // Also while it waits for its turn behind a request with more time.
        poll_fn(|context| match closed.as_mut().poll(context) {
            Poll::Ready(closed) => Poll::Ready(Err(closed)),
            Poll::Pending => admitted.as_mut().poll(context).map(Ok),
        })
        .await
    }

    /// Completes when the limit is closed for longer than this.
    async fn closed_beyond(&self, paced: &Paced, left: Duration) -> Duration {
        loop {
            // It exists before the look at the meter, so no closing is missed.
            let closing = self.closing.notified();
            let now = paced.governor.now(&*paced.clock);
            let closed = lock(&self.meter).closed(now);
            if closed > left {
                return closed;
            }
            closing.await;
        }
    }

    async fn admitted(&self, paced: &Paced, cost: u32) {
        let _turn = self.turns.wait(paced.caller).await;
        loop {
            let now = paced.governor.now(&*paced.clock);
            let wait = {
                let mut meter = lock(&self.meter);
                let wait = meter.wait(now, cost);
                if wait == Wait::None {
                    meter.take(now, cost);
                    return;
                }
                wait
            };
            debug!(?wait, "waiting for a limit of Graph");
            match wait {
                Wait::For(wait) => paced.clock.sleep(wait).await,
                _ => self.finished.notified().await,
            }
        }
    }
}

impl Paced {
    /// The attempt on its way has its response, or gets none.
    fn finish(&self) {
        let now = self.governor.now(&*self.clock);
        for (limit, lane) in self.lanes.iter().enumerate() {
            if self.counted[limit].swap(false, Ordering::Relaxed) {
                lock(&lane.meter).finish(now, self.cost.get(limit));
                lane.finished.notify_one();
            }
        }
    }

    /// How long a limit of the request is closed, if that is longer than `left`.
    pub(crate) fn closed_beyond(&self, left: Duration) -> Option<Duration> {
        let now = self.governor.now(&*self.clock);
        let limits = self.lanes.iter().enumerate();
        let own = limits.filter(|(limit, _)| self.cost.get(*limit) > 0);
        let closed = own.map(|(_, lane)| lock(&lane.meter).closed(now)).max()?;
        (closed > left).then_some(closed)
    }

    /// Learns from a response; see [`Pacer::observe`].
    pub(crate) fn learn(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        wait: Option<Duration>,
    ) -> bool {
        let signals = Signals::read(status, headers, self.clock.now());
        let now = self.governor.now(&*self.clock);
        let reached = signals.reached(&self.cost);
        self.learn_units(now, &signals, reached);
        let Some(limit) = reached else {
            return false;
        };
        let lane = &self.lanes[limit];
        let mut meter = lock(&lane.meter);
        // Also when this request is not sent again, since the next one would be throttled, too.
        let named = wait.or_else(|| Some(signals.retry_after?.min(LONGEST_CLOSED)));
        let named = named.unwrap_or_default();
        let closed = named.max(meter.least_wait(signals.retry_after.is_some()));
        meter.close(now, closed);
        drop(meter);
        lane.closing.notify_waiters();
        debug!(
            ?closed,
            limit, "throttled: every request of this limit waits"
        );
        wait.is_some()
    }

    fn learn_units(&self, now: Duration, signals: &Signals, reached: Option<usize>) {
        let estimated = self.cost.units();
        if estimated == 0 {
            return;
        }
        let lane = &self.lanes[UNITS];
        let mut meter = lock(&lane.meter);
        let mut size = lock(&lane.size);
        let of_units = reached == Some(UNITS) && signals.exceeded != Some(Exceeded::Cpu);
        if !signals.throttled || of_units {
            let next = size.next(now, meter.used(now), signals);
            if next != *size {
                debug!(size = ?next.size, "the size of the tenant");
                meter.resize(now, next.size);
                *size = next;
            }
            if let Some(used) = signals.used {
                meter.set_used(now, used);
            }
        }
        // A request that was throttled costs nothing that is known.
        if let (Some(actual), false) = (signals.units, signals.throttled) {
            meter.correct(estimated, actual);
        }
    }
}

impl Pacer for Paced {
    fn admit(&self, left: Duration) -> BoxFuture<'_, Result<(), Duration>> {
        Box::pin(async move {
            // An attempt without a response is over.
            self.finish();
            // Before a limit counts it.
            if let Some(closed) = self.closed_beyond(left) {
                return Err(closed);
            }
            for (limit, lane) in self.lanes.iter().enumerate() {
                let cost = self.cost.get(limit);
                if cost > 0 {
                    lane.pass(self, cost, left).await?;
                    self.counted[limit].store(true, Ordering::Relaxed);
                }
            }
            Ok(())
        })
    }

    fn observe(&self, response: &Response<Bytes>, wait: Option<Duration>) -> bool {
        self.finish();
        self.learn(response.status(), response.headers(), wait)
    }
}

impl Size {
    /// The size after a response, `used` being the part of the limit that this client has used.
    ///
    /// Graph sends the part that is used from 0.8 on. If it sends what a request cost and no such part, although more of the assumed
    /// limit is used, the limit is larger. If it throttles, the limit is smaller: for a while, since what other programs of the
    /// application use is not seen here.
    fn next(self, now: Duration, used: f64, signals: &Signals) -> Self {
        if now < self.known_until {
            return self;
        }
        if signals.throttled {
            // Below that, other programs of the application use the rest.
            return match used >= 0.7 {
                true => Self {
                    size: self.size.smaller(),
                    known_until: now.saturating_add(KNOWN_FOR),
                },
                false => self,
            };
        }
        let no_warning = signals.units.is_some() && signals.used.is_none();
        match self.size.larger() {
            Some(size) if used >= 0.9 && no_warning => Self { size, ..self },
            _ => self,
        }
    }
}

/// Also when a call is given up.
impl Drop for Paced {
    fn drop(&mut self) {
        self.finish();
    }
}

impl fmt::Debug for Governor {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Governor")
            .field("tenant_size", &self.0.size)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Paced {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paced")
            .field("cost", &self.cost)
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long a size that a 429 showed is believed.
const KNOWN_FOR: Duration = Duration::from_secs(10 * 60);

/// For how long a limit is closed at most by a 429 that is not sent again; then one request finds out.
const LONGEST_CLOSED: Duration = Duration::from_secs(10 * 60);

/// From so many applications and tenants on, those at rest are forgotten.
const MOST_KEYS: usize = 1_000;

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use entra_core::{ManualClock, Timestamp, http::Method};

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn poll<T>(future: &mut BoxFuture<'_, T>) -> Option<T> {
        match future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    /// The second waits for its turn, and the first, which has it, for a response.
    #[test]
    fn a_request_that_waits_is_given_up_when_its_limit_is_closed_beyond_its_budget() {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::stepped(Timestamp::UNIX_EPOCH));
        let governor = Governor::new();
        let cost = Cost::of(&Method::GET, "/auditLogs/signIns", None);
        let paced = || governor.paced(&QuotaKey::default(), cost, &clock);
        let sent: Vec<Paced> = (0..5).map(|_| paced()).collect();
        for one in &sent {
            assert_eq!(poll(&mut one.admit(MINUTE)), Some(Ok(())));
        }
        let (patient, hasty) = (paced(), paced());
        let mut patient = patient.admit(20 * MINUTE);
        let mut hasty = hasty.admit(MINUTE);
        assert_eq!(poll(&mut patient), None);
        assert_eq!(poll(&mut hasty), None);
        let headers = [("retry-after", "86400")]
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let headers: HeaderMap = headers.into_iter().collect();
        let throttled = StatusCode::TOO_MANY_REQUESTS;
        assert!(!sent[0].learn(throttled, &headers, None));
        assert_eq!(poll(&mut hasty), Some(Err(10 * MINUTE)));
        assert_eq!(poll(&mut patient), None);
        // One that comes now does not wait either, and another limit is open.
        assert_eq!(poll(&mut paced().admit(MINUTE)), Some(Err(10 * MINUTE)));
        let users = Cost::of(&Method::GET, "/users", None);
        let users = governor.paced(&QuotaKey::default(), users, &clock);
        assert_eq!(poll(&mut users.admit(Duration::ZERO)), Some(Ok(())));
    }

    #[test]
    fn the_size_of_a_tenant_is_found_out() {
        use TenantSize::{Large, Medium, Small};
        let now = Duration::from_secs(1_000);
        let since = |size, known_until| Size { size, known_until };
        let assumed = |size| since(size, Duration::ZERO);
        let known = |size| since(size, Duration::MAX);
        let shown = |size| since(size, now + KNOWN_FOR);
        let silent = Signals::default();
        let quiet = Signals {
            units: Some(1),
            ..silent
        };
        let warned = Signals {
            used: Some(0.95),
            ..quiet
        };
        let throttled = Signals {
            throttled: true,
            ..quiet
        };
        let cases = [
            (assumed(Small), 0.5, quiet, assumed(Small)),
            (assumed(Small), 0.95, quiet, assumed(Medium)),
            (assumed(Small), 0.95, silent, assumed(Small)),
            (assumed(Medium), 0.95, quiet, assumed(Large)),
            (assumed(Large), 0.95, quiet, assumed(Large)),
            (assumed(Small), 0.95, warned, assumed(Small)),
            (assumed(Large), 0.95, throttled, shown(Medium)),
            (assumed(Small), 0.95, throttled, shown(Small)),
            (assumed(Large), 0.5, throttled, assumed(Large)),
            (known(Medium), 0.95, quiet, known(Medium)),
            // What a 429 showed is not true for ever.
            (shown(Medium), 0.95, quiet, shown(Medium)),
            (since(Medium, now), 0.95, quiet, since(Large, now)),
            (since(Medium, now), 0.95, throttled, shown(Small)),
            (known(Large), 0.5, throttled, known(Large)),
        ];
        for (before, used, signals, after) in cases {
            assert_eq!(
                before.next(now, used, &signals),
                after,
                "{before:?} {used} {signals:?}"
            );
        }
    }

    #[test]
    fn tenants_at_rest_are_forgotten_and_busy_ones_are_not() {
        let governor = Governor::new();
        let key = |tenant: usize| QuotaKey {
            application: "app".to_owned(),
            tenant: tenant.to_string(),
        };
        let busy = governor.lanes(&key(0), Duration::ZERO);
        lock(&busy[UNITS].meter).take(Duration::ZERO, 3_000);
        drop(busy);
        for tenant in 1..5_000 {
            governor.lanes(&key(tenant), Duration::ZERO);
        }
        let all = lock(&governor.0.lanes);
        assert!(all.by_key.len() <= MOST_KEYS);
        assert!(all.shared.len() <= 6 * MOST_KEYS, "{}", all.shared.len());
        assert!(all.by_key.contains_key(&key(0)));
    }
}
