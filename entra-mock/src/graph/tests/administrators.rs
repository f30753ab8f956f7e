//! What users with a role below Global Administrator may write.

use super::{groups::new_group, users::new_user, writes::reference, *};

const USER_ADMINISTRATOR: &str = "fe930be7-5e62-47db-91af-98c3a49a38b1";
const GROUPS_ADMINISTRATOR: &str = "fdd7a751-b60b-444a-984c-02652fe8fa1c";
const CLOUD_APPLICATION_ADMINISTRATOR: &str = "158c047a-c907-4556-b7ef-446551a6b5f7";
const PRIVILEGED_ROLE_ADMINISTRATOR: &str = "e8611ab8-c189-46e8-94e1-60213ab1f814";
const SECURITY_READER: &str = "5d6b6bb7-de71-4623-b4af-96380a352509";
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

fn assign(fixture: &mut Fixture, user: u32, role: &str) {
    fixture.application(&["RoleManagement.ReadWrite.Directory"]);
    let body = json!({"principalId": id(user), "roleDefinitionId": role, "directoryScopeId": "/"});
    let assigned = fixture.post("/roleManagement/directory/roleAssignments", &body);
    assert_eq!(assigned.status, 201, "{}", assigned.text);
}

/// Adele with one role, and with delegated permissions for everything.
fn adele_with(role: &str) -> Fixture {
    let mut fixture = Fixture::new();
    assign(&mut fixture, ADELE, role);
    fixture.adele(&[
        "User.ReadWrite.All",
        "User.DeleteRestore.All",
        "User.RevokeSessions.All",
        "Group.ReadWrite.All",
        "Application.ReadWrite.All",
        "AdministrativeUnit.ReadWrite.All",
        "Directory.ReadWrite.All",
    ]);
    fixture
}

#[test]
fn each_role_writes_the_objects_of_its_own_types() {
    for (role, [users, groups, applications, units]) in [
        (USER_ADMINISTRATOR, [true, true, false, false]),
        (GROUPS_ADMINISTRATOR, [false, true, false, false]),
        (CLOUD_APPLICATION_ADMINISTRATOR, [false, false, true, false]),
        (PRIVILEGED_ROLE_ADMINISTRATOR, [false, false, false, true]),
        (SECURITY_READER, [false; 4]),
        (GLOBAL_ADMINISTRATOR, [true; 4]),
    ] {
        let fixture = adele_with(role);
        let status = |allowed, success| if allowed { success } else { 403 };
        let created = fixture.post("/users", &new_user());
        assert_eq!(
            created.status,
            status(users, 201),
            "{role}: {}",
            created.text
        );
        let bo = format!("/users/{}", id(BO));
        let changed = fixture.patch(&bo, &json!({"jobTitle": "Lead"}));
        assert_eq!(changed.status, status(users, 204), "{role}");
        let members = format!("/groups/{}/members/$ref", id(TESTERS));
        let added = fixture.post(&members, &reference(&id(CLEO)));
        assert_eq!(added.status, status(groups, 204), "{role}");
        let application = format!("/applications/{}", id(DESK_APP));
        let changed = fixture.patch(&application, &json!({"notes": "x"}));
        assert_eq!(
            changed.status,
            status(applications, 204),
            "{role}: {}",
            changed.text
        );
        let unit = fixture.post(
            "/directory/administrativeUnits",
            &json!({"displayName": "U"}),
        );
        assert_eq!(unit.status, status(units, 201), "{role}: {}", unit.text);
        // Every member may create groups.
        assert_eq!(fixture.post("/groups", &new_group()).status, 201, "{role}");
        let deleted = fixture.delete(&bo);
        assert_eq!(
            deleted.status,
            status(users, 204),
            "{role}: {}",
            deleted.text
        );
    }
}

#[test]
fn a_user_administrator_cannot_take_over_an_administrator() {
    for (role, allowed) in [
        (GLOBAL_ADMINISTRATOR, false),
        (PRIVILEGED_ROLE_ADMINISTRATOR, false),
        (GROUPS_ADMINISTRATOR, true),
        (USER_ADMINISTRATOR, true),
    ] {
        let mut fixture = Fixture::new();
        assign(&mut fixture, BO, role);
        assign(&mut fixture, ADELE, USER_ADMINISTRATOR);
        fixture.adele(&["User.ReadWrite.All", "User-PasswordProfile.ReadWrite.All"]);
        let bo = format!("/users/{}", id(BO));
        let status = if allowed { 204 } else { 403 };
        for body in [
            json!({"passwordProfile": {"password": "xWwvJ]6NMw+bWH-d"}}),
            json!({"mobilePhone": "1"}),
            json!({"accountEnabled": true}),
        ] {
            assert_eq!(fixture.patch(&bo, &body).status, status, "{role} {body}");
        }
        // Other properties are not sensitive.
        assert_eq!(fixture.patch(&bo, &json!({"jobTitle": "x"})).status, 204);
        assert_eq!(fixture.delete(&bo).status, status, "{role}");
    }
}

#[test]
fn a_role_ends_with_its_assignment() {
    let mut fixture = adele_with(USER_ADMINISTRATOR);
    fixture.application(&["RoleManagement.ReadWrite.Directory"]);
    let assignments = fixture.get("/roleManagement/directory/roleAssignments");
    let assignment = assignments.all("id")[0].to_owned();
    let path = format!("/roleManagement/directory/roleAssignments/{assignment}");
    assert_eq!(fixture.delete(&path).status, 204);
    fixture.adele(&["User.ReadWrite.All"]);
    let bo = format!("/users/{}", id(BO));
    assert_eq!(fixture.patch(&bo, &json!({"jobTitle": "x"})).status, 403);
}
