//! Formats every public type of the SDK, built with canary secrets, and looks for them.
//!
//! The tests are in `tests/it`: one file of cases per crate, and a scanner that reads the list of
//! types from the sources, so that a type without a case fails.
