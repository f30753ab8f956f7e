//! Whether bytes are an X.509 certificate, before they are sent as one.

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

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let length = u8::try_from(content.len()).unwrap();
        [&[tag, length][..], &content].concat()
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
