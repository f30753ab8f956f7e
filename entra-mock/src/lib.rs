// `.ci/outside.py` compiles and runs the programs of the README as printed.
#![cfg_attr(not(doctest), doc = include_str!("../README.md"))]

mod account;
mod collation;
mod directory;
mod engine;
#[cfg_attr(
    not(feature = "wiremock"),
    expect(dead_code, reason = "only a test looks into it")
)]
mod fault;
mod frontend;
mod grants;
mod graph;
#[cfg_attr(
    not(feature = "wiremock"),
    expect(dead_code, reason = "only a test looks into it")
)]
mod journal;
mod jws;
mod keys;
mod login;
mod odata;
mod oddities;
mod permissions;
mod quota;
mod random;
mod replication;
mod schema;
mod seed;
#[cfg(feature = "server")]
mod standalone;
mod state;
mod store;
#[cfg(feature = "wiremock")]
mod tenant;
mod time;
mod wire;

pub use entra_core::{self, ManualClock};
#[cfg(feature = "server")]
pub use standalone::{Server, ServerBuilder, ServerError};
#[cfg(feature = "wiremock")]
pub use tenant::{
    AccessPolicy, App, ContactHandle, DeviceHandle, FakeTenant, FakeTenantBuilder, GroupClaims,
    GroupHandle, PolicyHandle, Redirected, Requests, SeedError, SignInHandle, SignInPage,
    TenantResponder, UserHandle, UserTokens,
};
pub use {
    fault::{Fault, FaultTrigger},
    journal::RequestRecord,
    oddities::DeltaOddities,
    seed::Seed,
    state::{License, ResourceRule},
};
