//! Writes self-signed certificates (RFC 5280, section 4.1) with the keys of the pool.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use entra_core::Timestamp;

use super::TestKey;

impl TestKey {
    /// Returns a self-signed certificate of this key in DER; `None` only if the crypto library fails.
    ///
    /// The serial number makes certificates of the same key differ.
    pub(crate) fn self_signed(
        &self,
        common_name: &str,
        serial: [u8; 8],
        starts: Timestamp,
        ends: Timestamp,
    ) -> Option<Vec<u8>> {
        let algorithm = sequence(&[&element(OBJECT_IDENTIFIER, SHA256_WITH_RSA), NULL]);
        let attribute = sequence(&[
            &element(OBJECT_IDENTIFIER, COMMON_NAME),
            &element(UTF8_STRING, common_name.as_bytes()),
        ]);
        let name = sequence(&[&element(SET, &attribute)]);
        let validity = sequence(&[&time(starts), &time(ends)]);
        let number = |text: &str| Some(integer(&URL_SAFE_NO_PAD.decode(text).ok()?));
        let public_key = sequence(&[&number(&self.n)?, &number(&self.e)?]);
        let key = sequence(&[
            &sequence(&[&element(OBJECT_IDENTIFIER, RSA_ENCRYPTION), NULL]),
            &bits(&public_key),
        ]);
        let certificate = sequence(&[
            &element(VERSION, &integer(&[2])),
            &integer(&serial),
            &algorithm,
            &name,
            &validity,
            &name,
            &key,
        ]);
        let signature = self.signature(&certificate)?;
        Some(sequence(&[&certificate, &algorithm, &bits(&signature)]))
    }
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(SEQUENCE, &parts.concat())
}

/// A positive number.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte != 0);
    let mut value = bytes[start.unwrap_or(bytes.len())..].to_vec();
    if value.first().is_none_or(|first| first & 0x80 != 0) {
        value.insert(0, 0);
    }
    element(INTEGER, &value)
}

/// Whole bytes: no bit is unused.
fn bits(bytes: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], bytes].concat())
}

/// `UTCTime` to the end of 2049, `GeneralizedTime` after it.
fn time(time: Timestamp) -> Vec<u8> {
    let time = time.to_offset(entra_core::time::UtcOffset::UTC);
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    let clock = format!(
        "{month:02}{day:02}{:02}{:02}{:02}Z",
        time.hour(),
        time.minute(),
        time.second()
    );
    if (1950..2050).contains(&year) {
        element(
            UTC_TIME,
            format!("{:02}{clock}", year.rem_euclid(100)).as_bytes(),
        )
    } else {
        element(GENERALIZED_TIME, format!("{year:04}{clock}").as_bytes())
    }
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let length = content.len().to_be_bytes();
            let start = length.iter().position(|byte| *byte != 0).unwrap_or(0);
            let length = &length[start..];
            out.push(0x80 | u8::try_from(length.len()).unwrap_or(0));
            out.extend_from_slice(length);
        }
    }
    out.extend_from_slice(content);
    out
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const NULL: &[u8] = &[0x05, 0x00];
/// 1.2.840.113549.1.1.1
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// 1.2.840.113549.1.1.11
const SHA256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
/// 2.5.4.3
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{keys, login::Certificate};

    #[test]
    fn a_certificate_is_written_that_its_own_key_verifies() {
        let key = &keys::pool()[0];
        let at = |seconds| Timestamp::from_unix_timestamp(seconds).unwrap();
        // One time before 2050 and one after it.
        let (starts, ends) = (at(1_795_226_882), at(2_600_000_000));
        let der = key.self_signed("Shop ✓", [0xff; 8], starts, ends).unwrap();
        let read = Certificate::read(&der).unwrap().key_credential("id");
        assert_eq!(read["displayName"], "CN=Shop ✓");
        assert_eq!(read["startDateTime"], "2026-11-21T02:08:02Z");
        assert_eq!(read["endDateTime"], "2052-05-22T14:13:20Z");
        let other = key.self_signed("Shop ✓", [1; 8], starts, ends).unwrap();
        assert_ne!(der, other);
        let (outer, rest) = keys::value(SEQUENCE, &der).unwrap();
        assert!(rest.is_empty());
        let (inner, after) = keys::value(SEQUENCE, outer).unwrap();
        let (_algorithm, after) = keys::value(SEQUENCE, after).unwrap();
        let (signature, _) = keys::value(BIT_STRING, after).unwrap();
        assert_eq!(signature.len(), 257);
        let signed = element(SEQUENCE, inner);
        assert_eq!(
            key.signature(&signed).unwrap(),
            signature[1..],
            "RS256 signatures do not depend on chance"
        );
    }

    #[test]
    fn numbers_are_positive() {
        for (bytes, expected) in [
            (&[0x7f][..], &[2, 1, 0x7f][..]),
            (&[0x80], &[2, 2, 0, 0x80]),
            (&[0, 0, 1], &[2, 1, 1]),
            (&[0, 0], &[2, 1, 0]),
            (&[], &[2, 1, 0]),
        ] {
            assert_eq!(integer(bytes), expected);
        }
    }
}
