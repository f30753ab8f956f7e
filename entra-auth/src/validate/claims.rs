//! Reads claims; a claim of another type than expected makes the token malformed.

use entra_core::{Guid, Timestamp};
use serde_json::{Map, Value};

use super::error::TokenValidationError;

pub(super) type Claims = Map<String, Value>;

/// The string, or `None` if the claim is absent.
pub(super) fn text<'a>(
    claims: &'a Claims,
    name: &str,
) -> Result<Option<&'a str>, TokenValidationError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(TokenValidationError::malformed(
            "a claim that must be a string is not",
        )),
    }
}

/// The GUID, or `None` if the claim is absent.
pub(super) fn guid(claims: &Claims, name: &str) -> Result<Option<Guid>, TokenValidationError> {
    text(claims, name)?
        .map(|text| {
            text.parse()
                .map_err(|_| TokenValidationError::malformed("a claim that must be a GUID is not"))
        })
        .transpose()
}

/// The strings, or none if the claim is absent.
pub(super) fn check_list(claims: &Claims, name: &str) -> Result<(), TokenValidationError> {
    match claims.get(name) {
        None => Ok(()),
        Some(Value::Array(items)) if items.iter().all(Value::is_string) => Ok(()),
        Some(_) => Err(TokenValidationError::malformed(
            "a claim that must be a list of strings is not",
        )),
    }
}

/// The strings of a list.
pub(super) fn list<'a>(claims: &'a Claims, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    claims
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// The time in whole seconds since 1970, or `None` if the claim is absent.
pub(super) fn time(claims: &Claims, name: &str) -> Result<Option<Timestamp>, TokenValidationError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    value
        .as_i64()
        .and_then(|seconds| Timestamp::from_unix_timestamp(seconds).ok())
        .map(Some)
        .ok_or_else(|| {
            TokenValidationError::malformed(
                "a time claim is not a whole number of seconds since 1970",
            )
        })
}
