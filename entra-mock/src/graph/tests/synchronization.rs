use super::*;

const RULE: &str = "03f7d90d-bf71-41b1-bda6-aaf0ddbee5d8";

fn writer() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&["Synchronization.ReadWrite.All", "AuditLog.Read.All"]);
    fixture
}

fn below(path: &str) -> String {
    format!("/servicePrincipals/{}/synchronization{path}", id(DESK))
}

fn create(fixture: &Fixture) -> String {
    let created = fixture.post(&below("/jobs"), &json!({"templateId": "scim"}));
    assert_eq!(created.status, 201, "{}", created.text);
    below(&format!("/jobs/{}", created.body["id"].as_str().unwrap()))
}

#[test]
fn a_job_is_created_disabled_started_paused_restarted_and_deleted() {
    let fixture = writer();
    assert_eq!(fixture.get(&below("/templates")).all("id"), ["scim"]);
    assert_eq!(
        fixture.get(&below("/templates/scim")).body["applicationId"],
        id(220)
    );
    let job = create(&fixture);
    let state = || {
        let read = fixture.get(&job);
        assert_eq!(read.status, 200, "{}", read.text);
        (
            read.body["schedule"]["state"].as_str().unwrap().to_owned(),
            read.body["status"]["code"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(state(), ("Disabled".into(), "NotConfigured".into()));
    assert_eq!(fixture.get(&below("/jobs")).all("templateId"), ["scim"]);
    let secrets = json!({"value": [{"key": "SecretToken", "value": "canary-of-scim"}]});
    let stored = fixture.write("PUT", &below("/secrets"), &secrets);
    assert_eq!(stored.status, 204, "{}", stored.text);
    assert_eq!(state().1, "NotRun");
    assert!(!fixture.snapshot().contains("canary-of-scim"));
    for (action, expected) in [
        ("start", "Active"),
        ("pause", "Paused"),
        ("start", "Active"),
    ] {
        let done = fixture.post(&format!("{job}/{action}"), &json!({}));
        assert_eq!(done.status, 204, "{}", done.text);
        assert_eq!(state(), (expected.into(), expected.into()));
    }
    let criteria = json!({"criteria": {"resetScope": "Watermark, Escrows, QuarantineState"}});
    assert_eq!(
        fixture.post(&format!("{job}/restart"), &criteria).status,
        204
    );
    let unknown = json!({"criteria": {"resetScope": "Everything"}});
    assert_eq!(
        fixture.post(&format!("{job}/restart"), &unknown).status,
        400
    );
    let schema = fixture.get(&format!("{job}/schema"));
    assert_eq!(schema.body["synchronizationRules"][0]["id"], RULE);
    assert_eq!(fixture.delete(&job).status, 204);
    assert_eq!(fixture.get(&job).status, 404);
    assert_eq!(fixture.delete(&job).status, 404);
    assert_eq!(
        fixture.post(&format!("{job}/start"), &json!({})).status,
        404
    );
    let log = fixture.get("/auditLogs/directoryAudits?$top=50");
    let names: Vec<_> = log.body["value"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["category"] == "ProvisioningManagement")
        .map(|entry| entry["activityDisplayName"].as_str().unwrap())
        .collect();
    assert_eq!(names[0], "Delete provisioning configuration");
    assert_eq!(names.last(), Some(&"Add provisioning configuration"));
    assert_eq!(names.len(), 7);
}

#[test]
fn a_job_takes_a_schedule_settings_and_a_whole_new_schema() {
    let fixture = writer();
    let (job, other) = (create(&fixture), create(&fixture));
    let change = json!({
        "schedule": {"interval": "PT1H", "state": "Active", "expiration": "2030-01-01T00:00:00Z"},
        "synchronizationJobSettings": [{"name": "AzureIngestionAttributeOptimization", "value": null}],
    });
    let changed = fixture.write("PATCH", &job, &change);
    assert_eq!(changed.status, 204, "{}", changed.text);
    let read = fixture.get(&job).body;
    assert_eq!(read["schedule"], change["schedule"]);
    assert_eq!(read["status"]["code"], "Active");
    assert_eq!(
        read["synchronizationJobSettings"],
        change["synchronizationJobSettings"]
    );
    let part = json!({"schedule": {"state": "Disabled"}});
    assert_eq!(fixture.write("PATCH", &job, &part).status, 204);
    let read = fixture.get(&job).body;
    assert_eq!(read["schedule"]["interval"], "PT1H");
    assert_eq!(read["status"]["code"], "Paused");

    let (target, untouched) = (format!("{job}/schema"), format!("{other}/schema"));
    let before = fixture.get(&untouched).body;
    let mut schema = fixture.get(&target).body;
    schema["directories"].as_array_mut().unwrap().truncate(1);
    schema.as_object_mut().unwrap().remove("@odata.context");
    assert_eq!(fixture.write("PUT", &target, &schema).status, 204);
    let replaced = fixture.get(&target).body;
    assert_eq!(replaced["directories"], schema["directories"]);
    assert_ne!(replaced["version"], schema["version"]);
    assert_eq!(fixture.get(&untouched).body, before);
    assert_eq!(fixture.delete(&job).status, 204);
    assert_eq!(fixture.get(&target).status, 404);

    let before = fixture.snapshot();
    for (method, target, body) in [
        ("PATCH", &other, json!({"status": {}})),
        ("PATCH", &other, json!({"schedule": {"state": "Sleeping"}})),
        ("PATCH", &other, json!({"schedule": {"interval": 5}})),
        ("PATCH", &other, json!({"schedule": {"expiration": "soon"}})),
        (
            "PATCH",
            &other,
            json!({"synchronizationJobSettings": [{"value": "x"}]}),
        ),
        ("PUT", &untouched, json!({"directories": []})),
        (
            "PUT",
            &untouched,
            json!({"directories": [{}], "synchronizationRules": []}),
        ),
    ] {
        let response = fixture.write(method, target, &body);
        assert_eq!(response.status, 400, "{body}");
    }
    assert_eq!(fixture.write("PUT", &target, &schema).status, 404);
    assert_eq!(fixture.snapshot(), before);
    let mut fixture = fixture;
    fixture.application(&["Application.ReadWrite.OwnedBy"]);
    assert_eq!(fixture.write("PATCH", &other, &part).status, 403);
}

/// It is that of the jobs that are created afterwards.
#[test]
fn the_schema_of_a_template_is_replaced_at_its_application() {
    let fixture = writer();
    let templates = format!("/applications/{}/synchronization/templates", id(DESK_APP));
    assert_eq!(fixture.get(&templates).all("id"), ["scim"]);
    let (one, target) = (
        format!("{templates}/scim"),
        format!("{templates}/scim/schema"),
    );
    assert_eq!(fixture.get(&one).body["applicationId"], id(220));
    let before = create(&fixture);
    let mut schema = fixture.get(&target).body;
    let context = schema["@odata.context"].as_str().unwrap().to_owned();
    assert!(context.contains("#applications('"), "{context}");
    schema["directories"].as_array_mut().unwrap().truncate(1);
    schema.as_object_mut().unwrap().remove("@odata.context");
    let replaced = fixture.write("PUT", &target, &schema);
    assert_eq!(replaced.status, 204, "{}", replaced.text);
    let after = create(&fixture);
    for (path, directories) in [
        (&target, 1),
        (&below("/templates/scim/schema"), 1),
        (&format!("{after}/schema"), 1),
        (&format!("{before}/schema"), 2),
    ] {
        let read = fixture.get(path).body;
        let listed = read["directories"].as_array().unwrap().len();
        assert_eq!(listed, directories, "{path}");
    }
    let snapshot = fixture.snapshot();
    let absent = format!("{templates}/absent");
    assert_eq!(fixture.get(&absent).status, 404);
    let absent = fixture.write("PUT", &format!("{absent}/schema"), &schema);
    assert_eq!(absent.status, 404);
    let incomplete = fixture.write("PUT", &target, &json!({"directories": []}));
    assert_eq!(incomplete.status, 400);
    let jobs = format!("/applications/{}/synchronization/jobs", id(DESK_APP));
    assert_eq!(fixture.get(&jobs).status, 501);
    let mut fixture = fixture;
    for permission in ["Synchronization.Read.All", "Application.ReadWrite.OwnedBy"] {
        fixture.application(&[permission]);
        let denied = fixture.write("PUT", &target, &schema);
        assert_eq!(denied.status, 403, "{permission}");
    }
    assert_eq!(fixture.snapshot(), snapshot);
}

#[test]
fn a_user_is_provisioned_on_demand() {
    let fixture = writer();
    let job = create(&fixture);
    let target = format!("{job}/provisionOnDemand");
    let body = |user: &str, rule: &str| json!({"parameters": [{"ruleId": rule, "subjects": [{"objectId": user, "objectTypeName": "User"}]}]});
    let result = |user: &str| -> Value {
        let response = fixture.post(&target, &body(user, RULE));
        assert_eq!(response.status, 200, "{}", response.text);
        serde_json::from_str(response.body["key"].as_str().unwrap()).unwrap()
    };
    assert_eq!(result(&id(ADELE))["result"], "Success");
    assert_eq!(result(&id(404))["result"], "Failure");
    for body in [
        json!({}),
        json!({"parameters": []}),
        json!({"parameters": [{"ruleId": RULE}]}),
        json!({"parameters": [{"ruleId": RULE, "subjects": [{"objectId": 5}]}]}),
        body(&id(ADELE), "other"),
    ] {
        assert_eq!(fixture.post(&target, &body).status, 400, "{body}");
    }
}

#[test]
fn invalid_bodies_change_nothing() {
    let fixture = writer();
    let before = fixture.snapshot();
    for (method, path, body) in [
        ("POST", "/jobs", json!({})),
        ("POST", "/jobs", json!({"templateId": "other"})),
        ("POST", "/jobs", json!({"templateId": "scim", "colour": 1})),
        ("PUT", "/secrets", json!({})),
        ("PUT", "/secrets", json!({"value": [{"value": "x"}]})),
        ("POST", "/acquireAccessToken", json!({"credentials": []})),
    ] {
        let response = fixture.write(method, &below(path), &body);
        assert_eq!(response.status, 400, "{path} {body}");
    }
    assert_eq!(fixture.get(&below("/colours")).status, 501);
    assert_eq!(fixture.get(&below("/jobs/none")).status, 404);
    assert_eq!(fixture.snapshot(), before);
}

#[test]
fn provisioning_takes_its_permission_or_the_ownership_of_the_application() {
    let mut fixture = writer();
    let job = create(&fixture);
    let start = format!("{job}/start");
    for (roles, read, write) in [
        (&["Synchronization.Read.All"][..], 200, 403),
        (&["Synchronization.ReadWrite.All"], 200, 204),
        (&["Application.ReadWrite.OwnedBy"], 200, 403),
        (&["Application.ReadWrite.All"], 403, 403),
    ] {
        fixture.application(roles);
        fixture.caller.service_principal_id = Some(id(77));
        assert_eq!(fixture.get(&job).status, read, "{roles:?}");
        assert_eq!(fixture.post(&start, &json!({})).status, write, "{roles:?}");
    }
    fixture.application(&["Application.ReadWrite.OwnedBy"]);
    fixture.caller.service_principal_id = Some(id(BO));
    fixture
        .state()
        .store
        .link(Relation::Owners, &id(DESK), &id(BO));
    assert_eq!(fixture.post(&start, &json!({})).status, 204);
    // Adele owns the service principal of the fixture.
    fixture.adele(&["Synchronization.ReadWrite.All"]);
    assert_eq!(fixture.post(&start, &json!({})).status, 204);
    fixture
        .state()
        .store
        .unlink(Relation::Owners, &id(DESK), &id(ADELE));
    assert_eq!(fixture.post(&start, &json!({})).status, 403);
}
