use entra_core::{AccessToken, Timestamp, time::Duration};
use zeroize::Zeroizing;

use super::{seal::Seal, *};

fn ident(entry: &str) -> Ident {
    Ident {
        partition: "contoso".to_owned(),
        entry: entry.to_owned(),
    }
}

fn record() -> Record {
    let obtained = Timestamp::UNIX_EPOCH + Duration::seconds(1_000);
    let token = AccessToken::new("canary-token", obtained + Duration::hours(1))
        .with_refresh_on(obtained + Duration::minutes(30));
    Record { token, obtained }
}

fn sealed(keys: &[u8]) -> Seal {
    Seal::new(
        keys.iter()
            .map(|key| EncryptionKey::new([*key; 32]))
            .collect(),
    )
}

#[test]
fn a_record_comes_back_as_it_was_written() {
    let bytes = record().encode(&ident("a")).unwrap();
    let read = Record::decode(&ident("a"), &bytes).unwrap();
    assert_eq!(read.token.expose_secret(), "canary-token");
    assert_eq!(read.token.expires_on(), record().token.expires_on());
    assert_eq!(read.token.refresh_on(), record().token.refresh_on());
    assert_eq!(read.obtained, record().obtained);
}

#[test]
fn an_entry_that_names_another_key_is_not_used() {
    let bytes = record().encode(&ident("a")).unwrap();
    let error = Record::decode(&ident("b"), &bytes).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unreadable);
}

#[test]
fn damage_and_other_versions_are_told_apart_and_quote_nothing() {
    let text = String::from_utf8(record().encode(&ident("a")).unwrap().to_vec()).unwrap();
    let table = [
        (text.replace("\"version\":1", "\"version\":2"), "version"),
        (text[..text.len() - 10].to_owned(), "damaged"),
        (text.replace("canary-token", "canary\\n"), "damaged"),
        (text.replace("canary-token", ""), "damaged"),
        ("canary".to_owned(), "damaged"),
        (String::new(), "damaged"),
    ];
    for (text, expected) in table {
        let error = Record::decode(&ident("a"), text.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(expected), "{text}: {error}");
        assert!(!format!("{error:?} {error}").contains("canary"));
    }
}

#[test]
fn a_sealed_entry_shows_nothing_and_opens_in_its_place_only() {
    let (here, there) = (ident("a").store_key(), ident("b").store_key());
    let entry = record().encode(&ident("a")).unwrap();
    let stored = sealed(&[1]).close(&here, entry.clone()).unwrap();
    let text = String::from_utf8_lossy(&stored);
    assert!(!text.contains("canary") && !text.contains("contoso"));
    let open = |keys: &[u8], key: &StoreKey, bytes: &[u8]| {
        sealed(keys).open(key, Zeroizing::new(bytes.to_vec()))
    };
    assert_eq!(*open(&[1], &here, &stored).unwrap(), *entry);
    assert_eq!(
        *open(&[2, 1], &here, &stored).unwrap(),
        *entry,
        "an older key"
    );
    open(&[1], &there, &stored).unwrap_err();
    open(&[2], &here, &stored).unwrap_err();
    open(&[], &here, &stored).unwrap_err();
    for at in 0..stored.len() {
        let mut damaged = stored.to_vec();
        damaged[at] ^= 1;
        open(&[1], &here, &damaged).unwrap_err();
        open(&[1], &here, &stored[..at]).unwrap_err();
    }
}

#[test]
fn what_is_not_encrypted_is_not_read_when_encryption_was_asked_for() {
    let here = ident("a").store_key();
    let entry = record().encode(&ident("a")).unwrap();
    let error = sealed(&[1]).open(&here, entry.clone()).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unreadable);
    assert_eq!(*sealed(&[]).open(&here, entry.clone()).unwrap(), *entry);
}

#[test]
fn no_two_sealings_are_alike() {
    let here = ident("a").store_key();
    let entry = || record().encode(&ident("a")).unwrap();
    let close = || sealed(&[1]).close(&here, entry()).unwrap();
    assert_ne!(*close(), *close());
}

#[test]
fn names_of_keys_are_digests() {
    let key = ident("a").store_key();
    for name in [key.partition().as_str(), key.entry()] {
        assert_eq!(name.len(), 64);
        assert!(name.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    assert_eq!(
        hashed("abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

#[test]
fn nothing_of_this_shows_a_secret() {
    let key = EncryptionKey::new(*b"canary-canary-canary-canary-cana");
    let shown = format!(
        "{key:?} {:?} {:?} {:?}",
        Seal::new(vec![key.clone()]),
        record(),
        StoreLock::new("canary".to_owned()),
    );
    assert!(!shown.contains("canary"), "{shown}");
}
