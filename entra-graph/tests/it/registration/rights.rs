//! Rights that are missing are named before the first write.

use entra_core::{StaticCredential, http::Method};
use entra_graph::{
    GraphClient,
    registration::{AppRegistration, Lifetime},
};
use entra_mock::FakeTenant;
use serde_json::json;

use super::{admin, graph_of, outcome, sink, writes};

const CLOUD_APPLICATION_ADMINISTRATOR: &str = "158c047a-c907-4556-b7ef-446551a6b5f7";
const PRIVILEGED_ROLE_ADMINISTRATOR: &str = "e8611ab8-c189-46e8-94e1-60213ab1f814";

/// A client with the token of a user who has a directory role, or only that of all users.
async fn as_user(tenant: &FakeTenant, role: Option<&str>) -> GraphClient {
    if let Some(role) = role {
        let graph = graph_of(tenant, &["RoleManagement.ReadWrite.Directory"]).await;
        let assignment = json!({
            "principalId": tenant.user("adele@contoso.com").id(), "roleDefinitionId": role, "directoryScopeId": "/",
        });
        let request = graph.raw(Method::POST, "/roleManagement/directory/roleAssignments");
        let request = request.body_json(&assignment);
        request.send().await.unwrap();
    }
    let app = tenant.register_app("Setup tool of a user").with_secret();
    for permission in super::ENOUGH {
        let _ = app.delegated_permission(permission);
    }
    let tokens = tenant.tokens_for(&app, "adele@contoso.com", super::ENOUGH);
    let credential = StaticCredential::new(tokens.access_token().expose_secret());
    let builder = GraphClient::builder(credential).cloud(tenant.cloud());
    builder.clock(tenant.clock()).build().unwrap()
}

fn blueprint() -> AppRegistration {
    AppRegistration::new("Order Desk")
        .delegated(["GroupMember.Read.All"])
        .application(["User.Read.All"])
        .grant_admin_consent()
}

#[tokio::test]
async fn a_role_that_may_register_but_not_consent_is_named_before_the_first_write() {
    for (role, missing) in [
        (
            Some(CLOUD_APPLICATION_ADMINISTRATOR),
            &["consent to application permissions of Microsoft Graph needs"][..],
        ),
        (
            None,
            &[
                "consent to application permissions of Microsoft Graph needs",
                "consent for all users needs",
            ],
        ),
        (Some(PRIVILEGED_ROLE_ADMINISTRATOR), &[]),
    ] {
        let tenant = FakeTenant::start().await;
        let graph = as_user(&tenant, role).await;
        tenant.forget_requests();
        let plan = blueprint().plan(&graph).await.unwrap();
        let named: Vec<String> = plan
            .missing_rights()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(named.len(), missing.len(), "{role:?}: {plan}");
        for (named, missing) in named.iter().zip(missing) {
            assert!(named.contains(missing), "{role:?}: {named}");
        }
        if !missing.is_empty() {
            let error = plan.apply(&mut sink(&tenant)).await.unwrap_err();
            assert!(error.to_string().contains(missing[0]), "{error}");
            assert_eq!(writes(&tenant), Vec::<String>::new(), "{role:?}");
        }
    }
}

/// What writes applications also finds them, which an assignment of app roles needs.
#[tokio::test]
async fn a_setup_tool_with_the_two_usual_roles_grants_consent() {
    let tenant = FakeTenant::start().await;
    let roles = [
        "Application.ReadWrite.All",
        "AppRoleAssignment.ReadWrite.All",
    ];
    let graph = graph_of(&tenant, &roles).await;
    let blueprint = AppRegistration::new("Order Desk")
        .application(["User.Read.All"])
        .grant_admin_consent();
    let plan = blueprint.plan(&graph).await.unwrap();
    assert_eq!(plan.missing_rights(), [], "{plan}");
    plan.apply(&mut sink(&tenant)).await.unwrap();
    let graph = graph_of(&tenant, super::ENOUGH).await;
    assert_eq!(outcome(&graph, "Order Desk").await.roles.len(), 1);
}

#[tokio::test]
async fn an_application_that_may_write_only_its_own_is_told_so_before_the_first_write() {
    let (tenant, _) = admin(&[]).await;
    let limited = [
        "Application.ReadWrite.OwnedBy",
        "AppRoleAssignment.ReadWrite.All",
        "Directory.Read.All",
    ];
    let graph = graph_of(&tenant, &limited).await;
    let foreign = tenant.register_app("Made by another");
    let adopted = AppRegistration::new("Made by another")
        .client_id(foreign.client_id())
        .web_redirect_uri("https://orders.contoso.com/auth/callback")
        .secret("production", Lifetime::months(6));
    tenant.forget_requests();
    let plan = adopted.plan(&graph).await.unwrap();
    let named: Vec<String> = plan
        .missing_rights()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(named.len(), 1, "{plan}");
    assert!(
        named[0].contains("Application.ReadWrite.OwnedBy covers only what the caller owns"),
        "{named:?}"
    );
    plan.apply(&mut sink(&tenant)).await.unwrap_err();
    assert_eq!(writes(&tenant), Vec::<String>::new());

    // The application owns what it creates, also in later runs.
    let own = AppRegistration::new("Order Desk")
        .application(["User.Read.All"])
        .grant_admin_consent()
        .secret("production", Lifetime::months(6));
    let mut sink = sink(&tenant);
    tenant.set_replication_delay(std::time::Duration::from_secs(10));
    let plan = own.plan(&graph).await.unwrap();
    assert_eq!(plan.missing_rights(), []);
    plan.apply(&mut sink).await.unwrap();
    tenant.set_replication_delay(std::time::Duration::ZERO);
    tenant
        .clock()
        .advance(std::time::Duration::from_secs(10 * 60));
    let changed = own.web_redirect_uri("https://orders.contoso.com/auth/callback");
    let plan = changed.plan(&graph).await.unwrap();
    assert_eq!(plan.missing_rights(), [], "{plan}");
    plan.apply(&mut sink).await.unwrap();
}

/// Without ownership it could neither finish the run nor take another one.
#[tokio::test]
async fn an_application_that_may_write_only_its_own_stays_an_owner() {
    let (tenant, _) = admin(&[]).await;
    let limited = ["Application.ReadWrite.OwnedBy", "Directory.Read.All"];
    let graph = graph_of(&tenant, &limited).await;
    let blueprint = AppRegistration::new("Order Desk")
        .owner("adele@contoso.com")
        .secret("production", Lifetime::months(6))
        .remove_unlisted();
    let mut sink = sink(&tenant);
    let plan = blueprint.plan(&graph).await.unwrap();
    let applied = plan.apply(&mut sink).await.unwrap();
    assert_eq!(applied.secrets().len(), 1, "{applied}");
    let again = blueprint.plan(&graph).await.unwrap();
    assert!(again.is_empty(), "{again}");
    assert!(
        again.to_string().contains("the caller, which could not"),
        "{again}"
    );
    let enough = graph_of(&tenant, super::ENOUGH).await;
    assert_eq!(outcome(&enough, "Order Desk").await.owners, 2);
    // One that may write all applications is removed as any other owner.
    let plan = blueprint.plan(&enough).await.unwrap();
    assert!(plan.to_string().contains("- owner "), "{plan}");
}

#[tokio::test]
async fn a_user_without_an_administrator_role_stays_an_owner() {
    let (tenant, graph) = admin(super::ENOUGH).await;
    let before = AppRegistration::new("Order Desk")
        .owner("adele@contoso.com")
        .owner("bruno@contoso.com");
    super::apply(&before, &graph, &mut sink(&tenant)).await;
    let blueprint = AppRegistration::new("Order Desk")
        .owner("bruno@contoso.com")
        .remove_unlisted();
    let adele = tenant.user("adele@contoso.com").id();
    for (role, is_kept) in [
        (None, true),
        (Some(PRIVILEGED_ROLE_ADMINISTRATOR), true),
        (Some(CLOUD_APPLICATION_ADMINISTRATOR), false),
    ] {
        let graph = as_user(&tenant, role).await;
        let plan = blueprint.plan(&graph).await.unwrap();
        let text = plan.to_string();
        let kept = format!("= owner {adele}, the caller");
        let removed = format!("- owner {adele}");
        assert_eq!(text.contains(&kept), is_kept, "{role:?}: {plan}");
        assert_eq!(text.contains(&removed), !is_kept, "{role:?}: {plan}");
        assert_eq!(plan.is_empty(), is_kept, "{role:?}: {plan}");
    }
}

#[tokio::test]
async fn a_registration_with_the_owner_tag_is_adopted_and_two_with_it_are_an_error() {
    let (tenant, graph) = admin(super::ENOUGH).await;
    let tagged = async |name: &str| {
        let app = tenant.register_app(name);
        let object = app.object_id().to_string();
        let tags = json!(["registration:order-desk", "of another tool"]);
        tenant
            .set_property("applications", &object, "tags", tags)
            .unwrap();
        app
    };
    let app = tagged("Desk of the orders").await;
    let blueprint = AppRegistration::new("Order Desk").notes("See the guide");
    let plan = blueprint.plan(&graph).await.unwrap();
    assert!(
        plan.to_string()
            .contains(&format!("client id {}", app.client_id())),
        "{plan}"
    );
    let applied = plan.apply(&mut sink(&tenant)).await.unwrap();
    assert_eq!(applied.client_id(), app.client_id().to_string());
    let outcome = outcome(&graph, "Order Desk").await;
    assert_eq!(outcome.application["notes"], "See the guide");
    assert_eq!(
        outcome.application["tags"],
        json!(["registration:order-desk", "of another tool"])
    );
    assert!(blueprint.plan(&graph).await.unwrap().is_empty());

    tagged("Desk of the orders, copied").await;
    let error = blueprint.plan(&graph).await.unwrap_err();
    assert!(
        error.to_string().contains("2 registrations have the tag"),
        "{error}"
    );
}
