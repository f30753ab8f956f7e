use std::collections::BTreeMap;

use entra_core::time::Duration;

use super::*;

pub(super) fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&["Group.ReadWrite.All", "User.ReadWrite.All"]);
    fixture
}

/// All rows of a round, and the link of the next one.
pub(super) fn round(fixture: &Fixture, start: &str) -> (Vec<Value>, String) {
    let (mut rows, mut target) = (Vec::new(), start.to_owned());
    for _ in 0..1_000 {
        let page = fixture.get(&target);
        assert_eq!(page.status, 200, "{target}: {}", page.text);
        rows.extend(page.body["value"].as_array().unwrap().iter().cloned());
        let (next, last) = (
            &page.body["@odata.nextLink"],
            &page.body["@odata.deltaLink"],
        );
        assert_ne!(next.is_null(), last.is_null(), "exactly one link");
        let link = next.as_str().or(last.as_str()).unwrap();
        target = link
            .strip_prefix("https://tenant.test/v1.0")
            .unwrap()
            .to_owned();
        if next.is_null() {
            return (rows, target);
        }
    }
    panic!("a round without end");
}

pub(super) fn row(rows: &[Value], number: u32) -> &Value {
    let own = id(number);
    rows.iter()
        .find(|row| row["id"] == own.as_str())
        .unwrap_or_else(|| panic!("no row of {own} in {rows:?}"))
}

#[test]
fn the_first_round_lists_all_objects_and_the_next_one_the_changes() {
    let fixture = fixture();
    let (rows, link) = round(&fixture, "/users/delta");
    assert_eq!(rows.len(), 3);
    assert_eq!(row(&rows, ADELE)["jobTitle"], "Engineer");
    // A property that was never set is absent.
    assert!(row(&rows, BO).get("jobTitle").is_none());
    let (rows, link) = round(&fixture, &link);
    assert_eq!(rows, [] as [Value; 0]);

    fixture.patch(
        &format!("/users/{}", id(ADELE)),
        &json!({"jobTitle": null, "city": "Graz"}),
    );
    let (rows, link) = round(&fixture, &link);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["jobTitle"], Value::Null);
    assert!(rows[0].as_object().unwrap().contains_key("jobTitle"));
    assert_eq!(rows[0]["displayName"], "Adele");
    assert_eq!(round(&fixture, &link).0, [] as [Value; 0]);
}

#[test]
fn a_removal_has_a_reason_that_shows_whether_the_user_can_be_restored() {
    let mut fixture = fixture();
    let (_, start) = round(&fixture, "/users/delta");
    fixture.delete(&format!("/users/{}", id(BO)));
    let (rows, link) = round(&fixture, &start);
    assert_eq!(
        rows,
        [json!({"id": id(BO), "@removed": {"reason": "changed"}})]
    );
    fixture.post(
        &format!("/directory/deletedItems/{}/restore", id(BO)),
        &json!({}),
    );
    let (rows, link) = round(&fixture, &link);
    assert_eq!(rows[0]["userPrincipalName"], "bo@contoso.com");

    fixture.delete(&format!("/users/{}", id(BO)));
    let (_, link) = round(&fixture, &link);
    fixture.now += Duration::days(3);
    let (_, link) = round(&fixture, &link);
    fixture.state().store.purge(&id(BO));
    let (rows, _) = round(&fixture, &link);
    assert_eq!(
        rows,
        [json!({"id": id(BO), "@removed": {"reason": "deleted"}})]
    );
}

#[test]
fn a_delta_link_can_be_used_again() {
    let fixture = fixture();
    let (_, start) = round(&fixture, "/users/delta");
    fixture.patch(
        &format!("/users/{}", id(ADELE)),
        &json!({"jobTitle": "Lead"}),
    );
    let (first, _) = round(&fixture, &start);
    fixture.patch(&format!("/users/{}", id(BO)), &json!({"jobTitle": "Lead"}));
    let (second, _) = round(&fixture, &start);
    assert_eq!((first.len(), second.len()), (1, 2));
}

#[test]
fn select_limits_the_tracked_and_shown_properties() {
    let fixture = fixture();
    let (rows, link) = round(&fixture, "/users/delta?$select=DisplayName,jobTitle");
    assert_eq!(
        row(&rows, ADELE),
        &json!({"id": id(ADELE), "displayName": "Adele", "jobTitle": "Engineer"})
    );
    fixture.patch(&format!("/users/{}", id(ADELE)), &json!({"city": "Graz"}));
    fixture.patch(&format!("/users/{}", id(BO)), &json!({"jobTitle": "Lead"}));
    let (rows, _) = round(&fixture, &link);
    assert_eq!(
        rows,
        [json!({"id": id(BO), "displayName": "Bo O'Neil", "jobTitle": "Lead"})]
    );

    let mut minimal = request("GET", &link, &[("prefer", "return=minimal")]);
    minimal.path = minimal.path.replace("/v1.0/v1.0", "/v1.0");
    let response = fixture.send(&minimal);
    assert_eq!(
        response.body["value"],
        json!([{"id": id(BO), "jobTitle": "Lead"}])
    );
}

#[test]
fn group_rows_have_added_and_removed_members() {
    let fixture = fixture();
    let (rows, link) = round(&fixture, "/groups/delta");
    let members = row(&rows, ENGINEERS)["members@delta"].as_array().unwrap();
    assert_eq!(members.len(), 3);
    assert!(members.contains(&json!({"@odata.type": "#microsoft.graph.device", "id": id(LAPTOP)})));

    let group = format!("/groups/{}/members", id(ENGINEERS));
    fixture.delete(&format!("{group}/{}/$ref", id(ADELE)));
    fixture.post(
        &format!("{group}/$ref"),
        &json!({"@odata.id": format!("https://x/v1.0/users/{}", id(CLEO))}),
    );
    let (rows, link) = round(&fixture, &link);
    assert_eq!(rows.len(), 1);
    assert_eq!(
        rows[0]["members@delta"],
        json!([
            {"@odata.type": "#microsoft.graph.user", "id": id(ADELE), "@removed": {"reason": "deleted"}},
            {"@odata.type": "#microsoft.graph.user", "id": id(CLEO)},
        ])
    );
    // A changed property alone brings no members.
    fixture.patch(
        &format!("/groups/{}", id(ENGINEERS)),
        &json!({"description": "x"}),
    );
    let (rows, _) = round(&fixture, &link);
    assert!(rows[0].get("members@delta").is_none());

    let (_, link) = round(&fixture, "/groups/delta?$select=displayName");
    fixture.delete(&format!("{group}/{}/$ref", id(CLEO)));
    assert_eq!(round(&fixture, &link).0, [] as [Value; 0]);
}

#[test]
fn a_deleted_member_leaves_the_group_when_it_is_purged() {
    let mut fixture = fixture();
    let (_, link) = round(&fixture, "/groups/delta");
    fixture.delete(&format!("/users/{}", id(ADELE)));
    let (rows, link) = round(&fixture, &link);
    assert_eq!(rows, [] as [Value; 0]);
    fixture.state().store.purge(&id(ADELE));
    let (rows, _) = round(&fixture, &link);
    assert_eq!(rows[0]["members@delta"][0]["@removed"]["reason"], "deleted");
}

#[test]
fn a_selected_manager_is_tracked() {
    let fixture = fixture();
    let (rows, link) = round(&fixture, "/users/delta?$select=manager");
    assert_eq!(
        row(&rows, ADELE)["manager@delta"],
        json!([{"@odata.type": "#microsoft.graph.user", "id": id(BO)}])
    );
    fixture.delete(&format!("/users/{}/manager/$ref", id(ADELE)));
    let (rows, _) = round(&fixture, &link);
    assert_eq!(rows[0]["manager@delta"][0]["@removed"]["reason"], "deleted");
}

#[test]
fn latest_starts_without_objects_and_a_filter_tracks_single_objects() {
    let fixture = fixture();
    let (rows, link) = round(&fixture, "/users/delta?$deltaToken=latest");
    assert_eq!(rows, [] as [Value; 0]);
    fixture.patch(&format!("/users/{}", id(BO)), &json!({"jobTitle": "Lead"}));
    assert_eq!(round(&fixture, &link).0.len(), 1);

    let (rows, link) = round(
        &fixture,
        &format!(
            "/users/delta?$filter=id eq '{}' or id eq '{}'",
            id(ADELE),
            id(CLEO)
        ),
    );
    assert_eq!(rows.len(), 2);
    fixture.patch(&format!("/users/{}", id(BO)), &json!({"jobTitle": "Chief"}));
    assert_eq!(round(&fixture, &link).0, [] as [Value; 0]);
    fixture.patch(
        &format!("/users/{}", id(CLEO)),
        &json!({"jobTitle": "Chief"}),
    );
    assert_eq!(round(&fixture, &link).0.len(), 1);
}

#[test]
fn an_expired_token_returns_410_with_a_location() {
    let mut fixture = fixture();
    let (_, link) = round(&fixture, "/users/delta?$select=displayName");
    fixture.now += Duration::days(7);
    assert_eq!(fixture.get(&link).status, 200);
    fixture.now += Duration::SECOND;
    let gone = fixture.get(&link);
    assert_eq!(gone.error().0, 410);
    assert_eq!(gone.error().1, "syncStateNotFound");
    let location = gone.header("location").unwrap();
    assert_eq!(
        location,
        "https://tenant.test/v1.0/users/delta?$deltatoken=&$select=displayName"
    );
    let (rows, _) = round(
        &fixture,
        location.strip_prefix("https://tenant.test/v1.0").unwrap(),
    );
    assert_eq!(rows.len(), 3);
}

#[test]
fn unsupported_delta_options_return_400() {
    let fixture = fixture();
    let (_, link) = round(&fixture, "/users/delta");
    let token = link.split_once("$deltatoken=").unwrap().1.to_owned();
    let many: Vec<String> = (0..51)
        .map(|number| format!("id eq '{}'", id(number)))
        .collect();
    for target in [
        "/users/delta?$top=5".to_owned(),
        "/users/delta?$expand=manager".to_owned(),
        "/users/delta?$orderby=displayName".to_owned(),
        "/users/delta?$filter=displayName eq 'x'".to_owned(),
        format!("/users/delta?$filter={}", many.join(" or ")),
        "/users/delta?$select=colour".to_owned(),
        "/users/delta?$select=memberOf".to_owned(),
        "/users/delta?$deltatoken=made-up".to_owned(),
        format!("/users/delta?$skiptoken={token}"),
        format!("/groups/delta?$deltatoken={token}"),
        format!("/users/delta?$deltatoken={token}&$select=id"),
        format!("/users/delta?$deltatoken={token}&$skiptoken={token}"),
    ] {
        assert_eq!(fixture.get(&target).status, 400, "{target}");
    }
    let mut other = Fixture::new();
    other.application(&["Group.Read.All"]);
    assert_eq!(other.get("/users/delta").status, 403);
}

#[test]
fn every_response_has_a_different_token() {
    let fixture = fixture();
    let (_, first) = round(&fixture, "/users/delta");
    let (_, second) = round(&fixture, &first);
    assert_ne!(first, second);
}

#[test]
fn hidden_members_are_omitted_without_member_read_hidden() {
    let mut fixture = fixture();
    fixture.application(&["Group.Read.All"]);
    fixture
        .state()
        .store
        .update(Kind::Group, &id(ENGINEERS), |group| {
            group.insert("visibility".into(), "HiddenMembership".into());
        });
    let (rows, _) = round(&fixture, "/groups/delta");
    assert!(row(&rows, ENGINEERS).get("members@delta").is_none());
    let members = format!("/groups/{}/members", id(ENGINEERS));
    assert_eq!(fixture.get(&members).all("id").len(), 0);
    let groups = fixture.get(&format!("/groups/{}/memberOf", id(TESTERS)));
    assert_eq!(groups.all("id").len(), 0);

    let check = |fixture: &Fixture| {
        let path = format!("/users/{}/checkMemberGroups", id(ADELE));
        let response = fixture.post(&path, &json!({"groupIds": [id(ENGINEERS)]}));
        response.body["value"].as_array().unwrap().len()
    };
    assert_eq!(check(&fixture), 0);
    fixture.application(&["Group.Read.All", "Member.Read.Hidden"]);
    assert_eq!(check(&fixture), 1);
    assert_eq!(fixture.get(&members).all("id").len(), 3);
    assert!(
        row(&round(&fixture, "/groups/delta").0, ENGINEERS)
            .get("members@delta")
            .is_some()
    );
}

#[test]
fn a_big_group_spans_several_pages_while_it_changes() {
    let mut fixture = fixture();
    for number in 0..1_200 {
        let user = json!({"id": id(10_000 + number), "displayName": "U", "userPrincipalName": format!("u{number}@contoso.com")});
        fixture
            .state()
            .store
            .insert(Kind::User, user.as_object().cloned().unwrap())
            .unwrap();
        assert!(
            fixture
                .state()
                .store
                .link(Relation::Members, &id(TESTERS), &id(10_000 + number))
        );
    }
    let first = fixture.get("/groups/delta");
    let next = first.body["@odata.nextLink"]
        .as_str()
        .unwrap()
        .strip_prefix("https://tenant.test/v1.0")
        .unwrap()
        .to_owned();
    // A removal before them moves all members that follow.
    fixture
        .state()
        .store
        .unlink(Relation::Members, &id(TESTERS), &id(BO));
    let (rest, link) = round(&fixture, &next);
    let mut copy = Copy::default();
    copy.apply(first.body["value"].as_array().unwrap());
    copy.apply(&rest);
    copy.apply(&round(&fixture, &link).0);
    assert_eq!(copy.members(&id(TESTERS)).len(), 1_201);
    assert_eq!(
        fixture
            .get(&format!("/groups/{}/members?$top=1", id(TESTERS)))
            .status,
        200
    );
}

/// The copy of a client after some rounds.
#[derive(Default)]
struct Copy {
    objects: BTreeMap<String, BTreeMap<String, Value>>,
    members: BTreeMap<String, std::collections::BTreeSet<String>>,
}

impl Copy {
    fn apply(&mut self, rows: &[Value]) {
        for row in rows {
            let own = row["id"].as_str().unwrap().to_owned();
            if row.get("@removed").is_some() {
                self.objects.remove(&own);
                self.members.remove(&own);
                continue;
            }
            let object = self.objects.entry(own.clone()).or_default();
            for (name, value) in row.as_object().unwrap() {
                if name == "members@delta" {
                    let members = self.members.entry(own.clone()).or_default();
                    for item in value.as_array().unwrap() {
                        let other = item["id"].as_str().unwrap();
                        if item.get("@removed").is_some() {
                            members.remove(other);
                        } else {
                            members.insert(other.to_owned());
                        }
                    }
                } else if value.is_null() {
                    object.remove(name);
                } else {
                    object.insert(name.clone(), value.clone());
                }
            }
        }
    }

    fn members(&self, group: &str) -> std::collections::BTreeSet<String> {
        self.members.get(group).cloned().unwrap_or_default()
    }
}

#[test]
fn a_delta_copy_equals_the_tenant_after_ten_thousand_changes() {
    let mut fixture = fixture();
    let random = crate::random::Random::new(11);
    let (mut users, mut groups) = (Copy::default(), Copy::default());
    let (mut user_link, mut group_link) = ("/users/delta".to_owned(), "/groups/delta".to_owned());
    let mut known_users: Vec<String> = [ADELE, BO, CLEO].map(id).to_vec();
    let mut known_groups: Vec<String> = [ENGINEERS, TESTERS].map(id).to_vec();
    for step in 0..10_000 {
        let user = random.pick(&known_users).unwrap().clone();
        let group = random.pick(&known_groups).unwrap().clone();
        let members = format!("/groups/{group}/members");
        match random.below(20) {
            0 => {
                let unified = random.percent(50);
                let body = json!({
                    "displayName": "G", "mailEnabled": unified, "mailNickname": format!("g{step}"), "securityEnabled": true,
                    "groupTypes": if unified { json!(["Unified"]) } else { json!([]) }
                });
                let created = fixture.post("/groups", &body);
                known_groups.push(created.body["id"].as_str().unwrap().to_owned());
            }
            1 | 2 => {
                let body = json!({
                    "accountEnabled": true, "displayName": "U", "mailNickname": "u", "userPrincipalName": format!("u{step}@contoso.com"),
                    "passwordProfile": {"password": "xWwvJ]6NMw+bWH-d"}
                });
                let created = fixture.post("/users", &body);
                known_users.push(created.body["id"].as_str().unwrap().to_owned());
            }
            3 => drop(fixture.delete(&format!("/users/{user}"))),
            4 if random.percent(30) => drop(fixture.delete(&format!("/groups/{group}"))),
            5 => drop(fixture.post(
                &format!("/directory/deletedItems/{user}/restore"),
                &json!({}),
            )),
            6 => drop(fixture.post(
                &format!("/directory/deletedItems/{group}/restore"),
                &json!({}),
            )),
            7 => drop(fixture.state().store.purge(&user)),
            8..=11 => drop(fixture.post(
                &format!("{members}/$ref"),
                &json!({"@odata.id": format!("https://x/v1.0/users/{user}")}),
            )),
            12 | 13 => drop(fixture.delete(&format!("{members}/{user}/$ref"))),
            14 => drop(fixture.patch(&format!("/users/{user}"), &json!({"jobTitle": null}))),
            15 => drop(fixture.patch(
                &format!("/groups/{group}"),
                &json!({"description": format!("d{step}")}),
            )),
            _ => drop(fixture.patch(
                &format!("/users/{user}"),
                &json!({"jobTitle": format!("t{step}")}),
            )),
        }
        if random.percent(1) {
            let (rows, link) = round(&fixture, &user_link);
            users.apply(&rows);
            user_link = link;
        }
        if random.percent(1) {
            let (rows, link) = round(&fixture, &group_link);
            groups.apply(&rows);
            group_link = link;
        }
    }
    users.apply(&round(&fixture, &user_link).0);
    groups.apply(&round(&fixture, &group_link).0);
    let (mut fresh_users, mut fresh_groups) = (Copy::default(), Copy::default());
    fresh_users.apply(&round(&fixture, "/users/delta").0);
    fresh_groups.apply(&round(&fixture, "/groups/delta").0);
    assert!(fresh_users.objects.len() > 100 && fresh_groups.objects.len() > 20);
    assert_eq!(users.objects, fresh_users.objects);
    assert_eq!(groups.objects, fresh_groups.objects);
    // Both rounds could share a fault, so the lists decide.
    for (copy, list) in [
        (
            &users,
            "/users?$select=id,displayName,jobTitle,userPrincipalName",
        ),
        (
            &groups,
            "/groups?$select=id,displayName,description,mailNickname",
        ),
    ] {
        let mut listed = Copy::default();
        for page in fixture.walk(list, false) {
            listed.apply(page.body["value"].as_array().unwrap());
        }
        let names: Vec<&str> = list.split('=').nth(1).unwrap().split(',').collect();
        let mut copied = copy.objects.clone();
        for object in copied.values_mut() {
            object.retain(|name, _| names.contains(&name.as_str()));
        }
        assert_eq!(copied, listed.objects, "{list}");
    }
    // Groups keep deleted users as members until they are purged; a client combines both queries.
    for (group, members) in &groups.members {
        let present: std::collections::BTreeSet<String> = members
            .iter()
            .filter(|member| !users.objects.contains_key(*member))
            .cloned()
            .collect();
        let left: std::collections::BTreeSet<String> =
            members.difference(&present).cloned().collect();
        let listed: std::collections::BTreeSet<String> = fixture
            .walk(&format!("/groups/{group}/members?$select=id"), false)
            .iter()
            .flat_map(|page| {
                page.all("id")
                    .into_iter()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .filter(|member| users.objects.contains_key(member))
            .collect();
        assert_eq!(left, listed, "{group}");
    }
}

#[test]
fn rounds_have_pages_of_200_and_lose_no_object() {
    let mut fixture = fixture();
    for number in 0..450 {
        let user = json!({"id": id(10_000 + number), "displayName": "U", "userPrincipalName": format!("u{number}@contoso.com")});
        let user = user.as_object().cloned().unwrap();
        fixture.state().store.insert(Kind::User, user).unwrap();
    }
    let first = fixture.get("/users/delta");
    assert_eq!(first.all("id").len(), 200);
    assert!(first.body["@odata.nextLink"].is_string());
    let (rows, link) = round(&fixture, "/users/delta");
    assert_eq!(rows.len(), 453);
    for number in 0..401 {
        fixture
            .state()
            .store
            .update(Kind::User, &id(10_000 + number), |user| {
                user.insert("city".into(), "Graz".into());
            });
    }
    assert_eq!(fixture.get(&link).all("id").len(), 200);
    let (rows, _) = round(&fixture, &link);
    let ids: std::collections::BTreeSet<&str> =
        rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!((rows.len(), ids.len()), (401, 401));
}

#[test]
fn a_caller_sees_no_more_in_a_delta_than_in_a_list() {
    let mut fixture = fixture();
    fixture.adele(&["User.ReadBasic.All"]);
    let (rows, _) = round(&fixture, "/users/delta");
    assert_eq!(row(&rows, BO)["userPrincipalName"], "bo@contoso.com");
    let (rows, _) = round(
        &fixture,
        "/users/delta?$select=displayName,jobTitle,accountEnabled",
    );
    assert!(row(&rows, BO).get("accountEnabled").is_none());
    assert_eq!(row(&rows, BO)["displayName"], "Bo O'Neil");
}

#[test]
fn selected_owners_are_tracked() {
    let fixture = fixture();
    let (rows, link) = round(&fixture, "/groups/delta?$select=owners");
    assert_eq!(row(&rows, ENGINEERS)["owners@delta"][0]["id"], id(BO));
    assert!(row(&rows, ENGINEERS).get("members@delta").is_none());
    fixture.post(
        &format!("/groups/{}/owners/$ref", id(ENGINEERS)),
        &json!({"@odata.id": format!("https://x/v1.0/users/{}", id(CLEO))}),
    );
    let (rows, _) = round(&fixture, &link);
    assert_eq!(rows[0]["owners@delta"][0]["id"], id(CLEO));
}

#[test]
fn a_restored_member_is_in_its_groups_again() {
    let fixture = fixture();
    let (_, link) = round(&fixture, "/groups/delta");
    fixture.delete(&format!("/users/{}", id(ADELE)));
    fixture.post(
        &format!("/directory/deletedItems/{}/restore", id(ADELE)),
        &json!({}),
    );
    let (rows, _) = round(&fixture, &link);
    assert_eq!(row(&rows, ENGINEERS)["members@delta"][0]["id"], id(ADELE));
}
