//! The sign-in side: discovery, keys and the token endpoint.
//!
//! One file per grant; [`token`] reads the form and hands over to the grant.

mod client;
mod client_assertion;
mod client_assertion_certificate;
mod client_credentials;
mod context;
mod discovery;
mod error;
mod form;
mod mint;
mod resource;
mod sign_in;
mod token;
mod verify;

use std::sync::RwLock;

use entra_core::Timestamp;

use crate::{
    state::State,
    wire::{Reply, WireRequest},
};

#[cfg(feature = "wiremock")]
pub(crate) use client_assertion_certificate::{remove_all, revoke_all};
pub(crate) use {client_assertion_certificate::Certificate, verify::caller};

use context::Context;

/// Answers every path that is not Graph's.
pub(crate) fn respond(state: &RwLock<State>, now: Timestamp, request: &WireRequest) -> Reply {
    let path = request.path.to_ascii_lowercase();
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let context = |version| Context::new(state, now, request, version);
    match segments.as_slice() {
        ["common", "discovery", "instance"] => discovery::instance(&context(Version::V2)),
        [_, "userrealm", user] => discovery::user_realm(&context(Version::V2), user),
        [tenant, "v2.0", ".well-known", "openid-configuration"] => {
            discovery::openid(&context(Version::V2), tenant)
        }
        [tenant, ".well-known", "openid-configuration"] => {
            discovery::openid(&context(Version::V1), tenant)
        }
        [tenant, "discovery", "v2.0", "keys"] => discovery::keys(&context(Version::V2), tenant),
        [tenant, "discovery", "keys"] => discovery::keys(&context(Version::V1), tenant),
        [tenant, "oauth2", "v2.0", "token"] => token::respond(&context(Version::V2), tenant),
        [tenant, "oauth2", "token"] => token::respond(&context(Version::V1), tenant),
        _ => error::not_supported(&format!("{} {}", request.method, request.path)),
    }
}

/// Which generation of endpoint was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}
