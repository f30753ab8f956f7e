//! Remembers the last token, so that a 403 can say which permissions it had.

use std::sync::{Mutex, PoisonError};

use entra_core::{AccessToken, CredentialError, TokenCredential, TokenRequest};

use crate::error::Granted;

/// A credential that remembers the last token it handed out, as the cache below it does anyway.
#[derive(Debug)]
pub(crate) struct Remembering<C> {
    credential: C,
    last: Mutex<Option<AccessToken>>,
}

impl<C> Remembering<C> {
    pub(crate) const fn new(credential: C) -> Self {
        Self {
            credential,
            last: Mutex::new(None),
        }
    }
}

/// A credential that returns the permissions of its last token.
pub(crate) trait GrantedCredential: TokenCredential {
    fn granted(&self) -> Option<Granted>;
}

impl<C: TokenCredential> GrantedCredential for Remembering<C> {
    fn granted(&self) -> Option<Granted> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        Granted::read(last.as_ref()?.expose_secret())
    }
}

#[async_trait::async_trait]
impl<C: TokenCredential> TokenCredential for Remembering<C> {
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        let token = self.credential.token(request).await?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        Ok(token)
    }
}
