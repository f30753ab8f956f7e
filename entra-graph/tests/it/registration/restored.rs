//! Registrations among the deleted items: restored or deleted for good.

use std::time::Duration;

use entra_graph::{
    GraphClient, Key,
    registration::{AppRegistration, DeletedChoice, EnvFile},
};
use entra_mock::FakeTenant;

use super::{
    ENOUGH, admin, apply, everything, graph_of, interrupted::killed, outcome, sink, writes,
};

async fn delete(graph: &GraphClient) {
    let key = Key::unique_name("order-desk");
    graph.application(key).delete().send().await.unwrap();
}

/// A tenant whose registration was deleted a day ago, as it was before.
async fn deleted(blueprint: &AppRegistration) -> (FakeTenant, GraphClient, super::MemorySink) {
    let (tenant, graph) = admin(ENOUGH).await;
    let mut sink = sink(&tenant);
    apply(blueprint, &graph, &mut sink).await;
    delete(&graph).await;
    tenant.clock().advance(Duration::from_secs(86_400));
    let graph = graph_of(&tenant, ENOUGH).await;
    (tenant, graph, sink)
}

#[tokio::test]
async fn rights_that_are_missing_after_a_restore_are_named_before_it() {
    let (tenant, _, mut sink) = deleted(&everything()).await;
    let graph = graph_of(
        &tenant,
        &["Application.ReadWrite.All", "Directory.Read.All"],
    )
    .await;
    tenant.forget_requests();
    let plan = everything().plan(&graph).await.unwrap();
    let text = plan.to_string();
    assert!(
        text.contains("+ restore the deleted registration"),
        "{text}"
    );
    assert!(text.contains("AppRoleAssignment.ReadWrite.All"), "{text}");
    let error = plan.apply(&mut sink).await.unwrap_err().to_string();
    assert!(error.contains("so nothing was written"), "{error}");
    assert_eq!(writes(&tenant), Vec::<String>::new());
}

/// An id that was entered by hand has no record of the registration in the file.
#[tokio::test]
async fn a_file_with_the_client_id_of_the_deleted_registration_is_its_own() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk");
    let applied = apply(&blueprint, &graph, &mut sink(&tenant)).await;
    delete(&graph).await;
    tenant.clock().advance(Duration::from_secs(86_400));
    let graph = graph_of(&tenant, ENOUGH).await;
    let name = format!("entra-graph-restored-{}.env", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, format!("AZURE_CLIENT_ID={}\n", applied.client_id())).unwrap();
    let plan = blueprint.plan(&graph).await.unwrap();
    let restored = plan.apply(&mut EnvFile::new(&path)).await;
    std::fs::remove_file(&path).unwrap();
    assert_eq!(restored.unwrap().client_id(), applied.client_id());
}

#[tokio::test]
async fn a_plan_of_a_restore_lists_what_is_changed_after_it() {
    let (tenant, graph, mut sink) = deleted(&everything()).await;
    let more = everything()
        .notes("Another note")
        .application(["Group.Read.All"]);
    let plan = more.plan_with(&graph, &mut sink).await.unwrap();
    let text = plan.to_string();
    for line in [
        "+ restore the deleted registration",
        "~ notes Another note",
        "+ permission Microsoft Graph Group.Read.All (application)",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(
        !text.contains("+ secret") && !text.contains("+ web redirect"),
        "{text}"
    );
    let applied = plan.apply(&mut sink).await.unwrap();
    assert_eq!(applied.secrets(), [], "the secrets came back with it");
    assert!(more.plan(&graph).await.unwrap().is_empty());
    assert_eq!(
        writes(&tenant)
            .iter()
            .filter(|one| one.ends_with("/restore"))
            .count(),
        2
    );
}

#[tokio::test]
async fn restore_and_purge_are_waited_out_under_delay() {
    for choice in [DeletedChoice::Restore, DeletedChoice::Purge] {
        for random_seed in 1..4 {
            let tenant = FakeTenant::builder().random_seed(random_seed).start().await;
            let graph = graph_of(&tenant, ENOUGH).await;
            let mut sink = sink(&tenant);
            let blueprint = everything().if_deleted(choice);
            apply(&blueprint, &graph, &mut sink).await;
            let expected = outcome(&graph, "Order Desk").await;
            delete(&graph).await;
            tenant.clock().advance(Duration::from_secs(3600));
            let graph = graph_of(&tenant, ENOUGH).await;
            tenant.set_replication_delay(Duration::from_secs(60));
            apply(&blueprint, &graph, &mut sink).await;
            tenant.set_replication_delay(Duration::ZERO);
            let case = format!("{choice:?}, seed {random_seed}");
            assert_eq!(outcome(&graph, "Order Desk").await, expected, "{case}");
            let again = blueprint.plan_with(&graph, &mut sink).await.unwrap();
            assert!(again.is_empty(), "{case}: {again}");
        }
    }
}

#[tokio::test]
async fn restore_purge_and_removal_killed_after_any_write_are_completed() {
    let less = AppRegistration::new("Order Desk").remove_unlisted();
    let cases = [
        (true, everything().if_deleted(DeletedChoice::Restore)),
        (true, everything().if_deleted(DeletedChoice::Purge)),
        (false, less),
    ];
    for (from_deleted, blueprint) in cases {
        let start = async || {
            let (tenant, graph) = admin(ENOUGH).await;
            let mut sink = sink(&tenant);
            apply(&everything(), &graph, &mut sink).await;
            if from_deleted {
                delete(&graph).await;
            }
            (tenant, sink)
        };
        let (tenant, mut sink) = start().await;
        let graph = graph_of(&tenant, ENOUGH).await;
        tenant.forget_requests();
        apply(&blueprint, &graph, &mut sink).await;
        let requests = tenant.requests().within("/v1.0/");
        let methods: Vec<String> = requests.iter().map(|one| one.method.clone()).collect();
        let expected = outcome(&graph, "Order Desk").await;
        for number in (0..methods.len()).filter(|number| methods[*number] != "GET") {
            let (tenant, mut sink) = start().await;
            let run = async |graph: &GraphClient| {
                apply(&blueprint, graph, &mut sink).await;
            };
            assert!(killed(&tenant, number, true, run).await, "request {number}");
            let graph = graph_of(&tenant, ENOUGH).await;
            apply(&blueprint, &graph, &mut sink).await;
            let case = format!("{} killed at {number}", methods[number]);
            assert_eq!(outcome(&graph, "Order Desk").await, expected, "{case}");
            let again = blueprint.plan_with(&graph, &mut sink).await.unwrap();
            assert!(again.is_empty(), "{case}: {again}");
        }
    }
}

/// By its unique name, by the tag and by the client id.
#[tokio::test]
async fn a_deleted_registration_is_found_by_each_of_its_marks() {
    for mark in ["unique name", "tag", "client id"] {
        let (tenant, graph) = admin(ENOUGH).await;
        let blueprint = AppRegistration::new("Order Desk");
        let applied = apply(&blueprint, &graph, &mut sink(&tenant)).await;
        let id = applied.object_id();
        if mark != "tag" {
            tenant
                .set_property("applications", id, "tags", serde_json::json!([]))
                .unwrap();
        }
        if mark != "unique name" {
            tenant
                .set_property("applications", id, "uniqueName", serde_json::Value::Null)
                .unwrap();
        }
        graph.application(id).delete().send().await.unwrap();
        let wanted = match mark {
            "client id" => blueprint.client_id(applied.client_id().parse().unwrap()),
            _ => blueprint,
        };
        let plan = wanted.plan(&graph).await.unwrap();
        assert!(
            plan.to_string().contains("(in the deleted items)"),
            "{mark}: {plan}"
        );
        let other = AppRegistration::new("Order Desk 2").plan(&graph).await;
        assert!(other.unwrap().to_string().contains("(new)"), "{mark}");
    }
}
