//! Claims of a JWT, read without validation: for findings, never for a decision about access.

use serde_json::{Map, Value};

pub(super) use crate::error::claims;

/// A claim that is a string.
pub(super) fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> &'a str {
    claims.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A claim that is a list of strings, or one string.
pub(super) fn list(claims: &Map<String, Value>, name: &str) -> Vec<String> {
    match claims.get(name) {
        Some(Value::Array(all)) => all
            .iter()
            .filter_map(|one| one.as_str().map(str::to_owned))
            .collect(),
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    }
}
