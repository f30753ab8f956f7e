//! Tokens of the Azure CLI and the Azure Developer CLI.

use std::{borrow::Cow, fmt, io, marker::PhantomData, sync::Arc, time::Duration};

use async_trait::async_trait;
use entra_core::{
    AccessToken, ClientId, Clock, CredentialError, Guid, IntoId, InvalidId, TenantId, Timestamp,
    TokenCredential, TokenRequest, parse_rfc3339,
};

use super::{
    cli_output::{CliError, printed_object},
    process::{ProcessCommand, ProcessOutput, ProcessRunner, SystemProcesses},
};
use crate::{
    Aadsts, Environment, Error, ErrorKind, TokenCache,
    cache::{Account, TokenKey},
    environment::safe_folder,
    retry_mode::RetryMode,
    settings::Settings,
    tokens::{TokenSource, Tokens, check_tenant},
};

/// Tokens of the account that is signed in to the Azure CLI (`az login`).
///
/// For development: the program then acts as the developer. Tokens stay in this process; the tool runs
/// once for each token, not for each call. Requires Azure CLI 2.54 or later.
///
/// ```
/// use entra_auth::{Environment, developer_tools::AzureCliCredential};
/// let credential = AzureCliCredential::builder(&Environment::from_env())
///     .tenant("contoso.com") // otherwise the tool's own
///     .build()?;
/// # Ok::<(), entra_auth::Error>(())
/// ```
#[derive(Clone)]
pub struct AzureCliCredential(Arc<Tokens>);

/// Tokens of the account that is signed in to the Azure Developer CLI (`azd auth login`).
///
/// As [`AzureCliCredential`], for the other tool.
///
/// ```
/// use entra_auth::{Environment, developer_tools::AzureDeveloperCliCredential};
/// let credential = AzureDeveloperCliCredential::builder(&Environment::from_env()).build()?;
/// # Ok::<(), entra_auth::Error>(())
/// ```
#[derive(Clone)]
pub struct AzureDeveloperCliCredential(Arc<Tokens>);

/// Settings of an [`AzureCliCredential`] or an [`AzureDeveloperCliCredential`].
#[must_use = "a builder does nothing until `build` is called"]
pub struct CliCredentialBuilder<C> {
    tool: Tool,
    tenant: Option<Result<TenantId, InvalidId>>,
    subscription: Option<String>,
    environment: Environment,
    runner: Arc<dyn ProcessRunner>,
    time_limit: Duration,
    settings: Settings,
    makes: PhantomData<fn() -> C>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    Az,
    Azd,
}

impl AzureCliCredential {
    /// Settings to change.
    pub fn builder(environment: &Environment) -> CliCredentialBuilder<Self> {
        CliCredentialBuilder::new(Tool::Az, environment)
    }
}

impl AzureDeveloperCliCredential {
    /// Settings to change.
    pub fn builder(environment: &Environment) -> CliCredentialBuilder<Self> {
        CliCredentialBuilder::new(Tool::Azd, environment)
    }
}

#[async_trait]
impl TokenCredential for AzureCliCredential {
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        self.0.token(request).await.map_err(Into::into)
    }
}

#[async_trait]
impl TokenCredential for AzureDeveloperCliCredential {
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        self.0.token(request).await.map_err(Into::into)
    }
}

impl fmt::Debug for AzureCliCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureCliCredential").finish_non_exhaustive()
    }
}

impl fmt::Debug for AzureDeveloperCliCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureDeveloperCliCredential")
            .finish_non_exhaustive()
    }
}

impl<C> CliCredentialBuilder<C> {
    fn new(tool: Tool, environment: &Environment) -> Self {
        Self {
            tool,
            tenant: None,
            subscription: None,
            environment: environment.clone(),
            runner: Arc::new(SystemProcesses),
            time_limit: TIME_LIMIT,
            settings: Settings::default(),
            makes: PhantomData,
        }
    }

    /// The tenant of the tokens. The default is the tool's own.
    pub fn tenant(mut self, tenant: impl IntoId<TenantId>) -> Self {
        self.tenant = Some(tenant.into_id());
        self
    }

    /// How long the tool may take. The default is 10 seconds.
    pub const fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Runs the tool. The default starts a process.
    pub fn process_runner(mut self, runner: impl ProcessRunner) -> Self {
        self.runner = Arc::new(runner);
        self
    }

    /// The clock for expiry. The default is the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Arc::new(clock);
        self
    }

    fn tokens(mut self) -> Result<Arc<Tokens>, Error> {
        let home = match self.tenant {
            Some(tenant) => tenant?,
            None => TenantId::from(Guid::NIL),
        };
        check_tenant(&home)?;
        if self.subscription.as_deref().is_some_and(|text| {
            text.is_empty() || text.starts_with('-') || text.chars().any(char::is_control)
        }) {
            return Err(Error::configuration(
                "the subscription is neither a name nor an id",
                "give what `az account list` shows",
            ));
        }
        // No shared cache: the account is that of the developer at this machine.
        self.settings.cache = TokenCache::new();
        let source = CliTokenSource {
            tool: self.tool,
            subscription: self.subscription,
            environment: self.environment,
            runner: self.runner,
            time_limit: self.time_limit,
            clock: Arc::clone(&self.settings.clock),
        };
        Ok(Arc::new(Tokens::new(
            Arc::new(source),
            &self.settings,
            ClientId::from(Guid::NIL),
            home,
            Account::App,
        )))
    }
}

impl CliCredentialBuilder<AzureCliCredential> {
    /// The subscription whose account to use, by name or id. The default is the tool's current one.
    pub fn subscription(mut self, subscription: impl Into<String>) -> Self {
        self.subscription = Some(subscription.into());
        self
    }

    /// Builds the credential. The tool does not run before the first token is requested.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for an invalid tenant or subscription.
    pub fn build(self) -> Result<AzureCliCredential, Error> {
        Ok(AzureCliCredential(self.tokens()?))
    }
}

impl CliCredentialBuilder<AzureDeveloperCliCredential> {
    /// Builds the credential. The tool does not run before the first token is requested.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for an invalid tenant.
    pub fn build(self) -> Result<AzureDeveloperCliCredential, Error> {
        Ok(AzureDeveloperCliCredential(self.tokens()?))
    }
}

impl<C> fmt::Debug for CliCredentialBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CliCredentialBuilder")
            .field("tool", &self.tool)
            .field("tenant", &self.tenant)
            .field("subscription", &self.subscription)
            .field("time_limit", &self.time_limit)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct CliTokenSource {
    tool: Tool,
    subscription: Option<String>,
    environment: Environment,
    runner: Arc<dyn ProcessRunner>,
    time_limit: Duration,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl TokenSource for CliTokenSource {
    async fn fetch(&self, token_key: &TokenKey, _: RetryMode) -> Result<AccessToken, Error> {
        let tool = self.tool;
        if token_key.claims.is_some() {
            return Err(Error::new(
                ErrorKind::InteractionRequired,
                format!("{tool} cannot satisfy a claims challenge"),
            )
            .with(|inner| {
                inner.is_of_application = true;
                inner.claims.clone_from(&token_key.claims);
                inner.fix = Some(format!("run `{}` again", tool.login()).into());
            }));
        }
        let command = ProcessCommand {
            program: tool.program().to_owned(),
            arguments: self.arguments(token_key)?,
            folder: safe_folder(&self.environment).to_owned(),
            // Colour codes would stand around the JSON.
            variables: vec![("AZURE_CORE_NO_COLOR".to_owned(), "true".to_owned())],
            time_limit: self.time_limit,
        };
        let output = self
            .runner
            .run(&command)
            .await
            .map_err(|error| self.not_run(error))?;
        // Wrappers of the tool lose its exit status.
        let is_silent = output.stdout.expose_secret().trim().is_empty()
            && !output.stderr.expose_secret().trim().is_empty();
        if !output.success || is_silent {
            return Err(tool.failure(&output));
        }
        let (token, expires_on) = tool.parse(output.stdout.expose_secret())?;
        if expires_on <= self.clock.now() {
            return Err(tool
                .malformed("the token has already expired")
                .with(|inner| {
                    inner.fix = Some("check the clock of this machine".into());
                }));
        }
        Ok(AccessToken::new(token, expires_on))
    }
}

impl CliTokenSource {
    fn arguments(&self, token_key: &TokenKey) -> Result<Vec<String>, Error> {
        let scopes = token_key.scope();
        let scopes: Vec<&str> = scopes.split(' ').collect();
        let tool = self.tool;
        // There is no shell, but an argument must not be taken for an option.
        let is_scope = |scope: &&str| {
            !scope.starts_with('-')
                && scope
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._:/".contains(&byte))
        };
        if !scopes.iter().all(is_scope) || (tool == Tool::Az && scopes.len() != 1) {
            return Err(Error::configuration(
                format!("{tool} does not accept these scopes"),
                "request one scope, such as https://graph.microsoft.com/.default",
            ));
        }
        let mut arguments: Vec<&str> = match tool {
            Tool::Az => vec!["account", "get-access-token", "--output", "json"],
            Tool::Azd => vec!["auth", "token", "--output", "json", "--no-prompt"],
        };
        for scope in &scopes {
            arguments.extend(["--scope", scope]);
        }
        let tenant = token_key.tenant.to_string();
        if token_key.tenant != TenantId::from(Guid::NIL) {
            arguments.extend([tool.tenant_option(), &tenant]);
        }
        if let Some(subscription) = &self.subscription {
            arguments.extend(["--subscription", subscription]);
        }
        Ok(arguments.into_iter().map(str::to_owned).collect())
    }

    fn not_run(&self, error: io::Error) -> Error {
        let tool = self.tool;
        match error.kind() {
            io::ErrorKind::NotFound => tool.not_installed(),
            io::ErrorKind::TimedOut => Error::unavailable(
                format!(
                    "{tool} did not respond within {} s",
                    self.time_limit.as_secs()
                ),
                "check that it responds in a terminal, or allow more time",
            ),
            _ => Error::unavailable(
                format!("{tool} could not be started"),
                "see whether it starts in a terminal",
            ),
        }
        .with_source(error)
    }
}

impl Tool {
    const fn program(self) -> &'static str {
        match self {
            Self::Az if cfg!(windows) => "az.cmd",
            Self::Az => "az",
            Self::Azd => "azd",
        }
    }

    const fn login(self) -> &'static str {
        match self {
            Self::Az => "az login",
            Self::Azd => "azd auth login",
        }
    }

    const fn token_member(self) -> &'static str {
        match self {
            Self::Az => "accessToken",
            Self::Azd => "token",
        }
    }

    const fn tenant_option(self) -> &'static str {
        match self {
            Self::Az => "--tenant",
            Self::Azd => "--tenant-id",
        }
    }

    fn not_installed(self) -> Error {
        Error::unavailable(
            format!("{self} is not installed"),
            "install it and check that it is in the search path, or sign in with another credential",
        )
    }

    /// What the tool's complaint means. Entra's number decides wherever it stands, as warnings of a shell,
    /// of Python or of an update may stand before the error. Without one, the words of the error do, and those of
    /// the rest only if the error says nothing that is known.
    fn failure(self, output: &ProcessOutput) -> Error {
        let printed = CliError::read(output.stderr.expose_secret());
        let by_words = || {
            let reasons = printed.reasons();
            reasons.into_iter().find_map(|reason| self.by_words(reason))
        };
        let error = if let Some(code) = printed.aadsts() {
            self.denied(code)
        } else if let Some(error) = by_words() {
            error
        } else {
            Error::new(ErrorKind::Rejected, format!("{self} returned no token")).with(|inner| {
                inner.fix = Some("see whether the same command gives a token in a terminal".into());
            })
        };
        error.with(|inner| {
            inner.service_message = Some(printed.line()).filter(|said| !said.is_empty());
        })
    }

    /// An error of Entra. A new sign-in helps if it is about the user's session, and not if the scope, the
    /// tenant or the application is wrong.
    fn denied(self, code: u32) -> Error {
        let entry = Aadsts::lookup(code);
        let kind = entry.map_or(ErrorKind::Rejected, |entry| entry.class().kind());
        let fix: Cow<'static, str> = match entry {
            // The message may name the account, so it is in no report.
            Some(entry) if entry.fix().contains("service's message") => {
                "see what the same command says in a terminal".into()
            }
            Some(entry) if kind != ErrorKind::InteractionRequired => entry.fix().into(),
            _ => format!("run `{}` for that tenant and scope", self.login()).into(),
        };
        Error::new(kind, format!("{self} was denied a token")).with(|inner| {
            inner.codes = vec![code];
            // The developer's session is the application's own, and no user of it is meant.
            inner.is_of_application = true;
            inner.cause = entry.and_then(Aadsts::cause).map(Into::into);
            inner.fix = Some(fix);
        })
    }

    /// What the words of an error mean, in lower case. `None` if they are not known.
    fn by_words(self, reason: &str) -> Option<Error> {
        let says = |words: &[&str]| words.iter().any(|word| reason.contains(word));
        let is_signed_out = says(SIGNED_OUT);
        if says(NO_NETWORK) || (!is_signed_out && says(MAYBE_NO_NETWORK)) {
            let error = Error::new(ErrorKind::Transport, format!("{self} has no connection"));
            Some(error.with(|inner| {
                inner.fix = Some(
                    "check network, DNS, proxy and, if a proxy inspects TLS, the certificates that the tool trusts; then try again"
                        .into(),
                );
            }))
        } else if is_signed_out {
            Some(Error::unavailable(
                format!("no user is signed in to {self}"),
                format!("run `{}`", self.login()),
            ))
        } else if says(NOT_INSTALLED) {
            Some(self.not_installed())
        } else {
            None
        }
    }

    fn parse(self, stdout: &str) -> Result<(String, Timestamp), Error> {
        // The output holds a token, so no part of it goes into an error.
        let body = printed_object(stdout, self.token_member())
            .ok_or_else(|| self.malformed("it has no JSON"))?;
        let expires_on = match self {
            Self::Az => {
                let end = body["expires_on"]
                    .as_i64()
                    .or_else(|| body["expires_on"].as_str()?.parse().ok());
                let end = end.ok_or_else(|| {
                    self.malformed("it has no expires_on, as before version 2.54")
                })?;
                Timestamp::from_unix_timestamp(end).ok()
            }
            Self::Azd => {
                let end = body["expiresOn"].as_str().unwrap_or_default();
                parse_rfc3339(end)
            }
        };
        let token = body[self.token_member()]
            .as_str()
            .filter(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()))
            .ok_or_else(|| self.malformed("it has no token"))?;
        let expires_on =
            expires_on.ok_or_else(|| self.malformed("it does not say when it expires"))?;
        Ok((token.to_owned(), expires_on))
    }

    fn malformed(self, what: &'static str) -> Error {
        Error::new(
            ErrorKind::Protocol,
            format!("what {self} printed cannot be used"),
        )
        .with(|inner| {
            inner.cause = Some(what.into());
            inner.fix = Some("update the tool".into());
        })
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Az => "the Azure CLI",
            Self::Azd => "the Azure Developer CLI",
        })
    }
}

const TIME_LIMIT: Duration = Duration::from_secs(10);
/// What the two tools say where a new sign-in is needed.
const SIGNED_OUT: &[&str] = &[
    "az login",
    "az account set",
    "azd auth login",
    "not logged in",
];
/// What shells say of a program that they do not find. A tool that runs others may print it too.
const NOT_INSTALLED: &[&str] = &["is not recognized", "command not found", ": not found"];
/// What the two tools, and the libraries in them, say where a name or host is not reached.
const NO_NETWORK: &[&str] = &[
    "no such host",
    "name or service not known",
    "temporary failure in name resolution",
    "failed to resolve",
    "getaddrinfo failed",
    "network is unreachable",
    "connection refused",
    "connection aborted",
    "connection reset",
    "failed to establish a new connection",
    "max retries exceeded",
    "dial tcp",
    "i/o timeout",
    "deadline exceeded",
    "tls handshake timeout",
    "proxyconnect",
    // Of a request that was sent, by Python, Windows and Go.
    "read timed out",
    "connection timed out",
    "winerror 10060",
    "winerror 10061",
    "a connection attempt failed",
    "actively refused",
    "no route to host",
    "client.timeout exceeded",
    "awaiting headers",
    "\": eof",
    // Most often a proxy that inspects TLS.
    "certificate verify failed",
    "x509:",
];
/// Words that a session that has ended, or a file of the tool, may have as well.
const MAYBE_NO_NETWORK: &[&str] = &["timed out", "unexpected eof"];
