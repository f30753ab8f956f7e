//! Which endpoints a document of a sign-in service may name.

use std::sync::Arc;

use url::Url;

use super::{Cloud, is_label, is_loopback, is_safe};
use crate::Error;

impl Cloud {
    /// The same cloud, whose documents may name endpoints at these hosts too; see
    /// [`check_endpoint`](Self::check_endpoint).
    ///
    /// ```
    /// use entra_core::Cloud;
    /// let issuer = "https://id.example";
    /// let cloud = Cloud::openid_provider(issuer, "https://id.example/token", None, None)?;
    /// let keys = "https://keys.example/jwks".parse().expect("a URL");
    /// assert!(cloud.check_endpoint("signing keys", &keys).is_err());
    /// let cloud = cloud.with_endpoint_hosts(["keys.example"]);
    /// assert!(cloud.check_endpoint("signing keys", &keys).is_ok());
    /// # Ok::<(), entra_core::Error>(())
    /// ```
    #[must_use]
    pub fn with_endpoint_hosts<I>(self, hosts: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        let mut inner = (*self.0).clone();
        let hosts = hosts.into_iter().map(Into::into);
        inner
            .endpoint_hosts
            .extend(hosts.map(|host: String| host.to_ascii_lowercase()));
        Self(Arc::new(inner))
    }

    /// Whether a document that this sign-in service publishes, such as its OpenID discovery document,
    /// may name this endpoint. The author of the document could otherwise make this machine send
    /// requests, with a client secret in them, to any host that it reaches: to itself, to the
    /// platform's metadata service, to the network behind a firewall.
    ///
    /// An endpoint must be at the sign-in service's own host, at the host of its token endpoint, under
    /// another name of the same Microsoft cloud, or at a host that the application has named by
    /// [`with_endpoint_hosts`](Self::with_endpoint_hosts). It must be `https`, so that a name that
    /// leads to a local address ends at a server without a certificate for it; plain `http` is
    /// accepted from loopback to loopback only.
    ///
    /// # Errors
    /// [`ErrorKind::Policy`](crate::ErrorKind::Policy) for every other endpoint, and for one with a
    /// user name or fragment.
    #[inline]
    pub fn check_endpoint(&self, what: &str, url: &Url) -> Result<(), Error> {
        let host = url.host_str().unwrap_or_default();
        if !is_safe(url) {
            return Err(Error::policy(format!(
                "the {what} must be https (plain http is accepted on loopback only), not {}://{host}",
                url.scheme(),
            )));
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(Error::policy(format!(
                "the {what} must have no user name or fragment"
            )));
        }
        if self.is_own_host(url) {
            return Ok(());
        }
        Err(Error::policy(format!(
            "the discovery document names {host} for the {what}, which is another host than {}; if it belongs to the provider, name it with `with_endpoint_hosts`",
            self.0.authority.host_str().unwrap_or_default()
        )))
    }

    /// Whether a response of this sign-in service may claim this host as its own.
    #[must_use]
    #[inline]
    pub fn is_own_name(&self, host: &str) -> bool {
        let given = |url: &Url| {
            url.host_str()
                .is_some_and(|own| own.eq_ignore_ascii_case(host))
        };
        given(&self.0.authority)
            || (self.0.endpoints.as_ref()).is_some_and(|endpoints| given(&endpoints.token))
            || (self.0.endpoint_hosts.iter()).any(|own| own.eq_ignore_ascii_case(host))
            || [Self::public(), Self::us_government(), Self::china()]
                .iter()
                .any(|known| known.is_known_as(&self.0.authority) && known.has_name(host))
    }

    #[inline]
    fn is_own_host(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let own = self.0.authority.host_str().unwrap_or_default();
        self.is_own_name(host)
            || (is_loopback(&self.0.authority) && is_loopback(url))
            // An external tenant signs in under its name, and publishes its keys under its id.
            || (is_external(own) && is_external(host))
    }
}

/// A host of Microsoft's for external tenants.
#[inline]
fn is_external(host: &str) -> bool {
    host.strip_suffix(".ciamlogin.com").is_some_and(is_label)
}
