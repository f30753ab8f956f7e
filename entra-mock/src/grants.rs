//! What sign-in has handed out and must know again: codes, refresh tokens, device codes, sessions.

use std::collections::{HashMap, VecDeque};

use entra_core::Timestamp;

/// Everything that was handed out. Bounded, so that a server that runs for months stays small.
#[derive(Debug, Default)]
pub(crate) struct GrantStore {
    pub(crate) codes: Bounded<Code>,
    pub(crate) refresh_tokens: Bounded<RefreshToken>,
    pub(crate) devices: Bounded<DeviceRequest>,
    pub(crate) sessions: Bounded<Session>,
    pub(crate) flows: Bounded<Flow>,
    pub(crate) attempts: Bounded<Attempts>,
}

/// Who has signed in, and how well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) user_id: String,
    /// Whether a second factor was given.
    pub(crate) mfa: bool,
    pub(crate) auth_time: Timestamp,
    /// The user's sessions are numbered; revoking them begins a new number.
    pub(crate) generation: u64,
    /// The browser's session, which every application that takes part in it knows by this id.
    pub(crate) sid: String,
}

/// The scopes of one request, sorted out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) openid: bool,
    pub(crate) profile: bool,
    pub(crate) email: bool,
    pub(crate) offline_access: bool,
    /// In the order of their first mention; a token is for the first one.
    pub(crate) resources: Vec<AskedResource>,
}

/// What is asked of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AskedResource {
    pub(crate) identifier: String,
    /// The resource as the scopes spell it; none for Graph's scopes, which need no resource.
    pub(crate) prefix: Option<String>,
    pub(crate) names: Vec<String>,
    /// Whether everything granted is asked for.
    pub(crate) default: bool,
}

/// Under which platform an application has registered an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Platform {
    Web,
    /// A single-page application: no secret, but PKCE and a browser's `Origin`.
    Spa,
    /// A mobile or desktop application, which can keep no secret.
    Public,
}

/// An authorization code.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) platform: Platform,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) nonce: Option<String>,
    pub(crate) asked: Asked,
    pub(crate) subject: Subject,
    pub(crate) expires_on: Timestamp,
    /// Kept after use, so that a second use is told from an invention.
    pub(crate) redeemed: bool,
}

/// What the verifier of a code must fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) text: String,
    pub(crate) hashed: bool,
}

/// A refresh token.
#[derive(Clone, Debug)]
pub(crate) struct RefreshToken {
    pub(crate) client_id: String,
    pub(crate) asked: Asked,
    pub(crate) subject: Subject,
    /// Whether its client had no credential.
    pub(crate) public: bool,
    pub(crate) expires_on: Timestamp,
    /// Whether its end stays where it is when it is used: so for single-page applications.
    pub(crate) fixed_end: bool,
}

/// A sign-in that waits for a person on another device.
#[derive(Clone, Debug)]
pub(crate) struct DeviceRequest {
    pub(crate) user_code: String,
    pub(crate) client_id: String,
    pub(crate) asked: Asked,
    pub(crate) expires_on: Timestamp,
    pub(crate) last_poll: Option<Timestamp>,
    pub(crate) answer: DeviceAnswer,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DeviceAnswer {
    Pending,
    Approved(Subject),
    Declined,
    Redeemed,
}

/// A browser that knows one or more people.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) accounts: Vec<Account>,
    /// Whether it outlives the browser's windows.
    pub(crate) keep: bool,
    pub(crate) expires_on: Timestamp,
}

/// One person of a browser's session.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) subject: Subject,
    /// Client ids of the applications this person has gone on to.
    pub(crate) apps: Vec<String>,
}

/// A sign-in between two pages.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(crate) session: String,
    pub(crate) request: String,
    pub(crate) subject: Subject,
    pub(crate) expires_on: Timestamp,
}

/// Wrong passwords of one person, since the last right one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempts {
    pub(crate) failed: u32,
    /// Digests of the latest wrong ones: to repeat the same one counts once.
    pub(crate) latest: VecDeque<Vec<u8>>,
    pub(crate) locked_until: Option<Timestamp>,
}

/// A rule about sign-ins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) id: String,
    pub(crate) control: Control,
    /// Ids of people and groups; empty for everyone.
    pub(crate) people: Vec<String>,
    /// Client ids, of the application that signs in or of the one a token is for; empty for all.
    pub(crate) apps: Vec<String>,
}

/// What a rule demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    Block,
    SecondFactor,
}

/// A map that forgets its oldest entries.
#[derive(Debug)]
pub(crate) struct Bounded<V> {
    entries: HashMap<String, V>,
    order: VecDeque<String>,
}

impl<V> Bounded<V> {
    pub(crate) fn insert(&mut self, key: String, value: V) {
        if self.entries.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > CAPACITY {
            if let Some(oldest) = self.order.pop_front() {
                self.entries.remove(&oldest);
            }
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&V> {
        self.entries.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.entries.get_mut(key)
    }

    /// Takes an entry out; its place in the order is forgotten when its turn comes.
    pub(crate) fn remove(&mut self, key: &str) -> Option<V> {
        self.entries.remove(key)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.values()
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
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
