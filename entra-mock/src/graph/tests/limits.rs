//! The exact ends of what a write or a delta query may have.

use super::{
    groups::{new_group, unified},
    users::new_user,
    *,
};

fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&[
        "User.ReadWrite.All",
        "User-PasswordProfile.ReadWrite.All",
        "Group.ReadWrite.All",
        "RoleManagement.ReadWrite.Directory",
        "AuditLog.Read.All",
    ]);
    fixture
}

fn url(path: &str, number: u32) -> String {
    format!("https://x/v1.0/{path}/{}", id(number))
}

fn patched(fixture: &Fixture, path: &str, body: &Value) -> u16 {
    fixture.patch(path, body).status
}

#[test]
fn a_user_principal_name_has_1_to_64_characters_before_the_at_sign() {
    let fixture = fixture();
    for (local, status) in [
        ("u".repeat(64), 201),
        ("u".repeat(65), 400),
        (String::new(), 400),
        ("dana.".to_owned(), 400),
        ("da na".to_owned(), 400),
    ] {
        let mut user = new_user();
        user["userPrincipalName"] = format!("{local}@contoso.com").into();
        let created = fixture.post("/users", &user);
        assert_eq!(created.status, status, "{local}: {}", created.text);
    }
}

#[test]
fn a_usage_location_is_two_capitals_and_a_mail_address_has_a_domain() {
    let fixture = fixture();
    let bo = format!("/users/{}", id(BO));
    for (name, value, status) in [
        ("usageLocation", "NO", 204),
        ("usageLocation", "no", 400),
        ("usageLocation", "NOR", 400),
        ("mail", "bo@new.example", 204),
        ("mail", "bo@nodot", 400),
        ("mail", "@new.example", 400),
        ("mail", "bo@new.exa mple", 400),
        ("mail", "b(o@new.example", 400),
        ("mail", "new.example", 400),
    ] {
        let body = json!({ name: value });
        assert_eq!(patched(&fixture, &bo, &body), status, "{body}");
    }
}

#[test]
fn annotations_are_read_past_and_a_type_must_be_the_objects_own() {
    let fixture = fixture();
    let bo = format!("/users/{}", id(BO));
    for (body, status) in [
        (
            json!({"@odata.type": "#microsoft.graph.user", "city": "Oslo"}),
            204,
        ),
        (
            json!({"@odata.type": "microsoft.graph.USER", "city": "Oslo"}),
            204,
        ),
        (
            json!({"@odata.type": "#microsoft.graph.group", "city": "Oslo"}),
            400,
        ),
        (json!({"@odata.type": 1, "city": "Oslo"}), 400),
        (
            json!({"@odata.context": "https://x/$metadata", "city": "Oslo"}),
            204,
        ),
        (json!({"city@odata.type": "#String", "city": "Oslo"}), 204),
    ] {
        assert_eq!(patched(&fixture, &bo, &body), status, "{body}");
    }
}

#[test]
fn a_single_relationship_takes_one_reference_and_not_a_list() {
    let fixture = fixture();
    let mut user = new_user();
    user["manager@odata.bind"] = json!([url("users", BO)]);
    assert_eq!(fixture.post("/users", &user).error().0, 400);
    user["manager@odata.bind"] = json!(url("users", BO));
    assert_eq!(fixture.post("/users", &user).status, 201);
}

#[test]
fn either_permission_lets_users_change_their_own_profile() {
    let mut fixture = Fixture::new();
    for (scopes, status) in [
        (&["User.ReadWrite"][..], 204),
        (&["User.ReadWrite.All"], 204),
        (&["User.Read"], 403),
    ] {
        fixture.adele(scopes);
        let body = json!({"mobilePhone": "+47 22 00 00 00"});
        assert_eq!(patched(&fixture, "/me", &body), status, "{scopes:?}");
    }
}

#[test]
fn a_password_policy_of_the_user_allows_a_weak_password() {
    let fixture = fixture();
    let bo = format!("/users/{}", id(BO));
    let weak = json!({"passwordProfile": {"password": "weakweakweak"}});
    assert_eq!(patched(&fixture, &bo, &weak), 400);
    let policy = json!({"passwordPolicies": "DisablePasswordExpiration, DisableStrongPassword"});
    assert_eq!(patched(&fixture, &bo, &policy), 204);
    assert_eq!(patched(&fixture, &bo, &weak), 204);
}

#[test]
fn a_role_assignable_group_is_a_security_group_with_assigned_members() {
    let fixture = fixture();
    let mut dynamic = new_group();
    dynamic["groupTypes"] = json!(["DynamicMembership"]);
    dynamic["membershipRule"] = json!("user.city -eq \"Oslo\"");
    let unsecured = unified("library");
    for mut body in [dynamic, unsecured] {
        body["isAssignableToRole"] = json!(true);
        let response = fixture.post("/groups", &body);
        assert_eq!(response.error().0, 400, "{}", response.text);
        assert!(response.error().2.contains("'isAssignableToRole'"));
    }
}

#[test]
fn an_application_can_own_a_microsoft_365_group_and_not_be_its_member() {
    let fixture = fixture();
    let created = fixture.post("/groups", &unified("library"));
    let group = format!("/groups/{}", created.body["id"].as_str().unwrap());
    let desk = json!({"@odata.id": url("servicePrincipals", DESK)});
    let owner = fixture.post(&format!("{group}/owners/$ref"), &desk);
    assert_eq!(owner.status, 204, "{}", owner.text);
    let member = fixture.post(&format!("{group}/members/$ref"), &desk);
    assert_eq!(member.error().0, 400);
}

#[test]
fn members_added_by_an_update_are_audited_as_added_members() {
    let fixture = fixture();
    let body = json!({"members@odata.bind": [url("users", CLEO)]});
    let group = format!("/groups/{}", id(TESTERS));
    assert_eq!(patched(&fixture, &group, &body), 204);
    let audits = fixture
        .get("/auditLogs/directoryAudits?$filter=activityDisplayName eq 'Add member to group'");
    let targets = &audits.body["value"][0]["targetResources"];
    assert_eq!(targets[0]["id"], id(CLEO), "{}", audits.text);
}

#[test]
fn one_of_two_licences_is_removed_and_the_other_stays() {
    let mut fixture = fixture();
    let sku = json!({"id": "sku-2", "skuId": id(92), "skuPartNumber": "EMS"});
    let sku = sku.as_object().cloned().unwrap();
    fixture
        .state()
        .store
        .insert(Kind::SubscribedSku, sku)
        .unwrap();
    let bo = format!("/users/{}", id(BO));
    assert_eq!(patched(&fixture, &bo, &json!({"usageLocation": "NO"})), 204);
    let assign = |add: Value, remove: Value| {
        let body = json!({"addLicenses": add, "removeLicenses": remove});
        let response = fixture.post(&format!("{bo}/assignLicense"), &body);
        assert_eq!(response.status, 200, "{}", response.text);
    };
    assign(json!([{"skuId": id(90)}]), json!([]));
    assign(json!([{"skuId": id(92)}]), json!([]));
    assign(json!([]), json!([id(90)]));
    let read = fixture.get(&format!("{bo}?$select=assignedLicenses"));
    assert_eq!(
        read.body["assignedLicenses"],
        json!([{"skuId": id(92), "disabledPlans": []}])
    );
}

#[test]
fn fifty_ids_are_one_delta_query_and_one_more_is_rejected() {
    let fixture = fixture();
    for (count, status) in [(50, 200), (51, 400)] {
        let ids: Vec<String> = (0..count)
            .map(|number| format!("id eq '{}'", id(number)))
            .collect();
        let target = format!("/users/delta?$filter={}", ids.join(" or "));
        assert_eq!(fixture.get(&target).status, status, "{count}");
    }
}

/// The target that a link of a page leads to.
fn link(page: &Response, name: &str) -> String {
    let link = page.body[name].as_str().unwrap();
    link.strip_prefix("https://tenant.test/v1.0")
        .unwrap()
        .to_owned()
}

#[test]
fn the_link_of_a_delta_page_takes_no_option_and_no_second_token() {
    let mut fixture = fixture();
    for number in 0..200 {
        let user = json!({"id": id(10_000 + number), "displayName": "U", "userPrincipalName": format!("u{number}@contoso.com")});
        let user = user.as_object().cloned().unwrap();
        fixture.state().store.insert(Kind::User, user).unwrap();
    }
    let first = fixture.get("/users/delta");
    let next = link(&first, "@odata.nextLink");
    let with_option = fixture.get(&format!("{next}&$select=displayName"));
    assert!(with_option.error().2.contains("Query options"), "{next}");
    let last = fixture.get(&next);
    assert_eq!(last.status, 200);
    let token = link(&last, "@odata.deltaLink");
    let token = token.split_once("$deltatoken=").unwrap().1;
    let both = fixture.get(&format!("{next}&$deltatoken={token}"));
    assert_eq!(both.error().0, 400);
    assert!(both.error().2.contains("cannot be used together"));
}

#[test]
fn a_member_that_came_and_went_is_shown_once_with_its_last_state() {
    let fixture = fixture();
    let start = link(
        &fixture.get("/groups/delta?$select=displayName,members"),
        "@odata.deltaLink",
    );
    let members = format!("/groups/{}/members", id(TESTERS));
    let add = |number| {
        let body = json!({"@odata.id": url("users", number)});
        assert_eq!(fixture.post(&format!("{members}/$ref"), &body).status, 204);
    };
    let remove = |number| {
        let response = fixture.delete(&format!("{members}/{}/$ref", id(number)));
        assert_eq!(response.status, 204);
    };
    add(ADELE);
    add(CLEO);
    remove(ADELE);
    // A property outside of the selection must not hide the members.
    let group = format!("/groups/{}", id(TESTERS));
    assert_eq!(patched(&fixture, &group, &json!({"description": "x"})), 204);
    let page = fixture.get(&start);
    let rows = page.body["value"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{}", page.text);
    let mut shown: Vec<(&str, bool)> = rows[0]["members@delta"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["id"].as_str().unwrap(), item.get("@removed").is_some()))
        .collect();
    shown.sort_unstable();
    let (adele, cleo) = (id(ADELE), id(CLEO));
    assert_eq!(shown, [(adele.as_str(), true), (cleo.as_str(), false)]);
}

#[test]
fn a_delta_page_has_500_links_however_many_groups_they_are_of() {
    let mut fixture = fixture();
    for number in 0..700 {
        let user = json!({"id": id(10_000 + number), "displayName": "U", "userPrincipalName": format!("u{number}@contoso.com")});
        let user = user.as_object().cloned().unwrap();
        fixture.state().store.insert(Kind::User, user).unwrap();
        let group = if number < 300 { TESTERS } else { ENGINEERS };
        let store = &mut fixture.state().store;
        assert!(store.link(Relation::Members, &id(group), &id(10_000 + number)));
    }
    let mut target = "/groups/delta".to_owned();
    let mut sizes = Vec::new();
    loop {
        let page = fixture.get(&target);
        let rows = page.body["value"].as_array().unwrap();
        let links = rows.iter().flat_map(|row| row["members@delta"].as_array());
        sizes.push(links.map(Vec::len).sum::<usize>());
        if page.body["@odata.nextLink"].is_null() {
            break;
        }
        target = link(&page, "@odata.nextLink");
    }
    // Five members were there before.
    assert_eq!(sizes, [500, 205]);
}
