//! Rotations that fail or are killed.

use std::{path::PathBuf, sync::Arc, time::Duration};

use entra_graph::{
    Application, Error, GraphClient, Key, NewSecret,
    registration::{
        AppRegistration, Certificate, EnvFile, Lifetime, MemorySink, Reference, Rotated,
        SecretFile, SecretSink, SecretSlot, SinkEntry, SinkError,
    },
};
use entra_mock::{FakeTenant, Fault};
use wiremock::{Mock, ResponseTemplate, matchers::path_regex};

use super::{
    ENOUGH, admin, apply,
    factory::{Factory, Signer},
    graph_of,
    interrupted::killed,
    outcome, sink,
};

fn blueprint() -> AppRegistration {
    AppRegistration::new("Order Desk").secret("production", Lifetime::months(6))
}

/// Sign-in of another cloud rejects every application.
async fn rejecting() -> (FakeTenant, Factory) {
    let other = FakeTenant::builder().random_seed(9).start().await;
    let factory = Factory::of(&other);
    (other, factory)
}

async fn rotate(
    graph: &GraphClient,
    factory: &Factory,
    sink: &mut dyn SecretSink,
) -> Result<Rotated, Error> {
    let blueprint = blueprint();
    blueprint.rotate(graph, "production", factory, sink).await
}

fn path(tenant: &FakeTenant, name: &str) -> PathBuf {
    let name = format!(
        "entra-rotation-{}-{}-{name}",
        std::process::id(),
        tenant.id()
    );
    std::env::temp_dir().join(name)
}

/// Checks that the sink still holds the secret with this id and nothing is left to add or remove.
async fn is_as_before(graph: &GraphClient, sink: &mut dyn SecretSink) {
    let object = graph.application(Key::unique_name("order-desk")).get();
    let object = object.select(Application::PASSWORD_CREDENTIALS);
    let secrets = object.send().await.unwrap().password_credentials.unwrap();
    assert_eq!(secrets.len(), 1);
    let plan = blueprint().plan_with(graph, sink).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
    let id = secrets[0].key_id.as_deref().unwrap().parse().unwrap();
    let error = blueprint().retire(graph, id, sink).await.unwrap_err();
    assert!(error.to_string().contains("is in use"), "{error}");
}

#[tokio::test]
async fn a_rejected_rotation_leaves_every_sink_as_it_was() {
    let (_other, factory) = rejecting().await;
    let run = async |tenant: &FakeTenant, graph: &GraphClient, sink: &mut dyn SecretSink| {
        apply(&blueprint(), graph, sink).await;
        let error = rotate(graph, &factory, sink).await.unwrap_err();
        assert_eq!(error.kind(), entra_graph::ErrorKind::Credential, "{error}");
        is_as_before(graph, sink).await;
        let rotated = rotate(graph, &Factory::of(tenant), sink).await;
        assert!(rotated.unwrap().previous.is_some());
    };
    let (tenant, graph) = admin(ENOUGH).await;
    run(&tenant, &graph, &mut sink(&tenant)).await;
    let (tenant, graph) = admin(ENOUGH).await;
    let file = path(&tenant, "secrets.json");
    run(
        &tenant,
        &graph,
        &mut SecretFile::new(&file).clock(tenant.clock()),
    )
    .await;
    std::fs::remove_file(&file).unwrap();
    let (tenant, graph) = admin(ENOUGH).await;
    let file = path(&tenant, ".env");
    run(
        &tenant,
        &graph,
        &mut EnvFile::new(&file).clock(tenant.clock()),
    )
    .await;
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test]
async fn a_file_has_the_value_in_use_throughout_a_rotation() {
    let (tenant, graph) = admin(ENOUGH).await;
    let file = path(&tenant, "in-use.json");
    let mut json = SecretFile::new(&file).clock(tenant.clock());
    apply(&blueprint(), &graph, &mut json).await;
    let value = || {
        let content = std::fs::read_to_string(&file).unwrap();
        let content: serde_json::Value = serde_json::from_str(&content).unwrap();
        content["secrets"][0]["value"].as_str().map(str::to_owned)
    };
    let before = value().unwrap();
    let (_other, factory) = rejecting().await;
    // Before, while and after the new secret is tried.
    let mut number = 0;
    loop {
        let run = async |graph: &GraphClient| {
            let mut json = SecretFile::new(&file).clock(tenant.clock());
            let rotated = rotate(graph, &factory, &mut json).await;
            rotated.unwrap_err();
        };
        let reached = killed(&tenant, number, true, run).await;
        assert_eq!(
            value().as_ref(),
            Some(&before),
            "killed at request {number}"
        );
        if !reached {
            break;
        }
        number += 1;
    }
    assert!(number > 2);
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test]
async fn a_rotation_killed_at_any_request_is_completed_by_another_process() {
    for apply_next in [true, false] {
        let mut number = 0;
        loop {
            let (tenant, graph) = admin(ENOUGH).await;
            let path = path(&tenant, "killed.env");
            let file = || EnvFile::new(&path).clock(tenant.clock());
            apply(&blueprint(), &graph, &mut file()).await;
            let run = async |graph: &GraphClient| {
                let (factory, mut file) = (Factory::of(&tenant), file());
                let rotated = rotate(graph, &factory, &mut file).await;
                rotated.unwrap();
            };
            let reached = killed(&tenant, number, true, run).await;
            let case = format!("killed at request {number}, then apply: {apply_next}");
            let graph = graph_of(&tenant, ENOUGH).await;
            if reached && apply_next {
                apply(&blueprint(), &graph, &mut file()).await;
                is_as_before(&graph, &mut file()).await;
            } else if reached {
                let (factory, mut file) = (Factory::of(&tenant), file());
                let rotated = rotate(&graph, &factory, &mut file).await;
                let previous = rotated.unwrap().previous.expect(&case);
                let secrets = outcome(&graph, "Order Desk").await.secrets;
                assert_eq!(secrets, ["production", "production"], "{case}");
                let blueprint = blueprint();
                let retired = blueprint.retire(&graph, previous, &mut file);
                retired.await.unwrap();
                is_as_before(&graph, &mut file).await;
            }
            std::fs::remove_file(&path).unwrap();
            if !reached {
                break;
            }
            number += 1;
        }
        assert!(number > 2);
    }
}

#[tokio::test]
async fn a_plan_with_a_sink_lists_the_secrets_whose_values_it_lacks() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = blueprint().secret("second job", Lifetime::months(6));
    let mut sink = sink(&tenant);
    let plan = blueprint.plan_with(&graph, &mut sink).await.unwrap();
    plan.apply(&mut sink).await.unwrap();
    assert!(blueprint.plan(&graph).await.unwrap().is_empty());
    let plan = blueprint.plan_with(&graph, &mut sink).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
    let mut empty = MemorySink::new().clock(tenant.clock());
    let plan = blueprint.plan_with(&graph, &mut empty).await.unwrap();
    assert_eq!(plan.changes().count(), 2, "{plan}");
    assert_eq!(plan.kept().count(), 2, "{plan}");
    let applied = plan.apply(&mut empty).await.unwrap();
    assert_eq!(applied.secrets().len(), 2);
    assert_eq!(outcome(&graph, "Order Desk").await.secrets.len(), 4);
}

#[tokio::test]
async fn a_further_certificate_is_added_once_although_runs_are_killed_or_late() {
    let first = Certificate::from_pem("first", Signer::first().certificate()).unwrap();
    let second = Certificate::from_pem("second", Signer::second().certificate()).unwrap();
    let one = AppRegistration::new("Order Desk").certificate(first);
    let both = one.clone().certificate(second.clone());
    let add = async |graph: &GraphClient, sink: &mut dyn SecretSink| {
        let plan = both.plan(graph).await.unwrap();
        let plan = plan.prove_with(Arc::new(Signer::first())).await.unwrap();
        plan.apply(sink).await.unwrap();
    };
    let mut number = 0;
    let mut reached = true;
    while reached {
        let (tenant, graph) = admin(ENOUGH).await;
        let mut sink = sink(&tenant);
        apply(&one, &graph, &mut sink).await;
        let run = async |graph: &GraphClient| add(graph, &mut sink).await;
        reached = killed(&tenant, number, true, run).await;
        tenant.set_replication_delay(Duration::from_secs(30));
        let graph = graph_of(&tenant, ENOUGH).await;
        add(&graph, &mut sink).await;
        tenant.set_replication_delay(Duration::ZERO);
        let keys = &outcome(&graph, "Order Desk").await.application["keyCredentials"];
        assert_eq!(*keys, 2, "killed at request {number}");
        number += 1;
    }
    assert!(number > 2);
}

#[tokio::test]
async fn a_certificate_is_rotated_once_although_runs_are_killed_under_delay() {
    let first = Certificate::from_pem("first", Signer::first().certificate()).unwrap();
    let second = Certificate::from_pem("second", Signer::second().certificate()).unwrap();
    let blueprint = AppRegistration::new("Order Desk").certificate(first);
    let mut number = 0;
    let mut reached = true;
    while reached {
        let (tenant, graph) = admin(ENOUGH).await;
        apply(&blueprint, &graph, &mut sink(&tenant)).await;
        tenant.clock().advance(Duration::from_secs(3600));
        let graph = graph_of(&tenant, ENOUGH).await;
        let factory = Factory::of(&tenant);
        let rotate = async |graph: &GraphClient| {
            let (present, new) = (Signer::first(), Signer::second());
            let material = new.material();
            let rotated =
                blueprint.rotate_certificate(graph, &second, &present, &factory, &material);
            rotated.await.unwrap()
        };
        let run = async |graph: &GraphClient| {
            tenant.set_replication_delay(Duration::from_secs(30));
            rotate(graph).await;
        };
        reached = killed(&tenant, number, true, run).await;
        let rotated = rotate(&graph).await;
        let case = format!("killed at request {number}");
        let previous = rotated.previous.expect(&case);
        assert_ne!(previous, rotated.new, "{case}");
        blueprint
            .retire_certificate(&graph, previous, &Signer::second())
            .await
            .unwrap();
        tenant.set_replication_delay(Duration::ZERO);
        let keys = &outcome(&graph, "Order Desk").await.application["keyCredentials"];
        assert_eq!(*keys, 1, "{case}");
        number += 1;
    }
    assert!(number > 8, "{number}");
}

#[tokio::test]
async fn a_secret_that_graph_rejects_leaves_no_reservation() {
    let (tenant, graph) = admin(ENOUGH).await;
    let mut sink = sink(&tenant);
    apply(&blueprint(), &graph, &mut sink).await;
    tenant.clock().advance(Duration::from_secs(3600));
    let graph = graph_of(&tenant, ENOUGH).await;
    let body = serde_json::json!({"error": {"code": "Request_BadRequest", "message": "Rejected."}});
    let rejected = ResponseTemplate::new(400).set_body_json(body);
    let mock = Mock::given(path_regex("/addPassword$")).respond_with(rejected);
    tenant.mount(mock.up_to_n_times(1)).await;
    let factory = Factory::of(&tenant);
    rotate(&graph, &factory, &mut sink).await.unwrap_err();
    is_as_before(&graph, &mut sink).await;
}

/// Programs read the old value until the rotation stores the new one.
#[tokio::test]
async fn the_secret_in_use_is_not_retired_during_a_rotation() {
    let (tenant, graph) = admin(ENOUGH).await;
    let mut sink = sink(&tenant);
    let applied = apply(&blueprint(), &graph, &mut sink).await;
    let run = async |graph: &GraphClient| {
        let factory = Factory::of(&tenant);
        rotate(graph, &factory, &mut sink).await.unwrap();
    };
    // The second request is after the look-up, so the new secret is reserved.
    assert!(killed(&tenant, 1, true, run).await);
    let old = applied.secrets()[0].id;
    let error = blueprint()
        .retire(&graph, old, &mut sink)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("is in use"), "{error}");
    assert_eq!(outcome(&graph, "Order Desk").await.secrets.len(), 1);
}

/// A sink that remembers what it holds and cannot store anything more.
#[derive(Debug)]
struct Sealed(MemorySink);

#[async_trait::async_trait]
impl SecretSink for Sealed {
    async fn lookup(&mut self, slot: &SecretSlot) -> Result<SinkEntry, SinkError> {
        self.0.lookup(slot).await
    }

    async fn reserve(&mut self, slot: &SecretSlot, reference: Reference) -> Result<(), SinkError> {
        self.0.reserve(slot, reference).await
    }

    async fn release(&mut self, slot: &SecretSlot) -> Result<(), SinkError> {
        self.0.release(slot).await
    }

    async fn store(&mut self, _: &SecretSlot, _: &NewSecret) -> Result<(), SinkError> {
        Err("the vault is sealed".into())
    }
}

/// What fails before the new secret is added leaves no reservation, which a later run would wait for.
#[tokio::test]
async fn a_rotation_that_cannot_read_the_policy_reserves_nothing() {
    let (tenant, graph) = admin(&[ENOUGH, &["Policy.Read.All"]].concat()).await;
    let mut sink = sink(&tenant);
    apply(&blueprint(), &graph, &mut sink).await;
    tenant.inject(Fault::on("/policies/").garbage_body());
    let factory = Factory::of(&tenant);
    rotate(&graph, &factory, &mut sink).await.unwrap_err();
    tenant.clear_faults();
    is_as_before(&graph, &mut sink).await;
}

#[tokio::test]
async fn a_secret_that_cannot_be_stored_leaves_no_reservation() {
    let (tenant, graph) = admin(ENOUGH).await;
    let mut sealed = Sealed(sink(&tenant));
    let plan = blueprint().plan(&graph).await.unwrap();
    let error = plan.apply(&mut sealed).await.unwrap_err();
    assert!(error.to_string().contains("the vault is sealed"), "{error}");
    let Sealed(mut sink) = sealed;
    // The next run adds it at once: it has nothing to wait for.
    let plan = blueprint().plan_with(&graph, &mut sink).await.unwrap();
    assert!(
        plan.to_string().contains("+ secret \"production\""),
        "{plan}"
    );
    plan.apply(&mut sink).await.unwrap();
    let mut sealed = Sealed(sink);
    let error = rotate(&graph, &Factory::of(&tenant), &mut sealed).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("the vault is sealed"), "{error}");
    is_as_before(&graph, &mut sealed).await;
}

/// The new secret cannot be removed after a failed rotation: the next apply removes it, and adds none.
#[tokio::test]
async fn a_failed_rotation_that_cannot_clean_up_is_cleaned_up_by_the_next_apply() {
    let (_other, rejecting) = rejecting().await;
    let (tenant, graph) = admin(ENOUGH).await;
    let mut sink = sink(&tenant);
    apply(&blueprint(), &graph, &mut sink).await;
    tenant.inject(Fault::on("/removePassword").status(403));
    rotate(&graph, &rejecting, &mut sink).await.unwrap_err();
    tenant.clear_faults();
    let secrets = outcome(&graph, "Order Desk").await.secrets;
    assert_eq!(secrets, ["production", "production"]);
    let applied = apply(&blueprint(), &graph, &mut sink).await;
    assert!(applied.secrets().is_empty(), "{applied}");
    is_as_before(&graph, &mut sink).await;
}

/// The first attempt to remove a secret fails, and the second reaches a replica that does not know the secret yet.
async fn removes_late(tenant: &FakeTenant) {
    let unknown = serde_json::json!({
        "error": {"code": "Request_BadRequest", "message": "No credentials found to be removed."},
    });
    for response in [
        ResponseTemplate::new(503),
        ResponseTemplate::new(400).set_body_json(unknown),
    ] {
        let mock = Mock::given(path_regex("/removePassword$")).respond_with(response);
        tenant.mount(mock.up_to_n_times(1)).await;
    }
}

#[tokio::test]
async fn a_secret_without_use_is_removed_although_a_replica_does_not_know_it_yet() {
    let (_other, rejecting) = rejecting().await;
    let (tenant, graph) = admin(ENOUGH).await;
    let mut sealed = Sealed(sink(&tenant));
    removes_late(&tenant).await;
    let plan = blueprint().plan(&graph).await.unwrap();
    plan.apply(&mut sealed).await.unwrap_err();
    assert!(outcome(&graph, "Order Desk").await.secrets.is_empty());
    let Sealed(mut sink) = sealed;
    let plan = blueprint().plan_with(&graph, &mut sink).await.unwrap();
    plan.apply(&mut sink).await.unwrap();

    removes_late(&tenant).await;
    rotate(&graph, &rejecting, &mut sink).await.unwrap_err();
    is_as_before(&graph, &mut sink).await;
}
