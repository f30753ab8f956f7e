use std::{error, fmt, sync::Arc};

use entra_core::{MembershipError, time::Duration};

use super::{kind::SignInErrorKind, kind_of};
use crate::{
    Error, ErrorKind,
    skew::ClockDifference,
    validate::{TokenValidationError, TokenValidationErrorKind},
};

/// Why a sign-in failed, with a sentence for the user and one for the administrator.
///
/// `Display` is one line for a log. Neither it nor the sentences contain a secret, a token, or text of
/// the callback, which any party may have written. Cheap to clone.
///
/// ```
/// # use entra_auth::sign_in::{SignInError, SignInErrorKind};
/// let lost = SignInError::flow_missing();
/// assert_eq!(lost.kind(), SignInErrorKind::FlowMissing);
/// assert!(lost.for_user().ends_with("with cookies allowed."));
/// assert!(lost.for_admin().contains("SameSite"));
/// ```
#[derive(Clone)]
pub struct SignInError(Arc<Inner>);

struct Inner {
    kind: SignInErrorKind,
    /// Details that the kind does not have.
    detail: Option<&'static str>,
    /// For a token outside of its validity period.
    clock_difference: Option<ClockDifference>,
    source: Option<Source>,
}

enum Source {
    Token(Error),
    Invalid(TokenValidationError),
    Membership(MembershipError),
}

impl SignInError {
    /// A callback without a pending sign-in: the browser's session expired or never existed.
    #[must_use]
    pub fn flow_missing() -> Self {
        Self::new(SignInErrorKind::FlowMissing)
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> SignInErrorKind {
        self.0.kind
    }

    /// One sentence for the user, without ids or technical terms.
    #[must_use]
    pub fn for_user(&self) -> &'static str {
        self.0.kind.for_user()
    }

    /// What the administrator has to know and do, with Entra's error code and correlation id.
    #[must_use]
    pub fn for_admin(&self) -> String {
        let mut text = self.0.kind.for_admin().to_owned();
        let mut add = |more: &str| {
            text.push(' ');
            text.push_str(more);
        };
        if let Some(detail) = self.detail() {
            add(&format!("Found: {detail}."));
        }
        if let Some(Source::Membership(error)) = &self.0.source {
            add(&format!("Found: {error}."));
            if let Some(fix) = error.fix().filter(|_| !self.0.kind.names_permission()) {
                add(fix);
            }
        }
        if let Some(error) = self.error() {
            if error.kind() == ErrorKind::Configuration {
                add(&format!("Found: {error}."));
            }
            if let Some(code) = error.aadsts_code() {
                add(&format!("The error of Microsoft Entra ID is AADSTS{code}."));
            }
            if let Some(id) = error.correlation_id() {
                add(&format!("The correlation ID is {id}."));
            }
        }
        if let Some(difference) = self.clock() {
            let sentence = difference.sentence();
            let (first, rest) = sentence.split_at(1);
            add(&format!("{}{rest}.", first.to_uppercase()));
        }
        if let Some(error) = self.invalid_token() {
            add(&format!("Found: {error}."));
            if error.kind() == TokenValidationErrorKind::UnknownKey {
                add(OWN_KEYS);
            }
        }
        text
    }

    /// Whether a new sign-in may succeed without any change to the setup.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.kind.is_retryable()
    }

    /// Whether a user who is signed in and whose re-check fails with this error has no access any more,
    /// see [`SignInErrorKind::ends_session`].
    #[must_use]
    pub fn ends_session(&self) -> bool {
        self.0.kind.ends_session()
    }

    /// Whether the user's tokens are gone without a sign-out or a rejection. The store may have lost them,
    /// and another replica may have them in memory and write them again when it next needs them: keep the
    /// session for a while, and check again later. If no replica has them, the user has to sign in again.
    #[must_use]
    pub fn may_have_lost_tokens(&self) -> bool {
        self.0.detail == Some(LOST_TOKENS)
    }

    /// The error of the sign-in service, with its code, ids and fix.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        match &self.0.source {
            Some(Source::Token(error)) => Some(error),
            Some(Source::Membership(error)) => Error::find(error),
            _ => None,
        }
    }

    /// Why the ID token is invalid.
    #[must_use]
    pub fn invalid_token(&self) -> Option<&TokenValidationError> {
        match &self.0.source {
            Some(Source::Invalid(error)) => Some(error),
            _ => None,
        }
    }

    /// Entra's error code, the digits of `AADSTS…`.
    #[must_use]
    pub fn aadsts_code(&self) -> Option<u32> {
        self.error().and_then(Error::aadsts_code)
    }

    /// The correlation id, by which an administrator finds the sign-in in Entra's sign-in log.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.error().and_then(Error::correlation_id)
    }

    /// By how much this machine's clock is ahead of the sign-in service's, by the `Date` header of its
    /// response or else by the time of issue in the ID token. Negative if it is behind. `None` if the
    /// error is not about a validity period.
    #[must_use]
    pub fn clock_difference(&self) -> Option<Duration> {
        self.clock().map(ClockDifference::ahead)
    }

    pub(crate) fn clock(&self) -> Option<ClockDifference> {
        self.0
            .clock_difference
            .or_else(|| Some(ClockDifference::new(self.error()?.clock_difference()?)))
    }

    /// The claims challenge (JSON) that the next sign-in must satisfy, for
    /// [`StartOptions::claims`](crate::user::StartOptions).
    #[must_use]
    pub fn claims(&self) -> Option<&str> {
        self.error().and_then(Error::claims)
    }

    pub(super) fn new(kind: SignInErrorKind) -> Self {
        Self::made(kind, None, None)
    }

    /// The error of a user who has no tokens though there was no sign-out.
    pub(super) fn lost_tokens() -> Self {
        Self::with_detail(SignInErrorKind::SignInRequired, LOST_TOKENS)
    }

    /// An error with details.
    pub(super) fn with_detail(kind: SignInErrorKind, detail: &'static str) -> Self {
        Self::made(kind, Some(detail), None)
    }

    pub(super) fn of(kind: SignInErrorKind, error: Error) -> Self {
        Self::made(kind, None, Some(Source::Token(error)))
    }

    /// An error of a token that the user can act on, such as by multifactor authentication. `None` for an error of
    /// the application or the service.
    #[cfg(feature = "axum")]
    pub(crate) fn of_user(error: &Error) -> Option<Self> {
        let kind = kind_of::flow_error(error);
        kind_of::is_of_user(kind).then(|| Self::of(kind, error.clone()))
    }

    /// An ID token that was just issued and is invalid. For one outside of its validity period, the
    /// difference to the clock of the service tells by how much this machine's clock is wrong.
    pub(super) fn invalid(
        kind: SignInErrorKind,
        error: TokenValidationError,
        by_response: Option<ClockDifference>,
    ) -> Self {
        let clock_difference = match kind {
            SignInErrorKind::TokenTime => {
                by_response.or_else(|| error.issued_ago().map(ClockDifference::new))
            }
            _ => None,
        };
        Self(Arc::new(Inner {
            kind,
            detail: None,
            clock_difference,
            source: Some(Source::Invalid(error)),
        }))
    }

    pub(super) fn membership(error: MembershipError) -> Self {
        let kind = kind_of::membership(&error);
        Self::made(kind, None, Some(Source::Membership(error)))
    }

    pub(super) fn configuration(detail: &'static str) -> Self {
        Self::with_detail(SignInErrorKind::Configuration, detail)
    }

    /// The details, unless they repeat the kind's text.
    fn detail(&self) -> Option<&'static str> {
        self.0
            .detail
            .filter(|detail| *detail != self.0.kind.summary())
    }

    fn made(kind: SignInErrorKind, detail: Option<&'static str>, source: Option<Source>) -> Self {
        Self(Arc::new(Inner {
            kind,
            detail,
            clock_difference: None,
            source,
        }))
    }
}

impl fmt::Display for SignInError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.kind.summary())?;
        match self.detail() {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for SignInError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInError")
            .field("kind", &self.0.kind)
            .field("detail", &self.0.detail)
            .field("source", &error::Error::source(self))
            .finish()
    }
}

impl error::Error for SignInError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source.as_ref().map(|source| match source {
            Source::Token(error) => error as &(dyn error::Error + 'static),
            Source::Invalid(error) => error,
            Source::Membership(error) => error,
        })
    }
}

/// The error of a sign-in as one of this crate, so that `?` works where builders and credentials meet: the
/// kind, numbers and ids of the sign-in service's error, and as its fix what the administrator has to do.
impl From<SignInError> for Error {
    fn from(error: SignInError) -> Self {
        use SignInErrorKind as Kind;
        let fix = error.for_admin();
        let own = match error.error() {
            Some(own) => own.clone(),
            None => Self::new(
                match error.kind() {
                    Kind::Configuration => ErrorKind::Configuration,
                    Kind::Throttled => ErrorKind::Throttled,
                    Kind::Unavailable | Kind::GroupsUnavailable => ErrorKind::Service,
                    Kind::SignInRequired
                    | Kind::ConsentRequired
                    | Kind::AdminConsentRequired
                    | Kind::MfaRequired => ErrorKind::InteractionRequired,
                    _ => ErrorKind::Rejected,
                },
                "",
            ),
        };
        own.with(|inner| {
            inner.summary = error.to_string().into();
            inner.fix = Some(fix.into());
        })
        .with_source(error)
    }
}

const LOST_TOKENS: &str = "there are no tokens of the user, and the store has no mark of a sign-out; it may have lost them";
/// The setting of a connection, which the validator's error does not name.
const OWN_KEYS: &str = "An application with its own signing keys, such as for mapped claims, needs the setting SignInClientBuilder::own_signing_keys.";
