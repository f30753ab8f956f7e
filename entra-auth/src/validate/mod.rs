//! Validation of ID tokens and access tokens.
//!
//! A [`TokenValidator`] checks ID tokens after a sign-in, and the access tokens that callers send to
//! an API of yours. A token never decides how it is validated: keys come from the configured sign-in
//! service only, and the only algorithm is RS256.
//!
//! | what is checked | against |
//! |---|---|
//! | size, depth, form, no repeated claim | fixed limits, before any claim is used |
//! | signature | keys of the sign-in service, cached for 12 hours |
//! | issuer, also of the key | the sign-in service's metadata, with the token's tenant in its template |
//! | tenant | the configured one, or those of [`tenants`](TokenValidatorBuilder::tenants) |
//! | audience | the client id, or the API's identifiers |
//! | expiry, not before, issued at | the clock, within the [`leeway`](TokenValidatorBuilder::leeway) |
//! | nonce | the one of the sign-in, [`TokenValidator::validate_id_token`] |
//! | client, scopes, app roles, user or application | the rules of the builder |
//!
//! A [`ProtectedResource`] tells clients which tokens an API accepts (RFC 9728), such as those of an MCP
//! server.
//!
//! Keys are fetched at first use, by one request for all callers that wait. An unknown key id causes
//! another fetch, at most every five minutes; if it fails, the known keys stay in use. A failed first
//! fetch is not cached: the next token tries again.

mod builder;
mod claims;
mod error;
mod issuer;
mod json;
mod jwt;
mod keys;
mod policy;
mod resource;
mod token;
mod validator;
mod verifier;

pub use builder::TokenValidatorBuilder;
#[cfg(feature = "axum")]
pub(crate) use error::bearer_header;
pub use error::{TokenValidationError, TokenValidationErrorKind};
pub use keys::SigningKeys;
pub use resource::{ProtectedResource, ProtectedResourceBuilder};
pub use token::{TokenVersion, ValidatedToken};
pub use validator::TokenValidator;
