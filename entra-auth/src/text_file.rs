//! Small text files that hold a secret, as tools of every system write them.

#[cfg(any(feature = "managed-identity", feature = "workload-identity"))]
use std::{io, io::Read, path::Path};

use entra_core::Secret;
use zeroize::Zeroizing;

#[cfg(any(feature = "managed-identity", feature = "workload-identity"))]
use crate::blocking;

/// Reads a regular file as text: UTF-8, or UTF-16 as the redirection of Windows PowerShell writes it,
/// without a byte order mark.
///
/// # Errors
/// As [`blocking::open_file`], [`io::ErrorKind::FileTooLarge`] beyond the limit, and
/// [`io::ErrorKind::InvalidData`] if it is no text.
#[cfg(any(feature = "managed-identity", feature = "workload-identity"))]
pub(crate) fn read(path: &Path, limit: usize) -> io::Result<Secret> {
    let file = blocking::open_file(path)?;
    // Allocated once: a buffer that grows leaves copies of the secret behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit + 1));
    file.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    decoded(&bytes).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "it is text in neither UTF-8 nor UTF-16",
        )
    })
}

/// The text in its encoding. The first characters of a secret are ASCII, so a NUL among them means UTF-16
/// without a mark.
pub(crate) fn decoded(bytes: &[u8]) -> Option<Secret> {
    match bytes {
        [0xef, 0xbb, 0xbf, text @ ..] => utf8(text),
        [0xff, 0xfe, text @ ..] => utf16(text, u16::from_le_bytes),
        [0xfe, 0xff, text @ ..] => utf16(text, u16::from_be_bytes),
        [0, 1..=255, ..] => utf16(bytes, u16::from_be_bytes),
        [1..=255, 0, ..] => utf16(bytes, u16::from_le_bytes),
        text => utf8(text),
    }
}

fn utf8(text: &[u8]) -> Option<Secret> {
    std::str::from_utf8(text).ok().map(Secret::from)
}

fn utf16(text: &[u8], unit: fn([u8; 2]) -> u16) -> Option<Secret> {
    let pairs = text.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    let units = pairs.map(|pair| unit([pair[0], pair[1]]));
    // A unit has at most three bytes in UTF-8.
    let mut plain = Zeroizing::new(String::with_capacity(text.len() / 2 * 3));
    for character in char::decode_utf16(units) {
        plain.push(character.ok()?);
    }
    Some(Secret::from(plain.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_in_each_encoding_with_and_without_a_mark() {
        let units = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(bytes).collect()
        };
        for bytes in [
            b"eyJ.a.b\n".to_vec(),
            b"\xef\xbb\xbfeyJ.a.b\n".to_vec(),
            units("\u{feff}eyJ.a.b\n", u16::to_le_bytes),
            units("\u{feff}eyJ.a.b\n", u16::to_be_bytes),
            units("eyJ.a.b\n", u16::to_le_bytes),
            units("eyJ.a.b\n", u16::to_be_bytes),
        ] {
            assert_eq!(decoded(&bytes).unwrap().expose_secret(), "eyJ.a.b\n");
        }
        for bytes in [&b"\xff\xfea"[..], b"\xff\xfe\x00\xd8", b"\xe9", b"a\x00b"] {
            assert!(decoded(bytes).is_none(), "{bytes:?}");
        }
        assert!(decoded(b"").unwrap().is_empty());
    }
}
