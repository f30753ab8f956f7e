use entra_core::time::Duration;

use super::{
    delta::{round, row},
    *,
};

const USERS_AND_GROUPS: &str =
    "/directoryObjects/delta?$filter=isof('microsoft.graph.user') or isof('microsoft.graph.group')";

fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&[
        "Directory.Read.All",
        "Group.ReadWrite.All",
        "User.ReadWrite.All",
    ]);
    fixture
}

#[test]
fn a_delta_of_several_types_names_the_type_of_each_row() {
    let fixture = fixture();
    let (rows, link) = round(&fixture, USERS_AND_GROUPS);
    assert_eq!(rows.len(), 5);
    let adele = row(&rows, ADELE);
    assert_eq!(adele["@odata.type"], "#microsoft.graph.user");
    assert_eq!(adele["jobTitle"], "Engineer");
    let engineers = row(&rows, ENGINEERS);
    assert_eq!(engineers["@odata.type"], "#microsoft.graph.group");
    assert_eq!(engineers["members@delta"].as_array().unwrap().len(), 3);
    let (rows, link) = round(&fixture, &link);
    assert_eq!(rows, [] as [Value; 0]);

    let user = format!("/users/{}", id(BO));
    let group = format!("/groups/{}", id(TESTERS));
    for (target, body) in [
        (&user, json!({"jobTitle": "Lead"})),
        (&group, json!({"description": "All testers"})),
    ] {
        assert_eq!(fixture.patch(target, &body).status, 204);
    }
    let (rows, link) = round(&fixture, &link);
    assert_eq!(rows.len(), 2);
    assert_eq!(row(&rows, BO)["jobTitle"], "Lead");
    assert_eq!(row(&rows, TESTERS)["@odata.type"], "#microsoft.graph.group");

    assert_eq!(fixture.delete(&user).status, 204);
    let (rows, link) = round(&fixture, &link);
    let removed = json!({
        "@odata.type": "#microsoft.graph.user", "id": id(BO), "@removed": {"reason": "changed"}
    });
    assert_eq!(rows, [removed]);
    assert_eq!(round(&fixture, &link).0, [] as [Value; 0]);
}

#[test]
fn a_delta_of_directory_objects_has_every_type_without_a_filter() {
    let fixture = fixture();
    let (rows, _) = round(&fixture, "/directoryObjects/microsoft.graph.delta()");
    for number in [ADELE, ENGINEERS, DESK, DESK_APP, LAPTOP] {
        row(&rows, number);
    }
    let (rows, link) = round(&fixture, "/directoryObjects/delta?$deltatoken=latest");
    assert_eq!(rows, [] as [Value; 0]);
    assert_eq!(round(&fixture, &link).0, [] as [Value; 0]);
}

#[test]
fn a_filter_on_types_and_ids_selects_the_objects_that_fit_both() {
    let fixture = fixture();
    let target = format!(
        "/directoryObjects/delta?$filter=isof('microsoft.graph.user') or id eq '{}' or id eq '{}'",
        id(ADELE),
        id(ENGINEERS)
    );
    let (rows, _) = round(&fixture, &target);
    assert_eq!(rows.len(), 1);
    row(&rows, ADELE);
}

#[test]
fn a_selected_property_can_be_that_of_one_type() {
    let fixture = fixture();
    let target = format!("{USERS_AND_GROUPS}&$select=microsoft.graph.user/jobTitle,displayName");
    let (rows, link) = round(&fixture, &target);
    let user = json!({
        "@odata.type": "#microsoft.graph.user", "id": id(ADELE), "displayName": "Adele", "jobTitle": "Engineer"
    });
    assert_eq!(*row(&rows, ADELE), user);
    let group = json!({
        "@odata.type": "#microsoft.graph.group", "id": id(ENGINEERS), "displayName": "Engineers"
    });
    assert_eq!(*row(&rows, ENGINEERS), group);
    // Other changes are not tracked.
    let change = json!({"description": "x"});
    fixture.patch(&format!("/groups/{}", id(ENGINEERS)), &change);
    assert_eq!(round(&fixture, &link).0, [] as [Value; 0]);
}

#[test]
fn each_type_of_a_delta_takes_its_permission() {
    let mut fixture = fixture();
    let users = "/directoryObjects/delta?$filter=isof('microsoft.graph.user')";
    for (permissions, only_users, both, all) in [
        (vec!["User.Read.All"], 200, 403, 403),
        (vec!["User.Read.All", "Group.Read.All"], 200, 200, 403),
        (vec!["Device.Read.All"], 403, 403, 403),
        (vec!["Directory.Read.All"], 200, 200, 200),
    ] {
        fixture.application(&permissions);
        for (target, status) in [
            (users, only_users),
            (USERS_AND_GROUPS, both),
            ("/directoryObjects/delta", all),
        ] {
            assert_eq!(
                fixture.get(target).status,
                status,
                "{permissions:?} {target}"
            );
        }
    }
}

#[test]
fn invalid_options_and_tokens_of_a_delta_of_several_types_return_400() {
    let fixture = fixture();
    let (_, of_users) = round(&fixture, "/users/delta");
    let (_, of_objects) = round(&fixture, USERS_AND_GROUPS);
    let token = |link: &str| link.split_once("$deltatoken=").unwrap().1.to_owned();
    for target in [
        "/directoryObjects/delta?$filter=displayName eq 'x'".to_owned(),
        "/directoryObjects/delta?$filter=isof('microsoft.graph.organization')".to_owned(),
        "/directoryObjects/delta?$select=colour".to_owned(),
        format!("{USERS_AND_GROUPS}&$select=microsoft.graph.device/displayName"),
        "/directoryObjects/delta?$top=5".to_owned(),
        "/directoryObjects/delta?$deltatoken=made-up".to_owned(),
        format!("/directoryObjects/delta?$deltatoken={}", token(&of_users)),
        format!("/users/delta?$deltatoken={}", token(&of_objects)),
        format!("/directoryObjects/delta?$skiptoken={}", token(&of_objects)),
    ] {
        let response = fixture.get(&target);
        assert_eq!(response.status, 400, "{target}: {}", response.text);
    }
}

#[test]
fn app_role_assignments_of_a_delta_have_case_sensitive_ids() {
    let mut fixture = fixture();
    let now = fixture.now;
    fixture.state().store.changes.stamp(now, None);
    let (first, second) = ("aB-1", "Ab-1");
    for (own, principal) in [(first, ADELE), (second, BO)] {
        let assignment = json!({
            "id": own, "appRoleId": id(0), "principalId": id(principal), "principalType": "User", "resourceId": id(DESK)
        });
        let assignment = assignment.as_object().cloned().unwrap();
        fixture
            .state()
            .store
            .insert(Kind::AppRoleAssignment, assignment)
            .unwrap();
    }
    // The least permission shows the rows complete.
    fixture.application(&["User.Read.All"]);
    let all = "/directoryObjects/delta?$filter=isof('microsoft.graph.appRoleAssignment')";
    let (mut rows, link) = round(&fixture, all);
    // Two are of the fixture.
    assert_eq!(rows.len(), 4, "{rows:?}");
    rows.retain(|row| row["id"] == first || row["id"] == second);
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(
        rows[0],
        json!({
            "@odata.type": "#microsoft.graph.appRoleAssignment", "id": first, "appRoleId": id(0),
            "principalId": id(ADELE), "principalType": "User", "resourceId": id(DESK)
        })
    );
    let one = format!("{all} or id eq '{second}'");
    let (rows, of_one) = round(&fixture, &one);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["id"], second);

    // Both end: one by itself, one with its user, and that user comes back.
    let state = fixture.state();
    assert!(state.store.remove(Kind::AppRoleAssignment, first));
    assert!(state.delete(Kind::User, &id(BO)));
    let removed = |own: &str| {
        json!({
            "@odata.type": "#microsoft.graph.appRoleAssignment", "id": own, "@removed": {"reason": "deleted"}
        })
    };
    let (rows, link) = round(&fixture, &link);
    assert_eq!(rows, [removed(first), removed(second)]);
    let (rows, of_one) = round(&fixture, &of_one);
    assert_eq!(rows, [removed(second)]);
    fixture.state().restore(&id(BO), Vec::new()).unwrap();
    for link in [link, of_one] {
        let (rows, link) = round(&fixture, &link);
        assert_eq!(rows.len(), 1);
        assert_eq!(
            (&rows[0]["id"], &rows[0]["principalId"]),
            (&json!(second), &json!(id(BO)))
        );
        assert_eq!(round(&fixture, &link).0, [] as [Value; 0]);
    }
    fixture.application(&["Application.Read.All"]);
    assert_eq!(fixture.get(all).status, 403);
}

#[test]
fn an_expired_token_of_several_types_has_the_url_to_start_again() {
    let mut fixture = fixture();
    let (_, link) = round(&fixture, &format!("{USERS_AND_GROUPS}&$select=displayName"));
    fixture.now += Duration::days(7) + Duration::SECOND;
    let gone = fixture.get(&link);
    assert_eq!(gone.error().0, 410);
    let location = gone.header("location").unwrap();
    assert_eq!(
        location,
        "https://tenant.test/v1.0/directoryObjects/delta?$deltatoken=&$select=displayName&$filter=isof('microsoft.graph.user')%20or%20isof('microsoft.graph.group')"
    );
    let again = location.strip_prefix("https://tenant.test/v1.0").unwrap();
    assert_eq!(round(&fixture, again).0.len(), 5);
}

#[test]
fn the_public_part_of_a_certificate_is_in_no_round() {
    let mut fixture = fixture();
    fixture.application(&["Application.Read.All", "Directory.Read.All"]);
    let (rows, _) = round(&fixture, "/servicePrincipals/delta");
    let shown = &row(&rows, DESK)["keyCredentials"][0];
    assert_eq!(
        (&shown["keyId"], &shown["key"]),
        (&json!(id(91)), &Value::Null)
    );
    let (rows, _) = round(&fixture, "/servicePrincipals/delta?$select=keyCredentials");
    assert_eq!(row(&rows, DESK)["keyCredentials"][0]["key"], Value::Null);
    let (rows, _) = round(&fixture, "/directoryObjects/delta");
    assert_eq!(row(&rows, DESK)["keyCredentials"][0]["key"], Value::Null);
}

#[test]
fn an_extension_is_tracked_in_any_letter_case() {
    let fixture = fixture();
    let name = "extension_0123456789abcdef0123456789abcdef_LEVEL";
    let (rows, _) = round(&fixture, &format!("/users/delta?$select={name}"));
    assert_eq!(row(&rows, ADELE)[name], "5");
}
