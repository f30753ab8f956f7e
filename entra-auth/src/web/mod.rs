//! Sign-in and token checks for an [axum](https://docs.rs/axum) application (feature `axum`).
//!
//! [`WebSignIn`] signs users in with Entra: it has the routes that a browser visits and the sessions,
//! and calls the application's own [`Authorize`]. Handlers take a [`CurrentUser`].
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use axum::{Router, routing::get};
//! use entra_auth::{SignInClient, user::ClientAuthentication};
//! use entra_auth::web::{RouteUrls, SignInContext, CurrentUser, AccessDenied, WebSignIn};
//! # let tenant = entra_mock::FakeTenant::start().await;
//! # let app = tenant.register_app("Shop").with_secret();
//! # let (tenant_id, client_id, secret) = (tenant.id(), app.client_id(), app.secret());
//!
//! // What to register at Entra is in here: callback, signed-out address, front-channel address.
//! let urls = RouteUrls::at("https://shop.example/auth")?;
//! let contoso = SignInClient::builder(tenant_id, client_id, ClientAuthentication::secret(secret))
//!     .redirect_uri(urls.callback())
//! #   .clock(tenant.clock())
//!     .cloud(tenant.cloud())
//!     .build()?;
//!
//! // Which users have access, and which customer of the shop each user is.
//! let check = |context: SignInContext| async move {
//!     match context.signed_in.identity().has_role("Buyer") {
//!         true => Ok(context.signed_in.identity().key()),
//!         false => Err(AccessDenied::new("This shop is for buyers only.")),
//!     }
//! };
//! async fn orders(buyer: CurrentUser<String>) -> String {
//!     format!("the orders of {}", buyer.user)
//! }
//!
//! let sign_in = WebSignIn::builder(urls, contoso).authorize(check).build()?;
//! let shop: Router = Router::new()
//!     .route("/orders", get(orders))
//!     .merge(sign_in.routes())
//!     .layer(sign_in.sessions());
//! # drop(shop);
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A check by group asks the directory as the user:
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
//! is not needed if the connection's
//! [`groups_claim`](crate::sign_in::SignInClientBuilder::groups_claim) says that ID tokens list object
//! ids. Without `Member.Read.Hidden` as well, the check returns `false` for members of a group with
//! hidden membership.
//!
//! A user's tokens are cached after the check has agreed and the session has begun. A rejected sign-in
//! stores nothing and does not change the tokens of a user who is signed in.
//!
//! | route | |
//! |---|---|
//! | `sign-in`, `sign-in/{connection}` | starts a sign-in: with the only connection, by name, or by the domain of an e-mail address |
//! | `callback`, `callback/{connection}` | finishes it, from a query or from a posted form; the path is settable |
//! | `sign-out` | shows a form, and on a post of this site ends the session, here and at Entra |
//! | `signed-out` | where Entra redirects the browser after that |
//! | `front-channel-sign-out` | ends the sessions of a user who signs out elsewhere, and removes their tokens |
//! | `admin-consent`, `admin-consent/{connection}`, `admin-consent-callback` | an administrator consents for all users |
//!
//! Each connection has a [callback of its own](RouteUrls::callback_of); they can share
//! [one](RouteUrls::callback) only if all of them sign users in at one login host. A response at another
//! callback than its sign-in's is rejected before its code is sent anywhere.
//!
//! The browser's part of a session is a random id in a cookie that is `HttpOnly`, `SameSite=Lax`
//! and, beyond a loopback address, `Secure` under a `__Host-` name, with a digest of the site's address
//! in it; each sign-in has a new id. A pending sign-in is in an encrypted cookie of its own with such a
//! name, which binds it to the browser that started it. Beyond 7 KiB in total, the oldest of these cookies
//! are removed. No page has a script.
//!
//! The pages show a product name, a logo and colors, are in the language of the browser where there are
//! texts for it, or come from a renderer of the application's own: see [`pages`].
//!
//! # How long a session lasts
//!
//! | limit | default | setting |
//! |---|---|---|
//! | absolute lifetime | 8 hours | [`session_lifetime`](WebSignInBuilder::session_lifetime) |
//! | idle time | 1 hour | [`idle_limit`](WebSignInBuilder::idle_limit) |
//! | interval of re-checks | 15 minutes | [`recheck_after`](WebSignInBuilder::recheck_after) |
//!
//! At each request the session's connection must still be the same one (sign-in service, tenant and
//! application) and admit users of the tenant. The re-check redeems the user's refresh token, then calls
//! [`Authorize`] with the current identity: it signs out a user who was disabled or has no access any
//! more. [`WebSignIn::end_sessions_of`] ends all sessions of a user at once.
//!
//! A re-check that fails for another reason, such as an expired secret, a token store that is down or a
//! clock that is wrong, ends no session: it is in the log, is tried again once a minute, and the session
//! stays valid for an hour beyond the interval. After that its requests get the status 503 until a
//! re-check succeeds. See [`SignInErrorKind::ends_session`](crate::sign_in::SignInErrorKind::ends_session).
//! The same holds for a token store that has lost the user's tokens, which another replica may have in memory
//! and writes again when it checks the user; after the hour the user signs in again. A connection without
//! refresh tokens cannot be told from that.
//!
//! A sign-out that fails because of the store has the status 503, still leads on to Entra's sign-out, and
//! is tried again when the browser returns. Until then a cookie has it, encrypted as a session: a replica that
//! lacks the key keeps the cookie, and does not report the sign-out as complete either.
//!
//! # Beside other crates
//!
//! Sessions and cookies are this crate's own. These crates were evaluated:
//!
//! | crate | why not |
//! |---|---|
//! | tower-sessions 0.15.0 (with -core 0.15.0) | a store has `create`, `save`, `load` and `delete` by id: all sessions of a user, or of a session at Entra, cannot be ended together; each save writes the whole record, which brings back a session that was ended meanwhile; expiry is one date by the system's clock, either idle or absolute, so no test can move it; records are not encrypted for the store; a second copy of base64 (0.22) and rand (0.9) |
//! | axum-login 0.18.0 | it is on tower-sessions 0.14, and loads the user by `get_user` at each request: no interval, no state of the user at the sign-in service, and no end of all sessions of one user but by a changed hash |
//! | tower-cookies 0.11.0 | a manager over `cookie`, which is used here directly; a header that is not text is ignored as a whole, so that one cookie of another application signs users out |
//! | cookie 0.18.2, `signed` and `private` | used here for names and attributes; its jars bring aes-gcm 0.10, hmac 0.12, sha2 0.10, rand 0.8 and base64 0.22 beside aws-lc-rs, and know one key, so that keys cannot be replaced one replica after the other |
//!
//! An API validates the tokens of its callers with [`BearerAuthLayer`]. With [`metadata_routes`] it tells
//! clients how to get them, such as those of an MCP server.

mod admin_consent;
mod admission;
mod app;
mod authorize;
mod callback;
mod cookies;
mod current_user;
mod entra_session;
mod error_pages;
mod memory;
mod metadata;
pub mod pages;
mod redemption;
mod request_parts;
mod responses;
mod route_urls;
mod routes;
mod session;
mod session_id;
mod sign_out;
mod start;
mod token;
mod token_owner;

pub use app::{WebSignIn, WebSignInBuilder};
pub use authorize::{AccessDenied, Authorize, SignInContext, SignOutContext};
pub use current_user::{CurrentUser, NotSignedIn, SessionLayer, WithSession};
pub use metadata::metadata_routes;
pub use route_urls::RouteUrls;
pub use session::Session;
pub use token::{BearerAuth, BearerAuthLayer, BearerAuthRejection, Caller};
