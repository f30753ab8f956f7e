//! The environment as a credential, chains, and the default chain with its reasons.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use entra_auth::{
    ChainedCredential, ClientSecretCredential, CredentialOptions, DefaultCredential,
    DefaultCredentialBuilder, Environment, EnvironmentCredential, ErrorKind, LinkOutcome,
    TokenCache,
};
use entra_core::{
    AccessToken, Clock, Cloud, CredentialError, CredentialErrorKind, ManualClock,
    ScriptedTransport, StaticCredential, TokenCredential, TokenRequest, TransportError,
};
use entra_mock::{App, FakeTenant};
use serde_json::json;

use crate::{
    federated::Scratch,
    support::{CLIENT, TENANT, detail, graph},
    tools::{Tools, az_token},
};

fn of_app(tenant: &FakeTenant, app: &App) -> Environment {
    Environment::from_pairs([
        ("AZURE_TENANT_ID", tenant.id().to_string()),
        ("AZURE_CLIENT_ID", app.client_id().to_string()),
        ("AZURE_AUTHORITY_HOST", tenant.uri()),
    ])
}

#[tokio::test]
async fn environment_credential_prefers_the_secret_to_the_certificate() {
    let tenant = FakeTenant::start().await;
    let pem = tenant.test_certificate_pem();
    let app = tenant
        .register_app("Job")
        .with_secret()
        .with_certificate(&pem);
    let file = Scratch::new(&pem);
    let certificate = of_app(&tenant, &app)
        .with(
            "AZURE_CLIENT_CERTIFICATE_PATH",
            file.0.display().to_string(),
        )
        .with("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", "1");
    let both = certificate
        .clone()
        .with("AZURE_CLIENT_SECRET", app.secret());
    for (environment, kind) in [(&certificate, "ClientCertificate"), (&both, "ClientSecret")] {
        let credential = EnvironmentCredential::builder(environment)
            .clock(tenant.clock())
            .build()
            .unwrap();
        credential.token(&graph()).await.unwrap();
        let shown = format!("{credential:?} {environment:?}");
        assert!(shown.contains(kind), "{shown}");
        assert!(!shown.contains(app.secret().expose_secret()), "{shown}");
    }
}

#[tokio::test]
async fn region_of_the_environment_replaces_the_global_endpoint() {
    let environment = Environment::from_pairs([
        ("AZURE_TENANT_ID", TENANT),
        ("AZURE_CLIENT_ID", CLIENT),
        ("AZURE_CLIENT_SECRET", "s"),
        ("AZURE_REGIONAL_AUTHORITY_NAME", "westeurope"),
    ]);
    let granted = r#"{"token_type":"Bearer","access_token":"t","expires_in":3600}"#;
    let transport = ScriptedTransport::new().then(200, &[], granted);
    let credential = EnvironmentCredential::builder(&environment)
        .transport(transport.clone())
        .build()
        .unwrap();
    credential.token(&graph()).await.unwrap();
    let host = transport.requests()[0].uri().host().map(str::to_owned);
    assert_eq!(host.as_deref(), Some("westeurope.login.microsoft.com"));
}

#[tokio::test]
async fn explicit_public_cloud_takes_precedence_over_the_environment() {
    let environment = Environment::from_pairs([
        ("AZURE_TENANT_ID", TENANT),
        ("AZURE_CLIENT_ID", CLIENT),
        ("AZURE_CLIENT_SECRET", "s"),
        ("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us"),
    ]);
    let response = r#"{"token_type":"Bearer","access_token":"t","expires_in":3600}"#;
    for (cloud, expected) in [
        (None, "login.microsoftonline.us"),
        (Some(Cloud::public()), "login.microsoftonline.com"),
    ] {
        let transport = ScriptedTransport::new().then(200, &[], response);
        let builder = EnvironmentCredential::builder(&environment).transport(transport.clone());
        let builder = match cloud {
            Some(cloud) => builder.cloud(cloud),
            None => builder,
        };
        builder.build().unwrap().token(&graph()).await.unwrap();
        let requests = transport.requests();
        assert_eq!(requests[0].uri().host(), Some(expected));
    }
}

#[tokio::test]
async fn credentials_share_options_as_a_value() {
    let granted = r#"{"token_type":"Bearer","access_token":"t","expires_in":3600}"#;
    let transport = ScriptedTransport::new().then(200, &[], granted);
    let environment =
        Environment::from_pairs([("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us")]);
    let options = CredentialOptions::new()
        .environment(&environment)
        .cache(&TokenCache::new())
        .clock(ManualClock::new())
        .transport(transport.clone());
    for _ in 0..2 {
        let credential = ClientSecretCredential::builder(TENANT, CLIENT, "s").options(&options);
        credential.build().unwrap().token(&graph()).await.unwrap();
    }
    let requests = transport.requests();
    assert_eq!(
        requests.len(),
        1,
        "the second is served by the shared cache"
    );
    assert_eq!(requests[0].uri().host(), Some("login.microsoftonline.us"));

    let invalid = Environment::from_pairs([("AZURE_AUTHORITY_HOST", "http://login.example.com")]);
    let options = options.environment(&invalid);
    let builder = ClientSecretCredential::builder(TENANT, CLIENT, "s").options(&options);
    assert_eq!(
        builder.build().unwrap_err().kind(),
        ErrorKind::Configuration
    );
}

#[test]
fn missing_variable_is_unavailable_and_invalid_variable_is_a_configuration_error() {
    let build = |environment: Environment| {
        EnvironmentCredential::builder(&environment)
            .build()
            .unwrap_err()
    };
    let ids = Environment::from_pairs([("AZURE_TENANT_ID", TENANT), ("AZURE_CLIENT_ID", CLIENT)]);
    for (environment, missing) in [
        (
            Environment::default(),
            "AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH not set",
        ),
        (
            ids.clone(),
            "AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH not set",
        ),
        (
            ids.clone()
                .with("AZURE_TENANT_ID", " ")
                .with("AZURE_CLIENT_SECRET", "s"),
            "AZURE_TENANT_ID not set",
        ),
    ] {
        let error = build(environment);
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(error.to_string(), missing);
    }
    for (name, value) in [
        ("AZURE_TENANT_ID", "no tenant"),
        ("AZURE_TENANT_ID", "common"),
        ("AZURE_CLIENT_ID", "my app"),
        ("AZURE_AUTHORITY_HOST", "http://login.example.com"),
    ] {
        let error = build(
            ids.clone()
                .with("AZURE_CLIENT_SECRET", "s")
                .with(name, value),
        );
        assert_eq!(error.kind(), ErrorKind::Configuration, "{name}={value}");
    }
    let error = build(ids.with("AZURE_CLIENT_CERTIFICATE_PATH", "/nowhere.pem"));
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

/// A link that counts how often it is asked and always fails in one way.
#[derive(Clone, Debug)]
struct Failing(CredentialErrorKind, Arc<AtomicU32>);

impl Failing {
    fn with(kind: CredentialErrorKind) -> Self {
        Self(kind, Arc::default())
    }

    fn requested(&self) -> u32 {
        self.1.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl TokenCredential for Failing {
    async fn token(&self, _: &TokenRequest) -> Result<AccessToken, CredentialError> {
        self.1.fetch_add(1, Ordering::SeqCst);
        let error = CredentialError::new(self.0, "the link failed").with_code(7_000_215);
        Err(error
            .with_fix("mend it")
            .with_ids(Some("correlation".into()), Some("trace".into())))
    }
}

#[tokio::test]
async fn unavailable_link_is_skipped_and_the_first_token_selects_its_link() {
    let first = Failing::with(CredentialErrorKind::Unavailable);
    let chain = ChainedCredential::new()
        .link("first", first.clone())
        .link("second", StaticCredential::new("t"))
        .link("third", Failing::with(CredentialErrorKind::Rejected));
    assert!(matches!(
        chain.report().links().next(),
        Some(("first", LinkOutcome::NotTried))
    ));
    let clone = chain.clone();
    chain.token(&graph()).await.unwrap();
    clone.token(&graph()).await.unwrap();
    assert_eq!(
        first.requested(),
        1,
        "the choice is made once, for clones too"
    );
    assert_eq!(clone.report().selected(), Some("second"));
    assert_eq!(
        chain.report().to_string(),
        "first: skipped, the link failed (AADSTS7000215)\nsecond: returned the token\nthird: not tried"
    );
    let outcomes: Vec<_> = chain
        .report()
        .links()
        .map(|(_, one)| one.fix().map(str::to_owned))
        .collect();
    assert_eq!(outcomes, [Some("mend it".to_owned()), None, None]);
}

#[tokio::test]
async fn other_failure_of_a_link_ends_the_chain_and_keeps_its_details() {
    for kind in [
        CredentialErrorKind::Configuration,
        CredentialErrorKind::Rejected,
        CredentialErrorKind::InteractionRequired,
        CredentialErrorKind::Throttled,
        CredentialErrorKind::Transient,
        CredentialErrorKind::Protocol,
    ] {
        let next = Failing::with(CredentialErrorKind::Unavailable);
        let chain = ChainedCredential::new()
            .link("first", Failing::with(kind))
            .link("second", next.clone());
        let failed = chain.token(&graph()).await.unwrap_err();
        assert_eq!(failed.kind(), kind);
        assert_eq!(failed.code(), Some(7_000_215));
        assert_eq!(failed.fix(), Some("mend it"));
        assert_eq!(failed.correlation_id(), Some("correlation"));
        assert!(failed.to_string().contains("first"), "{failed}");
        assert_eq!(next.requested(), 0, "{kind:?}");
        let report = chain.report();
        assert_eq!(report.selected(), None);
        assert_eq!(
            report.to_string(),
            "first: failed, the link failed (AADSTS7000215)\nsecond: not tried"
        );
    }
    let optional = ChainedCredential::new()
        .optional_link("first", Failing::with(CredentialErrorKind::Rejected))
        .link("second", StaticCredential::new("t"));
    optional.token(&graph()).await.unwrap();
}

#[tokio::test]
async fn failed_chain_reports_each_link_on_one_line() {
    let unavailable = || Failing::with(CredentialErrorKind::Unavailable);
    let chain = ChainedCredential::new()
        .link("first", unavailable())
        .link("second", unavailable());
    let failed = chain.token(&graph()).await.unwrap_err();
    assert_eq!(failed.kind(), CredentialErrorKind::Unavailable);
    let source = std::error::Error::source(&failed).unwrap().to_string();
    assert_eq!(
        source,
        "first: the link failed (AADSTS7000215); second: the link failed (AADSTS7000215)"
    );
    let empty = ChainedCredential::new().token(&graph()).await.unwrap_err();
    assert_eq!(empty.kind(), CredentialErrorKind::Unavailable);
    assert!(empty.fix().is_some());
}

#[tokio::test]
async fn selected_link_stays_selected_after_a_later_failure() {
    let clock = ManualClock::new();
    let transport = ScriptedTransport::new()
        .then(
            200,
            &[],
            r#"{"token_type":"Bearer","access_token":"t","expires_in":3600}"#,
        )
        .then(
            401,
            &[],
            r#"{"error":"invalid_client","error_codes":[7000222]}"#,
        );
    let environment = Environment::from_pairs([
        ("AZURE_TENANT_ID", TENANT),
        ("AZURE_CLIENT_ID", CLIENT),
        ("AZURE_CLIENT_SECRET", "s"),
    ]);
    let tools = Arc::new(Tools::new());
    let credential = DefaultCredential::builder(&environment)
        .transport(Arc::new(transport))
        .process_runner(Arc::clone(&tools))
        .clock(clock.clone())
        .build()
        .unwrap();
    credential.token(&graph()).await.unwrap();
    let failed = credential
        .token(&graph().with_force_refresh())
        .await
        .unwrap_err();
    assert_eq!(failed.code(), Some(7_000_222));
    assert_eq!(
        credential.report().selected(),
        Some("EnvironmentCredential")
    );
    assert!(tools.commands().is_empty());
}

fn default(environment: &Environment, tools: &Arc<Tools>) -> DefaultCredentialBuilder {
    let nothing = ScriptedTransport::new().then_fail(TransportError::timeout("no response"));
    DefaultCredential::builder(environment)
        .transport(Arc::new(nothing))
        .process_runner(Arc::clone(tools))
}

#[tokio::test]
async fn default_chain_reports_why_each_link_was_skipped() {
    let tools = Arc::new(
        Tools::new()
            .complain("ERROR: Please run 'az login' to setup account.")
            .fail(io::ErrorKind::NotFound),
    );
    let credential = default(&Environment::default(), &tools).build().unwrap();
    let failed = credential.token(&graph()).await.unwrap_err();
    assert_eq!(failed.kind(), CredentialErrorKind::Unavailable);
    let report = credential.report();
    let lines: Vec<String> = report.to_string().lines().map(str::to_owned).collect();
    assert_eq!(
        lines,
        [
            "EnvironmentCredential: skipped, AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH not set",
            "WorkloadIdentityCredential: skipped, no workload identity: AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE not set",
            "ManagedIdentityCredential: skipped, no managed identity: there is no metadata service here",
            "AzureCliCredential: skipped, no user is signed in to the Azure CLI",
            "AzureDeveloperCliCredential: skipped, the Azure Developer CLI is not installed",
        ]
    );
    assert!(report.links().all(|(_, outcome)| outcome.fix().is_some()));
}

#[tokio::test]
async fn failed_developer_tool_is_skipped() {
    let clock = ManualClock::new();
    let end = entra_core::time::format_description::well_known::Rfc3339;
    let end = (clock.now() + std::time::Duration::from_secs(60))
        .format(&end)
        .unwrap();
    let printed = json!({ "token": "canary-azd", "expiresOn": end }).to_string();
    let tools = Arc::new(
        Tools::new()
            .complain("ERROR: AADSTS500011: no")
            .print(&printed),
    );
    let environment = Environment::from_pairs([("AZURE_TOKEN_CREDENTIALS", "dev")]);
    let credential = default(&environment, &tools).clock(clock).build().unwrap();
    credential.token(&graph()).await.unwrap();
    assert_eq!(
        credential.report().selected(),
        Some("AzureDeveloperCliCredential")
    );
    assert!(!format!("{credential:?} {:?}", credential.report()).contains("canary"));
}

#[tokio::test]
async fn developer_account_does_not_hide_a_wrong_secret() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Job").with_secret();
    let environment = of_app(&tenant, &app).with("AZURE_CLIENT_SECRET", "canary-wrong");
    let clock = tenant.clock();
    let tools = Arc::new(Tools::new().print(&az_token(&clock)));
    let credential = DefaultCredential::builder(&environment)
        .process_runner(Arc::clone(&tools))
        .clock(clock)
        .build()
        .unwrap();
    let failed = credential.token(&graph()).await.unwrap_err();
    assert_eq!(failed.code(), Some(7_000_215));
    assert!(detail(&failed).is_invalid_client());
    assert!(tools.commands().is_empty());
    assert!(!format!("{failed:?} {credential:?} {}", credential.report()).contains("canary"));
}

#[tokio::test]
async fn the_selection_variable_narrows_the_chain() {
    let names = |selection: &str| {
        let environment = Environment::from_pairs([("AZURE_TOKEN_CREDENTIALS", selection)]);
        let credential = default(&environment, &Arc::default()).build();
        credential.map(|credential| {
            let report = credential.report();
            report
                .links()
                .map(|(name, _)| name.to_owned())
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(names("").unwrap().len(), 5);
    assert_eq!(
        names("prod").unwrap().last().unwrap(),
        "ManagedIdentityCredential"
    );
    assert_eq!(
        names("DEV").unwrap(),
        ["AzureCliCredential", "AzureDeveloperCliCredential"]
    );
    assert_eq!(names("azureclicredential").unwrap(), ["AzureCliCredential"]);
    let error = names("VisualStudioCredential").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.fix().unwrap().contains("AzureCliCredential"));
}

#[tokio::test]
async fn misconfigured_link_ends_the_chain_when_it_is_reached() {
    let environment = Environment::from_pairs([
        ("AZURE_TENANT_ID", TENANT),
        ("AZURE_CLIENT_ID", "no id"),
        ("AZURE_CLIENT_SECRET", "s"),
    ]);
    let credential = default(&environment, &Arc::default()).build().unwrap();
    let failed = credential.token(&graph()).await.unwrap_err();
    assert_eq!(failed.kind(), CredentialErrorKind::Configuration);
    assert!(failed.to_string().contains("EnvironmentCredential"));
}
