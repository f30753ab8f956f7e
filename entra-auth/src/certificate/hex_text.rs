//! Files as hexadecimal text, as databases, debuggers and tools print them.

use zeroize::Zeroizing;

/// The bytes, if the text is their hexadecimal digits: `3082…`, `0x3082…`, `30:82:…`, `30-82-…`,
/// `\x30\x82…`, `X'3082…'`, or a list such as `[0x30, 0x82, …]`.
#[inline]
pub(super) fn decoded(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut digits = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match (first, after.first()) {
            (b'0' | b'\\', Some(b'x' | b'X')) => rest = &after[1..],
            (b'x' | b'X', Some(b'\'')) => {}
            (digit, _) if digit.is_ascii_hexdigit() => digits.push(digit),
            (other, _) if is_between(other) => {}
            _ => return None,
        }
    }
    // Offsets of a dump would begin with zeros, and no file of a certificate does.
    if digits.len() < SHORTEST || digits.starts_with(b"00") {
        return None;
    }
    let pairs = digits.chunks_exact(2);
    let is_whole = pairs.remainder().is_empty();
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
    bytes.extend(pairs.map(|pair| value(pair[0]) << 4 | value(pair[1])));
    is_whole.then_some(bytes)
}

/// Whether nearly all letters and digits of the text are hexadecimal digits, which is never true of base64.
#[inline]
pub(super) fn is_dump(text: &[u8]) -> bool {
    let characters = || text.iter().filter(|byte| byte.is_ascii_alphanumeric());
    let all = characters()
        .filter(|byte| !matches!(byte, b'x' | b'X'))
        .count();
    let digits = characters().filter(|byte| byte.is_ascii_hexdigit()).count();
    all >= SHORTEST && digits >= all / 10 * 8
}

/// What stands between the digits of two bytes.
const fn is_between(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(
            byte,
            0 | b':' | b'-' | b',' | b';' | b'[' | b']' | b'{' | b'}' | b'"' | b'\''
        )
}

const fn value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// Less is no certificate, and could be a word.
const SHORTEST: usize = 64;
