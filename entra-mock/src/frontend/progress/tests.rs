use std::convert::Infallible;

use http_body_util::{BodyExt, Full};
use hyper::Response;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::*;
use crate::frontend::connection::{self, Serve, serve_requests};

/// Serves a stream: responds with `length` bytes after `delay`.
async fn serve<S>(stream: S, limits: Limits, delay: Duration, length: usize)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (stop, stopped) = watch::channel(false);
    serve_requests(stream, stopped, limits, move |request| async move {
        let _ = request.into_body().collect().await;
        tokio::time::sleep(delay).await;
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(vec![b'x'; length]))))
    })
    .await;
    drop(stop);
}

/// The client's side of a served connection. `space` is how many bytes fit between both.
fn connect(limits: Limits, delay: Duration, space: usize, length: usize) -> DuplexStream {
    let (client, server) = duplex(space);
    tokio::spawn(serve(server, limits, delay, length));
    client
}

/// Reads until the server closes the connection.
async fn rest(client: &mut DuplexStream) -> String {
    let mut text = Vec::new();
    client.read_to_end(&mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
const NOW: Duration = Duration::ZERO;
const LIMITS: Limits = Limits::DEFAULT;

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_request_is_closed() {
    let start = Instant::now();
    assert_eq!(rest(&mut connect(LIMITS, NOW, 4_096, 1)).await, "");
    assert_eq!(start.elapsed().as_secs(), LIMITS.idle.as_secs());
}

#[tokio::test(start_paused = true)]
async fn half_a_head_is_closed_even_if_more_of_it_comes_now_and_then() {
    let start = Instant::now();
    let mut client = connect(LIMITS, NOW, 4_096, 1);
    tokio::time::sleep(Duration::from_secs(30)).await;
    let sent = async {
        while client.write_all(b"G").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
    };
    sent.await;
    // 30 seconds without a request are fine; 20 seconds for a head are not.
    let seconds = start.elapsed().as_secs();
    assert!((50..=54).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn half_a_body_is_closed() {
    let start = Instant::now();
    let mut client = connect(LIMITS, NOW, 4_096, 1);
    client
        .write_all(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhalf")
        .await
        .unwrap();
    assert_eq!(rest(&mut client).await, "");
    assert_eq!(start.elapsed().as_secs(), LIMITS.body.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_the_response_is_disconnected() {
    let start = Instant::now();
    let mut client = connect(LIMITS, NOW, 64, 10_000);
    client.write_all(GET).await.unwrap();
    tokio::time::sleep(LIMITS.response * 2).await;
    let text = rest(&mut client).await;
    assert!(
        text.starts_with("HTTP/1.1 200") && text.len() <= 64,
        "{text}"
    );
    assert_eq!(start.elapsed().as_secs(), LIMITS.response.as_secs() * 2);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_that_makes_progress_gets_the_whole_response() {
    let mut client = connect(LIMITS, NOW, 64, 1_000);
    client.write_all(GET).await.unwrap();
    let mut text = Vec::new();
    let mut buffer = [0; 64];
    while text.len() < 1_000 || !text.ends_with(&[b'x'; 1_000]) {
        tokio::time::sleep(LIMITS.response / 2).await;
        let read = client.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "the connection was closed");
        text.extend_from_slice(&buffer[..read]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_may_take_any_time() {
    let delay = Duration::from_secs(3_600);
    let mut client = connect(LIMITS, delay, 4_096, 3);
    client.write_all(GET).await.unwrap();
    let text = rest(&mut client).await;
    assert!(text.ends_with("\r\n\r\nxxx"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn each_request_has_the_limits_of_its_own() {
    let start = Instant::now();
    let mut client = connect(LIMITS, NOW, 4_096, 3);
    let mut buffer = [0; 4_096];
    for _ in 0..5 {
        tokio::time::sleep(LIMITS.idle - Duration::from_secs(1)).await;
        client.write_all(GET).await.unwrap();
        let read = client.read(&mut buffer).await.unwrap();
        assert!(buffer[..read].starts_with(b"HTTP/1.1 200"));
    }
    let before = start.elapsed();
    assert_eq!(rest(&mut client).await, "");
    assert_eq!((start.elapsed() - before).as_secs(), LIMITS.idle.as_secs());
}

/// A listener whose connections have a short limit.
#[derive(Clone)]
struct Short;

impl Serve for Short {
    async fn serve(self, stream: TcpStream, _stop: watch::Receiver<bool>) {
        serve(stream, Limits::of(Duration::from_millis(50)), NOW, 1).await;
    }
}

#[tokio::test]
async fn sockets_with_nothing_half_a_head_or_half_a_body_are_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let server = tokio::spawn(connection::accept(listener, Short, stopped));
    for sent in [
        "",
        "GET /v1.0/users HTTP/1.1\r\nhost: local",
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhalf",
    ] {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(sent.as_bytes()).await.unwrap();
        let mut text = String::new();
        // Reading ends when the server closes the connection.
        client.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "", "{sent}");
    }
    stop.send_replace(true);
    server.await.unwrap();
}
