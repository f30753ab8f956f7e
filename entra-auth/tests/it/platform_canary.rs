//! Assertions, host secrets and tool output stay out of everything that is printed, logged or put into
//! an address.

use std::{fmt::Debug, sync::Arc};

use entra_auth::{
    ChainedCredential, DefaultCredential, Environment,
    developer_tools::AzureCliCredential,
    managed_identity::ManagedIdentityCredential,
    workload_identity::{ClientAssertionCredential, FederatedToken},
};
use entra_core::{ManualClock, RetryPolicy, ScriptedTransport, Secret, TokenCredential};
use serde_json::json;

use crate::{
    canary::{check, listen},
    federated::Scratch,
    support::{CLIENT, TENANT, detail, graph},
    tools::{Tools, az_token},
};

const ASSERTION: &str = "canary-header.canary-claims.canary-signature";

/// Shows the builder and the credential, uses it until it fails, and shows what comes of it.
async fn exercise(builder: impl Debug, credential: impl TokenCredential) {
    check("the builder", &format!("{builder:?} {builder:#?}"));
    check("the credential", &format!("{credential:?} {credential:#?}"));
    let token = credential.token(&graph()).await.unwrap();
    check("the token", &format!("{token:?}"));
    let failed = credential
        .token(&graph().with_force_refresh())
        .await
        .unwrap_err();
    let mut next: Option<&dyn std::error::Error> = Some(&failed);
    while let Some(error) = next {
        check("an error", &format!("{error} {error:?} {error:#?}"));
        next = error.source();
    }
    if let Some(error) = entra_auth::Error::find(&failed) {
        check("its report", &error.report().to_string());
        check("its message", &format!("{:?}", error.service_message()));
    }
    check("the credential after it", &format!("{credential:?}"));
}

fn no_address_holds_a_secret(transport: &ScriptedTransport) {
    for request in transport.requests() {
        check("an address", &request.uri().to_string());
    }
}

/// Returns a token, then an error response that repeats the request.
fn entra() -> ScriptedTransport {
    let echo = json!({
        "error": "invalid_client", "error_codes": [700_213],
        "error_description": format!("AADSTS700213: not {ASSERTION}."),
    });
    ScriptedTransport::new()
        .then(
            200,
            &[],
            r#"{"token_type":"Bearer","access_token":"canary-token","expires_in":3600}"#,
        )
        .then(401, &[], echo.to_string())
}

#[tokio::test]
async fn assertions_are_not_shown_by_errors_or_logs() {
    let (log, _guard) = listen();
    let file = Scratch::new(ASSERTION);
    let transport = entra();
    let callback = ClientAssertionCredential::from_fn(TENANT, CLIENT, |_| async {
        Ok(Secret::from(ASSERTION))
    })
    .transport(transport.clone());
    exercise(callback.clone(), callback.build().unwrap()).await;
    no_address_holds_a_secret(&transport);

    let from_file =
        ClientAssertionCredential::federated(TENANT, CLIENT, FederatedToken::file(&file.0))
            .transport(entra());
    exercise(from_file.clone(), from_file.build().unwrap()).await;

    let environment = Environment::from_pairs([
        (
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "https://actions.example.com/id",
        ),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "canary-job"),
    ]);
    check("the environment", &format!("{environment:?}"));
    let jwt = json!({ "value": ASSERTION }).to_string();
    let transport = ScriptedTransport::new()
        .then(200, &[], jwt)
        .then(
            200,
            &[],
            r#"{"token_type":"Bearer","access_token":"canary-token","expires_in":3600}"#,
        )
        .then(401, &[], "canary-job");
    let github = FederatedToken::github_actions(&environment).unwrap();
    let github = ClientAssertionCredential::federated(TENANT, CLIENT, github)
        .transport(transport.clone())
        .retry_policy(RetryPolicy::once());
    exercise(github.clone(), github.build().unwrap()).await;
    no_address_holds_a_secret(&transport);
    assert!(
        log.text().contains("token by client assertion"),
        "{}",
        log.text()
    );
    check("the log", &log.text());
}

#[tokio::test]
async fn tokens_of_hosts_and_tools_are_not_shown_by_errors_or_logs() {
    let (log, _guard) = listen();
    let clock = ManualClock::new();
    let environment = Environment::from_pairs([
        ("IDENTITY_ENDPOINT", "http://169.254.130.2:8081/msi/token"),
        ("IDENTITY_HEADER", "canary-header"),
        ("AZURE_CLIENT_SECRET", "canary-secret"),
    ]);
    let granted = json!({ "access_token": "canary-token", "expires_in": 3600 }).to_string();
    let echo = json!({ "statusCode": 401, "message": "no canary-header" }).to_string();
    let host = ScriptedTransport::new()
        .then(200, &[], granted)
        .then(401, &[], echo);
    let managed = ManagedIdentityCredential::builder(&environment).transport(host.clone());
    exercise(managed.clone(), managed.build().unwrap()).await;
    no_address_holds_a_secret(&host);

    let tools = Arc::new(
        Tools::new()
            .print(&az_token(&clock))
            .complain("ERROR: eyJcanary"),
    );
    let cli = || {
        AzureCliCredential::builder(&environment)
            .process_runner(Arc::clone(&tools))
            .clock(clock.clone())
    };
    exercise(cli(), cli().build().unwrap()).await;

    let tools = Tools::new()
        .print(&az_token(&clock))
        .complain("ERROR: eyJcanary");
    let default = DefaultCredential::builder(&environment.with("AZURE_TOKEN_CREDENTIALS", "dev"))
        .process_runner(tools)
        .clock(clock);
    let credential = default.clone().build().unwrap();
    exercise(
        default,
        ChainedCredential::new().link("default", credential),
    )
    .await;
    check("the log", &log.text());
}

#[tokio::test]
async fn the_error_of_a_credential_is_found_below_the_chain() {
    let tools = Tools::new().complain("ERROR: AADSTS500011: no such resource");
    let cli = AzureCliCredential::builder(&Environment::default()).process_runner(tools);
    let chain = ChainedCredential::new().link("tool", cli.build().unwrap());
    let failed = chain.token(&graph()).await.unwrap_err();
    assert_eq!(detail(&failed).aadsts_code(), Some(500_011));
}
