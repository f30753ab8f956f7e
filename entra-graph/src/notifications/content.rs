//! Resource data: keys, signature, decryption.
//!
//! The crypto is that of aws-lc-rs, as everywhere in this SDK: RSA and AES in constant time, and no second backend.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey},
    hmac,
    iv::FixedLength,
    rsa::{OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use zeroize::{Zeroize, Zeroizing};

use super::{event::ResourceContent, rejection::RejectionReason, wire::EncryptedContent};
use crate::{areas::subscriptions::valid_id, error::Error};

/// The private key of an [`EncryptionCertificate`](super::EncryptionCertificate), under the same name.
///
/// Clones share the key. `Debug` shows the name only.
#[derive(Clone)]
pub struct DecryptionKey {
    id: String,
    key: Arc<OaepPrivateDecryptingKey>,
}

impl DecryptionKey {
    /// From an RSA key of 2,048 to 4,096 bits in PKCS#8.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if it is not such a key, or for an id that is empty or
    /// too long.
    pub fn from_pkcs8(id: impl Into<String>, der: impl AsRef<[u8]>) -> Result<Self, Error> {
        let id = valid_id(id.into())?;
        let key = PrivateDecryptingKey::from_pkcs8(der.as_ref()).map_err(|_| {
            invalid("the key for resource data is not an RSA key of at least 2048 bits in PKCS#8")
        })?;
        if key.key_size_bits() > 4_096 {
            return Err(invalid("the key for resource data has more than 4096 bits"));
        }
        let key = OaepPrivateDecryptingKey::new(key)
            .map_err(|_| invalid("the key for resource data cannot decrypt"))?;
        Ok(Self {
            id,
            key: Arc::new(key),
        })
    }

    /// From the first unencrypted PKCS#8 key of a PEM file (`BEGIN PRIVATE KEY`).
    ///
    /// # Errors
    /// As [`from_pkcs8`](Self::from_pkcs8), and if there is no such key in it.
    pub fn from_pem(id: impl Into<String>, pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        let mut der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_ref()).map_err(|_| {
            invalid("the PEM for resource data has no unencrypted PKCS#8 key (BEGIN PRIVATE KEY)")
        })?;
        let key = Self::from_pkcs8(id, der.secret_pkcs8_der());
        der.zeroize();
        key
    }

    /// The name of its certificate.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Checks the signature and decrypts.
    ///
    /// A fault of the key, of the signature and of the padding has the same reason.
    pub(super) fn decrypt(
        &self,
        content: &EncryptedContent<'_>,
    ) -> Result<ResourceContent, RejectionReason> {
        let decode = |text: &str| STANDARD.decode(text).map_err(|_| RejectionReason::Content);
        let (wrapped, signature) = (decode(&content.data_key)?, decode(&content.data_signature)?);
        let mut data = Zeroizing::new(decode(&content.data)?);
        let key = self.unwrap_key(&wrapped)?;
        let signing = hmac::Key::new(hmac::HMAC_SHA256, &*key);
        hmac::verify(&signing, &data, &signature).map_err(|_| RejectionReason::Content)?;
        let length = decrypt_cbc(&key, &mut data).ok_or(RejectionReason::Content)?;
        data.truncate(length);
        Ok(ResourceContent(data))
    }

    fn unwrap_key(&self, wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, RejectionReason> {
        let mut plain = Zeroizing::new(vec![0; self.key.min_output_size()]);
        let key = self
            .key
            .decrypt(&OAEP_SHA1_MGF1SHA1, wrapped, &mut plain, None)
            .map_err(|_| RejectionReason::Content)?;
        let key: &[u8; 32] = (&*key).try_into().map_err(|_| RejectionReason::Content)?;
        Ok(Zeroizing::new(*key))
    }
}

/// Decrypts in place and returns the length of the plain text. The initialization vector is the start of the key, as
/// documented.
fn decrypt_cbc(key: &[u8; 32], data: &mut [u8]) -> Option<usize> {
    let (iv, _) = key.split_first_chunk::<16>()?;
    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    let key = UnboundCipherKey::new(&AES_256, key).ok()?;
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
    Some(key.decrypt(data, context).ok()?.len())
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecryptionKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

fn invalid(message: &str) -> Error {
    entra_core::Error::configuration(message).into()
}
