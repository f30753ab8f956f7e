//! Tokens that others send: whether to believe them.
//!
//! A [`TokenValidator`] checks ID tokens after a sign-in, and the access tokens that callers of an
//! API of one's own send. It never trusts what a token says about how to check it: keys come from
//! the configured sign-in service only, and the one algorithm is RS256.
//!
//! | what is checked | against |
//! |---|---|
//! | size, depth, form, no claim given twice | fixed limits, before anything is believed |
//! | signature | keys of the sign-in service, kept 12 hours |
//! | issuer, also of the key | the sign-in service's metadata, filled in with the token's tenant |
//! | tenant | the configured one, or those of [`tenants`](TokenValidatorBuilder::tenants) |
//! | audience | the client id, or the API's identifiers |
//! | time | the clock, give or take the [`leeway`](TokenValidatorBuilder::leeway) |
//! | nonce | the one of the sign-in, [`TokenValidator::validate_id_token`] |
//! | client, scopes, app roles, person or application | what the builder asks for |
//!
//! Keys are fetched when first needed, by one request for all who wait. A key that is not known
//! has them fetched again, at most every five minutes; if that fails, the known ones go on being
//! used. A first fetch that fails is not remembered: the next token tries again.

mod builder;
mod claims;
mod error;
mod issuer;
mod json;
mod jwt;
mod keys;
mod policy;
mod token;
mod validator;

pub use builder::TokenValidatorBuilder;
pub use error::{TokenValidationError, TokenValidationErrorKind};
pub use keys::SigningKeys;
pub use token::{TokenVersion, ValidatedToken};
pub use validator::TokenValidator;
