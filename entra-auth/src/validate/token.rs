use std::fmt;

use entra_core::{Guid, ObjectId, Timestamp};
use serde_json::{Map, Value};

use super::{
    claims::{self, Claims},
    error::{TokenValidationError, TokenValidationErrorKind},
};

/// The claims of a valid token.
///
/// Store the data of a user under [`tid`](Self::tid) and [`oid`](Self::oid) together. Names and
/// e-mail addresses, which anyone may change, are for display only.
#[derive(Clone)]
pub struct ValidatedToken {
    pub(super) claims: Claims,
    pub(super) expires_on: Timestamp,
    pub(super) tenant: Option<Guid>,
    pub(super) version: Option<TokenVersion>,
    pub(super) caller: Caller,
    pub(super) groups_as_roles: bool,
}

/// A version of Entra's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TokenVersion {
    /// Issued by `sts.windows.net`, to APIs whose registration does not request version 2.
    V1,
    /// The version that new registrations should request (`requestedAccessTokenVersion`).
    V2,
}

/// The kind of caller that a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    User,
    Application,
    /// The claims do not say which; rejected if one of the two is required.
    Unclear,
}

impl ValidatedToken {
    /// The object id of the user, or of the calling application's service principal, in the
    /// tenant. An ID token has none unless the scope `profile` was requested.
    #[must_use]
    pub fn oid(&self) -> Option<ObjectId> {
        self.text("oid")?.parse().ok()
    }

    /// The tenant that issued the token, or `None` for another provider than Entra.
    #[must_use]
    pub fn tid(&self) -> Option<Guid> {
        self.tenant
    }

    /// The subject: an id of the user that differs between applications.
    #[must_use]
    pub fn sub(&self) -> &str {
        self.text("sub").unwrap_or_default()
    }

    /// The issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.text("iss").unwrap_or_default()
    }

    /// The audience; the first one if there are several.
    #[must_use]
    pub fn audience(&self) -> &str {
        match self.claims.get("aud") {
            Some(Value::Array(all)) => all.first().and_then(Value::as_str).unwrap_or_default(),
            one => one.and_then(Value::as_str).unwrap_or_default(),
        }
    }

    /// The client id of the application that received the access token (`azp`, or `appid` in
    /// version 1).
    #[must_use]
    pub fn app_id(&self) -> Option<&str> {
        match self.version {
            Some(TokenVersion::V1) => self.text("appid"),
            Some(TokenVersion::V2) => self.text("azp"),
            None => self.text("azp").or_else(|| self.text("client_id")),
        }
    }

    /// The delegated permissions that the user or an administrator granted to the application (`scp`).
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let name = match self.version {
            None if !self.claims.contains_key("scp") => "scope",
            _ => "scp",
        };
        // Scopes of an app-only token do not count: at Entra it has app roles.
        let has_scopes = self.version.is_none() || self.caller != Caller::Application;
        let granted = self.text(name).filter(|_| has_scopes);
        granted.unwrap_or_default().split_ascii_whitespace()
    }

    /// Whether the token has this scope.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes().any(|granted| granted == scope)
    }

    /// The app roles of the user, or the application permissions of the calling application.
    ///
    /// A registration whose tokens emit groups as roles (`emit_as_roles`) needs
    /// [`groups_as_roles`](super::TokenValidatorBuilder::groups_as_roles), with which there are no roles:
    /// anyone who may rename a group could give it the name of a role.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        let has_roles = !self.groups_as_roles;
        claims::list(&self.claims, "roles").filter(move |_| has_roles)
    }

    /// Whether the caller has this app role.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles().any(|held| held == role)
    }

    /// Requires one of these scopes, such as for a single route.
    ///
    /// # Errors
    /// [`TokenValidationErrorKind::Scope`].
    pub fn require_scope(&self, any_of: &[&str]) -> Result<(), TokenValidationError> {
        if any_of.iter().any(|scope| self.has_scope(scope)) {
            return Ok(());
        }
        let needed: Vec<String> = any_of.iter().map(|&scope| scope.to_owned()).collect();
        Err(TokenValidationError::lacks_scope(&needed, NO_SCOPE))
    }

    /// Requires one of these app roles, such as for a single route.
    ///
    /// # Errors
    /// [`TokenValidationErrorKind::Role`].
    pub fn require_role(&self, any_of: &[&str]) -> Result<(), TokenValidationError> {
        if any_of.iter().any(|role| self.has_role(role)) {
            return Ok(());
        }
        Err(lacks_role(any_of))
    }

    /// Whether the token is app-only: an application's, without a user.
    #[must_use]
    pub fn is_app_only(&self) -> bool {
        self.caller == Caller::Application
    }

    /// Whether the token is a user's. A token can be neither a user's nor app-only if its claims do not
    /// say which.
    #[cfg(feature = "axum")]
    pub(crate) fn is_for_user(&self) -> bool {
        self.caller == Caller::User
    }

    /// The version of an Entra token.
    #[must_use]
    pub fn version(&self) -> Option<TokenVersion> {
        self.version
    }

    /// When the token expires.
    #[must_use]
    pub fn expires_on(&self) -> Timestamp {
        self.expires_on
    }

    /// When the token was issued.
    #[must_use]
    pub fn issued_at(&self) -> Option<Timestamp> {
        claims::time(&self.claims, "iat").ok().flatten()
    }

    /// Whether the client can handle a claims challenge (`xms_cc` has `cp1`), so that it gets a new
    /// token after a 401 with `insufficient_claims`.
    #[must_use]
    pub fn supports_cae(&self) -> bool {
        claims::list(&self.claims, "xms_cc")
            .any(|capability| capability.eq_ignore_ascii_case("cp1"))
    }

    /// One claim.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }

    /// All claims.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// All claims, by value.
    #[must_use]
    pub fn into_claims(self) -> Map<String, Value> {
        self.claims
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }
}

impl fmt::Debug for ValidatedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValidatedToken")
            .field("tid", &self.tenant)
            .field("oid", &self.oid())
            .field("app_id", &self.app_id())
            .field("version", &self.version)
            .field("caller", &self.caller)
            .field("expires_on", &self.expires_on)
            .finish_non_exhaustive()
    }
}

pub(super) fn lacks_role(needed: &[impl AsRef<str>]) -> TokenValidationError {
    let needed: Vec<&str> = needed.iter().map(AsRef::as_ref).collect();
    TokenValidationError::new(
        TokenValidationErrorKind::Role,
        "the token has none of the accepted app roles",
        format!(
            "assign the user, group or application to one of the app roles under Enterprise applications: {}",
            needed.join(", ")
        ),
    )
}

pub(super) const NO_SCOPE: &str = "the token has none of the accepted scopes";
