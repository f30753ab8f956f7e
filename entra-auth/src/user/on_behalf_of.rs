use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use entra_core::{
    AccessToken, ClientId, CredentialError, Idempotency, IntoId, Secret, TenantId, TokenCredential,
    TokenRequest,
};
use tracing::debug;

use super::{
    client_application::{ClientApplication, ClientParameters, with_identity},
    proof::ClientAuthentication,
    refresh,
};
use crate::{
    Error,
    builder::{CloudCredential, Configure, CredentialBuilder},
    cache::{self, RotationLock, TokenKey},
    expiring_map::ExpiringMap,
    form::Form,
    retry_mode::RetryMode,
    tokens::{TokenSource, Tokens, check_tenant},
    wire::UserTokenFields,
};

/// Lets an API call another API on behalf of its callers (the OAuth on-behalf-of grant).
///
/// One value serves all callers; tokens are cached by caller. See Microsoft's page on the
/// [grant](https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow).
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use entra_auth::user::{ClientAuthentication, OnBehalfOf};
/// use entra_core::{TokenCredential, TokenRequest};
/// # let tenant = entra_mock::FakeTenant::start().await;
/// # let api = tenant.register_app("API").expose_scope("Tasks.Read").delegated_permission("User.Read").with_secret();
/// # let (tenant_id, client_id, secret) = (tenant.id(), api.client_id(), api.secret());
/// # let shop = tenant.register_app("Shop").with_secret();
/// # let scope = format!("api://{}/Tasks.Read", api.client_id());
/// # let bearer_token = tenant.tokens_for(&shop, "adele@contoso.com", [&scope]).access_token().clone();
/// let on_behalf_of = OnBehalfOf::builder(tenant_id, client_id, ClientAuthentication::secret(secret))
/// #   .clock(tenant.clock())
///     .cloud(tenant.cloud())
///     .build()?;
///
/// // In a request handler, with the token that the caller sent and that was validated before:
/// let caller = on_behalf_of.caller(bearer_token);
/// let token = caller.token(&TokenRequest::new(["https://graph.microsoft.com/User.Read"])).await?;
/// # use entra_core::Clock;
/// # assert!(token.expires_on() > tenant.clock().now());
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct OnBehalfOf(Arc<Inner>);

struct Inner {
    application: Arc<ClientApplication>,
    long_running: Mutex<ExpiringMap<String, OnBehalfOfCredential>>,
}

/// Configures a [`OnBehalfOf`].
pub type OnBehalfOfBuilder = CredentialBuilder<OnBehalfOf>;

#[derive(Clone, Debug)]
pub(crate) struct OnBehalfOfSetup {
    client: ClientParameters,
}

impl Configure for OnBehalfOf {
    type Setup = OnBehalfOfSetup;
}

impl CloudCredential for OnBehalfOf {}

/// Tokens on behalf of one caller; see [`OnBehalfOf`]. Cheap to clone.
#[derive(Clone)]
pub struct OnBehalfOfCredential(Arc<Tokens>);

impl OnBehalfOf {
    /// Returns a builder. Ids may be given as text or as ids; a public client is rejected.
    #[inline]
    pub fn builder(
        tenant: impl IntoId<TenantId>,
        client_id: impl IntoId<ClientId>,
        proof: ClientAuthentication,
    ) -> OnBehalfOfBuilder {
        CredentialBuilder::new(OnBehalfOfSetup {
            client: ClientParameters::new(tenant, client_id, proof),
        })
    }

    /// Returns a credential on behalf of the caller that sent this access token, while it is valid.
    ///
    /// The same token gives the same cached tokens, also in another value of this type that shares
    /// the cache.
    #[inline]
    pub fn caller(&self, assertion: impl Into<Secret>) -> OnBehalfOfCredential {
        let assertion = assertion.into();
        let caller = fingerprint(&assertion);
        self.credential(&caller, assertion, false)
    }

    /// Starts a long-running session, which outlives the caller's token, under a key of your own.
    ///
    /// Choose a key that only this caller's work knows, such as a random job id: the key gives access
    /// to the tokens. A key in use is reassigned to the new caller. It is kept until
    /// [`end_long_running`](Self::end_long_running), until it was not looked up for 90 days, as long
    /// as Entra keeps an unused refresh token, or until 10,000 others were looked up since.
    #[inline]
    pub fn start_long_running(
        &self,
        key: impl Into<String>,
        assertion: impl Into<Secret>,
    ) -> OnBehalfOfCredential {
        let key = key.into();
        let credential = self.credential(&key, assertion.into(), true);
        let now = self.0.application.clock().monotonic();
        self.sessions()
            .insert(key, credential.clone(), LONGEST_IDLE, now);
        credential
    }

    /// Returns the long-running session with this key.
    #[must_use]
    #[inline]
    pub fn long_running(&self, key: &str) -> Option<OnBehalfOfCredential> {
        let (key, now) = (key.to_owned(), self.0.application.clock().monotonic());
        let mut sessions = self.sessions();
        let found = sessions.get(&key, now).cloned()?;
        sessions.touch(&key);
        sessions.expire(&key, now.checked_add(LONGEST_IDLE));
        Some(found)
    }

    /// Ends the session with this key. Returns whether there was one.
    #[must_use]
    #[inline]
    pub fn end_long_running(&self, key: &str) -> bool {
        self.sessions().remove(&key.to_owned()).is_some()
    }

    #[inline]
    fn credential(
        &self,
        session: &str,
        assertion: Secret,
        long_running: bool,
    ) -> OnBehalfOfCredential {
        let application = &self.0.application;
        // A new caller under a used key must not get the tokens of the previous one.
        let account = cache::Account::OnBehalfOf {
            session: session.into(),
            caller: fingerprint(&assertion).into(),
        };
        let source = Caller {
            application: Arc::clone(application),
            assertion,
            long_running,
            refresh_token: Mutex::default(),
            lock: RotationLock::default(),
        };
        OnBehalfOfCredential(Arc::new(Tokens::new(
            Arc::new(source),
            &application.settings,
            application.client,
            application.tenant.clone(),
            account,
        )))
    }

    #[inline]
    fn sessions(&self) -> MutexGuard<'_, ExpiringMap<String, OnBehalfOfCredential>> {
        self.0
            .long_running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl TokenCredential for OnBehalfOfCredential {
    #[inline]
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        self.0.token(request).await.map_err(Into::into)
    }
}

impl OnBehalfOfBuilder {
    /// Builds the value for all callers. Sends nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for an invalid id, an
    /// alias in the tenant's place, an empty secret or no proof at all.
    #[inline]
    pub fn build(self) -> Result<OnBehalfOf, Error> {
        let (setup, settings) = (self.setup, self.options.settings()?);
        if setup.client.proof.is_public() {
            return Err(Error::configuration(
                "a public client cannot act on behalf of its callers",
                "give the API's secret, certificate or assertion",
            ));
        }
        let application = ClientApplication::new(setup.client, settings)?;
        check_tenant(&application.tenant)?;
        Ok(OnBehalfOf(Arc::new(Inner {
            application,
            long_running: Mutex::new(ExpiringMap::new(MOST_LONG_RUNNING)),
        })))
    }
}

impl fmt::Debug for OnBehalfOf {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnBehalfOf")
            .field("application", &self.0.application)
            .field("long_running", &self.sessions().len())
            .finish()
    }
}

impl fmt::Debug for OnBehalfOfCredential {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnBehalfOfCredential")
            .field("authority", &self.0.authority())
            .field("tenant", self.0.home())
            .field("client_id", &self.0.client())
            .finish_non_exhaustive()
    }
}

/// The token of one caller, and its refresh token.
#[derive(Debug)]
struct Caller {
    application: Arc<ClientApplication>,
    assertion: Secret,
    long_running: bool,
    refresh_token: Mutex<Option<Secret>>,
    lock: RotationLock,
}

#[async_trait]
impl TokenSource for Caller {
    #[inline]
    async fn fetch(
        &self,
        token_key: &TokenKey,
        retry_mode: RetryMode,
    ) -> Result<AccessToken, Error> {
        // Only long-running sessions have a refresh token; others need no lock.
        let guard = match self.long_running {
            true => Some(self.lock.acquire(self.application.lock_timeout()).await),
            false => None,
        };
        let held = self.refresh_token().clone();
        let (token, user_fields) = match held {
            Some(held) => {
                match refresh::refresh(&self.application, token_key, &held, retry_mode, None).await
                {
                    // The caller's own token may still be valid.
                    Err(error) if error.is_interaction_required() => {
                        debug!(%error, "the refresh token is no longer valid");
                        self.assert(token_key, retry_mode)
                            .await
                            .map_err(|_| error)?
                    }
                    outcome => outcome?,
                }
            }
            None => self.assert(token_key, retry_mode).await?,
        };
        if self.long_running
            && let Some(newer) = user_fields.refresh_token
        {
            *self.refresh_token() = Some(newer);
        }
        drop(guard);
        Ok(token)
    }
}

impl Caller {
    #[inline]
    async fn assert(
        &self,
        token_key: &TokenKey,
        retry_mode: RetryMode,
    ) -> Result<(AccessToken, UserTokenFields), Error> {
        let scope = if self.long_running {
            with_identity(&[token_key.scope()])
        } else {
            token_key.scope()
        };
        let form = Form::new("urn:ietf:params:oauth:grant-type:jwt-bearer")
            .secret("assertion", &self.assertion)
            .field("requested_token_use", "on_behalf_of")
            .field("scope", scope)
            .optional("claims", token_key.claims.as_deref());
        self.application
            .redeem(
                "token on behalf of",
                &token_key.tenant,
                form,
                Idempotency::Safe,
                retry_mode,
            )
            .await
    }

    #[inline]
    fn refresh_token(&self) -> MutexGuard<'_, Option<Secret>> {
        self.refresh_token
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The digest of a caller's token, for keys.
#[inline]
fn fingerprint(assertion: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, assertion.expose_secret().as_bytes()))
}

const MOST_LONG_RUNNING: usize = 10_000;
const LONGEST_IDLE: Duration = Duration::from_secs(90 * 86_400);
