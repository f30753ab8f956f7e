use std::sync::Arc;

use url::{Host, Url};

use crate::{Error, TenantId};

/// A Microsoft cloud: where to sign in, where Graph is, and which host names mean the same place.
///
/// Cheap to clone. The fake tenant is one more cloud: a test hands its `cloud()` to credential and
/// client, and nothing else changes.
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

    /// Any other place: a private cloud, or the fake tenant.
    ///
    /// `authority` is the sign-in root without a tenant, `graph` the Graph root without a version.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) unless both are absolute
    /// `https` URLs (plain `http` is accepted on loopback only) without user name, query or fragment.
    pub fn custom(authority: &str, graph: &str) -> Result<Self, Error> {
        let authority = root("authority", authority)?;
        let graph = root("Graph root", graph)?;
        let graph_resource = graph.origin().ascii_serialization();
        Ok(Self(Arc::new(Inner {
            authority,
            authority_aliases: Vec::new(),
            graph,
            graph_resource,
        })))
    }

    /// The same cloud with another resource identifier for Graph tokens; by default it is the
    /// origin of the Graph root.
    #[must_use]
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

    /// The Graph root without a version, ending in a slash.
    #[must_use]
    pub fn graph(&self) -> &Url {
        &self.0.graph
    }

    /// The scope that asks for a Graph token with everything already granted.
    #[must_use]
    pub fn graph_scope(&self) -> String {
        format!("{}/.default", self.0.graph_resource)
    }

    /// The v2.0 token endpoint of a tenant.
    #[must_use]
    pub fn token_endpoint(&self, tenant: &TenantId) -> Url {
        let mut url = self.0.authority.clone();
        url.set_path(&format!(
            "{}{tenant}/oauth2/v2.0/token",
            self.0.authority.path()
        ));
        url
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

/// Whether this can be a platform's metadata service: `http` to an address that no router passes on,
/// given in numbers, so that no name server has a say.
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

fn root(what: &str, text: &str) -> Result<Url, Error> {
    let mut url = Url::parse(text).map_err(|source| {
        Error::configuration(format!(
            "the {what} is no URL; give an absolute one such as https://login.example.com"
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
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_cloud_has_https_roots() {
        for cloud in [
            Cloud::public(),
            Cloud::us_government(),
            Cloud::us_government_dod(),
            Cloud::china(),
        ] {
            assert!(
                is_safe(cloud.authority()) && is_safe(cloud.graph()),
                "{cloud:?}"
            );
            assert!(cloud.graph_scope().starts_with("https://"));
        }
        assert_ne!(
            Cloud::us_government().graph_scope(),
            Cloud::us_government_dod().graph_scope()
        );
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        for good in [
            "http://127.0.0.1:8080",
            "http://localhost:1/",
            "http://[::1]:1",
            "https://login.example.com/base",
        ] {
            Cloud::custom(good, good).unwrap();
        }
        for bad in [
            "http://login.example.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "ftp://localhost",
            "login.example.com",
            "https://user:pw@localhost",
            "https://localhost/?a=b",
            "",
        ] {
            Cloud::custom(bad, "https://graph.example.com").unwrap_err();
            Cloud::custom("https://login.example.com", bad).unwrap_err();
        }
    }

    #[test]
    fn an_authority_below_a_path_keeps_it() {
        let cloud = Cloud::custom("https://localhost/login", "https://localhost/graph").unwrap();
        let tenant = "contoso.com".parse().unwrap();
        assert_eq!(
            cloud.token_endpoint(&tenant).as_str(),
            "https://localhost/login/contoso.com/oauth2/v2.0/token"
        );
        assert_eq!(cloud.graph_scope(), "https://localhost/.default");
    }
}
