//! The standalone server: its options, its files, and its lifetime.

mod address;
mod adjustable_clock;
mod control;
mod control_client;
mod demo_app;
mod env_file;
mod hosted;
mod portal;
mod storage;
mod users;

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::Arc,
};

use entra_core::{Clock, Guid, Secret, SystemClock};

use crate::{
    frontend::{Authority, Listener, REAL_NAMES},
    notifications::NotificationOptions,
    seed::{Company, Scenario, Seed},
    state::{License, ResourceRule},
    store::LOG_CAPACITY,
};

pub use control_client::{ControlClient, ControlClientError};

use adjustable_clock::AdjustableClock;
use control::{Control, Host};
use demo_app::DemoApp;
use env_file::Files;
use hosted::{Hosted, Recipe};
use storage::Claimed;

/// A fake tenant as a standalone server for clients in any language. It uses the real time.
///
/// The `entra-mock` program is this server with an argument parser.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), entra_mock::ServerError> {
/// use entra_mock::{Seed, Server};
/// let server = Server::builder().seed(Seed::Contoso).tls(true).start().await?;
/// assert!(server.uri().starts_with("https://localhost:"));
/// server.stop().await;
/// # Ok(()) }
/// ```
pub struct Server {
    control: Arc<Control>,
    tenant: Arc<Hosted>,
}

impl Server {
    /// Returns a builder for a server.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// The host names of Microsoft that the certificate of a server covers, for a hosts file that redirects them.
    #[must_use]
    pub const fn host_names() -> &'static [&'static str] {
        &REAL_NAMES
    }

    /// The server's URL, such as `https://localhost:8443`.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.tenant.uri
    }

    /// The tenant id.
    #[must_use]
    pub fn tenant_id(&self) -> Guid {
        self.tenant.id
    }

    /// The application (client) id of the application that the environment file describes.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.app().app_id
    }

    /// A client secret of that application.
    #[must_use]
    pub fn client_secret(&self) -> &Secret {
        &self.app().secret
    }

    /// The user principal name of a user without multifactor authentication.
    #[must_use]
    pub fn user_principal_name(&self) -> &str {
        &self.app().user
    }

    /// The current password of that user.
    #[must_use]
    pub fn user_password(&self) -> Secret {
        self.app().current_password(&self.tenant.engine.read())
    }

    /// The URL of the control API, such as `https://localhost:8443/_entra-mock`. It has an OpenAPI document at
    /// `/openapi.json`.
    #[must_use]
    pub fn control_uri(&self) -> String {
        format!("{}{}", self.tenant.uri, control::PREFIX)
    }

    /// The bearer token of the control API, a new one for each start.
    #[must_use]
    pub fn control_token(&self) -> &Secret {
        self.control.token()
    }

    /// Returns a link that opens the portal of the tenant in one browser, once: pages that show its directory,
    /// applications, requests and findings.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn portal_link(&self) -> Result<String, entra_core::Error> {
        self.control.portal().new_link(&self.tenant.uri)
    }

    /// Stops accepting connections and waits at most a few seconds for running requests. Then another server can use
    /// the state file.
    pub async fn stop(self) {
        for tenant in self.control.tenants() {
            tenant.stop().await;
        }
        self.tenant.engine.close_storage();
    }

    fn app(&self) -> &DemoApp {
        &self.tenant.app
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("uri", &self.tenant.uri)
            .field("tenant_id", &self.tenant.id)
            .finish_non_exhaustive()
    }
}

/// Options of a [`Server`]; see [`Server::builder`].
#[derive(Clone, Debug, Default)]
#[must_use = "call `start` to get a server"]
pub struct ServerBuilder {
    port: u16,
    tls: bool,
    seed: Seed,
    scenario: Option<Scenario>,
    users: usize,
    random_seed: u64,
    license: License,
    env_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    enforce_quotas: bool,
    listen: Option<IpAddr>,
    control_hosts: Vec<String>,
    tenant_ports: Option<RangeInclusive<u16>>,
    state_file: Option<PathBuf>,
    notification_options: NotificationOptions,
    resource_rule: ResourceRule,
    plain_casts: bool,
    portal_write: bool,
    log_capacity: Option<usize>,
    journal_bodies: bool,
}

impl ServerBuilder {
    /// The port to listen on; 0, the default, uses a free one.
    pub const fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Uses TLS, with a certificate authority created for this run.
    pub const fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// The initial content of the tenant.
    pub const fn seed(mut self, seed: Seed) -> Self {
        self.seed = seed;
        self
    }

    /// The initial content of the tenant, from a file, in place of a [`seed`](Self::seed).
    pub fn scenario(mut self, scenario: &Scenario) -> Self {
        self.scenario = Some(scenario.clone());
        self
    }

    /// Fills the tenant up to this number of users, with everything else in proportion.
    pub const fn users(mut self, users: usize) -> Self {
        self.users = users;
        self
    }

    /// The seed of all randomness: the same number gives the same tenant, ids included.
    pub const fn random_seed(mut self, random_seed: u64) -> Self {
        self.random_seed = random_seed;
        self
    }

    /// The tenant's directory licence.
    pub const fn license(mut self, license: License) -> Self {
        self.license = license;
        self
    }

    /// Writes a shell script that exports everything a client needs, secrets included, and the
    /// files that it names beside it.
    pub fn env_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.env_file = Some(path.into());
        self
    }

    /// Writes the certificate of the certificate authority.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    /// Throttles callers by Graph's documented limits, with the documented headers. Each tenant counts by itself, also the
    /// limits that Graph has for an application across all tenants.
    pub const fn enforce_quotas(mut self, enforce: bool) -> Self {
        self.enforce_quotas = enforce;
        self
    }

    /// Listens on another address than loopback, such as `0.0.0.0` in a container. The control API still accepts
    /// requests of this machine only, unless [`control_host`](Self::control_host) names a host.
    pub const fn listen(mut self, address: IpAddr) -> Self {
        self.listen = Some(address);
        self
    }

    /// Accepts requests to the control API under this host name too, and of other machines. With TLS the certificate
    /// covers the name.
    pub fn control_host(mut self, name: impl Into<String>) -> Self {
        self.control_hosts.push(name.into());
        self
    }

    /// The ports of tenants that are made at run time, such as those that a container publishes. Without it each one
    /// gets any free port.
    pub const fn tenant_ports(mut self, ports: RangeInclusive<u16>) -> Self {
        self.tenant_ports = Some(ports);
        self
    }

    /// Keeps the tenant in a file beyond this process: directory, credentials, issued grants, policies, settings and
    /// clock. A server that is killed at any time continues with every change that a client knows of.
    ///
    /// If the file exists, its tenant is served, and the scenario, the seed, the number of users, the random seed, the
    /// licence, the quotas, the rule for `resource`, the rule for casts and the capacity of the logs of this builder do not matter. Delta links of the earlier run return 410. Faults, snapshots, the journal and
    /// tenants that were made at run time are not kept. The file holds every secret of the tenant, and is readable by
    /// its owner only.
    pub fn state_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_file = Some(path.into());
        self
    }

    /// Lets the pages of the portal change tenants: their clock, faults and users. Without it they only show them.
    pub const fn portal_write(mut self, write: bool) -> Self {
        self.portal_write = write;
        self
    }

    /// Switches of change notifications. The server sends them by itself.
    pub const fn notification_options(mut self, options: NotificationOptions) -> Self {
        self.notification_options = options;
        self
    }

    /// How the v2.0 endpoints treat the parameter `resource`; by [`ResourceRule::ApplicationIdUri`] unless set.
    pub const fn resource_rule(mut self, rule: ResourceRule) -> Self {
        self.resource_rule = rule;
        self
    }

    /// Whether a cast of a relationship, such as `/me/memberOf/microsoft.graph.group`, needs no advanced query
    /// (`ConsistencyLevel: eventual` and `$count=true`). Microsoft's page of `memberOf` requires one in its table of
    /// headers and has none in an example. Off unless set.
    pub const fn plain_casts(mut self, plain: bool) -> Self {
        self.plain_casts = plain;
        self
    }

    /// How many entries of the sign-in log and of the audit log are kept at least; 100,000 unless set. Older ones
    /// are removed when there are more, and entries that are older than 30 days in any case.
    pub const fn log_capacity(mut self, entries: usize) -> Self {
        self.log_capacity = Some(entries);
        self
    }

    /// Keeps the bodies of requests and responses in the journal: JSON and forms up to 64 KiB, without their secrets.
    pub const fn journal_bodies(mut self, keep: bool) -> Self {
        self.journal_bodies = keep;
        self
    }

    /// Starts the server. When this returns, the server responds and its files are written.
    ///
    /// # Errors
    /// [`ServerError`] if the port is in use, a file cannot be written, or no certificate can be
    /// created.
    pub async fn start(self) -> Result<Server, ServerError> {
        let now = SystemClock.now();
        // Fallible steps first, then slow ones.
        let listen = self.listen.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let listener =
            Listener::bind(listen, self.port)
                .await
                .map_err(|source| ServerError::Port {
                    port: self.port,
                    source,
                })?;
        let authority = if self.tls {
            Some(Authority::new(now, &self.control_hosts).map_err(ServerError::Certificate)?)
        } else {
            None
        };
        let recipe = Recipe {
            seed: self.seed,
            scenario: self.scenario,
            company: Company::default(),
            users: self.users,
            random_seed: self.random_seed,
            license: self.license,
            enforce_quotas: self.enforce_quotas,
            notification_options: self.notification_options,
            resource_rule: self.resource_rule,
            plain_casts: self.plain_casts,
            log_capacity: self.log_capacity.unwrap_or(LOG_CAPACITY),
            journal_bodies: self.journal_bodies,
            made_at: now,
        };
        let host = Host {
            recipe: recipe.clone(),
            listen,
            tenant_ports: self.tenant_ports,
            tls: authority
                .as_ref()
                .map(|authority| authority.acceptor.clone()),
            portal_write: self.portal_write,
        };
        let control = Control::new(host, &self.control_hosts)
            .map_err(|error| ServerError::Certificate(error.into()))?;
        let clock = Arc::new(AdjustableClock::default());
        let state_error = |source| match &self.state_file {
            Some(path) => ServerError::State {
                path: path.clone(),
                source,
            },
            None => ServerError::Certificate(source.into()),
        };
        let claimed = self.state_file.as_deref().map(Claimed::new);
        let claimed = claimed.transpose().map_err(state_error)?;
        let loaded = match &claimed {
            Some(claimed) => claimed.load().map_err(state_error)?,
            None => None,
        };
        let starts = loaded.as_ref().map(storage::Loaded::starts);
        let (mut state, app, recipe) = match loaded {
            Some(loaded) => {
                clock.restore(loaded.clock);
                let mut state = loaded.state;
                state.notifications.options = self.notification_options;
                let recipe = Recipe {
                    notification_options: self.notification_options,
                    journal_bodies: self.journal_bodies,
                    ..loaded.recipe
                };
                (state, loaded.app, recipe)
            }
            None => {
                let (state, app) = recipe.make().ok_or_else(|| {
                    ServerError::Certificate("the client certificate cannot be read".into())
                })?;
                (state, app, recipe)
            }
        };
        state.fixture_apps.insert(app.app_id.clone());
        let storage = claimed
            .map(|claimed| claimed.keep(&mut state, starts, &recipe, &app, &clock))
            .transpose()
            .map_err(state_error)?;
        let scheme = if self.tls { "https" } else { "http" };
        let uri = format!("{scheme}://localhost:{}", listener.port());

        let files = Files {
            uri: &uri,
            tenant_id: state.tenant_id,
            app: &app,
            user_password: &app.current_password(&state),
            administrator: demo_app::administrator(&state),
            ca_certificate: authority
                .as_ref()
                .map(|authority| authority.certificate_pem.as_str()),
            control_uri: &format!("{uri}{}", control::PREFIX),
            control_token: control.token(),
        };
        files.write(self.env_file.as_deref(), self.ca_file.as_deref())?;

        let engine = recipe.engine(&clock, state);
        if let Some(storage) = storage {
            engine.store_in(Arc::new(storage));
        }
        let tenant = Hosted::new(uri, Arc::new(engine), clock, app, recipe);
        let tenant = control.serve(listener, tenant);
        Ok(Server { control, tenant })
    }
}

/// Why a [`Server`] did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerError {
    /// The port cannot be listened on.
    Port {
        /// The requested port.
        port: u16,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A file cannot be written.
    File {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The state file cannot be used.
    State {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Keys or certificates could not be created.
    Certificate(Box<dyn std::error::Error + Send + Sync>),
}

impl ServerError {
    fn file(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port { port, .. } => write!(
                f,
                "cannot listen on port {port}; choose another one, or 0 for any free port"
            ),
            Self::File { path, .. } => write!(f, "cannot write {}", path.display()),
            Self::State { path, .. } => write!(f, "cannot use the state file {}", path.display()),
            Self::Certificate(_) => f.write_str("cannot create the certificates"),
        }
    }
}

impl std::error::Error for ServerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Port { source, .. } | Self::File { source, .. } | Self::State { source, .. } => {
                Some(source)
            }
            Self::Certificate(source) => Some(source.as_ref()),
        }
    }
}
