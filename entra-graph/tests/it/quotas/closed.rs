//! The governor of quotas: limits that Graph has closed, and calls with less time than that.

use std::time::Duration;

use entra_core::{ManualClock, RetryPolicy};
use entra_graph::{ErrorKind, Governor, GraphClient, IntoRequest};

use super::{Service, page, response, throttled};

#[tokio::test]
async fn a_429_that_is_not_retried_closes_its_limit_within_the_budget_of_each_call() {
    // Retry-After, retry policy, for how long the limit is closed.
    let for_a_minute = || RetryPolicy::for_graph().with_budget(Duration::from_secs(60));
    let cases = [
        (Some("120"), for_a_minute(), 120),
        (Some("86400"), for_a_minute(), 600),
        (Some("5"), RetryPolicy::once(), 5),
        // The window of the logs.
        (None, RetryPolicy::once(), 10),
    ];
    for (asked, policy, closed) in cases {
        let clock = ManualClock::new();
        let service = Service::new(&clock, move |number, _| match (number, asked) {
            (1, Some(seconds)) => throttled(&[("retry-after", seconds)]),
            (1, None) => throttled(&[]),
            _ => page(&[]),
        });
        let governor = Governor::new();
        let builder = || service.builder("token").governor(governor.clone());
        let hasty = builder().retry_policy(policy).build().unwrap();
        let sign_ins = |graph: &GraphClient| graph.audit_logs().sign_ins().list().send();
        assert!(sign_ins(&hasty).await.unwrap_err().is_throttled());
        assert_eq!(service.times(), [0], "it is not sent again");
        // The next one has no time for the wait, is not sent, and does not wait.
        let error = sign_ins(&hasty).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Throttled, "{asked:?} {error}");
        assert!(error.is_throttled() && error.is_transient(), "{error}");
        let wait = Duration::from_secs(closed);
        assert_eq!(error.retry_after(), Some(wait), "{asked:?}");
        let text = error.to_string();
        assert!(
            text.contains(&format!("Retry-After of {closed} s")),
            "{text}"
        );
        assert_eq!(service.times(), [0]);
        // One with more time waits.
        let patient = builder().build().unwrap();
        sign_ins(&patient).await.unwrap();
        let times = service.times();
        assert_eq!(times.len(), 2, "{asked:?} {times:?}");
        assert_eq!(times[1], wait.as_millis(), "{asked:?} {times:?}");
        sign_ins(&hasty).await.unwrap();
    }
}

#[tokio::test]
async fn a_closed_limit_ends_waits_for_replicas_that_have_less_time() {
    let service = Service::new(&ManualClock::new(), |number, _| match number {
        1 => throttled(&[("retry-after", "86400")]),
        _ => page(&[]),
    });
    let graph = service.client();
    let read = || graph.user("a").get();
    assert!(read().send().await.unwrap_err().is_throttled());
    let minute = Duration::from_secs(60);
    let reads = read().settled().budget(minute).send().await;
    let after_write = read().into_request().send_after_write(minute).await;
    for error in [reads.unwrap_err(), after_write.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Throttled, "{error}");
        assert_eq!(error.retry_after(), Some(10 * minute));
    }
    assert_eq!(service.times(), [0]);
}

#[tokio::test]
async fn a_batch_does_not_wait_for_the_closed_limit_of_one_of_its_parts() {
    let service = Service::new(&ManualClock::new(), |number, _| match number {
        1 => throttled(&[("retry-after", "86400")]),
        _ => response(
            200,
            &[],
            r#"{"responses":[{"id":"1","status":200,"body":{"id":"a"}}]}"#,
        ),
    });
    let policy = RetryPolicy::for_graph().with_budget(Duration::from_secs(60));
    let builder = service.builder("token").retry_policy(policy);
    let graph = builder.build().unwrap();
    let sign_ins = || graph.audit_logs().sign_ins().list();
    sign_ins().send().await.unwrap_err();
    let mut batch = graph.batch();
    let log = batch.add(sign_ins());
    let user = batch.add(graph.user("a").get());
    let responses = batch.send().await.unwrap();
    let error = responses.get(log).unwrap_err();
    assert!(error.is_throttled(), "{error}");
    assert_eq!(error.kind(), ErrorKind::Throttled);
    responses.get(user).unwrap();
    assert_eq!(service.times(), [0, 0]);
}
