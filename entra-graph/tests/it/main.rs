//! What the crate does over HTTP: against scripts, against random servers, against the fake tenant.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod errors;
mod examples;
mod paging;
mod queries;
mod scripts;
mod support;
mod users;
