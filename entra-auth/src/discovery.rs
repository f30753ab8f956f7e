use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use entra_core::{
    Clock, Cloud, Error as CoreError, HttpTransport, Pipeline, Request, RetryPolicy, Timestamp,
    http::{Method, StatusCode},
    time::Duration,
    url::Url,
};
use serde::Deserialize;

use crate::{Error, ErrorKind, settings::Settings, wire::Refusal};

/// Learns from a sign-in service itself where its endpoints are, or which names it goes by.
///
/// Answers are kept for a day. All who wait for one share a request; after a failure the next use
/// asks again. Cheap to clone; clones share what they know.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use entra_auth::{ClientSecretCredential, Discovery};
/// # let tenant = entra_mock::FakeTenant::start().await;
/// # let app = tenant.register_app("Night job").with_secret();
/// # let issuer = format!("{}/{}/v2.0", tenant.uri(), tenant.id());
/// // Any OpenID provider signs an application in; there is one tenant and no Graph.
/// let cloud = Discovery::new().openid_provider(&issuer).await?;
/// let credential = ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
/// #   .clock(tenant.clock())
///     .cloud(cloud)
///     .build()?;
/// # use entra_core::TokenCredential;
/// # let request = entra_core::TokenRequest::new([tenant.cloud().graph_scope()]);
/// # credential.token(&request).await?;
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Discovery(Arc<Inner>);

#[derive(Clone, Default)]
struct Inner {
    settings: Settings,
    known: Arc<Mutex<HashMap<String, Arc<Slot>>>>,
}

/// One answer; whoever holds the lock asks for it.
type Slot = tokio::sync::Mutex<Option<(Timestamp, Cloud)>>;

impl Discovery {
    /// With the default transport and the system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With another HTTP transport.
    #[must_use]
    pub fn with_transport(self, transport: impl HttpTransport) -> Self {
        self.with(|settings| settings.transport = Some(Arc::new(transport)))
    }

    /// With another clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock) -> Self {
        self.with(|settings| settings.clock = Arc::new(clock))
    }

    /// With other limits of retries.
    #[must_use]
    pub fn with_retry_policy(self, policy: RetryPolicy) -> Self {
        self.with(|settings| settings.retry_policy = policy)
    }

    /// The endpoints of an OpenID provider, from its discovery document (OpenID Connect Discovery
    /// 1.0, section 4), as a cloud for credentials.
    ///
    /// # Errors
    /// When the document cannot be read, is another issuer's, or names an insecure endpoint.
    pub async fn openid_provider(&self, issuer: &str) -> Result<Cloud, Error> {
        self.cached(issuer, self.read_provider(issuer)).await
    }

    /// A cloud with the names of its sign-in service, as an instance discovery gives them, so that
    /// credentials that use different names share their tokens. The built-in clouds know theirs.
    ///
    /// # Errors
    /// When the service cannot be asked, or does not know the name it was asked by.
    pub async fn instance(&self, cloud: &Cloud) -> Result<Cloud, Error> {
        let authority = cloud.authority().as_str();
        let key = format!("{authority} {}", cloud.graph());
        self.cached(&key, self.read_instance(cloud)).await
    }

    async fn read_provider(&self, issuer: &str) -> Result<Cloud, Error> {
        // Checks the issuer's own address before anything is sent there.
        let place = Cloud::openid_provider(issuer, issuer, None, None)
            .map_err(|error| unusable_address(issuer, error))?;
        let mut url = place.authority().clone();
        url.set_path(&format!("{}.well-known/openid-configuration", url.path()));
        let document: Provider = fetch(&self.0.settings, "OpenID discovery", url).await?;
        // Else one provider could answer in another one's name.
        if document.issuer.trim_end_matches('/') != issuer.trim_end_matches('/') {
            return Err(unusable(
                "the discovery document is another issuer's",
                "give the issuer exactly as its discovery document spells it",
            ));
        }
        Cloud::openid_provider(
            issuer,
            &document.token_endpoint,
            document.authorization_endpoint.as_deref(),
            document.device_authorization_endpoint.as_deref(),
        )
        .map_err(|error| unusable_address(issuer, error))
    }

    async fn read_instance(&self, cloud: &Cloud) -> Result<Cloud, Error> {
        let authority = cloud.authority();
        let name = match (authority.host_str(), authority.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        };
        let mut url = authority.clone();
        url.set_path(&format!("{}common/discovery/instance", authority.path()));
        url.query_pairs_mut()
            .append_pair("api-version", "1.1")
            .append_pair(
                "authorization_endpoint",
                &format!("https://{name}/common/oauth2/v2.0/authorize"),
            );
        let answer: Instance = fetch(&self.0.settings, "instance discovery", url).await?;
        let is = |alias: &str| alias.eq_ignore_ascii_case(&name);
        let found = answer
            .metadata
            .into_iter()
            .find(|metadata| metadata.aliases.iter().any(|alias| is(alias)));
        Ok(match found {
            Some(Metadata {
                preferred_cache,
                aliases,
            }) if aliases.contains(&preferred_cache) => cloud
                .clone()
                .with_authority_aliases(&preferred_cache, aliases),
            // It has this one name.
            _ => cloud.clone(),
        })
    }

    async fn cached(
        &self,
        key: &str,
        read: impl Future<Output = Result<Cloud, Error>>,
    ) -> Result<Cloud, Error> {
        let slot = {
            let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(key.to_owned()).or_default())
        };
        let mut slot = slot.lock().await;
        let now = self.0.settings.clock.now();
        if let Some((until, cloud)) = &*slot
            && now < *until
        {
            return Ok(cloud.clone());
        }
        let cloud = read.await?;
        *slot = Some((now.saturating_add(KEPT), cloud.clone()));
        Ok(cloud)
    }

    /// The same discovery with a memory of its own.
    fn with(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.0.settings.clone();
        change(&mut settings);
        Self(Arc::new(Inner {
            settings,
            known: Arc::default(),
        }))
    }
}

impl fmt::Debug for Discovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Discovery")
            .field("known", &known.len())
            .finish_non_exhaustive()
    }
}

/// Reads one of a sign-in service's public documents.
pub(crate) async fn fetch<T: for<'a> Deserialize<'a>>(
    settings: &Settings,
    operation: &'static str,
    url: Url,
) -> Result<T, Error> {
    let pipeline = Pipeline::builder(settings.transport()?)
        .origin(&url)
        .clock(Arc::clone(&settings.clock))
        .random(Arc::clone(&settings.random))
        .policy(settings.retry_policy.clone())
        .build();
    let host = url.host_str().unwrap_or_default().to_owned();
    let response = pipeline
        .send(Request::new(operation, Method::GET, url))
        .await
        .map_err(|source| unreachable_host(&host, source))?;
    if response.status == StatusCode::OK {
        return serde_json::from_slice(&response.body).map_err(|_| {
            unusable(
                "the discovery document cannot be used",
                "check that the address is a sign-in service's, and that no proxy answers in its place",
            )
        });
    }
    let refusal = Refusal::parse(&response.body).unwrap_or_default();
    let kind = match response.status.is_server_error() {
        true => ErrorKind::Service,
        false => ErrorKind::Refused,
    };
    Err(Error::new(kind, "the discovery was refused").with(|inner| {
        inner.status = Some(response.status.as_u16());
        inner.codes = refusal.codes;
        inner.oauth_error = refusal.oauth_error;
        inner.correlation_id = Some(response.client_request_id.clone());
        inner.retry_after = response.retry_after;
        inner.fix = Some("check the address of the sign-in service".into());
    }))
}

#[derive(Deserialize)]
struct Provider {
    issuer: String,
    token_endpoint: String,
    authorization_endpoint: Option<String>,
    device_authorization_endpoint: Option<String>,
}

#[derive(Deserialize)]
struct Instance {
    #[serde(default)]
    metadata: Vec<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    preferred_cache: String,
    aliases: Vec<String>,
}

pub(crate) fn unusable(what: &'static str, fix: &'static str) -> Error {
    Error::new(ErrorKind::Protocol, what).with(|inner| inner.fix = Some(fix.into()))
}

fn unusable_address(issuer: &str, source: CoreError) -> Error {
    let kind = match Url::parse(issuer) {
        Ok(_) => ErrorKind::Protocol,
        Err(_) => ErrorKind::Configuration,
    };
    Error::new(kind, "an address of the provider cannot be used")
        .with(|inner| {
            inner.fix = Some("every address must be https, or http on loopback".into());
        })
        .with_source(source)
}

fn unreachable_host(host: &str, source: CoreError) -> Error {
    let id = source.client_request_id().map(str::to_owned);
    Error::new(
        ErrorKind::Transport,
        "the sign-in service could not be reached",
    )
    .with(|inner| {
        inner.fix = Some(
            format!("check network, DNS, proxy and trusted certificates on the way to {host}")
                .into(),
        );
        inner.correlation_id = id;
    })
    .with_source(source)
}

/// How long an answer is believed.
const KEPT: Duration = Duration::hours(24);
