use std::panic::AssertUnwindSafe;

use entra_mock::FakeTenant;
use serde_json::{Value, json};

use crate::support::{fetch, graph_get, http, token};

#[tokio::test]
async fn requests_are_found_by_path_and_method() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Night job")
        .application_permission("User.Read.All")
        .with_secret();
    let jwt = token(&tenant, &app).await;
    graph_get(&tenant, &jwt, "/users?$top=5&$select=id").await;
    graph_get(&tenant, &jwt, "/users/adele@contoso.com").await;
    let request = http()
        .get(format!("{}/v1.0/groups", tenant.uri()))
        .header("client-request-id", "mine-1");
    fetch(request).await;

    tenant.requests().assert_count(4);
    tenant.requests().to("/users").assert_count(1);
    tenant.requests().within("/users").assert_count(2);
    tenant.requests().method("post").assert_count(1);
    tenant.requests().to("/token").method("GET").assert_count(0);

    let users = tenant.requests().to("/users");
    let first = users.iter().next().unwrap();
    assert_eq!(
        (first.method.as_str(), first.path.as_str()),
        ("GET", "/v1.0/users")
    );
    assert_eq!(first.query_parameter("$select").as_deref(), Some("id"));
    assert_eq!(first.header("Authorization"), Some("Bearer [redacted]"));
    let groups = tenant.requests().to("/groups");
    let record = groups.into_iter().next().unwrap();
    assert_eq!(
        (record.status, record.client_request_id.as_deref()),
        (401, Some("mine-1"))
    );

    assert!(!format!("{:?}", tenant.requests()).contains(app.secret().expose_secret()));
    tenant.forget_requests();
    tenant.requests().assert_count(0);
}

#[tokio::test]
async fn a_wrong_count_fails_and_lists_the_requests() {
    let tenant = FakeTenant::start().await;
    fetch(http().get(format!("{}/v1.0/users", tenant.uri()))).await;
    let failed = std::panic::catch_unwind(AssertUnwindSafe(|| tenant.requests().assert_count(2)))
        .unwrap_err();
    let message = failed.downcast_ref::<String>().unwrap();
    assert!(message.contains("GET /v1.0/users -> 401"), "{message}");
}

#[tokio::test]
async fn the_journal_is_bounded_and_still_counts_all() {
    let tenant = FakeTenant::builder().journal_capacity(10).start().await;
    let (client, url) = (
        http(),
        format!("{}/contoso.com/discovery/keys", tenant.uri()),
    );
    for _ in 0..25 {
        client.get(&url).send().await.unwrap();
    }
    assert_eq!(tenant.requests().iter().count(), 10);
    tenant.requests().to("/keys").assert_count(25);
}

#[tokio::test]
async fn bodies_are_kept_if_asked_for_and_without_secrets() {
    let tenant = FakeTenant::builder().journal_bodies(true).start().await;
    let app = tenant
        .register_app("Writer")
        .application_permission("User.ReadWrite.All")
        .with_secret();
    let jwt = token(&tenant, &app).await;
    let user = json!({
        "accountEnabled": true, "displayName": "Ada", "mailNickname": "ada",
        "userPrincipalName": "ada@contoso.com", "passwordProfile": {"password": "xWwvJ]6NMw+bWH-d"},
    });
    let users = format!("{}/v1.0/users", tenant.uri());
    fetch(http().post(&users).bearer_auth(&jwt).json(&user)).await;
    let requests = tenant.requests();
    let text = format!("{requests:?}");
    for secret in [app.secret().expose_secret(), &jwt, "xWwvJ]6NMw+bWH-d"] {
        assert!(!text.contains(secret), "{text}");
    }
    let sent = requests.to("/users");
    let record = sent.iter().next().unwrap();
    let parsed = |body: Option<&str>| -> Value { serde_json::from_str(body.unwrap()).unwrap() };
    let request = parsed(record.request_body());
    assert_eq!(request["displayName"], "Ada");
    assert_eq!(request["passwordProfile"]["password"], "[redacted]");
    assert_eq!(
        parsed(record.response_body())["userPrincipalName"],
        "ada@contoso.com"
    );

    let without = FakeTenant::start().await;
    fetch(
        http()
            .post(format!("{}/v1.0/users", without.uri()))
            .json(&user),
    )
    .await;
    let sent = without.requests();
    let record = sent.iter().next().unwrap();
    assert_eq!(
        (record.request_body(), record.response_body()),
        (None, None)
    );
}
