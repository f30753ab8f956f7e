//! Sign-in errors caused by users, administrators and policies, each with its own texts.

use std::{collections::BTreeSet, time::Duration};

use entra_auth::{
    Error, ErrorKind, SignInClient, TokenValidator,
    sign_in::{SignInError, SignInErrorKind as Kind},
    user::{ClientAuthentication, Prompt, StartOptions},
};
use entra_core::{HttpTransport as _, RetryPolicy, url::form_urlencoded};
use entra_mock::{AccessPolicy, App, FakeTenant, Fault};
use serde_json::json;

use crate::{
    sign_in_support::{CALLBACK, builder, callback, connection, copy, sign_in},
    validate_support::{FOREIGN_KEY, NOW, OTHER_TENANT, clock, issuer_v1},
};

const ADELE: &str = "adele@contoso.com";
/// A text of a service or an attacker, which must not be shown.
const CANARY: &str = "c4n4ry <script>alert(1)</script>";

/// The AADSTS codes that a sign-in can return, with their OAuth errors.
const AADSTS_CODES: &[(&str, u32, Kind)] = &[
    ("access_denied", 65_004, Kind::Declined),
    ("consent_required", 65_001, Kind::ConsentRequired),
    ("invalid_grant", 65_001, Kind::ConsentRequired),
    ("invalid_request", 65_005, Kind::AdminConsentRequired),
    ("invalid_request", 90_008, Kind::AdminConsentRequired),
    ("invalid_grant", 650_056, Kind::AdminConsentRequired),
    ("access_denied", 90_094, Kind::AdminConsentRequired),
    ("access_denied", 90_093, Kind::AdminConsentRequired),
    ("access_denied", 90_095, Kind::AdminConsentRequired),
    ("access_denied", 900_941, Kind::AdminConsentRequired),
    ("invalid_request", 1_001_010, Kind::ApplicationUnknown),
    ("invalid_client", 7_000_229, Kind::ApplicationUnknown),
    ("unauthorized_client", 700_038, Kind::ApplicationUnknown),
    ("access_denied", 50_105, Kind::NotAssigned),
    ("interaction_required", 50_105, Kind::NotAssigned),
    ("invalid_request", 50_011, Kind::RedirectMismatch),
    ("invalid_request", 500_113, Kind::RedirectMismatch),
    ("invalid_grant", 500_112, Kind::RedirectMismatch),
    ("interaction_required", 50_074, Kind::MfaRequired),
    ("interaction_required", 50_076, Kind::MfaRequired),
    ("invalid_grant", 50_079, Kind::MfaRequired),
    ("invalid_grant", 50_072, Kind::MfaRequired),
    ("access_denied", 53_000, Kind::DeviceRequired),
    ("access_denied", 53_001, Kind::DeviceRequired),
    ("access_denied", 53_002, Kind::ConditionalAccess),
    ("access_denied", 53_003, Kind::ConditionalAccess),
    ("invalid_grant", 53_004, Kind::ConditionalAccess),
    ("invalid_grant", 530_035, Kind::ConditionalAccess),
    ("invalid_request", 50_020, Kind::AccountNotInTenant),
    ("invalid_grant", 90_072, Kind::AccountNotInTenant),
    ("invalid_grant", 50_034, Kind::AccountNotInTenant),
    ("invalid_grant", 51_004, Kind::AccountNotInTenant),
    ("interaction_required", 16_000, Kind::AccountNotInTenant),
    ("access_denied", 500_021, Kind::WrongTenant),
    ("access_denied", 500_213, Kind::WrongTenant),
    ("invalid_request", 90_002, Kind::TenantUnknown),
    ("invalid_request", 50_194, Kind::TenantUnknown),
    ("unauthorized_client", 700_016, Kind::ApplicationUnknown),
    ("invalid_client", 700_016, Kind::ApplicationUnknown),
    ("unauthorized_client", 7_000_112, Kind::ApplicationDisabled),
    ("invalid_client", 7_000_215, Kind::ApplicationCredential),
    ("invalid_client", 7_000_222, Kind::ApplicationCredential),
    ("invalid_client", 700_027, Kind::ApplicationCredential),
    ("invalid_grant", 50_057, Kind::AccountDisabled),
    ("invalid_grant", 50_053, Kind::AccountLocked),
    ("invalid_grant", 50_055, Kind::PasswordExpired),
    ("invalid_grant", 50_144, Kind::PasswordExpired),
    ("login_required", 50_058, Kind::SignInRequired),
    ("invalid_grant", 50_173, Kind::SignInRequired),
    ("invalid_grant", 70_043, Kind::SignInRequired),
    ("invalid_grant", 54_005, Kind::CodeUsed),
    ("invalid_grant", 70_008, Kind::CodeExpired),
    ("invalid_grant", 501_481, Kind::CodeInjected),
    ("invalid_grant", 50_148, Kind::CodeInjected),
    ("invalid_grant", 700_005, Kind::CodeRejected),
    ("invalid_grant", 70_000, Kind::CodeRejected),
    ("invalid_grant", 9_002_313, Kind::CodeRejected),
    ("temporarily_unavailable", 90_033, Kind::Unavailable),
];

/// Errors without an AADSTS code.
const OAUTH_ERRORS: &[(&str, Option<&str>, Kind)] = &[
    ("access_denied", None, Kind::Declined),
    ("access_denied", Some("cancel"), Kind::Declined),
    ("login_required", None, Kind::SignInRequired),
    ("interaction_required", None, Kind::SignInRequired),
    ("account_selection_required", None, Kind::SignInRequired),
    ("consent_required", None, Kind::ConsentRequired),
    (
        "invalid_grant",
        Some("consent_required"),
        Kind::ConsentRequired,
    ),
    (
        "invalid_grant",
        Some("user_password_expired"),
        Kind::PasswordExpired,
    ),
    ("invalid_grant", Some("basic_action"), Kind::MfaRequired),
    (
        "invalid_grant",
        Some("device_authentication_failed"),
        Kind::DeviceRequired,
    ),
    ("invalid_grant", None, Kind::CodeRejected),
    ("unauthorized_client", None, Kind::ApplicationUnknown),
    ("invalid_client", None, Kind::ApplicationCredential),
    ("server_error", None, Kind::Unavailable),
    ("temporarily_unavailable", None, Kind::Unavailable),
    ("unsupported_response_type", None, Kind::Rejected),
    ("made_up", None, Kind::Rejected),
];

#[tokio::test]
async fn each_aadsts_code_of_a_callback_has_its_kind_and_texts() {
    let (_, client) = connection();
    for (oauth, code, kind) in AADSTS_CODES {
        let error = rejected(&client, oauth, None, &described(*code)).await;
        assert_eq!(error.kind(), *kind, "{code}");
        assert_eq!(error.aadsts_code(), Some(*code));
        assert_eq!(error.correlation_id(), Some(ID), "{code}");
        let admin = error.for_admin();
        assert!(
            admin.contains(&format!("AADSTS{code}")) && admin.contains(ID),
            "{admin}"
        );
        check_texts(&error);
    }
    // Azure AD B2C has codes of its own.
    for (text, kind) in [
        (
            "AADB2C90118: The user has forgotten their password.",
            Kind::Rejected,
        ),
        (
            "AADB2C90091: The user has cancelled entering information.",
            Kind::Declined,
        ),
    ] {
        let error = rejected(&client, "access_denied", None, text).await;
        assert_eq!(error.kind(), kind, "{text}");
    }
    for (oauth, subcode, kind) in OAUTH_ERRORS {
        let error = rejected(&client, oauth, *subcode, CANARY).await;
        assert_eq!(error.kind(), *kind, "{oauth} {subcode:?}");
        check_texts(&error);
    }
}

#[test]
fn the_administrators_text_names_the_invalid_setting() {
    let client = "22222222-2222-2222-2222-222222222222";
    let of = |tenant: &str, secret: &str, address: &str| {
        SignInClient::builder(tenant, client, ClientAuthentication::secret(secret))
            .redirect_uri(address)
            .build()
            .unwrap_err()
            .for_admin()
    };
    for (text, found) in [
        (of("cont oso", "s", CALLBACK), "the tenant is malformed"),
        (
            of("contoso.com", "", CALLBACK),
            "the client secret is empty",
        ),
        (
            of("contoso.com", "s", "shop"),
            "the redirect URI is not an absolute URL",
        ),
        (
            of("common", "s", CALLBACK),
            "users of every tenant could sign in",
        ),
    ] {
        assert!(text.contains(&format!("Found: {found}")), "{text}");
    }
}

#[tokio::test]
async fn each_aadsts_code_of_the_token_endpoint_has_the_same_kind() {
    let (service, client) = connection();
    for (oauth, code, kind) in AADSTS_CODES {
        let status = if *oauth == "invalid_client" { 401 } else { 400 };
        let body = json!({
            "error": oauth, "error_description": described(*code), "error_codes": [code],
            "correlation_id": ID, "claims": "{\"access_token\":{}}",
        });
        service.respond(status, &body);
        let (_, flow) = client.start(&StartOptions::default()).unwrap();
        let response = callback(&flow);
        let error = client.finish(flow, &response).await.unwrap_err();
        assert_eq!(error.kind(), *kind, "{code}");
        assert_eq!(error.correlation_id(), Some(ID));
        assert_eq!(error.claims(), Some("{\"access_token\":{}}"));
        check_texts(&error);
    }
    assert_eq!(
        service.forms().len(),
        AADSTS_CODES.len(),
        "a code is redeemed once"
    );
}

#[tokio::test]
async fn throttling_and_outages_have_kinds_of_their_own() {
    let (service, client) = connection();
    let table = [
        (429, json!({}), Kind::Throttled),
        (503, json!({}), Kind::Unavailable),
        (500, json!("<html>"), Kind::Unavailable),
        (200, json!({ "token_type": "Bearer" }), Kind::TokenRejected),
        (200, json!("<html>"), Kind::TokenRejected),
        (404, json!("<html>"), Kind::TokenRejected),
    ];
    for (status, body, kind) in table {
        service.respond(status, &body);
        let (_, flow) = client.start(&StartOptions::default()).unwrap();
        let response = callback(&flow);
        let error = client.finish(flow, &response).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status} {body}");
        check_texts(&error);
    }
}

#[tokio::test]
async fn a_foreign_callback_has_another_kind_than_an_error_of_the_service() {
    let (service, client) = connection();
    let long = "x".repeat(70_000);
    let table: [(&str, Kind); 11] = [
        ("", Kind::CallbackMalformed),
        ("code=c", Kind::CallbackMalformed),
        ("code=c&state=", Kind::StateMismatch),
        ("code=c&state=other", Kind::StateMismatch),
        ("error=access_denied&state=other", Kind::StateMismatch),
        ("{state}&code=", Kind::CallbackMalformed),
        ("{state}", Kind::CallbackMalformed),
        ("{state}&{state}&code=c", Kind::CallbackMalformed),
        ("{state}&code=c&code=d", Kind::CallbackMalformed),
        ("{state}&code=c&iss=a&iss=b", Kind::CallbackMalformed),
        ("{state}&code={long}", Kind::CallbackMalformed),
    ];
    for (template, kind) in table {
        let (_, flow) = client.start(&StartOptions::default()).unwrap();
        let state = format!("state={}", flow.id());
        let response = template.replace("{state}", &state).replace("{long}", &long);
        let error = client.finish(flow, &response).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{template}");
        check_texts(&error);
    }
    assert!(service.forms().is_empty(), "no code went anywhere");
}

#[tokio::test]
async fn a_pending_sign_in_expires_after_an_hour_and_can_be_used_once() {
    let service = crate::sign_in_support::Service::new();
    let clock = clock();
    let client = builder(&service, &clock).build().unwrap();
    let (_, flow) = client.start(&StartOptions::default()).unwrap();
    let response = callback(&flow);
    let declined = format!("error=access_denied&state={}", flow.id());
    let error = client.finish(copy(&flow), &declined).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Declined);
    let error = client.finish(flow, &response).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Replayed);
    check_texts(&error);

    let (_, flow) = client.start(&StartOptions::default()).unwrap();
    let response = callback(&flow);
    clock.advance(Duration::from_secs(3600));
    let error = client.finish(flow, &response).await.unwrap_err();
    assert_eq!(error.to_string(), "the sign-in took too long");
    assert!(!error.for_admin().contains("Found:"));
    assert_eq!(error.kind(), Kind::Expired);
    check_texts(&error);
    assert!(service.forms().is_empty());
}

#[tokio::test]
async fn each_fault_of_an_id_token_has_its_kind() {
    let (service, client) = connection();
    let table = [
        (json!({ "nonce": "other" }), Kind::NonceMismatch),
        (json!({ "nonce": null }), Kind::NonceMismatch),
        (json!({ "aud": OTHER_TENANT }), Kind::AudienceMismatch),
        (
            json!({ "iss": "https://evil.example/v2.0" }),
            Kind::IssuerMismatch,
        ),
        (
            json!({ "iss": issuer_v1(OTHER_TENANT) }),
            Kind::IssuerMismatch,
        ),
        (json!({ "exp": NOW - 301 }), Kind::TokenTime),
        (json!({ "nbf": NOW + 301 }), Kind::TokenTime),
        (json!({ "oid": null }), Kind::TokenRejected),
        (json!({ "sub": null }), Kind::TokenRejected),
        (json!({ "oid": OTHER_TENANT }), Kind::TokenRejected),
    ];
    for (changes, kind) in table {
        let error = sign_in(&service, &client, changes.clone())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{changes}: {error}");
        assert!(error.error().is_none(), "{changes}");
        check_texts(&error);
    }
    let (_, flow) = client.start(&StartOptions::default()).unwrap();
    let mut body = crate::sign_in_support::success(&flow, json!({}));
    body.as_object_mut().unwrap().remove("id_token");
    service.respond(200, &body);
    let response = callback(&flow);
    let error = client.finish(flow, &response).await.unwrap_err();
    assert_eq!(error.kind(), Kind::TokenRejected);
    let (_, flow) = client.start(&StartOptions::default()).unwrap();
    let token = FOREIGN_KEY.token(&crate::validate_support::id_token());
    service.respond(200, &crate::sign_in_support::success_of(&token, "u", "t"));
    let response = callback(&flow);
    let error = client.finish(flow, &response).await.unwrap_err();
    assert_eq!(error.kind(), Kind::TokenRejected);
    assert!(error.invalid_token().is_some());
    check_texts(&error);
    service.metadata.fail(true);
    let fresh = builder(&service, &clock()).build().unwrap();
    let error = sign_in(&service, &fresh, json!({})).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "the keys are out of reach");
}

#[tokio::test]
async fn a_missing_pending_sign_in_has_texts_as_well() {
    let error = SignInError::flow_missing();
    assert_eq!(error.kind(), Kind::FlowMissing);
    assert!(error.is_retryable());
    check_texts(&error);
    let (_, client) = connection();
    let (_, other) = connection();
    let named = builder(&crate::sign_in_support::Service::new(), &clock())
        .name("other")
        .build()
        .unwrap();
    let (_, flow) = client.start(&StartOptions::default()).unwrap();
    let response = callback(&flow);
    let error = named.finish(copy(&flow), &response).await.unwrap_err();
    assert_eq!(error.kind(), Kind::OtherConnection);
    assert!(other.has_started(&flow), "a replica is the same connection");
}

/// Changes of the fake tenant between the sign-in and the redemption of the code, and their errors.
#[tokio::test]
async fn the_fake_tenant_returns_the_errors_of_entra() {
    type Change = fn(&FakeTenant, &App);
    let table: [(&str, Change, Kind); 7] = [
        (
            "disabled user",
            |tenant, _| tenant.user(ADELE).disable(),
            Kind::AccountDisabled,
        ),
        (
            "revoked sessions",
            |tenant, _| tenant.user(ADELE).revoke_sessions(),
            Kind::SignInRequired,
        ),
        (
            "wrong secret",
            |_, app| app.remove_secret(),
            Kind::ApplicationCredential,
        ),
        (
            "disabled app",
            |_, app| app.disable(),
            Kind::ApplicationDisabled,
        ),
        (
            "late",
            |tenant, _| tenant.clock().advance(Duration::from_secs(601)),
            Kind::CodeExpired,
        ),
        (
            "assignment",
            |_, app| drop(app.require_assignment()),
            Kind::NotAssigned,
        ),
        (
            "service down",
            |tenant, _| tenant.inject(Fault::on("/token").status(503)),
            Kind::Unavailable,
        ),
    ];
    for (name, change, kind) in table {
        let (tenant, app, client) = shop().await;
        let (url, flow) = client.start(&StartOptions::default()).unwrap();
        let redirected = tenant.sign_in_at(url.as_str(), ADELE);
        change(&tenant, &app);
        let error = client.finish(flow, &redirected.query()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error:?}");
        check_texts(&error);
    }
    // Two replicas redeem the same code.
    let (tenant, app, client) = shop().await;
    let replica = connect(&tenant, &app);
    let (url, flow) = client.start(&StartOptions::default()).unwrap();
    let redirected = tenant.sign_in_at(url.as_str(), ADELE).query();
    client.finish(copy(&flow), &redirected).await.unwrap();
    let error = replica.finish(flow, &redirected).await.unwrap_err();
    assert_eq!(error.kind(), Kind::CodeUsed);
}

#[tokio::test]
async fn a_silent_sign_in_returns_interaction_required() {
    let (tenant, _, client) = shop().await;
    let mut silent = StartOptions::default();
    silent.prompt = Some(Prompt::None);
    let (url, flow) = client.start(&silent).unwrap();
    let redirected = visit(url.as_str()).await;
    let error = client.finish(flow, &redirected).await.unwrap_err();
    assert_eq!(error.kind(), Kind::SignInRequired);
    assert_eq!(error.aadsts_code(), Some(50_058));
    assert!(error.correlation_id().is_some(), "{error:?}");
    // A policy that was set between the sign-in and the redemption of the code.
    let (url, flow) = client.start(&StartOptions::default()).unwrap();
    let redirected = tenant.sign_in_at(url.as_str(), ADELE).query();
    tenant.add_access_policy(AccessPolicy::block());
    let error = client.finish(flow, &redirected).await.unwrap_err();
    assert_eq!(error.kind(), Kind::ConditionalAccess, "{error:?}");
}

/// The URL of a silent sign-in.
async fn visit(url: &str) -> String {
    let request = entra_core::http::Request::get(url)
        .body(entra_core::bytes::Bytes::new())
        .unwrap();
    let transport = entra_core::ReqwestTransport::builder().build();
    let response = transport.send(request).await.unwrap();
    response.headers()["location"].to_str().unwrap().to_owned()
}

async fn shop() -> (FakeTenant, App, SignInClient) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Shop")
        .redirect_uri(CALLBACK)
        .delegated_permission("User.Read")
        .with_secret();
    let client = connect(&tenant, &app);
    (tenant, app, client)
}

fn connect(tenant: &FakeTenant, app: &App) -> SignInClient {
    SignInClient::builder(
        tenant.id(),
        app.client_id(),
        ClientAuthentication::secret(app.secret()),
    )
    .redirect_uri(CALLBACK)
    .scopes(["User.Read"])
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .retry_policy(RetryPolicy::once())
    .build()
    .unwrap()
}

async fn rejected(
    client: &SignInClient,
    oauth: &str,
    subcode: Option<&str>,
    description: &str,
) -> SignInError {
    let (_, flow) = client.start(&StartOptions::default()).unwrap();
    let mut response = form_urlencoded::Serializer::new(String::new());
    response
        .append_pair("error", oauth)
        .append_pair("error_description", description)
        .append_pair("state", flow.id());
    if let Some(subcode) = subcode {
        response.append_pair("error_subcode", subcode);
    }
    client.finish(flow, &response.finish()).await.unwrap_err()
}

/// An error description of Entra with a text of an attacker.
fn described(code: u32) -> String {
    format!(
        "AADSTS{code}: {CANARY} \u{1b}[31m \r\nTrace ID: {ID}\r\nCorrelation ID: {ID}\r\nTimestamp: 2026-01-02 03:04:05Z"
    )
}

/// Checks that the texts do not contain parts of the callback.
fn check_texts(error: &SignInError) {
    let user = error.for_user();
    assert!(user.ends_with('.') && !user.contains(|c: char| c.is_ascii_digit() || c.is_control()));
    let shown = [user.to_owned(), error.for_admin(), error.to_string()];
    for text in &shown {
        assert!(!text.contains("c4n4ry") && !text.contains('<'), "{text}");
        assert!(!text.contains(char::is_control), "{text}");
    }
    let secrets = format!("{error:?} {shown:?}");
    for secret in [
        "s3cr3t",
        "token-at-1",
        "token-rt-1",
        "eyJhbGciOi",
        "code-c4nary-1",
    ] {
        assert!(!secrets.contains(secret), "{secrets}");
    }
    let distinct: BTreeSet<&String> = shown.iter().collect();
    assert_eq!(distinct.len(), 3);
}

const ID: &str = "33333333-3333-3333-3333-333333333333";

#[tokio::test]
async fn errors_of_sign_ins_and_validations_become_errors_of_the_crate() {
    fn connect(tenant: &str) -> Result<SignInClient, Error> {
        let secret = ClientAuthentication::secret("s3cr3t");
        let client = SignInClient::builder(tenant, "11111111-1111-1111-1111-111111111111", secret);
        Ok(client.redirect_uri(CALLBACK).build()?)
    }
    let error = connect("not a tenant").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(format!("{error:#}").contains("not a tenant"), "{error:#}");
    assert!(error.fix().is_some());

    let (_service, client) = connection();
    let (_, flow) = client.start(&StartOptions::default()).unwrap();
    let back = format!("{CALLBACK}?error=access_denied&state={}", flow.id());
    let declined = client.finish(flow, &back).await.unwrap_err();
    let error = Error::from(declined.clone());
    assert!(
        error.to_string().starts_with(&declined.to_string()),
        "{error}"
    );
    assert_eq!(error.fix(), Some(&*declined.for_admin()));

    let validator = TokenValidator::access_tokens(OTHER_TENANT, ["api://tasks"]);
    let validate = async || -> Result<(), Error> {
        validator.build()?.validate("not.a.token").await?;
        Ok(())
    };
    let error = validate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert!(error.fix().is_some());
}
