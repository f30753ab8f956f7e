#![expect(
    private_bounds,
    reason = "the traits are sealed: they say which setters a builder has"
)]

use std::{fmt, sync::Arc};

use entra_core::{
    Clock, Cloud, Environment, HttpTransport, RetryPolicy, SecureRandom, SystemClock, SystemRandom,
};

use crate::{Error, TokenCache, capabilities::Capabilities, settings::Settings};

/// The options that every credential has: where it signs in, how it sends, and where tokens are
/// cached. Sign-in flows, token validators and discoveries have them too.
///
/// Each [`CredentialBuilder`] has the same setters. An application with several credentials sets the
/// options once and hands them to each builder.
///
/// ```
/// use entra_auth::{ClientSecretCredential, CredentialOptions, TokenCache};
/// use entra_core::Cloud;
/// # let id = "535fb089-9ff3-47b6-9bfb-4f1264799865";
/// let cache = TokenCache::new();
/// let options = CredentialOptions::new().cloud(Cloud::us_government()).cache(&cache);
/// for tenant in ["contoso.com", "fabrikam.com"] {
///     ClientSecretCredential::builder(tenant, id, "s3cr3t").options(&options).build()?;
/// }
/// # Ok::<(), entra_auth::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CredentialOptions {
    cloud: Option<Result<Cloud, Error>>,
    pub(crate) clock: Arc<dyn Clock>,
    random: Arc<dyn SecureRandom>,
    retry_policy: Option<RetryPolicy>,
    transport: Option<Arc<dyn HttpTransport>>,
    cache: Option<TokenCache>,
    capabilities: Capabilities,
    region: Option<String>,
}

/// Configures a credential, a sign-in flow, a token validator or a discovery.
///
/// Every builder has the setters of [`CredentialOptions`], as far as they apply: the tokens of a
/// managed identity have neither a cloud nor a shared cache, and a validator caches no tokens. The
/// setters of one type follow those of all.
#[must_use = "a builder does nothing until `build` is called"]
pub struct CredentialBuilder<C: Configure> {
    pub(crate) options: CredentialOptions,
    pub(crate) setup: C::Setup,
}

/// A type that a [`CredentialBuilder`] builds.
pub(crate) trait Configure: Sized {
    /// What the builder of this type knows besides the options.
    type Setup: fmt::Debug;
}

/// A type that sends requests to the sign-in service of a cloud.
pub(crate) trait CloudClient: Configure {}

/// A type that signs in to a cloud and caches tokens where its application says.
pub(crate) trait CloudCredential: Configure {}

impl<C: CloudCredential> CloudClient for C {}

/// A credential that signs in an application, for which Entra has regional endpoints.
pub(crate) trait ApplicationCredential: CloudCredential {}

impl CredentialOptions {
    /// The default options: the public cloud, the system's clock, reqwest, retries for up to 60
    /// seconds and a cache of the credential's own.
    #[must_use]
    #[inline]
    pub fn new() -> Self {
        Self {
            cloud: None,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            retry_policy: None,
            transport: None,
            cache: None,
            capabilities: Capabilities::default(),
            region: None,
        }
    }

    /// The cloud to sign in to. The default is the public cloud.
    #[must_use]
    #[inline]
    pub fn cloud(mut self, cloud: Cloud) -> Self {
        self.cloud = Some(Ok(cloud));
        self
    }

    /// Takes the cloud from environment variables, as [`Environment::cloud`] reads them. Variables
    /// that name no cloud are an error when a credential is built.
    #[must_use]
    pub fn environment(mut self, environment: &Environment) -> Self {
        self.cloud = Some(environment.cloud().map_err(Into::into));
        self
    }

    /// The clock for expiry and waits. The default is the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The source of request ids, jitter and the time of an early refresh. The default is the
    /// system's.
    #[must_use]
    pub fn random(mut self, random: impl SecureRandom) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// The HTTP transport. The default is reqwest with rustls.
    #[must_use]
    pub fn transport(mut self, transport: impl HttpTransport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// The limits of retries. The default is 60 seconds for one token; the metadata service of
    /// virtual machines has a longer one.
    #[must_use]
    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.retry_policy = Some(policy);
        self
    }

    /// The cache for tokens. By default each credential has its own.
    #[must_use]
    #[inline]
    pub fn cache(mut self, cache: &TokenCache) -> Self {
        self.cache = Some(cache.clone());
        self
    }

    /// The capabilities that the application declares with every request. The default is none.
    ///
    /// `["cp1"]` declares that it handles claims challenges (a 401 with `insufficient_claims`), as
    /// Graph clients of this SDK do. Entra then issues tokens that live for about a day and can be
    /// revoked at once. They are cached apart from tokens without the capability.
    #[must_use]
    pub fn client_capabilities<I>(mut self, names: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.capabilities = names.into_iter().collect();
        self
    }

    #[cfg(any(
        feature = "sign-in",
        all(feature = "workload-identity", feature = "reqwest")
    ))]
    pub(crate) fn set_transport(&mut self, transport: Arc<dyn HttpTransport>) {
        self.transport = Some(transport);
    }

    #[cfg(feature = "managed-identity")]
    pub(crate) fn set_default_retry_policy(&mut self, policy: RetryPolicy) {
        self.retry_policy.get_or_insert(policy);
    }

    /// The cloud of the environment unless one is set.
    pub(crate) fn or_cloud_of(self, environment: &Environment) -> Self {
        match self.cloud {
            Some(_) => self,
            None => self.environment(environment),
        }
    }

    /// This region unless one is set.
    #[inline]
    pub(crate) fn or_region(mut self, region: Option<&str>) -> Self {
        self.region = self.region.or_else(|| region.map(str::to_owned));
        self
    }

    /// The options with their defaults filled in.
    pub(crate) fn settings(self) -> Result<Settings, Error> {
        let default = Settings::default();
        Ok(Settings {
            cloud: self.cloud.transpose()?.unwrap_or(default.cloud),
            clock: self.clock,
            random: self.random,
            retry_policy: self.retry_policy.unwrap_or(default.retry_policy),
            transport: self.transport,
            cache: self.cache.unwrap_or(default.cache),
            capabilities: self.capabilities,
            region: self.region,
        })
    }
}

impl Default for CredentialOptions {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl<C: Configure> CredentialBuilder<C> {
    #[inline]
    pub(crate) fn new(setup: C::Setup) -> Self {
        Self {
            options: CredentialOptions::new(),
            setup,
        }
    }

    /// Replaces all options. Options that do not apply are ignored.
    pub fn options(mut self, options: &CredentialOptions) -> Self {
        self.options = options.clone();
        self
    }

    /// As [`CredentialOptions::clock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.options = self.options.clock(clock);
        self
    }

    /// As [`CredentialOptions::random`].
    pub fn random(mut self, random: impl SecureRandom) -> Self {
        self.options = self.options.random(random);
        self
    }

    /// As [`CredentialOptions::transport`].
    pub fn transport(mut self, transport: impl HttpTransport) -> Self {
        self.options = self.options.transport(transport);
        self
    }

    /// As [`CredentialOptions::retry_policy`].
    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.options = self.options.retry_policy(policy);
        self
    }
}

impl<C: CloudClient> CredentialBuilder<C> {
    /// As [`CredentialOptions::cloud`].
    #[inline]
    pub fn cloud(mut self, cloud: Cloud) -> Self {
        self.options = self.options.cloud(cloud);
        self
    }

    /// As [`CredentialOptions::environment`].
    pub fn environment(mut self, environment: &Environment) -> Self {
        self.options = self.options.environment(environment);
        self
    }
}

impl<C: CloudCredential> CredentialBuilder<C> {
    /// As [`CredentialOptions::cache`].
    #[inline]
    pub fn cache(mut self, cache: &TokenCache) -> Self {
        self.options = self.options.cache(cache);
        self
    }

    /// As [`CredentialOptions::client_capabilities`].
    pub fn client_capabilities<I>(mut self, names: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.options = self.options.client_capabilities(names);
        self
    }
}

impl<C: ApplicationCredential> CredentialBuilder<C> {
    /// The Azure region whose own sign-in endpoint gets the requests, such as `westeurope`. The
    /// default is the global endpoint. Entra allows regional endpoints for some applications only.
    /// The tokens are the same.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.options.region = Some(region.into());
        self
    }
}

impl<C: Configure<Setup: Clone>> Clone for CredentialBuilder<C> {
    fn clone(&self) -> Self {
        Self {
            options: self.options.clone(),
            setup: self.setup.clone(),
        }
    }
}

impl<C: Configure> fmt::Debug for CredentialBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialBuilder")
            .field("setup", &self.setup)
            .field("options", &self.options)
            .finish()
    }
}
