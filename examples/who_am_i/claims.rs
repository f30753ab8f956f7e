//! What an access token says about its bearer.
//!
//! For showing only: a token is meant for its resource, which alone knows how to read and check it. No
//! program may decide anything by this.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// Label and value of what is there; nothing if it is no JWT.
pub(crate) fn read(token: &str) -> Option<Vec<(&'static str, String)>> {
    let payload = token.split('.').nth(1)?;
    let claims: Map<String, Value> =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let text = |names: &[&str]| {
        let value = names.iter().find_map(|name| claims.get(*name))?;
        Some(match value {
            Value::String(text) => text.clone(),
            Value::Array(several) => several
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(", "),
            other => other.to_string(),
        })
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
            .filter_map(|(label, names)| Some((label, text(names)?)))
            .collect(),
    )
}
