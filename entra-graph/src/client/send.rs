//! The send path of this crate.

use std::{sync::Arc, time::Duration};

use entra_core::{
    Bearer, BoxFuture, Idempotency, ResponseClass, StopReason, TokenCredential, TokenRequest,
    bytes::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    url::Url,
};

use super::{GraphClient, Prepared};
use crate::{
    error::{CONCURRENCY_VIOLATION, Error, Granted, ResponseFacts, ServiceError},
    governor::{Cost, Paced},
    model::Body,
    operation::Operation,
};

/// One request, ready to be sent, alone or in a batch.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) operation: &'static Operation,
    /// Further operations whose permissions it needs, for properties in its body.
    pub(crate) also: Vec<&'static Operation>,
    /// For a raw request: what finds the operations that it stands for.
    pub(crate) find: Option<FindOperations>,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) idempotency: Idempotency,
    pub(crate) accept: HeaderValue,
    /// With `ConsistencyLevel: eventual`, on this request and on every page after it.
    pub(crate) advanced: bool,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Option<Payload>,
    /// The time limit of the call, where it is another than the client's.
    pub(crate) budget: Option<Duration>,
    /// What it costs, where that is not that of its address.
    pub(crate) cost: Option<Cost>,
    /// Whether the caller tells errors that are only lag from real ones, and so must see them.
    pub(crate) judges_lag: bool,
}

/// Finds the operations whose permissions a request needs, by its method, its path below the version and its body. None are
/// found of a request that this crate does not know.
pub(crate) type FindOperations = fn(&Method, &str, &[u8]) -> Vec<&'static Operation>;

/// A request body.
#[derive(Clone)]
pub(crate) struct Payload {
    pub(crate) content_type: HeaderValue,
    pub(crate) bytes: Bytes,
}

/// A response with a status of success.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) client_request_id: Option<String>,
    pub(crate) stop_reason: Option<StopReason>,
    /// The number of attempts, and how long all of them took.
    pub(crate) attempts: Option<(u32, Duration)>,
    /// Whether an earlier attempt may have been processed.
    pub(crate) unsure: bool,
    pub(crate) retry_after: Option<Duration>,
}

impl Call {
    pub(crate) fn new(operation: &'static Operation, url: Url) -> Self {
        Self {
            method: operation.method.clone(),
            idempotency: operation.idempotency,
            operation,
            also: Vec::new(),
            find: None,
            url,
            accept: JSON,
            advanced: false,
            headers: Vec::new(),
            body: None,
            budget: None,
            cost: None,
            judges_lag: false,
        }
    }

    #[inline]
    pub(crate) fn with_json(mut self, bytes: Bytes) -> Self {
        self.body = Some(Payload {
            content_type: JSON,
            bytes,
        });
        self
    }

    /// With a header, which replaces one of the same name. The one for advanced queries is a property of the call, so that a
    /// resumed list has it too.
    pub(crate) fn set_header(&mut self, name: HeaderName, value: HeaderValue) {
        self.headers.retain(|(known, _)| *known != name);
        if name == CONSISTENCY_LEVEL {
            self.advanced = value.as_bytes().eq_ignore_ascii_case(b"eventual");
            if self.advanced {
                return;
            }
        }
        self.headers.push((name, value));
    }

    /// With the body of a create or an update, and the operations for the properties in it.
    pub(crate) fn with_properties(mut self, body: Body) -> Self {
        let needed = self
            .operation
            .needed_for(body.values().map(|(name, _)| name));
        let mut needed = needed.into_iter();
        if let Some(first) = needed.next() {
            self.operation = first;
        }
        self.also = needed.collect();
        self.with_json(body.into_bytes())
    }

    /// The operation that a token lacks permissions for, for the message of a 403; the path is below the version.
    fn lacking(&self, path: &str, granted: Option<&Granted>) -> &'static Operation {
        let mut all = vec![self.operation];
        all.extend(&self.also);
        if let Some(find) = self.find {
            let body = self.body.as_ref().map_or(&[][..], |body| &body.bytes[..]);
            let found = find(&self.method, path, body);
            if !found.is_empty() {
                all = found;
            }
        }
        let lacking = match granted {
            Some(granted) => all.iter().find(|operation| !granted.allows(operation)),
            // Who may write the object at all rarely lacks the permission for the rest.
            None => all.get(1),
        };
        lacking.or(all.first()).copied().unwrap_or(self.operation)
    }

    /// Whether an error says that an earlier attempt, whose response was lost, did what the request is for: the
    /// object is gone, or the reference is there or gone.
    ///
    /// Not so for credentials: a replica that does not know a new one yet says the same, and one that counted as removed by
    /// mistake would stay valid unnoticed.
    pub(crate) fn was_done(&self, error: &Error) -> bool {
        let last = self.url.path().rsplit('/').next().unwrap_or_default();
        // A raw request may have it in any case.
        let is = |known: &str| last.eq_ignore_ascii_case(known);
        match self.method.as_str() {
            "DELETE" if is("$ref") => error.is_not_found() || error.is_already_absent(),
            "DELETE" => error.is_not_found(),
            "POST" if is("$ref") => error.is_already_present(),
            "POST" if is("forceDelete") => error.is_not_found(),
            _ => false,
        }
    }

    /// The headers of the request, before those that the send path adds.
    pub(crate) fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = vec![(header::ACCEPT, self.accept.clone())];
        let prefers = self.headers.iter().any(|(name, _)| *name == PREFER);
        if !prefers {
            headers.push((PREFER, UNKNOWN_MEMBERS));
        }
        if self.advanced {
            headers.push((CONSISTENCY_LEVEL, EVENTUAL));
        }
        headers.extend(self.headers.iter().cloned());
        headers
    }
}

impl Reply {
    /// A response that says nothing.
    #[inline]
    pub(crate) fn nothing() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            client_request_id: None,
            stop_reason: None,
            attempts: None,
            unsure: false,
            retry_after: None,
        }
    }

    pub(crate) fn facts(&self) -> ResponseFacts<'_> {
        ResponseFacts {
            status: self.status,
            request_id: text(&self.headers, "request-id"),
            client_request_id: self.client_request_id.as_deref(),
            retry_after: self.retry_after,
            stop_reason: self.stop_reason,
            attempts: self.attempts,
            unsure: self.unsure,
        }
    }
}

impl GraphClient {
    /// Sends a call and returns its response, if that is a success.
    ///
    /// # Errors
    /// Every kind of [`Error`] except for `Decode`.
    pub(crate) fn execute<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Reply, Error>> {
        // Boxed, so that it is compiled once and not again with every type that is read.
        Box::pin(self.send(call))
    }

    async fn send(&self, call: &Call) -> Result<Reply, Error> {
        let mut credential: Arc<dyn TokenCredential> = self.0.credential.clone();
        let token_request = TokenRequest::new([self.0.scope.as_str()]);
        // The quota is that of the token's application and tenant, so the first requests wait for a token.
        if self.is_paced() {
            let first = self.0.credential.first_token(&token_request).await;
            let first = first
                .map_err(|error| self.with_call(entra_core::Error::from(error).into(), call))?;
            if let Some(token) = first {
                let clock = Arc::clone(&self.0.clock);
                credential = Arc::new(Prepared::new(token, credential, clock));
            }
        }
        let bearer = Bearer::new(credential, token_request);
        let mut request =
            entra_core::Request::new(call.operation.name, call.method.clone(), call.url.clone())
                .with_idempotency(call.idempotency)
                .with_classifier(classify)
                .with_bearer(bearer);
        if let Some(body) = &call.body {
            request = request
                .with_body("application/json", body.bytes.clone())
                .with_header(header::CONTENT_TYPE, body.content_type.clone());
        }
        if let Some(pacer) = self.paced(call) {
            request = request.with_pacer(Arc::new(pacer));
        }
        if let Some(budget) = call.budget {
            request = request.with_budget(budget);
        }
        for (name, value) in call.headers() {
            request = request.with_header(name, value);
        }
        let response = self
            .0
            .pipeline
            .send(request)
            .await
            .map_err(|error| self.with_call(Error::from(error), call))?;
        let mut reply = Reply {
            status: response.status,
            headers: response.headers,
            body: response.body,
            client_request_id: Some(response.client_request_id),
            stop_reason: response.stop_reason,
            attempts: Some((response.tries, response.elapsed)),
            unsure: response.earlier_may_have_been_processed,
            retry_after: response.retry_after,
        };
        if reply.status.is_success() {
            return Ok(reply);
        }
        let error = self.rejection(call, &reply);
        if reply.unsure && !call.judges_lag && call.was_done(&error) {
            reply.status = StatusCode::NO_CONTENT;
            reply.body = Bytes::new();
            return Ok(reply);
        }
        Err(error)
    }

    /// What paces a call; `None` without a governor.
    pub(crate) fn paced(&self, call: &Call) -> Option<Paced> {
        let governor = self.0.governor.as_ref()?;
        let quota = self.0.credential.quota().unwrap_or_default();
        Some(governor.paced(&quota, self.cost(call), &self.0.clock))
    }

    /// The tenant of the last token while that is valid; `None` before the first one.
    pub(crate) fn tenant_of_token(&self) -> Option<entra_core::Guid> {
        self.0.credential.tenant(self.0.clock.now())
    }

    /// Whether a governor paces the requests.
    pub(crate) fn is_paced(&self) -> bool {
        self.0.governor.is_some()
    }

    /// What a call takes of Graph's limits.
    pub(crate) fn cost(&self, call: &Call) -> Cost {
        call.cost
            .unwrap_or_else(|| Cost::of(&call.method, &self.path(&call.url), call.url.query()))
    }

    /// Turns a response with an error status into an error.
    pub(crate) fn rejection(&self, call: &Call, reply: &Reply) -> Error {
        let error = Error::service(reply.status, ServiceError::parse(&reply.body))
            .with_response(&reply.facts());
        if reply.status != StatusCode::FORBIDDEN {
            return self.with_call(error, call);
        }
        let granted = self.0.credential.granted();
        let path = self.path(&call.url);
        let operation = call.lacking(&path, granted.as_ref());
        error
            .with_call(operation, &call.method, &path, call.advanced)
            .with_granted(granted)
    }

    pub(crate) fn with_call(&self, error: Error, call: &Call) -> Error {
        error.with_call(
            call.operation,
            &call.method,
            &self.path(&call.url),
            call.advanced,
        )
    }

    /// A path as the documentation writes it, without the version unless that is another.
    fn path(&self, url: &Url) -> String {
        let base = &self.0.base;
        let path = url.path();
        let below = path
            .strip_prefix(base.path())
            .or_else(|| path.strip_prefix(base.path().strip_suffix("v1.0/")?));
        format!("/{}", below.unwrap_or(path).trim_start_matches('/'))
    }
}

/// Classifies by status, and by the one code that allows another attempt after a final status.
pub(crate) fn classify(status: StatusCode, _: &HeaderMap, body: &[u8]) -> ResponseClass {
    match status.as_u16() {
        429 => ResponseClass::NotProcessed,
        408 | 500 | 502 | 503 | 504 => ResponseClass::Transient,
        400 | 409 if ServiceError::parse(body).code.as_deref() == Some(CONCURRENCY_VIOLATION) => {
            ResponseClass::NotProcessed
        }
        _ => ResponseClass::Final,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

const CONSISTENCY_LEVEL: HeaderName = HeaderName::from_static("consistencylevel");
const EVENTUAL: HeaderValue = HeaderValue::from_static("eventual");
pub(crate) const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Without it, Graph writes new enum members as `unknownFutureValue`.
const UNKNOWN_MEMBERS: HeaderValue = HeaderValue::from_static("include-unknown-enum-members");
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
pub(crate) const TEXT: HeaderValue = HeaderValue::from_static("text/plain");
pub(crate) const ANY: HeaderValue = HeaderValue::from_static("*/*");
