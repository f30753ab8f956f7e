//! Secrets and tokens stay out of everything that is printed, logged or put into an address.

use std::{
    io,
    sync::{Arc, LazyLock, Mutex},
};

use entra_auth::{ClientSecretCredential, TokenCache};
use entra_core::{ManualClock, ScriptedTransport, TokenCredential, TokenRequest};
use entra_mock::FakeTenant;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{CLIENT, TENANT, detail, graph};

const SECRET: &str = "canary-secret-zyx5e1fxyz~&=%";
const TOKEN: &str = "canary-token.zyx9a7cxyz.signature";

#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// While there is one subscriber only, an event is off for all threads once a thread without a
/// subscriber came across it first, as the thread of another test may. So there is always a second one.
pub(crate) fn keep_events_on() {
    static SECOND: LazyLock<tracing::Dispatch> = LazyLock::new(|| {
        let all = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
        tracing::Dispatch::new(all.with_writer(io::sink).finish())
    });
    LazyLock::force(&SECOND);
}

pub(crate) fn listen() -> (Log, tracing::subscriber::DefaultGuard) {
    keep_events_on();
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(log.clone())
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

pub(crate) fn check(what: &str, text: &str) {
    for canary in [SECRET, TOKEN, "canary", "zyx5e1fxyz", "zyx9a7cxyz"] {
        assert!(!text.contains(canary), "{what} shows {canary}: {text}");
    }
}

#[tokio::test]
async fn configs_credentials_errors_and_logs_show_no_secret_and_no_token() {
    let (log, _guard) = listen();
    let granted = format!(
        r#"{{"token_type":"Bearer","access_token":"{TOKEN}","expires_in":3600,"refresh_in":1800}}"#
    );
    let echo = format!(
        r#"{{"error":"invalid_client","error_codes":[7000215],"error_description":"AADSTS7000215: '{SECRET}' is no secret. \r\nTrace ID: t","suberror":"{SECRET}","trace_id":"{SECRET}"}}"#
    );
    let leaky =
        format!(r#"{{"access_token":"{TOKEN}","token_type":["{SECRET}"],"expires_in":"x"}}"#);
    let transport = ScriptedTransport::new()
        .then(200, &[], granted.clone())
        .then(401, &[], echo)
        .then(200, &[], leaky)
        .then(200, &[], format!("\"{TOKEN}\""))
        .then(503, &[], format!("<html>{SECRET}</html>"))
        .then(503, &[], granted);
    let clock = ManualClock::new();
    let cache = TokenCache::new();
    let builder = ClientSecretCredential::builder(TENANT, CLIENT, SECRET)
        .transport(Arc::new(transport.clone()))
        .clock(clock.clone())
        .cache(&cache)
        .retry_policy(entra_core::RetryPolicy::for_tokens().with_max_attempts(1));
    check("the builder", &format!("{builder:?} {builder:#?}"));
    let credential = builder.build().unwrap();
    let token = credential.token(&graph()).await.unwrap();
    assert_eq!(token.expose_secret(), TOKEN);
    check("the token", &format!("{token:?} {token:#?}"));
    check("the credential", &format!("{credential:?} {credential:#?}"));
    check("the cache", &format!("{cache:?} {cache:#?}"));

    let forced = graph().with_force_refresh();
    while transport.remaining() > 0 {
        let failed = credential.token(&forced).await.unwrap_err();
        let error = detail(&failed);
        check("the error", &format!("{failed} {failed:?} {failed:#?}"));
        check(
            "the detail",
            &format!("{error} {error:?} {error:#?} {}", error.report()),
        );
        check(
            "an accessor",
            &format!(
                "{:?} {:?} {:?} {:?} {:?} {:?}",
                error.service_message(),
                error.suberror(),
                error.trace_id(),
                error.cause(),
                error.fix(),
                error.claims()
            ),
        );
    }
    clock.advance(std::time::Duration::from_secs(3400));
    credential.token(&graph()).await.unwrap();
    crate::support::settle().await;

    for request in transport.requests() {
        check("an address", &request.uri().to_string());
        check("the headers", &format!("{:?}", request.headers()));
        assert!(
            request.body().starts_with(b"grant_type="),
            "the secret is in the body alone"
        );
    }
    let log = log.text();
    assert!(
        log.contains("token by client secret"),
        "there is something to look at: {log}"
    );
    assert!(log.contains("the old one is used"), "{log}");
    check("the log", &log);
}

#[tokio::test]
async fn over_a_real_connection_the_log_shows_no_secret_and_no_token() {
    let (log, _guard) = listen();
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Night job").with_secret();
    let credential = ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    let request = TokenRequest::new([tenant.cloud().graph_scope()]);
    let token = credential.token(&request).await.unwrap();
    let wrong = ClientSecretCredential::builder(tenant.id(), app.client_id(), SECRET)
        .cloud(tenant.cloud())
        .build()
        .unwrap();
    wrong.token(&request).await.unwrap_err();
    let log = log.text();
    check("the log", &log);
    for secret in [app.secret().expose_secret(), token.expose_secret()] {
        assert!(!log.contains(secret), "{log}");
    }
    for record in tenant.requests().iter() {
        let sent = format!("{} {:?}", record.path, record.query);
        assert!(!sent.contains(app.secret().expose_secret()), "{sent}");
        check("an address", &sent);
    }
}
