//! One application, as the grants for users need it.

use std::{fmt, sync::Arc, time::Duration};

use entra_core::{AccessToken, ClientId, Clock, Idempotency, IntoId, TenantId, url::Url};

use super::proof::{AuthenticationContext, ClientAuthentication};
#[cfg(feature = "sign-in")]
use crate::TokenCache;
use crate::{
    Error,
    application_ids::ApplicationIds,
    form::Form,
    retry_mode::RetryMode,
    settings::Settings,
    token_endpoint::{Grant, TokenEndpoint},
    wire::UserTokenFields,
};

/// Tenant, client id and client authentication, as passed to a builder.
#[derive(Clone, Debug)]
pub(super) struct ClientParameters {
    identity: ApplicationIds,
    pub(super) proof: ClientAuthentication,
}

impl ClientParameters {
    #[inline]
    pub(super) fn new(
        tenant: impl IntoId<TenantId>,
        client: impl IntoId<ClientId>,
        proof: ClientAuthentication,
    ) -> Self {
        Self {
            identity: ApplicationIds::new(tenant, client),
            proof,
        }
    }
}

pub(crate) struct ClientApplication {
    pub(crate) settings: Settings,
    pub(crate) tenant: TenantId,
    pub(crate) client: ClientId,
    proof: ClientAuthentication,
    endpoint: TokenEndpoint,
}

impl ClientApplication {
    #[inline]
    pub(super) fn new(
        parameters: ClientParameters,
        settings: Settings,
    ) -> Result<Arc<Self>, Error> {
        parameters.proof.check()?;
        let (tenant, client) = parameters.identity.of_user_application()?;
        Ok(Arc::new(Self {
            tenant,
            client,
            proof: parameters.proof,
            endpoint: TokenEndpoint::new(&settings)?,
            settings,
        }))
    }

    /// The same application with another cache.
    #[cfg(feature = "sign-in")]
    #[inline]
    pub(super) fn with_cache(&self, cache: TokenCache) -> Arc<Self> {
        let settings = Settings {
            cache,
            ..self.settings.clone()
        };
        Arc::new(Self {
            settings,
            tenant: self.tenant.clone(),
            client: self.client,
            proof: self.proof.clone(),
            endpoint: self.endpoint.clone(),
        })
    }

    /// The sign-in service that a sign-in or a session belongs to, normalized over its host names.
    /// For a provider other than Entra it includes the token endpoint.
    #[inline]
    pub(crate) fn authority(&self) -> String {
        self.settings.cloud.cache_authority()
    }

    #[inline]
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.settings.clock
    }

    /// Whether the provider may take a refresh token that it sees twice for stolen. Entra does not.
    #[inline]
    pub(super) fn has_single_use_refresh_tokens(&self) -> bool {
        !self.settings.cloud.is_entra()
    }

    /// How long another use of a refresh token is waited for: what it may take with all its retries.
    #[inline]
    pub(super) fn lock_timeout(&self) -> Duration {
        let budget = self.settings.retry_policy.budget;
        budget.saturating_add(Duration::from_secs(15))
    }

    /// Redeems a grant with the application's authentication.
    #[inline]
    pub(super) async fn redeem(
        &self,
        operation: &'static str,
        tenant: &TenantId,
        form: Form,
        idempotency: Idempotency,
        retry_mode: RetryMode,
    ) -> Result<(AccessToken, UserTokenFields), Error> {
        let form = self.authenticated(tenant, form).await?;
        self.redeem_authenticated(operation, tenant, form, idempotency, retry_mode)
            .await
    }

    /// The form with the application's authentication, which another service may have to give.
    #[inline]
    pub(super) async fn authenticated(&self, tenant: &TenantId, form: Form) -> Result<Form, Error> {
        let form = form
            .field("client_id", self.client.to_string())
            .field("client_info", "1");
        let context = AuthenticationContext {
            cloud: &self.settings.cloud,
            tenant,
            client: self.client,
            clock: &*self.settings.clock,
            random: &*self.settings.random,
        };
        self.proof.add(form, &context).await
    }

    /// Redeems a grant that has the application's authentication.
    #[inline]
    pub(super) async fn redeem_authenticated(
        &self,
        operation: &'static str,
        tenant: &TenantId,
        form: Form,
        idempotency: Idempotency,
        retry_mode: RetryMode,
    ) -> Result<(AccessToken, UserTokenFields), Error> {
        let grant = Grant {
            operation,
            tenant,
            form,
            idempotency,
            retry_mode,
        };
        self.endpoint
            .redeem_all(&grant)
            .await
            .map_err(|error| error.for_identity(self.client, tenant))
    }

    /// Sends a form to an endpoint that takes no client authentication.
    #[inline]
    pub(super) async fn send(
        &self,
        operation: &'static str,
        url: Url,
        form: &Form,
    ) -> Result<entra_core::Response, Error> {
        self.endpoint.send_form(operation, url, form).await
    }
}

impl fmt::Debug for ClientApplication {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientApplication")
            .field("authority", &self.settings.cloud.authority().as_str())
            .field("tenant", &self.tenant)
            .field("client_id", &self.client)
            .field("proof", &self.proof)
            .finish_non_exhaustive()
    }
}

/// The OpenID scopes that make the service return an ID token and a refresh token.
pub(super) const IDENTITY: [&str; 3] = ["openid", "profile", "offline_access"];

/// Returns the scopes normalized, with the OpenID scopes.
#[inline]
pub(super) fn with_identity(scopes: &[String]) -> String {
    let mut words: Vec<&str> = scopes
        .iter()
        .flat_map(|scope| scope.split_ascii_whitespace())
        .chain(IDENTITY)
        .collect();
    words.sort_unstable();
    words.dedup();
    words.join(" ")
}

/// Returns the scopes of resources, without the OpenID scopes.
#[inline]
pub(super) fn of_resources(scopes: &[String]) -> Vec<String> {
    scopes
        .iter()
        .flat_map(|scope| scope.split_ascii_whitespace())
        .filter(|word| !IDENTITY.contains(word) && *word != "email")
        .map(str::to_owned)
        .collect()
}
