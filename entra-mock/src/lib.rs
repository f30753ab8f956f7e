#![doc = include_str!("../README.md")]

mod directory;
mod engine;
mod face;
mod fault;
mod graph;
mod journal;
mod keys;
mod login;
mod odata;
mod permissions;
mod random;
mod schema;
mod seed;
mod state;
mod store;
#[cfg(feature = "wiremock")]
mod tenant;
mod wire;

pub use {
    fault::{Fault, FaultTrigger},
    journal::RequestRecord,
    seed::Seed,
    state::License,
};
#[cfg(feature = "wiremock")]
pub use tenant::{App, DeviceHandle, FakeTenant, FakeTenantBuilder, GroupHandle, Requests, SeedError, SignInHandle, UserHandle};
