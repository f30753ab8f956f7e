//! A run that is killed right after a write that the replicas of the next run do not show yet.
//!
//! The client of the next run is made before: a change by the test itself is everywhere at once.

use std::{sync::Arc, time::Duration};

use entra_graph::{
    Application, ApplicationTemplate, GraphClient, Key,
    registration::{AppRegistration, Certificate, EnvFile, Lifetime},
};
use entra_mock::FakeTenant;

use super::{
    ENOUGH, apply,
    factory::{Factory, Signer},
    graph_of,
    interrupted::killed,
    outcome, sink, writes,
};

const MINUTE: Duration = Duration::from_secs(60);

/// How many writes there were whose method and path end so.
fn count(tenant: &FakeTenant, end: &str) -> usize {
    let writes = writes(tenant).into_iter();
    writes.filter(|one| one.ends_with(end)).count()
}

/// Kills runs, each one request later than the one before, until the write whose path ends so was processed.
async fn killed_after(tenant: &FakeTenant, end: &str, run: impl AsyncFn(&GraphClient)) {
    tenant.forget_requests();
    let mut number = 0;
    while count(tenant, end) == 0 {
        let one = async |graph: &GraphClient| run(graph).await;
        let reached = killed(tenant, number, true, one).await;
        assert!(reached, "no run sends {end}");
        number += 1;
    }
}

#[tokio::test]
async fn a_certificate_that_a_killed_run_added_is_there_once() {
    let first = Certificate::from_pem("first", Signer::first().certificate()).unwrap();
    let second = Certificate::from_pem("second", Signer::second().certificate()).unwrap();
    let one = AppRegistration::new("Order Desk").certificate(first);
    let both = one.clone().certificate(second);
    let add = async |tenant: &FakeTenant, graph: &GraphClient| {
        let plan = both.plan(graph).await.unwrap();
        let plan = plan.prove_with(Arc::new(Signer::first())).await.unwrap();
        plan.apply(&mut sink(tenant)).await.unwrap();
    };
    for (days, random_seed) in [(0_u32, 1), (0, 2), (1, 3), (1, 4)] {
        let case = format!("{days} days, seed {random_seed}");
        let tenant = FakeTenant::builder().random_seed(random_seed).start().await;
        let graph = graph_of(&tenant, ENOUGH).await;
        apply(&one, &graph, &mut sink(&tenant)).await;
        tenant.clock().advance(MINUTE * (days * 24 * 60));
        let next = graph_of(&tenant, ENOUGH).await;
        tenant.set_replication_delay(MINUTE);
        let run = async |graph: &GraphClient| add(&tenant, graph).await;
        killed_after(&tenant, "/addKey", run).await;
        add(&tenant, &next).await;
        if days > 0 {
            // Nothing says that the registration was changed a moment ago.
            assert_eq!(count(&tenant, "/addKey"), 2, "{case}");
        }
        tenant.set_replication_delay(Duration::ZERO);
        let keys = &outcome(&next, "Order Desk").await.application["keyCredentials"];
        assert_eq!(*keys, 2, "{case}");
        assert!(both.plan(&next).await.unwrap().is_empty(), "{case}");
    }
}

/// It is sent with the whole list, so that of a killed run is replaced and not doubled.
#[tokio::test]
async fn a_first_certificate_of_a_killed_run_is_there_once() {
    let first = Certificate::from_pem("first", Signer::first().certificate()).unwrap();
    for random_seed in 1..4 {
        let tenant = FakeTenant::builder().random_seed(random_seed).start().await;
        let app = tenant.register_app("Portal made");
        tenant.clock().advance(MINUTE * (24 * 60));
        let next = graph_of(&tenant, ENOUGH).await;
        let blueprint = AppRegistration::new("Portal made")
            .client_id(app.client_id())
            .certificate(first.clone())
            .sole_writer();
        let object = next.application(Key::from(app.client_id())).get();
        let object = object.send().await.unwrap().id;
        tenant.set_replication_delay(MINUTE);
        let run = async |graph: &GraphClient| {
            apply(&blueprint, graph, &mut sink(&tenant)).await;
        };
        killed_after(&tenant, &object, run).await;
        apply(&blueprint, &next, &mut sink(&tenant)).await;
        tenant.set_replication_delay(Duration::ZERO);
        let keys = &outcome(&next, "Portal made").await.application["keyCredentials"];
        assert_eq!(*keys, 1, "seed {random_seed}");
    }
}

/// Without a key that proves possession, a copy is only named.
#[tokio::test]
async fn a_copy_of_a_certificate_is_named_and_removed_with_a_proof_only() {
    let tenant = FakeTenant::start().await;
    let graph = graph_of(&tenant, ENOUGH).await;
    let first = Certificate::from_pem("first", Signer::first().certificate()).unwrap();
    let blueprint = AppRegistration::new("Order Desk").certificate(first);
    let applied = apply(&blueprint, &graph, &mut sink(&tenant)).await;
    let object = graph.application(applied.object_id());
    let add = async |name: &str| {
        let copy = entra_graph::NewCertificate::from_pem(Signer::first().certificate()).unwrap();
        let signer = Signer::first();
        object
            .add_key(copy.named(name), &signer)
            .send()
            .await
            .unwrap();
    };
    add("first").await;
    let plan = blueprint.plan(&graph).await.unwrap();
    let text = plan.to_string();
    assert!(
        text.contains("= a copy of the certificate \"first\""),
        "{text}"
    );
    assert!(plan.is_empty(), "{text}");
    let plan = plan.prove_with(Arc::new(Signer::first())).await.unwrap();
    let text = plan.to_string();
    assert!(text.contains("- certificate \"first\" with id"), "{text}");
    plan.apply(&mut sink(&tenant)).await.unwrap();
    let keys = outcome(&graph, "Order Desk").await.application["keyCredentials"].clone();
    assert_eq!(keys, 1);
    // The same certificate under a name of its own was not added from the blueprint.
    add("of the portal").await;
    let plan = blueprint.plan(&graph).await.unwrap();
    let plan = plan.prove_with(Arc::new(Signer::first())).await.unwrap();
    let text = plan.to_string();
    assert!(text.contains("- certificate \"first\" with id"), "{text}");
    assert!(!text.contains("of the portal"), "{text}");
}

/// The file says that a secret may come, added by an apply or by a rotation.
#[tokio::test]
async fn a_secret_that_a_killed_run_added_is_removed_once_it_shows() {
    let bare = AppRegistration::new("Order Desk");
    let blueprint = bare.clone().secret("production", Lifetime::months(6));
    for (rotates, random_seed) in [(false, 1), (false, 2), (true, 3), (true, 4)] {
        let tenant = FakeTenant::builder().random_seed(random_seed).start().await;
        let graph = graph_of(&tenant, ENOUGH).await;
        let name = format!("entra-late-{}-{}.env", std::process::id(), tenant.id());
        let path = std::env::temp_dir().join(name);
        let file = || EnvFile::new(&path).clock(tenant.clock());
        let before = if rotates { &blueprint } else { &bare };
        apply(before, &graph, &mut file()).await;
        tenant.clock().advance(MINUTE * (24 * 60));
        let next = graph_of(&tenant, ENOUGH).await;
        tenant.set_replication_delay(MINUTE);
        let factory = Factory::of(&tenant);
        let run = async |graph: &GraphClient| {
            let mut file = file();
            if rotates {
                let rotated = blueprint.rotate(graph, "production", &factory, &mut file);
                rotated.await.unwrap();
            } else {
                apply(&blueprint, graph, &mut file).await;
            }
        };
        killed_after(&tenant, "/addPassword", run).await;
        let applied = apply(&blueprint, &next, &mut file()).await;
        let added = usize::from(!rotates);
        assert_eq!(applied.secrets().len(), added, "seed {random_seed}");
        tenant.set_replication_delay(Duration::ZERO);
        let secrets = outcome(&next, "Order Desk").await.secrets;
        assert_eq!(secrets, ["production"], "seed {random_seed}");
        let plan = blueprint.plan_with(&next, &mut file()).await.unwrap();
        assert!(plan.is_empty(), "{plan}");
        std::fs::remove_file(&path).unwrap();
    }
}

#[tokio::test]
async fn a_template_that_a_killed_run_instantiated_is_there_once() {
    let blueprint = AppRegistration::new("Expense Desk")
        .gallery_template(ApplicationTemplate::NOT_IN_GALLERY)
        .assignment_required(false)
        .secret("provisioning", Lifetime::months(6));
    for random_seed in 1..5 {
        let tenant = FakeTenant::builder().random_seed(random_seed).start().await;
        let next = graph_of(&tenant, ENOUGH).await;
        tenant.set_replication_delay(MINUTE);
        let run = async |graph: &GraphClient| {
            apply(&blueprint, graph, &mut sink(&tenant)).await;
        };
        killed_after(&tenant, "/instantiate", run).await;
        let applied = apply(&blueprint, &next, &mut sink(&tenant)).await;
        assert_eq!(count(&tenant, "/instantiate"), 2, "seed {random_seed}");
        tenant.set_replication_delay(Duration::ZERO);
        let outcome = outcome(&next, "Expense Desk").await;
        let numbers = (outcome.principals, outcome.secrets.len());
        assert_eq!(numbers, (1, 1), "seed {random_seed}");
        // Nor is there one with the name that it has until it is marked.
        let all: Vec<Application> = next
            .applications()
            .list()
            .items()
            .try_collect()
            .await
            .unwrap();
        let named = all.iter().filter(|one| {
            let name = one.display_name.as_deref();
            name.is_some_and(|name| name.starts_with("Expense Desk"))
        });
        let ids: Vec<&str> = named.map(|one| one.id.as_str()).collect();
        assert_eq!(ids, [applied.object_id()], "seed {random_seed}");
        assert!(blueprint.plan(&next).await.unwrap().is_empty());
    }
}

/// What was removed already is not an error, also where Graph says so with 400.
#[tokio::test]
async fn an_owner_that_a_killed_run_removed_is_not_an_error() {
    let tenant = FakeTenant::start().await;
    let graph = graph_of(&tenant, ENOUGH).await;
    let one = AppRegistration::new("Order Desk").owner("adele@contoso.com");
    let two = one.clone().owner("bruno@contoso.com");
    apply(&two, &graph, &mut sink(&tenant)).await;
    tenant.clock().advance(MINUTE * (24 * 60));
    let next = graph_of(&tenant, ENOUGH).await;
    tenant.set_replication_delay(MINUTE);
    let less = one.remove_unlisted();
    let run = async |graph: &GraphClient| {
        apply(&less, graph, &mut sink(&tenant)).await;
    };
    killed_after(&tenant, "/$ref", run).await;
    apply(&less, &next, &mut sink(&tenant)).await;
    assert_eq!(count(&tenant, "/$ref"), 2);
    tenant.set_replication_delay(Duration::ZERO);
    assert!(less.plan(&next).await.unwrap().is_empty());
    assert_eq!(outcome(&next, "Order Desk").await.owners, 1);
}
