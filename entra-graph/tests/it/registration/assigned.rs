//! Users and groups that are assigned: which app role, and where Entra rejects default access.

use std::time::Duration;

use entra_core::http::Method;
use entra_graph::registration::{AppRegistration, AppRoleBlueprint};
use entra_mock::FakeTenant;
use serde_json::{Value, json};

use super::{ENOUGH, admin, apply, graph_of, outcome, sink, writes};

const ADELE: &str = "adele@contoso.com";

fn role(value: &str) -> AppRoleBlueprint {
    AppRoleBlueprint::for_users(value, value, "Of the order desk")
}

fn stops(plan: &entra_graph::registration::Plan) -> String {
    plan.stops().collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn default_access_beside_roles_for_users_stops_before_the_first_write() {
    let (tenant, graph) = admin(ENOUGH).await;
    let plain = AppRegistration::new("Order Desk").app_role(role("Approver"));
    let blueprint = plain.clone().app_role(role("Reader")).assign_user(ADELE);
    let plan = blueprint.plan(&graph).await.unwrap();
    let fix = "adele@contoso.com cannot be assigned: the registration has app roles for users, and Entra then rejects an assignment without one; name one of them: Approver, Reader";
    assert_eq!(stops(&plan), fix, "{plan}");
    let error = plan.apply(&mut sink(&tenant)).await.unwrap_err();
    assert_eq!(error.to_string(), fix);
    assert_eq!(writes(&tenant), Vec::<String>::new());

    // The same where the roles are those of the registration and not of the blueprint.
    let applied = apply(&plain, &graph, &mut sink(&tenant)).await;
    let adopted = AppRegistration::new("Order Desk").assign_user(ADELE);
    let plan = adopted.plan(&graph).await.unwrap();
    assert!(
        stops(&plan).ends_with("name one of them: Approver"),
        "{plan}"
    );
    // What the plan prevents.
    let body = json!({
        "principalId": tenant.user(ADELE).id(), "resourceId": applied.service_principal_id(),
        "appRoleId": "00000000-0000-0000-0000-000000000000",
    });
    let path = format!(
        "/servicePrincipals/{}/appRoleAssignedTo",
        applied.service_principal_id()
    );
    let request = graph.raw(Method::POST, path).body_json(&body);
    let error = request.send().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400));

    // Roles for applications and disabled ones are no reason.
    let for_applications = AppRoleBlueprint::for_applications("Export", "Export", "Exports");
    let other = AppRegistration::new("Export Desk")
        .app_role(for_applications)
        .assign_user(ADELE);
    apply(&other, &graph, &mut sink(&tenant)).await;
    assert_eq!(outcome(&graph, "Export Desk").await.assigned.len(), 1);
}

#[tokio::test]
async fn a_role_that_users_cannot_have_stops_the_plan() {
    let (tenant, graph) = admin(ENOUGH).await;
    let for_applications = AppRoleBlueprint::for_applications("Export", "Export", "Exports");
    let blueprint = AppRegistration::new("Order Desk").app_role(for_applications);
    let wrong = blueprint.clone().assign_user_to(ADELE, "Export");
    let plan = wrong.plan(&graph).await.unwrap();
    assert!(
        stops(&plan).ends_with("has no app role Export, nor any other for users and groups"),
        "{plan}"
    );
    let plan = wrong.app_role(role("Approver")).plan(&graph).await.unwrap();
    assert!(
        stops(&plan).ends_with("no app role Export for users and groups; it has: Approver"),
        "{plan}"
    );
    // One that the plan itself removes.
    apply(
        &blueprint.app_role(role("Approver")),
        &graph,
        &mut sink(&tenant),
    )
    .await;
    let less = AppRegistration::new("Order Desk")
        .assign_user_to(ADELE, "Approver")
        .remove_unlisted();
    let plan = less.plan(&graph).await.unwrap();
    assert!(stops(&plan).contains("no app role Approver"), "{plan}");
    let kept = AppRegistration::new("Order Desk").assign_user_to(ADELE, "Approver");
    let plan = kept.plan(&graph).await.unwrap();
    assert_eq!(stops(&plan), "", "{plan}");
}

#[tokio::test]
async fn an_assignment_from_before_the_first_role_stays() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk").assign_user(ADELE);
    apply(&blueprint, &graph, &mut sink(&tenant)).await;
    let more = blueprint.app_role(role("Approver"));
    apply(&more, &graph, &mut sink(&tenant)).await;
    let plan = more.plan(&graph).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(outcome(&graph, "Order Desk").await.assigned.len(), 1);
}

/// The consent of a client of an API is listed among the assignments of the API.
#[tokio::test]
async fn permissions_that_other_applications_have_for_the_api_are_not_removed() {
    let (tenant, graph) = admin(ENOUGH).await;
    let for_applications = AppRoleBlueprint::for_applications("Export", "Export", "Exports");
    let api = AppRegistration::new("Order Desk").app_role(for_applications);
    let assigned = api.clone().assign_user(ADELE);
    let applied = apply(&assigned, &graph, &mut sink(&tenant)).await;
    let client = AppRegistration::new("Export Desk")
        .application_of(applied.client_id(), ["Export"])
        .grant_admin_consent();
    apply(&client, &graph, &mut sink(&tenant)).await;
    let strict = api.remove_unlisted();
    let plan = strict.plan(&graph).await.unwrap();
    let changes: Vec<String> = plan.changes().map(ToString::to_string).collect();
    assert_eq!(changes.len(), 1, "{plan}");
    assert!(changes[0].starts_with("- assignment of Adele"), "{plan}");
    let kept = "= permission of the application Export Desk for this API";
    assert!(plan.to_string().contains(kept), "{plan}");
    plan.apply(&mut sink(&tenant)).await.unwrap();
    let of_api = outcome(&graph, "Order Desk").await.assigned;
    assert_eq!(of_api.len(), 1);
    assert_eq!(of_api[0]["principalType"], "ServicePrincipal");
    assert_eq!(outcome(&graph, "Export Desk").await.roles.len(), 1);
    assert!(strict.plan(&graph).await.unwrap().is_empty());
}

/// A replica may not know a role that was added just now, or not that the last one for users was disabled.
#[tokio::test]
async fn roles_that_change_with_the_assignment_are_waited_for() {
    for random_seed in 1..6 {
        let tenant = FakeTenant::builder().random_seed(random_seed).start().await;
        let graph = graph_of(&tenant, ENOUGH).await;
        let blueprint = AppRegistration::new("Order Desk").app_role(role("Reader"));
        apply(&blueprint, &graph, &mut sink(&tenant)).await;
        tenant.clock().advance(Duration::from_secs(3600));
        let graph = graph_of(&tenant, ENOUGH).await;
        tenant.set_replication_delay(Duration::from_secs(30));
        let more = blueprint
            .app_role(role("Approver"))
            .assign_user_to(ADELE, "Approver");
        apply(&more, &graph, &mut sink(&tenant)).await;
        let less = AppRegistration::new("Order Desk")
            .assign_user(ADELE)
            .remove_unlisted();
        apply(&less, &graph, &mut sink(&tenant)).await;
        tenant.set_replication_delay(Duration::ZERO);
        let outcome = outcome(&graph, "Order Desk").await;
        assert_eq!(outcome.application["appRoles"], json!([]), "{random_seed}");
        let roles: Vec<&Value> = outcome
            .assigned
            .iter()
            .map(|one| &one["appRoleId"])
            .collect();
        assert_eq!(roles, [&json!("00000000-0000-0000-0000-000000000000")]);
    }
}
