//! What a fault does to a request.

use std::time::Duration;

use serde_json::Value;

use super::Planned;
use crate::{
    login,
    wire::{Delivery, Reply, WireRequest, is_graph},
};

#[derive(Clone, Debug)]
pub(super) enum Effect {
    Status {
        status: u16,
        retry_after: Option<String>,
    },
    SignInError(u32),
    EmptyPage,
    RepeatNextLink,
    ForeignNextLink(String),
    TruncatedBody,
    GarbageBody,
    ClosedConnection,
    ResetConnection,
    Delay(Duration),
    Trickle(Duration),
    ContentType(String),
    StaleKeys,
}

impl Planned {
    /// Returns the response that replaces the tenant's own.
    pub(crate) fn replacement(&self, request: &WireRequest) -> Option<Reply> {
        match self.effect.as_ref()? {
            Effect::Status {
                status,
                retry_after,
            } => {
                let reply = Reply::json(*status, &error_body(*status, request));
                Some(match retry_after {
                    Some(value) => reply.with_header("retry-after", value.clone()),
                    None => reply,
                })
            }
            Effect::SignInError(code) => {
                let (error, status) = login::oauth(*code);
                let body = serde_json::json!({
                    "error": error, "error_codes": [code],
                    "error_description": format!("AADSTS{code}: A fault was injected into this request."),
                });
                Some(Reply::json(status, &body))
            }
            Effect::EmptyPage => {
                let link = with_marker(request);
                Some(Reply::json(
                    200,
                    &serde_json::json!({ "value": [], "@odata.nextLink": link }),
                ))
            }
            _ => None,
        }
    }

    /// Returns the tenant's own response with the fault applied.
    pub(crate) fn change(&self, request: &WireRequest, mut reply: Reply) -> Reply {
        match &self.effect {
            Some(Effect::RepeatNextLink) => set_next_link(&mut reply, |_| own_url(request)),
            Some(Effect::ForeignNextLink(origin)) => set_next_link(&mut reply, |link| {
                let rest = link.strip_prefix(request.base.as_str()).map(str::to_owned);
                format!("{origin}{}", rest.unwrap_or_else(|| request.path.clone()))
            }),
            Some(Effect::TruncatedBody) => reply.delivery = Delivery::CutInBody,
            Some(Effect::GarbageBody) => {
                reply.body = "<html><body>This is not JSON.</body></html>".into()
            }
            Some(Effect::ClosedConnection) => reply.delivery = Delivery::NoResponse,
            Some(Effect::ResetConnection) => reply.delivery = Delivery::Reset,
            Some(Effect::Delay(delay)) => reply.delay = *delay,
            Some(Effect::Trickle(pause)) => reply.delivery = Delivery::Trickle(*pause),
            Some(Effect::ContentType(content_type)) => {
                reply.headers.retain(|(name, _)| *name != "content-type");
                reply = reply.with_header("content-type", content_type.clone());
            }
            Some(Effect::StaleKeys) => remove_newest_key(&mut reply),
            _ => {}
        }
        reply
    }
}

/// Replaces or adds the next link of a page. Everything else stays unchanged.
fn set_next_link(reply: &mut Reply, link: impl FnOnce(&str) -> String) {
    let Ok(Value::Object(mut body)) = serde_json::from_slice(&reply.body) else {
        return;
    };
    if !body.get("value").is_some_and(Value::is_array) {
        return;
    }
    let before = body
        .get(NEXT_LINK)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    body.insert(NEXT_LINK.to_owned(), link(&before).into());
    reply.body = Value::Object(body).to_string().into();
}

/// Removes the last key of a JWKS: the keys of a tenant are listed from the oldest on.
fn remove_newest_key(reply: &mut Reply) {
    let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) else {
        return;
    };
    if let Some(keys) = body.get_mut("keys").and_then(Value::as_array_mut) {
        keys.pop();
        reply.body = body.to_string().into();
    }
}

fn own_url(request: &WireRequest) -> String {
    match request.query.as_deref() {
        Some(query) => format!("{}{}?{query}", request.base, request.path),
        None => format!("{}{}", request.base, request.path),
    }
}

fn with_marker(request: &WireRequest) -> String {
    let separator = if request
        .query
        .as_deref()
        .is_some_and(|query| !query.is_empty())
    {
        '&'
    } else {
        '?'
    };
    format!("{}{separator}{MARKER}", own_url(request))
}

/// Removes the marker of an inserted page's next link. Returns whether it was present.
pub(super) fn strip_marker(request: &mut WireRequest) -> bool {
    let Some(query) = request
        .query
        .as_deref()
        .and_then(|query| query.strip_suffix(MARKER))
    else {
        return false;
    };
    let query = query.trim_end_matches('&').to_owned();
    request.query = Some(query).filter(|query| !query.is_empty());
    true
}

fn error_body(status: u16, request: &WireRequest) -> Value {
    if is_graph(&request.path) {
        let code = match status {
            400 => "Request_BadRequest",
            401 => "InvalidAuthenticationToken",
            403 => "Authorization_RequestDenied",
            404 => "Request_ResourceNotFound",
            409 => "Request_Conflict",
            410 => "syncStateNotFound",
            412 => "preconditionFailed",
            429 => "TooManyRequests",
            500 => "InternalServerError",
            502 => "BadGateway",
            503 => "ServiceUnavailable",
            504 => "GatewayTimeout",
            _ => "UnknownError",
        };
        return serde_json::json!({ "error": { "code": code, "message": "A fault was injected into this request." } });
    }
    let (error, code) = match status {
        401 => ("invalid_client", 7_000_215),
        429 => ("temporarily_unavailable", 90_055),
        500..=599 => ("temporarily_unavailable", 90_033),
        _ => ("invalid_request", 90_010),
    };
    serde_json::json!({
        "error": error, "error_codes": [code],
        "error_description": format!("AADSTS{code}: A fault was injected into this request."),
    })
}

pub(super) const NEXT_LINK: &str = "@odata.nextLink";
/// Marks the end of the next link of an inserted empty page.
pub(super) const MARKER: &str = "entra-mock-page=again";
