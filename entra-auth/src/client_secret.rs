use std::{fmt, sync::Arc};

use async_trait::async_trait;
use entra_core::{
    AccessToken, ClientId, CredentialDescription, CredentialError, Guid, Idempotency, IntoId,
    Secret, SecretOutline, SignInMethod, TenantId, TokenCredential, TokenRequest,
};

use crate::{
    Error,
    application_ids::ApplicationIds,
    builder::{ApplicationCredential, CloudCredential, Configure, CredentialBuilder},
    cache::{Account, TokenKey},
    client_secret_check::check_client_secret,
    form::Form,
    retry_mode::RetryMode,
    token_endpoint::{Grant, TokenEndpoint},
    tokens::{TokenSource, Tokens},
};

/// Signs an application in with a client secret (the OAuth client credentials grant).
///
/// Cheap to clone; clones share their tokens. See Microsoft's page on the
/// [grant](https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow).
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use entra_auth::ClientSecretCredential;
/// use entra_core::{TokenCredential, TokenRequest};
/// # let tenant = entra_mock::FakeTenant::start().await;
/// # let app = tenant.register_app("Night job").with_secret();
/// # let (tenant_id, client_id, secret) = (tenant.id(), app.client_id(), app.secret());
/// let credential = ClientSecretCredential::builder(tenant_id, client_id, secret)
/// #   .clock(tenant.clock())
///     .cloud(tenant.cloud())
///     .build()?;
/// let token = credential.token(&TokenRequest::new([tenant.cloud().graph_scope()])).await?;
/// assert!(token.expires_on() > tenant.clock().now());
/// # use entra_core::Clock;
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ClientSecretCredential {
    tokens: Arc<Tokens>,
    description: Arc<CredentialDescription>,
}

/// Configures a [`ClientSecretCredential`].
pub type ClientSecretCredentialBuilder = CredentialBuilder<ClientSecretCredential>;

#[derive(Clone, Debug)]
pub(crate) struct ClientSecretSetup {
    identity: ApplicationIds,
    secret: Secret,
}

impl Configure for ClientSecretCredential {
    type Setup = ClientSecretSetup;
}

impl ApplicationCredential for ClientSecretCredential {}

impl CloudCredential for ClientSecretCredential {}

impl ClientSecretCredential {
    /// A credential for the public cloud with the default settings. Nothing is sent yet.
    ///
    /// # Errors
    /// As [`build`](ClientSecretCredentialBuilder::build).
    ///
    /// ```
    /// use entra_auth::{ClientSecretCredential, ErrorKind};
    /// let error = ClientSecretCredential::new("contoso.com", "my app", "s3cr3t").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Configuration);
    /// assert!(error.fix().unwrap_or_default().contains("GUID"));
    /// ```
    pub fn new(
        tenant: impl IntoId<TenantId>,
        client_id: impl IntoId<ClientId>,
        secret: impl Into<Secret>,
    ) -> Result<Self, Error> {
        Self::builder(tenant, client_id, secret).build()
    }

    /// Returns a builder. Ids may be given as text or as ids.
    pub fn builder(
        tenant: impl IntoId<TenantId>,
        client_id: impl IntoId<ClientId>,
        secret: impl Into<Secret>,
    ) -> ClientSecretCredentialBuilder {
        CredentialBuilder::new(ClientSecretSetup {
            identity: ApplicationIds::new(tenant, client_id),
            secret: secret.into(),
        })
    }

    /// The application's client id.
    #[must_use]
    pub fn client_id(&self) -> ClientId {
        self.tokens.client()
    }

    /// The tenant that tokens come from unless a request names another.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        self.tokens.home()
    }
}

#[async_trait]
impl TokenCredential for ClientSecretCredential {
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        self.tokens.token(request).await.map_err(Into::into)
    }

    #[inline]
    fn description(&self) -> CredentialDescription {
        (*self.description).clone()
    }
}

impl fmt::Debug for ClientSecretCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecretCredential")
            .field("authority", &self.tokens.authority())
            .field("tenant", self.tokens.home())
            .field("client_id", &self.tokens.client())
            .finish_non_exhaustive()
    }
}

impl ClientSecretCredentialBuilder {
    /// Builds the credential. It sends nothing before the first token is requested.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for an invalid id, an
    /// alias in the tenant's place, or a secret that is empty or has white space around it.
    pub fn build(self) -> Result<ClientSecretCredential, Error> {
        let (setup, settings) = (self.setup, self.options.settings()?);
        let (tenant, client) = setup.identity.of_application()?;
        check_client_secret(&setup.secret)?;
        let description = CredentialDescription::of_application(
            settings.cloud.clone(),
            tenant.clone(),
            client,
            SignInMethod::Secret(SecretOutline::of(&setup.secret)),
        );
        let source = ClientSecret {
            endpoint: TokenEndpoint::new(&settings)?,
            client,
            secret: setup.secret,
        };
        let tokens = Tokens::new(Arc::new(source), &settings, client, tenant, Account::App);
        Ok(ClientSecretCredential {
            tokens: Arc::new(tokens),
            description: Arc::new(description),
        })
    }
}

#[derive(Debug)]
struct ClientSecret {
    endpoint: TokenEndpoint,
    client: ClientId,
    secret: Secret,
}

#[async_trait]
impl TokenSource for ClientSecret {
    async fn fetch(
        &self,
        token_key: &TokenKey,
        retry_mode: RetryMode,
    ) -> Result<AccessToken, Error> {
        let form = Form::new("client_credentials")
            .field("client_id", self.client.to_string())
            .secret("client_secret", &self.secret)
            .field("scope", token_key.scope())
            .optional("claims", token_key.claims.as_deref());
        let grant = Grant {
            operation: "token by client secret",
            tenant: &token_key.tenant,
            form,
            idempotency: Idempotency::Safe,
            retry_mode,
        };
        self.endpoint
            .redeem(&grant)
            .await
            .map_err(|error| self.explain(error))
    }
}

impl ClientSecret {
    /// Adds a cause that the form of the secret reveals.
    fn explain(&self, error: Error) -> Error {
        if error.aadsts_code() != Some(WRONG_SECRET) {
            return error;
        }
        let secret = self.secret.expose_secret();
        let (looks, fix) = if secret.trim().parse::<Guid>().is_ok() {
            (
                "it looks like a Secret ID (a GUID), not its Value",
                "in App registrations > Certificates & secrets copy the Value; it is shown only once, so add a new secret if it is gone",
            )
        } else if secret.starts_with(['"', '\'']) && secret.ends_with(['"', '\'']) {
            (
                "it stands in quotation marks",
                "give the secret without the quotation marks",
            )
        } else {
            return error;
        };
        let client = self.client;
        error.with(|inner| {
            inner.cause = Some(
                format!("the value sent is not a secret of application {client}; {looks}").into(),
            );
            inner.fix = Some(fix.into());
        })
    }
}

const WRONG_SECRET: u32 = 7_000_215;
