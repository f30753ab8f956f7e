//! The servers that are compared.

use std::{convert::Infallible, io::Write, sync::Arc};

use bytes::Bytes;
use entra_mock::{Seed, Server};
use http_body_util::Full;
use hyper::{Response, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::signer::Signer;

/// Serves until the process is killed. The first line of the output has the port.
pub(crate) fn run(what: &str) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        match what.split_once(':') {
            Some(("hyper", length)) => hyper(body(length), None).await,
            Some(("signing", length)) => hyper(body(length), Some(Signer::new())).await,
            Some(("wiremock", length)) => wiremock(body(length)).await,
            Some(("tenant", users)) => tenant(users.parse().expect("a number")).await,
            _ => panic!("unknown server {what}"),
        }
    });
}

fn ready(facts: &str) {
    println!("{facts}");
    std::io::stdout().flush().expect("an output");
}

fn body(length: &str) -> Bytes {
    vec![b'x'; length.parse().expect("a length")].into()
}

/// Bare hyper that responds with the same body to every request, and signs it before if it has a key.
async fn hyper(body: Bytes, signer: Option<Signer>) {
    let signer = signer.map(Arc::new);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    ready(
        &listener
            .local_addr()
            .expect("an address")
            .port()
            .to_string(),
    );
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("a socket option");
        let (body, signer) = (body.clone(), signer.clone());
        let service = service_fn(move |_| {
            let (body, signer) = (body.clone(), signer.clone());
            async move {
                if let Some(signer) = signer {
                    signer.sign(&body);
                }
                let response = Response::builder().header("content-type", "application/json");
                Ok::<_, Infallible>(response.body(Full::new(body)).expect("a response"))
            }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// wiremock with one mock that responds with the same body to every request.
async fn wiremock(body: Bytes) {
    let server = MockServer::builder()
        .disable_request_recording()
        .start()
        .await;
    let response = ResponseTemplate::new(200).set_body_raw(body.to_vec(), "application/json");
    Mock::given(any())
        .respond_with(response)
        .mount(&server)
        .await;
    ready(&server.address().port().to_string());
    std::future::pending().await
}

async fn tenant(users: usize) {
    let builder = Server::builder().seed(Seed::Empty).users(users);
    let server = builder.start().await.expect("a server");
    let port = server.uri().rsplit(':').next().expect("a port");
    ready(&format!(
        "{port} {} {} {}",
        server.tenant_id(),
        server.client_id(),
        server.client_secret().expose_secret()
    ));
    std::future::pending().await
}
