//! Encrypts the content of a changed object (page "Set up change notifications that include resource data").
//!
//! A symmetric key of 256 bits for each notification; the data by AES-CBC with PKCS #7 padding and the first 16 bytes
//! of the key as IV; its HMAC-SHA256 with the same key; the key by RSA-OAEP with SHA-1.

use aws_lc_rs::{
    cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey},
    digest::{SHA1_FOR_LEGACY_USE_ONLY, digest},
    hmac,
    iv::FixedLength,
    rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::keys;

/// The certificate of a receiver.
#[derive(Clone, Debug)]
pub(crate) struct EncryptionCertificate {
    der: Vec<u8>,
    /// `SubjectPublicKeyInfo`.
    public_key: Vec<u8>,
}

impl EncryptionCertificate {
    /// Reads base64 of an X.509 certificate in DER with an RSA key of 2,048 to 4,096 bits.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let der = crate::wire::binary(text)?;
        let public_key = public_key(&der)?.to_vec();
        let key = PublicEncryptingKey::from_der(&public_key).ok()?;
        (2_048..=4_096)
            .contains(&key.key_size_bits())
            .then_some(Self { der, public_key })
    }

    /// Returns `encryptedContent`; `None` only if the crypto library fails.
    pub(crate) fn encrypt(&self, id: &str, key: &[u8; 32], content: &Value) -> Option<Value> {
        let mut data = content.to_string().into_bytes();
        let mut iv = [0; 16];
        iv.copy_from_slice(&key[..16]);
        let cipher = UnboundCipherKey::new(&AES_256, key).ok()?;
        PaddedBlockEncryptingKey::cbc_pkcs7(cipher)
            .ok()?
            .less_safe_encrypt(&mut data, EncryptionContext::Iv128(FixedLength::from(iv)))
            .ok()?;
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &data);
        let public_key = PublicEncryptingKey::from_der(&self.public_key).ok()?;
        let public_key = OaepPublicEncryptingKey::new(public_key).ok()?;
        let mut data_key = vec![0; public_key.ciphertext_size()];
        public_key
            .encrypt(&OAEP_SHA1_MGF1SHA1, key, &mut data_key, None)
            .ok()?;
        Some(json!({
            "data": STANDARD.encode(&data),
            "dataSignature": STANDARD.encode(signature),
            "dataKey": STANDARD.encode(&data_key),
            "encryptionCertificateId": id,
            "encryptionCertificateThumbprint": self.thumbprint(),
        }))
    }

    /// The SHA-1 thumbprint in hexadecimal, in upper case.
    fn thumbprint(&self) -> String {
        digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.der)
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect()
    }
}

/// Returns the `SubjectPublicKeyInfo` of a certificate, which comes after the subject (RFC 5280, section 4.1).
fn public_key(der: &[u8]) -> Option<&[u8]> {
    let (certificate, after) = keys::value(SEQUENCE, der)?;
    let (certificate, _) = keys::value(SEQUENCE, certificate).filter(|_| after.is_empty())?;
    let certificate = keys::value(VERSION, certificate).map_or(certificate, |(_, rest)| rest);
    let (_serial, rest) = keys::value(INTEGER, certificate)?;
    let (_algorithm, rest) = keys::value(SEQUENCE, rest)?;
    let (_issuer, rest) = keys::value(SEQUENCE, rest)?;
    let (_validity, rest) = keys::value(SEQUENCE, rest)?;
    let (_subject, rest) = keys::value(SEQUENCE, rest)?;
    let (_key, after) = keys::value(SEQUENCE, rest)?;
    rest.get(..rest.len() - after.len())
}

const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        cipher::{DecryptionContext, PaddedBlockDecryptingKey},
        rsa::{OaepPrivateDecryptingKey, PrivateDecryptingKey},
    };

    use super::*;

    fn certificate() -> (EncryptionCertificate, OaepPrivateDecryptingKey) {
        let pem = |text: &str| {
            let body: String = text
                .lines()
                .filter(|line| !line.starts_with(['#', '-']))
                .collect();
            body
        };
        let certificate = pem(include_str!("../keys/client.test-cert.pem"));
        let key = STANDARD
            .decode(pem(include_str!("../keys/client.test-key.pem")))
            .unwrap();
        let key = PrivateDecryptingKey::from_pkcs8(&key).unwrap();
        (
            EncryptionCertificate::read(&certificate).unwrap(),
            OaepPrivateDecryptingKey::new(key).unwrap(),
        )
    }

    #[test]
    fn the_receiver_decrypts_the_content_with_its_private_key() {
        let (certificate, private) = certificate();
        let content = json!({"id": "a", "displayName": "Adele ✓", "filler": "x".repeat(1_000)});
        let sealed = certificate.encrypt("mine", &[7; 32], &content).unwrap();
        let bytes = |name: &str| STANDARD.decode(sealed[name].as_str().unwrap()).unwrap();
        let mut buffer = vec![0; private.min_output_size()];
        let key = private
            .decrypt(&OAEP_SHA1_MGF1SHA1, &bytes("dataKey"), &mut buffer, None)
            .unwrap();
        assert_eq!(key, [7; 32]);
        let mut data = bytes("data");
        let mac = hmac::Key::new(hmac::HMAC_SHA256, key);
        hmac::verify(&mac, &data, &bytes("dataSignature")).unwrap();
        let cipher = UnboundCipherKey::new(&AES_256, key).unwrap();
        let iv = FixedLength::<16>::try_from(&key[..16]).unwrap();
        let plain = PaddedBlockDecryptingKey::cbc_pkcs7(cipher)
            .unwrap()
            .decrypt(&mut data, DecryptionContext::Iv128(iv))
            .unwrap();
        assert_eq!(serde_json::from_slice::<Value>(plain).unwrap(), content);
        assert_eq!(sealed["encryptionCertificateId"], "mine");
        let thumbprint = sealed["encryptionCertificateThumbprint"].as_str().unwrap();
        assert_eq!(thumbprint.len(), 40);
        assert_eq!(thumbprint, thumbprint.to_uppercase());
    }

    #[test]
    fn only_rsa_certificates_in_base64_are_accepted() {
        let (certificate, _) = certificate();
        assert!(EncryptionCertificate::read(&STANDARD.encode(&certificate.der)).is_some());
        let cut = &certificate.der[..certificate.der.len() - 1];
        let longer = [&certificate.der[..], &[0]].concat();
        for wrong in [
            "",
            "?",
            "AAAA",
            &STANDARD.encode(cut),
            &STANDARD.encode(longer),
        ] {
            assert!(EncryptionCertificate::read(wrong).is_none(), "{wrong}");
        }
        let pem = include_str!("../keys/client.test-cert.pem");
        assert!(EncryptionCertificate::read(pem).is_none());
    }
}
