//! The one person of a credential that signs in by itself when it has to.

use std::{future::Future, sync::PoisonError};

use entra_core::{AccessToken, CredentialError, TokenCredential, TokenRequest};
use tokio::sync::Mutex;

use super::{account::Account, refresh::UserCredential};
use crate::Error;

/// Nobody yet, or somebody. Callers who come while somebody signs in wait for it.
#[derive(Debug, Default)]
pub(super) struct SignedIn {
    /// Held during a sign-in; it goes free when the caller that signs in is dropped.
    gate: Mutex<()>,
    person: std::sync::Mutex<Option<UserCredential>>,
}

impl SignedIn {
    pub(super) fn person(&self) -> Option<UserCredential> {
        self.person
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn account(&self) -> Option<Account> {
        self.person().map(|person| person.account().clone())
    }

    pub(super) fn set(&self, person: Option<UserCredential>) {
        *self.person.lock().unwrap_or_else(PoisonError::into_inner) = person;
    }

    /// A token of the person, who signs in first if need be.
    pub(super) async fn token<F>(
        &self,
        request: &TokenRequest,
        sign_in: impl FnOnce() -> F,
    ) -> Result<AccessToken, CredentialError>
    where
        F: Future<Output = Result<UserCredential, Error>> + Send,
    {
        let before = self.person();
        if let Some(person) = &before {
            match person.token(request).await {
                Err(error) if needs_sign_in(&error) => {}
                outcome => return outcome,
            }
        }
        let gate = self.gate.lock().await;
        // Somebody else may have signed in meanwhile.
        if let Some(person) = self.person()
            && before.is_none_or(|before| !before.is_same(&person))
        {
            drop(gate);
            return person.token(request).await;
        }
        let person = sign_in().await?;
        self.set(Some(person.clone()));
        drop(gate);
        person.token(request).await
    }
}

fn needs_sign_in(error: &CredentialError) -> bool {
    error.kind() == entra_core::CredentialErrorKind::InteractionRequired
}
