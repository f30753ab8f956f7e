//! The send path as its callers see it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod canary;
mod clock;
mod metadata;
mod pacer;
mod pinned;
mod pipeline;
mod response_limit;
mod transport;
