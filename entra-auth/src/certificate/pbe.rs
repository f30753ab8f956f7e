//! Encryption under a password: PBES2 (RFC 8018), and PKCS#12's own schemes (RFC 7292, appendix C).

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{
    self, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA384, PBKDF2_HMAC_SHA512,
};
use cbc::{
    Decryptor,
    cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7},
};
use der::{
    Decode, SliceReader,
    asn1::{ObjectIdentifier, OctetStringRef},
};
use entra_core::Secret;
use pkcs8::{
    pkcs5::{
        self,
        pbes2::{
            EncryptionScheme, Kdf, PBES2_OID, Parameters, Pbkdf2Params, Pbkdf2Prf, ScryptParams,
        },
    },
    spki::AlgorithmIdentifierRef,
};
use pkcs12::{
    PKCS_12_PBE_WITH_SHAAND2_KEY_TRIPLE_DES_CBC, PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC,
    PKCS_12_PBE_WITH_SHAAND128_BIT_RC2_CBC, PKCS_12_PBEWITH_SHAAND40_BIT_RC2_CBC,
    kdf::{Pkcs12KeyType, derive_key},
};
use sha1::Sha1;
use zeroize::Zeroizing;

use super::error;
use crate::{CertificateErrorKind, Error};

pub(super) type Key = Zeroizing<Vec<u8>>;

/// By key and IV.
type Decrypt = fn(&[u8], &[u8], &[u8]) -> Result<Key, Error>;

/// A password in the forms of the two key derivations.
///
/// For PKCS#12's own, an empty password is two zero bytes and an absent one is an empty string of bytes.
#[derive(Clone, Copy)]
pub(super) enum Password<'a> {
    Text(&'a str),
    #[cfg(feature = "pfx")]
    Null,
}

impl<'a> Password<'a> {
    pub(super) fn of(secret: &'a Secret) -> Self {
        Self::Text(secret.expose_secret())
    }

    pub(super) const fn utf8(self) -> &'a [u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            #[cfg(feature = "pfx")]
            Self::Null => &[],
        }
    }

    /// UTF-16 in network order, with a zero at its end.
    pub(super) fn utf16(self) -> Key {
        let text = match self {
            Self::Text(text) => text,
            #[cfg(feature = "pfx")]
            Self::Null => return Key::default(),
        };
        let units = text.encode_utf16().chain([0]);
        Zeroizing::new(units.flat_map(u16::to_be_bytes).collect())
    }
}

/// Decrypts data with this algorithm.
///
/// # Errors
/// `WrongPassphrase` for invalid padding, which a wrong password nearly always causes,
/// and `UnsupportedEncryption`.
pub(super) fn decrypt(
    algorithm: AlgorithmIdentifierRef<'_>,
    sealed: &[u8],
    password: Password<'_>,
) -> Result<Key, Error> {
    if algorithm.oid == PBES2_OID {
        let parameters = algorithm.parameters.map(Parameters::try_from);
        return match parameters {
            Some(Ok(parameters)) => pbes2(&parameters, sealed, password),
            Some(Err(source)) => Err(unsupported("an unknown algorithm").with_source(source)),
            None => Err(unsupported("an algorithm without parameters")),
        };
    }
    let (key_length, decrypt): (usize, Decrypt) = match algorithm.oid {
        PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC => (24, cbc::<Decryptor<des::TdesEde3>>),
        PKCS_12_PBE_WITH_SHAAND2_KEY_TRIPLE_DES_CBC => (16, cbc::<Decryptor<des::TdesEde2>>),
        PKCS_12_PBE_WITH_SHAAND128_BIT_RC2_CBC => (16, cbc::<Decryptor<rc2::Rc2>>),
        PKCS_12_PBEWITH_SHAAND40_BIT_RC2_CBC => (5, cbc::<Decryptor<rc2::Rc2>>),
        oid if is_pbes1(oid) => return Err(unsupported("PBES1 with DES or RC2")),
        _ => return Err(unsupported("an unknown algorithm")),
    };
    let malformed = || error::malformed("the parameters of an encryption are damaged");
    let parameters = algorithm.parameters.ok_or_else(malformed)?;
    let mut reader = SliceReader::new(parameters.value()).map_err(|_| malformed())?;
    let salt = <&OctetStringRef>::decode(&mut reader).map_err(|_| malformed())?;
    let rounds = u32::decode(&mut reader)
        .ok()
        .and_then(rounds)
        .ok_or_else(malformed)?;
    let password = password.utf16();
    let derive = |purpose, length| {
        let salt = salt.as_bytes();
        Zeroizing::new(derive_key::<Sha1>(&password, salt, purpose, rounds, length))
    };
    let key = derive(Pkcs12KeyType::EncryptionKey, key_length);
    let iv = derive(Pkcs12KeyType::Iv, 8);
    decrypt(&key, &iv, sealed)
}

/// Decrypts in CBC mode and removes the padding, which is nearly always invalid with a wrong key.
pub(super) fn cbc<C: BlockModeDecrypt + KeyIvInit>(
    key: &[u8],
    iv: &[u8],
    sealed: &[u8],
) -> Result<Key, Error> {
    let cipher = C::new_from_slices(key, iv)
        .map_err(|_| error::malformed("the IV of the encrypted key has a wrong length"))?;
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let plain = cipher
        .decrypt_padded::<Pkcs7>(&mut buffer)
        .map_err(|_| error::wrong_passphrase())?;
    Ok(Zeroizing::new(plain.to_vec()))
}

/// The number of rounds of the derivation. It is limited: a damaged or hostile file may require so
/// many that reading it does not end.
pub(super) fn rounds(count: u32) -> Option<i32> {
    (1..=MOST_ROUNDS)
        .contains(&count)
        .then_some(i32::try_from(count).ok()?)
}

/// The key that PBKDF2 gives, from the crypto library's own code: hundreds of thousands of rounds
/// take seconds in a debug build otherwise. `None` for what that code does not do.
pub(super) fn pbkdf2_key(kdf: &Pbkdf2Params, password: &[u8], length: usize) -> Option<Key> {
    let algorithm = match kdf.prf {
        Pbkdf2Prf::HmacWithSha1 => PBKDF2_HMAC_SHA1,
        Pbkdf2Prf::HmacWithSha256 => PBKDF2_HMAC_SHA256,
        Pbkdf2Prf::HmacWithSha384 => PBKDF2_HMAC_SHA384,
        Pbkdf2Prf::HmacWithSha512 => PBKDF2_HMAC_SHA512,
        _ => return None,
    };
    rounds(kdf.iteration_count)?;
    let rounds = NonZeroU32::new(kdf.iteration_count)?;
    let mut key = Zeroizing::new(vec![0; length]);
    pbkdf2::derive(algorithm, rounds, kdf.salt.as_bytes(), password, &mut key);
    Some(key)
}

/// Whether the costs of scrypt, which the file sets, are acceptable in time and memory. pkcs5
/// 0.8.1 panics at a cost of zero.
fn is_bearable(kdf: &ScryptParams) -> bool {
    let (n, r, p) = (
        kdf.cost_parameter,
        u64::from(kdf.block_size),
        u64::from(kdf.parallelization),
    );
    let memory = n.saturating_mul(r).saturating_mul(128);
    n.is_power_of_two() && n > 1 && r > 0 && (1..=MOST_LANES).contains(&p) && memory <= MOST_MEMORY
}

pub(super) fn unsupported(what: &str) -> Error {
    error::error(
        CertificateErrorKind::UnsupportedEncryption,
        format!("the private key is encrypted with {what}, which is not supported"),
        CONVERT,
    )
}

fn pbes2(parameters: &Parameters, sealed: &[u8], password: Password<'_>) -> Result<Key, Error> {
    let length = parameters.encryption.key_size();
    let key = match &parameters.kdf {
        Kdf::Pbkdf2(kdf) => pbkdf2_key(kdf, password.utf8(), length),
        _ => None,
    };
    match (parameters.encryption, key) {
        (EncryptionScheme::Aes128Cbc { iv }, Some(key)) => {
            cbc::<Decryptor<aes::Aes128>>(&key, &iv, sealed)
        }
        (EncryptionScheme::Aes192Cbc { iv }, Some(key)) => {
            cbc::<Decryptor<aes::Aes192>>(&key, &iv, sealed)
        }
        (EncryptionScheme::Aes256Cbc { iv }, Some(key)) => {
            cbc::<Decryptor<aes::Aes256>>(&key, &iv, sealed)
        }
        _ => {
            match &parameters.kdf {
                Kdf::Pbkdf2(kdf) if rounds(kdf.iteration_count).is_none() => {
                    return Err(unsupported("too many rounds of PBKDF2"));
                }
                Kdf::Scrypt(kdf) if !is_bearable(kdf) => {
                    return Err(unsupported("costs of scrypt beyond any use"));
                }
                _ => {}
            }
            parameters
                .decrypt(password.utf8(), sealed)
                .map(Zeroizing::new)
                .map_err(|source| match source {
                    pkcs5::Error::DecryptFailed => error::wrong_passphrase(),
                    _ => unsupported("the PKCS#5 algorithm").with_source(source),
                })
        }
    }
}

/// `pkcs-5 1` to `11`, DES and RC2 under MD2, MD5 or SHA-1.
fn is_pbes1(oid: ObjectIdentifier) -> bool {
    oid.parent() == Some(PKCS5)
}

const CONVERT: &str =
    "encrypt it again: openssl pkcs8 -topk8 -v2 aes-256-cbc -in old.pem -out new.pem";
const PKCS5: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5");
const MOST_ROUNDS: u32 = 10_000_000;
/// OpenSSL takes 32 MiB and writes 16.
const MOST_MEMORY: u64 = 128 * 1024 * 1024;
const MOST_LANES: u64 = 16;
