use super::*;

pub(super) fn new_user() -> Value {
    json!({
        "accountEnabled": true, "displayName": "Dana Demir", "mailNickname": "dana",
        "userPrincipalName": "dana@contoso.com",
        "passwordProfile": {"password": "xWwvJ]6NMw+bWH-d", "forceChangePasswordNextSignIn": false}
    })
}

/// The same with one property changed. Null removes it.
fn with(name: &str, value: Value) -> Value {
    let mut user = new_user();
    if value.is_null() {
        user.as_object_mut().unwrap().remove(name);
    } else {
        user[name] = value;
    }
    user
}

pub(super) fn writer() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&[
        "User.ReadWrite.All",
        "User-PasswordProfile.ReadWrite.All",
        "AuditLog.Read.All",
    ]);
    fixture
}

#[test]
fn a_created_user_is_returned_and_listed() {
    let fixture = writer();
    let created = fixture.post(
        "/users?$select=id,userType,mailNickname,createdDateTime,passwordProfile",
        &with("jobTitle", json!("Lead")),
    );
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(
        created.body["@odata.context"],
        "https://tenant.test/v1.0/$metadata#users(id,userType,mailNickname,createdDateTime,passwordProfile)/$entity"
    );
    assert_eq!(created.body["userType"], "Member");
    assert_eq!(created.body["mailNickname"], "dana");
    assert_eq!(created.body["createdDateTime"], "2026-11-21T02:08:02Z");
    assert_eq!(
        created.body["passwordProfile"],
        json!({"password": null, "forceChangePasswordNextSignIn": false, "forceChangePasswordNextSignInWithMfa": false})
    );
    let id = created.body["id"].as_str().unwrap();
    assert!(created.header("location").unwrap().ends_with(&format!(
        "/directoryObjects/{id}/Microsoft.DirectoryServices.User"
    )));
    let read = fixture.get("/users/dana@contoso.com");
    assert_eq!(read.body["id"], id);
    assert_eq!(read.body["jobTitle"], "Lead");
    assert!(
        fixture
            .get("/users")
            .all("displayName")
            .contains(&"Dana Demir")
    );
}

#[test]
fn a_password_is_never_returned() {
    let fixture = writer();
    let created = fixture.post("/users", &new_user());
    let id = created.body["id"].as_str().unwrap().to_owned();
    let patched = fixture.patch(
        &format!("/users/{id}"),
        &json!({"passwordProfile": {"password": "canary-Q7xw-9"}}),
    );
    assert_eq!(patched.status, 204, "{}", patched.text);
    for target in [
        format!("/users/{id}?$select=passwordProfile,identities"),
        "/users".into(),
        "/auditLogs/directoryAudits".into(),
    ] {
        let text = fixture.get(&target).text;
        assert!(
            !text.contains("canary-Q7xw-9") && !text.contains("xWwvJ]6NMw"),
            "{target}"
        );
    }
}

#[test]
fn a_body_that_graph_rejects_changes_nothing() {
    let fixture = writer();
    for (body, part) in [
        (
            with("displayName", Value::Null),
            "A value is required for property 'displayName' of resource 'User'.",
        ),
        (with("accountEnabled", Value::Null), "'accountEnabled'"),
        (with("mailNickname", Value::Null), "'mailNickname'"),
        (
            with("userPrincipalName", Value::Null),
            "'userPrincipalName'",
        ),
        (with("passwordProfile", Value::Null), "'passwordProfile'"),
        (
            with(
                "passwordProfile",
                json!({"forceChangePasswordNextSignIn": true}),
            ),
            "'passwordProfile'",
        ),
        (
            with("passwordProfile", json!({"password": "short1A"})),
            "password complexity",
        ),
        (
            with(
                "passwordProfile",
                json!({"password": "xWwvJ]6NMw+bWH-d", "hint": "x"}),
            ),
            "Property 'hint' does not exist",
        ),
        (
            with("dispalyName", json!("x")),
            "Property 'dispalyName' does not exist as a declared property or extension property.",
        ),
        (
            with("createdDateTime", json!("2020-01-01T00:00:00Z")),
            "Property 'createdDateTime' is read-only and cannot be set.",
        ),
        (with("id", json!(id(700))), "Property 'id' is read-only"),
        (
            with("businessPhones", json!(["1", "2"])),
            "'businessPhones'",
        ),
        (
            with("userPrincipalName", json!("a\u{0}b@contoso.com")),
            "'userPrincipalName'",
        ),
        (
            with("userPrincipalName", json!("dot.@contoso.com")),
            "'userPrincipalName'",
        ),
        (with("mailNickname", json!("a\u{0}")), "'mailNickname'"),
        (
            with("proxyAddresses", json!(["SMTP:a@b.c"])),
            "'proxyAddresses' is read-only",
        ),
        (
            with("accountEnabled", json!("yes")),
            "Invalid value specified for property 'accountEnabled' of resource 'User'.",
        ),
        (with("businessPhones", json!("1")), "'businessPhones'"),
        (with("jobTitle", json!(5)), "'jobTitle'"),
        (with("jobTitle", json!("")), "'jobTitle'"),
        (with("jobTitle", json!("x".repeat(129))), "'jobTitle'"),
        (with("usageLocation", json!("Germany")), "'usageLocation'"),
        (with("userType", json!("Robot")), "'userType'"),
        (with("mail", json!("not an address")), "'mail'"),
        (with("mailNickname", json!("a b")), "'mailNickname'"),
        (
            with("userPrincipalName", json!("dana@elsewhere.example")),
            "The domain portion of the userPrincipalName property is invalid",
        ),
        (with("userPrincipalName", json!("dana")), "domain portion"),
        (
            with("userPrincipalName", json!("da na@contoso.com")),
            "'userPrincipalName'",
        ),
        (
            with("userPrincipalName", json!("Adele@CONTOSO.com")),
            "Another object with the same value for property userPrincipalName already exists.",
        ),
        (
            with("manager", json!({"id": "x"})),
            "navigation property 'manager'",
        ),
        (
            with(
                "extension_0123456789abcdef0123456789abcdef_level",
                json!("5"),
            ),
            "extension properties are not available",
        ),
        (
            with("employeeHireDate", json!("tomorrow")),
            "'employeeHireDate'",
        ),
        (
            with("@odata.type", json!("#microsoft.graph.group")),
            "not compatible",
        ),
    ] {
        let before = fixture.snapshot();
        let response = fixture.post("/users", &body);
        assert_eq!(response.status, 400, "{body}: {}", response.text);
        assert!(
            response.error().2.contains(part),
            "{body}: {}",
            response.text
        );
        assert_eq!(fixture.snapshot(), before, "{body}");
    }
}

#[test]
fn a_leave_date_takes_its_permission_at_creation_too() {
    let mut fixture = writer();
    let body = with("employeeLeaveDateTime", json!("2026-12-31T00:00:00Z"));
    let before = fixture.snapshot();
    let response = fixture.post("/users", &body);
    assert_eq!(
        (response.status, response.error().1),
        (403, "Authorization_RequestDenied")
    );
    assert_eq!(fixture.snapshot(), before);
    fixture.application(&["User.ReadWrite.All", "User-LifeCycleInfo.ReadWrite.All"]);
    assert_eq!(fixture.post("/users", &body).status, 201);
    // A password takes none, as every new user has one.
    let mut other = with("userPrincipalName", json!("dana2@contoso.com"));
    other["mailNickname"] = "dana2".into();
    fixture.application(&["User.ReadWrite.All"]);
    assert_eq!(fixture.post("/users", &other).status, 201);
}

#[test]
fn cleared_password_policies_do_not_allow_a_weak_password() {
    let fixture = writer();
    let policies = json!({"passwordPolicies": "DisableStrongPassword"});
    let adele = format!("/users/{}", id(ADELE));
    assert_eq!(fixture.patch(&adele, &policies).status, 204);
    let weak = json!({"password": "password"});
    let cleared = json!({"passwordPolicies": null, "passwordProfile": weak});
    let response = fixture.patch(&adele, &cleared);
    assert_eq!(response.status, 400, "{}", response.text);
    assert!(response.error().2.contains("complexity"));
    assert_eq!(
        fixture
            .patch(&adele, &json!({"passwordProfile": weak}))
            .status,
        204
    );
}

#[test]
fn a_conflict_names_the_property_in_its_details() {
    let fixture = writer();
    let response = fixture.post(
        "/users",
        &with("userPrincipalName", json!("bo@contoso.com")),
    );
    assert_eq!(response.error().0, 400);
    assert_eq!(response.body["error"]["code"], "Request_BadRequest");
    assert_eq!(
        response.body["error"]["details"][0]["code"],
        "ObjectConflict"
    );
    assert_eq!(
        response.body["error"]["details"][0]["target"],
        "userPrincipalName"
    );

    assert_eq!(
        fixture
            .post("/users", &with("mail", json!("d@contoso.com")))
            .status,
        201
    );
    let mut second = with("mail", json!("D@contoso.com"));
    second["userPrincipalName"] = json!("dana2@contoso.com");
    let response = fixture.post("/users", &second);
    assert_eq!(
        response.body["error"]["details"][0]["target"], "proxyAddresses",
        "{}",
        response.text
    );
}

#[test]
fn a_patch_sets_and_clears_properties_and_keeps_the_others() {
    let fixture = writer();
    let user = format!("/users/{}", id(ADELE));
    let response = fixture.patch(&user, &json!({"jobTitle": "Lead", "department": null, "onPremisesExtensionAttributes": {"extensionAttribute1": "a"}}));
    assert_eq!((response.status, response.text.as_str()), (204, ""));
    let response = fixture.patch(
        &user,
        &json!({"onPremisesExtensionAttributes": {"extensionAttribute2": "b"}}),
    );
    assert_eq!(response.status, 204, "{}", response.text);
    let read = fixture.get(&format!(
        "{user}?$select=jobTitle,department,displayName,onPremisesExtensionAttributes"
    ));
    assert_eq!(read.body["jobTitle"], "Lead");
    assert_eq!(read.body["department"], Value::Null);
    assert_eq!(read.body["displayName"], "Adele");
    assert_eq!(
        read.body["onPremisesExtensionAttributes"]["extensionAttribute1"],
        "a"
    );
    assert_eq!(
        read.body["onPremisesExtensionAttributes"]["extensionAttribute2"],
        "b"
    );
}

#[test]
fn a_patch_that_graph_rejects_changes_nothing() {
    let fixture = writer();
    for (body, part) in [
        (
            json!({"jobTitle": "Lead", "accountEnabled": null}),
            "A value is required",
        ),
        (
            json!({"jobTitle": "Lead", "displayName": null}),
            "'displayName'",
        ),
        (json!({"jobTitle": "Lead", "nickname": "x"}), "'nickname'"),
        (
            json!({"jobTitle": "Lead", "userPrincipalName": "bo@contoso.com"}),
            "userPrincipalName already exists",
        ),
        (
            json!({"jobTitle": "Lead", "businessPhones": null}),
            "'businessPhones'",
        ),
        (
            json!({"jobTitle": "Lead", "passwordProfile": {"password": "weak"}}),
            "complexity",
        ),
        (
            json!({"jobTitle": "Lead", "manager@odata.bind": "https://graph.microsoft.com/v1.0/users/x"}),
            "manager",
        ),
        (json!([]), "Unable to read JSON"),
    ] {
        let before = fixture.snapshot();
        let response = fixture.patch(&format!("/users/{}", id(ADELE)), &body);
        assert_eq!(response.status, 400, "{body}: {}", response.text);
        assert!(
            response.error().2.contains(part),
            "{body}: {}",
            response.text
        );
        assert_eq!(fixture.snapshot(), before, "{body}");
    }
    let response = fixture.patch(&format!("/users/{}", id(800)), &json!({"jobTitle": "Lead"}));
    assert_eq!(response.error().1, "Request_ResourceNotFound");
    let mut untyped = request("PATCH", &format!("/users/{}", id(ADELE)), &[]);
    untyped.body = b"{}".to_vec();
    assert!(fixture.send(&untyped).error().2.contains("Content-Type"));
}

#[test]
fn a_renamed_user_is_found_and_the_old_name_is_available() {
    let fixture = writer();
    assert_eq!(
        fixture
            .patch(
                "/users/bo@contoso.com",
                &json!({"userPrincipalName": "bodil@contoso.com"})
            )
            .status,
        204
    );
    assert_eq!(fixture.get("/users/bo@contoso.com").status, 404);
    assert_eq!(fixture.get("/users/bodil@contoso.com").body["id"], id(BO));
    assert_eq!(
        fixture
            .post(
                "/users",
                &with("userPrincipalName", json!("bo@contoso.com"))
            )
            .status,
        201
    );
}

#[test]
fn each_method_and_property_needs_its_permission() {
    let mut fixture = Fixture::new();
    let adele = format!("/users/{}", id(ADELE));
    for (roles, method, target, body, status) in [
        (&["User.Read.All"][..], "POST", "/users", new_user(), 403),
        (
            &["User.Read.All"],
            "PATCH",
            adele.as_str(),
            json!({"jobTitle": "x"}),
            403,
        ),
        (
            &["Group.ReadWrite.All"],
            "PATCH",
            &adele,
            json!({"jobTitle": "x"}),
            403,
        ),
        (
            &["User-Phone.ReadWrite.All"],
            "PATCH",
            &adele,
            json!({"mobilePhone": "1"}),
            204,
        ),
        (
            &["User-Phone.ReadWrite.All"],
            "PATCH",
            &adele,
            json!({"mobilePhone": "1", "jobTitle": "x"}),
            403,
        ),
        (
            &["User.EnableDisableAccount.All"],
            "PATCH",
            &adele,
            json!({"accountEnabled": false}),
            204,
        ),
        (
            &["User.ReadWrite.All"],
            "PATCH",
            &adele,
            json!({"passwordProfile": {"password": "xWwvJ]6NMw+bWH-d"}}),
            403,
        ),
        (
            &["User-PasswordProfile.ReadWrite.All"],
            "PATCH",
            &adele,
            json!({"passwordProfile": {"password": "xWwvJ]6NMw+bWH-d"}}),
            204,
        ),
        (&["User.ReadWrite.All"], "POST", "/users", new_user(), 201),
        (
            &["Directory.ReadWrite.All"],
            "PATCH",
            &adele,
            json!({"jobTitle": "x"}),
            204,
        ),
        (
            &["Directory.ReadWrite.All"],
            "DELETE",
            &adele,
            json!({}),
            403,
        ),
        (
            &["User.DeleteRestore.All"],
            "DELETE",
            &adele,
            json!({}),
            204,
        ),
    ] {
        fixture.application(roles);
        let response = fixture.write(method, target, &body);
        assert_eq!(
            response.status, status,
            "{roles:?} {method} {target} {body}: {}",
            response.text
        );
    }
}

#[test]
fn a_user_without_a_role_updates_only_some_own_properties() {
    let mut fixture = Fixture::new();
    fixture.adele(&["User.ReadWrite.All", "User.ReadWrite"]);
    assert_eq!(
        fixture
            .patch("/me", &json!({"mobilePhone": "+1 425 555 0109"}))
            .status,
        204
    );
    assert_eq!(
        fixture.patch("/me", &json!({"jobTitle": "Chief"})).status,
        403
    );
    assert_eq!(
        fixture
            .patch(&format!("/users/{}", id(BO)), &json!({"jobTitle": "x"}))
            .status,
        403
    );
    assert_eq!(fixture.post("/users", &new_user()).status, 403);
    assert_eq!(fixture.delete(&format!("/users/{}", id(BO))).status, 403);

    fixture.promote(ADELE);
    assert_eq!(
        fixture
            .patch(&format!("/users/{}", id(BO)), &json!({"jobTitle": "x"}))
            .status,
        204
    );
    assert_eq!(fixture.post("/users", &new_user()).status, 201);
}

#[test]
fn an_application_cannot_change_sensitive_properties_of_an_administrator() {
    let mut fixture = writer();
    fixture.promote(BO);
    let bo = format!("/users/{}", id(BO));
    assert_eq!(fixture.delete(&bo).status, 403);
    assert_eq!(
        fixture.patch(&bo, &json!({"accountEnabled": true})).status,
        403
    );
    assert_eq!(fixture.patch(&bo, &json!({"jobTitle": "x"})).status, 204);
}

#[test]
fn the_audit_log_has_the_old_and_the_new_value() {
    let fixture = writer();
    fixture.patch(
        &format!("/users/{}", id(ADELE)),
        &json!({"jobTitle": "Lead"}),
    );
    let audits = fixture.get("/auditLogs/directoryAudits?$filter=activityDisplayName eq 'Update user' and activityDateTime ge 2026-11-21T00:00:00Z");
    let audit = &audits.body["value"][0];
    assert_eq!(audit["category"], "UserManagement");
    assert_eq!(audit["initiatedBy"]["app"]["appId"], id(500));
    assert_eq!(audit["targetResources"][0]["id"], id(ADELE));
    assert_eq!(
        audit["targetResources"][0]["modifiedProperties"],
        json!([{"displayName": "JobTitle", "oldValue": "[\"Engineer\"]", "newValue": "[\"Lead\"]"}])
    );
}
