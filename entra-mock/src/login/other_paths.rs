//! Paths that the sign-in side does not serve: those that Entra has and the fake tenant does not support, and
//! all others.

use super::error::not_supported;
use crate::wire::{Reply, WireRequest};

/// Responds with 501 or 404. `segments` are in lower case.
pub(super) fn respond(request: &WireRequest, segments: &[&str]) -> Reply {
    match is_of_entra(segments) {
        true => not_supported(&format!("{} {}", request.method, request.path)),
        false => not_found(request),
    }
}

/// Whether Entra has the path: protocols and pages that the fake tenant does not support.
fn is_of_entra(segments: &[&str]) -> bool {
    matches!(
        segments,
        [
            _,
            "saml2" | "wsfed" | "kerberos" | "getcredentialtype" | "login" | "reprocess"
        ] | [_, "oauth2", "v2.0", "logoutsession"]
            | [_, "federationmetadata", ..]
            | ["federationmetadata", ..]
    )
}

fn not_found(request: &WireRequest) -> Reply {
    let text = format!(
        "404: neither Entra nor Graph has the path {}.\n",
        super::context::plain_text(&request.path)
    );
    Reply::new(404)
        .with_header("content-type", "text/plain; charset=utf-8")
        .with_body(text)
}
