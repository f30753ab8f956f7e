//! What users with a role below Global Administrator may write.

use super::{
    groups::new_group,
    photos::{png, put},
    users::new_user,
    writes::reference,
    *,
};

const AUTHENTICATION_ADMINISTRATOR: &str = "c4e39bd9-1100-46d3-8c65-fb160da0071f";
const DIRECTORY_READERS: &str = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b";
const GUEST_INVITER: &str = "95e79109-95c0-4d8e-aee3-d01accf2d47b";
const HELPDESK_ADMINISTRATOR: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8";
const MESSAGE_CENTER_READER: &str = "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b";
const PASSWORD_ADMINISTRATOR: &str = "966707d0-3269-4727-9be2-8c3a10f19b9d";
const PRIVILEGED_AUTHENTICATION_ADMINISTRATOR: &str = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13";
const REPORTS_READER: &str = "4a5d8f65-41da-4de4-8968-e035b65339cf";
const USER_ADMINISTRATOR: &str = "fe930be7-5e62-47db-91af-98c3a49a38b1";
const GROUPS_ADMINISTRATOR: &str = "fdd7a751-b60b-444a-984c-02652fe8fa1c";
const CLOUD_APPLICATION_ADMINISTRATOR: &str = "158c047a-c907-4556-b7ef-446551a6b5f7";
const PRIVILEGED_ROLE_ADMINISTRATOR: &str = "e8611ab8-c189-46e8-94e1-60213ab1f814";
const SECURITY_READER: &str = "5d6b6bb7-de71-4623-b4af-96380a352509";
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

fn assign(fixture: &mut Fixture, user: u32, role: &str) {
    assign_over(fixture, user, role, "/");
}

fn assign_over(fixture: &mut Fixture, user: u32, role: &str, scope: &str) {
    fixture.application(&["RoleManagement.ReadWrite.Directory"]);
    let body =
        json!({"principalId": id(user), "roleDefinitionId": role, "directoryScopeId": scope});
    let assigned = fixture.post("/roleManagement/directory/roleAssignments", &body);
    assert_eq!(assigned.status, 201, "{}", assigned.text);
}

fn make_testers_role_assignable(fixture: &mut Fixture) {
    let store = &mut fixture.state().store;
    store.update(Kind::Group, &id(TESTERS), |group| {
        group.insert("isAssignableToRole".into(), true.into());
    });
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

/// The rows of Microsoft's table on sensitive actions and of the one on passwords: the role of the target,
/// and whether a Password, Helpdesk, Authentication, User, Privileged Authentication and Global
/// Administrator may reset its password, and whether the last four may do other sensitive actions.
const SENSITIVE_ACTIONS: [(&str, [u8; 6], [u8; 4]); 13] = [
    ("", [1, 1, 1, 1, 1, 1], [1, 1, 1, 1]),
    (
        AUTHENTICATION_ADMINISTRATOR,
        [0, 0, 1, 0, 1, 1],
        [1, 0, 1, 1],
    ),
    (DIRECTORY_READERS, [1, 1, 1, 1, 1, 1], [1, 1, 1, 1]),
    (GLOBAL_ADMINISTRATOR, [0, 0, 0, 0, 1, 1], [0, 0, 1, 1]),
    (GROUPS_ADMINISTRATOR, [0, 0, 0, 1, 1, 1], [0, 1, 1, 1]),
    (GUEST_INVITER, [1, 1, 1, 1, 1, 1], [1, 1, 1, 1]),
    (HELPDESK_ADMINISTRATOR, [0, 1, 0, 1, 1, 1], [0, 1, 1, 1]),
    (MESSAGE_CENTER_READER, [0, 1, 1, 1, 1, 1], [1, 1, 1, 1]),
    (PASSWORD_ADMINISTRATOR, [1, 1, 1, 1, 1, 1], [1, 1, 1, 1]),
    (
        PRIVILEGED_ROLE_ADMINISTRATOR,
        [0, 0, 0, 0, 1, 1],
        [0, 0, 1, 1],
    ),
    (REPORTS_READER, [0, 1, 1, 1, 1, 1], [1, 1, 1, 1]),
    (SECURITY_READER, [0, 0, 0, 0, 1, 1], [0, 0, 1, 1]),
    (USER_ADMINISTRATOR, [0, 0, 0, 1, 1, 1], [0, 1, 1, 1]),
];

const ACTORS: [&str; 6] = [
    PASSWORD_ADMINISTRATOR,
    HELPDESK_ADMINISTRATOR,
    AUTHENTICATION_ADMINISTRATOR,
    USER_ADMINISTRATOR,
    PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
    GLOBAL_ADMINISTRATOR,
];

/// What a role allows Adele to do to Bo.
fn assert_allowed(fixture: &mut Fixture, label: &str, reset: bool, other: bool) {
    fixture.adele(&[
        "User.ReadWrite.All",
        "User-PasswordProfile.ReadWrite.All",
        "User.RevokeSessions.All",
    ]);
    let bo = format!("/users/{}", id(BO));
    let status = |allowed| if allowed { 204 } else { 403 };
    for body in [
        json!({"passwordProfile": {"password": "xWwvJ]6NMw+bWH-d"}}),
        json!({"mobilePhone": "1"}),
        json!({"businessPhones": ["1"]}),
        json!({"otherMails": ["a@b.example"]}),
    ] {
        let sent = fixture.patch(&bo, &body);
        assert_eq!(sent.status, status(reset), "{label} {body}");
    }
    let revoked = fixture.post(&format!("{bo}/revokeSignInSessions"), &json!({}));
    assert_eq!(revoked.status == 200, reset, "{label}: {}", revoked.text);
    for body in [
        json!({"accountEnabled": true}),
        json!({"userPrincipalName": "bo@contoso.com"}),
        json!({"onPremisesImmutableId": "Ym8="}),
    ] {
        let sent = fixture.patch(&bo, &body);
        assert_eq!(sent.status, status(other), "{label} {body}");
    }
    assert_eq!(fixture.delete(&bo).status, status(other), "{label}");
}

#[test]
fn sensitive_actions_follow_the_published_tables_of_roles() {
    for (target, resets, others) in SENSITIVE_ACTIONS {
        for (at, actor) in ACTORS.into_iter().enumerate() {
            let mut fixture = Fixture::new();
            if !target.is_empty() {
                assign(&mut fixture, BO, target);
            }
            assign(&mut fixture, ADELE, actor);
            let other = at.checked_sub(2).is_some_and(|at| others[at] == 1);
            let label = format!("{actor} on {target}");
            assert_allowed(&mut fixture, &label, resets[at] == 1, other);
        }
    }
}

#[test]
fn members_and_owners_of_a_role_assignable_group_are_protected() {
    for (relation, actor, allowed) in [
        (Relation::Members, USER_ADMINISTRATOR, false),
        (Relation::Owners, USER_ADMINISTRATOR, false),
        (Relation::Members, HELPDESK_ADMINISTRATOR, false),
        (
            Relation::Members,
            PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
            true,
        ),
    ] {
        let mut fixture = Fixture::new();
        assign(&mut fixture, ADELE, actor);
        make_testers_role_assignable(&mut fixture);
        let state = fixture.state();
        state.store.link(relation, &id(TESTERS), &id(BO));
        assert_allowed(
            &mut fixture,
            &format!("{actor} {relation:?}"),
            allowed,
            allowed,
        );
    }
}

const WRITE_ROLE_GROUPS: [&str; 2] = ["Group.ReadWrite.All", "RoleManagement.ReadWrite.Directory"];

#[test]
fn a_role_assignable_group_is_written_by_those_who_assign_roles() {
    for (role, allowed) in [
        (USER_ADMINISTRATOR, false),
        (GROUPS_ADMINISTRATOR, false),
        (PRIVILEGED_ROLE_ADMINISTRATOR, true),
        (GLOBAL_ADMINISTRATOR, true),
    ] {
        let mut fixture = Fixture::new();
        assign(&mut fixture, ADELE, role);
        make_testers_role_assignable(&mut fixture);
        assign(&mut fixture, TESTERS, CLOUD_APPLICATION_ADMINISTRATOR);
        fixture.adele(&WRITE_ROLE_GROUPS);
        let status = if allowed { 204 } else { 403 };
        let group = format!("/groups/{}", id(TESTERS));
        for (relationship, new) in [("members", ADELE), ("owners", CLEO)] {
            let target = format!("{group}/{relationship}/$ref");
            let added = fixture.post(&target, &reference(&id(new)));
            assert_eq!(added.status, status, "{role} {relationship}");
        }
        let member = format!("{group}/members/{}/$ref", id(BO));
        assert_eq!(fixture.delete(&member).status, status, "{role}");
        let changed = fixture.patch(&group, &json!({"description": "x"}));
        assert_eq!(changed.status, status, "{role}");
        assert_eq!(fixture.delete(&group).status, status, "{role}");
    }
}

#[test]
fn a_role_over_a_unit_writes_no_role_assignable_group() {
    let (mut fixture, _) = adele_over_unit(GROUPS_ADMINISTRATOR);
    fixture.adele(&WRITE_ROLE_GROUPS);
    let members = format!("/groups/{}/members/$ref", id(TESTERS));
    assert_eq!(fixture.post(&members, &reference(&id(CLEO))).status, 204);
    make_testers_role_assignable(&mut fixture);
    assert_eq!(fixture.post(&members, &reference(&id(ADELE))).status, 403);
}

#[test]
fn the_owner_of_a_role_assignable_group_writes_it() {
    let mut fixture = Fixture::new();
    make_testers_role_assignable(&mut fixture);
    let state = fixture.state();
    state.store.link(Relation::Owners, &id(TESTERS), &id(ADELE));
    let members = format!("/groups/{}/members/$ref", id(TESTERS));
    fixture.adele(&["Group.ReadWrite.All"]);
    assert_eq!(fixture.post(&members, &reference(&id(CLEO))).status, 403);
    fixture.adele(&WRITE_ROLE_GROUPS);
    assert_eq!(fixture.post(&members, &reference(&id(CLEO))).status, 204);
}

#[test]
fn a_role_assignable_group_is_created_by_those_who_assign_roles() {
    for (role, status) in [
        (SECURITY_READER, 403),
        (USER_ADMINISTRATOR, 403),
        (GROUPS_ADMINISTRATOR, 403),
        (PRIVILEGED_ROLE_ADMINISTRATOR, 201),
        (GLOBAL_ADMINISTRATOR, 201),
    ] {
        let mut fixture = Fixture::new();
        assign(&mut fixture, ADELE, role);
        fixture.adele(&WRITE_ROLE_GROUPS);
        let mut body = new_group();
        body["isAssignableToRole"] = json!(true);
        let created = fixture.post("/groups", &body);
        assert_eq!(created.status, status, "{role}: {}", created.text);
    }
}

#[test]
fn a_role_through_a_group_allows_what_the_role_allows() {
    for (role, users, units) in [
        (SECURITY_READER, 403, 403),
        (USER_ADMINISTRATOR, 204, 403),
        (GLOBAL_ADMINISTRATOR, 204, 201),
    ] {
        let mut fixture = Fixture::new();
        make_testers_role_assignable(&mut fixture);
        let state = fixture.state();
        state
            .store
            .link(Relation::Members, &id(TESTERS), &id(ADELE));
        assign(&mut fixture, TESTERS, role);
        fixture.adele(&["User.ReadWrite.All", "AdministrativeUnit.ReadWrite.All"]);
        let bo = format!("/users/{}", id(BO));
        let title = json!({"jobTitle": "Lead"});
        assert_eq!(fixture.patch(&bo, &title).status, users, "{role}");
        let unit = json!({"displayName": "U"});
        let unit = fixture.post("/directory/administrativeUnits", &unit);
        assert_eq!(unit.status, units, "{role}: {}", unit.text);
        // The role ends with the membership.
        fixture
            .state()
            .store
            .unlink(Relation::Members, &id(TESTERS), &id(ADELE));
        assert_eq!(fixture.patch(&bo, &title).status, 403, "{role}");
    }
}

#[test]
fn an_application_with_a_high_role_is_deleted_by_a_global_administrator_only() {
    let mut fixture = Fixture::new();
    assign(&mut fixture, DESK, PRIVILEGED_ROLE_ADMINISTRATOR);
    assign(&mut fixture, ADELE, CLOUD_APPLICATION_ADMINISTRATOR);
    fixture.adele(&["Application.ReadWrite.All"]);
    let desk = format!("/servicePrincipals/{}", id(DESK));
    assert_eq!(fixture.delete(&desk).status, 403);
    fixture.promote(ADELE);
    assert_eq!(fixture.delete(&desk).status, 204);
}

#[test]
fn a_role_for_passwords_writes_nothing_else() {
    for actor in [PASSWORD_ADMINISTRATOR, HELPDESK_ADMINISTRATOR] {
        let mut fixture = Fixture::new();
        assign(&mut fixture, ADELE, actor);
        fixture.adele(&["User.ReadWrite.All", "User-PasswordProfile.ReadWrite.All"]);
        let bo = format!("/users/{}", id(BO));
        assert_eq!(fixture.patch(&bo, &json!({"jobTitle": "x"})).status, 403);
        let both = json!({"jobTitle": "x", "mobilePhone": "1"});
        assert_eq!(fixture.patch(&bo, &both).status, 403);
        assert_eq!(fixture.patch(&bo, &json!({"mobilePhone": "1"})).status, 204);
        assert_eq!(fixture.post("/users", &new_user()).status, 403);
    }
}

#[test]
fn an_application_acts_on_an_administrator_by_its_own_role() {
    for (own_role, allowed) in [
        (None, false),
        (Some(GROUPS_ADMINISTRATOR), false),
        (Some(USER_ADMINISTRATOR), true),
    ] {
        let mut fixture = Fixture::new();
        assign(&mut fixture, BO, GROUPS_ADMINISTRATOR);
        if let Some(role) = own_role {
            assign(&mut fixture, DESK, role);
        }
        fixture.application(&["User.ReadWrite.All"]);
        fixture.caller.service_principal_id = Some(id(DESK));
        let status = if allowed { 204 } else { 403 };
        let bo = format!("/users/{}", id(BO));
        let body = json!({"mobilePhone": "1"});
        assert_eq!(fixture.patch(&bo, &body).status, status, "{own_role:?}");
        // The permission is enough for users without a role, and for other properties.
        let cleo = format!("/users/{}", id(CLEO));
        assert_eq!(fixture.patch(&cleo, &body).status, 204, "{own_role:?}");
        let title = json!({"jobTitle": "x"});
        assert_eq!(fixture.patch(&bo, &title).status, 204, "{own_role:?}");
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

/// Adele with a role over a new administrative unit that Bo and a group are members of, and the id of the unit.
fn adele_over_unit(role: &str) -> (Fixture, String) {
    let mut fixture = Fixture::new();
    fixture.application(&["AdministrativeUnit.ReadWrite.All"]);
    let unit = fixture.post(
        "/directory/administrativeUnits",
        &json!({"displayName": "U"}),
    );
    let unit = unit.body["id"].as_str().unwrap().to_owned();
    for member in [BO, TESTERS] {
        let state = fixture.state();
        assert!(state.store.link(Relation::Members, &unit, &id(member)));
    }
    let scope = format!("/administrativeUnits/{unit}");
    assign_over(&mut fixture, ADELE, role, &scope);
    (fixture, unit)
}

#[test]
fn a_role_over_a_unit_writes_its_members_and_nothing_else() {
    let (mut fixture, unit) = adele_over_unit(USER_ADMINISTRATOR);
    let list = format!("/directory/administrativeUnits/{unit}/scopedRoleMembers");
    let active = fixture.get("/directoryRoles").all("id")[0].to_owned();
    assert_eq!(fixture.get(&list).all("roleId"), [active.as_str()]);

    let scopes = [
        "User.ReadWrite.All",
        "User.DeleteRestore.All",
        "User-PasswordProfile.ReadWrite.All",
        "Group.ReadWrite.All",
    ];
    fixture.adele(&scopes);
    let title = json!({"jobTitle": "Lead"});
    let [bo, cleo] = [BO, CLEO].map(|user| format!("/users/{}", id(user)));
    assert_eq!(fixture.patch(&bo, &title).status, 204);
    let password = json!({"passwordProfile": {"password": "xWwvJ]6NMw+bWH-d"}});
    assert_eq!(fixture.patch(&bo, &password).status, 204);
    let members = |group| format!("/groups/{}/members/$ref", id(group));
    let cleo_id = reference(&id(CLEO));
    assert_eq!(fixture.post(&members(TESTERS), &cleo_id).status, 204);
    assert_eq!(fixture.post(&members(ENGINEERS), &cleo_id).status, 403);
    // The members of a group in the unit are not in the unit.
    assert_eq!(fixture.patch(&cleo, &title).status, 403);
    assert_eq!(fixture.patch(&cleo, &password).status, 403);
    assert_eq!(fixture.delete(&cleo).status, 403);
    assert_eq!(fixture.post("/users", &new_user()).status, 403);

    let state = fixture.state();
    assert!(state.store.unlink(Relation::Members, &unit, &id(BO)));
    assert_eq!(fixture.patch(&bo, &title).status, 403);
}

#[test]
fn a_role_over_a_unit_writes_no_photos_of_users() {
    let (mut fixture, _) = adele_over_unit(USER_ADMINISTRATOR);
    let [bo, testers] = [("users", BO), ("groups", TESTERS)]
        .map(|(set, object)| format!("/{set}/{}/photo/$value", id(object)));
    let scopes = ["User.ReadWrite.All", "Group.ReadWrite.All"];
    fixture.adele(&scopes);
    assert_eq!(put(&fixture, &bo, png(64, 64), &[]).status, 403);
    assert_eq!(fixture.delete(&bo).status, 403);
    assert_eq!(put(&fixture, &testers, png(64, 64), &[]).status, 200);
    // Over the whole directory.
    assign(&mut fixture, ADELE, USER_ADMINISTRATOR);
    fixture.adele(&scopes);
    assert_eq!(put(&fixture, &bo, png(64, 64), &[]).status, 200);
    assert_eq!(fixture.delete(&bo).status, 204);
}

#[test]
fn a_privileged_authentication_administrator_over_a_unit_reaches_every_role() {
    for target in [
        "",
        DIRECTORY_READERS,
        USER_ADMINISTRATOR,
        SECURITY_READER,
        PRIVILEGED_ROLE_ADMINISTRATOR,
    ] {
        let (mut fixture, _) = adele_over_unit(PRIVILEGED_AUTHENTICATION_ADMINISTRATOR);
        if !target.is_empty() {
            assign(&mut fixture, BO, target);
        }
        assert_allowed(
            &mut fixture,
            &format!("over a unit, on {target}"),
            true,
            true,
        );
        // Not a member of the unit.
        let cleo = format!("/users/{}", id(CLEO));
        let phone = json!({"mobilePhone": "1"});
        assert_eq!(fixture.patch(&cleo, &phone).status, 403, "{target}");
    }
}

#[test]
fn only_a_user_administrator_over_a_unit_reaches_users_by_the_tables() {
    for (role, allowed) in [
        (HELPDESK_ADMINISTRATOR, false),
        (AUTHENTICATION_ADMINISTRATOR, false),
        (USER_ADMINISTRATOR, true),
    ] {
        let (mut fixture, _) = adele_over_unit(role);
        let bo = format!("/users/{}", id(BO));
        let phone = json!({"mobilePhone": "1"});
        fixture.adele(&["User.ReadWrite.All"]);
        assert_eq!(fixture.patch(&bo, &phone).status, 204, "{role}");
        assign(&mut fixture, BO, DIRECTORY_READERS);
        fixture.adele(&["User.ReadWrite.All"]);
        let status = if allowed { 204 } else { 403 };
        assert_eq!(fixture.patch(&bo, &phone).status, status, "{role}");
    }
}

#[test]
fn a_role_over_one_application_writes_that_application() {
    let mut fixture = Fixture::new();
    let application = format!("/applications/{}", id(DESK_APP));
    let note = json!({"notes": "x"});
    fixture.adele(&["Application.ReadWrite.All"]);
    assert_eq!(fixture.patch(&application, &note).status, 403);
    let scope = format!("/{}", id(DESK_APP));
    assign_over(&mut fixture, ADELE, CLOUD_APPLICATION_ADMINISTRATOR, &scope);
    fixture.adele(&["Application.ReadWrite.All"]);
    assert_eq!(fixture.patch(&application, &note).status, 204);
    let bo = format!("/users/{}", id(BO));
    assert_eq!(fixture.patch(&bo, &json!({"jobTitle": "x"})).status, 403);
}
