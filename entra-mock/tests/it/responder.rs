//! The tenant inside of a wiremock server of the test, and app roles of the test's API.

use entra_mock::FakeTenant;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path};

use crate::support::{fetch, http, post_token};

async fn token_at(uri: &str, tenant: &FakeTenant, app: &entra_mock::App) -> String {
    let form = [
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", app.client_id().to_string()),
        ("client_secret", app.secret().expose_secret().to_owned()),
        ("scope", "https://graph.microsoft.com/.default".to_owned()),
    ];
    let url = format!("{uri}/{}/oauth2/v2.0/token", tenant.id());
    let token = fetch(http().post(url).form(&form)).await;
    assert_eq!(token.status, 200, "{}", token.text);
    token.body["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_whole_tenant_can_be_mounted_beside_other_mocks() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Job")
        .application_permission("User.ReadWrite.All")
        .with_secret();
    let server = MockServer::start().await;
    Mock::given(path("/webhook"))
        .respond_with(ResponseTemplate::new(202))
        .with_priority(1)
        .mount(&server)
        .await;
    Mock::given(tenant.responder())
        .respond_with(tenant.responder())
        .mount(&server)
        .await;

    let token = token_at(&server.uri(), &tenant, &app).await;
    let users = format!("{}/v1.0/users", server.uri());
    let first = fetch(http().get(format!("{users}?$top=5")).bearer_auth(&token)).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let next = first.body["@odata.nextLink"].as_str().unwrap();
    assert!(next.starts_with(&users), "{next}");
    let adele = format!("{users}/adele@contoso.com");
    let change = http()
        .patch(&adele)
        .bearer_auth(&token)
        .json(&serde_json::json!({"jobTitle": "Lead"}));
    assert_eq!(fetch(change).await.status, 204);
    // The same directory through either URL.
    let direct = format!("{}/v1.0/users/adele@contoso.com", tenant.uri());
    let read = fetch(http().get(direct).bearer_auth(token)).await;
    assert_eq!(read.body["jobTitle"], "Lead");
    assert_eq!(
        fetch(http().post(format!("{}/webhook", server.uri())))
            .await
            .status,
        202
    );
    tenant
        .requests()
        .to("/users/adele@contoso.com")
        .assert_count(2);
}

#[tokio::test]
async fn half_of_the_tenant_can_be_mounted_alone() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Job").with_secret();
    let server = MockServer::start().await;
    let sign_in = tenant.responder().sign_in_only();
    Mock::given(sign_in.clone())
        .respond_with(sign_in)
        .mount(&server)
        .await;
    token_at(&server.uri(), &tenant, &app).await;
    let users = format!("{}/v1.0/users", server.uri());
    assert_eq!(fetch(http().get(&users)).await.status, 404);

    let graph = tenant.responder().graph_only();
    Mock::given(graph.clone())
        .respond_with(graph)
        .mount(&server)
        .await;
    assert_eq!(fetch(http().get(users)).await.status, 401);
    assert!(tenant.cloud_at(&server.uri()).is_ok());
    assert!(tenant.cloud_at("http://example.com").is_err());
}

#[tokio::test]
async fn an_app_role_of_an_api_is_in_the_tokens_for_it() {
    let tenant = FakeTenant::start().await;
    let api = tenant
        .register_app("Orders API")
        .expose_app_role("Orders.Read.All");
    let job = tenant
        .register_app("Job")
        .with_secret()
        .application_permission_of(&api, "Orders.Read.All");
    let form = [
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", job.client_id().to_string()),
        ("client_secret", job.secret().expose_secret().to_owned()),
        ("scope", format!("{}/.default", api.client_id())),
    ];
    let form: Vec<(&str, &str)> = form
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let token = post_token(
        &tenant,
        &format!("/{}/oauth2/v2.0/token", tenant.id()),
        &form,
    )
    .await;
    assert_eq!(token.status, 200, "{}", token.text);
    let payload = token.body["access_token"]
        .as_str()
        .unwrap()
        .split('.')
        .nth(1)
        .unwrap();
    let claims =
        base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, payload).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["roles"], serde_json::json!(["Orders.Read.All"]));
}

#[tokio::test]
#[should_panic(expected = "no app role \"Orders.Write\"")]
async fn a_misspelt_app_role_fails_the_test_at_its_line() {
    let tenant = FakeTenant::start().await;
    let api = tenant
        .register_app("Orders API")
        .expose_app_role("Orders.Read.All");
    let _ = tenant
        .register_app("Job")
        .application_permission_of(&api, "Orders.Write");
}
