//! Invalid input: each case is a typed error whose text says how to fix it.

use std::time::Duration;

use entra_auth::ClientSecretCredential;
use entra_core::{
    ClientId, Cloud, CredentialErrorKind, Guid, ObjectId, TenantId, TokenCredential as _,
    TokenRequest,
};
use entra_graph::{ErrorKind, Filter, GraphClient, SignIn, User};
use entra_mock::{App, FakeTenant, License};

/// Asserts that the text has all words.
#[track_caller]
fn says(text: &impl ToString, words: &[&str]) {
    let text = text.to_string();
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in: {text}");
    }
}

fn credential(tenant: &FakeTenant, app: &App) -> ClientSecretCredential {
    ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap()
}

fn graph(tenant: &FakeTenant, app: &App) -> GraphClient {
    GraphClient::builder(credential(tenant, app))
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap()
}

#[test]
fn malformed_ids_are_rejected_with_the_expected_form() {
    says(
        &"contoso".parse::<TenantId>().unwrap_err(),
        &["\"contoso\"", "tenant", "verified domain"],
    );
    says(
        &"my app".parse::<ClientId>().unwrap_err(),
        &["\"my app\"", "application (client) id", "GUID"],
    );
    says(
        &"4f1c".parse::<ObjectId>().unwrap_err(),
        &["\"4f1c\"", "object id", "GUID"],
    );

    let error = ClientSecretCredential::builder("contoso", "my-app", "secret")
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), entra_auth::ErrorKind::Configuration);
    says(&error.report(), &["contoso", "tenant", "fix:"]);
}

#[tokio::test]
async fn an_id_with_path_characters_is_not_sent() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Job")
        .application_permission("User.Read.All")
        .with_secret();
    let graph = graph(&tenant, &app);
    for id in ["", " ", ".", ".."] {
        let error = graph.user(id).get().send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Query, "{id:?}");
        says(&error, &["is not an id"]);
    }
    tenant.requests().within("/v1.0/").assert_count(0);

    let error = graph.user("no-such-user").get().send().await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    says(&error, &["404", "no-such-user"]);
}

#[test]
fn an_empty_secret_is_rejected_before_anything_is_sent() {
    let ids = "11111111-2222-3333-4444-555555555555";
    for secret in ["", "  "] {
        let error = ClientSecretCredential::builder(ids, ids, secret)
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), entra_auth::ErrorKind::Configuration);
        says(&error.report(), &["secret", "fix:"]);
    }
}

#[test]
fn plain_http_off_loopback_is_rejected() {
    for (authority, graph) in [
        ("http://login.example.com", "https://graph.example.com"),
        ("https://login.example.com", "http://graph.example.com"),
    ] {
        let error = Cloud::custom(authority, graph).unwrap_err();
        assert_eq!(error.kind(), entra_core::ErrorKind::Configuration);
        says(&error, &["must be https", "loopback"]);
    }
}

#[tokio::test]
async fn invalid_filters_fail_before_sending_or_with_graphs_error() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Job")
        .application_permission("User.Read.All")
        .with_secret();
    let graph = graph(&tenant, &app);

    let error = graph
        .users()
        .list()
        .filter(User::ABOUT_ME.eq("x"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query);
    says(&error, &["aboutMe"]);
    tenant.requests().within("/v1.0/").assert_count(0);

    let error = graph
        .users()
        .list()
        .filter(Filter::raw("displayName eq"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.status().map(|status| status.as_u16())),
        (ErrorKind::Service, Some(400))
    );
    says(&error, &["400", "/users"]);

    // A quote in a value is data, not syntax.
    let no_users = graph
        .users()
        .list()
        .filter(User::DISPLAY_NAME.eq("' or startswith(displayName,'A"))
        .send()
        .await
        .unwrap();
    assert!(no_users.items.is_empty());
}

#[tokio::test]
async fn an_unknown_tenant_and_a_wrong_secret_are_different_errors() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Job").with_secret();
    let elsewhere = ClientSecretCredential::builder(
        TenantId::from(Guid::from_bytes([7; 16])),
        app.client_id(),
        app.secret(),
    )
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .build()
    .unwrap();
    let error = elsewhere
        .token(&TokenRequest::new([tenant.cloud().graph_scope()]))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (CredentialErrorKind::Rejected, Some(90002))
    );
    says(
        &entra_auth::Error::find(&error).unwrap().report(),
        &["AADSTS90002", "tenant", "fix:", "correlation"],
    );
    assert!(!error.is_transient());
}

#[tokio::test]
async fn a_revoked_secret_is_named_in_the_graph_error() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Job")
        .application_permission("User.Read.All")
        .with_secret();
    let graph = graph(&tenant, &app);
    graph.users().list().send().await.unwrap();
    app.remove_secret();
    tenant.clock().advance(Duration::from_secs(2 * 3600));

    let error = graph.users().list().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credential);
    let credential = error.credential().unwrap();
    assert_eq!(
        (credential.kind(), credential.code()),
        (CredentialErrorKind::Rejected, Some(7_000_215))
    );
    says(&credential.fix().unwrap(), &["secret"]);
    says(
        &entra_auth::Error::find(&error).unwrap().report(),
        &[
            "AADSTS7000215",
            "invalid_client",
            "fix:",
            "Certificates & secrets",
        ],
    );
}

#[tokio::test]
async fn question_mark_out_of_main_prints_cause_and_fix_of_a_wrong_secret() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Job").with_secret();
    let secret_id = "7d4f2f0a-6f8e-4f5e-9a55-0f8f4ad2b6c1";
    let credential = ClientSecretCredential::builder(tenant.id(), app.client_id(), secret_id)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    let graph = GraphClient::builder(credential).cloud(tenant.cloud());
    let graph = graph.clock(tenant.clock()).build().unwrap();
    let error = graph.groups().list().send().await.unwrap_err();
    let headline = "no token for GET /groups: client secret is invalid (AADSTS7000215)";
    // `Error: ` and this is what Rust prints for an error out of `main`.
    let printed = format!("{error:?}");
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[0], headline);
    assert!(lines[1].starts_with("  cause: the value sent is not a secret of application "));
    assert!(lines[2].starts_with("  fix:   in App registrations > Certificates & secrets"));
    let ids = format!(
        "application {}  tenant {}  correlation ",
        app.client_id(),
        tenant.id()
    );
    assert!(lines[3].contains(&ids), "{printed}");
    assert_eq!(lines.len(), 4, "{printed}");
    let line = error.to_string();
    assert!(line.starts_with(headline) && !line.contains('\n'), "{line}");
    says(
        &line,
        &[&app.client_id().to_string(), &tenant.id().to_string()],
    );
}

#[tokio::test]
async fn a_missing_permission_is_named_with_the_permissions_of_the_token() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Job")
        .application_permission("User.Read.All")
        .with_secret();
    let error = graph(&tenant, &app)
        .groups()
        .list()
        .send()
        .await
        .unwrap_err();
    assert!(error.is_forbidden());
    assert_eq!(error.code(), Some("Authorization_RequestDenied"));
    says(
        &error,
        &[
            "403",
            "/groups",
            "needs one of (application)",
            "Group.Read.All",
            "the token has roles: User.Read.All",
        ],
    );
    assert!(
        !error
            .needed_permissions()
            .iter()
            .any(|name| name.contains("Write")),
        "{error}"
    );
}

#[tokio::test]
async fn a_missing_licence_is_named() {
    let tenant = FakeTenant::builder().license(License::Free).start().await;
    let app = tenant
        .register_app("Job")
        .application_permission("AuditLog.Read.All")
        .with_secret();
    let list = graph(&tenant, &app).audit_logs().sign_ins().list();
    let error = list
        .filter(SignIn::APP_ID.eq(app.client_id().to_string()))
        .send()
        .await
        .unwrap_err();
    assert!(error.is_license_missing() && !error.is_transient());
    assert!(
        error.needed_permissions().is_empty(),
        "no permission helps: {error}"
    );
    says(&error, &["403", "P1 or P2 licence"]);
}
