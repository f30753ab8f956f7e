//! What programs write in place of the characters of a PEM text, undone.

use zeroize::Zeroizing;

/// The text with every form of line break as one byte, and with the characters that an escape stands for.
///
/// CI variables, JSON, URLs, HTML and quoted strings of shells write a line break as something else, and
/// sometimes also the `+`, `/` and `=` of base64. A backslash may have been doubled any number of times.
#[inline]
pub(super) fn without_escapes(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut plain = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let (character, after) = match first {
            b'\r' => (Some(b'\n'), after),
            b'\\' => backslash(after),
            b'%' => code(after, 2).map_or((Some(first), after), known),
            b'`' => after
                .split_first()
                .filter(|(letter, _)| matches!(letter, b'n' | b'r' | b't'))
                .map_or((Some(first), after), |(_, after)| (Some(b'\n'), after)),
            b'&' => entity(after).map_or((Some(first), after), known),
            b'<' => tag(after).map_or((Some(first), after), |after| (Some(b'\n'), after)),
            // A blank that does not break lines, in UTF-8.
            0xc2 if after.first() == Some(&0xa0) => (Some(b' '), &after[1..]),
            other => (Some(other), after),
        };
        plain.extend(character);
        rest = after;
    }
    plain
}

fn known((character, after): (u8, &[u8])) -> (Option<u8>, &[u8]) {
    (Some(character), after)
}

/// What follows a backslash: `\n`, `\r`, `\t`, `\u002B`. Before anything else it stands for nothing.
fn backslash(after: &[u8]) -> (Option<u8>, &[u8]) {
    let doubled = after.iter().take_while(|&&byte| byte == b'\\').count();
    let after = &after[doubled..];
    match after.split_first() {
        Some((b'n' | b'r' | b't', after)) => (Some(b'\n'), after),
        Some((b'u', digits)) => code(digits, 4).map_or((None, after), known),
        _ => (None, after),
    }
}

/// A character by this many hexadecimal digits, and what follows them.
fn code(text: &[u8], digits: usize) -> Option<(u8, &[u8])> {
    let (digits, after) = text.split_at_checked(digits)?;
    Some((character(digits, 16)?, after))
}

/// `&#10;` or `&#xA;` after its `&`.
fn entity(text: &[u8]) -> Option<(u8, &[u8])> {
    let text = text.strip_prefix(b"#")?;
    let end = text.iter().take(LONGEST).position(|&byte| byte == b';')?;
    let (digits, after) = (&text[..end], &text[end + 1..]);
    let character = match digits.strip_prefix(b"x").or(digits.strip_prefix(b"X")) {
        Some(digits) => character(digits, 16)?,
        None => character(digits, 10)?,
    };
    Some((character, after))
}

/// What follows an HTML tag such as `<br>`.
fn tag(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().take(LONGEST).position(|&byte| byte == b'>')?;
    let name = &text[..end];
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b' ');
    (!name.is_empty() && name.iter().all(is_name)).then(|| &text[end + 1..])
}

/// The character of a number. What PEM does not have is a line break: it parts two lines of base64.
fn character(digits: &[u8], radix: u32) -> Option<u8> {
    let number = u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()?;
    Some(match u8::try_from(number) {
        Ok(0xa0) => b' ',
        Ok(byte) if byte == b' ' || byte.is_ascii_graphic() => byte,
        _ => b'\n',
    })
}

/// Longer than any entity or tag that a program writes into a text like this.
const LONGEST: usize = 12;
