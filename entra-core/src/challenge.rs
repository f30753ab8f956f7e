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
            if is_object(&claims) {
                return Some(claims);
            }
            let bytes = ANY_BASE64
                .iter()
                .find_map(|engine| engine.decode(&claims).ok())?;
            String::from_utf8(bytes).ok().filter(|json| is_object(json))
        })
}

/// Whether the text is a whole JSON object. A value without quotation marks or escapes may be cut off, and the
/// sign-in service rejects such claims.
fn is_object(text: &str) -> bool {
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok()
}

/// The length of the JSON object at the start of the text.
fn object(text: &str) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_str(text)
        .into_iter::<serde_json::Map<String, serde_json::Value>>();
    values.next()?.ok()?;
    Some(values.byte_offset())
}

/// A parameter of a challenge by its name, in any case (RFC 9110, section 11.2).
///
/// Quoted values are skipped as a whole, so that `claims=` within an `error_description` is not taken
/// for the parameter. One that is not quoted ends at a blank or comma.
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let mut rest = challenge;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return None;
        }
        let end = rest.find([' ', '\t', ',', '=', '"']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let value = after.trim_start_matches([' ', '\t']).strip_prefix('=');
        let Some(value) = value.filter(|_| !word.is_empty()) else {
            // A scheme, or not a parameter.
            rest = match after.strip_prefix('"') {
                Some(text) => quoted(text)?.1,
                None => after.strip_prefix('=').unwrap_or(after),
            };
            continue;
        };
        let value = value.trim_start_matches([' ', '\t']);
        let (value, after) = match value.strip_prefix('"') {
            Some(text) => match object(text) {
                // Its own quotation marks were not escaped.
                Some(end) => {
                    let after = &text[end..];
                    let after = after.strip_prefix('"').unwrap_or(after);
                    (text[..end].to_owned(), after)
                }
                None => quoted(text)?,
            },
            None => {
                let end = object(value)
                    .or_else(|| value.find([' ', '\t', ',']))
                    .unwrap_or(value.len());
                (value[..end].to_owned(), &value[end..])
            }
        };
        if word.eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = after;
    }
}

/// The text up to the closing quotation mark, with backslash escapes resolved, and the rest.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((out, &text[at + 1..])),
            '\\' => out.push(characters.next()?.1),
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
    fn claims_are_read_unquoted_in_any_case_and_beside_other_challenges() {
        let expected = r#"{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}"#;
        for value in [
            "Bearer Claims=eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNjA0MTA2NjUxIn19fQ==",
            "bearer realm=, error=insufficient_claims, CLAIMS=eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNjA0MTA2NjUxIn19fQ",
            r#"Negotiate, NTLM, PoP nonce="x,y", Bearer error="insufficient_claims",claims = "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNjA0MTA2NjUxIn19fQ==""#,
            r#"Bearer claims={"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}, error=insufficient_claims"#,
            r#"Bearer claims="{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}", error="insufficient_claims""#,
            r#"Negotiate YWJj==, Bearer claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNjA0MTA2NjUxIn19fQ==""#,
            r#"Bearer error_description="see \"claims=eyJ9\", claims=eyJ9", claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNjA0MTA2NjUxIn19fQ==""#,
        ] {
            assert_eq!(challenge(value).as_deref(), Some(expected), "{value}");
        }
    }

    #[test]
    fn a_challenge_without_usable_claims_has_none() {
        for value in [
            "Bearer",
            r#"Bearer realm="claims""#,
            r#"Bearer error_description="claims=eyJ9""#,
            "Bearer =claims=",
            "=",
            r#"""#,
            r#"Bearer my_claims="eyJ9""#,
            r#"Bearer claims="@@""#,
            r#"Bearer claims="unfinished"#,
            r#"Bearer claims="aGVsbG8=""#,
            r#"Bearer claims={"access_token":{"nbf":"#,
            r#"Bearer claims="{"access_token": x}""#,
            r#"Bearer claims="eyJh""#,
        ] {
            assert_eq!(challenge(value), None, "{value}");
        }
    }
}
