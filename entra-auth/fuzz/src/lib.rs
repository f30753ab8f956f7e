//! What the fuzz targets share: a sign-in service that never leaves the process, with one key.

use std::{
    future::Future,
    sync::{LazyLock, Mutex},
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use entra_auth::{
    SignInClient, TokenValidator,
    sign_in::SignInError,
    user::ClientAuthentication,
    validate::{SigningKeys, TokenValidationError},
};
use entra_core::{
    HttpTransport, ManualClock, SeededRandom, Timestamp, TransportError, bytes::Bytes, http,
};
use serde_json::{Value, json};

pub const TENANT: &str = "11111111-1111-4111-8111-111111111111";
pub const CLIENT: &str = "22222222-2222-4222-8222-222222222222";
pub const USER_ID: &str = "33333333-3333-4333-8333-333333333333";
pub const STATE: &str = "state-1";
pub const NONCE: &str = "nonce-1";
pub const CONNECTION: &str = "contoso";
pub const REDIRECT: &str = "https://app.example/callback";
/// When every fuzz run takes place.
pub const NOW: i64 = 1_800_000_000;
/// The name of the only key.
pub const KID: &str = "key-1";

#[must_use]
pub fn issuer_v2() -> String {
    format!("https://login.microsoftonline.com/{TENANT}/v2.0")
}

#[must_use]
pub fn issuer_v1() -> String {
    format!("https://sts.windows.net/{TENANT}/")
}

/// The claims of a good ID token.
#[must_use]
pub fn identity_claims() -> Vec<(&'static str, Value)> {
    vec![
        ("aud", json!(CLIENT)),
        ("iss", json!(issuer_v2())),
        ("iat", json!(NOW)),
        ("nbf", json!(NOW)),
        ("exp", json!(NOW + 3_600)),
        ("name", json!("Adele")),
        ("nonce", json!(NONCE)),
        ("oid", json!(USER_ID)),
        ("preferred_username", json!("adele@contoso.com")),
        ("sub", json!("subject")),
        ("tid", json!(TENANT)),
        ("ver", json!("2.0")),
    ]
}

/// The claims of a good access token.
#[must_use]
pub fn access_claims() -> Vec<(&'static str, Value)> {
    vec![
        ("aud", json!(CLIENT)),
        ("iss", json!(issuer_v2())),
        ("iat", json!(NOW)),
        ("nbf", json!(NOW)),
        ("exp", json!(NOW + 3_600)),
        ("azp", json!(CLIENT)),
        ("azpacr", json!("1")),
        ("oid", json!(USER_ID)),
        ("scp", json!("Tasks.Read")),
        ("sub", json!("subject")),
        ("tid", json!(TENANT)),
        ("ver", json!("2.0")),
    ]
}

/// An object with these members in this order, whatever is there twice.
#[must_use]
pub fn object<N: AsRef<str>>(members: &[(N, Value)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{}:{value}", json!(name.as_ref())))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// A token with this header and these claims, signed with the service's key.
#[must_use]
pub fn sign(header: &str, claims: &str) -> String {
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let mut signature = vec![0; KEY.public_modulus_len()];
    KEY.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        message.as_bytes(),
        &mut signature,
    )
    .expect("the key signs");
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A good ID token, the same one in every run.
pub static IDENTITY: LazyLock<String> =
    LazyLock::new(|| sign(&header(), &object(&identity_claims())));

/// A good access token, the same one in every run.
pub static ACCESS: LazyLock<String> = LazyLock::new(|| sign(&header(), &object(&access_claims())));

#[must_use]
pub fn header() -> String {
    object(&[
        ("alg", json!("RS256")),
        ("kid", json!(KID)),
        ("typ", json!("JWT")),
    ])
}

/// Accepts ID tokens of the tenant for the client.
pub static IDENTITY_VALIDATOR: LazyLock<TokenValidator> = LazyLock::new(|| {
    TokenValidator::id_tokens(TENANT, CLIENT)
        .clock(clock())
        .random(SeededRandom::new(1))
        .transport(Service::default())
        .build()
        .expect("good settings")
});

/// Accepts access tokens of the tenant for the client's API with one scope.
pub static ACCESS_VALIDATOR: LazyLock<TokenValidator> = LazyLock::new(|| {
    TokenValidator::access_tokens(TENANT, [CLIENT])
        .clock(clock())
        .random(SeededRandom::new(1))
        .transport(Service::default())
        .scopes_any(["Tasks.Read"])
        .build()
        .expect("good settings")
});

/// A connection without a finished sign-in. The token endpoint returns this response.
#[must_use]
pub fn connection(response: Option<Vec<u8>>) -> SignInClient {
    static KEYS: LazyLock<SigningKeys> = LazyLock::new(SigningKeys::new);
    SignInClient::builder(TENANT, CLIENT, ClientAuthentication::secret("not a secret"))
        .name(CONNECTION)
        .redirect_uri(REDIRECT)
        .scopes(["User.Read"])
        .clock(clock())
        .random(SeededRandom::new(1))
        .keys(&KEYS)
        .transport(Service(Mutex::new(response)))
        .build()
        .expect("good settings")
}

/// The default response of the token endpoint to a valid code.
#[must_use]
pub fn tokens() -> Value {
    json!({
        "token_type": "Bearer", "expires_in": 3_600, "access_token": "opaque", "refresh_token": "opaque",
        "scope": "User.Read", "id_token": *IDENTITY,
        "client_info": URL_SAFE_NO_PAD.encode(json!({"uid": USER_ID, "utid": TENANT}).to_string()),
    })
}

/// A flow that the connection has started, as a session keeps it.
#[must_use]
pub fn stored_flow() -> Value {
    json!({
        "state": STATE, "nonce": NONCE, "verifier": "v".repeat(43), "redirect_uri": REDIRECT,
        "scopes": ["User.Read"], "tenant": TENANT, "expires_on": NOW + 3_600, "client": CLIENT,
        "authority": entra_core::Cloud::public().cache_authority(), "connection": CONNECTION,
    })
}

/// Runs what never waits for anything outside of the process.
pub fn run<F: Future>(future: F) -> F::Output {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// Valid input is accepted; otherwise a target would test nothing.
pub fn check_setup() {
    run(IDENTITY_VALIDATOR.validate_id_token(&IDENTITY, Some(NONCE))).expect("a good ID token");
    run(ACCESS_VALIDATOR.validate(&ACCESS)).expect("a good access token");
    let client = connection(Some(tokens().to_string().into_bytes()));
    let flow = serde_json::from_value(stored_flow()).expect("a flow");
    run(client.finish(flow, &format!("code=c&state={STATE}"))).expect("a good sign-in");
}

/// Whatever a stranger sends, a rejection goes into logs, headers and pages unharmed.
pub fn check_rejection(error: &TokenValidationError) {
    one_line(&error.to_string());
    one_line(error.fix());
    if let Some(challenge) = error.www_authenticate() {
        assert!(
            challenge.bytes().all(|byte| (0x20..0x7f).contains(&byte)),
            "a header: {challenge:?}"
        );
    }
}

pub fn check_sign_in_rejection(error: &SignInError) {
    one_line(&error.to_string());
    one_line(error.for_user());
    one_line(&error.for_admin());
    if let Some(token) = error.invalid_token() {
        check_rejection(token);
    }
}

fn one_line(text: &str) {
    assert!(
        !text.is_empty() && !text.chars().any(char::is_control),
        "not one line: {text:?}"
    );
}

fn clock() -> ManualClock {
    ManualClock::at(Timestamp::from_unix_timestamp(NOW).expect("a time"))
}

/// Metadata, the key and, if given, the response of the token endpoint.
#[derive(Debug, Default)]
struct Service(Mutex<Option<Vec<u8>>>);

#[async_trait::async_trait]
impl HttpTransport for Service {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let path = request.uri().path();
        let v2 = path.contains("/v2.0");
        let (status, body) = if path.ends_with("/openid-configuration") {
            let issuer = if v2 { issuer_v2() } else { issuer_v1() };
            let keys = format!("https://login.microsoftonline.com/{TENANT}/discovery/keys");
            (
                200,
                json!({"issuer": issuer, "jwks_uri": keys})
                    .to_string()
                    .into_bytes(),
            )
        } else if path.ends_with("/keys") {
            let (n, e) = components(KEY.public_key().as_ref());
            let (n, e) = (URL_SAFE_NO_PAD.encode(n), URL_SAFE_NO_PAD.encode(e));
            let key = json!({"kty": "RSA", "use": "sig", "kid": KID, "n": n, "e": e});
            (200, json!({"keys": [key]}).to_string().into_bytes())
        } else {
            match self.0.lock().expect("one thread").clone() {
                Some(response) => (200, response),
                None => (
                    400,
                    br#"{"error":"invalid_grant","error_codes":[70000]}"#.to_vec(),
                ),
            }
        };
        let response = http::Response::builder()
            .status(status)
            .header("content-type", "application/json")
            .body(Bytes::from(body));
        Ok(response.expect("a response"))
    }
}

/// A public test key of the fake tenant.
static KEY: LazyLock<KeyPair> = LazyLock::new(|| {
    let pem = include_str!("../../../entra-mock/src/keys/signing-1.test-key.pem");
    let text: String = pem
        .lines()
        .filter(|line| !line.starts_with(['#', '-']))
        .collect();
    KeyPair::from_pkcs8(&STANDARD.decode(text).expect("base64")).expect("an RSA key")
});

/// Modulus and exponent of an RSA public key in DER, whose lengths take two bytes each.
fn components(der: &[u8]) -> (&[u8], &[u8]) {
    let (sequence, _) = value(der);
    let (n, rest) = value(sequence);
    let (e, _) = value(rest);
    (n.strip_prefix(&[0]).unwrap_or(n), e)
}

fn value(der: &[u8]) -> (&[u8], &[u8]) {
    let (length, rest) = match der[1] {
        0x82 => (usize::from(der[2]) << 8 | usize::from(der[3]), &der[4..]),
        0x81 => (usize::from(der[2]), &der[3..]),
        short => (usize::from(short), &der[2..]),
    };
    rest.split_at(length)
}
