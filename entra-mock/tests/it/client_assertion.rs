//! Client authentication with a certificate: accepted assertions, and every error.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD},
};
use entra_core::{Clock, ManualClock, Timestamp};
use entra_mock::{App, FakeTenant};
use jsonwebtoken::{Algorithm, EncodingKey, crypto::aws_lc};
use serde_json::{Value, json};

use crate::support::{GRAPH_SCOPE, Response, graph_get, post_token, token_with};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const OTHER_KEY: &str = include_str!("../../src/keys/signing-1.test-key.pem");
const OTHER_CERTIFICATE: &str = include_str!("../../src/keys/signing-1.test-cert.pem");
/// An RSA key of 1024 bits.
const WEAK_CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
MIIB/DCCAWWgAwIBAgIUUKnWpjGJI6ONf2qXypSy2Au8BgMwDQYJKoZIhvcNAQEL
BQAwDzENMAsGA1UEAwwEd2VhazAgFw0yNjExMjEwMjQ4MjdaGA8yMTI2MTAyODAy
NDgyN1owDzENMAsGA1UEAwwEd2VhazCBnzANBgkqhkiG9w0BAQEFAAOBjQAwgYkC
gYEA1MkTgmG8anfKgVHuv7l9ZFPn/7+foodAhn2iU8R8DF4TNSYFK2wtfn4BO6AS
3AfXF1P5r3GPR0D+dReVKLxH9cFkt95V5nu9/K5jL4WFgwiguof1BRmxWZxojBxm
2avuuaY1EBN6Vkat9soMqVTf3TP4hL7VQIJHkhcoBwYK/E0CAwEAAaNTMFEwHQYD
VR0OBBYEFIN6CseehLdAmQz9cDzUaYDZQfdwMB8GA1UdIwQYMBaAFIN6CseehLdA
mQz9cDzUaYDZQfdwMA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADgYEA
WTUEMCIHWdUiLTy88ig0y4n7SVkA5pADFlfhWFM/gyRCYO2pjNqPiRScTuGa+v8b
RJpcYH5qw7i/NlC9XRT3jg+0gNpb6rkh2j/i/c/fNRINVWZa5YbiED+WBS58vKXD
ryV/5fqsNsizgGP9H29qKSX4RycQyfhUOodx5IGxy6o=
-----END CERTIFICATE-----
";

/// Signs any assertion.
struct Signer {
    algorithm: Algorithm,
    key: String,
    header: Value,
    claims: Value,
}

impl Signer {
    /// A valid assertion of the test certificate.
    fn new(tenant: &FakeTenant, app: &App) -> Self {
        let now = tenant.clock().now().unix_timestamp();
        let pem = tenant.test_certificate_pem();
        let client = app.client_id().to_string();
        Self {
            algorithm: Algorithm::PS256,
            header: json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": URL_SAFE_NO_PAD.encode(sha256(&pem)) }),
            claims: json!({
                "aud": format!("{}/{}/oauth2/v2.0/token", tenant.uri(), tenant.id()),
                "iss": client, "sub": client, "jti": "11111111-2222-4333-8444-555555555555",
                "nbf": now, "iat": now, "exp": now + 600,
            }),
            key: pem,
        }
    }

    fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header[name] = value.into();
        self
    }

    fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims[name] = value.into();
        self
    }

    /// Removes a member of header or claims.
    fn without(mut self, name: &str) -> Self {
        for part in [&mut self.header, &mut self.claims] {
            part.as_object_mut().unwrap().remove(name);
        }
        self
    }

    fn sign(&self) -> String {
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", encode(&self.header), encode(&self.claims));
        // PKCS#1 starts after the 26 bytes that introduce an RSA key in PKCS#8.
        let key = EncodingKey::from_rsa_der(&pem_der(&self.key)[26..]);
        let signer = (aws_lc::DEFAULT_PROVIDER.signer_factory)(&self.algorithm, &key).unwrap();
        let signature = jsonwebtoken::signature::Signer::sign(signer.as_ref(), message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn der(pem: &str) -> Vec<u8> {
    let (_, certificate) = pem.split_once("-----BEGIN CERTIFICATE").unwrap();
    pem_der(certificate)
}

/// The content of the first PEM block.
fn pem_der(pem: &str) -> Vec<u8> {
    let (_, after) = pem.split_once("-----\n").unwrap();
    let (body, _) = after.split_once("-----END").unwrap();
    STANDARD
        .decode(body.split_whitespace().collect::<String>())
        .unwrap()
}

fn sha256(pem: &str) -> Vec<u8> {
    digest(&aws_lc_rs::digest::SHA256, pem)
}

fn sha1(pem: &str) -> Vec<u8> {
    digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, pem)
}

fn digest(algorithm: &'static aws_lc_rs::digest::Algorithm, pem: &str) -> Vec<u8> {
    aws_lc_rs::digest::digest(algorithm, &der(pem))
        .as_ref()
        .to_vec()
}

async fn tenant_with_app() -> (FakeTenant, App) {
    at(ManualClock::new()).await
}

async fn at(clock: ManualClock) -> (FakeTenant, App) {
    let tenant = FakeTenant::builder().clock(clock).start().await;
    let app = tenant
        .register_app("Night job")
        .application_permission("User.Read.All")
        .with_certificate(tenant.test_certificate_pem());
    (tenant, app)
}

async fn send(tenant: &FakeTenant, app: &App, assertion: &str) -> Response {
    let client = app.client_id().to_string();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client.as_str()),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion),
        ("scope", GRAPH_SCOPE),
    ];
    post_token(
        tenant,
        &format!("/{}/oauth2/v2.0/token", tenant.id()),
        &form,
    )
    .await
}

#[track_caller]
fn assert_error(response: &Response, status: u16, error: &str, code: u32) {
    let found = (
        response.status,
        response.body["error"].as_str(),
        &response.body["error_codes"],
    );
    assert_eq!(
        found,
        (status, Some(error), &json!([code])),
        "{}",
        response.text
    );
}

#[tokio::test]
async fn a_valid_assertion_gets_a_token_with_the_authentication_method() {
    let (tenant, app) = tenant_with_app().await;
    let response = send(&tenant, &app, &Signer::new(&tenant, &app).sign()).await;
    assert_eq!(response.status, 200, "{}", response.text);
    let token = response.body["access_token"].as_str().unwrap();
    let claims = token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["appidacr"], "2");
    assert_eq!(graph_get(&tenant, token, "/users?$top=1").await.status, 200);
}

#[tokio::test]
async fn both_algorithms_and_every_spelling_of_a_thumbprint_are_accepted() {
    let (tenant, app) = tenant_with_app().await;
    let pem = tenant.test_certificate_pem();
    let hex: String = sha1(&pem)
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    let spellings = [
        ("x5t#S256", STANDARD.encode(sha256(&pem))),
        ("x5t#S256", URL_SAFE.encode(sha256(&pem))),
        ("x5t", URL_SAFE_NO_PAD.encode(sha1(&pem))),
        ("x5t", STANDARD.encode(sha1(&pem))),
        ("kid", hex),
    ];
    for algorithm in [Algorithm::PS256, Algorithm::RS256] {
        for (name, text) in &spellings {
            let mut signer = Signer::new(&tenant, &app).without("x5t#S256");
            signer.algorithm = algorithm;
            let signer = signer
                .header("alg", format!("{algorithm:?}"))
                .header(name, text.as_str());
            let response = send(&tenant, &app, &signer.sign()).await;
            assert_eq!(response.status, 200, "{name} {text}: {}", response.text);
        }
    }
}

#[tokio::test]
async fn known_deviations_of_clients_are_accepted() {
    let (tenant, app) = tenant_with_app().await;
    let now = tenant.clock().now().unix_timestamp();
    let domain = format!("{}/contoso.com/oauth2/v2.0/token", tenant.uri());
    let good = || Signer::new(&tenant, &app);
    let tolerated = [
        good().without("typ"),
        good().without("nbf").without("jti"),
        good().claim("exp", now as f64 + 599.5),
        good()
            .claim("exp", (now + 600).to_string())
            .claim("nbf", now.to_string()),
        good().claim("aud", domain),
        good()
            .claim("iss", app.client_id().to_string().to_uppercase())
            .claim("sub", app.client_id().to_string().to_uppercase()),
        // The clocks may differ by five minutes.
        good().claim("nbf", now + 300),
        good().claim("exp", now - 300),
    ];
    for signer in tolerated {
        let response = send(&tenant, &app, &signer.sign()).await;
        assert_eq!(
            response.status, 200,
            "{} {}: {}",
            signer.header, signer.claims, response.text
        );
    }
    // Some clients use an assertion until it expires.
    let assertion = good().sign();
    for _ in 0..2 {
        assert_eq!(send(&tenant, &app, &assertion).await.status, 200);
    }
}

#[tokio::test]
async fn a_certificate_in_the_key_property_is_accepted() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Night job");
    let credential = |end: &str| {
        json!([{
            "keyId": "66666666-2222-4333-8444-555555555555", "type": "AsymmetricX509Cert", "usage": "Verify",
            "key": STANDARD.encode(der(&tenant.test_certificate_pem())), "endDateTime": end,
        }])
    };
    let set = |end: &str| {
        let id = app.object_id().to_string();
        tenant
            .set_property("applications", &id, "keyCredentials", credential(end))
            .unwrap();
    };
    let good = Signer::new(&tenant, &app).sign();
    set("2100-01-01T00:00:00Z");
    assert_eq!(send(&tenant, &app, &good).await.status, 200);
    // The registration can expire before the certificate does.
    set("2021-01-01T00:00:00Z");
    assert_error(
        &send(&tenant, &app, &good).await,
        401,
        "invalid_client",
        700_027,
    );
}

#[tokio::test]
async fn an_unregistered_certificate_or_wrong_key_returns_an_error() {
    let (tenant, app) = tenant_with_app().await;
    let stranger = Signer::new(&tenant, &app).header(
        "x5t#S256",
        URL_SAFE_NO_PAD.encode(sha256(OTHER_CERTIFICATE)),
    );
    assert_error(
        &send(&tenant, &app, &stranger.sign()).await,
        401,
        "invalid_client",
        700_027,
    );
    let mut forged = Signer::new(&tenant, &app);
    forged.key = OTHER_KEY.to_owned();
    assert_error(
        &send(&tenant, &app, &forged.sign()).await,
        401,
        "invalid_client",
        700_027,
    );

    let good = Signer::new(&tenant, &app).sign();
    let tampered = good.replacen(&good[good.len() - 20..], "AAAAAAAAAAAAAAAAAAAA", 1);
    assert_error(
        &send(&tenant, &app, &tampered).await,
        401,
        "invalid_client",
        700_027,
    );
    // The algorithm in the header is checked too.
    let crossed = Signer::new(&tenant, &app).header("alg", "RS256");
    assert_error(
        &send(&tenant, &app, &crossed.sign()).await,
        401,
        "invalid_client",
        700_027,
    );

    app.remove_certificates();
    assert_error(
        &send(&tenant, &app, &good).await,
        401,
        "invalid_client",
        700_027,
    );
    app.with_certificate(der(&tenant.test_certificate_pem()));
    assert_eq!(send(&tenant, &app, &good).await.status, 200);
}

#[tokio::test]
async fn a_revoked_certificate_returns_an_error() {
    let (tenant, app) = tenant_with_app().await;
    app.revoke_certificates();
    let good = Signer::new(&tenant, &app);
    let response = send(&tenant, &app, &good.sign()).await;
    assert_error(&response, 401, "invalid_client", 7_000_214);
    // Its issuer revoked it, so it is not valid in a second entry either.
    app.with_certificate(der(&tenant.test_certificate_pem()));
    let response = send(&tenant, &app, &good.sign()).await;
    assert_error(&response, 401, "invalid_client", 7_000_214);
}

#[tokio::test]
async fn a_certificate_outside_its_validity_period_returns_an_error() {
    for year in [2019, 2121] {
        let then = Timestamp::UNIX_EPOCH.replace_year(year).unwrap();
        let (tenant, app) = at(ManualClock::at(then)).await;
        let response = send(&tenant, &app, &Signer::new(&tenant, &app).sign()).await;
        assert_error(&response, 401, "invalid_client", 1_000_502);
    }
}

#[tokio::test]
async fn a_short_rsa_key_returns_an_error() {
    let (tenant, app) = tenant_with_app().await;
    app.with_certificate(WEAK_CERTIFICATE);
    let weak = Signer::new(&tenant, &app)
        .header("x5t#S256", URL_SAFE_NO_PAD.encode(sha256(WEAK_CERTIFICATE)));
    assert_error(
        &send(&tenant, &app, &weak.sign()).await,
        400,
        "invalid_client",
        50_032,
    );
}

#[tokio::test]
async fn an_expired_or_early_assertion_returns_an_error() {
    let (tenant, app) = tenant_with_app().await;
    let now = tenant.clock().now().unix_timestamp();
    let expired = Signer::new(&tenant, &app).claim("exp", now - 301);
    assert_error(
        &send(&tenant, &app, &expired.sign()).await,
        401,
        "invalid_client",
        700_024,
    );
    let early = Signer::new(&tenant, &app).claim("nbf", now + 301);
    assert_error(
        &send(&tenant, &app, &early.sign()).await,
        401,
        "invalid_client",
        700_024,
    );
}

#[tokio::test]
async fn an_assertion_with_another_issuer_or_audience_returns_an_error() {
    let (tenant, app) = tenant_with_app().await;
    let other = "11111111-2222-4333-8444-555555555555";
    let torn = Signer::new(&tenant, &app).claim("sub", other);
    assert_error(
        &send(&tenant, &app, &torn.sign()).await,
        401,
        "invalid_client",
        50_048,
    );
    let foreign = Signer::new(&tenant, &app)
        .claim("iss", other)
        .claim("sub", other);
    assert_error(
        &send(&tenant, &app, &foreign.sign()).await,
        401,
        "invalid_client",
        700_021,
    );
    let elsewhere = [
        "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token".to_owned(),
        format!("{}/fabrikam.com/oauth2/v2.0/token", tenant.uri()),
        format!("{}/{}/oauth2/v2.0/authorize", tenant.uri(), tenant.id()),
        "contoso".to_owned(),
    ];
    for audience in elsewhere {
        let misdirected = Signer::new(&tenant, &app).claim("aud", audience);
        assert_error(
            &send(&tenant, &app, &misdirected.sign()).await,
            400,
            "invalid_request",
            50_027,
        );
    }
}

#[tokio::test]
async fn an_assertion_without_a_required_claim_returns_an_error() {
    let (tenant, app) = tenant_with_app().await;
    for claim in ["iss", "sub", "aud", "exp"] {
        let response = send(
            &tenant,
            &app,
            &Signer::new(&tenant, &app).without(claim).sign(),
        )
        .await;
        assert_error(&response, 400, "invalid_request", 90_014);
    }
    let nameless = Signer::new(&tenant, &app).without("x5t#S256");
    assert_error(
        &send(&tenant, &app, &nameless.sign()).await,
        401,
        "invalid_client",
        5_002_723,
    );
}

#[tokio::test]
async fn a_malformed_assertion_returns_an_error() {
    let (tenant, app) = tenant_with_app().await;
    for text in ["x", "a.b", "a.b.c", "e30.e30.e30.e30"] {
        assert_error(
            &send(&tenant, &app, text).await,
            400,
            "invalid_request",
            50_027,
        );
    }
    let typ = Signer::new(&tenant, &app).header("typ", "at+jwt");
    assert_error(
        &send(&tenant, &app, &typ.sign()).await,
        400,
        "invalid_request",
        5_002_727,
    );
    for alg in ["HS256", "none", "ES256", "RS512"] {
        let other = Signer::new(&tenant, &app).header("alg", alg);
        assert_error(
            &send(&tenant, &app, &other.sign()).await,
            401,
            "invalid_client",
            5_002_738,
        );
    }
    // The type is required, and an unknown one is invalid.
    let app = app.with_secret();
    let assertion = ("client_assertion", "e30.e30.e30");
    let missing = token_with(&tenant, &app, &[assertion]).await;
    assert_error(&missing, 400, "invalid_request", 900_144);
    let unknown = token_with(
        &tenant,
        &app,
        &[assertion, ("client_assertion_type", "jwt")],
    )
    .await;
    assert_error(&unknown, 400, "invalid_request", 50_027);
}
