//! Requests that share a limit.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use entra_core::{
    BoxFuture, Clock, ErrorKind, ManualClock, Pacer, Pipeline, Request, RetryPolicy,
    ScriptedTransport, StopReason,
    bytes::Bytes,
    http::{Method, Response, StatusCode},
    url::Url,
};

/// Waits so long before each attempt, and for the server where it is told to.
#[derive(Debug)]
struct Slow {
    clock: ManualClock,
    wait: Duration,
    takes_waits: bool,
    admitted: AtomicU32,
    observed: Mutex<Vec<(u16, bool)>>,
    /// How long the limit is closed before each attempt, from the first on.
    closed: Vec<u64>,
    left: Mutex<Vec<Duration>>,
}

impl Pacer for Slow {
    fn admit(&self, left: Duration) -> BoxFuture<'_, Result<(), Duration>> {
        let number = self.admitted.fetch_add(1, Ordering::Relaxed);
        self.left.lock().unwrap().push(left);
        let closed = self.closed.get(usize::try_from(number).unwrap());
        let closed = Duration::from_secs(closed.copied().unwrap_or_default());
        Box::pin(async move {
            if closed > left {
                return Err(closed);
            }
            self.clock.sleep(self.wait).await;
            Ok(())
        })
    }

    fn observe(&self, response: &Response<Bytes>, wait: Option<Duration>) -> bool {
        let seen = (response.status().as_u16(), wait.is_some());
        self.observed.lock().unwrap().push(seen);
        self.takes_waits
    }
}

fn send(
    transport: &ScriptedTransport,
    wait: u64,
    takes_waits: bool,
) -> (Arc<Slow>, Pipeline, Request) {
    send_closed(transport, wait, takes_waits, &[])
}

fn send_closed(
    transport: &ScriptedTransport,
    wait: u64,
    takes_waits: bool,
    closed: &[u64],
) -> (Arc<Slow>, Pipeline, Request) {
    let clock = ManualClock::new();
    let url = Url::parse("https://graph.example.com/v1.0/users").unwrap();
    let pipeline = Pipeline::builder(Arc::new(transport.clone()))
        .origin(&url)
        .clock(Arc::new(clock.clone()))
        .policy(RetryPolicy::for_graph().with_budget(Duration::from_secs(60)))
        .build();
    let pacer = Arc::new(Slow {
        clock,
        wait: Duration::from_secs(wait),
        takes_waits,
        admitted: AtomicU32::new(0),
        observed: Mutex::default(),
        closed: closed.to_vec(),
        left: Mutex::default(),
    });
    let request = Request::new("read", Method::GET, url).with_pacer(pacer.clone());
    (pacer, pipeline, request)
}

fn throttled(times: usize) -> ScriptedTransport {
    (0..times).fold(ScriptedTransport::new(), |transport, _| {
        transport.then(429, &[("retry-after", "10")], "")
    })
}

#[tokio::test]
async fn the_time_budget_does_not_count_waits_of_a_pacer() {
    let transport = throttled(1).then(200, &[], "");
    let (pacer, pipeline, request) = send(&transport, 100, false);
    let response = pipeline.send(request).await.unwrap();
    assert_eq!(response.status, StatusCode::OK);
    assert_eq!(pacer.admitted.load(Ordering::Relaxed), 2);
    assert_eq!(*pacer.observed.lock().unwrap(), [(429, true), (200, false)]);
}

#[tokio::test]
async fn a_pacer_waits_in_place_of_the_pipeline() {
    let transport = throttled(1).then(200, &[], "");
    let (pacer, pipeline, request) = send(&transport, 0, true);
    let before = pacer.clock.monotonic();
    pipeline.send(request).await.unwrap();
    assert_eq!(pacer.clock.elapsed(before), Duration::ZERO);
}

#[tokio::test]
async fn waits_that_a_pacer_takes_over_count_against_the_budget() {
    let transport = throttled(20);
    let (pacer, pipeline, request) = send(&transport, 0, true);
    let response = pipeline.send(request).await.unwrap();
    assert!(matches!(
        response.stop_reason,
        Some(StopReason::RetryAfterBeyondBudget { .. })
    ));
    let tries = pacer.admitted.load(Ordering::Relaxed);
    assert!((4..=6).contains(&tries), "{tries}");
}

#[tokio::test]
async fn a_request_whose_limit_is_closed_beyond_its_budget_is_not_sent() {
    let transport = ScriptedTransport::new().then(200, &[], "");
    let (_, pipeline, request) = send_closed(&transport, 0, true, &[61]);
    let error = pipeline.send(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert!(error.is_transient());
    let reason = StopReason::RetryAfterBeyondBudget {
        retry_after: Duration::from_secs(61),
        left: Duration::from_secs(60),
    };
    assert_eq!(error.stop_reason(), Some(reason));
    assert!(error.to_string().contains("closed for 61 s"), "{error}");
    assert!(transport.requests().is_empty());
    let (_, pipeline, request) = send_closed(&transport, 0, true, &[60]);
    pipeline.send(request).await.unwrap();
}

#[tokio::test]
async fn the_last_response_is_returned_if_the_limit_is_closed_before_the_next_attempt() {
    let transport = throttled(1).then(200, &[], "");
    let (pacer, pipeline, request) = send_closed(&transport, 0, true, &[0, 90]);
    let response = pipeline.send(request).await.unwrap();
    assert_eq!(response.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.retry_after, Some(Duration::from_secs(90)));
    assert!(matches!(
        response.stop_reason,
        Some(StopReason::RetryAfterBeyondBudget { .. })
    ));
    assert_eq!(transport.remaining(), 1);
    // What the policy waits itself is not taken off twice.
    let minute = Duration::from_secs(60);
    assert_eq!(*pacer.left.lock().unwrap(), [minute, minute]);
}
