//! Every documented way to be rejected, against the fake tenant and against responses of our own.

use std::{sync::Arc, time::Duration};

use entra_auth::{ClientSecretCredential, Discovery, Error, ErrorKind};
use entra_core::{
    Clock, CredentialError, CredentialErrorKind, HttpTransport, ManualClock, RetryPolicy,
    ScriptedTransport, Secret, TokenCredential, TokenRequest, TransportError,
};
use entra_mock::{App, FakeTenant, Fault};

use crate::support::{CLIENT, TENANT, detail, graph};

fn credential(tenant: &FakeTenant, app: &App, secret: impl Into<Secret>) -> ClientSecretCredential {
    ClientSecretCredential::builder(tenant.id(), app.client_id(), secret)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap()
}

async fn rejected(credential: &ClientSecretCredential, request: &TokenRequest) -> CredentialError {
    let error = credential.token(request).await.unwrap_err();
    assert_eq!(error.code(), detail(&error).aadsts_code());
    error
}

/// Checks what every error response of Entra has.
fn check(error: &CredentialError, code: u32, oauth: &str, kind: ErrorKind) {
    let detail = detail(error);
    assert_eq!(detail.aadsts_code(), Some(code), "{}", detail.report());
    assert_eq!(detail.codes(), [code]);
    assert_eq!(detail.oauth_error(), Some(oauth));
    assert_eq!(detail.kind(), kind);
    assert!(!detail.is_transient());
    assert!(
        detail
            .to_string()
            .contains(&format!("(AADSTS{code}, {oauth})"))
    );
    assert!(detail.correlation_id().is_some_and(|id| id.len() == 36));
    assert!(detail.trace_id().is_some_and(|id| id.len() == 36));
    assert!(detail.timestamp().is_some());
    assert!(detail.cause().is_some() && detail.fix().is_some());
    let message = detail.service_message().unwrap();
    assert!(message.starts_with(&format!("AADSTS{code}: ")), "{message}");
    assert!(!message.contains("Trace ID"), "{message}");
    assert_eq!(error.fix(), detail.fix());
    assert_eq!(error.correlation_id(), detail.correlation_id());
}

#[tokio::test]
async fn an_error_with_the_status_of_a_success_keeps_its_code() {
    let rejection = r#"{"error":"invalid_client","error_codes":[7000222],"error_description":"AADSTS7000222: m"}"#;
    let credential = ClientSecretCredential::builder(TENANT, CLIENT, "s3cr3t")
        .transport(ScriptedTransport::new().then(200, &[], rejection))
        .clock(ManualClock::new())
        .build()
        .unwrap();
    let error = credential.token(&graph()).await.unwrap_err();
    assert_eq!(error.code(), Some(7_000_222));
    assert_eq!(detail(&error).oauth_error(), Some("invalid_client"));
}

#[tokio::test]
async fn a_byte_order_mark_before_a_response_hides_nothing() {
    let mark = "\u{feff}";
    let rejection = r#"{"error":"invalid_client","error_codes":[7000222],"error_description":"AADSTS7000222: m"}"#;
    let token = r#"{"token_type":"Bearer","expires_in":3600,"access_token":"t"}"#;
    let script = ScriptedTransport::new()
        .then(401, &[], format!("{mark}{rejection}"))
        .then(200, &[], format!("{mark}{token}"));
    let credential = ClientSecretCredential::builder(TENANT, CLIENT, "s3cr3t")
        .transport(script)
        .clock(ManualClock::new())
        .build()
        .unwrap();
    let error = credential.token(&graph()).await.unwrap_err();
    assert_eq!(error.code(), Some(7_000_222));
    credential.token(&graph()).await.unwrap();

    let issuer = "https://id.example";
    let document = format!(r#"{mark}{{"issuer":"{issuer}","token_endpoint":"{issuer}/t"}}"#);
    let script = ScriptedTransport::new().then(200, &[], document);
    let discovery = Discovery::builder().transport(script).build().unwrap();
    discovery.openid_provider(issuer).await.unwrap();
}

#[tokio::test]
async fn wrong_secret_returns_aadsts_7000215() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Night job").with_secret();
    let credential = credential(&tenant, &app, "something else");
    let error = rejected(&credential, &graph()).await;
    check(
        &error,
        7_000_215,
        "invalid_client",
        ErrorKind::InvalidClient,
    );
    assert_eq!(error.kind(), CredentialErrorKind::Rejected);
    assert!(detail(&error).is_invalid_client());
    assert_eq!(
        error.to_string(),
        "client secret is invalid (AADSTS7000215)"
    );
    let ids = format!("application {}  tenant {}", app.client_id(), tenant.id());
    let report = format!("{error:#}");
    assert!(report.contains(&ids), "{report}");
    tenant.requests().to("/token").assert_count(1);
}

#[tokio::test]
async fn secret_id_in_place_of_the_value_is_recognised() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Night job").with_secret();
    let credential = credential(&tenant, &app, "7d4f2f0a-6f8e-4f5e-9a55-0f8f4ad2b6c1");
    let error = rejected(&credential, &graph()).await;
    check(
        &error,
        7_000_215,
        "invalid_client",
        ErrorKind::InvalidClient,
    );
    let report = detail(&error).report().to_string();
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(
        lines[0],
        "error: client secret is invalid (AADSTS7000215, invalid_client)"
    );
    assert_eq!(
        lines[1],
        format!(
            "  cause: the value sent is not a secret of application {}; it looks like a Secret ID (a GUID), not its Value",
            app.client_id()
        )
    );
    assert!(
        lines[2]
            .starts_with("  fix:   in App registrations > Certificates & secrets copy the Value")
    );
    assert!(lines[3].starts_with("  correlation "), "{report}");
    assert_eq!(lines.len(), 4);
}

#[tokio::test]
async fn quoted_secret_is_recognised() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Night job").with_secret();
    let secret = format!("\"{}\"", app.secret().expose_secret());
    let error = rejected(&credential(&tenant, &app, secret), &graph()).await;
    let hint = "quotation marks";
    assert!(detail(&error).cause().unwrap().contains(hint));
    assert!(detail(&error).fix().unwrap().contains(hint));
}

#[test]
fn secret_with_white_space_is_rejected_before_a_request_is_sent() {
    use entra_auth::{
        ClientSecretCredential,
        user::{AuthorizationCodeFlow, ClientAuthentication},
    };
    let (tenant, client) = (
        "6babcaad-604b-40ac-a9d7-9fd97c0b779f",
        "535fb089-9ff3-47b6-9bfb-4f1264799865",
    );
    let error = ClientSecretCredential::new(tenant, client, "canary-of-a-secret\n").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.fix().unwrap().contains("trim"));
    let proof = ClientAuthentication::secret("canary-of-a-secret\r\n");
    let flow = AuthorizationCodeFlow::builder(tenant, client, proof)
        .redirect_uri("https://shop.example/callback")
        .scopes(["User.Read"])
        .build();
    let other = flow.err().unwrap();
    assert_eq!(other.kind(), ErrorKind::Configuration);
    assert!(!format!("{error:?} {other:?}").contains("canary"));
}

#[tokio::test]
async fn expired_secret_returns_aadsts_7000222() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Night job")
        .with_secret_valid_for(Duration::from_secs(3600));
    let credential = credential(&tenant, &app, app.secret());
    credential.token(&graph()).await.unwrap();
    tenant.clock().advance(Duration::from_secs(2 * 24 * 3600));
    let error = rejected(&credential, &graph()).await;
    check(
        &error,
        7_000_222,
        "invalid_client",
        ErrorKind::InvalidClient,
    );
}

#[tokio::test]
async fn removed_secret_is_rejected_after_the_token_expired() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Night job").with_secret();
    let credential = credential(&tenant, &app, app.secret());
    credential.token(&graph()).await.unwrap();
    app.remove_secret();
    credential.token(&graph()).await.unwrap();
    tenant.clock().advance(Duration::from_secs(2 * 24 * 3600));
    let error = rejected(&credential, &graph()).await;
    check(
        &error,
        7_000_215,
        "invalid_client",
        ErrorKind::InvalidClient,
    );
}

#[tokio::test]
async fn unknown_application_returns_aadsts_700016() {
    let tenant = FakeTenant::start().await;
    let credential = ClientSecretCredential::builder(tenant.id(), CLIENT, "s3cr3t")
        .cloud(tenant.cloud())
        .build()
        .unwrap();
    let error = rejected(&credential, &graph()).await;
    check(&error, 700_016, "unauthorized_client", ErrorKind::Rejected);
    assert!(error.fix().unwrap().contains("Application (client) ID"));
}

#[tokio::test]
async fn unknown_tenant_returns_aadsts_90002() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Night job").with_secret();
    for other in [
        "nowhere.example.com",
        "99999999-9999-4999-8999-999999999999",
    ] {
        let credential = ClientSecretCredential::builder(other, app.client_id(), app.secret())
            .cloud(tenant.cloud())
            .build()
            .unwrap();
        let error = rejected(&credential, &graph()).await;
        check(&error, 90_002, "invalid_tenant", ErrorKind::Rejected);
        assert!(format!("{error:#}").contains(other), "{error:#}");
    }
}

#[tokio::test]
async fn disabled_application_returns_its_aadsts_number() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Night job").with_secret();
    app.disable();
    let error = rejected(&credential(&tenant, &app, app.secret()), &graph()).await;
    check(
        &error,
        7_000_112,
        "unauthorized_client",
        ErrorKind::Rejected,
    );
}

#[tokio::test]
async fn scope_without_default_and_unknown_resource_have_their_own_errors() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Night job").with_secret();
    let credential = credential(&tenant, &app, app.secret());
    let error = rejected(
        &credential,
        &TokenRequest::new(["https://graph.microsoft.com/User.Read"]),
    )
    .await;
    check(&error, 1_002_012, "invalid_scope", ErrorKind::Rejected);
    assert!(error.fix().unwrap().contains("/.default"));
    let error = rejected(
        &credential,
        &TokenRequest::new(["https://api.example.com/.default"]),
    )
    .await;
    check(&error, 500_011, "invalid_resource", ErrorKind::Rejected);
}

#[tokio::test]
async fn retry_after_is_waited_on_the_given_clock() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Night job").with_secret();
    tenant.inject(
        Fault::on("/token")
            .status_with_retry_after(429, "20")
            .times(2),
    );
    let before = tenant.clock().now();
    let credential = credential(&tenant, &app, app.secret());
    let token = credential.token(&graph()).await.unwrap();
    let waited = tenant.clock().now() - before;
    assert!((40..=60).contains(&waited.whole_seconds()), "{waited}");
    assert!(token.expires_on() > tenant.clock().now());
    tenant.requests().to("/token").assert_count(3);
}

#[tokio::test]
async fn retry_after_beyond_the_budget_fails_at_once() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Night job").with_secret();
    tenant.inject(Fault::on("/token").status_with_retry_after(429, "120"));
    let before = tenant.clock().now();
    let error = rejected(&credential(&tenant, &app, app.secret()), &graph()).await;
    assert_eq!(tenant.clock().now(), before);
    assert_eq!(error.kind(), CredentialErrorKind::Throttled);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(120)));
    let text = detail(&error).to_string();
    assert!(
        text.contains("wait 120 s") && text.contains("60 s of the time budget"),
        "{text}"
    );
    assert!(detail(&error).is_throttled());
    tenant.requests().to("/token").assert_count(1);
}

#[tokio::test]
async fn outage_is_retried_and_then_a_transient_error() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Night job").with_secret();
    let credential = credential(&tenant, &app, app.secret());
    tenant.inject(Fault::on("/token").status(503).times(3));
    credential.token(&graph()).await.unwrap();
    tenant.requests().to("/token").assert_count(4);
    tenant.inject(Fault::on("/token").status(503));
    let error = rejected(&credential, &graph().with_force_refresh()).await;
    assert_eq!(error.kind(), CredentialErrorKind::Transient);
    assert_eq!(detail(&error).kind(), ErrorKind::Service);
    assert_eq!(detail(&error).status(), Some(503));
    let text = detail(&error).to_string();
    assert!(text.contains(", after 4 tries in "), "{text}");
    tenant.clear_faults();
    credential
        .token(&graph().with_force_refresh())
        .await
        .unwrap();
}

#[tokio::test]
async fn truncated_or_garbled_body_is_a_protocol_error() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Night job").with_secret();
    tenant.inject(Fault::on("/token").garbage_body());
    let error = rejected(&credential(&tenant, &app, app.secret()), &graph()).await;
    assert_eq!(error.kind(), CredentialErrorKind::Protocol);
    assert!(detail(&error).cause().unwrap().contains("not JSON"));
    tenant.clear_faults();
    tenant.inject(Fault::on("/token").truncated_body().times(1));
    credential(&tenant, &app, app.secret())
        .token(&graph())
        .await
        .unwrap();
}

fn responding(transport: impl HttpTransport) -> ClientSecretCredential {
    ClientSecretCredential::builder(TENANT, CLIENT, "s3cr3t-v4lue")
        .transport(Arc::new(transport))
        .clock(ManualClock::new())
        .build()
        .unwrap()
}

async fn error_of(status: u16, headers: &[(&str, &str)], body: &str) -> Error {
    let script = ScriptedTransport::new().then(status, headers, body.to_owned());
    let credential = responding(script);
    let error = credential.token(&graph()).await.unwrap_err();
    detail(&error).clone()
}

#[tokio::test]
async fn responses_without_an_oauth_error_are_protocol_errors() {
    for (status, body) in [
        (200, "<html>sign in to the hotel network</html>"),
        (200, r#"{"token_type":"Bearer","expires_in":3599}"#),
        (
            200,
            r#"{"token_type":"pop","access_token":"t","expires_in":3599}"#,
        ),
        (
            200,
            r#"{"token_type":"Bearer","access_token":"t","expires_in":-5}"#,
        ),
        (200, ""),
        (204, ""),
        (302, ""),
        (404, "<html>not here</html>"),
        (400, "{}"),
        (407, ""),
    ] {
        let error = error_of(status, &[], body).await;
        assert_eq!(error.kind(), ErrorKind::Protocol, "{status} {body}");
        assert_eq!(error.status(), Some(status));
        assert!(!error.is_transient() && error.fix().is_some());
        assert!(error.correlation_id().is_some(), "the id that was sent");
        let shown = format!("{error} {error:?} {}", error.report());
        assert!(!shown.contains("html"), "{shown}");
    }
}

#[tokio::test]
async fn unknown_aadsts_number_is_classified_by_its_oauth_error() {
    for (body, kind, interactive) in [
        (
            r#"{"error":"invalid_client","error_codes":[99999991]}"#,
            ErrorKind::InvalidClient,
            false,
        ),
        (
            r#"{"error":"unauthorized_client"}"#,
            ErrorKind::Rejected,
            false,
        ),
        (
            r#"{"error":"interaction_required"}"#,
            ErrorKind::InteractionRequired,
            true,
        ),
        (
            r#"{"error":"invalid_grant","suberror":"basic_action"}"#,
            ErrorKind::InteractionRequired,
            true,
        ),
        (r#"{"error":"something_new"}"#, ErrorKind::Rejected, false),
    ] {
        let error = error_of(400, &[], body).await;
        assert_eq!(
            (error.kind(), error.is_interaction_required()),
            (kind, interactive),
            "{body}"
        );
        assert!(error.fix().is_some() && error.cause().is_none());
    }
}

#[tokio::test]
async fn only_an_error_about_the_credential_calls_it_invalid() {
    for (code, expected) in [
        (7_000_215, true),
        (700_027, true),
        (99_999_991, true),
        (7_000_229, false),
        (650_053, false),
        (700_025, false),
    ] {
        let body = format!(r#"{{"error":"invalid_client","error_codes":[{code}]}}"#);
        let error = error_of(401, &[], &body).await;
        assert_eq!(error.oauth_error(), Some("invalid_client"));
        assert_eq!(error.is_invalid_client(), expected, "{code}");
    }
}

#[tokio::test]
async fn the_report_has_the_message_that_the_fix_refers_to() {
    for (code, cause) in [
        // The catalogue has a cause, which needs the message.
        (
            90_014,
            "a required field or claim is missing: AADSTS90014: The field 'x' is missing.",
        ),
        // It has none, or does not know the number.
        (90_013, "AADSTS90013: The field 'x' is missing."),
        (99_999_991, "AADSTS99999991: The field 'x' is missing."),
    ] {
        let body = format!(
            r#"{{"error":"invalid_request","error_codes":[{code}],"error_description":"AADSTS{code}: The field 'x' is missing.\r\nTrace ID: t"}}"#
        );
        let error = error_of(400, &[], &body).await;
        assert_eq!(error.cause(), Some(cause), "{code}");
        let report = error.report().to_string();
        assert!(
            report.contains(&format!("\n  cause: {cause}\n")),
            "{report}"
        );
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    // One that says all that is known stays as it is.
    let body = r#"{"error":"invalid_client","error_codes":[7000222],"error_description":"AADSTS7000222: m"}"#;
    let cause = "the application's secrets have expired";
    assert_eq!(error_of(401, &[], body).await.cause(), Some(cause));
}

#[tokio::test]
async fn a_claims_challenge_reaches_the_caller() {
    let error = error_of(
        400,
        &[("x-ms-request-id", "trace-7"), ("client-request-id", "correlation-7")],
        r#"{"error":"invalid_grant","error_codes":[53003],"suberror":"message_only","claims":"{\"access_token\":{\"capolids\":{}}}"}"#,
    )
    .await;
    assert_eq!(error.claims(), Some(r#"{"access_token":{"capolids":{}}}"#));
    assert_eq!(error.suberror(), Some("message_only"));
    assert_eq!(error.trace_id(), Some("trace-7"));
    assert_eq!(error.correlation_id(), Some("correlation-7"));
    assert!(error.to_string().starts_with("policy blocks the token"));
}

#[tokio::test]
async fn secret_repeated_by_the_service_is_redacted() {
    let error = error_of(
        401,
        &[],
        r#"{"error":"invalid_client","error_description":"AADSTS7000215: wrong secret 's3cr3t-v4lue' sent.\r\nTrace ID: t"}"#,
    )
    .await;
    assert_eq!(
        error.service_message(),
        Some("AADSTS7000215: wrong secret '…' sent.")
    );
}

/// A message is shown up to 300 characters, which a long secret that is repeated never fits into.
#[tokio::test]
async fn a_secret_that_is_repeated_and_cut_off_is_not_in_the_message() {
    let secret = format!("c4nary-{}", "zyx".repeat(500));
    for before in [0, 10, 280, 292] {
        let body = format!(
            r#"{{"error":"invalid_client","error_description":"{}{secret}"}}"#,
            "n".repeat(before)
        );
        let transport = ScriptedTransport::new().then(401, &[], body);
        let credential = ClientSecretCredential::builder(TENANT, CLIENT, secret.as_str())
            .transport(transport)
            .build()
            .unwrap();
        let error = credential.token(&graph()).await.unwrap_err();
        let error = detail(&error);
        let message = error.service_message().unwrap();
        let shown = format!("{error:?} {} {message}", error.report());
        assert!(!shown.contains("c4nary-z"), "{before}: {shown}");
    }
}

#[tokio::test]
async fn network_error_names_the_host() {
    let broken = || TransportError::connect("no route to host");
    let script = (0..4).fold(ScriptedTransport::new(), |script, _| {
        script.then_fail(broken())
    });
    let error = responding(script.clone())
        .token(&graph())
        .await
        .unwrap_err();
    assert_eq!(
        script.remaining(),
        0,
        "a connection that failed is tried again"
    );
    assert_eq!(error.kind(), CredentialErrorKind::Transient);
    let report = detail(&error).report().to_string();
    assert!(report.contains("could not be reached"), "{report}");
    assert!(report.contains("no route to host"), "{report}");
    assert!(report.contains("login.microsoftonline.com"), "{report}");
}

#[tokio::test]
async fn retries_end_with_the_time_budget() {
    let clock = ManualClock::new();
    let script = (0..50).fold(ScriptedTransport::new(), |script, _| {
        script.then(429, &[("retry-after", "7")], "")
    });
    let credential = ClientSecretCredential::builder(TENANT, CLIENT, "s3cr3t")
        .transport(Arc::new(script.clone()))
        .clock(clock.clone())
        .retry_policy(RetryPolicy::for_tokens().with_budget(Duration::from_secs(30)))
        .build()
        .unwrap();
    let before = clock.now();
    let error = credential.token(&graph()).await.unwrap_err();
    assert_eq!(error.kind(), CredentialErrorKind::Throttled);
    let waited = (clock.now() - before).whole_seconds();
    assert!((21..=30).contains(&waited), "{waited}");
    assert!(
        (45..=47).contains(&script.remaining()),
        "{}",
        script.remaining()
    );
}
