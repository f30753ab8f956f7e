//! Builds the requests that Graph sends, from the documented shapes. It shares no code with the receiver.

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use async_trait::async_trait;
use aws_lc_rs::{
    cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey},
    encoding::{AsDer, Pkcs8V1Der},
    hmac,
    iv::FixedLength,
    rand::SystemRandom,
    rsa::{
        KeyPair as RsaKeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey,
        PrivateDecryptingKey,
    },
    signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use entra_core::{
    JwtError, JwtErrorKind, JwtVerifier, ManualClock, Timestamp, bytes::Bytes, http::Method,
};
use entra_graph::notifications::{DecryptionKey, Receiver, ReceiverBuilder, Verified};
use serde_json::{Map, Value, json};

pub(super) const CLIENT_STATE: &str = "canary-kZ0xQ1vJ5nW8";
pub(super) const CLIENT: &str = "11111111-1111-1111-1111-111111111111";
pub(super) const TENANT: &str = "22222222-2222-2222-2222-222222222222";
pub(super) const SUBSCRIPTION: &str = "7f105c7d-2dc5-4530-97cd-4e7ae6534c07";
pub(super) const USER: &str = "33333333-3333-3333-3333-333333333333";
pub(super) const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";
/// 2026-12-01T00:00:00Z
pub(super) const NOW: i64 = 1_796_083_200;

/// The key pair of an encryption certificate.
pub(super) struct Certificate {
    public: OaepPublicEncryptingKey,
    pub(super) pkcs8: Vec<u8>,
}

pub(super) static CERTIFICATES: LazyLock<[Certificate; 2]> =
    LazyLock::new(|| [Certificate::generate(), Certificate::generate()]);
static SIGNING_KEY: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());

impl Certificate {
    fn generate() -> Self {
        let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
        let public = OaepPublicEncryptingKey::new(key.public_key()).unwrap();
        let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
        Self {
            public,
            pkcs8: der.as_ref().to_vec(),
        }
    }

    fn wrap(&self, key: &[u8]) -> Vec<u8> {
        let mut out = vec![0; self.public.ciphertext_size()];
        let wrapped = self
            .public
            .encrypt(&OAEP_SHA1_MGF1SHA1, key, &mut out, None);
        wrapped.unwrap().to_vec()
    }
}

/// The decryption key of one of the certificates, by the name under which notifications have it.
pub(super) fn key(index: usize) -> DecryptionKey {
    DecryptionKey::from_pkcs8(name(index), &CERTIFICATES[index].pkcs8).unwrap()
}

pub(super) fn name(index: usize) -> String {
    format!("certificate-{index}")
}

/// A change notification about a user, as Graph sends it without resource data.
pub(super) fn basic() -> Value {
    json!({
        "subscriptionId": SUBSCRIPTION,
        "subscriptionExpirationDateTime": "2026-12-10T11:00:00.0000000Z",
        "clientState": CLIENT_STATE,
        "changeType": "updated",
        "resource": format!("Users/{USER}"),
        "tenantId": TENANT,
        "resourceData": {
            "@odata.type": "#Microsoft.Graph.User",
            "@odata.id": format!("Users/{USER}"),
            "id": USER,
            "organizationId": TENANT
        }
    })
}

/// A lifecycle notification.
pub(super) fn lifecycle(event: &str) -> Value {
    json!({
        "subscriptionId": SUBSCRIPTION,
        "subscriptionExpirationDateTime": "2026-12-10T11:00:00.0000000Z",
        "tenantId": TENANT,
        "clientState": CLIENT_STATE,
        "lifecycleEvent": event
    })
}

/// A change notification with resource data for one of the certificates.
pub(super) fn encrypted(index: usize, resource: &Value) -> Value {
    let mut key = [0; 32];
    aws_lc_rs::rand::fill(&mut key).unwrap();
    let wrapped = CERTIFICATES[index].wrap(&key);
    with_content(
        index,
        &encrypt(&key, &key[..16], resource.to_string().as_bytes()),
        &key,
        &wrapped,
    )
}

/// The same, with a symmetric key that may be of another length.
pub(super) fn encrypted_with(index: usize, key: &[u8], plain: &[u8]) -> Value {
    let wrapped = CERTIFICATES[index].wrap(key);
    let mut full = [7; 32];
    full[..key.len().min(32)].copy_from_slice(&key[..key.len().min(32)]);
    with_content(index, &encrypt(&full, &full[..16], plain), key, &wrapped)
}

/// The same with bytes that were not encrypted, but are signed.
pub(super) fn signed_garbage(index: usize, data: &[u8]) -> Value {
    let key = [9; 32];
    with_content(index, data, &key, &CERTIFICATES[index].wrap(&key))
}

fn with_content(index: usize, data: &[u8], key: &[u8], wrapped: &[u8]) -> Value {
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data);
    let mut item = basic();
    item["resource"] = json!("teams('fbe2')/channels('19:4a95')/messages('1565')");
    item["resourceData"] = json!({ "@odata.type": "#Microsoft.Graph.ChatMessage", "id": "1565" });
    item["encryptedContent"] = json!({
        "data": STANDARD.encode(data),
        "dataSignature": STANDARD.encode(signature),
        "dataKey": STANDARD.encode(wrapped),
        "encryptionCertificateId": name(index),
        "encryptionCertificateThumbprint": "6FC2E5B1F3C1A4D2B7E8C9D0A1B2C3D4E5F60718"
    });
    item
}

fn encrypt(key: &[u8; 32], iv: &[u8], plain: &[u8]) -> Vec<u8> {
    let key = UnboundCipherKey::new(&AES_256, key).unwrap();
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).unwrap();
    let mut data = plain.to_vec();
    let iv = FixedLength::<16>::try_from(iv).unwrap();
    key.less_safe_encrypt(&mut data, EncryptionContext::Iv128(iv))
        .unwrap();
    data
}

/// The claims of a validation token in the first version, as documented.
pub(super) fn claims() -> Value {
    json!({
        "aud": CLIENT,
        "iss": format!("https://sts.windows.net/{TENANT}/"),
        "iat": NOW - 60, "nbf": NOW - 60, "exp": NOW + 29_100,
        "appid": PUBLISHER, "appidacr": "2",
        "idp": format!("https://sts.windows.net/{TENANT}/"),
        "tid": TENANT, "ver": "1.0"
    })
}

pub(super) fn token(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!(
        "{}.{}",
        part(&json!({ "alg": "RS256", "typ": "JWT", "kid": "1" })),
        part(claims)
    );
    let mut signature = vec![0; SIGNING_KEY.public_modulus_len()];
    let random = SystemRandom::new();
    SIGNING_KEY
        .sign(
            &RSA_PKCS1_SHA256,
            &random,
            signed.as_bytes(),
            &mut signature,
        )
        .unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

pub(super) fn body(items: &[Value]) -> Bytes {
    Bytes::from(json!({ "value": items }).to_string())
}

pub(super) fn body_with_tokens(items: &[Value], tokens: &[String]) -> Bytes {
    Bytes::from(json!({ "value": items, "validationTokens": tokens }).to_string())
}

/// Verifies tokens by the signing key, which it fetches once.
#[derive(Clone, Debug, Default)]
pub(super) struct Verifier {
    pub(super) is_down: Arc<AtomicBool>,
    pub(super) verified: Arc<AtomicU64>,
}

#[async_trait]
impl JwtVerifier for Verifier {
    async fn verify(&self, jwt: &str) -> Result<Map<String, Value>, JwtError> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(JwtError::new(JwtErrorKind::Unavailable, "no keys"));
        }
        self.verified.fetch_add(1, Ordering::Relaxed);
        claims_of(jwt).ok_or_else(|| JwtError::new(JwtErrorKind::Invalid, "the token is invalid"))
    }
}

fn claims_of(jwt: &str) -> Option<Map<String, Value>> {
    let (signed, signature) = jwt.rsplit_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    UnparsedPublicKey::new(
        &RSA_PKCS1_2048_8192_SHA256,
        SIGNING_KEY.public_key().as_ref(),
    )
    .verify(signed.as_bytes(), &signature)
    .ok()?;
    let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
    let claims: Map<String, Value> = serde_json::from_slice(&claims).ok()?;
    let expires = claims.get("exp").and_then(Value::as_i64)?;
    (expires > NOW).then_some(claims)
}

pub(super) fn clock() -> ManualClock {
    ManualClock::at(Timestamp::from_unix_timestamp(NOW).unwrap())
}

pub(super) fn builder() -> ReceiverBuilder {
    Receiver::builder(CLIENT_STATE).clock(clock())
}

/// A receiver of resource data for both certificates.
pub(super) fn decrypting(verifier: &Verifier) -> Receiver {
    builder()
        .decryption_key(key(0))
        .decryption_key(key(1))
        .validation_tokens(verifier.clone(), [CLIENT])
        .build()
        .unwrap()
}

/// Posts a body, expects 202, and verifies what it carried.
pub(super) async fn deliver(receiver: &Receiver, body: Bytes) -> Verified {
    let received = receiver.respond(&Method::POST, None, body);
    assert_eq!(received.response.status(), 202);
    receiver.verify(&received.delivery.unwrap()).await.unwrap()
}
