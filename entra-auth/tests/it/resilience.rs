//! What is remembered of a busy service, told to a capable one, and noticed about a wrong clock.

use std::{sync::Arc, time::Duration};

use entra_auth::{ClientSecretCredential, Error, ErrorKind, TokenCache};
use entra_core::{
    Clock, ManualClock, ScriptedTransport, TokenCredential, TokenRequest,
    time::format_description::well_known::Rfc2822, url::form_urlencoded,
};
use entra_mock::{App, FakeTenant, Fault};

use crate::support::{CLIENT, Service, TENANT, builder, decode, detail, graph, number};

fn credential(tenant: &FakeTenant, app: &App, cache: &TokenCache) -> ClientSecretCredential {
    ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .cache(cache)
        .build()
        .unwrap()
}

async fn error(credential: &ClientSecretCredential, request: &TokenRequest) -> Error {
    detail(&credential.token(request).await.unwrap_err()).clone()
}

#[tokio::test]
async fn throttled_request_is_not_repeated_before_retry_after() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Night job").with_secret();
    let cache = TokenCache::new();
    let credential = credential(&tenant, &app, &cache);
    tenant.inject(
        Fault::on("/token")
            .times(1)
            .status_with_retry_after(429, "120"),
    );
    assert_eq!(error(&credential, &graph()).await.status(), Some(429));
    tenant.clock().advance(Duration::from_secs(119));
    for request in [graph(), graph().with_force_refresh()] {
        let error = error(&credential.clone(), &request).await;
        assert_eq!(error.kind(), ErrorKind::Throttled);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
        assert!(
            error.to_string().contains("the request was not sent"),
            "{error}"
        );
        assert!(error.fix().is_some());
    }
    tenant.requests().to("/token").assert_count(1);
    tenant.clock().advance(Duration::from_secs(1));
    credential.token(&graph()).await.unwrap();
    tenant.requests().to("/token").assert_count(2);
}

#[tokio::test]
async fn throttling_is_measured_by_the_monotonic_clock() {
    const DAY: Duration = Duration::from_secs(86_400);
    for ahead in [false, true] {
        let tenant = FakeTenant::start().await;
        let app = tenant.register_app("Night job").with_secret();
        let credential = credential(&tenant, &app, &TokenCache::new());
        tenant.inject(
            Fault::on("/token")
                .times(1)
                .status_with_retry_after(429, "120"),
        );
        error(&credential, &graph()).await;
        let (clock, now) = (tenant.clock(), tenant.clock().now());
        clock.set_wall_clock(if ahead { now + DAY } else { now - DAY });
        clock.advance(Duration::from_secs(119));
        let early = error(&credential, &graph()).await;
        assert_eq!(early.kind(), ErrorKind::Throttled, "ahead: {ahead}");
        assert_eq!(early.retry_after(), Some(Duration::from_secs(1)));
        clock.set_wall_clock(now + Duration::from_secs(119));
        clock.advance(Duration::from_secs(1));
        credential.token(&graph()).await.unwrap();
    }
}

#[tokio::test]
async fn throttling_is_shared_by_one_cache_and_does_not_affect_other_keys() {
    let tenant = FakeTenant::start().await;
    let (app, other) = (
        tenant.register_app("Night job").with_secret(),
        tenant.register_app("Day job").with_secret(),
    );
    let cache = TokenCache::new();
    tenant.inject(
        Fault::on("/token")
            .times(1)
            .status_with_retry_after(503, "4000"),
    );
    error(&credential(&tenant, &app, &cache), &graph()).await;
    error(&credential(&tenant, &app, &cache), &graph()).await;
    tenant.requests().to("/token").assert_count(1);
    credential(&tenant, &other, &cache)
        .token(&graph())
        .await
        .unwrap();
    credential(&tenant, &app, &TokenCache::new())
        .token(&graph())
        .await
        .unwrap();
    tenant.requests().to("/token").assert_count(3);
    tenant.clock().advance(Duration::from_secs(3600));
    credential(&tenant, &app, &cache)
        .token(&graph())
        .await
        .unwrap();
}

#[tokio::test]
async fn rejected_request_without_retry_after_may_be_repeated_at_once() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Night job").with_secret();
    let credential = credential(&tenant, &app, &TokenCache::new());
    tenant.inject(Fault::on("/token").times(1).status(404));
    error(&credential, &graph()).await;
    credential.token(&graph()).await.unwrap();
}

#[tokio::test]
async fn an_early_refresh_that_is_throttled_is_not_repeated_and_the_old_token_serves() {
    let clock = ManualClock::new();
    let granted = |token: &str| {
        format!(r#"{{"token_type":"Bearer","access_token":"{token}","expires_in":3600}}"#)
    };
    let script = ScriptedTransport::new()
        .then(200, &[], granted("one"))
        .then(429, &[("retry-after", "250")], "")
        .then(200, &[], granted("two"));
    let credential = ClientSecretCredential::builder(TENANT, CLIENT, "s")
        .transport(Arc::new(script.clone()))
        .clock(clock.clone())
        .build()
        .unwrap();
    let token = async || {
        credential
            .token(&graph())
            .await
            .unwrap()
            .expose_secret()
            .to_owned()
    };
    assert_eq!(token().await, "one");
    clock.advance(Duration::from_secs(3310));
    for _ in 0..5 {
        assert_eq!(token().await, "one");
        clock.advance(Duration::from_secs(49));
    }
    assert_eq!(script.requests().len(), 2);
    clock.advance(Duration::from_secs(5));
    assert_eq!(token().await, "two");
}

fn claims_of(request: &entra_core::http::Request<entra_core::bytes::Bytes>) -> Option<String> {
    form_urlencoded::parse(request.body())
        .find_map(|(name, value)| (name == "claims").then(|| value.into_owned()))
}

#[tokio::test]
async fn capabilities_go_with_every_request_and_are_merged_with_a_challenge() {
    let granted = r#"{"token_type":"Bearer","access_token":"t","expires_in":86399}"#;
    let script = ScriptedTransport::new()
        .then(200, &[], granted)
        .then(200, &[], granted);
    let credential = ClientSecretCredential::builder(TENANT, CLIENT, "s")
        .transport(Arc::new(script.clone()))
        .client_capabilities(["cp1"])
        .build()
        .unwrap();
    credential.token(&graph()).await.unwrap();
    let challenge = r#"{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}"#;
    credential
        .token(&graph().with_claims(challenge))
        .await
        .unwrap();
    let sent: Vec<_> = script.requests().iter().filter_map(claims_of).collect();
    assert_eq!(
        sent,
        [
            r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#,
            r#"{"access_token":{"nbf":{"essential":true,"value":"1604106651"},"xms_cc":{"values":["cp1"]}}}"#
        ]
    );
}

#[tokio::test]
async fn tokens_for_capable_and_plain_clients_are_kept_apart() {
    let (service, cache) = (Service::new(), TokenCache::new());
    let plain = builder(&service).cache(&cache).build().unwrap();
    let capable = builder(&service)
        .cache(&cache)
        .client_capabilities(["cp1"])
        .build()
        .unwrap();
    assert_eq!(number(&plain, &graph()).await, 1);
    assert_eq!(number(&capable, &graph()).await, 2);
    assert_eq!(number(&plain, &graph()).await, 1);
    assert_eq!(number(&capable, &graph()).await, 2);
    let token = capable.token(&graph()).await.unwrap();
    assert!(decode(&token).1.contains("cp1"));
}

#[tokio::test]
async fn error_of_a_rejected_assertion_names_the_clock_skew() {
    let clock = ManualClock::new();
    let date = |off: i64| {
        let time = clock.now() + entra_core::time::Duration::seconds(off);
        time.format(&Rfc2822).unwrap().replace("+0000", "GMT")
    };
    let body = |code: u32| format!(r#"{{"error":"invalid_client","error_codes":[{code}]}}"#);
    let table = [
        (700_024, date(423), Some("7 min 3 s behind")),
        (700_024, date(-7_260), Some("2 h 1 min ahead of")),
        (500_133, date(60), Some("1 min 0 s behind")),
        (700_024, date(10), None),
        (700_024, "yesterday".to_owned(), None),
        (7_000_215, date(423), None),
    ];
    for (code, date, expected) in table {
        let script = ScriptedTransport::new().then(401, &[("date", &date)], body(code));
        let credential = ClientSecretCredential::builder(TENANT, CLIENT, "s")
            .transport(Arc::new(script))
            .clock(clock.clone())
            .build()
            .unwrap();
        let error = error(&credential, &graph()).await;
        let cause = error.cause().unwrap_or_default();
        match expected {
            Some(words) => assert!(
                cause.contains(words) && error.fix().unwrap().contains("NTP"),
                "{cause}"
            ),
            None => assert!(!cause.contains("clock is"), "{cause}"),
        }
    }
}
