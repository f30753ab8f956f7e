use std::sync::Arc;

use entra_core::{
    Clock, Cloud, HttpTransport, RetryPolicy, SecureRandom, SystemClock, SystemRandom,
};

use crate::{Error, TokenCache, capabilities::Capabilities};

/// What every credential's builder can set.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) cloud: Cloud,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn SecureRandom>,
    pub(crate) retry_policy: RetryPolicy,
    pub(crate) transport: Option<Arc<dyn HttpTransport>>,
    pub(crate) cache: TokenCache,
    pub(crate) capabilities: Capabilities,
    pub(crate) region: Option<String>,
}

impl Settings {
    /// The given transport, or the default one.
    pub(crate) fn transport(&self) -> Result<Arc<dyn HttpTransport>, Error> {
        match &self.transport {
            Some(transport) => Ok(Arc::clone(transport)),
            None => default_transport(),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cloud: Cloud::public(),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            retry_policy: RetryPolicy::for_tokens(),
            transport: None,
            cache: TokenCache::new(),
            capabilities: Capabilities::default(),
            region: None,
        }
    }
}

#[cfg(feature = "reqwest")]
#[expect(clippy::unnecessary_wraps, reason = "fails without the feature")]
fn default_transport() -> Result<Arc<dyn HttpTransport>, Error> {
    Ok(Arc::new(entra_core::ReqwestTransport::default()))
}

#[cfg(not(feature = "reqwest"))]
fn default_transport() -> Result<Arc<dyn HttpTransport>, Error> {
    Err(Error::configuration(
        "there is no HTTP transport",
        "give one with `transport`, or enable the feature `reqwest` of entra-auth",
    ))
}

/// The setters that are the same in every credential's builder, which holds `settings: Settings`.
macro_rules! common_settings {
    () => {
        /// The cloud to sign in to; the public one unless set.
        pub fn cloud(mut self, cloud: entra_core::Cloud) -> Self {
            self.settings.cloud = cloud;
            self
        }

        /// The clock that decides about expiry and waits; the system's unless set.
        pub fn clock(mut self, clock: impl entra_core::Clock) -> Self {
            self.settings.clock = std::sync::Arc::new(clock);
            self
        }

        /// The source of request ids and jitter, also of the moment of an early refresh; the
        /// system's unless set.
        pub fn random(mut self, random: impl entra_core::SecureRandom) -> Self {
            self.settings.random = std::sync::Arc::new(random);
            self
        }

        /// The HTTP transport; reqwest with rustls unless set.
        pub fn transport(mut self, transport: impl entra_core::HttpTransport) -> Self {
            self.settings.transport = Some(std::sync::Arc::new(transport));
            self
        }

        /// The limits of retries; 60 seconds for one token unless set.
        pub fn retry_policy(mut self, policy: entra_core::RetryPolicy) -> Self {
            self.settings.retry_policy = policy;
            self
        }

        /// The cache to keep tokens in; a cache of this credential's own unless set.
        pub fn cache(mut self, cache: &crate::TokenCache) -> Self {
            self.settings.cache = cache.clone();
            self
        }

        /// What the application can do, told with every request; nothing unless set.
        ///
        /// `["cp1"]` says that it handles claims challenges (a 401 with `insufficient_claims`), as
        /// Graph clients of this SDK do. Entra then issues tokens that live for about a day and
        /// that it can revoke at once. Such tokens are cached apart from all others.
        pub fn client_capabilities<I>(mut self, names: I) -> Self
        where
            I: IntoIterator<Item: Into<String>>,
        {
            self.settings.capabilities = names.into_iter().collect();
            self
        }
    };
}

/// The setters of a credential whose tokens belong to this machine: no cloud and no shared cache.
#[cfg(feature = "platform-identity")]
macro_rules! host_settings {
    () => {
        /// The clock that decides about expiry and waits; the system's unless set.
        pub fn clock(mut self, clock: impl entra_core::Clock) -> Self {
            self.settings.clock = std::sync::Arc::new(clock);
            self
        }

        /// The source of request ids and jitter; the system's unless set.
        pub fn random(mut self, random: impl entra_core::SecureRandom) -> Self {
            self.settings.random = std::sync::Arc::new(random);
            self
        }

        /// The HTTP transport; reqwest unless set.
        pub fn transport(mut self, transport: impl entra_core::HttpTransport) -> Self {
            self.settings.transport = Some(std::sync::Arc::new(transport));
            self
        }

        /// The limits of retries; what the kind of host needs unless set.
        pub fn retry_policy(mut self, policy: entra_core::RetryPolicy) -> Self {
            self.settings.retry_policy = policy;
            self
        }
    };
}

/// Gives another credential's builder the settings of this one.
#[cfg(feature = "platform-identity")]
macro_rules! with_settings {
    ($builder:expr, $settings:expr) => {{
        let settings = &$settings;
        let builder = $builder
            .cloud(settings.cloud.clone())
            .clock(std::sync::Arc::clone(&settings.clock))
            .random(std::sync::Arc::clone(&settings.random))
            .retry_policy(settings.retry_policy.clone())
            .cache(&settings.cache)
            .client_capabilities(settings.capabilities.names().iter().cloned());
        let builder = match &settings.region {
            Some(region) => builder.region(region.clone()),
            None => builder,
        };
        match &settings.transport {
            Some(transport) => builder.transport(std::sync::Arc::clone(transport)),
            None => builder,
        }
    }};
}

pub(crate) use common_settings;
#[cfg(feature = "platform-identity")]
pub(crate) use host_settings;
#[cfg(feature = "platform-identity")]
pub(crate) use with_settings;

/// The setter of credentials that a regional endpoint serves: those of applications.
macro_rules! region_setting {
    () => {
        /// The Azure region whose own endpoint to ask, such as `westeurope`; the global one unless
        /// set. Entra allows it to some applications only. Tokens are the same.
        pub fn region(mut self, region: impl Into<String>) -> Self {
            self.settings.region = Some(region.into());
            self
        }
    };
}

pub(crate) use region_setting;
