//! The form of a token request.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hashbrown::HashMap;
use url::form_urlencoded;

use super::error::LoginError;
use crate::wire::WireRequest;

/// The parameters with a value, and the client authentication of the header if there is one.
pub(super) struct Form {
    parameters: HashMap<String, String>,
    /// The parameters that were sent without a value.
    empty: Vec<String>,
    basic: Option<(String, String)>,
}

impl Form {
    pub(super) fn read(request: &WireRequest) -> Self {
        let (sent, empty): (Vec<_>, Vec<_>) = form_urlencoded::parse(&request.body)
            .into_owned()
            .partition(|(_, value)| !value.is_empty());
        Self {
            parameters: sent.into_iter().collect(),
            empty: empty.into_iter().map(|(name, _)| name).collect(),
            basic: request.header("authorization").and_then(basic),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// Whether a parameter was sent without a value.
    pub(super) fn is_empty(&self, name: &str) -> bool {
        self.empty.iter().any(|known| known == name)
    }

    pub(super) fn require(&self, name: &str) -> Result<&str, LoginError> {
        self.get(name)
            .ok_or_else(|| LoginError::missing_parameter(name))
    }

    /// Returns the client capabilities from `{"access_token":{"xms_cc":{"values":[..]}}}`. A
    /// `claims` parameter of another form has none.
    pub(super) fn capabilities(&self) -> Vec<String> {
        let claims = self
            .get("claims")
            .and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok())
            .unwrap_or_default();
        let values = claims["access_token"]["xms_cc"]["values"].as_array();
        values
            .into_iter()
            .flatten()
            .filter_map(|value| value.as_str().map(str::to_lowercase))
            .collect()
    }

    pub(super) fn client_id(&self) -> Result<&str, LoginError> {
        match &self.basic {
            Some((id, _)) => Ok(id),
            None => self.require("client_id"),
        }
    }

    pub(super) fn client_secret(&self) -> Option<&str> {
        match &self.basic {
            Some((_, secret)) if !secret.is_empty() => Some(secret),
            _ => self.get("client_secret"),
        }
    }
}

/// Reads id and secret of an `Authorization: Basic` header, each form-decoded (RFC 6749, section
/// 2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((decode(id), decode(secret)))
}

fn decode(text: &str) -> String {
    // A pair without a value: the key is the decoded text.
    form_urlencoded::parse(text.replace('=', "%3D").replace('&', "%26").as_bytes())
        .next()
        .map(|(key, _)| key.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_header(value: &str) -> Form {
        Form::read(&WireRequest {
            method: "POST".into(),
            path: "/t/oauth2/v2.0/token".into(),
            query: None,
            headers: vec![("authorization".into(), value.into())],
            body: b"client_secret=from+body".to_vec(),
            base: "https://localhost".into(),
            handshakes: Vec::new(),
        })
    }

    #[test]
    fn basic_credentials_are_form_decoded() {
        let form = with_header(&format!(
            "Basic {}",
            STANDARD.encode("my%20id:a%7Eb%26c%25d%2Be=f")
        ));
        assert_eq!(form.client_id().unwrap(), "my id");
        assert_eq!(form.client_secret(), Some("a~b&c%d+e=f"));
    }

    #[test]
    fn a_header_without_basic_credentials_is_ignored() {
        for header in ["Basic", "Basic !!!", "Bearer abc", "Basic bm9jb2xvbg=="] {
            let form = with_header(header);
            assert_eq!(form.client_id().unwrap_err().code, 900_144, "{header}");
            assert_eq!(form.client_secret(), Some("from body"));
        }
    }
}
