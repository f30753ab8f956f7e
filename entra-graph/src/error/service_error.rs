use serde_json::{Map, Value};

/// The content of Graph's error body; empty without such a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServiceError {
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) inner_codes: Vec<String>,
    pub(crate) details: Vec<ErrorDetail>,
    pub(crate) request_id: Option<String>,
}

/// One part of an error that is about several properties.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorDetail {
    /// The code, such as `PropertyConflict`.
    pub code: Option<String>,
    /// What is wrong.
    pub message: Option<String>,
    /// The property that it is about, such as `mailNickname`.
    pub target: Option<String>,
}

impl ServiceError {
    /// Parses any body: the documented one, HTML from a gateway, or nothing.
    ///
    /// This never fails, since a failure would hide the error itself.
    pub(crate) fn parse(body: &[u8]) -> Self {
        object(body)
            .and_then(|body| body.get("error").map(Self::read))
            .unwrap_or_default()
    }

    /// The error that a response with a status of success holds in place of its content, or beside a list. Its code may
    /// be empty.
    ///
    /// A resource with an `error` among its own properties, such as a failed long-running operation, is not an error:
    /// it has an id or a status of its own.
    #[inline]
    pub(crate) fn inside_of_success(body: &[u8]) -> Option<Self> {
        const NAME: &[u8] = b"\"error\"";
        if !body.windows(NAME.len()).any(|part| part == NAME) {
            return None;
        }
        let body = object(body)?;
        let error = body.get("error").filter(|error| !error.is_null())?;
        let is_alone = body
            .keys()
            .all(|name| matches!(name.as_str(), "error" | "value") || name.contains('@'));
        let is_resource = body.contains_key("id") || body.contains_key("status");
        let read = Self::read(error);
        let says_something = read.code.is_some() || read.message.is_some();
        (is_alone || says_something && !is_resource).then_some(read)
    }

    /// An error that was written into the middle of a response after it had begun as a success.
    pub(crate) fn salvage(body: &str) -> Option<Self> {
        let at = body.find(r#"{"error":"#)?;
        let mut values = serde_json::Deserializer::from_str(&body[at..]).into_iter::<Value>();
        let value = values.next()?.ok()?;
        let error = Self::read(value.get("error")?);
        error.code.is_some().then_some(error)
    }

    fn read(error: &Value) -> Self {
        let mut parsed = Self {
            code: text(error, "code"),
            message: text(error, "message"),
            ..Self::default()
        };
        let details = error.get("details").and_then(Value::as_array);
        parsed.details = details
            .into_iter()
            .flatten()
            .take(MOST_DETAILS)
            .map(|detail| ErrorDetail {
                code: text(detail, "code"),
                message: text(detail, "message"),
                target: text(detail, "target"),
            })
            .collect();
        let mut level = inner(error);
        while let Some(error) = level {
            parsed.inner_codes.extend(text(error, "code"));
            parsed.request_id = parsed.request_id.or_else(|| text(error, "request-id"));
            level = inner(error);
        }
        parsed
    }
}

/// A body as a JSON object. Graph sometimes puts a byte order mark in front.
fn object(body: &[u8]) -> Option<Map<String, Value>> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match serde_json::from_str(std::str::from_utf8(body).ok()?) {
        Ok(Value::Object(body)) => Some(body),
        _ => None,
    }
}

/// Both spellings are in use.
fn inner(error: &Value) -> Option<&Value> {
    error.get("innerError").or_else(|| error.get("innererror"))
}

/// A text on one line, cut at a maximum length; `None` if it is empty.
fn text(error: &Value, name: &str) -> Option<String> {
    let text = error.get(name)?.as_str()?;
    let line: String = text
        .chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .take(LONGEST_TEXT)
        .collect();
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

const LONGEST_TEXT: usize = 1000;
const MOST_DETAILS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_the_inner_error_are_read() {
        for name in ["innerError", "innererror"] {
            let body = format!(
                r#"{{"error":{{"code":"A","message":"m\nn","{name}":{{"date":"2026-01-01T00:00:00","request-id":"r1","client-request-id":"c1","code":"B","{name}":{{"code":"C"}}}}}}}}"#
            );
            let error = ServiceError::parse(body.as_bytes());
            assert_eq!(error.code.as_deref(), Some("A"));
            assert_eq!(error.message.as_deref(), Some("m n"));
            assert_eq!(error.inner_codes, ["B", "C"]);
            assert_eq!(error.request_id.as_deref(), Some("r1"));
        }
    }

    #[test]
    fn a_byte_order_mark_hides_nothing() {
        let body = b"\xef\xbb\xbf{\"error\":{\"code\":\"InternalServerError\",\"innerError\":{\"request-id\":\"r1\"}}}";
        let error = ServiceError::parse(body);
        assert_eq!(error.code.as_deref(), Some("InternalServerError"));
        assert_eq!(error.request_id.as_deref(), Some("r1"));
    }

    #[test]
    fn an_error_in_the_middle_of_a_page_is_cut_out() {
        let body = r#"{"value":[{"id":"1"},{"id":{"error":{"code":"BadRequest","message":"row","innerError":{"request-id":"r1"}}}"#;
        let error = ServiceError::salvage(body).unwrap();
        assert_eq!(error.code.as_deref(), Some("BadRequest"));
        assert_eq!(error.request_id.as_deref(), Some("r1"));
        for body in [r#"{"value":["#, r#"{"error":{"code""#, r#"{"error":7}"#] {
            assert_eq!(ServiceError::salvage(body), None);
        }
    }

    #[test]
    fn an_error_in_place_of_the_content_needs_no_code() {
        for (body, code) in [
            (r#"{"error":{"code":"A"}}"#, Some("A")),
            (
                r#"{"value":[],"error":{"code":"A"},"@odata.context":"c"}"#,
                Some("A"),
            ),
            (r#"{"error":{"code":"","message":"m"}}"#, None),
            (r#"{ "error" : {} }"#, None),
            (r#"{"error":"text"}"#, None),
            (r#"{"error":{"code":"A"},"statusCode":500}"#, Some("A")),
            (
                r#"{"requestId":"r","error":{"message":"m"},"traceId":"t"}"#,
                None,
            ),
        ] {
            let error = ServiceError::inside_of_success(body.as_bytes());
            let error = error.unwrap_or_else(|| panic!("{body}"));
            assert_eq!(error.code.as_deref(), code, "{body}");
        }
        for body in [
            "",
            "{\"error\"",
            r#"["error"]"#,
            r#"{"error":null,"value":[]}"#,
            r#"{"value":[{"error":{"code":"A"}}]}"#,
            r#"{"id":"1","status":"failed","error":{"code":"A"}}"#,
            r#"{"status":"failed","percentageComplete":4,"error":{"code":"A"}}"#,
            r#"{"id":"1","error":{"code":"A"}}"#,
            r#"{"name":"n","error":{"count":1}}"#,
        ] {
            assert_eq!(
                ServiceError::inside_of_success(body.as_bytes()),
                None,
                "{body}"
            );
        }
    }

    #[test]
    fn any_other_body_is_no_error_of_its_own() {
        for body in [
            "",
            "<html><body>502 Bad Gateway</body></html>",
            "null",
            "[]",
            "{}",
            r#"{"error":null}"#,
            r#"{"error":"text"}"#,
            r#"{"error":{"code":"","message":""}}"#,
            r#"{"error":{"code":7,"innerError":[1]}}"#,
        ] {
            assert_eq!(
                ServiceError::parse(body.as_bytes()),
                ServiceError::default(),
                "{body}"
            );
        }
    }
}
