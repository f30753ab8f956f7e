//! The governor of quotas: limits that Graph has closed, and calls with less time than that.

use std::time::Duration;

use entra_core::{ManualClock, RetryPolicy, StopReason, bytes::Bytes, http};
use entra_graph::{ErrorKind, Governor, GraphClient, IntoRequest};
use futures_util::FutureExt;
use serde_json::{Value, json};

use super::{Service, page, response, throttled, token};

/// Responds to each part of a batch by its method and address.
fn parts(
    request: &http::Request<Bytes>,
    part: impl Fn(&str, &str) -> Value,
) -> http::Response<Bytes> {
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    let requests = body["requests"].as_array().unwrap().iter();
    let responses: Vec<Value> = requests
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap();
            let mut response = part(text("method"), text("url"));
            response["id"] = one["id"].clone();
            response
        })
        .collect();
    response(200, &[], &json!({ "responses": responses }).to_string())
}

fn ok_part() -> Value {
    json!({ "status": 200, "body": { "id": "a", "value": [] } })
}

fn throttled_part(seconds: &str) -> Value {
    json!({
        "status": 429, "headers": { "Retry-After": seconds },
        "body": { "error": { "code": "TooManyRequests", "message": "slow down" } },
    })
}

fn for_a_minute() -> RetryPolicy {
    RetryPolicy::for_graph().with_budget(Duration::from_secs(60))
}

#[tokio::test]
async fn a_429_that_is_not_retried_closes_its_limit_within_the_budget_of_each_call() {
    // Retry-After, retry policy, for how long the limit is closed.
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

#[tokio::test]
async fn a_limit_that_closes_in_the_middle_of_a_batch_fails_only_the_parts_that_need_it() {
    let service = Service::new(&ManualClock::new(), |number, request| {
        parts(request, |_, url| {
            match number == 1 && url.contains("signIns") {
                true => throttled_part("120"),
                false => ok_part(),
            }
        })
    });
    let builder = service.builder("token").retry_policy(for_a_minute());
    let graph = builder.build().unwrap();
    let mut batch = graph.batch();
    let (mut logs, mut users) = (Vec::new(), Vec::new());
    // Each of the five requests of `$batch` begins with a read of the log; four of them go together.
    for index in 0..100 {
        match index % 20 {
            0 => logs.push(batch.add(graph.audit_logs().sign_ins().list())),
            _ => users.push(batch.add(graph.user("a").get())),
        }
    }
    let responses = batch.send().await.unwrap();
    for user in users {
        responses.get(user).unwrap();
    }
    let wait = Some(Duration::from_secs(120));
    let error = responses.get(logs[0]).unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(429));
    assert_eq!(error.retry_after(), wait);
    for log in &logs[1..4] {
        responses.get(*log).unwrap();
    }
    let error = responses.get(logs[4]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled, "{error}");
    assert_eq!(error.retry_after(), wait);
    assert_eq!(service.times(), [0; 5]);
}

#[tokio::test]
async fn what_depends_on_a_part_whose_limit_closed_meanwhile_is_not_sent() {
    let service = Service::new(&ManualClock::new(), |number, request| {
        parts(request, |_, url| {
            match number == 1 && url.contains("signIns") {
                true => throttled_part("120"),
                false => ok_part(),
            }
        })
    });
    let builder = service.builder("token").retry_policy(for_a_minute());
    let graph = builder.build().unwrap();
    let mut batch = graph.batch();
    // Each of the five requests of `$batch` begins with a read of the log; four of them go together.
    let mut dependents = Vec::new();
    for index in 0..50 {
        let first = match index % 10 {
            0 => batch.add(graph.audit_logs().sign_ins().list()).id(),
            _ => batch.add(graph.user("a").get()).id(),
        };
        dependents.push(batch.add_after([first], graph.user("b").get()));
    }
    let responses = batch.send().await.unwrap();
    let error = responses.get(dependents[40]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Dependency, "{error}");
    for dependent in &dependents[41..] {
        responses.get(*dependent).unwrap();
    }
}

/// The client does not know whose quota it uses before it has a token, so its first batch is held back as a whole.
#[tokio::test]
async fn a_batch_that_is_held_back_goes_again_without_the_parts_that_need_the_limit() {
    let service = Service::new(&ManualClock::new(), |number, request| match number {
        1 => throttled(&[("retry-after", "120")]),
        _ => parts(request, |_, _| ok_part()),
    });
    let governor = Governor::new();
    let client = || {
        let builder = service.builder(&token("app", "tenant"));
        let builder = builder.governor(governor.clone());
        builder.retry_policy(for_a_minute()).build().unwrap()
    };
    let first = client();
    first
        .audit_logs()
        .sign_ins()
        .list()
        .send()
        .await
        .unwrap_err();
    let graph = client();
    let mut batch = graph.batch();
    let log = batch.add(graph.audit_logs().sign_ins().list());
    let user = batch.add(graph.user("a").get());
    let responses = batch.send().await.unwrap();
    responses.get(user).unwrap();
    let error = responses.get(log).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled, "{error}");
    assert_eq!(service.times(), [0, 0]);
}

#[tokio::test]
async fn a_part_that_is_not_sent_again_for_a_closed_limit_keeps_its_response() {
    let service = Service::new(&ManualClock::new(), |_, request| {
        parts(request, |method, _| match method {
            "DELETE" => json!({
                "status": 503, "body": { "error": { "code": "serviceNotAvailable", "message": "m" } },
            }),
            _ => throttled_part("120"),
        })
    });
    let builder = service.builder("token").retry_policy(for_a_minute());
    let graph = builder.build().unwrap();
    let mut batch = graph.batch();
    let deleted = batch.add(graph.user("a").delete());
    let read = batch.add(graph.user("b").get());
    let responses = batch.send().await.unwrap();
    assert!(responses.get(read).unwrap_err().is_throttled());
    let error = responses.get(deleted).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Service, "{error}");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(503));
    assert_eq!(error.code(), Some("serviceNotAvailable"));
    assert_eq!(error.tries(), Some(1));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(120)));
    let reason = error.stop_reason();
    assert!(
        matches!(reason, Some(StopReason::RetryAfterBeyondBudget { .. })),
        "{reason:?}"
    );
    assert_eq!(service.times(), [0]);
}

/// The limit closes for three seconds during the second read, one second after the first.
#[tokio::test]
async fn a_limit_that_is_closed_for_a_moment_does_not_hide_what_the_read_before_showed() {
    const ABSENT: &str = r#"{"error":{"code":"Request_ResourceNotFound","message":"m"}}"#;
    let client = || {
        let clock = ManualClock::new();
        let governor = Governor::new();
        let throttling = Service::new(&clock, |_, _| throttled(&[("retry-after", "3")]));
        let other = throttling
            .builder("token")
            .governor(governor.clone())
            .retry_policy(RetryPolicy::once())
            .build()
            .unwrap();
        let service = Service::new(&clock, move |number, _| {
            if number == 2 {
                let read = Box::pin(other.user("b").get().send());
                assert!(read.now_or_never().unwrap().is_err());
            }
            response(404, &[], ABSENT)
        });
        let graph = service.builder("token").governor(governor).build().unwrap();
        (service, graph)
    };
    let budget = Duration::from_secs(3);
    let (service, graph) = client();
    let settled = graph.user("a").get().settled().budget(budget);
    let error = settled.send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSettled, "{error}");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(404));
    assert_eq!(service.times(), [0, 1_000]);

    let (service, graph) = client();
    let request = graph.user("a").get().into_request();
    let error = request.send_after_write(budget).await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert_eq!(service.times(), [0, 1_000]);
}
