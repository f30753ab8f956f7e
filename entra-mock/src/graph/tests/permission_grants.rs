use super::*;

const GRANTS: &str = "/oauth2PermissionGrants";
const ROBOT: u32 = 43;

fn granting() -> Fixture {
    let mut fixture = Fixture::new();
    let robot = json!({"id": id(ROBOT), "appId": id(430), "displayName": "Robot"});
    let robot = robot.as_object().cloned().unwrap();
    fixture
        .state()
        .store
        .insert(Kind::ServicePrincipal, robot)
        .unwrap();
    fixture.application(&[
        "DelegatedPermissionGrant.ReadWrite.All",
        "AuditLog.Read.All",
    ]);
    fixture
}

fn for_all(client: u32, resource: u32) -> Value {
    json!({
        "clientId": id(client), "consentType": "AllPrincipals", "resourceId": id(resource), "scope": "User.Read Mail.Read"
    })
}

#[test]
fn a_grant_is_created_widened_narrowed_and_deleted() {
    let mut fixture = granting();
    let created = fixture.post(GRANTS, &for_all(ROBOT, DESK));
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.body["principalId"], Value::Null);
    assert_eq!(created.header("location"), None);
    let context = created.body["@odata.context"].as_str().unwrap();
    assert!(
        context.ends_with("#oauth2PermissionGrants/$entity"),
        "{context}"
    );
    let new = created.body["id"].as_str().unwrap().to_owned();
    let one = format!("{GRANTS}/{new}");
    assert_eq!(fixture.get(&one).body["scope"], "User.Read Mail.Read");
    for scope in ["User.Read Mail.Read Files.Read", "User.Read"] {
        let changed = fixture.patch(&one, &json!({ "scope": scope }));
        assert_eq!(changed.status, 204, "{}", changed.text);
        assert_eq!(fixture.get(&one).body["scope"], scope);
    }
    let filter = format!("{GRANTS}?$filter=clientId eq '{}'", id(ROBOT));
    assert_eq!(fixture.get(&filter).all("id"), [new.as_str()]);
    fixture.application(&["Directory.Read.All"]);
    for rejected in [
        fixture.patch(&one, &json!({"scope": "Mail.Read"})),
        fixture.post(GRANTS, &for_all(DESK, ROBOT)),
        fixture.delete(&one),
    ] {
        assert_eq!(rejected.error().0, 403);
    }
    fixture.application(&["Directory.ReadWrite.All"]);
    assert_eq!(fixture.delete(&one).status, 204);
    assert_eq!(fixture.get(&one).status, 404);
}

#[test]
fn a_grant_for_one_user_names_the_user() {
    let fixture = granting();
    let body = |consent_type: &str, principal: Value| {
        let mut body = for_all(ROBOT, DESK);
        body["consentType"] = consent_type.into();
        body["principalId"] = principal;
        body
    };
    let created = fixture.post(GRANTS, &body("principal", id(ADELE).into()));
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.body["consentType"], "Principal");
    assert_eq!(created.body["principalId"], id(ADELE));
    for (body, status, message) in [
        (
            body("Principal", Value::Null),
            400,
            "required for property 'principalId'",
        ),
        (
            body("AllPrincipals", id(BO).into()),
            400,
            "Invalid value specified for property 'principalId'",
        ),
        (
            body("Principal", id(ENGINEERS).into()),
            404,
            "does not exist",
        ),
        (body("Everyone", Value::Null), 400, "property 'consentType'"),
        (
            body("Principal", "bo".into()),
            400,
            "Invalid object identifier",
        ),
    ] {
        let response = fixture.post(GRANTS, &body);
        assert_eq!(response.status, status, "{body} {}", response.text);
        assert!(response.error().2.contains(message), "{}", response.text);
    }
    // A grant for all users, and one for another user, are other grants.
    assert_eq!(fixture.post(GRANTS, &for_all(ROBOT, DESK)).status, 201);
    let bo = fixture.post(GRANTS, &body("Principal", id(BO).into()));
    assert_eq!(bo.status, 201);
}

#[test]
fn there_is_one_grant_for_a_client_resource_and_user() {
    let fixture = granting();
    let mut body = for_all(ROBOT, DESK);
    assert_eq!(fixture.post(GRANTS, &body).status, 201);
    body["scope"] = "Files.Read".into();
    body["clientId"] = id(ROBOT).to_ascii_uppercase().into();
    assert_eq!(
        fixture.post(GRANTS, &body).error(),
        (
            409,
            "Request_MultipleObjectsWithSameKeyValue",
            "Permission entry already exists."
        )
    );
}

#[test]
fn a_grant_has_an_existing_client_and_resource_that_never_change() {
    let fixture = granting();
    for (body, status, message) in [
        (for_all(800, DESK), 404, "does not exist"),
        (for_all(ROBOT, 800), 404, "does not exist"),
        // An application registration is not a service principal.
        (for_all(DESK_APP, DESK), 404, "does not exist"),
        (
            json!({"consentType": "AllPrincipals", "resourceId": id(DESK), "scope": "User.Read"}),
            400,
            "required for property 'clientId'",
        ),
        (
            json!({"clientId": id(ROBOT), "resourceId": id(DESK), "scope": "User.Read"}),
            400,
            "required for property 'consentType'",
        ),
        (
            json!({"clientId": id(ROBOT), "scope": ["User.Read"]}),
            400,
            "property 'scope'",
        ),
        (
            json!({"clientId": id(ROBOT), "expiryTime": "2026-12-01T00:00:00Z"}),
            400,
            "'expiryTime' does not exist",
        ),
        (json!({"id": "x"}), 400, "'id' is read-only"),
    ] {
        let before = fixture.snapshot();
        let response = fixture.post(GRANTS, &body);
        assert_eq!(response.status, status, "{body} {}", response.text);
        assert!(
            response.error().2.contains(message),
            "{body} {}",
            response.text
        );
        assert_eq!(fixture.snapshot(), before);
    }
    for name in ["clientId", "consentType", "principalId", "resourceId"] {
        let response = fixture.patch(&format!("{GRANTS}/grant-1"), &json!({name: id(ROBOT)}));
        assert_eq!(response.status, 400, "{name}");
        assert!(
            response.error().2.contains("is read-only"),
            "{}",
            response.text
        );
    }
}

#[test]
fn a_user_needs_a_role_to_grant_permissions() {
    let mut fixture = granting();
    fixture.adele(&["DelegatedPermissionGrant.ReadWrite.All"]);
    assert_eq!(fixture.post(GRANTS, &for_all(ROBOT, DESK)).status, 403);
    assert_eq!(fixture.delete(&format!("{GRANTS}/grant-1")).status, 403);
    fixture.promote(ADELE);
    assert_eq!(fixture.post(GRANTS, &for_all(ROBOT, DESK)).status, 201);
    assert_eq!(fixture.delete(&format!("{GRANTS}/grant-1")).status, 204);
}

#[test]
fn granting_writes_an_audit_with_resource_and_client() {
    let fixture = granting();
    let created = fixture.post(GRANTS, &for_all(ROBOT, DESK));
    let one = format!("{GRANTS}/{}", created.body["id"].as_str().unwrap());
    assert_eq!(
        fixture.patch(&one, &json!({"scope": "User.Read"})).status,
        204
    );
    assert_eq!(fixture.delete(&one).status, 204);
    for (name, count) in [
        ("Add delegated permission grant", 2),
        ("Remove delegated permission grant", 1),
    ] {
        let log = fixture.get(&format!(
            "/auditLogs/directoryAudits?$filter=activityDisplayName eq '{name}'"
        ));
        assert_eq!(log.body["value"].as_array().unwrap().len(), count);
        let targets = &log.body["value"][0]["targetResources"];
        assert_eq!(
            [&targets[0]["id"], &targets[1]["id"]],
            [&id(DESK), &id(ROBOT)]
        );
    }
}

#[test]
fn grants_are_deleted_and_restored_with_their_client() {
    let mut fixture = granting();
    assert_eq!(fixture.post(GRANTS, &for_all(ROBOT, DESK)).status, 201);
    let clients = |fixture: &Fixture| fixture.get(GRANTS).all("clientId").len();
    assert_eq!(clients(&fixture), 2);
    assert!(fixture.state().delete(Kind::ServicePrincipal, &id(ROBOT)));
    assert_eq!(clients(&fixture), 1);
    fixture.state().restore(&id(ROBOT), Vec::new()).unwrap();
    assert_eq!(clients(&fixture), 2);
    // The grant of the fixture is for Adele alone.
    assert!(fixture.state().delete(Kind::User, &id(ADELE)));
    assert_eq!(clients(&fixture), 1);
}

#[test]
fn application_administrators_grant_delegated_permissions() {
    for (role, allowed) in [
        ("9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", true),
        ("158c047a-c907-4556-b7ef-446551a6b5f7", true),
        ("e8611ab8-c189-46e8-94e1-60213ab1f814", true),
        ("fdd7a751-b60b-444a-984c-02652fe8fa1c", false),
    ] {
        let mut fixture = granting();
        fixture.application(&["RoleManagement.ReadWrite.Directory"]);
        let body =
            json!({"principalId": id(ADELE), "roleDefinitionId": role, "directoryScopeId": "/"});
        let assigned = fixture.post("/roleManagement/directory/roleAssignments", &body);
        assert_eq!(assigned.status, 201, "{}", assigned.text);
        fixture.adele(&["DelegatedPermissionGrant.ReadWrite.All"]);
        let created = fixture.post(GRANTS, &for_all(ROBOT, DESK));
        let status = if allowed { 201 } else { 403 };
        assert_eq!(created.status, status, "{role}: {}", created.text);
        if allowed {
            let one = format!("{GRANTS}/{}", created.body["id"].as_str().unwrap());
            let less = json!({"scope": "User.Read"});
            assert_eq!(fixture.patch(&one, &less).status, 204, "{role}");
            assert_eq!(fixture.delete(&one).status, 204, "{role}");
        }
    }
}

#[test]
fn ids_of_grants_are_case_sensitive() {
    let mut fixture = granting();
    let grant = json!({"id": "Gr-A_1", "clientId": id(DESK), "resourceId": id(ROBOT), "consentType": "AllPrincipals"});
    let grant = grant.as_object().cloned().unwrap();
    fixture
        .state()
        .store
        .insert(Kind::OAuth2PermissionGrant, grant)
        .unwrap();
    assert_eq!(
        fixture.get(&format!("{GRANTS}/Gr-A_1")).body["id"],
        "Gr-A_1"
    );
    assert_eq!(fixture.get(&format!("{GRANTS}/gr-a_1")).status, 404);
}
