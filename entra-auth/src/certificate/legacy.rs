//! Encryptions that nobody should write any more and that old exports still have.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use cbc::{
    Decryptor,
    cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7},
};
use der::{
    Decode, Reader, SliceReader,
    asn1::{ObjectIdentifier, OctetStringRef},
};
use entra_core::Secret;
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::error::{CertificateError, CertificateErrorKind};

type Key = Zeroizing<Vec<u8>>;

/// OpenSSL's own encryption of PEM blocks, `DEK-Info: AES-256-CBC,<IV in hex>`.
pub(super) fn traditional(
    info: &str,
    sealed: &[u8],
    passphrase: &Secret,
) -> Result<Key, CertificateError> {
    let (cipher, iv) = info.split_once(',').unwrap_or((info, ""));
    let iv = from_hex(iv.trim())
        .ok_or_else(|| CertificateError::malformed("the IV of the encrypted key is no hex"))?;
    let Some(salt) = iv.get(..8) else {
        return Err(CertificateError::malformed(
            "the IV of the encrypted key is too short",
        ));
    };
    let key = |length| bytes_to_key(passphrase.expose_secret().as_bytes(), salt, length);
    match cipher.trim() {
        "AES-128-CBC" => decrypt::<Decryptor<aes::Aes128>>(&key(16), &iv, sealed),
        "AES-192-CBC" => decrypt::<Decryptor<aes::Aes192>>(&key(24), &iv, sealed),
        "AES-256-CBC" => decrypt::<Decryptor<aes::Aes256>>(&key(32), &iv, sealed),
        "DES-EDE3-CBC" => decrypt::<Decryptor<des::TdesEde3>>(&key(24), &iv, sealed),
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

/// PKCS#8 under PKCS#12's password scheme with triple DES; `None` for any other scheme.
pub(super) fn pkcs12_scheme(
    der: &[u8],
    passphrase: &Secret,
) -> Option<Result<Key, CertificateError>> {
    let (salt, iterations, sealed) = pkcs12_parameters(der).ok()?;
    let derive = |purpose, length| {
        pkcs12_derive(
            passphrase.expose_secret(),
            salt,
            iterations,
            purpose,
            length,
        )
    };
    let (key, iv) = (derive(1, 24), derive(2, 8));
    Some(decrypt::<Decryptor<des::TdesEde3>>(&key, &iv, sealed))
}

pub(super) fn unsupported(what: &str) -> CertificateError {
    CertificateError::new(
        CertificateErrorKind::UnsupportedEncryption,
        format!("the private key is encrypted with {what}, which is not supported"),
        CONVERT,
    )
}

pub(super) const CONVERT: &str =
    "encrypt it anew: openssl pkcs8 -topk8 -v2 aes-256-cbc -in old.pem -out new.pem";

/// Decrypts in CBC mode and takes the padding off, which a wrong key spoils nearly always.
pub(super) fn decrypt<C: BlockModeDecrypt + KeyIvInit>(
    key: &[u8],
    iv: &[u8],
    sealed: &[u8],
) -> Result<Key, CertificateError> {
    let cipher = C::new_from_slices(key, iv).map_err(|_| {
        CertificateError::malformed("the IV of the encrypted key has a wrong length")
    })?;
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let plain = cipher
        .decrypt_padded::<Pkcs7>(&mut buffer)
        .map_err(|_| CertificateError::wrong_passphrase())?;
    Ok(Zeroizing::new(plain.to_vec()))
}

/// OpenSSL's `EVP_BytesToKey` with MD5 and one round.
fn bytes_to_key(passphrase: &[u8], salt: &[u8], length: usize) -> Key {
    let mut key = Zeroizing::new(Vec::with_capacity(48));
    let mut last: Zeroizing<Vec<u8>> = Zeroizing::default();
    while key.len() < length {
        let mut hash = Md5::new();
        hash.update(&*last);
        hash.update(passphrase);
        hash.update(salt);
        *last = hash.finalize().to_vec();
        key.extend_from_slice(&last);
    }
    key.truncate(length);
    key
}

fn pkcs12_parameters(der: &[u8]) -> Result<(&[u8], u32, &[u8]), der::Error> {
    let mut reader = SliceReader::new(der)?;
    reader.sequence(|info| {
        let (salt, iterations) = info.sequence(|algorithm| {
            if ObjectIdentifier::decode(algorithm)? != PBE_SHA1_3DES {
                return Err(algorithm.error(der::ErrorKind::OidUnknown { oid: PBE_SHA1_3DES }));
            }
            algorithm.sequence(|parameters| {
                let salt = <&OctetStringRef>::decode(parameters)?.as_bytes();
                Ok::<_, der::Error>((salt, u32::decode(parameters)?))
            })
        })?;
        Ok((
            salt,
            iterations,
            <&OctetStringRef>::decode(info)?.as_bytes(),
        ))
    })
}

/// Key derivation of PKCS#12 with SHA-1 (RFC 7292, appendix B.2).
fn pkcs12_derive(
    passphrase: &str,
    salt: &[u8],
    iterations: u32,
    purpose: u8,
    length: usize,
) -> Key {
    // The passphrase as UTF-16 in network order, with a zero at its end.
    let password: Zeroizing<Vec<u8>> = Zeroizing::new(
        passphrase
            .encode_utf16()
            .chain([0])
            .flat_map(u16::to_be_bytes)
            .collect(),
    );
    let fill = |bytes: &[u8]| -> Vec<u8> {
        let whole = bytes.len().div_ceil(BLOCK) * BLOCK;
        bytes.iter().copied().cycle().take(whole).collect()
    };
    let mut blocks = Zeroizing::new([fill(salt), fill(&password)].concat());
    let mut key = Zeroizing::new(Vec::with_capacity(length + 20));
    loop {
        let seed = Zeroizing::new([&[purpose; BLOCK][..], &blocks].concat());
        let mut hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &seed);
        for _ in 1..iterations {
            hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, hash.as_ref());
        }
        key.extend_from_slice(hash.as_ref());
        if key.len() >= length {
            key.truncate(length);
            return key;
        }
        let adder: Vec<u8> = hash.as_ref().iter().copied().cycle().take(BLOCK).collect();
        for block in blocks.chunks_exact_mut(BLOCK) {
            let mut carry = 1_u16;
            for (byte, add) in block.iter_mut().zip(&adder).rev() {
                let sum = u16::from(*byte) + u16::from(*add) + carry;
                *byte = sum.to_be_bytes()[1];
                carry = sum >> 8;
            }
        }
    }
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

/// `pbeWithSHAAnd3-KeyTripleDES-CBC`.
const PBE_SHA1_3DES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3");
/// Block size of SHA-1.
const BLOCK: usize = 64;
