use super::{groups::writer, *};

fn reference(number: u32) -> Value {
    json!({"@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{}", id(number))})
}

#[test]
fn members_are_added_and_removed_by_reference() {
    let fixture = writer();
    let members = format!("/groups/{}/members", id(ENGINEERS));
    let add = |number| fixture.post(&format!("{members}/$ref"), &reference(number));
    assert_eq!((add(BO).status, add(BO).status), (204, 400));
    assert!(
        add(BO)
            .error()
            .2
            .contains("already exist for the following modified properties: 'members'")
    );
    assert_eq!(add(800).status, 404);
    assert!(fixture.get(&members).all("id").contains(&id(BO).as_str()));

    let one = format!("{members}/{}/$ref", id(BO));
    assert_eq!(fixture.delete(&one).status, 204);
    let again = fixture.delete(&one);
    assert_eq!(again.status, 400);
    assert!(
        again
            .error()
            .2
            .contains("removed object references do not exist")
    );
    assert_eq!(
        fixture
            .delete(&format!("{members}/{}/$ref", id(800)))
            .status,
        404
    );
    assert!(!fixture.get(&members).all("id").contains(&id(BO).as_str()));
}

#[test]
fn a_patch_adds_up_to_twenty_members_or_none() {
    let mut fixture = writer();
    for number in 0..21 {
        let user = json!({"id": id(900 + number), "displayName": "U", "userPrincipalName": format!("u{number}@contoso.com")});
        fixture
            .state()
            .store
            .insert(Kind::User, user.as_object().cloned().unwrap())
            .unwrap();
    }
    let bind = |numbers: std::ops::Range<u32>| {
        let urls: Vec<String> = numbers
            .map(|number| {
                format!(
                    "https://graph.microsoft.com/v1.0/directoryObjects/{}",
                    id(number)
                )
            })
            .collect();
        json!({"members@odata.bind": urls})
    };
    let group = format!("/groups/{}", id(TESTERS));
    let before = fixture.snapshot();
    assert_eq!(
        fixture.patch(&group, &bind(900..921)).error(),
        (
            400,
            "Request_BadRequest",
            "A resource cannot contain more than 20 link changes."
        )
    );
    assert_eq!(fixture.patch(&group, &bind(919..922)).status, 404);
    assert_eq!(fixture.snapshot(), before);
    assert_eq!(fixture.patch(&group, &bind(900..920)).status, 204);
    assert_eq!(fixture.get(&format!("{group}/members")).all("id").len(), 22);
    // One existing member makes the whole request fail.
    let before = fixture.snapshot();
    assert_eq!(fixture.patch(&group, &bind(919..921)).status, 400);
    assert_eq!(fixture.snapshot(), before);
}

#[test]
fn the_last_owner_of_a_group_cannot_be_removed() {
    let fixture = writer();
    let owners = format!("/groups/{}/owners", id(ENGINEERS));
    let last = fixture.delete(&format!("{owners}/{}/$ref", id(BO)));
    assert!(
        last.error().2.contains("at least one owner"),
        "{}",
        last.text
    );
    assert_eq!(
        fixture
            .post(&format!("{owners}/$ref"), &reference(CLEO))
            .status,
        204
    );
    assert_eq!(
        fixture.delete(&format!("{owners}/{}/$ref", id(BO))).status,
        204
    );
    assert_eq!(fixture.get(&owners).all("id"), [id(CLEO)]);
}

#[test]
fn a_manager_is_set_replaced_and_removed() {
    let fixture = writer();
    let manager = format!("/users/{}/manager", id(ADELE));
    let link = format!("{manager}/$ref");
    assert_eq!(fixture.write("PUT", &link, &reference(CLEO)).status, 204);
    assert_eq!(fixture.get(&manager).body["id"], id(CLEO));
    assert_eq!(
        fixture
            .get(&format!("/users/{}/directReports", id(BO)))
            .all("id")
            .len(),
        0
    );
    assert_eq!(
        fixture.write("PUT", &link, &reference(ENGINEERS)).status,
        400
    );
    assert_eq!(fixture.write("PUT", &link, &reference(ADELE)).status, 400);
    assert_eq!(fixture.write("POST", &link, &reference(BO)).status, 405);
    assert_eq!(fixture.delete(&link).status, 204);
    assert_eq!(fixture.get(&manager).status, 404);
    assert_eq!(fixture.delete(&link).status, 404);
}

#[test]
fn membership_has_a_permission_of_its_own() {
    let mut fixture = Fixture::new();
    let members = format!("/groups/{}/members/$ref", id(ENGINEERS));
    let owners = format!("/groups/{}/owners/$ref", id(ENGINEERS));
    fixture.application(&["GroupMember.ReadWrite.All"]);
    assert_eq!(fixture.post(&members, &reference(BO)).status, 204);
    assert_eq!(fixture.post(&owners, &reference(CLEO)).status, 403);
    fixture.application(&["Group.Read.All", "User.ReadWrite.All"]);
    assert_eq!(fixture.post(&members, &reference(CLEO)).status, 403);
    // A user who is neither administrator nor owner.
    fixture.adele(&["Group.ReadWrite.All"]);
    assert_eq!(fixture.post(&members, &reference(CLEO)).status, 403);
}

#[test]
fn a_reference_must_be_the_url_of_an_object() {
    let fixture = writer();
    let members = format!("/groups/{}/members/$ref", id(ENGINEERS));
    for body in [
        json!({}),
        json!({"@odata.id": 5}),
        json!({"@odata.id": ""}),
        json!({"@odata.id": id(BO)}),
        json!({"@odata.id": format!("https://graph.microsoft.com/v1.0/planets/{}", id(BO))}),
        json!({"@odata.id": "https://graph.microsoft.com/v1.0/groups/bo@contoso.com"}),
        json!({"@odata.id": "https://graph.microsoft.com/v1.0/directoryObjects/bo@contoso.com"}),
        json!({"@odata.id": "https://graph.microsoft.com/v1.0/users/%zz"}),
    ] {
        assert_eq!(fixture.post(&members, &body).status, 400, "{body}");
    }
    let unknown = json!({"@odata.id": "https://graph.microsoft.com/v1.0/users/bo"});
    assert_eq!(fixture.post(&members, &unknown).status, 404);
}

#[test]
fn a_user_is_referred_to_by_user_principal_name_too() {
    let fixture = writer();
    let members = format!("/groups/{}/members", id(ENGINEERS));
    for (name, status) in [
        ("users/bo@contoso.com", 204),
        ("users/cleo%40contoso.com", 204),
        ("users('BO@contoso.com')", 400),
        ("users/nobody@contoso.com", 404),
    ] {
        let body = json!({"@odata.id": format!("https://graph.microsoft.com/v1.0/{name}")});
        let added = fixture.post(&format!("{members}/$ref"), &body);
        assert_eq!(added.status, status, "{name}: {}", added.text);
    }
    let listed = fixture.get(&members);
    let ids = listed.all("id");
    assert!(
        ids.contains(&&*id(BO)) && ids.contains(&&*id(CLEO)),
        "{ids:?}"
    );
    let manager = json!({"@odata.id": "https://graph.microsoft.com/v1.0/users/cleo@contoso.com"});
    let path = format!("/users/{}/manager/$ref", id(BO));
    let put = fixture.send(&WireRequest {
        body: manager.to_string().into_bytes(),
        ..request("PUT", &path, &[("content-type", "application/json")])
    });
    assert_eq!(put.status, 204, "{}", put.text);
    let mut user = super::users::new_user();
    user["manager@odata.bind"] = json!("https://graph.microsoft.com/v1.0/users/bo@contoso.com");
    let created = fixture.post("/users", &user);
    assert_eq!(created.status, 201, "{}", created.text);
    let manager = format!("/users/{}/manager", created.body["id"].as_str().unwrap());
    assert_eq!(fixture.get(&manager).body["id"], id(BO));
}

#[test]
fn a_new_member_is_audited_with_its_group() {
    let fixture = writer();
    fixture.post(
        &format!("/groups/{}/members/$ref", id(ENGINEERS)),
        &reference(BO),
    );
    let audits = fixture
        .get("/auditLogs/directoryAudits?$filter=activityDisplayName eq 'Add member to group'");
    let targets = &audits.body["value"][0]["targetResources"];
    assert_eq!(
        (&targets[0]["id"], &targets[0]["type"]),
        (&json!(id(BO)), &json!("User"))
    );
    assert_eq!(
        (&targets[1]["id"], &targets[1]["type"]),
        (&json!(id(ENGINEERS)), &json!("Group"))
    );
}
