//! Many writers at once, and writes that fail.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Barrier,
        atomic::{AtomicU16, Ordering::Relaxed},
    },
    thread,
};

use proptest::{
    prelude::*,
    test_runner::{RngSeed, TestRunner},
};
use serde_json::Map;

use super::*;

const WRITERS: u32 = 20;

/// `ENTRA_RACE_ROUNDS` sets the number of rounds: 1,000 for the full count, a tenth of it unless set.
fn race_rounds() -> u32 {
    let rounds = std::env::var("ENTRA_RACE_ROUNDS").ok();
    rounds.and_then(|rounds| rounds.parse().ok()).unwrap_or(100)
}

fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&["Group.ReadWrite.All", "User.ReadWrite.All"]);
    fixture
}

/// Runs the same work on 20 threads at once, round after round, and `beside` in the middle of each
/// round. Returns the statuses of each round.
///
/// A panic in a round is raised after the last one, because the other threads wait for each other.
fn race(
    rounds: u32,
    work: impl Fn(u32, u32) -> u16 + Sync,
    mut beside: impl FnMut(),
) -> Vec<Vec<u16>> {
    let start = Barrier::new(WRITERS as usize + 1);
    let end = Barrier::new(WRITERS as usize + 1);
    let statuses: Vec<AtomicU16> = (0..WRITERS).map(|_| AtomicU16::new(0)).collect();
    let mut results = Vec::new();
    let mut panics = Vec::new();
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (start, end, statuses, work) = (&start, &end, &statuses, &work);
            scope.spawn(move || {
                for round in 0..rounds {
                    start.wait();
                    let status = catch_unwind(AssertUnwindSafe(|| work(round, writer)));
                    statuses[writer as usize].store(status.unwrap_or(0), Relaxed);
                    end.wait();
                }
            });
        }
        for _ in 0..rounds {
            start.wait();
            panics.extend(catch_unwind(AssertUnwindSafe(&mut beside)).err());
            end.wait();
            results.push(statuses.iter().map(|status| status.load(Relaxed)).collect());
        }
    });
    if let Some(panic) = panics.pop() {
        resume_unwind(panic);
    }
    results
}

/// How often a status occurs in a round.
fn count(round: &[u16], status: u16) -> usize {
    round.iter().filter(|other| **other == status).count()
}

/// A client that follows a delta query.
struct DeltaReader<'a> {
    fixture: &'a Fixture,
    link: String,
    rows: Vec<Value>,
}

impl<'a> DeltaReader<'a> {
    fn latest(fixture: &'a Fixture, set: &str) -> Self {
        let mut reader = Self {
            fixture,
            link: format!("/{set}/delta?$deltatoken=latest"),
            rows: Vec::new(),
        };
        reader.read();
        reader
    }

    /// Reads one round of changes.
    fn read(&mut self) {
        loop {
            let page = self.fixture.get(&self.link);
            assert_eq!(page.status, 200, "{}", page.text);
            self.rows
                .extend(page.body["value"].as_array().unwrap().iter().cloned());
            let next = &page.body["@odata.nextLink"];
            let last = next.is_null();
            let target = if last {
                &page.body["@odata.deltaLink"]
            } else {
                next
            };
            let target = target.as_str().unwrap();
            self.link = target
                .strip_prefix("https://tenant.test/v1.0")
                .unwrap()
                .to_owned();
            if last {
                return;
            }
        }
    }

    /// The ids of the objects that were read, each once: a row comes again if it changes while it is
    /// read.
    fn ids(&self) -> BTreeSet<&str> {
        self.rows
            .iter()
            .map(|row| row["id"].as_str().unwrap())
            .collect()
    }
}

fn new_user(name: &str) -> Value {
    json!({
        "accountEnabled": true, "displayName": name, "mailNickname": "race",
        "userPrincipalName": format!("{name}@contoso.com"), "passwordProfile": {"password": "xWwvJ]6NMw+bWH-d"}
    })
}

#[test]
fn one_of_twenty_writers_gets_a_user_principal_name_and_delta_shows_that_user() {
    let fixture = fixture();
    let before = fixture.tenant.read().unwrap().store.changes.next();
    let mut reader = DeltaReader::latest(&fixture, "users");
    let rounds = race(
        race_rounds(),
        |round, _| {
            fixture
                .post("/users", &new_user(&format!("race{round}")))
                .status
        },
        || reader.read(),
    );
    reader.read();
    for (number, round) in rounds.iter().enumerate() {
        assert_eq!(
            (count(round, 201), count(round, 400)),
            (1, 19),
            "{number}: {round:?}"
        );
    }
    let winners: Vec<String> = (0..race_rounds())
        .map(|round| {
            let user = fixture.get(&format!("/users/race{round}@contoso.com?$select=id"));
            user.body["id"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(reader.ids(), winners.iter().map(String::as_str).collect());
    // One change per winner, and none of a loser.
    let after = fixture.tenant.read().unwrap().store.changes.next();
    assert_eq!(after - before, u64::from(race_rounds()));
}

#[test]
fn one_of_twenty_writers_adds_or_removes_a_member_and_delta_shows_the_outcome() {
    let fixture = fixture();
    let members = format!("/groups/{}/members", id(TESTERS));
    let reference = json!({"@odata.id": format!("https://x/v1.0/users/{}", id(ADELE))});
    let before = fixture.tenant.read().unwrap().store.changes.next();
    let mut reader = DeltaReader::latest(&fixture, "groups");
    // Added in even rounds, removed in odd ones.
    let rounds = race(
        2 * race_rounds() + 1,
        |round, _| {
            let reply = if round % 2 == 0 {
                fixture.post(&format!("{members}/$ref"), &reference)
            } else {
                fixture.delete(&format!("{members}/{}/$ref", id(ADELE)))
            };
            reply.status
        },
        || reader.read(),
    );
    reader.read();
    for (number, round) in rounds.iter().enumerate() {
        assert_eq!(
            (count(round, 204), count(round, 400)),
            (1, 19),
            "{number}: {round:?}"
        );
    }
    // The last row of the delta query is the last change: an addition.
    let last = reader.rows.last().unwrap();
    assert_eq!(last["id"], id(TESTERS));
    let change = last["members@delta"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&change["id"], &change["@removed"]),
        (&json!(id(ADELE)), &Value::Null)
    );
    assert!(
        fixture
            .get(&members)
            .all("id")
            .contains(&id(ADELE).as_str())
    );
    let after = fixture.tenant.read().unwrap().store.changes.next();
    assert_eq!(after - before, u64::from(2 * race_rounds() + 1));
}

#[test]
fn a_delta_reader_sees_every_user_of_twenty_writers() {
    let fixture = fixture();
    let mut reader = DeltaReader::latest(&fixture, "users");
    let rounds = race(
        race_rounds(),
        |round, writer| {
            fixture
                .post("/users", &new_user(&format!("u{round}x{writer}")))
                .status
        },
        || reader.read(),
    );
    reader.read();
    assert!(rounds.iter().flatten().all(|status| *status == 201));
    assert_eq!(reader.ids().len(), (race_rounds() * WRITERS) as usize);
}

/// Values that are valid for some properties only.
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

/// Requests that change something, with valid and invalid objects.
const TARGETS: [&str; 20] = [
    "/users",
    "/groups",
    "/users/00000000-0000-4000-8000-000000000001",
    "/groups/00000000-0000-4000-8000-000000000012",
    "/groups/00000000-0000-4000-8000-000000000011/members/$ref",
    "/groups/00000000-0000-4000-8000-000000000011/owners/$ref",
    "/groups/00000000-0000-4000-8000-000000000011/owners/00000000-0000-4000-8000-000000000002/$ref",
    "/users/00000000-0000-4000-8000-000000000001/manager/$ref",
    "/users/00000000-0000-4000-8000-000000000001/assignLicense",
    "/groups/00000000-0000-4000-8000-000000000011/assignLicense",
    "/users/00000000-0000-4000-8000-000000000001/reprocessLicenseAssignment",
    "/users/00000000-0000-4000-8000-000000000001/revokeSignInSessions",
    "/users/00000000-0000-4000-8000-000000000001/changePassword",
    "/users/00000000-0000-4000-8000-000000000001/photo/$value",
    "/groups/00000000-0000-4000-8000-000000000011/renew",
    "/users/00000000-0000-4000-8000-000000000800",
    "/directory/deletedItems/00000000-0000-4000-8000-000000000001/restore",
    "/directory/deletedItems/00000000-0000-4000-8000-000000000001",
    "/directory/deletedItems/00000000-0000-4000-8000-000000000800",
    "/$batch",
];

#[test]
fn a_write_that_fails_changes_nothing() {
    let (rejected, accepted) = (Cell::new(0), Cell::new(0));
    let config = ProptestConfig {
        cases: 600,
        rng_seed: RngSeed::Fixed(9),
        ..ProptestConfig::default()
    };
    let requests = (
        proptest::sample::select(vec!["POST", "PATCH", "PUT", "DELETE"]),
        proptest::sample::select(TARGETS.to_vec()),
        proptest::sample::select(vec![
            "",
            "",
            "?$select=id",
            "?$select=bogus",
            "?$expand=manager",
            "?$top=x",
        ]),
        proptest::collection::btree_map(name(), value(), 0..8),
    );
    let outcome = TestRunner::new(config).run(&requests, |(method, target, query, body)| {
        let fixture = fixture();
        let before = fixture.snapshot();
        let response = fixture.write(method, &format!("{target}{query}"), &json!(body));
        if response.status >= 400 {
            rejected.set(rejected.get() + 1);
            prop_assert_eq!(fixture.snapshot(), before);
            prop_assert!(response.body["error"]["code"].is_string());
        } else {
            accepted.set(accepted.get() + 1);
            prop_assert!(response.status < 300);
        }
        Ok(())
    });
    outcome.unwrap();
    // Both happen, or the test shows nothing.
    assert!(rejected.get() > 400, "{} rejected", rejected.get());
    assert!(accepted.get() > 5, "{} accepted", accepted.get());
}

/// One random request of a batch, and whether it depends on the request before it.
fn item() -> impl Strategy<Value = (&'static str, &'static str, Map<String, Value>, bool)> {
    let targets = TARGETS
        .iter()
        .copied()
        .filter(|target| *target != "/$batch");
    (
        proptest::sample::select(vec!["POST", "PATCH", "PUT", "DELETE"]),
        proptest::sample::select(targets.collect::<Vec<_>>()),
        proptest::collection::btree_map(name(), value(), 0..8),
        any::<bool>(),
    )
        .prop_map(|(method, target, body, depends)| {
            (method, target, body.into_iter().collect(), depends)
        })
}

/// Every object of the tenant, and the number of the next change.
fn content(fixture: &Fixture) -> (BTreeMap<(Kind, String), Value>, u64) {
    let state = fixture.tenant.read().unwrap();
    let objects = Kind::ALL.iter().flat_map(|kind| {
        let all = state.store.all(*kind);
        all.map(|object| {
            let id = object["id"].as_str().unwrap_or_default().to_owned();
            ((*kind, id), serde_json::to_value(object).unwrap())
        })
    });
    (objects.collect(), state.store.changes.next())
}

#[test]
fn the_items_of_a_batch_that_fail_change_nothing() {
    const CHANGED: &str = "00000000-0000-4000-8000-000000000003";
    let known = json!({
        "id": "known", "method": "PATCH", "url": format!("/users/{CHANGED}"),
        "headers": {"content-type": "application/json"}, "body": {"jobTitle": "Lead"},
    });
    let steps = {
        let fixture = fixture();
        let first = content(&fixture).1;
        let response = fixture.patch(&format!("/users/{CHANGED}"), &known["body"]);
        assert_eq!(response.status, 204, "{}", response.text);
        content(&fixture).1 - first
    };
    let (rejected, mixed) = (Cell::new(0), Cell::new(0));
    let config = ProptestConfig {
        cases: 300,
        rng_seed: RngSeed::Fixed(15),
        ..ProptestConfig::default()
    };
    let batches = (
        proptest::collection::vec(item(), 1..6),
        proptest::option::of(0_usize..6),
    );
    let outcome = TestRunner::new(config).run(&batches, |(items, place)| {
        let fixture = fixture();
        let before = fixture.snapshot();
        let (objects, first) = content(&fixture);
        let mut requests: Vec<Value> = Vec::new();
        for (number, (method, target, body, depends)) in items.into_iter().enumerate() {
            let mut request = json!({
                "id": number.to_string(), "method": method, "url": target,
                "headers": {"content-type": "application/json"}, "body": body,
            });
            if let Some(last) = requests.last().filter(|_| depends) {
                request["dependsOn"] = json!([last["id"]]);
            }
            requests.push(request);
        }
        if let Some(place) = place {
            requests.insert(place.min(requests.len()), known.clone());
        }
        let response = fixture.post("/$batch", &json!({ "requests": requests }));
        prop_assert_eq!(response.status, 200, "{}", response.text);
        let responses = response.body["responses"].as_array().unwrap();
        prop_assert_eq!(responses.len(), requests.len());
        let mut failed = responses.iter().filter(|one| one["id"] != "known");
        if !failed.all(|one| one["status"].as_u64().is_some_and(|status| status >= 400)) {
            return Ok(());
        }
        if place.is_none() {
            rejected.set(rejected.get() + 1);
            prop_assert_eq!(fixture.snapshot(), before);
            return Ok(());
        }
        mixed.set(mixed.get() + 1);
        let (after, next) = content(&fixture);
        prop_assert_eq!(next - first, steps);
        for (key, object) in &after {
            match key {
                (Kind::User, id) if id == CHANGED => {
                    let mut expected = objects[key].clone();
                    expected["jobTitle"] = "Lead".into();
                    prop_assert_eq!(object, &expected);
                }
                (Kind::DirectoryAudit, _) if !objects.contains_key(key) => {
                    prop_assert_eq!(&object["activityDisplayName"], "Update user");
                }
                _ => prop_assert_eq!(Some(object), objects.get(key)),
            }
        }
        prop_assert_eq!(after.len(), objects.len() + 1);
        Ok(())
    });
    outcome.unwrap();
    assert!(rejected.get() > 50, "{} rejected", rejected.get());
    assert!(mixed.get() > 50, "{} mixed", mixed.get());
}
