use std::{borrow::Cow, error, fmt, sync::Arc};

use entra_core::time::Duration;

use crate::{Error, ErrorKind};

/// Why a token is rejected.
///
/// `Display` is one line for a log. Of a token it has ids only, and only if the signature is valid. The
/// response for the caller is [`www_authenticate`](Self::www_authenticate).
#[derive(Clone)]
pub struct TokenValidationError(Arc<Inner>);

struct Inner {
    kind: TokenValidationErrorKind,
    summary: Cow<'static, str>,
    fix: Cow<'static, str>,
    scopes: Option<String>,
    /// For a token outside of its validity period: how long ago it was issued, by this machine's clock.
    issued_ago: Option<Duration>,
    source: Option<Error>,
}

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenValidationErrorKind {
    /// It is not a signed JWT with the claims that every token has, or it is too large or too deep.
    Malformed,
    /// It is signed with another algorithm than RS256, or not signed.
    Algorithm,
    /// It is signed with an unknown key.
    UnknownKey,
    /// The signature is invalid.
    Signature,
    /// It is from another issuer, or of another version.
    Issuer,
    /// Its tenant is not accepted.
    Tenant,
    /// It is for another application.
    Audience,
    /// It is an ID token in place of an access token, or the other way round.
    TokenUse,
    /// It has expired.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// It belongs to another sign-in.
    Nonce,
    /// Its client application is not accepted.
    Client,
    /// It lacks a scope.
    Scope,
    /// It lacks an app role.
    Role,
    /// It is a user's, and only app-only tokens are accepted.
    AppOnlyRequired,
    /// It is app-only, and only tokens of users are accepted.
    UserRequired,
    /// The keys of the sign-in service could not be fetched, so the token could not be validated.
    KeysUnavailable,
}

/// The error of a validation as one of this crate, for functions that also build credentials or clients.
impl From<TokenValidationError> for Error {
    fn from(error: TokenValidationError) -> Self {
        let kind = match error.is_transient() {
            true => ErrorKind::Service,
            false => ErrorKind::Rejected,
        };
        Self::new(kind, error.to_string())
            .with(|inner| inner.fix = Some(error.fix().to_owned().into()))
            .with_source(error)
    }
}

impl TokenValidationError {
    /// What is wrong with the token.
    #[must_use]
    pub fn kind(&self) -> TokenValidationErrorKind {
        self.0.kind
    }

    /// What to do about it, in one sentence for the operator of the application.
    #[must_use]
    pub fn fix(&self) -> &str {
        &self.0.fix
    }

    /// The error code of RFC 6750, section 3.1: `invalid_token`, or `insufficient_scope` for a
    /// valid token that lacks a permission. `None` if the token is not at fault.
    #[must_use]
    pub fn bearer_error(&self) -> Option<&'static str> {
        match self.http_status() {
            401 => Some("invalid_token"),
            403 => Some("insufficient_scope"),
            _ => None,
        }
    }

    /// The status of the response to a request with such a token: 401, 403, or 503 if the keys could not
    /// be fetched.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        use TokenValidationErrorKind as Kind;
        match self.0.kind {
            Kind::Client
            | Kind::Scope
            | Kind::Role
            | Kind::AppOnlyRequired
            | Kind::UserRequired => 403,
            Kind::KeysUnavailable => 503,
            _ => 401,
        }
    }

    /// The `WWW-Authenticate` header of the response: the error, a description without values of the
    /// token, and the required scopes. `None` if the token is not at fault.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// use entra_auth::TokenValidator;
    /// # let tenant = "11111111-1111-1111-1111-111111111111";
    /// let validator = TokenValidator::access_tokens(tenant, ["api://tasks"]).build()?;
    /// let rejected = validator.validate("not.a.token").await.unwrap_err();
    /// assert_eq!(rejected.http_status(), 401);
    /// assert_eq!(
    ///     rejected.www_authenticate().as_deref(),
    ///     Some(r#"Bearer error="invalid_token", error_description="The token is malformed""#)
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn www_authenticate(&self) -> Option<String> {
        let mut parameters = self.header_parameters()?;
        if let Some(scopes) = &self.0.scopes {
            parameters.push(("scope", scopes));
        }
        Some(bearer_header(&parameters))
    }

    /// Error and description, without scopes.
    pub(crate) fn header_parameters(&self) -> Option<Vec<(&str, &str)>> {
        let error = self.bearer_error()?;
        Some(vec![
            ("error", error),
            ("error_description", describe(self.0.kind)),
        ])
    }

    /// The scopes, one of which the token needs or all, if it lacks a [scope](TokenValidationErrorKind::Scope):
    /// as the rule names them.
    pub fn required_scopes(&self) -> impl Iterator<Item = &str> {
        let scopes = self.0.scopes.as_deref().unwrap_or_default();
        scopes.split_ascii_whitespace()
    }

    /// Whether the same token may be accepted later without any change.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self.0.kind,
            TokenValidationErrorKind::KeysUnavailable | TokenValidationErrorKind::NotYetValid
        )
    }

    pub(super) fn new(
        kind: TokenValidationErrorKind,
        summary: impl Into<Cow<'static, str>>,
        fix: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Arc::new(Inner {
            kind,
            summary: summary.into(),
            fix: fix.into(),
            scopes: None,
            issued_ago: None,
            source: None,
        }))
    }

    /// A token outside of its validity period by this machine's clock.
    pub(super) fn outside_validity(
        kind: TokenValidationErrorKind,
        summary: String,
        fix: &'static str,
        issued_ago: Option<Duration>,
    ) -> Self {
        Self(Arc::new(Inner {
            kind,
            summary: summary.into(),
            fix: fix.into(),
            scopes: None,
            issued_ago,
            source: None,
        }))
    }

    /// How long ago the token was issued, by this machine's clock: negative if that is in the future.
    /// Only for a token outside of its validity period.
    pub(crate) fn issued_ago(&self) -> Option<Duration> {
        self.0.issued_ago
    }

    pub(super) fn malformed(summary: &'static str) -> Self {
        Self::new(
            TokenValidationErrorKind::Malformed,
            summary,
            "send the token as the sign-in service issued it, without quotation marks, white space or `Bearer`",
        )
    }

    pub(super) fn lacks_scope(needed: &[String], summary: &'static str) -> Self {
        let list = needed.join(" ");
        // Characters that would end the quoted string of the header are left out.
        let quotable = list
            .bytes()
            .all(|byte| matches!(byte, 0x20..=0x7e) && byte != b'"' && byte != b'\\');
        Self(Arc::new(Inner {
            kind: TokenValidationErrorKind::Scope,
            summary: summary.into(),
            fix: format!(
                "have the client request, and users or an administrator consent to: {list}"
            )
            .into(),
            scopes: (quotable && !list.is_empty()).then_some(list),
            issued_ago: None,
            source: None,
        }))
    }

    pub(super) fn keys_unavailable(source: Error) -> Self {
        let fix = source
            .fix()
            .unwrap_or("try again; check network, DNS and proxy on the way to the sign-in service")
            .to_owned();
        Self(Arc::new(Inner {
            kind: TokenValidationErrorKind::KeysUnavailable,
            summary: "the signing keys could not be fetched".into(),
            fix: fix.into(),
            scopes: None,
            issued_ago: None,
            source: Some(source),
        }))
    }
}

impl fmt::Display for TokenValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.summary)
    }
}

impl fmt::Debug for TokenValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenValidationError")
            .field("kind", &self.0.kind)
            .field("message", &self.0.summary)
            .field("fix", &self.0.fix)
            .field("source", &self.0.source)
            .finish()
    }
}

impl error::Error for TokenValidationError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source.as_ref().map(|source| source as _)
    }
}

/// A `WWW-Authenticate` header of the scheme Bearer (RFC 6750, section 3). No value has a quotation mark.
pub(crate) fn bearer_header(parameters: &[(&str, &str)]) -> String {
    let mut header = "Bearer".to_owned();
    for (position, (name, value)) in parameters.iter().enumerate() {
        let separator = if position == 0 { "" } else { "," };
        header.push_str(&format!(r#"{separator} {name}="{value}""#));
    }
    header
}

/// The description for the caller.
const fn describe(kind: TokenValidationErrorKind) -> &'static str {
    use TokenValidationErrorKind as Kind;
    match kind {
        Kind::Malformed => "The token is malformed",
        Kind::Algorithm => "The token is not signed with RS256",
        Kind::UnknownKey => "The token is signed with an unknown key",
        Kind::Signature => "The signature is invalid",
        Kind::Issuer => "The issuer is not accepted",
        Kind::Tenant => "The tenant is not accepted",
        Kind::Audience => "The audience is not accepted",
        Kind::TokenUse => "This is another kind of token",
        Kind::Expired => "The token has expired",
        Kind::NotYetValid => "The token is not valid yet",
        Kind::Nonce => "The token belongs to another sign-in",
        Kind::Client => "The client application is not accepted",
        Kind::Scope => "The token lacks a scope",
        Kind::Role => "The token lacks an app role",
        Kind::AppOnlyRequired => "The token must be app-only",
        Kind::UserRequired => "The token must be a user's",
        Kind::KeysUnavailable => "The token could not be checked",
    }
}
