//! The requests of subscriptions, beside the documented ones, and what is rejected before it is sent.

use std::time::Duration;

use entra_core::{Idempotency, ManualClock, ScriptedTransport, StaticCredential, Timestamp};
use entra_graph::{
    ErrorKind, GraphClient, IntoRequest as _, NewSubscription, Subscription,
    notifications::{EncryptionCertificate, SubscriptionResource},
    operations,
    types::{ChangeType, LifecycleEventType},
};
use serde_json::{Value, json};

use super::publisher::{CLIENT, NOW, SUBSCRIPTION};

const URL: &str = "https://webhook.azurewebsites.net/api/send/myNotifyClient";
const STATE: &str = "canary-client-state";

fn graph(transport: &ScriptedTransport) -> GraphClient {
    GraphClient::builder(StaticCredential::new("token"))
        .transport(transport.clone())
        .clock(ManualClock::at(
            Timestamp::from_unix_timestamp(NOW).unwrap(),
        ))
        .build()
        .unwrap()
}

fn created() -> String {
    json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#subscriptions/$entity",
        "id": SUBSCRIPTION, "resource": "users", "applicationId": CLIENT, "changeType": "updated,deleted",
        "clientState": STATE, "notificationUrl": URL, "expirationDateTime": "2026-12-29T23:00:00.9356913Z",
        "creatorId": "8ee44408-0679-472c-bc2a-692812af3437", "latestSupportedTlsVersion": "v1_2",
        "notificationContentType": "application/json"
    })
    .to_string()
}

/// Sends one request, which succeeds, and returns its method, path and body.
async fn sent<T: Send + 'static>(
    request: impl FnOnce(&GraphClient) -> entra_graph::Request<T>,
    status: u16,
    response: String,
) -> (String, Value, T) {
    let transport = ScriptedTransport::new().then(status, &[], response);
    let value = request(&graph(&transport)).send().await.unwrap();
    let requests = transport.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    let body = match request.body().is_empty() {
        true => Value::Null,
        false => serde_json::from_slice(request.body()).unwrap(),
    };
    (
        format!("{} {}", request.method(), request.uri().path()),
        body,
        value,
    )
}

fn certificate() -> EncryptionCertificate {
    let der = [0x30, 10, 0x30, 8, 0xa0, 3, 2, 1, 2, 2, 1, 1];
    EncryptionCertificate::from_der("2026", der).unwrap()
}

#[tokio::test]
async fn a_subscription_to_users_lives_as_long_as_possible() {
    let new = NewSubscription::new(SubscriptionResource::users(), URL, STATE);
    let (request, body, subscription) = sent(|graph| graph.subscribe(new), 201, created()).await;
    assert_eq!(request, "POST /v1.0/subscriptions");
    let expected = json!({
        "changeType": "updated,deleted", "notificationUrl": URL, "resource": "users",
        "expirationDateTime": "2026-12-29T23:00:00Z", "clientState": STATE, "latestSupportedTlsVersion": "v1_2"
    });
    assert_eq!(body, expected);
    assert_eq!(subscription.id, SUBSCRIPTION);
    assert_eq!(
        subscription.client_state.as_ref().unwrap().expose_secret(),
        STATE
    );
    let text = format!(
        "{subscription:?} {}",
        serde_json::to_string(&subscription).unwrap()
    );
    assert!(!text.contains(STATE), "{text}");
}

#[tokio::test]
async fn every_setting_is_sent() {
    let messages = SubscriptionResource::other(
        "me/messages?$select=subject",
        Duration::from_secs(4_230 * 60),
    );
    let new = NewSubscription::new(messages, URL, STATE)
        .change_types([ChangeType::Created])
        .lifetime(Duration::from_secs(3600))
        .lifecycle_notification_url(
            "https://webhook.azurewebsites.net/api/send/lifecycleNotifications",
        )
        .include_resource_data(&certificate())
        .validation_tokens_for(CLIENT)
        .needs_lifecycle_event(LifecycleEventType::Missed);
    assert!(!format!("{new:?}").contains(STATE));
    let (_, body, _) = sent(|graph| graph.subscribe(new), 201, created()).await;
    let expected = json!({
        "changeType": "created", "notificationUrl": URL, "resource": "me/messages?$select=subject",
        "expirationDateTime": "2026-12-01T01:00:00Z", "clientState": STATE, "latestSupportedTlsVersion": "v1_2",
        "lifecycleNotificationUrl": "https://webhook.azurewebsites.net/api/send/lifecycleNotifications",
        "includeResourceData": true, "encryptionCertificate": "MAowCKADAgECAgEB", "encryptionCertificateId": "2026",
        "notificationUrlAppId": CLIENT
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_subscription_is_renewed_reauthorized_read_and_deleted() {
    let (request, body, renewed) = sent(
        |graph| {
            graph
                .subscription(SUBSCRIPTION)
                .renew(Duration::from_secs(1800))
        },
        200,
        created(),
    )
    .await;
    assert_eq!(request, format!("PATCH /v1.0/subscriptions/{SUBSCRIPTION}"));
    assert_eq!(
        body,
        json!({ "expirationDateTime": "2026-12-01T00:30:00Z" })
    );
    assert_eq!(renewed.id, SUBSCRIPTION);

    let certificate = certificate();
    let (_, body, _) = sent(
        |graph| {
            graph
                .subscription(SUBSCRIPTION)
                .renew_with_certificate(Duration::from_secs(1800), &certificate)
        },
        200,
        created(),
    )
    .await;
    assert_eq!(body["encryptionCertificateId"], "2026");
    assert_eq!(body["encryptionCertificate"], "MAowCKADAgECAgEB");

    let (request, body, ()) = sent(
        |graph| graph.subscription(SUBSCRIPTION).reauthorize(),
        204,
        String::new(),
    )
    .await;
    assert_eq!(
        request,
        format!("POST /v1.0/subscriptions/{SUBSCRIPTION}/reauthorize")
    );
    assert_eq!(body, Value::Null);

    let (request, _, ()) = sent(
        |graph| graph.subscription(SUBSCRIPTION).delete(),
        204,
        String::new(),
    )
    .await;
    assert_eq!(
        request,
        format!("DELETE /v1.0/subscriptions/{SUBSCRIPTION}")
    );

    let read = |graph: &GraphClient| graph.subscription(SUBSCRIPTION).get().into_request();
    let (request, _, subscription) = sent(read, 200, created()).await;
    assert_eq!(request, format!("GET /v1.0/subscriptions/{SUBSCRIPTION}"));
    assert_eq!(subscription.change_type.as_deref(), Some("updated,deleted"));
    assert_eq!(
        subscription
            .additional()
            .get("notificationContentType")
            .unwrap()
            .to_string(),
        "\"application/json\""
    );
}

#[tokio::test]
async fn subscriptions_are_listed_over_pages_without_options() {
    let next = "https://graph.microsoft.com/v1.0/subscriptions?$skiptoken=2";
    let row = |id: &str| json!({ "id": id, "resource": "Users", "clientState": null });
    let transport = ScriptedTransport::new()
        .then(
            200,
            &[],
            json!({ "value": [row("1")], "@odata.nextLink": next }).to_string(),
        )
        .then(200, &[], json!({ "value": [row("2")] }).to_string());
    let found: Vec<Subscription> = graph(&transport)
        .subscriptions()
        .list()
        .items()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(
        found.iter().map(|one| &*one.id).collect::<Vec<_>>(),
        ["1", "2"]
    );
    assert!(found[0].client_state.is_none());
    let requests = transport.requests();
    assert_eq!(
        requests[0].uri().to_string(),
        "https://graph.microsoft.com/v1.0/subscriptions"
    );
    assert_eq!(requests[1].uri().query(), Some("$skiptoken=2"));
}

#[tokio::test]
async fn what_graph_would_reject_is_not_sent() {
    let users = || NewSubscription::new(SubscriptionResource::users(), URL, STATE);
    let with_url = |url: &str| NewSubscription::new(SubscriptionResource::users(), url, STATE);
    let with_state = |state: &str| NewSubscription::new(SubscriptionResource::users(), URL, state);
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let invalid = [
        (
            users().include_resource_data(&certificate()),
            "resource data",
        ),
        (
            NewSubscription::new(SubscriptionResource::other("/Groups", hours(1)), URL, STATE)
                .include_resource_data(&certificate()),
            "resource data",
        ),
        (
            users().needs_lifecycle_event(LifecycleEventType::Missed),
            "no lifecycle event missed",
        ),
        (
            users().needs_lifecycle_event(LifecycleEventType::SubscriptionRemoved),
            "no lifecycle event subscriptionRemoved",
        ),
        (
            users().lifetime(Duration::from_secs(41_760 * 60 + 1)),
            "at most 41760 minutes",
        ),
        (users().lifetime(Duration::ZERO), "cannot expire"),
        (
            users().lifetime(Duration::from_millis(999)),
            "cannot expire",
        ),
        (users().change_types([]), "change type"),
        (with_url("http://app.example.com/notifications"), "https"),
        (with_url("ftp://localhost/"), "https"),
        (with_url("/notifications"), "absolute URL"),
        (
            users().lifecycle_notification_url("http://app.example.com"),
            "lifecycle notification URL",
        ),
        (with_state(""), "0 characters"),
        (with_state(&"a".repeat(129)), "129 characters"),
        (users().validation_tokens_for("no id"), "client"),
        (
            NewSubscription::new(SubscriptionResource::user("adele@contoso.com"), URL, STATE),
            "object id",
        ),
        (
            NewSubscription::new(
                SubscriptionResource::other("https://graph.microsoft.com/v1.0/users", hours(1)),
                URL,
                STATE,
            ),
            "path",
        ),
    ];
    let transport = ScriptedTransport::new();
    for (new, part) in invalid {
        let error = graph(&transport).subscribe(new).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Query, "{error}");
        assert!(error.to_string().contains(part), "{error}: {part}");
        assert!(!format!("{error:#}").contains(STATE));
    }
    let renew = graph(&transport)
        .subscription(SUBSCRIPTION)
        .renew(Duration::ZERO);
    assert_eq!(renew.send().await.unwrap_err().kind(), ErrorKind::Query);
    assert!(transport.requests().is_empty());
    for loopback in [
        "http://localhost:8080/n",
        "http://127.0.0.1/n",
        "http://[::1]/n",
    ] {
        let (request, ..) = sent(|graph| graph.subscribe(with_url(loopback)), 201, created()).await;
        assert_eq!(request, "POST /v1.0/subscriptions");
    }
    let longest = users().lifetime(Duration::from_secs(41_760 * 60));
    sent(|graph| graph.subscribe(longest), 201, created()).await;
}

#[tokio::test]
async fn a_creation_without_a_response_is_not_repeated_and_a_renewal_is() {
    let lost = || entra_core::TransportError::interrupted("the connection broke");
    let transport = ScriptedTransport::new().then_fail(lost());
    let new = NewSubscription::new(SubscriptionResource::users(), URL, STATE);
    assert!(graph(&transport).subscribe(new).send().await.is_err());
    assert_eq!(transport.requests().len(), 1);
    let transport = ScriptedTransport::new()
        .then_fail(lost())
        .then(200, &[], created());
    graph(&transport)
        .subscription(SUBSCRIPTION)
        .renew(Duration::from_secs(60))
        .send()
        .await
        .unwrap();
    let transport = ScriptedTransport::new()
        .then_fail(lost())
        .then(204, &[], "");
    graph(&transport)
        .subscription(SUBSCRIPTION)
        .reauthorize()
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_403_names_the_permission_of_the_resource() {
    let forbidden = json!({ "error": { "code": "Authorization_RequestDenied", "message": "Insufficient privileges." } });
    for (resource, permission) in [
        (SubscriptionResource::users(), "User.Read.All"),
        (SubscriptionResource::groups(), "Group.Read.All"),
    ] {
        let transport = ScriptedTransport::new().then(403, &[], forbidden.to_string());
        let error = graph(&transport)
            .subscribe(NewSubscription::new(resource, URL, STATE))
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.needed_permissions(), [permission]);
    }
}

#[test]
fn each_documented_operation_of_subscriptions_is_there() {
    let found: Vec<String> = operations()
        .filter(|one| one.path().starts_with("/subscriptions"))
        .map(|one| format!("{} {} {:?}", one.method(), one.path(), one.idempotency()))
        .collect();
    let expected = [
        format!("GET /subscriptions {:?}", Idempotency::Safe),
        format!("POST /subscriptions {:?}", Idempotency::NonIdempotent),
        format!("GET /subscriptions/{{id}} {:?}", Idempotency::Safe),
        format!("PATCH /subscriptions/{{id}} {:?}", Idempotency::Idempotent),
        format!("DELETE /subscriptions/{{id}} {:?}", Idempotency::Idempotent),
        format!(
            "POST /subscriptions/{{id}}/reauthorize {:?}",
            Idempotency::Idempotent
        ),
    ];
    for one in expected {
        assert!(found.contains(&one), "{one} of {found:?}");
    }
}
