use std::sync::Arc;

use entra_core::{
    Clock, Cloud, HttpTransport, RetryPolicy, SecureRandom, SystemClock, SystemRandom,
};

use crate::{Error, TokenCache, capabilities::Capabilities};

/// The options of a credential with their defaults filled in.
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
        "set one with `transport`, or enable the feature `reqwest` of entra-auth",
    ))
}
