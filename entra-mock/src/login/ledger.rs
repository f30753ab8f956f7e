//! What sign-in has handed out and must know again: codes, refresh tokens, device codes, sessions.

use std::collections::{HashMap, VecDeque};

use entra_core::Timestamp;

use super::{redirect::Platform, scope::Asked};

/// Everything that was handed out. Bounded, so that a server that runs for months stays small.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(super) codes: Bounded<Code>,
    pub(super) refresh_tokens: Bounded<RefreshToken>,
    pub(super) devices: Bounded<DeviceRequest>,
    pub(super) sessions: Bounded<Session>,
    pub(super) flows: Bounded<Flow>,
    pub(super) attempts: Bounded<Attempts>,
}

/// Who has signed in, and how well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) user_id: String,
    /// Whether a second factor was given.
    pub(super) mfa: bool,
    pub(super) auth_time: Timestamp,
    /// The user's sessions are numbered; revoking them begins a new number.
    pub(super) generation: u64,
    /// The browser's session, which every application that takes part in it knows by this id.
    pub(super) sid: String,
}

/// An authorization code.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) platform: Platform,
    pub(super) challenge: Option<Challenge>,
    pub(super) nonce: Option<String>,
    pub(super) asked: Asked,
    pub(super) subject: Subject,
    pub(super) expires_on: Timestamp,
    /// Kept after use, so that a second use is told from an invention.
    pub(super) redeemed: bool,
}

/// What the verifier of a code must fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) text: String,
    pub(super) hashed: bool,
}

/// A refresh token.
#[derive(Clone, Debug)]
pub(super) struct RefreshToken {
    pub(super) client_id: String,
    pub(super) asked: Asked,
    pub(super) subject: Subject,
    /// Whether its client had no credential.
    pub(super) public: bool,
    pub(super) expires_on: Timestamp,
    /// Whether its end stays where it is when it is used: so for single-page applications.
    pub(super) fixed_end: bool,
}

/// A sign-in that waits for a person on another device.
#[derive(Clone, Debug)]
pub(super) struct DeviceRequest {
    pub(super) user_code: String,
    pub(super) client_id: String,
    pub(super) asked: Asked,
    pub(super) expires_on: Timestamp,
    pub(super) last_poll: Option<Timestamp>,
    pub(super) answer: DeviceAnswer,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DeviceAnswer {
    Pending,
    Approved(Subject),
    Declined,
    Redeemed,
}

/// A browser that knows one or more people.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) accounts: Vec<Account>,
    /// Whether it outlives the browser's windows.
    pub(super) keep: bool,
    pub(super) expires_on: Timestamp,
}

/// One person of a browser's session.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) subject: Subject,
    /// Client ids of the applications this person has gone on to.
    pub(super) apps: Vec<String>,
}

/// A sign-in between two pages.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub(super) session: String,
    pub(super) request: String,
    pub(super) subject: Subject,
    pub(super) expires_on: Timestamp,
}

/// Wrong passwords of one person, since the last right one.
#[derive(Clone, Debug, Default)]
pub(super) struct Attempts {
    pub(super) failed: u32,
    /// Digests of the latest wrong ones: to repeat the same one counts once.
    pub(super) latest: VecDeque<Vec<u8>>,
    pub(super) locked_until: Option<Timestamp>,
}

/// A map that forgets its oldest entries.
#[derive(Debug)]
pub(super) struct Bounded<V> {
    entries: HashMap<String, V>,
    order: VecDeque<String>,
}

impl<V> Bounded<V> {
    pub(super) fn insert(&mut self, key: String, value: V) {
        if self.entries.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > CAPACITY {
            if let Some(oldest) = self.order.pop_front() {
                self.entries.remove(&oldest);
            }
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&V> {
        self.entries.get(key)
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.entries.get_mut(key)
    }

    /// Takes an entry out; its place in the order is forgotten when its turn comes.
    pub(super) fn remove(&mut self, key: &str) -> Option<V> {
        self.entries.remove(key)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.values()
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.values_mut()
    }
}

impl<V> Default for Bounded<V> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

const CAPACITY: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entries_are_forgotten() {
        let mut map = Bounded::default();
        for number in 0..CAPACITY + 3 {
            map.insert(number.to_string(), number);
            map.insert(number.to_string(), number);
        }
        assert_eq!(map.entries.len(), CAPACITY);
        assert!(map.get("2").is_none() && map.get("3").is_some());
    }
}
