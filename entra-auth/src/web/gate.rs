use std::{fmt, future::Future, sync::Arc};

use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::session::Session;
use crate::sign_in::{SignInClient, SignInError, SignedIn};

/// What a product decides about people: who may enter, and who that is to the product.
///
/// A closure that takes an [`Arrival`] does where nothing is to be told at a sign-out.
#[async_trait]
pub trait Gate: Send + Sync + 'static {
    /// The product's own idea of a person, which goes into the session. A handler gets it back
    /// with [`CurrentPerson`](super::CurrentPerson).
    type Person: Serialize + DeserializeOwned + Send + Sync + 'static;

    /// Decides about somebody whose sign-in was validated, before there is a session.
    ///
    /// # Errors
    /// [`Refused`] when the person may not enter, or it cannot be told.
    async fn enter(&self, arrival: Arrival) -> Result<Self::Person, Refused>;

    /// Somebody's session has ended; nothing is done unless said otherwise.
    async fn left(&self, departure: Departure<Self::Person>) {
        let _ = departure;
    }
}

/// Somebody at the gate.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Arrival {
    /// Who it is, with tokens to ask Graph as that person.
    pub signed_in: SignedIn,
    /// Where they signed in.
    pub connection: SignInClient,
}

/// Whose session has ended, and how.
#[derive(Debug)]
#[non_exhaustive]
pub enum Departure<P> {
    /// The person signed out here.
    Here {
        /// What the gate said of the person.
        person: P,
        /// What was in the session.
        session: Arc<Session>,
    },
    /// The person signed out elsewhere, and the browser brings Entra's word of which session there
    /// that was. Anybody can send such a request: it may end the session it names and do nothing else.
    Elsewhere {
        /// Which sign-in service.
        issuer: String,
        /// The session there: [`Identity::sid`](crate::sign_in::Identity::sid).
        sid: String,
    },
}

/// Why somebody may not enter, in a sentence for the person and one for an admin.
///
/// ```
/// use entra_auth::web::Refused;
/// let refused = Refused::new("This is for the support team only.")
///     .for_admin("Add the person to the group Support to let them in.");
/// ```
#[derive(Clone, Debug)]
pub struct Refused(pub(super) Reason);

#[derive(Clone, Debug)]
pub(super) enum Reason {
    Product {
        person: String,
        admin: Option<String>,
    },
    SignIn(SignInError),
}

impl Refused {
    /// With what the person is told.
    #[must_use]
    pub fn new(for_person: impl Into<String>) -> Self {
        Self(Reason::Product {
            person: for_person.into(),
            admin: None,
        })
    }

    /// With what an admin can do about it, on the same page.
    #[must_use]
    pub fn for_admin(self, text: impl Into<String>) -> Self {
        match self.0 {
            Reason::Product { person, .. } => Self(Reason::Product {
                person,
                admin: Some(text.into()),
            }),
            other @ Reason::SignIn(_) => Self(other),
        }
    }
}

impl From<SignInError> for Refused {
    /// Such as groups that could not be read.
    fn from(error: SignInError) -> Self {
        Self(Reason::SignIn(error))
    }
}

#[async_trait]
impl<F, A, P> Gate for F
where
    F: Fn(Arrival) -> A + Send + Sync + 'static,
    A: Future<Output = Result<P, Refused>> + Send + 'static,
    P: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    type Person = P;

    async fn enter(&self, arrival: Arrival) -> Result<P, Refused> {
        self(arrival).await
    }
}

/// Whoever the connection lets in may enter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open;

#[async_trait]
impl Gate for Open {
    type Person = ();

    async fn enter(&self, _: Arrival) -> Result<(), Refused> {
        Ok(())
    }
}

/// A gate whose people are told apart by nobody but the product.
#[async_trait]
pub(super) trait AnyGate: Send + Sync + 'static {
    async fn enter(&self, arrival: Arrival) -> Result<Value, Refused>;
    async fn left_here(&self, session: Arc<Session>);
    async fn left_elsewhere(&self, issuer: String, sid: String);
}

pub(super) fn erased<G: Gate>(gate: G) -> Arc<dyn AnyGate> {
    Arc::new(Erased(gate))
}

struct Erased<G>(G);

#[async_trait]
impl<G: Gate> AnyGate for Erased<G> {
    async fn enter(&self, arrival: Arrival) -> Result<Value, Refused> {
        let person = self.0.enter(arrival).await?;
        serde_json::to_value(person).map_err(|error| {
            tracing::error!(%error, "what the gate says of a person cannot be kept in a session");
            Refused::new("You cannot be let in because of a fault of this site.")
                .for_admin("The log of this site says what the fault is.")
        })
    }

    async fn left_here(&self, session: Arc<Session>) {
        // Of an older version of the product, whose people were other values.
        if let Some(person) = session.person::<G::Person>() {
            self.0.left(Departure::Here { person, session }).await;
        }
    }

    async fn left_elsewhere(&self, issuer: String, sid: String) {
        self.0.left(Departure::Elsewhere { issuer, sid }).await;
    }
}

impl fmt::Debug for dyn AnyGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}
