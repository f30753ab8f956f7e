//! Sign-in and token checks for an [axum](https://docs.rs/axum) application (feature `axum`).
//!
//! [`WebSignIn`] is a product's log-in with Entra: the routes that a browser visits, sessions, and a
//! [`Authorize`] of the product's own. Handlers ask for a [`CurrentUser`].
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use axum::{Router, routing::get};
//! use entra_auth::{SignInClient, user::ClientProof};
//! use entra_auth::web::{RouteUrls, SignInContext, CurrentUser, AccessDenied, WebSignIn};
//! # let tenant = entra_mock::FakeTenant::start().await;
//! # let app = tenant.register_app("Shop").with_secret();
//! # let (tenant_id, client_id, secret) = (tenant.id(), app.client_id(), app.secret());
//!
//! // What to register at Entra is in here: callback, signed-out address, front-channel address.
//! let urls = RouteUrls::at("https://shop.example/auth")?;
//! let contoso = SignInClient::builder(tenant_id, client_id, ClientProof::secret(secret))
//!     .redirect_uri(urls.callback())
//! #   .clock(tenant.clock())
//!     .cloud(tenant.cloud())
//!     .build()?;
//!
//! // Who may enter, and which customer of the shop that is.
//! let gate = |context: SignInContext| async move {
//!     match context.signed_in.identity().has_role("Buyer") {
//!         true => Ok(context.signed_in.identity().key()),
//!         false => Err(AccessDenied::new("This shop is for buyers only.")),
//!     }
//! };
//! async fn orders(buyer: CurrentUser<String>) -> String {
//!     format!("the orders of {}", buyer.user)
//! }
//!
//! let sign_in = WebSignIn::builder(urls, contoso).authorize(gate).build()?;
//! let shop: Router = Router::new()
//!     .route("/orders", get(orders))
//!     .merge(sign_in.routes())
//!     .layer(sign_in.sessions());
//! # drop(shop);
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A gate that goes by group asks the directory as the user, who has just signed in:
//!
//! ```
//! use entra_auth::web::{SignInContext, AccessDenied};
//! use entra_core::{GroupMembership, ObjectId};
//!
//! // The directory is entra-graph's `GraphClient::new(context.signed_in.credential().clone())`.
//! async fn staff_only(
//!     context: &SignInContext,
//!     directory: &dyn GroupMembership,
//!     staff: ObjectId,
//! ) -> Result<String, AccessDenied> {
//!     match context.signed_in.is_member_of_any(directory, [staff]).await? {
//!         true => Ok(context.signed_in.identity().key()),
//!         false => Err(AccessDenied::new("This is for the staff only.")),
//!     }
//! }
//! ```
//!
//! The connection needs the scope `GroupMember.Read.All` for it, with an administrator's consent. Graph
//! is not asked where the connection's
//! [`groups_claim`](crate::sign_in::SignInClientBuilder::groups_claim) says that ID tokens list object
//! ids. Without `Member.Read.Hidden` as well, a true member of a group with hidden membership counts as
//! none.
//!
//! A user's tokens are kept when the gate has agreed and the session has begun. A rejected sign-in keeps
//! nothing, and leaves the tokens of a user who is signed in alone.
//!
//! | route | |
//! |---|---|
//! | `sign-in`, `sign-in/{connection}` | starts a sign-in: by the only connection, by name, or by the domain of an e-mail address |
//! | `callback`, `callback/{connection}` | finishes it, from a query or from a posted form; the path is settable |
//! | `sign-out` | asks, and on a post of this site ends the session, here and at Entra |
//! | `signed-out` | where Entra sends the browser then |
//! | `front-channel-sign-out` | ends sessions of somebody who signs out elsewhere |
//! | `admin-consent`, `admin-consent/{connection}`, `admin-consent-callback` | an admin consents for everyone |
//!
//! Each connection has a [callback of its own](RouteUrls::callback_of); they share
//! [one](RouteUrls::callback) only where all of them sign users in at one login host. A response that
//! comes to another callback than its sign-in's is rejected before its code goes anywhere.
//!
//! What the browser holds of a session is a random id in a cookie that is `HttpOnly`, `SameSite=Lax`
//! and, beyond a loopback address, `Secure` under a `__Host-` name; it is new after every sign-in. A
//! sign-in on its way is in a sealed cookie of its own, under such a name as well, and so bound to the
//! browser that started it.
//! No page has a script.
//!
//! An API that gets tokens from others checks them with [`RequireToken`].

mod app;
mod authorize;
mod cookies;
mod current_user;
mod memory;
mod page;
mod route_urls;
mod routes;
mod session;
mod token;

pub use app::{WebSignIn, WebSignInBuilder};
pub use authorize::{AccessDenied, Authorize, SignInContext, SignOutContext};
pub use current_user::{CurrentUser, NotSignedIn, SessionLayer, WithSession};
pub use route_urls::RouteUrls;
pub use session::Session;
pub use token::{Caller, RequireToken, TokenChecked, TokenRefused};
