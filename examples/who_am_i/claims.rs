//! The claims of an access token about its bearer, for display only.
//!
//! An access token is for its resource, which alone can validate it. Never make a decision based on these
//! claims.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// Label and value of each known claim. Returns `None` if the token is not a JWT.
pub(crate) fn read(token: &str) -> Option<Vec<(&'static str, String)>> {
    let payload = token.split('.').nth(1)?;
    let claims: Map<String, Value> =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let claim = |names: &[&str]| {
        let value = names.iter().find_map(|name| claims.get(*name))?;
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Array(values) => values
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(", "),
            other => other.to_string(),
        };
        // Names are chosen by others, and a control character could steer the terminal.
        Some(text.replace(char::is_control, "\u{fffd}"))
    };
    let shown = [
        (
            "user",
            &["upn", "preferred_username", "unique_name"] as &[&str],
        ),
        ("application", &["app_displayname"]),
        ("client id", &["appid", "azp"]),
        ("object id", &["oid"]),
        ("tenant", &["tid"]),
        ("for", &["aud"]),
        ("roles", &["roles"]),
        ("scopes", &["scp"]),
    ];
    Some(
        shown
            .into_iter()
            .filter_map(|(label, names)| Some((label, claim(names)?)))
            .collect(),
    )
}
