use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

use http::HeaderMap;

use crate::{
    ClientId, CredentialDescription, CredentialError, CredentialMaterial, Secret, TenantId,
    Timestamp, challenge::claims_challenge,
};

/// A source of access tokens.
///
/// `entra-auth` has implementations; a Graph client takes any of them, or your own. The future may be dropped
/// at any await, which must not affect other callers.
#[async_trait]
pub trait TokenCredential: fmt::Debug + Send + Sync + 'static {
    /// Returns a token for the request, from a cache if the implementation has one.
    ///
    /// # Errors
    /// [`CredentialError`] with the error of the identity service, and whether a retry may succeed.
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError>;

    /// What the credential knows of itself, without a request. Nothing unless implemented.
    fn description(&self) -> CredentialDescription {
        CredentialDescription::default()
    }
}

#[async_trait]
impl<T: TokenCredential + ?Sized> TokenCredential for Arc<T> {
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        (**self).token(request).await
    }

    fn description(&self) -> CredentialDescription {
        (**self).description()
    }
}

/// Makes a credential of an application from what it signs in with.
///
/// It tells whether Entra accepts a new secret or certificate, as the connection test and the rotation of
/// `entra-graph` need to know. `entra-auth` implements it.
pub trait CredentialFactory: fmt::Debug + Send + Sync + 'static {
    /// Returns a credential that signs this application in with this material.
    ///
    /// It sends nothing yet, and its cache is empty and its own: its first token proves that Entra accepts
    /// the material. The error of a rejected sign-in has Entra's code, the cause and the fix.
    ///
    /// # Errors
    /// [`CredentialErrorKind::Configuration`](crate::CredentialErrorKind::Configuration) for material that
    /// cannot be used, such as a secret with a line feed at its end, or a certificate without a key.
    fn credential(
        &self,
        tenant: &TenantId,
        client_id: ClientId,
        material: &CredentialMaterial,
    ) -> Result<Arc<dyn TokenCredential>, CredentialError>;
}

impl<T: CredentialFactory + ?Sized> CredentialFactory for Arc<T> {
    fn credential(
        &self,
        tenant: &TenantId,
        client_id: ClientId,
        material: &CredentialMaterial,
    ) -> Result<Arc<dyn TokenCredential>, CredentialError> {
        (**self).credential(tenant, client_id, material)
    }
}

/// The scopes and conditions of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TokenRequest {
    /// The scopes, such as `https://graph.microsoft.com/.default`.
    pub scopes: Vec<String>,
    /// A tenant other than the credential's.
    pub tenant: Option<TenantId>,
    /// The claims challenge of a resource (JSON), which no cached token satisfies.
    pub claims: Option<String>,
    /// The minimum remaining lifetime; zero means the credential's default.
    pub min_validity: Duration,
    /// Whether to skip the cache, as after a 401 for a token that has not expired.
    pub force_refresh: bool,
}

impl TokenRequest {
    /// A request for these scopes.
    #[must_use]
    pub fn new<I>(scopes: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self {
            scopes: scopes.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// For a tenant other than the credential's.
    #[must_use]
    #[inline]
    pub fn with_tenant(mut self, tenant: TenantId) -> Self {
        self.tenant = Some(tenant);
        self
    }

    /// With the claims challenge of a resource.
    #[must_use]
    #[inline]
    pub fn with_claims(mut self, claims: impl Into<String>) -> Self {
        self.claims = Some(claims.into());
        self
    }

    /// With at least this remaining lifetime.
    #[must_use]
    pub const fn with_min_validity(mut self, min_validity: Duration) -> Self {
        self.min_validity = min_validity;
        self
    }

    /// Without the cache.
    #[must_use]
    pub const fn with_force_refresh(mut self) -> Self {
        self.force_refresh = true;
        self
    }

    /// The request for the token after one that a response with these headers rejected (401): with the claims of its
    /// challenge (continuous access evaluation), or without the cache.
    #[must_use]
    #[inline]
    pub fn after_rejection(self, headers: &HeaderMap) -> Self {
        match claims_challenge(headers) {
            Some(claims) => self.with_claims(claims),
            None => self.with_force_refresh(),
        }
    }
}

/// A bearer token and its lifetime. Cheap to clone; `Debug` shows the times only.
#[derive(Clone)]
pub struct AccessToken(Arc<Token>);

struct Token {
    secret: Secret,
    expires_on: Timestamp,
    refresh_on: Option<Timestamp>,
}

impl AccessToken {
    /// A token that is valid until `expires_on`.
    #[must_use]
    pub fn new(secret: impl Into<Secret>, expires_on: Timestamp) -> Self {
        Self(Arc::new(Token {
            secret: secret.into(),
            expires_on,
            refresh_on: None,
        }))
    }

    /// The same token with the time from which it should be refreshed, before it expires.
    #[must_use]
    pub fn with_refresh_on(self, refresh_on: Timestamp) -> Self {
        let Token {
            secret, expires_on, ..
        } = &*self.0;
        Self(Arc::new(Token {
            secret: secret.clone(),
            expires_on: *expires_on,
            refresh_on: Some(refresh_on),
        }))
    }

    /// The token's text, for the `Authorization` header.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.secret.expose_secret()
    }

    /// When the token expires.
    #[must_use]
    pub fn expires_on(&self) -> Timestamp {
        self.0.expires_on
    }

    /// When it should be refreshed in the background. `None` if the service did not say.
    #[must_use]
    pub fn refresh_on(&self) -> Option<Timestamp> {
        self.0.refresh_on
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("expires_on", &self.0.expires_on)
            .field("refresh_on", &self.0.refresh_on)
            .finish_non_exhaustive()
    }
}
