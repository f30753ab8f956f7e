//! The connection test: what is wrong with a connection to a tenant, and how to fix it.

mod api;
mod codes;
mod consent_response;
mod consents;
mod covering;
mod credential;
mod directory;
mod finding;
mod jwt;
mod license;
mod permissions;
mod probe;
mod redirects;
mod report;
mod run;
mod settings;
mod tenant;
mod users;

pub use finding::{Check, Finding, Severity};
pub use report::ConnectionReport;
pub use settings::{ConnectionTest, RedirectPlatform};
