use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use entra_core::{AccessToken, Timestamp};
use tokio::{runtime, sync::watch};
use tracing::debug;

use crate::{
    Error,
    moment::{Moment, signed},
    retry_mode::RetryMode,
    store::Record,
};

/// The state of one key: its token, the request in progress, and when to try again.
///
/// The lock is never held across an await.
#[derive(Debug)]
pub(crate) struct Entry {
    state: Mutex<State>,
    /// Changes with the token. A copy of another version must not be used.
    version: AtomicU64,
    used: AtomicU64,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    token: Option<Stored>,
    pub(crate) in_flight: Option<InFlight>,
    /// After a failed early refresh: the earliest time of the next one.
    rest_until: Option<Instant>,
    /// The entry has left the map. A caller that still has it looks the key up again.
    pub(crate) detached: bool,
    /// Its partition was removed, so the result of a request in progress must not be stored.
    forgotten: bool,
    requests: u64,
}

/// A token and its refresh times.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    record: Record,
    /// From here on callers wait for a new token unless they set a `min_validity`.
    stale_at: Timestamp,
    in_flight: u64,
}

/// A token request in progress. It goes on when its callers are dropped.
#[derive(Clone, Debug)]
pub(crate) struct InFlight {
    pub(crate) number: u64,
    pub(crate) retry_mode: RetryMode,
    /// The runtime that drives the request. `None` if a caller drives it.
    pub(crate) home: Option<runtime::Id>,
    /// Whether its token came from the store. Set before it completes.
    pub(crate) loaded: Arc<AtomicBool>,
    pub(crate) outcome: watch::Receiver<Option<Outcome>>,
}

/// The result of a request, shared by all callers that wait for it.
pub(crate) type Outcome = Result<AccessToken, Error>;

/// How fresh a token a caller needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Freshness {
    pub(crate) min_validity: Duration,
    /// Whether the caller needs a token issued after this request.
    pub(crate) must_be_new: bool,
}

/// What to do for a caller.
#[derive(Debug)]
pub(crate) enum Plan {
    /// Return this token.
    Serve(AccessToken),
    /// Return this token and replace it in the background.
    ServeAndRefresh(AccessToken),
    /// Request a token. If that fails, return the fallback, which is still valid.
    Fetch { fallback: Option<Record> },
}

impl Entry {
    pub(crate) fn new(tick: u64) -> Self {
        Self {
            state: Mutex::default(),
            version: AtomicU64::new(0),
            used: AtomicU64::new(tick),
        }
    }

    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    pub(crate) fn touch(&self, tick: u64) {
        // Reading first keeps the line shared between the threads that use one token.
        if self.used() != tick {
            self.used.store(tick, Ordering::Relaxed);
        }
    }

    /// Completes a request with a token and caches it. Returns whether it is cached, and not that of a later
    /// request.
    pub(crate) fn complete(&self, number: u64, record: Record) -> bool {
        let mut state = self.lock();
        state.end(number);
        // A request that was abandoned as stuck may complete after its successor.
        let is_newest = state
            .token
            .as_ref()
            .is_none_or(|held| held.in_flight < number);
        if is_newest {
            state.token = Some(Stored::new(record, number));
            state.rest_until = None;
            self.version.fetch_add(1, Ordering::Release);
        }
        is_newest
    }

    /// Completes a request with an error. Returns whether the entry still has a token.
    pub(crate) fn fail(&self, number: u64, error: &Error, now: Instant) -> bool {
        let mut state = self.lock();
        state.end(number);
        let rest = error
            .retry_after()
            .unwrap_or_default()
            .clamp(REST, LONGEST_REST);
        state.rest_until = now.checked_add(rest);
        state.token.is_some()
    }

    /// Stops waiting for a request. If it completes later, its token is cached unless there is a newer
    /// one.
    pub(crate) fn abandon(&self, number: u64) {
        self.lock().end(number);
    }

    /// Marks the entry as removed from the map and invalidates all copies of its token.
    #[inline]
    pub(crate) fn detach(&self) {
        self.lock().detached = true;
        self.version.fetch_add(1, Ordering::Release);
    }

    /// As [`detach`](Self::detach). The result of a request in progress is not cached either.
    #[inline]
    pub(crate) fn forget(&self) {
        self.lock().forgotten = true;
        self.detach();
    }

    #[inline]
    pub(crate) fn is_forgotten(&self) -> bool {
        self.lock().forgotten
    }

    /// Whether the token of a later request is cached, such as that of a new sign-in.
    #[inline]
    pub(crate) fn has_newer(&self, number: u64) -> bool {
        let state = self.lock();
        state
            .token
            .as_ref()
            .is_some_and(|held| held.in_flight > number)
    }

    /// Detaches the entry unless a request is in progress.
    pub(crate) fn detach_if_completed(&self) -> bool {
        self.detach_if(|state| !state.is_in_flight())
    }

    /// Detaches the entry unless it has a token or a request in progress.
    pub(crate) fn detach_if_empty(&self) -> bool {
        self.detach_if(|state| state.token.is_none() && !state.is_in_flight())
    }

    fn detach_if(&self, condition: impl FnOnce(&State) -> bool) -> bool {
        let mut state = self.lock();
        state.detached = condition(&state);
        if state.detached {
            self.version.fetch_add(1, Ordering::Release);
        }
        state.detached
    }
}

impl State {
    pub(crate) fn plan(&mut self, freshness: &Freshness, now: Moment) -> Plan {
        let Some(stored) = &mut self.token else {
            return Plan::Fetch { fallback: None };
        };
        let resting = self.rest_until.is_some_and(|until| now.monotonic() < until);
        match stored.record.time_at(now) {
            Some(time) => stored.plan(freshness, time, resting),
            None => {
                self.token = None;
                Plan::Fetch { fallback: None }
            }
        }
    }

    /// Returns the request in progress, unless its driver is gone.
    pub(crate) fn active(&self) -> Option<&InFlight> {
        self.in_flight
            .as_ref()
            .filter(|in_flight| in_flight.is_under_way())
    }

    pub(crate) fn is_in_flight(&self) -> bool {
        self.active().is_some()
    }

    fn end(&mut self, number: u64) {
        self.in_flight
            .take_if(|in_flight| in_flight.number == number);
    }

    pub(crate) fn next_number(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }

    /// The token in the form of a store.
    pub(crate) fn record(&self) -> Option<Record> {
        self.token.as_ref().map(|stored| stored.record.clone())
    }

    /// The token with its refresh times.
    pub(crate) const fn stored(&self) -> Option<&Stored> {
        self.token.as_ref()
    }
}

impl Stored {
    fn new(record: Record, in_flight: u64) -> Self {
        let expires_on = record.token.expires_on();
        let lifetime = expires_on - record.obtained;
        // A token that lives for minutes only must not count as stale from its first second.
        let margin = (lifetime / 2_i32).min(signed(MARGIN));
        Self {
            stale_at: expires_on.saturating_sub(margin),
            in_flight,
            record,
        }
    }

    pub(crate) const fn token(&self) -> &AccessToken {
        &self.record.token
    }

    /// When it was issued or read here; `None` until it is first read with a clock.
    pub(crate) const fn seen(&self) -> Option<Moment> {
        self.record.seen
    }

    /// Until when a caller without `min_validity` gets this token without a refresh.
    #[inline]
    pub(crate) fn settled_until(&self) -> Timestamp {
        match self.token().refresh_on() {
            Some(refresh_on) => refresh_on.min(self.stale_at),
            None => self.stale_at,
        }
    }

    #[inline]
    pub(crate) fn is_settled(&self, now: Moment) -> bool {
        self.seen()
            .is_some_and(|seen| seen.time_at(now) < self.settled_until())
    }

    fn plan(&self, freshness: &Freshness, now: Timestamp, resting: bool) -> Plan {
        let token = || self.token().clone();
        if freshness.must_be_new || !lasts(self.token(), freshness.min_validity, now) {
            return Plan::Fetch { fallback: None };
        }
        if freshness.min_validity.is_zero() && now >= self.stale_at {
            return match resting {
                true => Plan::Serve(token()),
                false => Plan::Fetch {
                    fallback: Some(self.record.clone()),
                },
            };
        }
        match self.token().refresh_on() {
            Some(refresh_on) if now >= refresh_on && !resting => Plan::ServeAndRefresh(token()),
            _ => Plan::Serve(token()),
        }
    }
}

impl Freshness {
    /// The needs of a caller without `min_validity`.
    pub(crate) const ANY: Self = Self {
        min_validity: Duration::ZERO,
        must_be_new: false,
    };

    /// Whether a token from the store is fresh enough.
    #[inline]
    pub(crate) fn is_met_by(&self, token: &AccessToken, now: Timestamp) -> bool {
        !self.must_be_new && lasts(token, self.min_validity, now)
    }

    /// Whether a token from the store makes a request unnecessary.
    pub(crate) fn settled_by(&self, record: &Record, now: Moment) -> bool {
        let mut stored = Stored::new(record.clone(), 0);
        let Some(time) = stored.record.time_at(now) else {
            debug!("a token in the store is from a clock that is ahead, and is not used");
            return false;
        };
        matches!(stored.plan(self, time, false), Plan::Serve(_))
    }
}

impl InFlight {
    /// Whether its token came from the store.
    pub(crate) fn was_loaded(&self) -> bool {
        self.loaded.load(Ordering::Relaxed)
    }

    pub(crate) fn is_under_way(&self) -> bool {
        // An error says that the sender is gone.
        self.outcome.has_changed().is_ok() && self.outcome.borrow().is_none()
    }
}

/// Whether a token is valid now, and for as long as was asked.
#[inline]
fn lasts(token: &AccessToken, min_validity: Duration, now: Timestamp) -> bool {
    let left = token.expires_on() - now;
    left.is_positive() && left >= signed(min_validity)
}

/// Tokens closer to their expiry are replaced before they are returned.
const MARGIN: Duration = Duration::from_secs(300);
/// The pause after a failed early refresh, unless the service asks for a longer one.
const REST: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn at(seconds: i64) -> Timestamp {
        START + entra_core::time::Duration::seconds(seconds)
    }

    /// Wall clock and monotonic clock after so many seconds, if the wall clock is not set.
    fn after(seconds: i64) -> Moment {
        apart(seconds, seconds)
    }

    fn apart(wall: i64, monotonic: i64) -> Moment {
        static BEGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        let passed = Duration::from_secs(monotonic.unsigned_abs());
        Moment::new(at(wall), *BEGIN.get_or_init(Instant::now) + passed)
    }

    fn plan(state: &mut State, min_validity: u64, fresh: bool, now: i64) -> &'static str {
        plan_at(state, min_validity, fresh, after(now))
    }

    fn plan_at(state: &mut State, min_validity: u64, fresh: bool, now: Moment) -> &'static str {
        let freshness = Freshness {
            min_validity: Duration::from_secs(min_validity),
            must_be_new: fresh,
        };
        match state.plan(&freshness, now) {
            Plan::Serve(_) => "serve",
            Plan::ServeAndRefresh(_) => "refresh",
            Plan::Fetch { fallback: Some(_) } => "fetch or old",
            Plan::Fetch { fallback: None } => "fetch",
        }
    }

    fn entry(lifetime: i64, refresh_on: Option<i64>) -> Entry {
        let entry = Entry::new(0);
        let token = AccessToken::new("t", at(lifetime));
        let token = match refresh_on {
            Some(refresh_on) => token.with_refresh_on(at(refresh_on)),
            None => token,
        };
        entry.complete(1, Record::new(token, after(0)));
        entry
    }

    #[test]
    fn plan_depends_on_the_age_of_the_token_and_on_min_validity() {
        let entry = entry(3600, Some(1800));
        let mut state = entry.lock();
        let table = [
            (0, false, 0, "serve"),
            (0, false, 1799, "serve"),
            (0, false, 1800, "refresh"),
            (0, false, 3299, "refresh"),
            (0, false, 3300, "fetch or old"),
            (0, false, 3599, "fetch or old"),
            (0, false, 3600, "fetch"),
            (0, true, 0, "fetch"),
            (3600, false, 0, "serve"),
            (3601, false, 0, "fetch"),
            (10, false, 3590, "refresh"),
            (10, false, 3591, "fetch"),
        ];
        for (min_validity, fresh, now, expected) in table {
            assert_eq!(
                plan(&mut state, min_validity, fresh, now),
                expected,
                "{min_validity} {fresh} {now}"
            );
        }
    }

    #[test]
    fn a_short_token_is_used_for_half_of_its_life() {
        let entry = entry(60, None);
        let mut state = entry.lock();
        assert_eq!(plan(&mut state, 0, false, 29), "serve");
        assert_eq!(plan(&mut state, 0, false, 30), "fetch or old");
    }

    #[test]
    fn after_a_failed_refresh_the_token_is_served_until_the_pause_is_over() {
        let entry = entry(3600, Some(1800));
        let failed = Error::new(ErrorKind::Service, "down");
        assert!(entry.fail(2, &failed, after(1800).monotonic()));
        assert_eq!(plan(&mut entry.lock(), 0, false, 1829), "serve");
        assert_eq!(plan(&mut entry.lock(), 0, false, 1830), "refresh");
        let throttled = Error::new(ErrorKind::Throttled, "wait")
            .with(|inner| inner.retry_after = Some(Duration::from_secs(600)));
        entry.fail(3, &throttled, after(3000).monotonic());
        assert_eq!(plan(&mut entry.lock(), 0, false, 3599), "serve");
        assert_eq!(plan(&mut entry.lock(), 0, false, 3600), "fetch");
    }

    #[test]
    fn request_that_completes_late_does_not_overwrite_its_successor() {
        let entry = Entry::new(0);
        let record = |text: &str| Record::new(AccessToken::new(text, at(3600)), after(0));
        assert!(entry.complete(2, record("new")));
        let version = entry.version();
        assert!(!entry.complete(1, record("old")));
        assert_eq!(entry.version(), version);
        let state = entry.lock();
        assert_eq!(state.stored().unwrap().token().expose_secret(), "new");
    }

    #[test]
    fn a_token_expires_by_the_clock_that_is_ahead() {
        const DAY: i64 = 86_400;
        let (entry, state) = (entry(3600, None), |entry: &Entry| {
            let mut state = entry.lock();
            let table = [
                // Set back by a day, and a machine that was suspended for an hour.
                (apart(100 - DAY, 100), "serve"),
                (apart(3400 - DAY, 3400), "fetch or old"),
                (apart(3600 - DAY, 3600), "fetch"),
                (apart(3600, 10), "fetch"),
            ];
            for (now, expected) in table {
                assert_eq!(plan_at(&mut state, 0, false, now), expected, "{now:?}");
            }
        });
        state(&entry);
    }

    #[test]
    fn a_record_from_the_future_is_dropped_and_one_within_the_skew_counts_from_when_it_was_seen() {
        let stored = |obtained: i64| Record {
            token: AccessToken::new("t", at(obtained + 3600)),
            obtained: at(obtained),
            seen: None,
            last_sign_out: None,
        };
        let entry = Entry::new(0);
        entry.complete(1, stored(301));
        assert_eq!(plan(&mut entry.lock(), 0, false, 0), "fetch");
        assert!(entry.lock().stored().is_none());
        entry.complete(2, stored(300));
        assert_eq!(plan(&mut entry.lock(), 0, false, 0), "serve");
        let now = apart(0, 3900);
        assert_eq!(plan_at(&mut entry.lock(), 0, false, now), "fetch");
    }
}
