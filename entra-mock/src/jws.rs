//! Signatures of JWTs (RFC 7515), verified by jsonwebtoken.
//!
//! The function names jsonwebtoken's aws-lc provider. It never uses the default provider of the
//! process, which is undecided, and panics, if an application enables both of jsonwebtoken's
//! backends.

use jsonwebtoken::{Algorithm, DecodingKey, crypto::aws_lc::DEFAULT_PROVIDER};

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
