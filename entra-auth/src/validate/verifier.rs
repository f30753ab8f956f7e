use async_trait::async_trait;
use entra_core::{JwtError, JwtErrorKind, JwtVerifier};
use serde_json::{Map, Value};

use super::{error::TokenValidationErrorKind, validator::TokenValidator};

/// Verifies by the rules of this validator; those of scopes, roles and clients included.
#[async_trait]
impl JwtVerifier for TokenValidator {
    async fn verify(&self, jwt: &str) -> Result<Map<String, Value>, JwtError> {
        match self.validate(jwt).await {
            Ok(token) => Ok(token.into_claims()),
            Err(error) => {
                let kind = match error.kind() {
                    TokenValidationErrorKind::KeysUnavailable => JwtErrorKind::Unavailable,
                    _ => JwtErrorKind::Invalid,
                };
                let fix = error.fix().to_owned();
                Err(JwtError::new(kind, error.to_string())
                    .with_fix(fix)
                    .with_source(error))
            }
        }
    }
}
