//! Replication delay and throttling, on a manual clock.

use std::time::Duration;

use entra_mock::{FakeTenant, Fault};

use super::{ENOUGH, everything, graph_of, outcome, sink};

#[tokio::test]
async fn replication_delay_and_throttling_are_waited_out() {
    let expected = {
        let tenant = FakeTenant::start().await;
        let graph = graph_of(&tenant, ENOUGH).await;
        let plan = everything().plan(&graph).await.unwrap();
        plan.apply(&mut sink(&tenant)).await.unwrap();
        outcome(&graph, "Order Desk").await
    };
    for (seconds, random_seed) in [(2, 1), (10, 2), (30, 3), (60, 4), (60, 5)] {
        let tenant = FakeTenant::builder().random_seed(random_seed).start().await;
        let graph = graph_of(&tenant, ENOUGH).await;
        let plan = everything().plan(&graph).await.unwrap();
        tenant.set_replication_delay(Duration::from_secs(seconds));
        for path in [
            "/applications",
            "/servicePrincipals",
            "/oauth2PermissionGrants",
            "/addPassword",
        ] {
            tenant.inject(Fault::on(path).times(2).status_with_retry_after(429, "7"));
        }
        let mut sink = sink(&tenant);
        plan.apply(&mut sink).await.unwrap();
        // Right away, while most replicas are still behind.
        let again = everything().plan(&graph).await.unwrap();
        again.apply(&mut sink).await.unwrap();
        tenant.set_replication_delay(Duration::ZERO);
        let outcome = outcome(&graph, "Order Desk").await;
        assert_eq!(outcome, expected, "{seconds} s, seed {random_seed}");
        assert_eq!(sink.secrets().count(), 2, "{seconds} s, seed {random_seed}");
    }
}
