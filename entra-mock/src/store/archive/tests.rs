use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A sign-in of one of four users, or of an application.
fn sign_in(number: u64, seconds: u64) -> Object {
    let user = number % 5;
    let kind = if number.is_multiple_of(2) {
        "interactiveUser"
    } else {
        "servicePrincipal"
    };
    let mut record = json!({
        "id": format!("Record-{number}"),
        "createdDateTime": format!("2026-01-02T{:02}:{:02}:{:02}Z", seconds / 3600, seconds / 60 % 60, seconds % 60),
        "signInEventTypes": [kind],
        "status": { "errorCode": number / 2 % 2, "additionalDetails": null },
        "note": format!("\u{e4}\"{number}"),
        "isInteractive": kind == "interactiveUser",
    });
    if user > 0 {
        record["userId"] = format!("user-{user}").into();
    }
    Object::from(record.as_object().cloned().unwrap())
}

/// The same records in two stores: one archives, and the other does not.
#[derive(Default)]
struct Both {
    archiving: Store,
    plain: Store,
}

impl Both {
    fn write(&mut self, number: u64, seconds: u64) {
        let record = sign_in(number, seconds);
        self.plain.insert(Kind::SignIn, record.clone()).unwrap();
        self.archiving.write_log(Kind::SignIn, record, i64::MIN);
    }

    /// Compares every way to read.
    fn check(&self) {
        let (archiving, plain) = (&self.archiving, &self.plain);
        assert_eq!(archiving.len(Kind::SignIn), plain.len(Kind::SignIn));
        let all = |store: &Store| {
            let all = store.all(Kind::SignIn).cloned();
            let mut all: Vec<_> = all
                .map(|object| (object["id"].to_string(), object))
                .collect();
            all.sort_by(|left, right| left.0.cmp(&right.0));
            all
        };
        assert_eq!(all(archiving), all(plain));
        for number in (0..5_000).step_by(97) {
            let id = format!("record-{number}");
            let (found, expected) = (
                archiving.get(Kind::SignIn, &id),
                plain.get(Kind::SignIn, &id),
            );
            assert_eq!(found, expected);
        }
        for user in 0..6 {
            let user = format!("user-{user}");
            assert_eq!(
                archiving.latest_sign_ins(&user),
                plain.latest_sign_ins(&user)
            );
        }
        let (first, last) = (i64::MIN, i64::MAX);
        let times: Vec<i64> = plain
            .log(Kind::SignIn, (first, last), None, true)
            .map(|row| row.0.0)
            .collect();
        let middle = times.get(times.len() / 2).copied().unwrap_or(0);
        let later = times.get(times.len() / 5).copied().unwrap_or(0);
        for range in [
            (first, last),
            (middle, later),
            (first, middle),
            (later, last),
            (middle, middle),
            (later, middle),
        ] {
            for whole in [true, false] {
                let oldest =
                    |store: &Store| rows(store.log_from_oldest(Kind::SignIn, range, whole));
                assert_eq!(oldest(archiving), oldest(plain));
                let newest = rows(plain.log(Kind::SignIn, range, None, whole));
                assert_eq!(
                    rows(archiving.log(Kind::SignIn, range, None, whole)),
                    newest
                );
                for (position, _) in newest.iter().step_by(331) {
                    let after = |store: &Store| {
                        rows(
                            store
                                .log(Kind::SignIn, range, Some(*position), whole)
                                .take(300),
                        )
                    };
                    assert_eq!(after(archiving), after(plain));
                }
            }
        }
    }
}

fn rows<'a>(rows: impl Iterator<Item = (LogPosition, &'a Object)>) -> Vec<(LogPosition, Object)> {
    rows.map(|(position, object)| (position, object.clone()))
        .collect()
}

fn chunks(store: &Store) -> usize {
    store.archive.chunks.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]
    #[test]
    fn a_log_with_an_archive_reads_like_one_without(
        // How far the clock is set back in some places.
        back in prop::collection::vec((0_u64..4_000, 1_u64..4_000), 0..4),
        changes in prop::collection::vec((0_u64..4_000, 0_u8..3), 0..12),
    ) {
        let mut both = Both::default();
        let mut seconds: u64 = 20_000;
        for number in 0..4_000 {
            for (at, by) in &back {
                if *at == number {
                    seconds -= by;
                }
            }
            seconds += number % 2;
            both.write(number, seconds);
        }
        prop_assert!(chunks(&both.archiving) >= 6);
        both.check();
        for (number, change) in changes {
            let id = format!("record-{number}");
            for store in [&mut both.archiving, &mut both.plain] {
                // It can be removed already.
                let _ = match change {
                    0 => store.remove(Kind::SignIn, &id),
                    1 => store.update(Kind::SignIn, &id, |record| {
                        record.insert("note".into(), "changed".into());
                    }),
                    _ => store.update(Kind::SignIn, &id, |record| {
                        record.insert("createdDateTime".into(), "2026-01-02T00:00:01Z".into());
                        record.insert("signInEventTypes".into(), json!(["interactiveUser"]));
                    }),
                };
            }
        }
        both.check();
        for number in 4_000..5_000 {
            both.write(number, seconds + number);
        }
        both.check();
        let copy = both.archiving.clone();
        prop_assert_eq!(copy.len(Kind::SignIn), both.plain.len(Kind::SignIn));
    }
}

#[test]
fn what_was_read_from_the_archive_is_closed_by_the_next_write() {
    let mut both = Both::default();
    for number in 0..3_000 {
        both.write(number, number);
    }
    let open = |store: &Store| {
        store
            .archive
            .chunks
            .values()
            .filter(|chunk| chunk.records.is_open())
            .count()
    };
    assert_eq!(open(&both.archiving), 0);
    let newest = both
        .archiving
        .log(Kind::SignIn, (i64::MIN, i64::MAX), None, true);
    assert_eq!(newest.take(500).count(), 500);
    assert_eq!(open(&both.archiving), 0);
    both.check();
    assert!(open(&both.archiving) > 0);
    both.write(3_000, 3_000);
    assert_eq!(open(&both.archiving), 0);
}

#[test]
fn a_log_keeps_at_least_its_newest_records_and_not_many_more() {
    let mut store = Store::new();
    store.set_log_capacity(2_000);
    for number in 0..6_000 {
        store.write_log(Kind::SignIn, sign_in(number, number), i64::MIN);
    }
    let length = store.len(Kind::SignIn);
    assert!((2_000..2_000 + 2 * CHUNK).contains(&length), "{length}");
    for number in 4_000..6_000 {
        assert!(
            store
                .get(Kind::SignIn, &format!("record-{number}"))
                .is_some()
        );
    }
    assert!(store.get(Kind::SignIn, "record-3000").is_none());
    assert_eq!(store.all(Kind::SignIn).count(), length);
    let of_users: usize = store.by_user.values().map(Vec::len).sum();
    assert!(of_users <= length);
    // An id that was removed can be used again.
    store.write_log(Kind::SignIn, sign_in(3_000, 6_000), i64::MIN);
    assert!(store.get(Kind::SignIn, "record-3000").is_some());
}

#[test]
fn archived_records_are_removed_when_they_are_too_old() {
    let mut store = Store::new();
    for number in 0..3_000 {
        store.write_log(Kind::SignIn, sign_in(number, number), i64::MIN);
    }
    let newest = log_ticks(Kind::SignIn, &sign_in(0, 3_000));
    store.write_log(Kind::SignIn, sign_in(3_000, 3_000), newest);
    assert_eq!((store.len(Kind::SignIn), chunks(&store)), (1, 0));
}

#[cfg(feature = "server")]
#[test]
fn a_restored_log_is_archived_and_its_removed_records_are_removed_from_the_file() {
    let mut store = Store::new();
    let _ = store.store_all();
    for number in 0..3_000 {
        store.write_log(Kind::SignIn, sign_in(number, number), i64::MIN);
    }
    assert_eq!(store.store_changes().objects.len(), 3_000);
    let all = store.store_all();
    assert_eq!(all.objects.len(), 3_000);
    let mut restored = Store::of_parts(all).unwrap();
    restored.relearn_written_logs(Kind::SignIn);
    assert!(chunks(&restored) > 0);
    let range = (i64::MIN, i64::MAX);
    let read = |store: &Store| rows(store.log(Kind::SignIn, range, None, true));
    assert_eq!(read(&restored), read(&store));

    store.set_log_capacity(1_000);
    store.write_log(Kind::SignIn, sign_in(3_000, 3_000), i64::MIN);
    let removed = store.store_changes().objects;
    let removed = removed
        .iter()
        .filter(|(_, _, stored)| stored.is_none())
        .count();
    assert_eq!(removed, 3_001 - store.len(Kind::SignIn));
}
