use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use entra_core::{AccessToken, Timestamp};
use tokio::{runtime, sync::watch};

use crate::{Error, store::Record, token_endpoint::Effort};

/// What one key has: a token, perhaps a flight that fetches one, and when to try again.
///
/// The lock is held for a look or a store, never while something is awaited.
#[derive(Debug)]
pub(crate) struct Entry {
    state: Mutex<State>,
    /// Changes with the token; what was copied under another version must not be used.
    version: AtomicU64,
    used: AtomicU64,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    token: Option<Stored>,
    pub(crate) flight: Option<Flight>,
    /// After a failed early refresh: not before this.
    rest_until: Option<Timestamp>,
    /// No longer in the map; whoever finds it looks the key up again.
    pub(crate) detached: bool,
    /// Its partition was forgotten, so what a flight still brings must be kept nowhere.
    forgotten: bool,
    flights: u64,
}

/// A token and the moments that matter.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) token: AccessToken,
    /// From here on a caller waits for a new token unless it asked for less.
    stale_at: Timestamp,
    obtained: Timestamp,
    flight: u64,
}

/// A request for a token that is under way, whoever of its callers is still there.
#[derive(Clone, Debug)]
pub(crate) struct Flight {
    pub(crate) number: u64,
    pub(crate) effort: Effort,
    /// The runtime that drives it; none when a caller does so itself.
    pub(crate) home: Option<runtime::Id>,
    /// Set before it lands: its token came from the store, made for whoever asked then.
    pub(crate) loaded: Arc<AtomicBool>,
    pub(crate) landed: watch::Receiver<Option<Outcome>>,
}

/// What a flight came to, shared by all that wait for it.
pub(crate) type Outcome = Result<AccessToken, Error>;

/// What a caller needs of a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Want {
    pub(crate) min_validity: Duration,
    /// No token from before this request will do.
    pub(crate) fresh: bool,
}

/// What to do for a caller.
#[derive(Debug)]
pub(crate) enum Plan {
    /// Give this token.
    Serve(AccessToken),
    /// Give this token and replace it in the background.
    ServeAndRefresh(AccessToken),
    /// Fetch one; if that fails, this one still is valid.
    Fetch { fallback: Option<AccessToken> },
}

impl Entry {
    pub(crate) fn new(tick: u64) -> Self {
        Self {
            state: Mutex::default(),
            version: AtomicU64::new(0),
            used: AtomicU64::new(tick),
        }
    }

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

    /// Stores what a flight came to. Whether the entry has a token now.
    pub(crate) fn land(&self, number: u64, outcome: &Outcome, now: Timestamp) -> bool {
        let mut state = self.lock();
        state.end(number);
        match outcome {
            // A flight that was given up as stuck may land after its successor.
            Ok(token) if state.token.as_ref().is_none_or(|held| held.flight < number) => {
                state.token = Some(Stored::new(token.clone(), number, now));
                state.rest_until = None;
                self.version.fetch_add(1, Ordering::Release);
            }
            Ok(_) => {}
            Err(error) => {
                let rest = error
                    .retry_after()
                    .unwrap_or_default()
                    .clamp(REST, LONGEST_REST);
                state.rest_until = Some(now.saturating_add(signed(rest)));
            }
        }
        state.token.is_some()
    }

    /// No longer counts on a flight; should it land all the same, its token is kept if none is newer.
    pub(crate) fn give_up(&self, number: u64) {
        self.lock().end(number);
    }

    /// Marks the entry as out of the map, and all copies of its token as void.
    pub(crate) fn detach(&self) {
        self.lock().detached = true;
        self.version.fetch_add(1, Ordering::Release);
    }

    /// As [`detach`](Self::detach), and what a flight still brings is not to be kept.
    pub(crate) fn forget(&self) {
        self.lock().forgotten = true;
        self.detach();
    }

    pub(crate) fn is_forgotten(&self) -> bool {
        self.lock().forgotten
    }

    /// Detaches unless a flight is under way.
    pub(crate) fn detach_if_landed(&self) -> bool {
        self.detach_if(|state| !state.in_flight())
    }

    /// Detaches unless there is a token or a flight.
    pub(crate) fn detach_if_empty(&self) -> bool {
        self.detach_if(|state| state.token.is_none() && !state.in_flight())
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
    pub(crate) fn plan(&self, want: &Want, now: Timestamp) -> Plan {
        match &self.token {
            Some(stored) => {
                let resting = self.rest_until.is_some_and(|until| now < until);
                stored.plan(want, now, resting)
            }
            None => Plan::Fetch { fallback: None },
        }
    }

    /// The flight under way; one whose driver is gone does not count.
    pub(crate) fn active(&self) -> Option<&Flight> {
        self.flight.as_ref().filter(|flight| flight.is_under_way())
    }

    pub(crate) fn in_flight(&self) -> bool {
        self.active().is_some()
    }

    fn end(&mut self, number: u64) {
        self.flight.take_if(|flight| flight.number == number);
    }

    pub(crate) fn next_number(&mut self) -> u64 {
        self.flights += 1;
        self.flights
    }

    /// The token as a store would keep it.
    pub(crate) fn record(&self) -> Option<Record> {
        let stored = self.token.as_ref()?;
        Some(Record {
            token: stored.token.clone(),
            obtained: stored.obtained,
        })
    }

    /// The token with its moments.
    pub(crate) fn stored(&self) -> Option<&Stored> {
        self.token.as_ref()
    }
}

impl Stored {
    fn new(token: AccessToken, flight: u64, now: Timestamp) -> Self {
        let lifetime = token.expires_on() - now;
        // A token that lives for minutes only must not count as stale from its first second.
        let margin = (lifetime / 2_i32).min(signed(MARGIN));
        Self {
            stale_at: token.expires_on().saturating_sub(margin),
            obtained: now,
            flight,
            token,
        }
    }

    /// Until when a caller with no wishes of its own can have this token without a second thought.
    pub(crate) fn settled_until(&self) -> Timestamp {
        match self.token.refresh_on() {
            Some(refresh_on) => refresh_on.min(self.stale_at),
            None => self.stale_at,
        }
    }

    pub(crate) fn is_settled(&self, now: Timestamp) -> bool {
        now < self.settled_until()
    }

    fn plan(&self, want: &Want, now: Timestamp, resting: bool) -> Plan {
        let token = || self.token.clone();
        if want.fresh || !lasts(&self.token, want.min_validity, now) {
            return Plan::Fetch { fallback: None };
        }
        if want.min_validity.is_zero() && now >= self.stale_at {
            return match resting {
                true => Plan::Serve(token()),
                false => Plan::Fetch {
                    fallback: Some(token()),
                },
            };
        }
        match self.token.refresh_on() {
            Some(refresh_on) if now >= refresh_on && !resting => Plan::ServeAndRefresh(token()),
            _ => Plan::Serve(token()),
        }
    }
}

impl Want {
    /// Of a caller with no wishes.
    pub(crate) const ANY: Self = Self {
        min_validity: Duration::ZERO,
        fresh: false,
    };

    /// Whether a token from the store will do.
    pub(crate) fn is_met_by(&self, token: &AccessToken, now: Timestamp) -> bool {
        !self.fresh && lasts(token, self.min_validity, now)
    }

    /// Whether a token from the store makes a request unnecessary.
    pub(crate) fn settled_by(&self, record: &Record, now: Timestamp) -> bool {
        let stored = Stored::new(record.token.clone(), 0, record.obtained);
        matches!(stored.plan(self, now, false), Plan::Serve(_))
    }
}

impl Flight {
    /// Whether its token came from the store.
    pub(crate) fn was_loaded(&self) -> bool {
        self.loaded.load(Ordering::Relaxed)
    }

    pub(crate) fn is_under_way(&self) -> bool {
        // An error says that the sender is gone.
        self.landed.has_changed().is_ok() && self.landed.borrow().is_none()
    }
}

/// Whether a token is valid now, and for as long as was asked.
fn lasts(token: &AccessToken, min_validity: Duration, now: Timestamp) -> bool {
    let left = token.expires_on() - now;
    left.is_positive() && left >= signed(min_validity)
}

fn signed(duration: Duration) -> entra_core::time::Duration {
    duration
        .try_into()
        .unwrap_or(entra_core::time::Duration::MAX)
}

/// A token with less than this left is not handed out if another can be had.
const MARGIN: Duration = Duration::from_secs(300);
/// How long a failed early refresh is not repeated, unless the service asks for longer.
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

    fn plan(state: &State, min_validity: u64, fresh: bool, now: i64) -> &'static str {
        let want = Want {
            min_validity: Duration::from_secs(min_validity),
            fresh,
        };
        match state.plan(&want, at(now)) {
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
        assert!(entry.land(1, &Ok(token), START));
        entry
    }

    #[test]
    fn what_to_do_with_a_token_depends_on_its_age_and_on_the_wish() {
        let entry = entry(3600, Some(1800));
        let state = entry.lock();
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
                plan(&state, min_validity, fresh, now),
                expected,
                "{min_validity} {fresh} {now}"
            );
        }
    }

    #[test]
    fn a_short_token_is_used_for_half_of_its_life() {
        let entry = entry(60, None);
        let state = entry.lock();
        assert_eq!(plan(&state, 0, false, 29), "serve");
        assert_eq!(plan(&state, 0, false, 30), "fetch or old");
    }

    #[test]
    fn after_a_failed_refresh_the_token_is_served_until_the_rest_is_over() {
        let entry = entry(3600, Some(1800));
        let failed = Err(Error::new(ErrorKind::Service, "down"));
        entry.land(2, &failed, at(1800));
        assert_eq!(plan(&entry.lock(), 0, false, 1829), "serve");
        assert_eq!(plan(&entry.lock(), 0, false, 1830), "refresh");
        let throttled = Err(Error::new(ErrorKind::Throttled, "wait")
            .with(|inner| inner.retry_after = Some(Duration::from_secs(600))));
        entry.land(3, &throttled, at(3000));
        assert_eq!(plan(&entry.lock(), 0, false, 3599), "serve");
        assert_eq!(plan(&entry.lock(), 0, false, 3600), "fetch");
    }

    #[test]
    fn a_flight_that_lands_late_does_not_overwrite_its_successor() {
        let entry = Entry::new(0);
        entry.land(2, &Ok(AccessToken::new("new", at(3600))), START);
        let version = entry.version();
        entry.land(1, &Ok(AccessToken::new("old", at(3600))), START);
        assert_eq!(entry.version(), version);
        assert_eq!(entry.lock().stored().unwrap().token.expose_secret(), "new");
    }
}
