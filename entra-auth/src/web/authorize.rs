use std::{error, fmt, future::Future, sync::Arc};

use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::session::Session;
use crate::{
    Error,
    sign_in::{SignInClient, SignInError, SignInErrorKind, SignInResult},
};

/// The application's check: which users have access, and what the application stores of them.
///
/// A closure that takes a [`SignInContext`] implements it without [`signed_out`](Self::signed_out).
#[async_trait]
pub trait Authorize: Send + Sync + 'static {
    /// The application's own type of a user, which is stored in the session. A handler receives it with
    /// [`CurrentUser`](super::CurrentUser).
    type User: Serialize + DeserializeOwned + Send + Sync + 'static;

    /// Decides about a user whose sign-in is valid, before the session begins, and again about a
    /// signed-in user at each re-check, whose result replaces the earlier one.
    ///
    /// At a sign-in it runs in a task of its own, so that a browser which closes its connection does not
    /// interrupt it: the task has the `tracing` span of the request, but not the task-local values
    /// (`tokio::task_local!`) that the application's middleware sets for a request. At a re-check it runs
    /// in the task of the request. Give the check what it needs in its fields instead.
    ///
    /// # Errors
    /// [`AccessDenied`] if the user has no access, which ends the session at a re-check, or if that
    /// cannot be determined: a user who is signed in then stays signed in for at most an hour beyond the
    /// interval. A re-check that takes longer than ten seconds counts as not determined.
    async fn authorize(&self, context: SignInContext) -> Result<Self::User, AccessDenied>;

    /// Called when a user's session has ended; does nothing by default.
    async fn signed_out(&self, context: SignOutContext<Self::User>) {
        let _ = context;
    }
}

/// The sign-in that the application decides about.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignInContext {
    /// The user's identity and tokens.
    pub signed_in: SignInResult,
    /// The connection that the user signed in with.
    pub connection: SignInClient,
    /// Whether the user is signed in already and is checked again, see
    /// [`recheck_after`](super::WebSignInBuilder::recheck_after).
    pub is_recheck: bool,
    /// The language of the page that a denied user sees, as a tag (BCP 47) of
    /// [`pages`](super::pages): the one to write the text for the user in. `None` at a check of a
    /// user who is signed in, which shows no page.
    pub language: Option<String>,
}

/// The session that has ended, and the kind of sign-out.
#[non_exhaustive]
pub enum SignOutContext<P> {
    /// The user signed out here.
    Here {
        /// What [`Authorize::authorize`] returned for the user.
        user: P,
        /// The session.
        session: Arc<Session>,
    },
    /// The user signed out elsewhere, and Entra has the browser name its session there (front-channel
    /// sign-out). Any client can send such a request: let it end the named session and do nothing else.
    Elsewhere {
        /// The issuer of the session there.
        issuer: String,
        /// The id of the session there: [`Identity::sid`](crate::sign_in::Identity::sid).
        sid: String,
    },
}

impl<P: fmt::Debug> fmt::Debug for SignOutContext<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here { user, session } => f
                .debug_struct("Here")
                .field("user", user)
                .field("session", session)
                .finish(),
            // The id of the session is a secret of the browser: it ends the sessions that it names.
            Self::Elsewhere { issuer, .. } => f
                .debug_struct("Elsewhere")
                .field("issuer", issuer)
                .finish_non_exhaustive(),
        }
    }
}

/// Denies a user access, with a sentence for the user and one for the administrator.
///
/// Any error converts to it, so a check can use `?` on a request to Graph or on a query of a database. The access
/// of the user is then unknown, as with [`unavailable`](Self::unavailable), and the log has the error, which the
/// page does not show. If the error is one that the user can act on, such as multifactor authentication that is
/// required for a token, the page says so.
///
/// ```
/// use entra_auth::web::AccessDenied;
/// let denied = AccessDenied::new("This is for the support team only.")
///     .for_admin("Add the user to the group Support to give them access.");
///
/// fn seats() -> Result<u32, AccessDenied> {
///     Ok(std::fs::read_to_string("/no/such/file")?.trim().parse()?)
/// }
/// assert!(seats().unwrap_err().is_temporary());
/// ```
#[derive(Clone, Debug)]
pub struct AccessDenied(pub(super) Reason);

#[derive(Clone, Debug)]
pub(super) enum Reason {
    Product {
        user: String,
        admin: Option<String>,
        is_temporary: bool,
    },
    SignIn(SignInError),
    /// The check returned an error, so the access of the user is unknown.
    CheckFailed(Arc<dyn error::Error + Send + Sync>),
    /// What the check returned cannot be stored in a session.
    InvalidUser,
}

impl AccessDenied {
    /// Denies access, with a sentence for the user.
    #[must_use]
    pub fn new(for_user: impl Into<String>) -> Self {
        Self(Reason::Product {
            user: for_user.into(),
            admin: None,
            is_temporary: false,
        })
    }

    /// Denies access because it cannot be determined at the moment, such as while a database is down.
    /// The page has the status 503, and a user who is signed in stays signed in for a while.
    #[must_use]
    pub fn unavailable(for_user: impl Into<String>) -> Self {
        Self(Reason::Product {
            user: for_user.into(),
            admin: None,
            is_temporary: true,
        })
    }

    /// Whether the same attempt may succeed later without any change.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match &self.0 {
            Reason::Product { is_temporary, .. } => *is_temporary,
            Reason::SignIn(error) => matches!(
                error.kind(),
                SignInErrorKind::Throttled
                    | SignInErrorKind::Unavailable
                    | SignInErrorKind::GroupsUnavailable
            ),
            Reason::CheckFailed(_) => true,
            Reason::InvalidUser => false,
        }
    }

    /// Whether a user who is signed in has no access any more. A fault of the application or of one replica
    /// says nothing about the user, and would end the sessions of all users.
    pub(super) fn ends_session(&self) -> bool {
        match &self.0 {
            Reason::Product { is_temporary, .. } => !is_temporary,
            Reason::SignIn(error) => error.ends_session(),
            Reason::CheckFailed(_) | Reason::InvalidUser => false,
        }
    }

    /// Whether the store may have lost the tokens of the user, which another replica may have in memory.
    pub(super) fn may_have_lost_tokens(&self) -> bool {
        matches!(&self.0, Reason::SignIn(error) if error.may_have_lost_tokens())
    }

    /// The cause and the fix, for the log.
    pub(super) fn detail(&self) -> Option<String> {
        match &self.0 {
            Reason::SignIn(error) => Some(error.for_admin()),
            _ => None,
        }
    }

    /// Adds a sentence for the administrator, which is shown on the same page.
    #[must_use]
    pub fn for_admin(self, text: impl Into<String>) -> Self {
        match self.0 {
            Reason::Product {
                user, is_temporary, ..
            } => Self(Reason::Product {
                user,
                admin: Some(text.into()),
                is_temporary,
            }),
            other => Self(other),
        }
    }
}

impl fmt::Display for AccessDenied {
    /// One line for a log, without the texts of the pages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Reason::Product { .. } => f.write_str("the application's check denied access"),
            Reason::SignIn(error) => error.fmt(f),
            Reason::CheckFailed(error) => write!(f, "the application's check failed: {error}"),
            Reason::InvalidUser => f.write_str("the user cannot be stored in a session"),
        }
    }
}

impl<E: error::Error + Send + Sync + 'static> From<E> for AccessDenied {
    /// An error of the check, such as of a group check, a request to Graph or a database.
    fn from(error: E) -> Self {
        let error: Box<dyn error::Error + Send + Sync> = Box::new(error);
        let error = match error.downcast::<SignInError>() {
            Ok(error) => return Self(Reason::SignIn(*error)),
            Err(error) => error,
        };
        let of_user = Error::find(&*error).and_then(SignInError::of_user);
        Self(match of_user {
            Some(error) => Reason::SignIn(error),
            None => Reason::CheckFailed(Arc::from(error)),
        })
    }
}

#[async_trait]
impl<F, A, P> Authorize for F
where
    F: Fn(SignInContext) -> A + Send + Sync + 'static,
    A: Future<Output = Result<P, AccessDenied>> + Send + 'static,
    P: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    type User = P;

    async fn authorize(&self, context: SignInContext) -> Result<P, AccessDenied> {
        self(context).await
    }
}

/// Every user that the connection signs in is admitted.
#[derive(Clone, Copy, Debug)]
pub(super) struct AllowAll;

#[async_trait]
impl Authorize for AllowAll {
    type User = ();

    async fn authorize(&self, _: SignInContext) -> Result<(), AccessDenied> {
        Ok(())
    }
}

/// An [`Authorize`] whose user type is erased.
#[async_trait]
pub(super) trait DynAuthorize: Send + Sync + 'static {
    async fn authorize(&self, context: SignInContext) -> Result<Value, AccessDenied>;
    async fn signed_out_here(&self, session: Arc<Session>);
    async fn signed_out_elsewhere(&self, issuer: String, sid: String);
}

pub(super) fn type_erased<G: Authorize>(check: G) -> Arc<dyn DynAuthorize> {
    Arc::new(Erased(check))
}

struct Erased<G>(G);

#[async_trait]
impl<G: Authorize> DynAuthorize for Erased<G> {
    async fn authorize(&self, context: SignInContext) -> Result<Value, AccessDenied> {
        let user = self.0.authorize(context).await?;
        serde_json::to_value(user).map_err(|error| {
            tracing::error!(%error, "the user that the application's check returned cannot be stored");
            AccessDenied(Reason::InvalidUser)
        })
    }

    async fn signed_out_here(&self, session: Arc<Session>) {
        // A session of an older version may have another type of user.
        if let Some(user) = session.user::<G::User>() {
            self.0
                .signed_out(SignOutContext::Here { user, session })
                .await;
        }
    }

    async fn signed_out_elsewhere(&self, issuer: String, sid: String) {
        self.0
            .signed_out(SignOutContext::Elsewhere { issuer, sid })
            .await;
    }
}

impl fmt::Debug for dyn DynAuthorize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorize")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_of_a_front_channel_sign_out_hides_the_session_id() {
        let context = SignOutContext::<()>::Elsewhere {
            issuer: "https://issuer.example".to_owned(),
            sid: "canary-of-a-session".to_owned(),
        };
        let text = format!("{context:?}");
        assert!(text.contains("https://issuer.example"), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
}
