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
    assert_eq!(fixture.post(POLICIES, &json!({})).status, 501);
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
