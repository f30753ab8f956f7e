//! Actions and lists beside the objects themselves: promoted and forcibly deleted domains, roles over units by role, what
//! was created, and extensions of all applications.

use super::*;

fn administrator() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&[
        "Application.ReadWrite.All",
        "AuditLog.Read.All",
        "Directory.Read.All",
        "Domain.ReadWrite.All",
        "Group.ReadWrite.All",
        "RoleManagement.ReadWrite.Directory",
        "User.ReadWrite.All",
    ]);
    fixture
}

fn domain(fixture: &Fixture, name: &str) {
    let created = fixture.post("/domains", &json!({"id": name}));
    assert_eq!(created.status, 201, "{}", created.text);
    let verified = fixture.post(&format!("/domains/{name}/verify"), &json!({}));
    assert_eq!(verified.status, 200, "{}", verified.text);
}

fn user_in(fixture: &Fixture, domain: &str) -> String {
    let user = json!({
        "accountEnabled": true, "displayName": "Robin", "mailNickname": "robin", "userPrincipalName": format!("robin@{domain}"),
        "passwordProfile": {"password": "xWwvJ]6NMw+bWH-d"}
    });
    let created = fixture.post("/users", &user);
    assert_eq!(created.status, 201, "{}", created.text);
    created.body["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_subdomain_has_a_root_domain_until_it_is_promoted() {
    let fixture = administrator();
    let created = fixture.post("/domains", &json!({"id": "sales.contoso.com"}));
    assert_eq!(created.body["isRoot"], false);
    let root = || fixture.get("/domains/sales.contoso.com/rootDomain");
    assert_eq!(root().all("id"), ["contoso.com"]);
    let promoted = fixture.post("/domains/sales.contoso.com/promote", &json!({}));
    assert_eq!(
        (promoted.status, &promoted.body["value"]),
        (200, &json!(true))
    );
    assert!(root().all("id").is_empty());
    let again = fixture.post("/domains/sales.contoso.com/promote", &json!({}));
    assert_eq!(again.status, 400);
    fixture.post("/domains", &json!({"id": "fabrikam.com"}));
    let unverified = fixture.post("/domains/fabrikam.com/promote", &json!({}));
    assert_eq!(unverified.status, 400);
    let log = fixture.get("/auditLogs/directoryAudits");
    assert!(
        log.all("activityDisplayName")
            .contains(&"Promote sub domain to root domain")
    );
}

#[test]
fn a_forced_deletion_moves_every_name_to_the_initial_domain() {
    let fixture = administrator();
    domain(&fixture, "fabrikam.com");
    let robin = user_in(&fixture, "fabrikam.com");
    let app = format!("/applications/{}", id(DESK_APP));
    let uris =
        json!({"identifierUris": ["https://fabrikam.com/desk"], "signInAudience": "AzureADMyOrg"});
    assert_eq!(fixture.patch(&app, &uris).status, 204);
    let path = "/domains/fabrikam.com/forceDelete";
    for body in [json!({"disableUserAccounts": "no"}), json!({"other": true})] {
        assert_eq!(fixture.post(path, &body).status, 400, "{body}");
    }
    assert_eq!(fixture.post(path, &json!({})).status, 204);
    assert_eq!(fixture.get("/domains/fabrikam.com").status, 404);
    let query = "?$select=userPrincipalName,accountEnabled";
    let read = fixture.get(&format!("/users/{robin}{query}"));
    assert_eq!(read.body["userPrincipalName"], "robin@contoso.com");
    assert_eq!(read.body["accountEnabled"], false, "the default");
    let app = fixture.get(&app);
    assert_eq!(
        app.body["identifierUris"],
        json!(["https://contoso.com/desk"])
    );
    let initial = fixture.post("/domains/contoso.com/forceDelete", &json!({}));
    assert_eq!(initial.status, 400);
}

#[test]
fn a_forced_deletion_keeps_accounts_enabled_where_the_body_says_so() {
    let fixture = administrator();
    domain(&fixture, "fabrikam.com");
    let robin = user_in(&fixture, "fabrikam.com");
    let body = json!({"disableUserAccounts": false});
    let deleted = fixture.post("/domains/fabrikam.com/forceDelete", &body);
    assert_eq!(deleted.status, 204, "{}", deleted.text);
    let query = "?$select=userPrincipalName,accountEnabled";
    let read = fixture.get(&format!("/users/{robin}{query}"));
    assert_eq!(read.body["userPrincipalName"], "robin@contoso.com");
    assert_eq!(read.body["accountEnabled"], true);
}

#[test]
fn a_forced_deletion_that_would_take_the_name_of_another_user_changes_nothing() {
    let fixture = administrator();
    domain(&fixture, "fabrikam.com");
    let robin = user_in(&fixture, "fabrikam.com");
    user_in(&fixture, "contoso.com");
    let response = fixture.post("/domains/fabrikam.com/forceDelete", &json!({}));
    assert_eq!(response.status, 400, "{}", response.text);
    assert!(
        response.error().2.contains("userPrincipalName"),
        "{}",
        response.text
    );
    let read = fixture.get(&format!("/users/{robin}"));
    assert_eq!(read.body["userPrincipalName"], "robin@fabrikam.com");
    assert_eq!(fixture.get("/domains/fabrikam.com").status, 200);
}

#[test]
fn the_default_domain_is_not_deleted_by_force() {
    let fixture = administrator();
    domain(&fixture, "fabrikam.com");
    let default = json!({"isDefault": true});
    assert_eq!(fixture.patch("/domains/fabrikam.com", &default).status, 204);
    let response = fixture.post("/domains/fabrikam.com/forceDelete", &json!({}));
    assert_eq!(response.status, 400, "{}", response.text);
}

#[test]
fn a_domain_of_a_multitenant_application_is_not_deleted_by_force() {
    let fixture = administrator();
    domain(&fixture, "fabrikam.com");
    let app = format!("/applications/{}", id(DESK_APP));
    let uris = json!({"signInAudience": "AzureADMultipleOrgs", "identifierUris": ["https://fabrikam.com/desk"]});
    assert_eq!(fixture.patch(&app, &uris).status, 204);
    let response = fixture.post("/domains/fabrikam.com/forceDelete", &json!({}));
    assert_eq!(response.status, 400, "{}", response.text);
    assert_eq!(fixture.get("/domains/fabrikam.com").status, 200);
}

#[test]
fn a_role_is_found_by_its_template_in_both_forms_and_lists_its_members_over_units() {
    let mut fixture = administrator();
    let template = "fe930be7-5e62-47db-91af-98c3a49a38b1";
    let role = fixture.post("/directoryRoles", &json!({"roleTemplateId": template}));
    assert_eq!(role.status, 201, "{}", role.text);
    for path in [
        format!("/directoryRoles/roleTemplateId={template}"),
        format!("/directoryRoles(roleTemplateId='{template}')"),
    ] {
        assert_eq!(fixture.get(&path).body["id"], role.body["id"], "{path}");
        assert_eq!(fixture.get(&format!("{path}/scopedMembers")).status, 200);
    }
    assert_eq!(
        fixture
            .get(&format!("/users/roleTemplateId={template}"))
            .status,
        404
    );
    let path = format!(
        "/directoryRoles/{}/scopedMembers",
        role.body["id"].as_str().unwrap()
    );
    fixture.application(&["User.Read.All"]);
    assert_eq!(fixture.get(&path).status, 403);
}

#[test]
fn objects_that_no_administrator_created_have_their_creator() {
    let mut fixture = Fixture::new();
    fixture.adele(&[
        "Application.ReadWrite.All",
        "Directory.Read.All",
        "User.Read",
    ]);
    let app = fixture.post("/applications", &json!({"displayName": "Orders"}));
    assert_eq!(app.status, 201, "{}", app.text);
    let created = fixture.get("/me/createdObjects");
    assert_eq!(created.all("id"), [app.body["id"].as_str().unwrap()]);
    let filter = format!(
        "/applications?$filter=createdOnBehalfOf/id eq '{}'",
        id(ADELE)
    );
    assert_eq!(fixture.get(&filter).all("displayName"), ["Orders"]);
    let filter = format!("/applications?$filter=createdOnBehalfOf/id eq '{}'", id(BO));
    assert!(fixture.get(&filter).all("id").is_empty());
    // What a user with a role creates has no creator.
    fixture.application(&["RoleManagement.ReadWrite.Directory"]);
    let role = json!({
        "principalId": id(ADELE), "roleDefinitionId": "158c047a-c907-4556-b7ef-446551a6b5f7", "directoryScopeId": "/"
    });
    let assigned = fixture.post("/roleManagement/directory/roleAssignments", &role);
    assert_eq!(assigned.status, 201, "{}", assigned.text);
    fixture.adele(&[
        "Application.ReadWrite.All",
        "Directory.Read.All",
        "User.Read",
    ]);
    let second = fixture.post("/applications", &json!({"displayName": "Returns"}));
    assert_eq!(second.status, 201, "{}", second.text);
    let created = fixture.get("/me/createdObjects");
    assert_eq!(created.all("id"), [app.body["id"].as_str().unwrap()]);
}

#[test]
fn deleted_groups_of_an_owner_take_a_known_user_and_type() {
    let fixture = administrator();
    let path = "/directory/deletedItems/getUserOwnedObjects";
    let group = fixture.post(
        "/groups",
        &json!({
            "displayName": "Movers", "mailNickname": "movers", "mailEnabled": true, "securityEnabled": false, "groupTypes": ["Unified"],
            "owners@odata.bind": [format!("https://graph.microsoft.com/v1.0/users/{}", id(ADELE))]
        }),
    );
    assert_eq!(group.status, 201, "{}", group.text);
    let group = group.body["id"].as_str().unwrap().to_owned();
    assert_eq!(fixture.delete(&format!("/groups/{group}")).status, 204);
    let body = |user: u32, kind: &str| json!({"userId": id(user), "type": kind});
    assert_eq!(
        fixture.post(path, &body(ADELE, "Group")).all("id"),
        [&group]
    );
    assert!(fixture.post(path, &body(BO, "Group")).all("id").is_empty());
    assert!(
        fixture
            .post(path, &body(ADELE, "Application"))
            .all("id")
            .is_empty()
    );
    assert_eq!(fixture.post(path, &body(ADELE, "User")).status, 400);
    assert_eq!(fixture.post(path, &body(77, "Group")).status, 404);
    assert_eq!(fixture.post(path, &json!({"type": "Group"})).status, 400);
}

#[test]
fn extensions_of_all_applications_are_listed_with_their_type() {
    let fixture = administrator();
    let path = format!("/applications/{}/extensionProperties", id(DESK_APP));
    let body = json!({"name": "level", "dataType": "String", "targetObjects": ["User"]});
    assert_eq!(fixture.post(&path, &body).status, 201);
    let path = "/directoryObjects/getAvailableExtensionProperties";
    let all = fixture.post(path, &json!({}));
    assert_eq!(
        all.body["value"][0]["@odata.type"],
        "#microsoft.graph.extensionProperty"
    );
    assert_eq!(all.body["value"][0]["appDisplayName"], "Expense Desk");
    let synced = fixture.post(path, &json!({"isSyncedFromOnPremises": true}));
    assert!(synced.all("id").is_empty());
    let wrong = fixture.post(path, &json!({"isSyncedFromOnPremises": "yes"}));
    assert_eq!(wrong.status, 400);
}

#[test]
fn extension_attributes_are_returned_with_every_member() {
    let mut fixture = Fixture::new();
    fixture.application(&["Device.Read.All"]);
    let attributes = json!({"extensionAttribute1": "BYOD-Device"});
    let mut state = fixture.tenant.write().unwrap();
    state.store.update(Kind::Device, &id(LAPTOP), |device| {
        device.insert("extensionAttributes".to_owned(), attributes);
    });
    drop(state);
    let read = fixture.get(&format!("/devices/{}", id(LAPTOP)));
    let attributes = read.body["extensionAttributes"].as_object().unwrap();
    assert_eq!(attributes.len(), 15, "{}", read.text);
    assert_eq!(attributes["extensionAttribute15"], Value::Null);
}
