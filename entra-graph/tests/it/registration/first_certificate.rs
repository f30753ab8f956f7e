//! The first certificate, which replaces a whole list: runs at the same time lose none without saying so.

use std::time::Duration;

use entra_core::Clock as _;
use entra_graph::{
    Error, GraphClient, Key,
    registration::{AppRegistration, Applied, Certificate, MemorySink},
};
use entra_mock::FakeTenant;

use super::{ENOUGH, factory::Signer, graph_of, interrupted::killed, sink};

fn certificates() -> [Certificate; 2] {
    let first = Certificate::from_pem("first", Signer::first().certificate()).unwrap();
    let second = Certificate::from_pem("second", Signer::second().certificate()).unwrap();
    [first, second]
}

/// The names of the certificates that the application has.
async fn names(graph: &GraphClient, key: Key) -> Vec<String> {
    let read = graph.application(key).get().send().await.unwrap();
    let keys = read.key_credentials.unwrap_or_default();
    let names = keys.into_iter().filter_map(|key| key.display_name);
    names.collect()
}

/// Applies two blueprints at once, which differ in their certificate, under a replication delay.
async fn both(
    tenant: &FakeTenant,
    blueprint: &AppRegistration,
    seconds: u64,
) -> Vec<(&'static str, Result<Applied, Error>)> {
    let [first, second] = certificates();
    let graphs = (
        graph_of(tenant, ENOUGH).await,
        graph_of(tenant, ENOUGH).await,
    );
    tenant.set_replication_delay(Duration::from_secs(seconds));
    let run = async |graph: &GraphClient, certificate: Certificate| {
        let own = blueprint.clone().certificate(certificate);
        own.plan(graph).await?.apply(&mut sink(tenant)).await
    };
    let (one, other) = tokio::join!(run(&graphs.0, first), run(&graphs.1, second));
    vec![("first", one), ("second", other)]
}

/// Each certificate is listed, or its run says that it stopped; one run succeeds.
async fn check(
    graph: &GraphClient,
    key: Key,
    runs: Vec<(&str, Result<Applied, Error>)>,
    case: &str,
) {
    let listed = names(graph, key).await;
    let mut succeeded = 0;
    for (name, outcome) in runs {
        match outcome {
            Ok(_) => {
                succeeded += 1;
                assert!(
                    listed.iter().any(|one| one == name),
                    "{case}: the run with {name} succeeded, and there is {listed:?}"
                );
            }
            Err(error) => {
                let text = error.to_string();
                let is_said = text.contains("proof of possession")
                    || text.contains("another writer may be active");
                assert!(is_said, "{case}: {text}");
            }
        }
    }
    assert_eq!(succeeded, 1, "{case}: {listed:?}");
}

#[tokio::test]
async fn two_runs_with_different_first_certificates_of_a_new_registration() {
    for random_seed in 1..9 {
        for seconds in [0, 20, 60] {
            let tenant = FakeTenant::builder().random_seed(random_seed).start().await;
            let blueprint = AppRegistration::new("Order Desk");
            let runs = both(&tenant, &blueprint, seconds).await;
            tenant.set_replication_delay(Duration::ZERO);
            let graph = graph_of(&tenant, ENOUGH).await;
            let case = format!("seed {random_seed}, {seconds} s");
            check(&graph, Key::unique_name("order-desk"), runs, &case).await;
        }
    }
}

#[tokio::test]
async fn two_runs_with_different_first_certificates_of_an_old_registration() {
    for random_seed in 1..9 {
        for seconds in [0, 20, 60] {
            let tenant = FakeTenant::builder().random_seed(random_seed).start().await;
            let app = tenant.register_app("Portal made");
            tenant.clock().advance(Duration::from_secs(86_400));
            let blueprint = AppRegistration::new("Portal made").client_id(app.client_id());
            let runs = both(&tenant, &blueprint, seconds).await;
            tenant.set_replication_delay(Duration::ZERO);
            let graph = graph_of(&tenant, ENOUGH).await;
            let case = format!("seed {random_seed}, {seconds} s");
            check(&graph, Key::from(app.client_id()), runs, &case).await;
        }
    }
}

/// Applies the first certificate; the time that it took.
async fn took(tenant: &FakeTenant, blueprint: AppRegistration, sink: &mut MemorySink) -> Duration {
    let [first, _] = certificates();
    let graph = graph_of(tenant, ENOUGH).await;
    let start = tenant.clock().now();
    let plan = blueprint.certificate(first).plan(&graph).await.unwrap();
    plan.apply(sink).await.unwrap();
    (tenant.clock().now() - start).unsigned_abs()
}

#[tokio::test]
async fn a_first_certificate_is_waited_for_only_if_another_run_may_write_one() {
    let minute = Duration::from_secs(60);
    let tenant = FakeTenant::start().await;
    let new = AppRegistration::new("Order Desk");
    assert!(took(&tenant, new, &mut sink(&tenant)).await < minute);
    let old = tenant.register_app("Portal made");
    let mut adopted = AppRegistration::new("Portal made").client_id(old.client_id());
    tenant.clock().advance(Duration::from_secs(86_400));
    let alone = tenant.register_app("Of one writer");
    let of_one = AppRegistration::new("Of one writer")
        .client_id(alone.client_id())
        .sole_writer();
    assert!(took(&tenant, of_one, &mut sink(&tenant)).await < minute);
    assert!(took(&tenant, adopted.clone(), &mut sink(&tenant)).await >= 2 * minute);

    // Created just now, and not by this run.
    let recent = tenant.register_app("Made just now");
    adopted = AppRegistration::new("Made just now").client_id(recent.client_id());
    let graph = graph_of(&tenant, ENOUGH).await;
    let [first, _] = certificates();
    let plan = adopted
        .clone()
        .certificate(first)
        .plan(&graph)
        .await
        .unwrap();
    assert!(
        plan.to_string()
            .contains("= the registration was created a moment ago"),
        "{plan}"
    );
    assert!(took(&tenant, adopted, &mut sink(&tenant)).await >= 5 * minute);
}

/// The rights for the certificate are known to be missing although it has to wait.
#[tokio::test]
async fn a_certificate_that_waits_needs_its_rights_at_once() {
    let tenant = FakeTenant::start().await;
    let recent = tenant.register_app("Made just now");
    let graph = graph_of(&tenant, &["Directory.Read.All"]).await;
    let [first, _] = certificates();
    let blueprint = AppRegistration::new("Made just now")
        .client_id(recent.client_id())
        .certificate(first);
    let plan = blueprint.plan(&graph).await.unwrap();
    let missing = plan.missing_rights().iter();
    let operations: Vec<&str> = missing.map(|one| one.operation()).collect();
    assert_eq!(operations, ["application-update"], "{plan}");
}

/// One run is killed between the create and its first certificate, and two others complete it with different ones.
#[tokio::test]
async fn two_runs_that_complete_a_killed_one_lose_no_certificate_silently() {
    for random_seed in 1..4 {
        let tenant = FakeTenant::builder().random_seed(random_seed).start().await;
        let blueprint = AppRegistration::new("Order Desk");
        let is_created = |tenant: &FakeTenant| {
            let requests = tenant.requests().within("/v1.0/");
            requests.iter().any(|one| one.method == "PATCH")
        };
        let mut number = 0;
        while !is_created(&tenant) {
            let [first, _] = certificates();
            let run = async |graph: &GraphClient| {
                let own = blueprint.clone().certificate(first);
                let plan = own.plan(graph).await.unwrap();
                plan.apply(&mut sink(&tenant)).await.unwrap();
            };
            assert!(killed(&tenant, number, true, run).await);
            number += 1;
        }
        let runs = both(&tenant, &blueprint, 60).await;
        tenant.set_replication_delay(Duration::ZERO);
        let graph = graph_of(&tenant, ENOUGH).await;
        let case = format!("seed {random_seed}");
        check(&graph, Key::unique_name("order-desk"), runs, &case).await;
    }
}
