//! A fixed pool of RSA keys, so that a tenant does not have to generate one.
//!
//! They are test keys: they are public in this crate's source. Never trust them for anything that
//! matters, and never use a fake tenant in place of a real one.

mod certificate;
mod ring;

use std::sync::OnceLock;

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

use jsonwebtoken::{Algorithm, DecodingKey};
pub(crate) use ring::KeyRing;

use crate::jws;

/// One RSA key of the pool with its self-signed certificate.
pub(crate) struct TestKey {
    /// SHA-1 thumbprint of the certificate in base64url: `kid` and `x5t` of Entra's keys.
    pub(crate) kid: String,
    /// Modulus and exponent as in a JWK.
    pub(crate) n: String,
    pub(crate) e: String,
    /// The certificate in DER.
    pub(crate) certificate: Vec<u8>,
    /// As PKCS#1.
    private: Vec<u8>,
    signer: OnceLock<Option<RsaKeyPair>>,
    public: DecodingKey,
}

impl TestKey {
    fn read(key_pem: &str, certificate_pem: &str) -> Option<Self> {
        let pkcs8 = der(key_pem)?;
        let pkcs1 = private_key(&pkcs8)?;
        let certificate = der(certificate_pem)?;
        let (n, e) = private_key_components(pkcs1)?;
        Some(Self {
            kid: URL_SAFE_NO_PAD.encode(digest::digest(
                &digest::SHA1_FOR_LEGACY_USE_ONLY,
                &certificate,
            )),
            n: URL_SAFE_NO_PAD.encode(n),
            e: URL_SAFE_NO_PAD.encode(e),
            certificate,
            private: pkcs1.to_vec(),
            signer: OnceLock::new(),
            public: DecodingKey::from_rsa_raw_components(n, e),
        })
    }

    /// Returns the message with its RS256 signature, a JWS in compact form; `None` only if the
    /// crypto library fails.
    pub(crate) fn sign(&self, mut message: String) -> Option<String> {
        let signature = self.signature(message.as_bytes())?;
        message.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut message);
        Some(message)
    }

    /// Returns the RS256 signature of a message; `None` only if the crypto library fails.
    fn signature(&self, message: &[u8]) -> Option<Vec<u8>> {
        // jsonwebtoken reads and checks the key for each signature, which costs half as much again.
        let signer = self
            .signer
            .get_or_init(|| RsaKeyPair::from_der(&self.private).ok())
            .as_ref()?;
        let mut signature = vec![0; signer.public_modulus_len()];
        let random = SystemRandom::new();
        signer
            .sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
            .ok()?;
        Some(signature)
    }

    /// Whether this is an RS256 signature of the message with this key.
    pub(crate) fn verifies(&self, message: &str, signature: &[u8]) -> bool {
        jws::verifies(Algorithm::RS256, &self.public, message, signature)
    }

    /// The certificate as base64 DER, the form of `x5c` and of a registered key credential.
    pub(crate) fn x5c(&self) -> String {
        STANDARD.encode(&self.certificate)
    }
}

impl std::fmt::Debug for TestKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// The keys that tenants sign with.
pub(crate) fn pool() -> &'static [TestKey] {
    all().split_last().map_or(&[], |(_, pool)| pool)
}

/// The key that other issuers sign with.
pub(crate) fn other_issuers() -> Option<&'static TestKey> {
    all().last()
}

fn all() -> &'static [TestKey] {
    static KEYS: OnceLock<Vec<TestKey>> = OnceLock::new();
    KEYS.get_or_init(|| {
        SIGNING
            .iter()
            .filter_map(|(key, certificate)| TestKey::read(key, certificate))
            .collect()
    })
}

/// Key and certificate for client authentication, in one PEM text.
pub(crate) fn client_pem() -> String {
    [CLIENT.0, CLIENT.1].map(without_comments).concat()
}

fn der(pem: &str) -> Option<Vec<u8>> {
    let body: String = pem
        .lines()
        .filter(|line| !line.starts_with('#') && !line.starts_with("-----"))
        .collect();
    STANDARD.decode(body).ok()
}

/// Returns the PKCS#1 key inside of PKCS#8 (RFC 5208, section 5).
fn private_key(pkcs8: &[u8]) -> Option<&[u8]> {
    let (info, _) = value(0x30, pkcs8)?;
    let (_version, rest) = value(0x02, info)?;
    let (_algorithm, rest) = value(0x30, rest)?;
    Some(value(0x04, rest)?.0)
}

/// Returns modulus and exponent of a PKCS#1 private key, which follow its version.
fn private_key_components(pkcs1: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, _) = value(0x30, pkcs1)?;
    let (_version, rest) = value(0x02, sequence)?;
    numbers(rest)
}

/// Returns modulus and exponent of a PKCS#1 public key: a sequence of two integers.
pub(crate) fn components(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, _) = value(0x30, der)?;
    numbers(sequence)
}

fn numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (n, rest) = value(0x02, der)?;
    let (e, _) = value(0x02, rest)?;
    // A leading zero keeps the number positive and is not part of it.
    Some((n.strip_prefix(&[0]).unwrap_or(n), e))
}

/// Returns the content of a DER value with that tag, and the bytes after it.
pub(crate) fn value(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = if length < 0x80 {
        (usize::from(length), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
        (
            bytes
                .iter()
                .fold(0, |length, &byte| length << 8 | usize::from(byte)),
            rest,
        )
    };
    rest.split_at_checked(length).filter(|_| found == tag)
}

fn without_comments(pem: &str) -> String {
    pem.lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| [line, "\n"])
        .collect()
}

const SIGNING: [(&str, &str); 6] = [
    (
        include_str!("signing-1.test-key.pem"),
        include_str!("signing-1.test-cert.pem"),
    ),
    (
        include_str!("signing-2.test-key.pem"),
        include_str!("signing-2.test-cert.pem"),
    ),
    (
        include_str!("signing-3.test-key.pem"),
        include_str!("signing-3.test-cert.pem"),
    ),
    (
        include_str!("signing-4.test-key.pem"),
        include_str!("signing-4.test-cert.pem"),
    ),
    (
        include_str!("signing-5.test-key.pem"),
        include_str!("signing-5.test-cert.pem"),
    ),
    (
        include_str!("signing-6.test-key.pem"),
        include_str!("signing-6.test-cert.pem"),
    ),
];

const CLIENT: (&str, &str) = (
    include_str!("client.test-key.pem"),
    include_str!("client.test-cert.pem"),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_pool_can_be_read_and_they_differ() {
        let keys = all();
        assert_eq!(keys.len(), SIGNING.len());
        let mut ids: Vec<&str> = keys.iter().map(|key| key.kid.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), SIGNING.len());
        assert_eq!(keys[0].e, "AQAB");
    }

    #[test]
    fn a_signature_is_valid_for_its_own_key_and_message_only() {
        let [first, second, ..] = pool() else {
            panic!("two keys")
        };
        let signed = first.sign("message".to_owned()).unwrap();
        let signature = URL_SAFE_NO_PAD
            .decode(signed.strip_prefix("message.").unwrap())
            .unwrap();
        assert!(first.verifies("message", &signature));
        assert!(!first.verifies("massage", &signature));
        assert!(!second.verifies("message", &signature));
    }

    #[cfg(feature = "server")]
    #[test]
    fn the_client_pem_holds_key_then_certificate_and_nothing_else() {
        let pem = client_pem();
        assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
        assert!(pem.ends_with("-----END CERTIFICATE-----\n"));
        assert!(TestKey::read(CLIENT.0, CLIENT.1).is_some());
    }
}
