//! The report with the token of a user: the same figures, and the permissions of the user.

use std::sync::Arc;

use entra_core::{Clock, Environment};
use entra_mock::FakeTenant;

use crate::{
    delegated_usage::{by_device_code, from_env, usage, write},
    saas_usage as app_only,
};

#[tokio::test]
async fn an_administrator_sees_what_an_application_with_the_same_permissions_sees() {
    let tenant = Arc::new(FakeTenant::builder().users(60).start().await);
    let graph = by_device_code(&tenant).unwrap();
    let seen = usage::read(&graph, tenant.clock().now(), 30).await.unwrap();

    let permissions = app_only::tenant::PERMISSIONS;
    let connection = app_only::tenant::Connection::to_fake(&tenant, &permissions).unwrap();
    let progress = app_only::progress::Progress::default();
    let facts = app_only::collect::collect(&connection, 30, &progress)
        .await
        .unwrap();
    let expected = app_only::usage::Report::of(&facts).totals();

    assert!(expected.assigned > 0 && expected.active > 0);
    assert_eq!(
        (
            seen.iter().map(|app| app.assigned).sum::<usize>(),
            seen.iter().map(|app| app.active).sum::<usize>(),
            seen.iter().map(|app| app.idle).sum::<usize>(),
        ),
        (expected.assigned, expected.active, expected.idle)
    );
    tenant.requests().to("/devicecode").assert_count(1);
}

#[tokio::test]
async fn the_table_needs_one_sign_in() {
    let tenant = Arc::new(FakeTenant::builder().users(60).start().await);
    let mut out = Vec::new();
    let graph = by_device_code(&tenant).unwrap();
    write(&graph, &tenant.clock(), 30, &mut out).await.unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("Expense Desk"), "{out}");
    assert!(out.contains("as the user who signed in"), "{out}");
    tenant.requests().to("/devicecode").assert_count(1);
}

#[test]
fn the_public_application_has_its_own_variable_or_the_usual_one() {
    let problem = |pairs: &[(&str, &str)]| {
        let environment = Environment::from_pairs(pairs.iter().copied());
        from_env(&environment, false).unwrap_err().to_string()
    };
    let neither = problem(&[("AZURE_TENANT_ID", "contoso.com")]);
    assert!(neither.contains("AZURE_CLIENT_ID is not set"), "{neither}");
    let bad = problem(&[
        ("AZURE_TENANT_ID", "contoso.com"),
        ("AZURE_CLIENT_ID", "66666666-7777-8888-9999-000000000000"),
        ("ENTRA_PUBLIC_CLIENT_ID", "my-app"),
    ]);
    assert!(bad.contains("ENTRA_PUBLIC_CLIENT_ID is invalid"), "{bad}");
}
