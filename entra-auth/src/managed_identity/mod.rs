//! Managed identities of Azure machines and hosts, which need no secret.

mod arc;
mod endpoint;
mod response;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use entra_core::{
    AccessToken, ClientId, CredentialError, Error as CoreError, ErrorKind as CoreErrorKind, Guid,
    HttpTransport, ObjectId, Pipeline, Request, Response, ResponseClass, RetryPolicy, TenantId,
    TokenCredential, TokenRequest,
    http::{HeaderMap, Method, StatusCode, header},
};

use crate::{
    Environment, Error, ErrorKind, TokenCache,
    builder::{Configure, CredentialBuilder},
    cache::{Account, TokenKey},
    retry_mode::RetryMode,
    settings::Settings,
    tokens::{TokenSource, Tokens},
};

use endpoint::Endpoint;

/// Signs in as the managed identity of the Azure machine or host that the program runs on.
///
/// Virtual machines and AKS nodes (IMDS), App Service and what is built on it, servers connected by
/// Azure Arc, Service Fabric, Azure Machine Learning and Cloud Shell are told apart by their
/// environment variables. Tokens stay in this process: they belong to this host, so they are never put
/// into a shared cache. One that lives two hours or longer is renewed at half of its life. A claims
/// challenge goes past this credential's cache, but the platform may still give the token it has.
/// See Microsoft's page on
/// [managed identities](https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/overview).
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use entra_auth::{Environment, managed_identity::ManagedIdentityCredential};
/// use entra_core::{TokenCredential, TokenRequest};
/// # let tenant = entra_mock::FakeTenant::start().await;
/// # let app = tenant.register_app("Web shop");
/// # let environment = Environment::from_pairs(tenant.managed_identities(&[&app]));
/// // outside of a test: Environment::from_env()
/// let credential = ManagedIdentityCredential::builder(&environment)
/// #   .clock(tenant.clock())
///     .build()?;
/// let token = credential.token(&TokenRequest::new([tenant.cloud().graph_scope()])).await?;
/// # use entra_core::Clock;
/// # assert!(token.expires_on() > tenant.clock().now());
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ManagedIdentityCredential {
    tokens: Arc<Tokens>,
    source: ManagedIdentitySource,
}

/// Configures a [`ManagedIdentityCredential`].
pub type ManagedIdentityCredentialBuilder = CredentialBuilder<ManagedIdentityCredential>;

#[derive(Clone, Debug)]
pub(crate) struct ManagedIdentitySetup {
    environment: Environment,
    identity: ManagedIdentityId,
    probe: bool,
}

impl Configure for ManagedIdentityCredential {
    type Setup = ManagedIdentitySetup;
}

/// The identity of a host to sign in as.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ManagedIdentityId {
    /// The system-assigned identity of the host.
    #[default]
    System,
    /// A user-assigned identity, by its client id.
    Client(ClientId),
    /// A user-assigned identity, by the object id of its service principal.
    Object(ObjectId),
    /// A user-assigned identity, by its Azure resource id (`/subscriptions/…`).
    Resource(String),
}

/// The kind of host that issues the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ManagedIdentitySource {
    /// The instance metadata service of a virtual machine or an AKS node.
    Imds,
    /// App Service, Functions, Container Apps.
    AppService,
    /// The agent of Azure Arc on a server elsewhere.
    AzureArc,
    /// A Service Fabric cluster.
    ServiceFabric,
    /// Azure Machine Learning compute.
    AzureMl,
    /// Azure Cloud Shell.
    CloudShell,
}

impl ManagedIdentityCredential {
    /// Returns a builder. The environment decides the kind of host.
    pub fn builder(environment: &Environment) -> ManagedIdentityCredentialBuilder {
        CredentialBuilder::new(ManagedIdentitySetup {
            environment: environment.clone(),
            identity: ManagedIdentityId::System,
            probe: false,
        })
    }

    /// The kind of host that issues the tokens.
    #[must_use]
    pub const fn source(&self) -> ManagedIdentitySource {
        self.source
    }
}

#[async_trait]
impl TokenCredential for ManagedIdentityCredential {
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        if request.tenant.is_some() {
            return Err(Error::configuration(
                "a managed identity gives tokens of its own tenant only",
                "leave the tenant out of the token request",
            )
            .into());
        }
        self.tokens.token(request).await.map_err(Into::into)
    }
}

impl fmt::Debug for ManagedIdentityCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedIdentityCredential")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for ManagedIdentitySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Imds => "the instance metadata service",
            Self::AppService => "App Service",
            Self::AzureArc => "Azure Arc",
            Self::ServiceFabric => "Service Fabric",
            Self::AzureMl => "Azure Machine Learning",
            Self::CloudShell => "Cloud Shell",
        })
    }
}

impl ManagedIdentityCredentialBuilder {
    /// The identity to sign in as. The default is the system-assigned identity.
    pub fn identity(mut self, identity: ManagedIdentityId) -> Self {
        self.setup.identity = identity;
        self
    }

    /// Probes for one second whether there is a metadata service, before the first token.
    ///
    /// Without the probe, the retries that a starting machine needs take more than a minute outside of
    /// Azure. Only the metadata service of virtual machines is probed: other hosts set variables.
    pub const fn probe_first(mut self) -> Self {
        self.setup.probe = true;
        self
    }

    /// Builds the credential. It sends nothing before the first token is requested.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for an invalid or unsafe endpoint in the environment, and for an
    /// identity that the kind of host does not support.
    pub fn build(self) -> Result<ManagedIdentityCredential, Error> {
        let (setup, mut options) = (self.setup, self.options);
        let endpoint = Endpoint::detect(&setup.environment)?;
        let source = endpoint.source;
        endpoint.check(&setup.identity)?;
        if source == ManagedIdentitySource::Imds {
            options.set_default_retry_policy(for_imds());
        }
        let mut settings = options.settings()?;
        // Another host has no use for the tokens of this host's identity.
        settings.cache = TokenCache::new();
        let transport = match (&settings.transport, endpoint.thumbprint) {
            (None, Some(thumbprint)) => endpoint::pinned(&endpoint.url, thumbprint)?,
            _ => settings.transport()?,
        };
        let host = HostTokenSource {
            with_retries: pipeline(
                &settings,
                &endpoint,
                &transport,
                settings.retry_policy.clone(),
            )?,
            without_retries: pipeline(
                &settings,
                &endpoint,
                &transport,
                settings.retry_policy.clone().with_max_attempts(1),
            )?,
            probe_pipeline: pipeline(&settings, &endpoint, &transport, RetryPolicy::once())?,
            found: AtomicBool::new(!(setup.probe && source == ManagedIdentitySource::Imds)),
            identity: setup.identity,
            endpoint,
        };
        let tokens = Tokens::new(
            Arc::new(host),
            &settings,
            ClientId::from(Guid::NIL),
            TenantId::from(Guid::NIL),
            Account::App,
        );
        Ok(ManagedIdentityCredential {
            tokens: Arc::new(tokens),
            source,
        })
    }
}

fn pipeline(
    settings: &Settings,
    endpoint: &Endpoint,
    transport: &Arc<dyn HttpTransport>,
    policy: RetryPolicy,
) -> Result<Pipeline, Error> {
    let url = &endpoint.url;
    let builder = Pipeline::builder(Arc::clone(transport))
        .clock(Arc::clone(&settings.clock))
        .random(Arc::clone(&settings.random))
        .policy(policy)
        .response_limit(crate::response_limits::METADATA);
    let open = builder.origin(url).build();
    if open.check(url).is_ok() {
        return Ok(open);
    }
    let mut builder = Pipeline::builder(Arc::clone(transport))
        .clock(Arc::clone(&settings.clock))
        .random(Arc::clone(&settings.random))
        .policy(open.policy().clone())
        .response_limit(crate::response_limits::METADATA);
    if let Some(name) = endpoint.secret_header() {
        builder = builder.metadata_secret_header(name);
    }
    builder
        .metadata_endpoint(url)
        .map(entra_core::PipelineBuilder::build)
        .map_err(|source| {
            Error::configuration(
                "the token endpoint in the environment is not safe to send requests to",
                "leave IDENTITY_ENDPOINT, MSI_ENDPOINT and AZURE_POD_IDENTITY_AUTHORITY_HOST as the host sets them",
            )
            .with_source(source)
        })
}

/// Requests tokens from the endpoint of the host.
#[derive(Debug)]
struct HostTokenSource {
    endpoint: Endpoint,
    identity: ManagedIdentityId,
    with_retries: Pipeline,
    without_retries: Pipeline,
    probe_pipeline: Pipeline,
    found: AtomicBool,
}

#[async_trait]
impl TokenSource for HostTokenSource {
    async fn fetch(
        &self,
        token_key: &TokenKey,
        retry_mode: RetryMode,
    ) -> Result<AccessToken, Error> {
        let resource = resource(&token_key.scope())?;
        if !self.found.load(Ordering::Relaxed) {
            self.probe().await?;
        }
        let request = self.endpoint.request(&self.identity, &resource)?;
        let mut response = self.send(request.clone(), retry_mode).await?;
        if self.endpoint.source == ManagedIdentitySource::AzureArc
            && response.status == StatusCode::UNAUTHORIZED
        {
            let challenge = response.header(header::WWW_AUTHENTICATE.as_str());
            let authorization =
                arc::authorization(challenge, self.endpoint.arc_tokens.as_deref()).await?;
            let request = request.with_header(header::AUTHORIZATION, authorization);
            response = self.send(request, retry_mode).await?;
        }
        let now = self.with_retries.clock().now();
        response::read(&self.endpoint, &self.identity, &response, now)
    }
}

impl HostTokenSource {
    async fn send(&self, request: Request, retry_mode: RetryMode) -> Result<Response, Error> {
        let outcome = match retry_mode {
            RetryMode::Full => {
                self.with_retries
                    .send(request.with_classifier(classify))
                    .await
            }
            RetryMode::Once => {
                let request = request.with_classifier(|_, _, _| ResponseClass::Final);
                self.without_retries.send(request).await
            }
        };
        outcome.map_err(|error| self.unsent(error))
    }

    /// Probes the metadata service, which rejects a request without its header.
    async fn probe(&self) -> Result<(), Error> {
        let request = Request::new(
            "probe for managed identity",
            Method::GET,
            self.endpoint.url.clone(),
        )
        .with_classifier(|_, _, _| ResponseClass::Final);
        match self.probe_pipeline.send(request).await {
            // Other clouds and captive networks may respond at this address too.
            Ok(response)
                if response.status != StatusCode::BAD_REQUEST
                    && !is_transient_status(&response) =>
            {
                Err(Error::unavailable(
                    "no managed identity: the service at the metadata address is not Azure's",
                    "run on Azure, or sign in with another credential",
                )
                .with(|inner| inner.status = Some(response.status.as_u16())))
            }
            Ok(_) => {
                self.found.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(source) => Err(Error::unavailable(
                "no managed identity: there is no metadata service here",
                "run on Azure, or sign in with another credential",
            )
            .with_source(source)),
        }
    }

    fn unsent(&self, error: CoreError) -> Error {
        let source = self.endpoint.source;
        if error.kind() == CoreErrorKind::ResponseTooLarge {
            return Error::response_too_large(&source.to_string(), error);
        }
        match error.kind() {
            CoreErrorKind::Transport => Error::new(
                ErrorKind::Transport,
                format!("{source} could not be reached for a managed identity's token"),
            )
            .with(|inner| {
                inner.fix = Some(
                    "check that a managed identity is enabled on this host and that no proxy or firewall stands before its endpoint"
                        .into(),
                );
            }),
            _ => Error::configuration(
                format!("the request for a managed identity's token could not be sent to {source}"),
                "leave the variables of the host as it sets them",
            ),
        }
        .with_source(error)
    }
}

/// Whether the metadata service may be busy or being updated.
fn is_transient_status(response: &Response) -> bool {
    matches!(response.status.as_u16(), 408 | 410 | 429 | 500..=599)
}

/// The resource of a scope, without `/.default`.
fn resource(scope: &str) -> Result<String, Error> {
    if scope.contains(' ') {
        return Err(Error::configuration(
            "a managed identity gives tokens for one resource at a time",
            "request one scope, {resource}/.default",
        ));
    }
    Ok(scope.strip_suffix("/.default").unwrap_or(scope).to_owned())
}

/// A host that is starting or being moved returns these statuses for a while.
fn classify(status: StatusCode, _: &HeaderMap, body: &[u8]) -> ResponseClass {
    match status.as_u16() {
        404 | 408 | 410 | 500..=599 if response::has_final_error(body) => ResponseClass::Final,
        404 | 410 | 429 => ResponseClass::NotProcessed,
        408 | 500..=599 => ResponseClass::Transient,
        _ => ResponseClass::Final,
    }
}

/// Updates of the metadata service take up to 70 seconds.
const fn for_imds() -> RetryPolicy {
    let mut policy = RetryPolicy::for_tokens();
    policy.max_attempts = 6;
    policy.base_delay = std::time::Duration::from_secs(4);
    policy.budget = std::time::Duration::from_secs(90);
    policy
}
