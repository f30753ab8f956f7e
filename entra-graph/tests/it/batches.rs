//! Batches: each request gets its own response, however the batch is split, throttled and ordered.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use bytes::Bytes;
use entra_core::{Clock, HttpTransport, ManualClock, ScriptedTransport, TransportError};
use entra_graph::{BatchEntry, ErrorKind, GraphClient, IntoRequest, NewGroup, User};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    scripts::{builder, client, client_with_clock},
    support::{block_on, start},
};

/// A service that responds to each item by its URL: `/users/{number}`.
#[derive(Clone, Debug, Default)]
struct Service {
    /// The status of each number before it succeeds, or always.
    behaviour: HashMap<usize, Behaviour>,
    state: Arc<Mutex<State>>,
    clock: ManualClock,
}

#[derive(Clone, Debug)]
enum Behaviour {
    /// Throttled this many times, each with this wait in seconds.
    Throttled(usize, u64),
    /// Fails for good.
    Fails,
    /// Has no response in the response of the batch.
    Silent,
}

#[derive(Debug, Default)]
struct State {
    envelopes: Vec<Vec<usize>>,
    tries: HashMap<usize, usize>,
    sent_at: HashMap<usize, Vec<std::time::Instant>>,
    succeeded: HashSet<usize>,
    in_flight: usize,
    most_in_flight: usize,
}

impl Service {
    fn respond(&self, body: &Value) -> Value {
        let mut state = self.state.lock().unwrap();
        let requests = body["requests"].as_array().unwrap();
        assert!((1..=20).contains(&requests.len()), "{}", requests.len());
        let number = |request: &Value| -> usize {
            request["url"]
                .as_str()
                .unwrap()
                .trim_start_matches("/users/")
                .parse()
                .unwrap()
        };
        let by_id: HashMap<&str, usize> = requests
            .iter()
            .map(|request| (request["id"].as_str().unwrap(), number(request)))
            .collect();
        assert_eq!(by_id.len(), requests.len(), "ids are unique");
        state.envelopes.push(requests.iter().map(number).collect());
        let mut failed: HashSet<&str> = HashSet::new();
        let mut responses = Vec::new();
        for request in requests {
            let id = request["id"].as_str().unwrap();
            let number = number(request);
            let needed = request["dependsOn"].as_array().cloned().unwrap_or_default();
            for one in &needed {
                assert!(
                    by_id.contains_key(one.as_str().unwrap()),
                    "depends on another envelope"
                );
            }
            if needed
                .iter()
                .any(|one| failed.contains(one.as_str().unwrap()))
            {
                failed.insert(id);
                responses.push(json!({ "id": id, "status": 424, "body": { "error": { "code": "FailedDependency" } } }));
                continue;
            }
            let tries = state.tries.entry(number).or_default();
            *tries += 1;
            let tries = *tries;
            state
                .sent_at
                .entry(number)
                .or_default()
                .push(self.clock.monotonic());
            let response = match self.behaviour.get(&number) {
                Some(Behaviour::Throttled(times, wait)) if tries <= *times => {
                    failed.insert(id);
                    json!({ "id": id, "status": 429, "headers": { "Retry-After": wait.to_string() }, "body": { "error": { "code": "TooManyRequests" } } })
                }
                Some(Behaviour::Fails) => {
                    failed.insert(id);
                    json!({ "id": id, "status": 403, "headers": { "request-id": format!("r-{number}") }, "body": { "error": { "code": "Authorization_RequestDenied", "message": "m" } } })
                }
                Some(Behaviour::Silent) => continue,
                _ => {
                    assert!(state.succeeded.insert(number), "{number} was done twice");
                    json!({ "id": id, "status": 200, "headers": { "Content-Type": "application/json" }, "body": { "id": number.to_string() } })
                }
            };
            responses.push(response);
        }
        // In any order.
        responses.reverse();
        json!({ "responses": responses })
    }
}

#[async_trait]
impl HttpTransport for Service {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        assert_eq!(request.uri().path(), "/v1.0/$batch");
        assert_eq!(request.method(), "POST");
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        {
            let mut state = self.state.lock().unwrap();
            state.in_flight += 1;
            state.most_in_flight = state.most_in_flight.max(state.in_flight);
        }
        tokio::task::yield_now().await;
        self.state.lock().unwrap().in_flight -= 1;
        let response = self.respond(&body).to_string();
        Ok(http::Response::new(response.into()))
    }
}

fn graph(service: &Service) -> GraphClient {
    client_with_clock(service.clone(), service.clock.clone())
}

fn user(graph: &GraphClient, number: usize) -> entra_graph::query::Get<User> {
    graph.user(number.to_string()).get()
}

#[tokio::test]
async fn up_to_four_requests_of_a_batch_are_in_flight_at_once() {
    for (requests, expected) in [(20, 1), (45, 3), (200, 4)] {
        let service = Service::default();
        let graph = graph(&service);
        let mut batch = graph.batch();
        for number in 0..requests {
            batch.add(user(&graph, number));
        }
        batch.send().await.unwrap();
        assert_eq!(service.state.lock().unwrap().most_in_flight, expected);
    }
}

#[tokio::test]
async fn an_entry_of_another_batch_gets_no_response() {
    let service = Service::default();
    let graph = graph(&service);
    let entry = graph.batch().add(user(&graph, 1));
    let mut batch = graph.batch();
    let own = batch.add(user(&graph, 2));
    let responses = batch.send().await.unwrap();
    let error = responses.get(entry).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query);
    assert_eq!(responses.get(own).unwrap().id, "2");
}

#[tokio::test]
async fn a_batch_of_45_requests_is_sent_in_three_and_each_gets_its_response() {
    let service = Service::default();
    let graph = graph(&service);
    let mut batch = graph.batch();
    let entries: Vec<_> = (0..45)
        .map(|number| batch.add(user(&graph, number)))
        .collect();
    let responses = batch.send().await.unwrap();
    for (number, entry) in entries.into_iter().enumerate() {
        assert_eq!(responses.get(entry).unwrap().id, number.to_string());
    }
    let mut sizes: Vec<usize> = service
        .state
        .lock()
        .unwrap()
        .envelopes
        .iter()
        .map(Vec::len)
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 20, 20]);
}

#[tokio::test]
async fn each_request_waits_for_its_own_retry_after() {
    let waits = [(3, 30), (7, 5), (11, 90)];
    let service = Service {
        behaviour: waits
            .iter()
            .map(|(number, wait)| (*number, Behaviour::Throttled(1, *wait)))
            .collect(),
        ..Service::default()
    };
    // A governor would hold all of them back for the longest wait.
    let graph = builder(service.clone(), service.clock.clone());
    let graph = graph.without_governor().build().unwrap();
    let mut batch = graph.batch();
    let entries: Vec<_> = (0..15)
        .map(|number| batch.add(user(&graph, number)))
        .collect();
    let responses = batch.send().await.unwrap();
    for entry in entries {
        responses.get(entry).unwrap();
    }
    let state = service.state.lock().unwrap();
    assert_eq!(state.envelopes[0].len(), 15);
    assert_eq!(state.envelopes[1..], [vec![7], vec![3], vec![11]]);
    for (number, wait) in waits {
        let sent = &state.sent_at[&number];
        assert!(
            sent[1] - sent[0] >= std::time::Duration::from_secs(wait),
            "{number}"
        );
    }
}

#[tokio::test]
async fn a_failure_names_the_requests_own_method_path_and_permissions() {
    let service = Service {
        behaviour: HashMap::from([(1, Behaviour::Fails)]),
        ..Service::default()
    };
    let graph = graph(&service);
    let mut batch = graph.batch();
    let fails = batch.add(graph.user("1").delete());
    let dependent = batch.add_after([fails.id()], user(&graph, 2));
    let last = batch.add_after([dependent.id()], user(&graph, 3));
    let works = batch.add(user(&graph, 4));
    let responses = batch.send().await.unwrap();
    let error = responses.get(fails).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("403 Authorization_RequestDenied on DELETE /users/1"),
        "{error}"
    );
    assert_eq!(error.needed_permissions()[0], "User.DeleteRestore.All");
    assert_eq!(error.request_id(), Some("r-1"));
    for entry in [dependent, last] {
        let error = responses.get(entry).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Dependency);
        assert!(error.to_string().starts_with("GET /users/"), "{error}");
    }
    assert_eq!(responses.get(works).unwrap().id, "4");
    assert_eq!(service.state.lock().unwrap().tries.get(&2), None);
}

#[tokio::test]
async fn dependents_of_a_throttled_request_are_sent_again_with_it() {
    let service = Service {
        behaviour: HashMap::from([(0, Behaviour::Throttled(2, 4))]),
        ..Service::default()
    };
    let graph = graph(&service);
    let mut batch = graph.batch();
    let first = batch.add(user(&graph, 0));
    let second = batch.add_after([first.id()], user(&graph, 1));
    let responses = batch.send().await.unwrap();
    assert_eq!(responses.get(second).unwrap().id, "1");
    let state = service.state.lock().unwrap();
    assert_eq!((state.tries[&0], state.tries[&1]), (3, 1));
}

#[tokio::test]
async fn a_chain_beyond_twenty_keeps_its_order() {
    let service = Service::default();
    let graph = graph(&service);
    let mut batch = graph.batch();
    let mut entries: Vec<BatchEntry<User>> = Vec::new();
    for number in 0..45 {
        let after = entries.last().map(|entry| entry.id());
        entries.push(batch.add_after(after, user(&graph, number)));
    }
    let responses = batch.send().await.unwrap();
    assert_eq!(responses.get(entries[44]).unwrap().id, "44");
    let order: Vec<usize> = service.state.lock().unwrap().envelopes.concat();
    assert_eq!(order, (0..45).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_request_without_a_response_is_an_error() {
    let service = Service {
        behaviour: HashMap::from([(1, Behaviour::Silent)]),
        ..Service::default()
    };
    let graph = graph(&service);
    let mut batch = graph.batch();
    let (works, silent) = (batch.add(user(&graph, 0)), batch.add(user(&graph, 1)));
    let responses = batch.send().await.unwrap();
    assert!(responses.get(works).is_ok());
    assert_eq!(responses.get(silent).unwrap_err().kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn a_batch_with_a_create_and_a_lost_response_is_not_sent_again() {
    let script = ScriptedTransport::new().then_fail(TransportError::interrupted("reset"));
    let graph = client(script.clone());
    let mut batch = graph.batch();
    batch.add(
        graph
            .groups()
            .create(NewGroup::security("Buyers", "buyers")),
    );
    batch.add(graph.user("a").get());
    let error = batch.send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert_eq!(script.requests().len(), 1);

    let script = ScriptedTransport::new()
        .then_fail(TransportError::interrupted("reset"))
        .then(
            200,
            &[],
            r#"{"responses":[{"id":"0","status":200,"body":{"id":"1"}}]}"#,
        );
    let graph = client(script.clone());
    let mut batch = graph.batch();
    let entry = batch.add(graph.user("a").get());
    assert_eq!(batch.send().await.unwrap().get(entry).unwrap().id, "1");
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test]
async fn a_throttled_create_is_sent_again_and_a_failed_one_is_not() {
    for (status, tries) in [(429, 2), (503, 1)] {
        let failed = format!(
            r#"{{"responses":[{{"id":"0","status":{status},"headers":{{"Retry-After":"1"}}}}]}}"#
        );
        let created = r#"{"responses":[{"id":"0","status":201,"body":{"id":"1"}}]}"#;
        let script = ScriptedTransport::new()
            .then(200, &[], failed)
            .then(200, &[], created);
        let graph = client(script.clone());
        let mut batch = graph.batch();
        let entry = batch.add(
            graph
                .groups()
                .create(NewGroup::security("Buyers", "buyers")),
        );
        let result = batch.send().await.unwrap().get(entry);
        assert_eq!(result.is_ok(), tries == 2, "{status}");
        assert_eq!(script.requests().len(), tries, "{status}");
    }
}

#[tokio::test]
async fn a_wait_for_retry_after_is_not_an_attempt() {
    let throttled = r#"{"responses":[{"id":"0","status":429,"headers":{"Retry-After":"2"}}]}"#;
    let mut script = ScriptedTransport::new();
    for _ in 0..8 {
        script = script.then(200, &[], throttled);
    }
    // If those waits were attempts, this failure would be final.
    let script = script
        .then(200, &[], r#"{"responses":[{"id":"0","status":503}]}"#)
        .then(
            200,
            &[],
            r#"{"responses":[{"id":"0","status":200,"body":{"id":"1"}}]}"#,
        );
    let graph = client(script);
    let mut batch = graph.batch();
    let entry = batch.add(graph.user("a").get());
    assert_eq!(batch.send().await.unwrap().get(entry).unwrap().id, "1");
}

#[tokio::test]
async fn a_delete_in_a_batch_finds_nothing_only_if_no_attempt_may_have_done_it() {
    let busy = r#"{"responses":[{"id":"0","status":503}]}"#;
    let gone = r#"{"responses":[{"id":"0","status":404,"body":{"error":{"code":"Request_ResourceNotFound"}}}]}"#;
    let script = ScriptedTransport::new().then(200, &[], gone);
    let graph = client(script);
    let mut batch = graph.batch();
    let entry = batch.add(graph.user("a").delete());
    let error = batch.send().await.unwrap().get(entry).unwrap_err();
    assert!(error.is_not_found());

    let script = ScriptedTransport::new()
        .then(200, &[], busy)
        .then(200, &[], gone);
    let graph = client(script);
    let mut batch = graph.batch();
    let entry = batch.add(graph.user("a").delete());
    batch.send().await.unwrap().get(entry).unwrap();
}

#[tokio::test]
async fn a_reference_in_a_batch_is_present_or_absent_after_an_attempt_that_may_have_done_it() {
    let rejected = |message: &str| {
        json!({ "responses": [{ "id": "0", "status": 400, "body": { "error": { "code": "Request_BadRequest", "message": message } } }] })
            .to_string()
    };
    let present = rejected(
        "One or more added object references already exist for the following modified properties: 'members'.",
    );
    let absent = rejected(
        "One or more removed object references do not exist for the following modified properties: 'members'.",
    );
    let busy = r#"{"responses":[{"id":"0","status":503}]}"#;
    let id: entra_core::ObjectId = "87d349ed-44d7-43e1-9a83-5f2406dee5bd".parse().unwrap();
    for (adds, rejection) in [(true, present), (false, absent)] {
        for sent_before in [false, true] {
            let mut script = ScriptedTransport::new();
            if sent_before {
                script = script.then(200, &[], busy);
            }
            let graph = client(script.then(200, &[], rejection.clone()));
            let members = graph.group("g").members();
            let mut batch = graph.batch();
            let entry = if adds {
                batch.add(members.add(id))
            } else {
                batch.add(members.remove(id))
            };
            let done = batch.send().await.unwrap().get(entry).is_ok();
            assert_eq!(done, sent_before, "adds: {adds}");
        }
    }
}

#[tokio::test]
async fn headers_bodies_and_bytes_go_into_the_items() {
    let response = json!({ "responses": [
        { "id": "0", "status": 204 },
        { "id": "1", "status": 200, "headers": { "Content-Type": "image/jpeg" }, "body": "_9j_4A==" },
        { "id": "2", "status": 200, "headers": { "Content-Type": "text/plain" }, "body": 12 },
        { "id": "3", "status": 200 },
    ] });
    let script = ScriptedTransport::new().then(200, &[], response.to_string());
    let graph = client(script.clone());
    let mut batch = graph.batch();
    let update = graph
        .user("a")
        .update()
        .set(User::CITY, "Oslo")
        .into_request();
    let update = batch.add(update.header(
        http::header::AUTHORIZATION,
        http::HeaderValue::from_static("Bearer other"),
    ));
    let photo = batch.add(graph.user("a").photo());
    let count = batch.add(graph.users().count().filter(User::CITY.ne("Oslo")));
    let put = batch.add(graph.user("a").set_photo(&b"\xff\xd8\xff\xe0"[..]));
    let responses = batch.send().await.unwrap();
    responses.get(update).unwrap();
    assert_eq!(responses.get(photo).unwrap(), &b"\xff\xd8\xff\xe0"[..]);
    assert_eq!(responses.get(count).unwrap(), 12);
    responses.get(put).unwrap();
    let sent: Value = serde_json::from_slice(script.requests()[0].body()).unwrap();
    let items = sent["requests"].as_array().unwrap();
    assert_eq!(items[0]["method"], "PATCH");
    assert_eq!(items[0]["body"], json!({ "city": "Oslo" }));
    assert_eq!(items[0]["headers"]["content-type"], "application/json");
    assert_eq!(items[2]["headers"]["consistencylevel"], "eventual");
    assert_eq!(
        items[2]["url"],
        "/users/$count?$filter=city%20ne%20%27Oslo%27"
    );
    assert_eq!(items[3]["headers"]["content-type"], "image/jpeg");
    assert_eq!(items[3]["body"], "_9j_4A==");
    assert!(
        items
            .iter()
            .all(|item| item["headers"]["authorization"].is_null())
    );
}

#[tokio::test]
async fn a_write_without_a_body_has_an_empty_one_in_a_batch() {
    let responses: Vec<Value> = (0..5)
        .map(|id| json!({ "id": id.to_string(), "status": 200 }))
        .collect();
    let responses = json!({ "responses": responses });
    let script = ScriptedTransport::new().then(200, &[], responses.to_string());
    let graph = client(script.clone());
    let mut batch = graph.batch();
    batch.add(graph.user("a").revoke_sign_in_sessions());
    batch.add(graph.deleted_user("a").restore());
    batch.add(graph.raw("PATCH", "/things/1"));
    batch.add(graph.user("a").delete());
    batch.add(graph.user("a").get());
    batch.send().await.unwrap();
    let sent: Value = serde_json::from_slice(script.requests()[0].body()).unwrap();
    let items = sent["requests"].as_array().unwrap();
    for item in &items[..3] {
        assert_eq!(item["headers"]["content-type"], "application/json");
        assert_eq!(item["body"], json!({}), "{item}");
    }
    for item in &items[3..] {
        assert!(item["headers"]["content-type"].is_null(), "{item}");
        assert!(item.get("body").is_none(), "{item}");
    }
}

#[tokio::test]
async fn requests_of_another_client_and_requests_that_cannot_be_sent_fail_alone() {
    let service = Service::default();
    let (graph, other) = (graph(&service), client(ScriptedTransport::new()));
    let mut batch = graph.batch();
    let foreign = batch.add(user(&other, 0));
    let invalid = batch.add(graph.user("..").get());
    let works = batch.add(user(&graph, 2));
    let mut second = graph.batch();
    let stray = second.add(user(&graph, 3));
    let responses = batch.send().await.unwrap();
    assert_eq!(responses.get(foreign).unwrap_err().kind(), ErrorKind::Query);
    assert_eq!(responses.get(invalid).unwrap_err().kind(), ErrorKind::Query);
    assert_eq!(responses.get(works).unwrap().id, "2");
    assert_eq!(responses.get(stray).unwrap_err().kind(), ErrorKind::Query);
    let empty = graph.batch();
    assert!(empty.is_empty());
    empty.send().await.unwrap();
}

#[tokio::test]
async fn a_batch_reads_from_the_fake_tenant_what_single_requests_read() {
    let (tenant, credential) = start().await;
    let graph = GraphClient::builder(credential)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    let users: Vec<User> = graph.users().list().items().try_collect().await.unwrap();
    let mut batch = graph.batch();
    let entries: Vec<_> = users
        .iter()
        .map(|user| batch.add(graph.user(&user.id).get()))
        .collect();
    let list = batch.add(graph.users().list().top(2));
    let responses = batch.send().await.unwrap();
    for (user, entry) in users.iter().zip(entries) {
        assert_eq!(responses.get(entry).unwrap().id, user.id);
    }
    let page = responses.get(list).unwrap();
    assert_eq!(page.items.len(), 2);
    assert!(!page.is_last());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn every_request_is_done_once_or_has_an_error_and_never_before_what_it_depends_on(
        kinds in prop::collection::vec((0_u8..8, prop::collection::vec(any::<prop::sample::Index>(), 0..3)), 1..70),
    ) {
        let behaviour = kinds.iter().enumerate().filter_map(|(number, (kind, _))| match kind {
            0 => Some((number, Behaviour::Throttled(1 + number % 3, 1 + number as u64 % 7))),
            1 => Some((number, Behaviour::Fails)),
            _ => None,
        }).collect();
        let service = Service { behaviour, ..Service::default() };
        let graph = graph(&service);
        let after: Vec<Vec<usize>> = kinds.iter().enumerate().map(|(number, (_, picks))| {
            if number == 0 { Vec::new() } else { picks.iter().map(|pick| pick.index(number)).collect() }
        }).collect();
        let results = block_on(async {
            let mut batch = graph.batch();
            let mut entries: Vec<BatchEntry<User>> = Vec::new();
            for (number, needed) in after.iter().enumerate() {
                let needed: Vec<_> = needed.iter().map(|one| entries[*one].id()).collect();
                entries.push(batch.add_after(needed, user(&graph, number)));
            }
            let responses = batch.send().await.unwrap();
            entries.into_iter().map(|entry| responses.get(entry)).collect::<Vec<_>>()
        });
        let mut good: Vec<bool> = Vec::new();
        for (number, (kind, _)) in kinds.iter().enumerate() {
            good.push(*kind != 1 && after[number].iter().all(|one| good[*one]));
        }
        let state = service.state.lock().unwrap();
        for (number, result) in results.iter().enumerate() {
            prop_assert_eq!(result.is_ok(), good[number], "{}", number);
            prop_assert_eq!(state.succeeded.contains(&number), good[number], "{}", number);
            if !after[number].iter().all(|one| good[*one]) {
                prop_assert_eq!(result.as_ref().unwrap_err().kind(), ErrorKind::Dependency);
                prop_assert!(!state.tries.contains_key(&number));
            }
        }
    }
}
