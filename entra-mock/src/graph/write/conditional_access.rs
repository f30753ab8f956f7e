//! The rules of conditional access policies.

use super::body::{Draft, invalid};
use crate::{odata::GraphError, store::Kind};

/// Checks that a sign-in frequency is at least 1: with 0, every user would have to sign in again and again.
pub(super) fn check(kind: Kind, draft: &Draft) -> Result<(), GraphError> {
    const PROPERTY: &str = "sessionControls";
    if kind != Kind::ConditionalAccessPolicy {
        return Ok(());
    }
    let frequency = draft
        .get(PROPERTY)
        .and_then(|controls| controls["signInFrequency"]["value"].as_i64());
    match frequency {
        Some(value) if value < 1 => Err(invalid(kind.entity(), PROPERTY)),
        _ => Ok(()),
    }
}
