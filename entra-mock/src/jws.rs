//! Signatures of JWTs (RFC 7515), created and verified by jsonwebtoken.
//!
//! The functions name jsonwebtoken's aws-lc provider. They never use the default provider of the
//! process, which is undecided, and panics, if an application enables both of jsonwebtoken's
//! backends.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto::aws_lc::DEFAULT_PROVIDER};

/// Returns the message with its signature, a JWS in compact form; `None` only if the crypto library
/// fails.
pub(crate) fn sign(algorithm: Algorithm, key: &EncodingKey, message: &str) -> Option<String> {
    let signature = signature(algorithm, key, message.as_bytes())?;
    Some(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// Returns the signature of a message; `None` only if the crypto library fails.
pub(crate) fn signature(
    algorithm: Algorithm,
    key: &EncodingKey,
    message: &[u8],
) -> Option<Vec<u8>> {
    let signer = (DEFAULT_PROVIDER.signer_factory)(&algorithm, key).ok()?;
    signer.try_sign(message).ok()
}

/// Whether the signature of the message was made with this key.
pub(crate) fn verifies(
    algorithm: Algorithm,
    key: &DecodingKey,
    message: &str,
    signature: &[u8],
) -> bool {
    let signature = signature.to_vec();
    (DEFAULT_PROVIDER.verifier_factory)(&algorithm, key)
        .is_ok_and(|verifier| verifier.verify(message.as_bytes(), &signature).is_ok())
}
