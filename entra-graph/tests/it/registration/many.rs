//! Several runs at the same time, and a sink that fails.

use std::time::Duration;

use entra_graph::{
    Key,
    registration::{AppRegistration, Lifetime, SecretSink},
};
use entra_mock::FakeTenant;

use super::{ENOUGH, admin, everything, graph_of, outcome, sink};

#[tokio::test]
async fn two_applies_at_once_make_one_registration_and_keep_every_secret() {
    let (tenant, one) = admin(ENOUGH).await;
    let other = graph_of(&tenant, ENOUGH).await;
    let blueprint = everything();
    let (mut first, mut second) = (sink(&tenant), sink(&tenant));
    let plans = (
        blueprint.plan(&one).await.unwrap(),
        blueprint.plan(&other).await.unwrap(),
    );
    let (a, b) = tokio::join!(plans.0.apply(&mut first), plans.1.apply(&mut second));
    assert_eq!(a.unwrap().client_id(), b.unwrap().client_id());
    let outcome = outcome(&one, "Order Desk").await;
    assert_eq!(
        outcome.secrets,
        ["production", "production", "staging", "staging"]
    );
    let read = one
        .application(Key::unique_name("order-desk"))
        .get()
        .send()
        .await
        .unwrap();
    let listed = read.password_credentials.unwrap();
    for (_, secret) in first.secrets().chain(second.secrets()) {
        let id = secret.id().to_string();
        assert!(listed.iter().any(|one| one.key_id.as_deref() == Some(&id)));
    }
}

/// Each run reads and writes at replicas that may not have what the other one wrote.
#[tokio::test]
async fn two_applies_at_once_keep_every_secret_under_replication_delay() {
    for random_seed in 1..5 {
        let tenant = FakeTenant::builder().random_seed(random_seed).start().await;
        let one = graph_of(&tenant, ENOUGH).await;
        let other = graph_of(&tenant, ENOUGH).await;
        let blueprint = AppRegistration::new("Order Desk")
            .web_redirect_uri("https://orders.contoso.com/auth/callback")
            .delegated(["openid", "profile"])
            .application(["User.Read.All"])
            .grant_admin_consent()
            .secret("production", Lifetime::months(6));
        let (mut first, mut second) = (sink(&tenant), sink(&tenant));
        let plans = (
            blueprint.plan(&one).await.unwrap(),
            blueprint.plan(&other).await.unwrap(),
        );
        tenant.set_replication_delay(Duration::from_secs(60));
        let (a, b) = tokio::join!(plans.0.apply(&mut first), plans.1.apply(&mut second));
        assert_eq!(a.unwrap().client_id(), b.unwrap().client_id());
        tenant.set_replication_delay(Duration::ZERO);
        let outcome = outcome(&one, "Order Desk").await;
        assert_eq!(
            outcome.secrets,
            ["production", "production"],
            "{random_seed}"
        );
        assert_eq!(outcome.principals, 1, "{random_seed}");
        assert_eq!((outcome.roles.len(), outcome.grants.len()), (1, 1));
    }
}

#[tokio::test]
async fn fifty_registrations_at_once_succeed_under_replication_delay() {
    let (tenant, graph) = admin(ENOUGH).await;
    tenant.set_replication_delay(Duration::from_secs(10));
    let mut runs = tokio::task::JoinSet::new();
    for number in 0..50 {
        let (graph, mut sink) = (graph.clone(), sink(&tenant));
        runs.spawn(async move {
            let blueprint = AppRegistration::new(format!("Desk {number}"))
                .application(["User.Read.All"])
                .grant_admin_consent()
                .secret("production", Lifetime::months(6));
            let plan = blueprint.plan(&graph).await.unwrap();
            let applied = plan.apply(&mut sink).await.unwrap();
            assert_eq!(sink.secrets().count(), 1);
            applied.client_id().to_owned()
        });
    }
    let ids: std::collections::HashSet<String> = runs.join_all().await.into_iter().collect();
    assert_eq!(ids.len(), 50);
    tenant.set_replication_delay(Duration::ZERO);
    assert_eq!(outcome(&graph, "Desk 49").await.secrets, ["production"]);
}

/// A sink that fails makes the new secret go away again.
#[derive(Debug)]
struct Broken;

#[async_trait::async_trait]
impl SecretSink for Broken {
    async fn store(
        &mut self,
        _: &entra_graph::registration::SecretSlot,
        _: &entra_graph::NewSecret,
    ) -> Result<(), entra_graph::registration::SinkError> {
        Err("the vault is sealed".into())
    }
}

#[tokio::test]
async fn a_secret_that_the_sink_cannot_store_is_removed() {
    let (_tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk").secret("production", Lifetime::months(6));
    let error = blueprint
        .plan(&graph)
        .await
        .unwrap()
        .apply(&mut Broken)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("the vault is sealed"), "{error}");
    assert_eq!(outcome(&graph, "Order Desk").await.secrets, [] as [&str; 0]);
}
