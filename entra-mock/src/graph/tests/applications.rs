use super::*;

const APPS: &str = "/applications";

fn writer() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&[
        "Application.ReadWrite.All",
        "Directory.Read.All",
        "AuditLog.Read.All",
    ]);
    fixture
}

fn create(fixture: &Fixture, body: &Value) -> String {
    let response = fixture.post(APPS, body);
    assert_eq!(response.status, 201, "{}", response.text);
    response.body["id"].as_str().unwrap().to_owned()
}

fn activities(fixture: &Fixture) -> Vec<String> {
    let log = fixture.get("/auditLogs/directoryAudits?$top=50");
    log.body["value"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["category"] == "ApplicationManagement")
        .map(|entry| entry["activityDisplayName"].as_str().unwrap().to_owned())
        .collect()
}

fn role(number: u32, value: &str, enabled: bool) -> Value {
    json!({
        "id": id(number), "allowedMemberTypes": ["User"], "displayName": value, "description": value,
        "isEnabled": enabled, "value": value
    })
}

fn scope(number: u32, value: &str) -> Value {
    json!({
        "id": id(number), "adminConsentDisplayName": value, "adminConsentDescription": value,
        "type": "Admin", "value": value
    })
}

#[test]
fn a_new_application_has_the_documented_properties() {
    let fixture = writer();
    let response = fixture.post(APPS, &json!({"displayName": "Shop"}));
    assert_eq!(response.status, 201, "{}", response.text);
    let app = &response.body;
    assert_eq!(app["signInAudience"], "AzureADandPersonalMicrosoftAccount");
    assert_eq!(app["publisherDomain"], "contoso.com");
    assert_eq!(app["api"]["requestedAccessTokenVersion"], 2);
    assert_eq!(app["identifierUris"], json!([]));
    assert!(app["appId"].is_string() && app["appId"] != app["id"]);
    let by_app_id = format!("{APPS}(appId='{}')", app["appId"].as_str().unwrap());
    assert_eq!(fixture.get(&by_app_id).body["id"], app["id"]);
    assert_eq!(activities(&fixture), ["Add application"]);
}

#[test]
fn a_body_with_an_invalid_property_is_rejected() {
    let fixture = writer();
    let before = fixture.snapshot();
    for (body, message) in [
        (json!({}), "required for property 'displayName'"),
        (json!({"displayName": ""}), "property 'displayName'"),
        (json!({"displayName": 5}), "property 'displayName'"),
        (
            json!({"displayName": "A", "colour": "red"}),
            "'colour' does not exist",
        ),
        (
            json!({"displayName": "A", "appId": id(7)}),
            "'appId' is read-only",
        ),
        (
            json!({"displayName": "A", "publisherDomain": "x"}),
            "'publisherDomain' is read-only",
        ),
        (
            json!({"displayName": "A", "signInAudience": "All"}),
            "'signInAudience'",
        ),
        (
            json!({"displayName": "A", "web": {"colour": "red"}}),
            "'colour' does not exist",
        ),
        (json!({"displayName": "A", "web": []}), "'web'"),
        (
            json!({"displayName": "A", "owners": []}),
            "navigation property 'owners'",
        ),
        (
            json!({"displayName": "A", "identifierUris": ["shop"]}),
            "'identifierUris'",
        ),
        (
            json!({"displayName": "A", "identifierUris": ["https://contoso.com/"]}),
            "slash",
        ),
        (
            json!({"displayName": "A", "identifierUris": ["https://fabrikam.com/a"]}),
            "verified domain",
        ),
        (
            json!({"displayName": "A", "identifierUris": ["api://shop"]}),
            "verified domain",
        ),
        (
            json!({"displayName": "A", "identifierUris": ["https://notcontoso.com/a"]}),
            "verified domain",
        ),
    ] {
        let response = fixture.post(APPS, &body);
        assert_eq!(response.status, 400, "{body}");
        assert!(response.error().2.contains(message), "{}", response.text);
    }
    assert_eq!(fixture.snapshot(), before);
}

#[test]
fn unique_values_stay_taken_while_an_application_is_deleted() {
    let fixture = writer();
    let body = json!({"displayName": "Shop", "uniqueName": "shop", "identifierUris": ["https://sub.contoso.com/shop"]});
    let own = create(&fixture, &body);
    let taken = [
        json!({"displayName": "B", "uniqueName": "SHOP"}),
        json!({"displayName": "B", "identifierUris": ["https://SUB.contoso.com/shop"]}),
    ];
    let conflicts = || {
        taken.each_ref().map(|body| {
            let response = fixture.post(APPS, body);
            assert_eq!(
                response.body["error"]["details"][0]["code"], "ObjectConflict",
                "{}",
                response.text
            );
            response.status
        })
    };
    assert_eq!(conflicts(), [400, 400]);
    assert_eq!(
        fixture.get("/applications(uniqueName='shop')").body["id"],
        own.as_str()
    );
    let patch = fixture.patch(&format!("{APPS}/{own}"), &json!({"uniqueName": "other"}));
    assert_eq!(patch.status, 400);
    assert_eq!(fixture.delete(&format!("{APPS}/{own}")).status, 204);
    assert_eq!(conflicts(), [400, 400]);
    let free = json!({"displayName": "C", "uniqueName": "free"});
    assert_eq!(fixture.post(APPS, &free).status, 201);
    let item = format!("/directory/deletedItems/{own}");
    assert_eq!(fixture.delete(&item).status, 204);
    assert_eq!(fixture.post(APPS, &taken[0]).status, 201);
    assert!(activities(&fixture).contains(&"Hard Delete application".to_owned()));
}

#[test]
fn an_enabled_role_or_scope_cannot_be_removed() {
    let fixture = writer();
    let own = create(
        &fixture,
        &json!({
            "displayName": "Shop", "appRoles": [role(1, "Read", true), role(2, "Write", true)],
            "api": {"oauth2PermissionScopes": [scope(3, "Orders")]}
        }),
    );
    let one = format!("{APPS}/{own}");
    let removals = [
        json!({"appRoles": [role(2, "Write", true)]}),
        json!({"api": {"oauth2PermissionScopes": []}}),
    ];
    for body in &removals {
        let (status, code, message) = {
            let response = fixture.patch(&one, body);
            (
                response.status,
                response.error().1.to_owned(),
                response.error().2.to_owned(),
            )
        };
        assert_eq!(
            (status, &*code),
            (400, "CannotDeleteOrUpdateEnabledEntitlement")
        );
        assert!(message.contains("unless disabled first"));
    }
    let disabled = json!({"appRoles": [role(1, "Read", false), role(2, "Write", true)]});
    assert_eq!(fixture.patch(&one, &disabled).status, 204);
    assert_eq!(fixture.patch(&one, &removals[0]).status, 204);
    assert_eq!(fixture.get(&one).body["appRoles"][0]["value"], "Write");
    // Other parts of `api` stay as they are.
    let version = json!({"api": {"requestedAccessTokenVersion": 1}});
    assert_eq!(fixture.patch(&one, &version).status, 204);
    let scopes = &fixture.get(&one).body["api"]["oauth2PermissionScopes"];
    assert_eq!(scopes[0]["isEnabled"], true);
}

#[test]
fn roles_and_scopes_are_complete_and_unique() {
    let fixture = writer();
    let own = create(&fixture, &json!({"displayName": "Shop"}));
    let without = |mut item: Value, name: &str| {
        item.as_object_mut().unwrap().remove(name);
        item
    };
    let with = |mut item: Value, name: &str, value: Value| {
        item[name] = value;
        item
    };
    let good = role(1, "Read", true);
    for roles in [
        json!([without(good.clone(), "id")]),
        json!([without(good.clone(), "displayName")]),
        json!([without(good.clone(), "description")]),
        json!([without(good.clone(), "allowedMemberTypes")]),
        json!([with(good.clone(), "allowedMemberTypes", json!(["Group"]))]),
        json!([with(good.clone(), "value", json!("two words"))]),
        json!([with(good.clone(), "value", json!("x".repeat(121)))]),
        json!([good, role(1, "Write", true)]),
        json!([role(1, "Read", true), role(2, "Read", true)]),
    ] {
        let response = fixture.patch(&format!("{APPS}/{own}"), &json!({"appRoles": roles}));
        assert_eq!(response.status, 400, "{roles}");
    }
    let good = scope(3, "Orders");
    for scopes in [
        json!([without(good.clone(), "id")]),
        json!([without(good.clone(), "adminConsentDisplayName")]),
        json!([without(good.clone(), "value")]),
        json!([with(good, "type", json!("Everyone"))]),
    ] {
        let body = json!({"api": {"oauth2PermissionScopes": scopes}});
        let response = fixture.patch(&format!("{APPS}/{own}"), &body);
        assert_eq!(response.status, 400, "{scopes}");
    }
}

#[test]
fn the_service_principal_follows_its_application() {
    let fixture = writer();
    let one = format!("{APPS}/{}", id(DESK_APP));
    let patch = json!({
        "displayName": "Desk 2", "appRoles": [role(1, "Read", true)], "web": {"redirectUris": ["https://desk.contoso.com/auth"]}
    });
    assert_eq!(fixture.patch(&one, &patch).status, 204);
    let principal = fixture.get(&format!("/servicePrincipals/{}", id(DESK)));
    assert_eq!(principal.body["appDisplayName"], "Desk 2");
    assert_eq!(principal.body["displayName"], "Expense Desk");
    assert_eq!(principal.body["appRoles"][0]["value"], "Read");
    assert_eq!(
        principal.body["replyUrls"][0],
        "https://desk.contoso.com/auth"
    );
    assert_eq!(fixture.delete(&one).status, 204);
    assert_eq!(
        fixture
            .get(&format!("/servicePrincipals/{}", id(DESK)))
            .status,
        404
    );
    let restore = format!("/directory/deletedItems/{}/restore", id(DESK_APP));
    assert_eq!(fixture.post(&restore, &json!({})).status, 200);
    assert_eq!(
        fixture
            .get(&format!("/servicePrincipals/{}", id(DESK)))
            .status,
        404
    );
}

#[test]
fn a_password_is_shown_once_and_never_in_logs() {
    let fixture = writer();
    let own = create(&fixture, &json!({"displayName": "Shop"}));
    let one = format!("{APPS}/{own}");
    let body = json!({"passwordCredential": {"displayName": "deploy", "endDateTime": "2027-01-01T00:00:00Z"}});
    let response = fixture.post(&format!("{one}/addPassword"), &body);
    assert_eq!(response.status, 200, "{}", response.text);
    let secret = response.body["secretText"].as_str().unwrap();
    assert_eq!(response.body["hint"], secret[..3]);
    assert_eq!(response.body["endDateTime"], "2027-01-01T00:00:00Z");
    assert!(
        response.body["@odata.context"]
            .as_str()
            .unwrap()
            .ends_with("#microsoft.graph.passwordCredential")
    );
    let key_id = response.body["keyId"].clone();
    let read = fixture.get(&one);
    assert_eq!(read.body["passwordCredentials"][0]["keyId"], key_id);
    assert_eq!(
        read.body["passwordCredentials"][0]["secretText"],
        Value::Null
    );
    let log = fixture.get("/auditLogs/directoryAudits?$top=50");
    assert!(!read.text.contains(secret) && !log.text.contains(secret));
    assert!(log.text.contains("Certificates and secrets management"));

    let remove = format!("{one}/removePassword");
    for (body, status) in [
        (json!({}), 400),
        (json!({"keyId": "no guid"}), 400),
        (json!({"keyId": id(77)}), 400),
        (json!({"keyId": key_id, "force": true}), 400),
        (json!({"keyId": key_id}), 204),
        (json!({"keyId": key_id}), 400),
    ] {
        assert_eq!(fixture.post(&remove, &body).status, status, "{body}");
    }
    assert_eq!(fixture.get(&one).body["passwordCredentials"], json!([]));
}

#[test]
fn secrets_of_a_new_application_are_shown_in_its_response_only() {
    let fixture = writer();
    let body = json!({"displayName": "Shop", "passwordCredentials": [{"displayName": "one"}, {"displayName": "two"}]});
    let response = fixture.post(APPS, &body);
    assert_eq!(response.status, 201, "{}", response.text);
    let credentials = response.body["passwordCredentials"].as_array().unwrap();
    let secrets: Vec<&str> = credentials
        .iter()
        .map(|one| one["secretText"].as_str().unwrap())
        .collect();
    assert_ne!(secrets[0], secrets[1]);
    assert_eq!(credentials[1]["displayName"], "two");
    let one = format!("{APPS}/{}", response.body["id"].as_str().unwrap());
    let (read, log) = (
        fixture.get(&one),
        fixture.get("/auditLogs/directoryAudits?$top=50"),
    );
    assert_eq!(read.body["passwordCredentials"][0]["hint"], secrets[0][..3]);
    for secret in secrets {
        assert!(!read.text.contains(secret) && !log.text.contains(secret));
    }
    let invalid = json!({"displayName": "B", "passwordCredentials": [{"secretText": "mine"}]});
    assert_eq!(fixture.post(APPS, &invalid).status, 400);
    let patch = json!({"passwordCredentials": []});
    assert_eq!(fixture.patch(&one, &patch).status, 400);
}

#[test]
fn a_password_with_an_invalid_parameter_is_rejected() {
    let fixture = writer();
    let own = create(&fixture, &json!({"displayName": "Shop"}));
    let target = format!("{APPS}/{own}/addPassword");
    for credential in [
        json!("deploy"),
        json!({"displayName": 5}),
        json!({"colour": "red"}),
        json!({"secretText": "mine"}),
        json!({"keyId": id(5)}),
        json!({"endDateTime": "tomorrow"}),
        json!({"endDateTime": "2020-01-01T00:00:00Z"}),
        json!({"startDateTime": "2030-01-01T00:00:00Z", "endDateTime": "2029-01-01T00:00:00Z"}),
    ] {
        let body = json!({"passwordCredential": credential});
        assert_eq!(fixture.post(&target, &body).status, 400, "{body}");
    }
    assert_eq!(fixture.post(&target, &json!({"password": {}})).status, 400);
    let default = fixture.post(&target, &json!({}));
    let (start, end) = (&default.body["startDateTime"], &default.body["endDateTime"]);
    assert_eq!(start.as_str().unwrap()[..4], *"2026");
    assert_eq!(end.as_str().unwrap()[..4], *"2028");
}

#[test]
fn each_method_needs_its_permission() {
    let mut fixture = writer();
    let own = create(&fixture, &json!({"displayName": "Shop"}));
    let one = format!("{APPS}/{own}");
    let reference = json!({"@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{}", id(ADELE))});
    let all = |fixture: &Fixture| {
        [
            fixture.patch(&one, &json!({"notes": "n"})).status,
            fixture
                .post(&format!("{one}/addPassword"), &json!({}))
                .status,
            fixture
                .post(&format!("{one}/owners/$ref"), &reference)
                .status,
            fixture
                .delete(&format!("{one}/owners/{}/$ref", id(ADELE)))
                .status,
            fixture.delete(&one).status,
            fixture
                .post(
                    &format!("/directory/deletedItems/{own}/restore"),
                    &json!({}),
                )
                .status,
        ]
    };
    fixture.application(&[
        "Application.Read.All",
        "Directory.Read.All",
        "AppRegistration.Create",
    ]);
    assert_eq!(all(&fixture)[..5], [403; 5]);
    assert_eq!(fixture.post(APPS, &json!({"displayName": "B"})).status, 201);
    // `OwnedBy` without ownership.
    fixture.application(&["Application.ReadWrite.OwnedBy"]);
    assert_eq!(all(&fixture)[..5], [403; 5]);
    fixture.application(&["Application.ReadWrite.All"]);
    assert_eq!(all(&fixture), [204, 200, 204, 204, 204, 200]);
}

#[test]
fn a_user_owns_the_applications_that_the_user_registers() {
    let mut fixture = writer();
    let foreign = create(&fixture, &json!({"displayName": "Foreign"}));
    fixture.adele(&["Application.ReadWrite.All", "Directory.Read.All"]);
    let own = create(&fixture, &json!({"displayName": "Own"}));
    assert_eq!(
        fixture.get(&format!("{APPS}/{own}/owners")).all("id"),
        [id(ADELE)]
    );
    let rename = json!({"displayName": "New"});
    assert_eq!(fixture.patch(&format!("{APPS}/{own}"), &rename).status, 204);
    assert_eq!(
        fixture.patch(&format!("{APPS}/{foreign}"), &rename).status,
        403
    );
    fixture.promote(ADELE);
    assert_eq!(
        fixture.patch(&format!("{APPS}/{foreign}"), &rename).status,
        204
    );
    let by_administrator = create(&fixture, &json!({"displayName": "Third"}));
    assert_eq!(
        fixture
            .get(&format!("{APPS}/{by_administrator}/owners"))
            .all("id"),
        [""; 0]
    );
}

#[test]
fn the_limits_of_personal_accounts_start_with_a_named_audience() {
    let fixture = writer();
    let personal = json!({"signInAudience": "AzureADandPersonalMicrosoftAccount"});
    let roles = json!({"appRoles": [role(1, "Read", false)]});
    let no_roles = json!({"appRoles": []});
    let created = create(
        &fixture,
        &json!({"displayName": "Shop", "appRoles": [role(2, "Old", false)]}),
    );
    let one = format!("{APPS}/{created}");
    let shown = fixture.get(&one);
    assert!(!shown.text.contains('~'), "{}", shown.text);
    let status = |body: &Value| fixture.patch(&one, body).status;
    assert_eq!(status(&roles), 204);
    // What it has must fit the audience, though that is the one that it shows already.
    assert_eq!(status(&personal), 400);
    assert_eq!(status(&no_roles), 204);
    assert_eq!(status(&personal), 204);
    assert_eq!(status(&roles), 400);
    let renamed = json!({"displayName": "Store"});
    assert_eq!(status(&renamed), 204);
    assert_eq!(status(&roles), 400);

    let mut fixture = writer();
    let created = create(&fixture, &json!({"displayName": "Shop"}));
    let audience = personal.as_object().cloned().unwrap();
    let state = fixture.state();
    let set = state.set_unrestricted(Kind::Application, &created, audience);
    assert_eq!(set, Ok(()));
    let rejected = fixture.patch(&format!("{APPS}/{created}"), &roles);
    assert_eq!(rejected.status, 400);
}

#[test]
fn a_service_principal_keeps_its_own_names_if_the_application_changes_its_uris() {
    let mut fixture = writer();
    let own = |uri: &str| json!([id(220), uri, "https://desk.contoso.com/own"]);
    let app = format!("{APPS}/{}", id(DESK_APP));
    let uris = |uri: &str| json!({"identifierUris": [uri]});
    assert_eq!(
        fixture
            .patch(&app, &uris("https://contoso.com/desk"))
            .status,
        204
    );
    let names = own("https://contoso.com/desk");
    let store = &mut fixture.state().store;
    store.update(Kind::ServicePrincipal, &id(DESK), |principal| {
        principal.insert("servicePrincipalNames".into(), names);
    });
    assert_eq!(
        fixture.patch(&app, &uris("https://contoso.com/new")).status,
        204
    );
    let target = format!("/servicePrincipals/{}", id(DESK));
    let shown = fixture.get(&target).body["servicePrincipalNames"].clone();
    assert_eq!(shown, own("https://contoso.com/new"));
}
