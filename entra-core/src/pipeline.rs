use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use tracing::{Instrument, debug, debug_span, field::Empty};
use url::{Origin, Url};

use crate::{
    AccessToken, Attempt, AttemptOutcome, Bearer, BoxFuture, Clock, Decision, Error, ErrorKind,
    Guid, HttpTransport, Idempotency, Request, Response, ResponseClass, ResponseLimit, RetryPolicy,
    SecureRandom, StopReason, SystemClock, SystemRandom, Timeout, TransportError,
    TransportErrorKind,
    cloud::{is_metadata, is_safe},
    request::after_tries,
    retry::retry_after,
    transport::PlainHttp,
};

/// The send path of token requests, Graph requests, pages and batches.
///
/// It sends to the configured hosts only, adds token and request ID, retries within limits of attempts and
/// time what may be sent again, and gets a new token after the first 401 of a call. Cheap to clone.
#[derive(Clone)]
pub struct Pipeline(Arc<Inner>);

struct Inner {
    transport: Arc<dyn HttpTransport>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn SecureRandom>,
    policy: RetryPolicy,
    origins: Vec<Origin>,
    metadata: Vec<Origin>,
    metadata_secret: Option<HeaderName>,
    user_agent: HeaderValue,
    response_limit: u64,
}

/// Settings of a [`Pipeline`].
#[must_use = "a builder does nothing until `build` is called"]
pub struct PipelineBuilder(Inner);

impl Pipeline {
    /// A pipeline over this transport, with the system's clock and the policy for Graph requests.
    pub fn builder(transport: Arc<dyn HttpTransport>) -> PipelineBuilder {
        PipelineBuilder(Inner {
            transport,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            policy: RetryPolicy::for_graph(),
            origins: Vec::new(),
            metadata: Vec::new(),
            metadata_secret: None,
            user_agent: HeaderValue::from_static(concat!(
                "entra-sdk-rust/",
                env!("CARGO_PKG_VERSION")
            )),
            response_limit: RESPONSE_LIMIT,
        })
    }

    /// The clock of this pipeline's waits.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// The source of its request IDs and jitter.
    #[must_use]
    pub fn random(&self) -> &Arc<dyn SecureRandom> {
        &self.0.random
    }

    /// The limits of its retries.
    #[must_use]
    pub fn policy(&self) -> &RetryPolicy {
        &self.0.policy
    }

    /// Checks that requests, and tokens with them, may be sent to this URL.
    ///
    /// # Errors
    /// [`ErrorKind::Policy`] for another origin than the configured ones, an insecure one, or a URL with credentials.
    pub fn check(&self, url: &Url) -> Result<(), Error> {
        if !is_safe(url) {
            return Err(Error::policy(format!(
                "not sent to {}://{}: the URL must be https (http on loopback only)",
                url.scheme(),
                url.host_str().unwrap_or_default()
            )));
        }
        // A name and password in a URL are credentials, and belong neither there nor into logs.
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::policy(format!(
                "not sent to {}: the URL has a user name or password in it",
                url.origin().ascii_serialization()
            )));
        }
        if !self.0.origins.contains(&url.origin()) {
            return Err(Error::policy(format!(
                "not sent to {}: only the configured hosts get requests and tokens",
                url.origin().ascii_serialization()
            )));
        }
        Ok(())
    }

    /// Sends the request, again if needed, and returns the last response whatever its status.
    ///
    /// # Errors
    /// [`ErrorKind::Policy`] before anything is sent, [`ErrorKind::Credential`] without a token,
    /// [`ErrorKind::Transport`] without a response, [`ErrorKind::ResponseTooLarge`] for a response larger than
    /// the limit, [`ErrorKind::Throttled`] if its [`Pacer`](crate::Pacer) does not send it within the time budget.
    pub fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Error>> {
        // Boxed, so that the send path is compiled once and not in each crate that awaits it.
        Box::pin(self.traced(request))
    }

    async fn traced(&self, request: Request) -> Result<Response, Error> {
        self.admit(&request)?;
        let id = Guid::random(&*self.0.random)?.to_string();
        let span = debug_span!(
            "entra.request",
            operation = request.operation,
            method = %request.method,
            host = request.url.host_str(),
            path = request.url.path(),
            client_request_id = %id,
            status = Empty,
            tries = Empty,
        );
        self.drive(request, &id)
            .instrument(span)
            .await
            .map_err(|error| error.with_client_request_id(&id))
    }

    /// Checks that the request may be sent: as [`check`](Self::check), or to a metadata endpoint without secrets.
    fn admit(&self, request: &Request) -> Result<(), Error> {
        if !self.is_metadata(&request.url) {
            return self.check(&request.url);
        }
        let sensitive = |(name, value): (&HeaderName, &HeaderValue)| {
            CREDENTIALS.contains(name)
                || value.is_sensitive() && self.0.metadata_secret.as_ref() != Some(name)
        };
        if request.bearer.is_some() || request.headers.iter().any(sensitive) {
            return Err(Error::policy(
                "not sent: a token or credential must not go to a metadata endpoint without TLS",
            ));
        }
        // A token request to the platform is a GET. A body could hold secrets, assertions or refresh tokens.
        if !request.body.is_empty() {
            return Err(Error::policy(
                "not sent: a body must not go to a metadata endpoint without TLS",
            ));
        }
        Ok(())
    }

    /// Whether this is a metadata endpoint of the platform, which has no TLS.
    fn is_metadata(&self, url: &Url) -> bool {
        self.0.metadata.contains(&url.origin()) && is_metadata(url)
    }

    async fn drive(&self, request: Request, id: &str) -> Result<Response, Error> {
        let policy = RetryPolicy {
            budget: request.budget.unwrap_or(self.0.policy.budget),
            ..self.0.policy.clone()
        };
        let started = self.0.clock.monotonic();
        let mut bearer = request.bearer.clone();
        let mut challenged = false;
        let (mut counted, mut tries) = (0, 0);
        let mut unsure = false;
        // Waits for limits that many requests share do not count as time of this call.
        let (mut paced, mut charged) = (Duration::ZERO, Duration::ZERO);
        // The part of them that the pacer waits before the next attempt, and what the attempt before it got.
        let (mut taken, mut last) = (Duration::ZERO, None);
        loop {
            if let Some(pacer) = &request.pacer {
                let asked = self.0.clock.monotonic();
                let elapsed = self.0.clock.elapsed(started).saturating_sub(paced);
                let spent = elapsed + charged.saturating_sub(taken);
                // The policy has allowed the wait of this call itself.
                let left = policy.budget.saturating_sub(spent).max(taken);
                if let Err(closed) = pacer.admit(left).await {
                    debug!(?closed, "not sent: a limit is closed for too long");
                    let Some(outcome) = last else {
                        return Err(Error::throttled(closed, left));
                    };
                    let stop_reason = StopReason::RetryAfterBeyondBudget {
                        retry_after: closed,
                        left,
                    };
                    return finish(
                        outcome,
                        &Sent {
                            tries,
                            unsure,
                            elapsed: self.0.clock.elapsed(started),
                            idempotency: request.idempotency,
                            stop_reason: Some(stop_reason),
                            retry_after: Some(closed),
                            id,
                        },
                    );
                }
                paced += self.0.clock.elapsed(asked);
                taken = Duration::ZERO;
            }
            let spent = |now: Duration| now.saturating_sub(paced) + charged;
            let token = match &bearer {
                Some(Bearer {
                    credential,
                    request,
                }) => Some(credential.token(request).await?),
                None => None,
            };
            counted += 1;
            tries += 1;
            let left = policy
                .budget
                .saturating_sub(spent(self.0.clock.elapsed(started)));
            let limit = ResponseLimit(request.response_limit.unwrap_or(self.0.response_limit));
            let wire = self.wire(&request, id, token.as_ref(), (left, limit))?;
            let outcome = within(self.0.transport.send(wire).await, limit);

            if let (Ok(response), Some(sent), false) = (&outcome, &bearer, challenged)
                && response.status() == StatusCode::UNAUTHORIZED
            {
                // The server rejected the token. Try once more with a new one.
                bearer = Some(refreshed(sent, response.headers()));
                challenged = true;
                counted -= 1;
                debug!("401: requesting a new token once");
                continue;
            }

            let retry_after = outcome
                .as_ref()
                .ok()
                .and_then(|response| self.retry_after(response.headers()));
            let attempt = Attempt {
                outcome: judge(&outcome, &request),
                idempotency: request.idempotency,
                counted,
                tries,
                elapsed: spent(self.0.clock.elapsed(started)),
                retry_after,
                throttled: outcome
                    .as_ref()
                    .is_ok_and(|response| response.status() == StatusCode::TOO_MANY_REQUESTS),
                jitter: self.0.random.fraction(),
            };
            let decision = policy.decide(&attempt);
            let wait = match decision {
                Decision::Retry { wait, .. } => Some(wait),
                _ => None,
            };
            let delayed = match (&request.pacer, &outcome) {
                (Some(pacer), Ok(response)) => pacer.observe(response, wait),
                _ => false,
            };
            let stop_reason = match decision {
                Decision::Done => None,
                Decision::Stop(reason) => Some(reason),
                Decision::Retry { wait, counts } => {
                    debug!(?wait, tries, outcome = ?attempt.outcome, "trying again");
                    if delayed {
                        charged += wait;
                        taken = wait;
                    } else {
                        self.0.clock.sleep(wait).await;
                    }
                    counted -= u32::from(!counts);
                    unsure |= attempt.outcome.may_have_been_processed();
                    last = Some(outcome);
                    continue;
                }
            };
            return finish(
                outcome,
                &Sent {
                    tries,
                    unsure,
                    elapsed: self.0.clock.elapsed(started),
                    idempotency: request.idempotency,
                    stop_reason,
                    retry_after,
                    id,
                },
            );
        }
    }

    fn wire(
        &self,
        request: &Request,
        id: &str,
        token: Option<&AccessToken>,
        (left, limit): (Duration, ResponseLimit),
    ) -> Result<http::Request<Bytes>, Error> {
        let mut wire = http::Request::new(request.body.clone());
        *wire.method_mut() = request.method.clone();
        *wire.uri_mut() = request.url.as_str().parse().map_err(|source| {
            Error::configuration("the address cannot be sent as a request line").with_source(source)
        })?;
        let headers = wire.headers_mut();
        *headers = request.headers.clone();
        headers.insert(header::USER_AGENT, self.0.user_agent.clone());
        headers.insert(CLIENT_REQUEST_ID, header_value(id)?);
        headers.insert(RETURN_CLIENT_REQUEST_ID, HeaderValue::from_static("true"));
        if let Some(token) = token {
            let mut value = header_value(&format!("Bearer {}", token.expose_secret()))?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        if self.is_metadata(&request.url) {
            wire.extensions_mut().insert(PlainHttp);
        }
        // The last try gets some time even if the budget ended during the wait before it.
        wire.extensions_mut().insert(Timeout(left.max(LEAST_TIME)));
        wire.extensions_mut().insert(limit);
        Ok(wire)
    }

    /// The wait that a response with these headers asks for. A date is compared with the response's own `Date`.
    #[must_use]
    pub fn retry_after(&self, headers: &HeaderMap) -> Option<Duration> {
        retry_after(headers, self.0.clock.now())
    }
}

impl fmt::Debug for Pipeline {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("policy", &self.0.policy)
            .field("origins", &self.0.origins)
            .field("metadata", &self.0.metadata)
            .finish_non_exhaustive()
    }
}

impl PipelineBuilder {
    /// Allows requests to the origin (scheme, host and port) of this URL. Without an origin none are sent.
    pub fn origin(mut self, url: &Url) -> Self {
        self.0.origins.push(url.origin());
        self
    }

    /// Allows requests without token, credential or body to a metadata service of the platform over plain `http`.
    ///
    /// A credential is every header value that [is marked sensitive](HeaderValue::is_sensitive), whatever its
    /// name, and `Authorization`, `Proxy-Authorization` and `Cookie` in any case. The one exception is
    /// [`metadata_secret_header`](Self::metadata_secret_header).
    ///
    /// Virtual machines and app hosts offer tokens on a link-local or private address that only they
    /// can reach, such as `http://169.254.169.254`. Only this origin is allowed, no proxy is used, and all
    /// other requests still need `https` or loopback.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] unless it is `http` to a numeric link-local or private address.
    #[inline]
    pub fn metadata_endpoint(mut self, url: &Url) -> Result<Self, Error> {
        if !is_metadata(url) {
            return Err(Error::configuration(format!(
                "{}://{} is not a metadata endpoint: it must be http to a numeric link-local or private address",
                url.scheme(),
                url.host_str().unwrap_or_default()
            )));
        }
        self.0.metadata.push(url.origin());
        Ok(self)
    }

    /// The header with the secret that the platform gave to this process for its metadata endpoint, such as
    /// `X-IDENTITY-HEADER`: the only sensitive header that is sent there.
    #[inline]
    pub fn metadata_secret_header(mut self, name: HeaderName) -> Self {
        self.0.metadata_secret = Some(name);
        self
    }

    /// The clock to measure and wait with.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.0.clock = clock;
        self
    }

    /// The source of request ids and jitter.
    pub fn random(mut self, random: Arc<dyn SecureRandom>) -> Self {
        self.0.random = random;
        self
    }

    /// The limits of retries.
    pub fn policy(mut self, policy: RetryPolicy) -> Self {
        self.0.policy = policy;
        self
    }

    /// A product token for the `User-Agent` header, put before the SDK's own.
    ///
    /// # Errors
    /// When the text has characters that a header cannot hold.
    #[inline]
    pub fn application(mut self, product: &str) -> Result<Self, Error> {
        self.0.user_agent = header_value(&format!(
            "{product} entra-sdk-rust/{}",
            env!("CARGO_PKG_VERSION")
        ))?;
        Ok(self)
    }

    /// The most bytes of a response body, after decompression; 64 MiB unless set here or by the
    /// [`Request`]. It is enforced while reading, whatever length the response announces.
    pub fn response_limit(mut self, bytes: u64) -> Self {
        self.0.response_limit = bytes;
        self
    }

    /// The pipeline.
    #[must_use]
    pub fn build(self) -> Pipeline {
        Pipeline(Arc::new(self.0))
    }
}

impl fmt::Debug for PipelineBuilder {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineBuilder")
            .field("origins", &self.0.origins)
            .finish_non_exhaustive()
    }
}

/// The facts of a call beside its last response.
struct Sent<'a> {
    tries: u32,
    /// Whether an attempt before the last may have been processed.
    unsure: bool,
    elapsed: Duration,
    idempotency: Idempotency,
    stop_reason: Option<StopReason>,
    retry_after: Option<Duration>,
    id: &'a str,
}

/// Rejects a response beyond the limit from a transport that did not enforce it.
fn within(
    outcome: Result<http::Response<Bytes>, TransportError>,
    limit: ResponseLimit,
) -> Result<http::Response<Bytes>, TransportError> {
    let response = outcome?;
    match u64::try_from(response.body().len()) {
        Ok(length) if length <= limit.0 => Ok(response),
        _ => Err(TransportError::response_too_large(limit)),
    }
}

fn finish(
    outcome: Result<http::Response<Bytes>, TransportError>,
    sent: &Sent<'_>,
) -> Result<Response, Error> {
    let Sent {
        tries,
        unsure,
        elapsed,
        idempotency,
        stop_reason,
        retry_after,
        id,
    } = *sent;
    let span = tracing::Span::current();
    span.record("tries", tries);
    match outcome {
        Ok(response) => {
            let (parts, body) = response.into_parts();
            span.record("status", parts.status.as_u16());
            Ok(Response {
                status: parts.status,
                headers: parts.headers,
                body,
                tries,
                earlier_may_have_been_processed: unsure,
                elapsed,
                stop_reason,
                client_request_id: id.to_owned(),
                retry_after,
            })
        }
        Err(source) => {
            debug!(kind = ?source.kind(), "no response");
            let after = after_tries(tries, elapsed);
            if source.kind() == TransportErrorKind::ResponseTooLarge {
                let message = match idempotency {
                    Idempotency::NonIdempotent => {
                        "the response is too large, and the request may have been processed: check before sending it again"
                    }
                    _ => "the response is too large: request less at once, or raise the limit",
                };
                return Err(Error::new(ErrorKind::ResponseTooLarge, message).with_source(source));
            }
            let message = match stop_reason {
                Some(StopReason::NotRepeatable) => "no response, and the request may have been processed: check before sending it again".to_owned(),
                Some(StopReason::Budget) => format!("no response within the time budget, {after}"),
                _ => format!("no response {after}"),
            };
            Err(Error::new(ErrorKind::Transport, message).with_source(source))
        }
    }
}

fn judge(
    outcome: &Result<http::Response<Bytes>, TransportError>,
    request: &Request,
) -> AttemptOutcome {
    match outcome {
        Ok(response) => AttemptOutcome::Responded((request.classify)(
            response.status(),
            response.headers(),
            response.body(),
        )),
        // The server responded; another request gets the same response.
        Err(error) if error.kind() == TransportErrorKind::ResponseTooLarge => {
            AttemptOutcome::Responded(ResponseClass::Final)
        }
        Err(error) if error.may_have_been_processed() => AttemptOutcome::NoResponse,
        Err(error) if error.kind() == TransportErrorKind::InvalidRequest => {
            AttemptOutcome::InvalidRequest
        }
        Err(_) => AttemptOutcome::NotSent,
    }
}

fn refreshed(sent: &Bearer, headers: &HeaderMap) -> Bearer {
    let request = sent.request.clone().after_rejection(headers);
    Bearer::new(Arc::clone(&sent.credential), request)
}

fn header_value(text: &str) -> Result<HeaderValue, Error> {
    // The text may be a token, so the error does not repeat it.
    HeaderValue::from_str(text).map_err(|source| {
        Error::configuration("a header value has characters that HTTP does not allow")
            .with_source(source)
    })
}

/// Headers that are never sent without TLS, marked sensitive or not.
const CREDENTIALS: [HeaderName; 3] = [
    header::AUTHORIZATION,
    header::PROXY_AUTHORIZATION,
    header::COOKIE,
];
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");
const RETURN_CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("return-client-request-id");
const LEAST_TIME: Duration = Duration::from_secs(1);
/// Far above any page of Graph, and small enough for memory.
const RESPONSE_LIMIT: u64 = 64 * 1024 * 1024;
