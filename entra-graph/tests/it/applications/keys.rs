//! Certificates of applications and service principals, against the fake tenant.

use std::time::Duration;

use async_trait::async_trait;
use entra_core::{CredentialError, CredentialErrorKind, ProofSigner, ScriptedTransport};
use entra_graph::{
    Application, CertificateId, ErrorKind, GraphClient, Key, NewApplication, NewCertificate,
    NewServicePrincipal, NewSigningKey, ServicePrincipal, types::KeyCredential,
};
use entra_mock::FakeTenant;
use serde_json::{Value, json};

use super::{create, writer};
use crate::scripts::client;

async fn application() -> (FakeTenant, GraphClient, Application) {
    let (tenant, graph) = writer().await;
    let app = create(&graph, "Shop").await;
    (tenant, graph, app)
}

fn certificate(tenant: &FakeTenant) -> NewCertificate {
    NewCertificate::from_pem(&tenant.test_certificate_pem()).unwrap()
}

/// Signs with the private key of the tenant's certificate, as a key vault does.
#[derive(Debug)]
struct Vault {
    pem: String,
}

#[async_trait]
impl ProofSigner for Vault {
    fn sha1_thumbprint(&self) -> [u8; 20] {
        [0; 20]
    }

    async fn sign_rs256(&self, message: &[u8]) -> Result<Vec<u8>, CredentialError> {
        use aws_lc_rs::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
        use base64::{Engine as _, engine::general_purpose::STANDARD};

        let (_, rest) = self.pem.split_once("-----BEGIN PRIVATE KEY-----").unwrap();
        let (body, _) = rest.split_once("-----END PRIVATE KEY-----").unwrap();
        let body: String = body.split_whitespace().collect();
        let key = KeyPair::from_pkcs8(&STANDARD.decode(body).unwrap()).unwrap();
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            message,
            &mut signature,
        )
        .unwrap();
        Ok(signature)
    }
}

/// A signer without the private key, or without any.
#[derive(Debug)]
struct WithoutKey(Option<&'static [u8]>);

#[async_trait]
impl ProofSigner for WithoutKey {
    fn sha1_thumbprint(&self) -> [u8; 20] {
        [0; 20]
    }

    async fn sign_rs256(&self, _: &[u8]) -> Result<Vec<u8>, CredentialError> {
        let unreachable =
            || CredentialError::new(CredentialErrorKind::Transient, "the vault does not respond");
        self.0.map(<[u8]>::to_vec).ok_or_else(unreachable)
    }
}

#[tokio::test]
async fn the_first_certificate_is_uploaded_and_read_back() {
    let (tenant, graph, app) = application().await;
    let one = graph.application(&app.id);
    let uploaded = one
        .upload_first_certificate(certificate(&tenant).named("first"))
        .await
        .unwrap();
    assert_eq!(uploaded.display_name.as_deref(), Some("first"));
    assert_eq!(uploaded.usage.as_deref(), Some("Verify"));
    assert!(uploaded.key_id.is_some() && uploaded.key.is_some());
    let again = one.upload_first_certificate(certificate(&tenant)).await;
    assert_eq!(again.unwrap_err().kind(), ErrorKind::Query);
}

#[tokio::test]
async fn the_first_certificate_waits_for_replicas_of_a_new_application() {
    let (tenant, graph, _) = application().await;
    tenant.set_replication_delay(std::time::Duration::from_secs(10));
    for number in 0..5 {
        let new = NewApplication::new(&format!("New {number}"));
        let app = graph.applications().create(new).send().await.unwrap();
        let one = graph.application(&app.id);
        let uploaded = one.upload_first_certificate(certificate(&tenant)).await;
        assert!(uploaded.unwrap().key_id.is_some());
    }
}

#[tokio::test]
async fn expired_credentials_do_not_keep_a_first_certificate_out() {
    let (tenant, graph, app) = application().await;
    let one = graph.application(&app.id);
    let times = ("2019-01-01T00:00:00Z", "2020-01-01T00:00:00Z");
    let old = serde_json::json!({
        "keyId": "0f3c1c5e-6d0b-4a2b-9a53-3f0d7c8f9b10", "displayName": "old",
        "startDateTime": times.0, "endDateTime": times.1,
    });
    let mut old_key = old.clone();
    for (name, value) in [
        ("type", "AsymmetricX509Cert"),
        ("usage", "Verify"),
        ("key", "AAAA"),
    ] {
        old_key[name] = value.into();
    }
    for (property, credential) in [("keyCredentials", old_key), ("passwordCredentials", old)] {
        let credentials = serde_json::json!([credential]);
        tenant
            .set_property("applications", &app.id, property, credentials)
            .unwrap();
    }
    let new = certificate(&tenant).named("new");
    let uploaded = one.upload_first_certificate(new).await.unwrap();
    assert_eq!(uploaded.display_name.as_deref(), Some("new"));
    let read = one.get().select(Application::KEY_CREDENTIALS);
    let listed = read.send().await.unwrap().key_credentials.unwrap();
    assert_eq!(listed, [uploaded]);
}

#[tokio::test]
async fn two_keys_that_are_added_at_once_are_both_there() {
    let (tenant, graph, app) = application().await;
    let one = graph.application(&app.id);
    let vault = Vault {
        pem: tenant.test_certificate_pem(),
    };
    one.upload_first_certificate(certificate(&tenant))
        .await
        .unwrap();
    let names: Vec<String> = (0..8).map(|number| format!("key {number}")).collect();
    let add = |name: &String| {
        let request = one.add_key(certificate(&tenant).named(name), &vault);
        async move { request.send().await }
    };
    for added in futures_util::future::join_all(names.iter().map(add)).await {
        added.unwrap();
    }
    let read = one.get().select(Application::KEY_CREDENTIALS);
    let listed = read.send().await.unwrap().key_credentials.unwrap();
    for name in names {
        let has_name = |key: &KeyCredential| key.display_name.as_ref() == Some(&name);
        assert!(listed.iter().any(has_name), "{name}");
    }
    assert_eq!(listed.len(), 9);
}

#[tokio::test]
async fn a_certificate_can_be_used_for_less_than_its_own_validity() {
    let (tenant, graph, app) = application().await;
    let one = graph.application(&app.id);
    let now = entra_core::Clock::now(&tenant.clock());
    let (start, end) = (now, now + Duration::from_secs(90 * 86_400));
    let limited = || certificate(&tenant).starts(start).expires(end);
    let first = one.upload_first_certificate(limited()).await.unwrap();
    assert_eq!(first.start_date_time, Some(start));
    assert_eq!(first.end_date_time, Some(end));
    let vault = Vault {
        pem: tenant.test_certificate_pem(),
    };
    let next = limited().named("next");
    one.add_key(next, &vault).send().await.unwrap();
    let read = one.get().select(Application::KEY_CREDENTIALS);
    let listed = read.send().await.unwrap().key_credentials.unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|one| one.end_date_time == Some(end)));
}

#[tokio::test]
async fn a_key_is_added_and_removed_with_a_proof_that_the_caller_signs() {
    let (tenant, graph, app) = application().await;
    let by_id = graph.application(&app.id);
    let by_app_id = graph.application(Key::app_id(app.app_id.unwrap()));
    let vault = Vault {
        pem: tenant.test_certificate_pem(),
    };
    let first = by_id
        .upload_first_certificate(certificate(&tenant))
        .await
        .unwrap();
    let second = certificate(&tenant).named("second");
    by_id.add_key(second, &vault).send().await.unwrap();
    let listed = by_id.get().select(Application::KEY_CREDENTIALS);
    let listed = listed.send().await.unwrap().key_credentials.unwrap();
    let names: Vec<_> = listed
        .iter()
        .filter_map(|key| key.display_name.as_deref())
        .collect();
    assert!(names.contains(&"second"), "{names:?}");
    // The proof names the object id, which this handle has to read first.
    let id: CertificateId = first.key_id.unwrap().parse().unwrap();
    by_app_id.remove_key(id, &vault).send().await.unwrap();
    let listed = by_id.get().select(Application::KEY_CREDENTIALS);
    let listed = listed.send().await.unwrap();
    assert_eq!(listed.key_credentials.unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_of_a_service_principal_is_added_and_removed_with_a_proof() {
    let (tenant, graph, app) = application().await;
    let app_id = app.app_id.unwrap();
    let principals = graph.service_principals();
    let new = NewServicePrincipal::of(&app_id);
    let principal = principals.create(new).send().await.unwrap();
    let by_id = graph.service_principal(&principal.id);
    let by_app_id = graph.service_principal(Key::app_id(app_id));
    let first = by_id.upload_first_certificate(certificate(&tenant)).await;
    assert_eq!(first.unwrap().usage.as_deref(), Some("Verify"));
    // A second one takes a proof.
    let again = by_id.upload_first_certificate(certificate(&tenant)).await;
    let again = again.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Query);
    assert!(
        again
            .to_string()
            .contains("the service principal has credentials already"),
        "{again}"
    );
    let vault = Vault {
        pem: tenant.test_certificate_pem(),
    };
    let second = certificate(&tenant).named("second");
    by_app_id.add_key(second, &vault).send().await.unwrap();
    let listed = by_id.get().select(ServicePrincipal::KEY_CREDENTIALS);
    let listed = listed.send().await.unwrap().key_credentials.unwrap();
    let added = listed
        .iter()
        .find(|key| key.display_name.as_deref() == Some("second"))
        .unwrap();
    assert_eq!(listed.len(), 2);
    let id: CertificateId = added.key_id.as_ref().unwrap().parse().unwrap();
    by_id.remove_key(id, &vault).send().await.unwrap();
    let listed = by_id.get().select(ServicePrincipal::KEY_CREDENTIALS);
    let listed = listed.send().await.unwrap().key_credentials.unwrap();
    assert_eq!(listed.len(), 1);
    assert_ne!(listed[0].display_name.as_deref(), Some("second"));
}

#[tokio::test]
async fn a_signing_key_is_sent_with_its_password_beside_it() {
    let script = ScriptedTransport::new().then(200, &[], "{}");
    let graph = client(script.clone());
    let app = graph.application("11111111-1111-1111-1111-111111111111");
    let key = NewSigningKey::from_pfx(b"abc", "canary").named("signing");
    let request = app.add_signing_key(key, &WithoutKey(Some(b"signature")));
    request.send().await.unwrap();
    let sent: Value = serde_json::from_slice(script.requests()[0].body()).unwrap();
    assert_eq!(
        sent["keyCredential"],
        json!({
            "displayName": "signing",
            "key": "YWJj",
            "type": "X509CertAndPassword",
            "usage": "Sign",
        })
    );
    assert_eq!(
        sent["passwordCredential"],
        json!({ "secretText": "canary" })
    );
    assert!(sent["proof"].is_string());
}

#[tokio::test]
async fn an_invalid_proof_adds_no_key() {
    let (tenant, graph, app) = application().await;
    let one = graph.application(&app.id);
    one.upload_first_certificate(certificate(&tenant))
        .await
        .unwrap();
    let forger = WithoutKey(Some(b"canary-signature"));
    let request = one.add_key(certificate(&tenant), &forger);
    let error = request.send().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(401));
    assert!(!format!("{error:?}").contains("Y2FuYXJ5"));
}

#[tokio::test]
async fn a_key_that_cannot_sign_sends_nothing() {
    let (tenant, graph, app) = application().await;
    let before = tenant.requests().to("/applications").count();
    let request = graph.application(&app.id);
    let request = request.add_key(certificate(&tenant), &WithoutKey(None));
    let error = request.send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credential);
    let cause = error.credential().unwrap();
    assert_eq!(cause.to_string(), "the vault does not respond");
    assert_eq!(tenant.requests().to("/applications").count(), before);
}

#[test]
fn debug_of_a_certificate_shows_no_bytes_that_may_be_a_key() {
    // The outermost elements of a certificate, which are MAwwCqADAgECBANhYmM= in base64.
    let der = [&[0x30, 12, 0x30, 10, 0xa0, 3, 2, 1, 2, 4, 3][..], b"abc"].concat();
    let shown = format!(
        "{:?}",
        NewCertificate::from_der(&der).unwrap().named("deploy")
    );
    assert!(!shown.contains("BANhYmM"), "{shown}");
    assert!(shown.contains("deploy"), "{shown}");
}

#[test]
fn a_private_key_by_mistake_is_not_sent_as_a_certificate() {
    let key = [&[0x30, 13, 2, 1, 0, 4, 8][..], b"canary!!"].concat();
    let error = NewCertificate::from_der(&key).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query);
    assert!(!format!("{error:?}").contains("canary"));
    // In base64, and under the label of a certificate.
    let pem = "-----BEGIN CERTIFICATE-----\nMA0CAQAECGNhbmFyeSEh\n-----END CERTIFICATE-----\n";
    let error = NewCertificate::from_pem(pem).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query);
    assert!(!format!("{error:?}").contains("GNhbmFyeSEh"));
}
