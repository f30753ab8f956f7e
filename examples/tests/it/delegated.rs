//! The report with a person's token: the same numbers, and the person's permissions.

use std::sync::Arc;

use entra_mock::FakeTenant;

use crate::delegated_usage::{
    by_device_code, from_env,
    saas_usage::{collect::collect, progress::Progress, usage::Report},
    write,
};
use crate::saas_usage as app_only;

#[tokio::test]
async fn an_admin_sees_what_an_application_with_the_same_permissions_sees() {
    let tenant = Arc::new(FakeTenant::builder().users(60).start().await);
    let admins = by_device_code(&tenant).unwrap();
    let facts = collect(&admins, 30, &Progress::none()).await.unwrap();
    let seen = Report::of(&facts);

    let permissions = app_only::tenant::PERMISSIONS;
    let daemons = app_only::tenant::Connection::to_fake(&tenant, &permissions).unwrap();
    let progress = app_only::progress::Progress::none();
    let facts = app_only::collect::collect(&daemons, 30, &progress)
        .await
        .unwrap();
    let expected = app_only::usage::Report::of(&facts);

    let (seen, expected) = (seen.totals(), expected.totals());
    assert!(seen.assigned > 0 && seen.active > 0);
    assert_eq!(
        (seen.assigned, seen.active, seen.idle),
        (expected.assigned, expected.active, expected.idle)
    );
    tenant.requests().to("/devicecode").assert_count(1);
}

#[tokio::test]
async fn the_report_comes_as_a_table_with_one_sign_in() {
    let tenant = Arc::new(FakeTenant::builder().users(60).start().await);
    let mut out = Vec::new();
    let connection = by_device_code(&tenant).unwrap();
    write(&connection, 30, &mut out).await.unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(
        out.contains("Expense Desk") && out.contains("Total:"),
        "{out}"
    );
    assert!(out.contains("as the person who signed in"), "{out}");
    tenant.requests().to("/devicecode").assert_count(1);
}

#[test]
fn the_public_application_is_named_by_its_own_variable_or_else_the_usual_one() {
    let problem = |pairs: &'static [(&str, &str)]| {
        let variable = |name: &str| {
            let found = pairs.iter().find(|(known, _)| *known == name)?;
            Some(found.1.to_owned())
        };
        from_env(variable, false).unwrap_err().to_string()
    };
    let neither = problem(&[("AZURE_TENANT_ID", "contoso.com")]);
    assert!(neither.contains("needs AZURE_CLIENT_ID"), "{neither}");
    let bad = problem(&[
        ("AZURE_TENANT_ID", "contoso.com"),
        ("AZURE_CLIENT_ID", "66666666-7777-8888-9999-000000000000"),
        ("ENTRA_PUBLIC_CLIENT_ID", "my-app"),
    ]);
    assert!(
        bad.contains("ENTRA_PUBLIC_CLIENT_ID cannot be used"),
        "{bad}"
    );
}
