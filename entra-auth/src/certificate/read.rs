//! Reads a certificate with its key from the bytes of a file of any format.

use aws_lc_rs::{rsa::KeyPair, signature::KeyPair as _};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use der::{Reader as _, SliceReader};
use entra_core::Secret;
use zeroize::Zeroizing;

use super::{
    error,
    pem::{self, Section},
    value::{Certificate, ChainCertificate},
    x509::unsupported_key,
};
use crate::{CertificateErrorKind, Error};

type Key = Zeroizing<Vec<u8>>;

/// The certificates and keys of a file, before the key is matched to its certificate.
#[derive(Default)]
pub(super) struct ParsedFile {
    pub(super) certificates: Vec<Vec<u8>>,
    /// PKCS#8 or PKCS#1.
    pub(super) keys: Vec<Key>,
    /// Why the first of the other keys cannot be read. A file may still hold an old one, so it only
    /// matters if no other key fits.
    pub(super) unreadable_key: Option<Error>,
    /// The first block that is neither a certificate nor a key.
    pub(super) no_certificate: Option<NoCertificate>,
}

/// A block that is read as a certificate.
#[derive(Clone, Copy)]
pub(super) enum NoCertificate {
    Request,
    Pkcs7,
}

/// The format of a file or text, by its content.
enum Form {
    Pem(Key),
    Pkcs12(Key),
    /// Other DER, such as a certificate alone.
    Der,
    /// Java's own keystore before PKCS#12.
    JavaKeystore,
    Unknown,
}

impl Form {
    #[inline]
    fn of(bytes: &[u8]) -> Self {
        let mut bytes = Zeroizing::new(bytes.to_vec());
        // Key Vault hands out a PKCS#12 file as base64 text, CI variables hold base64 of PEM, and
        // Kubernetes' secrets of either.
        for _ in 0..DEEPEST_BASE64 {
            let text = pem::without_nul(&bytes);
            if pem::is_pem(&text) {
                return Self::Pem(text);
            }
            let Some(decoded) = base64_text(&text) else {
                break;
            };
            bytes = decoded;
        }
        match outermost(&bytes) {
            Some(PFX) => Self::Pkcs12(bytes),
            Some(_) => Self::Der,
            None if bytes.starts_with(JAVA_KEYSTORE) => Self::JavaKeystore,
            None => Self::Unknown,
        }
    }

    /// Why this is not what was expected.
    #[inline]
    fn unexpected(&self, expected: &str) -> Error {
        match self {
            Self::Pem(_) => error::other_format(
                format!("this is PEM, not {expected}"),
                "read it with `Certificate::from_pem` or `from_bytes`",
            ),
            Self::Pkcs12(_) => error::other_format(
                format!("this is a PKCS#12 file, not {expected}"),
                "read it with `Certificate::from_pfx` or `from_bytes`",
            ),
            Self::Der => no_key(),
            Self::JavaKeystore => error::other_format(
                "this is a Java keystore (JKS), which is not supported",
                "convert it: keytool -importkeystore -srckeystore old.jks -destkeystore new.p12 -deststoretype pkcs12",
            ),
            Self::Unknown => error::malformed(format!("this is not {expected}")),
        }
    }
}

/// Reads PEM or PKCS#12, detected by its content.
#[inline]
pub(super) fn any(bytes: &[u8], passphrase: Option<&Secret>) -> Result<Certificate, Error> {
    match Form::of(bytes) {
        Form::Pem(text) => {
            let mut found = ParsedFile::default();
            collect(&text, passphrase, &mut found)?;
            assemble(found)
        }
        Form::Pkcs12(file) => assemble(pkcs12(&file, passphrase)?),
        Form::Unknown => Err(error::malformed(
            "the certificate is neither PEM nor PKCS#12",
        )),
        other => Err(other.unexpected("")),
    }
}

/// Reads certificate and key from one or more PEM texts, which may be base64 as a whole.
#[inline]
pub(super) fn from_pem(texts: &[&[u8]], passphrase: Option<&Secret>) -> Result<Certificate, Error> {
    let mut found = ParsedFile::default();
    for text in texts {
        match Form::of(text) {
            Form::Pem(text) => collect(&text, passphrase, &mut found)?,
            other => return Err(other.unexpected("PEM")),
        }
    }
    assemble(found)
}

/// Reads a PKCS#12 file or the base64 text of one.
#[cfg(feature = "pfx")]
#[inline]
pub(super) fn from_pfx(bytes: &[u8], password: Option<&Secret>) -> Result<Certificate, Error> {
    match Form::of(bytes) {
        Form::Pkcs12(file) => assemble(pkcs12(&file, password)?),
        other => Err(other.unexpected("a PKCS#12 file")),
    }
}

/// The content of the blocks of a PEM text.
#[inline]
fn collect(text: &[u8], passphrase: Option<&Secret>, found: &mut ParsedFile) -> Result<(), Error> {
    for section in pem::sections(text)? {
        match section.label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" => {
                found.certificates.push(section.der.to_vec());
            }
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
            }
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
                found.no_certificate = Some(NoCertificate::Request);
            }
            "PKCS7" | "CMS" => found.no_certificate = Some(NoCertificate::Pkcs7),
            label if label.ends_with("PRIVATE KEY") => match private_key(section, passphrase) {
                Ok(key) => found.keys.push(key),
                Err(error) => {
                    found.unreadable_key.get_or_insert(error);
                }
            },
            _ => {}
        }
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
        if let Some(error) = found.unreadable_key {
            return Err(error);
        }
        if found.certificates.is_empty() {
            return Err(error::malformed(
                "there is neither a certificate nor a private key",
            ));
        }
        return Err(no_key());
    }
    let mut links = found
        .certificates
        .into_iter()
        .map(ChainCertificate::read)
        .collect::<Result<Vec<_>, _>>()?;
    let Some(first) = links.first() else {
        return Err(no_certificate(found.no_certificate));
    };
    let first_problem = first.fields.rsa_public_key().err();
    let pairs: Vec<KeyPair> = found.keys.iter().filter_map(|key| rsa_pair(key)).collect();
    if pairs.is_empty() {
        // The certificate's public key explains the error better than the crypto library does.
        return Err(found.unreadable_key.or(first_problem).unwrap_or_else(|| {
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
        return Err(found.unreadable_key.or(first_problem).unwrap_or_else(|| {
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

/// The decoded text, if it is base64 of a minimum length, in either alphabet and with line breaks in
/// any form.
#[inline]
fn base64_text(text: &[u8]) -> Option<Key> {
    let text = pem::with_line_breaks(text);
    let mut compact = Zeroizing::new(Vec::with_capacity(text.len()));
    for mark in [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"] {
        if let Some(rest) = text.strip_prefix(mark) {
            return base64_text(rest);
        }
    }
    compact.extend(text.iter().filter_map(|&byte| match byte {
        b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        b'"' | b'\'' => None,
        blank if blank.is_ascii_whitespace() => None,
        other => Some(other),
    }));
    BASE64.decode(&*compact).ok().map(Zeroizing::new)
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
fn no_certificate(found: Option<NoCertificate>) -> Error {
    let (message, fix) = match found {
        None => (
            "there is a private key, but no certificate",
            "put the certificate (BEGIN CERTIFICATE) into the same file, or give both texts",
        ),
        Some(NoCertificate::Request) => (
            "there is a certificate request (CERTIFICATE REQUEST), but no certificate",
            "put the certificate that was issued for the request (BEGIN CERTIFICATE) in its place",
        ),
        Some(NoCertificate::Pkcs7) => (
            "the certificate is within PKCS#7, which is not supported",
            "take it out: openssl pkcs7 -print_certs -in old.p7b -out new.pem",
        ),
    };
    error::error(CertificateErrorKind::NoCertificate, message, fix)
}

/// What begins a DER sequence: three bytes that tell PKCS#12 from a certificate.
#[inline]
fn outermost(bytes: &[u8]) -> Option<&[u8]> {
    let (&0x30, rest) = bytes.split_first()? else {
        return None;
    };
    let length = match rest.first()? {
        length @ 0x81..=0x84 => usize::from(length & 0x7f) + 1,
        _ => 1,
    };
    rest.get(length..length + PFX.len())
}

/// With or without padding, which is often lost when the text is copied.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Base64 of base64 of the file.
const DEEPEST_BASE64: u8 = 3;
const JAVA_KEYSTORE: &[u8] = &[0xfe, 0xed, 0xfe, 0xed];
/// `version INTEGER (3)`, which only PKCS#12 starts with.
const PFX: &[u8] = &[0x02, 0x01, 0x03];
