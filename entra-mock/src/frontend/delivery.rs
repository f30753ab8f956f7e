//! Sends notifications to receivers, and validates their URLs.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

#[cfg(feature = "server")]
use std::sync::Weak;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request,
    client::conn::http1,
    header::{CONTENT_TYPE, HOST, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
};
use url::Url;

use crate::{
    engine::Engine,
    notifications::{DeliveryReport, NotificationOptions},
    publisher::Outcome,
    wire::{Handshake, HandshakeOutcome, Reply, WireRequest},
};

/// Handles a request, after the validation of the URLs that it needs.
pub(crate) async fn handle(engine: &Engine, mut request: WireRequest) -> Reply {
    let wanted = engine.handshakes(&request);
    if !wanted.is_empty() {
        let options = engine.notification_options();
        for (url, token) in wanted {
            let outcome = validate(&url, &token, options).await;
            request.handshakes.push(Handshake { url, outcome });
        }
    }
    engine.handle(request)
}

/// Sends the notifications that are due on the tenant's clock, one request after the other.
pub(crate) async fn deliver_due(engine: &Engine) -> DeliveryReport {
    let _turn = engine.delivery_turn().await;
    let (posts, dropped) = engine.take_due();
    let options = engine.notification_options();
    let mut total = DeliveryReport {
        dropped,
        ..DeliveryReport::default()
    };
    for post in posts {
        let started = Instant::now();
        let body = Bytes::from(post.body.clone());
        let sent = send(&post.url, JSON, body, options.delivery_timeout, options);
        let accepted = sent
            .await
            .is_ok_and(|response| (200..300).contains(&response.status));
        let slow = started.elapsed() >= SLOW.min(options.delivery_timeout);
        let report = engine.report_delivery(&post, Outcome { accepted, slow });
        total.delivered += report.delivered;
        total.failed += report.failed;
        total.dropped += report.dropped;
    }
    total.next = engine.next_notification();
    total
}

/// Sends the notifications that are due, unless the tenant sends them on request only.
#[cfg(feature = "server")]
async fn deliver_automatically(engine: &Engine) -> Option<DeliveryReport> {
    match engine.sends_notifications() {
        true => Some(deliver_due(engine).await),
        false => None,
    }
}

/// Sends notifications as they become due, until the tenant is dropped.
#[cfg(feature = "server")]
pub(crate) async fn deliver_forever(engine: Weak<Engine>) {
    while let Some(engine) = engine.upgrade() {
        deliver_automatically(&engine).await;
        drop(engine);
        tokio::time::sleep(BETWEEN_DELIVERIES).await;
    }
}

/// Sends the validation token to a URL, which must return it.
async fn validate(text: &str, token: &str, options: NotificationOptions) -> HandshakeOutcome {
    let Ok(mut url) = Url::parse(text) else {
        return HandshakeOutcome::NotSent("The notification URL is not valid.".to_owned());
    };
    url.query_pairs_mut().append_pair("validationToken", token);
    let timeout = options.handshake_timeout;
    match send(url.as_str(), PLAIN_TEXT, Bytes::new(), timeout, options).await {
        Err(SendError::TimedOut) => HandshakeOutcome::TimedOut,
        Err(SendError::NotSent(reason)) => HandshakeOutcome::NotSent(reason),
        Err(SendError::Failed) => HandshakeOutcome::NotOk,
        Ok(response) if response.status != 200 => HandshakeOutcome::NotOk,
        Ok(response) if response.is_plain_text && response.body == token.as_bytes() => {
            HandshakeOutcome::Confirmed
        }
        Ok(_) => HandshakeOutcome::WrongResponse,
    }
}

struct Response {
    status: u16,
    is_plain_text: bool,
    body: Bytes,
}

enum SendError {
    TimedOut,
    /// The connection failed.
    Failed,
    /// The tenant does not send requests to this URL.
    NotSent(String),
}

/// Sends a POST. A redirect is not followed.
async fn send(
    url: &str,
    content_type: &'static str,
    body: Bytes,
    timeout: Duration,
    options: NotificationOptions,
) -> Result<Response, SendError> {
    let url =
        Url::parse(url).map_err(|_| SendError::NotSent("The URL is not valid.".to_owned()))?;
    match tokio::time::timeout(timeout, send_in_time(&url, content_type, body, options)).await {
        Ok(response) => response,
        Err(_) => Err(SendError::TimedOut),
    }
}

async fn send_in_time(
    url: &Url,
    content_type: &'static str,
    body: Bytes,
    options: NotificationOptions,
) -> Result<Response, SendError> {
    let stream = connect(url, options).await?;
    let request = Request::post(&url[url::Position::BeforePath..url::Position::AfterQuery])
        .header(
            HOST,
            &url[url::Position::BeforeHost..url::Position::AfterPort],
        )
        .header(USER_AGENT, "entra-mock")
        .header(CONTENT_TYPE, content_type)
        .body(Full::new(body))
        .map_err(|_| SendError::Failed)?;
    if url.scheme() == "https" {
        #[cfg(feature = "server")]
        {
            let stream = super::receiver_tls::connect(url, stream)
                .await
                .map_err(|_| SendError::Failed)?;
            return exchange(stream, request).await;
        }
        #[cfg(not(feature = "server"))]
        return Err(SendError::NotSent(
            "Notifications over HTTPS need the feature `server` of entra-mock.".to_owned(),
        ));
    }
    exchange(stream, request).await
}

/// Connects to a loopback address of the host, or to any if the options say so.
async fn connect(url: &Url, options: NotificationOptions) -> Result<TcpStream, SendError> {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default().unwrap_or_default();
    let addresses: Vec<SocketAddr> = lookup_host((host, port))
        .await
        .map_err(|_| SendError::Failed)?
        .filter(|address| options.any_host || address.ip().is_loopback())
        .collect();
    if addresses.is_empty() {
        return Err(SendError::NotSent(
            "The fake tenant sends notifications to loopback addresses only.".to_owned(),
        ));
    }
    TcpStream::connect(&addresses[..])
        .await
        .map_err(|_| SendError::Failed)
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Response, SendError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|_| SendError::Failed)?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await;
    let read = match response {
        Ok(response) => {
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_RESPONSE).collect().await;
            body.ok().map(|body| Response {
                status: head.status.as_u16(),
                is_plain_text: head
                    .headers
                    .get(CONTENT_TYPE)
                    .and_then(|value| value.to_str().ok())
                    .is_some_and(|value| value.to_ascii_lowercase().starts_with("text/plain")),
                body: body.to_bytes(),
            })
        }
        Err(_) => None,
    };
    connection.abort();
    read.ok_or(SendError::Failed)
}

const JSON: &str = "application/json; charset=utf-8";
const PLAIN_TEXT: &str = "text/plain; charset=utf-8";
/// From this time on a response is slow.
const SLOW: Duration = Duration::from_millis(2_900);
#[cfg(feature = "server")]
const BETWEEN_DELIVERIES: Duration = Duration::from_millis(200);
/// More than any token, and than any sensible response to notifications.
const MAX_RESPONSE: usize = 64 * 1024;

#[cfg(all(test, feature = "server"))]
mod tests {
    use std::sync::Arc;

    use entra_core::{Clock as _, ManualClock};

    use super::*;
    use crate::{
        seed::{Company, Seed},
        state::License,
    };

    #[tokio::test]
    async fn a_tenant_that_sends_on_request_sends_nothing_by_itself() {
        let clock = Arc::new(ManualClock::new());
        let state = Seed::Empty.build(clock.now(), License::P2, 1, 0, &Company::default());
        let engine = Engine::new(clock, state, 0);
        let report = deliver_automatically(&engine).await;
        assert_eq!(report, Some(DeliveryReport::default()));
        engine.write().notifications.on_request = true;
        assert_eq!(deliver_automatically(&engine).await, None);
    }
}
