use entra_core::time::Duration;

use super::{groups::writer, *};

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
