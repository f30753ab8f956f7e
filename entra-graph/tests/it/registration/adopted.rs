//! Registrations that exist already: what stays as it is, and what `remove_unlisted` takes away.

use std::time::Duration;

use entra_core::http::Method;
use entra_graph::{
    FederatedIdentityCredential, GraphClient, Key, NewFederatedIdentityCredential,
    registration::{
        AppRegistration, AppRoleBlueprint, Audience, Certificate, FederatedCredential, Lifetime,
        ScopeBlueprint,
    },
};
use entra_mock::{App, RequestRecord};
use serde_json::{Value, json};

use super::{ENOUGH, admin, apply, outcome, sink};

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const SUBJECT: &str = "repo:contoso/orders:ref:refs/heads/main";

async fn object_id(graph: &GraphClient, app: &App) -> String {
    let key = Key::from(app.client_id());
    graph.application(key).get().send().await.unwrap().id
}

#[tokio::test]
async fn an_essential_claim_stays_essential() {
    let (tenant, graph) = admin(ENOUGH).await;
    let app = tenant.register_app("Portal made").with_secret();
    let id = object_id(&graph, &app).await;
    let claim =
        json!({"name": "email", "source": null, "essential": true, "additionalProperties": []});
    let claims = json!({"idToken": [claim], "accessToken": [], "saml2Token": []});
    tenant
        .set_property("applications", &id, "optionalClaims", claims)
        .unwrap();
    let blueprint = AppRegistration::new("Portal made")
        .client_id(app.client_id())
        .id_token_claim("email");
    let plan = blueprint.plan(&graph).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
}

/// Otherwise an adoption would lock out the users of all other tenants.
#[tokio::test]
async fn who_can_sign_in_stays_unless_the_blueprint_says() {
    let (tenant, graph) = admin(ENOUGH).await;
    let app = tenant.register_app("Portal made").multi_tenant();
    let blueprint = AppRegistration::new("Portal made").client_id(app.client_id());
    let plan = blueprint.plan(&graph).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
    apply(
        &blueprint.clone().notes("See the guide"),
        &graph,
        &mut sink(&tenant),
    )
    .await;
    let after = outcome(&graph, "Portal made").await;
    assert_eq!(after.application["signInAudience"], "AzureADMultipleOrgs");
    let strict = blueprint.audience(Audience::ThisTenant);
    let plan = strict.plan(&graph).await.unwrap();
    let line = "~ supported account types AzureADMyOrg (was AzureADMultipleOrgs)";
    assert!(plan.to_string().contains(line), "{plan}");

    // The limits are those of the audience that it keeps.
    let personal = AppRegistration::new("Home Desk").audience(Audience::AnyTenantAndPersonal);
    apply(&personal, &graph, &mut sink(&tenant)).await;
    let role = AppRoleBlueprint::for_users("Approver", "Approver", "Approves orders");
    let later = AppRegistration::new("Home Desk")
        .web_redirect_uri("https://orders.contoso.com/cb?a=1")
        .app_role(role);
    let plan = later.plan(&graph).await.unwrap();
    let stops: Vec<&str> = plan.stops().collect();
    assert_eq!(stops.len(), 2, "{plan}");
    assert!(
        stops[0].contains("has a query") && stops[1].contains("app role"),
        "{plan}"
    );
    let later = || AppRegistration::new("Home Desk");
    let with_scopes = (0..101).fold(later(), |one, number| {
        let name = format!("Orders.Read{number}");
        one.scope(ScopeBlueprint::new(&name, &name, &name))
    });
    let with_secrets = ["a", "b", "c"]
        .iter()
        .fold(later(), |one, name| one.secret(*name, Lifetime::months(6)));
    let renamed = AppRegistration::new("x".repeat(91)).unique_name("home-desk");
    for (blueprint, expected) in [
        (renamed, "a name of at most 90 characters"),
        (later().access_token_version(1), "tokens of version 2"),
        (with_scopes, "would have 101 scopes"),
        (with_secrets, "would have 3 valid secrets"),
    ] {
        let plan = blueprint.plan(&graph).await.unwrap();
        let stops: Vec<&str> = plan.stops().collect();
        assert_eq!(stops.len(), 1, "{expected}: {plan}");
        assert!(stops[0].contains(expected), "{expected}: {plan}");
    }
    // What it has was accepted, and so are two secrets in all.
    let mut held = sink(&tenant);
    let first = later().secret("a", Lifetime::months(6));
    apply(&first, &graph, &mut held).await;
    let second = first.secret("b", Lifetime::months(6));
    apply(&second, &graph, &mut held).await;
    let third = later().secret("c", Lifetime::months(6));
    let plan = third.plan(&graph).await.unwrap();
    assert!(plan.to_string().contains("3 valid secrets"), "{plan}");
}

#[tokio::test]
async fn consents_that_are_not_listed_are_removed_also_without_new_ones() {
    let (tenant, graph) = admin(ENOUGH).await;
    let app = tenant
        .register_app("Portal made")
        .with_secret()
        .application_permission("Device.Read.All")
        .delegated_permission("User.Read");
    let before = outcome(&graph, "Portal made").await;
    assert_eq!((before.roles.len(), before.grants.len()), (1, 1));
    let keeps = AppRegistration::new("Portal made").client_id(app.client_id());
    assert!(keeps.plan(&graph).await.unwrap().is_empty());
    let less = keeps.remove_unlisted();
    let plan = less.plan(&graph).await.unwrap();
    let text = plan.to_string();
    for line in [
        "- admin consent for Microsoft Graph Device.Read.All (application)",
        "- admin consent for Microsoft Graph User.Read (delegated)",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    plan.apply(&mut sink(&tenant)).await.unwrap();
    let after = outcome(&graph, "Portal made").await;
    assert_eq!((after.roles, after.grants), (Vec::new(), Vec::new()));
    assert!(less.plan(&graph).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_consent_of_a_listed_api_is_removed_by_name() {
    let (tenant, graph) = admin(ENOUGH).await;
    let app = tenant
        .register_app("Portal made")
        .with_secret()
        .delegated_permission("User.Read");
    let less = AppRegistration::new("Portal made")
        .client_id(app.client_id())
        .application(["Device.Read.All"])
        .grant_admin_consent()
        .remove_unlisted();
    let plan = less.plan(&graph).await.unwrap();
    assert!(
        plan.to_string()
            .contains("- admin consent for Microsoft Graph User.Read (delegated)"),
        "{plan}"
    );
    plan.apply(&mut sink(&tenant)).await.unwrap();
    let after = outcome(&graph, "Portal made").await;
    assert_eq!((after.roles.len(), after.grants.len()), (1, 0));
    assert!(less.plan(&graph).await.unwrap().is_empty());
}

/// What other tools and administrators added beside it stays.
#[tokio::test]
async fn consents_and_tags_of_others_stay() {
    let (tenant, graph) = admin(ENOUGH).await;
    let app = tenant
        .register_app("Portal made")
        .with_secret()
        .delegated_permission("User.Read");
    let id = object_id(&graph, &app).await;
    let principal = app.service_principal_id().to_string();
    let tags = |of: &[&str]| json!(of);
    let of_others = tags(&["of another tool"]);
    tenant
        .set_property("applications", &id, "tags", of_others.clone())
        .unwrap();
    tenant
        .set_property("servicePrincipals", &principal, "tags", of_others.clone())
        .unwrap();
    let blueprint = AppRegistration::new("Portal made")
        .client_id(app.client_id())
        .delegated(["GroupMember.Read.All"])
        .grant_admin_consent()
        .visible_to_users(false);
    apply(&blueprint, &graph, &mut sink(&tenant)).await;
    let after = outcome(&graph, "Portal made").await;
    assert_eq!(after.grants[0]["scope"], "User.Read GroupMember.Read.All");
    let read = graph.service_principal(principal.as_str()).get();
    let read = read.send().await.unwrap();
    assert_eq!(read.tags.unwrap(), ["of another tool", "HideApp"]);
    apply(&blueprint.remove_unlisted(), &graph, &mut sink(&tenant)).await;
    let after = outcome(&graph, "Portal made").await;
    assert_eq!(after.application["tags"], of_others);
    assert_eq!(after.grants[0]["scope"], "GroupMember.Read.All");
}

/// A plan names what it keeps or removes, also of APIs that the blueprint does not list.
#[tokio::test]
async fn apis_that_the_blueprint_does_not_list_are_named() {
    let (tenant, graph) = admin(ENOUGH).await;
    let scope = |name: &str| ScopeBlueprint::new(name, name, name);
    let role = AppRoleBlueprint::for_applications("Invoices.Export", "Export", "Exports");
    let api = AppRegistration::new("Billing")
        .app_id_uri("api://{client-id}")
        .scope(scope("Invoices.Read"))
        .scope(scope("Invoices.Send"))
        .app_role(role);
    let api = apply(&api, &graph, &mut sink(&tenant)).await;
    let all = AppRegistration::new("Order Desk")
        .delegated_of(api.client_id(), ["Invoices.Read", "Invoices.Send"])
        .application_of(api.client_id(), ["Invoices.Export"])
        .grant_admin_consent();
    apply(&all, &graph, &mut sink(&tenant)).await;
    let permissions = [
        "Billing Invoices.Read (delegated)",
        "Billing Invoices.Send (delegated)",
        "Billing Invoices.Export (application)",
    ];
    let bare = AppRegistration::new("Order Desk");
    let kept = bare.plan(&graph).await.unwrap().to_string();
    for name in permissions {
        let line = format!("= permission {name}, which the blueprint does not list");
        assert!(kept.contains(&line), "{line}: {kept}");
    }
    let plan = bare.remove_unlisted().plan(&graph).await.unwrap();
    let text = plan.to_string();
    for name in permissions {
        for line in [
            format!("- permission {name}"),
            format!("- admin consent for {name}"),
        ] {
            assert!(text.contains(&line), "{line}: {text}");
        }
    }
    plan.apply(&mut sink(&tenant)).await.unwrap();
    let after = outcome(&graph, "Order Desk").await;
    assert_eq!((after.roles, after.grants), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn an_api_that_is_listed_twice_counts_once() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::from_yaml(
        "
name: Order Desk
permissions:
  - delegated: [User.Read]
    application: [Device.Read.All]
  - api: 00000003-0000-0000-c000-000000000000
    delegated: [openid, user.read]
    application: [Device.Read.All, User.Read.All]
grant_admin_consent: true
remove_unlisted: true
",
    )
    .unwrap();
    apply(&blueprint, &graph, &mut sink(&tenant)).await;
    let outcome = outcome(&graph, "Order Desk").await;
    assert_eq!(outcome.grants[0]["scope"], "User.Read openid");
    assert_eq!(outcome.roles.len(), 2);
    let access = &outcome.application["requiredResourceAccess"][0]["resourceAccess"];
    assert_eq!(access.as_array().unwrap().len(), 4);
    let again = blueprint.plan(&graph).await.unwrap();
    assert!(again.is_empty(), "{again}");
}

async fn federated(graph: &GraphClient, id: &str) -> Vec<FederatedIdentityCredential> {
    let list = graph
        .application(id)
        .federated_identity_credentials()
        .list();
    list.items().try_collect().await.unwrap()
}

#[tokio::test]
async fn a_federated_credential_of_another_name_gets_the_audience_and_is_not_deleted() {
    let (tenant, graph) = admin(ENOUGH).await;
    let app = tenant.register_app("Portal made").with_secret();
    let id = object_id(&graph, &app).await;
    let credentials = graph.application(&id).federated_identity_credentials();
    let by_hand = NewFederatedIdentityCredential::new("by-hand", ISSUER, SUBJECT);
    let made = credentials.create(by_hand).send().await.unwrap();
    let blueprint = AppRegistration::new("Portal made")
        .client_id(app.client_id())
        .federated_credential(
            FederatedCredential::new("deploy", ISSUER, SUBJECT).audience("api://orders"),
        )
        .remove_unlisted();
    let plan = blueprint.plan(&graph).await.unwrap();
    assert_eq!(plan.changes().count(), 1, "{plan}");
    plan.apply(&mut sink(&tenant)).await.unwrap();
    let found = federated(&graph, &id).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id, made.id);
    assert_eq!(
        found[0].audiences.as_deref(),
        Some(&["api://orders".to_owned()][..])
    );
    let again = blueprint.plan(&graph).await.unwrap();
    assert!(again.is_empty(), "{again}");
    assert!(
        again.to_string().contains("= federated credential by-hand"),
        "{again}"
    );
}

/// A first certificate replaces the whole list, so nothing is added before it can be read back.
#[tokio::test]
async fn the_first_certificate_is_read_back_before_a_secret_is_added() {
    let (tenant, graph) = admin(ENOUGH).await;
    let app = tenant.register_app("Portal made");
    let id = object_id(&graph, &app).await;
    let pem = include_str!("../../../../entra-mock/src/keys/client.test-cert.pem");
    let blueprint = AppRegistration::new("Portal made")
        .client_id(app.client_id())
        .certificate(Certificate::from_pem("first", pem).unwrap())
        .secret("production", Lifetime::months(6));
    let plan = blueprint.plan(&graph).await.unwrap();
    tenant.set_replication_delay(Duration::from_secs(30));
    tenant.forget_requests();
    plan.apply(&mut sink(&tenant)).await.unwrap();
    let requests = tenant.requests().within("/v1.0/");
    let at = |is: &dyn Fn(&RequestRecord) -> bool| requests.iter().position(is).unwrap();
    let written = at(&|one| one.method == "PATCH");
    let added = at(&|one| one.path.ends_with("/addPassword"));
    let reads = requests.iter().skip(written).take(added - written);
    let reads = reads.filter(|one| one.path.ends_with(&id) && one.method == "GET");
    assert!(reads.count() >= 3, "several reads must agree");
    tenant.set_replication_delay(Duration::ZERO);
    let outcome = outcome(&graph, "Portal made").await;
    assert_eq!(outcome.application["keyCredentials"], 1);
    assert_eq!(outcome.secrets, ["production"]);
}

#[tokio::test]
async fn permissions_of_another_api_are_asked_for_and_granted() {
    let (tenant, graph) = admin(ENOUGH).await;
    let api = AppRegistration::new("Billing")
        .app_id_uri("api://{client-id}")
        .scope(ScopeBlueprint::new(
            "Invoices.Read",
            "Read invoices",
            "Reads invoices",
        ))
        .app_role(AppRoleBlueprint::for_applications(
            "Invoices.Read.All",
            "Read all invoices",
            "Reads all invoices",
        ));
    let api = apply(&api, &graph, &mut sink(&tenant)).await;
    let uri = format!("api://{}", api.client_id());
    for name in [uri.as_str(), api.client_id()] {
        let blueprint = AppRegistration::new(format!("Order Desk {}", name.len()))
            .delegated_of(name, ["Invoices.Read"])
            .application_of(name, ["Invoices.Read.All"])
            .grant_admin_consent();
        let plan = blueprint.plan(&graph).await.unwrap();
        let line = "+ admin consent for Billing Invoices.Read.All (application)";
        assert!(plan.to_string().contains(line), "{plan}");
        plan.apply(&mut sink(&tenant)).await.unwrap();
        let outcome = outcome(&graph, blueprint.name()).await;
        assert_eq!(outcome.grants[0]["scope"], "Invoices.Read");
        assert_eq!(outcome.roles[0]["resourceDisplayName"], "Billing");
        let again = blueprint.plan(&graph).await.unwrap();
        assert!(again.is_empty(), "{again}");
    }
}

#[tokio::test]
async fn an_app_role_for_users_is_no_application_permission() {
    let (tenant, graph) = admin(ENOUGH).await;
    let role = AppRoleBlueprint::for_users("Approver", "Approver", "Approves orders");
    let api = AppRegistration::new("Orders API").app_role(role);
    let api = apply(&api, &graph, &mut sink(&tenant)).await;
    let blueprint = AppRegistration::new("Order Desk")
        .application_of(api.client_id(), ["Approver"])
        .grant_admin_consent();
    let error = blueprint.plan(&graph).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("it is an app role for users and groups only"),
        "{error}"
    );
}

/// Microsoft Graph has one name, which counts in any case, and one URI for each cloud.
#[tokio::test]
async fn microsoft_graph_is_known_by_its_uri_too() {
    let (_tenant, graph) = admin(ENOUGH).await;
    for name in [
        "https://graph.microsoft.com",
        "https://graph.microsoft.com/",
        "microsoft graph",
        "00000003-0000-0000-C000-000000000000",
    ] {
        let blueprint = AppRegistration::new("Order Desk")
            .web_redirect_uri("https://orders.contoso.com/cb")
            .delegated_of(name, ["openid"]);
        let plan = blueprint.plan(&graph).await.unwrap();
        let line = "+ permission Microsoft Graph openid (delegated)";
        assert!(plan.to_string().contains(line), "{plan}");
        let warning = plan.warnings().next().unwrap_or_default();
        assert!(warning.contains("openid without profile"), "{name}: {plan}");
    }
}

/// Names of permissions are the same in any case, for Entra and in a blueprint.
#[tokio::test]
async fn a_consent_in_other_letters_is_a_consent() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk")
        .delegated(["User.Read", "profile"])
        .grant_admin_consent();
    apply(&blueprint, &graph, &mut sink(&tenant)).await;
    let grants = graph.raw(Method::GET, "/oauth2PermissionGrants");
    let grants: Vec<Value> = grants.items::<Value>().try_collect().await.unwrap();
    let own = grants
        .iter()
        .find(|one| one["scope"] == "User.Read profile");
    let path = format!(
        "/oauth2PermissionGrants/{}",
        own.unwrap()["id"].as_str().unwrap()
    );
    let request = graph.raw(Method::PATCH, path);
    let request = request.body_json(&json!({"scope": "user.read profile"}));
    request.send().await.unwrap();
    for blueprint in [blueprint.clone(), blueprint.remove_unlisted()] {
        let plan = blueprint.plan(&graph).await.unwrap();
        assert!(plan.is_empty(), "{plan}");
    }
}
