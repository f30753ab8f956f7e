use super::*;

/// A tenant with some units of one product, and two users with a usage location.
fn fixture(units: u32) -> Fixture {
    let mut fixture = Fixture::new();
    let state = fixture.state();
    state.store.update(Kind::SubscribedSku, "sku-1", |sku| {
        sku.insert("prepaidUnits".into(), json!({"enabled": units}));
        sku.insert("consumedUnits".into(), json!(0));
        let plans = json!([{"servicePlanId": id(95)}, {"servicePlanId": id(96)}]);
        sku.insert("servicePlans".into(), plans);
    });
    state.store.update(Kind::User, &id(ADELE), |user| {
        user.remove("assignedLicenses");
    });
    for user in [ADELE, BO, CLEO] {
        state.store.update(Kind::User, &id(user), |user| {
            user.insert("usageLocation".into(), json!("DE"));
        });
    }
    fixture.application(&[
        "User.ReadWrite.All",
        "User.DeleteRestore.All",
        "Group.ReadWrite.All",
        "LicenseAssignment.ReadWrite.All",
        "Organization.Read.All",
    ]);
    fixture
}

fn used(fixture: &Fixture) -> Value {
    fixture.get("/subscribedSkus").body["value"][0]["consumedUnits"].clone()
}

fn send(fixture: &Fixture, target: &str, add: &Value, remove: &Value) -> Response {
    let body = json!({"addLicenses": add, "removeLicenses": remove});
    fixture.post(&format!("{target}/assignLicense"), &body)
}

fn licence() -> Value {
    json!([{"skuId": id(90), "disabledPlans": []}])
}

fn user(number: u32) -> String {
    format!("/users/{}", id(number))
}

/// The licences of a user, and the groups that its states name.
fn held(fixture: &Fixture, number: u32) -> (Value, Vec<Value>) {
    let properties = "assignedLicenses,licenseAssignmentStates";
    let read = fixture.get(&format!("{}?$select={properties}", user(number)));
    assert_eq!(read.status, 200, "{}", read.text);
    let states = read.body["licenseAssignmentStates"].as_array().unwrap();
    let groups = states.iter().map(|state| state["assignedByGroup"].clone());
    (read.body["assignedLicenses"].clone(), groups.collect())
}

#[test]
fn unknown_parameters_of_assign_license_are_rejected() {
    let fixture = fixture(5);
    let target = format!("{}/assignLicense", user(BO));
    for body in [
        json!({"addLicenses": [], "removeLicenses": [], "x": 1}),
        json!({"addLicenses": [{"skuId": id(90), "disabledPlan": [id(95)]}], "removeLicenses": []}),
        json!({"addLicenses": [{"skuId": id(90), "disabledPlans": "x"}], "removeLicenses": []}),
        json!({"addLicenses": [id(90)], "removeLicenses": []}),
    ] {
        let before = fixture.snapshot();
        let response = fixture.post(&target, &body);
        assert_eq!(response.status, 400, "{body}: {}", response.text);
        assert_eq!(fixture.snapshot(), before, "{body}");
    }
}

#[test]
fn licences_of_a_group_follow_its_membership() {
    let fixture = fixture(5);
    let testers = format!("/groups/{}", id(TESTERS));
    assert_eq!(send(&fixture, &testers, &licence(), &json!([])).status, 202);
    // Bo is a member, and Adele only of a group in it.
    assert_eq!(held(&fixture, BO), (licence(), vec![json!(id(TESTERS))]));
    assert_eq!(held(&fixture, ADELE), (json!([]), vec![]));
    assert_eq!(used(&fixture), 1);
    let cleo = json!({"@odata.id": format!("https://x/v1.0/users/{}", id(CLEO))});
    assert_eq!(
        fixture
            .post(&format!("{testers}/members/$ref"), &cleo)
            .status,
        204
    );
    assert_eq!(held(&fixture, CLEO), (licence(), vec![json!(id(TESTERS))]));
    assert_eq!(used(&fixture), 2);
    let member = format!("{testers}/members/{}/$ref", id(CLEO));
    assert_eq!(fixture.delete(&member).status, 204);
    assert_eq!(held(&fixture, CLEO), (json!([]), vec![]));
    assert_eq!(used(&fixture), 1);
    assert_eq!(
        send(&fixture, &testers, &json!([]), &json!([id(90)])).status,
        202
    );
    assert_eq!(held(&fixture, BO), (json!([]), vec![]));
    assert_eq!(used(&fixture), 0);
}

#[test]
fn an_inherited_licence_stays_inherited_and_cannot_be_removed_directly() {
    let mut fixture = fixture(5);
    let other = json!({"id": "sku-2", "skuId": id(92), "skuPartNumber": "EMS"});
    let other = other.as_object().cloned().unwrap();
    let store = &mut fixture.state().store;
    store.insert(Kind::SubscribedSku, other).unwrap();
    let testers = format!("/groups/{}", id(TESTERS));
    let off = json!([{"skuId": id(90), "disabledPlans": [id(95), id(96)]}]);
    send(&fixture, &testers, &off, &json!([]));
    assert_eq!(
        send(&fixture, &user(BO), &json!([{"skuId": id(92)}]), &json!([])).status,
        200
    );
    assert_eq!(
        held(&fixture, BO).1,
        [Value::Null, json!(id(TESTERS))],
        "the other licence is direct"
    );
    let removed = send(&fixture, &user(BO), &json!([]), &json!([id(90)]));
    assert_eq!(removed.status, 400);
    assert!(removed.error().2.contains("inherited"), "{}", removed.text);
    // A plan is on if one of the sources has it on. The unit is consumed once.
    let one_off = json!([{"skuId": id(90), "disabledPlans": [id(95)]}]);
    assert_eq!(
        send(&fixture, &user(BO), &one_off, &json!([id(92)])).status,
        200
    );
    assert_eq!(held(&fixture, BO).0, one_off);
    assert_eq!(used(&fixture), 1);
    assert_eq!(
        send(&fixture, &user(BO), &json!([]), &json!([id(90)])).status,
        200
    );
    assert_eq!(held(&fixture, BO), (off, vec![json!(id(TESTERS))]));
}

#[test]
fn a_member_without_a_unit_has_an_error_until_one_is_free() {
    let fixture = fixture(1);
    assert_eq!(
        send(&fixture, &user(CLEO), &licence(), &json!([])).status,
        200
    );
    let testers = format!("/groups/{}", id(TESTERS));
    send(&fixture, &testers, &licence(), &json!([]));
    let target = format!(
        "{}?$select=assignedLicenses,licenseAssignmentStates",
        user(BO)
    );
    let read = fixture.get(&target);
    assert_eq!(read.body["assignedLicenses"], json!([]));
    let state = &read.body["licenseAssignmentStates"][0];
    assert_eq!(
        (&state["state"], &state["error"]),
        (&json!("Error"), &json!("CountViolation"))
    );
    assert_eq!(used(&fixture), 1);
    send(&fixture, &user(CLEO), &json!([]), &json!([id(90)]));
    // A group is processed again with the next assignment.
    let again = format!("{}/reprocessLicenseAssignment", user(BO));
    assert_eq!(fixture.post(&again, &json!({})).status, 200);
    assert_eq!(held(&fixture, BO).0, licence());
    assert_eq!(used(&fixture), 1);
}

#[test]
fn a_deleted_user_frees_the_units_and_a_restored_one_consumes_them() {
    let fixture = fixture(1);
    assert_eq!(
        send(&fixture, &user(BO), &licence(), &json!([])).status,
        200
    );
    assert_eq!(fixture.delete(&user(BO)).status, 204);
    assert_eq!(used(&fixture), 0);
    assert_eq!(
        send(&fixture, &user(CLEO), &licence(), &json!([])).status,
        200
    );
    // Even beyond the purchased units.
    let restore = format!("/directory/deletedItems/{}/restore", id(BO));
    assert_eq!(fixture.post(&restore, &json!({})).status, 200);
    assert_eq!(held(&fixture, BO).0, licence());
    assert_eq!(used(&fixture), 2);
    let testers = format!("/groups/{}", id(TESTERS));
    send(&fixture, &testers, &licence(), &json!([]));
    send(&fixture, &user(BO), &json!([]), &json!([id(90)]));
    assert_eq!(fixture.delete(&testers).status, 204);
    assert_eq!(held(&fixture, BO), (json!([]), vec![]));
    assert_eq!(used(&fixture), 1);
}

#[test]
fn changes_beside_graph_reach_members_and_units() {
    let mut fixture = fixture(5);
    let set = |fixture: &mut Fixture, licences: Value| {
        let properties = [("assignedLicenses".to_owned(), licences)];
        let properties = properties.into_iter().collect();
        let state = fixture.state();
        let done = state.set_unrestricted(Kind::Group, &id(TESTERS), properties);
        assert_eq!(done, Ok(()));
    };
    set(&mut fixture, licence());
    assert_eq!(held(&fixture, BO), (licence(), vec![json!(id(TESTERS))]));
    assert_eq!(used(&fixture), 1);
    set(&mut fixture, json!([]));
    assert_eq!(held(&fixture, BO), (json!([]), vec![]));
    assert_eq!(used(&fixture), 0);
    set(&mut fixture, licence());
    assert_eq!(
        send(&fixture, &user(CLEO), &licence(), &json!([])).status,
        200
    );
    assert_eq!(used(&fixture), 2);
    let remove = |fixture: &mut Fixture, kind: Kind, number: u32| {
        assert!(fixture.state().remove_unrestricted(kind, &id(number)));
    };
    remove(&mut fixture, Kind::User, CLEO);
    assert_eq!(used(&fixture), 1);
    remove(&mut fixture, Kind::Group, TESTERS);
    assert_eq!(held(&fixture, BO), (json!([]), vec![]));
    assert_eq!(used(&fixture), 0);

    // A direct licence that is taken beside Graph does not come back.
    assert_eq!(
        send(&fixture, &user(BO), &licence(), &json!([])).status,
        200
    );
    assert_eq!(used(&fixture), 1);
    let none = [("assignedLicenses".to_owned(), json!([]))];
    let state = fixture.state();
    let done = state.set_unrestricted(Kind::User, &id(BO), none.into_iter().collect());
    assert_eq!(done, Ok(()));
    assert_eq!(used(&fixture), 0);
    let again = format!("{}/reprocessLicenseAssignment", user(BO));
    assert_eq!(fixture.post(&again, &json!({})).status, 200);
    assert_eq!(held(&fixture, BO), (json!([]), vec![]));
    assert_eq!(used(&fixture), 0);
}

#[test]
fn reprocessing_tells_a_second_source_that_needs_no_unit() {
    let mut fixture = fixture(5);
    let never = format!("{}/reprocessLicenseAssignment", user(CLEO));
    assert_eq!(fixture.post(&never, &json!({})).status, 200);
    let cleo = fixture.state().store.get(Kind::User, &id(CLEO)).unwrap();
    assert!(cleo.get("assignedLicenses").is_none());
    assert_eq!(
        send(&fixture, &user(BO), &licence(), &json!([])).status,
        200
    );
    let store = &mut fixture.state().store;
    store.update(Kind::Group, &id(TESTERS), |group| {
        group.insert("assignedLicenses".into(), licence());
    });
    let again = format!("{}/reprocessLicenseAssignment", user(BO));
    assert_eq!(fixture.post(&again, &json!({})).status, 200);
    let sources = vec![Value::Null, json!(id(TESTERS))];
    assert_eq!(held(&fixture, BO), (licence(), sources));
    assert_eq!(used(&fixture), 1);
}
