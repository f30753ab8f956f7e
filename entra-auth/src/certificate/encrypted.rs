//! Encrypted private keys in PEM: PKCS#8 is read and written, older encryptions are read.

#[cfg(feature = "certificate-kit")]
use cbc::cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use der::{
    Decode, Reader, SliceReader,
    asn1::{AnyRef, OctetStringRef},
};
use entra_core::Secret;
use pkcs8::spki::AlgorithmIdentifierRef;
#[cfg(feature = "certificate-kit")]
use pkcs8::{
    EncryptedPrivateKeyInfo,
    pkcs5::{
        EncryptionScheme,
        pbes2::{Kdf, Parameters},
    },
};
use zeroize::Zeroizing;

use super::{
    error,
    pbe::{self, Password},
    pem::Section,
    traditional,
};
use crate::{CertificateErrorKind, Error};

/// Decrypts one private key to PKCS#8 or PKCS#1.
pub(super) fn open(
    section: &Section,
    passphrase: Option<&Secret>,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let Some(passphrase) = passphrase else {
        return Err(error::error(
            CertificateErrorKind::PassphraseMissing,
            "the private key is encrypted, and no passphrase was given",
            "give the passphrase that the key was exported with",
        ));
    };
    let key = match &section.dek_info {
        Some(info) => traditional::open(info, &section.der, passphrase)?,
        None => pkcs8(&section.der, passphrase)?,
    };
    // A wrong passphrase can leave what looks like valid padding.
    match AnyRef::from_der(&key) {
        Ok(_) => Ok(key),
        Err(_) => Err(error::wrong_passphrase()),
    }
}

/// Encrypts a PKCS#8 key (PBES2: AES-256-CBC under PBKDF2 with HMAC-SHA-256) and gives it as PEM.
#[cfg(feature = "certificate-kit")]
pub(super) fn seal(key: &[u8], passphrase: &Secret) -> Result<Secret, Error> {
    use der::Encode;

    let failed = || error::crypto("the private key could not be encrypted");
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    aws_lc_rs::rand::fill(&mut salt)
        .and_then(|()| aws_lc_rs::rand::fill(&mut iv))
        .map_err(|_| failed())?;
    let parameters = Parameters::generate_pbkdf2_sha256_aes256cbc(ITERATIONS, &salt, iv)
        .map_err(|source| failed().with_source(source))?;
    let kek = match &parameters.kdf {
        Kdf::Pbkdf2(kdf) => {
            let passphrase = passphrase.expose_secret().as_bytes();
            pbe::pbkdf2_key(kdf, passphrase, parameters.encryption.key_size())
        }
        _ => None,
    };
    let kek = kek.ok_or_else(failed)?;
    let sealed = cbc::Encryptor::<aes::Aes256>::new_from_slices(&kek, &iv)
        .map_err(|_| failed())?
        .encrypt_padded_vec::<Pkcs7>(key);
    let info = EncryptedPrivateKeyInfo {
        encryption_algorithm: EncryptionScheme::Pbes2(parameters),
        encrypted_data: OctetStringRef::new(&sealed).map_err(|_| failed())?,
    };
    let der = info
        .to_der()
        .map_err(|source| failed().with_source(source))?;
    Ok(super::pem::encode("ENCRYPTED PRIVATE KEY", &der))
}

fn pkcs8(der: &[u8], passphrase: &Secret) -> Result<Zeroizing<Vec<u8>>, Error> {
    let (algorithm, sealed) = encrypted_private_key(der).map_err(|source| {
        error::malformed("the encryption of the private key cannot be read").with_source(source)
    })?;
    pbe::decrypt(algorithm, sealed, Password::of(passphrase))
}

/// The parts of PKCS#8's `EncryptedPrivateKeyInfo`.
pub(super) fn encrypted_private_key(
    der: &[u8],
) -> Result<(AlgorithmIdentifierRef<'_>, &[u8]), der::Error> {
    let mut reader = SliceReader::new(der)?;
    reader.sequence(|info| {
        let algorithm = AlgorithmIdentifierRef::decode(info)?;
        Ok((algorithm, <&OctetStringRef>::decode(info)?.as_bytes()))
    })
}

/// The recommendation of OWASP for PBKDF2 with HMAC-SHA-256.
#[cfg(feature = "certificate-kit")]
const ITERATIONS: u32 = 600_000;
