//! A sign-in service whose token endpoint returns the responses of a test.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use entra_auth::{
    SignInClient,
    sign_in::{SignInClientBuilder, SignInError, SignInResult},
    user::{ClientAuthentication, PendingSignIn, StartOptions},
};
use entra_core::{
    HttpTransport, ManualClock, RetryPolicy, Timestamp, TransportError, bytes::Bytes, http,
    time::format_description::well_known::Rfc2822,
};
use serde_json::{Value, json};

use crate::{
    support::{CLIENT, TENANT, response},
    validate_support::{SERVICE_KEY, SignIn, USER, clock, encode, id_token, with_changes},
};

pub(crate) const CALLBACK: &str = "https://shop.example/callback";

/// The metadata and keys of [`SignIn`], and a token endpoint with scripted responses.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) metadata: Arc<SignIn>,
    responses: Mutex<VecDeque<(u16, String)>>,
    forms: Mutex<Vec<String>>,
    /// The `Date` header of the token responses.
    date: Mutex<Option<Timestamp>>,
}

impl Service {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            metadata: SignIn::new(),
            responses: Mutex::default(),
            forms: Mutex::default(),
            date: Mutex::default(),
        })
    }

    /// Adds a response of the token endpoint.
    pub(crate) fn respond(&self, status: u16, body: &Value) {
        let response = (status, body.to_string());
        self.responses.lock().unwrap().push_back(response);
    }

    /// Sets the time of the service.
    pub(crate) fn set_date(&self, date: Option<Timestamp>) {
        *self.date.lock().unwrap() = date;
    }

    /// The forms that the token endpoint received.
    pub(crate) fn forms(&self) -> Vec<String> {
        self.forms.lock().unwrap().clone()
    }
}

#[async_trait]
impl HttpTransport for Service {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        if !request.uri().path().ends_with("/oauth2/v2.0/token") {
            return self.metadata.send(request).await;
        }
        let form = String::from_utf8_lossy(request.body()).into_owned();
        self.forms.lock().unwrap().push(form);
        let (status, body) = self.responses.lock().unwrap().pop_front().unwrap();
        let mut response = response(status, &body);
        if let Some(date) = *self.date.lock().unwrap() {
            let date = date.format(&Rfc2822).unwrap().replace("+0000", "GMT");
            let date = http::HeaderValue::try_from(date).unwrap();
            response.headers_mut().insert(http::header::DATE, date);
        }
        Ok(response)
    }
}

/// A connection with a service and a clock, without retries.
pub(crate) fn builder(service: &Arc<Service>, clock: &ManualClock) -> SignInClientBuilder {
    builder_for(TENANT, service, clock)
}

pub(crate) fn builder_for(
    tenant: &str,
    service: &Arc<Service>,
    clock: &ManualClock,
) -> SignInClientBuilder {
    SignInClient::builder(tenant, CLIENT, ClientAuthentication::secret("s3cr3t"))
        .redirect_uri(CALLBACK)
        .scopes(["User.Read"])
        .transport(Arc::clone(service))
        .clock(clock.clone())
        .retry_policy(RetryPolicy::once())
}

pub(crate) fn connection() -> (Arc<Service>, SignInClient) {
    let service = Service::new();
    let client = builder(&service, &clock()).build().unwrap();
    (service, client)
}

/// The callback of a successful sign-in.
pub(crate) fn callback(flow: &PendingSignIn) -> String {
    format!(
        "{CALLBACK}?code=code-c4nary-1&state={}&session_state=ss-1",
        flow.id()
    )
}

/// A serialized pending sign-in, which a test can read and change.
pub(crate) fn stored(flow: &PendingSignIn) -> Value {
    serde_json::to_value(flow).unwrap()
}

pub(crate) fn restored(stored: &Value) -> PendingSignIn {
    serde_json::from_value(stored.clone()).unwrap()
}

pub(crate) fn copy(flow: &PendingSignIn) -> PendingSignIn {
    restored(&stored(flow))
}

/// A token response with an ID token that has these changed claims, and the flow's nonce unless it is
/// changed.
pub(crate) fn success(flow: &PendingSignIn, changes: Value) -> Value {
    let claims = with_changes(id_token(), json!({ "nonce": stored(flow)["nonce"] }));
    success_of(
        &SERVICE_KEY.token(&with_changes(claims, changes)),
        USER,
        TENANT,
    )
}

/// A token response with this ID token and client information.
pub(crate) fn success_of(id_token: &str, uid: &str, utid: &str) -> Value {
    json!({
        "token_type": "Bearer", "access_token": "at-1", "expires_in": 3600, "refresh_token": "rt-1",
        "id_token": id_token, "client_info": encode(json!({ "uid": uid, "utid": utid }).to_string()),
    })
}

/// Signs in with an ID token that has these claims changed.
pub(crate) async fn sign_in(
    service: &Service,
    client: &SignInClient,
    changes: Value,
) -> Result<SignInResult, SignInError> {
    sign_in_with(service, client, &StartOptions::default(), changes).await
}

pub(crate) async fn sign_in_with(
    service: &Service,
    client: &SignInClient,
    options: &StartOptions,
    changes: Value,
) -> Result<SignInResult, SignInError> {
    let (_, flow) = client.start(options).unwrap();
    service.respond(200, &success(&flow, changes));
    let callback = callback(&flow);
    client.finish(flow, &callback).await
}
