use entra_core::{AccessToken, Timestamp, time::Duration};

use super::{seal::Seal, *};

fn entry_id(entry: &str) -> EntryId {
    EntryId {
        partition: "contoso".to_owned(),
        entry: entry.to_owned(),
    }
}

fn record() -> Record {
    let obtained = Timestamp::UNIX_EPOCH + Duration::seconds(1_000);
    let token = AccessToken::new("canary-token", obtained + Duration::hours(1))
        .with_refresh_on(obtained + Duration::minutes(30));
    Record {
        token,
        obtained,
        seen: None,
        last_sign_out: Some("mark".to_owned()),
    }
}

fn sealed(keys: &[u8]) -> Seal {
    Seal::new(
        keys.iter()
            .map(|key| EncryptionKey::new([*key; 32]))
            .collect(),
    )
}

#[test]
fn record_is_decoded_as_it_was_encoded() {
    let bytes = record().encode(&entry_id("a")).unwrap();
    let read = Record::decode(&entry_id("a"), &bytes).unwrap();
    assert_eq!(read.token.expose_secret(), "canary-token");
    assert_eq!(read.token.expires_on(), record().token.expires_on());
    assert_eq!(read.token.refresh_on(), record().token.refresh_on());
    assert_eq!(read.obtained, record().obtained);
    assert_eq!(read.last_sign_out, record().last_sign_out);
}

#[test]
fn an_entry_that_names_another_key_is_not_used() {
    let bytes = record().encode(&entry_id("a")).unwrap();
    let error = Record::decode(&entry_id("b"), &bytes).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Damaged);
}

#[test]
fn damaged_entries_and_other_versions_have_their_own_errors() {
    let text = String::from_utf8(record().encode(&entry_id("a")).unwrap().to_vec()).unwrap();
    let table = [
        (text.replace("\"version\":1", "\"version\":2"), "version"),
        (text[..text.len() - 10].to_owned(), "damaged"),
        (text.replace("canary-token", "canary\\n"), "damaged"),
        (text.replace("canary-token", ""), "damaged"),
        ("canary".to_owned(), "damaged"),
        (String::new(), "damaged"),
    ];
    for (text, expected) in table {
        let error = Record::decode(&entry_id("a"), text.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(expected), "{text}: {error}");
        assert!(!format!("{error:?} {error}").contains("canary"));
    }
}

#[test]
fn encrypted_entry_decrypts_under_its_own_key_name_only() {
    let (here, there) = (entry_id("a").store_key(), entry_id("b").store_key());
    let entry = record().encode(&entry_id("a")).unwrap();
    let stored = sealed(&[1]).close(&here, entry.clone()).unwrap();
    let text = String::from_utf8_lossy(&stored);
    assert!(!text.contains("canary") && !text.contains("contoso"));
    let open = |keys: &[u8], key: &StoreKey, bytes: &[u8]| sealed(keys).open(key, bytes);
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
fn only_damage_under_a_known_key_counts_as_damage() {
    let (here, there) = (entry_id("a").store_key(), entry_id("b").store_key());
    let close = |keys: &[u8], key: &StoreKey| {
        let entry = record().encode(&entry_id("a")).unwrap();
        sealed(keys).close(key, entry).unwrap().to_vec()
    };
    let ours = close(&[1], &here);
    let with = |at: usize, byte: u8| {
        let mut changed = ours.clone();
        changed[at] ^= byte;
        changed
    };
    let (left, quarantined) = (StoreErrorKind::Unreadable, StoreErrorKind::Damaged);
    let table = [
        ("another key", close(&[2], &here), left),
        ("no key", close(&[], &here), left),
        ("a later format", with(3, b'2' ^ b'3'), left),
        (
            "the format before key ids",
            b"ENT1 and more of it".to_vec(),
            left,
        ),
        ("foreign text", b"{\"sessions\":[]}".to_vec(), left),
        ("foreign bytes", vec![0xff; 300], left),
        ("nothing", Vec::new(), left),
        ("the mark alone", ours[..4].to_vec(), left),
        ("part of a key id", ours[..11].to_vec(), left),
        ("a changed key id", with(5, 1), left),
        ("a key id and no more", ours[..12].to_vec(), quarantined),
        ("part of a nonce", ours[..20].to_vec(), quarantined),
        ("a changed nonce", with(12, 1), quarantined),
        ("a changed byte", with(40, 1), quarantined),
        (
            "an end cut off",
            ours[..ours.len() - 1].to_vec(),
            quarantined,
        ),
        ("another place", close(&[1], &there), quarantined),
    ];
    // The order of keys and further keys make no difference.
    for keys in [&[1_u8][..], &[1, 3], &[3, 1]] {
        sealed(keys).open(&here, &ours).unwrap();
        for (name, entry, expected) in &table {
            let error = sealed(keys).open(&here, entry).unwrap_err();
            assert_eq!(error.kind(), *expected, "{name} with {keys:?}");
        }
    }
    let plain = close(&[], &here);
    let entry = sealed(&[]).open(&here, &plain).unwrap();
    assert_eq!(*entry, *record().encode(&entry_id("a")).unwrap());
    for (name, entry, _) in table.iter().filter(|(name, ..)| *name != "no key") {
        let error = sealed(&[]).open(&here, entry).unwrap_err();
        assert_eq!(error.kind(), left, "{name} without a key");
    }
}

#[test]
fn entry_of_another_version_is_not_quarantined() {
    let text = String::from_utf8(record().encode(&entry_id("a")).unwrap().to_vec()).unwrap();
    let later = text.replace("\"version\":1", "\"version\":2");
    let error = Record::decode(&entry_id("a"), later.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unreadable);
}

#[test]
fn no_two_encryptions_are_equal() {
    let here = entry_id("a").store_key();
    let entry = || record().encode(&entry_id("a")).unwrap();
    let close = || sealed(&[1]).close(&here, entry()).unwrap();
    assert_ne!(*close(), *close());
}

#[test]
fn store_keys_are_digests() {
    let key = entry_id("a").store_key();
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
fn debug_output_shows_no_secret() {
    let key = EncryptionKey::new(*b"canary-canary-canary-canary-cana");
    let shown = format!(
        "{key:?} {:?} {:?} {:?}",
        Seal::new(vec![key.clone()]),
        record(),
        StoreLock::new("canary".to_owned()),
    );
    assert!(!shown.contains("canary"), "{shown}");
}
