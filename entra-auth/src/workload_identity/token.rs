//! Tokens of other identity providers that Entra takes as client assertions.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use entra_core::{
    Cloud, CredentialError, Error as CoreError, ErrorKind as CoreErrorKind, Idempotency, Pipeline,
    Request, Response, Secret,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    read_text_file,
    url::Url,
};
use serde_json::Value;

use super::{AssertionRequest, ClientAssertion};
use crate::{
    Environment, Error, ErrorKind, blocking,
    environment::require,
    settings::Settings,
    shown_path::ShownPath,
    token_endpoint::with_tries,
    wire::{is_transient_status, without_bom},
};

/// Where an application's token of another identity provider comes from.
///
/// The application must have a federated credential with that token's issuer, subject and audience.
/// Give it to [`ClientAssertionCredential::federated`](super::ClientAssertionCredential::federated).
///
/// ```
/// use entra_auth::{Environment, workload_identity::{ClientAssertionCredential, FederatedToken}};
/// # let environment = Environment::from_pairs([
/// #     ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://token.example.com/id?api-version=2.0"),
/// #     ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t"),
/// # ]);
/// // in a workflow with `permissions: id-token: write`, where this is Environment::from_env():
/// let token = FederatedToken::github_actions(&environment)?;
/// let credential = ClientAssertionCredential::federated(
///     "contoso.com",
///     "00000000-0000-0000-0000-000000000001",
///     token,
/// )
/// .build()?;
/// # Ok::<(), entra_auth::Error>(())
/// ```
#[derive(Clone)]
pub struct FederatedToken(Origin);

#[derive(Clone)]
enum Origin {
    File(PathBuf),
    GitHub {
        url: Url,
        bearer: Secret,
        audience: Option<String>,
    },
    Pipelines {
        url: Url,
        bearer: Secret,
    },
}

impl FederatedToken {
    /// A file that holds the token and that something else keeps fresh; it is read for each request.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Origin::File(path.into()))
    }

    /// The token of a GitHub Actions job, from the endpoint that the job's environment names.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the variables are not set, [`ErrorKind::Configuration`] when
    /// the URL is invalid.
    pub fn github_actions(environment: &Environment) -> Result<Self, Error> {
        let fix = "run in a GitHub Actions job with `permissions: id-token: write`";
        let url = require(environment, "ACTIONS_ID_TOKEN_REQUEST_URL", fix)?;
        let bearer = require(environment, "ACTIONS_ID_TOKEN_REQUEST_TOKEN", fix)?;
        Ok(Self(Origin::GitHub {
            url: address("ACTIONS_ID_TOKEN_REQUEST_URL", url)?,
            bearer: bearer.into(),
            audience: None,
        }))
    }

    /// The token of an Azure Pipelines job for a service connection.
    ///
    /// The job must map its `System.AccessToken` to the variable `SYSTEM_ACCESSTOKEN`.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the variables are not set, [`ErrorKind::Configuration`] when
    /// the URL is invalid or the service connection is empty.
    pub fn azure_pipelines(
        environment: &Environment,
        service_connection_id: &str,
    ) -> Result<Self, Error> {
        let url = require(
            environment,
            "SYSTEM_OIDCREQUESTURI",
            "run in an Azure Pipelines job",
        )?;
        let bearer = require(
            environment,
            "SYSTEM_ACCESSTOKEN",
            "map it in the pipeline: `env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)`",
        )?;
        if service_connection_id.trim().is_empty() {
            return Err(Error::configuration(
                "the service connection id is empty",
                "give the resourceId from the service connection's address in the portal",
            ));
        }
        let mut url = address("SYSTEM_OIDCREQUESTURI", url)?;
        url.query_pairs_mut()
            .append_pair("api-version", "7.1")
            .append_pair("serviceConnectionId", service_connection_id.trim());
        Ok(Self(Origin::Pipelines {
            url,
            bearer: bearer.into(),
        }))
    }

    /// The same with another audience than Entra's own in the cloud that is signed in to; only
    /// GitHub can be requested one.
    #[must_use]
    pub fn with_audience(mut self, wanted: impl Into<String>) -> Self {
        if let Origin::GitHub { audience, .. } = &mut self.0 {
            *audience = Some(wanted.into());
        }
        self
    }

    /// The source of assertions, with the pipeline it needs.
    pub(crate) fn connect(self, settings: &Settings) -> Result<Source, Error> {
        let pipeline = match &self.0 {
            Origin::File(_) => None,
            Origin::GitHub { url, .. } | Origin::Pipelines { url, .. } => {
                let pipeline = Pipeline::builder(settings.transport()?)
                    .origin(url)
                    .clock(settings.clock.clone())
                    .random(settings.random.clone())
                    .policy(settings.retry_policy.clone())
                    .response_limit(crate::response_limits::TOKENS)
                    .build();
                pipeline.check(url).map_err(|source| {
                    Error::configuration(
                        format!(
                            "the address of {}'s token endpoint is not safe",
                            self.provider()
                        ),
                        "see where the variable with the address comes from; it must be https",
                    )
                    .with_source(source)
                })?;
                Some(pipeline)
            }
        };
        let audience = match &self.0 {
            Origin::GitHub {
                audience: Some(audience),
                ..
            } => audience.clone(),
            _ => audience_of(&settings.cloud).to_owned(),
        };
        Ok(Source {
            token: self,
            pipeline,
            audience,
        })
    }

    const fn provider(&self) -> &'static str {
        match self.0 {
            Origin::File(_) => "the token file",
            Origin::GitHub { .. } => "GitHub",
            Origin::Pipelines { .. } => "Azure Pipelines",
        }
    }
}

impl fmt::Debug for FederatedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Origin::File(path) => f
                .debug_tuple("FederatedToken")
                .field(&ShownPath(path))
                .finish(),
            Origin::GitHub { url, .. } | Origin::Pipelines { url, .. } => f
                .debug_struct("FederatedToken")
                .field("provider", &self.provider())
                .field("host", &url.host_str())
                .finish_non_exhaustive(),
        }
    }
}

/// A federated token that can be fetched.
#[derive(Debug)]
pub(crate) struct Source {
    token: FederatedToken,
    pipeline: Option<Pipeline>,
    audience: String,
}

#[async_trait]
impl ClientAssertion for Source {
    async fn assertion(&self, _: &AssertionRequest) -> Result<Secret, CredentialError> {
        let outcome = match (&self.token.0, &self.pipeline) {
            (Origin::GitHub { url, bearer, .. }, Some(pipeline)) => {
                let mut url = url.clone();
                url.query_pairs_mut()
                    .append_pair("audience", &self.audience);
                let request = Request::new("federated token of GitHub", Method::GET, url);
                self.ask(pipeline, request, bearer, "value").await
            }
            (Origin::Pipelines { url, bearer }, Some(pipeline)) => {
                let request = Request::new(
                    "federated token of Azure Pipelines",
                    Method::POST,
                    url.clone(),
                )
                .with_idempotency(Idempotency::Safe)
                .with_body("application/json", "")
                .with_header(NO_SIGN_IN_PAGE, HeaderValue::from_static("Suppress"));
                self.ask(pipeline, request, bearer, "oidcToken").await
            }
            (Origin::File(path), _) => read(path.clone()).await,
            // `connect` gives a pipeline to both of the above.
            (_, None) => Err(Error::configuration(
                "there is no pipeline",
                "report this as a defect",
            )),
        };
        outcome.map_err(Into::into)
    }
}

impl Source {
    async fn ask(
        &self,
        pipeline: &Pipeline,
        request: Request,
        bearer: &Secret,
        member: &str,
    ) -> Result<Secret, Error> {
        let mut authorization =
            HeaderValue::from_str(&format!("Bearer {}", bearer.expose_secret().trim())).map_err(
                |_| {
                    Error::configuration(
                        format!(
                            "the token for {}'s endpoint cannot be sent",
                            self.token.provider()
                        ),
                        "check that the variable holds the token and nothing else",
                    )
                },
            )?;
        authorization.set_sensitive(true);
        let request = request
            .with_header(header::ACCEPT, HeaderValue::from_static("application/json"))
            .with_header(header::AUTHORIZATION, authorization);
        let response = pipeline
            .send(request)
            .await
            .map_err(|error| self.unsent(error))?;
        if response.status != StatusCode::OK {
            return Err(self.error_response(&response));
        }
        // The body holds a token, so nothing of it goes into an error.
        let body: Value = serde_json::from_slice(without_bom(&response.body)).unwrap_or_default();
        body[member]
            .as_str()
            .filter(|token| !token.is_empty())
            .map(Secret::from)
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Protocol,
                    format!("{} responded without a token", self.token.provider()),
                )
                .with(|inner| {
                    inner.cause = Some(format!("the response has no text `{member}`").into());
                    inner.fix = Some("check that the address is that of the token endpoint".into());
                })
            })
    }

    fn unsent(&self, error: CoreError) -> Error {
        if error.kind() == CoreErrorKind::ResponseTooLarge {
            return Error::response_too_large(self.token.provider(), error);
        }
        let kind = match error.kind() {
            CoreErrorKind::Transport => ErrorKind::Transport,
            _ => ErrorKind::Configuration,
        };
        let provider = self.token.provider();
        Error::new(
            kind,
            format!("{provider} returned no token, as it could not be reached"),
        )
        .with(|inner| inner.fix = Some("check network, DNS and proxy of the job".into()))
        .with_source(error)
    }

    fn error_response(&self, response: &Response) -> Error {
        let kind = match response.status {
            StatusCode::TOO_MANY_REQUESTS => ErrorKind::Throttled,
            status if is_transient_status(status) => ErrorKind::Service,
            _ => ErrorKind::Rejected,
        };
        let fix = match self.token.0 {
            Origin::Pipelines { .. } => {
                "check the service connection id, and that the pipeline may use that connection"
            }
            _ => {
                "give the job `permissions: id-token: write`; a pull request of a fork never has it"
            }
        };
        let provider = self.token.provider();
        let summary = format!("{provider} returned an error in place of a token");
        Error::new(kind, with_tries(summary.into(), response)).with(|inner| {
            inner.status = Some(response.status.as_u16());
            inner.retry_after = response.retry_after;
            inner.fix = Some(fix.into());
            inner.correlation_id = Some(response.client_request_id.clone());
        })
    }
}

/// Reads a token file, without holding up a thread that drives others.
async fn read(path: PathBuf) -> Result<Secret, Error> {
    let read = blocking::run_within(blocking::READ_LIMIT, move || read_now(&path)).await;
    // It did not respond in time, or the runtime is shutting down.
    read.unwrap_or_else(|source| {
        Err(
            Error::new(ErrorKind::Transport, "the token file could not be read")
                .with_source(source),
        )
    })
}

fn read_now(path: &Path) -> Result<Secret, Error> {
    let unusable = |what: &str| {
        Error::configuration(
            format!("the token file {} {what}", ShownPath(path)),
            "check that AZURE_FEDERATED_TOKEN_FILE names the projected service account token, and that this process may read it",
        )
    };
    let text = read_text_file(path, LONGEST_FILE).map_err(|source| match source.kind() {
        io::ErrorKind::FileTooLarge => unusable("is too long for a token"),
        io::ErrorKind::InvalidData => not_text(path).with_source(source),
        _ => unusable("cannot be read").with_source(source),
    })?;
    match text.expose_secret().trim() {
        "" => Err(unusable("is empty")),
        token if !token.bytes().all(|byte| byte.is_ascii_graphic()) => Err(not_text(path)),
        token => Ok(Secret::from(token)),
    }
}

/// The error of a file that something has written in another form than that of a token.
fn not_text(path: &Path) -> Error {
    Error::configuration(
        format!(
            "the token file {} holds characters that no token has",
            ShownPath(path)
        ),
        "write the token alone into it, as text in UTF-8",
    )
}

fn address(name: &str, text: &str) -> Result<Url, Error> {
    Url::parse(text.trim()).map_err(|source| {
        Error::configuration(
            format!("{name} is not a URL"),
            "leave the variable as the job's environment sets it",
        )
        .with_source(source)
    })
}

/// The audience that Entra expects in each cloud.
fn audience_of(cloud: &Cloud) -> &'static str {
    let host = cloud.authority().host_str().unwrap_or_default();
    if host.ends_with(".us") {
        "api://AzureADTokenExchangeUSGov"
    } else if host.ends_with(".cn") {
        "api://AzureADTokenExchangeChina"
    } else {
        "api://AzureADTokenExchange"
    }
}

/// Without it a bad token brings a redirect to a sign-in page.
const NO_SIGN_IN_PAGE: HeaderName = HeaderName::from_static("x-tfs-fedauthredirect");
/// Service account tokens have about one kilobyte.
const LONGEST_FILE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cloud_has_an_audience_of_its_own() {
        assert_eq!(audience_of(&Cloud::public()), "api://AzureADTokenExchange");
        assert_eq!(
            audience_of(&Cloud::us_government_dod()),
            "api://AzureADTokenExchangeUSGov"
        );
        assert_eq!(
            audience_of(&Cloud::china()),
            "api://AzureADTokenExchangeChina"
        );
    }
}
