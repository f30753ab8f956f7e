//! Small text files that may hold a secret, as tools of every system write them.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use zeroize::Zeroizing;

use crate::Secret;

/// Reads a small text file that may hold a secret: UTF-8, or UTF-16 as the redirection of Windows PowerShell writes
/// it, without its byte order mark.
///
/// A file system that is gone can block the calling thread.
///
/// ```
/// # let path = std::env::temp_dir().join(format!("entra-core-text-{}", std::process::id()));
/// std::fs::write(&path, b"\xff\xfes\x003\0")?;
/// let text = entra_core::read_text_file(&path, 1024)?;
/// assert_eq!(text.expose_secret(), "s3");
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// As [`File::open`]; [`io::ErrorKind::InvalidInput`] if it is not a regular file, because a named pipe would wait
/// for its writer; [`io::ErrorKind::FileTooLarge`] if it has more bytes than the limit;
/// [`io::ErrorKind::InvalidData`] if it is not text.
#[inline]
pub fn read_text_file(path: &Path, limit: usize) -> io::Result<Secret> {
    if !path.metadata()?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        ));
    }
    let file = File::open(path)?;
    // Allocated once: a buffer that grows leaves copies of the secret behind.
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit.min(length).saturating_add(1)));
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    decode_text(&bytes).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "it is text in neither UTF-8 nor UTF-16",
        )
    })
}

/// Decodes UTF-8 or UTF-16 with or without a byte order mark, such as the output of a program. `None` if it is not
/// text.
///
/// The text should begin with ASCII: a NUL there means UTF-16 without a mark.
#[must_use]
#[inline]
pub fn decode_text(bytes: &[u8]) -> Option<Secret> {
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
    fn a_limit_is_no_reservation_of_memory() {
        let name = format!("entra-core-limit-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, "text").unwrap();
        for (limit, expected) in [
            (usize::MAX, Ok("text")),
            (4, Ok("text")),
            (3, Err(io::ErrorKind::FileTooLarge)),
        ] {
            let read = read_text_file(&path, limit);
            let read = read.as_ref().map(Secret::expose_secret);
            assert_eq!(read.map_err(io::Error::kind), expected, "{limit}");
        }
        std::fs::remove_file(&path).unwrap();
    }

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
            assert_eq!(decode_text(&bytes).unwrap().expose_secret(), "eyJ.a.b\n");
        }
        for bytes in [&b"\xff\xfea"[..], b"\xff\xfe\x00\xd8", b"\xe9", b"a\x00b"] {
            assert!(decode_text(bytes).is_none(), "{bytes:?}");
        }
        assert!(decode_text(b"").unwrap().is_empty());
    }
}
