use std::time::Duration;

/// Switches of change notifications, beside and against what is documented. All are off unless set.
///
/// ```
/// # #[tokio::main] async fn main() {
/// use std::time::Duration;
/// use entra_mock::{FakeTenant, NotificationOptions};
/// let tenant = FakeTenant::start().await;
/// let options = NotificationOptions::documented().duplicated().late(Duration::from_secs(600));
/// tenant.set_notification_options(options);
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "give it to a tenant"]
pub struct NotificationOptions {
    pub(crate) dropped_every: u32,
    pub(crate) duplicated: bool,
    pub(crate) reordered: bool,
    pub(crate) late: Duration,
    pub(crate) expired_listed: bool,
    pub(crate) synthetic_resource: bool,
    pub(crate) clamped_lifetime: bool,
    pub(crate) validates_renewals: bool,
    pub(crate) any_host: bool,
    pub(crate) handshake_timeout: Duration,
    pub(crate) delivery_timeout: Duration,
}

impl NotificationOptions {
    /// Change notifications as documented, to loopback addresses only.
    pub const fn documented() -> Self {
        Self {
            dropped_every: 0,
            duplicated: false,
            reordered: false,
            late: Duration::ZERO,
            expired_listed: false,
            synthetic_resource: false,
            clamped_lifetime: false,
            validates_renewals: false,
            any_host: false,
            handshake_timeout: Duration::from_secs(10),
            delivery_timeout: Duration::from_secs(3),
        }
    }

    /// Never sends each n-th notification; 0 sends all.
    pub const fn dropped_every(mut self, n: u32) -> Self {
        self.dropped_every = n;
        self
    }

    /// Sends each notification twice.
    pub const fn duplicated(mut self) -> Self {
        self.duplicated = true;
        self
    }

    /// Sends the newest notifications first.
    pub const fn reordered(mut self) -> Self {
        self.reordered = true;
        self
    }

    /// Sends each notification this long after its change, by the clock of the tenant.
    pub const fn late(mut self, delay: Duration) -> Self {
        self.late = delay;
        self
    }

    /// Lists expired subscriptions for a week.
    pub const fn expired_listed(mut self) -> Self {
        self.expired_listed = true;
        self
    }

    /// Adds the resource `synthetic/users`, which Graph does not have: the changes of users with their content
    /// encrypted, and with the lifecycle events `missed` and `subscriptionRemoved`.
    ///
    /// Graph offers both for resources of Outlook and Teams only, which this tenant does not have. The resource
    /// has the change types `created`, `updated` and `deleted`, and the permission `User.Read.All`.
    pub const fn synthetic_resource(mut self) -> Self {
        self.synthetic_resource = true;
        self
    }

    /// Shortens a lifetime above the maximum to the maximum, instead of rejecting it.
    pub const fn clamped_lifetime(mut self) -> Self {
        self.clamped_lifetime = true;
        self
    }

    /// Repeats the validation of the notification URLs when a subscription is renewed or reauthorized
    /// (msgraph-sdk-dotnet issue 2805).
    pub const fn validates_renewals(mut self) -> Self {
        self.validates_renewals = true;
        self
    }

    /// Sends notifications to any host, not only to loopback addresses. Certificates are not verified there either.
    pub const fn any_host(mut self) -> Self {
        self.any_host = true;
        self
    }

    /// How long a receiver can take to confirm its URL, in real time; 10 seconds unless set.
    pub const fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake_timeout = timeout;
        self
    }

    /// How long a receiver can take to accept notifications, in real time; 3 seconds unless set.
    pub const fn delivery_timeout(mut self, timeout: Duration) -> Self {
        self.delivery_timeout = timeout;
        self
    }
}

impl Default for NotificationOptions {
    fn default() -> Self {
        Self::documented()
    }
}
