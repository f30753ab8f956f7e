//! Rules of writes: roles, changes that follow from a change, and their audit.

use super::{
    groups::{new_group, unified, writer},
    users::new_user,
    *,
};

pub(super) fn audits(fixture: &Fixture, name: &str) -> Vec<Value> {
    let target = format!(
        "/auditLogs/directoryAudits?$filter=activityDisplayName eq '{name}' and activityDateTime ge 2026-11-21T00:00:00Z"
    );
    fixture.get(&target).body["value"]
        .as_array()
        .unwrap()
        .clone()
}

pub(super) fn reference(to: &str) -> Value {
    json!({"@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{to}?$select=id")})
}

#[test]
fn a_user_without_a_role_cannot_change_other_users() {
    let mut fixture = Fixture::new();
    fixture.adele(&["User.ReadWrite.All", "User.ReadWrite"]);
    let bo = format!("/users/{}", id(BO));
    assert_eq!(fixture.patch(&bo, &json!({"mobilePhone": "1"})).status, 403);
    fixture.promote(ADELE);
    assert_eq!(fixture.patch(&bo, &json!({"mobilePhone": "1"})).status, 204);
    // An administrator changes another one, which an application cannot do.
    fixture.promote(BO);
    assert_eq!(
        fixture.patch(&bo, &json!({"accountEnabled": true})).status,
        204
    );
    assert_eq!(fixture.delete(&bo).status, 204);
}

#[test]
fn guests_cannot_create_groups() {
    let mut fixture = Fixture::new();
    fixture
        .state()
        .store
        .update(Kind::User, &id(ADELE), |user| {
            user.insert("userType".into(), "Guest".into());
        });
    fixture.adele(&["Group.ReadWrite.All"]);
    assert_eq!(fixture.post("/groups", &new_group()).status, 403);
}

#[test]
fn named_owners_replace_the_creator_and_users_have_no_owners() {
    let mut fixture = Fixture::new();
    fixture.adele(&[
        "Group.ReadWrite.All",
        "User.ReadWrite.All",
        "Directory.Read.All",
    ]);
    fixture.promote(ADELE);
    let mut body = new_group();
    body["owners@odata.bind"] = json!([format!("https://x/v1.0/users/{}", id(BO))]);
    let created = fixture.post("/groups", &body);
    let owners = format!("/groups/{}/owners", created.body["id"].as_str().unwrap());
    assert_eq!(fixture.get(&owners).all("id"), [id(BO)]);
    let user = fixture.post("/users", &new_user());
    assert_eq!(user.status, 201, "{}", user.text);
    let owned = fixture.get(&format!("/users/{}/ownedObjects", id(ADELE)));
    assert!(!owned.all("id").contains(&user.body["id"].as_str().unwrap()));
}

#[test]
fn properties_with_their_own_permissions_need_exactly_these() {
    let mut fixture = Fixture::new();
    let adele = format!("/users/{}", id(ADELE));
    for (permission, body) in [
        (
            "User-Mail.ReadWrite.All",
            json!({"otherMails": ["a@x.example"]}),
        ),
        ("User-Phone.ReadWrite.All", json!({"businessPhones": ["1"]})),
        (
            "User.EnableDisableAccount.All",
            json!({"accountEnabled": true}),
        ),
        (
            "User.ManageIdentities.All",
            json!({"identities": [{"signInType": "federated", "issuer": "x.example", "issuerAssignedId": "1"}]}),
        ),
    ] {
        for (role, status) in [
            (permission, 204),
            ("User.ReadWrite.All", 204),
            ("User-PasswordProfile.ReadWrite.All", 403),
        ] {
            fixture.application(&[role]);
            let response = fixture.patch(&adele, &body);
            assert_eq!(response.status, status, "{role} {body}: {}", response.text);
        }
    }
    fixture.application(&["User.ReadWrite.All", "Directory.ReadWrite.All"]);
    let leave = json!({"employeeLeaveDateTime": "2026-12-31T00:00:00Z"});
    assert_eq!(fixture.patch(&adele, &leave).status, 403);
    fixture.application(&["User.ReadWrite.All", "User-LifeCycleInfo.ReadWrite.All"]);
    assert_eq!(fixture.patch(&adele, &leave).status, 204);
}

#[test]
fn every_sensitive_property_of_an_administrator_needs_a_role() {
    let mut fixture = Fixture::new();
    fixture.promote(ADELE);
    fixture.application(&[
        "User.ReadWrite.All",
        "User-PasswordProfile.ReadWrite.All",
        "User.RevokeSessions.All",
    ]);
    let adele = format!("/users/{}", id(ADELE));
    for body in [
        json!({"accountEnabled": false}),
        json!({"businessPhones": []}),
        json!({"mobilePhone": "1"}),
        json!({"onPremisesImmutableId": "x"}),
        json!({"otherMails": []}),
        json!({"passwordProfile": {"password": "xWwvJ]6NMw+bWH-d"}}),
        json!({"userPrincipalName": "a@contoso.com"}),
    ] {
        assert_eq!(fixture.patch(&adele, &body).status, 403, "{body}");
    }
    assert_eq!(
        fixture
            .post(&format!("{adele}/revokeSignInSessions"), &json!({}))
            .status,
        403
    );
}

#[test]
fn a_role_assignable_group_needs_role_management_at_every_step() {
    let mut fixture = writer();
    let mut body = new_group();
    body["isAssignableToRole"] = json!(true);
    assert_eq!(fixture.post("/groups", &body).status, 403);
    fixture.application(&["Group.ReadWrite.All", "RoleManagement.ReadWrite.Directory"]);
    let created = fixture.post("/groups", &body);
    assert_eq!(created.status, 201, "{}", created.text);
    let group = format!("/groups/{}", created.body["id"].as_str().unwrap());
    let members = format!("{group}/members/$ref");
    // Groups cannot be its members.
    assert_eq!(
        fixture.post(&members, &reference(&id(TESTERS))).error(),
        (
            400,
            "Request_BadRequest",
            "Nesting is currently not supported for groups that can be assigned to a role."
        )
    );
    assert_eq!(fixture.post(&members, &reference(&id(BO))).status, 204);
    fixture.application(&["Group.ReadWrite.All"]);
    assert_eq!(fixture.post(&members, &reference(&id(CLEO))).status, 403);
    assert_eq!(
        fixture.patch(&group, &json!({"description": "x"})).status,
        403
    );
    assert_eq!(fixture.delete(&group).status, 403);
}

#[test]
fn a_password_reset_revokes_the_sessions_and_is_audited() {
    let mut fixture = Fixture::new();
    fixture.application(&[
        "User-PasswordProfile.ReadWrite.All",
        "User.Read.All",
        "AuditLog.Read.All",
    ]);
    let adele = format!("/users/{}", id(ADELE));
    // Without a password it is not a reset.
    let flag = json!({"passwordProfile": {"forceChangePasswordNextSignIn": true}});
    assert_eq!(fixture.patch(&adele, &flag).status, 204);
    let started = format!(
        "{adele}?$select=signInSessionsValidFromDateTime,lastPasswordChangeDateTime,passwordProfile"
    );
    assert_eq!(
        fixture.get(&started).body["signInSessionsValidFromDateTime"],
        Value::Null
    );
    assert_eq!(
        fixture.get(&started).body["passwordProfile"]["forceChangePasswordNextSignIn"],
        true
    );
    let reset = json!({"passwordProfile": {"password": "xWwvJ]6NMw+bWH-d", "forceChangePasswordNextSignIn": false}});
    assert_eq!(fixture.patch(&adele, &reset).status, 204);
    let read = fixture.get(&started);
    assert_eq!(
        read.body["signInSessionsValidFromDateTime"],
        "2026-11-21T02:08:02Z"
    );
    assert_eq!(
        read.body["lastPasswordChangeDateTime"],
        "2026-11-21T02:08:02Z"
    );
    assert_eq!(
        read.body["passwordProfile"]["forceChangePasswordNextSignIn"],
        false
    );
    assert_eq!(audits(&fixture, "Reset user password").len(), 1);
    assert_eq!(audits(&fixture, "Update user").len(), 1);
}

#[test]
fn a_password_change_needs_a_different_password_and_revokes_the_sessions() {
    let mut fixture = Fixture::new();
    fixture.adele(&["Directory.AccessAsUser.All", "User.Read"]);
    let change = |body: Value| fixture.post("/me/changePassword", &body).status;
    let good = "0eM85N54wFxWwvJ]";
    assert_eq!(change(json!({"currentPassword": "secret"})), 400);
    assert_eq!(
        change(json!({"currentPassword": "secret", "newPassword": good, "hint": "x"})),
        400
    );
    assert_eq!(
        change(json!({"currentPassword": "secret", "newPassword": good})),
        204
    );
    assert_eq!(
        change(json!({"currentPassword": good, "newPassword": good})),
        400
    );
    let read =
        fixture.get("/me?$select=signInSessionsValidFromDateTime,lastPasswordChangeDateTime");
    assert_eq!(
        read.body["signInSessionsValidFromDateTime"],
        "2026-11-21T02:08:02Z"
    );
    assert_eq!(
        read.body["lastPasswordChangeDateTime"],
        "2026-11-21T02:08:02Z"
    );
}

#[test]
fn mail_and_identities_follow_their_source_properties() {
    let fixture = writer();
    let bo = format!("/users/{}", id(BO));
    let read = |fixture: &Fixture| {
        fixture
            .get(&format!("{bo}?$select=proxyAddresses,identities"))
            .body
    };
    fixture.patch(&bo, &json!({"mail": "bo@contoso.com"}));
    fixture.patch(&bo, &json!({"mail": "bodil@contoso.com"}));
    assert_eq!(
        read(&fixture)["proxyAddresses"],
        json!(["SMTP:bodil@contoso.com", "smtp:bo@contoso.com"])
    );
    fixture.patch(&bo, &json!({"mail": "bo@contoso.com"}));
    assert_eq!(
        read(&fixture)["proxyAddresses"],
        json!(["SMTP:bo@contoso.com", "smtp:bodil@contoso.com"])
    );
    fixture.patch(&bo, &json!({"mail": null}));
    assert_eq!(
        read(&fixture)["proxyAddresses"],
        json!(["smtp:bo@contoso.com", "smtp:bodil@contoso.com"])
    );
    fixture.patch(&bo, &json!({"userPrincipalName": "b@contoso.com"}));
    assert_eq!(
        read(&fixture)["identities"],
        json!([{"signInType": "userPrincipalName", "issuer": "contoso.com", "issuerAssignedId": "b@contoso.com"}])
    );
}

#[test]
fn a_user_with_its_own_identities_gets_a_generated_name() {
    let fixture = writer();
    let body = json!({
        "displayName": "John", "passwordProfile": {"password": "xWwvJ]6NMw+bWH-d"},
        "identities": [{"signInType": "emailAddress", "issuer": "contoso.com", "issuerAssignedId": "j@x.example"}]
    });
    let created = fixture.post(
        "/users?$select=id,userPrincipalName,identities,accountEnabled",
        &body,
    );
    assert_eq!(created.status, 201, "{}", created.text);
    let own = created.body["id"].as_str().unwrap();
    assert_eq!(
        created.body["userPrincipalName"],
        format!("{own}@contoso.com")
    );
    assert_eq!(created.body["identities"].as_array().unwrap().len(), 2);
    assert_eq!(created.body["accountEnabled"], true);
}

#[test]
fn a_manager_can_be_bound_at_creation() {
    let fixture = writer();
    let mut body = new_user();
    body["manager@odata.bind"] =
        json!(format!("https://graph.microsoft.com/v1.0/users/{}", id(BO)));
    let created = fixture.post("/users", &body);
    assert_eq!(created.status, 201, "{}", created.text);
    let manager = format!("/users/{}/manager", created.body["id"].as_str().unwrap());
    assert_eq!(fixture.get(&manager).body["id"], id(BO));
}

#[test]
fn list_items_are_checked_like_single_values() {
    let fixture = writer();
    let adele = format!("/users/{}", id(ADELE));
    for phones in [json!([""]), json!([5]), json!([null])] {
        assert_eq!(
            fixture
                .patch(&adele, &json!({"businessPhones": phones}))
                .status,
            400
        );
    }
    assert_eq!(
        fixture.patch(&adele, &json!({"businessPhones": []})).status,
        204
    );
    let owners = json!({"owners@odata.bind": [format!("https://x/v1.0/users/{}", id(CLEO))]});
    assert_eq!(
        fixture
            .patch(&format!("/groups/{}", id(TESTERS)), &owners)
            .status,
        400
    );
}

#[test]
fn a_microsoft_365_group_changes_its_address_with_its_alias() {
    let fixture = writer();
    let first = fixture.post("/groups", &unified("library"));
    let group = format!("/groups/{}", first.body["id"].as_str().unwrap());
    assert_eq!(fixture.post("/groups", &unified("books")).status, 201);
    let taken = fixture.patch(&group, &json!({"mailNickname": "books"}));
    assert_eq!(
        taken.body["error"]["details"][0]["target"], "mailNickname",
        "{}",
        taken.text
    );
    // Its own alias is not a conflict, in any letter case.
    for alias in ["library", "Library"] {
        let response = fixture.patch(&group, &json!({"mailNickname": alias}));
        assert_eq!(response.status, 204, "{alias}: {}", response.text);
        let read = fixture.get(&group);
        assert_eq!(read.body["mail"], format!("{alias}@contoso.com"));
    }
    assert_eq!(
        fixture
            .patch(&group, &json!({"mailNickname": "BOOKS"}))
            .status,
        400
    );
    assert_eq!(
        fixture
            .patch(
                &group,
                &json!({"mailNickname": "reading", "visibility": "Private"})
            )
            .status,
        204
    );
    let read = fixture.get(&group);
    assert_eq!(read.body["mail"], "reading@contoso.com");
    assert_eq!(
        read.body["proxyAddresses"],
        json!(["SMTP:reading@contoso.com"])
    );
    assert_eq!(fixture.post("/groups", &unified("library")).status, 201);
    for none in [json!([]), Value::Null] {
        assert_eq!(
            fixture.patch(&group, &json!({"groupTypes": none})).status,
            400
        );
    }
    assert_eq!(
        fixture
            .patch(&group, &json!({"visibility": "HiddenMembership"}))
            .status,
        400
    );
    assert_eq!(
        fixture
            .patch(&group, &json!({"securityEnabled": true}))
            .status,
        204
    );

    let mut user = new_user();
    user["mail"] = json!("staff@contoso.com");
    fixture.post("/users", &user);
    let by_user = fixture.post("/groups", &unified("staff"));
    assert_eq!(
        by_user.body["error"]["details"][0]["target"],
        "proxyAddresses"
    );
}

#[test]
fn hidden_membership_can_only_be_set_at_creation() {
    let fixture = writer();
    let mut body = unified("secret");
    body["visibility"] = json!("HiddenMembership");
    let created = fixture.post("/groups", &body);
    assert_eq!(
        created.body["visibility"], "HiddenMembership",
        "{}",
        created.text
    );
    let group = format!("/groups/{}", created.body["id"].as_str().unwrap());
    for visibility in [json!("Public"), Value::Null] {
        let body = json!({"visibility": visibility});
        assert_eq!(fixture.patch(&group, &body).status, 400, "{body}");
    }
    assert_eq!(
        fixture
            .patch(&group, &json!({"visibility": "HiddenMembership"}))
            .status,
        204
    );
}

#[test]
fn a_dynamic_group_needs_its_membership_rule() {
    let fixture = writer();
    let mut body = new_group();
    body["groupTypes"] = json!(["DynamicMembership"]);
    body["membershipRule"] = json!("user.city -eq \"Graz\"");
    body["members@odata.bind"] = json!([format!("https://x/v1.0/users/{}", id(ADELE))]);
    assert_eq!(fixture.post("/groups", &body).status, 403);
    body.as_object_mut().unwrap().remove("members@odata.bind");
    let created = fixture.post("/groups", &body);
    let group = format!("/groups/{}", created.body["id"].as_str().unwrap());
    assert_eq!(
        fixture
            .patch(&group, &json!({"membershipRule": null}))
            .status,
        400
    );
    assert_eq!(
        fixture
            .patch(
                &group,
                &json!({"membershipRuleProcessingState": "Sometimes"})
            )
            .status,
        400
    );
    assert_eq!(
        fixture
            .patch(&group, &json!({"membershipRuleProcessingState": "Paused"}))
            .status,
        204
    );
    assert_eq!(
        fixture
            .patch(&group, &json!({"groupTypes": [], "membershipRule": null}))
            .status,
        204
    );
    assert_eq!(
        fixture
            .post(&format!("{group}/members/$ref"), &reference(&id(BO)))
            .status,
        204
    );
    assert_eq!(
        fixture
            .patch(&group, &json!({"groupTypes": ["DynamicMembership"]}))
            .status,
        400
    );
}

#[test]
fn renewing_a_group_updates_its_renewed_date() {
    let mut fixture = writer();
    let group = format!("/groups/{}", id(TESTERS));
    assert_eq!(
        fixture.post(&format!("{group}/renew"), &json!({})).status,
        204
    );
    assert_eq!(
        fixture.get(&group).body["renewedDateTime"],
        "2026-11-21T02:08:02Z"
    );
    fixture.application(&["Group.Read.All"]);
    assert_eq!(
        fixture.post(&format!("{group}/renew"), &json!({})).status,
        403
    );
}

#[test]
fn licences_are_counted_once_and_only_for_users() {
    let mut fixture = writer();
    fixture.application(&[
        "User.ReadWrite.All",
        "Group.ReadWrite.All",
        "Organization.Read.All",
    ]);
    fixture
        .state()
        .store
        .update(Kind::SubscribedSku, "sku-1", |sku| {
            sku.insert("consumedUnits".into(), json!(5));
            sku.insert("servicePlans".into(), json!([{"servicePlanId": id(95)}]));
        });
    let used = |fixture: &Fixture| {
        fixture.get("/subscribedSkus").body["value"][0]["consumedUnits"].clone()
    };
    let user = format!("/users/{}", id(BO));
    fixture.patch(&user, &json!({"usageLocation": "DE"}));
    let assign = |target: &str, plans: Value, remove: Value| {
        let body = json!({"addLicenses": [{"skuId": id(90), "disabledPlans": plans}], "removeLicenses": remove});
        fixture
            .post(&format!("{target}/assignLicense"), &body)
            .status
    };
    assert_eq!(assign(&user, json!([]), json!([])), 200);
    assert_eq!(assign(&user, json!([id(95)]), json!([])), 200);
    assert_eq!(used(&fixture), 6);
    assert_eq!(assign(&user, json!([id(96)]), json!([])), 400);
    assert_eq!(assign(&user, json!(["x"]), json!([])), 400);
    assert_eq!(assign(&user, json!([]), json!([id(90)])), 400);
    let read = fixture.get(&format!(
        "{user}?$select=assignedLicenses,licenseAssignmentStates"
    ));
    assert_eq!(
        read.body["assignedLicenses"],
        json!([{"skuId": id(90), "disabledPlans": [id(95)]}])
    );
    assert_eq!(read.body["licenseAssignmentStates"][0]["state"], "Active");
    let half = fixture.post(
        &format!("{user}/assignLicense"),
        &json!({"addLicenses": []}),
    );
    assert_eq!(half.status, 400);
    assert_eq!(
        assign(&format!("/groups/{}", id(TESTERS)), json!([]), json!([])),
        202
    );
    assert_eq!(used(&fixture), 6);
    let back = json!({"addLicenses": [], "removeLicenses": [id(90)]});
    assert_eq!(
        fixture.post(&format!("{user}/assignLicense"), &back).status,
        200
    );
    assert_eq!(used(&fixture), 6, "the group still gives it");
    let group = format!("/groups/{}/assignLicense", id(TESTERS));
    assert_eq!(fixture.post(&group, &back).status, 202);
    assert_eq!(used(&fixture), 5);
    let again = fixture.post(&format!("{user}/reprocessLicenseAssignment"), &json!({}));
    assert_eq!((again.status, &again.body["id"]), (200, &json!(id(BO))));
}

#[test]
fn a_restored_user_has_its_app_roles_again() {
    let mut fixture = writer();
    fixture.delete(&format!("/users/{}", id(ADELE)));
    let of = |fixture: &mut Fixture| fixture.state().store.assignments_of(&id(ADELE)).count();
    assert_eq!(of(&mut fixture), 0);
    fixture.post(
        &format!("/directory/deletedItems/{}/restore", id(ADELE)),
        &json!({}),
    );
    assert_eq!(of(&mut fixture), 1);
}
