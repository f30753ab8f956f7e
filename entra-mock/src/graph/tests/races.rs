//! Many writers at once, and writes that fail.

use std::thread;

use proptest::{prelude::*, test_runner::RngSeed};

use super::*;

const WRITERS: u32 = 20;
const ROUNDS: u32 = 1_000;

fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&["Group.ReadWrite.All", "User.ReadWrite.All"]);
    fixture
}

/// The statuses of the same work done by all writers at once.
fn at_once(work: impl Fn(u32) -> u16 + Sync) -> Vec<u16> {
    let start = std::sync::Barrier::new(WRITERS as usize);
    thread::scope(|scope| {
        let (start, work) = (&start, &work);
        let writers: Vec<_> = (0..WRITERS)
            .map(|number| {
                scope.spawn(move || {
                    start.wait();
                    work(number)
                })
            })
            .collect();
        writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .collect()
    })
}

#[test]
fn of_twenty_writers_of_one_name_or_membership_exactly_one_wins() {
    let fixture = fixture();
    let members = format!("/groups/{}/members", id(TESTERS));
    let before = fixture.tenant.read().unwrap().store.changes.next();
    for round in 0..ROUNDS {
        let statuses = at_once(|writer| {
            let user = json!({
                "accountEnabled": true, "displayName": format!("Writer {writer}"), "mailNickname": "race",
                "userPrincipalName": format!("race{round}@contoso.com"), "passwordProfile": {"password": "xWwvJ]6NMw+bWH-d"}
            });
            fixture.post("/users", &user).status
        });
        let won = statuses.iter().filter(|status| **status == 201).count();
        let lost = statuses.iter().filter(|status| **status == 400).count();
        assert_eq!((won, lost), (1, 19), "round {round}: {statuses:?}");

        // Every tenth round: twenty threads are dear, and the lock is the same.
        if round % 10 != 0 {
            continue;
        }
        let user = fixture.get(&format!("/users/race{round}@contoso.com"));
        let own = user.body["id"].as_str().unwrap();
        let reference = json!({"@odata.id": format!("https://x/v1.0/users/{own}")});
        let added = at_once(|_| fixture.post(&format!("{members}/$ref"), &reference).status);
        assert_eq!(
            added.iter().filter(|status| **status == 204).count(),
            1,
            "{added:?}"
        );
        let removed = at_once(|_| fixture.delete(&format!("{members}/{own}/$ref")).status);
        assert_eq!(
            removed.iter().filter(|status| **status == 204).count(),
            1,
            "{removed:?}"
        );
    }
    // One change per winner, and none of a loser.
    let store = &fixture.tenant.read().unwrap().store;
    let changes = store.changes.next() - before;
    assert_eq!(changes, u64::from(ROUNDS + 2 * ROUNDS / 10));
}

#[test]
fn a_reader_of_delta_sees_every_write_of_twenty_writers_once() {
    let fixture = fixture();
    let mut link = "/users/delta?$deltatoken=latest".to_owned();
    let mut seen = Vec::new();
    let mut read = |fixture: &Fixture| loop {
        let page = fixture.get(&link);
        assert_eq!(page.status, 200, "{}", page.text);
        for row in page.body["value"].as_array().unwrap() {
            seen.push(row["id"].as_str().unwrap().to_owned());
        }
        let next = &page.body["@odata.nextLink"];
        let target = next
            .as_str()
            .or(page.body["@odata.deltaLink"].as_str())
            .unwrap();
        link = target
            .strip_prefix("https://tenant.test/v1.0")
            .unwrap()
            .to_owned();
        if next.is_null() {
            break;
        }
    };
    read(&fixture);
    for round in 0..50 {
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                let fixture = &fixture;
                scope.spawn(move || {
                    let user = json!({
                        "accountEnabled": true, "displayName": "U", "mailNickname": "u",
                        "userPrincipalName": format!("u{round}x{writer}@contoso.com"), "passwordProfile": {"password": "xWwvJ]6NMw+bWH-d"}
                    });
                    assert_eq!(fixture.post("/users", &user).status, 201);
                });
            }
            // In the middle of the writes.
            read(&fixture);
        });
    }
    read(&fixture);
    // A row may come again if its round ended while it was read, but none is missing.
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 50 * WRITERS as usize);
}

/// Values that some property takes and others do not.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z@. ]{0,12}".prop_map(Value::from),
        Just(json!("bo@contoso.com")),
        Just(json!([])),
        Just(json!(["Unified"])),
        Just(json!({"password": "weak"})),
        Just(json!({"password": "xWwvJ]6NMw+bWH-d"})),
        Just(json!([
            "https://x/v1.0/users/00000000-0000-4000-8000-000000000001"
        ])),
        Just(json!([
            "https://x/v1.0/users/00000000-0000-4000-8000-000000000800"
        ])),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(vec![
            "accountEnabled",
            "displayName",
            "mailNickname",
            "userPrincipalName",
            "passwordProfile",
            "mail",
            "userType",
            "businessPhones",
            "jobTitle",
            "id",
            "createdDateTime",
            "groupTypes",
            "mailEnabled",
            "securityEnabled",
            "visibility",
            "members@odata.bind",
            "owners@odata.bind",
            "manager@odata.bind",
            "@odata.id",
            "@odata.type",
            "addLicenses",
            "removeLicenses",
            "assignedLicenses",
            "proxyAddresses",
            "usageLocation",
            "passwordPolicies",
        ])
        .prop_map(str::to_owned),
        "[a-zA-Z_]{1,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, rng_seed: RngSeed::Fixed(9), ..ProptestConfig::default() })]

    #[test]
    fn a_write_that_fails_changes_nothing(
        method in proptest::sample::select(vec!["POST", "PATCH", "PUT", "DELETE"]),
        target in proptest::sample::select(vec![
            "/users", "/groups", "/users/00000000-0000-4000-8000-000000000001", "/groups/00000000-0000-4000-8000-000000000012",
            "/groups/00000000-0000-4000-8000-000000000011/members/$ref", "/groups/00000000-0000-4000-8000-000000000011/owners/$ref",
            "/groups/00000000-0000-4000-8000-000000000011/owners/00000000-0000-4000-8000-000000000002/$ref",
            "/users/00000000-0000-4000-8000-000000000001/manager/$ref", "/users/00000000-0000-4000-8000-000000000001/assignLicense",
            "/users/00000000-0000-4000-8000-000000000800", "/directory/deletedItems/00000000-0000-4000-8000-000000000001/restore",
        ]),
        body in proptest::collection::btree_map(name(), value(), 0..8),
    ) {
        let fixture = fixture();
        let before = fixture.snapshot();
        let answer = fixture.write(method, target, &json!(body));
        if answer.status >= 400 {
            prop_assert_eq!(fixture.snapshot(), before);
            prop_assert!(answer.body["error"]["code"].is_string());
        } else {
            prop_assert!(answer.status < 300);
        }
    }
}
