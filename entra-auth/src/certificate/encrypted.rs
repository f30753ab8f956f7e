//! Encrypted private keys in PEM: PKCS#8 both ways, older encryptions to read only.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{
    self, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA384, PBKDF2_HMAC_SHA512,
};
use cbc::Decryptor;
#[cfg(feature = "certificate-kit")]
use cbc::cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use der::{Decode, asn1::AnyRef};
use entra_core::Secret;
#[cfg(feature = "certificate-kit")]
use pkcs8::EncryptedPrivateKeyInfo;
use pkcs8::{
    EncryptedPrivateKeyInfoRef,
    pkcs5::{
        self, EncryptionScheme,
        pbes2::{EncryptionScheme as Scheme, Kdf, Parameters, Pbkdf2Prf},
    },
};
use zeroize::Zeroizing;

use super::{
    error::{CertificateError, CertificateErrorKind},
    legacy,
    pem::Section,
};

/// Decrypts one private key; what comes out is PKCS#8 or PKCS#1.
pub(super) fn open(
    section: &Section,
    passphrase: Option<&Secret>,
) -> Result<Zeroizing<Vec<u8>>, CertificateError> {
    let Some(passphrase) = passphrase else {
        return Err(CertificateError::new(
            CertificateErrorKind::PassphraseMissing,
            "the private key is encrypted, and no passphrase was given",
            "give the passphrase that the key was exported with",
        ));
    };
    let key = match section.header("DEK-Info") {
        Some(info) => legacy::traditional(info, &section.der, passphrase)?,
        None => pkcs8(&section.der, passphrase)?,
    };
    // A wrong passphrase can leave what looks like valid padding.
    match AnyRef::from_der(&key) {
        Ok(_) => Ok(key),
        Err(_) => Err(CertificateError::wrong_passphrase()),
    }
}

/// Encrypts a PKCS#8 key (PBES2: AES-256-CBC under PBKDF2 with HMAC-SHA-256) and gives it as PEM.
#[cfg(feature = "certificate-kit")]
pub(super) fn seal(key: &[u8], passphrase: &Secret) -> Result<Secret, CertificateError> {
    use der::{Encode, asn1::OctetStringRef};

    let failed = || CertificateError::crypto("the private key could not be encrypted");
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    aws_lc_rs::rand::fill(&mut salt)
        .and_then(|()| aws_lc_rs::rand::fill(&mut iv))
        .map_err(|_| failed())?;
    let parameters = Parameters::generate_pbkdf2_sha256_aes256cbc(ITERATIONS, &salt, iv)
        .map_err(|source| failed().with_source(source))?;
    let kek = pbkdf2_key(&parameters, passphrase).ok_or_else(failed)?;
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

fn pkcs8(der: &[u8], passphrase: &Secret) -> Result<Zeroizing<Vec<u8>>, CertificateError> {
    if let Some(key) = legacy::pkcs12_scheme(der, passphrase) {
        return key;
    }
    let sealed = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|source| {
        CertificateError::new(
            CertificateErrorKind::UnsupportedEncryption,
            "the encryption of the private key cannot be read",
            legacy::CONVERT,
        )
        .with_source(source)
    })?;
    let EncryptionScheme::Pbes2(parameters) = &sealed.encryption_algorithm else {
        return Err(legacy::unsupported("PBES1 with DES or RC2"));
    };
    let data = sealed.encrypted_data.as_bytes();
    let kek = pbkdf2_key(parameters, passphrase);
    match (parameters.encryption, kek) {
        (Scheme::Aes128Cbc { iv }, Some(kek)) => {
            legacy::decrypt::<Decryptor<aes::Aes128>>(&kek, &iv, data)
        }
        (Scheme::Aes192Cbc { iv }, Some(kek)) => {
            legacy::decrypt::<Decryptor<aes::Aes192>>(&kek, &iv, data)
        }
        (Scheme::Aes256Cbc { iv }, Some(kek)) => {
            legacy::decrypt::<Decryptor<aes::Aes256>>(&kek, &iv, data)
        }
        _ => parameters
            .decrypt(passphrase.expose_secret(), data)
            .map(Zeroizing::new)
            .map_err(|source| match source {
                pkcs5::Error::DecryptFailed => CertificateError::wrong_passphrase(),
                _ => legacy::unsupported("the PKCS#5 algorithm").with_source(source),
            }),
    }
}

/// The key that PBKDF2 gives, from the crypto library's own code: hundreds of thousands of rounds
/// take seconds in a debug build otherwise. `None` for what that code does not do.
fn pbkdf2_key(parameters: &Parameters, passphrase: &Secret) -> Option<Zeroizing<Vec<u8>>> {
    let Kdf::Pbkdf2(kdf) = &parameters.kdf else {
        return None;
    };
    let algorithm = match kdf.prf {
        Pbkdf2Prf::HmacWithSha1 => PBKDF2_HMAC_SHA1,
        Pbkdf2Prf::HmacWithSha256 => PBKDF2_HMAC_SHA256,
        Pbkdf2Prf::HmacWithSha384 => PBKDF2_HMAC_SHA384,
        Pbkdf2Prf::HmacWithSha512 => PBKDF2_HMAC_SHA512,
        _ => return None,
    };
    let rounds = NonZeroU32::new(kdf.iteration_count)?;
    let mut key = Zeroizing::new(vec![0; parameters.encryption.key_size()]);
    let passphrase = passphrase.expose_secret().as_bytes();
    pbkdf2::derive(algorithm, rounds, kdf.salt.as_bytes(), passphrase, &mut key);
    Some(key)
}

/// What OWASP advises for PBKDF2 with HMAC-SHA-256.
#[cfg(feature = "certificate-kit")]
const ITERATIONS: u32 = 600_000;
