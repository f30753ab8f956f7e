//! OpenSSL's own encryption of PEM blocks, `DEK-Info: AES-256-CBC,<IV in hex>`: what OpenSSL 1.x
//! writes by itself (`openssl genrsa -aes256`), so that many keys have it.

use cbc::Decryptor;
use entra_core::Secret;
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::{
    error,
    pbe::{Key, cbc, unsupported},
};
use crate::Error;

pub(super) fn open(info: &str, sealed: &[u8], passphrase: &Secret) -> Result<Key, Error> {
    let (cipher, iv) = info.split_once(',').unwrap_or((info, ""));
    let iv = from_hex(iv.trim())
        .ok_or_else(|| error::malformed("the IV of the encrypted key is not hexadecimal"))?;
    let Some(salt) = iv.get(..8) else {
        return Err(error::malformed("the IV of the encrypted key is too short"));
    };
    let key = |length| bytes_to_key(passphrase.expose_secret().as_bytes(), salt, length);
    match cipher.trim() {
        "AES-128-CBC" => cbc::<Decryptor<aes::Aes128>>(&key(16), &iv, sealed),
        "AES-192-CBC" => cbc::<Decryptor<aes::Aes192>>(&key(24), &iv, sealed),
        "AES-256-CBC" => cbc::<Decryptor<aes::Aes256>>(&key(32), &iv, sealed),
        "DES-EDE3-CBC" => cbc::<Decryptor<des::TdesEde3>>(&key(24), &iv, sealed),
        // The header may hold anything, so only what can be a cipher's name is repeated.
        other
            if other.len() <= 16
                && other
                    .bytes()
                    .all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'-')) =>
        {
            Err(unsupported(other))
        }
        _ => Err(unsupported("an unknown cipher")),
    }
}

/// OpenSSL's `EVP_BytesToKey` with MD5 and one round.
fn bytes_to_key(passphrase: &[u8], salt: &[u8], length: usize) -> Key {
    let mut key = Zeroizing::new(Vec::with_capacity(48));
    let mut last: Zeroizing<Vec<u8>> = Zeroizing::default();
    while key.len() < length {
        let hash = Md5::new_with_prefix(&*last)
            .chain_update(passphrase)
            .chain_update(salt);
        *last = hash.finalize().to_vec();
        key.extend_from_slice(&last);
    }
    key.truncate(length);
    key
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect();
    let digits = digits?;
    (digits.len() % 2 == 0).then(|| {
        digits
            .chunks_exact(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect()
    })
}
