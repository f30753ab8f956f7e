//! `entra-mock ctl`, against a running server.

use std::process::{Command, Output};

use entra_mock::Server;
use serde_json::{Value, json};

use crate::controlled::Controlled;

/// Runs the program beside the server of the test.
async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap()
}

fn program(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_entra-mock"));
    command
        .arg("ctl")
        .args(words)
        .env_remove("ENTRA_MOCK_CONTROL_URL")
        .env_remove("ENTRA_MOCK_CONTROL_TOKEN")
        .env_remove("SSL_CERT_FILE");
    command
}

/// Runs the program with the variables of a server's environment file.
async fn ctl(server: &Server, words: &[&str]) -> Output {
    let mut command = program(words);
    command
        .env("ENTRA_MOCK_CONTROL_URL", server.control_uri())
        .env(
            "ENTRA_MOCK_CONTROL_TOKEN",
            server.control_token().expose_secret(),
        );
    run(command).await
}

fn json_of(output: &Output) -> Value {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

#[tokio::test]
async fn commands_change_the_tenant_and_print_json() {
    let server = Controlled::start().await;
    let ada = json_of(
        &ctl(
            &server.server,
            &["users", "add", "Ada Example", "department=Research"],
        )
        .await,
    );
    assert_eq!(ada["user"]["department"], "Research");
    json_of(
        &ctl(
            &server.server,
            &["members", "add", "Engineers", "ada.example@contoso.com"],
        )
        .await,
    );
    let members = server.get("/groups/Engineers").await.body["id"].clone();
    let links = server
        .get(&format!(
            "/objects/groups/{}/links/members",
            members.as_str().unwrap()
        ))
        .await;
    assert!(
        links.body["value"]
            .as_array()
            .unwrap()
            .contains(&ada["user"]["id"])
    );
    let fault = [
        "faults",
        "add",
        "status",
        "status=503",
        "operation=GET /users",
        "times=1",
    ];
    json_of(&ctl(&server.server, &fault).await);
    assert_eq!(server.graph("/users").await.status, 503);
    let met = json_of(
        &ctl(
            &server.server,
            &["journal", "expect", "1", "path=/users", "status=503"],
        )
        .await,
    );
    assert_eq!(met["count"], 1);
    let clock = json_of(&ctl(&server.server, &["clock", "freeze", "2027-01-01T00:00:00Z"]).await);
    assert_eq!(
        clock,
        json!({ "now": "2027-01-01T00:00:00Z", "frozen": true })
    );
}

#[tokio::test]
async fn an_error_is_printed_with_its_fix_and_fails_the_command() {
    let server = Controlled::start().await;
    for (words, parts) in [
        (
            &["users", "get", "unknown"][..],
            &[
                "error: there is no user",
                "fix: GET /_entra-mock/users lists",
            ][..],
        ),
        (
            &["users", "add", "Ada", "colour=red"],
            &["there is no property colour", "fix: use the properties"],
        ),
        (
            &["clock", "advance"],
            &["error: by is missing", "fix: add by"],
        ),
        (&["clock", "turn"], &["entra-mock ctl clock advance <by>"]),
    ] {
        let output = ctl(&server.server, words).await;
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        for part in parts {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    let without = run(program(&["clock", "get"])).await;
    assert!(
        String::from_utf8(without.stderr)
            .unwrap()
            .contains(". ./tenant.env")
    );
    assert_eq!(server.get("/clock").await.body["frozen"], false);
}

#[tokio::test]
async fn the_help_lists_every_command() {
    let help = run(program(&["--help"])).await;
    let help = String::from_utf8(help.stdout).unwrap();
    let server = Controlled::start().await;
    let document = server.get("/openapi.json").await.body;
    let mut commands = 0;
    for operations in document["paths"].as_object().unwrap().values() {
        for operation in operations.as_object().unwrap().values() {
            let command = operation["x-entra-mock-command"].as_str().unwrap();
            let words = command
                .strip_prefix("entra-mock ctl ")
                .unwrap()
                .split(" <")
                .next()
                .unwrap();
            assert!(help.contains(&format!("\n  {words}")), "{words}");
            commands += 1;
        }
    }
    assert!(commands > 50);
}

#[tokio::test]
async fn the_help_of_a_word_lists_its_commands_only() {
    let help = run(program(&["groups", "--help"])).await;
    assert!(help.status.success());
    let help = String::from_utf8(help.stdout).unwrap();
    for part in ["ctl groups add <displayName>", "ctl members add <group>"] {
        assert!(help.contains(part), "{part}: {help}");
    }
    assert!(!help.contains("clock advance"), "{help}");
    let unknown = run(program(&["nonsense", "--help"])).await;
    let unknown = String::from_utf8(unknown.stdout).unwrap();
    assert!(unknown.contains("\n  clock advance"), "{unknown}");
}

#[tokio::test]
async fn commands_use_tls_with_the_certificate_authority_of_the_environment_file() {
    let file = std::env::temp_dir().join(format!("entra-mock-ctl-{}.pem", std::process::id()));
    let server = Server::builder()
        .tls(true)
        .ca_file(&file)
        .start()
        .await
        .unwrap();
    let freeze = async || {
        let mut command = program(&["clock", "freeze", "2027-01-01T00:00:00Z"]);
        command
            .env("ENTRA_MOCK_CONTROL_URL", server.control_uri())
            .env(
                "ENTRA_MOCK_CONTROL_TOKEN",
                server.control_token().expose_secret(),
            )
            .env("NODE_EXTRA_CA_CERTS", &file);
        run(command).await
    };
    let clock = json_of(&freeze().await);
    assert_eq!(clock["now"], "2027-01-01T00:00:00Z");
    // A certificate of another authority is not trusted.
    let other = Server::builder()
        .tls(true)
        .ca_file(&file)
        .start()
        .await
        .unwrap();
    assert_eq!(freeze().await.status.code(), Some(1));
    std::fs::remove_file(&file).unwrap();
    drop((server, other));
}
