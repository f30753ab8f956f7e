//! Tokens that speak for a person.
//!
//! A person signs in once, by one of the flows here, and what comes of it is a [`UserCredential`]:
//! it gives access tokens for that one account, silently, as long as its refresh token is good. With
//! a store behind the token cache the [`Account`] is enough to go on, at any replica and after a
//! restart: [`AuthorizationCodeFlow::resume`], [`UserCredential::resume`].
//!
//! | who signs in, and where | flow |
//! |---|---|
//! | in the browser, to a web product that wants to know who they are | `SignInClient` (feature `sign-in`), which validates the ID token, or `web::WebSignIn` (feature `axum`) |
//! | in the browser, to a web application that wants their tokens only | [`AuthorizationCodeFlow`] |
//! | in the browser of this machine, to a desktop or command-line tool | `InteractiveBrowserCredential` (feature `interactive`) |
//! | in a browser on another device | [`DeviceCodeCredential`] |
//! | elsewhere: an API has a caller's token and calls on | [`OnBehalfOf`] |
//! | nowhere: an application has the password, which Microsoft discourages | `UsernamePasswordCredential` (feature `ropc-discouraged`) |

pub(crate) mod account;
mod authorization_code;
pub(crate) mod callback;
pub(crate) mod client_application;
mod device_code;
#[cfg(feature = "interactive")]
mod interactive;
pub(crate) mod issuer;
mod on_behalf_of;
mod pending_sign_in;
mod proof;
mod refresh;
#[cfg(feature = "ropc-discouraged")]
mod ropc;
mod signed_in_user;

pub use account::Account;
#[cfg(feature = "sign-in")]
pub(crate) use authorization_code::RedeemedCode;
pub use authorization_code::{
    AuthorizationCodeFlow, AuthorizationCodeFlowBuilder, Prompt, ResponseMode, StartOptions,
};
pub use callback::Callback;
pub use device_code::{DeviceCodeCredential, DeviceCodeCredentialBuilder, DeviceCodePrompt};
#[cfg(feature = "interactive")]
pub use interactive::{InteractiveBrowserCredential, InteractiveBrowserCredentialBuilder};
pub use on_behalf_of::{OnBehalfOf, OnBehalfOfBuilder, OnBehalfOfCredential};
pub use pending_sign_in::PendingSignIn;
#[cfg(feature = "axum")]
pub(crate) use pending_sign_in::ShortPendingSignIn;
pub use proof::ClientAuthentication;
pub use refresh::{UserCredential, UserCredentialBuilder};
#[cfg(feature = "ropc-discouraged")]
pub use ropc::{UsernamePasswordCredential, UsernamePasswordCredentialBuilder};
