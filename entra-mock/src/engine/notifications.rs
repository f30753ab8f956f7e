//! The steps of sending notifications, between which a frontend uses the network.

use std::sync::{PoisonError, RwLockWriteGuard};

use entra_core::Timestamp;

use super::Engine;
use crate::{
    graph, login,
    notifications::{DeliveryReport, NotificationOptions},
    publisher::{self, Outcome, Post},
    state::State,
    wire::WireRequest,
};

impl Engine {
    /// Returns the URLs that receivers must confirm before a request is handled, each with the token to send.
    pub(crate) fn handshakes(&self, request: &WireRequest) -> Vec<(String, String)> {
        if !graph::may_need_handshake(request) {
            return Vec::new();
        }
        let now = self.now();
        let caller = login::caller(&self.read(), now, request);
        let caller = caller.as_deref().map_err(|problem| *problem);
        let urls = graph::handshakes(&self.state, now, request, caller);
        let random = self.read().random.clone();
        let token = || {
            format!(
                "Validation: Testing client application reachability for subscription Request-Id: {}",
                random.guid()
            )
        };
        urls.into_iter().map(|url| (url, token())).collect()
    }

    pub(crate) fn notification_options(&self) -> NotificationOptions {
        self.read().notifications.options
    }

    /// Whether a server sends notifications by itself.
    #[cfg(feature = "server")]
    pub(crate) fn sends_notifications(&self) -> bool {
        !self.read().notifications.on_request
    }

    /// Waits until no other task sends notifications of this tenant.
    pub(crate) async fn delivery_turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.delivering.lock().await
    }

    /// Returns the requests that are due, and how many notifications were dropped.
    pub(crate) fn take_due(&self) -> (Vec<Post>, usize) {
        if publisher::is_idle(&self.read()) {
            return (Vec::new(), 0);
        }
        let now = self.now();
        publisher::take_due(&mut self.lock_for_notifications(now), now)
    }

    /// Records the outcome of a request.
    pub(crate) fn report_delivery(&self, post: &Post, outcome: Outcome) -> DeliveryReport {
        let now = self.now();
        let mut state = self.lock_for_notifications(now);
        publisher::report(&mut state, now, post, outcome)
    }

    /// When the next notification is due, as far as known.
    pub(crate) fn next_notification(&self) -> Option<Timestamp> {
        publisher::next_due(&self.read())
    }

    /// Locks the tenant for changes of subscriptions, which no replica delays.
    pub(crate) fn lock_for_notifications(&self, now: Timestamp) -> RwLockWriteGuard<'_, State> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.store.changes.stamp(now, None);
        state
    }
}
