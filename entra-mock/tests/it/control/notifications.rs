//! Change notifications through the control API: switches, delivery on request, subscriptions.

use entra_core::{
    Timestamp,
    time::{Duration, format_description::well_known::Rfc3339},
};
use serde_json::{Value, json};

use crate::{
    controlled::{Controlled, NOTHING, code},
    notifications::Receiver,
    support::{Response, fetch, http},
};

/// A request to Graph as the application of the tenant.
async fn graph(server: &Controlled, method: &str, path: &str, body: &Value) -> Response {
    let token = server.token().await.body["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let url = format!("{}{path}", server.text("graph"));
    let request = http().request(method.parse().unwrap(), url);
    fetch(request.bearer_auth(token).json(body)).await
}

/// Subscribes a receiver to the changes of users, for a day of the tenant's clock. Returns the id.
pub(crate) async fn subscribe(server: &Controlled, receiver: &Receiver) -> String {
    let clock = server.get("/clock").await;
    let now = Timestamp::parse(clock.body["now"].as_str().unwrap(), &Rfc3339).unwrap();
    let expires = (now + Duration::DAY).format(&Rfc3339).unwrap();
    let body = json!({
        "changeType": "updated", "notificationUrl": receiver.url(), "resource": "users",
        "expirationDateTime": expires, "clientState": "canary-7c41",
    });
    let created = graph(server, "POST", "/subscriptions", &body).await;
    assert_eq!(created.status, 201, "{}", created.text);
    created.body["id"].as_str().unwrap().to_owned()
}

pub(crate) async fn rename(server: &Controlled, title: &str) {
    let body = json!({ "jobTitle": title });
    let changed = graph(server, "PATCH", "/users/adele@contoso.com", &body).await;
    assert_eq!(changed.status, 204, "{}", changed.text);
}

pub(crate) async fn set(server: &Controlled, switches: Value) -> Value {
    server.done("PATCH", "/notifications", switches).await
}

pub(crate) async fn deliver(server: &Controlled) -> Value {
    server.done("POST", "/notifications/deliver", NOTHING).await
}

fn count(bodies: &[Value]) -> usize {
    let items = bodies
        .iter()
        .map(|body| body["value"].as_array().unwrap().len());
    items.sum()
}

#[tokio::test]
async fn notifications_that_are_not_automatic_wait_for_a_request_to_deliver_them() {
    let (server, receiver) = (Controlled::start().await, Receiver::start().await);
    assert_eq!(server.get("/notifications").await.body["automatic"], true);
    assert_eq!(
        set(&server, json!({ "automatic": false })).await["automatic"],
        false
    );
    subscribe(&server, &receiver).await;
    rename(&server, "Director").await;
    rename(&server, "Head").await;
    assert_eq!(server.get("/notifications").await.body["pending"], 2);
    assert_eq!(receiver.take().len(), 0);
    let report = deliver(&server).await;
    assert_eq!(report, json!({ "delivered": 2, "failed": 0, "dropped": 0 }));
    // They were there before the response.
    assert_eq!(count(&receiver.take()), 2);
    assert_eq!(server.get("/notifications").await.body["pending"], 0);
    assert_eq!(deliver(&server).await["delivered"], 0);
}

#[tokio::test]
async fn each_switch_of_notifications_is_set_alone_and_takes_effect() {
    let (server, receiver) = (Controlled::start().await, Receiver::start().await);
    set(&server, json!({ "automatic": false })).await;
    let flags = [
        "duplicated",
        "reordered",
        "expiredListed",
        "syntheticResource",
        "clampedLifetime",
        "validatesRenewals",
        "anyHost",
    ];
    for flag in flags {
        let shown = set(&server, json!({ flag: true })).await;
        for other in flags {
            assert_eq!(shown[other], other == flag, "{flag}: {shown}");
        }
        set(&server, json!({ flag: false })).await;
    }
    let invalid = server
        .send(
            "PATCH",
            "/notifications",
            &json!({ "droppedEvery": 1u64 << 32 }),
        )
        .await;
    assert_eq!((invalid.status, code(&invalid)), (400, "invalidValue"));

    subscribe(&server, &receiver).await;
    set(&server, json!({ "duplicated": true })).await;
    rename(&server, "one").await;
    assert_eq!(deliver(&server).await["delivered"], 2);
    set(&server, json!({ "duplicated": false, "droppedEvery": 1 })).await;
    rename(&server, "two").await;
    assert_eq!(deliver(&server).await["dropped"], 1);
    let late = set(&server, json!({ "droppedEvery": 0, "late": "10m" })).await;
    assert_eq!(
        (&late["late"], &late["droppedEvery"]),
        (&json!("10m"), &json!(0))
    );
    rename(&server, "three").await;
    let report = deliver(&server).await;
    assert_eq!(report["delivered"], 0);
    assert!(report["next"].is_string(), "{report}");
    server
        .done("POST", "/clock/advance", json!({ "by": "10m" }))
        .await;
    assert_eq!(deliver(&server).await["delivered"], 1);
}

#[tokio::test]
async fn a_subscription_is_listed_without_its_secrets_and_removed_by_the_service() {
    let (server, receiver) = (Controlled::start().await, Receiver::start().await);
    let id = subscribe(&server, &receiver).await;
    let listed = server.get("/subscriptions").await;
    assert_eq!(listed.body["value"][0]["id"], id);
    assert!(!listed.text.contains("canary-7c41"), "{}", listed.text);
    let path = format!("/subscriptions/{id}");
    server.done("DELETE", &path, NOTHING).await;
    let again = server.send("DELETE", &path, &NOTHING).await;
    assert_eq!((again.status, code(&again)), (404, "notFound"));
    let gone = graph(&server, "GET", &path, &NOTHING).await;
    assert_eq!(gone.status, 404, "{}", gone.text);
}

#[tokio::test]
async fn a_reset_and_a_snapshot_bring_back_the_switches_of_notifications() {
    let server = Controlled::start().await;
    server.done("PUT", "/snapshots/start", NOTHING).await;
    let changed = json!({ "automatic": false, "duplicated": true });
    for path in ["/snapshots/start/restore", "/reset"] {
        set(&server, changed.clone()).await;
        server.done("POST", path, NOTHING).await;
        let shown = server.get("/notifications").await.body;
        assert_eq!(
            (&shown["automatic"], &shown["duplicated"]),
            (&json!(true), &json!(false)),
            "{path}"
        );
    }
}
