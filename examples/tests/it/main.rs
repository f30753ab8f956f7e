//! What can only be tested with every crate at hand.

mod layering;
#[expect(
    dead_code,
    reason = "the test calls the parts of the example, not its `main`"
)]
#[path = "../../saas_usage/main.rs"]
mod saas_usage;
