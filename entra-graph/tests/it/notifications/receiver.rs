//! The receiver without resource data: responses, client states, tenants, copies.

use entra_core::{bytes::Bytes, http::Method};
use entra_graph::{
    ErrorKind,
    notifications::{NotificationEvent, Receiver, RejectionReason, Verified},
    types::{ChangeType, LifecycleEventType},
};
use serde_json::{Value, json};

use super::publisher::{
    CLIENT, CLIENT_STATE, SUBSCRIPTION, TENANT, USER, Verifier, basic, body, body_with_tokens,
    builder, claims, deliver, encrypted, lifecycle, name, token,
};

fn changes(verified: &Verified) -> usize {
    let is_change = |event: &&NotificationEvent| matches!(event, NotificationEvent::Change(_));
    verified.accepted.iter().filter(is_change).count()
}

/// Expects that an altered notification is rejected for one reason.
async fn expect_rejected(receiver: &Receiver, item: &Value, reason: RejectionReason) {
    let verified = deliver(receiver, body(std::slice::from_ref(item))).await;
    assert!(verified.accepted.is_empty(), "{item}");
    assert_eq!(
        verified.rejected.into_iter().collect::<Vec<_>>(),
        [(reason, 1)],
        "{item}"
    );
}

fn with(name: &str, value: Value) -> Value {
    let mut item = basic();
    item[name] = value;
    item
}

#[tokio::test]
async fn a_change_names_the_object_and_its_subscription() {
    let receiver = builder().build().unwrap();
    let verified = deliver(&receiver, body(&[basic()])).await;
    let [NotificationEvent::Change(change)] = verified.accepted.as_slice() else {
        panic!("{verified:?}");
    };
    assert_eq!(change.subscription_id, SUBSCRIPTION);
    assert_eq!(change.change_type, ChangeType::Updated);
    assert_eq!(change.resource, format!("Users/{USER}"));
    assert_eq!(change.resource_id.as_deref(), Some(USER));
    assert_eq!(
        change.resource_type.as_deref(),
        Some("#Microsoft.Graph.User")
    );
    assert_eq!(change.tenant_id.unwrap().to_string(), TENANT);
    let expires = change.subscription_expires_on.unwrap();
    assert_eq!(expires.unix_timestamp(), 1_796_900_400);
    assert!(change.content.is_none());
}

#[tokio::test]
async fn lifecycle_events_are_told_from_changes() {
    let receiver = builder().build().unwrap();
    let names = [
        "reauthorizationRequired",
        "subscriptionRemoved",
        "missed",
        "later",
    ];
    let verified = deliver(&receiver, body(&names.map(lifecycle))).await;
    let events: Vec<LifecycleEventType> = verified
        .accepted
        .into_iter()
        .map(|event| match event {
            NotificationEvent::Lifecycle(lifecycle) => lifecycle.event,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        events
            .iter()
            .map(LifecycleEventType::as_str)
            .collect::<Vec<_>>(),
        names
    );
    assert_eq!(events[0], LifecycleEventType::ReauthorizationRequired);
}

#[tokio::test]
async fn only_the_client_states_of_the_receiver_are_accepted() {
    let receiver = builder().client_state("canary-second").build().unwrap();
    let verified = deliver(
        &receiver,
        body(&[basic(), with("clientState", json!("canary-second"))]),
    )
    .await;
    assert_eq!(changes(&verified), 2);
    let near = [
        json!(""),
        Value::Null,
        json!(&CLIENT_STATE[1..]),
        json!(format!("{CLIENT_STATE}x")),
        json!(format!("{CLIENT_STATE}\u{0}")),
        json!(CLIENT_STATE.to_uppercase()),
        json!("canary-Second"),
    ];
    for state in near {
        expect_rejected(
            &receiver,
            &with("clientState", state),
            RejectionReason::ClientState,
        )
        .await;
    }
    let mut without = basic();
    without.as_object_mut().unwrap().remove("clientState");
    expect_rejected(&receiver, &without, RejectionReason::ClientState).await;
    let mut forged = lifecycle("subscriptionRemoved");
    forged["clientState"] = json!("guessed");
    expect_rejected(&receiver, &forged, RejectionReason::ClientState).await;
}

#[tokio::test]
async fn other_tenants_are_rejected() {
    let receiver = builder().tenants([TENANT]).build().unwrap();
    assert_eq!(changes(&deliver(&receiver, body(&[basic()])).await), 1);
    let mut without = basic();
    without.as_object_mut().unwrap().remove("tenantId");
    for item in [with("tenantId", json!(CLIENT)), without] {
        expect_rejected(&receiver, &item, RejectionReason::Tenant).await;
    }
    expect_rejected(
        &receiver,
        &with("tenantId", json!("common")),
        RejectionReason::Malformed,
    )
    .await;
}

#[tokio::test]
async fn an_invalid_notification_does_not_take_others_along() {
    let receiver = builder().build().unwrap();
    let mut without_resource = basic();
    without_resource.as_object_mut().unwrap().remove("resource");
    let mut without_subscription = basic();
    without_subscription
        .as_object_mut()
        .unwrap()
        .remove("subscriptionId");
    // The values of a notification in the order in which the receiver knows them.
    let in_a_list = json!([
        "1",
        SUBSCRIPTION,
        null,
        CLIENT_STATE,
        "updated",
        "Users/1",
        TENANT,
        null,
        null,
        null
    ]);
    let broken = [
        json!(null),
        json!([]),
        json!("text"),
        without_resource,
        without_subscription,
        with("subscriptionId", json!(7)),
        with("changeType", Value::Null),
        with("resourceData", json!([1])),
        in_a_list,
        with("resourceData", json!([USER, "#Microsoft.Graph.User"])),
        with("encryptedContent", json!(["AAAA", "AAAA", "AAAA", name(0)])),
        with("subscriptionExpirationDateTime", json!("tomorrow")),
        with("encryptedContent", json!({ "data": "" })),
    ];
    let mut items = broken.to_vec();
    items.insert(3, basic());
    items.push(basic());
    let verified = deliver(&receiver, body(&items)).await;
    assert_eq!(changes(&verified), 2);
    assert_eq!(verified.rejected[&RejectionReason::Malformed], broken.len());
}

#[tokio::test]
async fn notifications_of_an_expired_subscription_are_rejected_after_the_last_retry() {
    let receiver = builder().build().unwrap();
    let at = |time: &str| with("subscriptionExpirationDateTime", json!(time));
    // It is 2026-12-01T00:00:00Z, and Graph retries for four hours.
    let verified = deliver(&receiver, body(&[at("2026-11-30T20:00:00Z")])).await;
    assert_eq!(changes(&verified), 1);
    expect_rejected(
        &receiver,
        &at("2026-11-30T19:59:59Z"),
        RejectionReason::Expired,
    )
    .await;
}

#[tokio::test]
async fn a_copy_with_an_id_is_rejected() {
    let receiver = builder().build().unwrap();
    let one = with("id", json!("lsgTZMr9KwAAA"));
    assert_eq!(
        changes(&deliver(&receiver, body(std::slice::from_ref(&one))).await),
        1
    );
    expect_rejected(&receiver, &one, RejectionReason::Duplicate).await;
    let mut twice = deliver(
        &receiver,
        body(&[with("id", json!("2")), with("id", json!("2"))]),
    )
    .await;
    assert_eq!(
        (
            changes(&twice),
            twice.rejected.remove(&RejectionReason::Duplicate)
        ),
        (1, Some(1))
    );
    // The subscription was renewed before Graph tried again, and the text has other spaces.
    let mut renewed = one.clone();
    renewed["subscriptionExpirationDateTime"] = json!("2026-12-20T11:00:00.0000000Z");
    expect_rejected(&receiver, &renewed, RejectionReason::Duplicate).await;
    let spaced = serde_json::to_string_pretty(&json!({ "value": [one] })).unwrap();
    let mut spaced = deliver(&receiver, Bytes::from(spaced)).await;
    let duplicates = spaced.rejected.remove(&RejectionReason::Duplicate);
    assert_eq!((changes(&spaced), duplicates), (0, Some(1)));
    // Ids are those of a subscription.
    let mut other = one.clone();
    other["subscriptionId"] = json!("8f105c7d-2dc5-4530-97cd-4e7ae6534c07");
    assert_eq!(changes(&deliver(&receiver, body(&[other])).await), 1);
    let mut changed = one;
    changed["resourceData"]["@odata.etag"] = json!("W/\"2\"");
    assert_eq!(
        changes(&deliver(&receiver, body(&[changed])).await),
        1,
        "a later change"
    );
}

#[tokio::test]
async fn two_equal_changes_without_an_id_are_both_accepted() {
    let receiver = builder().build().unwrap();
    for _ in 0..2 {
        assert_eq!(changes(&deliver(&receiver, body(&[basic()])).await), 1);
    }
}

#[tokio::test]
async fn the_response_does_not_depend_on_secrets() {
    let verifier = Verifier::default();
    let receiver = super::publisher::decrypting(&verifier);
    let mut forged = encrypted(0, &json!({}));
    forged["encryptedContent"]["dataSignature"] = json!("AAAA");
    let good = token(&claims());
    let requests = [
        body(&[basic()]),
        body(&[with("clientState", json!("guessed"))]),
        body(&[with("tenantId", json!(CLIENT))]),
        body_with_tokens(&[basic()], &["no.valid.token".to_owned()]),
        body_with_tokens(&[encrypted(0, &json!({}))], std::slice::from_ref(&good)),
        body_with_tokens(&[forged], &[good]),
        body(&[json!(7)]),
        body(&[]),
    ];
    let mut seen = Vec::new();
    for request in requests {
        let response = receiver.respond(&Method::POST, None, request).response;
        seen.push((
            response.status(),
            response.headers().clone(),
            response.into_body(),
        ));
    }
    assert_eq!(seen[0].0, 202);
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
}

#[tokio::test]
async fn what_is_no_post_of_notifications_is_rejected() {
    let receiver = builder().body_limit(500).build().unwrap();
    let status = |method: &Method, query, body: &'static str| {
        let received = receiver.respond(method, query, Bytes::from(body));
        assert!(received.delivery.is_none(), "{body}");
        received.response.status().as_u16()
    };
    for method in [Method::GET, Method::PUT, Method::HEAD, Method::OPTIONS] {
        assert_eq!(
            status(&method, Some("validationToken=a"), ""),
            405,
            "{method}"
        );
    }
    for truncated in [
        "",
        "{",
        r#"{"value":"#,
        r#"{"value":[{"subscriptionId":"7f10"#,
        "[]",
        "null",
        r#"{"value":null}"#,
        r#"{"value":{}}"#,
        r#"{"validationTokens":[]}"#,
        r#"{"value":[],"validationTokens":"a"}"#,
        r#"{"value":[]} x"#,
        r#"{"value":[],"value":[]}"#,
        r#"[[],[]]"#,
        r#"[[{}],null]"#,
    ] {
        assert_eq!(status(&Method::POST, None, truncated), 400, "{truncated}");
    }
    let deep = format!(r#"{{"value":[{}1{}]}}"#, "[".repeat(100), "]".repeat(100));
    let received = receiver.respond(&Method::POST, None, deep.into());
    assert_eq!(received.response.status(), 202, "nesting is only skipped");
    let large = Bytes::from(vec![b' '; 501]);
    let received = receiver.respond(&Method::POST, None, large);
    assert_eq!(received.response.status(), 413);
}

#[tokio::test]
async fn a_handshake_succeeds_at_any_time() {
    let receiver = builder().build().unwrap();
    for body in ["", r#"{"value":[]}"#] {
        let query = Some("source=graph&validationToken=Validation%3A+1%2B1");
        let received = receiver.respond(&Method::POST, query, Bytes::from(body));
        assert_eq!(received.response.status(), 200);
        assert_eq!(received.response.body(), "Validation: 1+1");
        assert!(received.delivery.is_none());
    }
}

#[tokio::test]
async fn required_tokens_are_required_of_every_notification() {
    let verifier = Verifier::default();
    let receiver = builder()
        .validation_tokens(verifier, [CLIENT])
        .require_validation_tokens()
        .build()
        .unwrap();
    for item in [basic(), lifecycle("missed")] {
        expect_rejected(&receiver, &item, RejectionReason::TokenMissing).await;
        let tokens = [token(&claims())];
        assert_eq!(
            deliver(&receiver, body_with_tokens(&[item], &tokens))
                .await
                .accepted
                .len(),
            1
        );
    }
}

#[test]
fn a_receiver_that_would_accept_anything_is_not_built() {
    let invalid = [
        Receiver::builder("").build(),
        Receiver::builder("a").client_state("").build(),
        builder().require_validation_tokens().build(),
        builder().decryption_key(super::publisher::key(0)).build(),
        builder()
            .validation_tokens(Verifier::default(), [""; 0])
            .build(),
        builder()
            .validation_tokens(Verifier::default(), ["no id"])
            .build(),
        builder().tenants(["contoso.com"]).build(),
        builder()
            .decryption_key(super::publisher::key(0))
            .decryption_key(super::publisher::key(0))
            .validation_tokens(Verifier::default(), [CLIENT])
            .build(),
    ];
    for (at, built) in invalid.into_iter().enumerate() {
        let error = built
            .err()
            .unwrap_or_else(|| panic!("number {at} was built"));
        assert!(
            matches!(error.kind(), ErrorKind::Configuration | ErrorKind::Query),
            "{at}: {error}"
        );
    }
}

#[tokio::test]
async fn no_debug_text_shows_a_client_state() {
    let receiver = builder().build().unwrap();
    let received = receiver.respond(&Method::POST, None, body(&[basic()]));
    let delivery = received.delivery.unwrap();
    let verified = receiver.verify(&delivery).await.unwrap();
    let text = format!("{receiver:?} {delivery:?} {verified:?} {:?}", builder());
    assert!(!text.contains("canary"), "{text}");
}
