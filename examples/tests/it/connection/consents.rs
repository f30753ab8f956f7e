//! Delegated permissions: of Microsoft Graph and other APIs, for all users and for some.

use entra_core::ObjectId;
use entra_graph::{
    GraphClient, Key, NewOAuth2PermissionGrant,
    connection::{Check, ConnectionReport, Severity},
};
use serde_json::json;

use super::world::{World, reader_with};

const GRAPH: &str = "00000003-0000-0000-c000-000000000000";

async fn report(world: &World, need: &str) -> ConnectionReport {
    world.test().needs_delegated([need]).run().await
}

/// Severity and text of the one finding of a check.
fn only(report: &ConnectionReport, check: Check) -> (Severity, String) {
    let found: Vec<_> = report.of(check).collect();
    assert_eq!(found.len(), 1, "{report}");
    (found[0].severity, found[0].what.clone())
}

/// A client that may grant, and the object id of the service principal of Microsoft Graph.
async fn granting(world: &World) -> (GraphClient, ObjectId) {
    let graph = reader_with(&world.tenant, &["DelegatedPermissionGrant.ReadWrite.All"]).await;
    let api = graph.service_principal(Key::app_id(GRAPH)).get();
    let api = api.send().await.unwrap();
    let id = api.id.as_str().parse().unwrap();
    (graph, id)
}

#[tokio::test]
async fn a_scope_of_one_api_is_not_granted_by_that_of_another() {
    let world = World::new().await;
    let api = |name: &str| {
        world
            .tenant
            .register_app(name)
            .expose_scope("access_as_user")
    };
    let (orders, shop) = (api("Orders"), api("Shop"));
    world.app.delegated_permission_of(&shop, "access_as_user");
    let (orders_id, shop_id) = (orders.client_id(), shop.client_id());
    let users_may = report(&world, &format!("api://{orders_id}/access_as_user")).await;
    let (severity, what) = only(&users_may, Check::Consent);
    assert_eq!(severity, Severity::Note, "{users_may}");
    assert!(what.contains("users consent to"), "{what}");
    for need in [
        format!("api://{shop_id}/access_as_user"),
        format!("api://{shop_id}/ACCESS_as_user"),
        format!("{shop_id}/access_as_user"),
    ] {
        let granted = report(&world, &need).await;
        let (severity, what) = only(&granted, Check::Consent);
        assert_eq!(severity, Severity::Ok, "{granted}");
        assert!(what.contains("is granted for all users"), "{what}");
    }
    // A scope that users may not consent to.
    let scope = json!([{ "id": "f0b0b335-1d71-4883-8f98-567911bfdca6", "value": "access_as_user", "type": "Admin",
        "isEnabled": true, "adminConsentDisplayName": "Access", "adminConsentDescription": "Accesses orders" }]);
    let id = orders.service_principal_id().to_string();
    world
        .tenant
        .set_property("servicePrincipals", &id, "oauth2PermissionScopes", scope)
        .unwrap();
    let missing = report(&world, &format!("api://{orders_id}/access_as_user")).await;
    let (severity, what) = only(&missing, Check::Consent);
    assert_eq!(severity, Severity::Error, "{missing}");
    assert!(what.contains("admin consent needed"), "{what}");
    for (need, says) in [
        ("api://misspelt/access_as_user".to_owned(), "was not found"),
        (
            format!("api://{shop_id}/other"),
            "does not exist on the API",
        ),
    ] {
        let wrong = report(&world, &need).await;
        let (severity, what) = only(&wrong, Check::Api);
        assert_eq!(severity, Severity::Error, "{wrong}");
        assert!(what.contains(says), "{what}");
    }
}

/// As `https://management.azure.com/` has it.
#[tokio::test]
async fn an_api_whose_uri_ends_in_a_slash_is_found_and_looked_up_once() {
    let world = World::new().await;
    let shop = world.tenant.register_app("Shop");
    let shop = shop.expose_scope("access_as_user");
    world.app.delegated_permission_of(&shop, "access_as_user");
    let id = shop.service_principal_id().to_string();
    let names = json!([shop.client_id().to_string(), "https://shop.contoso.com/"]);
    world
        .tenant
        .set_property("servicePrincipals", &id, "servicePrincipalNames", names)
        .unwrap();
    for slash in ["", "/"] {
        let need = |name: &str| format!("https://shop.contoso.com{slash}/{name}");
        world.tenant.forget_requests();
        let needs = [need("access_as_user"), need("ACCESS_as_user")];
        let report = world.test().needs_delegated(needs).run().await;
        let found: Vec<Severity> = report.of(Check::Consent).map(|one| one.severity).collect();
        assert_eq!(found, [Severity::Ok, Severity::Ok], "{report}");
        let requests = world.tenant.requests();
        let mut lists = Vec::new();
        for request in requests.iter() {
            if request.path.ends_with("/servicePrincipals") {
                lists.push(request.path.clone());
            }
        }
        // Without the slash, and with it.
        assert_eq!(lists.len(), 2, "{report}");
    }
}

#[tokio::test]
async fn a_test_that_may_not_read_the_api_does_not_call_its_scope_granted() {
    let mut world = World::new().await;
    let shop = world.tenant.register_app("Shop");
    let shop = shop.expose_scope("access_as_user");
    world.app.delegated_permission_of(&shop, "access_as_user");
    world.reader = None;
    let need = format!("api://{}/access_as_user", shop.client_id());
    let unknown = report(&world, &need).await;
    let (severity, _) = only(&unknown, Check::Consent);
    assert_eq!(severity, Severity::Unknown, "{unknown}");
}

#[tokio::test]
async fn a_scope_of_graph_may_be_written_in_full() {
    let world = World::new().await;
    world.app.delegated_permission("User.Read");
    for need in [
        "User.Read",
        "user.read",
        "https://graph.microsoft.com/User.Read",
        "00000003-0000-0000-c000-000000000000/User.Read",
    ] {
        let granted = report(&world, need).await;
        let (severity, _) = only(&granted, Check::Consent);
        assert_eq!(severity, Severity::Ok, "{granted}");
    }
    let all = report(&world, "https://graph.microsoft.com/.default").await;
    let (severity, _) = only(&all, Check::Consent);
    assert_eq!(severity, Severity::Unknown, "{all}");
}

/// With the scope `.default` it is enough, requested by name it is not.
#[tokio::test]
async fn a_wider_delegated_permission_is_neither_enough_nor_missing() {
    let world = World::new().await;
    world.app.delegated_permission("Directory.Read.All");
    let covered = report(&world, "User.Read.All").await;
    let (severity, what) = only(&covered, Check::Consent);
    assert_eq!(severity, Severity::Unknown, "{covered}");
    assert!(
        what.contains("Directory.Read.All, which allows more"),
        "{what}"
    );
    let other = report(&world, "AuditLog.Read.All").await;
    let (severity, _) = only(&other, Check::Consent);
    assert_eq!(severity, Severity::Error, "{other}");
}

#[tokio::test]
async fn consent_for_one_user_is_not_consent_for_all() {
    let world = World::new().await;
    let (graph, api) = granting(&world).await;
    let adele = world.tenant.user("adele@contoso.com").id();
    let client = world.app.service_principal_id();
    let scopes = ["GroupMember.Read.All", "User.Read"];
    let grant = NewOAuth2PermissionGrant::for_user(client, api, adele, scopes);
    let grants = graph.oauth2_permission_grants();
    grants.create(grant).send().await.unwrap();
    let need = "GroupMember.Read.All";
    let some = report(&world, need).await;
    let (severity, what) = only(&some, Check::Consent);
    assert_eq!(severity, Severity::Unknown, "{some}");
    assert!(what.contains("granted to some users only"), "{what}");
    // The administrator who connects the product, and someone else.
    for (user, expected) in [
        ("adele@contoso.com".to_owned(), Severity::Ok),
        (adele.to_string(), Severity::Ok),
        ("felix@contoso.com".to_owned(), Severity::Error),
    ] {
        let test = world.test().needs_delegated([need]).user(&user);
        let one = test.run().await;
        let (severity, _) = only(&one, Check::Consent);
        assert_eq!(severity, expected, "{user}:\n{one}");
    }
    // One that users may consent to themselves.
    let own = report(&world, "User.Read").await;
    let (severity, what) = only(&own, Check::Consent);
    assert_eq!(severity, Severity::Note, "{own}");
    assert!(what.contains("so far for some of them"), "{what}");
}

#[tokio::test]
async fn a_consent_is_not_ascribed_to_a_connection_that_names_no_tenant() {
    let mut world = World::new().await;
    world.tenant_text = "organizations".to_owned();
    let tenant = world.tenant.id();
    world.consent_response = Some(format!("admin_consent=True&tenant={tenant}"));
    let report = world.test().run().await;
    let (severity, _) = only(&report, Check::Consent);
    assert_eq!(severity, Severity::Unknown, "{report}");
}
