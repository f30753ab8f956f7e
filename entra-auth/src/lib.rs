#![doc = include_str!("../README.md")]
#![doc = include_str!("../COMPARISON.md")]

mod aadsts;
mod application_ids;
#[cfg(feature = "azure-core")]
pub mod azure_core_adapter;
mod blocking;
mod cache;
mod capabilities;
mod certificate;
#[cfg(feature = "platform-identity")]
mod chain;
mod client_secret;
mod client_secret_check;
#[cfg(feature = "platform-identity")]
mod default_credential;
mod discovery;
#[cfg(feature = "platform-identity")]
mod environment;
#[cfg(feature = "platform-identity")]
mod environment_credential;
mod error;
mod expiring_map;
pub mod federated;
mod form;
#[cfg(feature = "platform-identity")]
pub mod host;
mod jws;
mod moment;
mod redact;
mod region;
mod report;
mod response_limits;
mod settings;
mod shown_path;
#[cfg(feature = "sign-in")]
pub mod sign_in;
mod skew;
pub mod store;
mod throttle;
mod token_endpoint;
mod tokens;
pub mod user;
#[cfg(feature = "sign-in")]
pub mod validate;
#[cfg(feature = "axum")]
pub mod web;
mod wire;

pub use aadsts::Aadsts;
pub use cache::{CachePartition, TokenCache, TokenCacheBuilder};
#[cfg(feature = "certificate-kit")]
pub use certificate::SelfSignedCertificate;
pub use certificate::{
    Certificate, CertificateError, CertificateErrorKind, ClientCertificateCredential,
    ClientCertificateCredentialBuilder,
};
#[cfg(feature = "platform-identity")]
pub use chain::{ChainReport, ChainedCredential, LinkOutcome};
pub use client_secret::{ClientSecretCredential, ClientSecretCredentialBuilder};
#[cfg(feature = "platform-identity")]
pub use default_credential::{DefaultCredential, DefaultCredentialBuilder};
pub use discovery::Discovery;
#[cfg(feature = "platform-identity")]
pub use environment_credential::{EnvironmentCredential, EnvironmentCredentialBuilder};
pub use error::{Error, ErrorKind};
pub use report::Report;
#[cfg(feature = "sign-in")]
pub use sign_in::SignInClient;
#[cfg(feature = "sign-in")]
pub use validate::TokenValidator;

pub use entra_core;
#[doc(no_inline)]
pub use entra_core::Environment;
