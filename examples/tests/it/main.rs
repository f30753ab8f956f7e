//! Tests that need more than one crate of the workspace.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails the test as a test does"
)]

mod bad_input;
#[expect(
    dead_code,
    reason = "the tests call the parts of the example, not its `main`"
)]
#[path = "../../certificate_daemon/main.rs"]
mod certificate_daemon;
mod connection;
mod daemon;
mod delegated;
#[expect(
    dead_code,
    reason = "the tests call the parts of the example, not its `main`"
)]
#[path = "../../delegated_usage/main.rs"]
mod delegated_usage;
#[expect(
    dead_code,
    reason = "the tests call the parts of the example, not its `main`"
)]
#[path = "../../device_login/main.rs"]
mod device_login;
mod environment;
mod identity;
mod keys;
mod layering;
mod loss_proof;
mod protected;
#[expect(
    dead_code,
    reason = "the tests call the parts of the example, not its `main`"
)]
#[path = "../../protected_api/main.rs"]
mod protected_api;
#[expect(
    dead_code,
    reason = "the tests call the parts of the example, not its `main`"
)]
#[path = "../../saas_usage/main.rs"]
mod saas_usage;
mod terminal;
mod usage_report;
mod web;
#[expect(
    dead_code,
    reason = "the tests call the parts of the example, not its `main`"
)]
#[path = "../../web_sign_in/main.rs"]
mod web_sign_in;
#[expect(
    dead_code,
    reason = "the tests call the parts of the example, not its `main`"
)]
#[path = "../../who_am_i/main.rs"]
mod who_am_i;
