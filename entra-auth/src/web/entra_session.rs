use serde_json::json;

use crate::store::hashed;

/// A session at the sign-in service, which a front-channel sign-out names by issuer and `sid`.
pub(super) struct EntraSession(String);

impl EntraSession {
    pub(super) fn new(issuer: &str, sid: &str) -> Self {
        Self(json!([issuer, sid]).to_string())
    }

    /// The name of the session in the store.
    pub(super) fn digest(&self) -> String {
        hashed(&self.0)
    }

    /// What a sign-out presents, and the store does not have.
    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}
