//! The rules of a supervisor, without input and output: what to do next, and what a result means.

use std::time::{Duration, Instant};

use super::state::StoredSubscription;

/// A subscription that the program requested.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// A digest of everything that a change of would need another subscription.
    pub(super) fingerprint: String,
    pub(super) resource: String,
    pub(super) change_types: String,
    pub(super) notification_url: String,
    /// The name of the certificate for resource data, and a digest of it.
    pub(super) certificate: Option<String>,
}

/// A subscription in a list of Graph.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) resource: String,
    pub(super) change_types: String,
    pub(super) notification_url: String,
    pub(super) expires_on: i64,
    /// Which of those wanted have the client state that Graph returned, if it returned one.
    pub(super) client_state_of: Vec<usize>,
}

/// What an [`Action`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// A wanted subscription, by its index.
    Wanted(usize),
    /// The list of subscriptions.
    List,
    /// A subscription that is deleted, by its id.
    Surplus(String),
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// List the subscriptions of the application.
    List,
    /// Create the wanted one with this index.
    Create(usize),
    /// Renew this one; with the certificate of the wanted one if that changed.
    Renew {
        wanted: usize,
        id: String,
        with_certificate: bool,
    },
    /// Delete this one, which no program wants.
    Delete { id: String },
    /// Nothing for this time.
    Wait(Duration),
}

impl Action {
    /// What it is about, for its failure.
    pub(super) fn subject(&self) -> Option<Subject> {
        match self {
            Self::Create(wanted) | Self::Renew { wanted, .. } => Some(Subject::Wanted(*wanted)),
            Self::List => Some(Subject::List),
            Self::Delete { id } => Some(Subject::Surplus(id.clone())),
            Self::Wait(_) => None,
        }
    }
}

/// What came of an action.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Listed(Vec<Listed>),
    /// A subscription was created or renewed.
    Active {
        id: String,
        expires_on: i64,
    },
    Deleted,
    /// Graph has no such subscription to renew or delete.
    NotFound,
    /// The request failed. It may have been processed if `is_uncertain`.
    Failed {
        retry_after: Option<Duration>,
        is_uncertain: bool,
    },
}

/// The time, on both clocks: expiries are on the wall clock, waits on the monotonic one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) wall: i64,
    pub(super) monotonic: Instant,
}

#[derive(Debug)]
pub(super) struct Machine {
    wanted: Vec<Wanted>,
    /// What is known of the subscription of each wanted one, in the same order.
    slots: Vec<Slot>,
    /// Subscriptions to delete.
    surplus: Vec<Surplus>,
    list: Backoff,
    /// Whether every subscription that was created is known.
    is_listed: bool,
    /// When the last list was read.
    listed: Option<Instant>,
    /// Whether changes may have been missed.
    has_gap: bool,
}

#[derive(Debug, Default)]
struct Slot {
    stored: Option<StoredSubscription>,
    backoff: Backoff,
    /// Whether it is to be renewed at once.
    is_due: bool,
    /// Whether changes may be missing once it is renewed.
    was_paused: bool,
    /// When this process created or renewed it.
    renewed: Option<Instant>,
}

#[derive(Debug)]
struct Surplus {
    id: String,
    is_expired: bool,
    backoff: Backoff,
}

#[derive(Clone, Copy, Debug, Default)]
struct Backoff {
    failures: u32,
    until: Option<Instant>,
}

impl Machine {
    pub(super) fn new(wanted: Vec<Wanted>, stored: Vec<StoredSubscription>) -> Self {
        let mut slots: Vec<Slot> = wanted.iter().map(|_| Slot::default()).collect();
        let mut surplus = Vec::new();
        for stored in stored {
            let free = wanted.iter().zip(&mut slots).find(|(wanted, slot)| {
                wanted.fingerprint == stored.fingerprint && slot.stored.is_none()
            });
            match free {
                Some((_, slot)) => slot.stored = Some(stored),
                None => surplus.push(Surplus::new(stored.id, false)),
            }
        }
        Self {
            wanted,
            slots,
            surplus,
            list: Backoff::default(),
            is_listed: false,
            listed: None,
            has_gap: false,
        }
    }

    pub(super) fn stored(&self) -> Vec<StoredSubscription> {
        let stored = self.slots.iter().filter_map(|slot| slot.stored.clone());
        stored.collect()
    }

    /// Whether changes may have been missed since the last call.
    pub(super) const fn take_gap(&mut self) -> bool {
        std::mem::replace(&mut self.has_gap, false)
    }

    pub(super) fn next(&mut self, now: Now) -> Action {
        self.drop_expired(now);
        if self.until_list(now).is_zero() && self.list.is_over(now) {
            return Action::List;
        }
        for (index, slot) in self.slots.iter().enumerate() {
            match &slot.stored {
                None if self.is_listed && slot.backoff.is_over(now) => {
                    return Action::Create(index);
                }
                Some(stored) if self.renews(index, now) && slot.backoff.is_over(now) => {
                    return Action::Renew {
                        wanted: index,
                        id: stored.id.clone(),
                        with_certificate: stored.certificate != self.wanted[index].certificate,
                    };
                }
                _ => {}
            }
        }
        // A replacement comes first, so that no change is missed; unless it fails, such as for a quota that these use up.
        let is_covered = self
            .slots
            .iter()
            .all(|slot| slot.stored.is_some() || slot.backoff.failures > 0);
        let deletable = self.surplus.iter().find(|surplus| {
            (surplus.is_expired || self.is_listed && is_covered) && surplus.backoff.is_over(now)
        });
        match deletable {
            Some(surplus) => Action::Delete {
                id: surplus.id.clone(),
            },
            None => Action::Wait(self.wait(now)),
        }
    }

    /// Takes the result of an action that [`next`](Self::next) returned.
    pub(super) fn complete(&mut self, action: &Action, outcome: Outcome, now: Now) {
        match (action, outcome) {
            (Action::List, Outcome::Listed(listed)) => self.take_list(listed, now),
            (Action::List, Outcome::Failed { retry_after, .. }) => self.list.fail(now, retry_after),
            // Taken as active it would expire at once, and be created again without a pause.
            (Action::Create(_) | Action::Renew { .. }, Outcome::Active { expires_on, .. })
                if expires_on <= now.wall =>
            {
                self.complete(
                    action,
                    Outcome::Failed {
                        retry_after: None,
                        is_uncertain: true,
                    },
                    now,
                );
            }
            (Action::Create(index), Outcome::Active { id, expires_on }) => {
                // Changes without a subscription were not reported.
                self.has_gap = true;
                self.activate(*index, id, expires_on, now);
            }
            (
                Action::Create(index),
                Outcome::Failed {
                    retry_after,
                    is_uncertain,
                },
            ) => {
                self.slots[*index].backoff.fail(now, retry_after);
                if is_uncertain {
                    // It may be there: the list tells.
                    self.is_listed = false;
                }
            }
            (Action::Renew { wanted, .. }, Outcome::Active { id, expires_on }) => {
                self.has_gap |= self.slots[*wanted].was_paused;
                self.activate(*wanted, id, expires_on, now);
            }
            (Action::Renew { wanted, .. }, Outcome::NotFound) => {
                self.slots[*wanted] = Slot::default();
                self.has_gap = true;
            }
            (Action::Renew { wanted, .. }, Outcome::Failed { retry_after, .. }) => {
                self.slots[*wanted].backoff.fail(now, retry_after);
            }
            (Action::Delete { id }, Outcome::Failed { retry_after, .. }) => {
                let surplus = self.surplus.iter_mut().find(|surplus| surplus.id == *id);
                if let Some(surplus) = surplus {
                    surplus.backoff.fail(now, retry_after);
                }
            }
            (Action::Delete { id }, _) => self.surplus.retain(|surplus| surplus.id != *id),
            _ => {}
        }
    }

    /// Graph wants this subscription renewed. `expires_on` is what the event says of it.
    pub(super) fn reauthorization_required(&mut self, id: &str, expires_on: Option<i64>, now: Now) {
        let Some(slot) = self.slot_of(id) else { return };
        let Some(stored) = &slot.stored else { return };
        // An event that knows an earlier expiry was sent before the last renewal.
        let is_old = expires_on.is_some_and(|expires| expires < stored.expires_on);
        // For short subscriptions Graph sends it every few minutes, also after a renewal.
        let life = u64::try_from(stored.expires_on - stored.renewed_on).unwrap_or_default();
        let quiet = QUIET.min(Duration::from_secs(life / 10));
        let is_recent = slot
            .renewed
            .is_some_and(|renewed| now.monotonic.saturating_duration_since(renewed) < quiet);
        if !is_old && !is_recent {
            slot.is_due = true;
            slot.was_paused = true;
        }
    }

    /// Graph removed this subscription.
    pub(super) fn removed(&mut self, id: &str) {
        if let Some(slot) = self.slot_of(id) {
            *slot = Slot::default();
            self.has_gap = true;
        }
    }

    /// Graph lost notifications of this subscription.
    pub(super) fn missed(&mut self, id: &str) {
        self.has_gap |= self.slot_of(id).is_some();
    }

    fn slot_of(&mut self, id: &str) -> Option<&mut Slot> {
        self.slots.iter_mut().find(|slot| {
            let stored = slot.stored.as_ref();
            stored.is_some_and(|stored| stored.id.eq_ignore_ascii_case(id))
        })
    }

    fn activate(&mut self, index: usize, id: String, expires_on: i64, now: Now) {
        let wanted = &self.wanted[index];
        self.slots[index] = Slot {
            stored: Some(StoredSubscription {
                id,
                fingerprint: wanted.fingerprint.clone(),
                expires_on,
                renewed_on: now.wall,
                certificate: wanted.certificate.clone(),
            }),
            renewed: Some(now.monotonic),
            ..Slot::default()
        };
    }

    /// Compares what Graph lists with what is known. What is missing in the list may be active all the same.
    fn take_list(&mut self, listed: Vec<Listed>, now: Now) {
        // What a later list has beyond the known ones came from elsewhere, such as the next process of a deployment.
        let takes_over = !self.is_listed;
        self.is_listed = true;
        self.listed = Some(now.monotonic);
        self.list = Backoff::default();
        let ids: Vec<&str> = listed.iter().map(|listed| &*listed.id).collect();
        for slot in &mut self.slots {
            // One that is new may not be listed yet.
            let is_recent = slot
                .renewed
                .is_some_and(|renewed| now.monotonic.saturating_duration_since(renewed) < QUIET);
            if let Some(stored) = &slot.stored
                && !is_recent
                && !ids.contains(&&*stored.id)
            {
                // Its renewal tells whether it is still there.
                slot.is_due = true;
            }
        }
        for surplus in &mut self.surplus {
            let found = listed.iter().find(|listed| listed.id == surplus.id);
            surplus.is_expired = found.is_some_and(|listed| listed.expires_on <= now.wall);
        }
        for listed in listed {
            let is_known = self.slot_of(&listed.id).is_some()
                || self.surplus.iter().any(|surplus| surplus.id == listed.id);
            let is_own = self
                .wanted
                .iter()
                .any(|wanted| wanted.notification_url == listed.notification_url);
            if is_known || !is_own {
                continue;
            }
            let is_expired = listed.expires_on <= now.wall;
            match self.adopter(&listed) {
                Some(index) if !is_expired => {
                    self.has_gap = true;
                    self.activate(index, listed.id, listed.expires_on, now);
                    // Which certificate Graph has for it is unknown, and so is when it was renewed.
                    self.slots[index].is_due = true;
                    if let Some(stored) = &mut self.slots[index].stored {
                        stored.certificate = None;
                    }
                }
                _ if takes_over || is_expired => {
                    self.surplus.push(Surplus::new(listed.id, is_expired));
                }
                _ => {}
            }
        }
    }

    /// The wanted subscription that a listed one is, if its notifications would be accepted.
    fn adopter(&self, listed: &Listed) -> Option<usize> {
        (0..self.wanted.len()).find(|index| {
            let wanted = &self.wanted[*index];
            self.slots[*index].stored.is_none()
                && wanted.resource == listed.resource
                && wanted.change_types == listed.change_types
                && wanted.notification_url == listed.notification_url
                && wanted.certificate.is_none()
                && listed.client_state_of.contains(index)
        })
    }

    /// A subscription that expired is gone, and with it what changed since.
    fn drop_expired(&mut self, now: Now) {
        for slot in &mut self.slots {
            let Some(stored) = &slot.stored else { continue };
            if stored.expires_on <= now.wall {
                let (id, backoff) = (stored.id.clone(), slot.backoff);
                self.surplus.push(Surplus::new(id, true));
                *slot = Slot {
                    backoff,
                    ..Slot::default()
                };
                self.has_gap = true;
            }
        }
    }

    fn renews(&self, index: usize, now: Now) -> bool {
        let slot = &self.slots[index];
        let Some(stored) = &slot.stored else {
            return false;
        };
        slot.is_due
            || stored.certificate != self.wanted[index].certificate
            || now.wall >= stored.renewal_time()
            // The clock was set back: what it said of the renewal means nothing.
            || now.wall < stored.renewed_on - CLOCK_SKEW
    }

    /// How long the last list is enough for. A subscription can end without an event.
    fn until_list(&self, now: Now) -> Duration {
        match self.listed.filter(|_| self.is_listed) {
            Some(listed) => {
                LIST_AGAIN.saturating_sub(now.monotonic.saturating_duration_since(listed))
            }
            None => Duration::ZERO,
        }
    }

    fn wait(&self, now: Now) -> Duration {
        let mut wait = LONGEST_WAIT;
        let mut at_most = |other: Duration| wait = wait.min(other);
        at_most(self.until_list(now).max(self.list.left(now)));
        for (index, slot) in self.slots.iter().enumerate() {
            match &slot.stored {
                Some(stored) => {
                    let expires = seconds_until(stored.expires_on, now);
                    let due = match self.renews(index, now) {
                        true => slot.backoff.left(now),
                        false => seconds_until(stored.renewal_time(), now),
                    };
                    at_most(due.min(expires));
                }
                None if self.is_listed => at_most(slot.backoff.left(now)),
                None => {}
            }
        }
        for surplus in &self.surplus {
            at_most(surplus.backoff.left(now).max(SHORTEST_BACKOFF));
        }
        wait.max(Duration::from_secs(1))
    }
}

impl StoredSubscription {
    /// Two thirds of its life.
    fn renewal_time(&self) -> i64 {
        self.renewed_on + (self.expires_on - self.renewed_on).max(0) * 2 / 3
    }
}

impl Surplus {
    fn new(id: String, is_expired: bool) -> Self {
        Self {
            id,
            is_expired,
            backoff: Backoff::default(),
        }
    }
}

impl Backoff {
    fn is_over(&self, now: Now) -> bool {
        self.until.is_none_or(|until| now.monotonic >= until)
    }

    fn left(&self, now: Now) -> Duration {
        self.until.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(now.monotonic)
        })
    }

    fn fail(&mut self, now: Now, retry_after: Option<Duration>) {
        let wait = SHORTEST_BACKOFF
            .saturating_mul(1 << self.failures.min(10))
            .min(LONGEST_BACKOFF)
            .max(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER));
        self.failures = self.failures.saturating_add(1);
        self.until = now.monotonic.checked_add(wait);
    }
}

fn seconds_until(time: i64, now: Now) -> Duration {
    Duration::from_secs(u64::try_from(time - now.wall).unwrap_or_default())
}

/// Waits after failures: 30 seconds, doubled each time.
const SHORTEST_BACKOFF: Duration = Duration::from_secs(30);
const LONGEST_BACKOFF: Duration = Duration::from_secs(3600);
/// The longest wait that a response can ask for: with a longer one, subscriptions would expire meanwhile.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);
/// After this time it looks again at the wall clock, which can be set.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// After this time it looks again which subscriptions Graph lists.
pub(super) const LIST_AGAIN: Duration = Duration::from_secs(6 * 3600);
/// For this time after a renewal, requests to reauthorize mean nothing new.
const QUIET: Duration = Duration::from_secs(600);
/// By how many seconds the wall clock may go back without meaning.
const CLOCK_SKEW: i64 = 300;
