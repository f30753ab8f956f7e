use std::{fmt, future::Future, sync::Arc};

use async_trait::async_trait;
use entra_core::{
    AccessToken, ClientId, Cloud, CredentialDescription, CredentialError, Idempotency, IntoId,
    Secret, SignInMethod, TenantId, TokenCredential, TokenRequest,
};

#[cfg(feature = "reqwest")]
use super::token_proxy::TokenProxy;
use super::{
    ASSERTION_TYPE, AssertionRequest, ClientAssertion, FederatedToken, check_form,
    without_assertion,
};
use crate::{
    Environment, Error,
    application_ids::ApplicationIds,
    builder::{ApplicationCredential, CloudCredential, Configure, CredentialBuilder},
    cache::{Account, TokenKey},
    form::Form,
    retry_mode::RetryMode,
    token_endpoint::{Grant, TokenEndpoint},
    tokens::{TokenSource, Tokens},
};

/// Signs an application in with an assertion of another party (RFC 7523).
///
/// That is another identity provider whose tokens the application trusts ([`FederatedToken`]: AKS
/// workload identity, GitHub Actions, Azure Pipelines), or a callback. Cheap to clone; clones share
/// their tokens. See Microsoft's page on
/// [workload identity federation](https://learn.microsoft.com/entra/workload-id/workload-identity-federation).
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use entra_auth::workload_identity::ClientAssertionCredential;
/// use entra_core::{Secret, TokenCredential, TokenRequest};
/// # let tenant = entra_mock::FakeTenant::start().await;
/// # let issuer = "https://tokens.example.com";
/// # let app = tenant.register_app("Night job").with_federated_credential(issuer, "night-job");
/// # let (tenant_id, client_id) = (tenant.id(), app.client_id());
/// # let jwt = tenant.federated_token(issuer, "night-job");
/// let credential = ClientAssertionCredential::from_fn(tenant_id, client_id, move |_| {
///     let jwt = jwt.clone(); // from wherever your identity provider hands it out
///     async move { Ok(Secret::from(jwt)) }
/// })
/// # .clock(tenant.clock())
/// .cloud(tenant.cloud())
/// .build()?;
/// let token = credential.token(&TokenRequest::new([tenant.cloud().graph_scope()])).await?;
/// # use entra_core::Clock;
/// # assert!(token.expires_on() > tenant.clock().now());
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ClientAssertionCredential {
    tokens: Arc<Tokens>,
    description: Arc<CredentialDescription>,
}

/// Configures a [`ClientAssertionCredential`].
pub type ClientAssertionCredentialBuilder = CredentialBuilder<ClientAssertionCredential>;

#[derive(Clone, Debug)]
pub(crate) struct ClientAssertionSetup {
    identity: ApplicationIds,
    assertion: AssertionInput,
}

impl Configure for ClientAssertionCredential {
    type Setup = ClientAssertionSetup;
}

impl ApplicationCredential for ClientAssertionCredential {}

impl CloudCredential for ClientAssertionCredential {}

#[derive(Clone, Debug)]
enum AssertionInput {
    Custom(Arc<dyn ClientAssertion>),
    Federated(FederatedToken),
}

impl ClientAssertionCredential {
    /// Returns a builder with your own source of assertions.
    pub fn builder(
        tenant: impl IntoId<TenantId>,
        client_id: impl IntoId<ClientId>,
        source: impl ClientAssertion,
    ) -> ClientAssertionCredentialBuilder {
        Self::settings(tenant, client_id, AssertionInput::Custom(Arc::new(source)))
    }

    /// Returns a builder with a callback that returns an assertion.
    pub fn from_fn<F, A>(
        tenant: impl IntoId<TenantId>,
        client_id: impl IntoId<ClientId>,
        callback: F,
    ) -> ClientAssertionCredentialBuilder
    where
        F: Fn(AssertionRequest) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Secret, CredentialError>> + Send + 'static,
    {
        Self::builder(tenant, client_id, Callback(callback))
    }

    /// Returns a builder with the token of another identity provider.
    pub fn federated(
        tenant: impl IntoId<TenantId>,
        client_id: impl IntoId<ClientId>,
        token: FederatedToken,
    ) -> ClientAssertionCredentialBuilder {
        Self::settings(tenant, client_id, AssertionInput::Federated(token))
    }

    /// Returns a builder with the values that the workload identity webhook of Kubernetes sets.
    ///
    /// It reads `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_FEDERATED_TOKEN_FILE` and, if set,
    /// `AZURE_AUTHORITY_HOST`. The token file is read for each request, as it changes about hourly.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) that names what is not set,
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for an invalid authority.
    ///
    /// ```
    /// use entra_auth::{Environment, ErrorKind, workload_identity::ClientAssertionCredential};
    /// let nothing = Environment::default();
    /// let error = ClientAssertionCredential::workload_identity(&nothing).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Unavailable);
    /// ```
    pub fn workload_identity(
        environment: &Environment,
    ) -> Result<ClientAssertionCredentialBuilder, Error> {
        let missing: Vec<&str> = WORKLOAD_IDENTITY
            .into_iter()
            .filter(|name| environment.get(name).is_none())
            .collect();
        if !missing.is_empty() {
            return Err(Error::unavailable(
                format!("no workload identity: {} not set", missing.join(", ")),
                "label the pod azure.workload.identity/use: \"true\" and annotate its service account with the client id",
            ));
        }
        let value = |name| environment.get(name).unwrap_or_default().trim();
        let [tenant, client, file] = WORKLOAD_IDENTITY.map(value);
        let builder = Self::federated(tenant, client, FederatedToken::file(file));
        Ok(builder.cloud(environment.cloud()?))
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

    fn settings(
        tenant: impl IntoId<TenantId>,
        client_id: impl IntoId<ClientId>,
        assertion: AssertionInput,
    ) -> ClientAssertionCredentialBuilder {
        CredentialBuilder::new(ClientAssertionSetup {
            identity: ApplicationIds::new(tenant, client_id),
            assertion,
        })
    }
}

#[async_trait]
impl TokenCredential for ClientAssertionCredential {
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        self.tokens.token(request).await.map_err(Into::into)
    }

    fn description(&self) -> CredentialDescription {
        (*self.description).clone()
    }
}

impl fmt::Debug for ClientAssertionCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientAssertionCredential")
            .field("authority", &self.tokens.authority())
            .field("tenant", self.tokens.home())
            .field("client_id", &self.tokens.client())
            .finish_non_exhaustive()
    }
}

impl ClientAssertionCredentialBuilder {
    /// Sends token requests to the token proxy of an AKS cluster with
    /// [identity bindings](https://learn.microsoft.com/azure/aks/identity-bindings-concepts), in place
    /// of a transport set before.
    ///
    /// It reads `AZURE_KUBERNETES_TOKEN_PROXY` and, if set, `AZURE_KUBERNETES_SNI_NAME` and either
    /// `AZURE_KUBERNETES_CA_FILE`, which may change at any time, or `AZURE_KUBERNETES_CA_DATA`. Where
    /// the proxy is not set, nothing changes. The variables decide where assertions go, so they are
    /// not read unless this is called.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for variables that contradict
    /// each other or cannot be used.
    ///
    /// ```
    /// use entra_auth::{Environment, workload_identity::ClientAssertionCredential};
    /// # let environment = Environment::from_pairs([
    /// #     ("AZURE_TENANT_ID", "contoso.com"), ("AZURE_FEDERATED_TOKEN_FILE", "/var/run/token"),
    /// #     ("AZURE_CLIENT_ID", "535fb089-9ff3-47b6-9bfb-4f1264799865"),
    /// #     ("AZURE_KUBERNETES_TOKEN_PROXY", "https://10.0.0.1:443"),
    /// # ]);
    /// let credential = ClientAssertionCredential::workload_identity(&environment)?
    ///     .aks_identity_binding(&environment)?
    ///     .build()?;
    /// # Ok::<(), entra_auth::Error>(())
    /// ```
    #[cfg(feature = "reqwest")]
    pub fn aks_identity_binding(mut self, environment: &Environment) -> Result<Self, Error> {
        if let Some(proxy) = TokenProxy::from_environment(environment)? {
            self.options.set_transport(Arc::new(proxy));
        }
        Ok(self)
    }

    /// Builds the credential. It sends and reads nothing before the first token is requested.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for an invalid id, an alias in
    /// the tenant's place, or an address of the other identity provider that is not safe to send to.
    pub fn build(self) -> Result<ClientAssertionCredential, Error> {
        let (setup, settings) = (self.setup, self.options.settings()?);
        let (tenant, client) = setup.identity.of_application()?;
        let source = match setup.assertion {
            AssertionInput::Custom(source) => source,
            AssertionInput::Federated(token) => Arc::new(token.connect(&settings)?),
        };
        let grants = Assertions {
            endpoint: TokenEndpoint::new(&settings)?,
            cloud: settings.cloud.clone(),
            client,
            source,
        };
        let description = CredentialDescription::of_application(
            settings.cloud.clone(),
            tenant.clone(),
            client,
            SignInMethod::Assertion,
        );
        let tokens = Tokens::new(Arc::new(grants), &settings, client, tenant, Account::App);
        Ok(ClientAssertionCredential {
            tokens: Arc::new(tokens),
            description: Arc::new(description),
        })
    }
}

#[derive(Debug)]
struct Assertions {
    endpoint: TokenEndpoint,
    cloud: Cloud,
    client: ClientId,
    source: Arc<dyn ClientAssertion>,
}

#[async_trait]
impl TokenSource for Assertions {
    async fn fetch(
        &self,
        token_key: &TokenKey,
        retry_mode: RetryMode,
    ) -> Result<AccessToken, Error> {
        let request = AssertionRequest {
            client_id: self.client,
            tenant: token_key.tenant.clone(),
            token_endpoint: self.cloud.token_endpoint(&token_key.tenant),
        };
        let assertion = self
            .source
            .assertion(&request)
            .await
            .map_err(without_assertion)?;
        check_form(&assertion)?;
        let form = Form::new("client_credentials")
            .field("client_id", self.client.to_string())
            .field("client_assertion_type", ASSERTION_TYPE)
            .secret("client_assertion", &assertion)
            .field("scope", token_key.scope())
            .optional("claims", token_key.claims.as_deref());
        let grant = Grant {
            operation: "token by client assertion",
            tenant: &token_key.tenant,
            form,
            idempotency: Idempotency::Safe,
            retry_mode,
        };
        self.endpoint.redeem(&grant).await
    }
}

/// A callback as a source of assertions.
struct Callback<F>(F);

#[async_trait]
impl<F, A> ClientAssertion for Callback<F>
where
    F: Fn(AssertionRequest) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Secret, CredentialError>> + Send + 'static,
{
    async fn assertion(&self, request: &AssertionRequest) -> Result<Secret, CredentialError> {
        (self.0)(request.clone()).await
    }
}

impl<F> fmt::Debug for Callback<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callback")
    }
}

const WORKLOAD_IDENTITY: [&str; 3] = [
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_FEDERATED_TOKEN_FILE",
];
