//! Credentials and proofs of possession, without entra-auth.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use entra_core::{
    AccessToken, ClientId, Clock, CredentialError, CredentialErrorKind, CredentialFactory,
    CredentialMaterial, ManualClock, ProofSigner, Secret, TenantId, Timestamp, TokenCredential,
    TokenRequest,
};
use serde_json::json;

use crate::support::AppCredential;

/// Makes credentials of client secrets and certificates for the fake tenant.
#[derive(Debug)]
pub(super) struct Factory(pub(super) entra_core::Cloud, pub(super) ManualClock);

impl Factory {
    pub(super) fn of(tenant: &entra_mock::FakeTenant) -> Self {
        Self(tenant.cloud(), tenant.clock())
    }
}

/// Its errors have the code of Entra.
#[derive(Debug)]
struct Coded(AppCredential);

#[async_trait::async_trait]
impl TokenCredential for Coded {
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        self.0.token(request).await.map_err(|error| {
            let text = error.to_string();
            let code = text.split("AADSTS").nth(1).unwrap_or_default();
            let digits: String = code.chars().take_while(char::is_ascii_digit).collect();
            let rejected = CredentialError::new(CredentialErrorKind::Rejected, text);
            match digits.parse() {
                Ok(code) => rejected.with_code(code),
                Err(_) => rejected,
            }
        })
    }
}

impl CredentialFactory for Factory {
    fn credential(
        &self,
        tenant: &TenantId,
        client_id: ClientId,
        material: &CredentialMaterial,
    ) -> Result<Arc<dyn TokenCredential>, CredentialError> {
        let credential = match material {
            CredentialMaterial::Secret(secret) => {
                AppCredential::of(&self.0, tenant, client_id, secret.expose_secret())
            }
            // The tests' form of a certificate: that of the certificate, then that of its key.
            CredentialMaterial::Certificate {
                key_and_certificate,
                ..
            } => {
                let pem = key_and_certificate.expose_secret();
                let (certificate, key) = pem.split_once(BETWEEN).unwrap();
                let signer = Signer::new(certificate, key);
                let assertion = signer.assertion(&self.0, tenant, client_id, self.1.now());
                let fields = [
                    (
                        "client_assertion_type",
                        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                    ),
                    ("client_assertion", assertion.as_str()),
                ];
                AppCredential::of_fields(&self.0, tenant, client_id, &fields)
            }
            _ => {
                return Err(CredentialError::new(
                    CredentialErrorKind::Configuration,
                    "no credential",
                ));
            }
        };
        Ok(Arc::new(Coded(credential)))
    }
}

pub(super) fn secret_of(sink: &entra_graph::registration::MemorySink) -> CredentialMaterial {
    let (_, secret) = sink.secrets().last().unwrap();
    CredentialMaterial::Secret(secret.value().clone())
}

/// A certificate with its private key, which proves possession and signs in.
#[derive(Debug)]
pub(super) struct Signer {
    certificate: String,
    key: String,
}

impl Signer {
    fn new(certificate: &str, key: &str) -> Self {
        Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        }
    }

    /// The certificate of the fake tenant's test client.
    pub(super) fn first() -> Self {
        Self::new(
            include_str!("../../../../entra-mock/src/keys/client.test-cert.pem"),
            include_str!("../../../../entra-mock/src/keys/client.test-key.pem"),
        )
    }

    pub(super) fn second() -> Self {
        Self::new(
            include_str!("../../../../entra-mock/src/keys/signing-1.test-cert.pem"),
            include_str!("../../../../entra-mock/src/keys/signing-1.test-key.pem"),
        )
    }

    pub(super) fn certificate(&self) -> &str {
        &self.certificate
    }

    pub(super) fn material(&self) -> CredentialMaterial {
        CredentialMaterial::Certificate {
            key_and_certificate: Secret::from(format!("{}{BETWEEN}{}", self.certificate, self.key)),
            passphrase: None,
        }
    }

    /// A client assertion (RFC 7523).
    fn assertion(
        &self,
        cloud: &entra_core::Cloud,
        tenant: &TenantId,
        client_id: ClientId,
        now: Timestamp,
    ) -> String {
        let encode = |part: serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let x5t = URL_SAFE_NO_PAD.encode(self.sha1_thumbprint());
        let start = now.unix_timestamp();
        let header = encode(json!({"alg": "RS256", "typ": "JWT", "x5t": x5t}));
        let claims = encode(json!({
            "aud": cloud.token_endpoint(tenant).as_str(), "iss": client_id, "sub": client_id,
            "jti": entra_core::Guid::random(&entra_core::SystemRandom).unwrap().to_string(),
            "nbf": start, "exp": start + 600,
        }));
        let unsigned = format!("{header}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(self.sign(unsigned.as_bytes()));
        format!("{unsigned}.{signature}")
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let key = aws_lc_rs::rsa::KeyPair::from_pkcs8(&der(&self.key)).unwrap();
        let mut signature = vec![0; key.public_modulus_len()];
        let random = aws_lc_rs::rand::SystemRandom::new();
        let padding = &aws_lc_rs::signature::RSA_PKCS1_SHA256;
        key.sign(padding, &random, message, &mut signature).unwrap();
        signature
    }
}

#[async_trait::async_trait]
impl ProofSigner for Signer {
    fn sha1_thumbprint(&self) -> [u8; 20] {
        let der = der(&self.certificate);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &der);
        digest.as_ref().try_into().unwrap()
    }

    async fn sign_rs256(&self, message: &[u8]) -> Result<Vec<u8>, CredentialError> {
        Ok(self.sign(message))
    }
}

fn der(pem: &str) -> Vec<u8> {
    let (_, body) = pem.split_once("-----BEGIN").unwrap();
    let (_, body) = body.split_once("-----\n").unwrap();
    let (body, _) = body.split_once("-----END").unwrap();
    let lines: String = body.split_whitespace().collect();
    base64::engine::general_purpose::STANDARD
        .decode(lines)
        .unwrap()
}

/// Between the certificate and its key.
const BETWEEN: &str = "\n=====\n";
