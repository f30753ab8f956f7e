use super::*;

#[test]
fn objects_of_any_type_are_found_by_ids_and_unknown_ids_are_omitted() {
    let mut fixture = Fixture::new();
    fixture.application(&["Directory.Read.All"]);
    let ids = json!({"ids": [id(LAPTOP), id(ADELE), id(800), id(ADELE), id(ENGINEERS)]});
    let found = fixture.post("/directoryObjects/getByIds", &ids);
    assert_eq!(found.status, 200, "{}", found.text);
    assert_eq!(found.all("id"), [id(LAPTOP), id(ADELE), id(ENGINEERS)]);
    assert_eq!(
        found.body["value"][1]["@odata.type"],
        "#microsoft.graph.user"
    );
    assert_eq!(found.body["value"][1]["displayName"], "Adele");
    assert_eq!(found.body["value"][1]["department"], Value::Null);
    let users = json!({"ids": [id(LAPTOP), id(ADELE)], "types": ["user"]});
    assert_eq!(
        fixture.post("/directoryObjects/getByIds", &users).all("id"),
        [id(ADELE)]
    );
    let every = json!({"ids": [id(LAPTOP)], "types": ["user", "directoryObject"]});
    assert_eq!(
        fixture.post("/directoryObjects/getByIds", &every).all("id"),
        [id(LAPTOP)]
    );
}

#[test]
fn an_object_of_any_type_is_deleted_with_the_permission_of_its_type() {
    let mut fixture = Fixture::new();
    let types = [
        ("User.ReadWrite.All", BO),
        ("Group.ReadWrite.All", ENGINEERS),
        ("Application.ReadWrite.All", DESK),
    ];
    for (permission, number) in types {
        let target = format!("/directoryObjects/{}", id(number));
        let others = types.map(|(other, _)| other);
        let others: Vec<&str> = others
            .into_iter()
            .filter(|other| *other != permission)
            .collect();
        fixture.application(&others);
        assert_eq!(fixture.delete(&target).status, 403, "{permission}");
        fixture.application(&[permission]);
        let deleted = fixture.delete(&target);
        assert_eq!(deleted.status, 204, "{permission}: {}", deleted.text);
        assert_eq!(fixture.delete(&target).status, 404, "{permission}");
    }
    // Without any of them, not even existence is told.
    fixture.application(&["Directory.ReadWrite.All", "User.DeleteRestore.All"]);
    let unknown = format!("/directoryObjects/{}", id(800));
    assert_eq!(fixture.delete(&unknown).status, 403);
}

#[test]
fn get_by_ids_rejects_invalid_ids_and_types() {
    let mut fixture = Fixture::new();
    fixture.application(&["Directory.Read.All"]);
    let many: Vec<String> = (0..1_001).map(|number| id(10_000 + number)).collect();
    for body in [
        json!({}),
        json!({"ids": []}),
        json!({"ids": ["x"]}),
        json!({"ids": "x"}),
        json!({"ids": many}),
        json!({"ids": [id(ADELE)], "types": ["planet"]}),
        json!({"ids": [id(ADELE)], "other": 1}),
    ] {
        let response = fixture.post("/directoryObjects/getByIds", &body);
        assert_eq!(response.status, 400, "{body}");
    }
    assert_eq!(
        fixture
            .post("/directoryObjects/getByIds", &json!({"ids": many[..1_000]}))
            .status,
        200
    );
    let with_type = json!({"ids": [id(ADELE)], "types": ["user"], "type": 1});
    let found = fixture.post("/directoryObjects/getByIds", &with_type);
    assert_eq!(found.all("id"), [id(ADELE)]);
    fixture.application(&["User.Read.All"]);
    let denied = fixture.post("/directoryObjects/getByIds", &json!({"ids": [id(ADELE)]}));
    assert_eq!(denied.status, 403);
    assert_eq!(fixture.get("/directoryObjects/getByIds").status, 405);
}

#[test]
fn actions_of_other_collections_are_not_supported_and_no_wrong_methods() {
    let mut fixture = Fixture::new();
    fixture.application(&["Directory.ReadWrite.All", "Group.ReadWrite.All"]);
    for path in [
        "/users/getByIds",
        "/groups/getByIds",
        "/servicePrincipals/microsoft.graph.getByIds",
        "/groups/validateProperties",
        "/users/getAvailableExtensionProperties",
    ] {
        let response = fixture.post(path, &json!({"ids": [id(ADELE)]}));
        assert_eq!(response.status, 501, "{path}: {}", response.text);
    }
}

#[test]
fn an_alias_that_another_group_has_is_a_conflict() {
    let mut fixture = Fixture::new();
    fixture.application(&["Group.ReadWrite.All"]);
    let group = json!({
        "displayName": "Buyers", "mailNickname": "buyers", "mailEnabled": false, "securityEnabled": true
    });
    let created = fixture.post("/groups", &group);
    let own = created.body["id"].as_str().unwrap();
    let before = fixture.snapshot();
    let names =
        |alias: &str| json!({"entityType": "Group", "displayName": "B", "mailNickname": alias});
    let validate = |body: &Value| fixture.post("/directoryObjects/validateProperties", body);
    assert_eq!(validate(&names("sellers")).status, 204);
    let taken = validate(&names("BUYERS"));
    assert_eq!(
        (taken.status, taken.error().1),
        (422, "Request_UnprocessableEntity")
    );
    assert_eq!(
        taken.body["error"]["details"][0]["code"],
        "PropertyConflict"
    );
    assert_eq!(taken.body["error"]["details"][0]["target"], "mailNickname");
    assert_eq!(validate(&json!({"mailNickname": "x"})).status, 400);
    assert_eq!(validate(&json!({"entityType": "User"})).status, 400);
    assert_eq!(
        validate(&json!({"entityType": "Group", "mailNickname": 7})).status,
        400
    );
    let user = json!({"entityType": "Group", "onBehalfOfUserId": id(800)});
    assert_eq!(validate(&user).status, 404);

    let existing = |number: &str, alias: &str| {
        let target = format!("/groups/{number}/validateProperties");
        fixture
            .post(&target, &json!({"mailNickname": alias}))
            .status
    };
    assert_eq!(existing(own, "buyers"), 204);
    assert_eq!(existing(&id(ENGINEERS), "buyers"), 422);
    assert_eq!(existing(&id(800), "buyers"), 404);
    assert_eq!(fixture.snapshot(), before);
}

#[test]
fn license_details_have_the_plans_of_each_license() {
    let mut fixture = Fixture::new();
    let plans = json!([
        {"servicePlanId": id(93), "servicePlanName": "ON", "appliesTo": "User", "provisioningStatus": "Success"},
        {"servicePlanId": id(94), "servicePlanName": "OFF", "appliesTo": "User", "provisioningStatus": "Success"}
    ]);
    fixture
        .state()
        .store
        .update(Kind::SubscribedSku, "sku-1", |sku| {
            sku.insert("servicePlans".to_owned(), plans);
        });
    let licences = json!([{"skuId": id(90), "disabledPlans": [id(94)]}]);
    fixture
        .state()
        .store
        .update(Kind::User, &id(ADELE), |user| {
            user.insert("assignedLicenses".to_owned(), licences);
        });
    fixture.application(&["LicenseAssignment.Read.All"]);
    let details = fixture.get("/users/adele@contoso.com/licenseDetails");
    assert_eq!(details.status, 200, "{}", details.text);
    assert_eq!(details.all("skuPartNumber"), ["AAD_PREMIUM_P2"]);
    let plans = &details.body["value"][0]["servicePlans"];
    assert_eq!(plans[0]["provisioningStatus"], "Success");
    assert_eq!(plans[1]["provisioningStatus"], "Disabled");
    let selected = fixture.get("/users/adele@contoso.com/licenseDetails?$select=skuId");
    assert_eq!(selected.body["value"], json!([{"skuId": id(90)}]));
    assert_eq!(
        fixture
            .get("/users/adele@contoso.com/licenseDetails?$select=x")
            .status,
        400
    );
    assert_eq!(
        fixture.get("/users/bo@contoso.com/licenseDetails").body["value"],
        json!([])
    );
    fixture.adele(&["User.Read"]);
    assert_eq!(fixture.get("/me/licenseDetails").all("skuId"), [id(90)]);
    assert_eq!(
        fixture.get("/users/bo@contoso.com/licenseDetails").status,
        403
    );
}
