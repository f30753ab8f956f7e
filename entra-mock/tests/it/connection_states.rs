//! States that a connection test tells apart.

use std::time::Duration;

use entra_core::Clock as _;
use entra_mock::{AccessPolicy, FakeTenant, Fault};

use crate::{
    support::{get, post_token, token_with},
    users::{CALLBACK, assert_error, authorize_url},
};

async fn start() -> (FakeTenant, entra_mock::App) {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Helpdesk").with_secret();
    let app = app.redirect_uri(CALLBACK);
    (tenant, app)
}

async fn discover(tenant: &FakeTenant) -> crate::support::Response {
    let path = "v2.0/.well-known/openid-configuration";
    get(&format!("{}/{}/{path}", tenant.uri(), tenant.id())).await
}

#[tokio::test]
async fn an_application_without_service_principal_returns_aadsts_7000229() {
    let (tenant, app) = start().await;
    let id = app.service_principal_id().to_string();
    assert!(tenant.remove("servicePrincipals", &id).unwrap());
    let response = token_with(&tenant, &app, &[]).await;
    assert_error(&response, 401, "invalid_client", 7_000_229);
    let page = get(&authorize_url(&tenant, &app, &[])).await;
    assert!(page.text.contains("AADSTS7000229"), "{}", page.text);
}

#[tokio::test]
async fn a_policy_for_workload_identities_blocks_the_application_alone() {
    let (tenant, app) = start().await;
    let other = tenant.register_app("Other").with_secret();
    // Policies for users say nothing about applications.
    tenant.add_access_policy(AccessPolicy::block());
    assert_eq!(token_with(&tenant, &app, &[]).await.status, 200);
    let policy = tenant.add_access_policy(AccessPolicy::block().workload_identity(&app));
    let wrong = token_with(&tenant, &app, &[("client_secret", "wrong")]).await;
    assert_error(&wrong, 401, "invalid_client", 7_000_215);
    let blocked = token_with(&tenant, &app, &[]).await;
    assert_error(&blocked, 400, "invalid_grant", 53_003);
    assert_eq!(token_with(&tenant, &other, &[]).await.status, 200);
    policy.remove();
    assert_eq!(token_with(&tenant, &app, &[]).await.status, 200);
}

#[tokio::test]
async fn a_subject_in_other_letters_returns_aadsts_7002138() {
    let (tenant, app) = start().await;
    let issuer = "https://tokens.example.com";
    app.with_federated_credential(issuer, "repo:contoso/shop");
    for (subject, code) in [
        ("repo:Contoso/shop", 7_002_138),
        ("repo:other/shop", 700_213),
    ] {
        let jwt = tenant.federated_token(issuer, subject);
        let client_id = app.client_id().to_string();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id.as_str()),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", jwt.as_str()),
            ("scope", crate::support::GRAPH_SCOPE),
        ];
        let path = format!("/{}/oauth2/v2.0/token", tenant.id());
        let response = post_token(&tenant, &path, &form).await;
        assert_error(&response, 401, "invalid_client", code);
    }
}

#[tokio::test]
async fn discovery_names_the_region_and_the_time_of_the_tenant() {
    let (tenant, _) = start().await;
    let before = discover(&tenant).await;
    assert_eq!(before.body["tenant_region_scope"], "EU");
    assert!(before.body.get("tenant_region_sub_scope").is_none());
    tenant.set_region("USGov", Some("DOD"));
    tenant.clock().advance(Duration::from_secs(90 * 24 * 3600));
    let after = discover(&tenant).await;
    assert_eq!(after.body["tenant_region_scope"], "USGov");
    assert_eq!(after.body["tenant_region_sub_scope"], "DOD");
    let year = tenant.clock().now().year().to_string();
    assert!(after.header("date").unwrap().contains(&year));
    assert_ne!(before.header("date"), after.header("date"));
}

#[tokio::test]
async fn users_of_a_federated_domain_sign_in_elsewhere() {
    let (tenant, _) = start().await;
    let address = format!("{}/common/userrealm/adele@contoso.com", tenant.uri());
    assert_eq!(get(&address).await.body["account_type"], "Managed");
    tenant
        .set_property(
            "domains",
            "contoso.com",
            "authenticationType",
            "Federated".into(),
        )
        .unwrap();
    assert_eq!(get(&address).await.body["account_type"], "Federated");
}

#[tokio::test]
async fn a_sign_in_error_is_injected_for_some_of_the_requests() {
    let (tenant, app) = start().await;
    tenant.inject(Fault::on("/token").nth(2).sign_in_error(700_016));
    assert_eq!(token_with(&tenant, &app, &[]).await.status, 200);
    let rejected = token_with(&tenant, &app, &[]).await;
    assert_eq!(
        (rejected.status, &rejected.body["error"]),
        (400, &"unauthorized_client".into())
    );
    assert_eq!(rejected.body["error_codes"][0], 700_016);
    assert_eq!(token_with(&tenant, &app, &[]).await.status, 200);
}
