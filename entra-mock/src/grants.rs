//! What the sign-in side has issued and must recognize: codes, refresh tokens, device codes,
//! sessions.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::Duration,
};

use entra_core::Timestamp;
use serde::{Deserialize, Serialize};

/// Everything that was issued. Bounded, so that a server that runs for months stays small.
#[derive(Clone, Debug, Default)]
pub(crate) struct GrantStore {
    pub(crate) codes: BoundedMap<Code>,
    pub(crate) refresh_tokens: BoundedMap<RefreshToken>,
    pub(crate) devices: BoundedMap<DeviceRequest>,
    pub(crate) sessions: BoundedMap<Session>,
    pub(crate) flows: BoundedMap<Flow>,
    pub(crate) attempts: BoundedMap<Attempts>,
}

/// A user who has signed in, and how.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Subject {
    pub(crate) user_id: String,
    /// Whether the user has passed multifactor authentication.
    pub(crate) mfa: bool,
    pub(crate) auth_time: Timestamp,
    /// The number of times the user's sessions had been revoked at this sign-in.
    pub(crate) generation: u64,
    /// The session id (`sid`), the same for every application of the browser session.
    pub(crate) sid: String,
}

/// The scopes of one request, parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct RequestedScopes {
    pub(crate) openid: bool,
    pub(crate) profile: bool,
    pub(crate) email: bool,
    pub(crate) offline_access: bool,
    /// In order of appearance. An access token is for the first one.
    pub(crate) resources: Vec<RequestedResource>,
}

/// The scopes requested of one resource.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct RequestedResource {
    pub(crate) identifier: String,
    /// The resource as the scopes spell it. `None` for Graph's scopes without a resource.
    pub(crate) prefix: Option<String>,
    pub(crate) names: Vec<String>,
    /// Whether `.default` is requested.
    pub(crate) default: bool,
}

/// The platform under which an application has registered a redirect URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Platform {
    Web,
    /// A single-page application: no secret, but PKCE and the `Origin` header of a browser.
    Spa,
    /// A mobile or desktop application, which cannot keep a secret.
    Public,
}

/// An authorization code.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Code {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) platform: Platform,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) nonce: Option<String>,
    pub(crate) requested: RequestedScopes,
    pub(crate) subject: Subject,
    pub(crate) expires_on: Timestamp,
    /// Stays after redemption, so that a second use is distinguished from an unknown code.
    pub(crate) redeemed: bool,
}

/// The PKCE challenge of a code.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Challenge {
    pub(crate) text: String,
    pub(crate) hashed: bool,
}

/// A refresh token.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct RefreshToken {
    pub(crate) client_id: String,
    pub(crate) requested: RequestedScopes,
    pub(crate) subject: Subject,
    /// Whether its client had no credential.
    pub(crate) public: bool,
    pub(crate) expires_on: Timestamp,
    /// Whether its expiry does not move with use, as for single-page applications.
    pub(crate) fixed_end: bool,
}

/// A device authorization that waits for the user.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct DeviceRequest {
    pub(crate) device_code: String,
    pub(crate) user_code: String,
    pub(crate) client_id: String,
    pub(crate) requested: RequestedScopes,
    pub(crate) expires_on: Timestamp,
    pub(crate) last_poll: Option<Timestamp>,
    pub(crate) decision: DeviceDecision,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum DeviceDecision {
    Pending,
    Approved(Subject),
    Declined,
    Redeemed,
}

/// The sessions of one browser.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Session {
    pub(crate) accounts: Vec<Account>,
    /// Whether the session outlives the browser windows.
    pub(crate) keep: bool,
    pub(crate) expires_on: Timestamp,
}

/// One signed-in user of a browser session.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Account {
    pub(crate) subject: Subject,
    /// Client ids of the applications that this user has signed in to.
    pub(crate) apps: Vec<String>,
}

/// A sign-in between two pages.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Flow {
    pub(crate) session: String,
    pub(crate) request: String,
    pub(crate) subject: Subject,
    pub(crate) expires_on: Timestamp,
}

/// Failed sign-ins of one user since the last successful one.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Attempts {
    pub(crate) failed: u32,
    /// Digests of the latest wrong passwords: repeating the same one counts once.
    pub(crate) latest: VecDeque<Vec<u8>>,
    pub(crate) locked_until: Option<Timestamp>,
}

/// A conditional access policy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Policy {
    pub(crate) id: String,
    pub(crate) control: Control,
    /// Object ids of users, groups and service principals, and template ids of roles. Empty for all users.
    pub(crate) principals: Vec<String>,
    /// Client ids of the signing-in application or of the resource. Empty for all.
    pub(crate) apps: Vec<String>,
    /// Those of `principals` and of `apps` to which the policy does not apply.
    #[serde(default)]
    pub(crate) excluded_principals: Vec<String>,
    #[serde(default)]
    pub(crate) excluded_apps: Vec<String>,
}

/// What a policy requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Control {
    Block,
    SecondFactor,
    CompliantDevice,
    HybridJoinedDevice,
    ApprovedApplication,
    TokenProtection,
    PasswordChange,
    /// A control of another provider.
    Custom,
    /// A sign-in that is at most this old.
    Frequency(Duration),
}

/// A map that evicts its oldest entries.
#[derive(Clone, Debug)]
pub(crate) struct BoundedMap<V> {
    /// The values, each with its place in `order`.
    entries: HashMap<String, (u64, V)>,
    /// The keys of exactly the entries, the oldest first.
    order: BTreeMap<u64, String>,
    /// The place of the next new entry.
    next: u64,
    /// The keys of entries that have changed since they were last stored in a file, if the tenant is kept in one.
    touched: Option<BTreeSet<String>>,
}

impl<V> BoundedMap<V> {
    pub(crate) fn insert(&mut self, key: String, value: V) {
        self.touch(&key);
        if let Some((_, known)) = self.entries.get_mut(&key) {
            *known = value;
            return;
        }
        self.order.insert(self.next, key.clone());
        self.entries.insert(key, (self.next, value));
        self.next += 1;
        while self.order.len() > CAPACITY {
            if let Some((_, oldest)) = self.order.pop_first() {
                self.touch(&oldest);
                self.entries.remove(&oldest);
            }
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.touch(key);
        self.entries.get_mut(key).map(|(_, value)| value)
    }

    /// Removes an entry and its place: an entry that is inserted again is the newest one.
    pub(crate) fn remove(&mut self, key: &str) -> Option<V> {
        self.touch(key);
        let (place, value) = self.entries.remove(key)?;
        self.order.remove(&place);
        Some(value)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.values().map(|(_, value)| value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        if let Some(touched) = &mut self.touched {
            touched.extend(self.entries.keys().cloned());
        }
        self.entries.values_mut().map(|(_, value)| value)
    }

    fn touch(&mut self, key: &str) {
        if let Some(touched) = &mut self.touched {
            touched.insert(key.to_owned());
        }
    }
}

/// Entries as JSON; one that is `None` no longer exists.
#[cfg(feature = "server")]
pub(crate) type StoredEntries = Vec<(String, Option<serde_json::Value>)>;

#[cfg(feature = "server")]
impl<V: Serialize + for<'a> Deserialize<'a>> BoundedMap<V> {
    /// Returns all entries, the oldest first, and tracks changes from now on.
    pub(crate) fn store_all(&mut self) -> StoredEntries {
        self.touched = Some(BTreeSet::new());
        let keys = self.order.values().cloned();
        keys.filter_map(|key| {
            let value = self.stored(&key)?;
            Some((key, Some(value)))
        })
        .collect()
    }

    /// Returns the entries that have changed since the last call of this function or of
    /// [`store_all`](Self::store_all).
    pub(crate) fn store_changes(&mut self) -> StoredEntries {
        let touched = self.touched.replace(BTreeSet::new()).unwrap_or_default();
        let keys = touched.into_iter();
        keys.map(|key| (key.clone(), self.stored(&key))).collect()
    }

    /// Adds stored entries. Returns `None` if one cannot be read.
    pub(crate) fn load(&mut self, entries: StoredEntries) -> Option<()> {
        for (key, value) in entries {
            self.insert(key, serde_json::from_value(value?).ok()?);
        }
        Some(())
    }

    fn stored(&self, key: &str) -> Option<serde_json::Value> {
        serde_json::to_value(self.get(key)?).ok()
    }
}

impl<V> Default for BoundedMap<V> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            order: BTreeMap::new(),
            next: 0,
            touched: None,
        }
    }
}

const CAPACITY: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entries_are_evicted() {
        let mut map = BoundedMap::default();
        for number in 0..CAPACITY + 3 {
            map.insert(number.to_string(), number);
            map.insert(number.to_string(), number);
        }
        assert_eq!(map.entries.len(), CAPACITY);
        assert!(map.get("2").is_none() && map.get("3").is_some());
    }

    #[test]
    fn an_entry_that_is_removed_and_inserted_again_is_the_newest() {
        let mut map = BoundedMap::default();
        map.insert("kept".to_owned(), 0);
        for number in 0..CAPACITY + 3 {
            let earlier = map.remove("counted").unwrap_or(0);
            assert_eq!(earlier, number);
            map.insert("counted".to_owned(), earlier + 1);
        }
        assert_eq!(map.get("kept"), Some(&0));
        assert_eq!((map.entries.len(), map.order.len()), (2, 2));

        // Removed entries do not count: only one that is there is evicted.
        for number in 0..CAPACITY - 1 {
            map.insert(number.to_string(), number);
        }
        assert!(map.get("kept").is_none() && map.get("counted").is_some());
        assert_eq!((map.entries.len(), map.order.len()), (CAPACITY, CAPACITY));
    }
}
