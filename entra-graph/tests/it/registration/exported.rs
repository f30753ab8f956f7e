//! A blueprint of what exists has nothing to change, also where the portal or another tool made it.

use entra_graph::{
    NewFlexibleFederatedIdentityCredential, NewGroup,
    registration::{
        AppRegistration, AppRoleBlueprint, Applied, FederatedCredential, ScopeBlueprint,
    },
    types::FederatedIdentityExpression,
};
use entra_mock::FakeTenant;
use serde_json::{Value, json};
use wiremock::{Mock, ResponseTemplate, matchers::path_regex};

use super::{ENOUGH, admin, apply, graph_of, sink};

const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// Exports the registration, and plans what it exported; the blueprint as YAML.
async fn has_nothing_to_change(tenant: &FakeTenant, applied: &Applied) -> String {
    let graph = graph_of(tenant, ENOUGH).await;
    let client_id = applied.client_id().parse().unwrap();
    let exported = AppRegistration::export(&graph, client_id).await.unwrap();
    let yaml = exported.to_yaml().unwrap();
    let plan = exported.plan(&graph).await.unwrap();
    assert!(plan.is_empty(), "{plan}\n{yaml}");
    yaml
}

#[tokio::test]
async fn texts_for_users_that_the_portal_left_empty_stay_empty() {
    let (tenant, graph) = admin(ENOUGH).await;
    let scope = ScopeBlueprint::new("Orders.Read", "Read orders", "Reads orders");
    let blueprint = AppRegistration::new("Order Desk").scope(scope.clone().users_can_consent());
    let applied = apply(&blueprint, &graph, &mut sink(&tenant)).await;
    let id = applied.object_id();
    let read = graph.application(id).get().send().await.unwrap();
    let mut api = serde_json::to_value(read.api.unwrap()).unwrap();
    for name in ["userConsentDisplayName", "userConsentDescription"] {
        let scope = &mut api["oauth2PermissionScopes"][0];
        assert!(scope[name].is_string(), "a new scope has both texts");
        scope[name] = Value::Null;
    }
    tenant.set_property("applications", id, "api", api).unwrap();
    has_nothing_to_change(&tenant, &applied).await;
    assert!(blueprint.plan(&graph).await.unwrap().is_empty());

    // What the blueprint gives is set.
    let texts = scope.user_texts("Read your orders", "Reads your orders");
    let plan = AppRegistration::new("Order Desk").scope(texts);
    let plan = plan.plan(&graph).await.unwrap();
    assert!(plan.to_string().contains("~ scope Orders.Read"), "{plan}");
}

#[tokio::test]
async fn a_credential_with_an_expression_is_left_alone() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk");
    let applied = apply(&blueprint, &graph, &mut sink(&tenant)).await;
    let expression = FederatedIdentityExpression::matches("sub", "repo:contoso/shop:*");
    let new = NewFlexibleFederatedIdentityCredential::new("shop", ISSUER, expression);
    graph
        .application(applied.object_id())
        .beta_federated_identity_credentials()
        .create(new)
        .send()
        .await
        .unwrap();
    let yaml = has_nothing_to_change(&tenant, &applied).await;
    assert!(!yaml.contains("shop"), "{yaml}");
    let plan = blueprint.clone().remove_unlisted().plan(&graph).await;
    assert!(plan.as_ref().unwrap().is_empty(), "{plan:?}");

    let same = FederatedCredential::new("shop", ISSUER, "repo:contoso/shop:pull_request");
    let plan = blueprint.federated_credential(same).plan(&graph).await;
    let plan = plan.unwrap();
    let stops: Vec<&str> = plan.stops().collect();
    assert!(
        stops.len() == 1 && stops[0].contains("has an expression and no subject"),
        "{plan}"
    );
}

#[tokio::test]
async fn permissions_that_no_api_offers_any_more_are_left_out() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk").application(["User.Read.All"]);
    let applied = apply(&blueprint, &graph, &mut sink(&tenant)).await;
    let id = applied.object_id();
    let read = graph.application(id).get().send().await.unwrap();
    let mut required = serde_json::to_value(read.required_resource_access.unwrap()).unwrap();
    let gone = |number: u8, kind: &str| json!({"id": format!("00000000-0000-0000-0000-0000000000{number}"), "type": kind});
    let of_graph = required[0]["resourceAccess"].as_array_mut().unwrap();
    of_graph.extend([gone(11, "Role"), gone(12, "Scope")]);
    let retired = json!({
        "resourceAppId": "00000002-0000-0000-c000-000000000000", "resourceAccess": [gone(13, "Scope")],
    });
    required.as_array_mut().unwrap().push(retired);
    tenant
        .set_property("applications", id, "requiredResourceAccess", required)
        .unwrap();
    let yaml = has_nothing_to_change(&tenant, &applied).await;
    assert!(yaml.contains("User.Read.All"), "{yaml}");
    assert!(
        !yaml.contains("00000000-0000-0000-0000-0000000000"),
        "{yaml}"
    );
}

#[tokio::test]
async fn a_group_whose_name_another_one_has_is_named_by_its_id() {
    let (tenant, graph) = admin(ENOUGH).await;
    let groups = graph_of(&tenant, &["Group.ReadWrite.All"]).await;
    let create = async |nickname: &str| {
        let group = NewGroup::security("Order Desk users", nickname);
        groups.groups().create(group).send().await.unwrap().id
    };
    let first = create("order-desk-users").await;
    let blueprint = AppRegistration::new("Order Desk").assign_group(first.as_str());
    let applied = apply(&blueprint, &graph, &mut sink(&tenant)).await;
    let yaml = has_nothing_to_change(&tenant, &applied).await;
    assert!(yaml.contains("group: Order Desk users"), "{yaml}");
    create("order-desk-users-2").await;
    let yaml = has_nothing_to_change(&tenant, &applied).await;
    assert!(yaml.contains(&format!("group: {first}")), "{yaml}");
}

#[tokio::test]
async fn an_assignment_to_a_disabled_role_stays() {
    let (tenant, graph) = admin(ENOUGH).await;
    let role = |value: &str| AppRoleBlueprint::for_users(value, value, "Of the order desk");
    let blueprint = AppRegistration::new("Order Desk")
        .app_role(role("Approver"))
        .app_role(role("Old"))
        .assign_user_to("adele@contoso.com", "Old");
    let applied = apply(&blueprint, &graph, &mut sink(&tenant)).await;
    let id = applied.object_id();
    let read = graph.application(id).get().send().await.unwrap();
    let mut roles = serde_json::to_value(read.app_roles.unwrap()).unwrap();
    for role in roles.as_array_mut().unwrap() {
        role["isEnabled"] = (role["value"] != "Old").into();
    }
    tenant
        .set_property("applications", id, "appRoles", roles)
        .unwrap();
    let yaml = has_nothing_to_change(&tenant, &applied).await;
    assert!(!yaml.contains("Old"), "{yaml}");
    let kept = AppRegistration::new("Order Desk").assign_user_to("adele@contoso.com", "Old");
    let plan = kept.plan(&graph).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
}

#[tokio::test]
async fn a_template_that_the_gallery_dropped_is_no_error() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint =
        AppRegistration::new("Order Desk").gallery_template("Microsoft Entra SAML Toolkit");
    let applied = apply(&blueprint, &graph, &mut sink(&tenant)).await;
    let read = graph.application(applied.object_id()).get();
    let read = read.send().await.unwrap();
    assert!(read.application_template_id.is_some());
    let absent = json!({"error": {"code": "Request_ResourceNotFound", "message": "Resource does not exist."}});
    let dropped = ResponseTemplate::new(404).set_body_json(absent);
    let dropped = Mock::given(path_regex("/applicationTemplates/")).respond_with(dropped);
    tenant.mount(dropped).await;
    has_nothing_to_change(&tenant, &applied).await;
}
