//! Errors of Entra: an AADSTS number and the OAuth error that belongs to it.

use serde_json::{Map, json};

use super::context::{Context, plain_text, plain_text_up_to};
use crate::{state::iso_with_space, wire::Reply};

/// An error before it is rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LoginError {
    pub(super) code: u32,
    text: String,
    /// The OAuth error, if it does not follow from the code.
    named: Option<&'static str>,
    /// The `error_subcode` of a redirect: `cancel` if the user canceled.
    pub(super) subcode: Option<&'static str>,
    /// The conditional access policy for the claims challenge.
    policy: Option<String>,
}

impl LoginError {
    /// Creates an error. The code decides OAuth error and status; `text` is one or two sentences.
    pub(super) fn new(code: u32, text: impl AsRef<str>) -> Self {
        Self {
            code,
            // Long enough for several names and URLs, each shortened separately.
            text: plain_text_up_to(text.as_ref(), 800),
            named: None,
            subcode: None,
            policy: None,
        }
    }

    /// Sets the OAuth error.
    pub(super) const fn named(mut self, error: &'static str) -> Self {
        self.named = Some(error);
        self
    }

    pub(super) const fn with_subcode(mut self, subcode: &'static str) -> Self {
        self.subcode = Some(subcode);
        self
    }

    /// Sets the conditional access policy that caused the error.
    pub(super) fn by_policy(mut self, id: &str) -> Self {
        self.policy = Some(id.to_owned());
        self
    }

    /// The conditional access policy that caused the error.
    pub(super) fn policy(&self) -> Option<&str> {
        self.policy.as_deref()
    }

    /// Whether a conditional access policy caused the error.
    pub(super) const fn is_by_policy(&self) -> bool {
        self.policy.is_some()
    }

    /// The text without numbers and ids.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the account is disabled, which Entra says on a page of its own.
    pub(super) fn is_disabled_account(&self) -> bool {
        self.code == 50_057
    }

    /// OAuth error and HTTP status.
    pub(super) fn oauth(&self) -> (&'static str, u16) {
        let (error, status) = oauth(self.code);
        (self.named.unwrap_or(error), status)
    }

    /// The error description: number, text, ids.
    pub(super) fn description(&self, context: &Context<'_>) -> String {
        let number = match self.code {
            0 => String::new(),
            code => format!("AADSTS{code}: "),
        };
        format!(
            "{number}{} Trace ID: {} Correlation ID: {} Timestamp: {}",
            self.text,
            context.trace_id,
            context.correlation_id,
            iso_with_space(context.now)
        )
    }

    pub(super) fn missing_parameter(name: &str) -> Self {
        Self::new(
            900_144,
            format!("The request body must contain the parameter '{name}'."),
        )
    }

    pub(super) fn render(&self, context: &Context<'_>) -> Reply {
        let (error, status) = self.oauth();
        let mut body = json!({
            "error": error,
            "error_description": self.description(context),
            "error_codes": [self.code],
            "timestamp": iso_with_space(context.now),
            "trace_id": context.trace_id.to_string(),
            "correlation_id": context.correlation_id.to_string(),
            "error_uri": format!("{}/error?code={}", plain_text(context.base()), self.code),
        });
        if let Some(suberror) = suberror(self.code) {
            body["suberror"] = suberror.into();
        }
        if let Some(policy) = &self.policy {
            let claims = json!({ "access_token": { "capolids": { "essential": true, "values": [policy] } } });
            body["claims"] = claims.to_string().into();
        }
        if self.code == 0 {
            // Not every error has a number.
            body["error_codes"] = json!([]);
            body["error_uri"].take();
        }
        with_headers(Reply::json(status, &body), context)
    }
}

/// A successful response of the token endpoint or of discovery.
pub(super) fn success(context: &Context<'_>, body: Map<String, serde_json::Value>) -> Reply {
    with_headers(Reply::json(200, &body.into()), context)
}

/// The same with a body that is JSON already.
pub(super) fn success_json(context: &Context<'_>, body: String) -> Reply {
    with_headers(Reply::of_json(200, body), context)
}

/// Returns 501 for something that Entra supports and the fake tenant does not.
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

/// Returns OAuth error and HTTP status of a code.
pub(crate) fn oauth(code: u32) -> (&'static str, u16) {
    match code {
        500_011 | 500_014 | 50_001 | 650_057 => ("invalid_resource", 400),
        50_000 => ("server_error", 500),
        9_010_010 => ("invalid_target", 400),
        50_049 => ("invalid_instance", 400),
        70_003 | 82_001 => ("unsupported_grant_type", 400),
        28_000 | 28_003 | 70_011 | 1_002_012 => ("invalid_scope", 400),
        90_002 => ("invalid_tenant", 400),
        50_011 | 500_113 => ("invalid_request", 400),
        50_013 | 500_133 | 50_014 | 50_020 | 50_034 | 50_052 | 50_053 | 50_055 | 50_056
        | 50_057 | 50_076 | 50_105 | 50_126 | 50_135 | 50_158 | 50_173 | 53_000 | 53_001
        | 53_002 | 53_003 | 54_005 | 65_001 | 70_000 | 70_008 | 70_043 | 240_002 | 500_112
        | 500_341 | 501_051 | 501_481 | 530_084 | 700_082 | 700_084 => ("invalid_grant", 400),
        50_058 | 160_021 => ("login_required", 400),
        65_004 | 90_094 => ("access_denied", 400),
        70_005 | 700_051 | 700_054 => ("unsupported_response_type", 400),
        70_016 => ("authorization_pending", 400),
        70_018 => ("bad_verification_code", 400),
        70_019 | 70_020 => ("expired_token", 400),
        700_025 | 7_000_218 => ("invalid_client", 401),
        700_016 | 700_038 | 7_000_112 | 7_000_114 => ("unauthorized_client", 400),
        50_032 | 650_053 => ("invalid_client", 400),
        50_048 | 70_025 | 700_021 | 700_024 | 700_027 | 700_211 | 700_212 | 700_213 | 700_222
        | 700_229 | 7_002_137 | 1_000_502 | 5_002_723 | 5_002_738 | 7_000_214 | 7_000_215
        | 7_000_216 | 7_000_222 | 7_000_229 | 7_002_138 => ("invalid_client", 401),
        // Among them 900561 (wrong method), whose status is not documented.
        _ => ("invalid_request", 400),
    }
}

/// Returns the `suberror` of a code.
fn suberror(code: u32) -> Option<&'static str> {
    match code {
        50_055 => Some("user_password_expired"),
        50_076 | 50_158 => Some("basic_action"),
        53_000 | 53_001 | 53_002 | 53_003 | 530_084 => Some("message_only"),
        65_001 => Some("consent_required"),
        _ => None,
    }
}
