//! Managed identities on every kind of host: what is asked there, what comes back, what is rejected.

use std::{sync::Arc, time::Duration};

use entra_auth::{
    Environment, ErrorKind,
    managed_identity::{
        ManagedIdentityCredential, ManagedIdentityCredentialBuilder, ManagedIdentityId,
        ManagedIdentitySource,
    },
};
use entra_core::{
    AccessToken, Clock, CredentialError, CredentialErrorKind, ManualClock, RetryPolicy,
    ScriptedTransport, TokenCredential, TransportError,
};
use entra_mock::FakeTenant;
use serde_json::{Value, json};

use crate::support::{CLIENT, TENANT, detail, graph};

pub(crate) const RESOURCE: &str = "https%3A%2F%2Fgraph.microsoft.com";
const RESOURCE_ID: &str = "/subscriptions/s/id";

/// A host by its variables.
fn host(pairs: &[(&str, &str)]) -> Environment {
    Environment::from_pairs(pairs.iter().copied())
}

fn app_service() -> Environment {
    host(&[
        ("IDENTITY_ENDPOINT", "http://169.254.130.2:8081/msi/token"),
        ("IDENTITY_HEADER", "canary-header"),
    ])
}

fn ids() -> [ManagedIdentityId; 4] {
    [
        ManagedIdentityId::System,
        ManagedIdentityId::Client(CLIENT.parse().unwrap()),
        ManagedIdentityId::Object(TENANT.parse().unwrap()),
        ManagedIdentityId::Resource(RESOURCE_ID.to_owned()),
    ]
}

pub(crate) fn builder(
    environment: &Environment,
    transport: &ScriptedTransport,
    clock: &ManualClock,
) -> ManagedIdentityCredentialBuilder {
    ManagedIdentityCredential::builder(environment)
        .transport(Arc::new(transport.clone()))
        .clock(clock.clone())
}

pub(crate) fn granted(clock: &ManualClock, lifetime: i64) -> String {
    let end = clock.now().unix_timestamp() + lifetime;
    json!({ "access_token": "canary-token", "expires_on": end.to_string(), "token_type": "Bearer" })
        .to_string()
}

/// One token request of a host, and what was sent for it.
async fn ask(environment: &Environment, identity: ManagedIdentityId) -> String {
    let clock = ManualClock::new();
    let transport = ScriptedTransport::new().then(200, &[], granted(&clock, 3600));
    let credential = builder(environment, &transport, &clock)
        .identity(identity)
        .build()
        .unwrap();
    let token = credential.token(&graph()).await.unwrap();
    assert_eq!(token.expose_secret(), "canary-token");
    let sent = &transport.requests()[0];
    let header = ["metadata", "secret", "x-identity-header"]
        .iter()
        .find_map(|name| {
            Some(format!(
                "{name}: {}",
                sent.headers().get(*name)?.to_str().ok()?
            ))
        });
    format!(
        "{} {} {} {}",
        sent.method(),
        sent.uri(),
        header.unwrap_or_default(),
        String::from_utf8_lossy(sent.body())
    )
    .trim()
    .to_owned()
}

async fn rejected(
    environment: &Environment,
    status: u16,
    body: &str,
) -> (CredentialError, usize, Duration) {
    let clock = ManualClock::new();
    let start = clock.now();
    let transport = (0..9).fold(ScriptedTransport::new(), |script, _| {
        script.then(status, &[], body.to_owned())
    });
    let credential = builder(environment, &transport, &clock).build().unwrap();
    let failed = credential.token(&graph()).await.unwrap_err();
    let took = (clock.now() - start).unsigned_abs();
    (failed, transport.requests().len(), took)
}

#[tokio::test]
async fn each_host_gets_its_own_request_for_each_kind_of_identity() {
    let arc = Environment::default().with_arc_agent("/nowhere");
    assert_eq!(
        builder(&arc, &ScriptedTransport::new(), &ManualClock::new())
            .build()
            .unwrap()
            .source(),
        ManagedIdentitySource::AzureArc
    );
    let imds = "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01";
    let app = "http://169.254.130.2:8081/msi/token?api-version=2019-08-01";
    let selectors = [
        (
            imds,
            Environment::default(),
            "metadata: true",
            ["client_id", "object_id", "msi_res_id"],
        ),
        (
            app,
            app_service(),
            "x-identity-header: canary-header",
            ["client_id", "principal_id", "mi_res_id"],
        ),
    ];
    for (url, environment, header, [client, object, resource]) in selectors {
        let [system, by_client, by_object, by_resource] = ids();
        for (identity, selector) in [
            (system, String::new()),
            (by_client, format!("&{client}={CLIENT}")),
            (by_object, format!("&{object}={TENANT}")),
            (
                by_resource,
                format!("&{resource}=%2Fsubscriptions%2Fs%2Fid"),
            ),
        ] {
            assert_eq!(
                ask(&environment, identity).await,
                format!("GET {url}&resource={RESOURCE}{selector} {header}")
            );
        }
    }
    let fabric = host(&[
        (
            "IDENTITY_ENDPOINT",
            "https://localhost:2377/metadata/identity/oauth2/token",
        ),
        ("IDENTITY_HEADER", "canary-header"),
        (
            "IDENTITY_SERVER_THUMBPRINT",
            "00112233445566778899aabbccddeeff00112233",
        ),
    ]);
    assert_eq!(
        ask(&fabric, ManagedIdentityId::System).await,
        format!(
            "GET https://localhost:2377/metadata/identity/oauth2/token?api-version=2019-07-01-preview&resource={RESOURCE} secret: canary-header"
        )
    );
    let ml = host(&[
        ("MSI_ENDPOINT", "http://127.0.0.1:46808/MSI/auth"),
        ("MSI_SECRET", "canary-header"),
    ]);
    let [_, by_client, ..] = ids();
    assert_eq!(
        ask(&ml, by_client).await,
        format!(
            "GET http://127.0.0.1:46808/MSI/auth?api-version=2017-09-01&resource={RESOURCE}&clientid={CLIENT} secret: canary-header"
        )
    );
    let ml = ml.with("DEFAULT_IDENTITY_CLIENT_ID", "d");
    assert!(
        ask(&ml, ManagedIdentityId::System)
            .await
            .contains("&clientid=d ")
    );
    let shell = host(&[("MSI_ENDPOINT", "http://localhost:50342/oauth2/token")]);
    assert_eq!(
        ask(&shell, ManagedIdentityId::System).await,
        format!("POST http://localhost:50342/oauth2/token metadata: true resource={RESOURCE}")
    );
}

#[test]
fn identity_unsupported_by_the_host_is_rejected_before_a_request_is_sent() {
    let fabric = app_service().with(
        "IDENTITY_SERVER_THUMBPRINT",
        "00112233445566778899aabbccddeeff00112233",
    );
    let shell = host(&[("MSI_ENDPOINT", "http://localhost:50342/oauth2/token")]);
    let ml = shell.clone().with("MSI_SECRET", "s");
    let [_, client, object, resource] = ids();
    for (environment, identity) in [
        (&fabric, &client),
        (&shell, &client),
        (&shell, &object),
        (&ml, &object),
        (&ml, &resource),
    ] {
        let error = ManagedIdentityCredential::builder(environment)
            .identity(identity.clone())
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{identity:?}");
        assert!(error.fix().is_some());
    }
}

#[test]
fn endpoint_outside_of_the_host_gets_no_request() {
    for environment in [
        app_service().with("IDENTITY_ENDPOINT", "http://tokens.example.com/msi/token"),
        app_service().with("IDENTITY_ENDPOINT", "http://8.8.8.8/msi/token"),
        app_service().with("IDENTITY_ENDPOINT", "no address"),
        host(&[("MSI_ENDPOINT", "ftp://localhost/")]),
        host(&[
            ("IDENTITY_ENDPOINT", "https://tokens.example.com/"),
            ("IMDS_ENDPOINT", "x"),
        ]),
        host(&[(
            "AZURE_POD_IDENTITY_AUTHORITY_HOST",
            "http://pods.example.com",
        )]),
        app_service().with("IDENTITY_SERVER_THUMBPRINT", "beef"),
    ] {
        let error = ManagedIdentityCredential::builder(&environment)
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{environment:?}");
        assert!(!format!("{error:?} {environment:?}").contains("canary"));
    }
}

#[tokio::test]
async fn a_token_is_used_for_its_lifetime_whatever_the_clock_of_the_machine_shows() {
    let day = entra_core::time::Duration::DAY;
    let hour = entra_core::time::Duration::HOUR;
    for wrong_by in [-day, day] {
        let clock = ManualClock::new();
        let on = (clock.now() + hour).unix_timestamp().to_string();
        let body =
            json!({ "access_token": "canary-token", "expires_on": on, "expires_in": "3600" });
        let transport = ScriptedTransport::new().then(200, &[], body.to_string());
        clock.set_wall_clock(clock.now() + wrong_by);
        let credential = builder(&Environment::default(), &transport, &clock)
            .build()
            .unwrap();
        let token = credential.token(&graph()).await.unwrap();
        assert_eq!(token.expires_on(), clock.now() + hour, "{wrong_by}");
    }
}

#[tokio::test]
async fn an_expired_token_of_the_host_names_the_clock() {
    let body = r#"{"access_token":"canary","expires_on":"1"}"#;
    let (failed, ..) = rejected(&Environment::default(), 200, body).await;
    let report = detail(&failed).report().to_string();
    assert!(report.contains("check the clock"), "{report}");
}

#[tokio::test]
async fn two_hour_token_is_renewed_at_half_of_its_lifetime() {
    for (lifetime, expected) in [(7200, Some(3600)), (7199, None), (86400, Some(43200))] {
        let clock = ManualClock::new();
        let transport = ScriptedTransport::new().then(200, &[], granted(&clock, lifetime));
        let credential = builder(&Environment::default(), &transport, &clock)
            .build()
            .unwrap();
        let token: AccessToken = credential.token(&graph()).await.unwrap();
        let refresh = token
            .refresh_on()
            .map(|at| (at - clock.now()).whole_seconds());
        assert_eq!(refresh, expected, "{lifetime}");
        credential.token(&graph()).await.unwrap();
        assert_eq!(transport.requests().len(), 1, "cached");
    }
}

#[tokio::test]
async fn error_responses_of_each_host_have_their_kinds() {
    use CredentialErrorKind as Kind;
    let imds = Environment::default();
    let shell = host(&[("MSI_ENDPOINT", "http://localhost:50342/oauth2/token")]);
    let app = app_service();
    let cases: [(&Environment, u16, Value, Kind, &str); 11] = [
        (
            &imds,
            400,
            json!({"error":"invalid_request","error_description":"Identity not found"}),
            Kind::Unavailable,
            "no such managed identity",
        ),
        (
            &imds,
            400,
            json!({"error":"invalid_resource","error_description":"AADSTS500011: unknown"}),
            Kind::Rejected,
            "scope is invalid",
        ),
        (
            &imds,
            400,
            json!({"error":"invalid_resource","error_description":"?"}),
            Kind::Rejected,
            "the resource is invalid",
        ),
        (
            &imds,
            400,
            json!({"error":"bad_request_102","error_description":"Required metadata header not specified"}),
            Kind::Rejected,
            "saw no Metadata header",
        ),
        (
            &imds,
            401,
            json!({"error":"unknown_source","error_description":"?"}),
            Kind::Rejected,
            "does not take this process",
        ),
        (
            &imds,
            403,
            json!({"error":"x","error_description":"connecting: A socket operation was attempted to an unreachable network."}),
            Kind::Unavailable,
            "no metadata service",
        ),
        (
            &app,
            400,
            json!({"statusCode":400,"message":"No User Assigned or Delegated Managed Identity found for specified ClientId"}),
            Kind::Rejected,
            "no such managed identity",
        ),
        (
            &app,
            500,
            json!({"statusCode":500,"message":"AADSTS500011: The resource principal was not found"}),
            Kind::Rejected,
            "scope is invalid",
        ),
        (
            &app,
            401,
            json!({"statusCode":401,"message":"bad canary-header"}),
            Kind::Rejected,
            "does not take this process",
        ),
        (
            &shell,
            400,
            json!({"error":{"code":"invalid_request","message":"no audience"}}),
            Kind::Rejected,
            "returned an error in place of a token",
        ),
        (
            &shell,
            302,
            json!(null),
            Kind::Rejected,
            "returned an error in place of a token",
        ),
    ];
    for (environment, status, body, kind, text) in cases {
        let (failed, requests, _) = rejected(environment, status, &body.to_string()).await;
        assert_eq!(failed.kind(), kind, "{body}");
        assert!(
            detail(&failed).to_string().contains(text),
            "{body}: {failed:?}"
        );
        assert!(failed.fix().is_some(), "{body}");
        assert_eq!(requests, 1, "{body}");
        assert!(!format!("{failed:?} {:?}", detail(&failed).service_message()).contains("canary"));
    }
}

#[tokio::test]
async fn the_report_has_the_message_of_the_host_where_nothing_else_says_why() {
    let body = r#"{"statusCode":400,"message":"no audience"}"#;
    let (failed, ..) = rejected(&app_service(), 400, body).await;
    let report = format!("{failed:#}");
    assert!(report.contains("\n  cause: no audience"), "{report}");
    // Cloud Shell signs in as its user, and a message may name the account.
    let body = r#"{"error":{"code":"invalid_request","message":"adele@contoso.com"}}"#;
    let shell = host(&[("MSI_ENDPOINT", "http://localhost:50342/oauth2/token")]);
    let (failed, ..) = rejected(&shell, 400, body).await;
    let report = format!("{failed:#} {failed:?}");
    assert!(!report.contains("adele"), "{report}");
    assert_eq!(detail(&failed).service_message(), Some("adele@contoso.com"));
}

#[tokio::test]
async fn an_error_of_entra_ends_the_retries_whatever_the_status() {
    let body = r#"{"message":"AADSTS500011: no such resource"}"#;
    for status in [404, 408, 410, 500, 503] {
        let (failed, requests, _) = rejected(&Environment::default(), status, body).await;
        assert!(!failed.is_transient(), "{status}");
        assert_eq!(requests, 1, "{status}");
    }
}

#[tokio::test]
async fn starting_host_is_retried_and_retries_are_limited() {
    for status in [404, 410, 429, 500, 502, 503, 504] {
        let (failed, requests, took) = rejected(&Environment::default(), status, "<html>").await;
        assert!(failed.is_transient(), "{status}");
        assert_eq!(requests, 6, "{status}");
        let text = detail(&failed).to_string();
        assert!(text.contains(", after 6 tries in "), "{text}");
        assert!(took <= Duration::from_secs(90), "{took:?}");
        let (_, requests, _) = rejected(&app_service(), status, "").await;
        assert_eq!(requests, 4, "{status}");
    }
    let clock = ManualClock::new();
    let transport = ScriptedTransport::new()
        .then(410, &[], "")
        .then(404, &[], "")
        .then(200, &[], granted(&clock, 3600));
    let credential = builder(&Environment::default(), &transport, &clock)
        .build()
        .unwrap();
    // Waiting moves the clock, so the token has less time left; it is good all the same.
    credential.token(&graph()).await.unwrap();
}

#[tokio::test]
async fn explicit_retry_policy_for_tokens_applies_to_imds_too() {
    let clock = ManualClock::new();
    let transport = (0..9).fold(ScriptedTransport::new(), |script, _| {
        script.then(500, &[], "")
    });
    let policy = RetryPolicy::for_tokens();
    let attempts = policy.max_attempts as usize;
    let credential = builder(&Environment::default(), &transport, &clock)
        .retry_policy(policy)
        .build()
        .unwrap();
    credential.token(&graph()).await.unwrap_err();
    assert_eq!(transport.requests().len(), attempts);
    let (_, default_attempts, _) = rejected(&Environment::default(), 500, "").await;
    assert_ne!(attempts, default_attempts);
}

#[tokio::test]
async fn invalid_host_response_is_an_error_without_its_content() {
    for body in [
        "canary",
        "\"canary\"",
        "{}",
        r#"{"access_token":"canary","expires_on":"soon"}"#,
        r#"{"access_token":"canary","expires_on":"1"}"#,
        r#"{"access_token":"canary\n","expires_in":60}"#,
        r#"{"access_token":["canary"],"expires_in":60}"#,
    ] {
        let (failed, ..) = rejected(&Environment::default(), 200, body).await;
        assert_eq!(failed.kind(), CredentialErrorKind::Protocol, "{body}");
        assert!(!format!("{failed:?} {}", detail(&failed).report()).contains("canary"));
    }
}

#[tokio::test]
async fn probe_reports_a_missing_metadata_service_at_once() {
    let clock = ManualClock::new();
    let start = clock.now();
    let transport = ScriptedTransport::new()
        .then_fail(TransportError::timeout("no response"))
        .then(400, &[], "{}")
        .then(200, &[], granted(&clock, 3600));
    let credential = builder(&Environment::default(), &transport, &clock)
        .probe_first()
        .build()
        .unwrap();
    let failed = credential.token(&graph()).await.unwrap_err();
    assert_eq!(failed.kind(), CredentialErrorKind::Unavailable);
    assert_eq!(clock.now(), start, "no retry and no wait");
    let probe = &transport.requests()[0];
    assert!(probe.uri().query().is_none() && probe.headers().get("metadata").is_none());

    // It may be there the next time, and is then looked for no more.
    credential.token(&graph()).await.unwrap();
    assert_eq!(transport.remaining(), 0);
}

#[tokio::test]
async fn probe_accepts_only_the_metadata_service_of_azure() {
    for (status, found) in [
        (400, true),
        (429, true),
        (503, true),
        (200, false),
        (401, false),
        (403, false),
        (404, false),
    ] {
        let clock = ManualClock::new();
        let transport = ScriptedTransport::new().then(status, &[], "<html>").then(
            200,
            &[],
            granted(&clock, 3600),
        );
        let credential = builder(&Environment::default(), &transport, &clock)
            .probe_first()
            .build()
            .unwrap();
        match credential.token(&graph()).await {
            Ok(_) => assert!(found, "{status}"),
            Err(failed) => {
                assert_eq!(failed.kind(), CredentialErrorKind::Unavailable, "{status}");
                assert!(!found, "{status}");
            }
        }
    }
}

#[tokio::test]
async fn another_tenant_and_two_resources_are_rejected_before_a_request_is_sent() {
    let transport = ScriptedTransport::new();
    let credential = builder(&Environment::default(), &transport, &ManualClock::new())
        .build()
        .unwrap();
    let two = entra_core::TokenRequest::new([
        "https://a.example.com/.default",
        "https://b.example.com/.default",
    ]);
    for request in [graph().with_tenant(TENANT.parse().unwrap()), two] {
        let failed = credential.token(&request).await.unwrap_err();
        assert_eq!(failed.kind(), CredentialErrorKind::Configuration);
    }
    assert!(transport.requests().is_empty());
}

#[tokio::test]
async fn fake_host_returns_a_token_for_each_of_its_identities_only() {
    let tenant = FakeTenant::start().await;
    let (system, user) = (
        tenant.register_app("Host"),
        tenant.register_app("User-assigned"),
    );
    let environment = Environment::from_pairs(tenant.managed_identities(&[&system, &user]));
    let credential = |environment: &Environment, identity| {
        ManagedIdentityCredential::builder(environment)
            .identity(identity)
            .clock(tenant.clock())
            .build()
            .unwrap()
    };
    let mut tokens = Vec::new();
    for identity in [
        ManagedIdentityId::System,
        ManagedIdentityId::Client(user.client_id()),
        ManagedIdentityId::Object(user.service_principal_id()),
        ManagedIdentityId::Resource(user.managed_identity_resource_id()),
    ] {
        let token = credential(&environment, identity)
            .token(&graph())
            .await
            .unwrap();
        assert!(token.expires_on() > tenant.clock().now());
        tokens.push(token.expose_secret().to_owned());
    }
    assert_ne!(tokens[0], tokens[1]);

    let stranger = ManagedIdentityId::Client(CLIENT.parse().unwrap());
    let failed = credential(&environment, stranger)
        .token(&graph())
        .await
        .unwrap_err();
    assert!(
        detail(&failed)
            .to_string()
            .contains("no such managed identity")
    );
    let wrong = environment.with("IDENTITY_HEADER", "wrong");
    let failed = credential(&wrong, ManagedIdentityId::System)
        .token(&graph())
        .await
        .unwrap_err();
    assert_eq!(detail(&failed).status(), Some(401));
    let nowhere = entra_core::TokenRequest::new(["https://nowhere.example.com/.default"]);
    let environment = Environment::from_pairs(tenant.managed_identities(&[&system]));
    let failed = credential(&environment, ManagedIdentityId::System)
        .token(&nowhere)
        .await
        .unwrap_err();
    assert_eq!(failed.code(), Some(500_011));
}
