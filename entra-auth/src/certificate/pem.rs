//! PEM text: labelled base64, possibly with headers, among anything else.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use entra_core::Secret;
use zeroize::Zeroizing;

use super::error;
use crate::Error;

/// One `BEGIN`…`END` block.
pub(super) struct Section {
    pub(super) label: String,
    /// The value of the header `DEK-Info`, which OpenSSL's traditional encryption writes.
    pub(super) dek_info: Option<String>,
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// Whether the text has a block.
#[inline]
pub(super) fn is_pem(bytes: &[u8]) -> bool {
    find(bytes, BEGIN).is_some()
}

/// The text without NUL bytes, which turns UTF-16 as a shell's redirection writes it into ASCII.
///
/// PEM is ASCII, so nothing of a block is lost, whatever the byte order, and half of a file may
/// be UTF-16. DER is not changed.
#[inline]
pub(super) fn without_nul(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut plain = Zeroizing::new(Vec::with_capacity(bytes.len()));
    if bytes.first() == Some(&0x30) {
        plain.extend_from_slice(bytes);
    } else {
        plain.extend(bytes.iter().copied().filter(|&byte| byte != 0));
    }
    plain
}

/// All blocks in order; text around them, such as OpenSSL's bag attributes, is skipped.
///
/// Blocks are found by their boundaries, not by lines: CI variables and secret stores turn line
/// breaks into blanks, bare carriage returns or a literal `\n`.
#[inline]
pub(super) fn sections(bytes: &[u8]) -> Result<Vec<Section>, Error> {
    let text = without_nul(bytes);
    let mut rest: &[u8] = &text;
    let mut sections = Vec::new();
    while let Some(at) = find(rest, BEGIN) {
        let (label, after) = label(&rest[at + BEGIN.len()..])?;
        let Some(end) = find(after, DASHES) else {
            return Err(no_end(&label));
        };
        let body = &after[..end];
        let Some(closing) = after[end..].strip_prefix(END) else {
            return Err(no_end(&label));
        };
        let (closing, after) = self::label(closing)?;
        if closing != label {
            return Err(no_end(&label));
        }
        sections.push(section(label, body)?);
        rest = after;
    }
    Ok(sections)
}

/// One block with this label.
#[inline]
pub(super) fn encode(label: &str, der: &[u8]) -> Secret {
    let body = Zeroizing::new(STANDARD.encode(der));
    let lines = body.len().div_ceil(WIDTH);
    // Allocated once: a buffer that grows leaves copies of a key behind.
    let mut text = String::with_capacity(body.len() + lines + 2 * label.len() + 40);
    text.extend(["-----BEGIN ", label, "-----\n"]);
    let mut rest: &str = &body;
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(WIDTH));
        text.extend([line, "\n"]);
        rest = after;
    }
    text.extend(["-----END ", label, "-----\n"]);
    Secret::from(text)
}

/// The label and what follows its boundary.
///
/// Only what looks like a label is kept, because errors print it: anything else may be a key.
#[inline]
fn label(bytes: &[u8]) -> Result<(String, &[u8]), Error> {
    let invalid = || error::malformed("a boundary of a PEM block has an invalid label");
    let end = find(bytes, DASHES).ok_or_else(invalid)?;
    let label = &bytes[..end];
    let valid = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ';
    if label.len() > LONGEST_LABEL || !label.iter().all(valid) {
        return Err(invalid());
    }
    let label = std::str::from_utf8(label).map_err(|_| invalid())?;
    Ok((label.trim().to_owned(), &bytes[end + DASHES.len()..]))
}

#[inline]
fn no_end(label: &str) -> Error {
    error::malformed(format!("the PEM block{} has no end", shown(label)))
}

/// A known label to print. An unknown one could be made of key text.
#[inline]
fn shown(label: &str) -> String {
    if KNOWN.contains(&label) {
        format!(" {label}")
    } else {
        String::new()
    }
}

#[inline]
fn section(label: String, body: &[u8]) -> Result<Section, Error> {
    let body = with_line_breaks(body);
    let (dek_info, body) = dek_info(&body);
    let mut base64 = Zeroizing::new(Vec::with_capacity(body.len()));
    for line in body.split(|&byte| byte == b'\n') {
        // Other headers are of no use here.
        if !line.contains(&b':') {
            base64.extend(line.iter().copied().filter(is_base64));
        }
    }
    // The decoder's error names bytes of the key.
    let der = STANDARD
        .decode(&*base64)
        .map(Zeroizing::new)
        .map_err(|_| error::malformed(format!("the PEM block{} is not base64", shown(&label))))?;
    Ok(Section {
        label,
        dek_info,
        der,
    })
}

/// The value of the header `DEK-Info`, and what follows it.
///
/// The header ends where its initialization vector does, because the line break after it may have
/// become a blank, or be gone.
#[inline]
fn dek_info(body: &[u8]) -> (Option<String>, &[u8]) {
    let Some(at) = find(body, DEK_INFO) else {
        return (None, body);
    };
    let value = body[at + DEK_INFO.len()..].trim_ascii_start();
    let comma = value.iter().position(|&byte| byte == b',');
    let Some(comma) = comma.filter(|&comma| comma <= LONGEST_LABEL) else {
        return (Some(String::new()), &[]);
    };
    let (cipher, vector) = (&value[..comma], &value[comma + 1..]);
    let longest = if cipher.starts_with(b"DES") { 16 } else { 32 };
    let digits = vector.iter().take(longest);
    let length = digits.take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (header, rest) = value.split_at(comma + 1 + length);
    (Some(String::from_utf8_lossy(header).into_owned()), rest)
}

/// Characters between boundaries that stand for line breaks: white space, quotation marks, commas.
const fn is_base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Every form of line break as one byte: bare carriage returns, and `\n` and `\r` written out,
/// with any number of backslashes.
#[inline]
pub(super) fn with_line_breaks(body: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(body.len()));
    let mut bytes = body.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' => text.push(b'\n'),
            b'\\' => {
                while bytes.next_if_eq(&b'\\').is_some() {}
                if bytes.next_if(|byte| matches!(byte, b'n' | b'r')).is_some() {
                    text.push(b'\n');
                }
            }
            other => text.push(other),
        }
    }
    text
}

#[inline]
fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

const DASHES: &[u8] = b"-----";
const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DEK_INFO: &[u8] = b"DEK-Info:";
const WIDTH: usize = 64;
const LONGEST_LABEL: usize = 64;
const KNOWN: [&str; 9] = [
    "CERTIFICATE",
    "X509 CERTIFICATE",
    "TRUSTED CERTIFICATE",
    "PRIVATE KEY",
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "DSA PRIVATE KEY",
    "OPENSSH PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
];
