//! Assertions that another party makes: callbacks, token files, GitHub Actions, Azure Pipelines.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use entra_auth::{
    AssertionRequest, ClientAssertion, Environment, ErrorKind,
    workload_identity::{ClientAssertionCredential, FederatedToken},
};
use entra_core::{
    Cloud, CredentialError, CredentialErrorKind, ManualClock, ScriptedTransport, Secret,
    TokenCredential, http::header, url::form_urlencoded,
};
use entra_mock::{App, FakeTenant, Fault};
use serde_json::{Value, json};

use crate::support::{CLIENT, SCOPE, TENANT, detail, graph};

const ISSUER: &str = "https://tokens.example.com/prod";
const SUBJECT: &str = "system:serviceaccount:shop:night-job";
const GRANTED: &str = r#"{"token_type":"Bearer","access_token":"t","expires_in":3600}"#;

/// A file that is gone after the test.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(content: impl AsRef<[u8]>) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("entra-auth-{}-{number}.token", std::process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }

    /// A named pipe without a writer.
    #[cfg(unix)]
    pub(crate) fn pipe() -> Self {
        let scratch = Self::new("");
        fs::remove_file(&scratch.0).unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(&scratch.0)
            .status();
        assert!(made.unwrap().success());
        scratch
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A credential of the app that always shows this token.
fn showing(tenant: &FakeTenant, app: &App, token: &str) -> ClientAssertionCredential {
    let token = Secret::from(token);
    ClientAssertionCredential::from_fn(tenant.id(), app.client_id(), move |_| {
        let token = token.clone();
        async move { Ok(token) }
    })
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .build()
    .unwrap()
}

fn form(request: &entra_core::http::Request<entra_core::bytes::Bytes>, name: &str) -> String {
    form_urlencoded::parse(request.body())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[tokio::test]
async fn assertion_callback_gets_tenant_client_and_endpoint() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Deploy")
        .with_federated_credential(ISSUER, SUBJECT);
    let token = tenant.federated_token(ISSUER, SUBJECT);
    let (client, endpoint) = (app.client_id(), tenant.cloud().token_endpoint(&tenant.id()));
    let credential = ClientAssertionCredential::from_fn(tenant.id(), client, move |request| {
        assert_eq!(request.client_id, client);
        assert_eq!(request.token_endpoint, endpoint);
        let token = token.clone();
        async move { Ok(Secret::from(token)) }
    })
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .build()
    .unwrap();
    credential.token(&graph()).await.unwrap();
    credential.token(&graph()).await.unwrap();
    tenant.requests().to("/oauth2/v2.0/token").assert_count(1);
    assert_eq!(credential.client_id(), client);
    assert_eq!(credential.tenant(), &tenant.id());
}

#[tokio::test]
async fn error_of_a_federated_token_names_the_mismatch() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Deploy")
        .with_federated_credential(ISSUER, SUBJECT);
    let bare = tenant.register_app("Bare");
    let token = |claims: Value| tenant.federated_token_with(ISSUER, SUBJECT, claims);
    let unsigned = {
        let token = token(json!({}));
        let (message, _) = token.rsplit_once('.').unwrap();
        format!("{message}.AAAA")
    };
    let cases = [
        (&bare, token(json!({})), 70_025),
        (
            &app,
            token(json!({ "iss": "https://tokens.example.com/prod/" })),
            700_211,
        ),
        (
            &app,
            token(json!({ "sub": SUBJECT.to_uppercase() })),
            7_002_138,
        ),
        (
            &app,
            token(json!({ "aud": "api://azureadtokenexchange" })),
            700_212,
        ),
        (&app, token(json!({ "exp": 1 })), 700_024),
        (&app, token(json!({ "nbf": 99_999_999_999_i64 })), 700_024),
        (&app, token(json!({ "scp": "User.Read" })), 700_229),
        (&app, unsigned, 700_027),
    ];
    for (app, token, code) in cases {
        let failed = showing(&tenant, app, &token).token(&graph()).await;
        let failed = failed.unwrap_err();
        assert_eq!(failed.code(), Some(code), "{failed:?}");
        assert_eq!(detail(&failed).kind(), ErrorKind::InvalidClient, "{code}");
        assert!(failed.fix().is_some(), "{code}");
        assert!(!format!("{failed:?}").contains(&token), "{code}");
    }
    // A federated credential that was made a moment ago may not be known everywhere.
    tenant.inject(Fault::on("/token").times(1).sign_in_error(70_021));
    let failed = showing(&tenant, &app, &token(json!({})));
    assert!(failed.token(&graph()).await.unwrap_err().is_transient());
    // An issuer that has changed its keys.
    let stale = token(json!({}));
    tenant.trust_issuer(ISSUER, Vec::new());
    let failed = showing(&tenant, &app, &stale).token(&graph()).await;
    assert_eq!(failed.unwrap_err().code(), Some(700_027));
}

#[derive(Debug)]
struct Vault(CredentialErrorKind);

#[async_trait]
impl ClientAssertion for Vault {
    async fn assertion(&self, _: &AssertionRequest) -> Result<Secret, CredentialError> {
        Err(CredentialError::new(self.0, "the vault is closed").with_fix("open it"))
    }
}

#[tokio::test]
async fn a_failed_callback_keeps_its_kind_and_nothing_is_sent() {
    for kind in [
        CredentialErrorKind::Unavailable,
        CredentialErrorKind::Configuration,
        CredentialErrorKind::Rejected,
        CredentialErrorKind::InteractionRequired,
        CredentialErrorKind::Throttled,
        CredentialErrorKind::Transient,
        CredentialErrorKind::Protocol,
    ] {
        let transport = ScriptedTransport::new();
        let credential = ClientAssertionCredential::builder(TENANT, CLIENT, Vault(kind))
            .transport(Arc::new(transport.clone()))
            .build()
            .unwrap();
        let failed = credential.token(&graph()).await.unwrap_err();
        assert_eq!(failed.kind(), kind);
        assert_eq!(failed.fix(), Some("open it"));
        assert!(format!("{failed:?}").contains("the vault is closed"));
        assert!(transport.requests().is_empty());
    }
}

#[tokio::test]
async fn assertion_that_is_not_a_jwt_is_not_sent() {
    let transport = ScriptedTransport::new();
    for text in [
        "",
        "canary",
        "canary.b",
        "canary.b.",
        "canary.b.c\n",
        "a.b.c.canary",
    ] {
        let credential = ClientAssertionCredential::from_fn(TENANT, CLIENT, move |_| async move {
            Ok(Secret::from(text))
        })
        .transport(Arc::new(transport.clone()))
        .build()
        .unwrap();
        let failed = credential.token(&graph()).await.unwrap_err();
        assert_eq!(failed.kind(), CredentialErrorKind::Configuration, "{text}");
        assert!(!format!("{failed:?}").contains("canary"));
    }
    assert!(transport.requests().is_empty());
}

#[tokio::test]
async fn workload_identity_reads_its_rotated_token_file() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Pod")
        .with_federated_credential(ISSUER, SUBJECT);
    let file = Scratch::new("not yet written");
    let environment = Environment::from_pairs([
        ("AZURE_TENANT_ID", tenant.id().to_string()),
        ("AZURE_CLIENT_ID", app.client_id().to_string()),
        ("AZURE_FEDERATED_TOKEN_FILE", file.0.display().to_string()),
        ("AZURE_AUTHORITY_HOST", tenant.uri()),
    ]);
    let credential = ClientAssertionCredential::workload_identity(&environment)
        .unwrap()
        .clock(tenant.clock())
        .build()
        .unwrap();
    let failed = credential.token(&graph()).await.unwrap_err();
    assert_eq!(failed.kind(), CredentialErrorKind::Configuration);

    fs::write(
        &file.0,
        format!("{}\n", tenant.federated_token(ISSUER, SUBJECT)),
    )
    .unwrap();
    credential.token(&graph()).await.unwrap();
    // Two hours later access token and file have both ended.
    tenant.clock().advance(std::time::Duration::from_secs(7200));
    let failed = credential.token(&graph()).await.unwrap_err();
    assert_eq!(failed.code(), Some(700_024));
    fs::write(&file.0, tenant.federated_token(ISSUER, SUBJECT)).unwrap();
    credential.token(&graph()).await.unwrap();
}

#[tokio::test]
async fn a_token_file_may_have_a_byte_order_mark_or_be_utf16() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Pod")
        .with_federated_credential(ISSUER, SUBJECT);
    let token = tenant.federated_token(ISSUER, SUBJECT);
    let with_mark = format!("\u{feff}{token}\r\n");
    let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    };
    for content in [
        with_mark.clone().into_bytes(),
        utf16(&with_mark, u16::to_le_bytes),
        utf16(&with_mark, u16::to_be_bytes),
        utf16(&token, u16::to_le_bytes),
    ] {
        let file = Scratch::new(content);
        let credential = ClientAssertionCredential::federated(
            tenant.id(),
            app.client_id(),
            FederatedToken::file(&file.0),
        )
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
        credential.token(&graph()).await.unwrap();
    }
}

#[tokio::test]
async fn a_token_file_that_cannot_be_used_is_named() {
    let empty = Scratch::new(" \n");
    let long = Scratch::new("a.b.c".repeat(20_000));
    let zip = Scratch::new(b"PK\x03\x04\xff\xfe");
    let list = Scratch::new("eyJ.canary.c\neyJ.canary.d");
    let gone = PathBuf::from("/nowhere/token");
    #[cfg(unix)]
    let pipe = Scratch::pipe();
    for (path, what) in [
        // Its open would wait for a writer.
        #[cfg(unix)]
        (&pipe.0, "cannot be read"),
        (&empty.0, "is empty"),
        (&long.0, "too long"),
        (&zip.0, "holds characters that no token has"),
        (&list.0, "holds characters that no token has"),
        (&gone, "cannot be read"),
    ] {
        let credential =
            ClientAssertionCredential::federated(TENANT, CLIENT, FederatedToken::file(path))
                .transport(Arc::new(ScriptedTransport::new()))
                .build()
                .unwrap();
        let failed = credential.token(&graph()).await.unwrap_err();
        let text = format!("{failed:?}");
        assert_eq!(failed.kind(), CredentialErrorKind::Configuration);
        assert!(!text.contains("canary") && failed.fix().is_some(), "{text}");
        assert!(
            text.contains(what) && text.contains(&path.display().to_string()),
            "{text}"
        );
    }
}

#[test]
fn missing_workload_identity_variables_are_named() {
    let environment = Environment::from_pairs([("AZURE_CLIENT_ID", CLIENT)]);
    let error = ClientAssertionCredential::workload_identity(&environment).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        error
            .to_string()
            .contains("AZURE_TENANT_ID, AZURE_FEDERATED_TOKEN_FILE"),
        "{error}"
    );
    let error = ClientAssertionCredential::workload_identity(&Environment::from_pairs([
        ("AZURE_TENANT_ID", TENANT),
        ("AZURE_CLIENT_ID", "no id"),
        ("AZURE_FEDERATED_TOKEN_FILE", "/token"),
    ]))
    .unwrap()
    .build()
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

fn github() -> Environment {
    Environment::from_pairs([
        (
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "https://actions.example.com/id?api-version=2.0",
        ),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "canary-job-token"),
    ])
}

fn with_github(transport: &ScriptedTransport, cloud: Cloud) -> ClientAssertionCredential {
    let token = FederatedToken::github_actions(&github()).unwrap();
    assert!(!format!("{token:?}").contains("canary"));
    ClientAssertionCredential::federated(TENANT, CLIENT, token)
        .transport(Arc::new(transport.clone()))
        .clock(ManualClock::new())
        .cloud(cloud)
        .build()
        .unwrap()
}

#[tokio::test]
async fn github_token_is_requested_for_the_audience_of_the_cloud() {
    for (cloud, audience) in [
        (Cloud::public(), "api%3A%2F%2FAzureADTokenExchange"),
        (
            Cloud::us_government(),
            "api%3A%2F%2FAzureADTokenExchangeUSGov",
        ),
    ] {
        let transport = ScriptedTransport::new()
            .then(200, &[], r#"{"count":1,"value":"a.b.c"}"#)
            .then(200, &[], GRANTED);
        with_github(&transport, cloud)
            .token(&graph())
            .await
            .unwrap();
        let [requested, redeemed] = &transport.requests()[..] else {
            panic!("two requests")
        };
        assert_eq!(requested.method(), "GET");
        assert_eq!(
            requested.uri().to_string(),
            format!("https://actions.example.com/id?api-version=2.0&audience={audience}")
        );
        assert_eq!(
            requested.headers()[header::AUTHORIZATION],
            "Bearer canary-job-token"
        );
        assert_eq!(form(redeemed, "client_assertion"), "a.b.c");
        assert_eq!(form(redeemed, "scope"), SCOPE);
        assert!(redeemed.headers().get(header::AUTHORIZATION).is_none());
    }
}

#[tokio::test]
async fn github_endpoint_errors_have_their_kind_and_no_job_token() {
    for (status, body, kind) in [
        (401, "canary-job-token", CredentialErrorKind::Rejected),
        (403, "{}", CredentialErrorKind::Rejected),
        (302, "", CredentialErrorKind::Rejected),
        (503, "<html>", CredentialErrorKind::Transient),
        (429, "", CredentialErrorKind::Throttled),
        (200, "canary", CredentialErrorKind::Protocol),
        (200, r#"{"value":""}"#, CredentialErrorKind::Protocol),
        (200, r#"{"value":5}"#, CredentialErrorKind::Protocol),
    ] {
        let transport = (0..8).fold(ScriptedTransport::new(), |script, _| {
            script.then(status, &[], body)
        });
        let credential = with_github(&transport, Cloud::public());
        let failed = credential.token(&graph()).await.unwrap_err();
        assert_eq!(failed.kind(), kind, "{status} {body}");
        assert!(!format!("{failed:?}").contains("canary"), "{failed:?}");
        let hosts = transport.requests();
        assert!(
            hosts
                .iter()
                .all(|one| one.uri().host() == Some("actions.example.com"))
        );
    }
}

#[tokio::test]
async fn azure_pipelines_token_is_requested_for_the_service_connection() {
    let environment = Environment::from_pairs([
        (
            "SYSTEM_OIDCREQUESTURI",
            "https://vstoken.example.com/org/job/oidctoken",
        ),
        ("SYSTEM_ACCESSTOKEN", "canary-system"),
    ]);
    let token = FederatedToken::azure_pipelines(&environment, "11 22").unwrap();
    let transport = ScriptedTransport::new()
        .then(200, &[], r#"{"oidcToken":"a.b.c"}"#)
        .then(200, &[], GRANTED);
    let credential = ClientAssertionCredential::federated(TENANT, CLIENT, token)
        .transport(Arc::new(transport.clone()))
        .build()
        .unwrap();
    credential.token(&graph()).await.unwrap();
    let requested = &transport.requests()[0];
    assert_eq!(requested.method(), "POST");
    assert_eq!(
        requested.uri().to_string(),
        "https://vstoken.example.com/org/job/oidctoken?api-version=7.1&serviceConnectionId=11+22"
    );
    assert_eq!(requested.headers()["x-tfs-fedauthredirect"], "Suppress");
    assert_eq!(form(&transport.requests()[1], "client_assertion"), "a.b.c");
}

#[test]
fn missing_job_variables_are_unavailable_and_unsafe_urls_are_rejected() {
    let nothing = Environment::default();
    for error in [
        FederatedToken::github_actions(&nothing).unwrap_err(),
        FederatedToken::azure_pipelines(&nothing, "1").unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.fix().is_some());
    }
    let plain = github().with(
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "http://actions.example.com/",
    );
    let token = FederatedToken::github_actions(&plain).unwrap();
    let error = ClientAssertionCredential::federated(TENANT, CLIENT, token)
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let broken = github().with("ACTIONS_ID_TOKEN_REQUEST_URL", "no address");
    let error = FederatedToken::github_actions(&broken).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}
