//! What handlers read of a request.

use axum::{
    body::to_bytes,
    extract::Request,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use entra_core::url::form_urlencoded;

/// The body of a form, up to a limit.
pub(super) async fn form(request: Request) -> Result<String, Box<Response>> {
    let content_type = header_text(request.headers(), "content-type").unwrap_or_default();
    // In any letters, with parameters or without (RFC 9110, 8.3.1).
    let media_type = content_type.split(';').next().unwrap_or_default();
    if !media_type
        .trim()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Box::new(status.into_response()));
    }
    let body = to_bytes(request.into_body(), MAX_FORM_BYTES)
        .await
        .map_err(|_| Box::new(StatusCode::PAYLOAD_TOO_LARGE.into_response()))?;
    String::from_utf8(body.to_vec()).map_err(|_| Box::new(StatusCode::BAD_REQUEST.into_response()))
}

pub(super) fn parameter(text: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(text.as_bytes())
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
        .filter(|value| !value.is_empty())
}

pub(super) fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The `state` parameter, by which a callback finds its pending sign-in. It is validated later.
pub(super) fn state(parameters: &str) -> Option<String> {
    match parameters.len() <= MAX_FORM_BYTES {
        true => parameter(parameters, "state"),
        false => None,
    }
}

/// A response with a code, state and client information is much shorter.
const MAX_FORM_BYTES: usize = 64 * 1024;
