//! Batches whose requests meet different ends: lost, throttled without a wait, failed in part.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use entra_core::{
    AccessToken, Clock, Cloud, CredentialError, ManualClock, ScriptedTransport, StopReason,
    Timestamp, TokenCredential, TokenRequest, TransportError, http,
    http::{HeaderName, HeaderValue, Method, header},
};
use entra_graph::{ErrorKind, GraphClient, NewGroup, User};
use serde_json::{Value, json};

use crate::scripts::{client, client_with_clock};

fn new_group() -> NewGroup {
    NewGroup::security("Buyers", "buyers")
}

fn lost() -> ScriptedTransport {
    ScriptedTransport::new().then_fail(TransportError::interrupted("reset"))
}

fn responses(items: &[Value]) -> String {
    json!({ "responses": items }).to_string()
}

#[tokio::test]
async fn a_batch_of_creates_alone_is_not_sent_again_either() {
    let script = lost().then(200, &[], responses(&[]));
    let graph = client(script.clone());
    let mut batch = graph.batch();
    batch.add(graph.groups().create(new_group()));
    assert_eq!(batch.send().await.unwrap_err().kind(), ErrorKind::Transport);
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn a_batch_of_updates_is_sent_again_after_a_lost_response() {
    let script = lost().then(200, &[], responses(&[json!({ "id": "0", "status": 204 })]));
    let graph = client(script.clone());
    let mut batch = graph.batch();
    let entry = batch.add(graph.user("a").update().set(User::DEPARTMENT, "Sales"));
    batch.send().await.unwrap().get(entry).unwrap();
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test]
async fn a_request_that_was_done_is_not_sent_again_with_what_it_depends_on() {
    let throttled = json!({
        "id": "0", "status": 429, "headers": { "Retry-After": "1" },
        "body": { "error": { "code": "TooManyRequests", "message": "m" } },
    });
    let done = |id: &str| json!({ "id": id, "status": 204 });
    let script = ScriptedTransport::new()
        .then(200, &[], responses(&[throttled, done("1")]))
        .then(200, &[], responses(&[done("0"), done("1")]));
    let graph = client(script.clone());
    let mut batch = graph.batch();
    let first = batch.add(graph.user("a").delete());
    let second = batch.add_after([first.id()], graph.user("b").delete());
    let read = batch.send().await.unwrap();
    read.get(first).unwrap();
    read.get(second).unwrap();
    let again: Value = serde_json::from_slice(script.requests()[1].body()).unwrap();
    assert_eq!(again["requests"].as_array().unwrap().len(), 1);
    assert_eq!(again["requests"][0]["id"], "0");
}

/// Answers the first `$batch` in full and rejects every other one.
fn first_chunk_only(request: &http::Request<bytes::Bytes>) -> String {
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    let items: Vec<Value> = body["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| json!({ "id": one["id"], "status": 200, "body": { "id": "x" } }))
        .collect();
    responses(&items)
}

#[tokio::test]
async fn what_one_chunk_brought_is_kept_when_another_chunk_fails() {
    let rejected = r#"{"error":{"code":"BadRequest","message":"m"}}"#;
    let script = ScriptedTransport::new()
        .then_with(|request| {
            let body = first_chunk_only(&request);
            Ok(http::Response::new(body.into()))
        })
        .then(400, &[], rejected);
    let graph = client(script);
    let mut batch = graph.batch();
    let entries: Vec<_> = (0..21).map(|_| batch.add(graph.user("a").get())).collect();
    let responses = batch.send().await.unwrap();
    for entry in &entries[..20] {
        assert_eq!(responses.get(*entry).unwrap().id, "x");
    }
    let error = responses.get(entries[20]).unwrap_err();
    assert_eq!(error.code(), Some("BadRequest"));
}

#[tokio::test]
async fn a_request_of_a_lost_chunk_says_whether_it_may_have_been_done() {
    let script = ScriptedTransport::new()
        .then_with(|request| {
            let body = first_chunk_only(&request);
            Ok(http::Response::new(body.into()))
        })
        .then_fail(TransportError::interrupted("reset"));
    let graph = client(script.clone());
    let mut batch = graph.batch();
    for _ in 0..20 {
        batch.add(graph.user("a").get());
    }
    let created = batch.add(graph.groups().create(new_group()));
    let read = batch.add(graph.user("b").get());
    let responses = batch.send().await.unwrap();
    assert_eq!(script.requests().len(), 2, "a create is among them");
    let error = responses.get(created).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert_eq!(error.stop_reason(), Some(StopReason::NotRepeatable));
    let error = responses.get(read).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert_eq!(error.stop_reason(), None, "a read can be sent again");
}

#[tokio::test]
async fn a_missing_permission_of_a_chunk_is_no_doubt_about_a_create() {
    let script = ScriptedTransport::new()
        .then_with(|request| {
            let body = first_chunk_only(&request);
            Ok(http::Response::new(body.into()))
        })
        .then(400, &[], r#"{"error":{"code":"BadRequest"}}"#);
    let graph = client(script);
    let mut batch = graph.batch();
    for _ in 0..20 {
        batch.add(graph.user("a").get());
    }
    let created = batch.add(graph.groups().create(new_group()));
    let error = batch.send().await.unwrap().get(created).unwrap_err();
    assert_eq!(error.code(), Some("BadRequest"));
    assert_eq!(error.stop_reason(), None);
}

/// The time from the first try of the only item to its second.
async fn wait_after(status: u16) -> Duration {
    let clock = ManualClock::new();
    let item = |status: u16, body: &Value| json!({ "id": "0", "status": status, "body": body });
    let failed = item(status, &json!({ "error": { "code": "x" } }));
    let script = ScriptedTransport::new()
        .then(200, &[], responses(&[failed]))
        .then(200, &[], responses(&[item(200, &json!({ "id": "1" }))]));
    let graph = client_with_clock(script, clock.clone());
    let mut batch = graph.batch();
    let entry = batch.add(graph.user("a").get());
    let started = clock.monotonic();
    batch.send().await.unwrap().get(entry).unwrap();
    clock.elapsed(started)
}

#[tokio::test]
async fn an_item_throttled_without_a_wait_waits_seconds_and_a_failed_one_less() {
    assert!(wait_after(429).await >= Duration::from_secs(3));
    assert!(wait_after(503).await <= Duration::from_secs(1));
}

#[tokio::test]
async fn an_item_that_is_told_to_wait_beyond_the_budget_says_so() {
    let item = json!({
        "id": "0", "status": 429, "headers": { "Retry-After": "3600" },
        "body": { "error": { "code": "TooManyRequests" } },
    });
    let graph = client(ScriptedTransport::new().then(200, &[], responses(&[item])));
    let mut batch = graph.batch();
    let entry = batch.add(graph.user("a").get());
    let error = batch.send().await.unwrap().get(entry).unwrap_err();
    let Some(StopReason::RetryAfterBeyondBudget { retry_after, .. }) = error.stop_reason() else {
        panic!("{error:?}");
    };
    assert_eq!(retry_after, Duration::from_secs(3600));
}

#[tokio::test]
async fn a_batch_knows_its_size_and_debug_names_its_requests_and_their_ends() {
    let script = ScriptedTransport::new().then(
        200,
        &[],
        responses(&[
            json!({ "id": "0", "status": 200, "body": { "id": "1" } }),
            json!({ "id": "1", "status": 403, "body": { "error": { "code": "Denied" } } }),
        ]),
    );
    let graph = client(script);
    let mut batch = graph.batch();
    assert_eq!((batch.len(), batch.is_empty()), (0, true));
    batch.add(graph.user("a").get());
    let second = batch.add(graph.user("b").get());
    assert_eq!((batch.len(), batch.is_empty()), (2, false));
    assert_eq!(format!("{second:?}"), "BatchEntry(1)");
    let text = format!("{batch:?}");
    assert!(text.contains("GET /v1.0/users/a"), "{text}");
    let text = format!("{:?}", batch.send().await.unwrap());
    assert!(text.contains("200 OK") && text.contains("Denied"), "{text}");
}

#[tokio::test]
async fn raw_json_cannot_add_requests_to_a_batch_or_spoil_it() {
    let script = ScriptedTransport::new().then(
        200,
        &[],
        responses(&[json!({ "id": "0", "status": 200, "body": { "id": "1" } })]),
    );
    let graph = client(script.clone());
    let json = HeaderValue::from_static("application/json");
    let mut batch = graph.batch();
    let read = batch.add(graph.user("a").get());
    let bodies = [
        &br#"{}},{"id":"9","method":"DELETE","url":"/users/b""#[..],
        b"",
        b"{} {}",
        b"{\"a\":\"\xff\"}",
        b"\xef\xbb\xbf{}",
    ];
    let patches: Vec<_> = bodies
        .iter()
        .map(|body| {
            let raw = graph.raw(Method::PATCH, "/users/a");
            batch.add(raw.body(json.clone(), body.to_vec()))
        })
        .collect();
    let tag = HeaderValue::from_bytes(b"\"\xe9\"").unwrap();
    let tagged = batch.add(
        graph
            .raw(Method::GET, "/users/a")
            .header(header::IF_MATCH, tag),
    );
    let responses = batch.send().await.unwrap();
    assert_eq!(responses.get(read).unwrap().id, "1");
    for entry in patches.into_iter().chain([tagged]) {
        assert_eq!(responses.get(entry).unwrap_err().kind(), ErrorKind::Query);
    }
    let body: Value = serde_json::from_slice(script.requests()[0].body()).unwrap();
    assert_eq!(body["requests"].as_array().map(Vec::len), Some(1), "{body}");
}

#[tokio::test]
async fn of_two_raw_headers_with_one_name_the_second_counts_alone_and_in_a_batch() {
    let empty = responses(&[json!({ "id": "0", "status": 200, "body": {} })]);
    let script = ScriptedTransport::new()
        .then(200, &[], "{}")
        .then(200, &[], empty);
    let graph = client(script.clone());
    let prefer = HeaderName::from_static("prefer");
    let raw = graph
        .raw(Method::GET, "/users")
        .header(prefer.clone(), HeaderValue::from_static("a"))
        .header(prefer, HeaderValue::from_static("b"));
    raw.clone().send().await.unwrap();
    let mut batch = graph.batch();
    batch.add(raw);
    batch.send().await.unwrap();
    let requests = script.requests();
    assert_eq!(requests[0].headers()["prefer"], "b");
    let body: Value = serde_json::from_slice(requests[1].body()).unwrap();
    assert_eq!(body["requests"][0]["headers"]["prefer"], "b");
}

/// Two requests, a read and a create, against one response of a batch.
async fn read_and_create(body: Value) -> [Result<String, ErrorKind>; 2] {
    let script = ScriptedTransport::new().then(200, &[], body.to_string());
    let graph = client(script.clone());
    let mut batch = graph.batch();
    let read = batch.add(graph.user("a").get());
    let created = batch.add(graph.groups().create(new_group()));
    let responses = batch.send().await.unwrap();
    assert_eq!(script.requests().len(), 1, "{body}");
    [
        responses.get(read).map(|user| user.id),
        responses.get(created).map(|group| group.id),
    ]
    .map(|result| result.map_err(|error| error.kind()))
}

#[tokio::test]
async fn an_item_that_cannot_be_read_leaves_the_others_alone() {
    let created = json!({ "id": "1", "status": 201, "body": { "id": "g" } });
    for unreadable in [
        Value::Null,
        json!({ "id": "0", "status": "200" }),
        json!({ "id": "0", "status": 70_000 }),
        json!({ "status": 200 }),
        json!({ "id": "0", "status": 200, "headers": [] }),
    ] {
        assert_eq!(
            read_and_create(json!({ "responses": [unreadable, created] })).await,
            [Err(ErrorKind::Decode), Ok("g".to_owned())],
            "{unreadable}"
        );
    }
}

#[tokio::test]
async fn headers_and_ids_of_any_plain_type_are_read() {
    let headers = json!({ "x": null, "y": ["a", 1], "z": true, "Retry-After": 5, "w": {} });
    let body = json!({ "responses": [
        { "id": 0, "status": 200, "headers": headers, "body": { "id": "u" } },
        { "id": 1, "status": 201, "headers": null, "body": { "id": "g" } },
        { "id": "77", "status": 200 },
    ]});
    assert_eq!(
        read_and_create(body).await,
        [Ok("u".to_owned()), Ok("g".to_owned())]
    );
}

#[tokio::test]
async fn a_request_with_two_responses_is_an_error_and_is_not_sent_again() {
    let user = json!({ "id": "0", "status": 200, "body": { "id": "u" } });
    let created = json!({ "id": "1", "status": 201, "body": { "id": "g" } });
    let throttled = json!({ "id": "1", "status": 429, "body": { "error": { "code": "x" } } });
    for pair in [[&created, &throttled], [&throttled, &created]] {
        let body = json!({ "responses": [user, pair[0], pair[1]] });
        assert_eq!(
            read_and_create(body).await,
            [Ok("u".to_owned()), Err(ErrorKind::Decode)]
        );
    }
}

#[tokio::test]
async fn an_error_in_place_of_responses_keeps_its_code() {
    let body = r#"{"error":{"code":"Oops","message":"m"}}"#;
    let graph = client(ScriptedTransport::new().then(200, &[], body));
    let mut batch = graph.batch();
    batch.add(graph.user("a").get());
    let error = batch.send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Service, Some("Oops"))
    );
}

#[tokio::test]
async fn a_wait_of_an_item_may_be_a_fraction_or_a_date_of_the_server() {
    for (headers, wait) in [
        (json!({ "Retry-After": "0.25" }), 0.25),
        (json!({ "Retry-After": 7 }), 7.0),
        // The server's clock is years away from the client's.
        (
            json!({ "Retry-After": "Sat, 21 Nov 2026 02:09:02 GMT" }),
            60.0,
        ),
    ] {
        let clock = ManualClock::new();
        let item = json!({
            "id": "0", "status": 429, "headers": headers, "body": { "error": { "code": "x" } },
        });
        let done = json!({ "id": "0", "status": 200, "body": { "id": "1" } });
        let date = [("date", "Sat, 21 Nov 2026 02:08:02 GMT")];
        let script = ScriptedTransport::new()
            .then(200, &date, responses(&[item]))
            .then(200, &date, responses(&[done]));
        let graph = client_with_clock(script, clock.clone());
        let mut batch = graph.batch();
        let entry = batch.add(graph.user("a").get());
        let started = clock.monotonic();
        batch.send().await.unwrap().get(entry).unwrap();
        let waited = clock.elapsed(started).as_secs_f64();
        // A part of the next wait is added, so that clients do not come back at once.
        assert!((wait..wait + 1.0).contains(&waited), "{headers}: {waited}");
    }
}

/// Responds to each item of one request, after the request took this long.
fn after(
    seconds: u64,
    clock: &ManualClock,
    status: u16,
) -> impl Fn(http::Request<bytes::Bytes>) -> Result<http::Response<bytes::Bytes>, TransportError> + use<>
{
    let clock = clock.clone();
    move |request| {
        clock.advance(Duration::from_secs(seconds));
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        let items = body["requests"].as_array().unwrap().iter();
        let items: Vec<Value> = items
            .map(|one| {
                json!({
                    "id": one["id"], "status": status, "headers": { "Retry-After": "1" },
                    "body": { "id": "x", "error": { "code": "x" } },
                })
            })
            .map(|mut item| {
                if status == 200 {
                    item["body"] = json!({ "id": "x" });
                }
                item
            })
            .collect();
        Ok(http::Response::new(responses(&items).into()))
    }
}

#[tokio::test]
async fn the_time_budget_of_a_request_begins_when_it_is_first_sent() {
    let clock = ManualClock::new();
    let mut script = ScriptedTransport::new();
    // Four requests of the batch are sent at a time; they take longer than the budget of one.
    for _ in 0..4 {
        script = script.then_with(after(200, &clock, 200));
    }
    let script = script
        .then_with(after(1, &clock, 429))
        .then_with(after(1, &clock, 200));
    let graph = client_with_clock(script, clock);
    let mut batch = graph.batch();
    let entries: Vec<_> = (0..81).map(|_| batch.add(graph.user("a").get())).collect();
    let responses = batch.send().await.unwrap();
    assert_eq!(responses.get(entries[80]).unwrap().id, "x");
}

#[derive(Clone, Debug, Default)]
struct Renewable(Arc<Mutex<Vec<TokenRequest>>>);

#[async_trait]
impl TokenCredential for Renewable {
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        let mut requests = self.0.lock().unwrap();
        if request.force_refresh || request.claims.is_some() {
            requests.push(request.clone());
        }
        let token = format!("token-{}", requests.len());
        Ok(AccessToken::new(
            token,
            Timestamp::now_utc() + entra_core::time::Duration::HOUR,
        ))
    }
}

#[tokio::test]
async fn an_item_whose_token_is_rejected_is_sent_once_more_with_a_new_one() {
    let claims = r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#;
    let challenge = format!(
        "Bearer error=\"insufficient_claims\", claims=\"{}\"",
        claims.replace('"', "\\\"")
    );
    for (challenge, expected) in [("Bearer", None), (challenge.as_str(), Some(claims))] {
        let rejected = |id: &str| {
            json!({
                "id": id, "status": 401, "headers": { "WWW-Authenticate": challenge },
                "body": { "error": { "code": "InvalidAuthenticationToken" } },
            })
        };
        let script = ScriptedTransport::new()
            .then(
                200,
                &[],
                responses(&[
                    rejected("0"),
                    rejected("1"),
                    json!({ "id": "2", "status": 200, "body": { "id": "u" } }),
                ]),
            )
            .then(
                200,
                &[],
                responses(&[
                    json!({ "id": "0", "status": 201, "body": { "id": "g" } }),
                    rejected("1"),
                ]),
            );
        let credential = Renewable::default();
        let cloud =
            Cloud::custom("https://login.example.com", "https://graph.example.com").unwrap();
        let graph = GraphClient::builder(credential.clone())
            .cloud(cloud)
            .clock(ManualClock::new())
            .transport(script.clone())
            .build()
            .unwrap();
        let mut batch = graph.batch();
        let created = batch.add(graph.groups().create(new_group()));
        let denied = batch.add(graph.user("a").get());
        let read = batch.add(graph.user("b").get());
        let responses = batch.send().await.unwrap();
        assert_eq!(responses.get(created).unwrap().id, "g");
        assert_eq!(responses.get(read).unwrap().id, "u");
        assert_eq!(
            responses
                .get(denied)
                .unwrap_err()
                .status()
                .map(|status| status.as_u16()),
            Some(401)
        );
        let renewals = credential.0.lock().unwrap();
        assert_eq!(renewals.len(), 1);
        assert_eq!(renewals[0].claims.as_deref(), expected);
        let tokens: Vec<_> = script
            .requests()
            .iter()
            .map(|request| {
                request.headers()["authorization"]
                    .to_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        assert_eq!(tokens, ["Bearer token-0", "Bearer token-1"]);
    }
}
