//! Validation tokens. Their signature is an HMAC, which costs little: that of real ones is for the targets of entra-auth.

use async_trait::async_trait;
use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use entra_core::{Guid, JwtError, JwtErrorKind, JwtVerifier};
use serde_json::{Map, Value};

use crate::{CLIENT, NOW, PUBLISHER};

/// A token whose key cannot be fetched now.
pub const AWAY: &str = "a token of a key that cannot be fetched";

/// A token with these claims.
#[must_use]
pub fn sign(claims: &str) -> String {
    let claims = URL_SAFE_NO_PAD.encode(claims);
    let signature = hmac::sign(&key(), claims.as_bytes());
    format!("{claims}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The claims of a valid token.
#[must_use]
pub fn token_claims(token: &str) -> Option<Map<String, Value>> {
    let (claims, signature) = token.rsplit_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    hmac::verify(&key(), claims.as_bytes(), &signature).ok()?;
    let claims: Map<String, Value> =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    (claims.get("exp")?.as_i64()? > NOW).then_some(claims)
}

/// The tenant of a token that counts, by the rules of Graph's documentation.
#[must_use]
pub fn token_tenant(token: &str) -> Option<Guid> {
    let claims = token_claims(token)?;
    let is = |name: &str, expected: &str| {
        claims[name]
            .as_str()
            .is_some_and(|text| text.eq_ignore_ascii_case(expected))
    };
    let publishers: Vec<&str> = ["appid", "azp"]
        .into_iter()
        .filter(|name| claims.contains_key(*name))
        .collect();
    let counts = claims.contains_key("aud")
        && is("aud", CLIENT)
        && !publishers.is_empty()
        && publishers.iter().all(|name| is(name, PUBLISHER));
    if counts {
        claims.get("tid")?.as_str()?.parse().ok()
    } else {
        None
    }
}

#[derive(Debug)]
pub(crate) struct Verifier;

#[async_trait]
impl JwtVerifier for Verifier {
    async fn verify(&self, token: &str) -> Result<Map<String, Value>, JwtError> {
        if token == AWAY {
            return Err(JwtError::new(JwtErrorKind::Unavailable, "no keys"));
        }
        token_claims(token)
            .ok_or_else(|| JwtError::new(JwtErrorKind::Invalid, "the token is invalid"))
    }
}

fn key() -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, b"the key of validation tokens")
}
