use super::*;

const ASSIGNMENTS: &str = "/roleManagement/directory/roleAssignments";
const DEFINITIONS: &str = "/roleManagement/directory/roleDefinitions";
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const USER_ADMINISTRATOR: &str = "fe930be7-5e62-47db-91af-98c3a49a38b1";

fn writer() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&[
        "RoleManagement.ReadWrite.Directory",
        "AuditLog.Read.All",
        "User.Read.All",
    ]);
    fixture
}

fn assignment(role: &str, principal: u32, scope: &str) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.unifiedRoleAssignment",
        "roleDefinitionId": role, "principalId": id(principal), "directoryScopeId": scope
    })
}

fn custom() -> Value {
    json!({
        "displayName": "Support", "isEnabled": true,
        "rolePermissions": [{"allowedResourceActions": ["microsoft.directory/applications/basic/read"]}]
    })
}

#[test]
fn an_assignment_and_a_membership_are_one_fact() {
    let fixture = writer();
    let body = assignment(USER_ADMINISTRATOR, ADELE, "/");
    let created = fixture.post(ASSIGNMENTS, &body);
    assert_eq!(created.status, 201, "{}", created.text);
    let one = format!("{ASSIGNMENTS}/{}", created.body["id"].as_str().unwrap());
    assert_eq!(fixture.post(ASSIGNMENTS, &body).status, 400);
    let members = format!("/directoryRoles(roleTemplateId='{USER_ADMINISTRATOR}')/members");
    assert_eq!(fixture.get(&members).all("id"), [id(ADELE)]);
    let filter = format!(
        "{ASSIGNMENTS}?$filter=principalId eq '{}'&$expand=principal",
        id(ADELE)
    );
    let found = fixture.get(&filter);
    assert_eq!(found.body["value"][0]["principal"]["displayName"], "Adele");
    let role = fixture.get(&format!("{one}?$expand=roleDefinition"));
    assert_eq!(
        role.body["roleDefinition"]["displayName"],
        "User Administrator"
    );

    let item = format!("{members}/{}/$ref", id(ADELE));
    assert_eq!(fixture.delete(&item).status, 204);
    assert_eq!(fixture.get(&one).status, 404);
    let reference =
        json!({"@odata.id": format!("https://graph.microsoft.com/v1.0/users/{}", id(ADELE))});
    assert_eq!(
        fixture.post(&format!("{members}/$ref"), &reference).status,
        204
    );
    assert_eq!(fixture.get(&one).status, 200);
    assert_eq!(fixture.delete(&one).status, 204);
    assert_eq!(fixture.get(&members).all("id"), [""; 0]);
    let log = fixture.get("/auditLogs/directoryAudits?$filter=loggedByService eq 'Core Directory'");
    let names = log.all("activityDisplayName");
    assert_eq!(
        names[..4],
        [
            "Remove member from role",
            "Add member to role",
            "Remove member from role",
            "Add member to role"
        ]
    );
}

#[test]
fn assignments_are_filtered_by_what_their_page_names() {
    let fixture = writer();
    let body = assignment(USER_ADMINISTRATOR, ADELE, "/");
    assert_eq!(fixture.post(ASSIGNMENTS, &body).status, 201);
    for name in [
        "appScopeId",
        "directoryScopeId",
        "principalId",
        "roleDefinitionId",
    ] {
        for filter in [format!("{name} eq 'x'"), format!("{name} in ('x','y')")] {
            let found = fixture.get(&format!("{ASSIGNMENTS}?$filter={filter}"));
            assert_eq!(found.status, 200, "{filter}: {}", found.text);
            assert_eq!(found.all("id"), [""; 0], "{filter}");
        }
    }
    for filter in ["id eq 'x'", "condition eq 'x'"] {
        let rejected = fixture.get(&format!("{ASSIGNMENTS}?$filter={filter}"));
        assert_eq!(rejected.status, 400, "{filter}");
    }
}

#[test]
fn global_administrator_decides_what_a_user_may_do() {
    let mut fixture = writer();
    let body = assignment(GLOBAL_ADMINISTRATOR, ADELE, "/");
    let created = fixture.post(ASSIGNMENTS, &body);
    let one = format!("{ASSIGNMENTS}/{}", created.body["id"].as_str().unwrap());
    let patch = json!({"jobTitle": "Lead"});
    let user = format!("/users/{}", id(BO));
    fixture.adele(&["User.ReadWrite.All"]);
    assert_eq!(fixture.patch(&user, &patch).status, 204);
    fixture.application(&["RoleManagement.ReadWrite.Directory"]);
    assert_eq!(fixture.delete(&one).status, 204);
    fixture.adele(&["User.ReadWrite.All"]);
    assert_eq!(fixture.patch(&user, &patch).status, 403);
    // Another role is recorded, and decides nothing here.
    fixture.application(&["RoleManagement.ReadWrite.Directory"]);
    let reader = assignment("f2ef992c-3afb-46b9-b7cf-a126ee74c451", ADELE, "/");
    assert_eq!(fixture.post(ASSIGNMENTS, &reader).status, 201);
    fixture.adele(&["User.ReadWrite.All"]);
    assert_eq!(fixture.patch(&user, &patch).status, 403);
}

#[test]
fn assignments_of_a_deleted_user_come_back_with_the_user() {
    let mut fixture = writer();
    let body = assignment(USER_ADMINISTRATOR, BO, "/");
    let created = fixture.post(ASSIGNMENTS, &body);
    let one = format!("{ASSIGNMENTS}/{}", created.body["id"].as_str().unwrap());
    // Only the highest roles delete an administrator; a permission alone does not.
    fixture.application(&["User.ReadWrite.All"]);
    assert_eq!(fixture.delete(&format!("/users/{}", id(BO))).status, 403);
    fixture.state().make_administrator(&id(ADELE));
    fixture.adele(&["User.ReadWrite.All", "RoleManagement.Read.Directory"]);
    assert_eq!(fixture.delete(&format!("/users/{}", id(BO))).status, 204);
    assert_eq!(fixture.get(&one).status, 404);
    let restore = format!("/directory/deletedItems/{}/restore", id(BO));
    assert_eq!(fixture.post(&restore, &json!({})).status, 200);
    assert_eq!(fixture.get(&one).status, 200);
}

#[test]
fn an_assignment_has_a_known_role_principal_and_scope() {
    let fixture = writer();
    for (body, status, message) in [
        (
            json!({"principalId": id(ADELE), "directoryScopeId": "/"}),
            400,
            "'roleDefinitionId'",
        ),
        (
            json!({"roleDefinitionId": USER_ADMINISTRATOR, "directoryScopeId": "/"}),
            400,
            "'principalId'",
        ),
        (assignment(&id(800), ADELE, "/"), 404, "does not exist"),
        (
            assignment(USER_ADMINISTRATOR, 800, "/"),
            404,
            "does not exist",
        ),
        (assignment(USER_ADMINISTRATOR, LAPTOP, "/"), 400, "Device"),
        (assignment(USER_ADMINISTRATOR, ENGINEERS, "/"), 400, "Group"),
        (
            assignment(USER_ADMINISTRATOR, ADELE, ""),
            400,
            "'directoryScopeId'",
        ),
        (
            assignment(USER_ADMINISTRATOR, ADELE, "/users/1"),
            400,
            "'directoryScopeId'",
        ),
        (
            assignment(USER_ADMINISTRATOR, ADELE, &format!("/{}", id(800))),
            404,
            "does not exist",
        ),
        (
            assignment(USER_ADMINISTRATOR, ADELE, &format!("/{}", id(BO))),
            400,
            "'directoryScopeId'",
        ),
    ] {
        let response = fixture.post(ASSIGNMENTS, &body);
        assert_eq!(response.status, status, "{body} {}", response.text);
        assert!(response.error().2.contains(message), "{}", response.text);
    }
    let scoped = assignment(USER_ADMINISTRATOR, ADELE, &format!("/{}", id(DESK_APP)));
    assert_eq!(fixture.post(ASSIGNMENTS, &scoped).status, 201);
    assert_eq!(fixture.get("/directoryRoles").all("id"), [""; 0]);
}

#[test]
fn custom_roles_are_written_and_built_in_ones_are_not() {
    let fixture = writer();
    let created = fixture.post(DEFINITIONS, &custom());
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.body["isBuiltIn"], false);
    assert_eq!(created.body["templateId"], created.body["id"]);
    let own = created.body["id"].as_str().unwrap();
    let one = format!("{DEFINITIONS}/{own}");
    assert_eq!(
        fixture.patch(&one, &json!({"description": "d"})).status,
        204
    );
    for body in [
        json!({"displayName": null}),
        json!({"isBuiltIn": true}),
        json!({"rolePermissions": []}),
    ] {
        assert_eq!(fixture.patch(&one, &body).status, 400, "{body}");
    }
    let body = assignment(own, ADELE, "/");
    let assigned = fixture.post(ASSIGNMENTS, &body);
    assert_eq!(assigned.status, 201, "{}", assigned.text);
    assert_eq!(fixture.delete(&one).status, 400);
    let item = format!("{ASSIGNMENTS}/{}", assigned.body["id"].as_str().unwrap());
    assert_eq!(fixture.delete(&item).status, 204);
    assert_eq!(fixture.delete(&one).status, 204);
    let built_in = format!("{DEFINITIONS}/{USER_ADMINISTRATOR}");
    assert_eq!(
        fixture
            .patch(&built_in, &json!({"description": "d"}))
            .status,
        400
    );
    assert_eq!(fixture.delete(&built_in).status, 400);
    for name in ["displayName", "isEnabled", "rolePermissions"] {
        let mut body = custom();
        body.as_object_mut().unwrap().remove(name);
        assert_eq!(fixture.post(DEFINITIONS, &body).status, 400, "{name}");
    }
    let parents = fixture.get(&format!("{built_in}?$expand=inheritsPermissionsFrom"));
    let parent = &parents.body["inheritsPermissionsFrom"][0]["displayName"];
    assert_eq!(parent, "Directory Readers");
}

#[test]
fn a_role_is_activated_from_a_known_template_once() {
    let fixture = writer();
    let body = json!({"roleTemplateId": USER_ADMINISTRATOR});
    let created = fixture.post("/directoryRoles", &body);
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.body["displayName"], "User Administrator");
    assert_eq!(fixture.post("/directoryRoles", &body).status, 400);
    let unknown = json!({"roleTemplateId": id(800)});
    assert_eq!(fixture.post("/directoryRoles", &unknown).status, 404);
    let named = json!({"roleTemplateId": GLOBAL_ADMINISTRATOR, "displayName": "x"});
    assert_eq!(fixture.post("/directoryRoles", &named).status, 400);
    let template = fixture.get(&format!("/directoryRoleTemplates/{USER_ADMINISTRATOR}"));
    assert_eq!(template.body["displayName"], "User Administrator");
    assert!(fixture.get("/directoryRoleTemplates").all("id").len() > 10);
    assert_eq!(
        fixture
            .get(&format!("/directoryRoleTemplates/{}", id(800)))
            .status,
        404
    );
}

#[test]
fn roles_are_read_and_written_with_their_permissions_only() {
    let mut fixture = Fixture::new();
    fixture.application(&["User.Read.All"]);
    for path in [
        ASSIGNMENTS,
        DEFINITIONS,
        "/directoryRoles",
        "/directoryRoleTemplates",
        "/directoryRoles/delta",
    ] {
        assert_eq!(fixture.get(path).status, 403, "{path}");
    }
    fixture.application(&["RoleManagement.Read.Directory"]);
    for path in [
        ASSIGNMENTS,
        DEFINITIONS,
        "/directoryRoles",
        "/directoryRoleTemplates",
        "/directoryRoles/delta",
    ] {
        assert_eq!(fixture.get(path).status, 200, "{path}");
    }
    let role = json!({"roleTemplateId": USER_ADMINISTRATOR});
    assert_eq!(
        fixture
            .post(ASSIGNMENTS, &assignment(USER_ADMINISTRATOR, ADELE, "/"))
            .status,
        403
    );
    assert_eq!(fixture.post(DEFINITIONS, &custom()).status, 403);
    assert_eq!(fixture.post("/directoryRoles", &role).status, 403);
    fixture.adele(&["RoleManagement.ReadWrite.Directory"]);
    assert_eq!(fixture.post("/directoryRoles", &role).status, 403);
    fixture.promote(ADELE);
    assert_eq!(fixture.post("/directoryRoles", &role).status, 201);
}

#[test]
fn transitive_role_assignments_include_those_of_groups() {
    let mut fixture = Fixture::new();
    fixture.application(&["RoleManagement.ReadWrite.Directory"]);
    fixture
        .state()
        .store
        .update(Kind::Group, &id(TESTERS), |group| {
            group.insert("isAssignableToRole".to_owned(), true.into());
        });
    assert!(
        fixture
            .state()
            .store
            .link(Relation::Members, &id(TESTERS), &id(CLEO))
    );
    let (users, readers) = (
        "fe930be7-5e62-47db-91af-98c3a49a38b1",
        "88d8e3e3-8f55-4a1e-953a-9b9898b8876b",
    );
    for (principal, definition) in [(CLEO, users), (TESTERS, readers), (BO, users)] {
        let body = json!({"roleDefinitionId": definition, "principalId": id(principal), "directoryScopeId": "/"});
        assert_eq!(
            fixture
                .post("/roleManagement/directory/roleAssignments", &body)
                .status,
            201
        );
    }
    let list = |query: &str, eventual: bool| {
        let headers: &[(&str, &str)] = match eventual {
            true => &[("consistencylevel", "eventual")],
            false => &[],
        };
        let target = format!("/roleManagement/directory/transitiveRoleAssignments{query}");
        let mut wire = request("GET", &target, headers);
        wire.path = wire.path.replacen("/v1.0", "/beta", 1);
        fixture.send(&wire)
    };
    let own = format!("?$count=true&$filter=principalId eq '{}'", id(CLEO));
    let all = list(&own, true);
    assert_eq!(
        all.all("principalId"),
        [id(CLEO), id(TESTERS)],
        "{}",
        all.text
    );
    assert_eq!(all.body["@odata.count"], 2);
    let narrowed = list(&format!("{own} and roleDefinitionId eq '{readers}'"), true);
    assert_eq!(narrowed.all("principalId"), [id(TESTERS)]);
    assert_eq!(list(&own, false).status, 404, "without the header");
    for rejected in [
        format!("?$filter=principalId eq '{}'", id(CLEO)),
        "?$count=true".to_owned(),
        format!("?$count=true&$filter=roleDefinitionId eq '{readers}'"),
        "?$count=true&$filter=condition eq 'x'".to_owned(),
    ] {
        assert_eq!(list(&rejected, true).status, 400, "{rejected}");
    }
    let stable = format!("/roleManagement/directory/transitiveRoleAssignments{own}");
    assert_eq!(fixture.eventual(&stable).status, 501, "it is not in v1.0");
}
