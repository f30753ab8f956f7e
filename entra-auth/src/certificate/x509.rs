//! The fields of an X.509 certificate that a sign-in with it needs.

use der::{
    Decode, ErrorKind, Reader, SliceReader, Tag, TagNumber,
    asn1::{AnyRef, BitStringRef, GeneralizedTime, ObjectIdentifier, UintRef, UtcTime},
};
use entra_core::Timestamp;

use super::error;
use crate::{CertificateErrorKind, Error};

/// What is read from one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    /// Encoded issuer and subject, which a chain compares byte by byte.
    pub(super) issuer: Vec<u8>,
    pub(super) subject: Vec<u8>,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    algorithm: ObjectIdentifier,
    public_key: Vec<u8>,
}

impl Fields {
    #[inline]
    pub(super) fn read(der: &[u8]) -> Result<Self, Error> {
        read(der).map_err(|source| {
            error::malformed("the certificate is not a readable X.509 certificate")
                .with_source(source)
        })
    }

    /// The public key as PKCS#1 has it, once it is known to be one that Entra takes.
    #[inline]
    pub(super) fn rsa_public_key(&self) -> Result<&[u8], Error> {
        if self.algorithm != RSA {
            return Err(unsupported_key(match self.algorithm {
                EC => "an elliptic-curve key",
                RSA_PSS => "an RSA key restricted to PSS",
                _ => "no RSA key",
            }));
        }
        let bits = modulus_bits(&self.public_key).map_err(|source| {
            error::malformed("the certificate's RSA key cannot be read").with_source(source)
        })?;
        if bits < LEAST_BITS {
            return Err(unsupported_key(&format!("an RSA key of {bits} bits")));
        }
        Ok(&self.public_key)
    }
}

#[inline]
pub(super) fn unsupported_key(found: &str) -> Error {
    error::error(
        CertificateErrorKind::UnsupportedKey,
        format!("the certificate has {found}; Entra takes RSA keys of 2048 bits or more"),
        "make a new RSA certificate of 2048, 3072 or 4096 bits and upload its public part to the app registration",
    )
}

#[inline]
fn read(der: &[u8]) -> Result<Fields, der::Error> {
    let mut reader = SliceReader::new(der)?;
    let fields = reader.sequence(|certificate| {
        let fields = certificate.sequence(to_be_signed)?;
        AnyRef::decode(certificate)?;
        BitStringRef::decode(certificate)?;
        Ok::<_, der::Error>(fields)
    })?;
    reader.finish()?;
    Ok(fields)
}

/// RFC 5280, section 4.1: the extensions at the end do not matter here.
#[inline]
fn to_be_signed<'a>(tbs: &mut SliceReader<'a>) -> Result<Fields, der::Error> {
    if Tag::peek(tbs)? == VERSION {
        AnyRef::decode(tbs)?;
    }
    // Serial number and signature algorithm.
    AnyRef::decode(tbs)?;
    AnyRef::decode(tbs)?;
    let issuer = tbs.tlv_bytes()?.to_vec();
    let (not_before, not_after) =
        tbs.sequence(|validity| Ok::<_, der::Error>((time(validity)?, time(validity)?)))?;
    let subject = tbs.tlv_bytes()?.to_vec();
    let (algorithm, public_key) = tbs.sequence(|key| {
        let algorithm = key.sequence(|identifier| {
            let algorithm = ObjectIdentifier::decode(identifier)?;
            rest(identifier)?;
            Ok::<_, der::Error>(algorithm)
        })?;
        Ok::<_, der::Error>((algorithm, BitStringRef::decode(key)?.raw_bytes().to_vec()))
    })?;
    rest(tbs)?;
    Ok(Fields {
        issuer,
        subject,
        not_before,
        not_after,
        algorithm,
        public_key,
    })
}

#[inline]
fn time<'a>(reader: &mut SliceReader<'a>) -> Result<Timestamp, der::Error> {
    let since_epoch = match Tag::peek(reader)? {
        Tag::UtcTime => UtcTime::decode(reader)?.to_unix_duration(),
        _ => GeneralizedTime::decode(reader)?.to_unix_duration(),
    };
    i64::try_from(since_epoch.as_secs())
        .ok()
        .and_then(|seconds| Timestamp::from_unix_timestamp(seconds).ok())
        .ok_or_else(|| reader.error(ErrorKind::DateTime))
}

#[inline]
fn rest<'a>(reader: &mut SliceReader<'a>) -> Result<(), der::Error> {
    while !reader.is_finished() {
        AnyRef::decode(reader)?;
    }
    Ok(())
}

#[inline]
fn modulus_bits(public_key: &[u8]) -> Result<usize, der::Error> {
    let mut reader = SliceReader::new(public_key)?;
    reader.sequence(|key| {
        let modulus = UintRef::decode(key)?;
        UintRef::decode(key)?;
        let bytes = modulus.as_bytes();
        let unused = bytes
            .first()
            .map_or(0, |byte| byte.leading_zeros() as usize);
        Ok(bytes.len() * 8 - unused)
    })
}

const VERSION: Tag = Tag::ContextSpecific {
    constructed: true,
    number: TagNumber(0),
};
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const LEAST_BITS: usize = 2048;
