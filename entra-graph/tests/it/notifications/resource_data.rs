//! Notifications with resource data: validation tokens, signatures, decryption, rotation.

use std::sync::atomic::Ordering;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use entra_core::{JwtErrorKind, http::Method};
use entra_graph::{
    ErrorKind,
    notifications::{DecryptionKey, NotificationEvent, RejectionReason, ResourceContent, Verified},
};
use serde_json::{Value, json};

use super::publisher::{
    CERTIFICATES, CLIENT, NOW, PUBLISHER, TENANT, Verifier, basic, body, body_with_tokens, builder,
    claims, decrypting, deliver, encrypted, encrypted_with, key, name, signed_garbage, token,
};

fn message() -> Value {
    json!({ "@odata.type": "#Microsoft.Graph.ChatMessage", "id": "1565", "body": { "content": "canary-of-a-message" } })
}

fn contents(verified: &Verified) -> Vec<ResourceContent> {
    let content = |event: &NotificationEvent| match event {
        NotificationEvent::Change(change) => change.content.clone(),
        _ => None,
    };
    verified.accepted.iter().filter_map(content).collect()
}

fn only_reason(verified: Verified) -> RejectionReason {
    assert!(verified.accepted.is_empty(), "{verified:?}");
    let reasons: Vec<RejectionReason> = verified.rejected.into_keys().collect();
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    reasons[0]
}

#[tokio::test]
async fn resource_data_is_decrypted() {
    let receiver = decrypting(&Verifier::default());
    let verified = deliver(
        &receiver,
        body_with_tokens(&[encrypted(0, &message())], &[token(&claims())]),
    )
    .await;
    let contents = contents(&verified);
    assert_eq!(contents[0].read::<Value>().unwrap(), message());
    assert_eq!(contents[0].as_bytes(), message().to_string().as_bytes());
    assert_eq!(
        contents[0].read::<Vec<u8>>().unwrap_err().kind(),
        ErrorKind::Decode
    );
    let text = format!("{verified:?}");
    assert!(
        text.contains("ResourceContent(") && !text.contains("canary"),
        "{text}"
    );
}

#[tokio::test]
async fn tokens_of_the_second_version_are_accepted() {
    let receiver = decrypting(&Verifier::default());
    let mut claims = claims();
    claims["iss"] = json!(format!("https://login.microsoftonline.com/{TENANT}/v2.0"));
    claims["ver"] = json!("2.0");
    claims["azp"] = claims["appid"].take();
    claims.as_object_mut().unwrap().remove("appid");
    let verified = deliver(
        &receiver,
        body_with_tokens(&[encrypted(0, &message())], &[token(&claims)]),
    )
    .await;
    assert_eq!(contents(&verified).len(), 1);
}

#[tokio::test]
async fn every_certificate_of_a_rotation_decrypts_its_own() {
    let receiver = decrypting(&Verifier::default());
    let items = [encrypted(1, &message()), encrypted(0, &message())];
    let verified = deliver(&receiver, body_with_tokens(&items, &[token(&claims())])).await;
    assert_eq!(contents(&verified).len(), 2);

    let only_new = builder()
        .decryption_key(key(1))
        .validation_tokens(Verifier::default(), [CLIENT])
        .build()
        .unwrap();
    let old = [encrypted(0, &message())];
    let verified = deliver(&only_new, body_with_tokens(&old, &[token(&claims())])).await;
    assert_eq!(only_reason(verified), RejectionReason::UnknownCertificate);
    let mut renamed = encrypted(0, &message());
    renamed["encryptedContent"]["encryptionCertificateId"] = json!(name(1));
    let verified = deliver(&only_new, body_with_tokens(&[renamed], &[token(&claims())])).await;
    assert_eq!(only_reason(verified), RejectionReason::Content);
}

#[tokio::test]
async fn content_with_one_bit_changed_anywhere_is_rejected() {
    let receiver = decrypting(&Verifier::default());
    let tokens = [token(&claims())];
    for part in ["data", "dataSignature", "dataKey"] {
        let good = encrypted(0, &message());
        let bytes = STANDARD
            .decode(good["encryptedContent"][part].as_str().unwrap())
            .unwrap();
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let mut item = good.clone();
            item["encryptedContent"][part] = json!(STANDARD.encode(changed));
            let verified = deliver(&receiver, body_with_tokens(&[item], &tokens)).await;
            assert_eq!(
                only_reason(verified),
                RejectionReason::Content,
                "{part} {at}"
            );
        }
        for broken in [
            json!(""),
            json!("no base64 !"),
            json!(STANDARD.encode(&bytes[1..])),
        ] {
            let mut item = good.clone();
            item["encryptedContent"][part] = broken.clone();
            let verified = deliver(&receiver, body_with_tokens(&[item], &tokens)).await;
            assert_eq!(
                only_reason(verified),
                RejectionReason::Content,
                "{part} {broken}"
            );
        }
        assert_eq!(
            contents(&deliver(&receiver, body_with_tokens(&[good], &tokens)).await).len(),
            1
        );
    }
}

#[tokio::test]
async fn keys_of_another_length_and_signed_garbage_are_rejected() {
    let receiver = decrypting(&Verifier::default());
    let tokens = [token(&claims())];
    let good = encrypted_with(0, &[3; 32], b"{}");
    assert_eq!(
        contents(&deliver(&receiver, body_with_tokens(&[good], &tokens)).await).len(),
        1
    );
    let broken = [
        encrypted_with(0, &[3; 16], b"{}"),
        encrypted_with(0, &[3; 24], b"{}"),
        encrypted_with(0, &[3; 31], b"{}"),
        encrypted_with(0, &[3; 33], b"{}"),
        signed_garbage(0, b""),
        signed_garbage(0, b"not a block"),
        signed_garbage(0, &[5; 32]),
    ];
    for (at, item) in broken.into_iter().enumerate() {
        let verified = deliver(&receiver, body_with_tokens(&[item], &tokens)).await;
        assert_eq!(only_reason(verified), RejectionReason::Content, "{at}");
    }
}

#[tokio::test]
async fn resource_data_without_a_token_for_its_tenant_is_rejected() {
    let receiver = decrypting(&Verifier::default());
    let verified = deliver(&receiver, body(&[encrypted(0, &message())])).await;
    assert_eq!(only_reason(verified), RejectionReason::TokenMissing);
    let mut elsewhere = claims();
    elsewhere["tid"] = json!(CLIENT);
    let tokens = [token(&elsewhere)];
    let verified = deliver(
        &receiver,
        body_with_tokens(&[encrypted(0, &message())], &tokens),
    )
    .await;
    assert_eq!(only_reason(verified), RejectionReason::TokenMissing);
    let mut nowhere = encrypted(0, &message());
    nowhere.as_object_mut().unwrap().remove("tenantId");
    let verified = deliver(&receiver, body_with_tokens(&[nowhere], &[token(&claims())])).await;
    assert_eq!(only_reason(verified), RejectionReason::TokenMissing);
    // One without resource data needs none.
    let both = [basic(), encrypted(0, &message())];
    let verified = deliver(&receiver, body_with_tokens(&both, &tokens)).await;
    assert_eq!((verified.accepted.len(), contents(&verified).len()), (1, 0));
}

#[tokio::test]
async fn one_invalid_token_rejects_all_notifications_of_its_request() {
    let receiver = decrypting(&Verifier::default());
    let good = token(&claims());
    let altered = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        token(&claims)
    };
    let cut = &good[..good.len() - 4];
    let invalid = [
        altered("aud", json!(TENANT)),
        altered("appid", json!(CLIENT)),
        altered("appid", Value::Null),
        altered("azp", json!(CLIENT)),
        altered("tid", json!("common")),
        altered("exp", json!(NOW)),
        cut.to_owned(),
        format!("{good}AAAA"),
        good.replacen('.', "..", 1),
        String::new(),
    ];
    for (at, token) in invalid.into_iter().enumerate() {
        for tokens in [
            vec![token.clone()],
            vec![good.clone(), token.clone()],
            vec![token, good.clone()],
        ] {
            let items = [encrypted(0, &message()), basic()];
            let verified = deliver(&receiver, body_with_tokens(&items, &tokens)).await;
            assert_eq!(verified.rejected_count(), 2, "{at}");
            assert_eq!(only_reason(verified), RejectionReason::TokenInvalid, "{at}");
        }
    }
    assert!(good.contains('.') && PUBLISHER.len() == 36);
}

#[tokio::test]
async fn notifications_of_several_tenants_need_a_token_each() {
    let receiver = decrypting(&Verifier::default());
    let mut second = encrypted(0, &message());
    second["tenantId"] = json!(CLIENT);
    let mut other = claims();
    other["tid"] = json!(CLIENT);
    let items = [encrypted(0, &message()), second.clone()];
    let verified = deliver(&receiver, body_with_tokens(&items, &[token(&claims())])).await;
    assert_eq!(
        (
            contents(&verified).len(),
            verified.rejected[&RejectionReason::TokenMissing]
        ),
        (1, 1)
    );
    let both = [token(&claims()), token(&other)];
    let verified = deliver(&receiver, body_with_tokens(&[second], &both)).await;
    assert_eq!(contents(&verified).len(), 1);
}

#[tokio::test]
async fn notifications_of_a_hundred_tenants_are_accepted_with_a_hundred_tokens() {
    let receiver = decrypting(&Verifier::default());
    let mut items = Vec::new();
    let mut tokens = Vec::new();
    for number in 0..100 {
        let tenant = format!("22222222-2222-2222-2222-{number:012}");
        let mut item = encrypted(0, &message());
        item["tenantId"] = json!(tenant);
        items.push(item);
        let mut of_tenant = claims();
        of_tenant["tid"] = json!(tenant);
        tokens.push(token(&of_tenant));
    }
    let verified = deliver(&receiver, body_with_tokens(&items, &tokens)).await;
    assert_eq!(
        (contents(&verified).len(), verified.rejected_count()),
        (100, 0)
    );
}

#[tokio::test]
async fn tokens_are_not_verified_for_a_sender_without_the_client_state() {
    let verifier = Verifier::default();
    let receiver = decrypting(&verifier);
    let mut forged = encrypted(0, &message());
    forged["clientState"] = json!("guessed");
    let tokens = vec![token(&claims()); 3];
    let verified = deliver(&receiver, body_with_tokens(&[forged], &tokens)).await;
    assert_eq!(only_reason(verified), RejectionReason::ClientState);
    assert_eq!(verifier.verified.load(Ordering::Relaxed), 0);
    // One for each application and tenant can be many.
    let many = vec![token(&claims()); 65];
    let verified = deliver(&receiver, body_with_tokens(&[basic()], &many)).await;
    assert_eq!(verified.accepted.len(), 1);
}

#[tokio::test]
async fn a_copy_of_resource_data_is_rejected_in_any_envelope() {
    let receiver = decrypting(&Verifier::default());
    let tokens = [token(&claims())];
    let one = encrypted(0, &message());
    assert_eq!(
        contents(
            &deliver(
                &receiver,
                body_with_tokens(std::slice::from_ref(&one), &tokens)
            )
            .await
        )
        .len(),
        1
    );
    let mut renamed = one.clone();
    renamed["id"] = json!("another");
    renamed["subscriptionId"] = json!(CLIENT);
    renamed["resource"] = json!("elsewhere");
    for item in [one, renamed] {
        let verified = deliver(&receiver, body_with_tokens(&[item], &tokens)).await;
        assert_eq!(only_reason(verified), RejectionReason::Duplicate);
    }
}

#[tokio::test]
async fn without_signing_keys_a_delivery_can_be_verified_later() {
    let verifier = Verifier::default();
    let receiver = decrypting(&verifier);
    let request = body_with_tokens(&[encrypted(0, &message())], &[token(&claims())]);
    let delivery = receiver
        .respond(&Method::POST, None, request)
        .delivery
        .unwrap();
    verifier.is_down.store(true, Ordering::Relaxed);
    let error = receiver.verify(&delivery).await.unwrap_err();
    assert_eq!(error.kind(), JwtErrorKind::Unavailable);
    verifier.is_down.store(false, Ordering::Relaxed);
    assert_eq!(
        contents(&receiver.verify(&delivery).await.unwrap()).len(),
        1
    );
}

#[test]
fn only_an_rsa_key_in_pkcs8_decrypts() {
    let good = &CERTIFICATES[0].pkcs8;
    let pem = |label: &str, der: &[u8]| {
        let text = STANDARD.encode(der);
        let lines: Vec<&str> = (0..text.len())
            .step_by(64)
            .map(|at| &text[at..(at + 64).min(text.len())])
            .collect();
        format!(
            "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
            lines.join("\n")
        )
    };
    let key = DecryptionKey::from_pem("2026", pem("PRIVATE KEY", good)).unwrap();
    assert_eq!(key.id(), "2026");
    assert_eq!(format!("{key:?}"), r#"DecryptionKey { id: "2026", .. }"#);
    let elliptic = aws_lc_rs::signature::EcdsaKeyPair::generate_pkcs8(
        &aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1_SIGNING,
        &aws_lc_rs::rand::SystemRandom::new(),
    )
    .unwrap();
    for der in [elliptic.as_ref(), &good[..good.len() - 1], b""] {
        let error = DecryptionKey::from_pkcs8("2026", der).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
    assert!(DecryptionKey::from_pem("2026", pem("RSA PRIVATE KEY", good)).is_err());
    assert!(DecryptionKey::from_pem("2026", pem("ENCRYPTED PRIVATE KEY", good)).is_err());
    assert!(DecryptionKey::from_pkcs8("", good).is_err());
    assert!(DecryptionKey::from_pkcs8("a".repeat(129), good).is_err());
}
