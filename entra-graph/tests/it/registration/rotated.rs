//! Rotation of secrets and certificates.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use entra_core::{ClientId, Clock, CredentialFactory, TokenRequest};
use entra_graph::registration::{AppRegistration, Certificate, Lifetime};
use entra_mock::FakeTenant;
use wiremock::{Mock, ResponseTemplate, matchers::path_regex};

use super::{
    ENOUGH, admin, apply,
    factory::{Factory, Signer, secret_of},
    outcome, sink,
};

#[tokio::test]
async fn a_client_sees_no_failure_through_ten_rotations() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk").secret("production", Lifetime::months(6));
    let mut sink = sink(&tenant);
    let applied = apply(&blueprint, &graph, &mut sink).await;
    let factory = Arc::new(Factory::of(&tenant));
    let current = Arc::new(std::sync::Mutex::new(secret_of(&sink)));
    // Until the first secret is everywhere.
    applied.verify(&*factory, &secret_of(&sink)).await.unwrap();
    tenant.set_replication_delay(Duration::from_secs(10));

    let (stop, signed_in) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let client = {
        let (stop, signed_in, current) = (
            Arc::clone(&stop),
            Arc::clone(&signed_in),
            Arc::clone(&current),
        );
        let (factory, clock, id) = (Arc::clone(&factory), tenant.clock(), tenant.id());
        let client_id: ClientId = applied.client_id().parse().unwrap();
        tokio::spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                let material = current.lock().unwrap().clone();
                let credential = factory.credential(&id, client_id, &material).unwrap();
                let token = credential.token(&TokenRequest::new(["x"])).await;
                assert!(
                    token.is_ok(),
                    "{:?} after {signed_in:?}",
                    token.unwrap_err()
                );
                signed_in.fetch_add(1, Ordering::SeqCst);
                clock.sleep(Duration::from_millis(50)).await;
                tokio::task::yield_now().await;
            }
        })
    };
    for _ in 0..10 {
        let rotated = blueprint
            .rotate(&graph, "production", &*factory, &mut sink)
            .await
            .unwrap();
        *current.lock().unwrap() = secret_of(&sink);
        let in_use = blueprint
            .retire(&graph, rotated.new, &mut sink)
            .await
            .unwrap_err();
        assert!(in_use.to_string().contains("is in use"), "{in_use}");
        let before = signed_in.load(Ordering::SeqCst);
        while signed_in.load(Ordering::SeqCst) < before + 3 {
            tokio::task::yield_now().await;
        }
        blueprint
            .retire(&graph, rotated.previous.unwrap(), &mut sink)
            .await
            .unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    client.await.unwrap();
    assert!(signed_in.load(Ordering::SeqCst) > 30);
    tenant.set_replication_delay(Duration::ZERO);
    assert_eq!(outcome(&graph, "Order Desk").await.secrets, ["production"]);
}

#[tokio::test]
async fn a_rotation_whose_secret_is_not_accepted_leaves_the_old_one() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk").secret("production", Lifetime::months(6));
    let mut sink = sink(&tenant);
    apply(&blueprint, &graph, &mut sink).await;
    // Sign-in of another cloud rejects every application.
    let other = FakeTenant::builder().random_seed(9).start().await;
    let factory = Factory::of(&other);
    let error = blueprint
        .rotate(&graph, "production", &factory, &mut sink)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), entra_graph::ErrorKind::Credential, "{error}");
    assert_eq!(outcome(&graph, "Order Desk").await.secrets, ["production"]);
    assert_eq!(sink.secrets().count(), 1);
}

#[tokio::test]
async fn a_further_certificate_is_added_with_proof_of_possession() {
    let (tenant, graph) = admin(ENOUGH).await;
    let first = include_str!("../../../../entra-mock/src/keys/client.test-cert.pem");
    let second = include_str!("../../../../entra-mock/src/keys/signing-1.test-cert.pem");
    let one = Certificate::from_pem("first", first).unwrap();
    let other = Certificate::from_pem("second", second).unwrap();
    let blueprint = AppRegistration::new("Order Desk").certificate(one);
    let mut sink = sink(&tenant);
    apply(&blueprint, &graph, &mut sink).await;
    let both = blueprint.certificate(other);
    let plan = both.plan(&graph).await.unwrap();
    assert!(
        plan.to_string().contains("needs proof of possession"),
        "{plan}"
    );
    let plan = plan.prove_with(Arc::new(Signer::first())).await.unwrap();
    plan.apply(&mut sink).await.unwrap();
    assert_eq!(
        outcome(&graph, "Order Desk").await.application["keyCredentials"],
        2
    );
    assert!(both.plan(&graph).await.unwrap().is_empty());
}

/// Rejects the next two calls of an action as Graph does if writes on one object overtake each other.
async fn conflicts(tenant: &FakeTenant, action: &str) {
    let body = serde_json::json!({
        "error": {"code": "Directory_ConcurrencyViolation", "message": "Update conflict occurred."}
    });
    let rejected = ResponseTemplate::new(409).set_body_json(body);
    let mock = Mock::given(path_regex(format!("/{action}$"))).respond_with(rejected);
    tenant.mount(mock.up_to_n_times(2)).await;
}

#[tokio::test]
async fn rotation_waits_out_lag_and_leaves_no_secret_behind() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk").secret("production", Lifetime::months(6));
    let mut sink = sink(&tenant);
    let factory = Factory::of(&tenant);
    let plan = blueprint.plan(&graph).await.unwrap();
    plan.apply(&mut sink).await.unwrap();
    tenant.set_replication_delay(Duration::from_secs(60));
    for round in 0..3 {
        conflicts(&tenant, "addPassword").await;
        conflicts(&tenant, "removePassword").await;
        let rotated = blueprint
            .rotate(&graph, "production", &factory, &mut sink)
            .await
            .unwrap();
        let previous = rotated.previous.unwrap();
        blueprint.retire(&graph, previous, &mut sink).await.unwrap();
        // A second time it does not exist, which is not an error.
        blueprint.retire(&graph, previous, &mut sink).await.unwrap();
        assert_ne!(rotated.new, previous, "round {round}");
    }
    tenant.set_replication_delay(Duration::ZERO);
    assert_eq!(outcome(&graph, "Order Desk").await.secrets, ["production"]);
}

#[tokio::test]
async fn a_registration_of_a_moment_ago_is_rotated_although_replicas_do_not_know_it() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk").secret("production", Lifetime::months(6));
    let mut sink = sink(&tenant);
    let factory = Factory::of(&tenant);
    let plan = blueprint.plan(&graph).await.unwrap();
    tenant.set_replication_delay(Duration::from_secs(60));
    plan.apply(&mut sink).await.unwrap();
    let rotated = blueprint
        .rotate(&graph, "production", &factory, &mut sink)
        .await
        .unwrap();
    let previous = rotated.previous.unwrap();
    blueprint.retire(&graph, previous, &mut sink).await.unwrap();
    tenant.set_replication_delay(Duration::ZERO);
    assert_eq!(outcome(&graph, "Order Desk").await.secrets, ["production"]);
    // Without a write of a moment ago nothing is waited for.
    let before = tenant.clock().now();
    let absent = AppRegistration::new("Absent").secret("production", Lifetime::months(6));
    absent
        .rotate(&graph, "production", &factory, &mut sink)
        .await
        .unwrap_err();
    assert_eq!(tenant.clock().now(), before);
}

/// A registration with the first certificate.
async fn with_certificate(
    graph: &entra_graph::GraphClient,
    tenant: &FakeTenant,
) -> AppRegistration {
    let first = Certificate::from_pem("first", Signer::first().certificate()).unwrap();
    let blueprint = AppRegistration::new("Order Desk").certificate(first);
    let plan = blueprint.plan(graph).await.unwrap();
    plan.apply(&mut sink(tenant)).await.unwrap();
    blueprint
}

#[tokio::test]
async fn a_certificate_is_replaced_with_overlap_under_replication_delay() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = with_certificate(&graph, &tenant).await;
    tenant.set_replication_delay(Duration::from_secs(30));
    let new = Certificate::from_pem("second", Signer::second().certificate()).unwrap();
    let (first, second) = (Signer::first(), Signer::second());
    let factory = Factory::of(&tenant);
    conflicts(&tenant, "addKey").await;
    conflicts(&tenant, "removeKey").await;
    let rotated = blueprint
        .rotate_certificate(&graph, &new, &first, &factory, &second.material())
        .await
        .unwrap();
    assert!(rotated.expires.is_some());
    let previous = rotated.previous.unwrap();
    // Interrupted after the add and run again, it adds no second one.
    let again = blueprint
        .rotate_certificate(&graph, &new, &first, &factory, &second.material())
        .await
        .unwrap();
    assert_eq!(again.new, rotated.new);
    assert_eq!(
        outcome(&graph, "Order Desk").await.application["keyCredentials"],
        2
    );
    let in_use = blueprint
        .retire_certificate(&graph, previous, &first)
        .await
        .unwrap_err();
    assert!(in_use.to_string().contains("is in use"), "{in_use}");
    for _ in 0..2 {
        blueprint
            .retire_certificate(&graph, previous, &second)
            .await
            .unwrap();
    }
    tenant.set_replication_delay(Duration::ZERO);
    assert_eq!(
        outcome(&graph, "Order Desk").await.application["keyCredentials"],
        1
    );
    let lists_new = AppRegistration::new("Order Desk").certificate(new);
    assert!(lists_new.plan(&graph).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_new_certificate_that_is_not_accepted_is_removed_again() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = with_certificate(&graph, &tenant).await;
    let new = Certificate::from_pem("second", Signer::second().certificate()).unwrap();
    let other = FakeTenant::builder().random_seed(9).start().await;
    let error = blueprint
        .rotate_certificate(
            &graph,
            &new,
            &Signer::first(),
            &Factory::of(&other),
            &Signer::second().material(),
        )
        .await
        .unwrap_err();
    assert_eq!(error.kind(), entra_graph::ErrorKind::Credential, "{error}");
    assert_eq!(
        outcome(&graph, "Order Desk").await.application["keyCredentials"],
        1
    );
    // A key that the registration does not have proves nothing.
    blueprint
        .rotate_certificate(
            &graph,
            &new,
            &Signer::second(),
            &Factory::of(&tenant),
            &Signer::second().material(),
        )
        .await
        .unwrap_err();
}
