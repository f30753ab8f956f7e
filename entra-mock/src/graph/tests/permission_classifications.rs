use super::*;

const READ: &str = "e1fe6dd8-ba31-4d61-89e7-88639da4683d";

/// An API that offers one delegated permission, and a caller that may classify it.
fn classifier() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&["Application.ReadWrite.All"]);
    let scope = json!({
        "id": READ, "value": "Expenses.Read", "type": "User", "isEnabled": true,
        "adminConsentDisplayName": "Read expenses", "adminConsentDescription": "Reads expenses",
    });
    let api = json!({"api": {"oauth2PermissionScopes": [scope]}});
    let offered = fixture.patch(&format!("/applications/{}", id(DESK_APP)), &api);
    assert_eq!(offered.status, 204, "{}", offered.text);
    fixture.application(&["Policy.ReadWrite.PermissionGrant", "Application.Read.All"]);
    fixture
}

fn all() -> String {
    let principal = id(DESK);
    format!("/servicePrincipals/{principal}/delegatedPermissionClassifications")
}

fn low() -> Value {
    json!({"permissionId": READ, "permissionName": "Expenses.Read", "classification": "low"})
}

#[test]
fn a_permission_is_classified_and_its_classification_removed() {
    let fixture = classifier();
    assert_eq!(fixture.get(&all()).all("id"), [""; 0]);
    let created = fixture.post(&all(), &low());
    assert_eq!(created.status, 201, "{}", created.text);
    // The id of the documented example, whose permission has the same id.
    assert_eq!(created.body["id"], "2G3-4TG6YU2J54hjnaRoPQE");
    let listed = fixture.get(&all()).body["value"].clone();
    let expected = json!([{
        "id": "2G3-4TG6YU2J54hjnaRoPQE", "classification": "low", "permissionId": READ, "permissionName": "Expenses.Read"
    }]);
    assert_eq!(listed, expected);
    assert_eq!(fixture.post(&all(), &low()).status, 400);
    let one = format!("{}/2G3-4TG6YU2J54hjnaRoPQE", all());
    assert_eq!(fixture.get(&one).status, 501);
    assert_eq!(fixture.delete(&one).status, 204);
    assert_eq!(fixture.delete(&one).status, 404);
    assert_eq!(fixture.get(&all()).all("id"), [""; 0]);
}

#[test]
fn only_permissions_that_the_api_offers_are_classified() {
    let fixture = classifier();
    let before = fixture.snapshot();
    for (name, value) in [
        ("permissionId", json!(null)),
        ("permissionId", json!(id(7))),
        ("permissionName", json!("User.Read")),
        ("classification", json!("none")),
        ("classification", json!(null)),
        ("colour", json!("red")),
    ] {
        let mut body = low();
        body[name] = value;
        let response = fixture.post(&all(), &body);
        assert_eq!(response.status, 400, "{body}");
    }
    assert_eq!(fixture.snapshot(), before);
    // The value of the permission comes from the API.
    let unnamed = json!({"permissionId": READ, "classification": "high"});
    let created = fixture.post(&all(), &unnamed);
    assert_eq!(created.body["permissionName"], "Expenses.Read");
}

#[test]
fn classifying_takes_its_permission_and_an_administrator() {
    let mut fixture = classifier();
    fixture.application(&["Application.ReadWrite.All", "Directory.ReadWrite.All"]);
    assert_eq!(fixture.post(&all(), &low()).status, 403);
    fixture.application(&["Directory.Read.All"]);
    assert_eq!(fixture.get(&all()).status, 200);
    fixture.adele(&["Policy.ReadWrite.PermissionGrant"]);
    assert_eq!(fixture.get(&all()).status, 403);
    assert_eq!(fixture.post(&all(), &low()).status, 403);
    fixture.promote(ADELE);
    assert_eq!(fixture.post(&all(), &low()).status, 201);
}
