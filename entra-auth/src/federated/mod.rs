//! Assertions that somebody else makes: other identity providers, key vaults, callbacks.

mod assertion;
#[cfg(feature = "platform-identity")]
mod credential;
#[cfg(feature = "platform-identity")]
mod token;
#[cfg(all(feature = "platform-identity", feature = "reqwest"))]
mod token_proxy;

pub use assertion::{AssertionRequest, ClientAssertion};
#[cfg(feature = "platform-identity")]
pub use credential::{ClientAssertionCredential, ClientAssertionCredentialBuilder};
#[cfg(feature = "platform-identity")]
pub use token::FederatedToken;

pub(crate) use assertion::{ASSERTION_TYPE, check_form};
