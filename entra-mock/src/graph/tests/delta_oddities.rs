use super::{
    delta::{fixture, round, row},
    *,
};
use crate::oddities::DeltaOddities;

fn with(oddities: DeltaOddities) -> Fixture {
    let mut fixture = fixture();
    fixture.state().delta_oddities = oddities;
    fixture
}

fn add_users(fixture: &mut Fixture, count: u32) {
    for number in 0..count {
        let user = json!({"id": id(10_000 + number), "displayName": "U", "userPrincipalName": format!("u{number}@contoso.com")});
        let user = user.as_object().cloned().unwrap();
        fixture.state().store.insert(Kind::User, user).unwrap();
    }
}

fn target(link: &Value) -> String {
    let link = link.as_str().unwrap();
    link.strip_prefix("https://tenant.test/v1.0")
        .unwrap()
        .to_owned()
}

fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().filter_map(|row| row["id"].as_str()).collect()
}

#[test]
fn repeated_items_come_twice_in_a_page_and_again_in_the_next_round() {
    let fixture = with(DeltaOddities::none().repeated_items());
    let (rows, link) = round(&fixture, "/users/delta");
    assert_eq!((rows.len(), &rows[0]), (4, &rows[3]));
    fixture.patch(
        &format!("/users/{}", id(ADELE)),
        &json!({"jobTitle": "Graz"}),
    );
    let (rows, link) = round(&fixture, &link);
    assert!(ids(&rows).contains(&&*id(ADELE)));
    // Nothing changed since.
    let (rows, _) = round(&fixture, &link);
    assert_eq!(row(&rows, ADELE)["jobTitle"], "Graz");
}

#[test]
fn shuffled_items_have_another_order() {
    let (plain, _) = round(&with(DeltaOddities::none()), "/users/delta");
    let (shuffled, _) = round(
        &with(DeltaOddities::none().shuffled_items()),
        "/users/delta",
    );
    assert_ne!(plain, shuffled);
    assert_eq!(plain.len(), shuffled.len());
}

#[test]
fn a_change_during_a_round_comes_two_rounds_later() {
    let mut fixture = with(DeltaOddities::none().changes_during_round());
    add_users(&mut fixture, 300);
    let page = fixture.get("/users/delta");
    let late = id(10_299);
    fixture.patch(&format!("/users/{late}"), &json!({"jobTitle": "Graz"}));
    let next = target(&page.body["@odata.nextLink"]);
    let (rows, link) = round(&fixture, &next);
    assert!(
        !ids(&rows).contains(&&*late),
        "it is missing from this round"
    );
    fixture.patch(
        &format!("/users/{}", id(ADELE)),
        &json!({"jobTitle": "Wels"}),
    );
    let (rows, link) = round(&fixture, &link);
    assert_eq!(ids(&rows), [id(ADELE)], "and from the next one");
    let (rows, link) = round(&fixture, &link);
    assert_eq!(ids(&rows), [&*late]);
    // It was missing from a round of all objects, so it is complete.
    assert_eq!(
        (&rows[0]["displayName"], &rows[0]["jobTitle"]),
        (&json!("U"), &json!("Graz"))
    );
    assert_eq!(round(&fixture, &link).0, [] as [Value; 0]);
}

#[test]
fn a_round_of_groups_with_members_never_ends() {
    let fixture = with(DeltaOddities::none().never_ending_members());
    let first = fixture.get("/groups/delta");
    let second = fixture.get(&target(&first.body["@odata.nextLink"]));
    assert_eq!(
        ids(&first
            .all("id")
            .iter()
            .map(|id| json!({"id": id}))
            .collect::<Vec<_>>()),
        second.all("id")
    );
    assert!(!second.body["@odata.nextLink"].is_null());
    // Without members it does.
    let (rows, _) = round(&fixture, "/groups/delta?$select=displayName");
    assert_eq!(rows.len(), 2);
}

#[test]
fn a_purged_member_leaves_its_group_in_silence() {
    let mut fixture = with(DeltaOddities::none().purged_members_silent());
    let (_, groups) = round(&fixture, "/groups/delta");
    let (_, users) = round(&fixture, "/users/delta");
    fixture.state().store.remove(Kind::User, &id(ADELE));
    assert_eq!(round(&fixture, &groups).0, [] as [Value; 0]);
    let (rows, _) = round(&fixture, &users);
    assert_eq!(rows[0]["@removed"]["reason"], "deleted");
}

#[test]
fn a_first_round_lists_former_members_and_deleted_users_as_removed() {
    let oddities = DeltaOddities::none().removed_members_in_first_round();
    let mut fixture = with(oddities.removed_users_in_first_round());
    fixture
        .state()
        .store
        .unlink(Relation::Members, &id(ENGINEERS), &id(ADELE));
    let (rows, _) = round(&fixture, "/groups/delta");
    let members = row(&rows, ENGINEERS)["members@delta"].as_array().unwrap();
    let adele = members
        .iter()
        .find(|member| member["id"] == id(ADELE).as_str())
        .unwrap();
    assert_eq!(adele["@removed"]["reason"], "deleted");
    // Deleted first: that sets the time of the changes of the test itself.
    fixture.delete(&format!("/users/{}", id(BO)));
    fixture.state().store.remove(Kind::User, &id(CLEO));
    let (rows, link) = round(&fixture, "/users/delta");
    assert_eq!(row(&rows, CLEO)["@removed"]["reason"], "deleted");
    assert_eq!(row(&rows, BO)["@removed"]["reason"], "changed");
    assert_eq!(round(&fixture, &link).0, [] as [Value; 0]);
}

#[test]
fn a_delayed_change_comes_when_it_is_old_enough() {
    let mut fixture = with(DeltaOddities::none().delayed(std::time::Duration::from_secs(300)));
    let (_, link) = round(&fixture, "/users/delta");
    let now = fixture.now;
    fixture.state().store.changes.stamp(now, None);
    fixture
        .state()
        .store
        .update(Kind::User, &id(ADELE), |user| {
            user.insert("jobTitle".into(), "Graz".into());
        });
    assert_eq!(round(&fixture, &link).0, [] as [Value; 0]);
    fixture.now += entra_core::time::Duration::seconds(300);
    assert_eq!(ids(&round(&fixture, &link).0), [id(ADELE)]);
}

#[test]
fn forgotten_links_return_410_with_a_location() {
    let mut fixture = with(DeltaOddities::none());
    let (_, link) = round(&fixture, "/users/delta?$select=displayName");
    fixture.state().delta_epoch += 1;
    let response = fixture.get(&link);
    assert_eq!(
        (response.status, &response.body["error"]["code"]),
        (410, &json!("syncStateNotFound"))
    );
    assert!(response.headers.iter().any(|(name, _)| *name == "location"));
    let (rows, _) = round(&fixture, "/users/delta?$select=displayName");
    assert_eq!(rows.len(), 3);
}

#[test]
fn a_deleted_user_is_missing_without_a_row() {
    let oddities = DeltaOddities::none().deletions_silent().repeated_items();
    let mut fixture = with(oddities);
    let (_, groups) = round(&fixture, "/groups/delta");
    let (_, link) = round(&fixture, "/users/delta");
    fixture.delete(&format!("/users/{}", id(BO)));
    fixture.state().store.remove(Kind::User, &id(CLEO));
    fixture.state().store.remove(Kind::Group, &id(ENGINEERS));
    let (rows, link) = round(&fixture, &link);
    let is_removed = |row: &Value| !row["@removed"].is_null();
    assert!(!rows.iter().any(is_removed), "{rows:?}");
    // Neither does the next round repeat it.
    let (rows, _) = round(&fixture, &link);
    assert!(!rows.iter().any(is_removed), "{rows:?}");
    // A round of all objects lacks them, and groups are reported.
    let (rows, _) = round(&fixture, "/users/delta");
    assert_eq!(ids(&rows), [id(ADELE), id(ADELE)]);
    let (rows, _) = round(&fixture, &groups);
    assert!(rows.iter().any(is_removed), "{rows:?}");
}

#[test]
fn further_pages_of_all_properties_have_four_of_them() {
    let mut fixture = with(DeltaOddities::none().select_star_shrinks());
    add_users(&mut fixture, 300);
    let names = |row: &Value| row.as_object().unwrap().len();
    let first = fixture.get("/users/delta?$select=*");
    let first_rows = first.body["value"].as_array().unwrap();
    assert!(names(row(first_rows, ADELE)) > 4);
    let (rows, link) = round(&fixture, &target(&first.body["@odata.nextLink"]));
    let last = rows.iter().find(|row| row["id"] == id(10_299)).unwrap();
    assert_eq!(
        (&last["displayName"], names(last)),
        (&json!("U"), 3),
        "it has no mail"
    );
    // A round of changes, and other selections, have what was asked for.
    fixture.patch(
        &format!("/users/{}", id(ADELE)),
        &json!({"jobTitle": "Graz"}),
    );
    let (rows, _) = round(&fixture, &link);
    assert_eq!(row(&rows, ADELE)["jobTitle"], "Graz");
    let first = fixture.get("/users/delta?$select=displayName,userPrincipalName");
    let (rows, _) = round(&fixture, &target(&first.body["@odata.nextLink"]));
    assert_eq!(names(&rows[0]), 3);
}

#[test]
fn a_forgotten_link_has_no_address_to_start_again() {
    let mut fixture = with(DeltaOddities::none().resync_without_location());
    let (_, link) = round(&fixture, "/users/delta");
    fixture.state().delta_epoch += 1;
    let response = fixture.get(&link);
    assert_eq!(
        (response.status, &response.body["error"]["code"]),
        (410, &json!("SyncStateNotFound"))
    );
    assert!(!response.headers.iter().any(|(name, _)| *name == "location"));
}

#[test]
fn a_restored_user_and_a_restored_group_come_without_memberships() {
    for is_silent in [false, true] {
        let oddities = DeltaOddities::none();
        let mut fixture = with(if is_silent {
            oddities.restored_memberships_silent()
        } else {
            oddities
        });
        let (_, groups) = round(&fixture, "/groups/delta");
        let (_, users) = round(&fixture, "/users/delta");
        fixture.delete(&format!("/users/{}", id(ADELE)));
        fixture.state().restore(&id(ADELE), Vec::new()).unwrap();
        let (rows, _) = round(&fixture, &users);
        assert!(row(&rows, ADELE)["displayName"].is_string());
        let (rows, _) = round(&fixture, &groups);
        assert_eq!(rows.is_empty(), is_silent, "{rows:?}");
        // A round of all groups has her.
        let (rows, _) = round(&fixture, "/groups/delta");
        let members = row(&rows, ENGINEERS)["members@delta"].as_array().unwrap();
        assert!(members.iter().any(|link| link["id"] == id(ADELE).as_str()));
    }
}

#[test]
fn a_round_that_never_ends_goes_on_with_empty_pages_and_other_links() {
    let fixture = with(DeltaOddities::none().never_ending_empty_pages());
    let first = fixture.get("/users/delta");
    assert_eq!(first.all("id").len(), 3);
    let mut links = vec![target(&first.body["@odata.nextLink"])];
    for _ in 0..3 {
        let page = fixture.get(&links[0]);
        assert_eq!(page.body["value"], json!([]));
        links.insert(0, target(&page.body["@odata.nextLink"]));
    }
    links.sort_unstable();
    links.dedup();
    assert_eq!(links.len(), 4);
}

#[test]
fn a_round_of_several_types_never_ends_either() {
    let types = "?$filter=isof('microsoft.graph.user') or isof('microsoft.graph.group')";
    let pages = |oddities: DeltaOddities| -> Vec<usize> {
        let mut fixture = with(oddities);
        fixture.application(&["Directory.Read.All"]);
        let mut link = format!("/directoryObjects/delta{types}");
        let mut counts = Vec::new();
        for _ in 0..6 {
            let page = fixture.get(&link);
            counts.push(page.all("id").len());
            if page.body["@odata.nextLink"].is_null() {
                break;
            }
            link = target(&page.body["@odata.nextLink"]);
        }
        counts
    };
    assert_eq!(pages(DeltaOddities::none()), [3, 2]);
    let empty = pages(DeltaOddities::none().never_ending_empty_pages());
    assert_eq!(empty, [3, 2, 0, 0, 0, 0]);
    let members = pages(DeltaOddities::none().never_ending_members());
    assert_eq!(members, [3, 2, 2, 2, 2, 2]);
}
