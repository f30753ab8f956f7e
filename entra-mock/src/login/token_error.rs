//! Why a token request fails.

use super::error::LoginError;

/// Why a token request fails.
pub(super) enum TokenError {
    Error(LoginError),
    /// A feature of Entra that the fake tenant does not support.
    NotSupported(String),
}

impl From<LoginError> for TokenError {
    fn from(error: LoginError) -> Self {
        Self::Error(error)
    }
}
