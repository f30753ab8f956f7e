//! Change notifications: the requests of subscriptions, and the receiver against a publisher that builds what Graph documents.

mod publisher;
mod queue;
mod receiver;
mod resource_data;
#[cfg(feature = "axum")]
mod route;
mod storm;
mod subscriptions;
mod supervisor;
mod verified_tokens;
mod wakes;
