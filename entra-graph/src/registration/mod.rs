//! An app registration as code: the administrator's guide as one call that can be repeated.
//!
//! An [`AppRegistration`] is a blueprint of everything that an integrator's guide asks an administrator to enter.
//! [`plan`](AppRegistration::plan) compares it with a tenant and [`apply`](Plan::apply) makes the difference:
//!
//! ```no_run
//! # async fn example(admin_graph: entra_graph::GraphClient) -> Result<(), entra_graph::Error> {
//! use entra_graph::registration::{AppRegistration, Audience, EnvFile, Lifetime};
//! let blueprint = AppRegistration::new("Night report")
//!     .audience(Audience::ThisTenant)
//!     .application(["User.Read.All", "GroupMember.Read.All"])
//!     .secret("production", Lifetime::months(12))
//!     .grant_admin_consent();
//! let plan = blueprint.plan(&admin_graph).await?;
//! print!("{plan}");
//! if plan.missing_rights().is_empty() {
//!     plan.apply(&mut EnvFile::new(".env")).await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The registration is created with a `uniqueName`, by which the next run finds it; one that exists is adopted by
//! client id, unique name or the tag `registration:{unique name}`. What the blueprint does not list stays, unless
//! [`remove_unlisted`](AppRegistration::remove_unlisted) says otherwise. Secrets are added with `addPassword` only, so
//! two runs at the same time lose none.

// The floors: parts and blueprint; names, settings and found read and compare; steps decide; plan shows and apply
// performs them. rights and policy are rules by themselves.

mod action;
mod advice;
mod applied;
mod apply;
mod audit;
mod blueprint;
mod check;
mod destroy;
mod directory;
mod expiring;
mod file;
mod found;
mod guide;
mod lagging;
mod line;
mod names;
mod new_secret;
mod parts;
mod plan;
mod policy;
mod rights;
mod rotate;
mod rotate_certificate;
mod settings;
mod sink;
mod steps;
mod token_permissions;
mod verify;
mod wire;

pub use advice::{PermissionAdvice, allows};
pub use applied::{Applied, AppliedSecret};
pub use audit::{AuditFinding, AuditIssue, audit};
pub use blueprint::AppRegistration;
pub use expiring::{CredentialKind, ExpiringCredential, expiring};
pub use guide::Guide;
pub use line::{Line, Mark};
pub use parts::{
    AppRoleBlueprint, Audience, Certificate, DeletedChoice, FederatedCredential, Lifetime,
    ScopeBlueprint,
};
pub use plan::Plan;
pub use rights::MissingRight;
pub use rotate::Rotated;
pub use rotate_certificate::RotatedCertificate;
pub use sink::{
    ConnectionIds, EnvFile, MemorySink, Reference, SecretFile, SecretSink, SecretSlot, SinkEntry,
    SinkError,
};
pub use token_permissions::TokenPermissions;
pub use verify::{Check, CheckOutcome, Verification};
