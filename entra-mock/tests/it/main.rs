//! The fake tenant over HTTP, as a client sees it.

#![expect(clippy::unwrap_used, reason = "what a test relies on may fail it")]
#![cfg_attr(
    feature = "wiremock",
    expect(clippy::expect_used, reason = "what a test relies on may fail it")
)]

#[cfg(feature = "wiremock")]
mod aadsts_codes;
#[cfg(feature = "wiremock")]
mod admin_consent;
#[cfg(feature = "wiremock")]
mod agent_identity;
#[cfg(feature = "wiremock")]
mod authorize;
#[cfg(feature = "wiremock")]
mod client_assertion;
#[cfg(feature = "wiremock")]
mod compressed_bodies;
#[cfg(feature = "wiremock")]
mod conditional_access;
#[cfg(feature = "wiremock")]
mod connection_states;
#[cfg(feature = "wiremock")]
mod consent_by_graph;
#[cfg(feature = "wiremock")]
mod continuous_access;
#[cfg(feature = "server")]
mod control;
#[cfg(feature = "server")]
mod controlled;
#[cfg(feature = "wiremock")]
mod cors;
#[cfg(feature = "wiremock")]
mod discovery;
#[cfg(feature = "wiremock")]
mod faults;
#[cfg(feature = "wiremock")]
mod federated;
#[cfg(feature = "wiremock")]
mod findings;
#[cfg(feature = "wiremock")]
mod first_party;
#[cfg(feature = "wiremock")]
mod frontends;
#[cfg(feature = "wiremock")]
mod graph_membership;
#[cfg(feature = "wiremock")]
mod graph_paging;
#[cfg(feature = "wiremock")]
mod graph_permissions;
#[cfg(feature = "wiremock")]
mod graph_reads;
#[cfg(feature = "wiremock")]
mod handles;
#[cfg(feature = "wiremock")]
mod implicit;
#[cfg(feature = "wiremock")]
mod journal;
#[cfg(feature = "wiremock")]
mod key_rollover;
#[cfg(feature = "wiremock")]
mod login;
#[cfg(feature = "wiremock")]
mod notifications;
#[cfg(feature = "wiremock")]
mod other_grants;
#[cfg(feature = "wiremock")]
mod overrides;
#[cfg(feature = "wiremock")]
mod pages;
mod parity;
#[cfg(feature = "wiremock")]
mod policies;
#[cfg(feature = "server")]
mod portal;
#[cfg(feature = "server")]
mod portal_users;
#[cfg(feature = "wiremock")]
mod quotas;
#[cfg(feature = "wiremock")]
mod resource_manager;
#[cfg(feature = "wiremock")]
mod resource_parameter;
#[cfg(feature = "wiremock")]
mod responder;
#[cfg(all(feature = "server", unix))]
mod run_command;
#[cfg(feature = "wiremock")]
mod sign_in_log;
#[cfg(feature = "wiremock")]
mod sign_out;
#[cfg(feature = "wiremock")]
mod single_resource;
#[cfg(feature = "server")]
mod standalone;
#[cfg(all(feature = "server", unix))]
mod state_file;
#[cfg(all(feature = "server", unix))]
mod state_file_kill;
#[cfg_attr(
    not(feature = "wiremock"),
    expect(dead_code, reason = "the other face needs less of it")
)]
mod support;
#[cfg(feature = "wiremock")]
mod tokens;
#[cfg(feature = "wiremock")]
mod user_grants;
#[cfg(feature = "wiremock")]
mod userinfo;
#[cfg(feature = "wiremock")]
mod users;
#[cfg(feature = "wiremock")]
mod v1_endpoint;
