//! The example of an API that is called with tokens.

use entra_mock::FakeTenant;
use tokio::net::TcpListener;

use crate::protected_api::{embedded, from_env, settings::Settings};

#[tokio::test]
async fn everybody_is_answered_what_their_token_is_good_for() {
    let tenant = FakeTenant::start().await;
    let socket = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let mut out = Vec::new();
    let server = embedded(&tenant, socket, &mut out).await.unwrap();
    server.abort();
    let out = String::from_utf8(out).unwrap();
    let answers: Vec<&str> = out
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
    assert_eq!(answers.len(), expected.len(), "{out}");
    for (answer, expected) in answers.iter().zip(expected) {
        assert!(answer.starts_with(expected), "{expected}: {out}");
    }
    // The keys were fetched once for all of them.
    tenant.requests().to("/discovery/v2.0/keys").assert_count(1);
}

#[test]
fn the_api_of_the_environment_needs_no_secret() {
    let variable = |name: &str| match name {
        "AZURE_TENANT_ID" => Some("contoso.com".to_owned()),
        "AZURE_CLIENT_ID" => Some("66666666-7777-8888-9999-000000000000".to_owned()),
        _ => None,
    };
    from_env(Settings::read(variable, "AZURE_CLIENT_ID", &[]).unwrap()).unwrap();
}
