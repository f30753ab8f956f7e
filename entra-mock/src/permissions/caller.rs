//! The caller of a request as described by its token.

/// The caller of a verified token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) app_id: String,
    pub(crate) service_principal_id: Option<String>,
    /// The signed-in user, or `None` for an application token.
    pub(crate) user_id: Option<String>,
    /// Application permissions.
    pub(crate) roles: Vec<String>,
    /// Delegated permissions.
    pub(crate) scopes: Vec<String>,
}

impl Caller {
    pub(crate) fn is_delegated(&self) -> bool {
        self.user_id.is_some()
    }

    /// Whether the token has one of these permissions, of the kind that fits the token.
    pub(crate) fn has_any(&self, names: &[&str]) -> bool {
        let held = if self.is_delegated() {
            &self.scopes
        } else {
            &self.roles
        };
        held.iter().any(|held| names.contains(&held.as_str()))
    }
}

/// Why a bearer token was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenProblem {
    /// No `Authorization` header, or an empty one.
    Missing,
    /// Not a JWT.
    Malformed,
    Expired,
    WrongAudience,
    BadSignature,
    /// The user or service principal lost the access; as seconds since 1970, only newer tokens are valid.
    Revoked {
        since: i64,
    },
}

impl TokenProblem {
    /// Graph's message. The code is `InvalidAuthenticationToken` for all of them.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Missing => "Access token is empty.",
            Self::Malformed => "CompactToken parsing failed with error code: 80049217",
            Self::Expired => "Lifetime validation failed, the token is expired.",
            Self::WrongAudience => "Access token validation failure. Invalid audience.",
            Self::Revoked { .. } => {
                "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp"
            }
            Self::BadSignature => "Access token validation failure. Invalid signature.",
        }
    }
}
