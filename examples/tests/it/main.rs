//! What can only be tested with every crate at hand.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails the test as a test does"
)]

mod bad_input;
mod layering;
mod loss_proof;
#[expect(
    dead_code,
    reason = "the tests call the parts of the example, not its `main`"
)]
#[path = "../../saas_usage/main.rs"]
mod saas_usage;
mod usage_report;
