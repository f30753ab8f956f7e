mod endpoints;

use std::sync::Arc;

use url::{Host, Url};

use crate::{Error, TenantId};

/// Where an identity provider that is not Entra has its endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Endpoints {
    token: Url,
    authorization: Option<Url>,
    device_authorization: Option<Url>,
}

/// A Microsoft cloud: its sign-in root, its Graph root, and the host names of the same sign-in service.
///
/// Cheap to clone. The fake tenant is a cloud as well: a test passes its `cloud()` to credential and client.
///
/// ```
/// use entra_core::Cloud;
/// let cloud = Cloud::public();
/// assert_eq!(cloud.graph_scope(), "https://graph.microsoft.com/.default");
/// assert!(Cloud::custom("http://login.example.com", "https://graph.example.com").is_err());
/// # Ok::<(), entra_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud(Arc<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    authority: Url,
    authority_aliases: Vec<String>,
    /// The name that all aliases are cached under, if it is not known by itself.
    cache_host: Option<String>,
    endpoints: Option<Endpoints>,
    /// Other hosts that a document of the sign-in service may name.
    endpoint_hosts: Vec<String>,
    /// Whether responses of the authorization endpoint name their issuer (RFC 9207).
    names_issuer: bool,
    graph: Url,
    graph_resource: String,
}

impl Cloud {
    /// The worldwide cloud, also used by GCC.
    #[must_use]
    pub fn public() -> Self {
        Self::known(
            "login.microsoftonline.com",
            &[
                "login.windows.net",
                "login.microsoft.com",
                "sts.windows.net",
            ],
            "graph.microsoft.com",
        )
    }

    /// US Government L4 (GCC High).
    #[must_use]
    pub fn us_government() -> Self {
        Self::known(
            "login.microsoftonline.us",
            &["login.usgovcloudapi.net"],
            "graph.microsoft.us",
        )
    }

    /// US Government L5 (DoD): the sign-in host of L4, a Graph of its own.
    #[must_use]
    pub fn us_government_dod() -> Self {
        Self::known(
            "login.microsoftonline.us",
            &["login.usgovcloudapi.net"],
            "dod-graph.microsoft.us",
        )
    }

    /// China, operated by 21Vianet.
    #[must_use]
    pub fn china() -> Self {
        Self::known(
            "login.partner.microsoftonline.cn",
            &["login.chinacloudapi.cn"],
            "microsoftgraph.chinacloudapi.cn",
        )
    }

    /// The public cloud for customers of an external tenant: `https://{name}.ciamlogin.com`.
    ///
    /// ```
    /// use entra_core::Cloud;
    /// let cloud = Cloud::external_id("contoso")?;
    /// let tenant = "contoso.onmicrosoft.com".parse().expect("a domain");
    /// assert_eq!(
    ///     cloud.token_endpoint(&tenant).as_str(),
    ///     "https://contoso.ciamlogin.com/contoso.onmicrosoft.com/oauth2/v2.0/token"
    /// );
    /// # Ok::<(), entra_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) unless the name is the first
    /// part of a `.onmicrosoft.com` domain.
    #[inline]
    pub fn external_id(name: &str) -> Result<Self, Error> {
        if !is_label(name) {
            return Err(Error::configuration(
                "an external tenant is named by the first part of its onmicrosoft.com domain, letters, digits and hyphens",
            ));
        }
        let name = name.to_ascii_lowercase();
        let public = Self::public();
        Self::custom(
            &format!("https://{name}.ciamlogin.com"),
            public.graph().as_str(),
        )
    }

    /// An OpenID provider that is not Entra, by its endpoints; it has one tenant and no Graph.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) unless all are absolute
    /// `https` URLs (plain `http` is accepted on loopback only), and for an issuer at a sign-in service of
    /// Microsoft whose token endpoint is elsewhere.
    #[inline]
    pub fn openid_provider(
        issuer: &str,
        token_endpoint: &str,
        authorization_endpoint: Option<&str>,
        device_authorization_endpoint: Option<&str>,
    ) -> Result<Self, Error> {
        let mut cloud = (*Self::custom(issuer, issuer)?.0).clone();
        let token = endpoint("token endpoint", token_endpoint)?;
        if is_other_service(&cloud.authority, &token) {
            return Err(Error::configuration(
                "the issuer is a sign-in service of Microsoft and the token endpoint is not: use the issuer of the provider's metadata",
            ));
        }
        cloud.endpoints = Some(Endpoints {
            token,
            authorization: authorization_endpoint
                .map(|url| endpoint("authorization endpoint", url))
                .transpose()?,
            device_authorization: device_authorization_endpoint
                .map(|url| endpoint("device authorization endpoint", url))
                .transpose()?,
        });
        Ok(Self(Arc::new(cloud)))
    }

    /// Any other cloud: a private one, or the fake tenant.
    ///
    /// `authority` is the sign-in root without a tenant, `graph` the Graph root. A version at its end, as in
    /// `https://graph.microsoft.com/v1.0`, is removed, since each request has its own.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) unless both are absolute
    /// `https` URLs (plain `http` is accepted on loopback only) without user name, query or fragment, and
    /// for a Graph root that ends in `beta`.
    pub fn custom(authority: &str, graph: &str) -> Result<Self, Error> {
        let authority = root("authority", authority)?;
        let graph = without_version(root("Graph root", graph)?)?;
        let graph_resource = graph.origin().ascii_serialization();
        Ok(Self(Arc::new(Inner {
            authority,
            authority_aliases: Vec::new(),
            cache_host: None,
            endpoints: None,
            endpoint_hosts: Vec::new(),
            names_issuer: false,
            graph,
            graph_resource,
        })))
    }

    /// The same cloud, whose sign-in service promises to name itself in each response of its
    /// authorization endpoint (`authorization_response_iss_parameter_supported`, RFC 9207): a response
    /// without its issuer is then rejected.
    #[must_use]
    #[inline]
    pub fn with_issuer_in_responses(self) -> Self {
        let mut inner = (*self.0).clone();
        inner.names_issuer = true;
        Self(Arc::new(inner))
    }

    /// Whether the sign-in service [promises](Self::with_issuer_in_responses) to name itself in each
    /// response.
    #[must_use]
    pub fn names_issuer_in_responses(&self) -> bool {
        self.0.names_issuer
    }

    /// The same cloud with the names of an instance discovery: the name that tokens are cached under, and all
    /// names of the same sign-in service.
    #[must_use]
    pub fn with_authority_aliases<I>(self, cache_host: &str, aliases: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        let mut inner = (*self.0).clone();
        inner.cache_host = Some(cache_host.to_ascii_lowercase());
        inner.authority_aliases = aliases.into_iter().map(Into::into).collect();
        Self(Arc::new(inner))
    }

    /// The same cloud with another resource identifier for Graph tokens; by default it is the
    /// origin of the Graph root.
    #[must_use]
    #[inline]
    pub fn with_graph_resource(self, resource: &str) -> Self {
        let mut inner = (*self.0).clone();
        resource
            .trim_end_matches('/')
            .clone_into(&mut inner.graph_resource);
        Self(Arc::new(inner))
    }

    /// The sign-in root, ending in a slash.
    #[must_use]
    pub fn authority(&self) -> &Url {
        &self.0.authority
    }

    /// Other host names of the same sign-in service; they share tokens with the authority.
    #[must_use]
    pub fn authority_aliases(&self) -> &[String] {
        &self.0.authority_aliases
    }

    /// The sign-in root under the one name that its aliases share, for keys of caches. For a provider
    /// other than Entra it is the issuer with the token endpoint, since any provider can be given any issuer.
    ///
    /// ```
    /// use entra_core::Cloud;
    /// let old = Cloud::custom("https://login.windows.net", "https://graph.microsoft.com")?;
    /// assert_eq!(old.cache_authority(), Cloud::public().cache_authority());
    /// assert_ne!(old.cache_authority(), Cloud::china().cache_authority());
    /// # Ok::<(), entra_core::Error>(())
    /// ```
    #[must_use]
    pub fn cache_authority(&self) -> String {
        let Inner {
            authority,
            cache_host,
            endpoints,
            ..
        } = &*self.0;
        let built_in = [Self::public(), Self::us_government(), Self::china()];
        let known = built_in.iter().find(|known| known.is_known_as(authority));
        // A service that claims a name of Microsoft's does not get tokens of Microsoft's.
        let own_name = |host: &&String| !built_in.iter().any(|cloud| cloud.has_name(host));
        if let Some(endpoints) = endpoints {
            // The issuer is only a text. The tokens are those of the token endpoint.
            return format!("{authority} {}", endpoints.token);
        }
        match (known, cache_host.as_ref().filter(own_name)) {
            (Some(known), _) => known.0.authority.to_string(),
            (None, Some(host)) => format!("https://{host}{}", authority.path()),
            (None, None) => authority.to_string(),
        }
    }

    /// The URLs whose origins a sign-in may send requests to.
    #[must_use]
    pub fn sign_in_origins(&self) -> Vec<Url> {
        let Inner {
            authority,
            endpoints,
            ..
        } = &*self.0;
        let mut origins = vec![authority.clone()];
        if let Some(endpoints) = endpoints {
            origins.push(endpoints.token.clone());
            origins.extend(endpoints.device_authorization.clone());
        }
        origins
    }

    /// The Graph root without a version, ending in a slash.
    #[must_use]
    pub fn graph(&self) -> &Url {
        &self.0.graph
    }

    /// The scope of a Graph token with all granted permissions.
    #[must_use]
    pub fn graph_scope(&self) -> String {
        format!("{}/.default", self.0.graph_resource)
    }

    /// The v2.0 token endpoint of a tenant.
    #[must_use]
    pub fn token_endpoint(&self, tenant: &TenantId) -> Url {
        match &self.0.endpoints {
            Some(endpoints) => endpoints.token.clone(),
            None => self.endpoint(tenant, "token"),
        }
    }

    /// The v2.0 authorization endpoint of a tenant, where a browser signs in.
    #[must_use]
    #[inline]
    pub fn authorization_endpoint(&self, tenant: &TenantId) -> Url {
        let endpoints = self.0.endpoints.as_ref();
        let given = endpoints.and_then(|endpoints| endpoints.authorization.clone());
        given.unwrap_or_else(|| self.endpoint(tenant, "authorize"))
    }

    /// The v2.0 device authorization endpoint of a tenant.
    #[must_use]
    #[inline]
    pub fn device_authorization_endpoint(&self, tenant: &TenantId) -> Url {
        let endpoints = self.0.endpoints.as_ref();
        let given = endpoints.and_then(|endpoints| endpoints.device_authorization.clone());
        given.unwrap_or_else(|| self.endpoint(tenant, "devicecode"))
    }

    /// Where a browser signs out of a tenant. `None` for a provider other than Entra.
    #[must_use]
    pub fn end_session_endpoint(&self, tenant: &TenantId) -> Option<Url> {
        self.is_entra().then(|| self.endpoint(tenant, "logout"))
    }

    /// Whether it is Entra, with its tenants and its own claims in tokens.
    #[must_use]
    pub fn is_entra(&self) -> bool {
        self.0.endpoints.is_none()
    }

    fn endpoint(&self, tenant: &TenantId, name: &str) -> Url {
        let mut url = self.0.authority.clone();
        let root = self.0.authority.path();
        url.set_path(&format!("{root}{tenant}/oauth2/v2.0/{name}"));
        url
    }

    /// Whether a sign-in root is this cloud's, under whatever name.
    fn is_known_as(&self, authority: &Url) -> bool {
        let Some(host) = authority.host_str() else {
            return false;
        };
        let place = (authority.scheme(), authority.port(), authority.path());
        self.has_name(host) && place == ("https", None, "/")
    }

    #[inline]
    fn has_name(&self, host: &str) -> bool {
        let aliases = self.0.authority_aliases.iter().map(String::as_str);
        aliases
            .chain(self.0.authority.host_str())
            .any(|name| name.eq_ignore_ascii_case(host))
    }

    /// The built-in cloud of this sign-in root and Graph root, or the same cloud if there is none.
    ///
    /// Without a Graph root of its own it takes that of the built-in cloud whose sign-in root it has,
    /// under any of its names.
    pub(crate) fn or_built_in(self, has_graph: bool) -> Self {
        let graph_matches = |cloud: &&Self| !has_graph || cloud.graph() == self.graph();
        let mut built_in = Self::built_in();
        let Some(known) = built_in
            .iter_mut()
            .find(|cloud| cloud.is_known_as(&self.0.authority) && graph_matches(&&**cloud))
        else {
            return self;
        };
        if known.authority() != self.authority() {
            let inner = Arc::make_mut(&mut known.0);
            let host = inner.authority.host_str().map(str::to_owned);
            inner.authority = self.0.authority.clone();
            let own = inner.authority.host_str();
            inner
                .authority_aliases
                .retain(|alias| Some(alias.as_str()) != own);
            inner.authority_aliases.extend(host);
        }
        known.clone()
    }

    /// The built-in cloud with this Graph root.
    pub(crate) fn with_graph(graph: &Url) -> Option<Self> {
        let mut built_in = Self::built_in().into_iter();
        built_in.find(|cloud| cloud.graph() == graph)
    }

    fn built_in() -> [Self; 4] {
        [
            Self::public(),
            Self::us_government(),
            Self::us_government_dod(),
            Self::china(),
        ]
    }

    fn known(authority: &str, aliases: &[&str], graph: &str) -> Self {
        let url = |host: &str| {
            // The names above are constants; `Url` has no const constructor.
            #[expect(clippy::expect_used, reason = "constant host names, covered by a test")]
            Url::parse(&format!("https://{host}/")).expect("a constant host name")
        };
        Self(Arc::new(Inner {
            authority: url(authority),
            authority_aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
            cache_host: None,
            endpoints: None,
            endpoint_hosts: Vec::new(),
            names_issuer: false,
            graph: url(graph),
            graph_resource: format!("https://{graph}"),
        }))
    }
}

impl Default for Cloud {
    fn default() -> Self {
        Self::public()
    }
}

/// Whether bearer tokens and secrets may be sent there: `https`, or `http` on loopback.
pub(crate) fn is_safe(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.has_host(),
        "http" => is_loopback(url),
        _ => false,
    }
}

/// Whether this can be a platform's metadata service: `http` to a numeric address that is not routed, so that
/// no name server decides.
pub(crate) fn is_metadata(url: &Url) -> bool {
    let near = match url.host() {
        Some(Host::Ipv4(address)) => address.is_link_local() || address.is_private(),
        Some(Host::Ipv6(address)) => address.is_unicast_link_local() || address.is_unique_local(),
        Some(Host::Domain(_)) | None => false,
    };
    url.scheme() == "http" && near
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether the issuer names a sign-in service of Microsoft, and the token endpoint is at none of them. Issuers of
/// v1.0 in clouds of governments are at `sts.windows.net`.
fn is_other_service(issuer: &Url, token_endpoint: &Url) -> bool {
    let [issuer, token] = [issuer, token_endpoint].map(|url| url.host_str().unwrap_or_default());
    let built_in = Cloud::built_in();
    let is_own = |host: &str| built_in.iter().any(|cloud| cloud.has_name(host));
    is_own(issuer) && !is_own(token)
}

/// One part of a host name.
#[inline]
fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// The root without `v1.0` at its end, in any case: Graph ignores the case of a path.
fn without_version(mut root: Url) -> Result<Url, Error> {
    loop {
        let path = root.path().trim_end_matches('/').to_owned();
        match path.rsplit_once('/') {
            Some((above, last)) if last.eq_ignore_ascii_case("v1.0") => {
                root.set_path(&format!("{above}/"));
            }
            Some((_, last)) if last.eq_ignore_ascii_case("beta") => {
                return Err(Error::configuration(
                    "the Graph root ends in `beta`: leave the version out, requests use v1.0 unless they name beta",
                ));
            }
            _ => return Ok(root),
        }
    }
}

fn root(what: &str, text: &str) -> Result<Url, Error> {
    let mut url = endpoint(what, text)?;
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

fn endpoint(what: &str, text: &str) -> Result<Url, Error> {
    let url = Url::parse(text).map_err(|source| {
        Error::configuration(format!(
            "the {what} is not a URL; use an absolute URL such as https://login.example.com"
        ))
        .with_source(source)
    })?;
    if !is_safe(&url) {
        return Err(Error::configuration(format!(
            "the {what} must be https (plain http is accepted on loopback only), not {}://{}",
            url.scheme(),
            url.host_str().unwrap_or_default()
        )));
    }
    if url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err(Error::configuration(format!(
            "the {what} must have no user name, query or fragment"
        )));
    }
    Ok(url)
}

#[cfg(test)]
mod tests;
