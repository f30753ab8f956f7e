//! Encrypted content, and validation tokens.

use entra_mock::{FakeTenant, NotificationOptions};
use serde_json::{Value, json};

use super::{Fixture, send};
use crate::support::token;

#[tokio::test]
async fn rich_notifications_are_encrypted_and_authenticated() {
    let fixture = Fixture::with(NotificationOptions::documented().synthetic_resource()).await;
    let mut body = fixture.body("synthetic/users", 60);
    body["includeResourceData"] = true.into();
    body["encryptionCertificate"] = certificate().into();
    for (name, value) in [
        ("encryptionCertificateId", Value::Null),
        ("encryptionCertificate", "AAAA".into()),
    ] {
        let mut incomplete = body.clone();
        incomplete["encryptionCertificateId"] = "mine".into();
        incomplete[name] = value;
        assert_eq!(fixture.rejected(&incomplete).await.0, 400);
    }
    body["encryptionCertificateId"] = "mine".into();
    let mut of_users = body.clone();
    of_users["resource"] = "users".into();
    let (status, _, message) = fixture.rejected(&of_users).await;
    assert_eq!(status, 400);
    assert!(
        message.contains("does not support includeResourceData"),
        "{message}"
    );
    let created = fixture.subscribe(&body).await;
    assert_eq!(created["encryptionCertificate"], Value::Null);
    fixture.touch("adele@contoso.com", "canary-7c2e-title");
    fixture.tenant.deliver_due_notifications().await;
    let bodies = fixture.receiver.take();
    assert!(!bodies[0].to_string().contains("canary-7c2e-title"));
    let item = &bodies[0]["value"][0];
    let content = decrypt(&item["encryptedContent"]);
    assert_eq!(content["jobTitle"], "canary-7c2e-title");
    assert_eq!(content["id"], item["resourceData"]["id"]);
    assert!(
        content
            .as_object()
            .unwrap()
            .keys()
            .all(|name| !name.starts_with('~'))
    );
    let tokens = bodies[0]["validationTokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 1);
    let claims = verified(&fixture.tenant, tokens[0].as_str().unwrap()).await;
    assert_eq!(claims["aud"], fixture.app.client_id().to_string());
    assert_eq!(claims["tid"], fixture.tenant.id().to_string());
    assert_eq!(claims["appid"], "0bf30f3b-4a52-48df-9a82-234910c4a086");
    assert_eq!(claims["appidacr"], "2");
    assert_eq!(claims["ver"], "1.0");
    assert_eq!(claims["idp"], claims["iss"]);
    let life = claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap();
    assert_eq!(life, 29_100);
}

#[tokio::test]
async fn an_application_with_v2_tokens_gets_validation_tokens_of_version_2() {
    let fixture = Fixture::new().await;
    let app = fixture
        .tenant
        .register_app("Modern")
        .application_permission("User.Read.All")
        .with_v2_tokens()
        .with_secret();
    let token = token(&fixture.tenant, &app).await;
    let mut body = fixture.body("users", 60);
    body["notificationUrlAppId"] = app.client_id().to_string().into();
    let created = send(
        &fixture.tenant,
        &token,
        "POST",
        "/subscriptions",
        Some(&body),
    )
    .await;
    assert_eq!(created.status, 201, "{}", created.text);
    fixture.touch("adele@contoso.com", "after");
    fixture.tenant.deliver_due_notifications().await;
    let bodies = fixture.receiver.take();
    let token = bodies[0]["validationTokens"][0].as_str().unwrap();
    let claims = verified(&fixture.tenant, token).await;
    assert_eq!(claims["azp"], "0bf30f3b-4a52-48df-9a82-234910c4a086");
    assert_eq!((claims.get("appid"), &claims["ver"]), (None, &json!("2.0")));
    let issuer = format!("{}/{}/v2.0", fixture.tenant.uri(), fixture.tenant.id());
    assert_eq!(claims["iss"], issuer);
    assert_eq!(bodies[0]["value"][0].get("encryptedContent"), None);
}

/// The public part of a test key, as base64 of DER.
fn certificate() -> String {
    without_armour(include_str!("../../../src/keys/client.test-cert.pem"))
}

fn without_armour(pem: &str) -> String {
    pem.lines()
        .filter(|line| !line.starts_with(['#', '-']))
        .collect()
}

/// Verifies and decrypts `encryptedContent` as Microsoft's documentation describes it.
fn decrypt(content: &Value) -> Value {
    use aws_lc_rs::{
        cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey},
        hmac,
        iv::FixedLength,
        rsa::{OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey},
    };
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    let bytes = |name: &str| STANDARD.decode(content[name].as_str().unwrap()).unwrap();
    let key = without_armour(include_str!("../../../src/keys/client.test-key.pem"));
    let key = PrivateDecryptingKey::from_pkcs8(&STANDARD.decode(key).unwrap()).unwrap();
    let key = OaepPrivateDecryptingKey::new(key).unwrap();
    let mut buffer = vec![0; key.min_output_size()];
    let key = key
        .decrypt(&OAEP_SHA1_MGF1SHA1, &bytes("dataKey"), &mut buffer, None)
        .unwrap();
    let mut data = bytes("data");
    let mac = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::verify(&mac, &data, &bytes("dataSignature")).unwrap();
    let iv = FixedLength::<16>::try_from(&key[..16]).unwrap();
    let cipher = UnboundCipherKey::new(&AES_256, key).unwrap();
    let plain = PaddedBlockDecryptingKey::cbc_pkcs7(cipher)
        .unwrap()
        .decrypt(&mut data, DecryptionContext::Iv128(iv))
        .unwrap();
    serde_json::from_slice(plain).unwrap()
}

/// Verifies a token with the keys that the tenant publishes, and returns its claims.
async fn verified(tenant: &FakeTenant, token: &str) -> Value {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use jsonwebtoken::{Algorithm, DecodingKey, crypto::aws_lc::DEFAULT_PROVIDER};

    let parts: Vec<&str> = token.split('.').collect();
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let header: Value = serde_json::from_slice(&decode(parts[0])).unwrap();
    let keys = crate::support::get(&format!("{}/common/discovery/keys", tenant.uri())).await;
    let key = keys.body["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kid"] == header["kid"])
        .expect("a published key");
    let text = |name: &str| key[name].as_str().unwrap();
    let key = DecodingKey::from_rsa_components(text("n"), text("e")).unwrap();
    let verifier = (DEFAULT_PROVIDER.verifier_factory)(&Algorithm::RS256, &key).unwrap();
    let message = format!("{}.{}", parts[0], parts[1]);
    verifier
        .verify(message.as_bytes(), &decode(parts[2]))
        .unwrap();
    serde_json::from_slice(&decode(parts[1])).unwrap()
}
