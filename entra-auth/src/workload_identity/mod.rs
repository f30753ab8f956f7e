//! Applications that sign in with a token of another identity provider, such as Kubernetes, GitHub
//! Actions or Azure Pipelines, or with an assertion that a callback returns.

mod credential;
mod token;
#[cfg(feature = "reqwest")]
mod token_proxy;

pub use credential::{ClientAssertionCredential, ClientAssertionCredentialBuilder};
pub use token::FederatedToken;

use crate::client_assertion::{
    ASSERTION_TYPE, AssertionRequest, ClientAssertion, check_form, without_assertion,
};
