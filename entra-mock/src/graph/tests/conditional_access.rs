use super::*;

const POLICIES: &str = "/identity/conditionalAccess/policies";
const LOCATIONS: &str = "/identity/conditionalAccess/namedLocations";

fn reader() -> Fixture {
    let mut fixture = Fixture::new();
    let objects = [
        (
            Kind::ConditionalAccessPolicy,
            json!({
                "id": id(700), "displayName": "Block legacy clients", "state": "enabled", "createdDateTime": "2026-01-01T00:00:00Z",
                "conditions": {
                    "clientAppTypes": ["exchangeActiveSync", "other"],
                    "users": {"includeUsers": ["All"], "excludeGuestsOrExternalUsers": {
                        "guestOrExternalUserTypes": "internalGuest,serviceProvider",
                        "externalTenants": {"@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants", "membershipKind": "enumerated", "members": [id(800)]}
                    }}
                },
                "grantControls": {"operator": "OR", "builtInControls": ["block"]}
            }),
        ),
        (
            Kind::ConditionalAccessPolicy,
            json!({"id": id(701), "displayName": "Require MFA", "state": "disabled", "createdDateTime": "2026-02-01T00:00:00Z"}),
        ),
        (
            Kind::NamedLocation,
            json!({
                "@odata.type": "#microsoft.graph.ipNamedLocation", "id": id(710), "displayName": "Office", "isTrusted": true,
                "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24"}], "createdDateTime": "2026-01-01T00:00:00Z"
            }),
        ),
        (
            Kind::NamedLocation,
            json!({
                "@odata.type": "#microsoft.graph.countryNamedLocation", "id": id(711), "displayName": "North America",
                "countriesAndRegions": ["US", "CA"], "includeUnknownCountriesAndRegions": false, "createdDateTime": "2026-02-01T00:00:00Z"
            }),
        ),
    ];
    for (kind, object) in objects {
        let object: serde_json::Map<String, Value> = serde_json::from_value(object).unwrap();
        let properties = object.iter().map(|(name, value)| (name.as_str(), value));
        assert_eq!(crate::schema::mismatches(kind.entity(), properties), []);
        fixture.state().store.insert(kind, object).unwrap();
    }
    fixture.application(&["Policy.Read.All"]);
    fixture
}

#[test]
fn policies_are_listed_filtered_sorted_and_read() {
    let fixture = reader();
    for (query, expected) in [
        ("", "Block legacy clients, Require MFA"),
        ("?$filter=state eq 'disabled'", "Require MFA"),
        (
            "?$filter=contains(displayName,'legacy')",
            "Block legacy clients",
        ),
        (
            "?$filter=createdDateTime gt 2026-01-15T00:00:00Z",
            "Require MFA",
        ),
        (
            "?$orderby=displayName desc",
            "Require MFA, Block legacy clients",
        ),
        ("?$top=1&$orderby=createdDateTime", "Block legacy clients"),
    ] {
        let response = fixture.get(&format!("{POLICIES}{query}"));
        assert_eq!(
            response.all("displayName").join(", "),
            expected,
            "{query}: {}",
            response.text
        );
    }
    let one = fixture.get(&format!("{POLICIES}/{}?$select=conditions", id(700)));
    let users = &one.body["conditions"]["users"];
    assert_eq!(
        users["excludeGuestsOrExternalUsers"]["externalTenants"]["members"],
        json!([id(800)])
    );
    assert_eq!(fixture.get(&format!("{POLICIES}/{}", id(799))).status, 404);
    assert_eq!(
        fixture.get(&format!("{POLICIES}?$search=\"x\"")).status,
        400
    );
}

/// An application with the permissions to write policies and locations.
fn writer() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&[
        "Policy.Read.All",
        "Policy.ReadWrite.ConditionalAccess",
        "Application.Read.All",
    ]);
    fixture
}

fn block_adele() -> Value {
    json!({
        "displayName": "Block Adele", "state": "enabled",
        "conditions": {
            "clientAppTypes": ["all"],
            "applications": {"includeApplications": ["All"]},
            "users": {"includeUsers": [id(ADELE)]}
        },
        "grantControls": {"operator": "OR", "builtInControls": ["block"]}
    })
}

#[test]
fn a_policy_is_created_updated_and_deleted() {
    let fixture = writer();
    let created = fixture.post(POLICIES, &block_adele());
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.body["createdDateTime"], "2026-11-21T02:08:02Z");
    assert_eq!(created.body["modifiedDateTime"], Value::Null);
    let one = format!("{POLICIES}/{}", created.body["id"].as_str().unwrap());
    let change = json!({
        "state": "disabled", "conditions": {"locations": {"includeLocations": ["All"]}}
    });
    let changed = fixture.patch(&one, &change);
    assert_eq!(changed.status, 204, "{}", changed.text);
    let read = fixture.get(&one).body;
    assert_eq!(read["state"], "disabled");
    assert_eq!(read["modifiedDateTime"], "2026-11-21T02:08:02Z");
    // Parts of the conditions that the body leaves out keep their values.
    assert_eq!(read["conditions"]["users"]["includeUsers"][0], id(ADELE));
    assert_eq!(
        read["conditions"]["locations"]["includeLocations"],
        json!(["All"])
    );
    assert_eq!(fixture.delete(&one).status, 204);
    assert_eq!(fixture.get(&one).status, 404);
}

#[test]
fn an_invalid_policy_changes_nothing() {
    let fixture = writer();
    let before = fixture.snapshot();
    for (name, value) in [
        ("displayName", Value::Null),
        ("conditions", Value::Null),
        ("state", json!("on")),
        ("conditions", json!({"users": {"includeColours": []}})),
        ("grantControls", json!({"builtInControls": ["magic"]})),
        ("id", json!(id(1))),
        ("createdDateTime", json!("2026-01-01T00:00:00Z")),
    ] {
        let mut body = block_adele();
        body[name] = value;
        let rejected = fixture.post(POLICIES, &body);
        assert_eq!(rejected.status, 400, "{name}: {}", rejected.text);
    }
    let mut body = block_adele();
    body.as_object_mut().unwrap().remove("state");
    assert_eq!(fixture.post(POLICIES, &body).status, 400);
    assert_eq!(fixture.snapshot(), before);
}

#[test]
fn a_sign_in_frequency_is_at_least_1() {
    let fixture = writer();
    let controls = |value: i32| {
        json!({"signInFrequency": {
            "value": value, "type": "hours", "isEnabled": true, "frequencyInterval": "timeBased",
            "authenticationType": "primaryAndSecondaryAuthentication"
        }})
    };
    let mut body = block_adele();
    body["sessionControls"] = controls(1);
    let created = fixture.post(POLICIES, &body);
    assert_eq!(created.status, 201, "{}", created.text);
    let one = format!("{POLICIES}/{}", created.body["id"].as_str().unwrap());
    let before = fixture.snapshot();
    for value in [0, -1] {
        body["sessionControls"] = controls(value);
        let rejected = fixture.post(POLICIES, &body);
        assert_eq!(rejected.status, 400, "{}", rejected.text);
        let change = json!({"sessionControls": controls(value)});
        let rejected = fixture.patch(&one, &change);
        assert_eq!(rejected.status, 400, "{}", rejected.text);
    }
    assert_eq!(fixture.snapshot(), before);
}

#[test]
fn an_authentication_strength_is_not_supported_in_either_form() {
    let fixture = writer();
    let before = fixture.snapshot();
    let strength = "00000000-0000-0000-0000-000000000002";
    for (name, value) in [
        ("authenticationStrength", json!({"id": strength})),
        (
            "authenticationStrength@odata.bind",
            json!(format!(
                "https://graph.microsoft.com/v1.0/policies/authenticationStrengthPolicies/{strength}"
            )),
        ),
    ] {
        let mut body = block_adele();
        body["grantControls"]["builtInControls"] = json!(["compliantDevice"]);
        body["grantControls"][name] = value;
        let rejected = fixture.post(POLICIES, &body);
        let (status, code, message) = rejected.error();
        assert_eq!((status, code), (501, "NotImplemented"), "{name}: {message}");
        assert!(message.contains(name), "{message}");
    }
    assert_eq!(fixture.snapshot(), before);
    // A client that sends back what it has read.
    let mut body = block_adele();
    body["grantControls"]["authenticationStrength"] = Value::Null;
    let created = fixture.post(POLICIES, &body);
    assert_eq!(created.status, 201, "{}", created.text);
    let mut body = block_adele();
    body["grantControls"]["termsOfUse@odata.bind"] = json!([]);
    assert_eq!(fixture.post(POLICIES, &body).status, 400);
}

#[test]
fn a_written_policy_is_enforced_while_it_is_enabled() {
    let mut fixture = writer();
    let created = fixture.post(POLICIES, &block_adele());
    let enforced = |fixture: &mut Fixture| -> Vec<String> {
        let policies = fixture.state().policies.iter();
        policies.map(|policy| policy.id.clone()).collect()
    };
    let own = created.body["id"].as_str().unwrap();
    let one = format!("{POLICIES}/{own}");
    assert_eq!(enforced(&mut fixture), [own]);
    fixture.patch(&one, &json!({"state": "disabled"}));
    assert_eq!(enforced(&mut fixture), [] as [&str; 0]);
    fixture.patch(&one, &json!({"state": "enabled"}));
    assert_eq!(enforced(&mut fixture), [own]);
    fixture.delete(&one);
    assert_eq!(enforced(&mut fixture), [] as [&str; 0]);
}

#[test]
fn a_named_location_is_written_as_the_type_that_it_names() {
    let fixture = writer();
    let office = json!({
        "@odata.type": "#microsoft.graph.ipNamedLocation", "displayName": "Office",
        "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24"}]
    });
    let created = fixture.post(LOCATIONS, &office);
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(
        created.body["@odata.type"],
        "#microsoft.graph.ipNamedLocation"
    );
    assert_eq!(created.body["isTrusted"], false);
    assert_eq!(created.body.get("countriesAndRegions"), None);
    let one = format!("{LOCATIONS}/{}", created.body["id"].as_str().unwrap());
    let trusted = json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "isTrusted": true});
    assert_eq!(fixture.patch(&one, &trusted).status, 204);
    assert_eq!(fixture.get(&one).body["isTrusted"], true);
    for wrong in [
        json!({"countriesAndRegions": ["DE"]}),
        json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "displayName": "x"}),
    ] {
        let rejected = fixture.patch(&one, &wrong);
        assert_eq!(rejected.status, 400, "{}", rejected.text);
    }
    assert_eq!(fixture.delete(&one).status, 204);
    assert_eq!(fixture.get(&one).status, 404);

    let before = fixture.snapshot();
    for body in [
        json!({"displayName": "x", "ipRanges": []}),
        json!({"@odata.type": "#microsoft.graph.namedLocation", "displayName": "x"}),
        json!({"@odata.type": "#microsoft.graph.user", "displayName": "x"}),
        json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "displayName": "x"}),
        json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "displayName": "x", "countriesAndRegions": ["DE"], "isTrusted": true}),
        json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "countriesAndRegions": ["DE"]}),
    ] {
        let rejected = fixture.post(LOCATIONS, &body);
        assert_eq!(rejected.status, 400, "{body}: {}", rejected.text);
    }
    assert_eq!(fixture.snapshot(), before);
    let germany = json!({
        "@odata.type": "#microsoft.graph.countryNamedLocation", "displayName": "Germany", "countriesAndRegions": ["DE"]
    });
    let created = fixture.post(LOCATIONS, &germany);
    assert_eq!(created.body["includeUnknownCountriesAndRegions"], false);
}

#[test]
fn writes_of_policies_take_all_of_their_permissions_together() {
    let mut fixture = writer();
    let location = json!({
        "@odata.type": "#microsoft.graph.countryNamedLocation", "displayName": "Germany", "countriesAndRegions": ["DE"]
    });
    for (permissions, policy, place) in [
        (vec!["Policy.ReadWrite.ConditionalAccess"], 403, 403),
        (
            vec!["Policy.ReadWrite.ConditionalAccess", "Policy.Read.All"],
            403,
            201,
        ),
        (
            vec![
                "Policy.ReadWrite.ConditionalAccess",
                "Policy.Read.All",
                "Application.Read.All",
            ],
            201,
            201,
        ),
        (vec!["Policy.Read.All", "Application.Read.All"], 403, 403),
    ] {
        fixture.application(&permissions);
        assert_eq!(
            fixture.post(POLICIES, &block_adele()).status,
            policy,
            "{permissions:?}"
        );
        assert_eq!(
            fixture.post(LOCATIONS, &location).status,
            place,
            "{permissions:?}"
        );
    }
    // A user needs a role beside them.
    let all = [
        "Policy.ReadWrite.ConditionalAccess",
        "Policy.Read.All",
        "Application.Read.All",
    ];
    fixture.adele(&all);
    assert_eq!(fixture.post(POLICIES, &block_adele()).status, 403);
    fixture.promote(ADELE);
    assert_eq!(fixture.post(POLICIES, &block_adele()).status, 201);
}

#[test]
fn a_named_location_has_the_properties_of_its_own_type_only() {
    let fixture = reader();
    let list = fixture.get(LOCATIONS);
    let [office, america] = list.body["value"].as_array().unwrap().as_slice() else {
        panic!("{}", list.text);
    };
    assert_eq!(office["@odata.type"], "#microsoft.graph.ipNamedLocation");
    assert_eq!(office["ipRanges"][0]["cidrAddress"], "203.0.113.0/24");
    assert_eq!(office.get("countriesAndRegions"), None);
    assert_eq!(
        america["@odata.type"],
        "#microsoft.graph.countryNamedLocation"
    );
    assert_eq!(america["countriesAndRegions"], json!(["US", "CA"]));
    assert_eq!(america.get("isTrusted"), None);
    let one = fixture.get(&format!("{LOCATIONS}/{}", id(711)));
    assert_eq!(
        one.body["@odata.type"],
        "#microsoft.graph.countryNamedLocation"
    );
}

#[test]
fn named_locations_are_filtered_by_type_country_and_time() {
    let fixture = reader();
    for (filter, expected) in [
        ("isof('microsoft.graph.ipNamedLocation')", "Office"),
        (
            "isof('microsoft.graph.countryNamedLocation')",
            "North America",
        ),
        (
            "microsoft.graph.countryNamedLocation/countriesAndRegions/any(c: c eq 'CA')",
            "North America",
        ),
        (
            "microsoft.graph.countrynamedlocation/countriesAndRegions/any(c: c eq 'CA')",
            "North America",
        ),
        (
            "microsoft.graph.countryNamedLocation/countriesAndRegions/any(c: c eq 'DE')",
            "",
        ),
        ("createdDateTime ge 2026-02-01T00:00:00Z", "North America"),
    ] {
        let response = fixture.get(&format!("{LOCATIONS}?$filter={filter}"));
        assert_eq!(
            response.all("displayName").join(", "),
            expected,
            "{filter}: {}",
            response.text
        );
    }
    for rejected in [
        "isTrusted eq true",
        "isof(displayName)",
        "microsoft.graph.user/displayName eq 'x'",
    ] {
        assert_eq!(
            fixture
                .get(&format!("{LOCATIONS}?$filter={rejected}"))
                .status,
            400,
            "{rejected}"
        );
    }
}

#[test]
fn policies_and_locations_take_their_own_permission() {
    let mut fixture = reader();
    for (permission, status) in [("Policy.Read.All", 200), ("Directory.Read.All", 403)] {
        for target in [POLICIES, LOCATIONS] {
            fixture.application(&[permission]);
            assert_eq!(fixture.get(target).status, status, "{permission} {target}");
            fixture.adele(&[permission]);
            assert_eq!(
                fixture.get(target).status,
                status,
                "delegated {permission} {target}"
            );
        }
    }
}
