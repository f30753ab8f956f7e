//! Sign-in for a web product: OpenID Connect with Entra, checked to the last claim.
//!
//! A [`SignInClient`] is one connection: the tenant, the application and its proof, as an admin
//! typed them in. [`start`](SignInClient::start) gives the address to send a browser to,
//! [`finish`](SignInClient::finish) turns what comes back into a [`SignInResult`] user with a validated
//! [`Identity`]. Its tokens are kept when the application's own check has agreed and
//! [`commit`](SignInResult::commit) is called. Building a client sends nothing: what it
//! must know of the tenant is asked for at the first use, once for all who wait, and again at the
//! next use if it failed.
//!
//! Proof, options and flow are those of [`user`](crate::user), which has the flows below this one. A
//! flow can be stored with serde. The callback is whatever the browser brings back: the whole
//! address, its query, or the body of a posted form.
//!
//! A product with a connection per customer keeps them in [`Connections`], each with a callback of its
//! own. A session that goes on for long asks again with [`renew`](SignInClient::renew).
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
//! let (url, flow) = contoso.start(&StartOptions::default())?; // keep `flow` with the browser's session
//! # let callback_query = tenant.sign_in_at(url.as_str(), "adele@contoso.com").query();
//! let session = contoso.finish(flow, &callback_query).await?;
//!
//! let who = session.identity();
//! assert_eq!(who.username.as_deref(), Some("adele@contoso.com"));
//! println!("{} of {} is {}", who.oid, who.tid, who.name.as_deref().unwrap_or("unnamed"));
//! session.commit().await; // the application's own check has agreed: keep the tokens
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod admin_consent;
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
