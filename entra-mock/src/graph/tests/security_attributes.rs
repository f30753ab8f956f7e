use super::*;

const SETS: &str = "/directory/attributeSets";
const DEFINITIONS: &str = "/directory/customSecurityAttributeDefinitions";
const BODY_TYPE: &str = "#Microsoft.DirectoryServices.CustomSecurityAttributeValue";

fn writer() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&[
        "CustomSecAttributeDefinition.ReadWrite.All",
        "CustomSecAttributeAssignment.ReadWrite.All",
        "User.Read.All",
        "AuditLog.Read.All",
    ]);
    assert_eq!(
        fixture
            .post(SETS, &json!({"id": "Engineering", "description": "d"}))
            .status,
        201
    );
    fixture
}

fn definition(name: &str, value_type: &str, many: bool, predefined: bool) -> Value {
    json!({
        "attributeSet": "Engineering", "name": name, "type": value_type, "isCollection": many, "isSearchable": true,
        "status": "Available", "usePreDefinedValuesOnly": predefined
    })
}

fn assign(fixture: &Fixture, values: &Value) -> Response {
    let mut set = json!({"@odata.type": BODY_TYPE});
    for (name, value) in values.as_object().unwrap() {
        set[name] = value.clone();
    }
    let body = json!({"customSecurityAttributes": {"Engineering": set}});
    fixture.patch(&format!("/users/{}", id(ADELE)), &body)
}

fn assigned(fixture: &Fixture) -> Value {
    let target = format!("/users/{}?$select=customSecurityAttributes", id(ADELE));
    fixture.get(&target).body["customSecurityAttributes"].clone()
}

#[test]
fn sets_are_created_listed_and_changed_but_not_deleted() {
    let fixture = writer();
    let one = format!("{SETS}/Engineering");
    assert_eq!(fixture.get(&one).body["maxAttributesPerSet"], 25);
    assert_eq!(
        fixture
            .patch(
                &one,
                &json!({"description": "new", "maxAttributesPerSet": 30})
            )
            .status,
        204
    );
    assert_eq!(fixture.get(SETS).all("description"), ["new"]);
    for (body, message) in [
        (json!({}), "'id'"),
        (json!({"id": "two words"}), "'id'"),
        (json!({"id": "a".repeat(33)}), "'id'"),
        (json!({"id": "Engineering"}), "already exists"),
        (
            json!({"id": "Other", "maxAttributesPerSet": 0}),
            "'maxAttributesPerSet'",
        ),
        (json!({"id": "Other", "colour": "red"}), "does not exist"),
    ] {
        let response = fixture.post(SETS, &body);
        assert_eq!(response.status, 400, "{body}: {}", response.text);
        assert!(response.error().2.contains(message), "{}", response.text);
    }
    assert_eq!(fixture.patch(&one, &json!({"id": "Other"})).status, 400);
    assert_eq!(fixture.delete(&one).status, 405);
    assert_eq!(fixture.get(&format!("{SETS}/Unknown")).status, 404);
}

#[test]
fn definitions_have_a_type_a_set_and_predefined_values() {
    let fixture = writer();
    let mut project = definition("Project", "String", true, true);
    project["allowedValues"] =
        json!([{"id": "Baker", "isActive": true}, {"id": "Cascade", "isActive": false}]);
    let created = fixture.post(DEFINITIONS, &project);
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.body["id"], "Engineering_Project");
    assert_eq!(created.body.get("allowedValues"), None);
    let log = fixture.get("/auditLogs/directoryAudits");
    let newest = &log.body["value"][0];
    assert_eq!(newest["targetResources"][0]["id"], "Engineering_Project");
    let one = format!("{DEFINITIONS}/Engineering_Project");
    let expanded = fixture.get(&format!("{one}?$expand=allowedValues"));
    assert_eq!(
        expanded.body["allowedValues"][0],
        json!({"id": "Baker", "isActive": true})
    );
    let values = format!("{one}/allowedValues");
    assert_eq!(fixture.get(&values).all("id"), ["Baker", "Cascade"]);
    let apollo = json!({"id": "Apollo", "isActive": true});
    let added = fixture.post(&values, &apollo);
    assert_eq!(
        (added.status, &added.body["id"]),
        (201, &json!("Apollo")),
        "{}",
        added.text
    );
    assert_eq!(fixture.post(&values, &apollo).status, 400, "a second time");
    assert_eq!(
        fixture
            .patch(&format!("{values}/Cascade"), &json!({"isActive": true}))
            .status,
        204
    );
    assert_eq!(
        fixture.get(&format!("{values}/Cascade")).body["isActive"],
        true
    );
    assert_eq!(fixture.get(&format!("{values}/Unknown")).status, 404);
    assert_eq!(fixture.delete(&format!("{values}/Cascade")).status, 405);

    let mut unknown_set = definition("Other", "String", false, false);
    unknown_set["attributeSet"] = "Unknown".into();
    for (body, status) in [
        (project, 400),
        (unknown_set, 404),
        (definition("Other", "Date", false, false), 400),
        (definition("Other", "Boolean", true, false), 400),
        (definition("Other", "Boolean", false, true), 400),
        (definition("two words", "String", false, false), 400),
        (json!({"attributeSet": "Engineering", "name": "Other"}), 400),
    ] {
        let response = fixture.post(DEFINITIONS, &body);
        assert_eq!(response.status, status, "{body}: {}", response.text);
    }
    let strict = definition("Level", "Integer", false, false);
    assert_eq!(fixture.post(DEFINITIONS, &strict).status, 201);
    let level = format!("{DEFINITIONS}/Engineering_Level");
    assert_eq!(
        fixture
            .patch(&level, &json!({"usePreDefinedValuesOnly": true}))
            .status,
        400
    );
    assert_eq!(
        fixture.patch(&level, &json!({"type": "String"})).status,
        400
    );
    assert_eq!(
        fixture
            .patch(&level, &json!({"status": "Deprecated"}))
            .status,
        204
    );
    let filter = "attributeSet eq 'Engineering' and status eq 'Available'";
    assert_eq!(
        fixture
            .get(&format!("{DEFINITIONS}?$filter={filter}"))
            .all("name"),
        ["Project"]
    );
    let log = fixture.get("/auditLogs/directoryAudits");
    assert!(
        log.all("activityDisplayName")
            .contains(&"Add custom security attribute definition in an attribute set")
    );
}

#[test]
fn values_of_users_have_the_defined_type_and_are_merged() {
    let fixture = writer();
    let mut project = definition("Project", "String", true, true);
    project["allowedValues"] =
        json!([{"id": "Baker", "isActive": true}, {"id": "Cascade", "isActive": false}]);
    for body in [
        project,
        definition("Cost", "Integer", false, false),
        definition("Date", "String", false, false),
        definition("Certified", "Boolean", false, false),
    ] {
        assert_eq!(fixture.post(DEFINITIONS, &body).status, 201);
    }
    assert_eq!(assigned(&fixture), Value::Null);
    let values = json!({
        "Project@odata.type": "#Collection(String)", "Project": ["Baker"], "Cost@odata.type": "#Int32", "Cost": 4, "Date": "2026-01-01"
    });
    let response = assign(&fixture, &values);
    assert_eq!(response.status, 204, "{}", response.text);
    assert_eq!(
        assign(&fixture, &json!({"Certified": true, "Date": null})).status,
        204
    );
    assert_eq!(
        assigned(&fixture)["Engineering"],
        json!({
            "@odata.type": "#microsoft.graph.customSecurityAttributeValue", "Project@odata.type": "#Collection(String)",
            "Project": ["Baker"], "Cost@odata.type": "#Int32", "Cost": 4, "Certified": true
        })
    );
    for invalid in [
        json!({"Unknown": "x"}),
        json!({"Cost": 4}),
        json!({"Cost@odata.type": "#Int32", "Cost": "4"}),
        json!({"Certified": "yes"}),
        json!({"Date": 1}),
        json!({"Date": ["x"]}),
        json!({"Project@odata.type": "#Collection(String)", "Project": "Baker"}),
        json!({"Project": ["Baker"]}),
        json!({"Project@odata.type": "#Collection(String)", "Project": ["Cascade"]}),
        json!({"Project@odata.type": "#Collection(String)", "Project": ["Apollo"]}),
        json!({"Project": null}),
    ] {
        assert_eq!(assign(&fixture, &invalid).status, 400, "{invalid}");
    }
    let untyped = json!({"customSecurityAttributes": {"Engineering": {"Date": "x"}}});
    assert_eq!(
        fixture
            .patch(&format!("/users/{}", id(ADELE)), &untyped)
            .status,
        400
    );
    let rest = json!({"Project@odata.type": "#Collection(String)", "Project": [], "Cost": null, "Certified": null});
    assert_eq!(assign(&fixture, &rest).status, 204);
    assert_eq!(assigned(&fixture), json!({}));
}

#[test]
fn an_application_that_assigns_attributes_of_service_principals_writes_nothing_else() {
    let mut fixture = writer();
    let date = definition("Date", "String", false, false);
    assert_eq!(fixture.post(DEFINITIONS, &date).status, 201);
    let path = format!("/servicePrincipals/{}", id(DESK));
    let attributes = json!({"Engineering": {"@odata.type": BODY_TYPE, "Date": "2026-01-01"}});
    let alone = json!({"customSecurityAttributes": attributes});
    let with_notes = json!({"customSecurityAttributes": attributes, "notes": "n"});
    let notes = json!({"notes": "n"});
    let assigns = "CustomSecAttributeAssignment.ReadWrite.All";
    for (permissions, statuses) in [
        (&[assigns][..], [403, 403, 403]),
        (&[assigns, "Application.Read.All"], [204, 403, 403]),
        (&[assigns, "Application.ReadWrite.All"], [204, 204, 204]),
        // It covers every application, and only the attributes of those of another owner.
        (
            &[
                assigns,
                "Application.Read.All",
                "Application.ReadWrite.OwnedBy",
            ],
            [204, 403, 403],
        ),
        (&["Application.ReadWrite.All"], [403, 403, 204]),
    ] {
        fixture.application(permissions);
        let found = [&alone, &with_notes, &notes].map(|body| fixture.patch(&path, body).status);
        assert_eq!(found, statuses, "{permissions:?}");
    }
    // Adele owns the service principal, and Bo neither owns it nor has a role.
    for (user, status) in [(ADELE, 204), (BO, 403)] {
        fixture.adele(&[assigns, "Application.Read.All"]);
        fixture.caller.user_id = Some(id(user));
        assert_eq!(fixture.patch(&path, &alone).status, status, "{user}");
    }
}

#[test]
fn users_are_filtered_by_attributes_in_advanced_queries() {
    let mut fixture = writer();
    assert_eq!(
        fixture
            .post(DEFINITIONS, &definition("Date", "String", false, false))
            .status,
        201
    );
    assert_eq!(assign(&fixture, &json!({"Date": "2026-01-01"})).status, 204);
    let filter = "customSecurityAttributes/Engineering/Date eq '2026-01-01'";
    let target = format!("/users?$count=true&$filter={filter}");
    assert_eq!(fixture.eventual(&target).all("id"), [id(ADELE)]);
    let start =
        "/users?$count=true&$filter=startswith(customSecurityAttributes/Engineering/Date,'2026')";
    assert_eq!(fixture.eventual(start).all("id"), [id(ADELE)]);
    let others =
        "/users?$count=true&$filter=customSecurityAttributes/Engineering/Date ne '2026-01-01'";
    assert!(
        !fixture
            .eventual(others)
            .all("id")
            .contains(&id(ADELE).as_str())
    );
    assert_eq!(fixture.get(&format!("/users?$filter={filter}")).status, 400);
    fixture.application(&["User.Read.All"]);
    assert_eq!(fixture.eventual(&target).status, 403);
}

#[test]
fn attributes_of_a_new_object_take_their_permission() {
    let mut fixture = writer();
    assert_eq!(
        fixture
            .post(DEFINITIONS, &definition("Date", "String", false, false))
            .status,
        201
    );
    let values = json!({"Engineering": {"@odata.type": BODY_TYPE, "Date": "2026-01-01"}});
    let mut user = super::users::new_user();
    user["customSecurityAttributes"] = values.clone();
    let app = json!({"id": id(801), "appId": id(802), "displayName": "Other"});
    let app = app.as_object().cloned().unwrap();
    fixture
        .state()
        .store
        .insert(Kind::Application, app)
        .unwrap();
    let principal = json!({"appId": id(802), "customSecurityAttributes": values});
    let assign = "CustomSecAttributeAssignment.ReadWrite.All";
    for (target, body, permission) in [
        ("/users", &user, "User.ReadWrite.All"),
        (
            "/servicePrincipals",
            &principal,
            "Application.ReadWrite.All",
        ),
    ] {
        fixture.application(&[permission]);
        let before = fixture.snapshot();
        let response = fixture.post(target, body);
        assert_eq!(response.status, 403, "{target}: {}", response.text);
        assert_eq!(fixture.snapshot(), before, "{target}");
        if target == "/servicePrincipals" {
            let upsert = format!("{target}(appId='{}')", id(802));
            let headers = [
                ("content-type", "application/json"),
                ("prefer", "create-if-missing"),
            ];
            let mut upsert = request("PATCH", &upsert, &headers);
            upsert.body = body.to_string().into_bytes();
            assert_eq!(fixture.send(&upsert).status, 403);
        }
        fixture.application(&[permission, assign]);
        let response = fixture.post(target, body);
        assert_eq!(response.status, 201, "{target}: {}", response.text);
    }
}

#[test]
fn attributes_are_null_and_fixed_without_their_permission() {
    let mut fixture = writer();
    assert_eq!(
        fixture
            .post(DEFINITIONS, &definition("Date", "String", false, false))
            .status,
        201
    );
    assert_eq!(assign(&fixture, &json!({"Date": "2026-01-01"})).status, 204);
    fixture.application(&["User.ReadWrite.All"]);
    assert_eq!(assigned(&fixture), Value::Null);
    let listed = fixture.get("/users?$select=id,customSecurityAttributes");
    assert!(!listed.text.contains("2026-01-01"), "{}", listed.text);
    let expanded = fixture.get("/users?$expand=manager($select=id,customSecurityAttributes)");
    assert!(!expanded.text.contains("2026-01-01"), "{}", expanded.text);
    for path in ["/users/delta", "/directoryObjects/delta"] {
        fixture.application(&["User.Read.All", "Directory.Read.All"]);
        let target = format!("{path}?$select=customSecurityAttributes,jobTitle");
        let changes = fixture.get(&target);
        assert_eq!(changes.status, 200, "{}", changes.text);
        assert!(!changes.text.contains("2026-01-01"), "{}", changes.text);
        fixture.application(&[
            "User.Read.All",
            "Directory.Read.All",
            "CustomSecAttributeAssignment.Read.All",
        ]);
        let changes = fixture.get(&target);
        assert!(changes.text.contains("2026-01-01"), "{}", changes.text);
    }
    fixture.application(&["User.ReadWrite.All"]);
    assert_eq!(assign(&fixture, &json!({"Date": "2027-01-01"})).status, 403);
    fixture.application(&["CustomSecAttributeAssignment.ReadWrite.All"]);
    assert_eq!(
        assign(&fixture, &json!({"Date": "2027-01-01"})).status,
        403,
        "users cannot be read"
    );
    fixture.application(&["CustomSecAttributeAssignment.Read.All", "User.Read.All"]);
    assert_eq!(assigned(&fixture)["Engineering"]["Date"], "2026-01-01");
    assert_eq!(assign(&fixture, &json!({"Date": "2027-01-01"})).status, 403);
    assert_eq!(fixture.get(SETS).status, 403);
    fixture.application(&["CustomSecAttributeDefinition.Read.All"]);
    assert_eq!(fixture.get(SETS).status, 200);
    assert_eq!(fixture.post(SETS, &json!({"id": "Other"})).status, 403);
}

#[test]
fn delta_does_not_tell_that_hidden_attributes_changed() {
    let mut fixture = writer();
    let date = definition("Date", "String", false, false);
    assert_eq!(fixture.post(DEFINITIONS, &date).status, 201);
    let latest = fixture.get("/users/delta?$deltatoken=latest");
    let link = latest.body["@odata.deltaLink"].as_str().unwrap();
    let link = link.strip_prefix("https://tenant.test/v1.0").unwrap();
    assert_eq!(assign(&fixture, &json!({"Date": "2026-01-01"})).status, 204);
    assert_eq!(fixture.get(link).all("id"), [id(ADELE)]);
    fixture.application(&["User.Read.All"]);
    let hidden = fixture.get(link);
    assert_eq!(hidden.status, 200, "{}", hidden.text);
    assert_eq!(hidden.body["value"], json!([]));
}
