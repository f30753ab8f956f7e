use std::time::Duration;

use entra_core::{
    HttpTransport, ReqwestTransport, Timeout, TransportErrorKind,
    bytes::Bytes,
    http::{Request, StatusCode},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Sends these bytes on one connection, then closes it; returns its port.
async fn serve_once(response: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        let _ = stream.read(&mut buffer).await.unwrap();
        stream.write_all(response).await.unwrap();
    });
    port
}

fn get(port: u16) -> Request<Bytes> {
    Request::get(format!("http://127.0.0.1:{port}/path?$skiptoken=canary"))
        .body(Bytes::new())
        .unwrap()
}

#[tokio::test]
async fn loopback_http_returns_the_response_and_follows_no_redirect() {
    let port = serve_once(
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 2\r\n\r\nok",
    )
    .await;
    let response = ReqwestTransport::default().send(get(port)).await.unwrap();
    assert_eq!(
        (response.status(), &response.body()[..]),
        (StatusCode::FOUND, &b"ok"[..])
    );
    assert_eq!(response.headers()["location"], "http://127.0.0.1:1/");
}

#[tokio::test]
async fn connection_refused_means_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = ReqwestTransport::default()
        .send(get(port))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.may_have_been_processed()),
        (TransportErrorKind::Connect, false)
    );
    assert!(
        !format!("{error:?}").contains("canary"),
        "a next link is sensitive: {error:?}"
    );
}

#[tokio::test]
async fn a_truncated_response_is_an_error_and_may_have_been_processed() {
    let port = serve_once(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"value\":[").await;
    let error = ReqwestTransport::default()
        .send(get(port))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.may_have_been_processed()),
        (TransportErrorKind::Interrupted, true)
    );
    assert!(!format!("{error:?}").contains("canary"));
}

#[tokio::test]
async fn request_timeout_is_enforced() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut request = get(listener.local_addr().unwrap().port());
    request
        .extensions_mut()
        .insert(Timeout(Duration::from_millis(50)));
    let error = ReqwestTransport::default().send(request).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Timeout);
}

#[tokio::test]
async fn plain_http_off_loopback_is_rejected_before_anything_is_sent() {
    let request = Request::get("http://192.0.2.1/")
        .body(Bytes::new())
        .unwrap();
    let error = ReqwestTransport::default().send(request).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::InvalidRequest);
}

#[test]
fn pem_may_have_a_byte_order_mark_or_be_utf16() {
    let made = rcgen::generate_simple_self_signed(["root.example".to_owned()]).unwrap();
    let root = made.cert.pem();
    let identity = made.signing_key.serialize_pem() + &root;
    let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let text = format!("\u{feff}{text}");
        text.encode_utf16().flat_map(bytes).collect()
    };
    let forms = |text: &str| {
        [
            format!("\u{feff}{text}").into_bytes(),
            utf16(text, u16::to_le_bytes),
            utf16(text, u16::to_be_bytes),
        ]
    };
    for (root, identity) in forms(&root).into_iter().zip(forms(&identity)) {
        let builder = ReqwestTransport::builder().add_roots_pem(&root).unwrap();
        drop(builder.client_identity_pem(&identity).unwrap());
    }
}

#[test]
fn invalid_settings_are_named_in_the_error() {
    let builder = ReqwestTransport::builder;
    let error = builder().add_roots_pem(b"not a certificate").unwrap_err();
    assert!(error.to_string().contains("BEGIN CERTIFICATE"), "{error}");
    let error = builder().client_identity_pem(b"nothing").unwrap_err();
    assert!(error.to_string().contains("private key"), "{error}");
    let error = builder().proxy("http://user:canary@[").unwrap_err();
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}

#[tokio::test]
async fn a_proxy_is_used_for_everything_but_loopback() {
    let proxy =
        serve_once(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
            .await;
    let transport = ReqwestTransport::builder()
        .proxy(&format!("http://127.0.0.1:{proxy}"))
        .unwrap()
        .build();
    let port = serve_once(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(
        transport.send(get(port)).await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    let outside = Request::get("https://graph.example.com/")
        .body(Bytes::new())
        .unwrap();
    let error = transport.send(outside).await.unwrap_err();
    assert_eq!(
        error.kind(),
        TransportErrorKind::Connect,
        "the proxy rejected the tunnel: {error:?}"
    );
}

#[test]
fn loopback_works_on_a_machine_without_a_ca_store() {
    const INNER: &str = "transport::loopback_http_returns_the_response_and_follows_no_redirect";
    // The store is looked up from the environment, so a process of its own has none.
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", INNER])
        .env("SSL_CERT_FILE", "/nonexistent/file")
        .env("SSL_CERT_DIR", "/nonexistent/folder")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

#[tokio::test]
async fn a_ca_store_that_is_missing_is_an_error_of_the_first_secure_request_only() {
    let transport = ReqwestTransport::builder().only_given_roots().build();
    let port = serve_once(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(
        transport.send(get(port)).await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    let secure = Request::get(format!("https://127.0.0.1:{port}/"))
        .body(Bytes::new())
        .unwrap();
    assert!(
        !transport
            .send(secure)
            .await
            .unwrap_err()
            .may_have_been_processed()
    );
}
