//! Notifications of a tenant behind a mock server, and of a standalone server.

#[cfg(feature = "server")]
use std::sync::Arc;

#[cfg(feature = "server")]
use serde_json::json;
use wiremock::{Mock, MockServer, matchers::any};

use super::Fixture;
use crate::support::{fetch, http};

#[tokio::test]
async fn a_tenant_behind_a_mock_server_validates_receivers_too() {
    let fixture = Fixture::new().await;
    let server = MockServer::start().await;
    let tenant = fixture.tenant.responder();
    Mock::given(any()).respond_with(tenant).mount(&server).await;
    let request = http()
        .post(format!("{}/v1.0/subscriptions", server.uri()))
        .bearer_auth(&fixture.token)
        .json(&fixture.body("users", 60));
    let created = fetch(request).await;
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(fixture.receiver.tokens().len(), 1);
}

/// Reads one request over TLS, and responds: to a validation with its token, to notifications with 202.
#[cfg(feature = "server")]
async fn receive_over_tls(
    listener: &tokio::net::TcpListener,
    acceptor: &tokio_rustls::TlsAcceptor,
) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let (stream, _) = listener.accept().await.unwrap();
    let mut stream = acceptor.accept(stream).await.unwrap();
    let mut received = Vec::new();
    let text = loop {
        let mut buffer = [0; 4_096];
        let count = stream.read(&mut buffer).await.unwrap();
        assert_ne!(count, 0, "the request is complete before its end");
        received.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8(received.clone()).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(0, |(_, length)| length.parse::<usize>().unwrap());
        if body.len() >= length {
            break text;
        }
    };
    let target = text.split(' ').nth(1).unwrap();
    let url = url::Url::parse(&format!("https://localhost{target}")).unwrap();
    let response = match url
        .query_pairs()
        .find(|(name, _)| name == "validationToken")
    {
        Some((_, token)) => format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{token}",
            token.len()
        ),
        None => "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_owned(),
    };
    stream.write_all(response.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    text
}

/// The same, for a limited time.
#[cfg(feature = "server")]
async fn received(
    listener: &tokio::net::TcpListener,
    acceptor: &tokio_rustls::TlsAcceptor,
) -> String {
    let limit = std::time::Duration::from_secs(120);
    let received = tokio::time::timeout(limit, receive_over_tls(listener, acceptor)).await;
    received.expect("the server sends a request")
}

#[cfg(feature = "server")]
#[tokio::test]
async fn a_server_sends_notifications_by_itself_over_tls_to_a_self_signed_receiver() {
    use entra_mock::Server;
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(
        certificate.signing_key.serialize_der(),
    ));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}/hook",
        listener.local_addr().unwrap().port()
    );

    let server = Server::builder().start().await.unwrap();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", server.client_id()),
        ("client_secret", server.client_secret().expose_secret()),
        ("scope", crate::support::GRAPH_SCOPE),
    ];
    let address = format!("{}/{}/oauth2/v2.0/token", server.uri(), server.tenant_id());
    let token = fetch(http().post(address).form(&form)).await;
    let token = token.body["access_token"].as_str().unwrap();
    let expiration = entra_core::Timestamp::now_utc() + entra_core::time::Duration::hours(1);
    let body = json!({
        "changeType": "updated",
        "notificationUrl": url,
        "resource": "users",
        "expirationDateTime": format!("{}T00:00:00Z", expiration.date().next_day().unwrap()),
    });
    let create = http()
        .post(format!("{}/v1.0/subscriptions", server.uri()))
        .bearer_auth(token)
        .json(&body);
    let (created, validation) = tokio::join!(fetch(create), received(&listener, &acceptor));
    assert_eq!(created.status, 201, "{}", created.text);
    assert!(
        validation.starts_with("POST /hook?validationToken="),
        "{validation}"
    );
    let update = http()
        .patch(format!("{}/v1.0/users/adele@contoso.com", server.uri()))
        .bearer_auth(token)
        .json(&json!({"jobTitle": "canary-41aa-title"}));
    let (updated, notification) = tokio::join!(fetch(update), received(&listener, &acceptor));
    assert_eq!(updated.status, 204, "{}", updated.text);
    assert!(
        notification.contains("#Microsoft.Graph.User"),
        "{notification}"
    );
    server.stop().await;
}
