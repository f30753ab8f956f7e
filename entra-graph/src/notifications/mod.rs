//! Change notifications: Graph tells a program that users, groups and other resources changed.
//!
//! | for | type |
//! |---|---|
//! | what to subscribe to | [`SubscriptionResource`], [`NewSubscription`](crate::NewSubscription), [`GraphClient::subscribe`](crate::GraphClient::subscribe) |
//! | the requests that Graph sends | [`Receiver`] responds, validates and decrypts; [`NotificationEndpoint`] and [`Notifications`] have a queue between; `NotificationEndpoint::route` is a route for axum (feature `axum`) |
//! | subscriptions that stay alive | [`Supervisor`] |
//! | when to look for changes | [`Wakes`] |
//!
//! Notifications are hints. Graph promises neither that they come nor their order, and they were seen to stay away for a day. So
//! [`Wakes`] combines them with what has the truth, such as `sync::DirectorySync` (feature `sync`) or
//! [`delta`](crate::query::Collection::delta): look for changes when notifications came, and after a silence anyway.
//!
//! # What it guarantees
//!
//! - **A forged notification is never accepted.** Each must carry the client state of its subscription, which is compared in
//!   constant time. Resource data needs a valid validation token for its tenant as well, and its signature is checked before it
//!   is decrypted. A sender gets the same response whether its notifications are accepted or not.
//! - **Memory is bounded**: that of one body, of the queue, of what was accepted before, and of the tokens that were verified
//!   before. A full queue responds with `503`, so that Graph sends again.
//! - **A loss is no secret.** What could not be verified in time, and whatever a subscription missed while it was paused,
//!   removed or expired, wakes the program.
//!
//! Sources: [webhooks](https://learn.microsoft.com/graph/change-notifications-delivery-webhooks),
//! [resource data](https://learn.microsoft.com/graph/change-notifications-with-resource-data),
//! [lifecycle events](https://learn.microsoft.com/graph/change-notifications-lifecycle-events).

// The floors: wire is data; handshake, verified_tokens, tokens, content and seen are rules; receiver applies them; queue has the receiver's
// order; supervisor keeps subscriptions; wakes has both.

#[cfg(feature = "axum")]
mod axum;
mod content;
mod event;
mod handshake;
mod queue;
mod receiver;
mod rejection;
mod seen;
mod supervisor;
mod tokens;
mod verified_tokens;
mod wakes;
mod wire;

pub use content::DecryptionKey;
pub use event::{ChangeNotification, LifecycleNotification, NotificationEvent, ResourceContent};
pub use queue::{NotificationCounts, NotificationEndpoint, Notifications};
pub use receiver::{Delivery, Received, Receiver, ReceiverBuilder, Verified};
pub use rejection::RejectionReason;
pub use supervisor::{Supervisor, SupervisorState};
pub use wakes::{Wake, WakeCause, Wakes};

pub use crate::areas::subscriptions::{EncryptionCertificate, SubscriptionResource};
