//! The format of a certificate file, by its content.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

use super::{error, escapes::without_escapes, hex_text, parsed::NoCertificate, pem};
use crate::Error;

type Bytes = Zeroizing<Vec<u8>>;

/// What a file or text is.
pub(super) enum Form {
    Pem(Bytes),
    Pkcs12(Bytes),
    /// DER of a certificate alone.
    Certificate(Bytes),
    /// DER of a private key alone: PKCS#8 or PKCS#1.
    Key(Bytes),
    /// DER of an encrypted private key alone.
    EncryptedKey(Bytes),
    /// DER of a certificate request.
    Request,
    /// DER of certificates within PKCS#7.
    Pkcs7,
    /// A format that has to be converted, or nothing known.
    Other(Error),
}

impl Form {
    #[inline]
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut bytes = Zeroizing::new(bytes.to_vec());
        // Key Vault hands out a PKCS#12 file as base64 text, CI variables hold base64 of PEM,
        // Kubernetes' secrets of either, and databases write binary columns in hexadecimal.
        for _ in 0..DEEPEST_BASE64 {
            let text = pem::without_nul(&bytes);
            if pem::is_pem(&text) {
                return Self::Pem(text);
            }
            let text = without_mark(&text);
            let decoded = match json_value(text).or_else(|| hex_text::decoded(text)) {
                None if hex_text::is_dump(text) => {
                    return Self::Other(error::other_format(
                        "this is a hexadecimal dump of a file",
                        "give the file itself: xxd -r dump.txt new.pfx, or certutil -decodehex dump.txt new.pfx",
                    ));
                }
                None => base64_text(text),
                decoded => decoded,
            };
            let Some(decoded) = decoded else {
                break;
            };
            bytes = decoded;
        }
        Self::of_der(bytes)
    }

    fn of_der(bytes: Bytes) -> Self {
        let Some(content) = content(&bytes) else {
            return Self::Other(unknown(&bytes));
        };
        match content {
            [0x02, ..] if content.starts_with(PFX_VERSION) => Self::Pkcs12(bytes),
            [0x02, ..] => Self::Key(bytes),
            [0x06, ..] => Self::Pkcs7,
            _ => match self::content(content) {
                Some([0x06, ..]) => Self::EncryptedKey(bytes),
                Some([0x02, 0x01, 0x00, ..]) => Self::Request,
                Some(_) => Self::Certificate(bytes),
                None => Self::Other(unknown(&bytes)),
            },
        }
    }

    /// Why this is not what was expected.
    #[inline]
    pub(super) fn unexpected(self, expected: &str) -> Error {
        let (found, reader) = match self {
            Self::Other(error) => return error,
            Self::Pem(_) => ("PEM", "`Certificate::from_pem` or `from_bytes`"),
            Self::Pkcs12(_) => ("a PKCS#12 file", "`Certificate::from_pfx` or `from_bytes`"),
            Self::Certificate(_) => (
                "a certificate alone",
                "`Certificate::from_pem_and_key`, with its private key",
            ),
            Self::Key(_) | Self::EncryptedKey(_) => (
                "a private key alone",
                "`Certificate::from_pem_and_key`, with its certificate",
            ),
            Self::Request => return NoCertificate::Request.error(),
            Self::Pkcs7 => return NoCertificate::Pkcs7.error(),
        };
        error::other_format(
            format!("this is {found}, not {expected}"),
            format!("read it with {reader}"),
        )
    }
}

/// What is known of other formats.
fn unknown(bytes: &[u8]) -> Error {
    if bytes.starts_with(JAVA_KEYSTORE) || bytes.starts_with(JAVA_KEYSTORE_OF_JCE) {
        return error::other_format(
            "this is a Java keystore (JKS or JCEKS), which is not supported",
            "convert it: keytool -importkeystore -srckeystore old.jks -destkeystore new.p12 -deststoretype pkcs12",
        );
    }
    if bytes.starts_with(b"PuTTY-User-Key-File") {
        return error::other_format(
            "this is a key in PuTTY's own format, which is not supported",
            "convert it: puttygen old.ppk -O private-openssh -o key, then ssh-keygen -p -m PEM -f key",
        );
    }
    if pem::was_pem(bytes) {
        return error::other_format(
            "this was PEM, but its boundaries are no longer five hyphens, BEGIN or END, a label and five hyphens",
            "copy the file again as plain text: a program has changed hyphens or blanks",
        );
    }
    error::malformed("the certificate is neither PEM nor PKCS#12")
}

/// The text without a byte order mark, which stays when the NUL bytes of UTF-16 are removed.
fn without_mark(text: &[u8]) -> &[u8] {
    let marks = [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"];
    let without = marks.iter().find_map(|mark| text.strip_prefix(*mark));
    // A file that was converted twice has two.
    without.map_or(text, without_mark)
}

/// The `value` of a secret as Key Vault returns it in JSON.
fn json_value(text: &[u8]) -> Option<Bytes> {
    #[derive(serde::Deserialize)]
    struct KeyVaultSecret<'a> {
        #[serde(borrow)]
        value: std::borrow::Cow<'a, str>,
    }
    let text = text.trim_ascii();
    if text.first() != Some(&b'{') {
        return None;
    }
    let secret: KeyVaultSecret<'_> = serde_json::from_slice(text).ok()?;
    Some(Zeroizing::new(secret.value.into_owned().into_bytes()))
}

/// The decoded text, if it is base64 of a minimum length, in either alphabet and with line breaks in
/// any form.
fn base64_text(text: &[u8]) -> Option<Bytes> {
    let text = match text.strip_prefix(b"data:") {
        Some(url) => {
            let marker = b";base64,";
            let at = url.windows(marker.len()).position(|part| part == marker)?;
            &url[at + marker.len()..]
        }
        None => text,
    };
    let text = without_escapes(text);
    let mut compact = Zeroizing::new(Vec::with_capacity(text.len()));
    compact.extend(text.iter().filter_map(|&byte| match byte {
        b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        b'"' | b'\'' => None,
        blank if blank.is_ascii_whitespace() => None,
        other => Some(other),
    }));
    BASE64.decode(&*compact).ok().map(Zeroizing::new)
}

/// What is within a DER sequence, without a check of its length.
fn content(bytes: &[u8]) -> Option<&[u8]> {
    let (&0x30, rest) = bytes.split_first()? else {
        return None;
    };
    let length = match rest.first()? {
        length @ 0x81..=0x84 => usize::from(length & 0x7f) + 1,
        _ => 1,
    };
    rest.get(length..).filter(|content| !content.is_empty())
}

/// With or without padding, which is often lost when the text is copied.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Base64 of base64 of the file.
const DEEPEST_BASE64: u8 = 3;
const JAVA_KEYSTORE: &[u8] = &[0xfe, 0xed, 0xfe, 0xed];
const JAVA_KEYSTORE_OF_JCE: &[u8] = &[0xce, 0xce, 0xce, 0xce];
/// `version INTEGER (3)`, which only PKCS#12 starts with.
const PFX_VERSION: &[u8] = &[0x02, 0x01, 0x03];
