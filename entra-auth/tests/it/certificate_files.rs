//! Reading certificates and keys, from what openssl has made of them.

use entra_auth::{Certificate, CertificateErrorKind as Kind};
use entra_core::{Clock, ManualClock, Secret, Timestamp};

const LEAF: &str = include_str!("../fixtures/leaf.test-cert.pem");
const CHAIN: &str = include_str!("../fixtures/chain.test-cert.pem");
const KEY: &str = include_str!("../fixtures/leaf.test-key.pem");
const PKCS1: &str = include_str!("../fixtures/leaf-pkcs1.test-key.pem");
const EC: &str = include_str!("../fixtures/ec.test.pem");
const WEAK: &str = include_str!("../fixtures/weak.test.pem");
const MODERN_PFX: &[u8] = include_bytes!("../fixtures/modern.test.pfx");
const ENCRYPTED: &str = include_str!("../fixtures/pbes2-aes256.test-key.pem");

/// As `openssl x509 -fingerprint` prints them.
const SHA1: &str = "E6ACC605CAA61B5DA4D2A60D3BC24D61DC2A784B";
const SHA256: &str = "45563746EC2E715413F958CA5FE8238737D98DEC468E07C4EC03A4827E770AA0";

fn passphrase() -> Secret {
    Secret::from("correct-horse")
}

fn leaf() -> Certificate {
    Certificate::from_pem_and_key(LEAF, KEY).unwrap()
}

#[track_caller]
fn assert_rejected(result: Result<Certificate, entra_auth::Error>, kind: Kind) {
    let error = result.unwrap_err();
    assert_eq!(error.certificate_error(), Some(kind), "{error}");
    assert!(!error.fix().unwrap_or_default().is_empty());
    let text = error.to_string();
    assert!(
        text.starts_with(char::is_lowercase) && !text.contains('\n'),
        "{text}"
    );
}

#[test]
fn pkcs8_and_pkcs1_keys_are_read_from_one_text_or_two_in_any_order() {
    let forms = [
        Certificate::from_pem(format!("{LEAF}{KEY}")),
        Certificate::from_pem(format!("{KEY}{LEAF}")),
        Certificate::from_pem(format!("{LEAF}{PKCS1}")),
        Certificate::from_pem_and_key(LEAF, PKCS1),
        Certificate::from_pem_and_key(KEY, LEAF),
        Certificate::from_bytes(format!("{LEAF}{KEY}"), None),
        // As Windows editors leave it, and as `openssl pkcs12` prints it.
        Certificate::from_pem(format!("\u{feff}{LEAF}{KEY}").replace('\n', "\r\n")),
        Certificate::from_pem(format!(
            "Bag Attributes\n    friendlyName: Ü\n{KEY}subject=CN = leaf\n\n{LEAF}"
        )),
    ];
    for form in forms {
        assert_eq!(form.unwrap(), leaf());
    }
}

#[test]
fn thumbprints_and_times_are_those_that_openssl_prints() {
    let leaf = leaf();
    assert_eq!(leaf.thumbprint_sha1(), SHA1);
    assert_eq!(leaf.thumbprint_sha256(), SHA256);
    assert_eq!(
        leaf.not_before().to_string(),
        "2026-11-21 2:53:50.0 +00:00:00"
    );
    assert_eq!(
        leaf.not_after().to_string(),
        "2126-10-28 2:53:50.0 +00:00:00"
    );
    assert_eq!(leaf.public_pem(), LEAF);
}

#[test]
fn validity_is_checked_to_the_second_and_days_are_counted() {
    let leaf = leaf();
    let second = entra_core::time::Duration::SECOND;
    let kind = |now: Timestamp| {
        leaf.check_validity(now)
            .map_err(|error| error.certificate_error().unwrap())
    };
    assert_eq!(kind(leaf.not_before()), Ok(()));
    assert_eq!(kind(leaf.not_after()), Ok(()));
    assert_eq!(kind(leaf.not_before() - second), Err(Kind::NotYetValid));
    assert_eq!(kind(leaf.not_after() + second), Err(Kind::Expired));
    assert_eq!(leaf.days_left(leaf.not_after()), 0);
    assert_eq!(leaf.days_left(leaf.not_after() - second), 0);
    assert_eq!(leaf.days_left(leaf.not_after() + second), -1);
    let error = leaf.check_validity(leaf.not_after() + second).unwrap_err();
    assert!(
        error.to_string().contains(SHA1) && error.to_string().contains("2126-10-28"),
        "{error}"
    );
    assert!(
        error
            .fix()
            .unwrap_or_default()
            .contains("upload its public part"),
        "{}",
        error.fix().unwrap_or_default()
    );
}

#[test]
fn certificate_chain_is_sorted_and_unrelated_certificates_are_dropped() {
    let chained = Certificate::from_pem(format!("{}{CHAIN}{KEY}", certificates(WEAK))).unwrap();
    assert_eq!(chained.thumbprint_sha1(), SHA1);
    let text: Vec<String> = chained
        .chain()
        .map(|der| String::from_utf8_lossy(der).into_owned())
        .collect();
    assert_eq!(text.len(), 2);
    assert!(text[0].contains("entra-auth test issuer") && text[0].contains("entra-auth test root"));
    assert!(!text[1].contains("entra-auth test issuer"));
}

#[test]
fn error_names_the_missing_or_mismatched_part() {
    let mock = entra_mock_key();
    assert_rejected(Certificate::from_pem(LEAF), Kind::NoKey);
    assert_rejected(Certificate::from_bytes(der(LEAF), None), Kind::NoKey);
    assert_rejected(Certificate::from_pem(KEY), Kind::NoCertificate);
    assert_rejected(Certificate::from_pem_and_key(LEAF, mock), Kind::KeyMismatch);
    assert_rejected(Certificate::from_pem(EC), Kind::UnsupportedKey);
    assert_rejected(
        Certificate::from_pem(EC.replace("PRIVATE KEY", "EC PRIVATE KEY")),
        Kind::UnsupportedKey,
    );
    assert_rejected(Certificate::from_pem(WEAK), Kind::UnsupportedKey);
    assert!(
        Certificate::from_pem(WEAK)
            .unwrap_err()
            .to_string()
            .contains("1024 bits")
    );
    assert_rejected(Certificate::from_bytes("", None), Kind::Malformed);
    assert_rejected(
        Certificate::from_bytes("not a certificate", None),
        Kind::Malformed,
    );
    assert_rejected(Certificate::from_pem(""), Kind::Malformed);
    assert_rejected(
        Certificate::from_file("/no/such/file.pem", None),
        Kind::File,
    );
}

#[test]
fn damaged_input_is_an_error_and_never_a_panic() {
    let whole = format!("{LEAF}{KEY}");
    for length in (0..whole.len()).step_by(7) {
        Certificate::from_pem(&whole[..length]).unwrap_err();
    }
    let der = der(LEAF);
    for at in 0..der.len() {
        let mut damaged = der.clone();
        damaged[at] ^= 0xff;
        // It may well still be a certificate, of another name or time.
        let _ = Certificate::from_pem_and_key(pem("CERTIFICATE", &damaged), KEY);
        Certificate::from_pem_and_key(pem("CERTIFICATE", &der[..at]), KEY).unwrap_err();
    }
    for at in (0..MODERN_PFX.len()).step_by(211) {
        let mut damaged = MODERN_PFX.to_vec();
        damaged[at] ^= 0x55;
        let _ = Certificate::from_bytes(&damaged, Some(&Secret::from("x")));
        Certificate::from_bytes(&MODERN_PFX[..at], None).unwrap_err();
    }
}

#[test]
fn debug_and_errors_show_neither_key_nor_passphrase() {
    let secret = Secret::from("canary-passphrase");
    let key_line = KEY.lines().nth(1).unwrap();
    let leaf = leaf();
    let mut shown = format!("{leaf:?} {leaf:#?}");
    for bad in [
        ENCRYPTED.as_bytes(),
        MODERN_PFX,
        KEY.as_bytes(),
        format!("{LEAF}{ENCRYPTED}").as_bytes(),
    ] {
        let error = Certificate::from_bytes(bad, Some(&secret)).unwrap_err();
        shown.push_str(&format!(
            "{error} {error:?} {error:#?} {} {}",
            error.fix().unwrap_or_default(),
            error.report()
        ));
    }
    assert!(shown.contains("thumbprint_sha1") && shown.contains(SHA1));
    for canary in ["canary", key_line] {
        assert!(!shown.contains(canary), "{shown}");
    }
}

#[test]
fn pem_is_read_with_any_kind_of_line_break() {
    let whole = format!("{LEAF}{KEY}");
    let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    };
    let with_mark = format!("\u{feff}{}", whole.replace('\n', "\r\n"));
    let key_vault = format!(
        r#"{{"value":"{}","contentType":"application/x-pem-file"}}"#,
        whole.replace('\n', "\\n")
    );
    let forms = [
        whole.replace('\n', " ").into_bytes(),
        whole.replace('\n', "\t ").into_bytes(),
        whole.replace('\n', "\r").into_bytes(),
        whole.replace('\n', "").into_bytes(),
        whole.replace('\n', "\\n").into_bytes(),
        whole.replace('\n', "\\r\\n").into_bytes(),
        whole.replace('\n', "\\\\n").into_bytes(),
        utf16(&with_mark, u16::to_le_bytes),
        utf16(&with_mark, u16::to_be_bytes),
        utf16(&whole, u16::to_le_bytes),
        // As text processors, web pages, mail programs and programs' sources have it.
        whole.replace('\n', "\u{a0}").into_bytes(),
        whole.replace('\n', "\u{2028}").into_bytes(),
        whole.replace('\n', "\u{85}").into_bytes(),
        whole.replace('\n', "\u{b}").into_bytes(),
        whole.replace('\n', "\u{200b}\n").into_bytes(),
        whole.replace('\n', "\n> ").into_bytes(),
        whole.replace('\n', "\",\n\"").into_bytes(),
        whole.replace('\n', "\\\n").into_bytes(),
        // As CI variables, JSON, HTML and the strings of PowerShell have it.
        whole.replace('\n', "%0A").into_bytes(),
        whole.replace('\n', "%0d%0a").into_bytes(),
        whole.replace('\n', "`n").into_bytes(),
        whole.replace('\n', "`r`n").into_bytes(),
        whole.replace('\n', "&#10;").into_bytes(),
        whole.replace('\n', "&#xA;").into_bytes(),
        whole.replace('\n', "<br>").into_bytes(),
        whole.replace('\n', "<br />").into_bytes(),
        whole.replace('\n', "\\u000a").into_bytes(),
        whole.replace('\n', "\\n\\t").into_bytes(),
        whole.replace('+', "\\u002B").into_bytes(),
        whole.replace('/', "\\/").into_bytes(),
        whole
            .replace('+', "&#43;")
            .replace('=', "&#x3d;")
            .into_bytes(),
        form_encoded(&whole, "%20"),
        form_encoded(&whole, "+"),
        // Boundaries whose blanks are lost or are others.
        whole.split_whitespace().collect::<String>().into_bytes(),
        whole.replace("BEGIN ", "BEGIN\u{a0}").into_bytes(),
        whole.replace(" KEY-", "\nKEY-").into_bytes(),
        format!(
            "data:application/x-pem-file;base64,{}",
            text(base64_of(&whole))
        )
        .into_bytes(),
        key_vault.clone().into_bytes(),
        // With a byte order mark.
        format!("\u{feff}{key_vault}").into_bytes(),
        utf16(&format!("\u{feff}{key_vault}"), u16::to_le_bytes),
        utf16(&format!("\u{feff}{key_vault}"), u16::to_be_bytes),
        format!("\u{feff}{}", text(base64_of(&whole))).into_bytes(),
        base64_of(&whole),
        base64_of(base64_of(&whole)),
        base64_of(utf16(&with_mark, u16::to_le_bytes)),
        base64_of(utf16(&with_mark, u16::to_be_bytes)),
    ];
    for (at, form) in forms.into_iter().enumerate() {
        let read = Certificate::from_bytes(&form, None);
        assert_eq!(read.unwrap(), leaf(), "form {at}");
    }
}

#[test]
fn hexadecimal_text_is_read_and_a_dump_is_named() {
    let hex = |bytes: &[u8], between: &str| -> String {
        let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
        digits.collect::<Vec<_>>().join(between)
    };
    let whole = format!("{LEAF}{KEY}");
    let utf16: Vec<u8> = format!("\u{feff}{}", hex(whole.as_bytes(), ""))
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for form in [
        hex(whole.as_bytes(), "").into_bytes(),
        hex(whole.as_bytes(), "").to_uppercase().into_bytes(),
        format!("0x{}\r\n", hex(whole.as_bytes(), "")).into_bytes(),
        format!("\\x{}", hex(whole.as_bytes(), "")).into_bytes(),
        format!("X'{}'", hex(whole.as_bytes(), "")).into_bytes(),
        format!("[0x{}]", hex(whole.as_bytes(), ", 0x")).into_bytes(),
        hex(whole.as_bytes(), ":").into_bytes(),
        hex(whole.as_bytes(), "-").into_bytes(),
        hex(&base64_of(&whole), "").into_bytes(),
        utf16,
    ] {
        let read = Certificate::from_bytes(&form, None);
        assert_eq!(read.unwrap(), leaf(), "{:?}", &form[..40]);
    }
    let certificate = hex(&der(LEAF), "");
    assert_rejected(Certificate::from_bytes(&certificate, None), Kind::NoKey);
    let pair = Certificate::from_pem_and_key(&certificate, KEY);
    assert_eq!(pair.unwrap(), leaf());

    let dump = |with_text: bool| -> String {
        let lines = MODERN_PFX.chunks(16).enumerate().map(|(at, line)| {
            let text = String::from_utf8_lossy(line).replace(|c: char| !c.is_ascii_graphic(), ".");
            let text = if with_text { text } else { String::new() };
            format!("{:08x}: {}  {text}\n", at * 16, hex(line, " "))
        });
        lines.collect()
    };
    for dump in [dump(true), dump(false), dump(true).replace(": ", "  ")] {
        let error = Certificate::from_bytes(&dump, None).unwrap_err();
        assert_eq!(error.certificate_error(), Some(Kind::Malformed));
        assert!(error.to_string().contains("hexadecimal dump"), "{error}");
        assert!(error.fix().unwrap().contains("xxd -r"));
    }
}

#[cfg(feature = "pfx")]
#[test]
fn pkcs12_is_read_from_hexadecimal_text() {
    let hex: String = MODERN_PFX
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    let read = Certificate::from_pfx(hex, &passphrase());
    assert_eq!(read.unwrap(), leaf());
}

fn form_encoded(text: &str, blank: &str) -> Vec<u8> {
    let encoded = [
        ("%", "%25"),
        ("+", "%2B"),
        ("/", "%2F"),
        ("=", "%3D"),
        ("\n", "%0A"),
    ];
    let text = encoded
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    text.replace(' ', blank).into_bytes()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn one_damaged_block_does_not_hide_a_pair_that_fits() {
    let body = KEY.lines().nth(1).unwrap();
    for damaged in [
        format!("-----BEGIN RSA PRIVATE KEY-----\n{body}=a\n-----END RSA PRIVATE KEY-----\n"),
        format!("-----BEGIN CERTIFICATE-----\n{body}=a\n-----END CERTIFICATE-----\n"),
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\nmQ==\n=ab1c\n-----END PGP PUBLIC KEY BLOCK-----\n"
            .to_owned(),
        format!("-----BEGIN PRIVATE KEY-----\n{body}\n"),
        "-----BEGIN lower case-----\nAAAA\n-----END lower case-----\n".to_owned(),
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(),
        pem("CERTIFICATE", &[0x30, 0]),
        pem("TRUSTED CERTIFICATE", b"no DER"),
        pem("PKCS12", b"no DER"),
    ] {
        for text in [
            format!("{damaged}{LEAF}{KEY}"),
            format!("{LEAF}{KEY}{damaged}"),
        ] {
            assert_eq!(Certificate::from_pem(&text).unwrap(), leaf(), "{damaged}");
        }
    }
    // Alone, it is the reason.
    let text = format!("{LEAF}-----BEGIN PRIVATE KEY-----\n{body}\n");
    let error = Certificate::from_pem(text).unwrap_err();
    assert!(error.to_string().contains("has no end"), "{error}");
}

#[test]
fn certificate_and_key_may_be_der() {
    let (certificate, key) = (der(LEAF), der(KEY));
    assert_eq!(
        Certificate::from_pem_and_key(&certificate, KEY).unwrap(),
        leaf()
    );
    assert_eq!(Certificate::from_pem_and_key(LEAF, &key).unwrap(), leaf());
    assert_eq!(
        Certificate::from_pem_and_key(&certificate, &key).unwrap(),
        leaf()
    );
    assert_rejected(Certificate::from_bytes(&certificate, None), Kind::NoKey);
    assert_rejected(Certificate::from_bytes(&key, None), Kind::NoCertificate);
}

#[test]
fn from_pem_takes_base64_text_and_a_passphrase_that_is_not_needed() {
    let whole = base64_of(format!("{LEAF}{KEY}"));
    assert_eq!(Certificate::from_pem(&whole).unwrap(), leaf());
    let (certificate, key) = (base64_of(LEAF), base64_of(KEY));
    assert_eq!(
        Certificate::from_pem_and_key(certificate, key).unwrap(),
        leaf()
    );
    let read = Certificate::from_bytes(format!("{LEAF}{KEY}"), Some(&passphrase()));
    assert_eq!(read.unwrap(), leaf());
    #[cfg(feature = "encrypted-pem")]
    {
        let read = Certificate::from_encrypted_pem(format!("{LEAF}{KEY}"), &passphrase());
        assert_eq!(read.unwrap(), leaf());
    }
}

#[test]
fn error_names_the_format_that_was_found() {
    let named = |read: Result<Certificate, entra_auth::Error>, what: &str| {
        let error = read.unwrap_err();
        assert_eq!(error.certificate_error(), Some(Kind::Malformed));
        assert!(error.to_string().contains(what), "{error}");
        assert!(
            !error.fix().unwrap_or_default().contains("export"),
            "{}",
            error.fix().unwrap_or_default()
        );
    };
    named(Certificate::from_pem(MODERN_PFX), "PKCS#12");
    named(Certificate::from_pem(base64_of(MODERN_PFX)), "PKCS#12");
    #[cfg(feature = "pfx")]
    named(
        Certificate::from_pfx(format!("{LEAF}{KEY}"), &passphrase()),
        "this is PEM",
    );
    let keystore = [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 1];
    named(Certificate::from_bytes(keystore, None), "Java keystore");
    let keystore = [0xce, 0xce, 0xce, 0xce, 0, 0, 0, 2, 0, 0, 0, 1];
    named(Certificate::from_bytes(keystore, None), "JCEKS");
    let putty = "PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n";
    named(Certificate::from_pem(putty), "PuTTY");
    let dashes = format!("{LEAF}{KEY}").replace("-----", "—–");
    named(Certificate::from_pem(dashes), "five hyphens");
}

#[test]
fn the_key_that_fits_the_certificate_is_used() {
    let other = entra_mock_key();
    for text in [
        format!("{other}{KEY}{LEAF}"),
        format!("{KEY}{other}{LEAF}"),
        format!("{LEAF}{other}{KEY}"),
    ] {
        assert_eq!(Certificate::from_pem(text).unwrap(), leaf());
    }
}

#[test]
fn an_old_key_that_cannot_be_read_does_not_hide_the_one_that_fits() {
    let labelled = |label: &str| pem(label, &[0x30, 0]);
    for other in [
        EC[..EC.find("-----BEGIN CERT").unwrap_or(EC.len())].to_owned(),
        labelled("EC PRIVATE KEY"),
        labelled("OPENSSH PRIVATE KEY"),
        labelled("DSA PRIVATE KEY"),
        ENCRYPTED.to_owned(),
    ] {
        for text in [format!("{other}{KEY}{LEAF}"), format!("{LEAF}{KEY}{other}")] {
            assert_eq!(Certificate::from_pem(&text).unwrap(), leaf(), "{other}");
            let read = Certificate::from_bytes(&text, Some(&"not its".into()));
            assert_eq!(read.unwrap(), leaf(), "{other}");
        }
    }
    // Where no key fits, the one that cannot be read is the reason.
    let text = format!("{LEAF}{}{}", entra_mock_key(), labelled("EC PRIVATE KEY"));
    assert_rejected(Certificate::from_pem(text), Kind::UnsupportedKey);
}

#[test]
fn error_names_the_pem_label_that_is_not_a_certificate_or_key() {
    let named = |text: String, what: &str, fix: &str| {
        let error = Certificate::from_pem(text).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        assert!(
            error.fix().unwrap_or_default().contains(fix),
            "{}",
            error.fix().unwrap_or_default()
        );
    };
    for label in ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"] {
        let text = format!("{KEY}{}", pem(label, &[0x30, 0]));
        named(text, "CERTIFICATE REQUEST", "BEGIN CERTIFICATE");
    }
    for label in ["PKCS7", "CMS"] {
        let text = format!("{KEY}{}", pem(label, &[0x30, 0]));
        named(text, "PKCS#7", "openssl pkcs7");
    }
    let text = format!("{LEAF}{}", pem("OPENSSH PRIVATE KEY", b"openssh-key-v1"));
    named(text, "OpenSSH", "ssh-keygen");
}

#[test]
fn a_trusted_certificate_is_read_without_its_trust_settings() {
    let mut der = der(LEAF);
    der.extend([0x30, 0x00]);
    let text = format!("{}{KEY}", pem("TRUSTED CERTIFICATE", &der));
    assert_eq!(Certificate::from_pem(text).unwrap(), leaf());
}

#[test]
fn no_error_prints_what_follows_a_boundary() {
    let line = KEY.lines().nth(1).unwrap();
    // Key text that has the form of a label.
    let upper = "QUJDREVGR0JJSKTMTU5PUFFSU1RVVKDY";
    for text in [
        "-----BEGIN PRIVATE KEY----- QUJDREVGR0hJSktMTU5PUFFSU1RVVldY -----END PRIVATE KEY-----"
            .to_owned(),
        format!("-----BEGIN {line}-----"),
        format!("-----BEGIN {line}-----\nAAAA\n-----END {line}-----"),
        format!("-----BEGIN {upper}-----\nAAAA"),
        format!("-----BEGIN {upper}-----\nA\n-----END {upper}-----"),
        format!("-----BEGIN {upper}-----\nAAAA\n-----END CERTIFICATE-----"),
        format!("-----BEGIN CERTIFICATE-----\nAAAA\n-----END {upper}-----"),
        format!("-----BEGIN {upper} PRIVATE KEY-----\nAAAA\n-----END {upper} PRIVATE KEY-----"),
        format!("-----BEGIN PRIVATE KEY {line}"),
        format!("-----BEGIN PRIVATE KEY-----\n{line}\n-----END {line}-----"),
        format!("-----BEGIN PRIVATE KEY-----\n{line}"),
        format!("-----BEGIN PRIVATE KEY-----\n{line}:!\n-----END PRIVATE KEY-----"),
        format!("-----BEGIN RSA PRIVATE KEY-----\n{line}!\n-----END RSA PRIVATE KEY-----"),
        format!(
            "-----BEGIN RSA PRIVATE KEY-----\nDEK-Info: {line},00112233445566778899AABBCCDDEEFF\n\nAAAA\n-----END RSA PRIVATE KEY-----"
        ),
        KEY.replace('\n', "!"),
        KEY.replace('\n', " "),
        base64_of(KEY)
            .iter()
            .map(|&byte| char::from(byte))
            .collect(),
    ] {
        let mut shown = String::new();
        for input in [text.clone(), format!("{LEAF}{text}")] {
            let error = Certificate::from_bytes(input, Some(&"canary-passphrase".into()));
            let Err(error) = error else { continue };
            shown += &format!("{error} {error:?} {error:#?} {}", error.report());
            let mut next = std::error::Error::source(&error);
            while let Some(error) = next {
                shown += &format!("{error} {error:?}");
                next = error.source();
            }
        }
        for secret in [line, upper, "canary"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[test]
fn key_text_in_place_of_a_path_is_not_printed() {
    let line = KEY.lines().nth(1).unwrap();
    let der: String = KEY.lines().filter(|line| !line.starts_with('-')).collect();
    for text in [KEY.to_owned(), KEY.replace('\n', " "), der] {
        let tenant = "11111111-1111-1111-1111-111111111111";
        let builder =
            entra_auth::ClientCertificateCredential::builder_from_file(tenant, tenant, &text, None);
        let read = Certificate::from_file(&text, None).unwrap_err();
        let mut shown = format!("{builder:?} {read} {read:?}");
        let built = builder.build().unwrap_err();
        shown += &format!("{built} {built:?} {}", built.report());
        #[cfg(feature = "workload-identity")]
        {
            let token = entra_auth::workload_identity::FederatedToken::file(&text);
            shown += &format!("{token:?}");
        }
        assert!(!shown.contains(&line[..20]), "{shown}");
        assert!(shown.contains("in place of a path"), "{shown}");
    }
}

fn base64_of(text: impl AsRef<[u8]>) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD
        .encode(text)
        .into_bytes()
}

#[test]
fn days_left_are_counted_by_the_given_clock() {
    let pem = entra_mock_pem();
    let certificate = Certificate::from_pem(pem).unwrap();
    let clock = ManualClock::at(certificate.not_after() - entra_core::time::Duration::days(40));
    assert_eq!(certificate.days_left(clock.now()), 40);
    clock.advance(std::time::Duration::from_secs(3600));
    assert_eq!(certificate.days_left(clock.now()), 39);
}

#[cfg(feature = "encrypted-pem")]
mod encrypted;

#[cfg(not(feature = "encrypted-pem"))]
#[test]
fn without_the_feature_an_encrypted_key_says_which_one_it_needs() {
    let pem = format!("{LEAF}{ENCRYPTED}");
    let error = Certificate::from_bytes(pem, Some(&passphrase())).unwrap_err();
    assert_eq!(error.certificate_error(), Some(Kind::FeatureDisabled));
    assert!(error.fix().unwrap_or_default().contains("encrypted-pem"));
}

#[cfg(feature = "pfx")]
mod pfx;

#[cfg(not(feature = "pfx"))]
#[test]
fn without_the_feature_a_pfx_file_says_which_one_it_needs() {
    let error = Certificate::from_bytes(MODERN_PFX, Some(&passphrase())).unwrap_err();
    assert_eq!(error.certificate_error(), Some(Kind::FeatureDisabled));
    assert!(error.fix().unwrap_or_default().contains("pfx"));
}

/// The fake tenant's own pair, of another key.
pub(crate) fn entra_mock_pem() -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { entra_mock::FakeTenant::start().await.test_certificate_pem() })
}

fn entra_mock_key() -> String {
    let pem = entra_mock_pem();
    pem[..pem.find("-----BEGIN CERTIFICATE").unwrap()].to_owned()
}

/// The certificates of a text alone.
fn certificates(pem: &str) -> &str {
    let end = "-----END CERTIFICATE-----\n";
    &pem[..pem.find(end).unwrap() + end.len()]
}

fn der(pem: &str) -> Vec<u8> {
    use base64::Engine as _;
    let body: String = pem
        .lines()
        .filter(|line| !line.starts_with('-') && !line.contains(':'))
        .collect();
    base64::engine::general_purpose::STANDARD
        .decode(body)
        .unwrap()
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}
