//! The fake tenant has nothing to say about programs that are written with the SDK.

use std::time::Duration;

use entra_auth::{
    ClientSecretCredential, SignInClient,
    user::{ClientAuthentication, StartOptions},
};
use entra_core::{HttpTransport as _, ReqwestTransport, bytes::Bytes, http};
use entra_graph::{
    Device, GraphClient, Group, User,
    registration::{AuditIssue, audit, expiring},
};
use entra_mock::{App, FakeTenant, Fault};

fn client(tenant: &FakeTenant, app: &App) -> GraphClient {
    let credential = ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    GraphClient::builder(credential)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_report_through_throttling_and_expired_tokens_gets_no_finding() {
    let tenant = FakeTenant::builder().users(300).start().await;
    let app = tenant
        .register_app("Report")
        .application_permission("User.Read.All")
        .application_permission("GroupMember.Read.All")
        .application_permission("Device.Read.All")
        .with_secret();
    let graph = client(&tenant, &app);
    tenant.inject(
        Fault::on("/users")
            .nth(2)
            .status_with_retry_after(429, "30"),
    );
    tenant.inject(Fault::on("/groups").nth(1).status(503));
    tenant.inject(Fault::on("/token").nth(2).status_with_retry_after(429, "5"));
    for _ in 0..2 {
        let users = graph
            .users()
            .list()
            .select((User::DISPLAY_NAME, User::MAIL))
            .top(100);
        let users: Vec<User> = users.items().try_collect().await.unwrap();
        assert_eq!(users.len(), 300);
        let groups = graph.groups().list().select(Group::DISPLAY_NAME);
        let groups: Vec<Group> = groups.items().try_collect().await.unwrap();
        assert!(groups.len() > 3);
        graph
            .devices()
            .list()
            .select(Device::DISPLAY_NAME)
            .send()
            .await
            .unwrap();
        graph.users().count().send().await.unwrap();
        tenant.clock().advance(Duration::from_secs(2 * 3600));
    }
    tenant.findings().assert_none();
}

#[tokio::test]
async fn many_look_ups_in_batches_get_no_finding() {
    let tenant = FakeTenant::builder().users(60).start().await;
    let app = tenant
        .register_app("Look-up")
        .application_permission("User.Read.All")
        .with_secret();
    let graph = client(&tenant, &app);
    let users = graph
        .users()
        .list()
        .select(User::DISPLAY_NAME)
        .send()
        .await
        .unwrap();
    let mut batch = graph.batch();
    for user in &users.items {
        batch.add(graph.user(&user.id).get().select(User::MAIL));
    }
    batch.send().await.unwrap();
    tenant.findings().assert_none();
}

#[tokio::test]
async fn a_sign_in_with_the_code_flow_gets_no_finding() {
    let tenant = FakeTenant::start().await;
    let shop = tenant
        .register_app("Shop")
        .redirect_uri("https://shop.example/callback")
        .delegated_permission("User.Read")
        .with_secret();
    let secret = ClientAuthentication::secret(shop.secret());
    let client = SignInClient::builder(tenant.id(), shop.client_id(), secret)
        .redirect_uri("https://shop.example/callback")
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    let browser = ReqwestTransport::default();
    for _ in 0..12 {
        let (url, flow) = client.start(&StartOptions::default()).unwrap();
        // A browser shows the page first.
        let page = http::Request::get(url.as_str()).body(Bytes::new()).unwrap();
        browser.send(page).await.unwrap();
        let back = tenant.sign_in_at(url.as_str(), "adele@contoso.com");
        client.finish(flow, &back.query()).await.unwrap();
    }
    tenant.requests().to("/token").assert_count(12);
    tenant.findings().assert_none();
}

#[tokio::test]
async fn reports_about_many_registrations_get_no_finding() {
    let tenant = FakeTenant::start().await;
    for number in 0..15 {
        let tool = tenant.register_app(&format!("Tool {number}"));
        let _ = tool
            .application_permission("Group.ReadWrite.All")
            .with_secret();
    }
    let app = tenant
        .register_app("Audit")
        .application_permission("Application.Read.All")
        .application_permission("AuditLog.Read.All")
        .with_secret();
    tenant.clock().advance(Duration::from_secs(40 * 24 * 3600));
    let graph = client(&tenant, &app);
    let found = audit(&graph).await.unwrap();
    let unused = found
        .iter()
        .filter(|one| one.issue() == AuditIssue::UnusedPrivilegedPermission);
    assert!(unused.count() >= 15, "{found:#?}");
    let expiring = expiring(&graph, 365).await.unwrap();
    assert!(expiring.len() >= 15, "{expiring:#?}");
    tenant.findings().assert_none();
}
