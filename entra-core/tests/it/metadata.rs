//! The one exception from TLS: the platform's metadata endpoints, and nothing beside them.

use std::sync::Arc;

use entra_core::{
    Bearer, ErrorKind, HttpTransport, Pipeline, Request, ReqwestTransport, ScriptedTransport,
    StaticCredential, TokenRequest, TransportErrorKind,
    bytes::Bytes,
    http::{HeaderName, HeaderValue, Method, header},
    url::Url,
};

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn get(text: &str) -> Request {
    Request::new("metadata", Method::GET, url(text))
}

const IMDS: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

fn imds(transport: &ScriptedTransport) -> Pipeline {
    Pipeline::builder(Arc::new(transport.clone()))
        .origin(&url("https://login.example.com"))
        .metadata_endpoint(&url(IMDS))
        .unwrap()
        .build()
}

#[tokio::test]
async fn a_metadata_endpoint_gets_plain_requests_and_its_neighbours_get_none() {
    let transport = ScriptedTransport::new().then(200, &[], "{}");
    let pipeline = imds(&transport);
    pipeline.send(get(IMDS)).await.unwrap();
    for foreign in [
        "http://169.254.169.253/metadata",
        "http://169.254.169.254:8080/metadata",
        "http://login.example.com/",
        "https://169.254.169.254/metadata",
        "ftp://169.254.169.254/metadata",
    ] {
        let error = pipeline.send(get(foreign)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Policy, "{foreign}");
    }
    assert_eq!(transport.requests().len(), 1);
}

#[tokio::test]
async fn no_token_and_no_credential_goes_to_a_metadata_endpoint() {
    let transport = ScriptedTransport::new();
    let pipeline = imds(&transport);
    let bearer = Bearer::new(
        Arc::new(StaticCredential::new("canary")),
        TokenRequest::new(["scope"]),
    );
    let mut requests = vec![get(IMDS).with_bearer(bearer)];
    for name in [
        header::AUTHORIZATION,
        header::PROXY_AUTHORIZATION,
        header::COOKIE,
    ] {
        requests.push(get(IMDS).with_header(name, HeaderValue::from_static("Basic canary")));
    }
    for request in requests {
        let error = pipeline.send(request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Policy);
        assert!(!format!("{error:?}").contains("canary"));
    }
    assert!(transport.requests().is_empty());
    // `check` rejects it too.
    pipeline.check(&url(IMDS)).unwrap_err();
}

#[tokio::test]
async fn sensitive_headers_and_bodies_are_not_sent_to_a_metadata_endpoint() {
    let transport = ScriptedTransport::new().then(200, &[], "{}");
    let mut sensitive = HeaderValue::from_static("canary");
    sensitive.set_sensitive(true);
    let mut requests = Vec::new();
    for name in ["x-api-key", "x-ms-token", "secret", "x-identity-header"] {
        let name = HeaderName::from_static(name);
        requests.push(get(IMDS).with_header(name, sensitive.clone()));
    }
    let post = Request::new("metadata", Method::POST, url(IMDS));
    requests.push(post.with_body("application/x-www-form-urlencoded", "client_secret=canary"));
    requests.push(get(IMDS).with_body("text/plain", "canary"));
    for request in &requests {
        let error = imds(&transport).send(request.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Policy);
        assert!(!format!("{error:?} {error}").contains("canary"));
    }
    assert!(transport.requests().is_empty());

    // The platform's own secret goes back to it, in the one header that was named for it.
    let own = HeaderName::from_static("x-identity-header");
    let pipeline = Pipeline::builder(Arc::new(transport.clone()))
        .metadata_endpoint(&url(IMDS))
        .unwrap()
        .metadata_secret_header(own.clone())
        .build();
    let request = get(IMDS).with_header(own, sensitive);
    pipeline.send(request).await.unwrap();
    for request in requests.iter().take(3) {
        pipeline.send(request.clone()).await.unwrap_err();
    }
    assert_eq!(transport.requests().len(), 1);
}

#[test]
fn only_a_private_or_link_local_http_address_can_be_a_metadata_endpoint() {
    for (address, accepted) in [
        (IMDS, true),
        ("http://172.16.1.1:8081/msi/token", true),
        ("http://10.0.0.4/", true),
        ("http://[fe80::1]/", true),
        ("http://[fd00:ec2::254]/", true),
        ("http://8.8.8.8/", false),
        ("http://metadata.internal/", false),
        ("http://169.254.169.254.example.com/", false),
        ("http://[2001:db8::1]/", false),
        ("https://169.254.169.254/", false),
    ] {
        let builder = Pipeline::builder(Arc::new(ScriptedTransport::new()));
        let outcome = builder.metadata_endpoint(&url(address));
        assert_eq!(outcome.is_ok(), accepted, "{address}");
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::Configuration);
        }
    }
}

#[tokio::test]
async fn transport_requires_tls_unless_the_pipeline_allowed_plain_http() {
    let request = entra_core::http::Request::get("http://169.254.1.1/").body(Bytes::new());
    let error = ReqwestTransport::default()
        .send(request.unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::InvalidRequest);
}
