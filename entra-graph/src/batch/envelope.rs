//! What `$batch` looks like on the wire.

use std::{borrow::Cow, collections::HashMap};

use base64::{
    Engine,
    engine::{
        DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig,
        general_purpose::URL_SAFE as BASE64,
    },
};
use entra_core::{
    Pipeline,
    bytes::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{
    client::{Call, JSON, Payload, Reply},
    error::{Error, ServiceError},
    model::{SecretBuffer, without_bom},
};

/// The body of a request with these calls, each with its id and the ids that it depends on.
#[inline]
pub(super) fn write<'a>(
    root: &str,
    calls: impl IntoIterator<Item = (usize, &'a Call, Vec<usize>)>,
) -> Bytes {
    let mut body = SecretBuffer::default();
    body.push(b"{\"requests\":[");
    for (at, (id, call, after)) in calls.into_iter().enumerate() {
        if at > 0 {
            body.push(b",");
        }
        body.push(b"{\"id\":");
        body.push_json(&id.to_string());
        body.push(b",\"method\":");
        body.push_json(call.method.as_str());
        body.push(b",\"url\":");
        body.push_json(&relative(root, call));
        if !after.is_empty() {
            let after: Vec<String> = after.iter().map(ToString::to_string).collect();
            body.push(b",\"dependsOn\":");
            body.push_json(&after);
        }
        let mut headers: Vec<(HeaderName, HeaderValue)> = call.headers();
        let content_type = match &call.body {
            Some(payload) => Some(payload.content_type.clone()),
            None => is_write(&call.method).then_some(JSON),
        };
        headers.extend(content_type.map(|content_type| (header::CONTENT_TYPE, content_type)));
        let headers: HashMap<&str, &str> = headers
            .iter()
            // The token goes with the whole and nowhere else.
            .filter(|(name, _)| *name != header::AUTHORIZATION)
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
            .collect();
        body.push(b",\"headers\":");
        body.push_json(&headers);
        match &call.body {
            Some(payload) => {
                body.push(b",\"body\":");
                write_body(&mut body, payload);
            }
            None if is_write(&call.method) => body.push(b",\"body\":{}"),
            None => {}
        }
        body.push(b"}");
    }
    body.push(b"]}");
    body.into_bytes()
}

/// Whether Graph rejects the whole batch if a request with this method has no body, as actions without parameters
/// (msgraph-sdk-dotnet issue 2628).
#[inline]
fn is_write(method: &Method) -> bool {
    [Method::POST, Method::PATCH, Method::PUT].contains(method)
}

/// JSON goes as it is, anything else as base64 for URLs.
#[inline]
fn write_body(body: &mut SecretBuffer, payload: &Payload) {
    if is_json(payload.content_type.to_str().unwrap_or_default()) {
        body.push(&payload.bytes);
    } else {
        body.push_json(&BASE64.encode(&payload.bytes));
    }
}

/// The address below the version.
#[inline]
fn relative(root: &str, call: &Call) -> String {
    let url = call.url.as_str();
    format!(
        "/{}",
        url.strip_prefix(root)
            .unwrap_or(url)
            .trim_start_matches('/')
    )
}

/// Whether a call can be part of a batch.
///
/// Its JSON goes into the body of the batch as it is, so it must be one whole value. Otherwise it would make the other
/// requests invalid, or add some.
///
/// # Errors
/// `Query`
#[inline]
pub(super) fn check(call: &Call) -> Result<(), Error> {
    let invalid = |name: &HeaderName| {
        Error::query(format!(
            "the header {name} has characters that a batch cannot hold"
        ))
    };
    for (name, value) in call.headers() {
        value.to_str().map_err(|_| invalid(&name))?;
    }
    let Some(payload) = &call.body else {
        return Ok(());
    };
    let content_type = payload.content_type.to_str();
    let content_type = content_type.map_err(|_| invalid(&header::CONTENT_TYPE))?;
    if is_json(content_type) && serde_json::from_slice::<&RawValue>(&payload.bytes).is_err() {
        return Err(Error::query(
            "the body of a request in a batch is not one JSON value",
        ));
    }
    Ok(())
}

/// The responses by id; `None` for an id with several. A response that cannot be read is left out, so that it does not
/// take those of the other requests with it.
#[inline]
pub(super) fn read(
    whole: &Reply,
    pipeline: &Pipeline,
) -> Result<HashMap<usize, Option<Reply>>, Error> {
    let body = without_bom(&whole.body);
    let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(|source| {
        match ServiceError::inside_of_success(body) {
            Some(error) => Error::service_in_success(error),
            None => Error::decode("the response is not that of a batch", source),
        }
    })?;
    let mut replies = HashMap::new();
    for response in envelope.responses {
        let response: Option<ItemResponse<'_>> = serde_json::from_str(response.get()).ok();
        let Some((id, response)) = response.and_then(|one| Some((one.index()?, one))) else {
            continue;
        };
        replies
            .entry(id)
            .and_modify(|known| *known = None)
            .or_insert_with(|| Some(response.reply(whole, pipeline)));
    }
    Ok(replies)
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    responses: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct ItemResponse<'a> {
    /// A text, or the same number as a number.
    id: Value,
    status: u16,
    headers: Option<HashMap<String, Value>>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

impl ItemResponse<'_> {
    #[inline]
    fn index(&self) -> Option<usize> {
        text_of(&self.id)?.parse().ok()
    }

    #[inline]
    fn reply(self, whole: &Reply, pipeline: &Pipeline) -> Reply {
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers.into_iter().flatten() {
            if let (Ok(name), Some(Ok(value))) = (
                HeaderName::from_bytes(name.as_bytes()),
                text_of(&value).map(|text| HeaderValue::from_str(&text)),
            ) {
                headers.insert(name, value);
            }
        }
        // The parts were made when the whole was.
        if let Some(date) = whole.headers.get(header::DATE)
            && !headers.contains_key(header::DATE)
        {
            headers.insert(header::DATE, date.clone());
        }
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let content_type = text(header::CONTENT_TYPE).unwrap_or("application/json");
        let body = self
            .body
            .map_or_else(Bytes::new, |json| body(json.get(), content_type));
        let retry_after = pipeline.retry_after(&headers);
        let client_request_id = headers
            .get("client-request-id")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        Reply {
            // Graph sends valid status codes; an invalid one counts as a transient failure.
            status: StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_GATEWAY),
            headers,
            body,
            client_request_id,
            stop_reason: None,
            attempts: None,
            // An earlier attempt of the whole may have been processed, and then all of its parts were.
            unsure: whole.unsure,
            retry_after,
        }
    }
}

/// A text, a number or a truth value as text. Services differ in how they write a header.
#[inline]
fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(number.to_string().into()),
        Value::Bool(flag) => Some(flag.to_string().into()),
        Value::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(text_of).collect();
            Some(items?.join(", ").into())
        }
        Value::Null | Value::Object(_) => None,
    }
}

/// The bytes of a body: JSON, or base64 of something else, or a text.
#[inline]
fn body(json: &str, content_type: &str) -> Bytes {
    if is_json(content_type) || !json.starts_with('"') {
        return match json {
            "null" => Bytes::new(),
            json => Bytes::copy_from_slice(json.as_bytes()),
        };
    }
    let text: String = serde_json::from_str(json).unwrap_or_default();
    if content_type.starts_with("text/") {
        return text.into();
    }
    match ANY_BASE64.decode(text.replace('-', "+").replace('_', "/")) {
        Ok(bytes) => bytes.into(),
        Err(_) => text.into(),
    }
}

#[inline]
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json") || essence.ends_with("+json")
}

const ANY_BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_json_base64_or_text() {
        assert_eq!(
            body(r#"{"a":1}"#, "application/json;odata.metadata=minimal"),
            r#"{"a":1}"#
        );
        assert_eq!(body(r#""text""#, "application/json"), r#""text""#);
        assert_eq!(
            body(r#""/9j/4A==""#, "image/jpeg"),
            &b"\xff\xd8\xff\xe0"[..]
        );
        assert_eq!(body(r#""_9j_4A""#, "image/jpeg"), &b"\xff\xd8\xff\xe0"[..]);
        assert_eq!(body(r#""12""#, "text/plain"), "12");
        assert_eq!(body("12", "text/plain"), "12");
        assert!(body("null", "application/json").is_empty());
    }
}
