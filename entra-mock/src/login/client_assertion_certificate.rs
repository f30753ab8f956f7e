//! Certificates of applications: reads, registers and finds them.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    directory::push,
    keys,
    state::State,
    store::{Kind, Object},
};

/// The relevant parts of an X.509 certificate. Times are in ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    der: Vec<u8>,
    /// `CN=…`, as the portal and Graph show it.
    subject: String,
    starts: String,
    ends: String,
    pub(super) not_before: i64,
    pub(super) not_after: i64,
    /// PKCS#1.
    pub(super) public_key: Vec<u8>,
}

impl Certificate {
    /// Reads DER, or the first certificate of a PEM text. Returns `None` if there is no RSA
    /// certificate.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        match std::str::from_utf8(bytes)
            .ok()
            .filter(|text| text.contains("-----BEGIN"))
        {
            Some(pem) => Self::parse(&first_of_pem(pem)?),
            None => Self::parse(bytes),
        }
    }

    /// Returns the key credential of a certificate that authenticates an application.
    pub(crate) fn key_credential(&self, key_id: &str) -> Value {
        let thumbprint = digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.der);
        json!({
            "customKeyIdentifier": STANDARD.encode(thumbprint),
            "displayName": self.subject,
            "startDateTime": self.starts,
            "endDateTime": self.ends,
            "key": STANDARD.encode(&self.der),
            "keyId": key_id,
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
        })
    }

    pub(super) fn modulus_bits(&self) -> usize {
        keys::components(&self.public_key).map_or(0, |(modulus, _)| {
            let unused = modulus.first().map_or(0, |byte| byte.leading_zeros());
            (modulus.len() * 8).saturating_sub(unused as usize)
        })
    }

    /// RFC 5280, section 4.1.
    fn parse(der: &[u8]) -> Option<Self> {
        let (certificate, _) = keys::value(SEQUENCE, der)?;
        let (tbs, _) = keys::value(SEQUENCE, certificate)?;
        // The version is omitted in X.509 version 1.
        let tbs = keys::value(VERSION, tbs).map_or(tbs, |(_, rest)| rest);
        let (_serial, rest) = keys::value(INTEGER, tbs)?;
        let (_algorithm, rest) = keys::value(SEQUENCE, rest)?;
        let (_issuer, rest) = keys::value(SEQUENCE, rest)?;
        let (validity, rest) = keys::value(SEQUENCE, rest)?;
        let (subject, rest) = keys::value(SEQUENCE, rest)?;
        let (key, _) = keys::value(SEQUENCE, rest)?;

        let (starts, validity) = time(validity)?;
        let (ends, _) = time(validity)?;
        let (algorithm, key) = keys::value(SEQUENCE, key)?;
        let (algorithm, _) = keys::value(OBJECT_IDENTIFIER, algorithm)?;
        let (key, _) = keys::value(BIT_STRING, key)?;
        Some(Self {
            der: der.to_vec(),
            subject: common_name(subject).unwrap_or_default(),
            not_before: crate::odata::ticks(&starts)?,
            not_after: crate::odata::ticks(&ends)?,
            starts,
            ends,
            // The first byte is the number of unused bits, 0 for a key.
            public_key: key
                .strip_prefix(&[0])
                .filter(|_| algorithm == RSA_ENCRYPTION)?
                .to_vec(),
        })
    }
}

/// A certificate of an application with its registration data.
#[derive(Debug)]
pub(super) struct RegisteredCertificate {
    pub(super) key_id: String,
    pub(super) certificate: Certificate,
    pub(super) starts: Option<i64>,
    pub(super) ends: Option<i64>,
    pub(super) revoked: bool,
}

impl RegisteredCertificate {
    /// Whether one of the thumbprints belongs to it.
    pub(super) fn is_named(&self, thumbprints: &[Vec<u8>]) -> bool {
        [&SHA256, &SHA1_FOR_LEGACY_USE_ONLY]
            .iter()
            .map(|algorithm| digest(algorithm, &self.certificate.der))
            .any(|own| thumbprints.iter().any(|other| other == own.as_ref()))
    }

    /// Whether its issuer revoked it, by the mark of any entry of the same certificate.
    pub(super) fn is_revoked(&self, all: &[Self]) -> bool {
        all.iter()
            .any(|other| other.revoked && other.certificate.der == self.certificate.der)
    }

    /// Whether its entry has begun, has not ended and is not revoked.
    pub(super) fn is_in_force(&self, now: i64) -> bool {
        self.starts.is_none_or(|start| start <= now)
            && self.ends.is_none_or(|end| now < end)
            && !self.revoked
    }
}

/// Returns all certificates with which an application can authenticate: its own, and those of its
/// service principal in this tenant.
pub(super) fn registered(state: &State, app_id: &str) -> Vec<RegisteredCertificate> {
    [Kind::Application, Kind::ServicePrincipal]
        .into_iter()
        .filter_map(|kind| state.store.find(kind, "appId", app_id))
        .flat_map(registered_of)
        .collect()
}

/// Returns the certificates of one application or service principal.
pub(super) fn registered_of(application: &Object) -> Vec<RegisteredCertificate> {
    let credentials = application.get("keyCredentials").and_then(Value::as_array);
    credentials
        .into_iter()
        .flatten()
        .filter(|credential| credential["usage"] == "Verify")
        .filter_map(|credential| {
            let key_id = credential["keyId"].as_str()?;
            let time = |name: &str| credential[name].as_str().and_then(crate::odata::ticks);
            let private = |property: &str| application.get(property)?.get(key_id);
            let key = private(CERTIFICATES)
                .or_else(|| credential.get("key"))?
                .as_str()?;
            Some(RegisteredCertificate {
                key_id: key_id.to_owned(),
                certificate: Certificate::read(&STANDARD.decode(key).ok()?)?,
                starts: time("startDateTime"),
                ends: time("endDateTime"),
                revoked: private(REVOKED).is_some(),
            })
        })
        .collect()
}

impl State {
    /// Registers a certificate of an application, for its own validity period.
    pub(crate) fn add_certificate(&mut self, application: &str, certificate: &Certificate) {
        let key_id = self.new_id();
        let mut credential = certificate.key_credential(&key_id);
        credential["key"] = Value::Null;
        self.store.update(Kind::Application, application, |object| {
            push(object, "keyCredentials", credential);
            // Graph never shows it in a list; the token endpoint needs it.
            let certificates = object.entry(CERTIFICATES).or_insert_with(|| json!({}));
            certificates[key_id] = STANDARD.encode(&certificate.der).into();
        });
    }
}

/// Removes the certificates of an application.
pub(crate) fn remove_all(application: &mut Object) {
    for property in ["keyCredentials", CERTIFICATES, REVOKED] {
        application.remove(property);
    }
}

/// Marks an application's certificates as revoked by their issuer. They stay registered.
pub(crate) fn revoke_all(application: &mut Object) {
    let certificates = application.get(CERTIFICATES).cloned();
    application.insert(
        REVOKED.to_owned(),
        certificates.unwrap_or_else(|| json!({})),
    );
}

fn first_of_pem(text: &str) -> Option<Vec<u8>> {
    let (_, after) = text.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = after.split_once("-----END CERTIFICATE-----")?;
    let body: String = body.split_whitespace().collect();
    STANDARD.decode(body).ok()
}

/// Reads `UTCTime` or `GeneralizedTime` in the form of Graph, and returns the bytes after it.
fn time(der: &[u8]) -> Option<(String, &[u8])> {
    let (digits, rest) = match keys::value(UTC_TIME, der) {
        Some((text, rest)) => {
            let text = std::str::from_utf8(text).ok()?;
            // RFC 5280: two digits mean 1950 to 2049.
            let century = if text.get(..2)?.parse::<u8>().ok()? < 50 {
                "20"
            } else {
                "19"
            };
            (format!("{century}{text}"), rest)
        }
        None => {
            let (text, rest) = keys::value(GENERALIZED_TIME, der)?;
            (std::str::from_utf8(text).ok()?.to_owned(), rest)
        }
    };
    let part = |from: usize, to: usize| digits.get(from..to);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    Some((
        format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"),
        rest,
    ))
}

fn common_name(mut names: &[u8]) -> Option<String> {
    while let Some((name, rest)) = keys::value(SET, names) {
        let (attribute, _) = keys::value(SEQUENCE, name)?;
        let (kind, text) = keys::value(OBJECT_IDENTIFIER, attribute)?;
        if kind == COMMON_NAME {
            let (text, _) = keys::value(*text.first()?, text)?;
            return Some(format!("CN={}", String::from_utf8_lossy(text)));
        }
        names = rest;
    }
    None
}

const CERTIFICATES: &str = "~certificates";
const REVOKED: &str = "~revoked";

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
/// 1.2.840.113549.1.1.1
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// 2.5.4.3
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_certificate_is_read_from_pem_and_from_der() {
        let pem = keys::client_pem();
        let certificate = Certificate::read(pem.as_bytes()).unwrap();
        assert_eq!(certificate.subject, "CN=entra-mock test key client");
        assert_eq!(certificate.starts, "2020-01-01T00:00:00Z");
        // After 2049 the year has four digits.
        assert_eq!(certificate.ends, "2120-01-01T00:00:00Z");
        assert_eq!(certificate.modulus_bits(), 2048);
        assert_eq!(Certificate::read(&certificate.der), Some(certificate));
    }

    #[test]
    fn a_truncated_certificate_is_not_read() {
        let der = Certificate::read(keys::client_pem().as_bytes())
            .unwrap()
            .der;
        for length in 0..der.len() / 2 {
            assert_eq!(Certificate::read(&der[..length]), None, "{length} bytes");
        }
        assert_eq!(
            Certificate::read(b"-----BEGIN CERTIFICATE-----\nAAAA\n"),
            None
        );
    }
}
