use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use entra_core::{
    Cloud, Error as CoreError, ErrorKind as CoreErrorKind, Pipeline, Request,
    http::{Method, StatusCode},
    url::Url,
};
use serde::Deserialize;

use crate::{
    Aadsts, Error, ErrorKind,
    builder::{Configure, CredentialBuilder},
    expiring_map::ExpiringMap,
    moment::Moment,
    settings::Settings,
    token_endpoint::{with_message, with_tries},
    wire::{OAuthError, is_transient_status, without_bom},
};

/// Reads the endpoints of an OpenID provider from its discovery document, or the host names of a
/// Microsoft cloud from its instance discovery.
///
/// Results are cached for a day. Callers that wait for the same document share one request. After a
/// failure the next use requests it again. Cheap to clone; clones share the cache.
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

#[derive(Default)]
struct Inner {
    settings: Settings,
    endpoint_hosts: Vec<String>,
    known: CloudCache,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct DiscoverySetup {
    endpoint_hosts: Vec<String>,
}

impl Configure for Discovery {
    type Setup = DiscoverySetup;
}

/// The clouds of discovered issuers. Issuers may come from customers, so their number is limited.
struct CloudCache(Mutex<ExpiringMap<String, Arc<CacheSlot>>>);

/// The cloud of one issuer. The holder of the lock requests the document.
type CacheSlot = tokio::sync::Mutex<Option<(Moment, Cloud)>>;

impl Discovery {
    /// Returns a discovery with the default options.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a builder of a discovery with other options, or for providers of several hosts.
    #[inline]
    pub fn builder() -> CredentialBuilder<Self> {
        CredentialBuilder::new(DiscoverySetup::default())
    }

    /// Returns the endpoints of an OpenID provider as a cloud for credentials, from its discovery
    /// document (OpenID Connect Discovery 1.0, section 4).
    ///
    /// The request goes to the issuer's own host. If customers enter the issuer, check that it is a
    /// public host name before this machine sends a request there.
    ///
    /// # Errors
    /// When the document cannot be read, is another issuer's, names an insecure endpoint, or one at
    /// a host that is neither the issuer's nor [named](CredentialBuilder::endpoint_hosts).
    pub async fn openid_provider(&self, issuer: &str) -> Result<Cloud, Error> {
        self.cached(issuer, self.read_provider(issuer)).await
    }

    /// Returns a cloud with the host names of its sign-in service from instance discovery, so that
    /// credentials with different names share their tokens. The built-in clouds know their names.
    ///
    /// A service could claim the name of another one, to share its tokens: only names count that the
    /// application has [named](CredentialBuilder::endpoint_hosts).
    ///
    /// # Errors
    /// When the request fails, or the response does not contain the requested host name.
    pub async fn instance(&self, cloud: &Cloud) -> Result<Cloud, Error> {
        let authority = cloud.authority().as_str();
        let key = format!("{authority} {}", cloud.graph());
        self.cached(&key, self.read_instance(cloud)).await
    }

    async fn read_provider(&self, issuer: &str) -> Result<Cloud, Error> {
        // Checks the issuer's own address before anything is sent there.
        let place = Cloud::openid_provider(issuer, issuer, None, None)
            .map_err(|error| unusable_address(issuer, error))?
            .with_endpoint_hosts(&self.0.endpoint_hosts);
        let mut url = place.authority().clone();
        url.set_path(&format!("{}.well-known/openid-configuration", url.path()));
        let document: OpenIdConfiguration =
            fetch(&self.0.settings, "OpenID discovery", url).await?;
        // Otherwise a provider could respond in the name of another one.
        if document.issuer.trim_end_matches('/') != issuer.trim_end_matches('/') {
            return Err(unusable(
                "the discovery document is another issuer's",
                "give the issuer exactly as its discovery document spells it",
            ));
        }
        for (what, address) in document.addresses() {
            check_named(&place, what, address)?;
        }
        let cloud = Cloud::openid_provider(
            issuer,
            &document.token_endpoint,
            document.authorization_endpoint.as_deref(),
            document.device_authorization_endpoint.as_deref(),
        )
        .map_err(|error| unusable_address(issuer, error))?
        .with_endpoint_hosts(&self.0.endpoint_hosts);
        Ok(
            match document.authorization_response_iss_parameter_supported {
                true => cloud.with_issuer_in_responses(),
                false => cloud,
            },
        )
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
        let response: InstanceDiscovery =
            fetch(&self.0.settings, "instance discovery", url).await?;
        let is = |alias: &str| alias.eq_ignore_ascii_case(&name);
        let found = response
            .metadata
            .into_iter()
            .find(|metadata| metadata.aliases.iter().any(|alias| is(alias)));
        let cloud = cloud.clone().with_endpoint_hosts(&self.0.endpoint_hosts);
        let own = |host: &String| host.eq_ignore_ascii_case(&name) || cloud.is_own_name(host);
        let found = found.map(|mut found| {
            found.aliases.retain(own);
            found
        });
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
        let slot = self.0.known.slot(key, self.0.settings.clock.monotonic());
        let mut slot = slot.lock().await;
        let now = || Moment::now(&*self.0.settings.clock);
        if let Some((since, cloud)) = &*slot
            && since.age(now()) < KEPT
        {
            return Ok(cloud.clone());
        }
        let cloud = read.await?;
        *slot = Some((now(), cloud.clone()));
        Ok(cloud)
    }
}

impl CredentialBuilder<Discovery> {
    /// Also accepts documents that name these hosts: for a provider whose endpoints or signing keys
    /// are at other hosts than its issuer. A document that names any other host is rejected, as
    /// [`Cloud::check_endpoint`] says.
    pub fn endpoint_hosts<I>(mut self, hosts: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        let hosts = hosts.into_iter().map(Into::into);
        self.setup.endpoint_hosts.extend(hosts);
        self
    }

    /// Builds the discovery. Sends no request.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if there is no transport, or the options name no cloud.
    #[inline]
    pub fn build(self) -> Result<Discovery, Error> {
        let settings = self.options.settings()?;
        settings.transport()?;
        Ok(Discovery(Arc::new(Inner {
            settings,
            endpoint_hosts: self.setup.endpoint_hosts,
            known: CloudCache::default(),
        })))
    }
}

impl CloudCache {
    #[inline]
    fn slot(&self, key: &str, now: Instant) -> Arc<CacheSlot> {
        let mut known = self.lock();
        let key = key.to_owned();
        if let Some(slot) = known.get(&key, now).cloned() {
            known.touch(&key);
            return slot;
        }
        let slot = Arc::<CacheSlot>::default();
        known.insert(key, Arc::clone(&slot), KEPT, now);
        slot
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, ExpiringMap<String, Arc<CacheSlot>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for CloudCache {
    #[inline]
    fn default() -> Self {
        Self(Mutex::new(ExpiringMap::new(MOST)))
    }
}

impl fmt::Debug for Discovery {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.0.known.lock();
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
        .response_limit(crate::response_limits::DISCOVERY)
        .build();
    let host = url.host_str().unwrap_or_default().to_owned();
    let response = pipeline
        .send(Request::new(operation, Method::GET, url))
        .await
        .map_err(|source| unreachable_host(&host, source))?;
    if response.status == StatusCode::OK {
        return serde_json::from_slice(without_bom(&response.body)).map_err(|_| {
            unusable(
                "the discovery document cannot be used",
                "check that the address is a sign-in service's, and that no proxy responds in its place",
            )
        });
    }
    let error_response = OAuthError::parse(&response.body).unwrap_or_default();
    let kind = match response.status {
        StatusCode::TOO_MANY_REQUESTS => ErrorKind::Throttled,
        status if is_transient_status(status) || status.is_server_error() => ErrorKind::Service,
        _ => ErrorKind::Rejected,
    };
    // Such as a tenant that does not exist, with which the address is right.
    let mut codes = error_response.codes.iter();
    let entry = codes.find_map(|code| Aadsts::lookup(*code));
    let fix = entry.map_or("check the address of the sign-in service", Aadsts::fix);
    let summary = with_tries("the discovery request was rejected".into(), &response);
    Err(Error::new(kind, summary).with(|inner| {
        inner.status = Some(response.status.as_u16());
        let message = error_response.message.as_deref();
        let cause = with_message(entry.and_then(Aadsts::cause), message, fix);
        inner.cause = cause.map(Into::into);
        inner.service_message = error_response.message;
        inner.codes = error_response.codes;
        inner.oauth_error = error_response.oauth_error;
        inner.correlation_id = Some(response.client_request_id.clone());
        inner.retry_after = response.retry_after;
        inner.fix = Some(fix.into());
    }))
}

#[derive(Deserialize)]
struct OpenIdConfiguration {
    issuer: String,
    token_endpoint: String,
    authorization_endpoint: Option<String>,
    device_authorization_endpoint: Option<String>,
    jwks_uri: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl OpenIdConfiguration {
    /// Every address that requests or browsers are sent to, now or later.
    fn addresses(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("token endpoint", Some(&self.token_endpoint)),
            (
                "authorization endpoint",
                self.authorization_endpoint.as_ref(),
            ),
            (
                "device authorization endpoint",
                self.device_authorization_endpoint.as_ref(),
            ),
            ("signing keys", self.jwks_uri.as_ref()),
        ]
        .into_iter()
        .filter_map(|(what, address)| Some((what, address?.as_str())))
    }
}

#[derive(Deserialize)]
struct InstanceDiscovery {
    #[serde(default)]
    metadata: Vec<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    preferred_cache: String,
    aliases: Vec<String>,
}

#[inline]
pub(crate) fn unusable(what: &'static str, fix: &'static str) -> Error {
    Error::new(ErrorKind::Protocol, what).with(|inner| inner.fix = Some(fix.into()))
}

/// The address that a document of this sign-in service names, if it may be asked.
#[inline]
pub(crate) fn check_named(cloud: &Cloud, what: &'static str, address: &str) -> Result<Url, Error> {
    let url = Url::parse(address).map_err(|_| {
        unusable(
            "an address in the discovery document is not a URL",
            "check that the address is a sign-in service's, and that no proxy responds in its place",
        )
    })?;
    match cloud.check_endpoint(what, &url) {
        Ok(()) => Ok(url),
        Err(source) => Err(Error::new(ErrorKind::Protocol, source.to_string()).with(|inner| {
            inner.cause = Some(
                "the author of the document could make this machine send requests and secrets to any host".into(),
            );
            inner.fix = Some("check the issuer; if the host belongs to the provider, name it with `endpoint_hosts` of the discovery and `with_endpoint_hosts` of the cloud".into());
        })),
    }
}

#[inline]
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

#[inline]
fn unreachable_host(host: &str, source: CoreError) -> Error {
    if source.kind() == CoreErrorKind::ResponseTooLarge {
        return Error::response_too_large(host, source);
    }
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

/// The number of services whose responses are cached.
const MOST: usize = 1_000;
/// How long a response is cached.
const KEPT: Duration = Duration::from_secs(24 * 3600);
