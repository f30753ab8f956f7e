//! Registrations that are created from a template of the gallery.

use std::time::Duration;

use entra_core::Clock as _;
use entra_graph::{
    Application, ApplicationTemplate, ErrorKind, GraphClient,
    registration::{AppRegistration, Certificate, DeletedChoice, Lifetime},
};
use entra_mock::FakeTenant;
use serde_json::json;
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{path_regex, query_param},
};

use super::{ENOUGH, admin, apply, factory::Signer, graph_of, outcome, sink, writes};

fn blueprint() -> AppRegistration {
    AppRegistration::new("Expense Desk")
        .gallery_template(ApplicationTemplate::NOT_IN_GALLERY)
        .web_redirect_uri("https://expenses.contoso.com/saml")
        .assignment_required(false)
        .assign_user("adele@contoso.com")
        .application(["User.Read.All"])
        .grant_admin_consent()
        .secret("provisioning", Lifetime::months(6))
}

#[tokio::test]
async fn a_registration_comes_from_the_gallery_and_a_second_apply_sends_reads_only() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = blueprint();
    let plan = blueprint.plan(&graph).await.unwrap();
    let text = plan.to_string();
    assert!(
        text.contains("+ registration \"Expense Desk\" and enterprise application from the gallery template Custom"),
        "{text}"
    );
    assert!(
        text.contains("web redirect URI https://expenses.contoso.com/saml"),
        "{text}"
    );
    let mut sink = sink(&tenant);
    plan.apply(&mut sink).await.unwrap();
    let outcome = outcome(&graph, "Expense Desk").await;
    let application = &outcome.application;
    assert_eq!(
        application["applicationTemplateId"],
        ApplicationTemplate::NOT_IN_GALLERY
    );
    assert_eq!(application["tags"], json!(["registration:expense-desk"]));
    let roles = application["appRoles"].as_array().unwrap();
    assert!(
        roles
            .iter()
            .any(|role| role["displayName"] == "msiam_access")
    );
    assert_eq!((outcome.principals, outcome.assigned.len()), (1, 1));
    assert_eq!((outcome.roles.len(), outcome.secrets.len()), (1, 1));
    tenant.forget_requests();
    let again = blueprint.plan(&graph).await.unwrap();
    assert!(again.is_empty(), "{again}");
    again.apply(&mut sink).await.unwrap();
    assert_eq!(writes(&tenant), Vec::<String>::new());
}

#[tokio::test]
async fn the_roles_of_a_gallery_application_are_never_removed() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = blueprint().remove_unlisted();
    let plan = blueprint.plan(&graph).await.unwrap();
    plan.apply(&mut sink(&tenant)).await.unwrap();
    let application = outcome(&graph, "Expense Desk").await.application;
    let roles = application["appRoles"].as_array().unwrap();
    for name in ["User", "msiam_access"] {
        let role = roles.iter().find(|role| role["displayName"] == name);
        assert!(
            role.is_some_and(|role| role["isEnabled"] == true),
            "{name}: {roles:?}"
        );
    }
    let again = blueprint.plan(&graph).await.unwrap();
    assert!(again.is_empty(), "{again}");
}

#[tokio::test]
async fn a_template_is_named_as_the_gallery_does_and_cannot_be_changed_later() {
    let (tenant, graph) = admin(ENOUGH).await;
    let toolkit = "Microsoft Entra SAML Toolkit";
    let blueprint = AppRegistration::new("Tools").gallery_template(toolkit);
    let plan = blueprint.plan(&graph).await.unwrap();
    let applied = plan.apply(&mut sink(&tenant)).await.unwrap();
    let principal = graph.service_principal(applied.service_principal_id());
    let principal = principal.get().send().await.unwrap();
    assert_eq!(principal.display_name.as_deref(), Some("Tools"));

    let exported = AppRegistration::export(&graph, applied.client_id().parse().unwrap());
    let exported = exported.await.unwrap();
    assert!(exported.plan(&graph).await.unwrap().is_empty());
    let other = AppRegistration::new("Tools").gallery_template(ApplicationTemplate::NOT_IN_GALLERY);
    let plan = other.plan(&graph).await.unwrap();
    assert!(
        plan.to_string()
            .contains("was not created from the gallery template Custom"),
        "{plan}"
    );
    plan.apply(&mut sink(&tenant)).await.unwrap_err();
    let absent = AppRegistration::new("Tools 2").gallery_template("No such application");
    let error = absent.plan(&graph).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Registration);
    assert!(
        error
            .to_string()
            .contains("the gallery has no application template")
    );
}

/// The gallery has it no more, so it can be restored, and not created again.
#[tokio::test]
async fn a_template_is_looked_up_unless_the_registration_has_it_or_gets_it_back() {
    let (tenant, graph) = admin(ENOUGH).await;
    let plain = AppRegistration::new("Order Desk");
    apply(&plain, &graph, &mut sink(&tenant)).await;
    let error = plain.gallery_template("").plan(&graph).await.unwrap_err();
    assert!(
        error.to_string().contains("has no application template"),
        "{error}"
    );

    let blueprint =
        AppRegistration::new("Tools").gallery_template(ApplicationTemplate::NOT_IN_GALLERY);
    apply(&blueprint, &graph, &mut sink(&tenant)).await;
    assert!(blueprint.destroy(&graph).await.unwrap());
    tenant.clock().advance(Duration::from_secs(60 * 60));
    let graph = graph_of(&tenant, ENOUGH).await;
    let absent = json!({"error": {"code": "Request_ResourceNotFound", "message": "Resource does not exist."}});
    let dropped = ResponseTemplate::new(404).set_body_json(absent);
    let dropped = Mock::given(path_regex("/applicationTemplates/[^/]+$")).respond_with(dropped);
    tenant.mount(dropped).await;
    let plan = blueprint.plan(&graph).await.unwrap();
    let text = plan.to_string();
    assert!(text.contains("restore the deleted"), "{text}");
    let again = blueprint.if_deleted(DeletedChoice::Purge);
    let error = again.plan(&graph).await.unwrap_err();
    assert!(
        error.to_string().contains("has no application template"),
        "{error}"
    );
}

#[tokio::test]
async fn an_instantiation_that_graph_reports_as_failed_is_looked_for_and_not_repeated() {
    let (tenant, graph) = admin(ENOUGH).await;
    let plan = blueprint().plan(&graph).await.unwrap();
    // It is processed, and the response is lost behind a 404.
    let made = graph
        .application_template(ApplicationTemplate::NOT_IN_GALLERY)
        .instantiate(&name_of(&plan))
        .send()
        .await
        .unwrap();
    let absent = json!({"error": {"code": "Request_ResourceNotFound", "message": "Resource does not exist."}});
    let lost = ResponseTemplate::new(404).set_body_json(absent);
    let lost = Mock::given(path_regex("/instantiate$")).respond_with(lost);
    tenant.mount(lost).await;
    let applied = plan.apply(&mut sink(&tenant)).await.unwrap();
    assert_eq!(
        Some(applied.client_id()),
        made.application.app_id.as_deref()
    );
    assert_eq!(outcome(&graph, "Expense Desk").await.principals, 1);
}

#[tokio::test]
async fn replication_delay_makes_no_second_one() {
    let (tenant, graph) = admin(ENOUGH).await;
    tenant.set_replication_delay(Duration::from_secs(60));
    let plan = blueprint().plan(&graph).await.unwrap();
    let mut sink = sink(&tenant);
    plan.apply(&mut sink).await.unwrap();
    tenant.set_replication_delay(Duration::ZERO);
    let outcome = outcome(&graph, "Expense Desk").await;
    assert_eq!((outcome.principals, outcome.secrets.len()), (1, 1));
    assert!(blueprint().plan(&graph).await.unwrap().is_empty());
}

/// The object ids of the registrations with the name of the blueprint, marked or not.
async fn registrations(graph: &GraphClient) -> Vec<String> {
    let all = graph.applications().list().items();
    let all: Vec<Application> = all.try_collect().await.unwrap();
    let named = all.into_iter().filter(|one| {
        let name = one.display_name.as_deref();
        name.is_some_and(|name| name.starts_with("Expense Desk"))
    });
    named.map(|one| one.id).collect()
}

/// Creates an application from the template as a run does, and returns its object id.
async fn instantiate(graph: &GraphClient, name: &str) -> String {
    let template = graph.application_template(ApplicationTemplate::NOT_IN_GALLERY);
    let made = template.instantiate(name).send().await.unwrap();
    made.application.id
}

#[tokio::test]
async fn of_two_from_the_template_the_younger_one_is_deleted_and_an_older_one_stays() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = blueprint();
    let name = name_of(&blueprint.plan(&graph).await.unwrap());
    let older = instantiate(&graph, &name).await;
    tenant.clock().advance(Duration::from_secs(1));
    let kept = instantiate(&graph, &name).await;
    let update = graph.application(&kept).update();
    let update = update.set(Application::DISPLAY_NAME, "Expense Desk");
    let update = update.set(Application::TAGS, ["registration:expense-desk"]);
    update.send().await.unwrap();
    tenant.clock().advance(Duration::from_secs(1));
    let younger = instantiate(&graph, &name).await;

    let plan = blueprint.plan(&graph).await.unwrap();
    let text = plan.to_string();
    let stays =
        format!("= an older registration from the gallery template, with the object id {older}");
    assert!(text.contains(&stays), "{text}");
    let removed = format!("with the object id {younger}");
    assert!(
        text.contains("- a second registration") && text.contains(&removed),
        "{text}"
    );
    let applied = plan.apply(&mut sink(&tenant)).await.unwrap();
    assert_eq!(applied.object_id(), kept);
    let mut left = registrations(&graph).await;
    let mut expected = vec![older, kept];
    left.sort();
    expected.sort();
    assert_eq!(left, expected);
    assert!(blueprint.plan(&graph).await.unwrap().is_empty());
}

/// The list is older than what the registration is now.
#[tokio::test]
async fn a_second_one_that_only_a_stale_list_shows_without_a_mark_stays() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = blueprint();
    let name = name_of(&blueprint.plan(&graph).await.unwrap());
    apply(&blueprint, &graph, &mut sink(&tenant)).await;
    tenant.clock().advance(Duration::from_secs(1));
    let other = instantiate(&graph, "Expense Desk of another team").await;
    let list = json!({"value": [{"id": other, "createdDateTime": "2099-01-01T00:00:00Z"}]});
    let stale = Mock::given(path_regex("/applications$"))
        .and(query_param("$filter", format!("displayName eq '{name}'")))
        .respond_with(ResponseTemplate::new(200).set_body_json(list));
    tenant.mount(stale).await;
    let plan = blueprint.plan(&graph).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
    assert!(registrations(&graph).await.contains(&other));
}

/// Each run may see its own registration first.
#[tokio::test]
async fn two_applies_at_once_return_the_same_registration_and_leave_one() {
    for random_seed in 1..9 {
        for seconds in [10, 30, 60] {
            let tenant = FakeTenant::builder().random_seed(random_seed).start().await;
            let one = graph_of(&tenant, ENOUGH).await;
            let other = graph_of(&tenant, ENOUGH).await;
            let plans = (
                blueprint().plan(&one).await.unwrap(),
                blueprint().plan(&other).await.unwrap(),
            );
            tenant.set_replication_delay(Duration::from_secs(seconds));
            let (mut first, mut second) = (sink(&tenant), sink(&tenant));
            let (a, b) = tokio::join!(plans.0.apply(&mut first), plans.1.apply(&mut second));
            tenant.set_replication_delay(Duration::ZERO);
            let case = format!("seed {random_seed}, {seconds} s");
            let a = a.unwrap_or_else(|error| panic!("{case}: {error:#}"));
            let b = b.unwrap_or_else(|error| panic!("{case}: {error:#}"));
            assert_eq!(a.object_id(), b.object_id(), "{case}");
            assert_eq!(registrations(&one).await, [a.object_id()], "{case}");
        }
    }
}

#[tokio::test]
async fn an_apply_right_after_another_one_keeps_its_registration() {
    for random_seed in 1..5 {
        let tenant = FakeTenant::builder().random_seed(random_seed).start().await;
        let one = graph_of(&tenant, ENOUGH).await;
        let next = graph_of(&tenant, ENOUGH).await;
        tenant.set_replication_delay(Duration::from_secs(60));
        let first = apply(&blueprint(), &one, &mut sink(&tenant)).await;
        let second = apply(&blueprint(), &next, &mut sink(&tenant)).await;
        tenant.set_replication_delay(Duration::ZERO);
        assert_eq!(second.object_id(), first.object_id(), "seed {random_seed}");
        let left = registrations(&one).await;
        assert_eq!(left, [first.object_id()], "seed {random_seed}");
    }
}

#[tokio::test]
async fn only_a_run_that_is_not_alone_waits_for_an_older_registration() {
    let took = async |blueprint: AppRegistration| {
        let (tenant, graph) = admin(ENOUGH).await;
        let start = tenant.clock().now();
        apply(&blueprint, &graph, &mut sink(&tenant)).await;
        (tenant.clock().now() - start).unsigned_abs()
    };
    let two_minutes = Duration::from_secs(120);
    assert!(took(blueprint()).await >= two_minutes);
    assert!(took(blueprint().sole_writer()).await < two_minutes);
    // By then no other run writes a first certificate to what this one created.
    let first = Certificate::from_pem("first", Signer::first().certificate()).unwrap();
    let with_certificate = took(blueprint().certificate(first)).await;
    assert!(
        (two_minutes..two_minutes * 3 / 2).contains(&with_certificate),
        "{with_certificate:?}"
    );
}

/// The display name until the registration has its tag.
fn name_of(plan: &entra_graph::registration::Plan) -> String {
    let debug = format!("{plan:?}");
    let (_, rest) = debug.split_once("Instantiate {").unwrap();
    let (_, rest) = rest.split_once("name: \"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}
