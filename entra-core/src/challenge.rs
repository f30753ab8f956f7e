//! The claims challenge of a 401: continuous access evaluation asks for a new token with it.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{HeaderMap, header};

/// The claims of a `WWW-Authenticate: Bearer … claims="…"`, decoded if they came as base64.
///
/// Another scheme's claims count only where Bearer has none. Claims that cannot be used hide no others,
/// and text of any encoding may stand around them.
pub(crate) fn claims_challenge(headers: &HeaderMap) -> Option<String> {
    let mut other = None;
    for value in headers.get_all(header::WWW_AUTHENTICATE) {
        let value = String::from_utf8_lossy(value.as_bytes());
        for parameter in Parameters::of(&value) {
            if !parameter.name.eq_ignore_ascii_case("claims") {
                continue;
            }
            match decoded(parameter.value) {
                Some(claims) if parameter.scheme.eq_ignore_ascii_case("Bearer") => {
                    return Some(claims);
                }
                claims => other = other.or(claims),
            }
        }
    }
    other
}

/// Claims as JSON, if that is what they are.
fn decoded(claims: String) -> Option<String> {
    if is_object(&claims) {
        return Some(claims);
    }
    let bytes = ANY_BASE64
        .iter()
        .find_map(|engine| engine.decode(&claims).ok())?;
    String::from_utf8(bytes).ok().filter(|json| is_object(json))
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

/// One parameter of the challenges in a header.
struct Parameter<'a> {
    scheme: &'a str,
    name: &'a str,
    value: String,
}

/// The parameters of all challenges in a header (RFC 9110, section 11.2), one after the other.
///
/// Quoted values are read as a whole, so that `claims=` within an `error_description` is not taken
/// for the parameter. One that is not quoted ends at a blank or comma.
struct Parameters<'a> {
    scheme: &'a str,
    rest: &'a str,
}

impl<'a> Parameters<'a> {
    fn of(challenges: &'a str) -> Self {
        Self {
            scheme: "",
            rest: challenges,
        }
    }
}

impl<'a> Iterator for Parameters<'a> {
    type Item = Parameter<'a>;

    fn next(&mut self) -> Option<Parameter<'a>> {
        loop {
            let rest = self.rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                return None;
            }
            let end = rest.find([' ', '\t', ',', '=', '"']).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            let value = after.trim_start_matches([' ', '\t']).strip_prefix('=');
            if let Some(value) = value.filter(|_| !word.is_empty()) {
                let (value, rest) = self::value(value.trim_start_matches([' ', '\t']));
                self.rest = rest;
                return Some(Parameter {
                    scheme: self.scheme,
                    name: word,
                    value,
                });
            }
            if !word.is_empty() {
                // The one credential that some schemes take (RFC 9110, section 11.1) comes here too, and is
                // not the scheme of what follows it: a comma and the next scheme are.
                self.scheme = word;
            }
            self.rest = match after.strip_prefix('"') {
                Some(text) => quoted(text).1,
                None => after.strip_prefix('=').unwrap_or(after),
            };
        }
    }
}

/// The value at the start of the text, and what follows it.
fn value(text: &str) -> (String, &str) {
    if let Some(text) = text.strip_prefix('"') {
        return match object(text) {
            // Its own quotation marks were not escaped.
            Some(end) => {
                let after = &text[end..];
                let after = after.strip_prefix('"').unwrap_or(after);
                (text[..end].to_owned(), after)
            }
            None => quoted(text),
        };
    }
    let end = object(text)
        .or_else(|| text.find([' ', '\t', ',']))
        .unwrap_or(text.len());
    (text[..end].to_owned(), &text[end..])
}

/// The text up to the closing quotation mark, with backslash escapes resolved, and the rest. Without a
/// closing mark the value ends at a comma, so that it does not take the parameters after it along.
fn quoted(text: &str) -> (String, &str) {
    let mut out = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (out, &text[at + 1..]),
            '\\' => out.extend(characters.next().map(|(_, escaped)| escaped)),
            other => out.push(other),
        }
    }
    let end = text.find(',').unwrap_or(text.len());
    (text[..end].to_owned(), &text[end..])
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
    fn unusable_claims_hide_no_others_and_bearer_comes_first() {
        const CLAIMS: &str = "eyJhY2Nlc3NfdG9rZW4iOnt9fQ";
        let expected = r#"{"access_token":{}}"#;
        for value in [
            format!(r#"PoP claims="", Bearer claims="{CLAIMS}""#),
            format!(r#"Bearer claims="e30gbm90IEpTT04", claims="{CLAIMS}""#),
            format!(r#"PoP claims="eyJhIjoxfQ", Bearer claims="{CLAIMS}""#),
            format!(
                r#"Bearer error_description="Zugriff verweigert für den Benutzer", claims="{CLAIMS}""#
            ),
            format!(r#"Bearer realm="no end, error=insufficient_claims, claims={CLAIMS}"#),
        ] {
            let mut headers = HeaderMap::new();
            let header = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.insert(header::WWW_AUTHENTICATE, header);
            assert_eq!(
                claims_challenge(&headers).as_deref(),
                Some(expected),
                "{value}"
            );
            // In one of the encodings before UTF-8.
            let latin: Vec<u8> = value.chars().map(|character| character as u8).collect();
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_bytes(&latin).unwrap(),
            );
            assert_eq!(
                claims_challenge(&headers).as_deref(),
                Some(expected),
                "{value}"
            );
        }
        let own = challenge(r#"PoP claims="eyJhIjoxfQ", Bearer error="invalid_token""#);
        assert_eq!(own.as_deref(), Some(r#"{"a":1}"#));
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
