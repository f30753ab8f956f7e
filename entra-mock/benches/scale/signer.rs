//! The signature that a token has, without anything else.

use aws_lc_rs::{rand::SystemRandom, rsa, signature};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Signs with a key of the fake tenant.
pub(crate) struct Signer {
    key: rsa::KeyPair,
    random: SystemRandom,
}

impl Signer {
    pub(crate) fn new() -> Self {
        let pem = include_str!("../../src/keys/signing-1.test-key.pem");
        let body: String = pem
            .lines()
            .filter(|line| !line.starts_with(['#', '-']))
            .collect();
        let key = STANDARD.decode(body).expect("a key");
        Self {
            key: rsa::KeyPair::from_pkcs8(&key).expect("an RSA key"),
            random: SystemRandom::new(),
        }
    }

    /// Makes an RS256 signature, and drops it.
    pub(crate) fn sign(&self, message: &[u8]) {
        let mut signed = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(
                &signature::RSA_PKCS1_SHA256,
                &self.random,
                message,
                &mut signed,
            )
            .expect("a signature");
    }
}
