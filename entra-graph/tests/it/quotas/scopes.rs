//! Limits that several tenants or several applications share.

use std::time::Duration;

use entra_core::{ManualClock, StaticCredential, Timestamp};
use entra_graph::GraphClient;

use super::{Service, response, throttled, token};

/// The application and the tenant of a request, by its number.
type Whose = fn(usize) -> (usize, usize);

/// A write in a task of its own, as this application in this tenant.
fn write_as(graph: &GraphClient, application: &str, tenant: &str) -> tokio::task::JoinHandle<()> {
    let credential = StaticCredential::new(&token(application, tenant));
    let graph = graph.with_credential(credential);
    tokio::spawn(async move { graph.user("a").delete().send().await.unwrap() })
}

#[tokio::test]
async fn a_429_of_the_application_or_of_the_tenant_slows_all_that_share_it() {
    // What the 429 names, and which of the other writes go on: those of another tenant, of another application.
    for (scope, tenant_goes_on, application_goes_on) in [
        ("Tenant_Application", true, true),
        ("Application", false, true),
        ("Tenant", true, false),
    ] {
        let named = format!("{scope}/Write/one/one");
        let clock = ManualClock::stepped(Timestamp::now_utc());
        let service = Service::new(&clock, move |number, _| match number {
            1 => throttled(&[
                ("retry-after", "30"),
                ("x-ms-throttle-information", "WriteLimitExceeded"),
                ("x-ms-throttle-scope", &named),
            ]),
            _ => response(204, &[], ""),
        });
        let graph = service.client();
        let first = write_as(&graph, "one", "one");
        while service.paths().is_empty() {
            tokio::task::yield_now().await;
        }
        let same = write_as(&graph, "one", "one");
        let other_tenant = write_as(&graph, "one", "two");
        let other_application = write_as(&graph, "two", "one");
        let neither = write_as(&graph, "two", "two");
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        assert!(neither.is_finished(), "{scope}");
        assert!(!first.is_finished() && !same.is_finished(), "{scope}");
        assert_eq!(other_tenant.is_finished(), tenant_goes_on, "{scope}");
        assert_eq!(
            other_application.is_finished(),
            application_goes_on,
            "{scope}"
        );
        let all = [first, same, other_tenant, other_application];
        while !all.iter().all(tokio::task::JoinHandle::is_finished) {
            clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
        for write in all {
            write.await.unwrap();
        }
        assert_eq!(service.paths().len(), 6, "{scope}");
    }
}

#[tokio::test]
async fn writes_of_a_tenant_and_of_an_application_have_limits_too() {
    // Requests by (application, tenant), and how many of them are sent before the first one waits.
    let cases: [(Whose, usize); 2] = [
        // 18,000 of a tenant, by six applications and more.
        (|number| (number / 3_000, 0), 18_000),
        // 35,000 of an application, in twelve tenants and more.
        (|number| (0, number / 3_000), 35_000),
    ];
    for (whose, most) in cases {
        let service = Service::new(&ManualClock::new(), |_, _| response(204, &[], ""));
        let graph = service.client();
        let mut client = (None, graph.clone());
        for number in 0..=most {
            let (application, tenant) = whose(number);
            if client.0 != Some((application, tenant)) {
                let token = token(&application.to_string(), &tenant.to_string());
                let graph = graph.with_credential(StaticCredential::new(&token));
                client = (Some((application, tenant)), graph);
            }
            client.1.user("a").delete().send().await.unwrap();
        }
        let times = service.times();
        assert_eq!(times[most - 1], 0);
        assert!(times[most] > 0, "{}", times[most]);
    }
}
