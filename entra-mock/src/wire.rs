//! The engine's own HTTP types, so that it does not depend on a frontend.

use std::{borrow::Cow, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};

mod body;

pub(crate) use body::Body;

/// One request as a frontend passes it to the engine.
#[derive(Clone, Debug)]
pub(crate) struct WireRequest {
    /// Method in upper case.
    pub(crate) method: String,
    /// Path as sent (still percent-encoded), with a slash at the start.
    pub(crate) path: String,
    /// Query as sent, without the question mark.
    pub(crate) query: Option<String>,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Scheme, host and port from the client's `Host` header: `https://localhost:8443`.
    pub(crate) base: String,
    /// What receivers of notifications responded to the validation that a request needs.
    pub(crate) handshakes: Vec<Handshake>,
}

/// The response of a receiver of notifications to the validation of its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Handshake {
    pub(crate) url: String,
    pub(crate) outcome: HandshakeOutcome,
}

/// Whether a receiver confirmed its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HandshakeOutcome {
    Confirmed,
    TimedOut,
    /// It did not respond with 200.
    NotOk,
    /// It responded with something else than the token as plain text.
    WrongResponse,
    /// No request was sent, for this reason.
    NotSent(String),
}

impl WireRequest {
    /// Returns the first header of that (lower-case) name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the items of a header that holds a list. Several lines of one name are one list (RFC
    /// 9110, section 5.3).
    pub(crate) fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |(key, _)| key == name)
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
    }

    /// Whether the client sent that preference (RFC 7240).
    pub(crate) fn prefers(&self, preference: &str) -> bool {
        self.list("prefer")
            .any(|item| item.eq_ignore_ascii_case(preference))
    }
}

/// One response as the engine passes it to a frontend.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, Cow<'static, str>)>,
    pub(crate) body: Body,
    pub(crate) delivery: Delivery,
    /// How long the frontend waits before it sends the response, in real time.
    pub(crate) delay: Duration,
}

/// How much of a response reaches the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Delivery {
    #[default]
    Whole,
    /// The connection closes in the middle of the body.
    CutInBody,
    /// The connection closes before the first byte.
    NoResponse,
    /// The connection is reset before the first byte.
    Reset,
    /// The body arrives in pieces, each after this time.
    Trickle(Duration),
}

impl Delivery {
    /// Whether the client gets the whole response, however slowly.
    pub(crate) const fn is_complete(self) -> bool {
        matches!(self, Self::Whole | Self::Trickle(_))
    }
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::default(),
            delivery: Delivery::Whole,
            delay: Duration::ZERO,
        }
    }

    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::of_json(status, body.to_string())
    }

    /// A response with a body that is JSON already.
    pub(crate) fn of_json(status: u16, body: impl Into<Body>) -> Self {
        Self::new(status)
            .with_header("content-type", "application/json; charset=utf-8")
            .with_body(body)
    }

    pub(crate) fn with_header(
        mut self,
        name: &'static str,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn with_body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }
}

/// Decodes a value of the type `Edm.Binary`: base64, in which line breaks are allowed, such as in the certificates of
/// the Azure CLI.
pub(crate) fn binary(text: &str) -> Option<Vec<u8>> {
    let plain: String = text
        .chars()
        .filter(|character| !matches!(character, ' ' | '\t' | '\r' | '\n'))
        .collect();
    STANDARD.decode(plain).ok()
}

/// Whether a path belongs to Graph and not to sign-in.
pub(crate) fn is_graph(path: &str) -> bool {
    let first = path
        .trim_start_matches('/')
        .split('/')
        .next()
        .unwrap_or_default();
    first.eq_ignore_ascii_case("v1.0") || first.eq_ignore_ascii_case("beta")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_values_may_have_line_breaks_but_no_other_letters() {
        for text in ["AQID", "AQ\nID\n", " AQ\r\n\tID "] {
            assert_eq!(binary(text).as_deref(), Some(&[1, 2, 3][..]), "{text:?}");
        }
        for text in ["AQI", "AQ-D", "AQ\u{a0}ID"] {
            assert_eq!(binary(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_first_path_segment_selects_graph_or_sign_in() {
        for graph in ["/v1.0/users", "/beta/me", "/V1.0", "/v1.0/$batch"] {
            assert!(is_graph(graph), "{graph}");
        }
        for login in [
            "/",
            "/contoso.com/v2.0/.well-known/openid-configuration",
            "/common/oauth2/v2.0/token",
            "/v1.0.example/x",
        ] {
            assert!(!is_graph(login), "{login}");
        }
    }
}
