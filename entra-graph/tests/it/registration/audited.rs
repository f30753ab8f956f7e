//! What the audit says of registrations that were made by hand.

use entra_graph::registration::{AuditIssue, audit};
use entra_mock::App;

use super::{ENOUGH, admin};

#[tokio::test]
async fn a_public_client_is_known_by_its_redirect_uris_too() {
    let (tenant, graph) = admin(ENOUGH).await;
    let app = |name: &str| tenant.register_app(name).with_secret();
    let native = app("Native").public_redirect_uri("http://localhost");
    // A server may sign users in by another redirect URI, and a confidential client is set so.
    let mixed = app("Mixed").public_redirect_uri("http://localhost");
    let mixed = mixed.redirect_uri("https://orders.contoso.com/auth/callback");
    let confidential = app("Confidential").public_redirect_uri("http://localhost");
    let id = confidential.object_id().to_string();
    tenant
        .set_property("applications", &id, "isFallbackPublicClient", false.into())
        .unwrap();
    let without_secret = tenant.register_app("Without a secret");
    let without_secret = without_secret.public_redirect_uri("http://localhost");
    let findings = audit(&graph).await.unwrap();
    let has = |app: &App| {
        let client_id = app.client_id().to_string();
        findings.iter().any(|one| {
            one.client_id() == client_id && one.issue() == AuditIssue::SecretOnPublicClient
        })
    };
    assert!(has(&native), "{findings:#?}");
    for app in [mixed, confidential, without_secret] {
        assert!(!has(&app), "{findings:#?}");
    }
}

#[tokio::test]
async fn redirect_uris_of_public_clients_are_read_too() {
    let (tenant, graph) = admin(ENOUGH).await;
    let uris = [
        "https://*.contoso.com/callback",
        "http://localhost",
        "msal4f1c://auth",
    ];
    let app = tenant.register_app("Native");
    let id = app.object_id().to_string();
    let public = serde_json::json!({ "redirectUris": uris });
    tenant
        .set_property("applications", &id, "publicClient", public)
        .unwrap();
    let findings = audit(&graph).await.unwrap();
    let client_id = app.client_id().to_string();
    let about_uris: Vec<AuditIssue> = findings
        .iter()
        .filter(|one| one.client_id() == client_id)
        .map(|one| one.issue())
        .filter(|issue| *issue != AuditIssue::NoOwner)
        .collect();
    assert_eq!(about_uris, [AuditIssue::WildcardRedirectUri]);
}
