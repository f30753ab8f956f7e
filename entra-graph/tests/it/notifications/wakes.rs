//! When to look for changes, on a clock that stands still between steps.

use std::time::Duration;

use entra_core::{ManualClock, http::Method};
use entra_graph::{
    GraphClient,
    notifications::{NotificationEndpoint, Supervisor, Wake, WakeCause, Wakes},
};
use futures_util::FutureExt as _;
use serde_json::json;

use super::{
    publisher::{CLIENT_STATE, basic, body, builder, lifecycle},
    queue::down,
    supervisor::{SmallGraph, client, stepped, subscriptions},
};

struct Setup {
    graph: SmallGraph,
    clock: ManualClock,
    client: GraphClient,
    endpoint: NotificationEndpoint,
    wakes: Wakes,
}

impl Setup {
    fn new() -> Self {
        let (graph, clock) = (SmallGraph::default(), stepped());
        let client = client(&graph, &clock);
        let receiver = builder().clock(clock.clone()).build().unwrap();
        let (endpoint, notifications) = receiver.into_queue();
        let wakes = Wakes::new(&client, notifications);
        Self {
            graph,
            clock,
            client,
            endpoint,
            wakes,
        }
    }

    /// With supervised subscriptions to users and groups.
    fn supervised() -> Self {
        let mut setup = Self::new();
        let supervisor = Supervisor::new(&setup.client, subscriptions(CLIENT_STATE)).unwrap();
        setup.wakes = setup.wakes.supervisor(supervisor);
        setup
    }

    /// The wake that is there now.
    fn wake(&mut self) -> Option<Wake> {
        self.wakes.next().now_or_never().flatten()
    }

    fn cause(&mut self) -> Option<WakeCause> {
        self.wake().map(|wake| wake.cause)
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn notify(&self, count: usize) {
        for _ in 0..count {
            let response = self.endpoint.respond(&Method::POST, None, body(&[basic()]));
            assert_eq!(response.status(), 202);
        }
    }
}

#[tokio::test]
async fn the_first_wake_is_there_at_once() {
    let mut setup = Setup::new();
    assert_eq!(setup.cause(), Some(WakeCause::Start));
    assert_eq!(setup.cause(), None);
}

#[tokio::test]
async fn a_thousand_notifications_are_one_wake_and_a_second_look() {
    let mut setup = Setup::new();
    setup.wake();
    setup.notify(1_000);
    assert_eq!(setup.cause(), None, "more may come");
    setup.pass(1);
    setup.notify(1);
    assert_eq!(setup.cause(), None);
    setup.pass(1);
    let wake = setup.wake().unwrap();
    assert_eq!(
        (wake.cause, wake.notifications),
        (WakeCause::Changes, 1_001)
    );
    assert_eq!(setup.cause(), None);
    setup.pass(119);
    assert_eq!(setup.cause(), None);
    setup.pass(1);
    assert_eq!(setup.cause(), Some(WakeCause::Again));
    setup.pass(120);
    assert_eq!(setup.cause(), None, "once");
}

#[tokio::test]
async fn a_steady_stream_does_not_put_the_wake_off() {
    let mut setup = Setup::new();
    setup.wake();
    let mut wakes = 0;
    for _ in 0..20 {
        setup.notify(1);
        wakes += usize::from(setup.wake().is_some());
        setup.pass(1);
    }
    assert!(wakes >= 6, "{wakes} in twenty seconds");
}

#[tokio::test]
async fn a_silence_wakes_anyway() {
    let mut setup = Setup::new();
    setup.wake();
    for _ in 0..3 {
        setup.pass(3_599);
        assert_eq!(setup.cause(), None);
        setup.pass(1);
        assert_eq!(setup.cause(), Some(WakeCause::Silence));
    }
}

#[tokio::test]
async fn forged_notifications_cause_no_wake() {
    let mut setup = Setup::new();
    setup.wake();
    let mut forged = basic();
    forged["clientState"] = json!("guessed");
    let mut event = lifecycle("missed");
    event["clientState"] = json!("guessed");
    for item in [forged, event] {
        let response = setup.endpoint.respond(&Method::POST, None, body(&[item]));
        assert_eq!(response.status(), 202);
    }
    setup.pass(10);
    assert_eq!(setup.cause(), None);
}

#[tokio::test]
async fn a_failed_run_is_done_again_when_it_asks_for_it() {
    let mut setup = Setup::new();
    setup.wake();
    setup.wakes.again_in(Duration::from_secs(60));
    setup.wakes.again_in(Duration::from_secs(90));
    setup.pass(59);
    assert_eq!(setup.cause(), None);
    setup.pass(1);
    assert_eq!(setup.cause(), Some(WakeCause::Again));
    setup.pass(60);
    assert_eq!(setup.cause(), None);
}

#[tokio::test]
async fn subscriptions_are_created_before_the_first_wake() {
    let mut setup = Setup::supervised();
    assert_eq!(setup.cause(), Some(WakeCause::Start));
    assert_eq!(setup.graph.ids(), ["users-1", "groups-2"]);
    assert_eq!(
        setup.cause(),
        None,
        "the gap before them is covered by the first"
    );
    assert_eq!(
        setup
            .wakes
            .supervised()
            .unwrap()
            .state()
            .subscription_ids()
            .count(),
        2
    );
}

#[tokio::test]
async fn a_graph_that_fails_does_not_keep_the_first_wake_back() {
    let mut setup = Setup::supervised();
    setup.graph.fail(&[503]);
    assert_eq!(setup.cause(), Some(WakeCause::Start));
    assert!(setup.graph.ids().is_empty());
    setup.pass(30);
    assert_eq!(
        setup.cause(),
        Some(WakeCause::Gap),
        "changes until now were not reported"
    );
    assert_eq!(setup.graph.ids().len(), 2);
}

#[tokio::test]
async fn lifecycle_events_reach_the_supervisor_and_wake() {
    let mut setup = Setup::supervised();
    setup.wake();
    setup.pass(3_000);
    setup.graph.take_log();
    for name in ["missed", "reauthorizationRequired", "subscriptionRemoved"] {
        let mut event = lifecycle(name);
        event["subscriptionId"] = json!("groups-2");
        event["subscriptionExpirationDateTime"] = json!(null);
        for _ in 0..100 {
            let response =
                setup
                    .endpoint
                    .respond(&Method::POST, None, body(std::slice::from_ref(&event)));
            assert_eq!(response.status(), 202);
        }
        let mut causes = Vec::new();
        while let Some(cause) = setup.cause() {
            causes.push(cause);
            assert!(causes.len() <= 3, "{name}");
        }
        assert!(
            causes.iter().all(|cause| *cause == WakeCause::Gap),
            "{name}: {causes:?}"
        );
        assert!(!causes.is_empty(), "{name}");
    }
    let log = setup.graph.take_log();
    assert_eq!(log, ["PATCH subscriptions/groups-2", "POST subscriptions"]);
}

#[tokio::test]
async fn without_a_supervisor_a_lifecycle_event_is_a_gap() {
    let mut setup = Setup::new();
    setup.wake();
    let response = setup
        .endpoint
        .respond(&Method::POST, None, body(&[lifecycle("missed")]));
    assert_eq!(response.status(), 202);
    assert_eq!(setup.cause(), Some(WakeCause::Gap));
}

#[tokio::test]
async fn renewals_happen_while_nothing_else_does() {
    let mut setup = Setup::supervised();
    setup.wake();
    setup.graph.take_log();
    // Two thirds of 695 hours.
    for _ in 0..464 {
        setup.pass(3_600);
        assert_eq!(setup.cause(), Some(WakeCause::Silence));
        assert_eq!(setup.cause(), None);
    }
    let (lists, others): (Vec<String>, Vec<String>) = setup
        .graph
        .take_log()
        .into_iter()
        .partition(|request| request == "GET subscriptions");
    assert_eq!(lists.len(), 464 / 6, "one in six hours");
    assert_eq!(
        others,
        [
            "PATCH subscriptions/users-1",
            "PATCH subscriptions/groups-2"
        ]
    );
}

#[tokio::test]
async fn it_ends_with_the_last_endpoint() {
    let mut setup = Setup::new();
    setup.wake();
    let Setup {
        endpoint,
        mut wakes,
        ..
    } = setup;
    drop(endpoint);
    assert!(wakes.next().await.is_none());
}

#[tokio::test]
async fn notifications_that_are_lost_are_a_gap() {
    let (endpoint, notifications, _verifier, clock) = down();
    let client = client(&SmallGraph::default(), &clock);
    let mut wakes = Wakes::new(&client, notifications).silence(Duration::from_secs(86_400));
    let start = wakes.next().now_or_never().flatten().unwrap();
    assert_eq!(start.cause, WakeCause::Start);
    let wake = loop {
        if let Some(wake) = wakes.next().now_or_never().flatten() {
            break wake;
        }
        clock.advance(Duration::from_secs(256));
        assert!(endpoint.counts().lost <= 1);
    };
    assert_eq!((wake.cause, wake.notifications), (WakeCause::Gap, 0));
    assert_eq!(endpoint.counts().lost, 1);
}
