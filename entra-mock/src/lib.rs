#![cfg_attr(docsrs, feature(doc_cfg))]
// `.ci/outside.py` compiles and runs the programs of the README as printed.
#![cfg_attr(not(doctest), doc = include_str!("../README.md"))]

mod account;
mod collation;
mod cors;
mod directory;
mod engine;
mod fault;
mod findings;
mod frontend;
mod grants;
mod graph;
mod journal;
mod jws;
mod keys;
mod login;
mod notifications;
mod odata;
mod oddities;
mod permissions;
mod publisher;
mod quota;
mod random;
#[cfg(test)]
mod redemption_races;
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
pub use standalone::{ControlClient, ControlClientError, Server, ServerBuilder, ServerError};
#[cfg(feature = "wiremock")]
pub use tenant::{
    AccessPolicy, AgentIdentity, App, ContactHandle, DeviceHandle, FakeTenant, FakeTenantBuilder,
    GroupClaims, GroupHandle, PolicyHandle, Redirected, Requests, SignInHandle, SignInPage,
    TenantResponder, UserHandle, UserTokens,
};
pub use {
    directory::SeedError,
    fault::{Fault, FaultTrigger},
    findings::{Finding, FindingRequest, Findings, Severity},
    journal::RequestRecord,
    notifications::{DeliveryReport, NotificationOptions},
    oddities::DeltaOddities,
    permissions::NeededPermissions,
    seed::{Scenario, ScenarioError, Seed},
    state::{License, ResourceRule},
};
