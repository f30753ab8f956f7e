//! Sign-in for web applications: OpenID Connect with Entra, with full validation.
//!
//! A [`SignInClient`] is one connection: a tenant, an application and its credential.
//! [`start`](SignInClient::start) returns the URL to redirect a browser to, and
//! [`finish`](SignInClient::finish) turns the response into a [`SignInResult`] with a validated
//! [`Identity`]. The tokens are cached when the application's own check agrees and calls
//! [`commit`](SignInResult::commit). Building a client sends no request: the tenant's metadata is fetched
//! at first use, once for all callers that wait, and again at the next use if that failed.
//!
//! Credential, options and pending sign-in are those of [`user`](crate::user), which has the flows below
//! this one. A pending sign-in can be stored with serde. The callback is the response that the browser
//! brings: the whole URL, its query, or the body of a posted form.
//!
//! An application with a connection per customer puts them into [`Connections`], each with its own
//! callback. A long session is re-checked with [`renew`](SignInClient::renew).
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use entra_auth::SignInClient;
//! use entra_auth::user::{ClientAuthentication, StartOptions};
//! # let tenant = entra_mock::FakeTenant::start().await;
//! # let app = tenant.register_app("Shop").redirect_uri("https://shop.example/callback").delegated_permission("GroupMember.Read.All").with_secret();
//! # let (tenant_id, client_id, secret) = (tenant.id(), app.client_id(), app.secret());
//! let contoso = SignInClient::builder(tenant_id, client_id, ClientAuthentication::secret(secret))
//!     .redirect_uri("https://shop.example/callback")
//!     .scopes(["email", "GroupMember.Read.All"])
//! #   .clock(tenant.clock())
//!     .cloud(tenant.cloud())
//!     .build()?;
//!
//! let (url, flow) = contoso.start(&StartOptions::default())?; // store `flow` in the browser's session
//! # let callback_query = tenant.sign_in_at(url.as_str(), "adele@contoso.com").query();
//! let session = contoso.finish(flow, &callback_query).await?;
//!
//! let who = session.identity();
//! assert_eq!(who.username.as_deref(), Some("adele@contoso.com"));
//! println!("{} of {} is {}", who.oid, who.tid, who.name.as_deref().unwrap_or("unnamed"));
//! session.commit().await; // the application's own check agrees: cache the tokens
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod admin_consent;
mod claim;
mod client;
mod connections;
mod error;
mod groups;
mod identity;
mod kind;
mod kind_of;
mod replay;
mod result;
mod return_path;
mod sign_out;
mod tenants;
mod user_check;

pub use admin_consent::{AdminConsent, AdminConsentOptions, AdminConsentState, ConsentScopes};
pub use client::{SignInClient, SignInClientBuilder};
pub use connections::Connections;
pub use error::SignInError;
pub use groups::{Groups, GroupsClaim};
pub use identity::{Email, Identity};
pub use kind::SignInErrorKind;
pub use result::SignInResult;
pub use return_path::{ReturnPath, ReturnPathError};
pub use sign_out::{FrontChannelSignOut, SignOutOptions};
