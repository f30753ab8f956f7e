//! Signatures of JWTs (RFC 7515), made and verified by jsonwebtoken.
//!
//! The functions name jsonwebtoken's aws-lc provider. They never use the provider of the process:
//! that one is undecided, and panics, where an application enables both of jsonwebtoken's backends.

#[cfg(feature = "sign-in")]
use jsonwebtoken::DecodingKey;
use jsonwebtoken::{Algorithm, EncodingKey, crypto::aws_lc::DEFAULT_PROVIDER, errors::Error};

/// Signs a message.
#[inline]
pub(crate) fn sign(
    algorithm: Algorithm,
    key: &EncodingKey,
    message: &[u8],
) -> Result<Vec<u8>, Error> {
    let signer = (DEFAULT_PROVIDER.signer_factory)(&algorithm, key)?;
    Ok(signer.try_sign(message)?)
}

/// Whether the key made this signature of the message.
#[cfg(feature = "sign-in")]
pub(crate) fn verifies(
    algorithm: Algorithm,
    key: &DecodingKey,
    message: &[u8],
    signature: &Vec<u8>,
) -> bool {
    (DEFAULT_PROVIDER.verifier_factory)(&algorithm, key)
        .is_ok_and(|verifier| verifier.verify(message, signature).is_ok())
}
