//! The example of an API that is called with tokens.

use entra_core::{Environment, Guid, ObjectId, http::StatusCode};
use entra_mock::FakeTenant;
use tokio::net::TcpListener;

use crate::{
    journal::assert_no_findings,
    protected_api::{api, embedded, from_env},
};

#[tokio::test]
async fn each_caller_gets_the_response_that_its_token_allows() {
    let tenant = FakeTenant::start().await;
    let socket = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let mut out = Vec::new();
    let server = embedded(&tenant, socket, &mut out).await.unwrap();
    server.abort();
    let out = String::from_utf8(out).unwrap();
    let responses: Vec<&str> = out
        .lines()
        .filter(|line| line.contains("GET /") || line.contains("POST /"))
        .filter_map(|line| line.get(48..))
        .collect();
    let expected = [
        "201",
        r#"200  {"tasks":["water the plants"]}"#,
        r#"200  {"tasks":[]}"#,
        "403  ",
        "403  ",
        "200  ",
        "200  ",
        "403  ",
        "403  ",
        "403  ",
        "401  Bearer",
        "401  Bearer error=\"invalid_token\"",
        "401  Bearer error=\"invalid_token\"",
        "401  Bearer error=\"invalid_token\"",
        "401  Bearer error=\"invalid_token\"",
    ];
    assert_eq!(responses.len(), expected.len(), "{out}");
    for (response, expected) in responses.iter().zip(expected) {
        assert!(response.starts_with(expected), "{expected}: {out}");
    }
    // The signing keys are fetched once.
    tenant.requests().to("/discovery/v2.0/keys").assert_count(1);
    assert_no_findings(&tenant);
}

#[test]
fn the_api_of_the_environment_needs_no_secret() {
    let environment = Environment::from_pairs([
        ("AZURE_TENANT_ID", "contoso.com"),
        ("AZURE_CLIENT_ID", "66666666-7777-8888-9999-000000000000"),
    ]);
    from_env(&environment).unwrap();
}

#[test]
fn callers_without_an_object_id_share_no_tasks() {
    let tenant: Guid = "66666666-7777-8888-9999-000000000000".parse().unwrap();
    let user: ObjectId = "66666666-7777-8888-9999-000000000001".parse().unwrap();
    for (tenant, user) in [(None, None), (Some(tenant), None), (None, Some(user))] {
        assert_eq!(api::key(tenant, user).unwrap_err().0, StatusCode::FORBIDDEN);
    }
    let key = api::key(Some(tenant), Some(user)).unwrap();
    assert_eq!(key, format!("{tenant}/{user}"));
}
