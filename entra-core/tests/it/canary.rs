//! Nothing that may hold a secret shows it.

use std::{
    fmt::Write as _,
    io,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use entra_core::{
    AccessToken, Bearer, Clock, CredentialError, CredentialErrorKind, Error, HttpTransport,
    ManualClock, Pipeline, Request, ReqwestTransport, ScriptedTransport, Secret, StaticCredential,
    TokenRequest,
    bytes::Bytes,
    http::{self, Method, header},
    url::Url,
};
use tracing_subscriber::fmt::MakeWriter;

const CANARY: &str = "canary-zyx9f3axyz";

/// While there is one subscriber only, an event is off for all threads once a thread without a
/// subscriber came across it first, as the thread of another test may.
static SECOND: LazyLock<tracing::Dispatch> = LazyLock::new(|| {
    let all = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
    tracing::Dispatch::new(all.with_writer(io::sink).finish())
});

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[test]
fn debug_of_types_with_a_secret_does_not_show_it() {
    let now = ManualClock::new().now();
    let url = Url::parse(&format!(
        "https://graph.example.com/users?$skiptoken={CANARY}"
    ))
    .unwrap();
    let request = Request::new("read", Method::GET, url)
        .with_header(header::COOKIE, CANARY.parse().unwrap())
        .with_body("application/x-www-form-urlencoded", CANARY)
        .with_bearer(Bearer::new(
            Arc::new(StaticCredential::new(CANARY)),
            TokenRequest::new(["scope"]),
        ));
    let shown = [
        format!("{:?}", Secret::from(CANARY)),
        format!("{:#?}", AccessToken::new(CANARY, now).with_refresh_on(now)),
        format!("{:#?}", StaticCredential::new(CANARY)),
        format!("{request:#?}"),
    ];
    for text in shown {
        assert!(!text.contains(CANARY), "{text}");
    }
}

#[tokio::test]
async fn a_proxys_password_and_a_client_key_are_never_printed() {
    let proxy = "http://canary-user-zyx5e1fxyz:canary-word-zyx9a7cxyz@127.0.0.1:9";
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(["client.example".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let pem = key.serialize_pem() + &certificate.pem();
    let base64: Vec<String> = key.serialize_pem().lines().map(str::to_owned).collect();
    let builder = ReqwestTransport::builder()
        .proxy(proxy)
        .unwrap()
        .client_identity_pem(pem.as_bytes())
        .unwrap()
        .connect_timeout(Duration::from_secs(2));
    let mut shown = format!("{builder:?} {builder:#?}");
    let transport = builder.build();
    write!(shown, "{transport:?} {transport:#?}").unwrap();
    // The client exists after the first request, and the request fails at the proxy.
    let request = http::Request::get("https://graph.example.com/").body(Bytes::new());
    let error = transport.send(request.unwrap()).await.unwrap_err();
    write!(shown, "{transport:?} {transport:#?} {error:?} {error:#?}").unwrap();
    let pipeline = Pipeline::builder(Arc::new(transport));
    write!(shown, "{pipeline:?}").unwrap();
    write!(shown, "{:?}", pipeline.build()).unwrap();

    // Texts that cannot be used, as the parsers see them.
    let one_line = pem.replace('\n', " ");
    let no_end = key.serialize_pem().replace("-----END", "----END");
    for bad in [
        &one_line,
        &no_end,
        &pem.replace("PRIVATE KEY-----", "PRIVATE KEY----"),
    ] {
        let roots = ReqwestTransport::builder().add_roots_pem(bad.as_bytes());
        let identity = ReqwestTransport::builder().client_identity_pem(bad.as_bytes());
        for error in [roots.err(), identity.err()].into_iter().flatten() {
            shown.push_str(&chain(&error));
        }
    }
    for bad in [
        "canary-user-zyx5e1fxyz:canary-word-zyx9a7cxyz@:x",
        "http://canary-user-zyx5e1fxyz:canary-word-zyx9a7cxyz@[",
        "http://canary-user-zyx5e1fxyz:canary-word-zyx9a7cxyz@proxy example",
    ] {
        if let Err(error) = ReqwestTransport::builder().proxy(bad) {
            shown.push_str(&chain(&error));
        }
    }
    assert!(!shown.contains("canary"), "{shown}");
    // Numbers of the bytes would show them as well.
    for line in base64.iter().filter(|line| !line.starts_with("-----")) {
        assert!(!shown.contains(line.as_str()), "{shown}");
        let bytes = format!("{:?}", &line.as_bytes()[..8]);
        assert!(!shown.contains(bytes.trim_matches(['[', ']'])), "{shown}");
    }
}

/// An error as it may be printed, with all its sources.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        write!(text, "{error} {error:?} {error:#?} ").unwrap();
        next = error.source();
    }
    text
}

#[tokio::test]
async fn a_call_leaves_no_secret_in_its_trace_or_errors() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(captured.clone())
        .finish();
    LazyLock::force(&SECOND);
    let _guard = tracing::subscriber::set_default(subscriber);

    let origin = Url::parse("https://graph.example.com/").unwrap();
    let transport = ScriptedTransport::new()
        .then(401, &[], CANARY)
        .then(503, &[], CANARY)
        .then(200, &[("set-cookie", CANARY)], CANARY);
    let pipeline = Pipeline::builder(Arc::new(transport))
        .origin(&origin)
        .clock(Arc::new(ManualClock::new()))
        .build();
    let url = origin.join(&format!("/users?$skiptoken={CANARY}")).unwrap();
    let bearer = Bearer::new(
        Arc::new(StaticCredential::new(CANARY)),
        TokenRequest::new(["scope"]),
    );
    let request = Request::new("read", Method::GET, url).with_bearer(bearer);
    let response = pipeline.send(request.clone()).await.unwrap();
    assert!(!format!("{response:?}").contains(CANARY));
    let error = pipeline.send(request).await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains(CANARY), "{error:?}");

    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("entra.request") && log.contains("trying again"),
        "the trace is there: {log}"
    );
    assert!(!log.contains(CANARY), "{log}");
}

#[test]
fn an_error_says_each_thing_once_along_its_chain() {
    let cause = CredentialError::new(CredentialErrorKind::Rejected, "the secret was rejected")
        .with_source(io::Error::other("status 401"));
    let error = Error::from(cause);
    let mut seen = Vec::new();
    let mut next: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = next {
        let text = error.to_string();
        assert!(
            seen.iter().all(
                |earlier: &String| !earlier.contains(&text) && !text.contains(earlier.as_str())
            ),
            "{text} in {seen:?}"
        );
        seen.push(text);
        next = error.source();
    }
    assert_eq!(
        seen,
        [
            "no token for this request: the secret was rejected",
            "status 401"
        ]
    );
    assert!(std::mem::size_of::<Error>() <= 16 && std::mem::size_of::<CredentialError>() <= 16);
}
