//! A Service Fabric node's certificate is trusted by its thumbprint alone, and nowhere else.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use entra_core::{
    HttpTransport, ReqwestTransport, ServiceFabricTransport, TransportErrorKind, bytes::Bytes,
    http, url::Url,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// A server with a self-signed certificate for another name: its address and the thumbprint.
async fn server() -> (String, [u8; 20]) {
    let key = rcgen::generate_simple_self_signed(["node.cluster.example".to_owned()]).unwrap();
    let certificate = key.cert.der().clone();
    let thumbprint = digest(&SHA1_FOR_LEGACY_USE_ONLY, &certificate);
    let thumbprint = thumbprint.as_ref().try_into().unwrap();
    let private = PrivatePkcs8KeyDer::from(key.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], private.into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut buffer = [0; 1024];
                let _ = stream.read(&mut buffer).await;
                let response =
                    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
                let _ = stream.write_all(response).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    (address, thumbprint)
}

#[tokio::test]
async fn only_the_certificate_with_the_thumbprint_is_trusted() {
    let (address, thumbprint) = server().await;
    let get = || http::Request::get(&address).body(Bytes::new()).unwrap();
    let node = Url::parse(&address).unwrap();
    let right = ServiceFabricTransport::new(&node, thumbprint);
    let response = right.send(get()).await.unwrap();
    assert_eq!(response.body(), "{}");

    let mut other = thumbprint;
    other[19] ^= 1;
    let wrong = ServiceFabricTransport::new(&node, other);
    let error = wrong.send(get()).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Connect);
}

#[tokio::test]
async fn a_pinned_certificate_is_trusted_at_its_own_origin_only() {
    let (address, thumbprint) = server().await;
    let (other, _) = server().await;
    let transport = ServiceFabricTransport::new(&Url::parse(&address).unwrap(), thumbprint);
    let plain = address.replace("https://", "http://");
    for foreign in [other.as_str(), "https://login.example.com/", plain.as_str()] {
        let request = http::Request::get(foreign).body(Bytes::new()).unwrap();
        let error = transport.send(request).await.unwrap_err();
        assert_eq!(
            error.kind(),
            TransportErrorKind::InvalidRequest,
            "{foreign}"
        );
    }
}

#[tokio::test]
async fn the_general_transport_does_not_trust_the_nodes_certificate() {
    let (address, _) = server().await;
    // Roots are given, so that the test needs no roots of the machine.
    let root = rcgen::generate_simple_self_signed(["root.example".to_owned()]).unwrap();
    let transport = ReqwestTransport::builder()
        .add_roots_pem(root.cert.pem().as_bytes())
        .unwrap()
        .only_given_roots()
        .build();
    let request = http::Request::get(&address).body(Bytes::new()).unwrap();
    let error = transport.send(request).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Connect);
}
