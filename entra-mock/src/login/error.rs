//! Refusals as Entra words them: an AADSTS number, and the OAuth error that goes with it.

use serde_json::{Map, json};

use super::context::{Context, plain_text};
use crate::{state::iso_with_space, wire::Reply};

/// A refusal, before it is rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LoginError {
    pub(super) code: u32,
    text: String,
}

impl LoginError {
    /// The code decides error name and status; `text` is ours, in one or two sentences.
    pub(super) fn new(code: u32, text: impl AsRef<str>) -> Self {
        Self {
            code,
            text: plain_text(text.as_ref()),
        }
    }

    pub(super) fn missing_parameter(name: &str) -> Self {
        Self::new(
            900_144,
            format!("The request body must contain the parameter '{name}'."),
        )
    }

    pub(super) fn render(&self, context: &Context<'_>) -> Reply {
        let (error, status) = oauth(self.code);
        let (trace, correlation, time) = (
            context.trace_id,
            context.correlation_id,
            iso_with_space(context.now),
        );
        let description = format!(
            "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}",
            self.code, self.text
        );
        let body = json!({
            "error": error,
            "error_description": description,
            "error_codes": [self.code],
            "timestamp": time,
            "trace_id": trace.to_string(),
            "correlation_id": correlation.to_string(),
            "error_uri": format!("{}/error?code={}", plain_text(context.base()), self.code),
        });
        with_headers(Reply::json(status, &body), context)
    }
}

/// A successful answer of the token endpoint or of discovery.
pub(super) fn success(context: &Context<'_>, body: Map<String, serde_json::Value>) -> Reply {
    with_headers(Reply::json(200, &body.into()), context)
}

/// Something a real tenant can do and this one cannot: said loudly, never an empty success.
pub(super) fn not_supported(what: &str) -> Reply {
    let body = json!({
        "error": "not_implemented",
        "error_description": plain_text(&format!("entra-mock does not support {what}")),
    });
    Reply::json(501, &body)
}

fn with_headers(reply: Reply, context: &Context<'_>) -> Reply {
    let reply = reply
        .with_header("cache-control", "no-store, no-cache")
        .with_header("pragma", "no-cache")
        .with_header("expires", "-1")
        .with_header("x-ms-request-id", context.trace_id.to_string())
        .with_header("x-ms-ests-server", "entra-mock");
    if context
        .request
        .header("return-client-request-id")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    {
        return reply.with_header("client-request-id", context.correlation_id.to_string());
    }
    reply
}

/// OAuth error and HTTP status of a code.
fn oauth(code: u32) -> (&'static str, u16) {
    match code {
        50_001 | 500_011 => ("invalid_resource", 400),
        50_049 => ("invalid_instance", 400),
        70_003 => ("unsupported_grant_type", 400),
        70_011 | 1_002_012 => ("invalid_scope", 400),
        90_002 => ("invalid_tenant", 400),
        501_051 => ("invalid_grant", 400),
        700_016 | 7_000_112 => ("unauthorized_client", 400),
        50_032 => ("invalid_client", 400),
        50_048 | 700_021 | 700_024 | 700_027 | 1_000_502 | 5_002_723 | 5_002_738 | 7_000_214
        | 7_000_215 | 7_000_216 | 7_000_222 => ("invalid_client", 401),
        // Among them 900561 (wrong verb), whose status is not documented.
        _ => ("invalid_request", 400),
    }
}
