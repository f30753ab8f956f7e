//! Blueprints in the wrong directory, and blueprints that a product will probably not want.

use entra_graph::{
    ErrorKind, GraphClient,
    registration::{AppRegistration, Certificate, Lifetime},
};
use entra_mock::FakeTenant;
use serde_json::json;
use wiremock::{Mock, ResponseTemplate, matchers::path_regex};

use super::{
    ENOUGH, admin, apply,
    factory::{Factory, Signer, secret_of},
    graph_of, sink, writes,
};
use crate::support::AppCredential;

const OTHER: &str = "5d0f3c1e-1d71-4883-8f98-567911bfdca6";

#[tokio::test]
async fn a_plan_in_another_directory_than_the_blueprints_stops() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk");
    for directory in [OTHER, "fabrikam.com"] {
        let plan = blueprint.clone().directory(directory);
        let plan = plan.plan(&graph).await.unwrap();
        let stops: Vec<&str> = plan.stops().collect();
        assert_eq!(stops.len(), 1, "{plan}");
        for text in ["wrong directory", directory, &tenant.id().to_string()] {
            assert!(stops[0].contains(text), "{text}: {plan}");
        }
        assert!(plan.to_string().contains("! this is the wrong directory"));
        assert!(!plan.is_empty());
        let error = plan.apply(&mut sink(&tenant)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Registration);
        assert!(error.to_string().contains("wrong directory"), "{error}");
    }
    assert_eq!(writes(&tenant), Vec::<String>::new());
    for directory in [tenant.id().to_string(), " Contoso.COM ".to_owned()] {
        let plan = blueprint.clone().directory(directory).plan(&graph).await;
        assert_eq!(plan.unwrap().stops().count(), 0);
    }
}

#[tokio::test]
async fn a_registration_that_exists_is_not_reported_as_complete_in_the_wrong_directory() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk");
    let plan = blueprint.plan(&graph).await.unwrap();
    plan.apply(&mut sink(&tenant)).await.unwrap();
    assert!(blueprint.plan(&graph).await.unwrap().is_empty());
    let plan = blueprint.directory(OTHER).plan(&graph).await.unwrap();
    assert!(!plan.is_empty(), "{plan}");
    plan.apply(&mut sink(&tenant)).await.unwrap_err();
}

/// The registration of the same blueprint in another tenant has the same unique name and tag.
#[tokio::test]
async fn nothing_is_changed_or_deleted_in_the_wrong_directory() {
    let (tenant, graph) = admin(ENOUGH).await;
    let (mut sink, factory) = (sink(&tenant), Factory::of(&tenant));
    let first = Certificate::from_pem("first", Signer::first().certificate()).unwrap();
    let blueprint = AppRegistration::new("Order Desk")
        .secret("production", Lifetime::months(6))
        .certificate(first);
    let applied = apply(&blueprint, &graph, &mut sink).await;
    let (id, secret) = (applied.secrets()[0].id, secret_of(&sink));
    let second = Certificate::from_pem("second", Signer::second().certificate()).unwrap();
    let (old_key, new_key) = (Signer::first(), Signer::second().material());
    let unused = "f0b0b335-1d71-4883-8f98-567911bfdca6".parse().unwrap();
    tenant.forget_requests();
    for directory in [OTHER, "fabrikam.com"] {
        let wrong = blueprint.clone().directory(directory);
        // A client without a token yet: what it says of the tenant is known after the first read.
        let graph = graph_of(&tenant, ENOUGH).await;
        let mut errors = vec![wrong.destroy(&graph).await.unwrap_err()];
        let rotated = wrong.rotate(&graph, "production", &factory, &mut sink);
        errors.push(rotated.await.unwrap_err());
        // The sink of the other tenant does not hold it.
        let mut empty = super::sink(&tenant);
        errors.push(wrong.retire(&graph, id, &mut empty).await.unwrap_err());
        let verified = wrong.verify(&graph, &factory, &secret).await;
        errors.push(verified.unwrap_err());
        let rotated = wrong.rotate_certificate(&graph, &second, &old_key, &factory, &new_key);
        errors.push(rotated.await.unwrap_err());
        let retired = wrong.retire_certificate(&graph, unused, &old_key);
        errors.push(retired.await.unwrap_err());
        // Nor does another name in the blueprint make it look as if nothing were there.
        let absent = AppRegistration::new("Never applied").directory(directory);
        errors.push(absent.destroy(&graph).await.unwrap_err());
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Registration, "{error}");
            assert!(error.to_string().contains("wrong directory"), "{error}");
        }
    }
    assert_eq!(writes(&tenant), Vec::<String>::new());
    let right = blueprint.directory(tenant.domain());
    assert!(right.destroy(&graph).await.unwrap());
}

/// The sign-in service says which tenant has a domain, to anyone.
#[tokio::test]
async fn a_domain_needs_no_permission_and_one_that_nobody_knows_stops() {
    let tenant = FakeTenant::start().await;
    let graph = graph_of(&tenant, &["Application.ReadWrite.All"]).await;
    let blueprint = AppRegistration::new("Order Desk");
    let in_directory = |directory: String| blueprint.clone().directory(directory);
    for directory in [tenant.domain(), tenant.id().to_string()] {
        let plan = in_directory(directory).plan(&graph).await.unwrap();
        assert_eq!(plan.stops().count(), 0, "{plan}");
    }
    let plan = in_directory("never-verified.example".to_owned());
    let plan = plan.plan(&graph).await.unwrap();
    let stop = plan.stops().next().unwrap();
    assert!(
        stop.contains("not known") && stop.contains("Organization.Read.All"),
        "{stop}"
    );
    let issuer = format!("https://login.microsoftonline.com/{OTHER}/v2.0");
    let metadata = ResponseTemplate::new(200).set_body_json(json!({ "issuer": issuer }));
    let metadata = Mock::given(path_regex("^/fabrikam.com/v2.0/")).respond_with(metadata);
    tenant.mount(metadata).await;
    let plan = in_directory("fabrikam.com".to_owned());
    let plan = plan.plan(&graph).await.unwrap();
    let stop = plan.stops().next().unwrap();
    assert!(stop.contains("wrong directory"), "{stop}");
}

/// As a job does that has no more than its own application.
#[tokio::test]
async fn a_rotation_with_the_permission_for_owned_applications_takes_a_domain() {
    let (tenant, graph) = admin(ENOUGH).await;
    let (mut sink, factory) = (sink(&tenant), Factory::of(&tenant));
    let blueprint = AppRegistration::new("Order Desk")
        .directory(tenant.domain())
        .secret("production", Lifetime::months(6));
    let job = tenant.register_app("Rotation job").with_secret();
    job.application_permission("Application.ReadWrite.OwnedBy");
    let applied = apply(&blueprint, &graph, &mut sink).await;
    let owners = graph.application(applied.object_id()).owners();
    let job_id = job.service_principal_id().to_string();
    owners.add(job_id.as_str()).send().await.unwrap();
    let own = GraphClient::builder(AppCredential::new(&tenant, &job))
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    let rotated = blueprint.rotate(&own, "production", &factory, &mut sink);
    rotated.await.unwrap();
}

#[test]
fn the_guide_names_the_directory() {
    let guide = AppRegistration::new("Order Desk")
        .directory("contoso.com")
        .guide();
    let page = guide.to_markdown();
    assert!(
        page.contains("directory at the top right is **contoso.com**"),
        "{page}"
    );
    let page = AppRegistration::new("Order Desk").guide().to_markdown();
    assert!(
        page.contains("Check the directory at the top right."),
        "{page}"
    );
}

#[test]
fn the_guide_asks_for_a_privileged_role_only_for_application_permissions_of_the_directory() {
    let of = |blueprint: AppRegistration| {
        let page = blueprint.grant_admin_consent().guide().to_markdown();
        page.contains("needs the role **Privileged Role Administrator or Global Administrator**")
    };
    let blueprint = || AppRegistration::new("Order Desk");
    assert!(of(blueprint().application(["User.Read.All"])));
    assert!(!of(blueprint().delegated(["User.Read"])));
    let directory = "00000002-0000-0000-c000-000000000000";
    assert!(of(blueprint().application_of(directory, ["User.Read.All"])));
    assert!(!of(
        blueprint().application_of("Orders API", ["Orders.Read"])
    ));
}

#[tokio::test]
async fn openid_without_profile_is_a_warning_and_no_stop() {
    let (tenant, graph) = admin(ENOUGH).await;
    for (scopes, warnings) in [
        (vec!["openid", "email"], 1),
        (vec!["openid", "profile"], 0),
        (vec!["User.Read"], 0),
    ] {
        let blueprint = AppRegistration::new("Order Desk").delegated(scopes);
        let plan = blueprint.plan(&graph).await.unwrap();
        assert_eq!(plan.warnings().count(), warnings, "{plan}");
        assert_eq!(plan.to_string().matches("have no oid").count(), warnings);
        plan.apply(&mut sink(&tenant)).await.unwrap();
    }
}

#[test]
fn the_guide_asks_for_the_value_of_a_secret_and_its_date() {
    let text = "Add the **Value** of each client secret and the date in **Expires**";
    let blueprint = AppRegistration::new("Order Desk");
    assert!(!blueprint.guide().to_markdown().contains(text));
    let blueprint = blueprint.secret("one", Lifetime::months(1));
    assert!(blueprint.guide().to_markdown().contains(text));
}
