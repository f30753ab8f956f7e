//! Parts by creation of lists with objects that have no time of creation, also where a negated comparison does not match
//! them: Microsoft's pages do not say whether it does.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use entra_core::{HttpTransport, ReqwestTransport, TransportError, bytes::Bytes, http};
use entra_graph::{GraphClient, Group, User};
use entra_mock::FakeTenant;
use serde_json::{Value, json};

use crate::support::AppCredential;

/// A Graph whose `not(.. ge ..)` leaves out objects without a value.
#[derive(Clone, Debug)]
struct NullsAreLost {
    inner: Arc<ReqwestTransport>,
    negations: Arc<Mutex<usize>>,
    /// How many requests with a negation have them all the same, as if as many objects were created meanwhile.
    spared: Arc<Mutex<usize>>,
}

impl NullsAreLost {
    fn new() -> Self {
        Self {
            inner: Arc::new(ReqwestTransport::builder().build()),
            negations: Arc::default(),
            spared: Arc::default(),
        }
    }

    /// Whether this request has objects without a value all the same.
    fn is_spared(&self, body: &str) -> bool {
        let mut left = self.spared.lock().unwrap();
        let is_spared = *left > 0 && body.contains("not(");
        *left -= usize::from(is_spared);
        is_spared
    }

    /// Each negation as the comparison that is false for null. No object is of exactly the time of a bound.
    fn rewritten(&self, text: &str) -> String {
        let mut rest = text;
        let mut rewritten = String::new();
        while let Some((before, after)) = rest.split_once("not(") {
            let (comparison, after) = after.split_once(')').unwrap();
            rewritten.push_str(before);
            rewritten.push_str(&comparison.replace("%20ge%20", "%20le%20"));
            rest = after;
            *self.negations.lock().unwrap() += 1;
        }
        rewritten.push_str(rest);
        rewritten
    }
}

#[async_trait]
impl HttpTransport for NullsAreLost {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        if self.is_spared(std::str::from_utf8(request.body()).unwrap()) {
            return self.inner.send(request).await;
        }
        let (mut parts, body) = request.into_parts();
        parts.uri = self.rewritten(&parts.uri.to_string()).parse().unwrap();
        parts.headers.remove(http::header::CONTENT_LENGTH);
        let body = self.rewritten(std::str::from_utf8(&body).unwrap());
        let request = http::Request::from_parts(parts, Bytes::from(body));
        self.inner.send(request).await
    }
}

async fn tenant() -> (FakeTenant, AppCredential, AppCredential) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Reader")
        .application_permission("Directory.Read.All")
        .with_secret();
    let credential = || AppCredential::new(&tenant, &app);
    let (one, other) = (credential(), credential());
    (tenant, one, other)
}

fn client(
    tenant: &FakeTenant,
    credential: AppCredential,
    transport: impl HttpTransport,
) -> GraphClient {
    GraphClient::builder(credential)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .transport(transport)
        .build()
        .unwrap()
}

/// Sets when objects were created: each on a day of its own, and every fifth at an unknown time.
fn set_times(tenant: &FakeTenant, collection: &str, ids: &[String], some_unknown: bool) {
    for (number, id) in ids.iter().enumerate() {
        let created = match number % 5 {
            0 if some_unknown => Value::Null,
            _ => json!(format!(
                "2024-{:02}-{:02}T01:02:03Z",
                number % 12 + 1,
                number % 28 + 1
            )),
        };
        tenant
            .set_property(collection, id, "createdDateTime", created)
            .unwrap();
    }
}

/// How many parts there are, and the sorted ids of their groups.
async fn groups_in_parts(graph: &GraphClient) -> (usize, Vec<String>) {
    let parts = graph.groups().list().partitioned_by_creation(4);
    let parts = parts.await.unwrap();
    let count = parts.len();
    let mut ids = Vec::new();
    for part in parts {
        let groups: Vec<Group> = part.items().try_collect().await.unwrap();
        ids.extend(groups.into_iter().map(|group| group.id));
    }
    ids.sort();
    (count, ids)
}

#[tokio::test]
async fn groups_of_an_unknown_time_are_never_lost() {
    let (tenant, one, other) = tenant().await;
    for number in 0..40 {
        tenant.add_group(&format!("Group {number}"));
    }
    let graph = client(&tenant, one, ReqwestTransport::builder().build());
    let all: Vec<Group> = graph.groups().list().items().try_collect().await.unwrap();
    let mut all: Vec<String> = all.into_iter().map(|group| group.id).collect();
    all.sort();
    let transport = NullsAreLost::new();
    let losing = client(&tenant, other, transport.clone());

    set_times(&tenant, "groups", &all, true);
    let (parts, ids) = groups_in_parts(&graph).await;
    assert!(parts > 1, "{parts}");
    assert_eq!(ids, all);
    let (parts, ids) = groups_in_parts(&losing).await;
    assert_eq!(parts, 1);
    assert_eq!(ids, all);

    // What is created between the first counts hides what is missing.
    *transport.spared.lock().unwrap() = 1;
    let (parts, ids) = groups_in_parts(&losing).await;
    assert_eq!(parts, 1);
    assert_eq!(ids, all);

    set_times(&tenant, "groups", &all, false);
    let (parts, ids) = groups_in_parts(&losing).await;
    assert!(parts > 1, "{parts}");
    assert_eq!(ids, all);
}

#[tokio::test]
async fn users_of_an_unknown_time_are_asked_for_as_documented() {
    let (tenant, credential, _) = tenant().await;
    for number in 0..40 {
        tenant.add_user(&format!("User {number}"));
    }
    let transport = NullsAreLost::new();
    let graph = client(&tenant, credential, transport.clone());
    let all: Vec<User> = graph.users().list().items().try_collect().await.unwrap();
    let mut all: Vec<String> = all.into_iter().map(|user| user.id).collect();
    all.sort();
    set_times(&tenant, "users", &all, true);
    let parts = graph.users().list().partitioned_by_creation(4);
    let parts = parts.await.unwrap();
    assert!(parts.len() > 1);
    let mut ids = Vec::new();
    for part in parts {
        let users: Vec<User> = part.items().try_collect().await.unwrap();
        ids.extend(users.into_iter().map(|user| user.id));
    }
    ids.sort();
    assert_eq!(ids, all);
    assert_eq!(*transport.negations.lock().unwrap(), 0);
}
