//! Remembers the last token: a 403 says which permissions it had, and quotas are those of its application and tenant.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use entra_core::{
    AccessToken, Clock, CredentialError, Guid, Timestamp, TokenCredential, TokenRequest,
};

use crate::{
    error::{Granted, claims},
    governor::QuotaKey,
};

/// A credential that remembers the last token it handed out, as the cache below it does anyway.
#[derive(Debug)]
pub(crate) struct Remembering<C> {
    credential: C,
    last: Mutex<Option<Last>>,
    /// Held while the first token is on its way: requests at the same time wait for that one.
    first: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Last {
    token: AccessToken,
    quota: Arc<QuotaKey>,
}

impl<C> Remembering<C> {
    #[inline]
    pub(crate) fn new(credential: C) -> Self {
        Self {
            credential,
            last: Mutex::new(None),
            first: tokio::sync::Mutex::new(()),
        }
    }

    fn last(&self) -> MutexGuard<'_, Option<Last>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A credential that returns the permissions of its last token.
#[async_trait::async_trait]
pub(crate) trait GrantedCredential: TokenCredential {
    fn granted(&self) -> Option<Granted>;

    /// The first token, if this call is the one that requested it; afterwards [`quota`](Self::quota) is known.
    async fn first_token(
        &self,
        request: &TokenRequest,
    ) -> Result<Option<AccessToken>, CredentialError>;

    /// Whose quota its requests use; `None` before the first token.
    fn quota(&self) -> Option<Arc<QuotaKey>>;

    /// The tenant of the last token; `None` before the first one and after its end, since the next token of the
    /// credential may be of another tenant.
    fn tenant(&self, now: Timestamp) -> Option<Guid>;
}

#[async_trait::async_trait]
impl<C: TokenCredential> GrantedCredential for Remembering<C> {
    fn granted(&self) -> Option<Granted> {
        let last = self.last();
        Granted::read(last.as_ref()?.token.expose_secret())
    }

    async fn first_token(
        &self,
        request: &TokenRequest,
    ) -> Result<Option<AccessToken>, CredentialError> {
        if self.quota().is_some() {
            return Ok(None);
        }
        let _first = self.first.lock().await;
        if self.quota().is_some() {
            return Ok(None);
        }
        self.token(request).await.map(Some)
    }

    fn quota(&self) -> Option<Arc<QuotaKey>> {
        let last = self.last();
        Some(Arc::clone(&last.as_ref()?.quota))
    }

    fn tenant(&self, now: Timestamp) -> Option<Guid> {
        let last = self.last();
        let last = last.as_ref().filter(|last| now < last.token.expires_on())?;
        last.quota.tenant.parse().ok()
    }
}

/// A credential whose next token is there already, for one request.
#[derive(Debug)]
pub(crate) struct Prepared {
    token: Mutex<Option<AccessToken>>,
    since: Instant,
    credential: Arc<dyn TokenCredential>,
    clock: Arc<dyn Clock>,
}

impl Prepared {
    #[inline]
    pub(crate) fn new(
        token: AccessToken,
        credential: Arc<dyn TokenCredential>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            token: Mutex::new(Some(token)),
            since: clock.monotonic(),
            credential,
            clock,
        }
    }
}

#[async_trait::async_trait]
impl TokenCredential for Prepared {
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        let prepared = self
            .token
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // The request may have waited for its quota for long.
        match prepared {
            Some(token) if self.clock.elapsed(self.since) <= PREPARED_FOR => Ok(token),
            _ => self.credential.token(request).await,
        }
    }
}

#[async_trait::async_trait]
impl<C: TokenCredential> TokenCredential for Remembering<C> {
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        let token = self.credential.token(request).await?;
        let mut last = self.last();
        let known = last
            .as_ref()
            .is_some_and(|last| last.token.expose_secret() == token.expose_secret());
        if !known {
            *last = Some(Last {
                token: token.clone(),
                quota: Arc::new(quota_of(token.expose_secret()).unwrap_or_default()),
            });
        }
        drop(last);
        Ok(token)
    }
}

/// How long a prepared token is used for. A request that waited longer gets a token from the credential.
const PREPARED_FOR: Duration = Duration::from_secs(60);

/// The application and the tenant that a token is for.
fn quota_of(token: &str) -> Option<QuotaKey> {
    let claims = claims(token)?;
    let id = |name: &str| Some(claims.get(name)?.as_str()?.to_ascii_lowercase());
    Some(QuotaKey {
        application: id("appid").or_else(|| id("azp"))?,
        tenant: id("tid")?,
    })
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    #[test]
    fn quotas_are_those_of_application_and_tenant() {
        let quota =
            |payload: &str| quota_of(&format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(payload)));
        let expected = QuotaKey {
            application: "a1".to_owned(),
            tenant: "t1".to_owned(),
        };
        assert_eq!(
            quota(r#"{"appid":"A1","tid":"t1"}"#).as_ref(),
            Some(&expected)
        );
        assert_eq!(
            quota(r#"{"azp":"a1","tid":"t1"}"#).as_ref(),
            Some(&expected)
        );
        assert_eq!(quota(r#"{"tid":"t1"}"#), None);
        assert_eq!(quota_of("opaque"), None);
    }
}
