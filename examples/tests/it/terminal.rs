//! The example that signs a user in with a device code.

use std::sync::Arc;

use entra_core::Environment;
use entra_mock::FakeTenant;

use crate::{
    device_login::{embedded, from_env},
    journal::assert_no_findings,
};

#[tokio::test]
async fn a_user_signs_in_once_with_a_code_and_is_read_from_graph() {
    let tenant = Arc::new(FakeTenant::start().await);
    tenant
        .user("adele@contoso.com")
        .set("displayName", "Adele \u{1b}[31m".into());
    let mut out = Vec::new();
    embedded(&tenant, &mut out).await.unwrap();
    let out = String::from_utf8(out).unwrap();
    let id = tenant.user("adele@contoso.com").id().to_string();
    assert!(out.contains(&format!("object id   {id}")), "{out}");
    assert!(out.contains("name        Adele \u{fffd}[31m"), "{out}");
    assert!(out.contains("mail        adele@contoso.com"), "{out}");
    tenant.requests().to("/devicecode").assert_count(1);
    tenant
        .requests()
        .to(&format!("/users/{id}"))
        .assert_count(1);
    assert_no_findings(&tenant);
}

#[test]
fn the_public_application_is_the_one_that_signs_in() {
    let environment = Environment::from_pairs([
        ("AZURE_TENANT_ID", "contoso.com"),
        ("ENTRA_PUBLIC_CLIENT_ID", "my-app"),
    ]);
    let problem = from_env(&environment).unwrap_err().to_string();
    assert!(
        problem.contains("ENTRA_PUBLIC_CLIENT_ID is invalid"),
        "{problem}"
    );
    // A file with the line ends of Windows leaves one at the end of each value.
    let environment = Environment::from_pairs([
        ("AZURE_TENANT_ID", "contoso.com\r"),
        (
            "ENTRA_PUBLIC_CLIENT_ID",
            "66666666-7777-8888-9999-000000000000\r",
        ),
    ]);
    from_env(&environment).unwrap();
}
