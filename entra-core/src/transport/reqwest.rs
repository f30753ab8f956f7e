use std::{sync::OnceLock, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::{Certificate, Client, ClientBuilder, Identity, Proxy, Url, redirect};

use super::{HttpTransport, PlainHttp, Timeout, TransportError, pinned};
use crate::{
    Error,
    cloud::{is_loopback, is_metadata},
};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The transport built on reqwest, with rustls and the machine's trusted roots.
///
/// Nothing is built before the first request, so a process on a machine without a CA store can
/// still talk to a fake tenant on loopback; only its first `https` request fails then.
#[derive(Debug, Default)]
pub struct ReqwestTransport {
    settings: ReqwestTransportBuilder,
    secure: OnceLock<Client>,
    /// For loopback and metadata endpoints: plain `http`, never a proxy.
    near: OnceLock<Client>,
}

/// Settings of a [`ReqwestTransport`], all plain values.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ReqwestTransportBuilder {
    proxy: Option<Proxy>,
    roots: Vec<Certificate>,
    only_given_roots: bool,
    identity: Option<Identity>,
    thumbprint: Option<[u8; 20]>,
    connect_timeout: Duration,
    timeout: Duration,
}

impl ReqwestTransport {
    /// Settings to change.
    pub fn builder() -> ReqwestTransportBuilder {
        ReqwestTransportBuilder::default()
    }

    fn client(&self, url: &Url, plain: Option<PlainHttp>) -> Result<&Client, TransportError> {
        let metadata = plain.is_some() && is_metadata(url);
        if url.scheme() == "http" && (is_loopback(url) || metadata) {
            return cached(&self.near, || self.settings.near_client());
        }
        cached(&self.secure, || self.settings.secure_client())
    }
}

impl ReqwestTransportBuilder {
    /// Sends everything but loopback traffic through this proxy
    /// (`http://user:password@proxy.example.com:8080`); without it, the `HTTPS_PROXY` and
    /// `NO_PROXY` variables of the process apply.
    ///
    /// # Errors
    /// When the text is no proxy URL.
    pub fn proxy(mut self, url: &str) -> Result<Self, Error> {
        // The URL may hold a password, so it is not repeated in the error.
        self.proxy = Some(Proxy::all(url).map_err(|source| {
            Error::configuration("the proxy must be a URL such as http://proxy.example.com:8080")
                .with_source(source.without_url())
        })?);
        Ok(self)
    }

    /// Trusts these root certificates (PEM, one or many) beside the machine's own.
    ///
    /// # Errors
    /// When the bytes hold no PEM certificate.
    pub fn add_roots_pem(mut self, pem: &[u8]) -> Result<Self, Error> {
        let roots = Certificate::from_pem_bundle(pem).map_err(|source| {
            Error::configuration("the root certificates are no PEM").with_source(source)
        })?;
        if roots.is_empty() {
            return Err(Error::configuration(
                "the root certificates hold no PEM block; it must begin with -----BEGIN CERTIFICATE-----",
            ));
        }
        self.roots.extend(roots);
        Ok(self)
    }

    /// Trusts the given roots alone, not the machine's.
    pub const fn only_given_roots(mut self) -> Self {
        self.only_given_roots = true;
        self
    }

    /// Trusts the one certificate with this SHA-1 thumbprint, whatever its names, dates and issuer are, and
    /// no other; other roots and proxies do not count then.
    ///
    /// It is for hosts that show a self-signed certificate and tell their own processes its thumbprint,
    /// such as Service Fabric's token endpoint.
    pub const fn only_certificate_sha1(mut self, thumbprint: [u8; 20]) -> Self {
        self.thumbprint = Some(thumbprint);
        self
    }

    /// Shows this client certificate to servers that ask for one (PEM: private key and certificate chain).
    ///
    /// # Errors
    /// When the bytes hold no usable key and certificate.
    pub fn client_identity_pem(mut self, pem: &[u8]) -> Result<Self, Error> {
        self.identity = Some(Identity::from_pem(pem).map_err(|source| {
            Error::configuration(
                "the client identity must be a PEM with a private key and its certificate",
            )
            .with_source(source)
        })?);
        Ok(self)
    }

    /// How long a connection may take to be made; 10 seconds unless set.
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one request may take in all; 100 seconds unless set.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The transport. Its clients are built at the first request of their kind.
    #[must_use]
    pub fn build(self) -> ReqwestTransport {
        ReqwestTransport {
            settings: self,
            secure: OnceLock::new(),
            near: OnceLock::new(),
        }
    }

    fn base(&self) -> ClientBuilder {
        Client::builder()
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(self.connect_timeout)
            .timeout(self.timeout)
    }

    fn near_client(&self) -> Result<Client, BoxError> {
        // No roots at all: this client never speaks TLS, and looking for the machine's roots
        // fails where there are none.
        Ok(self
            .base()
            .no_proxy()
            .tls_certs_only(std::iter::empty::<Certificate>())
            .build()?)
    }

    fn secure_client(&self) -> Result<Client, BoxError> {
        let mut builder = self.base().https_only(true);
        if let Some(thumbprint) = self.thumbprint {
            let config = pinned::config(thumbprint)?;
            return Ok(builder
                .no_proxy()
                .tls_backend_preconfigured(config)
                .build()?);
        }
        builder = if self.only_given_roots {
            builder.tls_certs_only(self.roots.clone())
        } else {
            builder.tls_certs_merge(self.roots.clone())
        };
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(proxy.clone());
        }
        if let Some(identity) = &self.identity {
            builder = builder.identity(identity.clone());
        }
        Ok(builder.build()?)
    }
}

impl Default for ReqwestTransportBuilder {
    fn default() -> Self {
        Self {
            proxy: None,
            roots: Vec::new(),
            only_given_roots: false,
            identity: None,
            thumbprint: None,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(100),
        }
    }
}

#[async_trait]
impl HttpTransport for ReqwestTransport {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let limit = request.extensions().get::<Timeout>().copied();
        let plain = request.extensions().get::<PlainHttp>().copied();
        let mut request = reqwest::Request::try_from(request)
            .map_err(|source| TransportError::invalid_request(source.without_url()))?;
        if let Some(Timeout(limit)) = limit {
            *request.timeout_mut() = Some(limit.min(self.settings.timeout));
        }
        let client = self.client(request.url(), plain)?;
        let response = client.execute(request).await.map_err(sending)?;
        let mut answer = http::Response::new(Bytes::new());
        *answer.status_mut() = response.status();
        *answer.version_mut() = response.version();
        let mut response = response;
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        *answer.body_mut() = response.bytes().await.map_err(receiving)?;
        Ok(answer)
    }
}

fn cached(
    cell: &OnceLock<Client>,
    build: impl FnOnce() -> Result<Client, BoxError>,
) -> Result<&Client, TransportError> {
    if let Some(client) = cell.get() {
        return Ok(client);
    }
    let client = build().map_err(TransportError::invalid_request)?;
    Ok(cell.get_or_init(|| client))
}

/// URLs are taken out of every error: a next link is sensitive.
fn sending(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    if error.is_connect() {
        TransportError::connect(error)
    } else if error.is_builder() {
        TransportError::invalid_request(error)
    } else {
        receiving(error)
    }
}

fn receiving(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    if error.is_timeout() {
        TransportError::timeout(error)
    } else {
        TransportError::interrupted(error)
    }
}
