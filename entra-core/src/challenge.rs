//! The claims challenge of a 401: continuous access evaluation asks for a new token with it.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{HeaderMap, header};

/// The claims of a `WWW-Authenticate: Bearer … claims="…"`, decoded if they came as base64.
pub(crate) fn claims_challenge(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::WWW_AUTHENTICATE)
        .iter()
        .find_map(|value| {
            let value = value.to_str().ok()?;
            let claims = parameter(value, "claims")?;
            if claims.trim_start().starts_with('{') {
                return Some(claims);
            }
            let bytes = ANY_BASE64
                .iter()
                .find_map(|engine| engine.decode(&claims).ok())?;
            String::from_utf8(bytes)
                .ok()
                .filter(|json| json.trim_start().starts_with('{'))
        })
}

/// A quoted parameter of a challenge, with backslash escapes resolved.
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let mut rest = challenge;
    loop {
        let at = rest.find(name)?;
        let before = rest[..at].chars().next_back();
        let after = rest[at + name.len()..].trim_start();
        if let (None | Some(' ' | ',' | '\t'), Some(value)) = (before, after.strip_prefix('=')) {
            return quoted(value.trim_start());
        }
        rest = &rest[at + name.len()..];
    }
}

fn quoted(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut characters = text.strip_prefix('"')?.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return Some(out),
            '\\' => out.push(characters.next()?),
            other => out.push(other),
        }
    }
    None
}

/// Entra writes either alphabet, padded or not.
const ANY_BASE64: [GeneralPurpose; 2] = [
    GeneralPurpose::new(&alphabet::STANDARD, TOLERANT),
    GeneralPurpose::new(&alphabet::URL_SAFE, TOLERANT),
];
const TOLERANT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn challenge(value: &'static str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(value));
        claims_challenge(&headers)
    }

    #[test]
    fn claims_are_read_from_base64_and_from_plain_json() {
        let expected = r#"{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}"#;
        let encoded = r#"Bearer realm="", authorization_uri="https://login.example.com/common/oauth2/authorize", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNjA0MTA2NjUxIn19fQ==""#;
        assert_eq!(challenge(encoded).as_deref(), Some(expected));
        let plain = r#"Bearer error="insufficient_claims", claims="{\"access_token\":{\"nbf\":{\"essential\":true,\"value\":\"1604106651\"}}}""#;
        assert_eq!(challenge(plain).as_deref(), Some(expected));
    }

    #[test]
    fn a_challenge_without_usable_claims_has_none() {
        for value in [
            "Bearer",
            r#"Bearer realm="claims""#,
            r#"Bearer my_claims="eyJ9""#,
            r#"Bearer claims="@@""#,
            r#"Bearer claims="unfinished"#,
            r#"Bearer claims="aGVsbG8=""#,
        ] {
            assert_eq!(challenge(value), None, "{value}");
        }
    }
}
