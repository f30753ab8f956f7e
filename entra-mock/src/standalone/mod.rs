//! The standalone server: its options, its files, and its lifetime.

mod demo_app;
mod env_file;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use entra_core::{Clock, Guid, Secret, SystemClock};

use crate::{
    engine::Engine,
    frontend::{Authority, Listener, Running},
    seed::{Company, Seed},
    state::License,
};

use demo_app::DemoApp;
use env_file::Files;

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
    uri: String,
    tenant_id: Guid,
    app: DemoApp,
    running: Running,
}

impl Server {
    /// Returns a builder for a server.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// The server's URL, such as `https://localhost:8443`.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The tenant id.
    #[must_use]
    pub const fn tenant_id(&self) -> Guid {
        self.tenant_id
    }

    /// The application (client) id of the application that the environment file describes.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.app.app_id
    }

    /// A client secret of that application.
    #[must_use]
    pub const fn client_secret(&self) -> &Secret {
        &self.app.secret
    }

    /// The user principal name of a user without multifactor authentication.
    #[must_use]
    pub fn user_principal_name(&self) -> &str {
        &self.app.user
    }

    /// The password of that user.
    #[must_use]
    pub const fn user_password(&self) -> &Secret {
        &self.app.password
    }

    /// Stops accepting connections and waits at most a few seconds for running requests.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("uri", &self.uri)
            .field("tenant_id", &self.tenant_id)
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
    users: usize,
    random_seed: u64,
    license: License,
    env_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    enforce_quotas: bool,
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

    /// Throttles callers by Graph's documented limits, with the documented headers.
    pub const fn enforce_quotas(mut self, enforce: bool) -> Self {
        self.enforce_quotas = enforce;
        self
    }

    /// Starts the server. When this returns, the server responds and its files are written.
    ///
    /// # Errors
    /// [`ServerError`] if the port is in use, a file cannot be written, or no certificate can be
    /// created.
    pub async fn start(self) -> Result<Server, ServerError> {
        let clock = SystemClock;
        let now = clock.now();
        // Fallible steps first, then slow ones.
        let listener = Listener::bind(self.port)
            .await
            .map_err(|source| ServerError::Port {
                port: self.port,
                source,
            })?;
        let authority = if self.tls {
            Some(Authority::new(now).map_err(ServerError::Certificate)?)
        } else {
            None
        };

        // The user of the environment file is one of the users.
        let extra = usize::from(self.seed == Seed::Empty && self.users > 0);
        let mut state = self.seed.build(
            now,
            self.license,
            self.random_seed,
            self.users - extra,
            &Company::default(),
        );
        let demo_app = DemoApp::register(&mut state, now).ok_or_else(|| {
            ServerError::Certificate("the client certificate cannot be read".into())
        })?;
        state.enforce_quotas(self.enforce_quotas);
        let tenant_id = state.tenant_id;
        let scheme = if self.tls { "https" } else { "http" };
        let uri = format!("{scheme}://localhost:{}", listener.port());

        let files = Files {
            uri: &uri,
            tenant_id,
            app: &demo_app,
            ca_certificate: authority
                .as_ref()
                .map(|authority| authority.certificate_pem.as_str()),
        };
        files.write(self.env_file.as_deref(), self.ca_file.as_deref())?;

        let engine = Arc::new(Engine::new(Arc::new(clock), state, JOURNAL_CAPACITY));
        let running = listener.serve(
            &engine,
            authority.as_ref().map(|authority| &authority.acceptor),
        );
        Ok(Server {
            uri,
            tenant_id,
            app: demo_app,
            running,
        })
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
            Self::Certificate(_) => f.write_str("cannot create the certificates"),
        }
    }
}

impl std::error::Error for ServerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Port { source, .. } | Self::File { source, .. } => Some(source),
            Self::Certificate(source) => Some(source.as_ref()),
        }
    }
}

const JOURNAL_CAPACITY: usize = 1_000;
