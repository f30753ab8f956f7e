use std::{
    borrow::Cow,
    error, fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use async_trait::async_trait;
use entra_core::{
    AccessToken, CredentialDescription, CredentialError, CredentialErrorKind, TokenCredential,
    TokenRequest,
};
use tracing::{debug, info};

use crate::Error;

/// Tries credentials in order until one returns a token.
///
/// A link that is [unavailable](CredentialErrorKind::Unavailable) is skipped. Any other failure ends
/// the search, so that a developer's command-line account does not hide a wrong secret. The first link
/// that returns a token is used from then on. [`report`](Self::report) has the outcome of each link.
/// Cheap to clone; clones share the selected link.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use entra_auth::{ChainedCredential, ClientSecretCredential, Environment, developer_tools::AzureCliCredential};
/// use entra_core::{TokenCredential, TokenRequest};
/// # let tenant = entra_mock::FakeTenant::start().await;
/// # let app = tenant.register_app("Night job").with_secret();
/// # let secret = ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
/// #     .cloud(tenant.cloud()).clock(tenant.clock()).build()?;
/// # #[derive(Debug)] struct NoTools;
/// # #[async_trait::async_trait]
/// # impl entra_auth::developer_tools::ProcessRunner for NoTools {
/// #     async fn run(&self, _: &entra_auth::developer_tools::ProcessCommand) -> std::io::Result<entra_auth::developer_tools::ProcessOutput> {
/// #         Err(std::io::ErrorKind::NotFound.into())
/// #     }
/// # }
/// let developer = AzureCliCredential::builder(&Environment::from_env())
/// #   .process_runner(NoTools)
///     .build()?;
/// let chain = ChainedCredential::new()
///     .link("developer", developer)
///     .link("service", secret);
/// chain.token(&TokenRequest::new([tenant.cloud().graph_scope()])).await?;
/// assert_eq!(chain.report().selected(), Some("service"));
/// println!("{}", chain.report()); // also says why "developer" was skipped
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct ChainedCredential {
    links: Vec<Link>,
    state: Arc<State>,
}

#[derive(Clone)]
struct Link {
    name: Cow<'static, str>,
    credential: Arc<dyn TokenCredential>,
    /// Whether the chain skips the link on any failure.
    lenient: bool,
}

#[derive(Default)]
struct State {
    chosen: OnceLock<usize>,
    outcomes: Mutex<Vec<LinkOutcome>>,
}

/// The outcome of each link when the chain was last searched.
///
/// `Display` prints a line for each: `EnvironmentCredential: skipped, AZURE_TENANT_ID is not set`.
#[derive(Clone, Debug)]
pub struct ChainReport(Vec<(Cow<'static, str>, LinkOutcome)>);

/// The outcome of one link of a chain.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LinkOutcome {
    /// The link returned the token and is used from then on.
    Succeeded,
    /// The link was skipped.
    Skipped(CredentialError),
    /// The link failed and ended the search.
    Failed(CredentialError),
    /// The search ended before this link, or the chain was not searched yet.
    NotTried,
}

impl ChainedCredential {
    /// Returns a chain without links, which returns no token.
    #[must_use]
    #[inline]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a link at the end, with a name for the report. The chain then selects a link again.
    #[must_use]
    #[inline]
    pub fn link(
        self,
        name: impl Into<Cow<'static, str>>,
        credential: impl TokenCredential,
    ) -> Self {
        self.with(name.into(), Arc::new(credential), false)
    }

    /// Adds a link at the end that is skipped on any failure.
    #[must_use]
    #[inline]
    pub fn optional_link(
        self,
        name: impl Into<Cow<'static, str>>,
        credential: impl TokenCredential,
    ) -> Self {
        self.with(name.into(), Arc::new(credential), true)
    }

    /// Returns the outcome of each link when the chain was last searched.
    #[must_use]
    #[inline]
    pub fn report(&self) -> ChainReport {
        let outcomes = self.state.outcomes();
        let mut outcomes = outcomes.iter().cloned();
        ChainReport(
            self.links
                .iter()
                .map(|link| {
                    let outcome = outcomes.next().unwrap_or(LinkOutcome::NotTried);
                    (link.name.clone(), outcome)
                })
                .collect(),
        )
    }

    #[inline]
    fn with(
        mut self,
        name: Cow<'static, str>,
        credential: Arc<dyn TokenCredential>,
        lenient: bool,
    ) -> Self {
        self.links.push(Link {
            name,
            credential,
            lenient,
        });
        self.state = Arc::default();
        self
    }

    #[inline]
    async fn search(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        let mut outcomes = Vec::with_capacity(self.links.len());
        for (number, link) in self.links.iter().enumerate() {
            match link.credential.token(request).await {
                Ok(token) => {
                    outcomes.push(LinkOutcome::Succeeded);
                    // The first of two concurrent searches to complete selects the link and writes the report.
                    if self.state.chosen.set(number).is_ok() {
                        info!(link = %link.name, "the chain selected this link");
                        *self.state.outcomes() = outcomes;
                    }
                    return Ok(token);
                }
                Err(error) if link.lenient || error.kind() == CredentialErrorKind::Unavailable => {
                    debug!(link = %link.name, reason = %reason(&error), "the chain skipped this link");
                    outcomes.push(LinkOutcome::Skipped(error));
                }
                Err(error) => {
                    outcomes.push(LinkOutcome::Failed(error.clone()));
                    self.keep(outcomes);
                    return Err(stopped(&link.name, error));
                }
            }
        }
        let names: Vec<&str> = self.links.iter().map(|link| &*link.name).collect();
        let error = exhausted(&names, &outcomes);
        self.keep(outcomes);
        Err(error)
    }

    #[inline]
    fn keep(&self, outcomes: Vec<LinkOutcome>) {
        if self.state.chosen.get().is_none() {
            *self.state.outcomes() = outcomes;
        }
    }
}

#[async_trait]
impl TokenCredential for ChainedCredential {
    #[inline]
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        let chosen = self.state.chosen.get();
        match chosen.and_then(|number| self.links.get(*number)) {
            Some(link) => link.credential.token(request).await,
            None => self.search(request).await,
        }
    }

    /// The description of the selected link; empty before one is selected.
    #[inline]
    fn description(&self) -> CredentialDescription {
        let chosen = self.state.chosen.get();
        let link = chosen.and_then(|number| self.links.get(*number));
        link.map(|link| link.credential.description())
            .unwrap_or_default()
    }
}

impl fmt::Debug for ChainedCredential {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.links.iter().map(|link| &*link.name).collect();
        f.debug_struct("ChainedCredential")
            .field("links", &names)
            .field("chosen", &self.state.chosen.get())
            .finish_non_exhaustive()
    }
}

impl State {
    #[inline]
    fn outcomes(&self) -> MutexGuard<'_, Vec<LinkOutcome>> {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChainReport {
    /// Returns the links in order, each with its outcome.
    #[inline]
    pub fn links(&self) -> impl Iterator<Item = (&str, &LinkOutcome)> {
        self.0.iter().map(|(name, outcome)| (&**name, outcome))
    }

    /// Returns the name of the link that returned the token.
    #[must_use]
    #[inline]
    pub fn selected(&self) -> Option<&str> {
        self.links()
            .find(|(_, outcome)| matches!(outcome, LinkOutcome::Succeeded))
            .map(|(name, _)| name)
    }
}

impl LinkOutcome {
    /// Returns why the link returned no token, in one line. `None` if it did or was not tried.
    #[must_use]
    #[inline]
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Skipped(error) | Self::Failed(error) => Some(reason(error)),
            Self::Succeeded | Self::NotTried => None,
        }
    }

    /// Returns how to fix it, if that is known.
    #[must_use]
    #[inline]
    pub fn fix(&self) -> Option<&str> {
        match self {
            Self::Skipped(error) | Self::Failed(error) => error.fix(),
            Self::Succeeded | Self::NotTried => None,
        }
    }
}

impl fmt::Display for ChainReport {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (name, outcome)) in self.links().enumerate() {
            let line = if number == 0 { "" } else { "\n" };
            write!(f, "{line}{name}: ")?;
            match outcome {
                LinkOutcome::Succeeded => f.write_str("returned the token")?,
                LinkOutcome::Skipped(error) => write!(f, "skipped, {}", reason(error))?,
                LinkOutcome::Failed(error) => write!(f, "failed, {}", reason(error))?,
                LinkOutcome::NotTried => f.write_str("not tried")?,
            }
        }
        Ok(())
    }
}

/// The message of this crate's own error, which has more detail than the error that wraps it.
#[inline]
fn reason(error: &CredentialError) -> String {
    Error::find(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// Wraps the error of a link that ended the search in one that names the link.
#[inline]
fn stopped(name: &str, error: CredentialError) -> CredentialError {
    let message = format!("{name} is set up but failed: {error}");
    let mut stopped = CredentialError::new(error.kind(), message).with_ids(
        error.correlation_id().map(str::to_owned),
        error.trace_id().map(str::to_owned),
    );
    if let Some(code) = error.code() {
        stopped = stopped.with_code(code);
    }
    if let Some(fix) = error.fix() {
        stopped = stopped.with_fix(fix);
    }
    if let Some(claims) = error.claims() {
        stopped = stopped.with_claims(claims);
    }
    if let Some(wait) = error.retry_after() {
        stopped = stopped.with_retry_after(wait);
    }
    if let Some((client, tenant)) = error.identity() {
        stopped = stopped.with_identity(client, tenant.clone());
    }
    stopped.with_origin(error)
}

#[inline]
fn exhausted(names: &[&str], outcomes: &[LinkOutcome]) -> CredentialError {
    let reasons: Vec<String> = names
        .iter()
        .zip(outcomes)
        .filter_map(|(name, outcome)| Some(format!("{name}: {}", outcome.reason()?)))
        .collect();
    let error = CredentialError::new(
        CredentialErrorKind::Unavailable,
        "no credential of the chain is set up here",
    );
    if reasons.is_empty() {
        return error.with_fix("add at least one link to the chain");
    }
    error
        .with_fix("set up one of its links; the reasons say what each of them lacks")
        .with_source(Reasons(reasons.join("; ")))
}

/// Why each link was skipped, in one line.
#[derive(Debug)]
struct Reasons(String);

impl fmt::Display for Reasons {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for Reasons {}
