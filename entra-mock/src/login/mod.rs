//! The sign-in side: discovery, keys, pages and tokens.
//!
//! One file per grant. [`token`] reads the form and calls the grant.

mod account;
mod admin_consent;
mod agent;
mod agent_exchange;
mod application_claims;
mod application_roles;
mod applied_policies;
mod authorization;
mod authorize;
mod browser;
mod claims;
mod client;
mod client_assertion;
mod client_assertion_certificate;
mod client_authentication;
mod client_credentials;
mod code;
mod consent;
mod context;
mod continuous_access;
mod cross_origin;
mod device;
mod direct;
mod discovery;
mod error;
mod expression;
mod federated;
mod first_party;
mod form;
mod groups;
mod identify;
mod logout;
mod managed_identity;
mod methods;
mod mint;
mod on_behalf_of;
mod other_paths;
mod page;
mod parameters;
mod password;
mod policy;
mod redirect;
mod refresh;
mod resource;
mod resource_manager;
mod resource_parameter;
mod response_type;
mod scope;
mod sign_in;
mod tenant_restrictions;
mod token;
mod token_error;
mod token_subject;
mod user_fic;
mod user_grant;
mod user_sign_in;
mod user_token;
mod userinfo;
mod v1;
mod verify;

use std::sync::RwLock;

use entra_core::Timestamp;

use crate::{
    state::State,
    wire::{Reply, WireRequest},
};

#[cfg(any(feature = "server", feature = "wiremock"))]
pub(crate) use agent::{PARENT, add_identity as add_agent_identity};
#[cfg(feature = "server")]
pub(crate) use page::{escape, remedy};
pub(crate) use {
    client_assertion::proves_possession,
    client_assertion_certificate::{Certificate, remove_all, revoke_all},
    direct::{Direct, DirectRedirect, decide_device, follow, tokens_for},
    error::oauth,
    expression::ClaimsExpression,
    federated::{issue as issue_federated, published as published_keys},
    managed_identity::resource_id as managed_identity_resource_id,
    resource_manager::serves as is_resource_manager,
    verify::caller,
};

use context::{Context, Version};

/// Responds to every path that is not Graph's.
pub(crate) fn respond(state: &RwLock<State>, now: Timestamp, request: &WireRequest) -> Reply {
    if request.method == "HEAD" {
        // The server leaves the body out.
        let request = WireRequest {
            method: "GET".to_owned(),
            ..request.clone()
        };
        return respond(state, now, &request);
    }
    let path = request.path.to_ascii_lowercase();
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let context = |version| Context::new(state, now, request, version);
    if resource_manager::serves(request) {
        return resource_manager::respond(&context(Version::V2));
    }
    if let Some(reply) = methods::not_allowed(&request.method, &segments) {
        return reply;
    }
    match segments.as_slice() {
        [] => start_page(&context(Version::V2)),
        ["common", "discovery", "instance"] => discovery::instance(&context(Version::V2)),
        [_, "userrealm", user] => discovery::user_realm(&context(Version::V2), user),
        [tenant, "v2.0", ".well-known", "openid-configuration"] => {
            discovery::openid(&context(Version::V2), tenant)
        }
        [tenant, ".well-known", "openid-configuration"] => {
            discovery::openid(&context(Version::V1), tenant)
        }
        // Metadata that Entra does not have, which clients probe for: RFC 8414, and the inserted form of
        // OpenID Connect Discovery. A 5xx would end their discovery.
        segments if segments.contains(&".well-known") => Reply::new(404),
        [tenant, "discovery", "v2.0", "keys"] => discovery::keys(&context(Version::V2), tenant),
        [tenant, "discovery", "keys"] => discovery::keys(&context(Version::V1), tenant),
        ["msi", "token"] => managed_identity::respond(&context(Version::V1)),
        ["metadata", "identity", "oauth2", "token"] => {
            managed_identity::respond_as_host(&context(Version::V1))
        }
        ["error"] => error_page(&context(Version::V2)),
        ["devicelogin"] => device::page(&context(Version::V2)),
        [tenant, "oauth2", "v2.0", "authorize"] => {
            authorize::respond(&context(Version::V2), tenant)
        }
        [tenant, "oauth2", "authorize"] => authorize::respond(&context(Version::V1), tenant),
        [tenant, "v2.0", "adminconsent"] => admin_consent::respond(&context(Version::V2), tenant),
        [tenant, "adminconsent"] => admin_consent::respond(&context(Version::V1), tenant),
        [_, "oauth2", "v2.0", "logout"] => logout::respond(&context(Version::V2)),
        [_, "oauth2", "logout"] => logout::respond(&context(Version::V1)),
        [tenant, "oauth2", "v2.0", "devicecode"] => device::start(&context(Version::V2), tenant),
        [tenant, "oauth2", "devicecode"] => device::start(&context(Version::V1), tenant),
        [tenant, "oauth2", "v2.0", "token"] => token::respond(&context(Version::V2), tenant),
        [tenant, "oauth2", "token"] => token::respond(&context(Version::V1), tenant),
        ["oidc", "userinfo"] | [_, "openid", "userinfo"] => {
            userinfo::respond(&context(Version::V2))
        }
        // The page at which native applications take the code out of the address of a browser.
        [_, "oauth2", "nativeclient"] => Reply::new(200),
        segments => other_paths::respond(request, segments),
    }
}

/// `/`
fn start_page(context: &Context<'_>) -> Reply {
    let (tenant_id, domain) = {
        let state = context.read();
        (
            state.tenant_id.to_string(),
            state.default_domain().to_owned(),
        )
    };
    page::start(context.base(), &tenant_id, &domain).reply(context)
}

/// `/error?code=…`, the `error_uri` of every error.
fn error_page(context: &Context<'_>) -> Reply {
    let code: u32 = context
        .query("code")
        .and_then(|code| code.parse().ok())
        .unwrap_or_default();
    let heading = format!("AADSTS{code}");
    page::message(&heading, page::remedy(code)).reply(context)
}

/// The issuer of tokens at a URL, of version 1 or 2.
pub(crate) fn issuer(base: &str, v2: bool, tenant: &str) -> String {
    let version = if v2 { Version::V2 } else { Version::V1 };
    discovery::issuer_at(base, version, tenant)
}
