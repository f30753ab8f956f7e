//! Tests that need more than one crate of the workspace.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails the test as a test does"
)]

mod advice;
mod bad_input;
mod certificate;
#[expect(
    dead_code,
    reason = "the tests call the parts of the example, not its `main`"
)]
#[path = "../../certificate_client/main.rs"]
mod certificate_client;
mod connection;
#[expect(
    dead_code,
    reason = "the tests call the parts of the example, not its `main`"
)]
#[path = "../../connection_test/main.rs"]
mod connection_test;
#[expect(
    dead_code,
    reason = "the tests call the parts of the example, not its `main`"
)]
#[path = "../../device_login/main.rs"]
mod device_login;
mod directory_copy;
#[expect(
    dead_code,
    reason = "the tests call the parts of the example, not its `main`"
)]
#[path = "../../directory_sync/main.rs"]
mod directory_sync;
mod directory_updates;
mod environment;
mod findings;
mod group_gate;
mod guides;
mod identity;
mod journal;
mod keys;
mod layering;
mod look_up;
mod loss_proof;
mod mcp;
#[expect(
    dead_code,
    reason = "the tests call the parts of the example, not its `main`"
)]
#[path = "../../mcp_server/main.rs"]
mod mcp_server;
mod multi_idp;
#[expect(
    dead_code,
    reason = "the tests call the parts of the example, not its `main`"
)]
#[path = "../../multi_idp_login/main.rs"]
mod multi_idp_login;
mod notified;
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
#[path = "../../register_app/main.rs"]
mod register_app;
mod registering;
#[expect(
    dead_code,
    reason = "the tests call the parts of the example, not its `main`"
)]
#[path = "../../saas_usage/main.rs"]
mod saas_usage;
#[expect(
    dead_code,
    reason = "the tests call the parts of the example, not its `main`"
)]
#[path = "../../sso_group_gate/main.rs"]
mod sso_group_gate;
mod steps;
mod terminal;
mod usage_connections;
mod usage_report;
#[expect(
    dead_code,
    reason = "the tests call the parts of the example, not its `main`"
)]
#[path = "../../user_lookup/main.rs"]
mod user_lookup;
#[expect(
    dead_code,
    reason = "the tests call the parts of the example, not its `main`"
)]
#[path = "../../who_am_i/main.rs"]
mod who_am_i;
