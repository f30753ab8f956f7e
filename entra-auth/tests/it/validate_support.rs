//! A sign-in service with its own keys, for tokens that the fake tenant would never issue.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize, PublicKeyComponents},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use entra_auth::{TokenValidator, validate::TokenValidatorBuilder};
use entra_core::{
    HttpTransport, ManualClock, RetryPolicy, Timestamp, TransportError, bytes::Bytes, http,
};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::support::{CLIENT, TENANT, response};

pub(crate) const API: &str = "api://tasks";
pub(crate) const CALLER: &str = "33333333-3333-3333-3333-333333333333";
pub(crate) const USER: &str = "44444444-4444-4444-4444-444444444444";
pub(crate) const OTHER_TENANT: &str = "99999999-9999-9999-9999-999999999999";
pub(crate) const NOW: i64 = 1_800_000_000;

/// The key of the sign-in service, and a key that it does not publish.
pub(crate) static SERVICE_KEY: LazyLock<Signer> = LazyLock::new(|| Signer::new("ours"));
pub(crate) static FOREIGN_KEY: LazyLock<Signer> = LazyLock::new(|| Signer::new("foreign"));

/// A key pair that signs with RS256.
pub(crate) struct Signer {
    pub(crate) kid: &'static str,
    pair: KeyPair,
}

impl Signer {
    fn new(kid: &'static str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        Self { kid, pair }
    }

    /// The JWK of the public key.
    pub(crate) fn jwk(&self) -> Value {
        self.jwk_named(self.kid)
    }

    pub(crate) fn jwk_named(&self, kid: &str) -> Value {
        let PublicKeyComponents { n, e } = self.components();
        let (n, e) = (URL_SAFE_NO_PAD.encode(n), URL_SAFE_NO_PAD.encode(e));
        json!({ "kty": "RSA", "use": "sig", "kid": kid, "x5t": kid, "n": n, "e": e })
    }

    pub(crate) fn components(&self) -> PublicKeyComponents<Vec<u8>> {
        PublicKeyComponents {
            n: self
                .pair
                .public_key()
                .modulus()
                .big_endian_without_leading_zero()
                .to_vec(),
            e: self
                .pair
                .public_key()
                .exponent()
                .big_endian_without_leading_zero()
                .to_vec(),
        }
    }

    /// The public key in PEM.
    pub(crate) fn public_der(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = self.pair.public_key().as_der().unwrap();
        der.as_ref().to_vec()
    }

    /// A token with these claims and the usual header.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_with(&self.header(), claims)
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "typ": "JWT", "alg": "RS256", "kid": self.kid })
    }

    pub(crate) fn token_with(&self, header: &Value, claims: &Value) -> String {
        self.token_of(&header.to_string(), &claims.to_string())
    }

    /// A token of this header and these claims, which need not be JSON.
    pub(crate) fn token_of(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        format!("{message}.{}", self.signature(&message))
    }

    pub(crate) fn signature(&self, message: &str) -> String {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &random,
                message.as_bytes(),
                &mut signature,
            )
            .unwrap();
        encode(signature)
    }
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Metadata and keys of a sign-in service, in the shape of Entra's.
pub(crate) struct SignIn {
    keys: Mutex<Vec<Value>>,
    failing: AtomicBool,
    panicking: AtomicBool,
    open: watch::Sender<bool>,
    requested: Mutex<Vec<String>>,
    other: Mutex<BTreeMap<String, String>>,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignIn")
    }
}

impl SignIn {
    pub(crate) fn new() -> Arc<Self> {
        Self::with_keys([SERVICE_KEY.jwk()])
    }

    pub(crate) fn with_keys(keys: impl IntoIterator<Item = Value>) -> Arc<Self> {
        Arc::new(Self {
            keys: Mutex::new(keys.into_iter().collect()),
            failing: AtomicBool::new(false),
            panicking: AtomicBool::new(false),
            open: watch::Sender::new(true),
            requested: Mutex::default(),
            other: Mutex::default(),
        })
    }

    pub(crate) fn publish(&self, keys: impl IntoIterator<Item = Value>) {
        *self.keys.lock().unwrap() = keys.into_iter().collect();
    }

    pub(crate) fn fail(&self, failing: bool) {
        self.failing.store(failing, Ordering::SeqCst);
    }

    pub(crate) fn panic(&self, panicking: bool) {
        self.panicking.store(panicking, Ordering::SeqCst);
    }

    /// Whether requests get responses, or wait.
    pub(crate) fn open(&self, open: bool) {
        self.open.send_replace(open);
    }

    /// Sets the response body of a URL.
    pub(crate) fn respond_at(&self, address: &str, body: &impl ToString) {
        self.other
            .lock()
            .unwrap()
            .insert(address.to_owned(), body.to_string());
    }

    /// The requested URLs.
    pub(crate) fn requested_urls(&self) -> Vec<String> {
        self.requested.lock().unwrap().clone()
    }

    /// How often the metadata was requested; each fetch requests the keys as well.
    pub(crate) fn fetches(&self) -> usize {
        let requested = self.requested_urls();
        requested
            .iter()
            .filter(|requested| requested.contains("openid-configuration"))
            .count()
    }

    fn body(&self, address: &str) -> Option<String> {
        if let Some(body) = self.other.lock().unwrap().get(address) {
            return Some(body.clone());
        }
        let (host, path) = address.strip_prefix("https://")?.split_once('/')?;
        let path = path.split('?').next()?;
        if path.ends_with("/keys") {
            return Some(json!({ "keys": *self.keys.lock().unwrap() }).to_string());
        }
        let (name, rest) = path.split_once('/')?;
        let tenant = match name {
            "common" | "organizations" => "{tenantid}",
            "consumers" => "9188040d-6c67-4c5b-b112-36a304b66dad",
            "contoso.com" | "contoso.onmicrosoft.com" => TENANT,
            guid => guid,
        };
        let (issuer, keys) = match rest.starts_with("v2.0/") {
            true if host.ends_with(".ciamlogin.com") => (
                format!("https://{tenant}.ciamlogin.com/{tenant}/v2.0"),
                format!("https://{tenant}.ciamlogin.com/{tenant}/discovery/v2.0/keys"),
            ),
            true => (
                format!("https://{host}/{tenant}/v2.0"),
                format!("https://{host}/{name}/discovery/v2.0/keys"),
            ),
            false => (
                format!("https://sts.windows.net/{tenant}/"),
                format!("https://{host}/{name}/discovery/keys"),
            ),
        };
        Some(json!({ "issuer": issuer, "jwks_uri": keys }).to_string())
    }
}

#[async_trait]
impl HttpTransport for SignIn {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let address = request.uri().to_string();
        self.requested.lock().unwrap().push(address.clone());
        self.open.subscribe().wait_for(|open| *open).await.unwrap();
        assert!(
            !self.panicking.load(Ordering::SeqCst),
            "a defect of the transport"
        );
        if self.failing.load(Ordering::SeqCst) {
            return Ok(response(503, "down"));
        }
        Ok(match self.body(&address) {
            Some(body) => response(200, &body),
            None => response(404, "{}"),
        })
    }
}

pub(crate) fn clock() -> ManualClock {
    ManualClock::at(Timestamp::from_unix_timestamp(NOW).unwrap())
}

/// A builder with this service and clock, without retries.
pub(crate) fn with_service(
    builder: TokenValidatorBuilder,
    service: &Arc<SignIn>,
    clock: &ManualClock,
) -> TokenValidatorBuilder {
    builder
        .transport(Arc::clone(service))
        .clock(clock.clone())
        .retry_policy(RetryPolicy::once())
}

/// A validator for ID tokens of the tenant and the client.
pub(crate) fn id_token_validator(service: &Arc<SignIn>) -> TokenValidator {
    with_service(TokenValidator::id_tokens(TENANT, CLIENT), service, &clock())
        .build()
        .unwrap()
}

/// A builder of a validator for access tokens, with both identifiers of the API.
pub(crate) fn api_token_validator() -> TokenValidatorBuilder {
    with_service(
        TokenValidator::access_tokens(TENANT, [API, CLIENT]),
        &SignIn::new(),
        &clock(),
    )
}

pub(crate) fn issuer_v2(tenant: &str) -> String {
    format!("https://login.microsoftonline.com/{tenant}/v2.0")
}

pub(crate) fn issuer_v1(tenant: &str) -> String {
    format!("https://sts.windows.net/{tenant}/")
}

/// The claims of an ID token of version 2.
pub(crate) fn id_token() -> Value {
    json!({
        "aud": CLIENT, "iss": issuer_v2(TENANT), "iat": NOW - 300, "nbf": NOW - 300, "exp": NOW + 3600,
        "name": "Adele", "nonce": "n-1", "oid": USER, "preferred_username": "adele@contoso.com",
        "sub": "pairwise", "tid": TENANT, "uti": "u", "ver": "2.0",
    })
}

/// The claims of a user's access token of version 2.
pub(crate) fn user_token() -> Value {
    json!({
        "aud": CLIENT, "iss": issuer_v2(TENANT), "iat": NOW - 300, "nbf": NOW - 300, "exp": NOW + 3600,
        "azp": CALLER, "azpacr": "1", "name": "Adele", "oid": USER, "scp": "Tasks.Read Tasks.Write",
        "sub": "pairwise", "tid": TENANT, "uti": "u", "ver": "2.0",
    })
}

/// The claims of an app-only access token of version 1.
pub(crate) fn app_only_token() -> Value {
    json!({
        "aud": API, "iss": issuer_v1(TENANT), "iat": NOW - 300, "nbf": NOW - 300, "exp": NOW + 3600,
        "appid": CALLER, "appidacr": "2", "idtyp": "app", "oid": USER, "roles": ["Tasks.ReadAll"],
        "sub": USER, "tid": TENANT, "uti": "u", "ver": "1.0",
    })
}

/// The claims with changes; `null` removes a claim.
pub(crate) fn with_changes(mut claims: Value, changes: Value) -> Value {
    let object = claims.as_object_mut().unwrap();
    let Value::Object(changes) = changes else {
        return claims;
    };
    for (name, value) in changes {
        match value {
            Value::Null => drop(object.remove(&name)),
            value => drop(object.insert(name, value)),
        }
    }
    claims
}
