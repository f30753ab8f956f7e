#![doc = include_str!("../README.md")]

mod aadsts;
mod cache;
mod capabilities;
mod certificate;
mod client_assertion;
mod client_secret;
mod environment;
mod error;
mod federated;
mod form;
mod report;
mod settings;
mod skew;
pub mod store;
mod throttle;
mod token_endpoint;
mod tokens;
mod wire;

pub use aadsts::Aadsts;
pub use cache::{Partition, TokenCache, TokenCacheBuilder};
#[cfg(feature = "certificate-kit")]
pub use certificate::SelfSigned;
pub use certificate::{
    Certificate, CertificateError, CertificateErrorKind, ClientCertificateCredential,
    ClientCertificateCredentialBuilder,
};
pub use client_assertion::{
    AssertionRequest, ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialBuilder,
};
pub use client_secret::{ClientSecretCredential, ClientSecretCredentialBuilder};
pub use environment::Environment;
pub use error::{Error, ErrorKind};
pub use federated::FederatedToken;
pub use report::Report;

pub use entra_core;
