//! AKS identity binding: the token requests of a pod go to a proxy in its cluster.

use std::{
    fmt,
    io::Read,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use crate::{Environment, Error, blocking, shown_path::ShownPath};
use async_trait::async_trait;
use entra_core::{
    HttpTransport, ReqwestTransport, TransportError,
    bytes::Bytes,
    http::{self, HeaderValue, header},
    url::{Position, Url},
};

/// A transport that sends each request to the cluster's token proxy in place of the sign-in service, and
/// never through another proxy.
///
/// Path, query and body stay. The proxy's certificate is checked against the cluster's own authority
/// and, if one is set, for another name than that of its address.
pub(super) struct TokenProxy {
    url: Url,
    server_name: Option<String>,
    authority: Authority,
    /// The transport with the roots that it trusts; a file of them may be replaced at any time.
    current: Mutex<Option<Trusting>>,
}

enum Authority {
    Machine,
    Data(Bytes),
    File(PathBuf),
}

#[derive(Clone)]
struct Trusting {
    roots: Bytes,
    transport: Arc<ReqwestTransport>,
}

impl TokenProxy {
    /// As the variables of the cluster say; none where there is no proxy.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for variables that contradict
    /// each other or cannot be used.
    pub(super) fn from_environment(environment: &Environment) -> Result<Option<Self>, Error> {
        let [server_name, file, data] = [SERVER_NAME, CA_FILE, CA_DATA]
            .map(|name| environment.get(name).map(|value| value.trim().to_owned()));
        let Some(url) = environment.get(PROXY) else {
            let set = [
                (SERVER_NAME, &server_name),
                (CA_FILE, &file),
                (CA_DATA, &data),
            ];
            return match set.iter().find(|(_, value)| value.is_some()) {
                Some((name, _)) => Err(unusable(format!("{name} is set, but {PROXY} is not"))),
                None => Ok(None),
            };
        };
        let url = Url::parse(url.trim())
            .map_err(|source| unusable(format!("{PROXY} is not a URL")).with_source(source))?;
        let says = match () {
            () if url.scheme() != "https" => "must be https",
            () if url.host_str().is_none() => "names no host",
            () if !url.username().is_empty() || url.password().is_some() => {
                "must not hold a user name or password"
            }
            () if url.query().is_some() || url.fragment().is_some() => {
                "must not have a query or fragment"
            }
            () => "",
        };
        if !says.is_empty() {
            return Err(unusable(format!("{PROXY} {says}")));
        }
        let authority = match (file, data) {
            (Some(_), Some(_)) => {
                return Err(unusable(format!("{CA_FILE} and {CA_DATA} are both set")));
            }
            (Some(file), None) => Authority::File(file.into()),
            (None, Some(data)) => Authority::Data(data.into()),
            (None, None) => Authority::Machine,
        };
        let proxy = Self {
            url,
            server_name,
            authority,
            current: Mutex::new(None),
        };
        if let Some(name) = &proxy.server_name
            && proxy.target(&proxy.url).is_none()
        {
            return Err(unusable(format!(
                "{SERVER_NAME} is not a host name: {name}"
            )));
        }
        if let Authority::Data(roots) = &proxy.authority {
            proxy.trusting(roots)?;
        }
        Ok(Some(proxy))
    }

    /// Where a request for this address goes.
    fn target(&self, requested: &Url) -> Option<Url> {
        let mut target = self.url.clone();
        if let Some(name) = &self.server_name {
            target.set_host(Some(name)).ok()?;
        }
        let below = self.url.path().trim_end_matches('/');
        target.set_path(&format!("{below}{}", requested.path()));
        target.set_query(requested.query());
        Some(target)
    }

    fn trusting(&self, roots: &Bytes) -> Result<Trusting, Error> {
        let mut builder = ReqwestTransport::builder();
        if !matches!(self.authority, Authority::Machine) {
            builder = builder
                .add_roots_pem(roots)
                .map_err(|source| {
                    let name = match self.authority {
                        Authority::File(_) => CA_FILE,
                        _ => CA_DATA,
                    };
                    unusable(format!("{name} holds no PEM certificate")).with_source(source)
                })?
                .only_given_roots();
        }
        // The address is one of the cluster: a proxy of the process, such as `HTTPS_PROXY`, cannot reach it.
        let host = self.url.host_str().unwrap_or_default();
        let builder = builder.connect_to(host.trim_start_matches('[').trim_end_matches(']'));
        Ok(Trusting {
            roots: roots.clone(),
            transport: Arc::new(builder.build()),
        })
    }

    /// The transport that trusts what the cluster's authority is now.
    async fn transport(&self) -> Result<Arc<ReqwestTransport>, Error> {
        let known = || {
            let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            current.clone()
        };
        let roots = match &self.authority {
            Authority::Machine => Bytes::new(),
            Authority::Data(roots) => roots.clone(),
            Authority::File(path) => match (read(path).await, known()) {
                // A file that is being replaced may be empty or away for a moment.
                (Ok(roots), _) if !roots.is_empty() => roots,
                (_, Some(known)) => return Ok(known.transport),
                (outcome, None) => {
                    let error = unusable(format!("{CA_FILE} ({}) cannot be read", ShownPath(path)));
                    return Err(match outcome {
                        Ok(_) => error,
                        Err(source) => error.with_source(source),
                    });
                }
            },
        };
        if let Some(known) = known().filter(|known| known.roots == roots) {
            return Ok(known.transport);
        }
        let trusting = match (self.trusting(&roots), known()) {
            (Ok(trusting), _) => trusting,
            (Err(_), Some(known)) => return Ok(known.transport),
            (Err(error), None) => return Err(error),
        };
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(current.insert(trusting).transport.clone())
    }
}

#[async_trait]
impl HttpTransport for TokenProxy {
    async fn send(
        &self,
        mut request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let requested = Url::parse(&request.uri().to_string()).ok();
        let target = requested.and_then(|requested| self.target(&requested));
        let uri = target.and_then(|target| target.as_str().parse().ok());
        *request.uri_mut() =
            uri.ok_or_else(|| TransportError::invalid_request("no address at the token proxy"))?;
        if self.server_name.is_some() {
            let host = &self.url[Position::BeforeHost..Position::AfterPort];
            let host = HeaderValue::from_str(host).map_err(TransportError::invalid_request)?;
            request.headers_mut().insert(header::HOST, host);
        }
        let transport = self
            .transport()
            .await
            .map_err(TransportError::invalid_request)?;
        transport.send(request).await
    }
}

impl fmt::Debug for TokenProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenProxy")
            .field("url", &self.url.as_str())
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}

/// Reads the file without holding up a thread that drives others.
async fn read(path: &Path) -> std::io::Result<Bytes> {
    let path = path.to_owned();
    let job = move || {
        let mut roots = Vec::new();
        let file = blocking::open_file(&path)?;
        // The path may lead to an endless file, so the read has a limit.
        file.take(LONGEST_FILE).read_to_end(&mut roots)?;
        Ok(Bytes::from(roots))
    };
    blocking::run_within(blocking::READ_LIMIT, job).await?
}

fn unusable(what: String) -> Error {
    Error::configuration(
        what,
        "leave the variables of AKS identity binding as the cluster sets them",
    )
}

const PROXY: &str = "AZURE_KUBERNETES_TOKEN_PROXY";
const SERVER_NAME: &str = "AZURE_KUBERNETES_SNI_NAME";
const CA_FILE: &str = "AZURE_KUBERNETES_CA_FILE";
const CA_DATA: &str = "AZURE_KUBERNETES_CA_DATA";
const LONGEST_FILE: u64 = 4 * 1024 * 1024;
