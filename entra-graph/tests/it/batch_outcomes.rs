//! Batches whose requests meet different ends: lost, throttled without a wait, failed in part.

use std::time::Duration;

use entra_core::{Clock, ManualClock, ScriptedTransport, StopReason, TransportError, http};
use entra_graph::{ErrorKind, NewGroup, User};
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

/// Answers the first `$batch` in full and refuses every other one.
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
    let refused = r#"{"error":{"code":"BadRequest","message":"m"}}"#;
    let script = ScriptedTransport::new()
        .then_with(|request| {
            let body = first_chunk_only(&request);
            Ok(http::Response::new(body.into()))
        })
        .then(400, &[], refused);
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
