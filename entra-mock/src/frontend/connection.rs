//! Accepts connections for both frontends.

#[cfg(feature = "wiremock")]
use std::sync::Arc;
use std::time::Duration;

use hyper::{
    body::{Body, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

#[cfg(feature = "wiremock")]
use super::{
    http::{self, ConnectionClosed},
    reset::ResetFlag,
};
use super::{
    progress::{Limits, Progress, RequestBody, WatchedStream},
    self_wake::SelfWaking,
};
#[cfg(feature = "wiremock")]
use crate::engine::Engine;

/// What a listener does with a connection.
pub(super) trait Serve: Clone + Send + Sync + 'static {
    /// Serves one connection to its end. `stop` completes when the connection should finish early.
    fn serve(
        self,
        stream: TcpStream,
        stop: watch::Receiver<bool>,
    ) -> impl Future<Output = ()> + Send;
}

/// Accepts connections until it is told to stop, then waits a limited time for running requests.
///
/// Dropping the future closes every connection at once.
pub(super) async fn accept(
    listener: TcpListener,
    service: impl Serve,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let for_connections = stop.clone();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    // Responses are small; waiting to fill packets only adds latency.
                    let _ = stream.set_nodelay(true);
                    connections.spawn(service.clone().serve(stream, for_connections.clone()));
                }
                // Most likely out of file descriptors: wait until some are closed.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
            () = stopped(&mut stop) => break,
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(GRACE, async {
        while connections.join_next().await.is_some() {}
    })
    .await;
}

/// Serves the requests of one connection with the given function, until the client exceeds a limit.
pub(super) async fn serve_requests<S, F, Fut, B, E>(
    stream: S,
    mut stop: watch::Receiver<bool>,
    limits: Limits,
    respond: F,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(hyper::Request<RequestBody>) -> Fut + Send,
    Fut: Future<Output = Result<hyper::Response<B>, E>> + Send,
    B: Body + Unpin + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let progress = Progress::new();
    let stream = WatchedStream {
        stream,
        progress: progress.clone(),
    };
    let of_requests = progress.clone();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let progress = of_requests.clone();
        let response = respond(request.map(|body| progress.request(body)));
        async move { Ok::<_, E>(response.await?.map(|body| progress.response(body))) }
    });
    // hyper's own limit is off.
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // A connection that breaks is the client's concern.
    tokio::select! {
        _ = SelfWaking::new(connection.as_mut()) => return,
        () = progress.exceeded(limits) => return,
        () = stopped(&mut stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// Responds to a request from the engine.
#[cfg(feature = "wiremock")]
pub(super) async fn from_engine(
    engine: Arc<Engine>,
    scheme: &'static str,
    reset: &ResetFlag,
    request: hyper::Request<RequestBody>,
) -> Result<hyper::Response<http::ReplyBody>, ConnectionClosed> {
    match http::read(request, scheme).await {
        Ok(request) => http::response(super::delivery::handle(&engine, request).await, reset).await,
        Err(reply) => http::response(reply, reset).await,
    }
}

/// Completes when the server stops, or when the sender of that signal is dropped.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// How long running requests may continue after the server was told to stop.
const GRACE: Duration = Duration::from_secs(5);
/// How long a TLS handshake may take.
#[cfg(feature = "server")]
pub(super) const HANDSHAKE: Duration = Duration::from_secs(10);
