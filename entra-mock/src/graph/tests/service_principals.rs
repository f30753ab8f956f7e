use super::*;

const PRINCIPALS: &str = "/servicePrincipals";
const SHOP_APP: u32 = 51;
const CLIENT: u32 = 53;

/// A tenant with the registration of an application that has no service principal yet.
fn with_application() -> Fixture {
    let mut fixture = Fixture::new();
    let shop = json!({
        "id": id(SHOP_APP), "appId": id(52), "displayName": "Shop", "signInAudience": "AzureADMyOrg",
        "identifierUris": ["api://shop"], "web": {"redirectUris": ["https://shop.example/callback"]},
        "api": {"oauth2PermissionScopes": [{"id": id(60), "value": "Orders.Read", "isEnabled": true, "type": "User"}]},
        "appRoles": [{"id": id(61), "value": "Clerk", "isEnabled": true, "allowedMemberTypes": ["User"]}]
    });
    let client = json!({"id": id(CLIENT), "appId": id(500), "displayName": "Client"});
    for (kind, object) in [(Kind::Application, shop), (Kind::ServicePrincipal, client)] {
        let object = object.as_object().cloned().unwrap();
        fixture.state().store.insert(kind, object).unwrap();
    }
    fixture.application(&["Application.ReadWrite.All", "AuditLog.Read.All"]);
    fixture
}

fn own_only(fixture: &mut Fixture) {
    fixture.application(&["Application.ReadWrite.OwnedBy", "Application.Read.All"]);
    fixture.caller.service_principal_id = Some(id(CLIENT));
}

fn of_shop() -> Value {
    json!({"appId": id(52)})
}

fn create(fixture: &Fixture) -> String {
    let created = fixture.post(PRINCIPALS, &of_shop());
    assert_eq!(created.status, 201, "{}", created.text);
    created.body["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_service_principal_takes_names_roles_and_scopes_from_its_application() {
    let fixture = with_application();
    let created = fixture.post(PRINCIPALS, &of_shop());
    assert_eq!(created.status, 201, "{}", created.text);
    let tenant_id = fixture.tenant.read().unwrap().tenant_id.to_string();
    for (name, expected) in [
        ("appId", json!(id(52))),
        ("displayName", json!("Shop")),
        ("appDisplayName", json!("Shop")),
        ("accountEnabled", json!(true)),
        ("appRoleAssignmentRequired", json!(false)),
        ("appOwnerOrganizationId", json!(tenant_id)),
        ("servicePrincipalType", json!("Application")),
        ("servicePrincipalNames", json!([id(52), "api://shop"])),
        ("replyUrls", json!(["https://shop.example/callback"])),
        ("tags", json!([])),
    ] {
        assert_eq!(created.body[name], expected, "{name}");
    }
    assert_eq!(created.body["appRoles"][0]["value"], "Clerk");
    assert_eq!(
        created.body["oauth2PermissionScopes"][0]["value"],
        "Orders.Read"
    );
    let by_app_id = fixture.get(&format!("{PRINCIPALS}(appId='{}')", id(52)));
    assert_eq!(by_app_id.body["id"], created.body["id"]);
    let again = fixture.post(PRINCIPALS, &of_shop());
    assert_eq!(
        (again.error().0, again.error().1),
        (409, "Request_MultipleObjectsWithSameKeyValue")
    );
    assert!(
        again.error().2.contains("is already in use"),
        "{}",
        again.text
    );
}

#[test]
fn a_service_principal_is_changed_deleted_restored_and_purged() {
    let mut fixture = with_application();
    let new = create(&fixture);
    let one = format!("{PRINCIPALS}/{new}");
    let patch = json!({
        "accountEnabled": false, "appRoleAssignmentRequired": true, "tags": ["HideApp"], "notes": "n",
        "preferredSingleSignOnMode": "saml"
    });
    assert_eq!(fixture.patch(&one, &patch).status, 204);
    let read = fixture.get(&one);
    for (name, value) in patch.as_object().unwrap() {
        assert_eq!(read.body[name], *value);
    }
    let by_app_id = format!("{PRINCIPALS}(appId='{}')", id(52));
    assert_eq!(
        fixture.patch(&by_app_id, &json!({"notes": null})).status,
        204
    );
    assert_eq!(fixture.get(&one).body["notes"], Value::Null);

    assert_eq!(fixture.delete(&one).status, 204);
    assert_eq!(fixture.get(&one).status, 404);
    let deleted = fixture.get("/directory/deletedItems/microsoft.graph.servicePrincipal");
    assert_eq!(deleted.all("id"), [new.as_str()]);
    let item = format!("/directory/deletedItems/{new}");
    // Another one of the same application is in the way of the restore.
    let other = format!("{PRINCIPALS}/{}", create(&fixture));
    let restore = fixture.post(&format!("{item}/restore"), &json!({}));
    assert_eq!(
        (restore.error().0, restore.error().1),
        (409, "Request_MultipleObjectsWithSameKeyValue")
    );
    assert_eq!(fixture.delete(&other).status, 204);
    fixture.application(&["Application.Read.All"]);
    assert_eq!(
        fixture.post(&format!("{item}/restore"), &json!({})).status,
        403
    );
    assert_eq!(fixture.delete(&item).status, 403);
    fixture.application(&["Application.ReadWrite.All", "AuditLog.Read.All"]);
    let restored = fixture.post(&format!("{item}/restore"), &json!({}));
    assert_eq!(restored.body["id"], new.as_str());
    assert_eq!(fixture.delete(&one).status, 204);
    assert_eq!(fixture.delete(&item).status, 204);
    assert_eq!(fixture.get(&item).status, 404);
    for (name, operation) in [
        ("Add service principal", "Add"),
        ("Update service principal", "Update"),
        ("Remove service principal", "Delete"),
        ("Restore service principal", "Add"),
        ("Hard delete service principal", "Delete"),
    ] {
        let log = fixture.get(&format!(
            "/auditLogs/directoryAudits?$filter=activityDisplayName eq '{name}'"
        ));
        let entry = &log.body["value"][0];
        assert_eq!(entry["category"], "ApplicationManagement", "{name}");
        assert_eq!(entry["operationType"], operation, "{name}");
    }
}

#[test]
fn a_service_principal_is_restored_after_its_application() {
    let fixture = with_application();
    let new = create(&fixture);
    let restore = |item: &str| {
        let url = format!("/directory/deletedItems/{item}/restore");
        fixture.post(&url, &json!({}))
    };
    // It goes with its application.
    let application = format!("/applications/{}", id(SHOP_APP));
    assert_eq!(fixture.delete(&application).status, 204);
    let before = fixture.snapshot();
    let rejected = restore(&new);
    assert_eq!(
        (rejected.error().0, rejected.error().1),
        (400, "Request_BadRequest"),
        "{}",
        rejected.text
    );
    assert_eq!(
        rejected.body["error"]["details"][0]["code"],
        "NoBackingApplicationObject"
    );
    assert_eq!(fixture.snapshot(), before);
    assert_eq!(restore(&id(SHOP_APP)).status, 200);
    assert_eq!(restore(&new).status, 200);

    assert_eq!(fixture.delete(&application).status, 204);
    let purged = fixture.delete(&format!("/directory/deletedItems/{}", id(SHOP_APP)));
    assert_eq!(purged.status, 204, "{}", purged.text);
    // It stays among the deleted items, and cannot be restored any more.
    assert_eq!(restore(&new).status, 400);
    let item = format!("/directory/deletedItems/{new}");
    assert_eq!(fixture.get(&item).status, 200);
    assert_eq!(fixture.delete(&item).status, 204);
}

#[test]
fn a_service_principal_has_an_application_and_only_documented_values() {
    let fixture = with_application();
    for (body, message) in [
        (json!({}), "required for property 'appId'"),
        (json!({"appId": "shop"}), "Invalid object identifier"),
        (
            json!({"appId": id(800)}),
            "does not reference a valid application object",
        ),
        // The object id of the registration is not its client id.
        (
            json!({"appId": id(SHOP_APP)}),
            "does not reference a valid application object",
        ),
        (
            json!({"appId": id(52), "appDisplayName": "S"}),
            "'appDisplayName' is read-only",
        ),
        (
            json!({"appId": id(52), "publisher": "S"}),
            "'publisher' does not exist",
        ),
        (
            json!({"appId": id(52), "tags": "HideApp"}),
            "property 'tags'",
        ),
        (
            json!({"appId": id(52), "accountEnabled": "no"}),
            "property 'accountEnabled'",
        ),
        (
            json!({"appId": id(52), "notes": "n".repeat(1025)}),
            "property 'notes'",
        ),
        (
            json!({"appId": id(52), "preferredSingleSignOnMode": "kerberos"}),
            "property 'preferredSingleSignOnMode'",
        ),
        (
            json!({"appId": id(52), "passwordCredentials": []}),
            "is read-only",
        ),
        (
            json!({"appId": id(52), "owners": []}),
            "navigation property 'owners'",
        ),
    ] {
        let before = fixture.snapshot();
        let response = fixture.post(PRINCIPALS, &body);
        assert_eq!(response.status, 400, "{body} {}", response.text);
        assert!(
            response.error().2.contains(message),
            "{body} {}",
            response.text
        );
        assert_eq!(fixture.snapshot(), before);
    }
    let unknown = fixture.post(PRINCIPALS, &json!({"appId": id(800)}));
    let detail = &unknown.body["error"]["details"][0];
    assert_eq!(detail["code"], "NoBackingApplicationObject");
    let one = format!("{PRINCIPALS}/{}", create(&fixture));
    for body in [
        json!({"appId": id(800)}),
        json!({"servicePrincipalType": "ManagedIdentity"}),
        json!({"appRoleAssignmentRequired": null}),
    ] {
        assert_eq!(fixture.patch(&one, &body).status, 400, "{body}");
    }
}

#[test]
fn an_application_with_owned_by_writes_its_own_service_principals_only() {
    let mut fixture = with_application();
    own_only(&mut fixture);
    let foreign = fixture.post(PRINCIPALS, &of_shop());
    assert_eq!(foreign.error().0, 403);
    let absent = fixture.post(PRINCIPALS, &json!({"appId": id(800)}));
    assert_eq!(absent.error().0, 403);
    assert!(
        absent.error().2.contains("in the local tenant"),
        "{}",
        absent.text
    );
    let (app, client) = (id(SHOP_APP), id(CLIENT));
    assert!(fixture.state().store.link(Relation::Owners, &app, &client));
    let one = format!("{PRINCIPALS}/{}", create(&fixture));
    assert_eq!(
        fixture.get(&format!("{one}/owners")).all("id"),
        [id(CLIENT)]
    );
    assert_eq!(fixture.patch(&one, &json!({"notes": "n"})).status, 204);
    let desk = format!("{PRINCIPALS}/{}", id(DESK));
    assert_eq!(fixture.patch(&desk, &json!({"notes": "n"})).status, 403);
    assert_eq!(fixture.delete(&desk).status, 403);
    assert_eq!(fixture.delete(&one).status, 204);
}

#[test]
fn an_application_that_writes_all_does_not_own_what_it_creates() {
    let mut fixture = with_application();
    fixture.caller.service_principal_id = Some(id(CLIENT));
    let owners = format!("{PRINCIPALS}/{}/owners", create(&fixture));
    assert!(fixture.get(&owners).all("id").is_empty());
}

#[test]
fn a_user_creates_service_principals_of_own_applications_only() {
    let mut fixture = with_application();
    fixture.adele(&["Application.ReadWrite.All"]);
    assert_eq!(fixture.post(PRINCIPALS, &of_shop()).status, 403);
    let (app, adele) = (id(SHOP_APP), id(ADELE));
    assert!(fixture.state().store.link(Relation::Owners, &app, &adele));
    let one = format!("{PRINCIPALS}/{}", create(&fixture));
    assert_eq!(fixture.patch(&one, &json!({"notes": "n"})).status, 403);
    fixture.promote(ADELE);
    assert_eq!(fixture.patch(&one, &json!({"notes": "n"})).status, 204);
}

#[test]
fn owners_are_users_and_service_principals_by_reference() {
    let fixture = with_application();
    let one = format!("{PRINCIPALS}/{}", create(&fixture));
    let owners = format!("{one}/owners");
    let add = |number: u32| {
        let url = format!(
            "https://graph.microsoft.com/v1.0/directoryObjects/{}",
            id(number)
        );
        fixture
            .post(&format!("{owners}/$ref"), &json!({"@odata.id": url}))
            .status
    };
    assert_eq!([ADELE, DESK].map(add), [204; 2]);
    assert_eq!([ADELE, ENGINEERS, 800].map(add), [400, 400, 404]);
    assert_eq!(fixture.get(&owners).all("id"), [id(ADELE), id(DESK)]);
    for owner in [ADELE, DESK] {
        let path = format!("{owners}/{}/$ref", id(owner));
        assert_eq!(fixture.delete(&path).status, 204);
        assert_eq!(fixture.delete(&path).status, 400);
    }
    for name in [
        "Add owner to service principal",
        "Remove owner from service principal",
    ] {
        let log = fixture.get(&format!(
            "/auditLogs/directoryAudits?$filter=activityDisplayName eq '{name}'"
        ));
        assert_eq!(log.body["value"].as_array().unwrap().len(), 2, "{name}");
    }
}

#[test]
fn a_secret_is_returned_once_and_removed_by_its_id() {
    let mut fixture = with_application();
    let one = format!("{PRINCIPALS}/{}", create(&fixture));
    let body = json!({"passwordCredential": {"displayName": "deploy"}});
    let added = fixture.post(&format!("{one}/addPassword"), &body);
    assert_eq!(added.status, 200, "{}", added.text);
    let text = added.body["secretText"].as_str().unwrap().to_owned();
    let read = fixture.get(&one);
    assert!(!read.text.contains(&text), "{}", read.text);
    assert_eq!(read.body["passwordCredentials"][0]["displayName"], "deploy");
    let removal = json!({"keyId": added.body["keyId"]});
    fixture.application(&["Application.Read.All"]);
    for action in ["addPassword", "removePassword"] {
        assert_eq!(
            fixture.post(&format!("{one}/{action}"), &removal).status,
            403
        );
    }
    fixture.application(&["Application.ReadWrite.All"]);
    assert_eq!(
        fixture
            .post(&format!("{one}/removePassword"), &removal)
            .status,
        204
    );
    assert_eq!(
        fixture
            .post(&format!("{one}/removePassword"), &removal)
            .status,
        400
    );
    assert_eq!(fixture.get(&one).body["passwordCredentials"], json!([]));
}
