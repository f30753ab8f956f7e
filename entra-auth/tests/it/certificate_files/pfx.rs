use super::*;

const LEGACY: &[u8] = include_bytes!("../../fixtures/legacy.test.pfx");
const NO_PASSWORD: &[u8] = include_bytes!("../../fixtures/no-password.test.pfx");
const NO_MAC: &[u8] = include_bytes!("../../fixtures/no-mac.test.pfx");
const NOTHING: &[u8] = include_bytes!("../../fixtures/nothing.test.pfx");
const NULL: &[u8] = include_bytes!("../../fixtures/nullpw.test.pfx");
const NULL_3DES: &[u8] = include_bytes!("../../fixtures/nullpw-3des.test.pfx");
const BER: &[u8] = include_bytes!("../../fixtures/ber.test.pfx");
const RC2_128: &[u8] = include_bytes!("../../fixtures/rc2-128.test.pfx");
const TRIPLE_DES_2KEY: &[u8] = include_bytes!("../../fixtures/3des-2key.test.pfx");
const PLAIN_SHA512: &[u8] = include_bytes!("../../fixtures/plain-sha512.test.pfx");
const PBMAC1: &[u8] = include_bytes!("../../fixtures/pbmac1.test.pfx");
const UMLAUT: &[u8] = include_bytes!("../../fixtures/umlaut.test.pfx");

#[test]
fn modern_and_legacy_files_are_opened_with_their_chain() {
    for pfx in [MODERN_PFX, LEGACY] {
        let certificate = Certificate::from_pfx(pfx, &passphrase()).unwrap();
        assert_eq!(certificate, leaf());
        assert_eq!(certificate.chain().count(), 2);
    }
    assert_eq!(
        Certificate::from_pfx(NO_MAC, &passphrase()).unwrap(),
        leaf()
    );
    assert_eq!(Certificate::from_bytes(NO_PASSWORD, None).unwrap(), leaf());
    assert_eq!(
        Certificate::from_pfx(NO_PASSWORD, &Secret::from("")).unwrap(),
        leaf()
    );
}

#[test]
fn base64_text_of_a_pfx_file_is_opened() {
    let text = String::from_utf8(base64_of(MODERN_PFX)).unwrap();
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(76)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    for form in [
        text.clone(),
        format!("\"{text}\"\r\n"),
        format!("\u{feff}{}", lines.join("\r\n")),
        text.trim_end_matches('=').to_owned(),
        lines.join("\\n"),
        lines.join("\\r\\n"),
        text.replace('+', "-").replace('/', "_"),
        String::from_utf8(base64_of(&text)).unwrap(),
    ] {
        for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            let units = format!("\u{feff}{form}");
            let utf16: Vec<u8> = units.encode_utf16().flat_map(bytes).collect();
            let read = Certificate::from_bytes(utf16, Some(&passphrase()));
            assert_eq!(read.unwrap(), leaf());
        }
        let read = Certificate::from_bytes(&form, Some(&passphrase()));
        assert_eq!(read.unwrap(), leaf());
        let read = Certificate::from_pfx(&form, &passphrase());
        assert_eq!(read.unwrap(), leaf());
    }
}

#[test]
fn a_pfx_file_in_a_pem_block_is_opened() {
    let text = pem("PKCS12", MODERN_PFX);
    let read = Certificate::from_bytes(&text, Some(&passphrase()));
    assert_eq!(read.unwrap(), leaf());
}

#[test]
fn every_protection_of_a_pfx_file_is_decrypted() {
    for (name, file, password) in [
        ("rc2-128", RC2_128, "correct-horse"),
        ("3des-2key", TRIPLE_DES_2KEY, "correct-horse"),
        ("plain-sha512", PLAIN_SHA512, "correct-horse"),
        ("pbmac1", PBMAC1, "correct-horse"),
        ("umlaut", UMLAUT, "schlüssel-🔑"),
    ] {
        let read = Certificate::from_pfx(file, &password.into());
        assert_eq!(read.unwrap(), leaf(), "{name}");
        assert_rejected(
            Certificate::from_pfx(file, &"wrong".into()),
            Kind::WrongPassphrase,
        );
        assert_rejected(Certificate::from_bytes(file, None), Kind::PassphraseMissing);
    }
}

#[test]
fn a_file_without_a_password_opens_whatever_password_is_given() {
    for (name, file) in [
        ("empty", NO_PASSWORD),
        ("null", NULL),
        ("null, triple DES", NULL_3DES),
        ("neither MAC nor encryption", NOTHING),
    ] {
        for password in [None, Some(""), Some("not needed")] {
            let password = password.map(Secret::from);
            let read = Certificate::from_bytes(file, password.as_ref());
            read.unwrap_or_else(|error| panic!("{name} {password:?}: {error:?}"));
        }
    }
}

#[test]
fn pfx_in_ber_of_bouncy_castle_is_read() {
    Certificate::from_pfx(BER, &"pw".into()).unwrap();
    assert_rejected(
        Certificate::from_pfx(BER, &"wrong".into()),
        Kind::WrongPassphrase,
    );
    // Every file here in BER, with strings in pieces of several lengths.
    for (file, password) in [
        (MODERN_PFX, "correct-horse"),
        (LEGACY, "correct-horse"),
        (PLAIN_SHA512, "correct-horse"),
        (NO_MAC, "correct-horse"),
        (NO_PASSWORD, ""),
    ] {
        for piece in [1, 1000] {
            let ber = in_ber(file, piece);
            assert_ne!(ber, file);
            let read = Certificate::from_bytes(&ber, Some(&password.into()));
            assert_eq!(read.unwrap(), leaf(), "{piece}");
            let text = base64_of(&ber);
            let read = Certificate::from_bytes(text, Some(&password.into()));
            assert_eq!(read.unwrap(), leaf(), "{piece}");
        }
    }
}

/// DER with indefinite lengths and with octet strings in pieces.
fn in_ber(mut der: &[u8], piece: usize) -> Vec<u8> {
    let mut ber = Vec::new();
    while let [tag, first, rest @ ..] = der {
        let (length, content) = match *first {
            short @ 0..=0x7f => (usize::from(short), rest),
            many => {
                let (length, content) = rest.split_at(usize::from(many & 0x7f));
                let add = |sum, byte: &u8| sum * 256 + usize::from(*byte);
                (length.iter().fold(0, add), content)
            }
        };
        let (content, after) = content.split_at(length);
        match tag {
            0x04 if !content.is_empty() => {
                ber.extend([0x24, 0x80]);
                for piece in content.chunks(piece) {
                    ber.extend([0x04, 0x82]);
                    ber.extend(u16::try_from(piece.len()).unwrap().to_be_bytes());
                    ber.extend(piece);
                }
                ber.extend([0, 0]);
            }
            constructed if constructed & 0x20 != 0 => {
                ber.extend([*constructed, 0x80]);
                ber.extend(in_ber(content, piece));
                ber.extend([0, 0]);
            }
            _ => ber.extend(&der[..der.len() - after.len()]),
        }
        der = after;
    }
    ber
}

#[test]
fn a_damaged_pfx_file_is_an_error_and_never_a_panic() {
    for file in [MODERN_PFX, BER, PLAIN_SHA512, NOTHING] {
        for at in (0..file.len()).step_by(331) {
            let mut damaged = file.to_vec();
            damaged[at] ^= 0x55;
            let _ = Certificate::from_pfx(&damaged, &"pw".into());
            Certificate::from_pfx(&file[..at], &"pw".into()).unwrap_err();
        }
    }
}

#[test]
fn excessive_key_derivation_rounds_are_rejected() {
    // The number of rounds of the MAC is the last element.
    let mut file = LEGACY.to_vec();
    let rounds = file.len() - 4;
    assert_eq!(file[rounds..], [0x02, 0x02, 0x08, 0x00]);
    file.splice(rounds.., [0x02, 0x04, 0x7f, 0xff, 0xff, 0xff]);
    let outer = u16::from_be_bytes([file[2], file[3]]) + 2;
    file[2..4].copy_from_slice(&outer.to_be_bytes());
    let mac = (0..rounds)
        .rev()
        .find(|&at| file[at] == 0x30 && at + 2 + usize::from(file[at + 1]) + 2 == file.len())
        .unwrap();
    file[mac + 1] += 2;
    assert_rejected(
        Certificate::from_pfx(&file, &passphrase()),
        Kind::UnsupportedEncryption,
    );
}

#[test]
fn wrong_and_missing_pfx_passwords_have_their_own_kinds() {
    for pfx in [MODERN_PFX, LEGACY, NO_MAC] {
        assert_rejected(
            Certificate::from_pfx(pfx, &"wrong".into()),
            Kind::WrongPassphrase,
        );
        assert_rejected(Certificate::from_bytes(pfx, None), Kind::PassphraseMissing);
    }
    assert_rejected(
        Certificate::from_pfx(b"\x30\x03\x02\x01\x03", &passphrase()),
        Kind::Malformed,
    );
}
