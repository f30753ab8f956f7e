//! Reads a certificate with its key from the bytes of a file of any format.

use std::path::Path;

use aws_lc_rs::{rsa::KeyPair, signature::KeyPair as _};
use der::{Reader as _, SliceReader};
use entra_core::Secret;
use zeroize::Zeroizing;

use super::{
    error, file,
    form::Form,
    parsed::{NoCertificate, ParsedFile},
    pem::{self, Section},
    value::{Certificate, ChainCertificate},
    x509::unsupported_key,
};
use crate::{CertificateErrorKind, Error};

type Key = Zeroizing<Vec<u8>>;

impl Certificate {
    /// Reads certificate and unencrypted private key (PKCS#8 or PKCS#1) from one PEM text.
    ///
    /// Further certificates in it become the chain; text between the blocks does not matter. Line
    /// breaks may have become blanks, bare CR or a literal `\n`, and the text may be UTF-16 or
    /// base64 as a whole.
    ///
    /// # Errors
    /// [`Error`] with a [`certificate_error`](Error::certificate_error) when a part is missing, damaged,
    /// encrypted or not an RSA key, or when
    /// the key belongs to another certificate.
    #[inline]
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        from_pem(&[pem.as_ref()], None)
    }

    /// Reads certificate and unencrypted private key from two PEM texts.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem).
    #[inline]
    pub fn from_pem_and_key(
        certificate: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
    ) -> Result<Self, Error> {
        from_pem(&[certificate.as_ref(), key.as_ref()], None)
    }

    /// Reads certificate and encrypted private key from one PEM text.
    ///
    /// PKCS#8 with AES or triple DES, and OpenSSL's traditional encryption, can be opened.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem), and when the passphrase is not the right one.
    #[cfg(feature = "encrypted-pem")]
    #[inline]
    pub fn from_encrypted_pem(pem: impl AsRef<[u8]>, passphrase: &Secret) -> Result<Self, Error> {
        from_pem(&[pem.as_ref()], Some(passphrase))
    }

    /// Reads certificate, private key and chain from a PKCS#12 file (`.pfx`, `.p12`), in DER or
    /// BER, or from its base64 text, as Key Vault hands it out.
    ///
    /// A file without a password opens whatever password is given, also one whose keys were
    /// derived from no password at all.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem), and when the password is not the right one.
    #[cfg(feature = "pfx")]
    #[inline]
    pub fn from_pfx(pfx: impl AsRef<[u8]>, password: &Secret) -> Result<Self, Error> {
        from_pfx(pfx.as_ref(), Some(password))
    }

    /// Reads any of the formats, detected by the content.
    ///
    /// # Errors
    /// As the functions for each format, and [`CertificateErrorKind::FeatureDisabled`] when this
    /// build lacks the feature for its format.
    #[inline]
    pub fn from_bytes(bytes: impl AsRef<[u8]>, passphrase: Option<&Secret>) -> Result<Self, Error> {
        any(bytes.as_ref(), passphrase)
    }

    /// Reads any of the formats from a file.
    ///
    /// # Errors
    /// As [`from_bytes`](Self::from_bytes), and when the file cannot be read.
    #[inline]
    pub fn from_file(path: impl AsRef<Path>, passphrase: Option<&Secret>) -> Result<Self, Error> {
        Self::from_bytes(file::read(path.as_ref())?, passphrase)
    }
}

/// Reads PEM or PKCS#12, detected by its content.
#[inline]
fn any(bytes: &[u8], passphrase: Option<&Secret>) -> Result<Certificate, Error> {
    match Form::of(bytes) {
        Form::Pkcs12(file) => assemble(pkcs12(&file, passphrase)?),
        other => {
            let mut found = ParsedFile::default();
            collect(other, passphrase, &mut found)?;
            assemble(found)
        }
    }
}

/// Reads certificate and key from one or more PEM texts, which may be base64 as a whole. One of several
/// may be DER.
#[inline]
fn from_pem(texts: &[&[u8]], passphrase: Option<&Secret>) -> Result<Certificate, Error> {
    let mut found = ParsedFile::default();
    for text in texts {
        collect(Form::of(text), passphrase, &mut found)?;
    }
    assemble(found)
}

/// Reads a PKCS#12 file or the base64 text of one.
#[cfg(feature = "pfx")]
#[inline]
fn from_pfx(bytes: &[u8], password: Option<&Secret>) -> Result<Certificate, Error> {
    match Form::of(bytes) {
        Form::Pkcs12(file) => assemble(pkcs12(&file, password)?),
        other => Err(other.unexpected("a PKCS#12 file")),
    }
}

/// The content of a file that is not PKCS#12.
#[inline]
fn collect(form: Form, passphrase: Option<&Secret>, found: &mut ParsedFile) -> Result<(), Error> {
    match form {
        Form::Pem(text) => collect_blocks(&text, passphrase, found),
        Form::Certificate(der) => found.certificates.push(der.to_vec()),
        Form::Key(der) => found.keys.push(der),
        Form::EncryptedKey(der) => {
            let (label, dek_info) = ("ENCRYPTED PRIVATE KEY".to_owned(), None);
            let key = Section {
                label,
                dek_info,
                der,
            };
            found.keys.push(private_key(key, passphrase)?);
        }
        Form::Request => found.no_certificate = Some(NoCertificate::Request),
        Form::Pkcs7 => found.no_certificate = Some(NoCertificate::Pkcs7),
        other => return Err(other.unexpected("PEM")),
    }
    Ok(())
}

/// The content of the blocks of a PEM text.
#[inline]
fn collect_blocks(text: &[u8], passphrase: Option<&Secret>, found: &mut ParsedFile) {
    let blocks = pem::blocks(text);
    for section in blocks.sections {
        if let Err(error) = collect_section(section, passphrase, found) {
            found.unreadable.get_or_insert(error);
        }
    }
    found.unreadable = found.unreadable.take().or(blocks.unreadable);
}

#[inline]
fn collect_section(
    section: Section,
    passphrase: Option<&Secret>,
    found: &mut ParsedFile,
) -> Result<(), Error> {
    match section.label.as_str() {
        "CERTIFICATE" | "X509 CERTIFICATE" => found.certificates.push(section.der.to_vec()),
        // OpenSSL appends its trust settings to the certificate.
        "TRUSTED CERTIFICATE" => {
            let mut reader = SliceReader::new(&section.der).map_err(unreadable)?;
            let certificate = reader.tlv_bytes().map_err(unreadable)?;
            found.certificates.push(certificate.to_vec());
        }
        // As GnuTLS writes a PKCS#12 file.
        "PKCS12" => {
            let file = pkcs12(&section.der, passphrase)?;
            found.certificates.extend(file.certificates);
            found.keys.extend(file.keys);
            return file.unreadable.map_or(Ok(()), Err);
        }
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
            found.no_certificate = Some(NoCertificate::Request);
        }
        "PKCS7" | "CMS" => found.no_certificate = Some(NoCertificate::Pkcs7),
        label if label.ends_with("PRIVATE KEY") => {
            found.keys.push(private_key(section, passphrase)?);
        }
        _ => {}
    }
    Ok(())
}

#[cfg(feature = "pfx")]
#[inline]
fn pkcs12(bytes: &[u8], password: Option<&Secret>) -> Result<ParsedFile, Error> {
    super::pfx::open(bytes, password)
}

#[cfg(not(feature = "pfx"))]
#[inline]
fn pkcs12(_: &[u8], _: Option<&Secret>) -> Result<ParsedFile, Error> {
    Err(error::feature_disabled(
        "a PKCS#12 file (.pfx, .p12)",
        "pfx",
    ))
}

/// The certificate that the key belongs to, and the others in the order of their issuers.
#[inline]
pub(super) fn assemble(found: ParsedFile) -> Result<Certificate, Error> {
    if found.keys.is_empty() {
        if let Some(error) = found.unreadable {
            return Err(error);
        }
        if found.certificates.is_empty() {
            return Err(found.no_certificate.map_or_else(
                || error::malformed("there is neither a certificate nor a private key"),
                NoCertificate::error,
            ));
        }
        return Err(no_key());
    }
    let mut unreadable = found.unreadable;
    let mut links = Vec::with_capacity(found.certificates.len());
    for certificate in found.certificates {
        match ChainCertificate::read(certificate) {
            Ok(link) => links.push(link),
            Err(error) => {
                unreadable.get_or_insert(error);
            }
        }
    }
    let Some(first) = links.first() else {
        return Err(unreadable.unwrap_or_else(|| {
            found
                .no_certificate
                .map_or_else(certificate_missing, NoCertificate::error)
        }));
    };
    let first_problem = first.fields.rsa_public_key().err();
    let pairs: Vec<KeyPair> = found.keys.iter().filter_map(|key| rsa_pair(key)).collect();
    if pairs.is_empty() {
        // The certificate's public key explains the error better than the crypto library does.
        return Err(unreadable.or(first_problem).unwrap_or_else(|| {
            unsupported_key("a private key that is not an RSA key of at least 2048 bits")
        }));
    }
    // A renewed file may still hold the old key, or the old pair: the pair that expires last is used.
    let fitting = pairs.into_iter().filter_map(|pair| {
        let public_key = pair.public_key().as_ref().to_vec();
        let at = (0..links.len())
            .rev()
            .filter(|&at| {
                let own = links
                    .get(at)
                    .and_then(|link| link.fields.rsa_public_key().ok());
                own == Some(public_key.as_slice())
            })
            .max_by_key(|&at| links.get(at).map(|link| link.fields.not_after))?;
        Some((pair, at))
    });
    let best = fitting.max_by_key(|(_, at)| links.get(*at).map(|link| link.fields.not_after));
    let Some((pair, at)) = best else {
        return Err(unreadable.or(first_problem).unwrap_or_else(|| {
            error::error(
                CertificateErrorKind::KeyMismatch,
                "the private key belongs to another certificate",
                "use the key that the certificate was made with: file names tend to get mixed up when a certificate is renewed",
            )
        }));
    };
    let leaf = links.remove(at);
    let chain = chain(&leaf, links);
    Certificate::new(leaf, chain, &pair)
}

/// Each certificate is the issuer of the one before it; other certificates are dropped.
#[inline]
fn chain(leaf: &ChainCertificate, mut others: Vec<ChainCertificate>) -> Vec<ChainCertificate> {
    let mut chain = Vec::new();
    let mut wanted = (leaf.fields.subject.clone(), leaf.fields.issuer.clone());
    while wanted.0 != wanted.1 {
        let Some(at) = others
            .iter()
            .position(|other| other.fields.subject == wanted.1)
        else {
            break;
        };
        let issuer = others.swap_remove(at);
        wanted = (issuer.fields.subject.clone(), issuer.fields.issuer.clone());
        chain.push(issuer);
    }
    chain
}

#[inline]
fn unreadable(source: der::Error) -> Error {
    error::malformed("the trusted certificate cannot be read").with_source(source)
}

#[inline]
fn private_key(section: Section, passphrase: Option<&Secret>) -> Result<Key, Error> {
    let traditional = section.dek_info.is_some();
    match section.label.as_str() {
        "ENCRYPTED PRIVATE KEY" => decrypt(&section, passphrase),
        _ if traditional => decrypt(&section, passphrase),
        "PRIVATE KEY" | "RSA PRIVATE KEY" => Ok(section.der),
        "EC PRIVATE KEY" => Err(unsupported_key("an elliptic-curve key")),
        "OPENSSH PRIVATE KEY" => Err(error::other_format(
            "the private key is in OpenSSH's own format, which is not supported",
            "write it as PEM: ssh-keygen -p -m PEM -f key",
        )),
        // The label is not repeated: an unknown one could be made of key text.
        _ => Err(error::malformed(
            "a private key of this kind cannot be used to sign in",
        )),
    }
}

#[cfg(feature = "encrypted-pem")]
#[inline]
fn decrypt(section: &Section, passphrase: Option<&Secret>) -> Result<Key, Error> {
    super::encrypted::open(section, passphrase)
}

#[cfg(not(feature = "encrypted-pem"))]
#[inline]
fn decrypt(_: &Section, _: Option<&Secret>) -> Result<Key, Error> {
    Err(error::feature_disabled(
        "an encrypted private key",
        "encrypted-pem",
    ))
}

#[inline]
fn rsa_pair(key: &[u8]) -> Option<KeyPair> {
    KeyPair::from_pkcs8(key)
        .or_else(|_| KeyPair::from_der(key))
        .ok()
}

#[inline]
fn no_key() -> Error {
    error::error(
        CertificateErrorKind::NoKey,
        "there is a certificate, but no private key",
        "export the private key as well (PEM with BEGIN PRIVATE KEY, or PKCS#12); the .cer file that was uploaded holds the public part only",
    )
}

#[inline]
fn certificate_missing() -> Error {
    error::error(
        CertificateErrorKind::NoCertificate,
        "there is a private key, but no certificate",
        "put the certificate (BEGIN CERTIFICATE) into the same file, or give both texts",
    )
}
