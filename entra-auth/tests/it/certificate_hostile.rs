//! Certificates and keys from files that are hostile or without end.

use entra_auth::{Certificate, CertificateErrorKind as Kind};
#[cfg(feature = "encrypted-pem")]
use entra_core::Secret;

#[cfg(feature = "encrypted-pem")]
const LEAF: &str = include_str!("../fixtures/leaf.test-cert.pem");

#[cfg(unix)]
#[test]
fn a_path_that_leads_to_something_without_end_is_an_error() {
    let error = Certificate::from_file("/dev/zero", None).unwrap_err();
    assert_eq!(error.certificate_error(), Some(Kind::File), "{error}");
}

#[cfg(all(unix, feature = "workload-identity"))]
#[test]
fn a_named_pipe_is_no_certificate_file() {
    let pipe = crate::federated::Scratch::pipe();
    let error = Certificate::from_file(&pipe.0, None).unwrap_err();
    assert_eq!(error.certificate_error(), Some(Kind::File), "{error}");
    let (tenant, client) = (crate::support::TENANT, crate::support::CLIENT);
    let builder =
        entra_auth::ClientCertificateCredential::builder_from_file(tenant, client, &pipe.0, None);
    builder.build().unwrap_err();
}

#[cfg(feature = "encrypted-pem")]
#[test]
fn costs_of_scrypt_that_a_file_asks_for_are_bounded() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    let short = |tag: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).unwrap();
        [&[tag, length][..], content].concat()
    };
    let number = |number: u64| {
        let bytes = [&[0][..], &number.to_be_bytes()].concat();
        let zeros = bytes.iter().zip(&bytes[1..]);
        let zeros = zeros.take_while(|(first, next)| **first == 0 && **next < 0x80);
        short(0x02, &bytes[zeros.count()..])
    };
    let sequence = |content: &[&[u8]]| {
        let content = content.concat();
        short(0x30, &content)
    };
    let key = |n: u64, r: u64, p: u64| {
        let scrypt = short(0x06, &[0x2b, 6, 1, 4, 1, 0xda, 0x47, 4, 11]);
        let aes = short(0x06, &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42]);
        let pbes2 = short(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13]);
        let costs = sequence(&[&short(0x04, &[7; 8]), &number(n), &number(r), &number(p)]);
        let derivation = sequence(&[&scrypt, &costs]);
        let cipher = sequence(&[&aes, &short(0x04, &[9; 16])]);
        let algorithm = sequence(&[&pbes2, &sequence(&[&derivation, &cipher])]);
        let sealed = short(0x04, &[1; 32]);
        let der = sequence(&[&algorithm, &sealed]);
        format!(
            "{LEAF}-----BEGIN ENCRYPTED PRIVATE KEY-----\n{}\n-----END ENCRYPTED PRIVATE KEY-----\n",
            STANDARD.encode(der)
        )
    };
    let read = |n, r, p| {
        let passphrase = Secret::from("correct-horse");
        Certificate::from_bytes(key(n, r, p), Some(&passphrase)).unwrap_err()
    };
    // OpenSSL's own costs are accepted; the test data decrypts to nothing.
    assert_eq!(
        read(1 << 14, 8, 1).certificate_error(),
        Some(Kind::WrongPassphrase)
    );
    for (n, r, p) in [
        (0, 8, 1),
        (1, 8, 1),
        (3, 8, 1),
        (1 << 14, 0, 1),
        (1 << 14, 8, 0),
        (1 << 30, 8, 1),
        (1 << 62, 65_535, 1),
        (1 << 14, 65_535, 1),
        (1 << 14, 8, 65_535),
    ] {
        let error = read(n, r, p);
        assert_eq!(
            error.certificate_error(),
            Some(Kind::UnsupportedEncryption),
            "{n} {r} {p}"
        );
    }
}
