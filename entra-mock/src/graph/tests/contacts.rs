use super::*;

const ROBIN: u32 = 400;
const ALEX: u32 = 401;

fn reader() -> Fixture {
    let mut fixture = Fixture::new();
    let contacts = [
        json!({
            "id": id(ROBIN), "displayName": "Robin", "companyName": "Fabrikam", "mail": "robin@fabrikam.example", "department": "Sales",
            "proxyAddresses": ["SMTP:robin@fabrikam.example"], "phones": [{"type": "mobile", "number": "+49 1"}],
            "addresses": [{"city": "Berlin", "officeLocation": "1"}], "onPremisesSyncEnabled": true
        }),
        json!({"id": id(ALEX), "displayName": "Alex", "mail": "alex@fabrikam.example"}),
    ];
    for contact in contacts {
        let contact: serde_json::Map<String, Value> = serde_json::from_value(contact).unwrap();
        let properties = contact.iter().map(|(name, value)| (name.as_str(), value));
        assert_eq!(
            crate::schema::mismatches(Kind::OrgContact.entity(), properties),
            []
        );
        fixture
            .state()
            .store
            .insert(Kind::OrgContact, contact)
            .unwrap();
    }
    let store = &mut fixture.state().store;
    assert!(store.link(Relation::Manager, &id(ROBIN), &id(ADELE)));
    assert!(store.link(Relation::Manager, &id(ALEX), &id(ROBIN)));
    assert!(store.link(Relation::Members, &id(ENGINEERS), &id(ROBIN)));
    fixture.application(&["OrgContact.Read.All"]);
    fixture
}

#[test]
fn contacts_are_listed_filtered_and_searched() {
    let fixture = reader();
    assert_eq!(
        fixture.get("/contacts").all("displayName"),
        ["Robin", "Alex"]
    );
    for (query, advanced, expected) in [
        ("?$filter=startswith(mail,'robin')", false, "Robin"),
        ("?$filter=department eq 'Sales'", false, "Robin"),
        (
            "?$filter=manager/id eq '00000000-0000-4000-8000-000000000001'",
            false,
            "Robin",
        ),
        (
            "?$filter=proxyAddresses/any(p:startswith(p,'SMTP:robin'))",
            false,
            "Robin",
        ),
        (
            "?$count=true&$filter=companyName eq 'Fabrikam'",
            true,
            "Robin",
        ),
        ("?$count=true&$orderby=displayName", true, "Alex, Robin"),
        ("?$search=\"displayName:al\"", true, "Alex"),
    ] {
        let target = format!("/contacts{query}");
        let response = match advanced {
            true => fixture.eventual(&target),
            false => fixture.get(&target),
        };
        assert_eq!(
            response.all("displayName").join(", "),
            expected,
            "{query}: {}",
            response.text
        );
    }
    assert_eq!(
        fixture
            .get("/contacts?$filter=companyName eq 'Fabrikam'")
            .status,
        400
    );
    assert_eq!(fixture.eventual("/contacts/$count").text, "2");
    let one = fixture.get(&format!("/contacts/{}", id(ROBIN)));
    assert_eq!(one.body["phones"][0]["type"], "mobile");
    assert_eq!(fixture.get(&format!("/contacts/{}", id(499))).status, 404);
    assert_eq!(
        fixture.post("/contacts", &json!({})).status,
        405,
        "Graph does not write contacts"
    );
}

#[test]
fn a_contact_has_a_manager_reports_and_groups() {
    let mut fixture = reader();
    let robin = format!("/contacts/{}", id(ROBIN));
    let manager = fixture.get(&format!("{robin}/manager"));
    assert_eq!(manager.body["id"], id(ADELE));
    assert_eq!(manager.body["@odata.type"], "#microsoft.graph.user");
    let alex = fixture.get(&format!("/contacts/{}/manager", id(ALEX)));
    assert_eq!(alex.body["displayName"], "Robin");
    assert_eq!(alex.body["@odata.type"], "#microsoft.graph.orgContact");
    assert_eq!(
        fixture.get(&format!("{robin}/directReports")).all("id"),
        [id(ALEX)]
    );
    // The engineers are nested in the testers.
    let groups = [id(ENGINEERS), id(TESTERS)];
    assert_eq!(
        fixture.get(&format!("{robin}/memberOf")).all("id"),
        groups[..1]
    );
    assert_eq!(
        fixture
            .get(&format!("{robin}/transitiveMemberOf"))
            .all("id"),
        groups
    );
    // A contact is listed among the members of its group, and among the reports of a user.
    fixture.application(&[
        "GroupMember.Read.All",
        "OrgContact.Read.All",
        "User.ReadWrite.All",
    ]);
    let members = fixture.get(&format!("/groups/{}/members", id(ENGINEERS)));
    let robin_there = members.body["value"]
        .as_array()
        .unwrap()
        .iter()
        .any(|member| {
            member["@odata.type"] == "#microsoft.graph.orgContact"
                && member["mail"] == "robin@fabrikam.example"
        });
    assert!(robin_there, "{}", members.text);
    let reports = fixture.get(&format!("/users/{}/directReports", id(ADELE)));
    assert!(reports.all("id").contains(&id(ROBIN).as_str()));
    let user = format!("/users/{}/manager", id(BO));
    let reference = json!({"@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{}", id(ROBIN))});
    assert_eq!(
        fixture
            .write("PUT", &format!("{user}/$ref"), &reference)
            .status,
        204
    );
    assert_eq!(fixture.get(&user).body["displayName"], "Robin");
    let reports = fixture.get(&format!("{robin}/directReports"));
    assert!(reports.all("id").contains(&id(BO).as_str()));
    let body = json!({"securityEnabledOnly": false});
    let listed = fixture.post(&format!("{robin}/getMemberGroups"), &body);
    assert_eq!(listed.body["value"], json!(groups));
    let body = json!({"groupIds": [id(ENGINEERS), id(999)]});
    let checked = fixture.post(&format!("{robin}/checkMemberGroups"), &body);
    assert_eq!(checked.body["value"], json!([id(ENGINEERS)]));
}

#[test]
fn contacts_take_their_own_permission() {
    let mut fixture = reader();
    for (permission, status) in [
        ("OrgContact.Read.All", 200),
        ("Directory.Read.All", 200),
        ("User.Read.All", 403),
    ] {
        fixture.application(&[permission]);
        assert_eq!(fixture.get("/contacts").status, status, "{permission}");
        fixture.adele(&[permission]);
        assert_eq!(
            fixture.get("/contacts").status,
            status,
            "delegated {permission}"
        );
    }
}

#[test]
fn delta_tracks_contacts() {
    let mut fixture = reader();
    let latest = fixture.get("/contacts/delta?$deltatoken=latest");
    let link = latest.body["@odata.deltaLink"].as_str().unwrap();
    let link = link
        .strip_prefix("https://tenant.test/v1.0")
        .unwrap()
        .to_owned();
    fixture
        .state()
        .store
        .update(Kind::OrgContact, &id(ALEX), |contact| {
            contact.insert("jobTitle".to_owned(), "Lead".into());
        });
    let round = fixture.get(&link);
    assert_eq!(round.all("id"), [id(ALEX)], "{}", round.text);
}
