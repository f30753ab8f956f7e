//! Findings and needed permissions of a running server: by the control API and by the program.

use std::process::{Command, Output};

use crate::controlled::Controlled;

/// Runs the program with the variables of a server's environment file.
async fn program(server: &Controlled, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_entra-mock"));
    let token = server.server.control_token().expose_secret();
    command
        .args(words)
        .env_remove("SSL_CERT_FILE")
        .env("ENTRA_MOCK_CONTROL_URL", server.server.control_uri())
        .env("ENTRA_MOCK_CONTROL_TOKEN", token);
    tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap()
}

fn text(output: &Output) -> String {
    let (out, error) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(error)
    )
}

#[tokio::test]
async fn the_control_api_returns_findings_sarif_and_permissions() {
    let server = Controlled::start().await;
    server.graph("/users?$skip=5&$select=id").await;
    let findings = server.get("/findings").await.body;
    let rules: Vec<&str> = findings["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap())
        .collect();
    assert_eq!(rules[0], "paging-by-skip", "{findings}");
    assert!(findings["report"].as_str().unwrap().contains("fix:"));
    let sarif = server.get("/findings/sarif").await.body;
    assert_eq!(
        sarif["runs"][0]["results"][0]["ruleId"], "paging-by-skip",
        "{sarif}"
    );
    let needed = server.get("/permissions").await.body;
    assert_eq!(
        needed["application"],
        serde_json::json!(["User.ReadBasic.All"])
    );
    assert!(
        needed["report"]
            .as_str()
            .unwrap()
            .starts_with("delegated: User.ReadBasic.All")
    );
}

#[tokio::test]
async fn the_program_prints_findings_writes_sarif_and_fails_on_request() {
    let server = Controlled::start().await;
    let none = program(&server, &["findings", "--fail-on", "note"]).await;
    assert!(none.status.success(), "{}", text(&none));
    assert!(text(&none).contains("no findings in"), "{}", text(&none));

    server.graph("/users?$skip=5&$select=id").await;
    let name = format!("entra-mock findings {}.sarif", std::process::id());
    let path = std::env::temp_dir().join(name);
    let file = path.to_str().unwrap();
    let found = program(&server, &["findings", "--sarif", file]).await;
    let log = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(
        found.status.success() && text(&found).contains("paging-by-skip"),
        "{}",
        text(&found)
    );
    assert!(
        log.contains("\"2.1.0\"") && log.contains("paging-by-skip"),
        "{log}"
    );
    let failed = program(&server, &["findings", "--fail-on", "error"]).await;
    assert!(!failed.status.success(), "{}", text(&failed));
}

#[tokio::test]
async fn the_program_prints_needed_permissions_of_a_server_or_of_a_log() {
    let server = Controlled::start().await;
    server.graph("/devices?$select=id").await;
    let of_server = program(&server, &["permissions"]).await;
    assert_eq!(
        text(&of_server),
        "delegated: Device.Read.All\napplication: Device.Read.All\n"
    );
    let name = format!("entra-mock permissions {}.log", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(
        &path,
        "GET https://graph.microsoft.com/v1.0/users/7\nready\n",
    )
    .unwrap();
    let of_log = program(&server, &["permissions", path.to_str().unwrap()]).await;
    std::fs::remove_file(&path).unwrap();
    assert_eq!(
        text(&of_log),
        "delegated: User.ReadBasic.All\napplication: User.ReadBasic.All\n"
    );
}

#[tokio::test]
async fn the_control_api_makes_links_to_the_portal() {
    let server = Controlled::start().await;
    let link = server
        .done("POST", "/portal/links", serde_json::Value::Null)
        .await;
    let url = link["url"].as_str().unwrap();
    assert!(
        url.starts_with(&format!(
            "{}/portal/open?code=",
            server.server.control_uri()
        )),
        "{url}"
    );
    let opened = crate::support::get(url).await;
    assert_eq!(opened.status, 200);
    // The code is in no request of the journal.
    let code = url.split_once("code=").unwrap().1;
    assert!(!server.get("/journal").await.text.contains(code));
}
