//! Assertions that somebody else makes: other identity providers, key vaults, callbacks.

mod credential;
mod token;

pub use credential::{
    AssertionRequest, ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialBuilder,
};
pub use token::FederatedToken;

pub(crate) use credential::{ASSERTION_TYPE, check_form};
