//! The control API of a server, as a plain HTTP client sees it.

mod agents;
mod directory;
mod faults;
mod findings;
mod guard;
mod journal;
#[cfg(feature = "wiremock")]
pub(crate) mod notifications;
mod program;
mod settings;
mod snapshots;
mod tenants;
