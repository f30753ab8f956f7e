//! Text whose GUIDs are kept apart from it, with 16 bytes each, so that the rest compresses well.
//!
//! The digits of a GUID look random: no compression makes them much shorter, and they keep it from finding the long
//! parts that are the same in all records of a log.

use entra_core::Guid;
use hashbrown::HashMap;

/// Text without GUIDs, and the GUIDs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Split {
    /// The text, in which a mark stands for each GUID.
    pub(super) text: Vec<u8>,
    /// The bytes of each different GUID, in the order of their first appearance.
    pub(super) guids: Vec<u8>,
}

/// Takes the GUIDs out of JSON text, which has neither of the marks: it escapes control characters.
pub(super) fn split(json: &[u8]) -> Split {
    let mut split = Split::default();
    split.text.reserve(json.len());
    let mut places: HashMap<Guid, u16> = HashMap::new();
    let (mut copied, mut from) = (0, FIRST_HYPHEN);
    while let Some(hyphen) = position(json, from, |byte| byte == b'-') {
        let start = hyphen - FIRST_HYPHEN;
        from = hyphen + 1;
        let Some(guid) = guid_at(json, start) else {
            continue;
        };
        let place = match places.get(&guid) {
            Some(place) => Some(*place),
            None => {
                let Ok(place) = u16::try_from(places.len()) else {
                    continue;
                };
                places.insert(guid, place);
                split.guids.extend_from_slice(guid.as_bytes());
                None
            }
        };
        split
            .text
            .extend_from_slice(json.get(copied..start).unwrap_or_default());
        match place {
            None => split.text.push(NEXT),
            Some(place) => {
                split.text.push(AGAIN);
                split.text.extend_from_slice(&place.to_le_bytes());
            }
        }
        copied = start + GUID;
        from = copied + FIRST_HYPHEN;
    }
    split
        .text
        .extend_from_slice(json.get(copied..).unwrap_or_default());
    split
}

/// Puts the GUIDs back into the text. Returns `None` if they do not belong to it.
pub(super) fn join(text: &[u8], guids: &[u8]) -> Option<Vec<u8>> {
    let mut json = Vec::with_capacity(text.len() + 2 * guids.len());
    let (guids, _) = guids.as_chunks::<16>();
    let (mut next, mut copied) = (0, 0);
    while let Some(mark) = position(text, copied, |byte| matches!(byte, NEXT | AGAIN)) {
        json.extend_from_slice(text.get(copied..mark)?);
        copied = mark + 1;
        let place = if text.get(mark) == Some(&NEXT) {
            next += 1;
            next - 1
        } else {
            let place = text.get(copied..copied + 2)?;
            copied += place.len();
            usize::from(u16::from_le_bytes(place.try_into().ok()?))
        };
        let guid = Guid::from_bytes(*guids.get(place)?);
        json.extend_from_slice(guid.to_string().as_bytes());
    }
    json.extend_from_slice(text.get(copied..)?);
    Some(json)
}

fn position(bytes: &[u8], from: usize, fits: impl Fn(u8) -> bool) -> Option<usize> {
    let rest = bytes.get(from..)?;
    Some(from + rest.iter().position(|byte| fits(*byte))?)
}

/// Returns the GUID that starts there, if it is written as a GUID is printed.
fn guid_at(json: &[u8], start: usize) -> Option<Guid> {
    let text = json.get(start..start + GUID)?;
    let hyphens = [13, 18, 23].iter().all(|at| text.get(*at) == Some(&b'-'));
    if !hyphens || text.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Stands for the next GUID that has not appeared before.
const NEXT: u8 = 1;
/// Stands for a GUID that has appeared. Its place among the different ones follows, in two bytes.
const AGAIN: u8 = 2;
/// The length of a printed GUID.
const GUID: usize = 36;
/// The place of its first hyphen.
const FIRST_HYPHEN: usize = 8;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const A: &str = "0997a1d0-0d1d-4acb-b408-d5ca73121e90";
    const B: &str = "b79fbf4d-3ef9-4689-8143-76b194e85509";

    fn again(json: &str) -> (Split, String) {
        let split = split(json.as_bytes());
        let joined = join(&split.text, &split.guids).unwrap();
        (split, String::from_utf8(joined).unwrap())
    }

    #[test]
    fn guids_are_taken_out_and_put_back() {
        let json = format!(r#"["{A}","2026-01-02","{B}/{A}",-1,"{B}"]"#);
        let (split, joined) = again(&json);
        assert_eq!(joined, json);
        assert_eq!(split.guids.len(), 32);
        let text = b"[\"\x01\",\"2026-01-02\",\"\x01/\x02\x00\x00\",-1,\"\x02\x01\x00\"]";
        assert_eq!(split.text, text);
    }

    #[test]
    fn what_only_looks_like_a_guid_stays_as_it_is() {
        for json in [
            A.to_uppercase(),
            A.replace('9', "g"),
            A.replace('-', "_"),
            A[..35].to_owned(),
            "-------------------------------------------------".to_owned(),
            "é-é-".to_owned(),
            "-".to_owned(),
            String::new(),
        ] {
            let (split, joined) = again(&json);
            assert_eq!((joined, split.guids.len()), (json, 0));
        }
    }

    #[test]
    fn guids_next_to_each_other_and_to_hyphens_are_found() {
        for json in [
            format!("{A}{B}"),
            format!("-{A}-{B}-"),
            format!("1-2{A}9-{B}"),
        ] {
            let (split, joined) = again(&json);
            assert_eq!((joined, split.guids.len()), (json, 32));
        }
    }

    #[test]
    fn text_is_not_joined_with_the_guids_of_another() {
        for text in [&b"\x01"[..], b"\x02\x00\x00", b"\x02\x00", b"\x02"] {
            assert_eq!(join(text, &[]), None);
        }
    }

    #[test]
    fn there_can_be_more_guids_than_places() {
        let all = usize::from(u16::MAX) + 3;
        let json: String = (0..all)
            .map(|number| format!("{number:08x}-0000-4000-8000-000000000000 "))
            .collect();
        let (split, joined) = again(&json.repeat(2));
        assert_eq!(joined, json.repeat(2));
        assert_eq!(split.guids.len(), 16 << 16);
    }

    proptest! {
        #[test]
        fn every_text_is_put_together_again(
            parts in prop::collection::vec(prop_oneof![
                Just(A.to_owned()), Just(B.to_owned()), "[0-9a-f-]{0,40}", "[ -~é]{0,9}",
            ], 0..20),
        ) {
            let json = parts.concat();
            prop_assert_eq!(again(&json).1, json);
        }
    }
}
