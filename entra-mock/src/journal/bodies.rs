//! Bodies in the journal: JSON and forms up to a size, without their secrets.

use serde_json::Value;

use super::redact::{REDACTED, is_secret, without_secrets};

/// The bodies of a request and of its response.
#[derive(Clone, Debug)]
pub(crate) struct Bodies {
    pub(super) request: Option<Box<str>>,
    pub(super) response: Option<Box<str>>,
}

/// Returns a body as the journal keeps it. `None` if it is empty, too long, or neither JSON nor a form.
pub(super) fn kept(content_type: Option<&str>, body: &[u8]) -> Option<Box<str>> {
    if body.is_empty() || body.len() > LONGEST {
        return None;
    }
    let content_type = content_type
        .unwrap_or("application/json")
        .to_ascii_lowercase();
    if content_type.starts_with("application/x-www-form-urlencoded") {
        return Some(without_secrets(std::str::from_utf8(body).ok()?).into());
    }
    let is_json = content_type.starts_with("application/json") || content_type.contains("+json");
    let mut json: Value = is_json.then(|| serde_json::from_slice(body).ok())??;
    remove_secrets(&mut json);
    Some(json.to_string().into())
}

fn remove_secrets(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(remove_secrets),
        Value::Object(members) => {
            for (name, value) in members {
                // The body of a batch request that is a text is in another format, which can hold anything.
                let hidden = is_secret(name) || name == "body" && value.is_string();
                if hidden && !value.is_null() {
                    *value = REDACTED.into();
                } else {
                    remove_secrets(value);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Longer bodies are left out: the journal keeps many requests.
pub(super) const LONGEST: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bodies_are_kept_without_secrets() {
        let body = json!({
            "displayName": "Ada", "passwordProfile": {"password": "canary", "forceChangePasswordNextSignIn": true},
            "currentPassword": "canary", "newPassword": "canary", "secretText": "canary", "clientState": "canary",
            "keyCredentials": [{"key": "canary", "displayName": "x"}], "proof": "canary", "access_token": "canary",
            "requests": [{"body": {"Password": "canary", "jobTitle": "Lead"}}, {"body": "canary"}], "hint": null,
        });
        let kept = kept(
            Some("application/json;odata.metadata=minimal"),
            body.to_string().as_bytes(),
        );
        let text = kept.unwrap();
        assert!(!text.contains("canary"), "{text}");
        for shown in ["Ada", "forceChangePasswordNextSignIn", "Lead", REDACTED] {
            assert!(text.contains(shown), "{shown}: {text}");
        }
    }

    #[test]
    fn forms_are_kept_without_secrets_and_other_formats_not_at_all() {
        let form = b"grant_type=client_credentials&client_secret=canary&user_code=canary&cl%69ent_assertion=canary";
        let text = kept(Some("application/x-www-form-urlencoded"), form).unwrap();
        assert!(text.starts_with("grant_type=client_credentials&"), "{text}");
        assert!(!text.contains("canary"), "{text}");
        assert_eq!(kept(Some("text/html"), b"<p>canary"), None);
        assert_eq!(kept(Some("image/png"), b"canary"), None);
        assert_eq!(kept(None, b"not JSON"), None);
        assert_eq!(kept(None, b""), None);
        let long = json!({ "text": "x".repeat(LONGEST) }).to_string();
        assert_eq!(kept(None, long.as_bytes()), None);
    }
}
