//! What can only be tested with every crate at hand.

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
