use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    digest::{Context, SHA256},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{StoreError, StoreErrorKind, StoreKey};

/// A key that encrypts entries before a store sees them (AES-256-GCM), and decrypts them again.
///
/// Each entry names the key it was encrypted with, by a digest, and is bound to its place: one that
/// was copied to another user's partition does not decrypt. With a key nothing is ever written or
/// read unencrypted, whatever fails. An entry under a key that a process does not have is left as it
/// is, because another replica may still need it.
///
/// To replace a key without signing users out:
///
/// 1. Give every replica the old key first and the new one second. All encrypt with the old key and
///    can read both.
/// 2. When every replica runs with both, give them the new key first and the old one second.
/// 3. When the oldest entry has expired (90 days after step 2 for refresh tokens, the lifetime of a
///    session for web sessions), remove the old key.
///
/// If the order is not kept, a replica without the new key cannot read the entries under it: web sessions are
/// unknown there, tokens are an error of the store, and the other replicas lose nothing. Such a replica
/// does not replace these entries either: it keeps new tokens in memory. Only a new sign-in replaces the
/// user's refresh token. A sign-out at such a replica ends the session and removes its tokens all the same;
/// one that failed elsewhere before is kept for the replicas that can read it, and the page says that it is
/// not complete.
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
    #[inline]
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    /// A key from its Base64 text, as a vault or a variable holds it.
    ///
    /// # Errors
    /// When the text is not the Base64 of 32 bytes.
    #[inline]
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

    /// The key of those who know this secret text, whatever other keys they have. The store must not have the text.
    #[cfg(feature = "axum")]
    pub(crate) fn derived_from(purpose: &str, secret: &str) -> Self {
        let mut context = Context::new(&SHA256);
        for part in ["entra-auth key", purpose, secret] {
            context.update(part.as_bytes());
            context.update(&[0]);
        }
        let mut key = [0; 32];
        for (to, from) in key.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        Self::new(key)
    }

    /// Tells keys apart in a store. A digest of 256 unpredictable bits reveals nothing of them.
    #[inline]
    fn id(&self) -> KeyId {
        let mut context = Context::new(&SHA256);
        context.update(b"entra-auth store key id");
        context.update(&*self.0);
        let mut id = KeyId::default();
        for (to, from) in id.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        id
    }

    #[inline]
    fn cipher(&self) -> Result<RandomizedNonceKey, StoreError> {
        RandomizedNonceKey::new(&AES_256_GCM, &*self.0)
            .map_err(|_| StoreError::configuration("the encryption key cannot be used"))
    }
}

impl fmt::Debug for EncryptionKey {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncryptionKey(…)")
    }
}

/// The keys of one cache: entries are encrypted with the first and decrypted with any.
pub(crate) struct Seal(Vec<(KeyId, EncryptionKey)>);

type KeyId = [u8; 8];

impl Seal {
    #[inline]
    pub(crate) fn new(keys: Vec<EncryptionKey>) -> Self {
        Self(keys.into_iter().map(|key| (key.id(), key)).collect())
    }

    /// A text of ten characters that tells the first key apart from others.
    #[cfg(feature = "axum")]
    pub(crate) fn name_of_first_key(&self) -> String {
        let id = self.0.first().map_or(PLAIN, |(id, _)| *id);
        let mut name = super::key::hex(&id);
        name.truncate(10);
        name
    }

    /// The entry as the store may have it: mark, key id, nonce, ciphertext.
    #[inline]
    pub(crate) fn close(
        &self,
        key: &StoreKey,
        mut entry: Zeroizing<Vec<u8>>,
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let Some((id, encrypting)) = self.0.first() else {
            return Ok(joined(&[MARK, &PLAIN, &entry]));
        };
        let nonce = encrypting
            .cipher()?
            .seal_in_place_append_tag(place(id, key), &mut *entry)
            .map_err(|_| StoreError::unavailable("an entry could not be encrypted"))?;
        Ok(joined(&[MARK, id, nonce.as_ref(), &entry]))
    }

    /// Whether the entry is encrypted with a key that is not among these.
    #[inline]
    pub(crate) fn is_under_unknown_key(&self, stored: &[u8]) -> bool {
        let id = stored
            .strip_prefix(MARK)
            .and_then(|rest| rest.first_chunk::<{ size_of::<KeyId>() }>());
        id.is_some_and(|id| *id != PLAIN && self.0.iter().all(|(known, _)| known != id))
    }

    /// The entry as it was before it was encrypted.
    ///
    /// [`StoreErrorKind::Unreadable`] means that it is not ours to judge: another program, version
    /// or key wrote it. [`StoreErrorKind::Damaged`] means that it names a key of ours and does not
    /// decrypt with it.
    #[inline]
    pub(crate) fn open(
        &self,
        key: &StoreKey,
        stored: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let (id, rest) = stored
            .strip_prefix(MARK)
            .and_then(|rest| rest.split_first_chunk::<{ size_of::<KeyId>() }>())
            .ok_or_else(|| {
                unreadable(
                    "an entry was written by another program or version; it is left as it is",
                )
            })?;
        if self.0.is_empty() && *id == PLAIN {
            return Ok(Zeroizing::new(rest.to_vec()));
        }
        let known = self.0.iter().find(|(known, _)| known == id);
        let Some((_, candidate)) = known else {
            return Err(unreadable(if *id == PLAIN {
                "an entry is not encrypted, though there is a key; it is left as it is"
            } else {
                "an entry is encrypted with a key that is not among those given; it is left as it is"
            }));
        };
        let damage = || damaged("an entry does not decrypt with its key: it is damaged or moved");
        let (nonce, text) = rest.split_at_checked(NONCE_LEN).ok_or_else(damage)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damage())?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = candidate
            .cipher()?
            .open_in_place(nonce, place(id, key), &mut text)
            .map_err(|_| damage())?
            .len();
        text.truncate(length);
        Ok(text)
    }
}

impl fmt::Debug for Seal {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").field("keys", &self.0.len()).finish()
    }
}

/// What an encrypted entry is bound to: format, key and place.
#[inline]
fn place(id: &KeyId, key: &StoreKey) -> Aad<Vec<u8>> {
    let (partition, entry) = (key.partition().as_str(), key.entry());
    Aad::from([MARK, id, partition.as_bytes(), entry.as_bytes()].concat())
}

/// The parts in one allocation: a buffer that grows leaves copies of the token behind.
#[inline]
fn joined(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let length = parts.iter().map(|part| part.len()).sum();
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes
}

#[inline]
pub(crate) fn unreadable(message: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Unreadable, message)
}

#[inline]
pub(crate) fn damaged(message: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Damaged, message)
}

/// The first bytes of every entry: whose format it is, and its version.
const MARK: &[u8] = b"ENT2";
/// In place of a key id where an entry is not encrypted.
const PLAIN: KeyId = [0; 8];
