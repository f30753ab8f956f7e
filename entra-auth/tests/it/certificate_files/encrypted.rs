use super::*;

macro_rules! keys {
    ($($name:literal),*) => {
        [$(($name, include_str!(concat!("../../fixtures/", $name, ".test-key.pem")))),*]
    };
}

const KEYS: [(&str, &str); 9] = keys!(
    "pbes2-aes256",
    "pbes2-aes128-sha512",
    "pbes2-aes192-sha1",
    "pbes2-3des",
    "scrypt-aes256",
    "pbes1-3des",
    "traditional-aes256",
    "traditional-aes128",
    "traditional-3des"
);

#[test]
fn every_key_encryption_of_openssl_is_decrypted() {
    for (name, key) in KEYS {
        let certificate = Certificate::from_encrypted_pem(format!("{LEAF}{key}"), &passphrase())
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(certificate, leaf(), "{name}");
    }
}

#[test]
fn encrypted_keys_are_read_with_any_kind_of_line_break() {
    for (name, key) in KEYS
        .into_iter()
        .filter(|(name, _)| *name != "scrypt-aes256")
    {
        let whole = format!("{LEAF}{key}");
        for line_break in [" ", "\r", "\\n", "\u{a0}", ""] {
            let text = whole.replace('\n', line_break);
            let read = Certificate::from_encrypted_pem(&text, &passphrase());
            let read = read.unwrap_or_else(|error| panic!("{name} {line_break:?}: {error:?}"));
            assert_eq!(read, leaf(), "{name} {line_break:?}");
            assert_rejected(Certificate::from_pem(&text), Kind::PassphraseMissing);
        }
    }
}

#[test]
fn wrong_and_missing_passphrases_have_their_own_kinds() {
    for (name, key) in KEYS {
        let pem = format!("{LEAF}{key}");
        let slow = name.starts_with("scrypt");
        for wrong in &["wrong", "", "correct-horse\n"][..if slow { 1 } else { 3 }] {
            let error = Certificate::from_encrypted_pem(&pem, &Secret::from(*wrong)).unwrap_err();
            assert_eq!(
                error.certificate_error(),
                Some(Kind::WrongPassphrase),
                "{name} {wrong:?}"
            );
        }
        assert_rejected(Certificate::from_pem(&pem), Kind::PassphraseMissing);
    }
}

#[test]
fn error_names_the_unsupported_encryption_and_a_fix() {
    let key = KEYS[6].1.replace("AES-256-CBC", "SEED-CBC");
    let error = Certificate::from_encrypted_pem(format!("{LEAF}{key}"), &passphrase()).unwrap_err();
    assert_eq!(error.certificate_error(), Some(Kind::UnsupportedEncryption));
    assert!(
        error.to_string().contains("SEED-CBC")
            && error.fix().unwrap_or_default().contains("openssl pkcs8")
    );
}

#[test]
fn damaged_encrypted_keys_are_errors() {
    for (_, key) in KEYS
        .into_iter()
        .filter(|(name, _)| !name.starts_with("scrypt"))
    {
        let der = der(key);
        let step = if key.contains("DEK-Info") { 400 } else { 61 };
        for at in (0..der.len().min(400)).step_by(step) {
            let label = key
                .split("-----")
                .nth(1)
                .unwrap()
                .trim_start_matches("BEGIN ");
            let cut = pem(label, &der[..at]);
            Certificate::from_encrypted_pem(format!("{LEAF}{cut}"), &passphrase()).unwrap_err();
        }
    }
}
