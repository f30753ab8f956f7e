use std::{borrow::Cow, sync::Arc, time::Duration};

use entra_core::{
    AccessToken, Cloud, Error as CoreError, ErrorKind as CoreErrorKind, Idempotency, Pipeline,
    Request, Response, ResponseClass, SecureRandom, StopReason, TenantId, Timestamp,
    http::{HeaderMap, Method, StatusCode, header},
    url::Url,
};

use crate::{
    Error, ErrorKind, TokenCache,
    aadsts::{Aadsts, Class},
    capabilities::Capabilities,
    form::Form,
    region::Region,
    retry_mode::RetryMode,
    settings::Settings,
    skew::ClockDifference,
    wire::{
        MalformedResponse, OAuthError, TokenResponse, UserTokenFields, is_transient_status, token,
    },
};

/// The client of the token endpoint, which redeems every grant.
#[derive(Clone, Debug)]
pub(crate) struct TokenEndpoint {
    cloud: Cloud,
    with_retries: Pipeline,
    without_retries: Pipeline,
    capabilities: Capabilities,
    cache: TokenCache,
    region: Option<Region>,
    random: Arc<dyn SecureRandom>,
}

/// One grant to redeem.
#[derive(Debug)]
pub(crate) struct Grant<'a> {
    pub(crate) operation: &'static str,
    pub(crate) tenant: &'a TenantId,
    pub(crate) form: Form,
    pub(crate) idempotency: Idempotency,
    pub(crate) retry_mode: RetryMode,
}

impl TokenEndpoint {
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        let transport = settings.transport()?;
        let region = match &settings.region {
            Some(name) => Some(Region::new(name, &settings.cloud)?),
            None => None,
        };
        let mut origins = settings.cloud.sign_in_origins();
        origins.extend(region.iter().map(|region| region.root.clone()));
        let pipeline = |policy| {
            let builder = Pipeline::builder(transport.clone());
            origins
                .iter()
                .fold(builder, |builder, origin| builder.origin(origin))
                .clock(settings.clock.clone())
                .random(settings.random.clone())
                .policy(policy)
                .response_limit(crate::response_limits::TOKENS)
                .build()
        };
        Ok(Self {
            cloud: settings.cloud.clone(),
            with_retries: pipeline(settings.retry_policy.clone()),
            without_retries: pipeline(settings.retry_policy.clone().with_max_attempts(1)),
            capabilities: settings.capabilities.clone(),
            cache: settings.cache.clone(),
            region,
            random: Arc::clone(&settings.random),
        })
    }

    /// Sends the grant and reads the token that comes back.
    pub(crate) async fn redeem(&self, grant: &Grant<'_>) -> Result<AccessToken, Error> {
        self.redeem_all(grant).await.map(|(token, _)| token)
    }

    /// As [`redeem`](Self::redeem), with the tokens of a user's sign-in.
    pub(crate) async fn redeem_all(
        &self,
        grant: &Grant<'_>,
    ) -> Result<(AccessToken, UserTokenFields), Error> {
        let (pipeline, classify): (_, Classifier) = match grant.retry_mode {
            RetryMode::Full => (&self.with_retries, classify),
            // A `Retry-After` must not make a single try wait.
            RetryMode::Once => (&self.without_retries, |_, _, _| ResponseClass::Final),
        };
        let mut url = self.cloud.token_endpoint(grant.tenant);
        if let Some(region) = &self.region {
            url = region.regional_url(&url);
        }
        let claims = self.capabilities.merge(grant.form.plain("claims"));
        let form = grant.form.clone().with("claims", claims.as_deref());
        let identity = form.identity(url.as_str());
        let throttle = self.cache.throttle();
        throttle.check(&identity, pipeline.clock().monotonic())?;
        let request = Request::new(grant.operation, Method::POST, url)
            .with_header(
                header::ACCEPT,
                header::HeaderValue::from_static("application/json"),
            )
            .with_body("application/x-www-form-urlencoded", form.encode())
            .with_idempotency(grant.idempotency)
            .with_classifier(classify);
        let response = pipeline
            .send(request)
            .await
            .map_err(|error| self.unsent(error))?;
        let parsed = TokenResponse::parse(&response.body);
        // Some services report an error with the status of a success.
        let is_hidden_error = parsed.is_err() && OAuthError::parse(&response.body).is_some();
        if response.status != StatusCode::OK || is_hidden_error {
            let now = pipeline.clock().now();
            let error = with_clock(response_error(&response, &form), &response, now);
            throttle.remember(identity, &error, pipeline.clock().monotonic());
            return Err(error);
        }
        let now = pipeline.clock().now();
        let clock_difference = ClockDifference::of_response(&response, now);
        let mut response = parsed.map_err(|error| malformed(&response, error))?;
        response.user_fields.clock_difference = clock_difference;
        let token = AccessToken::new(response.access_token, now + response.expires_in);
        let token = match response.refresh_in {
            Some(refresh_in) => {
                let wait = spread(refresh_in, response.expires_in, self.random.fraction());
                token.with_refresh_on(now + wait)
            }
            None => token,
        };
        Ok((token, response.user_fields))
    }

    /// Asks for something else than a token; gives the body of a success.
    pub(crate) async fn send_form(
        &self,
        operation: &'static str,
        url: Url,
        form: &Form,
    ) -> Result<Response, Error> {
        let request = Request::new(operation, Method::POST, url)
            .with_body("application/x-www-form-urlencoded", form.encode())
            .with_idempotency(Idempotency::Safe)
            .with_classifier(classify);
        let response = self
            .with_retries
            .send(request)
            .await
            .map_err(|error| self.unsent(error))?;
        if response.status == StatusCode::OK && OAuthError::parse(&response.body).is_none() {
            return Ok(response);
        }
        Err(response_error(&response, form))
    }

    fn unsent(&self, error: CoreError) -> Error {
        let host = self.cloud.authority().host_str().unwrap_or_default();
        let id = error.client_request_id().map(str::to_owned);
        let error = match error.kind() {
            CoreErrorKind::ResponseTooLarge => Error::response_too_large(host, error),
            CoreErrorKind::Transport => Error::new(
                ErrorKind::Transport,
                "the sign-in service could not be reached",
            )
            .with(|inner| {
                inner.fix = Some(
                    format!(
                        "check network, DNS, proxy and trusted certificates on the way to {host}"
                    )
                    .into(),
                );
            })
            .with_source(error),
            _ => Error::configuration(
                "the token request could not be sent",
                format!("check the cloud's authority ({host}) and the transport's settings"),
            )
            .with_source(error),
        };
        error.with(|inner| inner.correlation_id = id)
    }
}

/// When to replace a token early: never before the service's word, and up to five minutes after it,
/// so that replicas which began together do not ask together.
fn spread(refresh_in: Duration, expires_in: Duration, fraction: f64) -> Duration {
    let room = expires_in.saturating_sub(refresh_in) / 4;
    refresh_in + room.min(WIDEST_SPREAD).mul_f64(fraction)
}

type Classifier = fn(StatusCode, &HeaderMap, &[u8]) -> ResponseClass;

/// What a response means for another try. An error response is final; Entra also sends passing faults as 4xx.
fn classify(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> ResponseClass {
    if status.is_success() || status.is_redirection() {
        return ResponseClass::Final;
    }
    let error_response = OAuthError::parse(body).unwrap_or_default();
    // The loop detector counts every further try, so only its own Retry-After may bring one.
    if error_response.codes.first() == Some(&LOOP_DETECTED)
        && !headers.contains_key(header::RETRY_AFTER)
    {
        return ResponseClass::Final;
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        return ResponseClass::NotProcessed;
    }
    if is_transient_status(status) {
        return ResponseClass::Transient;
    }
    match (
        known(&error_response),
        error_response.oauth_error.as_deref(),
    ) {
        (Some(entry), _) if !entry.is_retryable() => ResponseClass::Final,
        (Some(entry), _) if entry.class() == Class::Throttled => ResponseClass::NotProcessed,
        (Some(entry), _) if entry.class() == Class::Service => ResponseClass::Transient,
        (None, Some("temporarily_unavailable" | "server_error")) => ResponseClass::Transient,
        _ => ResponseClass::Final,
    }
}

/// The typed error of an error response, which may also come in a callback.
#[inline]
pub(crate) fn service_error(error_response: OAuthError) -> Error {
    let entry = known(&error_response);
    let class = class(StatusCode::BAD_REQUEST, &error_response, entry);
    let fix = entry.map_or(class.fix(), Aadsts::fix);
    Error::new(class.kind(), class.summary()).with(|inner| {
        inner.retryable = entry.is_some_and(Aadsts::is_retryable);
        inner.cause = entry.and_then(Aadsts::cause).map(Into::into);
        inner.fix = Some(fix.into());
        inner.codes = error_response.codes;
        inner.oauth_error = error_response.oauth_error;
        inner.suberror = error_response.suberror;
        inner.service_message = error_response.message;
        inner.correlation_id = error_response.correlation_id;
        inner.trace_id = error_response.trace_id;
    })
}

/// The typed error of a response that is not a success.
fn response_error(response: &Response, form: &Form) -> Error {
    let status = response.status;
    let error_response = OAuthError::parse(&response.body);
    let is_oauth = error_response.is_some();
    let redact = |text: String| form.redact(text);
    let error_response = error_response.unwrap_or_default().without_secrets(redact);
    let id = |name: &str| {
        let id = response.header(name).and_then(token);
        id.filter(|id| redact(id.clone()) == *id)
    };
    let entry = known(&error_response);
    let class = class(status, &error_response, entry);
    let (kind, summary, cause, fix): (_, Cow<'static, str>, _, Cow<'static, str>) = match entry {
        Some(entry) if entry.class() == class => (
            class.kind(),
            class.summary().into(),
            entry.cause(),
            entry.fix().into(),
        ),
        _ if is_oauth || class == Class::Throttled || class == Class::Service => {
            (class.kind(), class.summary().into(), None, class.fix().into())
        }
        _ => (
            ErrorKind::Protocol,
            "the token endpoint returned no OAuth error".into(),
            None,
            "check that the cloud's authority is a sign-in service and that no proxy responds in its place".into(),
        ),
    };
    let summary = with_tries(summary, response);
    // The message may name the account, so it is in no report about a user.
    let is_of_application = form.plain("grant_type") == Some("client_credentials");
    let said = error_response.message.as_deref();
    let cause = with_message(cause, said.filter(|_| is_of_application), &fix);
    Error::new(kind, summary).with(|inner| {
        inner.status = Some(status.as_u16());
        inner.retryable = entry.is_some_and(Aadsts::is_retryable);
        inner.cause = cause.map(Into::into);
        inner.fix = Some(fix);
        inner.codes = error_response.codes;
        inner.oauth_error = error_response.oauth_error;
        inner.suberror = error_response.suberror;
        inner.timestamp = error_response.timestamp;
        inner.claims = error_response.claims;
        inner.retry_after = response.retry_after;
        inner.service_message = error_response.message;
        inner.is_of_application = form.plain("grant_type") == Some("client_credentials");
        inner.correlation_id = error_response
            .correlation_id
            .or_else(|| id("client-request-id"))
            .or_else(|| Some(response.client_request_id.clone()));
        inner.trace_id = error_response.trace_id.or_else(|| id("x-ms-request-id"));
    })
}

/// Adds the wrong clock of this machine as the cause of an error about a validity period.
fn with_clock(error: Error, response: &Response, now: Timestamp) -> Error {
    if !error.codes().iter().any(|code| TIME_ERRORS.contains(code)) {
        return error;
    }
    let difference = ClockDifference::of_response(response, now);
    let Some(difference) = difference.filter(|difference| difference.is_wrong()) else {
        return error;
    };
    error.with(|inner| {
        inner.clock_difference = Some(difference);
        inner.cause = Some(difference.sentence().into());
        inner.fix = Some("correct the clock of this machine, and synchronize it by NTP".into());
    })
}

/// The cause with the service's message, where the catalogue has no cause or its fix refers to the message.
#[inline]
pub(crate) fn with_message(
    cause: Option<&'static str>,
    message: Option<&str>,
    fix: &str,
) -> Option<Cow<'static, str>> {
    match (cause, message) {
        (Some(cause), Some(message)) if fix.contains("service's message") => {
            Some(format!("{cause}: {message}").into())
        }
        (Some(cause), _) => Some(cause.into()),
        (None, message) => message.map(|message| message.to_owned().into()),
    }
}

#[inline]
fn malformed(response: &Response, MalformedResponse(what): MalformedResponse) -> Error {
    Error::new(ErrorKind::Protocol, "the token response is invalid").with(|inner| {
        inner.status = Some(response.status.as_u16());
        inner.cause = Some(what.into());
        inner.fix = Some("check that the cloud's authority is a sign-in service and that no proxy changes its responses".into());
        inner.correlation_id = Some(response.client_request_id.clone());
        inner.trace_id = response.header("x-ms-request-id").and_then(token);
    })
}

#[inline]
fn class(status: StatusCode, error_response: &OAuthError, entry: Option<&Aadsts>) -> Class {
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Class::Throttled;
    }
    if let Some(entry) = entry {
        return entry.class();
    }
    if is_transient_status(status) || status.is_server_error() {
        return Class::Service;
    }
    if INTERACTIVE.contains(&error_response.suberror.as_deref().unwrap_or_default()) {
        return Class::Interaction;
    }
    Class::of_oauth_error(error_response.oauth_error.as_deref().unwrap_or_default())
}

/// The first known number: an umbrella code such as 70002 may hide a better one behind it.
#[inline]
fn known(error_response: &OAuthError) -> Option<&'static Aadsts> {
    let mut entries = error_response
        .codes
        .iter()
        .filter_map(|code| Aadsts::lookup(*code));
    let first = entries.next()?;
    if first.code() == UMBRELLA {
        return entries.next().or(Some(first));
    }
    Some(first)
}

/// The summary of an error response: what the service asked to wait, if that was too long, and how many tries there were.
pub(crate) fn with_tries(summary: Cow<'static, str>, response: &Response) -> Cow<'static, str> {
    let summary = waiting(response.stop_reason.as_ref()).map_or(summary, Cow::from);
    match response.tries {
        1 => summary,
        _ => format!("{summary}, {}", response.after_tries()).into(),
    }
}

fn waiting(stop_reason: Option<&StopReason>) -> Option<String> {
    match stop_reason {
        Some(StopReason::RetryAfterBeyondBudget { retry_after, left }) => Some(format!(
            "the sign-in service asked to wait {} s, but only {} s of the time budget are left",
            round_up(*retry_after),
            left.as_secs()
        )),
        _ => None,
    }
}

const fn round_up(duration: Duration) -> u64 {
    duration.as_secs() + (duration.subsec_nanos() > 0) as u64
}

const LOOP_DETECTED: u32 = 50196;
const UMBRELLA: u32 = 70002;
/// An assertion, an on-behalf-of token or a certificate outside of its validity period.
const TIME_ERRORS: [u32; 3] = [700_024, 500_133, 1_000_502];
const INTERACTIVE: [&str; 4] = [
    "basic_action",
    "additional_action",
    "consent_required",
    "user_password_expired",
];

const WIDEST_SPREAD: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_transient_errors_are_retried() {
        let retry_after = {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("60"));
            headers
        };
        let none = HeaderMap::new();
        let code = |code: u32| format!(r#"{{"error":"x","error_codes":[{code}]}}"#);
        let table = [
            (200, &none, String::new(), ResponseClass::Final),
            (302, &none, String::new(), ResponseClass::Final),
            (404, &none, "<html>".to_owned(), ResponseClass::Final),
            (400, &none, code(7_000_215), ResponseClass::Final),
            (401, &none, code(7_000_222), ResponseClass::Final),
            (400, &none, code(90_033), ResponseClass::Transient),
            (400, &none, code(90_055), ResponseClass::NotProcessed),
            (400, &none, code(700_024), ResponseClass::Final),
            (400, &none, code(70_021), ResponseClass::Final),
            (400, &none, code(50_196), ResponseClass::Final),
            (429, &none, code(50_196), ResponseClass::Final),
            (429, &retry_after, code(50_196), ResponseClass::NotProcessed),
            (429, &none, String::new(), ResponseClass::NotProcessed),
            (503, &none, "<html>".to_owned(), ResponseClass::Transient),
            (500, &none, String::new(), ResponseClass::Transient),
            (501, &none, String::new(), ResponseClass::Final),
            (
                400,
                &none,
                r#"{"error":"temporarily_unavailable"}"#.to_owned(),
                ResponseClass::Transient,
            ),
            (
                400,
                &none,
                r#"{"error":"server_error"}"#.to_owned(),
                ResponseClass::Transient,
            ),
            (
                400,
                &none,
                r#"{"error":"authorization_pending"}"#.to_owned(),
                ResponseClass::Final,
            ),
        ];
        for (status, headers, body, expected) in table {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(
                classify(status, headers, body.as_bytes()),
                expected,
                "{status} {body}"
            );
        }
    }
}
