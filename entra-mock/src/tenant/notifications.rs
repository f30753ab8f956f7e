use std::{io, sync::Arc};

use entra_core::Timestamp;

use super::FakeTenant;
use crate::{
    frontend::{deliver_due, runtime},
    notifications::{DeliveryReport, NotificationOptions},
    publisher,
};

impl FakeTenant {
    /// Switches of change notifications.
    ///
    /// A test subscribes with `POST /subscriptions`, and has notifications sent with
    /// [`deliver_due_notifications`](Self::deliver_due_notifications).
    pub fn set_notification_options(&self, options: NotificationOptions) {
        self.engine.write().notifications.options = options;
    }

    /// Sends the notifications that are due on the tenant's clock to their receivers: those of all changes so far,
    /// those that were not accepted ten minutes ago or earlier, and lifecycle notifications.
    ///
    /// The tenant sends none at another time, so a test decides when its receiver gets them. A receiver must accept
    /// a request with a status of 2xx within 3 seconds of real time. Notifications that it does not accept are sent again
    /// ten minutes later by the tenant's clock, for four hours.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// use std::time::Duration;
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// let report = tenant.deliver_due_notifications().await;
    /// if report.failed > 0 {
    ///     tenant.clock().advance(Duration::from_secs(600));
    ///     tenant.deliver_due_notifications().await;
    /// }
    /// # assert_eq!((report.delivered, report.failed, report.dropped), (0, 0, 0));
    /// # }
    /// ```
    pub async fn deliver_due_notifications(&self) -> DeliveryReport {
        let engine = Arc::clone(&self.engine);
        // Not in the runtime of the test, whose time can be paused.
        let delivery = async {
            let task = runtime()?.spawn(async move { deliver_due(&engine).await });
            task.await.map_err(io::Error::other)
        };
        delivery.await.unwrap_or_default()
    }

    /// The number of notifications that no receiver has accepted yet.
    #[must_use]
    pub fn pending_notifications(&self) -> usize {
        let now = self.engine.now();
        publisher::pending(&mut self.engine.lock_for_notifications(now), now)
    }

    /// When the next notification is due on the tenant's clock, as far as known: a repeated attempt, or a
    /// `reauthorizationRequired`.
    #[must_use]
    pub fn next_notification(&self) -> Option<Timestamp> {
        self.engine.next_notification()
    }

    /// Removes a subscription as the service does it, without a request of its application. Returns whether it existed.
    ///
    /// The resource of [`NotificationOptions::synthetic_resource`] has the event `subscriptionRemoved`; subscriptions to
    /// users and groups end silently.
    pub fn remove_subscription(&self, id: &str) -> bool {
        let now = self.engine.now();
        let mut state = self.engine.lock_for_notifications(now);
        publisher::remove_subscription(&mut state, now, id)
    }
}
