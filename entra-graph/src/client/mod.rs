//! The client and its settings.

#[cfg(feature = "registration")]
mod own_writes;
mod send;
#[cfg(feature = "registration")]
mod sign_in;
mod token;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use entra_core::{
    Clock, Cloud, Environment, HttpTransport, Pipeline, RetryPolicy, SecureRandom, SystemClock,
    SystemRandom, TokenCredential, TokenRequest, TransportError, bytes::Bytes, http::HeaderMap,
    url::Url,
};

use crate::{error::Error, governor::Governor};
pub(crate) use send::{ANY, Call, JSON, PREFER, Payload, Reply, TEXT, classify};
use token::{GrantedCredential, Prepared, Remembering};

/// A client of Microsoft Graph with one credential. Clones are cheap and share connections.
///
/// ```
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
/// # support::block_on(async {
/// # let (tenant, credential) = support::start().await;
/// use entra_graph::{GraphClient, User};
/// let graph = GraphClient::builder(credential).cloud(tenant.cloud()).build()?;
/// let adele = graph.user("adele@contoso.com").get().select(User::DISPLAY_NAME).send().await?;
/// assert_eq!(adele.display_name.as_deref(), Some("Adele"));
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct GraphClient(Arc<Inner>);

struct Inner {
    pipeline: Pipeline,
    credential: Arc<dyn GrantedCredential>,
    scope: String,
    base: Url,
    clock: Arc<dyn Clock>,
    sent: Arc<AtomicU64>,
    governor: Option<Governor>,
    #[cfg(feature = "registration")]
    own_writes: Arc<own_writes::OwnWrites>,
    #[cfg(feature = "registration")]
    sign_in: sign_in::SignInService,
}

/// Settings of a [`GraphClient`].
#[must_use = "a builder does nothing until `build` is called"]
pub struct GraphClientBuilder {
    credential: Arc<dyn GrantedCredential>,
    cloud: Result<Cloud, entra_core::Error>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn SecureRandom>,
    transport: Option<Arc<dyn HttpTransport>>,
    policy: RetryPolicy,
    response_limit: Option<u64>,
    governor: Option<Governor>,
}

impl GraphClient {
    /// Waits by the client's clock.
    pub(crate) async fn sleep(&self, duration: std::time::Duration) {
        self.0.clock.sleep(duration).await;
    }

    /// The monotonic time of the client's clock.
    #[cfg(any(feature = "notifications", feature = "registration"))]
    pub(crate) fn monotonic(&self) -> std::time::Instant {
        self.0.clock.monotonic()
    }

    /// The time since then, by the client's clock.
    #[cfg(feature = "registration")]
    pub(crate) fn elapsed(&self, since: std::time::Instant) -> std::time::Duration {
        self.0.clock.elapsed(since)
    }

    /// What this client, or one that shares its connections, wrote a moment ago.
    #[cfg(feature = "registration")]
    pub(crate) fn own_writes(&self) -> &own_writes::OwnWrites {
        &self.0.own_writes
    }

    /// The sign-in service of the client's cloud.
    #[cfg(feature = "registration")]
    pub(crate) fn sign_in_service(&self) -> &sign_in::SignInService {
        &self.0.sign_in
    }

    /// Whether this client wrote a registration so recently that reads may not show it.
    #[cfg(all(feature = "connection", feature = "registration"))]
    pub(crate) fn wrote_within(&self, window: std::time::Duration) -> bool {
        let newest = self.0.own_writes.newest();
        newest.is_some_and(|at| self.elapsed(at) < window)
    }

    /// Whether this client wrote a registration so recently that reads may not show it: it writes none.
    #[cfg(all(feature = "connection", not(feature = "registration")))]
    pub(crate) const fn wrote_within(&self, _: std::time::Duration) -> bool {
        false
    }

    /// The scope of all of the client's permissions.
    #[cfg(feature = "registration")]
    pub(crate) fn scope(&self) -> &str {
        &self.0.scope
    }

    /// The permissions of the last token, as far as it can be read.
    #[cfg(any(feature = "registration", feature = "sync"))]
    pub(crate) fn granted(&self) -> Option<crate::error::Granted> {
        self.0.credential.granted()
    }

    /// The current time of the client's clock.
    pub(crate) fn now(&self) -> entra_core::Timestamp {
        self.0.clock.now()
    }

    /// A client for the public cloud with every setting at its default.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when the crate was built
    /// without a transport.
    pub fn new(credential: impl TokenCredential) -> Result<Self, Error> {
        Self::builder(credential).build()
    }

    /// A client with this credential, on the public cloud unless told otherwise.
    pub fn builder(credential: impl TokenCredential) -> GraphClientBuilder {
        GraphClientBuilder {
            credential: Arc::new(Remembering::new(credential)),
            cloud: Ok(Cloud::public()),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            transport: None,
            policy: RetryPolicy::for_graph(),
            response_limit: None,
            governor: Some(Governor::new()),
        }
    }

    /// The same client with another credential, such as that of a signed-in user.
    ///
    /// They share connections, limits of retries, the governor of quotas and the count of requests, so one is cheap to make
    /// for each request of a web application. The requested scope stays Graph's `.default`,
    /// which stands for everything that the user or an administrator has consented to.
    #[must_use]
    pub fn with_credential(&self, credential: impl TokenCredential) -> Self {
        let inner = &*self.0;
        Self(Arc::new(Inner {
            pipeline: inner.pipeline.clone(),
            credential: Arc::new(Remembering::new(credential)),
            scope: inner.scope.clone(),
            base: inner.base.clone(),
            clock: Arc::clone(&inner.clock),
            sent: Arc::clone(&inner.sent),
            governor: inner.governor.clone(),
            #[cfg(feature = "registration")]
            own_writes: Arc::clone(&inner.own_writes),
            #[cfg(feature = "registration")]
            sign_in: inner.sign_in.clone(),
        }))
    }

    /// The number of requests sent to Graph so far, with every retry and every page; token requests
    /// are not counted.
    #[must_use]
    pub fn requests_sent(&self) -> u64 {
        self.0.sent.load(Ordering::Relaxed)
    }

    /// Gets a new token from Entra instead of the cached one, such as after an administrator granted a
    /// permission. A token that exists keeps its old permissions until it expires.
    ///
    /// # Errors
    /// [`ErrorKind::Credential`](crate::ErrorKind::Credential) when the credential returns no token.
    pub async fn renew_token(&self) -> Result<(), Error> {
        let request = TokenRequest::new([self.0.scope.as_str()]).with_force_refresh();
        match self.0.credential.token(&request).await {
            Ok(_) => Ok(()),
            Err(error) => Err(entra_core::Error::from(error).into()),
        }
    }

    /// Gets a new token after a response with these headers rejected the last one. An error is that of the next request.
    pub(crate) async fn replace_token(&self, headers: &HeaderMap) {
        let request = TokenRequest::new([self.0.scope.as_str()]).after_rejection(headers);
        // The result is in the credential's cache.
        let _ = self.0.credential.token(&request).await;
    }

    /// The address below the version, from its path segments.
    pub(crate) fn base(&self) -> &Url {
        &self.0.base
    }

    /// Whether requests, and with them tokens, may go to this address.
    ///
    /// # Errors
    /// `Policy` for another host than this client's.
    pub(crate) fn check(&self, url: &Url) -> Result<(), Error> {
        Ok(self.0.pipeline.check(url)?)
    }
    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.0.pipeline
    }

    /// Whether both send with the same credential to the same place.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The address of Graph, above its versions.
    pub(crate) fn root_above_versions(&self) -> &str {
        let base = self.0.base.as_str();
        base.strip_suffix("v1.0/").unwrap_or(base)
    }

    /// The address below the version that this one is of.
    #[inline]
    pub(crate) fn version_root(&self, url: &Url) -> Option<Url> {
        let root = self.root_above_versions();
        let version = url.as_str().strip_prefix(root)?.split('/').next()?;
        Url::parse(&format!("{root}{version}/")).ok()
    }
}

impl fmt::Debug for GraphClient {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphClient")
            .field("base", &self.0.base.as_str())
            .field("credential", &self.0.credential_name())
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// The credential's own `Debug`, which shows no secret.
    fn credential_name(&self) -> &dyn fmt::Debug {
        &self.credential
    }
}

impl GraphClientBuilder {
    /// The cloud to send requests to; a fake tenant has one too.
    #[inline]
    pub fn cloud(mut self, cloud: Cloud) -> Self {
        self.cloud = Ok(cloud);
        self
    }

    /// Reads the cloud, and with it the Graph root, from environment variables:
    /// `AZURE_AUTHORITY_HOST` and `ENTRA_GRAPH_URL`, as [`Environment::cloud`] reads them. The public
    /// cloud if neither is set. Replaces a cloud set before.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let (tenant, credential) = support::start().await;
    /// use entra_core::Environment;
    /// use entra_graph::GraphClient;
    /// # let environment = Environment::from_pairs([("AZURE_AUTHORITY_HOST", tenant.uri())]);
    /// // outside of a test: Environment::from_env()
    /// let graph = GraphClient::builder(credential).environment(&environment).build()?;
    /// graph.users().list().top(1).send().await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn environment(mut self, environment: &Environment) -> Self {
        self.cloud = environment.cloud();
        self
    }

    /// The clock for retry waits, and for the lifetime of new client secrets.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The source of request ids and jitter.
    pub fn random(mut self, random: impl SecureRandom) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// The transport to send with, instead of one of reqwest's with default settings.
    pub fn transport(mut self, transport: impl HttpTransport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// The limits of retries, for each request and so for each page.
    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// The most bytes of one response body, after decompression; 64 MiB unless set, far above any page.
    ///
    /// A larger one is an error of kind [`ResponseTooLarge`](crate::ErrorKind::ResponseTooLarge), found
    /// while it is read.
    pub const fn response_limit(mut self, bytes: u64) -> Self {
        self.response_limit = Some(bytes);
        self
    }

    /// The governor that paces requests by Graph's limits, instead of one of the client's own: several clients of
    /// one application share it, or it knows the size of the tenant. Clients that share one need the same clock.
    #[inline]
    pub fn governor(mut self, governor: Governor) -> Self {
        self.governor = Some(governor);
        self
    }

    /// Without a governor: requests are sent at once, and each that Graph throttles waits for itself.
    #[inline]
    pub fn without_governor(mut self) -> Self {
        self.governor = None;
        self
    }

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when no transport can be set up,
    /// and for environment variables that name no cloud.
    pub fn build(self) -> Result<GraphClient, Error> {
        let cloud = self.cloud?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => default_transport()?,
        };
        let base = cloud.graph().join("v1.0/").map_err(|source| {
            entra_core::Error::configuration("the Graph root cannot take a path")
                .with_source(source)
        })?;
        #[cfg(feature = "registration")]
        let sign_in = sign_in::SignInService::new(
            cloud.authority(),
            Arc::clone(&transport),
            Arc::clone(&self.clock),
        );
        let sent = Arc::new(AtomicU64::new(0));
        let counting = Counting {
            transport,
            sent: Arc::clone(&sent),
        };
        let pipeline = Pipeline::builder(Arc::new(counting))
            .origin(&base)
            .clock(Arc::clone(&self.clock))
            .random(self.random)
            .policy(self.policy);
        let pipeline = match self.response_limit {
            Some(bytes) => pipeline.response_limit(bytes),
            None => pipeline,
        }
        .build();
        Ok(GraphClient(Arc::new(Inner {
            pipeline,
            credential: self.credential,
            scope: cloud.graph_scope(),
            base,
            clock: self.clock,
            sent,
            governor: self.governor,
            #[cfg(feature = "registration")]
            own_writes: Arc::default(),
            #[cfg(feature = "registration")]
            sign_in,
        })))
    }
}

impl fmt::Debug for GraphClientBuilder {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphClientBuilder")
            .field("cloud", &self.cloud)
            .field("credential", &self.credential)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// Counts what goes over the wire.
#[derive(Debug)]
struct Counting {
    transport: Arc<dyn HttpTransport>,
    sent: Arc<AtomicU64>,
}

#[async_trait::async_trait]
impl HttpTransport for Counting {
    async fn send(
        &self,
        request: entra_core::http::Request<Bytes>,
    ) -> Result<entra_core::http::Response<Bytes>, TransportError> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.transport.send(request).await
    }
}

#[cfg(feature = "reqwest")]
pub(crate) fn default_transport() -> Result<Arc<dyn HttpTransport>, Error> {
    let transport = entra_core::ReqwestTransport::builder().build();
    Ok(Arc::new(transport))
}

#[cfg(not(feature = "reqwest"))]
pub(crate) fn default_transport() -> Result<Arc<dyn HttpTransport>, Error> {
    Err(entra_core::Error::configuration(
        "no transport: give one to the builder, or turn on the feature `reqwest`",
    )
    .into())
}
