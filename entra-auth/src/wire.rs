//! Token responses and error responses (RFC 6749, section 5). Numbers may be strings; missing members
//! are errors.

use std::{fmt::Write, time::Duration};

use entra_core::{Secret, Timestamp, http::StatusCode, parse_rfc3339};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::skew::ClockDifference;

/// A successful token response.
#[derive(Debug)]
pub(crate) struct TokenResponse {
    pub(crate) access_token: Secret,
    pub(crate) expires_in: Duration,
    pub(crate) refresh_in: Option<Duration>,
    pub(crate) user_fields: UserTokenFields,
}

/// The members of a token response that belong to a user, which are secret, and the clock of the
/// service.
#[derive(Debug, Default)]
pub(crate) struct UserTokenFields {
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) id_token: Option<Secret>,
    pub(crate) client_info: Option<Secret>,
    /// By the `Date` header of the response.
    pub(crate) clock_difference: Option<ClockDifference>,
}

/// An OAuth error response. Its texts are cleaned for logs and headers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct OAuthError {
    pub(crate) oauth_error: Option<String>,
    pub(crate) suberror: Option<String>,
    pub(crate) codes: Vec<u32>,
    pub(crate) message: Option<String>,
    pub(crate) timestamp: Option<Timestamp>,
    pub(crate) trace_id: Option<String>,
    pub(crate) correlation_id: Option<String>,
    pub(crate) claims: Option<String>,
}

/// The text without the byte order mark that some services put in front (RFC 8259, section 8.1).
#[inline]
pub(crate) fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// Why a token response is invalid. Contains no part of the response, which holds a token.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MalformedResponse(pub(crate) String);

impl TokenResponse {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, MalformedResponse> {
        let raw: RawTokenResponse = serde_json::from_slice(without_bom(body)).map_err(|error| {
            // Its text may quote the body.
            let what = if error.is_data() {
                "holds an unexpected type"
            } else {
                "is not JSON"
            };
            MalformedResponse(format!(
                "the body {what} (line {}, column {})",
                error.line(),
                error.column()
            ))
        })?;
        let malformed = |what: &str| MalformedResponse(what.to_owned());
        match raw.token_type {
            Some(kind) if kind.eq_ignore_ascii_case("bearer") => {}
            Some(_) => return Err(malformed("token_type is not Bearer")),
            None => return Err(malformed("token_type is missing")),
        }
        let access_token = raw
            .access_token
            .ok_or_else(|| malformed("access_token is missing"))?;
        let text = access_token.expose_secret();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(malformed(
                "access_token is empty or holds characters that no header can carry",
            ));
        }
        let expires_in = raw
            .expires_in
            .as_ref()
            .and_then(seconds)
            .ok_or_else(|| malformed("expires_in is missing or no number"))?;
        if expires_in.is_zero() || expires_in > LONGEST {
            return Err(malformed("expires_in is not between 1 second and 1 year"));
        }
        let refresh_in = raw
            .refresh_in
            .as_ref()
            .and_then(seconds)
            .filter(|refresh| !refresh.is_zero() && *refresh < expires_in);
        Ok(Self {
            access_token,
            expires_in,
            refresh_in,
            user_fields: UserTokenFields {
                refresh_token: raw.refresh_token.filter(|token| !token.is_empty()),
                id_token: raw.id_token.filter(|token| !token.is_empty()),
                client_info: raw.client_info,
                clock_difference: None,
            },
        })
    }
}

impl OAuthError {
    /// Parses an error response. `None` if it is not an OAuth error.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let body: Map<String, Value> = serde_json::from_slice(without_bom(body)).ok()?;
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let description = text("error_description").unwrap_or_default();
        let mut codes: Vec<u32> = body
            .get("error_codes")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|code| u32::try_from(seconds(code)?.as_secs()).ok())
            .collect();
        if codes.is_empty() {
            codes.extend(code_in(description));
        }
        let oauth_error = text("error").and_then(token);
        if oauth_error.is_none() && codes.is_empty() {
            return None;
        }
        Some(Self {
            oauth_error,
            suberror: text("suberror").and_then(token),
            codes,
            message: first_line(description),
            timestamp: text("timestamp").and_then(timestamp),
            trace_id: text("trace_id").and_then(token),
            correlation_id: text("correlation_id").and_then(token),
            claims: text("claims")
                .filter(|claims| !claims.is_empty())
                .map(str::to_owned),
        })
    }

    /// Redacts secrets that the service repeats: the message loses them, and a code or id with a
    /// secret is dropped.
    pub(crate) fn without_secrets(self, redact: impl Fn(String) -> String) -> Self {
        let clean = |text: Option<String>| text.filter(|text| redact(text.clone()) == *text);
        Self {
            oauth_error: clean(self.oauth_error),
            suberror: clean(self.suberror),
            codes: self.codes,
            message: self.message.map(&redact),
            timestamp: self.timestamp,
            trace_id: clean(self.trace_id),
            correlation_id: clean(self.correlation_id),
            claims: clean(self.claims),
        }
    }
}

/// Returns a short word or id that is safe in a log line. `None` for any other text.
#[inline]
pub(crate) fn token(text: &str) -> Option<String> {
    let fits = !text.is_empty()
        && text.len() <= 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    fits.then(|| text.to_owned())
}

/// Whether a status alone means that a retry may succeed.
pub(crate) fn is_transient_status(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 500 | 502 | 503 | 504)
}

#[derive(Deserialize)]
struct RawTokenResponse {
    token_type: Option<String>,
    access_token: Option<Secret>,
    expires_in: Option<Value>,
    refresh_in: Option<Value>,
    refresh_token: Option<Secret>,
    id_token: Option<Secret>,
    client_info: Option<Secret>,
}

/// Whole seconds from a number or from a number in a string: v1 endpoints send strings.
pub(crate) fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => match number.as_u64() {
            Some(whole) => return Some(Duration::from_secs(whole)),
            None => number.as_f64()?,
        },
        Value::String(text) => match text.trim().parse::<u64>() {
            Ok(whole) => return Some(Duration::from_secs(whole)),
            Err(_) => text.trim().parse().ok()?,
        },
        _ => return None,
    };
    let whole = Duration::try_from_secs_f64(seconds).ok()?.as_secs();
    Some(Duration::from_secs(whole))
}

/// The digits after the first `AADSTS` of a description.
fn code_in(description: &str) -> Option<u32> {
    let (_, rest) = description.split_once("AADSTS")?;
    let end = rest
        .find(|digit: char| !digit.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// The description up to its ids, which newer responses append without a line break.
fn first_line(description: &str) -> Option<String> {
    let line = description.split(['\r', '\n']).next()?;
    let line = [" Trace ID:", " Correlation ID:", " Timestamp:"]
        .iter()
        .fold(line, |line, mark| {
            line.split_once(mark).map_or(line, |(before, _)| before)
        });
    let mut text = String::new();
    for character in line.trim().chars().take(LONGEST_MESSAGE) {
        if character.is_control() || is_format(character) {
            let _ = write!(text, "{}", character.escape_default());
        } else {
            text.push(character);
        }
    }
    (!text.is_empty()).then_some(text)
}

/// Whether a character ends a line or turns the direction of the text where it is shown.
const fn is_format(character: char) -> bool {
    matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `2026-01-02 03:04:05Z`, which is RFC 3339 but for the blank.
fn timestamp(text: &str) -> Option<Timestamp> {
    parse_rfc3339(&text.trim().replacen(' ', "T", 1))
}

const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);
const LONGEST_MESSAGE: usize = 300;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secret_repeated_in_any_field_is_redacted() {
        let secret = "canary-zyx5e1fxyz";
        let body = json!({
            "error": secret, "error_codes": [7_000_215], "suberror": secret, "trace_id": secret,
            "correlation_id": secret, "claims": secret, "error_description": format!("not {secret}"),
        });
        let error_response = OAuthError::parse(body.to_string().as_bytes()).unwrap();
        let error_response = error_response.without_secrets(|text| text.replace(secret, "…"));
        assert!(
            !format!("{error_response:?}").contains(secret),
            "{error_response:?}"
        );
        assert_eq!(error_response.message.as_deref(), Some("not …"));
        assert_eq!(error_response.codes, [7_000_215]);
    }

    fn parsed(body: &str) -> Result<(u64, Option<u64>), String> {
        TokenResponse::parse(body.as_bytes())
            .map(|parsed| {
                (
                    parsed.expires_in.as_secs(),
                    parsed.refresh_in.map(|refresh| refresh.as_secs()),
                )
            })
            .map_err(|MalformedResponse(what)| what)
    }

    #[test]
    fn numbers_are_read_as_numbers_and_as_strings() {
        let with = |expires: &str, refresh: &str| {
            parsed(&format!(
                r#"{{"token_type":"Bearer","access_token":"t","expires_in":{expires},"refresh_in":{refresh},"ext_expires_in":"x","new":[]}}"#
            ))
        };
        assert_eq!(with("3599", "null"), Ok((3599, None)));
        assert_eq!(with("\"3599\"", "\"1800\""), Ok((3599, Some(1800))));
        assert_eq!(with("3599.9", "1800.0"), Ok((3599, Some(1800))));
        assert_eq!(with("\" 86399 \"", "43199"), Ok((86399, Some(43199))));
        assert_eq!(with("3599", "3599"), Ok((3599, None)), "later than the end");
        assert_eq!(with("3599", "\"soon\""), Ok((3599, None)));
        for bad in [
            "0",
            "-1",
            "null",
            "\"\"",
            "\"soon\"",
            "[]",
            "1e300",
            "99999999999",
            "18446744073709551615",
        ] {
            with(bad, "null").unwrap_err();
        }
    }

    #[test]
    fn token_response_with_a_missing_member_is_rejected_and_names_it() {
        for (body, what) in [
            ("", "is not JSON"),
            ("<html>", "is not JSON"),
            (r#"{"token_type":"Bearer""#, "is not JSON"),
            (r#""secret-looking text""#, "unexpected type"),
            (r#"{"token_type":5}"#, "unexpected type"),
            (
                r#"{"access_token":"t","expires_in":1}"#,
                "token_type is missing",
            ),
            (
                r#"{"token_type":"pop","access_token":"t","expires_in":1}"#,
                "not Bearer",
            ),
            (
                r#"{"token_type":"bearer","expires_in":1}"#,
                "access_token is missing",
            ),
            (
                r#"{"token_type":"bearer","access_token":"","expires_in":1}"#,
                "access_token is empty",
            ),
            (
                r#"{"token_type":"bearer","access_token":"a\nb","expires_in":1}"#,
                "no header",
            ),
            (
                r#"{"token_type":"bearer","access_token":"t"}"#,
                "expires_in is missing",
            ),
        ] {
            let found = parsed(body).unwrap_err();
            assert!(found.contains(what), "{body}: {found}");
            assert!(!found.contains("secret-looking"), "{found}");
        }
    }

    #[test]
    fn every_member_of_an_error_response_is_read() {
        let body = concat!(
            r#"{"error":"invalid_grant","suberror":"basic_action","error_description":"AADSTS50076: Factor needed. \r\nTrace ID: t\r\n","#,
            r#""error_codes":[50076,"70002"],"timestamp":"2026-01-02 03:04:05Z","trace_id":"33333333-3333-3333-3333-333333333333","#,
            r#""correlation_id":"44444444-4444-4444-4444-444444444444","claims":"{\"access_token\":{}}"}"#
        );
        let error_response = OAuthError::parse(body.as_bytes()).unwrap();
        assert_eq!(error_response.oauth_error.as_deref(), Some("invalid_grant"));
        assert_eq!(error_response.suberror.as_deref(), Some("basic_action"));
        assert_eq!(error_response.codes, [50076, 70002]);
        assert_eq!(
            error_response.message.as_deref(),
            Some("AADSTS50076: Factor needed.")
        );
        assert_eq!(
            error_response.timestamp.unwrap().unix_timestamp(),
            1_767_323_045
        );
        assert_eq!(
            error_response.claims.as_deref(),
            Some("{\"access_token\":{}}")
        );
        assert!(error_response.trace_id.unwrap().starts_with("3333"));
        assert!(error_response.correlation_id.unwrap().starts_with("4444"));
    }

    #[test]
    fn incomplete_error_response_is_read() {
        let parse = |body: &str| OAuthError::parse(body.as_bytes());
        let newer = parse(r#"{"error":"invalid_client","error_description":"AADSTS7000222: Expired. Trace ID: a Correlation ID: b Timestamp: c"}"#).unwrap();
        assert_eq!(newer.codes, [7_000_222]);
        assert_eq!(newer.message.as_deref(), Some("AADSTS7000222: Expired."));
        let bare = parse(r#"{"error":"server_error"}"#).unwrap();
        assert_eq!(bare.codes, [0; 0]);
        let odd = parse(r#"{"error":"bad\nerror <b>","error_codes":[1],"trace_id":"x y","error_description":"a\u001b[31mred"}"#).unwrap();
        assert_eq!((odd.oauth_error, odd.trace_id), (None, None));
        assert_eq!(odd.message.as_deref(), Some("a\\u{1b}[31mred"));
        let turned =
            parse(r#"{"error":"x","error_description":"a\u202eb\u2028c\u2066d"}"#).unwrap();
        assert_eq!(
            turned.message.as_deref(),
            Some("a\\u{202e}b\\u{2028}c\\u{2066}d")
        );
        for none in ["", "<html>", "[]", "{}", r#"{"error":5}"#, "null"] {
            assert_eq!(parse(none), None, "{none}");
        }
    }
}
