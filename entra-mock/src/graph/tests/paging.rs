//! Pages and counts from indexes are those of a scan over all objects.

use super::*;
use crate::{
    graph::rows::EvalContext,
    odata::{Order, matches, parse_filter},
    random::Random,
    store::{Object, Store},
};

/// The result of a query by looking at every user.
fn scan(store: &Store, filter: Option<&str>, order: Option<&str>) -> Vec<String> {
    let filter = filter.map(|filter| parse_filter(filter).unwrap());
    let fits = |user: &&Object| {
        filter
            .as_ref()
            .is_none_or(|filter| matches(filter, user, &EvalContext::unlimited(store)))
    };
    let mut users: Vec<&Object> = store.all(Kind::User).filter(fits).collect();
    if let Some(order) = order {
        let order = Order::parse(order, Kind::User.entity(), true, true).unwrap();
        users.sort_by(|left, right| order.compare(&order.keys(left), &order.keys(right)));
    }
    users
        .into_iter()
        .map(|user| user["id"].as_str().unwrap().to_owned())
        .collect()
}

/// The result of a query page by page, and its `@odata.count`.
fn paged(fixture: &Fixture, options: &str) -> (Vec<String>, u64) {
    let pages = fixture.walk(&format!("/users?$select=id&$count=true{options}"), true);
    let ids = pages
        .iter()
        .flat_map(|page| page.all("id"))
        .map(str::to_owned)
        .collect();
    (ids, pages[0].body["@odata.count"].as_u64().unwrap())
}

const NAMES: [&str; 8] = ["anna", "Anna", "ANNA b", "bo", "Ärmel", "ärmel", "Kim", ""];
const TIMES: [&str; 4] = [
    "2025-01-01T00:00:00Z",
    "2025-06-01T00:00:00Z",
    "2025-06-01T02:00:00+02:00",
    "2026-01-01T12:30:00.5Z",
];
const ORDERS: [&str; 7] = [
    "displayName",
    "displayName desc",
    "createdDateTime",
    "createdDateTime desc",
    "userPrincipalName desc",
    "displayName desc,createdDateTime",
    "createdDateTime,displayName desc",
];

fn random_user(random: &Random, number: u64) -> Value {
    let mut user = json!({
        "id": id(9_000 + u32::try_from(number).unwrap()),
        "userPrincipalName": format!("{}{number}@contoso.com", random.word(&["x", "Y", "z"])),
        "accountEnabled": random.percent(50),
    });
    for (name, values) in [
        ("displayName", &NAMES[..]),
        ("department", &NAMES[..3]),
        ("createdDateTime", &TIMES[..]),
    ] {
        if random.percent(80) {
            user[name] = random.word(values).into();
        }
    }
    user
}

fn random_write(fixture: &mut Fixture, random: &Random, number: u64) {
    let chosen = random.index(fixture.state().store.len(Kind::User).max(1));
    let store = &mut fixture.state().store;
    let user = store.all(Kind::User).nth(chosen);
    let user = user.map(|user| user["id"].as_str().unwrap().to_owned());
    let deleted = store
        .deleted_after(Kind::User, None)
        .next()
        .map(|(_, user)| user["id"].as_str().unwrap().to_owned());
    match (random.below(8), user, deleted) {
        (0, Some(user), _) => assert!(store.remove(Kind::User, &user)),
        (1, Some(user), _) => assert!(store.delete(Kind::User, &user, |_| {})),
        (2, _, Some(deleted)) => store.restore(&deleted, |_| {}).unwrap(),
        (3 | 4, Some(user), _) => {
            let (name, values) = [
                ("displayName", &NAMES[..]),
                ("department", &NAMES[..3]),
                ("createdDateTime", &TIMES[..]),
            ][random.index(3)];
            let value = random.percent(80).then(|| random.word(values));
            assert!(store.update(Kind::User, &user, |user| match value {
                Some(value) => drop(user.insert(name.to_owned(), value.into())),
                None => drop(user.remove(name)),
            }));
        }
        _ => {
            let user = random_user(random, number);
            store
                .insert(Kind::User, user.as_object().cloned().unwrap())
                .unwrap();
        }
    }
}

fn random_clause(random: &Random) -> String {
    let name = random.word(&NAMES);
    let time = random.word(&TIMES).replace("+02:00", "%2B02:00");
    let range = random.word(&["ge", "le"]);
    match random.below(11) {
        0 => format!("displayName eq '{name}'"),
        1 => format!("displayName ne '{name}'"),
        2 => format!("startswith(displayName,'{name}')"),
        3 => format!("displayName {range} '{name}'"),
        4 => format!("createdDateTime {range} {time}"),
        5 => format!("createdDateTime eq {time}"),
        6 => "createdDateTime eq null".to_owned(),
        7 => format!("accountEnabled eq {}", random.percent(50)),
        8 => format!("department in ('{name}','anna')"),
        9 => "department ne null".to_owned(),
        _ => format!(
            "endswith(userPrincipalName,'{}@contoso.com')",
            random.below(10)
        ),
    }
}

fn random_filter(random: &Random, depth: u32) -> String {
    if depth == 0 || random.percent(30) {
        return random_clause(random);
    }
    let inner = || random_filter(random, depth - 1);
    match random.below(3) {
        0 => format!("({} and {})", inner(), inner()),
        1 => format!("({} or {})", inner(), inner()),
        _ => format!("not ({})", inner()),
    }
}

#[test]
fn pages_and_counts_equal_a_scan_for_random_filters_orders_and_writes() {
    for seed in 0..SEEDS {
        let random = Random::new(seed);
        let mut fixture = Fixture::new();
        for number in 0..40 {
            random_write(&mut fixture, &random, number);
        }
        for round in 0..30 {
            let filter = random.percent(80).then(|| random_filter(&random, 3));
            let order = random.percent(70).then(|| random.word(&ORDERS));
            let mut options = format!("&$top={}", 1 + random.below(9));
            if let Some(filter) = &filter {
                options = format!("{options}&$filter={filter}");
            }
            if let Some(order) = order {
                options = format!("{options}&$orderby={order}");
            }
            let plain = filter.as_deref().map(|filter| filter.replace("%2B", "+"));
            let expected = scan(&fixture.state().store, plain.as_deref(), order);
            let (ids, count) = paged(&fixture, &options);
            assert_eq!(ids, expected, "seed {seed}, round {round}: {options}");
            assert_eq!(count, expected.len() as u64, "seed {seed}: {options}");
            for number in 0..3 {
                random_write(&mut fixture, &random, 100 + round * 3 + number);
            }
        }
    }
}

#[test]
fn a_row_that_moves_behind_the_page_is_read_again_and_no_other_is_lost() {
    let mut fixture = Fixture::new();
    let first = fixture.get("/users?$orderby=displayName&$top=1&$select=displayName");
    assert_eq!(first.all("displayName"), ["Adele"]);
    let next = first.body["@odata.nextLink"].as_str().unwrap();
    let next = next.strip_prefix("https://tenant.test/v1.0").unwrap();
    // The row that the token names moves, and another one takes its place.
    for (number, name) in [(ADELE, "Zoe"), (CLEO, "Adele")] {
        let renamed = fixture
            .state()
            .store
            .update(Kind::User, &id(number), |user| {
                user.insert("displayName".into(), name.into());
            });
        assert!(renamed);
    }
    let names: Vec<String> = fixture
        .walk(next, false)
        .iter()
        .flat_map(|page| page.all("displayName"))
        .map(str::to_owned)
        .collect();
    assert_eq!(names, ["Adele", "Bo O'Neil", "Zoe"]);
}

#[test]
fn a_log_sorted_by_time_has_records_of_the_same_time_in_insertion_order() {
    let mut fixture = Fixture::new();
    let times = ["2026-11-20T10:00:00Z", "2026-11-20T09:00:00Z"];
    for number in 0..6 {
        let record = json!({
            "id": format!("r{number}"), "activityDateTime": times[number % 2],
            "activityDisplayName": "Update user",
        });
        fixture
            .state()
            .store
            .insert(Kind::DirectoryAudit, record.as_object().cloned().unwrap())
            .unwrap();
    }
    let ids = |options: &str| -> Vec<String> {
        fixture
            .walk(
                &format!("/auditLogs/directoryAudits?$filter=activityDisplayName eq 'Update user'&$top=1{options}"),
                false,
            )
            .iter()
            .flat_map(|page| page.all("id"))
            .filter(|id| id.starts_with('r'))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(
        ids("&$orderby=activityDateTime"),
        ["r1", "r3", "r5", "r0", "r2", "r4"]
    );
    assert_eq!(
        ids("&$orderby=activityDateTime desc"),
        ["r0", "r2", "r4", "r1", "r3", "r5"]
    );
    assert_eq!(
        ids("&$orderby=activityDateTime desc,activityDisplayName"),
        ["r0", "r2", "r4", "r1", "r3", "r5"]
    );
}

/// Each runs 30 queries page by page.
const SEEDS: u64 = 25;

#[test]
fn a_listed_user_shows_each_change_at_once() {
    let mut fixture = Fixture::new();
    let list = "/users?$select=id,displayName,signInActivity&$top=3";
    let names = "/users?$select=displayName&$top=3";
    for number in 0..3 {
        let name = format!("Adele {number}");
        let renamed = fixture
            .state()
            .store
            .update(Kind::User, &id(ADELE), |user| {
                user.insert("displayName".into(), name.as_str().into());
            });
        assert!(renamed);
        // The second response has the JSON of the first one.
        assert_eq!(fixture.get(names).all("displayName")[0], name);
        assert_eq!(fixture.get(names).all("displayName")[0], name);

        let time = format!("2026-11-2{number}T10:00:00Z");
        let (kind, record) = sign_in(&format!("new-{number}"), ADELE, &time, "interactiveUser", 0);
        let record = record.as_object().cloned().unwrap();
        fixture.state().store.insert(kind, record).unwrap();
        let page = fixture.get(list);
        assert_eq!(page.status, 200, "{}", page.text);
        let last = &page.body["value"][0]["signInActivity"]["lastSignInDateTime"];
        assert!(
            last.as_str().unwrap() >= time.as_str(),
            "{last} is before {time}"
        );
    }
}

#[test]
fn callers_who_see_less_do_not_get_the_json_of_others() {
    let mut fixture = Fixture::new();
    let list = "/users?$select=id,displayName,department&$top=1";
    fixture.application(&["User.Read.All"]);
    for _ in 0..2 {
        assert_eq!(fixture.get(list).body["value"][0]["department"], "R&D");
    }
    fixture.adele(&["User.ReadBasic.All"]);
    let bo = "/users?$select=id,displayName,accountEnabled&$top=3";
    for _ in 0..2 {
        let page = fixture.get(bo);
        assert_eq!(page.status, 200, "{}", page.text);
        assert_eq!(page.body["value"][1]["displayName"], "Bo O'Neil");
        assert_eq!(page.body["value"][1]["accountEnabled"], Value::Null);
    }
    fixture.application(&["User.Read.All"]);
    assert_eq!(fixture.get(bo).body["value"][1]["accountEnabled"], false);
}
