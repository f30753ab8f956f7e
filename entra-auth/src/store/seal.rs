use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{StoreError, StoreErrorKind, StoreKey};

/// A key that seals entries before a store sees them (AES-256-GCM), and opens them again.
///
/// Each entry is bound to its place: one that was copied to another person's partition does not
/// open. With a key nothing is ever written or read unsealed, whatever fails.
///
/// ```
/// use entra_auth::store::EncryptionKey;
/// let key = EncryptionKey::new([7; 32]); // from a vault or a data-protection service
/// assert_eq!(format!("{key:?}"), "EncryptionKey(…)");
/// assert!(EncryptionKey::from_base64("dG9vIHNob3J0").is_err());
/// ```
#[derive(Clone)]
pub struct EncryptionKey(Zeroizing<[u8; 32]>);

impl EncryptionKey {
    /// A key of 32 unpredictable bytes.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    /// A key from its Base64 text, as a vault or a variable holds it.
    ///
    /// # Errors
    /// When the text is not the Base64 of 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, StoreError> {
        let wrong = || {
            StoreError::configuration(
                "the encryption key is not the Base64 of 32 bytes; make one with `openssl rand -base64 32`",
            )
        };
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| wrong())?);
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| wrong())?;
        Ok(Self::new(key))
    }

    fn cipher(&self) -> Result<RandomizedNonceKey, StoreError> {
        RandomizedNonceKey::new(&AES_256_GCM, &*self.0)
            .map_err(|_| StoreError::configuration("the encryption key cannot be used"))
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncryptionKey(…)")
    }
}

/// The keys of one cache: entries are sealed with the first and opened with any.
pub(crate) struct Seal(Vec<EncryptionKey>);

impl Seal {
    pub(crate) fn new(keys: Vec<EncryptionKey>) -> Self {
        Self(keys)
    }

    /// The entry as the store may have it.
    pub(crate) fn close(
        &self,
        key: &StoreKey,
        mut entry: Zeroizing<Vec<u8>>,
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let Some(sealing) = self.0.first() else {
            return Ok(entry);
        };
        let nonce = sealing
            .cipher()?
            .seal_in_place_append_tag(place(key), &mut *entry)
            .map_err(|_| StoreError::unavailable("an entry could not be sealed"))?;
        let mut sealed = Vec::with_capacity(MARK.len() + NONCE_LEN + entry.len());
        sealed.extend_from_slice(MARK);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&entry);
        Ok(Zeroizing::new(sealed))
    }

    /// The entry as it was before it was sealed.
    pub(crate) fn open(
        &self,
        key: &StoreKey,
        stored: Zeroizing<Vec<u8>>,
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let sealed = stored.strip_prefix(MARK);
        if self.0.is_empty() {
            return match sealed {
                Some(_) => Err(unreadable(
                    "an entry is encrypted, and the cache has no key",
                )),
                None => Ok(stored),
            };
        }
        let (nonce, text) = sealed
            .and_then(|sealed| sealed.split_at_checked(NONCE_LEN))
            .ok_or_else(|| unreadable("an entry is not encrypted, though the cache has a key"))?;
        for candidate in &self.0 {
            let mut text = Zeroizing::new(text.to_vec());
            let nonce = Nonce::try_assume_unique_for_key(nonce)
                .map_err(|_| unreadable("an entry is damaged"))?;
            let opened = candidate
                .cipher()?
                .open_in_place(nonce, place(key), &mut text)
                .ok()
                .map(|opened| opened.len());
            if let Some(length) = opened {
                text.truncate(length);
                return Ok(text);
            }
        }
        Err(unreadable(
            "an entry does not open: it is damaged, moved, or sealed with another key",
        ))
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").field("keys", &self.0.len()).finish()
    }
}

/// What a sealed entry is bound to: format and place.
fn place(key: &StoreKey) -> Aad<Vec<u8>> {
    Aad::from(
        [
            MARK,
            key.partition().as_str().as_bytes(),
            key.entry().as_bytes(),
        ]
        .concat(),
    )
}

pub(crate) fn unreadable(message: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Unreadable, message)
}

/// The first bytes of a sealed entry: its format and version. An open one begins with a brace.
const MARK: &[u8] = b"ENT1";
