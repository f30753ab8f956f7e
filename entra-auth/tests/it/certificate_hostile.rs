//! Certificates and keys from files that are hostile, flattened or without end.

use entra_auth::{Certificate, CertificateErrorKind as Kind};
#[cfg(feature = "encrypted-pem")]
use entra_core::Secret;

const LEAF: &str = include_str!("../fixtures/leaf.test-cert.pem");
#[cfg(feature = "encrypted-pem")]
const KEY: &str = include_str!("../fixtures/leaf.test-key.pem");

#[cfg(unix)]
#[test]
fn a_path_that_leads_to_something_without_end_is_an_error() {
    let error = Certificate::from_file("/dev/zero", None).unwrap_err();
    assert_eq!(error.kind(), Kind::File, "{error}");
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
    // What OpenSSL writes is read, and decrypts to nothing here.
    assert_eq!(read(1 << 14, 8, 1).kind(), Kind::WrongPassphrase);
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
        assert_eq!(error.kind(), Kind::UnsupportedEncryption, "{n} {r} {p}");
    }
}

#[cfg(feature = "encrypted-pem")]
#[test]
fn a_key_in_the_traditional_form_is_read_whatever_became_of_its_line_breaks() {
    let leaf = Certificate::from_pem(format!("{LEAF}{KEY}")).unwrap();
    let passphrase = Secret::from("correct-horse");
    for key in [
        include_str!("../fixtures/traditional-aes256.test-key.pem"),
        include_str!("../fixtures/traditional-3des.test-key.pem"),
    ] {
        for (before, after) in [
            ("\n", " "),
            ("\n", "\r"),
            ("\n", "\\n"),
            ("\n", "\\r\\n"),
            ("\n", "\n\n"),
            ("\n", "\r\n  "),
            ("\n", "\t"),
            (",", ", "),
        ] {
            let key = key.replace(before, after);
            let text = format!("{LEAF}{key}");
            let read = Certificate::from_bytes(&text, Some(&passphrase));
            assert_eq!(read.unwrap(), leaf, "{after:?}");
        }
    }
    // The header alone, at the end, twice, without a value.
    for body in [
        "DEK-Info:",
        "DEK-Info: ",
        "DEK-Info: AES-256-CBC",
        "DEK-Info: AES-256-CBC, ",
        "DEK-Info:DEK-Info:DEK-Info:",
        "c4naryDEK-Info:c4nary,c4nary c4nary",
    ] {
        let text =
            format!("{LEAF}-----BEGIN RSA PRIVATE KEY-----{body}-----END RSA PRIVATE KEY-----");
        let error = Certificate::from_bytes(&text, Some(&passphrase)).unwrap_err();
        assert!(
            !format!("{error} {error:?}").contains("c4nary"),
            "{error:?}"
        );
    }
}
