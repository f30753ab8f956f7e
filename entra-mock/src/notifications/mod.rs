//! Subscriptions to change notifications, and the notifications in the queue.

mod encryption;
mod endpoint;
mod options;
mod resource;

use std::collections::VecDeque;

use entra_core::Timestamp;
use serde_json::Value;

pub use options::NotificationOptions;
pub(crate) use {
    encryption::EncryptionCertificate,
    endpoint::{DeliveryState, Endpoints},
    resource::{Collection, NotSubscribable, SubscribedResource},
};

/// The notifications of one tenant that were not accepted yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notifications {
    pub(crate) options: NotificationOptions,
    /// Whether a server sends notifications only when it is asked to.
    #[cfg(feature = "server")]
    pub(crate) on_request: bool,
    /// The number of the first change that was not looked at.
    pub(crate) cursor: u64,
    /// How many notifications of changes there were.
    pub(crate) counted: u64,
    pub(crate) next_number: u64,
    pub(crate) queue: VecDeque<Pending>,
    pub(crate) endpoints: Endpoints,
}

/// One notification in the queue.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) number: u64,
    pub(crate) subscription: String,
    pub(crate) url: String,
    pub(crate) item: Value,
    /// Base and audience of the validation token.
    pub(crate) token: Option<(String, String)>,
    pub(crate) due: Timestamp,
    pub(crate) first_attempt: Option<Timestamp>,
    /// Whether a slow host has delayed it.
    pub(crate) delayed: bool,
    /// A lifecycle notification outlives its subscription.
    pub(crate) lifecycle: bool,
}

/// What a delivery of the due notifications did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryReport {
    /// Notifications that receivers accepted.
    pub delivered: usize,
    /// Notifications that were not accepted, and are sent again ten minutes later.
    pub failed: usize,
    /// Notifications that will not be sent: after four hours of attempts, to a slow receiver, or by
    /// [`NotificationOptions::dropped_every`].
    pub dropped: usize,
    /// When the next notification is due on the tenant's clock, as far as known.
    pub next: Option<Timestamp>,
}

/// Internal properties of a stored subscription.
pub(crate) mod internal {
    /// When it was last created, renewed or reauthorized, in ticks.
    pub(crate) const AUTHORIZED: &str = "~authorized";
    /// Scheme and host of the request that created it.
    pub(crate) const BASE: &str = "~base";
    /// The certificate for the content, which no response shows.
    pub(crate) const CERTIFICATE: &str = "~certificate";
    /// The time of the last `reauthorizationRequired` without a reaction, in ticks.
    pub(crate) const CHALLENGED: &str = "~challenged";
    /// The client state, which only the response to the creation shows.
    pub(crate) const CLIENT_STATE: &str = "~clientState";
    /// Whether no notifications are sent until it is reauthorized.
    pub(crate) const PAUSED: &str = "~paused";
    /// The resource with the object's id.
    pub(crate) const RESOURCE: &str = "~resource";
    /// The number of the first change that it is notified of.
    pub(crate) const SINCE: &str = "~since";
    /// The user who created it, for delegated permissions.
    pub(crate) const USER: &str = "~user";
}

/// Parses the property `changeType`, a list with commas; `None` if it is invalid.
pub(crate) fn change_types(text: &str) -> Option<Vec<String>> {
    text.split(',')
        .map(|name| {
            let name = name.trim().to_ascii_lowercase();
            ["created", "updated", "deleted"]
                .contains(&name.as_str())
                .then_some(name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn change_types_are_a_list_of_three_words() {
        assert_eq!(
            change_types("updated, Deleted").unwrap(),
            ["updated", "deleted"]
        );
        for invalid in ["", "updated,", "changed", "updated;deleted"] {
            assert_eq!(change_types(invalid), None, "{invalid}");
        }
    }
}
