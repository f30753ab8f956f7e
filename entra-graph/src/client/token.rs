//! Remembers the last token: a 403 says which permissions it had, and quotas are those of its application and tenant.

use std::sync::{Arc, Mutex, PoisonError};

use entra_core::{AccessToken, CredentialError, TokenCredential, TokenRequest};

use crate::{
    error::{Granted, claims},
    governor::QuotaKey,
};

/// A credential that remembers the last token it handed out, as the cache below it does anyway.
#[derive(Debug)]
pub(crate) struct Remembering<C> {
    credential: C,
    last: Mutex<Option<Last>>,
}

#[derive(Debug)]
struct Last {
    token: AccessToken,
    quota: Arc<QuotaKey>,
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

    /// Whose quota its requests use; `None` before the first token.
    fn quota(&self) -> Option<Arc<QuotaKey>>;
}

impl<C: TokenCredential> GrantedCredential for Remembering<C> {
    fn granted(&self) -> Option<Granted> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        Granted::read(last.as_ref()?.token.expose_secret())
    }

    fn quota(&self) -> Option<Arc<QuotaKey>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&last.as_ref()?.quota))
    }
}

#[async_trait::async_trait]
impl<C: TokenCredential> TokenCredential for Remembering<C> {
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        let token = self.credential.token(request).await?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
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

/// The application and the tenant that a token is for.
fn quota_of(token: &str) -> Option<QuotaKey> {
    #[derive(serde::Deserialize)]
    struct Claims {
        #[serde(alias = "azp")]
        appid: String,
        tid: String,
    }

    let claims: Claims = claims(token)?;
    Some(QuotaKey {
        application: claims.appid.to_ascii_lowercase(),
        tenant: claims.tid.to_ascii_lowercase(),
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
