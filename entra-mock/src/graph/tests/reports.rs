//! Behavior of Graph from public reports, where the documentation is silent or differs.

use super::*;

#[test]
fn sign_in_activity_of_one_user_is_read_by_object_id_only() {
    let fixture = Fixture::new();
    let by_name = fixture.get("/users/adele@contoso.com?$select=displayName,signInActivity");
    assert_eq!((by_name.error().0, by_name.error().1), (400, "400"));
    let by_id = fixture.get(&format!(
        "/users/{}?$select=displayName,SignInActivity",
        id(ADELE)
    ));
    assert_eq!(by_id.status, 200, "{}", by_id.text);
}

#[test]
fn sign_in_activity_cannot_be_filtered_with_other_properties() {
    let fixture = Fixture::new();
    let activity = "signInActivity/lastSignInDateTime ge 2026-01-01T00:00:00Z";
    assert_eq!(
        fixture.get(&format!("/users?$filter={activity}")).status,
        200
    );
    for other in ["accountEnabled eq true", "startswith(displayName,'A')"] {
        let both = fixture.get(&format!("/users?$filter={activity} and {other}"));
        assert_eq!(both.error().1, "Request_UnsupportedQuery", "{other}");
    }
}

#[test]
fn filters_by_licence_error_reject_advanced_queries() {
    let fixture = Fixture::new();
    let target = "/groups?$filter=hasMembersWithLicenseErrors eq true";
    assert_eq!(fixture.get(target).status, 200);
    assert_eq!(fixture.eventual(target).status, 400);
    assert_eq!(
        fixture.eventual(&format!("{target}&$count=true")).status,
        400
    );
}

#[test]
fn a_basic_filter_by_licence_has_an_expired_token_after_its_first_page() {
    let mut fixture = Fixture::new();
    for user in [BO, CLEO] {
        fixture.state().store.update(Kind::User, &id(user), |user| {
            user.insert(
                "assignedLicenses".into(),
                json!([{"skuId": id(90), "disabledPlans": []}]),
            );
        });
    }
    let target = format!(
        "/users?$top=1&$filter=assignedLicenses/any(x:x/skuId eq {})",
        id(90)
    );
    let first = fixture.get(&target);
    let next = first.body["@odata.nextLink"].as_str().unwrap();
    let second = fixture.get(next.strip_prefix("https://tenant.test/v1.0").unwrap());
    assert_eq!(
        (second.error().0, second.error().1),
        (400, "Directory_ExpiredPageToken")
    );
    let pages = fixture.walk(&format!("{target}&$count=true"), true);
    assert_eq!(pages.len(), 3);
}

#[test]
fn a_missing_mailbox_has_its_own_error_code() {
    let fixture = Fixture::new();
    let response = fixture.get(&format!("/users/{}?$select=mailboxSettings", id(BO)));
    assert_eq!(
        (response.error().0, response.error().1),
        (404, "MailboxNotEnabledForRESTAPI")
    );
    assert_eq!(
        fixture
            .get(&format!("/users/{}?$select=mailboxSettings", id(ADELE)))
            .status,
        200
    );
}

#[test]
fn more_than_fifteen_alternatives_need_an_advanced_query() {
    let fixture = Fixture::new();
    let filter = |count: u32| {
        let parts: Vec<String> = (0..count)
            .map(|number| format!("displayName eq 'u{number}'"))
            .collect();
        format!("/users?$count=true&$filter={}", parts.join(" or "))
    };
    assert_eq!(fixture.get(&filter(15)).status, 200);
    assert!(
        fixture
            .get(&filter(16))
            .error()
            .2
            .contains("Max allowed: 15")
    );
    assert_eq!(fixture.eventual(&filter(16)).status, 200);
}

#[test]
fn a_derived_type_keeps_its_name_among_members_and_owned_objects() {
    let mut fixture = Fixture::new();
    let store = &mut fixture.state().store;
    for (number, kind, name) in [
        (601, Kind::ServicePrincipal, "agentIdentity"),
        (602, Kind::Application, "agentIdentityBlueprint"),
    ] {
        let object = json!({
            "id": id(number), "appId": id(number), "displayName": name, "@odata.type": format!("#microsoft.graph.{name}")
        });
        store
            .insert(kind, object.as_object().cloned().unwrap())
            .unwrap();
        store.link(Relation::Owners, &id(number), &id(BO));
    }
    store.link(Relation::Members, &id(TESTERS), &id(601));
    let types = |response: &Response| -> Vec<String> {
        response
            .all("@odata.type")
            .into_iter()
            .map(str::to_owned)
            .collect()
    };
    let owned = types(&fixture.get(&format!("/users/{}/ownedObjects", id(BO))));
    assert!(
        owned.contains(&"#microsoft.graph.agentIdentity".to_owned()),
        "{owned:?}"
    );
    assert!(
        owned.contains(&"#microsoft.graph.agentIdentityBlueprint".to_owned()),
        "{owned:?}"
    );
    let cast = fixture.eventual(&format!(
        "/groups/{}/members/microsoft.graph.servicePrincipal?$count=true",
        id(TESTERS)
    ));
    assert_eq!(cast.all("id"), [id(601)]);
}
