//! The report against fake tenants with known figures.

use std::time::Duration;

use entra_core::Clock;
use entra_mock::{App, FakeTenant, License, Seed};
use serde_json::{Value, json};

use crate::saas_usage::{
    collect, html, json as document,
    progress::Progress,
    setup::SignIn,
    table,
    tenant::{Connection, with_secret},
    usage::{Facts, Report},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Adele is assigned to the desk directly and through Finance; Bert through Finance, disabled;
/// Carla is a member of a group inside of Finance, so she is not assigned; Dora is assigned and idle; a
/// guest is not assigned and signs in. Finance is assigned to the board as well, no user to the vault.
struct Company {
    tenant: FakeTenant,
    desk: App,
    board: App,
    vault: App,
    tried: App,
}

async fn company() -> Company {
    let tenant = FakeTenant::builder().seed(Seed::Empty).start().await;
    let [adele, bert, carla, dora, guest] =
        ["Adele", "Bert", "Carla", "Dora", "Guest"].map(|name| tenant.add_user(name));
    bert.disable();
    guest.set("userType", "Guest".into());
    let [desk, board, vault, tried, silent] = [
        "Expense Desk",
        "Ticket Board",
        "Contract Vault",
        "Tried Once",
        "Silent",
    ]
    .map(|name| tenant.register_app(name));
    let finance = tenant.add_group("Finance");
    let nested = tenant.add_group("Finance assistants");
    for member in [
        adele.id(),
        bert.id(),
        nested.id(),
        tenant.add_device("PC-1", None).id(),
    ] {
        assert!(finance.add_member(member));
    }
    assert!(nested.add_member(carla.id()));

    tenant.assign(finance.id(), desk.service_principal_id());
    tenant.assign(adele.id(), desk.service_principal_id());
    tenant.assign(dora.id(), desk.service_principal_id());
    tenant.assign(finance.id(), board.service_principal_id());
    tenant
        .set_property(
            "servicePrincipals",
            &vault.service_principal_id().to_string(),
            "tags",
            json!(["WindowsAzureActiveDirectoryIntegratedApp"]),
        )
        .unwrap();

    let now = tenant.clock().now();
    let _ = tenant
        .add_sign_in(adele.id(), desk.client_id())
        .at(now - DAY);
    let _ = tenant
        .add_sign_in(adele.id(), desk.client_id())
        .at(now - 2 * DAY);
    let _ = tenant
        .add_sign_in(guest.id(), desk.client_id())
        .at(now - 3 * DAY);
    let _ = tenant
        .add_sign_in(dora.id(), desk.client_id())
        .at(now - 4 * DAY)
        .failed(50126);
    let _ = tenant
        .add_sign_in(bert.id(), board.client_id())
        .at(now - 31 * DAY);
    let _ = tenant
        .add_sign_in(carla.id(), tried.client_id())
        .at(now - DAY)
        .failed(50105);
    drop(silent);
    Company {
        tenant,
        desk,
        board,
        vault,
        tried,
    }
}

/// The report's connection as an application with these permissions.
pub(crate) fn to_fake(
    tenant: &FakeTenant,
    permissions: &[&str],
) -> Result<Connection, Box<dyn std::error::Error>> {
    let app = tenant.register_app("App usage report").with_secret();
    for permission in permissions {
        let _ = app.application_permission(permission);
    }
    let graph = with_secret(tenant, app.client_id(), app.secret())?;
    Ok(Connection::to(tenant, app.client_id(), graph))
}

/// The least privileged application permissions that read the report.
pub(crate) const PERMISSIONS: [&str; 5] = [
    "Application.Read.All",
    "AuditLog.Read.All",
    "GroupMember.Read.All",
    "Organization.Read.All",
    "User.ReadBasic.All",
];

async fn facts(tenant: &FakeTenant, permissions: &[&str], days: u32) -> (Facts, usize) {
    let connection = to_fake(tenant, permissions).unwrap();
    let facts = collect::collect(&connection, days, &Progress::default())
        .await
        .unwrap();
    (facts, connection.requests())
}

async fn document(tenant: &FakeTenant, days: u32) -> Value {
    let (facts, requests) = facts(tenant, &PERMISSIONS, days).await;
    let mut out = Vec::new();
    document::write(&Report::of(&facts), requests, &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

fn numbers(document: &Value, app: &App) -> [Value; 4] {
    let id = app.client_id().to_string();
    let app = document["apps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|app| app["appId"] == id.as_str())
        .unwrap();
    ["assigned", "active", "idle", "lastSignIn"].map(|name| app[name].clone())
}

#[tokio::test]
async fn the_document_has_assigned_active_and_idle_users() {
    let company = company().await;
    let document = document(&company.tenant, 30).await;
    let yesterday = (company.tenant.clock().now() - DAY)
        .format(&entra_core::time::format_description::well_known::Rfc3339)
        .unwrap();
    assert_eq!(document["tenant"], company.tenant.id().to_string());
    assert_eq!(document["days"], 30);
    assert_eq!(
        numbers(&document, &company.desk),
        [json!(3), json!(2), json!(2), json!(yesterday)]
    );
    assert_eq!(
        numbers(&document, &company.board),
        [json!(2), json!(0), json!(2), Value::Null]
    );
    assert_eq!(
        numbers(&document, &company.vault),
        [json!(0), json!(0), json!(0), Value::Null]
    );
    assert_eq!(
        numbers(&document, &company.tried),
        [json!(0), json!(0), json!(0), Value::Null]
    );
    let names: Vec<&str> = document["apps"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|app| app["displayName"].as_str())
        .collect();
    assert!(!names.contains(&"Silent"), "{names:?}");
}

#[tokio::test]
async fn a_shorter_window_has_fewer_sign_ins() {
    let company = company().await;
    let document = document(&company.tenant, 2).await;
    assert_eq!(document["days"], 2);
    assert_eq!(
        numbers(&document, &company.desk)[1..3],
        [json!(1), json!(2)]
    );
    assert!(
        !document["apps"]
            .as_array()
            .unwrap()
            .iter()
            .any(|app| app["displayName"] == "Old")
    );
}

#[tokio::test]
async fn each_group_is_read_once_and_each_request_is_counted() {
    let company = company().await;
    company.tenant.forget_requests();
    let document = document(&company.tenant, 30).await;
    // Lists of the same kind go together, so neither is asked for one by one.
    company.tenant.requests().to("/$batch").assert_count(2);
    company.tenant.requests().to("/members").assert_count(0);
    company
        .tenant
        .requests()
        .to("/appRoleAssignedTo")
        .assert_count(0);
    company
        .tenant
        .requests()
        .within("/v1.0/")
        .assert_count(document["requests"].as_u64().unwrap());
    let organization = company.tenant.requests().to("/organization");
    assert!(
        organization
            .iter()
            .all(|request| request.query_parameter("$select").is_some())
    );
    company.tenant.requests().to("/users").assert_count(0);
    company.tenant.requests().to("/token").assert_count(1);
}

#[tokio::test]
async fn without_a_premium_licence_assignments_are_reported_with_one_note() {
    let company = company().await;
    company.tenant.set_license(License::Free);
    let (facts, requests) = facts(&company.tenant, &PERMISSIONS, 30).await;
    let report = Report::of(&facts);
    assert!(!report.has_sign_ins());
    let desk = report
        .apps
        .iter()
        .find(|app| app.name == "Expense Desk")
        .unwrap();
    assert_eq!(
        (desk.assigned, desk.active, desk.idle, desk.last_sign_in),
        (3, None, None, None)
    );
    let mut text = Vec::new();
    table::write(&report, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.matches("P1").count(), 1, "{text}");
    assert_eq!(html::page(&report, requests).matches("P1").count(), 1);
}

#[tokio::test]
async fn users_returned_with_id_and_type_only_are_counted_with_a_note() {
    let company = company().await;
    let permissions: Vec<&str> = PERMISSIONS
        .into_iter()
        .filter(|name| !name.starts_with("User."))
        .collect();
    let (facts, _) = facts(&company.tenant, &permissions, 30).await;
    assert!(facts.gaps.limited >= 2, "{:?}", facts.gaps);
    let report = Report::of(&facts);
    let desk = report
        .apps
        .iter()
        .find(|app| app.name == "Expense Desk")
        .unwrap();
    assert_eq!((desk.assigned, desk.idle), (3, Some(2)));
    assert!(
        report
            .notes()
            .iter()
            .any(|note| note.contains("ID and type only")),
        "{:?}",
        report.notes()
    );
}

#[tokio::test]
async fn the_sign_in_log_is_read_completely_and_within_its_limit() {
    let company = company().await;
    let tenant = &company.tenant;
    let users: Vec<_> = (0..80)
        .map(|number| tenant.add_user(&format!("User {number}")))
        .collect();
    let now = tenant.clock().now();
    for visit in 0..6_500_u32 {
        let user = &users[visit as usize % users.len()];
        let _ = tenant
            .add_sign_in(user.id(), company.board.client_id())
            .at(now - Duration::from_secs(u64::from(visit) * 60));
    }
    let document = document(tenant, 30).await;
    assert_eq!(numbers(&document, &company.board)[1], json!(80));
    let times: Vec<_> = tenant
        .requests()
        .to("/auditLogs/signIns")
        .iter()
        .map(|request| request.time)
        .collect();
    assert_eq!(times.len(), 7);
    for calls in times.windows(6) {
        assert!(calls[5] - calls[0] >= Duration::from_secs(10), "{calls:?}");
    }
}

#[tokio::test]
async fn a_missing_permission_is_named_with_its_fix() {
    let company = company().await;
    let permissions: Vec<&str> = PERMISSIONS
        .into_iter()
        .filter(|name| *name != "AuditLog.Read.All")
        .collect();
    let connection = to_fake(&company.tenant, &permissions).unwrap();
    let error = collect::collect(&connection, 30, &Progress::default())
        .await
        .unwrap_err();
    let report = format!("{error:#}");
    assert!(report.starts_with("403"), "{report}");
    assert!(
        report.contains("fix:") && report.contains("AuditLog.Read.All"),
        "{report}"
    );
}

#[tokio::test]
async fn the_embedded_company_has_something_to_show() {
    let connection = Connection::embedded(60, SignIn::Application, &mut Vec::new())
        .await
        .unwrap();
    let facts = collect::collect(&connection, 30, &Progress::default())
        .await
        .unwrap();
    let report = Report::of(&facts);
    let names: Vec<&str> = report.user_apps().map(|app| &*app.name).collect();
    assert!(
        !names.contains(&"Microsoft Graph") && !names.contains(&"App usage report"),
        "{names:?}"
    );
    let totals = report.totals();
    assert!(
        report.apps.len() >= 5 && totals.assigned > totals.idle && totals.idle > 0,
        "{totals:?}"
    );
    assert_eq!(facts.gaps, crate::saas_usage::usage::Gaps::default());
}
