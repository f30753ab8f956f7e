#![cfg_attr(docsrs, feature(doc_cfg))]
// `.ci/outside.py` compiles and runs the programs of the README as printed.
#![cfg_attr(not(doctest), doc = include_str!("../README.md"))]
// What a program with one client secret never calls (certificates, the grants of users, chains of
// credentials, the encryption of stores) is `#[inline]`, so that only programs that use it generate its code.

mod aadsts;
mod application_ids;

#[cfg(feature = "azure-core")]
pub mod azure_core_adapter;
mod blocking;
mod builder;
mod cache;
mod capabilities;
mod certificate;
mod chain;
mod client_assertion;
mod client_secret;
mod client_secret_check;
mod credential_factory;
#[cfg(feature = "default-credential")]
mod default_credential;
#[cfg(feature = "developer-tools")]
pub mod developer_tools;
mod discovery;
#[cfg(any(feature = "developer-tools", feature = "workload-identity"))]
mod environment;
mod environment_credential;
mod error;
mod expiring_map;
mod form;
mod jws;
#[cfg(feature = "managed-identity")]
pub mod managed_identity;
mod moment;
mod redact;
mod region;
mod report;
mod response_limits;
mod retry_mode;
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
#[cfg(feature = "workload-identity")]
pub mod workload_identity;

pub use aadsts::Aadsts;
pub use builder::{CredentialBuilder, CredentialOptions};
pub use cache::{CachePartition, TokenCache, TokenCacheBuilder};
#[cfg(feature = "certificate-kit")]
pub use certificate::SelfSignedCertificate;
pub use certificate::{
    Certificate, ClientCertificateCredential, ClientCertificateCredentialBuilder,
};
pub use chain::{ChainReport, ChainedCredential, LinkOutcome};
pub use client_assertion::{AssertionRequest, ClientAssertion};
pub use client_secret::{ClientSecretCredential, ClientSecretCredentialBuilder};
pub use credential_factory::ApplicationCredentialFactory;
#[cfg(feature = "default-credential")]
pub use default_credential::{DefaultCredential, DefaultCredentialBuilder};
pub use discovery::Discovery;
pub use environment_credential::{EnvironmentCredential, EnvironmentCredentialBuilder};
pub use error::{CertificateErrorKind, Error, ErrorKind};
pub use report::Report;
#[cfg(feature = "sign-in")]
pub use sign_in::SignInClient;
#[cfg(feature = "sign-in")]
pub use validate::TokenValidator;

pub use entra_core;
#[doc(no_inline)]
pub use entra_core::Environment;
