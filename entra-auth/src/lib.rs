#![doc = include_str!("../README.md")]

mod aadsts;
mod cache;
mod certificate;
mod client_secret;
mod error;
mod form;
mod report;
mod settings;
mod token_endpoint;
mod tokens;
mod wire;

pub use aadsts::Aadsts;
pub use cache::TokenCache;
#[cfg(feature = "certificate-kit")]
pub use certificate::SelfSigned;
pub use certificate::{
    Certificate, CertificateError, CertificateErrorKind, ClientCertificateCredential,
    ClientCertificateCredentialBuilder,
};
pub use client_secret::{ClientSecretCredential, ClientSecretCredentialBuilder};
pub use error::{Error, ErrorKind};
pub use report::Report;

pub use entra_core;
