//! Whether bytes are an X.509 certificate, before they are sent as one, and what a policy judges of it.

#[cfg(feature = "registration")]
use entra_core::{Timestamp, parse_rfc3339};

/// Whether the bytes are the DER of one certificate, by its outermost elements (RFC 5280, section 4.1). A private
/// key, a certificate request or a PKCS#12 file is none. Graph checks the rest.
pub(crate) fn is_certificate(der: &[u8]) -> bool {
    let Some((SEQUENCE, certificate, [])) = element(der) else {
        return false;
    };
    let Some((SEQUENCE, signed, _)) = element(certificate) else {
        return false;
    };
    match element(signed) {
        Some((VERSION, ..)) => true,
        // Version 1: the serial number, then an algorithm. A certificate request has a name there.
        Some((INTEGER, _, rest)) => matches!(element(rest), Some((SEQUENCE, [OBJECT_ID, ..], _))),
        _ => false,
    }
}

/// From when to when a certificate is valid; `None` if that cannot be read.
#[cfg(feature = "registration")]
pub(crate) fn validity(der: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let [_, validity, _] = fields(der)?;
    let (tag, start, rest) = element(validity)?;
    let start = time(tag, start)?;
    let (tag, end, _) = element(rest)?;
    Some((start, time(tag, end)?))
}

/// Whether the issuer of a certificate is its own subject.
#[cfg(feature = "registration")]
pub(crate) fn is_self_signed(der: &[u8]) -> bool {
    fields(der).is_some_and(|[issuer, _, subject]| issuer == subject)
}

/// Issuer, validity and subject.
#[cfg(feature = "registration")]
fn fields(der: &[u8]) -> Option<[&[u8]; 3]> {
    let (_, certificate, _) = element(der)?;
    let (_, signed, _) = element(certificate)?;
    let rest = match element(signed)? {
        (VERSION, _, rest) => rest,
        _ => signed,
    };
    let (_serial_number, _, rest) = element(rest)?;
    let (_algorithm, _, rest) = element(rest)?;
    let (_, issuer, rest) = element(rest)?;
    let (_, validity, rest) = element(rest)?;
    let (_, subject, _) = element(rest)?;
    Some([issuer, validity, subject])
}

/// A time in one of the two forms that a certificate has (RFC 5280, section 4.1.2.5).
#[cfg(feature = "registration")]
fn time(tag: u8, content: &[u8]) -> Option<Timestamp> {
    let text = str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let century = if year.parse::<u8>().ok()? >= 50 {
                "19"
            } else {
                "20"
            };
            (format!("{century}{year}"), rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.to_owned(), rest)
        }
        _ => return None,
    };
    let part = |index: usize| rest.get(index..index + 2);
    let (month, day) = (part(0)?, part(2)?);
    let (hour, minute, second) = (part(4)?, part(6)?, part(8)?);
    parse_rfc3339(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}

/// The tag and the content of the first element, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            let length = bytes
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OBJECT_ID: u8 = 0x06;
/// `[0] EXPLICIT`.
const VERSION: u8 = 0xa0;
#[cfg(feature = "registration")]
const UTC_TIME: u8 = 0x17;
#[cfg(feature = "registration")]
const GENERALIZED_TIME: u8 = 0x18;

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let length = u8::try_from(content.len()).unwrap();
        [&[tag, length][..], &content].concat()
    }

    #[cfg(feature = "registration")]
    #[test]
    fn validity_and_issuer_are_read() {
        let name = |text: &[u8]| nested(0x30, &[&nested(0x0c, &[text])]);
        let certificate = |version: &[u8], start: &[u8], end: &[u8], subject: &[u8]| {
            let serial = [2, 1, 1];
            let algorithm = nested(0x30, &[&[0x06, 1, 42]]);
            let validity = nested(0x30, &[start, end]);
            let (issuer, subject) = (name(b"Contoso"), name(subject));
            let parts: [&[u8]; 6] = [version, &serial, &algorithm, &issuer, &validity, &subject];
            nested(0x30, &[&nested(0x30, &parts)])
        };
        let utc = |text: &[u8]| nested(UTC_TIME, &[text]);
        let generalized = |text: &[u8]| nested(GENERALIZED_TIME, &[text]);
        let (v1, v3): (&[u8], &[u8]) = (&[], &[0xa0, 3, 2, 1, 2]);
        let start = utc(b"990102030405Z");
        for version in [v1, v3] {
            let own = certificate(
                version,
                &start,
                &generalized(b"21200101000000Z"),
                b"Contoso",
            );
            let (from, to) = validity(&own).unwrap();
            assert_eq!(Some(from), parse_rfc3339("1999-01-02T03:04:05Z"));
            assert_eq!(Some(to), parse_rfc3339("2120-01-01T00:00:00Z"));
            assert!(is_self_signed(&own));
        }
        let issued = certificate(v3, &start, &utc(b"490101000000Z"), b"Orders");
        let (_, to) = validity(&issued).unwrap();
        assert_eq!(Some(to), parse_rfc3339("2049-01-01T00:00:00Z"));
        assert!(!is_self_signed(&issued));
        for wrong in [&b"490101000000"[..], b"491301000000Z", b"4901Z", b""] {
            let wrong = certificate(v3, &start, &utc(wrong), b"Orders");
            assert_eq!(validity(&wrong), None);
        }
        assert_eq!(validity(b"text"), None);
    }

    #[test]
    fn only_a_certificate_is_one() {
        let algorithm = nested(0x30, &[&[0x06, 1, 42]]);
        let key = nested(0x04, &[&[7; 40]]);
        let v3 = nested(0x30, &[&nested(0x30, &[&[0xa0, 3, 2, 1, 2], &[2, 1, 1]])]);
        let v1 = nested(0x30, &[&nested(0x30, &[&[2, 1, 1], &algorithm])]);
        assert!(is_certificate(&v3) && is_certificate(&v1));
        let long = [&[0x30, 0x82, 0, 10][..], &v3[2..]].concat();
        assert!(is_certificate(&long));
        for (what, der) in [
            ("nothing", Vec::new()),
            ("a text", b"-----BEGIN CERTIFICATE-----".to_vec()),
            ("a cut certificate", v3[..v3.len() - 1].to_vec()),
            ("two certificates", [v3.clone(), v3.clone()].concat()),
            ("PKCS#8", nested(0x30, &[&[2, 1, 0], &algorithm, &key])),
            ("encrypted PKCS#8", nested(0x30, &[&algorithm, &key])),
            (
                "PKCS#1",
                nested(0x30, &[&[2, 1, 0], &[2, 1, 7], &[2, 1, 3]]),
            ),
            ("PKCS#12", nested(0x30, &[&[2, 1, 3], &algorithm])),
            ("PKCS#7", nested(0x30, &[&[0x06, 1, 42], &key])),
            (
                "a certificate request",
                nested(0x30, &[&nested(0x30, &[&[2, 1, 0], &[0x30, 2, 0x31, 0]])]),
            ),
            ("an empty sequence", vec![0x30, 0]),
        ] {
            assert!(!is_certificate(&der), "{what}");
        }
    }
}
