use super::*;

const UNITS: &str = "/directory/administrativeUnits";

fn writer() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&[
        "AdministrativeUnit.ReadWrite.All",
        "User.Read.All",
        "AuditLog.Read.All",
    ]);
    fixture
}

fn reference(number: u32) -> Value {
    json!({"@odata.id": format!("https://graph.microsoft.com/v1.0/users/{}", id(number))})
}

fn create(fixture: &Fixture, body: &Value) -> String {
    let created = fixture.post(UNITS, body);
    assert_eq!(created.status, 201, "{}", created.text);
    created.body["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_unit_is_created_changed_deleted_and_restored_but_not_purged() {
    let mut fixture = writer();
    let body =
        json!({"displayName": "Schools", "description": "d", "visibility": "HiddenMembership"});
    let created = fixture.post(UNITS, &body);
    assert_eq!(created.status, 201);
    assert_eq!(created.body["visibility"], "HiddenMembership");
    let one = format!("{UNITS}/{}", created.body["id"].as_str().unwrap());
    let patch = json!({"displayName": "Greater Schools", "description": null});
    assert_eq!(fixture.patch(&one, &patch).status, 204);
    let read = fixture.get(&one);
    assert_eq!(read.body["displayName"], "Greater Schools");
    assert_eq!(read.body["description"], Value::Null);
    assert!(
        read.body["@odata.context"]
            .as_str()
            .unwrap()
            .ends_with("#directory/administrativeUnits/$entity")
    );
    assert_eq!(
        fixture
            .get(&format!("{UNITS}?$filter=displayName eq 'Greater Schools'"))
            .all("displayName"),
        ["Greater Schools"]
    );

    assert_eq!(fixture.delete(&one).status, 204);
    assert_eq!(fixture.get(&one).status, 404);
    fixture.application(&["AdministrativeUnit.Read.All"]);
    let deleted = fixture.get("/directory/deletedItems/microsoft.graph.administrativeUnit");
    assert_eq!(deleted.all("displayName"), ["Greater Schools"]);
    let item = format!(
        "/directory/deletedItems/{}",
        read.body["id"].as_str().unwrap()
    );
    assert_eq!(
        fixture.post(&format!("{item}/restore"), &json!({})).status,
        403
    );
    fixture.application(&["AdministrativeUnit.ReadWrite.All"]);
    assert_eq!(fixture.delete(&item).status, 403);
    assert_eq!(
        fixture.post(&format!("{item}/restore"), &json!({})).status,
        200
    );
    assert_eq!(fixture.get(&one).status, 200);
}

#[test]
fn a_unit_has_a_name_and_only_documented_values() {
    let fixture = writer();
    for (body, message) in [
        (
            json!({"description": "d"}),
            "required for property 'displayName'",
        ),
        (
            json!({"displayName": ""}),
            "Invalid value specified for property 'displayName'",
        ),
        (
            json!({"displayName": "U", "visibility": "Secret"}),
            "property 'visibility'",
        ),
        (
            json!({"displayName": "U", "membershipType": "Both"}),
            "property 'membershipType'",
        ),
        (
            json!({"displayName": "U", "membershipType": "Dynamic"}),
            "required for property 'membershipRule'",
        ),
        (
            json!({"displayName": "U", "membershipRule": "x"}),
            "Invalid value specified for property 'membershipRule'",
        ),
        (
            json!({"displayName": "U", "members": []}),
            "navigation property 'members'",
        ),
        (
            json!({"displayName": "U", "mailNickname": "u"}),
            "'mailNickname' does not exist",
        ),
    ] {
        let response = fixture.post(UNITS, &body);
        assert_eq!(response.status, 400, "{body}");
        assert!(response.error().2.contains(message), "{}", response.text);
    }
    let own = create(
        &fixture,
        &json!({"displayName": "U", "isMemberManagementRestricted": true}),
    );
    let fixed = json!({"isMemberManagementRestricted": false});
    assert_eq!(fixture.patch(&format!("{UNITS}/{own}"), &fixed).status, 400);
}

#[test]
fn members_are_users_groups_and_devices_by_reference() {
    let mut fixture = writer();
    let own = create(&fixture, &json!({"displayName": "U"}));
    let members = format!("{UNITS}/{own}/members");
    let add = |number| {
        fixture
            .post(&format!("{members}/$ref"), &reference(number))
            .status
    };
    assert_eq!([ADELE, ENGINEERS, LAPTOP].map(add), [204; 3]);
    assert_eq!([ADELE, DESK, 800].map(add), [400, 400, 404]);
    assert_eq!(
        fixture.get(&members).all("id"),
        [id(ADELE), id(ENGINEERS), id(LAPTOP)]
    );
    // A GUID is equal in any letter case.
    let letters = "ABCDEF00-0000-4000-8000-00000000ABCD";
    let user = json!({"id": letters.to_ascii_lowercase(), "displayName": "Dora"});
    let user = user.as_object().cloned().unwrap();
    fixture.state().store.insert(Kind::User, user).unwrap();
    let added = json!({"@odata.id": format!("https://x/v1.0/users/{letters}")});
    assert_eq!(fixture.post(&format!("{members}/$ref"), &added).status, 204);
    let one = fixture.get(&format!("{members}/{letters}"));
    assert_eq!(one.body["displayName"], "Dora", "{}", one.text);
    assert_eq!(
        fixture.delete(&format!("{members}/{letters}/$ref")).status,
        204
    );
    assert_eq!(
        fixture
            .delete(&format!("{members}/{}/$ref", id(LAPTOP)))
            .status,
        204
    );
    assert_eq!(
        fixture
            .delete(&format!("{members}/{}/$ref", id(LAPTOP)))
            .status,
        400
    );
    let typed = fixture.eventual(&format!("{members}/microsoft.graph.user?$count=true"));
    assert_eq!(typed.all("id"), [id(ADELE)]);
    let log = fixture.get("/auditLogs/directoryAudits?$filter=activityDisplayName eq 'Add member to administrative unit'");
    assert_eq!(log.body["value"].as_array().unwrap().len(), 4);
    assert_eq!(log.body["value"][0]["category"], "AdministrativeUnit");
}

#[test]
fn changing_members_of_a_dynamic_unit_returns_403() {
    let fixture = writer();
    let body = json!({"displayName": "U", "membershipType": "dynamic", "membershipRule": "(user.country -eq \"DE\")"});
    let own = create(&fixture, &body);
    let response = fixture.post(&format!("{UNITS}/{own}/members/$ref"), &reference(ADELE));
    assert_eq!(response.error().1, "Authorization_RequestDenied");
    let assigned = json!({"membershipType": "Assigned", "membershipRule": null});
    assert_eq!(
        fixture.patch(&format!("{UNITS}/{own}"), &assigned).status,
        204
    );
    assert_eq!(
        fixture
            .post(&format!("{UNITS}/{own}/members/$ref"), &reference(ADELE))
            .status,
        204
    );
}

#[test]
fn a_unit_contains_its_direct_members_only() {
    let mut fixture = writer();
    let direct = create(&fixture, &json!({"displayName": "Direct"}));
    let through = create(&fixture, &json!({"displayName": "Through a group"}));
    for (unit, number) in [(&direct, ADELE), (&through, ENGINEERS)] {
        let target = format!("{UNITS}/{unit}/members/$ref");
        assert_eq!(fixture.post(&target, &reference(number)).status, 204);
    }
    fixture.application(&["Directory.Read.All"]);
    for path in ["memberOf", "transitiveMemberOf"] {
        let containers = fixture.get(&format!("/users/{}/{path}", id(ADELE)));
        let names = containers.all("displayName");
        assert!(
            names.contains(&"Direct") && names.contains(&"Engineers"),
            "{names:?}"
        );
        assert!(!names.contains(&"Through a group"), "{names:?}");
    }
    let objects = fixture.post(
        &format!("/users/{}/getMemberObjects", id(ADELE)),
        &json!({"securityEnabledOnly": false}),
    );
    assert!(objects.text.contains(&direct) && !objects.text.contains(&through));
    let groups = fixture.post(
        &format!("/users/{}/getMemberGroups", id(ADELE)),
        &json!({"securityEnabledOnly": false}),
    );
    assert!(!groups.text.contains(&direct), "{}", groups.text);
    let check = json!({"ids": [direct, through]});
    let checked = fixture.post(&format!("/users/{}/checkMemberObjects", id(ADELE)), &check);
    assert_eq!(checked.body["value"], json!([direct]));
}

#[test]
fn hidden_members_of_a_unit_are_omitted_without_the_permission() {
    let mut fixture = writer();
    let own = create(
        &fixture,
        &json!({"displayName": "U", "visibility": "HiddenMembership"}),
    );
    let members = format!("{UNITS}/{own}/members");
    assert_eq!(
        fixture
            .post(&format!("{members}/$ref"), &reference(ADELE))
            .status,
        204
    );
    assert_eq!(fixture.get(&members).all("id"), [""; 0]);
    fixture.application(&["AdministrativeUnit.Read.All", "Member.Read.Hidden"]);
    assert_eq!(fixture.get(&members).all("id"), [id(ADELE)]);
}

#[test]
fn delta_tracks_units_and_their_members() {
    let fixture = writer();
    let latest = fixture.get(&format!("{UNITS}/delta?$deltatoken=latest"));
    let link = |response: &Response| {
        let link = response.body["@odata.deltaLink"].as_str().unwrap();
        link.strip_prefix("https://tenant.test/v1.0")
            .unwrap()
            .to_owned()
    };
    let own = create(&fixture, &json!({"displayName": "U"}));
    assert_eq!(
        fixture
            .post(&format!("{UNITS}/{own}/members/$ref"), &reference(ADELE))
            .status,
        204
    );
    let round = fixture.get(&link(&latest));
    assert_eq!(round.all("id"), [own.as_str()]);
    assert_eq!(round.body["value"][0]["members@delta"][0]["id"], id(ADELE));
    assert_eq!(fixture.delete(&format!("{UNITS}/{own}")).status, 204);
    let round = fixture.get(&link(&round));
    assert_eq!(round.body["value"][0]["@removed"]["reason"], "changed");
}

#[test]
fn scoped_role_members_are_role_assignments_over_the_unit() {
    let mut fixture = writer();
    let own = create(&fixture, &json!({"displayName": "U"}));
    fixture.application(&["RoleManagement.ReadWrite.Directory", "AuditLog.Read.All"]);
    let template = "fe930be7-5e62-47db-91af-98c3a49a38b1";
    let role = fixture.post("/directoryRoles", &json!({"roleTemplateId": template}));
    let role = role.body["id"].as_str().unwrap().to_owned();
    let list = format!("{UNITS}/{own}/scopedRoleMembers");
    let body = json!({"roleId": role, "roleMemberInfo": {"id": id(ADELE)}});
    let added = fixture.post(&list, &body);
    assert_eq!(added.status, 201, "{}", added.text);
    assert_eq!(added.body["administrativeUnitId"], own);
    assert_eq!(added.body["roleMemberInfo"]["displayName"], "Adele");
    assert_eq!(fixture.post(&list, &body).status, 400, "a second time");
    assert_eq!(fixture.get(&list).all("roleId"), [role.as_str()]);

    // The same in the newer form, both ways.
    let filter = format!("directoryScopeId eq '/administrativeUnits/{own}'");
    let newer = format!("/roleManagement/directory/roleAssignments?$filter={filter}");
    assert_eq!(fixture.get(&newer).all("roleDefinitionId"), [template]);
    let assignment = json!({
        "@odata.type": "#microsoft.graph.unifiedRoleAssignment", "roleDefinitionId": template, "principalId": id(BO),
        "directoryScopeId": format!("/administrativeUnits/{own}")
    });
    let assigned = fixture.post("/roleManagement/directory/roleAssignments", &assignment);
    assert_eq!(assigned.status, 201);
    let one = format!("{list}/{}", assigned.body["id"].as_str().unwrap());
    assert_eq!(fixture.get(&one).body["roleMemberInfo"]["id"], id(BO));
    assert_eq!(fixture.delete(&one).status, 204);
    assert_eq!(fixture.get(&one).status, 404);
    assert_eq!(fixture.get(&newer).all("principalId"), [id(ADELE)]);
    let log = fixture.get("/auditLogs/directoryAudits");
    assert!(
        log.all("activityDisplayName")
            .contains(&"Add scoped member to role")
    );
    assert_eq!(
        log.all("activityDisplayName")[0],
        "Remove scoped member from role"
    );
}

#[test]
fn only_roles_for_members_of_units_are_assigned_over_a_unit() {
    const MESSAGE: &str =
        "The given built-in role is not supported to be assigned to a single resource scope.";
    let mut fixture = writer();
    let own = create(&fixture, &json!({"displayName": "U"}));
    fixture.application(&["RoleManagement.ReadWrite.Directory"]);
    let custom = json!({
        "displayName": "Support", "isEnabled": true,
        "rolePermissions": [{"allowedResourceActions": ["microsoft.directory/users/basic/update"]}]
    });
    let custom = fixture.post("/roleManagement/directory/roleDefinitions", &custom);
    let custom = custom.body["id"].as_str().unwrap();
    let assign = |template: &str, scope: &str| {
        let body = json!({"roleDefinitionId": template, "principalId": id(ADELE), "directoryScopeId": scope});
        fixture.post("/roleManagement/directory/roleAssignments", &body)
    };
    let scope = format!("/administrativeUnits/{own}");
    let listed = [
        "c4e39bd9-1100-46d3-8c65-fb160da0071f",
        "7698a772-787b-4ac8-901f-60d6b08affd2",
        "fdd7a751-b60b-444a-984c-02652fe8fa1c",
        "729827e3-9c14-49f7-bb1b-9608f156bbb8",
        "966707d0-3269-4727-9be2-8c3a10f19b9d",
        "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
        "fe930be7-5e62-47db-91af-98c3a49a38b1",
    ];
    for template in listed.into_iter().chain([custom]) {
        let assigned = assign(template, &scope);
        assert_eq!(assigned.status, 201, "{template}: {}", assigned.text);
    }
    let members = format!("{UNITS}/{own}/scopedRoleMembers");
    let templates = fixture.get("/directoryRoleTemplates");
    for template in templates.all("id") {
        if listed.contains(&template) {
            continue;
        }
        for scope in [&scope, &scope.to_ascii_uppercase()] {
            let rejected = assign(&template.to_ascii_uppercase(), scope);
            let expected = (400, "Request_BadRequest", MESSAGE);
            assert_eq!(rejected.error(), expected, "{template}");
        }
        // An error activates no role.
        let by_template = format!("/directoryRoles(roleTemplateId='{template}')");
        assert_eq!(fixture.get(&by_template).status, 404, "{template}");
        let role = fixture.post("/directoryRoles", &json!({"roleTemplateId": template}));
        let body = json!({"roleId": role.body["id"], "roleMemberInfo": {"id": id(ADELE)}});
        let rejected = fixture.post(&members, &body);
        let expected = (400, "Request_BadRequest", MESSAGE);
        assert_eq!(rejected.error(), expected, "{template}");
        assert_eq!(assign(template, "/").status, 201, "{template}");
    }
}

#[test]
fn invalid_scoped_role_members_are_rejected() {
    let mut fixture = writer();
    let own = create(&fixture, &json!({"displayName": "U"}));
    fixture.application(&["RoleManagement.ReadWrite.Directory"]);
    let template = "fe930be7-5e62-47db-91af-98c3a49a38b1";
    let role = fixture.post("/directoryRoles", &json!({"roleTemplateId": template}));
    let role = &role.body["id"];
    let list = format!("{UNITS}/{own}/scopedRoleMembers");
    for (body, status, message) in [
        (json!({}), 400, "'roleId'"),
        (json!({"roleId": role}), 400, "'roleMemberInfo'"),
        (
            json!({"roleId": 1, "roleMemberInfo": {"id": id(ADELE)}}),
            400,
            "'roleId'",
        ),
        (
            json!({"roleId": role, "roleMemberInfo": id(ADELE)}),
            400,
            "'roleMemberInfo'",
        ),
        (
            json!({"roleId": role, "roleMemberInfo": {"id": id(ADELE)}, "administrativeUnitId": own}),
            400,
            "read-only",
        ),
        (
            json!({"roleId": role, "roleMemberInfo": {"id": id(ADELE)}, "colour": 1}),
            400,
            "does not exist",
        ),
        (
            json!({"roleId": template, "roleMemberInfo": {"id": id(ADELE)}}),
            404,
            "does not exist",
        ),
        (
            json!({"roleId": role, "roleMemberInfo": {"id": id(999)}}),
            404,
            "does not exist",
        ),
        (
            json!({"roleId": role, "roleMemberInfo": {"id": id(ENGINEERS)}}),
            400,
            "roleMemberInfo",
        ),
    ] {
        let response = fixture.post(&list, &body);
        assert_eq!(response.status, status, "{body}: {}", response.text);
        assert!(response.error().2.contains(message), "{}", response.text);
    }
    fixture.application(&["AdministrativeUnit.ReadWrite.All", "Directory.Read.All"]);
    let body = json!({"roleId": role, "roleMemberInfo": {"id": id(ADELE)}});
    assert_eq!(fixture.post(&list, &body).status, 403);
    assert_eq!(fixture.get(&list).status, 200);
    fixture.application(&["AdministrativeUnit.ReadWrite.All"]);
    assert_eq!(fixture.get(&list).status, 403);
}
