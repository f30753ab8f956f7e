//! The tokens of requests, decoded. Signatures are not stored, so what is shown is no credential.

use entra_core::Timestamp;
use serde_json::{Map, Value};

use crate::journal::TokenFacts;

/// A token without its signature.
pub(super) struct Decoded {
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
}

impl Decoded {
    /// Returns `None` if the token is not a JWT.
    pub(super) fn of(token: &TokenFacts) -> Option<Self> {
        Some(Self {
            header: token.header()?,
            claims: token.claims()?,
        })
    }

    pub(super) fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }

    pub(super) fn time(&self, claim: &str) -> Option<Timestamp> {
        Timestamp::from_unix_timestamp(self.claims.get(claim)?.as_i64()?).ok()
    }
}
