//! App role assignments and delegated permission grants.

use super::*;
use crate::directory::roles::GLOBAL_ADMINISTRATOR;

/// A role of the desk for applications, and one for users that is disabled later.
const READ_ROLE: u32 = 41;
const USER_ROLE: u32 = 42;
const ROBOT: u32 = 43;

fn assigning() -> Fixture {
    let mut fixture = Fixture::new();
    let robot = json!({"id": id(ROBOT), "appId": id(430), "displayName": "Robot"});
    let robot = robot.as_object().cloned().unwrap();
    fixture
        .state()
        .store
        .insert(Kind::ServicePrincipal, robot)
        .unwrap();
    fixture.application(&[
        "AppRoleAssignment.ReadWrite.All",
        "Application.Read.All",
        "Directory.Read.All",
        "AuditLog.Read.All",
    ]);
    fixture
}

fn with_roles() -> Fixture {
    let mut fixture = assigning();
    let role = |number, member_type: &str, enabled| {
        json!({
            "id": id(number), "value": format!("Role.{number}"), "isEnabled": enabled, "displayName": "r",
            "description": "r", "allowedMemberTypes": [member_type]
        })
    };
    fixture
        .state()
        .store
        .update(Kind::ServicePrincipal, &id(DESK), |desk| {
            let roles = json!([
                role(READ_ROLE, "Application", true),
                role(USER_ROLE, "User", true),
                role(44, "User", false)
            ]);
            desk.insert("appRoles".into(), roles);
        });
    fixture
}

fn assignment(principal: u32, resource: u32, role: u32) -> Value {
    json!({"principalId": id(principal), "resourceId": id(resource), "appRoleId": role_id(role)})
}

fn role_id(role: u32) -> String {
    if role == 0 {
        "00000000-0000-0000-0000-000000000000".to_owned()
    } else {
        id(role)
    }
}

fn path(collection: &str, number: u32, name: &str) -> String {
    format!("/{collection}/{}/{name}", id(number))
}

#[test]
fn an_app_role_is_assigned_at_its_resource_and_at_its_principal() {
    let fixture = with_roles();
    let assigned_to = path("servicePrincipals", DESK, "appRoleAssignedTo");
    for (target, principal, role, context) in [
        (
            assigned_to.clone(),
            BO,
            USER_ROLE,
            format!(
                "#servicePrincipals('{}')/appRoleAssignedTo/$entity",
                id(DESK)
            ),
        ),
        (
            path("users", CLEO, "appRoleAssignments"),
            CLEO,
            USER_ROLE,
            format!("#users('{}')/appRoleAssignments/$entity", id(CLEO)),
        ),
        (
            path("groups", TESTERS, "appRoleAssignments"),
            TESTERS,
            USER_ROLE,
            format!("#groups('{}')/appRoleAssignments/$entity", id(TESTERS)),
        ),
        (
            path("servicePrincipals", ROBOT, "appRoleAssignments"),
            ROBOT,
            READ_ROLE,
            "#appRoleAssignments/$entity".to_owned(),
        ),
    ] {
        let created = fixture.post(&target, &assignment(principal, DESK, role));
        assert_eq!(created.status, 201, "{target} {}", created.text);
        let found = created.body["@odata.context"].as_str().unwrap();
        assert!(found.ends_with(&context), "{found}");
        assert_eq!(created.body["resourceDisplayName"], "Expense Desk");
        assert_eq!(created.body["principalId"], id(principal));
        assert_eq!(created.body["createdDateTime"], "2026-11-21T02:08:02Z");
        assert_eq!(created.body["deletedDateTime"], Value::Null);
    }
    let types = fixture.get(&assigned_to);
    assert_eq!(
        types.all("principalType"),
        ["User", "Group", "User", "User", "Group", "ServicePrincipal"]
    );
}

#[test]
fn an_assignment_is_deleted_at_either_end() {
    let fixture = with_roles();
    for (create, delete) in [
        (
            path("servicePrincipals", DESK, "appRoleAssignedTo"),
            path("servicePrincipals", DESK, "appRoleAssignedTo"),
        ),
        (
            path("users", BO, "appRoleAssignments"),
            path("users", BO, "appRoleAssignments"),
        ),
        (
            path("users", BO, "appRoleAssignments"),
            path("servicePrincipals", DESK, "appRoleAssignedTo"),
        ),
    ] {
        let created = fixture.post(&create, &assignment(BO, DESK, USER_ROLE));
        let new = created.body["id"].as_str().unwrap();
        let other = path("users", CLEO, &format!("appRoleAssignments/{new}"));
        assert_eq!(fixture.delete(&other).status, 404);
        assert_eq!(fixture.delete(&format!("{delete}/{new}")).status, 204);
        assert_eq!(fixture.delete(&format!("{delete}/{new}")).status, 404);
    }
    let robot = path("servicePrincipals", ROBOT, "appRoleAssignments");
    let created = fixture.post(&robot, &assignment(ROBOT, DESK, READ_ROLE));
    let new = created.body["id"].as_str().unwrap();
    assert_eq!(fixture.delete(&format!("{robot}/{new}")).status, 204);
    let group = path("groups", ENGINEERS, "appRoleAssignments");
    assert_eq!(fixture.delete(&format!("{group}/Aa-bB_2")).status, 204);
    // Ids of assignments are case-sensitive.
    let adele = path("users", ADELE, "appRoleAssignments");
    assert_eq!(fixture.delete(&format!("{adele}/aa-bb_1")).status, 404);
    assert_eq!(fixture.delete(&format!("{adele}/Aa-bB_1")).status, 204);
}

#[test]
fn an_assignment_has_an_existing_principal_resource_and_role() {
    let fixture = with_roles();
    let assigned_to = path("servicePrincipals", DESK, "appRoleAssignedTo");
    let reference = "Not a valid reference update";
    let unknown_role = "Permission being assigned was not found on application";
    let required = "A value is required for property";
    for (target, body, message) in [
        (&assigned_to, assignment(800, DESK, USER_ROLE), reference),
        (&assigned_to, assignment(BO, 800, USER_ROLE), reference),
        (&assigned_to, assignment(BO, ROBOT, 0), reference),
        (&assigned_to, assignment(LAPTOP, DESK, USER_ROLE), reference),
        (
            &path("users", CLEO, "appRoleAssignments"),
            assignment(BO, DESK, USER_ROLE),
            reference,
        ),
        (&assigned_to, assignment(BO, DESK, 45), unknown_role),
        (&assigned_to, assignment(BO, DESK, 44), unknown_role),
        (&assigned_to, assignment(BO, DESK, READ_ROLE), unknown_role),
        (
            &assigned_to,
            assignment(ROBOT, DESK, USER_ROLE),
            unknown_role,
        ),
        (&assigned_to, assignment(BO, DESK, 0), unknown_role),
        (
            &assigned_to,
            json!({"principalId": id(BO), "resourceId": id(DESK)}),
            required,
        ),
        (
            &assigned_to,
            json!({"principalId": id(BO), "appRoleId": id(USER_ROLE)}),
            required,
        ),
        (
            &assigned_to,
            json!({"principalId": id(BO), "resourceId": id(DESK), "appRoleId": "User"}),
            "Invalid value specified for property 'appRoleId'",
        ),
        (
            &assigned_to,
            json!({"principalId": id(BO), "principalType": "User"}),
            "'principalType' is read-only",
        ),
        (
            &assigned_to,
            json!({"principalId": id(BO), "role": "User"}),
            "'role' does not exist",
        ),
    ] {
        let before = fixture.snapshot();
        let response = fixture.post(target, &body);
        assert_eq!(response.status, 400, "{body} {}", response.text);
        assert!(
            response.error().2.contains(message),
            "{body} {}",
            response.text
        );
        assert_eq!(fixture.snapshot(), before);
    }
    assert_eq!(
        fixture
            .post(&assigned_to, &assignment(BO, DESK, USER_ROLE))
            .status,
        201
    );
    let again = fixture.post(&assigned_to, &assignment(BO, DESK, USER_ROLE));
    assert_eq!(
        again.error(),
        (
            400,
            "Request_BadRequest",
            "Permission being assigned already exists on the object"
        )
    );
}

#[test]
fn default_access_is_for_resources_without_roles_of_the_type() {
    let fixture = assigning();
    let assigned_to = path("servicePrincipals", DESK, "appRoleAssignedTo");
    for principal in [BO, TESTERS, ROBOT] {
        let created = fixture.post(&assigned_to, &assignment(principal, DESK, 0));
        assert_eq!(created.status, 201, "{}", created.text);
    }
}

#[test]
fn only_administrators_and_owners_of_the_resource_assign_for_a_user() {
    let mut fixture = assigning();
    let scopes = ["AppRoleAssignment.ReadWrite.All", "Application.Read.All"];
    fixture.adele(&scopes);
    let at = |number| path("servicePrincipals", number, "appRoleAssignedTo");
    assert_eq!(
        fixture.post(&at(ROBOT), &assignment(BO, ROBOT, 0)).status,
        403
    );
    let own = fixture.post(&at(DESK), &assignment(BO, DESK, 0));
    assert_eq!(own.status, 201, "{}", own.text);
    fixture.promote(ADELE);
    let other = fixture.post(&at(ROBOT), &assignment(BO, ROBOT, 0));
    assert_eq!(other.status, 201, "{}", other.text);
    let state = fixture.state();
    let (role, _) = state.activated_role(GLOBAL_ADMINISTRATOR).unwrap();
    assert!(state.store.unlink(Relation::Members, &role, &id(ADELE)));
    let one = format!("{}/{}", at(ROBOT), other.body["id"].as_str().unwrap());
    assert_eq!(fixture.delete(&one).status, 403);
}

#[test]
fn administrators_assign_by_their_role_and_the_api() {
    const APPLICATION_ADMINISTRATOR: &str = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3";
    const CLOUD_APPLICATION_ADMINISTRATOR: &str = "158c047a-c907-4556-b7ef-446551a6b5f7";
    const PRIVILEGED_ROLE_ADMINISTRATOR: &str = "e8611ab8-c189-46e8-94e1-60213ab1f814";
    const USER_ADMINISTRATOR: &str = "fe930be7-5e62-47db-91af-98c3a49a38b1";
    const SECURITY_READER: &str = "5d6b6bb7-de71-4623-b4af-96380a352509";
    // An application permission of the desk, one of Microsoft Graph, and the desk for a user.
    for (role, allowed) in [
        (APPLICATION_ADMINISTRATOR, [true, false, true]),
        (CLOUD_APPLICATION_ADMINISTRATOR, [true, false, true]),
        (PRIVILEGED_ROLE_ADMINISTRATOR, [true, true, true]),
        (GLOBAL_ADMINISTRATOR, [true, true, true]),
        (USER_ADMINISTRATOR, [false, false, true]),
        (SECURITY_READER, [false, false, false]),
    ] {
        let mut fixture = assigning();
        let state = fixture.state();
        state.store.unlink(Relation::Owners, &id(DESK), &id(ADELE));
        state
            .store
            .update(Kind::ServicePrincipal, &id(ROBOT), |robot| {
                robot.insert("appId".into(), crate::directory::GRAPH_APP_ID.into());
            });
        fixture.application(&["RoleManagement.ReadWrite.Directory"]);
        let body =
            json!({"principalId": id(ADELE), "roleDefinitionId": role, "directoryScopeId": "/"});
        let assigned = fixture.post("/roleManagement/directory/roleAssignments", &body);
        assert_eq!(assigned.status, 201, "{}", assigned.text);
        fixture.adele(&["AppRoleAssignment.ReadWrite.All", "Application.Read.All"]);
        let cases = [(ROBOT, DESK), (DESK, ROBOT), (BO, DESK)];
        for ((principal, resource), allowed) in cases.into_iter().zip(allowed) {
            let list = path("servicePrincipals", resource, "appRoleAssignedTo");
            let created = fixture.post(&list, &assignment(principal, resource, 0));
            let status = if allowed { 201 } else { 403 };
            assert_eq!(
                created.status, status,
                "{role} {principal}: {}",
                created.text
            );
            if allowed {
                let one = format!("{list}/{}", created.body["id"].as_str().unwrap());
                assert_eq!(fixture.delete(&one).status, 204, "{role} {principal}");
            }
        }
    }
}

#[test]
fn assigning_writes_an_audit_with_resource_and_principal() {
    let fixture = with_roles();
    let assigned_to = path("servicePrincipals", DESK, "appRoleAssignedTo");
    for (principal, role, add, remove) in [
        (
            BO,
            USER_ROLE,
            "Add app role assignment grant to user",
            "Remove app role assignment from user",
        ),
        (
            TESTERS,
            USER_ROLE,
            "Add app role assignment to group",
            "Remove app role assignment from group",
        ),
        (
            ROBOT,
            READ_ROLE,
            "Add app role assignment to service principal",
            "Remove app role assignment from service principal",
        ),
    ] {
        let created = fixture.post(&assigned_to, &assignment(principal, DESK, role));
        let one = format!("{assigned_to}/{}", created.body["id"].as_str().unwrap());
        assert_eq!(fixture.delete(&one).status, 204);
        for name in [add, remove] {
            let log = fixture.get(&format!(
                "/auditLogs/directoryAudits?$filter=activityDisplayName eq '{name}'"
            ));
            let targets = &log.body["value"][0]["targetResources"];
            assert_eq!(targets[0]["id"], id(DESK), "{name}");
            assert_eq!(targets[0]["displayName"], "Expense Desk");
            assert_eq!(targets[1]["id"], id(principal));
        }
    }
}

#[test]
fn an_assignment_waits_while_its_principal_is_deleted() {
    let mut fixture = with_roles();
    let assigned_to = path("servicePrincipals", DESK, "appRoleAssignedTo");
    let body = assignment(BO, DESK, USER_ROLE);
    assert_eq!(fixture.post(&assigned_to, &body).status, 201);
    let count = || {
        fixture
            .tenant
            .read()
            .unwrap()
            .store
            .assignments_to(&id(DESK))
            .count()
    };
    assert_eq!(count(), 3);
    let mut state = fixture.tenant.write().unwrap();
    assert!(state.delete(Kind::User, &id(BO)));
    assert!(state.delete(Kind::ServicePrincipal, &id(DESK)));
    state.restore(&id(DESK), Vec::new()).unwrap();
    drop(state);
    assert_eq!(count(), 2);
    fixture.state().restore(&id(BO), Vec::new()).unwrap();
    let principals = fixture.get(&assigned_to);
    assert!(principals.all("principalId").contains(&id(BO).as_str()));
}
