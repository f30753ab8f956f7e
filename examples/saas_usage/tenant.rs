//! The tenant of the report and who reads it: a fake one inside this process, or the one of the environment.

use std::{error::Error, io::Write, sync::Arc};

use entra_auth::{
    ClientSecretCredential, Environment, EnvironmentCredential,
    entra_core::{ClientId, Clock, Secret, SystemClock},
    user::{DeviceCodeCredential, InteractiveBrowserCredential},
};
use entra_graph::{GraphClient, registration::MemorySink};
use entra_mock::FakeTenant;

use super::setup::{self, SignIn};

/// A client for one tenant.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) graph: GraphClient,
    pub(crate) clock: Arc<dyn Clock>,
    /// Describes the tenant.
    pub(crate) place: String,
    /// The application that reads the report.
    pub(crate) client_id: ClientId,
    /// The fake tenant stops when it is dropped.
    #[expect(dead_code, reason = "it is held, not read")]
    fake: Option<Arc<FakeTenant>>,
}

impl Connection {
    /// A fake company with this many users, which lives as long as the connection. Its administrator registers the
    /// application by the blueprint.
    pub(crate) async fn embedded(
        users: usize,
        sign_in: SignIn,
        out: &mut (dyn Write + Send),
    ) -> Result<Self, Box<dyn Error>> {
        let tenant = Arc::new(FakeTenant::builder().users(users).start().await);
        Self::registered(&tenant, sign_in, out).await
    }

    /// A fake tenant, in which the application is registered first.
    pub(crate) async fn registered(
        tenant: &Arc<FakeTenant>,
        sign_in: SignIn,
        out: &mut (dyn Write + Send),
    ) -> Result<Self, Box<dyn Error>> {
        let administrator = setup::administrator(tenant)?;
        let mut sink = MemorySink::new().clock(tenant.clock());
        let blueprint = sign_in.blueprint()?;
        let applied = setup::apply(&administrator, &blueprint, &mut sink, out).await?;
        let client_id = applied.client_id().parse()?;
        let graph = match sign_in {
            SignIn::Application => {
                let (_, secret) = sink.secrets().last().ok_or("no secret was added")?;
                with_secret(tenant, client_id, secret.value().clone())?
            }
            SignIn::Code => by_device_code(tenant, client_id)?,
            SignIn::Browser => by_browser(tenant, client_id)?,
        };
        Ok(Self {
            fake: Some(Arc::clone(tenant)),
            ..Self::to(tenant, client_id, graph)
        })
    }

    /// A fake tenant, read by an application with this client.
    pub(crate) fn to(tenant: &FakeTenant, client_id: ClientId, graph: GraphClient) -> Self {
        Self {
            graph,
            clock: Arc::new(tenant.clock()),
            place: format!("the fake tenant {} ({})", tenant.domain(), tenant.id()),
            client_id,
            fake: None,
        }
    }

    /// The tenant of the environment.
    pub(crate) fn from_env(
        environment: &Environment,
        sign_in: SignIn,
    ) -> Result<Self, Box<dyn Error>> {
        let (graph, client_id) = match sign_in {
            SignIn::Application => {
                // First, since its error names every variable that is not set.
                let credential = EnvironmentCredential::builder(environment).build()?;
                (GraphClient::builder(credential), environment.client_id()?)
            }
            SignIn::Code | SignIn::Browser => {
                let client_id = public_client(environment)?;
                let (tenant, cloud) = (environment.tenant_id()?, environment.cloud()?);
                let graph = if sign_in == SignIn::Browser {
                    eprintln!("A browser opens for you to sign in.\n");
                    let credential = InteractiveBrowserCredential::builder(tenant, client_id);
                    GraphClient::builder(credential.cloud(cloud).build()?)
                } else {
                    let credential = DeviceCodeCredential::builder(tenant, client_id, |prompt| {
                        eprintln!("{}\n", prompt.message);
                    });
                    GraphClient::builder(credential.cloud(cloud).build()?)
                };
                (graph, client_id)
            }
        };
        let (tenant, cloud) = (environment.tenant_id()?, environment.cloud()?);
        Ok(Self {
            graph: graph.environment(environment).build()?,
            clock: Arc::new(SystemClock),
            place: format!("tenant {tenant} at {}", cloud.authority()),
            client_id,
            fake: None,
        })
    }

    /// What the administrator who signed in lacks to read the sign-in log.
    pub(crate) async fn licence_of_the_user(&self) -> Result<Option<&'static str>, Box<dyn Error>> {
        let details = self.graph.me().license_details().list().items();
        let details = match details.try_collect::<Vec<_>>().await {
            Ok(details) => details,
            // The least permissions of the report do not include it, and the report does not need it.
            Err(error) if error.is_forbidden() => return Ok(Some(UNKNOWN_LICENCE)),
            Err(error) => return Err(error.into()),
        };
        let mut plans = details
            .iter()
            .flat_map(|one| one.service_plans.iter().flatten())
            // A licence can be assigned without some of its plans.
            .filter(|plan| plan.provisioning_status.as_deref() != Some("Disabled"))
            .filter_map(|plan| plan.service_plan_name.as_deref());
        let has = plans.any(|plan| matches!(plan, "AAD_PREMIUM" | "AAD_PREMIUM_P2"));
        Ok((!has).then_some(
            "The user who signed in has no Entra ID P1 or P2 licence, which Microsoft asks of users who read the sign-in log.",
        ))
    }

    /// The number of requests to Graph so far, retries included, token requests not.
    pub(crate) fn requests(&self) -> usize {
        usize::try_from(self.graph.requests_sent()).unwrap_or(usize::MAX)
    }
}

pub(crate) fn with_secret(
    tenant: &FakeTenant,
    client_id: ClientId,
    secret: Secret,
) -> Result<GraphClient, Box<dyn Error>> {
    let credential = ClientSecretCredential::builder(tenant.id(), client_id, secret)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()?;
    let graph = GraphClient::builder(credential);
    Ok(graph.cloud(tenant.cloud()).clock(tenant.clock()).build()?)
}

/// In a fake company the sample administrator enters the code at once.
fn by_device_code(
    tenant: &Arc<FakeTenant>,
    client_id: ClientId,
) -> Result<GraphClient, Box<dyn Error>> {
    let browser = Arc::clone(tenant);
    let credential = DeviceCodeCredential::builder(tenant.id(), client_id, move |prompt| {
        eprintln!("{}", prompt.message);
        browser.approve_device_code(&prompt.user_code, ADMINISTRATOR);
        eprintln!("{ADMINISTRATOR} has done so.\n");
    })
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .build()?;
    let graph = GraphClient::builder(credential);
    Ok(graph.cloud(tenant.cloud()).clock(tenant.clock()).build()?)
}

/// The sign-in page of a fake company opens in the browser.
fn by_browser(tenant: &FakeTenant, client_id: ClientId) -> Result<GraphClient, Box<dyn Error>> {
    let password = tenant.user(ADMINISTRATOR).password();
    eprintln!(
        "A browser opens; sign in as {ADMINISTRATOR} with the password {}\n",
        password.expose_secret()
    );
    let credential = InteractiveBrowserCredential::builder(tenant.id(), client_id)
        .login_hint(ADMINISTRATOR)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()?;
    let graph = GraphClient::builder(credential);
    Ok(graph.cloud(tenant.cloud()).clock(tenant.clock()).build()?)
}

/// The application that users sign in to.
fn public_client(environment: &Environment) -> Result<ClientId, Box<dyn Error>> {
    match environment.get(PUBLIC_CLIENT) {
        Some(id) => Ok(id
            .trim()
            .parse()
            .map_err(|error| format!("{PUBLIC_CLIENT} is invalid: {error}"))?),
        None => {
            environment.require(["AZURE_TENANT_ID", "AZURE_CLIENT_ID"])?;
            Ok(environment.client_id()?)
        }
    }
}

const ADMINISTRATOR: &str = "admin@contoso.com";
/// An app registration without a secret, if AZURE_CLIENT_ID is one with a secret.
pub(crate) const PUBLIC_CLIENT: &str = "ENTRA_PUBLIC_CLIENT_ID";
const UNKNOWN_LICENCE: &str = "Whether the user who signed in has an Entra ID P1 or P2 licence is unknown without a permission such as User.Read. Microsoft asks for one of users who read the sign-in log.";
