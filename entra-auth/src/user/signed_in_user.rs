//! The user of a credential that starts a sign-in when it needs one.

use std::{
    future::Future,
    sync::{Arc, PoisonError},
};

use entra_core::{AccessToken, CredentialError, TokenCredential, TokenRequest};
use tokio::sync::Mutex;

use super::{
    account::Account, client_application::ClientApplication, user_credential::UserCredential,
};
use crate::{
    Error,
    builder::{Configure, CredentialBuilder},
};

/// A credential that signs a user in and can go on with the account of an earlier sign-in.
pub(crate) trait RemembersAccount: Configure {
    /// The account that is expected to sign in.
    fn expected(setup: &mut Self::Setup) -> &mut Option<Account>;
}

#[expect(private_bounds, reason = "the trait is sealed")]
impl<C: RemembersAccount> CredentialBuilder<C> {
    /// The account of an earlier sign-in, made with a cache on the same store, such as in an earlier
    /// run. The user is asked to sign in only if the refresh token in the store cannot be used any
    /// more. A browser sign-in then suggests the account's user name, unless another
    /// login hint is set.
    ///
    /// Another user may sign in instead: the credential's `account` returns the account in use.
    #[inline]
    pub fn account(mut self, account: Account) -> Self {
        *C::expected(&mut self.setup) = Some(account);
        self
    }
}

/// The signed-in user, if any. Callers wait while a sign-in is in progress.
#[derive(Debug, Default)]
pub(super) struct SignedInUser {
    /// Held during a sign-in and released when the caller that signs in is dropped.
    gate: Mutex<()>,
    user: std::sync::Mutex<Option<UserCredential>>,
    /// The account whose refresh token the store may have.
    expected: Option<(Arc<ClientApplication>, Account)>,
}

impl SignedInUser {
    /// No user yet. The given account may have a refresh token in the store.
    #[inline]
    pub(super) fn expecting(
        application: &Arc<ClientApplication>,
        account: Option<Account>,
    ) -> Self {
        let known = account.filter(|_| application.settings.cache.has_store());
        Self {
            expected: known.map(|account| (Arc::clone(application), account)),
            ..Self::default()
        }
    }

    #[inline]
    pub(super) fn user(&self) -> Option<UserCredential> {
        self.user
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    #[inline]
    pub(super) fn account(&self) -> Option<Account> {
        self.user().map(|user| user.account().clone())
    }

    #[inline]
    pub(super) fn set(&self, user: Option<UserCredential>) {
        *self.user.lock().unwrap_or_else(PoisonError::into_inner) = user;
    }

    /// Returns a token of the user, who signs in first if necessary. Before the first sign-in, the
    /// refresh token of the expected account is looked up in the store.
    #[inline]
    pub(super) async fn token<F>(
        &self,
        request: &TokenRequest,
        sign_in: impl FnOnce() -> F,
    ) -> Result<AccessToken, CredentialError>
    where
        F: Future<Output = Result<UserCredential, Error>> + Send,
    {
        let before = self.user();
        if let Some(user) = &before {
            match user.token(request).await {
                Err(error) if needs_sign_in(&error) => {}
                outcome => return outcome,
            }
        }
        let gate = self.gate.lock().await;
        // Another caller may have signed in meanwhile.
        if let Some(user) = self.user()
            && before.as_ref().is_none_or(|before| !before.is_same(&user))
        {
            drop(gate);
            return user.token(request).await;
        }
        if before.is_none()
            && let Some((application, account)) = &self.expected
            // If the store cannot be read, a sign-in gives what it may have.
            && let Ok(Some(user)) = UserCredential::resumed(application, account).await
        {
            match user.token(request).await {
                Err(error) if needs_sign_in(&error) => {}
                outcome => {
                    self.set(Some(user));
                    return outcome;
                }
            }
        }
        let user = sign_in().await?;
        self.set(Some(user.clone()));
        drop(gate);
        user.token(request).await
    }
}

#[inline]
fn needs_sign_in(error: &CredentialError) -> bool {
    error.kind() == entra_core::CredentialErrorKind::InteractionRequired
}
