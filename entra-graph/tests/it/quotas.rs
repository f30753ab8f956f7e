//! The governor of quotas: when requests are sent, by the clock.

mod closed;
mod scopes;
mod turns;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use entra_core::{
    AccessToken, Clock, CredentialError, HttpTransport, ManualClock, RetryPolicy, StaticCredential,
    Timestamp, TokenCredential, TokenRequest, TransportError, bytes::Bytes, http,
};
use entra_graph::{Governor, GraphClient, GraphClientBuilder, Operation, TenantSize, User};
use futures_util::future::join_all;

type Respond = dyn Fn(usize, &http::Request<Bytes>) -> http::Response<Bytes> + Send + Sync;

/// Responds by the number of the request, and notes when each was sent.
#[derive(Clone)]
struct Service {
    clock: ManualClock,
    started: Instant,
    sent: Arc<Mutex<Vec<(Duration, String)>>>,
    respond: Arc<Respond>,
    /// The first so many requests are on their way together before the first one has its response.
    together: usize,
}

impl Service {
    fn new(
        clock: &ManualClock,
        respond: impl Fn(usize, &http::Request<Bytes>) -> http::Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        Self {
            clock: clock.clone(),
            started: clock.monotonic(),
            sent: Arc::default(),
            respond: Arc::new(respond),
            together: 0,
        }
    }

    fn ok(clock: &ManualClock) -> Self {
        Self::new(clock, |_, _| page(&[]))
    }

    /// The times in milliseconds.
    fn times(&self) -> Vec<u128> {
        let sent = self.sent.lock().unwrap();
        sent.iter().map(|(at, _)| at.as_millis()).collect()
    }

    fn paths(&self) -> Vec<String> {
        let sent = self.sent.lock().unwrap();
        sent.iter().map(|(_, path)| path.clone()).collect()
    }

    fn builder(&self, token: &str) -> GraphClientBuilder {
        GraphClient::builder(StaticCredential::new(token))
            .transport(self.clone())
            .clock(self.clock.clone())
    }

    fn client(&self) -> GraphClient {
        self.builder("token").build().unwrap()
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpTransport for Service {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let number = {
            let mut sent = self.sent.lock().unwrap();
            sent.push((
                self.clock.elapsed(self.started),
                request.uri().path().to_owned(),
            ));
            sent.len()
        };
        while number <= self.together && self.paths().len() < self.together {
            tokio::task::yield_now().await;
        }
        Ok((self.respond)(number, &request))
    }
}

fn page(headers: &[(&str, &str)]) -> http::Response<Bytes> {
    let body = r#"{"id":"33333333-3333-3333-3333-333333333333","value":[]}"#;
    response(200, headers, body)
}

fn response(status: u16, headers: &[(&str, &str)], body: &str) -> http::Response<Bytes> {
    let mut response = http::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}

fn throttled(headers: &[(&str, &str)]) -> http::Response<Bytes> {
    response(
        429,
        headers,
        r#"{"error":{"code":"TooManyRequests","message":"slow down"}}"#,
    )
}

/// A credential without a cache, whose tokens are numbered.
#[derive(Clone, Debug, Default)]
struct Uncached(Arc<AtomicUsize>);

impl Uncached {
    fn requested(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl TokenCredential for Uncached {
    async fn token(&self, _: &TokenRequest) -> Result<AccessToken, CredentialError> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        // Other requests get their turn while this one is on its way.
        tokio::task::yield_now().await;
        let claims = format!(r#"{{"appid":"app","tid":"tenant","number":{number}}}"#);
        let text = format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims));
        let expires = Timestamp::now_utc() + entra_core::time::Duration::hours(1);
        Ok(AccessToken::new(text, expires))
    }
}

async fn read_users(graph: &GraphClient, count: usize) {
    let reads = (0..count).map(|_| graph.user("a").get().send());
    for user in join_all(reads).await {
        user.unwrap();
    }
}

async fn read_sign_ins(graph: &GraphClient, count: usize) {
    let reads = (0..count).map(|_| graph.audit_logs().sign_ins().list().send());
    for page in join_all(reads).await {
        page.unwrap();
    }
}

fn token(application: &str, tenant: &str) -> String {
    let claims = format!(r#"{{"appid":"{application}","tid":"{tenant}"}}"#);
    format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims))
}

#[tokio::test]
async fn logs_are_read_five_times_in_ten_seconds() {
    let service = Service::ok(&ManualClock::new());
    let graph = service.client();
    read_sign_ins(&graph, 12).await;
    let mut expected = vec![0; 5];
    expected.extend([10_250; 5]);
    expected.extend([20_500; 2]);
    assert_eq!(service.times(), expected);
    // Another limit has its own count.
    read_users(&graph, 100).await;
    assert_eq!(service.times().last(), Some(&20_500));
}

#[tokio::test]
async fn without_a_governor_nothing_waits() {
    let service = Service::ok(&ManualClock::new());
    let graph = service.builder("token").without_governor().build().unwrap();
    read_sign_ins(&graph, 12).await;
    assert_eq!(service.times(), [0; 12]);
}

#[tokio::test]
async fn one_429_slows_all_requests_of_its_limit_once() {
    let clock = ManualClock::new();
    let service = Service::new(&clock, |number, _| match number {
        3 => throttled(&[("retry-after", "7")]),
        _ => page(&[]),
    });
    read_users(&service.client(), 20).await;
    let times = service.times();
    assert_eq!(times.len(), 21);
    assert_eq!(times[..3], [0; 3]);
    let after = times[3];
    // Retry-After and the jitter of one wait.
    assert!((7_000..9_000).contains(&after), "{times:?}");
    assert!(times.iter().all(|at| *at <= after + 1_000), "{times:?}");

    // Without it, each waits for itself, one after the other on this clock.
    let service = Service::new(&clock, |number, _| match number {
        1..=20 => throttled(&[("retry-after", "7")]),
        _ => page(&[]),
    });
    let graph = service.builder("token").without_governor().build().unwrap();
    read_users(&graph, 20).await;
    assert!(service.times().iter().any(|at| *at > 100_000));
}

#[tokio::test]
async fn a_burst_of_429_slows_all_callers_once() {
    let clock = ManualClock::stepped(Timestamp::now_utc());
    let mut service = Service::new(&clock, |number, _| match number {
        1..=20 => throttled(&[("retry-after", "7")]),
        _ => page(&[]),
    });
    service.together = 20;
    let graph = service.builder(&token("app", "tenant")).build().unwrap();
    // Clones in tasks, and the clients of several users of the same application.
    let tasks: Vec<_> = (0..5)
        .map(|task| {
            let credential = StaticCredential::new(&token("app", "tenant"));
            let graph = match task % 2 {
                0 => graph.clone(),
                _ => graph.with_credential(credential),
            };
            tokio::spawn(async move { read_users(&graph, 4).await })
        })
        .collect();
    while service.paths().len() < 20 {
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    while !tasks.iter().all(tokio::task::JoinHandle::is_finished) {
        clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    let times = service.times();
    assert_eq!(times.len(), 40);
    assert_eq!(times[..20], [0; 20]);
    // One wait with its jitter, and not 20 in turn.
    let again = &times[20..];
    assert!(
        again.iter().all(|at| (7_000..=12_000).contains(at)),
        "{times:?}"
    );
}

#[tokio::test]
async fn a_429_of_one_limit_does_not_slow_another() {
    let service = Service::new(&ManualClock::new(), |number, _| match number {
        1 => throttled(&[]),
        _ => page(&[]),
    });
    let graph = service.client();
    let (users, sign_ins) = (read_users(&graph, 5), read_sign_ins(&graph, 1));
    let ((), ()) = tokio::join!(sign_ins, users);
    let paths = service.paths();
    assert_eq!(paths.first().unwrap(), "/v1.0/auditLogs/signIns");
    // Without a Retry-After, a wait below the period of the limit would be lost.
    let last = paths
        .iter()
        .rposition(|path| path.ends_with("signIns"))
        .unwrap();
    assert!(service.times()[last] >= 10_000, "{:?}", service.times());

    let clock = ManualClock::new();
    let service = Service::new(&clock, |number, _| match number {
        1 => throttled(&[
            ("retry-after", "30"),
            ("x-ms-throttle-information", "WriteLimitExceeded"),
        ]),
        2 => page(&[]),
        _ => response(204, &[], ""),
    });
    let stepped = ManualClock::stepped(Timestamp::now_utc());
    let graph = GraphClient::builder(StaticCredential::new("token"))
        .transport(service.clone())
        .clock(stepped.clone())
        .build()
        .unwrap();
    let write = tokio::spawn({
        let graph = graph.clone();
        async move {
            graph
                .user("a")
                .update()
                .set(User::JOB_TITLE, "Lead")
                .send()
                .await
        }
    });
    while service.paths().is_empty() {
        tokio::task::yield_now().await;
    }
    // The write waits for its limit; a read does not.
    graph.user("a").get().send().await.unwrap();
    assert!(!write.is_finished());
    while !write.is_finished() {
        stepped.advance(Duration::from_secs(10));
        tokio::task::yield_now().await;
    }
    write.await.unwrap().unwrap();
    assert_eq!(service.paths().len(), 3);
}

#[tokio::test]
async fn writes_have_a_limit_of_their_own() {
    let service = Service::new(&ManualClock::new(), |_, _| response(204, &[], ""));
    let graph = service.client();
    for _ in 0..3_000 {
        graph.user("a").delete().send().await.unwrap();
    }
    // 3,000 in 150 s, used a twentieth slower.
    graph.user("a").delete().send().await.unwrap();
    let times = service.times();
    assert_eq!(times[2_999], 0);
    assert!((50..60).contains(&times[3_000]), "{}", times[3_000]);
}

#[tokio::test]
async fn costs_are_those_that_graph_reports() {
    let service = Service::new(&ManualClock::new(), |_, _| {
        page(&[("x-ms-resource-unit", "100")])
    });
    let governor = Governor::new().tenant_size(TenantSize::Small);
    let graph = service.builder("token").governor(governor).build().unwrap();
    for _ in 0..67 {
        graph.user("a").get().send().await.unwrap();
    }
    // 3,500 units at once, then 332.5 a second.
    let times = service.times();
    assert_eq!(times[..35], [0; 35]);
    assert!((9_300..9_400).contains(&times[66]), "{times:?}");
}

#[tokio::test]
async fn a_large_tenant_is_recognized_by_what_graph_does_not_say() {
    let service = Service::new(&ManualClock::new(), |_, _| {
        page(&[("x-ms-resource-unit", "100")])
    });
    let graph = service.client();
    for _ in 0..76 {
        graph.user("a").get().send().await.unwrap();
    }
    assert_eq!(service.times(), [0; 76]);

    // A small tenant warns, and is not taken for a larger one.
    let service = Service::new(&ManualClock::new(), |number, _| {
        let used = (number as f64 * 100.0 / 3_500.0).min(1.0);
        let used = format!("{used:.2}");
        match number {
            ..28 => page(&[("x-ms-resource-unit", "100")]),
            _ => page(&[
                ("x-ms-resource-unit", "100"),
                ("x-ms-throttle-limit-percentage", &used),
            ]),
        }
    });
    let graph = service.client();
    for _ in 0..76 {
        graph.user("a").get().send().await.unwrap();
    }
    assert!(service.times()[75] > 10_000, "{:?}", service.times());
}

#[tokio::test]
async fn quotas_are_counted_per_application_and_tenant() {
    let service = Service::ok(&ManualClock::new());
    let graph = service.builder(&token("app", "one")).build().unwrap();
    read_sign_ins(&graph, 5).await;
    // Another user of the same application and tenant.
    let same = graph.with_credential(StaticCredential::new(&token("app", "one")));
    read_sign_ins(&same, 1).await;
    assert_eq!(service.times()[5], 10_250);
    let other = graph.with_credential(StaticCredential::new(&token("app", "two")));
    read_sign_ins(&other, 5).await;
    assert_eq!(service.times()[6..], [10_250; 5]);

    // Clients that were built apart share a governor on request.
    let service = Service::ok(&ManualClock::new());
    let governor = Governor::new();
    let build = || {
        let builder = service.builder(&token("app", "one"));
        builder.governor(governor.clone()).build().unwrap()
    };
    let (one, two) = (build(), build());
    read_sign_ins(&one, 3).await;
    read_sign_ins(&two, 3).await;
    assert_eq!(service.times().last(), Some(&10_250));
}

#[tokio::test]
async fn waits_for_a_limit_are_not_time_of_the_call() {
    let service = Service::new(&ManualClock::new(), |number, _| match number {
        6 => response(503, &[], ""),
        _ => page(&[]),
    });
    let policy = RetryPolicy::for_graph().with_budget(Duration::from_secs(5));
    let graph = service
        .builder("token")
        .retry_policy(policy)
        .build()
        .unwrap();
    // The sixth waits 10 s before it is sent, and fails once.
    read_sign_ins(&graph, 6).await;
    assert_eq!(service.times().len(), 7);
}

#[tokio::test]
async fn endless_throttling_ends_with_the_budget() {
    let clock = ManualClock::new();
    let service = Service::new(&clock, |_, _| throttled(&[("retry-after", "10")]));
    let policy = RetryPolicy::for_graph().with_budget(Duration::from_secs(60));
    let graph = service
        .builder("token")
        .retry_policy(policy)
        .build()
        .unwrap();
    let error = graph.user("a").get().send().await.unwrap_err();
    assert!(error.is_throttled());
    let tries = error.tries().unwrap();
    assert!((4..=6).contains(&tries), "{error:#}");
}

#[tokio::test]
async fn a_batch_is_paced_by_its_parts() {
    let service = Service::new(&ManualClock::new(), |_, request| {
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        let parts = body["requests"].as_array().unwrap();
        let responses: Vec<_> = parts
            .iter()
            .map(|part| serde_json::json!({"id": part["id"], "status": 200, "body": {"value": []}}))
            .collect();
        response(
            200,
            &[],
            &serde_json::json!({"responses": responses}).to_string(),
        )
    });
    let graph = service.client();
    let mut batch = graph.batch();
    let entries: Vec<_> = (0..12)
        .map(|_| batch.add(graph.audit_logs().sign_ins().list()))
        .collect();
    let responses = batch.send().await.unwrap();
    for entry in entries {
        responses.get(entry).unwrap();
    }
    assert_eq!(service.times(), [0, 10_250, 20_500]);

    // 3,500 units at once: 35 batches of 20 lists of members at 5 units each.
    let mut batch = graph.batch();
    for _ in 0..36 * 20 {
        batch.add(graph.group("g").transitive_members().list());
    }
    batch.send().await.unwrap();
    let times = service.times();
    assert_eq!(times[3..38], [20_500; 35]);
    assert!(times[38] > 20_500, "{times:?}");
}

#[tokio::test]
async fn a_throttled_part_of_a_batch_slows_other_requests_of_its_limit() {
    let clock = ManualClock::new();
    let service = Service::new(&clock, |number, request| match number {
        1 => {
            let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
            let id = &body["requests"][0]["id"];
            let part = serde_json::json!({"id": id, "status": 429, "headers": {"Retry-After": "20"}, "body": null});
            response(
                200,
                &[],
                &serde_json::json!({"responses": [part]}).to_string(),
            )
        }
        2 => page(&[]),
        _ => response(
            200,
            &[],
            r#"{"responses":[{"id":"0","status":200,"body":{"id":"a"}}]}"#,
        ),
    });
    let graph = service.client();
    let mut batch = graph.batch();
    batch.add(graph.user("a").get());
    let other = async {
        while service.paths().is_empty() {
            tokio::task::yield_now().await;
        }
        read_users(&graph, 1).await;
    };
    let (responses, ()) = tokio::join!(batch.send(), other);
    responses.unwrap();
    let times = service.times();
    assert_eq!(times[0], 0);
    assert!(times[1..].iter().all(|at| *at >= 20_000), "{times:?}");
}

#[tokio::test]
async fn throttled_parts_of_a_batch_go_together_after_the_longest_wait() {
    let part = |id: &serde_json::Value, status: u16, wait: u32| {
        let headers = match wait {
            0 => serde_json::json!({}),
            wait => serde_json::json!({"Retry-After": wait.to_string()}),
        };
        serde_json::json!({"id": id, "status": status, "headers": headers, "body": {"id": "a"}})
    };
    let service = Service::new(&ManualClock::new(), move |number, request| {
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        let parts = body["requests"].as_array().unwrap().iter();
        let responses: Vec<_> = parts
            .map(|one| match (number, one["id"].as_str().unwrap()) {
                (1, "1") => part(&one["id"], 429, 5),
                (1, "2") => part(&one["id"], 429, 90),
                _ => part(&one["id"], 200, 0),
            })
            .collect();
        response(
            200,
            &[],
            &serde_json::json!({"responses": responses}).to_string(),
        )
    });
    let graph = service.client();
    let mut batch = graph.batch();
    let entries: Vec<_> = (0..4).map(|_| batch.add(graph.user("a").get())).collect();
    let responses = batch.send().await.unwrap();
    for entry in entries {
        responses.get(entry).unwrap();
    }
    let times = service.times();
    assert_eq!(times.len(), 2, "{times:?}");
    assert!((90_000..92_000).contains(&times[1]), "{times:?}");
}

#[test]
fn every_operation_has_its_documented_resource_units() {
    let units = |operation: &Operation| (operation.path().to_owned(), operation.resource_units());
    let mut dear: Vec<_> = entra_graph::operations()
        .filter(|one| one.resource_units() > 1)
        .map(units)
        .collect();
    dear.sort();
    dear.dedup();
    // The documented table, as far as this crate has the operations. Those of other features may be missing.
    let expected = [
        ("/applications", 2),
        ("/applications/{id}/extensionProperties", 2),
        ("/directoryObjects/getByIds", 5),
        ("/groups/{id}/members", 3),
        ("/groups/{id}/transitiveMembers", 5),
        ("/oauth2PermissionGrants", 2),
        ("/oauth2PermissionGrants/delta", 2),
        ("/oauth2PermissionGrants/{id}", 2),
        ("/servicePrincipals/{id}/appRoleAssignments", 2),
        ("/subscribedSkus", 3),
        ("/users", 2),
        ("/users/{id}/checkMemberGroups", 4),
        ("/users/{id}/checkMemberObjects", 4),
        ("/users/{id}/getMemberGroups", 2),
        ("/users/{id}/getMemberObjects", 2),
        ("/users/{id}/licenseDetails", 2),
        ("/users/{id}/memberOf", 2),
        ("/users/{id}/ownedObjects", 2),
        ("/users/{id}/transitiveMemberOf", 2),
    ];
    let expected = expected.map(|(path, units)| (path.to_owned(), units));
    dear.retain(|row| !row.0.starts_with("/domains"));
    assert_eq!(dear, expected);
    for operation in entra_graph::operations() {
        let others = [
            "/auditLogs",
            "/identity/conditionalAccess",
            "/identityProtection",
            "/reports",
            "/subscriptions",
        ];
        let counted = !others
            .iter()
            .any(|service| operation.path().starts_with(service));
        let is_photo = operation.path().contains("/photo");
        assert_eq!(
            operation.resource_units() > 0,
            counted && !is_photo,
            "{operation:?}"
        );
    }
}

#[tokio::test]
async fn the_governor_requests_no_token_of_its_own() {
    for paced in [true, false] {
        let clock = ManualClock::new();
        let service = Service::ok(&clock);
        let credential = Uncached::default();
        let builder = GraphClient::builder(credential.clone())
            .transport(service.clone())
            .clock(clock.clone());
        let builder = if paced {
            builder
        } else {
            builder.without_governor()
        };
        let graph = builder.build().unwrap();
        read_users(&graph, 1).await;
        assert_eq!(credential.requested(), 1, "paced: {paced}");
        read_users(&graph, 20).await;
        assert_eq!(credential.requested(), 21, "paced: {paced}");
        // The first requests of a credential at the same time.
        let credential = Uncached::default();
        read_users(&graph.with_credential(credential.clone()), 20).await;
        assert_eq!(credential.requested(), 20, "paced: {paced}");
    }
}

#[tokio::test]
async fn a_first_request_that_waits_for_long_is_sent_with_a_new_token() {
    for (seconds, requested) in [("30", 1), ("100", 2)] {
        let clock = ManualClock::stepped(Timestamp::now_utc());
        let service = Service::new(&clock, move |number, _| match number {
            1 => throttled(&[("retry-after", seconds)]),
            _ => page(&[]),
        });
        let graph = service.builder(&token("app", "tenant")).build().unwrap();
        let read = |graph: GraphClient| tokio::spawn(async move { read_users(&graph, 1).await });
        let first = read(graph.clone());
        while service.paths().is_empty() {
            tokio::task::yield_now().await;
        }
        // The limit is closed now.
        let credential = Uncached::default();
        let second = read(graph.with_credential(credential.clone()));
        while !first.is_finished() || !second.is_finished() {
            tokio::task::yield_now().await;
            clock.advance(Duration::from_secs(1));
        }
        first.await.unwrap();
        second.await.unwrap();
        assert_eq!(credential.requested(), requested, "{seconds} s");
    }
}
