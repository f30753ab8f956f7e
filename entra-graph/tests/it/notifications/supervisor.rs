//! The supervisor against a small Graph in memory that has subscriptions only.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use entra_core::{
    HttpTransport, ManualClock, StaticCredential, Timestamp, TransportError,
    bytes::Bytes,
    http::{Request, Response},
    time::format_description::well_known::Rfc3339,
};
use entra_graph::{
    ErrorKind, GraphClient, NewSubscription,
    notifications::{
        EncryptionCertificate, LifecycleNotification, NotificationEvent, SubscriptionResource,
        Supervisor, SupervisorState,
    },
};
use serde_json::{Value, json};

use super::publisher::{NOW, body, builder, deliver, lifecycle};

pub(super) const URL: &str = "https://app.example.com/notifications";

/// Subscriptions at Graph. It leaves the client state out of reads, as Graph was seen to.
#[derive(Clone, Debug, Default)]
pub(super) struct SmallGraph(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    subscriptions: Vec<Value>,
    log: Vec<String>,
    created: usize,
    /// Statuses to fail the next requests with; 1 lets one pass, 0 breaks the connection after it was processed.
    failures: Vec<u16>,
    shows_client_state: bool,
}

impl SmallGraph {
    fn with<T>(&self, read: impl FnOnce(&mut Inner) -> T) -> T {
        read(&mut self.0.lock().unwrap())
    }

    /// The requests since the last call.
    pub(super) fn take_log(&self) -> Vec<String> {
        self.with(|inner| std::mem::take(&mut inner.log))
    }

    pub(super) fn fail(&self, statuses: &[u16]) {
        self.with(|inner| inner.failures = statuses.iter().rev().copied().collect());
    }

    pub(super) fn ids(&self) -> Vec<String> {
        self.with(|inner| {
            let id = |one: &Value| one["id"].as_str().unwrap().to_owned();
            inner.subscriptions.iter().map(id).collect()
        })
    }

    fn remove(&self, id: &str) {
        self.with(|inner| inner.subscriptions.retain(|one| one["id"] != id));
    }
}

impl Inner {
    fn process(&mut self, request: &Request<Bytes>) -> (u16, Value) {
        let path = request
            .uri()
            .path()
            .trim_start_matches("/v1.0/subscriptions");
        let id = path.trim_start_matches('/').to_owned();
        let sent: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        match (request.method().as_str(), id.as_str()) {
            ("GET", "") => {
                let mut rows = self.subscriptions.clone();
                if !self.shows_client_state {
                    for row in &mut rows {
                        row["clientState"] = Value::Null;
                    }
                }
                (200, json!({ "value": rows }))
            }
            ("POST", "") => {
                self.created += 1;
                let mut new = sent;
                new["id"] = json!(format!(
                    "{}-{}",
                    new["resource"].as_str().unwrap(),
                    self.created
                ));
                self.subscriptions.push(new.clone());
                (201, new)
            }
            (method, id) => {
                let Some(at) = self.subscriptions.iter().position(|one| one["id"] == id) else {
                    return (
                        404,
                        json!({ "error": { "code": "ResourceNotFound", "message": "The object was not found." } }),
                    );
                };
                if method == "DELETE" {
                    self.subscriptions.remove(at);
                    return (204, Value::Null);
                }
                for (name, value) in sent.as_object().unwrap() {
                    self.subscriptions[at][name] = value.clone();
                }
                (200, self.subscriptions[at].clone())
            }
        }
    }
}

#[async_trait]
impl HttpTransport for SmallGraph {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let (status, body) = self.with(|inner| {
            let path = request.uri().path().trim_start_matches("/v1.0/").to_owned();
            inner.log.push(format!("{} {path}", request.method()));
            match inner.failures.pop() {
                Some(0) => {
                    inner.process(&request);
                    (0, Value::Null)
                }
                Some(1) | None => inner.process(&request),
                Some(status) => (
                    status,
                    json!({ "error": { "code": "Failed", "message": "no" } }),
                ),
            }
        });
        if status == 0 {
            return Err(TransportError::interrupted("the connection broke"));
        }
        let body = match body {
            Value::Null => String::new(),
            other => other.to_string(),
        };
        Response::builder()
            .status(status)
            .body(body.into())
            .map_err(TransportError::invalid_request)
    }
}

pub(super) fn client(graph: &SmallGraph, clock: &ManualClock) -> GraphClient {
    GraphClient::builder(StaticCredential::new("token"))
        .transport(graph.clone())
        .clock(clock.clone())
        .without_governor()
        .retry_policy(entra_core::RetryPolicy::once())
        .build()
        .unwrap()
}

pub(super) fn subscriptions(state: &str) -> [NewSubscription; 2] {
    [
        SubscriptionResource::users(),
        SubscriptionResource::groups(),
    ]
    .map(|resource| NewSubscription::new(resource, URL, state))
}

pub(super) fn stepped() -> ManualClock {
    ManualClock::stepped(Timestamp::from_unix_timestamp(NOW).unwrap())
}

struct Setup {
    graph: SmallGraph,
    clock: ManualClock,
    client: GraphClient,
}

impl Setup {
    fn new() -> Self {
        let (graph, clock) = (SmallGraph::default(), stepped());
        let client = client(&graph, &clock);
        Self {
            graph,
            clock,
            client,
        }
    }

    fn supervisor(&self, state: &str) -> Supervisor {
        Supervisor::new(&self.client, subscriptions(state)).unwrap()
    }

    fn insert(&self, id: &str, expires: &str) {
        let row = json!({
            "id": id, "resource": "Users", "changeType": "updated,deleted", "notificationUrl": URL,
            "expirationDateTime": expires, "clientState": "other"
        });
        self.graph.with(|inner| inner.subscriptions.push(row));
    }
}

/// The documented event of a subscription, through a receiver.
async fn event(name: &str, id: &str, expires: Option<&str>) -> LifecycleNotification {
    let mut item = lifecycle(name);
    item["subscriptionId"] = json!(id);
    item["subscriptionExpirationDateTime"] = json!(expires);
    let mut verified = deliver(&builder().build().unwrap(), body(&[item])).await;
    let event = verified.accepted.pop().and_then(|event| match event {
        NotificationEvent::Lifecycle(lifecycle) => Some(lifecycle),
        _ => None,
    });
    event.unwrap()
}

const THIRD: Duration = Duration::from_secs(41_700 * 60 / 3);

#[tokio::test]
async fn subscriptions_are_created_and_renewed_and_their_state_is_reported() {
    let setup = Setup::new();
    let states = Arc::new(Mutex::new(Vec::new()));
    let saved = Arc::clone(&states);
    let mut supervisor = setup
        .supervisor("state")
        .on_change(move |state| saved.lock().unwrap().push(state.clone()));
    supervisor.run_due().await;
    assert_eq!(
        setup.graph.take_log(),
        [
            "GET subscriptions",
            "POST subscriptions",
            "POST subscriptions"
        ]
    );
    assert!(supervisor.take_gap());
    let created = setup.graph.with(|inner| inner.subscriptions.clone());
    assert_eq!(
        created[0]["lifecycleNotificationUrl"], URL,
        "or no lifecycle event arrives"
    );
    assert_eq!(states.lock().unwrap().len(), 2, "after each of them");

    setup.clock.advance(THIRD * 2 - Duration::from_secs(1));
    supervisor.run_due().await;
    assert_eq!(setup.graph.take_log(), ["GET subscriptions"]);
    setup.clock.advance(Duration::from_secs(1));
    supervisor.run_due().await;
    assert_eq!(
        setup.graph.take_log(),
        [
            "PATCH subscriptions/users-1",
            "PATCH subscriptions/groups-2"
        ]
    );
    let renewed = setup
        .graph
        .with(|inner| inner.subscriptions[0]["expirationDateTime"].clone());
    let expires = Timestamp::parse(renewed.as_str().unwrap(), &Rfc3339).unwrap();
    assert_eq!(expires.unix_timestamp(), NOW + 41_700 * 60 * 5 / 3);
    assert!(!supervisor.take_gap());
    assert_eq!(states.lock().unwrap().last(), Some(&supervisor.state()));
}

#[tokio::test]
async fn a_restart_with_state_creates_nothing() {
    let setup = Setup::new();
    let mut first = setup.supervisor("state");
    first.run_due().await;
    setup.graph.take_log();
    let text = serde_json::to_string(&first.state()).unwrap();
    assert!(
        !text.contains("\"state\""),
        "the client state is not in it: {text}"
    );
    let state: SupervisorState = serde_json::from_str(&text).unwrap();
    let mut second = setup.supervisor("state").with_state(state);
    second.run_due().await;
    assert_eq!(setup.graph.take_log(), ["GET subscriptions"]);
    assert_eq!(second.state(), first.state());
}

#[tokio::test]
async fn a_restart_without_state_leaves_one_subscription_of_each_resource() {
    let setup = Setup::new();
    setup.supervisor("state").run_due().await;
    setup.insert("expired", "2026-11-01T00:00:00Z");
    let mut second = setup.supervisor("state");
    second.run_due().await;
    assert_eq!(setup.graph.ids(), ["users-3", "groups-4"]);
    // With the client state in the list, the known ones stay.
    setup.graph.with(|inner| inner.shows_client_state = true);
    setup.graph.take_log();
    setup.supervisor("state").run_due().await;
    assert_eq!(setup.graph.ids(), ["users-3", "groups-4"]);
    assert_eq!(setup.graph.take_log().len(), 3, "a list and two renewals");
}

#[tokio::test]
async fn another_client_state_replaces_the_subscriptions() {
    let setup = Setup::new();
    let mut first = setup.supervisor("first");
    first.run_due().await;
    let mut second = setup.supervisor("second").with_state(first.state());
    second.run_due().await;
    assert_eq!(setup.graph.ids(), ["users-3", "groups-4"]);
    let states = setup.graph.with(|inner| inner.subscriptions.clone());
    assert!(states.iter().all(|one| one["clientState"] == "second"));
}

#[tokio::test]
async fn subscriptions_of_other_urls_are_left_alone() {
    let setup = Setup::new();
    setup.insert("foreign", "2026-12-20T00:00:00Z");
    setup.graph.with(|inner| {
        inner.subscriptions[0]["notificationUrl"] = json!("https://app.example.com/other")
    });
    setup.supervisor("state").run_due().await;
    assert_eq!(setup.graph.ids(), ["foreign", "users-1", "groups-2"]);
}

#[tokio::test]
async fn a_hundred_lifecycle_events_are_one_renewal() {
    let setup = Setup::new();
    let mut supervisor = setup.supervisor("state");
    supervisor.run_due().await;
    setup.graph.take_log();
    supervisor.take_gap();
    setup.clock.advance(Duration::from_secs(3600));
    let event = event("reauthorizationRequired", "users-1", None).await;
    for _ in 0..100 {
        supervisor.handle(&event);
    }
    supervisor.run_due().await;
    for _ in 0..100 {
        supervisor.handle(&event);
        supervisor.run_due().await;
    }
    assert_eq!(setup.graph.take_log(), ["PATCH subscriptions/users-1"]);
    assert!(supervisor.take_gap(), "Graph may have paused it");
}

#[tokio::test]
async fn a_removed_subscription_is_created_again() {
    let setup = Setup::new();
    let mut supervisor = setup.supervisor("state");
    supervisor.run_due().await;
    supervisor.take_gap();
    setup.graph.take_log();
    setup.graph.remove("users-1");
    let removed = event("subscriptionRemoved", "users-1", None).await;
    for _ in 0..100 {
        supervisor.handle(&removed);
        supervisor.run_due().await;
    }
    assert_eq!(setup.graph.take_log(), ["POST subscriptions"]);
    assert!(supervisor.take_gap());
    let missed = event("missed", "groups-2", None).await;
    supervisor.handle(&missed);
    assert!(supervisor.take_gap());
}

#[tokio::test]
async fn a_subscription_that_vanished_without_an_event_is_created_again() {
    let setup = Setup::new();
    let mut supervisor = setup.supervisor("state");
    let mut wait = supervisor.run_due().await;
    supervisor.take_gap();
    setup.graph.remove("groups-2");
    setup.graph.take_log();
    let mut passed = Duration::ZERO;
    while setup.graph.ids().len() < 2 {
        assert!(passed <= Duration::from_secs(6 * 3600), "it is not noticed");
        setup.clock.advance(wait);
        passed += wait;
        wait = supervisor.run_due().await;
    }
    assert_eq!(setup.graph.ids(), ["users-1", "groups-3"]);
    assert_eq!(
        setup.graph.take_log(),
        [
            "GET subscriptions",
            "PATCH subscriptions/groups-2",
            "POST subscriptions"
        ]
    );
    assert!(supervisor.take_gap());
}

#[tokio::test]
async fn failures_of_graph_are_survived_and_reported() {
    let setup = Setup::new();
    let mut supervisor = setup.supervisor("state");
    setup.graph.fail(&[503, 429, 500, 403]);
    let mut waits = Vec::new();
    while setup.graph.ids().len() < 2 {
        let wait = supervisor.run_due().await;
        if let Some(error) = supervisor.last_error() {
            assert!(matches!(error.kind(), ErrorKind::Service), "{error}");
        }
        waits.push(wait.as_secs());
        assert!(waits.len() < 20, "{waits:?}");
        setup.clock.advance(wait);
    }
    assert!(waits[0] >= 30, "{waits:?}");
    assert!(supervisor.last_error().is_none());
    assert!(supervisor.take_gap());
}

#[tokio::test]
async fn a_list_or_a_creation_that_graph_does_not_find_is_tried_again_after_a_pause() {
    let setup = Setup::new();
    let mut supervisor = setup.supervisor("state");
    setup.graph.fail(&[404]);
    let wait = supervisor.run_due().await;
    assert_eq!(setup.graph.take_log(), ["GET subscriptions"]);
    assert!(wait.as_secs() >= 30, "{wait:?}");
    assert!(supervisor.last_error().is_some());

    setup.clock.advance(wait);
    setup.graph.fail(&[1, 404]);
    let wait = supervisor.run_due().await;
    // That of users fails, and that of groups does not.
    assert_eq!(setup.graph.ids().len(), 1);
    assert!(wait.as_secs() >= 29, "{wait:?}");
    let status = supervisor.last_error().and_then(|error| error.status());
    assert_eq!(status.map(|status| status.as_u16()), Some(404));

    setup.clock.advance(wait + Duration::from_secs(1));
    supervisor.run_due().await;
    assert_eq!(setup.graph.ids().len(), 2);
    assert!(supervisor.last_error().is_none());
}

#[tokio::test]
async fn the_error_of_a_creation_stays_until_it_succeeds() {
    let setup = Setup::new();
    let mut supervisor = setup.supervisor("state");
    // Its response is lost, and the list that follows succeeds.
    setup.graph.fail(&[1, 0]);
    let mut wait = supervisor.run_due().await;
    assert!(supervisor.last_error().is_some());
    for _ in 0..10 {
        setup.clock.advance(wait);
        wait = supervisor.run_due().await;
    }
    assert_eq!(setup.graph.ids().len(), 2);
    assert!(supervisor.last_error().is_none());
}

#[tokio::test]
async fn a_creation_whose_response_is_lost_leaves_one_subscription() {
    let setup = Setup::new();
    let mut supervisor = setup.supervisor("state");
    setup.graph.fail(&[1, 0]);
    for _ in 0..10 {
        let wait = supervisor.run_due().await;
        setup.clock.advance(wait);
    }
    let mut resources: Vec<String> = setup.graph.with(|inner| {
        inner
            .subscriptions
            .iter()
            .map(|one| one["resource"].as_str().unwrap().to_owned())
            .collect()
    });
    resources.sort_unstable();
    assert_eq!(resources, ["groups", "users"]);
    assert_eq!(supervisor.state().subscription_ids().count(), 2);
}

#[tokio::test]
async fn an_invalid_subscription_is_an_error_at_once() {
    let setup = Setup::new();
    let invalid = NewSubscription::new(
        SubscriptionResource::users(),
        "http://app.example.com",
        "state",
    );
    assert_eq!(
        Supervisor::new(&setup.client, [invalid])
            .unwrap_err()
            .kind(),
        ErrorKind::Query
    );
    let text = format!("{:?}", setup.supervisor("canary-state"));
    assert!(!text.contains("canary"), "{text}");
}

#[tokio::test]
async fn a_certificate_that_replaces_another_of_its_name_is_sent() {
    let setup = Setup::new();
    let supervisor = |serial: u8| {
        let der = [0x30, 10, 0x30, 8, 0xa0, 3, 2, 1, 2, 2, 1, serial];
        let certificate = EncryptionCertificate::from_der("main", der).unwrap();
        let messages = SubscriptionResource::other("messages", Duration::from_secs(4_230 * 60));
        let new = NewSubscription::new(messages, URL, "state").include_resource_data(&certificate);
        Supervisor::new(&setup.client, [new]).unwrap()
    };
    let mut first = supervisor(1);
    first.run_due().await;
    let sent = || {
        let read = |inner: &mut Inner| inner.subscriptions[0]["encryptionCertificate"].clone();
        setup.graph.with(read)
    };
    assert_eq!(sent(), "MAowCKADAgECAgEB");
    // The same one again, after a restart.
    let mut same = supervisor(1).with_state(first.state());
    setup.graph.take_log();
    same.run_due().await;
    assert_eq!(setup.graph.take_log(), ["GET subscriptions"]);
    let mut second = supervisor(2).with_state(same.state());
    second.run_due().await;
    assert_eq!(
        setup.graph.take_log(),
        ["GET subscriptions", "PATCH subscriptions/messages-1"]
    );
    assert_eq!(sent(), "MAowCKADAgECAgEC");
    second.run_due().await;
    assert_eq!(setup.graph.take_log(), [] as [&str; 0]);
}
