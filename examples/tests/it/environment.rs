//! The file that `entra-mock serve` writes configures the clients of this SDK, as it does MSAL.

use std::{env, fs, process};

use entra_auth::EnvironmentCredential;
use entra_core::{Environment, TokenCredential, TokenRequest};
use entra_graph::GraphClient;
use entra_mock::Server;

/// The exports of an environment file, whose values have no quotation mark in them here.
fn variables(text: &str) -> Vec<(&str, &str)> {
    text.lines()
        .filter_map(|line| line.strip_prefix("export ")?.split_once('='))
        .map(|(name, value)| (name, value.trim_matches('\'')))
        .collect()
}

#[tokio::test]
async fn one_environment_file_configures_credential_and_graph_client() {
    let file = env::temp_dir().join(format!("entra-environment-{}.env", process::id()));
    let server = Server::builder().env_file(&file).start().await.unwrap();
    let text = fs::read_to_string(&file).unwrap();
    for written in [
        file.clone(),
        format!("{}.client.pem", file.display()).into(),
    ] {
        fs::remove_file(written).unwrap();
    }
    let environment = Environment::from_pairs(variables(&text));

    let cloud = environment.cloud().unwrap();
    assert_eq!(cloud.authority().as_str(), format!("{}/", server.uri()));
    assert_eq!(cloud.graph().as_str(), format!("{}/", server.uri()));
    environment.tenant_id().unwrap();
    environment.client_id().unwrap();

    let credential = EnvironmentCredential::builder(&environment)
        .build()
        .unwrap();
    let request = TokenRequest::new([cloud.graph_scope()]);
    credential.token(&request).await.unwrap();
    let graph = GraphClient::builder(credential)
        .environment(&environment)
        .build()
        .unwrap();
    let adele = graph.user("adele@contoso.com").get().send().await.unwrap();
    assert_eq!(adele.id.len(), 36);
}

#[test]
fn environment_without_a_cloud_fails_when_the_graph_client_is_built() {
    let environment = Environment::from_pairs([("ENTRA_GRAPH_URL", "http://graph.example.com")]);
    let credential = entra_core::StaticCredential::new("unused");
    let error = GraphClient::builder(credential)
        .environment(&environment)
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), entra_graph::ErrorKind::Configuration);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("ENTRA_GRAPH_URL"), "{cause}");
}
