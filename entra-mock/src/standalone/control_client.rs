//! A client of the control API: what `entra-mock ctl` is.

use std::{env, fmt, fs, pin::pin, sync::Arc};

use entra_core::Secret;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request,
    body::Bytes,
    client::conn::http1,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use url::Url;

use super::control::command::{self, CommandRequest};

/// A client of a server's control API.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use entra_mock::{ControlClient, Server};
/// let server = Server::builder().start().await?;
/// let client = ControlClient::new(&server.control_uri(), server.control_token().clone())?;
/// let clock = client.run(&["clock".to_owned(), "freeze".to_owned()]).await?;
/// assert!(clock.contains("\"frozen\": true"));
/// # server.stop().await;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct ControlClient {
    url: Url,
    token: Secret,
    /// PEM file of the certificate authority, for HTTPS.
    authority_file: Option<String>,
}

impl ControlClient {
    /// Returns a client of the control API at this URL, such as `http://localhost:8443/_entra-mock`.
    ///
    /// # Errors
    /// [`ControlClientError`] if it is not a URL with a host.
    pub fn new(url: &str, token: Secret) -> Result<Self, ControlClientError> {
        let url = Url::parse(url.trim_end_matches('/'))
            .ok()
            .filter(Url::has_host)
            .ok_or_else(|| {
                ControlClientError::new(format!("{url:?} is not the URL of a control API"))
            })?;
        Ok(Self {
            url,
            token,
            authority_file: None,
        })
    }

    /// Returns a client with the settings of a server's environment file: `ENTRA_MOCK_CONTROL_URL`,
    /// `ENTRA_MOCK_CONTROL_TOKEN` and, for HTTPS, `NODE_EXTRA_CA_CERTS` or `SSL_CERT_FILE`.
    ///
    /// # Errors
    /// [`ControlClientError`] if a variable is missing or invalid.
    pub fn from_env() -> Result<Self, ControlClientError> {
        let variable = |name: &str| {
            let value = env::var(name).ok().filter(|value| !value.is_empty());
            value.ok_or_else(|| {
                ControlClientError::new(format!(
                    "the variable {name} is not set; read the environment file of the server first: . ./tenant.env"
                ))
            })
        };
        let token = Secret::from(variable("ENTRA_MOCK_CONTROL_TOKEN")?);
        let mut client = Self::new(&variable("ENTRA_MOCK_CONTROL_URL")?, token)?;
        client.authority_file = env::var("NODE_EXTRA_CA_CERTS")
            .or_else(|_| env::var("SSL_CERT_FILE"))
            .ok();
        Ok(client)
    }

    /// The commands with their parameters, for a help page.
    #[must_use]
    pub fn commands() -> String {
        command::list()
    }

    /// The commands for what a word names, such as `groups`, with all fields that they take, for a help page; `None` if
    /// there are none.
    #[must_use]
    pub fn commands_for(word: &str) -> Option<String> {
        command::list_for(word)
    }

    /// Runs a command, such as `clock advance 1h`, and returns the response as text: JSON, or nothing.
    ///
    /// # Errors
    /// [`ControlClientError`] for an unknown command, a server that cannot be reached, and an error of the control
    /// API, with its fix.
    pub async fn run(&self, words: &[String]) -> Result<String, ControlClientError> {
        let read = |file: &str| {
            fs::read_to_string(file).map_err(|error| format!("cannot read {file}: {error}"))
        };
        let request = command::parse(words, read).map_err(ControlClientError::new)?;
        let (status, body) = self.exchange(request).await?;
        let value: Value = serde_json::from_slice(&body).unwrap_or_default();
        if (200..300).contains(&status) {
            return Ok(match value {
                Value::Null => String::new(),
                value => format!("{value:#}"),
            });
        }
        let text = |name: &str| value["error"][name].as_str();
        Err(match (text("message"), text("fix")) {
            (Some(message), Some(fix)) => ControlClientError {
                message: message.to_owned(),
                fix: Some(fix.to_owned()),
            },
            _ => ControlClientError::new(format!("the server responded with status {status}")),
        })
    }

    async fn exchange(&self, request: CommandRequest) -> Result<(u16, Bytes), ControlClientError> {
        let failed = |error: &dyn fmt::Display| {
            ControlClientError::new(format!("cannot reach {}: {error}", self.url))
        };
        let (host, port) = (
            self.url.host_str().unwrap_or_default(),
            self.url.port_or_known_default().unwrap_or(80),
        );
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((bare, port))
            .await
            .map_err(|error| failed(&error))?;
        if self.url.scheme() != "https" {
            return self.send(stream, request).await;
        }
        let name = ServerName::try_from(bare.to_owned()).map_err(|error| failed(&error))?;
        let connector = TlsConnector::from(Arc::new(self.tls()?));
        let stream = connector
            .connect(name, stream)
            .await
            .map_err(|error| failed(&error))?;
        self.send(stream, request).await
    }

    async fn send(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        request: CommandRequest,
    ) -> Result<(u16, Bytes), ControlClientError> {
        let failed = |error: &dyn fmt::Display| {
            ControlClientError::new(format!("the request to {} failed: {error}", self.url))
        };
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failed(&error))?;
        let connection = Box::pin(connection);
        let authority = self.url.authority();
        let target = format!(
            "{}{}",
            self.url.path().trim_end_matches('/'),
            request.target
        );
        let body = request
            .body
            .map(|body| body.to_string())
            .unwrap_or_default();
        let request = Request::builder()
            .method(request.method)
            .uri(target)
            .header(HOST, authority)
            .header(
                AUTHORIZATION,
                format!("Bearer {}", self.token.expose_secret()),
            )
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| failed(&error))?;
        let mut exchange = pin!(async move {
            let response = sender.send_request(request).await?;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await?;
            Ok::<_, hyper::Error>((status, body.to_bytes()))
        });
        // Both in one task: hyper loses a request that is handed over while its connection ends on another
        // thread, and the caller would wait for ever (https://github.com/hyperium/hyper/issues/4122).
        let response = tokio::select! {
            biased;
            response = &mut exchange => response,
            _ = connection => exchange.await,
        };
        response.map_err(|error| failed(&error))
    }

    fn tls(&self) -> Result<ClientConfig, ControlClientError> {
        let mut roots = RootCertStore::empty();
        let file = self.authority_file.as_deref().unwrap_or_default();
        let certificates = CertificateDer::pem_file_iter(file).map_err(|error| {
            ControlClientError::new(format!(
                "cannot read the certificate authority {file:?} (NODE_EXTRA_CA_CERTS): {error}"
            ))
        })?;
        roots.add_parsable_certificates(certificates.flatten());
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| ControlClientError::new(format!("TLS is not available: {error}")))?;
        Ok(config.with_root_certificates(roots).with_no_client_auth())
    }
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlClientError {
    message: String,
    fix: Option<String>,
}

impl ControlClientError {
    fn new(message: String) -> Self {
        Self { message, fix: None }
    }

    /// How to fix it, if the server says so.
    #[must_use]
    pub fn fix(&self) -> Option<&str> {
        self.fix.as_deref()
    }
}

impl fmt::Display for ControlClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ControlClientError {}
