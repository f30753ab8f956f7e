//! Who reads the report: an application or an administrator, each registered by its blueprint.

use std::{io::Write, sync::Arc};

use entra_core::{Environment, StaticCredential};
use entra_graph::{
    GraphClient,
    registration::{EnvFile, MemorySink},
};
use entra_mock::{FakeTenant, License};
use serde_json::json;

use crate::saas_usage::{
    collect,
    progress::Progress,
    setup::{self, SignIn},
    tenant::Connection,
    usage::Report,
};
use crate::usage_report::{PERMISSIONS, to_fake};

async fn company() -> Arc<FakeTenant> {
    Arc::new(FakeTenant::builder().users(60).start().await)
}

async fn registered(tenant: &Arc<FakeTenant>, sign_in: SignIn) -> (Connection, String) {
    let mut out: Vec<u8> = Vec::new();
    let connection = Connection::registered(tenant, sign_in, &mut out).await;
    (connection.unwrap(), String::from_utf8(out).unwrap())
}

/// The apps with users, the assignments, the users who signed in and those who did not.
async fn figures(connection: &Connection) -> [usize; 3] {
    let facts = collect::collect(connection, 30, &Progress::default()).await;
    let totals = Report::of(&facts.unwrap()).totals();
    [totals.assigned, totals.active, totals.idle]
}

/// Each writes into the present directory, and can be repeated.
#[tokio::test]
async fn both_ways_to_sign_in_are_registered_beside_each_other() {
    let tenant = company().await;
    let graph = setup::administrator(&tenant).unwrap();
    let name = format!("entra-usage-{}-{}", tenant.id(), std::process::id());
    let directory = std::env::temp_dir().join(name);
    std::fs::create_dir(&directory).unwrap();
    let mut out: Vec<u8> = Vec::new();
    for sign_in in [
        SignIn::Application,
        SignIn::Code,
        SignIn::Application,
        SignIn::Browser,
    ] {
        let path = directory.join(sign_in.file());
        let mut file = EnvFile::new(&path).clock(tenant.clock());
        let blueprint = sign_in.blueprint().unwrap();
        let applied = setup::apply(&graph, &blueprint, &mut file, &mut out);
        let applied = applied.await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let variables = text.lines().filter_map(|line| line.split_once('='));
        let variables = variables.filter(|(name, _)| name.starts_with("AZURE_"));
        let environment = Environment::from_pairs(variables);
        let connection = Connection::from_env(&environment, sign_in).unwrap();
        assert_eq!(connection.client_id.to_string(), applied.client_id());
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test]
async fn an_administrator_and_an_application_see_the_figures_of_the_least_permissions() {
    let tenant = company().await;
    let least = to_fake(&tenant, &PERMISSIONS).unwrap();
    let expected = figures(&least).await;
    assert!(expected.iter().all(|figure| *figure > 0), "{expected:?}");
    let (application, plan) = registered(&tenant, SignIn::Application).await;
    for line in [
        "+ registration \"SaaS Usage\"",
        "+ admin consent for Microsoft Graph AuditLog.Read.All (application)",
        "+ secret \"usage report\", 12 months",
    ] {
        assert!(plan.contains(line), "{line}\n{plan}");
    }
    assert_eq!(figures(&application).await, expected);
    tenant.forget_requests();
    let (administrator, plan) = registered(&tenant, SignIn::Code).await;
    assert!(plan.contains("+ public client flows enabled"), "{plan}");
    // The administrator's own sign-in counts.
    let [assigned, active, idle] = expected;
    let seen = figures(&administrator).await;
    assert_eq!(seen, [assigned, active + 1, idle]);
    assert_eq!(figures(&application).await, seen);
    tenant.requests().to("/devicecode").assert_count(1);
}

#[tokio::test]
async fn a_second_apply_of_each_blueprint_sends_reads_only() {
    let tenant = company().await;
    let graph = setup::administrator(&tenant).unwrap();
    for sign_in in [SignIn::Application, SignIn::Code] {
        let mut sink = MemorySink::new().clock(tenant.clock());
        let blueprint = sign_in.blueprint().unwrap();
        let out: &mut (dyn Write + Send) = &mut Vec::new();
        setup::apply(&graph, &blueprint, &mut sink, out)
            .await
            .unwrap();
        tenant.forget_requests();
        let again = setup::apply(&graph, &blueprint, &mut sink, out)
            .await
            .unwrap();
        assert_eq!(again.changes(), [], "{sign_in:?}");
        let requests = tenant.requests().within("/v1.0/");
        assert!(requests.count() > 0);
        assert!(requests.iter().all(|request| request.method == "GET"));
    }
}

#[tokio::test]
async fn an_administrator_without_a_licence_is_told_so() {
    let tenant = company().await;
    let graph = setup::administrator(&tenant).unwrap();
    let products = graph.subscribed_skus().list().send().await.unwrap();
    let licence = json!([{"skuId": products.items[0].sku_id, "disabledPlans": []}]);
    tenant
        .user("admin@contoso.com")
        .set("assignedLicenses", licence);
    let (connection, _) = registered(&tenant, SignIn::Code).await;
    assert_eq!(connection.licence_of_the_user().await.unwrap(), None);
    let free = FakeTenant::builder().users(60).license(License::Free);
    let free = Arc::new(free.start().await);
    let (connection, _) = registered(&free, SignIn::Code).await;
    let note = connection.licence_of_the_user().await.unwrap().unwrap();
    assert!(note.contains("no Entra ID P1 or P2 licence"), "{note}");
    let facts = collect::collect(&connection, 30, &Progress::default()).await;
    let totals = Report::of(&facts.unwrap()).totals();
    assert!(totals.assigned > 0, "assignments need no licence");
}

#[test]
fn the_public_application_has_its_own_variable_or_the_usual_one() {
    let problem = |pairs: &[(&str, &str)]| {
        let environment = Environment::from_pairs(pairs.iter().copied());
        let connection = Connection::from_env(&environment, SignIn::Code);
        connection.unwrap_err().to_string()
    };
    let neither = problem(&[("AZURE_TENANT_ID", "contoso.com")]);
    assert!(neither.contains("AZURE_CLIENT_ID is not set"), "{neither}");
    let bad = problem(&[
        ("AZURE_TENANT_ID", "contoso.com"),
        ("AZURE_CLIENT_ID", "66666666-7777-8888-9999-000000000000"),
        ("ENTRA_PUBLIC_CLIENT_ID", "my-app"),
    ]);
    assert!(bad.contains("ENTRA_PUBLIC_CLIENT_ID is invalid"), "{bad}");
    let id = "66666666-7777-8888-9999-000000000000";
    let environment = Environment::from_pairs([
        ("AZURE_TENANT_ID", "contoso.com\r".to_owned()),
        ("ENTRA_PUBLIC_CLIENT_ID", format!("{id}\r")),
    ]);
    let connection = Connection::from_env(&environment, SignIn::Code).unwrap();
    assert_eq!(connection.client_id.to_string(), id);
}

#[tokio::test]
async fn a_licence_without_its_premium_plan_is_none() {
    let tenant = company().await;
    let graph = setup::administrator(&tenant).unwrap();
    let products = graph.subscribed_skus().list().send().await.unwrap();
    let product = &products.items[0];
    let plans = product.service_plans.as_deref().unwrap();
    let plans: Vec<String> = plans
        .iter()
        .map(|plan| plan.service_plan_id.clone().unwrap())
        .collect();
    let licence = json!([{"skuId": product.sku_id, "disabledPlans": plans}]);
    tenant
        .user("admin@contoso.com")
        .set("assignedLicenses", licence);
    let (connection, _) = registered(&tenant, SignIn::Code).await;
    let note = connection.licence_of_the_user().await.unwrap().unwrap();
    assert!(note.contains("no Entra ID P1 or P2 licence"), "{note}");
}

#[tokio::test]
async fn an_administrator_with_the_least_permissions_reads_the_report() {
    let tenant = company().await;
    let app = tenant.register_app("Least").public_client();
    for permission in PERMISSIONS {
        let _ = app.delegated_permission(permission);
    }
    let tokens = tenant.tokens_for(&app, "admin@contoso.com", PERMISSIONS);
    let token = StaticCredential::new(tokens.access_token().expose_secret());
    let graph = GraphClient::builder(token)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    let connection = Connection::to(&tenant, app.client_id(), graph);
    let note = connection.licence_of_the_user().await.unwrap().unwrap();
    assert!(note.contains("is unknown"), "{note}");
    assert!(figures(&connection).await[0] > 0);
}
