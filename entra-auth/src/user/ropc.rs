use std::{fmt, sync::Arc};

use async_trait::async_trait;
use entra_core::{
    AccessToken, ClientId, CredentialError, Idempotency, IntoId, Secret, TenantId, TokenCredential,
    TokenRequest,
};

use super::{
    account::Account,
    client_application::{ClientApplication, ClientParameters, with_identity},
    proof::ClientAuthentication,
    signed_in_user::SignedInUser,
    user_credential::UserCredential,
};
use crate::{
    Error,
    builder::{CloudCredential, Configure, CredentialBuilder},
    form::Form,
    retry_mode::RetryMode,
};

/// Signs a user in with user name and password (the OAuth resource owner password credentials grant).
///
/// Microsoft discourages this grant: it does not support multifactor authentication, guests or
/// federated accounts, and the application's settings contain the user's password. Use it for tests
/// and for systems that support nothing else. See Microsoft's
/// page on the [grant](https://learn.microsoft.com/entra/identity-platform/v2-oauth-ropc).
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use entra_auth::user::{ClientAuthentication, UsernamePasswordCredential};
/// use entra_core::{TokenCredential, TokenRequest};
/// # let tenant = entra_mock::FakeTenant::start().await;
/// # let app = tenant.register_app("Tool").delegated_permission("User.Read").public_client();
/// # let (tenant_id, client_id) = (tenant.id(), app.client_id());
/// # let password = tenant.user("adele@contoso.com").password();
/// let credential = UsernamePasswordCredential::builder(tenant_id, client_id, ClientAuthentication::public(), "adele@contoso.com", password)
/// #   .clock(tenant.clock())
///     .cloud(tenant.cloud())
///     .build()?;
/// let token = credential.token(&TokenRequest::new(["User.Read"])).await?;
/// # use entra_core::Clock;
/// # assert!(token.expires_on() > tenant.clock().now());
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct UsernamePasswordCredential(Arc<Inner>);

struct Inner {
    application: Arc<ClientApplication>,
    username: String,
    password: Secret,
    signed_in: SignedInUser,
}

/// Configures a [`UsernamePasswordCredential`].
pub type UsernamePasswordCredentialBuilder = CredentialBuilder<UsernamePasswordCredential>;

#[derive(Clone)]
pub(crate) struct UsernamePasswordSetup {
    client: ClientParameters,
    username: String,
    password: Secret,
}

impl Configure for UsernamePasswordCredential {
    type Setup = UsernamePasswordSetup;
}

impl CloudCredential for UsernamePasswordCredential {}

impl UsernamePasswordCredential {
    /// Returns a builder. Ids may be given as text or as ids; of the aliases only `organizations`
    /// may stand in the tenant's place.
    pub fn builder(
        tenant: impl IntoId<TenantId>,
        client_id: impl IntoId<ClientId>,
        proof: ClientAuthentication,
        username: impl Into<String>,
        password: impl Into<Secret>,
    ) -> UsernamePasswordCredentialBuilder {
        CredentialBuilder::new(UsernamePasswordSetup {
            client: ClientParameters::new(tenant, client_id, proof),
            username: username.into(),
            password: password.into(),
        })
    }

    /// Returns the account that has signed in.
    #[must_use]
    pub fn account(&self) -> Option<Account> {
        self.0.signed_in.account()
    }
}

#[async_trait]
impl TokenCredential for UsernamePasswordCredential {
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        let inner = &self.0;
        let sign_in = || inner.run(&request.scopes, request.claims.as_deref());
        inner.signed_in.token(request, sign_in).await
    }
}

impl fmt::Debug for UsernamePasswordSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UsernamePasswordSetup")
            .field("given", &self.client)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for UsernamePasswordCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UsernamePasswordCredential")
            .field("application", &self.0.application)
            .field("account", &self.account())
            .finish_non_exhaustive()
    }
}

impl UsernamePasswordCredentialBuilder {
    /// Builds the credential. It sends nothing before the first token is requested.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for an invalid id, and an
    /// empty user name, password or secret.
    pub fn build(self) -> Result<UsernamePasswordCredential, Error> {
        let (setup, settings) = (self.setup, self.options.settings()?);
        if setup.username.trim().is_empty() || setup.password.is_empty() {
            return Err(Error::configuration(
                "the user name or the password is empty",
                "check that the variables or files they come from are filled",
            ));
        }
        Ok(UsernamePasswordCredential(Arc::new(Inner {
            application: ClientApplication::new(setup.client, settings)?,
            username: setup.username,
            password: setup.password,
            signed_in: SignedInUser::default(),
        })))
    }
}

impl Inner {
    async fn run(&self, scopes: &[String], claims: Option<&str>) -> Result<UserCredential, Error> {
        let form = Form::new("password")
            .field("username", self.username.as_str())
            .secret("password", &self.password)
            .field("scope", with_identity(scopes))
            .optional("claims", claims);
        let application = &self.application;
        // Each attempt counts for the account's lockout, so it is retried only if it was not processed.
        let response = application
            .redeem(
                "token by password",
                &application.tenant,
                form,
                Idempotency::NonIdempotent,
                RetryMode::Full,
            )
            .await?;
        UserCredential::signed_in(application, response, scopes, None).await
    }
}
