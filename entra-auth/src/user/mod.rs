//! Tokens on behalf of a user (delegated permissions).
//!
//! A user signs in once, by one of the flows here. The result is a [`UserCredential`], which returns
//! access tokens of that account silently while its refresh token is valid. With a store behind the
//! token cache the [`Account`] is enough to resume at any replica and after a restart:
//! [`AuthorizationCodeFlow::resume`], [`UserCredential::resume`].
//!
//! | where the user signs in | flow |
//! |---|---|
//! | in the browser, to a web product that needs the user's identity | `SignInClient` (feature `sign-in`), which validates the ID token, or `web::WebSignIn` (feature `axum`) |
//! | in the browser, to a web application that needs tokens only | [`AuthorizationCodeFlow`] |
//! | in the browser of this machine, to a desktop or command-line tool | `InteractiveBrowserCredential` (feature `interactive`) |
//! | in a browser on another device | [`DeviceCodeCredential`] |
//! | elsewhere: an API calls another API with the token of its caller | [`OnBehalfOf`] |
//! | nowhere: the application has the user's password, which Microsoft discourages | `UsernamePasswordCredential` (feature `ropc-discouraged`) |

pub(crate) mod account;
mod authorization_code;
pub(crate) mod callback;
pub(crate) mod client_application;
mod device_code;
#[cfg(feature = "interactive")]
mod interactive;
pub(crate) mod issuer;
mod known_users;
mod on_behalf_of;
mod pending_sign_in;
mod proof;
mod refresh;
#[cfg(feature = "ropc-discouraged")]
mod ropc;
mod signed_in_user;
mod store_later;
mod user_credential;

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
#[cfg(feature = "ropc-discouraged")]
pub use ropc::{UsernamePasswordCredential, UsernamePasswordCredentialBuilder};
pub use user_credential::{UserCredential, UserCredentialBuilder};
