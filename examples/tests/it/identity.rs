//! The example that shows which identity a program has.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::who_am_i::{claims, embedded};

#[tokio::test]
async fn the_default_chain_reports_the_outcome_of_each_link() {
    let page = embedded("https://graph.microsoft.com/.default")
        .await
        .unwrap();
    let lines: Vec<Vec<&str>> = page
        .lines()
        .map(|line| line.trim().splitn(2, "  ").map(str::trim).collect())
        .collect();
    let after = |name: &str| {
        let line = lines.iter().find(|line| line[0] == name);
        line.and_then(|line| line.get(1).copied())
            .unwrap_or_default()
    };
    assert!(after("EnvironmentCredential").contains("AZURE_TENANT_ID"));
    assert_eq!(after("ManagedIdentityCredential"), "gave the token");
    assert!(
        page.contains("AzureCliCredential          not tried"),
        "{page}"
    );
    assert_eq!(after("application"), "Web shop");
    assert_eq!(after("roles"), "User.Read.All");
}

#[test]
fn a_token_that_is_not_a_jwt_has_no_claims() {
    for token in ["", "opaque", "a.b.c", "a.e30.c"] {
        let claims = claims::read(token);
        assert!(claims.is_none_or(|claims| claims.is_empty()), "{token}");
    }
}

#[test]
fn a_name_in_a_token_cannot_steer_the_terminal() {
    let payload = URL_SAFE_NO_PAD.encode(r#"{"app_displayname":"Web\u001b[31m","oid":"1\n2"}"#);
    let claims = claims::read(&format!("e30.{payload}.sig")).unwrap();
    assert_eq!(
        claims,
        [
            ("application", "Web\u{fffd}[31m".to_owned()),
            ("object id", "1\u{fffd}2".to_owned()),
        ]
    );
}
