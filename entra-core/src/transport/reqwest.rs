use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::{Certificate, Client, ClientBuilder, Identity, Proxy, Url, redirect};
use zeroize::Zeroizing;

use super::{
    HttpTransport, PlainHttp, ResponseLimit, Timeout, TransportError, connect_to::ConnectTo,
};
use crate::{
    Error,
    cloud::{is_loopback, is_metadata},
};

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The transport built on reqwest, with rustls and the machine's trusted roots.
///
/// Nothing is built before the first request, so a process on a machine without a CA store can
/// still talk to a fake tenant on loopback; only its first `https` request fails then.
/// `Debug` shows whether there is a proxy, but not which: its URL may hold a password.
#[derive(Default)]
pub struct ReqwestTransport {
    settings: ReqwestTransportBuilder,
    secure: OnceLock<Client>,
    /// For loopback and metadata endpoints: plain `http`, never a proxy.
    near: OnceLock<Client>,
}

/// Settings of a [`ReqwestTransport`], all plain values.
///
/// `Debug` shows neither the proxy's URL nor the client certificate, which hold secrets.
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ReqwestTransportBuilder {
    proxy: Option<Proxy>,
    roots: Vec<Certificate>,
    only_given_roots: bool,
    identity: Option<Identity>,
    connect_to: Option<ConnectTo>,
    connect_timeout: Duration,
    timeout: Duration,
}

impl ReqwestTransport {
    /// A builder with the default settings.
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
    /// If the text is not a proxy URL.
    #[inline]
    pub fn proxy(mut self, url: &str) -> Result<Self, Error> {
        // The URL may hold a password, so neither it nor the parser's error is repeated.
        self.proxy = Some(Proxy::all(url).map_err(|_| {
            Error::configuration("the proxy must be a URL such as http://proxy.example.com:8080")
        })?);
        Ok(self)
    }

    /// Trusts these root certificates (PEM, one or many) beside the machine's own.
    ///
    /// # Errors
    /// If the bytes have no PEM certificate.
    #[inline]
    pub fn add_roots_pem(mut self, pem: &[u8]) -> Result<Self, Error> {
        // The parser's error quotes lines of the text, which may be a key by mistake.
        let roots = Certificate::from_pem_bundle(&ascii(pem))
            .map_err(|_| Error::configuration("the root certificates are not PEM"))?;
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

    /// Shows this client certificate to servers that ask for one (PEM: private key and certificate chain).
    ///
    /// # Errors
    /// If the bytes have no usable key and certificate.
    #[inline]
    pub fn client_identity_pem(mut self, pem: &[u8]) -> Result<Self, Error> {
        // Without the parser's error, as for the roots: this text has a key.
        self.identity = Some(Identity::from_pem(&ascii(pem)).map_err(|_| {
            Error::configuration(
                "the client identity must be a PEM with a private key and its certificate",
            )
        })?);
        Ok(self)
    }

    /// Connects to this host (a name or an address, without port) whatever host a request names, and
    /// without a proxy.
    ///
    /// The server must still show a certificate for the host that the request names. It is for a
    /// service behind an address of its own, such as the token proxy of a Kubernetes cluster.
    #[inline]
    pub fn connect_to(mut self, host: &str) -> Self {
        self.connect_to = Some(ConnectTo(host.into()));
        self
    }

    /// The time limit of a connection attempt; 10 seconds by default.
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// The time limit of one request; 100 seconds by default.
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

    /// Shows whether there is a proxy and a client certificate, but not which.
    fn show(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("proxy", &self.proxy.is_some())
            .field("roots", &self.roots.len())
            .field("only_given_roots", &self.only_given_roots)
            .field("client_identity", &self.identity.is_some())
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
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
        builder = if self.only_given_roots {
            builder.tls_certs_only(self.roots.clone())
        } else {
            builder.tls_certs_merge(self.roots.clone())
        };
        if let Some(host) = &self.connect_to {
            builder = builder.no_proxy().dns_resolver(Arc::new(host.clone()));
        } else if let Some(proxy) = &self.proxy {
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
            connect_to: None,
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
        let plain = request.extensions().get::<PlainHttp>().copied();
        let (request, most) = outgoing(request, self.settings.timeout)?;
        let client = self.client(request.url(), plain)?;
        exchange(client, request, most).await
    }
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.show("ReqwestTransport", f)
    }
}

impl fmt::Debug for ReqwestTransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show("ReqwestTransportBuilder", f)
    }
}

/// The request as reqwest takes it, within the time left for it and this limit, and the limit of
/// its response.
pub(super) fn outgoing(
    request: http::Request<Bytes>,
    limit: Duration,
) -> Result<(reqwest::Request, Option<ResponseLimit>), TransportError> {
    let most = request.extensions().get::<ResponseLimit>().copied();
    let left = request.extensions().get::<Timeout>().copied();
    let mut request = reqwest::Request::try_from(request)
        .map_err(|source| TransportError::invalid_request(source.without_url()))?;
    if let Some(Timeout(left)) = left {
        *request.timeout_mut() = Some(left.min(limit));
    }
    Ok((request, most))
}

/// Sends the request and reads the response whole, up to the limit.
pub(super) async fn exchange(
    client: &Client,
    request: reqwest::Request,
    most: Option<ResponseLimit>,
) -> Result<http::Response<Bytes>, TransportError> {
    let response = client.execute(request).await.map_err(sending)?;
    let mut converted = http::Response::new(Bytes::new());
    *converted.status_mut() = response.status();
    *converted.version_mut() = response.version();
    let mut response = response;
    *converted.headers_mut() = std::mem::take(response.headers_mut());
    *converted.body_mut() = match most {
        Some(most) => read_within(response, most).await?,
        None => response.bytes().await.map_err(receiving)?,
    };
    Ok(converted)
}

/// Reads a body by parts, as they come out of decompression, and no further than the limit.
async fn read_within(
    mut response: reqwest::Response,
    limit: ResponseLimit,
) -> Result<Bytes, TransportError> {
    // Where the length is announced, nothing of a body beyond the limit is read at all.
    let announced = response.content_length().unwrap_or_default();
    if announced > limit.0 {
        return Err(TransportError::response_too_large(limit));
    }
    let Some(first) = response.chunk().await.map_err(receiving)? else {
        return Ok(Bytes::new());
    };
    let fits = |length: usize| u64::try_from(length).is_ok_and(|length| length <= limit.0);
    if !fits(first.len()) {
        return Err(TransportError::response_too_large(limit));
    }
    let Some(second) = response.chunk().await.map_err(receiving)? else {
        return Ok(first);
    };
    // The announced length is only a hint of another party, so it is not allocated unseen.
    let mut body = Vec::with_capacity(first.len() + second.len());
    body.extend_from_slice(&first);
    let mut next = Some(second);
    while let Some(part) = next {
        if !fits(body.len().saturating_add(part.len())) {
            return Err(TransportError::response_too_large(limit));
        }
        body.extend_from_slice(&part);
        next = response.chunk().await.map_err(receiving)?;
    }
    Ok(body.into())
}

#[inline]
pub(super) fn cached(
    cell: &OnceLock<Client>,
    build: impl FnOnce() -> Result<Client, BoxError>,
) -> Result<&Client, TransportError> {
    if let Some(client) = cell.get() {
        return Ok(client);
    }
    let client = build().map_err(TransportError::invalid_request)?;
    Ok(cell.get_or_init(|| client))
}

/// The text without a byte order mark and the NUL bytes of UTF-16. PEM is ASCII, so nothing of a block is lost.
fn ascii(pem: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut plain = Zeroizing::new(Vec::with_capacity(pem.len()));
    plain.extend(pem.iter().filter(|byte| **byte != 0 && byte.is_ascii()));
    plain
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
