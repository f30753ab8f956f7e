use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::Poll,
};

use async_trait::async_trait;
use entra_auth::{ClientSecretCredential, ClientSecretCredentialBuilder, Error};
use entra_core::{
    AccessToken, CredentialError, HttpTransport, TokenCredential, TokenRequest, TransportError,
    bytes::Bytes, http, url::form_urlencoded,
};
use tokio::sync::watch;

pub(crate) const TENANT: &str = "11111111-1111-1111-1111-111111111111";
pub(crate) const CLIENT: &str = "22222222-2222-2222-2222-222222222222";
pub(crate) const SCOPE: &str = "https://graph.microsoft.com/.default";

/// A sign-in service that responds when the test lets it, each time with a token of its own that names
/// everything it was requested.
#[derive(Debug)]
pub(crate) struct Service {
    count: AtomicU64,
    open: watch::Sender<bool>,
    requested: Mutex<Vec<String>>,
    /// How often each request yields before its response.
    yields: AtomicU64,
    failing: AtomicBool,
    extra: &'static str,
}

impl Service {
    /// One that responds at once.
    pub(crate) fn new() -> Arc<Self> {
        Self::with(true, r#","expires_in":3600"#)
    }

    /// One that responds only after `open`.
    pub(crate) fn closed() -> Arc<Self> {
        Self::with(false, r#","expires_in":3600"#)
    }

    /// One whose responses have these members beside type and token.
    pub(crate) fn responding(extra: &'static str) -> Arc<Self> {
        Self::with(true, extra)
    }

    fn with(open: bool, extra: &'static str) -> Arc<Self> {
        Arc::new(Self {
            count: AtomicU64::new(0),
            open: watch::Sender::new(open),
            requested: Mutex::default(),
            yields: AtomicU64::new(0),
            failing: AtomicBool::new(false),
            extra,
        })
    }

    pub(crate) fn open(&self) {
        self.open.send_replace(true);
    }

    pub(crate) fn close(&self) {
        self.open.send_replace(false);
    }

    pub(crate) fn fail(&self, failing: bool) {
        self.failing.store(failing, Ordering::SeqCst);
    }

    pub(crate) fn yield_first(&self, times: u64) {
        self.yields.store(times, Ordering::SeqCst);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// The requests as `path?form`, without the secret.
    pub(crate) fn requested(&self) -> Vec<String> {
        self.requested.lock().unwrap().clone()
    }
}

#[async_trait]
impl HttpTransport for Service {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        let form: String = form_urlencoded::parse(request.body())
            .filter(|(name, _)| name != "client_secret" && name != "grant_type")
            .map(|(name, value)| format!("{name}={value};"))
            .collect();
        let requested = format!(
            "{}{}?{form}",
            request.uri().authority().unwrap(),
            request.uri().path()
        );
        self.requested.lock().unwrap().push(requested.clone());
        for _ in 0..self.yields.load(Ordering::SeqCst) {
            yield_once().await;
        }
        self.open.subscribe().wait_for(|open| *open).await.unwrap();
        if self.failing.load(Ordering::SeqCst) {
            return Ok(response(503, "<html>down</html>"));
        }
        let token: String =
            form_urlencoded::byte_serialize(format!("{number}|{requested}").as_bytes()).collect();
        Ok(response(
            200,
            &format!(
                r#"{{"token_type":"Bearer","access_token":"{token}"{}}}"#,
                self.extra
            ),
        ))
    }
}

pub(crate) fn response(status: u16, body: &str) -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::copy_from_slice(body.as_bytes()));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
    response
}

/// What a token of `Service` was requested: its number and `path?form`.
pub(crate) fn decode(token: &AccessToken) -> (u64, String) {
    let text: String = form_urlencoded::parse(token.expose_secret().as_bytes())
        .map(|(name, _)| name.into_owned())
        .collect();
    let (number, requested) = text.split_once('|').unwrap();
    (number.parse().unwrap(), requested.to_owned())
}

pub(crate) fn builder(service: &Arc<Service>) -> ClientSecretCredentialBuilder {
    ClientSecretCredential::builder(TENANT, CLIENT, "s3cr3t").transport(Arc::clone(service))
}

pub(crate) fn graph() -> TokenRequest {
    TokenRequest::new([SCOPE])
}

/// Which request's token the credential gives now.
pub(crate) async fn number(credential: &ClientSecretCredential, request: &TokenRequest) -> u64 {
    decode(&credential.token(request).await.unwrap()).0
}

/// This crate's error in a credential's error.
pub(crate) fn detail(error: &CredentialError) -> &Error {
    Error::find(error).unwrap()
}

/// Polls once and gives back the response if there already is one.
pub(crate) async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    poll_fn(|context| {
        Poll::Ready(match Pin::new(&mut *future).poll(context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}

/// Lets other tasks run, on any executor.
pub(crate) async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Lets every task of a current-thread runtime get as far as it can.
pub(crate) async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// Numbers that repeat for a seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
