//! PKCS#12 files, read and written by a pure Rust library.

use entra_core::Secret;
use p12_keystore::{Pkcs12Archive, error::Error as Pkcs12Error};
use zeroize::Zeroizing;

use super::{
    error::{CertificateError, CertificateErrorKind},
    read::Found,
};

/// Opens the file; without a password the empty one is tried, which Windows calls "no password".
pub(super) fn open(bytes: &[u8], password: Option<&Secret>) -> Result<Found, CertificateError> {
    let archive = Pkcs12Archive::from_pkcs12(bytes, password.map_or("", Secret::expose_secret))
        .map_err(|source| unopened(source, password.is_some()))?;
    Ok(Found {
        certificates: archive
            .certs
            .iter()
            .map(|bag| bag.cert.as_der().to_vec())
            .collect(),
        keys: archive
            .keys
            .iter()
            .map(|bag| Zeroizing::new(bag.key.as_der().to_vec()))
            .collect(),
    })
}

/// Writes key and certificates: AES-256-CBC under PBKDF2, with an HMAC-SHA-256 over everything.
#[cfg(feature = "certificate-kit")]
pub(super) fn seal(
    key: &[u8],
    certificates: &[&[u8]],
    password: &Secret,
) -> Result<Zeroizing<Vec<u8>>, CertificateError> {
    use p12_keystore::{KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};

    let failed = |source: Pkcs12Error| {
        CertificateError::crypto("the PKCS#12 file could not be made").with_source(source)
    };
    let certificates = certificates
        .iter()
        .map(|der| p12_keystore::Certificate::from_der(der))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    let key = PrivateKey::from_der(key).map_err(failed)?;
    let mut store = KeyStore::new();
    let chain = PrivateKeyChain::new(LOCAL_KEY_ID, key, certificates);
    store.add_entry(ALIAS, KeyStoreEntry::PrivateKeyChain(chain));
    store
        .writer(password.expose_secret())
        .encryption_iterations(ITERATIONS)
        .mac_iterations(ITERATIONS)
        .write()
        .map(Zeroizing::new)
        .map_err(failed)
}

fn unopened(source: Pkcs12Error, with_password: bool) -> CertificateError {
    let error = match &source {
        // Without a MAC, a wrong password shows as padding or contents that make no sense.
        Pkcs12Error::MacError(_)
        | Pkcs12Error::Pkcs5Error(_)
        | Pkcs12Error::UnpadError
        | Pkcs12Error::InvalidData
            if with_password =>
        {
            CertificateError::wrong_passphrase()
        }
        Pkcs12Error::MacError(_)
        | Pkcs12Error::Pkcs5Error(_)
        | Pkcs12Error::UnpadError
        | Pkcs12Error::InvalidData => CertificateError::new(
            CertificateErrorKind::PassphraseMissing,
            "the PKCS#12 file has a password, and none was given",
            "give the password that the file was exported with",
        ),
        Pkcs12Error::UnsupportedEncryptionScheme | Pkcs12Error::UnsupportedMacAlgorithm => {
            CertificateError::new(
                CertificateErrorKind::UnsupportedEncryption,
                "the encryption of the PKCS#12 file is not supported",
                "export it again with AES-256 and SHA-256",
            )
        }
        _ => CertificateError::malformed("the PKCS#12 file is damaged"),
    };
    error.with_source(source)
}

#[cfg(feature = "certificate-kit")]
const ALIAS: &str = "entra";
/// Ties the key to its certificate within the file.
#[cfg(feature = "certificate-kit")]
const LOCAL_KEY_ID: &[u8] = &[1];
/// As many as other programs can be expected to bear: it is run three times.
#[cfg(feature = "certificate-kit")]
const ITERATIONS: u32 = 50_000;
