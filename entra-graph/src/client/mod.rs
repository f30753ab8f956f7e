use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use entra_core::{
    Bearer, BoxFuture, Clock, Cloud, HttpTransport, Idempotency, Pipeline, Request, Response,
    RetryPolicy, SecureRandom, SystemClock, SystemRandom, TokenCredential, TokenRequest,
    TransportError,
    bytes::Bytes,
    http::{HeaderName, HeaderValue, Method, header},
    url::Url,
};

use crate::{
    Error,
    entity::Entity,
    handle::{Key, Target},
    odata::Prepared,
    permissions::Operation,
    service_error::ServiceError,
    stream::{Items, ResumeToken},
    token::{GrantedCredential, Remembering},
};

/// The way into Microsoft Graph for one credential. Cheap to clone; share it.
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
    sent: Arc<AtomicU64>,
}

/// Settings of a [`GraphClient`].
#[must_use = "a builder does nothing until `build` is called"]
pub struct GraphClientBuilder {
    credential: Arc<dyn GrantedCredential>,
    cloud: Cloud,
    clock: Arc<dyn Clock>,
    random: Arc<dyn SecureRandom>,
    transport: Option<Arc<dyn HttpTransport>>,
    policy: RetryPolicy,
}

impl GraphClient {
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
            cloud: Cloud::public(),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            transport: None,
            policy: RetryPolicy::for_graph(),
        }
    }

    /// The same client with another credential, such as that of a person who has signed in.
    ///
    /// They share connections, limits of retries and the count of requests, so one is cheap to make
    /// for each request that a web product serves. The scope asked for stays Graph's `.default`,
    /// which stands for everything that the person or an admin has consented to.
    #[must_use]
    pub fn with_credential(&self, credential: impl TokenCredential) -> Self {
        let inner = &*self.0;
        Self(Arc::new(Inner {
            pipeline: inner.pipeline.clone(),
            credential: Arc::new(Remembering::new(credential)),
            scope: inner.scope.clone(),
            base: inner.base.clone(),
            sent: Arc::clone(&inner.sent),
        }))
    }

    /// How many requests went to Graph so far, every retry and every page counted; token requests
    /// are the credential's own and are not.
    #[must_use]
    pub fn requests_sent(&self) -> u64 {
        self.0.sent.load(Ordering::Relaxed)
    }

    /// Goes on with a list where a [`ResumeToken`] was taken, in this or another process.
    ///
    /// # Errors
    /// [`ErrorKind::Query`](crate::ErrorKind::Query) when the token is of another kind of item or
    /// of another version of this crate, [`ErrorKind::Policy`](crate::ErrorKind::Policy) when it
    /// points to another host than this client's.
    pub fn resume<E: Entity>(&self, token: &ResumeToken) -> Result<Items<E>, Error> {
        let (link, operation) = token.open(&E::INFO)?;
        self.0.pipeline.check(&link)?;
        Ok(Items::resumed(self.clone(), operation, link, token))
    }

    /// The address of a path below the version, from its segments.
    pub(crate) fn target(&self, segments: &[&str]) -> Target {
        Target::new(self.0.base.clone()).join(segments)
    }

    pub(crate) fn keyed(&self, collection: &str, key: &Key) -> Target {
        Target::new(self.0.base.clone()).key(collection, key)
    }

    /// Sends a request whose answer is JSON.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    pub(crate) async fn fetch<T>(
        &self,
        operation: &'static Operation,
        prepared: Prepared,
        read: fn(&[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let path = self.path(&prepared.url);
        let response = self.send(operation, prepared, JSON).await?;
        read(&response.body)
            .map_err(|error| error.with_answer(&response).with_call(operation, &path))
    }

    /// Sends a question that is too long for an address, and changes nothing.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    pub(crate) async fn ask<T>(
        &self,
        operation: &'static Operation,
        url: Url,
        body: Bytes,
        read: fn(&[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let path = self.path(&url);
        let request = Request::new(operation.name, Method::POST, url)
            .with_idempotency(Idempotency::Safe)
            .with_body("application/json", body)
            .with_header(header::ACCEPT, JSON);
        let response = Box::pin(self.answer(operation, request)).await?;
        read(&response.body)
            .map_err(|error| error.with_answer(&response).with_call(operation, &path))
    }

    /// Sends a request whose answer is a number as plain text.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    pub(crate) async fn fetch_number(
        &self,
        operation: &'static Operation,
        prepared: Prepared,
    ) -> Result<u64, Error> {
        let path = self.path(&prepared.url);
        let response = self.send(operation, prepared, TEXT).await?;
        let text = String::from_utf8_lossy(&response.body);
        // Graph puts a byte order mark in front.
        text.trim_start_matches('\u{feff}').trim().parse().map_err(
            |source: std::num::ParseIntError| {
                Error::decode("the answer is not a number", source)
                    .with_answer(&response)
                    .with_call(operation, &path)
            },
        )
    }

    /// Sends a request that reads.
    ///
    /// Boxed, so that it is compiled once and not again with every entity that is read.
    fn send(
        &self,
        operation: &'static Operation,
        prepared: Prepared,
        accept: HeaderValue,
    ) -> BoxFuture<'_, Result<Response, Error>> {
        let mut request = Request::new(operation.name, Method::GET, prepared.url)
            .with_header(header::ACCEPT, accept);
        if prepared.advanced {
            request = request.with_header(CONSISTENCY_LEVEL, EVENTUAL);
        }
        Box::pin(self.answer(operation, request))
    }

    /// The one place from which this crate sends anything.
    async fn answer(
        &self,
        operation: &'static Operation,
        request: Request,
    ) -> Result<Response, Error> {
        let path = self.path(request.url());
        let credential: Arc<dyn TokenCredential> = self.0.credential.clone();
        let bearer = Bearer::new(credential, TokenRequest::new([self.0.scope.as_str()]));
        let request = request
            .with_bearer(bearer)
            .with_header(PREFER, UNKNOWN_MEMBERS);
        let response = self
            .0
            .pipeline
            .send(request)
            .await
            .map_err(|error| Error::from(error).with_call(operation, &path))?;
        if response.status.is_success() {
            return Ok(response);
        }
        let granted = if response.status.as_u16() == 403 {
            self.0.credential.granted()
        } else {
            None
        };
        Err(
            Error::service(response.status, ServiceError::parse(&response.body))
                .with_answer(&response)
                .with_call(operation, &path)
                .with_granted(granted),
        )
    }

    /// A path as the documentation writes it, without the version.
    fn path(&self, url: &Url) -> String {
        let below = url.path().strip_prefix(self.0.base.path());
        format!("/{}", below.unwrap_or(url.path()).trim_start_matches('/'))
    }
}

impl fmt::Debug for GraphClient {
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
    /// The cloud whose Graph is asked; the fake tenant is one.
    pub fn cloud(mut self, cloud: Cloud) -> Self {
        self.cloud = cloud;
        self
    }

    /// The clock for retry waits.
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

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when no transport can be set up.
    pub fn build(self) -> Result<GraphClient, Error> {
        let transport = match self.transport {
            Some(transport) => transport,
            None => default_transport()?,
        };
        let base = self.cloud.graph().join("v1.0/").map_err(|source| {
            entra_core::Error::configuration("the Graph root cannot take a path")
                .with_source(source)
        })?;
        let sent = Arc::new(AtomicU64::new(0));
        let counting = Counting {
            transport,
            sent: Arc::clone(&sent),
        };
        let pipeline = Pipeline::builder(Arc::new(counting))
            .origin(&base)
            .clock(self.clock)
            .random(self.random)
            .policy(self.policy)
            .build();
        Ok(GraphClient(Arc::new(Inner {
            pipeline,
            credential: self.credential,
            scope: self.cloud.graph_scope(),
            base,
            sent,
        })))
    }
}

impl fmt::Debug for GraphClientBuilder {
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
fn default_transport() -> Result<Arc<dyn HttpTransport>, Error> {
    let transport = entra_core::ReqwestTransport::builder().build();
    Ok(Arc::new(transport))
}

#[cfg(not(feature = "reqwest"))]
fn default_transport() -> Result<Arc<dyn HttpTransport>, Error> {
    Err(entra_core::Error::configuration(
        "no transport: give one to the builder, or turn on the feature `reqwest`",
    )
    .into())
}

const CONSISTENCY_LEVEL: HeaderName = HeaderName::from_static("consistencylevel");
const EVENTUAL: HeaderValue = HeaderValue::from_static("eventual");
const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Without it, Graph writes new enum members as `unknownFutureValue`.
const UNKNOWN_MEMBERS: HeaderValue = HeaderValue::from_static("include-unknown-enum-members");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain");
