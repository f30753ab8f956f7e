//! wiremock mocks of a test, which take precedence over the engine.
//!
//! They are mounted on a wiremock server behind this frontend. Its lowest-priority mock never
//! matches; that wiremock evaluates it shows that no mock of the test matched, and the request goes
//! to the engine. wiremock keeps no request that does not match, so this costs no memory.

use std::{
    collections::HashSet,
    net::SocketAddr,
    panic,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    client::conn::http1::{self, SendRequest},
    header::{CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, RETRY_AFTER, TRANSFER_ENCODING},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::Mutex as AsyncMutex};
use wiremock::{Match, Mock, MockServer, ResponseTemplate};

use super::{
    delivery,
    http::{self, ConnectionClosed, ReplyBody},
    progress::RequestBody,
    reset::ResetFlag,
};
use crate::{
    engine::Engine,
    wire::{self, Reply, WireRequest},
};

/// The wiremock server of one tenant, started when the first mock is mounted.
#[derive(Debug, Default)]
pub(super) struct Overrides {
    server: AsyncMutex<Option<MockServer>>,
    address: RwLock<Option<SocketAddr>>,
    unwanted: UnmatchedRequests,
    next_number: AtomicU64,
}

impl Overrides {
    pub(super) async fn mount(&self, mock: Mock) {
        let mut server = self.server.lock().await;
        if server.is_none() {
            let started = MockServer::builder()
                .disable_request_recording()
                .start()
                .await;
            let last = Mock::given(self.unwanted.clone())
                .respond_with(ResponseTemplate::new(404))
                .with_priority(u8::MAX);
            started.register(last).await;
            *self.address.write().unwrap_or_else(PoisonError::into_inner) =
                Some(*started.address());
            *server = Some(started);
        }
        if let Some(server) = server.as_ref() {
            server.register(mock).await;
        }
    }

    /// The address of the wiremock server, if it is started.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        *self.address.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the server and verifies the expectations of its mocks, as wiremock does.
    pub(super) fn close(&self) {
        // No mock is mounted while the tenant is dropped, so the lock is free.
        let Some(server) = self
            .server
            .try_lock()
            .ok()
            .and_then(|mut server| server.take())
        else {
            return;
        };
        // In a task that has used up its budget, the drop would wait forever for a free lock. A
        // thread of its own has no budget.
        let dropped = thread::spawn(move || drop(server)).join();
        if let Err(unmet) = dropped
            && !thread::panicking()
        {
            panic::resume_unwind(unmet);
        }
    }
}

/// The connection to the mocks that belongs to one client connection.
#[derive(Default)]
pub(super) struct MockConnection(AsyncMutex<Option<SendRequest<Full<Bytes>>>>);

impl MockConnection {
    /// Returns the response of a mock, or else of the engine.
    pub(super) async fn respond(
        &self,
        address: SocketAddr,
        overrides: &Overrides,
        engine: &Engine,
        reset: &ResetFlag,
        request: Request<RequestBody>,
    ) -> Result<Response<ReplyBody>, ConnectionClosed> {
        let request = match http::read(request, "http").await {
            Ok(request) => request,
            Err(reply) => return http::response(reply, reset).await,
        };
        let number = overrides.next_number.fetch_add(1, Ordering::Relaxed);
        let serve_requests = self.forward(address, number, &request).await;
        if overrides.unwanted.take(number) {
            return http::response(delivery::handle(engine, request).await, reset).await;
        }
        let serve_requests = serve_requests.ok_or(ConnectionClosed)?;
        let mut reply = Reply::new(serve_requests.status().as_u16());
        let retry_after = serve_requests.headers().get(RETRY_AFTER);
        if let Some(Ok(value)) = retry_after.map(HeaderValue::to_str) {
            reply = reply.with_header("retry-after", value.to_owned());
        }
        engine.record(engine.now(), request, &reply, None);
        Ok(serve_requests)
    }

    /// Sends the request to the mocks. Returns `None` if a mock closes the connection instead of
    /// responding.
    async fn forward(
        &self,
        address: SocketAddr,
        number: u64,
        request: &WireRequest,
    ) -> Option<Response<ReplyBody>> {
        let mut link = self.0.lock().await;
        let mut sender = match link.take() {
            Some(sender) if !sender.is_closed() => sender,
            _ => connect(address).await?,
        };
        sender.ready().await.ok()?;
        let serve_requests = sender
            .send_request(to_mock_request(number, request)?)
            .await
            .ok()?;
        let (mut head, body) = serve_requests.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        *link = Some(sender);
        // These headers belong to the connection to the mocks, not to the client's.
        for name in [CONNECTION, TRANSFER_ENCODING, CONTENT_LENGTH] {
            head.headers.remove(name);
        }
        Some(Response::from_parts(
            head,
            ReplyBody::new(wire::Body::of_pieces([body]), false),
        ))
    }
}

async fn connect(address: SocketAddr) -> Option<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await.ok()?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    Some(sender)
}

fn to_mock_request(number: u64, request: &WireRequest) -> Option<Request<Full<Bytes>>> {
    let target = match &request.query {
        Some(query) => format!("{}?{query}", request.path),
        None => request.path.clone(),
    };
    let mut to_mock_request = Request::builder()
        .method(request.method.as_str())
        .uri(target);
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        // The body is complete at this point.
        if name != CONNECTION && name != TRANSFER_ENCODING && name != CONTENT_LENGTH {
            to_mock_request = to_mock_request.header(name, HeaderValue::from_str(value).ok()?);
        }
    }
    to_mock_request
        .header(NUMBER, number)
        .body(Full::new(request.body.clone().into()))
        .ok()
}

/// The requests that no mock of the test matched, until their response is taken.
#[derive(Clone, Debug, Default)]
struct UnmatchedRequests(Arc<Mutex<HashSet<u64>>>);

impl UnmatchedRequests {
    fn take(&self, number: u64) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&number)
    }
}

impl Match for UnmatchedRequests {
    fn matches(&self, request: &wiremock::Request) -> bool {
        let number = request
            .headers
            .get(NUMBER)
            .and_then(|number| number.to_str().ok()?.parse().ok());
        if let Some(number) = number {
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(number);
        }
        false
    }
}

/// Header that identifies requests on their way through wiremock.
const NUMBER: &str = "x-entra-mock-request";
