//! Resource data as Graph encrypts it.

use std::sync::LazyLock;

use aws_lc_rs::{
    cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey},
    hmac,
    iv::FixedLength,
    rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PrivateDecryptingKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use entra_graph::notifications::DecryptionKey;
use serde_json::{Value, json};

/// An encryption certificate, with the key of a message encrypted for it.
pub struct Certificate {
    name: &'static str,
    pem: &'static str,
    /// The random padding of RSA-OAEP differs between processes; within one, inputs have the same outcome.
    pub wrapped: Vec<u8>,
}

/// Two certificates, as there are while one is rotated.
pub static CERTIFICATES: LazyLock<[Certificate; 2]> = LazyLock::new(|| {
    [
        Certificate::new(
            "current",
            include_str!("../../../entra-mock/src/keys/signing-1.test-key.pem"),
        ),
        Certificate::new(
            "previous",
            include_str!("../../../entra-mock/src/keys/signing-2.test-key.pem"),
        ),
    ]
});

impl Certificate {
    fn new(name: &'static str, pem: &'static str) -> Self {
        let text: String = pem
            .lines()
            .filter(|line| !line.starts_with(['#', '-']))
            .collect();
        let der = STANDARD.decode(text).expect("base64");
        let key = PrivateDecryptingKey::from_pkcs8(&der)
            .expect("an RSA key")
            .public_key();
        let key = OaepPublicEncryptingKey::new(key).expect("a public key");
        let mut out = vec![0; key.ciphertext_size()];
        let wrapped = key.encrypt(&OAEP_SHA1_MGF1SHA1, &MESSAGE_KEY, &mut out, None);
        let wrapped = wrapped.expect("it encrypts").to_vec();
        Self { name, pem, wrapped }
    }

    pub(crate) fn key(&self) -> DecryptionKey {
        DecryptionKey::from_pem(self.name, self.pem).expect("a key")
    }
}

/// The parts of `encryptedContent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub data: Vec<u8>,
    pub signature: Vec<u8>,
    pub wrapped: Vec<u8>,
    pub certificate: String,
}

impl Sealed {
    /// A text, encrypted for one of the certificates.
    #[must_use]
    pub fn new(plain: &[u8], certificate: usize) -> Self {
        Self::with(&MESSAGE_KEY, plain, certificate)
    }

    /// The same with a key that is not the wrapped one.
    #[must_use]
    pub fn with_another_key(plain: &[u8], certificate: usize) -> Self {
        Self::with(&[8; 32], plain, certificate)
    }

    fn with(key: &[u8; 32], plain: &[u8], certificate: usize) -> Self {
        let certificate = &CERTIFICATES[certificate % 2];
        let cipher = UnboundCipherKey::new(&AES_256, key).expect("a key");
        let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(cipher).expect("a cipher");
        let start = key.first_chunk::<16>().expect("half of it");
        let mut data = plain.to_vec();
        cipher
            .less_safe_encrypt(
                &mut data,
                EncryptionContext::Iv128(FixedLength::from(start)),
            )
            .expect("it encrypts");
        Self {
            signature: sign(key, &data),
            data,
            wrapped: certificate.wrapped.clone(),
            certificate: certificate.name.to_owned(),
        }
    }

    /// Signs whatever the data is now.
    pub fn sign_again(&mut self) {
        self.signature = sign(&MESSAGE_KEY, &self.data);
    }

    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "data": STANDARD.encode(&self.data),
            "dataSignature": STANDARD.encode(&self.signature),
            "dataKey": STANDARD.encode(&self.wrapped),
            "encryptionCertificateId": self.certificate,
            "encryptionCertificateThumbprint": "6FC2E5B1F3C1A4D2B7E8C9D0A1B2C3D4E5F60718",
        })
    }
}

fn sign(key: &[u8], data: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data)
        .as_ref()
        .to_vec()
}

const MESSAGE_KEY: [u8; 32] = *b"the key of every message, halved";
