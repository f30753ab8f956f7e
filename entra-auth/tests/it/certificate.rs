//! Signing in with a certificate.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use entra_auth::{
    Certificate, CertificateErrorKind, ClientCertificateCredential,
    ClientCertificateCredentialBuilder, ErrorKind,
};
use entra_core::{
    Cloud, CredentialErrorKind, HttpTransport, ManualClock, RetryPolicy, ScriptedTransport,
    SeededRandom, Timestamp, TokenCredential, TokenRequest, TransportError, bytes::Bytes, http,
    url::form_urlencoded,
};
use entra_mock::{App, FakeTenant};
use serde_json::{Value, json};

use crate::support::{CLIENT, TENANT, detail, graph, response};

const LEAF: &str = include_str!("../fixtures/leaf.test-cert.pem");
const CHAIN: &str = include_str!("../fixtures/chain.test-cert.pem");
const KEY: &str = include_str!("../fixtures/leaf.test-key.pem");
const GRANTED: &str = r#"{"token_type":"Bearer","access_token":"t","expires_in":3600}"#;

/// A time at which both test certificates are valid.
fn then() -> Timestamp {
    Timestamp::from_unix_timestamp(1_800_000_000).unwrap()
}

fn leaf() -> Certificate {
    Certificate::from_pem_and_key(CHAIN, KEY).unwrap()
}

async fn tenant_with_app() -> (FakeTenant, App) {
    let clock = ManualClock::at(then());
    let tenant = FakeTenant::builder().clock(clock).start().await;
    let app = tenant
        .register_app("Night job")
        .with_certificate(tenant.test_certificate_pem());
    (tenant, app)
}

fn own(tenant: &FakeTenant) -> Certificate {
    Certificate::from_pem(tenant.test_certificate_pem()).unwrap()
}

fn builder(
    tenant: &FakeTenant,
    app: &App,
    certificate: Certificate,
) -> ClientCertificateCredentialBuilder {
    ClientCertificateCredential::builder(tenant.id(), app.client_id(), certificate)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
}

fn offline(transport: &ScriptedTransport) -> ClientCertificateCredentialBuilder {
    ClientCertificateCredential::builder(TENANT, CLIENT, leaf())
        .transport(Arc::new(transport.clone()))
        .clock(ManualClock::at(then()))
}

/// The form of a request.
fn form(body: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(body).into_owned().collect()
}

fn field<'a>(form: &'a [(String, String)], name: &str) -> &'a str {
    &form.iter().find(|(key, _)| key == name).unwrap().1
}

/// Header and claims of a JWT.
fn parts(jwt: &str) -> (Value, Value) {
    let mut parts = jwt
        .split('.')
        .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()));
    (
        parts.next().unwrap().unwrap(),
        parts.next().unwrap().unwrap(),
    )
}

fn assertions(transport: &ScriptedTransport) -> Vec<(Value, Value)> {
    let requests = transport.requests();
    requests
        .iter()
        .map(|request| parts(field(&form(request.body()), "client_assertion")))
        .collect()
}

#[tokio::test]
async fn an_application_signs_in_with_ps256_and_with_rs256() {
    let (tenant, app) = tenant_with_app().await;
    let request = TokenRequest::new([tenant.cloud().graph_scope()]);
    let certificate = own(&tenant);
    let styles = [
        builder(&tenant, &app, certificate.clone()),
        builder(&tenant, &app, certificate.clone()).send_chain(),
        builder(&tenant, &app, certificate).rs256(),
    ];
    for style in styles {
        let credential = style.build().unwrap();
        let token = credential.token(&request).await.unwrap();
        let (_, claims) = parts(token.expose_secret());
        assert_eq!(claims["appidacr"], "2");
        assert_eq!(claims["appid"], app.client_id().to_string());
        // The second one comes from the cache.
        assert_eq!(
            credential.token(&request).await.unwrap().expose_secret(),
            token.expose_secret()
        );
    }
    tenant.requests().to("/token").assert_count(3);
}

#[tokio::test]
async fn client_assertion_has_exactly_the_documented_claims() {
    let transport = ScriptedTransport::new().then(200, &[], GRANTED);
    let credential = offline(&transport)
        .random(SeededRandom::new(7))
        .build()
        .unwrap();
    credential.token(&graph()).await.unwrap();

    let request = transport.requests().remove(0);
    let endpoint = format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token");
    assert_eq!(request.uri().to_string(), endpoint);
    let form = form(request.body());
    let names: Vec<&str> = form.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "grant_type",
            "client_id",
            "client_assertion_type",
            "client_assertion",
            "scope"
        ]
    );
    assert_eq!(
        field(&form, "client_assertion_type"),
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );

    let (header, claims) = parts(field(&form, "client_assertion"));
    let thumbprint = hex(&URL_SAFE_NO_PAD
        .decode(header["x5t#S256"].as_str().unwrap())
        .unwrap());
    assert_eq!(thumbprint, leaf().thumbprint_sha256());
    assert_eq!(header.as_object().unwrap().len(), 3);
    assert_eq!(
        (&header["alg"], &header["typ"]),
        (&json!("PS256"), &json!("JWT"))
    );
    let (now, jti) = (then().unix_timestamp(), claims["jti"].clone());
    assert_eq!(jti.as_str().unwrap().len(), 36);
    // Numbers, not texts: some libraries send texts, which strict servers reject.
    let expected = json!({
        "aud": endpoint, "iss": CLIENT, "sub": CLIENT, "jti": jti,
        "nbf": now, "iat": now, "exp": now + 600,
    });
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn each_request_has_a_new_assertion_for_its_tenant_and_cloud() {
    let transport = ScriptedTransport::new()
        .then(200, &[], GRANTED)
        .then(200, &[], GRANTED)
        .then(200, &[], GRANTED);
    let credential = offline(&transport)
        .cloud(Cloud::china())
        .assertion_lifetime(Duration::from_secs(60))
        .build()
        .unwrap();
    let elsewhere = graph().with_tenant("fabrikam.com".parse().unwrap());
    credential.token(&graph()).await.unwrap();
    credential
        .token(&graph().with_force_refresh())
        .await
        .unwrap();
    credential.token(&elsewhere).await.unwrap();
    let claims: Vec<Value> = assertions(&transport)
        .into_iter()
        .map(|(_, claims)| claims)
        .collect();
    let host = "https://login.partner.microsoftonline.cn";
    for (at, tenant) in [TENANT, TENANT, "fabrikam.com"].iter().enumerate() {
        assert_eq!(
            claims[at]["aud"],
            format!("{host}/{tenant}/oauth2/v2.0/token")
        );
        assert_eq!(claims[at]["exp"], then().unix_timestamp() + 60);
    }
    assert!(claims[0]["jti"] != claims[1]["jti"] && claims[1]["jti"] != claims[2]["jti"]);
}

#[tokio::test]
async fn rs256_setting_sends_sha1_thumbprint_and_send_chain_sends_the_chain() {
    let transport = ScriptedTransport::new().then(200, &[], GRANTED);
    let credential = offline(&transport).rs256().send_chain().build().unwrap();
    credential.token(&graph()).await.unwrap();
    let (header, _) = assertions(&transport).remove(0);
    assert_eq!(header["alg"], "RS256");
    let thumbprint = hex(&URL_SAFE_NO_PAD
        .decode(header["x5t"].as_str().unwrap())
        .unwrap());
    assert_eq!(thumbprint, leaf().thumbprint_sha1());
    assert!(header.get("x5t#S256").is_none());
    let chain: Vec<Vec<u8>> = header["x5c"]
        .as_array()
        .unwrap()
        .iter()
        .map(|der| STANDARD.decode(der.as_str().unwrap()).unwrap())
        .collect();
    assert_eq!(chain.len(), 3);
    assert_eq!(chain[0], leaf().public_der());
}

#[tokio::test]
async fn an_unregistered_and_a_revoked_certificate_are_named_in_the_error() {
    let (tenant, app) = tenant_with_app().await;
    let request = TokenRequest::new([tenant.cloud().graph_scope()]);
    let rejected = async |certificate: Certificate| {
        let thumbprint = certificate.thumbprint_sha1();
        let credential = builder(&tenant, &app, certificate).build().unwrap();
        let error = credential.token(&request).await.unwrap_err();
        let own = detail(&error);
        assert_eq!(own.kind(), ErrorKind::InvalidClient);
        assert_eq!(own.oauth_error(), Some("invalid_client"));
        assert_eq!(own.status(), Some(401));
        assert!(
            own.cause().unwrap().contains(&thumbprint),
            "{}",
            own.report()
        );
        assert!(own.fix().is_some() && own.correlation_id().is_some());
        assert_eq!(error.kind(), CredentialErrorKind::Rejected);
        own.aadsts_code()
    };
    assert_eq!(rejected(leaf()).await, Some(700_027));
    app.revoke_certificates();
    assert_eq!(rejected(own(&tenant)).await, Some(7_000_214));
    app.remove_certificates();
    assert_eq!(rejected(own(&tenant)).await, Some(700_027));
    // A certificate that stays the same is not tried twice.
    tenant.requests().to("/token").assert_count(3);
}

#[tokio::test]
async fn each_certificate_error_of_entra_has_its_kind_and_a_fix() {
    for code in [
        50_012, 50_048, 700_021, 700_027, 1_000_502, 5_002_723, 5_002_738, 7_000_214, 7_000_274,
        7_000_277,
    ] {
        let body = format!(
            r#"{{"error":"invalid_client","error_codes":[{code}],"error_description":"AADSTS{code}: no.\r\nTrace ID: x"}}"#
        );
        let transport = ScriptedTransport::new().then(401, &[], body);
        let error = offline(&transport)
            .build()
            .unwrap()
            .token(&graph())
            .await
            .unwrap_err();
        let own = detail(&error);
        assert_eq!(own.aadsts_code(), Some(code));
        assert_eq!(own.kind(), ErrorKind::InvalidClient, "{code}");
        assert!(own.is_invalid_client() && !own.is_transient(), "{code}");
        assert!(own.fix().is_some(), "{code}");
        assert_eq!(transport.remaining(), 0);
    }
}

#[tokio::test]
async fn error_of_an_expired_assertion_names_the_clock_skew() {
    let (tenant, app) = tenant_with_app().await;
    let hour = entra_core::time::Duration::HOUR;
    for (clock, side) in [
        (then() + hour, "3600 s ahead of"),
        (then() - hour, "3600 s behind"),
    ] {
        let credential = builder(&tenant, &app, own(&tenant))
            .clock(ManualClock::at(clock))
            .retry_policy(RetryPolicy::for_tokens().with_max_attempts(1))
            .build()
            .unwrap();
        let request = TokenRequest::new([tenant.cloud().graph_scope()]);
        let error = credential.token(&request).await.unwrap_err();
        let own = detail(&error);
        assert_eq!(own.aadsts_code(), Some(700_024));
        assert!(own.cause().unwrap().contains(side), "{}", own.report());
        assert!(own.fix().unwrap().contains("NTP"));
        assert!(!own.is_transient());
    }
    // Another assertion by the same clock would be as wrong.
    tenant.requests().to("/token").assert_count(2);
}

#[tokio::test]
async fn expired_certificate_is_rejected_before_a_request_is_sent() {
    for (now, kind) in [
        (leaf().not_after(), CertificateErrorKind::Expired),
        (
            leaf().not_before() - entra_core::time::Duration::DAY,
            CertificateErrorKind::NotYetValid,
        ),
    ] {
        let transport = ScriptedTransport::new();
        let clock = ManualClock::at(now + entra_core::time::Duration::SECOND);
        let credential = offline(&transport).clock(clock).build().unwrap();
        let error = credential.token(&graph()).await.unwrap_err();
        assert_eq!(error.kind(), CredentialErrorKind::Configuration);
        assert_eq!(certificate_error(&error), Some(kind));
        assert_eq!(error.fix(), detail(&error).fix());
        assert!(transport.requests().is_empty());
    }
}

#[tokio::test]
async fn a_replaced_file_is_used_for_the_next_token() {
    let (tenant, app) = tenant_with_app().await;
    let file = TempFile::new("rotated", &tenant.test_certificate_pem());
    let credential = ClientCertificateCredential::builder_from_file(
        tenant.id(),
        app.client_id(),
        &*file.0,
        None,
    )
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .build()
    .unwrap();
    let request = TokenRequest::new([tenant.cloud().graph_scope()]).with_force_refresh();
    credential.token(&request).await.unwrap();
    assert_eq!(credential.certificate(), own(&tenant));

    app.remove_certificates();
    app.with_certificate(LEAF);
    file.replace(&format!("{LEAF}{KEY}"));
    credential.token(&request).await.unwrap();
    assert_eq!(credential.certificate(), leaf());
    // A file that is being written, or is gone, does not take the good certificate away.
    file.replace("-----BEGIN CERTIFICATE-----\nMIIC");
    credential.token(&request).await.unwrap();
    fs::remove_file(&file.0).unwrap();
    credential.token(&request).await.unwrap();
    tenant.requests().to("/token").assert_count(4);
    // The open of a named pipe would wait for a writer.
    #[cfg(unix)]
    {
        let made = std::process::Command::new("mkfifo").arg(&file.0).status();
        assert!(made.unwrap().success());
        let token = credential.token(&request);
        let limit = std::time::Duration::from_secs(60);
        tokio::time::timeout(limit, token).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_stale_certificate_is_read_again_and_tried_once_more() {
    let (tenant, app) = tenant_with_app().await;
    for code in [
        700_024, 700_027, 1_000_502, 7_000_214, 7_000_274, 7_000_277, 50_012,
    ] {
        let file = TempFile::new(&format!("stale-{code}"), &tenant.test_certificate_pem());
        let swapping = Arc::new(Swapping {
            file: file.0.clone(),
            code,
            thumbprints: Mutex::default(),
        });
        let credential =
            ClientCertificateCredential::builder_from_file(TENANT, app.client_id(), &*file.0, None)
                .transport(Arc::clone(&swapping))
                .clock(tenant.clock())
                .build()
                .unwrap();
        let outcome = credential.token(&graph()).await;
        let mut expected = vec![own(&tenant).thumbprint_sha256()];
        if code == 50_012 {
            // Not one of the six.
            assert_eq!(outcome.unwrap_err().code(), Some(code));
        } else {
            outcome.unwrap();
            expected.push(leaf().thumbprint_sha256());
        }
        assert_eq!(*swapping.thumbprints.lock().unwrap(), expected, "{code}");
    }
}

#[tokio::test]
async fn second_rejection_of_a_certificate_is_returned() {
    let rejection = r#"{"error":"invalid_client","error_codes":[700024],"error_description":"AADSTS700024: late"}"#;
    let transport = ScriptedTransport::new()
        .then(401, &[], rejection)
        .then(401, &[], rejection)
        .then(200, &[], GRANTED);
    let credential = offline(&transport).build().unwrap();
    let error = credential.token(&graph()).await.unwrap_err();
    assert_eq!(error.code(), Some(700_024));
    // A fresh assertion was worth one try, as nothing is known of the clocks.
    assert_eq!(transport.remaining(), 1);
}

#[test]
fn invalid_certificate_settings_are_rejected_by_build() {
    let build = |tenant: &str, client: &str| {
        ClientCertificateCredential::new(tenant, client, leaf()).unwrap_err()
    };
    for error in [
        build("not a tenant!", CLIENT),
        build("common", CLIENT),
        build(TENANT, "my app"),
    ] {
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.fix().is_some());
    }
    for seconds in [0, 29, 24 * 3600 + 1] {
        ClientCertificateCredential::builder(TENANT, CLIENT, leaf())
            .assertion_lifetime(Duration::from_secs(seconds))
            .build()
            .unwrap_err();
    }
    let missing = ClientCertificateCredential::from_pem_file(TENANT, CLIENT, "/no/such.pem", None)
        .unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Configuration);
    assert_eq!(
        missing.certificate_error(),
        Some(CertificateErrorKind::File)
    );
    assert!(
        missing.report().to_string().contains("/no/such.pem"),
        "{}",
        missing.report()
    );
}

#[tokio::test]
async fn configs_credentials_errors_and_logs_show_no_key_passphrase_or_assertion() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer({
            let log = log.clone();
            move || log.clone()
        })
        .finish();
    crate::canary::keep_events_on();
    let guard = tracing::subscriber::set_default(subscriber);

    let file = TempFile::new("canary", &format!("{LEAF}{KEY}"));
    let echo = r#"{"error":"invalid_client","error_codes":[700027],"error_description":"AADSTS700027: no"}"#;
    let transport = ScriptedTransport::new()
        .then(200, &[], GRANTED)
        .then(401, &[], echo);
    let passphrase = "canary-passphrase".into();
    let settings =
        ClientCertificateCredential::builder_from_file(TENANT, CLIENT, &*file.0, Some(&passphrase))
            .transport(Arc::new(transport.clone()))
            .clock(ManualClock::at(then()));
    let mut shown = format!("{settings:?} {settings:#?}");
    let credential = settings.build().unwrap();
    credential.token(&graph()).await.unwrap();
    file.replace("-----BEGIN PRIVATE KEY-----\ncanary\n");
    let error = credential
        .token(&graph().with_force_refresh())
        .await
        .unwrap_err();
    shown += &format!(
        "{credential:?} {credential:#?} {error} {error:?} {error:#?} {}",
        detail(&error).report()
    );
    drop(guard);
    let logged = log.text();
    assert!(
        logged.contains("cannot be read again"),
        "there is something to look at: {logged}"
    );
    shown += &logged;
    for request in transport.requests() {
        shown += &format!("{} {:?}", request.uri(), request.headers());
        let assertion = field(&form(request.body()), "client_assertion").to_owned();
        for part in assertion.split('.') {
            assert!(!shown.contains(part), "{shown}");
        }
    }
    for canary in [
        "canary-passphrase",
        KEY.lines().nth(1).unwrap(),
        "BEGIN PRIVATE",
    ] {
        assert!(!shown.contains(canary), "{shown}");
    }
}

/// Returns an error response and swaps the certificate file meanwhile, then grants.
#[derive(Debug)]
struct Swapping {
    file: PathBuf,
    code: u32,
    thumbprints: Mutex<Vec<String>>,
}

#[async_trait]
impl HttpTransport for Swapping {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let (header, _) = parts(field(&form(request.body()), "client_assertion"));
        let thumbprint = URL_SAFE_NO_PAD
            .decode(header["x5t#S256"].as_str().unwrap())
            .unwrap();
        let mut thumbprints = self.thumbprints.lock().unwrap();
        thumbprints.push(hex(&thumbprint));
        if thumbprints.len() > 1 {
            return Ok(response(200, GRANTED));
        }
        fs::write(&self.file, format!("{LEAF}{KEY}")).unwrap();
        let code = self.code;
        Ok(response(
            401,
            &format!(
                r#"{{"error":"invalid_client","error_codes":[{code}],"error_description":"AADSTS{code}: no"}}"#
            ),
        ))
    }
}

/// A file that is gone with the value.
struct TempFile(PathBuf);

impl TempFile {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("entra-auth-{name}-{}.pem", std::process::id());
        let file = Self(std::env::temp_dir().join(name));
        fs::write(&file.0, text).unwrap();
        file
    }

    /// Puts another file in its place, as tools that rotate certificates do.
    fn replace(&self, text: &str) {
        let beside = self.0.with_extension("new");
        fs::write(&beside, text).unwrap();
        fs::rename(&beside, &self.0).unwrap();
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(Path::new(&self.0));
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn certificate_error(error: &entra_core::CredentialError) -> Option<CertificateErrorKind> {
    detail(error).certificate_error()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
