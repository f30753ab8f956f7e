//! Responses that are larger than they may be.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use entra_core::{
    ErrorKind, HttpTransport, Idempotency, ManualClock, Pipeline, Request, ReqwestTransport,
    ResponseLimit, ScriptedTransport, TransportErrorKind,
    bytes::Bytes,
    http::{self, Method},
    url::Url,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const LIMIT: u64 = 64 * 1024;

/// Responds to one request with this head and an endless body; counts the bytes it could send.
async fn endless(head: &'static str, part: &'static [u8]) -> (Url, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        while stream.write_all(part).await.is_ok() {
            count.fetch_add(part.len(), Ordering::Relaxed);
        }
    });
    (url.parse().unwrap(), sent)
}

fn request(url: &Url, limit: u64) -> http::Request<Bytes> {
    let mut request = http::Request::get(url.as_str()).body(Bytes::new()).unwrap();
    request.extensions_mut().insert(ResponseLimit(limit));
    request
}

#[tokio::test]
async fn endless_body_is_read_up_to_the_limit() {
    const CHUNK: [u8; 0x1000 + 8] = {
        let mut chunk = [b'x'; 0x1000 + 8];
        let head = *b"1000\r\n";
        let mut at = 0;
        while at < head.len() {
            chunk[at] = head[at];
            at += 1;
        }
        chunk[0x1006] = b'\r';
        chunk[0x1007] = b'\n';
        chunk
    };
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let (url, sent) = endless(head, &CHUNK).await;
    let transport = ReqwestTransport::default();
    let error = transport.send(request(&url, LIMIT)).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::ResponseTooLarge);
    assert!(error.may_have_been_processed());
    // The socket buffers hold more than was read.
    let sent = sent.load(Ordering::Relaxed);
    assert!(sent < 64 * 1024 * 1024, "{sent} bytes were taken");
}

#[tokio::test]
async fn a_length_beyond_the_limit_is_rejected_before_the_body() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 65537\r\n\r\n";
    let (url, _) = endless(head, b"x").await;
    let transport = ReqwestTransport::default();
    let error = transport.send(request(&url, LIMIT)).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::ResponseTooLarge);
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_read() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}/", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 65536\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&[b'x'; 65536]).await.unwrap();
    });
    let transport = ReqwestTransport::default();
    let response = transport.send(request(&url, LIMIT)).await.unwrap();
    assert_eq!(response.body().len(), 65536);
}

#[cfg(feature = "gzip")]
#[tokio::test]
async fn compressed_body_is_measured_after_decompression() {
    const ZEROS: &[u8] = include_bytes!("zeros.gz"); // a MiB in a KiB
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}/", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await.unwrap();
            let length = ZEROS.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(ZEROS).await.unwrap();
        }
    });
    let transport = ReqwestTransport::default();
    let error = transport.send(request(&url, LIMIT)).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::ResponseTooLarge);
    let whole = request(&url, 1024 * 1024);
    assert_eq!(transport.send(whole).await.unwrap().body().len(), 1 << 20);
}

/// A transport that knows nothing of limits.
fn pipeline(script: &ScriptedTransport) -> Pipeline {
    Pipeline::builder(Arc::new(script.clone()))
        .origin(&url())
        .clock(Arc::new(ManualClock::new()))
        .response_limit(10)
        .build()
}

fn url() -> Url {
    "https://graph.example.com/v1.0/users".parse().unwrap()
}

#[tokio::test]
async fn body_from_a_transport_without_limits_is_rejected_and_not_retried() {
    let script = ScriptedTransport::new()
        .then(503, &[], "eleven char")
        .then(200, &[], "eleven char")
        .then(200, &[], "eleven char")
        .then(200, &[], "ten chars.");
    let pipeline = pipeline(&script);
    let read = || Request::new("read", Method::GET, url());
    let error = pipeline.send(read()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResponseTooLarge);
    assert!(!error.is_transient() && error.to_string().contains("request less"));
    assert_eq!(script.requests().len(), 1, "a second try brings the same");

    let create = Request::new("create", Method::POST, url());
    let error = pipeline.send(create).await.unwrap_err();
    assert!(error.to_string().contains("may have been processed"));

    let larger = read().with_response_limit(11);
    assert_eq!(pipeline.send(larger).await.unwrap().body.len(), 11);
    assert_eq!(pipeline.send(read()).await.unwrap().body.len(), 10);
}

#[tokio::test]
async fn error_after_retries_has_their_number_and_duration() {
    let fail = || entra_core::TransportError::timeout("no response");
    let script = (0..6).fold(ScriptedTransport::new(), |script, _| {
        script.then_fail(fail())
    });
    let read = Request::new("read", Method::GET, url()).with_idempotency(Idempotency::Safe);
    let error = pipeline(&script).send(read).await.unwrap_err().to_string();
    assert!(
        error.starts_with("no response after 6 tries in ") && error.ends_with(" s"),
        "{error}"
    );
}
