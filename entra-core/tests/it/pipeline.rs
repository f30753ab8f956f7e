use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use entra_core::{
    AccessToken, Bearer, Clock, CredentialError, CredentialErrorKind, ErrorKind, Idempotency,
    ManualClock, Pipeline, Request, Response, ResponseLimit, RetryPolicy, ScriptedTransport,
    SeededRandom, StaticCredential, StopReason, TokenCredential, TokenRequest, TransportError,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    url::Url,
};

struct Bench {
    clock: ManualClock,
    transport: ScriptedTransport,
    pipeline: Pipeline,
}

fn bench(transport: ScriptedTransport) -> Bench {
    let clock = ManualClock::new();
    let pipeline = Pipeline::builder(Arc::new(transport.clone()))
        .origin(&url("/"))
        .clock(Arc::new(clock.clone()))
        .random(Arc::new(SeededRandom::new(7)))
        .build();
    Bench {
        clock,
        transport,
        pipeline,
    }
}

fn url(path: &str) -> Url {
    Url::parse("https://graph.example.com")
        .unwrap()
        .join(path)
        .unwrap()
}

fn get() -> Request {
    Request::new("read", Method::GET, url("/v1.0/users"))
}

fn post() -> Request {
    Request::new("create", Method::POST, url("/v1.0/users")).with_body("application/json", "{}")
}

fn with_token(request: Request, credential: impl TokenCredential) -> Request {
    request.with_bearer(Bearer::new(
        Arc::new(credential),
        TokenRequest::new(["scope"]),
    ))
}

async fn sent(bench: &Bench, request: Request) -> Response {
    bench.pipeline.send(request).await.unwrap()
}

#[tokio::test]
async fn throttled_request_waits_for_retry_after_and_keeps_its_request_id() {
    let bench = bench(
        ScriptedTransport::new()
            .then(429, &[("retry-after", "2.5")], "")
            .then(200, &[], "ok"),
    );
    let before = bench.clock.now();
    let response = sent(&bench, post()).await;
    assert_eq!(
        (response.status, response.tries, &response.body[..]),
        (StatusCode::OK, 2, &b"ok"[..])
    );
    assert!(bench.clock.now() - before >= Duration::from_millis(2500));
    let requests = bench.transport.requests();
    assert_eq!(
        requests[0].headers()["client-request-id"],
        requests[1].headers()["client-request-id"]
    );
    assert_eq!(
        requests[0].headers()["client-request-id"],
        response.client_request_id.as_str()
    );
    assert_eq!(requests[0].body(), requests[1].body());
}

#[tokio::test]
async fn throttling_uses_time_not_attempts() {
    let mut script = ScriptedTransport::new();
    for _ in 0..40 {
        script = script.then(429, &[("retry-after", "1")], "");
    }
    let bench = bench(script.then(200, &[], "ok"));
    let response = sent(&bench, get()).await;
    assert_eq!((response.status, response.tries), (StatusCode::OK, 41));
}

#[tokio::test]
async fn a_retry_after_beyond_the_budget_fails_at_once() {
    let bench = bench(ScriptedTransport::new().then(429, &[("retry-after", "3600")], ""));
    let before = bench.clock.now();
    let response = sent(&bench, get()).await;
    let expected = StopReason::RetryAfterBeyondBudget {
        retry_after: Duration::from_secs(3600),
        left: Duration::from_secs(600),
    };
    assert_eq!(
        (response.status.as_u16(), response.stop_reason),
        (429, Some(expected))
    );
    assert_eq!(response.retry_after, Some(Duration::from_secs(3600)));
    assert_eq!(bench.clock.now(), before);
}

#[tokio::test]
async fn a_date_in_retry_after_is_read_on_the_servers_clock() {
    let headers = [
        ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT"),
    ];
    let bench = bench(
        ScriptedTransport::new()
            .then(503, &headers, "")
            .then(200, &[], ""),
    );
    let before = bench.clock.now();
    sent(&bench, get()).await;
    let waited = bench.clock.now() - before;
    assert!(
        waited >= Duration::from_secs(10) && waited < Duration::from_secs(11),
        "{waited}"
    );
}

#[tokio::test]
async fn a_request_that_creates_is_not_sent_again_when_it_may_have_been_processed() {
    let bench_503 = bench(
        ScriptedTransport::new()
            .then(503, &[], "")
            .then(200, &[], ""),
    );
    let response = sent(&bench_503, post()).await;
    assert_eq!(
        (response.status.as_u16(), response.stop_reason),
        (503, Some(StopReason::NotRepeatable))
    );
    assert_eq!(bench_503.transport.remaining(), 1);

    let lost = bench(
        ScriptedTransport::new()
            .then_fail(TransportError::interrupted("reset"))
            .then(200, &[], ""),
    );
    let error = lost.pipeline.send(post()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(
        error.to_string().contains("may have been processed"),
        "{error}"
    );
    assert!(error.client_request_id().is_some());

    let unsent = bench(
        ScriptedTransport::new()
            .then_fail(TransportError::connect("connection refused"))
            .then(200, &[], ""),
    );
    assert_eq!(sent(&unsent, post()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn read_only_post_can_be_declared_safe() {
    let bench = bench(
        ScriptedTransport::new()
            .then(503, &[], "")
            .then(200, &[], ""),
    );
    assert_eq!(
        sent(&bench, post().with_idempotency(Idempotency::Safe))
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn attempts_are_limited_without_retry_after() {
    let mut script = ScriptedTransport::new();
    for _ in 0..20 {
        script = script.then(500, &[], "");
    }
    let bench = bench(script);
    let response = sent(&bench, get()).await;
    assert_eq!(
        (response.tries, response.stop_reason),
        (
            RetryPolicy::for_graph().max_attempts,
            Some(StopReason::Attempts)
        )
    );
}

#[tokio::test]
async fn retry_after_does_not_use_an_attempt() {
    let mut script = ScriptedTransport::new();
    for _ in 0..10 {
        script = script.then(429, &[("retry-after", "1")], "");
    }
    for _ in 0..20 {
        script = script.then(500, &[], "");
    }
    let response = sent(&bench(script), get()).await;
    assert_eq!(response.tries, 10 + RetryPolicy::for_graph().max_attempts);
    assert_eq!(response.stop_reason, Some(StopReason::Attempts));
}

#[tokio::test]
async fn new_token_does_not_use_an_attempt() {
    let mut script = ScriptedTransport::new().then(401, &[], "");
    for _ in 0..20 {
        script = script.then(500, &[], "");
    }
    let response = sent(
        &bench(script),
        with_token(get(), StaticCredential::new("token")),
    )
    .await;
    assert_eq!(response.tries, 1 + RetryPolicy::for_graph().max_attempts);
}

#[tokio::test]
async fn a_time_budget_of_the_request_replaces_the_one_of_the_policy() {
    let bench = bench(ScriptedTransport::new().then(429, &[("retry-after", "30")], ""));
    let response = sent(&bench, get().with_budget(Duration::from_secs(20))).await;
    let expected = StopReason::RetryAfterBeyondBudget {
        retry_after: Duration::from_secs(30),
        left: Duration::from_secs(20),
    };
    assert_eq!(response.stop_reason, Some(expected));
}

#[tokio::test]
async fn error_of_an_exhausted_budget_names_the_budget() {
    let slow = ScriptedTransport::new();
    let clock = ManualClock::new();
    let hanging = clock.clone();
    let slow = slow.then_with(move |_| {
        hanging.advance(Duration::from_secs(600));
        Err(TransportError::timeout("no response"))
    });
    let pipeline = Pipeline::builder(Arc::new(slow))
        .origin(&url("/"))
        .clock(Arc::new(clock))
        .random(Arc::new(SeededRandom::new(7)))
        .build();
    let error = pipeline.send(get()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(
        error
            .to_string()
            .contains("no response within the time budget"),
        "{error}"
    );
}

#[tokio::test]
async fn invalid_request_is_not_retried() {
    let bench = bench(
        ScriptedTransport::new()
            .then_fail(TransportError::invalid_request("a bad header"))
            .then(200, &[], ""),
    );
    let error = bench.pipeline.send(get()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert_eq!(bench.transport.remaining(), 1);
}

#[tokio::test]
async fn response_limit_is_64_mebibytes_unless_set() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut script = ScriptedTransport::new();
    for _ in 0..2 {
        let seen = Arc::clone(&seen);
        script = script.then_with(move |request| {
            let limit = request.extensions().get::<ResponseLimit>().copied();
            seen.lock().unwrap().push(limit.unwrap().0);
            Ok(entra_core::http::Response::default())
        });
    }
    let bench = bench(script);
    sent(&bench, get()).await;
    sent(&bench, get().with_response_limit(10)).await;
    assert_eq!(*seen.lock().unwrap(), [67_108_864, 10]);
}

#[test]
fn debug_names_where_requests_may_go() {
    let builder = Pipeline::builder(Arc::new(ScriptedTransport::new())).origin(&url("/"));
    for text in [format!("{builder:?}"), format!("{:?}", builder.build())] {
        assert!(text.contains("graph.example.com"), "{text}");
    }
}

#[tokio::test]
async fn a_change_by_its_method_is_sent_again_after_a_lost_response_and_a_post_is_not() {
    for (method, tries) in [
        (Method::PUT, 2),
        (Method::PATCH, 2),
        (Method::DELETE, 2),
        (Method::POST, 1),
    ] {
        let script = ScriptedTransport::new()
            .then_fail(TransportError::interrupted("reset"))
            .then(204, &[], "");
        let bench = bench(script);
        let request = Request::new("change", method.clone(), url("/v1.0/users/a"));
        let response = bench
            .pipeline
            .send(with_token(request, StaticCredential::new("token")));
        assert_eq!(response.await.is_ok(), tries == 2, "{method}");
        assert_eq!(bench.transport.requests().len(), tries, "{method}");
    }
}

#[tokio::test]
async fn a_response_says_after_how_many_tries_it_came() {
    let script = ScriptedTransport::new()
        .then(429, &[("retry-after", "3")], "")
        .then(200, &[("x-text", "a")], "");
    let bench = bench(script);
    let request = Request::new("read", Method::GET, url("/v1.0/users"));
    let response = bench
        .pipeline
        .send(with_token(request, StaticCredential::new("token")));
    let response = response.await.unwrap();
    let tries = response.after_tries();
    assert!(tries.starts_with("after 2 tries in 3."), "{tries}");
    assert_eq!(response.header("x-text"), Some("a"));
    assert_eq!(response.header("x-other"), None);
}

#[tokio::test]
async fn nothing_is_sent_to_a_foreign_or_insecure_host() {
    let bench = bench(ScriptedTransport::new());
    for foreign in [
        "https://evil.example/v1.0/users",
        "https://graph.example.com.evil.example/",
        "https://graph.example.com:8443/",
        "http://graph.example.com/v1.0/users",
        "https://graph.example.com@evil.example/",
        "https://user@graph.example.com/v1.0/users",
        "https://:secret@graph.example.com/v1.0/users",
        "file:///etc/passwd",
    ] {
        let request = with_token(
            Request::new("read", Method::GET, Url::parse(foreign).unwrap()),
            StaticCredential::new("token"),
        );
        let error = bench.pipeline.send(request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Policy, "{foreign}");
    }
    assert!(bench.transport.requests().is_empty());
}

/// Counts what it was asked for and gives numbered tokens.
#[derive(Debug, Default)]
struct Numbered(Mutex<Vec<TokenRequest>>);

#[async_trait]
impl TokenCredential for Numbered {
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        let mut requested = self.0.lock().unwrap();
        requested.push(request.clone());
        Ok(AccessToken::new(
            format!("token-{}", requested.len()),
            ManualClock::new().now() + Duration::from_secs(3600),
        ))
    }
}

#[tokio::test]
async fn a_401_gets_one_new_token() {
    let bench = bench(
        ScriptedTransport::new()
            .then(401, &[], "")
            .then(401, &[], "no")
            .then(200, &[], ""),
    );
    let credential = Arc::new(Numbered::default());
    let response = sent(&bench, with_token(get(), Arc::clone(&credential))).await;
    assert_eq!(
        (response.status.as_u16(), response.tries),
        (401, 2),
        "the second 401 is final"
    );
    let requested = credential.0.lock().unwrap();
    assert_eq!(
        requested
            .iter()
            .map(|request| request.force_refresh)
            .collect::<Vec<_>>(),
        [false, true]
    );
    let tokens: Vec<_> = bench
        .transport
        .requests()
        .iter()
        .map(|request| request.headers()[header::AUTHORIZATION].clone())
        .collect();
    assert_eq!(tokens, ["Bearer token-1", "Bearer token-2"]);
}

#[tokio::test]
async fn a_claims_challenge_is_passed_on_to_the_credential() {
    let challenge = r#"Bearer error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ==""#;
    let bench = bench(
        ScriptedTransport::new()
            .then(401, &[("www-authenticate", challenge)], "")
            .then(200, &[], ""),
    );
    let credential = Arc::new(Numbered::default());
    assert_eq!(
        sent(&bench, with_token(get(), Arc::clone(&credential)))
            .await
            .status,
        StatusCode::OK
    );
    assert_eq!(
        credential.0.lock().unwrap()[1].claims.as_deref(),
        Some(r#"{"access_token":{}}"#)
    );
}

#[tokio::test]
async fn token_is_requested_again_after_a_long_wait() {
    let bench = bench(
        ScriptedTransport::new()
            .then(429, &[("retry-after", "500")], "")
            .then(200, &[], ""),
    );
    let credential = Arc::new(Numbered::default());
    sent(&bench, with_token(get(), Arc::clone(&credential))).await;
    assert_eq!(
        credential.0.lock().unwrap().len(),
        2,
        "the first token may have expired meanwhile"
    );
}

#[derive(Debug)]
struct Broken;

#[async_trait]
impl TokenCredential for Broken {
    async fn token(&self, _: &TokenRequest) -> Result<AccessToken, CredentialError> {
        Err(
            CredentialError::new(CredentialErrorKind::Rejected, "the secret was rejected")
                .with_code(7_000_215)
                .with_fix("add a new secret"),
        )
    }
}

#[tokio::test]
async fn credential_error_keeps_all_details_and_is_not_retried() {
    let bench = bench(ScriptedTransport::new());
    let error = bench
        .pipeline
        .send(with_token(get(), Broken))
        .await
        .unwrap_err();
    let cause = error.credential().unwrap();
    assert_eq!(
        (cause.code(), cause.fix()),
        (Some(7_000_215), Some("add a new secret"))
    );
    assert!(!error.is_transient());
    assert_eq!(
        error.into_credential().unwrap().kind(),
        CredentialErrorKind::Rejected
    );
}

#[tokio::test]
async fn redirects_are_returned_unfollowed() {
    let bench =
        bench(ScriptedTransport::new().then(302, &[("location", "https://evil.example/")], ""));
    assert_eq!(sent(&bench, get()).await.status, StatusCode::FOUND);
}

#[tokio::test]
async fn callers_header_is_sent_with_every_attempt() {
    let consistency = HeaderName::from_static("consistencylevel");
    let bench = bench(
        ScriptedTransport::new()
            .then(503, &[], "")
            .then(200, &[], ""),
    );
    sent(
        &bench,
        get().with_header(consistency, HeaderValue::from_static("eventual")),
    )
    .await;
    assert!(
        bench
            .transport
            .requests()
            .iter()
            .all(|request| request.headers()["consistencylevel"] == "eventual")
    );
}

#[tokio::test]
async fn a_wall_clock_that_is_set_neither_extends_nor_ends_the_time_budget() {
    const DAY: Duration = Duration::from_secs(86_400);
    for back in [true, false] {
        let clock = ManualClock::new();
        let mut transport = ScriptedTransport::new();
        for _ in 0..3 {
            let clock = clock.clone();
            transport = transport.then_with(move |_| {
                let now = clock.now();
                clock.set_wall_clock(if back { now - DAY } else { now + DAY });
                Ok(entra_core::http::Response::builder()
                    .status(429)
                    .header("retry-after", "250")
                    .body(entra_core::bytes::Bytes::new())
                    .unwrap())
            });
        }
        let pipeline = Pipeline::builder(Arc::new(transport.clone()))
            .origin(&url("/"))
            .clock(Arc::new(clock.clone()))
            .random(Arc::new(SeededRandom::new(7)))
            .build();
        let started = clock.monotonic();
        let response = pipeline.send(get()).await.unwrap();
        assert_eq!(response.tries, 3, "back: {back}");
        let Some(StopReason::RetryAfterBeyondBudget { .. }) = response.stop_reason else {
            panic!("{:?}", response.stop_reason);
        };
        assert!(clock.elapsed(started) < Duration::from_secs(600));
    }
}

#[tokio::test]
async fn throttling_without_a_usable_retry_after_outlasts_a_ten_second_window() {
    for header in [None, Some(""), Some("soon"), Some("-1"), Some("0")] {
        let clock = ManualClock::new();
        let started = clock.monotonic();
        let mut transport = ScriptedTransport::new();
        for _ in 0..4 {
            let clock = clock.clone();
            transport = transport.then_with(move |_| {
                let served = clock.elapsed(started) > Duration::from_secs(10);
                let mut response = entra_core::http::Response::builder();
                response = response.status(if served { 200 } else { 429 });
                if let Some(value) = header {
                    response = response.header("retry-after", value);
                }
                Ok(response.body(entra_core::bytes::Bytes::new()).unwrap())
            });
        }
        let pipeline = Pipeline::builder(Arc::new(transport))
            .origin(&url("/"))
            .clock(Arc::new(clock.clone()))
            .random(Arc::new(SeededRandom::new(7)))
            .policy(RetryPolicy::for_tokens())
            .build();
        let response = pipeline.send(get()).await.unwrap();
        assert_eq!(response.status, StatusCode::OK, "{header:?}");
    }
}
