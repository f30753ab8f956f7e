//! The signed JWT that proves who the client is, one per request.

use std::time::Duration;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use entra_core::{ClientId, Guid, Secret, SecureRandom, Timestamp};
use jsonwebtoken::{Algorithm, Header};
use serde::Serialize;
use zeroize::Zeroizing;

use super::value::Certificate;
use crate::Error;

/// How assertions are made; the same for every request of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AssertionOptions {
    /// PS256, or RS256 for an authority that does not know PS256.
    pub(super) algorithm: Algorithm,
    /// Whether the certificate and its chain are sent (`x5c`), for trust by subject name and issuer.
    pub(super) with_chain: bool,
    pub(super) lifetime: Duration,
}

impl Default for AssertionOptions {
    #[inline]
    fn default() -> Self {
        Self {
            algorithm: Algorithm::PS256,
            with_chain: false,
            lifetime: LIFETIME,
        }
    }
}

/// Signs an assertion for one request to the token endpoint `audience`.
#[inline]
pub(super) fn sign(
    certificate: &Certificate,
    style: AssertionOptions,
    client: ClientId,
    audience: &str,
    now: Timestamp,
    random: &dyn SecureRandom,
) -> Result<Secret, Error> {
    let id = Guid::random(random).map_err(|source| {
        Error::configuration(
            "the assertion could not be given an id",
            "check that the source of randomness works",
        )
        .with_source(source)
    })?;
    let now = now.unix_timestamp();
    let claims = Claims {
        aud: audience,
        iss: client,
        sub: client,
        jti: id,
        nbf: now,
        iat: now,
        exp: now.saturating_add(i64::try_from(style.lifetime.as_secs()).unwrap_or(i64::MAX)),
    };
    let mut message = Zeroizing::new(encode(&header(certificate, style))?);
    message.push('.');
    message.push_str(&encode(&claims)?);
    let signature = certificate.sign(style.algorithm, message.as_bytes())?;
    let signature = URL_SAFE_NO_PAD.encode(signature);
    // Allocated once: a buffer that grows leaves copies of the assertion behind.
    let mut assertion = String::with_capacity(message.len() + 1 + signature.len());
    assertion.extend([&message, ".", &signature]);
    Ok(Secret::from(assertion))
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: ClientId,
    sub: ClientId,
    jti: Guid,
    nbf: i64,
    iat: i64,
    exp: i64,
}

/// RS256 is sent with the SHA-1 thumbprint: authorities that need RS256 know no other.
#[inline]
fn header(certificate: &Certificate, style: AssertionOptions) -> Header {
    let thumbprint = |algorithm| URL_SAFE_NO_PAD.encode(certificate.digest(algorithm));
    let mut header = Header::new(style.algorithm);
    match style.algorithm {
        Algorithm::RS256 => header.x5t = Some(thumbprint(&SHA1_FOR_LEGACY_USE_ONLY)),
        _ => header.x5t_s256 = Some(thumbprint(&SHA256)),
    }
    // Unlike everything else in a JWT this is base64 with padding (RFC 7515, section 4.1.6).
    header.x5c = style.with_chain.then(|| {
        std::iter::once(certificate.public_der())
            .chain(certificate.chain())
            .map(|der| STANDARD.encode(der))
            .collect()
    });
    header
}

#[inline]
fn encode(part: &impl Serialize) -> Result<String, Error> {
    let json = serde_json::to_vec(part).map_err(|source| {
        Error::configuration(
            "the assertion could not be encoded",
            "report this as a defect",
        )
        .with_source(source)
    })?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

/// The lifetime in Microsoft's own libraries; Entra recommends five to ten minutes.
const LIFETIME: Duration = Duration::from_secs(600);
