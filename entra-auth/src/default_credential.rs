use std::{fmt, sync::Arc};

use async_trait::async_trait;
use entra_core::{
    AccessToken, CredentialDescription, CredentialError, TokenCredential, TokenRequest,
};

use crate::{
    ChainReport, ChainedCredential, Environment, EnvironmentCredential, Error,
    builder::{ApplicationCredential, CloudCredential, Configure, CredentialBuilder},
    developer_tools::{AzureCliCredential, AzureDeveloperCliCredential, ProcessRunner},
    managed_identity::{ManagedIdentityCredential, ManagedIdentityId},
    workload_identity::ClientAssertionCredential,
};

/// Signs in with the first credential that is set up: the environment, a workload identity, a managed
/// identity, or the account of a developer tool.
///
/// The links are `EnvironmentCredential`, `WorkloadIdentityCredential`, `ManagedIdentityCredential`,
/// `AzureCliCredential` and `AzureDeveloperCliCredential`, in this order. A link that is not set up is
/// skipped, the two tools on any failure. As in Microsoft's libraries the variable
/// `AZURE_TOKEN_CREDENTIALS` narrows it to `prod` (the first three), `dev` (the tools) or the link of that
/// name. `AZURE_CLIENT_ID` names the managed identity. For a fixed deployment name the one credential
/// instead: what a chain finds depends on the machine.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use entra_auth::{DefaultCredential, Environment};
/// use entra_core::{TokenCredential, TokenRequest};
/// # let tenant = entra_mock::FakeTenant::start().await;
/// # let app = tenant.register_app("Web shop");
/// # let environment = Environment::from_pairs(tenant.managed_identities(&[&app]));
/// // outside of a test: Environment::from_env()
/// let credential = DefaultCredential::builder(&environment)
/// #   .clock(tenant.clock())
///     .build()?;
/// credential.token(&TokenRequest::new([tenant.cloud().graph_scope()])).await?;
/// assert_eq!(credential.report().selected(), Some("ManagedIdentityCredential"));
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct DefaultCredential(ChainedCredential);

/// Configures a [`DefaultCredential`].
pub type DefaultCredentialBuilder = CredentialBuilder<DefaultCredential>;

#[derive(Clone, Debug)]
pub(crate) struct DefaultCredentialSetup {
    environment: Environment,
    runner: Option<Arc<dyn ProcessRunner>>,
}

impl Configure for DefaultCredential {
    type Setup = DefaultCredentialSetup;
}

impl ApplicationCredential for DefaultCredential {}

impl CloudCredential for DefaultCredential {}

impl DefaultCredential {
    /// Settings to change.
    pub fn builder(environment: &Environment) -> DefaultCredentialBuilder {
        CredentialBuilder::new(DefaultCredentialSetup {
            environment: environment.clone(),
            runner: None,
        })
    }

    /// Returns the outcome of each link when the chain was last searched.
    #[must_use]
    pub fn report(&self) -> ChainReport {
        self.0.report()
    }
}

#[async_trait]
impl TokenCredential for DefaultCredential {
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        self.0.token(request).await
    }

    fn description(&self) -> CredentialDescription {
        self.0.description()
    }
}

impl fmt::Debug for DefaultCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DefaultCredential").field(&self.0).finish()
    }
}

impl DefaultCredentialBuilder {
    /// Runs the command-line tools. The default starts processes.
    pub fn process_runner(mut self, runner: impl ProcessRunner) -> Self {
        self.setup.runner = Some(Arc::new(runner));
        self
    }

    /// Builds the credential. It sends and starts nothing before the first token is requested.
    ///
    /// A link that cannot be configured stays in the chain and returns the reason when it is tried.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when `AZURE_TOKEN_CREDENTIALS` has
    /// another value.
    pub fn build(self) -> Result<DefaultCredential, Error> {
        let selected = self
            .setup
            .environment
            .get("AZURE_TOKEN_CREDENTIALS")
            .map(str::trim);
        let wanted: &[&str] = match selected {
            None => &LINKS,
            Some(one) if one.eq_ignore_ascii_case("prod") => &LINKS[..3],
            Some(one) if one.eq_ignore_ascii_case("dev") => &LINKS[3..],
            Some(one) => {
                let at = LINKS.iter().position(|link| link.eq_ignore_ascii_case(one));
                let at = at.ok_or_else(|| {
                    Error::configuration(
                        "AZURE_TOKEN_CREDENTIALS names no link of the chain",
                        format!("set it to prod, dev or one of {}", LINKS.join(", ")),
                    )
                })?;
                &LINKS[at..=at]
            }
        };
        let mut chain = ChainedCredential::new();
        for &name in wanted {
            chain = match name {
                ENVIRONMENT => link(chain, name, self.environment_credential()),
                WORKLOAD => link(chain, name, self.workload_identity()),
                MANAGED => link(chain, name, self.managed_identity(wanted.len() > 1)),
                AZ => match self.azure_cli() {
                    Ok(credential) => chain.optional_link(name, credential),
                    Err(error) => chain.optional_link(name, UnavailableLink(error.into())),
                },
                _ => match self.azure_developer_cli() {
                    Ok(credential) => chain.optional_link(name, credential),
                    Err(error) => chain.optional_link(name, UnavailableLink(error.into())),
                },
            };
        }
        Ok(DefaultCredential(chain))
    }

    fn environment_credential(&self) -> Result<EnvironmentCredential, Error> {
        let builder = EnvironmentCredential::builder(&self.setup.environment);
        builder.options(&self.options).build()
    }

    fn workload_identity(&self) -> Result<ClientAssertionCredential, Error> {
        let environment = &self.setup.environment;
        let options = self.options.clone().or_cloud_of(environment);
        ClientAssertionCredential::workload_identity(environment)?
            .options(&options)
            .build()
    }

    fn managed_identity(&self, probe: bool) -> Result<ManagedIdentityCredential, Error> {
        let mut builder =
            ManagedIdentityCredential::builder(&self.setup.environment).options(&self.options);
        if let Some(client) = self.setup.environment.get("AZURE_CLIENT_ID") {
            let client = client.trim().parse::<entra_core::ClientId>()?;
            builder = builder.identity(ManagedIdentityId::Client(client));
        }
        if probe {
            builder = builder.probe_first();
        }
        builder.build()
    }

    fn azure_cli(&self) -> Result<AzureCliCredential, Error> {
        let mut builder = AzureCliCredential::builder(&self.setup.environment)
            .clock(Arc::clone(&self.options.clock));
        if let Some(runner) = &self.setup.runner {
            builder = builder.process_runner(Arc::clone(runner));
        }
        builder.build()
    }

    fn azure_developer_cli(&self) -> Result<AzureDeveloperCliCredential, Error> {
        let mut builder = AzureDeveloperCliCredential::builder(&self.setup.environment)
            .clock(Arc::clone(&self.options.clock));
        if let Some(runner) = &self.setup.runner {
            builder = builder.process_runner(Arc::clone(runner));
        }
        builder.build()
    }
}

/// A link that could not be configured. It returns the reason in place of a token.
#[derive(Clone, Debug)]
struct UnavailableLink(CredentialError);

#[async_trait]
impl TokenCredential for UnavailableLink {
    async fn token(&self, _: &TokenRequest) -> Result<AccessToken, CredentialError> {
        Err(self.0.clone())
    }
}

fn link(
    chain: ChainedCredential,
    name: &'static str,
    credential: Result<impl TokenCredential, Error>,
) -> ChainedCredential {
    match credential {
        Ok(credential) => chain.link(name, credential),
        Err(error) => chain.link(name, UnavailableLink(error.into())),
    }
}

const ENVIRONMENT: &str = "EnvironmentCredential";
const WORKLOAD: &str = "WorkloadIdentityCredential";
const MANAGED: &str = "ManagedIdentityCredential";
const AZ: &str = "AzureCliCredential";
const AZD: &str = "AzureDeveloperCliCredential";
const LINKS: [&str; 5] = [ENVIRONMENT, WORKLOAD, MANAGED, AZ, AZD];
