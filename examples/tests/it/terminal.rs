//! The example that signs a person in with a code.

use std::sync::Arc;

use entra_mock::FakeTenant;

use crate::device_login::{embedded, from_env};

#[tokio::test]
async fn a_person_signs_in_once_with_a_code_and_graph_knows_them() {
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
}

#[test]
fn the_public_application_is_the_one_that_signs_in() {
    let variable = |name: &str| match name {
        "AZURE_TENANT_ID" => Some("contoso.com".to_owned()),
        "ENTRA_PUBLIC_CLIENT_ID" => Some("my-app".to_owned()),
        _ => None,
    };
    let problem = from_env(variable).unwrap_err().to_string();
    assert!(
        problem.contains("ENTRA_PUBLIC_CLIENT_ID cannot be used"),
        "{problem}"
    );
}
