//! Converts BER to DER: definite lengths, and strings in one piece (X.690, sections 8 and 10).
//!
//! PKCS#12 allows BER, which BouncyCastle and Java write and the available parsers do not read.

use zeroize::Zeroizing;

type Bytes = Zeroizing<Vec<u8>>;

/// The element at the start as DER; DER is returned unchanged. `None` if it is
/// malformed. Bytes after the element are left out, as OpenSSL does.
pub(super) fn to_der(mut bytes: &[u8]) -> Option<Bytes> {
    let mut der = Bytes::default();
    convert(&mut bytes, 0, &mut der)?;
    Some(der)
}

/// The concatenated content of consecutive octet strings.
pub(super) fn joined(mut strings: &[u8]) -> Option<Bytes> {
    let mut whole = Zeroizing::new(Vec::with_capacity(strings.len()));
    while !strings.is_empty() {
        if tag(&mut strings)? != [OCTET_STRING] {
            return None;
        }
        let length = length(&mut strings)??;
        whole.extend_from_slice(take(&mut strings, length)?);
    }
    Some(whole)
}

fn convert(input: &mut &[u8], depth: u8, der: &mut Vec<u8>) -> Option<()> {
    if depth > DEEPEST {
        return None;
    }
    let tag = tag(input)?;
    let length = length(input)?;
    if tag.first()? & CONSTRUCTED == 0 {
        write(der, tag, take(input, length?)?);
        return Some(());
    }
    let mut body = Zeroizing::new(Vec::with_capacity(
        length.unwrap_or_default().min(input.len()),
    ));
    match length {
        Some(length) => {
            let mut content = take(input, length)?;
            while !content.is_empty() {
                convert(&mut content, depth + 1, &mut body)?;
            }
        }
        None => loop {
            if let Some(rest) = input.strip_prefix(&END_OF_CONTENTS) {
                *input = rest;
                break;
            }
            convert(input, depth + 1, &mut body)?;
        },
    }
    if tag == [OCTET_STRING | CONSTRUCTED] {
        write(der, &[OCTET_STRING], &joined(&body)?);
    } else {
        write(der, tag, &body);
    }
    Some(())
}

/// The tag, of one or more bytes.
fn tag<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let long = input.first()? & LONG_TAG == LONG_TAG;
    let more = match long {
        true => input.iter().skip(1).position(|byte| byte & 0x80 == 0)? + 1,
        false => 0,
    };
    take(input, 1 + more)
}

/// The length; `Some(None)` for the indefinite form.
#[expect(
    clippy::option_option,
    reason = "malformed and indefinite are two things"
)]
fn length(input: &mut &[u8]) -> Option<Option<usize>> {
    let first = *take(input, 1)?.first()?;
    Some(match first {
        0..=0x7f => Some(usize::from(first)),
        0x80 => None,
        _ => {
            let bytes = take(input, usize::from(first & 0x7f))?;
            let add =
                |length: usize, byte: &u8| length.checked_mul(256)?.checked_add(usize::from(*byte));
            Some(bytes.iter().try_fold(0, add)?)
        }
    })
}

fn take<'a>(input: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = input.split_at_checked(length)?;
    *input = rest;
    Some(taken)
}

fn write(der: &mut Vec<u8>, tag: &[u8], content: &[u8]) {
    der.extend_from_slice(tag);
    let length = content.len().to_be_bytes();
    let zeros = length.iter().take_while(|byte| **byte == 0).count();
    let bytes = length.get(zeros..).unwrap_or_default();
    match bytes {
        [] => der.push(0),
        [short @ 0..=0x7f] => der.push(*short),
        _ => {
            // At most eight.
            der.push(0x80 | bytes.len().to_le_bytes()[0]);
            der.extend_from_slice(bytes);
        }
    }
    der.extend_from_slice(content);
}

const OCTET_STRING: u8 = 0x04;
const CONSTRUCTED: u8 = 0x20;
const LONG_TAG: u8 = 0x1f;
const END_OF_CONTENTS: [u8; 2] = [0, 0];
/// A PKCS#12 file has about a dozen levels.
const DEEPEST: u8 = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn der(bytes: &[u8]) -> Option<Vec<u8>> {
        to_der(bytes).map(|der| der.to_vec())
    }

    #[test]
    fn indefinite_lengths_and_strings_in_pieces_become_der() {
        let ber = [
            0x30, 0x80, // a sequence
            0x24, 0x80, 0x04, 1, 7, 0x24, 3, 0x04, 1, 8, 0x04, 0, 0, 0, // 7, 8 in pieces
            0x02, 0x82, 0, 1, 5, // a length with a zero before it
            0x5f, 0x81, 1, 1, 9, // a long tag
            0, 0,
        ];
        let expected = [0x30, 12, 0x04, 2, 7, 8, 0x02, 1, 5, 0x5f, 0x81, 1, 1, 9];
        assert_eq!(der(&ber).unwrap(), expected);
        assert_eq!(der(&expected).unwrap(), expected, "DER stays as it is");
    }

    #[test]
    fn long_content_gets_a_length_of_several_bytes() {
        for length in [0x7f, 0x80, 0xff, 0x100, 0x1_0000] {
            let content = vec![1; length];
            let mut whole = Vec::new();
            write(&mut whole, &[OCTET_STRING], &content);
            assert_eq!(der(&whole).unwrap(), whole);
            assert_eq!(joined(&whole).unwrap().len(), length);
        }
    }

    #[test]
    fn malformed_input_is_rejected_without_a_panic() {
        for bad in [
            &[][..],
            &[0x30],
            &[0x30, 2, 0x04],
            &[0x30, 0x80, 0x04, 0],
            &[0x04, 0x80, 0, 0],
            &[0x1f, 0xff, 0xff],
            &[0x24, 3, 0x02, 1, 1],
            &[0x04, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0x04, 0xff],
            &[0x30; 4096],
            &[0x30, 0x80].repeat(4096),
        ] {
            assert_eq!(der(bad), None, "{:?}", bad.get(..12.min(bad.len())));
        }
    }
}
