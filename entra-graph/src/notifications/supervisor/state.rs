//! What a supervisor must know after a restart.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The subscriptions of a [`Supervisor`](super::Supervisor), to be stored as whatever serde writes.
///
/// Without it a new process creates its subscriptions again and deletes the old ones. It is sensitive, because it has digests
/// of client states.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupervisorState {
    pub(super) version: u8,
    pub(super) subscriptions: Vec<StoredSubscription>,
}

/// A subscription at Graph. Times are in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredSubscription {
    pub(super) id: String,
    /// A digest of everything that it was created from.
    pub(super) fingerprint: String,
    pub(super) expires_on: i64,
    /// When its life began, by its creation or last renewal.
    pub(super) renewed_on: i64,
    /// The certificate that Graph has for it: its name, and a digest of it, since one can replace another of its name.
    #[serde(default)]
    pub(super) certificate: Option<String>,
}

impl SupervisorState {
    /// The ids of the subscriptions.
    pub fn subscription_ids(&self) -> impl Iterator<Item = &str> {
        self.subscriptions.iter().map(|stored| &*stored.id)
    }

    /// The subscriptions, unless another version of this crate wrote the state.
    pub(super) fn into_subscriptions(self) -> Vec<StoredSubscription> {
        match self.version {
            VERSION => self.subscriptions,
            _ => Vec::new(),
        }
    }

    pub(super) const fn of(subscriptions: Vec<StoredSubscription>) -> Self {
        Self {
            version: VERSION,
            subscriptions,
        }
    }
}

impl fmt::Debug for SupervisorState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.subscription_ids()).finish()
    }
}

const VERSION: u8 = 1;
