//! Credentials of applications and hosts, and what they read: certificates, files, the environment.

use std::sync::Arc;

use entra_auth::{
    Aadsts, ApplicationCredentialFactory, Certificate, ChainedCredential,
    ClientCertificateCredential, ClientSecretCredential, CredentialOptions, DefaultCredential,
    Discovery, Environment, EnvironmentCredential, Error, SelfSignedCertificate,
    azure_core_adapter::{ForAzureCore, FromAzureCore},
    developer_tools::{
        AzureCliCredential, AzureDeveloperCliCredential, ProcessCommand, ProcessOutput,
        ProcessRunner,
    },
    managed_identity::{ManagedIdentityCredential, ManagedIdentityId},
    workload_identity::{ClientAssertionCredential, FederatedToken},
};
use entra_core::{
    ManualClock, RetryPolicy, ScriptedTransport, StaticCredential, TokenCredential, TokenRequest,
};

use super::{CLIENT, TENANT};
use crate::shown::{Shown, behind_proxy, canary, canary_text};

pub(super) async fn cases(shown: &Shown) {
    secrets(shown).await;
    certificates(shown);
    assertions(shown);
    hosts(shown).await;
    chains(shown).await;
}

fn request() -> TokenRequest {
    TokenRequest::new(["https://graph.microsoft.com/.default"])
}

/// A sign-in service that quotes what it was sent.
fn echo(secret: &str) -> ScriptedTransport {
    let text = canary_text(secret);
    let body = format!(
        r#"{{"error":"invalid_client","error_codes":[7000215],"error_description":"AADSTS7000215: '{text}' is invalid.","suberror":"{text}"}}"#
    );
    ScriptedTransport::new()
        .then(503, &[], text)
        .then(401, &[], body)
}

async fn secrets(shown: &Shown) {
    shown.debug(&CredentialOptions::new().transport(behind_proxy()));
    let options = CredentialOptions::new().transport(behind_proxy());
    shown.debug(&ApplicationCredentialFactory::new(&options));
    let builder = ClientSecretCredential::builder(TENANT, CLIENT, canary("client"));
    let builder = builder.transport(behind_proxy());
    shown.debug(&builder);
    shown.debug(&builder.build().unwrap());
    let failing = ClientSecretCredential::builder(TENANT, CLIENT, canary("client"))
        .transport(echo("client"))
        .clock(ManualClock::new())
        .build()
        .unwrap();
    let error = failing.token(&request()).await.unwrap_err();
    shown.error(&error);
    let error = Error::find(&error).unwrap();
    shown.error(error);
    shown.display(&error.report());
    let swapped = ClientSecretCredential::new(TENANT, &*canary_text("client"), CLIENT);
    shown.error(&swapped.unwrap_err());
    shown.debug(&Aadsts::lookup(7_000_215).unwrap());
    shown.debug(
        &Discovery::builder()
            .transport(behind_proxy())
            .build()
            .unwrap(),
    );
}

fn certificates(shown: &Shown) {
    let made = SelfSignedCertificate::rsa("CN=leaks");
    shown.debug(&made);
    let certificate = made.generate().unwrap();
    let key = certificate.private_key_pem_unencrypted().unwrap();
    for line in key.expose_secret().lines().filter(|line| line.len() == 64) {
        shown.secret(line);
    }
    shown.debug(&certificate);
    let builder = ClientCertificateCredential::builder(TENANT, CLIENT, certificate);
    let builder = builder.transport(behind_proxy());
    shown.debug(&builder);
    shown.debug(&builder.build().unwrap());

    let text = canary_text("key");
    let pem = key.expose_secret();
    for bad in [
        format!("-----BEGIN PRIVATE KEY----- {text} -----END PRIVATE KEY-----"),
        format!("-----BEGIN {text}-----\n{text}\n-----END {text}-----"),
        pem.replace('\n', "!"),
        pem.replace("-----END", "----END"),
    ] {
        let password = canary("passphrase");
        shown.error(&Certificate::from_bytes(&bad, Some(&password)).unwrap_err());
        shown.error(&Certificate::from_pem(&bad).unwrap_err());
        shown.error(&Certificate::from_pfx(&bad, &password).unwrap_err());
        // A key where a path belongs.
        shown.error(&Certificate::from_file(&bad, Some(&password)).unwrap_err());
        let from_file =
            ClientCertificateCredential::builder_from_file(TENANT, CLIENT, pem, Some(&password));
        shown.debug(&from_file);
        shown.error(&from_file.build().unwrap_err());
        shown.debug(&FederatedToken::file(pem));
    }
}

fn assertions(shown: &Shown) {
    let environment = environment();
    shown.debug(&environment);
    let github = FederatedToken::github_actions(&environment).unwrap();
    shown.debug(&github);
    let builder = ClientAssertionCredential::federated(TENANT, CLIENT, github);
    let builder = builder.transport(behind_proxy());
    shown.debug(&builder);
    shown.debug(&builder.build().unwrap());
}

/// Every secret that a process may be started with.
fn environment() -> Environment {
    let secrets = [
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        "SYSTEM_ACCESSTOKEN",
        "AZURE_CLIENT_SECRET",
        "AZURE_CLIENT_CERTIFICATE_PASSWORD",
        "AZURE_USERNAME",
        "AZURE_PASSWORD",
        "IDENTITY_HEADER",
        "MSI_SECRET",
    ];
    let others = [
        ("AZURE_TENANT_ID", TENANT),
        ("AZURE_CLIENT_ID", CLIENT),
        ("IDENTITY_ENDPOINT", "http://127.0.0.1:9/msi/token"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://actions.example/id"),
    ];
    secrets
        .iter()
        .map(|name| ((*name).to_owned(), canary(name)))
        .chain(
            others
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).into())),
        )
        .collect()
}

/// A tool that prints a secret and fails.
#[derive(Debug)]
struct Tool;

#[async_trait::async_trait]
impl ProcessRunner for Tool {
    async fn run(&self, _: &ProcessCommand) -> std::io::Result<ProcessOutput> {
        Ok(output())
    }
}

fn output() -> ProcessOutput {
    ProcessOutput {
        success: false,
        stdout: canary("stdout"),
        stderr: canary("stderr"),
    }
}

async fn hosts(shown: &Shown) {
    let environment = environment();
    shown.debug(&output());
    let builder = ManagedIdentityCredential::builder(&environment)
        .transport(echo("IDENTITY_HEADER"))
        .clock(ManualClock::new())
        .retry_policy(RetryPolicy::once());
    shown.debug(&builder);
    let credential = builder.build().unwrap();
    shown.debug(&credential);
    shown.error(&credential.token(&request()).await.unwrap_err());
    shown.debug(&ManagedIdentityId::Resource("/subscriptions/1".to_owned()));
    let builder = AzureCliCredential::builder(&environment).process_runner(Tool);
    shown.debug(&builder);
    let cli = builder.build().unwrap();
    shown.debug(&cli);
    shown.error(&cli.token(&request()).await.unwrap_err());
    let azd = AzureDeveloperCliCredential::builder(&environment)
        .process_runner(Tool)
        .build()
        .unwrap();
    shown.debug(&azd);
    shown.error(&azd.token(&request()).await.unwrap_err());
}

async fn chains(shown: &Shown) {
    let environment = environment();
    let builder = EnvironmentCredential::builder(&environment).transport(behind_proxy());
    shown.debug(&builder);
    shown.debug(&builder.build().unwrap());
    let builder = DefaultCredential::builder(&environment)
        .process_runner(Tool)
        .transport(behind_proxy());
    shown.debug(&builder);
    shown.debug(&builder.build().unwrap());
    let failing = ClientSecretCredential::builder(TENANT, CLIENT, canary("client"))
        .transport(echo("client"))
        .clock(ManualClock::new())
        .build()
        .unwrap();
    let chain = ChainedCredential::new().optional_link("first", failing);
    shown.error(&chain.token(&request()).await.unwrap_err());
    shown.debug(&chain);
    shown.display(&chain.report());
    for (_, outcome) in chain.report().links() {
        shown.debug(outcome);
    }
    let theirs = ForAzureCore::new(StaticCredential::new(&canary_text("static")));
    shown.debug(&theirs);
    shown.debug(&FromAzureCore::new(Arc::new(theirs)));
}
