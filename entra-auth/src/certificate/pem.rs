//! PEM text: labelled base64, possibly with headers, among anything else.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use entra_core::Secret;
use zeroize::Zeroizing;

use super::{error, escapes::without_escapes};
use crate::Error;

/// One `BEGIN`…`END` block.
pub(super) struct Section {
    pub(super) label: String,
    /// The value of the header `DEK-Info`, which OpenSSL's traditional encryption writes.
    pub(super) dek_info: Option<String>,
    /// Empty where the label is of neither a certificate nor a key.
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// The blocks of a text.
#[derive(Default)]
pub(super) struct Blocks {
    pub(super) sections: Vec<Section>,
    /// Why the first of the other blocks cannot be read.
    pub(super) unreadable: Option<Error>,
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

/// Whether it could be PEM whose boundaries something has changed.
#[inline]
pub(super) fn was_pem(bytes: &[u8]) -> bool {
    [&b"BEGIN CERTIFICATE"[..], b"PRIVATE KEY"]
        .iter()
        .any(|words| find(bytes, words).is_some())
}

/// All blocks in order; text around them, such as OpenSSL's bag attributes, is skipped.
///
/// Blocks are found by their boundaries, not by lines: CI variables and secret stores turn line
/// breaks into blanks, bare carriage returns or a literal `\n`.
#[inline]
pub(super) fn blocks(bytes: &[u8]) -> Blocks {
    let text = without_escapes(&without_nul(bytes));
    let mut rest: &[u8] = &text;
    let mut blocks = Blocks::default();
    while let Some(at) = find(rest, BEGIN) {
        rest = &rest[at + BEGIN.len()..];
        match block(rest) {
            Ok((section, after)) => {
                blocks.sections.push(section);
                rest = after;
            }
            // The next one may be whole.
            Err(error) => {
                blocks.unreadable.get_or_insert(error);
            }
        }
    }
    blocks
}

/// A block from its label on, and what follows it.
#[inline]
fn block(text: &[u8]) -> Result<(Section, &[u8]), Error> {
    let (label, after) = label(text)?;
    let end = find(after, DASHES).ok_or_else(|| no_end(&label))?;
    let (body, closing) = after.split_at(end);
    let closing = closing.strip_prefix(END).ok_or_else(|| no_end(&label))?;
    let (closing, after) = self::label(closing)?;
    if closing != label {
        return Err(no_end(&label));
    }
    Ok((section(label, body)?, after))
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
/// Only what looks like a label is kept, because errors print it: anything else may be a key. Blanks may
/// have become something else or be lost.
#[inline]
fn label(bytes: &[u8]) -> Result<(String, &[u8]), Error> {
    let invalid = || error::malformed("a boundary of a PEM block has an invalid label");
    let end = find(bytes, DASHES).ok_or_else(invalid)?;
    let (label, after) = (&bytes[..end], &bytes[end + DASHES.len()..]);
    let is_blank = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'+' | 0xa0);
    let valid = |&byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || is_blank(byte);
    if label.len() > LONGEST_LABEL || !label.iter().all(valid) {
        return Err(invalid());
    }
    let words = label.split(|&byte| is_blank(byte));
    let words: Vec<&str> = words
        .filter(|word| !word.is_empty())
        .filter_map(|word| std::str::from_utf8(word).ok())
        .collect();
    let joined = words.concat();
    let known = KNOWN.iter().find(|known| known.replace(' ', "") == joined);
    let label = known.map_or_else(|| words.join(" "), |known| (*known).to_owned());
    Ok((label, after))
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
    if !label.contains("CERTIFICATE") && !label.ends_with("PRIVATE KEY") && label != "PKCS12" {
        let (dek_info, der) = (None, Zeroizing::default());
        return Ok(Section {
            label,
            dek_info,
            der,
        });
    }
    let (dek_info, body) = dek_info(body);
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

#[inline]
fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

const DASHES: &[u8] = b"-----";
const BEGIN: &[u8] = b"-----BEGIN";
const END: &[u8] = b"-----END";
const DEK_INFO: &[u8] = b"DEK-Info:";
const WIDTH: usize = 64;
const LONGEST_LABEL: usize = 64;
const KNOWN: [&str; 14] = [
    "CERTIFICATE",
    "X509 CERTIFICATE",
    "TRUSTED CERTIFICATE",
    "PRIVATE KEY",
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "DSA PRIVATE KEY",
    "OPENSSH PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "CERTIFICATE REQUEST",
    "NEW CERTIFICATE REQUEST",
    "PKCS7",
    "CMS",
    "PKCS12",
];
