//! PKCS#12 files (RFC 7292): read here with parsers of ASN.1 and CMS, written by a library.
//!
//! p12-keystore 0.4.1, which writes them, opens neither BER (BouncyCastle, Java) nor a file whose
//! keys were derived from a null password (Key Vault, .NET), and no other library at hand does.

use aws_lc_rs::{constant_time, hmac};
use der::{
    Decode, Reader, SliceReader, Tag, TagNumber, Tagged,
    asn1::{AnyRef, ObjectIdentifier, OctetStringRef},
};
use entra_core::Secret;
use pkcs8::{
    pkcs5::pbes2::{Kdf, PBKDF2_OID},
    spki::AlgorithmIdentifierRef,
};
use pkcs12::{
    PKCS_12_CERT_BAG_OID, PKCS_12_KEY_BAG_OID, PKCS_12_PKCS8_KEY_BAG_OID,
    PKCS_12_SAFE_CONTENTS_BAG_OID, PKCS_12_X509_CERT_OID,
    kdf::{Pkcs12KeyType, derive_key},
};
use zeroize::Zeroizing;

use super::{
    ber,
    encrypted::encrypted_private_key,
    error,
    parsed::ParsedFile,
    pbe::{self, Key, Password},
};
use crate::{CertificateErrorKind, Error};

/// Opens the file.
///
/// Without a password the null and the empty one are tried, as OpenSSL and Windows do, and also
/// after a password that does not fit: a file without one opens whatever was given.
pub(super) fn open(bytes: &[u8], password: Option<&Secret>) -> Result<ParsedFile, Error> {
    let file = ber::to_der(bytes).ok_or_else(damaged)?;
    let (content, mac) = parts(&file).map_err(|source| damaged().with_source(source))?;
    let (content_type, content) = content;
    if content_type != DATA {
        return Err(unsupported("a signature in place of a password"));
    }
    let content = <&OctetStringRef>::from_der(content)
        .map_err(|source| damaged().with_source(source))?
        .as_bytes();
    let given = password.map(Password::of);
    let mut opening = PfxReader {
        passwords: given
            .into_iter()
            .chain([Password::Null, Password::Text("")])
            .collect(),
        with_password: password.is_some_and(|password| !password.is_empty()),
        found: ParsedFile::default(),
    };
    if let Some(mac) = mac {
        opening.check(&mac, content)?;
    }
    let safes = ber::to_der(content).ok_or_else(damaged)?;
    let safes = elements(&safes).map_err(|source| damaged().with_source(source))?;
    for safe in safes {
        // Another one may have the pair.
        if let Err(error) = opening.safe(safe) {
            opening.found.unreadable.get_or_insert(error);
        }
    }
    Ok(opening.found)
}

struct PfxReader<'a> {
    passwords: Vec<Password<'a>>,
    with_password: bool,
    found: ParsedFile,
}

impl PfxReader<'_> {
    /// Checks the integrity of the file, and keeps the passwords that match.
    fn check(&mut self, mac: &Mac<'_>, content: &[u8]) -> Result<(), Error> {
        let mut fits = false;
        for &password in &self.passwords {
            if mac.fits(content, password)? {
                // Encryption and MAC may encode an absent password in different forms.
                if let Password::Text(text) = password
                    && !text.is_empty()
                {
                    self.passwords = vec![password];
                }
                fits = true;
                break;
            }
        }
        if fits { Ok(()) } else { Err(self.wrong()) }
    }

    /// One part of the file, which may be encrypted as a whole.
    fn safe(&mut self, info: &[u8]) -> Result<(), Error> {
        let (kind, content) = content_info(info).map_err(|source| damaged().with_source(source))?;
        match kind {
            DATA => {
                let bags = <&OctetStringRef>::from_der(content)
                    .map_err(|source| damaged().with_source(source))?;
                self.bags(bags.as_bytes(), 0)
            }
            ENCRYPTED_DATA => {
                let (algorithm, sealed) =
                    encrypted_data(content).map_err(|source| damaged().with_source(source))?;
                let joined;
                let sealed = match sealed.in_pieces {
                    true => {
                        joined = ber::joined(sealed.bytes).ok_or_else(damaged)?;
                        joined.as_slice()
                    }
                    false => sealed.bytes,
                };
                let bags = self.decrypt(algorithm, sealed)?;
                self.bags(&bags, 0)
            }
            _ => Err(unsupported("a public key")),
        }
    }

    fn bags(&mut self, bags: &[u8], depth: u8) -> Result<(), Error> {
        let malformed = |source| damaged().with_source(source);
        let bags = ber::to_der(bags).ok_or_else(damaged)?;
        for bag in elements(&bags).map_err(malformed)? {
            let (kind, value) = content_info(bag).map_err(malformed)?;
            match kind {
                PKCS_12_KEY_BAG_OID => self.found.keys.push(Zeroizing::new(value.to_vec())),
                PKCS_12_PKCS8_KEY_BAG_OID => {
                    let (algorithm, sealed) = encrypted_private_key(value).map_err(malformed)?;
                    match self.decrypt(algorithm, sealed) {
                        Ok(key) => self.found.keys.push(key),
                        Err(error) => {
                            self.found.unreadable.get_or_insert(error);
                        }
                    }
                }
                PKCS_12_CERT_BAG_OID => {
                    let (kind, value) = content_info(value).map_err(malformed)?;
                    if kind == PKCS_12_X509_CERT_OID {
                        let certificate = <&OctetStringRef>::from_der(value).map_err(malformed)?;
                        self.found
                            .certificates
                            .push(certificate.as_bytes().to_vec());
                    }
                }
                PKCS_12_SAFE_CONTENTS_BAG_OID if depth < DEEPEST => self.bags(value, depth + 1)?,
                // Revocation lists and secrets do not matter here.
                _ => {}
            }
        }
        Ok(())
    }

    /// Decrypts with the first password that gives something readable: a wrong one may leave what
    /// looks like valid padding.
    fn decrypt(&self, algorithm: AlgorithmIdentifierRef<'_>, sealed: &[u8]) -> Result<Key, Error> {
        for &password in &self.passwords {
            match pbe::decrypt(algorithm, sealed, password) {
                Ok(plain) if ber::to_der(&plain).is_some() => return Ok(plain),
                Err(error)
                    if error.certificate_error() != Some(CertificateErrorKind::WrongPassphrase) =>
                {
                    return Err(error);
                }
                _ => {}
            }
        }
        Err(self.wrong())
    }

    fn wrong(&self) -> Error {
        if self.with_password {
            return error::wrong_passphrase();
        }
        error::error(
            CertificateErrorKind::PassphraseMissing,
            "the PKCS#12 file has a password, and none was given",
            "give the password that the file was exported with",
        )
    }
}

/// The integrity protection of the file.
struct Mac<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    digest: &'a [u8],
    salt: &'a [u8],
    rounds: u32,
}

impl Mac<'_> {
    fn fits(&self, content: &[u8], password: Password<'_>) -> Result<bool, Error> {
        let (algorithm, key) = self.key(password)?;
        let tag = hmac::sign(&hmac::Key::new(algorithm, &key), content);
        Ok(constant_time::verify_slices_are_equal(tag.as_ref(), self.digest).is_ok())
    }

    fn key(&self, password: Password<'_>) -> Result<(hmac::Algorithm, Key), Error> {
        let unknown = || unsupported("a MAC of an unknown algorithm");
        if self.algorithm.oid == PBMAC1 {
            return self.pbmac1(password).ok_or_else(unknown);
        }
        let rounds = pbe::rounds(self.rounds).ok_or_else(unknown)?;
        let password = password.utf16();
        let mac = Pkcs12KeyType::Mac;
        let (algorithm, key) = match self.algorithm.oid {
            SHA1 => (
                hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                derive_key::<sha1::Sha1>(&password, self.salt, mac, rounds, 20),
            ),
            SHA224 => (
                hmac::HMAC_SHA224,
                derive_key::<sha2::Sha224>(&password, self.salt, mac, rounds, 28),
            ),
            SHA256 => (
                hmac::HMAC_SHA256,
                derive_key::<sha2::Sha256>(&password, self.salt, mac, rounds, 32),
            ),
            SHA384 => (
                hmac::HMAC_SHA384,
                derive_key::<sha2::Sha384>(&password, self.salt, mac, rounds, 48),
            ),
            SHA512 => (
                hmac::HMAC_SHA512,
                derive_key::<sha2::Sha512>(&password, self.salt, mac, rounds, 64),
            ),
            _ => return Err(unknown()),
        };
        Ok((algorithm, Zeroizing::new(key)))
    }

    /// PBMAC1 (RFC 9579): the key from PBKDF2, and an HMAC that is named beside it.
    fn pbmac1(&self, password: Password<'_>) -> Option<(hmac::Algorithm, Key)> {
        let mut reader = SliceReader::new(self.algorithm.parameters?.value()).ok()?;
        let derivation = AlgorithmIdentifierRef::decode(&mut reader).ok()?;
        let scheme = AlgorithmIdentifierRef::decode(&mut reader).ok()?;
        if derivation.oid != PBKDF2_OID {
            return None;
        }
        let Kdf::Pbkdf2(kdf) = Kdf::try_from(derivation).ok()? else {
            return None;
        };
        let algorithm = match scheme.oid {
            HMAC_SHA256 => hmac::HMAC_SHA256,
            HMAC_SHA384 => hmac::HMAC_SHA384,
            HMAC_SHA512 => hmac::HMAC_SHA512,
            _ => return None,
        };
        let length = usize::from(kdf.key_length?);
        Some((algorithm, pbe::pbkdf2_key(&kdf, password.utf8(), length)?))
    }
}

type Content<'a> = (ObjectIdentifier, &'a [u8]);

/// `PFX`: the content with its type, and the MAC if there is one.
fn parts(file: &[u8]) -> Result<(Content<'_>, Option<Mac<'_>>), der::Error> {
    let mut reader = SliceReader::new(file)?;
    reader.sequence(|pfx| {
        u8::decode(pfx)?;
        let content = content_info(pfx.tlv_bytes()?)?;
        if pfx.is_finished() {
            return Ok((content, None));
        }
        let mac = pfx.sequence(|mac| {
            let (algorithm, digest) = mac.sequence(|digest| {
                let algorithm = AlgorithmIdentifierRef::decode(digest)?;
                Ok::<_, der::Error>((algorithm, <&OctetStringRef>::decode(digest)?.as_bytes()))
            })?;
            Ok::<_, der::Error>(Mac {
                algorithm,
                digest,
                salt: <&OctetStringRef>::decode(mac)?.as_bytes(),
                rounds: match mac.is_finished() {
                    true => 1,
                    false => u32::decode(mac)?,
                },
            })
        })?;
        Ok((content, Some(mac)))
    })
}

/// `ContentInfo`, `SafeBag` and `CertBag` alike: a type and, explicitly tagged, its value. Further
/// attributes do not matter.
fn content_info(info: &[u8]) -> Result<Content<'_>, der::Error> {
    let mut reader = SliceReader::new(info)?;
    reader.sequence(|info| {
        let kind = ObjectIdentifier::decode(info)?;
        let value = AnyRef::decode(info)?;
        if value.tag() != EXPLICIT {
            return Err(value.tag().unexpected_error(Some(EXPLICIT)).into());
        }
        drain(info)?;
        Ok((kind, value.value()))
    })
}

/// Encrypted content, in pieces if BER has it so.
struct Sealed<'a> {
    in_pieces: bool,
    bytes: &'a [u8],
}

/// The algorithm and the content of CMS' `EncryptedData`.
fn encrypted_data(data: &[u8]) -> Result<(AlgorithmIdentifierRef<'_>, Sealed<'_>), der::Error> {
    let mut reader = SliceReader::new(data)?;
    reader.sequence(|data| {
        u8::decode(data)?;
        let parts = data.sequence(|content| {
            content.tlv_bytes()?;
            let algorithm = AlgorithmIdentifierRef::decode(content)?;
            let sealed = AnyRef::decode(content)?;
            let sealed = Sealed {
                in_pieces: sealed.tag().is_constructed(),
                bytes: sealed.value(),
            };
            Ok::<_, der::Error>((algorithm, sealed))
        })?;
        drain(data)?;
        Ok(parts)
    })
}

/// The elements of a sequence, each with its header.
fn elements(sequence: &[u8]) -> Result<Vec<&[u8]>, der::Error> {
    let mut reader = SliceReader::new(sequence)?;
    reader.sequence(|sequence| {
        let mut elements = Vec::new();
        while !sequence.is_finished() {
            elements.push(sequence.tlv_bytes()?);
        }
        Ok(elements)
    })
}

fn drain<'a>(reader: &mut SliceReader<'a>) -> Result<(), der::Error> {
    while !reader.is_finished() {
        reader.tlv_bytes()?;
    }
    Ok(())
}

fn damaged() -> Error {
    error::malformed("the PKCS#12 file is damaged")
}

fn unsupported(what: &str) -> Error {
    error::error(
        CertificateErrorKind::UnsupportedEncryption,
        format!("the PKCS#12 file is protected with {what}, which is not supported"),
        "export it again with a password, AES-256 and SHA-256",
    )
}

/// Writes key and certificates: AES-256-CBC under PBKDF2, with an HMAC-SHA-256 over everything.
#[cfg(feature = "certificate-kit")]
pub(super) fn seal(
    key: &[u8],
    certificates: &[&[u8]],
    password: &Secret,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    use p12_keystore::{KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain, error::Error};

    let failed =
        |source: Error| error::crypto("the PKCS#12 file could not be made").with_source(source);
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

const EXPLICIT: Tag = Tag::ContextSpecific {
    constructed: true,
    number: TagNumber(0),
};
const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const PBMAC1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.14");
const HMAC_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.9");
const HMAC_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.10");
const HMAC_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.11");
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA224: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.4");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
/// The deepest nesting of bags.
const DEEPEST: u8 = 8;
#[cfg(feature = "certificate-kit")]
const ALIAS: &str = "entra";
/// Ties the key to its certificate within the file.
#[cfg(feature = "certificate-kit")]
const LOCAL_KEY_ID: &[u8] = &[1];
/// A number that other programs accept: the derivation runs three times.
#[cfg(feature = "certificate-kit")]
const ITERATIONS: u32 = 50_000;
