//! The queue between endpoint and program.

use std::sync::atomic::Ordering;

use entra_core::{ManualClock, Timestamp, bytes::Bytes, http::Method};
use entra_graph::notifications::{NotificationEndpoint, NotificationEvent, Notifications};
use futures_util::FutureExt as _;
use serde_json::json;

use super::publisher::{
    CLIENT, NOW, Verifier, basic, body, body_with_tokens, builder, claims, encrypted, key, token,
};

fn post(endpoint: &NotificationEndpoint, body: Bytes) -> u16 {
    endpoint
        .respond(&Method::POST, None, body)
        .status()
        .as_u16()
}

fn count_ready(notifications: &mut Notifications) -> usize {
    let mut count = 0;
    while let Some(Some(event)) = notifications.next().now_or_never() {
        assert!(matches!(event, NotificationEvent::Change(_)));
        count += 1;
    }
    count
}

#[tokio::test]
async fn accepted_notifications_come_in_order_and_end_with_the_endpoint() {
    let (endpoint, mut notifications) = builder().build().unwrap().into_queue();
    for number in 0..3 {
        let mut one = basic();
        one["resource"] = json!(format!("Users/{number}"));
        let mut forged = one.clone();
        forged["clientState"] = json!("guessed");
        assert_eq!(post(&endpoint, body(&[forged, one])), 202);
    }
    let other = endpoint.clone();
    drop(endpoint);
    for number in 0..3 {
        let Some(NotificationEvent::Change(change)) = notifications.next().await else {
            panic!("number {number} is missing");
        };
        assert_eq!(change.resource, format!("Users/{number}"));
    }
    assert!(notifications.next().now_or_never().is_none(), "it waits");
    drop(other);
    assert!(notifications.next().await.is_none());
    let counts = notifications.counts();
    assert_eq!(
        (counts.accepted, counts.rejected, counts.overloaded),
        (3, 3, 0)
    );
}

#[tokio::test]
async fn a_full_queue_tells_graph_to_send_again_and_loses_nothing_it_took() {
    let (endpoint, mut notifications) = builder().build().unwrap().into_queue();
    let mut taken = 0;
    while post(&endpoint, body(&[basic()])) == 202 {
        taken += 1;
        assert!(taken < 100_000, "the queue is bounded");
    }
    let response = endpoint.respond(&Method::POST, None, body(&[basic()]));
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
    let handshake = endpoint.respond(&Method::POST, Some("validationToken=a"), Bytes::new());
    assert_eq!(handshake.status(), 200, "a handshake needs no room");
    assert_eq!(count_ready(&mut notifications), taken);
    assert_eq!(post(&endpoint, body(&[basic()])), 202);
    assert_eq!(endpoint.counts().overloaded, 2);
}

#[tokio::test]
async fn the_bytes_in_the_queue_are_bounded_too() {
    let (endpoint, mut notifications) = builder().build().unwrap().into_queue();
    let mut large = basic();
    large["resourceData"]["padding"] = json!("x".repeat(1_000_000));
    let large = body(&[large]);
    let mut taken = 0;
    while post(&endpoint, large.clone()) == 202 {
        taken += 1;
        assert!(taken < 100, "a hundred megabytes");
    }
    assert!(taken > 10, "{taken}");
    assert_eq!(count_ready(&mut notifications), taken);
    assert_eq!(post(&endpoint, large), 202);
}

#[tokio::test]
async fn requests_that_are_too_large_are_counted_and_are_no_event() {
    let receiver = builder().body_limit(2_000).build().unwrap();
    let (endpoint, mut notifications) = receiver.into_queue();
    assert_eq!(post(&endpoint, Bytes::from(vec![b' '; 2_001])), 413);
    // A web server that stopped to read.
    assert_eq!(endpoint.too_large().status(), 413);
    assert_eq!(notifications.counts().too_large, 2);
    assert_eq!(count_ready(&mut notifications), 0);
    assert_eq!(post(&endpoint, body(&[basic()])), 202);
    assert_eq!(endpoint.counts().too_large, 2);
}

#[tokio::test]
async fn an_endpoint_without_a_program_responds_with_503() {
    let (endpoint, notifications) = builder().build().unwrap().into_queue();
    drop(notifications);
    assert_eq!(post(&endpoint, body(&[basic()])), 503);
}

/// An endpoint for resource data whose signing keys are down, with a clock that stands still.
pub(super) fn down() -> (NotificationEndpoint, Notifications, Verifier, ManualClock) {
    let clock = ManualClock::stepped(Timestamp::from_unix_timestamp(NOW).unwrap());
    let verifier = Verifier::default();
    verifier.is_down.store(true, Ordering::Relaxed);
    let receiver = builder()
        .decryption_key(key(0))
        .validation_tokens(verifier.clone(), [CLIENT])
        .clock(clock.clone())
        .build()
        .unwrap();
    let (endpoint, notifications) = receiver.into_queue();
    let request = body_with_tokens(&[encrypted(0, &json!({}))], &[token(&claims())]);
    assert_eq!(post(&endpoint, request), 202);
    (endpoint, notifications, verifier, clock)
}

#[tokio::test]
async fn a_dropped_future_loses_no_delivery() {
    let (_endpoint, mut notifications, verifier, clock) = down();
    // Many more than the tries: those without a wait between do not count.
    for _ in 0..30 {
        assert!(
            notifications.next().now_or_never().is_none(),
            "it waits for the keys"
        );
    }
    verifier.is_down.store(false, Ordering::Relaxed);
    clock.advance(std::time::Duration::from_secs(1));
    let event = notifications.next().now_or_never().flatten();
    assert!(
        matches!(event, Some(NotificationEvent::Change(_))),
        "{event:?}"
    );
}

#[tokio::test]
async fn keys_that_come_back_in_time_lose_nothing() {
    let (_endpoint, mut notifications, verifier, clock) = down();
    let mut next = Box::pin(notifications.next());
    for _ in 0..5 {
        assert!(next.as_mut().now_or_never().is_none());
        clock.advance(std::time::Duration::from_secs(20));
    }
    verifier.is_down.store(false, Ordering::Relaxed);
    clock.advance(std::time::Duration::from_secs(256));
    assert!(matches!(
        next.now_or_never(),
        Some(Some(NotificationEvent::Change(_)))
    ));
}

#[tokio::test]
async fn keys_that_stay_away_are_reported_as_a_loss() {
    let (endpoint, mut notifications, _verifier, clock) = down();
    let mut next = Box::pin(notifications.next());
    let mut waited = 0;
    let event = loop {
        if let Some(event) = next.as_mut().now_or_never() {
            break event;
        }
        clock.advance(std::time::Duration::from_secs(1));
        waited += 1;
        assert!(waited < 1_000);
    };
    assert!(matches!(event, Some(NotificationEvent::Lost)));
    assert_eq!(waited, 511, "growing waits, of eight and a half minutes");
    assert_eq!(endpoint.counts().lost, 1);
}
