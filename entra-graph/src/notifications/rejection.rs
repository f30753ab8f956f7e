//! Why a notification was not accepted.

use std::fmt;

/// Why a notification was not accepted. Graph is not told, so that a forger learns nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RejectionReason {
    /// It lacks a property, or one has another type than documented.
    Malformed,
    /// It does not carry one of the receiver's client states.
    ClientState,
    /// It is of a tenant that the receiver does not accept.
    Tenant,
    /// Its subscription expired more than four hours ago, which is as long as Graph retries.
    Expired,
    /// The same notification was accepted before.
    Duplicate,
    /// It has resource data, or the receiver requires validation tokens, and there is none for its tenant.
    TokenMissing,
    /// A validation token is invalid, for another application, or not from Graph's publisher of notifications. All
    /// notifications of the request are rejected.
    TokenInvalid,
    /// It names an encryption certificate whose key the receiver does not have.
    UnknownCertificate,
    /// Its content does not fit its signature, or cannot be decrypted.
    Content,
}

impl RejectionReason {
    const fn text(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::ClientState => "wrong client state",
            Self::Tenant => "tenant not accepted",
            Self::Expired => "subscription expired",
            Self::Duplicate => "duplicate",
            Self::TokenMissing => "no validation token for its tenant",
            Self::TokenInvalid => "invalid validation token",
            Self::UnknownCertificate => "unknown encryption certificate",
            Self::Content => "content cannot be decrypted",
        }
    }
}

impl fmt::Display for RejectionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
