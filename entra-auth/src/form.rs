use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use entra_core::{Secret, bytes::Bytes, url::form_urlencoded};

use crate::redact::without;

/// A form for the token endpoint, which knows which of its values are secret.
#[derive(Clone)]
pub(crate) struct Form(Vec<(&'static str, Value)>);

#[derive(Clone)]
enum Value {
    Plain(String),
    Secret(Secret),
}

impl Form {
    #[inline]
    pub(crate) fn new(grant_type: &str) -> Self {
        Self(Vec::with_capacity(6)).field("grant_type", grant_type)
    }

    /// A form for an endpoint that redeems no grant.
    pub(crate) fn bare() -> Self {
        Self(Vec::new())
    }

    #[inline]
    pub(crate) fn field(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, Value::Plain(value.into())));
        self
    }

    pub(crate) fn optional(self, name: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.field(name, value),
            None => self,
        }
    }

    pub(crate) fn secret(mut self, name: &'static str, value: &Secret) -> Self {
        self.0.push((name, Value::Secret(value.clone())));
        self
    }

    #[inline]
    pub(crate) fn plain(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|(found, value)| match value {
            Value::Plain(text) if *found == name => Some(text.as_str()),
            _ => None,
        })
    }

    /// The form with this as its only field of that name.
    #[inline]
    pub(crate) fn with(mut self, name: &'static str, value: Option<&str>) -> Self {
        self.0.retain(|(found, _)| *found != name);
        self.optional(name, value)
    }

    /// A digest of the request without its proofs of identity, which may be different each time.
    pub(crate) fn identity(&self, url: &str) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        context.update(url.as_bytes());
        for (name, value) in &self.0 {
            if !PROOFS.contains(name) {
                for text in [name, value.text()] {
                    context.update(&text.len().to_le_bytes());
                    context.update(text.as_bytes());
                }
            }
        }
        let mut identity = [0; 32];
        identity.copy_from_slice(context.finish().as_ref());
        identity
    }

    /// The encoded form. Its memory is overwritten when the last request that holds it is gone.
    pub(crate) fn encode(&self) -> Bytes {
        let text = |value: &Value| value.text().len() * 3;
        let longest = self
            .0
            .iter()
            .map(|(name, value)| name.len() + text(value) + 2)
            .sum();
        // Big enough from the start: a buffer that grows leaves copies of the secret behind.
        let mut body = form_urlencoded::Serializer::new(String::with_capacity(longest));
        for (name, value) in &self.0 {
            body.append_pair(name, value.text());
        }
        Bytes::from_owner(Body(Secret::new(body.finish())))
    }

    /// Another party's text without any of this form's secrets, plain or encoded.
    pub(crate) fn redact(&self, text: String) -> String {
        self.0
            .iter()
            .filter_map(|(_, value)| match value {
                Value::Secret(secret) if !secret.is_empty() => Some(secret.expose_secret()),
                _ => None,
            })
            .fold(text, |text, secret| {
                let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
                let lower = lower_hex(&encoded);
                without(&text, &[secret, &encoded, &lower])
            })
    }
}

/// The same percent-encoding with digits in lower case, as other encoders write it.
fn lower_hex(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut lower = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        lower.push('%');
        lower.push_str(&digits.to_ascii_lowercase());
        lower.push_str(rest);
    }
    lower
}

impl fmt::Debug for Form {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Value {
    fn text(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Secret(secret) => secret.expose_secret(),
        }
    }
}

struct Body(Secret);

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

const PROOFS: [&str; 2] = ["client_secret", "client_assertion"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded_once_and_secrets_stay_out_of_debug() {
        let form = Form::new("client_credentials")
            .field("scope", "https://graph.microsoft.com/.default")
            .secret("client_secret", &Secret::from("a~b&c=d é+"));
        assert_eq!(
            form.encode(),
            "grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default&client_secret=a%7Eb%26c%3Dd+%C3%A9%2B"
        );
        assert_eq!(
            format!("{form:?}"),
            r#"["grant_type", "scope", "client_secret"]"#
        );
    }

    #[test]
    fn request_identity_ignores_client_authentication_and_nothing_else() {
        let form = |secret: &str, scope: &str| {
            Form::new("x")
                .field("scope", scope)
                .secret("client_secret", &Secret::from(secret))
        };
        let identity = form("a", "s").identity("u");
        assert_eq!(identity, form("b", "s").identity("u"));
        assert_ne!(identity, form("a", "t").identity("u"));
        assert_ne!(identity, form("a", "s").identity("v"));
        let token = |token: &str| form("a", "s").secret("refresh_token", &Secret::from(token));
        assert_ne!(token("a").identity("u"), token("b").identity("u"));
    }

    #[test]
    fn a_field_is_replaced_and_not_repeated() {
        let form = Form::new("x").field("claims", "a");
        let form = form.with("claims", Some("b"));
        assert_eq!(form.plain("claims"), Some("b"));
        assert_eq!(form.encode(), "grant_type=x&claims=b");
        assert_eq!(form.with("claims", None).encode(), "grant_type=x");
    }

    #[test]
    fn secrets_are_redacted_plain_and_encoded() {
        let form = Form::new("x").secret("client_secret", &Secret::from("p&q~1"));
        assert_eq!(
            form.redact("sent p&q~1 as p%26q%7E1!".to_owned()),
            "sent … as …!"
        );
    }

    #[test]
    fn a_text_loses_a_secret_that_was_cut_off() {
        let form = Form::new("x").secret("refresh_token", &Secret::from("1.AXcanary/zyx"));
        assert_eq!(form.redact("sent 1.AXcanary/z".to_owned()), "sent …");
        assert_eq!(form.redact("sent 1.AXcanary%2fz".to_owned()), "sent …");
        assert_eq!(form.redact("sent 1.AXcanary%2Fz".to_owned()), "sent …");
    }
}
