use entra_core::time::Duration;

use super::{groups::writer, *};

fn beta(fixture: &Fixture, target: &str, body: &Value) -> Response {
    let mut request = request("POST", target, &[("content-type", "application/json")]);
    request.path = request.path.replacen("/v1.0", "/beta", 1);
    request.body = body.to_string().into();
    fixture.send(&request)
}

const DELETED_USERS: &str = "/directory/deletedItems/microsoft.graph.user";

#[test]
fn a_deleted_user_can_be_restored_with_its_properties_and_links() {
    let fixture = writer();
    let adele = format!("/users/{}", id(ADELE));
    assert_eq!(fixture.delete(&adele).status, 204);
    assert_eq!(fixture.get(&adele).status, 404);
    assert!(
        !fixture
            .get(&format!("/groups/{}/members", id(ENGINEERS)))
            .all("id")
            .contains(&id(ADELE).as_str())
    );
    let items = fixture.get(&format!(
        "{DELETED_USERS}?$select=id,deletedDateTime,userPrincipalName"
    ));
    assert_eq!(items.all("id"), [id(ADELE)]);
    assert_eq!(
        items.body["value"][0]["deletedDateTime"],
        "2026-11-21T02:08:02Z"
    );
    assert_eq!(
        items.body["value"][0]["userPrincipalName"],
        format!("{}adele@contoso.com", id(ADELE).replace('-', ""))
    );

    let restored = fixture.post(
        &format!("/directory/deletedItems/{}/restore", id(ADELE)),
        &json!({}),
    );
    assert_eq!(restored.status, 200, "{}", restored.text);
    assert_eq!(restored.body["@odata.type"], "#microsoft.graph.user");
    assert_eq!(
        fixture.get("/users/adele@contoso.com").body["id"],
        id(ADELE)
    );
    assert!(
        fixture
            .get(&format!("/groups/{}/members", id(ENGINEERS)))
            .all("id")
            .contains(&id(ADELE).as_str())
    );
    assert_eq!(fixture.get(&format!("{adele}/manager")).body["id"], id(BO));
    assert_eq!(fixture.get(DELETED_USERS).all("id").len(), 0);
    let read = fixture.get(&format!("{adele}?$select=deletedDateTime"));
    assert_eq!(read.body["deletedDateTime"], Value::Null);
}

#[test]
fn a_restore_fails_while_another_user_has_the_name() {
    let fixture = writer();
    fixture.delete(&format!("/users/{}", id(BO)));
    let user = json!({
        "accountEnabled": true, "displayName": "Bo the Second", "mailNickname": "bo", "userPrincipalName": "bo@contoso.com",
        "passwordProfile": {"password": "xWwvJ]6NMw+bWH-d"}
    });
    let second = fixture.post("/users", &user);
    assert_eq!(second.status, 201, "{}", second.text);
    let restore = format!("/directory/deletedItems/{}/restore", id(BO));
    let before = fixture.snapshot();
    let rejected = fixture.post(&restore, &json!({}));
    assert_eq!(
        rejected.body["error"]["details"][0]["target"], "userPrincipalName",
        "{}",
        rejected.text
    );
    assert_eq!(fixture.snapshot(), before);
    fixture.delete(&format!("/users/{}", second.body["id"].as_str().unwrap()));
    assert_eq!(fixture.post(&restore, &json!({})).status, 200);
}

#[test]
fn beta_restores_a_user_under_another_name_and_without_addresses_that_are_taken() {
    let mut fixture = writer();
    let adele = format!("/users/{}", id(ADELE));
    fixture
        .state()
        .store
        .update(Kind::User, &id(ADELE), |user| {
            let addresses = json!(["SMTP:adele@contoso.com", "smtp:a@contoso.com"]);
            user.insert("proxyAddresses".into(), addresses);
        });
    fixture.delete(&adele);
    let second = json!({
        "accountEnabled": true, "displayName": "Adele the Second", "mailNickname": "adele", "userPrincipalName": "adele@contoso.com",
        "mail": "a@contoso.com", "passwordProfile": {"password": "xWwvJ]6NMw+bWH-d"}
    });
    let second = fixture.post("/users", &second);
    assert_eq!(second.status, 201, "{}", second.text);
    let restore = format!("/directory/deletedItems/{}/restore", id(ADELE));
    let before = fixture.snapshot();
    for (body, part) in [
        (
            json!({"newUserPrincipalName": "adele2@contoso.com"}),
            "proxyAddresses",
        ),
        (
            json!({"autoReconcileProxyConflict": true}),
            "userPrincipalName",
        ),
        (
            json!({"newUserPrincipalName": "adele2@nowhere.example", "autoReconcileProxyConflict": true}),
            "verified domain",
        ),
        (json!({"newUserPrincipalName": 7}), "type"),
        (json!({"autoReconcileProxyConflict": "yes"}), "type"),
        (json!({"newUserPrincipalNam": "x"}), "newUserPrincipalNam"),
    ] {
        let rejected = beta(&fixture, &restore, &body);
        assert_eq!(rejected.status, 400, "{body}: {}", rejected.text);
        assert!(rejected.text.contains(part), "{body}: {}", rejected.text);
        assert_eq!(fixture.snapshot(), before, "{body}");
    }
    let body =
        json!({"newUserPrincipalName": "adele2@contoso.com", "autoReconcileProxyConflict": true});
    // The parameters exist in beta only.
    let rejected = fixture.post(&restore, &body);
    assert_eq!(rejected.status, 400, "{}", rejected.text);
    assert!(
        rejected
            .text
            .contains("is not a valid parameter for the operation 'restore'")
    );
    assert_eq!(fixture.snapshot(), before);
    let restored = beta(&fixture, &restore, &body);
    assert_eq!(restored.status, 200, "{}", restored.text);
    assert_eq!(restored.body["userPrincipalName"], "adele2@contoso.com");
    let read = fixture.get(&format!(
        "{adele}?$select=userPrincipalName,proxyAddresses,identities"
    ));
    assert_eq!(read.body["userPrincipalName"], "adele2@contoso.com");
    assert_eq!(
        read.body["proxyAddresses"],
        json!(["SMTP:adele@contoso.com"])
    );
    assert_eq!(
        read.body["identities"][0]["issuerAssignedId"],
        "adele2@contoso.com"
    );
}

#[test]
fn an_administrator_can_purge_a_deleted_user_and_an_application_cannot() {
    let mut fixture = writer();
    fixture.delete(&format!("/users/{}", id(BO)));
    let item = format!("/directory/deletedItems/{}", id(BO));
    assert_eq!(fixture.get(&item).body["displayName"], "Bo O'Neil");
    assert_eq!(fixture.delete(&item).status, 403);
    fixture.adele(&["User.ReadWrite.All"]);
    assert_eq!(fixture.delete(&item).status, 403);
    fixture.promote(ADELE);
    assert_eq!(fixture.delete(&item).status, 204);
    assert_eq!(fixture.delete(&item).status, 404);
    assert_eq!(fixture.get(&item).status, 404);
    assert_eq!(
        fixture.post(&format!("{item}/restore"), &json!({})).status,
        404
    );
}

#[test]
fn deleted_items_are_purged_after_thirty_days() {
    let mut fixture = writer();
    fixture.delete(&format!("/users/{}", id(ADELE)));
    fixture.now += Duration::days(30) - Duration::SECOND;
    assert_eq!(fixture.get(DELETED_USERS).all("id").len(), 1);
    fixture.now += Duration::SECOND;
    assert_eq!(fixture.get(DELETED_USERS).all("id").len(), 0);
    assert_eq!(
        fixture
            .get(&format!("/directory/deletedItems/{}", id(ADELE)))
            .status,
        404
    );
}

#[test]
fn only_microsoft_365_groups_go_to_the_deleted_items() {
    let fixture = writer();
    let unified = json!({"displayName": "L", "mailEnabled": true, "mailNickname": "l", "securityEnabled": false, "groupTypes": ["Unified"]});
    let created = fixture.post("/groups", &unified);
    let library = created.body["id"].as_str().unwrap();
    assert_eq!(fixture.delete(&format!("/groups/{library}")).status, 204);
    assert_eq!(
        fixture.delete(&format!("/groups/{}", id(TESTERS))).status,
        204
    );
    assert_eq!(
        fixture
            .get("/directory/deletedItems/microsoft.graph.group")
            .all("id"),
        [library]
    );
    assert_eq!(
        fixture
            .get(&format!("/directory/deletedItems/{}", id(TESTERS)))
            .status,
        404
    );
}

#[test]
fn two_restored_objects_are_linked_again() {
    let fixture = writer();
    let unified = json!({
        "displayName": "L", "mailEnabled": true, "mailNickname": "l", "securityEnabled": false, "groupTypes": ["Unified"],
        "members@odata.bind": [format!("https://x/v1.0/users/{}", id(ADELE))]
    });
    let created = fixture.post("/groups", &unified);
    let group = created.body["id"].as_str().unwrap().to_owned();
    for (first, second) in [(id(ADELE), group.clone()), (group.clone(), id(ADELE))] {
        fixture.delete(&format!("/users/{}", id(ADELE)));
        fixture.delete(&format!("/groups/{group}"));
        for item in [first, second] {
            let response = fixture.post(
                &format!("/directory/deletedItems/{item}/restore"),
                &json!({}),
            );
            assert_eq!(response.status, 200, "{}", response.text);
        }
        assert_eq!(
            fixture.get(&format!("/groups/{group}/members")).all("id"),
            [id(ADELE)]
        );
    }
}

#[test]
fn deleted_items_need_the_permission_of_their_type() {
    let mut fixture = writer();
    fixture.delete(&format!("/users/{}", id(ADELE)));
    fixture.application(&["Group.ReadWrite.All"]);
    assert_eq!(fixture.get(DELETED_USERS).status, 403);
    let item = format!("/directory/deletedItems/{}", id(ADELE));
    assert_eq!(fixture.get(&item).status, 403);
    assert_eq!(fixture.delete(&item).status, 403);
    assert_eq!(
        fixture.post(&format!("{item}/restore"), &json!({})).status,
        403
    );
    fixture.application(&["User.DeleteRestore.All"]);
    assert_eq!(
        fixture.post(&format!("{item}/restore"), &json!({})).status,
        200
    );
}
