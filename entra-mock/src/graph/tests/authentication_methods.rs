//! Authentication methods of a user and the report of registered ones.

use super::*;

const REPORT: &str = "/reports/authenticationMethods/userRegistrationDetails";

fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.state().store.update(Kind::User, &id(ADELE), |user| {
        let methods = json!([
            {"@odata.type": "#microsoft.graph.phoneAuthenticationMethod", "id": "m1", "phoneNumber": "+1 5550100", "phoneType": "mobile"},
            {"@odata.type": "#microsoft.graph.emailAuthenticationMethod", "id": "m2", "emailAddress": "a@x.example"}
        ]);
        user.insert(crate::account::METHODS.into(), methods);
    });
    fixture.application(&[
        "UserAuthenticationMethod.Read.All",
        "AuditLog.Read.All",
        "User.Read.All",
    ]);
    fixture
}

#[test]
fn methods_are_the_password_and_what_the_user_registered() {
    let fixture = fixture();
    let methods = fixture.get("/users/adele@contoso.com/authentication/methods");
    assert_eq!(
        methods.all("@odata.type"),
        [
            "#microsoft.graph.passwordAuthenticationMethod",
            "#microsoft.graph.phoneAuthenticationMethod",
            "#microsoft.graph.emailAuthenticationMethod"
        ]
    );
    assert_eq!(methods.body["value"][0]["password"], Value::Null);
    let one = fixture.get(&format!("/users/{}/authentication/methods/m1", id(ADELE)));
    assert_eq!(one.body["phoneType"], "mobile");
    for missing in [
        "/users/adele@contoso.com/authentication/methods/m3",
        "/users/nobody@contoso.com/authentication/methods",
    ] {
        assert_eq!(fixture.get(missing).status, 404, "{missing}");
    }
    let option = fixture.get("/users/adele@contoso.com/authentication/methods?$select=id");
    assert_eq!(option.status, 400);
    // Registered methods are not a property of the user.
    assert!(
        !fixture
            .get("/users/adele@contoso.com")
            .text
            .contains("5550100")
    );
}

#[test]
fn own_methods_take_a_smaller_permission() {
    let mut fixture = fixture();
    let (own, other) = (
        "/me/authentication/methods",
        format!("/users/{}/authentication/methods", id(BO)),
    );
    for (permission, statuses) in [
        ("UserAuthenticationMethod.Read", (200, 403)),
        ("UserAuthenticationMethod.Read.All", (200, 200)),
        ("User.Read.All", (403, 403)),
    ] {
        fixture.adele(&[permission]);
        let got = (fixture.get(own).status, fixture.get(&other).status);
        assert_eq!(got, statuses, "{permission}");
    }
    fixture.application(&["UserAuthenticationMethod.Read"]);
    assert_eq!(
        fixture.get(&other).status,
        403,
        "not an application permission"
    );
}

#[test]
fn methods_of_one_type_are_read_by_the_path_of_the_type() {
    let mut fixture = fixture();
    // The documented permissions of the list of passkeys are those for passkeys alone.
    fixture.application(&[
        "UserAuthenticationMethod.Read.All",
        "UserAuthMethod-Passkey.Read.All",
    ]);
    let of = |rest: &str| fixture.get(&format!("/users/adele@contoso.com/authentication/{rest}"));
    let phones = of("phoneMethods");
    assert_eq!(phones.all("id"), ["m1"]);
    assert_eq!(phones.body["value"][0]["phoneNumber"], "+1 5550100");
    assert!(
        phones.body["@odata.context"]
            .as_str()
            .unwrap()
            .ends_with("/authentication/phoneMethods"),
        "{}",
        phones.text
    );
    assert_eq!(of("EmailMethods").all("id"), ["m2"]);
    assert_eq!(of("passwordMethods").all("@odata.type").len(), 1);
    for (name, _) in crate::schema::METHOD_TYPES {
        let list = of(name);
        assert_eq!(list.status, 200, "{name}: {}", list.text);
        let known = ["emailMethods", "passwordMethods", "phoneMethods"];
        assert_eq!(
            list.all("id").is_empty(),
            !known.contains(&name),
            "{name}: {}",
            list.text
        );
    }
    assert_eq!(of("phoneMethods/m1").body["phoneType"], "mobile");
    // A method of another type has no address there.
    assert_eq!(of("phoneMethods/m2").status, 404);
    assert_eq!(of("methods/m2").status, 200);
}

#[test]
fn methods_of_one_type_take_the_permission_of_the_type() {
    let mut fixture = fixture();
    let path = format!("/users/{}/authentication", id(BO));
    for (permission, phones, emails, all) in [
        ("UserAuthMethod-Phone.Read.All", 200, 403, 403),
        ("UserAuthMethod-Email.ReadWrite.All", 403, 200, 403),
        ("UserAuthenticationMethod.Read.All", 200, 200, 200),
        ("User.Read.All", 403, 403, 403),
        // For the own methods only.
        ("UserAuthMethod-Phone.Read", 403, 403, 403),
    ] {
        fixture.adele(&[permission]);
        let got = ["phoneMethods", "emailMethods", "methods"]
            .map(|name| fixture.get(&format!("{path}/{name}")).status);
        assert_eq!(got, [phones, emails, all], "{permission}");
    }
    fixture.adele(&["UserAuthMethod-Phone.Read"]);
    assert_eq!(fixture.get("/me/authentication/phoneMethods").status, 200);
    assert_eq!(fixture.get("/me/authentication/emailMethods").status, 403);
}

#[test]
fn the_report_has_every_user_and_follows_changes() {
    let mut fixture = fixture();
    let all = fixture.get(&format!("{REPORT}?$orderby=userPrincipalName"));
    assert_eq!(all.all("id"), [id(ADELE), id(BO), id(CLEO)]);
    let registered = fixture.get(&format!("{REPORT}?$filter=isMfaRegistered eq true"));
    assert_eq!(registered.all("userDisplayName"), ["Adele"]);
    let phone = fixture.get(&format!(
        "{REPORT}?$filter=methodsRegistered/any(m:m eq 'mobilePhone')"
    ));
    assert_eq!(phone.all("id"), [id(ADELE)]);
    let one = fixture.get(&format!("{REPORT}/{}", id(BO)));
    assert_eq!(
        (&one.body["isMfaRegistered"], &one.body["methodsRegistered"]),
        (&json!(false), &json!([]))
    );

    fixture.state().store.remove(Kind::User, &id(BO));
    fixture
        .state()
        .store
        .update(Kind::User, &id(ADELE), |user| {
            user.insert(crate::account::METHODS.into(), json!([]));
        });
    let after = fixture.get(REPORT);
    assert_eq!(after.all("id"), [id(ADELE), id(CLEO)]);
    assert_eq!(after.body["value"][0]["isMfaRegistered"], false);
    assert_eq!(fixture.get(&format!("{REPORT}?$select=id")).status, 400);
}

#[test]
fn the_report_takes_the_permission_of_the_logs_and_a_premium_licence() {
    let mut fixture = fixture();
    fixture.application(&["UserAuthenticationMethod.Read.All"]);
    assert_eq!(fixture.get(REPORT).status, 403);
    fixture.application(&["AuditLog.Read.All"]);
    assert_eq!(fixture.get(REPORT).status, 200);
    fixture.state().license = License::Free;
    assert_eq!(fixture.get(REPORT).status, 403);
}

#[test]
fn registered_methods_and_features_are_counted_for_users() {
    let mut fixture = Fixture::new();
    fixture
        .state()
        .store
        .update(Kind::User, &id(ADELE), |user| {
            let phone =
                json!({"@odata.type": "#microsoft.graph.phoneAuthenticationMethod", "id": "p"});
            user.insert(crate::account::METHODS.to_owned(), json!([phone]));
        });
    fixture.promote(ADELE);
    fixture.adele(&["AuditLog.Read.All"]);
    let reports = "/reports/authenticationMethods";
    let all = fixture.get(&format!(
        "{reports}/usersRegisteredByMethod(includedUserTypes='all',includedUserRoles='all')"
    ));
    assert_eq!(
        (all.status, &all.body["totalUserCount"]),
        (200, &json!(3)),
        "{}",
        all.text
    );
    assert_eq!(
        all.body["userRegistrationMethodCounts"],
        json!([{"authenticationMethod": "mobilePhone", "userCount": 1}, {"authenticationMethod": "password", "userCount": 3}])
    );
    let admins = fixture.get(&format!(
        "{reports}/usersRegisteredByFeature(includedUserRoles='admin')"
    ));
    assert_eq!(admins.body["totalUserCount"], 1);
    let counts = admins.body["userRegistrationFeatureCounts"]
        .as_array()
        .unwrap();
    assert!(
        counts.contains(&json!({"feature": "mfaCapable", "userCount": 1})),
        "{counts:?}"
    );
    let guests = fixture.get(&format!(
        "{reports}/usersRegisteredByFeature(includedUserTypes='guest')"
    ));
    assert_eq!(guests.body["totalUserCount"], 0);
    let wrong = format!("{reports}/usersRegisteredByMethod(includedUserTypes='robots')");
    assert_eq!(fixture.get(&wrong).status, 400);
    fixture.application(&["AuditLog.Read.All"]);
    let target = format!("{reports}/usersRegisteredByMethod");
    assert_eq!(
        fixture.get(&target).status,
        403,
        "applications cannot read it"
    );
    fixture.adele(&["AuditLog.Read.All"]);
    assert_eq!(fixture.get(&target).status, 200);
    fixture.state().license = License::Free;
    assert_eq!(fixture.get(&target).status, 403);
}
