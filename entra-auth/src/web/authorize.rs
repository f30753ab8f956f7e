use std::{fmt, future::Future, sync::Arc};

use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::session::Session;
use crate::sign_in::{SignInClient, SignInError, SignInErrorKind, SignInResult};

/// What a product decides about people: who may enter, and who that is to the product.
///
/// A closure that takes an [`SignInContext`] does where nothing is to be told at a sign-out.
#[async_trait]
pub trait Authorize: Send + Sync + 'static {
    /// The product's own idea of a user, which goes into the session. A handler gets it back
    /// with [`CurrentUser`](super::CurrentUser).
    type User: Serialize + DeserializeOwned + Send + Sync + 'static;

    /// Decides about a user whose sign-in was validated, before there is a session, and about a
    /// signed-in user from time to time. What it returns takes the place of what it returned before.
    ///
    /// # Errors
    /// [`AccessDenied`] when the user may not enter or not stay, which ends the session, or when it
    /// cannot be told.
    async fn authorize(&self, context: SignInContext) -> Result<Self::User, AccessDenied>;

    /// A user's session has ended; does nothing unless implemented.
    async fn signed_out(&self, context: SignOutContext<Self::User>) {
        let _ = context;
    }
}

/// A user who has signed in and waits for the application's decision.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignInContext {
    /// Who it is, with tokens to ask Graph as that user.
    pub signed_in: SignInResult,
    /// Where they signed in.
    pub connection: SignInClient,
    /// Whether the user is signed in already and is checked again, see
    /// [`recheck_after`](super::WebSignInBuilder::recheck_after).
    pub is_recheck: bool,
    /// The language of the page that a denied user sees, as a tag (BCP 47) of
    /// [`pages`](super::pages): the one to write the text for the user in. `None` at a check of a
    /// user who is signed in, which shows no page.
    pub language: Option<String>,
}

/// Whose session has ended, and how.
#[non_exhaustive]
pub enum SignOutContext<P> {
    /// The user signed out here.
    Here {
        /// What the gate said of the user.
        user: P,
        /// What was in the session.
        session: Arc<Session>,
    },
    /// The user signed out elsewhere, and the browser brings Entra's word of which session there
    /// that was. Any client can send such a request: it may end the session it names and do nothing else.
    Elsewhere {
        /// Which sign-in service.
        issuer: String,
        /// The session there: [`Identity::sid`](crate::sign_in::Identity::sid).
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

/// Why a user is denied access: a sentence for the user and one for the administrator.
///
/// ```
/// use entra_auth::web::AccessDenied;
/// let refused = AccessDenied::new("This is for the support team only.")
///     .for_admin("Add the user to the group Support to let them in.");
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
    /// What the check returned cannot be stored in a session.
    InvalidUser,
}

impl AccessDenied {
    /// With what the user is told.
    #[must_use]
    pub fn new(for_person: impl Into<String>) -> Self {
        Self(Reason::Product {
            user: for_person.into(),
            admin: None,
            is_temporary: false,
        })
    }

    /// With what the user is told while it cannot be told whether they may enter, such as when a
    /// database is down: the page has the status 503, and a user who is signed in stays for a while.
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
            Reason::InvalidUser => false,
        }
    }

    /// With what an admin can do about it, on the same page.
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
            Reason::InvalidUser => f.write_str("the user cannot be stored in a session"),
        }
    }
}

impl From<SignInError> for AccessDenied {
    /// Such as groups that could not be read.
    fn from(error: SignInError) -> Self {
        Self(Reason::SignIn(error))
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
pub(super) struct Open;

#[async_trait]
impl Authorize for Open {
    type User = ();

    async fn authorize(&self, _: SignInContext) -> Result<(), AccessDenied> {
        Ok(())
    }
}

/// A check whose users only the application tells apart.
#[async_trait]
pub(super) trait DynAuthorize: Send + Sync + 'static {
    async fn authorize(&self, context: SignInContext) -> Result<Value, AccessDenied>;
    async fn signed_out_here(&self, session: Arc<Session>);
    async fn signed_out_elsewhere(&self, issuer: String, sid: String);
}

pub(super) fn erased<G: Authorize>(gate: G) -> Arc<dyn DynAuthorize> {
    Arc::new(Erased(gate))
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
        // Of an older version of the product, whose people were other values.
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
    fn debug_of_a_sign_out_elsewhere_hides_the_id_of_the_session() {
        let context = SignOutContext::<()>::Elsewhere {
            issuer: "https://issuer.example".to_owned(),
            sid: "canary-of-a-session".to_owned(),
        };
        let text = format!("{context:?}");
        assert!(text.contains("https://issuer.example"), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
}
