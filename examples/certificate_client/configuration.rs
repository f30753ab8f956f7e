//! The configuration of the installations: encrypted, so that only those read it whose certificate it names.
//!
//! The content is encrypted once with a random key (AES-256-GCM), and that key once for each certificate
//! (RSA-OAEP with SHA-256). Who has the file and no private key learns the number of readers only.

use std::error::Error;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey},
    digest, rand,
    rsa::{
        OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey,
        PrivateDecryptingKey, PublicEncryptingKey,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use entra_auth::Certificate;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject};
use serde::{Deserialize, Serialize};
use webpki::EndEntityCert;

/// What an installation needs beside its own certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Configuration {
    pub(crate) tenant_id: String,
    pub(crate) client_id: String,
    /// The SHA-1 thumbprint of the certificate that is active, of the several that the registration may have.
    pub(crate) active_certificate: String,
}

/// An encrypted [`Configuration`], as it is saved.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sealed {
    readers: Vec<Reader>,
    nonce: String,
    content: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reader {
    /// The SHA-256 thumbprint of the certificate.
    certificate: String,
    /// The key of the content, for the private key of this certificate.
    key: String,
}

impl Sealed {
    /// Encrypts a configuration for the owners of these certificates, in DER.
    pub(crate) fn new<'c>(
        configuration: &Configuration,
        readers: impl IntoIterator<Item = &'c [u8]>,
    ) -> Result<Self, Box<dyn Error>> {
        let mut key = [0; 32];
        rand::fill(&mut key)?;
        let mut content = serde_json::to_vec(configuration)?;
        let nonce = RandomizedNonceKey::new(&AES_256_GCM, &key)?
            .seal_in_place_append_tag(Aad::from(PURPOSE), &mut content)?;
        let readers = readers.into_iter().map(|certificate| {
            let public = encrypting_key(certificate)?;
            let mut sealed = vec![0; public.ciphertext_size()];
            let sealed =
                public.encrypt(&OAEP_SHA256_MGF1SHA256, &key, &mut sealed, Some(PURPOSE))?;
            Ok(Reader {
                certificate: thumbprint_sha256(certificate),
                key: STANDARD.encode(sealed),
            })
        });
        let readers: Result<Vec<Reader>, Box<dyn Error>> = readers.collect();
        Ok(Self {
            readers: readers?,
            nonce: STANDARD.encode(nonce.as_ref()),
            content: STANDARD.encode(content),
        })
    }

    /// Whether it is for the owner of this certificate, in DER.
    pub(crate) fn is_for(&self, certificate: &[u8]) -> bool {
        let thumbprint = thumbprint_sha256(certificate);
        let mut readers = self.readers.iter();
        readers.any(|reader| reader.certificate == thumbprint)
    }

    /// The SHA-256 thumbprints of its readers other than the owners of these certificates.
    pub(crate) fn without(&self, certificates: &[&[u8]]) -> Vec<&str> {
        let others: Vec<String> = certificates
            .iter()
            .map(|der| thumbprint_sha256(der))
            .collect();
        let all = self
            .readers
            .iter()
            .map(|reader| reader.certificate.as_str());
        all.filter(|reader| !others.iter().any(|other| other == reader))
            .collect()
    }

    /// Decrypts it with the private key of a certificate.
    pub(crate) fn open(&self, certificate: &Certificate) -> Result<Configuration, Box<dyn Error>> {
        let thumbprint = certificate.thumbprint_sha256();
        let own = self
            .readers
            .iter()
            .find(|reader| reader.certificate == thumbprint)
            .ok_or_else(|| {
                format!(
                    "the configuration is not for the certificate {}; ask the administrator to encrypt it for this installation",
                    certificate.thumbprint_sha1()
                )
            })?;
        let unreadable = |_| "the configuration is damaged, or was changed without the key";
        let pem = certificate.private_key_pem_unencrypted()?;
        let private = PrivatePkcs8KeyDer::from_pem_slice(pem.expose_secret().as_bytes())?;
        let private = PrivateDecryptingKey::from_pkcs8(private.secret_pkcs8_der())?;
        let private = OaepPrivateDecryptingKey::new(private)?;
        let mut key = vec![0; private.min_output_size()];
        let sealed = STANDARD.decode(&own.key)?;
        let key = private
            .decrypt(&OAEP_SHA256_MGF1SHA256, &sealed, &mut key, Some(PURPOSE))
            .map_err(unreadable)?;
        let nonce =
            Nonce::try_assume_unique_for_key(&STANDARD.decode(&self.nonce)?).map_err(unreadable)?;
        let mut content = STANDARD.decode(&self.content)?;
        let content = RandomizedNonceKey::new(&AES_256_GCM, key)?
            .open_in_place(nonce, Aad::from(PURPOSE), &mut content)
            .map_err(unreadable)?;
        Ok(serde_json::from_slice(content)?)
    }
}

/// The public RSA key of a certificate in DER.
pub(crate) fn encrypting_key(
    certificate: &[u8],
) -> Result<OaepPublicEncryptingKey, Box<dyn Error>> {
    let der = CertificateDer::from(certificate);
    let public = EndEntityCert::try_from(&der)?.subject_public_key_info();
    let public = PublicEncryptingKey::from_der(&public)?;
    Ok(OaepPublicEncryptingKey::new(public)?)
}

/// As [`Certificate::thumbprint_sha256`] of a certificate in DER.
fn thumbprint_sha256(der: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, der);
    let bytes = digest.as_ref().iter();
    bytes.map(|byte| format!("{byte:02X}")).collect()
}

/// What the key is for, so that nothing else that it encrypted can stand in.
const PURPOSE: &[u8] = b"inventory client, configuration 1";
